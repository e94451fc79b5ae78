/*-------------------------------------------------------------------------
 *
 * quant_edge.h
 *	  The edge code: a neighbour relative to its node, 1 bit a dimension.
 *
 *		offset	size		field
 *		0		2			norm2	bfloat16
 *		2		2			scale	bfloat16
 *		4		nbits / 8	bits	sign bits of r = neighbour - node, rotated
 *
 * With x' in {-1/2, +1/2}^nbits the signs of r (nbits <= rdim: the first nbits
 * rotated dimensions), c the node and q the query:
 *
 *		norm2 = |r|^2                        (over all rdim dimensions)
 *		scale = -2 |r|^2 / <r, x'>
 *		   <p, r> ~ -scale / 2 * <p, x'>     for any p
 *		|q - o|^2 ~ |q - c|^2 + norm2 + scale * <q - c, x'>
 *
 * What is asked of a code is always the query less the node, or less a part of
 * it, so that nothing is lost to rounding where both are large and near to each
 * other: far from the origin, in clusters, among near duplicates.  Inner product:
 * with p = q - part * c, orthogonal to c, and <c, r> kept beside the code,
 *
 *		 -<q, o>  ~ -<q, c> - part * <c, r> + scale / 2 * <p, x'>
 *
 * r = 0 gives norm2 = scale = 0.  Non-finite factors are stored as zero with
 * the largest bfloat16 as norm2, so that such an edge ranks last and no NaN lies
 * on a page.
 *
 * Source: RaBitQ (Gao and Long, SIGMOD 2024, arXiv 2405.12497), relative to
 * the node as in SymphonyQG (SIGMOD 2025, arXiv 2411.12229).
 *
 * IDENTIFICATION
 *	  src/quant/quant_edge.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef QUANT_EDGE_H
#define QUANT_EDGE_H

#include <stddef.h>
#include <stdint.h>

#include "quant/quant_own.h"
#include "quant/quant_query.h"

typedef struct QuantEdge
{
	uint16_t	norm2;			/* bfloat16 */
	uint16_t	scale;			/* bfloat16 */
	uint8_t		bits[];			/* nbits / 8 of them */
} QuantEdge;

extern uint16_t quant_bf16_from_float(float x);	/* round to nearest even */
extern float quant_bf16_to_float(uint16_t x);

/* Bytes of an edge code: 4 + nbits / 8. */
extern size_t quant_edge_bytes(int nbits);

/* Code neighbour o relative to node c, both own codes of rdim dimensions. */
extern void quant_edge_encode(const QuantOwn *c, const QuantOwn *o, int rdim,
							  int nbits, QuantEdge *edge);

/* The same from rotated floats: r[rdim] = o - c. */
extern void quant_edge_encode_f32(const float *r, int rdim, int nbits,
								  QuantEdge *edge);

/*
 * quant_edge_estimate -- distances from a query to n neighbours of a node.
 *
 * query: q - c, prepared.  edges: the first edge code; the next ones lie
 * 'stride' bytes apart.  l2sq = |q - c|^2.  sums: scratch for n int32.
 * est[i]: estimate of |q - o_i|^2, may be slightly negative; never NaN, and
 * FLT_MAX at most, as is var[i].
 * var[i]: proportional to the variance of est[i]: scale_i^2 * l2sq (the error
 * of a 1-bit code is about 0.3 |scale| |q - c|, for random rotations).
 */
extern void quant_edge_estimate(const QuantQuery *query, const uint8_t *edges,
								size_t stride, int n, float l2sq,
								int32_t *sums, float *est, float *var);

/*
 * The same for inner product: est[i] of -<q, o_i>; own = -<q, c>.  query: p,
 * prepared; p2 = |p|^2.  A float behind each code is <c, r_i>.
 */
extern void quant_edge_estimate_ip(const QuantQuery *query,
								   const uint8_t *edges, size_t stride, int n,
								   float own, float part, float p2,
								   int32_t *sums, float *est, float *var);

/* |r|^2 of n edges, as rounded to bfloat16; never negative, FLT_MAX at most. */
extern void quant_edge_lengths(const uint8_t *edges, size_t stride, int n,
							   float *l2sq);

/*
 * Squared distance of two neighbours of one node from their codes alone:
 * ra2 + rb2 - 2 sqrt(ra2 rb2) cos(pi * hamming / nbits), >= 0.
 * Standard error of the angle about pi / (2 sqrt(nbits)).
 */
extern float quant_edge_between(const QuantEdge *a, float ra2,
								const QuantEdge *b, float rb2, int nbits);

#endif							/* QUANT_EDGE_H */
