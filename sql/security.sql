--
-- security: nobody sees more through an index than without, or uses more memory
-- than is allowed
--

SET client_min_messages = warning;
SET jit = off;

CREATE ROLE regress_security_owner;
CREATE ROLE regress_security_reader;
CREATE SCHEMA secured AUTHORIZATION regress_security_owner;
CREATE SCHEMA reader AUTHORIZATION regress_security_reader;
GRANT USAGE ON SCHEMA secured TO regress_security_reader;

-- ---------- row security and columns ----------

-- of 4000 rows, one in 50 is the reader's
SET ROLE regress_security_owner;
CREATE TABLE secured.t (id int, mine boolean, v vector(3), hidden text DEFAULT 'hidden');
INSERT INTO secured.t SELECT i, i % 50 = 0, ARRAY[i % 61, i % 67, i % 71] FROM generate_series(1, 4000) i;
CREATE INDEX t_v ON secured.t USING hnsw (v vector_l2_ops);
CREATE INDEX t_mine ON secured.t (mine) WHERE mine;
CREATE INDEX t_id ON secured.t (id);
ANALYZE secured.t;
CREATE POLICY own ON secured.t USING (mine);
ALTER TABLE secured.t ENABLE ROW LEVEL SECURITY;
GRANT SELECT (id, mine, v) ON secured.t TO regress_security_reader;

-- a filter that is cheap, so that it would come first, and does not keep quiet
SET ROLE regress_security_reader;
CREATE FUNCTION reader.peek(id int) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	IF id % 50 <> 0 THEN
		RAISE EXCEPTION 'a row is no secret';
	END IF;
	RETURN true;
END $$;
CREATE FUNCTION reader.nearest(filter text, OUT plan text, OUT ids int[]) LANGUAGE plpgsql AS $$
DECLARE
	query text := 'SELECT id FROM secured.t WHERE ' || filter || ' ORDER BY v <-> ''[10,20,30]'' LIMIT 5';
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := nullif(concat_ws(', ', plan, substring(line from 'AdaptiveVectorScan|(?:Index|Seq|Bitmap Heap) Scan.*')), '');
	END LOOP;
	EXECUTE 'SELECT array_agg(id) FROM (' || query || ') s' INTO ids;
END $$;
SET enable_sort = off;
SET hnsw.adaptive_scan = off;
SELECT * FROM reader.nearest('reader.peek(id)');
SET enable_indexscan = off;
SELECT * FROM reader.nearest('reader.peek(id)');
SET enable_bitmapscan = off;
SELECT * FROM reader.nearest('reader.peek(id)');
RESET enable_indexscan;
-- the adaptive scan, with an exact plan that is a sequential scan or a bitmap
SET hnsw.adaptive_scan = on;
SELECT * FROM reader.nearest('reader.peek(id)');
RESET enable_bitmapscan;
SELECT * FROM reader.nearest('reader.peek(id)');
SELECT * FROM reader.nearest('reader.peek(id) AND id < 3000');
SET enable_seqscan = off;
SELECT * FROM reader.nearest('reader.peek(id)');
RESET enable_seqscan;
RESET enable_sort;
-- it would have told
RESET ROLE;
SELECT * FROM reader.nearest('reader.peek(id)');
-- a column that is not granted: not in a filter, nor as a whole row
SET ROLE regress_security_reader;
SELECT id FROM secured.t WHERE hidden = 'hidden' ORDER BY v <-> '[10,20,30]' LIMIT 1;
SELECT t FROM secured.t ORDER BY v <-> '[10,20,30]' LIMIT 1;
RESET ROLE;
RESET hnsw.adaptive_scan;

-- ---------- memory ----------

-- Kilobytes that a query has in use after 'n' rows, more than before it.
CREATE FUNCTION kilobytes(query text, n int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	c refcursor;
	kb bigint := 0;
BEGIN
	FOR i IN 1..2 LOOP
		-- the first time caches are filled
		OPEN c FOR EXECUTE query;
		SELECT -sum(total_bytes) INTO kb FROM pg_backend_memory_contexts;
		MOVE FORWARD n FROM c;
		SELECT kb + sum(total_bytes) INTO kb FROM pg_backend_memory_contexts;
		CLOSE c;
	END LOOP;
	RETURN kb / 1024;
END $$;
CREATE TABLE many (id int, v vector(3));
INSERT INTO many SELECT i, ARRAY[i % 61, i % 67, i % 71] FROM generate_series(1, 16000) i;
CREATE INDEX many_v ON many USING hnsw (v vector_l2_ops);
ANALYZE many;
SET enable_seqscan = off;
SET enable_sort = off;
SET work_mem = '64kB';
-- most of the rows, one by one
SELECT kilobytes($$SELECT id FROM many ORDER BY v <-> '[10,20,30]'$$, 15000) < 640 AS small,
	kilobytes($$SELECT id FROM many WHERE id % 10 > 0 ORDER BY v <-> '[10,20,30]'$$, 14000) < 640 AS small_with_filter;
SET hnsw.adaptive_scan = off;
SELECT kilobytes($$SELECT id FROM many WHERE id % 10 > 0 ORDER BY v <-> '[10,20,30]'$$, 14000) < 640 AS small_with_filter;
-- each can have more, for a walk that looks far ahead
SET hnsw.iterative_scan = strict_order;
SET hnsw.ef_search = 10000;
SELECT kilobytes($$SELECT id FROM many ORDER BY v <-> '[10,20,30]'$$, 1) < 640 AS small;
SET hnsw.scan_mem_multiplier = 100;
SELECT kilobytes($$SELECT id FROM many ORDER BY v <-> '[10,20,30]'$$, 1) > 640 AS large;
RESET hnsw.scan_mem_multiplier;
SET work_mem = '64MB';
SELECT kilobytes($$SELECT id FROM many ORDER BY v <-> '[10,20,30]'$$, 1) > 640 AS large;
RESET hnsw.ef_search;
RESET hnsw.iterative_scan;
SET hnsw.adaptive_scan = on;
SELECT kilobytes($$SELECT id FROM many WHERE id % 10 > 0 ORDER BY v <-> '[10,20,30]'$$, 14000) > 640 AS large_with_filter;

SELECT * FROM hnsw_index_check('many_v');
DROP TABLE many;
DROP FUNCTION kilobytes;
SELECT * FROM hnsw_index_check('secured.t_v');
DROP SCHEMA secured, reader CASCADE;
DROP ROLE regress_security_owner;
DROP ROLE regress_security_reader;
