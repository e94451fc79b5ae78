--
-- type_vector: text, typmod, binary form, parts and arithmetic of vector
--

-- text: out is the shortest that reads back the same
SELECT '[1,2,3]'::vector;
SELECT '[-1,-2,-3]'::vector;
SELECT '[1.,.5,+1,-.5,2e-05,2E+5,1e5,007,0x10,0x1p-2]'::vector;
SELECT '[0,-0,-0.0,0e99999,-0e-99999]'::vector;
SELECT '[1.23456789012345678901234567890,0.000000000000000000000000000000001e33]'::vector;
SELECT '[123456789012345678901234567890,0.1,1.5e38,1e-7,16777217]'::vector;
SELECT E' \t[\n1 \r,\x0b2\f,\t3 ] \n'::vector;
SELECT '[3.4028235e38,-3.4028235e38]'::vector;

-- rounding is to the nearest float, ties to even
SELECT '[16777217,16777219,16777217.0000000000000000000000000000001]'::vector;
SELECT '[340282356779733661637539395458142568447.9999999]'::vector;
SELECT '[8388608.5,8388609.5,8388608.50000000000000000000000000001]'::vector;

-- below the smallest subnormal is zero, with its sign
SELECT '[1e-45,1.401298e-45,7e-46,7.1e-46,1e-46,-1e-46,1e-400]'::vector;

-- the text does not depend on extra_float_digits
SET extra_float_digits = -15;
SELECT '[0.1,1.2345678]'::vector;
RESET extra_float_digits;

-- typmod
SELECT '[1,2,3]'::vector(3);
SELECT '[1,2,3]'::vector(2);
CREATE TABLE typed (v vector(3), u vector, a vector(2)[]);
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

-- binary: int16 dim, int16 0, float4 each
SELECT encode(vector_send('[1,2]'), 'hex');
SELECT encode(vector_send('[-0,1e-45,3.4028235e38]'), 'hex');

-- size in bytes: 4 * dim + 8
SELECT pg_column_size('[1]'::vector), pg_column_size('[1,2,3]'::vector);

-- distances: sums in float4, last step in float8
SELECT l2_distance('[0,0]', '[3,4]'::vector), '[0,0]'::vector <-> '[3,4]';
SELECT l2_distance('[1,1,1]'::vector, '[2,2,2]') = sqrt(3::float8);
SELECT l2_distance('[3e38]'::vector, '[-3e38]');
SELECT inner_product('[1,2]'::vector, '[3,4]'), '[1,2]'::vector <#> '[3,4]';
SELECT inner_product('[3e38]'::vector, '[3e38]'), '[3e38]'::vector <#> '[3e38]';
SELECT cosine_distance('[1,2]'::vector, '[2,4]'), '[1,2]'::vector <=> '[2,4]';
SELECT cosine_distance('[1,1]'::vector, '[1,0]'), '[1,0]'::vector <=> '[-2,0]';
SELECT cosine_distance('[1,0]'::vector, '[0,2]');
SELECT cosine_distance('[1,2]'::vector, '[0,0]'), '[0,0]'::vector <=> '[0,0]';
SELECT cosine_distance('[1,1]'::vector, '[1.1,1.1]'), cosine_distance('[1,1]'::vector, '[-1.1,-1.1]');
SELECT cosine_distance('[3e38]'::vector, '[3e38]');
SELECT l1_distance('[0,0]'::vector, '[3,-4]'), '[0,0]'::vector <+> '[3,-4]';
SELECT l1_distance('[3e38]'::vector, '[-3e38]');
SELECT vector_l2_squared_distance('[0,0]', '[3,4]');
SELECT vector_negative_inner_product('[1,2]', '[3,4]');
SELECT vector_spherical_distance('[1,0]', '[0,1]'), vector_spherical_distance('[1,0]', '[-1,0]'),
	vector_spherical_distance('[1,0]', '[1,0]'), vector_spherical_distance('[2,0]', '[2,0]');
-- in order, NaN comes last
SELECT v, v <=> '[1,0]' AS distance
	FROM (VALUES ('[0,0]'::vector), ('[-1,0]'), ('[1,0]'), ('[0,1]')) t (v)
	ORDER BY v <=> '[1,0]';
-- a NULL operand gives NULL
SELECT NULL::vector <-> '[1]', '[1]'::vector <=> NULL;

-- properties
SELECT vector_dims('[1,2,3]'::vector);
SELECT vector_norm('[3,4]'), vector_norm('[0,0]'), vector_norm('[1,1]') = sqrt(2::float8);
-- float8 inside: no overflow
SELECT round(vector_norm('[3e38,3e38]') / 1e38 * 1e6) / 1e6 AS norm;
SELECT l2_normalize('[3,4]'::vector), l2_normalize('[0,0]'::vector), l2_normalize('[3e38]'::vector),
	l2_normalize('[1e-45,0]'::vector);
SELECT binary_quantize('[1,0,-1,-0,2,1e-45]'::vector);
SELECT binary_quantize('[1,1,1,1,1,1,1,1,-1,1]'::vector), length(binary_quantize('[1,2,3]'::vector));

-- dimensions of a stored vector are read from its first bytes
CREATE TABLE stored (v vector);
INSERT INTO stored SELECT array_agg(i)::vector FROM generate_series(1, 16000) i;
SELECT vector_dims(v), pg_column_size(v), vector_norm(v) = sqrt(16000::float8 * 16001 * 32001 / 6) FROM stored;
DROP TABLE stored;

-- parts: elements start to start + count - 1, as far as they exist
SELECT subvector('[1,2,3,4,5]'::vector, 1, 3), subvector('[1,2,3,4,5]'::vector, 3, 2),
	subvector('[1,2,3,4,5]'::vector, -1, 3), subvector('[1,2,3,4,5]'::vector, 3, 9);
SELECT subvector('[1,2,3]'::vector, 2, 2147483647), subvector('[1,2,3]'::vector, -2147483648, 2147483647);
SELECT subvector('[1,2,3]'::vector, -2147483645, 2147483647);
SELECT subvector('[1,2,3]'::vector, 4, 1);
SELECT subvector('[1,2,3]'::vector, 1, 0);
SELECT subvector('[1,2,3]'::vector, 3, -1);
SELECT subvector('[1,2,3]'::vector, 2147483647, 2147483647);
SELECT subvector('[1,2,3]'::vector, -2147483648, -2147483648);

-- arithmetic
SELECT '[1,2,3]'::vector + '[4,5,6]', '[1,2,3]'::vector - '[4,5,6]', '[1,2,3]'::vector * '[4,5,6]';
SELECT '[1,2]'::vector || '[3]';
SELECT vector_dims(vector_concat(array_fill(1, ARRAY[8000])::vector, array_fill(2, ARRAY[8000])::vector));
SELECT '[3e38]'::vector + '[3e38]';
SELECT '[-3e38]'::vector - '[3e38]';
SELECT '[1e30]'::vector * '[1e30]';
SELECT '[1,1e-30]'::vector * '[1,1e-30]';
SELECT '[0,1e-30,1e-22]'::vector * '[1e-30,0,1e-22]';

-- no operator takes text or arrays
SELECT '[1,2]'::vector <=> '[1,2]'::text;
SELECT '[1,2]'::vector <-> ARRAY[1,2]::float8[];

-- COPY, text and binary: the same bits come back
CREATE TABLE sent (id int, v vector(3), u vector);
INSERT INTO sent VALUES
	(1, '[1,-2.5,1e-45]', '[-0]'), (2, NULL, NULL), (3, '[3.4028235e38,0.1,-0]', '[1,2,3,4,5,6,7,8,9]');
CREATE TABLE came (LIKE sent);
CREATE FUNCTION copy_through(format text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/type_vector.copy';
BEGIN
	EXECUTE format('COPY sent TO %L (FORMAT %s)', file, format);
	EXECUTE format('COPY came FROM PROGRAM %L (FORMAT %s)',
		format('cat "%s"; rm "%s"', file, file), format);
END $$;
SELECT copy_through('text');
SELECT copy_through('binary');
SELECT * FROM came ORDER BY id;
SELECT count(*) FROM came JOIN sent USING (id)
	WHERE vector_send(came.v) = vector_send(sent.v) AND vector_send(came.u) = vector_send(sent.u);
DROP FUNCTION copy_through;
DROP TABLE sent, came;

-- the extension's objects work wherever they are
CREATE SCHEMA elsewhere;
ALTER EXTENSION vector SET SCHEMA elsewhere;
SET search_path = '';
SELECT '[1,2]'::elsewhere.vector(2) OPERATOR(elsewhere.<->) '[4,6]',
	elsewhere.avg(v) FROM (VALUES ('[1,2]'::elsewhere.vector)) t (v);
SELECT ARRAY[1,2]::elsewhere.vector OPERATOR(elsewhere.=) '[1,2]';
RESET search_path;
ALTER EXTENSION vector SET SCHEMA public;
DROP SCHEMA elsewhere;
