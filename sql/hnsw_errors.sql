--
-- hnsw_errors: what the access method and its instruments refuse, with text and
-- SQLSTATE
--
-- Options and columns that CREATE INDEX refuses are in hnsw_build, settings in
-- hnsw_settings; damaged pages in test/t/040_corruption.pl.
--

-- Plans forced by enable_seqscan = off look expensive; none is worth compiling.
SET jit = off;
SET client_min_messages = warning;

-- The error of a statement; a row of NULLs if there is none.
CREATE FUNCTION error_of(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
-- What the verifier finds in any hnsw index.
CREATE VIEW violations AS
	SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
		hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';
CREATE TABLE t (id int, v vector(3), w vector, b varbit);
INSERT INTO t VALUES (1, '[1,2,3]'), (2, '[4,5,6]');
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_id ON t (id);
CREATE VIEW view AS SELECT * FROM t;
CREATE TABLE part (id int, v vector(3)) PARTITION BY RANGE (id);
CREATE INDEX part_v ON part USING hnsw (v vector_l2_ops);

-- a query that has other dimensions than the index
SET enable_seqscan = off;
SELECT query, e.* FROM unnest(ARRAY['[1]', '[1,2]', '[1,2,3,4]']) query,
	error_of(format('SELECT id FROM t ORDER BY v <-> %L LIMIT 1', query)) e;
SELECT e.* FROM error_of($$SELECT id FROM t ORDER BY v <=> '[1,2]' LIMIT 1$$) e;
SELECT e.* FROM error_of($$SELECT id FROM t ORDER BY v <-> '[1,a]' LIMIT 1$$) e;
SELECT e.* FROM error_of($$SELECT id FROM t ORDER BY v <-> '[1,2,NaN]' LIMIT 1$$) e;
-- an index without rows refuses it, too, and so do those of the other types
CREATE TABLE no_rows (v vector(3), h halfvec(3), s sparsevec(3), b bit(3));
CREATE INDEX ON no_rows USING hnsw (v vector_l2_ops);
CREATE INDEX ON no_rows USING hnsw (h halfvec_cosine_ops);
CREATE INDEX ON no_rows USING hnsw (s sparsevec_ip_ops);
CREATE INDEX ON no_rows USING hnsw (b bit_jaccard_ops);
SELECT asked, e.* FROM unnest(ARRAY[$$v <-> '[1,2]'$$, $$h <=> '[1,2,3,4]'$$, $$s <#> '{1:1}/2'$$,
	$$b <%> B'1010'$$, $$h <=> '[0,0]'$$]) asked,
	error_of(format('SELECT 1 FROM no_rows ORDER BY %s LIMIT 1', asked)) e;
DROP TABLE no_rows;
RESET enable_seqscan;
-- a row that has
SELECT e.* FROM error_of($$INSERT INTO t VALUES (3, '[1,2]')$$) e;
DROP VIEW view;
ALTER TABLE t ALTER v TYPE vector;
SELECT e.* FROM error_of($$INSERT INTO t VALUES (3, '[1,2]')$$) e;
SELECT e.* FROM error_of($$UPDATE t SET v = '[1,2,3,4]'$$) e;
SELECT e.* FROM error_of('REINDEX INDEX t_v') e;
ALTER TABLE t ALTER v TYPE vector(3);
CREATE VIEW view AS SELECT * FROM t;

-- columns
SELECT statement, e.* FROM unnest(ARRAY[
	'CREATE INDEX ON t USING hnsw (w vector_l2_ops)',
	'CREATE INDEX ON t USING hnsw ((w::vector(16001)) vector_l2_ops)',
	'CREATE INDEX ON t USING hnsw (v)',
	'CREATE INDEX ON t USING hnsw (id vector_l2_ops)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops, v vector_l2_ops)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops) INCLUDE (id)',
	'CREATE UNIQUE INDEX ON t USING hnsw (v vector_l2_ops)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops DESC)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (m = 101)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (m = 40)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (quality = 9)',
	'ALTER INDEX t_v SET (m = 1)',
	'ALTER INDEX t_v SET (quality = 9)']) WITH ORDINALITY AS s (statement, n),
	error_of(statement) e ORDER BY n;

-- instruments: of an hnsw index only
SELECT object, call, e.code, e.message, e.detail, e.hint FROM unnest(ARRAY['t', 't_id', 'view', 'part', 'part_v', 'pg_class', '0', '1']) object,
	unnest(ARRAY['hnsw_index_check(%L)', 'hnsw_metapage(%L)', 'hnsw_page_stats(%L, 0)', 'hnsw_page_items(%L, 0)', 'hnsw_node(%L, 0)']) call,
	error_of(format('SELECT * FROM ' || call, object)) e ORDER BY object COLLATE "C", call COLLATE "C";
SELECT e.* FROM error_of($$SELECT * FROM hnsw_index_check('no_such_index')$$) e;
-- of a block and a node that it has
SELECT call, e.* FROM unnest(ARRAY['hnsw_page_stats(''t_v'', -1)', 'hnsw_page_stats(''t_v'', 1000000)', 'hnsw_page_stats(''t_v'', 4294967295)',
	'hnsw_page_stats(''t_v'', 4294967296)', 'hnsw_page_items(''t_v'', -1)', 'hnsw_page_items(''t_v'', 1000000)',
	'hnsw_page_items(''t_v'', 9223372036854775807)', 'hnsw_node(''t_v'', -1)', 'hnsw_node(''t_v'', 1000000)', 'hnsw_node(''t_v'', 4294967295)',
	'hnsw_node(''t_v'', 4294967296)']) WITH ORDINALITY AS c (call, n),
	error_of('SELECT * FROM ' || call) e ORDER BY n;
-- NULL is no index: no rows
SELECT (SELECT count(*) FROM hnsw_index_check(NULL)) + (SELECT count(*) FROM hnsw_metapage(NULL)) + (SELECT count(*) FROM hnsw_node('t_v', NULL)) AS rows;

SELECT * FROM violations;
DROP TABLE t CASCADE;
DROP TABLE part;
DROP VIEW violations;
DROP FUNCTION error_of;
