/*-------------------------------------------------------------------------
 *
 * hnswpanel.h
 *	  A set of own forms laid out for measuring many nodes against all of them.
 *
 * KERNEL_PANEL of them lie side by side, so that one pass over a block of
 * memory gives as many distances (kernel.h).
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswpanel.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWPANEL_H
#define HNSWPANEL_H

#include "hnsw/hnswspace.h"
#include "kernel/kernel.h"

typedef struct HnswPanel
{
	const HnswSpace *space;
	int			max;			/* most members, a multiple of KERNEL_PANEL */
	int			n;
	HnswNode   *node;			/* of each member */
	float	   *scale;			/* of its code, if forms have one */
	float	   *norm2;
	void	   *codes;			/* blocks of KERNEL_PANEL members */
	int8	   *ones;			/* rdim of them, if members are codes, or NULL */
	char	   *scratch;		/* what is measured of a new member, and of each
								 * row, if own forms do not hold it */
	bool		packed;			/* see hnsw_panel_pack; then: */
	float	   *low;			/* what is lowest in each dimension */
	float		step;			/* of codes */
	uint8	   *packed_codes;	/* blocks of KERNEL_PANEL members, or NULL */
} HnswPanel;

/*
 * hnsw_panel_create -- room for 'max' members at least.  Memory: the current
 * context.  hnsw_panel_max: how many fit into about 'bytes'.
 */
extern HnswPanel *hnsw_panel_create(const HnswSpace *space, int max);
extern void hnsw_panel_free(HnswPanel *panel);
extern int	hnsw_panel_max(const HnswSpace *space, Size bytes);

static inline void
hnsw_panel_clear(HnswPanel *panel)
{
	panel->n = 0;
	panel->packed = false;
}

extern void hnsw_panel_add(HnswPanel *panel, const uint8 *own, HnswNode node);

/*
 * hnsw_panel_pack -- measure the members that there are by 8-bit codes, for
 * about a fourth of the time, if they can be told apart by these.  Distances
 * are no longer exact.  hnsw_panel_packs: in such spaces only.
 */
extern void hnsw_panel_pack(HnswPanel *panel);

static inline bool
hnsw_panel_packs(const HnswSpace *space)
{
	return space->own_kind == HNSW_OWN_EXACT && space->metric->panel->packs;
}

static inline int
hnsw_panel_blocks(const HnswPanel *panel)
{
	return (panel->n + KERNEL_PANEL - 1) / KERNEL_PANEL;
}

/*
 * Take an own form as row r of those to be measured; until another one is row r
 * of that panel.
 */
extern void hnsw_panel_row(const HnswPanel *panel, KernelRows *rows, int r,
						   const uint8 *own);

/*
 * hnsw_panel_measure -- building distances (hnsw_space_between) of rows to the members
 * of a block: dist[r * KERNEL_PANEL + i] belongs to member
 * block * KERNEL_PANEL + i, and bit i of near[r] says whether it is below
 * rows->bound[r].  No such bit is set behind the last member, nor for a distance
 * that is not a number.  See panel_near_s8 of kernel.h.
 */
extern void hnsw_panel_measure(const HnswPanel *panel, int block,
							   const KernelRows *rows, float *dist,
							   uint16 *near);

#endif							/* HNSWPANEL_H */
