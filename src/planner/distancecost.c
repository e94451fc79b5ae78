/*-------------------------------------------------------------------------
 *
 * distancecost.c
 *	  What a distance costs: planner support of the distance functions.
 *
 * To core every function costs one operator call, and a plan that computes
 * sixty thousand distances looks as cheap as one that adds as many integers.
 * The price depends on the bytes that are read, and on whether they have to be
 * fetched from the TOAST table first.
 *
 * Measured with a sequential scan of the packages data (384 dimensions in the
 * row) and Fashion-MNIST (784, out of it and, stored PLAIN, in it), in
 * nanoseconds of CPU a row: 100 for the call, .25 for a byte of one operand, of
 * a sparse vector .75; 1,200 for a value out of the row and 200 for each of its
 * chunks.  A cost unit takes about 1,600 ns there (sequential scans and walks of
 * an index agree within a fifth), that is 4 ns for an operator.
 *
 * IDENTIFICATION
 *	  src/planner/distancecost.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "access/heaptoast.h"
#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_statistic.h"
#include "compat.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "type/halfvec.h"
#include "type/sqlfunction.h"
#include "type/vector.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"
#include "utils/varbit.h"

#define OPERATORS_TO_CALL		25.0
#define OPERATORS_TO_FETCH		300.0
#define OPERATORS_PER_CHUNK		50.0

/* bytes of a value of which nothing is known */
#define DEFAULT_BYTES			1024.0

/* bytes of a datum that lies in the TOAST table */
#define POINTER_BYTES			18.0

/* what the four types differ by */
typedef struct DistancePrice
{
	double		operators_per_byte;

	/* bytes of a value with this typmod; 0: the typmod does not tell */
	double		(*bytes) (int32 typmod);
} DistancePrice;

static double
vector_bytes(int32 typmod)
{
	return VECTOR_SIZE((double) typmod);
}

static double
halfvec_bytes(int32 typmod)
{
	return HALFVEC_SIZE((double) typmod);
}

static double
sparsevec_bytes(int32 typmod)
{
	return 0;
}

static double
bit_bytes(int32 typmod)
{
	return VARBITTOTALLEN((int64) typmod);
}

static const DistancePrice vector_price = {0.06, vector_bytes};
static const DistancePrice halfvec_price = {0.06, halfvec_bytes};
static const DistancePrice sparsevec_price = {0.19, sparsevec_bytes};
static const DistancePrice bit_price = {0.06, bit_bytes};

/* ---- columns ---- */

/*
 * A column of a relation that is being planned, or NULL.  Elsewhere a Var
 * stands for something that the statistics do not know: in the target list of
 * a UNION, in an expression whose relations have not been set up yet.
 */
static bool
is_planned_column(PlannerInfo *root, const Var *var)
{
	return root != NULL && root->simple_rel_array != NULL &&
		var->varlevelsup == 0 && var->varno > 0 &&
		(int) var->varno < root->simple_rel_array_size &&
		root->simple_rel_array[var->varno] != NULL;
}

/*
 * Average bytes that ANALYZE has found in the row; 0 if it has not been here.
 * A value in the TOAST table counts with its pointer.
 */
static double
average_width(PlannerInfo *root, Var *var)
{
	VariableStatData data;
	double		width = 0;

	examine_variable(root, (Node *) var, 0, &data);
	if (HeapTupleIsValid(data.statsTuple))
		width = ((Form_pg_statistic) GETSTRUCT(data.statsTuple))->stawidth;
	ReleaseVariableStats(data);
	return width;
}

/* Before the first ANALYZE: would a row with such a value be toasted? */
static bool
is_toasted_by_size(PlannerInfo *root, Var *var, double bytes)
{
	RangeTblEntry *rte = root->simple_rte_array[var->varno];
	HeapTuple	tuple;
	char		storage;

	if (rte->rtekind != RTE_RELATION || var->varattno <= 0)
		return false;
	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(rte->relid),
							Int16GetDatum(var->varattno));
	if (!HeapTupleIsValid(tuple))
		return false;
	storage = ((Form_pg_attribute) GETSTRUCT(tuple))->attstorage;
	ReleaseSysCache(tuple);

	return storage != TYPSTORAGE_PLAIN &&
		bytes + get_relation_data_width(rte->relid, NULL) -
		get_typavgwidth(var->vartype, var->vartypmod) >
		TOAST_TUPLE_THRESHOLD - SizeofHeapTupleHeader;
}

/*
 * Which part of the column's values, of so many bytes, lies outside?  A short
 * value in the row has three bytes less, for its length word.
 */
static double
part_outside(PlannerInfo *root, Var *var, double bytes)
{
	double		width = average_width(root, var);

	if (width == 0)
		return is_toasted_by_size(root, var, bytes) ? 1 : 0;
	if (bytes <= POINTER_BYTES ||
		width >= bytes - (VARHDRSZ - VARHDRSZ_SHORT))
		return 0;
	return Min((bytes - width) / (bytes - POINTER_BYTES), 1);
}

/* ---- one distance ---- */

typedef struct FetchContext
{
	const DistancePrice *price;
	PlannerInfo *root;
	double		bytes;			/* of an operand */
	double		operators;		/* out: what fetching costs */
} FetchContext;

/* Operator calls that it takes to fetch a column. */
static double
fetch_operators(const FetchContext *context, Var *var)
{
	double		bytes = context->bytes;
	double		chunks;

	/* an operand can be a small part of a column; its type may differ a bit */
	if (var->vartypmod > 0)
		bytes = Max(bytes, context->price->bytes(var->vartypmod));
	chunks = ceil(bytes / TOAST_MAX_CHUNK_SIZE);
	return part_outside(context->root, var, bytes) *
		(OPERATORS_TO_FETCH + OPERATORS_PER_CHUNK * chunks);
}

/*
 * Add up what the columns in an operand take to fetch: what the operand does
 * to them, a cast or subvector(), needs them whole.  Aggregates and
 * sub-selects have read theirs already.
 */
static bool
add_fetches(Node *node, void *arg)
{
	FetchContext *context = arg;

	if (node == NULL || IsA(node, Aggref) || IsA(node, WindowFunc) ||
		IsA(node, SubPlan) || IsA(node, AlternativeSubPlan))
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		if (is_planned_column(context->root, var) &&
			get_typlen(var->vartype) == -1)
			context->operators += fetch_operators(context, var);
		return false;
	}
	return expression_tree_walker(node, add_fetches, context);
}

/* Bytes of an operand; 0 if unknown. */
static double
operand_bytes(const DistancePrice *price, PlannerInfo *root, Node *operand)
{
	int32		typmod = exprTypmod(operand);

	if (IsA(operand, Const) && !((Const *) operand)->constisnull)
		return toast_raw_datum_size(((Const *) operand)->constvalue);
	if (typmod > 0 && price->bytes(typmod) > 0)
		return price->bytes(typmod);
	if (IsA(operand, Var) && is_planned_column(root, (Var *) operand))
	{
		double		width = average_width(root, (Var *) operand);

		return width > POINTER_BYTES ? width : 0;
	}
	return 0;
}

/* Operator calls that a distance of these operands takes. */
static double
distance_operators(const DistancePrice *price, PlannerInfo *root,
				   List *operands)
{
	FetchContext context = {price, root, 0, 0};
	ListCell   *lc;

	/* the operands of a distance have equal dimensions */
	foreach(lc, operands)
		context.bytes = Max(context.bytes,
							operand_bytes(price, root, lfirst(lc)));
	if (context.bytes == 0)
		context.bytes = DEFAULT_BYTES;
	(void) add_fetches((Node *) operands, &context);
	return OPERATORS_TO_CALL + context.operators +
		price->operators_per_byte * context.bytes;
}

static Datum
support(FunctionCallInfo fcinfo, const DistancePrice *price)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestCost *cost = (SupportRequestCost *) request;
	List	   *operands = NIL;

	if (!IsA(request, SupportRequestCost))
		PG_RETURN_POINTER(NULL);
	if (cost->node != NULL && IsA(cost->node, OpExpr))
		operands = ((OpExpr *) cost->node)->args;
	else if (cost->node != NULL && IsA(cost->node, FuncExpr))
		operands = ((FuncExpr *) cost->node)->args;

	cost->startup = 0;
	cost->per_tuple = cpu_operator_cost *
		distance_operators(price, cost->root, operands);
	PG_RETURN_POINTER(cost);
}

SQL_FUNCTION(vector_distance_support);
Datum
vector_distance_support(PG_FUNCTION_ARGS)
{
	return support(fcinfo, &vector_price);
}

SQL_FUNCTION(halfvec_distance_support);
Datum
halfvec_distance_support(PG_FUNCTION_ARGS)
{
	return support(fcinfo, &halfvec_price);
}

SQL_FUNCTION(sparsevec_distance_support);
Datum
sparsevec_distance_support(PG_FUNCTION_ARGS)
{
	return support(fcinfo, &sparsevec_price);
}

SQL_FUNCTION(bit_distance_support);
Datum
bit_distance_support(PG_FUNCTION_ARGS)
{
	return support(fcinfo, &bit_price);
}
