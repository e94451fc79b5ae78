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

/* Add what the bitmap has of one page; false if that is lossy. */
static bool
add_page(TidMembers *members, BlockNumber block, int ntuples,
		 const OffsetNumber *offsets)
{
	uint8	   *bits = members->bits + (Size) block * TID_BYTES_PER_PAGE;

	if (ntuples < 0)
		return false;

	/* a page added after the set was sized has no row that we can see */
	if (block >= members->nblocks)
		return true;
	for (int i = 0; i < ntuples; i++)
	{
		if (offsets[i] <= MaxHeapTuplesPerPage)
			bits[offsets[i] / 8] |= 1 << (offsets[i] % 8);
	}
	members->count += ntuples;
	return true;
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
	bool		exact = true;

	if (bytes > max_bytes)
		return NULL;
	members = MemoryContextAllocExtended(CurrentMemoryContext, bytes,
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	members->nblocks = nblocks;

	compat_tbm_begin(bitmap, &iterator);
	while (exact && compat_tbm_next(&iterator, &page))
		exact = add_page(members, page.block, page.ntuples, page.offsets);
	compat_tbm_end(&iterator);

	if (exact)
		return members;
	pfree(members);
	return NULL;
}
