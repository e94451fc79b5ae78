/*-------------------------------------------------------------------------
 *
 * hnswpanel.c
 *	  A set of own forms laid out for measuring many nodes against all of them.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswpanel.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "hnsw/hnswpanel.h"
#include "port/pg_bitutils.h"
#include "quant/quant_own.h"
#include "utils/memutils.h"

/* scratch for a new member, behind those of rows */
#define NEW_MEMBER			KERNEL_ROWS

/* Bytes of a member: a multiple of 4. */
static Size
member_bytes(const HnswSpace *space)
{
	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
		case HNSW_OWN_KEPT:
			return space->rdim;
		case HNSW_OWN_F32:
			return sizeof(float) * (Size) space->dim;
		case HNSW_OWN_EXACT:
			return space->metric->panel->bytes(space->dim);
	}
	return 0;
}

/* The same in 8-bit codes: a multiple of 8. */
static Size
packed_bytes(const HnswSpace *space)
{
	return ((Size) space->dim + 7) / 8 * 8;
}

/* What a row needs of the scratch. */
static Size
scratch_bytes(const HnswSpace *space)
{
	return hnsw_panel_packs(space) ?
		Max(member_bytes(space), packed_bytes(space)) : member_bytes(space);
}

static bool
has_codes(const HnswSpace *space)
{
	return space->own_kind == HNSW_OWN_S8 || space->own_kind == HNSW_OWN_KEPT;
}

int
hnsw_panel_max(const HnswSpace *space, Size bytes)
{
	Size		n = bytes / member_bytes(space);

	return Max(n / KERNEL_PANEL, 1) * KERNEL_PANEL;
}

HnswPanel *
hnsw_panel_create(const HnswSpace *space, int max)
{
	HnswPanel  *panel = palloc0(sizeof(HnswPanel));

	panel->space = space;
	panel->max = (max + KERNEL_PANEL - 1) / KERNEL_PANEL * KERNEL_PANEL;
	panel->node = palloc(sizeof(HnswNode) * panel->max);
	panel->scale = palloc0(sizeof(float) * panel->max);
	panel->norm2 = palloc0(sizeof(float) * panel->max);
	panel->codes = MemoryContextAllocExtended(CurrentMemoryContext,
											  mul_size(member_bytes(space),
													   panel->max),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	panel->scratch = palloc(scratch_bytes(space) * (NEW_MEMBER + 1));
	if (has_codes(space))
	{
		panel->ones = palloc(space->rdim);
		memset(panel->ones, 1, space->rdim);
	}
	return panel;
}

void
hnsw_panel_free(HnswPanel *panel)
{
	pfree(panel->node);
	pfree(panel->scale);
	pfree(panel->norm2);
	pfree(panel->codes);
	pfree(panel->scratch);
	if (panel->packed_codes != NULL)
	{
		pfree(panel->low);
		pfree(panel->packed_codes);
	}
	if (panel->ones != NULL)
		pfree(panel->ones);
	pfree(panel);
}

static inline void *
block_codes(const HnswPanel *panel, int block)
{
	return (char *) panel->codes +
		(Size) block * KERNEL_PANEL * member_bytes(panel->space);
}

/* What is measured of an own form; in the form, or in the i-th scratch. */
static const void *
measured_form(const HnswPanel *panel, const uint8 *own, int i, float *scale,
			  float *norm2)
{
	const HnswSpace *space = panel->space;

	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
		case HNSW_OWN_KEPT:
			{
				const QuantOwn *form = hnsw_space_code(space, own);

				*scale = form->scale;
				*norm2 = form->norm2;
				return form->code;
			}
		case HNSW_OWN_F32:
			return ((const HnswF32Own *) own)->x;
		case HNSW_OWN_EXACT:
			return space->metric->panel->form(own, panel->scratch +
											  i * scratch_bytes(space), norm2);
	}
	return NULL;
}

void
hnsw_panel_add(HnswPanel *panel, const uint8 *own, HnswNode node)
{
	int			at = panel->n++;
	uint32	   *to = (uint32 *) block_codes(panel, at / KERNEL_PANEL) +
		at % KERNEL_PANEL;
	const char *form;
	int			n = member_bytes(panel->space) / sizeof(uint32);

	Assert(at < panel->max);
	panel->node[at] = node;
	form = measured_form(panel, own, NEW_MEMBER, &panel->scale[at],
						 &panel->norm2[at]);

	/* dimensions of codes, or bytes of bits, lie together in fours */
	for (int i = 0; i < n; i++)
		memcpy(&to[(Size) i * KERNEL_PANEL], form + i * sizeof(uint32),
			   sizeof(uint32));
}

/* ---- packed ---- */

static inline uint8 *
packed_block(const HnswPanel *panel, int block)
{
	return panel->packed_codes +
		(Size) block * KERNEL_PANEL * packed_bytes(panel->space);
}

/* Memory for codes, which few panels need. */
static void
create_packed(HnswPanel *panel)
{
	const HnswSpace *space = panel->space;
	MemoryContext context = GetMemoryChunkContext(panel);

	panel->low = MemoryContextAlloc(context, sizeof(float) * space->dim);
	panel->packed_codes =
		MemoryContextAllocExtended(context,
								   mul_size(packed_bytes(space), panel->max),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* The smallest values, and the step of codes; false if there is no such step. */
static bool
find_range(HnswPanel *panel)
{
	int			dim = panel->space->dim;
	float		range = 0;

	for (int d = 0; d < dim; d++)
	{
		float		low = FLT_MAX;
		float		high = -FLT_MAX;

		for (int first = 0; first < panel->n; first += KERNEL_PANEL)
		{
			const float *x = (float *) block_codes(panel, first / KERNEL_PANEL) +
				(Size) d * KERNEL_PANEL;

			for (int p = 0; p < Min(panel->n - first, KERNEL_PANEL); p++)
			{
				low = Min(low, x[p]);
				high = Max(high, x[p]);
			}
		}
		panel->low[d] = low;
		range = Max(range, high - low);
	}
	panel->step = range / 255;

	/* neither its inverse overflows nor a sum of such distances */
	return panel->step >= FLT_MIN && range < FLT_MAX / dim;
}

static void
pack_member(HnswPanel *panel, int at)
{
	int			dim = panel->space->dim;
	Size		n = packed_bytes(panel->space);
	const float *from = (float *) block_codes(panel, at / KERNEL_PANEL) +
		at % KERNEL_PANEL;
	uint8	   *to = packed_block(panel, at / KERNEL_PANEL) +
		at % KERNEL_PANEL * 8;
	float	   *x = (float *) (panel->scratch +
							   NEW_MEMBER * scratch_bytes(panel->space));
	uint8	   *code = (uint8 *) panel->scratch;

	for (int d = 0; d < dim; d++)
		x[d] = from[(Size) d * KERNEL_PANEL];
	kernels.quantize_u8(x, panel->low, dim, 1 / panel->step, code);
	memset(code + dim, 0, n - dim);
	for (Size i = 0; i < n; i += 8)
		memcpy(to + i * KERNEL_PANEL, code + i, 8);
}

/* Take a member itself as row r of those to be measured. */
static void
packed_member_row(HnswPanel *panel, KernelRows *rows, int r, int at)
{
	Size		n = packed_bytes(panel->space);
	const uint8 *from = packed_block(panel, at / KERNEL_PANEL) +
		at % KERNEL_PANEL * 8;
	char	   *code = panel->scratch + r * scratch_bytes(panel->space);

	for (Size i = 0; i < n; i += 8)
		memcpy(code + i, from + i * KERNEL_PANEL, 8);
	rows->x[r] = code;
	rows->scale[r] = panel->step;
	rows->norm2[r] = 0;
}

/*
 * A distance of codes is off by about half the root of the dimensions, in steps.
 * No more than an eighth of the members may be so near to one that this says
 * little about their order: then they are fewer than the candidates that a node
 * keeps, and these are measured again.
 */
#define VAGUE_STEPS(dim)	(32 * sqrt(dim))
#define MAX_VAGUE(n)		((n) / 8 + 1)

static bool
are_told_apart(HnswPanel *panel)
{
	float		dist[KERNEL_ROWS * KERNEL_PANEL];
	uint16		near[KERNEL_ROWS];
	KernelRows	rows = {.n = Min(panel->n, KERNEL_ROWS)};
	int			nvague = 0;

	for (int r = 0; r < rows.n; r++)
	{
		packed_member_row(panel, &rows, r, panel->n * r / rows.n);
		rows.bound[r] = panel->step * VAGUE_STEPS(panel->space->dim);
	}
	for (int b = 0; b < hnsw_panel_blocks(panel); b++)
	{
		hnsw_panel_measure(panel, b, &rows, dist, near);
		for (int r = 0; r < rows.n; r++)
			nvague += pg_popcount32(near[r]);
	}
	return nvague <= rows.n * MAX_VAGUE(panel->n);
}

void
hnsw_panel_pack(HnswPanel *panel)
{
	Assert(hnsw_panel_packs(panel->space));
	if (panel->n == 0)
		return;
	if (panel->packed_codes == NULL)
		create_packed(panel);
	if (!find_range(panel))
		return;
	for (int at = 0; at < panel->n; at++)
		pack_member(panel, at);
	panel->packed = true;
	panel->packed = are_told_apart(panel);
}

/* ---- measuring ---- */

/* Codes in place of the floats of row r, in its scratch. */
static void
pack_row(const HnswPanel *panel, KernelRows *rows, int r)
{
	int			dim = panel->space->dim;
	char	   *code = panel->scratch + r * scratch_bytes(panel->space);

	/* the floats may lie there: each has been read before its code is written */
	rows->norm2[r] = panel->step *
		kernels.quantize_u8(rows->x[r], panel->low, dim, 1 / panel->step,
							(uint8 *) code);
	memset(code + dim, 0, packed_bytes(panel->space) - dim);
	rows->x[r] = code;
	rows->scale[r] = panel->step;
}

void
hnsw_panel_row(const HnswPanel *panel, KernelRows *rows, int r,
			   const uint8 *own)
{
	rows->x[r] = measured_form(panel, own, r, &rows->scale[r],
							   &rows->norm2[r]);
	if (panel->packed)
		pack_row(panel, rows, r);
	if (panel->ones != NULL)
		rows->sum[r] = kernels.dot_s8(rows->x[r], panel->ones,
									  panel->space->rdim);
}

static void
measure_block(const HnswPanel *panel, int block, const KernelRows *rows,
			  float *dist, uint16 *near)
{
	const HnswSpace *space = panel->space;
	int			first = block * KERNEL_PANEL;
	void	   *codes = block_codes(panel, block);

	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
		case HNSW_OWN_KEPT:
			kernels.panel_near_s8(codes, panel->scale + first,
								  panel->norm2 + first, rows, space->rdim,
								  dist, near);
			break;
		case HNSW_OWN_F32:
			kernels.panel_near_f32(codes, rows, space->dim, dist, near);
			break;
		case HNSW_OWN_EXACT:
			space->metric->panel->near(codes, panel->norm2 + first, rows,
									   space->dim, dist, near);
			break;
	}
}

void
hnsw_panel_measure(const HnswPanel *panel, int block, const KernelRows *rows,
				   float *dist, uint16 *near)
{
	int			first = block * KERNEL_PANEL;

	Assert(first < panel->n);
	if (panel->packed)
		kernels.panel_near_u8(packed_block(panel, block), rows,
							  packed_bytes(panel->space), dist, near);
	else
		measure_block(panel, block, rows, dist, near);

	if (panel->n - first < KERNEL_PANEL)
	{
		/* no member has filled the other lanes */
		for (int r = 0; r < rows->n; r++)
			near[r] &= (1 << (panel->n - first)) - 1;
	}
}
