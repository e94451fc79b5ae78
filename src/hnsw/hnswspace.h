/*-------------------------------------------------------------------------
 *
 * hnswspace.h
 *	  The code space of an index: how values become bytes, and what the
 *	  bytes say about distance.
 *
 * Joins the metric of the type (type/metric.h), the codes (quant/) and the
 * layout (hnswpage.h).  No buffers, no relations.  Three own forms:
 *
 *	S8		rotated, mean taken off, 8 bits a dimension, with the bound of its
 *			error (quant_own.h).  L2, inner product and cosine above
 *			HNSW_F32_MAX_DIM dimensions.  Of values that are likely to lie out of
 *			line, under L2 and cosine, a fine code stands behind it: a scan
 *			then knows the order of most rows without looking at their values.
 *	F32		the vector itself (under cosine: made unit length) as floats behind
 *			its squared norm.  The same spaces, short vectors: an 8-bit form's error would be
 *			large against the distances of near neighbours there.
 *	KEPT	a code like S8 of the floats that the metric makes of a value, and
 *			behind it the value, or of a long one the largest elements and the
 *			norm of the rest.  Sparse vectors, whose distance codes cannot tell,
 *			though they rank neighbours well.  Those with few dimensions are
 *			stored as the others are.
 *	EXACT	the value's bytes.  Spaces that only metric->distance knows; edges
 *			carry no code but the distance of their two nodes.
 *
 * Distances inside the index ("dist"): squared L2 for L2 and cosine (of unit
 * vectors), -<q,v> for inner product, else the operator's value.  Graphs are
 * built and repaired by squared L2, of KEPT forms by that of the codes, which
 * under inner product are of the vectors made unit length; EXACT ones by the
 * operator's value.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswspace.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWSPACE_H
#define HNSWSPACE_H

#include "hnsw/hnswpage.h"
#include "kernel/kernel.h"
#include "quant/quant_own.h"
#include "quant/quant_query.h"
#include "quant/quant_rotate.h"
#include "type/metric.h"

typedef enum HnswOwnKind
{
	HNSW_OWN_S8 = 1,
	HNSW_OWN_F32,
	HNSW_OWN_KEPT,
	HNSW_OWN_EXACT
} HnswOwnKind;

/* an own form of kind F32 */
typedef struct HnswF32Own
{
	float		norm2;
	float		x[FLEXIBLE_ARRAY_MEMBER];
} HnswF32Own;

/* design.md 3: own values up to about 1 KB are kept exact */
#define HNSW_F32_MAX_DIM	256
/* rotated dimensions of the longest vector kept as F32 */
#define HNSW_F32_MAX_RDIM	((HNSW_F32_MAX_DIM + 15) / 16 * 16)

/*
 * Values that are likely to lie out of line: of a row that is longer than about
 * 2,000 bytes core takes the longest.  For these S8 forms have a fine code.
 */
#define HNSW_FINE_MIN_VALUE ((Size) 2000)

/*
 * Sparse vectors with more dimensions than that are KEPT under L1 also where
 * the codes are of their elements, for the sake of size.
 */
#define HNSW_EXACT_L1_MAX_DIM	64

/* an own form of kind KEPT; the value stands behind the code */
typedef struct HnswKept
{
	float		size;			/* metric->size of the whole value, 0 if there is none */
	float		rest;			/* norm of what was cut off the value; 0: nothing */
	QuantOwn	code;			/* of its floats; under inner product made unit length */
} HnswKept;

typedef struct HnswSpace
{
	const VectorMetric *metric;
	int			dim;
	int			m;
	HnswOwnKind own_kind;
	bool		has_fine;		/* S8: a fine code behind the own code */
	int			floats;			/* that the metric makes of a value */
	int			rdim;			/* rotated dimensions; 0 for EXACT */
	int			nbits;			/* of edge and flat codes; 0 for EXACT */
	float		noise;			/* of estimates, by which margins are larger */
	uint32		kept_bytes;		/* KEPT: room for the value */
	uint64		seed;
	bool		has_mean;
	float		mean_norm;		/* |mean| */
	QuantRotation rotation;
	const float *mean;			/* rdim floats, in the rotated space */
	HnswLayout	layout;
} HnswSpace;

typedef struct HnswQuery
{
	VectorSpace space;			/* what dist means; L2 for queries from nodes */
	bool		ordered;		/* false: NULL or zero vector, every order is right */
	const void *value;			/* of a scan; EXACT: also of a node, NULL if damaged */
	const float *vec;			/* S8, KEPT: rotated, centred, rdim; F32: dim floats */
	QuantQuery	flat;			/* for flat codes */
	double		norm2;			/* |vec|^2 */
	double		rnorm2;			/* |q - mean|^2 in the rotated space: base of flat codes */
	double		norm;			/* |q|, inner product and cosine; KEPT: metric->size */
	double		l1_share;		/* KEPT: sum of absolute floats over their norm */
	double		shift;			/* <Rq, mean>, inner product, S8 */
	double		error;			/* what vec may be off, as a distance */
} HnswQuery;

/* What an own form says to a query. */
typedef struct HnswMeasure
{
	float		dist;			/* see above */
	float		margin;			/* scale of the stop rule: est > dist + gamma * margin */
	float		l2sq;			/* |q - v|^2 in the code space; 0 for EXACT */
	double		bound;			/* the operator's value is never below this */
	double		above;			/* and never above this; infinity promises nothing */
} HnswMeasure;

/*
 * hnsw_space_init -- the code space of an index with 'dim' dimensions.
 *
 * memory: hnsw_space_bytes() bytes, to live as long as the space (rotation
 * and mean).  mean: rdim floats in the rotated space, copied, or NULL.
 * kept_bytes: hnsw_space_kept_bytes() of these, frozen in the metapage.
 */
extern Size hnsw_space_bytes(const VectorMetric *metric, int dim);
extern void hnsw_space_init(HnswSpace *space, const VectorMetric *metric,
							int dim, int m, uint64 seed, uint32 kept_bytes,
							const float *mean, void *memory);

/*
 * hnsw_space_kept_bytes -- room for a value in an own form; 0 if it is not kept.
 *
 * wish: that many bytes, for values that can be cut; within limits.  Others get
 * what they need, whatever the wish is.
 */
#define HNSW_MIN_KEPT_BYTES		((Size) 144)
#define HNSW_MAX_KEPT_BYTES		((Size) 4112)
extern uint32 hnsw_space_kept_bytes(const VectorMetric *metric, int dim,
									Size wish);

/* A space over other memory with the same contents (for caches). */
extern void hnsw_space_copy(HnswSpace *to, const HnswSpace *from, void *memory);

/* floats of scratch that hnsw_space_own and hnsw_space_query need */
extern Size hnsw_space_scratch(const HnswSpace *space);

/*
 * hnsw_space_rotate_value -- a value in the rotated space, mean not taken off:
 * out[rdim].  For computing the mean.  Returns false for a zero vector under cosine.
 */
extern bool hnsw_space_rotate_value(const HnswSpace *space, const void *value,
									float *scratch, float *out);

/*
 * Added to the error of a unit vector (S8), or to its squared norm (F32), if
 * its distances can be anything: they are at most 2 apart, so no bound is left.
 */
#define HNSW_UNBOUNDED		4.0f

/*
 * hnsw_space_own -- write the own form of a detoasted value, own_bytes bytes
 * (padding zeroed).  Returns false, writing nothing, for a value that is not
 * indexed: the zero vector under cosine.
 */
extern bool hnsw_space_own(const HnswSpace *space, const void *value,
						   float *scratch, uint8 *own);

/*
 * hnsw_space_gap -- is a value one for which the operator does not return its
 * distance, but NaN or anything?  HNSW_GAP_ZERO for a zero vector under cosine;
 * HNSW_GAP_ODD for one, under cosine and inner product, whose sum of squares
 * is too large or too small for float32; else 0.  Of two values that have 0
 * the operator's value is a number, and the bounds hold: by Cauchy-Schwarz no
 * sum gets out of range.
 */
extern int hnsw_space_gap(const HnswSpace *space, const void *value);

/*
 * hnsw_space_used -- how many bytes of an own form there are before the zeros
 * that fill it up: fewer than own_bytes for KEPT and EXACT only.  Looks at what is in
 * the slot only, and believes it as far as own_bytes.
 */
extern Size hnsw_space_used(const HnswSpace *space, const uint8 *own);

/* Copy an own form, of which just the used bytes have to be there. */
extern void hnsw_space_copy_own(const HnswSpace *space, uint8 *to,
								const uint8 *own);

/* Widen the error bound of an own form so that it covers 'other' too, whose
 * code is equal (H66).  Returns true if the bytes changed. */
extern bool hnsw_space_cover(const HnswSpace *space, uint8 *own,
							 const uint8 *other);

/* Are two own forms the same but for their error bounds? */
extern bool hnsw_space_same(const HnswSpace *space, const uint8 *a,
							const uint8 *b);

/* A hash of what hnsw_space_same compares. */
extern uint64 hnsw_space_hash(const HnswSpace *space, const uint8 *own);

/*
 * hnsw_space_query -- prepare the query of a scan from a detoasted value, or
 * NULL (any order).  The result points into 'value' and into memory taken
 * from the current context.
 */
extern void hnsw_space_query(const HnswSpace *space, const void *value,
							 HnswQuery *query);

/*
 * hnsw_space_query_own -- a node's own form as a query, measured by squared L2
 * (EXACT: by the metric).  buffer: hnsw_space_query_bytes() bytes, MAXALIGNed; 'own' and buffer must
 * outlive the query.
 */
extern Size hnsw_space_query_bytes(const HnswSpace *space);
extern void hnsw_space_query_own(const HnswSpace *space, const uint8 *own,
								 void *buffer, HnswQuery *query);

/*
 * hnsw_space_query_product -- the same, but the node asks for the largest inner
 * products with it: dist is the negative product, as a scan's is.  Spaces that
 * hnsw_space_links_products() is true of only.
 */
extern void hnsw_space_query_product(const HnswSpace *space, const uint8 *own,
									 void *buffer, HnswQuery *query);

/* Inner product of two own forms, of the same spaces. */
extern double hnsw_space_product(const HnswSpace *space, const uint8 *a,
								 const uint8 *b);

/* What an own form says to a query.  Never fails; NaN becomes infinity. */
extern void hnsw_space_measure(const HnswSpace *space, const HnswQuery *query,
							   const uint8 *own, HnswMeasure *out);

/* Building distance of two own forms: squared L2, EXACT: the metric's. */
extern float hnsw_space_between(const HnswSpace *space, const uint8 *a,
								const uint8 *b);

/* How many bytes of an own form, from its beginning, that distance needs. */
extern Size hnsw_space_measured_bytes(const HnswSpace *space);

/*
 * The same from one own form to several: these are taken into 'forms', number i
 * with hnsw_space_form, which keeps a pointer to it.  What overflows may be
 * infinite, not FLT_MAX, and the last bits differ.
 */
extern void hnsw_space_form(const HnswSpace *space, KernelForms *forms, int i,
							const uint8 *own);
extern void hnsw_space_between_forms(const HnswSpace *space, const uint8 *a,
									 const KernelForms *forms, float *dist);

/*
 * A candidate nearer to a kept neighbour than 1/alpha of its distance to the
 * node is occluded.  On plain (not squared) distance.  In simulations on the
 * data of bench/ 1.05 to 1.1 were best, 1.2 and more was worse.
 */
#define HNSW_ALPHA			1.05f

/*
 * hnsw_space_edge -- the edge code (edge_code_bytes) of neighbour 'o' seen
 * from node 'c', own forms both.  dist: their building distance if known, used
 * by EXACT.
 */
extern void hnsw_space_edge(const HnswSpace *space, const uint8 *c,
							const uint8 *o, float dist, uint8 *code);

/*
 * <c, o - c> of an edge from node c to o, from its code.  Spaces with product
 * links only.
 */
extern float hnsw_space_edge_along(const HnswSpace *space, const uint8 *code);

/*
 * the code in 8 bits of a form of kind S8 or KEPT; the fine code of one that has
 * it; the value of a KEPT one
 */
extern const QuantOwn *hnsw_space_code(const HnswSpace *space,
									   const uint8 *own);
extern const QuantFine *hnsw_space_fine(const HnswSpace *space,
										const uint8 *own);
extern const void *hnsw_space_value(const HnswSpace *space, const uint8 *own);

/* The flat code (flat_code_bytes) of an own form: relative to the mean. */
extern void hnsw_space_flat(const HnswSpace *space, const uint8 *own,
							uint8 *code);

/*
 * hnsw_space_estimate -- estimated dist of n neighbours of a node from its own
 * form and their edge codes, and the variance of each up to a common factor.
 * node: what hnsw_space_measure has said; its margin becomes what the lengths
 * of the edges make of it.  Coded spaces only.  'codes': the first code; the
 * next ones lie stride bytes apart.  At most HNSW_MAX_EDGES.
 */
extern void hnsw_space_estimate(const HnswSpace *space,
								const HnswQuery *query, const uint8 *own,
								HnswMeasure *node, const uint8 *codes,
								Size stride, int n, float *est, float *var);

/* The same from flat codes (of flat or entry records). */
extern void hnsw_space_estimate_flat(const HnswSpace *space,
									 const HnswQuery *query,
									 const uint8 *codes, Size stride, int n,
									 float *est, float *var);

/* Squared lengths (EXACT: distances) of n edges. */
extern void hnsw_space_edge_lengths(const HnswSpace *space,
									const uint8 *codes, Size stride, int n,
									float *dist);

/*
 * Building distance of two neighbours of one node from their edge codes and
 * lengths.  Coded spaces only.
 */
extern float hnsw_space_edge_between(const HnswSpace *space, const uint8 *a,
									 float dist_a, const uint8 *b,
									 float dist_b);

/* How many entries an index with that many nodes should have. */
extern uint32 hnsw_entry_target(const HnswSpace *space, uint64 nnodes);

/*
 * Has a node links to those with the largest inner products with it, beside
 * those to the near ones?  (README, "Product links")
 */
static inline bool
hnsw_space_links_products(const HnswSpace *space)
{
	return space->metric->space == VECTOR_SPACE_IP &&
		(space->own_kind == HNSW_OWN_S8 || space->own_kind == HNSW_OWN_F32);
}

/* Candidates for these, and how many of a node's links they may be. */
#define HNSW_PRODUCT_POOL	32

static inline int
hnsw_space_max_products(const HnswSpace *space)
{
	return space->layout.max_edges / 2;
}

static inline bool
hnsw_space_coded(const HnswSpace *space)
{
	return space->own_kind != HNSW_OWN_EXACT;
}

/*
 * Is something occluded that lies at building distance 'dist' from the node and
 * 'between' from a neighbour that is kept?
 */
static inline bool
hnsw_occludes(const HnswSpace *space, float between, float dist)
{
	/* alpha is on plain distance; but for opaque spaces these are squares */
	float		alpha = hnsw_space_coded(space) ?
		HNSW_ALPHA * HNSW_ALPHA : HNSW_ALPHA;

	return between * alpha < dist;
}

#endif							/* HNSWSPACE_H */
