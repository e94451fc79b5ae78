/*-------------------------------------------------------------------------
 *
 * hnswselect.h
 *	  Which candidates become neighbours.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswselect.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWSELECT_H
#define HNSWSELECT_H

#include "hnsw/hnswlink.h"

/*
 * A candidate nearer to a kept neighbour than 1/alpha of its distance to the
 * node is occluded.  On plain (not squared) distance.  1.05: design.md 2,
 * "which graph, which walk"; 1.2 and more was worse.
 */
#define HNSW_ALPHA			1.05f

/* is x occluded, at building distance dist of the node and 'between' of a kept neighbour? */
extern bool hnsw_occludes(const HnswSpace *space, float between, float dist);

/*
 * hnsw_select -- choose up to 'max' of n candidates, filling with the nearest
 * occluded ones (HNSW, algorithm 4, keepPrunedConnections).
 *
 * candidates: nearest first; own set.  On return the first r of them, r the
 * result, are the chosen ones, nearest first, 'occluded' set.
 */
extern int	hnsw_select(const HnswSpace *space, HnswNeighbor *candidates,
						int n, int max);

#endif							/* HNSWSELECT_H */
