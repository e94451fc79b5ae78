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
#include "type/check.h"
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

/*
 * subvector -- elements [start, start + count), counted from 1, clipped.
 */
SQL_FUNCTION(subvector);
Datum
subvector(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);
	int64		start = PG_GETARG_INT32(1);
	int64		end = start + PG_GETARG_INT32(2);	/* exclusive */
	Vector	   *result;

	start = Max(start, 1);
	end = Min(end, (int64) vector->dim + 1);
	check_dim("vector", end - start, VECTOR_MAX_DIM);

	result = InitVector(end - start);
	memcpy(result->x, vector->x + start - 1, sizeof(float) * (end - start));

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

/* the Euclidean norm; squares of floats neither overflow nor vanish here */
static double
vector_length(const Vector *vector)
{
	double		sum = 0;

	for (int i = 0; i < vector->dim; i++)
		sum += (double) vector->x[i] * (double) vector->x[i];
	return sqrt(sum);
}

SQL_FUNCTION(vector_norm);
Datum
vector_norm(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(vector_length(PG_GETARG_VECTOR_P(0)));
}

/*
 * l2_normalize -- the vector over its norm; a zero vector stays as it is.
 */
SQL_FUNCTION(l2_normalize);
Datum
l2_normalize(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);
	double		norm = vector_length(vector);
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
	int			nbits = vector->dim;
	VarBit	   *result = palloc0(VARBITTOTALLEN(nbits));
	bits8	   *bits = VARBITS(result);

	SET_VARSIZE(result, VARBITTOTALLEN(nbits));
	VARBITLEN(result) = nbits;
	for (int i = 0; i < nbits; i++)
		bits[i / 8] |= (vector->x[i] > 0) << (7 - i % 8);

	PG_RETURN_VARBIT_P(result);
}
