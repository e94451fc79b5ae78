/*-------------------------------------------------------------------------
 *
 * hnswdiskwrite.h
 *	  Changes to the graph on pages that only VACUUM makes.
 *
 * What an insert writes is declared in hnswdiskgraph.h.  Each function is one
 * WAL record (README, "WAL"); it looks up all blocks before its first lock,
 * judges again under the locks what its caller saw in a copy, and raises
 * nothing because of what a page holds.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswdiskwrite.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWDISKWRITE_H
#define HNSWDISKWRITE_H

#include "hnsw/hnswdiskgraph.h"
#include "hnsw/hnswnodeset.h"

/*
 * hnsw_diskgraph_remove_tids -- W6: remove inline heap TIDs of the nodes of
 * one page.
 *
 * page: index of the NODE page.  copy: a copy of it, which is brought up to
 * date.  dead: for each slot, bit i set if its i-th TID is to go.
 * A node that loses its last TID becomes EMPTY.  Returns how many TIDs went.
 */
extern int	hnsw_diskgraph_remove_tids(HnswDiskGraph *graph, uint32 page,
									   char *copy, const uint8 *dead);

/*
 * hnsw_diskgraph_remove_chained -- W6: remove the n TIDs of 'dead', which are
 * in the order of the slot, from TIDS slot 'chained' of a LIVE node.  The node
 * may become EMPTY, the slot empty.  Returns how many TIDs went.
 */
extern int	hnsw_diskgraph_remove_chained(HnswDiskGraph *graph, HnswNode node,
										  uint32 version, HnswNode chained,
										  const ItemPointerData *dead, int n);

/*
 * hnsw_diskgraph_unchain -- W6a: unlink and free an empty TIDS slot of a node.
 * before: the slot that names it, the node itself or another TIDS slot.
 * Returns false if that is no longer so.
 */
extern bool hnsw_diskgraph_unchain(HnswDiskGraph *graph, HnswNode node,
								   uint32 version, HnswNode before,
								   HnswNode chained);

/*
 * hnsw_diskgraph_relink -- W7: write new edge lists into slots of one page.
 *
 * before, after: copies of the page, of which only edges differ.  changed[i]:
 * whether slot i does; cleared where it was written, or where the node is gone.
 * It stays set where the list no longer is the one in 'before': decide again.
 */
extern void hnsw_diskgraph_relink(HnswDiskGraph *graph, uint32 page,
								  const char *before, const char *after,
								  bool *changed);

/*
 * hnsw_diskgraph_drop_edges -- W7 without taking anything new: drop the edges
 * of a page's LIVE nodes to nodes of a set.  Decided under the lock, so it
 * succeeds whatever others do.
 */
extern void hnsw_diskgraph_drop_edges(HnswDiskGraph *graph, uint32 page,
									  const HnswNodeSet *set);

/*
 * hnsw_diskgraph_free -- W9: free the EMPTY nodes of one page that 'which'
 * names by slot.  Returns how many were.
 */
extern int	hnsw_diskgraph_free(HnswDiskGraph *graph, uint32 page,
								const bool *which);

/*
 * hnsw_diskgraph_replace_entry -- W8: let entry record 'number' name another
 * node (HNSW_INVALID_NODE: none), if it still is 'old'.
 */
extern bool hnsw_diskgraph_replace_entry(HnswDiskGraph *graph, uint32 number,
										 const HnswEntry *old, HnswNode node,
										 uint32 version,
										 const uint8 *flat_code);

#endif							/* HNSWDISKWRITE_H */
