/*-------------------------------------------------------------------------
 *
 * sparsemath.c
 *	  Distances, norm and normal form of sparse vectors.
 *
 * Two vectors are merged by their indices, which ascend; if damaged ones do
 * not, the sum is wrong, but nothing beyond the elements is read.
 *
 * Sums are float32, and do not depend on which operand comes first, not even
 * by rounding: an index measures from the query, SQL from either side.
 *
 * IDENTIFICATION
 *	  src/type/sparsemath.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/hashfn.h"
#include "kernel/kernel.h"
#include "type/check.h"
#include "type/distance.h"
#include "type/sparsecheck.h"
#include "type/sqlfunction.h"
#include "utils/float.h"

/* ---------- sums over two vectors ---------- */

/* x if 'take' is 1, zero if it is 0; the merge has no other branch to miss */
static inline float
float_if(float x, uint32 take)
{
	uint32		bits;

	memcpy(&bits, &x, sizeof(bits));
	bits &= -take;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* <a,b>; the kernel rounds as the shorter comes first, or the lesser bytes */
static float
sum_products(const SparseVector *a, const SparseVector *b)
{
	if (a->nnz > b->nnz ||
		(a->nnz == b->nnz &&
		 memcmp(a->indices, b->indices,
				SPARSEVEC_SIZE(a->nnz) - SPARSEVEC_SIZE(0)) > 0))
	{
		const SparseVector *swap = a;

		a = b;
		b = swap;
	}
	return kernels.dot_sparse(a->indices, SPARSEVEC_VALUES(a), a->nnz,
							  b->indices, SPARSEVEC_VALUES(b), b->nnz);
}

/*
 * The sums of squares and of absolute values of a - b are one merge with
 * another term.
 */
static pg_attribute_always_inline float
sum_differences(const SparseVector *a, const SparseVector *b,
				float (*term) (float difference))
{
	const float *x = SPARSEVEC_VALUES(a);
	const float *y = SPARSEVEC_VALUES(b);
	float		sum = 0;
	int			i = 0;
	int			j = 0;

	while (i < a->nnz && j < b->nnz)
	{
		uint32		take_a = (a->indices[i] <= b->indices[j]);
		uint32		take_b = (b->indices[j] <= a->indices[i]);

		sum += term(float_if(x[i], take_a) - float_if(y[j], take_b));
		i += take_a;
		j += take_b;
	}
	for (; i < a->nnz; i++)
		sum += term(x[i]);
	for (; j < b->nnz; j++)
		sum += term(y[j]);

	return sum;
}

static inline float
square(float x)
{
	return x * x;
}

static inline float
absolute(float x)
{
	return fabsf(x);
}

/* ---------- values in, number out ---------- */

double
sparsevec_distance_l2_squared(const SparseVector *a, const SparseVector *b)
{
	return sum_differences(a, b, square);
}

double
sparsevec_distance_l2(const SparseVector *a, const SparseVector *b)
{
	return sqrt(sparsevec_distance_l2_squared(a, b));
}

/* negative, so that the nearest comes first */
double
sparsevec_distance_ip(const SparseVector *a, const SparseVector *b)
{
	return -(double) sum_products(a, b);
}

/* <v,v>, by the same kernel on either side */
static double
square_sum(const SparseVector *vector)
{
	const float *values = SPARSEVEC_VALUES(vector);

	return kernels.dot_f32(values, values, vector->nnz);
}

/* 1 - cosine; NaN for a zero vector, whose direction is unknown */
double
sparsevec_distance_cosine(const SparseVector *a, const SparseVector *b)
{
	double		similarity = (double) sum_products(a, b) /
		sqrt(square_sum(a) * square_sum(b));

	/* rounding may leave the range; comparisons let NaN through */
	if (similarity > 1)
		similarity = 1;
	else if (similarity < -1)
		similarity = -1;

	return 1 - similarity;
}

double
sparsevec_distance_l1(const SparseVector *a, const SparseVector *b)
{
	return sum_differences(a, b, absolute);
}

/* the Euclidean norm; squares of floats neither overflow nor vanish here */
static double
length_of(const SparseVector *vector)
{
	const float *values = SPARSEVEC_VALUES(vector);
	double		sum = 0;

	for (int i = 0; i < vector->nnz; i++)
		sum += (double) values[i] * (double) values[i];
	return sqrt(sum);
}

/*
 * Is a float sum of squares exact enough?  Not if it overflowed, or is so small
 * that squares in it may have vanished.
 */
static bool
is_in_range(double sum)
{
	return sum > FLT_MIN / FLT_EPSILON * SPARSEVEC_MAX_NNZ && sum <= FLT_MAX;
}

double
sparsevec_norm(const SparseVector *vector)
{
	double		sum = square_sum(vector);

	return is_in_range(sum) ? sqrt(sum) : length_of(vector);
}

/* ---------- for an index ---------- */

void
sparsevec_sketch(const SparseVector *vector, float *out, int n)
{
	const float *values = SPARSEVEC_VALUES(vector);
	bool		fits = vector->dim <= n;

	memset(out, 0, sizeof(float) * n);
	for (int i = 0; i < vector->nnz; i++)
	{
		uint32		at = vector->indices[i];
		uint32		hash = murmurhash32(at);

		if (!fits)
			out[(hash >> 1) % n] += hash & 1 ? values[i] : -values[i];
		else if (at < n)		/* a damaged one may not be */
			out[at] = values[i];
	}
}

/* absolute values, descending */
static int
compare_absolute(const void *a, const void *b)
{
	float		x = fabsf(*(const float *) a);
	float		y = fabsf(*(const float *) b);

	return x < y ? 1 : x > y ? -1 : 0;
}

double
sparsevec_cut(const SparseVector *vector, int n, bool absolute,
			  SparseVector *out)
{
	const float *values = SPARSEVEC_VALUES(vector);
	float	   *sorted = palloc(sizeof(float) * vector->nnz);
	float		least;			/* of the absolute values that are kept */
	int			spare;			/* how many equal to that are kept */
	double		rest = 0;

	n = Min(n, vector->nnz);
	memcpy(sorted, values, sizeof(float) * vector->nnz);
	qsort(sorted, vector->nnz, sizeof(float), compare_absolute);
	least = n > 0 ? fabsf(sorted[n - 1]) : INFINITY;
	for (spare = 0; spare < n && fabsf(sorted[n - 1 - spare]) == least;)
		spare++;
	pfree(sorted);

	SET_VARSIZE(out, SPARSEVEC_SIZE(n));
	out->dim = vector->dim;
	out->nnz = n;
	out->unused = 0;
	for (int i = 0, kept = 0; i < vector->nnz; i++)
	{
		double		x = fabs((double) values[i]);

		if (x > least || (x == least && spare-- > 0))
		{
			out->indices[kept] = vector->indices[i];
			SPARSEVEC_VALUES(out)[kept++] = values[i];
		}
		else
			rest += absolute ? x : x * x;
	}

	/* rounding of at most SPARSEVEC_MAX_NNZ additions */
	return (absolute ? rest : sqrt(rest)) *
		(1 + SPARSEVEC_MAX_NNZ * DBL_EPSILON);
}

/* ---------- SQL ---------- */

/*
 * measure_sparsevecs -- a distance of a function's two arguments.
 */
static Datum
measure_sparsevecs(FunctionCallInfo fcinfo,
				   double (*distance) (const SparseVector *,
									   const SparseVector *))
{
	SparseVector *a = PG_GETARG_WHOLE_SPARSEVEC_P(0);
	SparseVector *b = PG_GETARG_WHOLE_SPARSEVEC_P(1);

	check_same_dim("sparsevec", a->dim, b->dim);
	PG_RETURN_FLOAT8(distance(a, b));
}

SQL_FUNCTION(sparsevec_l2_distance);
Datum
sparsevec_l2_distance(PG_FUNCTION_ARGS)
{
	return measure_sparsevecs(fcinfo, sparsevec_distance_l2);
}

SQL_FUNCTION(sparsevec_l2_squared_distance);
Datum
sparsevec_l2_squared_distance(PG_FUNCTION_ARGS)
{
	return measure_sparsevecs(fcinfo, sparsevec_distance_l2_squared);
}

SQL_FUNCTION(sparsevec_inner_product);
Datum
sparsevec_inner_product(PG_FUNCTION_ARGS)
{
	SparseVector *a = PG_GETARG_WHOLE_SPARSEVEC_P(0);
	SparseVector *b = PG_GETARG_WHOLE_SPARSEVEC_P(1);

	check_same_dim("sparsevec", a->dim, b->dim);
	PG_RETURN_FLOAT8(sum_products(a, b));
}

SQL_FUNCTION(sparsevec_negative_inner_product);
Datum
sparsevec_negative_inner_product(PG_FUNCTION_ARGS)
{
	return measure_sparsevecs(fcinfo, sparsevec_distance_ip);
}

SQL_FUNCTION(sparsevec_cosine_distance);
Datum
sparsevec_cosine_distance(PG_FUNCTION_ARGS)
{
	return measure_sparsevecs(fcinfo, sparsevec_distance_cosine);
}

SQL_FUNCTION(sparsevec_l1_distance);
Datum
sparsevec_l1_distance(PG_FUNCTION_ARGS)
{
	return measure_sparsevecs(fcinfo, sparsevec_distance_l1);
}

SQL_FUNCTION(sparsevec_l2_norm);
Datum
sparsevec_l2_norm(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(length_of(PG_GETARG_WHOLE_SPARSEVEC_P(0)));
}

/*
 * sparsevec_l2_normalize -- the vector over its norm; a zero vector stays as
 * it is, and elements that become zero are left out.
 */
SQL_FUNCTION(sparsevec_l2_normalize);
Datum
sparsevec_l2_normalize(PG_FUNCTION_ARGS)
{
	SparseVector *vector = PG_GETARG_WHOLE_SPARSEVEC_P(0);
	const float *values = SPARSEVEC_VALUES(vector);
	double		norm = length_of(vector);
	int			nnz = 0;
	SparseVector *result;

	for (int i = 0; i < vector->nnz; i++)
	{
		float		value = norm > 0 ? values[i] / norm : 0;

		if (isinf(value))
			float_overflow_error();
		nnz += (value != 0);
	}

	result = InitSparseVector(vector->dim, nnz);
	for (int i = 0, n = 0; n < nnz; i++)
	{
		float		value = values[i] / norm;

		if (value != 0)
		{
			result->indices[n] = vector->indices[i];
			SPARSEVEC_VALUES(result)[n++] = value;
		}
	}

	PG_RETURN_SPARSEVEC_P(result);
}
