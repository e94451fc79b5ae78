/*-------------------------------------------------------------------------
 *
 * adaptive.h
 *	  The adaptive scan: walk the graph, or change over to an exact plan.
 *
 * IDENTIFICATION
 *	  src/planner/adaptive.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ADAPTIVE_H
#define ADAPTIVE_H

#include "postgres.h"
#include "nodes/extensible.h"
#include "nodes/execnodes.h"

/* hnsw.adaptive_scan */
extern bool adaptive_scan_enabled;

/* Define the setting and install the planner hook; _PG_init. */
extern void adaptive_init(void);

/*
 * adaptive_path -- an adaptive scan in the place of an index scan that has a
 * filter; NULL if it has none, or there is to be no such scan.
 */
extern Path *adaptive_path(PlannerInfo *root, RelOptInfo *rel,
						   IndexPath *walk);

/*
 * What the plan tells the executor, in custom_private.  Prices are in hops of
 * the walk: a node read, and its edges scored.
 *
 * limit: rows that the query asks for, 0 if unknown.
 * selectivity: of the filter, as the planner sees it.
 * row_price: what a row of the walk costs beside its hops.
 * exact_price: finding all rows that pass, and sorting them.
 * has_bitmap: the exact plan is a bitmap heap scan.
 * bitmap_price: making that bitmap, and a set of it.
 * member_share: rows of the table that are in it.
 * sweep_from: members of a bitmap from which a sweep is cheaper than the heap.
 * flat_price: a sweep before its first row; swept_price: each of its rows.
 * stop_falls: the condition at which a walk stops is on a similarity.
 */
typedef struct AdaptivePlan
{
	Oid			index;
	bool		has_bitmap;
	double		limit;
	double		selectivity;
	double		row_price;
	double		exact_price;
	double		bitmap_price;
	double		member_share;
	double		sweep_from;
	double		flat_price;
	double		swept_price;
	bool		stop_falls;
} AdaptivePlan;

extern List *adaptive_plan_to_list(const AdaptivePlan *plan);
extern void adaptive_plan_from_list(List *list, AdaptivePlan *plan);

/*
 * custom_exprs: the distance of a row, the key of the search, the row's value,
 * and, if there is one, the condition that no row holds beyond the first for
 * which it fails
 */
#define ADAPTIVE_DISTANCE	0
#define ADAPTIVE_KEY		1
#define ADAPTIVE_VALUE		2
#define ADAPTIVE_STOP		3

/* custom_plans: scans of the table, without columns */
#define ADAPTIVE_WALK		0	/* core's Index Scan, without the filter */
#define ADAPTIVE_EXACT		1	/* all rows that pass the filter, unordered */

extern const CustomScanMethods adaptive_scan_methods;

#endif							/* ADAPTIVE_H */
