/*-------------------------------------------------------------------------
 *
 * argument.c
 *	  Arguments of distance functions, detoasted as seldom as may be.
 *
 * IDENTIFICATION
 *	  src/type/argument.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "type/argument.h"

/* the bytes of a pointer to a value out of line */
#define POINTER_BYTES	(VARHDRSZ_EXTERNAL + sizeof(struct varatt_external))

/* arguments of a distance */
#define NARGUMENTS		2

/* One argument of a function; fn_extra has all of them. */
typedef struct LastArgument
{
	char		pointer[POINTER_BYTES];
	void	   *value;			/* NULL: met once only */
} LastArgument;

/*
 * Most values out of line are those of a table's rows, each met once: these are
 * not kept, only their pointers, to know one that comes again.
 */
const void *
toasted_argument(FunctionCallInfo fcinfo, int n)
{
	struct varlena *datum = (struct varlena *) DatumGetPointer(fcinfo->args[n].value);
	LastArgument *last;
	MemoryContext old;

	Assert(n < NARGUMENTS);

	/* a call without FmgrInfo has nowhere to keep anything */
	if (fcinfo->flinfo == NULL || !VARATT_IS_EXTERNAL_ONDISK(datum))
		return pg_detoast_datum(datum);

	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
								   NARGUMENTS * sizeof(LastArgument));
	last = (LastArgument *) fcinfo->flinfo->fn_extra + n;

	if (memcmp(last->pointer, datum, POINTER_BYTES) != 0)
	{
		if (last->value != NULL)
			pfree(last->value);
		last->value = NULL;
		memcpy(last->pointer, datum, POINTER_BYTES);
		return pg_detoast_datum(datum);
	}
	if (last->value == NULL)
	{
		old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		last->value = pg_detoast_datum(datum);
		MemoryContextSwitchTo(old);
	}
	return last->value;
}
