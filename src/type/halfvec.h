/*-------------------------------------------------------------------------
 *
 * halfvec.h
 *	  Type halfvec: a list of 1 to 16000 finite binary16 numbers.
 *
 * This header is installed for extensions that build on ours; it holds the
 * datum and what one needs to take, make and return one, nothing else.
 *
 * IDENTIFICATION
 *	  src/type/halfvec.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HALFVEC_H
#define HALFVEC_H

#include "fmgr.h"

/* dim is an int16 on disk and on the wire */
#define HALFVEC_MAX_DIM		16000

/* bytes of a datum, length word included */
#define HALFVEC_SIZE(dim)	(offsetof(HalfVector, x) + sizeof(half) * (dim))

/* the least number that rounds to infinity */
#define HALF_OVERFLOW		65520.0f

/* IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction */
typedef uint16 half;

/*
 * The datum, byte for byte as stored.  The elements of a stored vector are
 * finite: every function that makes one sees to it.
 */
typedef struct HalfVector
{
	int32		vl_len_;		/* varlena header; do not touch directly */
	int16		dim;			/* number of elements, 1 to HALFVEC_MAX_DIM */
	int16		unused;			/* 0, for later use */
	half		x[FLEXIBLE_ARRAY_MEMBER];
} HalfVector;

#define DatumGetHalfVector(x)	((HalfVector *) PG_DETOAST_DATUM(x))
#define PG_GETARG_HALFVEC_P(n)	DatumGetHalfVector(PG_GETARG_DATUM(n))
#define PG_RETURN_HALFVEC_P(x)	PG_RETURN_POINTER(x)

/*
 * InitHalfVector -- a vector of 'dim' zeros.
 *
 * Memory: palloc'd in the current context.
 * Errors: none of its own; the caller has checked 'dim'.
 */
extern PGDLLEXPORT HalfVector *InitHalfVector(int dim);

#endif							/* HALFVEC_H */
