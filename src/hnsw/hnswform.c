/*-------------------------------------------------------------------------
 *
 * hnswform.c
 *	  Own forms: values become bytes, and what these are to each other.
 *
 * Part of the code space (hnswspace.h), which says which form is for what.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswform.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/hashfn.h"
#include "compat.h"
#include "hnsw/hnswcode.h"
#include "kernel/kernel.h"
#include "quant/quant_own.h"
#include "utils/float.h"

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

bool
hnsw_space_load(const HnswSpace *space, const void *value, float *x)
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
	if (!hnsw_space_load(space, value, scratch))
		return false;
	quant_rotate(&space->rotation, scratch, out);
	return true;
}

float
hnsw_space_odd_error(const HnswSpace *space, const void *value)
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
	if (!hnsw_space_load(space, value, scratch))
		return false;

	error = hnsw_space_odd_error(space, value);
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

/* ---- own forms among each other ---- */

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
			forms->scale[i] = is_sane_value(space, own);
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

/* EXACT; the scale of a form says whether it is sane. */
static void
between_values(const HnswSpace *space, const uint8 *a,
			   const KernelForms *forms, float *dist)
{
	bool		are_sane = space->metric->panel->among != NULL &&
		is_sane_value(space, a);

	for (int i = 0; i < forms->n; i++)
		are_sane &= forms->scale[i] != 0;
	if (are_sane)
		space->metric->panel->among(a, forms, dist);
	else
	{
		for (int i = 0; i < forms->n; i++)
			dist[i] = hnsw_space_between(space, a, forms->x[i]);
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
			between_values(space, a, forms, dist);
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
