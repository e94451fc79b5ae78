/*-------------------------------------------------------------------------
 *
 * kernel_avx512_rows.c
 *	  One vector against some, for x86-64 with AVX-512 (F, BW, VL, VNNI).
 *
 * Each load of the vector serves all rows, whose sums are as many independent
 * chains, and are added up across lanes together.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx512_rows.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include <immintrin.h>

#include "kernel/kernel_panel.h"

#define TARGET \
	target("avx2,fma,avx512f,avx512bw,avx512vl,avx512vnni")
#define HELPER	static inline __attribute__((TARGET, always_inline))

/* rows that are done together, or HALF of them */
#define ROWS		8
#define HALF		4

HELPER __m256i
add_halves_s32(__m512i x)
{
	return _mm256_add_epi32(_mm512_castsi512_si256(x),
							_mm512_extracti64x4_epi64(x, 1));
}

HELPER __m256
add_halves_f32(__m512 x)
{
	__m512d		wide = _mm512_castps_pd(x);

	return _mm256_add_ps(_mm512_castps512_ps256(x),
						 _mm256_castpd_ps(_mm512_extractf64x4_pd(wide, 1)));
}

/* lane r = the sum of all lanes of x[r] */
HELPER __m256i
sum_each_s32(const __m512i *x)
{
	__m256i		low;
	__m256i		high;

	low = _mm256_hadd_epi32(_mm256_hadd_epi32(add_halves_s32(x[0]),
											  add_halves_s32(x[1])),
							_mm256_hadd_epi32(add_halves_s32(x[2]),
											  add_halves_s32(x[3])));
	high = _mm256_hadd_epi32(_mm256_hadd_epi32(add_halves_s32(x[4]),
											   add_halves_s32(x[5])),
							 _mm256_hadd_epi32(add_halves_s32(x[6]),
											   add_halves_s32(x[7])));
	return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
							_mm256_permute2x128_si256(low, high, 0x31));
}

HELPER __m256
sum_each_f32(const __m512 *x)
{
	__m256		low;
	__m256		high;

	low = _mm256_hadd_ps(_mm256_hadd_ps(add_halves_f32(x[0]),
										add_halves_f32(x[1])),
						 _mm256_hadd_ps(add_halves_f32(x[2]),
										add_halves_f32(x[3])));
	high = _mm256_hadd_ps(_mm256_hadd_ps(add_halves_f32(x[4]),
										 add_halves_f32(x[5])),
						  _mm256_hadd_ps(add_halves_f32(x[6]),
										 add_halves_f32(x[7])));
	return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20),
						 _mm256_permute2f128_ps(low, high, 0x31));
}

/*
 * Products of 64 dimensions, or of those in the mask.  dpbusd wants one side
 * unsigned: 128 is added to the rows' codes, which makes all sums too large by
 * 'excess', 128 times the codes of x.
 */
HELPER void
add_products(const int8_t *x, const KernelForms *rows, int first, int nrows,
			 size_t i, __mmask64 mask, __m512i *dot, __m512i *excess)
{
	const __m512i bias = _mm512_set1_epi8((char) 0x80);
	__m512i		y = _mm512_maskz_loadu_epi8(mask, x + i);

	*excess = _mm512_dpbusd_epi32(*excess, bias, y);
	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
	{
		const int8_t *row = rows->x[first + r];
		__m512i		z = _mm512_maskz_loadu_epi8(mask, row + i);

		dot[r] = _mm512_dpbusd_epi32(dot[r], _mm512_xor_si512(z, bias), y);
	}
}

/* Rows first to first + nrows; inlined with a constant nrows <= ROWS. */
HELPER void
l2sq_s8(const int8_t *x, float scale, float norm2, const KernelForms *rows,
		int first, int nrows, size_t n, float *dist)
{
	__mmask8	lanes = (__mmask8) ((1 << nrows) - 1);
	__m512i		dot[ROWS];
	__m512i		excess = _mm512_setzero_si512();
	__m256		scales;
	__m256		norms;
	__m256		product;
	__m256		d;
	size_t		i = 0;

	UNROLL_ROWS
	for (int r = 0; r < ROWS; r++)
		dot[r] = _mm512_setzero_si512();
	for (; i + 64 <= n; i += 64)
		add_products(x, rows, first, nrows, i, ~(__mmask64) 0, dot, &excess);
	if (i < n)
		add_products(x, rows, first, nrows, i,
					 (UINT64_C(1) << (n - i)) - 1, dot, &excess);
	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
		dot[r] = _mm512_sub_epi32(dot[r], excess);

	scales = _mm256_mul_ps(_mm256_set1_ps(scale),
						   _mm256_maskz_loadu_ps(lanes, rows->scale + first));
	norms = _mm256_add_ps(_mm256_set1_ps(norm2),
						  _mm256_maskz_loadu_ps(lanes, rows->norm2 + first));
	product = _mm256_mul_ps(scales, _mm256_cvtepi32_ps(sum_each_s32(dot)));
	d = _mm256_fnmadd_ps(_mm256_set1_ps(2), product, norms);

	/* in this order NaN stays NaN */
	d = _mm256_max_ps(_mm256_setzero_ps(), d);
	_mm256_mask_storeu_ps(dist + first, lanes, d);
}

__attribute__((TARGET)) void
rows_l2sq_s8_avx512(const int8_t *x, float scale, float norm2,
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

HELPER void
add_squares(const float *x, const KernelForms *rows, int first, int nrows,
			size_t i, __mmask16 mask, __m512 *sum)
{
	__m512		y = _mm512_maskz_loadu_ps(mask, x + i);

	UNROLL_ROWS
	for (int r = 0; r < nrows; r++)
	{
		const float *row = rows->x[first + r];
		__m512		d = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, row + i), y);

		sum[r] = _mm512_fmadd_ps(d, d, sum[r]);
	}
}

/* Rows first to first + nrows; inlined with a constant nrows <= ROWS. */
HELPER void
l2sq_f32(const float *x, const KernelForms *rows, int first, int nrows,
		 size_t n, float *dist)
{
	__mmask8	lanes = (__mmask8) ((1 << nrows) - 1);
	__m512		sum[ROWS];
	size_t		i = 0;

	UNROLL_ROWS
	for (int r = 0; r < ROWS; r++)
		sum[r] = _mm512_setzero_ps();
	for (; i + 16 <= n; i += 16)
		add_squares(x, rows, first, nrows, i, 0xFFFF, sum);
	if (i < n)
		add_squares(x, rows, first, nrows, i, (__mmask16) ((1 << (n - i)) - 1),
					sum);
	_mm256_mask_storeu_ps(dist + first, lanes, sum_each_f32(sum));
}

__attribute__((TARGET)) void
rows_l2sq_f32_avx512(const float *x, const KernelForms *rows, size_t n,
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
typedef int KernelAvx512RowsUnused;

#endif							/* __x86_64__ */
