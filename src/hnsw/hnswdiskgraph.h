/*-------------------------------------------------------------------------
 *
 * hnswdiskgraph.h
 *	  The graph on pages: reading for the search, writing for insert.
 *
 * Readers follow README, "Scans": whatever lies on a page, no error; what
 * makes no sense is skipped.  The same code runs on a standby.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswdiskgraph.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWDISKGRAPH_H
#define HNSWDISKGRAPH_H

#include "hnsw/hnswgraph.h"
#include "hnsw/hnswlink.h"
#include "hnsw/hnswmeta.h"

typedef struct HnswDiskGraph
{
	HnswGraph	graph;			/* must be first */
	HnswIndex  *index;
	char	   *scratch;		/* a slot with its whole own form */
	uint8	   *own;			/* own form of a node on several pages */
	int64		pages_read;		/* counter: content locks taken */
} HnswDiskGraph;

/* Memory in the current context. */
extern HnswDiskGraph *hnsw_diskgraph_open(HnswIndex *index);

/*
 * hnsw_diskgraph_read -- copy a slot (node_bytes) and its whole own form
 * (own_bytes, may be NULL) out.  Returns false if there is no sane slot;
 * any state is returned.
 */
extern bool hnsw_diskgraph_read(HnswDiskGraph *graph, HnswNode node,
								HnswSlot *slot, uint8 *own);

/*
 * hnsw_diskgraph_own -- copy the whole own form of a LIVE node (own_bytes) out,
 * and its version if the caller wants it.  False if there is no such node.
 */
extern bool hnsw_diskgraph_own(HnswDiskGraph *graph, HnswNode node,
							   uint8 *own, uint32 *version);

/*
 * hnsw_diskgraph_measure -- expand without the neighbours: own distance, state
 * and TIDs.
 */
extern void hnsw_diskgraph_measure(HnswDiskGraph *graph,
								   const HnswQuery *query, HnswNode node,
								   HnswExpansion *out);

/*
 * hnsw_diskgraph_tids -- the heap TIDs of a node beyond those in its slot.
 *
 * Follows the chain from 'next' as long as owner and version fit; appends up
 * to all of them to *tids (repalloc'ed; *ntids, *maxtids).  A chain that
 * changes under the reader: starts again at the node and adds what is not in
 * the list yet.  Returns false if the node's version changed: the node is gone.
 */
extern bool hnsw_diskgraph_tids(HnswDiskGraph *graph, HnswNode node,
								uint32 version, HnswNode next,
								ItemPointerData **tids, int *ntids,
								int *maxtids);

/* ---- writing: one WAL record each (README, "WAL") ---- */

/*
 * hnsw_diskgraph_claim -- W2: put a new node into a FREE slot.
 *
 * slot: the complete node (node_bytes), state LIVE, version filled in here;
 * own: its whole own form; flat: its flat record.  Returns its number;
 * *version is set.
 */
extern HnswNode hnsw_diskgraph_claim(HnswDiskGraph *graph, HnswSlot *slot,
									 const uint8 *own, HnswFlat *flat,
									 uint32 *version);

/* outcome of an attempt to change a node that may have changed meanwhile */
typedef enum HnswOutcome
{
	HNSW_DONE,
	HNSW_CHANGED,				/* decide again */
	HNSW_GONE					/* not LIVE, or another version */
} HnswOutcome;

/*
 * hnsw_diskgraph_append_tid -- W3: one more heap TID for a LIVE node of
 * version 'version' whose own form is the same as 'own'; its error bound is widened
 * to cover it.
 */
extern HnswOutcome hnsw_diskgraph_append_tid(HnswDiskGraph *graph,
											 HnswNode node, uint32 version,
											 const uint8 *own,
											 ItemPointer tid);

/* an edge decided on: what to write into which node */
typedef struct HnswLink
{
	HnswNode	node;
	uint32		version;
	HnswPlacement placement;
	const uint8 *code;			/* edge code of the new neighbour */
	HnswOutcome outcome;		/* set by hnsw_diskgraph_link */
} HnswLink;

/*
 * hnsw_diskgraph_link -- W4: apply placements of node 'new' to LIVE nodes of
 * the stated versions, ascending, on HNSW_EDIT_PAGES pages at most.
 */
extern void hnsw_diskgraph_link(HnswDiskGraph *graph, HnswLink *links, int n,
								HnswNode new);

#endif							/* HNSWDISKGRAPH_H */
