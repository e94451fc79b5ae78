/*-------------------------------------------------------------------------
 *
 * backend.h
 *	  The little of a backend that the types need, for programs without one.
 *
 * Where Debian ships PostgreSQL's own code as a library (libpgcommon,
 * libpgport), that is linked: StringInfo, hashes, shortest decimals, qsort,
 * formatting.  backend.c has the rest, with the backend's limits, SQLSTATEs
 * and texts.  Each chunk of palloc is one of malloc, of exactly the size that
 * was asked for, so that AddressSanitizer sees a byte too many.
 *
 * IDENTIFICATION
 *	  test/fuzz/backend.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_BACKEND_H
#define FUZZ_BACKEND_H

#include <setjmp.h>

#include "fmgr.h"
#include "utils/array.h"

/* what an error says; the last one raised */
typedef struct BackendError
{
	int			sqlstate;
	char		message[256];	/* its beginning */
} BackendError;

extern BackendError backend_error;

/*
 * backend_call -- call a function with these arguments, none of them NULL.
 *
 * Returns false if it raised an error, which is then in backend_error.  NULL
 * as its result sets *isnull.
 */
extern bool backend_call(PGFunction function, int nargs, const Datum *args,
						 Datum *result, bool *isnull);

/* bytes of a chunk that is still allocated; dies if there is none */
extern Size backend_chunk_size(const void *chunk);

/* free everything that was allocated */
extern void backend_reset(void);

#endif							/* FUZZ_BACKEND_H */
