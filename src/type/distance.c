/*-------------------------------------------------------------------------
 *
 * distance.c
 *	  Every SQL distance function of the vector types: check, call the
 *	  kernel, return.
 *
 * Those of core's bit are in bitvec.c.
 *
 * IDENTIFICATION
 *	  src/type/distance.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "kernel/kernel.h"
#include "type/argument.h"
#include "type/check.h"
#include "type/distance.h"
#include "type/sqlfunction.h"
#include "type/vector.h"

/* ---------- the last step ---------- */

/* rounding may leave the range of a cosine; comparisons let NaN through */
static double
clamp_similarity(double similarity)
{
	if (similarity > 1)
		return 1;
	if (similarity < -1)
		return -1;
	return similarity;
}

/* 1 - cosine; NaN for a zero vector, whose direction is unknown */
static double
cosine_from_sums(KernelCosine sums)
{
	double		similarity = (double) sums.dot /
		sqrt((double) sums.norm_a * (double) sums.norm_b);

	return 1 - clamp_similarity(similarity);
}

/* angle in units of a half turn, from the inner product of unit vectors */
static double
angle_from_dot(double dot)
{
	return acos(clamp_similarity(dot)) / M_PI;
}

/* ---------- vector: values in, number out ---------- */

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

double
vector_distance_cosine(const Vector *a, const Vector *b)
{
	return cosine_from_sums(kernels.cosine_f32(a->x, b->x, a->dim));
}

double
vector_distance_l1(const Vector *a, const Vector *b)
{
	return kernels.l1_f32(a->x, b->x, a->dim);
}

/* a and b are taken as unit vectors */
static double
vector_distance_spherical(const Vector *a, const Vector *b)
{
	return angle_from_dot(kernels.dot_f32(a->x, b->x, a->dim));
}

/* ---------- vector: SQL ---------- */

/*
 * measure_vectors -- a distance of a function's two arguments.
 */
static Datum
measure_vectors(FunctionCallInfo fcinfo,
				double (*distance) (const Vector *, const Vector *))
{
	const Vector *a = detoasted_argument(fcinfo, 0);
	const Vector *b = detoasted_argument(fcinfo, 1);

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
	const Vector *a = detoasted_argument(fcinfo, 0);
	const Vector *b = detoasted_argument(fcinfo, 1);

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

/* ---------- halfvec: values in, number out ---------- */

double
halfvec_distance_l2_squared(const HalfVector *a, const HalfVector *b)
{
	return kernels.l2sq_f16(a->x, b->x, a->dim);
}

double
halfvec_distance_l2(const HalfVector *a, const HalfVector *b)
{
	return sqrt(halfvec_distance_l2_squared(a, b));
}

/* negative, so that the nearest comes first */
double
halfvec_distance_ip(const HalfVector *a, const HalfVector *b)
{
	return -(double) kernels.dot_f16(a->x, b->x, a->dim);
}

double
halfvec_distance_cosine(const HalfVector *a, const HalfVector *b)
{
	return cosine_from_sums(kernels.cosine_f16(a->x, b->x, a->dim));
}

double
halfvec_distance_l1(const HalfVector *a, const HalfVector *b)
{
	return kernels.l1_f16(a->x, b->x, a->dim);
}

/* a and b are taken as unit vectors */
static double
halfvec_distance_spherical(const HalfVector *a, const HalfVector *b)
{
	return angle_from_dot(kernels.dot_f16(a->x, b->x, a->dim));
}

/* ---------- halfvec: SQL ---------- */

/*
 * measure_halfvecs -- a distance of a function's two arguments.
 */
static Datum
measure_halfvecs(FunctionCallInfo fcinfo,
				double (*distance) (const HalfVector *, const HalfVector *))
{
	const HalfVector *a = detoasted_argument(fcinfo, 0);
	const HalfVector *b = detoasted_argument(fcinfo, 1);

	check_same_dim("halfvec", a->dim, b->dim);
	PG_RETURN_FLOAT8(distance(a, b));
}

SQL_FUNCTION(halfvec_l2_distance);
Datum
halfvec_l2_distance(PG_FUNCTION_ARGS)
{
	return measure_halfvecs(fcinfo, halfvec_distance_l2);
}

SQL_FUNCTION(halfvec_l2_squared_distance);
Datum
halfvec_l2_squared_distance(PG_FUNCTION_ARGS)
{
	return measure_halfvecs(fcinfo, halfvec_distance_l2_squared);
}

SQL_FUNCTION(halfvec_inner_product);
Datum
halfvec_inner_product(PG_FUNCTION_ARGS)
{
	const HalfVector *a = detoasted_argument(fcinfo, 0);
	const HalfVector *b = detoasted_argument(fcinfo, 1);

	check_same_dim("halfvec", a->dim, b->dim);
	PG_RETURN_FLOAT8(kernels.dot_f16(a->x, b->x, a->dim));
}

SQL_FUNCTION(halfvec_negative_inner_product);
Datum
halfvec_negative_inner_product(PG_FUNCTION_ARGS)
{
	return measure_halfvecs(fcinfo, halfvec_distance_ip);
}

SQL_FUNCTION(halfvec_cosine_distance);
Datum
halfvec_cosine_distance(PG_FUNCTION_ARGS)
{
	return measure_halfvecs(fcinfo, halfvec_distance_cosine);
}

SQL_FUNCTION(halfvec_l1_distance);
Datum
halfvec_l1_distance(PG_FUNCTION_ARGS)
{
	return measure_halfvecs(fcinfo, halfvec_distance_l1);
}

SQL_FUNCTION(halfvec_spherical_distance);
Datum
halfvec_spherical_distance(PG_FUNCTION_ARGS)
{
	return measure_halfvecs(fcinfo, halfvec_distance_spherical);
}
