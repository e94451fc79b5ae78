/*-------------------------------------------------------------------------
 *
 * quant_edge.c
 *	  The edge code: a neighbour relative to its node, 1 bit a dimension.
 *
 * The only file that knows where add, scale and bits lie in an edge code.
 * Edge codes on a page have no alignment: factors are read byte-wise.
 *
 * IDENTIFICATION
 *	  src/quant/quant_edge.c
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "quant/quant_edge.h"

#define EDGE_HEADER		((size_t) 4)

/* estimates are computed this many at a time */
#define LANES			4

#define PI				3.14159265358979323846f

/* largest finite bfloat16, and the exponent of infinity and NaN */
#define BF16_MAX		0x7f7f
#define BF16_EXPONENT	0x7f80

uint16_t
quant_bf16_from_float(float x)
{
	uint32_t	bits;

	memcpy(&bits, &x, sizeof(bits));

	/* rounding could carry a NaN into infinity: keep it, and make it quiet */
	if ((bits & 0x7fffffff) > 0x7f800000)
		return (uint16_t) ((bits >> 16) | 0x0040);
	return (uint16_t) ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float
quant_bf16_to_float(uint16_t x)
{
	uint32_t	bits = (uint32_t) x << 16;
	float		result;

	memcpy(&result, &bits, sizeof(result));
	return result;
}

size_t
quant_edge_bytes(int nbits)
{
	return EDGE_HEADER + (size_t) nbits / 8;
}

static inline bool
bf16_is_finite(uint16_t x)
{
	return (x & BF16_EXPONENT) != BF16_EXPONENT;
}

/*
 * scale of an edge: -2 |r|^2 / <r, x'>, rounded as it will be stored.  If |r|
 * is not zero but r over the coded dimensions is, the bits say nothing: scale
 * 0 leaves |q - c|^2 + |r|^2, the best guess without them.
 */
static uint16_t
scale_of(const KernelResidual *r)
{
	if (r->sum_abs == 0)
		return 0;
	return quant_bf16_from_float(-4 * (r->norm2 / r->sum_abs));
}

/* Fill in the factors. */
static void
set_factors(QuantEdge *edge, const KernelResidual *r)
{
	edge->norm2 = quant_bf16_from_float(r->norm2);
	edge->scale = scale_of(r);
	if (!bf16_is_finite(edge->norm2) || !bf16_is_finite(edge->scale))
	{
		edge->norm2 = BF16_MAX;
		edge->scale = 0;
	}
}

void
quant_edge_encode(const QuantOwn *c, const QuantOwn *o, int rdim, int nbits,
				  QuantEdge *edge)
{
	KernelResidual r;

	r = kernels.residual_s8(o->code, o->scale, c->code, c->scale,
							(size_t) rdim, (size_t) nbits, edge->bits);
	set_factors(edge, &r);
}

void
quant_edge_encode_f32(const float *r, int rdim, int nbits, QuantEdge *edge)
{
	KernelResidual sums;

	sums = kernels.residual_f32(r, (size_t) rdim, (size_t) nbits, edge->bits);
	set_factors(edge, &sums);
}

/*
 * norm2[i], scale[i] = factors of edge i.  A pass of its own: what follows it
 * then works on arrays, and the first cache line of each edge is under way
 * before the bits are needed.
 */
static inline void
get_factors(const uint8_t *edges, size_t stride, int n,
			float *restrict norm2, float *restrict scale)
{
	for (int i = 0; i < n; i++)
	{
		uint16_t	factors[2];

		memcpy(factors, edges + (size_t) i * stride, sizeof(factors));
		norm2[i] = quant_bf16_to_float(factors[0]);
		scale[i] = quant_bf16_to_float(factors[1]);
	}
}

/* sums[i] = sum of the query's codes over the set bits of edge i */
static inline void
sum_edges(const QuantQuery *query, const uint8_t *edges, size_t stride,
		  int n, int32_t *sums)
{
	kernels.sum_bits_s8(query->code, edges + EDGE_HEADER, stride, n,
						(size_t) query->nbits, sums);
}

/* x, or FLT_MAX if it is larger or NaN */
static inline float
limit(float x)
{
	return x < FLT_MAX ? x : FLT_MAX;
}

/*
 * Estimates of n edges, whose factors are in est[] (norm2) and var[] (scale).
 * Inlined with a constant n, which compilers vectorise at -O2.
 */
static inline void
estimate(const QuantQuery *query, float l2sq, int n,
		 const int32_t *restrict sums, float *restrict est,
		 float *restrict var)
{
	float		query_scale = query->scale;
	float		half_sum = query->half_sum;

	for (int i = 0; i < n; i++)
	{
		float		dot = query_scale * ((float) sums[i] - half_sum);
		float		scale = var[i];
		float		l2sq_est = l2sq + est[i] + scale * dot;
		float		variance = scale * scale * l2sq;

		est[i] = limit(l2sq_est);
		var[i] = limit(variance);
	}
}

void
quant_edge_estimate(const QuantQuery *query, const uint8_t *edges,
					size_t stride, int n, float l2sq, int32_t *restrict sums,
					float *restrict est, float *restrict var)
{
	int			i = 0;

	get_factors(edges, stride, n, est, var);
	sum_edges(query, edges, stride, n, sums);
	for (; i + LANES <= n; i += LANES)
		estimate(query, l2sq, LANES, sums + i, est + i, var + i);
	estimate(query, l2sq, n - i, sums + i, est + i, var + i);
}

/* the same for inner product; 'edges' is the first of them */
static inline void
estimate_ip(const QuantQuery *query, const uint8_t *edges, size_t stride,
			float own, float part, float p2, int n,
			const int32_t *restrict sums, float *restrict est,
			float *restrict var)
{
	float		worst = quant_bf16_to_float(BF16_MAX);
	float		half_scale = 0.5f * query->scale;
	float		half_sum = query->half_sum;
	size_t		behind = quant_edge_bytes(query->nbits);

	for (int i = 0; i < n; i++)
	{
		float		half_dot = half_scale * ((float) sums[i] - half_sum);
		float		scale = var[i];
		float		variance = scale * scale * p2;
		float		along;
		float		ip_est;

		memcpy(&along, edges + (size_t) i * stride + behind, sizeof(along));
		ip_est = own - part * along + scale * half_dot;

		/* norm2 has no part in this, but says which edge has no factors */
		ip_est = est[i] < worst ? ip_est : FLT_MAX;
		est[i] = limit(ip_est);
		var[i] = limit(variance);
	}
}

void
quant_edge_estimate_ip(const QuantQuery *query, const uint8_t *edges,
					   size_t stride, int n, float own, float part, float p2,
					   int32_t *restrict sums, float *restrict est,
					   float *restrict var)
{
	get_factors(edges, stride, n, est, var);
	sum_edges(query, edges, stride, n, sums);
	estimate_ip(query, edges, stride, own, part, p2, n, sums, est, var);
}

void
quant_edge_lengths(const uint8_t *edges, size_t stride, int n,
				   float *restrict l2sq)
{
	for (int i = 0; i < n; i++)
	{
		uint16_t	norm2;
		float		length;

		memcpy(&norm2, edges + (size_t) i * stride + offsetof(QuantEdge, norm2),
			   sizeof(norm2));
		length = quant_bf16_to_float(norm2);
		l2sq[i] = length > 0 ? limit(length) : 0;
	}
}

float
quant_edge_between(const QuantEdge *a, float ra2, const QuantEdge *b,
				   float rb2, int nbits)
{
	uint32_t	differ = kernels.hamming(a->bits, b->bits,
										 (size_t) nbits / 8);
	float		angle = PI * (float) differ / (float) nbits;
	float		l2sq = ra2 + rb2 - 2 * sqrtf(ra2) * sqrtf(rb2) * cosf(angle);

	return l2sq > 0 ? limit(l2sq) : 0;
}
