/*-------------------------------------------------------------------------
 *
 * quant_edge_test.c
 *	  Are edge codes packed as stated, and are estimates from them unbiased
 *	  with about the stated error?
 *
 * Statistics are over many rotations of one fixed set of vectors, since the
 * rotation is the only thing random in an index.  Seeds are fixed, so a test
 * passes always or never; limits are four standard errors.
 *
 * IDENTIFICATION
 *	  test/unit/quant_edge_test.c
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>

#include "quant/quant_edge.h"
#include "quant/quant_own.h"
#include "quant/quant_query.h"
#include "quant/quant_rotate.h"
#include "unit.h"

#define MAX_RDIM	1536
/* with the float behind a code */
#define MAX_EDGE	(4 + MAX_RDIM / 8 + 4)
#define NROTATIONS	400

#define BF16_MAX	0x7f7f

/* floats, for the alignment that codes need */
typedef float OwnSpace[(QUANT_OWN_HEADER + MAX_RDIM) / 4];
typedef uint16_t EdgeSpace[MAX_EDGE / 2];

/* ---- bfloat16 ---- */

/* the nearest bfloat16, ties to even, by looking at the neighbours */
static uint16_t
nearest_bf16(float x)
{
	uint32_t	bits;
	uint16_t	down;
	double		below;
	double		above;

	memcpy(&bits, &x, sizeof(bits));
	down = (uint16_t) (bits >> 16);	/* towards zero */
	below = fabs((double) x - quant_bf16_to_float(down));
	above = fabs((double) quant_bf16_to_float((uint16_t) (down + 1)) - x);
	if (below < above || (below == above && down % 2 == 0))
		return down;
	return (uint16_t) (down + 1);
}

static void
test_bf16(void)
{
	const uint32_t low_nan = 0x7f800001;	/* its upper half is infinity */
	float		nan;

	unit_what = "bfloat16";
	for (uint32_t i = 0; i <= UINT16_MAX; i++)
	{
		float		x = quant_bf16_to_float((uint16_t) i);

		if (isnan(x))
			CHECK(isnan(quant_bf16_to_float(quant_bf16_from_float(x))),
				  "NaN %x was lost", i);
		else
			CHECK(quant_bf16_from_float(x) == i, "%x comes back as %x",
				  i, quant_bf16_from_float(x));
	}

	/* below 2^127, where the neighbour above is finite */
	for (int i = 0; i < 100000; i++)
	{
		uint32_t	bits = (uint32_t) unit_random() & 0xbfffffff;
		float		x;

		if (i % 4 == 0)
			bits = (bits & 0xffff0000) | 0x8000;	/* a tie */
		memcpy(&x, &bits, sizeof(x));
		CHECK(quant_bf16_from_float(x) == nearest_bf16(x), "%a", x);
	}
	CHECK(quant_bf16_from_float(1) == 0x3f80, "1");
	CHECK(quant_bf16_from_float(-2.5f) == 0xc020, "-2.5");
	CHECK(quant_bf16_from_float(INFINITY) == 0x7f80, "infinity");
	CHECK(quant_bf16_from_float(-INFINITY) == 0xff80, "-infinity");
	CHECK(quant_bf16_from_float(FLT_MAX) == 0x7f80, "FLT_MAX");
	memcpy(&nan, &low_nan, sizeof(nan));
	CHECK(isnan(quant_bf16_to_float(quant_bf16_from_float(nan))), "NaN");
}

/* ---- encoding ---- */

/*
 * The factors of an edge as the definition says, in double, from the residual
 * of what was decoded.
 */
static void
check_factors(const QuantEdge *edge, const float *r, int rdim, int nbits)
{
	double		norm2 = unit_l2sq(r, NULL, rdim);
	double		scale = quant_bf16_to_float(edge->scale);
	double		r_x = 0;
	bool		bits_equal = true;

	for (int i = 0; i < nbits; i++)
	{
		bool		bit = (edge->bits[i / 8] >> (i % 8)) & 1;

		bits_equal &= bit == (r[i] > 0);
		r_x += bit ? r[i] / 2.0 : -r[i] / 2.0;
	}
	CHECK(bits_equal, "rdim %d, bits %d: signs differ", rdim, nbits);

	/* half a unit in the last of 8 bits, and the float sums */
	CHECK(fabs(scale - -2 * norm2 / r_x) <= (1 / 256.0 + 1e-5) * fabs(scale),
		  "rdim %d, bits %d: scale %g, want %g",
		  rdim, nbits, scale, -2 * norm2 / r_x);
	CHECK(fabs(quant_bf16_to_float(edge->norm2) - norm2) <=
		  (1 / 256.0 + 1e-5) * norm2,
		  "rdim %d, bits %d: norm2 %g, want %g",
		  rdim, nbits, quant_bf16_to_float(edge->norm2), norm2);
}

/* a random own code; returns it decoded */
static QuantOwn *
make_own(OwnSpace space, int rdim, double length, float *decoded)
{
	QuantOwn   *own = (QuantOwn *) space;

	for (int i = 0; i < rdim; i++)
		decoded[i] = (float) (unit_gauss() * length / sqrt(rdim));
	quant_own_encode(decoded, rdim, 0, own);
	quant_own_decode(own, rdim, decoded);
	return own;
}

static void
check_encode(int rdim, int nbits, double length)
{
	static OwnSpace c_space;
	static OwnSpace o_space;
	static float c[MAX_RDIM];
	static float o[MAX_RDIM];
	static float r[MAX_RDIM];
	EdgeSpace	guarded;
	EdgeSpace	from_floats;
	QuantEdge  *edge = (QuantEdge *) guarded;
	QuantEdge  *edge_f32 = (QuantEdge *) from_floats;
	size_t		bytes = quant_edge_bytes(nbits);
	const QuantOwn *own_c = make_own(c_space, rdim, 1, c);
	const QuantOwn *own_o = make_own(o_space, rdim, length, o);
	bool		untouched = true;

	unit_what = "quant_edge_encode";
	CHECK(bytes == 4 + (size_t) nbits / 8, "%zu bytes", bytes);
	for (int i = 0; i < rdim; i++)
		r[i] = o[i] - c[i];
	memset(guarded, 0x5a, sizeof(guarded));
	quant_edge_encode(own_c, own_o, rdim, nbits, edge);
	check_factors(edge, r, rdim, nbits);
	for (size_t i = bytes; i < sizeof(guarded); i++)
		untouched &= ((uint8_t *) guarded)[i] == 0x5a;
	CHECK(untouched, "wrote behind the code");

	unit_what = "quant_edge_encode_f32";
	memset(from_floats, 0x5a, sizeof(from_floats));
	quant_edge_encode_f32(r, rdim, nbits, edge_f32);
	check_factors(edge_f32, r, rdim, nbits);
	CHECK(memcmp(edge->bits, edge_f32->bits, bytes - 4) == 0,
		  "rdim %d: bits differ from those of codes", rdim);
}

static void
check_zero(int rdim)
{
	static OwnSpace space;
	static float c[MAX_RDIM];
	static float r[MAX_RDIM];
	EdgeSpace	memory;
	QuantEdge  *edge = (QuantEdge *) memory;
	const QuantOwn *own = make_own(space, rdim, 1, c);

	unit_what = "zero residual";
	quant_edge_encode(own, own, rdim, rdim, edge);
	CHECK(edge->norm2 == 0 && edge->scale == 0, "%x %x", edge->norm2,
		  edge->scale);
	memset(memory, 0xff, sizeof(memory));
	quant_edge_encode_f32(r, rdim, rdim, edge);
	CHECK(edge->norm2 == 0 && edge->scale == 0, "%x %x", edge->norm2,
		  edge->scale);

	/* not zero, but where there are no bits: scale says nothing, norm2 all */
	unit_what = "residual outside the bits";
	r[rdim - 1] = 3;
	quant_edge_encode_f32(r, rdim, rdim / 2 / 16 * 16, edge);
	CHECK(edge->scale == 0 && quant_bf16_to_float(edge->norm2) == 9,
		  "%x %x", edge->norm2, edge->scale);
	r[rdim - 1] = 0;
}

/* factors that no bfloat16 can hold: last in every ranking, never NaN */
static void
check_not_finite(int rdim)
{
	static float c[MAX_RDIM];
	static float r[MAX_RDIM];
	static int8_t code[MAX_RDIM];
	static const float worst[] = {1e25f, FLT_MAX, INFINITY, NAN};
	EdgeSpace	memory = {0};
	QuantEdge  *edge = (QuantEdge *) memory;
	QuantQuery	query;
	int32_t		sum;
	float		est;
	float		var;

	unit_what = "factors out of range";
	for (int i = 0; i < rdim; i++)
		c[i] = r[i] = (float) unit_gauss();
	quant_query_init(&query, c, rdim, code);
	for (int i = 0; i < 4; i++)
	{
		r[rdim / 2] = worst[i];
		quant_edge_encode_f32(r, rdim, rdim, edge);
		CHECK(edge->scale == 0 && edge->norm2 == BF16_MAX, "%g: %x %x",
			  worst[i], edge->norm2, edge->scale);
		quant_edge_estimate(&query, (uint8_t *) edge, 0, 1, 1, &sum, &est, &var);
		CHECK(est >= quant_bf16_to_float(BF16_MAX) && var == 0, "L2: %g", est);
		quant_edge_estimate_ip(&query, (uint8_t *) edge, 0, 1, 1, 1, 1, &sum,
							   &est, &var);
		CHECK(est == FLT_MAX && var == 0, "IP: %g", est);
	}
}

/* ---- query ---- */

static void
check_query(int nbits)
{
	static float q[MAX_RDIM];
	static int8_t code[MAX_RDIM];
	static const float odd[] = {0, 1e-40f, 1e-38f, FLT_MAX, INFINITY, NAN};
	QuantQuery	query;
	int			sum = 0;
	bool		is_near = true;

	unit_what = "quant_query_init";
	unit_fill_gauss(q, nbits);
	quant_query_init(&query, q, nbits, code);
	CHECK(query.nbits == nbits && query.code == code, "fields");
	for (int i = 0; i < nbits; i++)
	{
		sum += code[i];
		is_near &= fabs(q[i] - (double) query.scale * code[i]) <=
			query.scale * 0.50001;
	}
	CHECK(is_near, "bits %d: more than half a step off", nbits);
	CHECK(query.half_sum == sum / 2.0f, "%g, want %g",
		  query.half_sum, sum / 2.0f);

	/* whatever the query holds, its scale is a number */
	for (int i = 0; i < 6; i++)
	{
		for (int j = 0; j < nbits; j++)
			q[j] = odd[i];
		quant_query_init(&query, q, nbits, code);
		CHECK(query.scale >= 0 && query.scale <= FLT_MAX &&
			  fabs(query.half_sum) <= 127.0f * nbits,
			  "%g: %g %g", odd[i], query.scale, query.half_sum);
	}
}

/*
 * What estimates must be, from the definition and unrounded sums: every odd
 * number of edges, strides that leave edges unaligned.
 */
static void
check_estimate_formula(int nbits, int n, size_t gap)
{
	static float q[MAX_RDIM];
	static int8_t code[MAX_RDIM];
	static UnitArena arena;
	size_t		behind = quant_edge_bytes(nbits);
	size_t		stride = behind + sizeof(float) + gap;
	size_t		bytes = (size_t) n * stride - gap;
	uint8_t    *edges;
	QuantQuery	query;
	int32_t		sums[64];
	float		est[64];
	float		var[64];
	float		est_ip[64];
	float		lengths[64];
	float		along[64];

	unit_what = "estimates by their formulas";
	if (arena.base == NULL)
		arena = unit_arena(64 * (MAX_EDGE + 16));
	edges = unit_place(&arena, bytes, UNIT_AT_END);
	unit_fill_bytes(edges, bytes);
	unit_fill_gauss(q, nbits);
	quant_query_init(&query, q, nbits, code);
	for (int i = 0; i < n; i++)
	{
		uint16_t	factors[2];

		factors[0] = quant_bf16_from_float((float) unit_gauss());
		factors[1] = quant_bf16_from_float((float) -unit_uniform());
		memcpy(edges + (size_t) i * stride, factors, 4);
		along[i] = (float) unit_gauss();
		memcpy(edges + (size_t) i * stride + behind, &along[i], sizeof(float));
	}
	quant_edge_estimate_ip(&query, edges, stride, n, 3, 0.7f, 2, sums, est_ip,
						   var);
	quant_edge_lengths(edges, stride, n, lengths);
	quant_edge_estimate(&query, edges, stride, n, 2, sums, est, var);
	for (int i = 0; i < n; i++)
	{
		uint16_t	factors[2];
		double		norm2;
		double		scale;
		double		dot = 0;
		double		want;

		memcpy(factors, edges + (size_t) i * stride, 4);
		norm2 = quant_bf16_to_float(factors[0]);
		scale = quant_bf16_to_float(factors[1]);
		for (int j = 0; j < nbits; j++)
		{
			uint8_t		byte = edges[(size_t) i * stride + 4 + (size_t) j / 8];

			dot += ((byte >> (j % 8)) & 1 ? 0.5 : -0.5) * query.scale * code[j];
		}
		want = 2 + norm2 + scale * dot;
		CHECK(fabs(est[i] - want) < 1e-4, "L2 %d: %g, want %g", i, est[i], want);
		want = 3 - 0.7 * along[i] + scale / 2 * dot;
		CHECK(fabs(est_ip[i] - want) < 1e-4, "IP %d: %g, want %g",
			  i, est_ip[i], want);
		want = fmax(0, norm2);
		CHECK(lengths[i] == want, "length %d: %g, want %g",
			  i, lengths[i], want);
		CHECK(fabs(var[i] - scale * scale * 2) < 1e-5, "var %d: %g", i, var[i]);
	}
}

/* ---- statistics over rotations ---- */

/* differences between what was estimated and what is true */
typedef struct Errors
{
	double		sum;
	double		squares;
	double		ratios;			/* squares relative to the stated variance */
	int			n;
} Errors;

static void
add_error(Errors *errors, double error, double stated)
{
	errors->sum += error;
	errors->squares += error * error;
	errors->ratios += error * error / (stated * stated);
	errors->n++;
}

/*
 * No bias beyond four standard errors, a thousandth of 'unit' (rounding to
 * bfloat16 and 8 bits is not random) and 'bias' times the deviation; error
 * between 'low' and 'high' times the stated one.
 */
static void
check_errors(const char *what, const Errors *errors, double unit, double bias,
			 int dim, double low, double high)
{
	double		mean = errors->sum / errors->n;
	double		deviation = sqrt(errors->squares / errors->n);
	double		ratio = sqrt(errors->ratios / errors->n);

	CHECK(fabs(mean) <= (4 / sqrt(errors->n) + bias) * deviation + 1e-3 * unit,
		  "%s, dim %d: bias %g, deviation %g", what, dim, mean, deviation);
	CHECK(ratio >= low && ratio <= high,
		  "%s, dim %d: error %g times the stated one", what, dim, ratio);
}

/* a fixed scene: a node, two neighbours and a query, in input space */
typedef struct Scene
{
	int			dim;
	double		bits_share;		/* of the dimensions that have bits */
	float		q[MAX_RDIM];
	float		c[MAX_RDIM];
	float		o[2][MAX_RDIM];
} Scene;

/* the same under one rotation */
typedef struct Rotated
{
	int			rdim;
	int			nbits;
	float		q[MAX_RDIM];
	OwnSpace	c;
	OwnSpace	o[2];
	EdgeSpace	edge[2];
	double		part;			/* of the node that makes the rest orthogonal */
	double		p2;				/* square of the rest */
	QuantQuery	away;			/* the query less the node */
	QuantQuery	rest;			/* the query less that part of it */
	int8_t		away_code[MAX_RDIM];
	int8_t		rest_code[MAX_RDIM];
} Rotated;

static void
rotate_own(const QuantRotation *rotation, const float *x, OwnSpace space)
{
	float		y[MAX_RDIM];

	quant_rotate(rotation, x, y);
	quant_own_encode(y, rotation->rdim, 0, (QuantOwn *) space);
}

/* <c, o - c> behind the code */
static void
put_along(const Scene *scene, int i, Rotated *r)
{
	float		along = (float) (unit_dot(scene->c, scene->o[i], scene->dim) -
								 unit_dot(scene->c, scene->c, scene->dim));

	memcpy((uint8_t *) r->edge[i] + quant_edge_bytes(r->nbits), &along,
		   sizeof(float));
}

/* the query less a part of the node */
static void
subtract_node(const Rotated *r, double part, QuantQuery *query, int8_t *code)
{
	static float rest[MAX_RDIM];
	const QuantOwn *c = (const QuantOwn *) r->c;

	kernels.subtract_s8(r->q, c->code, (float) (part * c->scale),
						(size_t) r->rdim, rest);
	quant_query_init(query, rest, r->nbits, code);
}

static void
rotate_scene(const Scene *scene, uint64_t seed, Rotated *r)
{
	static float space[QUANT_ROUNDS * MAX_RDIM];
	QuantRotation rotation;
	double		dot;

	quant_rotation_init(&rotation, scene->dim, seed, space);
	r->rdim = rotation.rdim;
	r->nbits = (int) (rotation.rdim * scene->bits_share) / 16 * 16;
	quant_rotate(&rotation, scene->q, r->q);
	rotate_own(&rotation, scene->c, r->c);
	dot = quant_own_dot(r->q, (QuantOwn *) r->c, r->rdim);
	r->part = dot / ((QuantOwn *) r->c)->norm2;
	r->p2 = unit_l2sq(r->q, NULL, r->rdim) - r->part * dot;
	subtract_node(r, 1, &r->away, r->away_code);
	subtract_node(r, r->part, &r->rest, r->rest_code);
	for (int i = 0; i < 2; i++)
	{
		rotate_own(&rotation, scene->o[i], r->o[i]);
		quant_edge_encode((QuantOwn *) r->c, (QuantOwn *) r->o[i], r->rdim,
						  r->nbits, (QuantEdge *) r->edge[i]);
		put_along(scene, i, r);
	}
}

/*
 * Estimates of both neighbours under many rotations.  The stated error is 0.3
 * |scale| |q - c|; for inner product half of |scale| stands before |p|.
 */
static void
check_estimates(const Scene *scene, double bias)
{
	static Rotated r;
	int			dim = scene->dim;
	double		own_l2 = unit_l2sq(scene->q, scene->c, dim);
	double		own_ip = -unit_dot(scene->q, scene->c, dim);
	double		unit = 0;
	Errors		l2 = {0};
	Errors		ip = {0};

	for (uint64_t seed = 0; seed < NROTATIONS; seed++)
	{
		rotate_scene(scene, seed, &r);
		for (int i = 0; i < 2; i++)
		{
			const float *o = scene->o[i];
			const QuantEdge *edge = (QuantEdge *) r.edge[i];
			double		scale = fabs(quant_bf16_to_float(edge->scale));
			double		l2_true = unit_l2sq(scene->q, o, dim);
			int32_t		sum;
			float		est;
			float		var;

			unit = own_l2 + unit_l2sq(o, scene->c, dim);
			quant_edge_estimate(&r.away, (const uint8_t *) edge, 0, 1,
								(float) own_l2, &sum, &est, &var);
			CHECK(fabs(var - scale * scale * own_l2) <= 1e-5 * var, "var");
			add_error(&l2, est - l2_true, 0.3 * sqrt(var));
			quant_edge_estimate_ip(&r.rest, (const uint8_t *) edge, 0, 1,
								   (float) own_ip, (float) r.part,
								   (float) r.p2, &sum, &est, &var);
			CHECK(fabs(var - scale * scale * r.p2) <= 1e-5 * var, "var");
			add_error(&ip, est + unit_dot(scene->q, o, dim), 0.15 * sqrt(var));
		}
	}
	unit_what = "quant_edge_estimate";
	check_errors("L2", &l2, unit, bias, dim, 0.85, 1.15);
	check_errors("IP", &ip, unit, bias, dim, 0.75, 1.15);
}

/*
 * Lengths of edges, and the distance of the two neighbours from
 * their codes.  The angle's standard error gives that of the distance.
 */
static void
check_lengths_and_between(const Scene *scene)
{
	static Rotated r;
	int			dim = scene->dim;
	double		between = unit_l2sq(scene->o[0], scene->o[1], dim);
	Errors		errors = {0};

	unit_what = "quant_edge_lengths";
	for (uint64_t seed = 0; seed < NROTATIONS; seed++)
	{
		const QuantOwn *c = (QuantOwn *) r.c;
		double		want[2];
		float		got[2];
		double		cosine;
		double		stated;

		rotate_scene(scene, seed, &r);
		quant_edge_lengths((uint8_t *) r.edge, sizeof(EdgeSpace), 2, got);
		for (int i = 0; i < 2; i++)
		{
			want[i] = quant_own_l2sq(c, (QuantOwn *) r.o[i], r.rdim);
			CHECK(fabs(got[i] - want[i]) <= want[i] / 255,
				  "dim %d: %g, want %g", dim, got[i], want[i]);
		}
		cosine = (want[0] + want[1] - between) / (2 * sqrt(want[0] * want[1]));
		stated = 2 * sqrt(want[0] * want[1] * (1 - cosine * cosine)) *
			acos(-1) / (2 * sqrt(r.nbits));
		add_error(&errors,
				  quant_edge_between((QuantEdge *) r.edge[0], got[0],
									 (QuantEdge *) r.edge[1], got[1], r.nbits) -
				  between, stated);
	}
	unit_what = "quant_edge_between";
	check_errors("L2", &errors, 0, 0, dim, 0.6, 1.2);
}

/* vectors with a common part, as real ones have, and neighbours nearby */
static void
make_scene(Scene *scene, int dim, double bits_share)
{
	scene->dim = dim;
	scene->bits_share = bits_share;
	for (int i = 0; i < dim; i++)
	{
		double		common = 0.5 * unit_gauss();

		scene->q[i] = (float) (common + 0.5 * unit_gauss());
		scene->c[i] = (float) (common + unit_gauss());
		scene->o[0][i] = (float) (scene->c[i] + 0.7 * unit_gauss());
		scene->o[1][i] = (float) (scene->c[i] + unit_gauss());
	}
}

/* neighbours and query differ from the node in a few dimensions only */
static void
make_sparse_scene(Scene *scene, int dim)
{
	make_scene(scene, dim, 1);
	memcpy(scene->q, scene->c, (size_t) dim * sizeof(float));
	memcpy(scene->o[0], scene->c, (size_t) dim * sizeof(float));
	memcpy(scene->o[1], scene->c, (size_t) dim * sizeof(float));
	scene->q[dim - 1] += 5;
	scene->q[dim / 2] -= 20;
	scene->o[0][dim - 1] -= 20;
	scene->o[1][dim / 2] += 10;
	scene->o[1][0] += 20;
}

/* all of it far from the origin, as vectors with a large common mean are */
static void
make_distant_scene(Scene *scene, int dim)
{
	make_scene(scene, dim, 1);
	for (int i = 0; i < dim; i++)
	{
		scene->q[i] += 8;
		scene->c[i] += 8;
		scene->o[0][i] += 8;
		scene->o[1][i] += 8;
	}
}

static void
test_statistics(void)
{
	static const int dims[] = {64, 384, 784, 1536};
	static Scene scene;

	for (int i = 0; i < 4; i++)
	{
		make_scene(&scene, dims[i], 1);
		check_estimates(&scene, 0);
		check_lengths_and_between(&scene);
		make_scene(&scene, dims[i], 0.5);
		check_estimates(&scene, 0);
		check_lengths_and_between(&scene);

		make_distant_scene(&scene, dims[i]);
		check_estimates(&scene, 0.1);

		/* four rounds leave these dimensions a bias, see quant_rotate.h */
		make_sparse_scene(&scene, dims[i]);
		check_estimates(&scene, dims[i] % 3 == 0 ? 0.5 : 0);
	}
}

static void
check_between_limits(void)
{
	EdgeSpace	a;
	EdgeSpace	b;

	unit_what = "quant_edge_between";
	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	CHECK(quant_edge_between((QuantEdge *) a, 4, (QuantEdge *) b, 4, 384) == 0,
		  "equal codes");
	CHECK(quant_edge_between((QuantEdge *) a, 4, (QuantEdge *) b, 9, 384) == 1,
		  "equal signs");
	memset(b, 255, sizeof(b));
	CHECK(quant_edge_between((QuantEdge *) a, 4, (QuantEdge *) b, 9, 384) == 25,
		  "opposite");
	memset(b, 15, sizeof(b));
	CHECK(fabs(quant_edge_between((QuantEdge *) a, 4, (QuantEdge *) b, 9, 384) -
			   13) < 1e-5, "at right angles");
	CHECK(quant_edge_between((QuantEdge *) a, FLT_MAX, (QuantEdge *) b,
							 FLT_MAX, 384) <= FLT_MAX, "no overflow");
}

static void
test_table(void)
{
	static const int rdims[] = {64, 80, 112, 384, 784, 1536};

	for (int i = 0; i < 6; i++)
	{
		int			rdim = rdims[i];

		for (int round = 0; round < 20; round++)
		{
			check_encode(rdim, rdim, 1);
			check_encode(rdim, rdim / 2 / 16 * 16, 1);
			check_encode(rdim, rdim, 30);
			check_query(rdim);
		}
		check_zero(rdim);
		check_not_finite(rdim);
		for (int n = 1; n <= 41; n++)
			check_estimate_formula(rdim, n, (size_t) n % 5);
	}
	check_between_limits();
	test_statistics();
}

int
main(void)
{
	unit_what = "layout";
	CHECK(offsetof(QuantEdge, norm2) == 0 && offsetof(QuantEdge, scale) == 2 &&
		  offsetof(QuantEdge, bits) == 4, "offsets");
	test_bf16();
	unit_each_table(test_table);
	return unit_finish();
}
