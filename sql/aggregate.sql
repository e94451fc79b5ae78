--
-- aggregate: sum and avg of vector and halfvec
--

SELECT avg(v), sum(v) FROM (VALUES ('[1,2,3]'::vector), ('[3,5,7]')) t (v);
SELECT avg(v), sum(v) FROM (VALUES ('[1,2,3]'::vector), (NULL), ('[3,5,7]'), (NULL)) t (v);
-- of one vector, that vector
SELECT avg(v), sum(v) FROM (VALUES ('[-0,1]'::vector)) t (v);
SELECT avg(v), sum(v) FROM (VALUES (NULL::vector)) t (v);
SELECT avg(v), sum(v) FROM (SELECT '[1]'::vector WHERE false) t (v);
-- avg sums in float8, sum in float4
SELECT avg(v) FROM (VALUES ('[3e38]'::vector), ('[3e38]')) t (v);
SELECT sum(v) FROM (VALUES ('[3e38]'::vector), ('[3e38]')) t (v);
SELECT avg(v), sum(v) FROM (VALUES ('[1e8]'::vector), ('[1]'), ('[-1e8]')) t (v);
-- dimensions
SELECT avg(v) FROM (VALUES ('[1,2]'::vector), ('[3]')) t (v);
SELECT sum(v) FROM (VALUES ('[1,2]'::vector), ('[3]')) t (v);

-- groups, windows, FILTER, DISTINCT: each has its own state
CREATE TABLE measured AS
	SELECT i, i % 3 AS g, ARRAY[i, i * i, -i]::vector AS v FROM generate_series(1, 60) i;
SELECT g, avg(v), sum(v), avg(v) FILTER (WHERE i <= 3) FROM measured GROUP BY g ORDER BY g;
SELECT i, avg(v) OVER w, sum(v) OVER w FROM measured WHERE i <= 6
	WINDOW w AS (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
SELECT i, avg(v) OVER (ORDER BY i) FROM measured WHERE i <= 4;
SELECT avg(DISTINCT v) FROM (VALUES ('[1]'::vector), ('[1]'), ('[3]')) t (v);
SELECT g, avg(v), sum(v) FROM measured GROUP BY GROUPING SETS ((g), ()) ORDER BY g;

-- in parallel, also over no rows
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE measured SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v) FROM measured;
SELECT avg(v), sum(v) FROM measured;
SELECT avg(v), sum(v) FROM measured WHERE i > 99;
SELECT avg(v), sum(v) FROM measured WHERE i = 7;
-- a worker may be the first to see it
\set SHOW_CONTEXT never
SELECT avg(v) FROM (SELECT CASE WHEN i = 1 THEN '[1]'::vector ELSE v END FROM measured) t (v);
\set SHOW_CONTEXT errors
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
DROP TABLE measured;

-- the support functions, called by hand: an argument is never changed
SELECT vector_accum('{0}', '[1,2]'), vector_accum('{1,1,2}', '[3,4]');
WITH s (state) AS MATERIALIZED (VALUES ('{1,1,2}'::float8[]))
	SELECT vector_accum(state, '[3,4]'), vector_accum(state, '[3,4]'), state FROM s;
SELECT vector_combine('{0}', '{0}'), vector_combine('{0}', '{2,3,4}'), vector_combine('{2,3,4}', '{0}'),
	vector_combine('{2,3,4}', '{1,1,1}');
SELECT vector_avg('{0}'), vector_avg('{2,3,4}'), vector_avg('{0,1,2}');
SELECT vector_accum('{1e308,1e308}', '[3e38]'), vector_accum('[4:5]={1,2}', '[3]');

-- and by a stranger
SELECT vector_accum('{}', '[1]');
SELECT vector_accum('{{0}}', '[1]');
SELECT vector_accum('{NULL}', '[1]');
SELECT vector_accum('{0,NULL}', '[1]');
SELECT vector_accum('{1,2,3}', '[1]');
SELECT vector_accum('{1,Infinity}', '[1]');
SELECT vector_combine('{}', '{0}');
SELECT vector_combine('{0}', '{}');
SELECT vector_combine('{0}', '{{1},{2}}');
SELECT vector_combine('{1,2}', '{1,NULL}');
SELECT vector_combine('{1,2}', '{1,2,3}');
SELECT vector_combine('{1,1.7e308}', '{1,1.7e308}');
SELECT vector_avg('{}');
SELECT vector_avg('{{1,2}}');
SELECT vector_avg('{1,NULL}');
SELECT vector_avg('{1}');
SELECT vector_avg('{1,NaN}');
SELECT vector_avg('{NaN,1}');
SELECT vector_avg('{1,1e39}');
SELECT vector_avg(array_fill(1::float8, ARRAY[16002]));
SELECT vector_dims(vector_avg(array_fill(1::float8, ARRAY[16001])));

--
-- halfvec: avg sums in float8, sum in halfvec
--

SELECT avg(v), sum(v) FROM (VALUES ('[1,2,3]'::halfvec), ('[3,5,7]')) t (v);
SELECT avg(v), sum(v) FROM (VALUES ('[1,2,3]'::halfvec), (NULL), ('[3,5,7]'), (NULL)) t (v);
SELECT avg(v), sum(v) FROM (VALUES ('[-0,1]'::halfvec)) t (v);
SELECT avg(v), sum(v) FROM (VALUES (NULL::halfvec)) t (v);
SELECT avg(v), sum(v) FROM (SELECT '[1]'::halfvec WHERE false) t (v);
SELECT avg(v) FROM (VALUES ('[65504]'::halfvec), ('[65504]')) t (v);
SELECT sum(v) FROM (VALUES ('[65504]'::halfvec), ('[65504]')) t (v);
SELECT avg(v), sum(v) FROM (VALUES ('[2048]'::halfvec), ('[1]'), ('[1]')) t (v);
SELECT avg(v) FROM (VALUES ('[1,2]'::halfvec), ('[3]')) t (v);
SELECT sum(v) FROM (VALUES ('[1,2]'::halfvec), ('[3]')) t (v);

CREATE TABLE measured AS
	SELECT i, i % 3 AS g, ARRAY[i, i % 2, -i]::halfvec AS v FROM generate_series(1, 60) i;
SELECT g, avg(v), sum(v), avg(v) FILTER (WHERE i <= 3) FROM measured GROUP BY g ORDER BY g;
SELECT i, avg(v) OVER w, sum(v) OVER w FROM measured WHERE i <= 6
	WINDOW w AS (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
SELECT avg(DISTINCT v) FROM (VALUES ('[1]'::halfvec), ('[1]'), ('[3]')) t (v);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE measured SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v) FROM measured;
SELECT avg(v), sum(v) FROM measured;
SELECT avg(v), sum(v) FROM measured WHERE i > 99;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
DROP TABLE measured;

SELECT halfvec_accum('{0}', '[1,2]'), halfvec_accum('{1,1,2}', '[3,4]');
WITH s (state) AS MATERIALIZED (VALUES ('{1,1,2}'::float8[]))
	SELECT halfvec_accum(state, '[3,4]'), halfvec_accum(state, '[3,4]'), state FROM s;
SELECT halfvec_combine('{0}', '{2,3,4}'), halfvec_combine('{2,3,4}', '{1,1,1}'), halfvec_combine('{0}', '{0}');
SELECT halfvec_avg('{0}'), halfvec_avg('{2,3,4}'), halfvec_avg('{1,65519}'), halfvec_avg('{1,1e-300}');
SELECT halfvec_accum('{}', '[1]');
SELECT halfvec_accum('{{0}}', '[1]');
SELECT halfvec_accum('{0,NULL}', '[1]');
SELECT halfvec_accum('{1,2,3}', '[1]');
SELECT halfvec_accum('{1,Infinity}', '[1]');
SELECT halfvec_combine('{}', '{0}');
SELECT halfvec_avg('{}');
SELECT halfvec_avg('{1,NULL}');
SELECT halfvec_avg('{1}');
SELECT halfvec_avg('{1,NaN}');
SELECT halfvec_avg('{1,1e39}');
SELECT halfvec_avg('{2,-131040}');
SELECT halfvec_avg(array_fill(1::float8, ARRAY[16002]));
SELECT vector_dims(halfvec_avg(array_fill(1::float8, ARRAY[16001])));
