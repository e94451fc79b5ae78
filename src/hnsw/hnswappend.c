/*-------------------------------------------------------------------------
 *
 * hnswappend.c
 *	  How an index grows: its first metapage, new pages, new entries.
 *
 * What changes the metapage of an index in use is here; hnswmeta.c reads it.  A
 * page counts when the metapage says so, which is written together with it (W1),
 * so one that a crash leaves behind is initialised again by the next who needs
 * a page.
 *
 * Rules: README, "Locks", and W1, W5, W10 and W11 of "WAL".
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswappend.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnsw.h"
#include "hnsw/hnswmeta.h"
#include "miscadmin.h"
#include "utils/rel.h"

/* ---- new indexes ---- */

void
hnsw_meta_create(Page page, const HnswSpace *space, int ef_construction)
{
	const HnswLayout *layout = &space->layout;
	HnswMetaPageData *meta = hnsw_page_meta(page);
	uint32		epoch;

	/* an index rebuilt in the same file must not look like the old one */
	if (!pg_strong_random(&epoch, sizeof(epoch)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random number")));

	hnsw_page_init(page, HNSW_PAGE_META, 0, epoch,
				   hnsw_page_used(layout, HNSW_PAGE_META));
	meta->magic = HNSW_MAGIC;
	meta->format_version = HNSW_FORMAT_VERSION;
	meta->epoch = epoch;
	meta->dim = space->dim;
	meta->m = space->m;
	meta->ef_construction = ef_construction;
	meta->own_kind = space->own_kind;
	meta->space = space->metric->space;
	meta->max_edges = layout->max_edges;
	meta->rdim = space->rdim;
	meta->nbits = space->nbits;
	meta->seed = space->seed;
	meta->kept_bytes = space->kept_bytes;
	meta->own_bytes = layout->own_bytes;
	meta->node_bytes = layout->node_bytes;
	meta->nodes_per_page = layout->nodes_per_page;
	meta->pages_per_node = layout->pages_per_node;
	meta->flat_bytes = layout->flat_bytes;
	meta->has_mean = space->has_mean;

	if (space->has_mean)
		hnsw_meta_add_extent(meta, HNSW_PAGE_MEAN,
							 (space->rdim + HNSW_MEANS_PER_PAGE - 1) /
							 HNSW_MEANS_PER_PAGE, true);
}

/* pages of a kind that the extents have room for */
static uint32
count_reserved(const HnswMetaPageData *meta, HnswPageKind kind)
{
	uint32		n = 0;

	for (uint32 i = 0; i < meta->nextents; i++)
	{
		if (meta->extent_kind[i] == kind)
			n += meta->extent[i].npages;
	}
	return n;
}

BlockNumber
hnsw_meta_add_extent(HnswMetaPageData *meta, HnswPageKind kind,
					 uint32 npages, bool used)
{
	BlockNumber start = HNSW_META_BLKNO + 1;
	uint32		first = count_reserved(meta, kind);
	HnswExtent *last = NULL;
	bool		merge = false;

	Assert(kind >= HNSW_PAGE_MEAN && kind < HNSW_NKINDS);
	Assert(npages > 0);
	Assert(!used || meta->npages[kind] == first);

	if (meta->nextents > 0)
	{
		last = &meta->extent[meta->nextents - 1];
		start = last->start + last->npages;
		merge = meta->extent_kind[meta->nextents - 1] == kind;
	}
	if (npages > MaxBlockNumber - start ||
		(!merge && meta->nextents == HNSW_MAX_EXTENTS))
		return InvalidBlockNumber;

	if (merge)
		last->npages += npages;
	else
	{
		HnswExtent *extent = &meta->extent[meta->nextents];

		meta->extent_kind[meta->nextents] = kind;
		extent->start = start;
		extent->first = first;
		extent->npages = npages;
		meta->nextents++;
	}
	if (used)
		meta->npages[kind] += npages;
	return start;
}

/* ---- appending pages ---- */

static void
report_full(HnswIndex *index)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("index \"%s\" cannot grow any more",
					RelationGetRelationName(index->rel)),
			 errdetail("It has " UINT64_FORMAT " nodes in %u blocks.",
					   hnsw_index_nnodes(index),
					   hnsw_store_nblocks(index->rel))));
}

/* A page that we have to change is not what it should be. */
static void
report_damage(HnswIndex *index, BlockNumber block)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" contains unexpected page at block %u",
					RelationGetRelationName(index->rel), block),
			 errhint("Please REINDEX it.")));
}

/*
 * Pages that a new extent gets: what is needed at once, or a sixteenth of what
 * there is, twice that when extents run short.  With what was left before, which
 * was less than needed, hnsw_meta_spare_pages() is never exceeded.
 */
static uint32
extent_size(const HnswMetaPageData *meta, HnswPageKind kind, uint32 needed)
{
	uint32		size = meta->npages[kind] / 16;

	if (meta->nextents > HNSW_MAX_EXTENTS / 2)
		size *= 2;
	return Max(size, needed);
}

/*
 * reserve_pages -- W10: make the extents cover 'npages' pages of a kind.
 *
 * Locks: metapage.
 */
static void
reserve_pages(HnswIndex *index, HnswPageKind kind, uint32 npages)
{
	HnswEdit	edit;
	HnswMetaPageData *meta;
	uint32		reserved;
	BlockNumber start = 0;
	int			i;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	i = hnsw_edit_lock(&edit, HNSW_META_BLKNO, HNSW_PAGE_META);
	if (i >= 0)
	{
		meta = hnsw_page_meta(hnsw_edit_page(&edit, i));
		reserved = count_reserved(meta, kind);
		if (reserved < npages)	/* nobody else was faster */
		{
			meta = hnsw_page_meta(hnsw_edit_change(&edit, i));
			start = hnsw_meta_add_extent(meta, kind,
										 extent_size(meta, kind,
													 npages - reserved),
										 false);
			if (start == InvalidBlockNumber)
				start = hnsw_meta_add_extent(meta, kind, npages - reserved,
											 false);
		}
	}

	if (start == InvalidBlockNumber)
		hnsw_edit_cancel(&edit);
	else
		hnsw_edit_finish(&edit);
	hnsw_index_refresh(index);
	if (start == InvalidBlockNumber)
		report_full(index);
}

/* Bytes of a new page; all records unused. */
static void
init_page(HnswIndex *index, Page page, HnswPageKind kind, uint32 number)
{
	const HnswLayout *layout = &index->space.layout;

	hnsw_page_init(page, kind, number, index->meta->epoch,
				   hnsw_page_fresh(layout, kind));
	if (kind == HNSW_PAGE_ENTRY)
	{
		for (uint32 i = 0; i < layout->entries_per_page; i++)
			hnsw_page_entry(page, layout, i)->node = HNSW_INVALID_NODE;
	}
	else if (kind == HNSW_PAGE_MORE)
		((HnswMore *) hnsw_page_contents(page))->node = HNSW_INVALID_NODE;
}

/*
 * init_next -- write page 'first' + 'i' of a kind, if the kind still has
 * 'first' pages; 'publish' counts that many pages as there.
 *
 * The metapage is locked also where it does not change: another backend that
 * has published the same pages may have put a node there.
 * Locks: metapage, new page.  Returns false if somebody else was faster.
 */
static bool
init_next(HnswIndex *index, HnswPageKind kind, uint32 first, uint32 i,
		  uint32 publish)
{
	HnswEdit	edit;
	Page		page;
	BlockNumber block = hnsw_extent_block(index->meta, kind, first + i);
	int			meta;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	meta = hnsw_edit_lock(&edit, HNSW_META_BLKNO, HNSW_PAGE_META);
	if (meta < 0 ||
		hnsw_page_meta(hnsw_edit_page(&edit, meta))->npages[kind] != first)
	{
		hnsw_edit_cancel(&edit);
		return false;
	}
	if (publish > 0)
		hnsw_page_meta(hnsw_edit_change(&edit, meta))->npages[kind] += publish;

	page = hnsw_edit_new(&edit, block);
	init_page(index, page, i > 0 ? HNSW_PAGE_MORE : kind, first + i);
	hnsw_edit_finish(&edit);
	return true;
}

/*
 * append_pages -- W1: 'count' pages of a kind, all but the first continuations.
 *
 * Returns false if somebody else appended meanwhile; the copy of the metapage
 * is new then.
 */
static bool
append_pages(HnswIndex *index, HnswPageKind kind, uint32 count)
{
	uint32		first = index->meta->npages[kind];
	BlockNumber end = 0;
	bool		ok = true;

	if (count_reserved(index->meta, kind) - first < count)
	{
		reserve_pages(index, kind, first + count);
		if (count_reserved(index->meta, kind) < first + count)
			report_damage(index, HNSW_META_BLKNO);
	}

	for (uint32 i = 0; i < count; i++)
		end = Max(end, hnsw_extent_block(index->meta, kind, first + i) + 1);
	hnsw_store_extend(index->rel, end);
	HNSW_POINT("extend-before-init");

	/* what makes them count is written last */
	for (uint32 i = count; ok && i > 0; i--)
		ok = init_next(index, kind, first, i - 1, i == 1 ? count : 0);
	HNSW_POINT("extend-after-init");

	hnsw_index_refresh(index);
	if (index->meta->npages[kind] == first)
		report_damage(index, HNSW_META_BLKNO);
	return ok;
}

uint32
hnsw_index_append(HnswIndex *index)
{
	const HnswLayout *layout = &index->space.layout;

	hnsw_index_refresh(index);
	for (;;)
	{
		uint32		first = index->meta->npages[HNSW_PAGE_NODE];
		uint64		nflats = (uint64) index->meta->npages[HNSW_PAGE_FLAT] *
			layout->flats_per_page;
		uint64		nnodes;

		CHECK_FOR_INTERRUPTS();
		if (first > MaxBlockNumber - layout->pages_per_node)
			report_full(index);
		nnodes = hnsw_nodes_in_pages(layout, first + layout->pages_per_node);
		if (nnodes >= HNSW_INVALID_NODE)
			report_full(index);

		/* every node that counts has a flat record */
		if (nflats < nnodes)
			(void) append_pages(index, HNSW_PAGE_FLAT, 1);
		else if (append_pages(index, HNSW_PAGE_NODE, layout->pages_per_node))
			return first;
	}
}

/* ---- entries ---- */

static void
write_entry(const HnswIndex *index, Page page, uint32 number, HnswNode node,
			uint32 version, const uint8 *flat_code)
{
	const HnswLayout *layout = &index->space.layout;
	HnswEntry  *entry = hnsw_page_entry(page, layout, number);

	entry->node = node;
	entry->version = version;
	if (layout->flat_code_bytes > 0)
		memcpy(entry->code, flat_code, layout->flat_code_bytes);
}

/* Copy an entry's name out; false if there is no such record. */
static bool
read_entry(HnswIndex *index, uint32 number, HnswEntry *out)
{
	const HnswLayout *layout = &index->space.layout;
	HnswPageRef ref;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY,
										 number / layout->entries_per_page);

	if (!hnsw_store_open(index->rel, block, HNSW_PAGE_ENTRY, &ref))
		return false;
	memcpy(out, hnsw_page_entry(ref.page, layout, number), sizeof(HnswEntry));
	hnsw_store_close(&ref);
	return true;
}

/* Has the node that an entry names gone for ever? */
static bool
is_gone(HnswIndex *index, const HnswEntry *entry)
{
	const HnswLayout *layout = &index->space.layout;
	HnswPageRef ref;
	HnswSlot   *slot;
	bool		gone;
	BlockNumber block = hnsw_index_node_block(index, entry->node);

	if (!hnsw_store_open(index->rel, block, HNSW_PAGE_NODE, &ref))
		return true;
	slot = hnsw_page_slot(ref.page, layout,
						  hnsw_node_slot(layout, entry->node));
	gone = slot->version != entry->version ||
		(slot->state != HNSW_LIVE && slot->state != HNSW_EMPTY);
	hnsw_store_close(&ref);
	return gone;
}

/*
 * replace_entry -- overwrite record 'number' if its node is gone, also when
 * looked at under the lock: its new node might be reachable from here only.
 */
static bool
replace_entry(HnswIndex *index, uint32 number, HnswNode node, uint32 version,
			  const uint8 *flat_code)
{
	const HnswLayout *layout = &index->space.layout;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY,
										 number / layout->entries_per_page);
	HnswEdit	edit;
	HnswEntry	old;
	int			i;

	if (!read_entry(index, number, &old) || !is_gone(index, &old))
		return false;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	i = hnsw_edit_lock(&edit, block, HNSW_PAGE_ENTRY);
	if (i < 0 ||
		memcmp(hnsw_page_entry(hnsw_edit_page(&edit, i), layout, number),
			   &old, sizeof(HnswEntry)) != 0)
	{
		hnsw_edit_cancel(&edit);
		return false;
	}
	write_entry(index, hnsw_edit_change(&edit, i), number, node, version,
				flat_code);
	hnsw_edit_finish(&edit);
	return true;
}

/* Locks: metapage, entry page.  Returns false if the copy was out of date. */
static bool
append_entry(HnswIndex *index, HnswNode node, uint32 version,
			 const uint8 *flat_code)
{
	uint32		per_page = index->space.layout.entries_per_page;
	uint32		number = index->meta->nentries;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY,
										 number / per_page);
	HnswEdit	edit;
	int			meta;
	int			i;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	meta = hnsw_edit_lock(&edit, HNSW_META_BLKNO, HNSW_PAGE_META);
	if (meta < 0 ||
		hnsw_page_meta(hnsw_edit_page(&edit, meta))->nentries != number)
	{
		hnsw_edit_cancel(&edit);
		return false;
	}
	i = hnsw_edit_lock(&edit, block, HNSW_PAGE_ENTRY);
	if (i < 0)
	{
		hnsw_edit_cancel(&edit);
		report_damage(index, block);
	}
	hnsw_page_meta(hnsw_edit_change(&edit, meta))->nentries++;
	write_entry(index, hnsw_edit_change(&edit, i), number, node, version,
				flat_code);
	hnsw_edit_finish(&edit);
	return true;
}

void
hnsw_index_add_entry(HnswIndex *index, HnswNode node, uint32 version,
					 const uint8 *flat_code, int64 replace)
{
	uint32		per_page = index->space.layout.entries_per_page;
	bool		done = replace >= 0 &&
		replace_entry(index, (uint32) replace, node, version, flat_code);

	hnsw_index_refresh(index);
	while (!done)
	{
		uint32		nentries = index->meta->nentries;

		CHECK_FOR_INTERRUPTS();
		if (nentries / per_page >= index->meta->npages[HNSW_PAGE_ENTRY])
		{
			(void) append_pages(index, HNSW_PAGE_ENTRY, 1);
			continue;
		}

		done = append_entry(index, node, version, flat_code);
		hnsw_index_refresh(index);
		if (index->meta->nentries == nentries)
			report_damage(index, HNSW_META_BLKNO);
	}
}

void
hnsw_index_note_gaps(HnswIndex *index, uint32 gaps)
{
	HnswEdit	edit;
	int			i;

	if ((index->meta->gaps & gaps) == gaps)
		return;
	hnsw_edit_begin(&edit, index->rel, index->logged);
	i = hnsw_edit_lock(&edit, HNSW_META_BLKNO, HNSW_PAGE_META);
	if (i >= 0)
		hnsw_page_meta(hnsw_edit_change(&edit, i))->gaps |= gaps;
	hnsw_edit_finish(&edit);
	hnsw_index_refresh(index);
	if ((index->meta->gaps & gaps) != gaps)
		report_damage(index, HNSW_META_BLKNO);
}
