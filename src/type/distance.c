/*-------------------------------------------------------------------------
 *
 * distance.c
 *	  Every SQL distance function: check, call the kernel, return.
 *
 * IDENTIFICATION
 *	  src/type/distance.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "kernel/kernel.h"
#include "type/check.h"
#include "type/distance.h"
#include "type/sqlfunction.h"
#include "type/vector.h"

/* ---------- values in, number out ---------- */

double
vector_distance_l2_squared(const Vector *a, const Vector *b)
{
	return kernels.l2sq_f32(a->x, b->x, a->dim);
}

double
vector_distance_l2(const Vector *a, const Vector *b)
{
	return sqrt(vector_distance_l2_squared(a, b));
}

/* negative, so that the nearest comes first */
double
vector_distance_ip(const Vector *a, const Vector *b)
{
	return -(double) kernels.dot_f32(a->x, b->x, a->dim);
}

/* 1 - cosine; NaN for a zero vector, whose direction is unknown */
double
vector_distance_cosine(const Vector *a, const Vector *b)
{
	KernelCosine sums = kernels.cosine_f32(a->x, b->x, a->dim);
	double		similarity = (double) sums.dot /
		sqrt((double) sums.norm_a * (double) sums.norm_b);

	/* rounding may leave the range; comparisons let NaN through */
	if (similarity > 1)
		similarity = 1;
	else if (similarity < -1)
		similarity = -1;

	return 1 - similarity;
}

double
vector_distance_l1(const Vector *a, const Vector *b)
{
	return kernels.l1_f32(a->x, b->x, a->dim);
}

/* angle in units of a half turn; a and b are taken as unit vectors */
static double
vector_distance_spherical(const Vector *a, const Vector *b)
{
	double		similarity = kernels.dot_f32(a->x, b->x, a->dim);

	if (similarity > 1)
		similarity = 1;
	else if (similarity < -1)
		similarity = -1;

	return acos(similarity) / M_PI;
}

/* ---------- SQL ---------- */

/*
 * measure_vectors -- a distance of a function's two arguments.
 */
static Datum
measure_vectors(FunctionCallInfo fcinfo,
				double (*distance) (const Vector *, const Vector *))
{
	Vector	   *a = PG_GETARG_VECTOR_P(0);
	Vector	   *b = PG_GETARG_VECTOR_P(1);

	check_same_dim("vector", a->dim, b->dim);
	PG_RETURN_FLOAT8(distance(a, b));
}

SQL_FUNCTION(l2_distance);
Datum
l2_distance(PG_FUNCTION_ARGS)
{
	return measure_vectors(fcinfo, vector_distance_l2);
}

SQL_FUNCTION(vector_l2_squared_distance);
Datum
vector_l2_squared_distance(PG_FUNCTION_ARGS)
{
	return measure_vectors(fcinfo, vector_distance_l2_squared);
}

SQL_FUNCTION(inner_product);
Datum
inner_product(PG_FUNCTION_ARGS)
{
	Vector	   *a = PG_GETARG_VECTOR_P(0);
	Vector	   *b = PG_GETARG_VECTOR_P(1);

	check_same_dim("vector", a->dim, b->dim);
	PG_RETURN_FLOAT8(kernels.dot_f32(a->x, b->x, a->dim));
}

SQL_FUNCTION(vector_negative_inner_product);
Datum
vector_negative_inner_product(PG_FUNCTION_ARGS)
{
	return measure_vectors(fcinfo, vector_distance_ip);
}

SQL_FUNCTION(cosine_distance);
Datum
cosine_distance(PG_FUNCTION_ARGS)
{
	return measure_vectors(fcinfo, vector_distance_cosine);
}

SQL_FUNCTION(l1_distance);
Datum
l1_distance(PG_FUNCTION_ARGS)
{
	return measure_vectors(fcinfo, vector_distance_l1);
}

SQL_FUNCTION(vector_spherical_distance);
Datum
vector_spherical_distance(PG_FUNCTION_ARGS)
{
	return measure_vectors(fcinfo, vector_distance_spherical);
}
