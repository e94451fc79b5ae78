/*-------------------------------------------------------------------------
 *
 * kernel_avx2.c
 *	  Distance kernels for x86-64 with AVX2, FMA, F16C and POPCNT.
 *
 * Each file of this kind is compiled for the base architecture; the functions
 * name what more they need.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx2.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include "kernel/kernel_avx2.h"
#include "kernel/kernel_float_loops.h"

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
		__m256i		mask_a = first_lanes(n);
		__m256i		mask_b = first_lanes(m);
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
	return sum_lanes(sum);
}

/* ---- strings of bits ---- */

#define POPCOUNT_KERNEL	static __attribute__((target("popcnt")))

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

POPCOUNT_KERNEL uint32_t
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

POPCOUNT_KERNEL void
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

/* ---- bytes in reverse order ---- */

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
	.dot_f32s8 = dot_f32s8,
	.hamming = hamming,
	.jaccard = jaccard,
	.swap_f32 = swap_f32,
	.swap_f16 = swap_f16,
};

#else

/* ISO C wants something in every file */
typedef int KernelAvx2Unused;

#endif							/* __x86_64__ */
