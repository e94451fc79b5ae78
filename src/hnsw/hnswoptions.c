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
#include "commands/defrem.h"
#include "commands/progress.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "hnsw/ivfflat.h"
#include "miscadmin.h"
#include "type/metric.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* what rd_options of an hnsw index points to */
typedef struct HnswOptions
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	int			m;
	int			ef_construction;

	/* these are HNSW_UNSET unless given */
	int			ef_search;
	int			iterative_scan;
	int			max_scan_tuples;
} HnswOptions;

static int	hnsw_ef_search;
static int	hnsw_iterative_scan;
static int	hnsw_max_scan_tuples;
static double hnsw_scan_mem_multiplier;

static bool ef_search_is_set = false;
static bool iterative_scan_is_set = false;
static bool max_scan_tuples_is_set = false;

static relopt_kind hnsw_relopt_kind;

static const struct config_enum_entry iterative_scan_settings[] = {
	{"off", HNSW_ITERATIVE_OFF, false},
	{"relaxed_order", HNSW_ITERATIVE_RELAXED, false},
	{"strict_order", HNSW_ITERATIVE_STRICT, false},
	{"auto", HNSW_ITERATIVE_AUTO, false},
	{NULL, 0, false}
};

static relopt_enum_elt_def iterative_scan_options[] = {
	{"off", HNSW_ITERATIVE_OFF},
	{"relaxed_order", HNSW_ITERATIVE_RELAXED},
	{"strict_order", HNSW_ITERATIVE_STRICT},
	{"auto", HNSW_ITERATIVE_AUTO},
	{NULL, 0}
};

/* ---- was a setting set by anyone? ---- */

bool
hnsw_check_setting(int *newval, void **extra, GucSource source)
{
	bool	   *is_set = compat_guc_malloc(sizeof(bool));

	if (is_set == NULL)
		return false;
	*is_set = source > PGC_S_DEFAULT;
	*extra = is_set;
	return true;
}

bool
hnsw_setting_is_set(const void *extra)
{
	return extra != NULL && *(const bool *) extra;
}

static void
assign_ef_search(int newval, void *extra)
{
	ef_search_is_set = hnsw_setting_is_set(extra);
}

static void
assign_iterative_scan(int newval, void *extra)
{
	iterative_scan_is_set = hnsw_setting_is_set(extra);
}

static void
assign_max_scan_tuples(int newval, void *extra)
{
	max_scan_tuples_is_set = hnsw_setting_is_set(extra);
}

/* ---- what a scan goes by ---- */

/* The options of an index of hnsw; NULL if it has none, or is of ivfflat. */
static const HnswOptions *
own_options(Relation index)
{
	return index->rd_indam->amoptions == hnswoptions ?
		(const HnswOptions *) index->rd_options : NULL;
}

int
hnsw_setting_or_option(int setting, bool is_set, int option)
{
	return is_set || option == HNSW_UNSET ? setting : option;
}

static void
own_scan_settings(const HnswOptions *options, HnswScanSettings *out)
{
	int			ef = options ? options->ef_search : HNSW_UNSET;
	int			mode = options ? options->iterative_scan : HNSW_UNSET;
	int			max_nodes = options ? options->max_scan_tuples : HNSW_UNSET;
	bool		limited = max_scan_tuples_is_set || max_nodes != HNSW_UNSET;

	out->ef = hnsw_setting_or_option(hnsw_ef_search, ef_search_is_set, ef);
	out->mode = hnsw_setting_or_option(hnsw_iterative_scan,
									   iterative_scan_is_set, mode);
	out->max_nodes = hnsw_setting_or_option(hnsw_max_scan_tuples,
											max_scan_tuples_is_set, max_nodes);
	if (out->mode == HNSW_ITERATIVE_OFF ||
		(out->mode == HNSW_ITERATIVE_AUTO && !limited))
		out->max_nodes = PG_INT64_MAX;
	out->max_memory = (Size) Min(work_mem * 1024.0 * hnsw_scan_mem_multiplier,
								 (double) MaxAllocHugeSize);
}

void
hnsw_scan_settings(Relation index, HnswScanSettings *out)
{
	if (index->rd_indam->amoptions == ivfflatoptions)
		ivfflat_scan_settings(index, out);
	else
		own_scan_settings(own_options(index), out);
}

/* ---- definitions ---- */

static void
init_reloptions(void)
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
	add_int_reloption(hnsw_relopt_kind, "ef_search",
					  "Value for this index where hnsw.ef_search is not set",
					  HNSW_UNSET, HNSW_MIN_EF_SEARCH, HNSW_MAX_EF_SEARCH,
					  ShareUpdateExclusiveLock);
	add_enum_reloption(hnsw_relopt_kind, "iterative_scan",
					   "Value for this index where hnsw.iterative_scan is not set",
					   iterative_scan_options, HNSW_UNSET,
					   "Valid values are \"off\", \"relaxed_order\", \"strict_order\" and \"auto\".",
					   ShareUpdateExclusiveLock);
	add_int_reloption(hnsw_relopt_kind, "max_scan_tuples",
					  "Value for this index where hnsw.max_scan_tuples is not set",
					  HNSW_UNSET, 1, INT_MAX, ShareUpdateExclusiveLock);
}

void
hnsw_init_options(void)
{
	init_reloptions();
	DefineCustomIntVariable("hnsw.ef_search",
							"Sets how far ahead a search looks.",
							"Larger values find more of the nearest rows and take longer.",
							&hnsw_ef_search, HNSW_DEFAULT_EF_SEARCH,
							HNSW_MIN_EF_SEARCH, HNSW_MAX_EF_SEARCH,
							PGC_USERSET, 0,
							hnsw_check_setting, assign_ef_search, NULL);
	DefineCustomEnumVariable("hnsw.iterative_scan",
							 "Sets what a scan does after its first batch of rows.",
							 NULL,
							 &hnsw_iterative_scan, HNSW_ITERATIVE_AUTO,
							 iterative_scan_settings,
							 PGC_USERSET, 0,
							 hnsw_check_setting, assign_iterative_scan, NULL);
	DefineCustomIntVariable("hnsw.max_scan_tuples",
							"Sets the number of tuples that a scan visits at most.",
							"The first batch is not limited.  In mode auto there is no limit unless this is set.",
							&hnsw_max_scan_tuples, 20000, 1, INT_MAX,
							PGC_USERSET, 0,
							hnsw_check_setting, assign_max_scan_tuples, NULL);
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
		{.optname = "ef_search", .opttype = RELOPT_TYPE_INT,
		.offset = offsetof(HnswOptions, ef_search)},
		{.optname = "iterative_scan", .opttype = RELOPT_TYPE_ENUM,
		.offset = offsetof(HnswOptions, iterative_scan)},
		{.optname = "max_scan_tuples", .opttype = RELOPT_TYPE_INT,
		.offset = offsetof(HnswOptions, max_scan_tuples)},
	};

	return (bytea *) build_reloptions(reloptions, validate, hnsw_relopt_kind,
									  sizeof(HnswOptions), table,
									  lengthof(table));
}

int
hnsw_option_m(Relation index)
{
	const HnswOptions *options = own_options(index);

	return options != NULL ? options->m : HNSW_DEFAULT_M;
}

int
hnsw_option_ef_construction(Relation index)
{
	const HnswOptions *options = own_options(index);

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
		case HNSW_PHASE_LINK:
			return "linking tuples";
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
complain(Form_pg_opclass class, const char *problem)
{
	ereport(INFO,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("operator class \"%s\" of access method %s %s",
					NameStr(class->opcname), get_am_name(class->opcmethod),
					problem)));
	return false;
}

/* The only operators are distances, ordering by float8. */
static bool
validate_operators(Form_pg_opclass class)
{
	CatCList   *list = SearchSysCacheList1(AMOPSTRATEGY,
										   ObjectIdGetDatum(class->opcfamily));
	bool		result = true;
	bool		found = false;

	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_amop op = (Form_pg_amop) GETSTRUCT(&list->members[i]->tuple);

		if (op->amopstrategy != 1)
			result = complain(class, "contains an operator with an unknown strategy number");
		if (op->amoppurpose != AMOP_ORDER ||
			!opfamily_can_sort_type(op->amopsortfamily, FLOAT8OID))
			result = complain(class, "contains an operator that does not order by double precision");
		if (op->amoplefttype != op->amoprighttype)
			result = complain(class, "contains an operator with two argument types");
		found |= op->amoplefttype == class->opcintype;
	}
	if (!found)
		result = complain(class, "has no distance operator");
	ReleaseCatCacheList(list);
	return result;
}

/*
 * Has each support function the signature that its number asks for?
 *
 * They are called with two values, one value, or pgvector's way to ask what a
 * type can do, whatever SQL types they are declared for.
 */
static bool
validate_signatures(Form_pg_opclass class, const HnswProcKind *kinds,
					int nprocs)
{
	CatCList   *list = SearchSysCacheList1(AMPROCNUM,
										   ObjectIdGetDatum(class->opcfamily));
	bool		result = true;

	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_amproc proc = (Form_pg_amproc) GETSTRUCT(&list->members[i]->tuple);
		Oid			type = proc->amproclefttype;
		bool		ok = false;

		if (type != proc->amprocrighttype)
			result = complain(class, "contains a support function for two types");
		if (proc->amprocnum < 1 || proc->amprocnum > nprocs)
		{
			result = complain(class, "contains a support function with an unknown number");
			continue;
		}
		switch (kinds[proc->amprocnum - 1])
		{
			case HNSW_PROC_DISTANCE:
				ok = check_amproc_signature(proc->amproc, FLOAT8OID, true,
											2, 2, type, type);
				break;
			case HNSW_PROC_NORM:
				ok = check_amproc_signature(proc->amproc, FLOAT8OID, true,
											1, 1, type);
				break;
			case HNSW_PROC_TYPE:
				ok = check_amproc_signature(proc->amproc, INTERNALOID, true,
											1, 1, INTERNALOID);
				break;
		}
		if (!ok)
			result = complain(class, psprintf("contains support function %d with a wrong signature",
											  proc->amprocnum));
	}
	ReleaseCatCacheList(list);
	return result;
}

/* Support function 1 must be a distance that we know. */
static bool
validate_distance(Form_pg_opclass class)
{
	Oid			family = class->opcfamily;
	Oid			type = class->opcintype;
	Oid			distance = get_opfamily_proc(family, type, type,
											 HNSW_DISTANCE_PROC);
	Oid			norm = get_opfamily_proc(family, type, type, HNSW_NORM_PROC);
	FmgrInfo	info;

	if (!OidIsValid(distance))
		return complain(class, "is missing support function 1");
	fmgr_info(distance, &info);
	if (vector_metric_lookup(info.fn_addr, OidIsValid(norm)) == NULL)
		return complain(class, "contains an unknown distance as support function 1");
	return true;
}

bool
hnsw_validate_class(Oid opclassoid, const HnswProcKind *kinds, int nprocs)
{
	HeapTuple	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclassoid));
	Form_pg_opclass class;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclassoid);
	class = (Form_pg_opclass) GETSTRUCT(tuple);

	/* a function of a wrong signature is hardly a distance: one complaint */
	result = validate_signatures(class, kinds, nprocs) &&
		validate_distance(class);
	if (!validate_operators(class))
		result = false;
	ReleaseSysCache(tuple);
	return result;
}

bool
hnswvalidate(Oid opclassoid)
{
	static const HnswProcKind kinds[HNSW_NPROCS] = {
		[HNSW_DISTANCE_PROC - 1] = HNSW_PROC_DISTANCE,
		[HNSW_NORM_PROC - 1] = HNSW_PROC_NORM,
		[HNSW_TYPE_PROC - 1] = HNSW_PROC_TYPE,
	};

	return hnsw_validate_class(opclassoid, kinds, lengthof(kinds));
}
