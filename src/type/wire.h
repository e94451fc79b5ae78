/*-------------------------------------------------------------------------
 *
 * wire.h
 *	  Elements between memory and the wire, where they are big-endian.
 *
 * IDENTIFICATION
 *	  src/type/wire.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef WIRE_H
#define WIRE_H

#include "kernel/kernel.h"
#include "port/pg_bswap.h"

/*
 * wire_copy32, wire_copy16 -- n elements of 4 or 2 bytes, in one direction or
 * the other.  Returns true if what was written is known to be finite throughout,
 * as float or half; on the way to the wire that says nothing.
 *
 * Neither end need be aligned; they do not overlap.
 */
static inline bool
wire_copy32(char *to, const char *from, int n)
{
#ifndef WORDS_BIGENDIAN
	return kernels.swap_f32(from, n, to);
#else
	memcpy(to, from, sizeof(uint32) * n);
	return false;				/* not known */
#endif
}

static inline bool
wire_copy16(char *to, const char *from, int n)
{
#ifndef WORDS_BIGENDIAN
	return kernels.swap_f16(from, n, to);
#else
	memcpy(to, from, sizeof(uint16) * n);
	return false;
#endif
}

/* what comes before the elements: two numbers of 16 bits */
#define WIRE_HEADER		(2 * sizeof(uint16))

/*
 * wire_begin -- the binary form of a value, but for its 'bytes' bytes of
 * elements.  Memory: palloc'd in the current context.
 */
static inline bytea *
wire_begin(int dim, int unused, Size bytes)
{
	bytea	   *result = palloc(VARHDRSZ + WIRE_HEADER + bytes);
	uint16		header[2] = {pg_hton16(dim), pg_hton16(unused)};

	SET_VARSIZE(result, VARHDRSZ + WIRE_HEADER + bytes);
	memcpy(VARDATA(result), header, WIRE_HEADER);
	return result;
}

#endif							/* WIRE_H */
