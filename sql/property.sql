--
-- property: what holds for all vectors, tried on many that look random
--
-- Data come from md5, so they are the same everywhere.  A count of 0 is good.
--

-- Number k of vector i, from the bits of a float4, so that all magnitudes occur.
CREATE FUNCTION any_float(i int, k int) RETURNS float4 LANGUAGE sql IMMUTABLE AS $$
	-- 31 bits of mantissa and exponent below those of infinity, and a sign
	SELECT (sign * (1 + mantissa / 8388608) * power(2::float8, exponent))::float4
	FROM (SELECT ('x' || substr(md5(i || ':' || k), 1, 8))::bit(32)::bigint AS bits) b,
	LATERAL (SELECT CASE WHEN bits & 1 = 0 THEN 1 ELSE -1 END AS sign,
		((bits >> 1) & 8388607)::float8 AS mantissa,
		((bits >> 24) & 255) % 252 - 125 AS exponent) f
$$;
-- The same, in [-1, 1) with 24 bits.
CREATE FUNCTION unit_float(i int, k int) RETURNS float4 LANGUAGE sql IMMUTABLE AS $$
	SELECT ((('x' || substr(md5(i || '/' || k), 1, 6))::bit(24)::int - 8388608) / 8388608::float8)::float4
$$;

CREATE TABLE wild AS
	SELECT i, a, a::vector AS v
	FROM generate_series(1, 500) i,
	LATERAL (SELECT array_agg(any_float(i, k) ORDER BY k) AS a FROM generate_series(1, i % 40 + 1) k) s;
CREATE TABLE tame AS
	SELECT i, a, a::vector AS v
	FROM generate_series(1, 200) i,
	LATERAL (SELECT array_agg(unit_float(i, k) ORDER BY k) AS a FROM generate_series(1, 67) k) s;
SELECT count(*), sum(vector_dims(v)) FROM wild;

-- text: the same bits come back, and it is core's text and core's reading
SELECT count(*) FROM wild WHERE vector_send(v::text::vector) IS DISTINCT FROM vector_send(v);
SELECT count(*) FROM wild WHERE v::text IS DISTINCT FROM '[' || array_to_string(a, ',') || ']';
-- more digits than needed, fewer than needed, and of a double
SELECT digits, count(*) FROM wild, unnest(ARRAY[1, 3, 6, 9, 12, 17, 25, 40]) digits,
	LATERAL (SELECT array_agg(to_char(x::float8, '9.' || repeat('9', digits) || 'EEEE')) AS texts FROM unnest(a) x) t
	WHERE vector_send(('[' || array_to_string(texts, ',') || ']')::vector) IS DISTINCT FROM vector_send(texts::float4[]::vector)
	GROUP BY digits;
SELECT count(*) FROM wild,
	LATERAL (SELECT array_agg((x::numeric(1000, 60) * 1.000000059604644775390625)::text) AS texts
		FROM unnest(a) x WHERE abs(x) BETWEEN 1e-20 AND 1e20) t
	WHERE vector_send(('[' || array_to_string(texts, ',') || ']')::vector) IS DISTINCT FROM vector_send(texts::float4[]::vector);
-- half way between two floats, and a little to either side
SELECT count(*) FROM generate_series(1, 2000) i,
	LATERAL (SELECT 16777216 + 2 * (('x' || substr(md5(i::text), 1, 5))::bit(20)::bigint) + 1 AS half) h,
	LATERAL (SELECT ARRAY[half || '', half || '.000000000000000000000000000001',
		(half - 1) || '.999999999999999999999999999999', half || '0000000000e-10', '0.' || half || 'e8'] AS texts) t
	WHERE vector_send(('[' || array_to_string(texts, ',') || ']')::vector) IS DISTINCT FROM vector_send(texts::float4[]::vector);

-- arrays
SELECT count(*) FROM wild WHERE vector_send(v::real[]::vector) IS DISTINCT FROM vector_send(v) OR v::real[] IS DISTINCT FROM a;
SELECT count(*) FROM wild WHERE vector_send(a::float8[]::vector) IS DISTINCT FROM vector_send(v);
SELECT count(*) FROM tame WHERE (SELECT array_agg(x::numeric) FROM unnest(a::float8[]) x)::vector IS DISTINCT FROM
	(SELECT array_agg(x::numeric::float4) FROM unnest(a::float8[]) x)::vector;

-- order: core's of arrays, in every respect
SELECT count(*) FROM wild x, wild y
	WHERE x.i <= 100 AND (vector_cmp(x.v, y.v) <> btarraycmp(x.a, y.a)
		OR (x.v < y.v) <> (x.a < y.a) OR (x.v <= y.v) <> (x.a <= y.a) OR (x.v = y.v) <> (x.a = y.a)
		OR (x.v >= y.v) <> (x.a >= y.a) OR (x.v > y.v) <> (x.a > y.a) OR (x.v <> y.v) <> (x.a <> y.a));
SELECT count(*) FROM (SELECT v, lag(v) OVER (ORDER BY a) AS before FROM wild) t WHERE before > v;
-- hash: equal for equal; 500 vectors, hardly a collision
SELECT count(DISTINCT vector_hash(v)) > 490, count(DISTINCT vector_hash_extended(v, 42)) > 490 FROM wild;
SELECT count(*) FROM wild WHERE vector_hash(v) <> vector_hash(v::text::vector)
	OR (vector_hash_extended(v, 0) & 4294967295) <> (vector_hash(v)::bigint & 4294967295);

-- distances: float8 sums over unnest agree to what float4 sums can lose
SELECT count(*) AS pairs,
	count(*) FILTER (WHERE abs((x.v <-> y.v) - sqrt(l2)) > 1e-5 * sqrt(l2)) AS l2,
	count(*) FILTER (WHERE abs(vector_l2_squared_distance(x.v, y.v) - l2) > 1e-5 * l2) AS l2_squared,
	count(*) FILTER (WHERE abs(inner_product(x.v, y.v) - ip) > 1e-5 * terms) AS ip,
	count(*) FILTER (WHERE abs((x.v <=> y.v) - (1 - ip / sqrt(nx * ny))) > 1e-5) AS cosine,
	count(*) FILTER (WHERE abs((x.v <+> y.v) - l1) > 1e-5 * l1) AS l1,
	count(*) FILTER (WHERE abs(vector_norm(x.v) - sqrt(nx)) > 1e-12 * sqrt(nx)) AS norm
	FROM tame x, tame y,
	LATERAL (SELECT sum((a - b) * (a - b)) AS l2, sum(a * b) AS ip, sum(abs(a * b)) AS terms, sum(abs(a - b)) AS l1,
		sum(a * a) AS nx, sum(b * b) AS ny
		FROM unnest(x.a::float8[], y.a::float8[]) u (a, b)) s
	WHERE x.i <= 30 AND y.i <> x.i;
-- symmetric to the bit, zero to itself, each operator its function
SELECT count(*) FROM tame x, tame y
	WHERE x.i <= 50 AND (
		(x.v <-> y.v) <> (y.v <-> x.v) OR (x.v <#> y.v) <> (y.v <#> x.v)
		OR (x.v <=> y.v) <> (y.v <=> x.v) OR (x.v <+> y.v) <> (y.v <+> x.v)
		OR (x.v <-> y.v) <> sqrt(vector_l2_squared_distance(x.v, y.v))
		OR (x.v <#> y.v) <> -inner_product(x.v, y.v) OR (x.v <#> y.v) <> vector_negative_inner_product(x.v, y.v)
		OR (x.v <=> y.v) <> cosine_distance(x.v, y.v) OR (x.v <+> y.v) <> l1_distance(x.v, y.v)
		OR NOT (x.v <=> y.v) BETWEEN 0 AND 2);
SELECT count(*) FROM tame WHERE (v <-> v) <> 0 OR (v <+> v) <> 0 OR (v <=> v) > 1e-6;
-- of unit vectors, the angle
SELECT count(*) FROM (SELECT i, l2_normalize(v) AS v FROM tame) x, (SELECT i, l2_normalize(v) AS v FROM tame) y
	WHERE x.i < 20 AND y.i > 150
		AND abs(cos(pi() * vector_spherical_distance(x.v, y.v)) - (1 - (x.v <=> y.v))) > 1e-5;

-- arithmetic and parts
SELECT count(*) FROM tame x JOIN tame y ON y.i = x.i + 1
	WHERE (x.v + y.v)::real[] IS DISTINCT FROM (SELECT array_agg(a + b ORDER BY n) FROM unnest(x.a, y.a) WITH ORDINALITY u (a, b, n))
		OR (x.v - y.v)::real[] IS DISTINCT FROM (SELECT array_agg(a - b ORDER BY n) FROM unnest(x.a, y.a) WITH ORDINALITY u (a, b, n))
		OR (x.v * y.v)::real[] IS DISTINCT FROM (SELECT array_agg(a * b ORDER BY n) FROM unnest(x.a, y.a) WITH ORDINALITY u (a, b, n))
		OR (x.v || y.v)::real[] IS DISTINCT FROM x.a || y.a;
SELECT count(*) FROM wild, generate_series(-2, 43) start, generate_series(1, 45, 4) n
	WHERE start <= vector_dims(v) AND start + n > 1
		AND subvector(v, start, n)::real[] IS DISTINCT FROM a[greatest(start, 1) : least(start + n - 1, vector_dims(v))];
SELECT count(*) FROM wild WHERE binary_quantize(v)::text IS DISTINCT FROM
	(SELECT string_agg(CASE WHEN x > 0 THEN '1' ELSE '0' END, '' ORDER BY n) FROM unnest(a) WITH ORDINALITY u (x, n));
SELECT count(*) FROM wild WHERE abs(vector_norm(l2_normalize(v)) - 1) > 1e-6;
SELECT count(*) FROM tame WHERE (l2_normalize(v) <=> v) > 1e-6;

-- aggregates: element by element core's, also in two halves
SELECT avg(v)::real[] = (SELECT array_agg(m::real ORDER BY n) FROM (
		SELECT n, avg(x::float8) AS m FROM tame t, unnest(t.a) WITH ORDINALITY u (x, n) GROUP BY n) s) AS avg,
	(SELECT max(abs(x - y)) < 1e-4 FROM unnest(sum(v)::real[], (SELECT array_agg(m ORDER BY n) FROM (
		SELECT n, sum(x::float8) AS m FROM tame t, unnest(t.a) WITH ORDINALITY u (x, n) GROUP BY n) s)) d (x, y)) AS sum
	FROM tame;
CREATE AGGREGATE state_of(vector) (SFUNC = vector_accum, STYPE = double precision[], INITCOND = '{0}');
SELECT vector_send(vector_avg(vector_combine(state_of(v) FILTER (WHERE i <= 70), state_of(v) FILTER (WHERE i > 70)))) =
	vector_send(avg(v)) AS combined, (state_of(v))[1] AS rows FROM tame;
DROP AGGREGATE state_of(vector);

DROP TABLE wild, tame;
DROP FUNCTION any_float, unit_float;
