/*-------------------------------------------------------------------------
 *
 * arith.c
 *	  Vectors from vectors: arithmetic, parts, normal form, bits; and size.
 *
 * Whatever is made here is finite, as every stored vector is: a result that
 * would not be raises core's overflow error.
 *
 * IDENTIFICATION
 *	  src/type/arith.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "compat.h"
#include "kernel/kernel.h"
#include "type/check.h"
#include "type/halfvec.h"
#include "type/sqlfunction.h"
#include "type/vector.h"
#include "utils/float.h"
#include "utils/varbit.h"

/*
 * check_overflow -- every element of a result must be finite.
 *
 * Operands are finite, so an element that is not has overflowed.
 */
static void
check_overflow(const float *values, int n)
{
	bool		all_finite = true;

	for (int i = 0; i < n; i++)
		all_finite &= (fabsf(values[i]) <= FLT_MAX);
	if (unlikely(!all_finite))
		float_overflow_error();
}

/*
 * find_window -- elements [start, start + count), counted from 1, clipped to
 * the 'dim' that there are; start and count are arguments 1 and 2.
 *
 * Returns how many these are, at least 1; *first is the first, counted from 0.
 */
static int
find_window(FunctionCallInfo fcinfo, const char *type, int dim, int *first)
{
	int64		start = PG_GETARG_INT32(1);
	int64		end = start + PG_GETARG_INT32(2);	/* exclusive */

	start = Max(start, 1);
	end = Min(end, (int64) dim + 1);
	check_dim(type, end - start, dim);

	*first = start - 1;
	return end - start;
}

/* the Euclidean norm; squares of floats neither overflow nor vanish here */
static double
length_of(const float *x, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += (double) x[i] * (double) x[i];
	return sqrt(sum);
}

/* a bit string of zeros */
static VarBit *
make_bits(int nbits)
{
	VarBit	   *result = palloc0(VARBITTOTALLEN(nbits));

	SET_VARSIZE(result, VARBITTOTALLEN(nbits));
	VARBITLEN(result) = nbits;
	return result;
}

/* ---------- vector ---------- */

SQL_FUNCTION(vector_add);
Datum
vector_add(PG_FUNCTION_ARGS)
{
	Vector	   *a = PG_GETARG_VECTOR_P(0);
	Vector	   *b = PG_GETARG_VECTOR_P(1);
	Vector	   *result;

	check_same_dim("vector", a->dim, b->dim);
	result = InitVector(a->dim);
	for (int i = 0; i < a->dim; i++)
		result->x[i] = a->x[i] + b->x[i];
	check_overflow(result->x, a->dim);

	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(vector_sub);
Datum
vector_sub(PG_FUNCTION_ARGS)
{
	Vector	   *a = PG_GETARG_VECTOR_P(0);
	Vector	   *b = PG_GETARG_VECTOR_P(1);
	Vector	   *result;

	check_same_dim("vector", a->dim, b->dim);
	result = InitVector(a->dim);
	for (int i = 0; i < a->dim; i++)
		result->x[i] = a->x[i] - b->x[i];
	check_overflow(result->x, a->dim);

	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(vector_mul);
Datum
vector_mul(PG_FUNCTION_ARGS)
{
	Vector	   *a = PG_GETARG_VECTOR_P(0);
	Vector	   *b = PG_GETARG_VECTOR_P(1);
	Vector	   *result;
	bool		underflow = false;

	check_same_dim("vector", a->dim, b->dim);
	result = InitVector(a->dim);
	for (int i = 0; i < a->dim; i++)
	{
		result->x[i] = a->x[i] * b->x[i];
		underflow |= (result->x[i] == 0) & (a->x[i] != 0) & (b->x[i] != 0);
	}
	check_overflow(result->x, a->dim);
	if (underflow)
		float_underflow_error();

	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(vector_concat);
Datum
vector_concat(PG_FUNCTION_ARGS)
{
	Vector	   *a = PG_GETARG_VECTOR_P(0);
	Vector	   *b = PG_GETARG_VECTOR_P(1);
	int			dim = a->dim + b->dim;
	Vector	   *result;

	check_dim("vector", dim, VECTOR_MAX_DIM);
	result = InitVector(dim);
	memcpy(result->x, a->x, sizeof(float) * a->dim);
	memcpy(result->x + a->dim, b->x, sizeof(float) * b->dim);

	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(subvector);
Datum
subvector(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);
	int			first;
	int			dim = find_window(fcinfo, "vector", vector->dim, &first);
	Vector	   *result = InitVector(dim);

	memcpy(result->x, vector->x + first, sizeof(float) * dim);

	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(vector_dims);
Datum
vector_dims(PG_FUNCTION_ARGS)
{
	/* the dimensions are in the first bytes: no need to fetch the rest */
	int32		nbytes = VECTOR_SIZE(0) - VARHDRSZ;
	Vector	   *head = (Vector *) PG_DETOAST_DATUM_SLICE(PG_GETARG_DATUM(0),
														 0, nbytes);

	PG_RETURN_INT32(head->dim);
}

SQL_FUNCTION(vector_norm);
Datum
vector_norm(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);

	PG_RETURN_FLOAT8(length_of(vector->x, vector->dim));
}

/*
 * l2_normalize -- the vector over its norm; a zero vector stays as it is.
 */
SQL_FUNCTION(l2_normalize);
Datum
l2_normalize(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);
	double		norm = length_of(vector->x, vector->dim);
	Vector	   *result = InitVector(vector->dim);

	if (norm > 0)
		for (int i = 0; i < vector->dim; i++)
			result->x[i] = vector->x[i] / norm;
	check_overflow(result->x, result->dim);

	PG_RETURN_VECTOR_P(result);
}

/*
 * binary_quantize -- bit i says whether element i is positive.
 */
SQL_FUNCTION(binary_quantize);
Datum
binary_quantize(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);
	VarBit	   *result = make_bits(vector->dim);
	bits8	   *bits = VARBITS(result);

	for (int i = 0; i < vector->dim; i++)
		bits[i / 8] |= (vector->x[i] > 0) << (7 - i % 8);

	PG_RETURN_VARBIT_P(result);
}

/* ---------- halfvec ---------- */

/*
 * Computed in float32 and rounded to binary16.  That gives the half nearest to
 * the exact result, as if rounded once: a product of two halves is exact in
 * float32, and for sums 24 bits are at least twice 11 and 2 more.
 */

/* the elements as floats, in the current context */
static float *
widen(const HalfVector *vector)
{
	float	   *x = palloc(sizeof(float) * vector->dim);

	kernels.half_to_float(vector->x, vector->dim, x);
	return x;
}

/*
 * round_halves -- a vector of the floats, each rounded to binary16.
 */
static HalfVector *
round_halves(const float *x, int dim)
{
	HalfVector *result = InitHalfVector(dim);
	bool		all_finite = true;

	for (int i = 0; i < dim; i++)
		all_finite &= (fabsf(x[i]) < HALF_OVERFLOW);
	if (unlikely(!all_finite))
		float_overflow_error();

	kernels.float_to_half(x, dim, result->x);
	return result;
}

SQL_FUNCTION(halfvec_add);
Datum
halfvec_add(PG_FUNCTION_ARGS)
{
	HalfVector *a = PG_GETARG_HALFVEC_P(0);
	HalfVector *b = PG_GETARG_HALFVEC_P(1);
	float	   *x;
	float	   *y;

	check_same_dim("halfvec", a->dim, b->dim);
	x = widen(a);
	y = widen(b);
	for (int i = 0; i < a->dim; i++)
		x[i] += y[i];

	PG_RETURN_HALFVEC_P(round_halves(x, a->dim));
}

SQL_FUNCTION(halfvec_sub);
Datum
halfvec_sub(PG_FUNCTION_ARGS)
{
	HalfVector *a = PG_GETARG_HALFVEC_P(0);
	HalfVector *b = PG_GETARG_HALFVEC_P(1);
	float	   *x;
	float	   *y;

	check_same_dim("halfvec", a->dim, b->dim);
	x = widen(a);
	y = widen(b);
	for (int i = 0; i < a->dim; i++)
		x[i] -= y[i];

	PG_RETURN_HALFVEC_P(round_halves(x, a->dim));
}

SQL_FUNCTION(halfvec_mul);
Datum
halfvec_mul(PG_FUNCTION_ARGS)
{
	HalfVector *a = PG_GETARG_HALFVEC_P(0);
	HalfVector *b = PG_GETARG_HALFVEC_P(1);
	float	   *x;
	float	   *y;
	HalfVector *result;
	bool		underflow = false;

	check_same_dim("halfvec", a->dim, b->dim);
	x = widen(a);
	y = widen(b);
	for (int i = 0; i < a->dim; i++)
		x[i] *= y[i];
	result = round_halves(x, a->dim);

	/* the product in float32 is 0 only if a factor is */
	for (int i = 0; i < a->dim; i++)
		underflow |= ((result->x[i] & 0x7fff) == 0) & (x[i] != 0);
	if (underflow)
		float_underflow_error();

	PG_RETURN_HALFVEC_P(result);
}

SQL_FUNCTION(halfvec_concat);
Datum
halfvec_concat(PG_FUNCTION_ARGS)
{
	HalfVector *a = PG_GETARG_HALFVEC_P(0);
	HalfVector *b = PG_GETARG_HALFVEC_P(1);
	int			dim = a->dim + b->dim;
	HalfVector *result;

	check_dim("halfvec", dim, HALFVEC_MAX_DIM);
	result = InitHalfVector(dim);
	memcpy(result->x, a->x, sizeof(half) * a->dim);
	memcpy(result->x + a->dim, b->x, sizeof(half) * b->dim);

	PG_RETURN_HALFVEC_P(result);
}

SQL_FUNCTION(halfvec_subvector);
Datum
halfvec_subvector(PG_FUNCTION_ARGS)
{
	HalfVector *vector = PG_GETARG_HALFVEC_P(0);
	int			first;
	int			dim = find_window(fcinfo, "halfvec", vector->dim, &first);
	HalfVector *result = InitHalfVector(dim);

	memcpy(result->x, vector->x + first, sizeof(half) * dim);

	PG_RETURN_HALFVEC_P(result);
}

SQL_FUNCTION(halfvec_vector_dims);
Datum
halfvec_vector_dims(PG_FUNCTION_ARGS)
{
	/* as in vector_dims */
	int32		nbytes = HALFVEC_SIZE(0) - VARHDRSZ;
	HalfVector *head = (HalfVector *) PG_DETOAST_DATUM_SLICE(PG_GETARG_DATUM(0),
															 0, nbytes);

	PG_RETURN_INT32(head->dim);
}

SQL_FUNCTION(halfvec_l2_norm);
Datum
halfvec_l2_norm(PG_FUNCTION_ARGS)
{
	HalfVector *vector = PG_GETARG_HALFVEC_P(0);

	PG_RETURN_FLOAT8(length_of(widen(vector), vector->dim));
}

/*
 * halfvec_l2_normalize -- the vector over its norm; a zero vector stays.
 */
SQL_FUNCTION(halfvec_l2_normalize);
Datum
halfvec_l2_normalize(PG_FUNCTION_ARGS)
{
	HalfVector *vector = PG_GETARG_HALFVEC_P(0);
	float	   *x = widen(vector);
	double		norm = length_of(x, vector->dim);

	for (int i = 0; i < vector->dim; i++)
		x[i] = norm > 0 ? x[i] / norm : 0;

	PG_RETURN_HALFVEC_P(round_halves(x, vector->dim));
}

/*
 * halfvec_binary_quantize -- bit i says whether element i is positive.
 */
SQL_FUNCTION(halfvec_binary_quantize);
Datum
halfvec_binary_quantize(PG_FUNCTION_ARGS)
{
	HalfVector *vector = PG_GETARG_HALFVEC_P(0);
	VarBit	   *result = make_bits(vector->dim);
	bits8	   *bits = VARBITS(result);

	/* as a signed integer a half has its own sign */
	for (int i = 0; i < vector->dim; i++)
		bits[i / 8] |= ((int16) vector->x[i] > 0) << (7 - i % 8);

	PG_RETURN_VARBIT_P(result);
}
