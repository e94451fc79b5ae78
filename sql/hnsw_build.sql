--
-- hnsw_build: CREATE INDEX and what is done to an index as a whole
--

-- Plans forced by enable_seqscan = off look expensive; none is worth compiling.
SET jit = off;
SET client_min_messages = warning;

-- Number i of a sequence of vectors: elements in [-1, 1) that follow from i.
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, dim) j
$$;

-- The error of a statement; a row of NULLs if there is none.
CREATE FUNCTION error_of(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	-- 17 and later build an index under another search_path, 18 says what is disabled
	message := regexp_replace(replace(message, 'public.', ''), '\n *Disabled: true', '', 'g');
END $$;

-- A query "SELECT distance FROM ... ORDER BY distance" through the index and
-- without.  Is every row there with the settings as they are, and is the order
-- exact when the look-ahead covers all?  Complains if no index is used.
CREATE FUNCTION compare(query text, OUT rows bigint, OUT complete boolean, OUT ordered boolean)
LANGUAGE plpgsql AS $$
DECLARE
	in_order text := 'SELECT array_agg(d::text) FROM (' || query || ') t (d)';
	sorted text := 'SELECT array_agg(d::text ORDER BY d + 0) FROM (' || query || ') t (d)';
	line text;
	plan text := '';
	found text[];
	found_in_order text[];
	exact text[];
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || E'\n' || line;
	END LOOP;
	IF plan !~ 'Index Scan using .*Order By: ' THEN
		RAISE 'no index is used:%', plan;
	END IF;
	EXECUTE sorted INTO found;
	SET LOCAL hnsw.ef_search = 10000;
	EXECUTE in_order INTO found_in_order;
	SET LOCAL enable_indexscan = off;
	EXECUTE in_order INTO exact;
	rows := coalesce(cardinality(exact), 0);
	complete := found IS NOT DISTINCT FROM exact;
	ordered := found_in_order IS NOT DISTINCT FROM exact;
	SET LOCAL hnsw.ef_search = 40;
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
END $$;

-- What the verifier finds in any hnsw index.
CREATE VIEW violations AS
	SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
		hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';

-- four classes; NULLs, and under cosine zero vectors, are not indexed
CREATE TABLE t (id int, v vector(3));
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(1, 300) i;
INSERT INTO t VALUES (0, '[0,0,0]'), (-1, NULL), (-2, NULL), (-3, '[0,0,0]');
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_ip ON t USING hnsw (v vector_ip_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops);
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t WHERE v IS NOT NULL ORDER BY v <-> '[1,2,3]'$$) c;
SELECT c.* FROM compare($$SELECT v <#> '[1,2,3]' FROM t WHERE v IS NOT NULL ORDER BY v <#> '[1,2,3]'$$) c;
SELECT c.* FROM compare($$SELECT v <=> '[1,2,3]' FROM t WHERE v <> '[0,0,0]' ORDER BY v <=> '[1,2,3]'$$) c;
SELECT c.* FROM compare($$SELECT v <+> '[1,2,3]' FROM t WHERE v IS NOT NULL ORDER BY v <+> '[1,2,3]'$$) c;
-- 302 of 304 rows in three of them, 300 under cosine
SELECT relname, reltuples FROM pg_class WHERE relname LIKE 't\__%' ORDER BY 1;
SET enable_seqscan = off;
SELECT count(*) FROM (SELECT 1 FROM t ORDER BY v <=> '[1,2,3]') s;
SELECT count(*) FROM (SELECT 1 FROM t ORDER BY v <-> '[1,2,3]') s;
RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE t;

-- few rows: none, one, eleven; and what an empty index is given later
CREATE TABLE t (id int, v vector(2));
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops);
SELECT c.* FROM compare($$SELECT v <-> '[1,2]' FROM t ORDER BY v <-> '[1,2]'$$) c;
SELECT * FROM violations;
INSERT INTO t VALUES (1, '[3,4]');
SELECT c.* FROM compare($$SELECT v <-> '[1,2]' FROM t ORDER BY v <-> '[1,2]'$$) c;
SELECT * FROM violations;
REINDEX TABLE t;
SELECT c.* FROM compare($$SELECT v <-> '[1,2]' FROM t ORDER BY v <-> '[1,2]'$$) c;
INSERT INTO t SELECT i, ARRAY[i, i * i] FROM generate_series(2, 11) i;
SELECT c.* FROM compare($$SELECT v <=> '[1,2]' FROM t ORDER BY v <=> '[1,2]'$$) c;
SELECT * FROM violations;
REINDEX TABLE t;
SELECT c.* FROM compare($$SELECT v <=> '[1,2]' FROM t ORDER BY v <=> '[1,2]'$$) c;
SELECT * FROM violations;
-- only NULLs and zero vectors
TRUNCATE t;
INSERT INTO t VALUES (1, NULL), (2, '[0,0]');
REINDEX TABLE t;
SET enable_seqscan = off;
SELECT id FROM t ORDER BY v <-> '[1,2]';
SELECT id FROM t ORDER BY v <=> '[1,2]';
RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE t;

-- equal rows share a node, without limit
CREATE TABLE t (id int, v vector(3));
INSERT INTO t SELECT i, '[1,2,3]' FROM generate_series(1, 12000) i;
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops);
SELECT pg_relation_size('t_l2') < 300000 AS l2_small, pg_relation_size('t_l1') < 300000 AS l1_small;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,4]' FROM t ORDER BY v <-> '[1,2,4]'$$) c;
SELECT c.* FROM compare($$SELECT v <+> '[1,2,4]' FROM t ORDER BY v <+> '[1,2,4]'$$) c;
SET enable_seqscan = off;
SELECT count(DISTINCT id) FROM (SELECT id FROM t ORDER BY v <-> '[1,2,3]') s;
SELECT count(DISTINCT id) FROM (SELECT id FROM t ORDER BY v <-> '[1,2,3]' LIMIT 5000) s;
RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE t;

-- options: stored, printed, kept through REINDEX
CREATE TABLE t (id int, v vector(3));
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(1, 200) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops) WITH (m = 7, ef_construction = 33);
SELECT reloptions FROM pg_class WHERE relname = 't_v';
SELECT pg_get_indexdef('t_v'::regclass);
SELECT name, value FROM hnsw_metapage('t_v') WHERE name IN ('m', 'ef_construction', 'dim');
REINDEX INDEX t_v;
SELECT name, value FROM hnsw_metapage('t_v') WHERE name IN ('m', 'ef_construction', 'dim');
-- a changed option waits for REINDEX; the pages keep theirs
ALTER INDEX t_v SET (m = 5);
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(201, 300) i;
SELECT name, value FROM hnsw_metapage('t_v') WHERE name IN ('m', 'ef_construction', 'dim');
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
SELECT * FROM violations;
REINDEX INDEX t_v;
SELECT name, value FROM hnsw_metapage('t_v') WHERE name IN ('m', 'ef_construction', 'dim');
-- the rule of the pair holds at build time, not in ALTER INDEX
ALTER INDEX t_v SET (m = 20);
SELECT e.* FROM error_of('REINDEX INDEX t_v') e;
ALTER INDEX t_v RESET (m);
REINDEX INDEX t_v;
SELECT name, value FROM hnsw_metapage('t_v') WHERE name IN ('m', 'ef_construction', 'dim');
SELECT * FROM violations;
DROP INDEX t_v;
SELECT options, e.* FROM unnest(ARRAY['m = 1', 'm = 101', 'm = 1000', 'm = 2', 'm = 100', 'm = 100, ef_construction = 200',
	'm = 32, ef_construction = 64', 'm = 33, ef_construction = 64', 'm = 33', 'ef_construction = 3', 'ef_construction = 1001',
	'ef_construction = 4', 'm = 2, ef_construction = 4', 'm = 2, ef_construction = 1000', 'm = a', 'lists = 5', 'fillfactor = 90'])
		WITH ORDINALITY AS o (options, n),
	error_of(format('CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (%s)', options)) e ORDER BY n;
-- m from 2 to 100, with all rows behind each
SELECT indexdef FROM pg_indexes WHERE tablename = 't' ORDER BY 1;
SELECT * FROM violations;
DROP TABLE t;
CREATE TABLE t (id int, v vector(3));
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(1, 1000) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops) WITH (m = 2, ef_construction = 4);
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
SELECT * FROM violations;
DROP INDEX t_v;
CREATE INDEX t_v ON t USING hnsw (v vector_ip_ops) WITH (m = 100, ef_construction = 1000);
SELECT c.* FROM compare($$SELECT v <#> '[1,2,3]' FROM t ORDER BY v <#> '[1,2,3]'$$) c;
SELECT * FROM violations;
DROP TABLE t;

-- the column: dimensions wanted, one key, no columns beside it, no order
CREATE TABLE t (id int, v vector(3), w vector, a real[]);
SELECT statement, e.* FROM unnest(ARRAY[
	'CREATE INDEX ON t USING hnsw (w vector_l2_ops)',
	'CREATE INDEX ON t USING hnsw ((v || v) vector_l2_ops)',
	'CREATE INDEX ON t USING hnsw (v)',
	'CREATE INDEX ON t USING hnsw (id vector_l2_ops)',
	'CREATE INDEX ON t USING hnsw (a vector_l2_ops)',
	'CREATE INDEX ON t USING hnsw (v vector_ops)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops, v vector_ip_ops)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops) INCLUDE (id)',
	'CREATE UNIQUE INDEX ON t USING hnsw (v vector_l2_ops)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops ASC)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops DESC)',
	'CREATE INDEX ON t USING hnsw (v vector_l2_ops NULLS FIRST)',
	'ALTER TABLE t ADD EXCLUDE USING hnsw (v vector_l2_ops WITH =)',
	'CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops); CLUSTER t USING t_v']) WITH ORDINALITY AS s (statement, n),
	error_of(statement) e ORDER BY n;
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 't'::regclass;
-- a row of other dimensions behind an expression that promises some
INSERT INTO t VALUES (1, '[1,2,3]', '[1,2]', NULL), (2, '[1,2,3]', '[1,2,3]', NULL);
SELECT e.* FROM error_of('CREATE INDEX ON t USING hnsw ((w::vector(3)) vector_l2_ops)') e;
DELETE FROM t WHERE id = 1;
CREATE INDEX t_w ON t USING hnsw ((w::vector(3)) vector_l2_ops);
SELECT e.* FROM error_of($$INSERT INTO t VALUES (3, NULL, '[1,2]', NULL)$$) e;
SELECT pg_get_indexdef('t_w'::regclass);
SELECT c.* FROM compare($$SELECT w::vector(3) <-> '[1,2,4]' FROM t ORDER BY w::vector(3) <-> '[1,2,4]'$$) c;
SELECT * FROM violations;
DROP TABLE t;

-- ALTER COLUMN TYPE that only drops the typmod keeps the index, which then
-- guards its dimensions itself, also while it is empty
CREATE TABLE t (id int, v vector(3));
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
SELECT relfilenode AS before FROM pg_class WHERE relname = 't_v' \gset
ALTER TABLE t ALTER COLUMN v TYPE vector;
SELECT relfilenode = :before AS kept FROM pg_class WHERE relname = 't_v';
SELECT e.* FROM error_of($$INSERT INTO t VALUES (1, '[1,2]')$$) e;
INSERT INTO t VALUES (1, '[1,2,3]'), (2, NULL);
SELECT e.* FROM error_of($$INSERT INTO t VALUES (3, '[1,2,3,4]')$$) e;
SELECT e.* FROM error_of($$UPDATE t SET v = '[1]' WHERE id = 1$$) e;
SELECT id, v FROM t ORDER BY id;
SELECT * FROM violations;
SELECT e.* FROM error_of('REINDEX INDEX t_v') e;
-- a typmod comes back: the index is built anew
ALTER TABLE t ALTER COLUMN v TYPE vector(3);
SELECT c.* FROM compare($$SELECT v <-> '[1,2,4]' FROM t WHERE v IS NOT NULL ORDER BY v <-> '[1,2,4]'$$) c;
SELECT * FROM violations;
SELECT e.* FROM error_of('ALTER TABLE t ALTER COLUMN v TYPE vector(4)') e;
DELETE FROM t;
ALTER TABLE t ALTER COLUMN v TYPE vector(4);
INSERT INTO t VALUES (1, '[1,2,3,4]');
SELECT * FROM violations;
-- away to an array and back, as clients do it
DROP INDEX t_v;
ALTER TABLE t ALTER COLUMN v TYPE real[];
ALTER TABLE t ALTER COLUMN v TYPE vector(4);
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
SELECT * FROM violations;
DROP TABLE t;

-- many dimensions: a node a page, then a node over several pages
CREATE TABLE t (id int, v vector(2000));
INSERT INTO t SELECT i, vec(i, 2000) FROM generate_series(1, 60) i;
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops);
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(0, 2000)) FROM t ORDER BY v <-> (SELECT vec(0, 2000))$$) c;
SELECT c.* FROM compare($$SELECT v <+> (SELECT vec(0, 2000)) FROM t ORDER BY v <+> (SELECT vec(0, 2000))$$) c;
SELECT * FROM violations;
DROP TABLE t;
CREATE TABLE t (id int, v vector(4000));
INSERT INTO t SELECT i, vec(i, 4000) FROM generate_series(1, 60) i;
CREATE INDEX t_ip ON t USING hnsw (v vector_ip_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops) WITH (m = 50, ef_construction = 100);
INSERT INTO t SELECT i, vec(i, 4000) FROM generate_series(61, 80) i;
SELECT c.* FROM compare($$SELECT v <#> (SELECT vec(0, 4000)) FROM t ORDER BY v <#> (SELECT vec(0, 4000))$$) c;
SELECT c.* FROM compare($$SELECT v <=> (SELECT vec(0, 4000)) FROM t ORDER BY v <=> (SELECT vec(0, 4000))$$) c;
SELECT * FROM violations;
DROP TABLE t;
CREATE TABLE t (id int, v vector(16000));
INSERT INTO t SELECT i, vec(i, 16000) FROM generate_series(1, 25) i;
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops) WITH (m = 100, ef_construction = 200);
SELECT i, value::int > 1 AS several_pages FROM unnest(ARRAY['t_l2', 't_cosine', 't_l1']) i, hnsw_metapage(i::regclass)
	WHERE name = 'pages_per_node';
INSERT INTO t SELECT i, vec(i, 16000) FROM generate_series(26, 30) i;
INSERT INTO t SELECT id + 100, v FROM t WHERE id % 10 = 0;
DELETE FROM t WHERE id % 3 = 0;
VACUUM t;
INSERT INTO t SELECT i, vec(i, 16000) FROM generate_series(31, 35) i;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(0, 16000)) FROM t ORDER BY v <-> (SELECT vec(0, 16000))$$) c;
SELECT c.* FROM compare($$SELECT v <=> (SELECT vec(0, 16000)) FROM t ORDER BY v <=> (SELECT vec(0, 16000))$$) c;
SELECT c.* FROM compare($$SELECT v <+> (SELECT vec(0, 16000)) FROM t ORDER BY v <+> (SELECT vec(0, 16000))$$) c;
SELECT * FROM violations;
DROP TABLE t;
-- one dimension
CREATE TABLE t (id int, v vector(1));
INSERT INTO t SELECT i, ARRAY[i % 400 - 200] FROM generate_series(1, 1000) i;
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_ip ON t USING hnsw (v vector_ip_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops);
SELECT c.* FROM compare($$SELECT v <-> '[10]' FROM t ORDER BY v <-> '[10]'$$) c;
SELECT c.* FROM compare($$SELECT v <#> '[10]' FROM t ORDER BY v <#> '[10]'$$) c;
SELECT c.* FROM compare($$SELECT v <=> '[10]' FROM t WHERE v <> '[0]' ORDER BY v <=> '[10]'$$) c;
SELECT c.* FROM compare($$SELECT v <+> '[10]' FROM t ORDER BY v <+> '[10]'$$) c;
SELECT * FROM violations;
DROP TABLE t;

-- every way to store a value
CREATE TABLE t (id int, plain vector(200), main vector(200), external vector(200), extended vector(200));
ALTER TABLE t ALTER plain SET STORAGE plain, ALTER main SET STORAGE main,
	ALTER external SET STORAGE external, ALTER extended SET STORAGE extended;
INSERT INTO t SELECT i, v, v, v, v FROM generate_series(1, 50) i, LATERAL (SELECT vec(i, 200) AS v) s;
INSERT INTO t SELECT i, v, v, v, v FROM generate_series(51, 60) i, LATERAL (SELECT array_fill(i, ARRAY[200])::vector AS v) s;
CREATE INDEX t_plain ON t USING hnsw (plain vector_l2_ops);
CREATE INDEX t_main ON t USING hnsw (main vector_l2_ops);
CREATE INDEX t_external ON t USING hnsw (external vector_l1_ops);
CREATE INDEX t_extended ON t USING hnsw (extended vector_l1_ops);
INSERT INTO t SELECT id + 100, plain, main, external, extended FROM t;
SELECT c.* FROM unnest(ARRAY['plain <->', 'main <->', 'external <+>', 'extended <+>']) o,
	compare(format('SELECT %s (SELECT vec(0, 200)) FROM t ORDER BY %1$s (SELECT vec(0, 200))', o)) c;
SELECT * FROM violations;
DROP TABLE t;

-- memory used up, at any point of a build
CREATE TABLE t (id int, v vector(32), w vector(16));
INSERT INTO t SELECT i, vec(i, 32), vec(i, 16) FROM generate_series(1, 1500) i;
INSERT INTO t SELECT id + 5000, v, w FROM t WHERE id <= 100;
SET maintenance_work_mem = '1MB';
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_l1 ON t USING hnsw (w vector_l1_ops);
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(0, 32)) FROM t ORDER BY v <-> (SELECT vec(0, 32))$$) c;
SELECT c.* FROM compare($$SELECT w <+> (SELECT vec(0, 16)) FROM t ORDER BY w <+> (SELECT vec(0, 16))$$) c;
SELECT * FROM violations;
-- by several processes, in memory and on pages
SET max_parallel_maintenance_workers = 2;
SET min_parallel_table_scan_size = 0;
ALTER TABLE t SET (parallel_workers = 2);
REINDEX TABLE t;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(0, 32)) FROM t ORDER BY v <-> (SELECT vec(0, 32))$$) c;
SELECT * FROM violations;
SET maintenance_work_mem = '100MB';
REINDEX TABLE t;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(0, 32)) FROM t ORDER BY v <-> (SELECT vec(0, 32))$$) c;
SELECT c.* FROM compare($$SELECT w <+> (SELECT vec(0, 16)) FROM t ORDER BY w <+> (SELECT vec(0, 16))$$) c;
SELECT * FROM violations;
REINDEX INDEX CONCURRENTLY t_l2;
CREATE INDEX CONCURRENTLY t_ip ON t USING hnsw (v vector_ip_ops);
SELECT * FROM violations;
RESET maintenance_work_mem;
RESET max_parallel_maintenance_workers;
RESET min_parallel_table_scan_size;
DROP TABLE t;

-- several batches, which share vectors; some have many rows in each batch
CREATE TABLE t (id int, v vector(32), s sparsevec(1000), w vector(2200));
INSERT INTO t (id, v) SELECT i, CASE WHEN i % 4 = 0 THEN vec(i % 8, 32) ELSE vec(i % 2900, 32) END
	FROM generate_series(1, 4000) i;
UPDATE t SET s = ('{' || (id % 50) + 1 || ':' || id % 90 + 1 || ',' || id % 900 + 60 || ':2}/1000')::sparsevec;
INSERT INTO t (id, w) SELECT i, vec(i % 250, 2200) FROM generate_series(5001, 5300) i;
SET maintenance_work_mem = '1MB';
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_cosine ON t USING hnsw (s sparsevec_cosine_ops);
CREATE INDEX t_long ON t USING hnsw (w vector_l2_ops);
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(0, 32)) FROM t WHERE v IS NOT NULL ORDER BY v <-> (SELECT vec(0, 32))$$) c;
SELECT c.* FROM compare($$SELECT s <=> '{3:1,70:1}/1000' FROM t WHERE s IS NOT NULL ORDER BY s <=> '{3:1,70:1}/1000'$$) c;
SELECT c.* FROM compare($$SELECT w <-> (SELECT vec(0, 2200)) FROM t WHERE w IS NOT NULL ORDER BY w <-> (SELECT vec(0, 2200))$$) c;
SELECT * FROM violations;
-- those of a batch find the same on pages, nearly all of them
SELECT count(DISTINCT v), (SELECT elements FROM hnsw_levels('t_l2') WHERE level = 0) < 1.02 * count(DISTINCT v) AS shared FROM t;
SET max_parallel_maintenance_workers = 2;
SET min_parallel_table_scan_size = 0;
ALTER TABLE t SET (parallel_workers = 2);
REINDEX TABLE t;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(0, 32)) FROM t WHERE v IS NOT NULL ORDER BY v <-> (SELECT vec(0, 32))$$) c;
SELECT * FROM violations;
RESET maintenance_work_mem;
RESET max_parallel_maintenance_workers;
RESET min_parallel_table_scan_size;
DROP TABLE t;

-- CONCURRENTLY, IF NOT EXISTS, REINDEX, DROP
CREATE TABLE t (id int PRIMARY KEY, v vector(3));
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(1, 500) i;
CREATE INDEX CONCURRENTLY t_v ON t USING hnsw (v vector_l2_ops) WITH (m = 8);
CREATE INDEX IF NOT EXISTS t_v ON t USING hnsw (v vector_ip_ops);
SELECT pg_get_indexdef('t_v'::regclass), indisvalid, indisready FROM pg_index WHERE indexrelid = 't_v'::regclass;
UPDATE t SET id = id + 1000, v = vec(id + 1000, 3) WHERE id % 2 = 0;
SELECT * FROM violations;
REINDEX INDEX CONCURRENTLY t_v;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
REINDEX INDEX t_v;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
VACUUM FULL t;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
CLUSTER t USING t_pkey;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
SELECT * FROM violations;
-- a failed one leaves an invalid index that does no harm
INSERT INTO t VALUES (2000, '[1,2,3]');
ALTER TABLE t ADD w vector;
UPDATE t SET w = '[1,2]' WHERE id = 2000;
CREATE INDEX CONCURRENTLY t_w ON t USING hnsw ((w::vector(3)) vector_l2_ops);
SELECT indisvalid FROM pg_index WHERE indexrelid = 't_w'::regclass;
VACUUM t;
UPDATE t SET w = '[1,2,3]' WHERE id = 2000;
REINDEX INDEX t_w;
SELECT indisvalid FROM pg_index WHERE indexrelid = 't_w'::regclass;
SELECT * FROM violations;
DROP INDEX CONCURRENTLY t_v;
DROP TABLE t;

-- TRUNCATE, in one transaction with what fills the table again
CREATE TABLE t (id int, v vector(3));
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(1, 300) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
BEGIN;
TRUNCATE t;
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(301, 350) i;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
ROLLBACK;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
TRUNCATE t;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(301, 350) i;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
SELECT * FROM violations;
DROP TABLE t;

-- partial and expression indexes
CREATE TABLE t (id int, kind text, v vector(3), a real[]);
INSERT INTO t SELECT i, chr(97 + i % 3), vec(i, 3), vec(i, 3)::real[] FROM generate_series(1, 300) i;
CREATE INDEX t_partial ON t USING hnsw (v vector_l2_ops) WHERE kind = 'b';
CREATE INDEX t_expression ON t USING hnsw ((a::vector(3)) vector_cosine_ops);
CREATE INDEX t_both ON t USING hnsw ((subvector(v, 1, 2)::vector(2)) vector_l2_ops) WHERE id > 100;
INSERT INTO t SELECT i, chr(97 + i % 3), vec(i, 3), vec(i, 3)::real[] FROM generate_series(301, 400) i;
UPDATE t SET kind = 'b' WHERE id % 10 = 0;
SELECT relname, reltuples FROM pg_class WHERE relname LIKE 't\__%' ORDER BY 1;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t WHERE kind = 'b' ORDER BY v <-> '[1,2,3]'$$) c;
SELECT c.* FROM compare($$SELECT a::vector(3) <=> '[1,2,3]' FROM t ORDER BY a::vector(3) <=> '[1,2,3]'$$) c;
SELECT c.* FROM compare($$SELECT subvector(v, 1, 2)::vector(2) <-> '[1,2]' FROM t WHERE id > 200
	ORDER BY subvector(v, 1, 2)::vector(2) <-> '[1,2]'$$) c;
SELECT e.* FROM error_of($$SELECT c.* FROM compare('SELECT v <-> ''[1,2,3]'' FROM t WHERE kind = ''c'' ORDER BY 1') c$$) e;
SELECT * FROM violations;
DROP TABLE t;

-- domains and generated columns
CREATE DOMAIN embedding AS vector(3) CHECK (vector_dims(VALUE) = 3);
CREATE TABLE t (id int, v embedding, g vector(3) GENERATED ALWAYS AS (v + '[1,1,1]') STORED);
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(1, 100) i;
CREATE INDEX t_v ON t USING hnsw ((v::vector(3)) vector_l2_ops);
CREATE INDEX t_g ON t USING hnsw (g vector_l2_ops);
UPDATE t SET v = '[1,2,3]' WHERE id = 5;
SELECT c.* FROM compare($$SELECT g <-> '[2,3,4]' FROM t ORDER BY g <-> '[2,3,4]'$$) c;
SELECT c.* FROM compare($$SELECT v::vector(3) <-> '[2,3,4]' FROM t ORDER BY v::vector(3) <-> '[2,3,4]'$$) c;
SELECT * FROM violations;
DROP TABLE t;
DROP DOMAIN embedding;

-- partitions: an index on the parent is one on each
CREATE TABLE t (id int, v vector(3)) PARTITION BY RANGE (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100);
CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (100) TO (200);
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(0, 199) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops) WITH (m = 8);
CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (200) TO (300);
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(200, 299) i;
SELECT inhrelid::regclass, pg_get_indexdef(inhrelid) FROM pg_inherits WHERE inhparent = 't_v'::regclass ORDER BY 1;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
UPDATE t SET id = id + 100 WHERE id % 10 = 0 AND id < 200;
ALTER TABLE t DETACH PARTITION t2;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t2 ORDER BY v <-> '[1,2,3]'$$) c;
SELECT * FROM violations;
DROP TABLE t, t2;

-- temporary tables
CREATE TEMP TABLE t (id int, v vector(3)) ON COMMIT DELETE ROWS;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
BEGIN;
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(1, 300) i;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
COMMIT;
SELECT c.* FROM compare($$SELECT v <-> '[1,2,3]' FROM t ORDER BY v <-> '[1,2,3]'$$) c;
INSERT INTO t VALUES (1, '[1,2,3]');
SELECT * FROM violations;
DROP TABLE t;

-- another schema that is not in the search path; a tablespace by name
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.t (id int, v vector(3));
INSERT INTO elsewhere.t SELECT i, vec(i, 3) FROM generate_series(1, 100) i;
CREATE INDEX t_v ON elsewhere.t USING hnsw (v vector_l2_ops) TABLESPACE pg_default;
SELECT pg_get_indexdef('elsewhere.t_v'::regclass);
SET search_path = pg_catalog;
REINDEX TABLE elsewhere.t;
INSERT INTO elsewhere.t VALUES (101, '[1,2,3]');
VACUUM elsewhere.t;
RESET search_path;
SELECT * FROM violations;
DROP TABLE elsewhere.t;
DROP SCHEMA elsewhere;

-- values at the ends of the range, where sums of squares overflow
CREATE TABLE t (id int, v vector(2));
INSERT INTO t VALUES (1, '[3e38,3e38]'), (2, '[-3e38,3e38]'), (3, '[1e-38,1e-38]'), (4, '[1e-45,0]'), (5, '[1,1]'), (6, '[-0,0]');
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_ip ON t USING hnsw (v vector_ip_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops);
INSERT INTO t SELECT id + 10, v FROM t;
SET enable_seqscan = off;
SELECT count(*), min(id), max(id) FROM (SELECT id FROM t ORDER BY v <-> '[1,1]' LIMIT 2) s;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> '[1,1]') s;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> '[3e38,3e38]') s;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <#> '[1,1]') s;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <+> '[1,1]') s;
RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE t;

DROP VIEW violations;
DROP FUNCTION compare;
DROP FUNCTION error_of;
DROP FUNCTION vec;
