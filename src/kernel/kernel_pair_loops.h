/*-------------------------------------------------------------------------
 *
 * kernel_pair_loops.h
 *	  The loops over a pair of vectors, for two forms of elements.
 *
 * Included once for each pair of forms, after the words of an instruction set,
 * with these defined:
 *	NAME(loop)				name of the function
 *	A, B					types of the elements
 *	LOAD_A, LOAD_FIRST_A	words that load them; also for B
 *
 * IDENTIFICATION
 *	  src/kernel/kernel_pair_loops.h
 *
 *-------------------------------------------------------------------------
 */

/*
 * Sum of the terms of n elements, each of which 'term' adds to a sum.  Four sums
 * at a time, so that an addition need not wait for the one before.
 */
HELPER float
NAME(sum_terms) (const A *a, const B *b, size_t n, AddTerm term)
{
	Floats		sum[4];
	size_t		i = 0;

	UNROLL
	for (int k = 0; k < 4; k++)
		sum[k] = zero_floats();
	for (; i + 4 * LANES <= n; i += 4 * LANES)
	{
		UNROLL
		for (int k = 0; k < 4; k++)
			sum[k] = term(sum[k], LOAD_A(a + i + k * LANES),
						  LOAD_B(b + i + k * LANES));
	}
	for (; i + LANES <= n; i += LANES)
		sum[0] = term(sum[0], LOAD_A(a + i), LOAD_B(b + i));
	if (i < n)
		sum[1] = term(sum[1], LOAD_FIRST_A(a + i, n - i),
					  LOAD_FIRST_B(b + i, n - i));
	return sum_lanes(add(add(sum[0], sum[1]), add(sum[2], sum[3])));
}

/* The three sums of one pass, two of each at a time. */
HELPER KernelCosine
NAME(sum_cosine) (const A *a, const B *b, size_t n)
{
	CosineSums	even = {zero_floats(), zero_floats(), zero_floats()};
	CosineSums	odd = even;
	KernelCosine result;
	size_t		i = 0;

	for (; i + 2 * LANES <= n; i += 2 * LANES)
	{
		add_cosine(&even, LOAD_A(a + i), LOAD_B(b + i));
		add_cosine(&odd, LOAD_A(a + i + LANES), LOAD_B(b + i + LANES));
	}
	if (i + LANES <= n)
	{
		add_cosine(&even, LOAD_A(a + i), LOAD_B(b + i));
		i += LANES;
	}
	if (i < n)
		add_cosine(&odd, LOAD_FIRST_A(a + i, n - i),
				   LOAD_FIRST_B(b + i, n - i));
	result.dot = sum_lanes(add(even.dot, odd.dot));
	result.norm_a = sum_lanes(add(even.norm_a, odd.norm_a));
	result.norm_b = sum_lanes(add(even.norm_b, odd.norm_b));
	return result;
}

#undef NAME
#undef A
#undef B
#undef LOAD_A
#undef LOAD_B
#undef LOAD_FIRST_A
#undef LOAD_FIRST_B
