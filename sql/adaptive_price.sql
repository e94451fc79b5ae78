--
-- adaptive_price: what a search under a filter costs, in hops of the walk, and
-- rows: at most about twice the best plan, whatever the filter
--

SET jit = off;
SET client_min_messages = warning;
SET enable_seqscan = off;
SET enable_sort = off;

-- Number i of a sequence of vectors: elements in [-1, 1) that follow from i.
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, dim) j
$$;
CREATE FUNCTION q16() RETURNS vector LANGUAGE sql STABLE AS 'SELECT vec(0, 16)';

-- What an adaptive scan has spent, from EXPLAIN: price of the exact plan and
-- hops of the walk; rows that the walk visited, rejected; the end; did it change
-- over to the exact plan? Nodes that a walk with the bitmap has passed by.
CREATE FUNCTION spent(query text, OUT price float8, OUT hops float8, OUT visited float8, OUT rejected float8, OUT ended text, OUT changed bool, OUT left_out float8)
LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || query INTO plan;
	plan := plan #> '{0,Plan,Plans,0}';
	IF plan ->> 'Custom Plan Provider' IS DISTINCT FROM 'AdaptiveVectorScan' THEN
		RAISE 'no adaptive scan: %', plan;
	END IF;
	price := plan ->> 'Exact Plan Price';
	hops := plan ->> 'Hops';
	visited := plan ->> 'Rows Visited';
	rejected := plan ->> 'Rows Rejected';
	ended := plan ->> 'Ended By';
	changed := plan -> 'Changes to Exact Plan' IS NOT NULL;
	left_out := plan ->> 'Nodes Left Out';
END $$;

-- near: 1 is the nearest row to q16(), 6000 the farthest.  ring: the same,
-- without an index.
CREATE TABLE item (id int PRIMARY KEY, a int, near int, ring int, v vector(16));
INSERT INTO item SELECT i, i % 100, r, r, vec(i, 16)
	FROM (SELECT i, rank() OVER (ORDER BY vec(i, 16) <-> q16()) r FROM generate_series(1, 6000) i) t;
CREATE INDEX ON item (a);
CREATE INDEX ON item (near);
CREATE INDEX item_v ON item USING hnsw (v vector_l2_ops);
VACUUM ANALYZE item;

-- What the scan spends is what the walk has cost, and the price of the exact
-- plan if it has changed over to that.  The best plan, had one known, is the
-- cheaper of the two: the walk to its end, which is what it costs when nothing
-- can be better, or the exact plan at once.  The filters: independent of the
-- query, in its favour, hostile to the walk (the nearest rows fail), and hostile to
-- a change-over (a few of the nearest fail, and then all pass).
CREATE TABLE filter (n serial, kind text, f text);
INSERT INTO filter (kind, f)
	SELECT 'none', unnest(ARRAY['a < 50', 'a < 10', 'a < 3', 'a = 1', 'a % 2 = 0', 'a % 50 = 0'])
	UNION ALL SELECT 'positive', unnest(ARRAY['near < 3000', 'near < 600', 'near < 100', 'ring < 1000', 'ring % 7000 < 50'])
	UNION ALL SELECT 'negative', unnest(ARRAY['near > 3000', 'near > 5400', 'near > 5900', 'near > 5990', 'ring > 3000', 'ring > 5900', 'ring % 7000 > 5900', 'a < 50 AND near > 3000'])
	UNION ALL SELECT 'late', unnest(ARRAY['near > 12', 'near > 60', 'near > 100', 'ring > 40', 'ring % 7000 > 20', 'ring % 7000 > 40']);
-- Rows that the plain index scan reads until the limit is full, and the hops for
-- so many: those of a filter that lets every row pass, unless there, too, an
-- exact plan is cheaper.
CREATE FUNCTION walk(f text, k int, OUT visited float8, OUT cost float8) LANGUAGE plpgsql AS $$
DECLARE
	plan json;
	s record;
BEGIN
	SET LOCAL hnsw.adaptive_scan = off;
	EXECUTE format('EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON) SELECT id FROM item WHERE %s ORDER BY v <-> q16() LIMIT %s', f, k) INTO plan;
	SET LOCAL hnsw.adaptive_scan = on;
	IF plan #>> '{0,Plan,Plans,0,Index Name}' IS DISTINCT FROM 'item_v' THEN
		RAISE 'not by the graph: %', plan;
	END IF;
	visited := k + (plan #>> '{0,Plan,Plans,0,Rows Removed by Filter}')::float8;
	SELECT * INTO s FROM spent(format('SELECT id FROM item WHERE id > 0 ORDER BY v <-> q16() LIMIT %s', visited));
	cost := CASE WHEN s.ended = 'graph' THEN s.hops + 0.4 * visited ELSE 'infinity' END;
END $$;
CREATE TABLE result AS
	SELECT n, kind, f, k, s.*, w.visited AS walk_visited, w.cost AS walk_cost, least(w.cost, s.price) AS best,
		s.hops + 0.4 * s.visited + CASE WHEN s.changed THEN s.price ELSE 0 END AS cost
	FROM filter, (VALUES (5), (40)) l (k),
		spent(format('SELECT id FROM item WHERE %s ORDER BY v <-> q16() LIMIT %s', f, k)) s, walk(f, k) w;
SELECT kind, k, array_agg(DISTINCT ended ORDER BY ended) AS ended FROM result GROUP BY 1, 2 ORDER BY 1, 2;
-- Twice the best plan; but the walk comes in batches, of half of what has left,
-- and the first is a look-ahead.
SELECT count(*) AS filters, count(*) FILTER (WHERE cost <= 2.5 * best + 50) AS within FROM result;
SELECT * FROM result WHERE cost > 2.5 * best + 50 ORDER BY n, k;
-- A walk that changes over has seen no more rows than one that goes to its end
-- would have, and rejected nearly all of them.
SELECT * FROM result WHERE changed AND (visited > walk_visited OR rejected < visited / 2 AND kind = 'negative') ORDER BY n, k;

-- A walk that meets no row that passes goes away before it has cost twice the
-- exact plan, whatever part of the table should pass: what the planner thinks
-- counts for less and less.
SELECT f, k, ended, hops < 400 AS soon FROM (VALUES ('near > 2000', 5), ('near > 1000', 5), ('ring % 7000 > 3000', 20)) l (f, k),
	spent(format('SELECT id FROM item WHERE %s ORDER BY v <-> q16() LIMIT %s', f, k));

-- An expensive filter makes rows dear, of the walk and of the exact plan.
CREATE FUNCTION dear(a int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 10000 AS 'BEGIN RETURN a = 1; END';
SELECT d.price > 10 * c.price AS dearer FROM spent('SELECT id FROM item WHERE dear(a) ORDER BY v <-> q16() LIMIT 5') d,
	spent('SELECT id FROM item WHERE a % 100 = 1 ORDER BY v <-> q16() LIMIT 5') c;

-- If another index knows which rows pass, the walk is given its bitmap, as soon as
-- the rows that fail have cost as much.  The rest of the filter is evaluated as ever.
CREATE FUNCTION odd(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE COST 10000 AS 'BEGIN RETURN a % 2; END';
CREATE INDEX item_odd ON item (odd(a));
ANALYZE item;
SELECT ended, changed, left_out > 10 AS left_out, rejected < 25 AS few_rejected FROM spent('SELECT id FROM item WHERE odd(a) = 1 ORDER BY v <-> q16() LIMIT 40');
SELECT ended, changed, left_out > 10 AS left_out FROM spent('SELECT id FROM item WHERE odd(a) = 1 AND near % 10 > 1 ORDER BY v <-> q16() LIMIT 40');
-- under so little memory its pages are lossy
SET work_mem = '64kB';
SELECT ended, changed, left_out > 10 AS left_out FROM spent('SELECT id FROM item WHERE odd(a) = 1 ORDER BY v <-> q16() LIMIT 40');
RESET work_mem;
SELECT a.ids = b.ids AS same FROM
	(SELECT array_agg(near) AS ids FROM (SELECT near FROM item WHERE odd(a) = 1 AND near % 10 > 1 ORDER BY v <-> q16() LIMIT 40) x) a,
	(SELECT array_agg(near) AS ids FROM (SELECT near FROM item WHERE a % 2 = 1 AND near % 10 > 1 ORDER BY near LIMIT 40) x) b;
DROP INDEX item_odd;

-- A walk that runs out of memory would read every node: it changes over before.
-- The room that earlier searches of this session have left was taken for its own.
SET work_mem = '64kB';
SELECT ended, hops < 600 AS early FROM spent('SELECT id FROM item WHERE ring > 5900 ORDER BY v <-> q16() LIMIT 5');
RESET work_mem;

-- The bitmap of a generic plan turns out as it is: few members are read, many
-- are swept, whatever the planner thought.
SET plan_cache_mode = force_generic_plan;
PREPARE between_rows (int, int) AS SELECT id FROM item WHERE near BETWEEN $1 AND $2 ORDER BY v <-> q16() LIMIT 5;
SELECT ended FROM spent('EXECUTE between_rows (5900, 5920)');
SELECT ended FROM spent('EXECUTE between_rows (3000, 5920)');
DEALLOCATE between_rows;
RESET plan_cache_mode;

-- What the planner takes by itself: the adaptive scan for a filter that lets many
-- rows pass, the other index and a sort for one that leaves a few.
RESET enable_seqscan;
RESET enable_sort;
CREATE FUNCTION chosen(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line ~ 'Scan' THEN
			RETURN substring(line FROM 'AdaptiveVectorScan|Index Scan using \w+|Bitmap Heap Scan|Seq Scan');
		END IF;
	END LOOP;
END $$;
SELECT f, k, chosen(format('SELECT id FROM item WHERE %s ORDER BY v <-> q16() LIMIT %s', f, k))
	FROM unnest(ARRAY['near < 3000', 'near < 600', 'near < 60', 'near < 6', 'ring < 3000', 'ring < 6']) WITH ORDINALITY u (f, n), (VALUES (5), (100)) l (k)
	ORDER BY n, k;

SELECT * FROM hnsw_index_check('item_v', true, true);
DROP TABLE item, filter, result;
DROP FUNCTION chosen(text), dear(int), odd(int), walk(text, int), spent(text), q16(), vec(bigint, int);
