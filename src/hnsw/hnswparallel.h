/*-------------------------------------------------------------------------
 *
 * hnswparallel.h
 *	  The team of a build: one process or several, and what they share.
 *
 * A build has two parts.  In the first all rows go to the graph in memory
 * (hnswmemgraph.h).  When memory is used up, or all rows are there, everybody
 * who has put rows there takes part in linking it (hnswbulk.h), and one process
 * writes it to pages; then the remaining rows go to the pages.  A build of one
 * process follows the same path, as a team of one in private memory.
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
#include "hnsw/hnswbulk.h"
#include "storage/condition_variable.h"
#include "storage/spin.h"

typedef struct HnswBuildShared
{
	/* set once */
	Oid			heap;
	Oid			index;
	bool		concurrent;
	Size		dsa_bytes;

	/* those who put rows into memory; in its first phase as long as they do */
	Barrier		barrier;
	HnswBulkShared bulk;

	slock_t		mutex;			/* protects what follows; held for a few instructions */
	bool		on_pages;		/* the graph is on pages, further rows go there */
	int			nfinished;		/* participants that have no more rows */
	bool		rows_on_pages;	/* such rows came */
	double		heap_tuples;
	double		index_tuples;
	bool		broken_hot_chain;

	ConditionVariable changed;	/* any of the above changed */

	pg_atomic_uint64 rows;		/* rows done, for the progress report */
	pg_atomic_uint32 gaps;		/* flags for the metapage, HNSW_GAP_... */
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

/*
 * hnsw_parallel_alone -- a team of one; memory in the current context.
 * want: see hnsw_memgraph_create.
 */
extern HnswTeam *hnsw_parallel_alone(const HnswSpace *space, int want,
									 uint64 budget);

/*
 * hnsw_parallel_begin -- launch up to 'request' workers.
 *
 * Enters parallel mode.  The workers run hnsw_build_main (hnswbuild.c).
 * Returns NULL, with everything undone, if there is no shared memory or no
 * worker to be had.
 */
extern HnswTeam *hnsw_parallel_begin(Relation heap, Relation index,
									 const HnswSpace *space, int want,
									 uint64 budget, bool concurrent,
									 int request);

/* In a worker: what the leader has set up.  Errors: none of its own. */
extern HnswTeam *hnsw_parallel_join(dsm_segment *segment, shm_toc *toc);

/*
 * hnsw_parallel_start -- the caller is going to insert rows.  Returns true if
 * they go to pages: who comes when the graph in memory is already being linked
 * waits until it is on pages.
 * hnsw_parallel_finish -- it has no more rows; counts what it did.
 */
extern bool hnsw_parallel_start(HnswTeam *team);
extern void hnsw_parallel_finish(HnswTeam *team, double heap_tuples,
								 double index_tuples, bool rows_on_pages,
								 bool broken_hot_chain);

/*
 * hnsw_parallel_leave_memory -- no more rows go to memory: it is used up, or
 * the caller has no more.
 *
 * Waits for all who put rows there.  Returns true in one process, which then
 * writes the graph to pages and calls hnsw_parallel_written; false in the others,
 * when that is done.
 * Locks: none may be held.
 */
extern bool hnsw_parallel_leave_memory(HnswTeam *team);
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
