/*-------------------------------------------------------------------------
 *
 * panel.c
 *	  Distances of many values, for the spaces that only the type knows.
 *
 * IDENTIFICATION
 *	  src/type/panel.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "type/distance.h"
#include "type/halfvec.h"
#include "type/panel.h"
#include "type/vector.h"
#include "utils/varbit.h"

/* ---------- L1 ---------- */

/* halfvecs are widened: once for each panel, not for each distance */
static Size
float_bytes(int dim)
{
	return sizeof(float) * (Size) dim;
}

static const void *
vector_form(const void *value, void *scratch, float *norm2)
{
	return ((const Vector *) value)->x;
}

static const void *
halfvec_form(const void *value, void *scratch, float *norm2)
{
	const HalfVector *vector = value;

	kernels.half_to_float(vector->x, vector->dim, scratch);
	return scratch;
}

/* of few dimensions: an index asks for no others */
static const void *
sparsevec_form(const void *value, void *scratch, float *norm2)
{
	const SparseVector *vector = value;

	sparsevec_sketch(vector, scratch, vector->dim);
	return scratch;
}

static void
near_l1(const void *panel, const float *norm2, const KernelRows *rows,
		int dim, float *dist, uint16 *near)
{
	kernels.panel_near_l1(panel, rows, dim, dist, near);
}

static void
vector_among_l1(const void *value, const KernelForms *others, float *dist)
{
	const Vector *vector = value;
	KernelForms forms = {.n = others->n};

	for (int i = 0; i < others->n; i++)
		forms.x[i] = ((const Vector *) others->x[i])->x;
	kernels.rows_l1_f32(vector->x, &forms, vector->dim, dist);
}

static void
halfvec_among_l1(const void *value, const KernelForms *others, float *dist)
{
	for (int i = 0; i < others->n; i++)
		dist[i] = halfvec_distance_l1(value, others->x[i]);
}

const VectorPanel vector_panel_l1 = {
	.bytes = float_bytes,
	.form = vector_form,
	.near = near_l1,
	.packs = true,
	.among = vector_among_l1
};

const VectorPanel halfvec_panel_l1 = {
	.bytes = float_bytes,
	.form = halfvec_form,
	.near = near_l1,
	.packs = true,
	.among = halfvec_among_l1
};

const VectorPanel sparsevec_panel_l1 = {
	.bytes = float_bytes,
	.form = sparsevec_form,
	.near = near_l1
};

/* ---------- bits ---------- */

static Size
string_bytes(int nbits)
{
	return ((Size) nbits + 31) / 32 * 4;
}

/* the string, filled up with zeros, and how many of its bits are set */
static const void *
string_form(const void *value, void *scratch, float *norm2)
{
	const VarBit *bits = value;
	Size		bytes = string_bytes(VARBITLEN(bits));
	Size		used = ((Size) VARBITLEN(bits) + BITS_PER_BYTE - 1) / BITS_PER_BYTE;
	uint32		both;
	uint32		either;

	memset((char *) scratch + used, 0, bytes - used);
	memcpy(scratch, VARBITS(bits), used);
	kernels.jaccard(scratch, scratch, bytes, &both, &either);
	*norm2 = both;
	return scratch;
}

static void
near_hamming(const void *panel, const float *norm2, const KernelRows *rows,
			 int nbits, float *dist, uint16 *near)
{
	kernels.panel_near_hamming(panel, rows, string_bytes(nbits), dist, near);
}

static void
near_jaccard(const void *panel, const float *norm2, const KernelRows *rows,
			 int nbits, float *dist, uint16 *near)
{
	kernels.panel_near_jaccard(panel, norm2, rows, string_bytes(nbits), dist,
							   near);
}

static void
among_hamming(const void *value, const KernelForms *others, float *dist)
{
	for (int i = 0; i < others->n; i++)
		dist[i] = bit_distance_hamming(value, others->x[i]);
}

static void
among_jaccard(const void *value, const KernelForms *others, float *dist)
{
	for (int i = 0; i < others->n; i++)
		dist[i] = bit_distance_jaccard(value, others->x[i]);
}

const VectorPanel bit_panel_hamming = {
	.bytes = string_bytes,
	.form = string_form,
	.near = near_hamming,
	.among = among_hamming
};

const VectorPanel bit_panel_jaccard = {
	.bytes = string_bytes,
	.form = string_form,
	.near = near_jaccard,
	.among = among_jaccard
};
