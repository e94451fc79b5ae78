/*-------------------------------------------------------------------------
 *
 * adaptivescan.c
 *	  Running an adaptive scan: walk, watch, change over.
 *
 * The walk is core's Index Scan without the filter; the filter is evaluated
 * here, row by row, so the node sees how many rows fail.  When what the walk
 * has cost passes the price of the exact plan, or is sure to, the exact
 * plan runs to its end, its rows are sorted by distance, and those that have
 * been returned are left out.  As in ski rental, whoever changes over when the
 * rent has reached the price pays at most twice what was best.
 *
 * If the exact plan is a bitmap heap scan, only its bitmap is made.  How many
 * members it has then says whether their heap rows are read, as that plan
 * would, or the flat pages are swept.
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

#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "common/hashfn.h"
#include "compat.h"
#include COMPAT_EXPLAIN_FORMAT_H
#include "executor/executor.h"
#include "hnsw/hnsw.h"
#include "lib/pairingheap.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "planner/adaptive.h"
#include "planner/tidmembers.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

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

typedef enum AdaptivePhase
{
	ADAPTIVE_HOLD,				/* walking; rows are held back */
	ADAPTIVE_HELD,				/* handing out what was held */
	ADAPTIVE_STREAM,			/* walking; rows are returned as they come */
	ADAPTIVE_SORTED,			/* handing out the exact plan's rows */
	ADAPTIVE_SWEPT,				/* handing out members of the bitmap */
	ADAPTIVE_DONE
} AdaptivePhase;

/* a row whose distance is known, waiting for its turn */
typedef struct WaitingRow
{
	pairingheap_node node;
	double		distance;
	ItemPointerData tid;
} WaitingRow;

/* a sweep of the flat pages under way */
typedef struct AdaptiveSweep
{
	Relation	index;
	TidMembers *members;
	HnswSweep  *sweep;
	HnswSweepRow row;			/* the last node */
	bool		at_end;
	IndexFetchTableData *fetch;
	pairingheap *waiting;		/* by distance */
	pairingheap *late;			/* those nearer than a row that has left */
} AdaptiveSweep;

typedef struct AdaptiveScan
{
	CustomScanState css;		/* must be first */
	AdaptivePlan plan;
	PlanState  *walk;
	PlanState  *exact;
	ExprState  *distance;		/* of the row in the expression context */
	ExprState  *key;			/* the query vector */
	ExprState  *stop;			/* no row beyond the first that fails; or NULL */
	ExprState  *value;			/* what the index has of a row */
	TupleTableSlot *row;		/* a row fetched by its TID */

	/* moves during a scan */
	AdaptivePhase phase;
	MemoryContext context;		/* held, returned, sort */
	ItemPointerData *held;
	int64		nheld;
	int64		maxheld;
	int64		next_held;
	returned_hash *returned;
	bool		walk_on;		/* they outgrew work_mem: no change-over */
	double		last_distance;	/* of the last row returned */
	Tuplesortstate *sort;
	TupleTableSlot *sort_slot;
	AdaptiveSweep *sweep;

	bool		is_beyond;		/* the walk has met a row that fails 'stop' */
	bool		never_stop;

	/* since the last rescan; for the decision */
	double		visited;
	double		passed;

	/* since the start; for EXPLAIN */
	double		total_hops;
	double		total_visited;
	double		total_rejected;
	double		total_changes;
	double		total_exact_rows;
	double		total_sweeps;
	double		total_members;	/* of the bitmaps that were used */
	double		total_read;		/* members whose heap rows were read */
} AdaptiveScan;

/* rows are held back up to this limit; larger ones stream */
#define MAX_HELD			10000

/*
 * A walk is judged from this row on: those of the first look-ahead have been
 * paid for when the first of them comes.
 */
#define MIN_VISITS			12

/* the planner's selectivity counts as much as this many rows seen */
#define PRIOR_ROWS			20.0

/* columns of the sort */
#define SORT_LATE			1	/* comes after its place: at the end */
#define SORT_DISTANCE		2
#define SORT_TID			3
#define SORT_COLUMNS		3

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

/* ---- the decision ---- */

/* Nodes that the walk has read since the last rescan. */
static void
walk_spent(const AdaptiveScan *so, HnswScanSpent *spent)
{
	IndexScanDesc scan = castNode(IndexScanState, so->walk)->iss_ScanDesc;

	memset(spent, 0, sizeof(HnswScanSpent));
	if (so->visited > 0 && scan != NULL)
		hnsw_scan_spent(scan, spent);
}

/*
 * The share of rows that pass, as seen so far.  Until there is enough to see,
 * the planner's opinion counts, like so many rows.
 */
static double
pass_rate(const AdaptiveScan *so)
{
	return (so->passed + PRIOR_ROWS * so->plan.selectivity) /
		(so->visited + PRIOR_ROWS);
}

/*
 * Has the walk cost, or will it surely cost, more than the exact plan?
 *
 * An eighth of the price is enough to see that it will be passed twice over.
 * A walk that has used it up goes on only if it is about to end.  One that has used half its memory and needs to go as far again would end in a
 * sweep of all nodes, which no exact plan is as bad as.
 */
static bool
should_change_over(const AdaptiveScan *so)
{
	double		price = so->plan.exact_price;
	double		wanted = so->plan.limit - so->passed;
	double		paid;
	double		rows;
	double		to_pay;
	HnswScanSpent spent;

	if (so->walk_on || so->visited < MIN_VISITS)
		return false;
	walk_spent(so, &spent);
	paid = spent.hops + so->plan.row_price * so->visited;
	if (wanted <= 0)
		return paid >= price || spent.memory > 0.5;
	rows = wanted / pass_rate(so);
	to_pay = paid / so->visited * rows;
	if (paid >= price)
		return to_pay > price / 4;
	return (paid >= price / 8 && to_pay > 2 * price) ||
		(spent.memory > 0.5 && rows > so->visited);
}

/* ---- rows ---- */

static uint64
tid_key(ItemPointer tid)
{
	return ((uint64) ItemPointerGetBlockNumber(tid) << 16) |
		ItemPointerGetOffsetNumber(tid);
}

/*
 * The next row of a child as it is in the table, or NULL.  The children return
 * no column, for a row that is projected has no TID, and whether the executor
 * projects depends on what has become of the table's columns.
 */
static TupleTableSlot *
child_next(PlanState *child)
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
static ItemPointer
slot_tid(TupleTableSlot *slot)
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

static double
row_distance(AdaptiveScan *so, bool *isnull)
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

/* The next row of the walk that passes the filter, or NULL at its end. */
static TupleTableSlot *
walk_next(AdaptiveScan *so, bool *changed)
{
	ExprContext *econtext = so->css.ss.ps.ps_ExprContext;

	*changed = false;
	for (;;)
	{
		TupleTableSlot *slot;

		CHECK_FOR_INTERRUPTS();
		if (so->is_beyond)
			return NULL;
		if (should_change_over(so))
		{
			*changed = true;
			return NULL;
		}
		slot = child_next(so->walk);
		if (slot == NULL)
			return NULL;
		so->visited++;
		so->total_visited++;
		ResetExprContext(econtext);
		econtext->ecxt_scantuple = slot;
		if (ExecQual(so->css.ss.ps.qual, econtext))
		{
			so->passed++;
			return slot;
		}
		so->total_rejected++;
		InstrCountFiltered1(&so->css.ss.ps, 1);
		so->is_beyond = is_beyond_range(so);
	}
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

static bool
has_returned(AdaptiveScan *so, TupleTableSlot *slot)
{
	return so->returned != NULL &&
		returned_lookup(so->returned, tid_key(slot_tid(slot))) != NULL;
}

static TupleTableSlot *
fetch_row(AdaptiveScan *so, ItemPointer tid)
{
	if (!table_tuple_fetch_row_version(so->css.ss.ss_currentRelation, tid,
									   so->css.ss.ps.state->es_snapshot,
									   so->row))
		elog(ERROR, "row that a scan has returned is not visible any more");
	return so->row;
}

/* ---- the exact plan ---- */

/*
 * Returns the slot for rows to be sorted.  Nothing is late where nothing has
 * left; one key is much faster than two.
 */
static TupleTableSlot *
begin_sort(AdaptiveScan *so)
{
	MemoryContext old = MemoryContextSwitchTo(so->context);
	TupleDesc	desc = CreateTemplateTupleDesc(SORT_COLUMNS);
	TupleTableSlot *input;
	AttrNumber	columns[] = {SORT_LATE, SORT_DISTANCE};
	Oid			operators[2];
	Oid			collations[] = {InvalidOid, InvalidOid};
	bool		nulls_first[] = {false, false};
	int			skip = so->returned == NULL ? 1 : 0;

	operators[0] = lookup_type_cache(BOOLOID, TYPECACHE_LT_OPR)->lt_opr;
	operators[1] = lookup_type_cache(FLOAT8OID, TYPECACHE_LT_OPR)->lt_opr;
	TupleDescInitEntry(desc, SORT_LATE, "late", BOOLOID, -1, 0);
	TupleDescInitEntry(desc, SORT_DISTANCE, "distance", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, SORT_TID, "tid", TIDOID, -1, 0);
	compat_tupdesc_finalize(desc);
	so->sort_slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	so->sort = tuplesort_begin_heap(desc, lengthof(columns) - skip,
									columns + skip, operators + skip,
									collations, nulls_first,
									work_mem, NULL, TUPLESORT_NONE);
	input = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	MemoryContextSwitchTo(old);
	return input;
}

static void
end_sort(AdaptiveScan *so, TupleTableSlot *input)
{
	ExecDropSingleTupleTableSlot(input);
	tuplesort_performsort(so->sort);
	so->phase = ADAPTIVE_SORTED;
}

/*
 * Is the row in the expression context in the index?  Not if its value is
 * NULL, or has no direction under cosine.
 */
static bool
row_is_indexed(AdaptiveScan *so)
{
	ExprContext *econtext = so->css.ss.ps.ps_ExprContext;
	bool		isnull;
	Datum		value = ExecEvalExprSwitchContext(so->value, econtext, &isnull);
	Relation	index;
	MemoryContext old;
	bool		result;

	if (isnull)
		return false;
	index = index_open(so->plan.index, AccessShareLock);
	old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
	result = hnsw_is_indexed(index, value);
	MemoryContextSwitchTo(old);
	index_close(index, AccessShareLock);
	return result;
}

/* Put a row into the sort, unless it has left or is not in the index. */
static void
sort_row(AdaptiveScan *so, TupleTableSlot *slot, TupleTableSlot *input)
{
	ExprContext *econtext = so->css.ss.ps.ps_ExprContext;
	bool		isnull;
	double		distance;

	if (has_returned(so, slot))
		return;
	ResetExprContext(econtext);
	econtext->ecxt_scantuple = slot;
	distance = row_distance(so, &isnull);

	/*
	 * The walk leaves out what is not indexed, so the same rows are left out
	 * here, or it would depend on the change-over who is in the answer.  Only
	 * rows without a distance need a look; all are, to a search for NULL or
	 * for the zero vector.
	 */
	if ((isnull || isnan(distance)) && !row_is_indexed(so))
		return;

	ExecClearTuple(input);
	input->tts_values[SORT_LATE - 1] =
		BoolGetDatum(distance < so->last_distance);
	input->tts_values[SORT_DISTANCE - 1] = Float8GetDatum(distance);
	input->tts_values[SORT_TID - 1] = PointerGetDatum(slot_tid(slot));
	memset(input->tts_isnull, false, sizeof(bool) * SORT_COLUMNS);
	ExecStoreVirtualTuple(input);
	tuplesort_puttupleslot(so->sort, input);
	so->total_exact_rows++;
}

static void
sort_exact_plan(AdaptiveScan *so)
{
	TupleTableSlot *input = begin_sort(so);
	TupleTableSlot *slot;

	while ((slot = child_next(so->exact)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		sort_row(so, slot, input);
	}
	end_sort(so, input);
}

/* ---- by the bitmap ---- */

/*
 * Read the heap row of a member of the bitmap into so->row, and the expression
 * context.  False if there is none that we can see and that passes the filter.
 */
static bool
fetch_member(AdaptiveScan *so, IndexFetchTableData *fetch, ItemPointer tid)
{
	ExprContext *econtext = so->css.ss.ps.ps_ExprContext;
	bool		call_again = false;

	if (!table_index_fetch_tuple(fetch, tid, so->css.ss.ps.state->es_snapshot,
								 so->row, &call_again, NULL))
		return false;
	so->total_read++;
	ResetExprContext(econtext);
	econtext->ecxt_scantuple = so->row;
	return ExecQual(so->css.ss.ps.qual, econtext);
}

static int
compare_waiting(const pairingheap_node *a, const pairingheap_node *b,
				void *arg)
{
	const WaitingRow *x = pairingheap_const_container(WaitingRow, node, a);
	const WaitingRow *y = pairingheap_const_container(WaitingRow, node, b);

	return -float8_cmp_internal(x->distance, y->distance);
}

static bool
is_member(void *arg, ItemPointer tid)
{
	return tid_members_has(arg, tid);
}

/* The bitmap of the exact plan. */
static TIDBitmap *
make_bitmap(AdaptiveScan *so)
{
	TIDBitmap  *bitmap;

	/* we pass the plan's head by, which would tell its child what changed */
	if (so->exact->chgParam != NULL)
		ExecReScan(so->exact);

	/* in the query's context: index scans keep what they allocate meanwhile */
	bitmap = (TIDBitmap *) MultiExecProcNode(outerPlanState(so->exact));
	if (bitmap == NULL || !IsA(bitmap, TIDBitmap))
		elog(ERROR, "unrecognized result from subplan");
	return bitmap;
}

/*
 * Read the heap rows of a bitmap without lossy pages, and sort those that pass
 * the filter.
 */
static void
sort_bitmap_rows(AdaptiveScan *so, TIDBitmap *bitmap)
{
	Relation	table = so->css.ss.ss_currentRelation;
	IndexFetchTableData *fetch = table_index_fetch_begin(table);
	TupleTableSlot *input = begin_sort(so);
	CompatTbmIterator iterator;
	CompatTbmPage page;

	compat_tbm_begin(bitmap, &iterator);
	while (compat_tbm_next(&iterator, &page))
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < page.ntuples; i++)
		{
			ItemPointerData tid;

			ItemPointerSet(&tid, page.block, page.offsets[i]);
			if (fetch_member(so, fetch, &tid))
				sort_row(so, so->row, input);
		}
	}
	compat_tbm_end(&iterator);
	table_index_fetch_end(fetch);
	end_sort(so, input);
}

/*
 * Sweep the flat pages for the members of a bitmap.  False if that cannot be
 * done: the set is too large, or the index has no codes.
 */
static bool
begin_sweep(AdaptiveScan *so, TIDBitmap *bitmap)
{
	ExprContext *econtext = so->css.ss.ps.ps_ExprContext;
	MemoryContext old = MemoryContextSwitchTo(so->context);
	AdaptiveSweep *sweep = palloc0(sizeof(AdaptiveSweep));
	bool		isnull;
	Datum		key;

	sweep->members = tid_members_from_bitmap(so->css.ss.ss_currentRelation,
											 bitmap, (Size) work_mem * 1024);
	key = ExecEvalExprSwitchContext(so->key, econtext, &isnull);
	if (sweep->members != NULL && !isnull)
	{
		sweep->index = index_open(so->plan.index, AccessShareLock);
		sweep->sweep = hnsw_sweep_begin(sweep->index,
										PG_DETOAST_DATUM_COPY(key),
										is_member, sweep->members);
		if (sweep->sweep == NULL)
			index_close(sweep->index, AccessShareLock);
	}
	if (sweep->sweep != NULL)
	{
		sweep->waiting = pairingheap_allocate(compare_waiting, NULL);
		sweep->late = pairingheap_allocate(compare_waiting, NULL);
		sweep->fetch = table_index_fetch_begin(so->css.ss.ss_currentRelation);
		so->sweep = sweep;
		so->phase = ADAPTIVE_SWEPT;
		so->total_sweeps++;
	}
	MemoryContextSwitchTo(old);
	return so->sweep != NULL;
}

static void
end_sweep(AdaptiveScan *so)
{
	if (so->sweep == NULL)
		return;
	table_index_fetch_end(so->sweep->fetch);
	index_close(so->sweep->index, AccessShareLock);
	so->sweep = NULL;
}

/* Let a member of the bitmap that has been swept wait for its turn. */
static void
read_member(AdaptiveScan *so, ItemPointer tid)
{
	AdaptiveSweep *sweep = so->sweep;
	bool		isnull;
	WaitingRow *waiting;
	double		distance;

	if (!tid_members_has(sweep->members, tid) ||
		!fetch_member(so, sweep->fetch, tid) ||
		has_returned(so, so->row))
		return;
	distance = row_distance(so, &isnull);
	if (isnull)
		return;
	waiting = MemoryContextAlloc(so->context, sizeof(WaitingRow));
	waiting->distance = distance;
	waiting->tid = *slot_tid(so->row);
	pairingheap_add(distance < so->last_distance ?
					sweep->late : sweep->waiting, &waiting->node);
}

/* Fetch a waiting row, the nearest, for good. */
static TupleTableSlot *
release_waiting(AdaptiveScan *so, pairingheap *heap)
{
	WaitingRow *waiting = pairingheap_container(WaitingRow, node,
												pairingheap_remove_first(heap));
	ItemPointerData tid = waiting->tid;

	pfree(waiting);
	return fetch_row(so, &tid);
}

static TupleTableSlot *
next_swept(AdaptiveScan *so)
{
	AdaptiveSweep *sweep = so->sweep;

	for (;;)
	{
		MemoryContext old;

		if (!pairingheap_is_empty(sweep->waiting))
		{
			WaitingRow *top = pairingheap_container(WaitingRow, node,
													pairingheap_first(sweep->waiting));

			if (sweep->at_end || top->distance <= sweep->row.bound)
				return release_waiting(so, sweep->waiting);
		}
		if (sweep->at_end)
			break;
		old = MemoryContextSwitchTo(so->context);
		sweep->at_end = !hnsw_sweep_next(sweep->sweep, &sweep->row);
		MemoryContextSwitchTo(old);
		if (!sweep->at_end)
		{
			for (int i = 0; i < sweep->row.ntids; i++)
				read_member(so, &sweep->row.tids[i]);
		}
	}
	if (!pairingheap_is_empty(sweep->late))
		return release_waiting(so, sweep->late);
	so->phase = ADAPTIVE_DONE;
	return NULL;
}

/*
 * By the bitmap of the exact plan, which may have turned out larger or smaller
 * than the planner thought.  False if it has lossy pages, or neither way is
 * open: the exact plan then runs as it is, and makes its bitmap again.
 */
static bool
change_to_bitmap(AdaptiveScan *so)
{
	TIDBitmap  *bitmap = make_bitmap(so);
	int64		members = tid_bitmap_count(bitmap);

	if (members >= 0)
	{
		if (members < so->plan.sweep_from)
			sort_bitmap_rows(so, bitmap);
		else
			(void) begin_sweep(so, bitmap);
	}
	tbm_free(bitmap);
	if (so->phase != ADAPTIVE_SORTED && so->phase != ADAPTIVE_SWEPT)
		return false;
	so->total_members += members;
	return true;
}

static void
change_over(AdaptiveScan *so)
{
	so->total_changes++;
	if (so->plan.has_bitmap)
	{
		if (change_to_bitmap(so))
			return;
		ExecReScan(so->exact);
	}
	sort_exact_plan(so);
}

/* ---- one row after the other ---- */

/* Walk until the limit is full, then hand out; or change over. */
static void
hold_rows(AdaptiveScan *so)
{
	bool		changed = false;

	while (so->nheld < (int64) so->plan.limit)
	{
		TupleTableSlot *slot = walk_next(so, &changed);

		if (slot == NULL)
			break;
		if (so->nheld == so->maxheld)
		{
			so->maxheld = so->maxheld == 0 ? 16 : so->maxheld * 2;
			so->held = so->held == NULL ?
				MemoryContextAlloc(so->context,
								   sizeof(ItemPointerData) * so->maxheld) :
				repalloc(so->held, sizeof(ItemPointerData) * so->maxheld);
		}
		so->held[so->nheld++] = *slot_tid(slot);
	}
	if (changed)
		change_over(so);
	else
		so->phase = ADAPTIVE_HELD;
}

static TupleTableSlot *
next_sorted(AdaptiveScan *so)
{
	bool		isnull;

	if (!tuplesort_gettupleslot(so->sort, true, false, so->sort_slot, NULL))
	{
		so->phase = ADAPTIVE_DONE;
		return NULL;
	}
	return fetch_row(so, (ItemPointer)
					 DatumGetPointer(slot_getattr(so->sort_slot, SORT_TID,
												  &isnull)));
}

/* A row of the walk, returned at once. */
static TupleTableSlot *
next_streamed(AdaptiveScan *so)
{
	bool		changed;
	bool		isnull;
	TupleTableSlot *slot = walk_next(so, &changed);

	if (changed)
	{
		change_over(so);
		return NULL;
	}
	if (slot == NULL)
	{
		so->phase = ADAPTIVE_DONE;
		return NULL;
	}
	note_returned(so, slot_tid(slot));
	so->last_distance = row_distance(so, &isnull);
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
	slot = fetch_row(so, &so->held[so->next_held++]);
	note_returned(so, &slot->tts_tid);
	if (so->next_held == so->nheld)
	{
		so->css.ss.ps.ps_ExprContext->ecxt_scantuple = slot;
		so->last_distance = row_distance(so, &isnull);
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
				slot = next_sorted(so);
				break;
			case ADAPTIVE_SWEPT:
				slot = next_swept(so);
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

static void
reset_scan(AdaptiveScan *so)
{
	HnswScanSpent spent;

	walk_spent(so, &spent);
	so->total_hops += spent.hops;
	if (so->sort != NULL)
		tuplesort_end(so->sort);
	if (so->sort_slot != NULL)
		ExecDropSingleTupleTableSlot(so->sort_slot);
	so->sort = NULL;
	so->sort_slot = NULL;
	end_sweep(so);
	MemoryContextReset(so->context);
	so->held = NULL;
	so->returned = NULL;
	so->walk_on = false;
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
	HnswScanSpent spent;

	ExplainPropertyText("Order By",
						deparse_expression(linitial(scan->custom_exprs),
										   context,
										   list_length(es->rtable) > 1 ||
										   es->verbose, false), es);
	if (!es->analyze)
		return;
	walk_spent(so, &spent);
	ExplainPropertyFloat("Exact Plan Price", "hops", so->plan.exact_price, 0,
						 es);
	ExplainPropertyFloat("Hops", NULL, so->total_hops + spent.hops, 0, es);
	ExplainPropertyFloat("Rows Visited", NULL, so->total_visited, 0, es);
	ExplainPropertyFloat("Rows Rejected", NULL, so->total_rejected, 0, es);
	ExplainPropertyText("Ended By",
						so->total_sweeps > 0 ? "sweep" :
						so->total_changes > 0 ? "exact plan" :
						so->is_beyond ? "range" : "graph", es);
	if (so->total_changes > 0)
		ExplainPropertyFloat("Changes to Exact Plan", NULL,
							 so->total_changes, 0, es);
	if (so->total_exact_rows > 0)
		ExplainPropertyFloat("Rows Sorted", NULL, so->total_exact_rows, 0,
							 es);
	if (so->total_members > 0)
	{
		ExplainPropertyFloat("Bitmap Rows", NULL, so->total_members, 0, es);
		ExplainPropertyFloat("Bitmap Rows Read", NULL, so->total_read, 0, es);
	}
}
