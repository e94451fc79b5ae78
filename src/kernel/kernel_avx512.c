/*-------------------------------------------------------------------------
 *
 * kernel_avx512.c
 *	  Distance kernels for x86-64 with AVX-512 (F, BW, DQ, VL, VPOPCNTDQ).
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx512.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include "kernel/kernel_avx512.h"
#include "kernel/kernel_float_loops.h"

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
		__mmask16	mask_a = first_lanes(n);
		__mmask16	mask_b = first_lanes(m);
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
	return sum_lanes(sum);
}

/* ---- strings of bits ---- */

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
		__mmask64	mask = first_bytes(n - i);

		x = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, a + i),
							 _mm512_maskz_loadu_epi8(mask, b + i));
		count = _mm512_add_epi64(count, _mm512_popcnt_epi64(x));
	}
	return (uint32_t) _mm512_reduce_add_epi64(count);
}

KERNEL void
jaccard(const uint8_t *a, const uint8_t *b, size_t n, uint32_t *both,
		uint32_t *either)
{
	__m512i		n_both = _mm512_setzero_si512();
	__m512i		n_either = n_both;

	for (size_t i = 0; i < n; i += 64)
	{
		__mmask64	mask = n - i < 64 ? first_bytes(n - i) : ~UINT64_C(0);
		__m512i		x = _mm512_maskz_loadu_epi8(mask, a + i);
		__m512i		y = _mm512_maskz_loadu_epi8(mask, b + i);

		n_both = _mm512_add_epi64(n_both,
								 _mm512_popcnt_epi64(_mm512_and_si512(x, y)));
		n_either = _mm512_add_epi64(n_either,
								   _mm512_popcnt_epi64(_mm512_or_si512(x, y)));
	}
	*both = (uint32_t) _mm512_reduce_add_epi64(n_both);
	*either = (uint32_t) _mm512_reduce_add_epi64(n_either);
}

/* ---- bytes in reverse order ---- */

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
		__mmask16	tail = first_lanes(n - i);
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
	.dot_f32s8 = dot_f32s8,
	.hamming = hamming,
	.jaccard = jaccard,
	.swap_f32 = swap_f32,
	.swap_f16 = swap_f16,
};

#else

/* ISO C wants something in every file */
typedef int KernelAvx512Unused;

#endif							/* __x86_64__ */
