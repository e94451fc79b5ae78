/*-------------------------------------------------------------------------
 *
 * kernel_avx512_rows.c
 *	  One vector against some, for x86-64 with AVX-512 (F, BW, VL, VNNI).
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_avx512_rows.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__x86_64__)

#include "kernel/kernel_avx512.h"

#define FORM_LANES	64

typedef __m512i Integers;

HELPER Integers
zero_integers(void)
{
	return _mm512_setzero_si512();
}

HELPER __m512i
load_codes(const int8_t *x)
{
	return _mm512_loadu_si512(x);
}

HELPER __m512i
load_first_codes(const int8_t *x, size_t n)
{
	return _mm512_maskz_loadu_epi8(first_bytes(n), x);
}

typedef __m512i Shared;

HELPER Shared
share(__m512i x)
{
	return x;
}

/*
 * dpbusd wants one side unsigned: 128 is added to the rows' codes, which makes
 * all sums too large by 128 times the codes of x.
 */
HELPER Integers
add_form(Integers sum, Shared x, __m512i y)
{
	return _mm512_dpbusd_epi32(sum,
							   _mm512_xor_si512(y, _mm512_set1_epi8((char) 0x80)),
							   x);
}

HELPER int32_t
excess_of(const int8_t *x, size_t n)
{
	return 128 * sum_s8(x, n);
}

HELPER __m256i
fold_integers(Integers x)
{
	return _mm256_add_epi32(_mm512_castsi512_si256(x),
							_mm512_extracti64x4_epi64(x, 1));
}

#include "kernel/kernel_rows_loops.h"

const Kernels kernels_avx512_rows = {
	.isa = "avx512",
	.rows_l2sq_s8 = rows_l2sq_s8,
	.rows_l2sq_f32 = rows_l2sq_f32,
	.rows_l1_f32 = rows_l1_f32,
};

#else

/* ISO C wants something in every file */
typedef int KernelAvx512RowsUnused;

#endif							/* __x86_64__ */
