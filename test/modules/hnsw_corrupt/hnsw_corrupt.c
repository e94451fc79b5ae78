/*-------------------------------------------------------------------------
 *
 * hnsw_corrupt.c
 *	  Read and overwrite bytes of any page, for tests of damaged indexes; and
 *	  a scan with a snapshot that no access method of ours serves.
 *
 * The change goes to the buffer, without WAL, and the buffer is marked dirty:
 * checksums stay right, so that the damage gets past them.
 *
 * IDENTIFICATION
 *	  test/modules/hnsw_corrupt/hnsw_corrupt.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "fmgr.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT Datum corrupt_page(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum page_bytes(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dirty_scan(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(corrupt_page);
PG_FUNCTION_INFO_V1(page_bytes);
PG_FUNCTION_INFO_V1(dirty_scan);

/* Does a page have these bytes? */
static void
check_range(int64 offset, int64 length)
{
	if (offset < 0 || length < 0 || offset + length > BLCKSZ)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a page has no " INT64_FORMAT " bytes at " INT64_FORMAT,
						length, offset)));
}

/* corrupt_page(regclass, block int8, offset int4, bytes bytea) */
Datum
corrupt_page(PG_FUNCTION_ARGS)
{
	int64		block = PG_GETARG_INT64(1);
	int32		offset = PG_GETARG_INT32(2);
	bytea	   *bytes = PG_GETARG_BYTEA_PP(3);
	Relation	rel = relation_open(PG_GETARG_OID(0), RowExclusiveLock);
	Buffer		buffer;

	check_range(offset, VARSIZE_ANY_EXHDR(bytes));
	buffer = ReadBuffer(rel, block);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	memcpy((char *) BufferGetPage(buffer) + offset, VARDATA_ANY(bytes),
		   VARSIZE_ANY_EXHDR(bytes));
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
	relation_close(rel, RowExclusiveLock);
	PG_RETURN_VOID();
}

/* page_bytes(regclass, block int8, offset int4, length int4) -> bytea */
Datum
page_bytes(PG_FUNCTION_ARGS)
{
	int64		block = PG_GETARG_INT64(1);
	int32		offset = PG_GETARG_INT32(2);
	int32		length = PG_GETARG_INT32(3);
	Relation	rel = relation_open(PG_GETARG_OID(0), AccessShareLock);
	bytea	   *result;
	Buffer		buffer;

	check_range(offset, length);
	result = palloc(VARHDRSZ + length);
	SET_VARSIZE(result, VARHDRSZ + length);
	buffer = ReadBuffer(rel, block);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(VARDATA(result), (char *) BufferGetPage(buffer) + offset, length);
	UnlockReleaseBuffer(buffer);
	relation_close(rel, AccessShareLock);
	PG_RETURN_BYTEA_P(result);
}

/* dirty_scan(table regclass, index regclass, key anyelement) -> is there a row? */
Datum
dirty_scan(PG_FUNCTION_ARGS)
{
	Relation	heap = table_open(PG_GETARG_OID(0), AccessShareLock);
	Relation	index = index_open(PG_GETARG_OID(1), AccessShareLock);
	SnapshotData snapshot;
	ScanKeyData key;
	IndexScanDesc scan;
	bool		found;

	InitDirtySnapshot(snapshot);
	ScanKeyEntryInitialize(&key, SK_ORDER_BY, 1, InvalidStrategy, InvalidOid,
						   InvalidOid, InvalidOid, PG_GETARG_DATUM(2));
	scan = index_beginscan(heap, index, &snapshot, 0, 1);
	index_rescan(scan, NULL, 0, &key, 1);
	found = index_getnext_tid(scan, ForwardScanDirection) != NULL;
	index_endscan(scan);
	index_close(index, AccessShareLock);
	table_close(heap, AccessShareLock);
	PG_RETURN_BOOL(found);
}
