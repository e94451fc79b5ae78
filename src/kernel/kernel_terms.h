/*-------------------------------------------------------------------------
 *
 * kernel_terms.h
 *	  What all loops over floats begin with, written in the words of an
 *	  instruction set: included after these (kernel_avx2.h).
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_terms.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef KERNEL_TERMS_H
#define KERNEL_TERMS_H

/*
 * Before a loop of 8 rounds at most, each with sums of its own: an array of
 * these can be registers only if the loop is unrolled, which gcc does not do
 * at -O2.
 */
#if defined(__clang__)
#define UNROLL		_Pragma("unroll")
#else
#define UNROLL		_Pragma("GCC unroll 8")
#endif

/*
 * A term of LANES elements added to a sum.  Loops get such a function as an
 * argument, and are inlined with it.
 */
typedef Floats (*AddTerm) (Floats sum, Floats x, Floats y);

/* x y */
HELPER Floats
add_product(Floats sum, Floats x, Floats y)
{
	return multiply_add(x, y, sum);
}

/* (x - y)^2 */
HELPER Floats
add_l2sq(Floats sum, Floats x, Floats y)
{
	Floats		d = subtract(x, y);

	return multiply_add(d, d, sum);
}

/*
 * |x - y|, by a multiply-add with 1, which is exact and has units of its own on
 * some CPUs: 9.8 ns a pair in a panel of 384 dimensions instead of 13 (AVX-512,
 * Zen 4).
 */
HELPER Floats
add_l1(Floats sum, Floats x, Floats y)
{
	return multiply_add(absolute(subtract(x, y)), all_floats(1), sum);
}

#endif							/* KERNEL_TERMS_H */
