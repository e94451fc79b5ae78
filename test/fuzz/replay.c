/*-------------------------------------------------------------------------
 *
 * replay.c
 *	  Run the corpus, and changed copies of it, without a fuzzer.
 *
 * Usage: replay CORPUS [COPIES]
 *
 * CORPUS is a directory with one file for each target.  Each of its lines is
 * one input: printable characters as they are, other bytes and the backslash
 * as \xHH; lines that start with # are comments.  Each input is run as it is,
 * and as COPIES that were changed in a few bytes, the same ones every time.
 *
 * Prints a line for each target, and last "N passed, N failed", inputs as
 * they are in the corpus.  A broken promise or a sanitizer's finding ends the
 * program; where it was is printed.
 *
 * IDENTIFICATION
 *	  test/fuzz/replay.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "targets.h"

#define MAX_INPUT	65536		/* bytes of an input, more than any type takes */

/* where we are, for who must find it again */
static const char *current_target;
static int	current_line;
static int	current_copy;
static uint8_t *current_data;
static size_t current_size;

/* the sanitizers' runtime calls this before it ends the program */
extern void __sanitizer_set_death_callback(void (*callback) (void));

static void
print_place(void)
{
	fprintf(stderr, "in corpus/%s, line %d, copy %d:\n",
			current_target, current_line, current_copy);
	for (size_t i = 0; i < current_size && i < 2000; i++)
	{
		if (current_data[i] >= ' ' && current_data[i] <= '~' &&
			current_data[i] != '\\')
			fputc(current_data[i], stderr);
		else
			fprintf(stderr, "\\x%02x", current_data[i]);
	}
	fputc('\n', stderr);
}

static void
handle_abort(int signo)
{
	(void) signo;
	print_place();
	signal(SIGABRT, SIG_DFL);
}

/* ---------- changed copies ---------- */

static uint64_t seed;

/* splitmix64 */
static uint64_t
next_random(void)
{
	uint64_t	z = (seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* what often makes a difference: to parsers, and in binary forms */
static const char *const pieces[] = {
	",", "[", "]", "{", "}", ":", "/", "-", "+", ".", "e", "0x", "p", " ",
	"0", "9", "65520", "16000", "1e38", "1e-46", "nan", "inf", "2147483648",
	"\xff\xff", "\x7f\x80", "\x7c", "\x80", "\x3e\x80", "\x7f\xff\xff\xff",
};

#define NPIECES (sizeof(pieces) / sizeof(pieces[0]))

/*
 * change_once -- one change to the 'size' bytes of data, which has room for
 * twice MAX_INPUT.  Returns the new size.
 */
static size_t
change_once(uint8_t *data, size_t size)
{
	size_t		at = next_random() % (size + 1);
	size_t		rest = size - at;
	size_t		n;

	switch (next_random() % 6)
	{
		case 0:					/* a bit */
			if (rest > 0)
				data[at] ^= 1 << next_random() % 8;
			return size;
		case 1:					/* a byte */
			if (rest > 0)
				data[at] = (uint8_t) next_random();
			return size;
		case 2:					/* an end that is missing */
			return next_random() % 4 == 0 ? at : size;
		case 3:					/* something less */
			n = next_random() % 8;
			if (n > rest)
				n = rest;
			memmove(data + at, data + at + n, rest - n);
			return size - n;
		case 4:					/* something twice */
			n = 1 + next_random() % 16;
			if (n > rest)
				n = rest;
			memmove(data + at + n, data + at, rest);
			return size + n;
		default:				/* something new */
			{
				const char *piece = pieces[next_random() % NPIECES];

				n = strlen(piece);
				memmove(data + at + n, data + at, rest);
				memcpy(data + at, piece, n);
				return size + n;
			}
	}
}

/* ---------- inputs ---------- */

static void
run(const FuzzTarget *target, const uint8_t *data, size_t size)
{
	/* of exactly that size, so that a byte too many is seen */
	current_data = malloc(size > 0 ? size : 1);
	current_size = size;
	memcpy(current_data, data, size);
	fuzz_run(target, current_data, size);
	free(current_data);
}

/* the bytes that a line of the corpus stands for; returns how many */
static size_t
read_line(const char *line, uint8_t *data)
{
	size_t		size = 0;

	while (*line != '\0' && *line != '\n')
	{
		unsigned	byte;

		if (line[0] == '\\' && sscanf(line, "\\x%2x", &byte) == 1)
		{
			data[size++] = (uint8_t) byte;
			line += 4;
		}
		else
			data[size++] = (uint8_t) *line++;
	}
	return size;
}

/* one file of the corpus; returns how many inputs it has */
static int
replay(const FuzzTarget *target, const char *corpus, int copies)
{
	static char line[4 * MAX_INPUT + 2];
	static uint8_t data[2 * MAX_INPUT];
	static uint8_t copy[2 * MAX_INPUT];
	char		path[4096];
	FILE	   *file;
	int			ninputs = 0;

	snprintf(path, sizeof(path), "%s/%s", corpus, target->name);
	file = fopen(path, "r");
	if (file == NULL)
	{
		fprintf(stderr, "could not open %s: %s\n", path, strerror(errno));
		exit(1);
	}

	current_target = target->name;
	for (current_line = 1; fgets(line, sizeof(line), file); current_line++)
	{
		size_t		size;

		if (line[0] == '#')
			continue;
		size = read_line(line, data);
		ninputs++;
		current_copy = 0;
		run(target, data, size);

		seed = (uint64_t) current_line << 32;
		for (current_copy = 1; current_copy <= copies; current_copy++)
		{
			size_t		copy_size = size;

			memcpy(copy, data, size);
			for (uint64_t n = 1 + next_random() % 4; n > 0; n--)
				if (copy_size < MAX_INPUT)
					copy_size = change_once(copy, copy_size);
			run(target, copy, copy_size);
		}
	}
	fclose(file);
	return ninputs;
}

int
main(int argc, char **argv)
{
	int			copies = argc > 2 ? atoi(argv[2]) : 0;
	long		passed = 0;
	int			failed = 0;

	if (argc < 2)
	{
		fprintf(stderr, "usage: replay CORPUS [COPIES]\n");
		return 1;
	}
	signal(SIGABRT, handle_abort);
	__sanitizer_set_death_callback(print_place);

	for (const FuzzTarget *target = fuzz_targets; target->name != NULL; target++)
	{
		int			ninputs = replay(target, argv[1], copies);

		if (ninputs == 0)
			failed++;
		passed += ninputs;
		printf("%s - %s: %d inputs, %ld executions\n",
			   ninputs > 0 ? "ok" : "not ok", target->name,
			   ninputs, (long) ninputs * (copies + 1));
		fflush(stdout);
	}
	printf("%ld passed, %d failed\n", passed, failed);
	return failed > 0;
}
