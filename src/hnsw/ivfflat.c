/*-------------------------------------------------------------------------
 *
 * ivfflat.c
 *	  The access method ivfflat: the graph of hnsw under another name.
 *
 * Pages, build, insert, scan, vacuum and cost are those of hnsw, with its
 * default m and ef_construction.  There are no lists.  What a user of lists
 * expects of them is kept by reading "p of l lists" as a width and a share:
 *
 *	probes			the width of the search; all lists mean every node, and so
 *					the exact answer
 *	off				a scan ends after as many rows as 'probes' lists would
 *					hold, and not before the width
 *	max_probes		the same end for the other modes, if anybody has set it
 *
 * Rows leave in order in every mode, with those that come too late last; an
 * order that may be relaxed can also be kept.
 *
 * IDENTIFICATION
 *	  src/hnsw/ivfflat.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/reloptions.h"
#include "compat.h"
#include "hnsw/hnsw.h"
#include "hnsw/ivfflat.h"
#include "miscadmin.h"
#include "type/sqlfunction.h"
#include "utils/guc.h"
#include "utils/memutils.h"

SQL_FUNCTION(ivfflathandler);
SQL_FUNCTION(ivfflat_halfvec_support);
SQL_FUNCTION(ivfflat_bit_support);

/* what rd_options of an ivfflat index points to */
typedef struct IvfflatOptions
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	int			lists;
	int			probes;			/* HNSW_UNSET unless given */
} IvfflatOptions;

static int	ivfflat_probes;
static int	ivfflat_iterative_scan;
static int	ivfflat_max_probes;

static bool probes_is_set = false;
static bool max_probes_is_set = false;

static relopt_kind ivfflat_relopt_kind;

static const struct config_enum_entry iterative_scan_settings[] = {
	{"off", HNSW_ITERATIVE_OFF, false},
	{"relaxed_order", HNSW_ITERATIVE_RELAXED, false},
	{"auto", HNSW_ITERATIVE_AUTO, false},
	{NULL, 0, false}
};

static void
assign_probes(int newval, void *extra)
{
	probes_is_set = hnsw_setting_is_set(extra);
}

static void
assign_max_probes(int newval, void *extra)
{
	max_probes_is_set = hnsw_setting_is_set(extra);
}

/* ---- what a scan goes by ---- */

/*
 * The width for 'probes' of 'lists'.  One list is worth hnsw's default, since
 * most applications never set probes; the root keeps 32767 lists within the
 * range of hnsw.ef_search.
 */
static int
width(int probes, int lists)
{
	if (probes >= lists)
		return PG_INT32_MAX;
	return (int) (HNSW_DEFAULT_EF_SEARCH * sqrt(probes));
}

/* The rows that so many lists would hold, if each held as many. */
static int64
share(Relation index, int probes, int lists, int ef)
{
	double		tuples = Max(index->rd_rel->reltuples, 0);

	if (probes >= lists)
		return PG_INT64_MAX;
	return (int64) Max(ceil(tuples * probes / lists), ef);
}

void
ivfflat_scan_settings(Relation index, HnswScanSettings *out)
{
	const IvfflatOptions *options = (const IvfflatOptions *) index->rd_options;
	int			lists = options ? options->lists : IVFFLAT_DEFAULT_LISTS;
	int			probes = hnsw_setting_or_option(ivfflat_probes, probes_is_set,
												options ? options->probes :
												HNSW_UNSET);

	out->mode = HNSW_ITERATIVE_AUTO;
	out->ef = width(probes, lists);
	out->max_nodes = PG_INT64_MAX;
	if (ivfflat_iterative_scan == HNSW_ITERATIVE_OFF)
		out->max_nodes = share(index, probes, lists, out->ef);
	else if (max_probes_is_set)
		out->max_nodes = share(index, Max(ivfflat_max_probes, probes), lists,
							   out->ef);
	out->max_memory = work_mem * (Size) 1024;
}

/* ---- definitions ---- */

void
ivfflat_init_options(void)
{
	ivfflat_relopt_kind = add_reloption_kind();
	add_int_reloption(ivfflat_relopt_kind, "lists",
					  "Number of lists of which a scan visits a part",
					  IVFFLAT_DEFAULT_LISTS,
					  IVFFLAT_MIN_LISTS, IVFFLAT_MAX_LISTS,
					  AccessExclusiveLock);
	add_int_reloption(ivfflat_relopt_kind, "probes",
					  "Value for this index where ivfflat.probes is not set",
					  HNSW_UNSET, IVFFLAT_MIN_LISTS, IVFFLAT_MAX_LISTS,
					  ShareUpdateExclusiveLock);

	DefineCustomIntVariable("ivfflat.probes",
							"Sets the number of lists that a scan visits.",
							"Larger values find more of the nearest rows and take longer; with as many as the index has lists, the answer is exact.",
							&ivfflat_probes, IVFFLAT_DEFAULT_PROBES,
							IVFFLAT_MIN_LISTS, IVFFLAT_MAX_LISTS,
							PGC_USERSET, 0,
							hnsw_check_setting, assign_probes, NULL);
	DefineCustomEnumVariable("ivfflat.iterative_scan",
							 "Sets what a scan does after the lists of ivfflat.probes.",
							 NULL,
							 &ivfflat_iterative_scan, HNSW_ITERATIVE_AUTO,
							 iterative_scan_settings,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ivfflat.max_probes",
							"Sets the number of lists that a scan visits at most.",
							"There is no limit unless this is set; less than ivfflat.probes is ignored.",
							&ivfflat_max_probes, IVFFLAT_MAX_LISTS,
							IVFFLAT_MIN_LISTS, IVFFLAT_MAX_LISTS,
							PGC_USERSET, 0,
							hnsw_check_setting, assign_max_probes, NULL);
	MarkGUCPrefixReserved("ivfflat");
}

bytea *
ivfflatoptions(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{.optname = "lists", .opttype = RELOPT_TYPE_INT,
		.offset = offsetof(IvfflatOptions, lists)},
		{.optname = "probes", .opttype = RELOPT_TYPE_INT,
		.offset = offsetof(IvfflatOptions, probes)},
	};

	return (bytea *) build_reloptions(reloptions, validate,
									  ivfflat_relopt_kind,
									  sizeof(IvfflatOptions), table,
									  lengthof(table));
}

/* amvalidate */
static bool
ivfflatvalidate(Oid opclassoid)
{
	static const HnswProcKind kinds[IVFFLAT_NPROCS] = {
		[HNSW_DISTANCE_PROC - 1] = HNSW_PROC_DISTANCE,
		[HNSW_NORM_PROC - 1] = HNSW_PROC_NORM,
		[IVFFLAT_KMEANS_DISTANCE_PROC - 1] = HNSW_PROC_DISTANCE,
		[IVFFLAT_KMEANS_NORM_PROC - 1] = HNSW_PROC_NORM,
		[IVFFLAT_TYPE_PROC - 1] = HNSW_PROC_TYPE,
	};

	return hnsw_validate_class(opclassoid, kinds, lengthof(kinds));
}

/* ---- what the catalog names ---- */

Datum
ivfflathandler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *am = (IndexAmRoutine *) DatumGetPointer(hnswhandler(fcinfo));

	am->amsupport = IVFFLAT_NPROCS;
	am->amoptions = ivfflatoptions;
	am->amvalidate = ivfflatvalidate;
	PG_RETURN_POINTER(am);
}

/*
 * Support function 5 of pgvector's operator classes for types other than
 * vector.  The metric has all that an index needs, so these say nothing.
 */

Datum
ivfflat_halfvec_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}

Datum
ivfflat_bit_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}
