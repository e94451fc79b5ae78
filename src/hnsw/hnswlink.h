/*-------------------------------------------------------------------------
 *
 * hnswlink.h
 *	  What a node's bytes say to a query, and how its edge list changes.
 *
 * Works on the bytes of one slot, wherever they are: an arena, a page or a
 * copy.  Decisions are separate from writing: a placement is decided on a copy
 * and applied under a lock if the list is still the same (README, W4).
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswlink.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWLINK_H
#define HNSWLINK_H

#include "hnsw/hnswgraph.h"

/*
 * hnsw_link_expand -- fill an expansion from a slot's bytes.
 *
 * own: its own form, as far as it is used (in the slot, or put together from
 * MORE pages).
 * Estimates are filled in coded spaces only; otherwise edge[] alone.
 * The caller has found hnsw_slot_sane() true.
 */
extern void hnsw_link_expand(const HnswSpace *space, const HnswQuery *query,
							 HnswSlot *slot, const uint8 *own,
							 HnswExpansion *out);

/* The same without the neighbours: own distance, state and TIDs. */
extern void hnsw_link_measure(const HnswSpace *space, const HnswQuery *query,
							  const HnswSlot *slot, const uint8 *own,
							  HnswExpansion *out);

/* a neighbour to be: chosen by selection, nearest first */
typedef struct HnswNeighbor
{
	HnswNode	node;
	uint32		version;
	float		dist;			/* building distance */
	bool		occluded;
	const uint8 *own;			/* its own form, in the caller's memory */
} HnswNeighbor;

/* Write the edge list of slot (of own form 'own') from n <= max_edges neighbours. */
extern void hnsw_link_write(const HnswSpace *space, HnswSlot *slot,
							const uint8 *own, const HnswNeighbor *neighbors,
							int n);

/*
 * hnsw_link_add -- put edges to n neighbours into a list, each in place of the
 * farthest occluded edge, or else the farthest; n <= max_edges / 2.  Those that
 * are there already stay where they are.
 */
extern void hnsw_link_add(const HnswSpace *space, HnswSlot *slot,
						  const uint8 *own, const HnswNeighbor *neighbors,
						  int n);

/*
 * hnsw_link_offer_product -- offer a node a product link to another, which has
 * one to it.  Taken, in place of a link of which there is less need, unless
 * it has as many links with larger products as it may have product links.
 * Returns true if the list has changed.
 */
extern bool hnsw_link_offer_product(const HnswSpace *space, HnswSlot *slot,
									const uint8 *own,
									const HnswNeighbor *new);

/*
 * Distances from one node to others that somebody has measured: a table by
 * node, open addressing, linear probing.
 */
typedef struct HnswKnown
{
	uint32		size;			/* a power of two */
	HnswNode   *node;			/* HNSW_INVALID_NODE: unused */
	float	   *dist;			/* building distances */
} HnswKnown;

/* A table for at most 'max' nodes, in the current context, still empty. */
extern void hnsw_known_create(HnswKnown *known, int max);
extern void hnsw_known_clear(HnswKnown *known);
extern void hnsw_known_add(HnswKnown *known, HnswNode node, float dist);

#define HNSW_OCCLUDED_BYTES ((HNSW_MAX_EDGES + 7) / 8)

/* One edge to be put into a list, and what that does to it. */
typedef struct HnswPlacement
{
	uint32		at;				/* edge number to overwrite, or == nedges: append */
	HnswNode	victim;			/* what stood there; INVALID when appending */
	uint16		nedges;			/* of the list when this was decided */
	uint8		occluded[HNSW_OCCLUDED_BYTES];	/* all bits afterwards */
} HnswPlacement;

/*
 * hnsw_link_place -- where does neighbour 'new' go in the list of 'slot'?
 *
 * Incremental selection (HNSW algorithm 4 with alpha 1.05 on plain distance
 * and fill): 'new' is occluded by nearer kept edges, and occludes farther ones;
 * on a full list the farthest occluded edge goes, else the farthest.
 *
 * known: distances to 'new', of all nodes that are near to it, or NULL.  An
 * edge nearer to the slot than 'new' occludes it only if it is known.  What else
 * is not known comes from the edge codes; without codes it counts as not
 * occluding.  code: the edge code of 'new' seen from slot.
 *
 * force: 'new' must get in, at the price of the worst edge.
 * Returns false if 'new' itself is the one to go, or is already in the list
 * (out->victim then names it).
 */
extern bool hnsw_link_place(const HnswSpace *space, HnswSlot *slot,
							const uint8 *own, const HnswNeighbor *new,
							const uint8 *code, const HnswKnown *known,
							bool force, HnswPlacement *out);

/*
 * hnsw_link_apply -- write a placement into a slot.  Returns false, changing
 * nothing, if the list no longer is what the placement was decided on, or
 * names 'new' by now.
 */
extern bool hnsw_link_apply(const HnswSpace *space, HnswSlot *slot,
							const HnswPlacement *placement, HnswNode new,
							const uint8 *code);

#endif							/* HNSWLINK_H */
