-- vector--1.0--0.8.6.sql
--   Back to pgvector's 0.8.6.
--   Written by sql/update/generate from vector--1.0.sql: not to be edited.

\echo Use "ALTER EXTENSION vector UPDATE TO '0.8.6'" to load this file. \quit

UPDATE pg_catalog.pg_operator SET oprcanhash = false, oprcanmerge = false
	WHERE oid OPERATOR(pg_catalog.=) '=(vector,vector)'::pg_catalog.regoperator::pg_catalog.oid;
ALTER OPERATOR <> (vector, vector)
	SET (RESTRICT = eqsel, JOIN = eqjoinsel);
UPDATE pg_catalog.pg_operator SET oprcanhash = false, oprcanmerge = false
	WHERE oid OPERATOR(pg_catalog.=) '=(halfvec,halfvec)'::pg_catalog.regoperator::pg_catalog.oid;
ALTER OPERATOR <> (halfvec, halfvec)
	SET (RESTRICT = eqsel, JOIN = eqjoinsel);
UPDATE pg_catalog.pg_operator SET oprcanhash = false, oprcanmerge = false
	WHERE oid OPERATOR(pg_catalog.=) '=(sparsevec,sparsevec)'::pg_catalog.regoperator::pg_catalog.oid;
ALTER OPERATOR <> (sparsevec, sparsevec)
	SET (RESTRICT = eqsel, JOIN = eqjoinsel);
UPDATE pg_catalog.pg_proc SET prosupport = 0
	WHERE prosupport::pg_catalog.oid OPERATOR(pg_catalog.=) 'bit_distance_support(internal)'::pg_catalog.regprocedure::pg_catalog.oid;
DELETE FROM pg_catalog.pg_depend WHERE deptype OPERATOR(pg_catalog.=) 'n' AND refobjid OPERATOR(pg_catalog.=) 'bit_distance_support(internal)'::pg_catalog.regprocedure::pg_catalog.oid
	AND refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid;
UPDATE pg_catalog.pg_proc SET prosupport = 0
	WHERE prosupport::pg_catalog.oid OPERATOR(pg_catalog.=) 'halfvec_distance_support(internal)'::pg_catalog.regprocedure::pg_catalog.oid;
DELETE FROM pg_catalog.pg_depend WHERE deptype OPERATOR(pg_catalog.=) 'n' AND refobjid OPERATOR(pg_catalog.=) 'halfvec_distance_support(internal)'::pg_catalog.regprocedure::pg_catalog.oid
	AND refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid;
UPDATE pg_catalog.pg_proc SET prosupport = 0
	WHERE prosupport::pg_catalog.oid OPERATOR(pg_catalog.=) 'sparsevec_distance_support(internal)'::pg_catalog.regprocedure::pg_catalog.oid;
DELETE FROM pg_catalog.pg_depend WHERE deptype OPERATOR(pg_catalog.=) 'n' AND refobjid OPERATOR(pg_catalog.=) 'sparsevec_distance_support(internal)'::pg_catalog.regprocedure::pg_catalog.oid
	AND refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid;
UPDATE pg_catalog.pg_proc SET prosupport = 0
	WHERE prosupport::pg_catalog.oid OPERATOR(pg_catalog.=) 'vector_distance_support(internal)'::pg_catalog.regprocedure::pg_catalog.oid;
DELETE FROM pg_catalog.pg_depend WHERE deptype OPERATOR(pg_catalog.=) 'n' AND refobjid OPERATOR(pg_catalog.=) 'vector_distance_support(internal)'::pg_catalog.regprocedure::pg_catalog.oid
	AND refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid;
DROP FUNCTION hnsw_neighbors(regclass, tid, integer);
DROP FUNCTION hnsw_levels(regclass);
DROP FUNCTION vector_duplicates(regclass, float8, bigint);
DROP FUNCTION vector_recall(regclass, integer, integer, integer);
DROP FUNCTION hnsw_node(regclass, int8);
DROP FUNCTION hnsw_page_items(regclass, int8);
DROP FUNCTION hnsw_page_stats(regclass, int8);
DROP FUNCTION hnsw_metapage(regclass);
DROP FUNCTION hnsw_index_check(regclass, bool, bool);
DROP FUNCTION vector_build_info();
DROP FUNCTION bit_distance_support(internal);
DROP FUNCTION sparsevec_distance_support(internal);
DROP FUNCTION halfvec_distance_support(internal);
DROP FUNCTION vector_distance_support(internal);
DROP OPERATOR FAMILY sparsevec_ops USING hash;
DROP OPERATOR FAMILY halfvec_ops USING hash;
DROP OPERATOR FAMILY vector_ops USING hash;
DROP AGGREGATE mmr(anyelement, vector, vector, integer, float8, text);
DROP AGGREGATE mmr(anyelement, vector, vector, integer, float8);
DROP FUNCTION mmr_variant_final(internal, anyelement, vector, vector, integer, float8, text);
DROP FUNCTION mmr_variant_accum(internal, anyelement, vector, vector, integer, float8, text);
DROP FUNCTION mmr_final(internal, anyelement, vector, vector, integer, float8);
DROP FUNCTION mmr_accum(internal, anyelement, vector, vector, integer, float8);
DROP AGGREGATE nearest_agg_json(anyelement, float8, integer);
DROP AGGREGATE nearest_agg(anyelement, float8, integer);
DROP FUNCTION nearest_json_final(internal, anyelement, float8, integer);
DROP FUNCTION nearest_final(internal, anyelement, float8, integer);
DROP FUNCTION nearest_deserialize(bytea, internal);
DROP FUNCTION nearest_serialize(internal);
DROP FUNCTION nearest_combine(internal, internal);
DROP FUNCTION nearest_accum(internal, anyelement, float8, integer);
DROP AGGREGATE rrf(bigint, float8, float8);
DROP FUNCTION rrf_accum(float8, bigint, float8, float8);
DROP FUNCTION rrf_score(bigint, float8);
DROP FUNCTION maxsim(halfvec[], halfvec[]);
DROP FUNCTION maxsim(vector[], vector[]);
DROP FUNCTION halfvec_to_bytea(halfvec, text);
DROP FUNCTION halfvec_from_bytea(bytea, text);
DROP FUNCTION vector_to_bytea(vector, text);
DROP FUNCTION vector_from_bytea(bytea, text);
DROP FUNCTION sparsevec_hash_extended(sparsevec, bigint);
DROP FUNCTION sparsevec_hash(sparsevec);
DROP FUNCTION halfvec_hash_extended(halfvec, bigint);
DROP FUNCTION halfvec_hash(halfvec);
DROP FUNCTION vector_hash_extended(vector, bigint);
DROP FUNCTION vector_hash(vector);
