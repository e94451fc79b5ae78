/*-------------------------------------------------------------------------
 *
 * distance.h
 *	  Distances of two values, as SQL returns them, for C callers.
 *
 * The operands have equal dimensions and are not toasted.  Sums are float32,
 * from the kernels; the last step is float64.  So a sum beyond FLT_MAX shows
 * as infinity or NaN, and nothing raises.  Elements of halfvec are widened to
 * float32 first; bits are counted.
 *
 * IDENTIFICATION
 *	  src/type/distance.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISTANCE_H
#define DISTANCE_H

#include "type/halfvec.h"
#include "type/sparsevec.h"
#include "type/vector.h"
#include "utils/varbit.h"

extern double vector_distance_l2(const Vector *a, const Vector *b);
extern double vector_distance_l2_squared(const Vector *a, const Vector *b);
extern double vector_distance_ip(const Vector *a, const Vector *b);
extern double vector_distance_cosine(const Vector *a, const Vector *b);
extern double vector_distance_l1(const Vector *a, const Vector *b);

extern double halfvec_distance_l2(const HalfVector *a, const HalfVector *b);
extern double halfvec_distance_l2_squared(const HalfVector *a,
										  const HalfVector *b);
extern double halfvec_distance_ip(const HalfVector *a, const HalfVector *b);
extern double halfvec_distance_cosine(const HalfVector *a,
									  const HalfVector *b);
extern double halfvec_distance_l1(const HalfVector *a, const HalfVector *b);

/* the operands are whole (sparsecheck.h) */
extern double sparsevec_distance_l2(const SparseVector *a,
									const SparseVector *b);
extern double sparsevec_distance_l2_squared(const SparseVector *a,
											const SparseVector *b);
extern double sparsevec_distance_ip(const SparseVector *a,
									const SparseVector *b);
extern double sparsevec_distance_cosine(const SparseVector *a,
										const SparseVector *b);
extern double sparsevec_distance_l1(const SparseVector *a,
									const SparseVector *b);

/*
 * What an index needs besides, to the precision of float32, but without its
 * range: squared distance of the two vectors made unit length, where a
 * zero vector is orthogonal to others, and the norm, which is 0 for a zero
 * vector only.
 */
extern double sparsevec_distance_unit(const SparseVector *a,
									  const SparseVector *b);
extern double sparsevec_norm(const SparseVector *vector);

extern double bit_distance_hamming(const VarBit *a, const VarBit *b);
extern double bit_distance_jaccard(const VarBit *a, const VarBit *b);

/* what operator classes name as support function 1; see metric.c */
extern PGDLLEXPORT Datum vector_l2_squared_distance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum vector_negative_inner_product(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum l1_distance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum halfvec_l2_squared_distance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum halfvec_negative_inner_product(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum halfvec_l1_distance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum sparsevec_l2_squared_distance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum sparsevec_negative_inner_product(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum sparsevec_l1_distance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum hamming_distance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum jaccard_distance(PG_FUNCTION_ARGS);

#endif							/* DISTANCE_H */
