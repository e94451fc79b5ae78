/*-------------------------------------------------------------------------
 *
 * hnswsweep.c
 *	  All rows that a scan has not returned yet, by distance: no walk.
 *
 * A look at a node costs a few nanoseconds on the flat pages, where its 1-bit
 * code and its first heap TID lie densely.  So a pass over them estimates the
 * distance of every node that the walk has not read, or of those with rows in a
 * set; and in the order of the estimates, less their likely error, the nodes'
 * own forms are read for true distances and bounds.  An index without codes
 * reads the own forms at once.
 *
 * A candidate is eight bytes.  If they are more than fit into memory, a pass
 * keeps the nearest, and the next one begins behind them.  Every node gets its
 * turn, whatever its estimate, so nothing is left out: not what the graph does
 * not reach, nor the nodes of a flat page that cannot be read.
 *
 * The pages are read one by one under a share lock, without S: a node that
 * changes its slot meanwhile is measured afresh when its turn comes, and the
 * rows of one inserted later are invisible to the scan's snapshot.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswsweep.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnswsweep.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

/*
 * A node that has not been read, and where it stands: in the upper half its
 * estimate less the likely error, as an integer of the same order, in the
 * lower half its number.  So no two are equal, and the complements of a set
 * are in the opposite order.
 */
typedef uint64 Candidate;

struct HnswSweep
{
	HnswDiskGraph *graph;
	const HnswQuery *query;
	const HnswMembers *members;
	uint8	   *done;			/* nodes that the walk or the sweep has read */
	uint64		nnodes;
	int64		max_nodes;
	int64		nfound;			/* nodes that count against it */
	int64		nread;			/* own forms */
	int64		npasses;

	Candidate  *heap;			/* of this pass; the nearest first */
	int64		nheap;
	int64		maxheap;
	int64		room;			/* that many at most */
	Candidate	last;			/* passes so far have come up to here */
	bool		is_last;		/* nothing lies behind it */
	bool		has_waiting;	/* candidates that have been read */

	double		errors;			/* sum of the likely errors of candidates met */
	int64		nerrors;

	HnswRowHeap rows;			/* read; least bound first */
	int64		max_rows;
	int64		nleft;			/* rows that have left */
};

/*
 * How many standard errors an estimate may be off.  The error of a 1-bit code
 * is about .3 |scale| |q - mean| (quant_edge.h); two of them leave 2 % of the
 * nodes to be met a little late, two and a half .5 %.  That costs little where
 * rows of a set are wanted, and whoever asks for thousands of rows gets three
 * (README, "Things tried").
 */
#define ERRORS_ALLOWED		2.0f
#define MEMBER_ERRORS_ALLOWED	2.5f
#define MORE_ERRORS_ALLOWED	1.0f
#define ROWS_FOR_MORE		2000.0f
#define CODE_ERROR			0.3f

/* candidates read at a time, whose pages are asked for first */
#define READ_AHEAD			8

/* records of a flat page: at most that many of the smallest size */
#define MAX_FLATS_PER_PAGE	(HNSW_PAGE_BYTES / sizeof(HnswFlat))

/* least numbers of candidates and rows to have room for */
#define MIN_ROOM			1024

/* nodes of an index without codes between two looks at the memory */
#define NODES_AT_A_TIME		100

/* ---- candidates ---- */

static Candidate
candidate(float key, HnswNode node)
{
	uint32		bits;

	/* what is no number must not wait for its turn */
	if (isnan(key))
		key = -INFINITY;
	memcpy(&bits, &key, sizeof(bits));
	bits ^= (bits >> 31) != 0 ? 0xFFFFFFFF : 0x80000000;
	return (uint64) bits << 32 | node;
}

static float
candidate_key(Candidate c)
{
	uint32		bits = c >> 32;
	float		key;

	bits ^= (bits >> 31) != 0 ? 0x80000000 : 0xFFFFFFFF;
	memcpy(&key, &bits, sizeof(key));
	return key;
}

static void
sift_down(Candidate *heap, int64 n, int64 i)
{
	Candidate	item = heap[i];

	for (;;)
	{
		int64		child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && heap[child + 1] < heap[child])
			child++;
		if (item <= heap[child])
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = item;
}

/* Add to a heap that has room. */
static void
sift_up(Candidate *heap, int64 n, Candidate item)
{
	int64		i = n;

	for (; i > 0 && heap[(i - 1) / 2] > item; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = item;
}

static void
make_heap(Candidate *heap, int64 n)
{
	for (int64 i = n / 2; i-- > 0;)
		sift_down(heap, n, i);
}

/* The same candidates, in the opposite order. */
static void
turn_heap(HnswSweep *sweep)
{
	for (int64 i = 0; i < sweep->nheap; i++)
		sweep->heap[i] = ~sweep->heap[i];
	make_heap(sweep->heap, sweep->nheap);
}

/*
 * Add a candidate to those of a pass.  When there is no more room, the
 * farthest goes; from then on the heap is turned, so that this one is its top.
 */
static void
add_candidate(HnswSweep *sweep, float key, HnswNode node)
{
	Candidate	c = candidate(key, node);

	if (sweep->nheap < sweep->room)
	{
		if (sweep->nheap == sweep->maxheap)
		{
			sweep->maxheap = Min(Max(sweep->maxheap * 2, MIN_ROOM),
								 sweep->room);
			sweep->heap = sweep->heap == NULL ?
				palloc(sizeof(Candidate) * sweep->maxheap) :
				repalloc_huge(sweep->heap,
							  sizeof(Candidate) * sweep->maxheap);
		}
		sweep->heap[sweep->nheap++] = c;
		return;
	}
	if (sweep->is_last)
	{
		sweep->is_last = false;
		turn_heap(sweep);
	}
	if (~c > sweep->heap[0])
	{
		sweep->heap[0] = ~c;
		sift_down(sweep->heap, sweep->nheap, 0);
	}
}

/* ---- a pass ---- */

static bool
is_done(const HnswSweep *sweep, HnswNode node)
{
	return (sweep->done[node / 8] >> (node % 8)) & 1;
}

/* This node's row is known: it is no candidate of a later pass. */
static void
mark_done(HnswSweep *sweep, HnswNode node)
{
	if (!is_done(sweep, node))
		sweep->nfound++;
	sweep->done[node / 8] |= 1 << (node % 8);
}

static bool
is_wanted(const HnswSweep *sweep, HnswNode node, HnswFlat *flat)
{
	const HnswMembers *members = sweep->members;

	return flat->state == HNSW_LIVE && !is_done(sweep, node) &&
		(members->has == NULL || flat->more ||
		 members->has(members->arg, &flat->tid));
}

/* what one flat page says of its nodes */
typedef struct FlatPage
{
	HnswNode	first;
	int			n;
	bool		wanted[MAX_FLATS_PER_PAGE];
	float		est[MAX_FLATS_PER_PAGE];
	float		var[MAX_FLATS_PER_PAGE];
} FlatPage;

/* Estimate the wanted records, run by run. */
static void
estimate_wanted(HnswSweep *sweep, Page page, FlatPage *flats)
{
	const HnswSpace *space = sweep->graph->graph.space;
	const HnswLayout *layout = &space->layout;
	int			from = 0;

	for (int i = 0; i <= flats->n; i++)
	{
		if (i < flats->n && flats->wanted[i])
			continue;
		if (i > from)
			hnsw_space_estimate_flat(space, sweep->query,
									 hnsw_page_flat(page, layout,
													flats->first + from)->code,
									 layout->flat_bytes, i - from,
									 flats->est + from, flats->var + from);
		from = i + 1;
	}
}

/*
 * Read a flat page, under its lock; the membership test may run there (L1).  Of
 * a page that cannot be read everything is wanted, and at once.
 */
static void
read_flat_page(HnswSweep *sweep, FlatPage *flats)
{
	HnswIndex  *index = sweep->graph->index;
	const HnswLayout *layout = &index->space.layout;
	BlockNumber block = hnsw_index_flat_block(index, flats->first);
	HnswPageRef ref;
	char	   *flat;

	if (block == InvalidBlockNumber ||
		!hnsw_store_open(index->rel, block, HNSW_PAGE_FLAT, &ref))
	{
		for (int i = 0; i < flats->n; i++)
		{
			flats->wanted[i] = !is_done(sweep, flats->first + i);
			flats->est[i] = -INFINITY;
			flats->var[i] = 0;
		}
		return;
	}
	flat = (char *) hnsw_page_flat(ref.page, layout, flats->first);
	for (int i = 0; i < flats->n; i++)
	{
		flats->wanted[i] = is_wanted(sweep, flats->first + i,
									 (HnswFlat *) flat);
		flat += layout->flat_bytes;
	}
	estimate_wanted(sweep, ref.page, flats);
	hnsw_store_close(&ref);
}

static void
pass_flat_page(HnswSweep *sweep, HnswNode first, int n)
{
	float		allowed = sweep->members->has == NULL ?
		ERRORS_ALLOWED : MEMBER_ERRORS_ALLOWED;
	FlatPage	flats;

	flats.first = first;
	flats.n = n;
	read_flat_page(sweep, &flats);
	for (int i = 0; i < n; i++)
	{
		float		error;

		if (!flats.wanted[i])
			continue;
		error = CODE_ERROR * sqrtf(flats.var[i]);
		if (isfinite(error))
		{
			sweep->errors += error;
			sweep->nerrors++;
		}
		add_candidate(sweep, flats.est[i] - allowed * error, first + i);
	}
}

/* Read the own form of a node; false if it has no row that counts. */
static bool
read_row(HnswSweep *sweep, HnswNode node, HnswRow *row)
{
	HnswExpansion exp;

	exp.own_copy = NULL;
	hnsw_diskgraph_measure(sweep->graph, sweep->query, node, &exp);
	sweep->nread++;
	return exp.state == HNSW_LIVE &&
		hnsw_row_init(row, node, &exp, sweep->members);
}

/* The same without codes: the nodes themselves, kept as long as rows may be. */
static void
pass_nodes(HnswSweep *sweep, HnswNode first, int n)
{
	for (HnswNode node = first; node < first + n; node++)
	{
		HnswRow		row;

		if (is_done(sweep, node) || sweep->nfound >= sweep->max_nodes ||
			!read_row(sweep, node, &row))
			continue;
		if (sweep->npasses == 1 && sweep->rows.n < sweep->max_rows)
		{
			mark_done(sweep, node);
			hnsw_rows_push(&sweep->rows, &row);
		}
		else
			add_candidate(sweep, row.dist, node);
	}
}

/* Look at all nodes and keep the nearest that lie behind the last pass. */
static void
make_pass(HnswSweep *sweep)
{
	const HnswSpace *space = sweep->graph->graph.space;
	bool		coded = hnsw_space_coded(space);
	int			step = coded ? space->layout.flats_per_page : NODES_AT_A_TIME;

	sweep->npasses++;
	sweep->is_last = true;
	for (uint64 first = 0; first < sweep->nnodes; first += step)
	{
		int			n = Min(step, sweep->nnodes - first);

		CHECK_FOR_INTERRUPTS();
		if (coded)
			pass_flat_page(sweep, first, n);
		else
			pass_nodes(sweep, first, n);
	}
	if (sweep->is_last)
		make_heap(sweep->heap, sweep->nheap);
	else
	{
		sweep->last = ~sweep->heap[0];
		turn_heap(sweep);
	}
}

/* ---- rows ---- */

/*
 * Where there is no more room for rows, one waits as a candidate again, by its
 * true distance; but not twice.
 */
static void
read_candidate(HnswSweep *sweep, Candidate c)
{
	HnswNode	node = (HnswNode) c;
	bool		again = is_done(sweep, node);
	HnswRow		row;

	mark_done(sweep, node);
	if (!read_row(sweep, node, &row))
		return;
	if (again || sweep->rows.n < sweep->max_rows)
		hnsw_rows_push(&sweep->rows, &row);
	else
	{
		sift_up(sweep->heap, sweep->nheap++, candidate(row.dist, node));
		sweep->has_waiting = true;
	}
}

/* As many nodes have been read as may be: what is known of them is the rest. */
static void
drop_unread(HnswSweep *sweep)
{
	int64		n = 0;

	for (int64 i = 0; i < sweep->nheap; i++)
	{
		if (is_done(sweep, (HnswNode) sweep->heap[i]))
			sweep->heap[n++] = sweep->heap[i];
	}
	sweep->nheap = n;
	make_heap(sweep->heap, n);
	sweep->is_last = true;
	sweep->max_nodes = PG_INT64_MAX;
}

/* Read the most promising candidates. */
static void
read_nearest(HnswSweep *sweep)
{
	HnswGraph  *graph = &sweep->graph->graph;
	Candidate	nearest[READ_AHEAD];
	int			n = 0;

	CHECK_FOR_INTERRUPTS();
	while (n < READ_AHEAD && sweep->nheap > 0)
	{
		nearest[n] = sweep->heap[0];
		graph->ops->expect(graph, (HnswNode) nearest[n]);
		n++;
		sweep->heap[0] = sweep->heap[--sweep->nheap];
		if (sweep->nheap > 0)
			sift_down(sweep->heap, sweep->nheap, 0);
	}
	for (int i = 0; i < n; i++)
	{
		if (sweep->nfound < sweep->max_nodes ||
			is_done(sweep, (HnswNode) nearest[i]))
			read_candidate(sweep, nearest[i]);
	}
	if (sweep->nfound >= sweep->max_nodes)
		drop_unread(sweep);
}

/* No node that has not been read is likely to be nearer than this. */
static float
unread_from(const HnswSweep *sweep)
{
	float		key = -INFINITY;

	if (sweep->nheap > 0)
		key = candidate_key(sweep->heap[0]);
	else if (sweep->is_last)
		return INFINITY;
	else if (sweep->npasses > 0)
		key = candidate_key(sweep->last);
	return key - MORE_ERRORS_ALLOWED *
		(sweep->errors / Max(sweep->nerrors, 1)) *
		Min(sweep->nleft / ROWS_FOR_MORE, 1);
}

HnswSweep *
hnsw_sweep_begin(HnswDiskGraph *graph, const HnswQuery *query,
				 const HnswMembers *members, uint8 *done, uint64 nnodes,
				 int64 max_nodes, Size max_memory,
				 HnswRowHeap *rows)
{
	HnswSweep  *sweep = palloc0(sizeof(HnswSweep));

	sweep->graph = graph;
	sweep->query = query;
	sweep->members = members;
	sweep->done = done;
	sweep->nnodes = nnodes;
	sweep->max_nodes = max_nodes;
	sweep->is_last = max_nodes <= 0;
	sweep->room = Max(max_memory / 2 / sizeof(Candidate), MIN_ROOM);
	sweep->max_rows = Max(max_memory / 2 / sizeof(HnswRow), MIN_ROOM);
	sweep->rows = *rows;
	memset(rows, 0, sizeof(HnswRowHeap));
	return sweep;
}

bool
hnsw_sweep_next(HnswSweep *sweep, HnswRow *row)
{
	while ((sweep->nheap > 0 || !sweep->is_last) &&
		   (sweep->rows.n == 0 ||
			sweep->rows.row[0].dist > unread_from(sweep)))
	{
		if (sweep->nheap > 0)
			read_nearest(sweep);
		else
			make_pass(sweep);
	}
	if (sweep->rows.n == 0)
		return false;
	hnsw_rows_pop(&sweep->rows, row);
	sweep->nleft++;
	return true;
}

double
hnsw_sweep_certain(const HnswSweep *sweep)
{
	if (sweep->nheap > 0 || !sweep->is_last || sweep->rows.n == 0)
		return -get_float8_infinity();
	return sweep->rows.row[0].bound;
}

void
hnsw_sweep_restrict(HnswSweep *sweep)
{
	/* what waits by its true distance would not be met again */
	if (sweep->nheap == 0 || sweep->has_waiting ||
		!hnsw_space_coded(sweep->graph->graph.space))
		return;
	sweep->last = sweep->heap[0] - 1;
	sweep->nheap = 0;
	sweep->is_last = false;
}

double
hnsw_sweep_cost(const HnswSweep *sweep)
{
	double		cost = HNSW_HOPS_PER_OWN_FORM * sweep->nread;

	if (hnsw_space_coded(sweep->graph->graph.space))
		cost += HNSW_HOPS_PER_FLAT_RECORD * sweep->npasses * sweep->nnodes;
	return cost;
}
