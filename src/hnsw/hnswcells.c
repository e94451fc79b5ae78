/*-------------------------------------------------------------------------
 *
 * hnswcells.c
 *	  The nearest of a set of nodes to each of them, by cells.
 *
 * Steps, with a barrier between them; the participants share out the work of
 * each in small portions:
 *
 *		one process chooses the centres
 *		each member's nearest centres are found, and counted
 *		one process gives every cell its place in the list of visits
 *		the list is filled: for each cell its members, then the other nodes that
 *		look into it
 *		cell by cell, all nodes on its list are measured against its members
 *
 * Where there are nodes on pages as well, these come before the last step
 * (hnswpagecells.c).
 *
 * Centres are members taken evenly; moving them to the means of their cells
 * finds more of the nearest, but graphs made of these were no better.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcells.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "hnsw/hnswcellset.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* a set this small is one cell: all are measured against all */
#define SMALL_SET			2048

/* the last level has this many nodes at least, about as many as a node's edges */
#define MIN_LEVEL			32

/*
 * Many near-duplicates can make a cell far larger than the others.  Members are
 * looked at in parts of about this many bytes, and of a large cell a node sees
 * MAX_PARTS, so that the price of a node has a limit.
 */
#define PART_BYTES			((Size) 512 * 1024)
#define MAX_PART			1024
#define MAX_PARTS			4

/* cell numbers are 16 bits, and one of them is none */
#define MAX_CELLS			65535

/*
 * Centres are nodes in memory, also where most nodes are on pages.  With fewer
 * members a cell than this its centre says little about its surroundings.
 */
#define MIN_CELL_MEMBERS	4

int
hnsw_cells_levels(uint32 nnodes)
{
	int			levels = 1;

	while ((nnodes /= HNSW_LEVEL_RATE) >= MIN_LEVEL)
		levels++;
	return levels;
}

HnswCells *
hnsw_cells_begin(HnswCellsShared *shared, HnswMemGraph *mem, Barrier *barrier)
{
	const HnswSpace *space = mem->graph.space;
	HnswCells  *cells = palloc0(sizeof(HnswCells));

	cells->shared = shared;
	cells->mem = mem;
	cells->barrier = barrier;
	cells->part = hnsw_panel_create(space,
									Min(hnsw_panel_max(space, PART_BYTES),
										MAX_PART));
	cells->hits = palloc(sizeof(uint64) * KERNEL_ROWS * cells->part->max);
	return cells;
}

void
hnsw_cells_end(HnswCells *cells)
{
	hnsw_panel_free(cells->part);
	pfree(cells->hits);
	pfree(cells);
}

/* ---- the keys of candidates ---- */

/* so few keys are sorted instead */
#define FEW_KEYS			8

static void
sort_few(uint64 *key, int n)
{
	for (int i = 1; i < n; i++)
	{
		uint64		moved = key[i];
		int			k;

		for (k = i; k > 0 && key[k - 1] > moved; k--)
			key[k] = key[k - 1];
		key[k] = moved;
	}
}

/*
 * Quickselect.  The pivot is the median of three, so as long as no two keys are
 * equal, which they are not since no two name one node, there are some on either
 * side.  They are parted without a branch: nobody could foretell it.
 */
int
hnsw_candidates_keep(uint64 *key, int n, int want)
{
	int			low = 0;
	int			behind = n;

	if (n <= want)
		return n;
	while (behind - low > FEW_KEYS)
	{
		uint64		a = key[low];
		uint64		b = key[(low + behind) / 2];
		uint64		c = key[behind - 1];
		uint64		pivot = Max(Min(a, b), Min(Max(a, b), c));
		int			middle = low;

		for (int i = low; i < behind; i++)
		{
			uint64		here = key[i];

			key[i] = key[middle];
			key[middle] = here;
			middle += here < pivot;
		}
		if (middle == want)
			return want;
		if (middle == low)
			break;
		if (middle < want)
			low = middle;
		else
			behind = middle;
	}
	sort_few(key + low, behind - low);
	return want;
}

/*
 * Merge two sorted runs, of n and m keys, without a branch on what they are: a
 * quicksort of some 64 keys mispredicts most of its time.
 */
static void
merge_keys(const uint64 *a, int n, const uint64 *b, int m, uint64 *to)
{
	const uint64 *behind_a = a + n;
	const uint64 *behind_b = b + m;

	while (a < behind_a && b < behind_b)
	{
		bool		first = *a <= *b;

		*to++ = first ? *a : *b;
		a += first;
		b += !first;
	}
	memcpy(to, a, sizeof(uint64) * (behind_a - a));
	memcpy(to + (behind_a - a), b, sizeof(uint64) * (behind_b - b));
}

void
hnsw_candidates_sort(uint64 *key, int n, uint64 *scratch)
{
	uint64	   *from = key;
	uint64	   *to = scratch;

	for (int i = 0; i < n; i += FEW_KEYS)
		sort_few(key + i, Min(n - i, FEW_KEYS));
	for (int run = FEW_KEYS; run < n; run *= 2)
	{
		uint64	   *merged = to;

		for (int i = 0; i < n; i += 2 * run)
		{
			int			a = Min(run, n - i);

			merge_keys(from + i, a, from + i + a, Min(run, n - i - a), to + i);
		}
		to = from;
		from = merged;
	}
	if (from != key)
		memcpy(key, from, sizeof(uint64) * n);
}

static uint64
largest_key(const uint64 *key, int n)
{
	uint64		largest = 0;

	for (int i = 0; i < n; i++)
		largest = Max(largest, key[i]);
	return largest;
}

/* Nodes were found near to one.  Locks: that of the node. */
static void
add_candidates(HnswCells *cells, HnswNode node, const uint64 *hits, int nhits)
{
	int			want = cells->mem->shared->want;
	int			keep = hnsw_candidates_wanted(cells->mem);
	LWLock	   *lock = hnsw_memgraph_lock(cells->mem, node);
	HnswMemList *list = hnsw_memgraph_list(cells->mem, node);
	uint64	   *key = hnsw_memgraph_candidates(cells->mem, node);

	LWLockAcquire(lock, LW_EXCLUSIVE);
	for (int i = 0; i < nhits; i++)
	{
		if (list->ncandidates == 2 * want)
		{
			list->ncandidates = hnsw_candidates_keep(key, 2 * want, keep);
			list->bound = hnsw_key_dist(largest_key(key, keep));
		}
		if (hnsw_key_dist(hits[i]) < list->bound)
			key[list->ncandidates++] = hits[i];
	}
	LWLockRelease(lock);
}

void
hnsw_cells_offer(HnswCells *cells, HnswNode node, float dist,
				 HnswNode neighbor)
{
	uint64		key = hnsw_neighbor_key(node, dist, neighbor);

	add_candidates(cells, node, &key, 1);
}

/* ---- the set and its cells ---- */

static void
gather_members(HnswCells *cells, int level)
{
	HnswCellsShared *shared = cells->shared;
	HnswMemGraph *mem = cells->mem;
	HnswNode	first = hnsw_memgraph_first(mem);
	HnswNode	end = hnsw_memgraph_end(mem);
	HnswNode   *members;
	uint32		n = 0;

	for (HnswNode node = first; node < end; node++)
	{
		if (node % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		n += hnsw_is_in_level(node, level) &&
			hnsw_memgraph_slot(mem, node)->state == HNSW_LIVE;
	}
	members = hnsw_memgraph_take(cells->mem, &shared->members, n, sizeof(HnswNode));
	shared->nmembers = 0;
	for (HnswNode node = first; node < end; node++)
	{
		if (node % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (hnsw_is_in_level(node, level) &&
			hnsw_memgraph_slot(mem, node)->state == HNSW_LIVE)
			members[shared->nmembers++] = node;
	}
}

/*
 * How many cells: of HNSW_CELL_MEMBERS, as long as finding the nearest centres
 * is not the larger part of the work.  npages: nodes on pages that lie in these
 * cells too.
 */
static void
plan_cells(HnswCells *cells, uint64 npages)
{
	HnswCellsShared *shared = cells->shared;
	uint64		n = shared->nmembers;
	uint64		all = n + npages;
	uint64		looks = (uint64) cells->mem->shared->want * HNSW_CELLS_LOOKS;
	uint64		ncells = 1;
	HnswCell   *cell;

	if (all > SMALL_SET)
		ncells = Min(Min(all / HNSW_CELL_MEMBERS, looks), MAX_CELLS);
	ncells = Max(Min(ncells, n / MIN_CELL_MEMBERS), 1);
	shared->ncells = ncells;
	shared->nprobes = Min(Min(Max(looks * ncells / Max(all, 1),
								  HNSW_CELLS_MIN_PROBES), ncells),
						  HNSW_CELLS_PROBES(cells->mem->shared->want));

	cell = hnsw_memgraph_take(cells->mem, &shared->cells, ncells, sizeof(HnswCell));
	for (uint64 c = 0; c < ncells; c++)
	{
		pg_atomic_init_u32(&cell[c].nmembers, 0);
		pg_atomic_init_u32(&cell[c].nvisits, 0);
		pg_atomic_init_u32(&cell[c].members_done, 0);
		pg_atomic_init_u32(&cell[c].visits_done, 0);
	}
	hnsw_memgraph_take(cells->mem, &shared->nearest, n * shared->nprobes, sizeof(uint16));
	hnsw_memgraph_take(cells->mem, &shared->visits, n * shared->nprobes, sizeof(HnswNode));
	pg_atomic_init_u32(&shared->next_choice, 0);
	pg_atomic_init_u32(&shared->next_visit, 0);
	pg_atomic_init_u32(&shared->next_cell, 0);
}

static void
look_up_addresses(HnswCells *cells)
{
	HnswCellsShared *shared = cells->shared;
	HnswMemSource *source = cells->mem->source;

	cells->members = (HnswNode *) source->address(source, shared->members);
	cells->cells = (HnswCell *) source->address(source, shared->cells);
	cells->nearest = (uint16 *) source->address(source, shared->nearest);
	cells->visits = (HnswNode *) source->address(source, shared->visits);
}

/* ---- each member's nearest centres ---- */

/*
 * The node a cell is around.  Taken evenly, with some disorder lest a table
 * with a regular order be sampled at one place of its period.
 */
static HnswNode
cell_center(const HnswCells *cells, uint32 cell)
{
	uint64		n = cells->shared->nmembers;
	uint64		ncells = cells->shared->ncells;
	uint64		first = n * cell / ncells;
	uint64		behind = n * (cell + 1) / ncells;

	return cells->members[first + murmurhash32(cell) % (behind - first)];
}

/*
 * Most of the nearest nodes are nearer than the next centres: about so many
 * times HNSW_CELL_MEMBERS nodes are nearer than centre number FAR_CENTER.  So
 * what is farther need not be collected.  What is as far must be: of bits many
 * are.
 */
#define FAR_CENTER(want)	(2 + (want) * 4 / HNSW_CELL_MEMBERS)

static void
bound_candidates(HnswCells *cells, HnswNode node, const uint64 *near)
{
	uint32		far = FAR_CENTER(cells->mem->shared->want);

	if (far < cells->shared->nprobes)
		hnsw_memgraph_list(cells->mem, node)->bound =
			nextafterf(hnsw_key_dist(near[far]), INFINITY);
}

/*
 * Measure up to KERNEL_ROWS members against the centres.  near[r * 2 * nprobes]:
 * room for keys of row r; the nprobes smallest are left there, in no order.  A
 * distance that overflows leaves a place, for any cell.
 */
static void
measure_centers(HnswCells *cells, const HnswPanel *centers, uint64 *near,
				uint32 first, int nrows)
{
	int			nprobes = cells->shared->nprobes;
	float		dist[KERNEL_ROWS * KERNEL_PANEL];
	uint16		is_near[KERNEL_ROWS];
	int			n[KERNEL_ROWS] = {0};
	KernelRows	rows = {.n = nrows};

	for (int r = 0; r < nrows; r++)
	{
		hnsw_panel_row(centers, &rows, r,
					   hnsw_memgraph_own(cells->mem, cells->members[first + r]));
		rows.bound[r] = INFINITY;
	}
	for (int b = 0; b < hnsw_panel_blocks(centers); b++)
	{
		hnsw_panel_measure(centers, b, &rows, dist, is_near);
		for (int r = 0; r < nrows; r++)
		{
			HnswNode	member = cells->members[first + r];
			uint64	   *key = near + (Size) r * 2 * nprobes;

			for (uint32 bits = is_near[r]; bits != 0; bits &= bits - 1)
			{
				int			i = pg_rightmost_one_pos32(bits);

				if (n[r] == 2 * nprobes)
				{
					n[r] = hnsw_candidates_keep(key, n[r], nprobes);
					rows.bound[r] = hnsw_key_dist(largest_key(key, nprobes));
				}
				key[n[r]++] = hnsw_neighbor_key(member,
												dist[r * KERNEL_PANEL + i],
												b * KERNEL_PANEL + i);
			}
		}
	}
	for (int r = 0; r < nrows; r++)
	{
		uint64	   *key = near + (Size) r * 2 * nprobes;

		n[r] = hnsw_candidates_keep(key, n[r], nprobes);
		for (; n[r] < nprobes; n[r]++)
			key[n[r]] = hnsw_neighbor_key(cells->members[first + r], FLT_MAX,
										  n[r]);
	}
}

/* The nearest cells of up to KERNEL_ROWS members, nearest first. */
static void
choose_cells(HnswCells *cells, const HnswPanel *centers, uint64 *near,
			 uint32 first, int nrows)
{
	int			nprobes = cells->shared->nprobes;

	measure_centers(cells, centers, near, first, nrows);
	for (int r = 0; r < nrows; r++)
	{
		HnswNode	member = cells->members[first + r];
		uint64	   *key = near + (Size) r * 2 * nprobes;
		uint16	   *nearest = cells->nearest + (uint64) (first + r) * nprobes;

		hnsw_candidates_sort(key, nprobes, key + nprobes);
		bound_candidates(cells, member, key);
		for (int p = 0; p < nprobes; p++)
		{
			HnswCell   *cell;

			nearest[p] = hnsw_key_node(member, key[p]);
			cell = &cells->cells[nearest[p]];
			pg_atomic_fetch_add_u32(p == 0 ? &cell->nmembers : &cell->nvisits, 1);
		}
	}
}

static void
choose_all_cells(HnswCells *cells)
{
	HnswCellsShared *shared = cells->shared;
	HnswPanel  *centers = hnsw_panel_create(cells->mem->graph.space,
											shared->ncells);
	uint64	   *near = palloc(sizeof(uint64) * KERNEL_ROWS * 2 *
							  shared->nprobes);
	uint32		first;

	for (uint32 c = 0; c < shared->ncells && shared->nmembers > 0; c++)
		hnsw_panel_add(centers,
					   hnsw_memgraph_own(cells->mem, cell_center(cells, c)), c);
	while ((first = pg_atomic_fetch_add_u32(&shared->next_choice,
											HNSW_CELLS_PORTION)) <
		   shared->nmembers)
	{
		uint32		end = Min(first + HNSW_CELLS_PORTION, shared->nmembers);

		CHECK_FOR_INTERRUPTS();
		for (uint32 m = first; m < end; m += KERNEL_ROWS)
			choose_cells(cells, centers, near, m, Min(end - m, KERNEL_ROWS));
	}
	pfree(near);
	cells->centers = centers;
}

/* ---- the list of visits ---- */

static void
place_cells(HnswCells *cells)
{
	uint64		start = 0;

	for (uint32 c = 0; c < cells->shared->ncells; c++)
	{
		HnswCell   *cell = &cells->cells[c];

		cell->start = start;
		start += pg_atomic_read_u32(&cell->nmembers);
		start += pg_atomic_read_u32(&cell->nvisits);
	}
}

static void
list_visits(HnswCells *cells)
{
	HnswCellsShared *shared = cells->shared;
	uint32		first;

	while ((first = pg_atomic_fetch_add_u32(&shared->next_visit,
											HNSW_CELLS_PORTION)) <
		   shared->nmembers)
	{
		uint32		end = Min(first + HNSW_CELLS_PORTION, shared->nmembers);

		CHECK_FOR_INTERRUPTS();
		for (uint32 m = first; m < end; m++)
		{
			for (uint32 p = 0; p < shared->nprobes; p++)
			{
				HnswCell   *cell;
				uint64		at;

				cell = &cells->cells[cells->nearest[(uint64) m * shared->nprobes + p]];
				at = cell->start;
				if (p == 0)
					at += pg_atomic_fetch_add_u32(&cell->members_done, 1);
				else
					at += pg_atomic_read_u32(&cell->nmembers) +
						pg_atomic_fetch_add_u32(&cell->visits_done, 1);
				cells->visits[at] = cells->members[m];
			}
		}
	}
}

/* ---- measuring ---- */

/* Measure up to KERNEL_ROWS nodes against the members in cells->part. */
static void
measure_rows(HnswCells *cells, const HnswNode *node, int nrows)
{
	HnswPanel  *part = cells->part;
	float		dist[KERNEL_ROWS * KERNEL_PANEL];
	uint16		is_near[KERNEL_ROWS];
	KernelRows	rows = {.n = nrows};

	for (int r = 0; r < nrows; r++)
	{
		hnsw_panel_row(part, &rows, r, hnsw_memgraph_own(cells->mem, node[r]));

		/* a stale bound is too large, and costs a little */
		rows.bound[r] = hnsw_memgraph_list(cells->mem, node[r])->bound;
		cells->nhits[r] = 0;
	}
	for (int b = 0; b < hnsw_panel_blocks(part); b++)
	{
		hnsw_panel_measure(part, b, &rows, dist, is_near);
		for (int r = 0; r < nrows; r++)
		{
			uint64	   *hits = cells->hits + r * part->max;

			for (uint32 bits = is_near[r]; bits != 0; bits &= bits - 1)
			{
				int			i = pg_rightmost_one_pos32(bits);
				HnswNode	member = part->node[b * KERNEL_PANEL + i];

				hits[cells->nhits[r]] =
					hnsw_neighbor_key(node[r], dist[r * KERNEL_PANEL + i],
									  member);
				cells->nhits[r] += member != node[r];
			}
		}
	}
	for (int r = 0; r < nrows; r++)
	{
		if (cells->nhits[r] > 0)
			add_candidates(cells, node[r], cells->hits + r * part->max,
						   cells->nhits[r]);
	}
}

/*
 * Does the i-th node on a cell's list look at a part of the cell?  At
 * MAX_PARTS of them, a member at its own one at least.
 */
static bool
looks_at_part(const HnswCells *cells, uint32 i, HnswNode node,
			  uint32 nmembers, uint32 part, uint32 nparts)
{
	uint32		home = i < nmembers ? i / cells->part->max :
		murmurhash32(node) % nparts;

	return (part + nparts - home) % nparts < MAX_PARTS;
}

void
hnsw_cells_measure(HnswCells *cells, const HnswCell *cell, uint32 part,
				   uint32 nparts)
{
	const HnswNode *list = cells->visits + cell->start;
	uint32		nmembers = pg_atomic_read_u32(&unconstify(HnswCell *, cell)->nmembers);
	uint32		n = nmembers +
		pg_atomic_read_u32(&unconstify(HnswCell *, cell)->nvisits);
	HnswNode	rows[2 * KERNEL_ROWS];
	int			nrows = 0;

	/* one group is measured while the next one is fetched */
	for (uint32 i = 0; i < n; i++)
	{
		if (nparts > MAX_PARTS &&
			!looks_at_part(cells, i, list[i], nmembers, part, nparts))
			continue;
		hnsw_memgraph_expect_own(cells->mem, list[i]);
		__builtin_prefetch(hnsw_memgraph_lock(cells->mem, list[i]));
		rows[nrows++] = list[i];
		if (nrows == 2 * KERNEL_ROWS)
		{
			CHECK_FOR_INTERRUPTS();
			measure_rows(cells, rows, KERNEL_ROWS);
			nrows = KERNEL_ROWS;
			memcpy(rows, rows + nrows, sizeof(HnswNode) * nrows);
		}
	}
	for (int r = 0; r < nrows; r += KERNEL_ROWS)
		measure_rows(cells, rows + r, Min(nrows - r, KERNEL_ROWS));
}

static void
measure_part(HnswCells *cells, const HnswCell *cell, uint32 part,
			 uint32 nparts)
{
	const HnswNode *list = cells->visits + cell->start;
	uint32		nmembers = pg_atomic_read_u32(&unconstify(HnswCell *, cell)->nmembers);
	uint32		first = part * cells->part->max;
	uint32		end = Min(first + cells->part->max, nmembers);

	hnsw_panel_clear(cells->part);
	for (uint32 i = first; i < end; i++)
		hnsw_panel_add(cells->part, hnsw_memgraph_own(cells->mem, list[i]),
					   list[i]);
	if (hnsw_panel_packs(cells->mem->graph.space))
		hnsw_panel_pack(cells->part);
	hnsw_cells_measure(cells, cell, part, nparts);
}

static void
measure_all(HnswCells *cells)
{
	HnswCellsShared *shared = cells->shared;
	uint32		c;

	while ((c = pg_atomic_fetch_add_u32(&shared->next_cell, 1)) <
		   shared->ncells)
	{
		HnswCell   *cell = &cells->cells[c];
		uint32		nmembers = pg_atomic_read_u32(&cell->nmembers);
		uint32		nparts = (nmembers + cells->part->max - 1) /
			cells->part->max;

		for (uint32 part = 0; part < nparts; part++)
			measure_part(cells, cell, part, nparts);
	}
}

/* ---- the whole ---- */

/*
 * By cells: what comes next works on nodes near to each other, one after the
 * other, and finds their neighbours in the caches.
 */
static void
order_members(HnswCells *cells)
{
	HnswNode   *to = cells->members;

	for (uint32 c = 0; c < cells->shared->ncells; c++)
	{
		HnswCell   *cell = &cells->cells[c];
		uint32		n = pg_atomic_read_u32(&cell->nmembers);

		memcpy(to, cells->visits + cell->start, sizeof(HnswNode) * n);
		to += n;
	}
}

void
hnsw_cells_find(HnswCells *cells, int level, HnswDiskGraph *pages)
{
	HnswNode	npages = pages != NULL ? hnsw_memgraph_first(cells->mem) : 0;

	if (hnsw_wait_for_all(cells->barrier))
	{
		gather_members(cells, level);
		plan_cells(cells, npages >> (2 * level));
	}
	hnsw_wait_for_all(cells->barrier);
	look_up_addresses(cells);
	choose_all_cells(cells);
	if (hnsw_wait_for_all(cells->barrier))
		place_cells(cells);
	hnsw_wait_for_all(cells->barrier);
	list_visits(cells);
	hnsw_wait_for_all(cells->barrier);
	if (npages > 0)
		hnsw_cells_visit_pages(cells, pages, npages, level);
	hnsw_panel_free(cells->centers);
	measure_all(cells);
	if (hnsw_wait_for_all(cells->barrier))
		order_members(cells);
	hnsw_wait_for_all(cells->barrier);
}

uint32
hnsw_cells_nmembers(const HnswCells *cells)
{
	return cells->shared->nmembers;
}

HnswNode
hnsw_cells_member(const HnswCells *cells, uint32 i)
{
	return cells->members[i];
}

void
hnsw_cells_done(HnswCells *cells)
{
	HnswMemSource *source = cells->mem->source;

	source->give_back(source, cells->shared->members);
	source->give_back(source, cells->shared->cells);
	source->give_back(source, cells->shared->nearest);
	source->give_back(source, cells->shared->visits);
}
