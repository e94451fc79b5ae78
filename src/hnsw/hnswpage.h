/*-------------------------------------------------------------------------
 *
 * hnswpage.h
 *	  The bytes of every page and record of an hnsw index.
 *
 * No buffer, no relation, no meaning of codes: where things lie, and checks
 * that they can lie there.  The layout is drawn in README, "Page layout".
 *
 * A page has a kind for ever.  Pages of one kind are numbered from 0 (the
 * page's index); extents in the metapage map (kind, index) to a block.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswpage.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWPAGE_H
#define HNSWPAGE_H

#include "postgres.h"
#include "storage/block.h"
#include "storage/bufpage.h"
#include "storage/itemptr.h"

#define HNSW_MAGIC			0x48565831	/* "1XVH" in little-endian bytes */
#define HNSW_FORMAT_VERSION 1
#define HNSW_PAGE_ID		0xFF9C		/* last uint16 of every page; pgvector's are 0xFF90, 0xFF84 */
#define HNSW_META_BLKNO		0

/* pgvector's marks, to refuse its pages: magic at the start of block 0 */
#define HNSW_PGVECTOR_MAGIC 0xA953A953
#define HNSW_PGVECTOR_IVF_MAGIC 0x14FF1A7

typedef uint32 HnswNode;		/* dense number of a node slot */

#define HNSW_INVALID_NODE	((HnswNode) 0xFFFFFFFF)

typedef enum HnswPageKind
{
	HNSW_PAGE_META = 1,			/* block 0 */
	HNSW_PAGE_MEAN,				/* the rotated mean of the data, floats */
	HNSW_PAGE_ENTRY,			/* entry records */
	HNSW_PAGE_FLAT,				/* flat records, in node order */
	HNSW_PAGE_NODE,				/* node slots, in node order */
	HNSW_PAGE_MORE				/* continuation of the node on the page before it */
} HnswPageKind;

/* kinds that have extents: MEAN to NODE (MORE pages lie in NODE extents) */
#define HNSW_NKINDS			(HNSW_PAGE_NODE + 1)

/* what a node slot holds: README, "Node states" */
typedef enum HnswState
{
	HNSW_FREE = 0,				/* nothing; a new page is all zeros */
	HNSW_LIVE,					/* a node with at least one heap TID */
	HNSW_EMPTY,					/* a node without heap TIDs, still linked */
	HNSW_TIDS					/* more heap TIDs of another node */
} HnswState;

typedef struct HnswPageSpecial
{
	uint32		index;			/* number of the page within its kind */
	uint32		epoch;			/* of the metapage: changes with the codes */
	uint16		unused;
	uint8		unused2;
	uint8		kind;			/* HnswPageKind */
	uint16		unused3;
	uint16		page_id;		/* HNSW_PAGE_ID */
} HnswPageSpecial;

#define HNSW_PAGE_BYTES \
	(BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - MAXALIGN(sizeof(HnswPageSpecial)))

/* a run of pages of one kind */
typedef struct HnswExtent
{
	BlockNumber start;			/* first block */
	uint32		first;			/* index of its first page */
	uint32		npages;
} HnswExtent;

/*
 * Extents grow by a sixteenth of the kind's pages, so their number is
 * logarithmic: below 300 a kind at 2^29 pages.
 */
#define HNSW_MAX_EXTENTS	560

/*
 * Rows of the table, of any time, that scans do not return in their place
 * (README, "Scan order"): without a value; a zero vector under cosine; values
 * too large or too small for sums in float32 under cosine and inner product.
 * Flags are only ever added.
 */
#define HNSW_GAP_NULL		0x0001
#define HNSW_GAP_ZERO		0x0002
#define HNSW_GAP_ODD		0x0004

typedef struct HnswMetaPageData
{
	uint32		magic;
	uint32		format_version;
	uint32		epoch;			/* of the code parameters, never changes in place */
	uint32		dim;			/* dimensions of the column */
	uint16		m;
	uint16		ef_construction;
	uint8		own_kind;		/* HnswOwnKind */
	uint8		space;			/* VectorSpace */
	uint16		max_edges;
	uint32		rdim;			/* rotated dimensions, 0 without codes */
	uint32		nbits;			/* bits of an edge code, 0 without codes */
	uint64		seed;			/* of the rotation */
	uint32		kept_bytes;		/* KEPT: room for the value in an own form */
	uint32		own_bytes;
	uint32		node_bytes;
	uint16		nodes_per_page;
	uint16		pages_per_node;
	uint32		flat_bytes;
	uint32		has_mean;		/* 1: MEAN pages hold rdim floats */
	uint32		nentries;		/* entry records in use or once used */
	uint32		npages[HNSW_NKINDS];	/* initialised pages of each kind */
	uint16		nextents;
	uint16		gaps;			/* HNSW_GAP_... */
	uint8		extent_kind[HNSW_MAX_EXTENTS];
	HnswExtent	extent[HNSW_MAX_EXTENTS];
} HnswMetaPageData;

/* heap TIDs that fit into a node before an overflow slot is needed */
#define HNSW_INLINE_TIDS	6

/*
 * A slot of a NODE page.  Header, then (LIVE, EMPTY) the occluded bits, the
 * own form, the edges, at the offsets of HnswLayout.
 */
typedef struct HnswSlot
{
	uint32		version;		/* grows whenever the slot is freed */
	uint8		state;			/* HnswState */
	uint8		unused;			/* 0; room for key columns' flags */
	uint16		nedges;
	uint32		ntids;			/* LIVE, EMPTY: all heap TIDs of the node; TIDS: of this slot */
	HnswNode	next;			/* first TIDS slot of the node, or HNSW_INVALID_NODE */
	ItemPointerData tids[HNSW_INLINE_TIDS]; /* LIVE: min(ntids here, 6), dense */
	uint16		nhere;			/* how many of tids[] are in use */
	uint16		unused2;
} HnswSlot;

/* a TIDS slot: further heap TIDs of node 'owner' */
typedef struct HnswTidSlot
{
	uint32		version;		/* as in HnswSlot, same offsets up to 'next' */
	uint8		state;			/* HNSW_TIDS */
	uint8		unused;
	uint16		unused2;
	uint32		ntids;
	HnswNode	next;
	HnswNode	owner;
	uint32		owner_version;
	ItemPointerData tids[FLEXIBLE_ARRAY_MEMBER];
} HnswTidSlot;

/* an edge; the code's meaning is hnswspace's business */
typedef struct HnswEdge
{
	HnswNode	node;
	uint8		code[FLEXIBLE_ARRAY_MEMBER];	/* QuantEdge, or float distance */
} HnswEdge;

/* first bytes of a MORE page's contents; then a part of the own form */
typedef struct HnswMore
{
	HnswNode	node;
	uint32		version;
} HnswMore;

#define HNSW_MORE_BYTES		(HNSW_PAGE_BYTES - sizeof(HnswMore))

/* floats of the mean on a MEAN page */
#define HNSW_MEANS_PER_PAGE (HNSW_PAGE_BYTES / sizeof(float))

/* a flat record: one a node, whatever its state */
typedef struct HnswFlat
{
	uint32		version;		/* of the slot */
	ItemPointerData tid;		/* first heap TID of a LIVE node, else invalid */
	uint8		state;			/* of the slot */
	uint8		more;			/* 1: the node has further heap TIDs */
	uint8		code[FLEXIBLE_ARRAY_MEMBER];	/* own vector against the mean: QuantFlat */
} HnswFlat;

/* an entry record: a node where searches start, with its flat code */
typedef struct HnswEntry
{
	HnswNode	node;			/* HNSW_INVALID_NODE: unused */
	uint32		version;
	uint8		code[FLEXIBLE_ARRAY_MEMBER];
} HnswEntry;

/*
 * Offsets and sizes of one index, from three sizes and a wish.
 *
 * own_bytes: of the own form.  edge_code_bytes, flat_code_bytes: of the codes.
 */
typedef struct HnswLayout
{
	uint32		own_bytes;
	uint32		edge_code_bytes;
	uint32		flat_code_bytes;

	uint32		max_edges;
	uint32		edge_bytes;		/* 4 + edge_code_bytes, multiple of 4 */
	uint32		occluded_off;	/* bitmap of max_edges bits in a slot */
	uint32		own_off;
	uint32		own_here;		/* own bytes in the slot; the rest on MORE pages */
	uint32		edges_off;
	uint32		node_bytes;		/* size of a slot */
	uint32		nodes_per_page;
	uint32		pages_per_node; /* 1, or 1 + number of MORE pages */
	uint32		tids_per_slot;	/* capacity of a TIDS slot */
	uint32		flat_bytes;
	uint32		flats_per_page;
	uint32		entry_bytes;
	uint32		entries_per_page;
} HnswLayout;

/* no slot names more neighbours than this: 2 * HNSW_MAX_M */
#define HNSW_MAX_EDGES		200

/*
 * hnsw_layout_init -- compute a layout that gives about 'want' edges a node.
 *
 * As many whole nodes on a page as leave at least 7/8 of the wish for edges; the rest of the
 * page goes to edges, up to 5/4 of the wish.  A node that does not fit on a page keeps its
 * edges on the first one and continues its own form on MORE pages; then the
 * number of edges is what the first page holds, at most 'want'.
 */
extern void hnsw_layout_init(HnswLayout *layout, uint32 own_bytes,
							 uint32 edge_code_bytes, uint32 flat_code_bytes,
							 int want);

/* ---- pages ---- */

extern void hnsw_page_init(Page page, HnswPageKind kind, uint32 index,
						   uint32 epoch, Size used);

/*
 * hnsw_page_kind -- what a page is; 0 if it is not ours (new, foreign or
 * damaged header).  Checks everything that later offsets rely on.
 */
extern int	hnsw_page_kind(Page page);

static inline HnswPageSpecial *
hnsw_page_special(Page page)
{
	return (HnswPageSpecial *) PageGetSpecialPointer(page);
}

static inline char *
hnsw_page_contents(Page page)
{
	return (char *) page + MAXALIGN(SizeOfPageHeaderData);
}

static inline HnswMetaPageData *
hnsw_page_meta(Page page)
{
	return (HnswMetaPageData *) hnsw_page_contents(page);
}

/* most bytes used on a page of each kind */
extern Size hnsw_page_used(const HnswLayout *layout, HnswPageKind kind);

/* bytes used on a new page: none of what is filled record by record */
extern Size hnsw_page_fresh(const HnswLayout *layout, HnswPageKind kind);

/* Can pd_lower be behind 'used' bytes of such a page? */
extern bool hnsw_page_used_sane(const HnswLayout *layout, HnswPageKind kind,
								Size used);

/*
 * hnsw_page_cover -- raise pd_lower behind a record that is to be written;
 * what lies above is zeros, and generic WAL keeps it so.  Never above pd_upper,
 * which on a damaged page can be anywhere: generic WAL relies on their order.
 */
static inline void
hnsw_page_cover(Page page, const void *record, Size bytes)
{
	PageHeader	header = (PageHeader) page;
	Size		end = (const char *) record + bytes - (const char *) page;

	if (header->pd_lower < end)
		header->pd_lower = Min(end, header->pd_upper);
}

/* ---- where a node lies ---- */

static inline uint32
hnsw_node_page(const HnswLayout *layout, HnswNode node)
{
	return layout->pages_per_node > 1 ?
		node * layout->pages_per_node : node / layout->nodes_per_page;
}

static inline uint32
hnsw_node_slot(const HnswLayout *layout, HnswNode node)
{
	return layout->pages_per_node > 1 ? 0 : node % layout->nodes_per_page;
}

/* first node of a NODE page */
static inline HnswNode
hnsw_page_first_node(const HnswLayout *layout, uint32 index)
{
	return layout->pages_per_node > 1 ?
		index / layout->pages_per_node : index * layout->nodes_per_page;
}

/* node slots behind 'npages' pages of kind NODE */
static inline uint64
hnsw_nodes_in_pages(const HnswLayout *layout, uint32 npages)
{
	return layout->pages_per_node > 1 ?
		npages / layout->pages_per_node :
		(uint64) npages * layout->nodes_per_page;
}

/* where a slot begins, in bytes from the start of the page */
static inline Size
hnsw_slot_offset(const HnswLayout *layout, uint32 slot)
{
	Assert(slot < layout->nodes_per_page);
	return MAXALIGN(SizeOfPageHeaderData) + (Size) slot * layout->node_bytes;
}

static inline HnswSlot *
hnsw_page_slot(Page page, const HnswLayout *layout, uint32 slot)
{
	return (HnswSlot *) ((char *) page + hnsw_slot_offset(layout, slot));
}

static inline HnswFlat *
hnsw_page_flat(Page page, const HnswLayout *layout, HnswNode node)
{
	return (HnswFlat *) (hnsw_page_contents(page) +
						 (Size) (node % layout->flats_per_page) *
						 layout->flat_bytes);
}

static inline HnswEntry *
hnsw_page_entry(Page page, const HnswLayout *layout, uint32 entry)
{
	return (HnswEntry *) (hnsw_page_contents(page) +
						  (Size) (entry % layout->entries_per_page) *
						  layout->entry_bytes);
}

/* ---- inside a slot ---- */

static inline uint8 *
hnsw_slot_own(HnswSlot *slot, const HnswLayout *layout)
{
	return (uint8 *) slot + layout->own_off;
}

static inline HnswEdge *
hnsw_slot_edge(HnswSlot *slot, const HnswLayout *layout, uint32 i)
{
	Assert(i < layout->max_edges);
	return (HnswEdge *) ((char *) slot + layout->edges_off +
						 (Size) i * layout->edge_bytes);
}

/* Number of the edge to a node, or -1. */
static inline int
hnsw_slot_find_edge(HnswSlot *slot, const HnswLayout *layout, HnswNode node)
{
	for (int i = 0; i < slot->nedges; i++)
	{
		if (hnsw_slot_edge(slot, layout, i)->node == node)
			return i;
	}
	return -1;
}

/*
 * Occluded edges: those that selection would have pruned and that only fill
 * the list; they are the first to be evicted.
 */
static inline bool
hnsw_slot_occluded(HnswSlot *slot, const HnswLayout *layout, uint32 i)
{
	return (((uint8 *) slot + layout->occluded_off)[i / 8] >> (i % 8)) & 1;
}

static inline void
hnsw_slot_set_occluded(HnswSlot *slot, const HnswLayout *layout, uint32 i,
					   bool occluded)
{
	uint8	   *byte = (uint8 *) slot + layout->occluded_off + i / 8;

	*byte = (*byte & ~(1 << (i % 8))) | ((uint8) occluded << (i % 8));
}

/*
 * hnsw_slot_sane -- can this slot be read as what its state says?  Checks
 * state, degree and TID counts against the layout; used on every slot read.
 */
extern bool hnsw_slot_sane(const HnswSlot *slot, const HnswLayout *layout);

/* ---- extents ---- */

/* Block of page 'index' of a kind; InvalidBlockNumber if no extent has it. */
extern BlockNumber hnsw_extent_block(const HnswMetaPageData *meta,
									 HnswPageKind kind, uint32 index);

/* The most pages of a kind that are reserved and not yet in use. */
extern uint64 hnsw_meta_spare_pages(const HnswMetaPageData *meta, int kind);

/*
 * hnsw_meta_check -- is this metapage one that we can work with?
 *
 * Returns NULL, or a constant text that says what is wrong (not translated;
 * for errdetail and the verifier).  Cross-checks every field that offsets are
 * computed from, and the extents: one behind the other, covering npages of each
 * kind with no more than hnsw_meta_spare_pages() to spare.
 */
extern const char *hnsw_meta_check(const HnswMetaPageData *meta,
								   const HnswLayout *layout);

#endif							/* HNSWPAGE_H */
