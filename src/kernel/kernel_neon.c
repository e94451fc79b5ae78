/*-------------------------------------------------------------------------
 *
 * kernel_neon.c
 *	  Distance kernels for 64-bit ARM: Advanced SIMD of the base architecture.
 *
 * Entries that are not here are those of the scalar table.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_neon.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__aarch64__)

#include "kernel/kernel_neon.h"
#include "kernel/kernel_float_loops.h"

/* ---- 8-bit codes ---- */

/* sum + (a - step * (code - 7.5))^2 of 4 elements */
static inline float32x4_t
add_fine_l2sq(float32x4_t sum, const float *a, int16x4_t code,
			  float32x4_t step)
{
	float32x4_t x = vsubq_f32(vcvtq_f32_s32(vmovl_s16(code)),
							  vdupq_n_f32(7.5f));
	float32x4_t d = vfmsq_f32(vld1q_f32(a), step, x);

	return vfmaq_f32(sum, d, d);
}

KERNEL float
l2sq_f32s12(const float *a, const int8_t *high, const uint8_t *low,
			float step, size_t n)
{
	const float32x4_t steps = vdupq_n_f32(step);
	float32x4_t s0 = vdupq_n_f32(0);
	float32x4_t s1 = s0;
	float32x4_t s2 = s0;
	float32x4_t s3 = s0;

	for (size_t i = 0; i < n; i += 16)
	{
		int8x16_t	high_s8 = vld1q_s8(high + i);
		uint8x8_t	packed = vld1_u8(low + i / 2);
		uint16x8_t	first = vmovl_u8(vand_u8(packed, vdup_n_u8(15)));
		uint16x8_t	second = vmovl_u8(vshr_n_u8(packed, 4));
		int16x8_t	code0 = vorrq_s16(vshll_n_s8(vget_low_s8(high_s8), 4),
									  vreinterpretq_s16_u16(first));
		int16x8_t	code1 = vorrq_s16(vshll_n_s8(vget_high_s8(high_s8), 4),
									  vreinterpretq_s16_u16(second));

		s0 = add_fine_l2sq(s0, a + i, vget_low_s16(code0), steps);
		s1 = add_fine_l2sq(s1, a + i + 4, vget_high_s16(code0), steps);
		s2 = add_fine_l2sq(s2, a + i + 8, vget_low_s16(code1), steps);
		s3 = add_fine_l2sq(s3, a + i + 12, vget_high_s16(code1), steps);
	}
	return sum_lanes(add(add(s0, s1), add(s2, s3)));
}

/* a product is at most 127 * 127 < 2^15; pairs are added in 32 bits */
KERNEL int32_t
dot_s8(const int8_t *a, const int8_t *b, size_t n)
{
	int32x4_t	s0 = vdupq_n_s32(0);
	int32x4_t	s1 = s0;
	int32_t		sum;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		int8x16_t	x = vld1q_s8(a + i);
		int8x16_t	y = vld1q_s8(b + i);

		s0 = vpadalq_s16(s0, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
		s1 = vpadalq_s16(s1, vmull_high_s8(x, y));
	}
	sum = vaddvq_s32(vaddq_s32(s0, s1));
	for (; i < n; i++)
		sum += (int32_t) a[i] * b[i];
	return sum;
}

/* ---- one vector against some ---- */

KERNEL void
rows_l2sq_f32(const float *x, const KernelForms *rows, size_t n, float *dist)
{
	for (int r = 0; r < rows->n; r++)
		dist[r] = l2sq_f32(x, rows->x[r], n);
}

KERNEL void
rows_l1_f32(const float *x, const KernelForms *rows, size_t n, float *dist)
{
	for (int r = 0; r < rows->n; r++)
		dist[r] = l1_f32(x, rows->x[r], n);
}

/* ---- bit codes ---- */

/*
 * A pair of q adds at most 2 * 127 to a 16-bit element, so this many additions
 * stay below 2^15.
 */
#define SUM_BITS_BATCH	128

/* q_i where bit i of the two bytes at 'code' is set, else zero */
static inline int8x16_t
select_s8x16(const uint8_t *code, const int8_t *q)
{
	static const uint8_t bit_of[16] = {1, 2, 4, 8, 16, 32, 64, 128,
	1, 2, 4, 8, 16, 32, 64, 128};
	uint8x16_t	bits = vcombine_u8(vdup_n_u8(code[0]), vdup_n_u8(code[1]));
	uint8x16_t	is_set = vtstq_u8(bits, vld1q_u8(bit_of));

	return vandq_s8(vreinterpretq_s8_u8(is_set), vld1q_s8(q));
}

/* one code */
static inline int32_t
sum_bits_1(const int8_t *q, const uint8_t *code, size_t n)
{
	int32x4_t	sum = vdupq_n_s32(0);
	size_t		i = 0;

	while (i < n)
	{
		size_t		nadds = (n - i) / 16;
		size_t		end;
		int16x8_t	batch = vdupq_n_s16(0);

		nadds = nadds < SUM_BITS_BATCH ? nadds : SUM_BITS_BATCH;
		end = i + 16 * nadds;
		for (; i < end; i += 16)
			batch = vpadalq_s8(batch, select_s8x16(code + i / 8, q + i));
		sum = vpadalq_s16(sum, batch);
	}
	return vaddvq_s32(sum);
}

KERNEL void
sum_bits_s8(const int8_t *q, const uint8_t *codes, size_t stride, int ncodes,
			size_t n, int32_t *sums)
{
	for (int k = 0; k < ncodes; k++)
		sums[k] = sum_bits_1(q, codes + (size_t) k * stride, n);
}

KERNEL uint32_t
hamming(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint32x4_t	sum = vdupq_n_u32(0);
	uint32_t	count;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		uint8x16_t	x = veorq_u8(vld1q_u8(a + i), vld1q_u8(b + i));

		sum = vpadalq_u16(sum, vpaddlq_u8(vcntq_u8(x)));
	}
	count = vaddvq_u32(sum);
	for (; i < n; i++)
		count += (uint32_t) __builtin_popcount(a[i] ^ b[i]);
	return count;
}

/* ---- bytes in reverse order ---- */

/* 4 bytes each, reversed; finite: see kernel_scalar.c */
KERNEL bool
swap_f32(const void *from, size_t n, void *to)
{
	uint32x4_t	largest = vdupq_n_u32(0);
	size_t		i = 0;

	for (; i + 4 <= n; i += 4)
	{
		uint8x16_t	x = vrev32q_u8(vld1q_u8((const uint8_t *) from + 4 * i));

		vst1q_u8((uint8_t *) to + 4 * i, x);
		largest = vmaxq_u32(largest, vshlq_n_u32(vreinterpretq_u32_u8(x), 1));
	}
	return kernels_scalar.swap_f32((const char *) from + 4 * i, n - i,
								   (char *) to + 4 * i) &&
		vmaxvq_u32(largest) < 0xff000000;
}

/* 2 bytes each, reversed; finite: see kernel_scalar.c */
KERNEL bool
swap_f16(const void *from, size_t n, void *to)
{
	uint16x8_t	largest = vdupq_n_u16(0);
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		uint8x16_t	x = vrev16q_u8(vld1q_u8((const uint8_t *) from + 2 * i));

		vst1q_u8((uint8_t *) to + 2 * i, x);
		largest = vmaxq_u16(largest, vshlq_n_u16(vreinterpretq_u16_u8(x), 1));
	}
	return kernels_scalar.swap_f16((const char *) from + 2 * i, n - i,
								   (char *) to + 2 * i) &&
		vmaxvq_u16(largest) < 0xf800;
}

const Kernels kernels_neon = {
	.isa = "neon",
	.l2sq_f32 = l2sq_f32,
	.dot_f32 = dot_f32,
	.l1_f32 = l1_f32,
	.cosine_f32 = cosine_f32,
	.l2sq_f16 = l2sq_f16,
	.dot_f16 = dot_f16,
	.l1_f16 = l1_f16,
	.cosine_f16 = cosine_f16,
	.half_to_float = half_to_float,
	.float_to_half = float_to_half,
	.dot_f32s8 = dot_f32s8,
	.dot_s8 = dot_s8,
	.l2sq_f32s12 = l2sq_f32s12,
	.rows_l2sq_f32 = rows_l2sq_f32,
	.rows_l1_f32 = rows_l1_f32,
	.sum_bits_s8 = sum_bits_s8,
	.hamming = hamming,
	.swap_f32 = swap_f32,
	.swap_f16 = swap_f16,
};

#else

/* ISO C wants something in every file */
typedef int KernelNeonUnused;

#endif							/* __aarch64__ */
