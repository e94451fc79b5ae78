--
-- hnsw_filter: a scan goes on until the executor has what it asked for, so a
-- condition beside the order never makes an answer too short
--

-- Plans forced by enable_seqscan = off look expensive; none is worth compiling.
SET jit = off;
SET client_min_messages = warning;

-- A plan.  18 and later say what is disabled.
CREATE FUNCTION explain(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		CONTINUE WHEN line ~ '^ *Disabled: true$';
		RETURN NEXT line;
	END LOOP;
END $$;
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
CREATE TABLE item (id int PRIMARY KEY, a int, b int, far boolean, v vector(8));
INSERT INTO item SELECT i, i % 10, i % 1000, false, vec(i, 8) FROM generate_series(1, 4000) i;
-- twenty rows far from all others
INSERT INTO item SELECT i, 0, 0, true, array_fill(50 + i % 7, ARRAY[8])::vector FROM generate_series(4001, 4020) i;
CREATE INDEX item_v ON item USING hnsw (v vector_l2_ops);
ANALYZE item;
SET enable_seqscan = off;
SET enable_sort = off;
SET enable_bitmapscan = off;

-- one row in ten, in a thousand, four of all, none
SELECT explain($$SELECT id FROM item WHERE b = 7 ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 10$$);
SELECT count(*) FROM (SELECT id FROM item WHERE a = 7 ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 100) s;
SELECT count(*) FROM (SELECT id FROM item WHERE a = 7 ORDER BY v <-> '[0,0,0,0,0,0,0,0]') s;
SELECT id % 1000 AS b, count(*) FROM (SELECT id FROM item WHERE b = 7 ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 10) s GROUP BY 1;
SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM item WHERE id % 1340 = 3 ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 10) s;
SELECT count(*) FROM (SELECT id FROM item WHERE a = 11 ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 10) s;
-- only what is farthest
SELECT count(*) FROM (SELECT id FROM item WHERE far ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 10) s;
SELECT count(*) FROM (SELECT id FROM item WHERE far ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 50) s;
SELECT count(*) FROM (SELECT id FROM item WHERE NOT far ORDER BY v <-> '[99,99,99,99,99,99,99,99]' LIMIT 50) s;
SELECT count(*) FROM (SELECT id FROM item WHERE NOT far ORDER BY v <-> '[99,99,99,99,99,99,99,99]') s;
-- a distance as condition
SELECT c.* FROM compare($$SELECT v <-> '[51,51,51,51,51,51,51,51]' FROM item WHERE v <-> '[51,51,51,51,51,51,51,51]' < 10
	ORDER BY v <-> '[51,51,51,51,51,51,51,51]'$$) c;
-- the same rows as without an index
SET hnsw.ef_search = 40;
SELECT c.* FROM compare($$SELECT v <-> '[1,0,0,0,0,0,0,0]' FROM item WHERE b % 50 = 3 ORDER BY v <-> '[1,0,0,0,0,0,0,0]'$$) c;
SELECT c.* FROM compare($$SELECT v <-> '[1,0,0,0,0,0,0,0]' FROM item WHERE a = 3 AND b < 100 ORDER BY v <-> '[1,0,0,0,0,0,0,0]'$$) c;
SELECT c.* FROM compare($$SELECT v <-> '[1,0,0,0,0,0,0,0]' FROM item WHERE id = ANY ('{1,17,400,4020,9999}') ORDER BY v <-> '[1,0,0,0,0,0,0,0]'$$) c;
-- the narrowest look-ahead
SET hnsw.ef_search = 1;
SELECT count(*) FROM (SELECT id FROM item WHERE b = 7 ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 10) s;
SELECT count(*) FROM (SELECT id FROM item WHERE far ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 10) s;
RESET hnsw.ef_search;

-- conditions from elsewhere: joins, sub-selects
CREATE TABLE wanted (a int PRIMARY KEY, b int);
INSERT INTO wanted VALUES (3, 33), (4, 44);
ANALYZE wanted;
SELECT count(*) FROM (SELECT item.id FROM item JOIN wanted ON item.a = wanted.a AND item.b = wanted.b ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 20) s;
SELECT count(*) FROM (SELECT id FROM item WHERE EXISTS (SELECT FROM wanted WHERE wanted.b = item.b) ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 8) s;
SELECT count(*) FROM (SELECT id FROM item WHERE NOT EXISTS (SELECT FROM wanted WHERE wanted.a = item.a) ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 300) s;
SELECT count(*) FROM (SELECT id FROM item LEFT JOIN wanted USING (a) WHERE wanted.a IS NULL ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 300) s;
-- one row of each group, through LATERAL
SELECT b, count(*) FROM (SELECT g AS b, r.id FROM generate_series(1, 5) g,
	LATERAL (SELECT id FROM item WHERE item.b = g ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 3) r) s GROUP BY b ORDER BY b;

-- rows that are dead, or not there yet for this snapshot
BEGIN;
DELETE FROM item WHERE id <= 3900;
SELECT count(*) FROM (SELECT id FROM item ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 110) s;
SELECT count(*) FROM (SELECT id FROM item ORDER BY v <-> '[0,0,0,0,0,0,0,0]') s;
ROLLBACK;
BEGIN;
INSERT INTO item SELECT 10000 + i, i % 10, i % 1000, false, vec(i, 8) * '[.1,.1,.1,.1,.1,.1,.1,.1]' FROM generate_series(1, 500) i;
ROLLBACK;
SELECT count(*) FROM (SELECT id FROM item ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 110) s;
SELECT c.* FROM compare($$SELECT v <-> '[1,0,0,0,0,0,0,0]' FROM item ORDER BY v <-> '[1,0,0,0,0,0,0,0]'$$) c;

-- row security
CREATE ROLE regress_hnsw_reader;
GRANT SELECT ON item TO regress_hnsw_reader;
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON item FOR SELECT TO regress_hnsw_reader USING (b % 100 = current_setting('item.tenant')::int);
SET item.tenant = 42;
SET ROLE regress_hnsw_reader;
SELECT explain($$SELECT id FROM item ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 30$$);
SELECT count(*), count(*) FILTER (WHERE id % 100 = 42) FROM (SELECT id FROM item ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 30) s;
SELECT count(*) FROM (SELECT id FROM item ORDER BY v <-> '[0,0,0,0,0,0,0,0]') s;
SELECT count(*) FROM (SELECT id FROM item WHERE a = 2 AND b = 942 ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 10) s;
RESET ROLE;
RESET item.tenant;
DROP POLICY tenant ON item;
ALTER TABLE item DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON item FROM regress_hnsw_reader;
DROP ROLE regress_hnsw_reader;

-- partitions, merged by distance
CREATE TABLE part (id int, k int, v vector(3)) PARTITION BY LIST (k);
CREATE TABLE part0 PARTITION OF part FOR VALUES IN (0);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part2 PARTITION OF part FOR VALUES IN (2);
INSERT INTO part SELECT i, i % 3, ARRAY[i, 0, 0] FROM generate_series(1, 900) i;
CREATE INDEX part_v ON part USING hnsw (v vector_l2_ops);
ANALYZE part;
EXPLAIN (COSTS OFF) SELECT id FROM part ORDER BY v <-> '[0,0,0]' LIMIT 7;
SELECT array_agg(id) FROM (SELECT id FROM part ORDER BY v <-> '[0,0,0]' LIMIT 7) s;
SELECT array_agg(id) FROM (SELECT id FROM part WHERE id % 100 = 99 ORDER BY v <-> '[0,0,0]' LIMIT 7) s;
SELECT explain($$SELECT id FROM part WHERE k = 1 ORDER BY v <-> '[0,0,0]' LIMIT 3$$);
SELECT array_agg(id) FROM (SELECT id FROM part WHERE k = 1 ORDER BY v <-> '[0,0,0]' LIMIT 3) s;
SELECT c.* FROM compare($$SELECT v <-> '[450,0,0]' FROM part ORDER BY v <-> '[450,0,0]'$$) c;
SELECT c.* FROM compare($$SELECT v <-> '[450,0,0]' FROM part WHERE k <> 0 AND id % 7 = 0 ORDER BY v <-> '[450,0,0]'$$) c;
-- the same for UNION ALL
EXPLAIN (COSTS OFF) SELECT id FROM (SELECT id, v FROM part0 UNION ALL SELECT id, v FROM part2) u ORDER BY v <-> '[0,0,0]' LIMIT 4;
SELECT array_agg(id) FROM (SELECT id FROM (SELECT id, v FROM part0 UNION ALL SELECT id, v FROM part2) u ORDER BY v <-> '[0,0,0]' LIMIT 4) s;

RESET enable_seqscan;
RESET enable_sort;
RESET enable_bitmapscan;
SELECT * FROM violations;
DROP TABLE item, wanted, part;

DROP VIEW violations;
DROP FUNCTION compare;
DROP FUNCTION vec;
DROP FUNCTION explain;
