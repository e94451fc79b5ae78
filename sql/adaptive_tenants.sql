--
-- adaptive_tenants: many vectors of many tenants, in one table, in partitions,
-- under partial indexes; groups, and several tables at once.  Plan and answer.
--

SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET client_min_messages = warning;

-- Number i of a sequence of vectors: elements in [-1, 1) that follow from i.
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, dim) j
$$;
-- The planner's plan, without costs and the long lines.
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line !~ 'Order By:|Sort Key:' THEN
			RETURN NEXT line;
		END IF;
	END LOOP;
END $$;
-- How many scans of each kind a plan has.
CREATE FUNCTION scans(query text, OUT scan text, OUT n bigint) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT substring(p FROM '(\w[\w ]*Scan|Merge Append|Append|Sort)'), count(*) FROM plan(query) p
	WHERE p ~ 'Scan|Append|Sort' GROUP BY 1 ORDER BY 1
$$;
-- The planner's plan against the exact one.  'complete': as many rows, and none
-- twice.  'right': the same rows, if the look-ahead covers all.
CREATE FUNCTION compare(query text, OUT rows bigint, OUT complete boolean, OUT "right" boolean) LANGUAGE plpgsql AS $$
DECLARE
	everything text := 'SELECT array_agg(t::text) FROM (' || query || ') t';
	found text[];
	found_by_all text[];
	exact text[];
	seqscan text := current_setting('enable_seqscan');
	sort text := current_setting('enable_sort');
BEGIN
	EXECUTE everything INTO found;
	SET LOCAL hnsw.ef_search = 10000;
	EXECUTE everything INTO found_by_all;
	SET LOCAL hnsw.ef_search = 40;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
	EXECUTE everything INTO exact;
	SET LOCAL enable_indexscan = on;
	PERFORM set_config('enable_seqscan', seqscan, true), set_config('enable_sort', sort, true);
	rows := coalesce(cardinality(exact), 0);
	complete := cardinality(found) IS NOT DISTINCT FROM cardinality(exact) AND
		(SELECT count(DISTINCT x) FROM unnest(found) x) = (SELECT count(DISTINCT x) FROM unnest(exact) x);
	"right" := (SELECT count(*) FROM (SELECT unnest(found_by_all) INTERSECT ALL SELECT unnest(exact)) t) = rows;
END $$;

-- 1,000 tenants with 3 to 247 rows each
CREATE TABLE item (id int PRIMARY KEY, tenant int, part int, shard int, tags int[], v vector(8));
INSERT INTO item SELECT i, floor(1000 * (i / 7800.0) ^ 2), i % 200, i % 10, ARRAY[i % 3, i % 50 + 10], vec(i, 8) FROM generate_series(0, 7799) i;
CREATE INDEX item_tenant ON item (tenant);
CREATE INDEX item_v ON item USING hnsw (v vector_l2_ops);
VACUUM ANALYZE item;
SELECT min(n), max(n), count(*) FROM (SELECT count(*) n FROM item GROUP BY tenant) t;

-- One tenant: few rows are found by the tenant's index and sorted.
SELECT plan('SELECT id FROM item WHERE tenant = 900 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT tenant, c.* FROM unnest(ARRAY[0, 1, 10, 250, 900, 999, 1000]) tenant,
	compare(format('SELECT id, tenant FROM item WHERE tenant = %s ORDER BY v <-> vec(-1, 8) LIMIT 10', tenant)) c ORDER BY tenant;
-- all tenants, each row of the answer its own
SELECT count(*) AS tenants, sum(c.rows) AS rows, bool_and(c.complete) AS complete, bool_and(c."right") AS "right"
	FROM generate_series(3, 999, 83) tenant, compare(format('SELECT id FROM item WHERE tenant = %s ORDER BY v <-> vec(%s, 8) LIMIT 10', tenant, -tenant)) c;
-- Some tenants, and something else beside the tenant
SELECT * FROM compare('SELECT id FROM item WHERE tenant IN (1, 5, 700) ORDER BY v <-> vec(-1, 8) LIMIT 20');
SELECT * FROM compare('SELECT id FROM item WHERE tenant = 0 AND tags @> ''{1}'' ORDER BY v <-> vec(-1, 8) LIMIT 100');
SELECT * FROM compare('SELECT id FROM item WHERE tenant < 500 ORDER BY v <-> vec(-1, 8) LIMIT 20 OFFSET 10');
-- The tenant from a policy, of a session or a parameter
CREATE ROLE regress_tenant;
GRANT SELECT ON item TO regress_tenant;
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON item USING (tenant = current_setting('item.tenant')::int);
SET item.tenant = 7;
SET ROLE regress_tenant;
SELECT plan('SELECT id FROM item ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, tenant FROM item ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, tenant FROM item WHERE tags @> ''{1}'' ORDER BY v <-> vec(-1, 8)');
RESET ROLE;
ALTER TABLE item DISABLE ROW LEVEL SECURITY;
SET plan_cache_mode = force_generic_plan;
PREPARE of_tenant (int, vector, int) AS SELECT id, tenant FROM item WHERE tenant = $1 ORDER BY v <-> $2 LIMIT $3;
SELECT tenant, c.* FROM unnest(ARRAY[0, 10, 999]) tenant, compare(format('SELECT id, tenant FROM item WHERE tenant = %s ORDER BY v <-> vec(-1, 8) LIMIT 5', tenant)) c ORDER BY tenant;
CREATE TEMP TABLE a AS EXECUTE of_tenant (0, vec(-1, 8), 300);
CREATE TEMP TABLE b AS SELECT id, tenant FROM item WHERE tenant = 0 ORDER BY v <-> vec(-1, 8) LIMIT 300;
SELECT (SELECT array_agg(a::text) FROM a) = (SELECT array_agg(b::text) FROM b) AS same, count(*) FROM a;
DEALLOCATE of_tenant;
RESET plan_cache_mode;
-- A table of tenants: joins, sub-selects
CREATE TABLE tenant (id int PRIMARY KEY, name text, big boolean);
INSERT INTO tenant SELECT i, 'tenant ' || i, i < 5 FROM generate_series(0, 999) i;
VACUUM ANALYZE tenant;
SELECT * FROM compare('SELECT i.id, t.name FROM item i JOIN tenant t ON t.id = i.tenant WHERE t.name = ''tenant 3'' ORDER BY i.v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT i.id FROM item i JOIN tenant t ON t.id = i.tenant WHERE t.big ORDER BY i.v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id FROM item WHERE tenant = (SELECT id FROM tenant WHERE name = ''tenant 3'') ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id FROM item i WHERE EXISTS (SELECT FROM tenant t WHERE t.id = i.tenant AND NOT t.big) ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id FROM item WHERE tenant = ANY (ARRAY(SELECT id FROM tenant WHERE big)) ORDER BY v <-> vec(-1, 8) LIMIT 10');

-- The nearest three of each tenant
SELECT plan('SELECT t.id, n.id FROM tenant t, LATERAL (SELECT id FROM item i WHERE i.tenant = t.id ORDER BY v <-> vec(-1, 8) LIMIT 3) n');
SELECT * FROM compare('SELECT t.id, n.id FROM tenant t, LATERAL (SELECT id FROM item i WHERE i.tenant = t.id ORDER BY v <-> vec(-1, 8) LIMIT 3) n WHERE t.id % 20 = 0');
-- ... to a vector of its own
SELECT * FROM compare('SELECT t.id, n.id FROM tenant t, LATERAL (SELECT id FROM item i WHERE i.tenant = t.id ORDER BY v <-> vec(-t.id, 8) LIMIT 3) n WHERE t.big');
-- ... of three large groups without an index: the walk finds them
SELECT plan('SELECT g, n.id FROM generate_series(0, 2) g, LATERAL (SELECT id FROM item i WHERE i.tags[1] = g ORDER BY v <-> vec(-1, 8) LIMIT 3) n');
SELECT * FROM compare('SELECT g, n.id FROM generate_series(0, 2) g, LATERAL (SELECT id FROM item i WHERE i.tags[1] = g ORDER BY v <-> vec(-1, 8) LIMIT 3) n');
-- ... the nearest tenants, by their nearest rows
SELECT * FROM compare('SELECT t.id, n.d FROM tenant t, LATERAL (SELECT v <-> vec(-1, 8) AS d FROM item i WHERE i.tenant = t.id ORDER BY v <-> vec(-1, 8) LIMIT 1) n ORDER BY n.d LIMIT 5');

-- 200 partitions with an index each
CREATE TABLE part (id int, part int, kind int, v vector(8)) PARTITION BY LIST (part);
DO $$
BEGIN
	FOR i IN 0..199 LOOP
		EXECUTE format('CREATE TABLE part%s PARTITION OF part FOR VALUES IN (%s)', i, i);
	END LOOP;
END $$;
INSERT INTO part SELECT id, part, id % 7, v FROM item;
CREATE INDEX part_v ON part USING hnsw (v vector_l2_ops);
VACUUM ANALYZE part;
-- one of them: its rows are sorted, for there are 39
SELECT scan, n FROM scans('SELECT id FROM part WHERE part = 17 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, part FROM part WHERE part = 17 ORDER BY v <-> vec(-1, 8) LIMIT 10');
-- all of them, by the planner's choice and merged
SELECT * FROM compare('SELECT id, part FROM part ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, part FROM part WHERE kind = 3 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SET enable_seqscan = off;
SET enable_sort = off;
SELECT scan, n FROM scans('SELECT id FROM part ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, part FROM part ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, part FROM part ORDER BY v <-> vec(-1, 8) LIMIT 100 OFFSET 7');
SELECT scan, n FROM scans('SELECT id FROM part WHERE kind = 3 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, part FROM part WHERE kind = 3 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, part FROM part WHERE part BETWEEN 10 AND 50 AND kind < 3 ORDER BY v <-> vec(-1, 8) LIMIT 200');
SELECT * FROM compare('SELECT id, part FROM part WHERE kind = 3 ORDER BY v <-> vec(-1, 8)');
RESET enable_seqscan;
RESET enable_sort;
-- pruned when it runs
SET plan_cache_mode = force_generic_plan;
PREPARE of_part (int) AS SELECT id, part FROM part WHERE part = $1 ORDER BY v <-> vec(-1, 8) LIMIT 5;
CREATE TEMP TABLE c AS EXECUTE of_part (123);
CREATE TEMP TABLE d AS SELECT id, part FROM part WHERE part = 123 ORDER BY v <-> vec(-1, 8) LIMIT 5;
SELECT (SELECT array_agg(c::text) FROM c) = (SELECT array_agg(d::text) FROM d) AS same, count(*) FROM c;
DEALLOCATE of_part;
RESET plan_cache_mode;

-- Ten partial indexes: the one of the condition is walked, and there is nothing
-- left to filter; other conditions are filtered
DROP INDEX item_v;
DO $$
BEGIN
	FOR i IN 0..9 LOOP
		EXECUTE format('CREATE INDEX item_v%s ON item USING hnsw (v vector_l2_ops) WHERE shard = %s', i, i);
	END LOOP;
END $$;
ANALYZE item;
SELECT plan('SELECT id FROM item WHERE shard = 4 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT n, c.* FROM generate_series(0, 9, 3) n, compare(format('SELECT id, shard FROM item WHERE shard = %s ORDER BY v <-> vec(-1, 8) LIMIT 10', n)) c ORDER BY n;
SELECT plan('SELECT id FROM item WHERE shard = 4 AND tags[1] = 2 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, shard FROM item WHERE shard = 4 AND tags[1] = 2 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, shard FROM item WHERE shard = 4 AND tenant > 990 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id, shard FROM item WHERE shard = 4 AND tags[1] = 2 ORDER BY v <-> vec(-1, 8)');
SELECT * FROM compare('SELECT id, shard FROM item WHERE shard IN (3, 4) ORDER BY v <-> vec(-1, 8) LIMIT 10');

-- The nearest of several tables
CREATE TABLE other (id int, kind int, v vector(8));
INSERT INTO other SELECT i, i % 5, vec(100000 + i, 8) FROM generate_series(1, 3000) i;
CREATE INDEX other_v ON other USING hnsw (v vector_l2_ops);
CREATE TABLE third (LIKE other);
INSERT INTO third SELECT i, i % 5, vec(200000 + i, 8) FROM generate_series(1, 3000) i;
CREATE INDEX third_v ON third USING hnsw (v vector_l2_ops);
VACUUM ANALYZE other, third;
SELECT plan('SELECT id FROM (SELECT id, v FROM other UNION ALL SELECT id, v FROM third) u ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id FROM (SELECT id, v FROM other UNION ALL SELECT id, v FROM third) u ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT plan('SELECT id FROM (SELECT id, kind, v FROM other UNION ALL SELECT id, kind, v FROM third) u WHERE kind < 3 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id FROM (SELECT id, kind, v FROM other UNION ALL SELECT id, kind, v FROM third) u WHERE kind < 3 ORDER BY v <-> vec(-1, 8) LIMIT 10');
SELECT * FROM compare('SELECT id FROM (SELECT id, kind, v FROM other UNION ALL SELECT id, kind, v FROM third) u WHERE kind < 3 ORDER BY v <-> vec(-1, 8) LIMIT 1000');
SELECT * FROM compare('(SELECT id, v <-> vec(-1, 8) AS d FROM other WHERE kind = 1 ORDER BY v <-> vec(-1, 8) LIMIT 10)
	UNION ALL (SELECT id, v <-> vec(-1, 8) FROM third WHERE kind = 1 ORDER BY v <-> vec(-1, 8) LIMIT 10) ORDER BY d LIMIT 10');

SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
	hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';
DROP TABLE item, tenant, part, other, third, a, b, c, d;
DROP ROLE regress_tenant;
DROP FUNCTION compare(text), scans(text), plan(text), vec(bigint, int);
