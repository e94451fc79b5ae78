/*-------------------------------------------------------------------------
 *
 * indexread.c
 *	  Reading an index and the rows behind it, for functions that any user who
 *	  may read the table may call.
 *
 * What a caller may see is decided at the opening; see indexread.h.
 *
 * IDENTIFICATION
 *	  src/func/indexread.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "compat.h"
#include "executor/executor.h"
#include "func/indexread.h"
#include "funcapi.h"
#include "hnsw/hnsw.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

/* ---- who may ---- */

static void
report_not_hnsw(Oid indexoid)
{
	char	   *name = get_rel_name(indexoid);

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not an hnsw index",
					name != NULL ? name : psprintf("%u", indexoid))));
}

/* Columns of the table that the index is made of, as pull_varattnos has them. */
static Bitmapset *
index_columns(Relation index)
{
	Bitmapset  *columns = NULL;

	for (int i = 0; i < index->rd_index->indnatts; i++)
	{
		AttrNumber	attno = index->rd_index->indkey.values[i];

		if (attno != 0)
			columns = bms_add_member(columns,
									 attno - FirstLowInvalidHeapAttributeNumber);
	}
	pull_varattnos((Node *) RelationGetIndexExpressions(index), 1, &columns);
	pull_varattnos((Node *) RelationGetIndexPredicate(index), 1, &columns);
	return columns;
}

/* May the user SELECT everything that the index is made of? */
static bool
may_read(Relation heap, Relation index, Oid user)
{
	Oid			heapoid = RelationGetRelid(heap);
	Bitmapset  *columns;
	int			column = -1;

	if (pg_class_aclcheck(heapoid, user, ACL_SELECT) == ACLCHECK_OK)
		return true;
	columns = index_columns(index);
	while ((column = bms_next_member(columns, column)) >= 0)
	{
		AttrNumber	attno = column + FirstLowInvalidHeapAttributeNumber;

		/* a whole row takes the whole table */
		if (attno == InvalidAttrNumber ||
			pg_attribute_aclcheck(heapoid, attno, user,
								  ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

static void
check_may_read(Relation heap, Relation index)
{
	if (!may_read(heap, index, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE,
					   RelationGetRelationName(heap));
	if (check_enable_rls(RelationGetRelid(heap), InvalidOid, true) ==
		RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("query would be affected by row-level security policy for table \"%s\"",
						RelationGetRelationName(heap))));
}

/* ---- opening ---- */

void
index_reader_open(IndexReader *reader, Oid indexoid)
{
	Oid			heapoid = IndexGetRelation(indexoid, true);

	memset(reader, 0, sizeof(IndexReader));
	if (!OidIsValid(heapoid))
		report_not_hnsw(indexoid);

	/* the table first, as everybody does; the index may be gone by then */
	reader->heap = table_open(heapoid, AccessShareLock);
	reader->index = index_open(indexoid, AccessShareLock);
	if (reader->index->rd_rel->relkind != RELKIND_INDEX ||
		reader->index->rd_indam->ambuild != hnswbuild ||
		IndexGetRelation(indexoid, true) != heapoid)
		report_not_hnsw(indexoid);
	if (RELATION_IS_OTHER_TEMP(reader->index))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary indexes of other sessions")));
	check_may_read(reader->heap, reader->index);

	GetUserIdAndSecContext(&reader->user, &reader->security);
	SetUserIdAndSecContext(reader->heap->rd_rel->relowner,
						   reader->security | SECURITY_RESTRICTED_OPERATION);
	reader->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
}

void
index_reader_check_tids(const IndexReader *reader)
{
	if (pg_class_aclcheck(RelationGetRelid(reader->heap), reader->user,
						  ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE,
					   RelationGetRelationName(reader->heap));
}

void
index_reader_close(IndexReader *reader)
{
	AtEOXact_GUC(false, reader->guc_level);
	SetUserIdAndSecContext(reader->user, reader->security);
	index_close(reader->index, NoLock);
	table_close(reader->heap, NoLock);
}

/* ---- nodes and rows ---- */

void
index_reader_begin(IndexReader *reader)
{
	reader->opened = hnsw_index_open(reader->index);
	hnsw_index_refresh(reader->opened);
	reader->graph = hnsw_diskgraph_open(reader->opened);
	reader->slot = palloc0(reader->opened->space.layout.node_bytes);
	reader->own = palloc0(reader->opened->space.layout.own_bytes);

	/* grows in this context, whichever is current then */
	reader->maxtids = HNSW_INLINE_TIDS;
	reader->tids = palloc(sizeof(ItemPointerData) * reader->maxtids);

	reader->snapshot = GetActiveSnapshot();
	reader->info = BuildIndexInfo(reader->index);
	reader->estate = CreateExecutorState();
	reader->row = table_slot_create(reader->heap, NULL);
	GetPerTupleExprContext(reader->estate)->ecxt_scantuple = reader->row;
	reader->fetch = table_index_fetch_begin(reader->heap);
}

void
index_reader_end(IndexReader *reader)
{
	table_index_fetch_end(reader->fetch);
	ExecDropSingleTupleTableSlot(reader->row);
	FreeExecutorState(reader->estate);
}

bool
index_reader_node(IndexReader *reader, HnswNode node)
{
	CHECK_FOR_INTERRUPTS();
	return hnsw_diskgraph_read(reader->graph, node, reader->slot,
							   reader->own) &&
		(reader->slot->state == HNSW_LIVE ||
		 reader->slot->state == HNSW_EMPTY);
}

void
index_reader_tids(IndexReader *reader, HnswNode node)
{
	HnswSlot   *slot = reader->slot;
	int			nhere = Min(slot->nhere, HNSW_INLINE_TIDS);

	memcpy(reader->tids, slot->tids, sizeof(ItemPointerData) * nhere);
	reader->ntids = nhere;

	/* what was read of a node that goes away meanwhile is still true */
	(void) hnsw_diskgraph_tids(reader->graph, node, slot->version, slot->next,
							   &reader->tids, &reader->ntids,
							   &reader->maxtids);
}

bool
index_reader_fetch(IndexReader *reader, ItemPointer tid)
{
	bool		call_again = false;

	if (!table_index_fetch_tuple(reader->fetch, tid, reader->snapshot,
								 reader->row, &call_again, NULL))
		return false;
	*tid = reader->row->tts_tid;
	return true;
}

void *
index_reader_value(IndexReader *reader)
{
	MemoryContext old;
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	void	   *value = NULL;

	ResetPerTupleExprContext(reader->estate);
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(reader->estate));
	FormIndexDatum(reader->info, reader->row, reader->estate, values, nulls);
	if (!nulls[0])
		value = PG_DETOAST_DATUM(values[0]);
	MemoryContextSwitchTo(old);
	return value;
}

/* ---- result ---- */

Tuplestorestate *
set_result_begin(FunctionCallInfo fcinfo, TupleDesc *desc)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;
	Oid			type;

	if (info == NULL || !IsA(info, ReturnSetInfo) ||
		(info->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));

	old = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, &type, desc) == TYPEFUNC_COMPOSITE)
		*desc = CreateTupleDescCopy(*desc);
	else
	{
		*desc = CreateTemplateTupleDesc(1);
		TupleDescInitEntry(*desc, 1, NULL, type, -1, 0);
		compat_tupdesc_finalize(*desc);
	}
	info->returnMode = SFRM_Materialize;
	info->setResult = tuplestore_begin_heap(true, false, work_mem);
	info->setDesc = *desc;
	MemoryContextSwitchTo(old);
	return info->setResult;
}
