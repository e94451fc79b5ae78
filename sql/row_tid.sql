--
-- row_tid: rows that an Index Scan has held back for their order
--
-- Servers that leave the TID of such a row unset gave (4294967295,0) for ctid, and
-- FOR UPDATE failed with "attempted to lock invisible tuple".
--
CREATE TABLE item AS SELECT i AS id, 0 AS n, (
	SELECT array_agg((hashint8(i * 1000 + j) % 1000) / 1000.0) FROM generate_series(1, 320) j)::vector(320) AS v
	FROM generate_series(1, 300) i;
CREATE INDEX item_v ON item USING hnsw (v vector_l2_ops);
SET enable_seqscan = off;
CREATE FUNCTION q() RETURNS vector LANGUAGE sql STABLE AS 'SELECT array_fill(0.1, ARRAY[320])::vector';
CREATE FUNCTION scan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		RETURN QUERY SELECT substring(line from '\w+ Scan using \w+') WHERE line ~ 'Scan';
	END LOOP;
END $$;
SELECT scan('SELECT ctid, id FROM item ORDER BY v <-> q() LIMIT 40');
SELECT count(*) FROM (SELECT ctid AS tid, id FROM item ORDER BY v <-> q() LIMIT 40) s JOIN item USING (id) WHERE item.ctid = s.tid;

-- with a condition of its own, and below other nodes
SELECT count(*) FROM (SELECT ctid AS tid, id FROM item WHERE id % 2 = 0 ORDER BY v <-> q() LIMIT 40) s JOIN item USING (id) WHERE item.ctid = s.tid;
SELECT count(*) FROM generate_series(1, 3) i, LATERAL (SELECT ctid AS tid, id FROM item WHERE id > i ORDER BY v <-> q() LIMIT 10) s
	JOIN item USING (id) WHERE item.ctid = s.tid;
SELECT (SELECT ctid FROM item ORDER BY v <-> q() OFFSET 7 LIMIT 1) = ctid FROM item ORDER BY v <-> q() OFFSET 7 LIMIT 1;

-- locks, and changes of what a cursor is on
BEGIN;
SELECT count(*) FROM (SELECT id FROM item ORDER BY v <-> q() LIMIT 20 FOR UPDATE) s;
SELECT count(*) FROM item WHERE xmax::text <> '0';
DECLARE c CURSOR FOR SELECT id FROM item ORDER BY v <-> q() FOR UPDATE;
MOVE 4 FROM c;
FETCH 1 FROM c;
UPDATE item SET n = 1 WHERE CURRENT OF c;
CLOSE c;
DECLARE c CURSOR FOR SELECT id FROM item ORDER BY v <-> q();
MOVE 9 FROM c;
FETCH 1 FROM c;
DELETE FROM item WHERE CURRENT OF c;
COMMIT;
SELECT id FROM item WHERE n = 1;
SELECT count(*) FROM item;
DELETE FROM item WHERE ctid IN (SELECT ctid FROM item ORDER BY v <-> q() LIMIT 9);
SELECT count(*) FROM item;
SELECT * FROM hnsw_index_check('item_v', true, true);
DROP TABLE item;
DROP FUNCTION q, scan;
