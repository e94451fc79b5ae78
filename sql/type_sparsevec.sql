--
-- type_sparsevec: text, typmod, binary form, distances and norm of sparsevec
--

-- text: indices count from 1; out is the shortest that reads back the same
SELECT '{1:1,3:2,5:3}/5'::sparsevec;
SELECT '{}/5'::sparsevec, '{1:-1,2:-2.5}/2'::sparsevec;
SELECT '{1:1.,2:.5,3:+1,4:-.5,5:2e-05,6:2E+5,7:1e5,8:007,9:0x10,10:0x1p-2}/10'::sparsevec;
SELECT '{1:1.23456789012345678901234567890,2:123456789012345678901234567890,3:1.5e38,4:16777217}/4'::sparsevec;
SELECT E' \t{\n1 \r:\x0b2\f,\t3 :  4 }\n / 5\t '::sparsevec;
SELECT '{1:3.4028235e38,2:-3.4028235e38,3:1e-45,4:-7.1e-46,5:1.1754943e-38}/5'::sparsevec;
SELECT '{+1:1,0000000000000000000000002:2}/+003'::sparsevec;
SELECT '{1000000000:1}/1000000000'::sparsevec;
-- elements in any order; zeros are left out, wherever they stand
SELECT '{5:5,1:1,3:3}/5'::sparsevec;
SELECT '{1:0,2:-0,3:0e-99999,4:1,5:0x0p5}/5'::sparsevec;
SELECT '{1:1,1:0,9:0,0:0,-7:0,99999999999999999999:0,-99999999999999999999:0}/3'::sparsevec;

-- the text does not depend on extra_float_digits
SET extra_float_digits = -15;
SELECT '{1:0.1,2:1.2345678}/2'::sparsevec;
RESET extra_float_digits;

-- as many elements as may be
SELECT split_part(v::text, '/', 2) AS dim, md5(v::text) = md5(t) AS same
	FROM (SELECT '{' || string_agg(i || ':' || i % 7 + 1, ',' ORDER BY i) || '}/1000000000' AS t FROM generate_series(1, 16000) i) s,
	LATERAL (SELECT t::sparsevec AS v OFFSET 0) c;

-- typmod
SELECT '{1:1}/3'::sparsevec(3);
SELECT '{1:1}/3'::sparsevec(2);
SELECT '{1:1}/1000000000'::sparsevec(1000000000);
CREATE TABLE typed (v sparsevec(3), u sparsevec, a sparsevec(2)[]);
SELECT attname, atttypmod, format_type(atttypid, atttypmod)
	FROM pg_attribute WHERE attrelid = 'typed'::regclass AND attnum > 0
	ORDER BY attnum;
SELECT column_name, data_type, udt_name FROM information_schema.columns
	WHERE table_name = 'typed' ORDER BY ordinal_position;
INSERT INTO typed VALUES ('{1:1}/3', '{}/1', '{"{1:1}/2","{2:3}/2"}'), (NULL, NULL, NULL);
INSERT INTO typed (v) VALUES ('{1:1}/2');
INSERT INTO typed (a) VALUES ('{"{1:1}/3"}');
SELECT * FROM typed;
SELECT a[2] FROM typed WHERE a IS NOT NULL;
DROP TABLE typed;

-- binary: int32 dim, int32 nnz, int32 0, int32 index from 0 each, float4 each
SELECT encode(sparsevec_send('{1:1}/3'), 'hex');
SELECT encode(sparsevec_send('{1:1e-45,1000000000:-2}/1000000000'), 'hex'), encode(sparsevec_send('{}/5'), 'hex');

-- size in bytes: 8 * nnz + 16
SELECT pg_column_size('{}/7'::sparsevec), pg_column_size('{1:1,9:2}/1000'::sparsevec);

-- distances: sums in float4, last step in float8
SELECT l2_distance('{}/2'::sparsevec, '{1:3,2:4}/2'), '{}/2'::sparsevec <-> '{1:3,2:4}/2';
SELECT l2_distance('{1:3}/2'::sparsevec, '{2:4}/2'), l2_distance('{1:1,2:1,3:1}/3'::sparsevec, '{1:2,2:2,3:2}/3') = sqrt(3::float8);
SELECT l2_distance('{1:1,3:2,5:3}/9'::sparsevec, '{2:1,3:2,4:1,6:3,9:2}/9') = sqrt(25::float8);
SELECT l2_distance('{1:3e38}/2'::sparsevec, '{1:-3e38}/2');
SELECT inner_product('{1:1,2:2}/2'::sparsevec, '{1:3,2:4}/2'), '{1:1,2:2}/2'::sparsevec <#> '{1:3,2:4}/2';
SELECT inner_product('{1:1,3:2,5:3}/9'::sparsevec, '{2:1,3:2,4:1,5:-3,9:2}/9'), inner_product('{1:1}/2'::sparsevec, '{2:1}/2');
SELECT inner_product('{1:3e38}/1'::sparsevec, '{1:3e38}/1'), '{1:3e38}/1'::sparsevec <#> '{1:3e38}/1', '{}/1'::sparsevec <#> '{1:1}/1';
SELECT cosine_distance('{1:1,2:2}/2'::sparsevec, '{1:2,2:4}/2'), '{1:1,2:1}/2'::sparsevec <=> '{1:1}/2', '{1:1}/2'::sparsevec <=> '{1:-2}/2';
SELECT cosine_distance('{1:1}/2'::sparsevec, '{2:2}/2'), '{1:1,2:2,3:3}/3'::sparsevec <=> '{1:4,2:5,3:6}/3';
SELECT cosine_distance('{1:1}/2'::sparsevec, '{}/2'), '{}/2'::sparsevec <=> '{}/2';
SELECT cosine_distance('{1:1,2:1}/2'::sparsevec, '{1:1.1,2:1.1}/2'), cosine_distance('{1:1,2:1}/2'::sparsevec, '{1:-1.1,2:-1.1}/2');
SELECT cosine_distance('{1:3e38}/1'::sparsevec, '{1:3e38}/1'), cosine_distance('{1:1e-40}/1'::sparsevec, '{1:1e-40}/1');
SELECT l1_distance('{}/2'::sparsevec, '{1:3,2:-4}/2'), '{1:1}/3'::sparsevec <+> '{1:4,3:-4}/3', '{1:3e38}/1'::sparsevec <+> '{1:-3e38}/1';
SELECT sparsevec_l2_squared_distance('{}/2', '{1:3,2:4}/2'), sparsevec_negative_inner_product('{1:1,2:2}/2', '{1:3,2:4}/2');
-- in order, NaN comes last
SELECT v, v <=> '{1:1}/2' AS distance
	FROM (VALUES ('{}/2'::sparsevec), ('{1:-1}/2'), ('{1:1}/2'), ('{2:1}/2')) t (v)
	ORDER BY v <=> '{1:1}/2';
-- a NULL operand gives NULL
SELECT NULL::sparsevec <-> '{}/1', '{}/1'::sparsevec <=> NULL;

-- norm and normal form
SELECT l2_norm('{1:3,9:4}/9'::sparsevec), l2_norm('{}/2'::sparsevec), l2_norm('{1:1,2:1}/2'::sparsevec) = sqrt(2::float8);
-- float8 inside: no overflow, no underflow
SELECT round(l2_norm('{1:3e38,2:3e38}/2'::sparsevec) / 1e38 * 1e6) / 1e6 AS large, l2_norm('{1:1e-45}/2'::sparsevec) > 0 AS small;
SELECT l2_normalize('{1:3,9:4}/9'::sparsevec), l2_normalize('{}/2'::sparsevec), l2_normalize('{1:3e38,2:3e38}/2'::sparsevec),
	l2_normalize('{5:1e-45}/9'::sparsevec);
-- elements that become zero are left out
SELECT l2_normalize('{1:1e-45,2:3e38,3:-1e-45}/3'::sparsevec);

-- what only the dense types have
SELECT vector_dims('{1:1}/3'::sparsevec);
SELECT '{1:1}/3'::sparsevec + '{1:1}/3';
SELECT '{1:1}/3'::sparsevec <=> '[1,0,0]'::vector;
SELECT avg('{1:1}/3'::sparsevec);
-- no operator takes text
SELECT '{1:1}/2'::sparsevec <=> '{1:1}/2'::text;

-- against the dense type: the same numbers in other places
CREATE FUNCTION element(i int, k int) RETURNS float4 LANGUAGE sql IMMUTABLE AS $$
	-- one in four is not zero; 24 bits, in [-1, 1)
	SELECT CASE WHEN b % 4 = 0 THEN ((b - 8388608) / 8388608::float8)::float4 ELSE 0 END
	FROM (SELECT ('x' || substr(md5(i || '/' || k), 1, 6))::bit(24)::int AS b) s
$$;
CREATE TABLE both_forms AS
	SELECT i, d, d::sparsevec AS s
	FROM generate_series(1, 200) i,
	LATERAL (SELECT array_agg(element(i, k) ORDER BY k)::vector AS d FROM generate_series(1, i % 100 + 20) k) v;
SELECT count(*), sum(pg_column_size(s)) AS bytes FROM both_forms;
SELECT count(*) FROM both_forms WHERE s::vector <> d OR s::text::sparsevec <> s OR abs(l2_norm(s) - vector_norm(d)) > 1e-12;
SELECT count(*) AS pairs,
	count(*) FILTER (WHERE abs((x.s <-> y.s) - (x.d <-> y.d)) > 1e-5 * (x.d <-> y.d)) AS l2,
	count(*) FILTER (WHERE abs((x.s <#> y.s) - (x.d <#> y.d)) > 1e-5) AS ip,
	count(*) FILTER (WHERE abs((x.s <=> y.s) - (x.d <=> y.d)) > 1e-5) AS cosine,
	count(*) FILTER (WHERE abs((x.s <+> y.s) - (x.d <+> y.d)) > 1e-5 * (x.d <+> y.d)) AS l1
	FROM both_forms x JOIN both_forms y ON vector_dims(x.d) = vector_dims(y.d) AND x.i < y.i;
-- symmetric to the bit, zero to itself, each operator its function
SELECT count(*) FROM both_forms x JOIN both_forms y ON vector_dims(x.d) = vector_dims(y.d)
	WHERE (x.s <-> y.s) <> (y.s <-> x.s) OR (x.s <#> y.s) <> (y.s <#> x.s)
		OR (x.s <=> y.s) <> (y.s <=> x.s) OR (x.s <+> y.s) <> (y.s <+> x.s)
		OR (x.s <-> y.s) <> sqrt(sparsevec_l2_squared_distance(x.s, y.s)) OR (x.s <-> y.s) <> l2_distance(x.s, y.s)
		OR (x.s <#> y.s) <> -inner_product(x.s, y.s) OR (x.s <#> y.s) <> sparsevec_negative_inner_product(x.s, y.s)
		OR (x.s <=> y.s) <> cosine_distance(x.s, y.s) OR (x.s <+> y.s) <> l1_distance(x.s, y.s)
		OR NOT (x.s <=> y.s) BETWEEN 0 AND 2;
SELECT count(*) FROM both_forms WHERE (s <-> s) <> 0 OR (s <+> s) <> 0 OR (s <=> s) > 1e-6;
SELECT count(*) FROM both_forms WHERE abs(l2_norm(l2_normalize(s)) - 1) > 1e-6 OR (l2_normalize(s) <=> s) > 1e-6;
-- order: that of the dense vectors
SELECT count(*) FROM both_forms x, both_forms y
	WHERE sparsevec_cmp(x.s, y.s) <> vector_cmp(x.d, y.d)
		OR (x.s < y.s) <> (x.d < y.d) OR (x.s <= y.s) <> (x.d <= y.d) OR (x.s = y.s) <> (x.d = y.d)
		OR (x.s >= y.s) <> (x.d >= y.d) OR (x.s > y.s) <> (x.d > y.d) OR (x.s <> y.s) <> (x.d <> y.d);
DROP TABLE both_forms;
DROP FUNCTION element;

-- COPY, text and binary: the same bits come back
CREATE TABLE sent (id int, v sparsevec(3), u sparsevec);
INSERT INTO sent VALUES
	(1, '{1:1,3:-2.5}/3', '{}/1'), (2, NULL, NULL), (3, '{1:3.4028235e38,2:0.1}/3', '{7:1e-45,1000000000:9}/1000000000');
CREATE TABLE came (LIKE sent);
CREATE FUNCTION copy_through(format text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/type_sparsevec.copy';
BEGIN
	EXECUTE format('COPY sent TO %L (FORMAT %s)', file, format);
	EXECUTE format('COPY came FROM PROGRAM %L (FORMAT %s)',
		format('cat "%s"; rm "%s"', file, file), format);
END $$;
SELECT copy_through('text');
SELECT copy_through('binary');
SELECT * FROM came ORDER BY id;
SELECT count(*) FROM came JOIN sent USING (id)
	WHERE sparsevec_send(came.v) = sparsevec_send(sent.v) AND sparsevec_send(came.u) = sparsevec_send(sent.u);
DROP FUNCTION copy_through;
DROP TABLE sent, came;
