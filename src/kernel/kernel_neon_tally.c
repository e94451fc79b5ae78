/*-------------------------------------------------------------------------
 *
 * kernel_neon_tally.c
 *	  Panel kernels of L1 and of bits for 64-bit ARM.
 *
 * A panel's 16 vectors are four registers wide.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_neon_tally.c
 *
 *-------------------------------------------------------------------------
 */
#if defined(__aarch64__)

#include <arm_neon.h>
#include <string.h>

#include "kernel/kernel_panel.h"

/* registers of a panel */
#define PARTS		4

/* four bytes of each vector of a panel */
#define GROUP		(4 * KERNEL_PANEL)

/* groups whose counts, 8 of a byte at most, fit into a byte: 31 of them */
#define BYTE_SUMS	(31 * 4)

/* Store 16 distances, and say which are near. */
static inline uint16_t
store_near(float *dist, const float32x4_t *x, float bound)
{
	const uint32x4_t bit = {1, 2, 4, 8};
	uint32_t	near = 0;

	for (int part = 0; part < PARTS; part++)
	{
		uint32x4_t	is_near = vcltq_f32(x[part], vdupq_n_f32(bound));

		vst1q_f32(dist + 4 * part, x[part]);
		near |= vaddvq_u32(vandq_u32(is_near, bit)) << (4 * part);
	}
	return (uint16_t) near;
}

/* ---- L1 ---- */

void
panel_near_l1_neon(const float *panel, const KernelRows *rows, size_t n,
				   float *dist, uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		const float *x = rows->x[r];
		float32x4_t sum[PARTS];

		UNROLL_ROWS
		for (int part = 0; part < PARTS; part++)
			sum[part] = vdupq_n_f32(0);
		for (size_t i = 0; i < n; i++)
		{
			float32x4_t y = vdupq_n_f32(x[i]);

			UNROLL_ROWS
			for (int part = 0; part < PARTS; part++)
				sum[part] = vaddq_f32(sum[part],
									  vabdq_f32(vld1q_f32(panel + i * KERNEL_PANEL +
														  4 * part), y));
		}
		near[r] = store_near(dist + r * KERNEL_PANEL, sum, rows->bound[r]);
	}
}

/* ---- bits ---- */

/*
 * Bits that differ from x, or with 'common' a constant true, that are set in
 * both, of the 16 strings.
 */
static inline __attribute__((always_inline)) void
count_bits(const uint8_t *panel, const uint8_t *x, size_t n, bool common,
		   uint32x4_t *count)
{
	for (int part = 0; part < PARTS; part++)
		count[part] = vdupq_n_u32(0);
	for (size_t first = 0; first < n; first += BYTE_SUMS)
	{
		size_t		end = n - first < BYTE_SUMS ? n : first + BYTE_SUMS;
		uint8x16_t	sum[PARTS];

		UNROLL_ROWS
		for (int part = 0; part < PARTS; part++)
			sum[part] = vdupq_n_u8(0);
		for (size_t i = first; i < end; i += 4)
		{
			const uint8_t *group = panel + i / 4 * GROUP;
			uint8x16_t	y;
			uint32_t	four;

			memcpy(&four, x + i, sizeof(four));
			y = vreinterpretq_u8_u32(vdupq_n_u32(four));
			UNROLL_ROWS
			for (int part = 0; part < PARTS; part++)
			{
				uint8x16_t	bits = vld1q_u8(group + 16 * part);

				bits = common ? vandq_u8(bits, y) : veorq_u8(bits, y);
				sum[part] = vaddq_u8(sum[part], vcntq_u8(bits));
			}
		}
		for (int part = 0; part < PARTS; part++)
			count[part] = vaddq_u32(count[part],
									vpaddlq_u16(vpaddlq_u8(sum[part])));
	}
}

void
panel_near_hamming_neon(const uint8_t *panel, const KernelRows *rows,
						size_t n, float *dist, uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		uint32x4_t	count[PARTS];
		float32x4_t d[PARTS];

		count_bits(panel, rows->x[r], n, false, count);
		for (int part = 0; part < PARTS; part++)
			d[part] = vcvtq_f32_u32(count[part]);
		near[r] = store_near(dist + r * KERNEL_PANEL, d, rows->bound[r]);
	}
}

/* 1 - both / (a + b - both); 1 if both is 0 */
static inline float32x4_t
jaccard_distance(uint32x4_t count, float32x4_t norms)
{
	const float32x4_t one = vdupq_n_f32(1);
	float32x4_t both = vcvtq_f32_u32(count);
	float32x4_t share = vdivq_f32(both, vsubq_f32(norms, both));

	return vbslq_f32(vceqzq_u32(count), one, vsubq_f32(one, share));
}

void
panel_near_jaccard_neon(const uint8_t *panel, const float *norm2,
						const KernelRows *rows, size_t n, float *dist,
						uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		uint32x4_t	count[PARTS];
		float32x4_t d[PARTS];

		count_bits(panel, rows->x[r], n, true, count);
		for (int part = 0; part < PARTS; part++)
			d[part] = jaccard_distance(count[part],
									   vaddq_f32(vdupq_n_f32(rows->norm2[r]),
												 vld1q_f32(norm2 + 4 * part)));
		near[r] = store_near(dist + r * KERNEL_PANEL, d, rows->bound[r]);
	}
}

#else

/* ISO C wants something in every file */
typedef int KernelNeonTallyUnused;

#endif							/* __aarch64__ */
