/*-------------------------------------------------------------------------
 *
 * rowtid.c
 *	  The TID of a row that an Index Scan has held back for its order, where
 *	  the server forgets it.
 *
 * Our scans announce bounds of distances, so an Index Scan keeps rows in a queue
 * until it is their turn.  ExecForceStoreHeapTuple, which puts such a row into
 * the scan's slot, leaves the TID of the slot unset in minor releases of
 * PostgreSQL that came before the end of 2026: ctid is then no TID at all, and
 * FOR UPDATE, or UPDATE ... WHERE CURRENT OF, fails.  The tuple in the slot has
 * the TID.
 *
 * So on such a server each Index Scan of ours gets one more condition, which is
 * always true and sets the TID: conditions are what the executor evaluates
 * between the fetch of a row and the making of its columns.
 *
 * IDENTIFICATION
 *	  src/planner/rowtid.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "hnsw/hnsw.h"
#include "nodes/nodeFuncs.h"
#include "planner/rowtid.h"
#include "utils/rel.h"

static ExecutorStart_hook_type previous_hook;

/* Does this server forget the TID? */
static bool
is_tid_forgotten(void)
{
	TupleDesc	desc = CreateTemplateTupleDesc(1);
	TupleTableSlot *slot;
	Datum		value = Int32GetDatum(0);
	bool		isnull = false;
	HeapTuple	tuple;
	bool		result;

	TupleDescInitBuiltinEntry(desc, 1, "a", INT4OID, -1, 0);
	slot = MakeSingleTupleTableSlot(desc, &TTSOpsBufferHeapTuple);
	tuple = heap_form_tuple(desc, &value, &isnull);
	ItemPointerSet(&tuple->t_self, 0, FirstOffsetNumber);
	ExecForceStoreHeapTuple(tuple, slot, false);
	result = !ItemPointerIsValid(&slot->tts_tid);
	ExecDropSingleTupleTableSlot(slot);
	heap_freetuple(tuple);
	return result;
}

/* ExprState.evalfunc of the new condition; the scan's own are its argument. */
static Datum
set_tid(ExprState *state, ExprContext *econtext, bool *isnull)
{
	ExprState  *own = state->evalfunc_private;
	TupleTableSlot *slot = econtext->ecxt_scantuple;

	if (!ItemPointerIsValid(&slot->tts_tid))
	{
		bool		should_free;
		HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &should_free);

		slot->tts_tid = tuple->t_self;
		if (should_free)
			heap_freetuple(tuple);
	}
	if (own != NULL)
		return own->evalfunc(own, econtext, isnull);
	*isnull = false;
	return BoolGetDatum(true);
}

static bool
is_ours(const IndexScanState *scan)
{
	return scan->iss_NumOrderByKeys > 0 && scan->iss_RelationDesc != NULL &&
		scan->iss_RelationDesc->rd_indam->amcostestimate == hnswcostestimate;
}

/* For planstate_tree_walker. */
static bool
add_condition(PlanState *node, void *context)
{
	if (IsA(node, IndexScanState) && is_ours((IndexScanState *) node))
	{
		ExprState  *state = makeNode(ExprState);

		state->flags = EEO_FLAG_IS_QUAL;
		state->evalfunc = set_tid;
		state->evalfunc_private = node->qual;
		node->qual = state;
	}
	return planstate_tree_walker(node, add_condition, context);
}

/* ExecutorStart_hook */
static void
start_executor(QueryDesc *query, int eflags)
{
	MemoryContext before;

	if (previous_hook != NULL)
		previous_hook(query, eflags);
	else
		standard_ExecutorStart(query, eflags);

	before = MemoryContextSwitchTo(query->estate->es_query_cxt);
	(void) add_condition(query->planstate, NULL);
	MemoryContextSwitchTo(before);
}

void
row_tid_init(void)
{
	if (!is_tid_forgotten())
		return;
	previous_hook = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;
}
