--
-- type_halfvec: text, typmod, binary form, parts and arithmetic of halfvec
--

-- text: out is the shortest that reads back the same, of the number as a float4
SELECT '[1,2,3]'::halfvec;
SELECT '[-1,-2,-3]'::halfvec;
SELECT '[1.,.5,+1,-.5,2e-05,2E+4,1e4,007,0x10,0x1p-2]'::halfvec;
SELECT '[0,-0,-0.0,0e99999,-0e-99999]'::halfvec;
SELECT '[0.1,0.2,0.3333,3.14159265,100.07,1e-7,1e-5]'::halfvec;
SELECT E' \t[\n1 \r,\x0b2\f,\t3 ] \n'::halfvec;
SELECT '[65504,-65504]'::halfvec;

-- rounding is to the nearest half, ties to even
SELECT '[2049,2051,2049.01,2050.99,4098,4102]'::halfvec;
SELECT '[1.00048828125,1.00146484375,1.0004883,1.0014648]'::halfvec;
SELECT '[65519,65519.99,-65519.99]'::halfvec;
-- by way of a float4, as from vector
SELECT '[1.00048828125000000000001]'::halfvec, '[1.00048828125000000000001]'::vector::halfvec;

-- below 2^-25 is zero, with its sign; half of the smallest is zero by evenness
SELECT '[5.9604645e-08,2.9802322e-08,2.9802326e-08,8.940697e-08,-1e-8,1e-400,-1e-400]'::halfvec;
SELECT '[6.103515625e-05,6.097555e-05]'::halfvec;

-- the text does not depend on extra_float_digits
SET extra_float_digits = -15;
SELECT '[0.1,1.2345678]'::halfvec;
RESET extra_float_digits;

-- every half but NaN and infinity: text and binary form come back the same,
-- and the text is core's of the number
CREATE TABLE every AS
	SELECT i, array_fill(sign * CASE WHEN exponent = 0 THEN fraction * power(2::float8, -24)
		ELSE (1024 + fraction) * power(2::float8, exponent - 25) END, ARRAY[1]) AS a
	FROM generate_series(0, 65535) i,
	LATERAL (SELECT CASE WHEN i < 32768 THEN 1 ELSE -1 END AS sign, (i >> 10) & 31 AS exponent, i & 1023 AS fraction) f
	WHERE exponent < 31;
SELECT count(*), count(*) FILTER (WHERE encode(halfvec_send(a::halfvec), 'hex') <> '00010000' || lpad(to_hex(i), 4, '0')) AS other_bits,
	count(*) FILTER (WHERE a::halfvec::text <> '[' || a[1]::real || ']') AS other_text,
	count(*) FILTER (WHERE halfvec_send(a::halfvec::text::halfvec) <> halfvec_send(a::halfvec)) AS not_read_back,
	count(*) FILTER (WHERE a::halfvec::vector <> a::vector OR a::halfvec::real[]::float8[] <> a) AS other_number
	FROM every;
DROP TABLE every;

-- typmod
SELECT '[1,2,3]'::halfvec(3);
SELECT '[1,2,3]'::halfvec(2);
CREATE TABLE typed (v halfvec(3), u halfvec, a halfvec(2)[]);
SELECT attname, atttypmod, format_type(atttypid, atttypmod)
	FROM pg_attribute WHERE attrelid = 'typed'::regclass AND attnum > 0
	ORDER BY attnum;
SELECT column_name, data_type, udt_name FROM information_schema.columns
	WHERE table_name = 'typed' ORDER BY ordinal_position;
INSERT INTO typed VALUES ('[1,2,3]', '[1]', '{"[1,2]","[3,4]"}'), (NULL, NULL, NULL);
INSERT INTO typed (v) VALUES ('[1,2]');
INSERT INTO typed (a) VALUES ('{"[1,2,3]"}');
SELECT * FROM typed;
SELECT a[2] FROM typed WHERE a IS NOT NULL;
DROP TABLE typed;

-- binary: int16 dim, int16 0, binary16 each
SELECT encode(halfvec_send('[1,2]'), 'hex');
SELECT encode(halfvec_send('[-0,6e-8,65504,-65504]'), 'hex');

-- size in bytes: 2 * dim + 8
SELECT pg_column_size('[1]'::halfvec), pg_column_size('[1,2,3]'::halfvec);

-- distances: widened to float4, sums in float4, last step in float8
SELECT l2_distance('[0,0]', '[3,4]'::halfvec), '[0,0]'::halfvec <-> '[3,4]';
SELECT l2_distance('[1,1,1]'::halfvec, '[2,2,2]') = sqrt(3::float8);
SELECT l2_distance('[65504]'::halfvec, '[-65504]'), '[65504,65504]'::halfvec <#> '[65504,65504]';
SELECT inner_product('[1,2]'::halfvec, '[3,4]'), '[1,2]'::halfvec <#> '[3,4]';
SELECT cosine_distance('[1,2]'::halfvec, '[2,4]'), '[1,2]'::halfvec <=> '[2,4]';
SELECT cosine_distance('[1,1]'::halfvec, '[1,0]'), '[1,0]'::halfvec <=> '[-2,0]';
SELECT cosine_distance('[1,0]'::halfvec, '[0,2]');
SELECT cosine_distance('[1,2]'::halfvec, '[0,0]'), '[0,0]'::halfvec <=> '[0,0]';
SELECT cosine_distance('[1,1]'::halfvec, '[1.1,1.1]'), cosine_distance('[1,1]'::halfvec, '[-1.1,-1.1]');
SELECT cosine_distance('[65504]'::halfvec, '[65504]');
SELECT l1_distance('[0,0]'::halfvec, '[3,-4]'), '[0,0]'::halfvec <+> '[3,-4]';
SELECT halfvec_l2_squared_distance('[0,0]', '[3,4]');
SELECT halfvec_negative_inner_product('[1,2]', '[3,4]');
SELECT halfvec_spherical_distance('[1,0]', '[0,1]'), halfvec_spherical_distance('[1,0]', '[-1,0]'),
	halfvec_spherical_distance('[1,0]', '[1,0]'), halfvec_spherical_distance('[2,0]', '[2,0]');
-- in order, NaN comes last
SELECT v, v <=> '[1,0]' AS distance
	FROM (VALUES ('[0,0]'::halfvec), ('[-1,0]'), ('[1,0]'), ('[0,1]')) t (v)
	ORDER BY v <=> '[1,0]';
-- a NULL operand gives NULL
SELECT NULL::halfvec <-> '[1]', '[1]'::halfvec <=> NULL;

-- at every length a kernel has a path for, what the same numbers give as
-- vector; sums of small integers are exact
SELECT count(*) AS lengths,
	count(*) FILTER (WHERE (a::halfvec <-> b::halfvec) <> (a::vector <-> b::vector)) AS l2,
	count(*) FILTER (WHERE (a::halfvec <#> b::halfvec) <> (a::vector <#> b::vector)) AS ip,
	count(*) FILTER (WHERE (a::halfvec <=> b::halfvec) <> (a::vector <=> b::vector)) AS cosine,
	count(*) FILTER (WHERE (a::halfvec <+> b::halfvec) <> (a::vector <+> b::vector)) AS l1,
	count(*) FILTER (WHERE l2_norm(a::halfvec) <> vector_norm(a::vector)) AS norm,
	count(*) FILTER (WHERE binary_quantize(a::halfvec) <> binary_quantize(a::vector)) AS bits
	FROM generate_series(1, 140) n,
	LATERAL (SELECT array_agg(i * 7 % 11 - 5) AS a, array_agg(i * 5 % 13 - 6) AS b FROM generate_series(1, n) i) t;

-- with every set of kernels
SET vector.kernel = 'scalar';
SELECT '[1,2,3,4,5,6,7,8,9,0.1]'::halfvec, '[1,2,3,4,5,6,7,8,9]'::halfvec <-> '[9,8,7,6,5,4,3,2,1]',
	'[1,2,3,4,5,6,7,8,9]'::halfvec <+> '[9,8,7,6,5,4,3,2,1]', '[1,2,3,4,5,6,7,8,9]'::halfvec <#> '[9,8,7,6,5,4,3,2,1]';
RESET vector.kernel;
SELECT '[1,2,3,4,5,6,7,8,9,0.1]'::halfvec, '[1,2,3,4,5,6,7,8,9]'::halfvec <-> '[9,8,7,6,5,4,3,2,1]',
	'[1,2,3,4,5,6,7,8,9]'::halfvec <+> '[9,8,7,6,5,4,3,2,1]', '[1,2,3,4,5,6,7,8,9]'::halfvec <#> '[9,8,7,6,5,4,3,2,1]';

-- properties
SELECT vector_dims('[1,2,3]'::halfvec);
SELECT l2_norm('[3,4]'::halfvec), l2_norm('[0,0]'::halfvec), l2_norm('[1,1]'::halfvec) = sqrt(2::float8);
SELECT l2_normalize('[3,4]'::halfvec), l2_normalize('[0,0]'::halfvec), l2_normalize('[65504]'::halfvec),
	l2_normalize('[6e-8,0]'::halfvec), l2_normalize('[-0,0]'::halfvec);
SELECT binary_quantize('[1,0,-1,-0,2,6e-8]'::halfvec);
SELECT binary_quantize('[1,1,1,1,1,1,1,1,-1,1]'::halfvec), length(binary_quantize('[1,2,3]'::halfvec));

-- dimensions of a stored vector are read from its first bytes
CREATE TABLE stored (v halfvec);
INSERT INTO stored SELECT array_agg(i % 100)::halfvec FROM generate_series(1, 16000) i;
SELECT vector_dims(v), pg_column_size(v), l2_norm(v) = sqrt(160::float8 * 328350) FROM stored;
DROP TABLE stored;

-- parts: elements start to start + count - 1, as far as they exist
SELECT subvector('[1,2,3,4,5]'::halfvec, 1, 3), subvector('[1,2,3,4,5]'::halfvec, 3, 2),
	subvector('[1,2,3,4,5]'::halfvec, -1, 3), subvector('[1,2,3,4,5]'::halfvec, 3, 9);
SELECT subvector('[1,2,3]'::halfvec, 2, 2147483647), subvector('[1,2,3]'::halfvec, -2147483645, 2147483647);
SELECT subvector('[1,2,3]'::halfvec, -2147483648, 2147483647);
SELECT subvector('[1,2,3]'::halfvec, 4, 1);
SELECT subvector('[1,2,3]'::halfvec, 1, 0);
SELECT subvector('[1,2,3]'::halfvec, 3, -1);
SELECT subvector('[1,2,3]'::halfvec, 2147483647, 2147483647);
SELECT subvector('[1,2,3]'::halfvec, -2147483648, -2147483648);

-- arithmetic, each result rounded to a half
SELECT '[1,2,3]'::halfvec + '[4,5,6]', '[1,2,3]'::halfvec - '[4,5,6]', '[1,2,3]'::halfvec * '[4,5,6]';
SELECT '[2048,2048,-2048]'::halfvec + '[1,3,-1]', '[1024.5]'::halfvec - '[-1024]', '[45,255]'::halfvec * '[45.5,256]';
SELECT '[65504]'::halfvec + '[15.99]', '[6e-8]'::halfvec * '[0.6]';
SELECT '[1,2]'::halfvec || '[3]';
SELECT vector_dims(array_fill(1, ARRAY[8000])::halfvec || array_fill(2, ARRAY[8000])::halfvec);
SELECT '[65504]'::halfvec + '[16]';
SELECT '[-65504]'::halfvec - '[65504]';
SELECT '[256]'::halfvec * '[256]';
SELECT '[1,1e-4]'::halfvec * '[1,1e-4]';
SELECT '[6e-8]'::halfvec * '[0.5]';
SELECT '[0,1e-4,1e-3]'::halfvec * '[1e-4,0,1e-3]';

-- no operator takes text or arrays
SELECT '[1,2]'::halfvec <=> '[1,2]'::text;
SELECT '[1,2]'::halfvec <-> ARRAY[1,2]::float8[];
-- a vector becomes a halfvec by itself
SELECT '[1,2]'::halfvec <-> '[1,4.0001]'::vector;

-- COPY, text and binary: the same bits come back
CREATE TABLE sent (id int, v halfvec(3), u halfvec);
INSERT INTO sent VALUES
	(1, '[1,-2.5,6e-8]', '[-0]'), (2, NULL, NULL), (3, '[65504,0.1,-0]', '[1,2,3,4,5,6,7,8,9]');
CREATE TABLE came (LIKE sent);
CREATE FUNCTION copy_through(format text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/type_halfvec.copy';
BEGIN
	EXECUTE format('COPY sent TO %L (FORMAT %s)', file, format);
	EXECUTE format('COPY came FROM PROGRAM %L (FORMAT %s)',
		format('cat "%s"; rm "%s"', file, file), format);
END $$;
SELECT copy_through('text');
SELECT copy_through('binary');
SELECT * FROM came ORDER BY id;
SELECT count(*) FROM came JOIN sent USING (id)
	WHERE halfvec_send(came.v) = halfvec_send(sent.v) AND halfvec_send(came.u) = halfvec_send(sent.u);
DROP FUNCTION copy_through;
DROP TABLE sent, came;

-- the extension's objects work wherever they are
CREATE SCHEMA elsewhere;
ALTER EXTENSION vector SET SCHEMA elsewhere;
SET search_path = '';
SELECT '[1,2]'::elsewhere.halfvec(2) OPERATOR(elsewhere.<->) '[4,6]',
	elsewhere.avg(v) FROM (VALUES ('[1,2]'::elsewhere.halfvec)) t (v);
SELECT ARRAY[1,2]::elsewhere.halfvec OPERATOR(elsewhere.=) '[1,2]';
RESET search_path;
ALTER EXTENSION vector SET SCHEMA public;
DROP SCHEMA elsewhere;
