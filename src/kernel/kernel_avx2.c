/*-------------------------------------------------------------------------
 *
 * kernel_avx2.c
 *	  Distance kernels for x86-64 with AVX2, FMA, F16C and POPCNT.
 *
 * Each file of this kind is compiled for the base architecture; the functions
 * name what more they need.  Tails are masked loads of floats, and single
 * elements or 16-byte halves of codes: nothing past the end is touched.
 *
 * Kernels whose every term must be rounded as the scalar ones are (the sign of
 * a residual, the error of a code) do not name FMA, since gcc would fuse their
 * multiplications and subtractions.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx2.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel_panel.h"

#define KERNEL			static __attribute__((target("avx2,fma")))
#define KERNEL_F16		static __attribute__((target("avx2,fma,f16c")))
#define KERNEL_NO_FMA	static __attribute__((target("avx2")))
#define KERNEL_POPCNT	static __attribute__((target("popcnt")))
#define HELPER \
	static inline __attribute__((target("avx2"), always_inline))
#define HELPER_F16 \
	static inline __attribute__((target("avx2,fma,f16c"), always_inline))

/* ---- helpers ---- */

/* sum of the 8 elements */
HELPER float
sum_f32x8(__m256 x)
{
	__m128		s = _mm_add_ps(_mm256_castps256_ps128(x),
							   _mm256_extractf128_ps(x, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

/* sum of the 8 elements */
HELPER int32_t
sum_s32x8(__m256i x)
{
	__m128i		s = _mm_add_epi32(_mm256_castsi256_si128(x),
								  _mm256_extracti128_si256(x, 1));

	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(1, 0, 3, 2)));
	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(2, 3, 0, 1)));
	return _mm_cvtsi128_si32(s);
}

/* |x|: clear the sign bits */
HELPER __m256
abs_f32x8(__m256 x)
{
	return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

/* mask of the first n < 8 elements */
HELPER __m256i
mask_f32x8(size_t n)
{
	static const int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

	return _mm256_loadu_si256((const __m256i *) (window + 8 - n));
}

/* 8 bytes as floats */
HELPER __m256
load_s8_as_f32x8(const int8_t *x)
{
	__m128i		x_s8 = _mm_loadl_epi64((const __m128i *) x);

	return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(x_s8));
}

/* ---- float32 ---- */

KERNEL float
l2sq_f32(const float *a, const float *b, size_t n)
{
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	__m256		d;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		d = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
		s0 = _mm256_fmadd_ps(d, d, s0);
		d = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8),
						  _mm256_loadu_ps(b + i + 8));
		s1 = _mm256_fmadd_ps(d, d, s1);
		d = _mm256_sub_ps(_mm256_loadu_ps(a + i + 16),
						  _mm256_loadu_ps(b + i + 16));
		s2 = _mm256_fmadd_ps(d, d, s2);
		d = _mm256_sub_ps(_mm256_loadu_ps(a + i + 24),
						  _mm256_loadu_ps(b + i + 24));
		s3 = _mm256_fmadd_ps(d, d, s3);
	}
	for (; i + 8 <= n; i += 8)
	{
		d = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
		s0 = _mm256_fmadd_ps(d, d, s0);
	}
	if (i < n)
	{
		__m256i		mask = mask_f32x8(n - i);

		d = _mm256_sub_ps(_mm256_maskload_ps(a + i, mask),
						  _mm256_maskload_ps(b + i, mask));
		s1 = _mm256_fmadd_ps(d, d, s1);
	}
	return sum_f32x8(_mm256_add_ps(_mm256_add_ps(s0, s1),
								   _mm256_add_ps(s2, s3)));
}

KERNEL float
dot_f32(const float *a, const float *b, size_t n)
{
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i),
							 _mm256_loadu_ps(b + i), s0);
		s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8),
							 _mm256_loadu_ps(b + i + 8), s1);
		s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16),
							 _mm256_loadu_ps(b + i + 16), s2);
		s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24),
							 _mm256_loadu_ps(b + i + 24), s3);
	}
	for (; i + 8 <= n; i += 8)
		s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i),
							 _mm256_loadu_ps(b + i), s0);
	if (i < n)
	{
		__m256i		mask = mask_f32x8(n - i);

		s1 = _mm256_fmadd_ps(_mm256_maskload_ps(a + i, mask),
							 _mm256_maskload_ps(b + i, mask), s1);
	}
	return sum_f32x8(_mm256_add_ps(_mm256_add_ps(s0, s1),
								   _mm256_add_ps(s2, s3)));
}

/* |a_i - b_i| of 8 elements */
HELPER __m256
distance_f32x8(const float *a, const float *b)
{
	return abs_f32x8(_mm256_sub_ps(_mm256_loadu_ps(a), _mm256_loadu_ps(b)));
}

KERNEL float
l1_f32(const float *a, const float *b, size_t n)
{
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = _mm256_add_ps(s0, distance_f32x8(a + i, b + i));
		s1 = _mm256_add_ps(s1, distance_f32x8(a + i + 8, b + i + 8));
		s2 = _mm256_add_ps(s2, distance_f32x8(a + i + 16, b + i + 16));
		s3 = _mm256_add_ps(s3, distance_f32x8(a + i + 24, b + i + 24));
	}
	for (; i + 8 <= n; i += 8)
		s0 = _mm256_add_ps(s0, distance_f32x8(a + i, b + i));
	if (i < n)
	{
		__m256i		mask = mask_f32x8(n - i);
		__m256		d = _mm256_sub_ps(_mm256_maskload_ps(a + i, mask),
									  _mm256_maskload_ps(b + i, mask));

		s1 = _mm256_add_ps(s1, abs_f32x8(d));
	}
	return sum_f32x8(_mm256_add_ps(_mm256_add_ps(s0, s1),
								   _mm256_add_ps(s2, s3)));
}

KERNEL KernelCosine
cosine_f32(const float *a, const float *b, size_t n)
{
	__m256		dot0 = _mm256_setzero_ps();
	__m256		dot1 = dot0;
	__m256		aa0 = dot0;
	__m256		aa1 = dot0;
	__m256		bb0 = dot0;
	__m256		bb1 = dot0;
	__m256		x;
	__m256		y;
	size_t		i = 0;
	KernelCosine sums;

	for (; i + 16 <= n; i += 16)
	{
		x = _mm256_loadu_ps(a + i);
		y = _mm256_loadu_ps(b + i);
		dot0 = _mm256_fmadd_ps(x, y, dot0);
		aa0 = _mm256_fmadd_ps(x, x, aa0);
		bb0 = _mm256_fmadd_ps(y, y, bb0);
		x = _mm256_loadu_ps(a + i + 8);
		y = _mm256_loadu_ps(b + i + 8);
		dot1 = _mm256_fmadd_ps(x, y, dot1);
		aa1 = _mm256_fmadd_ps(x, x, aa1);
		bb1 = _mm256_fmadd_ps(y, y, bb1);
	}
	for (; i < n; i += 8)
	{
		__m256i		mask = n - i < 8 ? mask_f32x8(n - i) : _mm256_set1_epi32(-1);

		x = _mm256_maskload_ps(a + i, mask);
		y = _mm256_maskload_ps(b + i, mask);
		dot0 = _mm256_fmadd_ps(x, y, dot0);
		aa0 = _mm256_fmadd_ps(x, x, aa0);
		bb0 = _mm256_fmadd_ps(y, y, bb0);
	}
	sums.dot = sum_f32x8(_mm256_add_ps(dot0, dot1));
	sums.norm_a = sum_f32x8(_mm256_add_ps(aa0, aa1));
	sums.norm_b = sum_f32x8(_mm256_add_ps(bb0, bb1));
	return sums;
}

/* ---- sparse float32 ---- */

/* n <= 8 indices, followed by others that are 'fill' */
HELPER __m256i
load_indices(const int32_t *x, __m256i mask, int32_t fill)
{
	return _mm256_or_si256(_mm256_maskload_epi32(x, mask),
						   _mm256_andnot_si256(mask, _mm256_set1_epi32(fill)));
}

/*
 * Blocks of 8 indices of either vector, each compared with all 8 of the other
 * by turning one of them; the block that ends first is replaced.  What fills
 * up a short block meets only zeros.
 */
KERNEL float
dot_sparse(const int32_t *at_a, const float *a, size_t na,
		   const int32_t *at_b, const float *b, size_t nb)
{
	const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
	__m256		sum = _mm256_setzero_ps();
	size_t		i = 0;
	size_t		j = 0;

	while (i < na && j < nb)
	{
		size_t		n = na - i < 8 ? na - i : 8;
		size_t		m = nb - j < 8 ? nb - j : 8;
		__m256i		mask_a = mask_f32x8(n);
		__m256i		mask_b = mask_f32x8(m);
		__m256i		index_a = load_indices(at_a + i, mask_a, -1);
		__m256i		index_b = load_indices(at_b + j, mask_b, -2);
		__m256i		found = _mm256_setzero_si256();
		__m256i		lane = _mm256_setzero_si256();
		int32_t		last_a = at_a[i + n - 1];
		int32_t		last_b = at_b[j + m - 1];

		/* for each index of a: is it in b's block, and in which lane? */
		for (int k = 0; k < 8; k++)
		{
			__m256i		turn = _mm256_add_epi32(lanes, _mm256_set1_epi32(k));
			__m256i		turned = _mm256_permutevar8x32_epi32(index_b, turn);
			__m256i		equal = _mm256_cmpeq_epi32(index_a, turned);

			found = _mm256_or_si256(found, equal);
			lane = _mm256_or_si256(lane, _mm256_and_si256(equal, turn));
		}
		if (!_mm256_testz_si256(found, found))
		{
			__m256i		mask = _mm256_and_si256(found, mask_a);
			__m256		x = _mm256_maskload_ps(a + i, mask);
			__m256		y = _mm256_maskload_ps(b + j, mask_b);

			y = _mm256_permutevar8x32_ps(y, lane);
			sum = _mm256_fmadd_ps(x, _mm256_and_ps(y, _mm256_castsi256_ps(mask)),
								  sum);
		}
		i += last_a <= last_b ? n : 0;
		j += last_b <= last_a ? m : 0;
	}
	return sum_f32x8(sum);
}

/* ---- binary16 ---- */

/* 8 halves as floats */
HELPER_F16 __m256
load_f16x8(const uint16_t *x)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) x));
}

/* the last n < 8 halves as floats, zeros behind */
HELPER_F16 __m256
load_f16_tail(const uint16_t *x, size_t n)
{
	uint16_t	tail[8] = {0};

	memcpy(tail, x, n * sizeof(uint16_t));
	return load_f16x8(tail);
}

KERNEL_F16 float
l2sq_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	__m256		d;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		d = _mm256_sub_ps(load_f16x8(a + i), load_f16x8(b + i));
		s0 = _mm256_fmadd_ps(d, d, s0);
		d = _mm256_sub_ps(load_f16x8(a + i + 8), load_f16x8(b + i + 8));
		s1 = _mm256_fmadd_ps(d, d, s1);
		d = _mm256_sub_ps(load_f16x8(a + i + 16), load_f16x8(b + i + 16));
		s2 = _mm256_fmadd_ps(d, d, s2);
		d = _mm256_sub_ps(load_f16x8(a + i + 24), load_f16x8(b + i + 24));
		s3 = _mm256_fmadd_ps(d, d, s3);
	}
	for (; i + 8 <= n; i += 8)
	{
		d = _mm256_sub_ps(load_f16x8(a + i), load_f16x8(b + i));
		s0 = _mm256_fmadd_ps(d, d, s0);
	}
	if (i < n)
	{
		d = _mm256_sub_ps(load_f16_tail(a + i, n - i),
						  load_f16_tail(b + i, n - i));
		s1 = _mm256_fmadd_ps(d, d, s1);
	}
	return sum_f32x8(_mm256_add_ps(_mm256_add_ps(s0, s1),
								   _mm256_add_ps(s2, s3)));
}

KERNEL_F16 float
dot_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = _mm256_fmadd_ps(load_f16x8(a + i), load_f16x8(b + i), s0);
		s1 = _mm256_fmadd_ps(load_f16x8(a + i + 8),
							 load_f16x8(b + i + 8), s1);
		s2 = _mm256_fmadd_ps(load_f16x8(a + i + 16),
							 load_f16x8(b + i + 16), s2);
		s3 = _mm256_fmadd_ps(load_f16x8(a + i + 24),
							 load_f16x8(b + i + 24), s3);
	}
	for (; i + 8 <= n; i += 8)
		s0 = _mm256_fmadd_ps(load_f16x8(a + i), load_f16x8(b + i), s0);
	if (i < n)
		s1 = _mm256_fmadd_ps(load_f16_tail(a + i, n - i),
							 load_f16_tail(b + i, n - i), s1);
	return sum_f32x8(_mm256_add_ps(_mm256_add_ps(s0, s1),
								   _mm256_add_ps(s2, s3)));
}

/* |a_i - b_i| of 8 elements */
HELPER_F16 __m256
distance_f16x8(const uint16_t *a, const uint16_t *b)
{
	return abs_f32x8(_mm256_sub_ps(load_f16x8(a), load_f16x8(b)));
}

KERNEL_F16 float
l1_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = _mm256_add_ps(s0, distance_f16x8(a + i, b + i));
		s1 = _mm256_add_ps(s1, distance_f16x8(a + i + 8, b + i + 8));
		s2 = _mm256_add_ps(s2, distance_f16x8(a + i + 16, b + i + 16));
		s3 = _mm256_add_ps(s3, distance_f16x8(a + i + 24, b + i + 24));
	}
	for (; i + 8 <= n; i += 8)
		s0 = _mm256_add_ps(s0, distance_f16x8(a + i, b + i));
	if (i < n)
	{
		__m256		d = _mm256_sub_ps(load_f16_tail(a + i, n - i),
									  load_f16_tail(b + i, n - i));

		s1 = _mm256_add_ps(s1, abs_f32x8(d));
	}
	return sum_f32x8(_mm256_add_ps(_mm256_add_ps(s0, s1),
								   _mm256_add_ps(s2, s3)));
}

KERNEL_F16 KernelCosine
cosine_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	__m256		dot0 = _mm256_setzero_ps();
	__m256		dot1 = dot0;
	__m256		aa0 = dot0;
	__m256		aa1 = dot0;
	__m256		bb0 = dot0;
	__m256		bb1 = dot0;
	__m256		x;
	__m256		y;
	size_t		i = 0;
	KernelCosine sums;

	for (; i + 16 <= n; i += 16)
	{
		x = load_f16x8(a + i);
		y = load_f16x8(b + i);
		dot0 = _mm256_fmadd_ps(x, y, dot0);
		aa0 = _mm256_fmadd_ps(x, x, aa0);
		bb0 = _mm256_fmadd_ps(y, y, bb0);
		x = load_f16x8(a + i + 8);
		y = load_f16x8(b + i + 8);
		dot1 = _mm256_fmadd_ps(x, y, dot1);
		aa1 = _mm256_fmadd_ps(x, x, aa1);
		bb1 = _mm256_fmadd_ps(y, y, bb1);
	}
	for (; i < n; i += 8)
	{
		size_t		left = n - i;

		x = left < 8 ? load_f16_tail(a + i, left) : load_f16x8(a + i);
		y = left < 8 ? load_f16_tail(b + i, left) : load_f16x8(b + i);
		dot0 = _mm256_fmadd_ps(x, y, dot0);
		aa0 = _mm256_fmadd_ps(x, x, aa0);
		bb0 = _mm256_fmadd_ps(y, y, bb0);
	}
	sums.dot = sum_f32x8(_mm256_add_ps(dot0, dot1));
	sums.norm_a = sum_f32x8(_mm256_add_ps(aa0, aa1));
	sums.norm_b = sum_f32x8(_mm256_add_ps(bb0, bb1));
	return sums;
}

KERNEL_F16 void
half_to_float(const uint16_t *x, size_t n, float *out)
{
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps(out + i, load_f16x8(x + i));
	if (i < n)
		_mm256_maskstore_ps(out + i, mask_f32x8(n - i),
							load_f16_tail(x + i, n - i));
}

KERNEL_F16 void
float_to_half(const float *x, size_t n, uint16_t *out)
{
	__m128i		halves;
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		halves = _mm256_cvtps_ph(_mm256_loadu_ps(x + i),
								 _MM_FROUND_TO_NEAREST_INT);
		_mm_storeu_si128((__m128i *) (out + i), halves);
	}
	if (i < n)
	{
		halves = _mm256_cvtps_ph(_mm256_maskload_ps(x + i, mask_f32x8(n - i)),
								 _MM_FROUND_TO_NEAREST_INT);
		memcpy(out + i, &halves, (n - i) * sizeof(uint16_t));
	}
}

/* ---- Walsh-Hadamard transform ---- */

/*
 * Stages h = 1, 2, 4 of 8 elements: each is its partner plus itself, with the
 * sign of the upper element of each pair turned.
 */
HELPER __m256
transform_f32x8(__m256 x)
{
	const __m256 sign1 = _mm256_setr_ps(0, -0.0f, 0, -0.0f,
										0, -0.0f, 0, -0.0f);
	const __m256 sign2 = _mm256_setr_ps(0, 0, -0.0f, -0.0f,
										0, 0, -0.0f, -0.0f);
	const __m256 sign4 = _mm256_setr_ps(0, 0, 0, 0,
										-0.0f, -0.0f, -0.0f, -0.0f);
	__m256		partner;

	partner = _mm256_permute_ps(x, _MM_SHUFFLE(2, 3, 0, 1));
	x = _mm256_add_ps(partner, _mm256_xor_ps(x, sign1));
	partner = _mm256_permute_ps(x, _MM_SHUFFLE(1, 0, 3, 2));
	x = _mm256_add_ps(partner, _mm256_xor_ps(x, sign2));
	partner = _mm256_permute2f128_ps(x, x, 1);
	return _mm256_add_ps(partner, _mm256_xor_ps(x, sign4));
}

/* stages h and 2h over blocks of 4h elements, h a multiple of 8 */
HELPER void
transform_two_stages(float *x, size_t n, size_t h)
{
	for (size_t i = 0; i < n; i += 4 * h)
	{
		for (size_t j = i; j < i + h; j += 8)
		{
			__m256		x0 = _mm256_loadu_ps(x + j);
			__m256		x1 = _mm256_loadu_ps(x + j + h);
			__m256		x2 = _mm256_loadu_ps(x + j + 2 * h);
			__m256		x3 = _mm256_loadu_ps(x + j + 3 * h);
			__m256		s01 = _mm256_add_ps(x0, x1);
			__m256		d01 = _mm256_sub_ps(x0, x1);
			__m256		s23 = _mm256_add_ps(x2, x3);
			__m256		d23 = _mm256_sub_ps(x2, x3);

			_mm256_storeu_ps(x + j, _mm256_add_ps(s01, s23));
			_mm256_storeu_ps(x + j + h, _mm256_add_ps(d01, d23));
			_mm256_storeu_ps(x + j + 2 * h, _mm256_sub_ps(s01, s23));
			_mm256_storeu_ps(x + j + 3 * h, _mm256_sub_ps(d01, d23));
		}
	}
}

KERNEL_NO_FMA void
fht_f32(float *x, size_t n)
{
	size_t		h = 8;

	if (n < 8)
	{
		kernels_scalar.fht_f32(x, n);
		return;
	}
	for (size_t i = 0; i < n; i += 8)
		_mm256_storeu_ps(x + i, transform_f32x8(_mm256_loadu_ps(x + i)));
	for (; 4 * h <= n; h *= 4)
		transform_two_stages(x, n, h);
	if (h == n)
		return;

	/* one stage is left: the two halves */
	for (size_t i = 0; i < h; i += 8)
	{
		__m256		a = _mm256_loadu_ps(x + i);
		__m256		b = _mm256_loadu_ps(x + i + h);

		_mm256_storeu_ps(x + i, _mm256_add_ps(a, b));
		_mm256_storeu_ps(x + i + h, _mm256_sub_ps(a, b));
	}
}

/* ---- 8-bit codes ---- */

KERNEL float
dot_f32s8(const float *a, const int8_t *b, size_t n)
{
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;
	__m256		s2 = s0;
	__m256		s3 = s0;
	float		sum;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i),
							 load_s8_as_f32x8(b + i), s0);
		s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8),
							 load_s8_as_f32x8(b + i + 8), s1);
		s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16),
							 load_s8_as_f32x8(b + i + 16), s2);
		s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24),
							 load_s8_as_f32x8(b + i + 24), s3);
	}
	for (; i + 8 <= n; i += 8)
		s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i),
							 load_s8_as_f32x8(b + i), s0);
	sum = sum_f32x8(_mm256_add_ps(_mm256_add_ps(s0, s1),
								  _mm256_add_ps(s2, s3)));
	for (; i < n; i++)
		sum += a[i] * (float) b[i];
	return sum;
}

/*
 * Products of 32 pairs as 8 sums.  maddubs wants one side unsigned, so the
 * sign of a moves to b; a pair of products is at most 2 * 127 * 127 < 2^15.
 */
HELPER __m256i
dot_s8x32(__m256i a, __m256i b)
{
	__m256i		pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(a),
											 _mm256_sign_epi8(b, a));

	return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

KERNEL_NO_FMA int32_t
dot_s8(const int8_t *a, const int8_t *b, size_t n)
{
	__m256i		s0 = _mm256_setzero_si256();
	__m256i		s1 = s0;
	int32_t		sum;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = _mm256_add_epi32(s0, dot_s8x32(
							_mm256_loadu_si256((const __m256i *) (a + i)),
							_mm256_loadu_si256((const __m256i *) (b + i))));
		s1 = _mm256_add_epi32(s1, dot_s8x32(
							_mm256_loadu_si256((const __m256i *) (a + i + 32)),
							_mm256_loadu_si256((const __m256i *) (b + i + 32))));
	}
	for (; i + 16 <= n; i += 16)
	{
		__m256i		a_s16 = _mm256_cvtepi8_epi16(
							_mm_loadu_si128((const __m128i *) (a + i)));
		__m256i		b_s16 = _mm256_cvtepi8_epi16(
							_mm_loadu_si128((const __m128i *) (b + i)));

		s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(a_s16, b_s16));
	}
	sum = sum_s32x8(_mm256_add_epi32(s0, s1));
	for (; i < n; i++)
		sum += (int32_t) a[i] * b[i];
	return sum;
}

/* 8 codes of 12 bits, less 7.5, as floats; low: a byte for each */
HELPER __m256
load_s12_as_f32x8(const int8_t *high, __m128i low)
{
	__m128i		high_s8 = _mm_loadl_epi64((const __m128i *) high);
	__m256i		code = _mm256_or_si256(
						_mm256_slli_epi32(_mm256_cvtepi8_epi32(high_s8), 4),
						_mm256_cvtepu8_epi32(low));

	return _mm256_sub_ps(_mm256_cvtepi32_ps(code), _mm256_set1_ps(7.5f));
}

KERNEL float
l2sq_f32s12(const float *a, const int8_t *high, const uint8_t *low,
			float step, size_t n)
{
	const __m128i half = _mm_set1_epi8(15);
	const __m256 steps = _mm256_set1_ps(step);
	__m256		s0 = _mm256_setzero_ps();
	__m256		s1 = s0;

	for (size_t i = 0; i < n; i += 16)
	{
		__m128i		packed = _mm_loadl_epi64((const __m128i *) (low + i / 2));
		__m128i		first = _mm_and_si128(packed, half);
		__m128i		second = _mm_and_si128(_mm_srli_epi16(packed, 4), half);
		__m256		d;

		d = _mm256_fnmadd_ps(steps, load_s12_as_f32x8(high + i, first),
							 _mm256_loadu_ps(a + i));
		s0 = _mm256_fmadd_ps(d, d, s0);
		d = _mm256_fnmadd_ps(steps, load_s12_as_f32x8(high + i + 8, second),
							 _mm256_loadu_ps(a + i + 8));
		s1 = _mm256_fmadd_ps(d, d, s1);
	}
	return sum_f32x8(_mm256_add_ps(s0, s1));
}

/* ---- bit codes ---- */

/*
 * maddubs adds at most 2 * 127 to a 16-bit element, so this many additions
 * stay below 2^15.
 */
#define SUM_BITS_BATCH	((size_t) 128)

/* where the batch that begins at i ends: a multiple of 32 bits from there */
static inline size_t
batch_end(size_t i, size_t n)
{
	size_t		nadds = (n - i) / 32;

	return i + 32 * (nadds < SUM_BITS_BATCH ? nadds : SUM_BITS_BATCH);
}

/*
 * q_i where bit i of the code is set, in pairs, for the 32 bits of 'bits':
 * each byte of the register gets the code byte its bit is in, then 1 or 0.
 */
HELPER __m256i
select_s8x32(__m256i bits, __m256i q)
{
	const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0,
											1, 1, 1, 1, 1, 1, 1, 1,
											2, 2, 2, 2, 2, 2, 2, 2,
											3, 3, 3, 3, 3, 3, 3, 3);
	const __m256i bit = _mm256_set1_epi64x(INT64_C(-0x7fbfdfeff7fbfdff));
	__m256i		is_set;

	is_set = _mm256_and_si256(_mm256_shuffle_epi8(bits, spread), bit);
	is_set = _mm256_min_epu8(is_set, _mm256_set1_epi8(1));
	return _mm256_maddubs_epi16(is_set, q);
}

/* the same for the 16 bits of a code's tail */
HELPER __m256i
select_s8x16(const uint8_t *code, const int8_t *q)
{
	uint16_t	bits;
	__m128i		q_s8 = _mm_loadu_si128((const __m128i *) q);

	memcpy(&bits, code, sizeof(bits));
	return select_s8x32(_mm256_set1_epi32(bits),
						_mm256_zextsi128_si256(q_s8));
}

/* 'batch' plus q_i where one of the next 32 bits of the code is set */
HELPER __m256i
add_selected(__m256i batch, const uint8_t *code, __m256i q)
{
	int32_t		bits;

	memcpy(&bits, code, sizeof(bits));
	return _mm256_add_epi16(batch, select_s8x32(_mm256_set1_epi32(bits), q));
}

/* 'sum' plus the 16-bit sums of one batch */
HELPER __m256i
add_batch(__m256i sum, __m256i batch)
{
	return _mm256_add_epi32(sum,
							_mm256_madd_epi16(batch, _mm256_set1_epi16(1)));
}

/* one code */
HELPER int32_t
sum_bits_1(const int8_t *q, const uint8_t *code, size_t n)
{
	__m256i		sum = _mm256_setzero_si256();
	size_t		i = 0;

	while (i + 32 <= n)
	{
		size_t		end = batch_end(i, n);
		__m256i		batch = _mm256_setzero_si256();

		for (; i < end; i += 32)
		{
			__m256i		q_s8 = _mm256_loadu_si256((const __m256i *) (q + i));

			batch = add_selected(batch, code + i / 8, q_s8);
		}
		sum = add_batch(sum, batch);
	}
	if (i < n)
		sum = add_batch(sum, select_s8x16(code + i / 8, q + i));
	return sum_s32x8(sum);
}

/* four codes, which share the loads of q */
HELPER void
sum_bits_4(const int8_t *q, const uint8_t *code0, size_t stride, size_t n,
		   int32_t *sums)
{
	const uint8_t *code1 = code0 + stride;
	const uint8_t *code2 = code1 + stride;
	const uint8_t *code3 = code2 + stride;
	__m256i		sum0 = _mm256_setzero_si256();
	__m256i		sum1 = sum0;
	__m256i		sum2 = sum0;
	__m256i		sum3 = sum0;
	size_t		i = 0;

	while (i + 32 <= n)
	{
		size_t		end = batch_end(i, n);
		__m256i		batch0 = _mm256_setzero_si256();
		__m256i		batch1 = batch0;
		__m256i		batch2 = batch0;
		__m256i		batch3 = batch0;

		for (; i < end; i += 32)
		{
			__m256i		q_s8 = _mm256_loadu_si256((const __m256i *) (q + i));

			batch0 = add_selected(batch0, code0 + i / 8, q_s8);
			batch1 = add_selected(batch1, code1 + i / 8, q_s8);
			batch2 = add_selected(batch2, code2 + i / 8, q_s8);
			batch3 = add_selected(batch3, code3 + i / 8, q_s8);
		}
		sum0 = add_batch(sum0, batch0);
		sum1 = add_batch(sum1, batch1);
		sum2 = add_batch(sum2, batch2);
		sum3 = add_batch(sum3, batch3);
	}
	if (i < n)
	{
		sum0 = add_batch(sum0, select_s8x16(code0 + i / 8, q + i));
		sum1 = add_batch(sum1, select_s8x16(code1 + i / 8, q + i));
		sum2 = add_batch(sum2, select_s8x16(code2 + i / 8, q + i));
		sum3 = add_batch(sum3, select_s8x16(code3 + i / 8, q + i));
	}

	/* two rounds of pairwise sums leave the four, in each half of a register */
	sum0 = _mm256_hadd_epi32(_mm256_hadd_epi32(sum0, sum1),
							 _mm256_hadd_epi32(sum2, sum3));
	_mm_storeu_si128((__m128i *) sums,
					 _mm_add_epi32(_mm256_castsi256_si128(sum0),
								   _mm256_extracti128_si256(sum0, 1)));
}

KERNEL_NO_FMA void
sum_bits_s8(const int8_t *q, const uint8_t *codes, size_t stride, int ncodes,
			size_t n, int32_t *sums)
{
	int			k = 0;

	for (; k + 4 <= ncodes; k += 4)
		sum_bits_4(q, codes + (size_t) k * stride, stride, n, sums + k);
	for (; k < ncodes; k++)
		sums[k] = sum_bits_1(q, codes + (size_t) k * stride, n);
}

/* 8 bytes at any address */
static inline uint64_t
load_u64(const uint8_t *x)
{
	uint64_t	result;

	memcpy(&result, x, sizeof(result));
	return result;
}

/* the last n < 8 bytes, zeros behind */
static inline uint64_t
load_tail(const uint8_t *x, size_t n)
{
	uint64_t	result = 0;

	for (size_t i = 0; i < n; i++)
		result |= (uint64_t) x[i] << (8 * i);
	return result;
}

#define POPCOUNT(x)		((uint64_t) __builtin_popcountll(x))

KERNEL_POPCNT uint32_t
hamming(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint64_t	c0 = 0;
	uint64_t	c1 = 0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		c0 += POPCOUNT(load_u64(a + i) ^ load_u64(b + i));
		c1 += POPCOUNT(load_u64(a + i + 8) ^ load_u64(b + i + 8));
	}
	if (i + 8 <= n)
	{
		c0 += POPCOUNT(load_u64(a + i) ^ load_u64(b + i));
		i += 8;
	}
	c1 += POPCOUNT(load_tail(a + i, n - i) ^ load_tail(b + i, n - i));
	return (uint32_t) (c0 + c1);
}

KERNEL_POPCNT void
jaccard(const uint8_t *a, const uint8_t *b, size_t n, uint32_t *both,
		uint32_t *either)
{
	uint64_t	n_both = 0;
	uint64_t	n_either = 0;
	uint64_t	x;
	uint64_t	y;
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		x = load_u64(a + i);
		y = load_u64(b + i);
		n_both += POPCOUNT(x & y);
		n_either += POPCOUNT(x | y);
	}
	x = load_tail(a + i, n - i);
	y = load_tail(b + i, n - i);
	*both = (uint32_t) (n_both + POPCOUNT(x & y));
	*either = (uint32_t) (n_either + POPCOUNT(x | y));
}

/* ---- residuals ---- */

/* running sums of a residual */
typedef struct ResidualSums
{
	__m256		sum_abs;
	__m256		norm2;
} ResidualSums;

/* add 8 elements that have bits; returns these */
HELPER uint8_t
add_coded_f32x8(ResidualSums *sums, __m256 r)
{
	sums->norm2 = _mm256_add_ps(sums->norm2, _mm256_mul_ps(r, r));
	sums->sum_abs = _mm256_add_ps(sums->sum_abs, abs_f32x8(r));
	return (uint8_t) _mm256_movemask_ps(
					_mm256_cmp_ps(r, _mm256_setzero_ps(), _CMP_GT_OQ));
}

/* r_i of 8 elements */
HELPER __m256
residual_f32x8(const int8_t *a, __m256 scale_a, const int8_t *c,
			   __m256 scale_c)
{
	return _mm256_sub_ps(_mm256_mul_ps(scale_a, load_s8_as_f32x8(a)),
						 _mm256_mul_ps(scale_c, load_s8_as_f32x8(c)));
}

KERNEL_NO_FMA KernelResidual
residual_s8(const int8_t *a, float scale_a, const int8_t *c, float scale_c,
			size_t n, size_t nbits, uint8_t *bits)
{
	const __m256 sa = _mm256_set1_ps(scale_a);
	const __m256 sc = _mm256_set1_ps(scale_c);
	ResidualSums even = {_mm256_setzero_ps(), _mm256_setzero_ps()};
	ResidualSums odd = even;
	KernelResidual result;
	size_t		i = 0;

	for (; i < nbits; i += 16)
	{
		__m256		r0 = residual_f32x8(a + i, sa, c + i, sc);
		__m256		r1 = residual_f32x8(a + i + 8, sa, c + i + 8, sc);

		bits[i / 8] = add_coded_f32x8(&even, r0);
		bits[i / 8 + 1] = add_coded_f32x8(&odd, r1);
	}
	for (; i < n; i += 8)
	{
		__m256		r = residual_f32x8(a + i, sa, c + i, sc);

		even.norm2 = _mm256_add_ps(even.norm2, _mm256_mul_ps(r, r));
	}
	result.sum_abs = sum_f32x8(_mm256_add_ps(even.sum_abs, odd.sum_abs));
	result.norm2 = sum_f32x8(_mm256_add_ps(even.norm2, odd.norm2));
	return result;
}

KERNEL_NO_FMA void
subtract_s8(const float *q, const int8_t *c, float scale, size_t n, float *r)
{
	const __m256 s = _mm256_set1_ps(scale);

	for (size_t i = 0; i < n; i += 8)
	{
		__m256		product = _mm256_mul_ps(s, load_s8_as_f32x8(c + i));

		_mm256_storeu_ps(r + i, _mm256_sub_ps(_mm256_loadu_ps(q + i), product));
	}
}

KERNEL_NO_FMA KernelResidual
residual_f32(const float *r, size_t n, size_t nbits, uint8_t *bits)
{
	ResidualSums even = {_mm256_setzero_ps(), _mm256_setzero_ps()};
	ResidualSums odd = even;
	KernelResidual result;
	size_t		i = 0;

	for (; i < nbits; i += 16)
	{
		bits[i / 8] = add_coded_f32x8(&even, _mm256_loadu_ps(r + i));
		bits[i / 8 + 1] = add_coded_f32x8(&odd, _mm256_loadu_ps(r + i + 8));
	}
	for (; i < n; i += 8)
	{
		__m256		x = _mm256_loadu_ps(r + i);

		even.norm2 = _mm256_add_ps(even.norm2, _mm256_mul_ps(x, x));
	}
	result.sum_abs = sum_f32x8(_mm256_add_ps(even.sum_abs, odd.sum_abs));
	result.norm2 = sum_f32x8(_mm256_add_ps(even.norm2, odd.norm2));
	return result;
}

/* max returns its second operand if one is NaN: the maximum so far */
KERNEL_NO_FMA float
max_abs_f32(const float *x, size_t n)
{
	__m256		m0 = _mm256_setzero_ps();
	__m256		m1 = m0;
	float		lanes[8];
	float		max = 0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		m0 = _mm256_max_ps(abs_f32x8(_mm256_loadu_ps(x + i)), m0);
		m1 = _mm256_max_ps(abs_f32x8(_mm256_loadu_ps(x + i + 8)), m1);
	}
	for (; i < n; i += 8)
	{
		__m256i		mask = n - i < 8 ? mask_f32x8(n - i) : _mm256_set1_epi32(-1);

		m0 = _mm256_max_ps(abs_f32x8(_mm256_maskload_ps(x + i, mask)), m0);
	}
	_mm256_storeu_ps(lanes, _mm256_max_ps(m0, m1));
	for (int j = 0; j < 8; j++)
		max = lanes[j] > max ? lanes[j] : max;
	return max;
}

/* 8 codes as integers; adds the squares of their errors to 'sum' */
HELPER __m256i
quantize_f32x8(__m256 x, __m256 inv_scale, __m256 scale, __m256 *sum)
{
	__m256		v = _mm256_mul_ps(x, inv_scale);
	__m256i		code;
	__m256		d;

	/* the limit is returned if v is NaN */
	v = _mm256_max_ps(v, _mm256_set1_ps(-127));
	v = _mm256_min_ps(v, _mm256_set1_ps(127));
	code = _mm256_cvtps_epi32(v);
	d = _mm256_sub_ps(x, _mm256_mul_ps(_mm256_cvtepi32_ps(code), scale));
	*sum = _mm256_add_ps(*sum, _mm256_mul_ps(d, d));
	return code;
}

/* two times 8 integers as 16 bytes */
HELPER __m128i
pack_s8x16(__m256i low, __m256i high)
{
	__m256i		packed = _mm256_packs_epi32(low, high);

	/* packs works in halves of the register */
	packed = _mm256_permute4x64_epi64(packed, _MM_SHUFFLE(3, 1, 2, 0));
	return _mm_packs_epi16(_mm256_castsi256_si128(packed),
						   _mm256_extracti128_si256(packed, 1));
}

KERNEL_NO_FMA float
quantize_s8(const float *x, size_t n, float inv_scale, float scale,
			int8_t *code)
{
	const __m256 inv = _mm256_set1_ps(inv_scale);
	const __m256 s = _mm256_set1_ps(scale);
	__m256		sum0 = _mm256_setzero_ps();
	__m256		sum1 = sum0;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		__m256i		low = quantize_f32x8(_mm256_loadu_ps(x + i), inv, s, &sum0);
		__m256i		high = quantize_f32x8(_mm256_loadu_ps(x + i + 8), inv, s,
										  &sum1);

		_mm_storeu_si128((__m128i *) (code + i), pack_s8x16(low, high));
	}
	sum0 = _mm256_add_ps(sum0, sum1);
	return sum_f32x8(sum0) +
		kernels_scalar.quantize_s8(x + i, n - i, inv_scale, scale, code + i);
}

/* 4 bytes each, reversed; finite: see kernel_scalar.c */
KERNEL bool
swap_f32(const void *from, size_t n, void *to)
{
	const __m256i reverse = _mm256_broadcastsi128_si256(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
	const __m256i infinity = _mm256_set1_epi32((int) 0xff000000);
	__m256i		largest = _mm256_setzero_si256();
	__m256i		not_finite;
	size_t		i = 0;

	for (; i + 8 <= n; i += 8)
	{
		__m256i		x = _mm256_loadu_si256((const __m256i *) ((const char *) from + 4 * i));

		x = _mm256_shuffle_epi8(x, reverse);
		_mm256_storeu_si256((__m256i *) ((char *) to + 4 * i), x);
		largest = _mm256_max_epu32(largest, _mm256_slli_epi32(x, 1));
	}
	not_finite = _mm256_cmpeq_epi32(_mm256_max_epu32(largest, infinity),
									 largest);
	return kernels_scalar.swap_f32((const char *) from + 4 * i, n - i,
								   (char *) to + 4 * i) &&
		_mm256_testz_si256(not_finite, not_finite);
}

/* 2 bytes each, reversed; finite: see kernel_scalar.c */
KERNEL bool
swap_f16(const void *from, size_t n, void *to)
{
	const __m256i reverse = _mm256_broadcastsi128_si256(_mm_setr_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
	const __m256i infinity = _mm256_set1_epi16((short) 0xf800);
	__m256i		largest = _mm256_setzero_si256();
	__m256i		not_finite;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		__m256i		x = _mm256_loadu_si256((const __m256i *) ((const char *) from + 2 * i));

		x = _mm256_shuffle_epi8(x, reverse);
		_mm256_storeu_si256((__m256i *) ((char *) to + 2 * i), x);
		largest = _mm256_max_epu16(largest, _mm256_slli_epi16(x, 1));
	}
	not_finite = _mm256_cmpeq_epi16(_mm256_max_epu16(largest, infinity),
									 largest);
	return kernels_scalar.swap_f16((const char *) from + 2 * i, n - i,
								   (char *) to + 2 * i) &&
		_mm256_testz_si256(not_finite, not_finite);
}

const Kernels kernels_avx2 = {
	.isa = "avx2",
	.l2sq_f32 = l2sq_f32,
	.dot_f32 = dot_f32,
	.l1_f32 = l1_f32,
	.cosine_f32 = cosine_f32,
	.dot_sparse = dot_sparse,
	.l2sq_f16 = l2sq_f16,
	.dot_f16 = dot_f16,
	.l1_f16 = l1_f16,
	.cosine_f16 = cosine_f16,
	.half_to_float = half_to_float,
	.float_to_half = float_to_half,
	.fht_f32 = fht_f32,
	.dot_f32s8 = dot_f32s8,
	.dot_s8 = dot_s8,
	.l2sq_f32s12 = l2sq_f32s12,
	.sum_bits_s8 = sum_bits_s8,
	.hamming = hamming,
	.jaccard = jaccard,
	.residual_s8 = residual_s8,
	.subtract_s8 = subtract_s8,
	.residual_f32 = residual_f32,
	.panel_near_s8 = panel_near_s8_avx2,
	.panel_near_f32 = panel_near_f32_avx2,
	.rows_l2sq_s8 = rows_l2sq_s8_avx2,
	.rows_l2sq_f32 = rows_l2sq_f32_avx2,
	.panel_near_l1 = panel_near_l1_avx2,
	.panel_near_hamming = panel_near_hamming_avx2,
	.panel_near_jaccard = panel_near_jaccard_avx2,
	.swap_f32 = swap_f32,
	.swap_f16 = swap_f16,
	.max_abs_f32 = max_abs_f32,
	.quantize_s8 = quantize_s8,
};

#else

/* ISO C wants something in every file */
typedef int KernelAvx2Unused;

#endif							/* __x86_64__ */
