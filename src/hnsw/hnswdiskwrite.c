/*-------------------------------------------------------------------------
 *
 * hnswdiskwrite.c
 *	  The graph on pages: changing it.
 *
 * One function a WAL step (README, "WAL").  All have the same shape: look up
 * every block that may be needed, since that can read the metapage (L2); lock;
 * judge anew what the caller saw in a copy; change, or let go and say so.  Under
 * the locks only bytes are moved and compared.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswdiskwrite.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskwrite.h"
#include "miscadmin.h"

/*
 * How many pages of the free-space map one change follows before it appends a
 * page.  Each page that turns out full has been taken off the map, so stale
 * hints are used up, a few an insert (H69).
 */
#define MAX_HINTS			8

/* Claims in vain before an index counts as damaged: others may be faster. */
#define MAX_CLAIMS			100

/* no page index is as large: node numbers end first */
#define NO_PAGE				PG_UINT32_MAX

/* ---- finding and locking ---- */

/*
 * Lock the page of NODE pages that has number 'page'.  Returns its number in
 * the edit, or -1 if there is no such page.
 */
static int
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
static void
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
static int
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
 * Block of a NODE page.  Afterwards the copy of the metapage knows that page and
 * the flat pages of its nodes, so that no later look-up reads the metapage.
 */
static BlockNumber
look_up_page(HnswDiskGraph *graph, uint32 page)
{
	return hnsw_index_block(graph->index, HNSW_PAGE_NODE, page);
}

/* A slot as it stands on a locked page. */
static HnswSlot *
slot_at(HnswDiskGraph *graph, HnswEdit *edit, int at, HnswNode node)
{
	const HnswLayout *layout = &graph->index->space.layout;

	return hnsw_page_slot(hnsw_edit_page(edit, at), layout,
						  hnsw_node_slot(layout, node));
}

/* The same in the image to be written. */
static HnswSlot *
change_slot(HnswDiskGraph *graph, HnswEdit *edit, int at, HnswNode node)
{
	const HnswLayout *layout = &graph->index->space.layout;

	return hnsw_page_slot(hnsw_edit_change(edit, at), layout,
						  hnsw_node_slot(layout, node));
}

static bool
is_live(HnswDiskGraph *graph, const HnswSlot *slot, uint32 version)
{
	return slot->state == HNSW_LIVE && slot->version == version &&
		hnsw_slot_sane(slot, &graph->index->space.layout);
}

/* Is this a sane TIDS slot of that node? */
static bool
is_chained(HnswDiskGraph *graph, const HnswTidSlot *slot, HnswNode node,
		   uint32 version)
{
	return slot->state == HNSW_TIDS && slot->owner == node &&
		slot->owner_version == version &&
		hnsw_slot_sane((const HnswSlot *) slot, &graph->index->space.layout);
}

/* ---- flat records ---- */

/* Bring the head of a flat record in line with its slot. */
static void
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
static void
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

	flat = hnsw_page_flat(hnsw_edit_change(edit, at), layout, node);
	if (slot->state == HNSW_FREE || slot->state == HNSW_TIDS)
		memset(flat, 0, layout->flat_bytes);
	follow_slot(flat, slot);
}

/* ---- free slots ---- */

/* Index of the NODE page at a block; false if no node begins there. */
static bool
find_page_at(HnswIndex *index, BlockNumber block, uint32 *page)
{
	const HnswMetaPageData *meta = index->meta;

	for (uint32 i = 0; i < meta->nextents; i++)
	{
		const HnswExtent *extent = &meta->extent[i];

		if (meta->extent_kind[i] == HNSW_PAGE_NODE &&
			block >= extent->start && block - extent->start < extent->npages)
		{
			*page = extent->first + (block - extent->start);
			return *page < meta->npages[HNSW_PAGE_NODE] &&
				*page % index->space.layout.pages_per_node == 0;
		}
	}
	return false;
}

/*
 * A page that may have FREE slots: from the free-space map, else a new one.
 * No lock is held.  hints: how many of the map's have been followed.
 */
static uint32
find_free_page(HnswDiskGraph *graph, int *hints)
{
	HnswIndex  *index = graph->index;

	while (*hints < MAX_HINTS)
	{
		BlockNumber block = hnsw_store_get_free(index->rel);
		uint32		page;

		if (block == InvalidBlockNumber)
			break;
		(*hints)++;
		if (find_page_at(index, block, &page))
			return page;
		hnsw_index_refresh(index);
		if (find_page_at(index, block, &page))
			return page;
	}
	*hints = MAX_HINTS;
	return hnsw_index_append(index);
}

/* First FREE slot of a NODE page, or -1; *nfree: how many there are. */
static int
find_free_slot(HnswDiskGraph *graph, Page page, int *nfree)
{
	const HnswLayout *layout = &graph->index->space.layout;
	int			found = -1;

	*nfree = 0;
	for (int i = (int) layout->nodes_per_page - 1; i >= 0; i--)
	{
		if (hnsw_page_slot(page, layout, i)->state == HNSW_FREE)
		{
			found = i;
			(*nfree)++;
		}
	}
	return found;
}

/* Nobody can claim anything on pages that we append. */
static void
report_unusable(HnswDiskGraph *graph)
{
	Relation	rel = graph->index->rel;

	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" has no usable page for a new node",
					RelationGetRelationName(rel)),
			 errhint("Please REINDEX it.")));
}

/* ---- W2: a new node ---- */

/*
 * Write the parts of an own form that lie on MORE pages, one record each,
 * under the lock of the head page that keeps the slot ours.  Until the head is
 * written, which comes last, they are parts of nothing.
 */
static bool
write_more(HnswDiskGraph *graph, uint32 page, HnswNode node, uint32 version,
		   const uint8 *own)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	Size		done = layout->own_here;

	for (uint32 i = 1; i < layout->pages_per_node; i++)
	{
		BlockNumber block = hnsw_extent_block(index->meta, HNSW_PAGE_NODE,
											  page + i);
		Size		part = Min(layout->own_bytes - done, HNSW_MORE_BYTES);
		HnswEdit	edit;
		HnswMore   *more;
		int			at;

		hnsw_edit_begin(&edit, index->rel, index->logged);
		at = hnsw_edit_lock(&edit, block, HNSW_PAGE_MORE);
		if (at < 0)
		{
			hnsw_edit_cancel(&edit);
			return false;
		}
		more = (HnswMore *) hnsw_page_contents(hnsw_edit_change(&edit, at));
		more->node = node;
		more->version = version;
		memcpy(more + 1, own + done, part);
		hnsw_edit_finish(&edit);
		done += part;
	}
	return true;
}

/* Write a node and its flat record into slot images; the head comes last. */
static void
write_node(HnswDiskGraph *graph, HnswEdit *edit, int at, int flat_at,
		   HnswNode node, const HnswSlot *slot, HnswFlat *flat)
{
	const HnswLayout *layout = &graph->index->space.layout;

	memcpy(change_slot(graph, edit, at, node), slot, layout->node_bytes);
	follow_slot(flat, slot);
	memcpy(hnsw_page_flat(hnsw_edit_change(edit, flat_at), layout, node),
		   flat, layout->flat_bytes);
}

/*
 * Put the node into a FREE slot of a page; HNSW_INVALID_NODE if it has none,
 * or if a page that belongs to it cannot be used.
 */
static HnswNode
claim_on_page(HnswDiskGraph *graph, uint32 page, HnswSlot *slot,
			  const uint8 *own, HnswFlat *flat)
{
	HnswIndex  *index = graph->index;
	BlockNumber block = look_up_page(graph, page);
	HnswNode	node = HNSW_INVALID_NODE;
	int			nfree = 0;
	int			flat_at = -1;
	HnswEdit	edit;
	int			at;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	at = lock_node_page(&edit, block, page);
	if (at >= 0)
	{
		int			i = find_free_slot(graph, hnsw_edit_page(&edit, at), &nfree);

		if (i >= 0)
		{
			node = hnsw_page_first_node(&index->space.layout, page) + i;
			slot->version = slot_at(graph, &edit, at, node)->version;
			if (write_more(graph, page, node, slot->version, own))
				flat_at = lock_flat(graph, &edit, node);
		}
	}
	if (flat_at < 0)
	{
		hnsw_edit_cancel(&edit);
		return HNSW_INVALID_NODE;
	}
	write_node(graph, &edit, at, flat_at, node, slot, flat);
	hnsw_edit_finish(&edit);

	/* the next insert shall find the rest of the page */
	if (nfree > 1)
		hnsw_store_publish_free(index->rel, block);
	return node;
}

HnswNode
hnsw_diskgraph_claim(HnswDiskGraph *graph, HnswSlot *slot, const uint8 *own,
					 HnswFlat *flat, uint32 *version)
{
	int			hints = 0;

	Assert(slot->state == HNSW_LIVE);
	for (int claims = 0; claims < MAX_CLAIMS; claims++)
	{
		uint32		page = find_free_page(graph, &hints);
		HnswNode	node;

		CHECK_FOR_INTERRUPTS();
		node = claim_on_page(graph, page, slot, own, flat);
		if (node != HNSW_INVALID_NODE)
		{
			*version = slot->version;
			return node;
		}
	}
	report_unusable(graph);
	return HNSW_INVALID_NODE;	/* not reached */
}

/* ---- W3: one more heap TID ---- */

/* TIDS slots looked at for room; chosen: with more, a chain rather grows. */
#define MAX_CHAIN_LOOKS		64

/*
 * Where a heap TID can go that no longer fits into its node, as far as known.
 */
typedef struct TidRoom
{
	HnswNode	head;			/* of the chain, when it was looked through */
	bool		looked;			/* it was */
	HnswNode	chained;		/* slot of the chain with room, or HNSW_INVALID_NODE */
	uint32		page;			/* a page with FREE slots, or NO_PAGE */
} TidRoom;

/*
 * Look for a slot with room at the beginning of a chain.  VACUUM leaves gaps
 * in all of them; filled again, they keep the index from growing.
 */
static HnswNode
find_room(HnswDiskGraph *graph, HnswNode node, uint32 version, HnswNode next)
{
	HnswTidSlot *slot = (HnswTidSlot *) graph->scratch;

	for (int i = 0; i < MAX_CHAIN_LOOKS && next != HNSW_INVALID_NODE; i++)
	{
		if (!hnsw_diskgraph_read(graph, next, (HnswSlot *) slot, NULL) ||
			!is_chained(graph, slot, node, version))
			break;
		if (slot->ntids < graph->index->space.layout.tids_per_slot)
			return next;
		next = slot->next;
	}
	return HNSW_INVALID_NODE;
}

static void
append_here(HnswDiskGraph *graph, HnswEdit *edit, int at, HnswNode node,
			const uint8 *own, ItemPointer tid)
{
	HnswSlot   *slot = change_slot(graph, edit, at, node);

	slot->tids[slot->nhere++] = *tid;
	slot->ntids++;
	(void) hnsw_space_cover(&graph->index->space,
							hnsw_slot_own(slot, &graph->index->space.layout),
							own);

	/* the first TID, and whether there are more, are in the flat record too */
	if (slot->nhere == 1 || slot->ntids == 2)
		update_flat(graph, edit, node, slot);
}

static void
append_chained(HnswDiskGraph *graph, HnswEdit *edit, int at, HnswNode node,
			   int chained_at, HnswNode chained, const uint8 *own,
			   ItemPointer tid)
{
	HnswSlot   *slot = change_slot(graph, edit, at, node);
	HnswTidSlot *more = (HnswTidSlot *) change_slot(graph, edit, chained_at,
													chained);

	more->tids[more->ntids++] = *tid;
	slot->ntids++;
	(void) hnsw_space_cover(&graph->index->space,
							hnsw_slot_own(slot, &graph->index->space.layout),
							own);
	if (slot->ntids == 2)
		update_flat(graph, edit, node, slot);
}

/* Make the FREE slot 'chained' the new head of the chain, and append there. */
static void
append_new_slot(HnswDiskGraph *graph, HnswEdit *edit, int at, HnswNode node,
				int chained_at, HnswNode chained, const uint8 *own,
				ItemPointer tid)
{
	HnswSlot   *slot = change_slot(graph, edit, at, node);
	HnswTidSlot *more = (HnswTidSlot *) change_slot(graph, edit, chained_at,
													chained);

	more->state = HNSW_TIDS;
	more->ntids = 0;
	more->next = slot->next;
	more->owner = node;
	more->owner_version = slot->version;
	slot->next = chained;
	update_flat(graph, edit, chained, (HnswSlot *) more);
	append_chained(graph, edit, at, node, chained_at, chained, own, tid);
}

/*
 * Append to a node that has no room itself: to the TIDS slot or the page that
 * *room names, locked as 'other_at'.  HNSW_CHANGED: look again.  *nfree: FREE
 * slots that the page had.
 */
static HnswOutcome
append_elsewhere(HnswDiskGraph *graph, HnswEdit *edit, int at, HnswNode node,
				 int other_at, const uint8 *own, ItemPointer tid,
				 TidRoom *room, int *nfree)
{
	const HnswLayout *layout = &graph->index->space.layout;
	HnswSlot   *slot = slot_at(graph, edit, at, node);

	if (!room->looked || slot->next != room->head)
	{
		room->head = slot->next;
		return HNSW_CHANGED;
	}
	if (other_at >= 0 && room->chained != HNSW_INVALID_NODE)
	{
		HnswTidSlot *more = (HnswTidSlot *) slot_at(graph, edit, other_at,
													room->chained);

		if (is_chained(graph, more, node, slot->version) &&
			more->ntids < layout->tids_per_slot)
		{
			append_chained(graph, edit, at, node, other_at, room->chained,
						   own, tid);
			return HNSW_DONE;
		}
	}
	else if (other_at >= 0)
	{
		int			i = find_free_slot(graph, hnsw_edit_page(edit, other_at),
									   nfree);

		if (i >= 0)
		{
			append_new_slot(graph, edit, at, node, other_at,
							hnsw_page_first_node(layout, room->page) + i, own,
							tid);
			return HNSW_DONE;
		}
	}
	return HNSW_CHANGED;
}

/* One attempt. */
static HnswOutcome
try_append(HnswDiskGraph *graph, HnswNode node, uint32 version,
		   const uint8 *own, ItemPointer tid, TidRoom *room)
{
	HnswIndex  *index = graph->index;
	const HnswLayout *layout = &index->space.layout;
	BlockNumber block = hnsw_index_node_block(index, node);
	uint32		other = room->chained != HNSW_INVALID_NODE ?
		hnsw_node_page(layout, room->chained) : room->page;
	BlockNumber other_block = other != NO_PAGE ? look_up_page(graph, other) :
		InvalidBlockNumber;
	HnswOutcome outcome = HNSW_DONE;
	int			nfree = -1;		/* not looked at */
	HnswSlot   *slot;
	HnswEdit	edit;
	int			at;
	int			other_at;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	lock_two_pages(&edit, block, hnsw_node_page(layout, node), &at,
				   other_block, other, &other_at);
	slot = at >= 0 ? slot_at(graph, &edit, at, node) : NULL;

	if (slot == NULL || !is_live(graph, slot, version))
		outcome = HNSW_GONE;
	else if (slot->nhere < HNSW_INLINE_TIDS)
		append_here(graph, &edit, at, node, own, tid);
	else
		outcome = append_elsewhere(graph, &edit, at, node, other_at, own, tid,
								   room, &nfree);

	if (outcome == HNSW_DONE)
		hnsw_edit_finish(&edit);
	else
		hnsw_edit_cancel(&edit);

	/* the map was told that we would use the page up */
	if (room->page != NO_PAGE && (nfree < 0 || nfree > 1))
		hnsw_store_publish_free(index->rel, other_block);
	room->page = NO_PAGE;
	return outcome;
}

HnswOutcome
hnsw_diskgraph_append_tid(HnswDiskGraph *graph, HnswNode node, uint32 version,
						  const uint8 *own, ItemPointer tid)
{
	TidRoom		room = {HNSW_INVALID_NODE, false, HNSW_INVALID_NODE, NO_PAGE};
	HnswOutcome outcome;
	int			hints = 0;

	if (hnsw_index_node_block(graph->index, node) == InvalidBlockNumber)
		return HNSW_GONE;

	/* the first attempt tells whether the TID fits into the node */
	outcome = try_append(graph, node, version, own, tid, &room);
	for (int i = 0; i < MAX_CLAIMS && outcome == HNSW_CHANGED; i++)
	{
		CHECK_FOR_INTERRUPTS();
		room.chained = find_room(graph, node, version, room.head);
		if (room.chained == HNSW_INVALID_NODE)
			room.page = find_free_page(graph, &hints);
		room.looked = true;
		outcome = try_append(graph, node, version, own, tid, &room);
	}
	return outcome;
}

/* ---- W4: a back-link ---- */

HnswOutcome
hnsw_diskgraph_link(HnswDiskGraph *graph, HnswNode node, uint32 version,
					const HnswPlacement *placement, HnswNode new,
					const uint8 *code)
{
	HnswIndex  *index = graph->index;
	const HnswSpace *space = &index->space;
	BlockNumber block = hnsw_index_node_block(index, node);
	HnswOutcome outcome = HNSW_GONE;
	HnswEdit	edit;
	int			at;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	at = lock_node_page(&edit, block, hnsw_node_page(&space->layout, node));
	if (at >= 0 && is_live(graph, slot_at(graph, &edit, at, node), version))
		outcome = hnsw_link_apply(space, change_slot(graph, &edit, at, node),
								  placement, new, code) ?
			HNSW_DONE : HNSW_CHANGED;

	if (outcome == HNSW_DONE)
		hnsw_edit_finish(&edit);
	else
		hnsw_edit_cancel(&edit);
	return outcome;
}

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
		if (next < n && ItemPointerEquals(&more->tids[i],
										  unconstify(ItemPointerData *, &dead[next])))
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
