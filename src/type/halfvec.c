/*-------------------------------------------------------------------------
 *
 * halfvec.c
 *	  Type halfvec: text and binary form, type modifier, order and hash.
 *
 * A number becomes a float32 first and then a binary16, as it would if it came
 * by way of vector.
 *
 * Order: by the first element that differs, then the shorter first; so vectors
 * of different dimensions can be compared, though not measured.  -0 equals 0
 * everywhere, hence in the hash as well.
 *
 * IDENTIFICATION
 *	  src/type/halfvec.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "compat.h"
#include "kernel/kernel.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "type/check.h"
#include "type/halfvec.h"
#include "type/listtext.h"
#include "type/sqlfunction.h"
#include "type/wire.h"

StaticAssertDecl(offsetof(HalfVector, dim) == 4, "pgvector's datum");
StaticAssertDecl(offsetof(HalfVector, unused) == 6, "pgvector's datum");
StaticAssertDecl(offsetof(HalfVector, x) == 8, "pgvector's datum");

/* the parts of a half */
#define HALF_SIGN		0x8000
#define HALF_MAGNITUDE	0x7fff

HalfVector *
InitHalfVector(int dim)
{
	HalfVector *result = palloc0(HALFVEC_SIZE(dim));

	SET_VARSIZE(result, HALFVEC_SIZE(dim));
	result->dim = dim;
	return result;
}

/* ---------- text ---------- */

/*
 * halfvec_in -- "[1,2,3]", blanks around every token.
 *
 * Elements are collected on the stack, as in vector_in.
 */
SQL_FUNCTION(halfvec_in);
Datum
halfvec_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	float		x[HALFVEC_MAX_DIM];
	int			dim = list_text_read("halfvec", text, HALF_OVERFLOW, x,
									 HALFVEC_MAX_DIM);
	HalfVector *result;

	check_expected_dim(PG_GETARG_INT32(2), dim);
	result = InitHalfVector(dim);
	kernels.float_to_half(x, dim, result->x);
	PG_RETURN_HALFVEC_P(result);
}

SQL_FUNCTION(halfvec_out);
Datum
halfvec_out(PG_FUNCTION_ARGS)
{
	HalfVector *vector = PG_GETARG_HALFVEC_P(0);
	float	   *x = palloc(sizeof(float) * vector->dim);
	char	   *text;

	kernels.half_to_float(vector->x, vector->dim, x);
	text = list_text_write(x, vector->dim);

	pfree(x);
	PG_FREE_IF_COPY(vector, 0);
	PG_RETURN_CSTRING(text);
}

SQL_FUNCTION(halfvec_typmod_in);
Datum
halfvec_typmod_in(PG_FUNCTION_ARGS)
{
	ArrayType  *typmods = PG_GETARG_ARRAYTYPE_P(0);

	PG_RETURN_INT32(check_typmod("halfvec", typmods, HALFVEC_MAX_DIM));
}

/* ---------- binary: int16 dim, int16 0, binary16 each, big-endian ---------- */

SQL_FUNCTION(halfvec_recv);
Datum
halfvec_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int32		typmod = PG_GETARG_INT32(2);
	int16		dim = (int16) pq_getmsgint(buf, sizeof(int16));
	int16		unused = (int16) pq_getmsgint(buf, sizeof(int16));
	HalfVector *result;
	const char *wire;

	check_dim("halfvec", dim, HALFVEC_MAX_DIM);
	check_expected_dim(typmod, dim);
	if (unused != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected unused to be 0, not %d", unused)));

	wire = pq_getmsgbytes(buf, sizeof(half) * dim);
	result = palloc(HALFVEC_SIZE(dim));
	SET_VARSIZE(result, HALFVEC_SIZE(dim));
	result->dim = dim;
	result->unused = 0;
	if (unlikely(!wire_copy16((char *) result->x, wire, dim)))
	{
		float		x[HALFVEC_MAX_DIM];

		kernels.half_to_float(result->x, dim, x);
		check_elements("halfvec", x, dim);
	}

	PG_RETURN_HALFVEC_P(result);
}

SQL_FUNCTION(halfvec_send);
Datum
halfvec_send(PG_FUNCTION_ARGS)
{
	HalfVector *vector = PG_GETARG_HALFVEC_P(0);
	bytea	   *result = wire_begin(vector->dim, vector->unused,
									sizeof(half) * vector->dim);

	(void) wire_copy16(VARDATA(result) + WIRE_HEADER, (char *) vector->x,
					   vector->dim);
	PG_RETURN_BYTEA_P(result);
}

/* ---------- order and hash ---------- */

/*
 * order_of -- an integer in the order of finite halves, one for both zeros.
 */
static inline int
order_of(half x)
{
	int			magnitude = x & HALF_MAGNITUDE;

	return x & HALF_SIGN ? -magnitude : magnitude;
}

/*
 * compare_halfvecs -- -1, 0 or 1; total, and it never raises.
 */
static int
compare_halfvecs(const HalfVector *a, const HalfVector *b)
{
	int			dim = Min(a->dim, b->dim);

	for (int i = 0; i < dim; i++)
	{
		int			x = order_of(a->x[i]);
		int			y = order_of(b->x[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}

	return (a->dim > b->dim) - (a->dim < b->dim);
}

/*
 * compare_arguments -- compare_halfvecs of a function's two arguments.
 *
 * Memory: frees what detoasting made; btree leaks nothing for each comparison.
 */
static int
compare_arguments(FunctionCallInfo fcinfo)
{
	HalfVector *a = PG_GETARG_HALFVEC_P(0);
	HalfVector *b = PG_GETARG_HALFVEC_P(1);
	int			result = compare_halfvecs(a, b);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

SQL_FUNCTION(halfvec_lt);
Datum
halfvec_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

SQL_FUNCTION(halfvec_le);
Datum
halfvec_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

SQL_FUNCTION(halfvec_eq);
Datum
halfvec_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

SQL_FUNCTION(halfvec_ne);
Datum
halfvec_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

SQL_FUNCTION(halfvec_ge);
Datum
halfvec_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

SQL_FUNCTION(halfvec_gt);
Datum
halfvec_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

SQL_FUNCTION(halfvec_cmp);
Datum
halfvec_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

/*
 * hash_form -- the elements as bytes that are equal for equal vectors.
 *
 * The result is the vector itself, or a copy with each -0 replaced by 0.
 */
static const unsigned char *
hash_form(const HalfVector *vector)
{
	int			dim = vector->dim;
	bool		has_minus_zero = false;
	half	   *copy;

	for (int i = 0; i < dim; i++)
		has_minus_zero |= (vector->x[i] == HALF_SIGN);
	if (!has_minus_zero)
		return (const unsigned char *) vector->x;

	copy = palloc(sizeof(half) * dim);
	for (int i = 0; i < dim; i++)
		copy[i] = vector->x[i] == HALF_SIGN ? 0 : vector->x[i];
	return (const unsigned char *) copy;
}

SQL_FUNCTION(halfvec_hash);
Datum
halfvec_hash(PG_FUNCTION_ARGS)
{
	HalfVector *vector = PG_GETARG_HALFVEC_P(0);
	const unsigned char *bytes = hash_form(vector);
	Datum		result = hash_any(bytes, sizeof(half) * vector->dim);

	if (bytes != (const unsigned char *) vector->x)
		pfree((void *) bytes);
	PG_FREE_IF_COPY(vector, 0);
	return result;
}

SQL_FUNCTION(halfvec_hash_extended);
Datum
halfvec_hash_extended(PG_FUNCTION_ARGS)
{
	HalfVector *vector = PG_GETARG_HALFVEC_P(0);
	const unsigned char *bytes = hash_form(vector);
	Datum		result = hash_any_extended(bytes, sizeof(half) * vector->dim,
										   PG_GETARG_INT64(1));

	if (bytes != (const unsigned char *) vector->x)
		pfree((void *) bytes);
	PG_FREE_IF_COPY(vector, 0);
	return result;
}
