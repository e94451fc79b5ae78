/*-------------------------------------------------------------------------
 *
 * kernel_avx2_code.c
 *	  Kernels of 8-bit and bit codes for x86-64 with AVX2 and FMA.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx2_code.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include "kernel/kernel_avx2.h"

/* ---- what the common loops want ---- */

/*
 * Stages h = 1, 2, 4 of 8 elements: each is its partner plus itself, with the
 * sign of the upper element of each pair turned.
 */
EXACT_HELPER Floats
transform_lanes(Floats x)
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

/* which of LANES elements are above 0, as bits */
EXACT_HELPER void
store_positive(uint8_t *bits, Floats x)
{
	*bits = (uint8_t) _mm256_movemask_ps(
					_mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ));
}

/* the nearest integers, stored as bytes; returned as floats */
EXACT_HELPER Floats
store_codes(int8_t *code, Floats x)
{
	__m256i		rounded = _mm256_cvtps_epi32(x);
	__m128i		code_s16 = _mm_packs_epi32(_mm256_castsi256_si128(rounded),
										   _mm256_extracti128_si256(rounded, 1));

	_mm_storel_epi64((__m128i *) code, _mm_packs_epi16(code_s16, code_s16));
	return _mm256_cvtepi32_ps(rounded);
}

/* the same of integers from 0 to 255 */
EXACT_HELPER void
store_bytes(uint8_t *code, Floats x)
{
	__m256i		rounded = _mm256_cvtps_epi32(x);
	__m128i		code_s16 = _mm_packs_epi32(_mm256_castsi256_si128(rounded),
										   _mm256_extracti128_si256(rounded, 1));

	_mm_storel_epi64((__m128i *) code, _mm_packus_epi16(code_s16, code_s16));
}

#include "kernel/kernel_code_loops.h"

/* ---- 8-bit codes ---- */

/* sum of the 8 elements */
EXACT_HELPER int32_t
sum_s32x8(__m256i x)
{
	__m128i		s = _mm_add_epi32(_mm256_castsi256_si128(x),
								  _mm256_extracti128_si256(x, 1));

	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(1, 0, 3, 2)));
	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, _MM_SHUFFLE(2, 3, 0, 1)));
	return _mm_cvtsi128_si32(s);
}

/*
 * Products of 32 pairs as 8 sums.  maddubs wants one side unsigned, so the
 * sign of a moves to b; a pair of products is at most 2 * 127 * 127 < 2^15.
 */
EXACT_HELPER __m256i
dot_s8x32(__m256i a, __m256i b)
{
	__m256i		pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(a),
											 _mm256_sign_epi8(b, a));

	return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

EXACT_KERNEL int32_t
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
	return sum_lanes(_mm256_add_ps(s0, s1));
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
EXACT_HELPER __m256i
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
EXACT_HELPER __m256i
select_s8x16(const uint8_t *code, const int8_t *q)
{
	uint16_t	bits;
	__m128i		q_s8 = _mm_loadu_si128((const __m128i *) q);

	memcpy(&bits, code, sizeof(bits));
	return select_s8x32(_mm256_set1_epi32(bits),
						_mm256_zextsi128_si256(q_s8));
}

/* 'batch' plus q_i where one of the next 32 bits of the code is set */
EXACT_HELPER __m256i
add_selected(__m256i batch, const uint8_t *code, __m256i q)
{
	int32_t		bits;

	memcpy(&bits, code, sizeof(bits));
	return _mm256_add_epi16(batch, select_s8x32(_mm256_set1_epi32(bits), q));
}

/* 'sum' plus the 16-bit sums of one batch */
EXACT_HELPER __m256i
add_batch(__m256i sum, __m256i batch)
{
	return _mm256_add_epi32(sum,
							_mm256_madd_epi16(batch, _mm256_set1_epi16(1)));
}

/* one code */
EXACT_HELPER int32_t
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
EXACT_HELPER void
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

EXACT_KERNEL void
sum_bits_s8(const int8_t *q, const uint8_t *codes, size_t stride, int ncodes,
			size_t n, int32_t *sums)
{
	int			k = 0;

	for (; k + 4 <= ncodes; k += 4)
		sum_bits_4(q, codes + (size_t) k * stride, stride, n, sums + k);
	for (; k < ncodes; k++)
		sums[k] = sum_bits_1(q, codes + (size_t) k * stride, n);
}

const Kernels kernels_avx2_code = {
	.isa = "avx2",
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
typedef int KernelAvx2CodeUnused;

#endif							/* __x86_64__ */
