/*-------------------------------------------------------------------------
 *
 * hnswgrow.c
 *	  Inserting one value into the graph on pages.
 *
 * The order of steps is the crash safety: the node first, which nobody can
 * reach yet (W2), then the back-links, a few in a record (W4), then an entry
 * record if one is due (W5).  Whatever is missing when a crash or an error comes
 * between belongs to a row that is dead.
 *
 * Differences from the paper: the new node gets as many links as a list holds,
 * not M, and a full list of a neighbour is not selected anew but changed by one
 * edge, judged by codes that are in its own page.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswgrow.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskwrite.h"
#include "hnsw/hnswgrow.h"
#include "hnsw/hnswnear.h"
#include "hnsw/hnswselect.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Decisions anew when a list changed between copy and lock. */
#define MAX_ATTEMPTS		3

/*
 * One insert in so many looks for an unused entry record: a few page reads.
 * Chosen: entries are few, and one that is missing costs little.
 */
#define UNUSED_ENTRY_LOOKS	16

/*
 * Back-links that are made also where they only fill a full list.  Chosen:
 * most nodes have more that are better than that.
 */
#define MIN_LINKS(m)		(((m) + 1) / 2)

/*
 * A node that has left a list is not adopted if so many others are known to lead
 * to it.  With fewer, some lead to each other only (README, "What leaves a full
 * list").
 */
#define ENOUGH_WAYS			3

/* near nodes that the search for product links starts from */
#define MAX_START			4

struct HnswGrower
{
	/* set once */
	MemoryContext context;
	HnswIndex  *index;
	HnswDiskGraph *graph;
	HnswNear   *near;			/* the search for neighbours */
	HnswNear   *products;		/* the search for product links, or NULL */
	float	   *scratch;		/* of hnsw_space_own */
	void	   *query_buffer;	/* of hnsw_space_query_own */
	uint8	   *codes;			/* edge codes of the links of a record */
	HnswLink   *links;			/* back-links of a record */
	HnswKnown	known;			/* distances of all candidates */

	/* anew for each value */
	HnswQuery	query;
	uint8	   *own;
	HnswFlat   *flat;
	HnswSlot   *slot;			/* the new node */
	HnswSlot   *other;			/* copy of a neighbour */
	uint8	   *other_own;		/* its own form, where that is needed */
	HnswSlot   *witness;		/* copy of a neighbour of that */
	int			ncandidates;
	HnswNeighbor *candidates;	/* in memory of 'near'; after selection: the
								 * chosen ones */
	int			nadopted;
	HnswNode	adopted[HNSW_MAX_EDGES];	/* nodes that rely on its links */
};

HnswGrower *
hnsw_grow_begin(HnswIndex *index)
{
	const HnswLayout *layout = &index->space.layout;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw insert",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HnswGrower *grower = palloc0(sizeof(HnswGrower));

	grower->context = context;
	grower->index = index;
	grower->graph = hnsw_diskgraph_open(index);
	grower->near = hnsw_near_begin(&grower->graph->graph,
								   hnsw_build_pool(index));
	if (hnsw_space_links_products(&index->space))
		grower->products = hnsw_near_begin(&grower->graph->graph,
										   HNSW_PRODUCT_POOL);
	grower->scratch = palloc0(sizeof(float) *
							  Max(hnsw_space_scratch(&index->space), 1));
	grower->query_buffer = palloc0(Max(hnsw_space_query_bytes(&index->space),
									   1));
	grower->codes = palloc0((Size) layout->max_edges *
							layout->edge_code_bytes);
	grower->links = palloc0(sizeof(HnswLink) * layout->max_edges);
	hnsw_known_create(&grower->known, hnsw_near_max(grower->near));
	grower->own = palloc0(layout->own_bytes);
	grower->flat = palloc0(layout->flat_bytes);
	grower->slot = palloc0(layout->node_bytes);
	grower->other = palloc0(layout->node_bytes);
	grower->other_own = palloc0(layout->own_bytes);
	grower->witness = palloc0(layout->node_bytes);
	MemoryContextSwitchTo(old);
	return grower;
}

void
hnsw_grow_end(HnswGrower *grower)
{
	MemoryContextDelete(grower->context);
}

/* Search with the new value's own form as the query. */
static void
find_candidates(HnswGrower *grower)
{
	hnsw_space_query_own(&grower->index->space, grower->own,
						 grower->query_buffer, &grower->query);
	grower->ncandidates = hnsw_near_search(grower->near, &grower->query,
										   HNSW_INVALID_NODE,
										   &grower->candidates);
}

/*
 * append_to_same -- W3: if a LIVE node has the same own form, the row becomes
 * one of that node.  A node that is gone is dropped from the candidates.
 */
static bool
append_to_same(HnswGrower *grower, ItemPointer tid)
{
	const HnswSpace *space = &grower->index->space;
	HnswNeighbor *candidates = grower->candidates;

	for (int i = 0; i < grower->ncandidates; i++)
	{
		HnswOutcome outcome = HNSW_CHANGED;

		if (!hnsw_space_same(space, candidates[i].own, grower->own))
			continue;

		HNSW_POINT("insert-dup-before-append");
		for (int n = 0; n < MAX_ATTEMPTS && outcome == HNSW_CHANGED; n++)
			outcome = hnsw_diskgraph_append_tid(grower->graph,
												candidates[i].node,
												candidates[i].version,
												grower->own, tid);
		if (outcome == HNSW_DONE)
			return true;
		if (outcome == HNSW_GONE)
		{
			grower->ncandidates--;
			memmove(&candidates[i], &candidates[i + 1],
					sizeof(HnswNeighbor) * (grower->ncandidates - i));
		}
		break;
	}
	return false;
}

int
hnsw_grow_products(HnswGrower *grower, const uint8 *own,
				   const HnswNode *start, int n, HnswNeighbor **products)
{
	const HnswSpace *space = &grower->index->space;

	hnsw_space_query_product(space, own, grower->query_buffer, &grower->query);
	n = hnsw_near_search_from(grower->products, &grower->query, start,
							  Min(n, MAX_START), HNSW_INVALID_NODE, products);
	n = hnsw_select_products(space, *products, n,
							 hnsw_space_max_products(space));

	/* those that only fill must not make way for back-links of rows to come */
	for (int i = 0; i < n; i++)
		(*products)[i].occluded = false;
	return n;
}

/* Product links for the new value, beginning near it. */
static int
find_products(HnswGrower *grower, HnswNeighbor **products)
{
	HnswNode	start[MAX_START];
	int			n = Min(grower->ncandidates, MAX_START);

	for (int i = 0; i < n; i++)
		start[i] = grower->candidates[i].node;
	return hnsw_grow_products(grower, grower->own, start, n, products);
}

static bool
is_adopted(const HnswGrower *grower, HnswNode node)
{
	for (int i = 0; i < grower->nadopted; i++)
	{
		if (grower->adopted[i] == node)
			return true;
	}
	return false;
}

static bool
is_among(const HnswNeighbor *neighbors, int n, HnswNode node)
{
	for (int i = 0; i < n; i++)
	{
		if (neighbors[i].node == node)
			return true;
	}
	return false;
}

/*
 * Choose neighbours among the candidates; where there are product links, these
 * stand behind those nearby, and these are fewer.
 */
static void
choose_neighbors(HnswGrower *grower)
{
	const HnswSpace *space = &grower->index->space;
	HnswNeighbor *products = NULL;
	int			nproducts = 0;
	int			n;

	if (grower->products != NULL)
		nproducts = find_products(grower, &products);
	n = hnsw_select(space, grower->candidates, grower->ncandidates,
					space->layout.max_edges - nproducts);
	for (int i = 0; i < nproducts; i++)
	{
		HnswNeighbor *new = &products[i];

		if (is_among(grower->candidates, n, new->node))
			continue;
		new->dist = hnsw_space_between(space, grower->own, new->own);
		grower->candidates[n++] = *new;
	}
	grower->ncandidates = n;
}

/* What deciding on back-links knows: how far the candidates are. */
static void
note_distances(HnswGrower *grower)
{
	hnsw_known_clear(&grower->known);
	for (int i = 0; i < grower->ncandidates; i++)
		hnsw_known_add(&grower->known, grower->candidates[i].node,
					   grower->candidates[i].dist);
}

/* W2: choose neighbours and write the node. */
static HnswNode
write_new_node(HnswGrower *grower, ItemPointer tid, uint32 *version)
{
	const HnswSpace *space = &grower->index->space;
	const HnswLayout *layout = &space->layout;
	HnswSlot   *slot = grower->slot;

	note_distances(grower);
	choose_neighbors(grower);

	memset(slot, 0, layout->node_bytes);
	slot->state = HNSW_LIVE;
	slot->ntids = 1;
	slot->nhere = 1;
	slot->tids[0] = *tid;
	slot->next = HNSW_INVALID_NODE;
	memcpy(hnsw_slot_own(slot, layout), grower->own, layout->own_here);
	hnsw_link_write(space, slot, grower->own, grower->candidates,
					grower->ncandidates);

	memset(grower->flat, 0, layout->flat_bytes);
	hnsw_space_flat(space, grower->own, grower->flat->code);

	return hnsw_diskgraph_claim(grower->graph, slot, grower->own,
								grower->flat, version);
}

/* which back-links a neighbour shall take */
typedef enum LinkWish
{
	LINK_BETTER,				/* not in place of one that is as good */
	LINK_NEARER,				/* as the list would have it */
	LINK_ANY					/* whatever has to leave */
} LinkWish;

/* what deciding on a back-link came to */
typedef enum Decision
{
	LINK_WANTED,				/* *link says what to write */
	LINK_THERE,					/* it is in the list already */
	LINK_REFUSED				/* the neighbour is gone, or as well off */
} Decision;

/* Would the edge be one that only fills the list, in place of another? */
static bool
is_mere_exchange(const HnswPlacement *placement)
{
	return placement->victim != HNSW_INVALID_NODE &&
		(placement->occluded[placement->at / 8] >> (placement->at % 8)) & 1;
}

/* Decide on a copy of a neighbour's list where the new node goes. */
static Decision
decide_link(HnswGrower *grower, const HnswNeighbor *neighbor, HnswNode node,
			uint32 version, LinkWish wish, uint8 *code, HnswLink *link)
{
	const HnswSpace *space = &grower->index->space;
	HnswSlot   *other = grower->other;
	HnswNeighbor new = {
		.node = node,
		.version = version,
		.dist = neighbor->dist,
		.own = grower->own
	};

	if (!hnsw_diskgraph_read(grower->graph, neighbor->node, other, NULL) ||
		other->state != HNSW_LIVE || other->version != neighbor->version)
		return LINK_REFUSED;
	hnsw_space_edge(space, neighbor->own, grower->own, neighbor->dist, code);
	link->node = neighbor->node;
	link->version = neighbor->version;
	link->code = code;
	if (!hnsw_link_place(space, other, neighbor->own, &new, code,
						 &grower->known, wish == LINK_ANY, &link->placement))
		return link->placement.victim == node ? LINK_THERE : LINK_REFUSED;
	if (wish == LINK_BETTER && is_mere_exchange(&link->placement))
		return LINK_REFUSED;
	return LINK_WANTED;
}

/*
 * Where the new node takes a link to 'victim': in place of one that it has
 * chosen, rather of one that only fills its list.  Nobody relies on these yet,
 * as they do on those adopted before, but some of them are what leads from it.
 * Returns false if there is none to spare, or such a link is there.
 */
static bool
place_adopted(HnswGrower *grower, HnswSlot *slot, HnswNode victim,
			  HnswPlacement *placement)
{
	const HnswLayout *layout = &grower->index->space.layout;
	int			nchosen = 0;
	bool		found_occluded = false;

	memset(placement, 0, sizeof(HnswPlacement));
	placement->nedges = slot->nedges;
	placement->at = slot->nedges;
	placement->victim = HNSW_INVALID_NODE;
	memcpy(placement->occluded, (uint8 *) slot + layout->occluded_off,
		   (slot->nedges + 7) / 8);
	for (int i = 0; i < slot->nedges; i++)
	{
		HnswNode	node = hnsw_slot_edge(slot, layout, i)->node;
		bool		occluded = hnsw_slot_occluded(slot, layout, i);

		if (node == victim)
			return false;
		if (!is_among(grower->candidates, grower->ncandidates, node) ||
			is_adopted(grower, node))
			continue;
		nchosen++;
		if (slot->nedges < layout->max_edges || (found_occluded && !occluded))
			continue;
		placement->at = i;
		placement->victim = node;
		found_occluded = occluded;
	}
	if (placement->at == layout->max_edges ||
		(placement->victim != HNSW_INVALID_NODE &&
		 nchosen <= MIN_LINKS(grower->index->meta->m)))
		return false;
	placement->occluded[placement->at / 8] &= ~(1 << (placement->at % 8));
	return true;
}

/*
 * Do enough of those that a node has links to have one to it?  Others may have,
 * too, but nobody knows them.
 */
static bool
is_led_to(HnswGrower *grower, HnswNode node, HnswSlot *slot)
{
	const HnswLayout *layout = &grower->index->space.layout;
	HnswSlot   *from = grower->witness;
	int			nways = 0;

	for (int i = 0; i < slot->nedges && nways < ENOUGH_WAYS; i++)
	{
		if (hnsw_diskgraph_read(grower->graph,
								hnsw_slot_edge(slot, layout, i)->node,
								from, NULL) &&
			from->state == HNSW_LIVE &&
			hnsw_slot_find_edge(from, layout, node) >= 0)
			nways++;
	}
	return nways == ENOUGH_WAYS;
}

/*
 * adopt -- the new node takes a link to one that has left a full list for it.
 *
 * Who led to the victim leads to the new node now, and by that to the victim:
 * what could be reached still can.
 */
static void
adopt(HnswGrower *grower, HnswNode node, uint32 version, HnswNode victim)
{
	const HnswSpace *space = &grower->index->space;
	HnswSlot   *slot = grower->other;
	float		dist;

	if (victim == HNSW_INVALID_NODE ||
		grower->nadopted == HNSW_MAX_EDGES || is_adopted(grower, victim))
		return;
	grower->adopted[grower->nadopted++] = victim;
	if (is_among(grower->candidates, grower->ncandidates, victim) ||
		!hnsw_diskgraph_read(grower->graph, victim, slot, grower->other_own) ||
		slot->state != HNSW_LIVE || is_led_to(grower, victim, slot))
		return;
	dist = hnsw_space_between(space, grower->own, grower->other_own);
	hnsw_space_edge(space, grower->own, grower->other_own, dist,
					grower->codes);

	for (int i = 0; i < MAX_ATTEMPTS; i++)
	{
		HnswLink	link = {.node = node,.version = version,.code = grower->codes};

		if (!hnsw_diskgraph_read(grower->graph, node, slot, NULL) ||
			slot->state != HNSW_LIVE || slot->version != version ||
			!place_adopted(grower, slot, victim, &link.placement))
			return;
		hnsw_diskgraph_link(grower->graph, &link, 1, victim);
		if (link.outcome != HNSW_CHANGED)
			return;
	}
}

/* Decide and write for one neighbour, again if its list has changed. */
static bool
link_one(HnswGrower *grower, const HnswNeighbor *neighbor, HnswNode node,
		 uint32 version, LinkWish wish)
{
	for (int i = 0; i < MAX_ATTEMPTS; i++)
	{
		HnswLink	link;
		Decision	decision = decide_link(grower, neighbor, node, version,
										   wish, grower->codes, &link);

		if (decision != LINK_WANTED)
			return decision == LINK_THERE;
		hnsw_diskgraph_link(grower->graph, &link, 1, node);
		if (link.outcome == HNSW_DONE)
			adopt(grower, node, version, link.placement.victim);
		if (link.outcome != HNSW_CHANGED)
			return link.outcome == HNSW_DONE;
	}
	return false;
}

/* Back-links that have been decided on and not yet written: W4. */
typedef struct Batch
{
	int			nlinks;			/* their HnswLinks are in grower->links */
	int			npages;			/* that they lie on */
	const HnswNeighbor *from[HNSW_MAX_EDGES];
} Batch;

/* Write a batch, and set *linked, by candidate, of those that succeed. */
static void
write_batch(HnswGrower *grower, Batch *batch, HnswNode node, uint32 version,
			bool *linked)
{
	const HnswLink *links = grower->links;

	if (batch->nlinks == 0)
		return;
	HNSW_POINT("insert-before-backlink");
	hnsw_diskgraph_link(grower->graph, grower->links, batch->nlinks, node);
	for (int i = 0; i < batch->nlinks; i++)
		linked[batch->from[i] - grower->candidates] =
			links[i].outcome == HNSW_DONE;
	for (int i = 0; i < batch->nlinks; i++)
	{
		if (links[i].outcome == HNSW_DONE)
			adopt(grower, node, version, links[i].placement.victim);
	}
	for (int i = 0; i < batch->nlinks; i++)
	{
		if (links[i].outcome == HNSW_CHANGED)
			linked[batch->from[i] - grower->candidates] =
				link_one(grower, batch->from[i], node, version, LINK_BETTER);
	}
	batch->nlinks = batch->npages = 0;
}

static int
compare_places(const void *a, const void *b)
{
	const HnswNeighbor *x = *(const HnswNeighbor *const *) a;
	const HnswNeighbor *y = *(const HnswNeighbor *const *) b;

	return x->node < y->node ? -1 : x->node > y->node;
}

/*
 * Back-links from all neighbours that are better off with one, as many pages in
 * a record as an edit takes.  Sets *linked of all neighbours.
 */
static void
link_all(HnswGrower *grower, HnswNode node, uint32 version, bool *linked)
{
	const HnswLayout *layout = &grower->index->space.layout;
	const HnswNeighbor *sorted[HNSW_MAX_EDGES];
	int			n = grower->ncandidates;
	Batch		batch = {0};

	for (int i = 0; i < n; i++)
		sorted[i] = &grower->candidates[i];
	qsort(sorted, n, sizeof(HnswNeighbor *), compare_places);

	for (int i = 0; i < n; i++)
	{
		Decision	decision;
		bool		same_page = batch.nlinks > 0 &&
			hnsw_node_page(layout, sorted[i]->node) ==
			hnsw_node_page(layout, batch.from[batch.nlinks - 1]->node);

		HNSW_POINT("insert-between-backlinks");
		CHECK_FOR_INTERRUPTS();
		if (batch.npages == HNSW_EDIT_PAGES && !same_page)
		{
			write_batch(grower, &batch, node, version, linked);
			same_page = false;
		}
		decision = decide_link(grower, sorted[i], node, version, LINK_BETTER,
							   grower->codes + (Size) batch.nlinks *
							   layout->edge_code_bytes,
							   &grower->links[batch.nlinks]);
		linked[sorted[i] - grower->candidates] = decision == LINK_THERE;
		if (decision == LINK_WANTED)
		{
			batch.npages += !same_page;
			batch.from[batch.nlinks++] = sorted[i];
		}
	}
	write_batch(grower, &batch, node, version, linked);
}

/*
 * write_back_links -- from all neighbours that are better off with one, then
 * from the nearest others until there are MIN_LINKS of them; from one of them
 * in any case, the nearest that can be had.  Returns false if there is none.
 * nlinks: links from elsewhere, which count.
 *
 * Where a point in the middle is nearer to all than they are to each other,
 * almost every link is occluded; without the second step the graph falls apart.
 */
static bool
write_back_links(HnswGrower *grower, HnswNode node, uint32 version,
				 int nlinks)
{
	bool		linked[HNSW_MAX_EDGES];
	int			min_links = MIN_LINKS(grower->index->meta->m);
	int			n = grower->ncandidates;

	grower->nadopted = 0;
	link_all(grower, node, version, linked);
	for (int i = 0; i < n; i++)
		nlinks += linked[i];
	for (int i = 0; i < n && nlinks < min_links; i++)
	{
		if (!linked[i])
			nlinks += link_one(grower, &grower->candidates[i], node, version,
							   LINK_NEARER);
	}
	for (int i = 0; i < n && nlinks == 0; i++)
		nlinks += link_one(grower, &grower->candidates[i], node, version,
						   LINK_ANY);
	return nlinks > 0;
}

/* Copy the head of an entry record; false if its page cannot be read. */
static bool
read_entry(HnswGrower *grower, uint32 number, HnswEntry *entry)
{
	HnswIndex  *index = grower->index;
	const HnswLayout *layout = &index->space.layout;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY,
										 number / layout->entries_per_page);
	HnswPageRef ref;

	if (block == InvalidBlockNumber ||
		!hnsw_store_open(index->rel, block, HNSW_PAGE_ENTRY, &ref))
		return false;
	memcpy(entry, hnsw_page_entry(ref.page, layout, number),
		   sizeof(HnswEntry));
	hnsw_store_close(&ref);
	return true;
}

/* An entry record that leads nowhere, or -1. */
static int64
find_stale_entry(HnswGrower *grower)
{
	for (uint32 i = 0; i < grower->index->meta->nentries; i++)
	{
		HnswEntry	entry;

		CHECK_FOR_INTERRUPTS();
		if (!read_entry(grower, i, &entry))
			continue;
		if (entry.node == HNSW_INVALID_NODE ||
			!hnsw_diskgraph_read(grower->graph, entry.node, grower->other,
								 NULL) ||
			grower->other->version != entry.version ||
			grower->other->state == HNSW_FREE ||
			grower->other->state == HNSW_TIDS)
			return i;
	}
	return -1;
}

/* Let the first unused entry record, if there is one, name the new node. */
static void
fill_unused_entry(HnswGrower *grower, HnswNode node, uint32 version)
{
	for (uint32 i = 0; i < grower->index->meta->nentries; i++)
	{
		HnswEntry	entry;

		if (!read_entry(grower, i, &entry) ||
			entry.node != HNSW_INVALID_NODE)
			continue;
		HNSW_POINT("insert-before-entry");
		(void) hnsw_diskgraph_replace_entry(grower->graph, i, &entry, node,
											version, grower->flat->code);
		HNSW_POINT("insert-after-entry");
		return;
	}
}

/* Has the index as many entry records as it should have? */
static bool
has_enough_entries(const HnswIndex *index)
{
	return index->meta->nentries >=
		hnsw_entry_target(&index->space, hnsw_index_nnodes(index));
}

/*
 * add_entry_if_due -- W5: the new node becomes an entry if nothing else leads
 * to it, or if the index has fewer entries than it should.
 *
 * VACUUM leaves records unused where it finds no successor, all of them when it
 * empties a table; now and then an insert looks for one.
 */
static void
add_entry_if_due(HnswGrower *grower, HnswNode node, uint32 version,
				 bool linked)
{
	HnswIndex  *index = grower->index;
	int64		stale = -1;

	if (linked && has_enough_entries(index))
	{
		if (node % UNUSED_ENTRY_LOOKS == UNUSED_ENTRY_LOOKS - 1)
			fill_unused_entry(grower, node, version);
		return;
	}

	/* the copy may be old: others may have added the missing ones */
	hnsw_index_refresh(index);
	if (linked && has_enough_entries(index))
		return;
	if (!linked)
		stale = find_stale_entry(grower);

	HNSW_POINT("insert-before-entry");
	hnsw_index_add_entry(index, node, version, grower->flat->code, stale);
	HNSW_POINT("insert-after-entry");
}

bool
hnsw_grow_encode(HnswGrower *grower, const void *value)
{
	return hnsw_space_own(&grower->index->space, value, grower->scratch,
						  grower->own);
}

void
hnsw_grow_encoded(HnswGrower *grower, ItemPointer tid)
{
	HnswNode	node;
	uint32		version;
	bool		linked;

	find_candidates(grower);
	HNSW_POINT("insert-after-search");
	if (append_to_same(grower, tid))
		return;

	node = write_new_node(grower, tid, &version);
	HNSW_POINT("insert-after-node");
	linked = write_back_links(grower, node, version, 0);
	add_entry_if_due(grower, node, version, linked);
}

bool
hnsw_grow_insert(HnswGrower *grower, const void *value, ItemPointer tid)
{
	if (!hnsw_grow_encode(grower, value))
		return false;
	hnsw_grow_encoded(grower, tid);
	return true;
}

/* ---- batches ---- */

HnswDiskGraph *
hnsw_grow_graph(HnswGrower *grower)
{
	return grower->graph;
}

void
hnsw_grow_append(HnswGrower *grower, HnswNode to, const uint8 *own,
				 ItemPointer tid)
{
	HnswOutcome outcome = HNSW_CHANGED;

	while (outcome == HNSW_CHANGED)
	{
		CHECK_FOR_INTERRUPTS();
		outcome = hnsw_diskgraph_append_tid(grower->graph, to, 0, own, tid);
	}
	if (outcome == HNSW_GONE)
		ereport(ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" lost node %u while it was built",
						RelationGetRelationName(grower->index->rel), to)));
}

void
hnsw_grow_link(HnswGrower *grower, HnswNode node, uint32 version,
			   const uint8 *own, HnswNeighbor *neighbors, int n, int nlinks)
{
	memcpy(grower->own, own, grower->index->space.layout.own_bytes);
	grower->candidates = neighbors;
	grower->ncandidates = n;
	note_distances(grower);
	if (n > 0)
		(void) write_back_links(grower, node, version, nlinks);
}
