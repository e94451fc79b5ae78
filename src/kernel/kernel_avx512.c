/*-------------------------------------------------------------------------
 *
 * kernel_avx512.c
 *	  Distance kernels for x86-64 with AVX-512 (F, BW, DQ, VL, VNNI, VPOPCNTDQ).
 *
 * Tails are masked loads: nothing past the end is touched, and elements
 * outside the mask are zeros.
 *
 * Terms that must be rounded as the scalar ones are use the forms with an
 * explicit rounding mode: gcc does not fuse those.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx512.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel_panel.h"

#define TARGET \
	target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl," \
		   "avx512vnni,avx512vpopcntdq")
#define KERNEL	static __attribute__((TARGET))
#define HELPER	static inline __attribute__((TARGET, always_inline))

#define NEAREST	(_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)

/* ---- helpers ---- */

/* mask of the first n <= 16 elements */
HELPER __mmask16
mask16(size_t n)
{
	return (__mmask16) ((1u << n) - 1);
}

/* mask of the first n < 64 elements */
HELPER __mmask64
mask64(size_t n)
{
	return (UINT64_C(1) << n) - 1;
}

/* 16 bytes as floats */
HELPER __m512
load_s8_as_f32x16(const int8_t *x)
{
	__m128i		x_s8 = _mm_loadu_si128((const __m128i *) x);

	return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(x_s8));
}

/* sum of the 16 elements */
HELPER float
sum_f32x16(__m512 x)
{
	__m256		y = _mm256_add_ps(_mm512_castps512_ps256(x),
								  _mm512_extractf32x8_ps(x, 1));
	__m128		s = _mm_add_ps(_mm256_castps256_ps128(y),
							   _mm256_extractf128_ps(y, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

/* the two halves added */
HELPER __m256i
fold_s32x16(__m512i x)
{
	return _mm256_add_epi32(_mm512_castsi512_si256(x),
							_mm512_extracti64x4_epi64(x, 1));
}

/* sum of the 16 elements */
HELPER int32_t
sum_s32x16(__m512i x)
{
	__m256i		y = fold_s32x16(x);
	__m128i		s = _mm_add_epi32(_mm256_castsi256_si128(y),
								  _mm256_extracti128_si256(y, 1));

	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(1, 0, 3, 2)));
	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(2, 3, 0, 1)));
	return _mm_cvtsi128_si32(s);
}

/* ---- float32 ---- */

KERNEL float
l2sq_f32(const float *a, const float *b, size_t n)
{
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	__m512		d;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		d = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
		s0 = _mm512_fmadd_ps(d, d, s0);
		d = _mm512_sub_ps(_mm512_loadu_ps(a + i + 16),
						  _mm512_loadu_ps(b + i + 16));
		s1 = _mm512_fmadd_ps(d, d, s1);
		d = _mm512_sub_ps(_mm512_loadu_ps(a + i + 32),
						  _mm512_loadu_ps(b + i + 32));
		s2 = _mm512_fmadd_ps(d, d, s2);
		d = _mm512_sub_ps(_mm512_loadu_ps(a + i + 48),
						  _mm512_loadu_ps(b + i + 48));
		s3 = _mm512_fmadd_ps(d, d, s3);
	}
	for (; i + 16 <= n; i += 16)
	{
		d = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
		s0 = _mm512_fmadd_ps(d, d, s0);
	}
	if (i < n)
	{
		__mmask16	mask = mask16(n - i);

		d = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, a + i),
						  _mm512_maskz_loadu_ps(mask, b + i));
		s1 = _mm512_fmadd_ps(d, d, s1);
	}
	return sum_f32x16(_mm512_add_ps(_mm512_add_ps(s0, s1),
									_mm512_add_ps(s2, s3)));
}

KERNEL float
dot_f32(const float *a, const float *b, size_t n)
{
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i),
							 _mm512_loadu_ps(b + i), s0);
		s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16),
							 _mm512_loadu_ps(b + i + 16), s1);
		s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32),
							 _mm512_loadu_ps(b + i + 32), s2);
		s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48),
							 _mm512_loadu_ps(b + i + 48), s3);
	}
	for (; i + 16 <= n; i += 16)
		s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i),
							 _mm512_loadu_ps(b + i), s0);
	if (i < n)
	{
		__mmask16	mask = mask16(n - i);

		s1 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, a + i),
							 _mm512_maskz_loadu_ps(mask, b + i), s1);
	}
	return sum_f32x16(_mm512_add_ps(_mm512_add_ps(s0, s1),
									_mm512_add_ps(s2, s3)));
}

/* |a_i - b_i| of 16 elements */
HELPER __m512
distance_f32x16(const float *a, const float *b)
{
	return _mm512_abs_ps(_mm512_sub_ps(_mm512_loadu_ps(a),
									   _mm512_loadu_ps(b)));
}

KERNEL float
l1_f32(const float *a, const float *b, size_t n)
{
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = _mm512_add_ps(s0, distance_f32x16(a + i, b + i));
		s1 = _mm512_add_ps(s1, distance_f32x16(a + i + 16, b + i + 16));
		s2 = _mm512_add_ps(s2, distance_f32x16(a + i + 32, b + i + 32));
		s3 = _mm512_add_ps(s3, distance_f32x16(a + i + 48, b + i + 48));
	}
	for (; i + 16 <= n; i += 16)
		s0 = _mm512_add_ps(s0, distance_f32x16(a + i, b + i));
	if (i < n)
	{
		__mmask16	mask = mask16(n - i);
		__m512		d = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, a + i),
									  _mm512_maskz_loadu_ps(mask, b + i));

		s1 = _mm512_add_ps(s1, _mm512_abs_ps(d));
	}
	return sum_f32x16(_mm512_add_ps(_mm512_add_ps(s0, s1),
									_mm512_add_ps(s2, s3)));
}

KERNEL KernelCosine
cosine_f32(const float *a, const float *b, size_t n)
{
	__m512		dot0 = _mm512_setzero_ps();
	__m512		dot1 = dot0;
	__m512		aa0 = dot0;
	__m512		aa1 = dot0;
	__m512		bb0 = dot0;
	__m512		bb1 = dot0;
	__m512		x;
	__m512		y;
	size_t		i = 0;
	KernelCosine sums;

	for (; i + 32 <= n; i += 32)
	{
		x = _mm512_loadu_ps(a + i);
		y = _mm512_loadu_ps(b + i);
		dot0 = _mm512_fmadd_ps(x, y, dot0);
		aa0 = _mm512_fmadd_ps(x, x, aa0);
		bb0 = _mm512_fmadd_ps(y, y, bb0);
		x = _mm512_loadu_ps(a + i + 16);
		y = _mm512_loadu_ps(b + i + 16);
		dot1 = _mm512_fmadd_ps(x, y, dot1);
		aa1 = _mm512_fmadd_ps(x, x, aa1);
		bb1 = _mm512_fmadd_ps(y, y, bb1);
	}
	for (; i < n; i += 16)
	{
		__mmask16	mask = n - i < 16 ? mask16(n - i) : (__mmask16) 0xffff;

		x = _mm512_maskz_loadu_ps(mask, a + i);
		y = _mm512_maskz_loadu_ps(mask, b + i);
		dot0 = _mm512_fmadd_ps(x, y, dot0);
		aa0 = _mm512_fmadd_ps(x, x, aa0);
		bb0 = _mm512_fmadd_ps(y, y, bb0);
	}
	sums.dot = sum_f32x16(_mm512_add_ps(dot0, dot1));
	sums.norm_a = sum_f32x16(_mm512_add_ps(aa0, aa1));
	sums.norm_b = sum_f32x16(_mm512_add_ps(bb0, bb1));
	return sums;
}

/* ---- sparse float32 ---- */

/*
 * Blocks of 16 indices of either vector, each compared with all 16 of the
 * other by turning one of them; the block that ends first is replaced.  What
 * fills up a short block is left out by its mask.
 */
KERNEL float
dot_sparse(const int32_t *at_a, const float *a, size_t na,
		   const int32_t *at_b, const float *b, size_t nb)
{
	const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7,
											8, 9, 10, 11, 12, 13, 14, 15);
	__m512		sum = _mm512_setzero_ps();
	size_t		i = 0;
	size_t		j = 0;

	while (i < na && j < nb)
	{
		size_t		n = na - i < 16 ? na - i : 16;
		size_t		m = nb - j < 16 ? nb - j : 16;
		__mmask16	mask_a = mask16(n);
		__mmask16	mask_b = mask16(m);
		__m512i		index_a = _mm512_mask_loadu_epi32(_mm512_set1_epi32(-1),
													  mask_a, at_a + i);
		__m512i		index_b = _mm512_mask_loadu_epi32(_mm512_set1_epi32(-2),
													  mask_b, at_b + j);
		__m512i		lane = lanes;
		__mmask16	found = 0;
		int32_t		last_a = at_a[i + n - 1];
		int32_t		last_b = at_b[j + m - 1];

		/* for each index of a: is it in b's block, and in which lane? */
		for (int k = 0; k < 16; k++)
		{
			__m512i		turn = _mm512_add_epi32(lanes, _mm512_set1_epi32(k));
			__m512i		turned = _mm512_permutexvar_epi32(turn, index_b);
			__mmask16	equal = _mm512_cmpeq_epi32_mask(index_a, turned);

			found |= equal;
			lane = _mm512_mask_mov_epi32(lane, equal, turn);
		}
		found &= mask_a;
		if (found != 0)
		{
			__m512		x = _mm512_maskz_loadu_ps(found, a + i);
			__m512		y = _mm512_maskz_loadu_ps(mask_b, b + j);

			y = _mm512_permutexvar_ps(lane, y);
			sum = _mm512_mask3_fmadd_ps(x, y, sum, found);
		}
		i += last_a <= last_b ? n : 0;
		j += last_b <= last_a ? m : 0;
	}
	return sum_f32x16(sum);
}

/* ---- binary16 ---- */

/* 16 halves as floats */
HELPER __m512
load_f16x16(const uint16_t *x)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) x));
}

/* n <= 16 halves as floats, zeros behind */
HELPER __m512
load_f16_tail(const uint16_t *x, size_t n)
{
	return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask16(n), x));
}

KERNEL float
l2sq_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	__m512		d;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		d = _mm512_sub_ps(load_f16x16(a + i), load_f16x16(b + i));
		s0 = _mm512_fmadd_ps(d, d, s0);
		d = _mm512_sub_ps(load_f16x16(a + i + 16), load_f16x16(b + i + 16));
		s1 = _mm512_fmadd_ps(d, d, s1);
		d = _mm512_sub_ps(load_f16x16(a + i + 32), load_f16x16(b + i + 32));
		s2 = _mm512_fmadd_ps(d, d, s2);
		d = _mm512_sub_ps(load_f16x16(a + i + 48), load_f16x16(b + i + 48));
		s3 = _mm512_fmadd_ps(d, d, s3);
	}
	for (; i + 16 <= n; i += 16)
	{
		d = _mm512_sub_ps(load_f16x16(a + i), load_f16x16(b + i));
		s0 = _mm512_fmadd_ps(d, d, s0);
	}
	if (i < n)
	{
		d = _mm512_sub_ps(load_f16_tail(a + i, n - i),
						  load_f16_tail(b + i, n - i));
		s1 = _mm512_fmadd_ps(d, d, s1);
	}
	return sum_f32x16(_mm512_add_ps(_mm512_add_ps(s0, s1),
									_mm512_add_ps(s2, s3)));
}

KERNEL float
dot_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = _mm512_fmadd_ps(load_f16x16(a + i), load_f16x16(b + i), s0);
		s1 = _mm512_fmadd_ps(load_f16x16(a + i + 16),
							 load_f16x16(b + i + 16), s1);
		s2 = _mm512_fmadd_ps(load_f16x16(a + i + 32),
							 load_f16x16(b + i + 32), s2);
		s3 = _mm512_fmadd_ps(load_f16x16(a + i + 48),
							 load_f16x16(b + i + 48), s3);
	}
	for (; i + 16 <= n; i += 16)
		s0 = _mm512_fmadd_ps(load_f16x16(a + i), load_f16x16(b + i), s0);
	if (i < n)
		s1 = _mm512_fmadd_ps(load_f16_tail(a + i, n - i),
							 load_f16_tail(b + i, n - i), s1);
	return sum_f32x16(_mm512_add_ps(_mm512_add_ps(s0, s1),
									_mm512_add_ps(s2, s3)));
}

/* |a_i - b_i| of 16 elements */
HELPER __m512
distance_f16x16(const uint16_t *a, const uint16_t *b)
{
	return _mm512_abs_ps(_mm512_sub_ps(load_f16x16(a), load_f16x16(b)));
}

KERNEL float
l1_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = _mm512_add_ps(s0, distance_f16x16(a + i, b + i));
		s1 = _mm512_add_ps(s1, distance_f16x16(a + i + 16, b + i + 16));
		s2 = _mm512_add_ps(s2, distance_f16x16(a + i + 32, b + i + 32));
		s3 = _mm512_add_ps(s3, distance_f16x16(a + i + 48, b + i + 48));
	}
	for (; i + 16 <= n; i += 16)
		s0 = _mm512_add_ps(s0, distance_f16x16(a + i, b + i));
	if (i < n)
	{
		__m512		d = _mm512_sub_ps(load_f16_tail(a + i, n - i),
									  load_f16_tail(b + i, n - i));

		s1 = _mm512_add_ps(s1, _mm512_abs_ps(d));
	}
	return sum_f32x16(_mm512_add_ps(_mm512_add_ps(s0, s1),
									_mm512_add_ps(s2, s3)));
}

KERNEL KernelCosine
cosine_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	__m512		dot0 = _mm512_setzero_ps();
	__m512		dot1 = dot0;
	__m512		aa0 = dot0;
	__m512		aa1 = dot0;
	__m512		bb0 = dot0;
	__m512		bb1 = dot0;
	__m512		x;
	__m512		y;
	size_t		i = 0;
	KernelCosine sums;

	for (; i + 32 <= n; i += 32)
	{
		x = load_f16x16(a + i);
		y = load_f16x16(b + i);
		dot0 = _mm512_fmadd_ps(x, y, dot0);
		aa0 = _mm512_fmadd_ps(x, x, aa0);
		bb0 = _mm512_fmadd_ps(y, y, bb0);
		x = load_f16x16(a + i + 16);
		y = load_f16x16(b + i + 16);
		dot1 = _mm512_fmadd_ps(x, y, dot1);
		aa1 = _mm512_fmadd_ps(x, x, aa1);
		bb1 = _mm512_fmadd_ps(y, y, bb1);
	}
	for (; i < n; i += 16)
	{
		size_t		left = n - i < 16 ? n - i : 16;

		x = load_f16_tail(a + i, left);
		y = load_f16_tail(b + i, left);
		dot0 = _mm512_fmadd_ps(x, y, dot0);
		aa0 = _mm512_fmadd_ps(x, x, aa0);
		bb0 = _mm512_fmadd_ps(y, y, bb0);
	}
	sums.dot = sum_f32x16(_mm512_add_ps(dot0, dot1));
	sums.norm_a = sum_f32x16(_mm512_add_ps(aa0, aa1));
	sums.norm_b = sum_f32x16(_mm512_add_ps(bb0, bb1));
	return sums;
}

KERNEL void
half_to_float(const uint16_t *x, size_t n, float *out)
{
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
		_mm512_storeu_ps(out + i, load_f16x16(x + i));
	if (i < n)
		_mm512_mask_storeu_ps(out + i, mask16(n - i),
							  load_f16_tail(x + i, n - i));
}

KERNEL void
float_to_half(const float *x, size_t n, uint16_t *out)
{
	__m256i		halves;
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		halves = _mm512_cvtps_ph(_mm512_loadu_ps(x + i),
								 _MM_FROUND_TO_NEAREST_INT);
		_mm256_storeu_si256((__m256i *) (out + i), halves);
	}
	if (i < n)
	{
		__mmask16	mask = mask16(n - i);

		halves = _mm512_cvtps_ph(_mm512_maskz_loadu_ps(mask, x + i),
								 _MM_FROUND_TO_NEAREST_INT);
		_mm256_mask_storeu_epi16(out + i, mask, halves);
	}
}

/* ---- Walsh-Hadamard transform ---- */

/* 'x' with the sign of the elements in 'mask' turned */
HELPER __m512
negate_f32x16(__m512 x, __m512i mask)
{
	return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(x), mask));
}

/*
 * Stages h = 1, 2, 4, 8 of 16 elements: each is its partner plus itself, with
 * the sign of the upper element of each pair turned.
 */
HELPER __m512
transform_f32x16(__m512 x)
{
	const __m512i sign = _mm512_set1_epi32(INT32_MIN);
	const __m512i sign1 = _mm512_maskz_mov_epi32(0xaaaa, sign);
	const __m512i sign2 = _mm512_maskz_mov_epi32(0xcccc, sign);
	const __m512i sign4 = _mm512_maskz_mov_epi32(0xf0f0, sign);
	const __m512i sign8 = _mm512_maskz_mov_epi32(0xff00, sign);
	__m512		partner;

	partner = _mm512_permute_ps(x, _MM_SHUFFLE(2, 3, 0, 1));
	x = _mm512_add_ps(partner, negate_f32x16(x, sign1));
	partner = _mm512_permute_ps(x, _MM_SHUFFLE(1, 0, 3, 2));
	x = _mm512_add_ps(partner, negate_f32x16(x, sign2));
	partner = _mm512_shuffle_f32x4(x, x, _MM_SHUFFLE(2, 3, 0, 1));
	x = _mm512_add_ps(partner, negate_f32x16(x, sign4));
	partner = _mm512_shuffle_f32x4(x, x, _MM_SHUFFLE(1, 0, 3, 2));
	return _mm512_add_ps(partner, negate_f32x16(x, sign8));
}

/* stages h and 2h over blocks of 4h elements, h a multiple of 16 */
HELPER void
transform_two_stages(float *x, size_t n, size_t h)
{
	for (size_t i = 0; i < n; i += 4 * h)
	{
		for (size_t j = i; j < i + h; j += 16)
		{
			__m512		x0 = _mm512_loadu_ps(x + j);
			__m512		x1 = _mm512_loadu_ps(x + j + h);
			__m512		x2 = _mm512_loadu_ps(x + j + 2 * h);
			__m512		x3 = _mm512_loadu_ps(x + j + 3 * h);
			__m512		s01 = _mm512_add_ps(x0, x1);
			__m512		d01 = _mm512_sub_ps(x0, x1);
			__m512		s23 = _mm512_add_ps(x2, x3);
			__m512		d23 = _mm512_sub_ps(x2, x3);

			_mm512_storeu_ps(x + j, _mm512_add_ps(s01, s23));
			_mm512_storeu_ps(x + j + h, _mm512_add_ps(d01, d23));
			_mm512_storeu_ps(x + j + 2 * h, _mm512_sub_ps(s01, s23));
			_mm512_storeu_ps(x + j + 3 * h, _mm512_sub_ps(d01, d23));
		}
	}
}

KERNEL void
fht_f32(float *x, size_t n)
{
	size_t		h = 16;

	if (n < 16)
	{
		kernels_scalar.fht_f32(x, n);
		return;
	}
	for (size_t i = 0; i < n; i += 16)
		_mm512_storeu_ps(x + i, transform_f32x16(_mm512_loadu_ps(x + i)));
	for (; 4 * h <= n; h *= 4)
		transform_two_stages(x, n, h);
	if (h == n)
		return;

	/* one stage is left: the two halves */
	for (size_t i = 0; i < h; i += 16)
	{
		__m512		a = _mm512_loadu_ps(x + i);
		__m512		b = _mm512_loadu_ps(x + i + h);

		_mm512_storeu_ps(x + i, _mm512_add_ps(a, b));
		_mm512_storeu_ps(x + i + h, _mm512_sub_ps(a, b));
	}
}

/* ---- 8-bit codes ---- */

KERNEL float
dot_f32s8(const float *a, const int8_t *b, size_t n)
{
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		s2 = s0;
	__m512		s3 = s0;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i),
							 load_s8_as_f32x16(b + i), s0);
		s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16),
							 load_s8_as_f32x16(b + i + 16), s1);
		s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32),
							 load_s8_as_f32x16(b + i + 32), s2);
		s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48),
							 load_s8_as_f32x16(b + i + 48), s3);
	}
	for (; i + 16 <= n; i += 16)
		s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i),
							 load_s8_as_f32x16(b + i), s0);
	if (i < n)
	{
		__mmask16	mask = mask16(n - i);
		__m128i		b_s8 = _mm_maskz_loadu_epi8(mask, b + i);
		__m512		b_f32 = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(b_s8));

		s1 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, a + i), b_f32, s1);
	}
	return sum_f32x16(_mm512_add_ps(_mm512_add_ps(s0, s1),
									_mm512_add_ps(s2, s3)));
}

/*
 * dpbusd wants one side unsigned: with a + 128 for a the sum is too large by
 * 128 times the sum of b, which a second accumulator takes.  No overflow: four
 * products of 255 * 127, 1024 times, are below 2^28.
 */
KERNEL int32_t
dot_s8(const int8_t *a, const int8_t *b, size_t n)
{
	const __m512i bias = _mm512_set1_epi8((char) 0x80);
	__m512i		sum = _mm512_setzero_si512();
	__m512i		excess = sum;
	__m512i		x;
	__m512i		y;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		x = _mm512_loadu_si512(a + i);
		y = _mm512_loadu_si512(b + i);
		sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(x, bias), y);
		excess = _mm512_dpbusd_epi32(excess, bias, y);
	}
	if (i < n)
	{
		__mmask64	mask = mask64(n - i);

		x = _mm512_maskz_loadu_epi8(mask, a + i);
		y = _mm512_maskz_loadu_epi8(mask, b + i);
		sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(x, bias), y);
		excess = _mm512_dpbusd_epi32(excess, bias, y);
	}
	return sum_s32x16(_mm512_sub_epi32(sum, excess));
}

/* 16 codes of 12 bits, less 7.5, as floats */
HELPER __m512
load_s12_as_f32x16(const int8_t *high, const uint8_t *low)
{
	const __m128i half = _mm_set1_epi8(15);
	__m128i		packed = _mm_loadl_epi64((const __m128i *) low);
	__m128i		first = _mm_and_si128(packed, half);
	__m128i		second = _mm_and_si128(_mm_srli_epi16(packed, 4), half);
	__m512i		low_s32 = _mm512_cvtepu8_epi32(_mm_unpacklo_epi64(first,
																  second));
	__m512i		high_s32 = _mm512_cvtepi8_epi32(
						  _mm_loadu_si128((const __m128i *) high));
	__m512i		code = _mm512_or_si512(_mm512_slli_epi32(high_s32, 4), low_s32);

	return _mm512_sub_ps(_mm512_cvtepi32_ps(code), _mm512_set1_ps(7.5f));
}

KERNEL float
l2sq_f32s12(const float *a, const int8_t *high, const uint8_t *low,
			float step, size_t n)
{
	const __m512 steps = _mm512_set1_ps(step);
	__m512		s0 = _mm512_setzero_ps();
	__m512		s1 = s0;
	__m512		d;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		d = _mm512_fnmadd_ps(steps, load_s12_as_f32x16(high + i, low + i / 2),
							 _mm512_loadu_ps(a + i));
		s0 = _mm512_fmadd_ps(d, d, s0);
		d = _mm512_fnmadd_ps(steps,
							 load_s12_as_f32x16(high + i + 16, low + i / 2 + 8),
							 _mm512_loadu_ps(a + i + 16));
		s1 = _mm512_fmadd_ps(d, d, s1);
	}
	if (i < n)
	{
		d = _mm512_fnmadd_ps(steps, load_s12_as_f32x16(high + i, low + i / 2),
							 _mm512_loadu_ps(a + i));
		s0 = _mm512_fmadd_ps(d, d, s0);
	}
	return sum_f32x16(_mm512_add_ps(s0, s1));
}

/* ---- bit codes ---- */

/* the 64 bits of a code from 'code' on */
HELPER __mmask64
load_bits64(const uint8_t *code)
{
	uint64_t	bits;

	memcpy(&bits, code, sizeof(bits));
	return bits;
}

/* the last n dimensions of a code: 16, 32 or 48 */
HELPER __mmask64
load_bits_tail(const uint8_t *code, size_t n)
{
	uint64_t	bits = 0;

	for (size_t i = 0; i < n; i += 16)
	{
		uint16_t	part;

		memcpy(&part, code + i / 8, sizeof(part));
		bits |= (uint64_t) part << i;
	}
	return bits;
}

/* 'sum' plus q_i where bit i of 'bits' is set; others are not even read */
HELPER __m512i
add_selected(__m512i sum, __mmask64 bits, const int8_t *q)
{
	return _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1),
							   _mm512_maskz_loadu_epi8(bits, q));
}

/* one code */
HELPER int32_t
sum_bits_1(const int8_t *q, const uint8_t *code, size_t n)
{
	__m512i		sum = _mm512_setzero_si512();
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
		sum = add_selected(sum, load_bits64(code + i / 8), q + i);
	if (i < n)
		sum = add_selected(sum, load_bits_tail(code + i / 8, n - i), q + i);
	return sum_s32x16(sum);
}

/* four codes: their chains of additions run side by side */
HELPER void
sum_bits_4(const int8_t *q, const uint8_t *code0, size_t stride, size_t n,
		   int32_t *sums)
{
	const uint8_t *code1 = code0 + stride;
	const uint8_t *code2 = code1 + stride;
	const uint8_t *code3 = code2 + stride;
	__m512i		sum0 = _mm512_setzero_si512();
	__m512i		sum1 = sum0;
	__m512i		sum2 = sum0;
	__m512i		sum3 = sum0;
	__m256i		pairs;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		sum0 = add_selected(sum0, load_bits64(code0 + i / 8), q + i);
		sum1 = add_selected(sum1, load_bits64(code1 + i / 8), q + i);
		sum2 = add_selected(sum2, load_bits64(code2 + i / 8), q + i);
		sum3 = add_selected(sum3, load_bits64(code3 + i / 8), q + i);
	}
	if (i < n)
	{
		size_t		left = n - i;

		sum0 = add_selected(sum0, load_bits_tail(code0 + i / 8, left), q + i);
		sum1 = add_selected(sum1, load_bits_tail(code1 + i / 8, left), q + i);
		sum2 = add_selected(sum2, load_bits_tail(code2 + i / 8, left), q + i);
		sum3 = add_selected(sum3, load_bits_tail(code3 + i / 8, left), q + i);
	}

	/* two rounds of pairwise sums leave the four, in each half of a register */
	pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(fold_s32x16(sum0),
												fold_s32x16(sum1)),
							  _mm256_hadd_epi32(fold_s32x16(sum2),
												fold_s32x16(sum3)));
	_mm_storeu_si128((__m128i *) sums,
					 _mm_add_epi32(_mm256_castsi256_si128(pairs),
								   _mm256_extracti128_si256(pairs, 1)));
}

KERNEL void
sum_bits_s8(const int8_t *q, const uint8_t *codes, size_t stride, int ncodes,
			size_t n, int32_t *sums)
{
	int			k = 0;

	for (; k + 4 <= ncodes; k += 4)
		sum_bits_4(q, codes + (size_t) k * stride, stride, n, sums + k);
	for (; k < ncodes; k++)
		sums[k] = sum_bits_1(q, codes + (size_t) k * stride, n);
}

/* sum of the 8 elements, which fits 32 bits */
HELPER uint32_t
sum_u64x8(__m512i x)
{
	return (uint32_t) sum_s32x16(x);
}

KERNEL uint32_t
hamming(const uint8_t *a, const uint8_t *b, size_t n)
{
	__m512i		count = _mm512_setzero_si512();
	__m512i		x;
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
	{
		x = _mm512_xor_si512(_mm512_loadu_si512(a + i),
							 _mm512_loadu_si512(b + i));
		count = _mm512_add_epi64(count, _mm512_popcnt_epi64(x));
	}
	if (i < n)
	{
		__mmask64	mask = mask64(n - i);

		x = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, a + i),
							 _mm512_maskz_loadu_epi8(mask, b + i));
		count = _mm512_add_epi64(count, _mm512_popcnt_epi64(x));
	}
	return sum_u64x8(count);
}

KERNEL void
jaccard(const uint8_t *a, const uint8_t *b, size_t n, uint32_t *both,
		uint32_t *either)
{
	__m512i		n_both = _mm512_setzero_si512();
	__m512i		n_either = n_both;

	for (size_t i = 0; i < n; i += 64)
	{
		__mmask64	mask = n - i < 64 ? mask64(n - i) : ~UINT64_C(0);
		__m512i		x = _mm512_maskz_loadu_epi8(mask, a + i);
		__m512i		y = _mm512_maskz_loadu_epi8(mask, b + i);

		n_both = _mm512_add_epi64(n_both,
								 _mm512_popcnt_epi64(_mm512_and_si512(x, y)));
		n_either = _mm512_add_epi64(n_either,
								   _mm512_popcnt_epi64(_mm512_or_si512(x, y)));
	}
	*both = sum_u64x8(n_both);
	*either = sum_u64x8(n_either);
}

/* ---- residuals ---- */

/* running sums of a residual */
typedef struct ResidualSums
{
	__m512		sum_abs;
	__m512		norm2;
} ResidualSums;

/* add 16 elements that have bits, and write these */
HELPER void
add_coded_f32x16(ResidualSums *sums, __m512 r, uint8_t *bits)
{
	uint16_t	positive = _cvtmask16_u32(
						_mm512_cmp_ps_mask(r, _mm512_setzero_ps(), _CMP_GT_OQ));

	sums->norm2 = _mm512_fmadd_ps(r, r, sums->norm2);
	sums->sum_abs = _mm512_add_ps(sums->sum_abs, _mm512_abs_ps(r));
	memcpy(bits, &positive, sizeof(positive));
}

/* r_i of 16 elements */
HELPER __m512
residual_f32x16(const int8_t *a, __m512 scale_a, const int8_t *c,
				__m512 scale_c)
{
	__m512		va = _mm512_mul_round_ps(scale_a, load_s8_as_f32x16(a), NEAREST);
	__m512		vc = _mm512_mul_round_ps(scale_c, load_s8_as_f32x16(c), NEAREST);

	return _mm512_sub_ps(va, vc);
}

KERNEL KernelResidual
residual_s8(const int8_t *a, float scale_a, const int8_t *c, float scale_c,
			size_t n, size_t nbits, uint8_t *bits)
{
	const __m512 sa = _mm512_set1_ps(scale_a);
	const __m512 sc = _mm512_set1_ps(scale_c);
	ResidualSums even = {_mm512_setzero_ps(), _mm512_setzero_ps()};
	ResidualSums odd = even;
	KernelResidual result;
	size_t		i = 0;

	for (; i + 32 <= nbits; i += 32)
	{
		add_coded_f32x16(&even, residual_f32x16(a + i, sa, c + i, sc),
						 bits + i / 8);
		add_coded_f32x16(&odd, residual_f32x16(a + i + 16, sa, c + i + 16, sc),
						 bits + i / 8 + 2);
	}
	for (; i < nbits; i += 16)
		add_coded_f32x16(&even, residual_f32x16(a + i, sa, c + i, sc),
						 bits + i / 8);
	for (; i < n; i += 16)
	{
		__m512		r = residual_f32x16(a + i, sa, c + i, sc);

		even.norm2 = _mm512_fmadd_ps(r, r, even.norm2);
	}
	result.sum_abs = sum_f32x16(_mm512_add_ps(even.sum_abs, odd.sum_abs));
	result.norm2 = sum_f32x16(_mm512_add_ps(even.norm2, odd.norm2));
	return result;
}

KERNEL void
subtract_s8(const float *q, const int8_t *c, float scale, size_t n, float *r)
{
	const __m512 s = _mm512_set1_ps(scale);

	for (size_t i = 0; i < n; i += 16)
	{
		__m512		product = _mm512_mul_round_ps(s, load_s8_as_f32x16(c + i),
													  NEAREST);

		_mm512_storeu_ps(r + i, _mm512_sub_ps(_mm512_loadu_ps(q + i), product));
	}
}

KERNEL KernelResidual
residual_f32(const float *r, size_t n, size_t nbits, uint8_t *bits)
{
	ResidualSums even = {_mm512_setzero_ps(), _mm512_setzero_ps()};
	ResidualSums odd = even;
	KernelResidual result;
	size_t		i = 0;

	for (; i + 32 <= nbits; i += 32)
	{
		add_coded_f32x16(&even, _mm512_loadu_ps(r + i), bits + i / 8);
		add_coded_f32x16(&odd, _mm512_loadu_ps(r + i + 16), bits + i / 8 + 2);
	}
	for (; i < nbits; i += 16)
		add_coded_f32x16(&even, _mm512_loadu_ps(r + i), bits + i / 8);
	for (; i < n; i += 16)
	{
		__m512		x = _mm512_loadu_ps(r + i);

		even.norm2 = _mm512_fmadd_ps(x, x, even.norm2);
	}
	result.sum_abs = sum_f32x16(_mm512_add_ps(even.sum_abs, odd.sum_abs));
	result.norm2 = sum_f32x16(_mm512_add_ps(even.norm2, odd.norm2));
	return result;
}

/* max returns its second operand if one is NaN: the maximum so far */
KERNEL float
max_abs_f32(const float *x, size_t n)
{
	__m512		m0 = _mm512_setzero_ps();
	__m512		m1 = m0;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		m0 = _mm512_max_ps(_mm512_abs_ps(_mm512_loadu_ps(x + i)), m0);
		m1 = _mm512_max_ps(_mm512_abs_ps(_mm512_loadu_ps(x + i + 16)), m1);
	}
	for (; i < n; i += 16)
	{
		__mmask16	mask = n - i < 16 ? mask16(n - i) : (__mmask16) 0xffff;

		m0 = _mm512_max_ps(_mm512_abs_ps(_mm512_maskz_loadu_ps(mask, x + i)), m0);
	}
	return _mm512_reduce_max_ps(_mm512_max_ps(m0, m1));
}

/* 16 codes; adds the squares of their errors to 'sum' */
HELPER __m128i
quantize_f32x16(__m512 x, __m512 inv_scale, __m512 scale, __m512 *sum)
{
	__m512		v = _mm512_mul_ps(x, inv_scale);
	__m512i		code;
	__m512		back;
	__m512		d;

	/* the limit is returned if v is NaN */
	v = _mm512_max_ps(v, _mm512_set1_ps(-127));
	v = _mm512_min_ps(v, _mm512_set1_ps(127));
	code = _mm512_cvtps_epi32(v);
	back = _mm512_mul_round_ps(_mm512_cvtepi32_ps(code), scale, NEAREST);
	d = _mm512_sub_ps(x, back);
	*sum = _mm512_fmadd_ps(d, d, *sum);
	return _mm512_cvtsepi32_epi8(code);
}

KERNEL float
quantize_s8(const float *x, size_t n, float inv_scale, float scale,
			int8_t *code)
{
	const __m512 inv = _mm512_set1_ps(inv_scale);
	const __m512 s = _mm512_set1_ps(scale);
	__m512		sum0 = _mm512_setzero_ps();
	__m512		sum1 = sum0;
	__m128i		code_s8;
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		code_s8 = quantize_f32x16(_mm512_loadu_ps(x + i), inv, s, &sum0);
		_mm_storeu_si128((__m128i *) (code + i), code_s8);
		code_s8 = quantize_f32x16(_mm512_loadu_ps(x + i + 16), inv, s, &sum1);
		_mm_storeu_si128((__m128i *) (code + i + 16), code_s8);
	}
	for (; i + 16 <= n; i += 16)
	{
		code_s8 = quantize_f32x16(_mm512_loadu_ps(x + i), inv, s, &sum0);
		_mm_storeu_si128((__m128i *) (code + i), code_s8);
	}
	return sum_f32x16(_mm512_add_ps(sum0, sum1)) +
		kernels_scalar.quantize_s8(x + i, n - i, inv_scale, scale, code + i);
}

/* 4 bytes each, reversed; finite: see kernel_scalar.c */
KERNEL bool
swap_f32(const void *from, size_t n, void *to)
{
	const __m512i reverse = _mm512_broadcast_i32x4(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
	__m512i		largest = _mm512_setzero_si512();
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
	{
		__m512i		x = _mm512_loadu_si512((const char *) from + 4 * i);

		x = _mm512_shuffle_epi8(x, reverse);
		_mm512_storeu_si512((char *) to + 4 * i, x);
		largest = _mm512_max_epu32(largest, _mm512_slli_epi32(x, 1));
	}
	if (i < n)
	{
		__mmask16	tail = (__mmask16) ((UINT32_C(1) << (n - i)) - 1);
		__m512i		x = _mm512_maskz_loadu_epi32(tail, (const char *) from + 4 * i);

		x = _mm512_shuffle_epi8(x, reverse);
		_mm512_mask_storeu_epi32((char *) to + 4 * i, tail, x);
		largest = _mm512_max_epu32(largest, _mm512_slli_epi32(x, 1));
	}
	return _mm512_cmpge_epu32_mask(largest, _mm512_set1_epi32((int) 0xff000000)) == 0;
}

/* 2 bytes each, reversed; finite: see kernel_scalar.c */
KERNEL bool
swap_f16(const void *from, size_t n, void *to)
{
	const __m512i reverse = _mm512_broadcast_i32x4(_mm_setr_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
	__m512i		largest = _mm512_setzero_si512();
	size_t		i = 0;

	for (; i + 32 <= n; i += 32)
	{
		__m512i		x = _mm512_loadu_si512((const char *) from + 2 * i);

		x = _mm512_shuffle_epi8(x, reverse);
		_mm512_storeu_si512((char *) to + 2 * i, x);
		largest = _mm512_max_epu16(largest, _mm512_slli_epi16(x, 1));
	}
	if (i < n)
	{
		__mmask32	tail = (__mmask32) ((UINT32_C(1) << (n - i)) - 1);
		__m512i		x = _mm512_maskz_loadu_epi16(tail, (const char *) from + 2 * i);

		x = _mm512_shuffle_epi8(x, reverse);
		_mm512_mask_storeu_epi16((char *) to + 2 * i, tail, x);
		largest = _mm512_max_epu16(largest, _mm512_slli_epi16(x, 1));
	}
	return _mm512_cmpge_epu16_mask(largest, _mm512_set1_epi16((short) 0xf800)) == 0;
}

const Kernels kernels_avx512 = {
	.isa = "avx512",
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
	.panel_near_s8 = panel_near_s8_avx512,
	.panel_near_f32 = panel_near_f32_avx512,
	.rows_l2sq_s8 = rows_l2sq_s8_avx512,
	.rows_l2sq_f32 = rows_l2sq_f32_avx512,
	.panel_near_l1 = panel_near_l1_avx512,
	.panel_near_hamming = panel_near_hamming_avx512,
	.panel_near_jaccard = panel_near_jaccard_avx512,
	.swap_f32 = swap_f32,
	.swap_f16 = swap_f16,
	.max_abs_f32 = max_abs_f32,
	.quantize_s8 = quantize_s8,
};

#else

/* ISO C wants something in every file */
typedef int KernelAvx512Unused;

#endif							/* __x86_64__ */
