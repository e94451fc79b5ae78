--
-- distance_cost: what the planner takes a distance to cost
--

SET max_parallel_workers_per_gather = 0;
SET jit = off;

-- Operator calls that the planner charges for an expression over each row.
CREATE FUNCTION operators(expression text, source text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	plan json;
	base json;
BEGIN
	EXECUTE format('EXPLAIN (FORMAT JSON) SELECT %s FROM %s', expression, source) INTO plan;
	EXECUTE format('EXPLAIN (FORMAT JSON) SELECT 1 FROM %s', source) INTO base;
	RETURN round(((plan #>> '{0,Plan,Total Cost}')::numeric - (base #>> '{0,Plan,Total Cost}')::numeric) /
		((plan #>> '{0,Plan,Plan Rows}')::numeric * current_setting('cpu_operator_cost')::numeric));
END $$;
-- Number i of a sequence of vectors.
CREATE FUNCTION vec(i int, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS
	'SELECT array_agg((i * j % 7 + 1)::float4 ORDER BY j)::vector FROM generate_series(1, dim) j';

-- vectors that stay in the row, ones that go to the TOAST table, large ones that may not
CREATE TABLE item (id int, small vector(8), inside vector(300), half_inside halfvec(100), bits bit(1200), sparse sparsevec(1500));
CREATE TABLE large (id int, small vector(8), outside vector(1500), half_outside halfvec(1500), free vector);
CREATE TABLE plain (id int, plain vector(1500));
ALTER TABLE plain ALTER plain SET STORAGE plain;

-- by what the types say, before there are rows or statistics
CREATE VIEW prices AS SELECT type, operators(expression, source) FROM (VALUES
	('int', 'id + 1', 'item'),
	('8 dimensions', 'small <-> small', 'item'),
	('300, L2', 'inside <-> inside', 'item'),
	('300, cosine', 'inside <=> inside', 'item'),
	('300, inner product', 'inside <#> inside', 'item'),
	('300, L1', 'inside <+> inside', 'item'),
	('300, by name', 'l2_distance(inside, inside)', 'item'),
	('300, twice', '(inside <-> inside) + (inside <-> inside)', 'item'),
	('300, literal', format('inside <-> %L', vec(1, 300)), 'item'),
	('1500', 'outside <-> outside', 'large'),
	('1500, literal', format('outside <-> %L', vec(1, 1500)), 'large'),
	('1500 in the row', 'plain <-> plain', 'plain'),
	('100 halves', 'half_inside <-> half_inside', 'item'),
	('1500 halves', 'half_outside <-> half_outside', 'large'),
	('1500, as halves', 'outside::halfvec(1500) <-> outside::halfvec(1500)', 'large'),
	('1500, a part', 'subvector(outside, 1, 8) <-> small', 'large'),
	('1200 bits', 'bits <~> bits', 'item'),
	('sparse', 'sparse <-> sparse', 'item'),
	('sparse, literal', $q$sparse <-> '{1:1,2:2}/1500'$q$, 'item'),
	('any', 'free <-> free', 'large'),
	('any, literal', format('free <-> %L', vec(1, 300)), 'large'),
	('null', 'inside <-> NULL', 'item')) q (type, expression, source);
TABLE prices;

-- by what ANALYZE has seen: the same, and what the types leave open
INSERT INTO item SELECT i, vec(i, 8), vec(i, 300), vec(i, 100)::halfvec, repeat('110', 400)::bit(1200),
	('{1:' || i || ',2:2}/1500')::sparsevec FROM generate_series(1, 8) i;
INSERT INTO large SELECT i, vec(i, 8), vec(i, 1500), vec(i, 1500)::halfvec, vec(i, 300) FROM generate_series(1, 8) i;
INSERT INTO plain SELECT i, vec(i, 1500) FROM generate_series(1, 8) i;
ANALYZE item, large, plain;
TABLE prices;
-- half of the values outside
CREATE TABLE mixed (v vector(600));
INSERT INTO mixed SELECT vec(i, 600) FROM generate_series(1, 8) i;
ALTER TABLE mixed ALTER v SET STORAGE plain;
INSERT INTO mixed SELECT vec(i, 600) FROM generate_series(1, 8) i;
ANALYZE mixed;
SELECT operators('v <-> v', 'mixed') AS half_outside;
-- nothing but NULLs: by the type again
TRUNCATE mixed;
ALTER TABLE mixed ALTER v SET STORAGE external;
INSERT INTO mixed VALUES (NULL);
ANALYZE mixed;
SELECT operators('v <-> v', 'mixed') AS all_null;
DROP TABLE mixed;

-- through a subquery, a join, a sub-select; of what is no column
-- (what a row of a subquery costs depends on PostgreSQL's version)
SELECT operators('s.outside <-> s.outside', '(SELECT outside FROM large OFFSET 0) s') BETWEEN 1380 AND 1390 AS subquery,
	operators('a.outside <-> b.outside', 'large a, large b') AS join,
	operators('v <-> v', 'unnest(ARRAY[''[1,2]'']::vector[]) v') AS function,
	operators('i.outside <-> (SELECT plain FROM plain OFFSET 3 LIMIT 1)', 'large i') AS sublink;
SET enable_hashagg = off;
EXPLAIN (COSTS OFF) SELECT outside <-> outside FROM large UNION SELECT plain <-> plain FROM plain ORDER BY 1;
RESET enable_hashagg;
EXPLAIN (COSTS OFF) SELECT (SELECT i.inside <-> o.inside FROM item i LIMIT 1) FROM item o;
EXPLAIN (COSTS OFF) SELECT avg(outside) <-> avg(outside) FROM large GROUP BY id HAVING avg(small) <-> avg(small) < 3;

-- conditions: the cheap one first, then the near vector
EXPLAIN (COSTS OFF) SELECT id FROM large WHERE outside <-> outside < 3 AND small <-> small < 2 AND id + 1 > 5;
-- distances that nobody sorts by are computed for the rows that are left
EXPLAIN (COSTS OFF, VERBOSE) SELECT outside <-> outside FROM large ORDER BY id LIMIT 3;

-- a parameter
PREPARE by_distance (vector) AS SELECT id FROM item WHERE inside <-> $1 < 5 ORDER BY id;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE by_distance (vec(1, 300));
RESET plan_cache_mode;
DEALLOCATE by_distance;

DROP VIEW prices;
DROP TABLE item, large, plain;
DROP FUNCTION vec;
DROP FUNCTION operators;
