/*-------------------------------------------------------------------------
 *
 * sparsecheck.c
 *	  What only type sparsevec refuses, and how much of a datum is believed.
 *
 * IDENTIFICATION
 *	  src/type/sparsecheck.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "type/check.h"
#include "type/sparsecheck.h"

SparseVector *
sparsevec_from_datum(Datum datum)
{
	SparseVector *vector = DatumGetSparseVector(datum);

	if (unlikely(!sparsevec_is_whole(vector)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("sparsevec of %zu bytes is not as long as its elements",
						(size_t) VARSIZE(vector))));
	return vector;
}

void
check_nnz(int64 nnz)
{
	if (nnz > SPARSEVEC_MAX_NNZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sparsevec cannot have more than %d non-zero elements",
						SPARSEVEC_MAX_NNZ)));
}

void
check_index(const int32 *indices, int i, int dim)
{
	if (indices[i] < 0 || indices[i] >= dim)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("sparsevec index out of bounds")));
	if (i == 0 || indices[i] > indices[i - 1])
		return;
	if (indices[i] == indices[i - 1])
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("sparsevec indices must not contain duplicates")));
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("sparsevec indices must be in ascending order")));
}

void
check_stored_sparsevec(const SparseVector *vector)
{
	check_dim("sparsevec", vector->dim, SPARSEVEC_MAX_DIM);
	check_nnz(vector->nnz);
	for (int i = 0; i < vector->nnz; i++)
		check_index(vector->indices, i, vector->dim);
}
