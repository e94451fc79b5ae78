/*-------------------------------------------------------------------------
 *
 * metric.c
 *	  The table of metrics: what an index may ask of a vector type.
 *
 * IDENTIFICATION
 *	  src/type/metric.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "type/distance.h"
#include "type/metric.h"
#include "type/vector.h"

/* ---------- vector ---------- */

/* an index takes every vector that a column can hold */
#define VECTOR_INDEX_MAX_DIM	VECTOR_MAX_DIM

static int
vector_metric_dim(const void *value)
{
	return ((const Vector *) value)->dim;
}

static Size
vector_metric_max_bytes(int dim)
{
	return VECTOR_SIZE(dim);
}

static void
vector_metric_to_floats(const void *value, float *out)
{
	const Vector *vector = value;

	memcpy(out, vector->x, sizeof(float) * vector->dim);
}

static double
vector_metric_l2(const void *a, const void *b)
{
	return vector_distance_l2(a, b);
}

static double
vector_metric_ip(const void *a, const void *b)
{
	return vector_distance_ip(a, b);
}

static double
vector_metric_cosine(const void *a, const void *b)
{
	return vector_distance_cosine(a, b);
}

static double
vector_metric_l1(const void *a, const void *b)
{
	return vector_distance_l1(a, b);
}

/* ---------- all ---------- */

/*
 * One row per operator class, by type.  Inner product and cosine share
 * support function 1; the norm tells them apart.
 */
static const VectorMetric metrics[] = {
	{
		.type_name = "vector",
		.space = VECTOR_SPACE_L2,
		.max_dim = VECTOR_INDEX_MAX_DIM,
		.support = vector_l2_squared_distance,
		.has_norm = false,
		.dim = vector_metric_dim,
		.max_bytes = vector_metric_max_bytes,
		.to_floats = vector_metric_to_floats,
		.distance = vector_metric_l2,
	},
	{
		.type_name = "vector",
		.space = VECTOR_SPACE_IP,
		.max_dim = VECTOR_INDEX_MAX_DIM,
		.support = vector_negative_inner_product,
		.has_norm = false,
		.dim = vector_metric_dim,
		.max_bytes = vector_metric_max_bytes,
		.to_floats = vector_metric_to_floats,
		.distance = vector_metric_ip,
	},
	{
		.type_name = "vector",
		.space = VECTOR_SPACE_COSINE,
		.max_dim = VECTOR_INDEX_MAX_DIM,
		.support = vector_negative_inner_product,
		.has_norm = true,
		.dim = vector_metric_dim,
		.max_bytes = vector_metric_max_bytes,
		.to_floats = vector_metric_to_floats,
		.distance = vector_metric_cosine,
	},
	{
		.type_name = "vector",
		.space = VECTOR_SPACE_OPAQUE,
		.max_dim = VECTOR_INDEX_MAX_DIM,
		.support = l1_distance,
		.has_norm = false,
		.dim = vector_metric_dim,
		.max_bytes = vector_metric_max_bytes,
		.distance = vector_metric_l1,
	},
};

const VectorMetric *
vector_metric_lookup(PGFunction distance, bool has_norm)
{
	for (int i = 0; i < lengthof(metrics); i++)
	{
		if (metrics[i].support == distance && metrics[i].has_norm == has_norm)
			return &metrics[i];
	}

	return NULL;
}
