/*-------------------------------------------------------------------------
 *
 * kernel_panel.h
 *	  The kernels of many pairs of each instruction set, for the tables.
 *
 * Internal to this directory: everybody else calls through 'kernels'
 * (kernel.h), where the functions are described.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_panel.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef KERNEL_PANEL_H
#define KERNEL_PANEL_H

#include "kernel/kernel.h"

/*
 * Before a loop over the rows that are done together: their sums can be
 * registers only if the loop is unrolled, which gcc does not do at -O2.
 */
#if defined(__clang__)
#define UNROLL_ROWS		_Pragma("unroll")
#else
#define UNROLL_ROWS		_Pragma("GCC unroll 8")
#endif

#if defined(__x86_64__)
extern void panel_near_s8_avx2(const int8_t *panel, const float *scale,
							 const float *norm2, const KernelRows *rows,
							 size_t n, float *dist, uint16_t *near);
extern void panel_near_f32_avx2(const float *panel, const KernelRows *rows,
							  size_t n, float *dist, uint16_t *near);
extern void panel_near_s8_avx512(const int8_t *panel, const float *scale,
							 const float *norm2, const KernelRows *rows,
							 size_t n, float *dist, uint16_t *near);
extern void panel_near_f32_avx512(const float *panel, const KernelRows *rows,
							  size_t n, float *dist, uint16_t *near);
extern void rows_l2sq_s8_avx2(const int8_t *x, float scale, float norm2,
							  const KernelForms *rows, size_t n, float *dist);
extern void rows_l2sq_f32_avx2(const float *x, const KernelForms *rows,
							   size_t n, float *dist);
extern void rows_l2sq_s8_avx512(const int8_t *x, float scale, float norm2,
								const KernelForms *rows, size_t n, float *dist);
extern void rows_l2sq_f32_avx512(const float *x, const KernelForms *rows,
								 size_t n, float *dist);

extern void panel_near_l1_avx2(const float *panel, const KernelRows *rows,
							   size_t n, float *dist, uint16_t *near);
extern void panel_near_hamming_avx2(const uint8_t *panel,
									const KernelRows *rows, size_t n,
									float *dist, uint16_t *near);
extern void panel_near_jaccard_avx2(const uint8_t *panel, const float *norm2,
									const KernelRows *rows, size_t n,
									float *dist, uint16_t *near);
extern void panel_near_l1_avx512(const float *panel, const KernelRows *rows,
								 size_t n, float *dist, uint16_t *near);
extern void panel_near_hamming_avx512(const uint8_t *panel,
									  const KernelRows *rows, size_t n,
									  float *dist, uint16_t *near);
extern void panel_near_jaccard_avx512(const uint8_t *panel,
									  const float *norm2,
									  const KernelRows *rows, size_t n,
									  float *dist, uint16_t *near);
#endif

#if defined(__aarch64__)
extern void panel_near_l1_neon(const float *panel, const KernelRows *rows,
							   size_t n, float *dist, uint16_t *near);
extern void panel_near_hamming_neon(const uint8_t *panel,
									const KernelRows *rows, size_t n,
									float *dist, uint16_t *near);
extern void panel_near_jaccard_neon(const uint8_t *panel, const float *norm2,
									const KernelRows *rows, size_t n,
									float *dist, uint16_t *near);
#endif

#endif							/* KERNEL_PANEL_H */
