/*-------------------------------------------------------------------------
 *
 * duplicates.c
 *	  vector_duplicates: pairs of rows nearer than a threshold.
 *
 * Rows with equal vectors share a node, and near ones are neighbours, so the
 * pairs are found by going over all nodes once.  A neighbour's own code gives a
 * bound below which no distance lies; only those that it cannot rule out are
 * compared by their vectors from the table.  Two nodes can have equal vectors
 * nevertheless, when the search of an insert missed the first: a table of the
 * vectors' hashes brings these together, whether they are linked or not.
 *
 * IDENTIFICATION
 *	  src/func/duplicates.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "compat.h"
#include "func/indexread.h"
#include "miscadmin.h"
#include "type/sqlfunction.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* a visible row of a node */
typedef struct DuplicateRow
{
	ItemPointerData tid;
	const void *value;			/* detoasted; equal ones share it */
} DuplicateRow;

typedef struct DuplicateRows
{
	DuplicateRow *row;
	int			n;
} DuplicateRows;

/* key of a pair; tids in order */
typedef struct DuplicatePair
{
	ItemPointerData a;
	ItemPointerData b;
} DuplicatePair;

/* one of the nodes whose rows have a vector of this hash */
typedef struct DuplicateTwin
{
	struct
	{
		uint64		hash;
		uint64		number;		/* from 0, in the order of their nodes */
	}			key;
	HnswNode	node;
} DuplicateTwin;

typedef struct DuplicateSearch
{
	/* set once */
	IndexReader reader;
	double		threshold;
	int64		max_pairs;		/* 0: no limit */
	Tuplestorestate *result;
	TupleDesc	desc;

	/* moves with each pair */
	int64		npairs;
	HTAB	   *seen;			/* pairs of two nodes, which both may name */
	HTAB	   *twins;			/* DuplicateTwin of the nodes so far */
} DuplicateSearch;

static bool
is_done(const DuplicateSearch *search)
{
	return search->max_pairs > 0 && search->npairs >= search->max_pairs;
}

/*
 * load_rows -- the visible rows of the node that was read last.
 *
 * Memory: in the current context.
 */
static DuplicateRows
load_rows(DuplicateSearch *search, HnswNode node)
{
	IndexReader *reader = &search->reader;
	DuplicateRows rows = {NULL, 0};
	const void *last = NULL;

	index_reader_tids(reader, node);
	if (reader->ntids == 0)
		return rows;
	rows.row = MemoryContextAllocHuge(CurrentMemoryContext,
									  sizeof(DuplicateRow) *
									  (Size) reader->ntids);
	for (int i = 0; i < reader->ntids; i++)
	{
		ItemPointerData tid = reader->tids[i];
		const void *value;

		CHECK_FOR_INTERRUPTS();
		if (!index_reader_fetch(reader, &tid))
			continue;
		value = index_reader_value(reader);
		if (value == NULL)
			continue;
		if (last == NULL || VARSIZE(last) != VARSIZE(value) ||
			memcmp(last, value, VARSIZE(value)) != 0)
		{
			void	   *copy = palloc(VARSIZE(value));

			memcpy(copy, value, VARSIZE(value));
			last = copy;
		}
		rows.row[rows.n].tid = tid;
		rows.row[rows.n].value = last;
		rows.n++;
	}
	return rows;
}

/* Was this pair put before?  From now on it was. */
static bool
pair_seen(DuplicateSearch *search, const DuplicatePair *pair)
{
	bool		found;

	(void) hash_search(search->seen, pair, HASH_ENTER, &found);
	return found;
}

/* crosses: the rows are of two nodes, so that the pair may come again. */
static void
consider_pair(DuplicateSearch *search, DuplicateRow *x, DuplicateRow *y,
			  bool crosses)
{
	const VectorMetric *metric = search->reader.opened->space.metric;
	int			order = ItemPointerCompare(&x->tid, &y->tid);
	double		distance = metric->distance(x->value, y->value);
	DuplicatePair pair;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (order == 0 || !(distance < search->threshold))
		return;
	pair.a = order < 0 ? x->tid : y->tid;
	pair.b = order < 0 ? y->tid : x->tid;
	if (crosses && pair_seen(search, &pair))
		return;

	values[0] = PointerGetDatum(&pair.a);
	values[1] = PointerGetDatum(&pair.b);
	values[2] = Float8GetDatum(distance);
	tuplestore_putvalues(search->result, search->desc, values, nulls);
	search->npairs++;
}

static void
pairs_within(DuplicateSearch *search, DuplicateRows *rows)
{
	for (int i = 0; i < rows->n; i++)
	{
		for (int j = i + 1; j < rows->n && !is_done(search); j++)
		{
			CHECK_FOR_INTERRUPTS();
			consider_pair(search, &rows->row[i], &rows->row[j], false);
		}
	}
}

static void
pairs_between(DuplicateSearch *search, DuplicateRows *a, DuplicateRows *b)
{
	for (int i = 0; i < a->n; i++)
	{
		for (int j = 0; j < b->n && !is_done(search); j++)
		{
			CHECK_FOR_INTERRUPTS();
			consider_pair(search, &a->row[i], &b->row[j], true);
		}
	}
}

/*
 * mark_near -- which of n nodes may have a row nearer than the threshold to
 * one of 'rows'?
 */
static void
mark_near(DuplicateSearch *search, const DuplicateRows *rows,
		  const HnswNode *node, int n, bool *is_near)
{
	IndexReader *reader = &search->reader;
	const void *last = NULL;
	HnswQuery	query;
	HnswExpansion exp;

	memset(is_near, 0, sizeof(bool) * n);
	exp.own_copy = NULL;
	for (int i = 0; i < rows->n; i++)
	{
		if (rows->row[i].value == last)
			continue;
		last = rows->row[i].value;
		hnsw_space_query(&reader->opened->space, last, &query);
		for (int e = 0; e < n; e++)
		{
			CHECK_FOR_INTERRUPTS();
			if (is_near[e])
				continue;
			if (!query.ordered)
			{
				/* as far from everything: no bound, for want of a code */
				is_near[e] = true;
				continue;
			}
			hnsw_diskgraph_measure(reader->graph, &query, node[e], &exp);
			is_near[e] = exp.state == HNSW_LIVE &&
				!(exp.own.bound >= search->threshold);
		}
	}
}

/* The pairs of these rows and those of another node. */
static void
pairs_with_node(DuplicateSearch *search, DuplicateRows *rows, HnswNode node)
{
	DuplicateRows others;

	if (is_done(search) || !index_reader_node(&search->reader, node))
		return;
	others = load_rows(search, node);
	pairs_between(search, rows, &others);
}

/* Note that a node has a vector; the pairs with earlier nodes that have it. */
static void
pairs_with_twins(DuplicateSearch *search, DuplicateRows *rows, HnswNode node,
				 const void *value)
{
	DuplicateTwin key;

	key.key.hash = hash_bytes_extended(value, VARSIZE(value), 0);
	for (key.key.number = 0;; key.key.number++)
	{
		bool		found;
		DuplicateTwin *twin = hash_search(search->twins, &key.key, HASH_ENTER,
										  &found);

		if (!found)
			twin->node = node;
		if (twin->node == node)
			return;
		pairs_with_node(search, rows, twin->node);
	}
}

/* The pairs that one node knows of: its rows, and those of its neighbours. */
static void
search_node(DuplicateSearch *search, HnswNode node)
{
	IndexReader *reader = &search->reader;
	const HnswLayout *layout = &reader->opened->space.layout;
	HnswNode	neighbor[HNSW_MAX_EDGES];
	bool		is_near[HNSW_MAX_EDGES];
	DuplicateRows rows;
	int			n;

	if (!index_reader_node(reader, node))
		return;
	n = reader->slot->nedges;
	for (int i = 0; i < n; i++)
		neighbor[i] = hnsw_slot_edge(reader->slot, layout, i)->node;

	rows = load_rows(search, node);
	if (rows.n == 0)
		return;
	pairs_within(search, &rows);
	mark_near(search, &rows, neighbor, n, is_near);
	for (int i = 0; i < n; i++)
	{
		if (is_near[i])
			pairs_with_node(search, &rows, neighbor[i]);
	}
	for (int i = 0; i < rows.n && !is_done(search); i++)
	{
		if (i == 0 || rows.row[i].value != rows.row[i - 1].value)
			pairs_with_twins(search, &rows, node, rows.row[i].value);
	}
}

static HTAB *
make_table(const char *name, Size keysize, Size entrysize)
{
	HASHCTL		ctl;

	ctl.keysize = keysize;
	ctl.entrysize = entrysize;
	ctl.hcxt = CurrentMemoryContext;
	return hash_create(name, 1024, &ctl,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

SQL_FUNCTION(vector_duplicates);
Datum
vector_duplicates(PG_FUNCTION_ARGS)
{
	DuplicateSearch search;
	IndexReader *reader = &search.reader;
	MemoryContext context;
	MemoryContext old;

	search.threshold = PG_GETARG_FLOAT8(1);
	search.max_pairs = PG_GETARG_INT64(2);
	if (search.max_pairs < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_pairs must not be negative")));
	search.result = set_result_begin(fcinfo, &search.desc);
	search.npairs = 0;
	search.seen = make_table("pairs of vector_duplicates",
							 sizeof(DuplicatePair), sizeof(DuplicatePair));
	search.twins = make_table("vectors of vector_duplicates", 2 * sizeof(uint64),
							  sizeof(DuplicateTwin));

	index_reader_open(reader, PG_GETARG_OID(0));
	index_reader_check_tids(reader);
	index_reader_begin(reader);
	context = AllocSetContextCreate(CurrentMemoryContext, "vector_duplicates",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	for (uint64 node = 0;
		 node < hnsw_index_nnodes(reader->opened) && !is_done(&search); node++)
	{
		search_node(&search, node);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);

	MemoryContextDelete(context);
	index_reader_end(reader);
	index_reader_close(reader);
	return (Datum) 0;
}
