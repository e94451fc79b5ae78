--
-- hnsw_scan: which queries an hnsw index answers, and that it answers them
--

-- Plans forced by enable_seqscan = off look expensive; none is worth compiling.
SET jit = off;
SET client_min_messages = warning;

-- A plan.  17 and later name what an InitPlan returns differently, 18 says what is
-- disabled.
CREATE FUNCTION explain(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		CONTINUE WHEN line ~ '^ *Disabled: true$';
		line := regexp_replace(line, ' \(returns \$\d\)', '');
		RETURN NEXT regexp_replace(line, '\(InitPlan \d\)\.col1|\$\d', '$?', 'g');
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
-- The error of a statement; a row of NULLs if there is none.
CREATE FUNCTION error_of(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
-- What the verifier finds in any hnsw index.
CREATE VIEW violations AS
	SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
		hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';
-- points on a line, so that the order is that of id, and points anywhere
CREATE TABLE line (id int, v vector(3));
INSERT INTO line SELECT i, ARRAY[i, 0, 0] FROM generate_series(1, 2000) i;
INSERT INTO line VALUES (0, NULL);
CREATE INDEX line_v ON line USING hnsw (v vector_l2_ops);
ANALYZE line;
CREATE TABLE cloud (id int, v vector(16));
INSERT INTO cloud SELECT i, vec(i, 16) FROM generate_series(1, 1500) i;
CREATE INDEX cloud_v ON cloud USING hnsw (v vector_cosine_ops);
ANALYZE cloud;
SET enable_seqscan = off;

--
-- Plans
--

-- operator in either direction, alias, ordinal
EXPLAIN (COSTS OFF) SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 5;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM line ORDER BY '[0,0,0]' <-> v LIMIT 5;
SELECT id FROM line ORDER BY '[0,0,0]' <-> v LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id, v <-> '[3000,0,0]' AS distance FROM line ORDER BY distance LIMIT 3;
SELECT id, v <-> '[3000,0,0]' AS distance FROM line ORDER BY distance LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id, v <-> '[3000,0,0]' FROM line ORDER BY 2 LIMIT 3;
SELECT id, v <-> '[3000,0,0]' FROM line ORDER BY 2 LIMIT 3;
-- view, sub-select as key, computed key
CREATE VIEW near AS SELECT id, v <-> '[1000,0,0]' AS distance FROM line WHERE id <> 1000;
SELECT explain($$SELECT * FROM near ORDER BY distance LIMIT 2$$);
SELECT round(avg(id)) FROM (SELECT * FROM near ORDER BY distance LIMIT 2) s;
SELECT explain($$SELECT id FROM line ORDER BY v <-> (SELECT v FROM line WHERE id = 1700) LIMIT 1$$);
SELECT id FROM line ORDER BY v <-> (SELECT v FROM line WHERE id = 1700) LIMIT 1;
SELECT id FROM line ORDER BY v <-> ('[1,0,0]'::vector + '[5,0,0]') LIMIT 1;
-- LATERAL: a new key for every outer row
SELECT explain($$SELECT q.id, r.id FROM line q, LATERAL (SELECT id FROM line ORDER BY v <-> q.v LIMIT 1) r WHERE q.id % 400 = 0$$);
SELECT q.id, r.id FROM line q, LATERAL (SELECT id FROM line ORDER BY v <-> q.v LIMIT 1) r WHERE q.id % 400 = 0 AND q.id > 0;
SELECT count(*), count(*) FILTER (WHERE q.id = r.id) FROM line q,
	LATERAL (SELECT id FROM line ORDER BY v <-> q.v LIMIT 1) r WHERE q.id > 0;
SELECT x, r.ids FROM unnest(ARRAY['[1,0,0]', '[2500,0,0]', NULL, '[700,1,1]']::vector[]) x,
	LATERAL (SELECT array_agg(id) AS ids FROM (SELECT id FROM line ORDER BY v <-> x LIMIT 1) s) r WHERE x IS NOT NULL;
-- outer side of a join
CREATE TABLE names (id int PRIMARY KEY, name text);
INSERT INTO names SELECT i, 'point ' || i FROM generate_series(1, 2000) i;
ANALYZE names;
EXPLAIN (COSTS OFF) SELECT name FROM line JOIN names USING (id) ORDER BY v <-> '[50.2,0,0]' LIMIT 3;
SELECT name FROM line JOIN names USING (id) ORDER BY v <-> '[50.2,0,0]' LIMIT 3;
-- a function by name is its operator; what no index can do: other direction,
-- NULLs first, a second column, an expression around the operator, another operator
SELECT query, (SELECT count(*) FROM error_of('DO $do$ DECLARE p text; BEGIN FOR p IN EXECUTE ''EXPLAIN ' || replace(query, '''', '''''')
		|| ''' LOOP IF p ~ ''Index Scan using line_v'' THEN RAISE ''uses the index''; END IF; END LOOP; END $do$') e WHERE e.code IS NOT NULL) AS uses
	FROM unnest(ARRAY[
		'SELECT id FROM line ORDER BY v <-> ''[1,2,3]'' LIMIT 1',
		'SELECT id FROM line ORDER BY v <-> ''[1,2,3]'' DESC LIMIT 1',
		'SELECT id FROM line ORDER BY v <-> ''[1,2,3]'' NULLS FIRST LIMIT 1',
		'SELECT id FROM line ORDER BY l2_distance(v, ''[1,2,3]'') LIMIT 1',
		'SELECT id FROM line ORDER BY 1 - (v <-> ''[1,2,3]'') LIMIT 1',
		'SELECT id FROM line ORDER BY v <=> ''[1,2,3]'' LIMIT 1',
		'SELECT id FROM line ORDER BY v <+> ''[1,2,3]'' LIMIT 1',
		'SELECT id FROM line ORDER BY v LIMIT 1',
		'SELECT id FROM line WHERE v <-> ''[1,2,3]'' < 5',
		'SELECT count(*) FROM line',
		'SELECT id FROM line WHERE v = ''[1,2,3]''']) query;

--
-- Prepared statements
--

SET plan_cache_mode = force_generic_plan;
PREPARE nearest(vector, int) AS SELECT id FROM line ORDER BY v <-> $1 LIMIT $2;
EXPLAIN (COSTS OFF) EXECUTE nearest('[10,0,0]', 1);
EXECUTE nearest('[10,0,0]', 1);
EXECUTE nearest('[1990,0,0]', 1);
SELECT e.* FROM error_of($$EXECUTE nearest('[1,2]', 1)$$) e;
EXECUTE nearest('[3,0,0]', 0);
EXECUTE nearest('[3.1,0,0]', 2);
CREATE TEMP TABLE answer AS EXECUTE nearest(NULL, 5);
SELECT count(DISTINCT id) FROM answer WHERE id > 0;
DROP TABLE answer;
CREATE TEMP TABLE answer AS EXECUTE nearest('[3,0,0]', NULL);
SELECT count(DISTINCT id) FROM answer WHERE id > 0;
DROP TABLE answer;
DEALLOCATE nearest;
RESET plan_cache_mode;

--
-- Keys
--

-- NULL: no error, all indexed rows in any order
SELECT count(DISTINCT id) FROM (SELECT id FROM line ORDER BY v <-> NULL) s;
SELECT count(DISTINCT id) FROM (SELECT id FROM line ORDER BY v <-> (SELECT NULL::vector)) s WHERE id > 0;
SELECT count(*) FROM (SELECT id FROM line ORDER BY v <-> (SELECT NULL::vector) LIMIT 7) s;
SELECT count(DISTINCT id) FROM (SELECT id FROM cloud ORDER BY v <=> (SELECT NULL::vector)) s;
-- zero: a distance as any other, or none under cosine
SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 2;
SELECT count(DISTINCT id), count(*) FILTER (WHERE d = 'NaN') FROM (SELECT id, v <=> array_fill(0, ARRAY[16])::vector AS d FROM cloud
	ORDER BY v <=> array_fill(0, ARRAY[16])::vector) s;
SELECT count(*) FROM (SELECT id FROM cloud ORDER BY v <=> array_fill(0, ARRAY[16])::vector LIMIT 7) s;
-- other dimensions: an error, also if there is no row to compare with
SELECT e.* FROM error_of($$SELECT id FROM line ORDER BY v <-> '[1,2]' LIMIT 1$$) e;
SELECT e.* FROM error_of($$SELECT id FROM line ORDER BY v <-> '[1,2,3,4]' LIMIT 1$$) e;
SELECT e.* FROM error_of($$SELECT id FROM cloud ORDER BY v <=> '[1]' LIMIT 1$$) e;
-- far away, huge, tiny
SELECT count(*) FROM (SELECT id FROM line ORDER BY v <-> '[1e30,0,0]' LIMIT 10) s;
SELECT count(*) FROM (SELECT id FROM line ORDER BY v <-> '[3e38,3e38,3e38]') s;
SELECT count(*) FROM (SELECT id FROM line ORDER BY v <-> '[1e-45,0,0]' LIMIT 10) s;

--
-- LIMIT and OFFSET
--

SELECT count(DISTINCT id) FROM (SELECT id FROM line ORDER BY v <-> '[500,0,0]') s;
SELECT count(DISTINCT id) FROM (SELECT id FROM line ORDER BY v <-> '[500,0,0]' LIMIT 1500) s;
SELECT count(DISTINCT id) FROM (SELECT id FROM line ORDER BY v <-> '[500,0,0]' LIMIT 5000) s;
SELECT count(DISTINCT id) FROM (SELECT id FROM line ORDER BY v <-> '[500,0,0]' OFFSET 1990) s;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' OFFSET 3 LIMIT 2;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' OFFSET 2000 LIMIT 2;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 0;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' FETCH FIRST 1 ROW ONLY;

--
-- Order
--

SELECT c.* FROM compare($$SELECT v <-> '[500,3,4]' FROM line WHERE v IS NOT NULL ORDER BY v <-> '[500,3,4]'$$) c;
SELECT c.* FROM compare($$SELECT v <=> (SELECT vec(0, 16)) FROM cloud ORDER BY v <=> (SELECT vec(0, 16))$$) c;
-- distances never go down, whatever the look-ahead
SELECT ef, count(*), count(*) FILTER (WHERE d < before) AS steps_back FROM unnest(ARRAY[1, 5, 40, 200]) ef,
	LATERAL (SELECT set_config('hnsw.ef_search', ef::text, false) AS set) s,
	LATERAL (SELECT d, lag(d) OVER () AS before FROM (SELECT v <=> vec(ef + set::int * 0, 16) AS d FROM cloud
		ORDER BY v <=> vec(ef + set::int * 0, 16) LIMIT 500) r) o
	GROUP BY ef ORDER BY ef;
RESET hnsw.ef_search;
-- a stored vector finds itself first
SELECT count(*) FROM cloud q, LATERAL (SELECT id FROM cloud ORDER BY v <=> q.v LIMIT 1) r WHERE q.id = r.id AND q.id % 10 = 0;

-- ties and duplicates: a lattice, where each distance occurs often, and each
-- point twenty times
CREATE TABLE lattice (id int, v vector(2));
INSERT INTO lattice SELECT i, ARRAY[i % 20, i / 20 % 20] FROM generate_series(0, 7999) i;
CREATE INDEX lattice_l2 ON lattice USING hnsw (v vector_l2_ops);
CREATE INDEX lattice_ip ON lattice USING hnsw (v vector_ip_ops);
CREATE INDEX lattice_cosine ON lattice USING hnsw (v vector_cosine_ops);
CREATE INDEX lattice_l1 ON lattice USING hnsw (v vector_l1_ops);
SELECT c.* FROM unnest(ARRAY['<->', '<#>', '<+>']) o,
	compare(format('SELECT v %s ''[7,7]'' FROM lattice ORDER BY v %1$s ''[7,7]''', o)) c;
SELECT c.* FROM compare($$SELECT v <=> '[7,7]' FROM lattice WHERE v <> '[0,0]' ORDER BY v <=> '[7,7]'$$) c;
SELECT v, v <-> '[7,7]' AS distance, count(*) FROM (SELECT v FROM lattice ORDER BY v <-> '[7,7]' LIMIT 100) s
	GROUP BY v ORDER BY 2, 1;
SELECT v <+> '[7,7]' AS distance, count(*) FROM (SELECT v FROM lattice ORDER BY v <+> '[7,7]' LIMIT 600) s
	GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT id) FROM (SELECT id FROM lattice ORDER BY v <-> '[7,7]' LIMIT 7000) s;

-- an index gives a bound, the executor the distance: no bound is ever too high,
-- or the executor would say "index returned tuples in wrong order"
CREATE TABLE bounds (id int, few vector(3), more vector(33), many vector(300));
INSERT INTO bounds SELECT i, vec(i, 3), vec(i, 33), vec(i, 300) FROM generate_series(1, 400) i;
-- lengths from 1e-12 to 1e12, and a mean far from zero
INSERT INTO bounds SELECT id + 1000, few + array_fill(100, ARRAY[3])::vector, more + array_fill(100, ARRAY[33])::vector,
	many + array_fill(100, ARRAY[300])::vector FROM bounds;
INSERT INTO bounds SELECT id + 3000, few * array_fill(x, ARRAY[3])::vector, more * array_fill(x, ARRAY[33])::vector,
	many * array_fill(x, ARRAY[300])::vector FROM bounds, LATERAL (SELECT power(10, id % 25 - 12)::real AS x) s WHERE id <= 200;
DO $$
DECLARE
	c text; o text; q int; r record;
BEGIN
	SET LOCAL enable_sort = off;
	FOREACH c IN ARRAY ARRAY['few', 'more', 'many'] LOOP
		FOREACH o IN ARRAY ARRAY['l2 <->', 'ip <#>', 'cosine <=>', 'l1 <+>'] LOOP
			EXECUTE format('CREATE INDEX bounds_v ON bounds USING hnsw (%s vector_%s_ops)', c, split_part(o, ' ', 1));
			FOREACH q IN ARRAY ARRAY[1, 77, 1003, 3050, 3112, 3200] LOOP
				EXECUTE format('SELECT count(*) AS n, count(*) FILTER (WHERE d < before) AS back FROM ('
					'SELECT d, lag(d) OVER () AS before FROM ('
					'SELECT %1$s %2$s (SELECT %1$s FROM bounds WHERE id = %3$s) AS d FROM bounds'
					' ORDER BY %1$s %2$s (SELECT %1$s FROM bounds WHERE id = %3$s) LIMIT 300) s) s',
					c, split_part(o, ' ', 2), q) INTO r;
				IF r.n <> 300 OR r.back <> 0 THEN
					RAISE WARNING '% % query %: % rows, % steps back', c, o, q, r.n, r.back;
				END IF;
			END LOOP;
			DROP INDEX bounds_v;
		END LOOP;
	END LOOP;
END $$;
DROP TABLE bounds;

--
-- Cursors
--

BEGIN;
DECLARE c CURSOR FOR SELECT id FROM line ORDER BY v <-> '[0,0,0]';
FETCH 2 FROM c;
-- rows that go meanwhile are still those of the cursor's snapshot, and new ones are not
DELETE FROM line WHERE id BETWEEN 3 AND 900;
INSERT INTO line SELECT 10000 + i, ARRAY[i, 0.25, 0] FROM generate_series(3, 900) i;
FETCH 3 FROM c;
MOVE 500 IN c;
FETCH 2 FROM c;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 4;
CLOSE c;
ROLLBACK;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 4;
-- in a subtransaction that fails
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM line ORDER BY v <-> '[0,0,0]';
FETCH 1 FROM c;
SAVEPOINT s;
INSERT INTO line VALUES (-1, '[1.5,0,0]');
FETCH 1 FROM c;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 2;
ROLLBACK TO s;
FETCH 1 FROM c;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 2;
ROLLBACK;
-- backwards, over a plan that keeps what it has seen
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM line ORDER BY v <-> '[0,0,0]';
FETCH 3 FROM c;
FETCH BACKWARD 2 FROM c;
FETCH LAST FROM c;
FETCH FIRST FROM c;
FETCH ABSOLUTE 1000 FROM c;
FETCH RELATIVE -10 FROM c;
CLOSE c;
DECLARE c NO SCROLL CURSOR FOR SELECT id FROM line ORDER BY v <-> '[0,0,0]';
FETCH 1 FROM c;
FETCH BACKWARD 1 FROM c;
ROLLBACK;
-- held over the transaction, a deletion and a VACUUM
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 20;
FETCH 2 FROM c;
COMMIT;
CREATE TABLE kept AS SELECT * FROM line WHERE id BETWEEN 1 AND 10;
DELETE FROM line WHERE id BETWEEN 1 AND 10;
VACUUM line;
FETCH 3 FROM c;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 2;
INSERT INTO line SELECT * FROM kept;
FETCH 2 FROM c;
CLOSE c;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 2;
DROP TABLE kept;
-- in PL/pgSQL, many at once
DO $$
DECLARE
	c1 CURSOR FOR SELECT id FROM line ORDER BY v <-> '[0,0,0]';
	c2 CURSOR FOR SELECT id FROM line ORDER BY v <-> '[2001,0,0]';
	a int; b int;
BEGIN
	OPEN c1;
	OPEN c2;
	FOR i IN 1 .. 300 LOOP
		FETCH c1 INTO a;
		FETCH c2 INTO b;
		IF a + b <> 2001 THEN
			RAISE 'step %: % and %', i, a, b;
		END IF;
	END LOOP;
END $$;

--
-- Other ways
--

-- enable_indexscan = off means the exact answer
SET enable_indexscan = off;
SET enable_seqscan = on;
EXPLAIN (COSTS OFF) SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 5;
SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 5;
RESET enable_indexscan;
SET enable_seqscan = off;

-- more than one index for an operator, and one for each of two operators
CREATE INDEX line_ip ON line USING hnsw (v vector_ip_ops);
EXPLAIN (COSTS OFF) SELECT id FROM line ORDER BY v <#> '[1,0,0]' LIMIT 3;
SELECT id FROM line ORDER BY v <#> '[1,0,0]' LIMIT 3;
SELECT id FROM line ORDER BY v <#> '[-1,0,0]' LIMIT 3;
DROP INDEX line_ip;

-- a key out of line
CREATE TABLE wide (id int, v vector(3000));
INSERT INTO wide SELECT i, vec(i, 3000) FROM generate_series(1, 40) i;
CREATE INDEX wide_v ON wide USING hnsw (v vector_l2_ops);
SELECT count(*) FROM wide q, LATERAL (SELECT id FROM wide ORDER BY v <-> q.v LIMIT 1) r WHERE q.id = r.id;
SELECT id FROM wide ORDER BY v <-> (SELECT v FROM wide WHERE id = 17) LIMIT 1;

-- a row locked and updated, deleted, returned
SELECT id FROM line ORDER BY v <-> '[5,0,0]' LIMIT 1 FOR UPDATE;
WITH near AS (SELECT id FROM line ORDER BY v <-> '[7.1,0,0]' LIMIT 2),
	gone AS (DELETE FROM line USING near WHERE line.id = near.id RETURNING line.id)
	SELECT id FROM gone ORDER BY id;
INSERT INTO line VALUES (7, '[7,0,0]'), (8, '[8,0,0]');
-- aggregates over a nearest set; unions; common table expressions
SELECT sum(id) FROM (SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 10) s;
(SELECT id FROM line ORDER BY v <-> '[0,0,0]' LIMIT 2) UNION ALL (SELECT id FROM line ORDER BY v <-> '[2001,0,0]' LIMIT 2);
WITH q AS MATERIALIZED (SELECT '[11,0,0]'::vector AS v) SELECT id FROM line ORDER BY v <-> (SELECT v FROM q) LIMIT 1;

-- memory of a rescan is given back
SELECT sum(total_bytes) AS before FROM pg_backend_memory_contexts \gset
SELECT count(*) FROM generate_series(1, 5000) i, LATERAL (SELECT id FROM line ORDER BY v <-> ARRAY[i, 0, 0]::vector LIMIT 1) r;
SELECT sum(total_bytes) - :before < 1000000 AS flat FROM pg_backend_memory_contexts;

RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE line, cloud, lattice, wide, names CASCADE;

DROP VIEW violations;
DROP FUNCTION error_of;
DROP FUNCTION compare;
DROP FUNCTION vec;
DROP FUNCTION explain;
