/*-------------------------------------------------------------------------
 *
 * hnswrows.c
 *	  Nodes on their way out of a scan, in the order of their bounds.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswrows.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnswrows.h"
#include "utils/memutils.h"

int
hnsw_members_filter(const HnswMembers *members, ItemPointerData *tids, int n)
{
	int			kept = 0;

	if (members->has == NULL)
		return n;
	for (int i = 0; i < n; i++)
	{
		if (members->has(members->arg, &tids[i]))
			tids[kept++] = tids[i];
	}
	return kept;
}

bool
hnsw_row_restrict(HnswRow *row, const HnswMembers *members)
{
	row->nhere = hnsw_members_filter(members, row->tids, row->nhere);
	return row->nhere > 0 || row->next != HNSW_INVALID_NODE;
}

bool
hnsw_row_init(HnswRow *row, HnswNode node, const HnswExpansion *exp,
			  const HnswMembers *members)
{
	row->bound = exp->own.bound;
	row->above = exp->own.above;
	row->dist = exp->own.dist;
	row->margin = exp->own.margin;
	row->node = node;
	row->version = exp->version;
	row->next = exp->ntids > exp->nhere ? exp->next : HNSW_INVALID_NODE;
	row->nhere = exp->nhere;
	memcpy(row->tids, exp->tids, sizeof(row->tids));
	return hnsw_row_restrict(row, members);
}

void
hnsw_rows_push(HnswRowHeap *heap, const HnswRow *row)
{
	int64		i;

	if (heap->n == heap->max)
	{
		heap->max = heap->max == 0 ? 64 : heap->max * 2;
		heap->row = heap->row == NULL ?
			palloc(sizeof(HnswRow) * heap->max) :
			repalloc_huge(heap->row, sizeof(HnswRow) * heap->max);
	}
	for (i = heap->n++; i > 0; i = (i - 1) / 2)
	{
		if (heap->row[(i - 1) / 2].bound <= row->bound)
			break;
		heap->row[i] = heap->row[(i - 1) / 2];
	}
	heap->row[i] = *row;
}

void
hnsw_rows_pop(HnswRowHeap *heap, HnswRow *top)
{
	int64		n = --heap->n;
	HnswRow		last = heap->row[n];
	int64		i = 0;

	*top = heap->row[0];
	for (;;)
	{
		int64		child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n &&
			heap->row[child + 1].bound < heap->row[child].bound)
			child++;
		if (last.bound <= heap->row[child].bound)
			break;
		heap->row[i] = heap->row[child];
		i = child;
	}
	heap->row[i] = last;
}
