/*-------------------------------------------------------------------------
 *
 * sparsevec.c
 *	  Type sparsevec: text and binary form, type modifier, order and hash.
 *
 * Order: that of the dense vectors it stands for; by the first element that
 * differs, then the shorter first.  What is not stored is 0, so an explicit 0,
 * which only foreign data can have, makes no difference, nor in the hash.
 *
 * Text counts indices from 1, everything else from 0.
 *
 * IDENTIFICATION
 *	  src/type/sparsevec.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "common/shortest_dec.h"
#include "compat.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "type/check.h"
#include "type/parse.h"
#include "type/sparsecheck.h"
#include "type/sqlfunction.h"
#include "utils/builtins.h"

StaticAssertDecl(offsetof(SparseVector, dim) == 4, "pgvector's datum");
StaticAssertDecl(offsetof(SparseVector, nnz) == 8, "pgvector's datum");
StaticAssertDecl(offsetof(SparseVector, unused) == 12, "pgvector's datum");
StaticAssertDecl(offsetof(SparseVector, indices) == 16, "pgvector's datum");
StaticAssertDecl(sizeof(float) == sizeof(uint32), "IEEE single precision");

/* characters of an int32, and of index, colon, value, comma */
#define INT_LEN			11
#define ELEMENT_LEN		(INT_LEN + 1 + FLOAT_SHORTEST_DECIMAL_LEN + 1)

SparseVector *
InitSparseVector(int dim, int nnz)
{
	SparseVector *result = palloc0(SPARSEVEC_SIZE(nnz));

	SET_VARSIZE(result, SPARSEVEC_SIZE(nnz));
	result->dim = dim;
	result->nnz = nnz;
	return result;
}

/* ---------- text ---------- */

typedef struct Element
{
	int32		index;			/* from 0; -1 and below: out of bounds */
	float		value;
} Element;

static void
report_syntax(const char *text, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type sparsevec: \"%s\"", text),
			 detail != NULL ? errdetail("%s", detail) : 0));
}

static void
report_out_of_range(const char *number, const char *after)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("\"%s\" is out of range for type sparsevec",
					pnstrdup(number, after - number))));
}

/*
 * parse_int -- a decimal integer, blanks before it allowed.
 *
 * What int32 does not hold becomes the nearest that it does: that is out of
 * bounds for an index, and beyond the limits as a number of dimensions.
 * Returns false, *s unchanged, if there is none.
 */
static bool
parse_int(const char **s, int32 *value)
{
	const char *at = parse_skip_blanks(*s);
	bool		negative = (*at == '-');
	int64		n = 0;

	if (*at == '-' || *at == '+')
		at++;
	if (*at < '0' || *at > '9')
		return false;

	for (; *at >= '0' && *at <= '9'; at++)
		n = Min(n * 10 + (*at - '0'), PG_INT32_MAX);
	*value = negative ? -n : n;
	*s = at;
	return true;
}

/*
 * is_spelled_zero -- is the number at [s, after) zero as it is written?
 *
 * If not, but zero as a float, it is below the smallest float.
 */
static bool
is_spelled_zero(const char *s, const char *after)
{
	bool		hexadecimal = false;

	for (; s < after; s++)
	{
		if (*s == 'x' || *s == 'X')
			hexadecimal = true;
		else if (*s == 'p' || *s == 'P' ||
				 (!hexadecimal && (*s == 'e' || *s == 'E')))
			break;
		else if (*s != '0' && *s != '.' && *s != '-' && *s != '+')
			return false;
	}
	return true;
}

/*
 * parse_value -- the number at *s, blanks before it allowed.
 *
 * text: the whole input, for messages.  Moves *s behind it.
 */
static float
parse_value(const char **s, const char *end, const char *text)
{
	const char *at = parse_skip_blanks(*s);
	float		value;

	switch (parse_float(at, end, s, &value))
	{
		case PARSE_OK:
			if (value == 0 && !is_spelled_zero(at, *s))
				report_out_of_range(at, *s);
			break;
		case PARSE_OVERFLOW:
			report_out_of_range(at, *s);
			break;
		case PARSE_NOT_FINITE:
			report_bad_element("sparsevec", value);
			break;
		case PARSE_SYNTAX:
		case PARSE_TOO_MANY:
			report_syntax(text, NULL);
			break;
	}
	return value;
}

/*
 * parse_elements -- "index:value" separated by commas, to the closing brace.
 *
 * Elements that are zero are left out, whatever their index.  Moves *s behind
 * the brace.  Returns how many were written.
 */
static int
parse_elements(const char **s, const char *end, const char *text,
			   Element *elements)
{
	const char *at = parse_skip_blanks(*s);
	int			nnz = 0;

	if (*at == '}')
	{
		*s = at + 1;
		return 0;
	}

	for (;; at++)
	{
		int32		index;
		float		value;

		if (!parse_int(&at, &index))
			report_syntax(text, NULL);
		at = parse_skip_blanks(at);
		if (*at != ':')
			report_syntax(text, NULL);
		at++;
		value = parse_value(&at, end, text);
		if (value != 0)
		{
			elements[nnz].index = index > 0 ? index - 1 : -1;
			elements[nnz].value = value;
			nnz++;
		}

		at = parse_skip_blanks(at);
		if (*at != ',')
			break;
	}
	if (*at != '}')
		report_syntax(text, NULL);

	*s = at + 1;
	return nnz;
}

/*
 * parse_dim -- "/dim" and nothing behind it.
 */
static int32
parse_dim(const char *s, const char *text)
{
	int32		dim;

	s = parse_skip_blanks(s);
	if (*s != '/')
		report_syntax(text, "Unexpected end of input.");
	s++;
	if (!parse_int(&s, &dim))
		report_syntax(text, NULL);
	if (*parse_skip_blanks(s) != '\0')
		report_syntax(text, "Junk after closing.");
	return dim;
}

static int
compare_elements(const void *a, const void *b)
{
	int32		x = ((const Element *) a)->index;
	int32		y = ((const Element *) b)->index;

	return (x > y) - (x < y);
}

static void
sort_elements(Element *elements, int nnz)
{
	/* nearly always they come in order */
	for (int i = 1; i < nnz; i++)
	{
		if (elements[i].index < elements[i - 1].index)
		{
			qsort(elements, nnz, sizeof(Element), compare_elements);
			break;
		}
	}
}

/* no more elements than commas, and one */
static int
count_commas(const char *text)
{
	int			n = 0;

	for (const char *s = strchr(text, ','); s != NULL; s = strchr(s + 1, ','))
		n++;
	return n;
}

/*
 * sparsevec_in -- "{1:1.5,3:2}/5", blanks around every token.
 */
SQL_FUNCTION(sparsevec_in);
Datum
sparsevec_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	int32		typmod = PG_GETARG_INT32(2);
	const char *s = parse_skip_blanks(text);
	int			max = count_commas(text) + 1;
	Element    *elements;
	int			nnz;
	int32		dim;
	SparseVector *result;
	float	   *values;

	check_nnz(max);
	if (*s != '{')
		report_syntax(text, "Vector contents must start with \"{\".");
	s++;

	elements = palloc(sizeof(Element) * max);
	nnz = parse_elements(&s, s + strlen(s), text, elements);
	dim = parse_dim(s, text);
	check_dim("sparsevec", dim, SPARSEVEC_MAX_DIM);
	check_expected_dim(typmod, dim);

	sort_elements(elements, nnz);
	result = InitSparseVector(dim, nnz);
	values = SPARSEVEC_VALUES(result);
	for (int i = 0; i < nnz; i++)
	{
		result->indices[i] = elements[i].index;
		values[i] = elements[i].value;
		check_index(result->indices, i, dim);
	}
	pfree(elements);

	PG_RETURN_SPARSEVEC_P(result);
}

/* s[0 ..] = n in decimal; returns its end, no zero byte there */
static char *
print_int(char *s, int64 n)
{
	if (n < 0)
		*s++ = '-';
	return s + pg_ultoa_n((uint32) (n < 0 ? -n : n), s);
}

/*
 * sparsevec_out -- the shortest decimals that read back as the same floats.
 */
SQL_FUNCTION(sparsevec_out);
Datum
sparsevec_out(PG_FUNCTION_ARGS)
{
	SparseVector *vector = PG_GETARG_WHOLE_SPARSEVEC_P(0);
	const float *values = SPARSEVEC_VALUES(vector);
	char	   *text = palloc(ELEMENT_LEN * (Size) vector->nnz + INT_LEN + 4);
	char	   *s = text;

	*s++ = '{';
	for (int i = 0; i < vector->nnz; i++)
	{
		if (i > 0)
			*s++ = ',';
		s = print_int(s, (int64) vector->indices[i] + 1);
		*s++ = ':';
		s += float_to_shortest_decimal_bufn(values[i], s);
	}
	*s++ = '}';
	*s++ = '/';
	s = print_int(s, vector->dim);
	*s = '\0';

	PG_FREE_IF_COPY(vector, 0);
	PG_RETURN_CSTRING(text);
}

SQL_FUNCTION(sparsevec_typmod_in);
Datum
sparsevec_typmod_in(PG_FUNCTION_ARGS)
{
	ArrayType  *typmods = PG_GETARG_ARRAYTYPE_P(0);

	PG_RETURN_INT32(check_typmod("sparsevec", typmods, SPARSEVEC_MAX_DIM));
}

/*
 * ---------- binary: int32 dim, int32 nnz, int32 0, then nnz indices from 0,
 * then nnz float4; big-endian ----------
 */

/* numbers of elements that only a message can have */
static void
check_sent_nnz(int32 nnz, int32 dim)
{
	if (nnz < 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("sparsevec cannot have negative number of elements")));
	check_nnz(nnz);
	if (nnz > dim)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sparsevec cannot have more elements than dimensions")));
}

SQL_FUNCTION(sparsevec_recv);
Datum
sparsevec_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int32		typmod = PG_GETARG_INT32(2);
	int32		dim = (int32) pq_getmsgint(buf, sizeof(int32));
	int32		nnz = (int32) pq_getmsgint(buf, sizeof(int32));
	int32		unused = (int32) pq_getmsgint(buf, sizeof(int32));
	SparseVector *result;
	float	   *values;

	check_dim("sparsevec", dim, SPARSEVEC_MAX_DIM);
	check_sent_nnz(nnz, dim);
	check_expected_dim(typmod, dim);
	if (unused != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("expected unused to be 0, not %d", unused)));

	result = InitSparseVector(dim, nnz);
	values = SPARSEVEC_VALUES(result);
	for (int i = 0; i < nnz; i++)
	{
		result->indices[i] = (int32) pq_getmsgint(buf, sizeof(int32));
		check_index(result->indices, i, dim);
	}
	for (int i = 0; i < nnz; i++)
	{
		values[i] = pq_getmsgfloat4(buf);
		check_element("sparsevec", values[i]);
		if (values[i] == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("binary representation of sparsevec cannot contain zero values")));
	}

	PG_RETURN_SPARSEVEC_P(result);
}

SQL_FUNCTION(sparsevec_send);
Datum
sparsevec_send(PG_FUNCTION_ARGS)
{
	SparseVector *vector = PG_GETARG_WHOLE_SPARSEVEC_P(0);
	const float *values = SPARSEVEC_VALUES(vector);
	StringInfoData buf;

	pq_begintypsend(&buf);
	enlargeStringInfo(&buf, SPARSEVEC_SIZE(vector->nnz));
	pq_writeint32(&buf, vector->dim);
	pq_writeint32(&buf, vector->nnz);
	pq_writeint32(&buf, vector->unused);
	for (int i = 0; i < vector->nnz; i++)
		pq_writeint32(&buf, (uint32) vector->indices[i]);
	for (int i = 0; i < vector->nnz; i++)
	{
		uint32		bits;

		memcpy(&bits, &values[i], sizeof(bits));
		pq_writeint32(&buf, bits);
	}

	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ---------- order and hash ---------- */

/*
 * compare_sparsevecs -- -1, 0 or 1; it never raises.
 *
 * As of the dense vectors, only dimensions that both have are compared.
 */
static int
compare_sparsevecs(const SparseVector *a, const SparseVector *b)
{
	const float *a_values = SPARSEVEC_VALUES(a);
	const float *b_values = SPARSEVEC_VALUES(b);
	int			dim = Min(a->dim, b->dim);
	int			i = 0;
	int			j = 0;

	for (;;)
	{
		int			at = i < a->nnz ? a->indices[i] : dim;
		float		x = 0;
		float		y = 0;

		/* the next dimension that either has stored */
		if (j < b->nnz && b->indices[j] < at)
			at = b->indices[j];
		if (at >= dim)
			break;
		if (i < a->nnz && a->indices[i] == at)
			x = a_values[i++];
		if (j < b->nnz && b->indices[j] == at)
			y = b_values[j++];

		if (x < y)
			return -1;
		if (x > y)
			return 1;
	}

	return (a->dim > b->dim) - (a->dim < b->dim);
}

/*
 * compare_arguments -- compare_sparsevecs of a function's two arguments.
 *
 * Memory: frees what detoasting made; btree leaks nothing for each comparison.
 */
static int
compare_arguments(FunctionCallInfo fcinfo)
{
	SparseVector *a = PG_GETARG_WHOLE_SPARSEVEC_P(0);
	SparseVector *b = PG_GETARG_WHOLE_SPARSEVEC_P(1);
	int			result = compare_sparsevecs(a, b);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

SQL_FUNCTION(sparsevec_lt);
Datum
sparsevec_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

SQL_FUNCTION(sparsevec_le);
Datum
sparsevec_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

SQL_FUNCTION(sparsevec_eq);
Datum
sparsevec_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

SQL_FUNCTION(sparsevec_ne);
Datum
sparsevec_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

SQL_FUNCTION(sparsevec_ge);
Datum
sparsevec_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

SQL_FUNCTION(sparsevec_gt);
Datum
sparsevec_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

SQL_FUNCTION(sparsevec_cmp);
Datum
sparsevec_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

/*
 * hash_form -- a datum whose bytes behind the length are equal for equal
 * vectors.
 *
 * The result is the vector itself, or a copy without elements that are 0 and
 * without what may be in 'unused'.
 */
static const SparseVector *
hash_form(const SparseVector *vector)
{
	const float *values = SPARSEVEC_VALUES(vector);
	int			nnz = 0;
	SparseVector *copy;

	for (int i = 0; i < vector->nnz; i++)
		nnz += (values[i] != 0);
	if (nnz == vector->nnz && vector->unused == 0)
		return vector;

	copy = InitSparseVector(vector->dim, nnz);
	nnz = 0;
	for (int i = 0; i < vector->nnz; i++)
	{
		if (values[i] != 0)
		{
			copy->indices[nnz] = vector->indices[i];
			SPARSEVEC_VALUES(copy)[nnz++] = values[i];
		}
	}
	return copy;
}

SQL_FUNCTION(sparsevec_hash);
Datum
sparsevec_hash(PG_FUNCTION_ARGS)
{
	SparseVector *vector = PG_GETARG_WHOLE_SPARSEVEC_P(0);
	const SparseVector *form = hash_form(vector);
	Datum		result = hash_any((const unsigned char *) &form->dim,
								  SPARSEVEC_SIZE(form->nnz) - VARHDRSZ);

	if (form != vector)
		pfree((void *) form);
	PG_FREE_IF_COPY(vector, 0);
	return result;
}

SQL_FUNCTION(sparsevec_hash_extended);
Datum
sparsevec_hash_extended(PG_FUNCTION_ARGS)
{
	SparseVector *vector = PG_GETARG_WHOLE_SPARSEVEC_P(0);
	const SparseVector *form = hash_form(vector);
	Datum		result = hash_any_extended((const unsigned char *) &form->dim,
										   SPARSEVEC_SIZE(form->nnz) - VARHDRSZ,
										   PG_GETARG_INT64(1));

	if (form != vector)
		pfree((void *) form);
	PG_FREE_IF_COPY(vector, 0);
	return result;
}
