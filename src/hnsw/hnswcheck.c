/*-------------------------------------------------------------------------
 *
 * hnswcheck.c
 *	  hnsw_index_check(): the invariants of README, "Invariants", executed.
 *
 * One row for each violation, under the name of its rule; what a page holds
 * never raises an error.  Everything is judged in copies made under a share
 * lock.  Two ways to look:
 *
 *	basic	others may change the index meanwhile.  A suspect that involves more
 *			than one page is read again and dropped if anything has changed.
 *	strict	a ShareLock on the table keeps changes and VACUUM away, so that
 *			every rule can be claimed.  Recovery grants no such lock: there the
 *			caller pauses replay.
 *
 * Passes: each block by itself, which collects state and version of every node
 * (V2, V4, V9); each node against its neighbours, TIDS slots and flat record
 * (V3, V4, V5, V10); entries and what can be reached from them (V1, V6); the
 * table (V7, V8).  Memory: 12 bytes a node slot, 12 bytes a heap TID where the
 * table is compared.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcheck.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskgraph.h"
#include "hnsw/hnswinspect.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "quant/quant_edge.h"
#include "quant/quant_own.h"
#include "storage/bufmgr.h"
#include "type/sqlfunction.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

SQL_FUNCTION(hnsw_index_check);

/* what the first pass learns of a slot */
typedef struct NodeInfo
{
	uint32		version;
	uint8		state;			/* HnswState, or STATE_BAD */
	uint8		marks;
} NodeInfo;

#define STATE_BAD			255 /* not to be read as anything */

#define MARK_REACHED		0x01	/* from the entries */
#define MARK_CHAINED		0x02	/* TIDS slot that its owner leads to */

/* a heap TID of the index */
typedef struct IndexedTid
{
	BlockNumber block;
	HnswNode	node;
	OffsetNumber offset;
} IndexedTid;

typedef struct Check
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
	NodeInfo   *nodes;
	IndexedTid *tids;			/* sorted after the first pass */
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
} Check;

/* one node in so many has its edge codes checked in basic mode */
#define CODE_SAMPLE			100

/* attempts to see a node and what belongs to it in one state, basic mode */
#define MAX_ATTEMPTS		3

/* strict: so large a share of unreachable nodes is tolerable */
#define MAX_UNREACHED		1e-4

/* ---- rows ---- */

static void report(Check *check, const char *rule, const char *severity,
				   BlockNumber block, int64 nid, const char *format,...)
			pg_attribute_printf(6, 7);

/* block: InvalidBlockNumber if none; nid: -1 if none. */
static void
report(Check *check, const char *rule, const char *severity,
	   BlockNumber block, int64 nid, const char *format,...)
{
	char		detail[512];
	Datum		values[5];
	bool		nulls[5] = {false};
	va_list		args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);

	values[0] = CStringGetTextDatum(rule);
	values[1] = CStringGetTextDatum(severity);
	values[2] = Int64GetDatum((int64) block);
	values[3] = Int64GetDatum(nid);
	values[4] = CStringGetTextDatum(detail);
	nulls[2] = block == InvalidBlockNumber;
	nulls[3] = nid < 0;
	hnsw_rows_put(&check->rows, values, nulls);
	pfree(DatumGetPointer(values[0]));
	pfree(DatumGetPointer(values[1]));
	pfree(DatumGetPointer(values[4]));
}

/* severity of what concurrency could explain after all */
static const char *
doubtful(const Check *check)
{
	return check->strict ? "error" : "warning";
}

/* ---- reading without errors ---- */

/*
 * run_guarded -- call 'read'; returns the message if it found the disk damaged
 * (a checksum, a short file), NULL if not.  Other errors pass through.
 */
static char *
run_guarded(Check *check, void (*read) (Check *check))
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char	   *volatile message = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		read(check);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode != ERRCODE_DATA_CORRUPTED &&
			error->sqlerrcode != ERRCODE_IO_ERROR)
			ReThrowError(error);
		message = error->message;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return message;
}

static void
read_block(Check *check)
{
	check->exists = hnsw_store_copy(check->index, check->block, 0,
									check->page, check->strategy);
}

/*
 * Copy a block to check->page for the first time.  Returns false if it is new
 * or, which is reported, cannot be read.
 */
static bool
load_block(Check *check, BlockNumber block)
{
	char	   *message;

	check->block = block;
	check->exists = false;
	message = run_guarded(check, read_block);
	if (message == NULL)
		return check->exists;

	check->unreadable[block / 8] |= 1 << (block % 8);
	report(check, "V2", "error", block, -1, "Block cannot be read: %s.",
		   message);
	return false;
}

static bool
is_readable(const Check *check, BlockNumber block)
{
	return block < check->nblocks &&
		!((check->unreadable[block / 8] >> (block % 8)) & 1);
}

/* Copy a page again that the first pass has read. */
static bool
copy_page(Check *check, HnswPageKind kind, uint32 number, char *page)
{
	BlockNumber block = hnsw_index_block(check->ix, kind, number);

	return is_readable(check, block) &&
		hnsw_store_copy(check->index, block, kind, page, check->strategy) &&
		hnsw_page_special(page)->index == number;
}

static BlockNumber
block_of(Check *check, HnswNode node)
{
	return hnsw_index_node_block(check->ix, node);
}

/* Copy a slot and its whole own form; false if they are not sane. */
static bool
read_node(Check *check, HnswNode node, HnswSlot *slot, uint8 *own)
{
	for (uint32 i = 0; i < check->layout->pages_per_node; i++)
	{
		BlockNumber block = hnsw_index_block(check->ix, HNSW_PAGE_NODE,
											 hnsw_node_page(check->layout,
															node) + i);

		if (!is_readable(check, block))
			return false;
	}
	return hnsw_diskgraph_read(check->graph, node, slot, own);
}

/* Is the slot still as in the copy?  In strict mode nothing ever changes. */
static bool
is_unchanged(Check *check, HnswNode node, const HnswSlot *slot)
{
	return check->strict ||
		(read_node(check, node, check->again, NULL) &&
		 memcmp(check->again, slot, check->layout->node_bytes) == 0);
}

/* ---- V1: the metapage ---- */

static void
examine_index(Check *check)
{
	HnswFault	fault;

	check->ix = hnsw_index_examine(check->index, &fault);
	if (check->ix == NULL)
		report(check, fault.block == HNSW_META_BLKNO ||
			   fault.block == InvalidBlockNumber ? "V1" : "V2",
			   "error", fault.block, -1, "%s%s%s", fault.message,
			   fault.detail != NULL ? ": " : "",
			   fault.detail != NULL ? fault.detail : "");
}

/* Are the pages that count within the file? */
static void
check_extents(Check *check)
{
	const HnswMetaPageData *meta = check->meta;

	for (uint32 i = 0; i < meta->nextents; i++)
	{
		const HnswExtent *extent = &meta->extent[i];
		uint32		npages = meta->npages[meta->extent_kind[i]];
		uint32		used = npages <= extent->first ? 0 :
			Min(npages - extent->first, extent->npages);

		if (used > 0 && (uint64) extent->start + used > check->nblocks)
			report(check, "V1", "error", HNSW_META_BLKNO, -1,
				   "Extent %u has pages up to block %u, but the file has only %u blocks.",
				   i, extent->start + used - 1, check->nblocks);
	}
	for (uint32 i = meta->nextents; i < HNSW_MAX_EXTENTS; i++)
	{
		const HnswExtent *extent = &meta->extent[i];

		if (meta->extent_kind[i] != 0 || extent->start != 0 ||
			extent->first != 0 || extent->npages != 0)
		{
			report(check, "V1", "error", HNSW_META_BLKNO, -1,
				   "Unused extent %u is not zero.", i);
			break;
		}
	}
}

/* ---- V2: frames of pages ---- */

static bool
all_zeros(const void *bytes, Size n)
{
	const char *p = bytes;

	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/*
 * Judge header and special space of check->page.  Returns whether it is the
 * page that belongs here, so that its contents can be looked at.
 */
static bool
check_frame(Check *check, BlockNumber block, HnswPageKind kind, uint32 number)
{
	Page		page = check->page;
	PageHeader	header = (PageHeader) page;
	HnswPageSpecial *special;
	Size		head = MAXALIGN(SizeOfPageHeaderData);

	if (hnsw_page_kind(page) == 0)
	{
		report(check, "V2", "error", block, -1,
			   "The page header or special space is not that of an hnsw page.");
		return false;
	}
	special = hnsw_page_special(page);
	if (special->kind != kind)
	{
		report(check, "V2", "error", block, -1,
			   "The page is of kind %s, but %s is expected here.",
			   hnsw_inspect_kind_name(special->kind),
			   hnsw_inspect_kind_name(kind));
		return false;
	}
	if (special->index != number)
	{
		report(check, "V2", "error", block, -1,
			   "The page says it is %s page %u, but %u is expected here.",
			   hnsw_inspect_kind_name(kind), special->index, number);
		return false;
	}

	if (special->epoch != check->meta->epoch)
		report(check, "V2", "error", block, -1,
			   "The page has epoch %u, the metapage %u.",
			   special->epoch, check->meta->epoch);
	if (special->unused != 0 || special->unused2 != 0 || special->unused3 != 0)
		report(check, "V2", "error", block, -1,
			   "Unused bytes of the special space are not zero.");
	if (!hnsw_page_used_sane(check->layout, kind, header->pd_lower - head) ||
		header->pd_upper != header->pd_special)
		report(check, "V2", "error", block, -1,
			   "pd_lower is %u and pd_upper %u, which no %s page can have.",
			   header->pd_lower, header->pd_upper,
			   hnsw_inspect_kind_name(kind));
	else if (!all_zeros(page + header->pd_lower,
						header->pd_special - header->pd_lower))
		report(check, "V2", "error", block, -1,
			   "Bytes between pd_lower and pd_upper are not zero.");
	return true;
}

/* ---- V4: own forms ---- */

static bool
is_close(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * Max(fabs(a), fabs(b)) + FLT_MIN;
}

/* Squared length of a vector under cosine: 1, and what rounding makes of it. */
#define UNIT_TOLERANCE		1e-5

static const char *
judge_s8(const HnswSpace *space, const QuantOwn *own)
{
	int64		sum = 0;
	double		norm2 = 0;

	if (!isfinite(own->scale) || own->scale < 0 || !isfinite(own->norm2) ||
		own->norm2 < 0 || !isfinite(own->error) || own->error < 0)
		return "has a factor out of range";
	for (int i = 0; i < space->rdim; i++)
	{
		double		y = (double) own->scale * own->code[i] + space->mean[i];

		if (own->code[i] == PG_INT8_MIN)
			return "has an element out of range";
		sum += own->code[i] * own->code[i];
		norm2 += y * y;
	}
	if (own->norm2 < FLT_MAX && own->error < FLT_MAX &&
		!is_close(own->norm2, (double) own->scale * own->scale * sum, 1e-4))
		return "has a length that differs from that of its elements";
	if (space->metric->space == VECTOR_SPACE_COSINE &&
		space->own_kind == HNSW_OWN_S8 &&
		fabs(sqrt(norm2) - 1) > own->error + 10 * UNIT_TOLERANCE)
		return "is not of unit length";
	return NULL;
}

/* hnswspace.h: squared norm, then the elements */
static const char *
judge_f32(const HnswSpace *space, const float *own)
{
	double		norm2 = 0;
	double		length = own[0];

	if (space->metric->space == VECTOR_SPACE_COSINE && length > 2)
		length -= HNSW_UNBOUNDED;
	for (int i = 1; i <= space->dim; i++)
	{
		if (!isfinite(own[i]))
			return "has an element out of range";
		norm2 += (double) own[i] * own[i];
	}
	if (!isfinite(length) ||
		!is_close(length, Min(norm2, FLT_MAX), 1e-4))
		return "has a length that differs from that of its elements";
	if (space->metric->space == VECTOR_SPACE_COSINE &&
		fabs(norm2 - 1) > UNIT_TOLERANCE)
		return "is not of unit length";
	return NULL;
}

/* The value in an own form: at most max_bytes of the bytes that it may use. */
static const char *
judge_value(const HnswSpace *space, const uint8 *value, Size max_bytes,
			Size room)
{
	Size		bytes;

	if (!VARATT_IS_4B_U(value))
		return "is not a value";
	bytes = VARSIZE(value);
	if (bytes < 2 * VARHDRSZ || bytes > max_bytes ||
		space->metric->dim(value) != space->dim)
		return "is not a value of the column's dimensions";
	if (!all_zeros(value + bytes, room - bytes))
		return "is followed by bytes that are not zero";
	if (!isfinite(space->metric->size != NULL ? space->metric->size(value) :
				  space->metric->distance(value, value)))
		return "has an element out of range";
	return NULL;
}

static const char *
judge_kept(const HnswSpace *space, const uint8 *own)
{
	const HnswKept *form = (const HnswKept *) own;
	const char *wrong = judge_s8(space, &form->code);

	if (wrong != NULL)
		return wrong;
	if (!isfinite(form->size) || form->size < 0 || !isfinite(form->rest) ||
		form->rest < 0)
		return "has a factor out of range";
	return judge_value(space, hnsw_space_value(space, own),
					   space->kept_bytes, space->kept_bytes);
}

static const char *
judge_exact(const HnswSpace *space, const uint8 *own)
{
	return judge_value(space, own, space->metric->max_bytes(space->dim),
					   space->layout.own_bytes);
}

/* What is wrong with an own form; NULL if nothing. */
static const char *
judge_own(const HnswSpace *space, const uint8 *own)
{
	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
			if (space->has_fine &&
				!(hnsw_space_fine(space, own)->error >= 0 &&
				  hnsw_space_fine(space, own)->error <= FLT_MAX))
				return "has a factor out of range";
			return judge_s8(space, (const QuantOwn *) own);
		case HNSW_OWN_F32:
			return judge_f32(space, (const float *) own);
		case HNSW_OWN_KEPT:
			return judge_kept(space, own);
		case HNSW_OWN_EXACT:
			return judge_exact(space, own);
	}
	return NULL;
}

/* ---- V4, V9: slots ---- */

static bool
are_tids_dense(const ItemPointerData *tids, uint32 n, uint32 room)
{
	for (uint32 i = 0; i < n; i++)
	{
		if (!ItemPointerIsValid(&tids[i]) ||
			ItemPointerGetBlockNumberNoCheck(&tids[i]) > MaxBlockNumber)
			return false;
	}
	return all_zeros(&tids[n], (room - n) * sizeof(ItemPointerData));
}

static void
collect_tids(Check *check, HnswNode node, const ItemPointerData *tids,
			 uint32 n)
{
	if (!check->with_heap)
		return;
	if (check->ntids + n > check->maxtids)
	{
		check->maxtids = Max(check->maxtids * 2, check->ntids + n);
		check->tids = repalloc_huge(check->tids,
									mul_size(check->maxtids,
											 sizeof(IndexedTid)));
	}
	for (uint32 i = 0; i < n; i++)
	{
		IndexedTid *tid = &check->tids[check->ntids++];

		tid->block = ItemPointerGetBlockNumberNoCheck(&tids[i]);
		tid->offset = ItemPointerGetOffsetNumberNoCheck(&tids[i]);
		tid->node = node;
	}
}

/* A LIVE or EMPTY slot.  Returns false if it cannot be read as one. */
static bool
check_node_slot(Check *check, BlockNumber block, HnswNode node,
				HnswSlot *slot)
{
	bool		live = slot->state == HNSW_LIVE;

	if (slot->unused != 0 || slot->unused2 != 0)
		report(check, "V4", "error", block, node,
			   "Unused bytes of the node are not zero.");
	if (slot->nedges > check->layout->max_edges)
		report(check, "V5", "error", block, node,
			   "The node has %u edges, but at most %u fit.",
			   slot->nedges, check->layout->max_edges);
	if (live ? slot->ntids == 0 : slot->ntids != 0)
		report(check, "V4", "error", block, node,
			   "The node is %s, but has %u heap TIDs.",
			   hnsw_inspect_state_name(slot->state), slot->ntids);
	if (slot->nhere > HNSW_INLINE_TIDS || slot->nhere > slot->ntids)
	{
		report(check, "V4", "error", block, node,
			   "The node has %u heap TIDs, %u of them in itself.",
			   slot->ntids, slot->nhere);
		return false;
	}

	if (are_tids_dense(slot->tids, slot->nhere, HNSW_INLINE_TIDS))
		collect_tids(check, node, slot->tids, slot->nhere);
	else
		report(check, "V4", "error", block, node,
			   "The node's heap TIDs are not %u valid ones and zeros.",
			   slot->nhere);
	return hnsw_slot_sane(slot, check->layout);
}

/* A TIDS slot.  Returns false if it cannot be read as one. */
static bool
check_tid_slot(Check *check, BlockNumber block, HnswNode node,
			   HnswTidSlot *slot)
{
	if (slot->unused != 0 || slot->unused2 != 0)
		report(check, "V4", "error", block, node,
			   "Unused bytes of the TIDS slot are not zero.");
	if (slot->ntids > check->layout->tids_per_slot)
	{
		report(check, "V4", "error", block, node,
			   "The TIDS slot has %u heap TIDs, but at most %u fit.",
			   slot->ntids, check->layout->tids_per_slot);
		return false;
	}
	if (are_tids_dense(slot->tids, slot->ntids, check->layout->tids_per_slot))
		collect_tids(check, slot->owner, slot->tids, slot->ntids);
	else
		report(check, "V4", "error", block, node,
			   "The slot's heap TIDs are not %u valid ones and zeros.",
			   slot->ntids);
	return true;
}

static void
check_slot(Check *check, BlockNumber block, HnswNode node, HnswSlot *slot)
{
	NodeInfo   *info = &check->nodes[node];
	bool		sane = false;

	info->version = slot->version;
	switch (slot->state)
	{
		case HNSW_FREE:
			sane = all_zeros((char *) slot + sizeof(slot->version),
							 check->layout->node_bytes -
							 sizeof(slot->version));
			if (!sane)
				report(check, "V9", "error", block, node,
					   "The free slot is not all zeros.");
			sane = true;
			break;
		case HNSW_LIVE:
		case HNSW_EMPTY:
			sane = check_node_slot(check, block, node, slot);
			break;
		case HNSW_TIDS:
			sane = check_tid_slot(check, block, node, (HnswTidSlot *) slot);
			break;
		default:
			report(check, "V4", "error", block, node,
				   "The slot has unknown state %u.", slot->state);
	}
	info->state = sane ? slot->state : STATE_BAD;
}

/* ---- first pass: each block by itself ---- */

/* What is in check->page is page 'number' of a kind, if any. */
static void
check_block(Check *check, BlockNumber block, HnswPageKind kind, uint32 number)
{
	uint32		npages = check->meta->npages[kind];
	bool		head = number % check->layout->pages_per_node == 0;

	if (!load_block(check, block))
	{
		/* zeros are what a crash leaves of a page that did not count yet */
		if (number < npages && is_readable(check, block))
			report(check, "V2", "error", block, -1,
				   "The page is not initialised, but should be %s page %u.",
				   hnsw_inspect_kind_name(kind), number);
		return;
	}

	if (kind == HNSW_PAGE_NODE && !head)
	{
		(void) check_frame(check, block, HNSW_PAGE_MORE, number);
		return;
	}
	if (!check_frame(check, block, kind, number) || number >= npages ||
		kind != HNSW_PAGE_NODE)
		return;

	for (uint32 i = 0; i < check->layout->nodes_per_page; i++)
		check_slot(check, block,
				   hnsw_page_first_node(check->layout, number) + i,
				   hnsw_page_slot(check->page, check->layout, i));
}

static void
check_blocks(Check *check)
{
	const HnswMetaPageData *meta = check->meta;
	uint32		e = 0;

	if (load_block(check, HNSW_META_BLKNO))
		(void) check_frame(check, HNSW_META_BLKNO, HNSW_PAGE_META, 0);

	for (BlockNumber block = HNSW_META_BLKNO + 1; block < check->nblocks;
		 block++)
	{
		const HnswExtent *extent;

		CHECK_FOR_INTERRUPTS();
		while (e < meta->nextents &&
			   block >= meta->extent[e].start + meta->extent[e].npages)
			e++;
		extent = &meta->extent[e];
		if (e < meta->nextents && block >= extent->start)
			check_block(check, block, meta->extent_kind[e],
						extent->first + (block - extent->start));
		else if (check->strict && load_block(check, block))
			report(check, "V2", "error", block, -1,
				   "The page is in use, but lies in no extent.");
	}
}

/* ---- V5: edges ---- */

static bool
have_close_bits(const uint8 *a, const uint8 *b, int nbits)
{
	int			differing = 0;

	for (int i = 0; i < nbits / 8; i++)
		differing += pg_number_of_ones[a[i] ^ b[i]];
	return differing <= 1 + nbits / 128;
}

/*
 * Are two edge codes the same, up to how machines may round?
 */
static bool
same_edge_code(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	const QuantEdge *x = (const QuantEdge *) a;
	const QuantEdge *y = (const QuantEdge *) b;
	float		lengths[2];

	if (!hnsw_space_coded(space))
	{
		memcpy(&lengths[0], a, sizeof(float));
		memcpy(&lengths[1], b, sizeof(float));
		return is_close(lengths[0], lengths[1], 1e-5);
	}
	if (memcmp(a, b, space->layout.edge_code_bytes) == 0)
		return true;
	return have_close_bits(x->bits, y->bits, space->nbits) &&
		is_close(quant_bf16_to_float(x->scale),
				 quant_bf16_to_float(y->scale), 1.0 / 64) &&
		is_close(quant_bf16_to_float(x->norm2),
				 quant_bf16_to_float(y->norm2), 1.0 / 64);
}

static void
check_edge_code(Check *check, HnswNode node, HnswSlot *slot, int i)
{
	HnswEdge   *edge = hnsw_slot_edge(slot, check->layout, i);
	float		dist = 0;

	if (!read_node(check, edge->node, check->other, check->other_own) ||
		(check->other->state != HNSW_LIVE &&
		 check->other->state != HNSW_EMPTY) ||
		check->other->version != check->nodes[edge->node].version)
		return;
	if (!hnsw_space_coded(check->space))
		dist = hnsw_space_between(check->space, check->own, check->other_own);
	hnsw_space_edge(check->space, check->own, check->other_own, dist,
					check->code);
	if (!same_edge_code(check->space, edge->code, check->code) &&
		is_unchanged(check, node, slot))
		report(check, "V5", "error", block_of(check, node), node,
			   "The code of edge %d does not fit to node %u.", i, edge->node);
}

/* Is the target of an edge a node?  Reports it if not. */
static bool
check_edge_target(Check *check, HnswNode node, HnswSlot *slot, int i)
{
	HnswNode	to = hnsw_slot_edge(slot, check->layout, i)->node;
	BlockNumber block = block_of(check, node);

	if (to == node)
	{
		report(check, "V5", "error", block, node,
			   "Edge %d names the node itself.", i);
		return false;
	}
	if (to >= check->nnodes)
	{
		/* known by now, if it was added meanwhile */
		if (block_of(check, to) == InvalidBlockNumber)
			report(check, "V5", "error", block, node,
				   "Edge %d names node %u, which does not exist.", i, to);
		return false;
	}
	switch (check->nodes[to].state)
	{
		case HNSW_LIVE:
		case HNSW_EMPTY:
			return true;
		case STATE_BAD:
			return false;		/* reported as what it is */
	}

	/*
	 * An EMPTY node keeps its edges until it is freed itself, while those that
	 * it names are freed and used again: an interrupted VACUUM leaves that.
	 */
	if (slot->state == HNSW_EMPTY)
		return false;

	/* FREE or TIDS: perhaps not any more */
	if (read_node(check, to, check->other, NULL) &&
		(check->other->state == HNSW_FREE ||
		 check->other->state == HNSW_TIDS) &&
		is_unchanged(check, node, slot))
		report(check, "V5", doubtful(check), block, node,
			   "Edge %d names slot %u, which is %s.", i, to,
			   hnsw_inspect_state_name(check->other->state));
	return false;
}

static int
compare_nodes(const void *a, const void *b)
{
	HnswNode	x = *(const HnswNode *) a;
	HnswNode	y = *(const HnswNode *) b;

	return x < y ? -1 : x > y;
}

static void
check_edges(Check *check, HnswNode node, HnswSlot *slot)
{
	const HnswLayout *layout = check->layout;
	bool		codes = slot->state == HNSW_LIVE &&
		(check->strict || node % CODE_SAMPLE == 0);
	HnswNode	sorted[HNSW_MAX_EDGES];

	for (int i = 0; i < slot->nedges; i++)
	{
		sorted[i] = hnsw_slot_edge(slot, layout, i)->node;
		if (check_edge_target(check, node, slot, i) && codes)
			check_edge_code(check, node, slot, i);
	}

	qsort(sorted, slot->nedges, sizeof(HnswNode), compare_nodes);
	for (int i = 1; i < slot->nedges; i++)
	{
		if (sorted[i] == sorted[i - 1])
			report(check, "V5", "error", block_of(check, node), node,
				   "Two edges name node %u.", sorted[i]);
	}
	if (!all_zeros((char *) slot + layout->edges_off +
				   slot->nedges * layout->edge_bytes,
				   (layout->max_edges - slot->nedges) * layout->edge_bytes))
		report(check, "V5", "error", block_of(check, node), node,
			   "The node has %u edges, but bytes behind them are not zero.",
			   slot->nedges);
}

/* ---- V3, V4: TIDS slots ---- */

/*
 * Follow the chain of a node.  Returns what is wrong with it, or NULL;
 * *total: heap TIDs, *at: the slot in question.
 */
static const char *
walk_chain(Check *check, HnswNode node, const HnswSlot *slot, uint64 *total,
		   HnswNode *at)
{
	uint64		steps = 0;

	*total = slot->nhere;
	for (*at = slot->next; *at != HNSW_INVALID_NODE; steps++)
	{
		HnswTidSlot *more = (HnswTidSlot *) check->other;

		CHECK_FOR_INTERRUPTS();
		if (steps > check->nnodes)
			return "does not end at";
		if (block_of(check, *at) == InvalidBlockNumber)
			return "names a slot that does not exist:";
		if (!read_node(check, *at, check->other, NULL))
			return "names a slot that is damaged:";
		if (more->state != HNSW_TIDS || more->owner != node ||
			more->owner_version != slot->version)
			return "names a slot that is not one of its own:";
		if (*at < check->nnodes)
			check->nodes[*at].marks |= MARK_CHAINED;
		*total += more->ntids;
		*at = more->next;
	}
	return NULL;
}

static void
check_chain(Check *check, HnswNode node, HnswSlot *slot)
{
	const char *wrong;
	uint64		total;
	HnswNode	at;

	if (slot->next == HNSW_INVALID_NODE && slot->ntids == slot->nhere)
		return;
	for (int i = 0; i < MAX_ATTEMPTS; i++)
	{
		wrong = walk_chain(check, node, slot, &total, &at);
		if (wrong == NULL && total == slot->ntids)
			return;
		if (is_unchanged(check, node, slot))
		{
			if (wrong != NULL)
				report(check, "V3", doubtful(check), block_of(check, node),
					   node, "The chain of heap TIDs %s %u.", wrong, at);
			else
				report(check, "V4", "error", block_of(check, node), node,
					   "The node counts %u heap TIDs, but has " UINT64_FORMAT ".",
					   slot->ntids, total);
			return;
		}

		/* somebody works on it: judge what it is now */
		memcpy(slot, check->again, check->layout->node_bytes);
		if (slot->state != HNSW_LIVE && slot->state != HNSW_EMPTY)
			return;
	}
}

/* TIDS slots that no chain leads to. */
static void
check_orphans(Check *check)
{
	for (uint64 i = 0; i < check->nnodes; i++)
	{
		NodeInfo   *info = &check->nodes[i];

		if (info->state != HNSW_TIDS || (info->marks & MARK_CHAINED))
			continue;
		CHECK_FOR_INTERRUPTS();
		if (!check->strict &&
			(!read_node(check, i, check->other, NULL) ||
			 check->other->state != HNSW_TIDS ||
			 check->other->version != info->version))
			continue;
		report(check, "V3", doubtful(check), block_of(check, i), i,
			   "The TIDS slot is in no node's chain.");
	}
}

/* ---- V10: flat records ---- */

/* Two flat codes, up to rounding: hnswpage.h, two floats and signs. */
static bool
same_flat_code(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	float		x[2];
	float		y[2];

	if (memcmp(a, b, space->layout.flat_code_bytes) == 0)
		return true;
	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return is_close(x[0], y[0], 1e-4) && is_close(x[1], y[1], 1e-3) &&
		have_close_bits(a + sizeof(x), b + sizeof(y), space->nbits);
}

/* What is wrong with the flat record of a slot; NULL if nothing. */
static const char *
judge_flat(Check *check, const HnswSlot *slot, const uint8 *own,
		   const HnswFlat *flat)
{
	bool		is_node = slot->state == HNSW_LIVE ||
		slot->state == HNSW_EMPTY;
	bool		live = slot->state == HNSW_LIVE;

	if (flat->state != slot->state)
		return "state";
	if (flat->version != slot->version)
		return "version";
	if (flat->more != (live && slot->ntids > 1))
		return "count of heap TIDs";
	if (live && slot->nhere > 0 ?
		!ItemPointerEquals(unconstify(ItemPointerData *, &flat->tid),
						   unconstify(ItemPointerData *, &slot->tids[0])) :
		ItemPointerIsValid(&flat->tid))
		return "heap TID";
	if (!hnsw_space_coded(check->space))
		return NULL;
	if (!is_node)
		return all_zeros(flat->code, check->layout->flat_code_bytes) ?
			NULL : "code";
	hnsw_space_flat(check->space, own, check->code);
	return same_flat_code(check->space, flat->code, check->code) ?
		NULL : "code";
}

/*
 * A flat record that does not fit to its slot, looked at again in basic mode:
 * the record between two equal looks at the slot.  Returns what is wrong, NULL
 * if nothing is, or if somebody works on the node.
 */
static const char *
judge_flat_again(Check *check, HnswNode node, HnswSlot *slot,
				 const uint8 *own)
{
	for (int i = 0; i < MAX_ATTEMPTS; i++)
	{
		uint32		version = slot->version;
		uint8		state = slot->state;

		if (!read_node(check, node, slot, NULL) ||
			slot->version != version || slot->state != state ||
			!copy_page(check, HNSW_PAGE_FLAT,
					   node / check->layout->flats_per_page,
					   check->flat_page))
			return NULL;
		if (is_unchanged(check, node, slot))
			return judge_flat(check, slot, own,
							  hnsw_page_flat(check->flat_page, check->layout,
											 node));
	}
	return NULL;
}

/* Compare a slot with its flat record in check->flat_page. */
static void
check_flat(Check *check, HnswNode node, HnswSlot *slot, const uint8 *own)
{
	const char *wrong = judge_flat(check, slot, own,
								   hnsw_page_flat(check->flat_page,
												  check->layout, node));

	if (wrong != NULL && !check->strict)
		wrong = judge_flat_again(check, node, slot, own);
	if (wrong != NULL)
		report(check, "V10", "error", hnsw_index_flat_block(check->ix, node),
			   node, "The %s of the flat record differs from that of its slot.",
			   wrong);
}

/* ---- second pass: each node against what belongs to it ---- */

/* Get the whole own form of a node into check->own; reports what is wrong. */
static bool
load_own(Check *check, HnswNode node, HnswSlot *slot)
{
	const char *wrong;

	if (check->layout->pages_per_node == 1)
		memcpy(check->own, hnsw_slot_own(slot, check->layout),
			   check->layout->own_bytes);
	else if (!read_node(check, node, check->other, check->own))
	{
		if (is_unchanged(check, node, slot))
			report(check, "V3", doubtful(check), block_of(check, node), node,
				   "The pages behind the node's do not continue it.");
		return false;
	}
	else if (check->other->version != slot->version ||
			 check->other->state != slot->state)
		return false;			/* another node by now */

	wrong = judge_own(check->space, check->own);
	if (wrong != NULL && is_unchanged(check, node, slot))
		report(check, "V4", "error", block_of(check, node), node,
			   "The node's own form %s.", wrong);
	return wrong == NULL;
}

static void
check_node(Check *check, HnswNode node, HnswSlot *slot, bool has_flat)
{
	bool		has_own = true;

	if (check->nodes[node].state == STATE_BAD ||
		!hnsw_slot_sane(slot, check->layout))
		return;

	if (slot->state == HNSW_LIVE || slot->state == HNSW_EMPTY)
	{
		has_own = load_own(check, node, slot);
		if (has_own)
			check_edges(check, node, slot);
		check_chain(check, node, slot);
	}
	if (has_flat && has_own)
		check_flat(check, node, slot, check->own);
}

static void
check_nodes(Check *check)
{
	const HnswLayout *layout = check->layout;
	HnswSlot   *slot = palloc(layout->node_bytes);
	uint32		npages = check->meta->npages[HNSW_PAGE_NODE];

	for (uint32 number = 0; number < npages; number += layout->pages_per_node)
	{
		HnswNode	first = hnsw_page_first_node(layout, number);
		uint32		flat_number = PG_UINT32_MAX;
		bool		has_flat = false;

		CHECK_FOR_INTERRUPTS();
		if (!copy_page(check, HNSW_PAGE_NODE, number, check->page))
			continue;
		for (uint32 i = 0; i < layout->nodes_per_page; i++)
		{
			if ((first + i) / layout->flats_per_page != flat_number)
			{
				flat_number = (first + i) / layout->flats_per_page;
				has_flat = copy_page(check, HNSW_PAGE_FLAT, flat_number,
									 check->flat_page);
			}
			memcpy(slot, hnsw_page_slot(check->page, layout, i),
				   layout->node_bytes);
			check_node(check, first + i, slot, has_flat);
		}
	}
	check_orphans(check);
	pfree(slot);
}

/* ---- V1, V6: entries, and what they lead to ---- */

/*
 * Judge an entry record.  Returns whether a search can start there.
 */
static bool
check_entry(Check *check, BlockNumber block, uint32 number,
			const HnswEntry *entry)
{
	bool		current;

	if (entry->node == HNSW_INVALID_NODE)
		return false;
	if (block_of(check, entry->node) == InvalidBlockNumber)
	{
		report(check, "V1", "error", block, entry->node,
			   "Entry %u names node %u, which does not exist.", number,
			   entry->node);
		return false;
	}
	if (entry->node >= check->nnodes ||
		!read_node(check, entry->node, check->other, check->own))
		return false;

	current = check->other->version == entry->version &&
		(check->other->state == HNSW_LIVE ||
		 check->other->state == HNSW_EMPTY);
	if (!current && (check->strict || check->other->version < entry->version))
		report(check, "V1", doubtful(check), block, entry->node,
			   "Entry %u names version %u of node %u, whose slot is %s with version %u.",
			   number, entry->version, entry->node,
			   hnsw_inspect_state_name(check->other->state),
			   check->other->version);
	if (!current || !hnsw_space_coded(check->space))
		return current;

	hnsw_space_flat(check->space, check->own, check->code);
	if (!same_flat_code(check->space, entry->code, check->code))
		report(check, "V10", "error", block, entry->node,
			   "The code of entry %u differs from that of its node.", number);
	return true;
}

static void
reach(Check *check, HnswNode *queue, uint64 *n, HnswNode node)
{
	NodeInfo   *info;

	if (node >= check->nnodes)
		return;
	info = &check->nodes[node];
	if ((info->marks & MARK_REACHED) ||
		(info->state != HNSW_LIVE && info->state != HNSW_EMPTY))
		return;
	info->marks |= MARK_REACHED;
	queue[(*n)++] = node;
}

/* Put the nodes of all entries into the queue. */
static void
reach_entries(Check *check, HnswNode *queue, uint64 *n)
{
	const HnswMetaPageData *meta = check->meta;
	uint32		per_page = check->layout->entries_per_page;
	uint32		nentries = meta->nentries;

	for (uint32 page = 0; page < meta->npages[HNSW_PAGE_ENTRY]; page++)
	{
		BlockNumber block = hnsw_index_block(check->ix, HNSW_PAGE_ENTRY, page);

		CHECK_FOR_INTERRUPTS();
		if (!copy_page(check, HNSW_PAGE_ENTRY, page, check->page))
			continue;
		for (uint32 i = 0; i < per_page; i++)
		{
			uint32		number = page * per_page + i;
			HnswEntry  *entry = hnsw_page_entry(check->page, check->layout, i);

			if (number < nentries)
			{
				if (check_entry(check, block, number, entry))
					reach(check, queue, n, entry->node);
			}
			else if (check->strict && entry->node != HNSW_INVALID_NODE)
				report(check, "V1", "error", block, entry->node,
					   "Entry record %u is in use, but there are only %u entries.",
					   number, nentries);
		}
	}
}

static void
check_reachability(Check *check)
{
	HnswNode   *queue;
	uint64		n = 0;
	uint64		nlive = 0;
	uint64		nunreached = 0;
	const char *severity = "notice";

	queue = MemoryContextAllocHuge(CurrentMemoryContext,
								   mul_size(check->nnodes + 1,
											sizeof(HnswNode)));
	reach_entries(check, queue, &n);
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!read_node(check, queue[i], check->other, NULL) ||
			(check->other->state != HNSW_LIVE &&
			 check->other->state != HNSW_EMPTY))
			continue;
		for (int e = 0; e < check->other->nedges; e++)
			reach(check, queue, &n,
				  hnsw_slot_edge(check->other, check->layout, e)->node);
	}
	pfree(queue);

	for (uint64 i = 0; i < check->nnodes; i++)
	{
		if (check->nodes[i].state != HNSW_LIVE)
			continue;
		nlive++;
		nunreached += !(check->nodes[i].marks & MARK_REACHED);
	}
	if (check->strict)
		severity = nunreached > nlive * MAX_UNREACHED ? "error" : "warning";
	for (uint64 i = 0; nunreached > 0 && i < check->nnodes; i++)
	{
		if (check->nodes[i].state == HNSW_LIVE &&
			!(check->nodes[i].marks & MARK_REACHED))
			report(check, "V6", severity, block_of(check, i), i,
				   "The node cannot be reached from the entries.");
	}
}

/* ---- V4, V7: heap TIDs of the index ---- */

static int
compare_tids(const void *a, const void *b)
{
	const IndexedTid *x = a;
	const IndexedTid *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return (int) x->offset - (int) y->offset;
}

static void
check_repeated_tids(Check *check)
{
	for (Size i = 1; i < check->ntids; i++)
	{
		IndexedTid *tid = &check->tids[i];

		if (compare_tids(tid - 1, tid) == 0)
			report(check, "V4", "error", block_of(check, tid->node), tid->node,
				   "Heap TID (%u,%u) is in node %u too.", tid->block,
				   tid->offset, tid[-1].node);
	}
}

/* What is wrong with a heap TID, by a copy of its heap page; or NULL. */
static const char *
judge_line_pointer(Page page, OffsetNumber offset)
{
	ItemId		item;

	if (offset > PageGetMaxOffsetNumber(page))
		return "names a line pointer that does not exist";
	item = PageGetItemId(page, offset);
	if (!ItemIdIsUsed(item))
		return "names an unused line pointer";
	if (ItemIdIsNormal(item) &&
		HeapTupleHeaderIsHeapOnly((HeapTupleHeader) PageGetItem(page, item)))
		return "names a row that indexes do not point to";
	return NULL;
}

/* Each heap TID names a line pointer that VACUUM has not given away. */
static void
check_line_pointers(Check *check)
{
	BlockNumber nblocks = RelationGetNumberOfBlocks(check->heap);
	BlockNumber block = InvalidBlockNumber;
	bool		exists = false;

	for (Size i = 0; i < check->ntids; i++)
	{
		IndexedTid *tid = &check->tids[i];
		const char *wrong = NULL;

		if (tid->block != block)
		{
			CHECK_FOR_INTERRUPTS();
			block = tid->block;
			exists = block < nblocks &&
				hnsw_store_copy(check->heap, block, 0, check->page,
								check->strategy);
		}
		wrong = exists ? judge_line_pointer(check->page, tid->offset) :
			"lies on a page that does not exist";
		if (wrong != NULL)
			report(check, "V7", "error", block_of(check, tid->node), tid->node,
				   "Heap TID (%u,%u) %s.", tid->block, tid->offset, wrong);
	}
}

/* ---- V7, V8: rows of the table ---- */

/* Codes of one value */
static bool
have_close_codes(const HnswSpace *space, const QuantOwn *x, const QuantOwn *y)
{
	for (int i = 0; i < space->rdim; i++)
	{
		if (abs(x->code[i] - y->code[i]) > 1)
			return false;
	}
	return is_close(x->scale, y->scale, 1e-5);
}

static bool
have_close_fine_codes(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	for (int i = 0; i < space->rdim; i++)
	{
		int			x = quant_fine_code(hnsw_space_code(space, a),
										hnsw_space_fine(space, a), i);
		int			y = quant_fine_code(hnsw_space_code(space, b),
										hnsw_space_fine(space, b), i);

		if (abs(x - y) > 1)
			return false;
	}
	return true;
}

/* Values that are kept */
static bool
keep_same_value(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	return is_close(((const HnswKept *) a)->size,
					((const HnswKept *) b)->size, 1e-5) &&
		is_close(((const HnswKept *) a)->rest,
				 ((const HnswKept *) b)->rest, 1e-5) &&
		memcmp(hnsw_space_value(space, a), hnsw_space_value(space, b),
			   space->kept_bytes) == 0;
}

/* Two own forms of one value, up to how machines may round. */
static bool
nearly_same_own(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	if (hnsw_space_same(space, a, b))
		return true;
	if (space->own_kind == HNSW_OWN_F32)
	{
		for (int i = 1; i <= space->dim; i++)
		{
			if (fabs(((const float *) a)[i] - ((const float *) b)[i]) >
				FLT_EPSILON * Max(fabs(((const float *) a)[i]), 1))
				return false;
		}
		return true;
	}
	if (space->own_kind == HNSW_OWN_EXACT)
		return false;
	return have_close_codes(space, hnsw_space_code(space, a),
							hnsw_space_code(space, b)) &&
		(!space->has_fine || have_close_fine_codes(space, a, b)) &&
		(space->own_kind != HNSW_OWN_KEPT || keep_same_value(space, a, b));
}

/* Are the error bounds of a form of kind S8 at least those of another? */
static bool
covers(const HnswSpace *space, const uint8 *own, const uint8 *other)
{
	const double least = 1 - 1e-5;

	return ((const QuantOwn *) own)->error >=
		((const QuantOwn *) other)->error * least &&
		(!space->has_fine ||
		 hnsw_space_fine(space, own)->error >=
		 hnsw_space_fine(space, other)->error * least);
}

/* V8: compare a node with the value of a row, whose own form is other_own. */
static void
check_value(Check *check, HnswNode node, ItemPointer tid)
{
	BlockNumber block = block_of(check, node);

	if (node >= check->nnodes ||
		!read_node(check, node, check->other, check->own) ||
		(check->other->state != HNSW_LIVE &&
		 check->other->state != HNSW_EMPTY))
		return;
	if (!nearly_same_own(check->space, check->own, check->other_own))
		report(check, "V8", "error", block, node,
			   "The node's own form is not that of row (%u,%u).",
			   ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid));
	else if (check->space->own_kind == HNSW_OWN_S8 &&
			 !covers(check->space, check->own, check->other_own))
		report(check, "V8", "error", block, node,
			   "The node's error bound does not cover row (%u,%u).",
			   ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid));
}

/* A row that has no place in the order of a scan: does the metapage know? */
static void
check_gap(Check *check, ItemPointer tid, int gap)
{
	/* the row may be younger than the copy */
	if ((check->ix->meta->gaps & gap) != gap)
		hnsw_index_refresh(check->ix);
	if ((check->ix->meta->gaps & gap) != gap)
		report(check, "V7", "error", HNSW_META_BLKNO, -1,
			   "Row (%u,%u) is a gap that the metapage does not know.",
			   ItemPointerGetBlockNumber(tid),
			   ItemPointerGetOffsetNumber(tid));
}

/* For each row that the index should have. */
static void
check_row(Relation index, ItemPointer tid, Datum *values, bool *isnull,
		  bool alive, void *state)
{
	Check	   *check = state;
	IndexedTid	key;
	IndexedTid *found;
	void	   *value;

	if (isnull[0])
	{
		check_gap(check, tid, HNSW_GAP_NULL);
		return;
	}
	value = PG_DETOAST_DATUM(values[0]);
	if (check->space->metric->dim(value) != check->space->dim)
	{
		report(check, "V7", "error", InvalidBlockNumber, -1,
			   "Row (%u,%u) has %d dimensions, the index %d.",
			   ItemPointerGetBlockNumber(tid),
			   ItemPointerGetOffsetNumber(tid),
			   check->space->metric->dim(value), check->space->dim);
		return;
	}
	check_gap(check, tid, hnsw_space_gap(check->space, value));
	if (!hnsw_space_own(check->space, value, check->floats, check->other_own))
		return;

	key.block = ItemPointerGetBlockNumber(tid);
	key.offset = ItemPointerGetOffsetNumber(tid);
	found = bsearch(&key, check->tids, check->ntids, sizeof(IndexedTid),
					compare_tids);
	if (found == NULL)
		report(check, "V7", "error", InvalidBlockNumber, -1,
			   "Row (%u,%u) is not in the index.", key.block, key.offset);
	else
		check_value(check, found->node, tid);
	if (value != DatumGetPointer(values[0]))
		pfree(value);
}

/*
 * An MVCC snapshot that is older than a broken HOT chain's index would miss
 * rows for good reason; as in contrib/amcheck.
 */
static void
check_snapshot(Check *check)
{
	HeapTupleHeader row = check->index->rd_indextuple->t_data;

	if (IsolationUsesXactSnapshot() && check->index->rd_index->indcheckxmin &&
		!TransactionIdPrecedes(HeapTupleHeaderGetXmin(row),
							   check->snapshot->xmin))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("index \"%s\" cannot be checked using transaction snapshot",
						RelationGetRelationName(check->index))));
}

/*
 * Compare the index with the table.  Expressions and predicates of the index
 * run as the table's owner.
 */
static void
check_table(Check *check)
{
	IndexInfo  *info = BuildIndexInfo(check->index);
	TableScanDesc scan;
	Oid			user;
	int			security;
	int			guc_level;

	info->ii_Concurrent = true; /* an MVCC snapshot, no waiting */
	info->ii_Unique = false;
	info->ii_ExclusionOps = NULL;
	info->ii_ExclusionProcs = NULL;
	info->ii_ExclusionStrats = NULL;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(check->heap->rd_rel->relowner,
						   security | SECURITY_RESTRICTED_OPERATION);
	guc_level = NewGUCNestLevel();
	compat_restrict_search_path();

	scan = table_beginscan_strat(check->heap, check->snapshot, 0, NULL, true,
								 true);
	table_index_build_scan(check->heap, check->index, info, true, false,
						   check_row, check, scan);

	AtEOXact_GUC(false, guc_level);
	SetUserIdAndSecContext(user, security);
}

static void
check_heap_side(Check *check)
{
	qsort(check->tids, check->ntids, sizeof(IndexedTid), compare_tids);
	if (check->strict)
	{
		check_repeated_tids(check);
		if (check->heap->rd_rel->relam == HEAP_TABLE_AM_OID)
			check_line_pointers(check);
	}
	check_table(check);
}

/* ---- the whole ---- */

static void
allocate_scratch(Check *check)
{
	const HnswLayout *layout = check->layout;
	Size		code_bytes = Max(layout->edge_code_bytes,
								 layout->flat_code_bytes);

	check->flat_page = palloc(BLCKSZ);
	check->again = palloc0(layout->node_bytes);
	check->other = palloc0(layout->node_bytes);
	check->own = palloc0(layout->own_bytes);
	check->other_own = palloc0(layout->own_bytes);
	check->code = palloc0(MAXALIGN(code_bytes));
	check->floats = palloc0(sizeof(float) *
							(hnsw_space_scratch(check->space) + 1));

	check->nodes = MemoryContextAllocHuge(CurrentMemoryContext,
										  mul_size(check->nnodes + 1,
												   sizeof(NodeInfo)));
	for (uint64 i = 0; i < check->nnodes; i++)
	{
		check->nodes[i].version = 0;
		check->nodes[i].state = STATE_BAD;
		check->nodes[i].marks = 0;
	}
	if (check->with_heap)
	{
		check->maxtids = check->nnodes + 1;
		check->tids = MemoryContextAllocHuge(CurrentMemoryContext,
											 mul_size(check->maxtids,
													  sizeof(IndexedTid)));
	}
}

static void
run_checks(Check *check)
{
	HnswMetaPageData *meta;
	char	   *message;

	check->nblocks = hnsw_store_nblocks(check->index);
	check->unreadable = palloc0(check->nblocks / 8 + 1);
	check->page = palloc(BLCKSZ);
	check->strategy = GetAccessStrategy(BAS_BULKREAD);

	message = run_guarded(check, examine_index);
	if (message != NULL)
		report(check, "V2", "error", HNSW_META_BLKNO, -1,
			   "The metapage or the mean cannot be read: %s.", message);
	if (check->ix == NULL)
		return;

	/* only what counted before the file was measured is expected in it */
	check->nblocks = hnsw_store_nblocks(check->index);
	check->unreadable = palloc0(check->nblocks / 8 + 1);
	meta = palloc(sizeof(HnswMetaPageData));
	*meta = *check->ix->meta;
	check->meta = meta;
	check->space = &check->ix->space;
	check->layout = &check->space->layout;
	check->graph = hnsw_diskgraph_open(check->ix);
	check->nnodes = hnsw_nodes_in_pages(check->layout,
										meta->npages[HNSW_PAGE_NODE]);
	allocate_scratch(check);

	check_extents(check);
	check_blocks(check);
	check_nodes(check);
	check_reachability(check);
	if (check->with_heap)
		check_heap_side(check);
}

Datum
hnsw_index_check(PG_FUNCTION_ARGS)
{
	bool		heapallindexed = PG_GETARG_BOOL(1);
	bool		strict = PG_GETARG_BOOL(2);
	MemoryContext context;
	MemoryContext old;
	Check		check = {0};

	check.strict = strict;
	check.with_heap = heapallindexed || strict;
	check.index = hnsw_inspect_open(PG_GETARG_OID(0),
									strict && !RecoveryInProgress() ?
									ShareLock : AccessShareLock, &check.heap);
	hnsw_rows_begin(fcinfo, &check.rows);

	if (RecoveryInProgress() && !RelationIsPermanent(check.index))
		ereport(NOTICE,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot check unlogged index \"%s\" during recovery, skipping",
						RelationGetRelationName(check.index))));
	else
	{
		/* an index that is not valid need not have all rows */
		if (check.with_heap && !check.index->rd_index->indisvalid)
		{
			ereport(NOTICE,
					(errmsg("index \"%s\" is not valid, not comparing it with its table",
							RelationGetRelationName(check.index))));
			check.with_heap = false;
		}
		if (check.with_heap)
		{
			check.snapshot = RegisterSnapshot(GetTransactionSnapshot());
			check_snapshot(&check);
		}
		context = AllocSetContextCreate(CurrentMemoryContext, "hnsw check",
										ALLOCSET_DEFAULT_SIZES);
		old = MemoryContextSwitchTo(context);
		run_checks(&check);
		MemoryContextSwitchTo(old);
		MemoryContextDelete(context);
		if (check.with_heap)
			UnregisterSnapshot(check.snapshot);
	}

	hnsw_inspect_close(check.index, check.heap);
	PG_RETURN_NULL();
}
