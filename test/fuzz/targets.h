/*-------------------------------------------------------------------------
 *
 * targets.h
 *	  What is fuzzed: each target makes something of any bytes, and may not
 *	  crash or break a promise.
 *
 * IDENTIFICATION
 *	  test/fuzz/targets.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_TARGETS_H
#define FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

typedef struct FuzzTarget
{
	const char *name;			/* also of its file in corpus/ */
	void		(*run) (const uint8_t *data, size_t size);
} FuzzTarget;

/* ends with one whose name is NULL */
extern const FuzzTarget fuzz_targets[];

/* the target of that name, or NULL */
extern const FuzzTarget *fuzz_find(const char *name);

/*
 * fuzz_run -- one execution.  Leaves nothing allocated; a promise that does
 * not hold is printed and ends the program with abort().
 */
extern void fuzz_run(const FuzzTarget *target, const uint8_t *data,
					 size_t size);

#endif							/* FUZZ_TARGETS_H */
