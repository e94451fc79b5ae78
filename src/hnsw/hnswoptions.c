/*-------------------------------------------------------------------------
 *
 * hnswoptions.c
 *	  Reloptions, settings, validation of operator classes, properties and
 *	  names of build phases.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswoptions.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <limits.h>

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "commands/progress.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "miscadmin.h"
#include "type/metric.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

int			hnsw_ef_search;
int			hnsw_iterative_scan;
int			hnsw_max_scan_tuples;
double		hnsw_scan_mem_multiplier;

/* was hnsw.max_scan_tuples set by anyone? */
static bool max_scan_tuples_is_set = false;

static relopt_kind hnsw_relopt_kind;

static const struct config_enum_entry iterative_scan_options[] = {
	{"off", HNSW_ITERATIVE_OFF, false},
	{"relaxed_order", HNSW_ITERATIVE_RELAXED, false},
	{"strict_order", HNSW_ITERATIVE_STRICT, false},
	{"auto", HNSW_ITERATIVE_AUTO, false},
	{NULL, 0, false}
};

/*
 * The check hook sees where a value comes from, the assign hook runs when it
 * takes effect: the one hands the answer to the other.
 */
static bool
check_max_scan_tuples(int *newval, void **extra, GucSource source)
{
	bool	   *is_set = compat_guc_malloc(sizeof(bool));

	if (is_set == NULL)
		return false;
	*is_set = source > PGC_S_DEFAULT;
	*extra = is_set;
	return true;
}

static void
assign_max_scan_tuples(int newval, void *extra)
{
	max_scan_tuples_is_set = extra != NULL && *(bool *) extra;
}

void
hnsw_scan_settings(Relation index, HnswScanSettings *out)
{
	out->mode = hnsw_iterative_scan;
	out->ef = hnsw_ef_search;
	out->max_nodes = hnsw_max_scan_tuples;
	if (out->mode == HNSW_ITERATIVE_OFF ||
		(out->mode == HNSW_ITERATIVE_AUTO && !max_scan_tuples_is_set))
		out->max_nodes = PG_INT64_MAX;
	out->max_memory = (Size) Min(work_mem * 1024.0 * hnsw_scan_mem_multiplier,
								 (double) MaxAllocHugeSize);
}

void
hnsw_init_options(void)
{
	hnsw_relopt_kind = add_reloption_kind();
	add_int_reloption(hnsw_relopt_kind, "m",
					  "Number of neighbors of a node",
					  HNSW_DEFAULT_M, HNSW_MIN_M, HNSW_MAX_M,
					  AccessExclusiveLock);
	add_int_reloption(hnsw_relopt_kind, "ef_construction",
					  "Size of the candidate pool for construction",
					  HNSW_DEFAULT_EF_CONSTRUCTION,
					  HNSW_MIN_EF_CONSTRUCTION, HNSW_MAX_EF_CONSTRUCTION,
					  AccessExclusiveLock);

	DefineCustomIntVariable("hnsw.ef_search",
							"Sets how far ahead a search looks.",
							"Larger values find more of the nearest rows and take longer.",
							&hnsw_ef_search, HNSW_DEFAULT_EF_SEARCH,
							HNSW_MIN_EF_SEARCH, HNSW_MAX_EF_SEARCH,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("hnsw.iterative_scan",
							 "Sets what a scan does after its first batch of rows.",
							 NULL,
							 &hnsw_iterative_scan, HNSW_ITERATIVE_AUTO,
							 iterative_scan_options,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("hnsw.max_scan_tuples",
							"Sets the number of tuples that a scan visits at most.",
							"The first batch is not limited.  In mode auto there is no limit unless this is set.",
							&hnsw_max_scan_tuples, 20000, 1, INT_MAX,
							PGC_USERSET, 0,
							check_max_scan_tuples, assign_max_scan_tuples,
							NULL);
	DefineCustomRealVariable("hnsw.scan_mem_multiplier",
							 "Sets the memory of a scan as a multiple of work_mem.",
							 NULL,
							 &hnsw_scan_mem_multiplier, 1, 1, 1000,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("hnsw");
}

/* ---- reloptions ---- */

bytea *
hnswoptions(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{.optname = "m", .opttype = RELOPT_TYPE_INT,
		.offset = offsetof(HnswOptions, m)},
		{.optname = "ef_construction", .opttype = RELOPT_TYPE_INT,
		.offset = offsetof(HnswOptions, ef_construction)},
	};

	return (bytea *) build_reloptions(reloptions, validate, hnsw_relopt_kind,
									  sizeof(HnswOptions), table,
									  lengthof(table));
}

int
hnsw_option_m(Relation index)
{
	HnswOptions *options = (HnswOptions *) index->rd_options;

	return options != NULL ? options->m : HNSW_DEFAULT_M;
}

int
hnsw_option_ef_construction(Relation index)
{
	HnswOptions *options = (HnswOptions *) index->rd_options;

	return options != NULL ?
		options->ef_construction : HNSW_DEFAULT_EF_CONSTRUCTION;
}

char *
hnswbuildphasename(int64 phasenum)
{
	switch (phasenum)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case HNSW_PHASE_LOAD:
			return "loading tuples";
		case HNSW_PHASE_REPAIR:
			return "linking unreachable tuples";
		case HNSW_PHASE_WRITE:
			return "writing pages";
		case HNSW_PHASE_LOG:
			return "writing WAL";
		default:
			return NULL;
	}
}

/* ---- properties ---- */

bool
hnswproperty(Oid index_oid, int attno, IndexAMProperty prop,
			 const char *propname, bool *res, bool *isnull)
{
	if (prop != AMPROP_DISTANCE_ORDERABLE || attno == 0)
		return false;

	/* every operator of our classes is a distance */
	*res = true;
	return true;
}

/* ---- operator classes ---- */

/* one row per problem; the caller goes on to find them all */
static bool
complain(const char *opclass, const char *problem)
{
	ereport(INFO,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("operator class \"%s\" of access method hnsw %s",
					opclass, problem)));
	return false;
}

/* The only operators are distances, ordering by float8. */
static bool
validate_operators(const char *opclass, Oid family, Oid type)
{
	CatCList   *list = SearchSysCacheList1(AMOPSTRATEGY,
										   ObjectIdGetDatum(family));
	bool		result = true;
	bool		found = false;

	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_amop op = (Form_pg_amop) GETSTRUCT(&list->members[i]->tuple);

		if (op->amopstrategy != 1)
			result = complain(opclass, "contains an operator with an unknown strategy number");
		if (op->amoppurpose != AMOP_ORDER ||
			!opfamily_can_sort_type(op->amopsortfamily, FLOAT8OID))
			result = complain(opclass, "contains an operator that does not order by double precision");
		if (op->amoplefttype != op->amoprighttype)
			result = complain(opclass, "contains an operator with two argument types");
		found |= op->amoplefttype == type;
	}
	if (!found)
		result = complain(opclass, "has no distance operator");
	ReleaseCatCacheList(list);
	return result;
}

/* Support function 1 must be a distance that we know. */
static bool
validate_functions(const char *opclass, Oid family, Oid type)
{
	Oid			distance = get_opfamily_proc(family, type, type,
											 HNSW_DISTANCE_PROC);
	Oid			norm = get_opfamily_proc(family, type, type, HNSW_NORM_PROC);
	FmgrInfo	info;

	if (!OidIsValid(distance))
		return complain(opclass, "is missing support function 1");
	if (!check_amproc_signature(distance, FLOAT8OID, true, 2, 2, type, type))
		return complain(opclass, "contains support function 1 with a wrong signature");
	fmgr_info(distance, &info);
	if (vector_metric_lookup(info.fn_addr, OidIsValid(norm)) == NULL)
		return complain(opclass, "contains an unknown distance as support function 1");
	if (OidIsValid(norm) &&
		!check_amproc_signature(norm, FLOAT8OID, true, 1, 1, type))
		return complain(opclass, "contains support function 2 with a wrong signature");
	return true;
}

bool
hnswvalidate(Oid opclassoid)
{
	HeapTuple	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclassoid));
	Form_pg_opclass class;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclassoid);
	class = (Form_pg_opclass) GETSTRUCT(tuple);

	result = validate_functions(NameStr(class->opcname), class->opcfamily,
								class->opcintype);
	if (!validate_operators(NameStr(class->opcname), class->opcfamily,
							class->opcintype))
		result = false;
	ReleaseSysCache(tuple);
	return result;
}
