/*-------------------------------------------------------------------------
 *
 * hnswspace.c
 *	  The code space of an index: how values become bytes, and what the
 *	  bytes say about distance.
 *
 * The bounds of this file are a contract with the executor: it raises an error
 * if a row's recomputed distance is below the bound that the scan announced
 * (README, "Scan order").  So every bound takes off the error of the own form,
 * that of the prepared query, and the rounding of both float sums, ours and
 * the SQL function's: a float sum of n terms in any order is off by at most
 * n * 2^-24 of the sum of absolute terms.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswspace.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/hashfn.h"
#include "compat.h"
#include "hnsw/hnswspace.h"
#include "kernel/kernel.h"
#include "quant/quant_edge.h"
#include "quant/quant_own.h"
#include "utils/float.h"

/* a flat code: like an edge code from the mean, with factors kept whole */
typedef struct FlatCode
{
	float		add;			/* squared length */
	float		scale;
	uint8		bits[FLEXIBLE_ARRAY_MEMBER];
} FlatCode;

/* rounding of a float sum of n terms, relative to the sum of absolute terms */
#define SUM_ROUNDING(n)		(((n) + 8) * (double) FLT_EPSILON / 2)

/* what such a sum can lose besides, where its terms are subnormal */
#define SUM_UNDERFLOW(n)	((n) * 0x1p-149)

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
 * Codes of fewer bits say less, so a search has to look farther for the same
 * recall.  What the stop rule's margins are good for has been measured with
 * codes of 384 bits and of 784.
 */
#define PLENTY_OF_BITS		384.0
#define BITS_EXPONENT		0.3

/* ---- geometry ---- */

static Size
own_bytes(const HnswSpace *space)
{
	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
			return quant_own_bytes(space->rdim) +
				(space->has_fine ? quant_fine_bytes(space->rdim) : 0);
		case HNSW_OWN_F32:
			return offsetof(HnswF32Own, x) + sizeof(float) * (Size) space->dim;
		case HNSW_OWN_KEPT:
			return kept_value_off(space) + space->kept_bytes;
		case HNSW_OWN_EXACT:
			return space->metric->max_bytes(space->dim);
	}
	return 0;
}

Size
hnsw_space_measured_bytes(const HnswSpace *space)
{
	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
			return quant_own_bytes(space->rdim);
		case HNSW_OWN_KEPT:
			return kept_value_off(space);
		case HNSW_OWN_F32:
		case HNSW_OWN_EXACT:
			break;
	}
	return own_bytes(space);
}

static HnswOwnKind
choose_own_kind(const VectorMetric *metric, int dim)
{
	if (metric->to_floats == NULL)
		return HNSW_OWN_EXACT;
	if (metric->keeps_value && metric->floats(dim) < dim)
		return HNSW_OWN_KEPT;

	/* the floats are the elements, of which L1 is no Euclidean distance */
	if (metric->space == VECTOR_SPACE_L1)
		return dim <= HNSW_EXACT_L1_MAX_DIM ? HNSW_OWN_EXACT : HNSW_OWN_KEPT;
	return dim <= HNSW_F32_MAX_DIM ? HNSW_OWN_F32 : HNSW_OWN_S8;
}

uint32
hnsw_space_kept_bytes(const VectorMetric *metric, int dim, Size wish)
{
	Size		max = metric->max_bytes(dim);

	if (choose_own_kind(metric, dim) != HNSW_OWN_KEPT)
		return 0;
	if (metric->cut != NULL)
		max = Min(max, Min(Max(wish, HNSW_MIN_KEPT_BYTES), HNSW_MAX_KEPT_BYTES));
	return (max + 3) & ~(Size) 3;
}

/*
 * How many bits an edge code gets: all rotated dimensions, or down to 'least'
 * of them if that puts one more node on a page; more dimensions than
 * a page of edges holds are cut, since the error of a code depends on its bits and not on
 * the dimensions left out (512 is as good as the 384 of the measurements).
 */
static int
choose_nbits(int rdim, int least, Size own, Size size, int want)
{
	int			least_edges = want - want / 8;
	Size		fixed = sizeof(HnswSlot) + (want * 5 / 4 + 31) / 32 * 4 + own;

	for (Size n = 16; n >= 1; n--)
	{
		Size		page = (HNSW_PAGE_BYTES / n) & ~(Size) 3;
		int64		code;
		int			nbits;

		if (page <= fixed)
			continue;
		code = (int64) ((page - fixed) / least_edges & ~(Size) 3) -
			(int64) (offsetof(HnswEdge, code) + offsetof(QuantEdge, bits) + size);
		nbits = (int) Min(code * 8, rdim) / 16 * 16;
		if (nbits >= (n == 1 ? Min(rdim, 512) : least))
			return nbits;
	}
	return Min(rdim, 1536);
}

/* Sizes of codes, and where things lie; least: see choose_nbits. */
static void
lay_out(HnswSpace *space, int least)
{
	Size		size = codes_have_size(space) ? sizeof(float) : 0;
	Size		own = own_bytes(space);
	Size		behind = behind_edge(space->metric);

	space->nbits = choose_nbits(space->rdim, least, own, behind, 2 * space->m);
	hnsw_layout_init(&space->layout, own,
					 quant_edge_bytes(space->nbits) + behind,
					 offsetof(FlatCode, bits) + space->nbits / 8 + size,
					 2 * space->m);
}

/*
 * Give the space fine codes, if values are likely to lie out of line and the
 * room is there: as many nodes on a page, and at least three quarters of the
 * bits of edge codes.
 */
static void
add_fine(HnswSpace *space)
{
	VectorSpace type = space->metric->space;
	int			least = space->rdim / 4 * 3;
	HnswSpace	fine = *space;

	if (space->own_kind != HNSW_OWN_S8 || space->metric->keeps_value ||
		(type != VECTOR_SPACE_L2 && type != VECTOR_SPACE_COSINE) ||
		space->metric->max_bytes(space->dim) < HNSW_FINE_MIN_VALUE)
		return;
	fine.has_fine = true;
	lay_out(&fine, least);
	if (fine.layout.nodes_per_page < space->layout.nodes_per_page)
		lay_out(&fine, least / 4 * 3);
	if (fine.layout.nodes_per_page == space->layout.nodes_per_page &&
		fine.layout.pages_per_node == 1 &&
		fine.nbits >= space->nbits / 4 * 3)
		*space = fine;
}

Size
hnsw_space_bytes(const VectorMetric *metric, int dim)
{
	int			floats;

	if (choose_own_kind(metric, dim) == HNSW_OWN_EXACT)
		return 0;
	floats = metric->floats(dim);
	return MAXALIGN(quant_rotation_bytes(floats)) +
		MAXALIGN(sizeof(float) * (Size) quant_rotated_dim(floats));
}

void
hnsw_space_init(HnswSpace *space, const VectorMetric *metric, int dim, int m,
				uint64 seed, uint32 kept_bytes, const float *mean,
				void *memory)
{
	memset(space, 0, sizeof(HnswSpace));
	space->metric = metric;
	space->dim = dim;
	space->m = m;
	space->seed = seed;
	space->own_kind = choose_own_kind(metric, dim);
	if (!hnsw_space_coded(space))
	{
		hnsw_layout_init(&space->layout, own_bytes(space), sizeof(float), 0,
						 2 * m);
		return;
	}

	space->floats = metric->floats(dim);
	space->rdim = quant_rotated_dim(space->floats);
	space->kept_bytes = kept_bytes;
	lay_out(space, space->rdim / 4 * 3);
	add_fine(space);

	Assert(space->nbits <= MAX_NBITS);
	space->noise = pow(Max(PLENTY_OF_BITS / space->nbits, 1), BITS_EXPONENT);

	quant_rotation_init(&space->rotation, space->floats, seed, memory);
	space->mean = (float *) ((char *) memory +
							 MAXALIGN(quant_rotation_bytes(space->floats)));
	memset(unconstify(float *, space->mean), 0, sizeof(float) * space->rdim);
	if (mean != NULL)
	{
		memcpy(unconstify(float *, space->mean), mean,
			   sizeof(float) * space->rdim);
		space->has_mean = true;
		space->mean_norm = sqrt(kernels.dot_f32(mean, mean, space->rdim));
	}
}

void
hnsw_space_copy(HnswSpace *to, const HnswSpace *from, void *memory)
{
	*to = *from;
	if (!hnsw_space_coded(from))
		return;
	memcpy(memory, from->rotation.signs, quant_rotation_bytes(from->floats));
	to->rotation.signs = memory;
	to->mean = (float *) ((char *) memory +
						  MAXALIGN(quant_rotation_bytes(from->floats)));
	memcpy(unconstify(float *, to->mean), from->mean,
		   sizeof(float) * from->rdim);
}

/* ---- values to own forms ---- */

Size
hnsw_space_scratch(const HnswSpace *space)
{
	return (Size) space->floats + space->rdim;
}

static double
norm_of(const float *x, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += (double) x[i] * x[i];
	return sqrt(sum);
}

/*
 * The length that a value's floats get: 1 under cosine, and under inner
 * product if the value is kept.  Otherwise that of the value: a projection has
 * another, and values that it made too short would be neighbours of all.
 * Negative: the floats are right as they are.
 */
static double
length_wanted(const HnswSpace *space, const void *value)
{
	const VectorMetric *metric = space->metric;

	if (metric->space == VECTOR_SPACE_COSINE ||
		codes_have_size(space))
		return 1;
	if (space->floats < space->dim && metric->size != NULL)
		return metric->size(value);
	return -1;
}

/*
 * The floats of a value as the space sees them.  Returns false for a zero vector
 * under cosine.
 */
static bool
load_value(const HnswSpace *space, const void *value, float *x)
{
	double		length = length_wanted(space, value);
	double		norm;
	double		scale;

	space->metric->to_floats(value, x);
	if (length < 0)
		return true;
	norm = norm_of(x, space->floats);
	if (norm == 0)
		return space->metric->space != VECTOR_SPACE_COSINE ||
			(space->metric->size != NULL && space->metric->size(value) > 0);
	scale = length / norm;
	for (int i = 0; i < space->floats; i++)
		x[i] = x[i] * scale;
	return true;
}

/*
 * Sums of squares between which float32 has its full precision: elements whose
 * squares get lost below 1e-38 are a negligible part of the sum, also when
 * there are 16,000 of them.
 */
#define LEAST_SQUARES		1e-24
#define LARGEST_SQUARES		1e37

/* Sum of squares of a value's elements; 0 for a zero vector only. */
static double
sum_of_squares(const HnswSpace *space, const void *value)
{
	double		squares;
	double		norm;
	float	   *x;

	if (space->metric->size != NULL)
	{
		norm = space->metric->size(value);
		return norm * norm;
	}
	x = palloc(sizeof(float) * space->dim);
	space->metric->to_floats(value, x);
	squares = kernels.dot_f32(x, x, space->dim);
	if (squares < LEAST_SQUARES)
	{
		/* in float32 some may be lost, or all */
		norm = norm_of(x, space->dim);
		squares = norm * norm;
	}
	pfree(x);
	return squares;
}

int
hnsw_space_gap(const HnswSpace *space, const void *value)
{
	VectorSpace type = space->metric->space;
	double		squares;

	if (type != VECTOR_SPACE_IP && type != VECTOR_SPACE_COSINE)
		return 0;
	squares = sum_of_squares(space, value);
	if (squares == 0)
		return type == VECTOR_SPACE_COSINE ? HNSW_GAP_ZERO : 0;
	return squares >= LEAST_SQUARES && squares <= LARGEST_SQUARES ?
		0 : HNSW_GAP_ODD;
}

bool
hnsw_space_rotate_value(const HnswSpace *space, const void *value,
						float *scratch, float *out)
{
	if (!load_value(space, value, scratch))
		return false;
	quant_rotate(&space->rotation, scratch, out);
	return true;
}

static float
finite_or_max(double x)
{
	return x <= FLT_MAX ? (float) x : FLT_MAX;
}

/* What a value's unit vector is off for bounds: anything, if it is odd. */
static float
odd_error(const HnswSpace *space, const void *value)
{
	return space->metric->space == VECTOR_SPACE_COSINE &&
		hnsw_space_gap(space, value) == HNSW_GAP_ODD ? HNSW_UNBOUNDED : 0;
}

/*
 * Code floats in 8 bits, which are 'error' off.  scratch: rdim floats, left
 * with what was coded.  Returns how far these may be off.
 */
static float
encode_s8(const HnswSpace *space, const float *x, float error,
		  float *scratch, QuantOwn *own)
{
	double		norm = sqrt(kernels.dot_f32(x, x, space->floats));
	float		slack = finite_or_max((norm + space->mean_norm) *
									  QUANT_ROTATE_ERROR + error);

	quant_rotate(&space->rotation, x, scratch);
	for (int i = 0; i < space->rdim; i++)
		scratch[i] -= space->mean[i];
	quant_own_encode(scratch, space->rdim, slack, own);
	return slack;
}

/* Keep a value, or as much of it as there is room for. */
static void
keep_value(const HnswSpace *space, const void *value, uint8 *own)
{
	const VectorMetric *metric = space->metric;
	HnswKept    *form = (HnswKept *) own;
	uint8	   *to = own + kept_value_off(space);

	if (metric->size != NULL)
		form->size = finite_or_max(metric->size(value));
	if (metric->cut != NULL && VARSIZE(value) > space->kept_bytes)
		form->rest = nextafterf(finite_or_max(metric->cut(value,
														  space->kept_bytes,
														  to)), FLT_MAX);
	else
	{
		/* a sound value of fixed size is never longer */
		memcpy(to, value, Min(VARSIZE(value), space->kept_bytes));
	}
}

bool
hnsw_space_own(const HnswSpace *space, const void *value, float *scratch,
			   uint8 *own)
{
	float	   *y = scratch + space->floats;
	float		error;

	memset(own, 0, space->layout.own_bytes);
	if (space->own_kind == HNSW_OWN_EXACT)
	{
		/* a sound datum is never longer */
		memcpy(own, value, Min(VARSIZE(value), space->layout.own_bytes));
		return true;
	}
	if (!load_value(space, value, scratch))
		return false;

	error = odd_error(space, value);
	switch (space->own_kind)
	{
		case HNSW_OWN_F32:
			{
				HnswF32Own	   *form = (HnswF32Own *) own;

				memcpy(form->x, scratch, sizeof(float) * space->dim);
				form->norm2 = finite_or_max(kernels.dot_f32(scratch, scratch,
															space->dim) + error);
				break;
			}
		case HNSW_OWN_S8:
			error = encode_s8(space, scratch, error, y, (QuantOwn *) own);
			if (space->has_fine)
				quant_fine_encode(y, space->rdim, error, (QuantOwn *) own,
								  fine_code(space, own));
			break;
		case HNSW_OWN_KEPT:
			encode_s8(space, scratch, error, y, &((HnswKept *) own)->code);
			keep_value(space, value, own);
			break;
		case HNSW_OWN_EXACT:
			break;				/* see above */
	}
	return true;
}

Size
hnsw_space_used(const HnswSpace *space, const uint8 *own)
{
	if (space->own_kind == HNSW_OWN_EXACT)
		return Min(VARSIZE(own), space->layout.own_bytes);
	if (space->own_kind != HNSW_OWN_KEPT ||
		kept_value_off(space) + VARHDRSZ > space->layout.own_here)
		return space->layout.own_bytes;
	return Min(kept_value_off(space) + VARSIZE(kept_value(space, own)),
			   space->layout.own_bytes);
}

void
hnsw_space_copy_own(const HnswSpace *space, uint8 *to, const uint8 *own)
{
	Size		used = hnsw_space_used(space, own);

	memcpy(to, own, used);
	memset(to + used, 0, space->layout.own_bytes - used);
}

bool
hnsw_space_same(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	if (space->own_kind == HNSW_OWN_S8)
	{
		const QuantOwn *x = (const QuantOwn *) a;
		const QuantOwn *y = (const QuantOwn *) b;

		return x->scale == y->scale &&
			memcmp(x->code, y->code, space->rdim) == 0 &&
			(!space->has_fine ||
			 memcmp(fine_code(space, a)->low, fine_code(space, b)->low,
					space->rdim / 2) == 0);
	}
	return memcmp(a, b, space->layout.own_bytes) == 0;
}

uint64
hnsw_space_hash(const HnswSpace *space, const uint8 *own)
{
	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
			return hash_bytes_extended((const uint8 *) ((const QuantOwn *) own)->code,
									   space->rdim, 0);
		case HNSW_OWN_F32:
			return hash_bytes_extended((const uint8 *) ((const HnswF32Own *) own)->x,
									   sizeof(float) * space->dim, 0);
		case HNSW_OWN_KEPT:
		case HNSW_OWN_EXACT:
			break;
	}
	return hash_bytes_extended(own, space->layout.own_bytes, 0);
}

/* Make *x at least 'least'; true if that changed it. */
static bool
raise_to(float *x, float least)
{
	if (least <= *x)
		return false;
	*x = least;
	return true;
}

bool
hnsw_space_cover(const HnswSpace *space, uint8 *own, const uint8 *other)
{
	bool		changed;

	if (space->own_kind != HNSW_OWN_S8)
		return false;
	changed = raise_to(&((QuantOwn *) own)->error,
					   ((const QuantOwn *) other)->error);
	if (space->has_fine)
		changed |= raise_to(&fine_code(space, own)->error,
							fine_code(space, other)->error);
	return changed;
}

/* ---- values in own forms ---- */

/*
 * A value may come from a damaged page: is it what the metric relies on?
 */
static bool
is_sane_value(const HnswSpace *space, const void *value)
{
	Size		room = space->own_kind == HNSW_OWN_KEPT ?
		space->kept_bytes : space->layout.own_bytes;

	return VARSIZE(value) <= room && space->metric->dim(value) == space->dim;
}

/* ---- queries ---- */

static void
query_codes(const HnswSpace *space, HnswQuery *query, const float *rotated,
			int8 *code)
{
	query->rnorm2 = kernels.dot_f32(rotated, rotated, space->rdim);
	quant_query_init(&query->flat, rotated, space->nbits, code);
}

/* What only the query of a scan over KEPT forms has. */
static void
query_kept(const HnswSpace *space, HnswQuery *query, const float *x)
{
	double		sum = 0;

	for (int i = 0; i < space->floats; i++)
		sum += fabsf(x[i]);
	query->l1_share = query->norm > 0 ? sum / query->norm : 1;
	if (query->value != NULL && space->metric->size != NULL)
		query->norm = space->metric->size(query->value);
}

void
hnsw_space_query(const HnswSpace *space, const void *value, HnswQuery *query)
{
	float	   *x;
	float	   *rotated;
	int8	   *code;

	memset(query, 0, sizeof(HnswQuery));
	query->space = space->metric->space;
	query->value = value;
	query->ordered = value != NULL;
	if (!hnsw_space_coded(space))
		return;

	x = palloc0(sizeof(float) * space->floats);
	rotated = palloc0(sizeof(float) * space->rdim);
	code = palloc0(space->rdim);
	if (value != NULL && !load_value(space, value, x))
		query->ordered = false;

	quant_rotate(&space->rotation, x, rotated);
	query->norm = sqrt(kernels.dot_f32(x, x, space->floats) +
					   SUM_UNDERFLOW(space->floats));
	if (value != NULL)
		query->error = odd_error(space, value);
	if (space->own_kind == HNSW_OWN_KEPT)
		query_kept(space, query, x);
	if (query->space == VECTOR_SPACE_IP && space->own_kind != HNSW_OWN_KEPT)
		query->shift = kernels.dot_f32(rotated, space->mean, space->rdim);
	else
	{
		for (int i = 0; i < space->rdim; i++)
			rotated[i] -= space->mean[i];
	}
	query_codes(space, query, rotated, code);

	if (space->own_kind == HNSW_OWN_F32)
	{
		query->vec = x;
		query->norm2 = query->norm * query->norm;
	}
	else
	{
		query->vec = rotated;
		query->norm2 = query->rnorm2;
		query->error += (query->norm + space->mean_norm) * QUANT_ROTATE_ERROR +
			sqrt(SUM_UNDERFLOW(space->rdim));
	}
}

Size
hnsw_space_query_bytes(const HnswSpace *space)
{
	return MAXALIGN(sizeof(float) * (Size) space->rdim) +
		MAXALIGN((Size) space->rdim);
}

void
hnsw_space_query_own(const HnswSpace *space, const uint8 *own, void *buffer,
					 HnswQuery *query)
{
	float	   *rotated = buffer;

	memset(query, 0, sizeof(HnswQuery));
	query->space = VECTOR_SPACE_L2;
	query->ordered = true;

	if (space->own_kind == HNSW_OWN_EXACT)
	{
		query->space = VECTOR_SPACE_OPAQUE;
		query->value = is_sane_value(space, own) ? own : NULL;
	}
	else if (space->own_kind != HNSW_OWN_F32)
	{
		const QuantOwn *form = own_code(space, own);

		quant_own_decode(form, space->rdim, rotated);
		query->vec = rotated;
		query->norm2 = query->rnorm2 = form->norm2;
		quant_query_from_code(&query->flat, form->scale, form->code,
							  space->nbits);
	}
	else
	{
		const HnswF32Own *form = (const HnswF32Own *) own;

		query->vec = form->x;
		query->norm2 = form->norm2;
		quant_rotate(&space->rotation, form->x, rotated);
		for (int i = 0; i < space->rdim; i++)
			rotated[i] -= space->mean[i];
		query_codes(space, query, rotated,
					(int8 *) buffer + MAXALIGN(sizeof(float) * space->rdim));
	}
}

void
hnsw_space_query_product(const HnswSpace *space, const uint8 *own,
						 void *buffer, HnswQuery *query)
{
	float	   *rotated = buffer;
	int8	   *code = (int8 *) buffer + MAXALIGN(sizeof(float) * space->rdim);

	Assert(hnsw_space_links_products(space));
	memset(query, 0, sizeof(HnswQuery));
	query->space = VECTOR_SPACE_IP;
	query->ordered = true;
	if (space->own_kind == HNSW_OWN_F32)
	{
		const HnswF32Own *form = (const HnswF32Own *) own;

		quant_rotate(&space->rotation, form->x, rotated);
		query->vec = form->x;
		query->norm2 = form->norm2;
		query_codes(space, query, rotated, code);
	}
	else
	{
		quant_own_decode((const QuantOwn *) own, space->rdim, rotated);
		for (int i = 0; i < space->rdim; i++)
			rotated[i] += space->mean[i];
		query_codes(space, query, rotated, code);
		query->vec = rotated;
		query->norm2 = query->rnorm2;
	}
	query->norm = sqrt(query->norm2);
	query->shift = kernels.dot_f32(rotated, space->mean, space->rdim);
}

/* ---- distances ---- */

/* NaN and overflow rank last; a bound of minus infinity promises nothing */
static void
mend_measure(HnswMeasure *out)
{
	if (!(out->dist <= FLT_MAX && out->dist >= -FLT_MAX) ||
		!(out->l2sq <= FLT_MAX) ||
		!(out->margin <= FLT_MAX && out->margin >= -FLT_MAX) ||
		!(out->bound <= DBL_MAX))
	{
		out->dist = FLT_MAX;
		out->l2sq = FLT_MAX;
		out->margin = 0;
		out->bound = -get_float8_infinity();
		out->above = get_float8_infinity();
	}
	if (!(out->above <= FLT_MAX / 2))
		out->above = get_float8_infinity();
}

/*
 * L2 and cosine from a squared distance of which 'slack' may be rounding and
 * whose root may be 'error' too large.
 */
static double
bound_l2(const HnswSpace *space, VectorSpace op, double l2sq, double slack,
		 double error)
{
	double		low = sqrt(Max(l2sq - slack - SUM_UNDERFLOW(space->dim), 0)) - error;

	if (!(low > 0))
		return isnan(low) ? low : 0;
	if (op == VECTOR_SPACE_COSINE)
		return Max(low * low / 2 - 4 * SUM_ROUNDING(space->dim), 0);

	/* the SQL function sums squares: all terms positive, then a root */
	return low * (1 - SUM_ROUNDING(space->dim) - FLT_EPSILON);
}

/* What the operator's value is not above, from the same. */
static double
above_l2(const HnswSpace *space, VectorSpace op, double l2sq, double slack,
		 double error)
{
	double		high = sqrt(l2sq + slack + SUM_UNDERFLOW(space->dim)) + error;

	if (op == VECTOR_SPACE_COSINE)
		return high * high / 2 + 4 * SUM_ROUNDING(space->dim);

	/* the square of the SQL function may overflow where ours does not */
	return high < sqrt(FLT_MAX) / 2 ?
		high * (1 + SUM_ROUNDING(space->dim) + FLT_EPSILON) +
		sqrt(SUM_UNDERFLOW(space->dim)) : get_float8_infinity();
}

/*
 * What the SQL function's sum of products may lose or gain: where terms are
 * subnormal, and where the product of the lengths lets sums overflow; then its
 * value may be minus infinity.  norm2: of the form; FLT_MAX if that is beyond.
 */
static void
mend_ip_bound(const HnswSpace *space, double lengths, double norm2,
			  HnswMeasure *out)
{
	if (lengths < FLT_MAX / 2 && norm2 < FLT_MAX)
		out->bound -= SUM_UNDERFLOW(space->dim);
	else
		out->bound = -get_float8_infinity();
}

/* S8 with a fine code, for the query of a scan */
static void
measure_fine(const HnswSpace *space, const HnswQuery *query,
			 const uint8 *own, HnswMeasure *out)
{
	const QuantFine *fine = fine_code(space, own);
	double		l2sq = quant_fine_l2sq(query->vec, (const QuantOwn *) own, fine,
									   space->rdim);
	double		slack = l2sq * 2 * SUM_ROUNDING(space->rdim);
	double		error = (double) fine->error + query->error;

	out->dist = out->margin = out->l2sq = l2sq;
	out->bound = bound_l2(space, query->space, l2sq, slack, error);
	out->above = above_l2(space, query->space, l2sq, slack, error);
}

static void
measure_s8(const HnswSpace *space, const HnswQuery *query,
		   const QuantOwn *own, HnswMeasure *out)
{
	double		dot = quant_own_dot(query->vec, own, space->rdim);
	double		norm2 = own->norm2;
	double		l2sq = query->norm2 + norm2 - 2 * dot;

	/* three sums, the dot by Cauchy-Schwarz at most the mean of the others */
	double		slack = 4 * SUM_ROUNDING(space->rdim) * (query->norm2 + norm2);

	out->l2sq = Max(l2sq, 0);
	if (query->space == VECTOR_SPACE_IP)
	{
		double		ip = -(dot + query->shift);
		double		length = sqrt(norm2 + SUM_UNDERFLOW(space->rdim)) +
			space->mean_norm + own->error;

		out->dist = ip;
		out->margin = query->norm * length + ip;
		out->bound = ip - slack - query->norm * (own->error + query->error) -
			query->norm * length *
			(3 * SUM_ROUNDING(space->rdim) + 2 * QUANT_ROTATE_ERROR);
		mend_ip_bound(space, query->norm * length, norm2, out);
	}
	else
	{
		double		error = (double) own->error + query->error;

		out->dist = out->margin = out->l2sq;
		out->bound = bound_l2(space, space->metric->space, l2sq, slack, error);
		out->above = above_l2(space, space->metric->space, out->l2sq, slack,
							  error);
	}
}

/*
 * In few dimensions some vector is almost parallel to the query, and its margin
 * next to nothing, however much longer others are.  With 3, recall@10 of 4,000
 * sparse vectors of 3 and 16 dimensions is .99 and 1.00 at ef_search 40; .84
 * and .95 without; in 128 dimensions this is 2 % of the lengths.
 */
#define FEW_DIMS_MARGIN		3.0

static void
measure_f32(const HnswSpace *space, const HnswQuery *query,
			const HnswF32Own *own, HnswMeasure *out)
{
	if (query->space == VECTOR_SPACE_IP)
	{
		double		ip = -kernels.dot_f32(query->vec, own->x, space->dim);
		double		lengths = query->norm *
			sqrt(own->norm2 + SUM_UNDERFLOW(space->dim));

		out->dist = ip;
		out->margin = lengths * (1 + FEW_DIMS_MARGIN / space->dim) + ip;
		out->l2sq = Max(query->norm2 + own->norm2 + 2 * ip, 0);
		out->bound = ip - 2 * SUM_ROUNDING(space->dim) * lengths;
		mend_ip_bound(space, lengths, own->norm2, out);
	}
	else
	{
		double		l2sq = kernels.l2sq_f32(query->vec, own->x, space->dim);

		double		error = 0;

		/*
		 * Under cosine both were divided by their norms, and rounded; norm2
		 * is 1, or says that there is no bound.
		 */
		if (space->metric->space == VECTOR_SPACE_COSINE)
			error = 4 * FLT_EPSILON + query->error +
				(own->norm2 > 2 ? HNSW_UNBOUNDED : 0);
		out->dist = out->margin = out->l2sq = l2sq;
		out->bound = bound_l2(space, space->metric->space, l2sq,
							  l2sq * 2 * SUM_ROUNDING(space->dim), error);
		out->above = above_l2(space, space->metric->space, l2sq,
							  l2sq * 2 * SUM_ROUNDING(space->dim), error);
	}
}

/*
 * The distance of a value that was cut, from that of what is kept of it.  The
 * rest is orthogonal to that, and in high dimensions likely to be so to the query.
 */
static double
guess_cut(const HnswSpace *space, const HnswKept *own, double dist)
{
	double		rest = own->rest;

	switch (space->metric->space)
	{
		case VECTOR_SPACE_L2:
			return sqrt(dist * dist + rest * rest);
		case VECTOR_SPACE_L1:
			return dist + rest;
		case VECTOR_SPACE_COSINE:
			{
				double		share = Min(rest / own->size, 1);

				return 1 - (1 - dist) * sqrt(1 - share * share);
			}
		case VECTOR_SPACE_IP:
		case VECTOR_SPACE_OPAQUE:
			break;
	}
	return dist;
}

/*
 * What it is not below: by the triangle inequality, or by that of Cauchy and
 * Schwarz.  Off goes what rounding may do to both sums, and to the norms.
 */
static double
bound_cut(const HnswSpace *space, const HnswQuery *query,
		  const HnswKept *own, double dist)
{
	const VectorMetric *metric = space->metric;
	Size		terms = (VARSIZE(query->value) + metric->max_bytes(space->dim)) /
		sizeof(float);
	double		rounding = 2 * SUM_ROUNDING(terms);
	double		bound = dist;

	switch (metric->space)
	{
		case VECTOR_SPACE_L2:
		case VECTOR_SPACE_L1:
			bound = Max(dist * (1 - rounding) - own->rest, 0);
			break;
		case VECTOR_SPACE_IP:
			bound = dist - query->norm * own->rest -
				2 * rounding * query->norm * own->size;
			break;
		case VECTOR_SPACE_COSINE:
			bound = guess_cut(space, own, dist) - own->rest / own->size -
				4 * rounding;
			break;
		case VECTOR_SPACE_OPAQUE:
			break;
	}
	return own->rest < FLT_MAX && !isnan(bound) ? bound :
		-get_float8_infinity();
}

/*
 * Squared distance in the code space at distance 'dist'; under L1 only the codes
 * can tell.
 */
static double
code_l2sq(const HnswSpace *space, const HnswQuery *query, const HnswKept *own,
		  double dist)
{
	switch (space->metric->space)
	{
		case VECTOR_SPACE_L2:
			return dist * dist;
		case VECTOR_SPACE_COSINE:
			return 2 * dist;
		case VECTOR_SPACE_IP:
			return query->norm > 0 && own->size > 0 ?
				2 + 2 * dist / (query->norm * own->size) : 1;
		case VECTOR_SPACE_L1:
		case VECTOR_SPACE_OPAQUE:
			break;
	}
	return query->norm2 + own->code.norm2 -
		2 * quant_own_dot(query->vec, &own->code, space->rdim);
}

/*
 * What the stop rule allows for codes of a projection.  Searches for the same recall
 * take as long with another value, but need another ef_search.
 */
#define PROJECTION_MARGIN	2

/*
 * Of a value that is kept whole, the distance is the operator's own, hence the
 * bound, and what is not finite keeps its place in the order: NaN is last.
 */
static void
measure_kept(const HnswSpace *space, const HnswQuery *query,
			 const HnswKept *own, HnswMeasure *out)
{
	const void *value = kept_value(space, (const uint8 *) own);
	double		dist = get_float8_nan();
	double		l2sq;

	if (is_sane_value(space, value))
		dist = space->metric->distance(query->value, value);
	out->bound = isnan(dist) ? get_float8_infinity() : dist;
	if (own->rest != 0)
	{
		out->bound = bound_cut(space, query, own, dist);
		dist = guess_cut(space, own, dist);
	}

	l2sq = code_l2sq(space, query, own, dist);
	out->l2sq = isnan(l2sq) ? FLT_MAX : Max(Min(l2sq, FLT_MAX), 0);
	switch (space->metric->space)
	{
		case VECTOR_SPACE_L2:
		case VECTOR_SPACE_COSINE:
			out->dist = out->margin = out->l2sq;
			break;
		case VECTOR_SPACE_IP:
			out->dist = dist;
			out->margin = query->norm * own->size + dist;
			break;
		case VECTOR_SPACE_L1:
		case VECTOR_SPACE_OPAQUE:
			/* not squared, which is made up for: codes are of L2 */
			out->dist = out->margin = dist;
			break;
	}

	/* a projection adds its error to that of the codes */
	if (space->floats < space->dim)
		out->margin *= PROJECTION_MARGIN;
	if (isnan(dist))
		out->dist = FLT_MAX;
	out->dist = Max(Min(out->dist, FLT_MAX), -FLT_MAX);
	if (!(out->margin >= 0 && out->margin <= FLT_MAX))
		out->margin = 0;
}

/* The distance is the operator's own value, hence the bound too. */
static void
measure_exact(const HnswSpace *space, const HnswQuery *query,
			  const uint8 *own, HnswMeasure *out)
{
	double		dist = get_float8_nan();

	if (query->value != NULL && is_sane_value(space, own))
		dist = space->metric->distance(query->value, own);
	out->l2sq = 0;
	out->bound = isnan(dist) ? get_float8_infinity() : dist;
	out->dist = isnan(dist) ? FLT_MAX : dist;
	out->margin = isnan(dist) ? 0 : dist / 2;	/* not squared */
}

void
hnsw_space_measure(const HnswSpace *space, const HnswQuery *query,
				   const uint8 *own, HnswMeasure *out)
{
	out->above = get_float8_infinity();
	if (!query->ordered)
	{
		out->dist = out->margin = out->l2sq = 0;
		out->bound = 0;
		return;
	}
	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
			if (space->has_fine && query->value != NULL)
				measure_fine(space, query, own, out);
			else
				measure_s8(space, query, (const QuantOwn *) own, out);
			break;
		case HNSW_OWN_F32:
			measure_f32(space, query, (const HnswF32Own *) own, out);
			break;
		case HNSW_OWN_KEPT:
			if (query->value != NULL)
			{
				measure_kept(space, query, (const HnswKept *) own, out);
				return;
			}
			measure_s8(space, query, own_code(space, own), out);
			break;
		case HNSW_OWN_EXACT:
			measure_exact(space, query, own, out);
			return;
	}
	mend_measure(out);
}

const QuantOwn *
hnsw_space_code(const HnswSpace *space, const uint8 *own)
{
	return own_code(space, own);
}

const QuantFine *
hnsw_space_fine(const HnswSpace *space, const uint8 *own)
{
	return fine_code(space, own);
}

const void *
hnsw_space_value(const HnswSpace *space, const uint8 *own)
{
	return kept_value(space, own);
}

float
hnsw_space_between(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	double		dist = get_float8_nan();

	if (space->own_kind == HNSW_OWN_EXACT)
	{
		if (is_sane_value(space, a) && is_sane_value(space, b))
			dist = space->metric->distance(a, b);
	}
	else if (space->own_kind == HNSW_OWN_F32)
		dist = kernels.l2sq_f32(((const HnswF32Own *) a)->x,
								((const HnswF32Own *) b)->x, space->dim);
	else
		dist = quant_own_l2sq(own_code(space, a), own_code(space, b),
							  space->rdim);
	return dist <= FLT_MAX ? dist : FLT_MAX;
}

double
hnsw_space_product(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	const QuantOwn *x = (const QuantOwn *) a;
	const QuantOwn *y = (const QuantOwn *) b;
	double		product;

	if (space->own_kind == HNSW_OWN_F32)
		return kernels.dot_f32(((const HnswF32Own *) a)->x,
							   ((const HnswF32Own *) b)->x, space->dim);
	product = (double) x->scale * y->scale *
		kernels.dot_s8(x->code, y->code, space->rdim);
	if (space->has_mean)
		product += (double) space->mean_norm * space->mean_norm +
			quant_own_dot(space->mean, x, space->rdim) +
			quant_own_dot(space->mean, y, space->rdim);
	return product;
}

void
hnsw_space_form(const HnswSpace *space, KernelForms *forms, int i,
				const uint8 *own)
{
	switch (space->own_kind)
	{
		case HNSW_OWN_F32:
			forms->x[i] = ((const HnswF32Own *) own)->x;
			break;
		case HNSW_OWN_EXACT:
			forms->x[i] = own;
			break;
		case HNSW_OWN_S8:
		case HNSW_OWN_KEPT:
			{
				const QuantOwn *form = own_code(space, own);

				forms->x[i] = form->code;
				forms->scale[i] = form->scale;
				forms->norm2[i] = form->norm2;
				break;
			}
	}
}

void
hnsw_space_between_forms(const HnswSpace *space, const uint8 *a,
						 const KernelForms *forms, float *dist)
{
	switch (space->own_kind)
	{
		case HNSW_OWN_F32:
			kernels.rows_l2sq_f32(((const HnswF32Own *) a)->x, forms,
								  space->dim, dist);
			break;
		case HNSW_OWN_EXACT:
			for (int i = 0; i < forms->n; i++)
				dist[i] = hnsw_space_between(space, a, forms->x[i]);
			break;
		case HNSW_OWN_S8:
		case HNSW_OWN_KEPT:
			{
				const QuantOwn *form = own_code(space, a);

				kernels.rows_l2sq_s8(form->code, form->scale, form->norm2,
									 forms, space->rdim, dist);
				break;
			}
	}
}

/*
 * Entries are scored all at once at the start of each search, so their number
 * is a price paid always.  In simulation at 60,000 rows 64 of them were as good as 256
 * and 1,024 (README, "Things tried"); the fourth part of the root keeps their
 * price a small part of a search in larger indexes.  Without codes each costs a page read.
 */
#define MIN_ENTRIES			64
#define ENTRIES_OF_A_PAGE	256
#define MAX_ENTRIES			4096
#define EXACT_ENTRIES		32

uint32
hnsw_entry_target(const HnswSpace *space, uint64 nnodes)
{
	uint64		target = EXACT_ENTRIES;

	if (hnsw_space_coded(space))
	{
		uint32		page = Min(Max(space->layout.entries_per_page, MIN_ENTRIES),
							   ENTRIES_OF_A_PAGE);

		target = Min(Max((uint64) (sqrt((double) nnodes) / 4), page),
					 MAX_ENTRIES);
	}
	return Min(target, nnodes);
}

/* ---- edge codes ---- */

/* rotated and centred form of an F32 own form */
static void
rotate_f32(const HnswSpace *space, const HnswF32Own *own, float *y)
{
	quant_rotate(&space->rotation, own->x, y);
	for (int i = 0; i < space->rdim; i++)
		y[i] -= space->mean[i];
}

/* The edge code of one F32 own form seen from another, and <c, r>. */
static float
edge_f32(const HnswSpace *space, const HnswF32Own *c, const HnswF32Own *o,
		 QuantEdge *edge)
{
	float		r[HNSW_F32_MAX_DIM];
	float		rotated[HNSW_F32_MAX_RDIM];

	for (int i = 0; i < space->dim; i++)
		r[i] = o->x[i] - c->x[i];
	quant_rotate(&space->rotation, r, rotated);
	quant_edge_encode_f32(rotated, space->rdim, space->nbits, edge);
	return kernels.dot_f32(c->x, r, space->dim);
}

void
hnsw_space_edge(const HnswSpace *space, const uint8 *c, const uint8 *o,
				float dist, uint8 *code)
{
	QuantEdge  *edge = (QuantEdge *) code;
	float		behind;

	if (space->own_kind == HNSW_OWN_EXACT)
	{
		memcpy(code, &dist, sizeof(float));
		return;
	}
	if (space->own_kind == HNSW_OWN_F32)
		behind = edge_f32(space, (const HnswF32Own *) c,
						  (const HnswF32Own *) o, edge);
	else
	{
		const QuantOwn *from = own_code(space, c);
		const QuantOwn *to = own_code(space, o);

		quant_edge_encode(from, to, space->rdim, space->nbits, edge);
		behind = codes_have_size(space) ?
			((const HnswKept *) o)->size :
			(double) from->scale * to->scale *
			kernels.dot_s8(from->code, to->code, space->rdim) - from->norm2;
	}
	if (behind_edge(space->metric) > 0)
	{
		if (!(fabsf(behind) <= FLT_MAX))
			behind = 0;			/* no NaN lies on a page */
		memcpy(code + quant_edge_bytes(space->nbits), &behind, sizeof(float));
	}
}

void
hnsw_space_flat(const HnswSpace *space, const uint8 *own, uint8 *code)
{
	FlatCode   *flat = (FlatCode *) code;
	KernelResidual sums;
	double		half;

	if (!hnsw_space_coded(space))
		return;
	if (codes_have_size(space))
		memcpy(flat->bits + space->nbits / 8, &((const HnswKept *) own)->size,
			   sizeof(float));
	if (space->own_kind != HNSW_OWN_F32)
	{
		static const int8 zeros[16] = {0};
		const QuantOwn *form = own_code(space, own);

		/* the residual from zero: the vector itself; codes of 16 at a time */
		sums.sum_abs = 0;
		sums.norm2 = form->norm2;
		for (int i = 0; i < space->nbits; i += 16)
			sums.sum_abs += kernels.residual_s8(form->code + i, form->scale,
												zeros, 0, 16, 16,
												flat->bits + i / 8).sum_abs;
	}
	else
	{
		float		y[HNSW_F32_MAX_RDIM];

		rotate_f32(space, (const HnswF32Own *) own, y);
		sums = kernels.residual_f32(y, space->rdim, space->nbits, flat->bits);
	}

	half = sums.sum_abs / 2.0;
	flat->add = finite_or_max(sums.norm2);
	flat->scale = half > 0 && sums.norm2 / half < FLT_MAX / 2 ?
		-2 * sums.norm2 / half : 0;
}

/* NaN, from overflow, ranks last */
static void
mend_estimates(float *est, float *var, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (!(est[i] <= FLT_MAX && est[i] >= -FLT_MAX))
			est[i] = FLT_MAX;
		if (!(var[i] <= FLT_MAX))
			var[i] = FLT_MAX;
	}
}

/*
 * Of n estimates of squared distances in the code space make such of dist, for
 * a scan over KEPT forms.  size: that of the first value, if codes have it; the
 * next ones lie stride bytes apart.  l1_share: L1 distance over Euclidean.
 */
static void
estimate_kept(const HnswSpace *space, const HnswQuery *query, double l1_share,
			  const uint8 *size, Size stride, int n, float *est, float *var)
{
	for (int i = 0; i < n; i++)
	{
		double		l2sq = Max(est[i], 0);
		double		slope;		/* of dist, by l2sq */
		float		here = 0;

		if (codes_have_size(space))
			memcpy(&here, size + (Size) i * stride, sizeof(float));
		switch (query->space)
		{
			case VECTOR_SPACE_L1:
				est[i] = l1_share * sqrt(l2sq);
				slope = l1_share / (2 * sqrt(Max(l2sq, FLT_MIN)));
				break;
			case VECTOR_SPACE_IP:
				slope = query->norm * here / 2;
				est[i] = slope * (est[i] - 2);
				break;
			default:
				continue;
		}
		var[i] *= slope * slope;
	}
}

/* Is this the query of a scan over KEPT forms? */
static inline bool
scans_kept(const HnswSpace *space, const HnswQuery *query)
{
	return space->own_kind == HNSW_OWN_KEPT && query->value != NULL;
}

/*
 * Prepare the query less a part of the node for its edge codes.  rotated, code:
 * room for them.
 */
static void
query_less_node(const HnswSpace *space, const HnswQuery *query,
				const uint8 *own, float part, float *rotated, int8 *code,
				QuantQuery *out)
{
	if (space->own_kind == HNSW_OWN_F32)
	{
		const HnswF32Own *form = (const HnswF32Own *) own;
		float		x[HNSW_F32_MAX_DIM];

		for (int i = 0; i < space->dim; i++)
			x[i] = query->vec[i] - part * form->x[i];
		quant_rotate(&space->rotation, x, rotated);
	}
	else
	{
		const QuantOwn *form = own_code(space, own);

		kernels.subtract_s8(query->vec, form->code, part * form->scale,
							space->nbits, rotated);
	}
	quant_query_init(out, rotated, space->nbits, code);
}

/*
 * What estimates are off is a part of the product of two lengths, that of an
 * edge and that from the node to the query.  If the query is farther away than
 * edges are long, a margin in proportion to the distance itself would take in
 * everything: it is no more than it were for a query FAR lengths of an edge
 * away.  Under inner product the query is as far as it is long.  What a product
 * lacks to that of the norms would be no measure there: it changes if all vectors
 * move, which the order of the products does not.
 */
#define FAR					2.5

static void
set_margin(const HnswSpace *space, const HnswQuery *query, const uint8 *codes,
		   Size stride, int n, HnswMeasure *node)
{
	float		l2sq[HNSW_MAX_EDGES];
	float		sum = 0;
	float		enough = FLT_MAX;
	double		far = FAR * sqrt(node->l2sq);

	/* most queries are not far, and some of the edges tell so */
	if (query->space != VECTOR_SPACE_IP && far > 0)
		enough = Min(node->margin / far * n, FLT_MAX);

	quant_edge_lengths(codes, stride, n, l2sq);
	for (int i = 0; i < n && sum <= enough; i++)
		sum += sqrtf(l2sq[i]);
	if (query->space == VECTOR_SPACE_IP)
		node->margin = query->norm * (sum / n);
	else
		node->margin = Min(node->margin, far * (sum / n));
	node->margin = Min(node->margin * space->noise, FLT_MAX);
}

/*
 * Estimates of negative inner products.  The part of the node that leaves the
 * rest of the query orthogonal to it makes the error of the estimates least.
 */
static void
estimate_ip(const HnswSpace *space, const HnswQuery *query, const uint8 *own,
			const HnswMeasure *node, const uint8 *codes, Size stride, int n,
			float *est, float *var)
{
	float		rotated[MAX_NBITS];
	int8		code[MAX_NBITS];
	int32		sums[HNSW_MAX_EDGES];
	QuantQuery	rest;
	bool		is_f32 = space->own_kind == HNSW_OWN_F32;
	double		norm2 = is_f32 ? ((const HnswF32Own *) own)->norm2 :
		own_code(space, own)->norm2;
	double		dot = -node->dist - (is_f32 ? 0 : query->shift);
	double		part = norm2 > 0 ? dot / norm2 : 0;
	double		p2;

	if (!(fabs(part) <= FLT_MAX))
		part = 0;
	p2 = Max(query->norm2 - part * dot, 0);
	query_less_node(space, query, own, part, rotated, code, &rest);
	quant_edge_estimate_ip(&rest, codes, stride, n, node->dist, part, p2, sums,
						   est, var);
}

void
hnsw_space_estimate(const HnswSpace *space, const HnswQuery *query,
					const uint8 *own, HnswMeasure *node, const uint8 *codes,
					Size stride, int n, float *est, float *var)
{
	float		rotated[MAX_NBITS];
	int8		code[MAX_NBITS];
	int32		sums[HNSW_MAX_EDGES];
	QuantQuery	rest;

	Assert(n <= HNSW_MAX_EDGES);
	if (n == 0)
		return;
	if (query->space == VECTOR_SPACE_IP && !scans_kept(space, query))
		estimate_ip(space, query, own, node, codes, stride, n, est, var);
	else
	{
		query_less_node(space, query, own, 1, rotated, code, &rest);
		quant_edge_estimate(&rest, codes, stride, n, node->l2sq, sums, est, var);
		if (scans_kept(space, query))
			estimate_kept(space, query, node->l2sq > 0 ?
						  node->dist / sqrt(node->l2sq) : query->l1_share,
						  codes + quant_edge_bytes(space->nbits), stride, n,
						  est, var);
	}
	mend_estimates(est, var, n);
	if (space->own_kind != HNSW_OWN_KEPT)
		set_margin(space, query, codes, stride, n, node);
}

void
hnsw_space_estimate_flat(const HnswSpace *space, const HnswQuery *query,
						 const uint8 *codes, Size stride, int n, float *est,
						 float *var)
{
	const QuantQuery *q = &query->flat;
	int32		sums[HNSW_MAX_EDGES];

	for (int done = 0; done < n; done += HNSW_MAX_EDGES)
	{
		int			part = Min(n - done, HNSW_MAX_EDGES);
		const uint8 *first = codes + (Size) done * stride;

		kernels.sum_bits_s8(q->code, first + offsetof(FlatCode, bits), stride,
							part, space->nbits, sums);
		for (int i = 0; i < part; i++)
		{
			FlatCode	f;
			float		dot = q->scale * (sums[i] - q->half_sum);

			memcpy(&f, first + (Size) i * stride, offsetof(FlatCode, bits));
			if (query->space == VECTOR_SPACE_IP &&
				space->own_kind != HNSW_OWN_KEPT)
				est[done + i] = f.scale / 2 * dot - query->shift;
			else
				est[done + i] = query->rnorm2 + f.add + f.scale * dot;
			var[done + i] = f.scale * f.scale * query->rnorm2;
		}
		if (scans_kept(space, query))
			estimate_kept(space, query, query->l1_share,
						  first + offsetof(FlatCode, bits) + space->nbits / 8,
						  stride, part, est + done, var + done);
		mend_estimates(est + done, var + done, part);
	}
}

void
hnsw_space_edge_lengths(const HnswSpace *space, const uint8 *codes, Size stride,
						int n, float *dist)
{
	if (hnsw_space_coded(space))
		quant_edge_lengths(codes, stride, n, dist);
	else
	{
		for (int i = 0; i < n; i++)
			memcpy(&dist[i], codes + i * stride, sizeof(float));
	}
}

float
hnsw_space_edge_between(const HnswSpace *space, const uint8 *a, float dist_a,
						const uint8 *b, float dist_b)
{
	return quant_edge_between((const QuantEdge *) a, dist_a,
							  (const QuantEdge *) b, dist_b, space->nbits);
}
