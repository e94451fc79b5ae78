--
-- btree: comparison operators of all types, their btree and hash classes
--

SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, vector_cmp(a, b) AS cmp
	FROM (VALUES
		('[1,2]'::vector, '[1,2]'::vector),
		('[1,2]', '[1,3]'),
		('[1,3]', '[1,2]'),
		('[2,0]', '[1,9]'),
		('[1]', '[1,2]'),
		('[1,-9]', '[1]'),
		('[2]', '[1,2]'),
		('[-0]', '[0]'),
		('[-0,1]', '[0,2]'),
		('[1e-45]', '[0]'),
		('[-3.4028235e38]', '[3.4028235e38]')) t (a, b);
SELECT '[1]'::vector != '[2]'::vector;

-- ORDER BY, DISTINCT, unique index
CREATE TABLE sorted (v vector);
INSERT INTO sorted VALUES ('[2]'), ('[1,2]'), (NULL), ('[1]'), ('[0]'), ('[1,2]'), ('[-1,5]'), ('[1,1,9]');
SELECT v FROM sorted ORDER BY v;
SELECT v FROM sorted ORDER BY v DESC;
SELECT DISTINCT v FROM sorted ORDER BY v;
CREATE INDEX sorted_v ON sorted (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT v FROM sorted WHERE v = '[1,2]';
SELECT v FROM sorted WHERE v = '[1,2]';
SELECT v FROM sorted WHERE v < '[1,2]' ORDER BY v;
SELECT v FROM sorted WHERE v BETWEEN '[0]' AND '[1,2]' ORDER BY v;
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP INDEX sorted_v;
CREATE UNIQUE INDEX sorted_v ON sorted (v);
DELETE FROM sorted WHERE ctid = (SELECT max(ctid) FROM sorted WHERE v = '[1,2]');
CREATE UNIQUE INDEX sorted_v ON sorted (v);
INSERT INTO sorted VALUES ('[-0]');
INSERT INTO sorted VALUES ('[0]') ON CONFLICT (v) DO NOTHING;
DROP TABLE sorted;

-- hash: equal vectors have equal hashes, and the extended hash agrees
SELECT vector_hash('[0,1]') = vector_hash('[-0,1]') AS minus_zero,
	vector_hash('[1,2]') = vector_hash('[2,1]') AS swapped,
	vector_hash('[1]') = vector_hash('[1,0]') AS longer,
	vector_hash_extended('[0,1]', 7) = vector_hash_extended('[-0,1]', 7) AS minus_zero_extended,
	vector_hash_extended('[1,2]', 0) = vector_hash_extended('[1,2]', 1) AS other_seed,
	(vector_hash_extended('[1,2]', 0) & 4294967295) = (vector_hash('[1,2]')::bigint & 4294967295) AS seed_zero;

CREATE TABLE hashed AS
	SELECT i, ARRAY[i / 4, CASE WHEN i % 2 = 0 THEN '-0'::real ELSE 0 END]::real[]::vector AS v
	FROM generate_series(0, 399) i;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT v FROM hashed GROUP BY v;
SELECT count(*), sum(n) FROM (SELECT v, count(*) AS n FROM hashed GROUP BY v) t;
RESET enable_sort;
SET enable_mergejoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM hashed a JOIN hashed b USING (v);
SELECT count(*) FROM hashed a JOIN hashed b USING (v);
SET enable_mergejoin = on;
SET enable_hashjoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM hashed a JOIN hashed b USING (v);
SELECT count(*) FROM hashed a JOIN hashed b USING (v);
RESET enable_mergejoin;
RESET enable_nestloop;
RESET enable_hashjoin;
CREATE INDEX hashed_v ON hashed USING hash (v);
SET enable_seqscan = off;
SELECT i FROM hashed WHERE v = '[3,0]' ORDER BY i;
RESET enable_seqscan;
DROP TABLE hashed;

-- hash partitions
CREATE TABLE parted (v vector) PARTITION BY HASH (v);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT ARRAY[i]::vector FROM generate_series(1, 100) i;
SELECT count(*) FILTER (WHERE tableoid = 'parted_0'::regclass) BETWEEN 20 AND 80 AS spread, count(*) FROM parted;
SELECT v FROM parted WHERE v = '[42]';
DROP TABLE parted;

--
-- halfvec
--

SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, halfvec_cmp(a, b) AS cmp
	FROM (VALUES
		('[1,2]'::halfvec, '[1,2]'::halfvec),
		('[1,2]', '[1,3]'),
		('[1,3]', '[1,2]'),
		('[2,0]', '[1,9]'),
		('[1]', '[1,2]'),
		('[1,-9]', '[1]'),
		('[2]', '[1,2]'),
		('[-1]', '[-2]'),
		('[-1]', '[1e-7]'),
		('[-0]', '[0]'),
		('[-0,1]', '[0,2]'),
		('[6e-8]', '[0]'),
		('[-65504]', '[65504]')) t (a, b);
SELECT '[1]'::halfvec != '[2]'::halfvec;

-- the order is that of the numbers as vector, of every seventh half
CREATE TABLE every AS
	SELECT ARRAY[sign * (CASE WHEN i < 1024 THEN i ELSE (1024 + (i & 1023)) * power(2, (i >> 10) - 1) END) * power(2::float8, -24)] AS a
	FROM generate_series(0, 31743, 7) i, unnest(ARRAY[-1, 1]) sign;
SELECT count(*), count(*) FILTER (WHERE halfvec_cmp(h, before) <> vector_cmp(h::vector, before::vector)) AS other_order
	FROM (SELECT a::halfvec AS h, lag(a::halfvec) OVER (ORDER BY md5(a::text)) AS before FROM every) t;
SELECT count(*) FILTER (WHERE before > h) AS out_of_order FROM (SELECT a::halfvec AS h, lag(a::halfvec) OVER (ORDER BY a) AS before FROM every) t;
DROP TABLE every;

CREATE TABLE sorted (v halfvec);
INSERT INTO sorted VALUES ('[2]'), ('[1,2]'), (NULL), ('[1]'), ('[0]'), ('[1,2]'), ('[-1,5]'), ('[1,1,9]');
SELECT v FROM sorted ORDER BY v;
SELECT v FROM sorted ORDER BY v DESC;
SELECT DISTINCT v FROM sorted ORDER BY v;
CREATE INDEX sorted_v ON sorted (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT v FROM sorted WHERE v = '[1,2]';
SELECT v FROM sorted WHERE v = '[1,2]';
SELECT v FROM sorted WHERE v BETWEEN '[0]' AND '[1,2]' ORDER BY v;
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP INDEX sorted_v;
CREATE UNIQUE INDEX sorted_v ON sorted (v);
DROP TABLE sorted;

SELECT halfvec_hash('[0,1]') = halfvec_hash('[-0,1]') AS minus_zero,
	halfvec_hash('[1,2]') = halfvec_hash('[2,1]') AS swapped,
	halfvec_hash('[1]') = halfvec_hash('[1,0]') AS longer,
	halfvec_hash_extended('[0,1]', 7) = halfvec_hash_extended('[-0,1]', 7) AS minus_zero_extended,
	halfvec_hash_extended('[1,2]', 0) = halfvec_hash_extended('[1,2]', 1) AS other_seed,
	(halfvec_hash_extended('[1,2]', 0) & 4294967295) = (halfvec_hash('[1,2]')::bigint & 4294967295) AS seed_zero;
CREATE TABLE hashed AS
	SELECT i, ARRAY[i / 4, CASE WHEN i % 2 = 0 THEN '-0'::real ELSE 0 END]::real[]::halfvec AS v
	FROM generate_series(0, 399) i;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT v FROM hashed GROUP BY v;
SELECT count(*), sum(n) FROM (SELECT v, count(*) AS n FROM hashed GROUP BY v) t;
RESET enable_sort;
SET enable_mergejoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM hashed a JOIN hashed b USING (v);
SELECT count(*) FROM hashed a JOIN hashed b USING (v);
RESET enable_mergejoin;
SET enable_hashjoin = off;
SELECT count(*) FROM hashed a JOIN hashed b USING (v);
RESET enable_nestloop;
RESET enable_hashjoin;
CREATE INDEX hashed_v ON hashed USING hash (v);
SET enable_seqscan = off;
SELECT i FROM hashed WHERE v = '[3,0]' ORDER BY i;
RESET enable_seqscan;
DROP TABLE hashed;
CREATE TABLE parted (v halfvec) PARTITION BY HASH (v);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT ARRAY[i]::halfvec FROM generate_series(1, 100) i;
SELECT count(*) FILTER (WHERE tableoid = 'parted_0'::regclass) BETWEEN 20 AND 80 AS spread, count(*) FROM parted;
SELECT v FROM parted WHERE v = '[42]';
DROP TABLE parted;

--
-- sparsevec
--

-- as the dense vectors: what is not stored is 0, then the shorter first
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, sparsevec_cmp(a, b) AS cmp
	FROM (VALUES
		('{1:1,2:2}/2'::sparsevec, '{1:1,2:2}/2'::sparsevec),
		('{1:1,2:2}/2', '{1:1,2:3}/2'),
		('{1:1,2:3}/2', '{1:1,2:2}/2'),
		('{1:2}/2', '{1:1,2:9}/2'),
		('{2:1}/2', '{1:1}/2'),
		('{2:-1}/2', '{}/2'),
		('{2:1}/2', '{}/2'),
		('{1:1}/1', '{1:1}/2'),
		('{1:1}/1', '{1:1,2:-9}/2'),
		('{3:-1}/3', '{}/2'),
		('{3:1}/3', '{2:1}/2'),
		('{3:-1}/4', '{4:1}/5'),
		('{}/999999999', '{}/1000000000'),
		('{1000000000:1}/1000000000', '{1000000000:2}/1000000000'),
		('{1:-3.4028235e38}/1', '{1:3.4028235e38}/1')) t (a, b);
SELECT '{}/1'::sparsevec != '{}/2'::sparsevec;

CREATE TABLE sorted (v sparsevec);
INSERT INTO sorted VALUES ('{1:2}/1'), ('{1:1,2:2}/2'), (NULL), ('{1:1}/1'), ('{}/1'), ('{2:2,1:1}/2'), ('{1:-1,2:5}/2'), ('{1:1,2:1,3:9}/3'), ('{1:1}/2');
SELECT v FROM sorted ORDER BY v;
SELECT v FROM sorted ORDER BY v DESC;
SELECT DISTINCT v FROM sorted ORDER BY v;
CREATE INDEX sorted_v ON sorted (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT v FROM sorted WHERE v = '{1:1,2:2}/2';
SELECT v FROM sorted WHERE v = '{1:1,2:2}/2';
SELECT v FROM sorted WHERE v BETWEEN '{}/1' AND '{1:1,2:2}/2' ORDER BY v;
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP INDEX sorted_v;
CREATE UNIQUE INDEX sorted_v ON sorted (v);
DROP TABLE sorted;

SELECT sparsevec_hash('{1:1,2:2}/2') = sparsevec_hash('{2:2,1:1}/2') AS swapped,
	sparsevec_hash('{1:1}/2') = sparsevec_hash('{2:1}/2') AS other_place,
	sparsevec_hash('{1:1}/1') = sparsevec_hash('{1:1}/2') AS longer,
	sparsevec_hash('{1:1,2:-0}/2') = sparsevec_hash('{1:1}/2') AS zero,
	sparsevec_hash_extended('{1:1}/2', 0) = sparsevec_hash_extended('{1:1}/2', 1) AS other_seed,
	(sparsevec_hash_extended('{1:1}/2', 0) & 4294967295) = (sparsevec_hash('{1:1}/2')::bigint & 4294967295) AS seed_zero;
CREATE TABLE hashed AS
	SELECT i, format('{%s:1,%s:%s}/100', i / 8 + 1, i / 8 + 2, i / 4 % 2)::sparsevec AS v FROM generate_series(0, 399) i;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT v FROM hashed GROUP BY v;
SELECT count(*), sum(n) FROM (SELECT v, count(*) AS n FROM hashed GROUP BY v) t;
RESET enable_sort;
SET enable_mergejoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM hashed a JOIN hashed b USING (v);
SELECT count(*) FROM hashed a JOIN hashed b USING (v);
RESET enable_mergejoin;
SET enable_hashjoin = off;
SELECT count(*) FROM hashed a JOIN hashed b USING (v);
RESET enable_nestloop;
RESET enable_hashjoin;
CREATE INDEX hashed_v ON hashed USING hash (v);
SET enable_seqscan = off;
SELECT i FROM hashed WHERE v = '{4:1}/100' ORDER BY i;
RESET enable_seqscan;
DROP TABLE hashed;
CREATE TABLE parted (v sparsevec) PARTITION BY HASH (v);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT format('{%s:1}/100', i)::sparsevec FROM generate_series(1, 100) i;
SELECT count(*) FILTER (WHERE tableoid = 'parted_0'::regclass) BETWEEN 20 AND 80 AS spread, count(*) FROM parted;
SELECT v FROM parted WHERE v = '{42:1}/100';
DROP TABLE parted;
