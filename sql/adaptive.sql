--
-- adaptive: a search with a filter decides while it runs; whatever it decides,
-- the answer is that of the exact plan
--

-- Plans forced by enable_seqscan = off look expensive; none is worth compiling.
SET jit = off;
SET client_min_messages = warning;

-- Number i of a sequence of vectors: elements in [-1, 1) that follow from i.
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, dim) j
$$;
-- The query vector of most tests; a constant of its own, so that plans are short.
CREATE FUNCTION q16() RETURNS vector LANGUAGE sql STABLE AS 'SELECT vec(0, 16)';
-- What a plan says, without what varies.
CREATE FUNCTION plan(query text, analyze_it boolean DEFAULT true) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (COSTS OFF, TIMING OFF, SUMMARY OFF, ANALYZE %s) %s', CASE WHEN analyze_it THEN 'on' ELSE 'off' END, query) LOOP
		IF line !~ 'Rows |Bitmap Rows Read|Heap Blocks|Heap Fetches|Memory|Order By|Sort Key' THEN
			RETURN NEXT regexp_replace(line, ' \(actual .*\)', '');
		END IF;
	END LOOP;
END $$;
-- How many rows of the walk an adaptive scan has looked at.
CREATE FUNCTION visited(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		IF line ~ 'Rows Visited' THEN
			RETURN substring(line FROM 'Rows Visited: (\d+)')::int;
		END IF;
	END LOOP;
END $$;
-- A query through the adaptive scan and without.  'rows' and 'complete': with
-- the settings as they are, as many rows as the exact plan, none twice, all
-- true; 'same': the same rows in the same order, when the walk looks at all.
-- How it ended: in how many nodes of the plan by graph, sweep, exact plan.
CREATE FUNCTION compare(query text, OUT rows bigint, OUT complete boolean, OUT same boolean, OUT ended text)
LANGUAGE plpgsql AS $$
DECLARE
	everything text := 'SELECT array_agg(t::text) FROM (' || query || ') t';
	line text;
	nodes int := 0;
	found text[];
	found_in_order text[];
	exact text[];
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		nodes := nodes + (line ~ 'AdaptiveVectorScan')::int;
		IF line ~ 'Ended By' THEN
			ended := concat_ws(', ', ended, substring(line FROM 'Ended By: (.*)'));
		END IF;
	END LOOP;
	IF nodes = 0 THEN
		RAISE 'no adaptive scan in the plan of %', query;
	END IF;
	EXECUTE everything INTO found;
	SET LOCAL hnsw.ef_search = 10000;
	EXECUTE everything INTO found_in_order;
	SET LOCAL hnsw.ef_search = 40;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_sort = on;
	EXECUTE everything INTO exact;
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_seqscan = on;
	rows := coalesce(cardinality(exact), 0);
	complete := cardinality(found) IS NOT DISTINCT FROM cardinality(exact) AND
		cardinality(ARRAY(SELECT DISTINCT x FROM unnest(found) x)) = cardinality(ARRAY(SELECT DISTINCT x FROM unnest(exact) x));
	same := found_in_order IS NOT DISTINCT FROM exact;
END $$;

-- near: 1 is the nearest row to q16(), 4000 the farthest; far: the reverse
CREATE TABLE item (id int PRIMARY KEY, a int, tags int[], near int, far int, v vector(16));
INSERT INTO item SELECT i, i % 100, ARRAY[i % 7, i % 50 + 10], r, 4001 - r, vec(i, 16)
	FROM (SELECT i, rank() OVER (ORDER BY vec(i, 16) <-> q16()) r FROM generate_series(1, 4000) i) t;
CREATE INDEX item_a ON item (a);
CREATE INDEX item_near ON item (near);
CREATE INDEX item_far ON item (far);
CREATE INDEX item_tags ON item USING gin (tags);
CREATE INDEX item_v ON item USING hnsw (v vector_l2_ops);
VACUUM ANALYZE item;

-- When it is there at all: under a filter; not without one, nor when it is off,
-- nor for an order by two distances.
SET enable_seqscan = off;
SET enable_sort = off;
SELECT plan('SELECT id FROM item WHERE a = 3 ORDER BY v <-> q16() LIMIT 5', false);
SELECT plan('SELECT id FROM item ORDER BY v <-> q16() LIMIT 5', false);
SELECT plan('SELECT id FROM item WHERE a = 3 ORDER BY v <-> q16(), v <-> vec(1, 16) LIMIT 5', false) ~ 'Adaptive' AS adaptive
	ORDER BY 1 DESC LIMIT 1;
SET hnsw.adaptive_scan = off;
SELECT plan('SELECT id FROM item WHERE a < 50 ORDER BY v <-> q16() LIMIT 5', false);
RESET hnsw.adaptive_scan;
SET enable_indexscan = off;
SELECT plan('SELECT id FROM item WHERE a < 50 ORDER BY v <-> q16() LIMIT 5', false) ~ 'Adaptive' AS adaptive
	ORDER BY 1 DESC LIMIT 1;
RESET enable_indexscan;

-- How it ends: the graph where the filter is mild, the sweep of a bitmap where
-- it is hostile, a sort of the exact plan where there is no bitmap
SELECT plan('SELECT id FROM item WHERE near < 1000 ORDER BY v <-> q16() LIMIT 5');
SELECT plan('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16() LIMIT 5');
SELECT plan('SELECT id FROM item WHERE far % 5000 < 300 ORDER BY v <-> q16() LIMIT 5');
SET enable_bitmapscan = off;
SELECT plan('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16() LIMIT 5');
RESET enable_bitmapscan;
-- A hostile filter costs no more visits than twice the exact plan's price: all
-- 3,700 nearer rows fail, but the walk has looked at a small part of them.
SELECT visited('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16() LIMIT 5') BETWEEN 50 AND 400 AS gave_up;
RESET enable_seqscan;
RESET enable_sort;

-- The answer, by column and correlation.  Filters that let 50 %, 10 %, 1 % and
-- some rows pass, and none.
SELECT f, k, c.* FROM unnest(ARRAY['a < 50', 'a < 10', 'a = 7', 'near <= 2000', 'near <= 400', 'near <= 40', 'near <= 4',
		'far <= 2000', 'far <= 400', 'far <= 40', 'far <= 4', 'a = 1000', 'far % 5000 <= 40', 'a % 2 = 0',
		'tags @> ''{3}''', 'tags @> ''{3,14}''', 'a = 5 OR far < 30', 'a < 50 AND far < 200', 'a < 50 AND tags @> ''{3}''',
		'a IN (1, 2, 3) AND far < 1000', 'near IS NOT NULL', 'v <-> q16() > 3']) WITH ORDINALITY u (f, n),
	(VALUES (10), (100)) l (k),
	compare(format('SELECT id, a, v <-> q16() FROM item WHERE %s ORDER BY v <-> q16() LIMIT %s', f, k)) c
	ORDER BY n, k;

-- OFFSET, no LIMIT, WITH TIES, a second key
SELECT * FROM compare('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16() OFFSET 20 LIMIT 10');
SELECT * FROM compare('SELECT id FROM item WHERE a < 50 ORDER BY v <-> q16() OFFSET 100 LIMIT 10');
SELECT * FROM compare('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16()');
SELECT * FROM compare('SELECT id FROM item WHERE a = 3 ORDER BY v <-> q16() FETCH FIRST 5 ROWS WITH TIES');
SELECT * FROM compare('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16(), id DESC LIMIT 10');
