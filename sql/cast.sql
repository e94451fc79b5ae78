--
-- cast: between vector, halfvec and arrays
--

-- arrays to vector
SELECT ARRAY[1,2,3]::vector, ARRAY[1.5,2.5]::real[]::vector,
	ARRAY[1.5,2.5]::float8[]::vector, ARRAY[1.5,2.5]::numeric[]::vector;
SELECT ARRAY[16777217,-2147483648,2147483647]::vector;
SELECT '[5:6]={1,2}'::int[]::vector;
-- doubles are rounded, down to zero
SELECT ARRAY[0.1,1e-300]::float8[]::vector, ARRAY[1e-50]::float8[]::vector,
	ARRAY[-1e-50]::float8[]::vector;
SELECT ARRAY[1,2,3]::vector(3), ARRAY[1,2,3]::real[]::vector(3),
	ARRAY[1,2,3]::float8[]::vector(3), ARRAY[1,2,3]::numeric[]::vector(3);
SELECT ARRAY[1,2,3]::vector(2);
SELECT ARRAY[1,2,3]::numeric[]::vector(4);

-- what no array may be
SELECT '{}'::real[]::vector;
SELECT '{{1,2},{3,4}}'::int[]::vector;
SELECT '{1,NULL}'::real[]::vector;
SELECT '{NULL}'::numeric[]::vector;
SELECT '{NaN}'::real[]::vector;
SELECT '{1,Infinity}'::real[]::vector;
SELECT '{1,-Infinity}'::float8[]::vector;
SELECT '{1e39}'::float8[]::vector;
SELECT '{NaN}'::float8[]::vector;
SELECT '{NaN}'::numeric[]::vector;
SELECT '{1e39}'::numeric[]::vector;
SELECT '{1e-50}'::numeric[]::vector;
SELECT '{Infinity}'::numeric[]::vector;
SELECT array_fill(0, ARRAY[16001])::vector;
SELECT array_fill(0::float8, ARRAY[16001])::vector;
SELECT array_fill(NULL::real, ARRAY[16001])::vector;
SELECT vector_dims(array_fill(0::numeric, ARRAY[16000])::vector);

-- vector to array
SELECT '[1,2.5,-0]'::vector::real[];
SELECT array_ndims(a), array_lower(a, 1), array_upper(a, 1), pg_typeof(a)
	FROM (SELECT '[1,2,3]'::vector::real[]) t (a);
SELECT array_length(array_fill(1, ARRAY[16000])::vector::real[], 1);
SELECT unnest('[1,2]'::vector::real[]);
SELECT '[1,2]'::vector::float8[];
SELECT '[1,2]'::vector::integer[];

-- vector to vector checks the dimensions, wherever the cast comes from
SELECT '[1,2,3]'::vector::vector(3);
SELECT '[1,2,3]'::vector::vector(4);
SELECT CAST('[1,2]'::text AS vector(2)), '[1,2]'::vector::text || '!';
SELECT CAST('[1,2]'::text AS vector(3));

-- contexts: vector to real[] everywhere, arrays to vector by assignment only
CREATE TABLE assigned (v vector(2), r real[]);
INSERT INTO assigned (v) VALUES (ARRAY[1,2]), (ARRAY[1.5,2.5]), (ARRAY[1,2]::float8[]), (ARRAY[1,2]::real[]);
INSERT INTO assigned (v) VALUES (ARRAY[1,2,3]);
INSERT INTO assigned (v) VALUES ('[1,2]'::text);
UPDATE assigned SET r = v;
SELECT * FROM assigned;
SELECT array_length('[1,2,3]'::vector, 1);
SELECT ARRAY[1,2] = ARRAY[1,2];
SELECT '[1,2]'::vector = ARRAY[1,2];
DROP TABLE assigned;

-- a domain over the type keeps the check
CREATE DOMAIN three AS vector(3);
SELECT '[1,2,3]'::three, ARRAY[1,2,3]::three;
SELECT '[1,2]'::three;
DROP DOMAIN three;

--
-- halfvec
--

-- arrays to halfvec
SELECT ARRAY[1,2,3]::halfvec, ARRAY[1.5,2.5]::real[]::halfvec,
	ARRAY[1.5,2.5]::float8[]::halfvec, ARRAY[1.5,2.5]::numeric[]::halfvec;
SELECT ARRAY[2049,65519,-65519]::halfvec, '[5:6]={1,2}'::int[]::halfvec;
SELECT ARRAY[0.1,1e-300]::float8[]::halfvec, ARRAY[-1e-8]::real[]::halfvec, ARRAY[0.1]::numeric[]::halfvec;
SELECT ARRAY[1,2,3]::halfvec(3), ARRAY[1,2,3]::real[]::halfvec(3),
	ARRAY[1,2,3]::float8[]::halfvec(3), ARRAY[1,2,3]::numeric[]::halfvec(3);
SELECT ARRAY[1,2,3]::halfvec(2);
SELECT ARRAY[70000]::halfvec(2);
SELECT '{}'::real[]::halfvec;
SELECT '{{1,2},{3,4}}'::int[]::halfvec;
SELECT '{1,NULL}'::real[]::halfvec;
SELECT '{NaN}'::real[]::halfvec;
SELECT '{1,-Infinity}'::float8[]::halfvec;
SELECT '{1e39}'::float8[]::halfvec;
SELECT '{1e39}'::numeric[]::halfvec;
SELECT '{65520}'::int[]::halfvec;
SELECT '{1,-65520}'::real[]::halfvec;
SELECT '{1e5}'::float8[]::halfvec;
SELECT '{65520}'::numeric[]::halfvec;
SELECT array_fill(0, ARRAY[16001])::halfvec;
SELECT vector_dims(array_fill(0::numeric, ARRAY[16000])::halfvec);

-- halfvec to array
SELECT '[1,2.5,-0,0.1]'::halfvec::real[];
SELECT array_ndims(a), array_lower(a, 1), array_upper(a, 1), pg_typeof(a)
	FROM (SELECT '[1,2,3]'::halfvec::real[]) t (a);
SELECT '[1,2]'::halfvec::float8[];
SELECT '[1,2]'::halfvec::integer[];

-- halfvec and vector
SELECT '[1,2.5,0.1,-0,1e-8]'::vector::halfvec, '[1,2.5,0.1,-0]'::halfvec::vector;
SELECT '[1,2]'::vector::halfvec(2), '[1,2]'::halfvec::vector(2), '[1,2,3]'::halfvec::halfvec(3);
SELECT '[1,2,3]'::vector::halfvec(2);
SELECT '[1,2,3]'::halfvec::vector(2);
SELECT '[1,2,3]'::halfvec::halfvec(4);
SELECT '[65519]'::vector::halfvec;
SELECT '[1,65520]'::vector::halfvec;
SELECT '[-1e38]'::vector::halfvec;
SELECT '[1e5]'::vector::halfvec;
SELECT CAST('[1,2]'::text AS halfvec(2)), '[1,2]'::halfvec::text || '!';

-- contexts: vector to halfvec everywhere, the rest by assignment only
CREATE TABLE assigned (h halfvec(2), v vector(2), r real[]);
INSERT INTO assigned (h) VALUES (ARRAY[1,2]), (ARRAY[1.5,2.5]), (ARRAY[1,2]::float8[]), ('[1,2]'::vector);
INSERT INTO assigned (h) VALUES (ARRAY[1,2,3]);
INSERT INTO assigned (h) VALUES ('[1,2,3]'::vector);
INSERT INTO assigned (h) VALUES ('[1,2]'::text);
UPDATE assigned SET r = h, v = h;
SELECT * FROM assigned;
ALTER TABLE assigned ALTER v TYPE halfvec(2), ALTER h TYPE real[];
SELECT * FROM assigned;
SELECT l2_norm('[3,4]'::vector);
SELECT vector_norm('[3,4]'::halfvec);
SELECT array_length('[1,2,3]'::halfvec, 1);
SELECT '[1,2]'::halfvec = '[1,2]'::vector, '[1,2.5]'::vector <-> '[1,2]'::halfvec;
SELECT '[1,2]'::halfvec = ARRAY[1,2];
DROP TABLE assigned;

--
-- sparsevec
--

-- arrays to sparsevec
SELECT ARRAY[1,0,3]::sparsevec, ARRAY[1.5,0,2.5]::real[]::sparsevec,
	ARRAY[0,1.5,2.5]::float8[]::sparsevec, ARRAY[1.5,2.5,0]::numeric[]::sparsevec;
SELECT '[5:7]={1,0,2}'::int[]::sparsevec, '{0,-0}'::real[]::sparsevec, ARRAY[0.1,1e-300]::float8[]::sparsevec;
SELECT ARRAY[1,0,3]::sparsevec(3), ARRAY[1,0,3]::real[]::sparsevec(3),
	ARRAY[1,0,3]::float8[]::sparsevec(3), ARRAY[1,0,3]::numeric[]::sparsevec(3);
SELECT ARRAY[1,0,3]::sparsevec(2);
SELECT '{}'::real[]::sparsevec;
SELECT '{{1,2},{3,4}}'::int[]::sparsevec;
SELECT '{1,NULL}'::real[]::sparsevec;
SELECT '{NaN}'::real[]::sparsevec;
SELECT '{1,-Infinity}'::float8[]::sparsevec;
SELECT '{1e39}'::float8[]::sparsevec;
SELECT '{1e39}'::numeric[]::sparsevec;
-- more dimensions than the dense types have, and as many elements as may be
SELECT (array_fill(0, ARRAY[100000]) || 7)::sparsevec;
SELECT pg_column_size(array_fill(1::real, ARRAY[16000])::sparsevec);
SELECT array_fill(1, ARRAY[16001])::sparsevec;

-- sparsevec to array: by way of vector only
SELECT '{1:1}/3'::sparsevec::real[];
SELECT '{1:1}/3'::sparsevec::vector::real[];

-- sparsevec, vector and halfvec
SELECT '[1,0,-0,2.5]'::vector::sparsevec, '{1:1,4:2.5}/4'::sparsevec::vector, '[0]'::vector::sparsevec, '{}/3'::sparsevec::vector;
SELECT '[1,0,-0,0.1]'::halfvec::sparsevec, '{1:1,4:0.1,5:1e-10}/5'::sparsevec::halfvec, '{}/3'::sparsevec::halfvec;
SELECT '[1,0]'::vector::sparsevec(2), '{2:1}/2'::sparsevec::vector(2), '[1,0]'::halfvec::sparsevec(2), '{2:1}/2'::sparsevec::halfvec(2),
	'{2:1}/2'::sparsevec::sparsevec(2);
SELECT '[1,0,2]'::vector::sparsevec(2);
SELECT '[1,0,2]'::halfvec::sparsevec(2);
SELECT '{1:1}/3'::sparsevec::vector(2);
SELECT '{1:1}/3'::sparsevec::halfvec(2);
SELECT '{1:1}/3'::sparsevec::sparsevec(4);
SELECT '{1:65519}/3'::sparsevec::halfvec;
SELECT '{1:65520}/3'::sparsevec::halfvec;
SELECT '{16000:1}/16000'::sparsevec::vector::sparsevec, '{16000:1}/16000'::sparsevec::halfvec::sparsevec;
SELECT '{1:1}/16001'::sparsevec::vector;
SELECT '{1:1}/16001'::sparsevec::vector(3);
SELECT '{1:1}/16001'::sparsevec::halfvec;
SELECT CAST('{1:1}/2'::text AS sparsevec(2)), '{1:1}/2'::sparsevec::text || '!';

-- contexts: vector and halfvec to sparsevec everywhere, the rest by assignment only
CREATE TABLE assigned (s sparsevec(2), v vector(2), h halfvec(2));
INSERT INTO assigned (s) VALUES (ARRAY[0,1]), (ARRAY[1.5,0]), (ARRAY[1,2]::float8[]), ('[0,2]'::vector), ('[3,0]'::halfvec);
INSERT INTO assigned (s) VALUES (ARRAY[1,2,3]);
INSERT INTO assigned (s) VALUES ('[1,2,3]'::vector);
INSERT INTO assigned (s) VALUES ('{1:1}/2'::text);
UPDATE assigned SET v = s, h = s;
SELECT * FROM assigned;
ALTER TABLE assigned ALTER v TYPE sparsevec(2), ALTER h TYPE sparsevec(2), ALTER s TYPE vector(2);
SELECT * FROM assigned;
SELECT '{1:1}/2'::sparsevec = '[1,0]'::vector, '[1,0]'::halfvec <-> '{2:1}/2'::sparsevec;
SELECT '{1:1}/2'::sparsevec = ARRAY[1,0];
DROP TABLE assigned;
