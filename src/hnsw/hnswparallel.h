/*-------------------------------------------------------------------------
 *
 * hnswparallel.h
 *	  The team of a build: one process or several, and what they share.
 *
 * Rows go to the graph in memory (hnswmemgraph.h).  When memory is used up, or
 * all rows are there, everybody takes part in linking it (hnswbulk.h), and one
 * process writes it to pages; the next rows make the next batch, for which
 * those who have no more rows work as well.  A build of one process follows the
 * same path, as a team of one in private memory.
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
#include "hnsw/hnswwrite.h"
#include "storage/condition_variable.h"
#include "storage/spin.h"

typedef struct HnswBuildShared
{
	/* set once */
	Oid			heap;
	Oid			index;
	bool		concurrent;
	Size		dsa_bytes;

	/* those who put rows into memory; in its first phase during the first batch */
	Barrier		barrier;
	HnswBulkShared bulk;
	HnswWriteShared write;
	bool		was_last;		/* there are no rows for another batch; written and
								 * read behind the barrier */
	pg_atomic_uint32 nexhausted;	/* of those, how many have no more rows */
	bool		row_by_row;		/* no more batches: further rows go to pages;
								 * written and read behind the barrier */

	slock_t		mutex;			/* protects what follows; held for a few instructions */
	int			nfinished;		/* participants that are done */
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
 * hnsw_parallel_start -- the caller is going to insert rows.  Returns false if the
 * first batch is already being linked: the others will read the caller's rows.
 * hnsw_parallel_finish -- it is done; counts what it did.
 */
extern bool hnsw_parallel_start(HnswTeam *team);
extern void hnsw_parallel_finish(HnswTeam *team, double heap_tuples,
								 double index_tuples, bool rows_on_pages,
								 bool broken_hot_chain);

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
