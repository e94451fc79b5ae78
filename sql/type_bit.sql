--
-- type_bit: distances of core's bit
--

SELECT hamming_distance(B'1010', B'1100'), B'1010' <~> B'1100';
SELECT B'1111' <~> B'0000', B'1111' <~> B'1111', B'' <~> B'';
SELECT jaccard_distance(B'1110', B'0111'), B'1110' <%> B'0111';
-- nothing in common: 1, also if there is nothing at all
SELECT B'1100' <%> B'0011', B'1111' <%> B'1111', B'0000' <%> B'0000', B'' <%> B'', B'1' <%> B'0';
SELECT NULL::bit(4) <~> B'1010', B'1010' <%> NULL;

-- strings of different lengths
SELECT hamming_distance(B'111', B'11');
SELECT B'111' <~> B'11';
SELECT jaccard_distance(B'', B'1');
SELECT B'111' <%> B'1111';

-- one overload each: a bare literal will do; varbit comes by its cast
SELECT hamming_distance('1010', '1100'), jaccard_distance('1010', '1100');
SELECT '1010'::varbit <~> '1100', B'1010' <%> '1100'::varbit(8);
SELECT binary_quantize('[1,-1,2,0]'::vector) <~> binary_quantize('[1,1,-2,0]'::halfvec);

-- every length from 0 to 600, against counting characters
CREATE TABLE strings AS
	SELECT n, left(s, n)::varbit AS a, right(s, n)::varbit AS b, left(s, n) AS x, right(s, n) AS y
	FROM generate_series(0, 600) n,
	(SELECT string_agg(('x' || md5(i::text))::bit(128)::text, '' ORDER BY i) AS s FROM generate_series(1, 10) i) t;
SELECT count(*), count(*) FILTER (WHERE a <~> b <> differ) AS hamming,
	count(*) FILTER (WHERE a <%> b IS DISTINCT FROM CASE WHEN both_set = 0 THEN 1 ELSE 1 - both_set::float8 / either END) AS jaccard,
	count(*) FILTER (WHERE a <~> b <> (b <~> a) OR a <%> b <> (b <%> a)) AS not_symmetric
	FROM strings,
	LATERAL (SELECT count(*) FILTER (WHERE c <> d) AS differ, count(*) FILTER (WHERE c = '1' AND d = '1') AS both_set,
		count(*) FILTER (WHERE c = '1' OR d = '1') AS either
		FROM unnest(string_to_array(x, NULL), string_to_array(y, NULL)) u (c, d)) e;
DROP TABLE strings;

-- a long one
SELECT repeat('1', 8388608)::varbit <~> repeat('0', 8388608)::varbit;
