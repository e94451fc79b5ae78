/*-------------------------------------------------------------------------
 *
 * hnswreach.c
 *	  Mending the graph on pages: to nodes that no search would reach (V6).
 *
 * A breadth-first search over the whole graph needs a queue as long as the
 * graph is wide.  Here are bits for each node instead, reached and expanded, and
 * passes over the pages in block order: each expands the nodes that are reached
 * and not yet expanded, which reaches others, until there are none.  Nodes
 * behind the cursor wait for the next pass; a handful of passes is enough, and
 * all but the first two or three touch few pages.
 *
 * What is left is linked from the nearest reached node among its own
 * neighbours.  Such a link can evict another one, so the search is repeated
 * until nothing is left; the last means, an entry record, evicts nothing.
 *
 * Only nodes that were there when the first pass came by are looked at: whoever
 * makes another one sees to it that a search can reach it.  A pass over what is
 * left reads nothing else, however many inserts go on meanwhile.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswreach.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/vacuum.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskwrite.h"
#include "hnsw/hnswrepair.h"
#include "hnsw/hnswselect.h"
#include "utils/memutils.h"

/* Searches in which links may evict others; chosen, two are rarely needed. */
#define MAX_ROUNDS			4

/* Neighbours that are asked, nearest first, to take a link in. */
#define MAX_ASKED			8

/* Decisions anew when a list changed between copy and lock. */
#define MAX_ATTEMPTS		3

/*
 * A pass over the unreached nodes that links less than this part of them is the
 * last one without entries, so that all passes together read a node so often
 * at most.
 */
#define WORTHWHILE_PART		8

typedef struct Reach
{
	HnswIndex  *index;
	HnswDiskGraph *graph;
	HnswNodeSet live;			/* the nodes to be reached */
	HnswNodeSet reached;
	HnswNodeSet expanded;
	char	   *page;			/* copy of a page */
	bool		page_ok;		/* it could be read */
	HnswSlot   *slot;			/* an unreached node */
	uint8	   *own;
	HnswSlot   *other;			/* a neighbour of it */
	uint8	   *other_own;
	uint8	   *code;			/* an edge code */
	uint8	   *flat_code;
	bool		evicted;		/* a link was lost for another one */
} Reach;

static Reach *
create_reach(HnswIndex *index)
{
	const HnswLayout *layout = &index->space.layout;
	uint64		nnodes = hnsw_index_nnodes(index);
	Reach	   *r = palloc0(sizeof(Reach));

	r->index = index;
	r->graph = hnsw_diskgraph_open(index);
	hnsw_nodeset_create(&r->live, nnodes);
	hnsw_nodeset_create(&r->reached, nnodes);
	hnsw_nodeset_create(&r->expanded, nnodes);
	r->page = palloc(BLCKSZ);
	r->slot = palloc0(layout->node_bytes);
	r->own = palloc0(layout->own_bytes);
	r->other = palloc0(layout->node_bytes);
	r->other_own = palloc0(layout->own_bytes);
	r->code = palloc0(layout->edge_code_bytes);
	r->flat_code = palloc0(Max(layout->flat_code_bytes, 1));
	return r;
}

/* ---- the search ---- */

/* First node not below 'from' that is in one set and not in another; else 'end'. */
static uint64
next_between(const HnswNodeSet *in, const HnswNodeSet *out, uint64 from,
			 uint64 end)
{
	while (from < end)
	{
		uint64		word = from / HNSW_NODES_PER_WORD;
		uint64		bits = (in->words[word] & ~out->words[word]) >>
			(from % HNSW_NODES_PER_WORD);

		if (bits != 0)
		{
			while (!(bits & 1))
			{
				bits >>= 1;
				from++;
			}
			return from;
		}
		from = (word + 1) * HNSW_NODES_PER_WORD;
	}
	return end;
}

/* First node not below 'from' that is reached and not expanded; else the end. */
static uint64
next_pending(const Reach *r, uint64 from)
{
	return next_between(&r->reached, &r->expanded, from, r->reached.end);
}

/* First node not below 'from' that is not reached and should be; else the end. */
static uint64
next_lost(const Reach *r, uint64 from)
{
	return next_between(&r->live, &r->reached, from, r->live.end);
}

/* Copy a page of nodes; where it cannot be read, nothing is on it. */
static void
read_page(Reach *r, uint32 page)
{
	BlockNumber block = hnsw_index_block(r->index, HNSW_PAGE_NODE, page);

	r->page_ok = hnsw_store_copy(r->index->rel, block, HNSW_PAGE_NODE,
								 r->page, NULL);
}

/* Note the LIVE nodes of the copy, which begins with 'first'. */
static void
note_live(Reach *r, HnswNode first)
{
	const HnswLayout *layout = &r->index->space.layout;

	for (uint32 i = 0; r->page_ok && i < layout->nodes_per_page; i++)
	{
		if (hnsw_page_slot((Page) r->page, layout, i)->state == HNSW_LIVE)
			hnsw_nodeset_add(&r->live, first + i);
	}
}

/* Expand the pending nodes of the copy. */
static void
expand_page(Reach *r, HnswNode first)
{
	const HnswLayout *layout = &r->index->space.layout;

	for (uint32 i = 0; i < layout->nodes_per_page; i++)
	{
		HnswSlot   *slot = hnsw_page_slot((Page) r->page, layout, i);

		if (!hnsw_nodeset_has(&r->reached, first + i) ||
			hnsw_nodeset_has(&r->expanded, first + i))
			continue;
		hnsw_nodeset_add(&r->expanded, first + i);
		if (!r->page_ok || !hnsw_slot_sane(slot, layout) ||
			(slot->state != HNSW_LIVE && slot->state != HNSW_EMPTY))
			continue;
		for (int e = 0; e < slot->nedges; e++)
			hnsw_nodeset_add(&r->reached,
							 hnsw_slot_edge(slot, layout, e)->node);
	}
}

/* The first pass reads all pages, and tells which nodes there are. */
static void
take_stock(Reach *r)
{
	const HnswLayout *layout = &r->index->space.layout;
	uint32		npages = r->index->meta->npages[HNSW_PAGE_NODE];

	for (uint32 page = 0; page < npages; page += layout->pages_per_node)
	{
		HnswNode	first = hnsw_page_first_node(layout, page);

		compat_vacuum_delay_point();
		read_page(r, page);
		note_live(r, first);
		expand_page(r, first);
	}
}

/* Expand whatever is reached, until nothing new is. */
static void
flood(Reach *r)
{
	const HnswLayout *layout = &r->index->space.layout;
	uint64		end = r->reached.end;
	bool		again = true;

	while (again)
	{
		again = false;
		for (uint64 node = next_pending(r, 0); node < end;
			 node = next_pending(r, node))
		{
			uint32		page = hnsw_node_page(layout, (HnswNode) node);

			compat_vacuum_delay_point();
			read_page(r, page);
			expand_page(r, hnsw_page_first_node(layout, page));
			again = true;
		}
	}
}

/* Copy an entry record; false if its page cannot be read. */
static bool
read_entry(Reach *r, uint32 number, HnswEntry *entry)
{
	const HnswLayout *layout = &r->index->space.layout;
	BlockNumber block = hnsw_index_block(r->index, HNSW_PAGE_ENTRY,
										 number / layout->entries_per_page);
	HnswPageRef ref;

	if (block == InvalidBlockNumber ||
		!hnsw_store_open(r->index->rel, block, HNSW_PAGE_ENTRY, &ref))
		return false;
	memcpy(entry, hnsw_page_entry(ref.page, layout, number),
		   sizeof(HnswEntry));
	hnsw_store_close(&ref);
	return true;
}

/* Does an entry record name the node that it was made for? */
static bool
leads_somewhere(Reach *r, const HnswEntry *entry)
{
	return entry->node != HNSW_INVALID_NODE &&
		hnsw_diskgraph_read(r->graph, entry->node, r->other, NULL) &&
		r->other->version == entry->version &&
		(r->other->state == HNSW_LIVE || r->other->state == HNSW_EMPTY);
}

/* Begin a search anew, at the entries. */
static void
begin_search(Reach *r)
{
	hnsw_nodeset_clear(&r->reached, 0, r->reached.end);
	hnsw_nodeset_clear(&r->expanded, 0, r->expanded.end);
	for (uint32 i = 0; i < r->index->meta->nentries; i++)
	{
		HnswEntry	entry;

		if (read_entry(r, i, &entry) && leads_somewhere(r, &entry))
			hnsw_nodeset_add(&r->reached, entry.node);
	}
}

/* ---- linking what was not reached ---- */

/*
 * link_from -- put 'node' (r->slot, r->own) into the list of a neighbour.
 * Returns whether it is in there now.
 */
static bool
link_from(Reach *r, HnswNode neighbor, HnswNode node, bool force)
{
	const HnswSpace *space = &r->index->space;
	HnswNeighbor new = {
		.node = node,
		.version = r->slot->version,
		.own = r->own
	};

	for (int i = 0; i < MAX_ATTEMPTS; i++)
	{
		HnswLink	link;

		if (!hnsw_diskgraph_read(r->graph, neighbor, r->other, r->other_own) ||
			r->other->state != HNSW_LIVE)
			return false;
		new.dist = hnsw_space_between(space, r->other_own, r->own);
		hnsw_space_edge(space, r->other_own, r->own, new.dist, r->code);
		if (!hnsw_link_place(space, r->other, r->other_own, &new, r->code,
							 NULL, force, &link.placement))
			return link.placement.victim == node;

		link.node = neighbor;
		link.version = r->other->version;
		link.code = r->code;
		hnsw_diskgraph_link(r->graph, &link, 1, node);
		if (link.outcome == HNSW_DONE)
		{
			r->evicted |= link.placement.victim != HNSW_INVALID_NODE;
			return true;
		}
	}
	return false;
}

/* The reached neighbours of r->slot, nearest first; returns how many. */
static int
list_reached(Reach *r, HnswNode *neighbors)
{
	const HnswSpace *space = &r->index->space;
	const HnswLayout *layout = &space->layout;
	float		length[HNSW_MAX_EDGES];
	float		best[MAX_ASKED];
	int			n = 0;

	if (r->slot->nedges == 0)
		return 0;
	hnsw_space_edge_lengths(space,
							hnsw_slot_edge(r->slot, layout, 0)->code,
							layout->edge_bytes, r->slot->nedges, length);
	for (int e = 0; e < r->slot->nedges; e++)
	{
		HnswNode	neighbor = hnsw_slot_edge(r->slot, layout, e)->node;
		int			i;

		if (!hnsw_nodeset_has(&r->reached, neighbor) ||
			(n == MAX_ASKED && length[e] >= best[n - 1]))
			continue;
		for (i = n < MAX_ASKED ? n++ : n - 1;
			 i > 0 && best[i - 1] > length[e]; i--)
		{
			best[i] = best[i - 1];
			neighbors[i] = neighbors[i - 1];
		}
		best[i] = length[e];
		neighbors[i] = neighbor;
	}
	return n;
}

/* Let a reached neighbour of r->slot name it; false if there is none. */
static bool
link_node(Reach *r, HnswNode node)
{
	HnswNode	neighbors[MAX_ASKED];
	int			n = list_reached(r, neighbors);

	/* who takes it willingly loses an edge that selection would drop anyway */
	for (int i = 0; i < n; i++)
	{
		if (link_from(r, neighbors[i], node, false))
			return true;
	}
	for (int i = 0; i < n; i++)
	{
		if (link_from(r, neighbors[i], node, true))
			return true;
	}
	return false;
}

/*
 * Does a reached neighbour of r->slot name it?  One that was inserted since the
 * search has its links from those.
 */
static bool
is_linked(Reach *r, HnswNode node)
{
	const HnswLayout *layout = &r->index->space.layout;
	HnswNode	neighbors[MAX_ASKED];
	int			n = list_reached(r, neighbors);

	for (int i = 0; i < n; i++)
	{
		if (hnsw_diskgraph_read(r->graph, neighbors[i], r->other, NULL) &&
			r->other->state == HNSW_LIVE &&
			hnsw_slot_find_edge(r->other, layout, node) >= 0)
			return true;
	}
	return false;
}

/*
 * Look for an entry record that names r->slot already, as its insert may have
 * made one since the search; *idle is one that leads nowhere, or -1.
 */
static bool
find_entry(Reach *r, HnswNode node, int64 *idle)
{
	*idle = -1;
	for (uint32 i = 0; i < r->index->meta->nentries; i++)
	{
		HnswEntry	entry;

		if (!read_entry(r, i, &entry))
			continue;
		if (entry.node == node && entry.version == r->slot->version)
			return true;
		if (*idle < 0 && !leads_somewhere(r, &entry))
			*idle = i;
	}
	return false;
}

/* Can one more entry record be written?  Its page may be damaged. */
static bool
can_append_entry(Reach *r)
{
	HnswIndex  *index = r->index;
	const HnswLayout *layout = &index->space.layout;
	HnswEntry	entry;

	hnsw_index_refresh(index);
	return index->meta->nentries / layout->entries_per_page >=
		index->meta->npages[HNSW_PAGE_ENTRY] ||
		read_entry(r, index->meta->nentries, &entry);
}

/* Make r->slot an entry. */
static void
add_entry(Reach *r, HnswNode node)
{
	int64		idle;

	hnsw_index_refresh(r->index);
	if (find_entry(r, node, &idle))
		return;
	if (!can_append_entry(r))
	{
		ereport(WARNING,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg("index \"%s\" has no usable page for an entry",
						RelationGetRelationName(r->index->rel)),
				 errhint("Please REINDEX it.")));
		return;
	}
	hnsw_space_flat(&r->index->space, r->own, r->flat_code);
	hnsw_index_add_entry(r->index, node, r->slot->version, r->flat_code, idle);
}

/* how far a pass over the unreached nodes may go */
typedef enum Means
{
	BY_LINKS,					/* links, as many as can be had */
	BY_ALL,						/* entries where there is none */
	BY_ENTRIES					/* entries, which evict nothing */
} Means;

/* Make r->slot reachable; false if that takes other means. */
static bool
attach(Reach *r, HnswNode node, Means means)
{
	if (means == BY_ENTRIES ? is_linked(r, node) : link_node(r, node))
		return true;
	if (means == BY_LINKS)
		return false;
	add_entry(r, node);
	return true;
}

/*
 * One pass over the unreached nodes.  Each that is attached is expanded at once,
 * so that what hangs on it need not be attached as well.  Returns how many were;
 * *nleft: those that are still unreached.
 */
static int64
attach_pass(Reach *r, Means means, int64 *nleft)
{
	uint64		end = r->live.end;
	int64		nattached = 0;

	*nleft = 0;
	for (uint64 node = next_lost(r, 0); node < end;
		 node = next_lost(r, node + 1))
	{
		compat_vacuum_delay_point();
		if (!hnsw_diskgraph_read(r->graph, (HnswNode) node, r->slot, r->own) ||
			r->slot->state != HNSW_LIVE)
			continue;
		if (!attach(r, (HnswNode) node, means))
		{
			(*nleft)++;
			continue;
		}
		hnsw_nodeset_add(&r->reached, (HnswNode) node);
		flood(r);
		nattached++;
	}
	return nattached;
}

/* Attach all unreached nodes.  Returns how many had to be. */
static int64
attach_all(Reach *r)
{
	int64		total = 0;
	int64		nattached;
	int64		nleft;

	/* what hangs on nodes attached later comes in the next pass */
	do
	{
		nattached = attach_pass(r, BY_LINKS, &nleft);
		total += nattached;
	} while (nleft > 0 && nattached > nleft / WORTHWHILE_PART);
	if (nleft > 0)
		total += attach_pass(r, BY_ALL, &nleft);
	return total;
}

int64
hnsw_repair_reachability(HnswIndex *index)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw reachability",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	int64		total = 0;
	int64		nleft;
	Reach	   *r;

	hnsw_index_refresh(index);
	r = create_reach(index);
	for (int round = 0; round <= MAX_ROUNDS; round++)
	{
		r->evicted = false;
		begin_search(r);
		if (round == 0)
			take_stock(r);
		flood(r);
		HNSW_POINT("vacuum-before-attach");
		total += round < MAX_ROUNDS ?
			attach_all(r) : attach_pass(r, BY_ENTRIES, &nleft);
		if (!r->evicted)
			break;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return total;
}
