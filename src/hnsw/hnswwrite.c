/*-------------------------------------------------------------------------
 *
 * hnswwrite.c
 *	  Writing the graph of a build from memory to pages.
 *
 * Node numbers are free to choose here, since nothing outside the graph knows
 * them.  The blocks are, in this order: metapage, mean, entries, flat records,
 * nodes, each kind as one extent that is exactly as large as needed.  What comes
 * before the flat records is written by one process, the rest in portions that
 * the participants of the build share out.  Each logs its portions, if nothing
 * will change the pages any more; the build logs the rest of the file at its end.
 *
 * The nodes of further batches have the numbers of pages already, behind those
 * that are there; their pages are appended as an insert appends pages.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswwrite.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/progress.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswwrite.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"

/* pages handed out at a time: as many as core puts into one record of WAL */
#define PORTION				32

typedef struct Writer
{
	HnswIndex  *index;
	const HnswLayout *layout;
	uint32		epoch;
	HnswMemGraph *mem;
	uint32		nnodes;			/* slots: nodes and TIDS slots */
	uint32		nlive;			/* nodes */

	HnswNode   *order;			/* in memory, by number on pages; NULL for a
								 * further batch, whose numbers are the same */
	HnswNode   *number;			/* on pages, by number in memory */
	uint32		nnumbered;
	bool		log;			/* pages are logged as they are written */

	/* repair */
	HnswNode   *queue;			/* nodes reached, in that order */
	uint32		nreached;		/* as many are in the queue */
	uint32		nexpanded;		/* and of as many the edges are done */
	uint8	   *reached;		/* bitmap by number in memory */
	uint8	   *indegree;		/* edges that name a node; stays at MANY_EDGES */
	bool		evicted;		/* an edge was sacrificed */
} Writer;

#define MANY_EDGES			255

/*
 * Passes over the unreachable nodes.  Linking one may cut another off, which
 * is rare; the second pass nearly always finds nothing.
 */
#define MAX_REPAIRS			5

static Writer
new_writer(HnswIndex *index, HnswMemGraph *mem)
{
	Writer		writer = {.index = index,.mem = mem};

	writer.layout = &index->space.layout;
	writer.epoch = index->meta->epoch;
	writer.nnodes = hnsw_memgraph_nnodes(mem);
	return writer;
}

/* ---- entries ---- */

/*
 * The entries chosen while the graph grew favour rows that came early.  Choose
 * again, spread evenly over all nodes.
 */
static void
choose_entries(Writer *writer)
{
	HnswMemGraph *mem = writer->mem;
	uint64		target = hnsw_entry_target(&writer->index->space,
										   writer->nlive);
	uint64		nchosen = 0;
	uint64		nseen = 0;

	hnsw_memgraph_clear_entries(mem);
	for (HnswNode node = 0; node < writer->nnodes; node++)
	{
		if (node % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (hnsw_memgraph_slot(mem, node)->state != HNSW_LIVE)
			continue;
		if (nseen++ * target >= nchosen * writer->nlive &&
			hnsw_memgraph_add_entry(mem, node))
			nchosen++;
	}
}

/* ---- repair ---- */

static inline bool
is_reached(const Writer *writer, HnswNode node)
{
	return (writer->reached[node / 8] >> (node % 8)) & 1;
}

static void
reach(Writer *writer, HnswNode node)
{
	if (is_reached(writer, node))
		return;
	writer->reached[node / 8] |= 1 << (node % 8);
	writer->queue[writer->nreached++] = node;
}

/* Breadth first, go on from what was reached. */
static void
reach_neighbors(Writer *writer)
{
	for (; writer->nexpanded < writer->nreached; writer->nexpanded++)
	{
		HnswSlot   *slot = hnsw_memgraph_slot(writer->mem,
											  writer->queue[writer->nexpanded]);

		if (writer->nexpanded % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < slot->nedges; i++)
			reach(writer, hnsw_slot_edge(slot, writer->layout, i)->node);
	}
}

static void
reach_from_entries(Writer *writer)
{
	memset(writer->reached, 0, (writer->nnodes + 7) / 8);
	writer->nreached = 0;
	writer->nexpanded = 0;
	for (uint32 i = 0; i < hnsw_memgraph_nentries(writer->mem); i++)
		reach(writer, hnsw_memgraph_entry(writer->mem, i)->node);
	reach_neighbors(writer);
}

static void
count_indegrees(Writer *writer)
{
	memset(writer->indegree, 0, writer->nnodes);
	for (HnswNode node = 0; node < writer->nnodes; node++)
	{
		HnswSlot   *slot = hnsw_memgraph_slot(writer->mem, node);

		if (node % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (slot->state != HNSW_LIVE)
			continue;
		for (int i = 0; i < slot->nedges; i++)
		{
			HnswNode	to = hnsw_slot_edge(slot, writer->layout, i)->node;

			if (writer->indegree[to] < MANY_EDGES)
				writer->indegree[to]++;
		}
	}
}

/* what an edge to an unreachable node may cost */
typedef enum Price
{
	PRICE_OCCLUDED,				/* room, or an occluded edge of many */
	PRICE_ONE_OF_MANY,			/* an edge to a node that others name too */
	PRICE_ANY
} Price;

/*
 * Which edge of a list makes room?  The longest one that the price allows;
 * nedges if the list has room; -1 if there is none.
 */
static int
choose_victim(Writer *writer, HnswNode node, Price price)
{
	const HnswSpace *space = &writer->index->space;
	const HnswLayout *layout = writer->layout;
	HnswSlot   *slot = hnsw_memgraph_slot(writer->mem, node);
	float		length[HNSW_MAX_EDGES];
	int			victim = -1;

	if (slot->nedges < layout->max_edges)
		return slot->nedges;
	hnsw_space_edge_lengths(space, hnsw_slot_edge(slot, layout, 0)->code,
							layout->edge_bytes, slot->nedges, length);
	for (int i = 0; i < slot->nedges; i++)
	{
		HnswNode	to = hnsw_slot_edge(slot, layout, i)->node;

		if (price == PRICE_OCCLUDED && !hnsw_slot_occluded(slot, layout, i))
			continue;
		if (price != PRICE_ANY && writer->indegree[to] < 2)
			continue;
		if (victim < 0 || length[i] > length[victim])
			victim = i;
	}
	return victim;
}

/* Put an edge from 'from' to 'to' in the place of edge 'at'. */
static void
force_edge(Writer *writer, const HnswNeighbor *from, HnswNode to, int at)
{
	const HnswSpace *space = &writer->index->space;
	HnswSlot   *slot = hnsw_memgraph_slot(writer->mem, from->node);
	HnswPlacement placement;

	memset(&placement, 0, sizeof(placement));
	placement.at = at;
	placement.nedges = slot->nedges;
	placement.victim = HNSW_INVALID_NODE;
	if (slot->nedges > 0)
		memcpy(placement.occluded,
			   (uint8 *) slot + writer->layout->occluded_off,
			   (slot->nedges + 7) / 8);
	placement.occluded[at / 8] &= ~(1 << (at % 8));
	if (at < slot->nedges)
	{
		placement.victim = hnsw_slot_edge(slot, writer->layout, at)->node;
		if (writer->indegree[placement.victim] < MANY_EDGES)
			writer->indegree[placement.victim]--;
		writer->evicted = true;
	}
	hnsw_space_edge(space, from->own, hnsw_memgraph_own(writer->mem, to),
					from->dist, writer->mem->code);
	hnsw_link_apply(space, slot, &placement, to, writer->mem->code);
	if (writer->indegree[to] < MANY_EDGES)
		writer->indegree[to]++;
}

/*
 * Make a node reachable: an edge from one of the reached nodes near it, at the
 * lowest price; without such nodes it becomes an entry.
 */
static void
link_unreached(Writer *writer, HnswNode node)
{
	HnswMemGraph *mem = writer->mem;
	int			n = hnsw_memgraph_near(mem, node);

	for (Price price = PRICE_OCCLUDED; price <= PRICE_ANY; price++)
	{
		for (int i = 0; i < n; i++)
		{
			int			at;

			if (!is_reached(writer, mem->candidates[i].node))
				continue;
			at = choose_victim(writer, mem->candidates[i].node, price);
			if (at < 0)
				continue;
			force_edge(writer, &mem->candidates[i], node, at);
			reach(writer, node);
			return;
		}
	}
	if (hnsw_memgraph_add_entry(mem, node))
		reach(writer, node);
}

/* One pass over all nodes that cannot be reached. */
static void
link_all_unreached(Writer *writer)
{
	for (HnswNode node = 0; node < writer->nnodes; node++)
	{
		if (is_reached(writer, node) ||
			hnsw_memgraph_slot(writer->mem, node)->state != HNSW_LIVE)
			continue;
		CHECK_FOR_INTERRUPTS();
		link_unreached(writer, node);
		reach_neighbors(writer);
	}
}

/*
 * Link what no search can reach.  Evicting an edge may cut off another node,
 * so look again until nothing was evicted; entries, of which there are a few
 * to spare, settle the rest.
 */
static void
repair(Writer *writer)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE,
								 HNSW_PHASE_REPAIR);
	reach_from_entries(writer);
	if (writer->nreached == writer->nlive)
		return;
	count_indegrees(writer);
	for (int i = 0; i < MAX_REPAIRS && writer->nreached < writer->nlive; i++)
	{
		writer->evicted = false;
		link_all_unreached(writer);
		if (writer->evicted)
			reach_from_entries(writer);
	}
	for (HnswNode node = 0;
		 node < writer->nnodes && writer->nreached < writer->nlive; node++)
	{
		if (is_reached(writer, node) ||
			hnsw_memgraph_slot(writer->mem, node)->state != HNSW_LIVE)
			continue;
		if (!hnsw_memgraph_add_entry(writer->mem, node))
			break;
		reach(writer, node);
		reach_neighbors(writer);
	}
}

/* ---- numbering ---- */

static inline bool
is_numbered(const Writer *writer, HnswNode node)
{
	return writer->number[node] != HNSW_INVALID_NODE;
}

static void
give_number(Writer *writer, HnswNode node)
{
	writer->number[node] = writer->nnumbered;
	writer->order[writer->nnumbered++] = node;
}

/* Slots left on the page that the last number is on. */
static uint32
room_on_page(const Writer *writer)
{
	uint32		used = writer->nnumbered % writer->layout->nodes_per_page;

	return used == 0 ? 0 : writer->layout->nodes_per_page - used;
}

/*
 * Number a node, and fill up its page with the nearest of its neighbours that
 * have no number yet.
 */
static void
number_group(Writer *writer, HnswNode node)
{
	const HnswLayout *layout = writer->layout;
	HnswSlot   *slot = hnsw_memgraph_slot(writer->mem, node);
	float		length[HNSW_MAX_EDGES];

	if (is_numbered(writer, node) || slot->state != HNSW_LIVE)
		return;
	give_number(writer, node);
	if (room_on_page(writer) == 0 || slot->nedges == 0)
		return;

	hnsw_space_edge_lengths(&writer->index->space,
							hnsw_slot_edge(slot, layout, 0)->code,
							layout->edge_bytes, slot->nedges, length);
	while (room_on_page(writer) > 0)
	{
		HnswNode	nearest = HNSW_INVALID_NODE;
		float		nearest_length = 0;

		for (int i = 0; i < slot->nedges; i++)
		{
			HnswNode	to = hnsw_slot_edge(slot, layout, i)->node;

			if (!is_numbered(writer, to) &&
				(nearest == HNSW_INVALID_NODE || length[i] < nearest_length))
			{
				nearest = to;
				nearest_length = length[i];
			}
		}
		if (nearest == HNSW_INVALID_NODE)
			return;
		give_number(writer, nearest);
	}
}

/*
 * Pages of near nodes, otherwise in the order of the table; TIDS slots behind
 * all nodes.  Of the three edges that could stay on a page of four, 1.9 do
 * (.006 without groups, rows in random order): an insert links back to several
 * nodes with one record, and a cold scan reads fewer pages.  Groups in the
 * order of a breadth-first search are no better, and lose the order of the table.
 */
static void
number_nodes(Writer *writer)
{
	writer->nnumbered = 0;
	memset(writer->number, 0xFF, sizeof(HnswNode) * (Size) writer->nnodes);
	for (int pass = 0; pass < 2; pass++)
	{
		for (HnswNode node = 0; node < writer->nnodes; node++)
		{
			if (node % 1024 == 0)
				CHECK_FOR_INTERRUPTS();
			if (pass == 0)
				number_group(writer, node);
			else if (!is_numbered(writer, node))
				give_number(writer, node);
		}
	}
	Assert(writer->nnumbered == writer->nnodes);
}

/* Replace the numbers in memory by those on pages, in a slot or entry. */
static void
renumber_slot(Writer *writer, HnswSlot *slot)
{
	if (slot->state == HNSW_FREE)
		return;
	if (slot->next != HNSW_INVALID_NODE)
		slot->next = writer->number[slot->next];
	if (slot->state == HNSW_TIDS)
	{
		HnswTidSlot *more = (HnswTidSlot *) slot;

		more->owner = writer->number[more->owner];
		return;
	}
	for (int i = 0; i < slot->nedges; i++)
	{
		HnswEdge   *edge = hnsw_slot_edge(slot, writer->layout, i);

		edge->node = writer->number[edge->node];
	}
}

/* ---- pages ---- */

static uint32
pages_for(uint64 records, uint32 per_page)
{
	return (records + per_page - 1) / per_page;
}

static void
write_page(Writer *writer, BlockNumber block, const char *page)
{
	CHECK_FOR_INTERRUPTS();
	hnsw_store_write(writer->index->rel, MAIN_FORKNUM, block, page);
}

static void
write_entries(Writer *writer, BlockNumber block)
{
	const HnswLayout *layout = writer->layout;
	uint32		n = hnsw_memgraph_nentries(writer->mem);
	uint32		npages = pages_for(n, layout->entries_per_page);
	PGAlignedBlock page;

	for (uint32 p = 0; p < npages; p++)
	{
		hnsw_page_init(page.data, HNSW_PAGE_ENTRY, p, writer->epoch,
					   hnsw_page_used(layout, HNSW_PAGE_ENTRY));
		for (uint32 i = 0; i < layout->entries_per_page; i++)
		{
			uint32		e = p * layout->entries_per_page + i;
			HnswEntry  *entry = hnsw_page_entry(page.data, layout, i);

			entry->node = HNSW_INVALID_NODE;
			if (e < n)
			{
				memcpy(entry, hnsw_memgraph_entry(writer->mem, e),
					   layout->entry_bytes);
				entry->node = writer->number[entry->node];
			}
		}
		write_page(writer, block + p, page.data);
	}
}

static void
fill_flat(Writer *writer, HnswNode node, HnswFlat *flat)
{
	HnswSlot   *slot = hnsw_memgraph_slot(writer->mem, node);

	flat->version = slot->version;
	flat->state = slot->state;
	ItemPointerSetInvalid(&flat->tid);
	if (slot->state != HNSW_LIVE)
		return;
	flat->tid = slot->tids[0];
	flat->more = slot->ntids > 1;
	hnsw_space_flat(&writer->index->space,
					hnsw_memgraph_own(writer->mem, node), flat->code);
}

/* FLAT page number p. */
static void
write_flats(Writer *writer, BlockNumber block, uint32 p)
{
	const HnswLayout *layout = writer->layout;
	HnswNode	number = p * layout->flats_per_page;
	PGAlignedBlock page;

	hnsw_page_init(page.data, HNSW_PAGE_FLAT, p, writer->epoch,
				   hnsw_page_used(layout, HNSW_PAGE_FLAT));
	for (uint32 i = 0; i < layout->flats_per_page && number < writer->nnodes;
		 i++, number++)
		fill_flat(writer, writer->order[number],
				  hnsw_page_flat(page.data, layout, number));
	write_page(writer, block, page.data);
}

/* The part of an own form that does not fit into its slot. */
static void
write_more(Writer *writer, BlockNumber block, uint32 index, HnswNode number)
{
	const HnswLayout *layout = writer->layout;
	HnswNode	node = writer->order != NULL ? writer->order[number] : number;
	HnswSlot   *slot = hnsw_memgraph_slot(writer->mem, node);
	uint8	   *own = hnsw_memgraph_own(writer->mem, node);
	Size		done = layout->own_here;
	PGAlignedBlock page;

	for (uint32 i = 1; i < layout->pages_per_node; i++)
	{
		HnswMore   *more = (HnswMore *) hnsw_page_contents(page.data);
		Size		part = Min(layout->own_bytes - done, HNSW_MORE_BYTES);

		hnsw_page_init(page.data, HNSW_PAGE_MORE, index + i, writer->epoch,
					   hnsw_page_used(layout, HNSW_PAGE_MORE));
		more->node = slot->state == HNSW_LIVE ? number : HNSW_INVALID_NODE;
		more->version = slot->version;
		memcpy(more + 1, own + done, part);
		write_page(writer, writer->order != NULL ? block + i :
				   hnsw_index_block(writer->index, HNSW_PAGE_NODE, index + i),
				   page.data);
		done += part;
	}
}

/* NODE page number p, and the MORE pages that belong to it. */
static void
write_nodes(Writer *writer, BlockNumber block, uint32 p)
{
	const HnswLayout *layout = writer->layout;
	HnswNode	first = hnsw_page_first_node(layout, p);
	HnswNode	number = first;
	PGAlignedBlock page;

	hnsw_page_init(page.data, HNSW_PAGE_NODE, p, writer->epoch,
				   hnsw_page_used(layout, HNSW_PAGE_NODE));
	for (uint32 i = 0;
		 i < layout->nodes_per_page && number < writer->nnodes; i++)
	{
		HnswSlot   *slot = hnsw_page_slot(page.data, layout, i);

		memcpy(slot, hnsw_memgraph_slot(writer->mem, writer->order[number]),
			   layout->node_bytes);
		renumber_slot(writer, slot);
		number++;
	}
	write_page(writer, block, page.data);
	if (layout->pages_per_node > 1)
		write_more(writer, block, p, first);
	HNSW_POINT("build-during-flush");
}

/* Give a kind its pages; returns the first block. */
static BlockNumber
add_extent(Writer *writer, HnswMetaPageData *meta, HnswPageKind kind,
		   uint64 npages)
{
	BlockNumber start = InvalidBlockNumber;

	if (npages < MaxBlockNumber)
		start = hnsw_meta_add_extent(meta, kind, npages, true);
	if (start == InvalidBlockNumber)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("index \"%s\" cannot have more than %u blocks",
						RelationGetRelationName(writer->index->rel),
						MaxBlockNumber)));
	return start;
}

/* Where everything goes: into *meta as well as here. */
typedef struct WritePlan
{
	BlockNumber entry_block;
	BlockNumber flat_block;
	BlockNumber node_block;
	uint32		nflats;			/* pages */
	uint32		nnodes;			/* pages, MORE pages included */
	bool		has_room;		/* the last NODE page has FREE slots */
} WritePlan;

/*
 * Every participant makes the same plan, from a metapage that does not change
 * until all pages are written.
 */
static void
plan_pages(Writer *writer, char *page, WritePlan *plan)
{
	const HnswLayout *layout = writer->layout;
	HnswMetaPageData *meta = hnsw_page_meta(page);
	uint64		heads = pages_for(writer->nnodes, layout->nodes_per_page);
	uint64		slots = heads * layout->nodes_per_page;

	hnsw_store_copy(writer->index->rel, HNSW_META_BLKNO, HNSW_PAGE_META, page,
					NULL);
	meta->nentries = hnsw_memgraph_nentries(writer->mem);
	plan->entry_block = add_extent(writer, meta, HNSW_PAGE_ENTRY,
								   pages_for(meta->nentries,
											 layout->entries_per_page));
	plan->nflats = pages_for(slots, layout->flats_per_page);
	plan->flat_block = add_extent(writer, meta, HNSW_PAGE_FLAT, plan->nflats);
	plan->node_block = add_extent(writer, meta, HNSW_PAGE_NODE,
								  heads * layout->pages_per_node);
	plan->nnodes = heads * layout->pages_per_node;
	plan->has_room = slots > writer->nnodes;
}

/* A portion of the pages of a kind, from number 'first' of it on. */
static void
write_portion(Writer *writer, BlockNumber block, uint32 first, uint32 end,
			  uint32 step,
			  void (*write) (Writer *writer, BlockNumber block, uint32 p))
{
	Relation	rel = writer->index->rel;

	hnsw_store_extend(rel, block + end);
	for (uint32 p = first; p < end; p += step)
		write(writer, block + p, p);
	if (writer->log)
		hnsw_store_log(rel, MAIN_FORKNUM, block + first, block + end);
}

/* ---- further batches ---- */

/* Do the rows of a slot go elsewhere, so that it stays FREE? */
static bool
is_given_away(HnswMemGraph *mem, HnswNode node)
{
	HnswSlot   *slot = hnsw_memgraph_slot(mem, node);

	if (slot->state == HNSW_TIDS)
		node = ((HnswTidSlot *) slot)->owner;
	return hnsw_memgraph_list(mem, node)->same != HNSW_INVALID_NODE;
}

/* One page of nodes from 'first' on; returns the number behind the last. */
static HnswNode
append_page(Writer *writer, HnswNode first, HnswNode end)
{
	HnswIndex  *index = writer->index;
	const HnswLayout *layout = writer->layout;
	uint32		number = hnsw_index_append(index);
	BlockNumber block = hnsw_index_node_block(index, first);
	HnswNode	node;
	PGAlignedBlock page;

	if (number != hnsw_node_page(layout, first) || block == InvalidBlockNumber)
		elog(ERROR, "page %u of index \"%s\" is not where node %u should be",
			 number, RelationGetRelationName(index->rel), first);
	hnsw_page_init(page.data, HNSW_PAGE_NODE, number, writer->epoch,
				   hnsw_page_used(layout, HNSW_PAGE_NODE));
	for (node = first;
		 node < end && node - first < layout->nodes_per_page; node++)
	{
		if (!is_given_away(writer->mem, node))
			memcpy(hnsw_page_slot(page.data, layout, node - first),
				   hnsw_memgraph_slot(writer->mem, node), layout->node_bytes);
	}
	write_page(writer, block, page.data);
	if (layout->pages_per_node > 1 && !is_given_away(writer->mem, first))
		write_more(writer, block, number, first);
	if (node - first < layout->nodes_per_page)
		hnsw_store_publish_free(index->rel, block);
	return node;
}

/* The flat records of the nodes from 'first' to before 'end'. */
static void
fill_flat_pages(Writer *writer, HnswNode first, HnswNode end)
{
	HnswIndex  *index = writer->index;
	const HnswLayout *layout = writer->layout;
	PGAlignedBlock page;

	for (HnswNode node = first; node < end;)
	{
		BlockNumber block = hnsw_index_flat_block(index, node);
		HnswNode	next = (node / layout->flats_per_page + 1) *
			layout->flats_per_page;

		if (!hnsw_store_copy(index->rel, block, HNSW_PAGE_FLAT, page.data,
							 NULL))
			elog(ERROR, "index \"%s\" has no flat record of node %u",
				 RelationGetRelationName(index->rel), node);
		for (; node < Min(next, end); node++)
		{
			HnswFlat   *flat = hnsw_page_flat(page.data, layout, node);

			if (is_given_away(writer->mem, node))
				continue;
			hnsw_page_cover(page.data, flat, layout->flat_bytes);
			fill_flat(writer, node, flat);
		}
		write_page(writer, block, page.data);
	}
}

/* As many entries as are missing now, evenly among the nodes of the batch. */
static void
add_entries(Writer *writer, HnswNode first, HnswNode end)
{
	HnswIndex  *index = writer->index;
	HnswMemGraph *mem = writer->mem;
	uint64		target = hnsw_entry_target(&index->space,
										   hnsw_index_nnodes(index));
	uint64		missing = target - Min(target, index->meta->nentries);

	for (uint64 i = 0; i < missing; i++)
	{
		HnswNode	node = first + (uint64) (end - first) * i / missing;

		CHECK_FOR_INTERRUPTS();
		if (hnsw_memgraph_slot(mem, node)->state != HNSW_LIVE ||
			is_given_away(mem, node))
			continue;
		hnsw_space_flat(&index->space, hnsw_memgraph_own(mem, node),
						mem->code);
		hnsw_index_add_entry(index, node, 0, mem->code, -1);
	}
}

void
hnsw_write_batch(HnswIndex *index, HnswMemGraph *mem)
{
	Writer		writer = new_writer(index, mem);
	HnswNode	first = hnsw_memgraph_first(mem);
	HnswNode	end = hnsw_memgraph_end(mem);

	HNSW_POINT("build-before-flush");
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE,
								 HNSW_PHASE_WRITE);
	for (HnswNode node = first; node < end;)
	{
		node = append_page(&writer, node, end);
		HNSW_POINT("build-during-flush");
	}
	fill_flat_pages(&writer, first, end);
	add_entries(&writer, first, end);
	hnsw_index_refresh(index);
}

/* ---- the whole ---- */

static void
count_live(Writer *writer)
{
	writer->nlive = 0;
	for (HnswNode node = 0; node < writer->nnodes; node++)
	{
		if (node % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (hnsw_memgraph_slot(writer->mem, node)->state == HNSW_LIVE)
			writer->nlive++;
	}
}

/* The numbers, as one process has left them for all. */
static void
look_up_numbers(Writer *writer, const HnswWriteShared *shared)
{
	HnswMemSource *source = writer->mem->source;

	writer->order = (HnswNode *) source->address(source, shared->order);
	writer->number = (HnswNode *) source->address(source, shared->number);
}

void
hnsw_write_begin(HnswWriteShared *shared, HnswIndex *index, HnswMemGraph *mem,
				 bool log)
{
	Writer		writer = new_writer(index, mem);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw write",
												  ALLOCSET_DEFAULT_SIZES);
	Size		n = writer.nnodes;
	PGAlignedBlock page;
	WritePlan	plan;

	/* hnswmemgraph.c has set this memory aside: WRITE_BYTES */
	writer.order = hnsw_memgraph_take(mem, &shared->order, n,
									  sizeof(HnswNode));
	writer.number = hnsw_memgraph_take(mem, &shared->number, n,
									   sizeof(HnswNode));
	writer.queue = MemoryContextAllocHuge(context, sizeof(HnswNode) * n);
	writer.reached = MemoryContextAllocHuge(context, (n + 7) / 8);
	writer.indegree = MemoryContextAllocHuge(context, n);
	pg_atomic_init_u32(&shared->next_flat, 0);
	pg_atomic_init_u32(&shared->next_node, 0);

	count_live(&writer);
	choose_entries(&writer);
	repair(&writer);
	number_nodes(&writer);
	MemoryContextDelete(context);

	if (n > 0)
	{
		HNSW_POINT("build-before-flush");
		plan_pages(&writer, page.data, &plan);
		write_entries(&writer, plan.entry_block);
		if (log)
			shared->logged_from = plan.flat_block;
	}
}

void
hnsw_write_pages(HnswWriteShared *shared, HnswIndex *index, HnswMemGraph *mem)
{
	Writer		writer = new_writer(index, mem);
	uint32		step = writer.layout->pages_per_node;
	uint32		portion = PORTION * step;
	uint32		p;
	PGAlignedBlock page;
	WritePlan	plan;

	if (writer.nnodes == 0)
		return;
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE,
								 HNSW_PHASE_WRITE);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL,
								 writer.nnodes);
	look_up_numbers(&writer, shared);
	writer.log = shared->logged_from != InvalidBlockNumber;
	plan_pages(&writer, page.data, &plan);
	while ((p = pg_atomic_fetch_add_u32(&shared->next_flat, PORTION)) <
		   plan.nflats)
		write_portion(&writer, plan.flat_block, p,
					  Min(p + PORTION, plan.nflats), 1, write_flats);
	while ((p = pg_atomic_fetch_add_u32(&shared->next_node, portion)) <
		   plan.nnodes)
	{
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
									 hnsw_page_first_node(writer.layout, p));
		write_portion(&writer, plan.node_block, p,
					  Min(p + portion, plan.nnodes), step, write_nodes);
	}
}

void
hnsw_write_end(HnswWriteShared *shared, HnswIndex *index, HnswMemGraph *mem)
{
	Writer		writer = new_writer(index, mem);
	PGAlignedBlock page;
	WritePlan	plan;

	mem->source->give_back(mem->source, shared->order);
	mem->source->give_back(mem->source, shared->number);
	if (writer.nnodes == 0)
		return;

	/* the metapage names only pages that exist */
	plan_pages(&writer, page.data, &plan);
	write_page(&writer, HNSW_META_BLKNO, page.data);
	if (plan.has_room)
		hnsw_store_record_free(index->rel, plan.node_block + plan.nnodes -
							   writer.layout->pages_per_node);
	hnsw_index_refresh(index);
}

void
hnsw_write_empty(Relation index, ForkNumber fork, const HnswSpace *space,
				 int ef_construction)
{
	PGAlignedBlock page;
	HnswMetaPageData *meta = hnsw_page_meta(page.data);
	uint32		epoch;
	uint32		npages;

	memset(page.data, 0, BLCKSZ);
	hnsw_meta_create(page.data, space, ef_construction);
	epoch = meta->epoch;
	npages = meta->npages[HNSW_PAGE_MEAN];
	hnsw_store_write(index, fork, HNSW_META_BLKNO, page.data);

	for (uint32 p = 0; p < npages; p++)
	{
		uint32		first = p * HNSW_MEANS_PER_PAGE;
		uint32		n = Min(space->rdim - first, HNSW_MEANS_PER_PAGE);

		hnsw_page_init(page.data, HNSW_PAGE_MEAN, p, epoch,
					   hnsw_page_used(&space->layout, HNSW_PAGE_MEAN));
		memcpy(hnsw_page_contents(page.data), space->mean + first,
			   sizeof(float) * n);
		hnsw_store_write(index, fork, HNSW_META_BLKNO + 1 + p, page.data);
	}
}
