/*-------------------------------------------------------------------------
 *
 * hnswmeta.h
 *	  An open index: its code space, and where its pages are.
 *
 * HnswIndex is a backend's knowledge of an index, built from the metapage and
 * cached in the relcache entry.  Everything in it is fixed for the life of the
 * relation's file, but 'meta', a copy of the metapage that can be stale: pages
 * are only ever added, so a node that the copy does not know is looked up again.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswmeta.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWMETA_H
#define HNSWMETA_H

#include "hnsw/hnswspace.h"
#include "hnsw/hnswstore.h"

typedef struct HnswIndex
{
	Relation	rel;
	bool		logged;			/* false: build, WAL comes at its end */
	HnswSpace	space;
	HnswMetaPageData *meta;		/* copy; refreshed by hnsw_index_refresh */
} HnswIndex;

/* The name of an index' access method, for messages. */
extern const char *hnsw_index_am(Relation index);

/* The metric of an index' operator class; ERROR if it is none of ours. */
extern const VectorMetric *hnsw_index_metric(Relation index);

/*
 * hnsw_index_open -- know an index; memory in the current context.
 * Errors: INDEX_CORRUPTED (foreign, damaged; HINT REINDEX),
 * FEATURE_NOT_SUPPORTED (other format version).
 */
extern HnswIndex *hnsw_index_open(Relation rel);

/* why an index cannot be used */
typedef struct HnswFault
{
	int			sqlstate;
	BlockNumber block;			/* InvalidBlockNumber: no block's fault */
	char	   *message;
	char	   *detail;			/* NULL if there is none */
} HnswFault;

/* hnsw_index_examine -- the same without an error: NULL, and why. */
extern HnswIndex *hnsw_index_examine(Relation rel, HnswFault *fault);

/*
 * hnsw_index_reread -- the same from the pages alone: what the process has
 * kept of an earlier look, the mean for one, is no proof of what lies there.
 */
extern HnswIndex *hnsw_index_reread(Relation rel, HnswFault *fault);

/* Say it, as ERROR or WARNING. */
extern void hnsw_index_report(const HnswFault *fault, int elevel);

/*
 * hnsw_meta_peek -- copy the metapage only, without checks beyond size and
 * kind; false if there is none of ours.  For the cost estimate.
 */
extern bool hnsw_meta_peek(Relation rel, HnswMetaPageData *meta);

/* Copy the metapage again. */
extern void hnsw_index_refresh(HnswIndex *index);

/*
 * hnsw_index_reopen -- use a HnswIndex of an earlier statement; false if the
 * relation has another file now, or a metapage that cannot be used.
 */
extern bool hnsw_index_reopen(HnswIndex *index, Relation rel);

/*
 * Block of a page; InvalidBlockNumber if the index has no such page even
 * after one refresh.
 */
extern BlockNumber hnsw_index_block(HnswIndex *index, HnswPageKind kind,
									uint32 page);

/* Block of a node's (first) page, of its flat page. */
extern BlockNumber hnsw_index_node_block(HnswIndex *index, HnswNode node);
extern BlockNumber hnsw_index_flat_block(HnswIndex *index, HnswNode node);

/* number of node slots as of the copy */
static inline uint64
hnsw_index_nnodes(const HnswIndex *index)
{
	return hnsw_nodes_in_pages(&index->space.layout,
							   index->meta->npages[HNSW_PAGE_NODE]);
}

/* ---- what changes the metapage: hnswappend.c ---- */

/*
 * hnsw_index_append -- W1: append one NODE page (with its MORE pages, and the
 * flat page that its nodes need).  Returns the index of the page within
 * its kind.  Locks: metapage and the new page; takes the extension lock.
 * Errors: PROGRAM_LIMIT_EXCEEDED when node numbers or blocks run out.
 */
extern uint32 hnsw_index_append(HnswIndex *index);

/*
 * hnsw_index_add_entry -- W5: make a LIVE node an entry.  Takes a record whose node is gone if
 * 'replace' names one (its number), else appends one.  Locks: metapage + entry page.
 */
extern void hnsw_index_add_entry(HnswIndex *index, HnswNode node,
								 uint32 version, const uint8 *flat_code,
								 int64 replace);

/*
 * hnsw_index_note_gaps -- W11: remember that the table has had such rows
 * (HNSW_GAP_...; 0: nothing to do).  Locks: metapage, the first time.
 */
extern void hnsw_index_note_gaps(HnswIndex *index, uint32 gaps);

/*
 * hnsw_meta_create -- fill a metapage and the layout of the fixed part for a
 * new index: block 0 the metapage, then the MEAN pages if the space has a mean.
 * Used by the build: 'page' is BLCKSZ of memory.
 */
extern void hnsw_meta_create(Page page, const HnswSpace *space,
							 int ef_construction);

/*
 * hnsw_meta_add_extent -- give kind 'npages' pages at the end of all extents,
 * initialised ones if 'used'.  Returns its first block.  On a metapage in memory or under edit.
 */
extern BlockNumber hnsw_meta_add_extent(HnswMetaPageData *meta,
										HnswPageKind kind, uint32 npages,
										bool used);

#endif							/* HNSWMETA_H */
