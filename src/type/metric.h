/*-------------------------------------------------------------------------
 *
 * metric.h
 *	  VectorMetric: what an index may ask of a vector type.
 *
 * The access method sees types only through this struct: a new type or
 * distance is a new row of the table in metric.c and changes no file of
 * src/hnsw.  A metric is recognised from the C function behind support
 * function 1 of the operator class, and from whether support function 2 (the
 * norm) exists; nothing else is asked of the catalog, so that operator classes
 * made by pgvector's script work as they are.
 *
 * IDENTIFICATION
 *	  src/type/metric.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef METRIC_H
#define METRIC_H

#include "postgres.h"
#include "fmgr.h"
#include "type/panel.h"

typedef enum VectorSpace
{
	VECTOR_SPACE_L2,			/* sqrt of the squared distance */
	VECTOR_SPACE_IP,			/* negative inner product */
	VECTOR_SPACE_COSINE,		/* 1 - cosine */
	VECTOR_SPACE_L1,			/* sum of absolute differences, sparse vectors */
	VECTOR_SPACE_OPAQUE			/* only distance() knows: L1 of others, bits */
} VectorSpace;

typedef struct VectorMetric
{
	const char *type_name;		/* "vector", for messages */
	VectorSpace space;
	int			max_dim;		/* largest number of dimensions in an index */

	/* distance function behind FUNCTION 1, and whether FUNCTION 2 is there */
	PGFunction	support;
	bool		has_norm;

	/*
	 * value: a detoasted datum of the type, never NULL.
	 *
	 * dim: its number of dimensions.
	 *
	 * max_bytes: bytes of the largest datum with 'dim' dimensions that an
	 * index may hold, length word included.
	 *
	 * floats, to_floats: the value as that many floats of a Euclidean space,
	 * by whose distance an index finds its way: the elements, or of a type
	 * with very many dimensions a random projection, which keeps lengths and
	 * angles nearly.  NULL in VECTOR_SPACE_OPAQUE.
	 *
	 * keeps_value: where those floats are fewer than the dimensions they do
	 * not tell the distance, so an index has to keep the value, too.  Only
	 * then 'cut' is asked for.
	 *
	 * distance: exact distance of two values in the operator's units, which
	 * callers know to have equal dimensions.  Equal to what the SQL operator
	 * returns, bit for bit.  Never raises.
	 *
	 * panel: distances of many values at once, under L1 and in
	 * VECTOR_SPACE_OPAQUE.
	 *
	 * size: the Euclidean norm, which is 0 for a zero vector only.  NULL if the
	 * floats are the elements themselves.
	 *
	 * cut: writes a value of at most 'bytes' bytes that has the largest
	 * elements only, and returns the norm of the others, rounded up: Euclidean,
	 * under L1 the sum of absolute values.  NULL if values have a fixed size,
	 * and are never cut.
	 *
	 * Values may come from a damaged page, as long as 'dim' is right and their
	 * bytes are no more than max_bytes: then 'distance' and 'size' give any
	 * number or NaN, but read nothing beyond those bytes.
	 *
	 * check: raises what the type forbids in an index (such as too many
	 * non-zero elements); NULL if nothing.
	 *
	 * report_dims: raises what the type's operators do if operands have these
	 * different dimensions; NULL for report_different_dims.
	 */
	int			(*dim) (const void *value);
	Size		(*max_bytes) (int dim);
	int			(*floats) (int dim);
	void		(*to_floats) (const void *value, float *out);
	bool		keeps_value;
	double		(*distance) (const void *a, const void *b);
	const VectorPanel *panel;
	double		(*size) (const void *value);
	double		(*cut) (const void *value, Size bytes, void *out);
	void		(*check) (const void *value);
	void		(*report_dims) (int a, int b);
} VectorMetric;

/*
 * vector_metric_lookup -- the metric of an operator class.
 *
 * distance: fn_addr of support function 1; has_norm: support function 2 exists.
 * Returns NULL if no metric has that function.
 */
extern const VectorMetric *vector_metric_lookup(PGFunction distance,
												bool has_norm);

/*
 * vector_metric_check_dims -- raise the error of the metric's operator unless
 * the numbers of dimensions are equal.
 */
extern void vector_metric_check_dims(const VectorMetric *metric, int a, int b);

#endif							/* METRIC_H */
