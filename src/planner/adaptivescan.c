/*-------------------------------------------------------------------------
 *
 * adaptivescan.c
 *	  Running an adaptive scan: walk, watch, change over.
 *
 * The walk is core's Index Scan without the filter; the filter is evaluated
 * here, row by row, so the node sees how many rows fail.  Before each row it
 * is decided (adaptivestep.c) whether to go on, to let the index scan sweep
 * all nodes, or to change over to the exact plan (adaptiveexact.c).
 *
 * Rows are held back until the query's LIMIT is full: if the walk gives up
 * before, the answer is the exact one.
 *
 * IDENTIFICATION
 *	  src/planner/adaptivescan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "commands/explain.h"
#include "common/hashfn.h"
#include "compat.h"
#include COMPAT_EXPLAIN_FORMAT_H
#include "executor/executor.h"
#include "miscadmin.h"
#include "planner/adaptivestate.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* rows that have been returned, to be left out after a change-over */
typedef struct ReturnedRow
{
	uint64		key;			/* block and offset */
	char		status;
} ReturnedRow;

#define SH_PREFIX returned
#define SH_ELEMENT_TYPE ReturnedRow
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(tb, key) \
	(murmurhash32((uint32) (key)) ^ murmurhash32((uint32) ((key) >> 32)))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* rows are held back up to this limit; larger ones stream */
#define MAX_HELD			10000

static Node *create_state(CustomScan *scan);
static void begin_scan(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *exec_scan(CustomScanState *node);
static void end_scan(CustomScanState *node);
static void rescan(CustomScanState *node);
static void explain_scan(CustomScanState *node, List *ancestors,
						 ExplainState *es);

const CustomScanMethods adaptive_scan_methods = {
	.CustomName = "AdaptiveVectorScan",
	.CreateCustomScanState = create_state
};

static const CustomExecMethods exec_methods = {
	.CustomName = "AdaptiveVectorScan",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain_scan
};

/* ---- what the walk has cost ---- */

void
adaptive_walk_spent(const AdaptiveScan *so, HnswScanSpent *spent)
{
	IndexScanDesc scan = adaptive_walk_desc(so);

	memset(spent, 0, sizeof(HnswScanSpent));
	if (so->visited > 0 && scan != NULL)
		hnsw_scan_spent(scan, spent);
}

void
adaptive_note_spent(AdaptiveScan *so)
{
	HnswScanSpent spent;

	adaptive_walk_spent(so, &spent);
	so->total_hops += spent.hops;
	so->total_left_out += spent.left_out;
	if (!so->is_changed)
		so->total_hops += spent.sweep;
	if (spent.swept)
		so->total_sweeps++;
}

/* ---- rows ---- */

static uint64
tid_key(ItemPointer tid)
{
	return ((uint64) ItemPointerGetBlockNumber(tid) << 16) |
		ItemPointerGetOffsetNumber(tid);
}

TupleTableSlot *
adaptive_child_next(PlanState *child)
{
	TupleTableSlot *projected = ExecProcNode(child);

	if (TupIsNull(projected))
		return NULL;
	return ((ScanState *) child)->ss_ScanTupleSlot;
}

/*
 * The TID of a child's row.  ExecForceStoreHeapTuple of some minor releases
 * leaves it unset in the slot of a row that an Index Scan has held back for
 * its order; the tuple has it.
 */
ItemPointer
adaptive_slot_tid(TupleTableSlot *slot)
{
	if (!ItemPointerIsValid(&slot->tts_tid))
	{
		bool		should_free;
		HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &should_free);

		slot->tts_tid = tuple->t_self;
		if (should_free)
			heap_freetuple(tuple);
	}
	return &slot->tts_tid;
}

double
adaptive_distance(AdaptiveScan *so, bool *isnull)
{
	ExprContext *econtext = so->css.ss.ps.ps_ExprContext;
	Datum		value = ExecEvalExprSwitchContext(so->distance, econtext,
												  isnull);

	return *isnull ? 0 : DatumGetFloat8(value);
}

/*
 * May a walk stop where its condition fails?  Not if it is on a similarity, which
 * can be NaN and so hold for a row that comes last; nor if rows may come in
 * any order.
 */
static bool
may_stop(AdaptiveScan *so)
{
	Relation	index = index_open(so->plan.index, AccessShareLock);
	HnswScanSettings set;
	bool		isnull;
	Datum		key = ExecEvalExprSwitchContext(so->key,
												so->css.ss.ps.ps_ExprContext,
												&isnull);
	bool		result;

	hnsw_scan_settings(index, &set);
	result = set.mode != HNSW_ITERATIVE_RELAXED && !isnull &&
		(!so->plan.stop_falls ||
		 (!hnsw_may_have_nan(index) &&
		  !hnsw_query_may_be_nan(index, PG_DETOAST_DATUM(key))));
	index_close(index, AccessShareLock);
	return result;
}

/* Is the row in the expression context beyond all that count? */
static bool
is_beyond_range(AdaptiveScan *so)
{
	if (so->stop == NULL || so->never_stop ||
		ExecQual(so->stop, so->css.ss.ps.ps_ExprContext))
		return false;
	so->never_stop = !may_stop(so);
	return !so->never_stop;
}

/* Count a row, of the walk or of the exact plan's bitmap. */
static void
count_visit(AdaptiveScan *so)
{
	if (so->visited++ == 0)
		hnsw_scan_walk_on(adaptive_walk_desc(so));
	if (so->is_changed)
		so->total_read++;
	else
		so->total_visited++;
}

static void
count_rejection(AdaptiveScan *so)
{
	if (!so->is_changed)
		so->total_rejected++;
	InstrCountFiltered1(&so->css.ss.ps, 1);
}

/* Take the next step; false if it leads away from the index scan. */
static bool
take_step(AdaptiveScan *so)
{
	switch (adaptive_next_step(so))
	{
		case ADAPTIVE_GO_ON:
			break;
		case ADAPTIVE_SWEEP:
			hnsw_scan_sweep(adaptive_walk_desc(so));
			break;
		case ADAPTIVE_RESTRICT:
			adaptive_restrict(so);
			break;
		case ADAPTIVE_CHANGE:
			adaptive_change_over(so);
			break;
	}
	return so->phase != ADAPTIVE_SORTED;
}

/*
 * The next row of the index scan that passes the filter, or NULL: at its end, or
 * if the phase has changed.
 */
static TupleTableSlot *
walk_next(AdaptiveScan *so)
{
	ExprContext *econtext = so->css.ss.ps.ps_ExprContext;

	while (!so->is_beyond && take_step(so))
	{
		TupleTableSlot *slot;

		CHECK_FOR_INTERRUPTS();
		slot = adaptive_child_next(so->walk);
		if (slot == NULL)
			return NULL;
		count_visit(so);
		ResetExprContext(econtext);
		econtext->ecxt_scantuple = slot;
		if (ExecQual(so->css.ss.ps.qual, econtext))
		{
			so->passed++;
			return slot;
		}
		count_rejection(so);
		so->is_beyond = !so->is_changed && is_beyond_range(so);
	}
	return NULL;
}

/*
 * Remember that a row has left; but when work_mem has no more room, rather let
 * the walk go on to its end.
 */
static void
note_returned(AdaptiveScan *so, ItemPointer tid)
{
	bool		found;

	if (so->walk_on)
		return;
	if (so->returned == NULL)
		so->returned = returned_create(so->context, 256, NULL);
	(void) returned_insert(so->returned, tid_key(tid), &found);
	if (so->returned->size * sizeof(ReturnedRow) > (Size) work_mem * 1024)
	{
		returned_destroy(so->returned);
		so->returned = NULL;
		so->walk_on = true;
	}
}

bool
adaptive_has_returned(AdaptiveScan *so, TupleTableSlot *slot)
{
	return so->returned != NULL &&
		returned_lookup(so->returned, tid_key(adaptive_slot_tid(slot))) != NULL;
}

TupleTableSlot *
adaptive_fetch_row(AdaptiveScan *so, ItemPointer tid)
{
	if (!table_tuple_fetch_row_version(so->css.ss.ss_currentRelation, tid,
									   so->css.ss.ps.state->es_snapshot,
									   so->row))
		elog(ERROR, "row that a scan has returned is not visible any more");
	return so->row;
}

/* ---- one row after the other ---- */

/* Keep a row back. */
static void
hold_row(AdaptiveScan *so, ItemPointer tid)
{
	if (so->nheld == so->maxheld)
	{
		so->maxheld = so->maxheld == 0 ? 16 : so->maxheld * 2;
		so->held = so->held == NULL ?
			MemoryContextAlloc(so->context,
							   sizeof(ItemPointerData) * so->maxheld) :
			repalloc(so->held, sizeof(ItemPointerData) * so->maxheld);
	}
	so->held[so->nheld++] = *tid;
}

/* Walk until the limit is full, then hand out. */
static void
hold_rows(AdaptiveScan *so)
{
	while (so->nheld < (int64) so->plan.limit)
	{
		TupleTableSlot *slot = walk_next(so);

		if (slot == NULL)
			break;
		hold_row(so, adaptive_slot_tid(slot));
	}
	if (so->phase == ADAPTIVE_HOLD)
		so->phase = ADAPTIVE_HELD;
}

/* A row of the walk, returned at once. */
static TupleTableSlot *
next_streamed(AdaptiveScan *so)
{
	bool		isnull;
	TupleTableSlot *slot = walk_next(so);

	if (slot == NULL)
	{
		if (so->phase == ADAPTIVE_STREAM)
			so->phase = ADAPTIVE_DONE;
		return NULL;
	}
	note_returned(so, adaptive_slot_tid(slot));
	so->last_distance = adaptive_distance(so, &isnull);
	return slot;
}

static TupleTableSlot *
next_held(AdaptiveScan *so)
{
	TupleTableSlot *slot;
	bool		isnull;

	if (so->next_held == so->nheld)
	{
		so->phase = ADAPTIVE_STREAM;
		return NULL;
	}
	slot = adaptive_fetch_row(so, &so->held[so->next_held++]);
	note_returned(so, &slot->tts_tid);
	if (so->next_held == so->nheld)
	{
		so->css.ss.ps.ps_ExprContext->ecxt_scantuple = slot;
		so->last_distance = adaptive_distance(so, &isnull);
	}
	return slot;
}

/* ExecScanAccessMtd: the next row, before projection; NULL at the end. */
static TupleTableSlot *
next_row(ScanState *node)
{
	AdaptiveScan *so = (AdaptiveScan *) node;
	TupleTableSlot *slot = NULL;

	while (slot == NULL && so->phase != ADAPTIVE_DONE)
	{
		switch (so->phase)
		{
			case ADAPTIVE_HOLD:
				hold_rows(so);
				break;
			case ADAPTIVE_HELD:
				slot = next_held(so);
				break;
			case ADAPTIVE_STREAM:
				slot = next_streamed(so);
				break;
			case ADAPTIVE_SORTED:
				slot = adaptive_next_sorted(so);
				break;
			case ADAPTIVE_DONE:
				break;
		}
	}
	return slot;
}

/* ExecScanRecheckMtd: there is no condition beside the filter */
static bool
recheck_row(ScanState *node, TupleTableSlot *slot)
{
	return true;
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	TupleTableSlot *slot;

	/* EvalPlanQual tests one given row, which core does for us */
	if (node->ss.ps.state->es_epq_active != NULL)
		return ExecScan(&node->ss, next_row, recheck_row);

	slot = next_row(&node->ss);
	if (slot == NULL)
		return ExecClearTuple(node->ss.ps.ps_ProjInfo != NULL ?
							  node->ss.ps.ps_ResultTupleSlot :
							  node->ss.ss_ScanTupleSlot);
	if (node->ss.ps.ps_ProjInfo == NULL)
		return slot;
	ResetExprContext(econtext);
	econtext->ecxt_scantuple = slot;
	return ExecProject(node->ss.ps.ps_ProjInfo);
}

/* ---- begin, rescan, end ---- */

static Node *
create_state(CustomScan *scan)
{
	AdaptiveScan *so = palloc0(sizeof(AdaptiveScan));

	NodeSetTag(so, T_CustomScanState);
	so->css.methods = &exec_methods;
	return (Node *) so;
}

/*
 * A mode that was chosen says which rows there are: those that the walk finds.
 * Plans outlive settings, so the path that was not offered does not settle it.
 */
static bool
is_mode_chosen(const AdaptiveScan *so)
{
	Relation	index = index_open(so->plan.index, AccessShareLock);
	HnswScanSettings set;

	hnsw_scan_settings(index, &set);
	index_close(index, AccessShareLock);
	return set.mode != HNSW_ITERATIVE_AUTO;
}

static void
reset_scan(AdaptiveScan *so)
{
	adaptive_note_spent(so);
	adaptive_end_exact(so);
	MemoryContextReset(so->context);
	so->held = NULL;
	so->returned = NULL;
	so->members = NULL;
	so->walk_on = is_mode_chosen(so);
	so->no_members = so->is_changed = false;
	so->nheld = so->maxheld = so->next_held = 0;
	so->visited = so->passed = 0;
	so->is_beyond = so->never_stop = false;
	so->last_distance = -get_float8_infinity();
	so->phase = so->plan.limit > 0 && so->plan.limit <= MAX_HELD ?
		ADAPTIVE_HOLD : ADAPTIVE_STREAM;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	AdaptiveScan *so = (AdaptiveScan *) node;
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;
	ScanState  *ss = &node->ss;

	adaptive_plan_from_list(scan->custom_private, &so->plan);
	so->context = AllocSetContextCreate(estate->es_query_cxt,
										"adaptive vector scan",
										ALLOCSET_DEFAULT_SIZES);
	so->walk = ExecInitNode(list_nth(scan->custom_plans, ADAPTIVE_WALK),
							estate, eflags);
	so->exact = ExecInitNode(list_nth(scan->custom_plans, ADAPTIVE_EXACT),
							 estate, eflags);
	node->custom_ps = list_make2(so->walk, so->exact);

	/*
	 * Core compiled the expressions for virtual tuples.  Rows come as they
	 * are in the children's slots, or from EvalPlanQual: of any kind.
	 */
	ss->ps.scanopsfixed = false;
	ss->ps.scanops = table_slot_callbacks(ss->ss_currentRelation);
	ExecAssignScanProjectionInfo(ss);
	ss->ps.qual = ExecInitQual(scan->scan.plan.qual, &ss->ps);
	so->distance = ExecInitExpr(list_nth(scan->custom_exprs,
										 ADAPTIVE_DISTANCE), &ss->ps);
	so->key = ExecInitExpr(list_nth(scan->custom_exprs, ADAPTIVE_KEY),
						   &ss->ps);
	so->value = ExecInitExpr(list_nth(scan->custom_exprs, ADAPTIVE_VALUE),
							 &ss->ps);
	if (list_length(scan->custom_exprs) > ADAPTIVE_STOP)
		so->stop = ExecInitQual(list_make1(list_nth(scan->custom_exprs,
													ADAPTIVE_STOP)),
								&ss->ps);
	so->row = ExecAllocTableSlot(&estate->es_tupleTable,
								 RelationGetDescr(ss->ss_currentRelation),
								 table_slot_callbacks(ss->ss_currentRelation));
	reset_scan(so);
}

static void
rescan(CustomScanState *node)
{
	AdaptiveScan *so = (AdaptiveScan *) node;
	ListCell   *lc;

	ExecClearTuple(so->row);
	reset_scan(so);
	foreach(lc, node->custom_ps)
	{
		PlanState  *child = lfirst(lc);

		if (node->ss.ps.chgParam != NULL)
			UpdateChangedParamSet(child, node->ss.ps.chgParam);
		if (child->chgParam == NULL)
			ExecReScan(child);
	}
	ExecScanReScan(&node->ss);
}

static void
end_scan(CustomScanState *node)
{
	AdaptiveScan *so = (AdaptiveScan *) node;

	reset_scan(so);
	MemoryContextDelete(so->context);
	ExecEndNode(so->walk);
	ExecEndNode(so->exact);
}

/* ---- EXPLAIN ---- */

static void
explain_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	AdaptiveScan *so = (AdaptiveScan *) node;
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;
	List	   *context = set_deparse_context_plan(es->deparse_cxt,
												  node->ss.ps.plan, ancestors);

	ExplainPropertyText("Order By",
						deparse_expression(linitial(scan->custom_exprs),
										   context,
										   list_length(es->rtable) > 1 ||
										   es->verbose, false), es);
	if (!es->analyze)
		return;
	adaptive_note_spent(so);
	ExplainPropertyFloat("Exact Plan Price", "hops", so->plan.exact_price, 0,
						 es);
	ExplainPropertyFloat("Hops", NULL, so->total_hops, 0, es);
	ExplainPropertyFloat("Rows Visited", NULL, so->total_visited, 0, es);
	ExplainPropertyFloat("Rows Rejected", NULL, so->total_rejected, 0, es);
	ExplainPropertyText("Ended By",
						so->total_changes > so->total_member_sweeps ?
						"exact plan" :
						so->total_sweeps > 0 ? "sweep" :
						so->is_beyond ? "range" : "graph", es);
	if (so->total_changes > 0)
		ExplainPropertyFloat("Changes to Exact Plan", NULL,
							 so->total_changes, 0, es);
	if (so->total_exact_rows > 0)
		ExplainPropertyFloat("Rows Sorted", NULL, so->total_exact_rows, 0,
							 es);
	if (so->total_members > 0)
		ExplainPropertyFloat("Bitmap Rows", NULL, so->total_members, 0, es);
	if (so->total_members > 0 && so->total_changes > 0)
		ExplainPropertyFloat("Bitmap Rows Read", NULL, so->total_read, 0, es);
	if (so->total_lossy > 0)
		ExplainPropertyFloat("Lossy Bitmap Pages", NULL, so->total_lossy, 0,
							 es);
	if (so->total_restricted > 0)
	{
		ExplainPropertyText("Membership Test", "graph", es);
		ExplainPropertyFloat("Nodes Left Out", NULL, so->total_left_out, 0,
							 es);
	}
}
