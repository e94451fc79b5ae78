/*-------------------------------------------------------------------------
 *
 * targets.c
 *	  What is fuzzed: each target makes something of any bytes, and may not
 *	  crash or break a promise.
 *
 * The promises: whatever a function returns is a sound datum, of as many bytes
 * as it says; text and binary form read back as the same datum; errors have
 * one of the SQLSTATEs of the SQL surface, XX000 only where that names the
 * text; distances are symmetric, comparisons an order, hashes follow equality.
 *
 * IDENTIFICATION
 *	  test/fuzz/targets.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "backend.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "kernel/kernel.h"
#include "lib/stringinfo.h"
#include "targets.h"
#include "type/halfvec.h"
#include "type/sparsevec.h"
#include "type/vector.h"
#include "utils/array.h"
#include "utils/float.h"
#include "utils/varbit.h"

#define PROMISE(condition, ...) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
			fprintf(stderr, __VA_ARGS__); \
			fprintf(stderr, "\n"); \
			abort(); \
		} \
	} while (0)

/* ---------- calls ---------- */

/* what the SQL surface lets a statement end with, beside what core raises */
static const int sqlstates[] = {
	ERRCODE_INVALID_TEXT_REPRESENTATION, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
	ERRCODE_DATA_EXCEPTION, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
	ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_NULL_VALUE_NOT_ALLOWED,
	ERRCODE_INVALID_BINARY_REPRESENTATION, ERRCODE_PROTOCOL_VIOLATION,
	ERRCODE_ARRAY_SUBSCRIPT_ERROR, ERRCODE_DATA_CORRUPTED,
};

static void
check_error(const char *name)
{
	for (size_t i = 0; i < lengthof(sqlstates); i++)
		if (backend_error.sqlstate == sqlstates[i])
			return;
	PROMISE(strstr(backend_error.message, ": expected state array") != NULL,
			"%s: %s", name, backend_error.message);
}

/* call a function; false if it raised an error, one that it may raise */
static bool
call(const char *name, PGFunction function, int nargs, const Datum *args,
	 Datum *result, bool *isnull)
{
	if (backend_call(function, nargs, args, result, isnull))
		return true;
	check_error(name);
	return false;
}

/* the same of a function that never returns NULL */
static bool
call3(const char *name, PGFunction function, Datum a, Datum b, Datum c,
	  Datum *result)
{
	Datum		args[] = {a, b, c};
	bool		isnull;

	if (!call(name, function, 3, args, result, &isnull))
		return false;
	PROMISE(!isnull, "%s returned NULL", name);
	return true;
}

/*
 * the same of one argument that cannot be refused; a cast gets no typmod
 */
static Datum
must_call(const char *name, PGFunction function, Datum a)
{
	Datum		result;

	PROMISE(call3(name, function, a, Int32GetDatum(-1), 0, &result), "%s: %s",
			name, backend_error.message);
	return result;
}

/* ---------- sound datums ---------- */

static void
check_size(const void *datum, Size size)
{
	PROMISE(VARSIZE(datum) == size, "%d bytes, not %zu",
			(int) VARSIZE(datum), size);
	PROMISE(backend_chunk_size(datum) == size, "%zu bytes allocated, not %zu",
			backend_chunk_size(datum), size);
}

static void
check_vector(Datum datum)
{
	const Vector *v = (const Vector *) DatumGetPointer(datum);

	PROMISE(v->dim >= 1 && v->dim <= VECTOR_MAX_DIM, "%d", v->dim);
	PROMISE(v->unused == 0, "%d", v->unused);
	check_size(v, VECTOR_SIZE(v->dim));
	for (int i = 0; i < v->dim; i++)
		PROMISE(isfinite(v->x[i]), "element %d is %g", i, v->x[i]);
}

static void
check_halfvec(Datum datum)
{
	const HalfVector *v = (const HalfVector *) DatumGetPointer(datum);

	PROMISE(v->dim >= 1 && v->dim <= HALFVEC_MAX_DIM, "%d", v->dim);
	PROMISE(v->unused == 0, "%d", v->unused);
	check_size(v, HALFVEC_SIZE(v->dim));
	for (int i = 0; i < v->dim; i++)
		PROMISE((v->x[i] & 0x7c00) != 0x7c00, "element %d is %x", i, v->x[i]);
}

static void
check_sparsevec(Datum datum)
{
	const SparseVector *v = (const SparseVector *) DatumGetPointer(datum);
	const float *values = SPARSEVEC_VALUES(v);

	PROMISE(v->dim >= 1 && v->dim <= SPARSEVEC_MAX_DIM, "%d", v->dim);
	PROMISE(v->nnz >= 0 && v->nnz <= SPARSEVEC_MAX_NNZ, "%d", v->nnz);
	PROMISE(v->unused == 0, "%d", v->unused);
	check_size(v, SPARSEVEC_SIZE(v->nnz));
	for (int i = 0; i < v->nnz; i++)
	{
		PROMISE(v->indices[i] >= 0 && v->indices[i] < v->dim &&
				(i == 0 || v->indices[i] > v->indices[i - 1]),
				"index %d is %d of %d", i, v->indices[i], v->dim);
		PROMISE(isfinite(values[i]) && values[i] != 0,
				"value %d is %g", i, values[i]);
	}
}

static void
check_bits(Datum datum)
{
	const VarBit *b = (const VarBit *) DatumGetPointer(datum);
	int			n = VARBITLEN(b);

	PROMISE(n >= 1, "%d", n);
	check_size(b, VARBITTOTALLEN(n));
	for (int i = n; i < 8 * (int) VARBITBYTES(b); i++)
		PROMISE(!(VARBITS(b)[i / 8] & (0x80 >> i % 8)), "padding");
}

static void
check_array(Datum datum, Oid type, Size width)
{
	ArrayType  *array = (ArrayType *) DatumGetPointer(datum);

	PROMISE(ARR_NDIM(array) == 1 && ARR_LBOUND(array)[0] == 1 &&
			ARR_DIMS(array)[0] >= 1 && !ARR_HASNULL(array) &&
			ARR_ELEMTYPE(array) == type, "malformed array");
	check_size(array, ARR_OVERHEAD_NONULLS(1) + width * ARR_DIMS(array)[0]);
}

static bool
same_datum(Datum a, Datum b)
{
	const void *x = DatumGetPointer(a);
	const void *y = DatumGetPointer(b);

	return VARSIZE(x) == VARSIZE(y) && memcmp(x, y, VARSIZE(x)) == 0;
}

/* ---------- the types, as tables ---------- */

/* what all three have */
#define DECLARE_TYPE(T) \
	extern Datum T##_in(PG_FUNCTION_ARGS); \
	extern Datum T##_out(PG_FUNCTION_ARGS); \
	extern Datum T##_recv(PG_FUNCTION_ARGS); \
	extern Datum T##_send(PG_FUNCTION_ARGS); \
	extern Datum T##_typmod_in(PG_FUNCTION_ARGS); \
	extern Datum T##_cmp(PG_FUNCTION_ARGS); \
	extern Datum T##_lt(PG_FUNCTION_ARGS); \
	extern Datum T##_le(PG_FUNCTION_ARGS); \
	extern Datum T##_eq(PG_FUNCTION_ARGS); \
	extern Datum T##_ne(PG_FUNCTION_ARGS); \
	extern Datum T##_ge(PG_FUNCTION_ARGS); \
	extern Datum T##_gt(PG_FUNCTION_ARGS); \
	extern Datum T##_hash(PG_FUNCTION_ARGS); \
	extern Datum T##_hash_extended(PG_FUNCTION_ARGS); \
	extern Datum T(PG_FUNCTION_ARGS); \
	extern Datum array_to_##T(PG_FUNCTION_ARGS)

DECLARE_TYPE(vector);
DECLARE_TYPE(halfvec);
DECLARE_TYPE(sparsevec);

typedef struct Type
{
	const char *name;
	int			max_dim;
	PGFunction	in,
				out,
				recv,
				send,
				typmod_in,
				cmp,
				lt,
				le,
				eq,
				ne,
				ge,
				gt,
				hash,
				hash_extended,
				check_typmod,
				from_array;
	void		(*check) (Datum datum);
} Type;

#define TYPE(T, MAX) { \
	.name = #T, .max_dim = MAX, .in = T##_in, .out = T##_out, \
	.recv = T##_recv, .send = T##_send, .typmod_in = T##_typmod_in, \
	.cmp = T##_cmp, .lt = T##_lt, .le = T##_le, .eq = T##_eq, .ne = T##_ne, \
	.ge = T##_ge, .gt = T##_gt, .hash = T##_hash, \
	.hash_extended = T##_hash_extended, .check_typmod = T, \
	.from_array = array_to_##T, .check = check_##T}

static const Type types[] = {
	TYPE(vector, VECTOR_MAX_DIM),
	TYPE(halfvec, HALFVEC_MAX_DIM),
	TYPE(sparsevec, SPARSEVEC_MAX_DIM)
};

#define TYPE_VECTOR		(&types[0])
#define TYPE_HALFVEC	(&types[1])
#define TYPE_SPARSEVEC	(&types[2])

static int
dim_of(const Type *type, Datum datum)
{
	if (type == TYPE_SPARSEVEC)
		return ((SparseVector *) DatumGetPointer(datum))->dim;
	return ((Vector *) DatumGetPointer(datum))->dim;
}

/* ---------- text and binary form ---------- */

/* a message to receive, of which nothing lies behind the end */
static Datum
message(const void *bytes, Size size)
{
	StringInfo	buf = palloc(sizeof(StringInfoData));

	buf->data = palloc(size);
	memcpy(buf->data, bytes, size);
	buf->len = buf->maxlen = (int) size;
	buf->cursor = 0;
	return PointerGetDatum(buf);
}

static Datum
message_of(const bytea *sent)
{
	return message(VARDATA(sent), VARSIZE(sent) - VARHDRSZ);
}

/* a value that was accepted: sound, and both its forms say the same */
static void
check_forms(const Type *type, Datum value)
{
	int			dim = dim_of(type, value);
	Datum		text;
	Datum		sent;
	Datum		back;

	type->check(value);
	text = must_call(type->name, type->out, value);
	PROMISE(call3(type->name, type->in, text, 0, Int32GetDatum(dim), &back),
			"%s: %s", DatumGetCString(text), backend_error.message);
	PROMISE(same_datum(value, back), "%s", DatumGetCString(text));

	sent = must_call(type->name, type->send, value);
	PROMISE(call3(type->name, type->recv,
				  message_of((bytea *) DatumGetPointer(sent)), 0,
				  Int32GetDatum(dim), &back), "%s", backend_error.message);
	PROMISE(same_datum(value, back), "%s", DatumGetCString(text));

	/* a column of other dimensions takes neither form, nor the value */
	PROMISE(call3(type->name, type->check_typmod, value, Int32GetDatum(dim),
				  0, &back) && same_datum(value, back), "%s",
			DatumGetCString(text));
	PROMISE(!call3(type->name, type->check_typmod, value,
				   Int32GetDatum(dim + 1), 0, &back), "typmod");
	PROMISE(!call3(type->name, type->in, text, 0, Int32GetDatum(dim + 1),
				   &back), "typmod");
	PROMISE(!call3(type->name, type->recv,
				   message_of((bytea *) DatumGetPointer(sent)), 0,
				   Int32GetDatum(dim + 1), &back), "typmod");
}

static void
run_in(const Type *type, const uint8_t *data, size_t size)
{
	char	   *text = palloc(size + 1);
	char	   *before;
	Datum		value;

	/* exactly as long as C sees it */
	memcpy(text, data, size);
	text[size] = '\0';
	text = pnstrdup(text, size);
	before = pnstrdup(text, size);

	if (call3(type->name, type->in, CStringGetDatum(text), 0,
			  Int32GetDatum(-1), &value))
		check_forms(type, value);
	PROMISE(strcmp(text, before) == 0, "the text was written to");
}

static void
run_vector_in(const uint8_t *data, size_t size)
{
	run_in(TYPE_VECTOR, data, size);
}

static void
run_halfvec_in(const uint8_t *data, size_t size)
{
	run_in(TYPE_HALFVEC, data, size);
}

static void
run_sparsevec_in(const uint8_t *data, size_t size)
{
	run_in(TYPE_SPARSEVEC, data, size);
}

/* what was received, sent again, is what came */
static void
run_recv(const Type *type, const uint8_t *data, size_t size)
{
	Datum		buf = message(data, size);
	Datum		value;
	bytea	   *sent;
	int			nread;

	if (!call3(type->name, type->recv, buf, 0, Int32GetDatum(-1), &value))
		return;
	check_forms(type, value);
	sent = (bytea *) DatumGetPointer(must_call(type->name, type->send, value));
	nread = ((StringInfo) DatumGetPointer(buf))->cursor;
	PROMISE(VARSIZE(sent) - VARHDRSZ == nread &&
			memcmp(VARDATA(sent), data, nread) == 0, "%s", type->name);
}

static void
run_vector_recv(const uint8_t *data, size_t size)
{
	run_recv(TYPE_VECTOR, data, size);
}

static void
run_halfvec_recv(const uint8_t *data, size_t size)
{
	run_recv(TYPE_HALFVEC, data, size);
}

static void
run_sparsevec_recv(const uint8_t *data, size_t size)
{
	run_recv(TYPE_SPARSEVEC, data, size);
}

/* ---------- any bytes as arguments ---------- */

typedef struct Input
{
	const uint8_t *at;
	const uint8_t *end;
} Input;

/* the next bytes; zeros behind the end */
static void
take(Input *in, void *out, size_t n)
{
	size_t		left = Min(n, (size_t) (in->end - in->at));

	memset(out, 0, n);
	memcpy(out, in->at, left);
	in->at += left;
}

static int
take_byte(Input *in)
{
	uint8_t		byte;

	take(in, &byte, 1);
	return byte;
}

static int32
take_int(Input *in)
{
	int32		value;

	take(in, &value, sizeof(value));
	return value;
}

/* any finite float, few of them subnormal */
static float
take_float(Input *in)
{
	float		value;

	take(in, &value, sizeof(value));
	return isfinite(value) ? value : 0;
}

static Datum
take_vector(Input *in, int dim)
{
	Vector	   *v = InitVector(dim);

	for (int i = 0; i < dim; i++)
		v->x[i] = take_float(in);
	return PointerGetDatum(v);
}

static Datum
take_halfvec(Input *in, int dim)
{
	HalfVector *v = InitHalfVector(dim);

	take(in, v->x, sizeof(half) * dim);
	for (int i = 0; i < dim; i++)
		if ((v->x[i] & 0x7c00) == 0x7c00)
			v->x[i] &= 0x83ff;
	return PointerGetDatum(v);
}

static Datum
take_sparsevec(Input *in, int dim)
{
	int32		indices[64];
	int			nnz = 0;
	int64		next = 0;
	SparseVector *v;

	for (int n = take_byte(in) % lengthof(indices); n > 0 && next < dim; n--)
	{
		next += take_byte(in);
		if (next < dim)
			indices[nnz++] = (int32) next++;
	}
	v = InitSparseVector(dim, nnz);
	for (int i = 0; i < nnz; i++)
	{
		float		value = take_float(in);

		v->indices[i] = indices[i];
		SPARSEVEC_VALUES(v)[i] = value != 0 ? value : 1;
	}
	return PointerGetDatum(v);
}

static Datum
take_bits(Input *in, int dim)
{
	VarBit	   *b = palloc0(VARBITTOTALLEN(dim));

	SET_VARSIZE(b, VARBITTOTALLEN(dim));
	VARBITLEN(b) = dim;
	take(in, VARBITS(b), VARBITBYTES(b));
	VARBITS(b)[VARBITBYTES(b) - 1] &= 0xff << VARBITPAD(b);
	return PointerGetDatum(b);
}

static Datum
take_bytea(Input *in, int n)
{
	bytea	   *b = palloc(VARHDRSZ + n);

	SET_VARSIZE(b, VARHDRSZ + n);
	take(in, VARDATA(b), n);
	return PointerGetDatum(b);
}

/* an array of any shape, its elements of 'width' bytes, or doubles in varlenas */
static Datum
take_array(Input *in, Oid type, int width)
{
	int			ndim = take_byte(in) % 4;
	bool		has_nulls = take_byte(in) % 4 == 0;
	int			dims[3];
	int			n = ndim > 0 ? 1 : 0;
	Size		overhead;
	ArrayType  *array;
	char	   *data;

	for (int i = 0; i < ndim; i++)
		n *= dims[i] = 1 + take_byte(in) % (ndim == 1 ? 70 : 3);
	has_nulls &= n > 0;
	overhead = has_nulls ? ARR_OVERHEAD_WITHNULLS(ndim, n) :
		ARR_OVERHEAD_NONULLS(ndim);
	array = palloc0(overhead + width * n);
	SET_VARSIZE(array, overhead + width * n);
	array->ndim = ndim;
	array->dataoffset = has_nulls ? overhead : 0;
	array->elemtype = type;
	for (int i = 0; i < ndim; i++)
	{
		ARR_DIMS(array)[i] = dims[i];
		ARR_LBOUND(array)[i] = (int8_t) take_byte(in);
	}
	if (has_nulls)
		for (int i = 0; i < n; i++)
			if (take_byte(in) % 8 != 0)
				ARR_NULLBITMAP(array)[i / 8] |= 1 << i % 8;

	data = ARR_DATA_PTR(array);
	for (int i = 0; i < n; i++)
	{
		if (type == NUMERICOID)
		{
			SET_VARSIZE(data, VARHDRSZ + sizeof(double));
			take(in, data + VARHDRSZ, sizeof(double));
		}
		else
			take(in, data, width);
		data += width;
	}
	return PointerGetDatum(array);
}

/* ---------- typmod ---------- */

/* strings that end with a zero byte or a comma; the first byte is the type */
static void
run_typmod(const uint8_t *data, size_t size)
{
	Input		in = {data, data + size};
	int			choice = take_byte(&in);
	const Type *type = &types[choice % lengthof(types)];
	size_t		left = in.end - in.at;
	Size		nbytes = ARR_OVERHEAD_NONULLS(1) + left + 1;
	ArrayType  *array = palloc0(nbytes);
	char	   *strings;
	Datum		result;
	int			n = 1;

	SET_VARSIZE(array, nbytes);
	array->ndim = choice & 0x80 ? 0 : 1;
	array->elemtype = CSTRINGOID;
	strings = (char *) array + ARR_OVERHEAD_NONULLS(1);
	memcpy(strings, in.at, left);
	for (size_t i = 0; i < left; i++)
	{
		if (strings[i] == ',')
			strings[i] = '\0';
		n += strings[i] == '\0';
	}
	ARR_DIMS(array)[0] = n;

	if (!call3(type->name, type->typmod_in, PointerGetDatum(array), 0, 0,
			   &result))
		return;
	PROMISE(DatumGetInt32(result) >= 1 &&
			DatumGetInt32(result) <= type->max_dim, "%d",
			DatumGetInt32(result));
}

/* ---------- casts ---------- */

#define FUNCTION(name) extern Datum name(PG_FUNCTION_ARGS)

FUNCTION(vector_to_halfvec);
FUNCTION(vector_to_sparsevec);
FUNCTION(vector_to_float4);
FUNCTION(halfvec_to_vector);
FUNCTION(halfvec_to_sparsevec);
FUNCTION(halfvec_to_float4);
FUNCTION(sparsevec_to_vector);
FUNCTION(sparsevec_to_halfvec);

typedef struct Cast
{
	const char *name;
	PGFunction	function;
	const Type *from;
	const Type *to;
	PGFunction	back;			/* gives the value again, if -0 is 0 */
} Cast;

static const Cast casts[] = {
	{"vector_to_halfvec", vector_to_halfvec, TYPE_VECTOR, TYPE_HALFVEC, NULL},
	{"vector_to_sparsevec", vector_to_sparsevec, TYPE_VECTOR, TYPE_SPARSEVEC,
	sparsevec_to_vector},
	{"halfvec_to_vector", halfvec_to_vector, TYPE_HALFVEC, TYPE_VECTOR,
	vector_to_halfvec},
	{"halfvec_to_sparsevec", halfvec_to_sparsevec, TYPE_HALFVEC,
	TYPE_SPARSEVEC, sparsevec_to_halfvec},
	{"sparsevec_to_vector", sparsevec_to_vector, TYPE_SPARSEVEC, TYPE_VECTOR,
	vector_to_sparsevec},
	{"sparsevec_to_halfvec", sparsevec_to_halfvec, TYPE_SPARSEVEC,
	TYPE_HALFVEC, NULL},
};

static Datum
take_value(Input *in, const Type *type, int dim)
{
	if (type == TYPE_VECTOR)
		return take_vector(in, dim);
	if (type == TYPE_HALFVEC)
		return take_halfvec(in, dim);
	return take_sparsevec(in, dim);
}

static bool
are_equal(const Type *type, Datum a, Datum b)
{
	Datum		result;

	PROMISE(call3(type->name, type->eq, a, b, 0, &result), "%s",
			backend_error.message);
	return DatumGetBool(result);
}

static void
run_type_cast(Input *in, const Cast *cast)
{
	int			dim = 1 + take_byte(in) % 70;
	Datum		value;
	Datum		result;
	Datum		back;

	/* sparse vectors can be long; few about as long as a dense one may be */
	if (cast->from == TYPE_SPARSEVEC && dim >= 60)
		dim = 1 + (uint32) take_int(in) % SPARSEVEC_MAX_DIM;
	if (cast->from == TYPE_SPARSEVEC && dim == 1)
		dim = VECTOR_MAX_DIM - 5 + take_byte(in) % 10;
	value = take_value(in, cast->from, dim);
	if (!call3(cast->name, cast->function, value, Int32GetDatum(dim),
			   BoolGetDatum(true), &result))
		return;
	check_forms(cast->to, result);
	PROMISE(dim_of(cast->to, result) == dim, "%s: %d", cast->name,
			dim_of(cast->to, result));
	PROMISE(!call3(cast->name, cast->function, value, Int32GetDatum(dim + 1),
				   BoolGetDatum(true), &back), "typmod");
	if (cast->back == NULL)
		return;
	PROMISE(call3(cast->name, cast->back, result, Int32GetDatum(-1),
				  BoolGetDatum(true), &back), "%s", backend_error.message);
	PROMISE(are_equal(cast->from, value, back), "%s and back", cast->name);
}

/* vector and halfvec to real[] and again */
static void
run_array_form(Input *in, const Type *type, PGFunction to_array)
{
	Datum		value = take_value(in, type, 1 + take_byte(in) % 70);
	Datum		array = must_call("to_float4", to_array, value);
	Datum		back;

	check_array(array, FLOAT4OID, sizeof(float));
	PROMISE(call3(type->name, type->from_array, array, Int32GetDatum(-1), 0,
				  &back), "%s", backend_error.message);
	PROMISE(same_datum(value, back), "%s to real[] and back", type->name);
}

static void
run_array_cast(Input *in, const Type *type, int choice)
{
	static const struct
	{
		Oid			type;
		int			width;
	}			elements[] = {
		{INT4OID, sizeof(int32)}, {FLOAT4OID, sizeof(float)},
		{FLOAT8OID, sizeof(double)}, {NUMERICOID, VARHDRSZ + sizeof(double)},
		{TEXTOID, sizeof(int32)},
	};
	Datum		array;
	Datum		value;

	choice %= lengthof(elements);
	array = take_array(in, elements[choice].type, elements[choice].width);
	if (call3(type->name, type->from_array, array, Int32GetDatum(-1), 0,
			  &value))
		check_forms(type, value);
}

/* the first byte is the kind of cast, the second which of them */
static void
run_cast(const uint8_t *data, size_t size)
{
	Input		in = {data, data + size};
	int			kind = take_byte(&in);
	int			choice = take_byte(&in);

	switch (kind % 4)
	{
		case 0:
		case 1:
			run_array_cast(&in, &types[choice % lengthof(types)], choice / 3);
			break;
		case 2:
			run_type_cast(&in, &casts[choice % lengthof(casts)]);
			break;
		case 3:
			if (choice % 2)
				run_array_form(&in, TYPE_VECTOR, vector_to_float4);
			else
				run_array_form(&in, TYPE_HALFVEC, halfvec_to_float4);
			break;
	}
}

/* ---------- operators and functions ---------- */

FUNCTION(vector_add);
FUNCTION(vector_sub);
FUNCTION(vector_mul);
FUNCTION(vector_concat);
FUNCTION(subvector);
FUNCTION(vector_dims);
FUNCTION(vector_norm);
FUNCTION(l2_normalize);
FUNCTION(binary_quantize);
FUNCTION(vector_accum);
FUNCTION(vector_combine);
FUNCTION(vector_avg);
FUNCTION(vector_from_bytea);
FUNCTION(vector_to_bytea);
FUNCTION(halfvec_add);
FUNCTION(halfvec_sub);
FUNCTION(halfvec_mul);
FUNCTION(halfvec_concat);
FUNCTION(halfvec_subvector);
FUNCTION(halfvec_vector_dims);
FUNCTION(halfvec_l2_norm);
FUNCTION(halfvec_l2_normalize);
FUNCTION(halfvec_binary_quantize);
FUNCTION(halfvec_accum);
FUNCTION(halfvec_avg);
FUNCTION(halfvec_from_bytea);
FUNCTION(halfvec_to_bytea);
FUNCTION(sparsevec_l2_norm);
FUNCTION(sparsevec_l2_normalize);
FUNCTION(l2_distance);
FUNCTION(inner_product);
FUNCTION(cosine_distance);
FUNCTION(l1_distance);
FUNCTION(vector_l2_squared_distance);
FUNCTION(vector_negative_inner_product);
FUNCTION(vector_spherical_distance);
FUNCTION(halfvec_l2_distance);
FUNCTION(halfvec_inner_product);
FUNCTION(halfvec_cosine_distance);
FUNCTION(halfvec_l1_distance);
FUNCTION(halfvec_l2_squared_distance);
FUNCTION(halfvec_negative_inner_product);
FUNCTION(halfvec_spherical_distance);
FUNCTION(sparsevec_l2_distance);
FUNCTION(sparsevec_inner_product);
FUNCTION(sparsevec_cosine_distance);
FUNCTION(sparsevec_l1_distance);
FUNCTION(sparsevec_l2_squared_distance);
FUNCTION(sparsevec_negative_inner_product);
FUNCTION(hamming_distance);
FUNCTION(jaccard_distance);

/*
 * Arguments and result, a letter each: v vector, h halfvec, s sparsevec,
 * b bits, a state array, i integer, w bytea, e byte order, d distance, which
 * is symmetric, n any number.
 */
typedef struct Function
{
	const char *name;
	PGFunction	function;
	const char *args;
	char		result;
} Function;

static const Function functions[] = {
	{"vector_add", vector_add, "vv", 'v'},
	{"vector_sub", vector_sub, "vv", 'v'},
	{"vector_mul", vector_mul, "vv", 'v'},
	{"vector_concat", vector_concat, "vv", 'v'},
	{"subvector", subvector, "vii", 'v'},
	{"vector_dims", vector_dims, "v", 'n'},
	{"vector_norm", vector_norm, "v", 'n'},
	{"l2_normalize", l2_normalize, "v", 'v'},
	{"binary_quantize", binary_quantize, "v", 'b'},
	{"vector_accum", vector_accum, "av", 'a'},
	{"vector_combine", vector_combine, "aa", 'a'},
	{"vector_avg", vector_avg, "a", 'v'},
	{"vector_from_bytea", vector_from_bytea, "we", 'v'},
	{"vector_to_bytea", vector_to_bytea, "ve", 'w'},
	{"halfvec_add", halfvec_add, "hh", 'h'},
	{"halfvec_sub", halfvec_sub, "hh", 'h'},
	{"halfvec_mul", halfvec_mul, "hh", 'h'},
	{"halfvec_concat", halfvec_concat, "hh", 'h'},
	{"halfvec_subvector", halfvec_subvector, "hii", 'h'},
	{"halfvec_vector_dims", halfvec_vector_dims, "h", 'n'},
	{"halfvec_l2_norm", halfvec_l2_norm, "h", 'n'},
	{"halfvec_l2_normalize", halfvec_l2_normalize, "h", 'h'},
	{"halfvec_binary_quantize", halfvec_binary_quantize, "h", 'b'},
	{"halfvec_accum", halfvec_accum, "ah", 'a'},
	{"halfvec_avg", halfvec_avg, "a", 'h'},
	{"halfvec_from_bytea", halfvec_from_bytea, "we", 'h'},
	{"halfvec_to_bytea", halfvec_to_bytea, "he", 'w'},
	{"sparsevec_l2_norm", sparsevec_l2_norm, "s", 'n'},
	{"sparsevec_l2_normalize", sparsevec_l2_normalize, "s", 's'},
	{"l2_distance", l2_distance, "vv", 'd'},
	{"inner_product", inner_product, "vv", 'd'},
	{"cosine_distance", cosine_distance, "vv", 'd'},
	{"l1_distance", l1_distance, "vv", 'd'},
	{"vector_l2_squared_distance", vector_l2_squared_distance, "vv", 'd'},
	{"vector_negative_inner_product", vector_negative_inner_product, "vv",
	'd'},
	{"vector_spherical_distance", vector_spherical_distance, "vv", 'd'},
	{"halfvec_l2_distance", halfvec_l2_distance, "hh", 'd'},
	{"halfvec_inner_product", halfvec_inner_product, "hh", 'd'},
	{"halfvec_cosine_distance", halfvec_cosine_distance, "hh", 'd'},
	{"halfvec_l1_distance", halfvec_l1_distance, "hh", 'd'},
	{"halfvec_l2_squared_distance", halfvec_l2_squared_distance, "hh", 'd'},
	{"halfvec_negative_inner_product", halfvec_negative_inner_product, "hh",
	'd'},
	{"halfvec_spherical_distance", halfvec_spherical_distance, "hh", 'd'},
	{"sparsevec_l2_distance", sparsevec_l2_distance, "ss", 'd'},
	{"sparsevec_inner_product", sparsevec_inner_product, "ss", 'd'},
	{"sparsevec_cosine_distance", sparsevec_cosine_distance, "ss", 'd'},
	{"sparsevec_l1_distance", sparsevec_l1_distance, "ss", 'd'},
	{"sparsevec_l2_squared_distance", sparsevec_l2_squared_distance, "ss",
	'd'},
	{"sparsevec_negative_inner_product", sparsevec_negative_inner_product,
	"ss", 'd'},
	{"hamming_distance", hamming_distance, "bb", 'd'},
	{"jaccard_distance", jaccard_distance, "bb", 'd'},
};

static Datum
take_argument(Input *in, char kind, int dim)
{
	static const char *const orders[] = {"little", "big", "", "middle"};
	const char *order;
	text	   *t;

	switch (kind)
	{
		case 'v':
			return take_vector(in, dim);
		case 'h':
			return take_halfvec(in, dim);
		case 's':
			return take_sparsevec(in, dim);
		case 'b':
			return take_bits(in, dim);
		case 'a':
			return take_array(in, FLOAT8OID, sizeof(double));
		case 'w':
			return take_bytea(in, take_byte(in));
		case 'i':
			return Int32GetDatum(take_int(in));
		case 'e':
			order = orders[take_byte(in) % lengthof(orders)];
			t = palloc(VARHDRSZ + strlen(order));
			SET_VARSIZE(t, VARHDRSZ + strlen(order));
			memcpy(VARDATA(t), order, strlen(order));
			return PointerGetDatum(t);
	}
	abort();
}

static void
check_result(const Function *f, Datum result)
{
	switch (f->result)
	{
		case 'v':
			check_forms(TYPE_VECTOR, result);
			break;
		case 'h':
			check_forms(TYPE_HALFVEC, result);
			break;
		case 's':
			check_forms(TYPE_SPARSEVEC, result);
			break;
		case 'b':
			check_bits(result);
			break;
		case 'w':
			check_size(DatumGetPointer(result),
					   VARSIZE(DatumGetPointer(result)));
			break;
	}
}

/* the first byte is the function, the second the dimensions */
static void
run_function(const uint8_t *data, size_t size)
{
	Input		in = {data, data + size};
	const Function *f = &functions[take_byte(&in) % lengthof(functions)];
	int			dims = take_byte(&in);
	int			nargs = (int) strlen(f->args);
	Datum		args[3];
	Datum		result;
	Datum		swapped;
	bool		isnull;

	/* mostly the same dimensions */
	for (int i = 0; i < nargs; i++)
		args[i] = take_argument(&in, f->args[i],
								1 + dims % 70 + (dims > 250 ? i : 0));
	if (!call(f->name, f->function, nargs, args, &result, &isnull))
		return;
	if (isnull)
	{
		PROMISE(f->args[0] == 'a', "%s returned NULL", f->name);
		return;
	}
	check_result(f, result);
	if (f->result != 'd')
		return;
	PROMISE(call3(f->name, f->function, args[1], args[0], 0, &swapped), "%s",
			backend_error.message);
	PROMISE(memcmp(&result, &swapped, sizeof(Datum)) == 0 ||
			(isnan(DatumGetFloat8(result)) && isnan(DatumGetFloat8(swapped))),
			"%s: %.17g, and %.17g", f->name,
			DatumGetFloat8(result), DatumGetFloat8(swapped));
}

/* ---------- order ---------- */

static int
compare(const Type *type, Datum a, Datum b)
{
	Datum		cmp,
				lt,
				le,
				eq,
				ne,
				ge,
				gt;
	int			sign;

	PROMISE(call3(type->name, type->cmp, a, b, 0, &cmp) &&
			call3(type->name, type->lt, a, b, 0, &lt) &&
			call3(type->name, type->le, a, b, 0, &le) &&
			call3(type->name, type->eq, a, b, 0, &eq) &&
			call3(type->name, type->ne, a, b, 0, &ne) &&
			call3(type->name, type->ge, a, b, 0, &ge) &&
			call3(type->name, type->gt, a, b, 0, &gt), "%s",
			backend_error.message);
	sign = DatumGetInt32(cmp);
	PROMISE(sign >= -1 && sign <= 1, "%d", sign);
	PROMISE(DatumGetBool(lt) == (sign < 0) && DatumGetBool(le) == (sign <= 0) &&
			DatumGetBool(eq) == (sign == 0) && DatumGetBool(ne) == (sign != 0) &&
			DatumGetBool(ge) == (sign >= 0) && DatumGetBool(gt) == (sign > 0),
			"%s: %d", type->name, sign);
	return sign;
}

static void
check_hashes(const Type *type, Datum a, Datum b)
{
	Datum		x,
				y;

	PROMISE(call3(type->name, type->hash, a, 0, 0, &x) &&
			call3(type->name, type->hash, b, 0, 0, &y) && x == y, "hash");
	PROMISE(call3(type->name, type->hash_extended, a, Int64GetDatum(7), 0,
				  &x) &&
			call3(type->name, type->hash_extended, b, Int64GetDatum(7), 0,
				  &y) && x == y, "hash_extended");
}

/* three values of one type, mostly of the same few numbers */
static void
run_order(const uint8_t *data, size_t size)
{
	static const float few[] = {0, -0.0f, 1, -1, 2, 0, 1e-45f, FLT_MAX};
	Input		in = {data, data + size};
	int			choice = take_byte(&in);
	const Type *type = &types[choice % lengthof(types)];
	Datum		value[3];

	for (int i = 0; i < 3; i++)
	{
		int			dim = 1 + take_byte(&in) % 6;
		Vector	   *v;

		if (choice & 0x80)
		{
			value[i] = take_value(&in, type, dim * dim);
			continue;
		}
		v = InitVector(dim);
		for (int j = 0; j < dim; j++)
			v->x[j] = few[take_byte(&in) % (lengthof(few) - (type == TYPE_HALFVEC))];
		value[i] = PointerGetDatum(v);
		if (type == TYPE_HALFVEC)
			value[i] = must_call("vector_to_halfvec", vector_to_halfvec, value[i]);
		if (type == TYPE_SPARSEVEC)
			value[i] = must_call("vector_to_sparsevec", vector_to_sparsevec,
								 value[i]);
	}

	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
		{
			int			ij = compare(type, value[i], value[j]);

			PROMISE(ij == -compare(type, value[j], value[i]), "%s", type->name);
			if (ij == 0)
				check_hashes(type, value[i], value[j]);
			for (int k = 0; k < 3; k++)
				if (ij <= 0 && compare(type, value[j], value[k]) <= 0)
					PROMISE(compare(type, value[i], value[k]) <= 0, "%s",
							type->name);
		}
}

/* ---------- damaged datums ---------- */

/*
 * A sparse vector as a damaged page may hold it.  It may give an error or
 * nonsense, but nothing outside it is read, and what is stored again is sound
 * in all but its values.
 */
static void
run_damaged(const uint8_t *data, size_t size)
{
	Input		in = {data, data + size};
	SparseVector *v;
	SparseVector *sound;
	Size		nbytes;
	Datum		args[2];
	Datum		result;
	bool		isnull;

	sound = (SparseVector *) DatumGetPointer(take_sparsevec(&in, 100));
	nbytes = VARHDRSZ + (in.end - in.at);
	v = palloc(nbytes);
	take(&in, (char *) v + VARHDRSZ, nbytes - VARHDRSZ);
	SET_VARSIZE(v, nbytes);
	if (nbytes >= SPARSEVEC_SIZE(0) && v->dim % 3 == 0)
		v->dim = sound->dim;

	args[0] = PointerGetDatum(v);
	args[1] = PointerGetDatum(sound);
	(void) call("out", sparsevec_out, 1, args, &result, &isnull);
	(void) call("send", sparsevec_send, 1, args, &result, &isnull);
	(void) call("hash", sparsevec_hash, 1, args, &result, &isnull);
	(void) call("cmp", sparsevec_cmp, 2, args, &result, &isnull);
	for (size_t i = 0; i < lengthof(functions); i++)
		if (functions[i].args[0] == 's')
			(void) call(functions[i].name, functions[i].function,
						(int) strlen(functions[i].args), args, &result, &isnull);

	if (nbytes >= SPARSEVEC_SIZE(0) && v->dim <= 100000)
	{
		(void) call3("cast", sparsevec_to_vector, args[0], Int32GetDatum(-1),
					 0, &result);
		(void) call3("cast", sparsevec_to_halfvec, args[0], Int32GetDatum(-1),
					 0, &result);
	}
	(void) call3("cast", sparsevec, args[0], Int32GetDatum(-1), 0, &result);
}

/* ---------- all of them ---------- */

const FuzzTarget fuzz_targets[] = {
	{"vector_in", run_vector_in},
	{"halfvec_in", run_halfvec_in},
	{"sparsevec_in", run_sparsevec_in},
	{"vector_recv", run_vector_recv},
	{"halfvec_recv", run_halfvec_recv},
	{"sparsevec_recv", run_sparsevec_recv},
	{"typmod", run_typmod},
	{"cast", run_cast},
	{"function", run_function},
	{"order", run_order},
	{"damaged", run_damaged},
	{NULL, NULL}
};

const FuzzTarget *
fuzz_find(const char *name)
{
	for (const FuzzTarget *target = fuzz_targets; target->name != NULL; target++)
		if (strcmp(target->name, name) == 0)
			return target;
	return NULL;
}

void
fuzz_run(const FuzzTarget *target, const uint8_t *data, size_t size)
{
	static bool is_ready = false;

	if (!is_ready)
		is_ready = kernel_choose(NULL);
	target->run(data, size);
	backend_reset();
}
