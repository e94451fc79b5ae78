/*-------------------------------------------------------------------------
 *
 * adaptiveexact.c
 *	  What an adaptive scan changes over to: the exact plan, or its bitmap.
 *
 * The exact plan runs to its end, its rows are sorted by distance, and those
 * that have been returned are left out.
 *
 * If it is a bitmap heap scan, only its bitmap is made.  How many members it
 * has then says whether their heap rows are read, as that plan would, or the
 * walk's index scan begins again with a sweep for these rows.  A walk that does
 * well can be given the same set, so that a row which fails costs no visit to
 * the heap.
 *
 * IDENTIFICATION
 *	  src/planner/adaptiveexact.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/tableam.h"
#include "compat.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "planner/adaptivestate.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* ---- the sort ---- */

/* Nothing is late where nothing has left. */
static void
begin_sort(AdaptiveScan *so)
{
	MemoryContext old = MemoryContextSwitchTo(so->context);

	so->sort = row_sort_begin(so->returned != NULL);
	MemoryContextSwitchTo(old);
}

static void
end_sort(AdaptiveScan *so)
{
	row_sort_perform(so->sort);
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
sort_row(AdaptiveScan *so, TupleTableSlot *slot)
{
	ExprContext *econtext = so->css.ss.ps.ps_ExprContext;
	bool		isnull;
	double		distance;

	if (adaptive_has_returned(so, slot))
		return;
	ResetExprContext(econtext);
	econtext->ecxt_scantuple = slot;
	distance = adaptive_distance(so, &isnull);

	/*
	 * The walk leaves out what is not indexed, so the same rows are left out
	 * here, or it would depend on the change-over who is in the answer.  Only
	 * rows without a distance need a look; all are, to a search for NULL or
	 * for the zero vector.
	 */
	if ((isnull || isnan(distance)) && !row_is_indexed(so))
		return;

	row_sort_add(so->sort, adaptive_slot_tid(slot), distance,
				 distance < so->last_distance);
	so->total_exact_rows++;
}

TupleTableSlot *
adaptive_next_sorted(AdaptiveScan *so)
{
	ItemPointerData tid;

	if (!row_sort_next(so->sort, &tid))
	{
		so->phase = ADAPTIVE_DONE;
		return NULL;
	}
	return adaptive_fetch_row(so, &tid);
}

static void
sort_exact_plan(AdaptiveScan *so)
{
	TupleTableSlot *slot;

	begin_sort(so);
	while ((slot = adaptive_child_next(so->exact)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		sort_row(so, slot);
	}
	end_sort(so);
}

/* ---- by the bitmap ---- */

/* The rows of the exact plan's bitmap. */
static void
find_rows(AdaptiveScan *so, FilterRows *rows)
{
	/* we pass the plan's head by, which would tell its child what changed */
	if (so->exact->chgParam != NULL)
		ExecReScan(so->exact);
	filter_rows_find(outerPlanState(so->exact), (Size) work_mem * 1024, rows);
}

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

/* a sort of heap rows under way */
typedef struct HeapSort
{
	AdaptiveScan *scan;
	IndexFetchTableData *fetch;
} HeapSort;

static void
sort_member(void *arg, ItemPointer tid)
{
	HeapSort   *sort = arg;

	CHECK_FOR_INTERRUPTS();
	if (fetch_member(sort->scan, sort->fetch, tid))
		sort_row(sort->scan, sort->scan->row);
}

/* Read the heap rows, of no lossy page, and sort those that pass the filter. */
static void
sort_heap_rows(AdaptiveScan *so, FilterRows *rows)
{
	HeapSort	sort;

	sort.scan = so;
	sort.fetch = table_index_fetch_begin(so->css.ss.ss_currentRelation);
	begin_sort(so);
	filter_rows_visit(rows, sort_member, &sort);
	table_index_fetch_end(sort.fetch);
	end_sort(so);
}

static bool
is_member(void *arg, ItemPointer tid)
{
	return tid_members_has(arg, tid);
}

static void
note_change(AdaptiveScan *so)
{
	so->total_changes++;
	so->is_changed = true;
}

/* Keep the rows as a set; false if it does not fit into work_mem. */
static bool
keep_members(AdaptiveScan *so, FilterRows *rows)
{
	MemoryContext old = MemoryContextSwitchTo(so->context);

	so->members = tid_members_create(so->css.ss.ss_currentRelation, rows,
									 (Size) work_mem * 1024);
	MemoryContextSwitchTo(old);
	so->no_members = so->members == NULL;
	so->total_lossy += rows->lossy_pages;
	return so->members != NULL;
}

static void
restrict_walk(AdaptiveScan *so)
{
	HnswMembers members = {is_member, so->members};

	hnsw_scan_restrict(adaptive_walk_desc(so), &members);
}

/* Is it cheaper to read the rows from the heap than to sweep for them? */
static bool
are_few(const AdaptiveScan *so, const FilterRows *rows)
{
	return rows->lossy_pages == 0 && rows->nrows < so->plan.sweep_from;
}

void
adaptive_restrict(AdaptiveScan *so)
{
	FilterRows	rows;

	find_rows(so, &rows);
	so->total_members += rows.nrows;
	if (are_few(so, &rows))
	{
		sort_heap_rows(so, &rows);
		note_change(so);
	}
	else if (keep_members(so, &rows))
	{
		restrict_walk(so);
		so->total_restricted++;
	}
	filter_rows_end(&rows);
}

/*
 * Sweep for the members.  As long as the walk has only walked, and nothing has
 * been returned, the index scan begins again, and loses no row that the walk
 * may have missed.
 */
static void
sweep_members(AdaptiveScan *so)
{
	HnswScanSpent spent;

	adaptive_walk_spent(so, &spent);
	if (so->phase == ADAPTIVE_HOLD && !spent.swept)
	{
		adaptive_note_spent(so);
		so->nheld = 0;
		so->visited = so->passed = 0;
		ExecReScan(so->walk);
	}
	restrict_walk(so);
	hnsw_scan_sweep(adaptive_walk_desc(so));
	so->total_member_sweeps++;
}

/*
 * By the bitmap of the exact plan, which may have turned out larger or smaller
 * than the planner thought.  False if neither way is open: the exact plan then
 * runs as it is, and makes its bitmap again.
 */
static bool
change_to_bitmap(AdaptiveScan *so)
{
	FilterRows	rows;
	bool		done = true;

	find_rows(so, &rows);
	if (!are_few(so, &rows) && !so->no_members && keep_members(so, &rows))
		sweep_members(so);
	else if (rows.lossy_pages == 0)
		sort_heap_rows(so, &rows);
	else
		done = false;
	if (done)
		so->total_members += rows.nrows;
	filter_rows_end(&rows);
	return done;
}

void
adaptive_change_over(AdaptiveScan *so)
{
	if (!so->plan.has_bitmap || !change_to_bitmap(so))
	{
		if (so->plan.has_bitmap)
			ExecReScan(so->exact);
		sort_exact_plan(so);
	}
	note_change(so);
}

void
adaptive_end_exact(AdaptiveScan *so)
{
	if (so->sort != NULL)
		row_sort_end(so->sort);
	so->sort = NULL;
}
