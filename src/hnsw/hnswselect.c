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
 * Candidates are looked at in blocks: all that are kept before a block are
 * measured against it at once.  More of them would be measured for nothing
 * where the list is full before their turn.
 */
#define BLOCK			KERNEL_FORMS

/* Candidates that nothing occludes so far, nearest first. */
typedef struct Open
{
	KernelForms forms;
	int			at[BLOCK];		/* their numbers */
	float		dist[BLOCK];
} Open;

/* Open a block of n candidates. */
static void
open_block(const HnswSpace *space, Open *open, HnswNeighbor *candidates,
		   int first, int n)
{
	open->forms.n = n;
	for (int i = 0; i < n; i++)
	{
		HnswNeighbor *candidate = &candidates[first + i];

		candidate->occluded = true; /* unless it is kept */
		hnsw_space_form(space, &open->forms, i, candidate->own);
		open->at[i] = first + i;
		open->dist[i] = candidate->dist;
	}
}

/* Leave those from number 'first' on that a kept neighbour does not occlude. */
static void
drop_occluded(const HnswSpace *space, Open *open, int first,
			  const HnswNeighbor *kept)
{
	KernelForms *forms = &open->forms;
	float		between[BLOCK];
	int			nleft = 0;

	hnsw_space_between_forms(space, kept->own, forms, between);
	for (int i = first; i < forms->n; i++)
	{
		bool		occluded = hnsw_occludes(space, between[i], open->dist[i]);

		/* without a branch: nobody could foretell it */
		forms->x[nleft] = forms->x[i];
		forms->scale[nleft] = forms->scale[i];
		forms->norm2[nleft] = forms->norm2[i];
		open->at[nleft] = open->at[i];
		open->dist[nleft] = open->dist[i];
		nleft += !occluded;
	}
	forms->n = nleft;
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
	Open		open;
	int			nkept = 0;

	for (int first = 0; first < n && nkept < max; first += BLOCK)
	{
		*nseen = Min(first + BLOCK, n);
		open_block(space, &open, candidates, first, *nseen - first);
		for (int k = 0; k < nkept && open.forms.n > 0; k++)
			drop_occluded(space, &open, 0, &candidates[kept[k]]);
		while (open.forms.n > 0 && nkept < max)
		{
			int			next = open.at[0];

			candidates[next].occluded = false;
			kept[nkept++] = next;
			drop_occluded(space, &open, 1, &candidates[next]);
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
	int			nseen = 0;
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

int
hnsw_select_products(const HnswSpace *space, HnswNeighbor *candidates, int n,
					 int max)
{
	int			fill = Min(max, n);
	int			nkept = 0;
	int			nseen;
	int			nchosen = 0;

	for (nseen = 0; nseen < n && nkept < max; nseen++)
	{
		HnswNeighbor *new = &candidates[nseen];

		new->occluded = false;
		for (int i = 0; i < nseen && !new->occluded; i++)
			new->occluded = !candidates[i].occluded &&
				hnsw_space_product(space, candidates[i].own,
								   new->own) > -new->dist;
		nkept += !new->occluded;
	}

	fill -= nkept;
	for (int i = 0; i < nseen; i++)
	{
		if (candidates[i].occluded && fill-- <= 0)
			continue;
		candidates[nchosen++] = candidates[i];
	}
	return nchosen;
}
