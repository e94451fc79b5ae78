/*-------------------------------------------------------------------------
 *
 * aggregate.c
 *	  The average: transition, combination and final function.
 *
 * The state is a double precision[]: the number of rows, then the sums of the
 * elements; one element, a zero, before the first row.  Its functions can be
 * called with any array by anyone, so each looks at what it gets.  The sum
 * needs nothing of its own: its transition function is addition.
 *
 * IDENTIFICATION
 *	  src/type/aggregate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "kernel/kernel.h"
#include "type/check.h"
#include "type/halfvec.h"
#include "type/sqlfunction.h"
#include "type/vector.h"
#include "utils/array.h"
#include "utils/float.h"

/* ---------- the state ---------- */

static double *
state_numbers(ArrayType *state)
{
	return (double *) ARR_DATA_PTR(state);
}

/* number of sums, 0 before the first row */
static int
state_dim(ArrayType *state)
{
	return ARR_DIMS(state)[0] - 1;
}

/*
 * check_state -- refuse an array that no aggregate made.
 *
 * caller: name of the SQL function, for the message.
 */
static void
check_state(ArrayType *state, const char *caller)
{
	if (ARR_NDIM(state) != 1 ||
		ARR_DIMS(state)[0] < 1 ||
		ARR_HASNULL(state) ||
		ARR_ELEMTYPE(state) != FLOAT8OID)
		elog(ERROR, "%s: expected state array", caller);
}

/* a state of 'dim' sums and no rows, all zero */
static ArrayType *
make_state(int dim)
{
	Size		nbytes = ARR_OVERHEAD_NONULLS(1) + sizeof(double) * (dim + 1);
	ArrayType  *state = palloc0(nbytes);

	SET_VARSIZE(state, nbytes);
	state->ndim = 1;
	state->dataoffset = 0;		/* no null bitmap */
	state->elemtype = FLOAT8OID;
	ARR_DIMS(state)[0] = dim + 1;
	ARR_LBOUND(state)[0] = 1;
	return state;
}

/* sums that start finite and are not any more have overflowed */
static void
check_sums(const double *sums, int n)
{
	bool		has_infinity = false;

	for (int i = 0; i < n; i++)
		has_infinity |= (isinf(sums[i]) != 0);
	if (unlikely(has_infinity))
		float_overflow_error();
}

/* ---------- avg ---------- */

/*
 * accumulate -- add the elements of one vector to a state.
 *
 * Within an aggregate the state is ours to change, as in core's float8_accum;
 * the executor sees the same pointer come back and copies nothing.
 */
static ArrayType *
accumulate(FunctionCallInfo fcinfo, ArrayType *state, const float *x, int dim)
{
	ArrayType  *result = state;
	const double *old = state_numbers(state);
	double	   *new;

	if (state_dim(state) == 0)
	{
		/* not added to zero, which would make 0 of -0 */
		result = make_state(dim);
		new = state_numbers(result);
		for (int i = 1; i <= dim; i++)
			new[i] = x[i - 1];
	}
	else
	{
		check_expected_dim(state_dim(state), dim);
		if (!AggCheckCallContext(fcinfo, NULL))
			result = make_state(dim);
		new = state_numbers(result);
		for (int i = 1; i <= dim; i++)
			new[i] = old[i] + x[i - 1];
		check_sums(new + 1, dim);
	}
	new[0] = old[0] + 1;

	return result;
}

SQL_FUNCTION(vector_accum);
Datum
vector_accum(PG_FUNCTION_ARGS)
{
	ArrayType  *state = PG_GETARG_ARRAYTYPE_P(0);
	Vector	   *vector = PG_GETARG_VECTOR_P(1);

	check_state(state, "vector_accum");
	state = accumulate(fcinfo, state, vector->x, vector->dim);

	PG_FREE_IF_COPY(vector, 1);
	PG_RETURN_ARRAYTYPE_P(state);
}

SQL_FUNCTION(halfvec_accum);
Datum
halfvec_accum(PG_FUNCTION_ARGS)
{
	ArrayType  *state = PG_GETARG_ARRAYTYPE_P(0);
	HalfVector *vector = PG_GETARG_HALFVEC_P(1);
	float	   *x = palloc(sizeof(float) * vector->dim);

	check_state(state, "halfvec_accum");
	kernels.half_to_float(vector->x, vector->dim, x);
	state = accumulate(fcinfo, state, x, vector->dim);

	pfree(x);
	PG_FREE_IF_COPY(vector, 1);
	PG_RETURN_ARRAYTYPE_P(state);
}

/*
 * vector_combine -- add two states; of one without rows, the other.
 *
 * States do not show which type they are of: this is halfvec_combine as well.
 */
SQL_FUNCTION(vector_combine);
Datum
vector_combine(PG_FUNCTION_ARGS)
{
	ArrayType  *a = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType  *b = PG_GETARG_ARRAYTYPE_P(1);
	ArrayType  *result;

	check_state(a, "vector_combine");
	check_state(b, "vector_combine");
	if (state_numbers(b)[0] == 0)
		PG_RETURN_ARRAYTYPE_P(a);
	if (state_numbers(a)[0] == 0)
		PG_RETURN_ARRAYTYPE_P(b);

	check_expected_dim(state_dim(a), state_dim(b));
	result = make_state(state_dim(a));
	for (int i = 0; i <= state_dim(a); i++)
		state_numbers(result)[i] = state_numbers(a)[i] + state_numbers(b)[i];
	check_sums(state_numbers(result) + 1, state_dim(a));

	PG_RETURN_ARRAYTYPE_P(result);
}

/*
 * average -- the sums of a state over its number of rows, which is not 0.
 *
 * Returns the number of elements; x has room for 'max_dim'.
 */
static int
average(const char *type, ArrayType *state, float *x, int max_dim)
{
	const double *numbers = state_numbers(state);
	int			dim = state_dim(state);

	check_dim(type, dim, max_dim);
	for (int i = 0; i < dim; i++)
		x[i] = numbers[i + 1] / numbers[0];
	return dim;
}

SQL_FUNCTION(vector_avg);
Datum
vector_avg(PG_FUNCTION_ARGS)
{
	ArrayType  *state = PG_GETARG_ARRAYTYPE_P(0);
	float		x[VECTOR_MAX_DIM];
	int			dim;
	Vector	   *result;

	check_state(state, "vector_avg");
	if (state_numbers(state)[0] == 0)
		PG_RETURN_NULL();

	dim = average("vector", state, x, VECTOR_MAX_DIM);
	check_elements("vector", x, dim);
	result = InitVector(dim);
	memcpy(result->x, x, sizeof(float) * dim);

	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(halfvec_avg);
Datum
halfvec_avg(PG_FUNCTION_ARGS)
{
	ArrayType  *state = PG_GETARG_ARRAYTYPE_P(0);
	float		x[HALFVEC_MAX_DIM];
	int			dim;
	HalfVector *result;

	check_state(state, "halfvec_avg");
	if (state_numbers(state)[0] == 0)
		PG_RETURN_NULL();

	dim = average("halfvec", state, x, HALFVEC_MAX_DIM);
	check_range("halfvec", x, dim, HALF_OVERFLOW);
	check_elements("halfvec", x, dim);
	result = InitHalfVector(dim);
	kernels.float_to_half(x, dim, result->x);

	PG_RETURN_HALFVEC_P(result);
}
