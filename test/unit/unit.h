/*-------------------------------------------------------------------------
 *
 * unit.h
 *	  What the unit tests share: checks that count, guarded memory, numbers.
 *
 * Each test is one program of plain C.  It prints what failed, "skipped: ..."
 * for what this CPU cannot run, and last "N passed, N failed"; it exits
 * non-zero if anything failed.
 *
 * IDENTIFICATION
 *	  test/unit/unit.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef UNIT_H
#define UNIT_H

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/kernel.h"

/* a broken kernel fails thousands of checks: print only the first ones */
#define UNIT_MAX_PRINTED	20

static long unit_passed;
static long unit_failed;

/* what is being tested, for messages: table and function */
static const char *unit_isa = "";
static const char *unit_what = "";

/* CHECK(condition, format, ...) -- count it, and print the message if false */
#define CHECK(condition, ...) \
	do { \
		if (condition) \
			unit_passed++; \
		else if (unit_failed++ < UNIT_MAX_PRINTED) \
		{ \
			printf("%s:%d: %s %s: %s: ", __FILE__, __LINE__, \
				   unit_isa, unit_what, #condition); \
			printf(__VA_ARGS__); \
			printf("\n"); \
		} \
	} while (0)

static inline int
unit_finish(void)
{
	printf("%ld passed, %ld failed\n", unit_passed, unit_failed);
	return unit_failed == 0 && unit_passed > 0 ? 0 : 1;
}

/* ---- tables ---- */

static const char *const unit_tables[] = {"scalar", "avx2", "avx512", "neon"};

#define UNIT_NTABLES ((int) (sizeof(unit_tables) / sizeof(unit_tables[0])))

/*
 * Run 'test' once under each table that this CPU supports, 'scalar' included.
 */
static inline void
unit_each_table(void (*test) (void))
{
	for (int i = 0; i < UNIT_NTABLES; i++)
	{
		unit_isa = unit_tables[i];
		if (!kernel_supported(unit_isa))
		{
			printf("skipped: %s (not supported by this CPU)\n", unit_isa);
			continue;
		}
		CHECK(kernel_choose(unit_isa), "table refused");
		CHECK(strcmp(kernels.isa, unit_isa) == 0, "got %s", kernels.isa);
		test();
	}
	unit_isa = "";
}

/* ---- memory between two pages that nobody may touch ---- */

typedef struct UnitArena
{
	uint8_t    *base;
	size_t		size;			/* whole pages */
} UnitArena;

/* where in an arena a buffer goes: its end, its start, or start + offset */
#define UNIT_AT_END		(-1)
#define UNIT_AT_START	0

static inline void
unit_segv(int signo)
{
	(void) signo;
	printf("%s %s: touched memory out of bounds\n", unit_isa, unit_what);
	printf("%ld passed, %ld failed\n", unit_passed, unit_failed + 1);
	fflush(stdout);
	_exit(1);
}

static inline UnitArena
unit_arena(size_t size)
{
	size_t		page = (size_t) sysconf(_SC_PAGESIZE);
	UnitArena	arena;
	uint8_t    *map;

	arena.size = (size + page - 1) / page * page;
	map = mmap(NULL, arena.size + 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED ||
		mprotect(map, page, PROT_NONE) != 0 ||
		mprotect(map + page + arena.size, page, PROT_NONE) != 0)
	{
		perror("could not make guard pages");
		exit(1);
	}
	arena.base = map + page;
	signal(SIGSEGV, unit_segv);
	signal(SIGBUS, unit_segv);
	return arena;
}

/* room for 'bytes' bytes at 'where'; the rest of the arena is unspecified */
static inline void *
unit_place(const UnitArena *arena, size_t bytes, int where)
{
	if (where == UNIT_AT_END)
		return arena->base + arena->size - bytes;
	if ((size_t) where + bytes > arena->size)
	{
		printf("arena too small\n");
		exit(1);
	}
	return arena->base + where;
}

/* ---- numbers, equal on every machine ---- */

static uint64_t unit_seed = 1;

/* splitmix64 */
static inline uint64_t
unit_random(void)
{
	uint64_t	z = (unit_seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* in [0, 1) */
static inline double
unit_uniform(void)
{
	return (double) (unit_random() >> 11) / 9007199254740992.0;
}

/* mean 0, variance 1 */
static inline double
unit_gauss(void)
{
	double		radius = sqrt(-2 * log(1 - unit_uniform()));

	return radius * cos(6.283185307179586 * unit_uniform());
}

static inline void
unit_fill_gauss(float *x, int n)
{
	for (int i = 0; i < n; i++)
		x[i] = (float) unit_gauss();
}

/* signed bytes in [-127, 127] */
static inline void
unit_fill_codes(int8_t *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (int8_t) ((int) (unit_random() % 255) - 127);
}

static inline void
unit_fill_bytes(uint8_t *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (uint8_t) unit_random();
}

/* |a - b|^2; b may be NULL for zero */
static inline double
unit_l2sq(const float *a, const float *b, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		double		diff = (double) a[i] - (b != NULL ? b[i] : 0);

		sum += diff * diff;
	}
	return sum;
}

static inline double
unit_dot(const float *a, const float *b, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += (double) a[i] * b[i];
	return sum;
}

#endif							/* UNIT_H */
