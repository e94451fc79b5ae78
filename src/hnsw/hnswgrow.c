/*-------------------------------------------------------------------------
 *
 * hnswgrow.c
 *	  Inserting one value into the graph on pages.
 *
 * The order of steps is the crash safety: the node first, which nobody can
 * reach yet (W2), then one record for each back-link (W4), then an entry record
 * if one is due (W5).  Whatever is missing when a crash or an error comes
 * between belongs to a row that is dead.
 *
 * Differences from the paper: the new node gets as many links as a list holds,
 * not M, and a full list of a neighbour is not selected anew but changed by one
 * edge, judged by codes that are in its own page.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswgrow.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskgraph.h"
#include "hnsw/hnswgrow.h"
#include "hnsw/hnswsearch.h"
#include "hnsw/hnswselect.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Decisions anew when a list changed between copy and lock: reliability.md 3.5 */
#define MAX_ATTEMPTS		3

/* Candidates kept for selection, as a multiple of the pool */
#define POOL_CANDIDATES		2

struct HnswGrower
{
	/* set once */
	MemoryContext context;
	HnswIndex  *index;
	HnswDiskGraph *graph;
	int			pool;
	int			maxcandidates;
	float	   *scratch;		/* of hnsw_space_own */
	void	   *query_buffer;	/* of hnsw_space_query_own */
	uint8	   *code;			/* an edge code */

	/* anew for each value */
	HnswQuery	query;
	HnswSearch *search;			/* NULL before the first value */
	uint8	   *own;
	HnswFlat   *flat;
	HnswSlot   *slot;			/* the new node */
	HnswSlot   *other;			/* copy of a neighbour */
	int			ncandidates;
	HnswNeighbor *candidates;	/* after selection: the chosen ones */
	uint8	   *owns;			/* own forms of the candidates */
};

HnswGrower *
hnsw_grow_begin(HnswIndex *index)
{
	const HnswLayout *layout = &index->space.layout;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw insert",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HnswGrower *grower = palloc0(sizeof(HnswGrower));

	grower->context = context;
	grower->index = index;
	grower->graph = hnsw_diskgraph_open(index);
	grower->pool = Min(hnsw_build_pool(index->meta->ef_construction),
					   HNSW_MAX_POOL);
	grower->maxcandidates = POOL_CANDIDATES * grower->pool;
	grower->scratch = palloc0(sizeof(float) *
							  Max(hnsw_space_scratch(&index->space), 1));
	grower->query_buffer = palloc0(Max(hnsw_space_query_bytes(&index->space),
									   1));
	grower->code = palloc0(layout->edge_code_bytes);
	grower->own = palloc0(layout->own_bytes);
	grower->flat = palloc0(layout->flat_bytes);
	grower->slot = palloc0(layout->node_bytes);
	grower->other = palloc0(layout->node_bytes);
	grower->candidates = palloc0(sizeof(HnswNeighbor) * grower->maxcandidates);
	grower->owns = MemoryContextAllocHuge(context,
										  mul_size(grower->maxcandidates,
												   layout->own_bytes));
	MemoryContextSwitchTo(old);
	return grower;
}

void
hnsw_grow_end(HnswGrower *grower)
{
	MemoryContextDelete(grower->context);
}

/* Search with the new value's own form as the query. */
static void
find_candidates(HnswGrower *grower)
{
	MemoryContext old;

	hnsw_space_query_own(&grower->index->space, grower->own,
						 grower->query_buffer, &grower->query);
	if (grower->search == NULL)
	{
		old = MemoryContextSwitchTo(grower->context);
		grower->search = hnsw_search_begin(&grower->graph->graph,
										   &grower->query);
		MemoryContextSwitchTo(old);
	}
	else
		hnsw_search_restart(grower->search, &grower->query);

	grower->ncandidates = hnsw_search_candidates(grower->search, grower->pool,
												 HNSW_INVALID_NODE,
												 grower->maxcandidates,
												 grower->candidates,
												 grower->owns);
}

/*
 * append_to_same -- W3: if a LIVE node has the same own form, the row becomes
 * one of that node.  A node that is gone is dropped from the candidates.
 */
static bool
append_to_same(HnswGrower *grower, ItemPointer tid)
{
	const HnswSpace *space = &grower->index->space;
	HnswNeighbor *candidates = grower->candidates;

	for (int i = 0; i < grower->ncandidates; i++)
	{
		HnswOutcome outcome = HNSW_CHANGED;

		if (!hnsw_space_same(space, candidates[i].own, grower->own))
			continue;

		HNSW_POINT("insert-dup-before-append");
		for (int n = 0; n < MAX_ATTEMPTS && outcome == HNSW_CHANGED; n++)
			outcome = hnsw_diskgraph_append_tid(grower->graph,
												candidates[i].node,
												candidates[i].version,
												grower->own, tid);
		if (outcome == HNSW_DONE)
			return true;
		if (outcome == HNSW_GONE)
		{
			grower->ncandidates--;
			memmove(&candidates[i], &candidates[i + 1],
					sizeof(HnswNeighbor) * (grower->ncandidates - i));
		}
		break;
	}
	return false;
}

/* W2: choose neighbours and write the node. */
static HnswNode
write_new_node(HnswGrower *grower, ItemPointer tid, uint32 *version)
{
	const HnswSpace *space = &grower->index->space;
	const HnswLayout *layout = &space->layout;
	HnswSlot   *slot = grower->slot;

	grower->ncandidates = hnsw_select(space, grower->candidates,
									  grower->ncandidates, layout->max_edges);

	memset(slot, 0, layout->node_bytes);
	slot->state = HNSW_LIVE;
	slot->ntids = 1;
	slot->nhere = 1;
	slot->tids[0] = *tid;
	slot->next = HNSW_INVALID_NODE;
	memcpy(hnsw_slot_own(slot, layout), grower->own, layout->own_here);
	hnsw_link_write(space, slot, grower->own, grower->candidates,
					grower->ncandidates);

	memset(grower->flat, 0, layout->flat_bytes);
	hnsw_space_flat(space, grower->own, grower->flat->code);

	return hnsw_diskgraph_claim(grower->graph, slot, grower->own,
								grower->flat, version);
}

/*
 * link_back -- W4: put the new node into the list of a neighbour.
 *
 * Returns whether it is there now; false also if the neighbour is gone or,
 * without 'force', has better ones.
 */
static bool
link_back(HnswGrower *grower, const HnswNeighbor *neighbor, HnswNode node,
		  uint32 version, bool force)
{
	const HnswSpace *space = &grower->index->space;
	HnswSlot   *other = grower->other;
	HnswNeighbor new = {
		.node = node,
		.version = version,
		.dist = neighbor->dist,
		.own = grower->own
	};

	hnsw_space_edge(space, neighbor->own, grower->own, neighbor->dist,
					grower->code);
	for (int i = 0; i < MAX_ATTEMPTS; i++)
	{
		HnswPlacement placement;
		HnswOutcome outcome;

		if (!hnsw_diskgraph_read(grower->graph, neighbor->node, other, NULL) ||
			other->state != HNSW_LIVE || other->version != neighbor->version)
			return false;
		if (!hnsw_link_place(space, other, neighbor->own, &new, grower->code,
							 grower->candidates, grower->ncandidates, force,
							 &placement))
			return placement.victim == node;

		HNSW_POINT("insert-before-backlink");
		outcome = hnsw_diskgraph_link(grower->graph, neighbor->node,
									  neighbor->version, &placement, node,
									  grower->code);
		if (outcome != HNSW_CHANGED)
			return outcome == HNSW_DONE;
	}
	return false;
}

/*
 * Back-links to all neighbours that want one; to one of them in any case, the
 * nearest that can be had.  Returns false if there is none.
 */
static bool
write_back_links(HnswGrower *grower, HnswNode node, uint32 version)
{
	bool		linked = false;

	for (int i = 0; i < grower->ncandidates; i++)
	{
		HNSW_POINT("insert-between-backlinks");
		CHECK_FOR_INTERRUPTS();
		linked |= link_back(grower, &grower->candidates[i], node, version,
							false);
	}
	for (int i = 0; !linked && i < grower->ncandidates; i++)
		linked = link_back(grower, &grower->candidates[i], node, version,
						   true);
	return linked;
}

/* An entry record whose node is not LIVE, or -1. */
static int64
find_stale_entry(HnswGrower *grower)
{
	HnswIndex  *index = grower->index;
	const HnswLayout *layout = &index->space.layout;

	for (uint32 i = 0; i < index->meta->nentries; i++)
	{
		BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY,
											 i / layout->entries_per_page);
		HnswPageRef ref;
		HnswEntry	entry;

		CHECK_FOR_INTERRUPTS();
		if (block == InvalidBlockNumber ||
			!hnsw_store_open(index->rel, block, HNSW_PAGE_ENTRY, &ref))
			continue;
		memcpy(&entry, hnsw_page_entry(ref.page, layout, i),
			   sizeof(HnswEntry));
		hnsw_store_close(&ref);

		if (entry.node == HNSW_INVALID_NODE ||
			!hnsw_diskgraph_read(grower->graph, entry.node, grower->other,
								 NULL) ||
			grower->other->version != entry.version ||
			grower->other->state == HNSW_FREE ||
			grower->other->state == HNSW_TIDS)
			return i;
	}
	return -1;
}

/*
 * add_entry_if_due -- W5: the new node becomes an entry if nothing else leads
 * to it, or if the index has fewer entries than it should.
 */
static void
add_entry_if_due(HnswGrower *grower, HnswNode node, uint32 version,
				 bool linked)
{
	HnswIndex  *index = grower->index;
	int64		stale = -1;

	if (linked)
	{
		if (index->meta->nentries >=
			hnsw_entry_target(&index->space, hnsw_index_nnodes(index)))
			return;

		/* the copy may be old: others may have added the missing ones */
		hnsw_index_refresh(index);
		if (index->meta->nentries >=
			hnsw_entry_target(&index->space, hnsw_index_nnodes(index)))
			return;
	}
	else
	{
		hnsw_index_refresh(index);
		stale = find_stale_entry(grower);
	}
	HNSW_POINT("insert-before-entry");
	hnsw_index_add_entry(index, node, version, grower->flat->code, stale);
	HNSW_POINT("insert-after-entry");
}

bool
hnsw_grow_encode(HnswGrower *grower, const void *value)
{
	return hnsw_space_own(&grower->index->space, value, grower->scratch,
						  grower->own);
}

void
hnsw_grow_encoded(HnswGrower *grower, ItemPointer tid)
{
	HnswNode	node;
	uint32		version;
	bool		linked;

	find_candidates(grower);
	HNSW_POINT("insert-after-search");
	if (append_to_same(grower, tid))
		return;

	node = write_new_node(grower, tid, &version);
	HNSW_POINT("insert-after-node");
	linked = write_back_links(grower, node, version);
	add_entry_if_due(grower, node, version, linked);
}

bool
hnsw_grow_insert(HnswGrower *grower, const void *value, ItemPointer tid)
{
	if (!hnsw_grow_encode(grower, value))
		return false;
	hnsw_grow_encoded(grower, tid);
	return true;
}
