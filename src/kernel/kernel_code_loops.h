/*-------------------------------------------------------------------------
 *
 * kernel_code_loops.h
 *	  Kernels that make 8-bit and bit codes, written in the words of an
 *	  instruction set.
 *
 * Included once by a file of each, after its words (kernel_avx2.h) and three
 * more:
 *	transform_lanes(x)			the transform's stages within a register
 *	store_positive(bits, x)		LANES bits: which elements are above 0
 *	store_codes(code, x)		round to integers, which are 8-bit codes, store
 *								these, and return them as floats
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_code_loops.h
 *
 *-------------------------------------------------------------------------
 */

/* ---- Walsh-Hadamard transform ---- */

/* stages h and 2h over blocks of 4h elements, h a multiple of LANES */
EXACT_HELPER void
transform_two_stages(float *x, size_t n, size_t h)
{
	for (size_t i = 0; i < n; i += 4 * h)
	{
		for (size_t j = i; j < i + h; j += LANES)
		{
			Floats		x0 = load_f32(x + j);
			Floats		x1 = load_f32(x + j + h);
			Floats		x2 = load_f32(x + j + 2 * h);
			Floats		x3 = load_f32(x + j + 3 * h);
			Floats		s01 = add(x0, x1);
			Floats		d01 = subtract(x0, x1);
			Floats		s23 = add(x2, x3);
			Floats		d23 = subtract(x2, x3);

			store_f32(x + j, add(s01, s23));
			store_f32(x + j + h, add(d01, d23));
			store_f32(x + j + 2 * h, subtract(s01, s23));
			store_f32(x + j + 3 * h, subtract(d01, d23));
		}
	}
}

EXACT_KERNEL void
fht_f32(float *x, size_t n)
{
	size_t		h = LANES;

	if (n < LANES)
	{
		kernels_scalar.fht_f32(x, n);
		return;
	}
	for (size_t i = 0; i < n; i += LANES)
		store_f32(x + i, transform_lanes(load_f32(x + i)));
	for (; 4 * h <= n; h *= 4)
		transform_two_stages(x, n, h);
	if (h == n)
		return;

	/* one stage is left: the two halves */
	for (size_t i = 0; i < h; i += LANES)
	{
		Floats		a = load_f32(x + i);
		Floats		b = load_f32(x + i + h);

		store_f32(x + i, add(a, b));
		store_f32(x + i + h, subtract(a, b));
	}
}

/* ---- residuals ---- */

/* running sums of a residual */
typedef struct ResidualSums
{
	Floats		sum_abs;
	Floats		norm2;
} ResidualSums;

EXACT_HELPER ResidualSums
zero_residual(void)
{
	ResidualSums sums = {zero_floats(), zero_floats()};

	return sums;
}

/* add LANES elements that have bits, and write these */
EXACT_HELPER void
add_coded(ResidualSums *sums, Floats r, uint8_t *bits)
{
	sums->norm2 = add_square(sums->norm2, r);
	sums->sum_abs = add(sums->sum_abs, absolute(r));
	store_positive(bits, r);
}

EXACT_HELPER KernelResidual
sum_residual(ResidualSums even, ResidualSums odd)
{
	KernelResidual result;

	result.sum_abs = sum_lanes(add(even.sum_abs, odd.sum_abs));
	result.norm2 = sum_lanes(add(even.norm2, odd.norm2));
	return result;
}

/* r_i of LANES elements */
EXACT_HELPER Floats
residual(const int8_t *a, Floats scale_a, const int8_t *c, Floats scale_c)
{
	return subtract(multiply(scale_a, load_s8(a)),
					multiply(scale_c, load_s8(c)));
}

EXACT_KERNEL KernelResidual
residual_s8(const int8_t *a, float scale_a, const int8_t *c, float scale_c,
			size_t n, size_t nbits, uint8_t *bits)
{
	const Floats sa = all_floats(scale_a);
	const Floats sc = all_floats(scale_c);
	ResidualSums even = zero_residual();
	ResidualSums odd = zero_residual();
	size_t		i = 0;

	for (; i + 2 * LANES <= nbits; i += 2 * LANES)
	{
		add_coded(&even, residual(a + i, sa, c + i, sc), bits + i / 8);
		add_coded(&odd, residual(a + i + LANES, sa, c + i + LANES, sc),
				  bits + (i + LANES) / 8);
	}
	for (; i < nbits; i += LANES)
		add_coded(&even, residual(a + i, sa, c + i, sc), bits + i / 8);
	for (; i < n; i += LANES)
		even.norm2 = add_square(even.norm2, residual(a + i, sa, c + i, sc));
	return sum_residual(even, odd);
}

EXACT_KERNEL KernelResidual
residual_f32(const float *r, size_t n, size_t nbits, uint8_t *bits)
{
	ResidualSums even = zero_residual();
	ResidualSums odd = zero_residual();
	size_t		i = 0;

	for (; i + 2 * LANES <= nbits; i += 2 * LANES)
	{
		add_coded(&even, load_f32(r + i), bits + i / 8);
		add_coded(&odd, load_f32(r + i + LANES), bits + (i + LANES) / 8);
	}
	for (; i < nbits; i += LANES)
		add_coded(&even, load_f32(r + i), bits + i / 8);
	for (; i < n; i += LANES)
		even.norm2 = add_square(even.norm2, load_f32(r + i));
	return sum_residual(even, odd);
}

EXACT_KERNEL void
subtract_s8(const float *q, const int8_t *c, float scale, size_t n, float *r)
{
	const Floats s = all_floats(scale);

	for (size_t i = 0; i < n; i += LANES)
		store_f32(r + i, subtract(load_f32(q + i), multiply(s, load_s8(c + i))));
}

/* ---- 8-bit codes ---- */

/* the largest so far is what stays when an element is NaN */
EXACT_KERNEL float
max_abs_f32(const float *x, size_t n)
{
	Floats		m0 = zero_floats();
	Floats		m1 = m0;
	size_t		i = 0;

	for (; i + 2 * LANES <= n; i += 2 * LANES)
	{
		m0 = maximum(absolute(load_f32(x + i)), m0);
		m1 = maximum(absolute(load_f32(x + i + LANES)), m1);
	}
	if (i + LANES <= n)
	{
		m0 = maximum(absolute(load_f32(x + i)), m0);
		i += LANES;
	}
	if (i < n)
		m1 = maximum(absolute(load_first_f32(x + i, n - i)), m1);
	return max_lane(maximum(m0, m1));
}

/* LANES codes; 'sum' plus the squares of their errors */
EXACT_HELPER Floats
quantize(Floats sum, Floats x, Floats inv_scale, Floats scale, int8_t *code)
{
	Floats		v = multiply(x, inv_scale);

	/* the limit is what stays if v is NaN */
	v = maximum(v, all_floats(-127));
	v = store_codes(code, minimum(v, all_floats(127)));
	return add_square(sum, subtract(x, multiply(v, scale)));
}

EXACT_KERNEL float
quantize_s8(const float *x, size_t n, float inv_scale, float scale,
			int8_t *code)
{
	const Floats inv = all_floats(inv_scale);
	const Floats s = all_floats(scale);
	Floats		sum0 = zero_floats();
	Floats		sum1 = sum0;
	size_t		i = 0;

	for (; i + 2 * LANES <= n; i += 2 * LANES)
	{
		sum0 = quantize(sum0, load_f32(x + i), inv, s, code + i);
		sum1 = quantize(sum1, load_f32(x + i + LANES), inv, s, code + i + LANES);
	}
	if (i + LANES <= n)
	{
		sum0 = quantize(sum0, load_f32(x + i), inv, s, code + i);
		i += LANES;
	}
	return sum_lanes(add(sum0, sum1)) +
		kernels_scalar.quantize_s8(x + i, n - i, inv_scale, scale, code + i);
}

/* LANES codes; 'sum' plus what is outside the limits */
EXACT_HELPER Floats
quantize_bytes(Floats sum, Floats x, Floats low, Floats inv_scale,
			   uint8_t *code)
{
	Floats		v = multiply(subtract(x, low), inv_scale);
	Floats		within = minimum(maximum(v, zero_floats()), all_floats(255));

	store_bytes(code, within);
	return add(sum, absolute(subtract(v, within)));
}

EXACT_KERNEL float
quantize_u8(const float *x, const float *low, size_t n, float inv_scale,
			uint8_t *code)
{
	const Floats inv = all_floats(inv_scale);
	Floats		sum0 = zero_floats();
	Floats		sum1 = sum0;
	size_t		i = 0;

	for (; i + 2 * LANES <= n; i += 2 * LANES)
	{
		sum0 = quantize_bytes(sum0, load_f32(x + i), load_f32(low + i), inv,
							  code + i);
		sum1 = quantize_bytes(sum1, load_f32(x + i + LANES),
							  load_f32(low + i + LANES), inv, code + i + LANES);
	}
	return sum_lanes(add(sum0, sum1)) +
		kernels_scalar.quantize_u8(x + i, low + i, n - i, inv_scale, code + i);
}
