/*-------------------------------------------------------------------------
 *
 * kernel_avx512_panel.c
 *	  Panel kernels for x86-64 with AVX-512 (F, BW, VL, VNNI).
 *
 * A panel's 16 vectors are one register wide.  ROWS rows are done at a time:
 * their sums stay in registers, each load of the panel serves all of them, and
 * a row's next element is an operand that the instruction itself broadcasts.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx512_panel.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "kernel/kernel_panel.h"

#define TARGET \
	target("avx2,fma,avx512f,avx512bw,avx512vl,avx512vnni")
#define HELPER	static inline __attribute__((TARGET, always_inline))

#define ROWS		8

/* bytes of four dimensions of a panel of 8-bit codes */
#define GROUP		(4 * KERNEL_PANEL)

/* sum of n bytes, n a multiple of 4 */
HELPER int32_t
sum_s8(const int8_t *x, size_t n)
{
	const __m512i ones = _mm512_set1_epi8(1);
	__m512i		sum = _mm512_setzero_si512();
	size_t		i = 0;

	for (; i + 64 <= n; i += 64)
		sum = _mm512_dpbusd_epi32(sum, ones, _mm512_loadu_si512(x + i));
	if (i < n)
		sum = _mm512_dpbusd_epi32(sum, ones,
								  _mm512_maskz_loadu_epi8((UINT64_C(1) << (n - i)) - 1,
														  x + i));
	return _mm512_reduce_add_epi32(sum);
}

/* Store 16 distances, and say which are near. */
HELPER uint16_t
store_near(float *dist, __m512 x, float bound)
{
	_mm512_storeu_ps(dist, x);
	return (uint16_t) _mm512_cmp_ps_mask(x, _mm512_set1_ps(bound), _CMP_LT_OQ);
}

/*
 * Rows first to first + nrows; inlined with a constant nrows <= ROWS.  dpbusd
 * wants one side unsigned: 128 is added to the panel's codes, and 128 times the
 * row's sum taken off.
 */
HELPER void
near_s8(const int8_t *panel, const float *scale, const float *norm2,
		const KernelRows *rows, int first, int nrows, size_t n, float *dist,
		uint16_t *near)
{
	const __m512i bias = _mm512_set1_epi8((char) 0x80);
	__m512i		dot[ROWS];

	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		dot[r] = _mm512_set1_epi32(-128 * sum_s8(rows->x[first + r], n));
	for (size_t i = 0; i < n; i += 4)
	{
		__m512i		x = _mm512_loadu_si512(panel + i / 4 * GROUP);

		x = _mm512_xor_si512(x, bias);
		UNROLL_ROWS
		for (int r = 0; r < nrows; r++)
		{
			int32_t		four;

			memcpy(&four, (const int8_t *) rows->x[first + r] + i, sizeof(four));
			dot[r] = _mm512_dpbusd_epi32(dot[r], x, _mm512_set1_epi32(four));
		}
	}
	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
	{
		int			row = first + r;
		__m512		scales = _mm512_mul_ps(_mm512_set1_ps(rows->scale[row]),
										   _mm512_loadu_ps(scale));
		__m512		norms = _mm512_add_ps(_mm512_set1_ps(rows->norm2[row]),
										  _mm512_loadu_ps(norm2));
		__m512		product = _mm512_mul_ps(scales, _mm512_cvtepi32_ps(dot[r]));
		__m512		d = _mm512_fnmadd_ps(_mm512_set1_ps(2), product, norms);

		/* in this order NaN stays NaN */
		d = _mm512_max_ps(_mm512_setzero_ps(), d);
		near[row] = store_near(dist + row * KERNEL_PANEL, d, rows->bound[row]);
	}
}

__attribute__((TARGET)) void
panel_near_s8_avx512(const int8_t *panel, const float *scale,
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
			__m512		d = _mm512_sub_ps(x, y);

			sum[r] = _mm512_fmadd_ps(d, d, sum[r]);
		}
	}
	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		near[first + r] = store_near(dist + (first + r) * KERNEL_PANEL, sum[r],
									 rows->bound[first + r]);
}

__attribute__((TARGET)) void
panel_near_f32_avx512(const float *panel, const KernelRows *rows, size_t n,
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
typedef int KernelAvx512PanelUnused;

#endif							/* __x86_64__ */
