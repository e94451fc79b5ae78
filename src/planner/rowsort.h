/*-------------------------------------------------------------------------
 *
 * rowsort.h
 *	  Rows in the order of their distances, the first of them early.
 *
 * IDENTIFICATION
 *	  src/planner/rowsort.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROWSORT_H
#define ROWSORT_H

#include "postgres.h"
#include "storage/itemptr.h"

typedef struct RowSort RowSort;

/*
 * row_sort_begin -- a sort in the current context, within work_mem.  If it
 * 'has_late' rows, those come behind all others.
 */
extern RowSort *row_sort_begin(bool has_late);

extern void row_sort_add(RowSort *sort, ItemPointer tid, double distance,
						 bool late);

/* No more rows; then they come one by one, until row_sort_next says false. */
extern void row_sort_perform(RowSort *sort);
extern bool row_sort_next(RowSort *sort, ItemPointer tid);

extern void row_sort_end(RowSort *sort);

#endif							/* ROWSORT_H */
