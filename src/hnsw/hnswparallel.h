/*-------------------------------------------------------------------------
 *
 * hnswparallel.h
 *	  The team of a build: one process or several, and what they share.
 *
 * A build has two parts.  In the first all rows go to the graph in memory
 * (hnswmemgraph.h).  When memory is used up, or all rows are there, one process
 * writes the graph to pages while nobody inserts; then the remaining rows go
 * to the pages.  A build of one process follows the same path, as a team of
 * one in private memory.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswparallel.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWPARALLEL_H
#define HNSWPARALLEL_H

#include "access/parallel.h"
#include "access/tableam.h"
#include "executor/instrument.h"
#include "hnsw/hnswmemgraph.h"
#include "storage/condition_variable.h"
#include "storage/spin.h"

/* where rows go */
typedef enum HnswBuildPart
{
	HNSW_BUILD_MEMORY,
	HNSW_BUILD_WRITING,			/* nowhere: one process writes pages */
	HNSW_BUILD_PAGES
} HnswBuildPart;

typedef struct HnswBuildShared
{
	/* set once */
	Oid			heap;
	Oid			index;
	bool		concurrent;
	Size		dsa_bytes;

	slock_t		mutex;			/* protects what follows; held for a few instructions */
	HnswBuildPart part;
	int			ninserting;		/* participants that may insert */
	int			nwaiting;		/* those of them that wait for the writing */
	int			nfinished;		/* participants that have no more rows */
	double		heap_tuples;
	double		index_tuples;
	bool		broken_hot_chain;

	ConditionVariable changed;	/* any of the above changed */

	pg_atomic_uint64 rows;		/* rows done, for the progress report */
} HnswBuildShared;

/* One participant's view of the team. */
typedef struct HnswTeam
{
	HnswBuildShared *shared;
	HnswMemShared *mem_shared;
	HnswMemSource *source;
	ParallelTableScanDesc scan; /* NULL in a team of one */
	struct dsa_area *dsa;		/* NULL in a team of one */

	/* the usage of each worker */
	WalUsage   *wal_usage;
	BufferUsage *buffer_usage;

	/* leader only */
	ParallelContext *pcxt;		/* NULL in a team of one */
	Snapshot	snapshot;
} HnswTeam;

/* hnsw_parallel_alone -- a team of one; memory in the current context. */
extern HnswTeam *hnsw_parallel_alone(const HnswSpace *space, uint64 budget);

/*
 * hnsw_parallel_begin -- launch up to 'request' workers.
 *
 * Enters parallel mode.  The workers run hnsw_build_main (hnswbuild.c).
 * Returns NULL, with everything undone, if there is no shared memory or no
 * worker to be had.
 */
extern HnswTeam *hnsw_parallel_begin(Relation heap, Relation index,
									 const HnswSpace *space, uint64 budget,
									 bool concurrent, int request);

/* In a worker: what the leader has set up.  Errors: none of its own. */
extern HnswTeam *hnsw_parallel_join(dsm_segment *segment, shm_toc *toc);

/*
 * hnsw_parallel_start -- the caller is going to insert rows.  Returns true if
 * they go to pages; waits if somebody is just writing these.
 * hnsw_parallel_finish -- it has no more rows; counts what it did.
 */
extern bool hnsw_parallel_start(HnswTeam *team);
extern void hnsw_parallel_finish(HnswTeam *team, double heap_tuples,
								 double index_tuples, bool broken_hot_chain);

/*
 * hnsw_parallel_memory_full -- the caller found memory used up.
 *
 * Waits until nobody inserts.  Returns true for one process, which then writes
 * the graph to pages and calls hnsw_parallel_written; false for the others,
 * when that is done.  From then on all rows go to pages.
 * Locks: none may be held.
 */
extern bool hnsw_parallel_memory_full(HnswTeam *team);
extern void hnsw_parallel_written(HnswTeam *team);

/*
 * hnsw_parallel_wait -- leader: wait until all participants have finished.
 * 'report' is called now and then.
 */
extern void hnsw_parallel_wait(HnswTeam *team, void (*report) (HnswTeam *));

/*
 * hnsw_parallel_end -- leader: leave parallel mode.  Shared memory, and with
 * it a graph that lies there, is gone afterwards.
 */
extern void hnsw_parallel_end(HnswTeam *team);

#endif							/* HNSWPARALLEL_H */
