/*-------------------------------------------------------------------------
 *
 * rows_test.c
 *	  Are the kernels of one vector against some equal to their scalar definition?
 *
 * Every table is compared with the scalar one, for all numbers of rows, at both
 * ends of memory that is guarded on either side; the scalar one with distances
 * worked out by hand.
 *
 * IDENTIFICATION
 *	  test/unit/rows_test.c
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>

#include "unit.h"

#define MAX_DIM		16000

/* what lies behind the results must stay */
#define UNTOUCHED	-7.0f

static UnitArena arena_x;
static UnitArena arena_row[KERNEL_FORMS];

static const int dims_s8[] = {16, 32, 48, 64, 80, 112, 128, 256, 384, 400, 784, 1536, 16000};
static const int dims_f32[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100, 128, 250, 256, 16000};

#define LENGTH(a)	((int) (sizeof(a) / sizeof((a)[0])))

/* total: sums of absolute values of the terms; n: how many there are */
static void
compare(const float *got, const float *want, const float *total, int nrows,
		int n)
{
	for (int r = 0; r < nrows; r++)
	{
		float		tolerance = total[r] * fmaxf(KERNEL_TOLERANCE,
												 (float) n * FLT_EPSILON / 2);

		CHECK(fabsf(got[r] - want[r]) <= tolerance, "n %d, row %d of %d: %g, not %g",
			  n, r, nrows, (double) got[r], (double) want[r]);
	}
	for (int r = nrows; r < KERNEL_FORMS; r++)
		CHECK(got[r] == UNTOUCHED, "n %d, %d rows: result %d was written", n,
			  nrows, r);
}

static void
check_s8(int n, int nrows, int where)
{
	int8_t	   *x = unit_place(&arena_x, (size_t) n, where);
	KernelForms	rows = {.n = nrows};
	float		scale = 0.03f;
	float		norm2 = scale * scale * 5400 * (float) n;
	float		got[KERNEL_FORMS];
	float		want[KERNEL_FORMS];
	float		total[KERNEL_FORMS];

	unit_what = "rows_l2sq_s8";
	unit_fill_codes(x, (size_t) n);
	for (int r = 0; r < KERNEL_FORMS; r++)
		got[r] = UNTOUCHED;
	for (int r = 0; r < nrows; r++)
	{
		int8_t	   *row = unit_place(&arena_row[r], (size_t) n, where);

		unit_fill_codes(row, (size_t) n);
		rows.x[r] = row;
		rows.scale[r] = 0.02f * (float) (r + 1);
		rows.norm2[r] = rows.scale[r] * rows.scale[r] * 5400 * (float) n;
		total[r] = 4 * (rows.norm2[r] + norm2);
	}
	kernels.rows_l2sq_s8(x, scale, norm2, &rows, (size_t) n, got);
	kernels_scalar.rows_l2sq_s8(x, scale, norm2, &rows, (size_t) n, want);
	compare(got, want, total, nrows, n);

	/* overflow is not lost */
	rows.norm2[nrows - 1] = FLT_MAX;
	kernels.rows_l2sq_s8(x, scale, FLT_MAX, &rows, (size_t) n, got);
	CHECK(got[nrows - 1] == INFINITY, "overflow: %g", (double) got[nrows - 1]);
}

typedef void (*FloatRows) (const float *x, const KernelForms *rows, size_t n,
						   float *dist);

static void
check_f32(FloatRows of_table, FloatRows of_scalar, int n, int nrows, int where)
{
	float	   *x = unit_place(&arena_x, sizeof(float) * (size_t) n, where);
	KernelForms	rows = {.n = nrows};
	float	   *last = NULL;
	float		got[KERNEL_FORMS];
	float		want[KERNEL_FORMS];

	unit_fill_gauss(x, n);
	for (int r = 0; r < KERNEL_FORMS; r++)
		got[r] = UNTOUCHED;
	for (int r = 0; r < nrows; r++)
	{
		last = unit_place(&arena_row[r], sizeof(float) * (size_t) n, where);
		unit_fill_gauss(last, n);
		rows.x[r] = last;
	}
	of_table(x, &rows, (size_t) n, got);
	of_scalar(x, &rows, (size_t) n, want);
	compare(got, want, want, nrows, n);

	/* NaN stays, and where it is */
	last[n - 1] = NAN;
	of_table(x, &rows, (size_t) n, got);
	CHECK(isnan(got[nrows - 1]), "NaN was lost");
	CHECK(nrows == 1 || !isnan(got[0]), "NaN got into another row");
}

static void
check_floats(int n, int nrows, int where)
{
	unit_what = "rows_l2sq_f32";
	check_f32(kernels.rows_l2sq_f32, kernels_scalar.rows_l2sq_f32, n, nrows,
			  where);
	unit_what = "rows_l1_f32";
	check_f32(kernels.rows_l1_f32, kernels_scalar.rows_l1_f32, n, nrows, where);
}

static void
test_table(void)
{
	for (int nrows = 1; nrows <= KERNEL_FORMS; nrows++)
	{
		for (int i = 0; i < LENGTH(dims_s8); i++)
		{
			check_s8(dims_s8[i], nrows, UNIT_AT_END);
			check_s8(dims_s8[i], nrows, UNIT_AT_START);
		}
		for (int i = 0; i < LENGTH(dims_f32); i++)
		{
			check_floats(dims_f32[i], nrows, UNIT_AT_END);
			check_floats(dims_f32[i], nrows, UNIT_AT_START);
		}
	}
}

static void
test_scalar(void)
{
	int8_t		x_s8[16] = {3, [15] = 2};
	int8_t		row_s8[KERNEL_FORMS][16] = {{0}};
	float		x_f32[3] = {3, 0, 2};
	float		row_f32[KERNEL_FORMS][3] = {{0}};
	KernelForms	rows = {.n = KERNEL_FORMS};
	float		dist[KERNEL_FORMS];

	unit_isa = "scalar";
	for (int r = 0; r < KERNEL_FORMS; r++)
	{
		/* r in the first dimension, -2 in the last */
		row_s8[r][0] = (int8_t) r;
		row_s8[r][15] = -2;
		rows.x[r] = row_s8[r];
		rows.scale[r] = 1;
		rows.norm2[r] = (float) (r * r + 4);
	}
	kernels_scalar.rows_l2sq_s8(x_s8, 2, 4 * 13, &rows, 16, dist);
	for (int r = 0; r < KERNEL_FORMS; r++)
		CHECK(dist[r] == (float) ((6 - r) * (6 - r) + 36), "rows_l2sq_s8: %g",
			  (double) dist[r]);

	for (int r = 0; r < KERNEL_FORMS; r++)
	{
		row_f32[r][0] = (float) r;
		row_f32[r][2] = -2;
		rows.x[r] = row_f32[r];
	}
	kernels_scalar.rows_l2sq_f32(x_f32, &rows, 3, dist);
	for (int r = 0; r < KERNEL_FORMS; r++)
		CHECK(dist[r] == (float) ((3 - r) * (3 - r) + 16), "rows_l2sq_f32: %g",
			  (double) dist[r]);
	kernels_scalar.rows_l1_f32(x_f32, &rows, 3, dist);
	for (int r = 0; r < KERNEL_FORMS; r++)
		CHECK(dist[r] == (float) (abs(3 - r) + 4), "rows_l1_f32: %g",
			  (double) dist[r]);
}

int
main(void)
{
	arena_x = unit_arena(MAX_DIM * sizeof(float) + 64);
	for (int r = 0; r < KERNEL_FORMS; r++)
		arena_row[r] = unit_arena(MAX_DIM * sizeof(float) + 64);

	test_scalar();
	unit_each_table(test_table);
	return unit_finish();
}
