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
 * When a build takes several batches, the nodes of earlier ones are on pages.
 * They are candidates for those of the batch, which are linked back from pages as
 * inserts do it.  A node that is the same as one on pages gives its rows to that.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswbulk.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "hnsw/hnswbulk.h"
#include "hnsw/hnswpanel.h"
#include "hnsw/hnswselect.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* nodes handed out at a time */
#define PORTION				256

/* One participant. */
struct HnswBulk
{
	HnswBulkShared *shared;
	HnswMemGraph *mem;
	Barrier    *barrier;
	void		(*report) (uint32 nodes);
	HnswGrower *grower;			/* for the graph on pages; NULL: there is none */
	HnswCells  *cells;
	HnswNeighbor *neighbors;	/* candidates and links of a node */
	uint64	   *sorted;			/* scratch: keys of as many */
	uint8	   *own;			/* own forms of those on pages */

	/* own forms read from pages; near nodes have the same neighbours */
	uint32		cache_mask;		/* places - 1 */
	HnswNode   *cached;			/* of each place: the node, or invalid */
	uint32	   *cached_version;
	uint8	   *cache;
};

/* about so many bytes of them, and at least so many; chosen, not measured */
#define CACHE_BYTES			((Size) 512 * 1024)
#define MIN_CACHE			64

/* how many of the nearest are looked at for a node that is the same */
#define MAX_SAME			16

void
hnsw_bulk_init(HnswBulkShared *shared)
{
	memset(shared, 0, sizeof(HnswBulkShared));
	pg_atomic_init_u32(&shared->next_select, 0);
	pg_atomic_init_u32(&shared->next_offer, 0);
	pg_atomic_init_u32(&shared->next_write, 0);
	pg_atomic_init_u32(&shared->next_product, 0);
	pg_atomic_init_u32(&shared->next_back, 0);
}

static inline bool
is_on_page(const HnswBulk *bulk, HnswNode node)
{
	return node < hnsw_memgraph_first(bulk->mem);
}

/*
 * Fill in the own form of neighbour number i.  False if it cannot be one: a node
 * whose rows go to another.
 */
static bool
find_own(HnswBulk *bulk, HnswNeighbor *neighbor, int i)
{
	HnswMemGraph *mem = bulk->mem;
	Size		own_bytes = mem->graph.space->layout.own_bytes;
	uint32		place = neighbor->node & bulk->cache_mask;
	uint8	   *cached;
	uint8	   *own;

	if (!is_on_page(bulk, neighbor->node))
	{
		neighbor->version = 0;
		neighbor->own = hnsw_memgraph_own(mem, neighbor->node);
		hnsw_memgraph_expect_own(mem, neighbor->node);

		/* without nodes on pages no list need be looked at */
		return bulk->grower == NULL ||
			hnsw_memgraph_list(mem, neighbor->node)->same == HNSW_INVALID_NODE;
	}
	cached = bulk->cache + place * own_bytes;
	if (bulk->cached[place] != neighbor->node)
	{
		bulk->cached[place] = HNSW_INVALID_NODE;
		if (!hnsw_diskgraph_own(hnsw_grow_graph(bulk->grower),
								neighbor->node, cached,
								&bulk->cached_version[place]))
			return false;
		bulk->cached[place] = neighbor->node;
	}

	/* the next neighbour may need the place */
	own = bulk->own + i * own_bytes;
	memcpy(own, cached, own_bytes);
	neighbor->own = own;
	neighbor->version = bulk->cached_version[place];
	return true;
}

/*
 * The candidates and the links of a node to bulk->neighbors, nearest first.
 * Returns how many there are.
 */
static int
gather_neighbors(HnswBulk *bulk, HnswNode node)
{
	HnswMemGraph *mem = bulk->mem;
	HnswMemList *list = hnsw_memgraph_list(mem, node);
	uint64	   *candidates = hnsw_memgraph_candidates(mem, node);
	int			n = hnsw_candidates_keep(candidates, list->ncandidates,
										 hnsw_candidates_wanted(mem));
	int			nlinks = list->nlinks;
	int			nneighbors = 0;
	int			c = 0;
	int			l = 0;
	uint64		last = PG_UINT64_MAX;

	/* links are sorted; a node can be among both, or twice */
	hnsw_candidates_sort(candidates, n, bulk->sorted);
	while (c < n || l < nlinks)
	{
		HnswNeighbor *neighbor = &bulk->neighbors[nneighbors];
		bool		is_link = c == n || (l < nlinks && list->link[l] < candidates[c]);
		uint64		key = is_link ? list->link[l++] : candidates[c++];

		if (key == last)
			continue;
		last = key;
		neighbor->node = hnsw_key_node(node, key);
		neighbor->dist = hnsw_key_dist(key);
		neighbor->occluded = false;
		if (find_own(bulk, neighbor, nneighbors))
			nneighbors++;
	}
	return nneighbors;
}

/*
 * The node on pages that is the same as a node, if it is among its neighbours;
 * these are sorted.
 */
static HnswNode
find_same(HnswBulk *bulk, HnswNode node, int nneighbors)
{
	const uint8 *own = hnsw_memgraph_own(bulk->mem, node);

	for (int i = 0; i < Min(nneighbors, MAX_SAME); i++)
	{
		if (is_on_page(bulk, bulk->neighbors[i].node) &&
			hnsw_space_same(bulk->mem->graph.space, own,
							bulk->neighbors[i].own))
			return bulk->neighbors[i].node;
	}
	return HNSW_INVALID_NODE;
}

/*
 * Candidates in memory that were found by codes get the distance that all links
 * have, by which a candidate and a link are known to be the same.
 */
static void
measure_candidates(HnswBulk *bulk, HnswNode node)
{
	HnswMemGraph *mem = bulk->mem;
	const HnswSpace *space = mem->graph.space;
	HnswMemList *list = hnsw_memgraph_list(mem, node);
	uint64	   *key = hnsw_memgraph_candidates(mem, node);
	int			n = hnsw_candidates_keep(key, list->ncandidates,
										 hnsw_candidates_wanted(mem));
	int			at[KERNEL_FORMS];
	float		dist[KERNEL_FORMS];

	list->ncandidates = n;
	for (int next = 0; next < n;)
	{
		KernelForms forms = {0};

		for (; next < n && forms.n < KERNEL_FORMS; next++)
		{
			HnswNode	other = hnsw_key_node(node, key[next]);

			if (is_on_page(bulk, other))
				continue;
			at[forms.n] = next;
			hnsw_space_form(space, &forms, forms.n,
							hnsw_memgraph_own(mem, other));
			forms.n++;
		}
		hnsw_space_between_forms(space, hnsw_memgraph_own(mem, node), &forms,
								 dist);
		for (int i = 0; i < forms.n; i++)
			key[at[i]] = hnsw_neighbor_key(node, Min(dist[i], FLT_MAX),
										   hnsw_key_node(node, key[at[i]]));
	}
}

/* Forget the candidates, for others to come. */
static void
clear_candidates(HnswMemList *list)
{
	list->ncandidates = 0;
	list->bound = INFINITY;
}

/* Choose n links among bulk->neighbors, and keep them. */
static int
choose_links(HnswBulk *bulk, HnswNode node, int n)
{
	const HnswSpace *space = bulk->mem->graph.space;
	HnswMemList *list = hnsw_memgraph_list(bulk->mem, node);

	n = hnsw_select(space, bulk->neighbors, n, space->layout.max_edges);
	for (int i = 0; i < n; i++)
		list->link[i] = hnsw_neighbor_key(node, bulk->neighbors[i].dist,
										  bulk->neighbors[i].node);
	list->nlinks = n;
	return n;
}

static void
select_links(HnswBulk *bulk, HnswNode node)
{
	HnswMemList *list = hnsw_memgraph_list(bulk->mem, node);
	int			n;

	if (hnsw_panel_packs(bulk->mem->graph.space))
		measure_candidates(bulk, node);
	n = gather_neighbors(bulk, node);
	list->same = find_same(bulk, node, n);
	if (list->same == HNSW_INVALID_NODE)
		choose_links(bulk, node, n);
	else
		list->nlinks = 0;
	clear_candidates(list);
}

static void
link_level(HnswBulk *bulk, int level)
{
	HnswBulkShared *shared = bulk->shared;
	uint32		nmembers;
	uint32		first;

	hnsw_cells_find(bulk->cells, level, bulk->grower != NULL ?
					hnsw_grow_graph(bulk->grower) : NULL);
	nmembers = hnsw_cells_nmembers(bulk->cells);
	while ((first = pg_atomic_fetch_add_u32(&shared->next_select, PORTION)) <
		   nmembers)
	{
		CHECK_FOR_INTERRUPTS();
		for (uint32 i = first; i < Min(first + PORTION, nmembers); i++)
			select_links(bulk, hnsw_cells_member(bulk->cells, i));
	}
	if (level > 0 && hnsw_wait_for_all(bulk->barrier))
	{
		hnsw_cells_done(bulk->cells);
		pg_atomic_write_u32(&shared->next_select, 0);
	}
}

/* A node is a candidate for the links of each of its neighbours in memory. */
static void
offer_back(HnswBulk *bulk, HnswNode node)
{
	HnswMemList *list = hnsw_memgraph_list(bulk->mem, node);

	for (int i = 0; i < (int) list->nlinks; i++)
	{
		HnswNode	to = hnsw_key_node(node, list->link[i]);

		if (!is_on_page(bulk, to))
			hnsw_memgraph_expect_list(bulk->mem, to);
	}
	for (int i = 0; i < (int) list->nlinks; i++)
	{
		HnswNode	to = hnsw_key_node(node, list->link[i]);

		if (!is_on_page(bulk, to))
			hnsw_cells_offer(bulk->cells, to, hnsw_key_dist(list->link[i]),
							 node);
	}
}

static void
write_edges(HnswBulk *bulk, HnswNode node)
{
	HnswMemGraph *mem = bulk->mem;
	int			n;

	if (hnsw_memgraph_list(mem, node)->same != HNSW_INVALID_NODE)
		return;
	n = choose_links(bulk, node, gather_neighbors(bulk, node));
	hnsw_link_write(mem->graph.space, hnsw_memgraph_slot(mem, node),
					hnsw_memgraph_own(mem, node), bulk->neighbors, n);
}

/* ---- after the batch has been written to pages ---- */

/* The rows of a node go to the same node on pages. */
static void
give_rows_away(HnswBulk *bulk, HnswNode node)
{
	HnswMemGraph *mem = bulk->mem;
	HnswSlot   *slot = hnsw_memgraph_slot(mem, node);
	HnswNode	to = hnsw_memgraph_list(mem, node)->same;
	const uint8 *own = hnsw_memgraph_own(mem, node);

	for (int i = 0; i < slot->nhere; i++)
		hnsw_grow_append(bulk->grower, to, own, &slot->tids[i]);
	for (HnswNode next = slot->next; next != HNSW_INVALID_NODE;)
	{
		HnswTidSlot *more = (HnswTidSlot *) hnsw_memgraph_slot(mem, next);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < more->ntids; i++)
			hnsw_grow_append(bulk->grower, to, own, &more->tids[i]);
		next = more->next;
	}
}

/* Links back from its neighbours on pages. */
static void
link_back(HnswBulk *bulk, HnswNode node)
{
	HnswMemGraph *mem = bulk->mem;
	HnswMemList *list = hnsw_memgraph_list(mem, node);
	int			n = 0;

	if (list->same != HNSW_INVALID_NODE)
	{
		give_rows_away(bulk, node);
		return;
	}
	for (int i = 0; i < (int) list->nlinks; i++)
	{
		HnswNeighbor *neighbor = &bulk->neighbors[n];

		neighbor->node = hnsw_key_node(node, list->link[i]);
		neighbor->dist = hnsw_key_dist(list->link[i]);
		neighbor->occluded = false;
		if (is_on_page(bulk, neighbor->node) && find_own(bulk, neighbor, n))
			n++;
	}
	hnsw_grow_link(bulk->grower, node, 0, hnsw_memgraph_own(mem, node),
				   bulk->neighbors, n, list->nlinks - n);
}

/* ---- the whole ---- */

/* One step for each LIVE node, those of a cell together; shared out. */
static void
for_each_node(HnswBulk *bulk, pg_atomic_uint32 *next,
			  void (*step) (HnswBulk *bulk, HnswNode node), bool is_last)
{
	uint32		nnodes = hnsw_cells_nmembers(bulk->cells);
	uint32		first;

	while ((first = pg_atomic_fetch_add_u32(next, PORTION)) < nnodes)
	{
		CHECK_FOR_INTERRUPTS();
		for (uint32 i = first; i < Min(first + PORTION, nnodes); i++)
			step(bulk, hnsw_cells_member(bulk->cells, i));
		if (is_last && bulk->report != NULL)
			bulk->report(first);
	}
	hnsw_wait_for_all(bulk->barrier);
}

/* Entries for the searches for product links; others are chosen in the end. */
static void
add_entries(HnswBulk *bulk)
{
	HnswMemGraph *mem = bulk->mem;
	uint32		nnodes = hnsw_memgraph_end(mem);
	uint32		target = hnsw_entry_target(mem->graph.space, nnodes);

	for (uint32 i = 0; i < target; i++)
	{
		HnswNode	node = (uint64) nnodes * i / target;

		if (hnsw_memgraph_slot(mem, node)->state == HNSW_LIVE)
			hnsw_memgraph_add_entry(mem, node);
	}
}

/* Product links: into the graph in memory, or if there is one, that on pages. */
static void
add_products(HnswBulk *bulk, HnswNode node)
{
	HnswMemGraph *mem = bulk->mem;
	HnswMemList *list = hnsw_memgraph_list(mem, node);
	HnswNode	start[HNSW_MAX_EDGES];
	HnswNeighbor *products;
	int			nstart = 0;
	int			n;

	if (list->same != HNSW_INVALID_NODE)
		return;
	if (hnsw_memgraph_first(mem) == 0)
	{
		hnsw_memgraph_link_products(mem, node);
		return;
	}
	for (int i = 0; i < (int) list->nlinks; i++)
	{
		start[nstart] = hnsw_key_node(node, list->link[i]);
		nstart += is_on_page(bulk, start[nstart]);
	}
	n = hnsw_grow_products(bulk->grower, hnsw_memgraph_own(mem, node), start,
						   nstart, &products);
	hnsw_link_add(mem->graph.space, hnsw_memgraph_slot(mem, node),
				  hnsw_memgraph_own(mem, node), products, n);
}

static void
link_products(HnswBulk *bulk)
{
	if (hnsw_wait_for_all(bulk->barrier) && hnsw_memgraph_first(bulk->mem) == 0)
		add_entries(bulk);
	hnsw_wait_for_all(bulk->barrier);
	for_each_node(bulk, &bulk->shared->next_product, add_products, false);
}

/* Memory for the own forms of n nodes on pages, and for the cache. */
static void
prepare_pages(HnswBulk *bulk, int n)
{
	Size		own_bytes = bulk->mem->graph.space->layout.own_bytes;
	uint32		places = pg_prevpower2_32(Max(CACHE_BYTES / own_bytes,
											  MIN_CACHE));

	bulk->own = MemoryContextAllocHuge(CurrentMemoryContext,
									   mul_size(own_bytes, n));
	bulk->cache_mask = places - 1;
	bulk->cache = palloc(mul_size(own_bytes, places));
	bulk->cached_version = palloc(sizeof(uint32) * places);
	bulk->cached = palloc(sizeof(HnswNode) * places);
	for (uint32 i = 0; i < places; i++)
		bulk->cached[i] = HNSW_INVALID_NODE;
}

HnswBulk *
hnsw_bulk_begin(HnswBulkShared *shared, HnswMemGraph *mem, HnswGrower *grower,
				Barrier *barrier)
{
	HnswBulk   *bulk = palloc0(sizeof(HnswBulk));
	int			max = hnsw_candidates_wanted(mem) +
		mem->graph.space->layout.max_edges;

	bulk->shared = shared;
	bulk->mem = mem;
	bulk->grower = grower;
	bulk->barrier = barrier;
	bulk->neighbors = palloc(sizeof(HnswNeighbor) * max);
	bulk->sorted = palloc(sizeof(uint64) * max);
	if (grower != NULL)
		prepare_pages(bulk, max);
	bulk->cells = hnsw_cells_begin(&shared->cells, mem, barrier);
	return bulk;
}

void
hnsw_bulk_end(HnswBulk *bulk)
{
	if (hnsw_wait_for_all(bulk->barrier))
		hnsw_cells_done(bulk->cells);
	hnsw_cells_end(bulk->cells);
	pfree(bulk->neighbors);
	pfree(bulk->sorted);
	if (bulk->grower != NULL)
	{
		pfree(bulk->own);
		pfree(bulk->cache);
		pfree(bulk->cached_version);
		pfree(bulk->cached);
	}
	pfree(bulk);
}

void
hnsw_bulk_link(HnswBulk *bulk, void (*report) (uint32 nodes))
{
	bulk->report = report;

	/* nobody adds rows any longer */
	hnsw_wait_for_all(bulk->barrier);
	for (int level = hnsw_cells_levels(hnsw_memgraph_end(bulk->mem)) - 1;
		 level >= 0; level--)
		link_level(bulk, level);
	hnsw_wait_for_all(bulk->barrier);
	for_each_node(bulk, &bulk->shared->next_offer, offer_back, false);
	for_each_node(bulk, &bulk->shared->next_write, write_edges, true);
	if (hnsw_space_links_products(bulk->mem->graph.space))
		link_products(bulk);
}

void
hnsw_bulk_link_back(HnswBulk *bulk)
{
	for_each_node(bulk, &bulk->shared->next_back, link_back, false);
}
