/*-------------------------------------------------------------------------
 *
 * vector.h
 *	  Type vector: a list of 1 to 16000 finite float32 numbers.
 *
 * This header is installed for extensions that build on ours; it holds the
 * datum and what one needs to take, make and return one, nothing else.
 *
 * IDENTIFICATION
 *	  src/type/vector.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef VECTOR_H
#define VECTOR_H

#include "fmgr.h"

/* dim is an int16 on disk and on the wire */
#define VECTOR_MAX_DIM		16000

/* bytes of a datum, length word included */
#define VECTOR_SIZE(dim)	(offsetof(Vector, x) + sizeof(float) * (dim))

/*
 * The datum, byte for byte as stored.  The elements of a stored vector are
 * finite: every function that makes one sees to it.
 */
typedef struct Vector
{
	int32		vl_len_;		/* varlena header; do not touch directly */
	int16		dim;			/* number of elements, 1 to VECTOR_MAX_DIM */
	int16		unused;			/* 0, for later use */
	float		x[FLEXIBLE_ARRAY_MEMBER];
} Vector;

#define DatumGetVector(x)		((Vector *) PG_DETOAST_DATUM(x))
#define PG_GETARG_VECTOR_P(n)	DatumGetVector(PG_GETARG_DATUM(n))
#define PG_RETURN_VECTOR_P(x)	PG_RETURN_POINTER(x)

/*
 * InitVector -- a vector of 'dim' zeros.
 *
 * Memory: palloc'd in the current context.
 * Errors: none of its own; the caller has checked 'dim'.
 */
extern PGDLLEXPORT Vector *InitVector(int dim);

#endif							/* VECTOR_H */
