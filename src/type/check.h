/*-------------------------------------------------------------------------
 *
 * check.h
 *	  What every type refuses, with one text and one SQLSTATE each.
 *
 * 'type' is the SQL name of the type, for the message.  The conditions are
 * inline because distances and arithmetic ask them for every row.
 *
 * IDENTIFICATION
 *	  src/type/check.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>

#include "compat.h"
#include "utils/array.h"

/* these raise, each its one error */
pg_noreturn extern void report_bad_dim(const char *type, int64 dim, int max_dim);
pg_noreturn extern void report_unexpected_dim(int expected, int dim);
pg_noreturn extern void report_different_dims(const char *type, int a, int b);
pg_noreturn extern void report_different_lengths(uint32 a, uint32 b);
pg_noreturn extern void report_bad_element(const char *type, float value);

/* Errors: DATA_EXCEPTION below 1, PROGRAM_LIMIT_EXCEEDED above 'max_dim'. */
static inline void
check_dim(const char *type, int64 dim, int max_dim)
{
	if (unlikely(dim < 1 || dim > max_dim))
		report_bad_dim(type, dim, max_dim);
}

/* A type modifier is the number of dimensions, or -1 for any. */
static inline void
check_expected_dim(int32 typmod, int dim)
{
	if (unlikely(typmod != -1 && typmod != dim))
		report_unexpected_dim(typmod, dim);
}

/* Two operands must have equal numbers of dimensions. */
static inline void
check_same_dim(const char *type, int a, int b)
{
	if (unlikely(a != b))
		report_different_dims(type, a, b);
}

/* Elements are finite. */
static inline void
check_element(const char *type, float value)
{
	if (unlikely(!isfinite(value)))
		report_bad_element(type, value);
}

/*
 * check_elements -- check_element of each, reporting the first bad one.
 */
extern void check_elements(const char *type, const float *values, int n);

/*
 * check_range -- finite values must be below 'limit', whatever their sign.
 *
 * Errors: NUMERIC_VALUE_OUT_OF_RANGE for the first that is not.
 */
extern void check_range(const char *type, const float *values, int n,
						float limit);

/*
 * check_typmod -- the number of dimensions that a typmod list means.
 *
 * typmods: cstring[] as typmod_in functions get it.
 * Errors: INVALID_PARAMETER_VALUE unless it is one integer in 1 .. max_dim.
 */
extern int32 check_typmod(const char *type, ArrayType *typmods, int max_dim);

/*
 * check_cast_array -- what every array cast refuses.
 *
 * Returns the number of elements, which is in 1 .. max_dim.
 */
extern int	check_cast_array(const char *type, ArrayType *array, int max_dim);

#endif							/* CHECK_H */
