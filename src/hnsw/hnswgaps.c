/*-------------------------------------------------------------------------
 *
 * hnswgaps.c
 *	  What a scan in ascending order says of one in descending order.
 *
 * Rows that are not in an index, and rows whose distance is NaN, come last in
 * ascending order, where a scan may leave them out.  Whoever wants to use it
 * for an order in which they come first must know that there are none.
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
hnsw_may_lack_nulls(Relation index)
{
	HnswMetaPageData meta;

	return !hnsw_meta_peek(index, &meta) || (meta.gaps & HNSW_GAP_NULL) != 0;
}

bool
hnsw_may_have_nan(Relation index)
{
	HnswMetaPageData meta;

	return !hnsw_meta_peek(index, &meta) || (meta.gaps & HNSW_GAP_NAN) != 0;
}

bool
hnsw_query_may_be_nan(Relation index, const void *value)
{
	return hnsw_space_may_be_nan(&hnsw_index_open(index)->space, value);
}
