/*-------------------------------------------------------------------------
 *
 * hnswmeta.c
 *	  An open index: its code space, and where its pages are.
 *
 * Owns the metapage: reading and judging it, the copy of it that each backend
 * keeps, and the changes to it: new pages, new extents, new entries.  Nothing
 * that a metapage says is believed before it agrees with what its own
 * parameters compute to (H137).
 *
 * Rules: README, "Metapage" and W1, W5, W10, W11 of "WAL".
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswmeta.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "commands/defrem.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswmeta.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* what is fixed for the life of the file stands before the counters */
#define META_FIXED_BYTES	offsetof(HnswMetaPageData, nentries)

/* what rd_amcache points to: one chunk, since the relcache frees only that */
typedef struct HnswCache
{
	HnswMetaPageData meta;
	HnswSpace	space;			/* its pointers go to 'memory' */
	char		memory[FLEXIBLE_ARRAY_MEMBER];	/* hnsw_space_bytes() */
} HnswCache;

#define CACHE_MEMORY_OFF	MAXALIGN(offsetof(HnswCache, memory))

/* ---- what is wrong with an index ---- */

const char *
hnsw_index_am(Relation index)
{
	return get_am_name(index->rd_rel->relam);
}

static void
set_unexpected(HnswFault *fault, Relation rel, BlockNumber block,
			   const char *detail)
{
	fault->sqlstate = ERRCODE_INDEX_CORRUPTED;
	fault->block = block;
	fault->message = psprintf("index \"%s\" contains unexpected page at block %u",
							  RelationGetRelationName(rel), block);
	fault->detail = pstrdup(detail);
}

static void
set_foreign(HnswFault *fault, Relation rel, uint32 magic)
{
	fault->sqlstate = ERRCODE_INDEX_CORRUPTED;
	fault->block = HNSW_META_BLKNO;
	fault->message = psprintf("index \"%s\" was built by pgvector and cannot be read",
							  RelationGetRelationName(rel));
	fault->detail = psprintf("Block 0 has magic number 0x%X.", magic);
}

static void
set_version(HnswFault *fault, Relation rel, uint32 version)
{
	fault->sqlstate = ERRCODE_FEATURE_NOT_SUPPORTED;
	fault->block = HNSW_META_BLKNO;
	fault->message = psprintf("index \"%s\" has format version %u",
							  RelationGetRelationName(rel), version);
	fault->detail = psprintf("This build supports version %u.",
							 HNSW_FORMAT_VERSION);
}

static void
set_unsupported_type(HnswFault *fault, Relation rel)
{
	fault->sqlstate = ERRCODE_FEATURE_NOT_SUPPORTED;
	fault->block = InvalidBlockNumber;
	fault->message = psprintf("type not supported for %s index",
							  hnsw_index_am(rel));
	fault->detail = NULL;
}

static void
report_fault(const HnswFault *fault)
{
	ereport(ERROR,
			(errcode(fault->sqlstate),
			 errmsg("%s", fault->message),
			 fault->detail != NULL ? errdetail("%s", fault->detail) : 0,
			 fault->sqlstate == ERRCODE_INDEX_CORRUPTED ?
			 errhint("Please REINDEX it.") : 0));
}

/* ---- reading the metapage ---- */

static const VectorMetric *
find_metric(Relation index)
{
	FmgrInfo   *support = index_getprocinfo(index, 1, HNSW_DISTANCE_PROC);
	bool		has_norm = OidIsValid(index_getprocid(index, 1,
													  HNSW_NORM_PROC));

	return vector_metric_lookup(support->fn_addr, has_norm);
}

const VectorMetric *
hnsw_index_metric(Relation index)
{
	const VectorMetric *metric = find_metric(index);
	Oid			type = TupleDescAttr(RelationGetDescr(index), 0)->atttypid;

	/*
	 * The column's type may only be binary coercible to that of the class, as
	 * varbit is to bit: then its values have no fixed dimensions.
	 */
	if (metric == NULL || getBaseType(type) != index->rd_opcintype[0])
	{
		HnswFault	fault;

		set_unsupported_type(&fault, index);
		report_fault(&fault);
	}
	return metric;
}

/*
 * copy_metapage -- copy block 0 to 'page' and see whether it is a metapage of
 * ours and of this version.
 */
static bool
copy_metapage(Relation rel, char *page, HnswFault *fault)
{
	HnswMetaPageData *meta = hnsw_page_meta((Page) page);
	uint32		magic;

	if (!hnsw_store_copy(rel, HNSW_META_BLKNO, 0, page, NULL))
	{
		/* what a failed CREATE INDEX CONCURRENTLY may leave (H71) */
		set_unexpected(fault, rel, HNSW_META_BLKNO,
					   "There is no metapage: the index was not built completely.");
		return false;
	}

	memcpy(&magic, hnsw_page_contents((Page) page), sizeof(magic));
	if (magic == HNSW_PGVECTOR_MAGIC || magic == HNSW_PGVECTOR_IVF_MAGIC)
	{
		set_foreign(fault, rel, magic);
		return false;
	}
	if (hnsw_page_kind((Page) page) != HNSW_PAGE_META ||
		meta->magic != HNSW_MAGIC)
	{
		set_unexpected(fault, rel, HNSW_META_BLKNO,
					   "It is not the metapage of an hnsw index.");
		return false;
	}
	if (meta->format_version != HNSW_FORMAT_VERSION)
	{
		set_version(fault, rel, meta->format_version);
		return false;
	}
	if (((PageHeader) page)->pd_lower <
		MAXALIGN(SizeOfPageHeaderData) + sizeof(HnswMetaPageData))
	{
		set_unexpected(fault, rel, HNSW_META_BLKNO, "The metapage is cut short.");
		return false;
	}
	return true;
}

/* Parameters in range, so that the code space can be computed from them? */
static const char *
check_parameters(Relation rel, const HnswMetaPageData *meta,
				 const VectorMetric *metric)
{
	int32		typmod = TupleDescAttr(RelationGetDescr(rel), 0)->atttypmod;

	if (meta->dim < 1 || meta->dim > metric->max_dim)
		return "impossible number of dimensions";
	if (typmod != -1 && meta->dim != typmod)
		return "number of dimensions differs from the column's";
	if (meta->m < HNSW_MIN_M || meta->m > HNSW_MAX_M)
		return "impossible value of m";
	if (meta->ef_construction < HNSW_MIN_EF_CONSTRUCTION ||
		meta->ef_construction > HNSW_MAX_EF_CONSTRUCTION)
		return "impossible value of ef_construction";
	if (meta->kept_bytes != hnsw_space_kept_bytes(metric, meta->dim,
												  meta->kept_bytes))
		return "impossible size of values";
	if (meta->space != metric->space)
		return "distance differs from that of the operator class";
	return NULL;
}

/* Do the stored parameters of the code space equal the computed ones? */
static const char *
check_space(const HnswMetaPageData *meta, const HnswSpace *space)
{
	if (meta->own_kind != space->own_kind || meta->rdim != space->rdim ||
		meta->nbits != space->nbits)
		return "stored codes differ from the computed ones";
	if (meta->has_mean && !hnsw_space_coded(space))
		return "impossible flag";
	return hnsw_meta_check(meta, &space->layout);
}

/*
 * read_mean -- the mean's rdim floats from the MEAN pages.
 *
 * Returns InvalidBlockNumber, or the block that is not what it should be.
 */
static BlockNumber
read_mean(Relation rel, const HnswMetaPageData *meta, float *mean)
{
	PGAlignedBlock page;

	for (uint32 done = 0; done < meta->rdim; done += HNSW_MEANS_PER_PAGE)
	{
		uint32		index = done / HNSW_MEANS_PER_PAGE;
		uint32		n = Min(meta->rdim - done, HNSW_MEANS_PER_PAGE);
		BlockNumber block = hnsw_extent_block(meta, HNSW_PAGE_MEAN, index);

		if (!hnsw_store_copy(rel, block, HNSW_PAGE_MEAN, page.data, NULL) ||
			hnsw_page_special(page.data)->index != index ||
			hnsw_page_special(page.data)->epoch != meta->epoch)
			return block;
		memcpy(mean + done, hnsw_page_contents(page.data), n * sizeof(float));
		for (uint32 i = done; i < done + n; i++)
		{
			if (!isfinite(mean[i]))
				return block;
		}
	}
	return InvalidBlockNumber;
}

/* ---- opening ---- */

/* A new HnswIndex and where its space's memory is. */
static HnswIndex *
allocate_index(Relation rel, Size space_bytes, void **memory)
{
	Size		head = MAXALIGN(sizeof(HnswIndex));
	Size		meta = MAXALIGN(sizeof(HnswMetaPageData));
	char	   *chunk = palloc0(head + meta + space_bytes);
	HnswIndex  *index = (HnswIndex *) chunk;

	index->rel = rel;
	index->logged = true;
	index->meta = (HnswMetaPageData *) (chunk + head);
	*memory = chunk + head + meta;
	return index;
}

static HnswIndex *
open_from_metapage(Relation rel, const HnswMetaPageData *meta,
				   HnswFault *fault)
{
	const VectorMetric *metric = find_metric(rel);
	const char *wrong;
	HnswIndex  *index;
	void	   *memory;
	float	   *mean;
	BlockNumber block;

	if (metric == NULL)
	{
		set_unsupported_type(fault, rel);
		return NULL;
	}
	wrong = check_parameters(rel, meta, metric);
	if (wrong != NULL)
	{
		set_unexpected(fault, rel, HNSW_META_BLKNO,
					   psprintf("The metapage is damaged: %s.", wrong));
		return NULL;
	}

	index = allocate_index(rel, hnsw_space_bytes(metric, meta->dim), &memory);
	*index->meta = *meta;
	hnsw_space_init(&index->space, metric, meta->dim, meta->m, meta->seed,
					meta->kept_bytes, NULL, memory);
	wrong = check_space(meta, &index->space);
	if (wrong != NULL)
	{
		set_unexpected(fault, rel, HNSW_META_BLKNO,
					   psprintf("The metapage is damaged: %s.", wrong));
		return NULL;
	}
	if (!meta->has_mean)
		return index;

	mean = palloc(sizeof(float) * meta->rdim);
	block = read_mean(rel, meta, mean);
	if (block != InvalidBlockNumber)
	{
		set_unexpected(fault, rel, block,
					   "It does not hold the mean of the data.");
		return NULL;
	}
	hnsw_space_init(&index->space, metric, meta->dim, meta->m, meta->seed,
					meta->kept_bytes, mean, memory);
	pfree(mean);
	return index;
}

/* Keep what was found for the next statement. */
static void
fill_cache(Relation rel, const HnswIndex *index)
{
	Size		bytes = hnsw_space_bytes(index->space.metric,
										 index->space.dim);
	HnswCache  *cache;

	if (rel->rd_amcache != NULL)
		pfree(rel->rd_amcache);
	rel->rd_amcache = NULL;
	cache = MemoryContextAllocZero(rel->rd_indexcxt, CACHE_MEMORY_OFF + bytes);
	cache->meta = *index->meta;
	hnsw_space_copy(&cache->space, &index->space,
					(char *) cache + CACHE_MEMORY_OFF);
	rel->rd_amcache = cache;
}

/*
 * open_from_cache -- a copy of the cached index with the metapage of now, or
 * NULL if the cache does not fit to it.
 *
 * The relcache may drop the cache whenever a lock is taken (H74), so nothing
 * ever points into it.
 */
static HnswIndex *
open_from_cache(Relation rel, const HnswMetaPageData *meta)
{
	HnswCache  *cache = rel->rd_amcache;
	HnswIndex  *index;
	void	   *memory;

	if (cache == NULL || memcmp(&cache->meta, meta, META_FIXED_BYTES) != 0)
		return NULL;
	if (memcmp(&cache->meta, meta, sizeof(*meta)) != 0)
	{
		if (hnsw_meta_check(meta, &cache->space.layout) != NULL)
			return NULL;
		cache->meta = *meta;
	}

	index = allocate_index(rel, hnsw_space_bytes(cache->space.metric,
												 cache->space.dim), &memory);
	*index->meta = *meta;
	hnsw_space_copy(&index->space, &cache->space, memory);
	return index;
}

HnswIndex *
hnsw_index_examine(Relation rel, HnswFault *fault)
{
	PGAlignedBlock page;
	HnswMetaPageData *meta = hnsw_page_meta(page.data);
	HnswIndex  *index;

	if (!copy_metapage(rel, page.data, fault))
		return NULL;

	index = open_from_cache(rel, meta);
	if (index == NULL)
	{
		index = open_from_metapage(rel, meta, fault);
		if (index != NULL)
			fill_cache(rel, index);
	}
	return index;
}

HnswIndex *
hnsw_index_open(Relation rel)
{
	HnswFault	fault;
	HnswIndex  *index = hnsw_index_examine(rel, &fault);

	if (index == NULL)
		report_fault(&fault);
	return index;
}

HnswIndex *
hnsw_index_try(Relation rel, const char **why)
{
	HnswFault	fault;
	HnswIndex  *index = hnsw_index_examine(rel, &fault);

	if (index == NULL)
		*why = fault.message;
	return index;
}

bool
hnsw_meta_peek(Relation rel, HnswMetaPageData *meta)
{
	HnswPageRef ref;

	if (!hnsw_store_open(rel, HNSW_META_BLKNO, HNSW_PAGE_META, &ref))
		return false;
	*meta = *hnsw_page_meta(ref.page);
	hnsw_store_close(&ref);
	return meta->magic == HNSW_MAGIC &&
		meta->format_version == HNSW_FORMAT_VERSION;
}

void
hnsw_index_refresh(HnswIndex *index)
{
	HnswMetaPageData meta;

	/* what was right before stays right: a bad copy is not taken over */
	if (hnsw_meta_peek(index->rel, &meta) &&
		memcmp(&meta, index->meta, META_FIXED_BYTES) == 0 &&
		hnsw_meta_check(&meta, &index->space.layout) == NULL)
		*index->meta = meta;
}

/* ---- where pages are ---- */

BlockNumber
hnsw_index_block(HnswIndex *index, HnswPageKind kind, uint32 page)
{
	if (unlikely(page >= index->meta->npages[kind]))
	{
		hnsw_index_refresh(index);
		if (page >= index->meta->npages[kind])
			return InvalidBlockNumber;
	}
	return hnsw_extent_block(index->meta, kind, page);
}

BlockNumber
hnsw_index_node_block(HnswIndex *index, HnswNode node)
{
	const HnswLayout *layout = &index->space.layout;

	/* the page number of a wild node may not fit into 32 bits */
	if (unlikely(node >= hnsw_index_nnodes(index)))
	{
		hnsw_index_refresh(index);
		if (node >= hnsw_index_nnodes(index))
			return InvalidBlockNumber;
	}
	return hnsw_extent_block(index->meta, HNSW_PAGE_NODE,
							 hnsw_node_page(layout, node));
}

BlockNumber
hnsw_index_flat_block(HnswIndex *index, HnswNode node)
{
	return hnsw_index_block(index, HNSW_PAGE_FLAT,
							node / index->space.layout.flats_per_page);
}

/* ---- new indexes ---- */

void
hnsw_meta_create(Page page, const HnswSpace *space, int ef_construction)
{
	const HnswLayout *layout = &space->layout;
	HnswMetaPageData *meta = hnsw_page_meta(page);
	uint32		epoch;

	/* an index rebuilt in the same file must not look like the old one */
	if (!pg_strong_random(&epoch, sizeof(epoch)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random number")));

	hnsw_page_init(page, HNSW_PAGE_META, 0, epoch,
				   hnsw_page_used(layout, HNSW_PAGE_META));
	meta->magic = HNSW_MAGIC;
	meta->format_version = HNSW_FORMAT_VERSION;
	meta->epoch = epoch;
	meta->dim = space->dim;
	meta->m = space->m;
	meta->ef_construction = ef_construction;
	meta->own_kind = space->own_kind;
	meta->space = space->metric->space;
	meta->max_edges = layout->max_edges;
	meta->rdim = space->rdim;
	meta->nbits = space->nbits;
	meta->seed = space->seed;
	meta->kept_bytes = space->kept_bytes;
	meta->own_bytes = layout->own_bytes;
	meta->node_bytes = layout->node_bytes;
	meta->nodes_per_page = layout->nodes_per_page;
	meta->pages_per_node = layout->pages_per_node;
	meta->flat_bytes = layout->flat_bytes;
	meta->has_mean = space->has_mean;

	if (space->has_mean)
		hnsw_meta_add_extent(meta, HNSW_PAGE_MEAN,
							 (space->rdim + HNSW_MEANS_PER_PAGE - 1) /
							 HNSW_MEANS_PER_PAGE, true);
}

/* pages of a kind that the extents have room for */
static uint32
count_reserved(const HnswMetaPageData *meta, HnswPageKind kind)
{
	uint32		n = 0;

	for (uint32 i = 0; i < meta->nextents; i++)
	{
		if (meta->extent_kind[i] == kind)
			n += meta->extent[i].npages;
	}
	return n;
}

BlockNumber
hnsw_meta_add_extent(HnswMetaPageData *meta, HnswPageKind kind,
					 uint32 npages, bool used)
{
	BlockNumber start = HNSW_META_BLKNO + 1;
	uint32		first = count_reserved(meta, kind);
	HnswExtent *last = NULL;
	bool		merge = false;

	Assert(kind >= HNSW_PAGE_MEAN && kind < HNSW_NKINDS);
	Assert(npages > 0);
	Assert(!used || meta->npages[kind] == first);

	if (meta->nextents > 0)
	{
		last = &meta->extent[meta->nextents - 1];
		start = last->start + last->npages;
		merge = meta->extent_kind[meta->nextents - 1] == kind;
	}
	if (npages > MaxBlockNumber - start ||
		(!merge && meta->nextents == HNSW_MAX_EXTENTS))
		return InvalidBlockNumber;

	if (merge)
		last->npages += npages;
	else
	{
		HnswExtent *extent = &meta->extent[meta->nextents];

		meta->extent_kind[meta->nextents] = kind;
		extent->start = start;
		extent->first = first;
		extent->npages = npages;
		meta->nextents++;
	}
	if (used)
		meta->npages[kind] += npages;
	return start;
}

/* ---- appending pages ---- */

static void
report_full(HnswIndex *index)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("index \"%s\" cannot grow any more",
					RelationGetRelationName(index->rel)),
			 errdetail("It has " UINT64_FORMAT " nodes in %u blocks.",
					   hnsw_index_nnodes(index),
					   hnsw_store_nblocks(index->rel))));
}

/* A page that we have to change is not what it should be. */
static void
report_damage(HnswIndex *index, BlockNumber block)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" contains unexpected page at block %u",
					RelationGetRelationName(index->rel), block),
			 errhint("Please REINDEX it.")));
}

/*
 * Pages that a new extent gets: what is needed at once, or a sixteenth of what
 * there is, twice that when extents run short.
 */
static uint32
extent_size(const HnswMetaPageData *meta, HnswPageKind kind, uint32 needed)
{
	uint32		size = meta->npages[kind] / 16;

	if (meta->nextents > HNSW_MAX_EXTENTS / 2)
		size *= 2;
	return Max(size, needed);
}

/*
 * reserve_pages -- W10: make the extents cover 'npages' pages of a kind.
 *
 * Locks: metapage.
 */
static void
reserve_pages(HnswIndex *index, HnswPageKind kind, uint32 npages)
{
	HnswEdit	edit;
	HnswMetaPageData *meta;
	uint32		reserved;
	BlockNumber start = 0;
	int			i;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	i = hnsw_edit_lock(&edit, HNSW_META_BLKNO, HNSW_PAGE_META);
	if (i >= 0)
	{
		meta = hnsw_page_meta(hnsw_edit_page(&edit, i));
		reserved = count_reserved(meta, kind);
		if (reserved < npages)	/* nobody else was faster */
		{
			meta = hnsw_page_meta(hnsw_edit_change(&edit, i));
			start = hnsw_meta_add_extent(meta, kind,
										 extent_size(meta, kind,
													 npages - reserved),
										 false);
			if (start == InvalidBlockNumber)
				start = hnsw_meta_add_extent(meta, kind, npages - reserved,
											 false);
		}
	}

	if (start == InvalidBlockNumber)
		hnsw_edit_cancel(&edit);
	else
		hnsw_edit_finish(&edit);
	hnsw_index_refresh(index);
	if (start == InvalidBlockNumber)
		report_full(index);
}

/* Bytes of a new page; all records unused. */
static void
init_page(HnswIndex *index, Page page, HnswPageKind kind, uint32 number)
{
	const HnswLayout *layout = &index->space.layout;

	hnsw_page_init(page, kind, number, index->meta->epoch,
				   hnsw_page_fresh(layout, kind));
	if (kind == HNSW_PAGE_ENTRY)
	{
		for (uint32 i = 0; i < layout->entries_per_page; i++)
			hnsw_page_entry(page, layout, i)->node = HNSW_INVALID_NODE;
	}
	else if (kind == HNSW_PAGE_MORE)
		((HnswMore *) hnsw_page_contents(page))->node = HNSW_INVALID_NODE;
}

/*
 * init_next -- write page 'first' + 'i' of a kind, if the kind still has
 * 'first' pages; 'publish' counts that many pages as there.
 *
 * The metapage is locked also where it does not change: another backend that
 * has published the same pages may have put a node there.
 * Locks: metapage, new page.  Returns false if somebody else was faster.
 */
static bool
init_next(HnswIndex *index, HnswPageKind kind, uint32 first, uint32 i,
		  uint32 publish)
{
	HnswEdit	edit;
	Page		page;
	BlockNumber block = hnsw_extent_block(index->meta, kind, first + i);
	int			meta;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	meta = hnsw_edit_lock(&edit, HNSW_META_BLKNO, HNSW_PAGE_META);
	if (meta < 0 ||
		hnsw_page_meta(hnsw_edit_page(&edit, meta))->npages[kind] != first)
	{
		hnsw_edit_cancel(&edit);
		return false;
	}
	if (publish > 0)
		hnsw_page_meta(hnsw_edit_change(&edit, meta))->npages[kind] += publish;

	page = hnsw_edit_new(&edit, block);
	init_page(index, page, i > 0 ? HNSW_PAGE_MORE : kind, first + i);
	hnsw_edit_finish(&edit);
	return true;
}

/*
 * append_pages -- W1: 'count' pages of a kind, all but the first continuations.
 *
 * Returns false if somebody else appended meanwhile; the copy of the metapage
 * is new then.
 */
static bool
append_pages(HnswIndex *index, HnswPageKind kind, uint32 count)
{
	uint32		first = index->meta->npages[kind];
	BlockNumber end = 0;
	bool		ok = true;

	if (count_reserved(index->meta, kind) - first < count)
	{
		reserve_pages(index, kind, first + count);
		if (count_reserved(index->meta, kind) < first + count)
			report_damage(index, HNSW_META_BLKNO);
	}

	for (uint32 i = 0; i < count; i++)
		end = Max(end, hnsw_extent_block(index->meta, kind, first + i) + 1);
	hnsw_store_extend(index->rel, end);
	HNSW_POINT("extend-before-init");

	/* what makes them count is written last */
	for (uint32 i = count; ok && i > 0; i--)
		ok = init_next(index, kind, first, i - 1, i == 1 ? count : 0);
	HNSW_POINT("extend-after-init");

	hnsw_index_refresh(index);
	if (index->meta->npages[kind] == first)
		report_damage(index, HNSW_META_BLKNO);
	return ok;
}

uint32
hnsw_index_append(HnswIndex *index)
{
	const HnswLayout *layout = &index->space.layout;

	hnsw_index_refresh(index);
	for (;;)
	{
		uint32		first = index->meta->npages[HNSW_PAGE_NODE];
		uint64		nflats = (uint64) index->meta->npages[HNSW_PAGE_FLAT] *
			layout->flats_per_page;
		uint64		nnodes;

		CHECK_FOR_INTERRUPTS();
		if (first > MaxBlockNumber - layout->pages_per_node)
			report_full(index);
		nnodes = hnsw_nodes_in_pages(layout, first + layout->pages_per_node);
		if (nnodes >= HNSW_INVALID_NODE)
			report_full(index);

		/* every node that counts has a flat record */
		if (nflats < nnodes)
			(void) append_pages(index, HNSW_PAGE_FLAT, 1);
		else if (append_pages(index, HNSW_PAGE_NODE, layout->pages_per_node))
			return first;
	}
}

/* ---- entries ---- */

static void
write_entry(const HnswIndex *index, Page page, uint32 number, HnswNode node,
			uint32 version, const uint8 *flat_code)
{
	const HnswLayout *layout = &index->space.layout;
	HnswEntry  *entry = hnsw_page_entry(page, layout, number);

	entry->node = node;
	entry->version = version;
	if (layout->flat_code_bytes > 0)
		memcpy(entry->code, flat_code, layout->flat_code_bytes);
}

/* Copy an entry's name out; false if there is no such record. */
static bool
read_entry(HnswIndex *index, uint32 number, HnswEntry *out)
{
	const HnswLayout *layout = &index->space.layout;
	HnswPageRef ref;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY,
										 number / layout->entries_per_page);

	if (!hnsw_store_open(index->rel, block, HNSW_PAGE_ENTRY, &ref))
		return false;
	memcpy(out, hnsw_page_entry(ref.page, layout, number), sizeof(HnswEntry));
	hnsw_store_close(&ref);
	return true;
}

/* Has the node that an entry names gone for ever? */
static bool
is_gone(HnswIndex *index, const HnswEntry *entry)
{
	const HnswLayout *layout = &index->space.layout;
	HnswPageRef ref;
	HnswSlot   *slot;
	bool		gone;
	BlockNumber block = hnsw_index_node_block(index, entry->node);

	if (!hnsw_store_open(index->rel, block, HNSW_PAGE_NODE, &ref))
		return true;
	slot = hnsw_page_slot(ref.page, layout,
						  hnsw_node_slot(layout, entry->node));
	gone = slot->version != entry->version ||
		(slot->state != HNSW_LIVE && slot->state != HNSW_EMPTY);
	hnsw_store_close(&ref);
	return gone;
}

/*
 * replace_entry -- overwrite record 'number' if its node is gone, also when
 * looked at under the lock: its new node might be reachable from here only.
 */
static bool
replace_entry(HnswIndex *index, uint32 number, HnswNode node, uint32 version,
			  const uint8 *flat_code)
{
	const HnswLayout *layout = &index->space.layout;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY,
										 number / layout->entries_per_page);
	HnswEdit	edit;
	HnswEntry	old;
	int			i;

	if (!read_entry(index, number, &old) || !is_gone(index, &old))
		return false;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	i = hnsw_edit_lock(&edit, block, HNSW_PAGE_ENTRY);
	if (i < 0 ||
		memcmp(hnsw_page_entry(hnsw_edit_page(&edit, i), layout, number),
			   &old, sizeof(HnswEntry)) != 0)
	{
		hnsw_edit_cancel(&edit);
		return false;
	}
	write_entry(index, hnsw_edit_change(&edit, i), number, node, version,
				flat_code);
	hnsw_edit_finish(&edit);
	return true;
}

/* Locks: metapage, entry page.  Returns false if the copy was out of date. */
static bool
append_entry(HnswIndex *index, HnswNode node, uint32 version,
			 const uint8 *flat_code)
{
	uint32		per_page = index->space.layout.entries_per_page;
	uint32		number = index->meta->nentries;
	BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY,
										 number / per_page);
	HnswEdit	edit;
	int			meta;
	int			i;

	hnsw_edit_begin(&edit, index->rel, index->logged);
	meta = hnsw_edit_lock(&edit, HNSW_META_BLKNO, HNSW_PAGE_META);
	if (meta < 0 ||
		hnsw_page_meta(hnsw_edit_page(&edit, meta))->nentries != number)
	{
		hnsw_edit_cancel(&edit);
		return false;
	}
	i = hnsw_edit_lock(&edit, block, HNSW_PAGE_ENTRY);
	if (i < 0)
	{
		hnsw_edit_cancel(&edit);
		report_damage(index, block);
	}
	hnsw_page_meta(hnsw_edit_change(&edit, meta))->nentries++;
	write_entry(index, hnsw_edit_change(&edit, i), number, node, version,
				flat_code);
	hnsw_edit_finish(&edit);
	return true;
}

void
hnsw_index_add_entry(HnswIndex *index, HnswNode node, uint32 version,
					 const uint8 *flat_code, int64 replace)
{
	uint32		per_page = index->space.layout.entries_per_page;
	bool		done = replace >= 0 &&
		replace_entry(index, (uint32) replace, node, version, flat_code);

	hnsw_index_refresh(index);
	while (!done)
	{
		uint32		nentries = index->meta->nentries;

		CHECK_FOR_INTERRUPTS();
		if (nentries / per_page >= index->meta->npages[HNSW_PAGE_ENTRY])
		{
			(void) append_pages(index, HNSW_PAGE_ENTRY, 1);
			continue;
		}

		done = append_entry(index, node, version, flat_code);
		hnsw_index_refresh(index);
		if (index->meta->nentries == nentries)
			report_damage(index, HNSW_META_BLKNO);
	}
}

void
hnsw_index_note_gaps(HnswIndex *index, uint32 gaps)
{
	HnswEdit	edit;
	int			i;

	if ((index->meta->gaps & gaps) == gaps)
		return;
	hnsw_edit_begin(&edit, index->rel, index->logged);
	i = hnsw_edit_lock(&edit, HNSW_META_BLKNO, HNSW_PAGE_META);
	if (i >= 0)
		hnsw_page_meta(hnsw_edit_change(&edit, i))->gaps |= gaps;
	hnsw_edit_finish(&edit);
	hnsw_index_refresh(index);
	if ((index->meta->gaps & gaps) != gaps)
		report_damage(index, HNSW_META_BLKNO);
}
