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
bytes_of(const VarBit *bits)
{
	return ((size_t) VARBITLEN(bits) + BITS_PER_BYTE - 1) / BITS_PER_BYTE;
}

double
bit_distance_hamming(const VarBit *a, const VarBit *b)
{
	return kernels.hamming(VARBITS(a), VARBITS(b), bytes_of(a));
}

/* 1 if nothing is common, also of two strings without a bit set */
double
bit_distance_jaccard(const VarBit *a, const VarBit *b)
{
	uint32		both;
	uint32		either;

	kernels.jaccard(VARBITS(a), VARBITS(b), bytes_of(a), &both, &either);
	if (both == 0)
		return 1;
	return 1 - (double) both / either;
}

/* ---------- SQL ---------- */

/*
 * measure_bits -- a distance of a function's two arguments.
 */
static Datum
measure_bits(FunctionCallInfo fcinfo,
			 double (*distance) (const VarBit *, const VarBit *))
{
	VarBit	   *a = PG_GETARG_VARBIT_P(0);
	VarBit	   *b = PG_GETARG_VARBIT_P(1);

	if (VARBITLEN(a) != VARBITLEN(b))
		report_different_lengths(VARBITLEN(a), VARBITLEN(b));
	PG_RETURN_FLOAT8(distance(a, b));
}

SQL_FUNCTION(hamming_distance);
Datum
hamming_distance(PG_FUNCTION_ARGS)
{
	return measure_bits(fcinfo, bit_distance_hamming);
}

SQL_FUNCTION(jaccard_distance);
Datum
jaccard_distance(PG_FUNCTION_ARGS)
{
	return measure_bits(fcinfo, bit_distance_jaccard);
}
