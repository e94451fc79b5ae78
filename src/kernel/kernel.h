/*-------------------------------------------------------------------------
 *
 * kernel.h
 *	  Distance kernels: numbers in, number out, chosen for the CPU at start.
 *
 * Plain C, layer 0.  No kernel allocates, fails or checks dimensions: callers
 * pass buffers of the stated length.  Alignment is never required, and no byte
 * past the stated length is read or written.
 *
 * kernel_scalar.c is the definition.  Every other table must equal it: integer
 * kernels bit for bit, float kernels within KERNEL_TOLERANCE (n * 2^-24 if that
 * is more) times the sum of the absolute values of the terms.  NaN in a float
 * input gives NaN out, except where an entry says otherwise.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Float kernels differ from the scalar sum only in the order of additions and
 * in fused multiply-adds: for n terms the difference is below n * 2^-24 of the
 * sum of absolute terms; lanes make it far smaller in practice.
 */
#define KERNEL_TOLERANCE	1e-5f

/* Sums of one pass over two vectors: <a,b>, <a,a>, <b,b>. */
typedef struct KernelCosine
{
	float		dot;
	float		norm_a;			/* <a,a>, not its root */
	float		norm_b;
} KernelCosine;

/*
 * What one pass over a residual r = a - c yields beside its sign bits; see
 * quant_edge.h for its use.
 */
typedef struct KernelResidual
{
	float		sum_abs;		/* sum |r_i| over the coded dimensions */
	float		norm2;			/* sum r_i^2 over all dimensions */
} KernelResidual;

/* vectors in a panel: as many floats as the widest register holds */
#define KERNEL_PANEL		16

/* rows that are measured against a panel together */
#define KERNEL_ROWS			8

typedef struct KernelRows
{
	int			n;				/* 1 to KERNEL_ROWS */
	const void *x[KERNEL_ROWS]; /* 8-bit codes, floats or bits */
	float		scale[KERNEL_ROWS]; /* of 8-bit codes */
	float		norm2[KERNEL_ROWS]; /* of 8-bit codes and of bits; what codes
									 * without a sign leave out */
	int32_t		sum[KERNEL_ROWS];	/* of 8-bit codes: of all codes of the row */
	float		bound[KERNEL_ROWS];
} KernelRows;

/* rows that one vector is measured against together */
#define KERNEL_FORMS	32

typedef struct KernelForms
{
	int			n;				/* 0 to KERNEL_FORMS */
	const void *x[KERNEL_FORMS];	/* 8-bit codes or floats */
	float		scale[KERNEL_FORMS];	/* of 8-bit codes */
	float		norm2[KERNEL_FORMS];	/* the same */
} KernelForms;

typedef struct Kernels
{
	const char *isa;			/* "scalar", "avx2", "avx512", "neon" */

	/* ---- float32 vectors of n elements; float accumulators ---- */

	/* sum (a_i - b_i)^2 */
	float		(*l2sq_f32) (const float *a, const float *b, size_t n);
	/* sum a_i b_i */
	float		(*dot_f32) (const float *a, const float *b, size_t n);
	/* sum |a_i - b_i| */
	float		(*l1_f32) (const float *a, const float *b, size_t n);
	/* <a,b>, <a,a>, <b,b> in one pass */
	KernelCosine (*cosine_f32) (const float *a, const float *b, size_t n);

	/*
	 * <a,b> of two sparse float32 vectors: na elements at the indices in
	 * at_a, nb at those in at_b, both ascending; other dimensions are 0.  If
	 * indices do not ascend, the sum is any number.  Swapping the operands
	 * can round differently.
	 */
	float		(*dot_sparse) (const int32_t *at_a, const float *a, size_t na,
							   const int32_t *at_b, const float *b, size_t nb);

	/* ---- the same of n IEEE binary16 elements, each widened first ---- */

	float		(*l2sq_f16) (const uint16_t *a, const uint16_t *b, size_t n);
	float		(*dot_f16) (const uint16_t *a, const uint16_t *b, size_t n);
	float		(*l1_f16) (const uint16_t *a, const uint16_t *b, size_t n);
	KernelCosine (*cosine_f16) (const uint16_t *a, const uint16_t *b,
								size_t n);

	/*
	 * Conversions between binary16 and float32; a NaN keeps its sign and as
	 * much of its payload as fits, and becomes quiet.  Every table gives equal
	 * bits.
	 *
	 * half_to_float is exact.  float_to_half rounds to nearest, ties to even:
	 * from 65520 on in absolute value to infinity, up to 2^-25 to zero, with
	 * the sign in either case.
	 */
	void		(*half_to_float) (const uint16_t *x, size_t n, float *out);
	void		(*float_to_half) (const float *x, size_t n, uint16_t *out);

	/*
	 * In-place unnormalised Walsh-Hadamard transform; n a power of two, 1 to
	 * 2^14.  For each stage h = 1, 2, 4 ... : (x, y) -> (x + y, x - y) of
	 * elements h apart.  Additions only, so every table gives equal bits.
	 */
	void		(*fht_f32) (float *x, size_t n);

	/* ---- 8-bit codes: n signed bytes in [-127, 127], n <= 65536 ---- */

	/* sum a_i b_i, a float and b 8-bit; float accumulators */
	float		(*dot_f32s8) (const float *a, const int8_t *b, size_t n);
	/* sum a_i b_i, exact: 127 * 127 * 65536 < 2^31 */
	int32_t		(*dot_s8) (const int8_t *a, const int8_t *b, size_t n);

	/*
	 * 12-bit codes: a signed byte as above and four bits below it.  In group
	 * g of 16 dimensions, byte j of the 8 bytes at low + 8 g has those of
	 * dimension j in its lower half and those of dimension j + 8 in its upper
	 * one.  n is a multiple of 16.
	 *
	 * sum (a_i - step * (16 high_i + low_i - 7.5))^2; float accumulators.
	 * Each product is off by at most one rounding.
	 */
	float		(*l2sq_f32s12) (const float *a, const int8_t *high,
								const uint8_t *low, float step, size_t n);

	/* ---- bit codes: dimension i is bit i % 8 of byte i / 8 ---- */

	/*
	 * For each of 'ncodes' bit codes, 'stride' bytes apart, the sum of q_i
	 * over its set bits; exact.  n is the number of dimensions, a multiple of
	 * 16; each code has n / 8 bytes.
	 */
	void		(*sum_bits_s8) (const int8_t *q, const uint8_t *codes,
								size_t stride, int ncodes, size_t n,
								int32_t *sums);
	/* number of bits in which a and b differ; n bytes */
	uint32_t	(*hamming) (const uint8_t *a, const uint8_t *b, size_t n);
	/* popcount(a & b) and popcount(a | b); n bytes */
	void		(*jaccard) (const uint8_t *a, const uint8_t *b, size_t n,
							uint32_t *both, uint32_t *either);

	/*
	 * The residual r_i = scale_a * a_i - scale_c * c_i of two 8-bit codes
	 * (each product rounded to float, then their difference: no fused
	 * multiply-add, so the signs are equal bits everywhere): writes bit i =
	 * (r_i > 0) of the first 'nbits' dimensions (a multiple of 16) and
	 * returns the sums.  n dimensions, a multiple of 16, nbits <= n.
	 */
	KernelResidual (*residual_s8) (const int8_t *a, float scale_a,
								   const int8_t *c, float scale_c,
								   size_t n, size_t nbits, uint8_t *bits);
	/* the same for a residual given as floats */
	KernelResidual (*residual_f32) (const float *r, size_t n, size_t nbits,
									uint8_t *bits);

	/*
	 * Many against many: each of some rows against the KERNEL_PANEL vectors of
	 * a panel, which lie side by side so that a lane stays with one vector and
	 * nothing is summed across lanes.  For row r and vector p,
	 * dist[r * KERNEL_PANEL + p] is their squared distance, and bit p of near[r]
	 * says whether it is below rows->bound[r] (NaN is not).  The distance of a
	 * pair does not depend on which of the two is in the panel.
	 *
	 * panel_near_s8: 8-bit codes, x ~ scale * code, with their squared norms
	 * (quant_own.h); n a multiple of 4; dimension i of vector p is
	 * panel[i / 4 * 64 + p * 4 + i % 4]; negative distances, from rounding,
	 * become zero.
	 * panel_near_f32: dimension i of vector p is panel[i * KERNEL_PANEL + p].
	 * panel_near_l1: the same for sum |a_i - b_i|, not squared.
	 *
	 * panel_near_u8: codes of quantize_u8, sum |a_i - b_i| times scale[r] plus
	 * norm2[r]; n a multiple of 8; dimension i of vector p is
	 * panel[i / 8 * 128 + p * 8 + i % 8].
	 *
	 * panel_near_hamming, panel_near_jaccard: strings of n bytes, a multiple
	 * of 4; byte i of vector p is panel[i / 4 * 64 + p * 4 + i % 4].  The
	 * number of bits in which they differ; one minus the share of the bits set
	 * in either that are set in both, 1 if none is.  norm2: the bits set in
	 * each.  Every table gives equal bits, below 2^24 of them.
	 */
	void		(*panel_near_s8) (const int8_t *panel, const float *scale,
								  const float *norm2, const KernelRows *rows,
								  size_t n, float *dist, uint16_t *near);
	void		(*panel_near_f32) (const float *panel, const KernelRows *rows,
								   size_t n, float *dist, uint16_t *near);
	void		(*panel_near_l1) (const float *panel, const KernelRows *rows,
								  size_t n, float *dist, uint16_t *near);
	void		(*panel_near_u8) (const uint8_t *panel, const KernelRows *rows,
								  size_t n, float *dist, uint16_t *near);
	void		(*panel_near_hamming) (const uint8_t *panel,
									   const KernelRows *rows, size_t n,
									   float *dist, uint16_t *near);
	void		(*panel_near_jaccard) (const uint8_t *panel,
									   const float *norm2,
									   const KernelRows *rows, size_t n,
									   float *dist, uint16_t *near);

	/*
	 * One against some: dist[r] is the distance of x to row r, squared but for
	 * rows_l1_f32.
	 *
	 * rows_l2sq_s8: as in panel_near_s8; n a multiple of 16.
	 */
	void		(*rows_l2sq_s8) (const int8_t *x, float scale, float norm2,
								 const KernelForms *rows, size_t n,
								 float *dist);
	void		(*rows_l2sq_f32) (const float *x, const KernelForms *rows,
								  size_t n, float *dist);
	void		(*rows_l1_f32) (const float *x, const KernelForms *rows,
								size_t n, float *dist);

	/*
	 * Copy n elements of 4 or 2 bytes with the bytes of each in reverse order:
	 * to the wire and from it on a little-endian machine.  Returns whether
	 * what was written is finite throughout, as float32 or binary16.  The two
	 * ends do not overlap.
	 */
	bool		(*swap_f32) (const void *from, size_t n, void *to);
	bool		(*swap_f16) (const void *from, size_t n, void *to);

	/*
	 * r_i = q_i - scale * c_i, the product rounded to float, then the
	 * difference, so that every table gives equal bits; n a multiple of 16.
	 */
	void		(*subtract_s8) (const float *q, const int8_t *c, float scale,
								size_t n, float *r);

	/* largest |x_i|, 0 for n = 0; NaN elements are passed over */
	float		(*max_abs_f32) (const float *x, size_t n);

	/*
	 * Quantise: code_i = clamp(round-half-even(x_i * inv_scale), -127, 127);
	 * returns sum (x_i - code_i * scale)^2, each difference rounded as
	 * written.  A NaN product gives code -127.  n arbitrary.
	 */
	float		(*quantize_s8) (const float *x, size_t n, float inv_scale,
								float scale, int8_t *code);

	/*
	 * The same in bytes above what is lowest: v_i = (x_i - low_i) * inv_scale,
	 * both rounded, code_i = round-half-even of v_i within [0, 255]; returns
	 * the sum of what v_i is outside these limits.  No NaN.  n arbitrary.
	 */
	float		(*quantize_u8) (const float *x, const float *low, size_t n,
								float inv_scale, uint8_t *code);
} Kernels;

/* The table in use; valid from the start (scalar) and after kernel_choose(). */
extern Kernels kernels;

/*
 * kernel_choose -- fill 'kernels' with the best that CPU and operating system
 * support (CPUID and XGETBV), entry by entry over the scalar table.
 *
 * 'force' names a table ("scalar", "avx2", "avx512", "neon") or is NULL or "auto".
 * Returns false, and changes nothing, if that table is unknown or cannot run
 * here.
 */
extern bool kernel_choose(const char *force);

/* Can this machine run the named table? */
extern bool kernel_supported(const char *isa);

/*
 * One table a file; entries that it does not have are NULL.  What an instruction
 * set has is in the tables of its files, which have no entry in common: a list
 * that ends with NULL.
 */
extern const Kernels kernels_scalar;

/* the tables of that instruction set; NULL if this build has none */
extern const Kernels *const *kernel_tables(const char *isa);

#endif							/* KERNEL_H */
