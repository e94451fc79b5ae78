/*-------------------------------------------------------------------------
 *
 * hnswnear.c
 *	  The nodes near a point: the bounded search of construction.
 *
 * The pool holds the nodes met but not yet expanded, ascending by estimate, and
 * never more than may still be expanded: a search expands at most POOL_FACTOR
 * times the ef nodes it is asked for.  What is farther is dropped, and not even
 * remembered as seen; in a coded graph that is most of the nodes met.  Estimates
 * of a node met again are not averaged, unlike in the search of a scan: with
 * so many nodes expanded, no difference in the graph was found.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswnear.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "hnsw/hnswnear.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * Nodes expanded at most, as a multiple of ef.  At 2, graphs were no better and
 * cost 8 % more (62,682 rows of 384 dimensions).
 */
#define POOL_FACTOR			1.5

/*
 * Nodes, as a multiple of ef, after which a search goes on only for one that may
 * be among the nearest half of ef.  Where estimates say little, as in random
 * data, it does, and expands as many as it may; otherwise it would expand some
 * 1.4 ef, and the last of them are no neighbours (README, "Things tried").
 */
#define ENOUGH_FACTOR		1.2

/* entries that a search starts from: their codes are coarse */
#define MAX_ENTRIES			16

/*
 * An ascending list: two arrays, so that the place of a distance is found by
 * comparing many at a time.  Behind the last item there are only distances that
 * are not less, as far as BLOCK of them.
 */
typedef struct NearList
{
	float	   *dist;			/* estimates; own distances */
	uint32	   *what;			/* nodes; numbers of candidates */
} NearList;

#define BLOCK				16

/* the smallest table of seen nodes; it grows, and is not kept if it grew far */
#define MIN_SEEN			1024
#define LARGE_SEEN			(64 * MIN_SEEN)

/* Nodes that are or were in the pool: open addressing, linear probing. */
typedef struct NearSeen
{
	HnswSeen	seen;			/* must be first */
	HnswNode   *slot;			/* HNSW_INVALID_NODE: unused */
	uint32		size;			/* a power of two */
	uint32		n;
} NearSeen;

struct HnswNear
{
	/* set once */
	HnswGraph  *graph;
	MemoryContext context;
	int			ef;
	int			max;			/* most candidates */

	/* the search at hand */
	const HnswQuery *query;
	int			enough;			/* candidates: now only the nearest count */
	NearSeen	seen;
	NearList	pool;			/* nodes to expand; room for 2 * max */
	int			first;			/* items before this one have been taken */
	int			end;
	NearList	best;			/* candidates, nearest first */
	HnswNeighbor *candidates;	/* in the order of expansion */
	int			ncandidates;
	uint8	   *owns;			/* their own forms */
	HnswNeighbor *found;		/* candidates, nearest first */
	HnswExpansion expansion;
};

/* ---- nodes seen ---- */

static inline uint32
seen_start(const NearSeen *seen, HnswNode node)
{
	return (node * 0x9E3779B1u >> 8) & (seen->size - 1);
}

static bool
near_has(const HnswSeen *base, HnswNode node)
{
	const NearSeen *seen = (const NearSeen *) base;
	uint32		i = seen_start(seen, node);

	while (seen->slot[i] != node && seen->slot[i] != HNSW_INVALID_NODE)
		i = (i + 1) & (seen->size - 1);
	return seen->slot[i] == node;
}

static void
seen_resize(HnswNear *near, uint32 size)
{
	NearSeen   *seen = &near->seen;

	if (seen->slot != NULL)
		pfree(seen->slot);
	seen->slot = MemoryContextAllocHuge(near->context,
										sizeof(HnswNode) * (Size) size);
	seen->size = size;
}

static void
seen_clear(HnswNear *near)
{
	if (near->seen.size > LARGE_SEEN)
		seen_resize(near, MIN_SEEN);
	memset(near->seen.slot, 0xFF, sizeof(HnswNode) * near->seen.size);
	near->seen.n = 0;
}

/* Returns false if the node was there before. */
static inline bool
seen_add(HnswNear *near, HnswNode node)
{
	NearSeen   *seen = &near->seen;
	uint32		i = seen_start(seen, node);

	while (seen->slot[i] != HNSW_INVALID_NODE)
	{
		if (seen->slot[i] == node)
			return false;
		i = (i + 1) & (seen->size - 1);
	}
	seen->slot[i] = node;
	seen->n++;
	return true;
}

/* Make room for n more nodes. */
static void
seen_reserve(HnswNear *near, int n)
{
	NearSeen   *seen = &near->seen;
	HnswNode   *old = seen->slot;
	uint32		old_size = seen->size;

	if ((seen->n + n) * 2 <= seen->size)
		return;
	seen->slot = NULL;
	seen_resize(near, old_size * 2);
	memset(seen->slot, 0xFF, sizeof(HnswNode) * seen->size);
	seen->n = 0;
	for (uint32 i = 0; i < old_size; i++)
	{
		if (old[i] != HNSW_INVALID_NODE)
			seen_add(near, old[i]);
	}
	pfree(old);
}

/* ---- the pool ---- */

static void
create_list(NearList *list, int max)
{
	list->dist = palloc(sizeof(float) * (max + BLOCK));
	list->what = palloc(sizeof(uint32) * (max + BLOCK));
}

static void
clear_list(NearList *list, int from, int max)
{
	for (int i = from; i < max + BLOCK; i++)
		list->dist[i] = INFINITY;
}

/*
 * How many of n ascending distances are not greater: the block first, then the
 * place in it, of which the compiler makes a few vector instructions.  A binary
 * search is slower, for nobody can predict its branches.
 */
static inline int
count_nearer(const float *dist, int n, float x)
{
	int			count = 0;
	int			here = 0;

	while (count + BLOCK <= n && dist[count + BLOCK - 1] <= x)
		count += BLOCK;
	for (int i = 0; i < BLOCK; i++)
		here += dist[count + i] <= x;
	return Min(count + here, n);
}

/* Insert into the n items of a list from 'first' on. */
static inline void
insert_item(NearList *list, int first, int n, float dist, uint32 what)
{
	int			i = count_nearer(list->dist + first, n, dist);
	float	   *to_dist = list->dist + first + i;
	uint32	   *to_what = list->what + first + i;

	memmove(to_dist + 1, to_dist, sizeof(float) * (n - i));
	memmove(to_what + 1, to_what, sizeof(uint32) * (n - i));
	*to_dist = dist;
	*to_what = what;
}

/* What is farther is not worth expanding. */
static inline float
near_bound(const HnswNear *near)
{
	if (near->ncandidates < near->ef)
		return INFINITY;
	return near->best.dist[near->ncandidates < near->enough ?
						   near->ef - 1 : (near->ef - 1) / 2];
}

/* What is this far, or farther, will not be expanded. */
static inline float
pool_bound(const HnswNear *near)
{
	int			room = near->max - near->ncandidates;
	float		bound = near_bound(near);

	if (near->end - near->first >= room)
		bound = room > 0 ?
			Min(bound, near->pool.dist[near->first + room - 1]) : -INFINITY;
	return bound;
}

/* Nodes that were no candidates have used up the front of the pool. */
static void
pool_move_down(HnswNear *near, int n)
{
	NearList   *pool = &near->pool;

	memmove(pool->dist, pool->dist + near->first, sizeof(float) * n);
	memmove(pool->what, pool->what + near->first, sizeof(uint32) * n);
	clear_list(pool, n, 2 * near->max);
	near->first = 0;
}

static void
pool_add(HnswNear *near, float est, HnswNode node)
{
	int			n = near->end - near->first;
	int			room = near->max - near->ncandidates;

	if (n >= room)
	{
		if (room == 0 || est >= near->pool.dist[near->first + room - 1])
			return;
		n = room - 1;
	}
	if (near->first + n + 1 > 2 * near->max)
		pool_move_down(near, n);
	insert_item(&near->pool, near->first, n, est, node);
	near->end = near->first + n + 1;
}

/*
 * Nodes were met, with estimates.  Those near enough are picked first, again
 * without branches.
 */
static void
meet(HnswNear *near, int n, const HnswNode *node, const float *est)
{
	float		bound = pool_bound(near);
	int			pick[HNSW_MAX_EDGES];
	int			npicked = 0;

	Assert(n <= HNSW_MAX_EDGES);
	seen_reserve(near, n);
	for (int i = 0; i < n; i++)
	{
		pick[npicked] = i;
		npicked += est[i] < bound;
	}
	for (int p = 0; p < npicked; p++)
	{
		int			i = pick[p];

		if (seen_add(near, node[i]))
			pool_add(near, est[i], node[i]);
	}

	/* an exact distance is too large for ever: it need not be computed again */
	if (!hnsw_space_coded(near->graph->space))
	{
		for (int i = 0; i < n; i++)
			seen_add(near, node[i]);
	}
}

/* ---- the search ---- */

HnswNear *
hnsw_near_begin(HnswGraph *graph, int ef)
{
	HnswNear   *near = palloc0(sizeof(HnswNear));

	near->graph = graph;
	near->context = CurrentMemoryContext;
	near->ef = ef;
	near->max = POOL_FACTOR * ef;
	near->seen.seen.has = near_has;
	seen_resize(near, MIN_SEEN);
	create_list(&near->pool, 2 * near->max);
	create_list(&near->best, near->max);
	near->candidates = palloc(sizeof(HnswNeighbor) * near->max);
	near->found = palloc(sizeof(HnswNeighbor) * near->max);
	near->owns = MemoryContextAllocHuge(CurrentMemoryContext,
										mul_size(graph->space->layout.own_bytes,
												 near->max));
	return near;
}

void
hnsw_near_end(HnswNear *near)
{
	pfree(near->seen.slot);
	pfree(near->pool.dist);
	pfree(near->pool.what);
	pfree(near->best.dist);
	pfree(near->best.what);
	pfree(near->candidates);
	pfree(near->found);
	pfree(near->owns);
	pfree(near);
}

int
hnsw_near_max(const HnswNear *near)
{
	return near->max;
}

static void
meet_entries(HnswNear *near)
{
	HnswNode	node[MAX_ENTRIES];
	float		est[MAX_ENTRIES];
	float		var[MAX_ENTRIES];
	int			n = near->graph->ops->entries(near->graph, near->query,
											  MAX_ENTRIES, node, est, var);

	meet(near, n, node, est);
}

/* Read the nearest node of the pool. */
static void
expand_next(HnswNear *near, HnswNode skip)
{
	const HnswGraphOps *ops = near->graph->ops;
	HnswExpansion *exp = &near->expansion;
	HnswNode	node = near->pool.what[near->first++];
	int			c = near->ncandidates;
	uint8	   *own = near->owns +
		(Size) c * near->graph->space->layout.own_bytes;

	/* the one after it will be wanted next, unless something better comes */
	if (near->first < near->end)
		ops->expect(near->graph, near->pool.what[near->first]);

	exp->own_copy = own;
	ops->expand(near->graph, near->query, node, &near->seen.seen, exp);
	if (exp->state != HNSW_LIVE && exp->state != HNSW_EMPTY)
		return;
	if (exp->state == HNSW_LIVE && node != skip)
	{
		near->candidates[c].node = node;
		near->candidates[c].version = exp->version;
		near->candidates[c].dist = exp->own.dist;
		near->candidates[c].occluded = false;
		near->candidates[c].own = own;
		insert_item(&near->best, 0, c, exp->own.dist, c);
		near->ncandidates++;
	}
	meet(near, exp->nedges, exp->edge, exp->est);
}

static void
begin_search(HnswNear *near, const HnswQuery *query, int enough)
{
	near->query = query;
	near->enough = enough;
	near->first = near->end = 0;
	near->ncandidates = 0;
	clear_list(&near->pool, 0, 2 * near->max);
	clear_list(&near->best, 0, near->max);
	seen_clear(near);
	meet_entries(near);
}

static int
search(HnswNear *near, HnswNode skip, HnswNeighbor **found)
{
	while (near->first < near->end && near->ncandidates < near->max &&
		   near->pool.dist[near->first] <= near_bound(near))
	{
		CHECK_FOR_INTERRUPTS();
		expand_next(near, skip);
	}

	for (int i = 0; i < near->ncandidates; i++)
		near->found[i] = near->candidates[near->best.what[i]];
	*found = near->found;
	return near->ncandidates;
}

int
hnsw_near_search(HnswNear *near, const HnswQuery *query, HnswNode skip,
				 HnswNeighbor **found)
{
	begin_search(near, query, ENOUGH_FACTOR * near->ef);
	return search(near, skip, found);
}

int
hnsw_near_search_from(HnswNear *near, const HnswQuery *query,
					  const HnswNode *start, int n, HnswNode skip,
					  HnswNeighbor **found)
{
	const float first = -FLT_MAX;

	begin_search(near, query, near->max);
	for (int i = 0; i < n; i++)
		meet(near, 1, &start[i], &first);
	return search(near, skip, found);
}
