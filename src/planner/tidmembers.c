/*-------------------------------------------------------------------------
 *
 * tidmembers.c
 *	  The rows that other indexes find for a filter, and a set of them.
 *
 * If one index finds them, its scan is asked for them one by one, and they are
 * kept as they come: a bitmap would be filled and sorted by pages only to be taken
 * apart again, which takes twice as long.  Where bitmaps are combined, or there
 * are more rows than memory for them, core makes its bitmap.
 *
 * IDENTIFICATION
 *	  src/planner/tidmembers.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "planner/tidmembers.h"
#include "compat.h"				/* after nodes/tidbitmap.h */
#include "storage/bufmgr.h"
#include "utils/memutils.h"

#define FIRST_ROWS			1024

/* ---- one index ---- */

/* Can this index scan be asked for one row after the other? */
static bool
is_single_index(PlanState *source)
{
	BitmapIndexScanState *node = (BitmapIndexScanState *) source;

	return IsA(source, BitmapIndexScanState) &&
		node->biss_RelationDesc->rd_indam->amgettuple != NULL &&
		node->biss_NumArrayKeys == 0;
}

/* Add a row; false if there is no room. */
static bool
list_row(FilterRows *rows, ItemPointer tid, Size max_bytes)
{
	if (rows->nrows == rows->max_listed)
	{
		int64		max = Min(rows->max_listed * 2,
							  max_bytes / sizeof(ItemPointerData));

		if (max <= rows->max_listed)
			return false;
		rows->list = repalloc_huge(rows->list, sizeof(ItemPointerData) * max);
		rows->max_listed = max;
	}
	rows->list[rows->nrows++] = *tid;
	rows->last_offset = Max(rows->last_offset,
							ItemPointerGetOffsetNumberNoCheck(tid));
	return true;
}

/*
 * As MultiExecBitmapIndexScan, but for the bitmap.  False if the rows do not
 * fit into max_bytes.
 */
static bool
list_index(BitmapIndexScanState *node, Size max_bytes, FilterRows *rows)
{
	ItemPointer tid;
	bool		fits = true;

	if (node->ss.ps.chgParam != NULL ||
		(!node->biss_RuntimeKeysReady && node->biss_NumRuntimeKeys != 0))
		ExecReScan(&node->ss.ps);
	if (node->ss.ps.instrument != NULL)
		InstrStartNode(node->ss.ps.instrument);
	rows->max_listed = FIRST_ROWS;
	rows->list = palloc(sizeof(ItemPointerData) * rows->max_listed);
	while (fits && (tid = index_getnext_tid(node->biss_ScanDesc,
											ForwardScanDirection)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		fits = list_row(rows, tid, max_bytes);
	}

	/* whoever comes next finds it at its beginning, and without a pin */
	index_rescan(node->biss_ScanDesc, node->biss_ScanKeys,
				 node->biss_NumScanKeys, NULL, 0);
	if (node->ss.ps.instrument != NULL)
		InstrStopNode(node->ss.ps.instrument, rows->nrows);
	return fits;
}

/* ---- a bitmap ---- */

static void
measure_bitmap(FilterRows *rows)
{
	CompatTbmIterator iterator;
	CompatTbmPage page;

	compat_tbm_begin(rows->bitmap, &iterator);
	while (compat_tbm_next(&iterator, &page))
	{
		if (page.ntuples < 0)
			rows->lossy_pages++;
		else if (page.ntuples > 0)
		{
			/* they come in ascending order */
			rows->nrows += page.ntuples;
			rows->last_offset = Max(rows->last_offset,
									page.offsets[page.ntuples - 1]);
		}
	}
	compat_tbm_end(&iterator);
}

void
filter_rows_find(PlanState *source, Size max_bytes, FilterRows *rows)
{
	memset(rows, 0, sizeof(FilterRows));
	if (is_single_index(source))
	{
		if (list_index((BitmapIndexScanState *) source, max_bytes, rows))
			return;
		pfree(rows->list);
		memset(rows, 0, sizeof(FilterRows));
	}

	/* in the query's context: index scans keep what they allocate meanwhile */
	rows->bitmap = (TIDBitmap *) MultiExecProcNode(source);
	if (rows->bitmap == NULL || !IsA(rows->bitmap, TIDBitmap))
		elog(ERROR, "unrecognized result from subplan");
	measure_bitmap(rows);
}

static inline uint64
tid_place(const ItemPointerData *tid)
{
	return ((uint64) ItemPointerGetBlockNumberNoCheck(tid) << 16) |
		ItemPointerGetOffsetNumberNoCheck(tid);
}

static inline int
compare_tids(const ItemPointerData *a, const ItemPointerData *b)
{
	uint64		x = tid_place(a);
	uint64		y = tid_place(b);

	return (x > y) - (x < y);
}

#define ST_SORT sort_tids
#define ST_ELEMENT_TYPE ItemPointerData
#define ST_COMPARE(a, b) compare_tids(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
filter_rows_visit(FilterRows *rows, FilterRowsVisit visit, void *arg)
{
	CompatTbmIterator iterator;
	CompatTbmPage page;

	if (rows->bitmap == NULL)
	{
		sort_tids(rows->list, rows->nrows);
		for (int64 i = 0; i < rows->nrows; i++)
		{
			if (i == 0 || !ItemPointerEquals(&rows->list[i], &rows->list[i - 1]))
				visit(arg, &rows->list[i]);
		}
		return;
	}
	compat_tbm_begin(rows->bitmap, &iterator);
	while (compat_tbm_next(&iterator, &page))
	{
		for (int i = 0; i < page.ntuples; i++)
		{
			ItemPointerData tid;

			ItemPointerSet(&tid, page.block, page.offsets[i]);
			visit(arg, &tid);
		}
	}
	compat_tbm_end(&iterator);
}

void
filter_rows_end(FilterRows *rows)
{
	if (rows->bitmap != NULL)
		tbm_free(rows->bitmap);
	if (rows->list != NULL)
		pfree(rows->list);
}

/* ---- the set ---- */

static void
add_row(void *arg, ItemPointer tid)
{
	TidMembers *members = arg;
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);
	OffsetNumber offset = ItemPointerGetOffsetNumberNoCheck(tid);

	/* a page added after the set was sized has no row that we can see */
	if (block < members->nblocks && offset / 8 < members->page_bytes)
		members->bits[(Size) block * members->page_bytes + offset / 8] |=
			1 << (offset % 8);
}

/* All rows of the lossy pages. */
static void
add_lossy_pages(TidMembers *members, TIDBitmap *bitmap)
{
	CompatTbmIterator iterator;
	CompatTbmPage page;

	compat_tbm_begin(bitmap, &iterator);
	while (compat_tbm_next(&iterator, &page))
	{
		if (page.ntuples < 0 && page.block < members->nblocks)
			memset(members->bits + (Size) page.block * members->page_bytes,
				   0xFF, members->page_bytes);
	}
	compat_tbm_end(&iterator);
}

TidMembers *
tid_members_create(Relation table, FilterRows *rows, Size max_bytes)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(table);
	OffsetNumber last = rows->lossy_pages > 0 ? MaxHeapTuplesPerPage :
		rows->last_offset;
	uint32		page_bytes = last / 8 + 1;
	Size		bytes = add_size(offsetof(TidMembers, bits),
								 mul_size(nblocks, page_bytes));
	TidMembers *members;

	if (bytes > max_bytes)
		return NULL;
	members = MemoryContextAllocExtended(CurrentMemoryContext, bytes,
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	members->nblocks = nblocks;
	members->page_bytes = page_bytes;
	if (rows->bitmap == NULL)
	{
		for (int64 i = 0; i < rows->nrows; i++)
			add_row(members, &rows->list[i]);
		return members;
	}
	filter_rows_visit(rows, add_row, members);
	if (rows->lossy_pages > 0)
		add_lossy_pages(members, rows->bitmap);
	return members;
}
