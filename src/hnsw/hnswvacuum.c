/*-------------------------------------------------------------------------
 *
 * hnswvacuum.c
 *	  ambulkdelete and amvacuumcleanup.
 *
 * Three steps, whose state is on the pages only, so that whatever a cancelled
 * or crashed VACUUM leaves is picked up by the next one (README, "Insert and
 * vacuum"): remove dead heap TIDs; let nobody link to the nodes that are EMPTY
 * then; free them.  What a page holds is never a reason for an error: a VACUUM
 * that fails for ever would stop the freezing of the table.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswvacuum.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "commands/vacuum.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskwrite.h"
#include "hnsw/hnswrepair.h"
#include "miscadmin.h"
#include "postmaster/autovacuum.h"
#include "utils/memutils.h"

typedef struct HnswVacuum
{
	/* set once */
	HnswIndex  *index;
	HnswDiskGraph *graph;
	BufferAccessStrategy strategy;
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;
	void	   *callback_state;
	uint32		npages;			/* NODE pages at the start */
	char	   *page;			/* copy of the page at hand */
	uint8	   *dead;			/* by slot: bits of inline TIDs */
	bool	   *which;			/* by slot: to be freed */
	HnswTidSlot *chained;		/* copy of a TIDS slot */
	ItemPointerData *dead_tids; /* of that slot */

	/* moves */
	HnswNodeSet empty;			/* EMPTY nodes of the range at hand */
	int64		nremoved;		/* heap TIDs removed by this call */
	bool		freed;			/* the free-space map has news */
} HnswVacuum;

/* Memory for maintenance, in kilobytes; autovacuum can have its own. */
static int
memory_kilobytes(void)
{
	return compat_is_autovacuum() && autovacuum_work_mem != -1 ?
		autovacuum_work_mem : maintenance_work_mem;
}

static void
warn_page(HnswVacuum *v, BlockNumber block)
{
	ereport(WARNING,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" contains unexpected page at block %u",
					RelationGetRelationName(v->index->rel), block),
			 errhint("Please REINDEX it.")));
}

static void
warn_node(HnswVacuum *v, HnswNode node, const char *what)
{
	ereport(WARNING,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" contains %s at node %u",
					RelationGetRelationName(v->index->rel), what, node),
			 errhint("Please REINDEX it.")));
}

/* A page has FREE slots now; where to find them is published at the end. */
static void
record_free(HnswVacuum *v, BlockNumber block)
{
	hnsw_store_record_free(v->index->rel, block);
	v->freed = true;
}

/* ---- step 1: dead heap TIDs ---- */

/* Ask the callback about one heap TID, once. */
static bool
is_dead(HnswVacuum *v, ItemPointer tid)
{
	if (v->callback(tid, v->callback_state))
		return true;
	v->stats->num_index_tuples++;
	return false;
}

/*
 * The TIDs of one TIDS slot, of which v->chained is a copy.  A slot that is
 * empty then is unlinked, unless an insert has put another one before it.
 * Returns whether it was.
 */
static bool
vacuum_chained(HnswVacuum *v, HnswNode node, uint32 version, HnswNode before,
			   HnswNode chained)
{
	HnswTidSlot *slot = v->chained;
	int			ndead = 0;

	for (uint32 i = 0; i < slot->ntids; i++)
	{
		if (is_dead(v, &slot->tids[i]))
			v->dead_tids[ndead++] = slot->tids[i];
	}
	if (ndead > 0)
		v->nremoved += hnsw_diskgraph_remove_chained(v->graph, node, version,
													 chained, v->dead_tids,
													 ndead);
	return ndead == slot->ntids &&
		hnsw_diskgraph_unchain(v->graph, node, version, before, chained);
}

/*
 * The TIDs of a node beyond those in its slot.  Slots that inserts put in front
 * of 'chained' meanwhile hold only new TIDs.
 */
static void
vacuum_chain(HnswVacuum *v, HnswNode node, uint32 version, HnswNode chained)
{
	uint64		limit = hnsw_index_nnodes(v->index);
	HnswNode	before = node;

	for (uint64 steps = 0; chained != HNSW_INVALID_NODE; steps++)
	{
		HnswNode	next;

		compat_vacuum_delay_point();
		if (steps > limit ||
			!hnsw_diskgraph_read(v->graph, chained, (HnswSlot *) v->chained,
								 NULL) ||
			v->chained->state != HNSW_TIDS || v->chained->owner != node ||
			v->chained->owner_version != version)
		{
			warn_node(v, node, "a broken chain of heap TIDs");
			return;
		}
		next = v->chained->next;
		if (vacuum_chained(v, node, version, before, chained))
			record_free(v, hnsw_index_node_block(v->index, chained));
		else
			before = chained;
		chained = next;
	}
}

/* Mark the dead inline TIDs of a LIVE node of the copy. */
static uint8
mark_dead(HnswVacuum *v, HnswSlot *slot)
{
	uint8		dead = 0;

	for (int i = 0; i < slot->nhere; i++)
	{
		if (is_dead(v, &slot->tids[i]))
			dead |= 1 << i;
	}
	return dead;
}

/* Put the EMPTY nodes of the copy into the set, count a page with room. */
static void
note_empty(HnswVacuum *v, uint32 page, BlockNumber block)
{
	const HnswLayout *layout = &v->index->space.layout;
	HnswNode	first = hnsw_page_first_node(layout, page);
	bool		has_free = false;
	bool		has_empty = false;

	for (uint32 i = 0; i < layout->nodes_per_page; i++)
	{
		HnswSlot   *slot = hnsw_page_slot((Page) v->page, layout, i);

		if (slot->state == HNSW_EMPTY && hnsw_slot_sane(slot, layout))
		{
			hnsw_nodeset_add(&v->empty, first + i);
			has_empty = true;
		}
		has_free |= slot->state == HNSW_FREE;
	}
	if (has_free || has_empty)
		v->stats->pages_free++;
	if (has_free)
		record_free(v, block);
}

static bool
copy_page(HnswVacuum *v, uint32 page, BlockNumber *block)
{
	*block = hnsw_index_block(v->index, HNSW_PAGE_NODE, page);
	return hnsw_store_copy(v->index->rel, *block, HNSW_PAGE_NODE, v->page,
						   v->strategy) &&
		hnsw_page_special((Page) v->page)->index == page;
}

/*
 * Remove the dead TIDs of the nodes of one page.  Chains come first: then the
 * inline TIDs of all nodes go in one record, which also makes nodes EMPTY.
 */
static void
vacuum_page(HnswVacuum *v, uint32 page)
{
	const HnswLayout *layout = &v->index->space.layout;
	HnswNode	first = hnsw_page_first_node(layout, page);
	bool		any_dead = false;
	bool		any_chain = false;
	BlockNumber block;

	if (!copy_page(v, page, &block))
	{
		warn_page(v, block);
		return;
	}
	for (uint32 i = 0; i < layout->nodes_per_page; i++)
	{
		HnswSlot   *slot = hnsw_page_slot((Page) v->page, layout, i);

		v->dead[i] = 0;
		if (!hnsw_slot_sane(slot, layout))
		{
			warn_node(v, first + i, "a damaged record");
			continue;
		}
		if (slot->state == HNSW_LIVE)
			v->dead[i] = mark_dead(v, slot);
		any_dead |= v->dead[i] != 0;

		/* EMPTY: a VACUUM before this one was interrupted */
		if ((slot->state == HNSW_LIVE || slot->state == HNSW_EMPTY) &&
			slot->next != HNSW_INVALID_NODE)
		{
			vacuum_chain(v, first + i, slot->version, slot->next);
			any_chain = true;
		}
	}

	/* inserts only append: the marks still fit */
	if (any_chain && !copy_page(v, page, &block))
		return;
	if (any_dead)
		v->nremoved += hnsw_diskgraph_remove_tids(v->graph, page, v->page,
												  v->dead);
	note_empty(v, page, block);
	HNSW_POINT("vacuum-after-pass1-page");
}

static void
remove_dead(HnswVacuum *v)
{
	for (uint32 page = 0; page < v->npages;
		 page += v->index->space.layout.pages_per_node)
	{
		compat_vacuum_delay_point();
		vacuum_page(v, page);
	}
	v->stats->tuples_removed += v->nremoved;
}

/* ---- steps 2 and 3: EMPTY nodes ---- */

/* Does a page belong to the range of the set, which is whole pages? */
static bool
is_in_range(HnswVacuum *v, uint32 page)
{
	return page < v->npages &&
		hnsw_page_first_node(&v->index->space.layout, page) < v->empty.end;
}

/* Free the nodes of the set on one page. */
static void
free_page(HnswVacuum *v, uint32 page)
{
	const HnswLayout *layout = &v->index->space.layout;
	HnswNode	first = hnsw_page_first_node(layout, page);
	bool		any = false;

	for (uint32 i = 0; i < layout->nodes_per_page; i++)
	{
		v->which[i] = hnsw_nodeset_has(&v->empty, first + i);
		any |= v->which[i];
	}
	if (!any)
		return;

	compat_vacuum_delay_point();
	HNSW_POINT("vacuum-before-free-page");
	if (hnsw_diskgraph_free(v->graph, page, v->which) > 0)
		record_free(v, hnsw_index_block(v->index, HNSW_PAGE_NODE, page));
	HNSW_POINT("vacuum-after-free-page");
}

/*
 * Let nobody name the nodes of the set any more, and free them.
 *
 * Locks: the first barrier ends the inserts that saw these nodes LIVE, so that
 * nobody links to them behind the repair.  The second one ends inserts, and
 * the third one scans, that may still be walking through them.
 */
static void
free_empty(HnswVacuum *v)
{
	const HnswLayout *layout = &v->index->space.layout;

	HNSW_POINT("vacuum-before-barrier");
	hnsw_barrier_update(v->index->rel);
	hnsw_repair_entries(v->index, &v->empty);
	hnsw_repair_edges(v->index, &v->empty, v->strategy,
					  (Size) memory_kilobytes() * 1024);

	hnsw_barrier_update(v->index->rel);
	hnsw_barrier_scan(v->index->rel);
	for (uint32 page = hnsw_node_page(layout, (HnswNode) v->empty.first);
		 is_in_range(v, page); page += layout->pages_per_node)
		free_page(v, page);
}

/* Read the EMPTY nodes of the set's range off the pages. */
static void
collect_empty(HnswVacuum *v)
{
	const HnswLayout *layout = &v->index->space.layout;

	for (uint32 page = hnsw_node_page(layout, (HnswNode) v->empty.first);
		 is_in_range(v, page); page += layout->pages_per_node)
	{
		HnswNode	first = hnsw_page_first_node(layout, page);
		BlockNumber block;

		compat_vacuum_delay_point();
		if (!copy_page(v, page, &block))
			continue;
		for (uint32 i = 0; i < layout->nodes_per_page; i++)
		{
			HnswSlot   *slot = hnsw_page_slot((Page) v->page, layout, i);

			if (slot->state == HNSW_EMPTY && hnsw_slot_sane(slot, layout))
				hnsw_nodeset_add(&v->empty, first + i);
		}
	}
}

/*
 * Nodes that the set of EMPTY ones spans at once: one bit each within the
 * memory for maintenance (H51), whole pages of them.
 */
static uint64
set_range(const HnswLayout *layout)
{
	uint64		nodes = (uint64) memory_kilobytes() * 1024 * BITS_PER_BYTE;

#ifdef HNSW_TEST_POINTS
	/* test builds: a node for each kilobyte, so that ranges are seen */
	nodes = memory_kilobytes();
#endif
	return nodes - nodes % layout->nodes_per_page;
}

/* ---- the callbacks ---- */

static HnswVacuum *
begin_vacuum(IndexVacuumInfo *info, HnswIndex *index,
			 IndexBulkDeleteResult *stats)
{
	const HnswLayout *layout = &index->space.layout;
	HnswVacuum *v = palloc0(sizeof(HnswVacuum));

	v->index = index;
	v->graph = hnsw_diskgraph_open(index);
	v->strategy = info->strategy;
	v->stats = stats;
	v->npages = index->meta->npages[HNSW_PAGE_NODE];
	v->page = palloc(BLCKSZ);
	v->dead = palloc0(layout->nodes_per_page);
	v->which = palloc0(layout->nodes_per_page * sizeof(bool));
	v->chained = palloc0(layout->node_bytes);
	v->dead_tids = palloc(layout->tids_per_slot * sizeof(ItemPointerData));
	return v;
}

/* All steps.  Memory: the current context, which the caller drops. */
static void
vacuum_index(HnswVacuum *v)
{
	uint64		nnodes = hnsw_index_nnodes(v->index);
	uint64		range = Min(set_range(&v->index->space.layout), nnodes);

	hnsw_nodeset_create(&v->empty, range);
	remove_dead(v);
	for (uint64 first = 0; first < nnodes; first += range)
	{
		if (first > 0)
		{
			hnsw_nodeset_clear(&v->empty, first, Min(first + range, nnodes));
			collect_empty(v);
		}
		if (v->empty.count > 0)
			free_empty(v);
	}

	/*
	 * Also if there was nothing to remove: a VACUUM that was cancelled here
	 * has left no other trace.  A graph that is whole is only read.
	 */
	hnsw_repair_reachability(v->index);
	HNSW_POINT("vacuum-before-fsm");
	if (v->freed)
		hnsw_store_vacuum_free(v->index->rel);
}

/* The index, or a WARNING and NULL: nothing on its pages fails a VACUUM. */
static HnswIndex *
open_or_warn(Relation rel)
{
	HnswFault	fault;
	HnswIndex  *index = hnsw_index_examine(rel, &fault);

	if (index == NULL)
		hnsw_index_report(&fault, WARNING);
	return index;
}

/*
 * hnswbulkdelete -- ambulkdelete.
 *
 * Calls the callback once for each heap TID, also if none is dead: CREATE
 * INDEX CONCURRENTLY lists the index this way.
 * Locks: the caller's on the table keep out a second one.
 */
IndexBulkDeleteResult *
hnswbulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
			   IndexBulkDeleteCallback callback, void *callback_state)
{
	MemoryContext context;
	MemoryContext old;
	HnswIndex  *index;

	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));

	context = AllocSetContextCreate(CurrentMemoryContext, "hnsw vacuum",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	index = open_or_warn(info->index);
	if (index != NULL)
	{
		HnswVacuum *v = begin_vacuum(info, index, stats);

		/* counted anew by each call, but for what was removed */
		stats->estimated_count = false;
		stats->num_index_tuples = 0;
		stats->pages_free = 0;
		v->callback = callback;
		v->callback_state = callback_state;
		vacuum_index(v);
	}
	stats->num_pages = hnsw_store_nblocks(info->index);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return stats;
}

/*
 * hnswvacuumcleanup -- amvacuumcleanup: statistics only.
 */
IndexBulkDeleteResult *
hnswvacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (info->analyze_only)
		return stats;

	/* no dead row, so no bulk delete: as many as the table has */
	if (stats == NULL)
	{
		(void) open_or_warn(info->index);
		stats = palloc0(sizeof(IndexBulkDeleteResult));
		stats->num_index_tuples = info->num_heap_tuples;
		stats->estimated_count = true;
	}
	stats->num_pages = hnsw_store_nblocks(info->index);
	return stats;
}
