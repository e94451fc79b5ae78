/*-------------------------------------------------------------------------
 *
 * mmr.c
 *	  Aggregate mmr: k ids that are near the query and unlike one another.
 *
 * Source: maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998).
 * The similarity is the cosine.  What a candidate is held against is either
 * all ids picked before or the last one; libraries differ in that.  The
 * state holds every row, so candidates are best the result of a LIMIT.
 *
 * IDENTIFICATION
 *	  src/func/mmr.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "miscadmin.h"
#include "type/check.h"
#include "type/distance.h"
#include "type/sqlfunction.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct MmrCandidate
{
	Datum		id;
	bool		isnull;
	double		relevance;		/* similarity to the query */
	Vector	   *embedding;
} MmrCandidate;

typedef struct MmrState
{
	/* set once, by the first row */
	MemoryContext context;		/* of the group */
	Oid			type;			/* of the ids */
	int16		typlen;
	bool		typbyval;
	char		typalign;
	int			k;
	double		lambda;
	bool		last_only;		/* variant 'last' */

	/* moves with each row */
	MmrCandidate *candidates;
	int			n;
	int			max;			/* room in candidates[] */
} MmrState;

#define MIN_ROOM	64

/* ---- rows in ---- */

static void
report_null(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s must not be null", what)));
}

static MmrState *
make_state(FunctionCallInfo fcinfo, MemoryContext context, bool last_only)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 1);
	MmrState   *state;

	if (!OidIsValid(type))
		elog(ERROR, "could not determine the type of the id");
	if (PG_ARGISNULL(4))
		report_null("k");
	if (PG_ARGISNULL(5))
		report_null("lambda");

	state = MemoryContextAllocZero(context, sizeof(MmrState));
	state->context = context;
	state->type = type;
	get_typlenbyvalalign(type, &state->typlen, &state->typbyval,
						 &state->typalign);
	state->k = PG_GETARG_INT32(4);
	state->lambda = PG_GETARG_FLOAT8(5);
	state->last_only = last_only;
	if (state->k < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be at least 1")));
	if (!(state->lambda >= 0 && state->lambda <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lambda must be between 0 and 1")));
	state->max = MIN_ROOM;
	state->candidates = MemoryContextAlloc(context,
										   sizeof(MmrCandidate) * MIN_ROOM);
	return state;
}

/* Cosine similarity; 0 for a zero vector, which is like nothing. */
static double
similarity(const Vector *a, const Vector *b)
{
	double		distance = vector_distance_cosine(a, b);

	return isnan(distance) ? 0 : 1 - distance;
}

static void
add_candidate(MmrState *state, Datum id, bool isnull, Vector *embedding,
			  Vector *query)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);
	MmrCandidate *candidate;

	check_same_dim("vector", embedding->dim, query->dim);
	if (state->n > 0)
		check_same_dim("vector", state->candidates[0].embedding->dim,
					   embedding->dim);
	if (state->n == state->max)
	{
		state->max *= 2;
		state->candidates = repalloc_huge(state->candidates,
										  sizeof(MmrCandidate) * (Size) state->max);
	}
	candidate = &state->candidates[state->n++];
	candidate->isnull = isnull;
	candidate->id = isnull ? (Datum) 0 :
		datumCopy(id, state->typbyval, state->typlen);
	candidate->relevance = similarity(query, embedding);
	candidate->embedding = palloc(VARSIZE(embedding));
	memcpy(candidate->embedding, embedding, VARSIZE(embedding));
	MemoryContextSwitchTo(old);
}

/* Rows without an embedding or a query are passed over. */
static Datum
accumulate(FunctionCallInfo fcinfo, bool last_only)
{
	MemoryContext context;
	MmrState   *state = PG_ARGISNULL(0) ? NULL :
		(MmrState *) PG_GETARG_POINTER(0);

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (state == NULL)
		state = make_state(fcinfo, context, last_only);
	if (!PG_ARGISNULL(2) && !PG_ARGISNULL(3))
		add_candidate(state, PG_GETARG_DATUM(1), PG_ARGISNULL(1),
					  PG_GETARG_VECTOR_P(2), PG_GETARG_VECTOR_P(3));
	PG_RETURN_POINTER(state);
}

SQL_FUNCTION(mmr_accum);
Datum
mmr_accum(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, false);
}

SQL_FUNCTION(mmr_variant_accum);
Datum
mmr_variant_accum(PG_FUNCTION_ARGS)
{
	char	   *variant;
	bool		last_only = false;

	if (PG_ARGISNULL(0))
	{
		if (PG_ARGISNULL(6))
			report_null("variant");
		variant = text_to_cstring(PG_GETARG_TEXT_PP(6));
		last_only = strcmp(variant, "last") == 0;
		if (!last_only && strcmp(variant, "max") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid variant: \"%s\"", variant),
					 errhint("Available values: max, last.")));
	}
	return accumulate(fcinfo, last_only);
}

/* ---- result ---- */

/*
 * pick_next -- the candidate of the largest marginal relevance; of several the
 * first.
 *
 * picked: those picked already; penalty: NULL before the first pick.
 */
static int
pick_next(const MmrState *state, const bool *picked, const double *penalty)
{
	double		best_score = 0;
	int			best = -1;

	for (int i = 0; i < state->n; i++)
	{
		double		score = state->lambda * state->candidates[i].relevance;

		if (picked[i])
			continue;
		if (penalty != NULL)
			score -= (1 - state->lambda) * penalty[i];
		if (best < 0 || score > best_score)
		{
			best = i;
			best_score = score;
		}
	}
	return best;
}

/* Hold the candidates that are left against the one picked last. */
static void
update_penalties(const MmrState *state, const bool *picked, int last,
				 bool is_first, double *penalty)
{
	for (int i = 0; i < state->n; i++)
	{
		double		like;

		if (picked[i])
			continue;
		like = similarity(state->candidates[last].embedding,
						  state->candidates[i].embedding);
		penalty[i] = is_first || state->last_only ?
			like : Max(penalty[i], like);
	}
}

/* The state stays as it is: in a window this is called once a row. */
static Datum
pick_ids(FunctionCallInfo fcinfo)
{
	MmrState   *state = PG_ARGISNULL(0) ? NULL :
		(MmrState *) PG_GETARG_POINTER(0);
	bool	   *picked;
	double	   *penalty;
	Datum	   *ids;
	bool	   *nulls;
	int			lower = 1;
	int			n;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (state == NULL || state->n == 0)
		PG_RETURN_NULL();

	n = Min(state->k, state->n);
	picked = palloc0(sizeof(bool) * state->n);
	penalty = palloc(sizeof(double) * state->n);
	ids = palloc(sizeof(Datum) * n);
	nulls = palloc(sizeof(bool) * n);
	for (int i = 0; i < n; i++)
	{
		int			pick = pick_next(state, picked, i > 0 ? penalty : NULL);

		CHECK_FOR_INTERRUPTS();
		picked[pick] = true;
		ids[i] = state->candidates[pick].id;
		nulls[i] = state->candidates[pick].isnull;
		if (i + 1 < n)
			update_penalties(state, picked, pick, i == 0, penalty);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(ids, nulls, 1, &n, &lower,
											 state->type, state->typlen,
											 state->typbyval,
											 state->typalign));
}

SQL_FUNCTION(mmr_final);
Datum
mmr_final(PG_FUNCTION_ARGS)
{
	return pick_ids(fcinfo);
}

SQL_FUNCTION(mmr_variant_final);
Datum
mmr_variant_final(PG_FUNCTION_ARGS)
{
	return pick_ids(fcinfo);
}
