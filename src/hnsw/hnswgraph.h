/*-------------------------------------------------------------------------
 *
 * hnswgraph.h
 *	  The abstract graph: what the search may know of a graph.
 *
 * A node is a dense number.  Every operation copies its answer out, so none
 * leaves a pin, a lock or a pointer into storage behind (README, L1).  One
 * expansion is one node read, and yields the neighbours' numbers and their
 * estimated distances together.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswgraph.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWGRAPH_H
#define HNSWGRAPH_H

#include "hnsw/hnswspace.h"

/* nodes met by a search; first member of what a search keeps about them */
typedef struct HnswSeen HnswSeen;

struct HnswSeen
{
	bool		(*has) (const HnswSeen *seen, HnswNode node);
};

static inline bool
hnsw_seen_has(const HnswSeen *seen, HnswNode node)
{
	return seen->has(seen, node);
}

typedef struct HnswExpansion
{
	/* the node itself, from its own form */
	HnswState	state;			/* LIVE or EMPTY, else nothing below is valid */
	uint32		version;		/* changes when the slot is reused */
	HnswMeasure own;
	uint32		ntids;			/* all heap TIDs */
	int			nhere;			/* those in tids[] */
	ItemPointerData tids[HNSW_INLINE_TIDS];
	HnswNode	next;			/* TIDS slot with more */

	/* if not NULL, set by the caller: the own form is copied there */
	uint8	   *own_copy;

	/* its neighbours; a graph without codes leaves out those seen */
	int			nedges;
	HnswNode	edge[HNSW_MAX_EDGES];
	float		est[HNSW_MAX_EDGES];	/* est[i] belongs to edge[i]; "dist" */
	float		var[HNSW_MAX_EDGES];	/* up to a common factor; 0: exact */
} HnswExpansion;

typedef struct HnswGraph HnswGraph;

typedef struct HnswGraphOps
{
	/*
	 * Where a search starts: at most 'max' nodes, best first, with estimates.
	 * Returns how many; 0 if no entry exists.  May name nodes that are gone.
	 */
	int			(*entries) (HnswGraph *graph, const HnswQuery *query, int max,
							HnswNode *node, float *est, float *var);

	/*
	 * Read one node once: its own distance and state, and its neighbours with
	 * their estimates.  Allocates nothing.  A slot that is free or makes no
	 * sense gives FREE, no edges.
	 */
	void		(*expand) (HnswGraph *graph, const HnswQuery *query,
						   HnswNode node, const HnswSeen *seen,
						   HnswExpansion *out);

	/* This will probably be expanded soon.  A hint; may do nothing. */
	void		(*expect) (HnswGraph *graph, HnswNode node);
} HnswGraphOps;

/* first member of every graph */
struct HnswGraph
{
	const HnswGraphOps *ops;
	const HnswSpace *space;
};

#endif							/* HNSWGRAPH_H */
