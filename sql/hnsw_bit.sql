--
-- hnsw_bit: hnsw indexes on bit
--

SET client_min_messages = warning;
-- plans that are disabled cost enough to be compiled, which takes long
SET jit = off;

-- A plan.  17 and later name what an InitPlan returns differently, 18 says what is
-- disabled.
CREATE FUNCTION explain(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		CONTINUE WHEN line ~ '^ *Disabled: true$';
		line := regexp_replace(line, ' \(returns \$\d\)', '');
		RETURN NEXT regexp_replace(line, '\(InitPlan \d\)\.col1|\$\d', '$?', 'g');
	END LOOP;
END $$;
-- Number i of a sequence of bit strings that follow from i.
CREATE FUNCTION bits(i bigint, len int) RETURNS varbit LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg((hashint8extended(i * 65536 + j, 7) & 1)::text, '' ORDER BY j)::varbit
	FROM generate_series(1, len) j
$$;
-- Answers of "SELECT distance FROM ... ORDER BY distance" for 10 queries, $1,
-- by the index with a wide search and without index: how many rows, and how
-- many answers are equal, row by row.  Complains if no index is used.
CREATE FUNCTION compare(query text, len int, OUT rows bigint, OUT equal bigint)
LANGUAGE plpgsql AS $$
DECLARE
	statement text := 'SELECT array_agg(d::text) FROM (' || query || ') t (d)';
	line text;
	plan text := '';
	found text[];
	exact text[];
BEGIN
	rows := 0;
	equal := 0;
	SET LOCAL hnsw.ef_search = 10000;
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query USING bits(1, len) LOOP
		plan := plan || E'\n' || line;
	END LOOP;
	IF plan !~ 'Index Scan using .*Order By: ' THEN
		RAISE 'no index is used:%', plan;
	END IF;
	FOR i IN 1..10 LOOP
		SET LOCAL enable_indexscan = on;
		EXECUTE statement INTO found USING bits(-i, len);
		SET LOCAL enable_indexscan = off;
		EXECUTE statement INTO exact USING bits(-i, len);
		rows := rows + cardinality(exact);
		equal := equal + (found IS NOT DISTINCT FROM exact)::int;
	END LOOP;
	SET LOCAL hnsw.ef_search = 40;
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
END $$;
-- What the verifier finds in any hnsw index.
CREATE VIEW violations AS
	SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
		hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';

-- a length that is no multiple of 8, one that is; many equal strings
CREATE TABLE odd (id int, b bit(101));
INSERT INTO odd SELECT i, bits(i, 101) FROM generate_series(1, 1000) i;
INSERT INTO odd SELECT i, bits(i % 3, 101) FROM generate_series(1001, 1050) i;
INSERT INTO odd VALUES (0, NULL), (-1, repeat('0', 101)::bit(101)), (-2, repeat('1', 101)::bit(101));
CREATE INDEX odd_hamming ON odd USING hnsw (b bit_hamming_ops);
CREATE INDEX odd_jaccard ON odd USING hnsw (b bit_jaccard_ops);
CREATE TABLE short (id int, b bit(8));
INSERT INTO short SELECT i, i::bit(8) FROM generate_series(0, 999) i;
CREATE INDEX short_hamming ON short USING hnsw (b bit_hamming_ops) WITH (m = 4, ef_construction = 16);
CREATE INDEX short_jaccard ON short USING hnsw (b bit_jaccard_ops);
SELECT * FROM violations;
SELECT pg_get_indexdef('odd_hamming'::regclass), pg_get_indexdef('short_jaccard'::regclass);

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM short ORDER BY b <~> B'10101010' LIMIT 5;
RESET enable_seqscan;
SELECT operator, o.*, s.*
	FROM unnest(ARRAY['<~>', '<%>']) operator,
	compare(format('SELECT b %s $1 FROM odd WHERE b IS NOT NULL ORDER BY b %s $1 LIMIT 200', operator, operator), 101) o,
	compare(format('SELECT b %s $1 FROM short ORDER BY b %s $1 LIMIT 500', operator, operator), 8) s (short_rows, short_equal);
-- with a filter, and through each set of kernels
SELECT operator, c.*
	FROM unnest(ARRAY['<~>', '<%>']) operator,
	compare(format('SELECT b %s $1 FROM odd WHERE id %% 50 = 7 ORDER BY b %s $1 LIMIT 15', operator, operator), 101) c;
SET vector.kernel = 'scalar';
SELECT operator, c.*
	FROM unnest(ARRAY['<~>', '<%>']) operator,
	compare(format('SELECT b %s $1 FROM odd WHERE id > 0 ORDER BY b %s $1 LIMIT 50', operator, operator), 101) c;
RESET vector.kernel;

SET enable_seqscan = off;
SET enable_sort = off;
-- all rows, as far as they are not NULL; equal strings each
SELECT count(*) FROM (SELECT id FROM odd ORDER BY b <~> bits(1, 101)) s;
SELECT count(*) FROM (SELECT id FROM odd ORDER BY b <%> (SELECT NULL::bit)) s;
SELECT count(*) FROM (SELECT b <~> bits(1, 101) AS d FROM odd ORDER BY b <~> bits(1, 101) LIMIT 18) s WHERE d = 0;
SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM short ORDER BY b <~> B'00000111' LIMIT 4) s;
-- varbit as a key, and parameters
PREPARE nearest(varbit) AS SELECT id FROM odd ORDER BY b <~> $1 LIMIT 1;
EXPLAIN (COSTS OFF) EXECUTE nearest(bits(77, 101));
EXECUTE nearest(bits(77, 101));
EXECUTE nearest('101');
DEALLOCATE nearest;
SELECT id FROM odd ORDER BY b <%> '101' LIMIT 1;
RESET enable_seqscan;
RESET enable_sort;

-- insert, update, delete, vacuum, insert into what that freed
INSERT INTO odd SELECT i, bits(i, 101) FROM generate_series(2001, 2300) i;
UPDATE odd SET b = bits(id + 5000, 101) WHERE id BETWEEN 1 AND 100;
DELETE FROM odd WHERE id BETWEEN 200 AND 500 OR id BETWEEN 1001 AND 1025;
SELECT * FROM violations;
VACUUM odd;
SELECT * FROM violations;
INSERT INTO odd SELECT i, bits(i, 101) FROM generate_series(3001, 3200) i;
SELECT * FROM violations;
SELECT operator, c.*
	FROM unnest(ARRAY['<~>', '<%>']) operator,
	compare(format('SELECT b %s $1 FROM odd WHERE b IS NOT NULL ORDER BY b %s $1 LIMIT 100', operator, operator), 101) c;
DELETE FROM odd;
VACUUM odd;
INSERT INTO odd SELECT i, bits(i, 101) FROM generate_series(1, 50) i;
SELECT * FROM compare('SELECT b <%> $1 FROM odd ORDER BY b <%> $1', 101);
SELECT * FROM violations;

-- bit is binary coercible to varbit, so the index stays when the column's type
-- changes; then a string of another length can come, and is refused
ALTER TABLE odd ALTER b TYPE varbit;
INSERT INTO odd VALUES (51, bits(51, 101));
INSERT INTO odd VALUES (52, '101');
SELECT * FROM compare('SELECT b <~> $1 FROM odd ORDER BY b <~> $1', 101);
REINDEX INDEX odd_hamming;
SELECT * FROM violations;
DROP TABLE odd, short;

-- vectors by their signs, then by themselves
CREATE TABLE signs (id int, v vector(64));
INSERT INTO signs SELECT i, (SELECT array_agg((hashint8extended(i * 64 + j, 3) & 1023) - 511.5 ORDER BY j) FROM generate_series(1, 64) j)
	FROM generate_series(1::bigint, 500) i;
CREATE INDEX signs_bits ON signs USING hnsw ((binary_quantize(v)::bit(64)) bit_hamming_ops);
SELECT pg_get_indexdef('signs_bits'::regclass);
SET enable_seqscan = off;
SELECT explain($$
	SELECT id FROM (SELECT * FROM signs ORDER BY binary_quantize(v)::bit(64) <~> binary_quantize((SELECT v FROM signs WHERE id = 42)) LIMIT 20) s
	ORDER BY v <=> (SELECT v FROM signs WHERE id = 42) LIMIT 1$$);
SELECT id FROM (SELECT * FROM signs ORDER BY binary_quantize(v)::bit(64) <~> binary_quantize((SELECT v FROM signs WHERE id = 42)) LIMIT 20) s
	ORDER BY v <=> (SELECT v FROM signs WHERE id = 42) LIMIT 1;
RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE signs;

-- the longest strings; nearly a page
CREATE TABLE longest (id int, b bit(64000));
CREATE INDEX longest_hamming ON longest USING hnsw (b bit_hamming_ops);
CREATE INDEX longest_jaccard ON longest USING hnsw (b bit_jaccard_ops);
INSERT INTO longest SELECT i, (repeat('1', i * 1000) || repeat('0', 64000 - i * 1000))::bit(64000) FROM generate_series(1, 30) i;
REINDEX TABLE longest;
INSERT INTO longest SELECT i, (repeat('1', i * 1000) || repeat('0', 64000 - i * 1000))::bit(64000) FROM generate_series(31, 40) i;
SET enable_seqscan = off;
SELECT id, b <~> k AS hamming FROM longest, (SELECT rpad(repeat('1', 33001), 64000, '0')::bit(64000) AS k OFFSET 0) q ORDER BY b <~> k LIMIT 3;
SELECT id FROM longest ORDER BY b <~> rpad(repeat('1', 33001), 64000, '0')::bit(64000) LIMIT 3;
SELECT id FROM longest ORDER BY b <%> rpad(repeat('1', 9001), 64000, '0')::bit(64000) LIMIT 3;
RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE longest;

-- in parallel
CREATE TABLE many (b bit(128)) WITH (parallel_workers = 2);
INSERT INTO many SELECT bits(i, 128) FROM generate_series(1, 1500) i;
SET min_parallel_table_scan_size = 0;
CREATE INDEX ON many USING hnsw (b bit_hamming_ops);
RESET min_parallel_table_scan_size;
SELECT * FROM compare('SELECT b <~> $1 FROM many ORDER BY b <~> $1 LIMIT 50', 128);
SELECT * FROM violations;
DROP TABLE many;

DROP VIEW violations;
DROP FUNCTION compare, bits, explain;
