--
-- hnsw_extreme: numbers of all the magnitudes that a float has
--
-- Broke: the index computed bounds as if sums of squares neither overflow nor
-- vanish; those of the SQL functions are float4 and do.  Searches among such
-- vectors ended with "index returned tuples in wrong order".
-- Broke: the average of two estimates at either end of the range was NaN, and
-- the search never ended.
-- Broke: a value whose squares are all lost in float4 passed for one with good
-- squares, if one of its elements was above 1e-24.
--

SET jit = off;
SET enable_seqscan = off;
SET client_min_messages = warning;

-- Element j of vector i: in (-1, 1) times a power of ten that i has, and in
-- every third vector j as well.  A float8 power: that of numeric has few digits,
-- and is 0 for most of the small ones before 18.
CREATE FUNCTION element(i int, j int, low int, high int) RETURNS real LANGUAGE sql IMMUTABLE AS $$
	SELECT (((hashint8extended(i * 1000 + j, 1) & 65535) / 32768.0 - 1) *
		10.0::float8 ^ (low + abs(hashint8extended(CASE WHEN i % 3 = 0 THEN i * 1000 + j ELSE i END, 2) % (high - low + 1))))::float8::real
$$;
CREATE TABLE t (id int, kind text, v vector);
INSERT INTO t SELECT i, kind, (SELECT array_agg(element(i, j, low, high) ORDER BY j) FROM generate_series(1, dim) j)::vector
	FROM (VALUES (8, -37, 38, 'short'), (300, -37, 38, 'long'), (8, -37, -15, 'short, small'), (300, -37, -15, 'long, small'),
		(8, 15, 38, 'short, large'), (300, 15, 38, 'long, large')) k (dim, low, high, kind), generate_series(1, 300) i;
-- whole multiples of the smallest float
INSERT INTO t SELECT i, 'subnormal', (SELECT array_agg((hashint8extended(i * 1000 + j, 3) % 9 * 1.401298464324817e-45)::real ORDER BY j)
	FROM generate_series(1, 8) j)::vector FROM generate_series(1, 300) i;

-- For each kind and class: does a search for each of some vectors give all that
-- are indexed?  They may be out of order: what is found late comes last.
CREATE FUNCTION try(kind text, class text, operator text) RETURNS TABLE (searches bigint, incomplete bigint, violations bigint)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE one AS SELECT id, v FROM t WHERE kind = %L', kind);
	EXECUTE format('ALTER TABLE one ALTER v TYPE vector(%s)', (SELECT vector_dims(v) FROM one LIMIT 1));
	EXECUTE format('CREATE INDEX one_v ON one USING hnsw (v %I)', class);
	RETURN QUERY EXECUTE format($q$
		SELECT count(*), count(*) FILTER (WHERE n <> expected),
			(SELECT count(*) FROM hnsw_index_check('one_v', true, true) c WHERE severity <> 'notice')
		FROM (SELECT v AS q FROM one WHERE id %% 7 = 1 AND vector_norm(v) > 0 LIMIT 20) k,
			(SELECT count(*) AS expected FROM one WHERE %L <> 'vector_cosine_ops' OR vector_norm(v) > 0) e,
			LATERAL (SELECT count(*) AS n FROM (SELECT v FROM one ORDER BY v %s q) s) r $q$, class, operator);
	DROP TABLE one;
END $$;
SELECT kind, class, r.* FROM unnest(ARRAY['short', 'long', 'short, small', 'long, small', 'short, large', 'long, large', 'subnormal']) WITH ORDINALITY k (kind, n),
	(VALUES ('vector_l2_ops', '<->'), ('vector_ip_ops', '<#>'), ('vector_cosine_ops', '<=>')) c (class, operator),
	try(kind, class, operator) r ORDER BY n, class;

DROP TABLE t;
DROP FUNCTION element(int, int, int, int), try(text, text, text);
