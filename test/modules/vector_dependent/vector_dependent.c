/*-------------------------------------------------------------------------
 *
 * vector_dependent.c
 *	  What an extension that builds on ours does with the installed headers:
 *	  take, make and return a value of each type.
 *
 * IDENTIFICATION
 *	  test/modules/vector_dependent/vector_dependent.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "halfvec.h"
#include "sparsevec.h"
#include "vector.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT Datum total_vector(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum iota_vector(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum bits_halfvec(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum fill_halfvec(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum total_sparsevec(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum unit_sparsevec(PG_FUNCTION_ARGS);

PG_FUNCTION_INFO_V1(total_vector);
PG_FUNCTION_INFO_V1(iota_vector);
PG_FUNCTION_INFO_V1(bits_halfvec);
PG_FUNCTION_INFO_V1(fill_halfvec);
PG_FUNCTION_INFO_V1(total_sparsevec);
PG_FUNCTION_INFO_V1(unit_sparsevec);

/* total_vector(vector) -> float8: the sum of its elements */
Datum
total_vector(PG_FUNCTION_ARGS)
{
	Vector	   *v = PG_GETARG_VECTOR_P(0);
	double		total = 0;

	Assert(VARSIZE(v) == VECTOR_SIZE(v->dim));
	for (int i = 0; i < v->dim; i++)
		total += v->x[i];
	PG_RETURN_FLOAT8(total);
}

/* iota_vector(n int4) -> vector: 1 to n */
Datum
iota_vector(PG_FUNCTION_ARGS)
{
	int			n = Min(PG_GETARG_INT32(0), VECTOR_MAX_DIM);
	Vector	   *v = InitVector(n);

	for (int i = 0; i < n; i++)
		v->x[i] = i + 1;
	PG_RETURN_VECTOR_P(v);
}

/* bits_halfvec(halfvec, i int4) -> int4: the bits of element i, from 0 */
Datum
bits_halfvec(PG_FUNCTION_ARGS)
{
	HalfVector *v = PG_GETARG_HALFVEC_P(0);
	half		x = v->x[PG_GETARG_INT32(1)];
	uint16		bits;

	Assert(VARSIZE(v) == HALFVEC_SIZE(v->dim));
	memcpy(&bits, &x, sizeof(bits));
	PG_RETURN_INT32(bits);
}

/* fill_halfvec(n int4, bits int4) -> halfvec: n elements of those bits */
Datum
fill_halfvec(PG_FUNCTION_ARGS)
{
	int			n = Min(PG_GETARG_INT32(0), HALFVEC_MAX_DIM);
	uint16		bits = PG_GETARG_INT32(1);
	HalfVector *v = InitHalfVector(n);

	for (int i = 0; i < n; i++)
		memcpy(&v->x[i], &bits, sizeof(bits));
	PG_RETURN_HALFVEC_P(v);
}

/* total_sparsevec(sparsevec) -> float8: the sum of its elements */
Datum
total_sparsevec(PG_FUNCTION_ARGS)
{
	SparseVector *v = PG_GETARG_SPARSEVEC_P(0);
	float	   *values = SPARSEVEC_VALUES(v);
	double		total = 0;

	Assert(VARSIZE(v) == SPARSEVEC_SIZE(v->nnz));
	for (int i = 0; i < v->nnz; i++)
		total += values[i];
	PG_RETURN_FLOAT8(total);
}

/* unit_sparsevec(dim int4, i int4) -> sparsevec: 1 at position i, from 1 */
Datum
unit_sparsevec(PG_FUNCTION_ARGS)
{
	SparseVector *v = InitSparseVector(Min(PG_GETARG_INT32(0),
										   SPARSEVEC_MAX_DIM), 1);

	StaticAssertStmt(SPARSEVEC_MAX_NNZ == 16000, "the contract's limit");
	v->indices[0] = PG_GETARG_INT32(1) - 1;
	SPARSEVEC_VALUES(v)[0] = 1;
	PG_RETURN_SPARSEVEC_P(v);
}
