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

/*
 * Candidates are looked at so many at a time: all that are kept before them
 * are measured against them at once.  More would be measured for nothing where
 * the list is full before their turn.  Chosen, not measured.
 */
#define BLOCK			32

/*
 * Of the candidates numbered in open[n], leave those that a kept one does not
 * occlude, in the same order, and mark the others.  Returns how many are left.
 */
static int
drop_occluded(const HnswSpace *space, HnswNeighbor *candidates, int kept,
			  int *open, int n)
{
	const uint8 *own[KERNEL_ROWS];
	float		between[KERNEL_ROWS];
	int			nleft = 0;

	for (int first = 0; first < n; first += KERNEL_ROWS)
	{
		int			nrows = Min(n - first, KERNEL_ROWS);

		for (int r = 0; r < nrows; r++)
			own[r] = candidates[open[first + r]].own;
		hnsw_space_between_some(space, candidates[kept].own, own, nrows,
								between);
		for (int r = 0; r < nrows; r++)
		{
			HnswNeighbor *candidate = &candidates[open[first + r]];

			candidate->occluded = hnsw_occludes(space, between[r],
												candidate->dist);
			if (!candidate->occluded)
				open[nleft++] = open[first + r];
		}
	}
	return nleft;
}

/*
 * Mark the candidates that are nearer to a kept one before them than to the node,
 * until 'max' are kept: kept[max].  Returns how many are, and in *nseen how
 * many candidates it took.
 */
static int
mark_occluded(const HnswSpace *space, HnswNeighbor *candidates, int n,
			  int *kept, int max, int *nseen)
{
	int			nkept = 0;
	int			open[BLOCK];

	for (*nseen = 0; *nseen < n && nkept < max;)
	{
		int			nopen = Min(n - *nseen, BLOCK);

		for (int i = 0; i < nopen; i++)
		{
			open[i] = (*nseen)++;
			candidates[open[i]].occluded = false;
		}
		for (int k = 0; k < nkept && nopen > 0; k++)
			nopen = drop_occluded(space, candidates, kept[k], open, nopen);
		while (nopen > 0 && nkept < max)
		{
			kept[nkept++] = open[0];
			memmove(open, open + 1, sizeof(int) * --nopen);
			if (nkept < max)
				nopen = drop_occluded(space, candidates, kept[nkept - 1],
									  open, nopen);
		}
	}
	if (nkept == max)
		*nseen = kept[max - 1] + 1;
	return nkept;
}

int
hnsw_select(const HnswSpace *space, HnswNeighbor *candidates, int n, int max)
{
	int			kept[HNSW_MAX_EDGES];
	int			nseen;
	int			nfill;
	int			nchosen = 0;

	Assert(max > 0 && max <= HNSW_MAX_EDGES);
	nfill = Min(max, n) - mark_occluded(space, candidates, n, kept, max,
										&nseen);
	for (int i = 0; i < nseen; i++)
	{
		if (candidates[i].occluded && nfill-- <= 0)
			continue;
		candidates[nchosen++] = candidates[i];
	}
	return nchosen;
}
