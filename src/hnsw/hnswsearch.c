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
 * Most of what a search meets is too far away to be expanded ever.  As soon as
 * the caller can tell a limit, items beyond it are only put aside; they go into
 * the heap when a step needs one of them.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswsearch.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "hnsw/hnswsearch.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * A node met by the search.  A table entry of zeros is not in use: then the
 * first estimate is taken in as a mean like any other, without a branch.
 */
typedef struct Met
{
	HnswNode	node;
	float		est;			/* mean of the estimates, by inverse variance */
	float		weight;			/* sum of inverse variances; EXPANDED */
} Met;

/* the weight of a node that has been expanded: no estimate moves it */
#define EXPANDED			INFINITY

/* open addressing, linear probing, at most half full */
typedef struct MetTable
{
	Met		   *met;
	uint64		size;			/* a power of two */
	int			shift;			/* 64 - log2(size) */
	uint64		members;
} MetTable;

typedef struct SearchSeen
{
	HnswSeen	seen;			/* must be first */
	MetTable	table;
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
	PoolItem   *aside;			/* those beyond the limit when they were met */
	int64		naside;
	int64		maxaside;
	float		aside_min;		/* no estimate of theirs is below this */
	float		limit;
	int64		hops;			/* nodes expanded */
};

/*
 * Nodes met by an ordinary query: 40 hops of 28 edges, a good half of them
 * new.  The pool holds some of them twice.
 */
#define INITIAL_MET			1024
#define INITIAL_TABLE_BITS	11
#define INITIAL_POOL		(2 * INITIAL_MET)

/*
 * The memory of the last search that ended, for the next one of this backend.
 * What is freed at the end of each query goes back to the operating system
 * when it is this much, and comes back a page fault at a time: a tenth of the
 * price of a query (README, "Things tried").  Memory that has grown to more
 * than an ordinary search needs is not kept.
 */
static HnswSearch *spare = NULL;

#define KEPT_TABLE			((uint64) 2 << INITIAL_TABLE_BITS)
#define KEPT_POOL			(2 * INITIAL_POOL)

/*
 * Stands for no variance at all.  Not zero, so that sums of weights stay
 * finite and a second exact estimate, which is the same, divides cleanly.
 */
#define EXACT_VARIANCE		1e-30f

/* Entries put into the pool: more than one, for their codes are coarse. */
#define MAX_ENTRIES			16

/* ---- nodes met ---- */

static void
create_table(MetTable *table, MemoryContext context, int bits)
{
	table->size = UINT64CONST(1) << bits;
	table->shift = 64 - bits;
	table->members = 0;
	table->met = MemoryContextAllocExtended(context,
											sizeof(Met) * table->size,
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* The entry of a node, or the one that it would get. */
static inline Met *
find_met(const MetTable *table, HnswNode node)
{
	/* Fibonacci hashing: the upper bits of a product with 2^64 / phi */
	uint64		i = node * UINT64CONST(0x9E3779B97F4A7C15) >> table->shift;

	while (table->met[i].weight != 0 && table->met[i].node != node)
		i = (i + 1) & (table->size - 1);
	return &table->met[i];
}

/* Make room for n more members. */
static void
reserve_met(HnswSearch *search, int n)
{
	MetTable	old = search->seen.table;
	MetTable   *new = &search->seen.table;

	if (likely(2 * (old.members + n) <= old.size))
		return;
	create_table(new, search->context, 65 - old.shift);
	for (uint64 i = 0; i < old.size; i++)
	{
		if (old.met[i].weight != 0)
			*find_met(new, old.met[i].node) = old.met[i];
	}
	new->members = old.members;
	pfree(old.met);
}

static bool
search_has(const HnswSeen *seen, HnswNode node)
{
	return find_met(&((const SearchSeen *) seen)->table, node)->weight != 0;
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

/* As pool_push, but of no use for now. */
static void
pool_put_aside(HnswSearch *search, PoolItem item)
{
	if (search->naside == search->maxaside)
	{
		search->maxaside *= 2;
		search->aside = repalloc_huge(search->aside,
									  sizeof(PoolItem) * search->maxaside);
	}
	search->aside[search->naside++] = item;
	search->aside_min = Min(search->aside_min, item.est);
}

/* Bring an item to the top that is neither expanded nor out of date. */
static Met *
pool_top(HnswSearch *search)
{
	while (search->npool > 0)
	{
		PoolItem	top = search->pool[0];
		Met		   *met = find_met(&search->seen.table, top.node);
		bool		expanded = met->weight == EXPANDED;

		if (!expanded && met->est <= top.est)
			return met;
		pool_drop_top(search);
		if (!expanded)
			pool_push(search, met->est, top.node);
	}
	return NULL;
}

/* ---- estimates ---- */

/*
 * Take in the estimates of n nodes.  Fills 'items' with those that are to be
 * pushed, being new or nearer than they seemed; returns how many.
 *
 * Whether a node has been met before is anybody's guess, so there is no branch
 * on it.
 */
static int
take_in(HnswSearch *search, const HnswNode *node, const float *est,
		const float *var, int n, PoolItem *items)
{
	MetTable   *table = &search->seen.table;
	int			nitems = 0;

	reserve_met(search, n);
	for (int i = 0; i < n; i++)
	{
		Met		   *met = find_met(table, node[i]);
		float		old = met->est;
		float		weight = 1 / Max(var[i], EXACT_VARIANCE);
		float		sum = met->weight + weight;
		bool		is_new = met->weight == 0;

		/*
		 * Doubles hold the difference of any two floats.  An estimate that is
		 * no number has no place in the heap: pool_top would not end.
		 */
		float		mean = old + ((double) est[i] - old) * (weight / sum);

		met->node = node[i];
		met->est = mean;
		met->weight = sum;
		table->members += is_new;
		items[nitems].est = mean;
		items[nitems].node = node[i];
		nitems += is_new | (mean < old);
	}
	return nitems;
}

/* Nodes were met: n <= HNSW_MAX_EDGES of them, with estimates. */
static void
meet(HnswSearch *search, const HnswNode *node, const float *est,
	 const float *var, int n)
{
	PoolItem	items[HNSW_MAX_EDGES];
	PoolItem	best = {INFINITY, HNSW_INVALID_NODE};

	n = take_in(search, node, est, var, n, items);
	if (search->npool > 0)
		best = search->pool[0];
	for (int i = 0; i < n; i++)
	{
		if (items[i].est < best.est)
			best = items[i];
	}

	/* its page is on the way while the others go into the heap */
	if (best.node != HNSW_INVALID_NODE)
		search->graph->ops->expect(search->graph, best.node);
	for (int i = 0; i < n; i++)
	{
		if (items[i].est > search->limit)
			pool_put_aside(search, items[i]);
		else
			pool_push(search, items[i].est, items[i].node);
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

	meet(search, node, est, var, n);
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
	create_table(&search->seen.table, context, INITIAL_TABLE_BITS);
	search->maxpool = INITIAL_POOL;
	search->pool = MemoryContextAlloc(context,
									  sizeof(PoolItem) * search->maxpool);
	search->maxaside = INITIAL_POOL;
	search->aside = MemoryContextAlloc(context,
									   sizeof(PoolItem) * search->maxaside);
	search->aside_min = search->limit = INFINITY;
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
	if (spare != NULL || search->seen.table.size > KEPT_TABLE ||
		search->maxpool > KEPT_POOL || search->maxaside > KEPT_POOL)
	{
		MemoryContextDelete(search->context);
		return;
	}
	memset(search->seen.table.met, 0,
		   sizeof(Met) * search->seen.table.size);
	search->seen.table.members = 0;
	search->npool = search->naside = 0;
	search->aside_min = search->limit = INFINITY;
	search->hops = 0;
	MemoryContextSetParent(search->context, TopMemoryContext);
	spare = search;
}

void
hnsw_search_limit(HnswSearch *search, float limit)
{
	search->limit = limit;
}

/* Everything is of use again. */
static void
take_back(HnswSearch *search)
{
	for (int64 i = 0; i < search->naside; i++)
		pool_push(search, search->aside[i].est, search->aside[i].node);
	search->naside = 0;
	search->aside_min = search->limit = INFINITY;
}

float
hnsw_search_frontier(HnswSearch *search)
{
	Met		   *met = pool_top(search);

	return met != NULL ? Min(met->est, search->aside_min) : search->aside_min;
}

HnswNode
hnsw_search_step(HnswSearch *search, HnswExpansion *out)
{
	HnswGraph  *graph = search->graph;
	Met		   *met = pool_top(search);
	HnswNode	node;

	if (search->naside > 0 && (met == NULL || met->est > search->aside_min))
	{
		take_back(search);
		met = pool_top(search);
	}
	if (met == NULL)
		return HNSW_INVALID_NODE;

	CHECK_FOR_INTERRUPTS();
	node = met->node;
	met->weight = EXPANDED;
	pool_drop_top(search);
	search->hops++;

	graph->ops->expand(graph, search->query, node, &search->seen.seen,
							  out);
	if (out->state != HNSW_LIVE && out->state != HNSW_EMPTY)
		return node;
	meet(search, out->edge, out->est, out->var, out->nedges);
	return node;
}

void
hnsw_search_mark_expanded(HnswSearch *search, uint8 *bitmap, uint64 nnodes)
{
	const MetTable *table = &search->seen.table;

	for (uint64 i = 0; i < table->size; i++)
	{
		const Met  *met = &table->met[i];

		if (met->weight == EXPANDED && met->node < nnodes)
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
	const MetTable *table = &search->seen.table;

	/*
	 * Room left over from an earlier search does not count, or how far a walk
	 * goes would depend on what this backend has searched for before.
	 */
	return sizeof(Met) * Min(table->size,
							 2 * (Size) table->members + INITIAL_MET) +
		sizeof(PoolItem) * Min((Size) search->maxpool + search->maxaside,
							   2 * (Size) (search->npool + search->naside) +
							   INITIAL_MET);
}
