/*-------------------------------------------------------------------------
 *
 * distanceexpr.h
 *	  Expressions that an index over a distance can order: 1 - (e <=> q).
 *
 * IDENTIFICATION
 *	  src/planner/distanceexpr.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISTANCEEXPR_H
#define DISTANCEEXPR_H

#include "postgres.h"
#include "nodes/pathnodes.h"

/* one step: number + x, x + number, - x, ... */
typedef struct DistanceStep
{
	Oid			function;		/* of float8: +, -, *, /, unary minus */
	bool		on_left;		/* the number is */
	double		number;			/* finite */
} DistanceStep;

#define MAX_DISTANCE_STEPS	8

/*
 * An expression of type float8 that rises or falls with a distance: each step
 * of its computation does, rounding included.  So rows of equal distance have
 * equal values, though rounding can make unequal ones equal; NaN goes with NaN
 * and NULL with NULL.
 */
typedef struct DistanceExpr
{
	OpExpr	   *distance;		/* indexed column, operator, key */
	Oid			sortfamily;		/* by which the index orders the distance */
	bool		falls;
	bool		can_be_negative;	/* the distance: inner product */
	int			nsteps;
	DistanceStep step[MAX_DISTANCE_STEPS];	/* from the distance outwards */
} DistanceExpr;

/*
 * match_distance -- is 'expr' such an expression over the distance by which
 * this index (hnsw or ivfflat) orders its rows?
 *
 * The distance may be written with the operator, in either order of its
 * operands, or by the name of the function behind it.  The key has no column
 * of the query and is not volatile.
 */
extern bool match_distance(IndexOptInfo *index, Node *expr,
						   DistanceExpr *out);

/*
 * is_readable_index -- does the index exist, and in our format?  Queries that
 * pgvector answers without its index must not fail for the index' sake.
 */
extern bool is_readable_index(const IndexOptInfo *index);

/* distance_expr_value -- the expression for a given distance, by the same steps. */
extern double distance_expr_value(const DistanceExpr *expr, double distance);

/*
 * distance_expr_to_list -- what distance_expr_value needs, as nodes that can
 * be copied; distance_expr_from_list gives it back.
 */
extern List *distance_expr_to_list(const DistanceExpr *expr);
extern void distance_expr_from_list(List *list, DistanceExpr *expr);

#endif							/* DISTANCEEXPR_H */
