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

#include "compat.h"
#include "kernel/kernel.h"
#include "type/check.h"
#include "type/distance.h"
#include "type/halfvec.h"
#include "type/metric.h"
#include "type/sparsecheck.h"
#include "type/sqlfunction.h"
#include "type/vector.h"
#include "utils/float.h"

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

/* a vector's floats are its elements */
static int
all_dims(int dim)
{
	return dim;
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

/* ---------- halfvec ---------- */

#define HALFVEC_INDEX_MAX_DIM	HALFVEC_MAX_DIM

static int
halfvec_metric_dim(const void *value)
{
	return ((const HalfVector *) value)->dim;
}

static Size
halfvec_metric_max_bytes(int dim)
{
	return HALFVEC_SIZE(dim);
}

static void
halfvec_metric_to_floats(const void *value, float *out)
{
	const HalfVector *vector = value;

	kernels.half_to_float(vector->x, vector->dim, out);
}

static double
halfvec_metric_l2(const void *a, const void *b)
{
	return halfvec_distance_l2(a, b);
}

static double
halfvec_metric_ip(const void *a, const void *b)
{
	return halfvec_distance_ip(a, b);
}

static double
halfvec_metric_cosine(const void *a, const void *b)
{
	return halfvec_distance_cosine(a, b);
}

static double
halfvec_metric_l1(const void *a, const void *b)
{
	return halfvec_distance_l1(a, b);
}

/* ---------- sparsevec ---------- */

#define SPARSEVEC_INDEX_MAX_DIM	SPARSEVEC_MAX_DIM

/* pgvector's limit; it is in the error text */
#define SPARSEVEC_INDEX_MAX_NNZ	1000

/* floats of a vector with more dimensions than that */
#define SPARSEVEC_SKETCH_DIM	384

static int
sparsevec_metric_dim(const void *value)
{
	return ((const SparseVector *) value)->dim;
}

static Size
sparsevec_metric_max_bytes(int dim)
{
	return SPARSEVEC_SIZE(Min(dim, SPARSEVEC_INDEX_MAX_NNZ));
}

static void
sparsevec_metric_check(const void *value)
{
	const SparseVector *vector = sparsevec_from_datum(PointerGetDatum(value));

	if (vector->nnz > SPARSEVEC_INDEX_MAX_NNZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sparsevec cannot have more than %d non-zero elements for hnsw index",
						SPARSEVEC_INDEX_MAX_NNZ)));
}

/* the number of elements is what a damaged datum may lie about */
static double
measure_whole(const SparseVector *a, const SparseVector *b,
			  double (*distance) (const SparseVector *, const SparseVector *))
{
	if (!sparsevec_is_whole(a) || !sparsevec_is_whole(b))
		return get_float8_nan();
	return distance(a, b);
}

static double
sparsevec_metric_l2(const void *a, const void *b)
{
	return measure_whole(a, b, sparsevec_distance_l2);
}

static double
sparsevec_metric_ip(const void *a, const void *b)
{
	return measure_whole(a, b, sparsevec_distance_ip);
}

static double
sparsevec_metric_cosine(const void *a, const void *b)
{
	return measure_whole(a, b, sparsevec_distance_cosine);
}

static double
sparsevec_metric_l1(const void *a, const void *b)
{
	return measure_whole(a, b, sparsevec_distance_l1);
}

static double
sparsevec_metric_norm(const void *value)
{
	if (!sparsevec_is_whole(value))
		return get_float8_nan();
	return sparsevec_norm(value);
}

static int
sparsevec_metric_floats(int dim)
{
	return Min(dim, SPARSEVEC_SKETCH_DIM);
}

static void
sparsevec_metric_to_floats(const void *value, float *out)
{
	sparsevec_sketch(value, out,
					 sparsevec_metric_floats(sparsevec_metric_dim(value)));
}

/* the elements that fit into 'bytes' bytes */
static int
count_fitting(Size bytes)
{
	return (bytes - SPARSEVEC_SIZE(0)) / (sizeof(int32) + sizeof(float));
}

static double
sparsevec_metric_cut(const void *value, Size bytes, void *out)
{
	return sparsevec_cut(value, count_fitting(bytes), false, out);
}

static double
sparsevec_metric_cut_l1(const void *value, Size bytes, void *out)
{
	return sparsevec_cut(value, count_fitting(bytes), true, out);
}

/* ---------- bit ---------- */

/* pgvector's limit; it is in the error text */
#define BIT_INDEX_MAX_DIM		64000


static int
bit_metric_dim(const void *value)
{
	return VARBITLEN(value);
}

static Size
bit_metric_max_bytes(int dim)
{
	return VARBITTOTALLEN(dim);
}

static double
bit_metric_hamming(const void *a, const void *b)
{
	return bit_distance_hamming(a, b);
}

static double
bit_metric_jaccard(const void *a, const void *b)
{
	return bit_distance_jaccard(a, b);
}

static void
bit_metric_report_dims(int a, int b)
{
	report_different_lengths(a, b);
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
		.floats = all_dims,
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
		.floats = all_dims,
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
		.floats = all_dims,
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
		.panel = &vector_panel_l1,
	},
	{
		.type_name = "halfvec",
		.space = VECTOR_SPACE_L2,
		.max_dim = HALFVEC_INDEX_MAX_DIM,
		.support = halfvec_l2_squared_distance,
		.has_norm = false,
		.dim = halfvec_metric_dim,
		.max_bytes = halfvec_metric_max_bytes,
		.floats = all_dims,
		.to_floats = halfvec_metric_to_floats,
		.distance = halfvec_metric_l2,
	},
	{
		.type_name = "halfvec",
		.space = VECTOR_SPACE_IP,
		.max_dim = HALFVEC_INDEX_MAX_DIM,
		.support = halfvec_negative_inner_product,
		.has_norm = false,
		.dim = halfvec_metric_dim,
		.max_bytes = halfvec_metric_max_bytes,
		.floats = all_dims,
		.to_floats = halfvec_metric_to_floats,
		.distance = halfvec_metric_ip,
	},
	{
		.type_name = "halfvec",
		.space = VECTOR_SPACE_COSINE,
		.max_dim = HALFVEC_INDEX_MAX_DIM,
		.support = halfvec_negative_inner_product,
		.has_norm = true,
		.dim = halfvec_metric_dim,
		.max_bytes = halfvec_metric_max_bytes,
		.floats = all_dims,
		.to_floats = halfvec_metric_to_floats,
		.distance = halfvec_metric_cosine,
	},
	{
		.type_name = "halfvec",
		.space = VECTOR_SPACE_OPAQUE,
		.max_dim = HALFVEC_INDEX_MAX_DIM,
		.support = halfvec_l1_distance,
		.has_norm = false,
		.dim = halfvec_metric_dim,
		.max_bytes = halfvec_metric_max_bytes,
		.distance = halfvec_metric_l1,
		.panel = &halfvec_panel_l1,
	},
	{
		.type_name = "sparsevec",
		.space = VECTOR_SPACE_L2,
		.max_dim = SPARSEVEC_INDEX_MAX_DIM,
		.support = sparsevec_l2_squared_distance,
		.has_norm = false,
		.dim = sparsevec_metric_dim,
		.max_bytes = sparsevec_metric_max_bytes,
		.floats = sparsevec_metric_floats,
		.to_floats = sparsevec_metric_to_floats,
		.keeps_value = true,
		.distance = sparsevec_metric_l2,
		.size = sparsevec_metric_norm,
		.cut = sparsevec_metric_cut,
		.check = sparsevec_metric_check,
	},
	{
		.type_name = "sparsevec",
		.space = VECTOR_SPACE_IP,
		.max_dim = SPARSEVEC_INDEX_MAX_DIM,
		.support = sparsevec_negative_inner_product,
		.has_norm = false,
		.dim = sparsevec_metric_dim,
		.max_bytes = sparsevec_metric_max_bytes,
		.floats = sparsevec_metric_floats,
		.to_floats = sparsevec_metric_to_floats,
		.keeps_value = true,
		.distance = sparsevec_metric_ip,
		.size = sparsevec_metric_norm,
		.cut = sparsevec_metric_cut,
		.check = sparsevec_metric_check,
	},
	{
		.type_name = "sparsevec",
		.space = VECTOR_SPACE_COSINE,
		.max_dim = SPARSEVEC_INDEX_MAX_DIM,
		.support = sparsevec_negative_inner_product,
		.has_norm = true,
		.dim = sparsevec_metric_dim,
		.max_bytes = sparsevec_metric_max_bytes,
		.floats = sparsevec_metric_floats,
		.to_floats = sparsevec_metric_to_floats,
		.keeps_value = true,
		.distance = sparsevec_metric_cosine,
		.size = sparsevec_metric_norm,
		.cut = sparsevec_metric_cut,
		.check = sparsevec_metric_check,
	},
	{
		.type_name = "sparsevec",
		.space = VECTOR_SPACE_L1,
		.max_dim = SPARSEVEC_INDEX_MAX_DIM,
		.support = sparsevec_l1_distance,
		.has_norm = false,
		.dim = sparsevec_metric_dim,
		.max_bytes = sparsevec_metric_max_bytes,
		.floats = sparsevec_metric_floats,
		.to_floats = sparsevec_metric_to_floats,
		.keeps_value = true,
		.distance = sparsevec_metric_l1,
		.panel = &sparsevec_panel_l1,
		.size = sparsevec_metric_norm,
		.cut = sparsevec_metric_cut_l1,
		.check = sparsevec_metric_check,
	},
	{
		.type_name = "bit",
		.space = VECTOR_SPACE_OPAQUE,
		.max_dim = BIT_INDEX_MAX_DIM,
		.support = hamming_distance,
		.has_norm = false,
		.dim = bit_metric_dim,
		.max_bytes = bit_metric_max_bytes,
		.distance = bit_metric_hamming,
		.panel = &bit_panel_hamming,
		.report_dims = bit_metric_report_dims,
	},
	{
		.type_name = "bit",
		.space = VECTOR_SPACE_OPAQUE,
		.max_dim = BIT_INDEX_MAX_DIM,
		.support = jaccard_distance,
		.has_norm = false,
		.dim = bit_metric_dim,
		.max_bytes = bit_metric_max_bytes,
		.distance = bit_metric_jaccard,
		.panel = &bit_panel_jaccard,
		.report_dims = bit_metric_report_dims,
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

void
vector_metric_check_dims(const VectorMetric *metric, int a, int b)
{
	if (likely(a == b))
		return;
	if (metric->report_dims != NULL)
		metric->report_dims(a, b);
	else
		report_different_dims(metric->type_name, a, b);
}

/* ---------- type support functions ---------- */

/*
 * Support function 3 of the operator classes for types other than vector, by
 * pgvector's numbering.  The table above has all that an index needs, so these
 * say nothing; they exist because catalogs name them.
 */

SQL_FUNCTION(hnsw_halfvec_support);
Datum
hnsw_halfvec_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}

SQL_FUNCTION(hnsw_sparsevec_support);
Datum
hnsw_sparsevec_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}

SQL_FUNCTION(hnsw_bit_support);
Datum
hnsw_bit_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}
