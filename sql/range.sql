--
-- range: conditions on a distance, with and without an order
--

-- Plans forced by enable_seqscan = off look expensive; none is worth compiling.
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET client_min_messages = warning;

-- Number i of a sequence of vectors: elements in [-1, 1) that follow from i.
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, dim) j
$$;
CREATE FUNCTION q() RETURNS vector LANGUAGE sql IMMUTABLE AS 'SELECT vec(0, 16)';
-- Of a plan that is run: how the range was found, or another way to read the table.
-- A walk that does not stop at the limit may end in other ways.
CREATE FUNCTION found_by(query text, OUT found_by text) LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		plan := plan || E'\n' || line;
	END LOOP;
	found_by := coalesce('range scan, ' || substring(plan FROM 'Exact By: (.*?)\n'), 'walk' || CASE WHEN plan ~ 'Ended By: range' THEN ' to the limit' ELSE '' END || substring(plan FROM 'Ended By()'),
		substring(plan FROM '(Seq Scan|Index Scan|Bitmap)'), plan);
END $$;
-- A query by the index, if it can be, and by the exact plan.
CREATE FUNCTION compare(query text, OUT found_by text, OUT rows bigint, OUT same boolean) LANGUAGE plpgsql AS $$
DECLARE
	everything text := 'SELECT array_agg(t::text ORDER BY t::text) FROM (' || query || ') t';
	found text[];
	exact text[];
BEGIN
	SET LOCAL enable_seqscan = off;
	found_by := found_by(query);
	EXECUTE everything INTO found;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_seqscan = on;
	EXECUTE everything INTO exact;
	SET LOCAL enable_indexscan = on;
	rows := coalesce(cardinality(exact), 0);
	same := found IS NOT DISTINCT FROM exact;
END $$;
-- Rows that the planner expects.
CREATE FUNCTION estimate(query text, OUT rows bigint) LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	rows := plan #>> '{0,Plan,Plan Rows}';
END $$;

CREATE TABLE item (id int PRIMARY KEY, a int, v vector(16));
INSERT INTO item SELECT i, i % 100, vec(i, 16) FROM generate_series(1, 2000) i;
CREATE INDEX item_cosine ON item USING hnsw (v vector_cosine_ops);
CREATE INDEX item_ip ON item USING hnsw (v vector_ip_ops);
CREATE INDEX item_l2 ON item USING hnsw (v vector_l2_ops);
CREATE INDEX item_l1 ON item USING hnsw (v vector_l1_ops);
VACUUM ANALYZE item;

-- Every row within the range, whatever its form
SELECT f, c.* FROM unnest(ARRAY[
	'v <=> q() < 0.6', 'v <=> q() <= 0.6', '0.6 > v <=> q()', '0.6 >= q() <=> v', 'v <-> q() < 2.5', 'v <+> q() < 8', 'v <#> q() < -1.5', 'v <#> q() < 0',
	'cosine_distance(v, q()) < 0.6', 'l2_distance(q(), v) <= 2.5', 'inner_product(v, q()) > 1.5', '1 - (v <=> q()) > 0.4', '1 - (v <=> q()) >= 0.4',
	'0.4 < 1 - (v <=> q())', '(v <#> q()) * -1 >= 2', '1 / (1 + (v <-> q())) > 0.28', '(2 - (v <=> q())) / 2 > 0.7',
	'v <=> q() < 0', 'v <=> q() < -1', 'v <-> vec(77, 16) <= 0', 'v <=> q() < 3', '1 - (v <=> q()) > 1', 'v <-> q() < ''Infinity''', 'v <-> q() < ''NaN''',
	'v <=> q() < 0.6 AND a < 50', 'v <=> q() < 0.8 AND v <=> q() > 0.6', 'v <=> q() < 0.8 AND v <-> q() < 2.5', 'v <=> q() BETWEEN 0.2 AND 0.5',
	'NOT v <=> q() >= 0.6', 'v <=> q() < 0.5 AND now() > ''2000-01-01''']) WITH ORDINALITY u (f, n),
	compare(format('SELECT id, v <=> q() FROM item WHERE %s', f)) c ORDER BY n;
-- by which plan depends on PostgreSQL's version
SELECT rows, same FROM compare('SELECT id, v <=> q() FROM item WHERE v <=> q() < 0.6 AND id IN (SELECT id FROM item WHERE a = 3)');
-- What is no range from below: the other direction, another distance than the
-- index', a limit that changes from row to row
SELECT f, c.* FROM unnest(ARRAY['v <=> q() > 0.6', '1 - (v <=> q()) < 0.1', 'v <=> q() = 0.5', 'v <=> q() <> 0.5', 'v <=> v < 0.5', 'v <=> q() < a / 100.0',
	'v <=> q() < random() / 1000', 'v <=> q() < 0.4 OR a = 3', 'vector_l2_squared_distance(v, q()) < 6', '1 / (v <-> q()) > 3']) WITH ORDINALITY u (f, n),
	LATERAL (SELECT found_by(format('SELECT id FROM item WHERE %s', f))) c ORDER BY n;

-- By price: little is in the row here; the planner knows how many rows to expect
SELECT found_by('SELECT id FROM item WHERE v <=> q() < 0.5');
SELECT f, abs(ln(estimate(format('SELECT id FROM item WHERE %s', f)) / count::float8)) < ln(2.5) AS near
	FROM (VALUES ('v <=> q() < 0.7', 209), ('v <=> q() < 1', 994), ('1 - (v <=> q()) > 0.3', 209), ('v <=> q() < 3', 2000), ('v <=> q() < 0.7 AND a < 50', 105),
		('v <=> q() < 0', 8)) t (f, count);
-- of a parameter that nobody knows, a few
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_indexonlyscan = off;
PREPARE within (vector, float8) AS SELECT id FROM item WHERE v <=> $1 < $2 ORDER BY id + 0;
SELECT estimate('EXECUTE within (vec(0, 16), 0.5)');
SELECT found_by('EXECUTE within (vec(0, 16), 0.5)'), found_by('EXECUTE within (NULL, 0.5)'), found_by('EXECUTE within (vec(0, 16), NULL)'),
	found_by('EXECUTE within (vec(0, 16), ''NaN'')');
EXECUTE within (vec(0, 16), 0.4);
EXECUTE within (vec(7, 16), 0.4);
EXECUTE within (NULL, 0.4);
EXECUTE within (vec(7, 16), NULL);
EXECUTE within (vec(7, 16), -1);
EXECUTE within ('[1,2]', 0.4);
RESET plan_cache_mode;
RESET enable_seqscan;
RESET enable_indexonlyscan;
DEALLOCATE within;
-- no error while planning
EXPLAIN (COSTS OFF) SELECT id FROM item WHERE v <=> '[1,2]' < 0.4 AND id = -1;
SELECT id FROM item WHERE v <=> '[1,2]' < 0.4 AND id = -1;
SELECT id FROM item WHERE v <=> '[1,2]' < 0.4;

-- Joins, LATERAL, sub-selects, changes of rows
SELECT n, c.* FROM unnest(ARRAY[
	'SELECT i.id, o.id FROM item i JOIN item o ON o.id = i.id + 1 WHERE i.v <=> q() < 0.5',
	'SELECT o.n, i.id FROM generate_series(1, 5) o (n), LATERAL (SELECT id FROM item WHERE v <=> vec(o.n, 16) < 0.5 OFFSET 0) i',
	'SELECT o.n, (SELECT count(*) FROM item WHERE 1 - (v <=> vec(o.n, 16)) > 0.4) FROM generate_series(1, 5) o (n)',
	'SELECT count(*), min(v <=> q()) FROM item WHERE v <=> q() < 0.5',
	'SELECT id FROM item WHERE v <=> (SELECT v FROM item WHERE id = 5) < 0.5',
	'SELECT ctid, tableoid::regclass, item FROM item WHERE v <=> q() < 0.5']) WITH ORDINALITY u (query, n), compare(query) c ORDER BY n;
SELECT rows, same FROM compare('SELECT id FROM item WHERE v <=> q() < 0.5 ORDER BY v <=> q()');
BEGIN;
SET LOCAL enable_seqscan = off;
UPDATE item SET a = -1 WHERE v <=> q() < 0.45;
SELECT count(*) FROM item WHERE a = -1;
DELETE FROM item WHERE 1 - (v <=> q()) > 0.6;
SELECT id FROM item WHERE v <=> q() < 0.45 ORDER BY id FOR UPDATE;
INSERT INTO item SELECT i, 0, q() FROM generate_series(-12, -3) i;
SELECT id FROM item WHERE v <=> q() < 0.3 ORDER BY id;
DECLARE c SCROLL CURSOR FOR SELECT id FROM item WHERE v <=> vec(0, 16) < 0.45;
FETCH 3 FROM c;
FETCH BACKWARD 1 FROM c;
MOVE FIRST FROM c;
DECLARE d CURSOR FOR SELECT id FROM item WHERE v <=> vec(0, 16) < 0.45 FOR UPDATE;
FETCH 1 FROM d;
UPDATE item SET a = -2 WHERE CURRENT OF d RETURNING a;
ROLLBACK;

-- NULL and NaN: a similarity of NaN is above every threshold
INSERT INTO item VALUES (-1, 1, array_fill(0, ARRAY[16])::vector), (-2, 2, array_fill(3e38, ARRAY[16])::vector), (-3, 3, array_fill(1e-30, ARRAY[16])::vector), (-4, 4, NULL);
SELECT f, c.* FROM unnest(ARRAY['v <=> q() < 0.6', 'v <=> q() <= ''NaN''', 'v <=> q() < ''NaN''', '1 - (v <=> q()) > 0.4', '1 - (v <=> q()) > 2', 'v <#> q() < 0', 'inner_product(v, q()) > 1',
		'v <-> q() < 2.5', '1 - (v <-> q()) > -1.5', 'v <=> array_fill(0, ARRAY[16])::vector < 1', '1 - (v <-> array_fill(3e38, ARRAY[16])::vector) > -1e30',
		'v <=> array_fill(3e38, ARRAY[16])::vector < 1', 'v <=> array_fill(1e-30, ARRAY[16])::vector < 1', 'v <-> array_fill(0, ARRAY[16])::vector <= 0']) WITH ORDINALITY u (f, n),
	compare(format('SELECT id FROM item WHERE %s', f)) c ORDER BY n;
DELETE FROM item WHERE id < 0;
VACUUM item;
INSERT INTO item VALUES (-1, 1, array_fill(0, ARRAY[16])::vector);
REINDEX INDEX item_cosine;
-- a zero vector alone matters to similarities only
SELECT * FROM compare('SELECT id FROM item WHERE v <=> q() < 0.6');
SELECT * FROM compare('SELECT id FROM item WHERE 1 - (v <=> q()) > 0.4');
DELETE FROM item WHERE id < 0;
VACUUM item;
REINDEX INDEX item_cosine;
SELECT * FROM compare('SELECT id FROM item WHERE 1 - (v <=> q()) > 0.4');

-- With an order and a LIMIT the walk stops at the limit; without LIMIT not, for
-- then all rows count
SET hnsw.ef_search = 200;
SET enable_sort = off;
SELECT n, c.* FROM unnest(ARRAY[
	'SELECT id FROM item WHERE v <=> q() < 0.4 ORDER BY v <=> q() LIMIT 30',
	'SELECT id FROM item WHERE v <=> q() < 0.5 ORDER BY v <=> q() LIMIT 3',
	'SELECT id FROM item WHERE 1 - (v <=> q()) > 0.6 ORDER BY v <=> q() LIMIT 30',
	'SELECT id, 1 - (v <=> q()) FROM item WHERE 1 - (v <=> q()) > 0.6 ORDER BY 2 DESC LIMIT 30',
	'SELECT id FROM item WHERE cosine_distance(v, q()) < 0.4 AND a > 20 ORDER BY v <=> q() LIMIT 30',
	'SELECT id FROM item WHERE v <=> q() < -1 ORDER BY v <=> q() LIMIT 30',
	'SELECT id FROM item WHERE v <-> q() < 2.5 ORDER BY v <=> q() LIMIT 3',
	'SELECT o.n, l.* FROM generate_series(1, 5) o (n), LATERAL (SELECT id FROM item WHERE v <=> vec(o.n, 16) < 0.4 ORDER BY v <=> vec(o.n, 16) LIMIT 30) l',
	'SELECT id FROM item WHERE v <=> q() < 0.5 ORDER BY v <=> q()']) WITH ORDINALITY u (query, n), compare(query) c ORDER BY n;
SET hnsw.iterative_scan = relaxed_order;
SET enable_seqscan = off;
-- in any order: a row beyond the limit does not say that there are no more
SELECT found_by('SELECT id FROM item WHERE v <=> q() < 0.4 ORDER BY v <=> q() LIMIT 30');
RESET hnsw.iterative_scan;
RESET hnsw.ef_search;
RESET enable_seqscan;
RESET enable_sort;

-- Partitions, other types and forms, vectors out of the row, equal ones
CREATE TABLE part (id int, v vector(16)) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (500);
CREATE TABLE part2 (v vector(16), id int);
ALTER TABLE part ATTACH PARTITION part2 FOR VALUES FROM (500) TO (1000);
INSERT INTO part SELECT i, vec(i, 16) FROM generate_series(0, 999) i;
CREATE INDEX ON part USING hnsw (v vector_cosine_ops);
SELECT * FROM compare('SELECT id FROM part WHERE v <=> q() < 0.5');
-- what is expected of the parent is what is expected of its partitions
ANALYZE part;
SELECT abs(ln(estimate('SELECT id FROM part WHERE v <=> q() < 0.8') / count(*)::float8)) < ln(2) AS near FROM part WHERE v <=> q() < 0.8;
SELECT abs(ln(estimate('SELECT p.id FROM part p JOIN item i USING (id) WHERE p.v <=> q() < 0.8') / count(*)::float8)) < ln(2) AS near FROM part WHERE v <=> q() < 0.8;
DROP TABLE part;
CREATE TABLE other (id int, v vector(600), h halfvec(20), s sparsevec(20), b bit(20), twin vector(16), free vector);
INSERT INTO other SELECT i, vec(i, 600), vec(i, 20), vec(i, 20), binary_quantize(vec(i, 20))::bit(20), vec(i / 100, 16), vec(i, 20) FROM generate_series(1, 600) i;
CREATE INDEX ON other USING hnsw (v vector_cosine_ops);
CREATE INDEX ON other USING ivfflat (h halfvec_l2_ops);
CREATE INDEX ON other USING hnsw (s sparsevec_ip_ops);
CREATE INDEX ON other USING hnsw (b bit_hamming_ops);
CREATE INDEX ON other USING hnsw (b bit_jaccard_ops);
CREATE INDEX ON other USING hnsw (twin vector_l2_ops);
CREATE INDEX ON other USING hnsw ((free::vector(20)) vector_l2_ops) WHERE id > 300;
DELETE FROM other WHERE id % 10 = 3;
VACUUM ANALYZE other;
SELECT f, c.* FROM unnest(ARRAY['v <=> vec(0, 600) < 0.97', '1 - (v <=> vec(0, 600)) > 0.03', 'h <-> vec(0, 20)::halfvec < 3', 's <#> vec(0, 20)::sparsevec < -1.5', 'b <~> binary_quantize(vec(0, 20)) < 8',
		'1 - (b <%> binary_quantize(vec(0, 20))) >= 0.5', 'twin <-> vec(3, 16) < 0.1', 'twin <-> vec(3, 16) < 2.5', 'id > 300 AND free::vector(20) <-> vec(0, 20) < 3.2', 'free::vector(20) <-> vec(0, 20) < 3.2']) WITH ORDINALITY u (f, n),
	compare(format('SELECT id FROM other WHERE %s', f)) c ORDER BY n;
-- chosen by itself where vectors have to be fetched
SELECT found_by('SELECT id FROM other WHERE v <=> vec(0, 600) < 0.9');
SET enable_indexscan = off;
SELECT found_by('SELECT id FROM other WHERE v <=> vec(0, 600) < 0.9');
RESET enable_indexscan;
EXPLAIN (COSTS OFF) SELECT id FROM other o WHERE twin <-> '[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]' < 0.1 AND id > 5;

SELECT i, c.* FROM unnest(ARRAY['item_cosine', 'item_ip', 'item_l2', 'item_l1', 'other_v_idx', 'other_h_idx', 'other_s_idx', 'other_twin_idx']) i,
	hnsw_index_check(i::regclass, true, true) c;
DROP TABLE item, other;
DROP FUNCTION estimate, compare, found_by, q, vec;
