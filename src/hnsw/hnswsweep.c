/*-------------------------------------------------------------------------
 *
 * hnswsweep.c
 *	  All rows of a set by distance, from the flat pages: no walk.
 *
 * A look at every node costs a few nanoseconds on the flat pages, where its
 * 1-bit code and first heap TID lie densely.  The caller's membership test
 * picks the nodes that matter; of those the estimate is kept, and in the order of the
 * estimates, less their likely error, the nodes' own forms are read for true
 * distances and bounds.
 *
 * The pages are read one by one under a share lock, without S: a node that
 * changes its slot meanwhile is measured afresh when its turn comes, and the
 * rows of one inserted later are invisible to the scan's snapshot.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswsweep.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskgraph.h"
#include "hnsw/hnswrows.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

/* a member known by its estimate only */
typedef struct Candidate
{
	float		key;			/* estimate less its likely error */
	HnswNode	node;
} Candidate;

struct HnswSweep
{
	HnswIndex  *index;
	HnswDiskGraph *graph;
	HnswQuery	query;
	HnswSweepMember member;
	void	   *arg;

	Candidate  *heap;			/* not read yet; least key first */
	int64		nheap;
	int64		maxheap;
	HnswRowHeap rows;			/* read; least bound first */
};

/*
 * How many standard errors an estimate may be off.  The error of a 1-bit code
 * is about .3 |scale| |q - mean| (quant_edge.h); two of them leave 2 % of the
 * nodes to be met a little late.
 */
#define ERRORS_ALLOWED		2.0
#define CODE_ERROR			0.3

/* records of a flat page: at most that many of the smallest size */
#define MAX_FLATS_PER_PAGE	(HNSW_PAGE_BYTES / sizeof(HnswFlat))

static void
sift_down(HnswSweep *sweep, int64 i)
{
	Candidate  *heap = sweep->heap;
	Candidate	item = heap[i];

	for (;;)
	{
		int64		child = 2 * i + 1;

		if (child >= sweep->nheap)
			break;
		if (child + 1 < sweep->nheap && heap[child + 1].key < heap[child].key)
			child++;
		if (item.key <= heap[child].key)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = item;
}

static void
add_candidate(HnswSweep *sweep, HnswNode node, float key)
{
	if (sweep->nheap == sweep->maxheap)
	{
		sweep->maxheap *= 2;
		sweep->heap = repalloc_huge(sweep->heap,
									sizeof(Candidate) * sweep->maxheap);
	}
	sweep->heap[sweep->nheap].node = node;
	sweep->heap[sweep->nheap++].key = key;
}

/* Score one flat page; members become candidates. */
static void
sweep_page(HnswSweep *sweep, uint32 page, char *copy)
{
	HnswIndex  *index = sweep->index;
	const HnswSpace *space = &index->space;
	const HnswLayout *layout = &space->layout;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_FLAT, page);
	HnswNode	first = page * layout->flats_per_page;
	uint64		nnodes = hnsw_index_nnodes(index);
	int			n = Min(layout->flats_per_page, nnodes - first);
	float		est[MAX_FLATS_PER_PAGE];
	float		var[MAX_FLATS_PER_PAGE];

	if (block == InvalidBlockNumber ||
		!hnsw_store_copy(index->rel, block, HNSW_PAGE_FLAT, copy, NULL))
		return;
	hnsw_space_estimate_flat(space, &sweep->query,
							 hnsw_page_flat((Page) copy, layout, first)->code,
							 layout->flat_bytes, n, est, var);
	for (int i = 0; i < n; i++)
	{
		HnswFlat   *flat = hnsw_page_flat((Page) copy, layout, first + i);

		if (flat->state == HNSW_LIVE &&
			(flat->more || sweep->member(sweep->arg, &flat->tid)))
			add_candidate(sweep, first + i,
						  est[i] - ERRORS_ALLOWED * CODE_ERROR * sqrtf(var[i]));
	}
}

HnswSweep *
hnsw_sweep_begin(Relation rel, const void *value, HnswSweepMember member,
				 void *arg)
{
	HnswIndex  *index = hnsw_index_open(rel);
	HnswSweep  *sweep;
	char	   *copy;
	uint32		npages;

	if (!hnsw_space_coded(&index->space) || value == NULL ||
		index->space.metric->dim(value) != index->space.dim)
		return NULL;
	sweep = palloc0(sizeof(HnswSweep));
	sweep->index = index;
	hnsw_index_refresh(index);
	sweep->graph = hnsw_diskgraph_open(index);
	sweep->member = member;
	sweep->arg = arg;
	hnsw_space_query(&index->space, value, &sweep->query);
	if (!sweep->query.ordered)
		return NULL;

	sweep->maxheap = 1024;
	sweep->heap = palloc(sizeof(Candidate) * sweep->maxheap);
	copy = palloc(BLCKSZ);
	npages = index->meta->npages[HNSW_PAGE_FLAT];
	for (uint32 page = 0; page < npages; page++)
	{
		CHECK_FOR_INTERRUPTS();
		sweep_page(sweep, page, copy);
	}
	pfree(copy);
	for (int64 i = sweep->nheap / 2; i-- > 0;)
		sift_down(sweep, i);
	return sweep;
}

/* Read the most promising candidate. */
static void
read_candidate(HnswSweep *sweep)
{
	HnswNode	node = sweep->heap[0].node;
	HnswExpansion exp;
	HnswRow		row;

	CHECK_FOR_INTERRUPTS();
	sweep->heap[0] = sweep->heap[--sweep->nheap];
	if (sweep->nheap > 0)
		sift_down(sweep, 0);
	exp.own_copy = NULL;
	hnsw_diskgraph_measure(sweep->graph, &sweep->query, node, &exp);
	if (exp.state != HNSW_LIVE)
		return;
	hnsw_row_init(&row, node, &exp);
	hnsw_rows_push(&sweep->rows, &row);
}

bool
hnsw_sweep_next(HnswSweep *sweep, HnswSweepRow *out)
{
	HnswRow		row;

	while (sweep->nheap > 0 &&
		   (sweep->rows.n == 0 ||
			sweep->rows.row[0].dist > sweep->heap[0].key))
		read_candidate(sweep);
	if (sweep->rows.n == 0)
		return false;

	hnsw_rows_pop(&sweep->rows, &row);
	out->bound = row.bound;
	out->ntids = row.nhere;
	if (out->maxtids < HNSW_INLINE_TIDS)
	{
		out->maxtids = HNSW_INLINE_TIDS;
		out->tids = palloc(sizeof(ItemPointerData) * out->maxtids);
	}
	memcpy(out->tids, row.tids, sizeof(ItemPointerData) * row.nhere);
	if (row.ntids > row.nhere)
		(void) hnsw_diskgraph_tids(sweep->graph, row.node, row.version,
								   row.next, &out->tids, &out->ntids,
								   &out->maxtids);
	return true;
}
