/*-------------------------------------------------------------------------
 *
 * quant_own_test.c
 *	  Is the error of an own code never above the stated one, and are its
 *	  distances those of the decoded vectors?
 *
 * IDENTIFICATION
 *	  test/unit/quant_own_test.c
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>

#include "quant/quant_own.h"
#include "unit.h"

#define MAX_DIM		16000

static UnitArena arena_y;
static UnitArena arena_a;
static UnitArena arena_b;

/* what vectors look like; the last two kinds have no finite length */
typedef enum
{
	GAUSS,
	CONSTANT,
	ONE_HOT,
	HUGE_CONSTANT,				/* 1e38 */
	HUGE_GAUSS,
	TINY_CONSTANT,				/* 1e-38 */
	TINY_GAUSS,
	NEAR_TINY,					/* where 127 / max is about FLT_MAX */
	DENORMAL,
	SMALL,						/* squares underflow */
	SPREAD,						/* magnitudes from 1e-30 to 1e30 */
	ON_TIES,					/* halfway between two codes */
	ZERO,
	WITH_INFINITY,
	WITH_NAN,
	NKINDS
} Kind;

#define FIRST_NOT_FINITE	WITH_INFINITY

static float
element(Kind kind, int i, int hot)
{
	switch (kind)
	{
		case CONSTANT:
			return 0.3f;
		case ONE_HOT:
			return i == hot ? -3.3f : 0;
		case HUGE_CONSTANT:
			return 1e38f;
		case HUGE_GAUSS:
			return (float) (unit_gauss() * 3e37);
		case TINY_CONSTANT:
			return 1e-38f;
		case TINY_GAUSS:
			return (float) (unit_gauss() * 1e-38);
		case NEAR_TINY:
			return (float) (unit_gauss() * 2e-37);
		case DENORMAL:
			return (float) (unit_gauss() * 1e-43);
		case SMALL:
			return (float) (unit_gauss() * 1e-20);
		case SPREAD:
			return (float) (unit_gauss() * pow(10, 60 * unit_uniform() - 30));
		case ON_TIES:
			return i == hot ? 127 : (float) (unit_random() % 254) - 126.5f;
		case ZERO:
			return unit_random() & 1 ? 0.0f : -0.0f;
		case WITH_INFINITY:
			return i == hot ? INFINITY : (float) unit_gauss();
		case WITH_NAN:
			return i == hot ? NAN : (float) unit_gauss();
		default:
			return (float) unit_gauss();
	}
}

static void
fill(float *y, int n, Kind kind)
{
	int			hot = (int) (unit_random() % (uint64_t) n);

	for (int i = 0; i < n; i++)
		y[i] = element(kind, i, hot);
}

/* an own code that ends at a page nobody may touch; rdim is a multiple of 4 */
static QuantOwn *
place_own(const UnitArena *arena, int rdim)
{
	return unit_place(arena, quant_own_bytes(rdim), UNIT_AT_END);
}

/* |y - scale * code| */
static double
true_error(const float *y, const QuantOwn *own, int rdim)
{
	long double sum = 0;

	for (int i = 0; i < rdim; i++)
	{
		long double diff = y[i] - (long double) own->scale * own->code[i];

		sum += diff * diff;
	}
	return (double) sqrtl(sum);
}

static void
check_fields(const QuantOwn *own, int rdim, Kind kind)
{
	double		norm2 = 0;
	bool		in_range = true;

	for (int i = 0; i < rdim; i++)
	{
		norm2 += (double) own->scale * own->scale * own->code[i] * own->code[i];
		in_range &= own->code[i] >= -127;
	}
	CHECK(in_range, "rdim %d, kind %d: code -128", rdim, (int) kind);
	CHECK(own->scale >= 0 && own->scale <= FLT_MAX,
		  "rdim %d, kind %d: %g", rdim, (int) kind, own->scale);
	CHECK(own->error >= 0 && own->error <= FLT_MAX,
		  "rdim %d, kind %d: %g", rdim, (int) kind, own->error);
	CHECK(own->norm2 >= 0 && own->norm2 <= FLT_MAX,
		  "rdim %d, kind %d: %g", rdim, (int) kind, own->norm2);
	if (norm2 < FLT_MAX)
		CHECK(fabs(own->norm2 - norm2) <= 1e-7 * norm2 + 1e-44,
			  "rdim %d, kind %d: %g, want %g",
			  rdim, (int) kind, own->norm2, norm2);
	else
		CHECK(own->norm2 == FLT_MAX, "rdim %d, kind %d", rdim, (int) kind);
}

/* the bound is one, and is not much above the error */
static void
check_error(const float *y, const QuantOwn *own, int rdim, float slack,
			Kind kind)
{
	double		error = true_error(y, own, rdim);
	double		length = sqrt(unit_l2sq(y, NULL, rdim));
	double		spare = 2e-3 * error + 2e-7 * length + 1e-44;

	CHECK(own->error >= error + slack || own->error == FLT_MAX,
		  "rdim %d, kind %d: %.9g, is %.9g", rdim, (int) kind, own->error, error);
	if (kind >= FIRST_NOT_FINITE)
		CHECK(own->error == FLT_MAX, "rdim %d, kind %d", rdim, (int) kind);
	else
		CHECK(own->error <= error + slack + spare + 2e-7 * slack,
			  "rdim %d, kind %d: %.9g, is %.9g",
			  rdim, (int) kind, own->error, error);

	/* half a step a dimension, when steps can be represented */
	if (kind < FIRST_NOT_FINITE && own->scale > FLT_MIN)
		CHECK(error <= own->scale * 0.5001 * sqrt(rdim),
			  "rdim %d, kind %d: %g, step %g", rdim, (int) kind, error, own->scale);
}

/* the same of a fine code, and what it adds to its own code */
static void
check_fine(const float *y, const QuantOwn *own, int rdim, float slack,
		   Kind kind)
{
	QuantFine  *fine = unit_place(&arena_b, quant_fine_bytes(rdim),
								  UNIT_AT_END);
	float		step = own->scale / 16;
	long double sum = 0;
	double		length = sqrt(unit_l2sq(y, NULL, rdim));
	double		error;
	float		got;

	unit_what = "quant_fine_encode";
	quant_fine_encode(y, rdim, slack, own, fine);
	for (int i = 0; i < rdim; i++)
	{
		long double diff = y[i] -
			(long double) step * (quant_fine_code(own, fine, i) - 7.5L);

		sum += diff * diff;
	}
	error = (double) sqrtl(sum);
	CHECK(fine->error >= error + slack || fine->error == FLT_MAX,
		  "rdim %d, kind %d: %.9g, is %.9g", rdim, (int) kind, fine->error,
		  error);
	if (kind >= FIRST_NOT_FINITE)
	{
		CHECK(fine->error == FLT_MAX, "rdim %d, kind %d", rdim, (int) kind);
		return;
	}
	CHECK(fine->error <= error + slack + 1e-6 * error + 2e-7 * length +
		  2e-7 * slack + 1e-44, "rdim %d, kind %d: %.9g, is %.9g",
		  rdim, (int) kind, fine->error, error);
	if (own->scale > 1e-30f)
		CHECK(error <= step * 0.5001 * sqrt(rdim),
			  "rdim %d, kind %d: %g, step %g", rdim, (int) kind, error, step);

	unit_what = "quant_fine_l2sq";
	got = quant_fine_l2sq(y, own, fine, rdim);
	if (length < 1e18 && length > 1e-15)
		CHECK(fabs(sqrt(got) - error) <= 1e-5 * error + 2e-7 * length,
			  "rdim %d, kind %d: %g, want %g", rdim, (int) kind, sqrt(got),
			  error);
}

static void
check_kind(int rdim, Kind kind)
{
	static const float slacks[] = {0, 1e-3f, 1e-30f, 1e30f};
	float	   *y = unit_place(&arena_y, (size_t) rdim * sizeof(float),
							   UNIT_AT_END);
	QuantOwn   *own = place_own(&arena_a, rdim);

	unit_what = "quant_own_encode";
	for (int i = 0; i < 4; i++)
	{
		fill(y, rdim, kind);
		quant_own_encode(y, rdim, slacks[i], own);
		check_fields(own, rdim, kind);
		check_error(y, own, rdim, slacks[i], kind);
		check_fine(y, own, rdim, slacks[i], kind);
		unit_what = "quant_own_encode";
		if (kind == ZERO)
			CHECK(own->scale == 0 && own->norm2 == 0 &&
				  (own->error == 0) == (slacks[i] == 0), "rdim %d", rdim);
	}
}

/* distances against those of the decoded vectors, in double */
static void
check_distances(int rdim, Kind kind_a, Kind kind_b)
{
	static float decoded_a[MAX_DIM];
	static float decoded_b[MAX_DIM];
	float	   *y = unit_place(&arena_y, (size_t) rdim * sizeof(float),
							   UNIT_AT_END);
	QuantOwn   *a = place_own(&arena_a, rdim);
	QuantOwn   *b = place_own(&arena_b, rdim);
	double		l2sq;
	double		norms;
	double		terms = 0;
	float		got;

	fill(y, rdim, kind_a);
	quant_own_encode(y, rdim, 0, a);
	fill(y, rdim, kind_b);
	quant_own_encode(y, rdim, 0, b);
	quant_own_decode(a, rdim, decoded_a);
	quant_own_decode(b, rdim, decoded_b);
	l2sq = unit_l2sq(decoded_a, decoded_b, rdim);
	norms = unit_l2sq(decoded_a, NULL, rdim) + unit_l2sq(decoded_b, NULL, rdim);

	unit_what = "quant_own_l2sq";
	got = quant_own_l2sq(a, b, rdim);
	CHECK(got >= 0 && got <= FLT_MAX, "rdim %d, kinds %d %d: %g",
		  rdim, (int) kind_a, (int) kind_b, got);
	if (norms < FLT_MAX / 4)
		CHECK(fabs(got - l2sq) <= 1e-6 * norms + 1e-44,
			  "rdim %d, kinds %d %d: %g, want %g",
			  rdim, (int) kind_a, (int) kind_b, got, l2sq);
	CHECK(got == quant_own_l2sq(b, a, rdim), "rdim %d: not symmetric", rdim);
	got = quant_own_l2sq(a, a, rdim);
	CHECK(got >= 0 && (got <= 1e-6 * norms + 1e-44 || a->norm2 == FLT_MAX),
		  "rdim %d, kind %d: %g to itself", rdim, (int) kind_a, got);

	unit_what = "quant_own_dot";
	if (kind_b >= FIRST_NOT_FINITE || norms > FLT_MAX / 1e4)
		return;
	for (int i = 0; i < rdim; i++)
		terms += fabs((double) y[i] * decoded_a[i]);
	got = quant_own_dot(y, a, rdim);
	CHECK(fabs(got - unit_dot(y, decoded_a, rdim)) <=
		  (1e-5 + rdim / 16777216.0) * terms + rdim * 1e-43,
		  "rdim %d, kinds %d %d: %g, want %g", rdim, (int) kind_a,
		  (int) kind_b, got, unit_dot(y, decoded_a, rdim));
}

static void
check_decode(void)
{
	static const float y[] = {127, -127, 0, 1, 63, -1.4f, 1.6f, 0.5f};
	static const float want[] = {127, -127, 0, 1, 63, -1, 2, 0};
	float		memory[8];
	float		back[8];
	QuantOwn   *own = (QuantOwn *) memory;

	unit_what = "quant_own_decode";
	quant_own_encode(y, 8, 0, own);
	quant_own_decode(own, 8, back);
	CHECK(own->scale == 1, "%g", own->scale);
	CHECK(memcmp(back, want, sizeof(want)) == 0, "codes by hand");
	CHECK(own->norm2 == 2 * 127 * 127 + 1 + 63 * 63 + 1 + 4, "%g", own->norm2);
	CHECK(fabs(own->error - sqrt(0.16 + 0.16 + 0.25)) < 1e-4, "%g", own->error);
}

static void
test_table(void)
{
	static const int rdims[] = {64, 80, 112, 384, 784, 1008, 1536, 16000};

	for (int i = 0; i < 8; i++)
	{
		int			rounds = rdims[i] <= 112 ? 20 : 3;

		for (Kind kind = 0; kind < NKINDS; kind++)
		{
			for (int round = 0; round < rounds; round++)
				check_kind(rdims[i], kind);
			for (Kind other = 0; other < NKINDS; other++)
				check_distances(rdims[i], kind, other);
		}
	}
	check_decode();
}

int
main(void)
{
	arena_y = unit_arena(MAX_DIM * sizeof(float));
	arena_a = unit_arena(quant_own_bytes(MAX_DIM));
	arena_b = unit_arena(quant_own_bytes(MAX_DIM));
	unit_what = "layout";
	CHECK(quant_own_bytes(784) == 796, "quant_own_bytes");
	CHECK(quant_fine_bytes(784) == 396, "quant_fine_bytes");
	CHECK(offsetof(QuantOwn, scale) == 0 && offsetof(QuantOwn, norm2) == 4 &&
		  offsetof(QuantOwn, error) == 8 &&
		  offsetof(QuantOwn, code) == QUANT_OWN_HEADER, "offsets");
	unit_each_table(test_table);
	return unit_finish();
}
