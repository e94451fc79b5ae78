/*-------------------------------------------------------------------------
 *
 * sortdistance.c
 *	  The distance that ORDER BY puts into each row, left out where nobody
 *	  reads it.
 *
 * SELECT id ... ORDER BY v <-> $1 LIMIT 10 has a second column, v <-> $1, for a
 * Sort to read; the executor throws it away at the end.  A scan that returns
 * its rows in order needs no Sort, but computes the column all the same: once
 * more for each row, after the scan has computed it to put the rows in order.
 * With vectors out of line that is another look into the TOAST table.
 *
 * So where one of our scans gives the order, the column becomes a NULL, as
 * core's remove_unused_subquery_outputs() does it to columns of a subquery
 * that nobody reads.
 *
 * IDENTIFICATION
 *	  src/planner/sortdistance.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnsw.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planner.h"
#include "optimizer/tlist.h"
#include "planner/sortdistance.h"

static create_upper_paths_hook_type previous_hook;

/*
 * The scan below a path, if that only projects the rows of one of our indexes
 * that come in the order of a distance; else NULL.  Such a path is the whole
 * query but for LIMIT and row locks: whatever else could read the column would
 * be a path of its own on top of it.
 */
static const IndexPath *
ordered_scan(const ProjectionPath *path)
{
	const IndexPath *scan;

	if (!IsA(path, ProjectionPath) || !IsA(path->subpath, IndexPath))
		return NULL;
	scan = (const IndexPath *) path->subpath;
	return list_length(scan->indexorderbys) == 1 &&
		scan->indexinfo->amcostestimate == hnswcostestimate ? scan : NULL;
}

/*
 * The path's target with NULL for each column that is only there to sort by and
 * is the distance 'order'; NULL if there is no such column, or if the target is
 * not the query's own list.
 */
static PathTarget *
target_without(PlannerInfo *root, const Path *path, const Expr *order)
{
	PathTarget *target = copy_pathtarget(path->pathtarget);
	bool		found = false;
	ListCell   *column;
	ListCell   *entry;

	if (list_length(target->exprs) != list_length(root->processed_tlist))
		return NULL;
	forboth(column, target->exprs, entry, root->processed_tlist)
	{
		const TargetEntry *tle = lfirst_node(TargetEntry, entry);
		Node	   *expr = lfirst(column);

		if (!equal(expr, tle->expr))
			return NULL;
		if (tle->resjunk && equal(expr, order))
		{
			lfirst(column) = makeNullConst(exprType(expr), exprTypmod(expr),
										   exprCollation(expr));
			found = true;
		}
	}
	return found ? target : NULL;
}

/* create_upper_paths_hook */
static void
leave_out_distances(PlannerInfo *root, UpperRelationKind stage,
					RelOptInfo *input_rel, RelOptInfo *output_rel, void *extra)
{
	ListCell   *lc;

	if (previous_hook != NULL)
		previous_hook(root, stage, input_rel, output_rel, extra);

	/* WITH TIES reads the column to see what is equal */
	if (stage != UPPERREL_ORDERED ||
		root->parse->limitOption == LIMIT_OPTION_WITH_TIES)
		return;

	foreach(lc, output_rel->pathlist)
	{
		ProjectionPath *path = lfirst(lc);
		ProjectionPath *copy;
		const IndexPath *scan = ordered_scan(path);
		PathTarget *target;

		if (scan == NULL)
			continue;
		target = target_without(root, &path->path,
								linitial(scan->indexorderbys));
		if (target == NULL)
			continue;

		/* the path may be part of others */
		copy = makeNode(ProjectionPath);
		memcpy(copy, path, sizeof(ProjectionPath));
		copy->path.pathtarget = target;
		lfirst(lc) = copy;
	}
}

void
sort_distance_init(void)
{
	previous_hook = create_upper_paths_hook;
	create_upper_paths_hook = leave_out_distances;
}
