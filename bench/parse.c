/*-------------------------------------------------------------------------
 *
 * parse.c
 *	  Micro-benchmark of the number parser against strtof, without a server.
 *
 * Prints nanoseconds per number of lists of 784, in the forms that vectors
 * have.  The lists of a round are all different, some megabytes together, so
 * that branches cannot be learned by heart; the best of several rounds is
 * printed.  Both parsers must give the same bits, or the program fails.
 *
 * Build: cc -O2 -Isrc -o parse bench/parse.c src/type/parse.c -lm
 *
 * IDENTIFICATION
 *	  bench/parse.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "type/parse.h"

#define DIM			784
#define NLISTS		200
#define ROUNDS		15
#define MAX_NUMBER	400			/* characters, comma included */

static char *texts[NLISTS];
static size_t lengths[NLISTS];
static float parsed[DIM];
static float expected[DIM];

static uint64_t seed = 1;

/* splitmix64, in [0, 1) */
static double
uniform(void)
{
	uint64_t	z = (seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (double) (z >> 11) / 9007199254740992.0;
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* ---- what is written ---- */

static void
write_float(char *s)
{
	sprintf(s, "%.9g", (float) (0.2 * (uniform() - 0.5)));
}

static void
write_double(char *s)
{
	sprintf(s, "%.17g", 0.2 * (uniform() - 0.5));
}

static void
write_short(char *s)
{
	sprintf(s, "%.6g", 20 * (uniform() - 0.5));
}

static void
write_byte(char *s)
{
	sprintf(s, "%d", (int) (256 * uniform()));
}

static void
write_integer(char *s)
{
	sprintf(s, "%d", (int) (20000 * (uniform() - 0.5)));
}

static void
write_long(char *s)
{
	sprintf(s, "%.300f", uniform() - 0.5);
}

/* ---- what is timed ---- */

static void
parse_ours(int i)
{
	const char *s = texts[i];
	int			n;

	if (parse_float_list(&s, texts[i] + lengths[i],
						 parsed, DIM, &n) != PARSE_OK || n != DIM)
	{
		printf("could not parse: %.100s\n", s);
		exit(1);
	}
}

static void
parse_strtof(int i)
{
	char	   *s = texts[i];

	for (int k = 0; k < DIM; k++)
	{
		errno = 0;
		expected[k] = strtof(s, &s);
		s++;
	}
}

/* nanoseconds per number, best round */
static double
measure(void (*parse) (int))
{
	double		best = 1e9;

	for (int round = 0; round < ROUNDS; round++)
	{
		double		start = seconds();
		double		ns;

		for (int i = 0; i < NLISTS; i++)
			parse(i);
		ns = (seconds() - start) * 1e9 / NLISTS / DIM;
		if (ns < best)
			best = ns;
	}
	return best;
}

static void
compare(const char *name, void (*write) (char *))
{
	double		ours;
	double		theirs;

	for (int i = 0; i < NLISTS; i++)
	{
		char	   *s = texts[i];

		for (int k = 0; k < DIM; k++)
		{
			write(s);
			s += strlen(s);
			*s++ = k < DIM - 1 ? ',' : ']';
		}
		*s = '\0';
		lengths[i] = (size_t) (s - texts[i]);
		parse_ours(i);
		parse_strtof(i);
		if (memcmp(parsed, expected, sizeof(parsed)) != 0)
		{
			printf("%s: not equal to strtof\n", name);
			exit(1);
		}
	}

	ours = measure(parse_ours);
	theirs = measure(parse_strtof);
	printf("%-24s %8.1f %8.1f %8.1f\n", name, ours, theirs, theirs / ours);
}

int
main(void)
{
	for (int i = 0; i < NLISTS; i++)
		texts[i] = malloc((size_t) DIM * MAX_NUMBER);

	printf("%-24s %8s %8s %8s\n", "ns per number", "ours", "strtof", "ratio");
	compare("float, 9 digits", write_float);
	compare("double, 17 digits", write_double);
	compare("6 digits", write_short);
	compare("integer 0 to 255", write_byte);
	compare("integer -9999 to 9999", write_integer);
	compare("300 digits", write_long);
	return 0;
}
