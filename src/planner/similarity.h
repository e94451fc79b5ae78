/*-------------------------------------------------------------------------
 *
 * similarity.h
 *	  Orders of a similarity, by an index over the distance.
 *
 * IDENTIFICATION
 *	  src/planner/similarity.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef SIMILARITY_H
#define SIMILARITY_H

#include "postgres.h"
#include "nodes/pathnodes.h"

/* Make the scan known to the executor; _PG_init. */
extern void similarity_init(void);

/*
 * offer_similarity_paths -- from the planner's hook, for a table that is
 * scanned by itself: paths that deliver the query's order by one of our
 * indexes where core does not see that they do.
 */
extern void offer_similarity_paths(PlannerInfo *root, RelOptInfo *rel,
								   Oid table);

/* Does the query begin its order with what this index delivers? */
extern bool is_ordered_by_index(PlannerInfo *root, RelOptInfo *rel,
								IndexOptInfo *index);

#endif							/* SIMILARITY_H */
