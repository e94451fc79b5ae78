/*-------------------------------------------------------------------------
 *
 * vector.c
 *	  Type vector: text and binary form, type modifier, order and hash.
 *
 * Order: by the first element that differs, then the shorter first; so vectors
 * of different dimensions can be compared, though not measured.  -0 equals 0
 * everywhere, hence in the hash as well.
 *
 * IDENTIFICATION
 *	  src/type/vector.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "type/check.h"
#include "type/listtext.h"
#include "type/sqlfunction.h"
#include "type/vector.h"
#include "type/wire.h"

StaticAssertDecl(offsetof(Vector, dim) == 4, "pgvector's datum");
StaticAssertDecl(offsetof(Vector, unused) == 6, "pgvector's datum");
StaticAssertDecl(offsetof(Vector, x) == 8, "pgvector's datum");
StaticAssertDecl(sizeof(float) == sizeof(uint32), "IEEE single precision");

Vector *
InitVector(int dim)
{
	Vector	   *result = palloc0(VECTOR_SIZE(dim));

	SET_VARSIZE(result, VECTOR_SIZE(dim));
	result->dim = dim;
	return result;
}

/* ---------- text ---------- */

/*
 * vector_in -- "[1,2,3]", blanks around every token.
 *
 * Elements are collected on the stack (64 kB at most), so that a datum is
 * allocated once, for a list already known to be good.
 */
SQL_FUNCTION(vector_in);
Datum
vector_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	float		x[VECTOR_MAX_DIM];
	int			dim = list_text_read("vector", text, INFINITY, x,
									 VECTOR_MAX_DIM);
	Vector	   *result;

	check_expected_dim(PG_GETARG_INT32(2), dim);
	result = InitVector(dim);
	memcpy(result->x, x, sizeof(float) * dim);
	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(vector_out);
Datum
vector_out(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);
	char	   *text = list_text_write(vector->x, vector->dim);

	PG_FREE_IF_COPY(vector, 0);
	PG_RETURN_CSTRING(text);
}

SQL_FUNCTION(vector_typmod_in);
Datum
vector_typmod_in(PG_FUNCTION_ARGS)
{
	ArrayType  *typmods = PG_GETARG_ARRAYTYPE_P(0);

	PG_RETURN_INT32(check_typmod("vector", typmods, VECTOR_MAX_DIM));
}

/* ---------- binary: int16 dim, int16 0, float4 each, big-endian ---------- */

SQL_FUNCTION(vector_recv);
Datum
vector_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int32		typmod = PG_GETARG_INT32(2);
	int16		dim = (int16) pq_getmsgint(buf, sizeof(int16));
	int16		unused = (int16) pq_getmsgint(buf, sizeof(int16));
	Vector	   *result;
	const char *wire;

	check_dim("vector", dim, VECTOR_MAX_DIM);
	check_expected_dim(typmod, dim);
	if (unused != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected unused to be 0, not %d", unused)));

	wire = pq_getmsgbytes(buf, sizeof(float) * dim);
	result = palloc(VECTOR_SIZE(dim));
	SET_VARSIZE(result, VECTOR_SIZE(dim));
	result->dim = dim;
	result->unused = 0;
	if (!wire_copy32((char *) result->x, wire, dim))
		check_elements("vector", result->x, dim);

	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(vector_send);
Datum
vector_send(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);
	bytea	   *result = wire_begin(vector->dim, vector->unused,
									sizeof(float) * vector->dim);

	(void) wire_copy32(VARDATA(result) + WIRE_HEADER, (char *) vector->x,
					   vector->dim);
	PG_RETURN_BYTEA_P(result);
}

/* ---------- order and hash ---------- */

/*
 * compare_vectors -- -1, 0 or 1; total, and it never raises.
 */
static int
compare_vectors(const Vector *a, const Vector *b)
{
	int			dim = Min(a->dim, b->dim);

	for (int i = 0; i < dim; i++)
	{
		if (a->x[i] < b->x[i])
			return -1;
		if (a->x[i] > b->x[i])
			return 1;
	}

	return (a->dim > b->dim) - (a->dim < b->dim);
}

/*
 * compare_arguments -- compare_vectors of a function's two arguments.
 *
 * Memory: frees what detoasting made; btree leaks nothing for each comparison.
 */
static int
compare_arguments(FunctionCallInfo fcinfo)
{
	Vector	   *a = PG_GETARG_VECTOR_P(0);
	Vector	   *b = PG_GETARG_VECTOR_P(1);
	int			result = compare_vectors(a, b);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

SQL_FUNCTION(vector_lt);
Datum
vector_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

SQL_FUNCTION(vector_le);
Datum
vector_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

SQL_FUNCTION(vector_eq);
Datum
vector_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

SQL_FUNCTION(vector_ne);
Datum
vector_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

SQL_FUNCTION(vector_ge);
Datum
vector_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

SQL_FUNCTION(vector_gt);
Datum
vector_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

SQL_FUNCTION(vector_cmp);
Datum
vector_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

/*
 * hash_form -- the elements as bytes that are equal for equal vectors.
 *
 * The result is the vector itself, or a copy with each -0 replaced by 0.
 */
static const unsigned char *
hash_form(const Vector *vector)
{
	int			dim = vector->dim;
	bool		has_minus_zero = false;
	float	   *copy;

	for (int i = 0; i < dim; i++)
		has_minus_zero |= (vector->x[i] == 0) & (signbit(vector->x[i]) != 0);
	if (!has_minus_zero)
		return (const unsigned char *) vector->x;

	copy = palloc(sizeof(float) * dim);
	for (int i = 0; i < dim; i++)
		copy[i] = vector->x[i] == 0 ? 0 : vector->x[i];
	return (const unsigned char *) copy;
}

SQL_FUNCTION(vector_hash);
Datum
vector_hash(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);
	const unsigned char *bytes = hash_form(vector);
	Datum		result = hash_any(bytes, sizeof(float) * vector->dim);

	if (bytes != (const unsigned char *) vector->x)
		pfree((void *) bytes);
	PG_FREE_IF_COPY(vector, 0);
	return result;
}

SQL_FUNCTION(vector_hash_extended);
Datum
vector_hash_extended(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);
	const unsigned char *bytes = hash_form(vector);
	Datum		result = hash_any_extended(bytes, sizeof(float) * vector->dim,
										   PG_GETARG_INT64(1));

	if (bytes != (const unsigned char *) vector->x)
		pfree((void *) bytes);
	PG_FREE_IF_COPY(vector, 0);
	return result;
}
