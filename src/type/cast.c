/*-------------------------------------------------------------------------
 *
 * cast.c
 *	  Every cast between vector types, and between them and arrays.
 *
 * A cast function has three arguments: the value, the type modifier of the
 * target or -1, and whether the cast is explicit, which changes nothing here.
 *
 * IDENTIFICATION
 *	  src/type/cast.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "kernel/kernel.h"
#include "type/check.h"
#include "type/halfvec.h"
#include "type/sparsecheck.h"
#include "type/sqlfunction.h"
#include "type/vector.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

/* ---------- a type to itself ---------- */

/* A column with dimensions takes only vectors that have them. */
SQL_FUNCTION(vector);
Datum
vector(PG_FUNCTION_ARGS)
{
	Vector	   *value = PG_GETARG_VECTOR_P(0);

	check_expected_dim(PG_GETARG_INT32(1), value->dim);
	PG_RETURN_VECTOR_P(value);
}

SQL_FUNCTION(halfvec);
Datum
halfvec(PG_FUNCTION_ARGS)
{
	HalfVector *value = PG_GETARG_HALFVEC_P(0);

	check_expected_dim(PG_GETARG_INT32(1), value->dim);
	PG_RETURN_HALFVEC_P(value);
}

SQL_FUNCTION(sparsevec);
Datum
sparsevec(PG_FUNCTION_ARGS)
{
	SparseVector *value = PG_GETARG_WHOLE_SPARSEVEC_P(0);

	check_stored_sparsevec(value);
	check_expected_dim(PG_GETARG_INT32(1), value->dim);
	PG_RETURN_SPARSEVEC_P(value);
}

/* ---------- a type to another ---------- */

/*
 * make_halfvec -- of floats, each rounded to binary16.
 *
 * Errors: NUMERIC_VALUE_OUT_OF_RANGE if one would become infinite;
 * DATA_EXCEPTION if one is not finite.
 */
static HalfVector *
make_halfvec(const float *x, int dim)
{
	HalfVector *result = InitHalfVector(dim);

	check_range("halfvec", x, dim, HALF_OVERFLOW);
	check_elements("halfvec", x, dim);
	kernels.float_to_half(x, dim, result->x);
	return result;
}

SQL_FUNCTION(vector_to_halfvec);
Datum
vector_to_halfvec(PG_FUNCTION_ARGS)
{
	Vector	   *value = PG_GETARG_VECTOR_P(0);

	check_expected_dim(PG_GETARG_INT32(1), value->dim);
	PG_RETURN_HALFVEC_P(make_halfvec(value->x, value->dim));
}

SQL_FUNCTION(halfvec_to_vector);
Datum
halfvec_to_vector(PG_FUNCTION_ARGS)
{
	HalfVector *value = PG_GETARG_HALFVEC_P(0);
	Vector	   *result;

	check_expected_dim(PG_GETARG_INT32(1), value->dim);
	result = InitVector(value->dim);
	kernels.half_to_float(value->x, value->dim, result->x);

	PG_RETURN_VECTOR_P(result);
}

/*
 * make_sparsevec -- of floats, those that are not zero.
 *
 * Errors: PROGRAM_LIMIT_EXCEEDED if they are too many; DATA_EXCEPTION if one
 * is not finite.
 */
static SparseVector *
make_sparsevec(const float *x, int dim)
{
	SparseVector *result;
	float	   *values;
	int			nnz = 0;

	for (int i = 0; i < dim; i++)
		nnz += (x[i] != 0);
	check_nnz(nnz);
	check_elements("sparsevec", x, dim);

	result = InitSparseVector(dim, nnz);
	values = SPARSEVEC_VALUES(result);
	for (int i = 0, n = 0; n < nnz; i++)
	{
		if (x[i] != 0)
		{
			result->indices[n] = i;
			values[n++] = x[i];
		}
	}
	return result;
}

/*
 * spread -- the elements of a sparse vector to their places in x, which has
 * value->dim zeros.
 *
 * Errors: of a damaged datum, whose indices would lead out of x.
 */
static void
spread(const SparseVector *value, float *x)
{
	const float *values = SPARSEVEC_VALUES(value);

	check_stored_sparsevec(value);
	for (int i = 0; i < value->nnz; i++)
		x[value->indices[i]] = values[i];
}

SQL_FUNCTION(vector_to_sparsevec);
Datum
vector_to_sparsevec(PG_FUNCTION_ARGS)
{
	Vector	   *value = PG_GETARG_VECTOR_P(0);

	check_expected_dim(PG_GETARG_INT32(1), value->dim);
	PG_RETURN_SPARSEVEC_P(make_sparsevec(value->x, value->dim));
}

SQL_FUNCTION(sparsevec_to_vector);
Datum
sparsevec_to_vector(PG_FUNCTION_ARGS)
{
	SparseVector *value = PG_GETARG_WHOLE_SPARSEVEC_P(0);
	Vector	   *result;

	check_dim("vector", value->dim, VECTOR_MAX_DIM);
	check_expected_dim(PG_GETARG_INT32(1), value->dim);
	result = InitVector(value->dim);
	spread(value, result->x);

	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(halfvec_to_sparsevec);
Datum
halfvec_to_sparsevec(PG_FUNCTION_ARGS)
{
	HalfVector *value = PG_GETARG_HALFVEC_P(0);
	float		x[HALFVEC_MAX_DIM];

	check_expected_dim(PG_GETARG_INT32(1), value->dim);
	kernels.half_to_float(value->x, value->dim, x);
	PG_RETURN_SPARSEVEC_P(make_sparsevec(x, value->dim));
}

SQL_FUNCTION(sparsevec_to_halfvec);
Datum
sparsevec_to_halfvec(PG_FUNCTION_ARGS)
{
	SparseVector *value = PG_GETARG_WHOLE_SPARSEVEC_P(0);
	float		x[HALFVEC_MAX_DIM];

	check_dim("halfvec", value->dim, HALFVEC_MAX_DIM);
	check_expected_dim(PG_GETARG_INT32(1), value->dim);
	memset(x, 0, sizeof(float) * value->dim);
	spread(value, x);

	PG_RETURN_HALFVEC_P(make_halfvec(x, value->dim));
}

/* ---------- array to vector ---------- */

/*
 * numeric_array_to_floats -- elements of a numeric[] without NULLs.
 *
 * Errors: core's, of a numeric beyond real.
 */
static void
numeric_array_to_floats(ArrayType *array, float *out)
{
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *elements;
	int			n;

	get_typlenbyvalalign(NUMERICOID, &typlen, &typbyval, &typalign);
	deconstruct_array(array, NUMERICOID, typlen, typbyval, typalign,
					  &elements, NULL, &n);
	for (int i = 0; i < n; i++)
		out[i] = DatumGetFloat4(DirectFunctionCall1(numeric_float4,
													elements[i]));
	pfree(elements);
}

/*
 * array_to_floats -- the n elements of an array without NULLs as floats.
 *
 * Doubles beyond float32 become infinite, which the caller refuses; those
 * below it become zero.
 */
static void
array_to_floats(ArrayType *array, int n, float *out)
{
	const void *data = ARR_DATA_PTR(array);

	switch (ARR_ELEMTYPE(array))
	{
		case INT4OID:
			for (int i = 0; i < n; i++)
				out[i] = ((const int32 *) data)[i];
			break;
		case FLOAT4OID:
			memcpy(out, data, sizeof(float) * n);
			break;
		case FLOAT8OID:
			for (int i = 0; i < n; i++)
				out[i] = ((const double *) data)[i];
			break;
		case NUMERICOID:
			numeric_array_to_floats(array, out);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("unsupported array type")));
	}
}

/* one C function behind the casts from all four array types */
SQL_FUNCTION(array_to_vector);
Datum
array_to_vector(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int			dim = check_cast_array("vector", array, VECTOR_MAX_DIM);
	Vector	   *result;

	check_expected_dim(PG_GETARG_INT32(1), dim);
	result = InitVector(dim);
	array_to_floats(array, dim, result->x);
	check_elements("vector", result->x, dim);

	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(array_to_halfvec);
Datum
array_to_halfvec(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int			dim = check_cast_array("halfvec", array, HALFVEC_MAX_DIM);
	float		x[HALFVEC_MAX_DIM];

	check_expected_dim(PG_GETARG_INT32(1), dim);
	array_to_floats(array, dim, x);

	PG_RETURN_HALFVEC_P(make_halfvec(x, dim));
}

SQL_FUNCTION(array_to_sparsevec);
Datum
array_to_sparsevec(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int			dim = check_cast_array("sparsevec", array, SPARSEVEC_MAX_DIM);
	float	   *x;

	check_expected_dim(PG_GETARG_INT32(1), dim);
	x = palloc(sizeof(float) * dim);
	array_to_floats(array, dim, x);

	PG_RETURN_SPARSEVEC_P(make_sparsevec(x, dim));
}

/* ---------- vector to array ---------- */

/* a real[] of n elements, which the caller fills in */
static ArrayType *
make_float_array(int n)
{
	Size		nbytes = ARR_OVERHEAD_NONULLS(1) + sizeof(float) * n;
	ArrayType  *result = palloc0(nbytes);

	SET_VARSIZE(result, nbytes);
	result->ndim = 1;
	result->dataoffset = 0;		/* no null bitmap */
	result->elemtype = FLOAT4OID;
	ARR_DIMS(result)[0] = n;
	ARR_LBOUND(result)[0] = 1;
	return result;
}

SQL_FUNCTION(vector_to_float4);
Datum
vector_to_float4(PG_FUNCTION_ARGS)
{
	Vector	   *value = PG_GETARG_VECTOR_P(0);
	ArrayType  *result = make_float_array(value->dim);

	memcpy(ARR_DATA_PTR(result), value->x, sizeof(float) * value->dim);

	PG_RETURN_ARRAYTYPE_P(result);
}

SQL_FUNCTION(halfvec_to_float4);
Datum
halfvec_to_float4(PG_FUNCTION_ARGS)
{
	HalfVector *value = PG_GETARG_HALFVEC_P(0);
	ArrayType  *result = make_float_array(value->dim);

	kernels.half_to_float(value->x, value->dim,
						  (float *) ARR_DATA_PTR(result));

	PG_RETURN_ARRAYTYPE_P(result);
}
