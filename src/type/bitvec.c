/*-------------------------------------------------------------------------
 *
 * bitvec.c
 *	  Distances of core's bit type.
 *
 * Bits behind the last one of a string are zero, which core sees to, so that
 * whole bytes can be compared.
 *
 * IDENTIFICATION
 *	  src/type/bitvec.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "kernel/kernel.h"
#include "type/check.h"
#include "type/distance.h"
#include "type/sqlfunction.h"
#include "utils/varbit.h"

/* ---------- values in, number out ---------- */

/* from the number of bits, which callers have looked at, not from the size */
static size_t
bytes_of(int32 length)
{
	return ((size_t) length + BITS_PER_BYTE - 1) / BITS_PER_BYTE;
}

static double
measure_hamming(const uint8 *a, const uint8 *b, int32 length)
{
	return kernels.hamming(a, b, bytes_of(length));
}

/* 1 if nothing is common, also of two strings without a bit set */
static double
measure_jaccard(const uint8 *a, const uint8 *b, int32 length)
{
	uint32		both;
	uint32		either;

	kernels.jaccard(a, b, bytes_of(length), &both, &either);
	if (both == 0)
		return 1;
	return 1 - (double) both / either;
}

double
bit_distance_hamming(const VarBit *a, const VarBit *b)
{
	return measure_hamming(VARBITS(a), VARBITS(b), VARBITLEN(a));
}

double
bit_distance_jaccard(const VarBit *a, const VarBit *b)
{
	return measure_jaccard(VARBITS(a), VARBITS(b), VARBITLEN(a));
}

/* ---------- SQL ---------- */

/* a function's argument: bits, with any header */
typedef struct Bits
{
	int32		length;
	const uint8 *bits;
} Bits;

/*
 * bits_of_argument -- argument n, which is not copied for the length word that
 * short strings have in a table.
 */
static Bits
bits_of_argument(FunctionCallInfo fcinfo, int n)
{
	const char *data = VARDATA_ANY(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(n)));
	Bits		result;

	/* not aligned behind a short length word */
	memcpy(&result.length, data, sizeof(result.length));
	result.bits = (const uint8 *) data + sizeof(result.length);
	return result;
}

static void
check_same_length(Bits a, Bits b)
{
	if (unlikely(a.length != b.length))
		report_different_lengths(a.length, b.length);
}

SQL_FUNCTION(hamming_distance);
Datum
hamming_distance(PG_FUNCTION_ARGS)
{
	Bits		a = bits_of_argument(fcinfo, 0);
	Bits		b = bits_of_argument(fcinfo, 1);

	check_same_length(a, b);
	PG_RETURN_FLOAT8(measure_hamming(a.bits, b.bits, a.length));
}

SQL_FUNCTION(jaccard_distance);
Datum
jaccard_distance(PG_FUNCTION_ARGS)
{
	Bits		a = bits_of_argument(fcinfo, 0);
	Bits		b = bits_of_argument(fcinfo, 1);

	check_same_length(a, b);
	PG_RETURN_FLOAT8(measure_jaccard(a.bits, b.bits, a.length));
}
