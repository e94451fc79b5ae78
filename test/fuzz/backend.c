/*-------------------------------------------------------------------------
 *
 * backend.c
 *	  The little of a backend that the types need, for programs without one.
 *
 * Each function does what the one of that name does in the backend, as far as
 * src/type can tell; nothing else calls them.
 *
 * IDENTIFICATION
 *	  test/fuzz/backend.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "backend.h"
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

BackendError backend_error;

static sigjmp_buf *error_jump;

static void
die(const char *what)
{
	fprintf(stderr, "backend.c: %s\n", what);
	abort();
}

/* ---------- memory ---------- */

typedef struct Chunk
{
	void	   *start;
	Size		size;
} Chunk;

static Chunk *chunks;
static int	nchunks;
static int	maxchunks;

static Chunk *
find_chunk(const void *start)
{
	for (int i = nchunks; i-- > 0;)
		if (chunks[i].start == start)
			return &chunks[i];
	die("not a chunk of palloc");
	return NULL;
}

Size
backend_chunk_size(const void *chunk)
{
	return find_chunk(chunk)->size;
}

void
backend_reset(void)
{
	while (nchunks > 0)
		free(chunks[--nchunks].start);
}

static void
check_alloc_size(Size size)
{
	if (!AllocSizeIsValid(size))
		elog(ERROR, "invalid memory alloc request size %zu", size);
}

void *
palloc(Size size)
{
	void	   *start;

	check_alloc_size(size);
	start = malloc(size);
	if (nchunks == maxchunks)
	{
		maxchunks = Max(64, 2 * maxchunks);
		chunks = realloc(chunks, sizeof(Chunk) * maxchunks);
	}
	if (start == NULL || chunks == NULL)
		die("out of memory");

	chunks[nchunks].start = start;
	chunks[nchunks++].size = size;
	return start;
}

void *
palloc0(Size size)
{
	return memset(palloc(size), 0, size);
}

/* there is one context: what backend_reset() empties */
MemoryContext CurrentMemoryContext = NULL;

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return palloc0(size);
}

void *
repalloc(void *pointer, Size size)
{
	Size		old = backend_chunk_size(pointer);
	void	   *new = palloc(size);

	memcpy(new, pointer, Min(old, size));
	pfree(pointer);
	return new;
}

void
pfree(void *pointer)
{
	Chunk	   *chunk = find_chunk(pointer);

	free(pointer);
	*chunk = chunks[--nchunks];
}

char *
pnstrdup(const char *in, Size len)
{
	Size		n = strnlen(in, len);
	char	   *out = palloc(n + 1);

	memcpy(out, in, n);
	out[n] = '\0';
	return out;
}

/* ---------- errors ---------- */

bool
errstart(int elevel, const char *domain)
{
	backend_error.sqlstate = ERRCODE_INTERNAL_ERROR;
	backend_error.message[0] = '\0';
	return true;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	if (error_jump == NULL)
		die(backend_error.message);
	siglongjmp(*error_jump, 1);
}

int
errcode(int sqlerrcode)
{
	backend_error.sqlstate = sqlerrcode;
	return 0;
}

static int
set_message(const char *fmt, va_list args)
{
	vsnprintf(backend_error.message, sizeof(backend_error.message), fmt, args);
	return 0;
}

int
errmsg(const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	set_message(fmt, args);
	va_end(args);
	return 0;
}

int
errmsg_internal(const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	set_message(fmt, args);
	va_end(args);
	return 0;
}

int
errdetail(const char *fmt,...)
{
	return 0;
}

int
errhint(const char *fmt,...)
{
	return 0;
}

void
float_overflow_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value out of range: overflow")));
}

void
float_underflow_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value out of range: underflow")));
}

/* ---------- calls ---------- */

bool
backend_call(PGFunction function, int nargs, const Datum *args,
			 Datum *result, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	sigjmp_buf	jump;

	InitFunctionCallInfoData(*fcinfo, NULL, nargs, InvalidOid, NULL, NULL);
	for (int i = 0; i < nargs; i++)
	{
		fcinfo->args[i].value = args[i];
		fcinfo->args[i].isnull = false;
	}

	if (sigsetjmp(jump, 0) != 0)
	{
		error_jump = NULL;
		return false;
	}
	error_jump = &jump;
	*result = function(fcinfo);
	error_jump = NULL;
	*isnull = fcinfo->isnull;
	return true;
}

Datum
DirectFunctionCall1Coll(PGFunction func, Oid collation, Datum arg1)
{
	LOCAL_FCINFO(fcinfo, 1);

	InitFunctionCallInfoData(*fcinfo, NULL, 1, collation, NULL, NULL);
	fcinfo->args[0].value = arg1;
	fcinfo->args[0].isnull = false;
	return func(fcinfo);
}

int
AggCheckCallContext(FunctionCallInfo fcinfo, MemoryContext *aggcontext)
{
	return 0;
}

/* ---------- datums; none is toasted ---------- */

struct varlena *
pg_detoast_datum(struct varlena *datum)
{
	if (!VARATT_IS_4B_U(datum))
		die("a toasted datum");
	return datum;
}

struct varlena *
pg_detoast_datum_packed(struct varlena *datum)
{
	return pg_detoast_datum(datum);
}

struct varlena *
pg_detoast_datum_slice(struct varlena *datum, int32 first, int32 count)
{
	int32		size = VARSIZE(datum) - VARHDRSZ;
	struct varlena *result;

	first = Min(first, size);
	count = Min(count, size - first);
	result = palloc(count + VARHDRSZ);
	SET_VARSIZE(result, count + VARHDRSZ);
	memcpy(VARDATA(result), VARDATA(datum) + first, count);
	return result;
}

char *
text_to_cstring(const text *t)
{
	return pnstrdup(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
}

int
pg_ultoa_n(uint32 value, char *a)
{
	char		digits[11];
	int			n = sprintf(digits, "%u", value);

	memcpy(a, digits, n);
	return n;
}

/* ---------- messages ---------- */

static const char *
take_bytes(StringInfo msg, int n)
{
	const char *start = msg->data + msg->cursor;

	if (n < 0 || n > msg->len - msg->cursor)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("insufficient data left in message")));
	msg->cursor += n;
	return start;
}

const char *
pq_getmsgbytes(StringInfo msg, int datalen)
{
	return take_bytes(msg, datalen);
}

unsigned int
pq_getmsgint(StringInfo msg, int b)
{
	const unsigned char *bytes = (const unsigned char *) take_bytes(msg, b);
	unsigned int result = 0;

	for (int i = 0; i < b; i++)
		result = result << 8 | bytes[i];
	return result;
}

float4
pq_getmsgfloat4(StringInfo msg)
{
	uint32		bits = pq_getmsgint(msg, 4);
	float4		result;

	memcpy(&result, &bits, sizeof(result));
	return result;
}

void
pq_begintypsend(StringInfo buf)
{
	/* four bytes for the length of the bytea */
	initStringInfo(buf);
	memset(buf->data, 0, VARHDRSZ);
	buf->len = VARHDRSZ;
}

bytea *
pq_endtypsend(StringInfo buf)
{
	bytea	   *result = (bytea *) buf->data;

	SET_VARSIZE(result, buf->len);
	return result;
}

/* ---------- arrays ---------- */

int
ArrayGetNItems(int ndim, const int *dims)
{
	int64		n = ndim > 0 ? 1 : 0;

	for (int i = 0; i < ndim; i++)
	{
		n *= dims[i];
		if (dims[i] < 0 || n > (int64) MaxArraySize)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("array size exceeds the maximum allowed (%d)",
							(int) MaxArraySize)));
	}
	return (int) n;
}

bool
array_contains_nulls(ArrayType *array)
{
	const bits8 *bitmap = ARR_NULLBITMAP(array);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (bitmap != NULL)
		for (int i = 0; i < n; i++)
			if (!(bitmap[i / 8] & (1 << i % 8)))
				return true;
	return false;
}

void
get_typlenbyvalalign(Oid typid, int16 *typlen, bool *typbyval, char *typalign)
{
	if (typid != NUMERICOID)
		die("a type other than numeric");
	*typlen = -1;
	*typbyval = false;
	*typalign = TYPALIGN_INT;
}

void
deconstruct_array(ArrayType *array, Oid elmtype,
				  int elmlen, bool elmbyval, char elmalign,
				  Datum **elemsp, bool **nullsp, int *nelemsp)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	char	   *at = ARR_DATA_PTR(array);

	*elemsp = palloc(sizeof(Datum) * n);
	*nelemsp = n;
	for (int i = 0; i < n; i++)
	{
		(*elemsp)[i] = PointerGetDatum(at);
		at = (char *) INTALIGN(at + VARSIZE(at));
	}
}

/* here a numeric is a varlena with a double */
Datum
numeric_float4(PG_FUNCTION_ARGS)
{
	double		number;
	float		result;

	memcpy(&number, VARDATA(PG_GETARG_DATUM(0)), sizeof(number));
	result = (float) number;
	if ((isinf(result) && !isinf(number)) || (result == 0 && number != 0))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("\"%g\" is out of range for type real", number)));
	PG_RETURN_FLOAT4(result);
}

/* elements are C strings, one behind the other */
int32 *
ArrayGetIntegerTypmods(ArrayType *array, int *n)
{
	const char *at = ARR_DATA_PTR(array);
	int32	   *result;

	if (ARR_ELEMTYPE(array) != CSTRINGOID)
		die("typmods are no C strings");
	if (ARR_NDIM(array) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("typmod array must be one-dimensional")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("typmod array must not contain nulls")));

	*n = ARR_DIMS(array)[0];
	result = palloc(sizeof(int32) * *n);
	for (int i = 0; i < *n; i++)
	{
		char	   *end;
		long		value;

		errno = 0;
		value = strtol(at, &end, 10);
		if (end == at || *end != '\0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type integer: \"%s\"",
							at)));
		if (errno != 0 || value != (int32) value)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value \"%s\" is out of range for type integer",
							at)));
		result[i] = (int32) value;
		at += strlen(at) + 1;
	}
	return result;
}
