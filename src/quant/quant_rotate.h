/*-------------------------------------------------------------------------
 *
 * quant_rotate.h
 *	  A random rotation from a seed: signs, Hadamard transforms, butterflies.
 *
 * An orthogonal map from dim to rdim >= dim dimensions that makes the
 * coordinates of any vector look like Gaussian noise, which 8-bit and 1-bit
 * codes need.  O(rdim log rdim), no training, the same on every machine.
 *
 * Four rounds; each multiplies by random signs and transforms one block of
 * length b = the largest power of two <= rdim (the first b elements in even
 * rounds, the last b in odd ones) scaled by 1/sqrt(b).  After each odd round,
 * when every element has been in a block, the halves are mixed, unless b is
 * rdim: (x_i, x_{i + rdim/2}) -> (sum, difference) / sqrt(2).  (Mixed after
 * every round, an element outside the block would move to where the next
 * block is not, and a quarter of its length would never be spread; with b =
 * rdim mixing would undo the last stage of the transform.)
 *
 * Four rounds are enough for dense vectors.  For two vectors of one or two
 * non-zero elements each, and rdim = 3 * 2^k, a 1-bit estimate can keep a bias
 * of half its standard error (test/unit/quant_edge_test.c); six rounds bring
 * that below a tenth, for 1.5 times the cost.
 *
 * Source: RaBitQ (arXiv 2405.12497) asks for a random orthogonal matrix; fast
 * Hadamard rotations are from Ailon and Chazelle (2009).
 *
 * IDENTIFICATION
 *	  src/quant/quant_rotate.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef QUANT_ROTATE_H
#define QUANT_ROTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUANT_ROUNDS		4
/* fewer rotated dimensions make 1-bit codes too coarse to rank with */
#define QUANT_MIN_RDIM		64
/* bound on |out - R in| / |in|, see quant_rotate: 2^-18 */
#define QUANT_ROTATE_ERROR	(1.0f / 262144)

typedef struct QuantRotation
{
	int			dim;			/* of the input */
	int			rdim;			/* of the output */
	int			block;			/* largest power of two <= rdim */
	bool		has_mixing;		/* block < rdim */
	const float *signs;			/* QUANT_ROUNDS * rdim factors: signs times
								 * the scales of the round */
} QuantRotation;

/* Rotated dimensions for 'dim': rounded up to 16, at least QUANT_MIN_RDIM. */
extern int	quant_rotated_dim(int dim);

/* Bytes that quant_rotation_init needs at 'space'. */
extern size_t quant_rotation_bytes(int dim);

/* Prepare a rotation; 'space' (float-aligned) must live as long as it does. */
extern void quant_rotation_init(QuantRotation *rotation, int dim,
								uint64_t seed, void *space);

/*
 * quant_rotate -- out[rdim] = R in[dim].
 *
 * in and out must not overlap.  |out - R in| <= QUANT_ROTATE_ERROR |in|, as
 * long as no element overflows or gets denormal: a round is at most 16
 * operations (the factor, its product, log2(block) + 1 additions), each
 * relatively off by at most 2^-24.  About 2^-22 is typical.
 */
extern void quant_rotate(const QuantRotation *rotation, const float *in,
						 float *out);

#endif							/* QUANT_ROTATE_H */
