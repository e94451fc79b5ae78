--
-- hnsw_cost: when the planner takes the graph, and when another plan
--

-- no parallel plans, so that there is one shape to a choice
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET client_min_messages = warning;
-- what is tested here is the index scan itself
SET hnsw.adaptive_scan = off;

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
-- What the verifier finds in any hnsw index.
CREATE VIEW violations AS
	SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
		hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';
-- Which plan: the index scanned in the order of distance, or "exact".
CREATE FUNCTION choice(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || E'\n' || line;
	END LOOP;
	RETURN coalesce(substring(plan FROM 'Index Scan using (\w+) on [\w ]+\n\s+Order By:'), 'exact');
END $$;
-- Total cost of the scan of item_v at the bottom of a plan, and of the plan.
CREATE FUNCTION cost(query text, OUT startup float8, OUT total float8, OUT whole float8) LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	whole := plan #>> '{0,Plan,Total Cost}';
	plan := coalesce(plan #> '{0,Plan,Plans,0}', plan #> '{0,Plan}');
	IF plan ->> 'Index Name' IS DISTINCT FROM 'item_v' THEN
		RAISE 'no scan of item_v: %', plan;
	END IF;
	startup := plan ->> 'Startup Cost';
	total := plan ->> 'Total Cost';
END $$;

CREATE TABLE item (id int, few int, unique_id int, half int, v vector(24));
INSERT INTO item SELECT i, i % 20, i, i % 2, vec(i, 24) FROM generate_series(1, 12000) i;
CREATE INDEX item_v ON item USING hnsw (v vector_l2_ops) WITH (m = 8, ef_construction = 24);
CREATE INDEX item_unique ON item (unique_id);
CREATE INDEX item_few ON item (few);
ANALYZE item;
SELECT vec(0, 24)::text AS q \gset

-- the graph, for a plain search of a large table
SELECT query, choice('SELECT id FROM item ' || replace(query, 'Q', quote_literal(:'q'))) FROM unnest(ARRAY[
	'ORDER BY v <-> Q LIMIT 1',
	'ORDER BY v <-> Q LIMIT 10',
	'ORDER BY v <-> Q LIMIT 100',
	'ORDER BY v <-> Q FETCH FIRST 10 ROWS ONLY',
	'ORDER BY v <-> Q LIMIT 10 OFFSET 10',
	'WHERE half = 1 ORDER BY v <-> Q LIMIT 10',
	'WHERE few = 7 ORDER BY v <-> Q LIMIT 1',
	'WHERE id > 100 ORDER BY v <-> Q LIMIT 10',
	'ORDER BY v <-> (SELECT v FROM item WHERE unique_id = 5) LIMIT 10']) query;
-- the exact plan, where a filter leaves little to sort, and where nothing asks
-- for this order
SELECT query, choice('SELECT id FROM item ' || replace(query, 'Q', quote_literal(:'q'))) FROM unnest(ARRAY[
	'WHERE unique_id = 77 ORDER BY v <-> Q LIMIT 10',
	'WHERE unique_id < 30 ORDER BY v <-> Q LIMIT 10',
	'WHERE unique_id = ANY (''{1,2,3}'') ORDER BY v <-> Q LIMIT 10',
	'ORDER BY v <=> Q LIMIT 10',
	'ORDER BY v <-> Q DESC LIMIT 10',
	'ORDER BY id LIMIT 10',
	'']) query;
-- never without its order, not even when everything else is forbidden
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM item;
SELECT explain($$SELECT v FROM item$$);
SELECT explain($$SELECT id FROM item WHERE v = (SELECT v FROM item WHERE unique_id = 5)$$);
SELECT explain($$SELECT id FROM item WHERE v IS NULL$$);
SELECT count(*) FROM item;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- numbers: finite, growing with what is asked for
SELECT startup > 0 AS startup, total > startup AS total, total < 1e9 AS finite FROM cost(format('SELECT id FROM item ORDER BY v <-> %L LIMIT 10', :'q'));
SELECT array_agg(whole ORDER BY k) = array_agg(whole ORDER BY whole) AS grows_with_limit
	FROM unnest(ARRAY[1, 10, 100]) k, cost(format('SELECT id FROM item ORDER BY v <-> %L LIMIT %s', :'q', k));
SELECT (SELECT whole FROM cost(format('SELECT id FROM item WHERE few = 7 ORDER BY v <-> %L LIMIT 1', :'q'))) >
	(SELECT whole FROM cost(format('SELECT id FROM item ORDER BY v <-> %L LIMIT 1', :'q'))) AS grows_with_filter;
-- A scan for very many rows sweeps in the end, which costs less than walking to
-- them all, as it does in pgvector's modes.  Few rows cost the same in all modes.
SET enable_seqscan = off;
SELECT whole AS few FROM cost(format('SELECT id FROM item ORDER BY v <-> %L LIMIT 50', :'q')) \gset
SELECT whole AS many FROM cost(format('SELECT id FROM item ORDER BY v <-> %L LIMIT 2000', :'q')) \gset
SET hnsw.iterative_scan = strict_order;
SELECT whole = :few AS same FROM cost(format('SELECT id FROM item ORDER BY v <-> %L LIMIT 50', :'q'));
SELECT whole > 3 * :many AS walks FROM cost(format('SELECT id FROM item ORDER BY v <-> %L LIMIT 2000', :'q'));
RESET hnsw.iterative_scan;
RESET enable_seqscan;
SET hnsw.ef_search = 400;
SELECT startup AS wide FROM cost(format('SELECT id FROM item ORDER BY v <-> %L LIMIT 1', :'q')) \gset
RESET hnsw.ef_search;
SELECT startup < :wide AS grows_with_ef_search FROM cost(format('SELECT id FROM item ORDER BY v <-> %L LIMIT 1', :'q'));
-- an index with no rows, one of a table never analyzed, a partial one
CREATE TABLE empty (id int, v vector(3));
CREATE INDEX empty_v ON empty USING hnsw (v vector_l2_ops);
SET enable_seqscan = off;
SELECT choice($$SELECT id FROM empty ORDER BY v <-> '[1,2,3]' LIMIT 5$$);
INSERT INTO empty SELECT i, vec(i, 3) FROM generate_series(1, 10) i;
SELECT choice($$SELECT id FROM empty ORDER BY v <-> '[1,2,3]' LIMIT 5$$);
CREATE INDEX empty_partial ON empty USING hnsw (v vector_l1_ops) WHERE id > 5;
SELECT choice($$SELECT id FROM empty ORDER BY v <+> '[1,2,3]' LIMIT 5$$), choice($$SELECT id FROM empty WHERE id > 7 ORDER BY v <+> '[1,2,3]' LIMIT 5$$);
RESET enable_seqscan;
-- a small table is sorted
ANALYZE empty;
SELECT choice($$SELECT id FROM empty ORDER BY v <-> '[1,2,3]' LIMIT 5$$);
DROP TABLE empty;
-- a partitioned table without partitions
CREATE TABLE parent (id int, v vector(3)) PARTITION BY RANGE (id);
CREATE INDEX parent_v ON parent USING hnsw (v vector_l2_ops);
SELECT choice($$SELECT id FROM parent ORDER BY v <-> '[1,2,3]' LIMIT 5$$);
DROP TABLE parent;

SELECT * FROM violations;
DROP TABLE item;
DROP FUNCTION cost;
DROP FUNCTION choice;
DROP VIEW violations;
DROP FUNCTION vec;
DROP FUNCTION explain;
