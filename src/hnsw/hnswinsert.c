/*-------------------------------------------------------------------------
 *
 * hnswinsert.c
 *	  aminsert: one row into an hnsw index.
 *
 * What the graph does with it is hnswgrow.c's business; here are the checks of
 * the value, the update lock, and what is kept between the rows of a statement.
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

/* what ii_AmCache points to, for one statement */
typedef struct InsertState
{
	HnswIndex  *index;
	HnswGrower *grower;
	MemoryContext row;			/* detoasted values; reset after each row */
} InsertState;

static InsertState *
begin_inserts(Relation index, IndexInfo *indexInfo)
{
	MemoryContext old = MemoryContextSwitchTo(indexInfo->ii_Context);
	InsertState *state = palloc0(sizeof(InsertState));

	state->index = hnsw_index_open(index);
	state->grower = hnsw_grow_begin(state->index);
	state->row = AllocSetContextCreate(indexInfo->ii_Context,
									   "hnsw insert row",
									   ALLOCSET_SMALL_SIZES);
	indexInfo->ii_AmCache = state;
	MemoryContextSwitchTo(old);
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
	const char *why;

	/* there is nothing to say to an index that is none of ours */
	if (isnull[0] && state == NULL && hnsw_index_try(index, &why) == NULL)
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
		hnsw_grow_encoded(state->grower, heap_tid);
		hnsw_unlock_update(index, false);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(state->row);

	return false;				/* not unique, so nothing to promise */
}
