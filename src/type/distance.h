/*-------------------------------------------------------------------------
 *
 * distance.h
 *	  Distances of two values, as SQL returns them, for C callers.
 *
 * The operands have equal dimensions and are not toasted.  Sums are float32,
 * from the kernels; the last step is float64.  So a sum beyond FLT_MAX shows
 * as infinity or NaN, and nothing raises.
 *
 * IDENTIFICATION
 *	  src/type/distance.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef DISTANCE_H
#define DISTANCE_H

#include "type/vector.h"

extern double vector_distance_l2(const Vector *a, const Vector *b);
extern double vector_distance_l2_squared(const Vector *a, const Vector *b);
extern double vector_distance_ip(const Vector *a, const Vector *b);
extern double vector_distance_cosine(const Vector *a, const Vector *b);
extern double vector_distance_l1(const Vector *a, const Vector *b);

/* what operator classes name as support function 1; see metric.c */
extern PGDLLEXPORT Datum vector_l2_squared_distance(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum vector_negative_inner_product(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum l1_distance(PG_FUNCTION_ARGS);

#endif							/* DISTANCE_H */
