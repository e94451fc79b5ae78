/*-------------------------------------------------------------------------
 *
 * hnswsearch.h
 *	  The walk: a resumable best-first search over an abstract graph.
 *
 * A search holds a pool of nodes met but not yet expanded, by estimate.  Each
 * step expands the best of them.  Several estimates of one node are averaged
 * by inverse variance.  Memory is taken in chunks from a child of the context
 * that was current at hnsw_search_begin, and goes with it; a search that is
 * ended leaves its memory to the next one.  Nothing is allocated for a single
 * hop.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswsearch.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWSEARCH_H
#define HNSWSEARCH_H

#include "hnsw/hnswgraph.h"

typedef struct HnswSearch HnswSearch;

/* Start (entries are scored at once).  query must outlive the search. */
extern HnswSearch *hnsw_search_begin(HnswGraph *graph, const HnswQuery *query);

/*
 * hnsw_search_limit -- what is met with an estimate above 'limit' will probably
 * not be wanted: it is put aside, and sorted in when a step comes to it.
 */
extern void hnsw_search_limit(HnswSearch *search, float limit);

/* The best estimate in the pool; infinity if it is empty. */
extern float hnsw_search_frontier(HnswSearch *search);

/*
 * hnsw_search_step -- expand the best node of the pool into out.
 * out->own_copy is the caller's.  Returns its number, HNSW_INVALID_NODE if the pool is
 * empty.  The node may turn out FREE.  Interrupts are checked.
 */
extern HnswNode hnsw_search_step(HnswSearch *search, HnswExpansion *out);

/* Set the bits of all nodes expanded so far; those >= nnodes are left out. */
extern void hnsw_search_mark_expanded(HnswSearch *search, uint8 *bitmap,
									  uint64 nnodes);

/* nodes expanded since the search began */
extern int64 hnsw_search_hops(const HnswSearch *search);

/* bytes in use */
extern Size hnsw_search_memory(const HnswSearch *search);

extern void hnsw_search_end(HnswSearch *search);

#endif							/* HNSWSEARCH_H */
