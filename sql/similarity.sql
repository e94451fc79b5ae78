--
-- similarity: an order by something that rises or falls with a distance is
-- taken from the index, if the answer is that of the exact plan
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
-- The nodes of a plan, from the top, and by which index they order; one that
-- changes over says what it took.
CREATE FUNCTION shape(query text, OUT shape text) LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		IF line ~ '^ *(->|\w+ ?\w+ ?\w* \(actual)' AND line !~ 'never executed' THEN
			shape := concat_ws(' > ', shape, regexp_replace(substring(line FROM '([A-Z(][\w() ]*?)(?: on \w+)? \(actual'), 'Custom Scan \((\w+)\)', '\1'));
		ELSIF line ~ 'Order Taken From: sort' THEN
			shape := shape || ' by sort';
		END IF;
	END LOOP;
	-- how an adaptive scan ends is its own business
	shape := regexp_replace(shape, '(AdaptiveVectorScan[\w ]*> Index Scan[\w ]*) > (Seq Scan|Bitmap Index Scan)( on [\w ]*\w)?', '\1', 'g');
END $$;
-- A query by the index, if it can be, with a look-ahead that covers all rows, and
-- by the exact plan.
CREATE FUNCTION compare(query text, OUT shape text, OUT rows bigint, OUT same boolean) LANGUAGE plpgsql AS $$
DECLARE
	everything text := 'SELECT array_agg(t::text) FROM (' || query || ') t';
	found text[];
	exact text[];
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	SET LOCAL hnsw.ef_search = 10000;
	SET LOCAL ivfflat.probes = 1000;
	shape := shape(query);
	EXECUTE everything INTO found;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_sort = on;
	SET LOCAL enable_seqscan = on;
	EXECUTE everything INTO exact;
	SET LOCAL enable_indexscan = on;
	rows := coalesce(cardinality(exact), 0);
	same := found IS NOT DISTINCT FROM exact;
END $$;

-- The nodes of the plan that is best if there are neither scans nor sorts.
CREATE FUNCTION nodes(query text, OUT nodes text) LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line ~ '^ *->' OR nodes IS NULL THEN
			nodes := concat_ws(' > ', nodes, regexp_replace(substring(line FROM '([A-Z(][\w() ]*?)(?: on \w+)?$'), 'Custom Scan \((\w+)\)', '\1'));
		END IF;
	END LOOP;
END $$;

CREATE TABLE item (id int PRIMARY KEY, a int, v vector(16));
INSERT INTO item SELECT i, i % 100, vec(i, 16) FROM generate_series(1, 2000) i;
CREATE INDEX item_cosine ON item USING hnsw (v vector_cosine_ops);
CREATE INDEX item_ip ON item USING hnsw (v vector_ip_ops);
CREATE INDEX item_l2 ON item USING hnsw (v vector_l2_ops);
CREATE INDEX item_l1 ON item USING hnsw (v vector_l1_ops);
VACUUM ANALYZE item;

-- What is recognised: by function, by sums and products with constants, by a
-- quotient, either way round, in either direction
SELECT expression, c.* FROM unnest(ARRAY[
	'cosine_distance(v, q())', 'l2_distance(q(), v)', 'l1_distance(v, q())', 'vector_negative_inner_product(v, q())',
	'1 + (v <#> q())', '(v <#> q()) + 1', '(v <=> q()) - 1', '(v <=> q()) / 2', '2 * (v <=> q())',
	'-(1 - (v <=> q()))', '(1 - (q() <=> v)) * -100', '-1 / (1 + (v <-> q()))', '-inner_product(v, q())',
	'1 - (v <=> q()) DESC', '(v <#> q()) * -1 DESC', '-(v <#> q()) DESC', '-1 * (v <-> q()) DESC', 'inner_product(v, q()) DESC',
	'inner_product(q(), v) DESC NULLS LAST', '1 - cosine_distance(v, q()) DESC', '(2 - (v <=> q())) / 2 DESC', '1 / (1 + (v <-> q())) DESC',
	'100 / ((v <+> q()) * 2 + 1) + 5 DESC', '1 - (v <=> q()) DESC NULLS LAST', '(v <=> q()) / -2 DESC', '-(-(v <-> q()))']) WITH ORDINALITY u (expression, n),
	compare(format('SELECT id FROM item ORDER BY %s LIMIT 20', expression)) c ORDER BY n;
-- What is not: the other direction, NULLs first where they would be last, what
-- neither rises nor falls, or may not, what changes from row to row
SELECT expression, nodes FROM unnest(ARRAY[
	'1 - (v <=> q())', '(v <#> q()) * -1', 'inner_product(v, q())', '1 + (v <#> q()) DESC', 'l2_distance(v, q()) DESC',
	'l2_distance(v, q()) NULLS FIRST', '0 * (v <-> q())', '1 / (v <-> q()) DESC', '1 / (1 + (v <#> q())) DESC', '1 / ((v <-> q()) - 1) DESC',
	'abs(v <-> q())', 'l2_distance(v, v)', 'vector_l2_squared_distance(v, q())', '(v <-> q()) + a', '(v <-> q()) + random()', '(v <-> q()) - (v <=> q())',
	'''Infinity'' - (v <-> q()) DESC', 'NULL::float8 - (v <-> q()) DESC', '(1 - (v <=> q()))::numeric DESC']) WITH ORDINALITY u (expression, n),
	nodes(format('SELECT id FROM item ORDER BY %s LIMIT 20', expression)) s ORDER BY n;

-- What clients send: the score selected and sorted by its name, with filters and
-- thresholds, in subqueries, with further expressions in the order
SELECT n, c.* FROM unnest(ARRAY[
	'SELECT id, 1 - (v <=> q()) AS s FROM item ORDER BY s DESC LIMIT 5',
	'SELECT id, 1 - (v <=> q()) AS s FROM item ORDER BY 2 DESC OFFSET 3 LIMIT 5',
	'SELECT id, 1 - (v <=> q()) AS s FROM item WHERE 1 - (v <=> q()) > 0.5 ORDER BY s DESC LIMIT 5',
	'SELECT id, (1 + (v <#> q())) AS distance FROM item WHERE a < 50 ORDER BY distance LIMIT 5',
	'SELECT id, (v <#> q()) * -1 AS s FROM item WHERE a % 2 = 0 ORDER BY s DESC LIMIT 5',
	'SELECT * FROM (SELECT id, a, 1 - (v <=> q()) AS s FROM item) t WHERE s > 0.2 AND a < 30 ORDER BY s DESC LIMIT 7',
	'WITH t AS (SELECT id, cosine_distance(v, q()) AS d FROM item) SELECT * FROM t ORDER BY d LIMIT 5',
	'SELECT id FROM item ORDER BY v <=> q(), id LIMIT 5',
	'SELECT id, 1 - (v <=> q()) FROM item WHERE a = 7 ORDER BY 2 DESC, id DESC LIMIT 5',
	'SELECT ctid, item FROM item ORDER BY 1 - (v <=> q()) DESC LIMIT 5',
	'SELECT 1 FROM item ORDER BY 1 - (v <=> q()) DESC LIMIT 5',
	'SELECT v, 1 - (v <=> q()), v <=> q(), a + 1 FROM item ORDER BY 1 - (v <=> q()) DESC LIMIT 5',
	'SELECT id, 1 - (v <=> q()) AS s FROM item ORDER BY s DESC',
	'SELECT id, rank() OVER (ORDER BY 1 - (v <=> q()) DESC) FROM item ORDER BY 1 - (v <=> q()) DESC LIMIT 5',
	'SELECT DISTINCT ON (1 - (v <=> q())) id FROM item ORDER BY 1 - (v <=> q()) DESC LIMIT 5',
	'SELECT id FROM item WHERE false ORDER BY 1 - (v <=> q()) DESC LIMIT 5',
	'SELECT id FROM item WHERE now() > ''2000-01-01'' ORDER BY 1 - (v <=> q()) DESC LIMIT 5',
	'SELECT id FROM item WHERE id = 77 ORDER BY 1 - (v <=> q()) DESC LIMIT 5',
	'SELECT id FROM item TABLESAMPLE system (100) ORDER BY 1 - (v <=> q()) DESC LIMIT 5']) WITH ORDINALITY u (query, n), compare(query) c ORDER BY n;
-- joins, LATERAL, correlated sub-selects, aggregates above
SELECT n, c.* FROM unnest(ARRAY[
	'SELECT i.id, g FROM item i JOIN generate_series(1, 3) g ON g = i.a % 4 ORDER BY 1 - (i.v <=> q()) DESC LIMIT 5',
	'SELECT i.id, o.id FROM item i LEFT JOIN item o ON o.id = i.id + 1 ORDER BY 1 - (i.v <=> q()) DESC LIMIT 5',
	'SELECT o.n, l.* FROM generate_series(1, 12) o (n), LATERAL (SELECT id, 1 - (v <=> vec(o.n, 16)) FROM item ORDER BY 2 DESC LIMIT 3) l',
	'SELECT o.n, l.* FROM generate_series(1, 12) o (n), LATERAL (SELECT id FROM item WHERE a = o.n ORDER BY inner_product(v, vec(o.n, 16)) DESC LIMIT 3) l',
	'SELECT o.n, l.* FROM generate_series(1, 12) o (n), LATERAL (SELECT id FROM item WHERE a < o.n + 20 ORDER BY cosine_distance(v, vec(o.n, 16)) LIMIT 3) l',
	'SELECT o.id, (SELECT i.id FROM item i ORDER BY 1 - (i.v <=> o.v) DESC LIMIT 1) FROM item o WHERE o.id <= 10',
	'SELECT count(*), max(s) FROM (SELECT 1 - (v <=> q()) s FROM item ORDER BY s DESC LIMIT 10) t',
	'SELECT id FROM item ORDER BY 1 - (v <=> (SELECT v FROM item WHERE id = 5)) DESC LIMIT 5']) WITH ORDINALITY u (query, n), compare(query) c ORDER BY n;

-- Prepared, generic; a key that is NULL, a key without a direction
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_sort = off;
PREPARE top (vector, float8, int) AS SELECT id FROM item WHERE 1 - (v <=> $1) > $2 ORDER BY 1 - (v <=> $1) DESC LIMIT $3;
SELECT shape('EXECUTE top (vec(0, 16), 0.5, 5)');
EXECUTE top (vec(0, 16), 0.5, 5);
EXECUTE top (vec(1, 16), 0.75, 5);
PREPARE best (vector, int) AS SELECT id, 1 - (v <=> $1) FROM item ORDER BY 1 - (v <=> $1) DESC, id LIMIT $2;
SELECT shape('EXECUTE best (NULL, 3)'), shape('EXECUTE best (array_fill(0, ARRAY[16])::vector, 3)'), shape('EXECUTE best (array_fill(1e20, ARRAY[16])::vector, 3)');
EXECUTE best (NULL, 3);
EXECUTE best (array_fill(0, ARRAY[16])::vector, 3);
EXECUTE best (array_fill(1e20, ARRAY[16])::vector, 3);
EXECUTE best ('[1,2]', 3);

-- The plan outlives what it relied on: a zero vector, then a NULL, arrives
EXECUTE best (vec(0, 16), 2);
SELECT shape('EXECUTE best (vec(0, 16), 2)');
BEGIN;
INSERT INTO item VALUES (-1, 1, array_fill(0, ARRAY[16])::vector);
SELECT shape('EXECUTE best (vec(0, 16), 2)');
EXECUTE best (vec(0, 16), 2);
ROLLBACK;
-- gone, but who knows: the index remembers that it was there
SELECT shape('EXECUTE best (vec(0, 16), 2)');
EXECUTE best (vec(0, 16), 2);
SELECT value AS gaps FROM hnsw_metapage('item_cosine') WHERE name = 'gaps';
SELECT value AS gaps FROM hnsw_metapage('item_l2') WHERE name = 'gaps';
DEALLOCATE ALL;
RESET plan_cache_mode;
RESET enable_seqscan;
RESET enable_sort;
SELECT nodes FROM nodes('SELECT id FROM item ORDER BY 1 - (v <=> q()) DESC LIMIT 5');
REINDEX INDEX item_cosine;
SELECT nodes FROM nodes('SELECT id FROM item ORDER BY 1 - (v <=> q()) DESC LIMIT 5');

-- Zero vectors, sums of squares beyond float32, below it, and NULLs: they come
-- first in descending order
INSERT INTO item VALUES (-1, 1, array_fill(0, ARRAY[16])::vector), (-2, 2, array_fill(3e38, ARRAY[16])::vector), (-3, 3, array_fill(1e-30, ARRAY[16])::vector);
SELECT name, value FROM (VALUES ('item_cosine'), ('item_ip'), ('item_l2')) i (i), hnsw_metapage(i::regclass) WHERE name = 'gaps';
SELECT e, c.* FROM unnest(ARRAY['1 - (v <=> q()) DESC', '1 - (v <#> q()) DESC', '1 - (v <-> q()) DESC', '1 + (v <#> q())', 'inner_product(v, array_fill(1, ARRAY[16])::vector) DESC',
		'1 / (1 + (v <-> q())) DESC']) WITH ORDINALITY u (e, n),
	compare(format('SELECT id, %s FROM item ORDER BY %s, id LIMIT 10', regexp_replace(e, ' DESC', ''), e)) c ORDER BY n;
INSERT INTO item VALUES (-4, 4, NULL);
SELECT e, f, c.* FROM unnest(ARRAY['1 - (v <-> q()) DESC', '1 - (v <-> q()) DESC NULLS LAST', 'l2_distance(v, q())']) WITH ORDINALITY u (e, n),
	unnest(ARRAY['true', 'v IS NOT NULL', '1 - (v <-> q()) > -100', 'a > 0', 'v IS NULL OR a > 5']) WITH ORDINALITY w (f, m),
	compare(format('SELECT id FROM item WHERE %s ORDER BY %s, id LIMIT 10', f, e)) c ORDER BY n, m;
SELECT name, value FROM (VALUES ('item_cosine'), ('item_ip'), ('item_l2'), ('item_l1')) i (i), hnsw_metapage(i::regclass) WHERE name = 'gaps';
SELECT i, c.* FROM unnest(ARRAY['item_cosine', 'item_ip', 'item_l2', 'item_l1']) i, hnsw_index_check(i::regclass, true, true) c;
-- built over them
REINDEX TABLE item;
SELECT name, value FROM (VALUES ('item_cosine'), ('item_ip'), ('item_l2'), ('item_l1')) i (i), hnsw_metapage(i::regclass) WHERE name = 'gaps';
SELECT i, c.* FROM unnest(ARRAY['item_cosine', 'item_ip', 'item_l2', 'item_l1']) i, hnsw_index_check(i::regclass, true, true) c;
DELETE FROM item WHERE id < 0;
VACUUM item;
REINDEX TABLE item;
SELECT name, value FROM (VALUES ('item_cosine'), ('item_ip'), ('item_l2'), ('item_l1')) i (i), hnsw_metapage(i::regclass) WHERE name = 'gaps';
ALTER TABLE item ALTER v SET NOT NULL;
SELECT * FROM compare('SELECT id FROM item ORDER BY 1 - (v <-> q()) DESC LIMIT 10');

-- Cursors, row locks, changes to the rows
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
DECLARE c SCROLL CURSOR FOR SELECT id FROM item ORDER BY 1 - (v <=> vec(0, 16)) DESC LIMIT 4;
FETCH 2 FROM c;
FETCH ALL FROM c;
FETCH BACKWARD 2 FROM c;
CLOSE c;
SELECT id FROM item ORDER BY 1 - (v <=> vec(0, 16)) DESC LIMIT 2 FOR UPDATE;
SELECT count(*) FROM item WHERE xmax::text <> '0' AND id IN (SELECT id FROM item ORDER BY v <=> vec(0, 16) LIMIT 2);
DECLARE c CURSOR FOR SELECT id FROM item ORDER BY 1 - (v <=> vec(0, 16)) DESC FOR UPDATE;
FETCH 1 FROM c;
UPDATE item SET a = 1000 WHERE CURRENT OF c RETURNING id;
ROLLBACK;

-- Partitions: one of them without an index, one with a zero vector
CREATE TABLE part (id int, v vector(16)) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (1000);
CREATE TABLE part2 (v vector(16), id int);
ALTER TABLE part ATTACH PARTITION part2 FOR VALUES FROM (1000) TO (2000);
INSERT INTO part SELECT i, vec(i, 16) FROM generate_series(0, 1999) i;
CREATE INDEX ON part USING hnsw (v vector_cosine_ops);
VACUUM ANALYZE part;
SELECT * FROM compare('SELECT id FROM part ORDER BY 1 - (v <=> q()) DESC LIMIT 10');
SELECT * FROM compare('SELECT id FROM part WHERE id % 2 = 0 ORDER BY 1 - (v <=> q()) DESC LIMIT 10');
SELECT * FROM compare('SELECT id FROM part ORDER BY cosine_distance(v, q()) LIMIT 10');
INSERT INTO part VALUES (5, array_fill(0, ARRAY[16])::vector);
SELECT * FROM compare('SELECT id FROM part ORDER BY 1 - (v <=> q()) DESC LIMIT 10');
DROP TABLE part;

-- Other types, forms of 8 bits, expression and partial indexes, ivfflat
CREATE TABLE other (id int, v vector(300), h halfvec(20), s sparsevec(20), b bit(20), free vector);
INSERT INTO other SELECT i, vec(i, 300), vec(i, 20), vec(i, 20), binary_quantize(vec(i, 20))::bit(20), vec(i, 20) FROM generate_series(1, 800) i;
CREATE INDEX ON other USING hnsw (v vector_cosine_ops);
CREATE INDEX ON other USING ivfflat (h halfvec_ip_ops);
CREATE INDEX ON other USING hnsw (s sparsevec_cosine_ops);
CREATE INDEX ON other USING hnsw (b bit_hamming_ops);
CREATE INDEX ON other USING hnsw (b bit_jaccard_ops);
CREATE INDEX ON other USING hnsw ((free::vector(20)) vector_l2_ops) WHERE id > 300;
CREATE INDEX ON other USING hnsw ((v::halfvec(300)) halfvec_l2_ops);
VACUUM ANALYZE other;
SELECT e, c.* FROM unnest(ARRAY['1 - (v <=> vec(0, 300)) DESC', '(h <#> vec(0, 20)::halfvec) * -1 DESC', 'inner_product(h, vec(0, 20)::halfvec) DESC',
		'1 - cosine_distance(s, vec(0, 20)::sparsevec) DESC', '20 - (b <~> binary_quantize(vec(0, 20))) DESC', '1 - jaccard_distance(b, binary_quantize(vec(0, 20))) DESC',
		'1 / (1 + (b <~> binary_quantize(vec(0, 20)))) DESC', '1 - (free::vector(20) <-> vec(0, 20)) DESC', 'l2_distance(v::halfvec(300), vec(0, 300))']) WITH ORDINALITY u (e, n),
	compare(format('SELECT %s FROM other WHERE id > 300 ORDER BY %s LIMIT 10', regexp_replace(e, ' DESC$', ''), e)) c ORDER BY n;

SELECT i, c.* FROM unnest(ARRAY['item_cosine', 'item_ip', 'item_l2', 'item_l1', 'other_v_idx', 'other_h_idx', 'other_s_idx', 'other_b_idx']) i,
	hnsw_index_check(i::regclass, true, true) c;
DROP TABLE item, other;
DROP FUNCTION compare, nodes, shape, q, vec;
