/*-------------------------------------------------------------------------
 *
 * kernel_avx2.h
 *	  The words in which loops over floats are written, for AVX2, FMA and F16C.
 *
 * Each instruction set has such a header, with the same words: a register of
 * LANES floats (Floats), and what is done with it.  The loops are in the headers
 * kernel_*_loops.h, once for all; a file kernel_avx2*.c includes these words
 * and the loops it wants.
 *
 * load_<form>(x) are the next LANES elements as floats, load_first_<form>(x, n)
 * the n < LANES that are left, and zeros behind: nothing past the end is
 * touched.  store_<form> and store_first_<form> go the other way.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx2.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef KERNEL_AVX2_H
#define KERNEL_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "kernel/kernel_tables.h"

#define KERNEL \
	static __attribute__((target("avx2,fma,f16c")))
#define HELPER \
	static inline __attribute__((target("avx2,fma,f16c"), always_inline))

/*
 * Where every term must be rounded as the scalar one is (the sign of a residual,
 * the error of a code): without FMA, since gcc would fuse multiplications with
 * additions and subtractions.  Words that such functions use are EXACT_HELPERs.
 */
#define EXACT_KERNEL \
	static __attribute__((target("avx2")))
#define EXACT_HELPER \
	static inline __attribute__((target("avx2"), always_inline))

#define LANES	8

typedef __m256 Floats;

EXACT_HELPER Floats
zero_floats(void)
{
	return _mm256_setzero_ps();
}

EXACT_HELPER Floats
all_floats(float x)
{
	return _mm256_set1_ps(x);
}

EXACT_HELPER Floats
add(Floats x, Floats y)
{
	return _mm256_add_ps(x, y);
}

EXACT_HELPER Floats
subtract(Floats x, Floats y)
{
	return _mm256_sub_ps(x, y);
}

/* the product, rounded */
EXACT_HELPER Floats
multiply(Floats x, Floats y)
{
	return _mm256_mul_ps(x, y);
}

/* x y + z, rounded once */
HELPER Floats
multiply_add(Floats x, Floats y, Floats z)
{
	return _mm256_fmadd_ps(x, y, z);
}

/* sum + x^2; how it is rounded does not matter */
EXACT_HELPER Floats
add_square(Floats sum, Floats x)
{
	return _mm256_add_ps(sum, _mm256_mul_ps(x, x));
}

/* |x|: clear the sign bits */
EXACT_HELPER Floats
absolute(Floats x)
{
	return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

/* y if either is NaN */
EXACT_HELPER Floats
maximum(Floats x, Floats y)
{
	return _mm256_max_ps(x, y);
}

/* the same */
EXACT_HELPER Floats
minimum(Floats x, Floats y)
{
	return _mm256_min_ps(x, y);
}

/* sum of the elements */
EXACT_HELPER float
sum_lanes(Floats x)
{
	__m128		s = _mm_add_ps(_mm256_castps256_ps128(x),
							   _mm256_extractf128_ps(x, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

/* the largest element; none is NaN */
EXACT_HELPER float
max_lane(Floats x)
{
	__m128		m = _mm_max_ps(_mm256_castps256_ps128(x),
							   _mm256_extractf128_ps(x, 1));

	m = _mm_max_ps(m, _mm_movehl_ps(m, m));
	m = _mm_max_ss(m, _mm_movehdup_ps(m));
	return _mm_cvtss_f32(m);
}

/* mask of the first n < LANES elements */
EXACT_HELPER __m256i
first_lanes(size_t n)
{
	static const int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

	return _mm256_loadu_si256((const __m256i *) (window + 8 - n));
}

/* ---- float32 ---- */

EXACT_HELPER Floats
load_f32(const float *x)
{
	return _mm256_loadu_ps(x);
}

EXACT_HELPER Floats
load_first_f32(const float *x, size_t n)
{
	return _mm256_maskload_ps(x, first_lanes(n));
}

EXACT_HELPER void
store_f32(float *to, Floats x)
{
	_mm256_storeu_ps(to, x);
}

EXACT_HELPER void
store_first_f32(float *to, size_t n, Floats x)
{
	_mm256_maskstore_ps(to, first_lanes(n), x);
}

/* ---- binary16 ---- */

HELPER Floats
load_f16(const uint16_t *x)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) x));
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
	_mm_storeu_si128((__m128i *) to,
					 _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

HELPER void
store_first_f16(uint16_t *to, size_t n, Floats x)
{
	uint16_t	tail[LANES];

	store_f16(tail, x);
	memcpy(to, tail, n * sizeof(uint16_t));
}

/* ---- 8-bit codes ---- */

EXACT_HELPER Floats
load_s8(const int8_t *x)
{
	__m128i		x_s8 = _mm_loadl_epi64((const __m128i *) x);

	return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(x_s8));
}

EXACT_HELPER Floats
load_first_s8(const int8_t *x, size_t n)
{
	int8_t		tail[LANES] = {0};

	memcpy(tail, x, n);
	return load_s8(tail);
}

/* codes with their magnitudes, which is what maddubs wants of one side */
typedef struct Codes
{
	__m256i		x;
	__m256i		magnitude;		/* |x| */
} Codes;

HELPER Codes
as_codes(__m256i x)
{
	Codes		codes = {x, _mm256_abs_epi8(x)};

	return codes;
}

/* see dot_s8x32 of kernel_avx2_code.c */
HELPER __m256i
add_products(__m256i sum, Codes x, __m256i y)
{
	__m256i		pairs = _mm256_maddubs_epi16(x.magnitude,
											 _mm256_sign_epi8(y, x.x));

	return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs,
												   _mm256_set1_epi16(1)));
}

#endif							/* KERNEL_AVX2_H */
