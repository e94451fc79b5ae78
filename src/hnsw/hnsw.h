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
 * hnsw_scan_spent -- what a scan has cost since its last rescan.  For whoever
 * may have a cheaper way to go on.
 */
typedef struct HnswScanSpent
{
	int64		hops;			/* nodes read */
	double		memory;			/* of the walk, as a share of what it may use */
} HnswScanSpent;

extern void hnsw_scan_spent(IndexScanDesc scan, HnswScanSpent *out);

/*
 * hnswsweep.c: the rows of a set by distance, without a walk.
 *
 * hnsw_sweep_begin -- look at all nodes' flat records and keep those whose
 * first heap TID 'member' accepts, or that have further heap TIDs.  value: the
 * detoasted query.  Memory in the current context, 8 bytes a member.  Returns NULL if the index
 * cannot do it: without codes, or nothing to order by.
 *
 * hnsw_sweep_next -- the next node: its heap TIDs (to be tested again, one by
 * one) and a lower bound of their distance in the operator's units.  Nodes
 * come by that bound, as far as estimates can tell.  False at the end.
 */
typedef struct HnswSweep HnswSweep;
typedef bool (*HnswSweepMember) (void *arg, ItemPointer tid);

typedef struct HnswSweepRow
{
	double		bound;
	ItemPointerData *tids;		/* start with zeros; reused by the next call */
	int			ntids;
	int			maxtids;
} HnswSweepRow;

extern HnswSweep *hnsw_sweep_begin(Relation index, const void *value,
								   HnswSweepMember member, void *arg);
extern bool hnsw_sweep_next(HnswSweep *sweep, HnswSweepRow *row);

/*
 * hnswrange.c: all nodes by their own forms, in the order of the pages.
 *
 * hnsw_range_begin -- value: the detoasted query, of the dimensions of the
 * index or the operator's ERROR.  Memory in the current context.
 *
 * hnsw_range_next -- the next node that 'wanted' accepts by its lower bound: as
 * hnsw_sweep_next.  Every row that a snapshot taken before hnsw_range_begin
 * can see, and that is in the index, belongs to one of the nodes.
 *
 * hnsw_range_share -- for the planner: the share of nodes that 'wanted' accepts,
 * from a sample of them, above 0 and below 1; -1 if the value has other
 * dimensions.
 */
typedef struct HnswRange HnswRange;
typedef bool (*HnswRangeWanted) (void *arg, double bound);

extern HnswRange *hnsw_range_begin(Relation index, const void *value,
								   HnswRangeWanted wanted, void *arg);
extern bool hnsw_range_next(HnswRange *range, HnswSweepRow *row);
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
