/*-------------------------------------------------------------------------
 *
 * kernel_neon_panel.c
 *	  Panel kernels for 64-bit ARM.
 *
 * Bits are counted in bytes as long as these cannot overflow.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_neon_panel.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__aarch64__)

#include "kernel/kernel_neon.h"

/* 16 sums, of 32 registers */
#define ROWS		4
#define BIT_ROWS	2
#define BYTE_ROWS	2

/* bytes of a string whose bits, 8 of a byte at most, fit a byte: 31 groups */
#define COUNT_BYTES	(31 * 4)

typedef int32x4_t Integers;

HELPER Integers
zero_integers(void)
{
	return vdupq_n_s32(0);
}

HELPER Floats
as_floats(Integers x)
{
	return vcvtq_f32_s32(x);
}

HELPER Integers
load_four(const void *x)
{
	return vreinterpretq_s32_s8(vld1q_s8(x));
}

HELPER Integers
all_four(const void *x)
{
	int32_t		four;

	memcpy(&four, x, sizeof(four));
	return vdupq_n_s32(four);
}

HELPER Floats
multiply(Floats x, Floats y)
{
	return vmulq_f32(x, y);
}

HELPER Floats
divide(Floats x, Floats y)
{
	return vdivq_f32(x, y);
}

/* y if either is NaN */
HELPER Floats
maximum(Floats x, Floats y)
{
	return vbslq_f32(vcgtq_f32(x, y), x, y);
}

/* y where x is 0, else z */
HELPER Floats
select_zero(Floats x, Floats y, Floats z)
{
	return vbslq_f32(vceqzq_f32(x), y, z);
}

/* Store LANES distances, and say which are near. */
HELPER unsigned int
store_near(float *dist, Floats x, float bound)
{
	const uint32x4_t bit = {1, 2, 4, 8};
	uint32x4_t	is_near = vcltq_f32(x, vdupq_n_f32(bound));

	vst1q_f32(dist, x);
	return vaddvq_u32(vandq_u32(is_near, bit));
}

/* ---- 8-bit codes ---- */

typedef int8x16_t Codes;

HELPER Codes
as_codes(Integers x)
{
	return vreinterpretq_s8_s32(x);
}

/* a product is at most 127 * 127 < 2^15; pairs are added in 32 bits */
HELPER Integers
add_products(Integers sum, Codes x, Integers y)
{
	int8x16_t	y_s8 = vreinterpretq_s8_s32(y);
	int16x8_t	low = vmull_s8(vget_low_s8(x), vget_low_s8(y_s8));
	int16x8_t	high = vmull_high_s8(x, y_s8);

	return vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
}

HELPER Integers
first_products(int32_t sum)
{
	(void) sum;
	return zero_integers();
}

/* ---- codes without a sign ---- */

typedef uint8x16_t Eights;
typedef uint64x2_t Sums;

HELPER Sums
zero_sums(void)
{
	return vdupq_n_u64(0);
}

HELPER Eights
load_eight(const uint8_t *x)
{
	return vld1q_u8(x);
}

HELPER Eights
all_eight(const uint8_t *x)
{
	uint8x8_t	eight = vld1_u8(x);

	return vcombine_u8(eight, eight);
}

HELPER Sums
add_differences(Sums sum, Eights x, Eights y)
{
	return vpadalq_u32(sum, vpaddlq_u16(vpaddlq_u8(vabdq_u8(x, y))));
}

HELPER Floats
join_sums(Sums x, Sums y)
{
	return vcvtq_f32_u32(vcombine_u32(vmovn_u64(x), vmovn_u64(y)));
}

/* ---- bits ---- */

/* in each byte the bits that have been set in it */
HELPER Integers
add_bits(Integers count, Integers x)
{
	uint8x16_t	bits = vcntq_u8(vreinterpretq_u8_s32(x));

	return vreinterpretq_s32_u8(vaddq_u8(vreinterpretq_u8_s32(count), bits));
}

HELPER Integers
add_counts(Integers sum, Integers count)
{
	uint16x8_t	pairs = vpaddlq_u8(vreinterpretq_u8_s32(count));

	return vaddq_s32(sum, vreinterpretq_s32_u32(vpaddlq_u16(pairs)));
}

HELPER Integers
differing(Integers x, Integers y)
{
	return veorq_s32(x, y);
}

HELPER Integers
common(Integers x, Integers y)
{
	return vandq_s32(x, y);
}

#include "kernel/kernel_panel_loops.h"

const Kernels kernels_neon_panel = {
	.isa = "neon",
	.panel_near_s8 = panel_near_s8,
	.panel_near_f32 = panel_near_f32,
	.panel_near_l1 = panel_near_l1,
	.panel_near_u8 = panel_near_u8,
	.panel_near_hamming = panel_near_hamming,
	.panel_near_jaccard = panel_near_jaccard,
};

#else

/* ISO C wants something in every file */
typedef int KernelNeonPanelUnused;

#endif							/* __aarch64__ */
