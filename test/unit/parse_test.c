/*-------------------------------------------------------------------------
 *
 * parse_test.c
 *	  Is every number read as strtof reads it, and nothing else touched?
 *
 * The definition is a list parser that calls strtof for each number.  Texts
 * end at a page that nobody may read: many shapes of numbers, floats of all
 * magnitudes with too few and too many digits, values half way between two
 * floats and just beside, and random characters.
 *
 * IDENTIFICATION
 *	  test/unit/parse_test.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>

#include "type/parse.h"
#include "unit.h"

#define MAX_TEXT	1024
#define MAX_NUMBERS 16
#define NTEXTS		300000

static UnitArena arena;

/* ---------- the definition ---------- */

static ParseStatus
define_float(const char *s, const char **after, float *value)
{
	char	   *stop;

	errno = 0;
	*value = strtof(s, &stop);
	*after = stop;
	if (stop == s)
		return PARSE_SYNTAX;
	if (isinf(*value) && errno == ERANGE)
		return PARSE_OVERFLOW;
	return isfinite(*value) ? PARSE_OK : PARSE_NOT_FINITE;
}

static ParseStatus
define_list(const char **s, float *values, int *n)
{
	const char *at = *s;

	for (*n = 0;; at++)
	{
		ParseStatus status;

		if (*n == MAX_NUMBERS)
			return PARSE_TOO_MANY;
		*s = at = parse_skip_blanks(at);
		status = define_float(at, &at, &values[*n]);
		if (status != PARSE_OK)
			return status;
		++*n;
		at = parse_skip_blanks(at);
		if (*at != ',')
			break;
	}
	*s = at;
	return PARSE_OK;
}

/* ---------- comparison ---------- */

/*
 * check_text -- one text, as a number if it may be one, and as a list.
 */
static void
check_text(const char *text)
{
	size_t		len = strlen(text);
	char	   *copy = unit_place(&arena, len + 1, UNIT_AT_END);
	const char *end = copy + len;
	float		values[MAX_NUMBERS];
	float		expected[MAX_NUMBERS];
	const char *at = copy;
	const char *expected_at = copy;
	int			n;
	int			expected_n;
	ParseStatus status;
	ParseStatus expected_status;

	memcpy(copy, text, len + 1);
	if (!parse_is_blank(*copy))
	{
		status = parse_float(copy, end, &at, &values[0]);
		expected_status = define_float(copy, &expected_at, &expected[0]);
		CHECK(status == expected_status, "\"%s\": %d, not %d",
			  text, status, expected_status);
		if (status == PARSE_OK)
			CHECK(at == expected_at &&
				  memcmp(values, expected, sizeof(float)) == 0,
				  "\"%s\": %a, not %a", text, values[0], expected[0]);
		else if (status != PARSE_SYNTAX)
			CHECK(at == expected_at, "\"%s\": ends at %d, not %d",
				  text, (int) (at - copy), (int) (expected_at - copy));
	}

	at = expected_at = copy;
	status = parse_float_list(&at, end, values, MAX_NUMBERS, &n);
	expected_status = define_list(&expected_at, expected, &expected_n);
	CHECK(status == expected_status && n == expected_n,
		  "\"%s\": %d after %d numbers, not %d after %d",
		  text, status, n, expected_status, expected_n);
	if (n == expected_n)
		CHECK(memcmp(values, expected, sizeof(float) * n) == 0, "\"%s\"", text);
	if (status != PARSE_TOO_MANY)
		CHECK(at == expected_at, "\"%s\": ends at %d, not %d", text,
			  (int) (at - copy), (int) (expected_at - copy));
	CHECK(memcmp(copy, text, len + 1) == 0, "\"%s\" was written to", text);
}

/*
 * check_number -- a number alone, and in front of others, where the parser
 * may look further ahead.
 */
static void
check_number(const char *number)
{
	static const char *const tails[] = {
		",1]", ",-0.12345678901234567890,77777]", "]                        ",
		" , 0.5 ]", "e", "}1234567890123456789012345678901234567890",
	};
	char		text[MAX_TEXT + 64];

	check_text(number);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
	{
		snprintf(text, sizeof(text), "%s%s", number, tails[i]);
		check_text(text);
	}
}

/* ---------- texts ---------- */

static void
test_shapes(void)
{
	static const char *const signs[] = {"", "-", "+", "--", "- "};
	static const char *const bodies[] = {
		"", "0", "1", "9", "10", "007", "12345678", "123456789", "16777217",
		"1.", ".", ".5", "0.", "0.1", "00.1", "1.5", "0.12345678",
		"0.1234567", "0.123456789", "0.1234567890123456",
		"0.12345678901234567", "0.123456789012345678901234567890123",
		"0.00000000000000000000001234567890123456789", "9.99999999999999999",
		"89999999999", "90000000000", "90000000001.5", "99999999999999999999",
		"0.0000000000000000000000000000000000000000000000000000000000000001",
		"340282346638528859811704183484516925440",
		"340282356779733661637539395458142568447",
		"340282356779733661637539395458142568448", "1..2", "1.2.3", "0x", "0x1",
		"0X1.8p3", "0x1p-160", "0x1p128", "nan", "NaN(12)", "inf", "Infinity",
		"infinit", "a", "1a", "\xd9\xa1", "1\xff",
	};
	static const char *const exponents[] = {
		"", "e", "e+", "E-", "e0", "e5", "E+5", "e-5", "e38", "e39", "e-37",
		"e-38", "e-44", "e-45", "e-46", "e-64", "e-65", "e-66", "e400", "e-400",
		"e99999999999999999999", "e-99999999999999999999", "e1.5", "p3",
	};
	char		text[MAX_TEXT];

	unit_what = "shapes";
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		for (size_t j = 0; j < sizeof(bodies) / sizeof(bodies[0]); j++)
			for (size_t k = 0; k < sizeof(exponents) / sizeof(exponents[0]); k++)
			{
				snprintf(text, sizeof(text), "%s%s%s",
						 signs[i], bodies[j], exponents[k]);
				check_number(text);
			}
}

/* every bit pattern but NaN and infinity may come */
static float
any_float(void)
{
	uint32_t	bits;
	float		x;

	do
	{
		bits = (uint32_t) unit_random();
		memcpy(&x, &bits, sizeof(x));
	} while (!isfinite(x));
	return x;
}

static void
test_floats(void)
{
	char		text[MAX_TEXT];

	unit_what = "floats";
	for (int i = 0; i < NTEXTS; i++)
	{
		float		x = any_float();
		float		unit = (float) (unit_uniform() - 0.5);
		int			digits = (int) (unit_random() % 30);

		snprintf(text, sizeof(text), "%.*g", digits, x);
		check_text(text);
		snprintf(text, sizeof(text), "%.*e,%.*f,%.17g,%.9g]",
				 digits, x, digits, unit, unit_uniform(), unit);
		check_text(text);
	}
}

/* the middle of two floats, with the last digit right or changed */
static void
test_middles(void)
{
	char		text[MAX_TEXT];

	unit_what = "middles";
	for (int i = 0; i < NTEXTS; i++)
	{
		float		x = any_float();
		double		middle = ((double) x + nextafterf(x, 0)) / 2;
		int			digits = (int) (unit_random() % 170);
		char	   *last;

		snprintf(text, sizeof(text), "%.*e", digits, middle);
		last = strchr(text, 'e') - 1;
		if (digits > 0 && unit_random() % 2)
			*last = (char) ('0' + unit_random() % 10);
		check_text(text);
	}
}

static void
test_noise(void)
{
	static const char letters[] =
	"0123456789012345678901234567890123456789..--+eExXnNaAiIfFpP_,, ,]\t[\xff";
	char		text[MAX_TEXT];

	unit_what = "noise";
	for (int i = 0; i < 3 * NTEXTS; i++)
	{
		int			n = (int) (unit_random() % 70);

		for (int j = 0; j < n; j++)
			text[j] = letters[unit_random() % (sizeof(letters) - 1)];
		text[n] = '\0';
		check_text(text);
	}
}

/* lists of short integers, which are read by pairs; one thing in them is odd */
static void
test_integers(void)
{
	static const char *const odd[] = {
		",", "", " ", "-", "+", ".", "]", "x", "e1", ",,", " ,", ", ", "\xff,",
		",\x80", "\x30\xac", ".5,", "-,", "}", "00000,", "\x1c",
	};
	char		text[MAX_TEXT];

	unit_what = "integers";
	for (int i = 0; i < NTEXTS; i++)
	{
		int			n = 1 + (int) (unit_random() % (MAX_NUMBERS + 3));
		int			at = (int) (unit_random() % 8) == 0 ?
		-1 : (int) (unit_random() % n);
		int			digits = 1 + (int) (unit_random() % 7);
		char	   *s = text;

		for (int j = 0; j < n; j++)
		{
			for (int k = (int) (unit_random() % digits); k >= 0; k--)
				*s++ = (char) ('0' + unit_random() % 10);
			s += sprintf(s, "%s", j == at ?
						 odd[unit_random() % (sizeof(odd) / sizeof(odd[0]))] :
						 ",");
		}
		sprintf(s, "%s", unit_random() % 2 ? "1]" : "1]                   ");
		check_text(text);
	}
}

/* digits by the hundred: more than any accumulator holds */
static void
test_long(void)
{
	char		text[MAX_TEXT];

	unit_what = "long";
	for (int i = 0; i < NTEXTS / 10; i++)
	{
		int			n = 1 + (int) (unit_random() % 400);
		int			point = (int) (unit_random() % (n + 1));
		int			zeros = (int) (unit_random() % (n + 1));

		for (int j = 0; j < n; j++)
			text[j] = (char) ('0' + (j < zeros ? 0 : unit_random() % 10));
		text[point] = '.';
		snprintf(text + n, sizeof(text) - n, "e%d",
				 (int) (unit_random() % 900) - 450);
		check_text(text);
	}
}

int
main(void)
{
	arena = unit_arena(MAX_TEXT + 64);
	test_shapes();
	test_floats();
	test_middles();
	test_noise();
	test_integers();
	test_long();
	return unit_finish();
}
