/*-------------------------------------------------------------------------
 *
 * hnswdiskwrite.c
 *	  The graph on pages: what an insert writes.
 *
 * One function a WAL step (README, "WAL").  All have the same shape: look up
 * every block that may be needed, since that can read the metapage (L2); lock;
 * judge anew what the caller saw in a copy; change, or let go and say so.
 * Under the locks only bytes are moved and compared.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswdiskwrite.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskedit.h"
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
		Page		image;
		HnswMore   *more;
		int			at;

		hnsw_edit_begin(&edit, index->rel, index->logged);
		at = hnsw_edit_lock(&edit, block, HNSW_PAGE_MORE);
		if (at < 0)
		{
			hnsw_edit_cancel(&edit);
			return false;
		}
		image = hnsw_edit_change(&edit, at);
		more = (HnswMore *) hnsw_page_contents(image);
		hnsw_page_cover(image, more, sizeof(HnswMore) + part);
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
	memcpy(change_flat(graph, edit, flat_at, node), flat, layout->flat_bytes);
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
		int			i;

		i = find_free_slot(graph, hnsw_edit_page(&edit, at), &nfree);
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
	HnswNode	chained;		/* one of its slots that has room, if any */
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

/* ---- W4: back-links ---- */

/*
 * Lock the pages of links, in the order of which their blocks must ascend: at[i]
 * is the number in the edit of the page of link i, or -1 if it cannot be had.
 */
static void
lock_links(HnswDiskGraph *graph, HnswEdit *edit, const HnswLink *links, int n,
		   int *at)
{
	HnswIndex  *index = graph->index;
	BlockNumber block[HNSW_MAX_EDGES];
	BlockNumber last = 0;

	for (int i = 0; i < n; i++)
		block[i] = hnsw_index_node_block(index, links[i].node);

	hnsw_edit_begin(edit, index->rel, index->logged);
	for (int i = 0; i < n; i++)
	{
		at[i] = -1;
		if (block[i] < last)
			continue;			/* extents are damaged: L2 comes first */
		at[i] = lock_node_page(edit, block[i],
							   hnsw_node_page(&index->space.layout,
											  links[i].node));
		last = block[i];
	}
}

void
hnsw_diskgraph_link(HnswDiskGraph *graph, HnswLink *links, int n, HnswNode new)
{
	const HnswSpace *space = &graph->index->space;
	int			at[HNSW_MAX_EDGES];
	bool		written = false;
	HnswEdit	edit;

	lock_links(graph, &edit, links, n, at);
	for (int i = 0; i < n; i++)
	{
		HnswLink   *link = &links[i];

		link->outcome = HNSW_GONE;
		if (at[i] < 0 ||
			!is_live(graph, slot_at(graph, &edit, at[i], link->node),
					 link->version))
			continue;
		link->outcome = hnsw_link_apply(space,
										change_slot(graph, &edit, at[i],
													link->node),
										&link->placement, new, link->code) ?
			HNSW_DONE : HNSW_CHANGED;
		written |= link->outcome == HNSW_DONE;
	}

	if (written)
		hnsw_edit_finish(&edit);
	else
		hnsw_edit_cancel(&edit);
}
