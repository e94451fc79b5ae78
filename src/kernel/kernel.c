/*-------------------------------------------------------------------------
 *
 * kernel.c
 *	  What the CPU can run, and the choice of a kernel table.
 *
 * An instruction set counts as present if the CPU has every extension that its
 * file uses and, on x86, the operating system saves the registers (XGETBV).
 *
 * IDENTIFICATION
 *	  src/kernel/kernel.c
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/kernel_tables.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* CPUID leaf 1, ecx */
#define CPU_FMA				(1u << 12)
#define CPU_POPCNT			(1u << 23)
#define CPU_OSXSAVE			(1u << 27)
#define CPU_AVX				(1u << 28)
#define CPU_F16C			(1u << 29)

/* CPUID leaf 7, subleaf 0, ebx */
#define CPU_AVX2			(1u << 5)
#define CPU_AVX512F			(1u << 16)
#define CPU_AVX512DQ		(1u << 17)
#define CPU_AVX512BW		(1u << 30)
#define CPU_AVX512VL		(1u << 31)

/* CPUID leaf 7, subleaf 0, ecx */
#define CPU_AVX512_VNNI		(1u << 11)
#define CPU_AVX512_VPOPCNTDQ (1u << 14)

/* XCR0: xmm and ymm; opmask, upper halves of zmm0-15, zmm16-31 */
#define XCR0_AVX			0x06u
#define XCR0_AVX512			0xe6u

/* what the probe asks */
typedef struct CpuFeatures
{
	unsigned int leaf1_ecx;
	unsigned int leaf7_ebx;
	unsigned int leaf7_ecx;
	unsigned int xcr0;			/* 0 if XGETBV cannot be used */
} CpuFeatures;

static CpuFeatures
probe_cpu(void)
{
	CpuFeatures cpu = {0, 0, 0, 0};
	unsigned int eax;
	unsigned int ebx;
	unsigned int ecx;
	unsigned int edx;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		cpu.leaf1_ecx = ecx;
	if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
	{
		cpu.leaf7_ebx = ebx;
		cpu.leaf7_ecx = ecx;
	}

	/* the intrinsic would need a target attribute of its own */
	if (cpu.leaf1_ecx & CPU_OSXSAVE)
		__asm__ volatile("xgetbv" : "=a"(cpu.xcr0), "=d"(edx) : "c"(0));
	return cpu;
}

static inline bool
has_all(unsigned int have, unsigned int want)
{
	return (have & want) == want;
}

static bool
supports_avx2(void)
{
	CpuFeatures cpu = probe_cpu();

	return has_all(cpu.leaf1_ecx,
				   CPU_FMA | CPU_POPCNT | CPU_AVX | CPU_F16C) &&
		has_all(cpu.leaf7_ebx, CPU_AVX2) &&
		has_all(cpu.xcr0, XCR0_AVX);
}

static bool
supports_avx512(void)
{
	CpuFeatures cpu = probe_cpu();

	return supports_avx2() &&
		has_all(cpu.leaf7_ebx, CPU_AVX512F | CPU_AVX512DQ | CPU_AVX512BW |
				CPU_AVX512VL) &&
		has_all(cpu.leaf7_ecx, CPU_AVX512_VNNI | CPU_AVX512_VPOPCNTDQ) &&
		has_all(cpu.xcr0, XCR0_AVX512);
}
#endif							/* __x86_64__ */

static bool
supports_always(void)
{
	return true;
}

#define MAX_FILES	4			/* of one instruction set */

/* every instruction set of this build, best first, with the tables of its files */
static const struct
{
	const char *isa;
	bool		(*supported) (void);
	const Kernels *tables[MAX_FILES + 1];
}			sets[] =
{
#if defined(__x86_64__)
	{"avx512", supports_avx512,
		{&kernels_avx512, &kernels_avx512_code, &kernels_avx512_panel,
	&kernels_avx512_rows}},
	{"avx2", supports_avx2,
		{&kernels_avx2, &kernels_avx2_code, &kernels_avx2_panel,
	&kernels_avx2_rows}},
#endif
#if defined(__aarch64__)
	/* part of the base architecture */
	{"neon", supports_always, {&kernels_neon, &kernels_neon_panel}},
#endif
	{"scalar", supports_always, {&kernels_scalar}}
};

#define NSETS ((int) (sizeof(sets) / sizeof(sets[0])))

const Kernels *const *
kernel_tables(const char *isa)
{
	for (int i = 0; i < NSETS; i++)
	{
		if (strcmp(isa, sets[i].isa) == 0)
			return sets[i].tables;
	}
	return NULL;
}

/*
 * The tables of the named instruction set, or of the best one if 'isa' is NULL,
 * that can run here; NULL if there is none.
 */
static const Kernels *const *
find_tables(const char *isa)
{
	for (int i = 0; i < NSETS; i++)
	{
		if (isa != NULL && strcmp(isa, sets[i].isa) != 0)
			continue;
		if (sets[i].supported())
			return sets[i].tables;
	}
	return NULL;
}

bool
kernel_supported(const char *isa)
{
	return isa != NULL && find_tables(isa) != NULL;
}

/* Replace the entries of 'chosen' that the table has. */
static void
overlay(Kernels *chosen, const Kernels *table)
{
#define OVERLAY(entry) \
	chosen->entry = table->entry != NULL ? table->entry : chosen->entry

	OVERLAY(isa);
	OVERLAY(l2sq_f32);
	OVERLAY(dot_f32);
	OVERLAY(l1_f32);
	OVERLAY(cosine_f32);
	OVERLAY(dot_sparse);
	OVERLAY(l2sq_f16);
	OVERLAY(dot_f16);
	OVERLAY(l1_f16);
	OVERLAY(cosine_f16);
	OVERLAY(half_to_float);
	OVERLAY(float_to_half);
	OVERLAY(fht_f32);
	OVERLAY(dot_f32s8);
	OVERLAY(dot_s8);
	OVERLAY(l2sq_f32s12);
	OVERLAY(sum_bits_s8);
	OVERLAY(hamming);
	OVERLAY(jaccard);
	OVERLAY(residual_s8);
	OVERLAY(subtract_s8);
	OVERLAY(residual_f32);
	OVERLAY(panel_near_s8);
	OVERLAY(panel_near_f32);
	OVERLAY(rows_l2sq_s8);
	OVERLAY(rows_l2sq_f32);
	OVERLAY(rows_l1_f32);
	OVERLAY(panel_near_l1);
	OVERLAY(panel_near_u8);
	OVERLAY(panel_near_hamming);
	OVERLAY(panel_near_jaccard);
	OVERLAY(swap_f32);
	OVERLAY(swap_f16);
	OVERLAY(max_abs_f32);
	OVERLAY(quantize_s8);
	OVERLAY(quantize_u8);
#undef OVERLAY
}

bool
kernel_choose(const char *force)
{
	bool		is_auto = force == NULL || strcmp(force, "auto") == 0;
	const Kernels *const *tables = find_tables(is_auto ? NULL : force);
	Kernels		chosen = kernels_scalar;

	if (tables == NULL)
		return false;
	for (; *tables != NULL; tables++)
		overlay(&chosen, *tables);
	kernels = chosen;
	return true;
}
