/*-------------------------------------------------------------------------
 *
 * sparsevec.h
 *	  Type sparsevec: up to 16000 float32 numbers that are not zero, and where
 *	  they stand among at most a billion.
 *
 * This header is installed for extensions that build on ours; it holds the
 * datum and what one needs to take, make and return one, nothing else.
 *
 * IDENTIFICATION
 *	  src/type/sparsevec.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef SPARSEVEC_H
#define SPARSEVEC_H

#include "fmgr.h"

#define SPARSEVEC_MAX_DIM	1000000000
#define SPARSEVEC_MAX_NNZ	16000

/* bytes of a datum with nnz elements, length word included */
#define SPARSEVEC_SIZE(nnz) \
	(offsetof(SparseVector, indices) + (nnz) * (sizeof(int32) + sizeof(float)))

/*
 * The datum, byte for byte as stored.  Behind the indices stand the values, as
 * many floats; SPARSEVEC_VALUES points to them.  In a stored datum indices
 * ascend, and values are finite and not zero.
 */
typedef struct SparseVector
{
	int32		vl_len_;		/* varlena header; do not touch directly */
	int32		dim;			/* number of dimensions, 1 to SPARSEVEC_MAX_DIM */
	int32		nnz;			/* number of elements, 0 to SPARSEVEC_MAX_NNZ */
	int32		unused;			/* 0, for later use */
	int32		indices[FLEXIBLE_ARRAY_MEMBER]; /* from 0; then the values */
} SparseVector;

#define SPARSEVEC_VALUES(x)			((float *) ((x)->indices + (x)->nnz))

#define DatumGetSparseVector(x)		((SparseVector *) PG_DETOAST_DATUM(x))
#define PG_GETARG_SPARSEVEC_P(n)	DatumGetSparseVector(PG_GETARG_DATUM(n))
#define PG_RETURN_SPARSEVEC_P(x)	PG_RETURN_POINTER(x)

/*
 * InitSparseVector -- a sparse vector with room for 'nnz' elements, all bytes
 * of which are zero: the caller sets indices and values.
 *
 * Memory: palloc'd in the current context.
 * Errors: none of its own; the caller has checked both numbers.
 */
extern PGDLLEXPORT SparseVector *InitSparseVector(int dim, int nnz);

#endif							/* SPARSEVEC_H */
