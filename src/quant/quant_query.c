/*-------------------------------------------------------------------------
 *
 * quant_query.c
 *	  A query prepared once for edge codes: 8 bits a dimension.
 *
 * IDENTIFICATION
 *	  src/quant/quant_query.c
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "quant/quant_query.h"

/*
 * Sum of n codes: the dot product with ones, a piece at a time so that the
 * ones need no memory of their own.
 */
static int32_t
sum_codes(const int8_t *code, int n)
{
#define ONES16 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
	static const int8_t ones[] = {
		ONES16, ONES16, ONES16, ONES16, ONES16, ONES16, ONES16, ONES16,
		ONES16, ONES16, ONES16, ONES16, ONES16, ONES16, ONES16, ONES16
	};
#undef ONES16
	const int	piece = (int) sizeof(ones);
	int32_t		sum = 0;
	int			i;

	for (i = 0; i + piece <= n; i += piece)
		sum += kernels.dot_s8(code + i, ones, sizeof(ones));
	return sum + kernels.dot_s8(code + i, ones, (size_t) (n - i));
}

void
quant_query_init(QuantQuery *query, const float *q, int nbits, int8_t *code)
{
	float		max = kernels.max_abs_f32(q, (size_t) nbits);
	float		inv_scale = 127 / max;
	float		scale = max / 127;

	/*
	 * A query without finite numbers of normal size is taken as zero: its
	 * estimates then only say how far the neighbours are from the node.
	 */
	if (!(inv_scale > 0 && inv_scale <= FLT_MAX) || !(scale <= FLT_MAX))
	{
		memset(code, 0, (size_t) nbits);
		quant_query_from_code(query, 0, code, nbits);
		return;
	}
	kernels.quantize_s8(q, (size_t) nbits, inv_scale, scale, code);
	quant_query_from_code(query, scale, code, nbits);
}

void
quant_query_from_code(QuantQuery *query, float scale, const int8_t *code,
					  int nbits)
{
	query->nbits = nbits;
	query->scale = scale;
	query->half_sum = 0.5f * (float) sum_codes(code, nbits);
	query->code = code;
}
