/*-------------------------------------------------------------------------
 *
 * hnswdiskgraph.c
 *	  The graph on pages: reading.
 *
 * Each function holds one share lock at a time and runs only copying and
 * kernels under it (L1).  Nothing here believes a page: what does not pass the
 * checks of hnswpage.c is FREE, whatever the reason, so the same code serves
 * a standby, where a page can be in any state between two WAL records.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswdiskgraph.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "hnsw/hnswdiskgraph.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* ---- one slot ---- */

/*
 * Share-lock the page of a node and find its slot; false, with nothing held,
 * if there is no sane one.
 */
static bool
open_slot(HnswDiskGraph *graph, HnswNode node, HnswPageRef *ref,
		  HnswSlot **slot)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	BlockNumber block = hnsw_index_node_block(index, node);

	if (block == InvalidBlockNumber ||
		!hnsw_store_open(index->rel, block, HNSW_PAGE_NODE, ref))
		return false;
	graph->pages_read++;
	if (hnsw_page_special(ref->page)->index == hnsw_node_page(layout, node))
	{
		*slot = hnsw_page_slot(ref->page, layout,
							   hnsw_node_slot(layout, node));
		if (hnsw_slot_sane(*slot, layout))
			return true;
	}
	hnsw_store_close(ref);
	return false;
}

/*
 * Gather the part of an own form that lies on MORE pages.  The form of a
 * node never changes while its version lasts, so pages that name this version
 * belong to the copy of the slot that the caller made before.
 */
static bool
read_more(HnswDiskGraph *graph, HnswNode node, uint32 version, uint8 *own)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	Size		done = layout->own_here;

	for (uint32 i = 1; i < layout->pages_per_node; i++)
	{
		BlockNumber block = hnsw_index_block(index, HNSW_PAGE_NODE,
											 hnsw_node_page(layout, node) + i);
		Size		part = Min(layout->own_bytes - done, HNSW_MORE_BYTES);
		HnswPageRef ref;
		HnswMore   *more;
		bool		ours;

		if (block == InvalidBlockNumber ||
			!hnsw_store_open(index->rel, block, HNSW_PAGE_MORE, &ref))
			return false;
		graph->pages_read++;
		more = (HnswMore *) hnsw_page_contents(ref.page);
		ours = more->node == node && more->version == version;
		if (ours)
			memcpy(own + done, more + 1, part);
		hnsw_store_close(&ref);
		if (!ours)
			return false;
		done += part;
	}
	return true;
}

/* Is all that matters of the own form in the slot, and nothing on MORE pages? */
static inline bool
is_own_here(const HnswSpace *space, HnswSlot *slot)
{
	return hnsw_space_used(space, hnsw_slot_own(slot, &space->layout)) <=
		space->layout.own_here;
}

bool
hnsw_diskgraph_read(HnswDiskGraph *graph, HnswNode node, HnswSlot *slot,
					uint8 *own)
{
	const HnswLayout *layout = &graph->index->space.layout;
	HnswPageRef ref;
	HnswSlot   *here;

	if (!open_slot(graph, node, &ref, &here))
		return false;
	memcpy(slot, here, layout->node_bytes);
	hnsw_store_close(&ref);

	if (own == NULL || slot->state == HNSW_FREE || slot->state == HNSW_TIDS)
		return true;
	if (is_own_here(&graph->index->space, slot))
	{
		hnsw_space_copy_own(&graph->index->space, own,
							hnsw_slot_own(slot, layout));
		return true;
	}
	memcpy(own, hnsw_slot_own(slot, layout), layout->own_here);
	return read_more(graph, node, slot->version, own);
}

bool
hnsw_diskgraph_own(HnswDiskGraph *graph, HnswNode node, uint8 *own,
				   uint32 *version)
{
	const HnswSpace *space = &graph->index->space;
	HnswPageRef ref;
	HnswSlot   *slot;
	uint32		seen = 0;
	bool		here = false;
	bool		live;

	if (!open_slot(graph, node, &ref, &slot))
		return false;
	live = slot->state == HNSW_LIVE;
	if (live)
	{
		seen = slot->version;
		here = is_own_here(space, slot);
		if (here)
			hnsw_space_copy_own(space, own,
								hnsw_slot_own(slot, &space->layout));
		else
			memcpy(own, hnsw_slot_own(slot, &space->layout),
				   space->layout.own_here);
	}
	hnsw_store_close(&ref);
	if (version != NULL)
		*version = seen;
	return live && (here || read_more(graph, node, seen, own));
}

/* Fill 'out' from a node, all of it or without its neighbours. */
static void
read_node(HnswDiskGraph *graph, const HnswQuery *query, HnswNode node,
		  bool neighbors, HnswExpansion *out)
{
	const HnswSpace *space = &graph->index->space;
	HnswSlot   *slot;
	uint8	   *own;
	HnswPageRef ref;
	bool		is_open = true;

	out->state = HNSW_FREE;
	out->nedges = 0;
	if (!open_slot(graph, node, &ref, &slot))
		return;
	own = hnsw_slot_own(slot, &space->layout);
	if ((slot->state == HNSW_LIVE || slot->state == HNSW_EMPTY) &&
		!is_own_here(space, slot))
	{
		hnsw_store_close(&ref);
		is_open = false;
		slot = (HnswSlot *) graph->scratch;
		own = graph->own;
		if (!hnsw_diskgraph_read(graph, node, slot, own))
			return;
	}

	if (neighbors)
		hnsw_link_expand(space, query, slot, own, out);
	else
		hnsw_link_measure(space, query, slot, own, out);

	if (is_open)
		hnsw_store_close(&ref);
}

void
hnsw_diskgraph_measure(HnswDiskGraph *graph, const HnswQuery *query,
					   HnswNode node, HnswExpansion *out)
{
	read_node(graph, query, node, false, out);
}

/* ---- the operations of a graph ---- */

/*
 * Nodes that are asked for before the one at hand is read: reading one is mostly
 * waiting for memory.
 */
#define EXPECT_AHEAD		4

/* of a long value; the processor goes on by itself */
#define EXPECT_OWN_BYTES	1024

/* The first bytes of a node will soon be looked at. */
static void
expect_slot(HnswDiskGraph *graph, HnswNode node, Size bytes)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	BlockNumber block = hnsw_index_node_block(index, node);

	if (block != InvalidBlockNumber)
		hnsw_store_prefetch(index->rel, block,
							hnsw_slot_offset(layout,
											 hnsw_node_slot(layout, node)),
							bytes);
}

static void
expect_own(HnswDiskGraph *graph, HnswNode node)
{
	const HnswLayout *layout = &graph->index->space.layout;

	expect_slot(graph, node,
				layout->own_off + Min(layout->own_here, EXPECT_OWN_BYTES));
}

/*
 * A graph without codes scores a neighbour by reading it: leave out those seen.
 */
static void
score_by_reading(HnswDiskGraph *graph, const HnswQuery *query,
				 const HnswSeen *seen, HnswExpansion *out)
{
	HnswExpansion neighbor;
	int			n = 0;

	for (int i = 0; i < out->nedges; i++)
	{
		if (seen == NULL || !hnsw_seen_has(seen, out->edge[i]))
			out->edge[n++] = out->edge[i];
	}
	for (int i = 0; i < Min(n, EXPECT_AHEAD); i++)
		expect_own(graph, out->edge[i]);

	out->nedges = 0;
	neighbor.own_copy = NULL;
	for (int i = 0; i < n; i++)
	{
		if (i + EXPECT_AHEAD < n)
			expect_own(graph, out->edge[i + EXPECT_AHEAD]);
		read_node(graph, query, out->edge[i], false, &neighbor);
		if (neighbor.state != HNSW_LIVE && neighbor.state != HNSW_EMPTY)
			continue;
		out->edge[out->nedges] = out->edge[i];
		out->est[out->nedges] = neighbor.own.dist;
		out->var[out->nedges] = 0;
		out->nedges++;
	}
}

static void
disk_expand(HnswGraph *base, const HnswQuery *query, HnswNode node,
			const HnswSeen *seen, HnswExpansion *out)
{
	HnswDiskGraph *graph = (HnswDiskGraph *) base;

	read_node(graph, query, node, true, out);
	if (out->nedges > 0 && !hnsw_space_coded(base->space))
		score_by_reading(graph, query, seen, out);
}

/* the best entries so far, nearest first */
typedef struct EntryList
{
	int			n;
	int			max;
	HnswNode   *node;
	float	   *est;
	float	   *var;
} EntryList;

static void
list_entry(EntryList *list, HnswNode node, float est, float var)
{
	int			i;

	if (list->n == list->max && est >= list->est[list->n - 1])
		return;
	if (list->n < list->max)
		list->n++;
	for (i = list->n - 1; i > 0 && list->est[i - 1] > est; i--)
	{
		list->node[i] = list->node[i - 1];
		list->est[i] = list->est[i - 1];
		list->var[i] = list->var[i - 1];
	}
	list->node[i] = node;
	list->est[i] = est;
	list->var[i] = var;
}

/* smallest entry record: header, factors and the bits of 64 dimensions */
#define MAX_ENTRIES_PER_PAGE	(HNSW_PAGE_BYTES / sizeof(HnswEntry))

/* Score the entry records of one page by their codes, or only collect them. */
static void
score_entry_page(HnswDiskGraph *graph, const HnswQuery *query, uint32 page,
				 uint32 nentries, EntryList *list)
{
	HnswIndex  *index = graph->index;
	const HnswSpace *space = &index->space;
	const HnswLayout *layout = &space->layout;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY, page);
	HnswNode	node[MAX_ENTRIES_PER_PAGE];
	float		est[MAX_ENTRIES_PER_PAGE];
	float		var[MAX_ENTRIES_PER_PAGE];
	HnswPageRef ref;

	if (block == InvalidBlockNumber ||
		!hnsw_store_open(index->rel, block, HNSW_PAGE_ENTRY, &ref))
		return;
	graph->pages_read++;
	for (uint32 i = 0; i < nentries; i++)
		node[i] = hnsw_page_entry(ref.page, layout, i)->node;
	if (hnsw_space_coded(space))
		hnsw_space_estimate_flat(space, query,
								 hnsw_page_entry(ref.page, layout, 0)->code,
								 layout->entry_bytes, nentries, est, var);
	hnsw_store_close(&ref);

	for (uint32 i = 0; i < nentries; i++)
	{
		if (node[i] == HNSW_INVALID_NODE)
			continue;
		if (!hnsw_space_coded(space))
		{
			HnswExpansion exp;

			exp.own_copy = NULL;
			read_node(graph, query, node[i], false, &exp);
			if (exp.state != HNSW_LIVE && exp.state != HNSW_EMPTY)
				continue;
			est[i] = exp.own.dist;
			var[i] = 0;
		}
		list_entry(list, node[i], est[i], var[i]);
	}
}

static int
disk_entries(HnswGraph *base, const HnswQuery *query, int max, HnswNode *node,
			 float *est, float *var)
{
	HnswDiskGraph *graph = (HnswDiskGraph *) base;
	uint32		per_page = base->space->layout.entries_per_page;
	uint32		nentries = graph->index->meta->nentries;
	EntryList	list = {0, max, node, est, var};

	for (uint32 first = 0; first < nentries; first += per_page)
	{
		CHECK_FOR_INTERRUPTS();
		score_entry_page(graph, query, first / per_page,
						 Min(per_page, nentries - first), &list);
	}
	return list.n;
}

static void
disk_expect(HnswGraph *base, HnswNode node)
{
	expect_slot((HnswDiskGraph *) base, node, base->space->layout.node_bytes);
}

static const HnswGraphOps disk_ops = {
	.entries = disk_entries,
	.expand = disk_expand,
	.expect = disk_expect
};

HnswDiskGraph *
hnsw_diskgraph_open(HnswIndex *index)
{
	HnswDiskGraph *graph = palloc0(sizeof(HnswDiskGraph));

	graph->graph.ops = &disk_ops;
	graph->graph.space = &index->space;
	graph->index = index;
	graph->scratch = palloc0(MAXALIGN(index->space.layout.node_bytes));
	graph->own = palloc0(MAXALIGN(index->space.layout.own_bytes));
	return graph;
}

/* ---- heap TIDs beyond those in the slot ---- */

/*
 * Copy the TIDs of one TIDS slot behind those in *tids.  False if the slot is
 * not, or no longer, one of this node.
 */
static bool
copy_tid_slot(HnswDiskGraph *graph, HnswNode at, HnswNode owner,
			  uint32 owner_version, ItemPointerData **tids, int *ntids,
			  int *maxtids, HnswNode *next)
{
	const HnswLayout *layout = &graph->index->space.layout;
	HnswPageRef ref;
	HnswSlot   *slot;
	HnswTidSlot *here;
	bool		ours;

	/* make room first: nothing is allocated under a page lock */
	if (*maxtids - *ntids < (int) layout->tids_per_slot)
	{
		int			room = Max(*maxtids * 2,
							   *ntids + (int) layout->tids_per_slot);

		*tids = *tids == NULL ?
			MemoryContextAllocHuge(CurrentMemoryContext,
								   sizeof(ItemPointerData) * (Size) room) :
			repalloc_huge(*tids, sizeof(ItemPointerData) * (Size) room);
		*maxtids = room;
	}

	if (!open_slot(graph, at, &ref, &slot))
		return false;
	here = (HnswTidSlot *) slot;
	ours = here->state == HNSW_TIDS && here->owner == owner &&
		here->owner_version == owner_version;
	if (ours)
	{
		memcpy(*tids + *ntids, here->tids,
			   sizeof(ItemPointerData) * here->ntids);
		*ntids += here->ntids;
		*next = here->next;
	}
	hnsw_store_close(&ref);
	return ours;
}

static int
compare_tids(const void *a, const void *b)
{
	return ItemPointerCompare((ItemPointer) a, (ItemPointer) b);
}

/* Sort tids[first..n) and drop what occurs twice or among tids[0..first). */
static int
drop_repeated(ItemPointerData *tids, int first, int n)
{
	int			kept = first;

	qsort(tids, first, sizeof(ItemPointerData), compare_tids);
	qsort(tids + first, n - first, sizeof(ItemPointerData), compare_tids);
	for (int i = first; i < n; i++)
	{
		if (kept > first && ItemPointerEquals(&tids[i], &tids[kept - 1]))
			continue;
		if (bsearch(&tids[i], tids, first, sizeof(ItemPointerData),
					compare_tids) == NULL)
			tids[kept++] = tids[i];
	}
	return kept;
}

/* steps beyond the longest chain: in a small index, those after restarts */
#define MAX_RESTART_STEPS	1000

bool
hnsw_diskgraph_tids(HnswDiskGraph *graph, HnswNode node, uint32 version,
					HnswNode next, ItemPointerData **tids, int *ntids,
					int *maxtids)
{
	uint64		limit = hnsw_index_nnodes(graph->index) + MAX_RESTART_STEPS;
	HnswNode	failed = HNSW_INVALID_NODE;
	bool		restarted = false;
	int			had = *ntids;

	for (uint64 steps = 0; next != HNSW_INVALID_NODE && steps <= limit; steps++)
	{
		HnswSlot   *slot = (HnswSlot *) graph->scratch;

		CHECK_FOR_INTERRUPTS();
		if (copy_tid_slot(graph, next, node, version, tids, ntids, maxtids,
						  &next))
			continue;

		/*
		 * VACUUM unlinked this slot under us (H67).  Start again at the node;
		 * what is still there and was copied already is dropped at the end.
		 * The head of the chain can be the same slot again, in use anew; if
		 * it fails twice, the chain is damaged.
		 */
		if (!hnsw_diskgraph_read(graph, node, slot, NULL) ||
			slot->state != HNSW_LIVE || slot->version != version ||
			(slot->next == next && failed == next))
		{
			*ntids = restarted ? drop_repeated(*tids, had, *ntids) : *ntids;
			return false;
		}
		failed = next;
		next = slot->next;
		restarted = true;
	}
	if (restarted)
		*ntids = drop_repeated(*tids, had, *ntids);
	return true;
}
