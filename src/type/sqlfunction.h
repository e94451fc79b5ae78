/*-------------------------------------------------------------------------
 *
 * sqlfunction.h
 *	  SQL_FUNCTION: declare and export a C function that SQL calls.
 *
 * Everything is compiled with hidden visibility, so a function that pg_proc
 * names has to be exported by its declaration.  PG_FUNCTION_INFO_V1 does so
 * itself from PostgreSQL 16 on only.
 *
 * IDENTIFICATION
 *	  src/type/sqlfunction.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef SQLFUNCTION_H
#define SQLFUNCTION_H

#include "fmgr.h"

#define SQL_FUNCTION(name) \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

#endif							/* SQLFUNCTION_H */
