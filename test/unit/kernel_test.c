/*-------------------------------------------------------------------------
 *
 * kernel_test.c
 *	  Is each kernel equal to its scalar definition?
 *
 * Every table is compared with the scalar one: lengths 0 to 130 and some large
 * ones, alignments 0 to 63, buffers that end or begin at a page nobody may
 * touch, and numbers of every kind.  The scalar table itself is compared with
 * results worked out by hand.
 *
 * IDENTIFICATION
 *	  test/unit/kernel_test.c
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>

#include "unit.h"

#define MAX_DIM		65536

static UnitArena arena_a;
static UnitArena arena_b;
static UnitArena arena_out;
static UnitArena arena_at_a;
static UnitArena arena_at_b;

/* ---- lengths and places ---- */

/* 0 to 130, then some large ones */
static const int large[] = {255, 384, 784, 1000, 1536, 4097, 16000};

#define NLARGE		((int) (sizeof(large) / sizeof(large[0])))
#define NLENGTHS	(131 + NLARGE)

static int
length_of(int i)
{
	return i <= 130 ? i : large[i - 131];
}

/*
 * Places for buffers of a given length: the two ends of the arena always, all
 * offsets up to 63 for a few lengths.
 */
static int
places_for(int n)
{
	return n == 33 || n == 64 || n == 127 || n == 384 ? 65 : 2;
}

static int
place_of(int i)
{
	return i == 0 ? UNIT_AT_END : i - 1;
}

/* floats need their own alignment in C */
static float *
place_floats(const UnitArena *arena, int n, int where)
{
	if (where > 0)
		where &= ~3;
	return unit_place(arena, (size_t) n * sizeof(float), where);
}

/* so do halves */
static uint16_t *
place_halves(const UnitArena *arena, int n, int where)
{
	if (where > 0)
		where &= ~1;
	return unit_place(arena, (size_t) n * sizeof(uint16_t), where);
}

/* ---- kinds of floats ---- */

typedef enum
{
	RANDOM,
	ZERO,						/* of both signs */
	CONSTANT,
	DENORMAL,
	LARGE,						/* squares overflow */
	WITH_INFINITY,
	WITH_NAN,
	NKINDS
} Kind;

static void
fill_floats(float *x, int n, Kind kind)
{
	for (int i = 0; i < n; i++)
	{
		float		sign = unit_random() & 1 ? 1.0f : -1.0f;

		switch (kind)
		{
			case ZERO:
				x[i] = sign * 0.0f;
				break;
			case CONSTANT:
				x[i] = 0.1f;
				break;
			case DENORMAL:
				x[i] = sign * ldexpf((float) (unit_random() % 1000), -149);
				break;
			case LARGE:
				x[i] = sign * FLT_MAX / 4;
				break;
			default:
				x[i] = (float) unit_gauss();
				break;
		}
	}
	if (n > 0 && kind == WITH_INFINITY)
		x[unit_random() % (uint64_t) n] = unit_random() & 1 ? INFINITY : -INFINITY;
	if (n > 0 && kind == WITH_NAN)
		x[unit_random() % (uint64_t) n] = NAN;
}

/*
 * Is 'got' near enough to 'want', a sum of n terms whose absolute values sum
 * to 'total'?  Infinity and NaN must be the same.  Products that are denormal
 * are each off by up to half the smallest number.
 */
static bool
near(float got, float want, double total, int n)
{
	double		tolerance = KERNEL_TOLERANCE;

	if (isnan(want) || isnan(got))
		return isnan(want) && isnan(got);
	if (got == want)
		return true;
	if (isinf(want) || isinf(got))
		return false;

	/* the scalar sum itself may be off by that much */
	if (n * (1.0 / 16777216) > tolerance)
		tolerance = n * (1.0 / 16777216);
	return fabs((double) got - want) <= tolerance * total + n * ldexp(1, -149);
}

#define CHECK_NEAR(got, want, total, n) \
	CHECK(near(got, want, total, n), \
		  "n %d, place %d, kind %d: got %.9g, want %.9g, terms %.9g", \
		  n, where, (int) kind, (double) (got), (double) (want), total)

/* sums of the absolute values of the terms */
typedef struct Totals
{
	double		l2sq;
	double		dot;
	double		l1;
	double		norm_a;
	double		norm_b;
} Totals;

static Totals
total_terms(const float *a, const float *b, int n)
{
	Totals		t = {0, 0, 0, 0, 0};

	for (int i = 0; i < n; i++)
	{
		double		diff = fabs((double) a[i] - b[i]);

		t.l2sq += diff * diff;
		t.dot += fabs((double) a[i] * b[i]);
		t.l1 += diff;
		t.norm_a += (double) a[i] * a[i];
		t.norm_b += (double) b[i] * b[i];
	}
	return t;
}

/* ---- float kernels ---- */

static void
check_cosine(const float *a, const float *b, int n, int where, Kind kind,
			 const Totals *t)
{
	KernelCosine got = kernels.cosine_f32(a, b, (size_t) n);
	KernelCosine want = kernels_scalar.cosine_f32(a, b, (size_t) n);

	unit_what = "cosine_f32";
	CHECK_NEAR(got.dot, want.dot, t->dot, n);
	CHECK_NEAR(got.norm_a, want.norm_a, t->norm_a, n);
	CHECK_NEAR(got.norm_b, want.norm_b, t->norm_b, n);
	if (n > 0 && kind == WITH_NAN)
		CHECK(isnan(got.dot) && isnan(got.norm_a), "NaN was lost, n %d", n);
}

static void
check_floats(int n, int where, Kind kind)
{
	float	   *a = place_floats(&arena_a, n, where);
	float	   *b = place_floats(&arena_b, n, where);
	size_t		len = (size_t) n;
	Totals		t;
	float		got;

	fill_floats(a, n, kind);
	fill_floats(b, n, kind == WITH_INFINITY || kind == WITH_NAN ? RANDOM : kind);
	t = total_terms(a, b, n);

	unit_what = "l2sq_f32";
	got = kernels.l2sq_f32(a, b, len);
	CHECK_NEAR(got, kernels_scalar.l2sq_f32(a, b, len), t.l2sq, n);
	CHECK(isnan(got) || kind != WITH_NAN || n == 0, "NaN was lost");
	unit_what = "dot_f32";
	got = kernels.dot_f32(a, b, len);

	/* products of both signs overflow to a sum that depends on the order */
	if (kind != LARGE)
		CHECK_NEAR(got, kernels_scalar.dot_f32(a, b, len), t.dot, n);
	CHECK(isnan(got) || kind != WITH_NAN || n == 0, "NaN was lost");
	unit_what = "l1_f32";
	got = kernels.l1_f32(a, b, len);
	CHECK_NEAR(got, kernels_scalar.l1_f32(a, b, len), t.l1, n);
	CHECK(isnan(got) || kind != WITH_NAN || n == 0, "NaN was lost");
	unit_what = "max_abs_f32";
	got = kernels.max_abs_f32(a, len);
	CHECK(got == kernels_scalar.max_abs_f32(a, len) && !isnan(got),
		  "n %d, place %d, kind %d: got %.9g", n, where, (int) kind, got);
	if (kind != LARGE)
		check_cosine(a, b, n, where, kind, &t);
}

/* ---- sparse float kernels ---- */

static int32_t *
place_indices(const UnitArena *arena, int n, int where)
{
	return (int32_t *) (void *) place_floats(arena, n, where);
}

/* ascending, 'gap' apart on average, from 'first' on */
static void
fill_indices(int32_t *at, int n, int gap, int first)
{
	int32_t		next = first;

	for (int i = 0; i < n; i++)
	{
		at[i] = next;
		next += 1 + (int32_t) (unit_random() % (uint64_t) (2 * gap - 1));
	}
}

/*
 * Two vectors of na and nb elements, of which many, few or none meet, as 'gap'
 * says.  Indices and elements stand each at the end of what may be read.
 */
static void
check_sparse(int na, int nb, int gap, int where, Kind kind)
{
	int32_t    *at_a = place_indices(&arena_at_a, na, where);
	int32_t    *at_b = place_indices(&arena_at_b, nb, where);
	float	   *a = place_floats(&arena_a, na, where);
	float	   *b = place_floats(&arena_b, nb, where);
	int			n = na + nb;
	double		total = 0;
	float		got;

	fill_indices(at_a, na, gap, 0);
	fill_indices(at_b, nb, gap, (int) (unit_random() % 40));
	fill_floats(a, na, kind);
	fill_floats(b, nb, kind == WITH_INFINITY || kind == WITH_NAN ? RANDOM : kind);
	for (int i = 0, j = 0; i < na && j < nb;)
	{
		if (at_a[i] == at_b[j])
			total += fabs((double) a[i++] * b[j++]);
		else if (at_a[i] < at_b[j])
			i++;
		else
			j++;
	}

	unit_what = "dot_sparse";
	got = kernels.dot_sparse(at_a, a, (size_t) na, at_b, b, (size_t) nb);

	/* as in check_floats */
	if (kind != LARGE)
		CHECK_NEAR(got, kernels_scalar.dot_sparse(at_a, a, (size_t) na, at_b, b,
												  (size_t) nb), total, n);
	CHECK(total > 0 || got == 0 || isnan(total), "nothing meets, got %.9g", got);
}

/*
 * Indices that no vector has, in any order: some number comes out, and nothing
 * past the end is touched.
 */
static void
check_wild_indices(int na, int nb)
{
	int32_t    *at_a = place_indices(&arena_at_a, na, UNIT_AT_END);
	int32_t    *at_b = place_indices(&arena_at_b, nb, UNIT_AT_END);
	float	   *a = place_floats(&arena_a, na, UNIT_AT_END);
	float	   *b = place_floats(&arena_b, nb, UNIT_AT_END);

	fill_floats(a, na, RANDOM);
	fill_floats(b, nb, RANDOM);
	for (int i = 0; i < na; i++)
		at_a[i] = (int32_t) (unit_random() % 40) - 20;
	for (int i = 0; i < nb; i++)
		at_b[i] = unit_random() % 3 == 0 ? INT32_MIN : (int32_t) (unit_random() % 40) - 20;
	unit_what = "dot_sparse";
	CHECK(isfinite(kernels.dot_sparse(at_a, a, (size_t) na,
									  at_b, b, (size_t) nb)), "wild indices");
}

/* the same indices on both sides: the product of the elements */
static void
check_same_indices(int n)
{
	int32_t    *at = place_indices(&arena_at_a, n, UNIT_AT_END);
	float	   *a = place_floats(&arena_a, n, UNIT_AT_END);
	float	   *b = place_floats(&arena_b, n, UNIT_AT_END);

	fill_indices(at, n, 5, 0);
	for (int i = 0; i < n; i++)
	{
		a[i] = (float) (i % 7);
		b[i] = (float) (i % 5 - 2);
	}
	unit_what = "dot_sparse";
	CHECK(kernels.dot_sparse(at, a, (size_t) n, at, b, (size_t) n) ==
		  kernels_scalar.dot_f32(a, b, (size_t) n), "n %d", n);
}

static void
test_sparse(void)
{
	static const int lengths[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 1000};
	const int	nlengths = (int) (sizeof(lengths) / sizeof(lengths[0]));

	for (int i = 0; i < nlengths; i++)
	{
		for (int j = 0; j < nlengths; j++)
		{
			for (Kind kind = 0; kind < NKINDS; kind++)
			{
				check_sparse(lengths[i], lengths[j], 1, UNIT_AT_END, kind);
				check_sparse(lengths[i], lengths[j], 3, UNIT_AT_START, kind);
				check_sparse(lengths[i], lengths[j], 200, UNIT_AT_END, kind);
			}
			for (int where = 1; where < 64; where += 4)
				check_sparse(lengths[i], lengths[j], 2, where, RANDOM);
			check_wild_indices(lengths[i], lengths[j]);
		}
		check_same_indices(lengths[i]);
	}
	check_sparse(16000, 15000, 4, UNIT_AT_END, RANDOM);
	check_same_indices(16000);
}

/* ---- binary16 kernels ---- */

/*
 * What a half stands for, by the book and not by the kernels; NaN for NaN.
 */
static double
value_of_half(uint16_t half)
{
	int			exponent = half >> 10 & 31;
	int			fraction = half & 1023;
	double		value;

	if (exponent == 31)
		value = fraction == 0 ? INFINITY : NAN;
	else if (exponent == 0)
		value = ldexp(fraction, -24);
	else
		value = ldexp(1024 + fraction, exponent - 25);
	return half & 0x8000 ? -value : value;
}

static void
fill_halves(uint16_t *x, int n, Kind kind)
{
	for (int i = 0; i < n; i++)
	{
		uint16_t	sign = unit_random() & 1 ? 0x8000 : 0;

		switch (kind)
		{
			case ZERO:
				x[i] = sign;
				break;
			case CONSTANT:
				x[i] = 0x2e66;
				break;
			case DENORMAL:
				x[i] = (uint16_t) (sign | unit_random() % 1024);
				break;
			case LARGE:
				x[i] = sign | 0x7bff;
				break;
			default:			/* 2^-7 to 2^8 */
				x[i] = (uint16_t) (sign | (0x2000 + unit_random() % 0x3c00));
				break;
		}
	}
	if (n > 0 && kind == WITH_INFINITY)
		x[unit_random() % (uint64_t) n] = unit_random() & 1 ? 0x7c00 : 0xfc00;
	if (n > 0 && kind == WITH_NAN)
		x[unit_random() % (uint64_t) n] = 0x7e01;
}

static void
check_cosine_halves(const uint16_t *a, const uint16_t *b, int n, int where,
					Kind kind, const Totals *t)
{
	KernelCosine got = kernels.cosine_f16(a, b, (size_t) n);
	KernelCosine want = kernels_scalar.cosine_f16(a, b, (size_t) n);

	unit_what = "cosine_f16";
	CHECK_NEAR(got.dot, want.dot, t->dot, n);
	CHECK_NEAR(got.norm_a, want.norm_a, t->norm_a, n);
	CHECK_NEAR(got.norm_b, want.norm_b, t->norm_b, n);
	if (n > 0 && kind == WITH_NAN)
		CHECK(isnan(got.dot) && isnan(got.norm_a), "NaN was lost, n %d", n);
}

static void
check_halves(int n, int where, Kind kind)
{
	uint16_t   *a = place_halves(&arena_a, n, where);
	uint16_t   *b = place_halves(&arena_b, n, where);
	float	   *wide_a = place_floats(&arena_out, n, UNIT_AT_START);
	float	   *wide_b = malloc((size_t) (n + 1) * sizeof(float));
	size_t		len = (size_t) n;
	Totals		t;
	float		got;

	fill_halves(a, n, kind);
	fill_halves(b, n, kind == WITH_INFINITY || kind == WITH_NAN ? RANDOM : kind);
	for (int i = 0; i < n; i++)
	{
		wide_a[i] = (float) value_of_half(a[i]);
		wide_b[i] = (float) value_of_half(b[i]);
	}
	t = total_terms(wide_a, wide_b, n);
	free(wide_b);

	unit_what = "l2sq_f16";
	got = kernels.l2sq_f16(a, b, len);
	CHECK_NEAR(got, kernels_scalar.l2sq_f16(a, b, len), t.l2sq, n);
	CHECK(isnan(got) || kind != WITH_NAN || n == 0, "NaN was lost");
	unit_what = "dot_f16";
	got = kernels.dot_f16(a, b, len);
	CHECK_NEAR(got, kernels_scalar.dot_f16(a, b, len), t.dot, n);
	CHECK(isnan(got) || kind != WITH_NAN || n == 0, "NaN was lost");
	unit_what = "l1_f16";
	got = kernels.l1_f16(a, b, len);
	CHECK_NEAR(got, kernels_scalar.l1_f16(a, b, len), t.l1, n);
	CHECK(isnan(got) || kind != WITH_NAN || n == 0, "NaN was lost");
	check_cosine_halves(a, b, n, where, kind, &t);
}

/* conversions: equal bits, and nothing past the end */
static void
check_conversions(int n, int where, Kind kind)
{
	uint16_t   *half = place_halves(&arena_a, n, where);
	float	   *wide = place_floats(&arena_out, n, where);
	uint16_t   *back = place_halves(&arena_b, n, where);
	void	   *want = malloc((size_t) (n + 1) * sizeof(float));
	float		scale;

	unit_what = "half_to_float";
	fill_halves(half, n, kind);
	kernels.half_to_float(half, (size_t) n, wide);
	kernels_scalar.half_to_float(half, (size_t) n, want);
	CHECK(memcmp(wide, want, (size_t) n * sizeof(float)) == 0,
		  "n %d, place %d, kind %d", n, where, (int) kind);

	/* floats of all sizes, so that some are too large and some too small */
	unit_what = "float_to_half";
	fill_floats(wide, n, kind);
	scale = kind == RANDOM ? ldexpf(1, (int) (unit_random() % 60) - 36) : 1;
	for (int i = 0; i < n; i++)
		wide[i] *= scale;
	kernels.float_to_half(wide, (size_t) n, back);
	kernels_scalar.float_to_half(wide, (size_t) n, want);
	CHECK(memcmp(back, want, (size_t) n * sizeof(uint16_t)) == 0,
		  "n %d, place %d, kind %d", n, where, (int) kind);
	free(want);
}

/*
 * Reversed bytes; each element in turn is one that is not finite.
 */
static void
check_swap(int n, int where, Kind kind)
{
	static const uint8_t bad[][4] = {{0x7f, 0x80}, {0xff, 0x80}, {0x7f, 0xc0},
	{0x7f, 0x80, 0, 1}, {0xff, 0xff, 0xff, 0xff}};
	static const uint8_t bad_half[][2] = {{0x7c}, {0xfc}, {0x7e}, {0x7c, 1}, {0xff, 0xff}};
	static const uint8_t good[][4] = {{0x7f, 0x7f, 0xff, 0xff}, {0xff, 0x7f, 0xff, 0xff},
	{0x80}, {0, 0, 0, 1}, {0}};
	static const uint8_t good_half[][2] = {{0x7b, 0xff}, {0xfb, 0xff}, {0x80}, {0, 1}, {0}};
	uint8_t    *from = unit_place(&arena_a, (size_t) n * 4, where);
	uint8_t    *to = unit_place(&arena_out, (size_t) n * 4, where);

	if (kind != RANDOM)
		return;
	unit_what = "swap_f32";
	for (int i = 0; i < n; i++)
		memcpy(from + 4 * i, good[unit_random() % 5], 4);
	CHECK(kernels.swap_f32(from, (size_t) n, to), "n %d: not finite", n);
	for (int i = 0; i < 4 * n; i++)
		CHECK(to[i] == from[i ^ 3], "n %d, byte %d", n, i);
	for (int i = 0; i < n; i++)
	{
		memcpy(from + 4 * i, bad[i % 5], 4);
		CHECK(!kernels.swap_f32(from, (size_t) n, to), "n %d: %d is finite", n, i);
		CHECK(memcmp(from + 4 * i, (uint8_t[4]) {to[4 * i + 3], to[4 * i + 2],
					 to[4 * i + 1], to[4 * i]}, 4) == 0, "n %d, element %d", n, i);
		memcpy(from + 4 * i, good[i % 5], 4);
	}

	unit_what = "swap_f16";
	from = unit_place(&arena_a, (size_t) n * 2, where);
	to = unit_place(&arena_out, (size_t) n * 2, where);
	for (int i = 0; i < n; i++)
		memcpy(from + 2 * i, good_half[unit_random() % 5], 2);
	CHECK(kernels.swap_f16(from, (size_t) n, to), "n %d: not finite", n);
	for (int i = 0; i < 2 * n; i++)
		CHECK(to[i] == from[i ^ 1], "n %d, byte %d", n, i);
	for (int i = 0; i < n; i++)
	{
		memcpy(from + 2 * i, bad_half[i % 5], 2);
		CHECK(!kernels.swap_f16(from, (size_t) n, to), "n %d: %d is finite", n, i);
		memcpy(from + 2 * i, good_half[i % 5], 2);
	}
}

/* every half: its value, and back */
static void
check_every_half(void)
{
	uint16_t   *half = place_halves(&arena_a, 65536, UNIT_AT_END);
	uint16_t   *back = place_halves(&arena_b, 65536, UNIT_AT_END);
	float	   *wide = place_floats(&arena_out, 65536, UNIT_AT_END);

	for (int i = 0; i < 65536; i++)
		half[i] = (uint16_t) i;
	kernels.half_to_float(half, 65536, wide);
	kernels.float_to_half(wide, 65536, back);
	for (int i = 0; i < 65536; i++)
	{
		double		want = value_of_half(half[i]);

		unit_what = "half_to_float";
		CHECK(isnan(want) ? isnan(wide[i]) :
			  wide[i] == want && !signbit(wide[i]) == !signbit(want),
			  "0x%04x: got %.9g, want %.9g", i, (double) wide[i], want);
		unit_what = "float_to_half";

		/* NaN becomes quiet */
		CHECK(back[i] == (isnan(want) ? i | 0x0200 : i),
			  "0x%04x: got 0x%04x", i, back[i]);
	}
}

/*
 * Half way between a half and the next, of either sign: the even one.  The
 * floats beside that: the nearer one.  Beyond the largest half is infinity, as
 * if it were the next.
 */
static void
check_rounding(uint16_t sign)
{
	enum
	{
		NFINITE = 0x7c00
	};
	float	   *x = place_floats(&arena_a, NFINITE, UNIT_AT_END);
	uint16_t   *got = place_halves(&arena_b, NFINITE, UNIT_AT_END);

	unit_what = "float_to_half";
	for (int beside = -1; beside <= 1; beside++)
	{
		for (int i = 0; i < NFINITE; i++)
		{
			double		next = i + 1 < NFINITE ?
				value_of_half((uint16_t) (i + 1)) : 65536;
			float		middle = (float) ((value_of_half((uint16_t) i) + next) / 2);

			if (beside != 0)
				middle = nextafterf(middle, beside > 0 ? INFINITY : 0);
			x[i] = sign != 0 ? -middle : middle;
		}
		kernels.float_to_half(x, NFINITE, got);
		for (int i = 0; i < NFINITE; i++)
		{
			int			want = beside < 0 ? i : beside > 0 ? i + 1 : i + (i & 1);

			CHECK(got[i] == (sign | want), "%.9g: got 0x%04x, want 0x%04x",
				  (double) x[i], got[i], sign | want);
		}
	}
}

/* ---- Walsh-Hadamard transform ---- */

static void
check_fht(int n, int where, Kind kind)
{
	float	   *x = place_floats(&arena_a, n, where);
	float	   *want = malloc((size_t) n * sizeof(float));
	bool		equal = true;

	unit_what = "fht_f32";
	fill_floats(x, n, kind);
	memcpy(want, x, (size_t) n * sizeof(float));
	kernels.fht_f32(x, (size_t) n);
	kernels_scalar.fht_f32(want, (size_t) n);

	/* equal bits, but for the payload of NaN */
	for (int i = 0; i < n; i++)
		equal &= memcmp(&x[i], &want[i], sizeof(float)) == 0 ||
			(isnan(x[i]) && isnan(want[i]));
	CHECK(equal, "n %d, place %d, kind %d", n, where, (int) kind);
	free(want);
}

/* ---- 8-bit kernels ---- */

static void
check_codes(int n, int where, Kind kind)
{
	float	   *a = place_floats(&arena_out, n, where);
	int8_t	   *x = unit_place(&arena_a, (size_t) n, where);
	int8_t	   *y = unit_place(&arena_b, (size_t) n, where);
	size_t		len = (size_t) n;
	double		total = 0;
	float		got;

	fill_floats(a, n, kind);
	unit_fill_codes(x, len);
	unit_fill_codes(y, len);
	for (int i = 0; i < n; i++)
		total += fabs((double) a[i] * x[i]);

	unit_what = "dot_f32s8";
	got = kernels.dot_f32s8(a, x, len);
	if (kind != LARGE)
		CHECK_NEAR(got, kernels_scalar.dot_f32s8(a, x, len), total, n);
	CHECK(isnan(got) || kind != WITH_NAN || n == 0, "NaN was lost");
	unit_what = "dot_s8";
	CHECK(kernels.dot_s8(x, y, len) == kernels_scalar.dot_s8(x, y, len),
		  "n %d, place %d", n, where);
}

/* n is a multiple of 16 */
static void
check_fine_codes(int n, int where, Kind kind)
{
	float	   *a = place_floats(&arena_out, n, where);
	int8_t	   *high = unit_place(&arena_a, (size_t) n, where);
	uint8_t    *low = unit_place(&arena_b, (size_t) n / 2, where);
	double		total = 0;
	float		got;

	unit_what = "l2sq_f32s12";
	fill_floats(a, n, kind);
	unit_fill_codes(high, (size_t) n);
	for (int i = 0; i < n / 2; i++)
		low[i] = (uint8_t) unit_random();
	for (int i = 0; i < n; i++)
	{
		int			bits = low[i / 16 * 8 + i % 8] >> (i % 16 < 8 ? 0 : 4) & 15;
		double		diff = a[i] - 0.003 * (16 * high[i] + bits - 7.5);

		total += diff * diff;
	}
	got = kernels.l2sq_f32s12(a, high, low, 0.003f, (size_t) n);
	if (kind != LARGE)
		CHECK_NEAR(got, kernels_scalar.l2sq_f32s12(a, high, low, 0.003f,
												   (size_t) n), total, n);
	if (kind == RANDOM)
		CHECK_NEAR(got, (float) total, total, n);
	CHECK(isnan(got) || kind != WITH_NAN || n == 0, "NaN was lost");
}

static void
check_quantize(int n, int where, Kind kind, float inv_scale)
{
	float	   *x = place_floats(&arena_a, n, where);
	int8_t	   *code = unit_place(&arena_out, (size_t) n, where);
	int8_t	   *want_code = malloc((size_t) n + 1);
	float		scale = 1 / inv_scale;
	float		got;
	float		want;
	double		total = 0;

	unit_what = "quantize_s8";
	fill_floats(x, n, kind);

	/* ties, and values beyond the limits */
	for (int i = 0; i < n; i++)
	{
		if (kind == RANDOM && i % 3 == 0)
			x[i] = ((float) (int) (unit_random() % 300) - 150 + 0.5f) * scale;
	}
	got = kernels.quantize_s8(x, (size_t) n, inv_scale, scale, code);
	want = kernels_scalar.quantize_s8(x, (size_t) n, inv_scale, scale,
									  want_code);
	CHECK(memcmp(code, want_code, (size_t) n) == 0,
		  "n %d, place %d, kind %d: codes differ", n, where, (int) kind);
	for (int i = 0; i < n; i++)
	{
		double		diff = x[i] - (double) want_code[i] * scale;

		total += diff * diff;
	}
	CHECK_NEAR(got, want, total, n);
	CHECK(isnan(got) || kind != WITH_NAN || n == 0, "NaN was lost");
	free(want_code);
}

static void
check_quantize_bytes(int n, int where, float inv_scale)
{
	const Kind	kind = RANDOM;
	float	   *x = place_floats(&arena_a, n, where);
	float	   *low = place_floats(&arena_b, n, where);
	uint8_t    *code = unit_place(&arena_out, (size_t) n, where);
	uint8_t    *want_code = malloc((size_t) n + 1);
	float		got;
	float		want;

	unit_what = "quantize_u8";
	fill_floats(low, n, kind);

	/* ties, the limits, and values beyond them */
	for (int i = 0; i < n; i++)
		x[i] = low[i] + (float) ((int) (unit_random() % 600) - 40) / 2 / inv_scale;
	got = kernels.quantize_u8(x, low, (size_t) n, inv_scale, code);
	want = kernels_scalar.quantize_u8(x, low, (size_t) n, inv_scale, want_code);
	CHECK(memcmp(code, want_code, (size_t) n) == 0,
		  "n %d, place %d: codes differ", n, where);
	CHECK_NEAR(got, want, want, n);
	free(want_code);
}

/* ---- residuals ---- */

static void
compare_residuals(KernelResidual got, KernelResidual want,
				  const uint8_t *got_bits, const uint8_t *want_bits,
				  int n, int nbits, int where, Kind kind)
{
	CHECK(memcmp(got_bits, want_bits, (size_t) nbits / 8) == 0,
		  "n %d, bits %d, place %d, kind %d: bits differ",
		  n, nbits, where, (int) kind);

	/* all terms are positive: the sum is the sum of absolute values */
	CHECK_NEAR(got.sum_abs, want.sum_abs, (double) want.sum_abs, n);
	CHECK_NEAR(got.norm2, want.norm2, (double) want.norm2, n);
}

static void
check_residual_s8(int n, int nbits, int where, float scale_a, float scale_c)
{
	int8_t	   *a = unit_place(&arena_a, (size_t) n, where);
	int8_t	   *c = unit_place(&arena_b, (size_t) n, where);
	uint8_t    *bits = unit_place(&arena_out, (size_t) nbits / 8, where);
	uint8_t		want_bits[MAX_DIM / 8];
	KernelResidual got;
	KernelResidual want;

	unit_what = "residual_s8";
	unit_fill_codes(a, (size_t) n);
	unit_fill_codes(c, (size_t) n);
	for (int i = 0; i < n; i += 5)	/* zeros, if the scales are equal */
		c[i] = a[i];
	unit_fill_bytes(bits, (size_t) nbits / 8);
	got = kernels.residual_s8(a, scale_a, c, scale_c, (size_t) n,
							  (size_t) nbits, bits);
	want = kernels_scalar.residual_s8(a, scale_a, c, scale_c, (size_t) n,
									  (size_t) nbits, want_bits);
	compare_residuals(got, want, bits, want_bits, n, nbits, where, RANDOM);
}

static void
check_subtract_s8(int n, int where, float scale, Kind kind)
{
	float	   *q = place_floats(&arena_a, n, where);
	int8_t	   *c = unit_place(&arena_b, (size_t) n, where);
	float	   *r = place_floats(&arena_out, n, where);
	float		want[MAX_DIM];

	unit_what = "subtract_s8";
	fill_floats(q, n, kind);
	unit_fill_codes(c, (size_t) n);
	kernels.subtract_s8(q, c, scale, (size_t) n, r);
	kernels_scalar.subtract_s8(q, c, scale, (size_t) n, want);
	CHECK(kind == WITH_NAN ||
		  memcmp(r, want, sizeof(float) * (size_t) n) == 0,
		  "n %d, place %d, kind %d: differ", n, where, (int) kind);
}

static void
check_residual_f32(int n, int nbits, int where, Kind kind)
{
	float	   *r = place_floats(&arena_a, n, where);
	uint8_t    *bits = unit_place(&arena_out, (size_t) nbits / 8, where);
	uint8_t		want_bits[MAX_DIM / 8];
	KernelResidual got;
	KernelResidual want;

	unit_what = "residual_f32";
	fill_floats(r, n, kind);
	unit_fill_bytes(bits, (size_t) nbits / 8);
	got = kernels.residual_f32(r, (size_t) n, (size_t) nbits, bits);
	want = kernels_scalar.residual_f32(r, (size_t) n, (size_t) nbits,
									   want_bits);
	compare_residuals(got, want, bits, want_bits, n, nbits, where, kind);
	CHECK(isnan(got.norm2) || kind != WITH_NAN || n == 0, "NaN was lost");
}

static void
check_residuals(int n, int where)
{
	int			nbits = n / 32 * 16;

	check_residual_s8(n, n, where, 0.37f, 0.21f);
	check_residual_s8(n, nbits, where, 0.37f, 0.21f);
	check_residual_s8(n, n, where, 0.1f, 0.1f);
	check_residual_s8(n, 0, where, 1, 0);

	/* products that round, so that a fused one would differ in its sign */
	check_residual_s8(n, n, where, 0.1f, nextafterf(0.1f, 1));
	check_residual_s8(n, n, where, 1e-44f, 3e-45f);
	for (Kind kind = 0; kind < NKINDS; kind++)
	{
		check_subtract_s8(n, where, 0.37f, kind);
		check_residual_f32(n, n, where, kind);
		check_residual_f32(n, nbits, where, kind);
	}
}

/* ---- bit kernels ---- */

static void
check_bytes(int n, int where)
{
	uint8_t    *a = unit_place(&arena_a, (size_t) n, where);
	uint8_t    *b = unit_place(&arena_b, (size_t) n, where);
	uint32_t	got[2];
	uint32_t	want[2];

	unit_fill_bytes(a, (size_t) n);
	unit_fill_bytes(b, (size_t) n);
	unit_what = "hamming";
	got[0] = kernels.hamming(a, b, (size_t) n);
	want[0] = kernels_scalar.hamming(a, b, (size_t) n);
	CHECK(got[0] == want[0], "n %d, place %d: got %u, want %u",
		  n, where, got[0], want[0]);
	unit_what = "jaccard";
	kernels.jaccard(a, b, (size_t) n, &got[0], &got[1]);
	kernels_scalar.jaccard(a, b, (size_t) n, &want[0], &want[1]);
	CHECK(got[0] == want[0] && got[1] == want[1],
		  "n %d, place %d: got %u and %u, want %u and %u",
		  n, where, got[0], got[1], want[0], want[1]);
}

/* the last code ends where the arena ends; 'gap' bytes are between codes */
static void
check_sum_bits(int n, int ncodes, int gap, int where)
{
	size_t		stride = (size_t) n / 8 + (size_t) gap;
	size_t		bytes = ncodes == 0 ? 0 : (size_t) (ncodes - 1) * stride +
		(size_t) n / 8;
	int8_t	   *q = unit_place(&arena_a, (size_t) n, where);
	uint8_t    *codes = unit_place(&arena_b, bytes, where);
	int32_t    *sums;
	int32_t		want[64];

	unit_what = "sum_bits_s8";
	sums = unit_place(&arena_out, (size_t) ncodes * sizeof(int32_t),
					  where > 0 ? where & ~3 : where);
	unit_fill_codes(q, (size_t) n);
	unit_fill_bytes(codes, bytes);
	kernels.sum_bits_s8(q, codes, stride, ncodes, (size_t) n, sums);
	kernels_scalar.sum_bits_s8(q, codes, stride, ncodes, (size_t) n, want);
	CHECK(memcmp(sums, want, (size_t) ncodes * sizeof(int32_t)) == 0,
		  "n %d, codes %d, gap %d, place %d", n, ncodes, gap, where);
}

/* sums as large as they get: no accumulator may overflow */
static void
check_extremes(int8_t value)
{
	int8_t	   *q = unit_place(&arena_a, MAX_DIM, UNIT_AT_END);
	int8_t	   *x = unit_place(&arena_b, MAX_DIM, UNIT_AT_END);
	uint8_t    *bits = (uint8_t *) x;
	int32_t		sums[5];

	memset(q, value, MAX_DIM);
	memset(x, 127, MAX_DIM);
	unit_what = "dot_s8";
	CHECK(kernels.dot_s8(q, x, MAX_DIM) == MAX_DIM * 127 * value, "127 * %d",
		  value);
	unit_what = "sum_bits_s8";
	memset(bits, 255, MAX_DIM / 8);
	kernels.sum_bits_s8(q, bits, 0, 5, MAX_DIM, sums);
	for (int i = 0; i < 5; i++)
		CHECK(sums[i] == MAX_DIM * value, "code %d: %d", i, sums[i]);
	unit_what = "hamming";
	memset(q, 0, MAX_DIM / 8);
	CHECK(kernels.hamming((uint8_t *) q, bits, MAX_DIM / 8) == MAX_DIM,
		  "all bits differ");
}

/* ---- runs ---- */

static void
test_lengths(void)
{
	for (int i = 0; i < NLENGTHS; i++)
	{
		int			n = length_of(i);

		for (int j = 0; j < places_for(n); j++)
		{
			int			where = place_of(j);

			for (Kind kind = 0; kind < NKINDS; kind++)
			{
				check_floats(n, where, kind);
				check_halves(n, where, kind);
				check_conversions(n, where, kind);
				check_swap(n, where, kind);
				check_codes(n, where, kind);
				if (n % 16 == 0)
					check_fine_codes(n, where, kind);
				check_quantize(n, where, kind, 40);
				check_quantize_bytes(n, where, 40);
			}
			check_bytes(n, where);
		}
	}
}

/* kernels that take lengths of a kind only */
static void
test_units(void)
{
	static const int dims[] = {
		0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 192, 208, 240, 256, 272,
		384, 400, 784, 1008, 1536, 4096, 4112, 8208, 16000
	};

	for (size_t i = 0; i < sizeof(dims) / sizeof(dims[0]); i++)
	{
		int			n = dims[i];
		int			nplaces = n == 48 || n == 64 || n == 112 ? 65 : 2;

		for (int j = 0; j < nplaces; j++)
		{
			check_residuals(n, place_of(j));
			for (int ncodes = 0; ncodes <= 9; ncodes++)
				check_sum_bits(n, ncodes, ncodes % 7, place_of(j));
			check_sum_bits(n, 28, 4, place_of(j));
			check_sum_bits(n, 43, 4, place_of(j));
		}
	}
	for (int n = 1; n <= 16384; n *= 2)
	{
		for (int j = 0; j < (n <= 64 ? 65 : 2); j++)
		{
			for (Kind kind = 0; kind < NKINDS; kind++)
				check_fht(n, place_of(j), kind);
		}
	}
	check_every_half();
	check_rounding(0);
	check_rounding(0x8000);
	check_extremes(127);
	check_extremes(-127);
}

/* the entry at that offset of the tables of the instruction set, or NULL */
static void *
compiled_entry(const char *isa, size_t at)
{
	void	   *entry = NULL;

	for (const Kernels *const *table = kernel_tables(isa); *table != NULL; table++)
	{
		void	   *own;

		memcpy(&own, (const char *) *table + at, sizeof(own));
		CHECK(at == 0 || own == NULL || entry == NULL,
			  "entry %zu in two tables", at / sizeof(void *));
		entry = own != NULL ? own : entry;
	}
	return entry;
}

/* every entry in use is the set's own, or scalar where it has none */
static void
check_entries(void)
{
	unit_what = "entries";
	for (size_t at = 0; at < sizeof(Kernels); at += sizeof(void *))
	{
		void	   *want = compiled_entry(unit_isa, at);

		if (want == NULL)
			memcpy(&want, (const char *) &kernels_scalar + at, sizeof(want));
		CHECK(memcmp((const char *) &kernels + at, &want, sizeof(want)) == 0,
			  "entry %zu", at / sizeof(void *));
	}
}

static void
test_table(void)
{
	check_entries();
	test_lengths();
	test_sparse();
	test_units();
}

/* the definition, against results worked out by hand */
static void
test_scalar_floats(void)
{
	const Kernels *k = &kernels_scalar;
	const float a[] = {1, -2, 3, 0};
	const float b[] = {4, 2, -1, 5};
	const int32_t at_a[] = {0, 3, 4, 1000000000};
	const int32_t at_b[] = {1, 3, 1000000000, 1000000001};
	const int8_t s[] = {2, -3, 127, 1};

	/* steps of 2: 17 and -13 in byte 0, -77 in byte 7, all others -15 */
	const float fine_q[16] = {18, [7] = -77.5f,[8] = -11};
	const int8_t fine_high[16] = {1, [7] = -2};
	const uint8_t fine_low[8] = {0x10, [7] = 0x01};
	float		x[] = {1, 2, 3, 4};
	const float low[] = {1, 2, 3, 4};
	const float wide[] = {0.5f, 1.5f, -2.5f, 1000, -INFINITY, NAN, 3};
	const int8_t rounded[] = {0, 2, -2, 127, -127, -127, 3};
	int8_t		code[7];
	uint8_t		bytes[4];
	KernelCosine cosine = k->cosine_f32(a, b, 4);

	unit_isa = "scalar";
	unit_what = "by hand";
	CHECK(k->l2sq_f32(a, b, 4) == 9 + 16 + 16 + 25, "l2sq_f32");
	CHECK(k->dot_f32(a, b, 4) == 4 - 4 - 3, "dot_f32");
	CHECK(k->l1_f32(a, b, 4) == 3 + 4 + 4 + 5, "l1_f32");
	CHECK(cosine.dot == -3 && cosine.norm_a == 14 && cosine.norm_b == 46,
		  "cosine_f32");
	CHECK(k->dot_sparse(at_a, a, 3, at_b, b, 4) == -4, "dot_sparse");
	CHECK(k->dot_sparse(at_a, b, 4, at_b, a, 4) == -4 + 15, "dot_sparse");
	CHECK(k->dot_f32s8(a, s, 4) == 2 + 6 + 381, "dot_f32s8");
	CHECK(k->l2sq_f32s12(fine_q, fine_high, fine_low, 2, 16) ==
		  1 + 0.25f + 4 + 13 * 225, "l2sq_f32s12");
	CHECK(k->max_abs_f32(a, 4) == 3, "max_abs_f32");
	CHECK(k->max_abs_f32(wide, 4) == 1000, "max_abs_f32");
	CHECK(k->max_abs_f32(wide + 5, 2) == 3, "max_abs_f32 with NaN");
	k->fht_f32(x, 4);
	CHECK(x[0] == 10 && x[1] == -2 && x[2] == -4 && x[3] == 0, "fht_f32");
	k->quantize_s8(wide, 7, 1, 1, code);
	CHECK(memcmp(code, rounded, 7) == 0, "quantize_s8: codes");
	CHECK(k->quantize_s8(wide, 4, 1, 1, code) == 0.75f + 873 * 873,
		  "quantize_s8: error");

	/* -1, -1, -11 and 1992: what is outside is 1, 1, 11 and 1737 */
	CHECK(k->quantize_u8(wide, low, 4, 2, bytes) == 1 + 1 + 11 + 1737 &&
		  bytes[0] == 0 && bytes[2] == 0 && bytes[3] == 255,
		  "quantize_u8: below and above");

	/* 0.5 and 2.5 */
	CHECK(k->quantize_u8(&low[0], &wide[0], 1, 1, &bytes[0]) == 0 &&
		  k->quantize_u8(&low[2], &wide[0], 1, 1, &bytes[1]) == 0 &&
		  bytes[0] == 0 && bytes[1] == 2, "quantize_u8: ties");
}

static void
test_scalar_halves(void)
{
	const Kernels *k = &kernels_scalar;
	const uint16_t a[] = {0x3c00, 0xc000, 0x4200, 0x8000};	/* 1, -2, 3, -0 */
	const uint16_t b[] = {0x4400, 0x4000, 0xbc00, 0x4500};	/* 4, 2, -1, 5 */
	const float x[] = {
		0.1f, -65504, 65519.996f, 65520, -INFINITY, 0x1p-24f, 0x1p-25f,
		-0x1.8p-24f, 0x1.ffcp-15f, 1e-30f, 2049, 2051
	};
	const uint16_t want[] = {
		0x2e66, 0xfbff, 0x7bff, 0x7c00, 0xfc00, 0x0001, 0x0000,
		0x8002, 0x0400, 0x0000, 0x6800, 0x6802
	};
	const float wide[] = {1, -2, 3, -0.0f};
	uint16_t	half[12];
	float		back[4];
	KernelCosine cosine = k->cosine_f16(a, b, 4);

	CHECK(k->l2sq_f16(a, b, 4) == 9 + 16 + 16 + 25, "l2sq_f16");
	CHECK(k->dot_f16(a, b, 4) == 4 - 4 - 3, "dot_f16");
	CHECK(k->l1_f16(a, b, 4) == 3 + 4 + 4 + 5, "l1_f16");
	CHECK(cosine.dot == -3 && cosine.norm_a == 14 && cosine.norm_b == 46,
		  "cosine_f16");
	k->float_to_half(x, 12, half);
	for (int i = 0; i < 12; i++)
		CHECK(half[i] == want[i], "float_to_half: %.9g gives 0x%04x",
			  (double) x[i], half[i]);
	k->half_to_float(a, 4, back);
	CHECK(memcmp(back, wide, sizeof(back)) == 0, "half_to_float");
}

static void
test_scalar_integers(void)
{
	const Kernels *k = &kernels_scalar;
	const int8_t s[16] = {2, -3, 127, 1, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, -7};
	const int8_t c[16] = {1, -4, 127, 0, 5};
	const uint8_t codes[] = {0x05, 0x80, 0x02, 0x01};
	int32_t		sums[2];
	uint32_t	both;
	float		q[16];
	uint32_t	either;
	uint8_t		bits[2];
	KernelResidual r;

	CHECK(k->dot_s8(s, c, 16) == 2 + 12 + 127 * 127, "dot_s8");
	k->sum_bits_s8(s, codes, 2, 2, 16, sums);
	CHECK(sums[0] == 2 + 127 - 7 && sums[1] == -3 + 10, "sum_bits_s8");
	CHECK(k->hamming(codes, codes + 2, 2) == 5, "hamming");
	for (int i = 0; i < 16; i++)
		q[i] = (float) i;
	k->subtract_s8(q, c, 0.5f, 16, q);
	for (int i = 0; i < 16; i++)
		CHECK(q[i] == i - 0.5f * c[i], "subtract_s8: %d", i);
	k->jaccard(codes, (const uint8_t *) "\x04\x81", 2, &both, &either);
	CHECK(both == 2 && either == 4, "jaccard");

	/* residuals 1.5, -1, 127 - 63.5, 1, -2.5, 0 ..., 10, ..., -7 */
	r = k->residual_s8(s, 1, c, 0.5f, 16, 16, bits);
	CHECK(bits[0] == 0x0d && bits[1] == 0x01, "residual_s8: %x %x",
		  bits[0], bits[1]);
	CHECK(r.sum_abs == 1.5f + 1 + 63.5f + 1 + 2.5f + 10 + 7,
		  "residual_s8: sum_abs");
	CHECK(r.norm2 == 2.25f + 1 + 63.5f * 63.5f + 1 + 6.25f + 100 + 49,
		  "residual_s8: norm2");
}

static void
test_choice(void)
{
	Kernels		before;

	unit_isa = "";
	unit_what = "kernel_choose";
	CHECK(strcmp(kernels.isa, "scalar") == 0, "not scalar at the start");
	CHECK(kernels.dot_f32 == kernels_scalar.dot_f32, "no scalar entry");
	CHECK(kernel_choose(NULL), "refused");
	before = kernels;
	CHECK(kernel_choose("auto"), "refused");
	CHECK(memcmp(&before, &kernels, sizeof(Kernels)) == 0, "auto is not NULL");
	CHECK(!kernel_choose("none"), "accepted an unknown table");
	CHECK(!kernel_choose(""), "accepted an empty name");
	CHECK(memcmp(&before, &kernels, sizeof(Kernels)) == 0, "changed");
	CHECK(kernel_supported("scalar") && !kernel_supported("none") &&
		  !kernel_supported(NULL), "kernel_supported");

	/* tables are listed worst first, and neon never beside the others */
	for (int i = 0; i < UNIT_NTABLES; i++)
	{
		if (kernel_supported(unit_tables[i]))
			unit_isa = unit_tables[i];
		else
			CHECK(!kernel_choose(unit_tables[i]), "accepted %s", unit_tables[i]);
	}
	CHECK(strcmp(before.isa, unit_isa) == 0, "%s is not the best", before.isa);
}

int
main(void)
{
	arena_a = unit_arena(MAX_DIM * sizeof(float) + 64);
	arena_b = unit_arena(MAX_DIM * sizeof(float) + 64);
	arena_out = unit_arena(MAX_DIM * sizeof(float) + 64);
	arena_at_a = unit_arena(MAX_DIM * sizeof(float) + 64);
	arena_at_b = unit_arena(MAX_DIM * sizeof(float) + 64);

	test_choice();
	test_scalar_floats();
	test_scalar_halves();
	test_scalar_integers();
	unit_each_table(test_table);
	return unit_finish();
}
