/*-------------------------------------------------------------------------
 *
 * sparsecheck.h
 *	  What only type sparsevec refuses, and how much of a datum is believed.
 *
 * A datum says in itself how many elements it has, and where in a dense vector
 * they go.  If a damaged page or a foreign tool made it say something wrong,
 * nothing may be read or written beyond its end: the number is checked whenever
 * a datum is taken, the indices before they are used to address memory.
 *
 * IDENTIFICATION
 *	  src/type/sparsecheck.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPARSECHECK_H
#define SPARSECHECK_H

#include "compat.h"
#include "type/sparsevec.h"

/* Do all the elements that a datum claims to have lie within its bytes? */
static inline bool
sparsevec_is_whole(const SparseVector *vector)
{
	return VARSIZE(vector) >= SPARSEVEC_SIZE(0) && vector->nnz >= 0 &&
		vector->nnz <= (VARSIZE(vector) - SPARSEVEC_SIZE(0)) /
		(sizeof(int32) + sizeof(float));
}

/*
 * sparsevec_from_datum -- a detoasted sparsevec, of which sparsevec_is_whole.
 *
 * Memory: as PG_DETOAST_DATUM.
 * Errors: DATA_CORRUPTED.
 */
extern SparseVector *sparsevec_from_datum(Datum datum);

#define PG_GETARG_WHOLE_SPARSEVEC_P(n) sparsevec_from_datum(PG_GETARG_DATUM(n))

/*
 * check_nnz -- a sparse vector has at most SPARSEVEC_MAX_NNZ elements.
 *
 * Errors: PROGRAM_LIMIT_EXCEEDED.
 */
extern void check_nnz(int64 nnz);

/*
 * check_index -- index i of 'indices' is within 'dim' and above the one before.
 *
 * Errors: DATA_EXCEPTION, one text for each fault.
 */
extern void check_index(const int32 *indices, int i, int dim);

/*
 * check_stored_sparsevec -- everything that a stored datum promises, but for
 * its values.
 *
 * Errors: those of the above.
 */
extern void check_stored_sparsevec(const SparseVector *vector);

#endif							/* SPARSECHECK_H */
