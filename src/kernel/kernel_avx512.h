/*-------------------------------------------------------------------------
 *
 * kernel_avx512.h
 *	  The words of kernel_avx2.h for AVX-512 (F, BW, DQ, VL, VNNI).
 *
 * What is left at the end is loaded under a mask; elements outside it are zeros.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx512.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef KERNEL_AVX512_H
#define KERNEL_AVX512_H

#include <immintrin.h>
#include <string.h>

#include "kernel/kernel_tables.h"

#define TARGET \
	target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl," \
		   "avx512vnni,avx512vpopcntdq")
#define KERNEL	static __attribute__((TARGET))
#define HELPER	static inline __attribute__((TARGET, always_inline))

/* Products that must be rounded have forms that gcc does not fuse. */
#define EXACT_KERNEL	KERNEL
#define EXACT_HELPER	HELPER

#define LANES	16

typedef __m512 Floats;

HELPER Floats
zero_floats(void)
{
	return _mm512_setzero_ps();
}

HELPER Floats
all_floats(float x)
{
	return _mm512_set1_ps(x);
}

HELPER Floats
add(Floats x, Floats y)
{
	return _mm512_add_ps(x, y);
}

HELPER Floats
subtract(Floats x, Floats y)
{
	return _mm512_sub_ps(x, y);
}

/* the product, rounded */
HELPER Floats
multiply(Floats x, Floats y)
{
	return _mm512_mul_round_ps(x, y, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* x y + z, rounded once */
HELPER Floats
multiply_add(Floats x, Floats y, Floats z)
{
	return _mm512_fmadd_ps(x, y, z);
}

/* sum + x^2; how it is rounded does not matter */
HELPER Floats
add_square(Floats sum, Floats x)
{
	return _mm512_fmadd_ps(x, x, sum);
}

HELPER Floats
absolute(Floats x)
{
	return _mm512_abs_ps(x);
}

/* y if either is NaN */
HELPER Floats
maximum(Floats x, Floats y)
{
	return _mm512_max_ps(x, y);
}

/* the same */
HELPER Floats
minimum(Floats x, Floats y)
{
	return _mm512_min_ps(x, y);
}

/* the two halves added */
HELPER __m256
fold_floats(Floats x)
{
	return _mm256_add_ps(_mm512_castps512_ps256(x),
						 _mm512_extractf32x8_ps(x, 1));
}

/* sum of the elements */
HELPER float
sum_lanes(Floats x)
{
	__m256		y = fold_floats(x);
	__m128		s = _mm_add_ps(_mm256_castps256_ps128(y),
							   _mm256_extractf128_ps(y, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

/* the largest element; none is NaN */
HELPER float
max_lane(Floats x)
{
	return _mm512_reduce_max_ps(x);
}

/* mask of the first n < LANES elements */
HELPER __mmask16
first_lanes(size_t n)
{
	return (__mmask16) ((1u << n) - 1);
}

/* mask of the first n < 64 bytes */
HELPER __mmask64
first_bytes(size_t n)
{
	return (UINT64_C(1) << n) - 1;
}

/* ---- float32 ---- */

HELPER Floats
load_f32(const float *x)
{
	return _mm512_loadu_ps(x);
}

HELPER Floats
load_first_f32(const float *x, size_t n)
{
	return _mm512_maskz_loadu_ps(first_lanes(n), x);
}

HELPER void
store_f32(float *to, Floats x)
{
	_mm512_storeu_ps(to, x);
}

HELPER void
store_first_f32(float *to, size_t n, Floats x)
{
	_mm512_mask_storeu_ps(to, first_lanes(n), x);
}

/* ---- binary16 ---- */

HELPER Floats
load_f16(const uint16_t *x)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) x));
}

HELPER Floats
load_first_f16(const uint16_t *x, size_t n)
{
	return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n), x));
}

HELPER void
store_f16(uint16_t *to, Floats x)
{
	_mm256_storeu_si256((__m256i *) to,
						_mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

HELPER void
store_first_f16(uint16_t *to, size_t n, Floats x)
{
	_mm256_mask_storeu_epi16(to, first_lanes(n),
							 _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

/* ---- 8-bit codes ---- */

HELPER Floats
load_s8(const int8_t *x)
{
	__m128i		x_s8 = _mm_loadu_si128((const __m128i *) x);

	return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(x_s8));
}

HELPER Floats
load_first_s8(const int8_t *x, size_t n)
{
	__m128i		x_s8 = _mm_maskz_loadu_epi8(first_lanes(n), x);

	return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(x_s8));
}

/* sum of n codes */
HELPER int32_t
sum_s8(const int8_t *x, size_t n)
{
	const __m512i ones = _mm512_set1_epi8(1);
	__m512i		sum = _mm512_setzero_si512();
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
		sum = _mm512_dpbusd_epi32(sum, ones, _mm512_loadu_si512(x + i));
	if (i < n)
		sum = _mm512_dpbusd_epi32(sum, ones,
								  _mm512_maskz_loadu_epi8(first_bytes(n - i),
														  x + i));
	return _mm512_reduce_add_epi32(sum);
}

#endif							/* KERNEL_AVX512_H */
