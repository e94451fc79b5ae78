/*-------------------------------------------------------------------------
 *
 * hnswlink.c
 *	  What a node's bytes say to a query, and how its edge list changes.
 *
 * An edge list is not sorted: a change overwrites one edge in place, which is
 * one contiguous run of bytes for the WAL.  Lengths of edges, which decide who
 * is evicted, come back from the factors of their codes.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswlink.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "hnsw/hnswlink.h"
#include "port/pg_bitutils.h"

void
hnsw_link_measure(const HnswSpace *space, const HnswQuery *query,
				  const HnswSlot *slot, const uint8 *own, HnswExpansion *out)
{
	Assert(hnsw_slot_sane(slot, &space->layout));
	out->state = slot->state;
	out->nedges = 0;
	if (slot->state != HNSW_LIVE && slot->state != HNSW_EMPTY)
		return;

	out->version = slot->version;
	out->ntids = slot->ntids;
	out->nhere = slot->nhere;
	out->next = slot->next;
	memcpy(out->tids, slot->tids, sizeof(out->tids));
	hnsw_space_measure(space, query, own, &out->own);
	if (out->own_copy != NULL)
		hnsw_space_copy_own(space, out->own_copy, own);
}

void
hnsw_link_expand(const HnswSpace *space, const HnswQuery *query,
				 HnswSlot *slot, const uint8 *own, HnswExpansion *out)
{
	const HnswLayout *layout = &space->layout;

	hnsw_link_measure(space, query, slot, own, out);
	if (out->state != HNSW_LIVE && out->state != HNSW_EMPTY)
		return;

	out->nedges = slot->nedges;
	for (int i = 0; i < slot->nedges; i++)
		out->edge[i] = hnsw_slot_edge(slot, layout, i)->node;
	if (hnsw_space_coded(space) && slot->nedges > 0)
		hnsw_space_estimate(space, query, own, &out->own,
							hnsw_slot_edge(slot, layout, 0)->code,
							layout->edge_bytes, slot->nedges,
							out->est, out->var);
}

void
hnsw_link_write(const HnswSpace *space, HnswSlot *slot, const uint8 *own,
				const HnswNeighbor *neighbors, int n)
{
	const HnswLayout *layout = &space->layout;

	Assert(n <= (int) layout->max_edges);

	/* to the end of the slot: in memory, candidates have lain there */
	memset((char *) slot + layout->edges_off, 0,
		   layout->node_bytes - layout->edges_off);
	memset((char *) slot + layout->occluded_off, 0,
		   (layout->max_edges + 31) / 32 * 4);

	for (int i = 0; i < n; i++)
	{
		HnswEdge   *edge = hnsw_slot_edge(slot, layout, i);

		edge->node = neighbors[i].node;
		hnsw_space_edge(space, own, neighbors[i].own, neighbors[i].dist,
						edge->code);
		hnsw_slot_set_occluded(slot, layout, i, neighbors[i].occluded);
	}
	slot->nedges = n;
}

void
hnsw_link_add(const HnswSpace *space, HnswSlot *slot, const uint8 *own,
			  const HnswNeighbor *neighbors, int n)
{
	const HnswLayout *layout = &space->layout;
	float		length[HNSW_MAX_EDGES];
	bool		stays[HNSW_MAX_EDGES] = {false};

	hnsw_space_edge_lengths(space, hnsw_slot_edge(slot, layout, 0)->code,
							layout->edge_bytes, slot->nedges, length);
	for (int i = 0; i < n; i++)
	{
		int			at = hnsw_slot_find_edge(slot, layout, neighbors[i].node);

		if (at >= 0)
			stays[at] = true;
	}
	for (int i = 0; i < n; i++)
	{
		int			at = slot->nedges;
		HnswEdge   *edge;

		if (hnsw_slot_find_edge(slot, layout, neighbors[i].node) >= 0)
			continue;
		if (at < (int) layout->max_edges)
			slot->nedges++;
		else
		{
			at = -1;
			for (int e = 0; e < slot->nedges; e++)
			{
				bool		occluded = hnsw_slot_occluded(slot, layout, e);

				if (!stays[e] &&
					(at < 0 ||
					 occluded > hnsw_slot_occluded(slot, layout, at) ||
					 (occluded == hnsw_slot_occluded(slot, layout, at) &&
					  length[e] > length[at])))
					at = e;
			}
		}
		edge = hnsw_slot_edge(slot, layout, at);
		edge->node = neighbors[i].node;
		hnsw_space_edge(space, own, neighbors[i].own, neighbors[i].dist,
						edge->code);
		hnsw_slot_set_occluded(slot, layout, at, neighbors[i].occluded);
		stays[at] = true;
	}
}

/*
 * The link that goes where one with the inner product 'product' comes: of those
 * that only fill the one with the least product.  -1 if there is none with a
 * lesser one, or if the node has enough links with products as large.
 */
static int
link_to_replace(const HnswSpace *space, HnswSlot *slot, const uint8 *own,
				double product)
{
	const HnswLayout *layout = &space->layout;
	double		square = hnsw_space_product(space, own, own);
	double		least = product;
	int			nlarger = 0;
	int			at = -1;

	for (int e = 0; e < slot->nedges; e++)
	{
		const uint8 *code = hnsw_slot_edge(slot, layout, e)->code;
		double		here = square + hnsw_space_edge_along(space, code);

		nlarger += here >= product;
		if (here < least && hnsw_slot_occluded(slot, layout, e))
		{
			at = e;
			least = here;
		}
	}
	if (nlarger >= hnsw_space_max_products(space))
		return -1;
	return slot->nedges < (int) layout->max_edges ? slot->nedges : at;
}

bool
hnsw_link_offer_product(const HnswSpace *space, HnswSlot *slot,
						const uint8 *own, const HnswNeighbor *new)
{
	const HnswLayout *layout = &space->layout;
	double		product = hnsw_space_product(space, own, new->own);
	HnswEdge   *edge;
	int			at;

	if (hnsw_slot_find_edge(slot, layout, new->node) >= 0)
		return false;
	at = link_to_replace(space, slot, own, product);
	if (at < 0)
		return false;
	if (at == slot->nedges)
		slot->nedges++;
	edge = hnsw_slot_edge(slot, layout, at);
	edge->node = new->node;
	hnsw_space_edge(space, own, new->own, new->dist, edge->code);
	hnsw_slot_set_occluded(slot, layout, at, true);
	return true;
}

/* ---- what is known ---- */

void
hnsw_known_create(HnswKnown *known, int max)
{
	known->size = pg_nextpower2_32(2 * Max(max, 1));
	known->node = palloc(sizeof(HnswNode) * known->size);
	known->dist = palloc(sizeof(float) * known->size);
	hnsw_known_clear(known);
}

void
hnsw_known_clear(HnswKnown *known)
{
	memset(known->node, 0xFF, sizeof(HnswNode) * known->size);
}

/* Where a node is, or would be. */
static inline uint32
find_known(const HnswKnown *known, HnswNode node)
{
	uint32		i = (node * 0x9E3779B1u >> 8) & (known->size - 1);

	while (known->node[i] != node && known->node[i] != HNSW_INVALID_NODE)
		i = (i + 1) & (known->size - 1);
	return i;
}

void
hnsw_known_add(HnswKnown *known, HnswNode node, float dist)
{
	uint32		i = find_known(known, node);

	known->node[i] = node;
	known->dist[i] = dist;
}

/* ---- placing ---- */

/*
 * Distance of edge i's node to the new neighbour, or a negative number if it is
 * not near, or nothing is known about it.
 *
 * The angle that two codes of 112 bits tell is off by 8 degrees, and in high
 * dimensions all neighbours of a node stand at 60 to 90 degrees to each other:
 * by codes alone nearly every new one would be occluded by some of thirty.
 */
static float
distance_to_new(const HnswSpace *space, HnswSlot *slot, int i, float length,
				const HnswNeighbor *new, const uint8 *code,
				const HnswKnown *known)
{
	HnswEdge   *edge = hnsw_slot_edge(slot, &space->layout, i);

	if (known != NULL)
	{
		uint32		k = find_known(known, edge->node);

		if (known->node[k] == edge->node)
			return known->dist[k];
		if (length <= new->dist)
			return -1;
	}
	if (!hnsw_space_coded(space))
		return -1;
	return hnsw_space_edge_between(space, edge->code, length, code, new->dist);
}

/*
 * Is 'new' occluded by nearer kept edges; if not, which farther kept edges
 * does it occlude?  Sets bits of placement->occluded for the latter.
 */
static bool
occlude(const HnswSpace *space, HnswSlot *slot, const float *length,
		const HnswNeighbor *new, const uint8 *code, const HnswKnown *known,
		HnswPlacement *placement)
{
	float		between[HNSW_MAX_EDGES];

	for (int i = 0; i < slot->nedges; i++)
	{
		between[i] = -1;
		if (hnsw_slot_occluded(slot, &space->layout, i))
			continue;
		between[i] = distance_to_new(space, slot, i, length[i], new, code,
									 known);
		if (between[i] >= 0 && length[i] <= new->dist &&
			hnsw_occludes(space, between[i], new->dist))
			return true;
	}
	for (int i = 0; i < slot->nedges; i++)
	{
		if (between[i] >= 0 && length[i] > new->dist &&
			hnsw_occludes(space, between[i], length[i]))
			placement->occluded[i / 8] |= 1 << (i % 8);
	}
	return false;
}

/*
 * The edge to evict: the farthest occluded one, else the farthest.  The new
 * edge counts as number nedges, unless it is forced in.
 */
static int
worst_edge(int nedges, const float *length, const HnswPlacement *placement,
		   const HnswNeighbor *new, bool new_occluded, bool force)
{
	int			worst = -1;
	bool		worst_occluded = false;
	float		worst_length = 0;

	for (int i = 0; i <= nedges; i++)
	{
		bool		is_new = i == nedges;
		bool		occluded = is_new ? new_occluded :
			(placement->occluded[i / 8] >> (i % 8)) & 1;
		float		len = is_new ? new->dist : length[i];

		if (is_new && force)
			continue;
		if (worst < 0 || (occluded && !worst_occluded) ||
			(occluded == worst_occluded && len > worst_length))
		{
			worst = i;
			worst_occluded = occluded;
			worst_length = len;
		}
	}
	return worst;
}

bool
hnsw_link_place(const HnswSpace *space, HnswSlot *slot, const uint8 *own,
				const HnswNeighbor *new, const uint8 *code,
				const HnswKnown *known, bool force, HnswPlacement *out)
{
	const HnswLayout *layout = &space->layout;
	float		length[HNSW_MAX_EDGES];
	int			nedges = slot->nedges;
	bool		occluded;

	memset(out, 0, sizeof(HnswPlacement));
	out->nedges = nedges;
	if (hnsw_slot_find_edge(slot, layout, new->node) >= 0)
	{
		out->victim = new->node;
		return false;
	}

	if (nedges > 0)
	{
		memcpy(out->occluded, (uint8 *) slot + layout->occluded_off,
			   (nedges + 7) / 8);
		hnsw_space_edge_lengths(space, hnsw_slot_edge(slot, layout, 0)->code,
								layout->edge_bytes, nedges, length);
	}
	occluded = occlude(space, slot, length, new, code, known, out);

	out->at = nedges;
	out->victim = HNSW_INVALID_NODE;
	if (nedges == (int) layout->max_edges)
	{
		out->at = worst_edge(nedges, length, out, new, occluded, force);
		if (out->at == nedges)
			return false;
		out->victim = hnsw_slot_edge(slot, layout, out->at)->node;
	}
	out->occluded[out->at / 8] &= ~(1 << (out->at % 8));
	out->occluded[out->at / 8] |= occluded << (out->at % 8);
	return true;
}

bool
hnsw_link_apply(const HnswSpace *space, HnswSlot *slot,
				const HnswPlacement *placement, HnswNode new,
				const uint8 *code)
{
	const HnswLayout *layout = &space->layout;
	HnswEdge   *edge;

	if (slot->nedges != placement->nedges ||
		placement->at >= layout->max_edges ||
		hnsw_slot_find_edge(slot, layout, new) >= 0)
		return false;
	edge = hnsw_slot_edge(slot, layout, placement->at);
	if (placement->at < slot->nedges && edge->node != placement->victim)
		return false;

	edge->node = new;
	memcpy(edge->code, code, layout->edge_code_bytes);
	if (placement->at == slot->nedges)
		slot->nedges++;
	memcpy((uint8 *) slot + layout->occluded_off, placement->occluded,
		   (slot->nedges + 7) / 8);
	return true;
}
