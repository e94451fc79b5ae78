/*-------------------------------------------------------------------------
 *
 * hnswnear.h
 *	  The nodes near a point: the bounded search of construction.
 *
 * HNSW, algorithm 2 (SEARCH-LAYER), over the abstract graph.  Unlike the
 * search of a scan (hnswsearch.h) it never goes on, so it can forget whatever
 * is too far away to matter, which most of what it meets is.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswnear.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWNEAR_H
#define HNSWNEAR_H

#include "hnsw/hnswlink.h"

typedef struct HnswNear HnswNear;

/*
 * hnsw_near_begin -- memory for searches with pool 'ef'; in the current
 * context, all at once.
 */
extern HnswNear *hnsw_near_begin(HnswGraph *graph, int ef);
extern void hnsw_near_end(HnswNear *near);

/* the most that hnsw_near_search can find */
extern int	hnsw_near_max(const HnswNear *near);

/*
 * hnsw_near_search -- the LIVE nodes near a query.
 *
 * Stops when the best estimate of a node not yet expanded exceeds the ef-th
 * best own distance, when 1.2 ef nodes have been found already, the (ef/2)-th.
 * skip: a node to leave out, or HNSW_INVALID_NODE.
 * Sets *found to the nodes expanded on the way, nearest first, own forms
 * included; it is memory of 'near', valid until the next search, and the caller
 * may change it.  Interrupts are checked.
 */
extern int	hnsw_near_search(HnswNear *near, const HnswQuery *query,
							 HnswNode skip, HnswNeighbor **found);

/*
 * The same, but n nodes are where it starts, before the entries, and the ef-th
 * counts to the end.
 */
extern int	hnsw_near_search_from(HnswNear *near, const HnswQuery *query,
								  const HnswNode *start, int n, HnswNode skip,
								  HnswNeighbor **found);

#endif							/* HNSWNEAR_H */
