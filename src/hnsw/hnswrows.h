/*-------------------------------------------------------------------------
 *
 * hnswrows.h
 *	  Nodes on their way out of a scan, in the order of their bounds.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswrows.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWROWS_H
#define HNSWROWS_H

#include "hnsw/hnsw.h"
#include "hnsw/hnswgraph.h"

/* a LIVE node; distance and heap TIDs belong to one version of it (H17) */
typedef struct HnswRow
{
	double		bound;			/* operator's units; -inf promises nothing */
	double		above;			/* never above this; inf promises nothing */
	float		dist;
	float		margin;
	HnswNode	node;
	uint32		version;
	HnswNode	next;			/* TIDS slot with more, or HNSW_INVALID_NODE */
	int			nhere;
	ItemPointerData tids[HNSW_INLINE_TIDS];
} HnswRow;

/* binary heap of rows, least bound first; start with zeros */
typedef struct HnswRowHeap
{
	HnswRow    *row;
	int64		n;
	int64		max;
} HnswRowHeap;

/*
 * hnsw_row_init -- the row of a node that has been read.
 *
 * members: leave out heap TIDs outside this set, if has is not NULL.  False if
 * that leaves none; those of TIDS slots are tested when they are read.
 */
extern bool hnsw_row_init(HnswRow *row, HnswNode node,
						  const HnswExpansion *exp,
						  const HnswMembers *members);

/* The same for a row of before. */
extern bool hnsw_row_restrict(HnswRow *row, const HnswMembers *members);

/* Leave out of n heap TIDs those outside the set; returns how many are left. */
extern int	hnsw_members_filter(const HnswMembers *members,
								ItemPointerData *tids, int n);

/* Memory: the context that is current at the first push. */
extern void hnsw_rows_push(HnswRowHeap *heap, const HnswRow *row);

/* Take the row with the least bound off a heap that is not empty. */
extern void hnsw_rows_pop(HnswRowHeap *heap, HnswRow *top);

#endif							/* HNSWROWS_H */
