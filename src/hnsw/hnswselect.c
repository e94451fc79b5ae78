/*-------------------------------------------------------------------------
 *
 * hnswselect.c
 *	  Which candidates become neighbours.
 *
 * HNSW, algorithm 4 (SELECT-NEIGHBORS-HEURISTIC) with keepPrunedConnections
 * always on: one more neighbour costs almost nothing when its code is in the
 * page, and what only fills the list is marked as occluded and goes first.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswselect.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnswselect.h"

/* Is candidate c nearer to one of the kept ones before it than to the node? */
static bool
is_occluded(const HnswSpace *space, const HnswNeighbor *candidates, int c)
{
	for (int i = 0; i < c; i++)
	{
		if (!candidates[i].occluded &&
			hnsw_occludes(space,
						  hnsw_space_between(space, candidates[i].own,
											 candidates[c].own),
						  candidates[c].dist))
			return true;
	}
	return false;
}

int
hnsw_select(const HnswSpace *space, HnswNeighbor *candidates, int n, int max)
{
	int			nkept = 0;
	int			nseen;
	int			nfill;
	int			nchosen = 0;

	for (nseen = 0; nseen < n && nkept < max; nseen++)
	{
		candidates[nseen].occluded = is_occluded(space, candidates, nseen);
		if (!candidates[nseen].occluded)
			nkept++;
	}

	nfill = Min(max, n) - nkept;
	for (int i = 0; i < nseen; i++)
	{
		if (candidates[i].occluded && nfill-- <= 0)
			continue;
		candidates[nchosen++] = candidates[i];
	}
	return nchosen;
}
