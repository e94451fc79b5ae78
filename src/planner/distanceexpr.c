/*-------------------------------------------------------------------------
 *
 * distanceexpr.c
 *	  Expressions that an index over a distance can order: 1 - (e <=> q).
 *
 * Clients turn distances into similarities before they sort: 1 - (e <=> q),
 * (e <#> q) * -1, 1 + (e <#> q), 1 / (1 + (e <-> q)), inner_product(e, q).  In
 * all of these a distance is added to, multiplied or divided by constants, which
 * keeps its order or turns it round.
 *
 * IDENTIFICATION
 *	  src/planner/distanceexpr.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "planner/distanceexpr.h"
#include "type/distance.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* the functions that return what an operator negates */
static const struct
{
	PGFunction	positive;
	PGFunction	negative;
}			negations[] =
{
	{inner_product, vector_negative_inner_product},
	{halfvec_inner_product, halfvec_negative_inner_product},
	{sparsevec_inner_product, sparsevec_negative_inner_product}
};

/* ---- the distance itself ---- */

/* The operator by which an index orders its rows. */
static Oid
ordering_operator(const IndexOptInfo *index)
{
	return get_opfamily_member(index->opfamily[0], index->opcintype[0],
							   index->opcintype[0], 1);
}

/* Is this the function of a distance that can be negative? */
static bool
is_inner_product(Oid function)
{
	FmgrInfo	info;

	fmgr_info(function, &info);
	for (int i = 0; i < lengthof(negations); i++)
	{
		if (info.fn_addr == negations[i].negative)
			return true;
	}
	return false;
}

/* Does one function return the negative of the other? */
static bool
is_negation(Oid positive, Oid negative)
{
	FmgrInfo	p;
	FmgrInfo	n;

	fmgr_info(positive, &p);
	fmgr_info(negative, &n);
	for (int i = 0; i < lengthof(negations); i++)
	{
		if (p.fn_addr == negations[i].positive &&
			n.fn_addr == negations[i].negative)
			return true;
	}
	return false;
}

/*
 * "column operator key" from two operands in either order; every distance is
 * its own commutator.
 */
static bool
match_operands(IndexOptInfo *index, Oid op, List *args, DistanceExpr *out)
{
	for (int column = 0; column < 2; column++)
	{
		Node	   *key = list_nth(args, 1 - column);

		if (!match_index_to_operand(list_nth(args, column), 0, index) ||
			contain_var_clause(key) || contain_volatile_functions(key) ||
			(column == 1 && get_commutator(op) != op))
			continue;
		out->distance = (OpExpr *)
			make_opclause(op, FLOAT8OID, false, list_nth(args, column),
						  (Expr *) key, InvalidOid, InvalidOid);
		set_opfuncid(out->distance);
		return true;
	}
	return false;
}

/* A distance, by operator or by function, or its negation. */
static bool
match_bare(IndexOptInfo *index, Node *expr, DistanceExpr *out)
{
	Oid			op = ordering_operator(index);
	List	   *args;

	if (!OidIsValid(op))
		return false;
	out->sortfamily = get_op_opfamily_sortfamily(op, index->opfamily[0]);
	out->falls = false;
	out->nsteps = 0;
	if (IsA(expr, OpExpr))
	{
		args = ((OpExpr *) expr)->args;
		if (((OpExpr *) expr)->opno != op)
			return false;
	}
	else if (IsA(expr, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) expr;

		args = call->args;
		if (list_length(args) != 2 || call->funcresulttype != FLOAT8OID)
			return false;
		if (call->funcid != get_opcode(op))
		{
			if (exprType(linitial(args)) != index->opcintype[0] ||
				exprType(lsecond(args)) != index->opcintype[0] ||
				!is_negation(call->funcid, get_opcode(op)))
				return false;
			out->falls = true;
			out->step[out->nsteps++] = (DistanceStep)
			{
				F_FLOAT8UM, false, 0
			};
		}
	}
	else
		return false;
	return match_operands(index, op, args, out);
}

/* ---- steps ---- */

static bool
is_number(Node *node, double *value)
{
	if (!IsA(node, Const) || ((Const *) node)->constisnull ||
		((Const *) node)->consttype != FLOAT8OID)
		return false;
	*value = DatumGetFloat8(((Const *) node)->constvalue);
	return isfinite(*value);
}

/* Take the outermost step off; false if it is none that we know. */
static bool
split_step(OpExpr *expr, Node **inner, DistanceStep *step)
{
	Node	   *left = linitial(expr->args);
	Node	   *right = llast(expr->args);

	set_opfuncid(expr);
	step->function = expr->opfuncid;
	step->on_left = false;
	step->number = 0;
	*inner = left;
	if (step->function == F_FLOAT8UM)
		return true;
	if (step->function != F_FLOAT8PL && step->function != F_FLOAT8MI &&
		step->function != F_FLOAT8MUL && step->function != F_FLOAT8DIV)
		return false;
	if (is_number(right, &step->number))
		return true;
	step->on_left = true;
	*inner = right;
	return is_number(left, &step->number);
}

/* what is known of the values of an expression */
typedef enum ValueRange
{
	RANGE_ANY,
	RANGE_NOT_NEGATIVE,
	RANGE_POSITIVE
} ValueRange;

/*
 * Does this step fall?  Returns false if it neither rises nor falls: a product
 * with 0, a quotient whose divisor may change its sign.
 */
static bool
examine_step(const DistanceStep *step, ValueRange *range, bool *falls)
{
	double		number = step->number;

	*falls = false;
	switch (step->function)
	{
		case F_FLOAT8UM:
			*falls = true;
			*range = RANGE_ANY;
			return true;
		case F_FLOAT8PL:
			if (number < 0)
				*range = RANGE_ANY;
			else if (number > 0 && *range == RANGE_NOT_NEGATIVE)
				*range = RANGE_POSITIVE;
			return true;
		case F_FLOAT8MI:
			*falls = step->on_left;
			*range = RANGE_ANY;
			return true;
		case F_FLOAT8MUL:
		case F_FLOAT8DIV:
			if (number == 0)
				return false;
			*falls = number < 0;
			if (step->function == F_FLOAT8DIV && step->on_left)
			{
				if (*range != RANGE_POSITIVE)
					return false;
				*falls = number > 0;
			}
			/* rounding can make a product or quotient 0 */
			*range = number > 0 && *range != RANGE_ANY ?
				RANGE_NOT_NEGATIVE : RANGE_ANY;
			return true;
		default:
			return false;
	}
}

static bool
match(IndexOptInfo *index, Node *expr, DistanceExpr *out, ValueRange *range)
{
	DistanceStep step;
	Node	   *inner;
	bool		falls;

	check_stack_depth();
	if (match_bare(index, expr, out))
	{
		out->can_be_negative = is_inner_product(out->distance->opfuncid);
		*range = out->can_be_negative || out->falls ?
			RANGE_ANY : RANGE_NOT_NEGATIVE;
		return true;
	}
	if (!IsA(expr, OpExpr) || !split_step((OpExpr *) expr, &inner, &step) ||
		!match(index, inner, out, range) ||
		out->nsteps == MAX_DISTANCE_STEPS ||
		!examine_step(&step, range, &falls))
		return false;
	out->falls ^= falls;
	out->step[out->nsteps++] = step;
	return true;
}

bool
match_distance(IndexOptInfo *index, Node *expr, DistanceExpr *out)
{
	ValueRange	range;

	return index->amcostestimate == hnswcostestimate &&
		match(index, expr, out, &range);
}

bool
is_readable_index(const IndexOptInfo *info)
{
	Relation	index;
	bool		result;

	if (info->hypothetical)
		return false;
	index = index_open(info->indexoid, NoLock);
	result = hnsw_is_readable(index);
	index_close(index, NoLock);
	return result;
}

double
distance_expr_value(const DistanceExpr *expr, double distance)
{
	double		value = distance;

	for (int i = 0; i < expr->nsteps; i++)
	{
		const DistanceStep *step = &expr->step[i];
		double		left = step->on_left ? step->number : value;
		double		right = step->on_left ? value : step->number;

		switch (step->function)
		{
			case F_FLOAT8PL:
				value = left + right;
				break;
			case F_FLOAT8MI:
				value = left - right;
				break;
			case F_FLOAT8MUL:
				value = left * right;
				break;
			case F_FLOAT8DIV:
				value = left / right;
				break;
			default:
				value = -value;
				break;
		}
	}
	return value;
}

List *
distance_expr_to_list(const DistanceExpr *expr)
{
	List	   *list = list_make2(makeInteger(expr->falls),
								  makeInteger(expr->can_be_negative));

	for (int i = 0; i < expr->nsteps; i++)
	{
		const DistanceStep *step = &expr->step[i];

		list = lappend(list, makeInteger(step->function));
		list = lappend(list, makeInteger(step->on_left));
		list = lappend(list, makeFloat(psprintf("%.17g", step->number)));
	}
	return list;
}

void
distance_expr_from_list(List *list, DistanceExpr *expr)
{
	memset(expr, 0, sizeof(DistanceExpr));
	expr->falls = intVal(linitial(list)) != 0;
	expr->can_be_negative = intVal(lsecond(list)) != 0;
	for (int i = 2; i < list_length(list); i += 3)
	{
		DistanceStep *step = &expr->step[expr->nsteps++];

		step->function = (Oid) intVal(list_nth(list, i));
		step->on_left = intVal(list_nth(list, i + 1)) != 0;
		step->number = floatVal(list_nth(list, i + 2));
	}
}
