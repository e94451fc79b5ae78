/*-------------------------------------------------------------------------
 *
 * quant_rotate_test.c
 *	  Is the rotation orthogonal, exact enough, random enough, and everywhere
 *	  the same?
 *
 * IDENTIFICATION
 *	  test/unit/quant_rotate_test.c
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>

#include "quant/quant_rotate.h"
#include "unit.h"

#define MAX_DIM		16000

static UnitArena arena_space;
static UnitArena arena_in;
static UnitArena arena_out;

/* what vectors look like */
typedef enum
{
	GAUSS,
	CONSTANT,
	ONE_HOT,
	SPREAD,						/* magnitudes from 1e-20 to 1e20 */
	POSITIVE,
	NKINDS
} Kind;

static void
fill(float *x, int n, Kind kind)
{
	int			hot = (int) (unit_random() % (uint64_t) n);

	for (int i = 0; i < n; i++)
	{
		switch (kind)
		{
			case CONSTANT:
				x[i] = 0.3f;
				break;
			case ONE_HOT:
				x[i] = i == hot ? 7.7f : 0;
				break;
			case SPREAD:
				x[i] = (float) (unit_gauss() * pow(10, 40 * unit_uniform() - 20));
				break;
			case POSITIVE:
				x[i] = (float) unit_uniform();
				break;
			default:
				x[i] = (float) unit_gauss();
				break;
		}
	}
}

/* a rotation whose space and output end at a page nobody may touch */
static void
init_rotation(QuantRotation *rotation, int dim, uint64_t seed)
{
	size_t		bytes = quant_rotation_bytes(dim);

	quant_rotation_init(rotation, dim, seed,
						unit_place(&arena_space, bytes, UNIT_AT_END));
}

/*
 * The rotation by its definition, in double: signs, then the transform of a
 * block, then the mixing, each with its own scale.
 */
static void
rotate_exactly(const QuantRotation *rotation, const float *in, double *x)
{
	int			rdim = rotation->rdim;
	int			block = rotation->block;

	for (int i = 0; i < rdim; i++)
		x[i] = i < rotation->dim ? in[i] : 0;
	for (int round = 0; round < QUANT_ROUNDS; round++)
	{
		double	   *y = x + (round % 2 == 0 ? 0 : rdim - block);

		for (int i = 0; i < rdim; i++)
			x[i] *= rotation->signs[round * rdim + i] < 0 ? -1 : 1;
		for (int h = 1; h < block; h *= 2)
		{
			for (int i = 0; i < block; i++)
			{
				double		a = y[i];
				double		b = y[i ^ h];

				if (i & h)
					continue;
				y[i] = a + b;
				y[i ^ h] = a - b;
			}
		}
		for (int i = 0; i < block; i++)
			y[i] /= sqrt(block);
		for (int i = 0; i < rdim / 2 && round % 2 == 1 && block < rdim; i++)
		{
			double		a = x[i];
			double		b = x[i + rdim / 2];

			x[i] = (a + b) * sqrt(0.5);
			x[i + rdim / 2] = (a - b) * sqrt(0.5);
		}
	}
}

/* lengths, inner products and the stated error of one pair of vectors */
static void
check_pair(const QuantRotation *rotation, Kind kind)
{
	static double want[MAX_DIM];
	static float ra[MAX_DIM];
	int			dim = rotation->dim;
	int			rdim = rotation->rdim;
	size_t		bytes = (size_t) dim * sizeof(float);
	float	   *a = unit_place(&arena_in, 2 * bytes, UNIT_AT_END);
	float	   *b = a + dim;
	float	   *rb = unit_place(&arena_out, (size_t) rdim * sizeof(float),
								UNIT_AT_END);
	double		norm_a;
	double		norm_b;
	double		error = 0;

	fill(a, dim, kind);
	fill(b, dim, kind);
	norm_a = sqrt(unit_l2sq(a, NULL, dim));
	norm_b = sqrt(unit_l2sq(b, NULL, dim));
	quant_rotate(rotation, b, rb);
	quant_rotate(rotation, a, ra);

	rotate_exactly(rotation, b, want);
	for (int i = 0; i < rdim; i++)
		error += (rb[i] - want[i]) * (rb[i] - want[i]);
	CHECK(sqrt(error) <= QUANT_ROTATE_ERROR * norm_b,
		  "dim %d, kind %d: error %g", dim, (int) kind, sqrt(error) / norm_b);
	CHECK(fabs(sqrt(unit_l2sq(rb, NULL, rdim)) - norm_b) <=
		  QUANT_ROTATE_ERROR * norm_b, "dim %d, kind %d: length", dim, (int) kind);
	CHECK(fabs(unit_dot(ra, rb, rdim) - unit_dot(a, b, dim)) <=
		  2.01 * QUANT_ROTATE_ERROR * norm_a * norm_b,
		  "dim %d, kind %d: inner product", dim, (int) kind);
}

/*
 * Coordinates look like Gaussian noise, for vectors that do not: none is
 * larger than noise gets, and the fourth moment is near 3.
 */
static void
check_noise(const QuantRotation *rotation, Kind kind)
{
	int			dim = rotation->dim;
	int			rdim = rotation->rdim;
	float	   *a = unit_place(&arena_in, (size_t) dim * sizeof(float),
							   UNIT_AT_END);
	float	   *ra = unit_place(&arena_out, (size_t) rdim * sizeof(float),
								UNIT_AT_END);
	double		deviation;
	double		largest = 0;
	double		fourth = 0;

	fill(a, dim, kind);
	quant_rotate(rotation, a, ra);
	deviation = sqrt(unit_l2sq(ra, NULL, rdim) / rdim);
	for (int i = 0; i < rdim; i++)
	{
		double		y = fabs(ra[i]) / deviation;

		largest = y > largest ? y : largest;
		fourth += y * y * y * y / rdim;
	}

	/* 2 exp(-6^2 / 2) * 16000 is below 5e-4 */
	CHECK(largest < 6, "dim %d, kind %d: largest %g", dim, (int) kind, largest);
	CHECK(fabs(fourth - 3) < 6 * sqrt(96.0 / rdim),
		  "dim %d, kind %d: fourth moment %g", dim, (int) kind, fourth);
}

static void
test_dims(void)
{
	static const int more[] = {
		255, 256, 257, 384, 511, 513, 768, 784, 1000, 1024, 1025, 1536, 1999,
		2000, 4000, 8191, 8192, 8193, 16000
	};
	int			nmore = (int) (sizeof(more) / sizeof(more[0]));

	for (int i = 1; i <= 130 + nmore; i++)
	{
		int			dim = i <= 130 ? i : more[i - 131];
		QuantRotation rotation;

		unit_what = "quant_rotate";
		init_rotation(&rotation, dim, (uint64_t) i);
		CHECK(rotation.rdim == quant_rotated_dim(dim), "dim %d", dim);
		CHECK(rotation.rdim >= dim && rotation.rdim % 16 == 0 &&
			  rotation.rdim >= QUANT_MIN_RDIM, "dim %d: %d", dim, rotation.rdim);
		CHECK(rotation.rdim == QUANT_MIN_RDIM || rotation.rdim - dim < 16,
			  "dim %d: %d", dim, rotation.rdim);
		CHECK(rotation.block <= rotation.rdim &&
			  rotation.block * 2 > rotation.rdim, "dim %d", dim);
		for (Kind kind = 0; kind < NKINDS; kind++)
			check_pair(&rotation, kind);
		check_noise(&rotation, CONSTANT);
		check_noise(&rotation, ONE_HOT);
	}
}

/*
 * Codes on disk outlive the machine that made them, so one seed must mean one
 * rotation for ever, under every table.  The sums were taken when the format
 * was fixed.
 */
static uint64_t
hash_rotation(int dim, uint64_t seed)
{
	QuantRotation rotation;
	float	   *in = unit_place(&arena_in, (size_t) dim * sizeof(float),
								UNIT_AT_END);
	float	   *out;
	uint64_t	hash = UINT64_C(0xcbf29ce484222325);

	init_rotation(&rotation, dim, seed);
	out = unit_place(&arena_out, (size_t) rotation.rdim * sizeof(float),
					 UNIT_AT_END);
	for (int i = 0; i < dim; i++)
		in[i] = (float) (i * 37 % 101 - 50) / 7;
	quant_rotate(&rotation, in, out);
	for (int i = 0; i < rotation.rdim; i++)
	{
		uint32_t	bits;

		memcpy(&bits, &out[i], sizeof(bits));
		hash = (hash ^ bits) * UINT64_C(0x100000001b3);
	}
	return hash;
}

static void
test_fixed(void)
{
	unit_what = "hash of a rotated vector";
	CHECK(hash_rotation(3, 0) == UINT64_C(0x494fe96d088c0c57),
		  "%" PRIx64, hash_rotation(3, 0));
	CHECK(hash_rotation(384, 42) == UINT64_C(0xbc174c286994a205),
		  "%" PRIx64, hash_rotation(384, 42));
	CHECK(hash_rotation(1536, UINT64_MAX) == UINT64_C(0xf5f852d2a637eef5),
		  "%" PRIx64, hash_rotation(1536, UINT64_MAX));
	CHECK(hash_rotation(384, 42) != hash_rotation(384, 43),
		  "two seeds, one rotation");
}

/* signs are fair: over many seeds each factor is negative half of the time */
static void
test_signs(void)
{
	QuantRotation rotation;
	static int	negative[QUANT_ROUNDS * 128];
	int			nseeds = 2000;

	unit_what = "signs";
	for (int seed = 0; seed < nseeds; seed++)
	{
		init_rotation(&rotation, 100, (uint64_t) seed);
		for (int i = 0; i < QUANT_ROUNDS * rotation.rdim; i++)
			negative[i] += rotation.signs[i] < 0;
	}
	for (int i = 0; i < QUANT_ROUNDS * rotation.rdim; i++)
		CHECK(abs(negative[i] - nseeds / 2) < 5 * sqrt(nseeds / 4.0),
			  "factor %d: %d of %d", i, negative[i], nseeds);
}

static void
test_table(void)
{
	test_dims();
	test_fixed();
}

int
main(void)
{
	arena_space = unit_arena(QUANT_ROUNDS * MAX_DIM * sizeof(float));
	arena_in = unit_arena(2 * MAX_DIM * sizeof(float));
	arena_out = unit_arena(MAX_DIM * sizeof(float));
	unit_what = "sizes";
	CHECK(quant_rotated_dim(1) == 64 && quant_rotated_dim(64) == 64 &&
		  quant_rotated_dim(65) == 80 && quant_rotated_dim(784) == 784 &&
		  quant_rotated_dim(1000) == 1008 && quant_rotated_dim(16000) == 16000,
		  "quant_rotated_dim");
	CHECK(quant_rotation_bytes(65) == QUANT_ROUNDS * 80 * sizeof(float),
		  "quant_rotation_bytes");
	test_signs();
	unit_each_table(test_table);
	return unit_finish();
}
