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
#include "type/check.h"
#include "type/sqlfunction.h"
#include "type/vector.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

/* ---------- vector to vector ---------- */

/* A column with dimensions takes only vectors that have them. */
SQL_FUNCTION(vector);
Datum
vector(PG_FUNCTION_ARGS)
{
	Vector	   *value = PG_GETARG_VECTOR_P(0);

	check_expected_dim(PG_GETARG_INT32(1), value->dim);
	PG_RETURN_VECTOR_P(value);
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

/* ---------- vector to array ---------- */

SQL_FUNCTION(vector_to_float4);
Datum
vector_to_float4(PG_FUNCTION_ARGS)
{
	Vector	   *value = PG_GETARG_VECTOR_P(0);
	Size		nbytes = ARR_OVERHEAD_NONULLS(1) + sizeof(float) * value->dim;
	ArrayType  *result = palloc0(nbytes);

	SET_VARSIZE(result, nbytes);
	result->ndim = 1;
	result->dataoffset = 0;		/* no null bitmap */
	result->elemtype = FLOAT4OID;
	ARR_DIMS(result)[0] = value->dim;
	ARR_LBOUND(result)[0] = 1;
	memcpy(ARR_DATA_PTR(result), value->x, sizeof(float) * value->dim);

	PG_RETURN_ARRAYTYPE_P(result);
}
