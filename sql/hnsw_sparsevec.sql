--
-- hnsw_sparsevec: indexes on sparse vectors: codes of a projection, values whole or cut
--

SET client_min_messages = warning;

-- Number i of a sequence of sparse vectors: up to n elements in (0, 1], three of
-- four among the 60 dimensions of one of 40 overlapping subjects.
CREATE FUNCTION sparse(i int, n int, dim int) RETURNS sparsevec LANGUAGE sql IMMUTABLE AS $$
	SELECT ('{' || coalesce(string_agg(at || ':' || value / 65536.0, ','), '') || '}/' || dim)::sparsevec
	FROM (SELECT (CASE WHEN j % 4 > 0 THEN i % 40 * 37 + abs(h % 60) ELSE abs(h) END) % dim + 1 AS at, max(((h >> 32) & 65535) + 1) AS value
		FROM generate_series(1, n) j, LATERAL (SELECT hashint8extended(i::bigint * 65536 + j, 7) AS h OFFSET 0) r
		GROUP BY at) e
$$;
-- The error of a statement; a row of NULLs if there is none.
CREATE FUNCTION error_of(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
-- A query "SELECT distance FROM ... ORDER BY distance" through the index and
-- without.  Is every row there with the settings as they are, and is the order
-- exact when the look-ahead covers all?  Complains if no index is used.
CREATE FUNCTION compare(query text, OUT rows bigint, OUT complete boolean, OUT ordered boolean)
LANGUAGE plpgsql AS $$
DECLARE
	in_order text := 'SELECT array_agg(d::text) FROM (' || query || ') t (d)';
	sorted text := 'SELECT array_agg(d::text ORDER BY d + 0) FROM (' || query || ') t (d)';
	line text;
	plan text := '';
	found text[];
	found_in_order text[];
	exact text[];
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || E'\n' || line;
	END LOOP;
	IF plan !~ 'Index Scan using .*Order By: ' THEN
		RAISE 'no index is used:%', plan;
	END IF;
	EXECUTE sorted INTO found;
	SET LOCAL hnsw.ef_search = 10000;
	EXECUTE in_order INTO found_in_order;
	SET LOCAL enable_indexscan = off;
	EXECUTE in_order INTO exact;
	rows := coalesce(cardinality(exact), 0);
	complete := found IS NOT DISTINCT FROM exact;
	ordered := found_in_order IS NOT DISTINCT FROM exact;
	SET LOCAL hnsw.ef_search = 40;
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
END $$;
-- Of the k nearest rows to number i of the sequence, the part that the walk
-- finds with the settings as they are; ties count.
CREATE FUNCTION found_part(relation text, operator text, i int, k int) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT v %1$s sparse(%2$s, 40, 3000) AS d FROM %3$I WHERE l2_norm(v) > 0 ORDER BY v %1$s sparse(%2$s, 40, 3000) LIMIT %4$s',
		operator, i, relation, k);
	part numeric;
	farthest float8;
BEGIN
	SET LOCAL enable_indexscan = off;
	EXECUTE format('SELECT max(d) FROM (%s) t', query) INTO farthest;
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	EXECUTE format('SELECT count(*) FILTER (WHERE d <= $1) / %s.0 FROM (%s) t', k, query) INTO part USING farthest;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
	RETURN part;
END $$;
-- What the verifier finds in any hnsw index.
CREATE VIEW violations AS
	SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
		hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';

-- up to 50 elements, NULLs and zero vectors among them, where 1000 are allowed
CREATE TABLE narrow (id int PRIMARY KEY, kind int, v sparsevec(3000));
INSERT INTO narrow SELECT i, i % 10, sparse(i, 30 + i % 21, 3000) FROM generate_series(1, 800) i;
INSERT INTO narrow VALUES (801, 0, NULL), (802, 1, '{}/3000'), (803, 2, '{}/3000'), (804, 3, '{3000:1e-30}/3000');
SELECT count(*) FILTER (WHERE l2_norm(v) = 0) AS zero, min(pg_column_size(v)) AS least, max(pg_column_size(v)) AS most FROM narrow;
CREATE TABLE wide (id int, v sparsevec(1000000000));
INSERT INTO wide SELECT i, sparse(i, 30, 1000000000) FROM generate_series(1, 200) i;

--
-- Every class: all rows, in exact order
--

CREATE INDEX narrow_l2 ON narrow USING hnsw (v sparsevec_l2_ops);
CREATE INDEX wide_l2 ON wide USING hnsw (v sparsevec_l2_ops);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM narrow ORDER BY v <-> '{1:1}/3000' LIMIT 5;
RESET enable_seqscan;
SELECT * FROM compare('SELECT v <-> sparse(7, 40, 3000) FROM narrow WHERE v IS NOT NULL ORDER BY v <-> sparse(7, 40, 3000)');
SELECT * FROM compare('SELECT v <-> ''{}/3000'' FROM narrow WHERE v IS NOT NULL ORDER BY v <-> ''{}/3000''');
SELECT * FROM compare('SELECT v <-> sparse(7, 40, 1000000000) FROM wide ORDER BY v <-> sparse(7, 40, 1000000000)');
SELECT avg(found_part('narrow', '<->', i, 10)) > 0.95 AS found FROM generate_series(1001, 1040) i;
SELECT * FROM violations;
DROP INDEX narrow_l2, wide_l2;

-- the inner product is no distance, so its graph is built by another
CREATE INDEX narrow_ip ON narrow USING hnsw (v sparsevec_ip_ops);
SELECT * FROM compare('SELECT v <#> sparse(7, 40, 3000) FROM narrow WHERE v IS NOT NULL ORDER BY v <#> sparse(7, 40, 3000)');
SELECT * FROM compare('SELECT v <#> ''{}/3000'' FROM narrow WHERE v IS NOT NULL ORDER BY v <#> ''{}/3000''');
SELECT avg(found_part('narrow', '<#>', i, 10)) > 0.95 AS found FROM generate_series(1001, 1040) i;
SELECT * FROM violations;
DROP INDEX narrow_ip;

-- zero vectors have no direction: they are not indexed, and as a query they
-- give all that is, in any order
CREATE INDEX narrow_cosine ON narrow USING hnsw (v sparsevec_cosine_ops);
SELECT * FROM compare('SELECT v <=> sparse(7, 40, 3000) FROM narrow WHERE l2_norm(v) > 0 ORDER BY v <=> sparse(7, 40, 3000)');
SELECT avg(found_part('narrow', '<=>', i, 10)) > 0.95 AS found FROM generate_series(1001, 1040) i;
SET enable_seqscan = off;
SELECT count(*), count(*) FILTER (WHERE l2_norm(v) = 0) AS zero FROM (SELECT v FROM narrow ORDER BY v <=> '{1:1}/3000') t;
SELECT count(*) FROM (SELECT v FROM narrow ORDER BY v <=> '{}/3000') t;
SELECT count(*) FROM (SELECT v FROM narrow ORDER BY v <=> NULL) t;
-- squares that float4 cannot hold: where the distance is NaN, the row is last
INSERT INTO narrow VALUES (805, 4, '{2:1e-40}/3000'), (806, 5, '{1:3e38,2:3e38}/3000');
SELECT count(*) FROM (SELECT FROM narrow ORDER BY v <=> '{1:1}/3000') t;
SELECT id, v <=> '{1:1}/3000' AS distance FROM (SELECT id, v FROM narrow ORDER BY v <=> '{1:1}/3000' OFFSET 801) t ORDER BY id;
DELETE FROM narrow WHERE id > 804;
RESET enable_seqscan;
SELECT * FROM violations;
DROP INDEX narrow_cosine;

CREATE INDEX narrow_l1 ON narrow USING hnsw (v sparsevec_l1_ops);
SELECT * FROM compare('SELECT v <+> sparse(7, 40, 3000) FROM narrow WHERE v IS NOT NULL ORDER BY v <+> sparse(7, 40, 3000)');
SELECT avg(found_part('narrow', '<+>', i, 10)) > 0.95 AS found FROM generate_series(1001, 1040) i;
SELECT * FROM violations;
DROP INDEX narrow_l1;

--
-- Conditions, inserts, deletions
--

CREATE INDEX narrow_l2 ON narrow USING hnsw (v sparsevec_l2_ops);
CREATE INDEX narrow_cosine ON narrow USING hnsw (v sparsevec_cosine_ops) WHERE kind = 3;
SELECT * FROM compare('SELECT v <-> sparse(7, 40, 3000) FROM narrow WHERE kind = 4 ORDER BY v <-> sparse(7, 40, 3000) LIMIT 20');
SELECT * FROM compare('SELECT v <-> sparse(7, 40, 3000) FROM narrow WHERE id % 100 = 99 ORDER BY v <-> sparse(7, 40, 3000) LIMIT 20');
SELECT * FROM compare('SELECT v <=> sparse(7, 40, 3000) FROM narrow WHERE kind = 3 AND l2_norm(v) > 0 ORDER BY v <=> sparse(7, 40, 3000)');

INSERT INTO narrow SELECT i, i % 10, sparse(i, 30 + i % 21, 3000) FROM generate_series(901, 1100) i;
-- one value in many rows
INSERT INTO narrow SELECT i, 11, '{1:1,3000:2}/3000' FROM generate_series(1101, 1140) i;
SELECT * FROM violations;
SELECT * FROM compare('SELECT v <-> sparse(7, 40, 3000) FROM narrow WHERE v IS NOT NULL ORDER BY v <-> sparse(7, 40, 3000)');
SET enable_seqscan = off;
SELECT count(*), min(kind), max(kind) FROM (SELECT kind FROM narrow ORDER BY v <-> '{1:1,3000:2}/3000' LIMIT 40) t;
RESET enable_seqscan;

DELETE FROM narrow WHERE id % 3 = 0;
UPDATE narrow SET v = sparse(id + 5000, 40, 3000) WHERE id % 7 = 0;
VACUUM narrow;
SELECT * FROM violations;
SELECT * FROM compare('SELECT v <-> sparse(7, 40, 3000) FROM narrow WHERE v IS NOT NULL ORDER BY v <-> sparse(7, 40, 3000)');
SELECT * FROM compare('SELECT v <=> sparse(7, 40, 3000) FROM narrow WHERE kind = 3 AND l2_norm(v) > 0 ORDER BY v <=> sparse(7, 40, 3000)');
-- freed slots are used again
SELECT pg_relation_size('narrow_l2') AS before \gset
INSERT INTO narrow SELECT i, i % 10, sparse(i, 30 + i % 21, 3000) FROM generate_series(2001, 2100) i;
SELECT pg_relation_size('narrow_l2') = :before AS same_size;
SELECT * FROM violations;

DELETE FROM narrow;
VACUUM narrow;
SELECT * FROM compare('SELECT v <-> ''{}/3000'' FROM narrow ORDER BY v <-> ''{}/3000''');
INSERT INTO narrow SELECT i, i % 10, sparse(i, 20, 3000) FROM generate_series(1, 100) i;
SELECT * FROM compare('SELECT v <-> sparse(7, 40, 3000) FROM narrow ORDER BY v <-> sparse(7, 40, 3000)');
SELECT * FROM violations;
DROP TABLE narrow;

-- into an index that was empty, and one for unlogged data
CREATE UNLOGGED TABLE late (v sparsevec(100));
CREATE INDEX late_v ON late USING hnsw (v sparsevec_ip_ops);
INSERT INTO late SELECT sparse(i, 20, 100) FROM generate_series(1, 300) i;
SELECT * FROM compare('SELECT v <#> sparse(7, 20, 100) FROM late ORDER BY v <#> sparse(7, 20, 100)');
SELECT * FROM violations;
DROP TABLE late;

--
-- Limits
--

-- 1000 elements in the index, more in the table or the query
CREATE FUNCTION elements(n int) RETURNS sparsevec LANGUAGE sql IMMUTABLE AS $$
	SELECT ('{' || string_agg(i * 2 || ':' || i % 5 + 1, ',') || '}/1000000000')::sparsevec FROM generate_series(1, n) i
$$;
INSERT INTO wide VALUES (1000, elements(1000));
CREATE INDEX wide_l2 ON wide USING hnsw (v sparsevec_l2_ops);
INSERT INTO wide VALUES (1001, elements(999)), (1002, elements(1000));
SELECT e.* FROM error_of('INSERT INTO wide VALUES (1003, elements(1001))') AS e;
SELECT * FROM compare('SELECT v <-> elements(1000) FROM wide ORDER BY v <-> elements(1000)');
SELECT * FROM compare('SELECT v <-> elements(16000) FROM wide ORDER BY v <-> elements(16000)');
SET enable_seqscan = off;
SELECT id FROM wide ORDER BY v <-> elements(1000), id LIMIT 3;
RESET enable_seqscan;
SELECT * FROM violations;
DROP INDEX wide_l2;
INSERT INTO wide VALUES (1003, elements(1001));
SELECT op, e.code, e.message, e.detail, e.hint FROM unnest(ARRAY['l2', 'ip', 'cosine', 'l1']) op,
	error_of(format('CREATE INDEX ON wide USING hnsw (v sparsevec_%s_ops)', op)) AS e;
-- a table may hold what the index leaves out
CREATE INDEX wide_part ON wide USING hnsw (v sparsevec_l2_ops) WHERE id < 1003;
SELECT count(*) FROM wide;
SELECT * FROM violations;
DROP TABLE wide;

-- long values among short ones: a node keeps their largest elements only, and
-- what it announces must not be above the distance, whatever the class
CREATE TABLE mixed (id int, v sparsevec(3000));
INSERT INTO mixed SELECT i, sparse(i, CASE WHEN i % 40 = 0 THEN 200 + i ELSE 20 END, 3000) FROM generate_series(1, 700) i;
INSERT INTO mixed SELECT 700 + i, (SELECT '{' || string_agg(j || ':' || 1 + (j = i)::int, ',') || '}/3000' FROM generate_series(1, 900) j)::sparsevec
	FROM generate_series(1, 9) i;
-- different, but what is kept of them is the same, and so is the norm of the rest
INSERT INTO mixed SELECT 710 + i, (SELECT '{' || string_agg(j || ':' || CASE WHEN j <= 50 THEN 9 WHEN j = 100 + i THEN 2 ELSE 1 END, ',') || '}/3000'
	FROM generate_series(1, 150) j)::sparsevec FROM generate_series(1, 9) i;
SELECT min(pg_column_size(v)) AS least, max(pg_column_size(v)) AS most FROM mixed;
CREATE FUNCTION check_mixed(class text, operator text, OUT kept int, OUT query int, OUT rows bigint, OUT complete boolean, OUT ordered boolean)
RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE INDEX mixed_v ON mixed USING hnsw (v %I)', class);
	kept := (SELECT value::int FROM hnsw_metapage('mixed_v') WHERE name = 'kept_bytes');
	FOREACH query IN ARRAY ARRAY[7, 40, 705, 715] LOOP
		SELECT c.* INTO rows, complete, ordered FROM compare(format('SELECT v %1$s %2$L FROM mixed ORDER BY v %1$s %2$L', operator,
			(SELECT v FROM mixed WHERE id = query))) c;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT * FROM check_mixed('sparsevec_ip_ops', '<#>');
SELECT * FROM violations;
DROP INDEX mixed_v;
SELECT * FROM check_mixed('sparsevec_cosine_ops', '<=>');
SELECT * FROM violations;
DROP INDEX mixed_v;
SELECT * FROM check_mixed('sparsevec_l1_ops', '<+>');
SELECT * FROM violations;
DROP INDEX mixed_v;
SELECT * FROM check_mixed('sparsevec_l2_ops', '<->');
-- rows that come later are cut to the same size
INSERT INTO mixed SELECT 720 + i, sparse(i + 2000, i * 30, 3000) FROM generate_series(1, 33) i;
SELECT * FROM compare('SELECT v <-> sparse(2033, 990, 3000) FROM mixed ORDER BY v <-> sparse(2033, 990, 3000)');
SELECT * FROM violations;
DROP TABLE mixed;

-- dimensions
CREATE TABLE loose (v sparsevec, w sparsevec(3));
SELECT e.* FROM error_of('CREATE INDEX ON loose USING hnsw (v sparsevec_l2_ops)') AS e;
SELECT e.* FROM error_of('CREATE INDEX ON loose USING hnsw (w vector_l2_ops)') AS e;
SELECT e.* FROM error_of('CREATE INDEX ON loose USING ivfflat (w sparsevec_l2_ops)') AS e;
INSERT INTO loose VALUES ('{1:1}/3', '{1:1}/3');
CREATE INDEX loose_expression ON loose USING hnsw ((v::sparsevec(3)) sparsevec_l2_ops);
SELECT pg_get_indexdef('loose_expression'::regclass);
SELECT e.* FROM error_of('INSERT INTO loose (v) VALUES (''{1:1}/4'')') AS e;
SET enable_seqscan = off;
SELECT v FROM loose ORDER BY v::sparsevec(3) <-> '{2:1}/3';
SELECT e.* FROM error_of('SELECT FROM loose ORDER BY v::sparsevec(3) <-> ''{1:1}/4''') AS e;
RESET enable_seqscan;
SELECT * FROM violations;
DROP TABLE loose;

-- what dense data become: a vector column indexed as sparse
CREATE TABLE dense (v vector(16));
INSERT INTO dense SELECT sparse(i, 10, 16)::vector FROM generate_series(1, 300) i;
CREATE INDEX dense_sparse ON dense USING hnsw ((v::sparsevec(16)) sparsevec_l2_ops);
SELECT * FROM compare('SELECT v::sparsevec(16) <-> sparse(7, 9, 16) FROM dense ORDER BY v::sparsevec(16) <-> sparse(7, 9, 16)');
SELECT * FROM violations;
DROP TABLE dense;

DROP VIEW violations;
DROP FUNCTION sparse, elements, error_of, compare, found_part, check_mixed;

-- Few dimensions: no codes stand for the vectors, and the nearest are found under
-- every operator, inner product and L1 among them.
CREATE TABLE few (id int, x sparsevec(3), y sparsevec(80));
INSERT INTO few SELECT i,
	array[(i * 7919) % 1009 - 504, (i * i * 31) % 997 - 498, (i * i % 9973 * i) % 991 - 495]::real[]::vector::sparsevec,
	array(SELECT CASE WHEN (i + j) % 5 = 0 THEN (i * 7919 + j * j * 31) % 211 - 105 ELSE 0 END
		FROM generate_series(1, 80) j)::real[]::vector::sparsevec
	FROM generate_series(1, 2000) i;
CREATE TABLE asked AS SELECT id, x FROM few WHERE id % 80 = 0;

CREATE FUNCTION few_found(operator text, OUT hits bigint, OUT form text) LANGUAGE plpgsql AS $$
DECLARE
	list text := format('SELECT array_agg(d) AS d FROM asked q, LATERAL '
						'(SELECT few.x %s q.x AS d FROM few ORDER BY 1 LIMIT 10) s GROUP BY q.id ORDER BY q.id', operator);
	ours float8[];
	exact float8[];
BEGIN
	SET LOCAL enable_indexscan = off;
	EXECUTE format('SELECT array_agg(d) FROM (%s) s', list) INTO exact;
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_seqscan = off;
	EXECUTE format('SELECT array_agg(d) FROM (%s) s', list) INTO ours;
	hits := (SELECT count(*) FROM generate_series(1, 25) i, generate_series(1, 10) j WHERE ours[i][j] <= exact[i][10]);
	form := (SELECT value FROM hnsw_metapage('few_x') WHERE name = 'own_kind');
	SET LOCAL enable_seqscan = on;
END $$;

-- of 250
CREATE INDEX few_x ON few USING hnsw (x sparsevec_ip_ops);
SELECT hits >= 245 AS enough, form FROM few_found('<#>');
SELECT * FROM hnsw_index_check('few_x', true, true);
DROP INDEX few_x;
CREATE INDEX few_x ON few USING hnsw (x sparsevec_l1_ops);
SELECT hits >= 245 AS enough, form FROM few_found('<+>');
SELECT * FROM hnsw_index_check('few_x', true, true);
DROP INDEX few_x;
CREATE INDEX few_x ON few USING hnsw (x sparsevec_l2_ops);
SELECT hits >= 245 AS enough, form FROM few_found('<->');
SELECT * FROM hnsw_index_check('few_x', true, true);
DROP INDEX few_x;
CREATE INDEX few_x ON few USING hnsw (x sparsevec_cosine_ops);
SELECT hits >= 245 AS enough, form FROM few_found('<=>');
SELECT * FROM hnsw_index_check('few_x', true, true);
DROP INDEX few_x;

-- elements that the codes know, but L1 of more dimensions is kept beside them
CREATE INDEX few_x ON few USING hnsw (y sparsevec_l1_ops);
SELECT value FROM hnsw_metapage('few_x') WHERE name = 'own_kind';
SELECT * FROM hnsw_index_check('few_x', true, true);
DROP TABLE few, asked;
DROP FUNCTION few_found;

-- Values that are nearer to a few than to any other: lists of those few are full,
-- and what leaves one for a new value must still be found.
CREATE TABLE star (id int, x sparsevec(1000));
CREATE INDEX star_x ON star USING hnsw (x sparsevec_l2_ops);
INSERT INTO star SELECT i, format('{%s:%s}/1000', i, 1e-4 * (1 + i % 77))::sparsevec FROM generate_series(1, 999) i;
SELECT * FROM hnsw_index_check('star_x', true, true);
DROP TABLE star;
