/*-------------------------------------------------------------------------
 *
 * hnswbuild.c
 *	  CREATE INDEX: ambuild, ambuildempty and the main function of workers.
 *
 * First the metapage and the mean of a sample of the data, from which every
 * participant opens the index.  Then one scan of the table, shared by the
 * participants, each putting the rows it gets into the graph in memory
 * (hnswmemgraph.c).  When maintenance_work_mem is used up, and at the end, the
 * graph is linked by hnswbulk.c and written out by hnswwrite.c; further rows make
 * further batches, or go to pages one by one (hnswgrow.c) where batches do not
 * pay.  Pages are not logged until all is done (README, "Build").
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswbuild.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswgrow.h"
#include "hnsw/hnswmemgraph.h"
#include "hnsw/hnswmeta.h"
#include "hnsw/hnswparallel.h"
#include "hnsw/hnswrepair.h"
#include "hnsw/hnswwrite.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "pgstat.h"
#include "utils/memutils.h"

/* run by parallel workers, which look it up by name */
extern PGDLLEXPORT void hnsw_build_main(dsm_segment *segment, shm_toc *toc);

/*
 * Seed of the rotation.  A constant, so that the same rows give the same
 * codes; it protects nothing, and every seed is as good as another.
 */
#define ROTATION_SEED		UINT64CONST(0x9E3779B97F4A7C15)

/*
 * The mean is that of a sample: rows of at most SAMPLE_RANGES blocks spread
 * over the table.  Its error shrinks with the root of the rows and is far
 * below the spread of the data at 2,000.  A few rows say nothing: no mean.
 */
#define SAMPLE_RANGES		64
#define SAMPLE_ROWS			2048
#define SAMPLE_MIN_ROWS		100

/*
 * Room for values that can be cut: what 19 of 20 rows of the sample need, in steps of
 * 64 bytes.  Without a sample, that of a sparse vector of 128 elements.
 */
#define KEPT_SHARE			0.95
#define KEPT_STEP			((Size) 64)
#define DEFAULT_KEPT_BYTES	((Size) 1040)

/*
 * For each batch all nodes on pages are read, about 3 us each; inserting a row
 * into pages takes a hundred times as long.  So with more pages than that, or
 * hardly any memory, rows are inserted one by one.
 */
#define MAX_PAGES_OF_BATCH	100
#define MIN_BATCH			64

/* One participant of a build. */
typedef struct Build
{
	/* set once */
	Relation	heap;
	Relation	index;
	HnswIndex  *hnsw;			/* the open index */
	HnswTeam   *team;
	MemoryContext context;		/* of everything here */
	MemoryContext row_context;	/* reset for each row */
	float	   *scratch;		/* of hnsw_space_own */
	uint8	   *own;			/* of the row at hand */

	HnswMemGraph *mem;
	bool		in_memory;		/* rows go there, else to pages */
	HnswGrower *grower;			/* NULL while there is nothing on pages */
	double		index_tuples;	/* rows inserted by this participant */
} Build;

/* ---- the options and the column ---- */

/* The dimensions of the indexed column or expression. */
static int
column_dim(Relation index, const VectorMetric *metric)
{
	int			dim = TupleDescAttr(RelationGetDescr(index), 0)->atttypmod;

	if (dim < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column does not have dimensions")));
	if (dim > metric->max_dim)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("column cannot have more than %d dimensions for %s index",
						metric->max_dim, hnsw_index_am(index))));
	return dim;
}

/* The code space of a new index, without a mean. */
static void
init_space(Relation index, HnswSpace *space, void **memory)
{
	const VectorMetric *metric = hnsw_index_metric(index);
	int			dim = column_dim(index, metric);
	int			m = hnsw_option_m(index);

	if (hnsw_option_ef_construction(index) < 2 * m)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ef_construction must be greater than or equal to 2 * m")));

	*memory = palloc0(Max(hnsw_space_bytes(metric, dim), 1));
	hnsw_space_init(space, metric, dim, m, ROTATION_SEED,
					hnsw_space_kept_bytes(metric, dim, DEFAULT_KEPT_BYTES),
					NULL, *memory);
}

/*
 * Detoast a value and check that it can be in this index.  Memory: the current
 * context.
 */
static const void *
checked_value(const HnswSpace *space, Datum datum)
{
	const void *value = PG_DETOAST_DATUM(datum);
	int			dim = space->metric->dim(value);

	if (dim != space->dim)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected %d dimensions, not %d", space->dim, dim)));
	if (space->metric->check != NULL)
		space->metric->check(value);
	return value;
}

/* ---- what a sample says: the mean, and the room for values ---- */

typedef struct Sample
{
	const HnswSpace *space;
	MemoryContext row_context;
	float	   *scratch;
	float	   *rotated;
	double	   *sum;			/* rdim of them */
	uint32	   *bytes;			/* of the values; SAMPLE_ROWS of them */
	int			rows;
	int			range_rows;		/* of the range at hand */
	int			max_range_rows;
} Sample;

static void
sample_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull,
				bool alive, void *state)
{
	Sample	   *sample = state;
	const HnswSpace *space = sample->space;
	const void *value;
	MemoryContext old;

	if (isnull[0] || sample->range_rows == sample->max_range_rows)
		return;
	CHECK_FOR_INTERRUPTS();
	old = MemoryContextSwitchTo(sample->row_context);
	value = checked_value(space, values[0]);
	if (hnsw_space_rotate_value(space, value, sample->scratch,
								sample->rotated))
	{
		sample->bytes[sample->rows] = VARSIZE(value);
		for (int i = 0; i < space->rdim; i++)
			sample->sum[i] += sample->rotated[i];
		sample->rows++;
		sample->range_rows++;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(sample->row_context);
}

/* Read the rows of single blocks all over the table, or of a small one whole. */
static void
scan_sample(Relation heap, Relation index, IndexInfo *info, Sample *sample)
{
	BlockNumber nblocks = hnsw_store_nblocks(heap);

	if (nblocks <= SAMPLE_RANGES)
	{
		sample->max_range_rows = SAMPLE_ROWS;
		table_index_build_range_scan(heap, index, info, false, false, false,
									 0, nblocks, sample_callback, sample,
									 NULL);
		return;
	}
	sample->max_range_rows = SAMPLE_ROWS / SAMPLE_RANGES;
	for (int i = 0; i < SAMPLE_RANGES; i++)
	{
		BlockNumber block = (uint64) nblocks * i / SAMPLE_RANGES;

		CHECK_FOR_INTERRUPTS();
		sample->range_rows = 0;
		table_index_build_range_scan(heap, index, info, false, false, false,
									 block, 1, sample_callback, sample, NULL);
	}
}

/* Look at some rows.  Memory: the current context. */
static void
take_sample(Relation heap, Relation index, IndexInfo *info,
			const HnswSpace *space, Sample *sample)
{
	memset(sample, 0, sizeof(Sample));
	sample->space = space;
	sample->row_context = AllocSetContextCreate(CurrentMemoryContext,
												"hnsw sample",
												ALLOCSET_DEFAULT_SIZES);
	sample->scratch = palloc(sizeof(float) * hnsw_space_scratch(space));
	sample->rotated = palloc(sizeof(float) * space->rdim);
	sample->sum = palloc0(sizeof(double) * space->rdim);
	sample->bytes = palloc(sizeof(uint32) * SAMPLE_ROWS);
	scan_sample(heap, index, info, sample);
}

/* The rotated mean; NULL if there are too few rows. */
static float *
mean_of_sample(const Sample *sample)
{
	int			rdim = sample->space->rdim;
	float	   *mean;

	if (sample->rows < SAMPLE_MIN_ROWS)
		return NULL;
	mean = palloc(sizeof(float) * rdim);
	for (int i = 0; i < rdim; i++)
	{
		mean[i] = sample->sum[i] / sample->rows;

		/* sums of huge values: no mean is better than an infinite one */
		if (!isfinite(mean[i]))
			return NULL;
	}
	return mean;
}

static int
compare_bytes(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return x < y ? -1 : x > y;
}

static uint32
kept_bytes_of_sample(Sample *sample)
{
	const HnswSpace *space = sample->space;
	Size		wish = DEFAULT_KEPT_BYTES;

	if (sample->rows >= SAMPLE_MIN_ROWS)
	{
		qsort(sample->bytes, sample->rows, sizeof(uint32), compare_bytes);
		wish = sample->bytes[(int) (sample->rows * KEPT_SHARE)];
		wish = (wish + KEPT_STEP - 1) / KEPT_STEP * KEPT_STEP;
	}
	return hnsw_space_kept_bytes(space->metric, space->dim, wish);
}

/* ---- inserting rows ---- */

/* Rows done by all participants. */
static void
report_rows(HnswTeam *team)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
								 pg_atomic_read_u64(&team->shared->rows));
}

/* How many rows there will be about; 0 if nobody knows. */
static void
report_phase_load(Relation heap, const IndexInfo *info)
{
	BlockNumber pages = 0;
	double		tuples = 0;
	double		allvisfrac;

	if (info->ii_Predicate == NIL)
		table_relation_estimate_size(heap, NULL, &pages, &tuples, &allvisfrac);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE,
								 HNSW_PHASE_LOAD);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL,
								 (int64) tuples);
}

/* There is something on pages, or there is more of it. */
static void
look_at_pages(Build *build)
{
	MemoryContext old = MemoryContextSwitchTo(build->context);

	hnsw_index_refresh(build->hnsw);
	if (build->grower == NULL)
		build->grower = hnsw_grow_begin(build->hnsw);
	MemoryContextSwitchTo(old);
}

static void
report_linked(uint32 nodes)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, nodes);
}

/*
 * One process decides for all whether this was the last batch: nobody gets
 * exhausted between two of them, but who attaches too late for the first one counts
 * as a participant until it has seen that.  Then there is one more, without rows.
 */
static bool
all_exhausted(HnswBuildShared *shared)
{
	return pg_atomic_read_u32(&shared->nexhausted) >=
		(uint32) BarrierParticipants(&shared->barrier);
}

/*
 * The graph in memory goes to pages: the first batch by all, each further one by
 * one process.
 */
static void
write_memory(Build *build)
{
	HnswBuildShared *shared = build->team->shared;
	Barrier    *barrier = &shared->barrier;
	bool		is_first = hnsw_memgraph_first(build->mem) == 0;

	if (hnsw_wait_for_all(barrier))
	{
		shared->was_last = all_exhausted(shared);
		if (is_first)
			hnsw_write_begin(&shared->write, build->hnsw, build->mem,
							 shared->was_last);
		else
			hnsw_write_batch(build->hnsw, build->mem);
	}
	hnsw_wait_for_all(barrier);
	if (!is_first)
		return;
	hnsw_write_pages(&shared->write, build->hnsw, build->mem);
	if (hnsw_wait_for_all(barrier))
		hnsw_write_end(&shared->write, build->hnsw, build->mem);
	hnsw_wait_for_all(barrier);
}

/* One process makes room for the next batch, if there shall be one. */
static void
begin_batch(Build *build)
{
	HnswTeam   *team = build->team;
	uint64		nnodes = hnsw_memgraph_nnodes(build->mem);
	uint64		npages;

	hnsw_index_refresh(build->hnsw);
	npages = hnsw_index_nnodes(build->hnsw);
	team->shared->row_by_row = nnodes < MIN_BATCH ||
		npages > nnodes * MAX_PAGES_OF_BATCH;
	hnsw_memgraph_release(build->mem, npages);
	hnsw_bulk_init(&team->shared->bulk);
}

/*
 * Memory is used up, or this participant is exhausted: it has no more rows.  All
 * of them link the graph in memory, and it goes to pages.
 *
 * Between two batches those who are exhausted wait in hnsw_bulk_link, or for the
 * writer, for the others.
 */
static void
end_batch(Build *build)
{
	HnswBuildShared *shared = build->team->shared;
	Barrier    *barrier = &shared->barrier;
	MemoryContext old = MemoryContextSwitchTo(build->context);
	HnswBulk   *bulk;
	bool		was_last;

	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HNSW_PHASE_LINK);
	bulk = hnsw_bulk_begin(&shared->bulk, build->mem, build->grower, barrier);
	hnsw_bulk_link(bulk, IsParallelWorker() ? NULL : report_linked);
	write_memory(build);
	was_last = shared->was_last;
	if (build->grower != NULL)
		hnsw_bulk_link_back(bulk);
	hnsw_bulk_end(bulk);
	if (hnsw_wait_for_all(barrier))
		begin_batch(build);
	hnsw_wait_for_all(barrier);

	hnsw_memgraph_forget(build->mem);
	if (!was_last)
		look_at_pages(build);
	if (was_last || shared->row_by_row)
	{
		BarrierDetach(barrier);
		build->in_memory = false;
	}
	MemoryContextSwitchTo(old);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE,
								 HNSW_PHASE_LOAD);
}

/*
 * Note a gap for the end of the build: the metapage is the writer's until then.
 */
static void
note_gap(Build *build, uint32 gap)
{
	pg_atomic_uint32 *gaps = &build->team->shared->gaps;

	if ((pg_atomic_read_u32(gaps) & gap) != gap)
		(void) pg_atomic_fetch_or_u32(gaps, gap);
}

/* Insert one value.  Returns false if it is not indexed. */
static bool
insert_value(Build *build, const void *value, ItemPointer tid)
{
	note_gap(build, hnsw_space_gap(&build->hnsw->space, value));
	if (build->in_memory &&
		!hnsw_space_own(&build->hnsw->space, value, build->scratch,
						build->own))
		return false;
	while (build->in_memory)
	{
		if (hnsw_memgraph_add(build->mem, build->own, tid))
			return true;
		end_batch(build);
	}
	return hnsw_grow_insert(build->grower, value, tid);
}

static void
build_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull,
			   bool alive, void *state)
{
	Build	   *build = state;
	MemoryContext old;

	CHECK_FOR_INTERRUPTS();
	if (isnull[0])				/* before detoasting (H95) */
	{
		note_gap(build, HNSW_GAP_NULL);
		return;
	}

	old = MemoryContextSwitchTo(build->row_context);
	if (insert_value(build, checked_value(&build->hnsw->space, values[0]), tid))
		build->index_tuples++;
	MemoryContextSwitchTo(old);
	MemoryContextReset(build->row_context);

	pg_atomic_fetch_add_u64(&build->team->shared->rows, 1);
	if (!IsParallelWorker())
		report_rows(build->team);
}

/* What a participant needs.  Memory: the current context. */
static void
init_build(Build *build, Relation heap, Relation index, HnswIndex *hnsw,
		   HnswTeam *team)
{
	const HnswSpace *space = &hnsw->space;

	memset(build, 0, sizeof(Build));
	build->heap = heap;
	build->index = index;
	build->hnsw = hnsw;
	build->team = team;
	build->context = CurrentMemoryContext;
	build->row_context = AllocSetContextCreate(CurrentMemoryContext,
											   "hnsw build row",
											   ALLOCSET_DEFAULT_SIZES);
	build->scratch = palloc0(sizeof(float) *
							 Max(hnsw_space_scratch(space), 1));
	build->own = palloc0(space->layout.own_bytes);
	build->mem = hnsw_memgraph_attach(team->mem_shared, space, team->source,
									  hnsw_build_pool(hnsw));
}

/* Insert the rows that the scan gives to this participant. */
static void
insert_rows(Build *build, IndexInfo *info)
{
	HnswTeam   *team = build->team;
	TableScanDesc scan = NULL;
	double		heap_tuples;

	if (!hnsw_parallel_start(team))
	{
		hnsw_parallel_finish(team, 0, 0, false, false);
		return;
	}
	build->in_memory = true;
	if (team->scan != NULL)
		scan = table_beginscan_parallel(build->heap, team->scan);
	heap_tuples = table_index_build_scan(build->heap, build->index, info, true,
										 !IsParallelWorker(), build_callback,
										 build, scan);
	if (build->in_memory)
		pg_atomic_fetch_add_u32(&team->shared->nexhausted, 1);
	while (build->in_memory)
		end_batch(build);
	hnsw_parallel_finish(team, heap_tuples, build->index_tuples,
						 build->grower != NULL, info->ii_BrokenHotChain);
}

/* ---- the leader ---- */

/*
 * An index without nodes, which everything else starts from.  The relation may
 * not have a block yet.
 */
static HnswIndex *
create_index(Relation heap, Relation index, IndexInfo *info)
{
	HnswSpace	space;
	void	   *memory;
	HnswIndex  *hnsw;
	Sample		sample;

	if (hnsw_store_nblocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data",
			 RelationGetRelationName(index));

	init_space(index, &space, &memory);
	if (hnsw_space_coded(&space))
	{
		take_sample(heap, index, info, &space, &sample);
		hnsw_space_init(&space, space.metric, space.dim, space.m, space.seed,
						kept_bytes_of_sample(&sample),
						mean_of_sample(&sample), memory);
	}
	hnsw_write_empty(index, MAIN_FORKNUM, &space,
					 hnsw_option_ef_construction(index));
	HNSW_POINT("build-after-metapage");

	hnsw = hnsw_index_open(index);
	hnsw->logged = false;
	return hnsw;
}

/* Pages of a table and of its TOAST table. */
static uint64
count_pages(Relation heap)
{
	uint64		pages = hnsw_store_nblocks(heap);
	Relation	toast;

	if (!OidIsValid(heap->rd_rel->reltoastrelid))
		return pages;
	toast = table_open(heap->rd_rel->reltoastrelid, AccessShareLock);
	pages += hnsw_store_nblocks(toast);
	table_close(toast, AccessShareLock);
	return pages;
}

/*
 * Core's estimate of workers goes by the pages of the table, of which there are
 * few if long vectors lie in its TOAST table, and asks for 32 MB of memory for
 * each participant, which is one memory for all here.  The same rule by all
 * pages: one worker from min_parallel_table_scan_size on, one more for each
 * threefold.  Only where nothing else can forbid workers: no expressions, and
 * no wish of the user.
 */
static int
estimate_workers(Relation heap, const IndexInfo *info)
{
	uint64		threshold = Max(min_parallel_table_scan_size, 1);
	uint64		pages;
	int			workers = 0;

	if (heap->rd_rel->relpersistence == RELPERSISTENCE_TEMP ||
		RelationGetParallelWorkers(heap, -1) != -1 ||
		info->ii_Expressions != NIL || info->ii_Predicate != NIL)
		return 0;
	for (pages = count_pages(heap); pages >= threshold; threshold *= 3)
		workers++;
	return Min(workers, max_parallel_maintenance_workers);
}

static HnswTeam *
gather_team(Relation heap, Relation index, const IndexInfo *info,
			const HnswSpace *space)
{
	uint64		budget = (uint64) maintenance_work_mem * 1024;
	HnswTeam   *team = NULL;
	int			workers = info->ii_ParallelWorkers;
	int			want = hnsw_option_ef_construction(index);

	/* servers before 17 decide for btree only */
	if (workers == 0)
		workers = plan_create_index_workers(RelationGetRelid(heap),
											RelationGetRelid(index));
	if (workers == 0 && max_parallel_maintenance_workers > 0)
		workers = estimate_workers(heap, info);
	if (workers > 0)
		team = hnsw_parallel_begin(heap, index, space, want, budget,
								   info->ii_Concurrent, workers);
	if (team == NULL)
		team = hnsw_parallel_alone(space, want, budget);
	return team;
}

/* What hnsw_write_begin does for a graph in memory. */
static void
repair_pages(HnswIndex *hnsw)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE,
								 HNSW_PHASE_REPAIR);
	hnsw_index_refresh(hnsw);
	hnsw_repair_reachability(hnsw);
}

IndexBuildResult *
hnswbuild(Relation heap, Relation index, IndexInfo *info)
{
	IndexBuildResult *result = palloc(sizeof(IndexBuildResult));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "hnsw build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HnswIndex  *hnsw = create_index(heap, index, info);
	HnswTeam   *team;
	Build		build;
	uint32		gaps;
	bool		rows_on_pages;
	BlockNumber logged_from;

	report_phase_load(heap, info);
	team = gather_team(heap, index, info, &hnsw->space);
	init_build(&build, heap, index, hnsw, team);
	insert_rows(&build, info);
	hnsw_parallel_wait(team, report_rows);

	/* by here nobody else inserts */
	result->heap_tuples = team->shared->heap_tuples;
	result->index_tuples = team->shared->index_tuples;
	info->ii_BrokenHotChain = team->shared->broken_hot_chain;
	gaps = pg_atomic_read_u32(&team->shared->gaps);
	rows_on_pages = team->shared->rows_on_pages;
	logged_from = team->shared->write.logged_from;
	hnsw_parallel_end(team);
	if (gaps != 0)
		hnsw_index_note_gaps(hnsw, gaps);
	if (rows_on_pages)
		repair_pages(hnsw);

	HNSW_POINT("build-before-log");
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, HNSW_PHASE_LOG);
	hnsw_store_log(index, MAIN_FORKNUM, 0, logged_from);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return result;
}

void
hnswbuildempty(Relation index)
{
	HnswSpace	space;
	void	   *memory;

	init_space(index, &space, &memory);
	hnsw_write_empty(index, INIT_FORKNUM, &space,
					 hnsw_option_ef_construction(index));
	hnsw_store_log(index, INIT_FORKNUM, 0, InvalidBlockNumber);
	pfree(memory);
}

/* ---- a worker ---- */

void
hnsw_build_main(dsm_segment *segment, shm_toc *toc)
{
	HnswTeam   *team = hnsw_parallel_join(segment, toc);
	bool		concurrent = team->shared->concurrent;
	LOCKMODE	heap_lock = concurrent ? ShareUpdateExclusiveLock : ShareLock;
	LOCKMODE	index_lock = concurrent ? RowExclusiveLock : AccessExclusiveLock;
	Relation	heap = table_open(team->shared->heap, heap_lock);
	Relation	index = index_open(team->shared->index, index_lock);
	IndexInfo  *info = BuildIndexInfo(index);
	HnswIndex  *hnsw;
	Build		build;

	info->ii_Concurrent = concurrent;
	InstrStartParallelQuery();
	HNSW_POINT("worker-start");

	hnsw = hnsw_index_open(index);
	hnsw->logged = false;
	init_build(&build, heap, index, hnsw, team);
	insert_rows(&build, info);

	InstrEndParallelQuery(&team->buffer_usage[ParallelWorkerNumber],
						  &team->wal_usage[ParallelWorkerNumber]);
	dsa_detach(team->dsa);
	index_close(index, index_lock);
	table_close(heap, heap_lock);
}
