/*-------------------------------------------------------------------------
 *
 * hnswpagecells.c
 *	  Candidates among the nodes on pages, for the nodes in memory.
 *
 * The cells are those of the nodes in memory (hnswcells.c).  The nodes on pages
 * are taken in chunks, so that the memory needed does not depend on how many there
 * are.  A chunk has every so-manieth node, so it is a sample of them all, whatever
 * order they came in.  Its nodes are put into the cells of their nearest centres;
 * then, cell by cell, those in memory that look into the cell are measured against
 * them.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswpagecells.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnswcellset.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

/*
 * Nodes of a chunk: half as many as there are in memory, whose 18 bytes each
 * are in HNSW_PAGE_CELL_BYTES, but not so few that cells are empty, and no more
 * than a large panel is worth.
 */
#define MIN_CHUNK			4096
#define MAX_CHUNK			65536

/*
 * Where nodes in memory are of another kind than those on pages, as in a table
 * that is sorted, a cell at the edge can be the nearest to very many nodes, all of
 * them far away.  Of a chunk it keeps its nearest, so many times its fair part.
 */
#define MAX_SHARE			4
#define MIN_KEPT			64

#define NO_CELL				PG_UINT16_MAX

/* The nodes of the chunk at hand in a cell. */
typedef struct PageCell
{
	pg_atomic_uint32 n;
	pg_atomic_uint32 done;		/* in their places */
	uint32		start;			/* in 'placed' */
} PageCell;

/* One participant. */
typedef struct PageVisit
{
	HnswCells  *cells;
	HnswPageCellsShared *shared;
	HnswDiskGraph *pages;
	int			level;			/* of which nodes are looked at */
	uint32		chunk;			/* its number, and that of its first node */
	uint32		nchunks;		/* and so the way from one node to the next */
	uint32		n;				/* nodes in the chunk */

	/* addresses in this process */
	PageCell   *cell;
	uint16	   *nearest;		/* cell of each node, or NO_CELL */
	float	   *dist;			/* to its centre */
	uint64	   *placed;			/* by cell, with that distance */

	uint8	   *own;			/* KERNEL_ROWS own forms */
} PageVisit;

static uint32
chunk_size(const HnswCells *cells)
{
	return Min(Max(cells->shared->nmembers / 2, MIN_CHUNK), MAX_CHUNK);
}

/* The i-th node of the chunk. */
static inline HnswNode
node_of_chunk(const PageVisit *visit, uint32 i)
{
	return (uint64) i * visit->nchunks + visit->chunk;
}

static void
take_memory(HnswCells *cells)
{
	HnswPageCellsShared *shared = &cells->shared->pages;
	uint32		n = chunk_size(cells);

	hnsw_memgraph_take(cells->mem, &shared->cell, cells->shared->ncells,
					sizeof(PageCell));
	hnsw_memgraph_take(cells->mem, &shared->nearest, n, sizeof(uint16));
	hnsw_memgraph_take(cells->mem, &shared->dist, n, sizeof(float));
	hnsw_memgraph_take(cells->mem, &shared->placed, n, sizeof(uint64));
}

static void
give_memory_back(HnswCells *cells)
{
	HnswPageCellsShared *shared = &cells->shared->pages;
	HnswMemSource *source = cells->mem->source;

	source->give_back(source, shared->cell);
	source->give_back(source, shared->nearest);
	source->give_back(source, shared->dist);
	source->give_back(source, shared->placed);
}

static void
look_up_addresses(PageVisit *visit)
{
	HnswPageCellsShared *shared = visit->shared;
	HnswMemSource *source = visit->cells->mem->source;

	visit->cell = (PageCell *) source->address(source, shared->cell);
	visit->nearest = (uint16 *) source->address(source, shared->nearest);
	visit->dist = (float *) source->address(source, shared->dist);
	visit->placed = (uint64 *) source->address(source, shared->placed);
}

/* One process: nothing of the chunk is done. */
static void
begin_chunk(PageVisit *visit)
{
	for (uint32 c = 0; c < visit->cells->shared->ncells; c++)
	{
		pg_atomic_init_u32(&visit->cell[c].n, 0);
		pg_atomic_init_u32(&visit->cell[c].done, 0);
	}
	pg_atomic_write_u32(&visit->shared->next_choice, 0);
	pg_atomic_write_u32(&visit->shared->next_place, 0);
	pg_atomic_write_u32(&visit->shared->next_cell, 0);
}

static inline uint8 *
own_of_row(PageVisit *visit, int r)
{
	return visit->own + r * visit->cells->mem->graph.space->layout.own_bytes;
}

/* The nearest centres of the nodes whose own forms have been read. */
static void
choose_cells(PageVisit *visit, const uint32 *node, int nrows)
{
	const HnswPanel *centers = visit->cells->centers;
	KernelRows	rows = {.n = nrows};
	float		dist[KERNEL_ROWS * KERNEL_PANEL];
	uint16		is_near[KERNEL_ROWS];
	uint16		nearest[KERNEL_ROWS];

	for (int r = 0; r < nrows; r++)
	{
		hnsw_panel_row(centers, &rows, r, own_of_row(visit, r));
		rows.bound[r] = INFINITY;
		nearest[r] = NO_CELL;
	}
	for (int b = 0; b < hnsw_panel_blocks(centers); b++)
	{
		hnsw_panel_measure(centers, b, &rows, dist, is_near);
		for (int r = 0; r < nrows; r++)
		{
			for (uint32 bits = is_near[r]; bits != 0; bits &= bits - 1)
			{
				int			i = pg_rightmost_one_pos32(bits);

				if (dist[r * KERNEL_PANEL + i] >= rows.bound[r])
					continue;
				rows.bound[r] = dist[r * KERNEL_PANEL + i];
				nearest[r] = b * KERNEL_PANEL + i;
			}
		}
	}
	for (int r = 0; r < nrows; r++)
	{
		visit->nearest[node[r]] = nearest[r];
		visit->dist[node[r]] = rows.bound[r];
		if (nearest[r] != NO_CELL)
			pg_atomic_fetch_add_u32(&visit->cell[nearest[r]].n, 1);
	}
}

static void
choose_all_cells(PageVisit *visit)
{
	uint32		node[KERNEL_ROWS];
	int			nrows = 0;
	uint32		first;

	while ((first = pg_atomic_fetch_add_u32(&visit->shared->next_choice,
											HNSW_CELLS_PORTION)) < visit->n)
	{
		uint32		end = Min(first + HNSW_CELLS_PORTION, visit->n);

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = first; i < end; i++)
		{
			HnswNode	page_node = node_of_chunk(visit, i);

			visit->nearest[i] = NO_CELL;
			if (hnsw_is_in_level(page_node, visit->level) &&
				hnsw_diskgraph_own(visit->pages, page_node,
								   own_of_row(visit, nrows), NULL))
				node[nrows++] = i;
			if (nrows == KERNEL_ROWS)
			{
				choose_cells(visit, node, nrows);
				nrows = 0;
			}
		}
	}
	if (nrows > 0)
		choose_cells(visit, node, nrows);
}

static void
place_cells(PageVisit *visit)
{
	uint32		start = 0;

	for (uint32 c = 0; c < visit->cells->shared->ncells; c++)
	{
		visit->cell[c].start = start;
		start += pg_atomic_read_u32(&visit->cell[c].n);
	}
}

static void
place_nodes(PageVisit *visit)
{
	uint32		first;

	while ((first = pg_atomic_fetch_add_u32(&visit->shared->next_place,
											HNSW_CELLS_PORTION)) < visit->n)
	{
		uint32		end = Min(first + HNSW_CELLS_PORTION, visit->n);

		for (uint32 i = first; i < end; i++)
		{
			PageCell   *cell = &visit->cell[visit->nearest[i]];

			if (visit->nearest[i] != NO_CELL)
				visit->placed[cell->start +
							  pg_atomic_fetch_add_u32(&cell->done, 1)] =
					hnsw_neighbor_key(visit->nearest[i], visit->dist[i],
									  node_of_chunk(visit, i));
		}
	}
}

/* Measure what looks into cell c against the nodes on pages that lie there. */
static void
measure_cell(PageVisit *visit, uint32 c)
{
	HnswCells  *cells = visit->cells;
	HnswPanel  *part = cells->part;
	uint64	   *key = visit->placed + visit->cell[c].start;
	int			n = pg_atomic_read_u32(&visit->cell[c].n);
	int			share = visit->n / cells->shared->ncells;

	n = hnsw_candidates_keep(key, n, Max(share * MAX_SHARE, MIN_KEPT));
	for (int first = 0; first < n; first += part->max)
	{
		hnsw_panel_clear(part);
		for (int i = first; i < Min(n, first + part->max); i++)
		{
			HnswNode	node = hnsw_key_node(c, key[i]);

			if (hnsw_diskgraph_own(visit->pages, node, visit->own, NULL))
				hnsw_panel_add(part, visit->own, node);
		}
		hnsw_cells_measure(cells, &cells->cells[c], 0, 1);
	}
}

static void
visit_chunk(PageVisit *visit)
{
	Barrier    *barrier = visit->cells->barrier;
	uint32		c;

	if (hnsw_wait_for_all(barrier))
		begin_chunk(visit);
	hnsw_wait_for_all(barrier);
	choose_all_cells(visit);
	if (hnsw_wait_for_all(barrier))
		place_cells(visit);
	hnsw_wait_for_all(barrier);
	place_nodes(visit);
	hnsw_wait_for_all(barrier);
	while ((c = pg_atomic_fetch_add_u32(&visit->shared->next_cell, 1)) <
		   visit->cells->shared->ncells)
		measure_cell(visit, c);
}

void
hnsw_cells_visit_pages(HnswCells *cells, HnswDiskGraph *pages, HnswNode end,
					   int level)
{
	const HnswSpace *space = cells->mem->graph.space;
	PageVisit	visit = {
		.cells = cells,
		.shared = &cells->shared->pages,
		.pages = pages,
		.level = level
	};

	visit.own = palloc0(mul_size(space->layout.own_bytes, KERNEL_ROWS));
	if (hnsw_wait_for_all(cells->barrier))
		take_memory(cells);
	hnsw_wait_for_all(cells->barrier);
	look_up_addresses(&visit);
	visit.nchunks = (end - 1) / chunk_size(cells) + 1;
	for (visit.chunk = 0; visit.chunk < visit.nchunks; visit.chunk++)
	{
		visit.n = (end - 1 - visit.chunk) / visit.nchunks + 1;
		visit_chunk(&visit);
	}
	if (hnsw_wait_for_all(cells->barrier))
		give_memory_back(cells);
	pfree(visit.own);
}
