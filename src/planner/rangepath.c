/*-------------------------------------------------------------------------
 *
 * rangepath.c
 *	  Conditions on a distance, as the planner sees them.
 *
 * To core e <=> q < r is a comparison of numbers of which it knows nothing: it
 * takes a third of the rows to pass, and no index to help.  Both can be mended.
 * How many rows pass is estimated from a sample of the nodes of the index, if
 * key and limit are known; if not, as few as core takes to be between two numbers
 * that it does not know.  Core has no place to tell it before it estimates the
 * size of the table, so the size is corrected here, of a partition and then of
 * its parent, before joins are looked at.  And the own forms of the nodes
 * (hnswrange.c) find every row within the range, with certainty, in less time
 * than it takes to read all vectors.
 *
 * IDENTIFICATION
 *	  src/planner/rangepath.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/restrictinfo.h"
#include "planner/range.h"
#include "planner/similarity.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/* nodes looked at for an estimate */
#define SAMPLE_NODES		100

/*
 * Operator calls that reading a node takes beside its page.  Measured, CPU: all
 * of the packages data (384 dimensions in the row) 17.6 ms, where a sequential
 * scan takes 30.9; Fashion-MNIST (784, in the TOAST table) 27 and 155.
 */
#define OPERATORS_PER_NODE	10.0

/* root of 16,000 squares that are each below float32's least normal number */
#define LOST_BELOW			2e-17

static Plan *plan_range(PlannerInfo *root, RelOptInfo *rel, CustomPath *path,
						List *tlist, List *clauses, List *custom_plans);

static const CustomPathMethods path_methods = {
	.CustomName = "VectorRangeScan",
	.PlanCustomPath = plan_range
};

/* ---- the condition ---- */

static bool
is_upper_limit(Oid comparison, bool falls)
{
	return falls ? comparison == F_FLOAT8GT || comparison == F_FLOAT8GE :
		comparison == F_FLOAT8LT || comparison == F_FLOAT8LE;
}

/* The function of "b op a" for "a op b". */
static Oid
commuted(Oid comparison)
{
	switch (comparison)
	{
		case F_FLOAT8LT:
			return F_FLOAT8GT;
		case F_FLOAT8LE:
			return F_FLOAT8GE;
		case F_FLOAT8GT:
			return F_FLOAT8LT;
		case F_FLOAT8GE:
			return F_FLOAT8LE;
		default:
			return InvalidOid;
	}
}

static bool
match_clause(IndexOptInfo *index, Node *clause, RangeClause *out)
{
	OpExpr	   *compare = (OpExpr *) clause;

	if (!IsA(clause, OpExpr) || list_length(compare->args) != 2)
		return false;
	set_opfuncid(compare);
	for (int side = 0; side < 2; side++)
	{
		Node	   *limit = list_nth(compare->args, 1 - side);

		out->comparison = side == 0 ? compare->opfuncid :
			commuted(compare->opfuncid);
		if (OidIsValid(commuted(out->comparison)) &&
			!contain_var_clause(limit) && !contain_volatile_functions(limit) &&
			match_distance(index, list_nth(compare->args, side), &out->expr) &&
			is_upper_limit(out->comparison, out->expr.falls))
		{
			out->limit = limit;
			return true;
		}
	}
	return false;
}

bool
find_range_clause(RelOptInfo *rel, IndexOptInfo *index, RangeClause *out)
{
	ListCell   *lc;

	if (index->indpred != NIL && !index->predOK)
		return false;
	foreach(lc, rel->baserestrictinfo)
	{
		out->rinfo = lfirst(lc);
		if (!out->rinfo->pseudoconstant &&
			match_clause(index, (Node *) out->rinfo->clause, out))
			return true;
	}
	return false;
}

bool
range_accepts(const DistanceExpr *expr, Oid comparison, double limit,
			  double bound)
{
	double		value;

	/*
	 * The operator's sums lose what is below float32, the index' may not; and
	 * a bound may promise less than that a distance is not negative.
	 */
	bound -= LOST_BELOW;
	if (!expr->can_be_negative)
		bound = Max(bound, 0);
	if (isinf(bound) && bound < 0)
		return true;
	value = distance_expr_value(expr, bound);
	switch (comparison)
	{
		case F_FLOAT8LT:
			return float8_lt(value, limit);
		case F_FLOAT8LE:
			return float8_le(value, limit);
		case F_FLOAT8GT:
			return float8_gt(value, limit);
		default:
			return float8_ge(value, limit);
	}
}

/* ---- how many rows ---- */

typedef struct SampleContext
{
	const RangeClause *clause;
	double		limit;
} SampleContext;

static bool
is_within(void *arg, double bound)
{
	SampleContext *context = arg;

	return range_accepts(&context->clause->expr, context->clause->comparison,
						 context->limit, bound);
}

/*
 * The share of the index that is within the range; false if the query's vector
 * does not fit the index.  In a generic plan nobody knows: whoever asks for rows
 * within a distance wants a few.
 */
static bool
estimate_share(PlannerInfo *root, IndexOptInfo *info,
			   const RangeClause *clause, double *share)
{
	Node	   *key = estimate_expression_value(root,
												get_rightop((Expr *) clause->expr.distance));
	Node	   *limit = estimate_expression_value(root, clause->limit);
	SampleContext context = {clause, 0};
	MemoryContext memory;
	MemoryContext old;
	Relation	index;

	*share = DEFAULT_RANGE_INEQ_SEL;
	if (!IsA(key, Const) || !IsA(limit, Const))
		return true;
	if (((Const *) key)->constisnull || ((Const *) limit)->constisnull)
		return false;
	context.limit = DatumGetFloat8(((Const *) limit)->constvalue);
	memory = AllocSetContextCreate(CurrentMemoryContext,
								   "vector range estimate",
								   ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(memory);
	index = index_open(info->indexoid, NoLock);
	*share = hnsw_range_share(index,
							  PG_DETOAST_DATUM(((Const *) key)->constvalue),
							  is_within, &context, SAMPLE_NODES);
	index_close(index, NoLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(memory);
	return *share > 0;
}

/*
 * The nearest few are found in the time that an estimate takes, and it would
 * not change how.
 */
static bool
is_worth_estimating(PlannerInfo *root, RelOptInfo *rel, IndexOptInfo *info)
{
	return root->limit_tuples <= 0 || !is_ordered_by_index(root, rel, info);
}

static void
scale_rows(List *paths, double factor)
{
	ListCell   *lc;

	foreach(lc, paths)
	{
		Path	   *path = lfirst(lc);

		if (path->param_info == NULL)
			path->rows = clamp_row_est(path->rows * factor);
	}
}

/* Put a new selectivity of the condition in the place of core's. */
static void
correct_rows(PlannerInfo *root, RelOptInfo *rel, const RangeClause *clause,
			 double share)
{
	double		before = clause_selectivity(root, (Node *) clause->rinfo, 0,
											JOIN_INNER, NULL);

	if (before <= 0)
		return;
	rel->rows = clamp_row_est(rel->rows * share / before);
	scale_rows(rel->pathlist, share / before);
	scale_rows(rel->partial_pathlist, share / before);
	clause->rinfo->norm_selec = share;
}

void
correct_parent_rows(PlannerInfo *root, RelOptInfo *rel)
{
	double		rows = 0;
	ListCell   *lc;

	foreach(lc, root->append_rel_list)
	{
		AppendRelInfo *info = lfirst(lc);
		RelOptInfo *child = info->parent_relid != rel->relid ? NULL :
			root->simple_rel_array[info->child_relid];

		if (child != NULL && !IS_DUMMY_REL(child))
			rows += child->rows;
	}
	rel->rows = clamp_row_est(rows);
}

/* ---- the path ---- */

/*
 * Every node is read once, in the order of the pages; each row within the range
 * is fetched from the table, and all of the filter evaluated.
 */
static void
cost_range(PlannerInfo *root, RelOptInfo *rel, const IndexOptInfo *info,
		   double rows_fetched, Path *path)
{
	double		page_cost;
	double		random_cost;
	double		pages = index_pages_fetched(rows_fetched, rel->pages,
											info->pages, root);

	get_tablespace_page_costs(info->reltablespace, NULL, &page_cost);
	get_tablespace_page_costs(rel->reltablespace, &random_cost, NULL);
	path->rows = rel->rows;
	path->startup_cost = rel->baserestrictcost.startup +
		rel->reltarget->cost.startup;
	path->total_cost = path->startup_cost + info->pages * page_cost +
		info->tuples * (cpu_index_tuple_cost +
						OPERATORS_PER_NODE * cpu_operator_cost) +
		pages * random_cost + rows_fetched *
		(cpu_tuple_cost + rel->baserestrictcost.per_tuple) +
		path->rows * rel->reltarget->cost.per_tuple;
	if (!enable_indexscan)
		path->total_cost += compat_disable_cost(path);
}

static Path *
create_range_path(PlannerInfo *root, RelOptInfo *rel, IndexOptInfo *info,
				  const RangeClause *clause)
{
	CustomPath *path = makeNode(CustomPath);
	double		share = clause_selectivity(root, (Node *) clause->rinfo, 0,
										   JOIN_INNER, NULL);

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->flags = COMPAT_CUSTOMPATH_PROJECTION;
	path->methods = &path_methods;
	path->custom_private =
		list_make2(list_make3(makeInteger((int) info->indexoid),
							  makeInteger((int) clause->comparison),
							  distance_expr_to_list(&clause->expr)),
				   list_make3(copyObject(get_rightop((Expr *) clause->expr.distance)),
							  copyObject(clause->limit),
							  copyObject(clause->rinfo->clause)));
	cost_range(root, rel, info, share * info->tuples, &path->path);
	return &path->path;
}

void
offer_range_paths(PlannerInfo *root, RelOptInfo *rel)
{
	bool		corrected = false;
	ListCell   *lc;

	foreach(lc, rel->indexlist)
	{
		IndexOptInfo *info = lfirst(lc);
		RangeClause clause;
		double		share;

		if (!find_range_clause(rel, info, &clause) ||
			!is_readable_index(info))
			continue;
		if (!corrected && is_worth_estimating(root, rel, info) &&
			estimate_share(root, info, &clause, &share))
		{
			correct_rows(root, rel, &clause, share);
			corrected = true;
		}
		add_path(rel, create_range_path(root, rel, info, &clause));
	}
}

static Plan *
plan_range(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist,
		   List *clauses, List *custom_plans)
{
	CustomScan *scan = makeNode(CustomScan);

	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = extract_actual_clauses(clauses, false);
	scan->scan.scanrelid = rel->relid;
	scan->flags = path->flags;
	scan->custom_exprs = lsecond(path->custom_private);
	scan->custom_private = linitial(path->custom_private);
	scan->methods = &range_scan_methods;
	return &scan->scan.plan;
}
