/*-------------------------------------------------------------------------
 *
 * rankfusion.c
 *	  Reciprocal rank fusion: one score from the ranks in several lists.
 *
 * Source: Cormack, Clarke and Buettcher, SIGIR 2009, whose k is 60.  Ranks may
 * count from 0 or from 1.
 *
 * IDENTIFICATION
 *	  src/func/rankfusion.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "type/sqlfunction.h"

/*
 * reciprocal -- weight / (k + rank).
 *
 * Errors: INVALID_PARAMETER_VALUE for a negative rank, and unless k is a
 * positive number.
 */
static double
reciprocal(int64 rank, double k, double weight)
{
	if (rank < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rank must not be negative")));
	if (!(k > 0) || isinf(k))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be a positive number")));
	return weight / (k + (double) rank);
}

SQL_FUNCTION(rrf_score);
Datum
rrf_score(PG_FUNCTION_ARGS)
{
	/* a list that lacks the row adds nothing */
	if (PG_ARGISNULL(0))
		PG_RETURN_FLOAT8(0);
	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(reciprocal(PG_GETARG_INT64(0), PG_GETARG_FLOAT8(1), 1));
}

/*
 * rrf_accum -- add a term to the sum, which is NULL before the first row.
 */
SQL_FUNCTION(rrf_accum);
Datum
rrf_accum(PG_FUNCTION_ARGS)
{
	double		sum = PG_ARGISNULL(0) ? 0 : PG_GETARG_FLOAT8(0);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && !PG_ARGISNULL(3))
		sum += reciprocal(PG_GETARG_INT64(1), PG_GETARG_FLOAT8(2),
						  PG_GETARG_FLOAT8(3));
	PG_RETURN_FLOAT8(sum);
}
