/*-------------------------------------------------------------------------
 *
 * tidmembers.c
 *	  A set of heap TIDs with a fast membership test.
 *
 * IDENTIFICATION
 *	  src/planner/tidmembers.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "planner/tidmembers.h"
#include "compat.h"				/* after nodes/tidbitmap.h */
#include "storage/bufmgr.h"
#include "utils/memutils.h"

/* Add what the bitmap has of one page. */
static void
add_page(TidMembers *members, const CompatTbmPage *page)
{
	uint8	   *bits;

	/* a page added after the set was sized has no row that we can see */
	if (page->block >= members->nblocks)
		return;
	bits = members->bits + (Size) page->block * TID_BYTES_PER_PAGE;
	for (int i = 0; i < page->ntuples; i++)
	{
		OffsetNumber offset = page->offsets[i];

		if (offset <= MaxHeapTuplesPerPage)
			bits[offset / 8] |= 1 << (offset % 8);
	}
}

TidMembers *
tid_members_from_bitmap(Relation table, TIDBitmap *bitmap, Size max_bytes)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(table);
	Size		bytes = add_size(offsetof(TidMembers, bits),
								 mul_size(nblocks, TID_BYTES_PER_PAGE));
	TidMembers *members;
	CompatTbmIterator iterator;
	CompatTbmPage page;

	if (bytes > max_bytes)
		return NULL;
	members = MemoryContextAllocExtended(CurrentMemoryContext, bytes,
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	members->nblocks = nblocks;

	compat_tbm_begin(bitmap, &iterator);
	while (compat_tbm_next(&iterator, &page))
	{
		Assert(page.ntuples >= 0);
		add_page(members, &page);
	}
	compat_tbm_end(&iterator);
	return members;
}

int64
tid_bitmap_count(TIDBitmap *bitmap)
{
	CompatTbmIterator iterator;
	CompatTbmPage page;
	int64		count = 0;

	compat_tbm_begin(bitmap, &iterator);
	while (count >= 0 && compat_tbm_next(&iterator, &page))
		count = page.ntuples < 0 ? -1 : count + page.ntuples;
	compat_tbm_end(&iterator);
	return count;
}
