/*-------------------------------------------------------------------------
 *
 * parse.h
 *	  Numbers and number lists from text, correctly rounded to float32.
 *
 * Plain C, so that it can be tested and timed without a server.
 *
 * Text is [s, end) with *end == 0 and never written.  Time is linear in its
 * length.  A number is what strtof takes in the C locale; a blank is any of
 * the six that isspace knows there.
 *
 * IDENTIFICATION
 *	  src/type/parse.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>

typedef enum ParseStatus
{
	PARSE_OK,
	PARSE_SYNTAX,				/* no number here */
	PARSE_OVERFLOW,				/* a number beyond float32 */
	PARSE_NOT_FINITE,			/* NaN or Infinity, spelled out */
	PARSE_TOO_MANY				/* more numbers than 'max' */
} ParseStatus;

static inline bool
parse_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline const char *
parse_skip_blanks(const char *s)
{
	while (parse_is_blank(*s))
		s++;
	return s;
}

/*
 * parse_float -- one number, which starts at 's' without a blank before it.
 *
 * Error: none, *value is the float nearest to the decimal, ties to even; below
 * the smallest subnormal that is zero with the number's sign.
 * Returns PARSE_OK or why not; never PARSE_TOO_MANY.  Sets *after to the end
 * of the number, also for PARSE_OVERFLOW and PARSE_NOT_FINITE, where *value is
 * what strtof says.
 */
extern ParseStatus parse_float(const char *s, const char *end,
							   const char **after, float *value);

/*
 * parse_float_list -- numbers separated by commas, blanks around each allowed.
 *
 * Reads from *s at least one number, and as long as a comma follows.  Writes
 * at most 'max' numbers, and how many to *n.
 * Returns PARSE_OK with *s at the first character that is neither blank nor
 * part of the list; else why not, with *s where the offending number starts.
 */
extern ParseStatus parse_float_list(const char **s, const char *end,
									float *values, int max, int *n);

#endif							/* PARSE_H */
