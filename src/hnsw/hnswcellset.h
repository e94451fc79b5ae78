/*-------------------------------------------------------------------------
 *
 * hnswcellset.h
 *	  What the files about cells have in common.
 *
 * For hnswcells.c and hnswpagecells.c only.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcellset.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWCELLSET_H
#define HNSWCELLSET_H

#include "hnsw/hnswcells.h"
#include "hnsw/hnswpanel.h"

/* nodes handed out at a time: a multiple of KERNEL_ROWS */
#define HNSW_CELLS_PORTION	64

/* Each level has this part of the nodes of the one below: those with a hash. */
#define HNSW_LEVEL_RATE		4

static inline bool
hnsw_is_in_level(HnswNode node, int level)
{
	uint32		mask = ((uint32) 1 << (2 * level)) - 1;

	StaticAssertStmt(HNSW_LEVEL_RATE == 4,
					 "two bits of the hash for each level");
	return (murmurhash32(node) & mask) == 0;
}

typedef struct HnswCell
{
	pg_atomic_uint32 nmembers;
	pg_atomic_uint32 nvisits;	/* by nodes that are not members */
	uint64		start;			/* of its nodes among the visits, members first */
	pg_atomic_uint32 members_done;	/* in their places */
	pg_atomic_uint32 visits_done;
} HnswCell;

struct HnswCells
{
	HnswCellsShared *shared;
	HnswMemGraph *mem;
	Barrier    *barrier;

	/* addresses in this process */
	HnswNode   *members;
	HnswCell   *cells;
	uint16	   *nearest;
	HnswNode   *visits;

	HnswPanel  *centers;		/* number c is that of cell c */
	HnswPanel  *part;			/* members of a cell */
	uint64	   *hits;			/* of KERNEL_ROWS nodes, part->max each */
	int			nhits[KERNEL_ROWS];
};

/*
 * Measure the nodes that look into a cell against those in cells->part, which
 * is one of nparts parts of what is there.
 */
extern void hnsw_cells_measure(HnswCells *cells, const HnswCell *cell,
							   uint32 part, uint32 nparts);

/*
 * hnsw_cells_visit_pages -- candidates among the nodes on pages, which are
 * those before 'end', of a level for the members of all cells.
 *
 * As hnsw_cells_find, of which it is a step: for all participants together.
 */
extern void hnsw_cells_visit_pages(HnswCells *cells, HnswDiskGraph *pages,
								   HnswNode end, int level);

#endif							/* HNSWCELLSET_H */
