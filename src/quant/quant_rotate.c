/*-------------------------------------------------------------------------
 *
 * quant_rotate.c
 *	  A random rotation from a seed: signs, Hadamard transforms, butterflies.
 *
 * A round is: multiply by the factors, transform the block, and after an odd
 * round mix the halves.  All scales of a round (1/sqrt(block) where the
 * transform works, 1/sqrt(2) of the mixing) are in its factors, so what follows
 * them is only additions and no compiler can fuse anything: the result is equal
 * bits everywhere.
 *
 * IDENTIFICATION
 *	  src/quant/quant_rotate.c
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "quant/quant_rotate.h"

/* rdim is a multiple of this, so its halves are multiples of LANES */
#define RDIM_UNIT	16
#define LANES		8

int
quant_rotated_dim(int dim)
{
	int			rdim = (dim + RDIM_UNIT - 1) / RDIM_UNIT * RDIM_UNIT;

	return rdim < QUANT_MIN_RDIM ? QUANT_MIN_RDIM : rdim;
}

size_t
quant_rotation_bytes(int dim)
{
	return QUANT_ROUNDS * (size_t) quant_rotated_dim(dim) * sizeof(float);
}

/*
 * The next 64 random bits: splitmix64 (Steele, Lea and Flood, 2014).  Any seed
 * will do, zero included.
 */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* where the transform of a round begins */
static int
block_start(const QuantRotation *rotation, int round)
{
	return round % 2 == 0 ? 0 : rotation->rdim - rotation->block;
}

/* are the halves mixed after this round? */
static bool
mixes_halves(const QuantRotation *rotation, int round)
{
	return rotation->has_mixing && round % 2 == 1;
}

void
quant_rotation_init(QuantRotation *rotation, int dim, uint64_t seed,
					void *space)
{
	float	   *factors = space;
	uint64_t	state = seed;
	uint64_t	random = 0;

	rotation->dim = dim;
	rotation->rdim = quant_rotated_dim(dim);
	rotation->block = QUANT_MIN_RDIM;
	while (rotation->block * 2 <= rotation->rdim)
		rotation->block *= 2;
	rotation->has_mixing = rotation->block < rotation->rdim;
	rotation->signs = factors;

	for (int round = 0; round < QUANT_ROUNDS; round++)
	{
		double		mixing = mixes_halves(rotation, round) ? 0.5 : 1;
		float		outside = (float) sqrt(mixing);
		float		inside = (float) sqrt(mixing / rotation->block);
		int			start = block_start(rotation, round);
		int			end = start + rotation->block;

		for (int i = 0; i < rotation->rdim; i++)
		{
			float		factor = i >= start && i < end ? inside : outside;

			/* each round begins with a new word, whatever rdim is */
			if (i % 64 == 0)
				random = next_random(&state);
			*factors++ = (random >> (i % 64)) & 1 ? -factor : factor;
		}
	}
}

/*
 * x[i] *= factors[i].  The inner loop has a fixed length because compilers
 * vectorise only that at -O2, and counts from the pointers: with -fwrapv an int
 * beside it could wrap around, and gcc would vectorise nothing.
 */
static void
multiply(float *restrict x, const float *restrict factors, int n)
{
	for (; n > 0; n -= LANES, x += LANES, factors += LANES)
	{
		for (int j = 0; j < LANES; j++)
			x[j] *= factors[j];
	}
}

/* (x_i, y_i) -> (x_i + y_i, x_i - y_i) */
static void
mix_halves(float *restrict x, float *restrict y, int n)
{
	for (int i = 0; i < n; i += LANES)
	{
		for (int j = 0; j < LANES; j++)
		{
			float		sum = x[i + j] + y[i + j];
			float		diff = x[i + j] - y[i + j];

			x[i + j] = sum;
			y[i + j] = diff;
		}
	}
}

void
quant_rotate(const QuantRotation *rotation, const float *in, float *out)
{
	int			rdim = rotation->rdim;
	int			half = rdim / 2;

	memcpy(out, in, (size_t) rotation->dim * sizeof(float));
	memset(out + rotation->dim, 0,
		   (size_t) (rdim - rotation->dim) * sizeof(float));

	for (int round = 0; round < QUANT_ROUNDS; round++)
	{
		multiply(out, rotation->signs + (size_t) round * rdim, rdim);
		kernels.fht_f32(out + block_start(rotation, round),
						(size_t) rotation->block);
		if (mixes_halves(rotation, round))
			mix_halves(out, out + half, half);
	}
}
