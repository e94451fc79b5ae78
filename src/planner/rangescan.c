/*-------------------------------------------------------------------------
 *
 * rangescan.c
 *	  Running a scan of all rows within a distance.
 *
 * The index says which rows may be within the range, and leaves out none that
 * is (hnswrange.c); the rows are fetched and the whole filter is evaluated.  A
 * row that is not in the index has no vector, or under cosine a zero one, whose
 * distance is NaN.  NaN is above every number: where the condition could hold for
 * it, or where vectors are too large or small for float32, the table is read from
 * end to end instead.
 *
 * IDENTIFICATION
 *	  src/planner/rangescan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/tableam.h"
#include "commands/explain.h"
#include "compat.h"
#include COMPAT_EXPLAIN_FORMAT_H
#include "executor/executor.h"
#include "hnsw/hnsw.h"
#include "miscadmin.h"
#include "planner/range.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

typedef enum RangePhase
{
	RANGE_START,
	RANGE_BY_INDEX,
	RANGE_BY_TABLE,
	RANGE_DONE
} RangePhase;

typedef struct RangeScan
{
	CustomScanState css;		/* must be first */
	Oid			index_oid;
	Oid			comparison;
	DistanceExpr expr;
	ExprState  *key;
	ExprState  *limit_expr;
	TupleTableSlot *row;

	/* since the last rescan */
	RangePhase	phase;
	MemoryContext context;
	double		limit;
	Relation	index;			/* open: by index */
	HnswRange  *range;
	IndexFetchTableData *fetch;
	HnswRangeRows node;			/* whose rows are being fetched */
	int			next_tid;
	TableScanDesc table;		/* by table */

	/* since the start; for EXPLAIN */
	double		total_fetched;
	bool		used_table;
} RangeScan;

static Node *create_state(CustomScan *scan);
static void begin_scan(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *exec_scan(CustomScanState *node);
static void end_scan(CustomScanState *node);
static void rescan(CustomScanState *node);
static void explain_scan(CustomScanState *node, List *ancestors,
						 ExplainState *es);

const CustomScanMethods range_scan_methods = {
	.CustomName = "VectorRangeScan",
	.CreateCustomScanState = create_state
};

static const CustomExecMethods exec_methods = {
	.CustomName = "VectorRangeScan",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain_scan
};

/* ---- start ---- */

static bool
is_wanted(void *arg, double bound)
{
	RangeScan  *so = arg;

	return range_accepts(&so->expr, so->comparison, so->limit, bound);
}

/*
 * Could the condition hold for a row that the bounds rule out: one whose
 * distance is NaN, or anything?
 */
static bool
may_miss(RangeScan *so, Relation index, const void *key)
{
	if (isnan(so->limit))
		return true;
	if (so->expr.falls)
		return hnsw_may_have_nan(index) || hnsw_query_may_be_nan(index, key);
	return hnsw_may_have_odd(index) || hnsw_query_is_odd(index, key);
}

/* First call after a rescan: how will it be answered? */
static void
start(RangeScan *so)
{
	ScanState  *ss = &so->css.ss;
	ExprContext *econtext = ss->ps.ps_ExprContext;
	MemoryContext old = MemoryContextSwitchTo(so->context);
	bool		no_key;
	bool		no_limit;
	Datum		key = ExecEvalExpr(so->key, econtext, &no_key);
	Datum		limit = ExecEvalExpr(so->limit_expr, econtext, &no_limit);
	Relation	index;

	so->phase = RANGE_DONE;
	if (!no_key && !no_limit)
	{
		const void *value = PG_DETOAST_DATUM(key);

		so->limit = DatumGetFloat8(limit);
		index = index_open(so->index_oid, AccessShareLock);
		if (may_miss(so, index, value))
		{
			index_close(index, AccessShareLock);
			so->table = table_beginscan(ss->ss_currentRelation,
										ss->ps.state->es_snapshot, 0, NULL);
			so->used_table = true;
			so->phase = RANGE_BY_TABLE;
		}
		else
		{
			so->index = index;
			so->range = hnsw_range_begin(index, value, is_wanted, so);
			so->fetch = table_index_fetch_begin(ss->ss_currentRelation);
			so->phase = RANGE_BY_INDEX;
		}
	}
	MemoryContextSwitchTo(old);
}

/* ---- rows ---- */

static TupleTableSlot *
next_by_index(RangeScan *so)
{
	for (;;)
	{
		bool		call_again = false;
		MemoryContext old;
		bool		found;

		while (so->next_tid < so->node.ntids)
		{
			ItemPointer tid = &so->node.tids[so->next_tid++];

			if (table_index_fetch_tuple(so->fetch, tid,
										so->css.ss.ps.state->es_snapshot,
										so->row, &call_again, NULL))
			{
				so->total_fetched++;
				return so->row;
			}
		}
		old = MemoryContextSwitchTo(so->context);
		found = hnsw_range_next(so->range, &so->node);
		MemoryContextSwitchTo(old);
		if (!found)
			return NULL;
		so->next_tid = 0;
	}
}

/* ExecScanAccessMtd */
static TupleTableSlot *
next_row(ScanState *node)
{
	RangeScan  *so = (RangeScan *) node;
	TupleTableSlot *slot = NULL;

	if (so->phase == RANGE_START)
		start(so);
	if (so->phase == RANGE_BY_INDEX)
		slot = next_by_index(so);
	else if (so->phase == RANGE_BY_TABLE &&
			 table_scan_getnextslot(so->table, ForwardScanDirection, so->row))
		slot = so->row;
	if (slot == NULL)
	{
		so->phase = RANGE_DONE;
		return ExecClearTuple(so->row);
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
	return ExecScan(&node->ss, next_row, recheck_row);
}

/* ---- begin, rescan, end ---- */

static Node *
create_state(CustomScan *scan)
{
	RangeScan  *so = palloc0(sizeof(RangeScan));

	NodeSetTag(so, T_CustomScanState);
	so->css.methods = &exec_methods;
	so->index_oid = (Oid) intVal(linitial(scan->custom_private));
	so->comparison = (Oid) intVal(lsecond(scan->custom_private));
	distance_expr_from_list(lthird(scan->custom_private), &so->expr);
	return (Node *) so;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	RangeScan  *so = (RangeScan *) node;
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;
	ScanState  *ss = &node->ss;
	const TupleTableSlotOps *ops = table_slot_callbacks(ss->ss_currentRelation);

	/* core compiled the expressions for virtual tuples */
	ss->ps.scanopsfixed = false;
	ss->ps.scanops = ops;
	ExecAssignScanProjectionInfo(ss);
	ss->ps.qual = ExecInitQual(scan->scan.plan.qual, &ss->ps);
	so->key = ExecInitExpr(list_nth(scan->custom_exprs, RANGE_KEY), &ss->ps);
	so->limit_expr = ExecInitExpr(list_nth(scan->custom_exprs, RANGE_LIMIT),
								  &ss->ps);
	so->row = ExecAllocTableSlot(&estate->es_tupleTable,
								 RelationGetDescr(ss->ss_currentRelation),
								 ops);
	so->context = AllocSetContextCreate(estate->es_query_cxt,
										"vector range scan",
										ALLOCSET_DEFAULT_SIZES);
}

static void
reset_scan(RangeScan *so)
{
	ExecClearTuple(so->row);
	if (so->fetch != NULL)
		table_index_fetch_end(so->fetch);
	if (so->index != NULL)
		index_close(so->index, AccessShareLock);
	if (so->table != NULL)
		table_endscan(so->table);
	so->fetch = NULL;
	so->index = NULL;
	so->table = NULL;
	so->range = NULL;
	memset(&so->node, 0, sizeof(HnswRangeRows));
	so->next_tid = 0;
	so->phase = RANGE_START;
	MemoryContextReset(so->context);
}

static void
rescan(CustomScanState *node)
{
	reset_scan((RangeScan *) node);
	ExecScanReScan(&node->ss);
}

static void
end_scan(CustomScanState *node)
{
	RangeScan  *so = (RangeScan *) node;

	reset_scan(so);
	MemoryContextDelete(so->context);
}

/* ---- EXPLAIN ---- */

static void
explain_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	RangeScan  *so = (RangeScan *) node;
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;
	List	   *context = set_deparse_context_plan(es->deparse_cxt,
												   node->ss.ps.plan, ancestors);

	ExplainPropertyText("Range", deparse_expression(list_nth(scan->custom_exprs,
															 RANGE_CLAUSE),
													context,
													list_length(es->rtable) > 1 ||
													es->verbose, false), es);
	ExplainPropertyText("Index", get_rel_name(so->index_oid), es);
	ExplainPropertyText("Exact By", !es->analyze || !so->used_table ?
						"bounds of all nodes" : "the table", es);
	if (es->analyze)
		ExplainPropertyFloat("Rows Fetched", NULL, so->total_fetched, 0, es);
}
