/*-------------------------------------------------------------------------
 *
 * hnswdiskedit.h
 *	  What the two files that change the graph on pages have in common.
 *
 * Finding and locking the pages of nodes within an edit, judging slots under
 * the lock, and keeping flat records in line with them.  For hnswdiskwrite.c
 * and hnswdiskprune.c only.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswdiskedit.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWDISKEDIT_H
#define HNSWDISKEDIT_H

#include "hnsw/hnswdiskgraph.h"

/* ---- finding and locking ---- */

/*
 * Lock the page of NODE pages that has number 'page'.  Returns its number in
 * the edit, or -1 if there is no such page.
 */
static inline int
lock_node_page(HnswEdit *edit, BlockNumber block, uint32 page)
{
	int			at;

	if (block == InvalidBlockNumber)
		return -1;
	at = hnsw_edit_lock(edit, block, HNSW_PAGE_NODE);
	if (at >= 0 && hnsw_page_special(hnsw_edit_page(edit, at))->index != page)
		return -1;
	return at;
}

/*
 * Lock the pages of two NODE page numbers in block order (L2).  Results as of
 * lock_node_page.
 */
static inline void
lock_two_pages(HnswEdit *edit, BlockNumber block_a, uint32 page_a, int *at_a,
			   BlockNumber block_b, uint32 page_b, int *at_b)
{
	if (block_b < block_a)
	{
		*at_b = lock_node_page(edit, block_b, page_b);
		*at_a = lock_node_page(edit, block_a, page_a);
	}
	else
	{
		*at_a = lock_node_page(edit, block_a, page_a);
		*at_b = lock_node_page(edit, block_b, page_b);
	}
}

/* Lock the flat page of a node, or -1.  For nodes of a looked-up page. */
static inline int
lock_flat(HnswDiskGraph *graph, HnswEdit *edit, HnswNode node)
{
	const HnswLayout *layout = &graph->index->space.layout;
	uint32		page = node / layout->flats_per_page;
	BlockNumber block = hnsw_extent_block(graph->index->meta, HNSW_PAGE_FLAT,
										  page);
	int			at;

	if (block == InvalidBlockNumber)
		return -1;
	at = hnsw_edit_lock(edit, block, HNSW_PAGE_FLAT);
	if (at >= 0 && hnsw_page_special(hnsw_edit_page(edit, at))->index != page)
		return -1;
	return at;
}

/*
 * Block of a NODE page.  Afterwards the copy of the metapage knows that page
 * and the flat pages of its nodes, so that no later look-up reads the metapage.
 */
static inline BlockNumber
look_up_page(HnswDiskGraph *graph, uint32 page)
{
	return hnsw_index_block(graph->index, HNSW_PAGE_NODE, page);
}

/* A slot as it stands on a locked page. */
static inline HnswSlot *
slot_at(HnswDiskGraph *graph, HnswEdit *edit, int at, HnswNode node)
{
	const HnswLayout *layout = &graph->index->space.layout;

	return hnsw_page_slot(hnsw_edit_page(edit, at), layout,
						  hnsw_node_slot(layout, node));
}

/* The same in the image to be written. */
static inline HnswSlot *
change_slot(HnswDiskGraph *graph, HnswEdit *edit, int at, HnswNode node)
{
	const HnswLayout *layout = &graph->index->space.layout;
	Page		page = hnsw_edit_change(edit, at);
	HnswSlot   *slot = hnsw_page_slot(page, layout,
									  hnsw_node_slot(layout, node));

	hnsw_page_cover(page, slot, layout->node_bytes);
	return slot;
}

static inline bool
is_live(HnswDiskGraph *graph, const HnswSlot *slot, uint32 version)
{
	return slot->state == HNSW_LIVE && slot->version == version &&
		hnsw_slot_sane(slot, &graph->index->space.layout);
}

/* Is this a sane TIDS slot of that node? */
static inline bool
is_chained(HnswDiskGraph *graph, const HnswTidSlot *slot, HnswNode node,
		   uint32 version)
{
	return slot->state == HNSW_TIDS && slot->owner == node &&
		slot->owner_version == version &&
		hnsw_slot_sane((const HnswSlot *) slot, &graph->index->space.layout);
}

/* ---- flat records ---- */

/* A node's flat record in the image to be written. */
static inline HnswFlat *
change_flat(HnswDiskGraph *graph, HnswEdit *edit, int at, HnswNode node)
{
	const HnswLayout *layout = &graph->index->space.layout;
	Page		page = hnsw_edit_change(edit, at);
	HnswFlat   *flat = hnsw_page_flat(page, layout, node);

	hnsw_page_cover(page, flat, layout->flat_bytes);
	return flat;
}

/* Bring the head of a flat record in line with its slot. */
static inline void
follow_slot(HnswFlat *flat, const HnswSlot *slot)
{
	flat->version = slot->version;
	flat->state = slot->state;
	flat->more = slot->state == HNSW_LIVE && slot->ntids > 1;
	if (slot->state == HNSW_LIVE && slot->nhere > 0)
		flat->tid = slot->tids[0];
	else
		ItemPointerSetInvalid(&flat->tid);
}

/*
 * Lock a node's flat page and bring its record in line with 'slot'.  A page
 * that is not what it should be is left alone: a flat record is only a hint,
 * and the verifier tells.
 */
static inline void
update_flat(HnswDiskGraph *graph, HnswEdit *edit, HnswNode node,
			const HnswSlot *slot)
{
	const HnswLayout *layout = &graph->index->space.layout;
	int			at = lock_flat(graph, edit, node);
	HnswFlat	head = {0};
	HnswFlat   *flat;

	if (at < 0)
		return;
	follow_slot(&head, slot);
	flat = hnsw_page_flat(hnsw_edit_page(edit, at), layout, node);
	if (memcmp(flat, &head, offsetof(HnswFlat, code)) == 0)
		return;

	flat = change_flat(graph, edit, at, node);
	if (slot->state == HNSW_FREE || slot->state == HNSW_TIDS)
		memset(flat, 0, layout->flat_bytes);
	follow_slot(flat, slot);
}

#endif							/* HNSWDISKEDIT_H */
