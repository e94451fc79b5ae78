/*-------------------------------------------------------------------------
 *
 * hnswrepair.c
 *	  Mending the graph around nodes that are about to be freed.
 *
 * A node that names EMPTY ones lets go of them.  If it misses too many edges then,
 * it chooses its neighbours anew, among those it has left and neighbours of the
 * EMPTY nodes: their estimates come with one expansion each, and the best few are
 * read for their own forms, as are the neighbours it has.  No search.  All nodes
 * of a page are decided on a copy and written as one record.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswrepair.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/vacuum.h"
#include "common/hashfn.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskwrite.h"
#include "hnsw/hnswrepair.h"
#include "hnsw/hnswselect.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Decisions anew when a page changed between copy and lock. */
#define MAX_ATTEMPTS		3

/*
 * Edges that a list may miss before it is chosen anew.  Rows that come later fill
 * the gaps with links back, and an autovacuum that frees a fiftieth of the rows
 * at a time would choose every list anew for the one edge it has lost (README,
 * "Lists that miss few edges").
 */
#define MAY_MISS(layout)	((layout)->max_edges / 16)

/*
 * EMPTY nodes expanded for one node.  Those it names come first; more only
 * while there are fewer candidates than edges to replace, which happens when
 * most of a region is deleted.
 */
#define MAX_EXPANSIONS		(2 * HNSW_MAX_EDGES)

/*
 * Candidates whose own forms are read, beyond one for each edge to replace:
 * estimates misplace some, and some turn out occluded (README, "Candidates of a
 * repair").
 */
#define WANTED(missing)		(2 * (missing) + 8)
#define MAX_WANTED			WANTED(HNSW_MAX_EDGES)
#define MAX_NEIGHBORS		(MAX_WANTED + HNSW_MAX_EDGES)

/* room for what the expansions of one node yield; a power of two */
#define MET_SIZE			16384
#define MAX_MET				(MET_SIZE / 2)

/*
 * Own forms that were read, by node number modulo 'size'.  That of a node that
 * is LIVE stays what it is, and only VACUUM changes that, so nothing here goes
 * out of date.
 */
typedef struct OwnCache
{
	uint32		size;
	HnswNode   *node;			/* HNSW_INVALID_NODE: unused */
	uint8	   *own;
} OwnCache;

/* a candidate by estimate */
typedef struct Candidate
{
	float		est;
	HnswNode	node;
} Candidate;

typedef struct Repairer
{
	/* set once */
	HnswIndex  *index;
	HnswDiskGraph *graph;
	BufferAccessStrategy strategy;
	const HnswNodeSet *empty;
	char	   *before;			/* copy of a page */
	char	   *after;			/* the same with new edges */
	bool	   *changed;		/* by slot */
	void	   *query_buffer;
	HnswSlot   *work;			/* the list being made */
	uint8	   *own;			/* own form of the node at hand */
	uint8	   *owns;			/* own forms of the neighbours to be */
	OwnCache	cache;

	/* anew for each node */
	HnswQuery	query;
	HnswNode   *met;			/* hash set: nodes that were looked at */
	uint32		nmet;
	uint32	   *met_at;			/* where they are, to clear them */
	int			nqueue;
	HnswNode	queue[MAX_EXPANSIONS];	/* EMPTY nodes to expand */
	int			wanted;
	int			ncandidates;
	Candidate	candidates[MAX_WANTED]; /* best first */
	int			nneighbors;
	HnswNeighbor neighbors[MAX_NEIGHBORS];
	HnswExpansion exp;
} Repairer;

/* Room for all nodes, or as many as fit into the memory. */
static void
create_cache(OwnCache *cache, HnswIndex *index, Size memory)
{
	Size		own_bytes = index->space.layout.own_bytes;
	uint64		size = Min(hnsw_index_nnodes(index),
						   memory / (own_bytes + sizeof(HnswNode)));

	cache->size = (uint32) Max(size, 1);
	cache->node = palloc_extended(mul_size(cache->size, sizeof(HnswNode)),
								  MCXT_ALLOC_HUGE);
	memset(cache->node, 0xFF, cache->size * sizeof(HnswNode));
	cache->own = palloc_extended(mul_size(cache->size, own_bytes),
								 MCXT_ALLOC_HUGE);
}

static Repairer *
create_repairer(HnswIndex *index, const HnswNodeSet *empty,
				BufferAccessStrategy strategy, Size memory)
{
	const HnswLayout *layout = &index->space.layout;
	Repairer   *r = palloc0(sizeof(Repairer));

	r->index = index;
	r->graph = hnsw_diskgraph_open(index);
	r->strategy = strategy;
	r->empty = empty;
	r->before = palloc(BLCKSZ);
	r->after = palloc(BLCKSZ);
	r->changed = palloc0(layout->nodes_per_page * sizeof(bool));
	r->query_buffer = palloc(Max(hnsw_space_query_bytes(&index->space), 1));
	r->work = palloc0(layout->node_bytes);
	r->own = palloc0(MAXALIGN(layout->own_bytes));
	r->owns = palloc_extended(mul_size(WANTED(layout->max_edges) +
									   layout->max_edges, layout->own_bytes),
							  MCXT_ALLOC_HUGE);
	create_cache(&r->cache, index, memory);
	r->met = palloc(MET_SIZE * sizeof(HnswNode));
	memset(r->met, 0xFF, MET_SIZE * sizeof(HnswNode));	/* HNSW_INVALID_NODE */
	r->met_at = palloc(MAX_MET * sizeof(uint32));
	return r;
}

/* ---- nodes met ---- */

static void
forget_met(Repairer *r)
{
	for (uint32 i = 0; i < r->nmet; i++)
		r->met[r->met_at[i]] = HNSW_INVALID_NODE;
	r->nmet = 0;
}

/* Note a node; false if it was met before, or if there is no more room. */
static bool
meet(Repairer *r, HnswNode node)
{
	uint32		at = murmurhash32(node) % MET_SIZE;

	while (r->met[at] != HNSW_INVALID_NODE)
	{
		if (r->met[at] == node)
			return false;
		at = (at + 1) % MET_SIZE;
	}
	if (r->nmet == MAX_MET || node == HNSW_INVALID_NODE)
		return false;
	r->met[at] = node;
	r->met_at[r->nmet++] = at;
	return true;
}

/* ---- candidates ---- */

/* Insert into the ascending list of the best. */
static void
note_candidate(Repairer *r, HnswNode node, float est)
{
	int			i;

	if (r->ncandidates == r->wanted)
	{
		if (est >= r->candidates[r->wanted - 1].est)
			return;
		r->ncandidates--;
	}
	for (i = r->ncandidates++; i > 0 && r->candidates[i - 1].est > est; i--)
		r->candidates[i] = r->candidates[i - 1];
	r->candidates[i].node = node;
	r->candidates[i].est = est;
}

/*
 * Expand the EMPTY nodes in the queue, and those met on the way as long as
 * too few candidates are known.
 */
static void
gather_candidates(Repairer *r, int missing)
{
	const HnswGraphOps *ops = r->graph->graph.ops;
	int			ndirect = r->nqueue;

	for (int i = 0; i < r->nqueue; i++)
	{
		HnswExpansion *exp = &r->exp;

		if (i >= ndirect && r->ncandidates >= missing)
			break;
		CHECK_FOR_INTERRUPTS();
		exp->own_copy = NULL;
		ops->expand(&r->graph->graph, &r->query, r->queue[i], NULL, exp);
		if (exp->state != HNSW_LIVE && exp->state != HNSW_EMPTY)
			continue;
		for (int e = 0; e < exp->nedges; e++)
		{
			if (!meet(r, exp->edge[e]))
				continue;
			if (!hnsw_nodeset_has(r->empty, exp->edge[e]))
				note_candidate(r, exp->edge[e], exp->est[e]);
			else if (r->nqueue < MAX_EXPANSIONS)
				r->queue[r->nqueue++] = exp->edge[e];
		}
	}
}

static int
compare_neighbors(const void *a, const void *b)
{
	const HnswNeighbor *x = a;
	const HnswNeighbor *y = b;

	if (x->dist != y->dist)
		return x->dist < y->dist ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* Copy the own form of a node; false if it is not LIVE. */
static bool
read_own(Repairer *r, HnswNode node, uint8 *own)
{
	const HnswSpace *space = &r->index->space;
	OwnCache   *cache = &r->cache;
	uint32		at = node % cache->size;
	uint8	   *cached = cache->own + at * (Size) space->layout.own_bytes;

	/* damage can name no node */
	if (node != HNSW_INVALID_NODE && cache->node[at] == node)
	{
		hnsw_space_copy_own(space, own, cached);
		return true;
	}
	if (!hnsw_diskgraph_own(r->graph, node, own, NULL))
		return false;
	hnsw_space_copy_own(space, cached, own);
	cache->node[at] = node;
	return true;
}

/* A node is one more neighbour to be of one with own form 'from', if LIVE. */
static void
read_neighbor(Repairer *r, const uint8 *from, HnswNode node)
{
	const HnswSpace *space = &r->index->space;
	HnswNeighbor *neighbor = &r->neighbors[r->nneighbors];
	uint8	   *own = r->owns + (Size) r->nneighbors * space->layout.own_bytes;

	if (!read_own(r, node, own))
		return;
	neighbor->node = node;
	neighbor->version = 0;		/* lists have none */
	neighbor->dist = hnsw_space_between(space, from, own);
	neighbor->occluded = false;
	neighbor->own = own;
	r->nneighbors++;
}

/*
 * Make the neighbours the list of 'work'.  Edges of 'slot' stay with their codes,
 * so only others need one.
 */
static void
write_edges(Repairer *r, const uint8 *own, HnswSlot *slot)
{
	const HnswSpace *space = &r->index->space;
	const HnswLayout *layout = &space->layout;

	for (int i = 0; i < r->nneighbors; i++)
	{
		HnswNeighbor *neighbor = &r->neighbors[i];
		HnswEdge   *edge = hnsw_slot_edge(r->work, layout, i);

		edge->node = neighbor->node;
		if (hnsw_slot_find_edge(slot, layout, neighbor->node) < 0)
			hnsw_space_edge(space, own, neighbor->own, neighbor->dist,
							edge->code);
		hnsw_slot_set_occluded(r->work, layout, i, neighbor->occluded);
	}
	r->work->nedges = r->nneighbors;
}

/* Choose new edges for 'work' among those it has and the candidates. */
static void
choose_edges(Repairer *r, const uint8 *own, HnswSlot *slot)
{
	const HnswSpace *space = &r->index->space;

	r->nneighbors = 0;
	for (int i = 0; i < r->work->nedges; i++)
		read_neighbor(r, own,
					  hnsw_slot_edge(r->work, &space->layout, i)->node);
	for (int i = 0; i < r->ncandidates; i++)
		read_neighbor(r, own, r->candidates[i].node);
	qsort(r->neighbors, r->nneighbors, sizeof(HnswNeighbor),
		  compare_neighbors);
	r->nneighbors = hnsw_select(space, r->neighbors, r->nneighbors,
								space->layout.max_edges);
	write_edges(r, own, slot);
}

/* ---- one node ---- */

/*
 * Make 'work' the node's list without edges to EMPTY nodes, and queue those.
 * Edges that no list should have, to the node itself or twice to another, go
 * too.
 */
static void
drop_empty_edges(Repairer *r, HnswNode node, HnswSlot *slot)
{
	const HnswLayout *layout = &r->index->space.layout;
	HnswSlot   *work = r->work;
	int			kept = 0;

	memcpy(work, slot, layout->node_bytes);
	memset((char *) work + layout->edges_off, 0,
		   layout->max_edges * layout->edge_bytes);
	memset((char *) work + layout->occluded_off, 0,
		   layout->own_off - layout->occluded_off);

	r->nqueue = 0;
	(void) meet(r, node);
	for (int i = 0; i < slot->nedges; i++)
	{
		HnswEdge   *edge = hnsw_slot_edge(slot, layout, i);

		if (!meet(r, edge->node))
			continue;
		if (hnsw_nodeset_has(r->empty, edge->node))
		{
			r->queue[r->nqueue++] = edge->node;
			continue;
		}
		memcpy(hnsw_slot_edge(work, layout, kept), edge, layout->edge_bytes);
		hnsw_slot_set_occluded(work, layout, kept,
							   hnsw_slot_occluded(slot, layout, i));
		kept++;
	}
	work->nedges = kept;
}

static void
move_edge(const HnswLayout *layout, HnswSlot *to, int i, HnswSlot *from, int j)
{
	memmove(hnsw_slot_edge(to, layout, i), hnsw_slot_edge(from, layout, j),
			layout->edge_bytes);
	hnsw_slot_set_occluded(to, layout, i,
						   hnsw_slot_occluded(from, layout, j));
}

/*
 * Give a slot the edges of 'work', each where it was before if it was there:
 * what does not change costs no WAL.
 */
static void
settle_edges(Repairer *r, HnswSlot *slot)
{
	const HnswLayout *layout = &r->index->space.layout;
	HnswSlot   *work = r->work;
	bool		placed[HNSW_MAX_EDGES] = {0};
	int			holes[HNSW_MAX_EDGES];	/* ascending */
	int			nholes = 0;
	int			nfilled = 0;

	for (int i = 0; i < slot->nedges; i++)
	{
		HnswNode	node = hnsw_slot_edge(slot, layout, i)->node;
		int			j = hnsw_slot_find_edge(work, layout, node);

		if (j < 0 || placed[j])
		{
			holes[nholes++] = i;
			continue;
		}
		placed[j] = true;
		hnsw_slot_set_occluded(slot, layout, i,
							   hnsw_slot_occluded(work, layout, j));
	}

	/* new edges: first into the holes, then behind */
	for (int j = 0; j < work->nedges; j++)
	{
		if (!placed[j])
			move_edge(layout, slot,
					  nfilled < nholes ? holes[nfilled++] : slot->nedges++,
					  work, j);
	}

	/* the last edges move into the holes that remain */
	while (nholes > nfilled)
	{
		int			last = --slot->nedges;
		int			hole = holes[--nholes];

		if (hole != last)
			move_edge(layout, slot, hole, slot, last);
		memset(hnsw_slot_edge(slot, layout, last), 0, layout->edge_bytes);
		hnsw_slot_set_occluded(slot, layout, last, false);
	}
	Assert(slot->nedges == work->nedges);
}

/* Own form of a node whose slot is at hand; NULL if it cannot be read. */
static const uint8 *
load_own(Repairer *r, HnswNode node, HnswSlot *slot)
{
	const HnswLayout *layout = &r->index->space.layout;

	if (layout->pages_per_node == 1)
		return hnsw_slot_own(slot, layout);
	if (hnsw_diskgraph_read(r->graph, node, r->work, r->own) &&
		r->work->version == slot->version)
		return r->own;
	return NULL;
}

/*
 * Take edges to EMPTY nodes from a slot of the copy, and give it others if too
 * few are left.
 */
static void
repair_slot(Repairer *r, HnswNode node, HnswSlot *slot)
{
	const HnswLayout *layout = &r->index->space.layout;
	const uint8 *own = load_own(r, node, slot);
	int			missing;

	forget_met(r);
	drop_empty_edges(r, node, slot);
	missing = layout->max_edges - r->work->nedges;
	if (own != NULL && missing > MAY_MISS(layout))
	{
		hnsw_space_query_own(&r->index->space, own, r->query_buffer,
							 &r->query);
		r->wanted = WANTED(missing);
		r->ncandidates = 0;
		gather_candidates(r, missing);
		choose_edges(r, own, slot);
	}
	settle_edges(r, slot);
}

static bool
names_empty(Repairer *r, HnswSlot *slot)
{
	const HnswLayout *layout = &r->index->space.layout;

	for (int i = 0; i < slot->nedges; i++)
	{
		if (hnsw_nodeset_has(r->empty, hnsw_slot_edge(slot, layout, i)->node))
			return true;
	}
	return false;
}

/* ---- one page ---- */

/* Decide for all nodes of the copy; false if there is nothing to write. */
static bool
repair_copy(Repairer *r, uint32 page)
{
	const HnswLayout *layout = &r->index->space.layout;
	HnswNode	first = hnsw_page_first_node(layout, page);
	bool		any = false;

	memcpy(r->after, r->before, BLCKSZ);
	for (uint32 i = 0; i < layout->nodes_per_page; i++)
	{
		HnswSlot   *slot = hnsw_page_slot((Page) r->after, layout, i);

		r->changed[i] = slot->state == HNSW_LIVE &&
			hnsw_slot_sane(slot, layout) && names_empty(r, slot);
		if (!r->changed[i])
			continue;
		repair_slot(r, first + i, slot);
		any = true;
	}
	return any;
}

static bool
any_changed(Repairer *r)
{
	for (uint32 i = 0; i < r->index->space.layout.nodes_per_page; i++)
	{
		if (r->changed[i])
			return true;
	}
	return false;
}

static void
repair_page(Repairer *r, uint32 page)
{
	HnswIndex  *index = r->index;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_NODE, page);

	for (int i = 0; i < MAX_ATTEMPTS; i++)
	{
		if (!hnsw_store_copy(index->rel, block, HNSW_PAGE_NODE, r->before,
							 r->strategy) ||
			!repair_copy(r, page))
			return;
		HNSW_POINT("vacuum-repair-before-write");
		hnsw_diskgraph_relink(r->graph, page, r->before, r->after, r->changed);
		HNSW_POINT("vacuum-repair-after-write");
		if (!any_changed(r))
			return;
	}

	/* somebody changes this page all the time: at least let go */
	hnsw_diskgraph_drop_edges(r->graph, page, r->empty);
}

void
hnsw_repair_edges(HnswIndex *index, const HnswNodeSet *empty,
				  BufferAccessStrategy strategy, Size memory)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw repair",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Repairer   *r = create_repairer(index, empty, strategy, memory);
	uint32		npages;

	/* H63: nodes made since the set was read may name EMPTY ones too */
	hnsw_index_refresh(index);
	npages = index->meta->npages[HNSW_PAGE_NODE];
	for (uint32 page = 0; page < npages;
		 page += index->space.layout.pages_per_node)
	{
		compat_vacuum_delay_point();
		repair_page(r, page);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/* ---- entries ---- */

typedef struct EntryRepair
{
	HnswIndex  *index;
	HnswDiskGraph *graph;
	const HnswNodeSet *empty;
	HnswNodeSet taken;			/* nodes that are entries already */
	HnswNodeSet kept;			/* those whose record has been looked at */
	HnswSlot   *slot;
	HnswSlot   *other;
	uint8	   *own;
	uint8	   *flat_code;
} EntryRepair;

/* Copy the head of an entry record; false if its page cannot be read. */
static bool
read_entry(HnswIndex *index, uint32 number, HnswEntry *entry)
{
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

/* Can this node be an entry?  Then r->other and r->own are its. */
static bool
is_eligible(EntryRepair *r, HnswNode node)
{
	return !hnsw_nodeset_has(r->empty, node) &&
		!hnsw_nodeset_has(&r->taken, node) &&
		hnsw_diskgraph_read(r->graph, node, r->other, r->own) &&
		r->other->state == HNSW_LIVE;
}

/*
 * A LIVE neighbour of the node that goes, or of whatever is in its slot now.
 * Its slot is left in r->other.
 */
static HnswNode
find_successor(EntryRepair *r, HnswNode node)
{
	const HnswLayout *layout = &r->index->space.layout;

	if (!hnsw_diskgraph_read(r->graph, node, r->slot, NULL) ||
		(r->slot->state != HNSW_LIVE && r->slot->state != HNSW_EMPTY))
		return HNSW_INVALID_NODE;

	for (int i = 0; i < r->slot->nedges; i++)
	{
		HnswNode	neighbor = hnsw_slot_edge(r->slot, layout, i)->node;

		if (is_eligible(r, neighbor))
			return neighbor;
	}
	return HNSW_INVALID_NODE;
}

/*
 * May an entry stay as it is?  Its node can be the successor that an earlier
 * VACUUM chose while the insert of that node made it an entry, too.
 */
static bool
is_sound(EntryRepair *r, const HnswEntry *entry)
{
	return !hnsw_nodeset_has(r->empty, entry->node) &&
		!hnsw_nodeset_has(&r->kept, entry->node) &&
		hnsw_diskgraph_read(r->graph, entry->node, r->slot, NULL) &&
		r->slot->version == entry->version &&
		r->slot->state == HNSW_LIVE;
}

/* Replace one entry if its node is EMPTY or gone, or has another one. */
static void
repair_entry(EntryRepair *r, uint32 number, const HnswEntry *entry)
{
	HnswNode	successor;

	if (entry->node == HNSW_INVALID_NODE)
		return;
	if (is_sound(r, entry))
	{
		hnsw_nodeset_add(&r->kept, entry->node);
		return;
	}

	successor = find_successor(r, entry->node);
	if (successor != HNSW_INVALID_NODE)
	{
		hnsw_space_flat(&r->index->space, r->own, r->flat_code);
		hnsw_nodeset_add(&r->taken, successor);
	}
	HNSW_POINT("vacuum-before-entry-replace");
	(void) hnsw_diskgraph_replace_entry(r->graph, number, entry, successor,
										r->other->version, r->flat_code);
	HNSW_POINT("vacuum-after-entry-replace");
}

void
hnsw_repair_entries(HnswIndex *index, const HnswNodeSet *empty)
{
	const HnswLayout *layout = &index->space.layout;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw repair entries",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	EntryRepair r = {.index = index, .empty = empty};
	HnswEntry	entry;

	hnsw_index_refresh(index);
	r.graph = hnsw_diskgraph_open(index);
	hnsw_nodeset_create(&r.taken, hnsw_index_nnodes(index));
	hnsw_nodeset_create(&r.kept, hnsw_index_nnodes(index));
	r.slot = palloc0(layout->node_bytes);
	r.other = palloc0(layout->node_bytes);
	r.own = palloc0(layout->own_bytes);
	r.flat_code = palloc0(Max(layout->flat_code_bytes, 1));

	for (uint32 i = 0; i < index->meta->nentries; i++)
	{
		if (read_entry(index, i, &entry))
			hnsw_nodeset_add(&r.taken, entry.node);
		else if (i % layout->entries_per_page == 0)
			ereport(WARNING,
					(errcode(ERRCODE_INDEX_CORRUPTED),
					 errmsg("index \"%s\" contains unexpected page at block %u",
							RelationGetRelationName(index->rel),
							hnsw_index_block(index, HNSW_PAGE_ENTRY,
											 i / layout->entries_per_page)),
					 errhint("Please REINDEX it.")));
	}
	for (uint32 i = 0; i < index->meta->nentries; i++)
	{
		compat_vacuum_delay_point();
		if (read_entry(index, i, &entry))
			repair_entry(&r, i, &entry);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
