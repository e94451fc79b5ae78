/*-------------------------------------------------------------------------
 *
 * kernel_avx2_panel.c
 *	  Panel kernels for x86-64 with AVX2 and FMA.
 *
 * Bits are counted by a table of 16 bytes, in bytes as long as these cannot
 * overflow.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx2_panel.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include "kernel/kernel_avx2.h"

#define ROWS		4
#define BIT_ROWS	1
#define BYTE_ROWS	2

/* bytes of a string whose bits, 8 of a byte at most, fit a byte: 31 groups */
#define COUNT_BYTES	(31 * 4)

typedef __m256i Integers;

HELPER Integers
zero_integers(void)
{
	return _mm256_setzero_si256();
}

HELPER Floats
as_floats(Integers x)
{
	return _mm256_cvtepi32_ps(x);
}

HELPER Integers
load_four(const void *x)
{
	return _mm256_loadu_si256((const __m256i *) x);
}

HELPER Integers
all_four(const void *x)
{
	int32_t		four;

	memcpy(&four, x, sizeof(four));
	return _mm256_set1_epi32(four);
}

HELPER Floats
divide(Floats x, Floats y)
{
	return _mm256_div_ps(x, y);
}

/* y where x is 0, else z */
HELPER Floats
select_zero(Floats x, Floats y, Floats z)
{
	return _mm256_blendv_ps(z, y, _mm256_cmp_ps(x, _mm256_setzero_ps(),
												_CMP_EQ_OQ));
}

/* Store LANES distances, and say which are near. */
HELPER unsigned int
store_near(float *dist, Floats x, float bound)
{
	_mm256_storeu_ps(dist, x);
	return (unsigned int) _mm256_movemask_ps(
					_mm256_cmp_ps(x, _mm256_set1_ps(bound), _CMP_LT_OQ));
}

/* ---- 8-bit codes ---- */

HELPER Integers
first_products(int32_t sum)
{
	(void) sum;
	return zero_integers();
}

/* ---- codes without a sign ---- */

typedef __m256i Eights;
typedef __m256i Sums;

HELPER Sums
zero_sums(void)
{
	return _mm256_setzero_si256();
}

HELPER Eights
load_eight(const uint8_t *x)
{
	return _mm256_loadu_si256((const __m256i *) x);
}

HELPER Eights
all_eight(const uint8_t *x)
{
	int64_t		eight;

	memcpy(&eight, x, sizeof(eight));
	return _mm256_set1_epi64x(eight);
}

HELPER Sums
add_differences(Sums sum, Eights x, Eights y)
{
	return _mm256_add_epi64(sum, _mm256_sad_epu8(x, y));
}

/* sums are below 2^31: the lower halves, of each register in order */
HELPER Floats
join_sums(Sums x, Sums y)
{
	__m256		lower = _mm256_shuffle_ps(_mm256_castsi256_ps(x),
										  _mm256_castsi256_ps(y),
										  _MM_SHUFFLE(2, 0, 2, 0));

	return _mm256_cvtepi32_ps(_mm256_permute4x64_epi64(_mm256_castps_si256(lower),
													   _MM_SHUFFLE(3, 1, 2, 0)));
}

/* ---- bits ---- */

/* in each byte the bits that have been set in it */
HELPER Integers
add_bits(Integers count, Integers x)
{
	const __m256i table =
		_mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
						 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i low_half = _mm256_set1_epi8(0x0f);
	__m256i		low = _mm256_and_si256(x, low_half);
	__m256i		high = _mm256_and_si256(_mm256_srli_epi16(x, 4), low_half);

	count = _mm256_add_epi8(count, _mm256_shuffle_epi8(table, low));
	return _mm256_add_epi8(count, _mm256_shuffle_epi8(table, high));
}

HELPER Integers
add_counts(Integers sum, Integers count)
{
	__m256i		pairs = _mm256_maddubs_epi16(count, _mm256_set1_epi8(1));

	return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs,
												   _mm256_set1_epi16(1)));
}

HELPER Integers
differing(Integers x, Integers y)
{
	return _mm256_xor_si256(x, y);
}

HELPER Integers
common(Integers x, Integers y)
{
	return _mm256_and_si256(x, y);
}

#include "kernel/kernel_panel_loops.h"

const Kernels kernels_avx2_panel = {
	.isa = "avx2",
	.panel_near_s8 = panel_near_s8,
	.panel_near_f32 = panel_near_f32,
	.panel_near_l1 = panel_near_l1,
	.panel_near_u8 = panel_near_u8,
	.panel_near_hamming = panel_near_hamming,
	.panel_near_jaccard = panel_near_jaccard,
};

#else

/* ISO C wants something in every file */
typedef int KernelAvx2PanelUnused;

#endif							/* __x86_64__ */
