--
-- hnsw_settled: rows whose place in the order the index knows for certain
--

-- The own forms of values that lie out of line tell the distance so well that
-- the executor need not look at most of them.
SET jit = off;
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;

-- Vector number i: of length 'length', in a direction that follows from i.
CREATE FUNCTION vec(i bigint, dim int, length float8) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg((x / norm * length)::float4 ORDER BY j)::vector
	FROM (SELECT j, x, sqrt(sum(x * x) OVER ()) AS norm
		  FROM (SELECT j, (hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1 AS x
				FROM generate_series(1, dim) j) e) n
$$;

-- How often a statement calls a distance function.
CREATE FUNCTION calls(function text, query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := coalesce((SELECT s.calls FROM pg_stat_xact_user_functions s WHERE funcname = function), 0);
BEGIN
	SET LOCAL track_functions = 'all';
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	EXECUTE query;
	RETURN coalesce((SELECT s.calls FROM pg_stat_xact_user_functions s WHERE funcname = function), 0) - before;
END $$;

-- Are the distances of the first rows those of an exact plan, in order?
CREATE FUNCTION is_exact(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	collect text := 'SELECT array_agg(d) FROM (' || query || ') t (d)';
	found float8[];
	exact float8[];
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	EXECUTE collect INTO found;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
	EXECUTE collect INTO exact;
	SET LOCAL enable_indexscan = on;
	RETURN found = exact;
END $$;

-- Lengths far apart: from the origin nothing is in doubt.
CREATE TABLE far (id int PRIMARY KEY, v vector(600));
INSERT INTO far SELECT i, vec(i, 600, i) FROM generate_series(1, 300) i;
CREATE INDEX far_v ON far USING hnsw (v vector_l2_ops);
SELECT calls('l2_distance', 'SELECT id FROM far ORDER BY v <-> array_fill(0, ARRAY[600])::vector LIMIT 10');
SELECT array_agg(id) FROM (SELECT id FROM far ORDER BY v <-> array_fill(0, ARRAY[600])::vector LIMIT 10) t;
SET hnsw.ef_search = 1000;
SELECT count(*), bool_and(is_exact(format('SELECT v <-> %L FROM far ORDER BY v <-> %L LIMIT 100', q, q)))
FROM (SELECT vec(-i, 600, i * 10) AS q FROM generate_series(0, 20) i) t;
RESET hnsw.ef_search;

-- Rows that share a node are in no order that the index knows, but all of them
-- come, and those around them are in their places.
INSERT INTO far SELECT 1000 + i, vec(5, 600, 5) FROM generate_series(1, 4) i;
SELECT calls('l2_distance', 'SELECT id FROM far ORDER BY v <-> array_fill(0, ARRAY[600])::vector LIMIT 10');
SELECT array_agg(id % 1000 > 0 AND v <-> vec(5, 600, 5) = 0) FROM
	(SELECT id, v FROM far ORDER BY v <-> array_fill(0, ARRAY[600])::vector LIMIT 10) t;

-- Lengths that differ by less than the error of the codes: the executor decides.
CREATE TABLE near (id int PRIMARY KEY, v vector(600));
INSERT INTO near SELECT i, vec(i, 600, 1 + i % 97 * 0.00001) FROM generate_series(1, 300) i;
CREATE INDEX near_v ON near USING hnsw (v vector_l2_ops);
SET hnsw.ef_search = 1000;
SELECT calls('l2_distance', 'SELECT id FROM near ORDER BY v <-> array_fill(0, ARRAY[600])::vector LIMIT 10') >= 10 AS decides;
SELECT count(*), bool_and(is_exact(format('SELECT v <-> %L FROM near ORDER BY v <-> %L LIMIT 100', q, q)))
FROM (SELECT vec(-i, 600, i * 0.1) AS q FROM generate_series(0, 20) i) t;
RESET hnsw.ef_search;

-- Cosine, halfvec, and short vectors, whose own forms are exact up to rounding.
CREATE TABLE turned (id int PRIMARY KEY, v vector(600));
INSERT INTO turned
SELECT i, vec(1, 600, cos(i * 0.01)) + vec(2, 600, sin(i * 0.01)) FROM generate_series(0, 300) i;
CREATE INDEX turned_v ON turned USING hnsw (v vector_cosine_ops);
CREATE INDEX turned_h ON turned USING hnsw ((v::halfvec(600)) halfvec_l2_ops);
CREATE INDEX turned_s ON turned USING hnsw ((subvector(v, 1, 100)::vector(100)) vector_l2_ops);
SET hnsw.ef_search = 1000;
SELECT calls('cosine_distance', format('SELECT id FROM turned ORDER BY v <=> %L LIMIT 10', vec(1, 600, 1))) < 5 AS settled;
SELECT count(*), bool_and(is_exact(format('SELECT v <=> %L FROM turned ORDER BY v <=> %L LIMIT 50', q, q)))
FROM (SELECT vec(1, 600, i * 0.1) + vec(2, 600, 1) AS q FROM generate_series(0, 10) i) t;
SELECT bool_and(is_exact(format('SELECT v::halfvec(600) <-> %L FROM turned ORDER BY v::halfvec(600) <-> %L LIMIT 50', q, q)))
FROM (SELECT vec(1, 600, i * 0.1) + vec(2, 600, 1) AS q FROM generate_series(0, 10) i) t;
SELECT bool_and(is_exact(format('SELECT subvector(v, 1, 100)::vector(100) <-> %L FROM turned ORDER BY subvector(v, 1, 100)::vector(100) <-> %L LIMIT 50', q, q)))
FROM (SELECT vec(1, 100, i * 0.1) + vec(2, 100, 1) AS q FROM generate_series(0, 10) i) t;
RESET hnsw.ef_search;

-- The other modes leave every row to the executor.
SET hnsw.iterative_scan = strict_order;
SELECT calls('l2_distance', 'SELECT id FROM far ORDER BY v <-> array_fill(0, ARRAY[600])::vector LIMIT 10') >= 10 AS decides;
RESET hnsw.iterative_scan;

SELECT * FROM hnsw_index_check('far_v', true, true);
SELECT * FROM hnsw_index_check('near_v', true, true);
SELECT * FROM hnsw_index_check('turned_v', true, true);
SELECT * FROM hnsw_index_check('turned_h', true, true);
SELECT * FROM hnsw_index_check('turned_s', true, true);
DROP TABLE far, near, turned;
DROP FUNCTION vec, calls, is_exact;
