/*-------------------------------------------------------------------------
 *
 * hnswcheckpage.c
 *	  The verifier's first pass, each block by itself: V2, frames of pages;
 *	  V4 and V9, slots.
 *
 * Collects state and version of every slot, and the heap TIDs.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcheckpage.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnswcheck.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* ---- V2: frames of pages ---- */

/*
 * Judge header and special space of check->page.  Returns whether it is the
 * page that belongs here, so that its contents can be looked at.
 */
static bool
check_frame(HnswCheck *check, BlockNumber block, HnswPageKind kind,
			uint32 number)
{
	Page		page = check->page;
	PageHeader	header = (PageHeader) page;
	HnswPageSpecial *special;
	Size		head = MAXALIGN(SizeOfPageHeaderData);

	if (hnsw_page_kind(page) == 0)
	{
		hnsw_check_report(check, "V2", "error", block, -1,
						  "The page header or special space is not that of an hnsw page.");
		return false;
	}
	special = hnsw_page_special(page);
	if (special->kind != kind)
	{
		hnsw_check_report(check, "V2", "error", block, -1,
						  "The page is of kind %s, but %s is expected here.",
						  hnsw_inspect_kind_name(special->kind),
						  hnsw_inspect_kind_name(kind));
		return false;
	}
	if (special->index != number)
	{
		hnsw_check_report(check, "V2", "error", block, -1,
						  "The page says it is %s page %u, but %u is expected here.",
						  hnsw_inspect_kind_name(kind), special->index,
						  number);
		return false;
	}

	if (special->epoch != check->meta->epoch)
		hnsw_check_report(check, "V2", "error", block, -1,
						  "The page has epoch %u, the metapage %u.",
						  special->epoch, check->meta->epoch);
	if (special->unused != 0 || special->unused2 != 0 || special->unused3 != 0)
		hnsw_check_report(check, "V2", "error", block, -1,
						  "Unused bytes of the special space are not zero.");
	if (header->pd_flags != 0 || header->pd_prune_xid != InvalidTransactionId)
		hnsw_check_report(check, "V2", "error", block, -1,
						  "Unused bytes of the page header are not zero.");
	if (!hnsw_page_used_sane(check->layout, kind, header->pd_lower - head) ||
		header->pd_upper != header->pd_special)
		hnsw_check_report(check, "V2", "error", block, -1,
						  "pd_lower is %u and pd_upper %u, which no %s page can have.",
						  header->pd_lower, header->pd_upper,
						  hnsw_inspect_kind_name(kind));
	else if (!hnsw_check_zeros(page + header->pd_lower,
							   header->pd_special - header->pd_lower))
		hnsw_check_report(check, "V2", "error", block, -1,
						  "Bytes between pd_lower and pd_upper are not zero.");
	return true;
}

/* What no record of a page can use is zero; of records, see below. */
static void
check_rest(HnswCheck *check, BlockNumber block, HnswPageKind kind,
		   uint32 number)
{
	const HnswLayout *layout = check->layout;
	Size		used = hnsw_page_used(layout, kind);
	char	   *contents = hnsw_page_contents(check->page);

	if (kind == HNSW_PAGE_MEAN)
		used = Min(used, (check->space->rdim -
						  number * HNSW_MEANS_PER_PAGE) * sizeof(float));
	else if (kind == HNSW_PAGE_MORE)
		used = sizeof(HnswMore) +
			Min(HNSW_MORE_BYTES, layout->own_bytes - layout->own_here -
				(number % layout->pages_per_node - 1) * HNSW_MORE_BYTES);
	else if (kind == HNSW_PAGE_FLAT && check->strict)
	{
		/* records of nodes on pages that are still to come */
		uint64		first = (uint64) number * layout->flats_per_page;

		used = Min(layout->flats_per_page, check->nnodes -
				   Min(first, check->nnodes)) * layout->flat_bytes;
	}

	if (!hnsw_check_zeros(contents + used, HNSW_PAGE_BYTES - used))
		hnsw_check_report(check, "V2", "error", block, -1,
						  "Bytes behind the last record are not zero.");
}

/* ---- V4, V9: slots ---- */

/* Bits of edges that a node has not, and bytes that belong to no part of it. */
static bool
is_rest_zero(const HnswLayout *layout, HnswSlot *slot)
{
	char	   *bytes = (char *) slot;
	uint32		own_end = layout->own_off + layout->own_here;
	uint32		edges_end = layout->edges_off +
		layout->max_edges * layout->edge_bytes;

	for (uint32 i = slot->nedges;
		 i < (layout->own_off - layout->occluded_off) * BITS_PER_BYTE; i++)
	{
		if (hnsw_slot_occluded(slot, layout, i))
			return false;
	}
	return hnsw_check_zeros(bytes + own_end, layout->edges_off - own_end) &&
		hnsw_check_zeros(bytes + edges_end, layout->node_bytes - edges_end);
}

static bool
are_tids_dense(const ItemPointerData *tids, uint32 n, uint32 room)
{
	for (uint32 i = 0; i < n; i++)
	{
		if (!ItemPointerIsValid(&tids[i]) ||
			ItemPointerGetBlockNumberNoCheck(&tids[i]) > MaxBlockNumber)
			return false;
	}
	return hnsw_check_zeros(&tids[n], (room - n) * sizeof(ItemPointerData));
}

static void
collect_tids(HnswCheck *check, HnswNode node, const ItemPointerData *tids,
			 uint32 n)
{
	if (!check->with_heap)
		return;
	if (check->ntids + n > check->maxtids)
	{
		check->maxtids = Max(check->maxtids * 2, check->ntids + n);
		check->tids = repalloc_huge(check->tids,
									mul_size(check->maxtids,
											 sizeof(HnswCheckTid)));
	}
	for (uint32 i = 0; i < n; i++)
	{
		HnswCheckTid *tid = &check->tids[check->ntids++];

		tid->block = ItemPointerGetBlockNumberNoCheck(&tids[i]);
		tid->offset = ItemPointerGetOffsetNumberNoCheck(&tids[i]);
		tid->node = node;
	}
}

/* A LIVE or EMPTY slot.  Returns false if it cannot be read as one. */
static bool
check_node_slot(HnswCheck *check, BlockNumber block, HnswNode node,
				HnswSlot *slot)
{
	bool		live = slot->state == HNSW_LIVE;

	if (slot->unused != 0 || slot->unused2 != 0)
		hnsw_check_report(check, "V4", "error", block, node,
						  "Unused bytes of the node are not zero.");
	if (slot->nedges > check->layout->max_edges)
		hnsw_check_report(check, "V5", "error", block, node,
						  "The node has %u edges, but at most %u fit.",
						  slot->nedges, check->layout->max_edges);
	if (live ? slot->ntids == 0 : slot->ntids != 0)
		hnsw_check_report(check, "V4", "error", block, node,
						  "The node is %s, but has %u heap TIDs.",
						  hnsw_inspect_state_name(slot->state), slot->ntids);
	if (slot->nhere > HNSW_INLINE_TIDS || slot->nhere > slot->ntids)
	{
		hnsw_check_report(check, "V4", "error", block, node,
						  "The node has %u heap TIDs, %u of them in itself.",
						  slot->ntids, slot->nhere);
		return false;
	}

	if (are_tids_dense(slot->tids, slot->nhere, HNSW_INLINE_TIDS))
		collect_tids(check, node, slot->tids, slot->nhere);
	else
		hnsw_check_report(check, "V4", "error", block, node,
						  "The node's heap TIDs are not %u valid ones and zeros.",
						  slot->nhere);
	if (slot->nedges <= check->layout->max_edges &&
		!is_rest_zero(check->layout, slot))
		hnsw_check_report(check, "V4", "error", block, node,
						  "Bits or bytes of the node that nothing uses are not zero.");
	return hnsw_slot_sane(slot, check->layout);
}

/* A TIDS slot.  Returns false if it cannot be read as one. */
static bool
check_tid_slot(HnswCheck *check, BlockNumber block, HnswNode node,
			   HnswTidSlot *slot)
{
	Size		used = offsetof(HnswTidSlot, tids) +
		check->layout->tids_per_slot * sizeof(ItemPointerData);

	if (slot->unused != 0 || slot->unused2 != 0 ||
		!hnsw_check_zeros((char *) slot + used,
						  check->layout->node_bytes - used))
		hnsw_check_report(check, "V4", "error", block, node,
						  "Unused bytes of the TIDS slot are not zero.");
	if (slot->ntids > check->layout->tids_per_slot)
	{
		hnsw_check_report(check, "V4", "error", block, node,
						  "The TIDS slot has %u heap TIDs, but at most %u fit.",
						  slot->ntids, check->layout->tids_per_slot);
		return false;
	}
	if (are_tids_dense(slot->tids, slot->ntids, check->layout->tids_per_slot))
		collect_tids(check, slot->owner, slot->tids, slot->ntids);
	else
		hnsw_check_report(check, "V4", "error", block, node,
						  "The slot's heap TIDs are not %u valid ones and zeros.",
						  slot->ntids);
	return true;
}

static void
check_slot(HnswCheck *check, BlockNumber block, HnswNode node, HnswSlot *slot)
{
	HnswCheckNode *info = &check->nodes[node];
	bool		sane = false;

	info->version = slot->version;
	switch (slot->state)
	{
		case HNSW_FREE:
			sane = hnsw_check_zeros((char *) slot + sizeof(slot->version),
									check->layout->node_bytes -
									sizeof(slot->version));
			if (!sane)
				hnsw_check_report(check, "V9", "error", block, node,
								  "The free slot is not all zeros.");
			sane = true;
			break;
		case HNSW_LIVE:
		case HNSW_EMPTY:
			sane = check_node_slot(check, block, node, slot);
			break;
		case HNSW_TIDS:
			sane = check_tid_slot(check, block, node, (HnswTidSlot *) slot);
			break;
		default:
			hnsw_check_report(check, "V4", "error", block, node,
							  "The slot has unknown state %u.", slot->state);
	}
	info->state = sane ? slot->state : HNSW_CHECK_BAD;
}

/* ---- first pass: each block by itself ---- */

/* What is in check->page is page 'number' of a kind, if any. */
static void
check_block(HnswCheck *check, BlockNumber block, HnswPageKind kind,
			uint32 number)
{
	uint32		npages = check->meta->npages[kind];
	bool		head = number % check->layout->pages_per_node == 0;

	if (!hnsw_check_load(check, block))
	{
		/* zeros are what a crash leaves of a page that did not count yet */
		if (number < npages && hnsw_check_readable(check, block))
			hnsw_check_report(check, "V2", "error", block, -1,
							  "The page is not initialised, but should be %s page %u.",
							  hnsw_inspect_kind_name(kind), number);
		return;
	}

	if (kind == HNSW_PAGE_NODE && !head)
		kind = HNSW_PAGE_MORE;
	if (!check_frame(check, block, kind, number) || number >= npages)
		return;
	check_rest(check, block, kind, number);
	if (kind != HNSW_PAGE_NODE)
		return;

	for (uint32 i = 0; i < check->layout->nodes_per_page; i++)
		check_slot(check, block,
				   hnsw_page_first_node(check->layout, number) + i,
				   hnsw_page_slot(check->page, check->layout, i));
}

void
hnsw_check_blocks(HnswCheck *check)
{
	const HnswMetaPageData *meta = check->meta;
	uint32		e = 0;

	if (hnsw_check_load(check, HNSW_META_BLKNO))
		(void) check_frame(check, HNSW_META_BLKNO, HNSW_PAGE_META, 0);

	for (BlockNumber block = HNSW_META_BLKNO + 1; block < check->nblocks;
		 block++)
	{
		const HnswExtent *extent;

		CHECK_FOR_INTERRUPTS();
		while (e < meta->nextents &&
			   block >= meta->extent[e].start + meta->extent[e].npages)
			e++;
		extent = &meta->extent[e];
		if (e < meta->nextents && block >= extent->start)
			check_block(check, block, meta->extent_kind[e],
						extent->first + (block - extent->start));
		else if (check->strict && hnsw_check_load(check, block))
			hnsw_check_report(check, "V2", "error", block, -1,
							  "The page is in use, but lies in no extent.");
	}
}
