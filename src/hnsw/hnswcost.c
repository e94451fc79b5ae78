/*-------------------------------------------------------------------------
 *
 * hnswcost.c
 *	  What a scan will cost: amcostestimate.
 *
 * A scan reads one node, that is one page, for each hop.  It pays for a
 * look-ahead before the first row, and then for about one hop a row.  The
 * planner does the rest: a LIMIT takes its share of the total, and with a
 * filter of selectivity s the limit is reached after limit / s rows, so the
 * price grows as 1 / s, until a plan that sorts what the filter leaves is
 * cheaper.  README, "Cost model".
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcost.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "hnsw/hnsw.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/*
 * Hops before the first row at ef_search 40, measured on both data sets of
 * bench/: 20 to 30; they grow with the root of ef_search and with the
 * logarithm of the rows.
 */
#define LOOKAHEAD_HOPS		25.0

/* Distances of one hop, in operator calls: the node and its edges' codes. */
#define OPERATORS_PER_HOP	8.0

static double
lookahead_hops(double tuples)
{
	double		hops = LOOKAHEAD_HOPS * sqrt(hnsw_ef_search / 40.0) *
		log(Max(tuples, 3)) / log(60000.0);

	return Max(Min(hops, tuples), 1);
}

void
hnswcostestimate(PlannerInfo *root, IndexPath *path, double loop_count,
				 Cost *indexStartupCost, Cost *indexTotalCost,
				 Selectivity *indexSelectivity, double *indexCorrelation,
				 double *indexPages)
{
	IndexOptInfo *index = path->indexinfo;
	double		tuples = Max(index->tuples, 1);
	double		pages = Max(index->pages, 1);
	double		hops = lookahead_hops(tuples);
	double		page_cost;
	double		cpu_cost;
	double		run_pages;

	/* a partial index returns its part of the table */
	*indexSelectivity = index->rel->tuples > 0 ?
		Min(tuples / index->rel->tuples, 1) : 1;
	*indexCorrelation = 0;
	*indexPages = pages;

	/* without an order there is nothing that the index can do */
	if (path->indexorderbys == NIL)
	{
		*indexStartupCost = get_float8_infinity();
		*indexTotalCost = get_float8_infinity();
		return;
	}

	get_tablespace_page_costs(index->reltablespace, &page_cost, NULL);
	cpu_cost = cpu_index_tuple_cost + OPERATORS_PER_HOP * cpu_operator_cost;

	/* a full scan reads each page once if the cache holds them */
	run_pages = index_pages_fetched(tuples, pages, pages, root);
	*indexStartupCost = Min(hops, pages) * page_cost + hops * cpu_cost;
	*indexTotalCost = *indexStartupCost +
		Max(run_pages, 1) * page_cost + tuples * cpu_cost;
}
