/*-------------------------------------------------------------------------
 *
 * hnswparallel.c
 *	  The team of a build: one process or several, and what they share.
 *
 * The protocol of workers is nbtree's (nbtsort.c): one shared scan of the
 * table, in which the leader takes part.  Nobody counts on a worker that has
 * not reported itself: whoever comes takes blocks of the scan, and if nobody
 * comes, the leader reads them all.
 *
 * Shared memory is asked for in pieces as the graph grows, through a DSA area
 * whose first part lies in the segment of the parallel context; its life ends
 * with that segment, whatever happens.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswparallel.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/statvfs.h>

#include "hnsw/hnswparallel.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/dsm_impl.h"
#include "tcop/tcopprot.h"
#include "utils/dsa.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

/* keys of the table of contents; core's own are from 0xFFFFFFFFFFFF0001 on */
#define KEY_SHARED			UINT64CONST(0xB100000000000001)
#define KEY_SCAN			UINT64CONST(0xB100000000000002)
#define KEY_GRAPH			UINT64CONST(0xB100000000000003)
#define KEY_DSA				UINT64CONST(0xB100000000000004)
#define KEY_WAL_USAGE		UINT64CONST(0xB100000000000005)
#define KEY_BUFFER_USAGE	UINT64CONST(0xB100000000000006)
#define KEY_QUERY_TEXT		UINT64CONST(0xB100000000000007)
#define NKEYS				7

/* with less room for shared memory than this, workers are not worth it */
#define MIN_SHARED_BYTES	((uint64) 8 * 1024 * 1024)

/* how often the leader reports progress while it only waits */
#define REPORT_MS			500

/* ---- chunks of shared memory ---- */

typedef struct SharedSource
{
	HnswMemSource source;
	dsa_area   *dsa;
} SharedSource;

static uint64
shared_take(HnswMemSource *source, Size bytes)
{
	return dsa_allocate_extended(((SharedSource *) source)->dsa, bytes,
								 DSA_ALLOC_HUGE | DSA_ALLOC_NO_OOM);
}

static char *
shared_address(HnswMemSource *source, uint64 handle)
{
	return dsa_get_address(((SharedSource *) source)->dsa,
						   (dsa_pointer) handle);
}

static void
shared_give_back(HnswMemSource *source, uint64 handle)
{
	dsa_free(((SharedSource *) source)->dsa, (dsa_pointer) handle);
}

static HnswMemSource *
shared_source(dsa_area *dsa)
{
	SharedSource *shared = palloc(sizeof(SharedSource));

	shared->source.take = shared_take;
	shared->source.address = shared_address;
	shared->source.give_back = shared_give_back;
	shared->dsa = dsa;
	return &shared->source;
}

/*
 * How much shared memory there is to take.  A segment that does not fit where
 * POSIX shared memory lies is an error in core, and containers have 64 MB
 * there; so ask first, and leave a quarter to others.
 */
static uint64
shared_memory_room(void)
{
#ifdef __linux__
	struct statvfs fs;

	if (dynamic_shared_memory_type == DSM_IMPL_POSIX &&
		statvfs("/dev/shm", &fs) == 0)
		return (uint64) fs.f_bavail * fs.f_frsize / 4 * 3;
#endif
	return PG_UINT64_MAX;
}

/* ---- a team of one ---- */

static void
init_shared(HnswBuildShared *shared)
{
	SpinLockInit(&shared->mutex);
	shared->nfinished = 0;
	shared->rows_on_pages = false;
	shared->heap_tuples = 0;
	shared->index_tuples = 0;
	shared->broken_hot_chain = false;
	ConditionVariableInit(&shared->changed);
	BarrierInit(&shared->barrier, 0);
	hnsw_bulk_init(&shared->bulk);
	shared->write.logged_from = InvalidBlockNumber;
	shared->was_last = false;
	shared->row_by_row = false;
	pg_atomic_init_u32(&shared->nexhausted, 0);
	pg_atomic_init_u64(&shared->rows, 0);
	pg_atomic_init_u32(&shared->gaps, 0);
}

HnswTeam *
hnsw_parallel_alone(const HnswSpace *space, int want, uint64 budget)
{
	HnswTeam   *team = palloc0(sizeof(HnswTeam));

	team->shared = palloc0(sizeof(HnswBuildShared));
	init_shared(team->shared);
	team->mem_shared =
		MemoryContextAllocHuge(CurrentMemoryContext,
							   hnsw_memgraph_shared_bytes(space, want, budget));
	hnsw_memgraph_create(team->mem_shared, space, want, budget);
	team->source = hnsw_memgraph_private_source();
	return team;
}

/* ---- the leader ---- */

/* What is put into the segment, and how large it is. */
typedef struct SegmentPlan
{
	Size		scan_bytes;
	Size		graph_bytes;
	Size		dsa_bytes;
	Size		query_bytes;
} SegmentPlan;

static void
estimate_segment(ParallelContext *pcxt, const SegmentPlan *plan)
{
	shm_toc_estimator *estimator = &pcxt->estimator;

	shm_toc_estimate_chunk(estimator, sizeof(HnswBuildShared));
	shm_toc_estimate_chunk(estimator, plan->scan_bytes);
	shm_toc_estimate_chunk(estimator, plan->graph_bytes);
	shm_toc_estimate_chunk(estimator, plan->dsa_bytes);
	shm_toc_estimate_chunk(estimator,
						   mul_size(sizeof(WalUsage), pcxt->nworkers));
	shm_toc_estimate_chunk(estimator,
						   mul_size(sizeof(BufferUsage), pcxt->nworkers));
	shm_toc_estimate_chunk(estimator, plan->query_bytes);
	shm_toc_estimate_keys(estimator, NKEYS);
}

static void *
place(shm_toc *toc, uint64 key, Size bytes)
{
	void	   *address = shm_toc_allocate(toc, bytes);

	shm_toc_insert(toc, key, address);
	return address;
}

static void
fill_segment(HnswTeam *team, Relation heap, Relation index,
			 const HnswSpace *space, int want, uint64 budget,
			 bool concurrent, const SegmentPlan *plan)
{
	ParallelContext *pcxt = team->pcxt;
	shm_toc    *toc = pcxt->toc;
	void	   *area;

	team->shared = place(toc, KEY_SHARED, sizeof(HnswBuildShared));
	init_shared(team->shared);
	team->shared->heap = RelationGetRelid(heap);
	team->shared->index = RelationGetRelid(index);
	team->shared->concurrent = concurrent;

	team->scan = place(toc, KEY_SCAN, plan->scan_bytes);
	table_parallelscan_initialize(heap, team->scan, team->snapshot);

	team->mem_shared = place(toc, KEY_GRAPH, plan->graph_bytes);
	hnsw_memgraph_create(team->mem_shared, space, want, budget);

	area = place(toc, KEY_DSA, plan->dsa_bytes);
	team->dsa = dsa_create_in_place(area, plan->dsa_bytes,
									team->mem_shared->tranche, pcxt->seg);
	team->source = shared_source(team->dsa);

	team->wal_usage = place(toc, KEY_WAL_USAGE,
							mul_size(sizeof(WalUsage), pcxt->nworkers));
	team->buffer_usage = place(toc, KEY_BUFFER_USAGE,
							   mul_size(sizeof(BufferUsage), pcxt->nworkers));
	memcpy(place(toc, KEY_QUERY_TEXT, plan->query_bytes),
		   debug_query_string != NULL ? debug_query_string : "",
		   plan->query_bytes);
}

/* Undo what hnsw_parallel_begin did first. */
static void
back_out(ParallelContext *pcxt, Snapshot snapshot)
{
	if (IsMVCCSnapshot(snapshot))
		UnregisterSnapshot(snapshot);
	DestroyParallelContext(pcxt);
	ExitParallelMode();
}

HnswTeam *
hnsw_parallel_begin(Relation heap, Relation index, const HnswSpace *space,
					int want, uint64 budget, bool concurrent, int request)
{
	HnswTeam   *team;
	ParallelContext *pcxt;
	Snapshot	snapshot;
	SegmentPlan plan;
	uint64		room = shared_memory_room();

	Assert(request > 0);
	if (room < MIN_SHARED_BYTES)
		return NULL;
	budget = Min(budget, room);

	EnterParallelMode();
	pcxt = CreateParallelContext("vector", "hnsw_build_main", request);

	/*
	 * An ordinary build sees all tuples and judges them by itself, since it
	 * must index RECENTLY_DEAD ones; a concurrent one indexes what an MVCC
	 * snapshot sees (H60, H70).
	 */
	snapshot = concurrent ? RegisterSnapshot(GetTransactionSnapshot()) :
		SnapshotAny;

	plan.scan_bytes = table_parallelscan_estimate(heap, snapshot);
	plan.graph_bytes = hnsw_memgraph_shared_bytes(space, want, budget);
	plan.dsa_bytes = dsa_minimum_size();
	plan.query_bytes = debug_query_string != NULL ?
		strlen(debug_query_string) + 1 : 1;
	estimate_segment(pcxt, &plan);
	InitializeParallelDSM(pcxt);
	if (pcxt->seg == NULL)
	{
		back_out(pcxt, snapshot);
		return NULL;
	}

	team = palloc0(sizeof(HnswTeam));
	team->pcxt = pcxt;
	team->snapshot = snapshot;
	fill_segment(team, heap, index, space, want, budget, concurrent, &plan);

	LaunchParallelWorkers(pcxt);
	if (pcxt->nworkers_launched == 0)
	{
		hnsw_parallel_end(team);
		return NULL;
	}
	return team;
}

void
hnsw_parallel_wait(HnswTeam *team, void (*report) (HnswTeam *))
{
	HnswBuildShared *shared = team->shared;
	int			nparticipants;

	if (team->pcxt == NULL)
		return;

	/* an error if one of them could not start (H75) */
	WaitForParallelWorkersToAttach(team->pcxt);
	nparticipants = team->pcxt->nworkers_launched + 1;

	ConditionVariablePrepareToSleep(&shared->changed);
	for (;;)
	{
		int			nfinished;

		SpinLockAcquire(&shared->mutex);
		nfinished = shared->nfinished;
		SpinLockRelease(&shared->mutex);
		if (nfinished == nparticipants)
			break;
		report(team);
		(void) ConditionVariableTimedSleep(&shared->changed, REPORT_MS,
										   WAIT_EVENT_PARALLEL_CREATE_INDEX_SCAN);
	}
	ConditionVariableCancelSleep();
}

void
hnsw_parallel_end(HnswTeam *team)
{
	ParallelContext *pcxt = team->pcxt;

	if (pcxt == NULL)
		return;
	WaitForParallelWorkersToFinish(pcxt);
	for (int i = 0; i < pcxt->nworkers_launched; i++)
		InstrAccumParallelQuery(&team->buffer_usage[i], &team->wal_usage[i]);
	dsa_detach(team->dsa);
	back_out(pcxt, team->snapshot);
	team->pcxt = NULL;
}

/* ---- a worker ---- */

HnswTeam *
hnsw_parallel_join(dsm_segment *segment, shm_toc *toc)
{
	HnswTeam   *team = palloc0(sizeof(HnswTeam));

	debug_query_string = shm_toc_lookup(toc, KEY_QUERY_TEXT, false);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);

	team->shared = shm_toc_lookup(toc, KEY_SHARED, false);
	team->scan = shm_toc_lookup(toc, KEY_SCAN, false);
	team->mem_shared = shm_toc_lookup(toc, KEY_GRAPH, false);
	team->dsa = dsa_attach_in_place(shm_toc_lookup(toc, KEY_DSA, false),
									segment);
	team->source = shared_source(team->dsa);
	team->wal_usage = shm_toc_lookup(toc, KEY_WAL_USAGE, false);
	team->buffer_usage = shm_toc_lookup(toc, KEY_BUFFER_USAGE, false);
	return team;
}

/* ---- taking part ---- */

bool
hnsw_parallel_start(HnswTeam *team)
{
	Barrier    *barrier = &team->shared->barrier;

	if (BarrierAttach(barrier) == 0)
		return true;
	BarrierDetach(barrier);
	return false;
}

void
hnsw_parallel_finish(HnswTeam *team, double heap_tuples, double index_tuples,
					 bool rows_on_pages, bool broken_hot_chain)
{
	HnswBuildShared *shared = team->shared;

	SpinLockAcquire(&shared->mutex);
	shared->nfinished++;
	shared->heap_tuples += heap_tuples;
	shared->index_tuples += index_tuples;
	shared->rows_on_pages |= rows_on_pages;
	shared->broken_hot_chain |= broken_hot_chain;
	SpinLockRelease(&shared->mutex);
	ConditionVariableBroadcast(&shared->changed);
}
