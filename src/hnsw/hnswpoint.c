/*-------------------------------------------------------------------------
 *
 * hnswpoint.c
 *	  Test points: places where a test build crashes, fails, waits or dawdles.
 *
 * The setting hnsw.test_point is 'name:action' or 'name:action:n'; '*' stands
 * for every name.  Actions:
 *
 *		crash	flush the WAL and kill this process, as the n-th hit
 *		error	raise an error, at the n-th hit
 *		wait	take and release the advisory lock hashtext(name) in share mode,
 *				at the n-th hit; isolationtester sees such waits
 *		jitter	sleep up to 2 ms, at one hit of n
 *		count	only count; SHOW hnsw.test_point tells how often
 *
 * 'wait' and 'error' are for points where no page lock is held.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswpoint.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnsw.h"
#include "hnsw/hnswpoint.h"

#ifdef HNSW_TEST_POINTS

#include <signal.h>

#include "access/xlog.h"
#include "common/hashfn.h"
#include "compat.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/guc.h"

typedef enum PointAction
{
	POINT_NONE,
	POINT_CRASH,
	POINT_ERROR,
	POINT_WAIT,
	POINT_JITTER,
	POINT_COUNT
} PointAction;

static const char *const action_names[] = {
	[POINT_CRASH] = "crash",
	[POINT_ERROR] = "error",
	[POINT_WAIT] = "wait",
	[POINT_JITTER] = "jitter",
	[POINT_COUNT] = "count",
};

typedef struct TestPoint
{
	char		name[NAMEDATALEN];
	PointAction action;
	int64		n;				/* act at this hit, or once in n hits */
	int64		hits;
} TestPoint;

#define JITTER_US			2000

static TestPoint the_point;		/* what the setting says */
static char *test_point_setting;

/* Parse 'name:action[:n]'; the empty string means none. */
static bool
parse_setting(const char *setting, TestPoint *point)
{
	const char *colon = strchr(setting, ':');
	const char *end;
	size_t		len;

	memset(point, 0, sizeof(TestPoint));
	if (setting[0] == '\0')
		return true;
	if (colon == NULL || colon == setting ||
		colon - setting >= sizeof(point->name))
		return false;
	memcpy(point->name, setting, colon - setting);

	end = strchr(colon + 1, ':');
	len = end != NULL ? (size_t) (end - colon - 1) : strlen(colon + 1);
	for (int i = POINT_CRASH; i <= POINT_COUNT; i++)
	{
		if (strlen(action_names[i]) == len &&
			memcmp(action_names[i], colon + 1, len) == 0)
			point->action = i;
	}
	point->n = 1;
	if (end != NULL)
	{
		char	   *rest;

		point->n = strtol(end + 1, &rest, 10);
		if (rest == end + 1 || *rest != '\0' || point->n < 1)
			return false;
	}
	return point->action != POINT_NONE;
}

static bool
check_test_point(char **newval, void **extra, GucSource source)
{
	TestPoint	point;

	if (parse_setting(*newval, &point))
		return true;
	GUC_check_errdetail("A test point is set as name:action or name:action:n.");
	return false;
}

static void
assign_test_point(const char *newval, void *extra)
{
	(void) parse_setting(newval, &the_point);
}

static const char *
show_test_point(void)
{
	static char shown[NAMEDATALEN + 64];

	if (the_point.action != POINT_COUNT)
		return test_point_setting;
	snprintf(shown, sizeof(shown), "%s hit " INT64_FORMAT " times",
			 the_point.name, the_point.hits);
	return shown;
}

void
hnsw_init_test_points(void)
{
	DefineCustomStringVariable("hnsw.test_point",
							   "What happens at which test point.",
							   NULL, &test_point_setting, "",
							   PGC_SUSET, GUC_NOT_IN_SAMPLE,
							   check_test_point, assign_test_point,
							   show_test_point);
}

/* Whoever holds the advisory lock of the point keeps us here. */
static void
wait_at(const char *name)
{
	uint32		key = DatumGetUInt32(hash_any((const unsigned char *) name,
											  strlen(name)));
	LOCKTAG		tag;

	/* the key of pg_advisory_lock(hashtext(name)): sign-extended to int8 */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) ((int32) key >> 31),
						 key, 1);
	(void) LockAcquire(&tag, ShareLock, false, false);
	LockRelease(&tag, ShareLock, false);
}

static void
act_at(const char *name)
{
	/* a page lock holds off interrupts */
	if ((the_point.action == POINT_WAIT || the_point.action == POINT_ERROR) &&
		InterruptHoldoffCount != 0)
		elog(PANIC, "test point \"%s\" cannot wait or fail here", name);

	switch (the_point.action)
	{
		case POINT_CRASH:
			/* the insert position can lie behind the header of an empty page */
			XLogFlush(XactLastRecEnd);
			kill(MyProcPid, SIGKILL);
			pg_usleep(10 * 1000 * 1000);
			break;
		case POINT_ERROR:
			ereport(ERROR,
					(errmsg("test point \"%s\" was reached", name)));
			break;
		case POINT_WAIT:
			wait_at(name);
			break;
		case POINT_JITTER:
			pg_usleep((long) (compat_random_double() * JITTER_US));
			break;
		case POINT_NONE:
		case POINT_COUNT:
			break;
	}
}

void
hnsw_test_point(const char *name)
{
	if (the_point.action == POINT_NONE ||
		(strcmp(the_point.name, "*") != 0 &&
		 strcmp(the_point.name, name) != 0))
		return;

	the_point.hits++;
	if (the_point.action == POINT_JITTER ?
		compat_random_double() * the_point.n < 1 :
		the_point.hits == the_point.n)
		act_at(name);
}

#endif							/* HNSW_TEST_POINTS */
