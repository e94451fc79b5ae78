/*-------------------------------------------------------------------------
 *
 * kernels.c
 *	  Micro-benchmark of the kernel tables, without a server.
 *
 * Prints nanoseconds per call for each entry, table and length; sum_bits_s8 is
 * given per code, of 32 codes in one call, and the kernels of many pairs per pair.  Data are in the first-level cache
 * where they fit, so this compares kernels and says nothing about memory.  The
 * best of several rounds is printed: what disturbs a round only adds to it.
 *
 * Usage: kernels [isa ...]			all that this machine supports by default
 *
 * IDENTIFICATION
 *	  bench/kernels.c
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kernel/kernel.h"
#include "quant/quant_edge.h"
#include "quant/quant_own.h"
#include "quant/quant_query.h"
#include "quant/quant_rotate.h"

#define MAX_DIM		2048
#define NCODES		32
#define ROUNDS		7
#define ROUND_NS	2e6			/* time of one round, about */

static const int lengths[] = {384, 784, 1536};

#define NLENGTHS	((int) (sizeof(lengths) / sizeof(lengths[0])))

/* what every case works on */
static float fa[MAX_DIM];
static float fb[MAX_DIM];
static float work[MAX_DIM];
static float wide[MAX_DIM];
static uint16_t ha[MAX_DIM];
static uint16_t hb[MAX_DIM];
static uint16_t hwork[MAX_DIM];
static int32_t at_a[MAX_DIM];	/* every second index on either side is common */
static int32_t at_b[MAX_DIM];
static int8_t sa[MAX_DIM];
static int8_t sb[MAX_DIM];
static int8_t scode[MAX_DIM];
static uint8_t codes[NCODES * (4 + MAX_DIM / 8)];
static uint8_t bits[MAX_DIM / 8];
static int32_t sums[NCODES];
static float est[NCODES];
static float var[NCODES];
static int8_t panel_s8[KERNEL_PANEL * MAX_DIM];
static float panel_f32[KERNEL_PANEL * MAX_DIM];
static float panel_scale[KERNEL_PANEL];
static float panel_norm2[KERNEL_PANEL];
static KernelRows panel_rows;
static KernelForms forms;
static float dist[KERNEL_ROWS * KERNEL_PANEL];
static uint16_t near[KERNEL_ROWS];
static float own_a[MAX_DIM];
static float own_b[MAX_DIM];
static float edge[MAX_DIM];
static float rotation_space[QUANT_ROUNDS * MAX_DIM];
static QuantRotation rotation;
static QuantQuery query;

/* results go here, so that no call can be left out */
static volatile float sink;

static void
run_l2sq_f32(int n)
{
	sink = kernels.l2sq_f32(fa, fb, n);
}

static void
run_dot_f32(int n)
{
	sink = kernels.dot_f32(fa, fb, n);
}

static void
run_l1_f32(int n)
{
	sink = kernels.l1_f32(fa, fb, n);
}

static void
run_cosine_f32(int n)
{
	sink = kernels.cosine_f32(fa, fb, n).dot;
}

static void
run_dot_sparse(int n)
{
	sink = kernels.dot_sparse(at_a, fa, n, at_b, fb, n);
}

static void
run_l2sq_f16(int n)
{
	sink = kernels.l2sq_f16(ha, hb, n);
}

static void
run_dot_f16(int n)
{
	sink = kernels.dot_f16(ha, hb, n);
}

static void
run_l1_f16(int n)
{
	sink = kernels.l1_f16(ha, hb, n);
}

static void
run_cosine_f16(int n)
{
	sink = kernels.cosine_f16(ha, hb, n).dot;
}

static void
run_half_to_float(int n)
{
	kernels.half_to_float(ha, n, wide);
	sink = wide[0];
}

static void
run_float_to_half(int n)
{
	kernels.float_to_half(fa, n, hwork);
	sink = hwork[0];
}

static void
run_dot_f32s8(int n)
{
	sink = kernels.dot_f32s8(fa, sb, n);
}

static void
run_l2sq_f32s12(int n)
{
	sink = kernels.l2sq_f32s12(fa, sb, (const uint8_t *) sa, .01f,
							   n / 16 * 16);
}

static void
run_dot_s8(int n)
{
	sink = kernels.dot_s8(sa, sb, n);
}

static void
run_max_abs_f32(int n)
{
	sink = kernels.max_abs_f32(fa, n);
}

static void
run_fht_f32(int n)
{
	size_t		block = 1;

	while (block * 2 <= (size_t) n)
		block *= 2;

	/* zeros stay zeros: values cannot grow over the rounds */
	kernels.fht_f32(work, block);
}

static void
run_sum_bits_s8(int n)
{
	kernels.sum_bits_s8(sa, codes, 4 + n / 8, NCODES, n, sums);
	sink = sums[0];
}

static void
run_sum_bits_s8_single(int n)
{
	kernels.sum_bits_s8(sa, codes, 0, 1, n, sums);
	sink = sums[0];
}

static void
run_hamming(int n)
{
	sink = kernels.hamming(codes, codes + n / 8, n / 8);
}

static void
run_jaccard(int n)
{
	uint32_t	both;
	uint32_t	either;

	kernels.jaccard(codes, codes + n / 8, n / 8, &both, &either);
	sink = both + either;
}

static void
run_residual_s8(int n)
{
	sink = kernels.residual_s8(sa, .5f, sb, .25f, n, n, bits).norm2;
}

static void
run_residual_f32(int n)
{
	sink = kernels.residual_f32(fa, n, n, bits).norm2;
}

/* all rows are one: what is read of them is small beside the panel */
static void
set_rows(const void *x)
{
	panel_rows.n = KERNEL_ROWS;
	for (int r = 0; r < KERNEL_ROWS; r++)
		panel_rows.x[r] = x;
}

static void
run_panel_near_s8(int n)
{
	set_rows(sa);
	kernels.panel_near_s8(panel_s8, panel_scale, panel_norm2, &panel_rows, n,
						  dist, near);
	sink = dist[0] + near[0];
}

static void
run_panel_near_f32(int n)
{
	set_rows(fa);
	kernels.panel_near_f32(panel_f32, &panel_rows, n, dist, near);
	sink = dist[0] + near[0];
}

/* here, too */
static void
set_forms(const void *x)
{
	forms.n = KERNEL_FORMS;
	for (int r = 0; r < KERNEL_FORMS; r++)
		forms.x[r] = x;
}

static void
run_rows_l2sq_s8(int n)
{
	set_forms(sa);
	kernels.rows_l2sq_s8(sb, 1, 1, &forms, n, dist);
	sink = dist[0];
}

static void
run_rows_l2sq_f32(int n)
{
	set_forms(fa);
	kernels.rows_l2sq_f32(fb, &forms, n, dist);
	sink = dist[0];
}

static void
run_rows_l1_f32(int n)
{
	set_forms(fa);
	kernels.rows_l1_f32(fb, &forms, n, dist);
	sink = dist[0];
}

static void
run_panel_near_l1(int n)
{
	set_rows(fa);
	kernels.panel_near_l1(panel_f32, &panel_rows, n, dist, near);
	sink = dist[0] + near[0];
}

static void
run_panel_near_u8(int n)
{
	set_rows(codes);
	kernels.panel_near_u8((const uint8_t *) panel_s8, &panel_rows, n, dist, near);
	sink = dist[0] + near[0];
}

/* n bits */
static void
run_panel_near_hamming(int n)
{
	set_rows(codes);
	kernels.panel_near_hamming((const uint8_t *) panel_s8, &panel_rows,
							   (n + 31) / 32 * 4, dist, near);
	sink = dist[0] + near[0];
}

static void
run_panel_near_jaccard(int n)
{
	set_rows(codes);
	kernels.panel_near_jaccard((const uint8_t *) panel_s8, panel_norm2,
							   &panel_rows, (n + 31) / 32 * 4, dist, near);
	sink = dist[0] + near[0];
}

static void
run_swap_f32(int n)
{
	sink = kernels.swap_f32(fa, n, wide);
}

static void
run_swap_f16(int n)
{
	sink = kernels.swap_f16(ha, n, hwork);
}

static void
run_quantize_s8(int n)
{
	sink = kernels.quantize_s8(fa, n, 127, 1 / 127.0f, scode);
}

static void
run_quantize_u8(int n)
{
	sink = kernels.quantize_u8(fa, fb, n, 127, (uint8_t *) scode);
}

static void
run_rotate(int n)
{
	if (rotation.dim != n)
		quant_rotation_init(&rotation, n, 1, rotation_space);
	quant_rotate(&rotation, fa, work);
	sink = work[0];
}

static void
run_own_encode(int n)
{
	quant_own_encode(fa, n, 0, (QuantOwn *) own_a);
	sink = own_a[0];
}

static void
run_edge_encode(int n)
{
	QuantOwn   *c = (QuantOwn *) own_a;
	QuantOwn   *o = (QuantOwn *) own_b;

	c->scale = .5f;
	o->scale = .25f;
	quant_edge_encode(c, o, n, n, (QuantEdge *) edge);
	sink = edge[0];
}

static void
run_edge_estimate(int n)
{
	if (query.nbits != n)
		quant_query_init(&query, fa, n, scode);
	quant_edge_estimate(&query, codes, 4 + n / 8, NCODES, 1, sums, est, var);
	sink = est[0];
}

/* a thing to time, and how many units of work one call is */
static const struct
{
	const char *name;
	void		(*run) (int n);
	int			units;
}			cases[] =
{
	{"l2sq_f32", run_l2sq_f32, 1},
	{"dot_f32", run_dot_f32, 1},
	{"l1_f32", run_l1_f32, 1},
	{"cosine_f32", run_cosine_f32, 1},
	{"dot_sparse", run_dot_sparse, 1},
	{"l2sq_f16", run_l2sq_f16, 1},
	{"dot_f16", run_dot_f16, 1},
	{"l1_f16", run_l1_f16, 1},
	{"cosine_f16", run_cosine_f16, 1},
	{"half_to_float", run_half_to_float, 1},
	{"float_to_half", run_float_to_half, 1},
	{"fht_f32", run_fht_f32, 1},
	{"dot_f32s8", run_dot_f32s8, 1},
	{"dot_s8", run_dot_s8, 1},
	{"l2sq_f32s12", run_l2sq_f32s12, 1},
	{"sum_bits_s8, a code of 32", run_sum_bits_s8, NCODES},
	{"sum_bits_s8, one code", run_sum_bits_s8_single, 1},
	{"hamming", run_hamming, 1},
	{"jaccard", run_jaccard, 1},
	{"residual_s8", run_residual_s8, 1},
	{"residual_f32", run_residual_f32, 1},
	{"panel_near_s8", run_panel_near_s8, KERNEL_ROWS * KERNEL_PANEL},
	{"panel_near_f32", run_panel_near_f32, KERNEL_ROWS * KERNEL_PANEL},
	{"rows_l2sq_s8", run_rows_l2sq_s8, KERNEL_FORMS},
	{"rows_l2sq_f32", run_rows_l2sq_f32, KERNEL_FORMS},
	{"rows_l1_f32", run_rows_l1_f32, KERNEL_FORMS},
	{"panel_near_l1", run_panel_near_l1, KERNEL_ROWS * KERNEL_PANEL},
	{"panel_near_u8", run_panel_near_u8, KERNEL_ROWS * KERNEL_PANEL},
	{"panel_near_hamming", run_panel_near_hamming, KERNEL_ROWS * KERNEL_PANEL},
	{"panel_near_jaccard", run_panel_near_jaccard, KERNEL_ROWS * KERNEL_PANEL},
	{"swap_f32", run_swap_f32, 1},
	{"swap_f16", run_swap_f16, 1},
	{"max_abs_f32", run_max_abs_f32, 1},
	{"quantize_s8", run_quantize_s8, 1},
	{"quantize_u8", run_quantize_u8, 1},
	{"quant_rotate", run_rotate, 1},
	{"quant_own_encode", run_own_encode, 1},
	{"quant_edge_encode", run_edge_encode, 1},
	{"quant_edge_estimate, of 32", run_edge_estimate, NCODES},
};

#define NCASES	((int) (sizeof(cases) / sizeof(cases[0])))

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* nanoseconds of 'calls' calls */
static double
time_calls(void (*run) (int n), int n, long calls)
{
	double		start = now_ns();

	for (long i = 0; i < calls; i++)
		run(n);
	return now_ns() - start;
}

/* nanoseconds a call, the best of ROUNDS rounds */
static double
time_case(void (*run) (int n), int n)
{
	double		best = HUGE_VAL;
	long		calls = 16;

	while (time_calls(run, n, calls) < ROUND_NS)
		calls *= 2;
	for (int round = 0; round < ROUNDS; round++)
	{
		double		ns = time_calls(run, n, calls) / calls;

		best = ns < best ? ns : best;
	}
	return best;
}

static void
fill_data(void)
{
	uint32_t	x = 1;

	for (int i = 0; i < MAX_DIM; i++)
	{
		x = x * 1664525 + 1013904223;
		fa[i] = (float) (x >> 8) / (1 << 23) - 1;
		sa[i] = (int8_t) ((int) (x >> 24) % 255 - 127);
		x = x * 1664525 + 1013904223;
		fb[i] = (float) (x >> 8) / (1 << 23) - 1;
		sb[i] = (int8_t) ((int) (x >> 24) % 255 - 127);
	}
	kernels.float_to_half(fa, MAX_DIM, ha);
	kernels.float_to_half(fb, MAX_DIM, hb);
	for (int i = 0; i < MAX_DIM; i++)
	{
		at_a[i] = 2 * i;
		at_b[i] = i % 2 == 0 ? 2 * i : 2 * i + 1;
	}
	for (size_t i = 0; i < sizeof(codes); i++)
	{
		x = x * 1664525 + 1013904223;
		codes[i] = (uint8_t) (x >> 24);
	}
	quant_own_encode(fa, MAX_DIM / 2, 0, (QuantOwn *) own_a);
	quant_own_encode(fb, MAX_DIM / 2, 0, (QuantOwn *) own_b);
}

static void
bench_table(const char *isa)
{
	if (!kernel_choose(isa))
	{
		printf("skipped: %s (not supported by this CPU)\n\n", isa);
		return;
	}
	printf("%-28s", isa);
	for (int j = 0; j < NLENGTHS; j++)
		printf("%10d", lengths[j]);
	printf("\n");
	for (int i = 0; i < NCASES; i++)
	{
		printf("%-28s", cases[i].name);
		for (int j = 0; j < NLENGTHS; j++)
			printf("%10.1f",
				   time_case(cases[i].run, lengths[j]) / cases[i].units);
		printf("\n");
		fflush(stdout);
	}
	printf("\n");
}

int
main(int argc, char **argv)
{
	static const char *const all[] = {"scalar", "avx2", "avx512", "neon"};

	fill_data();
	printf("nanoseconds a call\n\n");
	for (int i = 1; i < argc; i++)
		bench_table(argv[i]);
	for (int i = 0; argc == 1 && i < 4; i++)
	{
		if (kernel_supported(all[i]))
			bench_table(all[i]);
	}
	return 0;
}
