/*-------------------------------------------------------------------------
 *
 * hnswwrite.h
 *	  Writing the graph of a build from memory to pages.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswwrite.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWWRITE_H
#define HNSWWRITE_H

#include "hnsw/hnswmemgraph.h"
#include "hnsw/hnswmeta.h"

/*
 * hnsw_write_empty -- the pages of an index without nodes: metapage and mean.
 */
extern void hnsw_write_empty(Relation index, ForkNumber fork,
							 const HnswSpace *space, int ef_construction);

/* What the participants share while they write a graph. */
typedef struct HnswWriteShared
{
	/* handles of memory (HnswMemSource) */
	uint64		order;			/* numbers in memory, by number on pages */
	uint64		number;			/* the other way round */

	BlockNumber logged_from;	/* blocks from here on are in the WAL, if valid */

	/* pages handed out */
	pg_atomic_uint32 next_flat;
	pg_atomic_uint32 next_node;
} HnswWriteShared;

/*
 * hnsw_write_begin, hnsw_write_pages, hnsw_write_end -- all pages of a graph,
 * behind those that hnsw_write_empty wrote.
 *
 * In this order, with a barrier between them.  hnsw_write_begin is for one
 * process: it chooses the entries anew, links what no search could reach from
 * them, and numbers the nodes so that near ones share a page.  hnsw_write_pages is
 * for all participants, hnsw_write_end for one again.  Nobody else may use the graph,
 * and it is useless afterwards.  Report phases and progress.
 *
 * log: no page but the metapage will change any more before the build has ended,
 * so log what all write, as hnsw_store_log does.
 *
 * Errors: out of memory; PROGRAM_LIMIT_EXCEEDED if there are too many pages.
 */
extern void hnsw_write_begin(HnswWriteShared *shared, HnswIndex *index,
							 HnswMemGraph *mem, bool log);
extern void hnsw_write_pages(HnswWriteShared *shared, HnswIndex *index,
							 HnswMemGraph *mem);
extern void hnsw_write_end(HnswWriteShared *shared, HnswIndex *index,
						   HnswMemGraph *mem);

/*
 * hnsw_write_batch -- the nodes of a further batch of a build, behind those that
 * are on pages.  Nodes whose rows go elsewhere stay FREE.  Adds the entries that
 * the index lacks.  For one process alone.
 * Errors: as hnsw_index_append.
 */
extern void hnsw_write_batch(HnswIndex *index, HnswMemGraph *mem);

#endif							/* HNSWWRITE_H */
