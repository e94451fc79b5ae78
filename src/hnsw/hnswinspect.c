/*-------------------------------------------------------------------------
 *
 * hnswinspect.c
 *	  SQL functions that show what an index consists of.
 *
 * For a person who would otherwise need a debugger: the metapage, a page, its
 * records, a node with its edges.  Everything is read from copies made under a
 * share lock and shown as it stands; judging it is hnswcheck.c's business.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswinspect.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "funcapi.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskgraph.h"
#include "hnsw/hnswinspect.h"
#include "kernel/kernel.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "type/sqlfunction.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

SQL_FUNCTION(vector_build_info);
SQL_FUNCTION(hnsw_metapage);
SQL_FUNCTION(hnsw_page_stats);
SQL_FUNCTION(hnsw_page_items);
SQL_FUNCTION(hnsw_node);

/* version of the project: as in vector.control */
#define PROJECT_VERSION		"1.0"

/* ---- opening ---- */

static void
report_not_hnsw(Oid indexoid)
{
	char	   *name = get_rel_name(indexoid);

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not an hnsw index",
					name != NULL ? name : psprintf("%u", indexoid))));
}

/* An access method is ours if it calls our functions, whatever its name. */
static bool
is_hnsw_index(Relation index)
{
	return index->rd_rel->relkind == RELKIND_INDEX &&
		index->rd_indam->ambuild == hnswbuild;
}

Relation
hnsw_inspect_open(Oid indexoid, LOCKMODE heap_lock, Relation *heap)
{
	Oid			heapoid = IndexGetRelation(indexoid, true);
	Relation	index;

	if (!OidIsValid(heapoid))
		report_not_hnsw(indexoid);
	if (!compat_may_maintain(heapoid))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE,
					   get_rel_name(heapoid));

	/* the table first, as everybody does; the index may be gone by then */
	*heap = table_open(heapoid, heap_lock);
	index = index_open(indexoid, AccessShareLock);
	if (!is_hnsw_index(index) || IndexGetRelation(indexoid, true) != heapoid)
		report_not_hnsw(indexoid);
	if (RELATION_IS_OTHER_TEMP(index))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary indexes of other sessions")));
	return index;
}

void
hnsw_inspect_close(Relation index, Relation heap)
{
	index_close(index, NoLock);
	table_close(heap, NoLock);
}

/* ---- rows ---- */

void
hnsw_rows_begin(FunctionCallInfo fcinfo, HnswRows *rows)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	if (info == NULL || !IsA(info, ReturnSetInfo) ||
		(info->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));

	old = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &rows->desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rows->desc = CreateTupleDescCopy(rows->desc);
	rows->store = tuplestore_begin_heap(true, false, work_mem);
	MemoryContextSwitchTo(old);

	info->returnMode = SFRM_Materialize;
	info->setResult = rows->store;
	info->setDesc = rows->desc;
}

void
hnsw_rows_put(HnswRows *rows, Datum *values, bool *nulls)
{
	tuplestore_putvalues(rows->store, rows->desc, values, nulls);
}

static void
put_pair(HnswRows *rows, const char *name, const char *value)
{
	Datum		values[2];
	bool		nulls[2] = {false, false};

	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(value);
	hnsw_rows_put(rows, values, nulls);
}

static void put_format(HnswRows *rows, const char *name, const char *format,...)
			pg_attribute_printf(3, 4);

static void
put_format(HnswRows *rows, const char *name, const char *format,...)
{
	char		value[256];
	va_list		args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	put_pair(rows, name, value);
}

/* ---- names ---- */

const char *
hnsw_inspect_kind_name(int kind)
{
	static const char *const names[] = {
		[HNSW_PAGE_META] = "meta",
		[HNSW_PAGE_MEAN] = "mean",
		[HNSW_PAGE_ENTRY] = "entry",
		[HNSW_PAGE_FLAT] = "flat",
		[HNSW_PAGE_NODE] = "node",
		[HNSW_PAGE_MORE] = "more",
	};

	return kind >= HNSW_PAGE_META && kind < lengthof(names) ?
		names[kind] : "unknown";
}

const char *
hnsw_inspect_state_name(int state)
{
	static const char *const names[] = {
		[HNSW_FREE] = "free",
		[HNSW_LIVE] = "live",
		[HNSW_EMPTY] = "empty",
		[HNSW_TIDS] = "tids",
	};

	return state >= 0 && state < lengthof(names) ? names[state] : "unknown";
}

static const char *
own_kind_name(int own_kind)
{
	static const char *const names[] = {
		[HNSW_OWN_S8] = "s8",
		[HNSW_OWN_F32] = "f32",
		[HNSW_OWN_KEPT] = "kept",
		[HNSW_OWN_EXACT] = "exact",
	};

	return own_kind >= HNSW_OWN_S8 && own_kind < lengthof(names) ?
		names[own_kind] : "unknown";
}

static const char *
space_name(int space)
{
	static const char *const names[] = {
		[VECTOR_SPACE_L2] = "l2",
		[VECTOR_SPACE_IP] = "ip",
		[VECTOR_SPACE_COSINE] = "cosine",
		[VECTOR_SPACE_L1] = "L1",
		[VECTOR_SPACE_OPAQUE] = "opaque",
	};

	return space >= 0 && space < lengthof(names) ? names[space] : "unknown";
}

/* ---- functions ---- */

Datum
vector_build_info(PG_FUNCTION_ARGS)
{
	char	   *info = psprintf("vector %s, kernels %s, PostgreSQL %s",
								PROJECT_VERSION, kernels.isa, PG_VERSION);

	PG_RETURN_TEXT_P(cstring_to_text(info));
}

static void
put_metapage(HnswRows *rows, const HnswMetaPageData *meta)
{
	put_format(rows, "magic", "0x%X", meta->magic);
	put_format(rows, "format_version", "%u", meta->format_version);
	put_format(rows, "epoch", "%u", meta->epoch);
	put_format(rows, "dim", "%u", meta->dim);
	put_format(rows, "m", "%u", meta->m);
	put_format(rows, "ef_construction", "%u", meta->ef_construction);
	put_pair(rows, "own_kind", own_kind_name(meta->own_kind));
	put_pair(rows, "space", space_name(meta->space));
	put_format(rows, "max_edges", "%u", meta->max_edges);
	put_format(rows, "rdim", "%u", meta->rdim);
	put_format(rows, "nbits", "%u", meta->nbits);
	put_format(rows, "seed", UINT64_FORMAT, meta->seed);
	put_format(rows, "kept_bytes", "%u", meta->kept_bytes);
	put_format(rows, "own_bytes", "%u", meta->own_bytes);
	put_format(rows, "node_bytes", "%u", meta->node_bytes);
	put_format(rows, "nodes_per_page", "%u", meta->nodes_per_page);
	put_format(rows, "pages_per_node", "%u", meta->pages_per_node);
	put_format(rows, "flat_bytes", "%u", meta->flat_bytes);
	put_format(rows, "has_mean", "%u", meta->has_mean);
	put_format(rows, "nentries", "%u", meta->nentries);
	for (int kind = HNSW_PAGE_MEAN; kind < HNSW_NKINDS; kind++)
		put_format(rows, psprintf("%s_pages", hnsw_inspect_kind_name(kind)),
				   "%u", meta->npages[kind]);
	put_format(rows, "gaps", "%u", meta->gaps);
	put_format(rows, "nextents", "%u", meta->nextents);
	for (uint32 i = 0; i < Min(meta->nextents, HNSW_MAX_EXTENTS); i++)
		put_format(rows, psprintf("extent %u", i),
				   "%s pages from %u: %u blocks from %u",
				   hnsw_inspect_kind_name(meta->extent_kind[i]),
				   meta->extent[i].first, meta->extent[i].npages,
				   meta->extent[i].start);
}

static void
report_no_metapage(Relation index)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" contains unexpected page at block %u",
					RelationGetRelationName(index), HNSW_META_BLKNO),
			 errhint("Please REINDEX it.")));
}

Datum
hnsw_metapage(PG_FUNCTION_ARGS)
{
	Relation	heap;
	Relation	index = hnsw_inspect_open(PG_GETARG_OID(0), AccessShareLock,
										  &heap);
	HnswMetaPageData meta;
	HnswRows	rows;

	hnsw_rows_begin(fcinfo, &rows);
	if (!hnsw_meta_peek(index, &meta))
		report_no_metapage(index);
	put_metapage(&rows, &meta);

	hnsw_inspect_close(index, heap);
	PG_RETURN_NULL();
}

/* Copy block 'blkno'; zeros if it is new.  Returns the kind, 0 if unknown. */
static int
copy_block(Relation index, int64 blkno, char *page)
{
	if (blkno < 0 || blkno >= hnsw_store_nblocks(index))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("index \"%s\" has no block " INT64_FORMAT,
						RelationGetRelationName(index), blkno)));
	memset(page, 0, BLCKSZ);
	if (!hnsw_store_copy(index, blkno, 0, page, NULL))
		return 0;
	return hnsw_page_kind(page);
}

typedef struct PageStats
{
	int			slots;
	int			state[HNSW_TIDS + 1];
} PageStats;

static void
count_state(PageStats *stats, int state)
{
	stats->slots++;
	if (state <= HNSW_TIDS)
		stats->state[state]++;
}

/* Count the records of a page by state; an entry in use counts as live. */
static void
count_page(const HnswLayout *layout, Page page, int kind, PageStats *stats)
{
	memset(stats, 0, sizeof(PageStats));
	if (kind == HNSW_PAGE_NODE)
	{
		for (uint32 i = 0; i < layout->nodes_per_page; i++)
			count_state(stats, hnsw_page_slot(page, layout, i)->state);
	}
	else if (kind == HNSW_PAGE_FLAT)
	{
		for (uint32 i = 0; i < layout->flats_per_page; i++)
			count_state(stats, hnsw_page_flat(page, layout, i)->state);
	}
	else if (kind == HNSW_PAGE_ENTRY)
	{
		for (uint32 i = 0; i < layout->entries_per_page; i++)
			count_state(stats, hnsw_page_entry(page, layout, i)->node ==
						HNSW_INVALID_NODE ? HNSW_FREE : HNSW_LIVE);
	}
}

Datum
hnsw_page_stats(PG_FUNCTION_ARGS)
{
	int64		blkno = PG_GETARG_INT64(1);
	Relation	heap;
	Relation	index = hnsw_inspect_open(PG_GETARG_OID(0), AccessShareLock,
										  &heap);
	HnswIndex  *opened = hnsw_index_open(index);
	PGAlignedBlock page;
	int			kind = copy_block(index, blkno, page.data);
	HnswRows	rows;
	PageStats	stats;
	Datum		values[8];
	bool		nulls[8] = {false};

	hnsw_rows_begin(fcinfo, &rows);
	count_page(&opened->space.layout, page.data, kind, &stats);

	values[0] = Int64GetDatum(blkno);
	values[1] = CStringGetTextDatum(kind == 0 && PageIsNew(page.data) ?
									"new" : hnsw_inspect_kind_name(kind));
	nulls[2] = kind == 0;
	values[2] = Int64GetDatum(kind == 0 ? 0 :
							  hnsw_page_special(page.data)->index);
	values[3] = Int32GetDatum(stats.slots);
	values[4] = Int32GetDatum(stats.state[HNSW_LIVE]);
	values[5] = Int32GetDatum(stats.state[HNSW_EMPTY]);
	values[6] = Int32GetDatum(stats.state[HNSW_FREE]);
	values[7] = Int32GetDatum(stats.state[HNSW_TIDS]);
	for (int i = 3; i < 8; i++)
		nulls[i] = stats.slots == 0;
	hnsw_rows_put(&rows, values, nulls);

	hnsw_inspect_close(index, heap);
	PG_RETURN_NULL();
}

/* One row of hnsw_page_items; ntids and nedges -1 for what has none. */
static void
put_item(HnswRows *rows, int64 nid, const char *state, uint32 version,
		 int64 ntids, int nedges, const ItemPointerData *tid)
{
	ItemPointerData copy;
	Datum		values[6];
	bool		nulls[6] = {false};

	values[0] = Int64GetDatum(nid);
	values[1] = CStringGetTextDatum(state);
	values[2] = Int64GetDatum((int64) version);
	values[3] = Int32GetDatum((int32) ntids);
	values[4] = Int32GetDatum(nedges);
	values[5] = (Datum) 0;
	nulls[3] = ntids < 0;
	nulls[4] = nedges < 0;
	nulls[5] = tid == NULL || !ItemPointerIsValid(tid);
	if (!nulls[5])
	{
		copy = *tid;
		values[5] = PointerGetDatum(&copy);
	}
	hnsw_rows_put(rows, values, nulls);
}

static void
put_node_items(HnswRows *rows, const HnswLayout *layout, Page page)
{
	HnswNode	first = hnsw_page_first_node(layout,
											 hnsw_page_special(page)->index);

	for (uint32 i = 0; i < layout->nodes_per_page; i++)
	{
		HnswSlot   *slot = hnsw_page_slot(page, layout, i);
		bool		is_node = slot->state == HNSW_LIVE ||
			slot->state == HNSW_EMPTY;

		put_item(rows, (int64) first + i, hnsw_inspect_state_name(slot->state),
				 slot->version, slot->ntids, is_node ? slot->nedges : -1,
				 slot->state == HNSW_TIDS ? ((HnswTidSlot *) slot)->tids :
				 slot->tids);
	}
}

static void
put_flat_items(HnswRows *rows, const HnswLayout *layout, Page page)
{
	uint64		first = (uint64) hnsw_page_special(page)->index *
		layout->flats_per_page;

	for (uint32 i = 0; i < layout->flats_per_page; i++)
	{
		HnswFlat   *flat = hnsw_page_flat(page, layout, i);

		put_item(rows, first + i, hnsw_inspect_state_name(flat->state),
				 flat->version, -1, -1, &flat->tid);
	}
}

static void
put_entry_items(HnswRows *rows, const HnswLayout *layout, Page page)
{
	for (uint32 i = 0; i < layout->entries_per_page; i++)
	{
		HnswEntry  *entry = hnsw_page_entry(page, layout, i);

		if (entry->node != HNSW_INVALID_NODE)
			put_item(rows, entry->node, "entry", entry->version, -1, -1, NULL);
	}
}

Datum
hnsw_page_items(PG_FUNCTION_ARGS)
{
	Relation	heap;
	Relation	index = hnsw_inspect_open(PG_GETARG_OID(0), AccessShareLock,
										  &heap);
	HnswIndex  *opened = hnsw_index_open(index);
	const HnswLayout *layout = &opened->space.layout;
	PGAlignedBlock page;
	int			kind = copy_block(index, PG_GETARG_INT64(1), page.data);
	HnswRows	rows;

	hnsw_rows_begin(fcinfo, &rows);
	if (kind == HNSW_PAGE_NODE)
		put_node_items(&rows, layout, page.data);
	else if (kind == HNSW_PAGE_FLAT)
		put_flat_items(&rows, layout, page.data);
	else if (kind == HNSW_PAGE_ENTRY)
		put_entry_items(&rows, layout, page.data);

	hnsw_inspect_close(index, heap);
	PG_RETURN_NULL();
}

static char *
format_tids(const ItemPointerData *tids, int n)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < n; i++)
		appendStringInfo(&text, "%s(%u,%u)", i > 0 ? " " : "",
						 ItemPointerGetBlockNumberNoCheck(&tids[i]),
						 ItemPointerGetOffsetNumberNoCheck(&tids[i]));
	return text.data;
}

static void
put_link(HnswRows *rows, const char *name, HnswNode node)
{
	if (node == HNSW_INVALID_NODE)
		put_pair(rows, name, "none");
	else
		put_format(rows, name, "%u", node);
}

/* What only LIVE and EMPTY slots have.  own: whole own form. */
static void
put_live_node(HnswRows *rows, const HnswSpace *space, HnswSlot *slot,
			  const uint8 *own)
{
	const HnswLayout *layout = &space->layout;
	float		length[HNSW_MAX_EDGES];
	int			n = Min(slot->nedges, layout->max_edges);

	put_link(rows, "next", slot->next);
	put_pair(rows, "tids", format_tids(slot->tids,
									   Min(slot->nhere, HNSW_INLINE_TIDS)));
	put_format(rows, "nedges", "%u", slot->nedges);
	if (n == 0)
		return;
	hnsw_space_edge_lengths(space, hnsw_slot_edge(slot, layout, 0)->code,
							layout->edge_bytes, n, length);
	for (int i = 0; i < n; i++)
		put_format(rows, psprintf("edge %d", i), "node %u, distance %g%s",
				   hnsw_slot_edge(slot, layout, i)->node,
				   hnsw_space_coded(space) ? sqrt(length[i]) : length[i],
				   hnsw_slot_occluded(slot, layout, i) ? ", occluded" : "");
}

static void
put_tid_slot(HnswRows *rows, const HnswLayout *layout, HnswTidSlot *slot)
{
	put_link(rows, "next", slot->next);
	put_format(rows, "owner", "%u", slot->owner);
	put_format(rows, "owner_version", "%u", slot->owner_version);
	put_pair(rows, "tids", format_tids(slot->tids,
									   Min(slot->ntids,
										   layout->tids_per_slot)));
}

Datum
hnsw_node(PG_FUNCTION_ARGS)
{
	int64		nid = PG_GETARG_INT64(1);
	Relation	heap;
	Relation	index = hnsw_inspect_open(PG_GETARG_OID(0), AccessShareLock,
										  &heap);
	HnswIndex  *opened = hnsw_index_open(index);
	const HnswLayout *layout = &opened->space.layout;
	HnswDiskGraph *graph = hnsw_diskgraph_open(opened);
	HnswSlot   *slot = palloc0(layout->node_bytes);
	uint8	   *own = palloc0(layout->own_bytes);
	HnswRows	rows;

	hnsw_rows_begin(fcinfo, &rows);
	if (nid < 0 || nid >= hnsw_index_nnodes(opened))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("index \"%s\" has no node " INT64_FORMAT,
						RelationGetRelationName(index), nid)));

	put_format(&rows, "block", "%u", hnsw_index_node_block(opened, nid));
	put_format(&rows, "slot", "%u", hnsw_node_slot(layout, nid));
	if (!hnsw_diskgraph_read(graph, nid, slot, own))
		put_pair(&rows, "state", "unreadable");
	else
	{
		put_pair(&rows, "state", hnsw_inspect_state_name(slot->state));
		put_format(&rows, "version", "%u", slot->version);
		put_format(&rows, "ntids", "%u", slot->ntids);
		if (slot->state == HNSW_LIVE || slot->state == HNSW_EMPTY)
			put_live_node(&rows, &opened->space, slot, own);
		else if (slot->state == HNSW_TIDS)
			put_tid_slot(&rows, layout, (HnswTidSlot *) slot);
	}

	hnsw_inspect_close(index, heap);
	PG_RETURN_NULL();
}
