/*-------------------------------------------------------------------------
 *
 * argument.h
 *	  Arguments of distance functions, detoasted as seldom as may be.
 *
 * IDENTIFICATION
 *	  src/type/argument.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARGUMENT_H
#define ARGUMENT_H

#include "compat.h"
#include "fmgr.h"

/*
 * toasted_argument -- argument n of a function, which is toasted: as
 * PG_DETOAST_DATUM, but the same value out of line, call after call, is fetched
 * for the first two only.
 *
 * A query that comes from a table, as in ORDER BY x <-> (SELECT ...), still is a
 * pointer to the TOAST table when it meets each row.
 *
 * Memory: what is kept lives as long as the function's FmgrInfo; a pointer
 * names the same value at least as long, since no value can be removed that a
 * running statement sees.
 */
extern const void *toasted_argument(FunctionCallInfo fcinfo, int n);

static inline const void *
detoasted_argument(FunctionCallInfo fcinfo, int n)
{
	const void *datum = DatumGetPointer(fcinfo->args[n].value);

	return likely(!VARATT_IS_EXTENDED(datum)) ? datum :
		toasted_argument(fcinfo, n);
}

#endif							/* ARGUMENT_H */
