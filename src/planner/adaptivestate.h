/*-------------------------------------------------------------------------
 *
 * adaptivestate.h
 *	  What the parts of a running adaptive scan share.
 *
 * adaptivescan.c is the executor's node and walks, adaptivestep.c decides when
 * something else is cheaper, adaptiveexact.c is what else there is: the exact
 * plan, and its bitmap.
 *
 * IDENTIFICATION
 *	  src/planner/adaptivestate.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ADAPTIVESTATE_H
#define ADAPTIVESTATE_H

#include "postgres.h"
#include "hnsw/hnsw.h"
#include "nodes/execnodes.h"
#include "planner/adaptive.h"
#include "planner/rowsort.h"
#include "planner/tidmembers.h"

typedef enum AdaptivePhase
{
	ADAPTIVE_HOLD,				/* walking; rows are held back */
	ADAPTIVE_HELD,				/* handing out what was held */
	ADAPTIVE_STREAM,			/* walking; rows are returned as they come */
	ADAPTIVE_SORTED,			/* handing out the exact plan's rows */
	ADAPTIVE_DONE
} AdaptivePhase;

typedef struct AdaptiveScan
{
	CustomScanState css;		/* must be first */
	AdaptivePlan plan;
	PlanState  *walk;
	PlanState  *exact;
	ExprState  *distance;		/* of the row in the expression context */
	ExprState  *key;			/* the query vector */
	ExprState  *stop;			/* no row beyond the first that fails; or NULL */
	ExprState  *value;			/* what the index has of a row */
	TupleTableSlot *row;		/* a row fetched by its TID */

	/* moves during a scan */
	AdaptivePhase phase;
	MemoryContext context;		/* held, returned, members, sort */
	ItemPointerData *held;
	int64		nheld;
	int64		maxheld;
	int64		next_held;
	struct returned_hash *returned; /* rows that have left */
	bool		walk_on;		/* there is nothing to change over to */
	bool		is_changed;		/* it has */
	double		last_distance;	/* of the last row returned */
	TidMembers *members;		/* the walk returns none but these */
	bool		no_members;		/* they would not fit into memory */
	RowSort    *sort;

	bool		is_beyond;		/* the walk has met a row that fails 'stop' */
	bool		never_stop;

	/* since the last rescan; for the decision */
	double		visited;
	double		passed;

	/* since the start; for EXPLAIN */
	double		total_hops;
	double		total_visited;
	double		total_rejected;
	double		total_changes;
	double		total_exact_rows;
	double		total_sweeps;
	double		total_member_sweeps;	/* those of a bitmap's rows */
	double		total_restricted;	/* walks */
	double		total_left_out; /* nodes that they have passed by */
	double		total_members;	/* of the bitmaps that were used */
	double		total_lossy;	/* and their pages, of which all rows count */
	double		total_read;		/* members whose heap rows were read */
} AdaptiveScan;

/* ---- adaptivescan.c ---- */

/* The walk's scan, or NULL if it has not begun. */
static inline IndexScanDesc
adaptive_walk_desc(const AdaptiveScan *so)
{
	return castNode(IndexScanState, so->walk)->iss_ScanDesc;
}

/* What the walk has cost since the last rescan. */
extern void adaptive_walk_spent(const AdaptiveScan *so, HnswScanSpent *spent);

/* Add that to the totals, before it is forgotten. */
extern void adaptive_note_spent(AdaptiveScan *so);

/*
 * The next row of a child as it is in the table, or NULL.  The children return
 * no column, for a row that is projected has no TID, and whether the executor
 * projects depends on what has become of the table's columns.
 */
extern TupleTableSlot *adaptive_child_next(PlanState *child);

/* The TID of a child's row. */
extern ItemPointer adaptive_slot_tid(TupleTableSlot *slot);

/* The distance of the row in the expression context. */
extern double adaptive_distance(AdaptiveScan *so, bool *isnull);

/* Has this row been returned? */
extern bool adaptive_has_returned(AdaptiveScan *so, TupleTableSlot *slot);

/* Read a row that the scan has seen, into so->row. */
extern TupleTableSlot *adaptive_fetch_row(AdaptiveScan *so, ItemPointer tid);

/* ---- adaptivestep.c ---- */

typedef enum AdaptiveStep
{
	ADAPTIVE_GO_ON,
	ADAPTIVE_SWEEP,				/* let the walk sweep all nodes */
	ADAPTIVE_RESTRICT,			/* make the bitmap, and walk on by it */
	ADAPTIVE_CHANGE				/* change over to the exact plan */
} AdaptiveStep;

/* What is best, before the walk is asked for another row? */
extern AdaptiveStep adaptive_next_step(const AdaptiveScan *so);

/* ---- adaptiveexact.c ---- */

/*
 * adaptive_restrict -- make the bitmap of the exact plan, and let the walk
 * return none but its rows from now on.  If it turns out small, it is the end of
 * the walk, as below; if it does not fit into work_mem, nothing comes of it.
 */
extern void adaptive_restrict(AdaptiveScan *so);

/*
 * adaptive_change_over -- from the walk to the exact plan; the phase says where
 * its rows come from.  In phase ADAPTIVE_HOLD what is held is dropped.
 */
extern void adaptive_change_over(AdaptiveScan *so);

/* The next row in phase ADAPTIVE_SORTED; at the end NULL, and the phase is DONE. */
extern TupleTableSlot *adaptive_next_sorted(AdaptiveScan *so);

/* Let go of what so->context does not hold. */
extern void adaptive_end_exact(AdaptiveScan *so);

#endif							/* ADAPTIVESTATE_H */
