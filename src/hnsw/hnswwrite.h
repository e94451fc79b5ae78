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

/*
 * hnsw_write_graph -- all pages of a graph, behind those that hnsw_write_empty
 * wrote.
 *
 * First chooses the entries anew, links what no search could reach from them,
 * and numbers the nodes so that near ones share a page.  Nobody else may use
 * the graph, and it is useless afterwards.  Reports phases and progress.
 * Errors: PROGRAM_LIMIT_EXCEEDED if there are too many pages.
 */
extern void hnsw_write_graph(HnswIndex *index, HnswMemGraph *mem);

/*
 * hnsw_write_batch -- the nodes of a further batch of a build, behind those that
 * are on pages.  Nodes whose rows go elsewhere stay FREE.  Adds the entries that
 * the index lacks.  For one process alone.
 * Errors: as hnsw_index_append.
 */
extern void hnsw_write_batch(HnswIndex *index, HnswMemGraph *mem);

#endif							/* HNSWWRITE_H */
