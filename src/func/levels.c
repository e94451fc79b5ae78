/*-------------------------------------------------------------------------
 *
 * levels.c
 *	  hnsw_levels, hnsw_neighbors: the graph of an index as its rows.
 *
 * Our graph has two levels (src/hnsw/README, section 1): all nodes are on
 * level 0; level 1 is the sample of them where searches start, whose nodes
 * are scored by their codes, so no edges lead from one to another.
 *
 * IDENTIFICATION
 *	  src/func/levels.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "func/indexread.h"
#include "miscadmin.h"
#include "type/sqlfunction.h"

/* ---- hnsw_levels ---- */

static void
put_level(Tuplestorestate *rows, TupleDesc desc, int level, int64 elements,
		  int64 edges)
{
	Datum		values[3];
	bool		nulls[3] = {false, false, elements == 0};

	values[0] = Int32GetDatum(level);
	values[1] = Int64GetDatum(elements);
	values[2] = Float8GetDatum(elements > 0 ? (double) edges / elements : 0);
	tuplestore_putvalues(rows, desc, values, nulls);
}

/* The entry records in use. */
static int64
count_entries(HnswIndex *index)
{
	const HnswLayout *layout = &index->space.layout;
	uint32		nentries = index->meta->nentries;
	uint32		per_page = layout->entries_per_page;
	PGAlignedBlock page;
	int64		n = 0;

	for (uint32 first = 0; first < nentries; first += per_page)
	{
		BlockNumber block = hnsw_index_block(index, HNSW_PAGE_ENTRY,
											 first / per_page);

		CHECK_FOR_INTERRUPTS();
		if (block == InvalidBlockNumber ||
			!hnsw_store_copy(index->rel, block, HNSW_PAGE_ENTRY, page.data,
							 NULL))
			continue;
		for (uint32 i = 0; i < Min(per_page, nentries - first); i++)
			n += hnsw_page_entry(page.data, layout, i)->node !=
				HNSW_INVALID_NODE;
	}
	return n;
}

SQL_FUNCTION(hnsw_levels);
Datum
hnsw_levels(PG_FUNCTION_ARGS)
{
	IndexReader reader;
	TupleDesc	desc;
	Tuplestorestate *rows = set_result_begin(fcinfo, &desc);
	int64		elements = 0;
	int64		edges = 0;

	index_reader_open(&reader, PG_GETARG_OID(0));
	index_reader_begin(&reader);
	for (uint64 node = 0; node < hnsw_index_nnodes(reader.opened); node++)
	{
		if (!index_reader_node(&reader, node))
			continue;
		elements++;
		edges += reader.slot->nedges;
	}
	put_level(rows, desc, 0, elements, edges);
	put_level(rows, desc, 1, count_entries(reader.opened), 0);

	index_reader_end(&reader);
	index_reader_close(&reader);
	return (Datum) 0;
}

/* ---- hnsw_neighbors ---- */

/*
 * has_row -- does the node that was read last stand for this row version?
 *
 * The index knows the first version of a chain of updates, which lies in the
 * same block.
 */
static bool
has_row(IndexReader *reader, HnswNode node, ItemPointer row)
{
	index_reader_tids(reader, node);
	for (int i = 0; i < reader->ntids; i++)
	{
		ItemPointer tid = &reader->tids[i];

		if (ItemPointerGetBlockNumberNoCheck(tid) ==
			ItemPointerGetBlockNumberNoCheck(row) &&
			index_reader_fetch(reader, tid) && ItemPointerEquals(tid, row))
			return true;
	}
	return false;
}

static bool
find_node(IndexReader *reader, ItemPointer row)
{
	for (uint64 node = 0; node < hnsw_index_nnodes(reader->opened); node++)
	{
		if (index_reader_node(reader, node) && has_row(reader, node, row))
			return true;
	}
	return false;
}

/* The neighbours of the node that was read last, nearest first. */
static int
sorted_neighbors(IndexReader *reader, HnswNode *neighbor)
{
	const HnswSpace *space = &reader->opened->space;
	const HnswLayout *layout = &space->layout;
	HnswSlot   *slot = reader->slot;
	int			n = slot->nedges;
	float		length[HNSW_MAX_EDGES];

	if (n == 0)
		return 0;
	hnsw_space_edge_lengths(space, hnsw_slot_edge(slot, layout, 0)->code,
							layout->edge_bytes, n, length);
	for (int i = 0; i < n; i++)
	{
		HnswNode	node = hnsw_slot_edge(slot, layout, i)->node;
		float		this = length[i];
		int			j;

		for (j = i; j > 0 && length[j - 1] > this; j--)
		{
			length[j] = length[j - 1];
			neighbor[j] = neighbor[j - 1];
		}
		length[j] = this;
		neighbor[j] = node;
	}
	return n;
}

static void
put_rows(IndexReader *reader, HnswNode node, Tuplestorestate *rows,
		 TupleDesc desc)
{
	if (!index_reader_node(reader, node))
		return;
	index_reader_tids(reader, node);
	for (int i = 0; i < reader->ntids; i++)
	{
		Datum		value = PointerGetDatum(&reader->tids[i]);
		bool		isnull = false;

		if (index_reader_fetch(reader, &reader->tids[i]))
			tuplestore_putvalues(rows, desc, &value, &isnull);
	}
}

SQL_FUNCTION(hnsw_neighbors);
Datum
hnsw_neighbors(PG_FUNCTION_ARGS)
{
	ItemPointer row = (ItemPointer) PG_GETARG_POINTER(1);
	int			level = PG_GETARG_INT32(2);
	IndexReader reader;
	TupleDesc	desc;
	Tuplestorestate *rows = set_result_begin(fcinfo, &desc);
	HnswNode	neighbor[HNSW_MAX_EDGES];
	int			n = 0;

	if (level < 0 || level > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level must be 0 or 1, not %d", level)));

	index_reader_open(&reader, PG_GETARG_OID(0));
	index_reader_check_tids(&reader);
	index_reader_begin(&reader);
	if (level == 0 && find_node(&reader, row))
		n = sorted_neighbors(&reader, neighbor);
	for (int i = 0; i < n; i++)
		put_rows(&reader, neighbor[i], rows, desc);

	index_reader_end(&reader);
	index_reader_close(&reader);
	return (Datum) 0;
}
