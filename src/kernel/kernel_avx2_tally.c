/*-------------------------------------------------------------------------
 *
 * kernel_avx2_tally.c
 *	  Panel kernels of L1 and of bits for x86-64 with AVX2.
 *
 * A panel's 16 vectors are two registers wide.  Bits are counted by a table of
 * 16 bytes, in bytes as long as these cannot overflow.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx2_tally.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "kernel/kernel_panel.h"

#define HELPER \
	static inline __attribute__((target("avx2,fma"), always_inline))

#define ROWS		4

/* four bytes of each vector of a panel */
#define GROUP		(4 * KERNEL_PANEL)

/* groups whose counts, 8 of a byte at most, fit into a byte: 31 of them */
#define BYTE_SUMS	(31 * 4)

/* Store 16 distances, and say which are near. */
HELPER uint16_t
store_near(float *dist, __m256 low, __m256 high, float bound)
{
	__m256		limit = _mm256_set1_ps(bound);
	int			near_low = _mm256_movemask_ps(_mm256_cmp_ps(low, limit, _CMP_LT_OQ));
	int			near_high = _mm256_movemask_ps(_mm256_cmp_ps(high, limit, _CMP_LT_OQ));

	_mm256_storeu_ps(dist, low);
	_mm256_storeu_ps(dist + 8, high);
	return (uint16_t) (near_low | near_high << 8);
}

/* ---- L1 ---- */

/* by a multiply-add with 1: see kernel_avx512_tally.c */
HELPER __m256
add_abs(__m256 sum, __m256 x, __m256 y)
{
	__m256		d = _mm256_sub_ps(x, y);

	d = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), d);
	return _mm256_fmadd_ps(d, _mm256_set1_ps(1), sum);
}

/* Rows first to first + nrows; inlined with a constant nrows <= ROWS. */
HELPER void
near_l1(const float *panel, const KernelRows *rows, int first, int nrows,
		size_t n, float *dist, uint16_t *near)
{
	__m256		low[ROWS];
	__m256		high[ROWS];

	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		low[r] = high[r] = _mm256_setzero_ps();
	for (size_t i = 0; i < n; i++)
	{
		__m256		x0 = _mm256_loadu_ps(panel + i * KERNEL_PANEL);
		__m256		x1 = _mm256_loadu_ps(panel + i * KERNEL_PANEL + 8);

		UNROLL_ROWS
		for (int r = 0; r < nrows; r++)
		{
			__m256		y = _mm256_broadcast_ss((const float *) rows->x[first + r] + i);

			low[r] = add_abs(low[r], x0, y);
			high[r] = add_abs(high[r], x1, y);
		}
	}
	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		near[first + r] = store_near(dist + (first + r) * KERNEL_PANEL, low[r],
									 high[r], rows->bound[first + r]);
}

__attribute__((target("avx2,fma"))) void
panel_near_l1_avx2(const float *panel, const KernelRows *rows, size_t n,
				   float *dist, uint16_t *near)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		near_l1(panel, rows, r, ROWS, n, dist, near);
	for (; r < rows->n; r++)
		near_l1(panel, rows, r, 1, n, dist, near);
}

/* ---- bits ---- */

/* sum + the bits set in each byte */
HELPER __m256i
add_counts(__m256i sum, __m256i x)
{
	const __m256i table =
		_mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
						 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i low_half = _mm256_set1_epi8(0x0f);
	__m256i		low = _mm256_and_si256(x, low_half);
	__m256i		high = _mm256_and_si256(_mm256_srli_epi16(x, 4), low_half);

	sum = _mm256_add_epi8(sum, _mm256_shuffle_epi8(table, low));
	return _mm256_add_epi8(sum, _mm256_shuffle_epi8(table, high));
}

/* sum + the four bytes of each element */
HELPER __m256i
add_bytes(__m256i sum, __m256i bytes)
{
	__m256i		pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));

	return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs,
												   _mm256_set1_epi16(1)));
}

/*
 * Bits that differ from x, or with 'common' a constant true, that are set in
 * both, of the 16 strings.
 */
HELPER void
count_bits(const uint8_t *panel, const uint8_t *x, size_t n, bool common,
		   __m256i *low, __m256i *high)
{
	*low = *high = _mm256_setzero_si256();
	for (size_t first = 0; first < n; first += BYTE_SUMS)
	{
		size_t		end = n - first < BYTE_SUMS ? n : first + BYTE_SUMS;
		__m256i		sum0 = _mm256_setzero_si256();
		__m256i		sum1 = _mm256_setzero_si256();

		for (size_t i = first; i < end; i += 4)
		{
			const __m256i *group = (const __m256i *) (panel + i / 4 * GROUP);
			__m256i		x0 = _mm256_loadu_si256(group);
			__m256i		x1 = _mm256_loadu_si256(group + 1);
			__m256i		y;
			int32_t		four;

			memcpy(&four, x + i, sizeof(four));
			y = _mm256_set1_epi32(four);
			x0 = common ? _mm256_and_si256(x0, y) : _mm256_xor_si256(x0, y);
			x1 = common ? _mm256_and_si256(x1, y) : _mm256_xor_si256(x1, y);
			sum0 = add_counts(sum0, x0);
			sum1 = add_counts(sum1, x1);
		}
		*low = add_bytes(*low, sum0);
		*high = add_bytes(*high, sum1);
	}
}

__attribute__((target("avx2,fma"))) void
panel_near_hamming_avx2(const uint8_t *panel, const KernelRows *rows,
						size_t n, float *dist, uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		__m256i		low;
		__m256i		high;

		count_bits(panel, rows->x[r], n, false, &low, &high);
		near[r] = store_near(dist + r * KERNEL_PANEL, _mm256_cvtepi32_ps(low),
							 _mm256_cvtepi32_ps(high), rows->bound[r]);
	}
}

/* 1 - both / (a + b - both); 1 if both is 0 */
HELPER __m256
jaccard_distance(__m256i count, float norm2, const float *norm2s)
{
	const __m256 one = _mm256_set1_ps(1);
	__m256		both = _mm256_cvtepi32_ps(count);
	__m256		norms = _mm256_add_ps(_mm256_set1_ps(norm2),
									  _mm256_loadu_ps(norm2s));
	__m256		share = _mm256_div_ps(both, _mm256_sub_ps(norms, both));
	__m256		none = _mm256_cmp_ps(both, _mm256_setzero_ps(), _CMP_EQ_OQ);

	return _mm256_blendv_ps(_mm256_sub_ps(one, share), one, none);
}

__attribute__((target("avx2,fma"))) void
panel_near_jaccard_avx2(const uint8_t *panel, const float *norm2,
						const KernelRows *rows, size_t n, float *dist,
						uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		__m256i		low;
		__m256i		high;

		count_bits(panel, rows->x[r], n, true, &low, &high);
		near[r] = store_near(dist + r * KERNEL_PANEL,
							 jaccard_distance(low, rows->norm2[r], norm2),
							 jaccard_distance(high, rows->norm2[r], norm2 + 8),
							 rows->bound[r]);
	}
}

#else

/* ISO C wants something in every file */
typedef int KernelAvx2TallyUnused;

#endif							/* __x86_64__ */
