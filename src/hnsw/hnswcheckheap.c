/*-------------------------------------------------------------------------
 *
 * hnswcheckheap.c
 *	  The verifier on the table: V4 and V7, heap TIDs; V8, values.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcheckheap.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "compat.h"
#include "hnsw/hnswcheck.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* ---- V4, V7: heap TIDs of the index ---- */

static int
compare_tids(const void *a, const void *b)
{
	const HnswCheckTid *x = a;
	const HnswCheckTid *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return (int) x->offset - (int) y->offset;
}

static void
check_repeated_tids(HnswCheck *check)
{
	for (Size i = 1; i < check->ntids; i++)
	{
		HnswCheckTid *tid = &check->tids[i];

		if (compare_tids(tid - 1, tid) == 0)
			hnsw_check_report(check, "V4", "error",
							  hnsw_check_block(check, tid->node), tid->node,
							  "Heap TID (%u,%u) is in node %u too.",
							  tid->block,
							  tid->offset, tid[-1].node);
	}
}

/* What is wrong with a heap TID, by a copy of its heap page; or NULL. */
static const char *
judge_line_pointer(Page page, OffsetNumber offset)
{
	ItemId		item;

	if (offset > PageGetMaxOffsetNumber(page))
		return "names a line pointer that does not exist";
	item = PageGetItemId(page, offset);
	if (!ItemIdIsUsed(item))
		return "names an unused line pointer";
	if (ItemIdIsNormal(item) &&
		HeapTupleHeaderIsHeapOnly((HeapTupleHeader) PageGetItem(page, item)))
		return "names a row that indexes do not point to";
	return NULL;
}

/* Each heap TID names a line pointer that VACUUM has not given away. */
static void
check_line_pointers(HnswCheck *check)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(check->heap);
	BlockNumber block = InvalidBlockNumber;
	bool		exists = false;

	for (Size i = 0; i < check->ntids; i++)
	{
		HnswCheckTid *tid = &check->tids[i];
		const char *wrong = NULL;

		if (tid->block != block)
		{
			CHECK_FOR_INTERRUPTS();
			block = tid->block;
			exists = block < nblocks &&
				hnsw_store_copy(check->heap, block, 0, check->page,
								check->strategy);
		}
		wrong = exists ? judge_line_pointer(check->page, tid->offset) :
			"lies on a page that does not exist";
		if (wrong != NULL)
			hnsw_check_report(check, "V7", "error",
							  hnsw_check_block(check, tid->node), tid->node,
							  "Heap TID (%u,%u) %s.", tid->block, tid->offset,
							  wrong);
	}
}

/* V8: compare a node with the value of a row, whose own form is other_own. */
static void
check_value(HnswCheck *check, HnswNode node, ItemPointer tid)
{
	BlockNumber block = hnsw_check_block(check, node);

	if (node >= check->nnodes ||
		!hnsw_check_read(check, node, check->other, check->own) ||
		(check->other->state != HNSW_LIVE &&
		 check->other->state != HNSW_EMPTY))
		return;
	if (!hnsw_check_same_own(check->space, check->own, check->other_own))
		hnsw_check_report(check, "V8", "error", block, node,
						  "The node's own form is not that of row (%u,%u).",
						  ItemPointerGetBlockNumber(tid),
						  ItemPointerGetOffsetNumber(tid));
	else if (check->space->own_kind == HNSW_OWN_S8 &&
			 !hnsw_check_covers(check->space, check->own, check->other_own))
		hnsw_check_report(check, "V8", "error", block, node,
						  "The node's error bound does not cover row (%u,%u).",
						  ItemPointerGetBlockNumber(tid),
						  ItemPointerGetOffsetNumber(tid));
}

/* A row that has no place in the order of a scan: does the metapage know? */
static void
check_gap(HnswCheck *check, ItemPointer tid, int gap)
{
	/* the row may be younger than the copy */
	if ((check->ix->meta->gaps & gap) != gap)
		hnsw_index_refresh(check->ix);
	if ((check->ix->meta->gaps & gap) != gap)
		hnsw_check_report(check, "V7", "error", HNSW_META_BLKNO, -1,
						  "Row (%u,%u) is a gap that the metapage does not know.",
						  ItemPointerGetBlockNumber(tid),
						  ItemPointerGetOffsetNumber(tid));
}

/* For each row that the index should have. */
static void
check_row(Relation index, ItemPointer tid, Datum *values, bool *isnull,
		  bool alive, void *state)
{
	HnswCheck  *check = state;
	HnswCheckTid key;
	HnswCheckTid *found;
	void	   *value;

	if (isnull[0])
	{
		check_gap(check, tid, HNSW_GAP_NULL);
		return;
	}
	value = PG_DETOAST_DATUM(values[0]);
	if (check->space->metric->dim(value) != check->space->dim)
	{
		hnsw_check_report(check, "V7", "error", InvalidBlockNumber, -1,
						  "Row (%u,%u) has %d dimensions, the index %d.",
						  ItemPointerGetBlockNumber(tid),
						  ItemPointerGetOffsetNumber(tid),
						  check->space->metric->dim(value), check->space->dim);
		return;
	}
	check_gap(check, tid, hnsw_space_gap(check->space, value));
	if (!hnsw_space_own(check->space, value, check->floats, check->other_own))
		return;

	key.block = ItemPointerGetBlockNumber(tid);
	key.offset = ItemPointerGetOffsetNumber(tid);
	found = bsearch(&key, check->tids, check->ntids, sizeof(HnswCheckTid),
					compare_tids);
	if (found == NULL)
		hnsw_check_report(check, "V7", "error", InvalidBlockNumber, -1,
						  "Row (%u,%u) is not in the index.", key.block,
						  key.offset);
	else
		check_value(check, found->node, tid);
	if (value != DatumGetPointer(values[0]))
		pfree(value);
}

/*
 * Compare the index with the table.  Expressions and predicates of the index
 * run as the table's owner.
 */
static void
check_table(HnswCheck *check)
{
	IndexInfo  *info = BuildIndexInfo(check->index);
	TableScanDesc scan;
	Oid			user;
	int			security;
	int			guc_level;

	info->ii_Concurrent = true; /* an MVCC snapshot, no waiting */
	info->ii_Unique = false;
	info->ii_ExclusionOps = NULL;
	info->ii_ExclusionProcs = NULL;
	info->ii_ExclusionStrats = NULL;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(check->heap->rd_rel->relowner,
						   security | SECURITY_RESTRICTED_OPERATION);
	guc_level = NewGUCNestLevel();
	compat_restrict_search_path();

	scan = table_beginscan_strat(check->heap, check->snapshot, 0, NULL, true,
								 true);
	table_index_build_scan(check->heap, check->index, info, true, false,
						   check_row, check, scan);

	AtEOXact_GUC(false, guc_level);
	SetUserIdAndSecContext(user, security);
}

void
hnsw_check_heap(HnswCheck *check)
{
	qsort(check->tids, check->ntids, sizeof(HnswCheckTid), compare_tids);
	if (check->strict)
	{
		check_repeated_tids(check);
		if (check->heap->rd_rel->relam == HEAP_TABLE_AM_OID)
			check_line_pointers(check);
	}
	check_table(check);
}
