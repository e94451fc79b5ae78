/*-------------------------------------------------------------------------
 *
 * hnswbulk.c
 *	  Linking all nodes of a graph in memory at once.
 *
 * Inserting row by row finds each node's candidates by a walk through the graph
 * so far, which waits for memory at every node.  With all rows at hand,
 * candidates come from blocked products of own forms (hnswcells.c).
 * The rest is the same as ever: selection, links back, selection again.
 *
 * Near neighbours alone make islands, though.  What an insert into a small
 * graph gets for nothing, links that reach far, comes here from levels: a
 * fourth of the nodes get links among themselves first, a fourth of these
 * before them, and so on; at each level what was chosen above stands for
 * selection again, beside the new candidates.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswbulk.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnswbulk.h"
#include "hnsw/hnswselect.h"
#include "miscadmin.h"

/* nodes handed out at a time */
#define PORTION				64

/* One participant. */
typedef struct Bulk
{
	HnswBulkShared *shared;
	HnswMemGraph *mem;
	Barrier    *barrier;
	void		(*report) (uint32 nodes);
	HnswCells  *cells;
	uint64	   *key;			/* candidates and links of a node */
	HnswNeighbor *neighbors;	/* the same */
} Bulk;

#define ST_SORT sort_keys
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
hnsw_bulk_init(HnswBulkShared *shared)
{
	memset(shared, 0, sizeof(HnswBulkShared));
	pg_atomic_init_u32(&shared->next_select, 0);
	pg_atomic_init_u32(&shared->next_offer, 0);
	pg_atomic_init_u32(&shared->next_write, 0);
}

/*
 * Choose neighbours among the candidates and the links of a node.  Returns how
 * many there are in bulk->neighbors, nearest first.
 */
static int
select_neighbors(Bulk *bulk, HnswNode node)
{
	HnswMemGraph *mem = bulk->mem;
	const HnswSpace *space = mem->graph.space;
	HnswMemList *list = hnsw_memgraph_list(mem, node);
	uint64	   *candidates = hnsw_memgraph_candidates(mem, node);
	int			n = hnsw_candidates_keep(candidates, list->ncandidates,
										 mem->shared->want);
	int			nneighbors = 0;

	memcpy(bulk->key, candidates, sizeof(uint64) * n);
	memcpy(bulk->key + n, list->link, sizeof(uint64) * list->nlinks);
	n += list->nlinks;
	sort_keys(bulk->key, n);
	for (int i = 0; i < n; i++)
	{
		HnswNeighbor *neighbor = &bulk->neighbors[nneighbors];

		if (i > 0 && bulk->key[i] == bulk->key[i - 1])
			continue;
		neighbor->node = hnsw_key_node(node, bulk->key[i]);
		neighbor->version = 0;
		neighbor->dist = hnsw_key_dist(bulk->key[i]);
		neighbor->occluded = false;
		neighbor->own = hnsw_memgraph_own(mem, neighbor->node);
		hnsw_memgraph_expect_own(mem, neighbor->node);
		nneighbors++;
	}
	return hnsw_select(space, bulk->neighbors, nneighbors,
					   space->layout.max_edges);
}

/* Forget the candidates, for others to come. */
static void
clear_candidates(HnswMemList *list)
{
	list->ncandidates = 0;
	list->bound = INFINITY;
}

static void
select_links(Bulk *bulk, HnswNode node)
{
	HnswMemList *list = hnsw_memgraph_list(bulk->mem, node);
	int			n = select_neighbors(bulk, node);

	for (int i = 0; i < n; i++)
		list->link[i] = hnsw_neighbor_key(node, bulk->neighbors[i].dist,
										  bulk->neighbors[i].node);
	list->nlinks = n;
	clear_candidates(list);
}

static void
link_level(Bulk *bulk, int level)
{
	HnswBulkShared *shared = bulk->shared;
	uint32		nmembers;
	uint32		first;

	hnsw_cells_find(bulk->cells, level);
	nmembers = hnsw_cells_nmembers(bulk->cells);
	while ((first = pg_atomic_fetch_add_u32(&shared->next_select, PORTION)) <
		   nmembers)
	{
		CHECK_FOR_INTERRUPTS();
		for (uint32 i = first; i < Min(first + PORTION, nmembers); i++)
			select_links(bulk, hnsw_cells_member(bulk->cells, i));
	}
	if (hnsw_wait_for_all(bulk->barrier))
	{
		hnsw_cells_done(bulk->cells);
		pg_atomic_write_u32(&shared->next_select, 0);
	}
}

/* A node is a candidate for the links of each of its neighbours. */
static void
offer_back(Bulk *bulk, HnswNode node)
{
	HnswMemList *list = hnsw_memgraph_list(bulk->mem, node);

	for (int i = 0; i < (int) list->nlinks; i++)
	{
		HnswNode	to = hnsw_key_node(node, list->link[i]);

		hnsw_cells_offer(bulk->cells, to, hnsw_key_dist(list->link[i]), node);
	}
}

static void
write_edges(Bulk *bulk, HnswNode node)
{
	HnswMemGraph *mem = bulk->mem;
	int			n = select_neighbors(bulk, node);

	hnsw_link_write(mem->graph.space, hnsw_memgraph_slot(mem, node),
					hnsw_memgraph_own(mem, node), bulk->neighbors, n);
}

/* One step for each LIVE node, shared out. */
static void
for_each_node(Bulk *bulk, pg_atomic_uint32 *next,
			  void (*step) (Bulk *bulk, HnswNode node), bool is_last)
{
	uint32		nnodes = hnsw_memgraph_nnodes(bulk->mem);
	uint32		first;

	while ((first = pg_atomic_fetch_add_u32(next, PORTION)) < nnodes)
	{
		CHECK_FOR_INTERRUPTS();
		for (HnswNode node = first; node < Min(first + PORTION, nnodes); node++)
		{
			if (hnsw_memgraph_slot(bulk->mem, node)->state == HNSW_LIVE)
				step(bulk, node);
		}
		if (is_last && bulk->report != NULL)
			bulk->report(first);
	}
	hnsw_wait_for_all(bulk->barrier);
}

void
hnsw_bulk_link(HnswBulkShared *shared, HnswMemGraph *mem, Barrier *barrier,
			   void (*report) (uint32 nodes))
{
	const HnswSpace *space = mem->graph.space;
	int			max = mem->shared->want + space->layout.max_edges;
	Bulk		bulk = {.shared = shared,.mem = mem,.barrier = barrier,.report = report};

	bulk.cells = hnsw_cells_begin(&shared->cells, mem, barrier);
	bulk.key = palloc(sizeof(uint64) * max);
	bulk.neighbors = palloc(sizeof(HnswNeighbor) * max);

	/* nobody adds rows any longer */
	hnsw_wait_for_all(barrier);
	for (int level = hnsw_cells_levels(hnsw_memgraph_nnodes(mem)) - 1;
		 level >= 0; level--)
		link_level(&bulk, level);
	hnsw_wait_for_all(barrier);
	for_each_node(&bulk, &shared->next_offer, offer_back, false);
	for_each_node(&bulk, &shared->next_write, write_edges, true);

	hnsw_cells_end(bulk.cells);
	pfree(bulk.key);
	pfree(bulk.neighbors);
}
