/*-------------------------------------------------------------------------
 *
 * hnswnodeset.h
 *	  A set of node numbers in a range: one bit each.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswnodeset.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWNODESET_H
#define HNSWNODESET_H

#include "hnsw/hnswpage.h"
#include "utils/palloc.h"

typedef struct HnswNodeSet
{
	uint64		first;			/* the range: first <= node < end */
	uint64		end;
	uint64		count;			/* members */
	uint64	   *words;
} HnswNodeSet;

#define HNSW_NODES_PER_WORD 64

static inline Size
hnsw_nodeset_words(uint64 nnodes)
{
	return (Size) ((nnodes + HNSW_NODES_PER_WORD - 1) / HNSW_NODES_PER_WORD);
}

/* An empty set for numbers below 'nnodes', in the current context. */
static inline void
hnsw_nodeset_create(HnswNodeSet *set, uint64 nnodes)
{
	set->first = 0;
	set->end = nnodes;
	set->count = 0;
	set->words = palloc_extended(sizeof(uint64) *
								 Max(hnsw_nodeset_words(nnodes), 1),
								 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Empty it, for a range that is no longer than the one it was made for. */
static inline void
hnsw_nodeset_clear(HnswNodeSet *set, uint64 first, uint64 end)
{
	set->first = first;
	set->end = end;
	set->count = 0;
	memset(set->words, 0, sizeof(uint64) * hnsw_nodeset_words(end - first));
}

static inline bool
hnsw_nodeset_has(const HnswNodeSet *set, HnswNode node)
{
	uint64		i = node - set->first;

	return node >= set->first && node < set->end &&
		(set->words[i / HNSW_NODES_PER_WORD] >>
		 (i % HNSW_NODES_PER_WORD)) & 1;
}

/* Numbers outside the range are passed over. */
static inline void
hnsw_nodeset_add(HnswNodeSet *set, HnswNode node)
{
	uint64		i = node - set->first;
	uint64		bit = UINT64CONST(1) << (i % HNSW_NODES_PER_WORD);

	if (node < set->first || node >= set->end)
		return;
	if (!(set->words[i / HNSW_NODES_PER_WORD] & bit))
		set->count++;
	set->words[i / HNSW_NODES_PER_WORD] |= bit;
}

#endif							/* HNSWNODESET_H */
