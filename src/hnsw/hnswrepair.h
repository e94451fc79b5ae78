/*-------------------------------------------------------------------------
 *
 * hnswrepair.h
 *	  Mending the graph on pages: around nodes that go, and to nodes that no
 *	  search would reach.
 *
 * Nothing here raises an error because of what a page holds.  Interrupts are
 * checked and the cost-based delay of VACUUM is taken between pages.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswrepair.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWREPAIR_H
#define HNSWREPAIR_H

#include "hnsw/hnswmeta.h"
#include "hnsw/hnswnodeset.h"

/*
 * hnsw_repair_edges -- W7: let no LIVE node name a node of 'empty'.
 *
 * empty: EMPTY nodes that no insert can link to any more.  Each LIVE node that
 * names one takes over the best of its neighbours.
 *
 * memory: bytes for own forms that have been read and may be wanted again.
 */
extern void hnsw_repair_edges(HnswIndex *index, const HnswNodeSet *empty,
							  BufferAccessStrategy strategy, Size memory);

/*
 * hnsw_repair_entries -- W8: let entry records that name a node of 'empty', or
 * one that is gone, or one that an earlier record names, name LIVE nodes.
 */
extern void hnsw_repair_entries(HnswIndex *index, const HnswNodeSet *empty);

/*
 * hnsw_repair_reachability -- make every LIVE node reachable from the entries.
 *
 * Memory: three bits a node, whatever the settings say.  Work: the index is read
 * once, again if links were lost to others, and each unreachable node a few
 * times.  Returns how many were.
 */
extern int64 hnsw_repair_reachability(HnswIndex *index);

#endif							/* HNSWREPAIR_H */
