/*-------------------------------------------------------------------------
 *
 * hnswscan.c
 *	  The stream of rows: amrescan to amendscan.
 *
 * A scan walks (hnswsearch.h) and keeps what it has expanded in a heap by
 * lower bound.  When the walk has seen enough of the neighbourhood, rows leave
 * the heap; when the executor asks for more, the walk goes on.  When it has cost
 * so much that a sweep (hnswsweep.h) finds the rest for less, or there is
 * nothing left to walk to, the scan changes over.  So it ends when the index is
 * exhausted and not before.  The stop rule, the settings' meaning and why rows
 * leave in exact order: README, "Scan order".
 *
 * Nothing is held between calls: no pin, no lock.  A row kept for later names
 * the version of its node, and its heap TIDs were read together with its
 * distance (H17).
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswscan.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/relscan.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswdiskgraph.h"
#include "hnsw/hnswrows.h"
#include "hnsw/hnswsearch.h"
#include "hnsw/hnswsweep.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

typedef enum ScanPhase
{
	SCAN_START,					/* nothing read yet */
	SCAN_WALK,
	SCAN_SWEEP,					/* the rest is cheaper so, or not reached */
	SCAN_LATE,					/* hand out what came too late for its place */
	SCAN_DONE
} ScanPhase;

typedef struct HnswScan
{
	/* set at rescan */
	MemoryContext context;		/* all that belongs to one key */
	HnswIndex  *index;
	HnswDiskGraph *graph;
	HnswQuery	query;
	bool		is_null;		/* the key is NULL */
	Oid			orderby_type;
	HnswScanSettings set;
	double		gamma;			/* stop rule */
	HnswMembers members;		/* whose rows count; has NULL: all */
	bool		sweep_wanted;	/* by the caller: no walk */
	double		max_hops;		/* of the walk: then a sweep */

	/* moves during the scan */
	ScanPhase	phase;
	HnswSearch *search;
	HnswSweep  *sweep;
	HnswRowHeap ready;			/* by bound */
	HnswRowHeap late;			/* rows nearer than one that has left */
	int64		visited;		/* LIVE nodes expanded */
	int64		left_out;		/* those without a member */
	int64		hops;			/* nodes read by the walk, when it has ended */
	int64		released;		/* nodes that have left */
	double		last_bound;		/* rows with a lesser bound come too late */
	double		last_above;		/* no row that has left is farther than this */
	bool		in_batch;		/* the margin has been reached for this batch */

	/* the t least distances among rows that wait, for the batch at hand */
	float	   *near_stop;		/* dist + gamma * margin, ascending */
	int			nnear;
	int			batch;			/* t */
	uint64		nnodes;

	/* the node whose heap TIDs are being returned */
	ItemPointerData *tids;
	int			ntids;
	int			maxtids;
	int			next_tid;
	double		bound;
	bool		is_settled;		/* the executor need not compute its distance */
} HnswScan;

/*
 * The margin grows with ef_search so that the default of 40 gives .085, about
 * recall .985 on the packages data, and 400 gives .19 (README, "Scan order",
 * has the measurements).
 */
#define GAMMA_AT_40			0.085
#define GAMMA_EXPONENT		0.36

/*
 * Rows that a batch looks ahead for: the first at least, any at most, and as a
 * part of ef.  12 and not 10: to know the order of the 10 that a LIMIT asks
 * for, the executor sees two more, and a second look-ahead costs a third of
 * the first.
 */
#define FIRST_BATCH			12
#define MAX_BATCH			1000
#define EF_PER_BATCH_ROW	8

/* own forms that a sweep reads before its first row can leave */
#define FORMS_TO_START		600.0

/* Without an index to look at: as for one with codes. */
static double
sweep_price(const HnswSpace *space, double nodes)
{
	if (space != NULL && !hnsw_space_coded(space))
		return HNSW_HOPS_PER_OWN_FORM * nodes;
	return HNSW_HOPS_PER_FLAT_RECORD * nodes +
		HNSW_HOPS_PER_OWN_FORM * Min(FORMS_TO_START, nodes);
}

/* When is a walk that just goes on given up?  Settings of pgvector's say when. */
static double
longest_walk(const HnswSpace *space, const HnswScanSettings *set, double nodes)
{
	if (set->mode != HNSW_ITERATIVE_AUTO || nodes <= set->ef ||
		(space != NULL && !hnsw_space_coded(space)))
		return get_float8_infinity();
	return HNSW_SWEEPS_PER_WALK * sweep_price(space, nodes);
}

/* ---- batches: when has the walk seen enough? ---- */

static float
stop_at(const HnswScan *so, const HnswRow *row)
{
	return row->dist + so->gamma * row->margin;
}

static void
note_near(HnswScan *so, float stop)
{
	int			i;

	if (so->nnear == so->batch && stop >= so->near_stop[so->batch - 1])
		return;
	i = so->nnear < so->batch ? so->nnear++ : so->batch - 1;
	for (; i > 0 && so->near_stop[i - 1] > stop; i--)
		so->near_stop[i] = so->near_stop[i - 1];
	so->near_stop[i] = stop;
}

/*
 * Begin a batch: the next rows leave when the t-th of them is nearer, by the
 * margin, than anything the walk knows of.  After the first batch t is half of
 * what has left, so the look-ahead stays in proportion and a long scan does
 * not stop at every row.
 */
static void
begin_batch(HnswScan *so)
{
	if (so->set.mode == HNSW_ITERATIVE_AUTO)
	{
		int64		rows = so->released > 0 ? Max(so->released / 2, 1) :
			Max(so->set.ef / EF_PER_BATCH_ROW, FIRST_BATCH);

		so->batch = Min(rows, MAX_BATCH);
	}
	else
		so->batch = Min(so->set.ef, HNSW_MAX_EF_SEARCH);
	so->in_batch = false;
	so->nnear = 0;
	for (int64 i = 0; i < so->ready.n; i++)
		note_near(so, stop_at(so, &so->ready.row[i]));
}

static bool
batch_is_complete(HnswScan *so)
{
	/* an index no larger than the look-ahead is read as a whole */
	if (so->nnodes <= (uint64) so->set.ef)
		return false;
	return so->nnear == so->batch &&
		hnsw_search_frontier(so->search) > so->near_stop[so->batch - 1];
}

/*
 * Within a complete batch rows leave at half the margin: the executor needs to
 * see a few rows beyond its limit to know the order of those within, and that
 * must not cost another look-ahead.
 */
static bool
may_leave(HnswScan *so, const HnswRow *row)
{
	return row->dist + so->gamma / 2 * row->margin <
		hnsw_search_frontier(so->search);
}

/* ---- collecting ---- */

static void
collect(HnswScan *so, HnswNode node, const HnswExpansion *exp)
{
	HnswRow		row;

	so->visited++;
	if (!hnsw_row_init(&row, node, exp, &so->members))
	{
		so->left_out++;
		return;
	}
	hnsw_rows_push(&so->ready, &row);
	note_near(so, stop_at(so, &row));
}

static Size
memory_used(const HnswScan *so)
{
	return hnsw_search_memory(so->search) +
		sizeof(HnswRow) * (Size) (so->ready.max + so->late.max);
}

/*
 * The walk cannot go on: the pool is empty, or a limit has been reached.  The
 * explicit modes then hand out what has been collected and stop, as pgvector's
 * do; otherwise the sweep finds the rest.
 */
static void
end_walk(HnswScan *so, bool exhausted)
{
	bool		is_small = so->nnodes <= (uint64) so->set.ef;

	if (so->set.mode == HNSW_ITERATIVE_AUTO || is_small ||
		(exhausted && so->set.mode != HNSW_ITERATIVE_OFF))
		so->phase = SCAN_SWEEP;
	else
		so->phase = SCAN_LATE;
}

/*
 * Walk until the batch is complete, a step at least; changes the phase when it
 * cannot be.  The row with the least bound can be one of the farthest, if its
 * error is large: it holds the others back until the walk has come to it.
 */
static void
walk(HnswScan *so)
{
	HnswExpansion exp;

	exp.own_copy = NULL;
	do
	{
		HnswNode	node = hnsw_search_step(so->search, &exp);

		if (node == HNSW_INVALID_NODE)
		{
			end_walk(so, true);
			return;
		}
		if (exp.state == HNSW_LIVE)
			collect(so, node, &exp);
		if (so->nnear == so->batch)
			hnsw_search_limit(so->search, so->near_stop[so->batch - 1]);

		/* the tuple limit never cuts the first batch */
		if (so->released > 0 && so->visited >= so->set.max_nodes)
		{
			so->phase = SCAN_LATE;
			return;
		}
		if (memory_used(so) > so->set.max_memory)
		{
			end_walk(so, false);
			return;
		}
		if (hnsw_search_hops(so->search) >= so->max_hops)
		{
			so->phase = SCAN_SWEEP;
			return;
		}
	} while (!batch_is_complete(so));
	so->in_batch = true;
}

static void
end_search(HnswScan *so)
{
	if (so->search != NULL)
		hnsw_search_end(so->search);
	so->search = NULL;
}

/* Sweep over what the walk has not read, whose memory goes. */
static void
begin_sweep(HnswScan *so)
{
	uint64		nnodes;
	uint8	   *done;

	hnsw_index_refresh(so->index);
	nnodes = hnsw_index_nnodes(so->index);
	done = MemoryContextAllocExtended(so->context, nnodes / 8 + 1,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (so->search != NULL)
	{
		hnsw_search_mark_expanded(so->search, done, nnodes);
		so->hops = hnsw_search_hops(so->search);
		end_search(so);
	}
	so->sweep = hnsw_sweep_begin(so->graph, &so->query, &so->members, done,
								 nnodes, so->set.max_nodes - so->visited,
								 so->set.max_memory, &so->ready);
}

/* ---- rows out ---- */

/* Does this row come after its place?  What then, is the mode's business. */
static bool
is_late(HnswScan *so, const HnswRow *row)
{
	return row->bound < so->last_bound;
}

/*
 * The next row of the walk, or false when it has to go on or has ended.  One
 * batch is all that mode off gives.
 */
static bool
next_walked(HnswScan *so, HnswRow *row)
{
	if (so->in_batch && so->ready.n > 0 && may_leave(so, &so->ready.row[0]))
	{
		hnsw_rows_pop(&so->ready, row);
		return true;
	}
	if (so->in_batch && so->set.mode == HNSW_ITERATIVE_OFF)
	{
		so->phase = SCAN_DONE;
		return false;
	}

	/* only a walk follows edges, which VACUUM must not break off */
	hnsw_lock_scan(so->index->rel, false);
	if (so->search == NULL)
		so->search = hnsw_search_begin(&so->graph->graph, &so->query);
	begin_batch(so);
	walk(so);
	hnsw_unlock_scan(so->index->rel, false);
	return false;
}

/* The next row but those that are late, or false when there is none any more. */
static bool
next_ready(HnswScan *so, HnswRow *row)
{
	while (so->phase == SCAN_WALK)
	{
		if (next_walked(so, row))
			return true;
	}
	if (so->phase == SCAN_SWEEP)
	{
		if (so->sweep == NULL)
			begin_sweep(so);
		if (hnsw_sweep_next(so->sweep, row))
			return true;
		so->phase = SCAN_LATE;
	}
	if (so->phase == SCAN_DONE || so->ready.n == 0)
		return false;
	hnsw_rows_pop(&so->ready, row);
	return true;
}

/*
 * The next row to return.  In mode auto a row that comes after its place is
 * kept and handed out last; relaxed_order returns it as it comes, strict_order
 * drops it (sql-surface, 15.1).
 */
static bool
next_row(HnswScan *so, HnswRow *row)
{
	/* one batch of elements is all that mode off gives */
	if (so->set.mode == HNSW_ITERATIVE_OFF && so->released >= so->set.ef)
		so->phase = SCAN_DONE;

	while (so->phase != SCAN_DONE && next_ready(so, row))
	{
		if (!is_late(so, row) || so->set.mode == HNSW_ITERATIVE_RELAXED)
			return true;
		if (so->set.mode == HNSW_ITERATIVE_AUTO)
			hnsw_rows_push(&so->late, row);
	}
	if (so->phase == SCAN_DONE || so->late.n == 0)
	{
		so->phase = SCAN_DONE;
		return false;
	}
	hnsw_rows_pop(&so->late, row);
	return true;
}

/*
 * Is the place of a row in the order certain: behind all that have left, in
 * front of all that wait?  Then its exact distance does not matter.  Rows that
 * share a node can be in any order.  What a later batch finds in front of it
 * is late, so the modes that would drop or return that are left as they were;
 * and a sweep has to have read every node.
 */
static bool
is_settled(const HnswScan *so, const HnswRow *row)
{
	double		next;

	if (so->set.mode != HNSW_ITERATIVE_AUTO || row->nhere != 1 ||
		row->next != HNSW_INVALID_NODE || !(so->last_above < row->bound))
		return false;
	if (so->phase == SCAN_SWEEP)
		next = hnsw_sweep_certain(so->sweep);
	else if (so->phase == SCAN_WALK && so->ready.n > 0)
		next = so->ready.row[0].bound;
	else
		return false;
	return row->above <= next;
}

/* Take over the heap TIDs of a row, following its chain. */
static void
load_tids(HnswScan *so, const HnswRow *row)
{
	so->ntids = so->next_tid = 0;
	if (so->maxtids < HNSW_INLINE_TIDS)
	{
		so->maxtids = HNSW_INLINE_TIDS;
		so->tids = palloc(sizeof(ItemPointerData) * so->maxtids);
	}
	memcpy(so->tids, row->tids, sizeof(ItemPointerData) * row->nhere);
	so->ntids = row->nhere;
	so->bound = row->bound;
	if (row->next != HNSW_INVALID_NODE)
		(void) hnsw_diskgraph_tids(so->graph, row->node, row->version,
								   row->next, &so->tids, &so->ntids,
								   &so->maxtids);
	so->ntids = hnsw_members_filter(&so->members, so->tids, so->ntids);
}

/* ---- the access method's callbacks ---- */

IndexScanDesc
hnswbeginscan(Relation index, int nkeys, int norderbys)
{
	IndexScanDesc scan = RelationGetIndexScan(index, nkeys, norderbys);
	HnswScan   *so = palloc0(sizeof(HnswScan));

	so->context = AllocSetContextCreate(CurrentMemoryContext, "hnsw scan",
										ALLOCSET_DEFAULT_SIZES);
	so->phase = SCAN_DONE;
	so->orderby_type = FLOAT8OID;
	scan->opaque = so;
	if (norderbys > 0)
	{
		scan->xs_orderbyvals = palloc0(sizeof(Datum) * norderbys);
		scan->xs_orderbynulls = palloc(sizeof(bool) * norderbys);
		memset(scan->xs_orderbynulls, true, sizeof(bool) * norderbys);
	}
	return scan;
}

void
hnswrescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys,
		   int norderbys)
{
	HnswScan   *so = scan->opaque;
	MemoryContext context = so->context;

	if (norderbys > 0 && scan->numberOfOrderBys > 0 && orderbys != NULL)
		memmove(scan->orderByData, orderbys,
				scan->numberOfOrderBys * sizeof(ScanKeyData));
	if (nkeys > 0 && scan->numberOfKeys > 0 && keys != NULL)
		memmove(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));

	/* everything of the last key goes (H85) */
	end_search(so);
	MemoryContextReset(context);
	memset(so, 0, sizeof(HnswScan));
	so->context = context;
	so->orderby_type = FLOAT8OID;
	so->phase = SCAN_START;
}

/* The query of the scan, checked and prepared. */
static void
prepare_query(HnswScan *so, ScanKey key)
{
	const HnswSpace *space = &so->index->space;
	void	   *value = NULL;

	so->is_null = (key->sk_flags & SK_ISNULL) != 0;
	if (!so->is_null)
	{
		value = PG_DETOAST_DATUM_COPY(key->sk_argument);
		vector_metric_check_dims(space->metric, space->dim,
								 space->metric->dim(value));
	}
	hnsw_space_query(space, value, &so->query);
}

/* The caller wants all rows that are left, whatever the settings say. */
static void
change_to_sweep(HnswScan *so)
{
	so->set.mode = HNSW_ITERATIVE_AUTO;
	so->set.max_nodes = PG_INT64_MAX;
	so->phase = SCAN_SWEEP;
}

/* First call after a rescan: the settings as they are now, the query. */
static void
start(IndexScanDesc scan, HnswScan *so)
{
	MemoryContext old = MemoryContextSwitchTo(so->context);

	hnsw_scan_settings(scan->indexRelation, &so->set);
	so->gamma = so->set.mode == HNSW_ITERATIVE_AUTO ?
		GAMMA_AT_40 * pow(so->set.ef / 40.0, GAMMA_EXPONENT) : 0;
	so->last_bound = so->last_above = -get_float8_infinity();

	so->index = hnsw_index_open(scan->indexRelation);
	so->nnodes = hnsw_index_nnodes(so->index);
	so->graph = hnsw_diskgraph_open(so->index);
	prepare_query(so, &scan->orderByData[0]);
	so->max_hops = longest_walk(&so->index->space, &so->set, so->nnodes);
	so->near_stop = palloc(sizeof(float) *
						   Max(Min(so->set.ef, HNSW_MAX_EF_SEARCH), MAX_BATCH));

	if (so->sweep_wanted)
		change_to_sweep(so);
	else
		so->phase = SCAN_WALK;
	MemoryContextSwitchTo(old);
}

/* Fetch the next row; false at the end. */
static bool
advance(IndexScanDesc scan, HnswScan *so)
{
	MemoryContext old = MemoryContextSwitchTo(so->context);
	HnswRow		row;
	bool		found;

	HNSW_POINT("scan-between-batches");
	do
	{
		found = next_row(so, &row);
		if (found)
		{
			so->released++;
			so->is_settled = is_settled(so, &row);
			so->last_bound = Max(so->last_bound,
								 so->is_settled ? row.above : row.bound);
			so->last_above = Max(so->last_above, row.above);
			load_tids(so, &row);
		}
	} while (found && so->ntids == 0);
	MemoryContextSwitchTo(old);
	return found;
}

/* Tell the executor where this row stands in the order. */
static void
announce(IndexScanDesc scan, HnswScan *so)
{
	IndexOrderByDistance distance;

	distance.isnull = so->is_null;
	if (so->query.ordered)
		distance.value = so->bound;
	else
		distance.value = get_float8_nan();	/* zero vector under cosine */

	/* EXACT forms give the operator's own value; codes give a lower bound */
	index_store_float8_orderby_distances(scan, &so->orderby_type, &distance,
										 hnsw_space_coded(&so->index->space) &&
										 !so->is_settled);
}

/*
 * Does the table have the block of this heap TID?  A damaged page can name any
 * (H136), and core would fail on reading it.
 */
static bool
is_in_heap(IndexScanDesc scan, ItemPointer tid)
{
	return ItemPointerIsValid(tid) &&
		hnsw_store_exists(scan->heapRelation,
						  ItemPointerGetBlockNumberNoCheck(tid));
}

bool
hnswgettuple(IndexScanDesc scan, ScanDirection dir)
{
	HnswScan   *so = scan->opaque;

	Assert(ScanDirectionIsForward(dir));
	if (so->phase == SCAN_START)
	{
		if (scan->numberOfOrderBys != 1)
			elog(ERROR, "cannot scan %s index without order",
				 hnsw_index_am(scan->indexRelation));

		/* a heap TID may name another row by now: H40 */
		if (!IsMVCCSnapshot(scan->xs_snapshot))
			elog(ERROR, "non-MVCC snapshots are not supported with %s",
				 hnsw_index_am(scan->indexRelation));
		pgstat_count_index_scan(scan->indexRelation);
		compat_count_search(scan);
		start(scan, so);
		HNSW_POINT("scan-before-load");
	}
	do
	{
		if (so->next_tid >= so->ntids &&
			(so->phase == SCAN_DONE || !advance(scan, so)))
			return false;
		scan->xs_heaptid = so->tids[so->next_tid++];
	} while (!is_in_heap(scan, &scan->xs_heaptid));

	scan->xs_recheck = false;
	announce(scan, so);
	return true;
}

/* ---- for callers that know more ---- */

/* Leave out of a heap the rows that do not count any more. */
static void
restrict_rows(HnswScan *so, HnswRowHeap *heap)
{
	HnswRowHeap before = *heap;

	heap->n = 0;
	for (int64 i = 0; i < before.n; i++)
	{
		HnswRow		row = before.row[i];

		if (hnsw_row_restrict(&row, &so->members))
			hnsw_rows_push(heap, &row);
	}
}

void
hnsw_scan_walk_on(IndexScanDesc scan)
{
	HnswScan   *so = scan->opaque;

	so->max_hops = get_float8_infinity();
}

void
hnsw_scan_restrict(IndexScanDesc scan, const HnswMembers *members)
{
	HnswScan   *so = scan->opaque;

	so->members = *members;

	/* where no member is near, a walk would not come back before the end */
	if (so->phase == SCAN_WALK)
		so->max_hops = hnsw_search_hops(so->search) +
			sweep_price(&so->index->space, so->nnodes);
	restrict_rows(so, &so->ready);
	restrict_rows(so, &so->late);
	if (so->sweep != NULL)
		hnsw_sweep_restrict(so->sweep);
}

void
hnsw_scan_sweep(IndexScanDesc scan)
{
	HnswScan   *so = scan->opaque;

	so->sweep_wanted = true;
	if (so->phase == SCAN_WALK)
		change_to_sweep(so);
}

void
hnsw_scan_spent(IndexScanDesc scan, HnswScanSpent *out)
{
	HnswScan   *so = scan->opaque;

	out->hops = so->search != NULL ? hnsw_search_hops(so->search) : so->hops;
	out->sweep = so->sweep != NULL ? hnsw_sweep_cost(so->sweep) : 0;
	out->left_out = so->left_out;
	out->swept = so->sweep != NULL || so->phase == SCAN_SWEEP;
}

double
hnsw_sweep_price(Relation index, double nodes)
{
	HnswFault	fault;
	HnswIndex  *opened = hnsw_index_examine(index, &fault);

	return sweep_price(opened != NULL ? &opened->space : NULL, nodes);
}

double
hnsw_longest_walk(Relation index, const HnswScanSettings *set, double nodes)
{
	HnswFault	fault;
	HnswIndex  *opened = hnsw_index_examine(index, &fault);

	return longest_walk(opened != NULL ? &opened->space : NULL, set, nodes);
}

void
hnswendscan(IndexScanDesc scan)
{
	HnswScan   *so = scan->opaque;

	end_search(so);
	MemoryContextDelete(so->context);
	pfree(so);
	scan->opaque = NULL;
}
