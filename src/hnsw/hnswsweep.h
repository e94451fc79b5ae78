/*-------------------------------------------------------------------------
 *
 * hnswsweep.h
 *	  All rows that a scan has not returned yet, by distance: no walk.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswsweep.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWSWEEP_H
#define HNSWSWEEP_H

#include "hnsw/hnswdiskgraph.h"
#include "hnsw/hnswrows.h"

typedef struct HnswSweep HnswSweep;

/*
 * hnsw_sweep_begin -- prepare a sweep; pages are read by hnsw_sweep_next.
 *
 * query, members: outlive the sweep.
 * done: a bitmap of the 'nnodes' nodes, the sweep's from now on; those that are
 * set are left out.
 * rows: what the walk has read and not returned; they become the sweep's, with
 * their memory.
 * max_nodes: own forms to read at most; what has been read then is the rest.
 * Memory: in the current context, about max_memory.
 */
extern HnswSweep *hnsw_sweep_begin(HnswDiskGraph *graph,
								   const HnswQuery *query,
								   const HnswMembers *members,
								   uint8 *done, uint64 nnodes,
								   int64 max_nodes, Size max_memory,
								   HnswRowHeap *rows);

/*
 * hnsw_sweep_next -- the next row by its bound; false at the end.  Rows come in
 * that order as far as estimates can tell.
 */
extern bool hnsw_sweep_next(HnswSweep *sweep, HnswRow *row);

/*
 * hnsw_sweep_certain -- no row that is still to come has a lesser bound than
 * this; -infinity if nobody knows, for there are nodes that have not been read.
 */
extern double hnsw_sweep_certain(const HnswSweep *sweep);

/*
 * hnsw_sweep_restrict -- there is a set of members now, or another: the next
 * pass picks them out of what has not been read.
 */
extern void hnsw_sweep_restrict(HnswSweep *sweep);

/* What it has cost, in hops of a walk. */
extern double hnsw_sweep_cost(const HnswSweep *sweep);

#endif							/* HNSWSWEEP_H */
