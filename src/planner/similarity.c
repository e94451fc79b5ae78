/*-------------------------------------------------------------------------
 *
 * similarity.c
 *	  Orders of a similarity, by an index over the distance.
 *
 * ORDER BY 1 + (e <#> q) is the order of e <#> q: core's own Index Scan
 * delivers it, it only has to be told.  ORDER BY 1 - (e <=> q) DESC is the order
 * of e <=> q as well, but for the rows that come first in a descending order:
 * NULL and NaN, which an index scan leaves out or returns last.  So that
 * path is taken only while the index knows that there are none (hnswgaps.c), or
 * the query or the table excludes them.  As that may change after the plan was
 * made, the scan holds two plans, the one by the index and one that sorts,
 * and looks at each start which of them is right.
 *
 * IDENTIFICATION
 *	  src/planner/similarity.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "hnsw/hnsw.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "compat.h"				/* after optimizer/paths.h */
#include COMPAT_EXPLAIN_FORMAT_H
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "planner/adaptive.h"
#include "planner/distanceexpr.h"
#include "planner/similarity.h"
#include "utils/lsyscache.h"

/* What the executor has to look at, as custom_private. */
typedef struct SimilarityPlan
{
	Oid			index;
	bool		check_nan;		/* may the index have rows without a place? */
	bool		check_nulls;	/* may the table have rows without a vector? */
} SimilarityPlan;

/* custom_plans: both return the same columns, in the query's order */
#define SIMILARITY_INDEX	0
#define SIMILARITY_SORT		1

typedef struct SimilarityScan
{
	CustomScanState css;		/* must be first */
	SimilarityPlan plan;
	ExprState  *key;			/* the query vector */
	PlanState  *taken;			/* NULL: not decided since the last rescan */
} SimilarityScan;

static Plan *plan_similarity(PlannerInfo *root, RelOptInfo *rel,
							 CustomPath *path, List *tlist, List *clauses,
							 List *custom_plans);
static Node *create_state(CustomScan *scan);
static void begin_scan(CustomScanState *node, EState *estate, int eflags);
static TupleTableSlot *exec_scan(CustomScanState *node);
static void end_scan(CustomScanState *node);
static void rescan(CustomScanState *node);
static void explain_scan(CustomScanState *node, List *ancestors,
						 ExplainState *es);

static const CustomPathMethods path_methods = {
	.CustomName = "SimilarityVectorScan",
	.PlanCustomPath = plan_similarity
};

static const CustomScanMethods scan_methods = {
	.CustomName = "SimilarityVectorScan",
	.CreateCustomScanState = create_state
};

static const CustomExecMethods exec_methods = {
	.CustomName = "SimilarityVectorScan",
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain_scan
};

/* ---- what the query asks for ---- */

/*
 * The first expression of the query's order, if it is of this table alone and
 * the index can deliver it; *distance says how.  Else NULL.
 */
static Expr *
ordered_expression(PlannerInfo *root, RelOptInfo *rel, IndexOptInfo *index,
				   DistanceExpr *distance)
{
	PathKey    *key = linitial(root->query_pathkeys);
	EquivalenceClass *class = key->pk_eclass;
	List	   *members = compat_ec_members(class, rel->relids);
	ListCell   *lc;

	if (class->ec_has_volatile)
		return NULL;
	foreach(lc, members)
	{
		EquivalenceMember *member = lfirst(lc);

		if (bms_equal(member->em_relids, rel->relids) &&
			match_distance(index, (Node *) member->em_expr, distance) &&
			distance->sortfamily == key->pk_opfamily)
			return member->em_expr;
	}
	return NULL;
}

bool
is_ordered_by_index(PlannerInfo *root, RelOptInfo *rel, IndexOptInfo *index)
{
	DistanceExpr distance;

	return root->query_pathkeys != NIL &&
		ordered_expression(root, rel, index, &distance) != NULL;
}

/*
 * Core finds these paths itself; before 16 not if the order has further
 * expressions, for which a sort of rows that are equal in the first is enough.
 */
static bool
is_for_core(PlannerInfo *root, const IndexOptInfo *index, const Expr *expr)
{
	return list_length(root->query_pathkeys) == 1 && IsA(expr, OpExpr) &&
		OidIsValid(get_op_opfamily_sortfamily(((OpExpr *) expr)->opno,
											  index->opfamily[0]));
}

static bool
is_not_null_column(Oid relid, Node *value)
{
	Relation	table;
	bool		result;

	if (!IsA(value, Var) || ((Var *) value)->varattno <= 0)
		return false;
	table = table_open(relid, NoLock);
	result = compat_is_not_null(RelationGetDescr(table),
								((Var *) value)->varattno);
	table_close(table, NoLock);
	return result;
}

/* Does the table or the filter say that the indexed value is never NULL? */
static bool
is_never_null(RelOptInfo *rel, Oid table, Node *value)
{
	NullTest   *test = makeNode(NullTest);
	List	   *filter = extract_actual_clauses(rel->baserestrictinfo, false);

	if (is_not_null_column(table, value))
		return true;
	test->arg = (Expr *) value;
	test->nulltesttype = IS_NOT_NULL;
	test->argisrow = false;
	test->location = -1;
	return predicate_implied_by(list_make1(test), filter, false);
}

/* ---- the paths ---- */

static IndexPath *
create_walk(PlannerInfo *root, IndexOptInfo *index,
			const DistanceExpr *distance, PathKey *key)
{
	return create_index_path(root, index, NIL,
							 list_make1(distance->distance),
							 list_make1_int(0), list_make1(key),
							 ForwardScanDirection, false, NULL, 1.0, false);
}

/* The columns that the query wants of the table, and the expression. */
static PathTarget *
target_with(PlannerInfo *root, RelOptInfo *rel, Expr *expr)
{
	PathTarget *target = copy_pathtarget(rel->reltarget);
	QualCost	cost;

	add_new_column_to_pathtarget(target, expr);
	cost_qual_eval_node(&cost, (Node *) expr, root);
	target->cost.startup += cost.startup;
	target->cost.per_tuple += cost.per_tuple;
	target->width += sizeof(float8);
	return target;
}

/*
 * The descending path: two plans, and what to look at.  The walk inside has a
 * key of its own, the ascending distance, that only core's making of the plan
 * will see.
 */
static CustomPath *
create_similarity_path(PlannerInfo *root, RelOptInfo *rel,
					   IndexOptInfo *index, const DistanceExpr *distance,
					   Expr *expr, const SimilarityPlan *plan)
{
	CustomPath *path = makeNode(CustomPath);
	PathTarget *target = target_with(root, rel, expr);
	List	   *pathkeys = list_make1(linitial(root->query_pathkeys));
	PathKey    *ascending = makeNode(PathKey);
	IndexPath  *walk;
	Path	   *ordered;
	Path	   *sorted;

	*ascending = *(PathKey *) linitial(pathkeys);
	compat_make_pathkey_rise(ascending);
	ascending->pk_nulls_first = false;
	walk = create_walk(root, index, distance, ascending);
	ordered = adaptive_path(root, rel, walk);
	if (ordered == NULL)
		ordered = &walk->path;
	ordered = (Path *) create_projection_path(root, rel, ordered, target);
	sorted = (Path *)
		create_projection_path(root, rel,
							   create_seqscan_path(root, rel, NULL, 0),
							   target);
	sorted = (Path *) create_sort_path(root, rel, sorted, pathkeys, -1);

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.rows = ordered->rows;
	path->path.startup_cost = ordered->startup_cost;
	path->path.total_cost = ordered->total_cost;
	compat_copy_disabled_nodes(&path->path, ordered);
	path->path.pathkeys = pathkeys;
	path->flags = COMPAT_CUSTOMPATH_PROJECTION;
	path->custom_paths = list_make2(ordered, sorted);
	path->custom_private =
		list_make2(list_make3_oid(plan->index, plan->check_nan,
								  plan->check_nulls),
				   copyObject(get_rightop((Expr *) distance->distance)));
	path->methods = &path_methods;
	return path;
}

/* Is there already a row that rules the index out? */
static bool
is_ruled_out(const SimilarityPlan *plan)
{
	Relation	index = index_open(plan->index, NoLock);
	bool		result = (plan->check_nan && hnsw_may_have_nan(index)) ||
		(plan->check_nulls && hnsw_may_lack_nulls(index));

	index_close(index, NoLock);
	return result;
}

/*
 * Under ascending order NULL and NaN come last, where an index scan leaves them
 * out or returns them, as for the distance itself.  Under descending order the
 * scan must be known to have none.
 */
static void
offer_by_index(PlannerInfo *root, RelOptInfo *rel, Oid table,
			   IndexOptInfo *index)
{
	PathKey    *key = linitial(root->query_pathkeys);
	bool		ascending = compat_pathkey_rises(key);
	DistanceExpr distance;
	Expr	   *expr;
	SimilarityPlan plan;

	if (index->indpred != NIL && !index->predOK)
		return;
	expr = ordered_expression(root, rel, index, &distance);
	if (expr == NULL || ascending == distance.falls ||
		!is_readable_index(index))
		return;
	if (ascending)
	{
		if (!key->pk_nulls_first && !is_for_core(root, index, expr))
			add_path(rel, (Path *) create_walk(root, index, &distance, key));
		return;
	}

	plan.index = index->indexoid;
	plan.check_nan = true;
	plan.check_nulls = key->pk_nulls_first &&
		!is_never_null(rel, table, get_leftop((Expr *) distance.distance));
	if (!is_ruled_out(&plan))
		add_path(rel, (Path *) create_similarity_path(root, rel, index,
													  &distance, expr, &plan));
}

void
offer_similarity_paths(PlannerInfo *root, RelOptInfo *rel, Oid table)
{
	ListCell   *lc;

	if (root->query_pathkeys == NIL)
		return;
	foreach(lc, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(lc);

		if (index->amcostestimate == hnswcostestimate)
			offer_by_index(root, rel, table, index);
	}
}

static Plan *
plan_similarity(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
				List *tlist, List *clauses, List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);
	Plan	   *first = linitial(custom_plans);

	scan->scan.plan.targetlist = tlist;
	scan->flags = path->flags;
	scan->custom_plans = custom_plans;
	scan->custom_scan_tlist = copyObject(first->targetlist);
	scan->custom_private = linitial(path->custom_private);
	scan->custom_exprs = list_make1(lsecond(path->custom_private));
	scan->methods = &scan_methods;
	return &scan->scan.plan;
}

/* ---- the scan ---- */

static Node *
create_state(CustomScan *scan)
{
	SimilarityScan *so = palloc0(sizeof(SimilarityScan));

	NodeSetTag(so, T_CustomScanState);
	so->css.methods = &exec_methods;
	so->plan.index = linitial_oid(scan->custom_private);
	so->plan.check_nan = lsecond_oid(scan->custom_private) != 0;
	so->plan.check_nulls = lthird_oid(scan->custom_private) != 0;
	return (Node *) so;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	SimilarityScan *so = (SimilarityScan *) node;
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;
	ListCell   *lc;

	foreach(lc, scan->custom_plans)
		node->custom_ps = lappend(node->custom_ps,
								  ExecInitNode(lfirst(lc), estate, eflags));

	/* rows are the children's, in slots of any kind */
	node->ss.ps.scanopsfixed = false;
	node->ss.ps.scanops = NULL;
	ExecAssignScanProjectionInfoWithVarno(&node->ss, INDEX_VAR);
	so->key = ExecInitExpr(linitial(scan->custom_exprs), &node->ss.ps);
}

/*
 * Is the index right for this key, now?  Every row that our snapshot sees has
 * been noted before it was committed.
 */
static bool
is_index_right(SimilarityScan *so)
{
	Relation	index = index_open(so->plan.index, AccessShareLock);
	bool		isnull;
	Datum		key = ExecEvalExprSwitchContext(so->key,
												so->css.ss.ps.ps_ExprContext,
												&isnull);
	bool		right = !isnull;

	if (right && so->plan.check_nulls)
		right = !hnsw_may_lack_nulls(index);
	if (right && so->plan.check_nan)
		right = !hnsw_may_have_nan(index) &&
			!hnsw_query_may_be_nan(index, PG_DETOAST_DATUM(key));
	index_close(index, AccessShareLock);
	return right;
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	SimilarityScan *so = (SimilarityScan *) node;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	TupleTableSlot *slot;

	if (so->taken == NULL)
		so->taken = list_nth(node->custom_ps, is_index_right(so) ?
							 SIMILARITY_INDEX : SIMILARITY_SORT);
	slot = ExecProcNode(so->taken);
	if (TupIsNull(slot))
		return NULL;
	if (node->ss.ps.ps_ProjInfo == NULL)
		return slot;
	ResetExprContext(econtext);
	econtext->ecxt_scantuple = slot;
	return ExecProject(node->ss.ps.ps_ProjInfo);
}

static void
rescan(CustomScanState *node)
{
	SimilarityScan *so = (SimilarityScan *) node;
	ListCell   *lc;

	so->taken = NULL;
	foreach(lc, node->custom_ps)
	{
		PlanState  *child = lfirst(lc);

		if (node->ss.ps.chgParam != NULL)
			UpdateChangedParamSet(child, node->ss.ps.chgParam);
		if (child->chgParam == NULL)
			ExecReScan(child);
	}
}

static void
end_scan(CustomScanState *node)
{
	ListCell   *lc;

	foreach(lc, node->custom_ps)
		ExecEndNode(lfirst(lc));
}

static void
explain_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	SimilarityScan *so = (SimilarityScan *) node;

	if (es->analyze && so->taken != NULL)
		ExplainPropertyText("Order Taken From",
							so->taken == linitial(node->custom_ps) ?
							"index" : "sort", es);
}

void
similarity_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
}
