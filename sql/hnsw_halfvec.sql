--
-- hnsw_halfvec: hnsw indexes on halfvec
--

SET client_min_messages = warning;
-- plans that are disabled cost enough to be compiled, which takes long
SET jit = off;

-- Number i of a sequence of vectors: elements in [-1, 1) that follow from i.
CREATE FUNCTION vec(i bigint, dim int) RETURNS halfvec LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::halfvec
	FROM generate_series(1, dim) j
$$;
-- Answers of "SELECT distance FROM ... ORDER BY distance" for 10 queries, $1,
-- by the index with a wide search and without index: how many rows, and how
-- many answers are equal, row by row.  Complains if no index is used.
CREATE FUNCTION compare(query text, dim int, OUT rows bigint, OUT equal bigint)
LANGUAGE plpgsql AS $$
DECLARE
	statement text := 'SELECT array_agg(d::text) FROM (' || query || ') t (d)';
	line text;
	plan text := '';
	found text[];
	exact text[];
BEGIN
	rows := 0;
	equal := 0;
	SET LOCAL hnsw.ef_search = 10000;
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query USING vec(1, dim) LOOP
		plan := plan || E'\n' || line;
	END LOOP;
	IF plan !~ 'Index Scan using .*Order By: ' THEN
		RAISE 'no index is used:%', plan;
	END IF;
	FOR i IN 1..10 LOOP
		SET LOCAL enable_indexscan = on;
		EXECUTE statement INTO found USING vec(-i, dim);
		SET LOCAL enable_indexscan = off;
		EXECUTE statement INTO exact USING vec(-i, dim);
		rows := rows + cardinality(exact);
		equal := equal + (found IS NOT DISTINCT FROM exact)::int;
	END LOOP;
	SET LOCAL hnsw.ef_search = 40;
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
END $$;
-- What the verifier finds in any hnsw index.
CREATE VIEW violations AS
	SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
		hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';

-- All classes, over dimensions that are kept whole and that are coded.
CREATE TABLE small (id int, v halfvec(20));
INSERT INTO small SELECT i, vec(i, 20) FROM generate_series(1, 1000) i;
INSERT INTO small VALUES (0, NULL), (-1, array_fill(0, ARRAY[20]));
CREATE INDEX small_l2 ON small USING hnsw (v halfvec_l2_ops);
CREATE INDEX small_ip ON small USING hnsw (v halfvec_ip_ops);
CREATE INDEX small_cosine ON small USING hnsw (v halfvec_cosine_ops);
CREATE INDEX small_l1 ON small USING hnsw (v halfvec_l1_ops);
CREATE TABLE large (id int, v halfvec(300));
INSERT INTO large SELECT i, vec(i, 300) FROM generate_series(1, 400) i;
CREATE INDEX large_l2 ON large USING hnsw (v halfvec_l2_ops);
CREATE INDEX large_ip ON large USING hnsw (v halfvec_ip_ops);
CREATE INDEX large_cosine ON large USING hnsw (v halfvec_cosine_ops) WITH (m = 8, ef_construction = 32);
CREATE INDEX large_l1 ON large USING hnsw (v halfvec_l1_ops);
SELECT * FROM violations;
SELECT pg_get_indexdef('small_l2'::regclass), pg_get_indexdef('large_cosine'::regclass);

-- halfvec is coded as vector is: as many codes, in as few bytes
CREATE TABLE wide (v vector(300));
INSERT INTO wide SELECT v FROM large;
CREATE INDEX wide_l2 ON wide USING hnsw (v vector_l2_ops);
SELECT pg_relation_size('large_l2') = pg_relation_size('wide_l2') AS as_small;
DROP TABLE wide;

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM small ORDER BY v <-> array_fill(0.5, ARRAY[20])::halfvec LIMIT 5;
RESET enable_seqscan;
SELECT operator, s.*, l.*
	FROM unnest(ARRAY['<->', '<#>', '<=>', '<+>']) operator,
	compare(format('SELECT v %s $1 FROM small WHERE v IS NOT NULL ORDER BY v %s $1 LIMIT 100', operator, operator), 20) s,
	compare(format('SELECT v %s $1 FROM large ORDER BY v %s $1 LIMIT 100', operator, operator), 300) l (large_rows, large_equal);
-- with a filter, and through each set of kernels
SELECT operator, c.*
	FROM unnest(ARRAY['<->', '<#>', '<=>', '<+>']) operator,
	compare(format('SELECT v %s $1 FROM small WHERE id %% 50 = 7 ORDER BY v %s $1 LIMIT 15', operator, operator), 20) c;
SET vector.kernel = 'scalar';
SELECT operator, s.*, l.*
	FROM unnest(ARRAY['<->', '<#>', '<=>', '<+>']) operator,
	compare(format('SELECT v %s $1 FROM small WHERE id > 100 ORDER BY v %s $1 LIMIT 20', operator, operator), 20) s,
	compare(format('SELECT v %s $1 FROM large ORDER BY v %s $1 LIMIT 20', operator, operator), 300) l (large_rows, large_equal);
RESET vector.kernel;
-- the default settings find nearly all
SET enable_seqscan = off;
SELECT count(*) BETWEEN 95 AND 100 AS nearly_all FROM (SELECT vec(-i, 300) AS q FROM generate_series(1, 10) i OFFSET 0) k,
	LATERAL (SELECT id FROM large ORDER BY v <=> q LIMIT 10) f
	WHERE id IN (SELECT id FROM (SELECT id, l2_normalize(v) <-> l2_normalize(q) AS d FROM large) e ORDER BY d LIMIT 10);
RESET enable_seqscan;
-- NULL and, under cosine, the zero vector are not indexed
SET enable_seqscan = off;
SET enable_sort = off;
SELECT count(*) FROM (SELECT id FROM small ORDER BY v <-> vec(1, 20)) s;
SELECT count(*) FROM (SELECT id FROM small ORDER BY v <=> vec(1, 20)) s;
SELECT count(*) FROM (SELECT id FROM small ORDER BY v <-> (SELECT NULL::halfvec)) s;
SELECT count(*) FROM (SELECT id FROM small ORDER BY v <=> array_fill(0, ARRAY[20])::halfvec) s;
SELECT id FROM small ORDER BY v <-> '[1,2]' LIMIT 1;
SELECT id FROM small ORDER BY v <+> '[1,2]' LIMIT 1;
RESET enable_seqscan;
RESET enable_sort;

-- insert, update, delete, vacuum, insert into what that freed
INSERT INTO small SELECT i, vec(i, 20) FROM generate_series(1001, 1300) i;
INSERT INTO small SELECT i, vec(i - 2000, 20) FROM generate_series(2001, 2100) i;
UPDATE small SET v = vec(id + 5000, 20) WHERE id BETWEEN 1 AND 100;
DELETE FROM small WHERE id BETWEEN 200 AND 500;
SELECT * FROM violations;
VACUUM small;
SELECT * FROM violations;
INSERT INTO small SELECT i, vec(i, 20) FROM generate_series(3001, 3200) i;
SELECT * FROM violations;
SELECT operator, c.*
	FROM unnest(ARRAY['<->', '<#>', '<=>', '<+>']) operator,
	compare(format('SELECT v %s $1 FROM small WHERE v IS NOT NULL ORDER BY v %s $1 LIMIT 100', operator, operator), 20) c;
DELETE FROM small;
VACUUM small;
INSERT INTO small SELECT i, vec(i, 20) FROM generate_series(1, 50) i;
SELECT * FROM compare('SELECT v <+> $1 FROM small ORDER BY v <+> $1', 20);
SELECT * FROM violations;
DROP TABLE small, large;

-- an index by expression on a vector column
CREATE TABLE whole (id int, v vector(20));
INSERT INTO whole SELECT i, vec(i, 20) FROM generate_series(1, 500) i;
CREATE INDEX whole_half ON whole USING hnsw ((v::halfvec(20)) halfvec_cosine_ops);
SELECT pg_get_indexdef('whole_half'::regclass);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM whole ORDER BY v::halfvec(20) <=> '[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]' LIMIT 3;
RESET enable_seqscan;
SELECT * FROM compare('SELECT v::halfvec(20) <=> $1 FROM whole ORDER BY v::halfvec(20) <=> $1 LIMIT 50', 20);
INSERT INTO whole VALUES (0, array_fill(70000, ARRAY[20]));
SELECT * FROM violations;
DROP TABLE whole;

-- the most dimensions; larger than a page
CREATE TABLE longest (id int, v halfvec(16000));
CREATE INDEX longest_l2 ON longest USING hnsw (v halfvec_l2_ops);
CREATE INDEX longest_l1 ON longest USING hnsw (v halfvec_l1_ops);
INSERT INTO longest SELECT i, array_fill(i, ARRAY[16000]) FROM generate_series(1, 20) i;
REINDEX TABLE longest;
INSERT INTO longest SELECT i, array_fill(i, ARRAY[16000]) FROM generate_series(21, 30) i;
SET enable_seqscan = off;
SELECT id, v <-> array_fill(22, ARRAY[16000])::halfvec AS l2 FROM longest ORDER BY v <-> array_fill(22, ARRAY[16000])::halfvec, id LIMIT 1;
SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM longest ORDER BY v <+> array_fill(22, ARRAY[16000])::halfvec LIMIT 5) s;
RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE longest;

-- the largest numbers there are
CREATE TABLE extreme (id int, v halfvec(3));
INSERT INTO extreme VALUES (1, '[65504,65504,65504]'), (2, '[-65504,-65504,-65504]'), (3, '[6e-8,-6e-8,0]'), (4, '[-0,0,-0]'), (5, '[0,0,0]'),
	(6, '[65504,-65504,0]');
CREATE INDEX extreme_l2 ON extreme USING hnsw (v halfvec_l2_ops);
CREATE INDEX extreme_ip ON extreme USING hnsw (v halfvec_ip_ops);
CREATE INDEX extreme_cosine ON extreme USING hnsw (v halfvec_cosine_ops);
CREATE INDEX extreme_l1 ON extreme USING hnsw (v halfvec_l1_ops);
SELECT operator, c.*
	FROM unnest(ARRAY['<->', '<#>', '<+>']) operator,
	compare(format('SELECT v %s $1 FROM extreme ORDER BY v %s $1', operator, operator), 3) c;
SELECT * FROM compare('SELECT v <=> $1 FROM extreme WHERE id NOT IN (4, 5) ORDER BY v <=> $1', 3);
SELECT * FROM violations;
DROP TABLE extreme;

-- unlogged; built in parallel
CREATE UNLOGGED TABLE unlogged (v halfvec(4));
CREATE INDEX ON unlogged USING hnsw (v halfvec_l2_ops);
INSERT INTO unlogged SELECT vec(i, 4) FROM generate_series(1, 50) i;
SELECT * FROM compare('SELECT v <-> $1 FROM unlogged ORDER BY v <-> $1 LIMIT 20', 4);
SELECT * FROM violations;
DROP TABLE unlogged;
CREATE TABLE many (v halfvec(64)) WITH (parallel_workers = 2);
INSERT INTO many SELECT vec(i, 64) FROM generate_series(1, 1500) i;
SET min_parallel_table_scan_size = 0;
CREATE INDEX ON many USING hnsw (v halfvec_ip_ops);
RESET min_parallel_table_scan_size;
SELECT * FROM compare('SELECT v <#> $1 FROM many ORDER BY v <#> $1 LIMIT 50', 64);
SELECT * FROM violations;
DROP TABLE many;

DROP VIEW violations;
DROP FUNCTION compare, vec;
