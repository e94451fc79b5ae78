/*-------------------------------------------------------------------------
 *
 * kernel_scalar.c
 *	  Distance kernels in plain C: the definition of every entry.
 *
 * These loops are what the other tables are tested against, so they stay
 * plain: one accumulator, elements in order.  The Makefile compiles this file
 * with -fno-tree-vectorize -ffp-contract=off.
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_scalar.c
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"

/* clang has no per-file flag in the bitcode build, and fuses within a line */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

/* sum (a_i - b_i)^2 */
static float
l2sq_f32(const float *a, const float *b, size_t n)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		float		diff = a[i] - b[i];

		sum += diff * diff;
	}
	return sum;
}

/* sum a_i b_i */
static float
dot_f32(const float *a, const float *b, size_t n)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* sum |a_i - b_i| */
static float
l1_f32(const float *a, const float *b, size_t n)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += fabsf(a[i] - b[i]);
	return sum;
}

/* <a,b>, <a,a>, <b,b> */
static KernelCosine
cosine_f32(const float *a, const float *b, size_t n)
{
	KernelCosine sums = {0, 0, 0};

	for (size_t i = 0; i < n; i++)
	{
		sums.dot += a[i] * b[i];
		sums.norm_a += a[i] * a[i];
		sums.norm_b += b[i] * b[i];
	}
	return sums;
}

/* sum of the products at equal indices: a merge */
static float
dot_sparse(const int32_t *at_a, const float *a, size_t na,
		   const int32_t *at_b, const float *b, size_t nb)
{
	float		sum = 0;
	size_t		i = 0;
	size_t		j = 0;

	while (i < na && j < nb)
	{
		int32_t		index_a = at_a[i];
		int32_t		index_b = at_b[j];

		if (index_a == index_b)
			sum += a[i] * b[j];
		i += index_a <= index_b;
		j += index_b <= index_a;
	}
	return sum;
}

/*
 * The float equal to a binary16: sign, 5 bits of exponent, 10 of fraction.
 *
 * Moved to a float's place, exponent and fraction make the number times 2^-112,
 * denormal or not: a multiplication does the rest.  Only infinity and NaN still
 * need the largest exponent.
 */
static inline float
widen(uint16_t half)
{
	uint32_t	bits = (uint32_t) (half & 0x7fff) << 13;
	float		value;

	memcpy(&value, &bits, sizeof(value));
	value *= 0x1p112f;
	memcpy(&bits, &value, sizeof(bits));
	if ((half & 0x7c00) == 0x7c00)
		bits |= 0x7f800000;
	if ((half & 0x7fff) > 0x7c00)
		bits |= 0x00400000;
	bits |= (uint32_t) (half & 0x8000) << 16;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/*
 * The binary16 nearest to a float, ties to even.
 */
static inline uint16_t
narrow(float value)
{
	uint32_t	bits;
	uint32_t	sign;
	uint32_t	rest;

	memcpy(&bits, &value, sizeof(bits));
	sign = bits >> 16 & 0x8000;
	bits &= 0x7fffffff;

	if (bits > 0x7f800000)		/* NaN */
		return (uint16_t) (sign | 0x7e00 | (bits >> 13 & 0x03ff));
	if (bits >= 0x477ff000)		/* 65520 */
		return (uint16_t) (sign | 0x7c00);

	/* a normal half: another bias, and 13 bits less, which may carry */
	if (bits >= 0x38800000)		/* 2^-14 */
	{
		bits -= (uint32_t) 112 << 23;
		bits += 0x0fff + (bits >> 13 & 1);
		return (uint16_t) (sign | bits >> 13);
	}

	/*
	 * A multiple of 2^-24: the multiples are those of the last bit of a float
	 * between 1/2 and 1, so this addition rounds to one.
	 */
	memcpy(&value, &bits, sizeof(value));
	value += 0.5f;
	memcpy(&rest, &value, sizeof(rest));
	return (uint16_t) (sign | (rest - 0x3f000000));
}

/* the floats equal to x_i */
static void
half_to_float(const uint16_t *x, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = widen(x[i]);
}

/* the halves nearest to x_i */
static void
float_to_half(const float *x, size_t n, uint16_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = narrow(x[i]);
}

/* sum (a_i - b_i)^2 */
static float
l2sq_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		float		diff = widen(a[i]) - widen(b[i]);

		sum += diff * diff;
	}
	return sum;
}

/* sum a_i b_i */
static float
dot_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += widen(a[i]) * widen(b[i]);
	return sum;
}

/* sum |a_i - b_i| */
static float
l1_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += fabsf(widen(a[i]) - widen(b[i]));
	return sum;
}

/* <a,b>, <a,a>, <b,b> */
static KernelCosine
cosine_f16(const uint16_t *a, const uint16_t *b, size_t n)
{
	KernelCosine sums = {0, 0, 0};

	for (size_t i = 0; i < n; i++)
	{
		float		x = widen(a[i]);
		float		y = widen(b[i]);

		sums.dot += x * y;
		sums.norm_a += x * x;
		sums.norm_b += y * y;
	}
	return sums;
}

/* for h = 1, 2, 4 ...: (x, y) -> (x + y, x - y) of elements h apart */
static void
fht_f32(float *x, size_t n)
{
	for (size_t h = 1; h < n; h *= 2)
	{
		for (size_t i = 0; i < n; i += 2 * h)
		{
			for (size_t j = i; j < i + h; j++)
			{
				float		a = x[j];
				float		b = x[j + h];

				x[j] = a + b;
				x[j + h] = a - b;
			}
		}
	}
}

/* sum a_i b_i, b 8-bit */
static float
dot_f32s8(const float *a, const int8_t *b, size_t n)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * (float) b[i];
	return sum;
}

/* sum a_i b_i, both 8-bit */
static int32_t
dot_s8(const int8_t *a, const int8_t *b, size_t n)
{
	int32_t		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (int32_t) a[i] * b[i];
	return sum;
}

/* the four lower bits of dimension i */
static int
low_bits(const uint8_t *low, size_t i)
{
	return (low[i / 16 * 8 + i % 8] >> (i % 16 < 8 ? 0 : 4)) & 15;
}

static float
l2sq_f32s12(const float *a, const int8_t *high, const uint8_t *low,
			float step, size_t n)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		float		code = (float) (16 * high[i] + low_bits(low, i)) - 7.5f;
		float		diff = a[i] - step * code;

		sum += diff * diff;
	}
	return sum;
}

/* for each code, the sum of q_i over its set bits */
static void
sum_bits_s8(const int8_t *q, const uint8_t *codes, size_t stride, int ncodes,
			size_t n, int32_t *sums)
{
	for (int k = 0; k < ncodes; k++)
	{
		const uint8_t *code = codes + (size_t) k * stride;
		int32_t		sum = 0;

		for (size_t i = 0; i < n; i++)
		{
			if (code[i / 8] & (1 << (i % 8)))
				sum += q[i];
		}
		sums[k] = sum;
	}
}

/* number of set bits in one byte */
static inline uint32_t
popcount_byte(uint8_t byte)
{
	uint32_t	count = 0;

	for (; byte != 0; byte &= (uint8_t) (byte - 1))
		count++;
	return count;
}

/* popcount(a ^ b) */
static uint32_t
hamming(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint32_t	count = 0;

	for (size_t i = 0; i < n; i++)
		count += popcount_byte(a[i] ^ b[i]);
	return count;
}

/* popcount(a & b), popcount(a | b) */
static void
jaccard(const uint8_t *a, const uint8_t *b, size_t n, uint32_t *both,
		uint32_t *either)
{
	uint32_t	n_both = 0;
	uint32_t	n_either = 0;

	for (size_t i = 0; i < n; i++)
	{
		n_both += popcount_byte(a[i] & b[i]);
		n_either += popcount_byte(a[i] | b[i]);
	}
	*both = n_both;
	*either = n_either;
}

/* one dimension of a residual: its sign bit and its part of the sums */
static inline void
add_residual(float r, size_t i, size_t nbits, uint8_t *bits,
			 KernelResidual *sums)
{
	sums->norm2 += r * r;
	if (i >= nbits)
		return;
	if (i % 8 == 0)
		bits[i / 8] = 0;
	if (r > 0)
		bits[i / 8] |= (uint8_t) (1 << (i % 8));
	sums->sum_abs += fabsf(r);
}

/* signs and sums of r_i = scale_a * a_i - scale_c * c_i */
static KernelResidual
residual_s8(const int8_t *a, float scale_a, const int8_t *c, float scale_c,
			size_t n, size_t nbits, uint8_t *bits)
{
	KernelResidual sums = {0, 0};

	for (size_t i = 0; i < n; i++)
	{
		float		va = scale_a * (float) a[i];
		float		vc = scale_c * (float) c[i];

		add_residual(va - vc, i, nbits, bits, &sums);
	}
	return sums;
}

/* signs and sums of r_i */
static KernelResidual
residual_f32(const float *r, size_t n, size_t nbits, uint8_t *bits)
{
	KernelResidual sums = {0, 0};

	for (size_t i = 0; i < n; i++)
		add_residual(r[i], i, nbits, bits, &sums);
	return sums;
}

/* q_i - scale * c_i */
static void
subtract_s8(const float *q, const int8_t *c, float scale, size_t n, float *r)
{
	for (size_t i = 0; i < n; i++)
	{
		float		product = scale * (float) c[i];

		r[i] = q[i] - product;
	}
}

/* four bytes of each vector of a panel */
#define PANEL_GROUP		(4 * KERNEL_PANEL)

static void
mark_near(const float *dist, float bound, uint16_t *near)
{
	*near = 0;
	for (int p = 0; p < KERNEL_PANEL; p++)
		*near |= (dist[p] < bound) << p;
}

static void
panel_near_s8(const int8_t *panel, const float *scale, const float *norm2,
			  const KernelRows *rows, size_t n, float *dist, uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		const int8_t *x = rows->x[r];
		float	   *d = dist + r * KERNEL_PANEL;

		for (int p = 0; p < KERNEL_PANEL; p++)
		{
			int32_t		dot = 0;

			for (size_t i = 0; i < n; i++)
				dot += (int32_t) panel[i / 4 * PANEL_GROUP + p * 4 + i % 4] * x[i];
			d[p] = rows->norm2[r] + norm2[p] -
				2 * (rows->scale[r] * scale[p] * (float) dot);
			d[p] = d[p] < 0 ? 0 : d[p];
		}
		mark_near(d, rows->bound[r], &near[r]);
	}
}

static void
panel_near_f32(const float *panel, const KernelRows *rows, size_t n,
			   float *dist, uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		const float *x = rows->x[r];
		float	   *d = dist + r * KERNEL_PANEL;

		for (int p = 0; p < KERNEL_PANEL; p++)
		{
			d[p] = 0;
			for (size_t i = 0; i < n; i++)
			{
				float		diff = panel[i * KERNEL_PANEL + p] - x[i];

				d[p] += diff * diff;
			}
		}
		mark_near(d, rows->bound[r], &near[r]);
	}
}

static void
panel_near_l1(const float *panel, const KernelRows *rows, size_t n,
			  float *dist, uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		const float *x = rows->x[r];
		float	   *d = dist + r * KERNEL_PANEL;

		for (int p = 0; p < KERNEL_PANEL; p++)
		{
			d[p] = 0;
			for (size_t i = 0; i < n; i++)
				d[p] += fabsf(panel[i * KERNEL_PANEL + p] - x[i]);
		}
		mark_near(d, rows->bound[r], &near[r]);
	}
}

static void
panel_near_u8(const uint8_t *panel, const KernelRows *rows, size_t n,
			  float *dist, uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		const uint8_t *x = rows->x[r];
		float	   *d = dist + r * KERNEL_PANEL;

		for (int p = 0; p < KERNEL_PANEL; p++)
		{
			int32_t		sum = 0;

			for (size_t i = 0; i < n; i++)
				sum += abs(panel[i / 8 * 2 * PANEL_GROUP + p * 8 + i % 8] - x[i]);
			d[p] = rows->norm2[r] + rows->scale[r] * (float) sum;
		}
		mark_near(d, rows->bound[r], &near[r]);
	}
}

static void
panel_near_hamming(const uint8_t *panel, const KernelRows *rows, size_t n,
				   float *dist, uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		const uint8_t *x = rows->x[r];
		float	   *d = dist + r * KERNEL_PANEL;

		for (int p = 0; p < KERNEL_PANEL; p++)
		{
			uint32_t	count = 0;

			for (size_t i = 0; i < n; i++)
				count += popcount_byte(panel[i / 4 * PANEL_GROUP + p * 4 + i % 4] ^ x[i]);
			d[p] = (float) count;
		}
		mark_near(d, rows->bound[r], &near[r]);
	}
}

static void
panel_near_jaccard(const uint8_t *panel, const float *norm2,
				   const KernelRows *rows, size_t n, float *dist,
				   uint16_t *near)
{
	for (int r = 0; r < rows->n; r++)
	{
		const uint8_t *x = rows->x[r];
		float	   *d = dist + r * KERNEL_PANEL;

		for (int p = 0; p < KERNEL_PANEL; p++)
		{
			uint32_t	both = 0;

			for (size_t i = 0; i < n; i++)
				both += popcount_byte(panel[i / 4 * PANEL_GROUP + p * 4 + i % 4] & x[i]);
			d[p] = both == 0 ? 1 :
				1 - (float) both / (rows->norm2[r] + norm2[p] - (float) both);
		}
		mark_near(d, rows->bound[r], &near[r]);
	}
}

static void
rows_l2sq_s8(const int8_t *x, float scale, float norm2,
			 const KernelForms *rows, size_t n, float *dist)
{
	for (int r = 0; r < rows->n; r++)
	{
		int32_t		dot = dot_s8(x, rows->x[r], n);

		dist[r] = norm2 + rows->norm2[r] -
			2 * (scale * rows->scale[r] * (float) dot);
		dist[r] = dist[r] < 0 ? 0 : dist[r];
	}
}

static void
rows_l2sq_f32(const float *x, const KernelForms *rows, size_t n, float *dist)
{
	for (int r = 0; r < rows->n; r++)
		dist[r] = l2sq_f32(x, rows->x[r], n);
}

static void
rows_l1_f32(const float *x, const KernelForms *rows, size_t n, float *dist)
{
	for (int r = 0; r < rows->n; r++)
		dist[r] = l1_f32(x, rows->x[r], n);
}

/* 4 bytes each, reversed; finite: an exponent that is not all ones */
static bool
swap_f32(const void *from, size_t n, void *to)
{
	bool		finite = true;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t	x;

		memcpy(&x, (const char *) from + sizeof(x) * i, sizeof(x));
		x = x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24;
		memcpy((char *) to + sizeof(x) * i, &x, sizeof(x));
		finite &= (x & 0x7f800000) != 0x7f800000;
	}
	return finite;
}

/* 2 bytes each, reversed */
static bool
swap_f16(const void *from, size_t n, void *to)
{
	bool		finite = true;

	for (size_t i = 0; i < n; i++)
	{
		uint16_t	x;

		memcpy(&x, (const char *) from + sizeof(x) * i, sizeof(x));
		x = (uint16_t) (x >> 8 | x << 8);
		memcpy((char *) to + sizeof(x) * i, &x, sizeof(x));
		finite &= (x & 0x7c00) != 0x7c00;
	}
	return finite;
}

/* max |x_i|, NaN passed over */
static float
max_abs_f32(const float *x, size_t n)
{
	float		max = 0;

	for (size_t i = 0; i < n; i++)
	{
		if (fabsf(x[i]) > max)
			max = fabsf(x[i]);
	}
	return max;
}

/*
 * code_i = clamp(round(x_i * inv_scale)); sum (x_i - code_i * scale)^2
 *
 * Clamping first gives the same codes, since the limits are whole, and keeps
 * the conversion defined for infinity.  NaN fails the first test: -127.
 */
static float
quantize_s8(const float *x, size_t n, float inv_scale, float scale,
			int8_t *code)
{
	float		sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		float		v = x[i] * inv_scale;
		float		back;
		float		diff;

		v = v > -127 ? v : -127;
		v = v < 127 ? v : 127;
		v = rintf(v);
		code[i] = (int8_t) v;
		back = v * scale;
		diff = x[i] - back;
		sum += diff * diff;
	}
	return sum;
}

/* v_i within [0, 255], rounded; what is outside, summed */
static float
quantize_u8(const float *x, const float *low, size_t n, float inv_scale,
			uint8_t *code)
{
	float		outside = 0;

	for (size_t i = 0; i < n; i++)
	{
		float		v = x[i] - low[i];
		float		within;

		v = v * inv_scale;
		within = v > 0 ? v : 0;
		within = within < 255 ? within : 255;
		outside += fabsf(v - within);
		code[i] = (uint8_t) rintf(within);
	}
	return outside;
}

#define SCALAR_TABLE \
{ \
	.isa = "scalar", \
	.l2sq_f32 = l2sq_f32, \
	.dot_f32 = dot_f32, \
	.l1_f32 = l1_f32, \
	.cosine_f32 = cosine_f32, \
	.dot_sparse = dot_sparse, \
	.l2sq_f16 = l2sq_f16, \
	.dot_f16 = dot_f16, \
	.l1_f16 = l1_f16, \
	.cosine_f16 = cosine_f16, \
	.half_to_float = half_to_float, \
	.float_to_half = float_to_half, \
	.fht_f32 = fht_f32, \
	.dot_f32s8 = dot_f32s8, \
	.dot_s8 = dot_s8, \
	.l2sq_f32s12 = l2sq_f32s12, \
	.sum_bits_s8 = sum_bits_s8, \
	.hamming = hamming, \
	.jaccard = jaccard, \
	.residual_s8 = residual_s8, \
	.subtract_s8 = subtract_s8, \
	.residual_f32 = residual_f32, \
	.panel_near_s8 = panel_near_s8, \
	.panel_near_f32 = panel_near_f32, \
	.panel_near_l1 = panel_near_l1, \
	.panel_near_u8 = panel_near_u8, \
	.panel_near_hamming = panel_near_hamming, \
	.panel_near_jaccard = panel_near_jaccard, \
	.rows_l2sq_s8 = rows_l2sq_s8, \
	.rows_l2sq_f32 = rows_l2sq_f32, \
	.rows_l1_f32 = rows_l1_f32, \
	.swap_f32 = swap_f32, \
	.swap_f16 = swap_f16, \
	.max_abs_f32 = max_abs_f32, \
	.quantize_s8 = quantize_s8, \
	.quantize_u8 = quantize_u8 \
}

const Kernels kernels_scalar = SCALAR_TABLE;

/*
 * The table in use.  It is here, and not in kernel.c, because only this file
 * can initialise it without code that runs: a caller before kernel_choose()
 * gets right answers.
 */
Kernels		kernels = SCALAR_TABLE;
