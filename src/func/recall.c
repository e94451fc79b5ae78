/*-------------------------------------------------------------------------
 *
 * recall.c
 *	  vector_recall: how much of the exact answer does an index find?
 *
 * Vectors of the table are searched for twice, by queries like those of an
 * application: once with this index, once without any.  While they are
 * planned, a hook shows the planner no other index of the table, so that
 * neither depends on what else there is.
 *
 * The text of the queries is made of what the catalogs say, deparsed under an
 * empty search path, and of numbers.
 *
 * IDENTIFICATION
 *	  src/func/recall.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_index.h"
#include "catalog/pg_operator.h"
#include "compat.h"
#include "executor/spi.h"
#include "func/indexread.h"
#include "hnsw/hnsw.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "optimizer/plancat.h"
#include "portability/instr_time.h"
#include "type/sqlfunction.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

typedef struct RecallTest
{
	IndexReader reader;
	int			k;
	int			samples;

	char	   *value;			/* SQL of the indexed value */
	char	   *where;			/* " WHERE predicate", or "" */
	char	   *table;			/* "schema.table" */
	char	   *operator;		/* "OPERATOR(schema.<->)" */
	Oid			type;			/* of the value */
} RecallTest;

/* What one query returned: distances, ascending, as far as they are numbers. */
typedef struct RecallAnswer
{
	double	   *distance;
	int			n;
	double		elapsed_ms;
} RecallAnswer;

/* ---- what the planner sees ---- */

/* inside vector_recall: the table, and its index that may be used, if any */
static Oid	tested_table = InvalidOid;
static Oid	usable_index = InvalidOid;

static bool is_hook_installed = false;
static get_relation_info_hook_type previous_hook = NULL;

static void
hide_other_indexes(PlannerInfo *root, Oid table, bool inhparent,
				   RelOptInfo *rel)
{
	List	   *kept = NIL;
	ListCell   *cell;

	if (previous_hook)
		previous_hook(root, table, inhparent, rel);
	if (table != tested_table)
		return;
	foreach(cell, rel->indexlist)
	{
		IndexOptInfo *index = lfirst(cell);

		if (index->indexoid == usable_index)
			kept = lappend(kept, index);
	}
	rel->indexlist = kept;
}

/* For good: outside vector_recall it does nothing. */
static void
install_hook(void)
{
	if (is_hook_installed)
		return;
	previous_hook = get_relation_info_hook;
	get_relation_info_hook = hide_other_indexes;
	is_hook_installed = true;
}

/* ---- the text ---- */

static char *
index_predicate(Relation index)
{
	bool		isnull;
	Datum		predicate = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
											Anum_pg_index_indpred, &isnull);

	if (isnull)
		return "";
	predicate = DirectFunctionCall2(pg_get_expr, predicate,
									ObjectIdGetDatum(index->rd_index->indrelid));
	return psprintf(" WHERE %s", TextDatumGetCString(predicate));
}

/* The operator that the index orders by. */
static char *
index_operator(Relation index)
{
	Oid			type = index->rd_opcintype[0];
	Oid			operator = get_opfamily_member(index->rd_opfamily[0], type,
											   type, 1);
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char	   *result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	result = psprintf("OPERATOR(%s.%s)",
					  quote_identifier(get_namespace_name(form->oprnamespace)),
					  NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return result;
}

static void
describe_test(RecallTest *test)
{
	Relation	index = test->reader.index;
	Relation	heap = test->reader.heap;
	Datum		value = DirectFunctionCall3(pg_get_indexdef_ext,
											ObjectIdGetDatum(RelationGetRelid(index)),
											Int32GetDatum(1),
											BoolGetDatum(false));
	char	   *schema = get_namespace_name(RelationGetNamespace(heap));

	test->value = TextDatumGetCString(value);
	test->where = index_predicate(index);
	test->table = quote_qualified_identifier(schema,
											 RelationGetRelationName(heap));
	test->operator = index_operator(index);
	test->type = TupleDescAttr(RelationGetDescr(index), 0)->atttypid;
}

/* ---- the queries ---- */

/*
 * sample_values -- vectors of the table.
 *
 * A hash of its place chooses a row: the same rows each time, as long as the
 * table does not change, so that two settings can be compared.
 * Memory: of the values, 'context'.
 */
static int
sample_values(RecallTest *test, MemoryContext context, Datum **values)
{
	char	   *query = psprintf("SELECT v FROM (SELECT ctid, %s AS v FROM ONLY %s%s) s"
								 " WHERE v IS NOT NULL"
								 " ORDER BY pg_catalog.hashtidextended(ctid, 0) LIMIT %d",
								 test->value, test->table, test->where,
								 test->samples);
	MemoryContext old;
	int			n;

	if (SPI_execute(query, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not sample table %s", test->table);
	n = SPI_processed;
	old = MemoryContextSwitchTo(context);
	*values = palloc(sizeof(Datum) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[i],
										  SPI_tuptable->tupdesc, 1, &isnull);

		Assert(!isnull);
		(*values)[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	}
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
	return n;
}

/* Plan a query that was prepared.  Returns the index it reads, if any. */
static Oid
planned_index(SPIPlanPtr plan)
{
	CachedPlan *cached = SPI_plan_get_cached_plan(plan);
	PlannedStmt *statement;
	Plan	   *node;
	Oid			index = InvalidOid;

	if (cached == NULL)
		elog(ERROR, "could not plan a search");
	statement = linitial_node(PlannedStmt, cached->stmt_list);
	node = statement->planTree;
	while (node->lefttree != NULL)
		node = node->lefttree;
	if (IsA(node, IndexScan))
		index = ((IndexScan *) node)->indexid;
	ReleaseCachedPlan(cached, NULL);
	return index;
}

/*
 * plan_search -- the k nearest rows, with an index of the table or none.
 *
 * Errors: OBJECT_NOT_IN_PREREQUISITE_STATE if the planner cannot use 'index'.
 */
static SPIPlanPtr
plan_search(RecallTest *test, Oid index)
{
	char	   *query = psprintf("SELECT %s %s $1 FROM ONLY %s%s ORDER BY %s %s $1 LIMIT %d",
								 test->value, test->operator, test->table,
								 test->where, test->value, test->operator,
								 test->k);
	SPIPlanPtr	plan = SPI_prepare_cursor(query, 1, &test->type,
										  CURSOR_OPT_GENERIC_PLAN);

	if (plan == NULL)
		elog(ERROR, "could not plan a search of table %s", test->table);
	usable_index = index;
	(void) set_config_option("enable_seqscan",
							 OidIsValid(index) ? "off" : "on",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	if (planned_index(plan) != index)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("index \"%s\" cannot be used by queries",
						RelationGetRelationName(test->reader.index))));
	return plan;
}

/* Memory of the distances: the current context's. */
static void
run_search(RecallTest *test, SPIPlanPtr plan, Oid index, Datum value,
		   RecallAnswer *answer)
{
	instr_time	start;
	instr_time	elapsed;

	/* in case the plan is made again */
	usable_index = index;
	INSTR_TIME_SET_CURRENT(start);
	if (SPI_execute_plan(plan, &value, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not search table %s", test->table);
	INSTR_TIME_SET_CURRENT(elapsed);
	INSTR_TIME_SUBTRACT(elapsed, start);

	answer->elapsed_ms = INSTR_TIME_GET_MILLISEC(elapsed);
	answer->distance = palloc(sizeof(double) * Max(SPI_processed, 1));
	answer->n = 0;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		distance = SPI_getbinval(SPI_tuptable->vals[i],
											 SPI_tuptable->tupdesc, 1,
											 &isnull);

		/* nulls and, under cosine, zero vectors are not in an index */
		if (!isnull && !isnan(DatumGetFloat8(distance)))
			answer->distance[answer->n++] = DatumGetFloat8(distance);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* ---- the figures ---- */

/*
 * recall -- the share of the exact answer that the index has found.
 *
 * Whatever is as near as the last row of the exact answer could be in it.
 */
static double
recall(const RecallAnswer *found, const RecallAnswer *exact)
{
	int			hits = 0;

	for (int i = 0; i < found->n; i++)
		hits += found->distance[i] <= exact->distance[exact->n - 1];
	return (double) Min(hits, exact->n) / exact->n;
}

static int
compare_recalls(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
put_figures(Tuplestorestate *rows, TupleDesc desc, double *recalls, int n,
			double index_ms, double exact_ms)
{
	Datum		values[5] = {0};
	bool		nulls[5] = {true, true, true, true, true};
	double		sum = 0;

	if (n > 0)
	{
		qsort(recalls, n, sizeof(double), compare_recalls);
		for (int i = 0; i < n; i++)
			sum += recalls[i];
		memset(nulls, 0, sizeof(nulls));
		values[0] = Float8GetDatum(sum / n);
		/* at least 5 % of the samples are no better */
		values[1] = Float8GetDatum(recalls[(n + 19) / 20 - 1]);
		values[2] = Float8GetDatum(recalls[0]);
		values[3] = Float8GetDatum(index_ms / n);
		values[4] = Float8GetDatum(exact_ms / n);
	}
	tuplestore_putvalues(rows, desc, values, nulls);
}

/* Search for each sample both ways, and put one row of figures. */
static void
measure(RecallTest *test, MemoryContext context, Tuplestorestate *rows,
		TupleDesc desc)
{
	Oid			index = RelationGetRelid(test->reader.index);
	Datum	   *values;
	int			nvalues = sample_values(test, context, &values);
	SPIPlanPtr	exact_plan = plan_search(test, InvalidOid);
	SPIPlanPtr	index_plan = plan_search(test, index);
	double	   *recalls = MemoryContextAlloc(context,
											 sizeof(double) * Max(nvalues, 1));
	double		index_ms = 0;
	double		exact_ms = 0;
	int			n = 0;

	for (int i = 0; i < nvalues; i++)
	{
		RecallAnswer found;
		RecallAnswer exact;

		CHECK_FOR_INTERRUPTS();
		run_search(test, exact_plan, InvalidOid, values[i], &exact);
		run_search(test, index_plan, index, values[i], &found);
		if (exact.n > 0)
		{
			recalls[n++] = recall(&found, &exact);
			index_ms += found.elapsed_ms;
			exact_ms += exact.elapsed_ms;
		}
		pfree(found.distance);
		pfree(exact.distance);
	}
	put_figures(rows, desc, recalls, n, index_ms, exact_ms);
}

/* ---- the function ---- */

static void
check_at_least_one(const char *name, int value)
{
	if (value < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be at least 1", name)));
}

static void
set_ef_search(Relation index, int ef_search)
{
	if (ef_search == 0)
		return;
	if (index->rd_indam->amoptions != hnswoptions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ef_search does not apply to index \"%s\"",
						RelationGetRelationName(index))));
	(void) set_config_option("hnsw.ef_search", psprintf("%d", ef_search),
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
}

/*
 * Row security that does not concern the caller may still concern the owner,
 * as whom the queries run.
 */
static void
check_owner_sees_all(Relation heap)
{
	if (check_enable_rls(RelationGetRelid(heap), heap->rd_rel->relowner,
						 true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("query would be affected by row-level security policy for table \"%s\"",
						RelationGetRelationName(heap))));
}

SQL_FUNCTION(vector_recall);
Datum
vector_recall(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	RecallTest	test;
	TupleDesc	desc;
	Tuplestorestate *rows = set_result_begin(fcinfo, &desc);
	const Oid	outer_table = tested_table;
	const Oid	outer_index = usable_index;

	test.k = PG_GETARG_INT32(1);
	test.samples = PG_GETARG_INT32(2);
	check_at_least_one("k", test.k);
	check_at_least_one("samples", test.samples);

	index_reader_open(&test.reader, PG_GETARG_OID(0));
	check_owner_sees_all(test.reader.heap);
	set_ef_search(test.reader.index, PG_GETARG_INT32(3));
	(void) set_config_option("enable_indexscan", "on", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	describe_test(&test);

	install_hook();
	SPI_connect();
	PG_TRY();
	{
		tested_table = RelationGetRelid(test.reader.heap);
		usable_index = InvalidOid;
		measure(&test, context, rows, desc);
	}
	PG_FINALLY();
	{
		tested_table = outer_table;
		usable_index = outer_index;
	}
	PG_END_TRY();
	SPI_finish();

	index_reader_close(&test.reader);
	return (Datum) 0;
}
