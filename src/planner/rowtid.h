/*-------------------------------------------------------------------------
 *
 * rowtid.h
 *	  The TID of a row that an Index Scan has held back for its order, where
 *	  the server forgets it.
 *
 * IDENTIFICATION
 *	  src/planner/rowtid.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ROWTID_H
#define ROWTID_H

/* Put the executor hook in place if this server needs it. */
extern void row_tid_init(void);

#endif							/* ROWTID_H */
