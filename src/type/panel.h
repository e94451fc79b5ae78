/*-------------------------------------------------------------------------
 *
 * panel.h
 *	  Distances of many values, for the spaces that only the type knows.
 *
 * KERNEL_PANEL values lie side by side, four bytes of each after another, as the
 * kernels want them (kernel.h).  Used by builds of indexes, through metric.h.
 *
 * IDENTIFICATION
 *	  src/type/panel.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef PANEL_H
#define PANEL_H

#include "kernel/kernel.h"

typedef struct VectorPanel
{
	/* Bytes of a value in the form that is measured, a multiple of 4. */
	Size		(*bytes) (int dim);

	/*
	 * That form of a detoasted value: in the value itself, or in 'scratch' of
	 * so many bytes.  *norm2: what 'near' wants to know of it besides.
	 */
	const void *(*form) (const void *value, void *scratch, float *norm2);

	/*
	 * The distances of some rows to the values of a panel, as VectorMetric's
	 * 'distance' but for rounding; see panel_near_s8 of kernel.h.
	 */
	void		(*near) (const void *panel, const float *norm2,
						 const KernelRows *rows, int dim, float *dist,
						 uint16 *near);

	/*
	 * The form is floats, whose absolute differences are summed: codes of them
	 * find what is near as well.
	 */
	bool		packs;

	/*
	 * The distances of a value to others, whose dimensions are equal, but for
	 * rounding; NULL: one by one is as good.
	 */
	void		(*among) (const void *value, const KernelForms *others,
						  float *dist);
} VectorPanel;

extern const VectorPanel vector_panel_l1;
extern const VectorPanel halfvec_panel_l1;
extern const VectorPanel sparsevec_panel_l1;
extern const VectorPanel bit_panel_hamming;
extern const VectorPanel bit_panel_jaccard;

#endif							/* PANEL_H */
