/*-------------------------------------------------------------------------
 *
 * hnswgrow.h
 *	  Inserting one value into the graph on pages.
 *
 * HNSW, algorithm 1, by codes: one search, one selection, the node, then its
 * back-links, then an entry.  Used by aminsert and, without WAL, by a build
 * that has outgrown its memory.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswgrow.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWGROW_H
#define HNSWGROW_H

#include "hnsw/hnswdiskgraph.h"

typedef struct HnswGrower HnswGrower;

/*
 * hnsw_build_pool -- pool of a construction search.
 *
 * With codes twice ef_construction: estimates fill a pool less well than
 * distances do, and real text wants more candidates than the 64 of the default
 * (README, "Things tried").
 */
static inline int
hnsw_build_pool(const HnswIndex *index)
{
	int			ef_construction = index->meta->ef_construction;

	return hnsw_space_coded(&index->space) ?
		2 * ef_construction : ef_construction;
}

/*
 * hnsw_grow_begin -- everything that inserts need, allocated once.
 * Memory: a context of its own under the current one.
 */
extern HnswGrower *hnsw_grow_begin(HnswIndex *index);

/*
 * hnsw_grow_encode -- prepare to insert a detoasted value that has the
 * dimensions of the index.  Locks: none.  Returns false for a value that is
 * not indexed.
 */
extern bool hnsw_grow_encode(HnswGrower *grower, const void *value);

/*
 * hnsw_grow_encoded -- insert the value that was encoded last.
 *
 * Locks: the caller holds U in share mode, unless nothing can VACUUM the index.
 * Errors: as hnsw_index_append; INDEX_CORRUPTED if no page takes a node.  After
 * an error the index holds at most a node with a heap TID that is dead.
 */
extern void hnsw_grow_encoded(HnswGrower *grower, ItemPointer tid);

/* Both; returns false for a value that is not indexed. */
extern bool hnsw_grow_insert(HnswGrower *grower, const void *value,
							 ItemPointer tid);

/* ---- for the batches of a build, which come with their edges ---- */

/* The graph on pages, as this grower sees it. */
extern HnswDiskGraph *hnsw_grow_graph(HnswGrower *grower);

/*
 * hnsw_grow_append -- one more heap TID for the LIVE node 'to', whose own form is
 * the same as 'own'.  Errors: INDEX_CORRUPTED if there is no such node.
 */
extern void hnsw_grow_append(HnswGrower *grower, HnswNode to,
							 const uint8 *own, ItemPointer tid);

/*
 * hnsw_grow_link -- back-links to a node on pages from n neighbours, nearest
 * first, that are better off with one.  nlinks: links that it has anyhow.
 */
extern void hnsw_grow_link(HnswGrower *grower, HnswNode node, uint32 version,
						   const uint8 *own, HnswNeighbor *neighbors, int n,
						   int nlinks);

extern void hnsw_grow_end(HnswGrower *grower);

/*
 * hnsw_grow_products -- product links for an own form: nodes on pages.  start: n
 * nodes near it.  Returns how many, in memory of the grower until its next
 * search; their dist is the negative product.  Spaces that have such links only.
 */
extern int	hnsw_grow_products(HnswGrower *grower, const uint8 *own,
							   const HnswNode *start, int n,
							   HnswNeighbor **products);

#endif							/* HNSWGROW_H */
