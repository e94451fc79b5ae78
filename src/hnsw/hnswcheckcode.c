/*-------------------------------------------------------------------------
 *
 * hnswcheckcode.c
 *	  Own forms and codes, judged by themselves and against each other.
 *
 * Codes that are computed again may differ from those on the pages by what
 * another machine rounds otherwise.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswcheckcode.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "hnsw/hnswcheck.h"
#include "port/pg_bitutils.h"
#include "quant/quant_edge.h"
#include "quant/quant_own.h"

bool
hnsw_check_zeros(const void *bytes, Size n)
{
	const char *p = bytes;

	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* ---- V4: own forms ---- */

static bool
is_close(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * Max(fabs(a), fabs(b)) + FLT_MIN;
}

/* Squared length of a vector under cosine: 1, and what rounding makes of it. */
#define UNIT_TOLERANCE		1e-5

static const char *
judge_s8(const HnswSpace *space, const QuantOwn *own)
{
	int64		sum = 0;
	double		norm2 = 0;

	if (!isfinite(own->scale) || own->scale < 0 || !isfinite(own->norm2) ||
		own->norm2 < 0 || !isfinite(own->error) || own->error < 0)
		return "has a factor out of range";
	for (int i = 0; i < space->rdim; i++)
	{
		double		y = (double) own->scale * own->code[i] + space->mean[i];

		if (own->code[i] == PG_INT8_MIN)
			return "has an element out of range";
		sum += own->code[i] * own->code[i];
		norm2 += y * y;
	}
	if (own->norm2 < FLT_MAX && own->error < FLT_MAX &&
		!is_close(own->norm2, (double) own->scale * own->scale * sum, 1e-4))
		return "has a length that differs from that of its elements";
	if (space->metric->space == VECTOR_SPACE_COSINE &&
		space->own_kind == HNSW_OWN_S8 &&
		fabs(sqrt(norm2) - 1) > own->error + 10 * UNIT_TOLERANCE)
		return "is not of unit length";
	return NULL;
}

/* hnswspace.h: squared norm, then the elements */
static const char *
judge_f32(const HnswSpace *space, const float *own)
{
	double		norm2 = 0;
	double		length = own[0];

	if (space->metric->space == VECTOR_SPACE_COSINE && length > 2)
		length -= HNSW_UNBOUNDED;
	for (int i = 1; i <= space->dim; i++)
	{
		if (!isfinite(own[i]))
			return "has an element out of range";
		norm2 += (double) own[i] * own[i];
	}
	if (!isfinite(length) ||
		!is_close(length, Min(norm2, FLT_MAX), 1e-4))
		return "has a length that differs from that of its elements";
	if (space->metric->space == VECTOR_SPACE_COSINE &&
		fabs(norm2 - 1) > UNIT_TOLERANCE)
		return "is not of unit length";
	return NULL;
}

/* The value in an own form: at most max_bytes of the bytes that it may use. */
static const char *
judge_value(const HnswSpace *space, const uint8 *value, Size max_bytes,
			Size room)
{
	Size		bytes;

	if (!VARATT_IS_4B_U(value))
		return "is not a value";
	bytes = VARSIZE(value);
	if (bytes < 2 * VARHDRSZ || bytes > max_bytes ||
		space->metric->dim(value) != space->dim)
		return "is not a value of the column's dimensions";
	if (!hnsw_check_zeros(value + bytes, room - bytes))
		return "is followed by bytes that are not zero";
	if (!isfinite(space->metric->size != NULL ? space->metric->size(value) :
				  space->metric->distance(value, value)))
		return "has an element out of range";
	return NULL;
}

static const char *
judge_kept(const HnswSpace *space, const uint8 *own)
{
	const HnswKept *form = (const HnswKept *) own;
	const char *wrong = judge_s8(space, &form->code);

	if (wrong != NULL)
		return wrong;
	if (!isfinite(form->size) || form->size < 0 || !isfinite(form->rest) ||
		form->rest < 0)
		return "has a factor out of range";
	return judge_value(space, hnsw_space_value(space, own),
					   space->kept_bytes, space->kept_bytes);
}

static const char *
judge_exact(const HnswSpace *space, const uint8 *own)
{
	return judge_value(space, own, space->metric->max_bytes(space->dim),
					   space->layout.own_bytes);
}

const char *
hnsw_check_own(const HnswSpace *space, const uint8 *own)
{
	switch (space->own_kind)
	{
		case HNSW_OWN_S8:
			if (space->has_fine &&
				!(hnsw_space_fine(space, own)->error >= 0 &&
				  hnsw_space_fine(space, own)->error <= FLT_MAX))
				return "has a factor out of range";
			return judge_s8(space, (const QuantOwn *) own);
		case HNSW_OWN_F32:
			return judge_f32(space, (const float *) own);
		case HNSW_OWN_KEPT:
			return judge_kept(space, own);
		case HNSW_OWN_EXACT:
			return judge_exact(space, own);
	}
	return NULL;
}

/* ---- V5: edges ---- */

static bool
have_close_bits(const uint8 *a, const uint8 *b, int nbits)
{
	int			differing = 0;

	for (int i = 0; i < nbits / 8; i++)
		differing += pg_number_of_ones[a[i] ^ b[i]];
	return differing <= 1 + nbits / 128;
}

/*
 * The float behind an edge's bits, where the metric has one: a product of the
 * node with the edge, whose terms may cancel.
 */
static bool
have_close_products(const HnswSpace *space, const uint8 *own, const uint8 *a,
					const uint8 *b)
{
	Size		bytes = quant_edge_bytes(space->nbits);
	double		norm2 = space->own_kind == HNSW_OWN_F32 ?
		*(const float *) own : hnsw_space_code(space, own)->norm2;
	double		edge2 = quant_bf16_to_float(((const QuantEdge *) a)->norm2);
	float		x;
	float		y;

	if (space->layout.edge_code_bytes < bytes + sizeof(float))
		return true;
	memcpy(&x, a + bytes, sizeof(float));
	memcpy(&y, b + bytes, sizeof(float));
	return fabs((double) x - y) <= 1e-4 * Max(fabs(x), fabs(y)) +
		1e-4 * sqrt(norm2 * edge2) + 1e-6 * norm2;
}

bool
hnsw_check_same_edge(const HnswSpace *space, const uint8 *own, const uint8 *a,
					 const uint8 *b)
{
	const QuantEdge *x = (const QuantEdge *) a;
	const QuantEdge *y = (const QuantEdge *) b;
	float		lengths[2];

	if (!hnsw_space_coded(space))
	{
		memcpy(&lengths[0], a, sizeof(float));
		memcpy(&lengths[1], b, sizeof(float));
		return is_close(lengths[0], lengths[1], 1e-5);
	}
	if (memcmp(a, b, space->layout.edge_code_bytes) == 0)
		return true;
	return have_close_bits(x->bits, y->bits, space->nbits) &&
		is_close(quant_bf16_to_float(x->scale),
				 quant_bf16_to_float(y->scale), 1.0 / 64) &&
		is_close(quant_bf16_to_float(x->norm2),
				 quant_bf16_to_float(y->norm2), 1.0 / 64) &&
		have_close_products(space, own, a, b);
}

/* ---- V10: flat records ---- */

/*
 * Two flat codes, up to rounding: hnswpage.h, two floats and signs, and what
 * is behind them is copied.
 */
bool
hnsw_check_same_flat(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	Size		end = 2 * sizeof(float) + space->nbits / 8;
	float		x[2];
	float		y[2];

	if (memcmp(a, b, space->layout.flat_code_bytes) == 0)
		return true;
	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return is_close(x[0], y[0], 1e-4) && is_close(x[1], y[1], 1e-3) &&
		have_close_bits(a + sizeof(x), b + sizeof(y), space->nbits) &&
		memcmp(a + end, b + end, space->layout.flat_code_bytes - end) == 0;
}

/* ---- V7, V8: rows of the table ---- */

/* Codes of one value */
static bool
have_close_codes(const HnswSpace *space, const QuantOwn *x, const QuantOwn *y)
{
	for (int i = 0; i < space->rdim; i++)
	{
		if (abs(x->code[i] - y->code[i]) > 1)
			return false;
	}
	return is_close(x->scale, y->scale, 1e-5);
}

static bool
have_close_fine_codes(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	for (int i = 0; i < space->rdim; i++)
	{
		int			x = quant_fine_code(hnsw_space_code(space, a),
										hnsw_space_fine(space, a), i);
		int			y = quant_fine_code(hnsw_space_code(space, b),
										hnsw_space_fine(space, b), i);

		if (abs(x - y) > 1)
			return false;
	}
	return true;
}

/* Values that are kept */
static bool
keep_same_value(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	return is_close(((const HnswKept *) a)->size,
					((const HnswKept *) b)->size, 1e-5) &&
		is_close(((const HnswKept *) a)->rest,
				 ((const HnswKept *) b)->rest, 1e-5) &&
		memcmp(hnsw_space_value(space, a), hnsw_space_value(space, b),
			   space->kept_bytes) == 0;
}

bool
hnsw_check_same_own(const HnswSpace *space, const uint8 *a, const uint8 *b)
{
	if (hnsw_space_same(space, a, b))
		return true;
	if (space->own_kind == HNSW_OWN_F32)
	{
		for (int i = 1; i <= space->dim; i++)
		{
			if (fabs(((const float *) a)[i] - ((const float *) b)[i]) >
				FLT_EPSILON * Max(fabs(((const float *) a)[i]), 1))
				return false;
		}
		return true;
	}
	if (space->own_kind == HNSW_OWN_EXACT)
		return false;
	return have_close_codes(space, hnsw_space_code(space, a),
							hnsw_space_code(space, b)) &&
		(!space->has_fine || have_close_fine_codes(space, a, b)) &&
		(space->own_kind != HNSW_OWN_KEPT || keep_same_value(space, a, b));
}

bool
hnsw_check_covers(const HnswSpace *space, const uint8 *own, const uint8 *other)
{
	const double least = 1 - 1e-5;

	return ((const QuantOwn *) own)->error >=
		((const QuantOwn *) other)->error * least &&
		(!space->has_fine ||
		 hnsw_space_fine(space, own)->error >=
		 hnsw_space_fine(space, other)->error * least);
}
