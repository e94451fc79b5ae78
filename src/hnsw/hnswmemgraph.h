/*-------------------------------------------------------------------------
 *
 * hnswmemgraph.h
 *	  The graph of a build, in memory that is private or shared.
 *
 * Nodes are slots in the format of the pages, in chunks of equal size, so that
 * writing them out is copying.  A node is numbered by its place, behind the nodes
 * that are on pages already if a build takes several batches.  Several
 * processes may add nodes at the same time, each through a HnswMemGraph of its
 * own over one HnswMemShared.
 *
 * Where chunks come from is the business of a HnswMemSource: private memory
 * here, a dynamic shared area in hnswparallel.c.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswmemgraph.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWMEMGRAPH_H
#define HNSWMEMGRAPH_H

#include "common/hashfn.h"
#include "hnsw/hnswgraph.h"
#include "hnsw/hnswlink.h"
#include "hnsw/hnswnear.h"
#include "port/atomics.h"
#include "storage/lwlock.h"

/*
 * Linking all nodes at once (hnswcells.h): nodes of a cell, how many nodes a node
 * is measured against for each candidate that is wanted, the cells it looks into
 * at most, and so the bytes needed for each node beside the node: its number,
 * those cells, twice, and its part of what hnswpagecells.c takes.  Half as many
 * nodes looked at cost a third more hops at recall .99 on the packages data
 * (README, "Things tried").
 */
#define HNSW_CELL_MEMBERS		128
#define HNSW_CELLS_LOOKS		64
#define HNSW_CELLS_MIN_PROBES	4
#define HNSW_CELLS_PROBES(want) \
	Max((want) * HNSW_CELLS_LOOKS / HNSW_CELL_MEMBERS, HNSW_CELLS_MIN_PROBES)
#define HNSW_LINK_BYTES(want) \
	(sizeof(HnswNode) + HNSW_PAGE_CELL_BYTES + \
	 (sizeof(HnswNode) + sizeof(uint16)) * HNSW_CELLS_PROBES(want))
#define HNSW_PAGE_CELL_BYTES	9

typedef struct HnswMemSource HnswMemSource;

struct HnswMemSource
{
	/* Memory that every participant can reach; 0 if there is no more. */
	uint64		(*take) (HnswMemSource *source, Size bytes);

	/* Where it is in this process. */
	char	   *(*address) (HnswMemSource *source, uint64 handle);

	void		(*give_back) (HnswMemSource *source, uint64 handle);
};

/* Chunks from a memory context of this process, a child of the current one. */
extern HnswMemSource *hnsw_memgraph_private_source(void);

/* What the participants of a build share; lies wherever the caller wants. */
typedef struct HnswMemShared
{
	/* set once */
	uint64		budget;			/* bytes that everything may take */
	uint64		chunk_cost;		/* bytes that one more chunk counts for */
	uint32		node_stride;	/* bytes from one node to the next */
	uint32		slot_off;		/* of a node's HnswSlot, from the node */
	uint32		want;			/* candidates of a node that count */
	uint32		table_mask;		/* slots of the table of own forms - 1 */
	uint32		chunk_shift;	/* log2 of the nodes in a chunk */
	uint32		max_chunks;
	uint32		max_entries;
	Size		entries_off;	/* of the entry records, from this struct */
	Size		table_off;		/* of the table of own forms */
	uint64		used_at_start;	/* bytes used by a graph without nodes */
	int			tranche;		/* of the locks */

	HnswNode	first;			/* number of the first node; changes between
								 * batches */

	LWLock		lock;			/* protects what follows */
	uint64		used;			/* bytes, compared with the budget */
	uint32		nnodes;			/* slots given out, of any state */
	bool		full;			/* no more slots; never becomes false again */

	LWLock		entry_lock;		/* for adding entry records */
	pg_atomic_uint32 nentries;	/* complete ones */

	uint64		chunk[FLEXIBLE_ARRAY_MEMBER];	/* handles */
	/* then the entry records, and the table of own forms */
} HnswMemShared;

/*
 * A node's neighbours before its edges are written (hnswbulk.c).  Each is one
 * number that sorts by distance: hnsw_neighbor_key().  The candidates lie where
 * the edges will be.
 */
typedef struct HnswMemList
{
	float		bound;			/* no candidate at this distance is wanted */
	HnswNode	same;			/* on pages, of the same own form: its rows go
								 * there; or HNSW_INVALID_NODE */
	uint32		ncandidates;	/* at most 2 * want */
	uint32		nlinks;			/* chosen ones, at most max_edges */
	uint64		link[FLEXIBLE_ARRAY_MEMBER];
} HnswMemList;

/*
 * A neighbour on the list of node 'owner'.  Among equal distances the order is
 * another for each owner: where many nodes have the same distances, as codes of
 * very unequal values do, all would otherwise choose the same few neighbours.
 */
static inline uint64
hnsw_neighbor_key(HnswNode owner, float dist, HnswNode node)
{
	uint32		bits;

	/* of floats that are not negative the bits sort as the numbers do */
	Assert(!(dist < 0));
	memcpy(&bits, &dist, sizeof(bits));
	return (uint64) bits << 32 | (node ^ murmurhash32(owner));
}

static inline HnswNode
hnsw_key_node(HnswNode owner, uint64 key)
{
	return (HnswNode) key ^ murmurhash32(owner);
}

static inline float
hnsw_key_dist(uint64 key)
{
	uint32		bits = key >> 32;
	float		dist;

	memcpy(&dist, &bits, sizeof(dist));
	return dist;
}

/*
 * hnsw_memgraph_shared_bytes, hnsw_memgraph_create -- the shared part of a graph
 * that may take 'budget' bytes, itself and the memory for linking it and
 * writing it out included.
 *
 * want: candidates for a node's links.
 */
extern Size hnsw_memgraph_shared_bytes(const HnswSpace *space, int want,
									   uint64 budget);
extern void hnsw_memgraph_create(HnswMemShared *shared,
								 const HnswSpace *space, int want,
								 uint64 budget);

/* One participant's view of the graph, and its memory. */
typedef struct HnswMemGraph
{
	HnswGraph	graph;			/* must be first */
	HnswMemShared *shared;
	HnswMemSource *source;
	char	  **chunk;			/* addresses in this process, NULL: not yet known */
	HnswEntry  *entries;		/* entry records, entry_bytes apart */
	pg_atomic_uint32 *table;	/* own forms by hash: node + 1, or 0 */
	float	   *entry_est;		/* scratch of max_entries */
	float	   *entry_var;

	HnswNear   *near;
	HnswNear   *products;		/* the search for product links, or NULL */
	HnswQuery	query;
	void	   *query_buffer;
	HnswNeighbor *candidates;	/* what the last search found */
	uint8	   *code;			/* one edge code, or one flat code */
	Size		expected_bytes; /* of an own form: hnsw_memgraph_expect_own */
} HnswMemGraph;

/*
 * hnsw_memgraph_attach -- take part in a graph.  Memory: the current context.
 * pool: of the construction search, hnsw_build_pool().
 */
extern HnswMemGraph *hnsw_memgraph_attach(HnswMemShared *shared,
										  const HnswSpace *space,
										  HnswMemSource *source, int pool);

/*
 * hnsw_memgraph_add -- one row, not linked yet: a new node, or the TID goes to
 * the node with the same own form.
 *
 * Locks: LWLocks of nodes, one at a time.  Errors: none of its own.
 * Returns false, having changed nothing, if memory is used up.
 */
extern bool hnsw_memgraph_add(HnswMemGraph *mem, const uint8 *own,
							  ItemPointer tid);

/*
 * hnsw_memgraph_take -- memory for n things that all participants can reach; sets
 * *handle, by which mem->source knows it.  Errors: out of memory.
 */
extern void *hnsw_memgraph_take(HnswMemGraph *mem, uint64 *handle, uint64 n,
								Size size);

/*
 * hnsw_memgraph_near -- the nodes near a node, nearest first, in
 * mem->candidates; itself left out.  Returns how many.
 */
extern int	hnsw_memgraph_near(HnswMemGraph *mem, HnswNode node);

/*
 * hnsw_memgraph_link_products -- find and write the product links of a node
 * whose other links are there.  All nodes are in memory.  Spaces that have such
 * links only.
 */
extern void hnsw_memgraph_link_products(HnswMemGraph *mem, HnswNode node);

/*
 * hnsw_memgraph_release -- give all chunks back; for one process, while nobody
 * uses the graph.  It is without nodes then, and those to come are numbered
 * from 'first' on.
 * hnsw_memgraph_forget -- the same for what this process knows of the chunks; for
 * each process, before it uses the graph again.
 */
extern void hnsw_memgraph_release(HnswMemGraph *mem, HnswNode first);
extern void hnsw_memgraph_forget(HnswMemGraph *mem);

/*
 * hnsw_memgraph_add_entry -- make a node an entry; false if there is no room.
 * hnsw_memgraph_clear_entries -- start a new choice of entries; only while
 * nobody else uses the graph.
 */
extern bool hnsw_memgraph_add_entry(HnswMemGraph *mem, HnswNode node);
extern void hnsw_memgraph_clear_entries(HnswMemGraph *mem);

/* ---- direct access, for one process alone ---- */

static inline uint32
hnsw_memgraph_nnodes(const HnswMemGraph *mem)
{
	return mem->shared->nnodes;
}

/* The nodes are those from first to before end. */
static inline HnswNode
hnsw_memgraph_first(const HnswMemGraph *mem)
{
	return mem->shared->first;
}

static inline HnswNode
hnsw_memgraph_end(const HnswMemGraph *mem)
{
	return mem->shared->first + mem->shared->nnodes;
}

/* the nodes that memory has room for, about */
static inline uint64
hnsw_memgraph_room(const HnswMemGraph *mem)
{
	return (uint64) mem->shared->max_chunks << mem->shared->chunk_shift;
}

static inline uint32
hnsw_memgraph_nentries(const HnswMemGraph *mem)
{
	return pg_atomic_read_u32(&mem->shared->nentries);
}

static inline HnswEntry *
hnsw_memgraph_entry(const HnswMemGraph *mem, uint32 i)
{
	return (HnswEntry *) ((char *) mem->entries +
						  (Size) i * mem->graph.space->layout.entry_bytes);
}

extern HnswSlot *hnsw_memgraph_slot(HnswMemGraph *mem, HnswNode node);

/* the whole own form of a node */
extern uint8 *hnsw_memgraph_own(HnswMemGraph *mem, HnswNode node);

/* That own form will soon be measured. */
extern void hnsw_memgraph_expect_own(HnswMemGraph *mem, HnswNode node);

/* The node will soon be offered a first few candidates (hnswcells.h). */
extern void hnsw_memgraph_expect_list(HnswMemGraph *mem, HnswNode node);

/* ---- for linking all at once ---- */

extern HnswMemList *hnsw_memgraph_list(HnswMemGraph *mem, HnswNode node);
extern uint64 *hnsw_memgraph_candidates(HnswMemGraph *mem, HnswNode node);
extern LWLock *hnsw_memgraph_lock(HnswMemGraph *mem, HnswNode node);

#endif							/* HNSWMEMGRAPH_H */
