/*-------------------------------------------------------------------------
 *
 * hnswnear.c
 *	  The nodes near a point: the bounded search of construction.
 *
 * The pool is one ascending array of the nodes met: by their own distance if
 * they have been expanded, else by estimate.  It holds twice as many as are
 * asked for: an expanded node can turn out farther than its estimate, and the
 * next ones move up.  What is farther than a full pool is dropped, and not even
 * remembered as seen; in a coded graph that is nine of ten nodes met.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswnear.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnswnear.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* a node in the pool */
typedef struct PoolItem
{
	float		dist;			/* own distance if expanded, else estimate */
	HnswNode	node;
	int			candidate;		/* number of the candidate; NOT_EXPANDED */
} PoolItem;

#define NOT_EXPANDED		(-1)

/* size of the pool, as a multiple of ef */
#define POOL_FACTOR			2

/* entries that a search starts from: their codes are coarse */
#define MAX_ENTRIES			16

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
	int			max;			/* room in pool and candidates */

	/* the search at hand */
	const HnswQuery *query;
	NearSeen	seen;
	PoolItem   *pool;
	int			npool;
	int			next;			/* items before this one are expanded */
	HnswNeighbor *candidates;	/* in the order of expansion */
	int			ncandidates;
	uint8	   *owns;			/* their own forms */
	HnswNeighbor *found;		/* candidates in the order of distance */
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

/* Put an item into its place, if it is near enough. */
static void
pool_insert(HnswNear *near, float dist, HnswNode node, int candidate)
{
	PoolItem   *pool = near->pool;
	int			i = near->npool;

	if (i == near->max)
	{
		if (dist >= pool[i - 1].dist)
			return;
		i--;
	}
	else
		near->npool++;
	for (; i > 0 && pool[i - 1].dist > dist; i--)
		pool[i] = pool[i - 1];
	pool[i].dist = dist;
	pool[i].node = node;
	pool[i].candidate = candidate;
	if (i < near->next)
		near->next = candidate == NOT_EXPANDED ? i : near->next + 1;
}

static void
pool_remove(HnswNear *near, int i)
{
	near->npool--;
	memmove(&near->pool[i], &near->pool[i + 1],
			sizeof(PoolItem) * (near->npool - i));
}

/* Move 'next' to the nearest node not yet expanded. */
static inline void
pool_advance(HnswNear *near)
{
	while (near->next < near->npool &&
		   near->pool[near->next].candidate != NOT_EXPANDED)
		near->next++;
}

/* Nodes were met, with estimates. */
static void
meet(HnswNear *near, int n, const HnswNode *node, const float *est)
{
	bool		remember = !hnsw_space_coded(near->graph->space);

	seen_reserve(near, n);
	for (int i = 0; i < n; i++)
	{
		if (near->npool == near->max &&
			est[i] >= near->pool[near->max - 1].dist)
		{
			/* an exact distance is too large for ever: not to be computed again */
			if (remember)
				seen_add(near, node[i]);
			continue;
		}
		if (seen_add(near, node[i]))
			pool_insert(near, est[i], node[i], NOT_EXPANDED);
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
	near->pool = palloc(sizeof(PoolItem) * near->max);
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
	pfree(near->pool);
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

/* Take the next node out of the pool, read it, and put it where it belongs. */
static void
expand_next(HnswNear *near, HnswNode skip)
{
	const HnswGraphOps *ops = near->graph->ops;
	HnswExpansion *exp = &near->expansion;
	HnswNode	node = near->pool[near->next].node;
	int			c = near->ncandidates;
	uint8	   *own = near->owns +
		(Size) c * near->graph->space->layout.own_bytes;

	/* the one after it will be wanted next, unless something better comes */
	pool_remove(near, near->next);
	pool_advance(near);
	if (near->next < near->npool)
		ops->expect(near->graph, near->pool[near->next].node);

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
		near->ncandidates++;
		pool_insert(near, exp->own.dist, node, c);
	}
	meet(near, exp->nedges, exp->edge, exp->est);
}

int
hnsw_near_search(HnswNear *near, const HnswQuery *query, HnswNode skip,
				 HnswNeighbor **found)
{
	int			n = 0;

	near->query = query;
	near->npool = 0;
	near->next = 0;
	near->ncandidates = 0;
	seen_clear(near);
	meet_entries(near);

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		pool_advance(near);
		if (near->next >= Min(near->npool, near->ef) ||
			near->ncandidates == near->max)
			break;
		expand_next(near, skip);
	}

	for (int i = 0; i < near->npool; i++)
	{
		if (near->pool[i].candidate != NOT_EXPANDED)
			near->found[n++] = near->candidates[near->pool[i].candidate];
	}
	*found = near->found;
	return n;
}
