/*-------------------------------------------------------------------------
 *
 * check.c
 *	  What every type refuses, with one text and one SQLSTATE each.
 *
 * IDENTIFICATION
 *	  src/type/check.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "type/check.h"
#include "utils/array.h"

void
report_bad_dim(const char *type, int64 dim, int max_dim)
{
	if (dim < 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s must have at least 1 dimension", type)));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s cannot have more than %d dimensions",
					type, max_dim)));
}

void
report_unexpected_dim(int expected, int dim)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("expected %d dimensions, not %d", expected, dim)));
}

void
report_different_dims(const char *type, int a, int b)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("different %s dimensions %d and %d", type, a, b)));
}

void
report_different_lengths(uint32 a, uint32 b)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("different bit lengths %u and %u", a, b)));
}

void
report_bad_element(const char *type, float value)
{
	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("NaN not allowed in %s", type)));
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("infinite value not allowed in %s", type)));
}

void
check_elements(const char *type, const float *values, int n)
{
	uint32		found = 0;

	/*
	 * An exponent of ones, plus one, reaches the sign.  Without an exit from
	 * the loop and in integers, the compiler can use vectors.
	 */
	for (int i = 0; i < n; i++)
	{
		uint32		bits;

		memcpy(&bits, &values[i], sizeof(bits));
		found |= (bits & 0x7f800000) + 0x00800000;
	}

	if (unlikely(found & 0x80000000))
		for (int i = 0; i < n; i++)
			check_element(type, values[i]);
}

void
check_range(const char *type, const float *values, int n, float limit)
{
	bool		is_in_range = true;

	for (int i = 0; i < n; i++)
		is_in_range &= (fabsf(values[i]) < limit);
	if (likely(is_in_range))
		return;

	for (int i = 0; i < n; i++)
	{
		char		text[FLOAT_SHORTEST_DECIMAL_LEN];

		if (!isfinite(values[i]) || fabsf(values[i]) < limit)
			continue;
		float_to_shortest_decimal_buf(values[i], text);
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("\"%s\" is out of range for type %s", text, type)));
	}
}

int32
check_typmod(const char *type, ArrayType *typmods, int max_dim)
{
	int			n;
	int32	   *typmod = ArrayGetIntegerTypmods(typmods, &n);

	if (n != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid type modifier")));
	if (*typmod < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dimensions for type %s must be at least 1", type)));
	if (*typmod > max_dim)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dimensions for type %s cannot exceed %d",
						type, max_dim)));

	return *typmod;
}

int
check_cast_array(const char *type, ArrayType *array, int max_dim)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("array must be 1-D")));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array must not contain nulls")));
	check_dim(type, n, max_dim);

	return n;
}
