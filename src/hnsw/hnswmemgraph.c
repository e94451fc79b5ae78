/*-------------------------------------------------------------------------
 *
 * hnswmemgraph.c
 *	  The graph of a build, in memory that is private or shared.
 *
 * A node in memory:
 *
 *		NodeHeader	lock of the slot
 *		HnswMemList	on one cache line with the lock, since those who come to offer a
 *					candidate need both
 *		HnswSlot	node_bytes, as on a page; candidates for links lie in the place
 *					of the edges, and may go beyond them
 *		own form	only if it does not fit into the slot: all of it, and behind it
 *					the candidates
 *
 * The lock protects the slot.  What never changes after a node has become
 * visible is read without it: the own form but for its error bound.  A node
 * becomes visible when another one's edge, or an entry record, names it, and
 * both are written under locks that its reader takes, or behind a barrier.
 *
 * A process holds one node's lock at a time, and under it at most the lock of
 * the arena.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswmemgraph.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnswmemgraph.h"
#include "hnsw/hnswselect.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/shmem.h"
#include "utils/float.h"
#include "utils/memutils.h"

typedef struct NodeHeader
{
	LWLock		lock;
} NodeHeader;

#define NODE_HEADER_BYTES	MAXALIGN(sizeof(NodeHeader))

/*
 * Bytes that writing out needs for each node beside the node: three numbers, a
 * count, a bit (hnswwrite.c).
 */
#define WRITE_BYTES			14

/*
 * A chunk is about 1/128 of the budget, so that little is asked for too much,
 * between these limits.  Chosen, not measured.
 */
#define MIN_CHUNK_BYTES		((uint64) 64 * 1024)
#define MAX_CHUNK_BYTES		((uint64) 16 * 1024 * 1024)

/* entries that repair may add when nothing else makes a node reachable */
#define SPARE_ENTRIES		64

/* cache lines of a node that are asked for in advance */
#define CACHE_LINE			64
#define EXPECT_LINES		8
#define EXPECT_OWN_LINES	16
#define EXPECT_CANDIDATE_LINES	3

/* ---- private chunks ---- */

typedef struct PrivateSource
{
	HnswMemSource source;
	MemoryContext context;
} PrivateSource;

static uint64
private_take(HnswMemSource *source, Size bytes)
{
	MemoryContext context = ((PrivateSource *) source)->context;

	return (uint64) (uintptr_t)
		MemoryContextAllocExtended(context, bytes,
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
}

static char *
private_address(HnswMemSource *source, uint64 handle)
{
	return (char *) (uintptr_t) handle;
}

static void
private_give_back(HnswMemSource *source, uint64 handle)
{
	pfree(private_address(source, handle));
}

HnswMemSource *
hnsw_memgraph_private_source(void)
{
	PrivateSource *private = palloc(sizeof(PrivateSource));

	private->source.take = private_take;
	private->source.address = private_address;
	private->source.give_back = private_give_back;
	private->context = AllocSetContextCreate(CurrentMemoryContext,
											 "hnsw build graph",
											 ALLOCSET_DEFAULT_SIZES);
	return &private->source;
}

/* ---- the shared part ---- */

/*
 * One tranche for the whole cluster: its number lies in shared memory, so that
 * builds do not use up tranche numbers.
 */
static int
lock_tranche(void)
{
	static int	tranche = 0;

	if (tranche == 0)
	{
		int		   *shared;
		bool		found;

		LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
		shared = ShmemInitStruct("vector hnsw build", sizeof(int), &found);
		if (!found)
			*shared = LWLockNewTrancheId();
		tranche = *shared;
		LWLockRelease(AddinShmemInitLock);
	}
	LWLockRegisterTranche(tranche, "HnswBuild");
	return tranche;
}

/* Where things lie in a node; the bytes from one to the next. */
static void
plan_node(HnswMemShared *shared, const HnswLayout *layout, int want)
{
	Size		candidates = sizeof(uint64) * 2 * (Size) want;
	Size		bytes = NODE_HEADER_BYTES;

	bytes += MAXALIGN(offsetof(HnswMemList, link) +
					  sizeof(uint64) * layout->max_edges);
	shared->want = want;
	shared->slot_off = bytes;

	/* an own form that continues elsewhere must not be written over */
	if (layout->pages_per_node == 1)
		bytes += MAXALIGN(Max(layout->node_bytes,
							  MAXALIGN(layout->edges_off) + candidates));
	else
		bytes += MAXALIGN(layout->node_bytes) +
			MAXALIGN(layout->own_bytes) + candidates;
	shared->node_stride = TYPEALIGN(CACHE_LINE, bytes);
}

/* Fill in what follows from the space and the budget. */
static void
plan_memory(HnswMemShared *shared, const HnswSpace *space, int want,
			uint64 budget)
{
	uint64		chunk = Min(Max(budget / 128, MIN_CHUNK_BYTES),
							MAX_CHUNK_BYTES);
	uint64		max_nodes;
	uint64		stride;
	Size		header;

	plan_node(shared, &space->layout, want);
	stride = shared->node_stride;
	shared->budget = budget;
	shared->chunk_shift = pg_leftmost_one_pos64(Max(chunk / stride, 1));
	shared->chunk_cost = (stride + WRITE_BYTES +
						  HNSW_LINK_BYTES(want)) << shared->chunk_shift;
	shared->max_chunks = Min(budget / shared->chunk_cost,
							 HNSW_INVALID_NODE >> shared->chunk_shift);
	max_nodes = (uint64) shared->max_chunks << shared->chunk_shift;
	shared->max_entries = hnsw_entry_target(space, max_nodes) + SPARE_ENTRIES;

	header = MAXALIGN(add_size(offsetof(HnswMemShared, chunk),
							   mul_size(sizeof(uint64), shared->max_chunks)));
	shared->entries_off = header;
	shared->used = shared->table_off =
		MAXALIGN(add_size(header, mul_size(space->layout.entry_bytes,
										   shared->max_entries)));

	/* at most half full */
	shared->table_mask =
		pg_nextpower2_32(Min(Max(max_nodes, 1), PG_INT32_MAX / 2)) * 2 - 1;
	shared->used = add_size(shared->used,
							mul_size(sizeof(pg_atomic_uint32),
									 (Size) shared->table_mask + 1));
}

Size
hnsw_memgraph_shared_bytes(const HnswSpace *space, int want, uint64 budget)
{
	HnswMemShared plan;

	plan_memory(&plan, space, want, budget);
	return plan.used;
}

static void
clear_table(HnswMemShared *shared)
{
	memset((char *) shared + shared->table_off, 0,
		   shared->used_at_start - shared->table_off);
}

void
hnsw_memgraph_create(HnswMemShared *shared, const HnswSpace *space, int want,
					 uint64 budget)
{
	plan_memory(shared, space, want, budget);
	shared->used_at_start = shared->used;
	shared->tranche = lock_tranche();
	shared->first = 0;
	shared->nnodes = 0;
	shared->full = false;
	LWLockInitialize(&shared->lock, shared->tranche);
	LWLockInitialize(&shared->entry_lock, shared->tranche);
	pg_atomic_init_u32(&shared->nentries, 0);
	memset(shared->chunk, 0, sizeof(uint64) * shared->max_chunks);
	clear_table(shared);
}

/* ---- nodes ---- */

static inline NodeHeader *
node_header(HnswMemGraph *mem, HnswNode node)
{
	const HnswMemShared *shared = mem->shared;
	uint32		at = node - shared->first;
	uint32		c = at >> shared->chunk_shift;
	uint32		i = at & (((uint32) 1 << shared->chunk_shift) - 1);

	Assert(node >= shared->first && c < shared->max_chunks);
	if (unlikely(mem->chunk[c] == NULL))
		mem->chunk[c] = mem->source->address(mem->source, shared->chunk[c]);
	return (NodeHeader *) (mem->chunk[c] + (Size) i * shared->node_stride);
}

static inline HnswSlot *
header_slot(const HnswMemGraph *mem, NodeHeader *header)
{
	return (HnswSlot *) ((char *) header + mem->shared->slot_off);
}

static inline uint8 *
header_own(const HnswMemGraph *mem, NodeHeader *header)
{
	const HnswLayout *layout = &mem->graph.space->layout;
	HnswSlot   *slot = header_slot(mem, header);

	if (layout->pages_per_node > 1)
		return (uint8 *) slot + MAXALIGN(layout->node_bytes);
	return hnsw_slot_own(slot, layout);
}

HnswSlot *
hnsw_memgraph_slot(HnswMemGraph *mem, HnswNode node)
{
	return header_slot(mem, node_header(mem, node));
}

uint8 *
hnsw_memgraph_own(HnswMemGraph *mem, HnswNode node)
{
	return header_own(mem, node_header(mem, node));
}

LWLock *
hnsw_memgraph_lock(HnswMemGraph *mem, HnswNode node)
{
	return &node_header(mem, node)->lock;
}

HnswMemList *
hnsw_memgraph_list(HnswMemGraph *mem, HnswNode node)
{
	return (HnswMemList *) ((char *) node_header(mem, node) +
							NODE_HEADER_BYTES);
}

uint64 *
hnsw_memgraph_candidates(HnswMemGraph *mem, HnswNode node)
{
	const HnswLayout *layout = &mem->graph.space->layout;

	if (layout->pages_per_node > 1)
		return (uint64 *) (hnsw_memgraph_own(mem, node) +
						   MAXALIGN(layout->own_bytes));
	return (uint64 *) ((char *) hnsw_memgraph_slot(mem, node) +
					   MAXALIGN(layout->edges_off));
}

void
hnsw_memgraph_expect_list(HnswMemGraph *mem, HnswNode node)
{
	char	   *candidates = (char *) hnsw_memgraph_candidates(mem, node);

	__builtin_prefetch(node_header(mem, node), 1);
	for (int i = 0; i < EXPECT_CANDIDATE_LINES; i++)
		__builtin_prefetch(candidates + i * CACHE_LINE, 1);
}

void
hnsw_memgraph_expect_own(HnswMemGraph *mem, HnswNode node)
{
	const uint8 *own = hnsw_memgraph_own(mem, node);

	for (Size i = 0; i < mem->expected_bytes; i += CACHE_LINE)
		__builtin_prefetch(own + i);
}

/*
 * Take the next slot, zeroed but for its lock; HNSW_INVALID_NODE if memory is
 * used up.
 */
static HnswNode
claim_node(HnswMemGraph *mem)
{
	HnswMemShared *shared = mem->shared;
	HnswNode	node = HNSW_INVALID_NODE;
	NodeHeader *header;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (!shared->full)
	{
		uint32		c = shared->nnodes >> shared->chunk_shift;

		if (c >= shared->max_chunks ||
			shared->nnodes >= HNSW_INVALID_NODE - shared->first)
			shared->full = true;
		else if (shared->chunk[c] == 0)
		{
			if (shared->used + shared->chunk_cost <= shared->budget)
				shared->chunk[c] =
					mem->source->take(mem->source,
									  (Size) shared->node_stride <<
									  shared->chunk_shift);
			if (shared->chunk[c] == 0)
				shared->full = true;
			else
				shared->used += shared->chunk_cost;
		}
		if (!shared->full)
			node = shared->first + shared->nnodes++;
	}
	LWLockRelease(&shared->lock);
	if (node == HNSW_INVALID_NODE)
		return node;

	header = node_header(mem, node);
	memset(header, 0, shared->node_stride);
	LWLockInitialize(&header->lock, shared->tranche);
	return node;
}

void *
hnsw_memgraph_take(HnswMemGraph *mem, uint64 *handle, uint64 n, Size size)
{
	HnswMemSource *source = mem->source;

	*handle = source->take(source, mul_size(Max(n, 1), size));
	if (*handle == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed while linking the graph of an index build.")));
	return source->address(source, *handle);
}

/* ---- the operations of a graph ---- */

/*
 * A graph without codes scores a neighbour by reading its own form: leave out
 * those seen.
 */
static void
score_by_reading(HnswMemGraph *mem, const HnswQuery *query,
				 const HnswSeen *seen, HnswExpansion *out)
{
	int			n = 0;

	for (int i = 0; i < out->nedges; i++)
	{
		HnswNode	node = out->edge[i];
		HnswMeasure measure;

		if (seen != NULL && hnsw_seen_has(seen, node))
			continue;
		hnsw_space_measure(mem->graph.space, query,
						   hnsw_memgraph_own(mem, node), &measure);
		out->edge[n] = node;
		out->est[n] = measure.dist;
		out->var[n] = 0;
		n++;
	}
	out->nedges = n;
}

static void
mem_expand(HnswGraph *base, const HnswQuery *query, HnswNode node,
		   const HnswSeen *seen, HnswExpansion *out)
{
	HnswMemGraph *mem = (HnswMemGraph *) base;
	NodeHeader *header = node_header(mem, node);

	LWLockAcquire(&header->lock, LW_SHARED);
	hnsw_link_expand(base->space, query, header_slot(mem, header),
					 header_own(mem, header), out);
	LWLockRelease(&header->lock);

	if (!hnsw_space_coded(base->space))
		score_by_reading(mem, query, seen, out);
}

static void
score_entries(HnswMemGraph *mem, const HnswQuery *query, uint32 nentries)
{
	const HnswSpace *space = mem->graph.space;

	if (hnsw_space_coded(space))
	{
		hnsw_space_estimate_flat(space, query, mem->entries->code,
								 space->layout.entry_bytes, nentries,
								 mem->entry_est, mem->entry_var);
		return;
	}
	for (uint32 i = 0; i < nentries; i++)
	{
		HnswMeasure measure;

		hnsw_space_measure(space, query,
						   hnsw_memgraph_own(mem, hnsw_memgraph_entry(mem, i)->node),
						   &measure);
		mem->entry_est[i] = measure.dist;
		mem->entry_var[i] = 0;
	}
}

static int
mem_entries(HnswGraph *base, const HnswQuery *query, int max, HnswNode *node,
			float *est, float *var)
{
	HnswMemGraph *mem = (HnswMemGraph *) base;
	uint32		nentries = hnsw_memgraph_nentries(mem);
	int			n = 0;

	pg_read_barrier();			/* pairs with add_entry */
	if (nentries == 0)
		return 0;
	score_entries(mem, query, nentries);
	for (uint32 e = 0; e < nentries; e++)
	{
		float		new = mem->entry_est[e];
		int			i;

		if (n == max && new >= est[n - 1])
			continue;
		for (i = n < max ? n++ : n - 1; i > 0 && est[i - 1] > new; i--)
		{
			node[i] = node[i - 1];
			est[i] = est[i - 1];
			var[i] = var[i - 1];
		}
		node[i] = hnsw_memgraph_entry(mem, e)->node;
		est[i] = new;
		var[i] = mem->entry_var[e];
	}
	return n;
}

static void
mem_expect(HnswGraph *base, HnswNode node)
{
	char	   *start = (char *) hnsw_memgraph_slot((HnswMemGraph *) base, node);

	for (int i = 0; i < EXPECT_LINES; i++)
		__builtin_prefetch(start + i * CACHE_LINE);
}

static const HnswGraphOps mem_ops = {
	.entries = mem_entries,
	.expand = mem_expand,
	.expect = mem_expect
};

HnswMemGraph *
hnsw_memgraph_attach(HnswMemShared *shared, const HnswSpace *space,
					 HnswMemSource *source, int pool)
{
	HnswMemGraph *mem = palloc0(sizeof(HnswMemGraph));
	const HnswLayout *layout = &space->layout;

	mem->graph.ops = &mem_ops;
	mem->graph.space = space;
	mem->shared = shared;
	mem->source = source;
	LWLockRegisterTranche(shared->tranche, "HnswBuild");
	mem->chunk = palloc0(mul_size(sizeof(char *), shared->max_chunks));
	mem->entries = (HnswEntry *) ((char *) shared + shared->entries_off);
	mem->table = (pg_atomic_uint32 *) ((char *) shared + shared->table_off);
	mem->entry_est = palloc(sizeof(float) * shared->max_entries);
	mem->entry_var = palloc(sizeof(float) * shared->max_entries);

	mem->query_buffer = palloc0(Max(hnsw_space_query_bytes(space), 1));
	mem->expected_bytes = Min(hnsw_space_measured_bytes(space),
							  EXPECT_OWN_LINES * CACHE_LINE);
	mem->code = palloc0(Max(layout->edge_bytes, layout->flat_bytes));
	mem->near = hnsw_near_begin(&mem->graph, pool);
	if (hnsw_space_links_products(space))
		mem->products = hnsw_near_begin(&mem->graph, HNSW_PRODUCT_POOL);
	return mem;
}

/* ---- entries ---- */

bool
hnsw_memgraph_add_entry(HnswMemGraph *mem, HnswNode node)
{
	HnswMemShared *shared = mem->shared;
	const HnswLayout *layout = &mem->graph.space->layout;
	uint32		n;
	bool		added = false;

	hnsw_space_flat(mem->graph.space, hnsw_memgraph_own(mem, node), mem->code);

	LWLockAcquire(&shared->entry_lock, LW_EXCLUSIVE);
	n = pg_atomic_read_u32(&shared->nentries);
	if (n < shared->max_entries)
	{
		HnswEntry  *entry = hnsw_memgraph_entry(mem, n);

		memset(entry, 0, layout->entry_bytes);
		entry->node = node;
		entry->version = hnsw_memgraph_slot(mem, node)->version;
		memcpy(entry->code, mem->code, layout->flat_code_bytes);
		pg_write_barrier();		/* pairs with mem_entries */
		pg_atomic_write_u32(&shared->nentries, n + 1);
		added = true;
	}
	LWLockRelease(&shared->entry_lock);
	return added;
}

void
hnsw_memgraph_clear_entries(HnswMemGraph *mem)
{
	pg_atomic_write_u32(&mem->shared->nentries, 0);
}

/* ---- adding rows ---- */

/* The nodes near an own form, nearest first, in mem->candidates. */
static int
find_candidates(HnswMemGraph *mem, const uint8 *own, HnswNode skip)
{
	hnsw_space_query_own(mem->graph.space, own, mem->query_buffer,
						 &mem->query);
	return hnsw_near_search(mem->near, &mem->query, skip, &mem->candidates);
}

int
hnsw_memgraph_near(HnswMemGraph *mem, HnswNode node)
{
	return find_candidates(mem, hnsw_memgraph_own(mem, node), node);
}

void
hnsw_memgraph_link_products(HnswMemGraph *mem, HnswNode node)
{
	const HnswSpace *space = mem->graph.space;
	NodeHeader *header = node_header(mem, node);
	const uint8 *own = hnsw_memgraph_own(mem, node);
	HnswNeighbor *candidates;
	HnswNeighbor link = {0};
	int			n;

	hnsw_space_query_product(space, own, mem->query_buffer, &mem->query);
	n = hnsw_near_search_from(mem->products, &mem->query, &node, 1, node,
							  &candidates);
	n = hnsw_select_products(space, candidates, n,
							 hnsw_space_max_products(space));

	LWLockAcquire(&header->lock, LW_EXCLUSIVE);
	hnsw_link_add(space, hnsw_memgraph_slot(mem, node), own, candidates, n);
	LWLockRelease(&header->lock);

	/* they may want it as well, and nothing else could lead to it */
	link.node = node;
	link.own = own;
	for (int i = 0; i < n; i++)
	{
		header = node_header(mem, candidates[i].node);
		LWLockAcquire(&header->lock, LW_EXCLUSIVE);
		hnsw_link_offer_product(space, header_slot(mem, header),
								header_own(mem, header), &link);
		LWLockRelease(&header->lock);
	}
}

/* The slot that takes further TIDs of a node; NULL if memory is used up. */
static HnswTidSlot *
tid_slot_with_room(HnswMemGraph *mem, HnswNode node, HnswSlot *slot)
{
	HnswTidSlot *more;
	HnswNode	new;

	if (slot->next != HNSW_INVALID_NODE)
	{
		more = (HnswTidSlot *) hnsw_memgraph_slot(mem, slot->next);
		if (more->ntids < mem->graph.space->layout.tids_per_slot)
			return more;
	}
	new = claim_node(mem);
	if (new == HNSW_INVALID_NODE)
		return NULL;
	more = (HnswTidSlot *) hnsw_memgraph_slot(mem, new);
	more->state = HNSW_TIDS;
	more->next = slot->next;
	more->owner = node;
	more->owner_version = slot->version;
	slot->next = new;
	return more;
}

/* The slot has the first part of an own form that lies beside it. */
static void
copy_own_here(HnswMemGraph *mem, NodeHeader *header)
{
	const HnswLayout *layout = &mem->graph.space->layout;

	if (layout->pages_per_node > 1)
		memcpy(hnsw_slot_own(header_slot(mem, header), layout),
			   header_own(mem, header), layout->own_here);
}

/*
 * Add a TID to a node with the same own form.  TIDS slots are protected by the
 * lock of their node.
 */
static bool
append_tid(HnswMemGraph *mem, HnswNode node, const uint8 *own, ItemPointer tid)
{
	const HnswSpace *space = mem->graph.space;
	NodeHeader *header = node_header(mem, node);
	HnswSlot   *slot = header_slot(mem, header);
	HnswTidSlot *more = NULL;

	LWLockAcquire(&header->lock, LW_EXCLUSIVE);
	if (slot->nhere < HNSW_INLINE_TIDS)
		slot->tids[slot->nhere++] = *tid;
	else
	{
		more = tid_slot_with_room(mem, node, slot);
		if (more == NULL)
		{
			LWLockRelease(&header->lock);
			return false;
		}
		more->tids[more->ntids++] = *tid;
	}
	slot->ntids++;
	if (hnsw_space_cover(space, header_own(mem, header), own))
		copy_own_here(mem, header);
	LWLockRelease(&header->lock);
	return true;
}

static void
fill_node(HnswMemGraph *mem, HnswNode node, const uint8 *own, ItemPointer tid)
{
	const HnswLayout *layout = &mem->graph.space->layout;
	NodeHeader *header = node_header(mem, node);
	HnswSlot   *slot = header_slot(mem, header);

	slot->state = HNSW_LIVE;
	slot->next = HNSW_INVALID_NODE;
	slot->ntids = slot->nhere = 1;
	slot->tids[0] = *tid;
	memcpy(header_own(mem, header), own,
		   layout->pages_per_node > 1 ? layout->own_bytes : layout->own_here);
	copy_own_here(mem, header);
}

/*
 * The node in a slot of the table, or HNSW_INVALID_NODE if there is none; what
 * was written before it went there can be read.
 */
static HnswNode
node_in_table(HnswMemGraph *mem, uint32 i)
{
	uint32		value = pg_atomic_read_u32(&mem->table[i]);

	pg_read_barrier();			/* pairs with the exchange in hnsw_memgraph_add */
	return value - 1;
}

/*
 * Look for an own form from slot *i of the table on.  Returns its node, or
 * HNSW_INVALID_NODE with *i the unused slot where it would be.
 */
static HnswNode
find_in_table(HnswMemGraph *mem, const uint8 *own, uint32 *i)
{
	for (;;)
	{
		HnswNode	node = node_in_table(mem, *i);

		if (node == HNSW_INVALID_NODE ||
			hnsw_space_same(mem->graph.space, own, hnsw_memgraph_own(mem, node)))
			return node;
		*i = (*i + 1) & mem->shared->table_mask;
	}
}

bool
hnsw_memgraph_add(HnswMemGraph *mem, const uint8 *own, ItemPointer tid)
{
	uint32		i = hnsw_space_hash(mem->graph.space, own) &
		mem->shared->table_mask;
	HnswNode	node;
	HnswNode	same;

	if (mem->shared->full)
		return false;

	same = find_in_table(mem, own, &i);
	if (same != HNSW_INVALID_NODE)
		return append_tid(mem, same, own, tid);

	node = claim_node(mem);
	if (node == HNSW_INVALID_NODE)
		return false;
	fill_node(mem, node, own, tid);
	hnsw_memgraph_list(mem, node)->bound = get_float4_infinity();
	hnsw_memgraph_list(mem, node)->same = HNSW_INVALID_NODE;
	for (;;)
	{
		uint32		unused = 0;

		if (pg_atomic_compare_exchange_u32(&mem->table[i], &unused, node + 1))
			return true;
		same = find_in_table(mem, own, &i);
		if (same != HNSW_INVALID_NODE)
		{
			/* another process was faster; the slot stays free */
			memset(hnsw_memgraph_slot(mem, node), 0,
				   mem->graph.space->layout.node_bytes);
			return append_tid(mem, same, own, tid);
		}
	}
}

void
hnsw_memgraph_release(HnswMemGraph *mem, HnswNode first)
{
	HnswMemShared *shared = mem->shared;

	for (uint32 c = 0; c < shared->max_chunks && shared->chunk[c] != 0; c++)
	{
		mem->source->give_back(mem->source, shared->chunk[c]);
		shared->chunk[c] = 0;
	}
	shared->used = shared->used_at_start;
	shared->first = first;
	shared->nnodes = 0;
	shared->full = false;
	hnsw_memgraph_clear_entries(mem);
	clear_table(shared);
}

void
hnsw_memgraph_forget(HnswMemGraph *mem)
{
	memset(mem->chunk, 0, sizeof(char *) * mem->shared->max_chunks);
}
