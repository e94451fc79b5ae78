/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Differences between the PostgreSQL versions 14 to 18, in one place.
 *
 * Every test of PG_VERSION_NUM in the project is in this file; "make lint"
 * says so.  The rest of the source is written for the newest interface where
 * a macro can bring it to older servers, and otherwise asks for a feature
 * by its name (HAVE_...).  Include it after postgres.h.
 *
 * Beyond two headers that every layer may see, this file includes nothing: who
 * uses a macro includes what it stands for.
 *
 * IDENTIFICATION
 *	  src/compat.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef VECTOR_COMPAT_H
#define VECTOR_COMPAT_H

#if PG_VERSION_NUM < 140000
#error "PostgreSQL 14 or newer is needed"
#endif

/* 16 moved the varlena macros out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 15 has a random generator of its own; before, random() of libc */
#if PG_VERSION_NUM >= 150000
#include "common/pg_prng.h"
#define compat_random_double()	pg_prng_double(&pg_global_prng_state)
#else
#define compat_random_double()	((double) random() / (MAX_RANDOM_VALUE + 1.0))
#endif

/* 15 can refuse settings under our prefix that are not ours; 14 only warns */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 15 gave generation contexts three sizes */
#if PG_VERSION_NUM >= 150000
#define compat_generation_context(parent, name) \
	GenerationContextCreate(parent, name, ALLOCSET_DEFAULT_SIZES)
#else
#define compat_generation_context(parent, name) \
	GenerationContextCreate(parent, name, ALLOCSET_DEFAULT_MAXSIZE)
#endif

/* 16 extends a relation without the extension lock around a P_NEW read */
#if PG_VERSION_NUM >= 160000
#define HAVE_EXTEND_BUFFERED_REL
#endif

/* 16 hands the table to ambulkdelete */
#if PG_VERSION_NUM >= 160000
#define HAVE_VACUUM_HEAPREL
#endif

/* 16 renamed the file locator and its parts */
#if PG_VERSION_NUM >= 160000
#define compat_relation_number(rel) ((rel)->rd_locator.relNumber)
#define compat_read_recent_buffer(rel, block, buffer) \
	ReadRecentBuffer((rel)->rd_locator, MAIN_FORKNUM, block, buffer)
#else
#define compat_relation_number(rel) ((rel)->rd_node.relNode)
#define compat_read_recent_buffer(rel, block, buffer) \
	ReadRecentBuffer((rel)->rd_node, MAIN_FORKNUM, block, buffer)
#endif

/* 16 has one function for the owner of anything, 17 a privilege for it */
#if PG_VERSION_NUM >= 170000
#define compat_may_maintain(table) \
	(pg_class_aclcheck(table, GetUserId(), ACL_MAINTAIN) == ACLCHECK_OK)
#elif PG_VERSION_NUM >= 160000
#define compat_may_maintain(table) \
	object_ownercheck(RelationRelationId, table, GetUserId())
#else
#define compat_may_maintain(table) pg_class_ownercheck(table, GetUserId())
#endif

/* 17 tells kinds of backends apart by one variable */
#if PG_VERSION_NUM >= 170000
#define compat_is_autovacuum() AmAutoVacuumWorkerProcess()
#else
#define compat_is_autovacuum() IsAutoVacuumWorkerProcess()
#endif

/* 17 runs maintenance under a safe search path */
#if PG_VERSION_NUM >= 170000
#define compat_restrict_search_path() RestrictSearchPath()
#else
#define compat_restrict_search_path() ((void) 0)
#endif

/* 17 asks the access method whether it can build in parallel */
#if PG_VERSION_NUM >= 170000
#define compat_set_can_build_parallel(am) ((am)->amcanbuildparallel = true)
#else
#define compat_set_can_build_parallel(am) ((void) (am))
#endif

/* 17 has injection points; 18 gave them a second argument */
#if PG_VERSION_NUM >= 180000
#define compat_injection_point(name) INJECTION_POINT(name, NULL)
#elif PG_VERSION_NUM >= 170000
#define compat_injection_point(name) INJECTION_POINT(name)
#else
#define compat_injection_point(name) ((void) 0)
#endif

/* 18 marks functions that do not return in front of the declaration */
#if PG_VERSION_NUM < 180000
#define pg_noreturn __attribute__((noreturn))
#endif

/* 18 tells vacuum_delay_point whether this is ANALYZE */
#if PG_VERSION_NUM >= 180000
#define compat_vacuum_delay_point() vacuum_delay_point(false)
#else
#define compat_vacuum_delay_point() vacuum_delay_point()
#endif

/* 18 counts index searches for EXPLAIN ANALYZE in the scan */
#if PG_VERSION_NUM >= 180000
#define compat_count_search(scan) \
	do { \
		if ((scan)->instrument) \
			(scan)->instrument->nsearches++; \
	} while (0)
#else
#define compat_count_search(scan) ((void) (scan))
#endif

/* 16 allocates the extra value of a setting by its own allocator */
#if PG_VERSION_NUM >= 160000
#define compat_guc_malloc(size) guc_malloc(LOG, size)
#else
#define compat_guc_malloc(size) malloc(size)
#endif

/* 15 asks custom paths whether they project; before, they all did */
#if PG_VERSION_NUM >= 150000
#define COMPAT_CUSTOMPATH_PROJECTION CUSTOMPATH_SUPPORT_PROJECTION
#else
#define COMPAT_CUSTOMPATH_PROJECTION 0
#endif

/* 15 made options of the flag for random access to a sort */
#if PG_VERSION_NUM < 150000
#define TUPLESORT_NONE false
#endif

/* 18 counts disabled nodes beside the cost: an argument more of cost_sort */
#if PG_VERSION_NUM >= 180000
#define compat_disabled_nodes(path) (path)->disabled_nodes,
#else
#define compat_disabled_nodes(path)
#endif

/* ... and what is disabled costs no more; for those who include cost.h */
#if PG_VERSION_NUM >= 180000
#define compat_disable_cost(path) ((path)->disabled_nodes++, 0)
#else
#define compat_disable_cost(path) disable_cost
#endif

/*
 * A path that must not be taken: in 18 an infinite cost does not keep it from being
 * better than a single node that is disabled.
 */
#if PG_VERSION_NUM >= 180000
#define compat_forbid_path(path) ((void) ((path)->disabled_nodes += 2))
#else
#define compat_forbid_path(path) ((void) (path))
#endif

/* 18 has a column in the path for it */
#if PG_VERSION_NUM >= 180000
#define compat_copy_disabled_nodes(to, from) \
	((to)->disabled_nodes = (from)->disabled_nodes)
#else
#define compat_copy_disabled_nodes(to, from) ((void) (from))
#endif

/* 18 gave path keys a comparison instead of btree's strategy */
#if PG_VERSION_NUM >= 180000
#define compat_pathkey_rises(key) ((key)->pk_cmptype == COMPARE_LT)
#define compat_make_pathkey_rise(key) ((key)->pk_cmptype = COMPARE_LT)
#else
#define compat_pathkey_rises(key) ((key)->pk_strategy == BTLessStrategyNumber)
#define compat_make_pathkey_rise(key) \
	((key)->pk_strategy = BTLessStrategyNumber)
#endif

/* 18 has NOT NULL constraints that have not been validated */
#if PG_VERSION_NUM >= 180000
#define compat_is_not_null(desc, attnum) \
	(TupleDescCompactAttr(desc, (attnum) - 1)->attnullability == \
	 ATTNULLABLE_VALID)
#else
#define compat_is_not_null(desc, attnum) \
	(TupleDescAttr(desc, (attnum) - 1)->attnotnull)
#endif

/* 18 moved the functions that print properties of a plan */
#if PG_VERSION_NUM >= 180000
#define COMPAT_EXPLAIN_FORMAT_H "commands/explain_format.h"
#else
#define COMPAT_EXPLAIN_FORMAT_H "commands/explain.h"
#endif

/* 19 wants a tuple descriptor to be declared finished */
#if PG_VERSION_NUM >= 190000
#define compat_tupdesc_finalize(desc) TupleDescFinalize(desc)
#else
#define compat_tupdesc_finalize(desc) ((void) (desc))
#endif

/*
 * Iterating over a TIDBitmap: 18 gives results that the caller owns and keeps
 * the offsets apart.  For those who include nodes/tidbitmap.h.
 */
#ifdef TIDBITMAP_H
typedef struct CompatTbmPage
{
	BlockNumber block;
	int			ntuples;		/* -1: lossy */
	const OffsetNumber *offsets;
} CompatTbmPage;

typedef struct CompatTbmIterator
{
#if PG_VERSION_NUM >= 180000
	TBMPrivateIterator *iterator;
	OffsetNumber offsets[TBM_MAX_TUPLES_PER_PAGE];
#else
	TBMIterator *iterator;
#endif
} CompatTbmIterator;

static inline void
compat_tbm_begin(TIDBitmap *bitmap, CompatTbmIterator *it)
{
#if PG_VERSION_NUM >= 180000
	it->iterator = tbm_begin_private_iterate(bitmap);
#else
	it->iterator = tbm_begin_iterate(bitmap);
#endif
}

static inline bool
compat_tbm_next(CompatTbmIterator *it, CompatTbmPage *page)
{
#if PG_VERSION_NUM >= 180000
	TBMIterateResult result;

	if (!tbm_private_iterate(it->iterator, &result))
		return false;
	page->block = result.blockno;
	page->ntuples = result.lossy ? -1 :
		tbm_extract_page_tuple(&result, it->offsets, TBM_MAX_TUPLES_PER_PAGE);
	page->offsets = it->offsets;
#else
	TBMIterateResult *result = tbm_iterate(it->iterator);

	if (result == NULL)
		return false;
	page->block = result->blockno;
	page->ntuples = result->ntuples;
	page->offsets = result->offsets;
#endif
	return true;
}

static inline void
compat_tbm_end(CompatTbmIterator *it)
{
#if PG_VERSION_NUM >= 180000
	tbm_end_private_iterate(it->iterator);
#else
	tbm_end_iterate(it->iterator);
#endif
}
#endif							/* TIDBITMAP_H */

/*
 * The members of an equivalence class that may stand for a relation: 18 keeps
 * those of partitions apart.  For those who include optimizer/paths.h.
 */
#ifdef PATHS_H
static inline List *
compat_ec_members(EquivalenceClass *class, Relids relids)
{
#if PG_VERSION_NUM >= 180000
	EquivalenceMemberIterator it;
	EquivalenceMember *member;
	List	   *members = NIL;

	setup_eclass_member_iterator(&it, class, relids);
	while ((member = eclass_member_iterator_next(&it)) != NULL)
		members = lappend(members, member);
	return members;
#else
	return class->ec_members;
#endif
}
#endif							/* PATHS_H */

#endif							/* VECTOR_COMPAT_H */
