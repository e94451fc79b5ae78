/*-------------------------------------------------------------------------
 *
 * kernel_avx512_tally.c
 *	  Panel kernels of L1 and of bits for x86-64 with AVX-512 (F, BW, VPOPCNTDQ).
 *
 * As in kernel_avx512_panel.c a panel's 16 vectors are one register wide, and
 * ROWS rows are done at a time: their sums stay in registers, and each load of
 * the panel serves all of them.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx512_tally.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "kernel/kernel_panel.h"

#define TARGET \
	target("avx2,fma,avx512f,avx512bw,avx512vpopcntdq")
#define HELPER	static inline __attribute__((TARGET, always_inline))

#define ROWS		8

/* four bytes of each vector of a panel */
#define GROUP		(4 * KERNEL_PANEL)

/* Store 16 distances, and say which are near. */
HELPER uint16_t
store_near(float *dist, __m512 x, float bound)
{
	_mm512_storeu_ps(dist, x);
	return (uint16_t) _mm512_cmp_ps_mask(x, _mm512_set1_ps(bound), _CMP_LT_OQ);
}

/* the four bytes from x on, for every vector */
HELPER __m512i
broadcast_four(const uint8_t *x)
{
	int32_t		four;

	memcpy(&four, x, sizeof(four));
	return _mm512_set1_epi32(four);
}

/* ---- L1 ---- */

/*
 * The sum is taken by multiply-adds with 1, which are exact and have units of
 * their own on some CPUs: 9.8 ns a pair of 384 dimensions instead of 13 (Zen 4).
 */

/* Rows first to first + nrows; inlined with a constant nrows <= ROWS. */
HELPER void
near_l1(const float *panel, const KernelRows *rows, int first, int nrows,
		size_t n, float *dist, uint16_t *near)
{
	const __m512 one = _mm512_set1_ps(1);
	__m512		sum[ROWS];

	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		sum[r] = _mm512_setzero_ps();
	for (size_t i = 0; i < n; i++)
	{
		__m512		x = _mm512_loadu_ps(panel + i * KERNEL_PANEL);

		UNROLL_ROWS
		for (int r = 0; r < nrows; r++)
		{
			__m512		y = _mm512_set1_ps(((const float *) rows->x[first + r])[i]);

			sum[r] = _mm512_fmadd_ps(_mm512_abs_ps(_mm512_sub_ps(x, y)), one,
									 sum[r]);
		}
	}
	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		near[first + r] = store_near(dist + (first + r) * KERNEL_PANEL, sum[r],
									 rows->bound[first + r]);
}

__attribute__((TARGET)) void
panel_near_l1_avx512(const float *panel, const KernelRows *rows, size_t n,
					 float *dist, uint16_t *near)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		near_l1(panel, rows, r, ROWS, n, dist, near);
	for (; r < rows->n; r++)
		near_l1(panel, rows, r, 1, n, dist, near);
}

/* ---- bits ---- */

/* Rows first to first + nrows; inlined with a constant nrows <= ROWS. */
HELPER void
near_hamming(const uint8_t *panel, const KernelRows *rows, int first,
			 int nrows, size_t n, float *dist, uint16_t *near)
{
	__m512i		count[ROWS];

	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		count[r] = _mm512_setzero_si512();
	for (size_t i = 0; i < n; i += 4)
	{
		__m512i		x = _mm512_loadu_si512(panel + i / 4 * GROUP);

		UNROLL_ROWS
		for (int r = 0; r < nrows; r++)
		{
			__m512i		y = broadcast_four((const uint8_t *) rows->x[first + r] + i);

			count[r] = _mm512_add_epi32(count[r],
										_mm512_popcnt_epi32(_mm512_xor_si512(x, y)));
		}
	}
	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		near[first + r] = store_near(dist + (first + r) * KERNEL_PANEL,
									 _mm512_cvtepi32_ps(count[r]),
									 rows->bound[first + r]);
}

__attribute__((TARGET)) void
panel_near_hamming_avx512(const uint8_t *panel, const KernelRows *rows,
						  size_t n, float *dist, uint16_t *near)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		near_hamming(panel, rows, r, ROWS, n, dist, near);
	for (; r < rows->n; r++)
		near_hamming(panel, rows, r, 1, n, dist, near);
}

/* 1 - both / (a + b - both); 1 if both is 0 */
HELPER __m512
jaccard_distance(__m512i count, __m512 norms)
{
	const __m512 one = _mm512_set1_ps(1);
	__mmask16	common = _mm512_test_epi32_mask(count, count);
	__m512		both = _mm512_cvtepi32_ps(count);
	__m512		share = _mm512_div_ps(both, _mm512_sub_ps(norms, both));

	return _mm512_mask_sub_ps(one, common, one, share);
}

/* Rows first to first + nrows; inlined with a constant nrows <= ROWS. */
HELPER void
near_jaccard(const uint8_t *panel, const float *norm2, const KernelRows *rows,
			 int first, int nrows, size_t n, float *dist, uint16_t *near)
{
	__m512i		count[ROWS];

	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		count[r] = _mm512_setzero_si512();
	for (size_t i = 0; i < n; i += 4)
	{
		__m512i		x = _mm512_loadu_si512(panel + i / 4 * GROUP);

		UNROLL_ROWS
		for (int r = 0; r < nrows; r++)
		{
			__m512i		y = broadcast_four((const uint8_t *) rows->x[first + r] + i);

			count[r] = _mm512_add_epi32(count[r],
										_mm512_popcnt_epi32(_mm512_and_si512(x, y)));
		}
	}
	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
	{
		int			row = first + r;
		__m512		norms = _mm512_add_ps(_mm512_set1_ps(rows->norm2[row]),
										  _mm512_loadu_ps(norm2));

		near[row] = store_near(dist + row * KERNEL_PANEL,
							   jaccard_distance(count[r], norms),
							   rows->bound[row]);
	}
}

__attribute__((TARGET)) void
panel_near_jaccard_avx512(const uint8_t *panel, const float *norm2,
						  const KernelRows *rows, size_t n, float *dist,
						  uint16_t *near)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		near_jaccard(panel, norm2, rows, r, ROWS, n, dist, near);
	for (; r < rows->n; r++)
		near_jaccard(panel, norm2, rows, r, 1, n, dist, near);
}

#else

/* ISO C wants something in every file */
typedef int KernelAvx512TallyUnused;

#endif							/* __x86_64__ */
