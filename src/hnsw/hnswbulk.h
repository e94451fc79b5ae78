/*-------------------------------------------------------------------------
 *
 * hnswbulk.h
 *	  Linking all nodes of a graph in memory at once.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswbulk.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWBULK_H
#define HNSWBULK_H

#include "hnsw/hnswcells.h"

/* What the participants share. */
typedef struct HnswBulkShared
{
	HnswCellsShared cells;

	/* nodes handed out */
	pg_atomic_uint32 next_select;
	pg_atomic_uint32 next_offer;
	pg_atomic_uint32 next_write;
} HnswBulkShared;

extern void hnsw_bulk_init(HnswBulkShared *shared);

/*
 * hnsw_bulk_link -- give every node of a graph its edges.
 *
 * The rows have been put there by hnsw_memgraph_add, and no more will come.  To be called by all
 * participants, attached to the barrier: it waits for the others, and when it
 * returns, all of them have done their part.  The entries are not chosen, and
 * nodes that no edge leads to are left to hnsw_write_graph.
 * report: called now and then with the number of nodes done, or NULL.
 *
 * Locks: LWLocks of nodes, one at a time.  Errors: out of memory.
 */
extern void hnsw_bulk_link(HnswBulkShared *shared, HnswMemGraph *mem,
						   Barrier *barrier, void (*report) (uint32 nodes));

#endif							/* HNSWBULK_H */
