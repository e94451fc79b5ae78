/*-------------------------------------------------------------------------
 *
 * kernel_avx2_rows.c
 *	  One vector against some, for x86-64 with AVX2 and FMA.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx2_rows.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include "kernel/kernel_avx2.h"

#define FORM_LANES	32

typedef __m256i Integers;

HELPER Integers
zero_integers(void)
{
	return _mm256_setzero_si256();
}

HELPER __m256i
load_codes(const int8_t *x)
{
	return _mm256_loadu_si256((const __m256i *) x);
}

/* 16 are all that can be left */
HELPER __m256i
load_first_codes(const int8_t *x, size_t n)
{
	(void) n;
	return _mm256_zextsi128_si256(_mm_loadu_si128((const __m128i *) x));
}

typedef Codes Shared;

HELPER Shared
share(__m256i x)
{
	return as_codes(x);
}

HELPER Integers
add_form(Integers sum, Shared x, __m256i y)
{
	return add_products(sum, x, y);
}

HELPER int32_t
excess_of(const int8_t *x, size_t n)
{
	(void) x;
	(void) n;
	return 0;
}

HELPER __m256
fold_floats(Floats x)
{
	return x;
}

HELPER __m256i
fold_integers(Integers x)
{
	return x;
}

#include "kernel/kernel_rows_loops.h"

const Kernels kernels_avx2_rows = {
	.isa = "avx2",
	.rows_l2sq_s8 = rows_l2sq_s8,
	.rows_l2sq_f32 = rows_l2sq_f32,
	.rows_l1_f32 = rows_l1_f32,
};

#else

/* ISO C wants something in every file */
typedef int KernelAvx2RowsUnused;

#endif							/* __x86_64__ */
