/*-------------------------------------------------------------------------
 *
 * bytes.c
 *	  vector and halfvec from and to raw elements, as other programs store them.
 *
 * What numpy's tobytes(), FAISS and BLOB columns hold: the elements one after
 * another, without a header.  The bytes do not say which order they are in, so
 * there is no cast, and the functions have an argument for it.
 *
 * IDENTIFICATION
 *	  src/func/bytes.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "kernel/kernel.h"
#include "port/pg_bswap.h"
#include "type/check.h"
#include "type/halfvec.h"
#include "type/sqlfunction.h"
#include "type/vector.h"
#include "utils/builtins.h"

#ifdef WORDS_BIGENDIAN
#define IS_BIG_ENDIAN	true
#else
#define IS_BIG_ENDIAN	false
#endif

/*
 * must_swap -- are bytes in the order that 'endian' names not in ours?
 */
static bool
must_swap(text *endian)
{
	char	   *name = text_to_cstring(endian);

	if (strcmp(name, "little") == 0)
		return IS_BIG_ENDIAN;
	if (strcmp(name, "big") == 0)
		return !IS_BIG_ENDIAN;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid byte order: \"%s\"", name),
			 errhint("Available values: little, big.")));
	return false;				/* keep the compiler quiet */
}

/*
 * count_elements -- how many elements of 'width' bytes raw data hold.
 *
 * Errors: INVALID_BINARY_REPRESENTATION if there is a rest; those of check_dim.
 */
static int
count_elements(const char *type, const bytea *data, int width, int max_dim)
{
	int			nbytes = VARSIZE_ANY_EXHDR(data);

	if (nbytes % width != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("length of raw vector data must be a multiple of %d bytes, not %d",
						width, nbytes)));
	check_dim(type, nbytes / width, max_dim);
	return nbytes / width;
}

static void
swap32(void *x, int n)
{
	char	   *bytes = x;

	for (int i = 0; i < n; i++)
	{
		uint32		bits;

		memcpy(&bits, bytes + sizeof(bits) * i, sizeof(bits));
		bits = pg_bswap32(bits);
		memcpy(bytes + sizeof(bits) * i, &bits, sizeof(bits));
	}
}

static void
swap16(void *x, int n)
{
	char	   *bytes = x;

	for (int i = 0; i < n; i++)
	{
		uint16		bits;

		memcpy(&bits, bytes + sizeof(bits) * i, sizeof(bits));
		bits = pg_bswap16(bits);
		memcpy(bytes + sizeof(bits) * i, &bits, sizeof(bits));
	}
}

/* a bytea of 'nbytes' bytes, a copy of 'x' */
static bytea *
make_bytea(const void *x, Size nbytes)
{
	bytea	   *result = palloc(VARHDRSZ + nbytes);

	SET_VARSIZE(result, VARHDRSZ + nbytes);
	memcpy(VARDATA(result), x, nbytes);
	return result;
}

SQL_FUNCTION(vector_from_bytea);
Datum
vector_from_bytea(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(0);
	bool		swap = must_swap(PG_GETARG_TEXT_PP(1));
	int			dim = count_elements("vector", data, sizeof(float),
									 VECTOR_MAX_DIM);
	Vector	   *result = InitVector(dim);

	memcpy(result->x, VARDATA_ANY(data), sizeof(float) * dim);
	if (swap)
		swap32(result->x, dim);
	check_elements("vector", result->x, dim);

	PG_RETURN_VECTOR_P(result);
}

SQL_FUNCTION(vector_to_bytea);
Datum
vector_to_bytea(PG_FUNCTION_ARGS)
{
	Vector	   *vector = PG_GETARG_VECTOR_P(0);
	bool		swap = must_swap(PG_GETARG_TEXT_PP(1));
	bytea	   *result = make_bytea(vector->x, sizeof(float) * vector->dim);

	if (swap)
		swap32(VARDATA(result), vector->dim);

	PG_RETURN_BYTEA_P(result);
}

SQL_FUNCTION(halfvec_from_bytea);
Datum
halfvec_from_bytea(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(0);
	bool		swap = must_swap(PG_GETARG_TEXT_PP(1));
	int			dim = count_elements("halfvec", data, sizeof(half),
									 HALFVEC_MAX_DIM);
	HalfVector *result = InitHalfVector(dim);
	float	   *x = palloc(sizeof(float) * dim);

	memcpy(result->x, VARDATA_ANY(data), sizeof(half) * dim);
	if (swap)
		swap16(result->x, dim);
	kernels.half_to_float(result->x, dim, x);
	check_elements("halfvec", x, dim);

	PG_RETURN_HALFVEC_P(result);
}

SQL_FUNCTION(halfvec_to_bytea);
Datum
halfvec_to_bytea(PG_FUNCTION_ARGS)
{
	HalfVector *vector = PG_GETARG_HALFVEC_P(0);
	bool		swap = must_swap(PG_GETARG_TEXT_PP(1));
	bytea	   *result = make_bytea(vector->x, sizeof(half) * vector->dim);

	if (swap)
		swap16(VARDATA(result), vector->dim);

	PG_RETURN_BYTEA_P(result);
}
