/*-------------------------------------------------------------------------
 *
 * hnswcheck.c
 *	  hnsw_index_check(): the invariants of README, "Invariants", executed.
 *
 * One row for each violation, under the name of its rule; what a page holds
 * never raises an error.  Everything is judged in copies made under a share
 * lock.  Two ways to look:
 *
 *	basic	others may change the index meanwhile.  A suspect that involves more
 *			than one page is read again and dropped if anything has changed.
 *	strict	a ShareLock on the table keeps changes and VACUUM away, so that
 *			every rule can be claimed.  Recovery grants no such lock: there the
 *			caller pauses replay.
 *
 * Here: the metapage (V1), and what the passes need to report and to read.
 * The passes: each block by itself, which collects state and version of every
 * node (V2, V4, V9; hnswcheckpage.c); each node against its neighbours, TIDS
 * slots and flat record (V3, V4, V5, V10; hnswchecknode.c); entries and what can
 * be reached from them (V1, V6; hnswcheckreach.c); the table (V7, V8;
 * hnswcheckheap.c).  Memory: 12 bytes a node slot, 12 bytes a heap TID where
 * the table is compared.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcheck.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswcheck.h"
#include "miscadmin.h"
#include "type/sqlfunction.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

SQL_FUNCTION(hnsw_index_check);

/* ---- rows ---- */

void
hnsw_check_report(HnswCheck *check, const char *rule, const char *severity,
				  BlockNumber block, int64 nid, const char *format,...)
{
	char		detail[512];
	Datum		values[5];
	bool		nulls[5] = {false};
	va_list		args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);

	values[0] = CStringGetTextDatum(rule);
	values[1] = CStringGetTextDatum(severity);
	values[2] = Int64GetDatum((int64) block);
	values[3] = Int64GetDatum(nid);
	values[4] = CStringGetTextDatum(detail);
	nulls[2] = block == InvalidBlockNumber;
	nulls[3] = nid < 0;
	hnsw_rows_put(&check->rows, values, nulls);
	pfree(DatumGetPointer(values[0]));
	pfree(DatumGetPointer(values[1]));
	pfree(DatumGetPointer(values[4]));
}

const char *
hnsw_check_doubtful(const HnswCheck *check)
{
	return check->strict ? "error" : "warning";
}

/* ---- reading without errors ---- */

/*
 * run_guarded -- call 'read'; returns the message if it found the disk damaged
 * (a checksum, a short file), NULL if not.  Other errors pass through.
 */
static char *
run_guarded(HnswCheck *check, void (*read) (HnswCheck *check))
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char	   *volatile message = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		read(check);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode != ERRCODE_DATA_CORRUPTED &&
			error->sqlerrcode != ERRCODE_IO_ERROR)
			ReThrowError(error);
		message = error->message;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return message;
}

static void
read_block(HnswCheck *check)
{
	check->exists = hnsw_store_copy(check->index, check->block, 0,
									check->page, check->strategy);
}

bool
hnsw_check_load(HnswCheck *check, BlockNumber block)
{
	char	   *message;

	check->block = block;
	check->exists = false;
	message = run_guarded(check, read_block);
	if (message == NULL)
		return check->exists;

	check->unreadable[block / 8] |= 1 << (block % 8);
	hnsw_check_report(check, "V2", "error", block, -1,
					  "Block cannot be read: %s.",
					  message);
	return false;
}

bool
hnsw_check_readable(const HnswCheck *check, BlockNumber block)
{
	return block < check->nblocks &&
		!((check->unreadable[block / 8] >> (block % 8)) & 1);
}

bool
hnsw_check_copy(HnswCheck *check, HnswPageKind kind, uint32 number, char *page)
{
	BlockNumber block = hnsw_index_block(check->ix, kind, number);

	return hnsw_check_readable(check, block) &&
		hnsw_store_copy(check->index, block, kind, page, check->strategy) &&
		hnsw_page_special(page)->index == number;
}

BlockNumber
hnsw_check_block(HnswCheck *check, HnswNode node)
{
	return hnsw_index_node_block(check->ix, node);
}

bool
hnsw_check_read(HnswCheck *check, HnswNode node, HnswSlot *slot, uint8 *own)
{
	for (uint32 i = 0; i < check->layout->pages_per_node; i++)
	{
		BlockNumber block = hnsw_index_block(check->ix, HNSW_PAGE_NODE,
											 hnsw_node_page(check->layout,
															node) + i);

		if (!hnsw_check_readable(check, block))
			return false;
	}
	return hnsw_diskgraph_read(check->graph, node, slot, own);
}

bool
hnsw_check_unchanged(HnswCheck *check, HnswNode node, const HnswSlot *slot)
{
	return check->strict ||
		(hnsw_check_read(check, node, check->again, NULL) &&
		 memcmp(check->again, slot, check->layout->node_bytes) == 0);
}

/* ---- V1: the metapage ---- */

static void
examine_index(HnswCheck *check)
{
	HnswFault	fault;

	check->ix = hnsw_index_reread(check->index, &fault);
	if (check->ix == NULL)
		hnsw_check_report(check, fault.block == HNSW_META_BLKNO ||
						  fault.block == InvalidBlockNumber ? "V1" : "V2",
						  "error", fault.block, -1, "%s%s%s", fault.message,
						  fault.detail != NULL ? ": " : "",
						  fault.detail != NULL ? fault.detail : "");
}

/* Are the pages that count within the file? */
static void
check_extents(HnswCheck *check)
{
	const HnswMetaPageData *meta = check->meta;

	for (uint32 i = 0; i < meta->nextents; i++)
	{
		const HnswExtent *extent = &meta->extent[i];
		uint32		npages = meta->npages[meta->extent_kind[i]];
		uint32		used = npages <= extent->first ? 0 :
			Min(npages - extent->first, extent->npages);

		if (used > 0 && (uint64) extent->start + used > check->nblocks)
			hnsw_check_report(check, "V1", "error", HNSW_META_BLKNO, -1,
							  "Extent %u has pages up to block %u, but the file has only %u blocks.",
							  i, extent->start + used - 1, check->nblocks);
	}
	for (uint32 i = meta->nextents; i < HNSW_MAX_EXTENTS; i++)
	{
		const HnswExtent *extent = &meta->extent[i];

		if (meta->extent_kind[i] != 0 || extent->start != 0 ||
			extent->first != 0 || extent->npages != 0)
		{
			hnsw_check_report(check, "V1", "error", HNSW_META_BLKNO, -1,
							  "Unused extent %u is not zero.", i);
			break;
		}
	}
}

/* ---- the whole ---- */

static void
allocate_scratch(HnswCheck *check)
{
	const HnswLayout *layout = check->layout;
	Size		code_bytes = Max(layout->edge_code_bytes,
								 layout->flat_code_bytes);

	check->flat_page = palloc(BLCKSZ);
	check->again = palloc0(layout->node_bytes);
	check->other = palloc0(layout->node_bytes);
	check->own = palloc0(layout->own_bytes);
	check->other_own = palloc0(layout->own_bytes);
	check->code = palloc0(MAXALIGN(code_bytes));
	check->floats = palloc0(sizeof(float) *
							(hnsw_space_scratch(check->space) + 1));

	check->nodes = MemoryContextAllocHuge(CurrentMemoryContext,
										  mul_size(check->nnodes + 1,
												   sizeof(HnswCheckNode)));
	for (uint64 i = 0; i < check->nnodes; i++)
	{
		check->nodes[i].version = 0;
		check->nodes[i].state = HNSW_CHECK_BAD;
		check->nodes[i].marks = 0;
	}
	if (check->with_heap)
	{
		check->maxtids = check->nnodes + 1;
		check->tids = MemoryContextAllocHuge(CurrentMemoryContext,
											 mul_size(check->maxtids,
													  sizeof(HnswCheckTid)));
	}
}

static void
run_checks(HnswCheck *check)
{
	HnswMetaPageData *meta;
	char	   *message;

	check->nblocks = hnsw_store_nblocks(check->index);
	check->unreadable = palloc0(check->nblocks / 8 + 1);
	check->page = palloc(BLCKSZ);
	check->strategy = GetAccessStrategy(BAS_BULKREAD);

	message = run_guarded(check, examine_index);
	if (message != NULL)
		hnsw_check_report(check, "V2", "error", HNSW_META_BLKNO, -1,
						  "The metapage or the mean cannot be read: %s.",
						  message);
	if (check->ix == NULL)
		return;

	/* only what counted before the file was measured is expected in it */
	check->nblocks = hnsw_store_nblocks(check->index);
	check->unreadable = palloc0(check->nblocks / 8 + 1);
	meta = palloc(sizeof(HnswMetaPageData));
	*meta = *check->ix->meta;
	check->meta = meta;
	check->space = &check->ix->space;
	check->layout = &check->space->layout;
	check->graph = hnsw_diskgraph_open(check->ix);
	check->nnodes = hnsw_nodes_in_pages(check->layout,
										meta->npages[HNSW_PAGE_NODE]);
	allocate_scratch(check);

	check_extents(check);
	hnsw_check_blocks(check);
	hnsw_check_nodes(check);
	hnsw_check_reach(check);
	if (check->with_heap)
		hnsw_check_heap(check);
}

/*
 * An MVCC snapshot that is older than a broken HOT chain's index would miss
 * rows for good reason; as in contrib/amcheck.
 */
static void
check_snapshot(HnswCheck *check)
{
	HeapTupleHeader row = check->index->rd_indextuple->t_data;

	if (IsolationUsesXactSnapshot() && check->index->rd_index->indcheckxmin &&
		!TransactionIdPrecedes(HeapTupleHeaderGetXmin(row),
							   check->snapshot->xmin))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("index \"%s\" cannot be checked using transaction snapshot",
						RelationGetRelationName(check->index))));
}

Datum
hnsw_index_check(PG_FUNCTION_ARGS)
{
	bool		heapallindexed = PG_GETARG_BOOL(1);
	bool		strict = PG_GETARG_BOOL(2);
	MemoryContext context;
	MemoryContext old;
	HnswCheck	check = {0};

	check.strict = strict;
	check.with_heap = heapallindexed || strict;
	check.index = hnsw_inspect_open(PG_GETARG_OID(0),
									strict && !RecoveryInProgress() ?
									ShareLock : AccessShareLock, &check.heap);
	hnsw_rows_begin(fcinfo, &check.rows);

	if (RecoveryInProgress() && !RelationIsPermanent(check.index))
		ereport(NOTICE,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot check unlogged index \"%s\" during recovery, skipping",
						RelationGetRelationName(check.index))));
	else
	{
		/* an index that is not valid need not have all rows */
		if (check.with_heap && !check.index->rd_index->indisvalid)
		{
			ereport(NOTICE,
					(errmsg("index \"%s\" is not valid, not comparing it with its table",
							RelationGetRelationName(check.index))));
			check.with_heap = false;
		}
		if (check.with_heap)
		{
			check.snapshot = RegisterSnapshot(GetTransactionSnapshot());
			check_snapshot(&check);
		}
		context = AllocSetContextCreate(CurrentMemoryContext, "hnsw check",
										ALLOCSET_DEFAULT_SIZES);
		old = MemoryContextSwitchTo(context);
		run_checks(&check);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(context);
		if (check.with_heap)
			UnregisterSnapshot(check.snapshot);
	}

	hnsw_inspect_close(check.index, check.heap);
	PG_RETURN_NULL();
}
