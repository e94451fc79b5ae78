/*-------------------------------------------------------------------------
 *
 * adaptivepath.c
 *	  When the planner is offered an adaptive scan, and at what price.
 *
 * ORDER BY distance under a filter that the index does not know: how many rows
 * the walk must visit depends on how filter and query are correlated, which
 * nobody knows when the plan is made.  So beside core's paths stands one that
 * decides while it runs.  It holds two plans made by core: an Index Scan of the
 * graph without the filter, and the cheapest path that finds all rows that pass
 * the filter.  Neither returns a column: adaptivescan.c runs them and takes the
 * rows, as they are on the page, from the slots they scan with.
 *
 * The hook is in place as soon as the planner opens one of our indexes, for
 * that loads the library; nothing needs preloading.
 *
 * IDENTIFICATION
 *	  src/planner/adaptivepath.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "planner/adaptive.h"
#include "planner/range.h"
#include "planner/similarity.h"
#include "utils/guc.h"
#include "utils/rel.h"

bool		adaptive_scan_enabled;

static set_rel_pathlist_hook_type previous_hook;

static Plan *plan_adaptive(PlannerInfo *root, RelOptInfo *rel,
						   CustomPath *path, List *tlist, List *clauses,
						   List *custom_plans);

static const CustomPathMethods adaptive_path_methods = {
	.CustomName = "AdaptiveVectorScan",
	.PlanCustomPath = plan_adaptive
};

/*
 * Prices in hops, measured by CPU time on the packages data of bench/filters
 * (384 dimensions, four rows to a heap page, all in memory): a hop 2.7 us, a
 * row of the walk 1.2 us beside its hops, a row of a bitmap heap scan with its
 * distance .8 us (1.3 on a busy machine), a row of a sequential scan .32 us, and
 * .42 us more if it passes; a row in the set of those that one other index finds
 * 40 ns, by way of a bitmap 120.
 */
#define HOPS_PER_VISITED_ROW	0.4
#define HOPS_PER_FETCHED_ROW	0.35
#define HOPS_PER_SCANNED_ROW	0.11
#define HOPS_PER_SORTED_ROW		0.15
#define HOPS_PER_MEMBER			0.015
#define HOPS_PER_BITMAP_ROW		0.045

/* opening the other indexes */
#define HOPS_TO_START			20.0

/* core's price of what a filter computes, in hops */
#define HOPS_PER_COST_UNIT		1.0

/* ---- the plan's numbers, as nodes that can be copied ---- */

static List *
append_number(List *list, double number)
{
	return lappend(list, makeFloat(psprintf("%.17g", number)));
}

List *
adaptive_plan_to_list(const AdaptivePlan *plan)
{
	List	   *list = list_make2(makeInteger((int) plan->index),
								  makeInteger(plan->has_bitmap));

	list = append_number(list, plan->limit);
	list = append_number(list, plan->selectivity);
	list = append_number(list, plan->row_price);
	list = append_number(list, plan->exact_price);
	list = append_number(list, plan->bitmap_price);
	list = append_number(list, plan->member_share);
	list = append_number(list, plan->sweep_from);
	list = append_number(list, plan->flat_price);
	list = append_number(list, plan->swept_price);
	return lappend(list, makeInteger(plan->stop_falls));
}

void
adaptive_plan_from_list(List *list, AdaptivePlan *plan)
{
	plan->index = (Oid) intVal(list_nth(list, 0));
	plan->has_bitmap = intVal(list_nth(list, 1)) != 0;
	plan->limit = floatVal(list_nth(list, 2));
	plan->selectivity = floatVal(list_nth(list, 3));
	plan->row_price = floatVal(list_nth(list, 4));
	plan->exact_price = floatVal(list_nth(list, 5));
	plan->bitmap_price = floatVal(list_nth(list, 6));
	plan->member_share = floatVal(list_nth(list, 7));
	plan->sweep_from = floatVal(list_nth(list, 8));
	plan->flat_price = floatVal(list_nth(list, 9));
	plan->swept_price = floatVal(list_nth(list, 10));
	plan->stop_falls = intVal(list_nth(list, 11)) != 0;
}

/* ---- the paths inside ---- */

/*
 * Conditions that are tested row by row.  Those without a column are tested
 * once, in a node that core puts on top of the adaptive scan; they must not
 * make it put another one on top of a child.
 */
static List *
row_conditions(List *restrictinfo)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, restrictinfo)
	{
		if (!lfirst_node(RestrictInfo, lc)->pseudoconstant)
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/* core's ordered scan of one of our indexes, with a filter on top */
static bool
is_filtered_walk(Path *path)
{
	IndexPath  *index_path = (IndexPath *) path;

	return IsA(path, IndexPath) && path->param_info == NULL &&
		list_length(index_path->indexorderbys) == 1 &&
		index_path->indexinfo->amcostestimate == hnswcostestimate &&
		row_conditions(index_path->indexinfo->indrestrictinfo) != NIL;
}

/* the same scan without the filter */
static Path *
unfiltered_walk(const IndexPath *walk)
{
	IndexPath  *copy = makeNode(IndexPath);
	IndexOptInfo *info = makeNode(IndexOptInfo);

	memcpy(info, walk->indexinfo, sizeof(IndexOptInfo));
	info->indrestrictinfo = NIL;
	memcpy(copy, walk, sizeof(IndexPath));
	copy->indexinfo = info;
	copy->path.pathtarget = create_empty_pathtarget();
	copy->path.rows = Max(info->tuples, 1);
	return &copy->path;
}

/*
 * A copy of the relation for the exact plan: without paths, and its indexes
 * can only make bitmaps.
 */
static RelOptInfo *
relation_alone(RelOptInfo *rel)
{
	RelOptInfo *alone = makeNode(RelOptInfo);
	ListCell   *lc;

	memcpy(alone, rel, sizeof(RelOptInfo));
	alone->pathlist = NIL;
	alone->ppilist = NIL;
	alone->partial_pathlist = NIL;
	alone->consider_parallel = false;
	alone->baserestrictinfo = row_conditions(rel->baserestrictinfo);
	alone->indexlist = NIL;
	foreach(lc, rel->indexlist)
	{
		IndexOptInfo *info = makeNode(IndexOptInfo);

		memcpy(info, lfirst(lc), sizeof(IndexOptInfo));
		info->amhasgettuple = false;
		if (info->amhasgetbitmap)
			alone->indexlist = lappend(alone->indexlist, info);
	}
	return alone;
}

/*
 * Core's bitmap path for this table, which may have lost against a sequential
 * scan or an index scan: a bitmap is worth more to us than to core, for it can
 * be swept.  Core makes its index paths again, for a relation where nothing
 * else competes.
 */
static Path *
bitmap_path(PlannerInfo *root, RelOptInfo *alone)
{
	Path	   *best = NULL;
	ListCell   *lc;

	if (!enable_bitmapscan)
		return NULL;
	create_index_paths(root, alone);
	foreach(lc, alone->pathlist)
	{
		Path	   *path = lfirst(lc);

		if (IsA(path, BitmapHeapPath) && path->param_info == NULL &&
			(best == NULL || path->total_cost < best->total_cost))
			best = path;
	}
	return best;
}

/* ---- prices ---- */

static double
filter_price(const RelOptInfo *rel)
{
	return HOPS_PER_COST_UNIT * rel->baserestrictcost.per_tuple;
}

/* A sweep of the index before its first row. */
static double
flat_price(const IndexOptInfo *info)
{
	Relation	index;
	double		price;

	/* what an extension proposes has no catalog entry */
	if (info->hypothetical)
		return HNSW_HOPS_PER_FLAT_RECORD * info->tuples;
	index = index_open(info->indexoid, NoLock);
	price = hnsw_sweep_price(index, info->tuples);
	index_close(index, NoLock);
	return price;
}

/* A sequential scan, and a sort of the rows that pass. */
static double
price_of_seqscan(const RelOptInfo *rel)
{
	return HOPS_TO_START + HOPS_PER_SORTED_ROW * rel->rows +
		(HOPS_PER_SCANNED_ROW + filter_price(rel)) *
		Max(rel->tuples, rel->rows);
}

/* A bitmap's rows found in the heap, and a sort. */
static double
price_of_bitmap_scan(const RelOptInfo *rel, double members)
{
	return HOPS_TO_START +
		(HOPS_PER_FETCHED_ROW + filter_price(rel)) * members;
}

/*
 * A sweep for the members of a bitmap: until the limit is full as many of them
 * are visited as the rest of the filter lets none pass.
 */
static double
price_of_member_sweep(const RelOptInfo *rel, const AdaptivePlan *plan,
					  double members)
{
	double		rows = plan->limit > 0 ? Min(plan->limit, rel->rows) :
		rel->rows;

	return plan->bitmap_price + plan->flat_price +
		(plan->swept_price + plan->row_price) *
		rows * Max(members / clamp_row_est(rel->rows), 1);
}

/*
 * What a row of the bitmap costs: those of a single index need not be put into
 * one (tidmembers.c).
 */
static double
price_of_member(const RelOptInfo *rel, const Path *bitmapqual)
{
	ListCell   *lc;

	if (!IsA(bitmapqual, IndexPath))
		return HOPS_PER_BITMAP_ROW;
	foreach(lc, rel->indexlist)
	{
		IndexOptInfo *info = lfirst(lc);

		if (info->indexoid == ((IndexPath *) bitmapqual)->indexinfo->indexoid)
			return info->amhasgettuple ? HOPS_PER_MEMBER : HOPS_PER_BITMAP_ROW;
	}
	return HOPS_PER_BITMAP_ROW;
}

/* What the plan says of its bitmap. */
static void
price_bitmap(RelOptInfo *rel, Path *bitmap, AdaptivePlan *plan)
{
	Path	   *bitmapqual = ((BitmapHeapPath *) bitmap)->bitmapqual;
	Cost		cost;
	Selectivity selectivity;
	double		members;
	double		by_heap;
	double		by_sweep;

	cost_bitmap_tree_node(bitmapqual, &cost, &selectivity);
	members = Max(selectivity * rel->tuples, rel->rows);
	plan->has_bitmap = true;
	plan->member_share = members / Max(rel->tuples, members);
	plan->bitmap_price = HOPS_TO_START +
		price_of_member(rel, bitmapqual) * members;
	by_heap = price_of_bitmap_scan(rel, members);
	by_sweep = price_of_member_sweep(rel, plan, members);
	plan->exact_price = Min(by_heap, by_sweep);
	plan->sweep_from = (by_sweep - plan->bitmap_price) * members /
		Max(by_heap - plan->bitmap_price, 1);
}

/*
 * The best path that finds all rows of the filter, whatever their order; and
 * the prices of that.
 */
static Path *
exact_path(PlannerInfo *root, RelOptInfo *rel, AdaptivePlan *plan)
{
	RelOptInfo *alone = relation_alone(rel);
	Path	   *seqscan = create_seqscan_path(root, alone, NULL, 0);
	Path	   *bitmap = bitmap_path(root, alone);
	double		price = price_of_seqscan(rel);

	if (bitmap != NULL)
	{
		price_bitmap(rel, bitmap, plan);
		if (plan->exact_price < price)
			return bitmap;
	}
	plan->has_bitmap = false;
	plan->exact_price = price;
	return seqscan;
}

/* A copy of a path that returns no column. */
static Path *
without_columns(const Path *path)
{
	Size		size = IsA(path, BitmapHeapPath) ?
		sizeof(BitmapHeapPath) : sizeof(Path);
	Path	   *copy = palloc(size);

	memcpy(copy, path, size);
	copy->pathtarget = create_empty_pathtarget();
	return copy;
}

/*
 * The exact plan and a sort, in core's units: as core has it, with the
 * distances, but less if a sweep saves a part of it.
 */
static Cost
cost_exact(PlannerInfo *root, RelOptInfo *rel, const Path *exact,
		   const AdaptivePlan *plan, Node *distance)
{
	Cost		cost = exact->total_cost;
	double		share = plan->exact_price /
		(plan->has_bitmap ?
		 price_of_bitmap_scan(rel, plan->member_share * rel->tuples) :
		 price_of_seqscan(rel));
	QualCost	evaluation;
	Path		sort;

	cost_qual_eval_node(&evaluation, distance, root);
	cost += evaluation.startup + evaluation.per_tuple * rel->rows;
	cost_sort(&sort, root, NIL, compat_disabled_nodes(exact) cost * share,
			  clamp_row_est(rel->rows), 16, 0, work_mem,
			  root->limit_tuples > 0 ? root->limit_tuples : -1);
	return sort.total_cost;
}

/*
 * Is it worth while to try the graph where an exact plan looks cheaper?  If it
 * could win by half: in the best case every row passes.  And the try itself
 * must be a small part of the exact plan's price.
 */
static bool
is_worth_trying(const AdaptivePlan *plan)
{
	double		best_walk = HNSW_HOPS_TO_START + HNSW_HOPS_PER_ROW *
		Max(plan->limit - HNSW_ROWS_AT_START, 0);

	return plan->limit > 0 && best_walk < plan->exact_price / 2 &&
		5 * HNSW_HOPS_TO_START < plan->exact_price;
}

/*
 * What the query pays for its first 'limit' rows: as much as walking, by core's
 * figures for the filtered walk; or as much as the exact plan, if that is
 * cheaper: a tenth more for a try at the graph, or a tenth less if the try is a
 * good bet.
 *
 * Where the limit is known, rows are held back until it is full, so all that
 * comes before the first row, and a merge of such scans gains nothing by
 * stopping early.  More rows than that cost as much again, at most.
 */
#define EXACT_DISCOUNT		0.9
#define EXACT_SURCHARGE		1.1

static void
cost_adaptive(CustomPath *path, const Path *walk, Cost exact,
			  const AdaptivePlan *plan)
{
	double		rows = clamp_row_est(path->path.parent->rows);
	double		part = plan->limit > 0 ? Min(plan->limit / rows, 1) : 1;
	Cost		by_walk = walk->startup_cost +
		(walk->total_cost - walk->startup_cost) * part;
	Cost		both;

	exact *= is_worth_trying(plan) ? EXACT_DISCOUNT : EXACT_SURCHARGE;
	both = Min(by_walk, exact);

	path->path.rows = rows;
	path->path.startup_cost = plan->limit > 0 ?
		both : Min(walk->startup_cost, both);
	path->path.total_cost = both +
		(1 - part) * Min(walk->total_cost, exact);
}

/* ---- the path ---- */

/*
 * The condition WHERE e <=> q < r of a search for the nearest few by the same
 * distance, as a list: it need not go on behind the first row for which that
 * fails.  Without a LIMIT every row counts, also one that the walk finds late.
 */
static List *
stop_clause(PlannerInfo *root, RelOptInfo *rel, IndexPath *walk,
			bool *falls)
{
	RangeClause clause;

	*falls = false;
	if (root->parse->limitCount == NULL ||
		!find_range_clause(rel, walk->indexinfo, &clause) ||
		!equal(clause.expr.distance, linitial(walk->indexorderbys)))
		return NIL;
	*falls = clause.expr.falls;
	return list_make1(copyObject(clause.rinfo->clause));
}

static CustomPath *
create_adaptive_path(PlannerInfo *root, RelOptInfo *rel, IndexPath *walk)
{
	CustomPath *path = makeNode(CustomPath);
	AdaptivePlan plan = {0};
	List	   *stop = stop_clause(root, rel, walk, &plan.stop_falls);
	Path	   *exact;

	plan.index = walk->indexinfo->indexoid;
	plan.limit = Max(root->limit_tuples, 0);
	plan.selectivity = clamp_row_est(rel->rows) / Max(rel->tuples, clamp_row_est(rel->rows));
	plan.row_price = HOPS_PER_VISITED_ROW + filter_price(rel);
	plan.flat_price = flat_price(walk->indexinfo);
	plan.swept_price = HNSW_HOPS_PER_OWN_FORM * HNSW_FORMS_PER_ROW;
	exact = exact_path(root, rel, &plan);

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.pathkeys = walk->path.pathkeys;
	path->flags = COMPAT_CUSTOMPATH_PROJECTION;
	path->custom_paths = list_make2(unfiltered_walk(walk),
									without_columns(exact));
	path->methods = &adaptive_path_methods;
	path->custom_private = list_make3(adaptive_plan_to_list(&plan),
									  walk->indexorderbys, stop);
	cost_adaptive(path, &walk->path,
				  cost_exact(root, rel, exact, &plan,
							 linitial(walk->indexorderbys)), &plan);
	return path;
}

/*
 * May the rows come from elsewhere, too?  Not in a mode that was chosen: it says
 * how many the index finds.
 */
static bool
is_open_ended(const IndexPath *walk)
{
	Relation	index = index_open(walk->indexinfo->indexoid, NoLock);
	HnswScanSettings set;

	hnsw_scan_settings(index, &set);
	index_close(index, NoLock);
	return set.mode == HNSW_ITERATIVE_AUTO;
}

Path *
adaptive_path(PlannerInfo *root, RelOptInfo *rel, IndexPath *walk)
{
	if (!adaptive_scan_enabled || !is_filtered_walk(&walk->path) ||
		!is_open_ended(walk))
		return NULL;
	return (Path *) create_adaptive_path(root, rel, walk);
}

/* set_rel_pathlist_hook */
static void
offer_adaptive_paths(PlannerInfo *root, RelOptInfo *rel, Index rti,
					 RangeTblEntry *rte)
{
	List	   *walks = NIL;
	ListCell   *lc;

	if (previous_hook != NULL)
		previous_hook(root, rel, rti, rte);
	if (IS_DUMMY_REL(rel) || rte->rtekind != RTE_RELATION)
		return;
	if (rte->inh)
	{
		/* its partitions have been here before */
		correct_parent_rows(root, rel);
		return;
	}
	if (!enable_indexscan || rte->tablesample != NULL ||
		rel->indexlist == NIL || !bms_is_empty(rel->lateral_relids))
		return;

	offer_range_paths(root, rel);
	offer_similarity_paths(root, rel, rte->relid);
	if (!adaptive_scan_enabled)
		return;

	foreach(lc, rel->pathlist)
	{
		if (is_filtered_walk(lfirst(lc)) && is_open_ended(lfirst(lc)))
			walks = lappend(walks, lfirst(lc));
	}
	foreach(lc, walks)
	{
		/*
		 * The plain path goes.  It is never better, but looks so to a merge,
		 * which believes that a first row that passes costs no more than the
		 * look-ahead.
		 */
		rel->pathlist = list_delete_ptr(rel->pathlist, lfirst(lc));
		add_path(rel, (Path *) create_adaptive_path(root, rel, lfirst(lc)));
	}
}

static Plan *
plan_adaptive(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
			  List *tlist, List *clauses, List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);
	Node	   *distance;

	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = extract_actual_clauses(clauses, false);
	scan->scan.scanrelid = rel->relid;
	scan->flags = path->flags;
	scan->custom_plans = custom_plans;
	distance = linitial(lsecond(path->custom_private));
	scan->custom_exprs = list_make3(copyObject(distance),
									copyObject(get_rightop((Expr *) distance)),
									copyObject(get_leftop((Expr *) distance)));
	scan->custom_exprs = list_concat(scan->custom_exprs,
									 lthird(path->custom_private));
	scan->custom_private = linitial(path->custom_private);
	scan->methods = &adaptive_scan_methods;
	return &scan->scan.plan;
}

void
adaptive_init(void)
{
	DefineCustomBoolVariable("hnsw.adaptive_scan",
							 "Lets filtered searches change over to an exact plan while they run.",
							 NULL, &adaptive_scan_enabled, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	RegisterCustomScanMethods(&adaptive_scan_methods);
	RegisterCustomScanMethods(&range_scan_methods);
	similarity_init();
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = offer_adaptive_paths;
}
