/*-------------------------------------------------------------------------
 *
 * hnswspace.c
 *	  The code space of an index: its geometry.
 *
 * Which own form values get, how many bits codes have, what fits on a page; the
 * rotation and the mean.  The rest of hnswspace.h:
 *
 *	hnswform.c		values to own forms, and what these are to each other
 *	hnswmeasure.c	queries, and what own forms say to them: distance and bounds
 *	hnswestimate.c	codes of edges and flat records, and what they say
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswspace.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "hnsw/hnswcode.h"
#include "kernel/kernel.h"
#include "quant/quant_edge.h"

/*
 * Codes of fewer bits say less, so a search has to look farther for the same
 * recall.  What the stop rule's margins are good for has been measured with
 * codes of 384 bits and of 784.
 */
#define PLENTY_OF_BITS		384.0
#define BITS_EXPONENT		0.3

/* ---- geometry ---- */

static Size
own_bytes(const HnswSpace *space)
{
	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
			return quant_own_bytes(space->rdim) +
				(space->has_fine ? quant_fine_bytes(space->rdim) : 0);
		case HNSW_OWN_F32:
			return offsetof(HnswF32Own, x) + sizeof(float) * (Size) space->dim;
		case HNSW_OWN_KEPT:
			return kept_value_off(space) + space->kept_bytes;
		case HNSW_OWN_EXACT:
			return space->metric->max_bytes(space->dim);
	}
	return 0;
}

Size
hnsw_space_measured_bytes(const HnswSpace *space)
{
	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
			return quant_own_bytes(space->rdim);
		case HNSW_OWN_KEPT:
			return kept_value_off(space);
		case HNSW_OWN_F32:
		case HNSW_OWN_EXACT:
			break;
	}
	return own_bytes(space);
}

static HnswOwnKind
choose_own_kind(const VectorMetric *metric, int dim)
{
	if (metric->to_floats == NULL)
		return HNSW_OWN_EXACT;
	if (metric->keeps_value && metric->floats(dim) < dim)
		return HNSW_OWN_KEPT;

	/* the floats are the elements, of which L1 is no Euclidean distance */
	if (metric->space == VECTOR_SPACE_L1)
		return dim <= HNSW_EXACT_L1_MAX_DIM ? HNSW_OWN_EXACT : HNSW_OWN_KEPT;
	return dim <= HNSW_F32_MAX_DIM ? HNSW_OWN_F32 : HNSW_OWN_S8;
}

uint32
hnsw_space_kept_bytes(const VectorMetric *metric, int dim, Size wish)
{
	Size		max = metric->max_bytes(dim);

	if (choose_own_kind(metric, dim) != HNSW_OWN_KEPT)
		return 0;
	if (metric->cut != NULL)
		max = Min(max, Min(Max(wish, HNSW_MIN_KEPT_BYTES), HNSW_MAX_KEPT_BYTES));
	return (max + 3) & ~(Size) 3;
}

/*
 * How many bits an edge code gets: all rotated dimensions, or down to 'least'
 * of them if that puts one more node on a page; more dimensions than
 * a page of edges holds are cut, since the error of a code depends on its bits and not on
 * the dimensions left out (512 is as good as the 384 of the measurements).
 */
static int
choose_nbits(int rdim, int least, Size own, Size size, int want)
{
	int			least_edges = want - want / 8;
	Size		fixed = sizeof(HnswSlot) + (want * 5 / 4 + 31) / 32 * 4 + own;

	for (Size n = 16; n >= 1; n--)
	{
		Size		page = (HNSW_PAGE_BYTES / n) & ~(Size) 3;
		int64		code;
		int			nbits;

		if (page <= fixed)
			continue;
		code = (int64) ((page - fixed) / least_edges & ~(Size) 3) -
			(int64) (offsetof(HnswEdge, code) + offsetof(QuantEdge, bits) + size);
		nbits = (int) Min(code * 8, rdim) / 16 * 16;
		if (nbits >= (n == 1 ? Min(rdim, 512) : least))
			return nbits;
	}
	return Min(rdim, 1536);
}

/* Sizes of codes, and where things lie; least: see choose_nbits. */
static void
lay_out(HnswSpace *space, int least)
{
	Size		size = codes_have_size(space) ? sizeof(float) : 0;
	Size		own = own_bytes(space);
	Size		behind = behind_edge(space->metric);

	space->nbits = choose_nbits(space->rdim, least, own, behind, 2 * space->m);
	hnsw_layout_init(&space->layout, own,
					 quant_edge_bytes(space->nbits) + behind,
					 offsetof(FlatCode, bits) + space->nbits / 8 + size,
					 2 * space->m);
}

/*
 * Give the space fine codes, if values are likely to lie out of line and the
 * room is there: as many nodes on a page, and at least three quarters of the
 * bits of edge codes.
 */
static void
add_fine(HnswSpace *space)
{
	VectorSpace type = space->metric->space;
	int			least = space->rdim / 4 * 3;
	HnswSpace	fine = *space;

	if (space->own_kind != HNSW_OWN_S8 || space->metric->keeps_value ||
		(type != VECTOR_SPACE_L2 && type != VECTOR_SPACE_COSINE) ||
		space->metric->max_bytes(space->dim) < HNSW_FINE_MIN_VALUE)
		return;
	fine.has_fine = true;
	lay_out(&fine, least);
	if (fine.layout.nodes_per_page < space->layout.nodes_per_page)
		lay_out(&fine, least / 4 * 3);
	if (fine.layout.nodes_per_page == space->layout.nodes_per_page &&
		fine.layout.pages_per_node == 1 &&
		fine.nbits >= space->nbits / 4 * 3)
		*space = fine;
}

Size
hnsw_space_bytes(const VectorMetric *metric, int dim)
{
	int			floats;

	if (choose_own_kind(metric, dim) == HNSW_OWN_EXACT)
		return 0;
	floats = metric->floats(dim);
	return MAXALIGN(quant_rotation_bytes(floats)) +
		MAXALIGN(sizeof(float) * (Size) quant_rotated_dim(floats));
}

void
hnsw_space_init(HnswSpace *space, const VectorMetric *metric, int dim, int m,
				uint64 seed, uint32 kept_bytes, const float *mean,
				void *memory)
{
	memset(space, 0, sizeof(HnswSpace));
	space->metric = metric;
	space->dim = dim;
	space->m = m;
	space->seed = seed;
	space->own_kind = choose_own_kind(metric, dim);
	if (!hnsw_space_coded(space))
	{
		hnsw_layout_init(&space->layout, own_bytes(space), sizeof(float), 0,
						 2 * m);
		return;
	}

	space->floats = metric->floats(dim);
	space->rdim = quant_rotated_dim(space->floats);
	space->kept_bytes = kept_bytes;
	lay_out(space, space->rdim / 4 * 3);
	add_fine(space);

	Assert(space->nbits <= MAX_NBITS);
	space->noise = pow(Max(PLENTY_OF_BITS / space->nbits, 1), BITS_EXPONENT);

	quant_rotation_init(&space->rotation, space->floats, seed, memory);
	space->mean = (float *) ((char *) memory +
							 MAXALIGN(quant_rotation_bytes(space->floats)));
	memset(unconstify(float *, space->mean), 0, sizeof(float) * space->rdim);
	if (mean != NULL)
	{
		memcpy(unconstify(float *, space->mean), mean,
			   sizeof(float) * space->rdim);
		space->has_mean = true;
		space->mean_norm = sqrt(kernels.dot_f32(mean, mean, space->rdim));
	}
}

void
hnsw_space_copy(HnswSpace *to, const HnswSpace *from, void *memory)
{
	*to = *from;
	if (!hnsw_space_coded(from))
		return;
	memcpy(memory, from->rotation.signs, quant_rotation_bytes(from->floats));
	to->rotation.signs = memory;
	to->mean = (float *) ((char *) memory +
						  MAXALIGN(quant_rotation_bytes(from->floats)));
	memcpy(unconstify(float *, to->mean), from->mean,
		   sizeof(float) * from->rdim);
}

/*
 * Entries are scored all at once at the start of each search, so their number
 * is a price paid always.  In simulation at 60,000 rows 64 of them were as good as 256
 * and 1,024 (README, "Things tried"); the fourth part of the root keeps their
 * price a small part of a search in larger indexes.  Without codes each costs a page read.
 */
#define MIN_ENTRIES			64
#define ENTRIES_OF_A_PAGE	256
#define MAX_ENTRIES			4096
#define EXACT_ENTRIES		32

uint32
hnsw_entry_target(const HnswSpace *space, uint64 nnodes)
{
	uint64		target = EXACT_ENTRIES;

	if (hnsw_space_coded(space))
	{
		uint32		page = Min(Max(space->layout.entries_per_page, MIN_ENTRIES),
							   ENTRIES_OF_A_PAGE);

		target = Min(Max((uint64) (sqrt((double) nnodes) / 4), page),
					 MAX_ENTRIES);
	}
	return Min(target, nnodes);
}
