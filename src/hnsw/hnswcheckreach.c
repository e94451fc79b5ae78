/*-------------------------------------------------------------------------
 *
 * hnswcheckreach.c
 *	  The verifier on entries, and on what can be reached from them: V1, V6.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcheckreach.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnswcheck.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* strict: so large a share of unreachable nodes is tolerable */
#define MAX_UNREACHED		1e-4

/* ---- V1, V6: entries, and what they lead to ---- */

/* Has an entry without a node no code? */
static bool
is_code_zero(const HnswCheck *check, const HnswEntry *entry)
{
	return hnsw_check_zeros(entry->code, check->layout->entry_bytes -
							offsetof(HnswEntry, code));
}

/*
 * Judge an entry record.  Returns whether a search can start there.
 */
static bool
check_entry(HnswCheck *check, BlockNumber block, uint32 number,
			const HnswEntry *entry)
{
	bool		current;

	if (entry->node == HNSW_INVALID_NODE)
	{
		if (!is_code_zero(check, entry))
			hnsw_check_report(check, "V10", "error", block, -1,
							  "Entry %u names no node, but has a code.", number);
		return false;
	}
	if (hnsw_check_block(check, entry->node) == InvalidBlockNumber)
	{
		hnsw_check_report(check, "V1", "error", block, entry->node,
						  "Entry %u names node %u, which does not exist.",
						  number,
						  entry->node);
		return false;
	}
	if (entry->node >= check->nnodes ||
		!hnsw_check_read(check, entry->node, check->other, check->own))
		return false;

	current = check->other->version == entry->version &&
		(check->other->state == HNSW_LIVE ||
		 check->other->state == HNSW_EMPTY);
	if (!current && (check->strict || check->other->version < entry->version))
		hnsw_check_report(check, "V1", hnsw_check_doubtful(check), block,
						  entry->node,
						  "Entry %u names version %u of node %u, whose slot is %s with version %u.",
						  number, entry->version, entry->node,
						  hnsw_inspect_state_name(check->other->state),
						  check->other->version);
	if (!current)
		return false;
	if (check->strict &&
		(check->nodes[entry->node].marks & HNSW_CHECK_ENTRY) != 0)
		hnsw_check_report(check, "V1", "error", block, entry->node,
						  "Entry %u names node %u, as another does.", number,
						  entry->node);
	check->nodes[entry->node].marks |= HNSW_CHECK_ENTRY;
	if (!hnsw_space_coded(check->space))
		return true;

	hnsw_space_flat(check->space, check->own, check->code);
	if (!hnsw_check_same_flat(check->space, entry->code, check->code))
		hnsw_check_report(check, "V10", "error", block, entry->node,
						  "The code of entry %u differs from that of its node.", number);
	return true;
}

static void
reach(HnswCheck *check, HnswNode *queue, uint64 *n, HnswNode node)
{
	HnswCheckNode *info;

	if (node >= check->nnodes)
		return;
	info = &check->nodes[node];
	if ((info->marks & HNSW_CHECK_REACHED) ||
		(info->state != HNSW_LIVE && info->state != HNSW_EMPTY))
		return;
	info->marks |= HNSW_CHECK_REACHED;
	queue[(*n)++] = node;
}

/* Put the nodes of all entries into the queue. */
static void
reach_entries(HnswCheck *check, HnswNode *queue, uint64 *n)
{
	const HnswMetaPageData *meta = check->meta;
	uint32		per_page = check->layout->entries_per_page;
	uint32		nentries = meta->nentries;

	for (uint32 page = 0; page < meta->npages[HNSW_PAGE_ENTRY]; page++)
	{
		BlockNumber block = hnsw_index_block(check->ix, HNSW_PAGE_ENTRY, page);

		CHECK_FOR_INTERRUPTS();
		if (!hnsw_check_copy(check, HNSW_PAGE_ENTRY, page, check->page))
			continue;
		for (uint32 i = 0; i < per_page; i++)
		{
			uint32		number = page * per_page + i;
			HnswEntry  *entry = hnsw_page_entry(check->page, check->layout, i);

			if (number < nentries)
			{
				if (check_entry(check, block, number, entry))
					reach(check, queue, n, entry->node);
			}
			else if (check->strict &&
					 (entry->node != HNSW_INVALID_NODE ||
					  entry->version != 0 || !is_code_zero(check, entry)))
				hnsw_check_report(check, "V1", "error", block, entry->node,
								  "Entry record %u is in use, but there are only %u entries.",
								  number, nentries);
		}
	}
}

void
hnsw_check_reach(HnswCheck *check)
{
	HnswNode   *queue;
	uint64		n = 0;
	uint64		nlive = 0;
	uint64		nunreached = 0;
	const char *severity = "notice";

	queue = MemoryContextAllocHuge(CurrentMemoryContext,
								   mul_size(check->nnodes + 1,
											sizeof(HnswNode)));
	reach_entries(check, queue, &n);
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!hnsw_check_read(check, queue[i], check->other, NULL) ||
			(check->other->state != HNSW_LIVE &&
			 check->other->state != HNSW_EMPTY))
			continue;
		for (int e = 0; e < check->other->nedges; e++)
			reach(check, queue, &n,
				  hnsw_slot_edge(check->other, check->layout, e)->node);
	}
	pfree(queue);

	for (uint64 i = 0; i < check->nnodes; i++)
	{
		if (check->nodes[i].state != HNSW_LIVE)
			continue;
		nlive++;
		nunreached += !(check->nodes[i].marks & HNSW_CHECK_REACHED);
	}
	if (check->strict)
		severity = nunreached > nlive * MAX_UNREACHED ? "error" : "warning";
	for (uint64 i = 0; nunreached > 0 && i < check->nnodes; i++)
	{
		if (check->nodes[i].state == HNSW_LIVE &&
			!(check->nodes[i].marks & HNSW_CHECK_REACHED))
			hnsw_check_report(check, "V6", severity,
							  hnsw_check_block(check, i), i,
							  "The node cannot be reached from the entries.");
	}
}
