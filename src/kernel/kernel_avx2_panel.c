/*-------------------------------------------------------------------------
 *
 * kernel_avx2_panel.c
 *	  Panel kernels for x86-64 with AVX2 and FMA.
 *
 * A panel's 16 vectors are two registers wide.  ROWS rows are done at a time:
 * their sums stay in registers, and each load of the panel serves all of them.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx2_panel.c
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

/* bytes of four dimensions of a panel of 8-bit codes */
#define GROUP		(4 * KERNEL_PANEL)

HELPER __m256i
broadcast_s8x4(const int8_t *x)
{
	int32_t		four;

	memcpy(&four, x, sizeof(four));
	return _mm256_set1_epi32(four);
}

/*
 * Products of 32 pairs as 8 sums, added to 'sum'; see dot_s8x32 of
 * kernel_avx2.c.  magnitude = |x|.
 */
HELPER __m256i
add_products(__m256i sum, __m256i magnitude, __m256i x, __m256i y)
{
	__m256i		pairs = _mm256_maddubs_epi16(magnitude,
											 _mm256_sign_epi8(y, x));

	return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs,
												   _mm256_set1_epi16(1)));
}

/* Eight distances from eight sums of products. */
HELPER __m256
distances_s8(__m256i dot, const float *scale, const float *norm2,
			 float row_scale, float row_norm2)
{
	__m256		scales = _mm256_mul_ps(_mm256_set1_ps(row_scale),
									   _mm256_loadu_ps(scale));
	__m256		norms = _mm256_add_ps(_mm256_set1_ps(row_norm2),
									  _mm256_loadu_ps(norm2));
	__m256		product = _mm256_mul_ps(scales, _mm256_cvtepi32_ps(dot));
	__m256		dist = _mm256_fnmadd_ps(_mm256_set1_ps(2), product, norms);

	/* in this order NaN stays NaN */
	return _mm256_max_ps(_mm256_setzero_ps(), dist);
}

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

/* Rows first to first + nrows; inlined with a constant nrows <= ROWS. */
HELPER void
near_s8(const int8_t *panel, const float *scale, const float *norm2,
		const KernelRows *rows, int first, int nrows, size_t n, float *dist,
		uint16_t *near)
{
	__m256i		low[ROWS];
	__m256i		high[ROWS];

	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		low[r] = high[r] = _mm256_setzero_si256();
	for (size_t i = 0; i < n; i += 4)
	{
		const __m256i *group = (const __m256i *) (panel + i / 4 * GROUP);
		__m256i		x0 = _mm256_loadu_si256(group);
		__m256i		x1 = _mm256_loadu_si256(group + 1);
		__m256i		magnitude0 = _mm256_abs_epi8(x0);
		__m256i		magnitude1 = _mm256_abs_epi8(x1);

		UNROLL_ROWS
		for (int r = 0; r < nrows; r++)
		{
			__m256i		y = broadcast_s8x4((const int8_t *) rows->x[first + r] + i);

			low[r] = add_products(low[r], magnitude0, x0, y);
			high[r] = add_products(high[r], magnitude1, x1, y);
		}
	}
	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
	{
		int			row = first + r;
		__m256		d0 = distances_s8(low[r], scale, norm2, rows->scale[row],
									  rows->norm2[row]);
		__m256		d1 = distances_s8(high[r], scale + 8, norm2 + 8,
									  rows->scale[row], rows->norm2[row]);

		near[row] = store_near(dist + row * KERNEL_PANEL, d0, d1,
							   rows->bound[row]);
	}
}

__attribute__((target("avx2,fma"))) void
panel_near_s8_avx2(const int8_t *panel, const float *scale,
				   const float *norm2, const KernelRows *rows, size_t n,
				   float *dist, uint16_t *near)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		near_s8(panel, scale, norm2, rows, r, ROWS, n, dist, near);
	for (; r < rows->n; r++)
		near_s8(panel, scale, norm2, rows, r, 1, n, dist, near);
}

/* Rows first to first + nrows; inlined with a constant nrows <= ROWS. */
HELPER void
near_f32(const float *panel, const KernelRows *rows, int first, int nrows,
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
			__m256		d0 = _mm256_sub_ps(x0, y);
			__m256		d1 = _mm256_sub_ps(x1, y);

			low[r] = _mm256_fmadd_ps(d0, d0, low[r]);
			high[r] = _mm256_fmadd_ps(d1, d1, high[r]);
		}
	}
	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		near[first + r] = store_near(dist + (first + r) * KERNEL_PANEL, low[r],
									 high[r], rows->bound[first + r]);
}

__attribute__((target("avx2,fma"))) void
panel_near_f32_avx2(const float *panel, const KernelRows *rows, size_t n,
					float *dist, uint16_t *near)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		near_f32(panel, rows, r, ROWS, n, dist, near);
	for (; r < rows->n; r++)
		near_f32(panel, rows, r, 1, n, dist, near);
}

#else

/* ISO C wants something in every file */
typedef int KernelAvx2PanelUnused;

#endif							/* __x86_64__ */
