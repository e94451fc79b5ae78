/*-------------------------------------------------------------------------
 *
 * hnswinsert.c
 *	  aminsert: one row into an hnsw index.
 *
 * What the graph does with it is hnswgrow.c's business; here are the checks of
 * the value, the update lock, and what is kept between rows and statements.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswinsert.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnsw.h"
#include "hnsw/hnswgrow.h"
#include "utils/memutils.h"

/*
 * States that wait for the next statement, which saves a statement of one row
 * a tenth of its time: opening the index, and a heap that shrinks and grows
 * again.  Chosen: few tables have more vector indexes, and a large state is
 * that of an index whose rows take longer.
 */
#define MAX_KEPT			4
#define MAX_KEPT_BYTES		(1024 * 1024)

/* what ii_AmCache points to: of one statement at a time */
typedef struct InsertState
{
	MemoryContext context;		/* of all this; outlives the statement */
	Oid			relid;
	HnswIndex  *index;
	HnswGrower *grower;
	MemoryContext row;			/* detoasted values; reset after each row */
	bool		in_row;			/* an error leaves it set */
	MemoryContextCallback at_end;	/* of the statement */
} InsertState;

static InsertState *kept[MAX_KEPT];

/* The statement has ended, well or not: keep its state or free it. */
static void
end_inserts(void *arg)
{
	static int	oldest = 0;
	InsertState *state = arg;
	int			i = 0;

	MemoryContextReset(state->row);
	if (state->in_row ||
		MemoryContextMemAllocated(state->context, true) > MAX_KEPT_BYTES)
	{
		MemoryContextDelete(state->context);
		return;
	}

	while (i < MAX_KEPT && kept[i] != NULL)
		i++;
	if (i == MAX_KEPT)
	{
		i = oldest;
		oldest = (oldest + 1) % MAX_KEPT;
		MemoryContextDelete(kept[i]->context);
	}
	kept[i] = state;
}

/* A state kept for this index, if it still is one of the same file; or NULL. */
static InsertState *
take_kept(Relation index)
{
	for (int i = 0; i < MAX_KEPT; i++)
	{
		InsertState *state = kept[i];
		bool		same;

		if (state == NULL || state->relid != RelationGetRelid(index))
			continue;
		same = hnsw_index_reopen(state->index, index);
		kept[i] = NULL;
		if (same)
			return state;
		MemoryContextDelete(state->context);
	}
	return NULL;
}

static InsertState *
create_state(Relation index)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw inserts",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	InsertState *state = palloc0(sizeof(InsertState));

	state->context = context;
	state->relid = RelationGetRelid(index);
	state->index = hnsw_index_open(index);
	state->grower = hnsw_grow_begin(state->index);
	state->row = AllocSetContextCreate(context, "hnsw insert row",
									   ALLOCSET_SMALL_SIZES);
	state->at_end.func = end_inserts;
	state->at_end.arg = state;
	MemoryContextSwitchTo(old);

	/* nothing can fail any more */
	MemoryContextSetParent(context, CacheMemoryContext);
	return state;
}

static InsertState *
begin_inserts(Relation index, IndexInfo *indexInfo)
{
	InsertState *state = take_kept(index);

	if (state == NULL)
		state = create_state(index);
	MemoryContextRegisterResetCallback(indexInfo->ii_Context, &state->at_end);
	indexInfo->ii_AmCache = state;
	return state;
}

/*
 * Detoast and check a value.  The type of the column may have lost its
 * dimensions since the index was built (H94): the metapage counts.
 */
static const void *
load_value(InsertState *state, Datum datum)
{
	const HnswSpace *space = &state->index->space;
	const void *value = PG_DETOAST_DATUM(datum);

	vector_metric_check_dims(space->metric, space->dim,
							 space->metric->dim(value));
	if (space->metric->check != NULL)
		space->metric->check(value);
	return value;
}

/*
 * hnswinsert -- aminsert.
 *
 * Locks: U in share mode from the first read of the graph to the end, so that
 * VACUUM can wait for those who may still link to a node it wants to free.  An
 * error leaves nothing to clean up: the row is dead, the resource owner
 * releases U.
 */
bool
hnswinsert(Relation index, Datum *values, bool *isnull, ItemPointer heap_tid,
		   Relation heap, IndexUniqueCheck checkUnique, bool indexUnchanged,
		   IndexInfo *indexInfo)
{
	InsertState *state = indexInfo->ii_AmCache;
	MemoryContext old;
	const void *value;
	HnswFault	fault;

	/* there is nothing to say to an index that is none of ours */
	if (isnull[0] && state == NULL &&
		hnsw_index_examine(index, &fault) == NULL)
		return false;
	if (state == NULL)
		state = begin_inserts(index, indexInfo);
	state->index->rel = index;
	if (isnull[0])
	{
		hnsw_index_note_gaps(state->index, HNSW_GAP_NULL);
		return false;
	}

	old = MemoryContextSwitchTo(state->row);
	value = load_value(state, values[0]);
	hnsw_index_note_gaps(state->index,
						 hnsw_space_gap(&state->index->space, value));
	if (hnsw_grow_encode(state->grower, value))
	{
		hnsw_lock_update(index, false);
		HNSW_POINT("insert-after-lock");
		state->in_row = true;
		hnsw_grow_encoded(state->grower, heap_tid);
		state->in_row = false;
		hnsw_unlock_update(index, false);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->row);

	return false;				/* not unique, so nothing to promise */
}

bool
hnsw_is_indexed(Relation rel, Datum value)
{
	const HnswSpace *space = &hnsw_index_open(rel)->space;
	const void *detoasted = PG_DETOAST_DATUM(value);

	return space->metric->dim(detoasted) == space->dim &&
		hnsw_space_gap(space, detoasted) != HNSW_GAP_ZERO;
}
