/*-------------------------------------------------------------------------
 *
 * hnswcheck.h
 *	  What the parts of the verifier share.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcheck.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWCHECK_H
#define HNSWCHECK_H

#include "postgres.h"
#include "hnsw/hnswdiskgraph.h"
#include "hnsw/hnswinspect.h"
#include "hnsw/hnswmeta.h"
#include "storage/bufmgr.h"
#include "utils/snapshot.h"

/* what the first pass learns of a slot */
typedef struct HnswCheckNode
{
	uint32		version;
	uint8		state;			/* HnswState, or HNSW_CHECK_BAD */
	uint8		marks;
} HnswCheckNode;

#define HNSW_CHECK_BAD	255 /* not to be read as anything */

#define HNSW_CHECK_REACHED	0x01	/* from the entries */
#define HNSW_CHECK_CHAINED	0x02	/* TIDS slot that its owner leads to */
#define HNSW_CHECK_ENTRY	0x04	/* an entry names it */

/* a heap TID of the index */
typedef struct HnswCheckTid
{
	BlockNumber block;
	HnswNode	node;
	OffsetNumber offset;
} HnswCheckTid;

typedef struct HnswCheck
{
	/* what was asked */
	bool		strict;
	bool		with_heap;
	Relation	heap;
	Relation	index;
	HnswRows	rows;

	/* the index, as of the beginning */
	HnswIndex  *ix;
	const HnswMetaPageData *meta;	/* never refreshed, as ix->meta is */
	const HnswSpace *space;
	const HnswLayout *layout;
	HnswDiskGraph *graph;
	BufferAccessStrategy strategy;
	Snapshot	snapshot;		/* of the comparison with the table */
	BlockNumber nblocks;
	uint64		nnodes;

	/* learnt on the way */
	uint8	   *unreadable;		/* bitmap of blocks */
	HnswCheckNode *nodes;
	HnswCheckTid *tids;			/* sorted after the first pass */
	Size		ntids;
	Size		maxtids;

	/* scratch: no two users at a time */
	BlockNumber block;			/* to be read next */
	bool		exists;			/* it is there and not new */
	char	   *page;			/* the page of the pass */
	char	   *flat_page;
	HnswSlot   *again;			/* a slot read once more */
	HnswSlot   *other;			/* a neighbour */
	uint8	   *own;			/* own form of the node of the pass */
	uint8	   *other_own;
	uint8	   *code;
	float	   *floats;
} HnswCheck;

/* ---- hnswcheck.c: rows, and reading without errors ---- */

/* block: InvalidBlockNumber if none; nid: -1 if none. */
extern void hnsw_check_report(HnswCheck *check, const char *rule,
							  const char *severity, BlockNumber block,
							  int64 nid, const char *format,...)
			pg_attribute_printf(6, 7);

/* severity of what concurrency could explain after all */
extern const char *hnsw_check_doubtful(const HnswCheck *check);

/*
 * Copy a block to check->page for the first time.  Returns false if it is new
 * or, which is reported, cannot be read.
 */
extern bool hnsw_check_load(HnswCheck *check, BlockNumber block);

/* Could the first pass read the block? */
extern bool hnsw_check_readable(const HnswCheck *check, BlockNumber block);

/* Copy a page again that the first pass has read. */
extern bool hnsw_check_copy(HnswCheck *check, HnswPageKind kind,
							uint32 number, char *page);

extern BlockNumber hnsw_check_block(HnswCheck *check, HnswNode node);

/* Copy a slot and its whole own form; false if they are not sane. */
extern bool hnsw_check_read(HnswCheck *check, HnswNode node, HnswSlot *slot,
							uint8 *own);

/* Is the slot still as in the copy?  In strict mode nothing ever changes. */
extern bool hnsw_check_unchanged(HnswCheck *check, HnswNode node,
								 const HnswSlot *slot);

/* ---- hnswcheckcode.c: own forms and codes ---- */

extern bool hnsw_check_zeros(const void *bytes, Size n);

/* What is wrong with an own form; NULL if nothing. */
extern const char *hnsw_check_own(const HnswSpace *space, const uint8 *own);

/* Two own forms of one value, up to how machines may round. */
extern bool hnsw_check_same_own(const HnswSpace *space, const uint8 *a,
								const uint8 *b);

/* Are the error bounds of a form of kind S8 at least those of another? */
extern bool hnsw_check_covers(const HnswSpace *space, const uint8 *own,
							  const uint8 *other);

/*
 * Are two codes of an edge of the node with form 'own', or two flat codes, the
 * same in this way?
 */
extern bool hnsw_check_same_edge(const HnswSpace *space, const uint8 *own,
								 const uint8 *a, const uint8 *b);
extern bool hnsw_check_same_flat(const HnswSpace *space, const uint8 *a,
								 const uint8 *b);

/* ---- the passes, one file each ---- */

extern void hnsw_check_blocks(HnswCheck *check);
extern void hnsw_check_nodes(HnswCheck *check);
extern void hnsw_check_reach(HnswCheck *check);
extern void hnsw_check_heap(HnswCheck *check);

#endif							/* HNSWCHECK_H */
