/*-------------------------------------------------------------------------
 *
 * hnswdiskprune.c
 *	  The graph on pages: what VACUUM writes.
 *
 * One function a WAL step, in the same shape as those of hnswdiskwrite.c: look
 * up, lock, judge anew, change or let go.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswdiskprune.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnswdiskedit.h"
#include "hnsw/hnswdiskwrite.h"

/* ---- W6: removing heap TIDs ---- */

/* Take the TIDs with a bit in 'dead' out of a slot; returns how many. */
static int
drop_inline(HnswSlot *slot, uint8 dead)
{
	int			kept = 0;
	int			removed;

	for (int i = 0; i < slot->nhere; i++)
	{
		if (!((dead >> i) & 1))
			slot->tids[kept++] = slot->tids[i];
	}
	removed = slot->nhere - kept;
	memset(&slot->tids[kept], 0, removed * sizeof(ItemPointerData));
	slot->nhere = kept;
	slot->ntids -= removed;
	if (slot->ntids == 0)
		slot->state = HNSW_EMPTY;
	return removed;
}

int
hnsw_diskgraph_remove_tids(HnswDiskGraph *graph, uint32 page, char *copy,
						   const uint8 *dead)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	HnswNode	first = hnsw_page_first_node(layout, page);
	BlockNumber block = look_up_page(graph, page);
	int			removed = 0;
	HnswEdit	edit;
	int			at;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	at = lock_node_page(&edit, block, page);
	for (uint32 i = 0; at >= 0 && i < layout->nodes_per_page; i++)
	{
		HnswSlot   *seen = hnsw_page_slot((Page) copy, layout, i);
		HnswSlot   *slot = slot_at(graph, &edit, at, first + i);

		/* inserts only append, so what was seen is where it was */
		if (dead[i] == 0 || !is_live(graph, slot, seen->version) ||
			slot->nhere < seen->nhere ||
			memcmp(slot->tids, seen->tids,
				   seen->nhere * sizeof(ItemPointerData)) != 0)
			continue;
		slot = change_slot(graph, &edit, at, first + i);
		removed += drop_inline(slot, dead[i]);
		update_flat(graph, &edit, first + i, slot);
	}

	if (at >= 0)
		memcpy(copy, hnsw_edit_page(&edit, at), BLCKSZ);
	if (removed > 0)
		hnsw_edit_finish(&edit);
	else
		hnsw_edit_cancel(&edit);
	return removed;
}

/* Take the TIDs of 'dead' out of a TIDS slot; returns how many. */
static int
drop_chained(HnswTidSlot *more, const ItemPointerData *dead, int n)
{
	uint32		kept = 0;
	int			next = 0;
	int			removed;

	for (uint32 i = 0; i < more->ntids; i++)
	{
		if (next < n &&
			memcmp(&more->tids[i], &dead[next], sizeof(ItemPointerData)) == 0)
			next++;
		else
			more->tids[kept++] = more->tids[i];
	}
	removed = more->ntids - kept;
	memset(&more->tids[kept], 0, removed * sizeof(ItemPointerData));
	more->ntids = kept;
	return removed;
}

int
hnsw_diskgraph_remove_chained(HnswDiskGraph *graph, HnswNode node,
							  uint32 version, HnswNode chained,
							  const ItemPointerData *dead, int n)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	BlockNumber block = hnsw_index_node_block(index, node);
	BlockNumber more_block = hnsw_index_node_block(index, chained);
	int			removed = 0;
	HnswEdit	edit;
	int			at;
	int			more_at;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	lock_two_pages(&edit, block, hnsw_node_page(layout, node), &at,
				   more_block, hnsw_node_page(layout, chained), &more_at);
	if (at >= 0 && more_at >= 0 &&
		is_live(graph, slot_at(graph, &edit, at, node), version) &&
		is_chained(graph,
				   (HnswTidSlot *) slot_at(graph, &edit, more_at, chained),
				   node, version))
	{
		HnswSlot   *slot = change_slot(graph, &edit, at, node);
		HnswTidSlot *more = (HnswTidSlot *) change_slot(graph, &edit, more_at,
														chained);

		removed = drop_chained(more, dead, n);
		slot->ntids -= Min((uint32) removed, slot->ntids - slot->nhere);
		if (slot->ntids == 0)
			slot->state = HNSW_EMPTY;
		if (slot->ntids <= 1)
			update_flat(graph, &edit, node, slot);
	}

	if (removed > 0)
		hnsw_edit_finish(&edit);
	else
		hnsw_edit_cancel(&edit);
	return removed;
}

/* Turn a slot into a FREE one of the next version (V9). */
static void
free_slot(HnswDiskGraph *graph, HnswEdit *edit, int at, HnswNode node)
{
	HnswSlot   *slot = change_slot(graph, edit, at, node);
	uint32		version = slot->version + 1;

	memset(slot, 0, graph->index->space.layout.node_bytes);
	slot->version = version;
	update_flat(graph, edit, node, slot);
}

bool
hnsw_diskgraph_unchain(HnswDiskGraph *graph, HnswNode node, uint32 version,
					   HnswNode before, HnswNode chained)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	BlockNumber block = hnsw_index_node_block(index, before);
	BlockNumber more_block = hnsw_index_node_block(index, chained);
	bool		ok = false;
	HnswEdit	edit;
	int			at;
	int			more_at;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	lock_two_pages(&edit, block, hnsw_node_page(layout, before), &at,
				   more_block, hnsw_node_page(layout, chained), &more_at);
	if (at >= 0 && more_at >= 0)
	{
		HnswSlot   *slot = slot_at(graph, &edit, at, before);
		HnswTidSlot *more = (HnswTidSlot *) slot_at(graph, &edit, more_at,
													chained);

		/* 'next' has the same place in both forms of a slot */
		ok = slot->next == chained && more->ntids == 0 &&
			is_chained(graph, more, node, version) &&
			(before != node ?
			 is_chained(graph, (HnswTidSlot *) slot, node, version) :
			 slot->version == version &&
			 (slot->state == HNSW_LIVE || slot->state == HNSW_EMPTY));
		if (ok)
		{
			change_slot(graph, &edit, at, before)->next = more->next;
			free_slot(graph, &edit, more_at, chained);
		}
	}

	if (ok)
		hnsw_edit_finish(&edit);
	else
		hnsw_edit_cancel(&edit);
	return ok;
}

/* ---- W7: new edges ---- */

/* Do two slots have the same edges, bit for bit? */
static bool
same_edges(const HnswLayout *layout, const HnswSlot *a, const HnswSlot *b)
{
	return a->nedges == b->nedges &&
		memcmp((const char *) a + layout->occluded_off,
			   (const char *) b + layout->occluded_off,
			   layout->own_off - layout->occluded_off) == 0 &&
		memcmp((const char *) a + layout->edges_off,
			   (const char *) b + layout->edges_off,
			   layout->max_edges * layout->edge_bytes) == 0;
}

static void
copy_edges(const HnswLayout *layout, HnswSlot *to, const HnswSlot *from)
{
	to->nedges = from->nedges;
	memcpy((char *) to + layout->occluded_off,
		   (const char *) from + layout->occluded_off,
		   layout->own_off - layout->occluded_off);
	memcpy((char *) to + layout->edges_off,
		   (const char *) from + layout->edges_off,
		   layout->max_edges * layout->edge_bytes);
}

void
hnsw_diskgraph_relink(HnswDiskGraph *graph, uint32 page, const char *before,
					  const char *after, bool *changed)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	HnswNode	first = hnsw_page_first_node(layout, page);
	BlockNumber block = look_up_page(graph, page);
	int			nwritten = 0;
	HnswEdit	edit;
	int			at;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	at = lock_node_page(&edit, block, page);
	for (uint32 i = 0; i < layout->nodes_per_page; i++)
	{
		HnswSlot   *seen = hnsw_page_slot((Page) before, layout, i);
		HnswSlot   *slot;

		if (!changed[i])
			continue;
		if (at < 0 ||
			!is_live(graph, slot_at(graph, &edit, at, first + i),
					 seen->version))
		{
			changed[i] = false;
			continue;
		}
		slot = slot_at(graph, &edit, at, first + i);
		if (!same_edges(layout, slot, seen))
			continue;
		copy_edges(layout, change_slot(graph, &edit, at, first + i),
				   hnsw_page_slot((Page) after, layout, i));
		changed[i] = false;
		nwritten++;
	}

	if (nwritten > 0)
		hnsw_edit_finish(&edit);
	else
		hnsw_edit_cancel(&edit);
}

/* First edge of a slot that names a node of the set, or -1. */
static int
find_edge_to(const HnswLayout *layout, HnswSlot *slot, const HnswNodeSet *set)
{
	for (int i = 0; i < slot->nedges; i++)
	{
		if (hnsw_nodeset_has(set, hnsw_slot_edge(slot, layout, i)->node))
			return i;
	}
	return -1;
}

/* Take edge i out; the last one takes its place. */
static void
drop_edge(const HnswLayout *layout, HnswSlot *slot, int i)
{
	int			last = --slot->nedges;

	if (i != last)
	{
		memcpy(hnsw_slot_edge(slot, layout, i),
			   hnsw_slot_edge(slot, layout, last), layout->edge_bytes);
		hnsw_slot_set_occluded(slot, layout, i,
							   hnsw_slot_occluded(slot, layout, last));
	}
	memset(hnsw_slot_edge(slot, layout, last), 0, layout->edge_bytes);
	hnsw_slot_set_occluded(slot, layout, last, false);
}

void
hnsw_diskgraph_drop_edges(HnswDiskGraph *graph, uint32 page,
						  const HnswNodeSet *set)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	HnswNode	first = hnsw_page_first_node(layout, page);
	BlockNumber block = look_up_page(graph, page);
	bool		written = false;
	HnswEdit	edit;
	int			at;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	at = lock_node_page(&edit, block, page);
	for (uint32 i = 0; at >= 0 && i < layout->nodes_per_page; i++)
	{
		HnswSlot   *slot = slot_at(graph, &edit, at, first + i);
		int			edge;

		if (!is_live(graph, slot, slot->version) ||
			find_edge_to(layout, slot, set) < 0)
			continue;
		slot = change_slot(graph, &edit, at, first + i);
		while ((edge = find_edge_to(layout, slot, set)) >= 0)
			drop_edge(layout, slot, edge);
		written = true;
	}

	if (written)
		hnsw_edit_finish(&edit);
	else
		hnsw_edit_cancel(&edit);
}

/* ---- W9: freeing ---- */

int
hnsw_diskgraph_free(HnswDiskGraph *graph, uint32 page, const bool *which)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	HnswNode	first = hnsw_page_first_node(layout, page);
	BlockNumber block = look_up_page(graph, page);
	int			nfreed = 0;
	HnswEdit	edit;
	int			at;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	at = lock_node_page(&edit, block, page);
	for (uint32 i = 0; at >= 0 && i < layout->nodes_per_page; i++)
	{
		if (!which[i] ||
			slot_at(graph, &edit, at, first + i)->state != HNSW_EMPTY)
			continue;
		free_slot(graph, &edit, at, first + i);
		nfreed++;
	}

	if (nfreed > 0)
		hnsw_edit_finish(&edit);
	else
		hnsw_edit_cancel(&edit);
	return nfreed;
}

/* ---- W8: entries ---- */

bool
hnsw_diskgraph_replace_entry(HnswDiskGraph *graph, uint32 number,
							 const HnswEntry *old, HnswNode node,
							 uint32 version, const uint8 *flat_code)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY,
										 number / layout->entries_per_page);
	HnswEdit	edit;
	HnswEntry  *entry;
	int			at = -1;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	if (block != InvalidBlockNumber)
		at = hnsw_edit_lock(&edit, block, HNSW_PAGE_ENTRY);
	if (at < 0 ||
		memcmp(hnsw_page_entry(hnsw_edit_page(&edit, at), layout, number),
			   old, sizeof(HnswEntry)) != 0)
	{
		hnsw_edit_cancel(&edit);
		return false;
	}

	entry = hnsw_page_entry(hnsw_edit_change(&edit, at), layout, number);
	memset(entry, 0, layout->entry_bytes);
	entry->node = node;
	entry->version = version;
	if (node != HNSW_INVALID_NODE && layout->flat_code_bytes > 0)
		memcpy(entry->code, flat_code, layout->flat_code_bytes);
	hnsw_edit_finish(&edit);
	return true;
}
