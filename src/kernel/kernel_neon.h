/*-------------------------------------------------------------------------
 *
 * kernel_neon.h
 *	  The words of kernel_avx2.h for 64-bit ARM.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_neon.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef KERNEL_NEON_H
#define KERNEL_NEON_H

#include <arm_neon.h>
#include <string.h>

#include "kernel/kernel_tables.h"

#define KERNEL	static
#define HELPER	static inline __attribute__((always_inline))

#define LANES	4

typedef float32x4_t Floats;

HELPER Floats
zero_floats(void)
{
	return vdupq_n_f32(0);
}

HELPER Floats
all_floats(float x)
{
	return vdupq_n_f32(x);
}

HELPER Floats
add(Floats x, Floats y)
{
	return vaddq_f32(x, y);
}

HELPER Floats
subtract(Floats x, Floats y)
{
	return vsubq_f32(x, y);
}

/* x y + z, rounded once */
HELPER Floats
multiply_add(Floats x, Floats y, Floats z)
{
	return vfmaq_f32(z, x, y);
}

HELPER Floats
absolute(Floats x)
{
	return vabsq_f32(x);
}

/* sum of the elements */
HELPER float
sum_lanes(Floats x)
{
	return vaddvq_f32(x);
}

/* ---- float32 ---- */

HELPER Floats
load_f32(const float *x)
{
	return vld1q_f32(x);
}

HELPER Floats
load_first_f32(const float *x, size_t n)
{
	float		tail[LANES] = {0};

	memcpy(tail, x, n * sizeof(float));
	return load_f32(tail);
}

HELPER void
store_f32(float *to, Floats x)
{
	vst1q_f32(to, x);
}

HELPER void
store_first_f32(float *to, size_t n, Floats x)
{
	float		tail[LANES];

	store_f32(tail, x);
	memcpy(to, tail, n * sizeof(float));
}

/* ---- binary16: conversions are all that the base architecture has ---- */

HELPER Floats
load_f16(const uint16_t *x)
{
	return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(x)));
}

HELPER Floats
load_first_f16(const uint16_t *x, size_t n)
{
	uint16_t	tail[LANES] = {0};

	memcpy(tail, x, n * sizeof(uint16_t));
	return load_f16(tail);
}

HELPER void
store_f16(uint16_t *to, Floats x)
{
	vst1_u16(to, vreinterpret_u16_f16(vcvt_f16_f32(x)));
}

HELPER void
store_first_f16(uint16_t *to, size_t n, Floats x)
{
	uint16_t	tail[LANES];

	store_f16(tail, x);
	memcpy(to, tail, n * sizeof(uint16_t));
}

/* ---- 8-bit codes ---- */

HELPER Floats
load_s8(const int8_t *x)
{
	int32_t		four;

	memcpy(&four, x, sizeof(four));
	return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four))))));
}

HELPER Floats
load_first_s8(const int8_t *x, size_t n)
{
	int8_t		tail[LANES] = {0};

	memcpy(tail, x, n);
	return load_s8(tail);
}

#endif							/* KERNEL_NEON_H */
