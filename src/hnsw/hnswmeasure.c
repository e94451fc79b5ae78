/*-------------------------------------------------------------------------
 *
 * hnswmeasure.c
 *	  Queries, and what own forms say to them: distance, margin, bounds.
 *
 * Part of the code space (hnswspace.h).
 *
 * The bounds of this file are a contract with the executor: it raises an error
 * if a row's recomputed distance is below the bound that the scan announced
 * (README, "Scan order").  So every bound takes off the error of the own form,
 * that of the prepared query, and the rounding of both float sums, ours and
 * the SQL function's: a float sum of n terms in any order is off by at most
 * n * 2^-24 of the sum of absolute terms.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswmeasure.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "hnsw/hnswcode.h"
#include "kernel/kernel.h"
#include "utils/float.h"

/* rounding of a float sum of n terms, relative to the sum of absolute terms */
#define SUM_ROUNDING(n)		(((n) + 8) * (double) FLT_EPSILON / 2)

/* what such a sum can lose besides, where its terms are subnormal */
#define SUM_UNDERFLOW(n)	((n) * 0x1p-149)

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
	if (value != NULL && !hnsw_space_load(space, value, x))
		query->ordered = false;

	quant_rotate(&space->rotation, x, rotated);
	query->norm = sqrt(kernels.dot_f32(x, x, space->floats) +
					   SUM_UNDERFLOW(space->floats));
	if (value != NULL)
		query->error = hnsw_space_odd_error(space, value);
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
		out->margin = lengths + ip;
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
