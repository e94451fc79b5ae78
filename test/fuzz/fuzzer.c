/*-------------------------------------------------------------------------
 *
 * fuzzer.c
 *	  The entry points of libFuzzer.
 *
 * Usage: fuzzer --target=NAME [options of libFuzzer] [directories]
 *
 * IDENTIFICATION
 *	  test/fuzz/fuzzer.c
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "targets.h"

static const FuzzTarget *target;

extern int	LLVMFuzzerInitialize(int *argc, char ***argv);
extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer passes by what starts with two dashes */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char option[] = "--target=";

	for (int i = 1; i < *argc; i++)
		if (strncmp((*argv)[i], option, strlen(option)) == 0)
			target = fuzz_find((*argv)[i] + strlen(option));
	if (target == NULL)
	{
		fprintf(stderr, "usage: fuzzer --target=NAME ..., of:\n");
		for (const FuzzTarget *t = fuzz_targets; t->name != NULL; t++)
			fprintf(stderr, "  %s\n", t->name);
		exit(1);
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_run(target, data, size);
	return 0;
}
