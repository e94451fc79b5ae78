/*-------------------------------------------------------------------------
 *
 * hnswestimate.c
 *	  Codes of edges and flat records: what they are made of, and estimates.
 *
 * Part of the code space (hnswspace.h).  Estimates only rank; how far a search
 * has to look beyond them, its margin, follows from the edges too.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswestimate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "hnsw/hnswcode.h"
#include "kernel/kernel.h"
#include "quant/quant_edge.h"
#include "quant/quant_own.h"

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

/*
 * <c, r> of a node c and an edge r to o, from their codes.  The node is where it
 * is, not where it lies from the mean: a query has a large part along the mean
 * where that is large, and what lies along the node is known exactly.
 */
static double
along_node(const HnswSpace *space, const QuantOwn *c, const QuantOwn *o)
{
	double		along = (double) c->scale * o->scale *
		kernels.dot_s8(c->code, o->code, space->rdim) - c->norm2;

	if (space->has_mean)
		along += quant_own_dot(space->mean, o, space->rdim) -
			quant_own_dot(space->mean, c, space->rdim);
	return along;
}

void
hnsw_space_edge(const HnswSpace *space, const uint8 *c, const uint8 *o,
				float dist, uint8 *code)
{
	QuantEdge  *edge = (QuantEdge *) code;
	float		behind = 0;

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
		quant_edge_encode(own_code(space, c), own_code(space, o),
						  space->rdim, space->nbits, edge);
		if (codes_have_size(space))
			behind = ((const HnswKept *) o)->size;
		else if (behind_edge(space->metric) > 0)
			behind = along_node(space, own_code(space, c), own_code(space, o));
	}
	if (behind_edge(space->metric) > 0)
	{
		if (!(fabsf(behind) <= FLT_MAX))
			behind = 0;			/* no NaN lies on a page */
		memcpy(code + quant_edge_bytes(space->nbits), &behind, sizeof(float));
	}
}

float
hnsw_space_edge_along(const HnswSpace *space, const uint8 *code)
{
	float		along;

	Assert(hnsw_space_links_products(space));
	memcpy(&along, code + quant_edge_bytes(space->nbits), sizeof(float));
	return along;
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

		/* under inner product the query does not lie from the mean */
		if (query->space == VECTOR_SPACE_IP && space->has_mean &&
			space->own_kind == HNSW_OWN_S8)
		{
			for (int i = 0; i < space->nbits; i++)
				rotated[i] -= part * space->mean[i];
		}
	}
	quant_query_init(out, rotated, space->nbits, code);
}

/*
 * What estimates are off is a part of the product of two lengths, that of an
 * edge and that from the node to the query.  If the query is farther away than
 * edges are long, a margin in proportion to the distance itself would take in
 * everything: it is no more than it were for a query FAR lengths of an edge
 * away.  Under inner product the query is as far as it is long, and what of it
 * lies along the node counts for a quarter only, since codes are not asked about
 * that.  What a product lacks to that of the norms would be no measure there: it
 * changes if all vectors move, which the order of the products does not.
 */
#define FAR					2.5
#define ALONG				0.25

static void
set_margin(const HnswSpace *space, const HnswQuery *query, double rest,
		   const uint8 *codes, Size stride, int n, HnswMeasure *node)
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
		node->margin = (ALONG * query->norm + (1 - ALONG) * rest) * (sum / n);
	else
		node->margin = Min(node->margin, far * (sum / n));
	node->margin = Min(node->margin * space->noise, FLT_MAX);
}

/* |c|^2 of a node, from the origin; forms of kind F32 and S8 */
static double
norm2_of(const HnswSpace *space, const uint8 *own)
{
	const QuantOwn *form = (const QuantOwn *) own;

	if (space->own_kind == HNSW_OWN_F32)
		return ((const HnswF32Own *) own)->norm2;
	if (!space->has_mean)
		return form->norm2;
	return form->norm2 + (double) space->mean_norm * space->mean_norm +
		2 * quant_own_dot(space->mean, form, space->rdim);
}

/*
 * Estimates of negative inner products.  The part of the node that leaves the
 * rest of the query orthogonal to it makes the error of the estimates least.
 * Returns how long that rest is.
 */
static double
estimate_ip(const HnswSpace *space, const HnswQuery *query, const uint8 *own,
			const HnswMeasure *node, const uint8 *codes, Size stride, int n,
			float *est, float *var)
{
	float		rotated[MAX_NBITS];
	int8		code[MAX_NBITS];
	int32		sums[HNSW_MAX_EDGES];
	QuantQuery	rest;
	double		norm2 = norm2_of(space, own);
	double		dot = -node->dist;
	double		part = norm2 > 0 ? dot / norm2 : 0;
	double		p2;

	if (!(fabs(part) <= FLT_MAX))
		part = 0;
	p2 = Max(query->norm2 - part * dot, 0);
	query_less_node(space, query, own, part, rotated, code, &rest);
	quant_edge_estimate_ip(&rest, codes, stride, n, node->dist, part, p2, sums,
						   est, var);
	return sqrt(p2);
}

void
hnsw_space_estimate(const HnswSpace *space, const HnswQuery *query,
					const uint8 *own, HnswMeasure *node, const uint8 *codes,
					Size stride, int n, float *est, float *var)
{
	float		rotated[MAX_NBITS];
	int8		code[MAX_NBITS];
	int32		sums[HNSW_MAX_EDGES];
	QuantQuery	less;
	double		rest = 0;

	Assert(n <= HNSW_MAX_EDGES);
	if (n == 0)
		return;
	if (query->space == VECTOR_SPACE_IP && !scans_kept(space, query))
		rest = estimate_ip(space, query, own, node, codes, stride, n, est,
						   var);
	else
	{
		query_less_node(space, query, own, 1, rotated, code, &less);
		quant_edge_estimate(&less, codes, stride, n, node->l2sq, sums, est, var);
		if (scans_kept(space, query))
			estimate_kept(space, query, node->l2sq > 0 ?
						  node->dist / sqrt(node->l2sq) : query->l1_share,
						  codes + quant_edge_bytes(space->nbits), stride, n,
						  est, var);
	}
	mend_estimates(est, var, n);
	if (space->own_kind != HNSW_OWN_KEPT)
		set_margin(space, query, rest, codes, stride, n, node);
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
			{
				/* a product is half of what it takes off squared L2 */
				f.scale /= 2;
				est[done + i] = f.scale * dot - query->shift;
			}
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
