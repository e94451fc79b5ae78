/*-------------------------------------------------------------------------
 *
 * hnswinspect.h
 *	  What the instruments share: opening an index for looking, and rows.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswinspect.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWINSPECT_H
#define HNSWINSPECT_H

#include "postgres.h"
#include "fmgr.h"
#include "hnsw/hnswpage.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"
#include "utils/tuplestore.h"

/*
 * hnsw_inspect_open -- open an index and its table to look at their pages.
 *
 * Locks: heap_lock on the table, then AccessShareLock on the index; kept until
 * the end of the transaction.
 * Errors: WRONG_OBJECT_TYPE if it is no hnsw index; INSUFFICIENT_PRIVILEGE
 * unless the user may maintain the table; FEATURE_NOT_SUPPORTED for a
 * temporary table of another session.
 */
extern Relation hnsw_inspect_open(Oid indexoid, LOCKMODE heap_lock,
								  Relation *heap);
extern void hnsw_inspect_close(Relation index, Relation heap);

/* name of a page kind or of a slot's state, or "unknown" */
extern const char *hnsw_inspect_kind_name(int kind);
extern const char *hnsw_inspect_state_name(int state);

/* the result of a function that returns a table */
typedef struct HnswRows
{
	Tuplestorestate *store;
	TupleDesc	desc;
} HnswRows;

extern void hnsw_rows_begin(FunctionCallInfo fcinfo, HnswRows *rows);
extern void hnsw_rows_put(HnswRows *rows, Datum *values, bool *nulls);

#endif							/* HNSWINSPECT_H */
