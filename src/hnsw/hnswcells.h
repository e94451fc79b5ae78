/*-------------------------------------------------------------------------
 *
 * hnswcells.h
 *	  The nearest of a set of nodes to each of them, by cells.
 *
 * The set is divided into cells around some of its nodes, the centres.  Each
 * node is a member of the cell of its nearest centre, and is measured against
 * the members of several cells near to it.  All of it happens in a graph in
 * memory (hnswmemgraph.h) whose nodes are not linked yet, by all participants
 * of a build together; what is found are the candidates of each node's
 * HnswMemList.  Where the build has put nodes on pages before, these are
 * candidates too.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcells.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWCELLS_H
#define HNSWCELLS_H

#include "hnsw/hnswdiskgraph.h"
#include "hnsw/hnswmemgraph.h"
#include "storage/barrier.h"
#include "utils/wait_event.h"

/* What they share while they look at nodes on pages (hnswpagecells.c). */
typedef struct HnswPageCellsShared
{
	/* handles of memory, for the nodes of a chunk and for the cells */
	uint64		cell;
	uint64		nearest;
	uint64		dist;
	uint64		placed;

	/* work handed out: nodes, and cells */
	pg_atomic_uint32 next_choice;
	pg_atomic_uint32 next_place;
	pg_atomic_uint32 next_cell;
} HnswPageCellsShared;

/* What the participants share. */
typedef struct HnswCellsShared
{
	uint32		nmembers;		/* of the set */
	uint32		ncells;
	uint32		nprobes;		/* cells a node looks into */

	/* handles of memory (HnswMemSource) */
	uint64		members;		/* HnswNode for each */
	uint64		cells;			/* one struct for each */
	uint64		nearest;		/* nprobes cell numbers for each member */
	uint64		visits;			/* nprobes nodes for each member, by cell */

	/* work handed out: members and cells */
	pg_atomic_uint32 next_choice;
	pg_atomic_uint32 next_visit;
	pg_atomic_uint32 next_cell;

	HnswPageCellsShared pages;
} HnswCellsShared;

typedef struct HnswCells HnswCells;

/* Wait until all participants have come here.  Returns true in one of them. */
static inline bool
hnsw_wait_for_all(Barrier *barrier)
{
	return BarrierArriveAndWait(barrier,
								WAIT_EVENT_PARALLEL_CREATE_INDEX_SCAN);
}

/*
 * hnsw_cells_begin -- take part.  Memory: the current context.
 * hnsw_cells_end -- free what was allocated.
 */
extern HnswCells *hnsw_cells_begin(HnswCellsShared *shared, HnswMemGraph *mem,
								   Barrier *barrier);
extern void hnsw_cells_end(HnswCells *cells);

/*
 * hnsw_cells_find -- candidates for the nodes of a set: of all LIVE nodes in
 * memory at level 0, of a fourth of them at each further level.  pages: the graph
 * on pages, whose nodes are candidates as well; or NULL.
 *
 * To be called by all participants at the same time: it waits for the others
 * several times.  On return each member's list has its nearest in the set, as
 * many as are wanted or up to twice as many, in no order, and the members are
 * to be had from hnsw_cells_member, those of a cell together, until
 * hnsw_cells_done, which one participant calls when nobody needs them any longer.
 *
 * Locks: LWLocks of nodes, one at a time.  Errors: out of memory.
 */
extern void hnsw_cells_find(HnswCells *cells, int level,
							HnswDiskGraph *pages);
extern uint32 hnsw_cells_nmembers(const HnswCells *cells);
extern HnswNode hnsw_cells_member(const HnswCells *cells, uint32 i);
extern void hnsw_cells_done(HnswCells *cells);

/*
 * hnsw_cells_offer -- one more candidate for a node, at a building distance.
 * Locks: the LWLock of the node.
 */
extern void hnsw_cells_offer(HnswCells *cells, HnswNode node, float dist,
							 HnswNode neighbor);

/* How many levels there are: the last one has a few dozen nodes. */
extern int	hnsw_cells_levels(uint32 nnodes);

/*
 * How many candidates of a node count: 'want', half as many again where there are
 * nodes on pages, since these look for no candidates themselves (README, "Things
 * tried").  A list has room for twice 'want'.
 */
static inline int
hnsw_candidates_wanted(const HnswMemGraph *mem)
{
	int			want = mem->shared->want;

	return hnsw_memgraph_first(mem) > 0 ? want + want / 2 : want;
}

/*
 * hnsw_candidates_keep -- the 'want' smallest of n keys to the front, in no
 * order.  Returns how many there are then.
 */
extern int	hnsw_candidates_keep(uint64 *key, int n, int want);

/* Sort keys.  scratch: room for as many. */
extern void hnsw_candidates_sort(uint64 *key, int n, uint64 *scratch);

#endif							/* HNSWCELLS_H */
