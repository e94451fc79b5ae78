/*-------------------------------------------------------------------------
 *
 * hnsw.h
 *	  Names, limits and settings of the hnsw access method.
 *
 * Nothing about pages, codes or graphs: see hnswpage.h, hnswspace.h,
 * hnswgraph.h.  The rules cited as L1, W3, V5 ... are in README.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnsw.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSW_H
#define HNSW_H

#include "postgres.h"
#include "access/amapi.h"
#include "access/genam.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "utils/guc.h"
#include "utils/rel.h"

/* support functions of an operator class; 3 is pgvector's type support */
#define HNSW_DISTANCE_PROC		1
#define HNSW_NORM_PROC			2
#define HNSW_TYPE_PROC			3
#define HNSW_NPROCS				3

/* what a support function gets and returns, for validation */
typedef enum HnswProcKind
{
	HNSW_PROC_DISTANCE,			/* two values -> float8 */
	HNSW_PROC_NORM,				/* a value -> float8 */
	HNSW_PROC_TYPE				/* internal -> internal */
} HnswProcKind;

/* reloptions: sql-surface.md, 8 */
#define HNSW_DEFAULT_M				16
#define HNSW_MIN_M					2
#define HNSW_MAX_M					100
#define HNSW_DEFAULT_EF_CONSTRUCTION	64
#define HNSW_MIN_EF_CONSTRUCTION	4
#define HNSW_MAX_EF_CONSTRUCTION	1000

/* settings: sql-surface.md, 9 */
#define HNSW_DEFAULT_EF_SEARCH		40
#define HNSW_MIN_EF_SEARCH			1
#define HNSW_MAX_EF_SEARCH			10000

typedef enum HnswIterativeScan
{
	HNSW_ITERATIVE_OFF,
	HNSW_ITERATIVE_RELAXED,
	HNSW_ITERATIVE_STRICT,
	HNSW_ITERATIVE_AUTO
} HnswIterativeScan;

#define HNSW_UNSET					(-1)	/* an option that was not given */

/* What a scan of one index goes by: settings and options put together. */
typedef struct HnswScanSettings
{
	int			mode;			/* HnswIterativeScan */
	int			ef;				/* look-ahead; PG_INT32_MAX: read every node */
	int64		max_nodes;		/* to visit at most; PG_INT64_MAX: no limit */
	Size		max_memory;		/* bytes */
} HnswScanSettings;

/*
 * The index is of hnsw or ivfflat: which, and so whose settings and options
 * count, is known to these functions only.
 */
extern void hnsw_scan_settings(Relation index, HnswScanSettings *out);

/* m and ef_construction of an index, from its options or the defaults */
extern int	hnsw_option_m(Relation index);
extern int	hnsw_option_ef_construction(Relation index);

/* hnswoptions.c */
extern void hnsw_init_options(void);	/* reloptions and settings; _PG_init */
extern bytea *hnswoptions(Datum reloptions, bool validate);
extern bool hnswvalidate(Oid opclassoid);

/*
 * hnsw_validate_class -- amvalidate of hnsw and of ivfflat.
 *
 * kinds: of support functions 1 to nprocs.
 * Returns false, having said why at level INFO, if the class is not sound.
 */
extern bool hnsw_validate_class(Oid opclassoid, const HnswProcKind *kinds,
								int nprocs);
extern bool hnswproperty(Oid index_oid, int attno, IndexAMProperty prop,
						 const char *propname, bool *res, bool *isnull);
extern char *hnswbuildphasename(int64 phasenum);

/*
 * hnsw_check_setting -- check hook of a setting of which scans must know
 * whether anybody has set it.
 *
 * The check hook sees where a value comes from, the assign hook runs when it
 * takes effect: the one hands the answer to the other, who asks
 * hnsw_setting_is_set() for it.
 */
extern bool hnsw_check_setting(int *newval, void **extra, GucSource source);
extern bool hnsw_setting_is_set(const void *extra);

/* a setting that was set, else the option of the index, else the default */
extern int	hnsw_setting_or_option(int setting, bool is_set, int option);

/* hnswhandler.c */
extern PGDLLEXPORT Datum hnswhandler(PG_FUNCTION_ARGS);

/* hnswbuild.c */
extern IndexBuildResult *hnswbuild(Relation heap, Relation index,
								   struct IndexInfo *indexInfo);
extern void hnswbuildempty(Relation index);

/* hnswinsert.c */
extern bool hnswinsert(Relation index, Datum *values, bool *isnull,
					   ItemPointer heap_tid, Relation heap,
					   IndexUniqueCheck checkUnique, bool indexUnchanged,
					   struct IndexInfo *indexInfo);

/*
 * Does an index hold rows of this value, which is not NULL?  Not of the zero
 * vector under cosine.  Memory in the current context.
 */
extern bool hnsw_is_indexed(Relation index, Datum value);

/* hnswscan.c */
extern IndexScanDesc hnswbeginscan(Relation index, int nkeys, int norderbys);
extern void hnswrescan(IndexScanDesc scan, ScanKey keys, int nkeys,
					   ScanKey orderbys, int norderbys);
extern bool hnswgettuple(IndexScanDesc scan, ScanDirection dir);
extern void hnswendscan(IndexScanDesc scan);

/*
 * A set of rows by their heap TIDs: the one membership test of a search.  It
 * must neither allocate nor raise.
 */
typedef struct HnswMembers
{
	bool		(*has) (void *arg, ItemPointer tid);
	void	   *arg;
} HnswMembers;

/*
 * For whoever knows more about a query than its index scan does.  They last
 * until the next rescan.
 *
 * hnsw_scan_walk_on -- do not sweep because the walk has become long: the caller
 * says when.
 *
 * hnsw_scan_restrict -- return no row but those of a set, which lives as long.
 * The walk passes through the others, and they do not count for its look-ahead.
 * It ends in a sweep when it has gone on for what that costs.
 *
 * hnsw_scan_sweep -- walk no further, but sweep (hnswsweep.h), and come to the
 * end whatever the settings say.  Rows that have left are not returned again,
 * and those before them come last: a scan that has just been rescanned has
 * neither.  An index without codes can do it, but at the price of reading every
 * node.
 */
extern void hnsw_scan_walk_on(IndexScanDesc scan);
extern void hnsw_scan_restrict(IndexScanDesc scan, const HnswMembers *members);
extern void hnsw_scan_sweep(IndexScanDesc scan);

/*
 * hnsw_scan_spent -- what a scan has cost since its last rescan.
 */
typedef struct HnswScanSpent
{
	double		hops;			/* nodes read by the walk */
	double		sweep;			/* what the sweep has cost, in hops */
	double		left_out;		/* nodes outside the set that the walk has met */
	bool		swept;			/* is there a sweep? */
} HnswScanSpent;

extern void hnsw_scan_spent(IndexScanDesc scan, HnswScanSpent *out);

/*
 * hnswrange.c: all nodes by their own forms, in the order of the pages.
 *
 * hnsw_range_begin -- value: the detoasted query, of the dimensions of the
 * index or the operator's ERROR.  Memory in the current context.
 *
 * hnsw_range_next -- the heap TIDs of the next node that 'wanted' accepts by its
 * lower bound; false at the end.  Every row that a snapshot taken before
 * hnsw_range_begin can see, and that is in the index, belongs to one of the
 * nodes.
 *
 * hnsw_range_share -- for the planner: the share of nodes that 'wanted' accepts,
 * from a sample of them, above 0 and below 1; -1 if the value has other
 * dimensions.
 */
typedef struct HnswRange HnswRange;
typedef bool (*HnswRangeWanted) (void *arg, double bound);

typedef struct HnswRangeRows
{
	ItemPointerData *tids;		/* start with zeros; reused by the next call */
	int			ntids;
	int			maxtids;
} HnswRangeRows;

extern HnswRange *hnsw_range_begin(Relation index, const void *value,
								   HnswRangeWanted wanted, void *arg);
extern bool hnsw_range_next(HnswRange *range, HnswRangeRows *out);
extern double hnsw_range_share(Relation index, const void *value,
							   HnswRangeWanted wanted, void *arg,
							   int samples);

/*
 * hnswgaps.c: may a row have no vector, may a distance be NaN, may it be
 * anything (odd; such distances can be NaN as well)?  "No" holds for all rows that
 * a snapshot taken before the call can see: an insert notes such a row before
 * it commits.  query: a detoasted value; "no" for the index and "no" for the
 * query together exclude it.
 *
 * hnsw_is_readable: false for an index that pgvector has built, or a damaged
 * one, which scans would refuse.
 */
extern bool hnsw_is_readable(Relation index);
extern bool hnsw_may_lack_nulls(Relation index);
extern bool hnsw_may_have_nan(Relation index);
extern bool hnsw_may_have_odd(Relation index);
extern bool hnsw_query_may_be_nan(Relation index, const void *value);
extern bool hnsw_query_is_odd(Relation index, const void *value);

/* hnswvacuum.c */
extern IndexBulkDeleteResult *hnswbulkdelete(IndexVacuumInfo *info,
											 IndexBulkDeleteResult *stats,
											 IndexBulkDeleteCallback callback,
											 void *callback_state);
extern IndexBulkDeleteResult *hnswvacuumcleanup(IndexVacuumInfo *info,
												IndexBulkDeleteResult *stats);

/*
 * hnswcost.c.  Hops of a walk at ef_search 40, measured on the packages data:
 * 41 before any of the first twelve rows, which come together, and then 5.3 for
 * each row that leaves (5.0 to 6.5, for 50 to 1,000 rows).
 */
#define HNSW_HOPS_TO_START	41.0
#define HNSW_ROWS_AT_START	12.0
#define HNSW_HOPS_PER_ROW	5.3

/*
 * Hops that a sweep costs instead: a flat record, and a node's own form; and
 * nodes that are read for each row that leaves.
 */
#define HNSW_HOPS_PER_FLAT_RECORD	0.0065
#define HNSW_HOPS_PER_OWN_FORM		0.25
#define HNSW_FORMS_PER_ROW			4.0

/*
 * A walk is given up when it has cost that many times as much as a sweep would,
 * before its first row.  At once would be the rule of ski rental.  But the
 * hundred nearest of 60,000 rows are found for a little more than the price of
 * a sweep, and are asked for more often than a few more.
 */
#define HNSW_SWEEPS_PER_WALK		1.5

/*
 * hnsw_sweep_price -- hops that a sweep of so many nodes costs before its first
 * row: a pass over the flat records, or over the nodes if they have no codes.
 */
extern double hnsw_sweep_price(Relation index, double nodes);

/* Hops after which a scan with these settings sweeps; infinity: never. */
extern double hnsw_longest_walk(Relation index, const HnswScanSettings *set,
								double nodes);

extern void hnswcostestimate(PlannerInfo *root, IndexPath *path,
							 double loop_count, Cost *indexStartupCost,
							 Cost *indexTotalCost,
							 Selectivity *indexSelectivity,
							 double *indexCorrelation, double *indexPages);

/* build phases, after PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE (1) */
#define HNSW_PHASE_LOAD			2	/* loading tuples */
#define HNSW_PHASE_LINK			3	/* linking all nodes */
#define HNSW_PHASE_REPAIR		4	/* linking what the graph cannot reach */
#define HNSW_PHASE_WRITE		5	/* writing pages */
#define HNSW_PHASE_LOG			6	/* writing WAL */

/*
 * Test points (reliability.md, 7.0): places where a test build can crash,
 * fail, wait or dawdle.  'wait' and 'error' only where no page lock is held.
 */
#ifdef HNSW_TEST_POINTS
extern void hnsw_test_point(const char *name);
#define HNSW_POINT(name)	hnsw_test_point(name)
#else
#define HNSW_POINT(name)	((void) 0)
#endif

#endif							/* HNSW_H */
