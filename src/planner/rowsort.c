/*-------------------------------------------------------------------------
 *
 * rowsort.c
 *	  Rows in the order of their distances, the first of them early.
 *
 * Of the rows that an exact plan finds a query wants the nearest few, mostly; but
 * nobody can promise that it will not ask for more.  So the rows are kept as a
 * heap, which is made in linear time, and each row costs its own way out only.
 * When they are more than memory holds, core's sort takes them all.
 *
 * IDENTIFICATION
 *	  src/planner/rowsort.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "executor/tuptable.h"
#include "lib/binaryheap.h"
#include "miscadmin.h"
#include "planner/rowsort.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

typedef struct SortRow
{
	double		distance;
	ItemPointerData tid;
	bool		late;
} SortRow;

struct RowSort
{
	MemoryContext context;
	bool		has_late;
	SortRow    *row;			/* NULL if core sorts */
	int			nrows;
	int			maxrows;
	binaryheap *heap;			/* of pointers to them; the nearest first */

	Tuplesortstate *core;
	TupleTableSlot *input;
	TupleTableSlot *output;
};

#define FIRST_ROWS			64

/* columns of core's sort */
#define SORT_LATE			1
#define SORT_DISTANCE		2
#define SORT_TID			3
#define SORT_COLUMNS		3

/* ---- core's sort ---- */

static void
begin_core(RowSort *sort)
{
	TupleDesc	desc = CreateTemplateTupleDesc(SORT_COLUMNS);
	AttrNumber	columns[] = {SORT_LATE, SORT_DISTANCE};
	Oid			operators[2];
	Oid			collations[] = {InvalidOid, InvalidOid};
	bool		nulls_first[] = {false, false};

	/* one key is much faster than two */
	int			skip = sort->has_late ? 0 : 1;

	operators[0] = lookup_type_cache(BOOLOID, TYPECACHE_LT_OPR)->lt_opr;
	operators[1] = lookup_type_cache(FLOAT8OID, TYPECACHE_LT_OPR)->lt_opr;
	TupleDescInitEntry(desc, SORT_LATE, "late", BOOLOID, -1, 0);
	TupleDescInitEntry(desc, SORT_DISTANCE, "distance", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, SORT_TID, "tid", TIDOID, -1, 0);
	compat_tupdesc_finalize(desc);
	sort->input = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	sort->output = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	sort->core = tuplesort_begin_heap(desc, lengthof(columns) - skip,
									  columns + skip, operators + skip,
									  collations, nulls_first,
									  work_mem, NULL, TUPLESORT_NONE);
}

static void
put_into_core(RowSort *sort, SortRow *row)
{
	TupleTableSlot *slot = sort->input;

	ExecClearTuple(slot);
	slot->tts_values[SORT_LATE - 1] = BoolGetDatum(row->late);
	slot->tts_values[SORT_DISTANCE - 1] = Float8GetDatum(row->distance);
	slot->tts_values[SORT_TID - 1] = PointerGetDatum(&row->tid);
	memset(slot->tts_isnull, false, sizeof(bool) * SORT_COLUMNS);
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(sort->core, slot);
}

static bool
next_of_core(RowSort *sort, ItemPointer tid)
{
	bool		isnull;

	if (!tuplesort_gettupleslot(sort->core, true, false, sort->output, NULL))
		return false;
	*tid = *(ItemPointer) DatumGetPointer(slot_getattr(sort->output, SORT_TID,
													   &isnull));
	return true;
}

/* There is no room for more rows: core sorts. */
static void
move_to_core(RowSort *sort)
{
	begin_core(sort);
	for (int i = 0; i < sort->nrows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_into_core(sort, &sort->row[i]);
	}
	pfree(sort->row);
	sort->row = NULL;
}

/* ---- the heap ---- */

/* A binaryheap has the greatest on top. */
static int
compare_rows(Datum a, Datum b, void *arg)
{
	const SortRow *x = (const SortRow *) DatumGetPointer(a);
	const SortRow *y = (const SortRow *) DatumGetPointer(b);

	if (x->late != y->late)
		return x->late ? -1 : 1;
	return float8_cmp_internal(y->distance, x->distance);
}

/*
 * Make room for more rows.  They and the heap take half of work_mem, for while
 * core takes the rows over both have them.
 */
static bool
grow(RowSort *sort)
{
	Size		room = (Size) work_mem * 1024 / 2 /
		(sizeof(SortRow) + sizeof(Datum));
	int			max = Min(Min(sort->maxrows * 2, room),
						  MaxAllocSize / sizeof(SortRow));

	if (max <= sort->maxrows)
		return false;
	sort->row = repalloc(sort->row, sizeof(SortRow) * max);
	sort->maxrows = max;
	return true;
}

static void
make_heap(RowSort *sort)
{
	sort->heap = binaryheap_allocate(Max(sort->nrows, 1), compare_rows, NULL);
	for (int i = 0; i < sort->nrows; i++)
		binaryheap_add_unordered(sort->heap, PointerGetDatum(&sort->row[i]));
	binaryheap_build(sort->heap);
}

/* ---- both ---- */

RowSort *
row_sort_begin(bool has_late)
{
	RowSort    *sort = palloc0(sizeof(RowSort));

	sort->context = CurrentMemoryContext;
	sort->has_late = has_late;
	sort->maxrows = FIRST_ROWS;
	sort->row = palloc(sizeof(SortRow) * sort->maxrows);
	return sort;
}

void
row_sort_add(RowSort *sort, ItemPointer tid, double distance, bool late)
{
	MemoryContext old = MemoryContextSwitchTo(sort->context);
	SortRow		row;

	row.distance = distance;
	row.tid = *tid;
	row.late = late;
	if (sort->row != NULL && sort->nrows == sort->maxrows && !grow(sort))
		move_to_core(sort);
	if (sort->row != NULL)
		sort->row[sort->nrows++] = row;
	else
		put_into_core(sort, &row);
	MemoryContextSwitchTo(old);
}

void
row_sort_perform(RowSort *sort)
{
	MemoryContext old = MemoryContextSwitchTo(sort->context);

	if (sort->row != NULL)
		make_heap(sort);
	else
		tuplesort_performsort(sort->core);
	MemoryContextSwitchTo(old);
}

bool
row_sort_next(RowSort *sort, ItemPointer tid)
{
	if (sort->row == NULL)
		return next_of_core(sort, tid);
	if (binaryheap_empty(sort->heap))
		return false;
	*tid = ((SortRow *)
			DatumGetPointer(binaryheap_remove_first(sort->heap)))->tid;
	return true;
}

void
row_sort_end(RowSort *sort)
{
	if (sort->core != NULL)
	{
		tuplesort_end(sort->core);
		ExecDropSingleTupleTableSlot(sort->input);
		ExecDropSingleTupleTableSlot(sort->output);
	}
	if (sort->row != NULL)
		pfree(sort->row);
	if (sort->heap != NULL)
		binaryheap_free(sort->heap);
	pfree(sort);
}
