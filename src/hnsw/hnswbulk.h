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
#include "hnsw/hnswgrow.h"

/* What the participants share. */
typedef struct HnswBulkShared
{
	HnswCellsShared cells;

	/* nodes handed out */
	pg_atomic_uint32 next_select;
	pg_atomic_uint32 next_offer;
	pg_atomic_uint32 next_write;
	pg_atomic_uint32 next_product;
	pg_atomic_uint32 next_back;
} HnswBulkShared;

/* Before the first batch, and for one process between two. */
extern void hnsw_bulk_init(HnswBulkShared *shared);

typedef struct HnswBulk HnswBulk;

/*
 * hnsw_bulk_begin, hnsw_bulk_end -- take part in linking a batch: the rows that
 * hnsw_memgraph_add has put into a graph in memory.  All participants, attached
 * to the barrier, call each of these functions: they wait for the others, and
 * when they return, all have done their part.  Memory: the current context.
 *
 * grower: for the graph on pages, NULL if there is none yet.
 */
extern HnswBulk *hnsw_bulk_begin(HnswBulkShared *shared, HnswMemGraph *mem,
								 HnswGrower *grower, Barrier *barrier);
extern void hnsw_bulk_end(HnswBulk *bulk);

/*
 * hnsw_bulk_link -- give every node its edges, to nodes in memory and on pages.
 *
 * No more rows will come.  The entries are not chosen, and nodes that no edge
 * leads to are left to hnsw_write_begin.  Nodes on pages do not change.
 * report: called now and then with the number of nodes done, or NULL.
 *
 * Locks: LWLocks of nodes, share locks of pages, one at a time.  Errors: out of
 * memory.
 */
extern void hnsw_bulk_link(HnswBulk *bulk, void (*report) (uint32 nodes));

/*
 * hnsw_bulk_link_back -- the other direction, when hnsw_write_batch has written
 * the nodes: edges from those that were on pages before.
 *
 * Locks, errors: as hnsw_grow_encoded.
 */
extern void hnsw_bulk_link_back(HnswBulk *bulk);

#endif							/* HNSWBULK_H */
