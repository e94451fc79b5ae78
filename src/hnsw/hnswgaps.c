/*-------------------------------------------------------------------------
 *
 * hnswgaps.c
 *	  What a scan in ascending order says of one in descending order.
 *
 * Rows that are not in an index, and rows whose distance is NaN, come last in
 * ascending order, where a scan may leave them out.  Whoever wants to use it
 * for an order in which they come first must know that there are none.  And a
 * vector so large or small that sums in float32 fail has any distance.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswgaps.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnsw.h"
#include "hnsw/hnswmeta.h"

bool
hnsw_is_readable(Relation index)
{
	HnswFault	fault;

	return hnsw_index_examine(index, &fault) != NULL;
}

/* Does the metapage have one of these flags? */
static bool
has_gaps(Relation index, int gaps)
{
	HnswMetaPageData meta;

	return !hnsw_meta_peek(index, &meta) || (meta.gaps & gaps) != 0;
}

bool
hnsw_may_lack_nulls(Relation index)
{
	return has_gaps(index, HNSW_GAP_NULL);
}

bool
hnsw_may_have_nan(Relation index)
{
	return has_gaps(index, HNSW_GAP_ZERO | HNSW_GAP_ODD);
}

bool
hnsw_may_have_odd(Relation index)
{
	return has_gaps(index, HNSW_GAP_ODD);
}

bool
hnsw_query_may_be_nan(Relation index, const void *value)
{
	return hnsw_space_gap(&hnsw_index_open(index)->space, value) != 0;
}

bool
hnsw_query_is_odd(Relation index, const void *value)
{
	return hnsw_space_gap(&hnsw_index_open(index)->space,
						  value) == HNSW_GAP_ODD;
}
