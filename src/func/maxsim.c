/*-------------------------------------------------------------------------
 *
 * maxsim.c
 *	  Late interaction: how well a document of many vectors answers a query
 *	  of many.
 *
 * Source: ColBERT (Khattab and Zaharia, SIGIR 2020), whose vectors have unit
 * length; here nothing is normalised.
 *
 * IDENTIFICATION
 *	  src/func/maxsim.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "compat.h"
#include "miscadmin.h"
#include "type/check.h"
#include "type/distance.h"
#include "type/sqlfunction.h"
#include "utils/array.h"

/* inner product of two elements, whose dimensions it checks */
typedef double (*ElementProduct) (Datum a, Datum b);

static double
vector_product(Datum a, Datum b)
{
	Vector	   *x = DatumGetVector(a);
	Vector	   *y = DatumGetVector(b);

	check_same_dim("vector", x->dim, y->dim);
	return -vector_distance_ip(x, y);
}

static double
halfvec_product(Datum a, Datum b)
{
	HalfVector *x = DatumGetHalfVector(a);
	HalfVector *y = DatumGetHalfVector(b);

	check_same_dim("halfvec", x->dim, y->dim);
	return -halfvec_distance_ip(x, y);
}

/* The elements of an array of one of our types; at most one dimension. */
static Datum *
array_elements(ArrayType *array, int *n)
{
	Datum	   *elements;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("array must be 1-D")));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array must not contain nulls")));
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT,
					  &elements, NULL, n);
	return elements;
}

/*
 * sum_of_maxima -- over the query's vectors, the largest product with any of
 * the document's.  The maximum over none is -infinity, which sorts behind
 * every document.
 */
static double
sum_of_maxima(FunctionCallInfo fcinfo, ElementProduct product)
{
	int			nquery;
	int			ndocument;
	Datum	   *query = array_elements(PG_GETARG_ARRAYTYPE_P(0), &nquery);
	Datum	   *document = array_elements(PG_GETARG_ARRAYTYPE_P(1), &ndocument);
	double		sum = 0;

	for (int i = 0; i < nquery; i++)
	{
		double		best = -INFINITY;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < ndocument; j++)
			best = Max(best, product(query[i], document[j]));
		sum += best;
	}
	return sum;
}

SQL_FUNCTION(maxsim);
Datum
maxsim(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(sum_of_maxima(fcinfo, vector_product));
}

SQL_FUNCTION(halfvec_maxsim);
Datum
halfvec_maxsim(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(sum_of_maxima(fcinfo, halfvec_product));
}
