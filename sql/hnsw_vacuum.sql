--
-- hnsw_vacuum: deletion, repair, and space that is used again
--

-- Plans forced by enable_seqscan = off look expensive; none is worth compiling.
SET jit = off;
SET client_min_messages = warning;

-- Number i of a sequence of vectors: elements in [-1, 1) that follow from i.
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, dim) j
$$;
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
-- Slots of an index by state, and the heap TIDs in them.
CREATE FUNCTION slots(index regclass, OUT live bigint, OUT empty bigint, OUT free bigint, OUT tids bigint) LANGUAGE sql AS $$
	SELECT count(*) FILTER (WHERE state = 'live'), count(*) FILTER (WHERE state = 'empty'),
		count(*) FILTER (WHERE state = 'free'), coalesce(sum(ntids) FILTER (WHERE state = 'live'), 0)::bigint
	FROM generate_series(0, pg_relation_size(index) / current_setting('block_size')::int - 1) b, hnsw_page_items(index, b) WHERE ntids IS NOT NULL
$$;

-- a third of the rows
CREATE TABLE t (id int, v vector(6)) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, vec(i, 6) FROM generate_series(1, 1500) i;
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_ip ON t USING hnsw (v vector_ip_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops);
DELETE FROM t WHERE id % 3 = 0;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(3, 6)) FROM t ORDER BY v <-> (SELECT vec(3, 6))$$) c;
SELECT * FROM violations;
VACUUM t;
SELECT i, s.live, s.empty, s.tids FROM unnest(ARRAY['t_l2', 't_ip', 't_cosine', 't_l1']) i, slots(i::regclass) s;
SELECT relname, reltuples FROM pg_class WHERE relname LIKE 't\__%' ORDER BY 1;
SELECT o, c.* FROM unnest(ARRAY['<->', '<#>', '<=>', '<+>']) o,
	compare(format('SELECT v %s (SELECT vec(3, 6)) FROM t ORDER BY v %1$s (SELECT vec(3, 6))', o)) c;
SELECT * FROM violations;
-- again, with nothing to do; and again for statistics, and to freeze
VACUUM t;
VACUUM ANALYZE t;
ANALYZE t;
VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) t;
VACUUM (INDEX_CLEANUP off) t;
SELECT i, s.live, s.empty, s.tids FROM unnest(ARRAY['t_l2', 't_ip', 't_cosine', 't_l1']) i, slots(i::regclass) s;
SELECT * FROM violations;
-- in parallel
DELETE FROM t WHERE id % 3 = 1;
SET min_parallel_index_scan_size = 0;
VACUUM (PARALLEL 2) t;
RESET min_parallel_index_scan_size;
SELECT i, s.live, s.empty, s.tids FROM unnest(ARRAY['t_l2', 't_ip', 't_cosine', 't_l1']) i, slots(i::regclass) s;
SELECT o, c.* FROM unnest(ARRAY['<->', '<#>', '<=>', '<+>']) o,
	compare(format('SELECT v %s (SELECT vec(3, 6)) FROM t ORDER BY v %1$s (SELECT vec(3, 6))', o)) c;
SELECT * FROM violations;
DROP TABLE t;

-- delete, vacuum, insert others, four times: the file stays as large as it was
CREATE TABLE t (id int, v vector(6)) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, vec(i, 6) FROM generate_series(1, 1000) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops);
SELECT pg_relation_size('t_v') AS size, pg_relation_size('t_l1') AS size_l1 \gset
DELETE FROM t WHERE id % 2 = 0;
VACUUM t;
INSERT INTO t SELECT 10000 + i, vec(10000 + i, 6) FROM generate_series(1, 500) i;
SELECT pg_relation_size('t_v') <= :size AS reused, pg_relation_size('t_l1') <= :size_l1 AS reused_l1;
SELECT i, s.live, s.empty, s.tids FROM unnest(ARRAY['t_v', 't_l1']) i, slots(i::regclass) s;
SELECT * FROM violations;
DELETE FROM t WHERE id < 10000;
VACUUM t;
INSERT INTO t SELECT 20000 + i, vec(20000 + i, 6) FROM generate_series(1, 500) i;
DELETE FROM t WHERE id < 20000;
VACUUM t;
INSERT INTO t SELECT 30000 + i, vec(30000 + i, 6) FROM generate_series(1, 500) i;
SELECT * FROM violations;
DELETE FROM t WHERE id < 30000;
VACUUM t;
INSERT INTO t SELECT 40000 + i, vec(40000 + i, 6) FROM generate_series(1, 500) i;
SELECT pg_relation_size('t_v') <= :size * 1.1 AS bounded, pg_relation_size('t_l1') <= :size_l1 * 1.1 AS bounded_l1;
SELECT o, c.* FROM unnest(ARRAY['<->', '<+>']) o,
	compare(format('SELECT v %s (SELECT vec(3, 6)) FROM t ORDER BY v %1$s (SELECT vec(3, 6))', o)) c;
SELECT * FROM violations;

-- everything, and then something again
DELETE FROM t;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(3, 6)) FROM t ORDER BY v <-> (SELECT vec(3, 6))$$) c;
VACUUM t;
SELECT i, s.live, s.empty, s.free > 0 AS free, s.tids FROM unnest(ARRAY['t_v', 't_l1']) i, slots(i::regclass) s;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(3, 6)) FROM t ORDER BY v <-> (SELECT vec(3, 6))$$) c;
SELECT * FROM violations;
VACUUM t;
INSERT INTO t VALUES (1, vec(1, 6));
SELECT * FROM violations;
INSERT INTO t SELECT i, vec(i, 6) FROM generate_series(2, 900) i;
SELECT pg_relation_size('t_v') <= :size * 1.1 AS bounded, pg_relation_size('t_l1') <= :size_l1 * 1.1 AS bounded_l1;
SELECT o, c.* FROM unnest(ARRAY['<->', '<+>']) o,
	compare(format('SELECT v %s (SELECT vec(3, 6)) FROM t ORDER BY v %1$s (SELECT vec(3, 6))', o)) c;
SELECT * FROM violations;
-- all but one, in one go and one by one
DELETE FROM t WHERE id <> 450;
VACUUM t;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(3, 6)) FROM t ORDER BY v <-> (SELECT vec(3, 6))$$) c;
INSERT INTO t SELECT i, vec(i, 6) FROM generate_series(1, 40) i;
SELECT * FROM violations;
DROP TABLE t;

-- a region of space that loses all its points
CREATE TABLE t (id int, v vector(2)) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, ARRAY[i % 50, i / 50] FROM generate_series(0, 2499) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
DELETE FROM t WHERE v <-> '[25,25]' < 18;
VACUUM t;
SELECT c.* FROM compare($$SELECT v <-> '[25,25]' FROM t ORDER BY v <-> '[25,25]' LIMIT 50$$) c;
SELECT c.* FROM compare($$SELECT v <-> '[25,25]' FROM t ORDER BY v <-> '[25,25]'$$) c;
SELECT * FROM violations;
INSERT INTO t SELECT i + 5000, ARRAY[i % 50, i / 50] FROM generate_series(0, 2499) i WHERE ARRAY[i % 50, i / 50]::vector <-> '[25,25]' < 18;
SELECT c.* FROM compare($$SELECT v <-> '[25,25]' FROM t ORDER BY v <-> '[25,25]'$$) c;
SELECT * FROM violations;
DROP TABLE t;

-- with hardly any edges inserts can leave a node that no edge names; a full scan
-- finds it all the same, and VACUUM links it
CREATE TABLE t (id int, v vector(2)) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, ARRAY[i % 50, i / 50] FROM generate_series(0, 2499) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops) WITH (m = 2, ef_construction = 4);
DELETE FROM t WHERE v <-> '[25,25]' < 18;
VACUUM t;
SELECT * FROM violations;
INSERT INTO t SELECT i + 5000, ARRAY[i % 50, i / 50] FROM generate_series(0, 2499) i WHERE ARRAY[i % 50, i / 50]::vector <-> '[25,25]' < 18;
SELECT c.* FROM compare($$SELECT v <-> '[25,25]' FROM t ORDER BY v <-> '[25,25]'$$) c;
SELECT * FROM violations WHERE rule <> 'V6';
DELETE FROM t WHERE id = 0;
VACUUM t;
SELECT c.* FROM compare($$SELECT v <-> '[25,25]' FROM t ORDER BY v <-> '[25,25]'$$) c;
SELECT * FROM violations;
DROP TABLE t;

-- equal rows: some of a node's, then all of them
CREATE TABLE t (id int, v vector(3)) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, ARRAY[i % 5, 0, 0] FROM generate_series(1, 3000) i;
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(3001, 3100) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
DELETE FROM t WHERE id % 2 = 0 AND id <= 3000;
VACUUM t;
SELECT s.live, s.empty, s.tids FROM slots('t_v') s;
SELECT c.* FROM compare($$SELECT v <-> '[2,0,0]' FROM t ORDER BY v <-> '[2,0,0]'$$) c;
SELECT * FROM violations;
DELETE FROM t WHERE id <= 3000 AND id > 7;
VACUUM t;
SELECT s.live, s.empty, s.tids FROM slots('t_v') s;
SELECT pg_relation_size('t_v') AS size \gset
INSERT INTO t SELECT i, ARRAY[i % 5, 0, 0] FROM generate_series(8, 2000) i;
SELECT pg_relation_size('t_v') <= :size AS reused;
SELECT * FROM violations;
DELETE FROM t WHERE v = '[2,0,0]';
VACUUM t;
SELECT s.live, s.empty, s.tids FROM slots('t_v') s;
INSERT INTO t VALUES (9999, '[2,0,0]');
SET enable_seqscan = off;
SELECT id FROM t ORDER BY v <-> '[2,0,0]' LIMIT 1;
RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE t;

-- updates: HOT ones do not reach the index, others make TIDs of one vector
CREATE TABLE t (id int, n int, v vector(3)) WITH (autovacuum_enabled = off, fillfactor = 40);
INSERT INTO t SELECT i, 0, vec(i, 3) FROM generate_series(1, 200) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
UPDATE t SET n = n + 1;
SELECT s.live, s.tids FROM slots('t_v') s;
SET enable_seqscan = off;
SELECT id, n FROM t ORDER BY v <-> (SELECT vec(77, 3)) LIMIT 1;
RESET enable_seqscan;
SELECT * FROM violations;
VACUUM t;
UPDATE t SET n = n + 1;
SELECT s.live, s.tids FROM slots('t_v') s;
SELECT * FROM violations;
CREATE INDEX t_n ON t (n);
DO $$
BEGIN
	FOR i IN 1 .. 12 LOOP
		UPDATE t SET n = n + 1;
	END LOOP;
END $$;
SELECT s.live, s.tids FROM slots('t_v') s;
SELECT c.* FROM compare($$SELECT v <-> '[1,0,0]' FROM t ORDER BY v <-> '[1,0,0]'$$) c;
SELECT * FROM violations;
VACUUM t;
SELECT s.live, s.empty, s.tids FROM slots('t_v') s;
SELECT * FROM violations;
-- a row updated again and again: its node's TIDs come and go, the file does not grow
SELECT pg_relation_size('t_v') AS size \gset
DO $$ BEGIN FOR i IN 1 .. 1000 LOOP UPDATE t SET n = n + 1 WHERE id = 5; END LOOP; END $$;
VACUUM t;
DO $$ BEGIN FOR i IN 1 .. 1000 LOOP UPDATE t SET n = n + 1 WHERE id = 5; END LOOP; END $$;
VACUUM t;
DO $$ BEGIN FOR i IN 1 .. 1000 LOOP UPDATE t SET n = n + 1 WHERE id = 5; END LOOP; END $$;
VACUUM t;
SELECT s.live, s.empty, s.tids FROM slots('t_v') s;
SELECT pg_relation_size('t_v') <= :size + 20 * current_setting('block_size')::int AS bounded;
SELECT * FROM violations;
DROP TABLE t;

-- rows that still must be seen by a snapshot are kept
CREATE TABLE t (id int, v vector(3)) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(1, 300) i;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
BEGIN;
DELETE FROM t WHERE id <= 100;
ROLLBACK;
VACUUM t;
SELECT s.live, s.tids FROM slots('t_v') s;
SELECT * FROM violations;
-- rows that never were
BEGIN;
INSERT INTO t SELECT i, vec(i, 3) FROM generate_series(301, 400) i;
ROLLBACK;
SELECT s.live, s.tids FROM slots('t_v') s;
VACUUM t;
SELECT s.live, s.tids FROM slots('t_v') s;
SELECT * FROM violations;
DROP TABLE t;

-- an empty index, one of NULLs only
CREATE TABLE t (id int, v vector(3)) WITH (autovacuum_enabled = off);
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
VACUUM t;
INSERT INTO t SELECT i, NULL FROM generate_series(1, 10) i;
DELETE FROM t WHERE id < 5;
VACUUM t;
SELECT s.* FROM slots('t_v') s;
SELECT * FROM violations;
DROP TABLE t;

-- nodes of a page each and of several
CREATE TABLE t (id int, v vector(1536), w vector(5000)) WITH (autovacuum_enabled = off);
INSERT INTO t SELECT i, vec(i, 1536), vec(i, 5000) FROM generate_series(1, 60) i;
CREATE INDEX t_v ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_w ON t USING hnsw (w vector_l2_ops);
SELECT pg_relation_size('t_v') AS size, pg_relation_size('t_w') AS size_w \gset
DELETE FROM t WHERE id % 2 = 0;
VACUUM t;
SELECT i, s.live, s.empty, s.tids FROM unnest(ARRAY['t_v', 't_w']) i, slots(i::regclass) s;
INSERT INTO t SELECT i, vec(i, 1536), vec(i, 5000) FROM generate_series(61, 90) i;
SELECT pg_relation_size('t_v') <= :size AS reused, pg_relation_size('t_w') <= :size_w AS reused_w;
SELECT c.* FROM compare($$SELECT v <=> (SELECT vec(0, 1536)) FROM t ORDER BY v <=> (SELECT vec(0, 1536))$$) c;
SELECT c.* FROM compare($$SELECT w <-> (SELECT vec(0, 5000)) FROM t ORDER BY w <-> (SELECT vec(0, 5000))$$) c;
SELECT * FROM violations;
DROP TABLE t;

DROP FUNCTION slots;
DROP VIEW violations;
DROP FUNCTION compare;
DROP FUNCTION vec;
