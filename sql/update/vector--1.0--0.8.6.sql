-- vector--1.0--0.8.6.sql
--   Back to pgvector's 0.8.6.
--   Written by sql/update/generate from vector--1.0.sql: not to be edited.

\echo Use "ALTER EXTENSION vector UPDATE TO '0.8.6'" to load this file. \quit

UPDATE pg_catalog.pg_operator SET oprcanhash = false, oprcanmerge = false
	WHERE oid = '=(vector,vector)'::pg_catalog.regoperator;
ALTER OPERATOR <> (vector, vector)
	SET (RESTRICT = eqsel, JOIN = eqjoinsel);
UPDATE pg_catalog.pg_operator SET oprcanhash = false, oprcanmerge = false
	WHERE oid = '=(halfvec,halfvec)'::pg_catalog.regoperator;
ALTER OPERATOR <> (halfvec, halfvec)
	SET (RESTRICT = eqsel, JOIN = eqjoinsel);
UPDATE pg_catalog.pg_operator SET oprcanhash = false, oprcanmerge = false
	WHERE oid = '=(sparsevec,sparsevec)'::pg_catalog.regoperator;
ALTER OPERATOR <> (sparsevec, sparsevec)
	SET (RESTRICT = eqsel, JOIN = eqjoinsel);
DROP FUNCTION hnsw_node(regclass, int8);
DROP FUNCTION hnsw_page_items(regclass, int8);
DROP FUNCTION hnsw_page_stats(regclass, int8);
DROP FUNCTION hnsw_metapage(regclass);
DROP FUNCTION hnsw_index_check(regclass, bool, bool);
DROP FUNCTION vector_build_info();
DROP OPERATOR FAMILY sparsevec_ops USING hash;
DROP OPERATOR FAMILY halfvec_ops USING hash;
DROP OPERATOR FAMILY vector_ops USING hash;
DROP FUNCTION sparsevec_hash_extended(sparsevec, bigint);
DROP FUNCTION sparsevec_hash(sparsevec);
DROP FUNCTION halfvec_hash_extended(halfvec, bigint);
DROP FUNCTION halfvec_hash(halfvec);
DROP FUNCTION vector_hash_extended(vector, bigint);
DROP FUNCTION vector_hash(vector);
