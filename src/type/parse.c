/*-------------------------------------------------------------------------
 *
 * parse.c
 *	  Numbers and number lists from text, correctly rounded to float32.
 *
 * strtof costs more than anything else when vectors are loaded as text, most
 * of it for cases that vectors do not have.  Here a decimal number becomes
 * an integer w and an exponent, eight digits a step; double arithmetic gives
 * w * 10^exponent with a known error, and rounding that to float is right
 * unless a boundary between two floats lies within the error.  Then, and for
 * anything unusual (hexadecimal, NaN, subnormal), strtof decides.  So the
 * result always equals strtof's.
 *
 * The only locale strtof is called in is the server's, whose LC_NUMERIC is C.
 *
 * IDENTIFICATION
 *	  src/type/parse.c
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "type/parse.h"

#if defined(__GNUC__) && defined(__BYTE_ORDER__) && \
	__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PARSE_EIGHT_DIGITS 1
#endif

/*
 * Digits are taken while w is below this: eight more then still fit in 63
 * bits.  What is left out after that is below 1 / W_FULL of the value.
 */
#define W_FULL			UINT64_C(90000000000)

/*
 * Any w * 10^e is below 10^19, so zero as a float if e < POW10_MIN; with
 * w >= 1 and e > POW10_MAX it is beyond FLT_MAX.
 */
#define POW10_MIN		(-64)
#define POW10_MAX		38

/* powers of ten, each the double nearest to it: an error of half an ulp */
static const double pow10_table[POW10_MAX - POW10_MIN + 1] = {
	1e-64, 1e-63, 1e-62, 1e-61, 1e-60, 1e-59, 1e-58, 1e-57, 1e-56, 1e-55,
	1e-54, 1e-53, 1e-52, 1e-51, 1e-50, 1e-49, 1e-48, 1e-47, 1e-46, 1e-45,
	1e-44, 1e-43, 1e-42, 1e-41, 1e-40, 1e-39, 1e-38, 1e-37, 1e-36, 1e-35,
	1e-34, 1e-33, 1e-32, 1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25,
	1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15,
	1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4,
	1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
	1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32, 1e33,
	1e34, 1e35, 1e36, 1e37, 1e38
};

/*
 * Errors in units in the last place (ulp) of the double product.  Rounding w,
 * the power and the product costs at most 2^-53 of the value each, which makes
 * at most 3 ulp, or 6 of the finer ulp just below a power of two.  Digits left
 * out cost 1 / W_FULL < 2^-36 of the value, below 2^17 ulp.  Both are rounded
 * up generously; a wrong guess costs a call of strtof, not a wrong result.
 */
#define ERROR_ULP		16
#define ERROR_ULP_CUT	(1 << 18)

/* bits of a double's mantissa that a float does not have, and half of that */
#define EXTRA_MASK		((UINT64_C(1) << 29) - 1)
#define EXTRA_HALF		(UINT64_C(1) << 28)

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

#ifdef PARSE_EIGHT_DIGITS

static const uint64_t small_pow10[9] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000
};

/*
 * load_eight -- the eight characters at 's', digits as their values.
 *
 * In *others, the lowest bit set is in the byte of the first that is no digit;
 * 0 if all are.
 */
static inline uint64_t
load_eight(const char *s, uint64_t *others)
{
	uint64_t	v;

	memcpy(&v, s, 8);
	v ^= UINT64_C(0x3030303030303030);

	/*
	 * The high bit of each byte above 9.  A carry spoils only bytes behind
	 * the first of those, which do not matter.
	 */
	*others = ((v + UINT64_C(0x7676767676767676)) | v) &
		UINT64_C(0x8080808080808080);
	return v;
}

/* how many digits come before the first other character; others is not 0 */
static inline int
count_digits(uint64_t others)
{
	return __builtin_ctzll(others) / 8;
}

/*
 * add_up -- the number that the first 'ndigits' bytes, 0 to 8, of v make.
 */
static inline uint64_t
add_up(uint64_t v, int ndigits)
{
	/* zeros before the digits; in two steps, as a shift by 64 is undefined */
	if (ndigits < 8)
		v = (v << 8) << (56 - 8 * ndigits);

	/* pairs, fours, eight */
	v = (v * (10 * 256 + 1)) >> 8;
	v = ((v & UINT64_C(0x00FF00FF00FF00FF)) *
		 (UINT64_C(100) * 65536 + 1)) >> 16;
	return ((v & UINT64_C(0x0000FFFF0000FFFF)) *
			((UINT64_C(10000) << 32) + 1)) >> 32;
}

#endif							/* PARSE_EIGHT_DIGITS */

/*
 * take_fraction -- append the digits at 's' to *w while it is not full.
 *
 * Subtracts their count from *exponent.  Returns where it stopped.
 */
static inline const char *
take_fraction(const char *s, const char *end, uint64_t *w, int64_t *exponent)
{
	const char *start = s;

#ifdef PARSE_EIGHT_DIGITS
	while (end - s >= 8 && *w < W_FULL)
	{
		uint64_t	others;
		uint64_t	v = load_eight(s, &others);
		int			ndigits = others == 0 ? 8 : count_digits(others);

		*w = *w * small_pow10[ndigits] + add_up(v, ndigits);
		s += ndigits;
		if (ndigits < 8)
			break;
	}
#endif
	for (; is_digit(*s) && *w < W_FULL; s++)
		*w = *w * 10 + (*s - '0');

	*exponent -= s - start;
	return s;
}

/*
 * skip_digits -- digits that do not fit in w.
 */
static const char *
skip_digits(const char *s, const char *end)
{
#ifdef PARSE_EIGHT_DIGITS
	uint64_t	others;

	while (end - s >= 8 && (load_eight(s, &others), others == 0))
		s += 8;
#endif
	while (is_digit(*s))
		s++;
	return s;
}

/*
 * take_exponent -- add the exponent at 's', the letter e, if it is one.
 *
 * Returns where it ends, or 's' if no digit follows the letter.
 */
static const char *
take_exponent(const char *s, int64_t *exponent)
{
	const char *digits = s + 1;
	bool		negative = (*digits == '-');
	int64_t		e = 0;

	if (*digits == '-' || *digits == '+')
		digits++;
	if (!is_digit(*digits))
		return s;

	/* beyond this no text is long enough to make up for the exponent */
	for (s = digits; is_digit(*s); s++)
		if (e < INT64_C(100000000000000))
			e = e * 10 + (*s - '0');

	*exponent += negative ? -e : e;
	return s;
}

/*
 * round_product -- the float nearest to what 'product' stands for.
 *
 * error_ulp: how far off, at most, the product is.  Returns false if that
 * leaves two floats to choose from.  The product is 0 or a normal float.
 */
static inline bool
round_product(double product, uint64_t error_ulp, float *value)
{
	uint64_t	bits;

	memcpy(&bits, &product, sizeof(bits));
	if ((bits & EXTRA_MASK) - (EXTRA_HALF - error_ulp) <= 2 * error_ulp)
		return false;

	/* from the bits just looked at, whatever the register may hold */
	memcpy(&product, &bits, sizeof(bits));
	*value = (float) product;
	return true;
}

/*
 * round_decimal -- w * 10^exponent as a float, if doubles can tell.
 *
 * error_ulp: how far off, at most, the product is.  Returns false if the
 * answer depends on more digits than a double has, or is subnormal.
 */
static inline bool
round_decimal(uint64_t w, int64_t exponent, uint64_t error_ulp, float *value)
{
	double		product;

	if (w == 0 || exponent < POW10_MIN)
	{
		*value = 0;
		return true;
	}
	if (exponent > POW10_MAX)
	{
		*value = HUGE_VALF;
		return true;
	}

	product = (double) (int64_t) w * pow10_table[exponent - POW10_MIN];
	if (product < FLT_MIN)
		return false;
	return round_product(product, error_ulp, value);
}

/* -x or x, without a branch */
static inline float
negate_if(float x, bool negative)
{
	uint32_t	bits;

	memcpy(&bits, &x, sizeof(bits));
	bits |= (uint32_t) negative << 31;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

/*
 * parse_unusual -- leave the number to strtof.
 */
static ParseStatus
parse_unusual(const char *s, const char **after, float *value)
{
	char	   *stop;

	errno = 0;
	*value = strtof(s, &stop);
	*after = stop;

	if (stop == s)
		return PARSE_SYNTAX;
	if (errno == ERANGE && isinf(*value))
		return PARSE_OVERFLOW;
	if (!isfinite(*value))
		return PARSE_NOT_FINITE;
	return PARSE_OK;
}

/*
 * parse_number -- parse_float; see there.
 */
static ParseStatus
parse_number(const char *s, const char *end, const char **after, float *value)
{
	const char *start = s;
	bool		negative = (*s == '-');
	const char *digits;
	uint64_t	w = 0;
	int64_t		exponent = 0;
	uint64_t	error_ulp = ERROR_ULP;
	bool		has_digit;

	/* signs come at random: arithmetic, not a branch to be mispredicted */
	s += negative;
	if (*s == '+' && !negative)
		s++;

	for (digits = s; is_digit(*s) && w < W_FULL; s++)
		w = w * 10 + (*s - '0');
	has_digit = (s > digits);
	if (is_digit(*s))
	{
		digits = s;
		s = skip_digits(s, end);
		exponent = s - digits;
		error_ulp = ERROR_ULP_CUT;
	}

	if (*s == '.')
	{
		digits = s + 1;
		s = take_fraction(digits, end, &w, &exponent);
		if (is_digit(*s))
		{
			s = skip_digits(s, end);
			error_ulp = ERROR_ULP_CUT;
		}
		has_digit |= (s > digits);
	}

	/* not decimal: spelled out, hexadecimal, or no number at all */
	if (!has_digit || *s == 'x' || *s == 'X')
		return parse_unusual(start, after, value);

	if (*s == 'e' || *s == 'E')
		s = take_exponent(s, &exponent);

	if (!round_decimal(w, exponent, error_ulp, value))
		return parse_unusual(start, after, value);

	*after = s;
	*value = negate_if(*value, negative);
	return isinf(*value) ? PARSE_OVERFLOW : PARSE_OK;
}

#ifdef PARSE_EIGHT_DIGITS

/*
 * parse_usual -- the two forms nearly all numbers in vectors have.
 *
 * That is, after a sign or none, d.ddd with at most 23 digits behind the
 * point, or an integer of at most 7; then a comma or bracket.  Digits are not
 * looked at one by one: their number varies at random, so that each loop or
 * branch on it would be mispredicted.  This doubles the speed of a list.
 *
 * Returns false if the number is not one of these or cannot be rounded here.
 * *is_integer: says whether it is the latter; set in any case.
 */
static inline bool
parse_usual(const char *s, const char *end, const char **after, float *value,
			bool *is_integer)
{
	bool		negative = (*s == '-');
	const char *fraction = NULL;
	uint64_t	w = 0;
	uint64_t	v;
	uint64_t	others;
	uint64_t	error_ulp = ERROR_ULP;
	int			nfraction = 0;
	int			ndigits;

	*is_integer = false;

	/* sign, digit, point, sixteen digits, eight characters */
	if (end - s < 1 + 1 + 1 + 16 + 8)
		return false;
	s += negative;
	if (!is_digit(*s))
		return false;

	v = load_eight(s, &others);
	if (s[1] == '.')
	{
		w = *s - '0';
		s += 2;
		fraction = s;
		v = load_eight(s, &others);
		if (others == 0)
		{
			w = w * small_pow10[8] + add_up(v, 8);
			s += 8;
			v = load_eight(s, &others);
		}
		if (others == 0)
		{
			/* a double: what comes after sixteen digits is left out */
			w = w * small_pow10[8] + add_up(v, 8);
			if (w < W_FULL)
				return false;
			s += 8;
			nfraction = s - fraction;
			error_ulp = ERROR_ULP_CUT;
			(void) load_eight(s, &others);
		}
	}
	if (others == 0)
		return false;

	ndigits = count_digits(others);
	s += ndigits;
	if (*s != ',' && *s != ']')
		return false;

	if (nfraction == 0)
	{
		w = w * small_pow10[ndigits] + add_up(v, ndigits);
		if (fraction != NULL)
			nfraction = s - fraction;
	}
	if (!round_product((double) (int64_t) w *
					   pow10_table[-nfraction - POW10_MIN],
					   error_ulp, value))
		return false;

	*value = negate_if(*value, negative);
	*after = s;
	*is_integer = (fraction == NULL);
	return true;
}

/*
 * mark_others -- a bit for each of the eight characters at 's' that is no
 * digit, the first in the lowest bit.
 */
static inline unsigned
mark_others(const char *s)
{
	uint64_t	v;

	memcpy(&v, s, 8);
	v ^= UINT64_C(0x3030303030303030);

	/* the high bit of each byte above 9; nothing is carried to the next */
	v |= (v & UINT64_C(0x7F7F7F7F7F7F7F7F)) + UINT64_C(0x7676767676767676);
	v = (v >> 7) & UINT64_C(0x0101010101010101);

	/* moves bit 8 i to bit 56 + i */
	return (unsigned) ((v * UINT64_C(0x0102040810204080)) >> 56);
}

/* the number that the first 'ndigits' characters at 's', at most 7, make */
static inline float
load_digits(const char *s, int ndigits)
{
	uint64_t	others;

	return (float) (int32_t) add_up(load_eight(s, &others), ndigits);
}

/*
 * parse_two_integers -- "12,-255,": two integers of at most 7 digits.
 *
 * What takes time in a list of integers is that no number can be looked at
 * before the end of the one before it is known.  Here two ends are found in
 * one step, within sixteen characters, and one branch says whether all is
 * well: signs and lengths come at random.
 *
 * Returns false if it is not; else sets *after to the second comma.
 */
static inline bool
parse_two_integers(const char *s, const char *end, const char **after,
				   float *values)
{
	unsigned	others;
	unsigned	minus1;
	unsigned	minus2;
	int			comma;			/* behind the first number */
	int			second;			/* where the second starts */
	int			last;			/* the comma behind it */
	int			n1;				/* digits of the first, of the second */
	int			n2;

	/* sixteen characters, and eight from the second number on */
	if (end - s < 24)
		return false;

	/* the bits above the sixteen characters make the ends exist */
	others = mark_others(s) | mark_others(s + 8) << 8 | 0xFFFF0000;

	/* a number may start with a sign; what comes next must be the comma */
	minus1 = others & 1;
	comma = __builtin_ctz(others & ~1u);
	second = comma + 1;
	minus2 = (others >> second) & 1;
	last = second + 1 + __builtin_ctz(others >> (second + 1));
	n1 = comma - (int) minus1;
	n2 = last - second - (int) minus2;

	if (!((minus1 == (s[0] == '-')) & (s[comma] == ',') &
		  (n1 >= 1) & (n1 <= 7) &
		  (minus2 == (s[second] == '-')) & (s[last] == ',') &
		  (n2 >= 1) & (n2 <= 7)))
		return false;

	/* floats hold seven digits exactly */
	values[0] = negate_if(load_digits(s + minus1, n1), minus1);
	values[1] = negate_if(load_digits(s + second + minus2, n2), minus2);
	*after = s + last;
	return true;
}

/*
 * parse_run -- a usual number, and integers behind it as long as two at a time
 * can be taken.
 *
 * Adds to *n how many were written to values[*n], within 'max', and moves *s
 * behind the last.  Returns false, nothing changed, if the first is unusual.
 */
static inline bool
parse_run(const char **s, const char *end, float *values, int max, int *n)
{
	bool		is_integer;

	if (!parse_usual(*s, end, s, &values[*n], &is_integer))
		return false;
	(*n)++;

	/* integers come in company; a list of others does not pay for the try */
	while (is_integer && **s == ',' && max - *n >= 2 &&
		   parse_two_integers(*s + 1, end, s, &values[*n]))
		*n += 2;
	return true;
}

#endif							/* PARSE_EIGHT_DIGITS */

ParseStatus
parse_float(const char *s, const char *end, const char **after, float *value)
{
	return parse_number(s, end, after, value);
}

ParseStatus
parse_float_list(const char **s, const char *end, float *values, int max,
				 int *n)
{
	const char *at = *s;

	for (*n = 0;; at++)
	{
		ParseStatus status;

		at = parse_skip_blanks(at);
		*s = at;
		if (*n == max)
			return PARSE_TOO_MANY;
#ifdef PARSE_EIGHT_DIGITS
		if (!parse_run(&at, end, values, max, n))
#endif
		{
			status = parse_number(at, end, &at, &values[*n]);
			if (status != PARSE_OK)
				return status;
			(*n)++;
		}

		at = parse_skip_blanks(at);
		if (*at != ',')
			break;
	}

	*s = at;
	return PARSE_OK;
}
