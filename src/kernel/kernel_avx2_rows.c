/*-------------------------------------------------------------------------
 *
 * kernel_avx2_rows.c
 *	  One vector against some, for x86-64 with AVX2 and FMA.
 *
 * Each load of the vector serves all rows, whose sums are as many independent
 * chains, and are added up across lanes together.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx2_rows.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include <immintrin.h>

#include "kernel/kernel_panel.h"

#define HELPER \
	static inline __attribute__((target("avx2,fma"), always_inline))

/* rows that are done together, or HALF of them */
#define ROWS		8
#define HALF		4

/* lane r = the sum of all lanes of x[r] */
HELPER __m256i
sum_each_s32(const __m256i *x)
{
	__m256i		low = _mm256_hadd_epi32(_mm256_hadd_epi32(x[0], x[1]),
										_mm256_hadd_epi32(x[2], x[3]));
	__m256i		high = _mm256_hadd_epi32(_mm256_hadd_epi32(x[4], x[5]),
										 _mm256_hadd_epi32(x[6], x[7]));

	return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
							_mm256_permute2x128_si256(low, high, 0x31));
}

HELPER __m256
sum_each_f32(const __m256 *x)
{
	__m256		low = _mm256_hadd_ps(_mm256_hadd_ps(x[0], x[1]),
									 _mm256_hadd_ps(x[2], x[3]));
	__m256		high = _mm256_hadd_ps(_mm256_hadd_ps(x[4], x[5]),
									  _mm256_hadd_ps(x[6], x[7]));

	return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20),
						 _mm256_permute2f128_ps(low, high, 0x31));
}

/* Store the first nrows lanes, a constant. */
HELPER void
store_rows(float *dist, __m256 x, int nrows)
{
	if (nrows == ROWS)
		_mm256_storeu_ps(dist, x);
	else if (nrows == HALF)
		_mm_storeu_ps(dist, _mm256_castps256_ps128(x));
	else
		*dist = _mm256_cvtss_f32(x);
}

/* nrows numbers in the first lanes, a constant; the others are 0. */
HELPER __m256
load_rows(const float *x, int nrows)
{
	if (nrows == ROWS)
		return _mm256_loadu_ps(x);
	if (nrows == HALF)
		return _mm256_zextps128_ps256(_mm_loadu_ps(x));
	return _mm256_zextps128_ps256(_mm_load_ss(x));
}

HELPER __m256i
load_16(const int8_t *x)
{
	return _mm256_zextsi128_si256(_mm_loadu_si128((const __m128i *) x));
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

/* Rows first to first + nrows; inlined with a constant nrows. */
HELPER void
l2sq_s8(const int8_t *x, float scale, float norm2, const KernelForms *rows,
		int first, int nrows, size_t n, float *dist)
{
	__m256i		dot[ROWS];
	__m256		scales;
	__m256		norms;
	__m256		product;
	__m256		d;
	size_t		i = 0;

	UNROLL_ROWS
	for (int r = 0; r < ROWS; r++)
		dot[r] = _mm256_setzero_si256();
	for (; i + 32 <= n; i += 32)
	{
		__m256i		y = _mm256_loadu_si256((const __m256i *) (x + i));
		__m256i		magnitude = _mm256_abs_epi8(y);

		UNROLL_ROWS
		for (int r = 0; r < nrows; r++)
		{
			const int8_t *row = (const int8_t *) rows->x[first + r] + i;

			dot[r] = add_products(dot[r], magnitude, y,
								  _mm256_loadu_si256((const __m256i *) row));
		}
	}
	if (i < n)
	{
		__m256i		y = load_16(x + i);
		__m256i		magnitude = _mm256_abs_epi8(y);

		UNROLL_ROWS
		for (int r = 0; r < nrows; r++)
			dot[r] = add_products(dot[r], magnitude, y,
								  load_16((const int8_t *) rows->x[first + r] + i));
	}

	scales = _mm256_mul_ps(_mm256_set1_ps(scale),
						   load_rows(rows->scale + first, nrows));
	norms = _mm256_add_ps(_mm256_set1_ps(norm2),
						  load_rows(rows->norm2 + first, nrows));
	product = _mm256_mul_ps(scales, _mm256_cvtepi32_ps(sum_each_s32(dot)));
	d = _mm256_fnmadd_ps(_mm256_set1_ps(2), product, norms);

	/* in this order NaN stays NaN */
	store_rows(dist + first, _mm256_max_ps(_mm256_setzero_ps(), d), nrows);
}

__attribute__((target("avx2,fma"))) void
rows_l2sq_s8_avx2(const int8_t *x, float scale, float norm2,
				  const KernelForms *rows, size_t n, float *dist)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		l2sq_s8(x, scale, norm2, rows, r, ROWS, n, dist);
	for (; r + HALF <= rows->n; r += HALF)
		l2sq_s8(x, scale, norm2, rows, r, HALF, n, dist);
	for (; r < rows->n; r++)
		l2sq_s8(x, scale, norm2, rows, r, 1, n, dist);
}

/* eight floats, or as many as there are, and zeros */
HELPER __m256
load_some(const float *x, size_t n)
{
	const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

	return _mm256_maskload_ps(x, _mm256_cmpgt_epi32(_mm256_set1_epi32((int) n),
													lane));
}

/* Rows first to first + nrows; inlined with a constant nrows. */
HELPER void
l2sq_f32(const float *x, const KernelForms *rows, int first, int nrows,
		 size_t n, float *dist)
{
	__m256		sum[ROWS];
	size_t		i = 0;

	UNROLL_ROWS
	for (int r = 0; r < ROWS; r++)
		sum[r] = _mm256_setzero_ps();
	for (; i + 8 <= n; i += 8)
	{
		__m256		y = _mm256_loadu_ps(x + i);

		UNROLL_ROWS
		for (int r = 0; r < nrows; r++)
		{
			const float *row = rows->x[first + r];
			__m256		d = _mm256_sub_ps(_mm256_loadu_ps(row + i), y);

			sum[r] = _mm256_fmadd_ps(d, d, sum[r]);
		}
	}
	if (i < n)
	{
		__m256		y = load_some(x + i, n - i);

		UNROLL_ROWS
		for (int r = 0; r < nrows; r++)
		{
			const float *row = rows->x[first + r];
			__m256		d = _mm256_sub_ps(load_some(row + i, n - i), y);

			sum[r] = _mm256_fmadd_ps(d, d, sum[r]);
		}
	}
	store_rows(dist + first, sum_each_f32(sum), nrows);
}

__attribute__((target("avx2,fma"))) void
rows_l2sq_f32_avx2(const float *x, const KernelForms *rows, size_t n,
				   float *dist)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		l2sq_f32(x, rows, r, ROWS, n, dist);
	for (; r + HALF <= rows->n; r += HALF)
		l2sq_f32(x, rows, r, HALF, n, dist);
	for (; r < rows->n; r++)
		l2sq_f32(x, rows, r, 1, n, dist);
}

#else

/* ISO C wants something in every file */
typedef int KernelAvx2RowsUnused;

#endif							/* __x86_64__ */
