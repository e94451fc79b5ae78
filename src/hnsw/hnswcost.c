/*-------------------------------------------------------------------------
 *
 * hnswcost.c
 *	  What a scan will cost: amcostestimate.
 *
 * A scan reads one node, that is one page, for each hop.  It pays for a
 * look-ahead before the first row, and then for a few hops a row; if very many
 * are wanted, for a sweep, and for less than that a row.  The planner does the
 * rest: a LIMIT takes its share of the total, and with a filter of selectivity
 * s the limit is reached after limit / s rows, so the price grows as 1 / s,
 * until a plan that sorts what the filter leaves is cheaper.  README, "Cost
 * model".
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcost.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/* Hops before the first row grow with the root of ef_search, and like this. */
#define MEASURED_EF			40.0
#define MEASURED_TUPLES		60000.0

/* Distances of one hop, in operator calls: the node and its edges' codes. */
#define OPERATORS_PER_HOP	8.0

static double
lookahead_hops(int ef, double tuples)
{
	double		hops = HNSW_HOPS_TO_START * sqrt(ef / MEASURED_EF) *
		log(Max(tuples, 3)) / log(MEASURED_TUPLES);

	/* an index no larger than the look-ahead is read as a whole */
	if (ef >= tuples)
		return tuples;
	return Max(Min(hops, tuples), 1);
}

/* What the index and the settings say of a scan. */
typedef struct ScanOutlook
{
	int			ef;
	double		longest_walk;	/* in hops; then it sweeps */
} ScanOutlook;

static void
look_ahead(const IndexOptInfo *info, double tuples, ScanOutlook *out)
{
	HnswScanSettings set;
	Relation	index;

	out->ef = HNSW_DEFAULT_EF_SEARCH;
	out->longest_walk = get_float8_infinity();

	/* what an extension proposes has no catalog entry */
	if (info->hypothetical)
		return;
	index = index_open(info->indexoid, NoLock);
	hnsw_scan_settings(index, &set);
	out->ef = set.ef;
	out->longest_walk = hnsw_longest_walk(index, &set, tuples);
	index_close(index, NoLock);
}

/* Hops beyond the look-ahead until so many rows have left. */
static double
hops_for_rows(const ScanOutlook *scan, double lookahead, double rows)
{
	double		hops = HNSW_HOPS_PER_ROW * (rows - HNSW_ROWS_AT_START);
	double		longest = Max(scan->longest_walk - lookahead, 0);

	if (hops > longest)
		hops = longest + scan->longest_walk / HNSW_SWEEPS_PER_WALK +
			HNSW_HOPS_PER_OWN_FORM * HNSW_FORMS_PER_ROW *
			(rows - HNSW_ROWS_AT_START - longest / HNSW_HOPS_PER_ROW);
	return Max(hops, rows);
}

/* The same of a row, on average over those that the query will see, if known. */
static double
hops_per_row(PlannerInfo *root, const IndexOptInfo *index, double tuples,
			 const ScanOutlook *scan, double lookahead)
{
	double		rows;

	if (root->limit_tuples <= 0)
		return HNSW_HOPS_PER_ROW;
	rows = root->limit_tuples *
		Max(tuples / clamp_row_est(index->rel->rows), 1);
	return hops_for_rows(scan, lookahead, rows) / rows;
}

void
hnswcostestimate(PlannerInfo *root, IndexPath *path, double loop_count,
				 Cost *indexStartupCost, Cost *indexTotalCost,
				 Selectivity *indexSelectivity, double *indexCorrelation,
				 double *indexPages)
{
	IndexOptInfo *index = path->indexinfo;
	double		tuples = Max(index->tuples, 1);
	ScanOutlook scan;
	double		hops;
	double		page_cost;
	double		hop;

	/* a partial index returns its part of the table */
	*indexSelectivity = index->rel->tuples > 0 ?
		Min(tuples / index->rel->tuples, 1) : 1;
	*indexCorrelation = 0;
	*indexPages = Max(index->pages, 1);

	/* without an order there is nothing that the index can do */
	if (path->indexorderbys == NIL)
	{
		*indexStartupCost = get_float8_infinity();
		*indexTotalCost = get_float8_infinity();
		compat_forbid_path(&path->path);
		return;
	}

	look_ahead(index, tuples, &scan);
	hops = lookahead_hops(scan.ef, tuples);
	get_tablespace_page_costs(index->reltablespace, &page_cost, NULL);

	/*
	 * A hop costs the scoring of its edges beside the page.  Half a random page
	 * agrees with core's price of a sequential scan: both take about 1.3 us a
	 * unit, in memory, on the packages data.
	 */
	hop = page_cost / 2 + cpu_index_tuple_cost +
		OPERATORS_PER_HOP * cpu_operator_cost;
	*indexStartupCost = hops * hop;
	*indexTotalCost = *indexStartupCost +
		hops_per_row(root, index, tuples, &scan, hops) * tuples * hop;
}
