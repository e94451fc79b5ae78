/*-------------------------------------------------------------------------
 *
 * listtext.c
 *	  Text form of the dense types: "[1,2,3]".
 *
 * Numbers are read by parse.c; here are the brackets and the messages.
 *
 * IDENTIFICATION
 *	  src/type/listtext.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "compat.h"
#include "type/check.h"
#include "type/listtext.h"
#include "type/parse.h"

static void
report_syntax(const char *type, const char *text, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"", type, text),
			 detail != NULL ? errdetail("%s", detail) : 0));
}

/* the number that starts at 'at' */
static void
report_range(const char *type, const char *at)
{
	const char *after;
	float		value;

	(void) parse_float(at, at + strlen(at), &after, &value);
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("\"%s\" is out of range for type %s",
					pnstrdup(at, after - at), type)));
}

/*
 * report_parse_failure -- raise what parse_float_list returned.
 *
 * text: the whole input; at: where the offending number starts.
 */
static void
report_parse_failure(const char *type, ParseStatus status, const char *text,
					 const char *at, int max_dim)
{
	const char *after;
	float		value;

	switch (status)
	{
		case PARSE_OK:
		case PARSE_SYNTAX:
			report_syntax(type, text, NULL);
			break;
		case PARSE_TOO_MANY:
			report_bad_dim(type, (int64) max_dim + 1, max_dim);
			break;
		case PARSE_OVERFLOW:
			report_range(type, at);
			break;
		case PARSE_NOT_FINITE:
			(void) parse_float(at, at + strlen(at), &after, &value);
			report_bad_element(type, value);
			break;
	}
}

/*
 * check_limit -- refuse the first number of a list that is out of range.
 *
 * x: the n numbers that were read from the list at 's'.
 */
static void
check_limit(const char *type, const char *s, const char *end, float limit,
			const float *x, int n)
{
	bool		is_in_range = true;
	const char *at = s;

	for (int i = 0; i < n; i++)
		is_in_range &= (fabsf(x[i]) < limit);
	if (likely(is_in_range))
		return;

	/* which is it?  Each number is followed by a comma, except for the last. */
	for (int i = 0; i < n; i++)
	{
		const char *after;
		float		value;

		at = parse_skip_blanks(at);
		(void) parse_float(at, end, &after, &value);
		if (fabsf(value) >= limit)
			report_range(type, at);
		at = parse_skip_blanks(after) + 1;
	}
}

int
list_text_read(const char *type, const char *text, float limit, float *x,
			   int max_dim)
{
	const char *end = text + strlen(text);
	const char *s = parse_skip_blanks(text);
	const char *list;
	int			dim;
	ParseStatus status;

	if (*s != '[')
		report_syntax(type, text, "Vector contents must start with \"[\".");
	s = parse_skip_blanks(s + 1);
	if (*s == ']')
		check_dim(type, 0, max_dim);

	/* what was read before a failure comes first in the text */
	list = s;
	status = parse_float_list(&s, end, x, max_dim, &dim);
	check_limit(type, list, end, limit, x, dim);
	if (status != PARSE_OK || *s != ']')
		report_parse_failure(type, status, text, s, max_dim);

	s = parse_skip_blanks(s + 1);
	if (*s != '\0')
		report_syntax(type, text, "Junk after closing right brace.");
	return dim;
}

char *
list_text_write(const float *x, int dim)
{
	char	   *text = palloc(FLOAT_SHORTEST_DECIMAL_LEN * (Size) dim + 3);
	char	   *s = text;

	/* a shortest decimal needs one byte less than its buffer: the comma's */
	*s++ = '[';
	for (int i = 0; i < dim; i++)
	{
		if (i > 0)
			*s++ = ',';
		s += float_to_shortest_decimal_bufn(x[i], s);
	}
	*s++ = ']';
	*s = '\0';
	return text;
}
