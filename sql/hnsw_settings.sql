--
-- hnsw_settings: hnsw.ef_search, .iterative_scan, .max_scan_tuples and
-- .scan_mem_multiplier
--

-- Before the library is loaded any name is accepted; what is wrong with it
-- comes out when it is.
\c -
SET hnsw.ef_search = 11;
SET hnsw.iterative_scan = relaxed_order;
SET hnsw.max_scan_tuples = 0;
SELECT current_setting('hnsw.scan_mem_multiplier', true) AS unset;
SELECT '[1]'::vector;
SELECT current_setting('hnsw.ef_search') AS ef_search, current_setting('hnsw.iterative_scan') AS iterative_scan,
	current_setting('hnsw.max_scan_tuples') AS max_scan_tuples;
\c -
SET client_min_messages = warning;
SELECT '[1]'::vector;

-- the settings themselves
SELECT name, setting, unit, category, context, vartype, min_val, max_val, enumvals, boot_val, reset_val
	FROM pg_settings WHERE name ~ '^hnsw\.' AND name <> 'hnsw.test_point' ORDER BY name \gx
SHOW hnsw.ef_search;
SHOW hnsw.iterative_scan;
SHOW hnsw.max_scan_tuples;
SHOW hnsw.scan_mem_multiplier;

-- The error of a statement; a row of NULLs if there is none.
CREATE FUNCTION error_of(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
SELECT statement, e.* FROM unnest(ARRAY[
	'hnsw.ef_search = 0', 'hnsw.ef_search = 1', 'hnsw.ef_search = 10000', 'hnsw.ef_search = 10001', 'hnsw.ef_search = ''many''',
	'hnsw.iterative_scan = on', 'hnsw.iterative_scan = off', 'hnsw.iterative_scan = strict_order', 'hnsw.iterative_scan = RELAXED_ORDER',
	'hnsw.iterative_scan = auto', 'hnsw.iterative_scan = ''''',
	'hnsw.max_scan_tuples = 0', 'hnsw.max_scan_tuples = -1', 'hnsw.max_scan_tuples = 1', 'hnsw.max_scan_tuples = 2147483647',
	'hnsw.max_scan_tuples = 2147483648',
	'hnsw.scan_mem_multiplier = 0.99', 'hnsw.scan_mem_multiplier = 1', 'hnsw.scan_mem_multiplier = 2.5', 'hnsw.scan_mem_multiplier = 1000',
	'hnsw.scan_mem_multiplier = 1001']) WITH ORDINALITY AS s (statement, n),
	error_of('SET LOCAL ' || statement) e ORDER BY n;
-- each way to set
SET hnsw.ef_search = 12;
SHOW hnsw.ef_search;
BEGIN;
SET LOCAL hnsw.ef_search = 13;
SELECT set_config('hnsw.max_scan_tuples', '14', true), set_config('hnsw.iterative_scan', 'off', false), current_setting('hnsw.ef_search', true);
ROLLBACK;
SELECT current_setting('hnsw.ef_search'), current_setting('hnsw.max_scan_tuples'), current_setting('hnsw.iterative_scan');
RESET hnsw.ef_search;
SHOW hnsw.ef_search;
CREATE FUNCTION ef_inside() RETURNS text LANGUAGE sql SET hnsw.ef_search = 77 AS $$ SELECT current_setting('hnsw.ef_search') $$;
SELECT ef_inside(), current_setting('hnsw.ef_search');
DROP FUNCTION ef_inside;
ALTER DATABASE :DBNAME SET hnsw.ef_search = 55;
ALTER DATABASE :DBNAME SET hnsw.max_scan_tuples = 100;
\c -
SELECT '[1]'::vector;
SHOW hnsw.ef_search;
SHOW hnsw.max_scan_tuples;
ALTER DATABASE :DBNAME RESET hnsw.ef_search;
ALTER DATABASE :DBNAME RESET hnsw.max_scan_tuples;
\c -
-- Plans forced by enable_seqscan = off look expensive; none is worth compiling.
SET jit = off;
SET client_min_messages = warning;

--
-- What they do
--

-- Number i of a sequence of vectors: elements in [-1, 1) that follow from i.
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, dim) j
$$;
-- What the verifier finds in any hnsw index.
CREATE VIEW violations AS
	SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
		hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';
-- 3,000 places, some of them taken by more than one row: 3,600 rows
CREATE TABLE t (id int, v vector(4));
INSERT INTO t SELECT i, vec(i, 4) FROM generate_series(1, 3000) i;
INSERT INTO t SELECT 5000 + i, vec(i % 300 + 1, 4) FROM generate_series(1, 600) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
ANALYZE t;
SET enable_seqscan = off;

-- How many rows and elements a search without LIMIT gives, and how many of
-- them are nearer than one before.
CREATE FUNCTION found(OUT rows bigint, OUT elements bigint, OUT steps_back bigint) LANGUAGE sql AS $$
	SELECT count(*), count(DISTINCT v), count(*) FILTER (WHERE d < before)
	FROM (SELECT v, d, lag(d) OVER () AS before FROM (SELECT v, v <-> '[.1,.2,.3,.4]' AS d FROM t ORDER BY v <-> '[.1,.2,.3,.4]') s) s
$$;

CREATE FUNCTION found_at(ef int, OUT rows bigint, OUT elements bigint, OUT steps_back bigint) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('hnsw.ef_search', ef::text, true);
	SELECT (found()).* INTO rows, elements, steps_back;
END $$;

-- auto: every row, whatever the look-ahead
SHOW hnsw.iterative_scan;
SELECT ef, f.rows, f.elements FROM unnest(ARRAY[1, 2, 40, 1000, 10000]) ef, found_at(ef) f ORDER BY ef;

-- off: one batch of ef_search elements; equal rows share one
SET hnsw.iterative_scan = off;
SELECT ef, f.elements <= ef AS at_most, f.elements >= ef * .9 AS about, f.rows >= f.elements AS more_rows, f.steps_back
	FROM unnest(ARRAY[1, 10, 40, 200, 1000]) ef, found_at(ef) f ORDER BY ef;
SELECT f.* FROM found_at(10000) f;
-- a filter gets what is in the batch
SELECT count(*) < 10 AS short FROM (SELECT id FROM t WHERE id % 100 = 7 ORDER BY v <-> '[.1,.2,.3,.4]' LIMIT 10) s;
-- max_scan_tuples does not limit a batch
SET hnsw.max_scan_tuples = 1;
SELECT f.elements > 180 AS whole_batch FROM found_at(200) f;
RESET hnsw.max_scan_tuples;

-- relaxed_order: goes on; rows that come late may be out of order
SET hnsw.iterative_scan = relaxed_order;
SELECT f.rows, f.elements FROM found() f;
SELECT count(*) FROM (SELECT id FROM t WHERE id % 100 = 7 ORDER BY v <-> '[.1,.2,.3,.4]' LIMIT 10) s;
SELECT f.rows, f.elements FROM found_at(1) f;
-- strict_order: goes on; rows that come late are dropped
SET hnsw.iterative_scan = strict_order;
SELECT f.steps_back, f.rows <= 3600 AS none_twice, f.rows > 2000 AS most FROM found() f;
SELECT f.steps_back, f.rows <= 3600 AS none_twice FROM found_at(1) f;
SELECT count(*) FROM (SELECT id FROM t WHERE id % 100 = 7 ORDER BY v <-> '[.1,.2,.3,.4]' LIMIT 10) s;

-- max_scan_tuples: ends a scan after the tuples visited; in auto only if it is
-- set by somebody
SET hnsw.max_scan_tuples = 500;
SET hnsw.iterative_scan = strict_order;
SELECT f.elements BETWEEN 300 AND 700 AS about_500, f.steps_back FROM found() f;
SET hnsw.iterative_scan = relaxed_order;
SELECT f.elements BETWEEN 300 AND 700 AS about_500 FROM found() f;
SET hnsw.iterative_scan = auto;
SELECT f.elements BETWEEN 300 AND 700 AS about_500 FROM found() f;
-- ... to its default too.  What is late comes last: one step back.
SET hnsw.max_scan_tuples = 20000;
SELECT f.rows, f.elements, f.steps_back <= 1 AS in_order FROM found() f;
RESET hnsw.max_scan_tuples;
SELECT f.rows, f.elements, f.steps_back <= 1 AS in_order FROM found() f;
BEGIN;
SET LOCAL hnsw.max_scan_tuples = 1;
SELECT f.elements < 500 AS first_batch FROM found() f;
SAVEPOINT s;
SET LOCAL hnsw.max_scan_tuples = 2000;
SELECT f.elements > 1500 AS more FROM found() f;
ROLLBACK TO s;
SELECT f.elements < 500 AS first_batch FROM found() f;
ROLLBACK;
SELECT f.rows, f.elements, f.steps_back <= 1 AS in_order FROM found() f;

-- memory: auto goes on with less, slower; the explicit modes stop
CREATE TABLE many (id int, v vector(2));
INSERT INTO many SELECT i, ARRAY[i % 200, i / 200] FROM generate_series(0, 21999) i;
CREATE INDEX many_v ON many USING hnsw (v vector_l2_ops) WITH (m = 6, ef_construction = 20);
ANALYZE many;
CREATE FUNCTION found_many() RETURNS bigint LANGUAGE sql AS $$ SELECT count(DISTINCT id) FROM (SELECT id FROM many ORDER BY v <-> '[50,50]') s $$;
SET work_mem = '64kB';
SELECT found_many();
SELECT array_agg(id) FROM (SELECT id FROM many ORDER BY v <-> '[50.1,50.3]' LIMIT 4) s;
SELECT count(*) FROM (SELECT id FROM many WHERE v <-> '[50,50]' > 150 ORDER BY v <-> '[50,50]' LIMIT 10) s;
-- ... and then as far as an explicit limit allows, which the sweep of all
-- nodes did not look at
SET hnsw.max_scan_tuples = 5000;
SELECT found_many();
SET hnsw.max_scan_tuples = 21000;
SELECT found_many();
SET hnsw.max_scan_tuples = 5;
SELECT found_many() BETWEEN 5 AND 1000 AS first_batch;
SET hnsw.iterative_scan = relaxed_order;
SET hnsw.max_scan_tuples = 1000000;
SELECT found_many() < 22000 AS stops;
SET hnsw.scan_mem_multiplier = 1000;
SELECT found_many();
RESET work_mem;
-- the default of max_scan_tuples ends an explicit mode, but not auto
RESET hnsw.max_scan_tuples;
SELECT found_many() BETWEEN 19000 AND 21999 AS stops;
RESET hnsw.iterative_scan;
SELECT found_many();
RESET hnsw.scan_mem_multiplier;

-- small indexes are read whole in every mode
CREATE TABLE small (id int, v vector(3));
INSERT INTO small SELECT i, ARRAY[i, 0, 0] FROM generate_series(1, 30) i;
CREATE INDEX small_v ON small USING hnsw (v vector_l2_ops);
SELECT mode, count(*) FROM unnest(ARRAY['off', 'relaxed_order', 'strict_order', 'auto']) mode,
	LATERAL (SELECT set_config('hnsw.iterative_scan', mode, false)) c (c),
	LATERAL (SELECT id FROM small ORDER BY v <-> ARRAY[length(c), 0, 0]::vector) s GROUP BY mode ORDER BY mode;
RESET hnsw.iterative_scan;

RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE t, many, small;
DROP FUNCTION found_many;
DROP FUNCTION found_at;
DROP FUNCTION found;
DROP VIEW violations;
DROP FUNCTION vec;
DROP FUNCTION error_of;
