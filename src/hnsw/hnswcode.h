/*-------------------------------------------------------------------------
 *
 * hnswcode.h
 *	  What own forms and codes consist of.
 *
 * Common to the files behind hnswspace.h, and for them only.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcode.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWCODE_H
#define HNSWCODE_H

#include <float.h>

#include "hnsw/hnswspace.h"

/* a flat code: like an edge code from the mean, with factors kept whole */
typedef struct FlatCode
{
	float		add;			/* squared length */
	float		scale;
	uint8		bits[FLEXIBLE_ARRAY_MEMBER];
} FlatCode;

/* bits of an edge code: no more than rotated dimensions */
#define MAX_NBITS			16000

/* ---- the parts of a KEPT form ---- */

static inline Size
kept_value_off(const HnswSpace *space)
{
	return offsetof(HnswKept, code) + quant_own_bytes(space->rdim);
}

static inline const void *
kept_value(const HnswSpace *space, const uint8 *own)
{
	return own + kept_value_off(space);
}

/* the fine code of a form of kind S8, if the space has them */
static inline QuantFine *
fine_code(const HnswSpace *space, const uint8 *own)
{
	return (QuantFine *) (own + quant_own_bytes(space->rdim));
}

/* the code in 8 bits of a form of kind S8 or KEPT */
static inline const QuantOwn *
own_code(const HnswSpace *space, const uint8 *own)
{
	return space->own_kind == HNSW_OWN_KEPT ?
		&((const HnswKept *) own)->code : (const QuantOwn *) own;
}

/* Do codes of edges and flat records end with the size of the value? */
static inline bool
codes_have_size(const HnswSpace *space)
{
	return space->own_kind == HNSW_OWN_KEPT &&
		space->metric->space == VECTOR_SPACE_IP;
}

/*
 * Bytes behind an edge code: under inner product a float, which is the size of
 * the neighbour's value, or without KEPT forms <c, r> (quant_edge.h).
 */
static inline Size
behind_edge(const VectorMetric *metric)
{
	return metric->space == VECTOR_SPACE_IP ? sizeof(float) : 0;
}

/*
 * A value may come from a damaged page: is it what the metric relies on?
 */
static inline bool
is_sane_value(const HnswSpace *space, const void *value)
{
	Size		room = space->own_kind == HNSW_OWN_KEPT ?
		space->kept_bytes : space->layout.own_bytes;

	return VARSIZE(value) <= room && space->metric->dim(value) == space->dim;
}

static inline float
finite_or_max(double x)
{
	return x <= FLT_MAX ? (float) x : FLT_MAX;
}

/*
 * The floats of a value as the space sees them.  Returns false for a zero vector
 * under cosine.
 */
extern bool hnsw_space_load(const HnswSpace *space, const void *value,
							float *x);

/* What a value's unit vector is off for bounds: anything, if it is odd. */
extern float hnsw_space_odd_error(const HnswSpace *space, const void *value);

#endif							/* HNSWCODE_H */
