/*-------------------------------------------------------------------------
 *
 * kernel_avx512_panel.c
 *	  Panel kernels for x86-64 with AVX-512 (F, BW, VL, VNNI, VPOPCNTDQ).
 *
 * A panel is one register wide, and a row's next element is an operand that the
 * instruction itself broadcasts.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx512_panel.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include "kernel/kernel_avx512.h"

#define ROWS		8
#define BIT_ROWS	8
#define BYTE_ROWS	8

/* counts are 32-bit integers from the start */
#define COUNT_BYTES	((size_t) 1 << 28)

typedef __m512i Integers;

HELPER Integers
zero_integers(void)
{
	return _mm512_setzero_si512();
}

HELPER Floats
as_floats(Integers x)
{
	return _mm512_cvtepi32_ps(x);
}

HELPER Integers
load_four(const void *x)
{
	return _mm512_loadu_si512(x);
}

HELPER Integers
all_four(const void *x)
{
	int32_t		four;

	memcpy(&four, x, sizeof(four));
	return _mm512_set1_epi32(four);
}

HELPER Floats
divide(Floats x, Floats y)
{
	return _mm512_div_ps(x, y);
}

/* y where x is 0, else z */
HELPER Floats
select_zero(Floats x, Floats y, Floats z)
{
	return _mm512_mask_mov_ps(z, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(),
													_CMP_EQ_OQ), y);
}

/* Store LANES distances, and say which are near. */
HELPER unsigned int
store_near(float *dist, Floats x, float bound)
{
	_mm512_storeu_ps(dist, x);
	return _mm512_cmp_ps_mask(x, _mm512_set1_ps(bound), _CMP_LT_OQ);
}

/* ---- 8-bit codes ---- */

/*
 * dpbusd wants one side unsigned: 128 is added to the panel's codes, and 128
 * times the row's sum taken off.
 */
typedef __m512i Codes;

HELPER Codes
as_codes(Integers x)
{
	return _mm512_xor_si512(x, _mm512_set1_epi8((char) 0x80));
}

HELPER Integers
add_products(Integers sum, Codes x, Integers y)
{
	return _mm512_dpbusd_epi32(sum, x, y);
}

HELPER Integers
first_products(int32_t sum)
{
	return _mm512_set1_epi32(-128 * sum);
}

/* ---- codes without a sign ---- */

typedef __m512i Eights;
typedef __m512i Sums;

HELPER Sums
zero_sums(void)
{
	return _mm512_setzero_si512();
}

HELPER Eights
load_eight(const uint8_t *x)
{
	return _mm512_loadu_si512(x);
}

HELPER Eights
all_eight(const uint8_t *x)
{
	int64_t		eight;

	memcpy(&eight, x, sizeof(eight));
	return _mm512_set1_epi64(eight);
}

HELPER Sums
add_differences(Sums sum, Eights x, Eights y)
{
	return _mm512_add_epi64(sum, _mm512_sad_epu8(x, y));
}

HELPER Floats
join_sums(Sums x, Sums y)
{
	__m512i		sums = _mm512_castsi256_si512(_mm512_cvtepi64_epi32(x));

	return _mm512_cvtepi32_ps(_mm512_inserti64x4(sums,
												 _mm512_cvtepi64_epi32(y), 1));
}

/* ---- bits ---- */

HELPER Integers
add_bits(Integers count, Integers x)
{
	return _mm512_add_epi32(count, _mm512_popcnt_epi32(x));
}

HELPER Integers
add_counts(Integers sum, Integers count)
{
	return _mm512_add_epi32(sum, count);
}

HELPER Integers
differing(Integers x, Integers y)
{
	return _mm512_xor_si512(x, y);
}

HELPER Integers
common(Integers x, Integers y)
{
	return _mm512_and_si512(x, y);
}

#include "kernel/kernel_panel_loops.h"

const Kernels kernels_avx512_panel = {
	.isa = "avx512",
	.panel_near_s8 = panel_near_s8,
	.panel_near_f32 = panel_near_f32,
	.panel_near_l1 = panel_near_l1,
	.panel_near_u8 = panel_near_u8,
	.panel_near_hamming = panel_near_hamming,
	.panel_near_jaccard = panel_near_jaccard,
};

#else

/* ISO C wants something in every file */
typedef int KernelAvx512PanelUnused;

#endif							/* __x86_64__ */
