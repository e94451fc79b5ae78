/*-------------------------------------------------------------------------
 *
 * kernel_tables.h
 *	  The tables of the files of this directory, for the choice among them.
 *
 * Internal to this directory: everybody else calls through 'kernels' (kernel.h).
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_tables.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef KERNEL_TABLES_H
#define KERNEL_TABLES_H

#include "kernel/kernel.h"

#if defined(__x86_64__)
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx2_code;
extern const Kernels kernels_avx2_panel;
extern const Kernels kernels_avx2_rows;
extern const Kernels kernels_avx512;
extern const Kernels kernels_avx512_code;
extern const Kernels kernels_avx512_panel;
extern const Kernels kernels_avx512_rows;
#endif

#if defined(__aarch64__)
extern const Kernels kernels_neon;
extern const Kernels kernels_neon_panel;
#endif

#endif							/* KERNEL_TABLES_H */
