/*-------------------------------------------------------------------------
 *
 * module.c
 *	  What happens when the library is loaded.
 *
 * Loading works in every way: on first use of a function, by LOAD, by
 * session_preload_libraries and by shared_preload_libraries; nothing here
 * needs shared memory.
 *
 * IDENTIFICATION
 *	  src/module.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "hnsw/hnsw.h"
#include "hnsw/hnswpoint.h"
#include "hnsw/ivfflat.h"
#include "kernel/kernel.h"
#include "planner/adaptive.h"
#include "planner/rowtid.h"
#include "planner/sortdistance.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static char *kernel_setting;

static bool
check_kernel(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || strcmp(*newval, "auto") == 0 ||
		kernel_supported(*newval))
		return true;
	GUC_check_errdetail("This processor cannot run kernels \"%s\", or there are none of that name.",
						*newval);
	return false;
}

static void
assign_kernel(const char *newval, void *extra)
{
	(void) kernel_choose(newval);
}

void
_PG_init(void)
{
	(void) kernel_choose(NULL);
	DefineCustomStringVariable("vector.kernel",
							   "Selects the instruction set of the distance kernels.",
							   "For testing: \"auto\" takes the best that the processor has.",
							   &kernel_setting, "auto", PGC_SUSET,
							   GUC_NOT_IN_SAMPLE,
							   check_kernel, assign_kernel, NULL);
#ifdef HNSW_TEST_POINTS
	hnsw_init_test_points();
#endif
	adaptive_init();			/* before the prefix is reserved */
	sort_distance_init();
	row_tid_init();
	hnsw_init_options();
	ivfflat_init_options();
}
