/*-------------------------------------------------------------------------
 *
 * kernel_float_loops.h
 *	  Kernels of vectors of floats, written in the words of an instruction set.
 *
 * Included once by a file of each, after its words (kernel_avx2.h).
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_float_loops.h
 *
 *-------------------------------------------------------------------------
 */
#include "kernel/kernel_terms.h"

/* running sums of a KernelCosine */
typedef struct CosineSums
{
	Floats		dot;
	Floats		norm_a;
	Floats		norm_b;
} CosineSums;

HELPER void
add_cosine(CosineSums *sums, Floats x, Floats y)
{
	sums->dot = multiply_add(x, y, sums->dot);
	sums->norm_a = multiply_add(x, x, sums->norm_a);
	sums->norm_b = multiply_add(y, y, sums->norm_b);
}

/* ---- float32 ---- */

#define NAME(loop)		loop##_f32
#define A				float
#define B				float
#define LOAD_A			load_f32
#define LOAD_B			load_f32
#define LOAD_FIRST_A	load_first_f32
#define LOAD_FIRST_B	load_first_f32
#include "kernel/kernel_pair_loops.h"

KERNEL float
l2sq_f32(const float *a, const float *b, size_t n)
{
	return sum_terms_f32(a, b, n, add_l2sq);
}

KERNEL float
dot_f32(const float *a, const float *b, size_t n)
{
	return sum_terms_f32(a, b, n, add_product);
}

KERNEL float
l1_f32(const float *a, const float *b, size_t n)
{
	return sum_terms_f32(a, b, n, add_l1);
}

KERNEL KernelCosine
cosine_f32(const float *a, const float *b, size_t n)
{
	return sum_cosine_f32(a, b, n);
}

/* ---- binary16 ---- */

#define NAME(loop)		loop##_f16
#define A				uint16_t
#define B				uint16_t
#define LOAD_A			load_f16
#define LOAD_B			load_f16
#define LOAD_FIRST_A	load_first_f16
#define LOAD_FIRST_B	load_first_f16
#include "kernel/kernel_pair_loops.h"

KERNEL float
l2sq_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	return sum_terms_f16(a, b, n, add_l2sq);
}

KERNEL float
dot_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	return sum_terms_f16(a, b, n, add_product);
}

KERNEL float
l1_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	return sum_terms_f16(a, b, n, add_l1);
}

KERNEL KernelCosine
cosine_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	return sum_cosine_f16(a, b, n);
}

KERNEL void
half_to_float(const uint16_t *x, size_t n, float *out)
{
	size_t		i = 0;

	for (; i + LANES <= n; i += LANES)
		store_f32(out + i, load_f16(x + i));
	if (i < n)
		store_first_f32(out + i, n - i, load_first_f16(x + i, n - i));
}

KERNEL void
float_to_half(const float *x, size_t n, uint16_t *out)
{
	size_t		i = 0;

	for (; i + LANES <= n; i += LANES)
		store_f16(out + i, load_f32(x + i));
	if (i < n)
		store_first_f16(out + i, n - i, load_first_f32(x + i, n - i));
}

/* ---- float32 and 8-bit codes ---- */

#define NAME(loop)		loop##_f32s8
#define A				float
#define B				int8_t
#define LOAD_A			load_f32
#define LOAD_B			load_s8
#define LOAD_FIRST_A	load_first_f32
#define LOAD_FIRST_B	load_first_s8
#include "kernel/kernel_pair_loops.h"

KERNEL float
dot_f32s8(const float *a, const int8_t *b, size_t n)
{
	return sum_terms_f32s8(a, b, n, add_product);
}
