/*-------------------------------------------------------------------------
 *
 * hnswchecknode.c
 *	  The verifier's second pass, each node against what belongs to it: V5,
 *	  edges; V3 and V4, TIDS slots; V10, flat records.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswchecknode.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnswcheck.h"
#include "miscadmin.h"

/* one node in so many has its edge codes checked in basic mode */
#define CODE_SAMPLE			100

/* attempts to see a node and what belongs to it in one state, basic mode */
#define MAX_ATTEMPTS		3

/* ---- V5: edges ---- */

static void
check_edge_code(HnswCheck *check, HnswNode node, HnswSlot *slot, int i)
{
	HnswEdge   *edge = hnsw_slot_edge(slot, check->layout, i);
	float		dist = 0;

	if (!hnsw_check_read(check, edge->node, check->other, check->other_own) ||
		(check->other->state != HNSW_LIVE &&
		 check->other->state != HNSW_EMPTY) ||
		check->other->version != check->nodes[edge->node].version)
		return;
	if (!hnsw_space_coded(check->space))
		dist = hnsw_space_between(check->space, check->own, check->other_own);
	hnsw_space_edge(check->space, check->own, check->other_own, dist,
					check->code);
	if (!hnsw_check_same_edge(check->space, check->own, edge->code,
							  check->code) &&
		hnsw_check_unchanged(check, node, slot))
		hnsw_check_report(check, "V5", "error", hnsw_check_block(check, node),
						  node,
						  "The code of edge %d does not fit to node %u.", i,
						  edge->node);
}

/* Is the target of an edge a node?  Reports it if not. */
static bool
check_edge_target(HnswCheck *check, HnswNode node, HnswSlot *slot, int i)
{
	HnswNode	to = hnsw_slot_edge(slot, check->layout, i)->node;
	BlockNumber block = hnsw_check_block(check, node);

	if (to == node)
	{
		hnsw_check_report(check, "V5", "error", block, node,
						  "Edge %d names the node itself.", i);
		return false;
	}
	if (to >= check->nnodes)
	{
		/* known by now, if it was added meanwhile */
		if (hnsw_check_block(check, to) == InvalidBlockNumber)
			hnsw_check_report(check, "V5", "error", block, node,
							  "Edge %d names node %u, which does not exist.",
							  i, to);
		return false;
	}
	switch (check->nodes[to].state)
	{
		case HNSW_LIVE:
		case HNSW_EMPTY:
			return true;
		case HNSW_CHECK_BAD:
			return false;		/* reported as what it is */
	}

	/*
	 * An EMPTY node keeps its edges until it is freed itself, while those that
	 * it names are freed and used again: an interrupted VACUUM leaves that.
	 */
	if (slot->state == HNSW_EMPTY)
		return false;

	/* FREE or TIDS: perhaps not any more */
	if (hnsw_check_read(check, to, check->other, NULL) &&
		(check->other->state == HNSW_FREE ||
		 check->other->state == HNSW_TIDS) &&
		hnsw_check_unchanged(check, node, slot))
		hnsw_check_report(check, "V5", hnsw_check_doubtful(check), block, node,
						  "Edge %d names slot %u, which is %s.", i, to,
						  hnsw_inspect_state_name(check->other->state));
	return false;
}

static int
compare_nodes(const void *a, const void *b)
{
	HnswNode	x = *(const HnswNode *) a;
	HnswNode	y = *(const HnswNode *) b;

	return x < y ? -1 : x > y;
}

static void
check_edges(HnswCheck *check, HnswNode node, HnswSlot *slot)
{
	const HnswLayout *layout = check->layout;
	bool		codes = slot->state == HNSW_LIVE &&
		(check->strict || node % CODE_SAMPLE == 0);
	HnswNode	sorted[HNSW_MAX_EDGES];

	for (int i = 0; i < slot->nedges; i++)
	{
		sorted[i] = hnsw_slot_edge(slot, layout, i)->node;
		if (check_edge_target(check, node, slot, i) && codes)
			check_edge_code(check, node, slot, i);
	}

	qsort(sorted, slot->nedges, sizeof(HnswNode), compare_nodes);
	for (int i = 1; i < slot->nedges; i++)
	{
		if (sorted[i] == sorted[i - 1])
			hnsw_check_report(check, "V5", "error",
							  hnsw_check_block(check, node), node,
							  "Two edges name node %u.", sorted[i]);
	}
	if (!hnsw_check_zeros((char *) slot + layout->edges_off +
						  slot->nedges * layout->edge_bytes,
						  (layout->max_edges - slot->nedges) *
						  layout->edge_bytes))
		hnsw_check_report(check, "V5", "error", hnsw_check_block(check, node),
						  node,
						  "The node has %u edges, but bytes behind them are not zero.",
						  slot->nedges);
}

/* ---- V3, V4: TIDS slots ---- */

/*
 * Follow the chain of a node.  Returns what is wrong with it, or NULL;
 * *total: heap TIDs, *at: the slot in question.
 */
static const char *
walk_chain(HnswCheck *check, HnswNode node, const HnswSlot *slot,
		   uint64 *total,
		   HnswNode *at)
{
	uint64		steps = 0;

	*total = slot->nhere;
	for (*at = slot->next; *at != HNSW_INVALID_NODE; steps++)
	{
		HnswTidSlot *more = (HnswTidSlot *) check->other;

		CHECK_FOR_INTERRUPTS();
		if (steps > check->nnodes)
			return "does not end at";
		if (hnsw_check_block(check, *at) == InvalidBlockNumber)
			return "names a slot that does not exist:";
		if (!hnsw_check_read(check, *at, check->other, NULL))
			return "names a slot that is damaged:";
		if (more->state != HNSW_TIDS || more->owner != node ||
			more->owner_version != slot->version)
			return "names a slot that is not one of its own:";
		if (*at < check->nnodes)
			check->nodes[*at].marks |= HNSW_CHECK_CHAINED;
		*total += more->ntids;
		*at = more->next;
	}
	return NULL;
}

static void
check_chain(HnswCheck *check, HnswNode node, HnswSlot *slot)
{
	const char *wrong;
	uint64		total;
	HnswNode	at;

	if (slot->next == HNSW_INVALID_NODE && slot->ntids == slot->nhere)
		return;
	for (int i = 0; i < MAX_ATTEMPTS; i++)
	{
		wrong = walk_chain(check, node, slot, &total, &at);
		if (wrong == NULL && total == slot->ntids)
			return;
		if (hnsw_check_unchanged(check, node, slot))
		{
			if (wrong != NULL)
				hnsw_check_report(check, "V3", hnsw_check_doubtful(check),
								  hnsw_check_block(check, node),
								  node, "The chain of heap TIDs %s %u.", wrong,
								  at);
			else
				hnsw_check_report(check, "V4", "error",
								  hnsw_check_block(check, node), node,
								  "The node counts %u heap TIDs, but has " UINT64_FORMAT ".",
								  slot->ntids, total);
			return;
		}

		/* somebody works on it: judge what it is now */
		memcpy(slot, check->again, check->layout->node_bytes);
		if (slot->state != HNSW_LIVE && slot->state != HNSW_EMPTY)
			return;
	}
}

/* TIDS slots that no chain leads to. */
static void
check_orphans(HnswCheck *check)
{
	for (uint64 i = 0; i < check->nnodes; i++)
	{
		HnswCheckNode *info = &check->nodes[i];

		if (info->state != HNSW_TIDS || (info->marks & HNSW_CHECK_CHAINED))
			continue;
		CHECK_FOR_INTERRUPTS();
		if (!check->strict &&
			(!hnsw_check_read(check, i, check->other, NULL) ||
			 check->other->state != HNSW_TIDS ||
			 check->other->version != info->version))
			continue;
		hnsw_check_report(check, "V3", hnsw_check_doubtful(check),
						  hnsw_check_block(check, i), i,
						  "The TIDS slot is in no node's chain.");
	}
}

/* Zeros, as on a new page, or the invalid TID. */
static bool
is_no_tid(const ItemPointerData *tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);

	return !ItemPointerIsValid(tid) &&
		(block == 0 || block == InvalidBlockNumber);
}

/* What is wrong with the flat record of a slot; NULL if nothing. */
static const char *
judge_flat(HnswCheck *check, const HnswSlot *slot, const uint8 *own,
		   const HnswFlat *flat)
{
	bool		is_node = slot->state == HNSW_LIVE ||
		slot->state == HNSW_EMPTY;
	bool		live = slot->state == HNSW_LIVE;

	if (flat->state != slot->state)
		return "state";
	if (flat->version != slot->version)
		return "version";
	if (flat->more != (live && slot->ntids > 1))
		return "count of heap TIDs";
	if (live && slot->nhere > 0 ?
		!ItemPointerEquals(unconstify(ItemPointerData *, &flat->tid),
						   unconstify(ItemPointerData *, &slot->tids[0])) :
		!is_no_tid(&flat->tid))
		return "heap TID";
	if (!hnsw_space_coded(check->space))
		return NULL;
	if (!is_node)
		return hnsw_check_zeros(flat->code, check->layout->flat_code_bytes) ?
			NULL : "code";
	hnsw_space_flat(check->space, own, check->code);
	return hnsw_check_same_flat(check->space, flat->code, check->code) ?
		NULL : "code";
}

/*
 * A flat record that does not fit to its slot, looked at again in basic mode:
 * the record between two equal looks at the slot.  Returns what is wrong, NULL
 * if nothing is, or if somebody works on the node.
 */
static const char *
judge_flat_again(HnswCheck *check, HnswNode node, HnswSlot *slot,
				 const uint8 *own)
{
	for (int i = 0; i < MAX_ATTEMPTS; i++)
	{
		uint32		version = slot->version;
		uint8		state = slot->state;

		if (!hnsw_check_read(check, node, slot, NULL) ||
			slot->version != version || slot->state != state ||
			!hnsw_check_copy(check, HNSW_PAGE_FLAT,
							 node / check->layout->flats_per_page,
							 check->flat_page))
			return NULL;
		if (hnsw_check_unchanged(check, node, slot))
			return judge_flat(check, slot, own,
							  hnsw_page_flat(check->flat_page, check->layout,
											 node));
	}
	return NULL;
}

/* Compare a slot with its flat record in check->flat_page. */
static void
check_flat(HnswCheck *check, HnswNode node, HnswSlot *slot, const uint8 *own)
{
	const char *wrong = judge_flat(check, slot, own,
								   hnsw_page_flat(check->flat_page,
												  check->layout, node));

	if (wrong != NULL && !check->strict)
		wrong = judge_flat_again(check, node, slot, own);
	if (wrong != NULL)
		hnsw_check_report(check, "V10", "error",
						  hnsw_index_flat_block(check->ix, node),
						  node,
						  "The %s of the flat record differs from that of its slot.",
						  wrong);
}

/* ---- second pass: each node against what belongs to it ---- */

/* Get the whole own form of a node into check->own; reports what is wrong. */
static bool
load_own(HnswCheck *check, HnswNode node, HnswSlot *slot)
{
	const char *wrong;

	if (check->layout->pages_per_node == 1)
		memcpy(check->own, hnsw_slot_own(slot, check->layout),
			   check->layout->own_bytes);
	else if (!hnsw_check_read(check, node, check->other, check->own))
	{
		if (hnsw_check_unchanged(check, node, slot))
			hnsw_check_report(check, "V3", hnsw_check_doubtful(check),
							  hnsw_check_block(check, node), node,
							  "The pages behind the node's do not continue it.");
		return false;
	}
	else if (check->other->version != slot->version ||
			 check->other->state != slot->state)
		return false;			/* another node by now */

	wrong = hnsw_check_own(check->space, check->own);
	if (wrong != NULL && hnsw_check_unchanged(check, node, slot))
		hnsw_check_report(check, "V4", "error", hnsw_check_block(check, node),
						  node,
						  "The node's own form %s.", wrong);
	return wrong == NULL;
}

static void
check_node(HnswCheck *check, HnswNode node, HnswSlot *slot, bool has_flat)
{
	bool		has_own = true;

	if (check->nodes[node].state == HNSW_CHECK_BAD ||
		!hnsw_slot_sane(slot, check->layout))
		return;

	if (slot->state == HNSW_LIVE || slot->state == HNSW_EMPTY)
	{
		has_own = load_own(check, node, slot);
		if (has_own)
			check_edges(check, node, slot);
		check_chain(check, node, slot);
	}
	if (has_flat && has_own)
		check_flat(check, node, slot, check->own);
}

void
hnsw_check_nodes(HnswCheck *check)
{
	const HnswLayout *layout = check->layout;
	HnswSlot   *slot = palloc(layout->node_bytes);
	uint32		npages = check->meta->npages[HNSW_PAGE_NODE];

	for (uint32 number = 0; number < npages; number += layout->pages_per_node)
	{
		HnswNode	first = hnsw_page_first_node(layout, number);
		uint32		flat_number = PG_UINT32_MAX;
		bool		has_flat = false;

		CHECK_FOR_INTERRUPTS();
		if (!hnsw_check_copy(check, HNSW_PAGE_NODE, number, check->page))
			continue;
		for (uint32 i = 0; i < layout->nodes_per_page; i++)
		{
			if ((first + i) / layout->flats_per_page != flat_number)
			{
				flat_number = (first + i) / layout->flats_per_page;
				has_flat = hnsw_check_copy(check, HNSW_PAGE_FLAT, flat_number,
										   check->flat_page);
			}
			memcpy(slot, hnsw_page_slot(check->page, layout, i),
				   layout->node_bytes);
			check_node(check, first + i, slot, has_flat);
		}
	}
	check_orphans(check);
	pfree(slot);
}
