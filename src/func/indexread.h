/*-------------------------------------------------------------------------
 *
 * indexread.h
 *	  Reading an index and the rows behind it, for functions that any user who
 *	  may read the table may call.
 *
 * Between open and close everything runs as the table's owner in a restricted
 * context, since expressions of the index are the owner's code.
 *
 * IDENTIFICATION
 *	  src/func/indexread.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef INDEXREAD_H
#define INDEXREAD_H

#include "postgres.h"
#include "access/tableam.h"
#include "fmgr.h"
#include "hnsw/hnswdiskgraph.h"
#include "nodes/execnodes.h"
#include "utils/snapshot.h"
#include "utils/tuplestore.h"

typedef struct IndexReader
{
	/* set once at open */
	Relation	heap;
	Relation	index;
	Oid			user;			/* to go back to */
	int			security;
	int			guc_level;

	/* set once by index_reader_begin */
	HnswIndex  *opened;
	HnswDiskGraph *graph;
	Snapshot	snapshot;
	struct IndexInfo *info;
	EState	   *estate;
	TupleTableSlot *row;		/* the row fetched last */
	IndexFetchTableData *fetch;

	/* the node read last */
	HnswSlot   *slot;
	uint8	   *own;			/* its whole own form */
	ItemPointerData *tids;		/* all its heap TIDs */
	int			ntids;
	int			maxtids;
} IndexReader;

/*
 * index_reader_open -- open an index, and become the owner of its table.
 *
 * Locks: AccessShareLock on table and index, kept until the end of the
 * transaction.
 * Errors: WRONG_OBJECT_TYPE if it is no hnsw index; INSUFFICIENT_PRIVILEGE
 * unless the caller may SELECT from the table, or from the columns that the
 * index uses, and if row security applies to the caller;
 * FEATURE_NOT_SUPPORTED for a temporary table of another session.
 */
extern void index_reader_open(IndexReader *reader, Oid indexoid);

/*
 * index_reader_check_tids -- may the caller see where rows lie?
 *
 * Errors: INSUFFICIENT_PRIVILEGE unless the caller may SELECT from the table as
 * a whole, which is what "SELECT ctid" wants.
 */
extern void index_reader_check_tids(const IndexReader *reader);

/* Be the caller again; settings made since the opening are undone. */
extern void index_reader_close(IndexReader *reader);

/*
 * index_reader_begin, _end -- around the functions below.
 *
 * Memory: in the current context.
 * Errors: those of hnsw_index_open.
 */
extern void index_reader_begin(IndexReader *reader);
extern void index_reader_end(IndexReader *reader);

/*
 * index_reader_node -- copy a node into slot and own.  False if it is none,
 * live or empty.  Interrupts are checked.
 */
extern bool index_reader_node(IndexReader *reader, HnswNode node);

/* Collect the heap TIDs of the node that was read last into tids[]. */
extern void index_reader_tids(IndexReader *reader, HnswNode node);

/*
 * index_reader_fetch -- find the version of a row that the snapshot sees.
 *
 * tid: as the index has it; changed to that of the version.  Returns false if
 * no version is visible.
 */
extern bool index_reader_fetch(IndexReader *reader, ItemPointer tid);

/*
 * index_reader_value -- the indexed value of the row fetched last.
 *
 * Memory: detoasted, of the executor state: until the next call.  Returns NULL
 * for a null.
 */
extern void *index_reader_value(IndexReader *reader);

/*
 * set_result_begin -- let a function return its rows in a tuplestore.
 *
 * The rows are described by the function's result type; that may be a
 * scalar.
 */
extern Tuplestorestate *set_result_begin(FunctionCallInfo fcinfo,
										 TupleDesc *desc);

#endif							/* INDEXREAD_H */
