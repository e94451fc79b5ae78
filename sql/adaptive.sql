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
-- What a plan says, without what varies, and without what only 18 and later say.
CREATE FUNCTION plan(query text, analyze_it boolean DEFAULT true) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF, ANALYZE %s) %s', CASE WHEN analyze_it THEN 'on' ELSE 'off' END, query) LOOP
		IF line !~ 'Rows |Hops|Price|Bitmap Rows Read|Heap Blocks|Heap Fetches|Memory|Order By|Sort Key|Index Searches|Disabled: true' THEN
			RETURN NEXT regexp_replace(line, ' \(actual .*\)', '');
		END IF;
	END LOOP;
END $$;
-- The numbers that a statement returns.
CREATE FUNCTION result_of(query text) RETURNS SETOF int LANGUAGE plpgsql AS $$
DECLARE
	n int;
BEGIN
	FOR n IN EXECUTE query LOOP
		RETURN NEXT n;
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
-- A query through the adaptive scan and without it.  'complete': as many rows as
-- the exact plan, and none twice.  'right': they are the exact plan's rows,
-- when the walk's look-ahead covers all; of a sweep, whose order is that of
-- estimates, nine in ten.  Complains if there is no adaptive scan.
CREATE FUNCTION compare(query text, OUT rows bigint, OUT complete boolean, OUT "right" boolean)
LANGUAGE plpgsql AS $$
DECLARE
	everything text := 'SELECT array_agg(t::text) FROM (' || query || ') t';
	line text;
	plan text := '';
	found text[];
	found_by_all text[];
	exact text[];
	common bigint;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	SET LOCAL hnsw.ef_search = 10000;
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	IF plan !~ 'AdaptiveVectorScan' THEN
		RAISE 'no adaptive scan:%', plan;
	END IF;
	EXECUTE everything INTO found_by_all;
	SET LOCAL hnsw.ef_search = 40;
	EXECUTE everything INTO found;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_sort = on;
	SET LOCAL enable_seqscan = on;
	EXECUTE everything INTO exact;
	SET LOCAL enable_indexscan = on;
	rows := coalesce(cardinality(exact), 0);
	complete := cardinality(found) IS NOT DISTINCT FROM cardinality(exact) AND
		(SELECT count(DISTINCT x) FROM unnest(found) x) = (SELECT count(DISTINCT x) FROM unnest(exact) x);
	SELECT count(*) INTO common FROM (SELECT unnest(found_by_all) INTERSECT ALL SELECT unnest(exact)) t;
	"right" := common >= CASE WHEN plan ~ 'Ended By: sweep' THEN 0.9 ELSE 1 END * rows;
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

-- How it ends: the graph where the filter is mild; where it is hostile, the rows
-- of a bitmap, or its sweep if it is large, or a sort of the exact plan if there
-- is none
SELECT plan('SELECT id FROM item WHERE near < 1000 ORDER BY v <-> q16() LIMIT 5');
SELECT plan('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16() LIMIT 5');
SELECT plan('SELECT id FROM item WHERE far < 1000 ORDER BY v <-> q16() LIMIT 5');
SELECT plan('SELECT id FROM item WHERE far % 5000 < 300 ORDER BY v <-> q16() LIMIT 5');
SET enable_bitmapscan = off;
SELECT plan('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16() LIMIT 5');
RESET enable_bitmapscan;
-- A hostile filter costs no more visits than twice the exact plan's price: all
-- 3,700 nearer rows fail, but the walk has looked at a small part of them.
SELECT visited('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16() LIMIT 5') BETWEEN 10 AND 400 AS gave_up;
RESET enable_seqscan;
RESET enable_sort;

-- The answer, by column and correlation.  Filters that let 50 %, 10 %, 1 % and
-- some rows pass, and none.
SELECT f, k, c.* FROM unnest(ARRAY['a < 50', 'a < 10', 'a = 7', 'near <= 2000', 'near <= 400', 'near <= 40', 'near <= 4',
		'far <= 2000', 'far <= 400', 'far <= 40', 'far <= 4', 'a = 1000', 'far % 5000 <= 40', 'a % 2 = 0',
		'tags @> ''{3}''', 'tags @> ''{3,14}''', 'a = 5 OR far < 30', 'a < 50 AND far < 200', 'a < 50 AND tags @> ''{3}''',
		'a IN (1, 2, 3) AND far < 1000', 'near IS NOT NULL', 'v <-> q16() > 3']) WITH ORDINALITY u (f, n),
	(VALUES (10), (100)) l (k),
	compare(format('SELECT id, a FROM item WHERE %s ORDER BY v <-> q16() LIMIT %s', f, k)) c
	ORDER BY n, k;

-- OFFSET, no LIMIT, WITH TIES
SELECT * FROM compare('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16() OFFSET 20 LIMIT 10');
SELECT * FROM compare('SELECT id FROM item WHERE a < 50 ORDER BY v <-> q16() OFFSET 100 LIMIT 10');
SELECT * FROM compare('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16()');
SELECT * FROM compare('SELECT id FROM item WHERE a % 2 = 0 ORDER BY v <-> q16()');
SELECT * FROM compare('SELECT id FROM item WHERE a = 3 ORDER BY v <-> q16() FETCH FIRST 5 ROWS WITH TIES');
SELECT * FROM compare('SELECT id FROM item WHERE far < 300 ORDER BY v <-> q16() FETCH FIRST 5 ROWS WITH TIES');

-- The exact plan's rows are sorted as they are asked for, all of them if need be;
-- and by core, on disk, if memory does not hold them.
SELECT * FROM compare('SELECT id FROM item WHERE far % 5000 < 2900 ORDER BY v <-> q16() LIMIT 2800');
CREATE FUNCTION temp_blocks(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT JSON) ' || query INTO plan;
	plan := plan #> '{0,Plan,Plans,0}';
	IF plan ->> 'Custom Plan Provider' IS DISTINCT FROM 'AdaptiveVectorScan' OR plan ->> 'Ended By' <> 'exact plan' THEN
		RAISE 'no change to the exact plan: %', plan;
	END IF;
	RETURN plan ->> 'Temp Written Blocks';
END $$;
SELECT temp_blocks('SELECT id FROM item WHERE far % 5000 < 2900 ORDER BY v <-> q16() LIMIT 2800') AS none;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT count(*), bool_and(far <= before) AS in_order FROM (SELECT far, lag(far) OVER (ORDER BY n) AS before
	FROM result_of('SELECT far FROM item WHERE far % 5000 < 2900 ORDER BY v <-> q16() LIMIT 2800') WITH ORDINALITY r (far, n)) t;
SET work_mem = '64kB';
SELECT temp_blocks('SELECT id FROM item WHERE far % 5000 < 2900 ORDER BY v <-> q16() LIMIT 2800') > 0 AS some;
SELECT count(*), bool_and(far <= before) AS in_order FROM (SELECT far, lag(far) OVER (ORDER BY n) AS before
	FROM result_of('SELECT far FROM item WHERE far % 5000 < 2900 ORDER BY v <-> q16() LIMIT 2800') WITH ORDINALITY r (far, n)) t;
RESET enable_seqscan;
RESET enable_sort;
SELECT * FROM compare('SELECT id FROM item WHERE far % 5000 < 2900 ORDER BY v <-> q16() LIMIT 2800');
SELECT * FROM compare('SELECT id FROM item WHERE far % 5000 < 2900 ORDER BY v <-> q16()');
RESET work_mem;

-- Sub-selects as filter, correlated or not, joins, aggregates above
SELECT * FROM compare('SELECT id FROM item WHERE a = (SELECT max(a) FROM item WHERE far < 5) ORDER BY v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT id FROM item WHERE a NOT IN (SELECT generate_series(1, 90)) ORDER BY v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT id FROM item o WHERE (SELECT count(*) FROM generate_series(1, o.a) g) < 5 AND far < 2000 ORDER BY v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT i.id, g FROM item i JOIN generate_series(1, 3) g ON g = i.a % 4 WHERE i.far < 1000 ORDER BY i.v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT count(*) FROM (SELECT id FROM item WHERE a = 3 ORDER BY v <-> q16() LIMIT 10) t');
SELECT * FROM compare('SELECT id FROM item WHERE a < 50 AND now() > ''2000-01-01'' ORDER BY v <-> q16() LIMIT 10');

-- Parameters in filter and key, anew for each outer row: the bitmap, too, must
-- be made anew
SELECT * FROM compare('SELECT o.n, l.* FROM (VALUES (1, 3990), (2, 3800), (3, 10), (4, 3700)) o (n, f),
	LATERAL (SELECT id, near FROM item WHERE far > o.f AND far < o.f + 10 ORDER BY v <-> vec(o.n, 16) LIMIT 3) l');
SELECT * FROM compare('SELECT o.n, l.* FROM generate_series(1, 12) o (n),
	LATERAL (SELECT id FROM item WHERE a = o.n ORDER BY v <-> q16() LIMIT 3) l');
SELECT * FROM compare('SELECT o.n, l.* FROM generate_series(1, 12) o (n),
	LATERAL (SELECT id FROM item WHERE tags @> ARRAY[o.n] ORDER BY v <-> vec(o.n, 16) LIMIT 3) l');
SELECT * FROM compare('SELECT o.n, l.* FROM generate_series(1, 12) o (n),
	LATERAL (SELECT id FROM item WHERE a = 3 ORDER BY v <-> vec(o.n, 16) LIMIT 3) l');
SELECT * FROM compare('SELECT o.n, l.* FROM generate_series(1, 6) o (n),
	LATERAL (SELECT id FROM item WHERE far % 5000 < o.n * 10 ORDER BY v <-> vec(o.n, 16) LIMIT 3) l');

-- Prepared, generic: the filter's selectivity is unknown, and so may be the limit
SET enable_seqscan = off;
SET enable_sort = off;
SET plan_cache_mode = force_generic_plan;
PREPARE by_far (vector, int, int) AS SELECT id, far FROM item WHERE far < $2 ORDER BY v <-> $1 LIMIT $3;
SELECT * FROM plan('EXECUTE by_far (vec(0, 16), 100, 3)', false) WHERE plan ~ 'Adaptive';
EXECUTE by_far (vec(0, 16), 100, 3);
EXECUTE by_far (vec(0, 16), 10000, 3);
EXECUTE by_far (vec(0, 16), 3, 5);
EXECUTE by_far (vec(0, 16), 0, 5);
-- no query vector: any rows, but as many
CREATE TEMP TABLE none AS EXECUTE by_far (NULL, 100, 5);
SELECT count(*), bool_and(far < 100) FROM none;
DEALLOCATE by_far;
RESET plan_cache_mode;

-- Cursors: in parts, in both directions, across the end of the transaction
BEGIN;
DECLARE c CURSOR FOR SELECT id, near FROM item WHERE a < 50 AND far < 30 ORDER BY v <-> q16();
FETCH 3 FROM c;
FETCH 2 FROM c;
UPDATE item SET a = a WHERE far < 30;
FETCH 2 FROM c;
CLOSE c;
DECLARE c SCROLL CURSOR FOR SELECT id, near FROM item WHERE far < 30 ORDER BY v <-> q16() LIMIT 5;
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH LAST FROM c;
FETCH FIRST FROM c;
CLOSE c;
DECLARE c CURSOR WITH HOLD FOR SELECT id, near FROM item WHERE far < 30 ORDER BY v <-> q16() LIMIT 5;
FETCH 2 FROM c;
COMMIT;
FETCH ALL FROM c;
CLOSE c;
-- through a cursor that stands on a row
BEGIN;
DECLARE c CURSOR FOR SELECT id, near FROM item WHERE far < 30 ORDER BY v <-> q16() FOR UPDATE;
FETCH 2 FROM c;
UPDATE item SET near = near WHERE CURRENT OF c RETURNING id, near;
ROLLBACK;
RESET enable_seqscan;
RESET enable_sort;

-- System columns, the row as a whole, columns in another order, row locks
SELECT * FROM compare('SELECT ctid, tableoid::regclass, xmin, id FROM item WHERE far < 300 ORDER BY v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT ctid, tableoid::regclass, xmin, id FROM item WHERE near < 1000 ORDER BY v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT ctid, tableoid::regclass, xmin, id FROM item WHERE far % 5000 < 100 ORDER BY v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT ctid, tableoid::regclass, xmin, id FROM item WHERE near < 1000 ORDER BY v <-> q16()');
SELECT * FROM compare('SELECT i FROM item i WHERE far < 300 ORDER BY v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT far, v, i.*, near FROM item i WHERE a = 3 ORDER BY v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT 1 FROM item i WHERE id = 1 ORDER BY v <-> q16() LIMIT 10');
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
SELECT plan('SELECT id FROM item WHERE far < 30 ORDER BY v <-> q16() LIMIT 2 FOR UPDATE');
SELECT id, near FROM item WHERE far < 30 ORDER BY v <-> q16() LIMIT 2 FOR UPDATE;
SELECT count(*) FROM item WHERE xmax::text <> '0' AND far IN (28, 29);
ROLLBACK;

-- Volatile conditions, ones that fail
SELECT * FROM compare('SELECT id FROM item WHERE far < 300 AND random() >= 0 ORDER BY v <-> q16() LIMIT 10');
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
SELECT id FROM item WHERE far < 300 AND 1 / (a - a) > 0 ORDER BY v <-> q16() LIMIT 10;
ROLLBACK;

-- Dead rows, rows changed in place, rows without a vector
DELETE FROM item WHERE far BETWEEN 100 AND 200;
UPDATE item SET tags = tags || 77 WHERE far < 50;
UPDATE item SET v = vec(0, 16) WHERE far < 10;
UPDATE item SET v = NULL WHERE far BETWEEN 20 AND 29;
SELECT f, c.* FROM unnest(ARRAY['far < 300', 'far BETWEEN 90 AND 210', 'tags @> ''{77}''', 'far < 5', 'far % 5000 < 300']) WITH ORDINALITY u (f, n),
	compare(format('SELECT v <-> q16() FROM item WHERE %s AND v IS NOT NULL ORDER BY v <-> q16() LIMIT 40', f)) c
	ORDER BY n;
SELECT * FROM compare('SELECT id, tags FROM item WHERE far < 20 ORDER BY v <-> q16() LIMIT 40');
VACUUM item;
SELECT * FROM compare('SELECT id, tags FROM item WHERE far < 20 ORDER BY v <-> q16() LIMIT 40');
SELECT * FROM compare('SELECT id FROM item WHERE far BETWEEN 90 AND 210 ORDER BY v <-> q16() LIMIT 40');
SELECT * FROM hnsw_index_check('item_v', true, true);

-- Conditions without a column are tested once, above the scan.  The exact plan
-- had such a test of its own, which was taken for its bitmap.
SELECT * FROM compare('SELECT id FROM item WHERE far < 300 AND now() > ''2000-01-01'' ORDER BY v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT id FROM item WHERE far % 5000 < 300 AND now() > ''2000-01-01'' ORDER BY v <-> q16() LIMIT 10');
SELECT * FROM compare('SELECT id FROM item WHERE far < 300 AND now() < ''2000-01-01'' ORDER BY v <-> q16() LIMIT 10');
SET enable_seqscan = off;
SET enable_sort = off;
SELECT plan('SELECT id FROM item WHERE far < 300 AND now() > ''2000-01-01'' ORDER BY v <-> q16() LIMIT 5', false);
SELECT plan('SELECT id FROM item WHERE now() > ''2000-01-01'' ORDER BY v <-> q16() LIMIT 5', false);
RESET enable_seqscan;
RESET enable_sort;

-- Tables with columns that have been dropped, or that old rows do not have
CREATE TABLE changed (gone int, id int, far int, v vector(16));
INSERT INTO changed SELECT 0, i, 501 - rank() OVER (ORDER BY x <-> q16()), x FROM (SELECT i, vec(i, 16) x FROM generate_series(1, 500) i) t;
CREATE INDEX changed_v ON changed USING hnsw (v vector_l2_ops);
CREATE INDEX changed_far ON changed (far);
ALTER TABLE changed ADD COLUMN late int DEFAULT 5;
ANALYZE changed;
SELECT f, c.* FROM unnest(ARRAY['late = 5', 'id < 400 AND late = 5', 'far < 50', 'far % 5000 < 50', 'late = 6']) WITH ORDINALITY u (f, n),
	compare(format('SELECT ctid, tableoid::regclass, c FROM changed c WHERE %s ORDER BY v <-> q16() LIMIT 10', f)) c ORDER BY n;
INSERT INTO changed (id, far, v, late) SELECT i, 500 + i, vec(i, 16), 6 FROM generate_series(501, 550) i;
ALTER TABLE changed DROP COLUMN gone;
ALTER TABLE changed ADD COLUMN last text DEFAULT 'x', DROP COLUMN id, ADD COLUMN new_id int;
UPDATE changed SET new_id = -far WHERE far < 20;
SELECT f, c.* FROM unnest(ARRAY['late = 5', 'far < 600 AND late < 7', 'far < 50', 'far % 5000 < 50', 'late = 6', 'new_id < 0', 'last > ''a''']) WITH ORDINALITY u (f, n),
	compare(format('SELECT ctid, tableoid::regclass, c, late, last FROM changed c WHERE %s ORDER BY v <-> q16() LIMIT 10', f)) c ORDER BY n;
SELECT * FROM compare('SELECT c, last FROM changed c WHERE far < 600 ORDER BY v <-> q16()');
SELECT * FROM hnsw_index_check('changed_v', true, true);

-- Equal vectors, more of them than a node has room for, of which some pass
CREATE TABLE dup (id int, a int, v vector(16));
INSERT INTO dup SELECT i, i % 20, vec(i / 30, 16) FROM generate_series(0, 3999) i;
CREATE INDEX dup_a ON dup (a);
CREATE INDEX dup_v ON dup USING hnsw (v vector_l2_ops);
VACUUM ANALYZE dup;
SELECT f, c.* FROM unnest(ARRAY['a = 3', 'a IN (3, 4)', 'a % 20 = 19', 'a < 15', 'id % 300 = 17']) WITH ORDINALITY u (f, n),
	compare(format('SELECT v <-> q16() FROM dup WHERE %s ORDER BY v <-> q16() LIMIT 50', f)) c ORDER BY n;
SELECT f, c.* FROM unnest(ARRAY['a = 3', 'a % 20 = 19', 'a < 15']) WITH ORDINALITY u (f, n),
	compare(format('SELECT id FROM dup WHERE %s ORDER BY v <-> q16()', f)) c ORDER BY n;

-- Nodes without a form of their own: 300 dimensions
CREATE TABLE wide (id int, a int, far int, v vector(300));
INSERT INTO wide SELECT i, i % 50, 1501 - rank() OVER (ORDER BY x <=> vec(0, 300)), x
	FROM (SELECT i, vec(i, 300) x FROM generate_series(1, 1500) i) t;
CREATE INDEX ON wide (a);
CREATE INDEX ON wide (far);
CREATE INDEX wide_v ON wide USING hnsw (v vector_cosine_ops);
VACUUM ANALYZE wide;
SELECT f, c.* FROM unnest(ARRAY['a < 25', 'a = 3', 'far < 100', 'far % 5000 < 100', 'far < 5']) WITH ORDINALITY u (f, n),
	compare(format('SELECT id FROM wide WHERE %s ORDER BY v <=> vec(0, 300) LIMIT 20', f)) c ORDER BY n;
SELECT * FROM hnsw_index_check('wide_v', true, true);

-- Partitions: a Merge Append of one scan each
CREATE TABLE part (id int, a int, v vector(16)) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (1000);
CREATE TABLE part2 (v vector(16), a int, id int);
ALTER TABLE part ATTACH PARTITION part2 FOR VALUES FROM (1000) TO (3000);
INSERT INTO part SELECT i, i % 40, vec(i, 16) FROM generate_series(0, 2999) i;
CREATE INDEX ON part (a);
CREATE INDEX ON part USING hnsw (v vector_l2_ops);
VACUUM ANALYZE part;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT plan('SELECT id FROM part WHERE a = 3 ORDER BY v <-> q16() LIMIT 5', false);
RESET enable_seqscan;
RESET enable_sort;
SELECT * FROM compare('SELECT id FROM part WHERE a = 3 ORDER BY v <-> q16() LIMIT 5');
SELECT * FROM compare('SELECT tableoid::regclass, ctid, part FROM part WHERE a IN (3, 4) ORDER BY v <-> q16() LIMIT 20');
SELECT * FROM compare('SELECT part FROM part WHERE a < 20 ORDER BY v <-> q16() LIMIT 20');

-- Row security: a function that tells what it is shown must not be shown rows
-- that the policy hides, whichever way the scan ends
CREATE ROLE adaptive_reader;
GRANT SELECT ON item TO adaptive_reader;
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY odd ON item USING (a % 2 = 1);
CREATE FUNCTION tell(a int) RETURNS boolean LANGUAGE plpgsql COST 0.000001 AS $$
BEGIN
	IF a % 2 = 0 THEN
		RAISE 'shown a hidden row';
	END IF;
	RETURN true;
END $$;
SET ROLE adaptive_reader;
SELECT f, c.* FROM unnest(ARRAY['tell(a)', 'tell(a) AND far < 300', 'tell(a) AND near < 1000', 'far % 5000 < 300 AND tell(a)']) WITH ORDINALITY u (f, n),
	compare(format('SELECT id, a FROM item WHERE %s ORDER BY v <-> q16() LIMIT 10', f)) c ORDER BY n;
RESET ROLE;

-- A mode that was chosen keeps its meaning, the rows that the walk finds and no
-- others: in the plan, and in a plan that was made before
SET plan_cache_mode = force_generic_plan;
PREPARE far_rows AS SELECT id FROM item WHERE far < 150 ORDER BY v <-> q16() LIMIT 10;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT count(*) < 10 AS fewer FROM result_of('EXECUTE far_rows');
SET hnsw.iterative_scan = off;
SELECT count(*) < 10 AS fewer FROM result_of('EXECUTE far_rows');
SELECT plan('SELECT id FROM item WHERE far < 150 ORDER BY v <-> q16() LIMIT 10', false);
SELECT count(*) < 10 AS fewer FROM result_of('SELECT id FROM item WHERE far < 150 ORDER BY v <-> q16() LIMIT 10');
SELECT count(*) < 10 AS fewer FROM result_of('SELECT id FROM item WHERE far > 150 ORDER BY v <-> q16() LIMIT 10');
RESET hnsw.iterative_scan;
SELECT count(*) < 10 AS fewer FROM result_of('SELECT id FROM item WHERE far < 150 ORDER BY v <-> q16() LIMIT 10');
RESET enable_seqscan;
RESET enable_sort;
RESET plan_cache_mode;
DEALLOCATE far_rows;

DROP TABLE item, none, changed, dup, wide, part;
DROP FUNCTION plan(text, boolean), visited(text), temp_blocks(text), result_of(text), compare(text), q16(), vec(bigint, int), tell(int);
DROP ROLE adaptive_reader;
