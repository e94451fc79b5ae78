/*-------------------------------------------------------------------------
 *
 * ivfflat.h
 *	  The access method ivfflat: its names and limits.
 *
 * Applications create ivfflat indexes by name and set ivfflat.probes, so the
 * name, the options and the settings exist; what is underneath is the graph of
 * hnsw, by the same functions.  See ivfflat.c.
 *
 * IDENTIFICATION
 *	  src/hnsw/ivfflat.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef IVFFLAT_H
#define IVFFLAT_H

#include "postgres.h"
#include "hnsw/hnsw.h"

/*
 * Support functions of an operator class.  1 and 2 are those of hnsw; 3 and 4
 * served k-means, 5 is pgvector's type support: accepted, never called.
 */
#define IVFFLAT_KMEANS_DISTANCE_PROC	3
#define IVFFLAT_KMEANS_NORM_PROC	4
#define IVFFLAT_TYPE_PROC			5
#define IVFFLAT_NPROCS				5

#define IVFFLAT_DEFAULT_LISTS	100
#define IVFFLAT_MIN_LISTS		1
#define IVFFLAT_MAX_LISTS		32768
#define IVFFLAT_DEFAULT_PROBES	1

/* amoptions */
extern bytea *ivfflatoptions(Datum reloptions, bool validate);

/* What hnsw_scan_settings() answers for an index of ivfflat. */
extern void ivfflat_scan_settings(Relation index, HnswScanSettings *out);

/* reloptions and settings; _PG_init */
extern void ivfflat_init_options(void);

#endif							/* IVFFLAT_H */
