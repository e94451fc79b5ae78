/*-------------------------------------------------------------------------
 *
 * hnswsearch.c
 *	  The walk: a resumable best-first search over an abstract graph.
 *
 * HNSW, algorithm 2 (SEARCH-LAYER), turned into a stream: there is no result
 * list of fixed size.  The caller takes one expansion after the other and
 * decides when it has seen enough (README, "Scan order").
 *
 * The pool is a binary heap of (estimate, node) beside a hash table with one
 * entry for each node met.  When a node is met again its estimate changes:
 * downwards, it is pushed again, and the older item is dropped when it comes up; upwards, the item
 * is pushed back when it comes up.  So nothing is ever searched for in the heap.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswsearch.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "common/hashfn.h"
#include "hnsw/hnswsearch.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* a node met by the search */
typedef struct Met
{
	HnswNode	node;
	char		status;			/* simplehash's */
	bool		expanded;
	float		est;			/* mean of the estimates, by inverse variance */
	float		weight;			/* sum of inverse variances */
} Met;

#define SH_PREFIX met
#define SH_ELEMENT_TYPE Met
#define SH_KEY_TYPE HnswNode
#define SH_KEY node
#define SH_HASH_KEY(tb, key) murmurhash32(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

typedef struct SearchSeen
{
	HnswSeen	seen;			/* must be first */
	met_hash   *table;
} SearchSeen;

typedef struct PoolItem
{
	float		est;
	HnswNode	node;
} PoolItem;

struct HnswSearch
{
	HnswGraph  *graph;
	const HnswQuery *query;
	MemoryContext context;
	SearchSeen	seen;
	PoolItem   *pool;			/* binary heap, least estimate first */
	int64		npool;
	int64		maxpool;
	int64		hops;			/* nodes expanded */
	Size		initial_memory;
};

/*
 * Nodes met by an ordinary query: 40 hops of 28 edges, a good half of them
 * new.  The pool holds some of them twice.
 */
#define INITIAL_MET			1024
#define INITIAL_POOL		(2 * INITIAL_MET)

/*
 * The memory of the last search that ended, for the next one of this backend.
 * What is freed at the end of each query goes back to the operating system
 * when it is this much, and comes back a page fault at a time: a tenth of the
 * price of a query (README, "Things tried").  Only memory that has not grown
 * is kept: what a search may use must not depend on the one before it.
 */
static HnswSearch *spare = NULL;

/*
 * Stands for no variance at all.  Not zero, so that sums of weights stay
 * finite and a second exact estimate, which is the same, divides cleanly.
 */
#define EXACT_VARIANCE		1e-30f

/* Entries put into the pool: more than one, for their codes are coarse. */
#define MAX_ENTRIES			16

static bool
search_has(const HnswSeen *seen, HnswNode node)
{
	return met_lookup(((const SearchSeen *) seen)->table, node) != NULL;
}

/* ---- the heap ---- */

static void
pool_push(HnswSearch *search, float est, HnswNode node)
{
	PoolItem   *pool;
	int64		i;

	if (search->npool == search->maxpool)
	{
		search->maxpool *= 2;
		search->pool = repalloc_huge(search->pool,
									 sizeof(PoolItem) * search->maxpool);
	}
	pool = search->pool;
	for (i = search->npool++; i > 0; i = (i - 1) / 2)
	{
		if (pool[(i - 1) / 2].est <= est)
			break;
		pool[i] = pool[(i - 1) / 2];
	}
	pool[i].est = est;
	pool[i].node = node;
}

static void
pool_drop_top(HnswSearch *search)
{
	PoolItem   *pool = search->pool;
	int64		n = --search->npool;
	PoolItem	last = pool[n];
	int64		i = 0;

	for (;;)
	{
		int64		child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && pool[child + 1].est < pool[child].est)
			child++;
		if (last.est <= pool[child].est)
			break;
		pool[i] = pool[child];
		i = child;
	}
	pool[i] = last;
}

/* Bring an item to the top that is neither expanded nor out of date. */
static Met *
pool_top(HnswSearch *search)
{
	while (search->npool > 0)
	{
		PoolItem	top = search->pool[0];
		Met		   *met = met_lookup(search->seen.table, top.node);

		if (!met->expanded && met->est <= top.est)
			return met;
		pool_drop_top(search);
		if (!met->expanded)
			pool_push(search, met->est, top.node);
	}
	return NULL;
}

/* ---- estimates ---- */

/* A node was met, with an estimate of some variance. */
static void
meet(HnswSearch *search, HnswNode node, float est, float var)
{
	bool		found;
	float		weight = 1 / Max(var, EXACT_VARIANCE);
	Met		   *met = met_insert(search->seen.table, node, &found);

	if (!found)
	{
		met->expanded = false;
		met->est = est;
		met->weight = weight;
		pool_push(search, est, node);
	}
	else if (!met->expanded)
	{
		float		old = met->est;
		float		sum = met->weight + weight;

		/*
		 * Doubles hold the difference of any two floats.  An estimate that is
		 * no number has no place in the heap: pool_top would not end.
		 */
		met->est = old + ((double) est - old) * (weight / sum);
		met->weight = sum;
		if (met->est < old)
			pool_push(search, met->est, node);
	}
}

static void
meet_entries(HnswSearch *search)
{
	HnswNode	node[MAX_ENTRIES];
	float		est[MAX_ENTRIES];
	float		var[MAX_ENTRIES];
	int			n = search->graph->ops->entries(search->graph, search->query,
												MAX_ENTRIES, node, est, var);

	for (int i = 0; i < n; i++)
		meet(search, node[i], est[i], var[i]);
}

/* ---- the search ---- */

/* A search with a context of its own, a child of the current one. */
static HnswSearch *
create_search(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw search",
												  ALLOCSET_DEFAULT_SIZES);
	HnswSearch *search = MemoryContextAllocZero(context, sizeof(HnswSearch));

	search->context = context;
	search->seen.seen.has = search_has;
	search->seen.table = met_create(context, INITIAL_MET, NULL);
	search->maxpool = INITIAL_POOL;
	search->pool = MemoryContextAlloc(context,
									  sizeof(PoolItem) * search->maxpool);
	search->initial_memory = hnsw_search_memory(search);
	return search;
}

HnswSearch *
hnsw_search_begin(HnswGraph *graph, const HnswQuery *query)
{
	HnswSearch *search = spare;

	if (search != NULL)
	{
		MemoryContextSetParent(search->context, CurrentMemoryContext);
		spare = NULL;
	}
	else
		search = create_search();

	search->graph = graph;
	search->query = query;
	meet_entries(search);
	return search;
}

void
hnsw_search_end(HnswSearch *search)
{
	if (spare != NULL || hnsw_search_memory(search) > search->initial_memory)
	{
		MemoryContextDelete(search->context);
		return;
	}
	met_reset(search->seen.table);
	search->npool = 0;
	search->hops = 0;
	MemoryContextSetParent(search->context, TopMemoryContext);
	spare = search;
}

float
hnsw_search_frontier(HnswSearch *search)
{
	Met		   *met = pool_top(search);

	return met != NULL ? met->est : INFINITY;
}

HnswNode
hnsw_search_step(HnswSearch *search, HnswExpansion *out)
{
	HnswGraph  *graph = search->graph;
	Met		   *met = pool_top(search);
	HnswNode	node;

	if (met == NULL)
		return HNSW_INVALID_NODE;

	CHECK_FOR_INTERRUPTS();
	node = met->node;
	met->expanded = true;
	pool_drop_top(search);
	search->hops++;

	graph->ops->expand(graph, search->query, node, &search->seen.seen,
							  out);
	if (out->state != HNSW_LIVE && out->state != HNSW_EMPTY)
		return node;
	for (int i = 0; i < out->nedges; i++)
		meet(search, out->edge[i], out->est[i], out->var[i]);
	if (search->npool > 0)
		graph->ops->expect(graph, search->pool[0].node);
	return node;
}

void
hnsw_search_mark_expanded(HnswSearch *search, uint8 *bitmap, uint64 nnodes)
{
	met_iterator iterator;
	Met		   *met;

	met_start_iterate(search->seen.table, &iterator);
	while ((met = met_iterate(search->seen.table, &iterator)) != NULL)
	{
		if (met->expanded && met->node < nnodes)
			bitmap[met->node / 8] |= 1 << (met->node % 8);
	}
}

int64
hnsw_search_hops(const HnswSearch *search)
{
	return search->hops;
}

Size
hnsw_search_memory(const HnswSearch *search)
{
	const met_hash *table = search->seen.table;

	/*
	 * Room left over from an earlier search does not count, or how far a walk
	 * goes would depend on what this backend has searched for before.
	 */
	return sizeof(Met) * Min(table->size,
							 2 * (Size) table->members + INITIAL_MET) +
		sizeof(PoolItem) * Min((Size) search->maxpool,
							   2 * (Size) search->npool + INITIAL_MET);
}
