/*-------------------------------------------------------------------------
 *
 * nearest.c
 *	  Aggregates nearest_agg and nearest_agg_json: the k ids of least distance.
 *
 * The state is a heap of at most k ids whose root is the farthest, so a group
 * of any size costs k places.  Final functions leave the state as it is: in a
 * window they are called once a row.
 *
 * IDENTIFICATION
 *	  src/func/nearest.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "nodes/makefuncs.h"
#include "type/sqlfunction.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct NearestItem
{
	double		distance;
	int64		order;			/* of equally far ones the first seen is nearer */
	Datum		id;
	bool		isnull;
} NearestItem;

typedef struct NearestState
{
	/* set once */
	MemoryContext context;		/* of the group */
	Oid			type;			/* of the ids */
	int16		typlen;
	bool		typbyval;
	char		typalign;
	int			k;

	/* moves with each row */
	int64		nseen;
	NearestItem *heap;
	int			n;
	int			max;			/* room in heap[] */
} NearestState;

#define MIN_ROOM	16

/* ---- the state ---- */

static NearestState *
make_state(MemoryContext context, Oid type, int k)
{
	NearestState *state;

	if (k < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be at least 1")));
	state = MemoryContextAllocZero(context, sizeof(NearestState));
	state->context = context;
	state->type = type;
	get_typlenbyvalalign(type, &state->typlen, &state->typbyval,
						 &state->typalign);
	state->k = k;
	state->max = Min(k, MIN_ROOM);
	state->heap = MemoryContextAlloc(context,
									 sizeof(NearestItem) * state->max);
	return state;
}

static inline bool
is_farther(const NearestItem *a, const NearestItem *b)
{
	return a->distance > b->distance ||
		(a->distance == b->distance && a->order > b->order);
}

static void
sift_up(NearestState *state, NearestItem item)
{
	int			i = state->n++;

	while (i > 0 && is_farther(&item, &state->heap[(i - 1) / 2]))
	{
		state->heap[i] = state->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	state->heap[i] = item;
}

/* Put an item where the root was. */
static void
replace_root(NearestState *state, NearestItem item)
{
	int			i = 0;

	for (;;)
	{
		int64		child = 2 * (int64) i + 1;

		if (child >= state->n)
			break;
		if (child + 1 < state->n &&
			is_farther(&state->heap[child + 1], &state->heap[child]))
			child++;
		if (is_farther(&item, &state->heap[child]))
			break;
		state->heap[i] = state->heap[child];
		i = child;
	}
	state->heap[i] = item;
}

static void
forget_id(NearestState *state, const NearestItem *item)
{
	if (!state->typbyval && !item->isnull)
		pfree(DatumGetPointer(item->id));
}

/*
 * add_item -- consider one row.
 *
 * Memory: the id is copied, if it is kept, into the group's context.
 */
static void
add_item(NearestState *state, Datum id, bool isnull, double distance)
{
	NearestItem item = {distance, state->nseen++, id, isnull};
	MemoryContext old;

	if (state->n == state->k && !is_farther(&state->heap[0], &item))
		return;

	old = MemoryContextSwitchTo(state->context);
	if (!isnull)
		item.id = datumCopy(id, state->typbyval, state->typlen);
	if (state->n == state->k)
	{
		forget_id(state, &state->heap[0]);
		replace_root(state, item);
	}
	else
	{
		if (state->n == state->max)
		{
			state->max = Min((int64) state->max * 2, state->k);
			state->heap = repalloc_huge(state->heap,
										sizeof(NearestItem) * (Size) state->max);
		}
		sift_up(state, item);
	}
	MemoryContextSwitchTo(old);
}

static int
compare_items(const void *a, const void *b)
{
	return is_farther(a, b) ? 1 : -1;
}

/* The items, nearest first; memory in the current context. */
static NearestItem *
sorted_items(const NearestState *state)
{
	Size		nbytes = sizeof(NearestItem) * (Size) state->n;
	NearestItem *items = MemoryContextAllocHuge(CurrentMemoryContext, nbytes);

	memcpy(items, state->heap, nbytes);
	qsort(items, state->n, sizeof(NearestItem), compare_items);
	return items;
}

/* ---- rows in, states together ---- */

static MemoryContext
group_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

SQL_FUNCTION(nearest_accum);
Datum
nearest_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = group_context(fcinfo);
	NearestState *state = PG_ARGISNULL(0) ? NULL :
		(NearestState *) PG_GETARG_POINTER(0);

	if (state == NULL)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 1);

		if (!OidIsValid(type))
			elog(ERROR, "could not determine the type of the id");
		if (PG_ARGISNULL(3))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("k must not be null")));
		state = make_state(context, type, PG_GETARG_INT32(3));
	}
	if (!PG_ARGISNULL(2) && !isnan(PG_GETARG_FLOAT8(2)))
		add_item(state, PG_GETARG_DATUM(1), PG_ARGISNULL(1),
				 PG_GETARG_FLOAT8(2));
	PG_RETURN_POINTER(state);
}

SQL_FUNCTION(nearest_combine);
Datum
nearest_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = group_context(fcinfo);
	NearestState *state = PG_ARGISNULL(0) ? NULL :
		(NearestState *) PG_GETARG_POINTER(0);
	NearestState *other = PG_ARGISNULL(1) ? NULL :
		(NearestState *) PG_GETARG_POINTER(1);
	NearestItem *items;

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = make_state(context, other->type, other->k);

	items = sorted_items(other);
	for (int i = 0; i < other->n; i++)
		add_item(state, items[i].id, items[i].isnull, items[i].distance);
	pfree(items);
	PG_RETURN_POINTER(state);
}

/*
 * nearest_serialize -- type, k, number; then distance and id of each, nearest
 * first.  It is read by a process of the same server.
 */
SQL_FUNCTION(nearest_serialize);
Datum
nearest_serialize(PG_FUNCTION_ARGS)
{
	NearestState *state = (NearestState *) PG_GETARG_POINTER(0);
	NearestItem *items = sorted_items(state);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint32(&buf, state->type);
	pq_sendint32(&buf, state->k);
	pq_sendint32(&buf, state->n);
	for (int i = 0; i < state->n; i++)
	{
		Size		nbytes = datumEstimateSpace(items[i].id, items[i].isnull,
												state->typbyval, state->typlen);
		char	   *end;

		pq_sendfloat8(&buf, items[i].distance);
		pq_sendint32(&buf, nbytes);
		enlargeStringInfo(&buf, nbytes);
		end = buf.data + buf.len;
		datumSerialize(items[i].id, items[i].isnull, state->typbyval,
					   state->typlen, &end);
		buf.len = end - buf.data;
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

SQL_FUNCTION(nearest_deserialize);
Datum
nearest_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buf;
	NearestState *state;
	Oid			type;
	int			k;
	int			n;

	group_context(fcinfo);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));

	type = pq_getmsgint(&buf, sizeof(int32));
	k = pq_getmsgint(&buf, sizeof(int32));
	n = pq_getmsgint(&buf, sizeof(int32));
	state = make_state(CurrentMemoryContext, type, k);
	for (int i = 0; i < n; i++)
	{
		double		distance = pq_getmsgfloat8(&buf);
		int			nbytes = pq_getmsgint(&buf, sizeof(int32));
		char	   *start = (char *) pq_getmsgbytes(&buf, nbytes);
		bool		isnull;
		Datum		id = datumRestore(&start, &isnull);

		add_item(state, id, isnull, distance);
	}
	pq_getmsgend(&buf);
	pfree(buf.data);
	PG_RETURN_POINTER(state);
}

/* ---- results ---- */

SQL_FUNCTION(nearest_final);
Datum
nearest_final(PG_FUNCTION_ARGS)
{
	NearestState *state = PG_ARGISNULL(0) ? NULL :
		(NearestState *) PG_GETARG_POINTER(0);
	NearestItem *items;
	Datum	   *ids;
	bool	   *nulls;
	int			lower = 1;

	group_context(fcinfo);
	if (state == NULL || state->n == 0)
		PG_RETURN_NULL();

	items = sorted_items(state);
	ids = MemoryContextAllocHuge(CurrentMemoryContext,
								 sizeof(Datum) * (Size) state->n);
	nulls = MemoryContextAllocHuge(CurrentMemoryContext,
								   sizeof(bool) * (Size) state->n);
	for (int i = 0; i < state->n; i++)
	{
		ids[i] = items[i].id;
		nulls[i] = items[i].isnull;
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(ids, nulls, 1, &state->n, &lower,
											 state->type, state->typlen,
											 state->typbyval,
											 state->typalign));
}

/*
 * prepare_to_jsonb -- core's to_jsonb, ready to be called with values of a type.
 */
static void
prepare_to_jsonb(FmgrInfo *function, Oid type)
{
	List	   *args = list_make1(makeNullConst(type, -1, InvalidOid));

	fmgr_info(F_TO_JSONB, function);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSONB, JSONBOID, args,
											 InvalidOid, InvalidOid,
											 COERCE_EXPLICIT_CALL), function);
}

static void
append_jsonb(StringInfo text, FmgrInfo *to_jsonb, Datum value)
{
	Jsonb	   *jsonb = DatumGetJsonbP(FunctionCall1(to_jsonb, value));

	JsonbToCString(text, &jsonb->root, VARSIZE(jsonb));
}

SQL_FUNCTION(nearest_json_final);
Datum
nearest_json_final(PG_FUNCTION_ARGS)
{
	NearestState *state = PG_ARGISNULL(0) ? NULL :
		(NearestState *) PG_GETARG_POINTER(0);
	NearestItem *items;
	FmgrInfo	id_to_jsonb;
	FmgrInfo	distance_to_jsonb;
	StringInfoData text;

	group_context(fcinfo);
	if (state == NULL || state->n == 0)
		PG_RETURN_NULL();

	items = sorted_items(state);
	prepare_to_jsonb(&id_to_jsonb, state->type);
	prepare_to_jsonb(&distance_to_jsonb, FLOAT8OID);
	initStringInfo(&text);
	for (int i = 0; i < state->n; i++)
	{
		appendStringInfoString(&text, i == 0 ? "[[" : ", [");
		if (items[i].isnull)
			appendStringInfoString(&text, "null");
		else
			append_jsonb(&text, &id_to_jsonb, items[i].id);
		appendStringInfoString(&text, ", ");
		append_jsonb(&text, &distance_to_jsonb,
					 Float8GetDatum(items[i].distance));
		appendStringInfoChar(&text, ']');
	}
	appendStringInfoChar(&text, ']');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
}
