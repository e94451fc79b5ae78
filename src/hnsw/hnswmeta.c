/*-------------------------------------------------------------------------
 *
 * hnswmeta.c
 *	  An open index: its code space, and where its pages are.
 *
 * Reads and judges the metapage, and keeps each backend's copy of it; what
 * changes it is in hnswappend.c.  Nothing that a metapage says is believed
 * before it agrees with what its own parameters compute to (H137).
 *
 * Rules: README, "Page layout".
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

void
hnsw_index_report(const HnswFault *fault, int elevel)
{
	ereport(elevel,
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
		hnsw_index_report(&fault, ERROR);
	}
	return metric;
}

static inline bool
is_cut_short(Page metapage)
{
	return ((PageHeader) metapage)->pd_lower <
		MAXALIGN(SizeOfPageHeaderData) + sizeof(HnswMetaPageData);
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
	if (is_cut_short((Page) page))
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
	char	   *chunk = palloc(head + meta + space_bytes);
	HnswIndex  *index = (HnswIndex *) chunk;

	/* what is behind it is filled by whoever opens */
	memset(index, 0, sizeof(HnswIndex));
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

/* Does a metapage say the same as one that has been checked? */
static bool
says_the_same(const HnswMetaPageData *checked, const HnswMetaPageData *meta)
{
	return memcmp(checked, meta, offsetof(HnswMetaPageData, extent_kind)) == 0 &&
		memcmp(checked->extent_kind, meta->extent_kind,
			   checked->nextents * sizeof(checked->extent_kind[0])) == 0 &&
		memcmp(checked->extent, meta->extent,
			   checked->nextents * sizeof(checked->extent[0])) == 0;
}

/*
 * open_unchanged -- a copy of the cached index if the metapage is as it was,
 * else NULL.
 *
 * A metapage has room for far more extents than an index usually has: only
 * those in use are looked at and copied, which takes a third of the time.
 */
static HnswIndex *
open_unchanged(Relation rel)
{
	HnswCache  *cache;
	HnswIndex  *index;
	HnswPageRef ref;
	void	   *memory;
	bool		same;

	if (rel->rd_amcache == NULL ||
		!hnsw_store_open(rel, HNSW_META_BLKNO, HNSW_PAGE_META, &ref))
		return NULL;
	cache = rel->rd_amcache;	/* as it is now: H74 */
	same = cache != NULL && !is_cut_short(ref.page) &&
		says_the_same(&cache->meta, hnsw_page_meta(ref.page));
	hnsw_store_close(&ref);
	if (!same)
		return NULL;

	index = allocate_index(rel, hnsw_space_bytes(cache->space.metric,
												 cache->space.dim), &memory);
	memset(index->meta, 0, sizeof(HnswMetaPageData));
	memcpy(index->meta, &cache->meta, offsetof(HnswMetaPageData, extent_kind));
	memcpy(index->meta->extent_kind, cache->meta.extent_kind,
		   cache->meta.nextents * sizeof(cache->meta.extent_kind[0]));
	memcpy(index->meta->extent, cache->meta.extent,
		   cache->meta.nextents * sizeof(cache->meta.extent[0]));
	hnsw_space_copy(&index->space, &cache->space, memory);
	return index;
}

HnswIndex *
hnsw_index_reread(Relation rel, HnswFault *fault)
{
	PGAlignedBlock page;

	if (!copy_metapage(rel, page.data, fault))
		return NULL;
	return open_from_metapage(rel, hnsw_page_meta(page.data), fault);
}

HnswIndex *
hnsw_index_open(Relation rel)
{
	HnswFault	fault;
	HnswIndex  *index = open_unchanged(rel);

	if (index == NULL)
		index = hnsw_index_examine(rel, &fault);
	if (index == NULL)
		hnsw_index_report(&fault, ERROR);
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

bool
hnsw_index_reopen(HnswIndex *index, Relation rel)
{
	HnswMetaPageData meta;

	index->rel = rel;
	if (!hnsw_meta_peek(rel, &meta) ||
		memcmp(&meta, index->meta, META_FIXED_BYTES) != 0 ||
		hnsw_meta_check(&meta, &index->space.layout) != NULL)
		return false;
	*index->meta = meta;
	return true;
}

void
hnsw_index_refresh(HnswIndex *index)
{
	/* what was right before stays right: a bad copy is not taken over */
	(void) hnsw_index_reopen(index, index->rel);
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
