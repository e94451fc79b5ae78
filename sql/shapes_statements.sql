--
-- shapes_statements: what a statement can do with vectors: JSON, sets, windows,
-- upserts, cursors, prepared statements, subtransactions
--
-- pgvector 0.8.0 answers every statement of this file the same, but for the check at the end.
--

CREATE TABLE t (id int PRIMARY KEY, g int, v vector(3), h halfvec(3), s sparsevec(3), vs vector[]);
INSERT INTO t SELECT i, i % 3, ARRAY[i, i % 2, 1], ARRAY[i, i % 2, 1], ARRAY[i, i % 2, 0], ARRAY[ARRAY[i]::vector, ARRAY[i, 1]::vector]
	FROM generate_series(1, 8) i;
INSERT INTO t VALUES (9, 0);
CREATE INDEX ON t USING hnsw (v vector_l2_ops);

-- ---------- JSON and text ----------

SELECT to_jsonb(t) FROM t WHERE id IN (2, 9) ORDER BY id;
SELECT row_to_json(t), v::text::jsonb -> 0 FROM t WHERE id = 2;
SELECT jsonb_build_object('v', v, 'd', v <-> '[2,0,0]'), json_agg(v) OVER () FROM t WHERE id = 2;
SELECT * FROM json_populate_record(NULL::t, '{"id": 1, "v": "[1,2,3]", "h": [1,2,3], "vs": ["[1,2]", [3]]}');
SELECT * FROM jsonb_to_recordset('[{"id": 1, "v": [1, 2.5, 3]}, {"id": 2, "v": null}]') AS r(id int, v vector(3));
SELECT * FROM jsonb_to_recordset('[{"id": 1, "v": [1, 2]}]') AS r(id int, v vector(3));
SELECT v::json FROM t;
SELECT format('%s %L', v, v), quote_literal(h), concat(v, s), v::text || 'x', v::varchar(4) FROM t WHERE id = 2;

-- ---------- choices, sets, groups, windows ----------

SELECT id, COALESCE(v, '[0,0,0]'), CASE WHEN id < 2 THEN v ELSE '[7,7,7]' END, NULLIF(v, '[1,1,1]'),
	GREATEST(v, '[2,0,1]'), LEAST(v, '[2,0,1]'), v IS DISTINCT FROM '[1,1,1]', v IN ('[1,1,1]', '[3,1,1]'),
	v BETWEEN '[0,0,0]' AND '[3,0,0]' FROM t WHERE id IN (1, 3, 9) ORDER BY id;
SELECT COALESCE(v, h) FROM t WHERE id = 1;
SELECT COALESCE(v, ARRAY[1,2,3]) FROM t WHERE id = 1;
SELECT v FROM t WHERE id = 1 UNION SELECT '[1,1,1]' UNION ALL SELECT NULL;
SELECT v FROM t WHERE id < 4 EXCEPT SELECT v FROM t WHERE id < 2 ORDER BY v;
SELECT v FROM t WHERE id < 4 INTERSECT SELECT v FROM t WHERE id > 2;
SELECT DISTINCT ON (g) g, id FROM t ORDER BY g, v <-> '[3,1,1]';
SELECT g, avg(v), sum(h), count(v), count(DISTINCT s), min(v <-> '[1,1,1]') FROM t GROUP BY g ORDER BY g;
SELECT g, avg(v) FROM t GROUP BY ROLLUP (g) ORDER BY g;
SELECT avg(v) FILTER (WHERE g = 1), sum(v) FILTER (WHERE g = 9), avg(DISTINCT v) FROM t;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY v) FROM t;
SELECT min(v) FROM t;
SELECT id, rank() OVER (ORDER BY v DESC NULLS LAST), lag(v) OVER w, first_value(v) OVER w, avg(v) OVER w
	FROM t WHERE id < 5 WINDOW w AS (ORDER BY id ROWS 1 PRECEDING) ORDER BY id;
SELECT g, id FROM (SELECT g, id, row_number() OVER (PARTITION BY g ORDER BY v <-> '[9,0,1]') AS n FROM t) r
	WHERE n = 1 ORDER BY g;
SELECT q.n, r.id FROM unnest('{"[1,1,1]","[8,0,1]"}'::vector[]) WITH ORDINALITY q(v, n),
	LATERAL (SELECT id FROM t ORDER BY t.v <-> q.v LIMIT 1) r ORDER BY q.n;
SELECT id, unnest(v::real[]), unnest(vs) FROM t WHERE id = 3;
SELECT v[1] FROM t;
SELECT (v::real[])[1:2] FROM t WHERE id = 3;
SELECT vs || '[9]'::vector, array_remove(vs, '[3]'), array_cat(vs, vs[:1]), ARRAY[v] < ARRAY['[4,0,0]'::vector] FROM t WHERE id = 3;
WITH RECURSIVE path(id, v, n) AS (
	SELECT id, v, 0 FROM t WHERE id = 8
	UNION ALL
	SELECT r.id, r.v, n + 1 FROM path, LATERAL (SELECT id, v FROM t WHERE t.id < path.id ORDER BY t.v <-> path.v, id LIMIT 1) r)
	SELECT id FROM path;

-- ---------- changes ----------

INSERT INTO t VALUES (8, 9, '[5,5,5]'), (10, 9, '[6,6,6]')
	ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v + t.v, g = EXCLUDED.g WHERE t.v <-> EXCLUDED.v > 1 RETURNING id, g, v;
INSERT INTO t VALUES (8, 0, '[0,0,0]') ON CONFLICT DO NOTHING RETURNING id;
UPDATE t SET v = n.v FROM (VALUES (10, '[7,7,7]')) n(id, v) WHERE t.id = n.id;
UPDATE t SET v = n.v::vector FROM (VALUES (10, '[7,7,7]')) n(id, v) WHERE t.id = n.id RETURNING t.v;
UPDATE t SET (v, g) = (SELECT '[8,8,8]'::vector, 7) WHERE id = 10 RETURNING v, g;
UPDATE t SET v = ARRAY[1, 2.5, NULL] WHERE id = 10;
WITH gone AS (DELETE FROM t WHERE id = 10 RETURNING *) INSERT INTO t SELECT 11, g, v FROM gone RETURNING id, v;
SET enable_seqscan = off;
DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY v <-> '[8,8,8]' LIMIT 1) RETURNING id;
SELECT id FROM t ORDER BY v <-> '[5,5,5]' LIMIT 1 FOR UPDATE;

-- ---------- cursors and subtransactions ----------

BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM t ORDER BY v <-> '[0.75,0,1]';
FETCH 2 c;
FETCH BACKWARD 1 c;
FETCH LAST c;
FETCH ABSOLUTE 3 c;
MOVE FORWARD ALL IN c;
FETCH PRIOR c;
COMMIT;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT id, v FROM t ORDER BY v <-> '[0.75,0,1]';
FETCH 1 c;
COMMIT;
FETCH 1 c;
CLOSE c;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t ORDER BY v <-> '[5,1,1]' FOR UPDATE;
FETCH 1 c;
UPDATE t SET g = 99 WHERE CURRENT OF c;
SELECT id FROM t WHERE g = 99;
ROLLBACK;
BEGIN;
INSERT INTO t VALUES (20, 0, '[20,0,0]');
SAVEPOINT a;
INSERT INTO t VALUES (21, 0, '[21,0]');
ROLLBACK TO a;
INSERT INTO t VALUES (21, 0, '[21,0,0]');
SET LOCAL hnsw.ef_search = 77;
SELECT id FROM t ORDER BY v <-> '[22,0,0]' LIMIT 2;
ROLLBACK TO a;
SHOW hnsw.ef_search;
SELECT id FROM t ORDER BY v <-> '[22,0,0]' LIMIT 1;
ROLLBACK;
SELECT id FROM t ORDER BY v <-> '[22,0,0]' LIMIT 1;

-- ---------- prepared statements ----------

PREPARE typed(vector) AS SELECT id FROM t ORDER BY v <-> $1 LIMIT 1;
PREPARE untyped AS SELECT id FROM t WHERE g <> $3 ORDER BY v <-> $1 LIMIT $2;
PREPARE from_text(text) AS SELECT id FROM t ORDER BY v <-> $1::vector LIMIT 1;
PREPARE from_real(real[]) AS SELECT id FROM t ORDER BY v <-> $1::vector LIMIT 1;
PREPARE change AS UPDATE t SET v = $2, h = $3 WHERE id = $1 RETURNING v, h;
PREPARE wrong(float8[]) AS SELECT id FROM t ORDER BY v <-> $1 LIMIT 1;
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE typed('[5,1,1]');
EXPLAIN (COSTS OFF) EXECUTE from_text('[5,1,1]');
EXPLAIN (COSTS OFF) EXECUTE from_real('{5,1,1}');
EXECUTE typed('[5,1,1]');
EXECUTE typed('[5,1,1]'::halfvec);
EXECUTE typed(ARRAY[5,1,1]);
EXECUTE untyped('[4.8,1,1]', 2, 2);
EXECUTE from_text('[5,1,1]');
EXECUTE from_real('{5,1,1}');
EXECUTE change(1, '[2,1]', NULL);
EXECUTE change(1, '[2,1,1]', ARRAY[1,2,3]);
RESET plan_cache_mode;
RESET enable_seqscan;
DEALLOCATE ALL;

SELECT * FROM hnsw_index_check('t_v_idx', true, true);

DROP TABLE t;
