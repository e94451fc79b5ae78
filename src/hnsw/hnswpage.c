/*-------------------------------------------------------------------------
 *
 * hnswpage.c
 *	  The bytes of every page and record of an hnsw index.
 *
 * Sizes, offsets and the checks that a page must pass before anything on it is
 * believed.  Locks, WAL and the meaning of codes are one layer up.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswpage.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnswpage.h"

StaticAssertDecl(sizeof(HnswPageSpecial) == 16, "special space is 16 bytes");
StaticAssertDecl(offsetof(HnswPageSpecial, page_id) == 14,
				 "page id is the last uint16 of a page");
StaticAssertDecl(sizeof(HnswMetaPageData) <= HNSW_PAGE_BYTES,
				 "metapage fits on a page");
StaticAssertDecl(sizeof(HnswSlot) == 56, "slot header is 56 bytes");
StaticAssertDecl(offsetof(HnswSlot, tids) == 16, "inline TIDs at 16");
StaticAssertDecl(offsetof(HnswTidSlot, tids) == 24, "TIDs of a TIDS slot at 24");
StaticAssertDecl(offsetof(HnswSlot, next) == offsetof(HnswTidSlot, next),
				 "both slot forms chain at the same offset");
StaticAssertDecl(offsetof(HnswSlot, ntids) == offsetof(HnswTidSlot, ntids),
				 "both slot forms count at the same offset");
StaticAssertDecl(offsetof(HnswFlat, code) == 12, "flat header is 12 bytes");
StaticAssertDecl(offsetof(HnswEntry, code) == 8, "entry header is 8 bytes");

static uint32
round4(uint32 n)
{
	return (n + 3) & ~(uint32) 3;
}

/* bytes of a slot before its own form */
static uint32
slot_fixed(uint32 max_edges)
{
	return sizeof(HnswSlot) + (max_edges + 31) / 32 * 4;
}

/* how many edges fit into 'bytes' beside 'own' bytes of own form */
static uint32
edges_that_fit(uint32 bytes, uint32 own, uint32 edge_bytes, uint32 limit)
{
	uint32		n;

	if (slot_fixed(limit) + own >= bytes)
		return 0;
	n = (bytes - slot_fixed(limit) - own) / edge_bytes;
	return Min(n, limit);
}

static void
place_node(HnswLayout *layout, int want)
{
	uint32		limit = Min(want + want / 4, HNSW_MAX_EDGES);
	uint32		least = want - want / 8;
	uint32		most = HNSW_PAGE_BYTES /
		(slot_fixed(least) + layout->own_bytes + layout->edge_bytes);

	for (uint32 n = most; n >= 1; n--)
	{
		uint32		bytes = HNSW_PAGE_BYTES / n & ~(uint32) 3;
		uint32		edges = edges_that_fit(bytes, layout->own_bytes,
										   layout->edge_bytes, limit);

		if (edges < least)
			continue;
		layout->max_edges = edges;
		layout->own_here = layout->own_bytes;
		layout->node_bytes = bytes;
		layout->nodes_per_page = n;
		layout->pages_per_node = 1;
		return;
	}

	/* edges first, the own form goes on behind */
	layout->max_edges = edges_that_fit(HNSW_PAGE_BYTES, 0, layout->edge_bytes,
									   Min(want, HNSW_MAX_EDGES));
	layout->node_bytes = HNSW_PAGE_BYTES;
	layout->own_here = (HNSW_PAGE_BYTES - slot_fixed(layout->max_edges) -
						layout->max_edges * layout->edge_bytes) & ~(uint32) 3;
	layout->own_here = Min(layout->own_here, layout->own_bytes);
	layout->nodes_per_page = 1;
	layout->pages_per_node = 1 +
		(layout->own_bytes - layout->own_here + HNSW_MORE_BYTES - 1) /
		HNSW_MORE_BYTES;
}

void
hnsw_layout_init(HnswLayout *layout, uint32 own_bytes, uint32 edge_code_bytes,
				 uint32 flat_code_bytes, int want)
{
	memset(layout, 0, sizeof(HnswLayout));
	layout->own_bytes = round4(own_bytes);
	layout->edge_code_bytes = edge_code_bytes;
	layout->flat_code_bytes = flat_code_bytes;
	layout->edge_bytes = round4(offsetof(HnswEdge, code) + edge_code_bytes);

	place_node(layout, want);

	layout->occluded_off = sizeof(HnswSlot);
	layout->own_off = slot_fixed(layout->max_edges);
	layout->edges_off = layout->own_off + layout->own_here;
	layout->tids_per_slot =
		(layout->node_bytes - offsetof(HnswTidSlot, tids)) /
		sizeof(ItemPointerData);

	layout->flat_bytes = round4(offsetof(HnswFlat, code) + flat_code_bytes);
	layout->flats_per_page = HNSW_PAGE_BYTES / layout->flat_bytes;
	layout->entry_bytes = round4(offsetof(HnswEntry, code) + flat_code_bytes);
	layout->entries_per_page = HNSW_PAGE_BYTES / layout->entry_bytes;
}

Size
hnsw_page_used(const HnswLayout *layout, HnswPageKind kind)
{
	switch (kind)
	{
		case HNSW_PAGE_META:
			return sizeof(HnswMetaPageData);
		case HNSW_PAGE_MEAN:
		case HNSW_PAGE_MORE:
			return HNSW_PAGE_BYTES;
		case HNSW_PAGE_ENTRY:
			return (Size) layout->entries_per_page * layout->entry_bytes;
		case HNSW_PAGE_FLAT:
			return (Size) layout->flats_per_page * layout->flat_bytes;
		case HNSW_PAGE_NODE:
			return (Size) layout->nodes_per_page * layout->node_bytes;
	}
	return 0;
}

Size
hnsw_page_fresh(const HnswLayout *layout, HnswPageKind kind)
{
	switch (kind)
	{
		case HNSW_PAGE_FLAT:
		case HNSW_PAGE_NODE:
			return 0;
		case HNSW_PAGE_MORE:
			return sizeof(HnswMore);
		default:
			return hnsw_page_used(layout, kind);
	}
}

bool
hnsw_page_used_sane(const HnswLayout *layout, HnswPageKind kind, Size used)
{
	if (used < hnsw_page_fresh(layout, kind) ||
		used > hnsw_page_used(layout, kind))
		return false;
	if (kind == HNSW_PAGE_FLAT)
		return used % layout->flat_bytes == 0;
	if (kind == HNSW_PAGE_NODE)
		return used % layout->node_bytes == 0;
	return true;
}

void
hnsw_page_init(Page page, HnswPageKind kind, uint32 index, uint32 epoch,
			   Size used)
{
	HnswPageSpecial *special;

	Assert(used <= HNSW_PAGE_BYTES);
	PageInit(page, BLCKSZ, sizeof(HnswPageSpecial));
	special = hnsw_page_special(page);
	special->index = index;
	special->epoch = epoch;
	special->kind = kind;
	special->page_id = HNSW_PAGE_ID;

	/* generic WAL and full-page images drop what lies above pd_lower (H26) */
	((PageHeader) page)->pd_lower = MAXALIGN(SizeOfPageHeaderData) + used;
}

int
hnsw_page_kind(Page page)
{
	PageHeader	header = (PageHeader) page;
	HnswPageSpecial *special;

	if (PageIsNew(page))
		return 0;
	if (PageGetPageSize(page) != BLCKSZ ||
		header->pd_special != BLCKSZ - MAXALIGN(sizeof(HnswPageSpecial)) ||
		header->pd_lower < MAXALIGN(SizeOfPageHeaderData) ||
		header->pd_lower > header->pd_upper ||
		header->pd_upper > header->pd_special)
		return 0;
	special = hnsw_page_special(page);
	if (special->page_id != HNSW_PAGE_ID ||
		special->kind < HNSW_PAGE_META || special->kind > HNSW_PAGE_MORE)
		return 0;
	return special->kind;
}

bool
hnsw_slot_sane(const HnswSlot *slot, const HnswLayout *layout)
{
	const HnswTidSlot *more = (const HnswTidSlot *) slot;

	switch (slot->state)
	{
		case HNSW_FREE:
			return true;
		case HNSW_LIVE:
			return slot->nedges <= layout->max_edges &&
				slot->nhere <= HNSW_INLINE_TIDS &&
				slot->ntids >= slot->nhere && slot->ntids > 0;
		case HNSW_EMPTY:
			return slot->nedges <= layout->max_edges &&
				slot->nhere == 0 && slot->ntids == 0;
		case HNSW_TIDS:
			return more->ntids <= layout->tids_per_slot;
		default:
			return false;
	}
}

BlockNumber
hnsw_extent_block(const HnswMetaPageData *meta, HnswPageKind kind,
				  uint32 index)
{
	uint32		nextents = Min(meta->nextents, HNSW_MAX_EXTENTS);

	/* newest first: they are the largest */
	for (uint32 i = nextents; i-- > 0;)
	{
		const HnswExtent *extent = &meta->extent[i];

		if (meta->extent_kind[i] == kind && index >= extent->first &&
			index - extent->first < extent->npages)
			return extent->start + (index - extent->first);
	}
	return InvalidBlockNumber;
}

uint64
hnsw_meta_spare_pages(const HnswMetaPageData *meta, int kind)
{
	return meta->npages[kind] / 8 + 2 * (uint64) meta->pages_per_node;
}

/*
 * Extents must follow each other in block order without a gap, and those of one
 * kind must be numbered without a gap and hold its pages, with no more to spare
 * than hnswappend.c reserves: whoever appends pages extends the file up to them.
 */
static const char *
check_extents(const HnswMetaPageData *meta)
{
	uint64		next_block = HNSW_META_BLKNO + 1;
	uint64		capacity[HNSW_NKINDS] = {0};

	if (meta->nextents > HNSW_MAX_EXTENTS)
		return "too many extents";
	for (uint32 i = 0; i < meta->nextents; i++)
	{
		const HnswExtent *extent = &meta->extent[i];
		int			kind = meta->extent_kind[i];

		if (kind < HNSW_PAGE_MEAN || kind >= HNSW_NKINDS)
			return "extent of unknown kind";
		if (extent->start != next_block || extent->npages == 0)
			return "extents do not follow each other";
		next_block = (uint64) extent->start + extent->npages;
		if (next_block > MaxBlockNumber)
			return "extent ends past the largest block";
		if (extent->first != capacity[kind])
			return "extents do not number their pages densely";
		capacity[kind] += extent->npages;
	}
	for (int kind = HNSW_PAGE_MEAN; kind < HNSW_NKINDS; kind++)
	{
		if (meta->npages[kind] > capacity[kind])
			return "more pages than the extents hold";
		if (capacity[kind] - meta->npages[kind] >
			hnsw_meta_spare_pages(meta, kind))
			return "extents hold more pages than are ever reserved";
	}
	return NULL;
}

const char *
hnsw_meta_check(const HnswMetaPageData *meta, const HnswLayout *layout)
{
	if (meta->own_bytes != layout->own_bytes ||
		meta->max_edges != layout->max_edges ||
		meta->node_bytes != layout->node_bytes ||
		meta->nodes_per_page != layout->nodes_per_page ||
		meta->pages_per_node != layout->pages_per_node ||
		meta->flat_bytes != layout->flat_bytes)
		return "stored geometry differs from the computed one";
	if (meta->npages[HNSW_PAGE_NODE] % layout->pages_per_node != 0)
		return "number of node pages is not a multiple of the pages of a node";
	if (hnsw_nodes_in_pages(layout, meta->npages[HNSW_PAGE_NODE]) >=
		HNSW_INVALID_NODE)
		return "more nodes than numbers";
	if ((uint64) meta->npages[HNSW_PAGE_FLAT] * layout->flats_per_page <
		hnsw_nodes_in_pages(layout, meta->npages[HNSW_PAGE_NODE]))
		return "fewer flat records than nodes";
	if ((uint64) meta->npages[HNSW_PAGE_ENTRY] * layout->entries_per_page <
		meta->nentries)
		return "more entries than their pages hold";
	if (meta->has_mean > 1 ||
		(meta->gaps & ~(HNSW_GAP_NULL | HNSW_GAP_ZERO | HNSW_GAP_ODD)) != 0)
		return "impossible flag";
	if (meta->has_mean &&
		(uint64) meta->npages[HNSW_PAGE_MEAN] * HNSW_MEANS_PER_PAGE < meta->rdim)
		return "fewer mean pages than the mean needs";
	return check_extents(meta);
}
