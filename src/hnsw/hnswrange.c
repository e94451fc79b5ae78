/*-------------------------------------------------------------------------
 *
 * hnswrange.c
 *	  All rows within a distance: every node's own form, page by page.
 *
 * A walk finds the nearest rows, but cannot promise that it has seen all within
 * a distance.  The own forms can: the bound that they give is never above
 * the operator's value (README, "Codes"), so a node whose bound is too large has
 * no row that counts, and the rows of the others are looked up in the table.
 * Read in the order of the pages, a node costs less than a vector that has to be
 * fetched from the TOAST table.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswrange.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskgraph.h"
#include "miscadmin.h"

struct HnswRange
{
	HnswIndex  *index;
	HnswDiskGraph *graph;
	HnswQuery	query;
	HnswRangeWanted wanted;
	void	   *arg;
	uint64		nnodes;
	uint64		next;
};

static HnswRange *
begin_range(HnswIndex *index, const void *value, HnswRangeWanted wanted,
			void *arg)
{
	HnswRange  *range = palloc0(sizeof(HnswRange));

	hnsw_index_refresh(index);
	range->index = index;
	range->graph = hnsw_diskgraph_open(index);
	hnsw_space_query(&index->space, value, &range->query);
	range->wanted = wanted;
	range->arg = arg;
	range->nnodes = hnsw_index_nnodes(index);
	return range;
}

HnswRange *
hnsw_range_begin(Relation rel, const void *value, HnswRangeWanted wanted,
				 void *arg)
{
	HnswIndex  *index = hnsw_index_open(rel);

	vector_metric_check_dims(index->space.metric, index->space.dim,
							 index->space.metric->dim(value));
	return begin_range(index, value, wanted, arg);
}

/* Read a node; false if it has no row that is wanted. */
static bool
read_wanted(HnswRange *range, HnswNode node, HnswExpansion *exp)
{
	exp->own_copy = NULL;
	hnsw_diskgraph_measure(range->graph, &range->query, node, exp);
	return exp->state == HNSW_LIVE && range->wanted(range->arg,
													exp->own.bound);
}

bool
hnsw_range_next(HnswRange *range, HnswRangeRows *out)
{
	HnswExpansion exp;

	do
	{
		CHECK_FOR_INTERRUPTS();
		if (range->next == range->nnodes)
			return false;
	} while (!read_wanted(range, range->next++, &exp));

	out->ntids = exp.nhere;
	if (out->maxtids < HNSW_INLINE_TIDS)
	{
		out->maxtids = HNSW_INLINE_TIDS;
		out->tids = palloc(sizeof(ItemPointerData) * out->maxtids);
	}
	memcpy(out->tids, exp.tids, sizeof(ItemPointerData) * exp.nhere);
	if (exp.ntids > exp.nhere)
		(void) hnsw_diskgraph_tids(range->graph, range->next - 1, exp.version,
								   exp.next, &out->tids, &out->ntids,
								   &out->maxtids);
	return true;
}

double
hnsw_range_share(Relation rel, const void *value, HnswRangeWanted wanted,
				 void *arg, int samples)
{
	HnswIndex  *index = hnsw_index_open(rel);
	HnswRange  *range;
	HnswExpansion exp;
	double		found = 0;
	uint64		n;

	if (index->space.metric->dim(value) != index->space.dim)
		return -1;
	range = begin_range(index, value, wanted, arg);
	n = Min(range->nnodes, samples);
	for (uint64 i = 0; i < n; i++)
	{
		if (read_wanted(range, range->nnodes * i / n, &exp))
			found++;
	}
	return (found + 0.5) / (n + 1);
}
