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

/* Euclidean norm, 0 for a zero vector only; to the precision of float32, but
 * without its range */
extern double sparsevec_norm(const SparseVector *vector);

extern double bit_distance_hamming(const VarBit *a, const VarBit *b);
extern double bit_distance_jaccard(const VarBit *a, const VarBit *b);

/*
 * What an index needs besides: a vector as n floats.  If it has more
 * dimensions this is a random projection: each element is added to or taken
 * off one of the floats, as the hash of its index says.
 */
extern void sparsevec_sketch(const SparseVector *vector, float *out, int n);

/*
 * sparsevec_cut -- write the n elements of largest absolute value, of equal ones the
 * first, to 'out'; or all if there are no more.
 *
 * Returns the Euclidean norm of the others, or with 'absolute' the sum of
 * their absolute values, never less than it is.
 */
extern double sparsevec_cut(const SparseVector *vector, int n, bool absolute,
							SparseVector *out);

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

/* what the planner recognises as the negative of an operator */
extern PGDLLEXPORT Datum inner_product(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum halfvec_inner_product(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum sparsevec_inner_product(PG_FUNCTION_ARGS);

#endif							/* DISTANCE_H */
