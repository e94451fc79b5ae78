/*-------------------------------------------------------------------------
 *
 * hnswpoint.h
 *	  The setting behind the test points of hnsw.h.
 *
 * Only test builds (TEST_POINTS=1) have it.
 *
 * IDENTIFICATION
 *	  src/hnsw/hnswpoint.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef HNSWPOINT_H
#define HNSWPOINT_H

#ifdef HNSW_TEST_POINTS
/* define hnsw.test_point; _PG_init, before the prefix is reserved */
extern void hnsw_init_test_points(void);
#endif

#endif							/* HNSWPOINT_H */
