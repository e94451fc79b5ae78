/*-------------------------------------------------------------------------
 *
 * kernel_panel_loops.h
 *	  Panel kernels, written in the words of an instruction set.
 *
 * ROWS rows are done at a time: their sums stay in registers, and each load of
 * the panel serves all of them.  A panel's vectors are PARTS registers wide.
 *
 * Included once by a file of each instruction set, after its words
 * (kernel_avx2.h) and these:
 *	ROWS, BIT_ROWS			rows at a time, of numbers and of bits
 *	Integers				LANES 32-bit integers, or four bytes in place of each
 *	zero_integers(), as_floats(x)
 *	load_four(x)			the next four bytes of LANES vectors of a panel
 *	all_four(x)				four bytes for every vector
 *	divide(x, y), select_zero(x, y, z): y where x is 0
 *	store_near(dist, x, bound)	stores x; bit i of the result: is element i below?
 *
 *	Codes, as_codes(x)		8-bit codes of a panel, as add_products wants them
 *	add_products(sum, x, y)	and the products of four codes of each
 *	first_products(sum)		what the sums of a row begin with whose codes sum up to sum
 *
 *	BYTE_ROWS				rows at a time, of codes without a sign
 *	Eights					eight bytes of each of LANES / 2 vectors
 *	Sums					and sums of each
 *	zero_sums()
 *	load_eight(x)			the next eight bytes of LANES / 2 vectors of a panel
 *	all_eight(x)			eight bytes for every vector
 *	add_differences(sum, x, y)	and the absolute differences of their bytes
 *	join_sums(x, y)			sums of LANES vectors, as floats
 *
 *	COUNT_BYTES				bytes of a string whose bits are counted together
 *	add_bits(count, x)		and the bits set in x
 *	add_counts(sum, count)	and the bits that have been counted
 *	differing(x, y), common(x, y)	bits of x and y
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_panel_loops.h
 *
 *-------------------------------------------------------------------------
 */
#include "kernel/kernel_terms.h"

#define PARTS	(KERNEL_PANEL / LANES)

/* four bytes of each vector of a panel */
#define GROUP	(4 * KERNEL_PANEL)

/* Store a row's distances, and say which are near. */
HELPER void
store_row(const KernelRows *rows, int row, const Floats *x, float *dist,
		  uint16_t *near)
{
	unsigned int bits = 0;

	UNROLL
	for (int part = 0; part < PARTS; part++)
		bits |= store_near(dist + row * KERNEL_PANEL + part * LANES, x[part],
						   rows->bound[row]) << (part * LANES);
	near[row] = (uint16_t) bits;
}

/* ---- floats ---- */

/* Rows first to first + nrows; inlined with constants, nrows <= ROWS. */
HELPER void
near_floats(const float *panel, const KernelRows *rows, int first, int nrows,
			size_t n, AddTerm term, float *dist, uint16_t *near)
{
	Floats		sum[ROWS][PARTS];

	UNROLL
	for (int r = 0; r < nrows; r++)
	{
		UNROLL
		for (int part = 0; part < PARTS; part++)
			sum[r][part] = zero_floats();
	}
	for (size_t i = 0; i < n; i++)
	{
		Floats		x[PARTS];

		UNROLL
		for (int part = 0; part < PARTS; part++)
			x[part] = load_f32(panel + i * KERNEL_PANEL + part * LANES);
		UNROLL
		for (int r = 0; r < nrows; r++)
		{
			Floats		y = all_floats(((const float *) rows->x[first + r])[i]);

			UNROLL
			for (int part = 0; part < PARTS; part++)
				sum[r][part] = term(sum[r][part], x[part], y);
		}
	}
	UNROLL
	for (int r = 0; r < nrows; r++)
		store_row(rows, first + r, sum[r], dist, near);
}

KERNEL void
panel_near_f32(const float *panel, const KernelRows *rows, size_t n,
			   float *dist, uint16_t *near)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		near_floats(panel, rows, r, ROWS, n, add_l2sq, dist, near);
	for (; r < rows->n; r++)
		near_floats(panel, rows, r, 1, n, add_l2sq, dist, near);
}

KERNEL void
panel_near_l1(const float *panel, const KernelRows *rows, size_t n,
			  float *dist, uint16_t *near)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		near_floats(panel, rows, r, ROWS, n, add_l1, dist, near);
	for (; r < rows->n; r++)
		near_floats(panel, rows, r, 1, n, add_l1, dist, near);
}

/* ---- 8-bit codes ---- */

/* Rows first to first + nrows; inlined with a constant nrows <= ROWS. */
HELPER void
near_s8(const int8_t *panel, const float *scale, const float *norm2,
		const KernelRows *rows, int first, int nrows, size_t n, float *dist,
		uint16_t *near)
{
	Integers	dot[ROWS][PARTS];

	UNROLL
	for (int r = 0; r < nrows; r++)
	{
		Integers	start = first_products(rows->sum[first + r]);

		UNROLL
		for (int part = 0; part < PARTS; part++)
			dot[r][part] = start;
	}
	for (size_t i = 0; i < n; i += 4)
	{
		Codes		x[PARTS];

		UNROLL
		for (int part = 0; part < PARTS; part++)
			x[part] = as_codes(load_four(panel + i / 4 * GROUP + part * 4 * LANES));
		UNROLL
		for (int r = 0; r < nrows; r++)
		{
			Integers	y = all_four((const int8_t *) rows->x[first + r] + i);

			UNROLL
			for (int part = 0; part < PARTS; part++)
				dot[r][part] = add_products(dot[r][part], x[part], y);
		}
	}
	UNROLL
	for (int r = 0; r < nrows; r++)
	{
		Floats		row_scale = all_floats(rows->scale[first + r]);
		Floats		row_norm2 = all_floats(rows->norm2[first + r]);
		Floats		d[PARTS];

		UNROLL
		for (int part = 0; part < PARTS; part++)
		{
			Floats		scales = multiply(row_scale,
										  load_f32(scale + part * LANES));
			Floats		norms = add(row_norm2, load_f32(norm2 + part * LANES));
			Floats		product = multiply(scales, as_floats(dot[r][part]));

			/* in this order NaN stays NaN */
			d[part] = maximum(zero_floats(),
							  multiply_add(all_floats(-2), product, norms));
		}
		store_row(rows, first + r, d, dist, near);
	}
}

KERNEL void
panel_near_s8(const int8_t *panel, const float *scale, const float *norm2,
			  const KernelRows *rows, size_t n, float *dist, uint16_t *near)
{
	int			r = 0;

	for (; r + ROWS <= rows->n; r += ROWS)
		near_s8(panel, scale, norm2, rows, r, ROWS, n, dist, near);
	for (; r < rows->n; r++)
		near_s8(panel, scale, norm2, rows, r, 1, n, dist, near);
}

/* ---- codes without a sign ---- */

/* Rows first to first + nrows; inlined with a constant nrows <= BYTE_ROWS. */
HELPER void
near_u8(const uint8_t *panel, const KernelRows *rows, int first, int nrows,
		size_t n, float *dist, uint16_t *near)
{
	Sums		sum[BYTE_ROWS][2 * PARTS];

	UNROLL
	for (int r = 0; r < nrows; r++)
	{
		UNROLL
		for (int half = 0; half < 2 * PARTS; half++)
			sum[r][half] = zero_sums();
	}
	for (size_t i = 0; i < n; i += 8)
	{
		Eights		x[2 * PARTS];

		UNROLL
		for (int half = 0; half < 2 * PARTS; half++)
			x[half] = load_eight(panel + i / 8 * 2 * GROUP + half * 4 * LANES);
		UNROLL
		for (int r = 0; r < nrows; r++)
		{
			Eights		y = all_eight((const uint8_t *) rows->x[first + r] + i);

			UNROLL
			for (int half = 0; half < 2 * PARTS; half++)
				sum[r][half] = add_differences(sum[r][half], x[half], y);
		}
	}
	UNROLL
	for (int r = 0; r < nrows; r++)
	{
		Floats		d[PARTS];

		UNROLL
		for (int part = 0; part < PARTS; part++)
			d[part] = multiply_add(all_floats(rows->scale[first + r]),
								   join_sums(sum[r][2 * part],
											 sum[r][2 * part + 1]),
								   all_floats(rows->norm2[first + r]));
		store_row(rows, first + r, d, dist, near);
	}
}

KERNEL void
panel_near_u8(const uint8_t *panel, const KernelRows *rows, size_t n,
			  float *dist, uint16_t *near)
{
	int			r = 0;

	for (; r + BYTE_ROWS <= rows->n; r += BYTE_ROWS)
		near_u8(panel, rows, r, BYTE_ROWS, n, dist, near);
	for (; r < rows->n; r++)
		near_u8(panel, rows, r, 1, n, dist, near);
}

/* ---- bits ---- */

/*
 * Bits that rows first to first + nrows and each string of the panel have in
 * common, or in which they differ, as 'bits_of' says; inlined with constants,
 * nrows <= BIT_ROWS.
 */
HELPER void
count_bits(const uint8_t *panel, const KernelRows *rows, int first, int nrows,
		   size_t n, Integers (*bits_of) (Integers x, Integers y),
		   Integers total[BIT_ROWS][PARTS])
{
	UNROLL
	for (int r = 0; r < nrows; r++)
	{
		UNROLL
		for (int part = 0; part < PARTS; part++)
			total[r][part] = zero_integers();
	}
	for (size_t start = 0; start < n; start += COUNT_BYTES)
	{
		size_t		end = n - start < COUNT_BYTES ? n : start + COUNT_BYTES;
		Integers	count[BIT_ROWS][PARTS];

		UNROLL
		for (int r = 0; r < nrows; r++)
		{
			UNROLL
			for (int part = 0; part < PARTS; part++)
				count[r][part] = zero_integers();
		}
		for (size_t i = start; i < end; i += 4)
		{
			const uint8_t *group = panel + i / 4 * GROUP;

			UNROLL
			for (int r = 0; r < nrows; r++)
			{
				Integers	y = all_four((const uint8_t *) rows->x[first + r] + i);

				UNROLL
				for (int part = 0; part < PARTS; part++)
					count[r][part] = add_bits(count[r][part],
											   bits_of(load_four(group + part * 4 * LANES), y));
			}
		}
		UNROLL
		for (int r = 0; r < nrows; r++)
		{
			UNROLL
			for (int part = 0; part < PARTS; part++)
				total[r][part] = add_counts(total[r][part], count[r][part]);
		}
	}
}

/* Rows first to first + nrows; inlined with a constant nrows <= BIT_ROWS. */
HELPER void
near_hamming(const uint8_t *panel, const KernelRows *rows, int first,
			 int nrows, size_t n, float *dist, uint16_t *near)
{
	Integers	differ[BIT_ROWS][PARTS];

	count_bits(panel, rows, first, nrows, n, differing, differ);
	UNROLL
	for (int r = 0; r < nrows; r++)
	{
		Floats		d[PARTS];

		UNROLL
		for (int part = 0; part < PARTS; part++)
			d[part] = as_floats(differ[r][part]);
		store_row(rows, first + r, d, dist, near);
	}
}

KERNEL void
panel_near_hamming(const uint8_t *panel, const KernelRows *rows, size_t n,
				   float *dist, uint16_t *near)
{
	int			r = 0;

	for (; r + BIT_ROWS <= rows->n; r += BIT_ROWS)
		near_hamming(panel, rows, r, BIT_ROWS, n, dist, near);
	for (; r < rows->n; r++)
		near_hamming(panel, rows, r, 1, n, dist, near);
}

/* 1 - both / (a + b - both); 1 if both is 0 */
HELPER Floats
jaccard_distance(Floats both, Floats norms)
{
	const Floats one = all_floats(1);
	Floats		share = divide(both, subtract(norms, both));

	return select_zero(both, one, subtract(one, share));
}

/* Rows first to first + nrows; inlined with a constant nrows <= BIT_ROWS. */
HELPER void
near_jaccard(const uint8_t *panel, const float *norm2, const KernelRows *rows,
			 int first, int nrows, size_t n, float *dist, uint16_t *near)
{
	Integers	both[BIT_ROWS][PARTS];

	count_bits(panel, rows, first, nrows, n, common, both);
	UNROLL
	for (int r = 0; r < nrows; r++)
	{
		Floats		d[PARTS];

		UNROLL
		for (int part = 0; part < PARTS; part++)
			d[part] = jaccard_distance(as_floats(both[r][part]),
									   add(all_floats(rows->norm2[first + r]),
										   load_f32(norm2 + part * LANES)));
		store_row(rows, first + r, d, dist, near);
	}
}

KERNEL void
panel_near_jaccard(const uint8_t *panel, const float *norm2,
				   const KernelRows *rows, size_t n, float *dist,
				   uint16_t *near)
{
	int			r = 0;

	for (; r + BIT_ROWS <= rows->n; r += BIT_ROWS)
		near_jaccard(panel, norm2, rows, r, BIT_ROWS, n, dist, near);
	for (; r < rows->n; r++)
		near_jaccard(panel, norm2, rows, r, 1, n, dist, near);
}
