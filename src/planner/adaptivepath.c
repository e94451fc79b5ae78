/*-------------------------------------------------------------------------
 *
 * adaptivepath.c
 *	  When the planner is offered an adaptive scan, and at what price.
 *
 * ORDER BY distance under a filter that the index does not know: how many rows
 * the walk must visit depends on how filter and query are correlated, which
 * nobody knows when the plan is made.  So beside core's paths stands one that
 * decides while it runs.  It holds two plans made by core: an Index Scan of the
 * graph without the filter, and the cheapest path that returns all rows that pass the
 * filter.  adaptivescan.c runs them.
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

#include "access/sysattr.h"
#include "access/table.h"
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
 * Prices in units of one row visited by the walk, which is a hop, a heap row
 * and an exact distance.  Estimates for the packages data: a visit 2.5 us, a
 * row of a bitmap heap scan with its distance 0.8 us, a row of a sequential
 * scan that fails the filter 0.25 us.  No guarantee that they are optimal;
 * bench/filters is there to tune them.
 */
#define VISITS_PER_FETCHED_ROW	0.35
#define VISITS_PER_SCANNED_ROW	0.1
#define VISITS_TO_START			20.0

/*
 * A sweep of the flat pages: reading the nodes and heap rows of the nearest
 * members; a bit of the bitmap; a record of a flat page (16 ns).
 */
#define VISITS_TO_SWEEP			120.0
#define VISITS_PER_MEMBER		0.05
#define VISITS_PER_FLAT_RECORD	0.0065

/* ---- the plan's numbers, as nodes that can be copied ---- */

List *
adaptive_plan_to_list(const AdaptivePlan *plan)
{
	return list_make4(makeInteger((int) plan->index),
					  makeFloat(psprintf("%.0f", plan->limit)),
					  makeFloat(psprintf("%.0f", plan->exact_visits)),
					  makeInteger(plan->has_bitmap));
}

void
adaptive_plan_from_list(List *list, AdaptivePlan *plan)
{
	plan->index = (Oid) intVal(linitial(list));
	plan->limit = floatVal(lsecond(list));
	plan->exact_visits = floatVal(lthird(list));
	plan->has_bitmap = intVal(lfourth(list)) != 0;
}

/* ---- the paths inside ---- */

/*
 * A path target of all columns in order, so that a scan returns its row as it
 * is, with its TID.  NULL if it could not: if the table has dropped columns,
 * which a target cannot name, or columns that old rows lack, for which the
 * executor would project.
 */
static PathTarget *
whole_row_target(RelOptInfo *rel, Oid relid)
{
	Relation	table = table_open(relid, NoLock);
	TupleDesc	desc = RelationGetDescr(table);
	PathTarget *target = create_empty_pathtarget();

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || att->atthasmissing)
		{
			target = NULL;
			break;
		}
		add_column_to_pathtarget(target,
								 (Expr *) makeVar(rel->relid, i + 1,
												  att->atttypid,
												  att->atttypmod,
												  att->attcollation, 0),
								 0);
	}
	table_close(table, NoLock);
	if (target != NULL)
		target->width = rel->reltarget->width;
	return target;
}

/* core's ordered scan of one of our indexes, with a filter on top */
static bool
is_filtered_walk(Path *path)
{
	IndexPath  *index_path = (IndexPath *) path;

	return IsA(path, IndexPath) && path->param_info == NULL &&
		list_length(index_path->indexorderbys) == 1 &&
		index_path->indexinfo->amcostestimate == hnswcostestimate &&
		index_path->indexinfo->indrestrictinfo != NIL;
}

/* the same scan without the filter, returning whole rows */
static Path *
unfiltered_walk(const IndexPath *walk, PathTarget *target)
{
	IndexPath  *copy = makeNode(IndexPath);
	IndexOptInfo *info = makeNode(IndexOptInfo);

	memcpy(info, walk->indexinfo, sizeof(IndexOptInfo));
	info->indrestrictinfo = NIL;
	memcpy(copy, walk, sizeof(IndexPath));
	copy->indexinfo = info;
	copy->path.pathtarget = target;
	copy->path.rows = Max(info->tuples, 1);
	return &copy->path;
}

/*
 * A copy of the relation without paths, whose indexes can only make bitmaps.
 */
static RelOptInfo *
relation_for_bitmaps(RelOptInfo *rel)
{
	RelOptInfo *alone = makeNode(RelOptInfo);
	ListCell   *lc;

	memcpy(alone, rel, sizeof(RelOptInfo));
	alone->pathlist = NIL;
	alone->ppilist = NIL;
	alone->partial_pathlist = NIL;
	alone->consider_parallel = false;
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
bitmap_path(PlannerInfo *root, RelOptInfo *rel)
{
	RelOptInfo *alone = relation_for_bitmaps(rel);
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

/*
 * What finding a set of rows exactly costs, in visits: by the heap, or, with a
 * bitmap, by the flat pages if that is less.
 */
static double
price_by_heap(RelOptInfo *rel, Path *exact)
{
	double		visits = VISITS_TO_START + VISITS_PER_FETCHED_ROW * rel->rows;

	if (exact->pathtype == T_SeqScan)
		visits += VISITS_PER_SCANNED_ROW * Max(rel->tuples, rel->rows);
	return visits;
}

static double
price_by_sweep(RelOptInfo *rel)
{
	return VISITS_TO_SWEEP + VISITS_PER_MEMBER * rel->rows +
		VISITS_PER_FLAT_RECORD * Max(rel->tuples, rel->rows);
}

/*
 * A copy of the best path that finds all rows of the filter, whatever their
 * order, returning whole rows; and its price.
 */
static Path *
exact_path(PlannerInfo *root, RelOptInfo *rel, PathTarget *target,
		   double *visits)
{
	Path	   *best = create_seqscan_path(root, rel, NULL, 0);
	Path	   *bitmap = bitmap_path(root, rel);
	Path	   *copy;
	Size		size = sizeof(Path);

	*visits = price_by_heap(rel, best);
	if (bitmap != NULL)
	{
		double		price = Min(price_by_heap(rel, bitmap),
								price_by_sweep(rel));

		if (price < *visits)
		{
			best = bitmap;
			size = sizeof(BitmapHeapPath);
			*visits = price;
		}
	}

	copy = palloc(size);
	memcpy(copy, best, size);
	copy->pathtarget = target;
	return copy;
}

/* ---- the price ---- */

/*
 * What the query pays for its first 'limit' rows: as much as walking (by core's
 * figures for the filtered walk), less a little, since this path is never
 * worse than the plain one and add_path must see that; or a tenth more than the exact plan
 * with a sort, if that is cheaper, for a try at the graph.  The planner takes a
 * share limit / rows of the run cost, so that is blown up.
 */
#define WALK_DISCOUNT		0.95
#define EXACT_SURCHARGE		1.1

static void
cost_adaptive(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
			  const Path *walk, const Path *exact)
{
	double		rows = clamp_row_est(rel->rows);
	double		limit = root->limit_tuples > 0 ?
		Min(root->limit_tuples, rows) : rows;
	Path		sort;
	Cost		by_walk;
	Cost		both;

	cost_sort(&sort, root, NIL, compat_disabled_nodes(exact) exact->total_cost,
			  rows, 16, 0, work_mem, limit);
	by_walk = walk->startup_cost +
		(walk->total_cost - walk->startup_cost) * limit / rows;
	both = Min(by_walk * WALK_DISCOUNT, sort.total_cost * EXACT_SURCHARGE);

	path->path.rows = rows;
	path->path.startup_cost = Min(walk->startup_cost * WALK_DISCOUNT, both);
	path->path.total_cost = path->path.startup_cost +
		(both - path->path.startup_cost) * rows / limit;
}

static CustomPath *
create_adaptive_path(PlannerInfo *root, RelOptInfo *rel, IndexPath *walk,
					 PathTarget *target)
{
	CustomPath *path = makeNode(CustomPath);
	AdaptivePlan plan;
	Path	   *exact = exact_path(root, rel, target, &plan.exact_visits);

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.pathkeys = walk->path.pathkeys;
	path->flags = COMPAT_CUSTOMPATH_PROJECTION;
	path->custom_paths = list_make2(unfiltered_walk(walk, target), exact);
	path->methods = &adaptive_path_methods;

	plan.index = walk->indexinfo->indexoid;
	plan.limit = Max(root->limit_tuples, 0);
	plan.has_bitmap = IsA(exact, BitmapHeapPath);
	path->custom_private = list_make2(adaptive_plan_to_list(&plan),
									  walk->indexorderbys);
	cost_adaptive(root, rel, path, &walk->path, exact);
	return path;
}

/* set_rel_pathlist_hook */
static void
offer_adaptive_paths(PlannerInfo *root, RelOptInfo *rel, Index rti,
					 RangeTblEntry *rte)
{
	List	   *walks = NIL;
	PathTarget *target;
	ListCell   *lc;

	if (previous_hook != NULL)
		previous_hook(root, rel, rti, rte);
	if (!adaptive_scan_enabled || !enable_indexscan ||
		rte->rtekind != RTE_RELATION || rte->tablesample != NULL ||
		rel->indexlist == NIL || !bms_is_empty(rel->lateral_relids))
		return;

	foreach(lc, rel->pathlist)
	{
		if (is_filtered_walk(lfirst(lc)))
			walks = lappend(walks, lfirst(lc));
	}
	if (walks == NIL || (target = whole_row_target(rel, rte->relid)) == NULL)
		return;
	foreach(lc, walks)
	{
		/*
		 * add_path frees what the new path beats, but never an IndexPath, so
		 * the list stays valid.
		 */
		add_path(rel, (Path *) create_adaptive_path(root, rel, lfirst(lc),
													target));
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
	scan->custom_exprs = list_make2(copyObject(distance),
									copyObject(get_rightop((Expr *) distance)));
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
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = offer_adaptive_paths;
}
