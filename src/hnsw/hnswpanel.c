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

#include "hnsw/hnswpanel.h"
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
	panel->scratch = palloc(member_bytes(space) * (NEW_MEMBER + 1));
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
											  i * member_bytes(space), norm2);
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

void
hnsw_panel_row(const HnswPanel *panel, KernelRows *rows, int r,
			   const uint8 *own)
{
	rows->x[r] = measured_form(panel, own, r, &rows->scale[r],
							   &rows->norm2[r]);
}

void
hnsw_panel_measure(const HnswPanel *panel, int block, const KernelRows *rows,
				   float *dist, uint16 *near)
{
	const HnswSpace *space = panel->space;
	int			first = block * KERNEL_PANEL;
	void	   *codes = block_codes(panel, block);

	Assert(first < panel->n);
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

	if (panel->n - first < KERNEL_PANEL)
	{
		/* no member has filled the other lanes */
		for (int r = 0; r < rows->n; r++)
			near[r] &= (1 << (panel->n - first)) - 1;
	}
}
