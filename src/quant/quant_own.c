/*-------------------------------------------------------------------------
 *
 * quant_own.c
 *	  The own code: a whole rotated vector in 8 bits a dimension.
 *
 * The scale maps the largest coordinate to 127.  The bound on the error is
 * what makes exact scan order possible, so every rounding on the way to it is
 * added to it; sums that leave the comfortable range of floats are done again
 * in double.
 *
 * IDENTIFICATION
 *	  src/quant/quant_own.c
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kernel/kernel.h"
#include "quant/quant_own.h"

/*
 * A float sum of squares inside this range lost nothing to underflow or
 * overflow: even a 2^-16 part of the lower limit is a normal number.
 */
#define SAFE_SUM_MIN	1e-30f
#define SAFE_SUM_MAX	1e+36f

/* Half a unit in the last place of a float, relative. */
#define FLOAT_ROUNDING	(1.0 / 16777216)

size_t
quant_own_bytes(int rdim)
{
	return QUANT_OWN_HEADER + (size_t) rdim;
}

/* x as a float that is not below it, FLT_MAX if it is too large or NaN */
static float
round_up(double x)
{
	if (x == 0)
		return 0;
	if (!(x < FLT_MAX))
		return FLT_MAX;
	return nextafterf((float) x, FLT_MAX);
}

/* x as a float, FLT_MAX if it is too large or NaN */
static float
limit(double x)
{
	return x < FLT_MAX ? (float) x : FLT_MAX;
}

/* sum (y_i - scale * code_i)^2, slowly and without overflow or underflow */
static double
sum_errors(const float *y, int rdim, float scale, const int8_t *code)
{
	double		sum = 0;

	for (int i = 0; i < rdim; i++)
	{
		double		diff = y[i] - (double) scale * code[i];

		sum += diff * diff;
	}
	return sum;
}

/*
 * A bound on |y - scale * code|.  'sum' is its square as the kernel found it,
 * norm2 = |scale * code|^2.
 */
static double
bound_error(const float *y, int rdim, const QuantOwn *own, double norm2,
			float sum)
{
	double		terms = rdim;

	if (!(sum >= SAFE_SUM_MIN && sum <= SAFE_SUM_MAX))
		return sqrt(sum_errors(y, rdim, own->scale, own->code)) *
			(1 + terms * DBL_EPSILON);

	/*
	 * Each difference is off by one rounding of scale * code_i and one of its
	 * own, each square and each addition by one more.  The 8 is generous.
	 */
	return sqrt(sum * (1 + (terms + 8) * 2 * FLOAT_ROUNDING)) +
		sqrt(norm2) * 2 * FLOAT_ROUNDING;
}

void
quant_own_encode(const float *y, int rdim, float slack, QuantOwn *own)
{
	float		max = kernels.max_abs_f32(y, (size_t) rdim);
	float		inv_scale = 127 / max;
	float		scale = max / 127;
	float		sum;
	double		norm2;

	/*
	 * If 127 / max is not a float, y is zero or so near to it that its square
	 * is, or it is infinite: no code, the error is all of it.
	 */
	if (!(inv_scale > 0 && inv_scale <= FLT_MAX))
	{
		inv_scale = 0;
		scale = 0;
	}
	own->scale = scale;
	if (scale == 0)
	{
		memset(own->code, 0, (size_t) rdim);
		own->norm2 = 0;
		own->error = round_up(sqrt(sum_errors(y, rdim, 0, own->code)) *
							  (1 + rdim * DBL_EPSILON) + slack);
		return;
	}

	sum = kernels.quantize_s8(y, (size_t) rdim, inv_scale, scale, own->code);
	norm2 = (double) scale * scale *
		kernels.dot_s8(own->code, own->code, (size_t) rdim);
	own->norm2 = limit(norm2);
	own->error = round_up(bound_error(y, rdim, own, norm2, sum) + slack);
}

size_t
quant_fine_bytes(int rdim)
{
	return offsetof(QuantFine, low) + (size_t) rdim / 2;
}

/* where the four bits of dimension i are */
static inline int
low_byte(int i)
{
	return i / 16 * 8 + i % 8;
}

static inline int
low_shift(int i)
{
	return i % 16 < 8 ? 0 : 4;
}

/* y in steps, of which 16 * code are coded already, as a number from 0 to 15 */
static int
low_bits(float y, double inv_step, int code)
{
	double		low = y * inv_step - 16 * code + 8;

	/* NaN gives 0 */
	return low >= 15 ? 15 : low > 0 ? (int) low : 0;
}

void
quant_fine_encode(const float *y, int rdim, float slack, const QuantOwn *own,
				  QuantFine *fine)
{
	float		step = own->scale / 16;
	double		inv_step = own->scale > 0 ? 16.0 / own->scale : 0;
	double		errors = 0;
	double		norm2 = 0;

	memset(fine->low, 0, (size_t) rdim / 2);
	for (int i = 0; i < rdim; i++)
	{
		int			low = low_bits(y[i], inv_step, own->code[i]);
		double		coded = step * (16 * own->code[i] + low - 7.5);

		fine->low[low_byte(i)] |= (uint8_t) (low << low_shift(i));
		errors += (y[i] - coded) * (y[i] - coded);
		norm2 += coded * coded;
	}

	/* a distance from it rounds each product and each difference once */
	fine->error = round_up((sqrt(errors) + sqrt(norm2) * 2 * FLOAT_ROUNDING) *
						   (1 + rdim * DBL_EPSILON) + slack);
}

float
quant_fine_l2sq(const float *q, const QuantOwn *own, const QuantFine *fine,
				int rdim)
{
	return kernels.l2sq_f32s12(q, own->code, fine->low, own->scale / 16,
							   (size_t) rdim);
}

int
quant_fine_code(const QuantOwn *own, const QuantFine *fine, int i)
{
	return 16 * own->code[i] + ((fine->low[low_byte(i)] >> low_shift(i)) & 15);
}

void
quant_own_decode(const QuantOwn *own, int rdim, float *y)
{
	for (int i = 0; i < rdim; i++)
		y[i] = own->scale * (float) own->code[i];
}

float
quant_own_dot(const float *q, const QuantOwn *own, int rdim)
{
	return own->scale * kernels.dot_f32s8(q, own->code, (size_t) rdim);
}

float
quant_own_l2sq(const QuantOwn *a, const QuantOwn *b, int rdim)
{
	double		dot = kernels.dot_s8(a->code, b->code, (size_t) rdim);
	double		l2sq = (double) a->norm2 + b->norm2 -
		2.0 * a->scale * b->scale * dot;

	return l2sq > 0 ? limit(l2sq) : 0;
}
