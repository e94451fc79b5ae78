/*-------------------------------------------------------------------------
 *
 * quant_query.h
 *	  A query prepared once for edge codes: 8 bits a dimension.
 *
 * IDENTIFICATION
 *	  src/quant/quant_query.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef QUANT_QUERY_H
#define QUANT_QUERY_H

#include <stddef.h>
#include <stdint.h>

/*
 * q_i ~ scale * code_i over the first nbits rotated dimensions, so that
 *		<q, x'> = scale * (sum of code_i over set bits - half_sum)
 * for x' in {-1/2, +1/2}^nbits given by bits.
 */
typedef struct QuantQuery
{
	int			nbits;			/* coded dimensions of an edge */
	float		scale;
	float		half_sum;		/* (sum of code_i) / 2 */
	const int8_t *code;			/* nbits of them */
} QuantQuery;

/* Prepare from rotated floats q[nbits]; writes nbits bytes at 'code'. */
extern void quant_query_init(QuantQuery *query, const float *q, int nbits,
							 int8_t *code);

/* Prepare from an existing own code, without copying it. */
extern void quant_query_from_code(QuantQuery *query, float scale,
								  const int8_t *code, int nbits);

#endif							/* QUANT_QUERY_H */
