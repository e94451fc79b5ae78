/*-------------------------------------------------------------------------
 *
 * kernel_avx512_code.c
 *	  Kernels of 8-bit and bit codes for x86-64 with AVX-512 (F, BW, DQ, VL,
 *	  VNNI).
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx512_code.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include "kernel/kernel_avx512.h"

/* ---- what the common loops want ---- */

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
HELPER Floats
transform_lanes(Floats x)
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

/* which of LANES elements are above 0, as bits */
HELPER void
store_positive(uint8_t *bits, Floats x)
{
	uint16_t	positive = _cvtmask16_u32(
						_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ));

	memcpy(bits, &positive, sizeof(positive));
}

/* the nearest integers, stored as bytes; returned as floats */
HELPER Floats
store_codes(int8_t *code, Floats x)
{
	__m512i		rounded = _mm512_cvtps_epi32(x);

	_mm_storeu_si128((__m128i *) code, _mm512_cvtsepi32_epi8(rounded));
	return _mm512_cvtepi32_ps(rounded);
}

/* the same of integers from 0 to 255 */
HELPER void
store_bytes(uint8_t *code, Floats x)
{
	_mm_storeu_si128((__m128i *) code,
					 _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(x)));
}

#include "kernel/kernel_code_loops.h"

/* ---- 8-bit codes ---- */

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
		__mmask64	mask = first_bytes(n - i);

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
	return sum_lanes(_mm512_add_ps(s0, s1));
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

const Kernels kernels_avx512_code = {
	.isa = "avx512",
	.fht_f32 = fht_f32,
	.dot_s8 = dot_s8,
	.l2sq_f32s12 = l2sq_f32s12,
	.sum_bits_s8 = sum_bits_s8,
	.residual_s8 = residual_s8,
	.subtract_s8 = subtract_s8,
	.residual_f32 = residual_f32,
	.max_abs_f32 = max_abs_f32,
	.quantize_s8 = quantize_s8,
	.quantize_u8 = quantize_u8,
};

#else

/* ISO C wants something in every file */
typedef int KernelAvx512CodeUnused;

#endif							/* __x86_64__ */
