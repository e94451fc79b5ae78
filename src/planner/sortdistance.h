/*-------------------------------------------------------------------------
 *
 * sortdistance.h
 *	  The distance that ORDER BY puts into each row, left out where nobody
 *	  reads it.
 *
 * IDENTIFICATION
 *	  src/planner/sortdistance.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef SORTDISTANCE_H
#define SORTDISTANCE_H

/* Put the planner hook in place. */
extern void sort_distance_init(void);

#endif							/* SORTDISTANCE_H */
