/*-------------------------------------------------------------------------
 *
 * tidmembers.h
 *	  The rows that other indexes find for a filter, and a set of them.
 *
 * Core's TIDBitmap can only be iterated.  The set is a plain bit for every line
 * pointer of the table, up to the highest that has a member on any page: a byte
 * a heap page for rows of a kilobyte.
 *
 * IDENTIFICATION
 *	  src/planner/tidmembers.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef TIDMEMBERS_H
#define TIDMEMBERS_H

#include "postgres.h"
#include "nodes/execnodes.h"
#include "nodes/tidbitmap.h"
#include "storage/itemptr.h"
#include "utils/rel.h"

/* the heap TIDs of rows, some of which may fail the filter */
typedef struct FilterRows
{
	int64		nrows;			/* but for those of lossy pages */
	int64		lossy_pages;	/* of which every row counts */
	OffsetNumber last_offset;	/* the highest of these rows */
	TIDBitmap  *bitmap;			/* or NULL, and: */
	ItemPointerData *list;		/* as the index has them */
	int64		max_listed;
} FilterRows;

/*
 * filter_rows_find -- what the plan below a bitmap heap scan finds.  Memory: in
 * the current context; of a list max_bytes, of a bitmap core sees to it.
 */
extern void filter_rows_find(PlanState *source, Size max_bytes,
							 FilterRows *rows);
extern void filter_rows_end(FilterRows *rows);

/* Visit all rows but those of lossy pages, once each, in the table's order. */
typedef void (*FilterRowsVisit) (void *arg, ItemPointer tid);

extern void filter_rows_visit(FilterRows *rows, FilterRowsVisit visit,
							  void *arg);

typedef struct TidMembers
{
	BlockNumber nblocks;
	uint32		page_bytes;
	uint8		bits[FLEXIBLE_ARRAY_MEMBER];
} TidMembers;

/*
 * tid_members_create -- these rows as a set, in the current context.  Returns
 * NULL if that would take more than max_bytes.
 */
extern TidMembers *tid_members_create(Relation table, FilterRows *rows,
									  Size max_bytes);

static inline bool
tid_members_has(const TidMembers *members, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);
	OffsetNumber offset = ItemPointerGetOffsetNumberNoCheck(tid);

	if (block >= members->nblocks || offset / 8 >= members->page_bytes)
		return false;
	return (members->bits[(Size) block * members->page_bytes + offset / 8] >>
			(offset % 8)) & 1;
}

#endif							/* TIDMEMBERS_H */
