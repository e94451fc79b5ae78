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

/* dimensions of a code that lie together in a panel: panel_dot_s8 of kernel.h */
#define GROUP				4

static Size
member_bytes(const HnswSpace *space)
{
	return space->own_kind == HNSW_OWN_F32 ?
		sizeof(float) * (Size) space->dim : (Size) space->rdim;
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

	Assert(hnsw_space_coded(space));
	panel->space = space;
	panel->max = (max + KERNEL_PANEL - 1) / KERNEL_PANEL * KERNEL_PANEL;
	panel->node = palloc(sizeof(HnswNode) * panel->max);
	panel->scale = palloc0(sizeof(float) * panel->max);
	panel->norm2 = palloc0(sizeof(float) * panel->max);
	panel->codes = MemoryContextAllocExtended(CurrentMemoryContext,
											  mul_size(member_bytes(space),
													   panel->max),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return panel;
}

void
hnsw_panel_free(HnswPanel *panel)
{
	pfree(panel->node);
	pfree(panel->scale);
	pfree(panel->norm2);
	pfree(panel->codes);
	pfree(panel);
}

static inline void *
block_codes(const HnswPanel *panel, int block)
{
	return (char *) panel->codes +
		(Size) block * KERNEL_PANEL * member_bytes(panel->space);
}

void
hnsw_panel_add(HnswPanel *panel, const uint8 *own, HnswNode node)
{
	const HnswSpace *space = panel->space;
	int			at = panel->n++;
	int			lane = at % KERNEL_PANEL;
	void	   *codes = block_codes(panel, at / KERNEL_PANEL);

	Assert(at < panel->max);
	panel->node[at] = node;
	if (space->own_kind != HNSW_OWN_F32)
	{
		const QuantOwn *form = hnsw_space_code(space, own);
		int8	   *to = (int8 *) codes + lane * GROUP;

		panel->scale[at] = form->scale;
		panel->norm2[at] = form->norm2;
		for (int i = 0; i < space->rdim; i += GROUP)
			memcpy(to + (Size) i * KERNEL_PANEL, form->code + i, GROUP);
	}
	else
	{
		const HnswF32Own *form = (const HnswF32Own *) own;
		float	   *to = (float *) codes + lane;

		for (int i = 0; i < space->dim; i++)
			to[(Size) i * KERNEL_PANEL] = form->x[i];
	}
}

void
hnsw_panel_row(const HnswPanel *panel, KernelRows *rows, int r,
			   const uint8 *own)
{
	if (panel->space->own_kind != HNSW_OWN_F32)
	{
		const QuantOwn *form = hnsw_space_code(panel->space, own);

		rows->x[r] = form->code;
		rows->scale[r] = form->scale;
		rows->norm2[r] = form->norm2;
	}
	else
		rows->x[r] = ((const HnswF32Own *) own)->x;
}

void
hnsw_panel_measure(const HnswPanel *panel, int block, const KernelRows *rows,
				   float *dist, uint16 *near)
{
	int			first = block * KERNEL_PANEL;
	void	   *codes = block_codes(panel, block);

	Assert(first < panel->n);
	if (panel->space->own_kind != HNSW_OWN_F32)
		kernels.panel_near_s8(codes, panel->scale + first,
							  panel->norm2 + first, rows, panel->space->rdim,
							  dist, near);
	else
		kernels.panel_near_f32(codes, rows, panel->space->dim, dist, near);

	if (panel->n - first < KERNEL_PANEL)
	{
		/* no member has filled the other lanes */
		for (int r = 0; r < rows->n; r++)
			near[r] &= (1 << (panel->n - first)) - 1;
	}
}
