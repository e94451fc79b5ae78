/*-------------------------------------------------------------------------
 *
 * quant_own.h
 *	  The own code: a whole rotated vector in 8 bits a dimension.
 *
 *		offset	size	field
 *		0		4		scale	float, y_i ~ scale * code_i; 0 for the zero vector
 *		4		4		norm2	float, |scale * code|^2
 *		8		4		error	float, |y - scale * code| is never above this
 *		12		rdim	code	signed bytes in [-127, 127]
 *
 * Units are those of the vector.  Non-finite results of overflow are stored as
 * FLT_MAX so that no NaN ever lies on a page.
 *
 * IDENTIFICATION
 *	  src/quant/quant_own.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef QUANT_OWN_H
#define QUANT_OWN_H

#include <stddef.h>
#include <stdint.h>

typedef struct QuantOwn
{
	float		scale;
	float		norm2;
	float		error;
	int8_t		code[];			/* rdim of them */
} QuantOwn;

#define QUANT_OWN_HEADER	12

/*
 * The fine code: what is left of each coordinate, in four more bits.
 *
 *		y_i ~ scale / 16 * (16 code_i + low_i - 7.5)
 *
 * Its error is a sixteenth of the own code's.
 */
typedef struct QuantFine
{
	float		error;			/* |y - what is coded| is never above this */
	uint8_t		low[];			/* rdim / 2 of them: see l2sq_f32s12 in kernel.h */
} QuantFine;

/* Bytes of an own code: 12 + rdim. */
extern size_t quant_own_bytes(int rdim);

/*
 * quant_own_encode -- code a rotated vector y[rdim].
 *
 * 'slack' (absolute, >= 0) is what y itself may be off from the true rotated
 * vector; it is added to the error, together with the rounding of the sums.
 * own may be unaligned for anything but float access (4 bytes).
 */
extern void quant_own_encode(const float *y, int rdim, float slack,
							 QuantOwn *own);

/* Bytes of a fine code: 4 + rdim / 2. */
extern size_t quant_fine_bytes(int rdim);

/* Code what 'own', the own code of y, leaves; slack as above. */
extern void quant_fine_encode(const float *y, int rdim, float slack,
							  const QuantOwn *own, QuantFine *fine);

/*
 * Squared distance of q[rdim] from what both codes say.  A sum of squares:
 * its rounding is relative to itself, but for that of the coordinates, which
 * the error of the fine code allows for.
 */
extern float quant_fine_l2sq(const float *q, const QuantOwn *own,
							 const QuantFine *fine, int rdim);

/* 12-bit code of dimension i: 16 code_i + low_i */
extern int	quant_fine_code(const QuantOwn *own, const QuantFine *fine, int i);

/* y[rdim] = scale * code */
extern void quant_own_decode(const QuantOwn *own, int rdim, float *y);

/* <q, scale * code>; q[rdim] floats.  Rounding: see kernel.h. */
extern float quant_own_dot(const float *q, const QuantOwn *own, int rdim);

/* squared L2 between two coded vectors, >= 0, never NaN */
extern float quant_own_l2sq(const QuantOwn *a, const QuantOwn *b, int rdim);

#endif							/* QUANT_OWN_H */
