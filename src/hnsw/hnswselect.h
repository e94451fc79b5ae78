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
 * hnsw_select -- choose up to 'max' of n candidates, filling with the nearest
 * occluded ones (HNSW, algorithm 4, keepPrunedConnections).
 *
 * candidates: nearest first; own set.  On return the first r of them, r the
 * result, are the chosen ones, nearest first, 'occluded' set.
 */
extern int	hnsw_select(const HnswSpace *space, HnswNeighbor *candidates,
						int n, int max);

/*
 * hnsw_select_products -- choose up to 'max' of n candidates for product links:
 * those with the largest inner products with the node, but none that has a larger
 * one with another chosen before it, which leads there, unless that leaves fewer
 * than half of them.  candidates: largest product first; dist the negative
 * product.  Returns how many, the first ones.
 */
extern int	hnsw_select_products(const HnswSpace *space,
								 HnswNeighbor *candidates, int n, int max);

#endif							/* HNSWSELECT_H */
