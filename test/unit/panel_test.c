/*-------------------------------------------------------------------------
 *
 * panel_test.c
 *	  Are the panel kernels equal to their scalar definition?
 *
 * Every table is compared with the scalar one, for all numbers of rows, at both
 * ends of memory that is guarded on either side; the scalar one with distances
 * worked out pair by pair.
 *
 * IDENTIFICATION
 *	  test/unit/panel_test.c
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>

#include "unit.h"

#define MAX_DIM		16000
#define NPAIRS		(KERNEL_ROWS * KERNEL_PANEL)

static UnitArena arena_panel;
static UnitArena arena_row[KERNEL_ROWS];

static const int dims[] = {4, 16, 20, 48, 64, 68, 112, 128, 256, 384, 400, 784, 1536, 16000};

#define NDIMS		((int) (sizeof(dims) / sizeof(dims[0])))

/* total: sums of absolute values of the terms; n: how many there are */
static void
compare(const KernelRows *rows, const float *got, const uint16_t *got_near,
		const float *want, const float *total, int n)
{
	for (int r = 0; r < rows->n; r++)
	{
		unsigned int near = 0;

		for (int p = 0; p < KERNEL_PANEL; p++)
		{
			int			at = r * KERNEL_PANEL + p;
			float		tolerance = total[at] * fmaxf(KERNEL_TOLERANCE,
													  (float) n * FLT_EPSILON / 2);

			CHECK(fabsf(got[at] - want[at]) <= tolerance ||
				  (isnan(got[at]) && isnan(want[at])) || got[at] == want[at],
				  "n %d, row %d of %d, vector %d: %g, not %g", n, r, rows->n,
				  p, (double) got[at], (double) want[at]);
			near |= (unsigned int) (got[at] < rows->bound[r]) << p;
		}
		CHECK(got_near[r] == near, "n %d, row %d of %d: near %x, not %x", n,
			  r, rows->n, got_near[r], near);
	}
}

static void
check_s8(int n, int nrows, int where)
{
	int8_t	   *panel = unit_place(&arena_panel, (size_t) n * KERNEL_PANEL, where);
	KernelRows	rows = {.n = nrows};
	float		scale[KERNEL_PANEL];
	float		norm2[KERNEL_PANEL];
	float		got[NPAIRS];
	float		want[NPAIRS];
	float		total[NPAIRS];
	uint16_t	near[KERNEL_ROWS];
	uint16_t	want_near[KERNEL_ROWS];

	unit_what = "panel_near_s8";
	unit_fill_codes(panel, (size_t) n * KERNEL_PANEL);
	for (int p = 0; p < KERNEL_PANEL; p++)
	{
		scale[p] = 0.01f * (float) (p + 1);
		norm2[p] = scale[p] * scale[p] * 5400 * (float) n;
	}
	for (int r = 0; r < nrows; r++)
	{
		int8_t	   *x = unit_place(&arena_row[r], (size_t) n, where);

		unit_fill_codes(x, (size_t) n);
		rows.x[r] = x;
		rows.sum[r] = 0;
		for (int i = 0; i < n; i++)
			rows.sum[r] += x[i];
		rows.scale[r] = 0.02f * (float) (r + 1);
		rows.norm2[r] = rows.scale[r] * rows.scale[r] * 5400 * (float) n;
		rows.bound[r] = rows.norm2[r];
	}
	rows.bound[0] = INFINITY;
	for (int at = 0; at < nrows * KERNEL_PANEL; at++)
		total[at] = 4 * (rows.norm2[at / KERNEL_PANEL] + norm2[at % KERNEL_PANEL]);

	kernels.panel_near_s8(panel, scale, norm2, &rows, (size_t) n, got, near);
	kernels_scalar.panel_near_s8(panel, scale, norm2, &rows, (size_t) n, want,
								 want_near);
	compare(&rows, got, near, want, total, n);

	/* overflow is not near, and not lost */
	norm2[3] = FLT_MAX;
	rows.norm2[0] = FLT_MAX;
	kernels.panel_near_s8(panel, scale, norm2, &rows, (size_t) n, got, near);
	CHECK(got[3] == INFINITY && !((near[0] >> 3) & 1), "overflow: %g, %x",
		  (double) got[3], near[0]);
}

static void
check_f32(int n, int nrows, int where)
{
	float	   *panel = unit_place(&arena_panel,
								   sizeof(float) * (size_t) n * KERNEL_PANEL, where);
	KernelRows	rows = {.n = nrows};
	float		got[NPAIRS];
	float		want[NPAIRS];
	uint16_t	near[KERNEL_ROWS];
	uint16_t	want_near[KERNEL_ROWS];

	unit_what = "panel_near_f32";
	unit_fill_gauss(panel, n * KERNEL_PANEL);
	for (int r = 0; r < nrows; r++)
	{
		float	   *x = unit_place(&arena_row[r], sizeof(float) * (size_t) n,
								   where);

		unit_fill_gauss(x, n);
		rows.x[r] = x;
		rows.bound[r] = (float) n * 2;
	}
	kernels.panel_near_f32(panel, &rows, (size_t) n, got, near);
	kernels_scalar.panel_near_f32(panel, &rows, (size_t) n, want, want_near);
	compare(&rows, got, near, want, want, n);

	/* NaN stays, and is not near */
	panel[5] = NAN;
	kernels.panel_near_f32(panel, &rows, (size_t) n, got, near);
	CHECK(isnan(got[5]) && !((near[0] >> 5) & 1), "NaN was lost");
}

static void
check_l1(int n, int nrows, int where)
{
	float	   *panel = unit_place(&arena_panel,
								   sizeof(float) * (size_t) n * KERNEL_PANEL, where);
	KernelRows	rows = {.n = nrows};
	float		got[NPAIRS];
	float		want[NPAIRS];
	uint16_t	near[KERNEL_ROWS];
	uint16_t	want_near[KERNEL_ROWS];
	float	   *first = NULL;

	unit_what = "panel_near_l1";
	unit_fill_gauss(panel, n * KERNEL_PANEL);
	for (int r = 0; r < nrows; r++)
	{
		float	   *x = unit_place(&arena_row[r], sizeof(float) * (size_t) n,
								   where);

		unit_fill_gauss(x, n);
		first = r == 0 ? x : first;
		rows.x[r] = x;
		rows.bound[r] = (float) n * 1.13f;	/* the mean, about */
	}
	kernels.panel_near_l1(panel, &rows, (size_t) n, got, near);
	kernels_scalar.panel_near_l1(panel, &rows, (size_t) n, want, want_near);
	compare(&rows, got, near, want, want, n);

	/* NaN stays, and is not near; nor is what overflows */
	panel[5] = NAN;
	panel[6] = FLT_MAX;
	first[0] = -FLT_MAX;
	rows.bound[0] = INFINITY;
	kernels.panel_near_l1(panel, &rows, (size_t) n, got, near);
	CHECK(isnan(got[5]) && !((near[0] >> 5) & 1), "NaN was lost");
	CHECK(got[6] == INFINITY && !((near[0] >> 6) & 1), "overflow: %g, %x",
		  (double) got[6], near[0]);
}

static void
check_u8(int n, int nrows, int where)
{
	uint8_t    *panel = unit_place(&arena_panel, (size_t) n * KERNEL_PANEL, where);
	KernelRows	rows = {.n = nrows};
	float		got[NPAIRS];
	float		want[NPAIRS];
	uint16_t	near[KERNEL_ROWS];
	uint16_t	want_near[KERNEL_ROWS];

	unit_what = "panel_near_u8";
	unit_fill_bytes(panel, (size_t) n * KERNEL_PANEL);

	/* vector 1 is farthest from row 1, vector 3 like it */
	for (int i = 0; i < n; i++)
	{
		panel[i / 8 * 8 * KERNEL_PANEL + 1 * 8 + i % 8] = 0xff;
		panel[i / 8 * 8 * KERNEL_PANEL + 3 * 8 + i % 8] = 0;
	}
	for (int r = 0; r < nrows; r++)
	{
		uint8_t    *x = unit_place(&arena_row[r], (size_t) n, where);

		unit_fill_bytes(x, (size_t) n);
		if (r == 1)
			memset(x, 0, (size_t) n);
		rows.x[r] = x;
		rows.scale[r] = 0.5f * (float) (r + 1);
		rows.norm2[r] = (float) r;
		rows.bound[r] = rows.norm2[r] + rows.scale[r] * 85 * (float) n;
	}
	kernels.panel_near_u8(panel, &rows, (size_t) n, got, near);
	kernels_scalar.panel_near_u8(panel, &rows, (size_t) n, want, want_near);
	compare(&rows, got, near, want, want, n);
	CHECK(nrows == 1 || (got[KERNEL_PANEL + 1] == (float) (255 * n) + 1 &&
						 got[KERNEL_PANEL + 3] == 1), "n %d: %g and %g", n,
		  (double) got[KERNEL_PANEL + 1], (double) got[KERNEL_PANEL + 3]);

	/* what is infinitely far is not near */
	rows.norm2[0] = INFINITY;
	rows.bound[0] = INFINITY;
	kernels.panel_near_u8(panel, &rows, (size_t) n, got, near);
	CHECK(got[0] == INFINITY && near[0] == 0, "overflow: %g, %x",
		  (double) got[0], near[0]);
}

/* Bits: the results are integers or one division, so they are equal. */
static void
compare_bits(const KernelRows *rows, const float *got, const uint16_t *near,
			 const float *want, const uint16_t *want_near, int n)
{
	CHECK(memcmp(got, want, sizeof(float) * (size_t) rows->n * KERNEL_PANEL) == 0,
		  "n %d, %d rows: other distances", n, rows->n);
	CHECK(memcmp(near, want_near, sizeof(uint16_t) * (size_t) rows->n) == 0,
		  "n %d, %d rows: others are near", n, rows->n);
}

static float
count_set(const uint8_t *x, int n)
{
	uint32_t	count = 0;

	for (int i = 0; i < n; i++)
		count += (uint32_t) __builtin_popcount(x[i]);
	return (float) count;
}

static void
check_bits(int n, int nrows, int where)
{
	uint8_t    *panel = unit_place(&arena_panel, (size_t) n * KERNEL_PANEL, where);
	KernelRows	rows = {.n = nrows};
	float		norm2[KERNEL_PANEL] = {0};
	float		got[NPAIRS];
	float		want[NPAIRS];
	uint16_t	near[KERNEL_ROWS];
	uint16_t	want_near[KERNEL_ROWS];

	unit_fill_bytes(panel, (size_t) n * KERNEL_PANEL);

	/* vector 1 is all ones, vector 2 all zeros, vector 3 the first row */
	for (int i = 0; i < n; i++)
	{
		panel[i / 4 * 4 * KERNEL_PANEL + 1 * 4 + i % 4] = 0xff;
		panel[i / 4 * 4 * KERNEL_PANEL + 2 * 4 + i % 4] = 0;
	}
	for (int r = 0; r < nrows; r++)
	{
		uint8_t    *x = unit_place(&arena_row[r], (size_t) n, where);

		unit_fill_bytes(x, (size_t) n);
		if (r == 1)
			memset(x, 0, (size_t) n);
		if (r == 2)
			memset(x, 0xff, (size_t) n);
		rows.x[r] = x;
		rows.norm2[r] = count_set(x, n);
		rows.bound[r] = (float) n * 4;
	}
	for (int i = 0; i < n; i++)
	{
		panel[i / 4 * 4 * KERNEL_PANEL + 3 * 4 + i % 4] =
			((const uint8_t *) rows.x[0])[i];
		for (int p = 0; p < KERNEL_PANEL; p++)
			norm2[p] += count_set(&panel[i / 4 * 4 * KERNEL_PANEL + p * 4 + i % 4], 1);
	}

	unit_what = "panel_near_hamming";
	kernels.panel_near_hamming(panel, &rows, (size_t) n, got, near);
	kernels_scalar.panel_near_hamming(panel, &rows, (size_t) n, want, want_near);
	compare_bits(&rows, got, near, want, want_near, n);
	CHECK(got[1] == (float) (8 * n) - rows.norm2[0] && got[2] == rows.norm2[0] &&
		  got[3] == 0, "n %d: %g, %g and %g", n, (double) got[1],
		  (double) got[2], (double) got[3]);

	unit_what = "panel_near_jaccard";
	for (int r = 0; r < nrows; r++)
		rows.bound[r] = 2.0f / 3;
	kernels.panel_near_jaccard(panel, norm2, &rows, (size_t) n, got, near);
	kernels_scalar.panel_near_jaccard(panel, norm2, &rows, (size_t) n, want,
									  want_near);
	compare_bits(&rows, got, near, want, want_near, n);
	CHECK(got[2] == 1 && got[3] == 0 && (near[0] & 0xc) == 0x8,
		  "n %d: %g, %g, near %x", n, (double) got[2], (double) got[3], near[0]);
}

static void
test_table(void)
{
	for (int i = 0; i < NDIMS; i++)
	{
		for (int nrows = 1; nrows <= KERNEL_ROWS; nrows++)
		{
			check_s8(dims[i], nrows, UNIT_AT_END);
			check_s8(dims[i], nrows, UNIT_AT_START);
			check_f32(dims[i], nrows, UNIT_AT_END);
			check_f32(dims[i], nrows, UNIT_AT_START);
			check_l1(dims[i], nrows, UNIT_AT_END);
			check_l1(dims[i], nrows, UNIT_AT_START);
			check_u8((dims[i] + 7) / 8 * 8, nrows, UNIT_AT_END);
			check_u8((dims[i] + 7) / 8 * 8, nrows, UNIT_AT_START);
			check_bits(dims[i], nrows, UNIT_AT_END);
			check_bits(dims[i], nrows, UNIT_AT_START);
		}
	}
}

/* Vector p of the panel is worth p in its first dimension, -1 in its last. */
static void
test_scalar(void)
{
	int8_t		codes[2 * 4 * KERNEL_PANEL] = {0};
	float		floats[8 * KERNEL_PANEL] = {0};
	float		scale[KERNEL_PANEL];
	float		norm2[KERNEL_PANEL];
	const int8_t row_s8[8] = {3, 0, 0, 0, 0, 0, 0, 2};
	const float row_f32[8] = {3, 0, 0, 0, 0, 0, 0, 2};
	KernelRows	rows = {.n = 1,.scale = {2},.norm2 = {4 * 13},.bound = {50}};
	float		dist[KERNEL_PANEL];
	uint16_t	near;

	unit_isa = "scalar";
	for (int p = 0; p < KERNEL_PANEL; p++)
	{
		codes[p * 4] = (int8_t) p;
		codes[4 * KERNEL_PANEL + p * 4 + 3] = -1;
		floats[p] = (float) p;
		floats[7 * KERNEL_PANEL + p] = -1;
		scale[p] = 1;
		norm2[p] = (float) (p * p + 1);
	}
	rows.x[0] = row_s8;
	kernels_scalar.panel_near_s8(codes, scale, norm2, &rows, 8, dist, &near);
	for (int p = 0; p < KERNEL_PANEL; p++)
		CHECK(dist[p] == (float) ((6 - p) * (6 - p) + 25), "panel_near_s8: %g",
			  (double) dist[p]);

	/* (6 - p)^2 + 25 < 50: from 2 to 10 */
	CHECK(near == 0x07fc, "panel_near_s8: near %x", near);

	rows.x[0] = row_f32;
	rows.bound[0] = 13;
	kernels_scalar.panel_near_f32(floats, &rows, 8, dist, &near);
	for (int p = 0; p < KERNEL_PANEL; p++)
		CHECK(dist[p] == (float) ((3 - p) * (3 - p) + 9), "panel_near_f32: %g",
			  (double) dist[p]);
	CHECK(near == 0x001c, "panel_near_f32: near %x", near);

	rows.bound[0] = 5;
	kernels_scalar.panel_near_l1(floats, &rows, 8, dist, &near);
	for (int p = 0; p < KERNEL_PANEL; p++)
		CHECK(dist[p] == (float) (abs(3 - p) + 3), "panel_near_l1: %g",
			  (double) dist[p]);
	CHECK(near == 0x001c, "panel_near_l1: near %x", near);
}

/* Vector p of the panel is p in its first dimension, 10 p in its last. */
static void
test_scalar_bytes(void)
{
	uint8_t		panel[2 * 8 * KERNEL_PANEL] = {0};
	const uint8_t row[16] = {3, [15] = 20};
	KernelRows	rows = {.n = 1,.x = {row},.scale = {2},.norm2 = {1},.bound = {45}};
	float		dist[KERNEL_PANEL];
	uint16_t	near;

	for (int p = 0; p < KERNEL_PANEL; p++)
	{
		panel[p * 8] = (uint8_t) p;
		panel[8 * KERNEL_PANEL + p * 8 + 7] = (uint8_t) (10 * p);
	}
	kernels_scalar.panel_near_u8(panel, &rows, 16, dist, &near);
	for (int p = 0; p < KERNEL_PANEL; p++)
		CHECK(dist[p] == (float) (1 + 2 * (abs(p - 3) + 10 * abs(p - 2))),
			  "panel_near_u8: %g", (double) dist[p]);

	/* 1 + 2 (|p - 3| + 10 |p - 2|) < 45: from 1 to 3 and 4, 43 */
	CHECK(near == 0x001e, "panel_near_u8: near %x", near);
}

/* The first byte of vector p is p, the last 1; the row has 3 and 1 there. */
static void
test_scalar_bits(void)
{
	uint8_t		panel[2 * 4 * KERNEL_PANEL] = {0};
	const uint8_t row[8] = {3, 0, 0, 0, 0, 0, 0, 1};
	float		norm2[KERNEL_PANEL];
	KernelRows	rows = {.n = 1,.x = {row},.norm2 = {3},.bound = {1}};
	float		dist[KERNEL_PANEL];
	uint16_t	near;

	unit_isa = "scalar";
	for (int p = 0; p < KERNEL_PANEL; p++)
	{
		panel[p * 4] = (uint8_t) p;
		panel[4 * KERNEL_PANEL + p * 4 + 3] = 1;
		norm2[p] = (float) __builtin_popcount((unsigned int) p) + 1;
	}
	kernels_scalar.panel_near_hamming(panel, &rows, 8, dist, &near);
	for (int p = 0; p < KERNEL_PANEL; p++)
		CHECK(dist[p] == (float) __builtin_popcount((unsigned int) p ^ 3),
			  "panel_near_hamming: %g", (double) dist[p]);
	CHECK(near == 0x0008, "panel_near_hamming: near %x", near);

	/* 12 of 1100 has the last byte in common only: 1 of 5 */
	kernels_scalar.panel_near_jaccard(panel, norm2, &rows, 8, dist, &near);
	CHECK(dist[3] == 0 && dist[12] == 1 - 1.0f / 5 && near == 0xffff,
		  "panel_near_jaccard: %g, %g, near %x", (double) dist[3],
		  (double) dist[12], near);
}

int
main(void)
{
	arena_panel = unit_arena(MAX_DIM * KERNEL_PANEL * sizeof(float) + 64);
	for (int r = 0; r < KERNEL_ROWS; r++)
		arena_row[r] = unit_arena(MAX_DIM * sizeof(float) + 64);

	test_scalar();
	test_scalar_bytes();
	test_scalar_bits();
	unit_each_table(test_table);
	return unit_finish();
}
