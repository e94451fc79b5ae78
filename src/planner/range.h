/*-------------------------------------------------------------------------
 *
 * range.h
 *	  Conditions on a distance: WHERE e <=> q < r.
 *
 * IDENTIFICATION
 *	  src/planner/range.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef RANGE_H
#define RANGE_H

#include "postgres.h"
#include "nodes/extensible.h"
#include "nodes/pathnodes.h"
#include "planner/distanceexpr.h"

/* A condition that holds up to some distance and for no row beyond. */
typedef struct RangeClause
{
	RestrictInfo *rinfo;
	DistanceExpr expr;			/* of the distance */
	Oid			comparison;		/* float8's <, <=, > or >= */
	Node	   *limit;			/* that it is compared with; on the right */
} RangeClause;

/* Is there such a condition on the distance of this index, in the filter? */
extern bool find_range_clause(RelOptInfo *rel, IndexOptInfo *index,
							  RangeClause *out);

/*
 * offer_range_paths -- from the planner's hook, for a table that is scanned by
 * itself: estimate how many rows are within the range, where core does not
 * know, and offer a scan of all rows within it.
 */
extern void offer_range_paths(PlannerInfo *root, RelOptInfo *rel);

/*
 * correct_parent_rows -- from the hook, for a table of which the partitions, or
 * children, have been planned: add up their rows again.
 */
extern void correct_parent_rows(PlannerInfo *root, RelOptInfo *rel);

/* the scan, in rangescan.c; custom_exprs: key, limit, condition */
#define RANGE_KEY		0
#define RANGE_LIMIT		1
#define RANGE_CLAUSE	2

extern const CustomScanMethods range_scan_methods;

/* distance_expr_value(bound) compared with the limit, as float8's operator does */
extern bool range_accepts(const DistanceExpr *expr, Oid comparison,
						  double limit, double bound);

#endif							/* RANGE_H */
