--
-- hnsw_unlogged: unlogged tables and the fork that they start from after a crash
--
-- That it serves after a crash is shown by test/t/002_restart.pl.
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
-- Sizes in pages: main fork, init fork.
CREATE FUNCTION forks(index regclass, OUT main bigint, OUT init bigint) LANGUAGE sql AS $$
	SELECT pg_relation_size(index, 'main') / current_setting('block_size')::int,
		pg_relation_size(index, 'init') / current_setting('block_size')::int
$$;

CREATE UNLOGGED TABLE t (id int, v vector(5));
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
-- the init fork is an empty index: what a new one has
SELECT f.main = f.init AS same, f.init > 0 AS there FROM forks('t_v') f;
INSERT INTO t SELECT i, vec(i, 5) FROM generate_series(1, 600) i;
SELECT f.main > f.init AS grown FROM forks('t_v') f;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(0, 5)) FROM t ORDER BY v <-> (SELECT vec(0, 5))$$) c;
DELETE FROM t WHERE id % 2 = 0;
VACUUM t;
INSERT INTO t SELECT i, vec(i, 5) FROM generate_series(601, 900) i;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(0, 5)) FROM t ORDER BY v <-> (SELECT vec(0, 5))$$) c;
SELECT * FROM violations;

-- built on rows, and built again
DROP INDEX t_v;
CREATE INDEX t_v ON t USING hnsw (v vector_cosine_ops);
SELECT f.init > 0 AS there FROM forks('t_v') f;
REINDEX INDEX t_v;
SELECT f.init > 0 AS there FROM forks('t_v') f;
REINDEX INDEX CONCURRENTLY t_v;
SELECT f.init > 0 AS there FROM forks('t_v') f;
SELECT c.* FROM compare($$SELECT v <=> (SELECT vec(0, 5)) FROM t ORDER BY v <=> (SELECT vec(0, 5))$$) c;
SELECT * FROM violations;
CREATE INDEX CONCURRENTLY t_l1 ON t USING hnsw (v vector_l1_ops);
SELECT f.init > 0 AS there FROM forks('t_l1') f;
SELECT * FROM violations;

-- there and back
ALTER TABLE t SET LOGGED;
SELECT relname, relpersistence, (forks(oid)).init FROM pg_class WHERE relname LIKE 't\_%' ORDER BY 1;
SELECT c.* FROM compare($$SELECT v <=> (SELECT vec(0, 5)) FROM t ORDER BY v <=> (SELECT vec(0, 5))$$) c;
SELECT * FROM violations;
ALTER TABLE t SET UNLOGGED;
SELECT relname, relpersistence, (forks(oid)).init > 0 AS there FROM pg_class WHERE relname LIKE 't\_%' ORDER BY 1;
SELECT c.* FROM compare($$SELECT v <+> (SELECT vec(0, 5)) FROM t ORDER BY v <+> (SELECT vec(0, 5))$$) c;
SELECT * FROM violations;

-- TRUNCATE
TRUNCATE t;
SELECT f.main = f.init AS same, f.init > 0 AS there FROM forks('t_v') f;
INSERT INTO t SELECT i, vec(i, 5) FROM generate_series(1, 100) i;
SELECT c.* FROM compare($$SELECT v <=> (SELECT vec(0, 5)) FROM t ORDER BY v <=> (SELECT vec(0, 5))$$) c;
SELECT * FROM violations;
DROP TABLE t;

-- nodes of several pages; what an unlogged index refuses, it refuses like others
CREATE UNLOGGED TABLE t (id int, v vector(9000), w vector);
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_w ON t USING hnsw (w vector_l2_ops);
INSERT INTO t SELECT i, vec(i, 9000) FROM generate_series(1, 15) i;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(0, 9000)) FROM t ORDER BY v <-> (SELECT vec(0, 9000))$$) c;
SELECT * FROM violations;
DROP TABLE t;

DROP FUNCTION forks;
DROP VIEW violations;
DROP FUNCTION compare;
DROP FUNCTION vec;
