-- Second part of bench/filters: many tenants.  Tables, unless they are there, and
-- what is measured: one row a shape, query vector and plan in filters.shape_result.

-- 10,000 tenants of 3 to 627 rows in one table, ten shards of a tenth each, and
-- the same rows in 200 partitions.
CREATE OR REPLACE PROCEDURE filters.load_tenants() LANGUAGE plpgsql AS $$
BEGIN
	IF to_regclass('filters.part') IS NOT NULL THEN
		RETURN;
	END IF;
	SET LOCAL maintenance_work_mem = '1GB';
	CREATE TABLE filters.item AS
		SELECT id, floor(10000 * ((id * 7919 % n) / n::float8) ^ 2)::int AS tenant, id % 10 AS shard, id % 200 AS part, embedding
		FROM filters.package, (SELECT count(*) AS n FROM filters.package) c ORDER BY id;
	CREATE INDEX ON filters.item (tenant);
	CREATE INDEX ON filters.item USING hnsw (embedding vector_cosine_ops);
	CREATE TABLE filters.sharded AS SELECT * FROM filters.item ORDER BY id;
	FOR i IN 0..9 LOOP
		EXECUTE format('CREATE INDEX ON filters.sharded USING hnsw (embedding vector_cosine_ops) WHERE shard = %s', i);
	END LOOP;
	CREATE TABLE filters.part (id int, tenant int, shard int, part int, embedding vector(384)) PARTITION BY LIST (part);
	FOR i IN 0..199 LOOP
		EXECUTE format('CREATE TABLE filters.part%s PARTITION OF filters.part FOR VALUES IN (%s)', i, i);
	END LOOP;
	INSERT INTO filters.part SELECT id, tenant, shard, part, embedding FROM filters.item ORDER BY id;
	CREATE INDEX ON filters.part USING hnsw (embedding vector_cosine_ops);
END $$;

-- Queries that give g, a group, id and d, the distance; Q stands for the vector.
-- A forced plan that is hopeless, above a second, is not measured.
DROP TABLE IF EXISTS filters.shape CASCADE;
CREATE TABLE filters.shape (n serial, name text, query text, hopeless text);
INSERT INTO filters.shape (name, query, hopeless) VALUES
	('the largest tenant', 'SELECT 0 AS g, id, embedding <=> Q AS d FROM filters.item WHERE tenant = 0 ORDER BY embedding <=> Q LIMIT 10', NULL),
	('a small tenant', 'SELECT 0 AS g, id, embedding <=> Q AS d FROM filters.item WHERE tenant = 5000 ORDER BY embedding <=> Q LIMIT 10', NULL),
	('half of the tenants', 'SELECT 0 AS g, id, embedding <=> Q AS d FROM filters.item WHERE tenant < 2500 ORDER BY embedding <=> Q LIMIT 10', NULL),
	('one of 200 partitions', 'SELECT 0 AS g, id, embedding <=> Q AS d FROM filters.part WHERE part = 17 ORDER BY embedding <=> Q LIMIT 10', NULL),
	('all 200 partitions', 'SELECT 0 AS g, id, embedding <=> Q AS d FROM filters.part ORDER BY embedding <=> Q LIMIT 10', NULL),
	('200 partitions, a tenth passes', 'SELECT 0 AS g, id, embedding <=> Q AS d FROM filters.part WHERE tenant < 100 ORDER BY embedding <=> Q LIMIT 10', NULL),
	('one of ten partial indexes', 'SELECT 0 AS g, id, embedding <=> Q AS d FROM filters.sharded WHERE shard = 4 ORDER BY embedding <=> Q LIMIT 10', NULL),
	('partial index, half passes', 'SELECT 0 AS g, id, embedding <=> Q AS d FROM filters.sharded WHERE shard = 4 AND tenant < 2500 ORDER BY embedding <=> Q LIMIT 10', NULL),
	('nearest 3 of 100 tenants', 'SELECT g, x.* FROM generate_series(0, 99) g, LATERAL (SELECT id, embedding <=> Q AS d FROM filters.item i WHERE i.tenant = g ORDER BY embedding <=> Q LIMIT 3) x', 'graph'),
	('nearest 3 of 10 shards', 'SELECT g, x.* FROM generate_series(0, 9) g, LATERAL (SELECT id, embedding <=> Q AS d FROM filters.item i WHERE i.shard = g ORDER BY embedding <=> Q LIMIT 3) x', NULL),
	('two tables', 'SELECT 0 AS g, id, embedding <=> Q AS d FROM (SELECT id, embedding FROM filters.item UNION ALL SELECT id, embedding FROM filters.package) u ORDER BY embedding <=> Q LIMIT 10', NULL),
	('two tables, one partial index', 'SELECT 0 AS g, id, embedding <=> Q AS d FROM (SELECT * FROM filters.item UNION ALL SELECT * FROM filters.sharded) u WHERE shard = 4 ORDER BY embedding <=> Q LIMIT 10', NULL);

DROP TABLE IF EXISTS filters.shape_result CASCADE;
CREATE TABLE filters.shape_result (shape int, query int, plan text, wanted bigint, rows bigint, good bigint, ms float8, chosen text);

-- The scans of a plan: how many of each kind.  'btree' is any other index.
CREATE OR REPLACE FUNCTION filters.scans(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
	result text;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
	WITH RECURSIVE node (j) AS (
		SELECT plan #> '{0,Plan}'
		UNION ALL SELECT json_array_elements(CASE WHEN j ->> 'Node Type' IN ('Custom Scan', 'Bitmap Heap Scan') THEN '[]' ELSE coalesce(j -> 'Plans', '[]') END)
		FROM node)
	SELECT string_agg(CASE WHEN n > 1 THEN n || ' ' ELSE '' END || kind, ', ' ORDER BY kind) INTO result
	FROM (SELECT kind, count(*) AS n FROM (SELECT CASE j ->> 'Node Type' WHEN 'Custom Scan' THEN 'adaptive'
			WHEN 'Index Scan' THEN CASE WHEN j ->> 'Order By' IS NOT NULL THEN 'graph' ELSE 'btree' END
			WHEN 'Bitmap Heap Scan' THEN 'bitmap' WHEN 'Seq Scan' THEN 'sequential' END AS kind FROM node) k
		WHERE kind IS NOT NULL GROUP BY 1) c;
	RETURN result;
END $$;

CREATE OR REPLACE PROCEDURE filters.measure_shape(s filters.shape, q filters.query, plan text) LANGUAGE plpgsql AS $$
DECLARE
	query text := replace(s.query, 'Q', quote_literal(q.v::text) || '::vector');
	ms float8;
BEGIN
	CALL filters.force('sequential');
	DROP TABLE IF EXISTS exact, found;
	EXECUTE 'CREATE TEMP TABLE exact AS ' || query;
	CALL filters.force(plan);
	EXECUTE 'CREATE TEMP TABLE found AS ' || query;
	SELECT t.ms INTO ms FROM filters.timed(format('SELECT id FROM (%s) t', query)) t;
	INSERT INTO filters.shape_result SELECT s.n, q.id, plan, (SELECT count(*) FROM exact), (SELECT count(*) FROM found),
		(SELECT count(*) FROM found JOIN (SELECT g, max(d) AS bound FROM exact GROUP BY 1) e USING (g) WHERE d <= bound + 1e-6),
		ms, filters.scans(query);
END $$;

CREATE OR REPLACE PROCEDURE filters.run_shapes(plans text[], queries int) LANGUAGE plpgsql AS $$
DECLARE
	s filters.shape;
	q filters.query;
	plan text;
BEGIN
	FOR s IN SELECT * FROM filters.shape ORDER BY n LOOP
		FOR q IN SELECT * FROM filters.query WHERE id % 11 = 5 ORDER BY id LIMIT queries LOOP
			FOREACH plan IN ARRAY plans LOOP
				IF plan IS DISTINCT FROM s.hopeless THEN
					CALL filters.measure_shape(s, q, plan);
				END IF;
			END LOOP;
		END LOOP;
	END LOOP;
END $$;

CREATE VIEW filters.shape_median AS
	SELECT shape, plan, sum(rows)::float8 / sum(wanted) AS rows, sum(good)::float8 / sum(wanted) AS recall,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms, mode() WITHIN GROUP (ORDER BY chosen) AS chosen
	FROM filters.shape_result GROUP BY 1, 2;
CREATE VIEW filters.shapes AS
	SELECT s.name, round(d.rows::numeric, 3) AS rows, round(d.recall::numeric, 3) AS recall, round(d.ms::numeric, 2) AS ms,
		b.plan AS best, round(b.ms::numeric, 2) AS best_ms,
		(SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY x.ms / nullif(y.ms, 0))::numeric, 2) FROM filters.shape_result x JOIN filters.shape_result y USING (shape, query)
			WHERE (x.plan, y.plan, shape) = ('default', b.plan, s.n)) AS ratio,
		round(p.rows::numeric, 3) AS peer_rows, round(p.recall::numeric, 3) AS peer_recall, round(p.ms::numeric, 2) AS peer_ms, d.chosen, p.chosen AS peer_chosen
	FROM filters.shape s JOIN filters.shape_median d ON d.shape = s.n AND d.plan = 'default'
		CROSS JOIN LATERAL (SELECT * FROM filters.shape_median m WHERE m.shape = s.n
			AND m.plan IN ('graph', 'bitmap', 'sequential') AND m.recall >= 0.95 ORDER BY m.ms LIMIT 1) b
		LEFT JOIN filters.shape_median p ON p.shape = s.n AND p.plan = 'strict_order'
	ORDER BY s.n;
