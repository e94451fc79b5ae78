/*-------------------------------------------------------------------------
 *
 * kernel_rows_loops.h
 *	  One vector against some, written in the words of an instruction set of
 *	  x86-64.
 *
 * ROWS rows at a time share the loads of the vector, and their chains of
 * additions run side by side; what is left of the rows is done by HALF and one
 * by one.  Sums across lanes are made of 256-bit registers.
 *
 * Included once by a file of each instruction set, after its words
 * (kernel_avx2.h) and these:
 *	FORM_LANES				codes in a register
 *	Integers, zero_integers()
 *	load_codes(x)			FORM_LANES codes
 *	load_first_codes(x, n)	the n that are left, a multiple of 16, and zeros
 *	Shared, share(x)		codes of the one vector, as add_form wants them
 *	add_form(sum, x, y)		and the products of codes x, shared, and y
 *	excess_of(x, n)			by how much sums with the vector x are too large
 *	fold_floats(x), fold_integers(x)	256-bit registers, with the same sum
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_rows_loops.h
 *
 *-------------------------------------------------------------------------
 */
#include "kernel/kernel_terms.h"

#define FORMS		8
#define HALF		4

/* lane r = the sum of all lanes of x[r] */
HELPER __m256i
sum_each_integers(const Integers *x)
{
	__m256i		low;
	__m256i		high;

	low = _mm256_hadd_epi32(_mm256_hadd_epi32(fold_integers(x[0]),
											  fold_integers(x[1])),
							_mm256_hadd_epi32(fold_integers(x[2]),
											  fold_integers(x[3])));
	high = _mm256_hadd_epi32(_mm256_hadd_epi32(fold_integers(x[4]),
											   fold_integers(x[5])),
							 _mm256_hadd_epi32(fold_integers(x[6]),
											   fold_integers(x[7])));
	return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20),
							_mm256_permute2x128_si256(low, high, 0x31));
}

HELPER __m256
sum_each_floats(const Floats *x)
{
	__m256		low;
	__m256		high;

	low = _mm256_hadd_ps(_mm256_hadd_ps(fold_floats(x[0]), fold_floats(x[1])),
						 _mm256_hadd_ps(fold_floats(x[2]), fold_floats(x[3])));
	high = _mm256_hadd_ps(_mm256_hadd_ps(fold_floats(x[4]), fold_floats(x[5])),
						  _mm256_hadd_ps(fold_floats(x[6]), fold_floats(x[7])));
	return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20),
						 _mm256_permute2f128_ps(low, high, 0x31));
}

/* Store the first nrows lanes, a constant. */
HELPER void
store_rows(float *dist, __m256 x, int nrows)
{
	if (nrows == FORMS)
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
	if (nrows == FORMS)
		return _mm256_loadu_ps(x);
	if (nrows == HALF)
		return _mm256_zextps128_ps256(_mm_loadu_ps(x));
	return _mm256_zextps128_ps256(_mm_load_ss(x));
}

/* ---- 8-bit codes ---- */

/* Rows first to first + nrows; inlined with a constant nrows. */
HELPER void
forms_s8(const int8_t *x, float scale, float norm2, const KernelForms *rows,
		 int first, int nrows, size_t n, float *dist)
{
	Integers	sum[FORMS];
	__m256i		dot;
	__m256		scales;
	__m256		norms;
	__m256		product;
	__m256		d;
	size_t		i = 0;

	UNROLL
	for (int r = 0; r < FORMS; r++)
		sum[r] = zero_integers();
	for (; i + FORM_LANES <= n; i += FORM_LANES)
	{
		Shared		shared = share(load_codes(x + i));

		UNROLL
		for (int r = 0; r < nrows; r++)
			sum[r] = add_form(sum[r], shared,
							  load_codes((const int8_t *) rows->x[first + r] + i));
	}
	if (i < n)
	{
		Shared		shared = share(load_first_codes(x + i, n - i));

		UNROLL
		for (int r = 0; r < nrows; r++)
			sum[r] = add_form(sum[r], shared,
							  load_first_codes((const int8_t *) rows->x[first + r] + i,
											   n - i));
	}
	dot = _mm256_sub_epi32(sum_each_integers(sum),
						   _mm256_set1_epi32(excess_of(x, n)));
	scales = _mm256_mul_ps(_mm256_set1_ps(scale),
						   load_rows(rows->scale + first, nrows));
	norms = _mm256_add_ps(_mm256_set1_ps(norm2),
						  load_rows(rows->norm2 + first, nrows));
	product = _mm256_mul_ps(scales, _mm256_cvtepi32_ps(dot));
	d = _mm256_fnmadd_ps(_mm256_set1_ps(2), product, norms);

	/* in this order NaN stays NaN */
	store_rows(dist + first, _mm256_max_ps(_mm256_setzero_ps(), d), nrows);
}

KERNEL void
rows_l2sq_s8(const int8_t *x, float scale, float norm2,
			 const KernelForms *rows, size_t n, float *dist)
{
	int			r = 0;

	for (; r + FORMS <= rows->n; r += FORMS)
		forms_s8(x, scale, norm2, rows, r, FORMS, n, dist);
	for (; r + HALF <= rows->n; r += HALF)
		forms_s8(x, scale, norm2, rows, r, HALF, n, dist);
	for (; r < rows->n; r++)
		forms_s8(x, scale, norm2, rows, r, 1, n, dist);
}

/* ---- floats ---- */

/* Rows first to first + nrows; inlined with a constant nrows. */
HELPER void
forms_f32(const float *x, const KernelForms *rows, int first, int nrows,
		  size_t n, AddTerm term, float *dist)
{
	Floats		sum[FORMS];
	size_t		i = 0;

	UNROLL
	for (int r = 0; r < FORMS; r++)
		sum[r] = zero_floats();
	for (; i + LANES <= n; i += LANES)
	{
		Floats		y = load_f32(x + i);

		UNROLL
		for (int r = 0; r < nrows; r++)
			sum[r] = term(sum[r],
						  load_f32((const float *) rows->x[first + r] + i), y);
	}
	if (i < n)
	{
		Floats		y = load_first_f32(x + i, n - i);

		UNROLL
		for (int r = 0; r < nrows; r++)
			sum[r] = term(sum[r],
						  load_first_f32((const float *) rows->x[first + r] + i,
										 n - i), y);
	}
	store_rows(dist + first, sum_each_floats(sum), nrows);
}

HELPER void
all_forms_f32(const float *x, const KernelForms *rows, size_t n, AddTerm term,
			  float *dist)
{
	int			r = 0;

	for (; r + FORMS <= rows->n; r += FORMS)
		forms_f32(x, rows, r, FORMS, n, term, dist);
	for (; r + HALF <= rows->n; r += HALF)
		forms_f32(x, rows, r, HALF, n, term, dist);
	for (; r < rows->n; r++)
		forms_f32(x, rows, r, 1, n, term, dist);
}

KERNEL void
rows_l2sq_f32(const float *x, const KernelForms *rows, size_t n, float *dist)
{
	all_forms_f32(x, rows, n, add_l2sq, dist);
}

KERNEL void
rows_l1_f32(const float *x, const KernelForms *rows, size_t n, float *dist)
{
	all_forms_f32(x, rows, n, add_l1, dist);
}
