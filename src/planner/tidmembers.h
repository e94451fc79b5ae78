/*-------------------------------------------------------------------------
 *
 * tidmembers.h
 *	  A set of heap TIDs with a fast membership test.
 *
 * Core's TIDBitmap can only be iterated.  This is a plain bit for every
 * possible line pointer of the table, 37 bytes a heap page.
 *
 * IDENTIFICATION
 *	  src/planner/tidmembers.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TIDMEMBERS_H
#define TIDMEMBERS_H

#include "postgres.h"
#include "access/htup_details.h"
#include "nodes/tidbitmap.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

#define TID_BYTES_PER_PAGE	((MaxHeapTuplesPerPage + 8) / 8)

typedef struct TidMembers
{
	BlockNumber nblocks;
	uint8		bits[FLEXIBLE_ARRAY_MEMBER];
} TidMembers;

/* tid_bitmap_count -- members of a bitmap, or -1 if it has lossy pages */
extern int64 tid_bitmap_count(TIDBitmap *bitmap);

/*
 * tid_members_from_bitmap -- a bitmap without lossy pages as a set, in the
 * current context.  Returns NULL if that would take more than max_bytes.
 */
extern TidMembers *tid_members_from_bitmap(Relation table, TIDBitmap *bitmap,
										   Size max_bytes);

static inline bool
tid_members_has(const TidMembers *members, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);
	OffsetNumber offset = ItemPointerGetOffsetNumberNoCheck(tid);

	if (block >= members->nblocks || offset > MaxHeapTuplesPerPage)
		return false;
	return (members->bits[(Size) block * TID_BYTES_PER_PAGE + offset / 8] >>
			(offset % 8)) & 1;
}

#endif							/* TIDMEMBERS_H */
