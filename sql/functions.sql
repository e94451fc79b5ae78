--
-- functions: what there is beyond pgvector
--
-- Data are small integers; plans and scans do not depend on chance, for the
-- searches look ahead farther than there are rows.
--

SET client_min_messages = warning;

-- ---------- raw bytes ----------

SELECT vector_from_bytea('\x0000803f000000c0'), vector_from_bytea('\x3f800000c0000000', 'big');
SELECT vector_to_bytea('[1,-2]'), vector_to_bytea('[1,-2]', 'big');
SELECT halfvec_from_bytea('\x003c00c0'), halfvec_from_bytea('\x3c00c000', endian => 'big');
SELECT halfvec_to_bytea('[1,-2]'), halfvec_to_bytea('[1,-2]', 'big');
-- there and back, -0 and denormals included; also of a value stored out of line
SELECT vector_from_bytea(vector_to_bytea('[-0,1e-45,3.4028235e38]'), 'little'),
	halfvec_from_bytea(halfvec_to_bytea('[-0,6e-8,65504]', 'big'), 'big');
CREATE TABLE t (v vector(16000));
INSERT INTO t SELECT array_agg(i)::vector FROM generate_series(1, 16000) i;
SELECT vector_from_bytea(vector_to_bytea(v)) = v AS same, length(vector_to_bytea(v)) FROM t;
DROP TABLE t;
SELECT vector_from_bytea(NULL), vector_to_bytea('[1]', NULL);
-- refused
SELECT vector_from_bytea('\x0000803f00');
SELECT halfvec_from_bytea('\x003c00');
SELECT vector_from_bytea('');
SELECT vector_from_bytea('\x0000c07f');
SELECT vector_from_bytea('\x000080ff');
SELECT halfvec_from_bytea('\x007c');
SELECT vector_from_bytea(decode(repeat('00', 4 * 16001), 'hex'));
SELECT vector_from_bytea('\x00000000', 'middle');
\set VERBOSITY sqlstate
SELECT vector_from_bytea('\x00');
\set VERBOSITY default
-- there is no cast
SELECT '\x00000000'::bytea::vector;

-- ---------- rank fusion ----------

SELECT rrf_score(1) = 1.0 / 61 AS one, rrf_score(0) = 1.0 / 60 AS zero, rrf_score(3, 5), rrf_score(NULL), rrf_score(1, NULL);
SELECT rrf_score(-1);
SELECT rrf_score(1, 0);
SELECT rrf_score(1, 'NaN');
SELECT rrf_score(1, 'infinity');
-- example: hybrid search by a full join
WITH words(id, rank) AS (VALUES ('a', 1), ('b', 2)), meanings(id, rank) AS (VALUES ('b', 1), ('c', 2))
SELECT id, round((rrf_score(w.rank) + rrf_score(m.rank))::numeric, 6) AS score
	FROM words w FULL JOIN meanings m USING (id) ORDER BY score DESC, id;
-- example: the same by UNION ALL, with weights
WITH ranked(id, rank, weight) AS (VALUES ('a', 1, 0.3), ('b', 2, 0.3), ('b', 1, 0.7), ('c', 2, 0.7))
SELECT id, round(rrf(rank, 60, weight)::numeric, 6) AS score FROM ranked GROUP BY id ORDER BY score DESC, id;
SELECT rrf(NULL, 60, 1) AS nothing, (SELECT rrf(1, 60, 1) WHERE false) AS no_rows,
	rrf(1, 1, NULL) AS no_weight, rrf(1, NULL, 1) AS no_k;
SELECT rrf(-1, 60, 1);

-- ---------- the k nearest ----------

SELECT nearest_agg(i, abs(i - 5), 3), nearest_agg('id ' || i, -i, 2), nearest_agg_json(i, i / 2.0::float8, 2)
	FROM generate_series(1, 10) i;
-- fewer than k; NULL and NaN distances; a NULL id; equal distances in order
SELECT nearest_agg(id, d, 10), nearest_agg_json(id, d, 10)
	FROM (VALUES (1, 2.0::float8), (2, NULL), (3, 'NaN'), (NULL, 1), (5, 'infinity'), (6, 2), (7, 2)) v (id, d);
SELECT nearest_agg(id, 0, 2) FROM (VALUES ('x'), ('y'), ('z')) v (id);
SELECT nearest_agg(1, 1, 1) FILTER (WHERE false), nearest_agg(1, NULL, 1), nearest_agg_json(1, 'NaN', 1);
SELECT nearest_agg_json(id, d, 3) FROM (VALUES ('2020-01-02'::date, 1.5), ('2020-01-01', 0.25)) v (id, d);
SELECT nearest_agg_json(id, 1, 1) FROM (VALUES ('a "quoted" \ name')) v (id);
SELECT pg_typeof(nearest_agg(1::bigint, 1, 1)), pg_typeof(nearest_agg('x'::text, 1, 1));
SELECT nearest_agg(1, 1, 0);
SELECT nearest_agg(1, 1, NULL);
-- example: the two nearest of each tenant, and of several queries at once
CREATE TABLE t (id int, tenant text, v vector(2));
INSERT INTO t SELECT i, chr(97 + i % 3), ARRAY[i, i % 7] FROM generate_series(1, 30) i;
SELECT tenant, nearest_agg(id, v <-> '[10,3]', 2), nearest_agg(id, v <-> '[10,3]', 1) FILTER (WHERE id > 20)
	FROM t GROUP BY tenant ORDER BY tenant;
SELECT n, nearest_agg(id, v <-> q, 2) FROM unnest('{"[1,1]","[29,1]"}'::vector[]) WITH ORDINALITY u (q, n), t GROUP BY n ORDER BY n;
-- each row of a window
SELECT id, nearest_agg(id, -id, 2) OVER (ORDER BY id) FROM t WHERE id < 5;
-- the same in parallel, with ids by reference and NULL
CREATE TABLE many (id text, d float8);
INSERT INTO many SELECT CASE WHEN i % 1000 > 0 THEN repeat('x', i % 40) || i END, (i * 7919) % 20000 FROM generate_series(1, 20000) i;
CREATE TABLE answer AS SELECT nearest_agg(id, d, 500) AS ids, nearest_agg_json(id, d, 500) AS json FROM many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT nearest_agg(id, d, 500) FROM many;
SELECT (SELECT nearest_agg(id, d, 500) FROM many) = ids AS same, (SELECT nearest_agg_json(id, d, 500) FROM many) = json AS same_json FROM answer;
SELECT round(rrf(d::bigint, 60, 1)::numeric, 6) FROM many;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
DROP TABLE many, answer, t;

-- ---------- maximal marginal relevance ----------

-- a and b are the same; c is less near, but different
CREATE TABLE t (id text, e vector(2));
INSERT INTO t VALUES ('a', '[1,0]'), ('b', '[2,0]'), ('c', '[0.8,0.6]'), ('d', '[0,1]'), ('zero', '[0,0]');
SELECT mmr(id, e, '[1,0]', 3, 1) AS only_near, mmr(id, e, '[1,0]', 3, 0.5) AS both, mmr(id, e, '[1,0]', 3, 0) AS only_unlike FROM t;
SELECT mmr(id, e, '[1,0]', 9, 0.5), mmr(id, e, '[1,0]', 1, 0.5) FROM t;
-- a, then d; then a again is unlike d, which is all that 'last' looks at
SELECT mmr(id, e, '[1,0]', 4, 0.3, 'max') AS max, mmr(id, e, '[1,0]', 4, 0.3, 'last') AS last FROM t;
SELECT mmr(id, e, '[1,0]', 4, 0.3, 'max') = mmr(id, e, '[1,0]', 4, 0.3) AS same FROM t;
-- passed over
SELECT mmr(id, NULL, '[1,0]', 2, 0.5), mmr(id, e, NULL, 2, 0.5), mmr(id, e, '[1,0]', 2, 0.5) FILTER (WHERE false) FROM t;
SELECT mmr(NULLIF(id, 'a'), e, '[1,0]', 2, 1) FROM t;
SELECT id, mmr(id, e, '[1,0]', 2, 0.5) OVER (ORDER BY id) FROM t;
-- example: ten of the fifty nearest
SELECT unnest(mmr(id, e, '[1,0]', 10, 0.5)) AS id FROM (SELECT id, e FROM t ORDER BY e <=> '[1,0]' LIMIT 50) near;
SELECT mmr(id, e, '[1,0,0]', 2, 0.5) FROM t;
SELECT mmr(id, e, '[1,0]', 0, 0.5) FROM t;
SELECT mmr(id, e, '[1,0]', 2, 1.5) FROM t;
SELECT mmr(id, e, '[1,0]', 2, 'NaN') FROM t;
SELECT mmr(id, e, '[1,0]', NULL, 0.5) FROM t;
SELECT mmr(id, e, '[1,0]', 2, NULL) FROM t;
SELECT mmr(id, e, '[1,0]', 2, 0.5, 'min') FROM t;
SELECT mmr(id, e, '[1,0]', 2, 0.5, NULL) FROM t;
SELECT mmr(1, e, '[1,0]', 2, 0.5) FROM (VALUES ('[1,0]'::vector), ('[1,0,0]')) v (e);
DROP TABLE t;

-- ---------- late interaction ----------

-- example: 1 * 3 of the first query vector, 2 * 4 of the second
SELECT maxsim(ARRAY['[1,0]','[0,2]']::vector[], ARRAY['[3,0]','[0,4]','[1,1]']::vector[]);
SELECT maxsim(ARRAY['[1,0]','[0,2]']::halfvec[], ARRAY['[3,0]','[0,4]','[1,1]']::halfvec[]);
SELECT maxsim('{"[1,1]"}'::vector[], '{"[-1,-2]","[-1,-1]"}'), maxsim('{}'::vector[], '{"[1]"}'), maxsim('{"[1]"}'::vector[], '{}'),
	maxsim(NULL::vector[], '{}');
SELECT maxsim('{"[1,2]"}'::vector[], '{"[1]"}');
SELECT maxsim('{"[1]"}'::halfvec[], '{"[1]","[1,2]"}');
SELECT maxsim('{{"[1]"}}'::vector[], '{"[1]"}');
SELECT maxsim('{"[1]"}'::vector[], '{NULL,"[1]"}');

-- ---------- recall ----------

CREATE TABLE t (id int, v vector(4), flag boolean, secret int);
INSERT INTO t SELECT i, ARRAY[i % 11, i % 13, i % 17, i % 19], i % 2 = 0, i FROM generate_series(1, 400) i;
INSERT INTO t VALUES (401, NULL), (402, '[0,0,0,0]');
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_partial ON t USING hnsw (v vector_l1_ops) WHERE flag;
CREATE INDEX t_half ON t USING hnsw ((v::halfvec(4)) halfvec_ip_ops);
CREATE INDEX t_ivf ON t USING ivfflat (v) WITH (lists = 4);
-- example
SELECT recall_avg, recall_p5, recall_min, index_ms > 0 AS index_ms, exact_ms > 0 AS exact_ms FROM vector_recall('t_l2', ef_search => 1000);
SELECT recall_avg, recall_min FROM vector_recall('t_l2', 1, 500, 1000);
SELECT recall_avg, recall_min FROM vector_recall('t_cosine', 20, 500, 1000);
SELECT recall_avg, recall_min FROM vector_recall('t_partial', 1000, 10, 1000);
SELECT recall_avg, recall_min FROM vector_recall('t_half', ef_search => 1000);
SET ivfflat.probes = 4;
SELECT recall_avg, recall_min FROM vector_recall('t_ivf');
RESET ivfflat.probes;
-- it does measure: a scan that ends after one row finds at most one of ten
SET hnsw.iterative_scan = off;
SELECT recall_avg < 0.11 AS low, recall_p5 <= 0.1 AS low_p5, recall_min <= 0.1 AS low_min FROM vector_recall('t_l2', 10, 50, 1);
SET hnsw.ef_search = 1;
SELECT recall_avg < 0.11 AS low FROM vector_recall('t_l2', 10, 50);
SELECT recall_avg FROM vector_recall('t_l2', 10, 50, 1000);
SHOW hnsw.ef_search;
SHOW enable_seqscan;
SELECT current_user = session_user AS same_user;
RESET hnsw.ef_search;
RESET hnsw.iterative_scan;
-- whatever the settings of the planner, and the search path
SET enable_indexscan = off;
SET search_path = '';
SELECT recall_avg FROM public.vector_recall('public.t_partial', ef_search => 1000);
RESET search_path;
RESET enable_indexscan;
-- nothing to search for
CREATE TABLE empty (v vector(2));
CREATE INDEX empty_v ON empty USING hnsw (v vector_cosine_ops);
SELECT * FROM vector_recall('empty_v');
INSERT INTO empty VALUES ('[0,0]'), (NULL);
SELECT * FROM vector_recall('empty_v');
DROP TABLE empty;
-- names that need quotes
CREATE SCHEMA "odd "" schema";
CREATE TABLE "odd "" schema"."a table; --" ("select ""v""" vector(2));
INSERT INTO "odd "" schema"."a table; --" SELECT ARRAY[i, i % 5] FROM generate_series(1, 40) i;
CREATE INDEX "an 'index'" ON "odd "" schema"."a table; --" USING hnsw ("select ""v""" vector_l2_ops) WHERE "select ""v""" <> '[1,1]';
SELECT recall_avg FROM vector_recall('"odd "" schema"."an ''index''"', ef_search => 1000);
SELECT count(*) > 0 AS found FROM vector_duplicates('"odd "" schema"."an ''index''"', 1.5);
DROP SCHEMA "odd "" schema" CASCADE;
-- refused
SELECT vector_recall('t');
SELECT vector_recall('pg_class_oid_index');
SELECT vector_recall('t_l2', 0);
SELECT vector_recall('t_l2', 10, 0);
SELECT vector_recall('t_l2', 10, 10, 10001);
SELECT vector_recall('t_ivf', 10, 10, 100);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_l2'::regclass;
SELECT vector_recall('t_l2');
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 't_l2'::regclass;

-- ---------- near duplicates ----------

CREATE TABLE d (id int PRIMARY KEY, v vector(3));
INSERT INTO d VALUES (1, '[0,0,0]'), (2, '[0,0,1]'), (3, '[0,0,1]'), (4, '[5,0,0]'), (5, '[5,0,2]'), (6, '[9,9,9]'), (7, NULL), (8, '[0,0,1]');
CREATE INDEX d_v ON d USING hnsw (v vector_l2_ops);
-- rows with equal vectors are one element
SELECT level, elements FROM hnsw_levels('d_v');
-- example: which rows are the same or nearly so?
SELECT a.id, b.id, distance FROM vector_duplicates('d_v', 1.5) JOIN d a ON a.ctid = ctid1 JOIN d b ON b.ctid = ctid2 ORDER BY 1, 2;
SELECT a.id, b.id, distance FROM vector_duplicates('d_v', 1) JOIN d a ON a.ctid = ctid1 JOIN d b ON b.ctid = ctid2 ORDER BY 1, 2;
SELECT count(*), bool_and(ctid1 < ctid2) AS in_order FROM vector_duplicates('d_v', 'infinity');
SELECT count(*) FROM vector_duplicates('d_v', 0);
SELECT count(*) FROM vector_duplicates('d_v', 'NaN');
SELECT count(*) FROM vector_duplicates('d_v', 100, 4);
SELECT vector_duplicates('d_v', 1, -1);
-- what the statement sees: rows that have moved, gone or changed
UPDATE d SET id = 30 WHERE id = 3;
DELETE FROM d WHERE id = 8;
UPDATE d SET v = '[9,9,8.5]' WHERE id = 4;
SELECT a.id, b.id, distance FROM vector_duplicates('d_v', 1.5) JOIN d a ON a.ctid = ctid1 JOIN d b ON b.ctid = ctid2 ORDER BY 1, 2;
BEGIN;
DELETE FROM d WHERE id = 2;
SELECT a.id, b.id, distance FROM vector_duplicates('d_v', 1.5) JOIN d a ON a.ctid = ctid1 JOIN d b ON b.ctid = ctid2 ORDER BY 1, 2;
ROLLBACK;
-- many rows of one vector, by several operators; against a join
INSERT INTO d SELECT 100 + i, ARRAY[i % 5 + 1, i % 3, 7] FROM generate_series(1, 300) i;
CREATE INDEX d_cosine ON d USING hnsw (v vector_cosine_ops);
CREATE INDEX d_ip ON d USING hnsw (v vector_ip_ops);
CREATE INDEX d_l1 ON d USING hnsw (v vector_l1_ops);
CREATE INDEX d_half ON d USING hnsw ((v::halfvec(3)) halfvec_l2_ops) WHERE id > 200;
CREATE INDEX d_ivf ON d USING ivfflat (v) WITH (lists = 2);
CREATE TABLE pairs AS SELECT a.ctid AS ctid1, b.ctid AS ctid2, a.v <-> b.v AS l2, a.v <=> b.v AS cosine, a.v <#> b.v AS ip, a.v <+> b.v AS l1, a.id > 200 AND b.id > 200 AS part
	FROM d a JOIN d b ON a.ctid < b.ctid;
SELECT count(*) FROM pairs WHERE l2 < 1.2;
SELECT * FROM vector_duplicates('d_v', 1.2) EXCEPT ALL SELECT ctid1, ctid2, l2 FROM pairs WHERE l2 < 1.2;
SELECT ctid1, ctid2, l2 FROM pairs WHERE l2 < 1.2 EXCEPT ALL SELECT * FROM vector_duplicates('d_v', 1.2);
SELECT ctid1, ctid2, cosine FROM pairs WHERE cosine < 0.01 EXCEPT ALL SELECT * FROM vector_duplicates('d_cosine', 0.01);
SELECT ctid1, ctid2, ip FROM pairs WHERE ip < -80 EXCEPT ALL SELECT * FROM vector_duplicates('d_ip', -80);
SELECT ctid1, ctid2, l1 FROM pairs WHERE l1 < 1.2 EXCEPT ALL SELECT * FROM vector_duplicates('d_l1', 1.2);
SELECT ctid1, ctid2, l2 FROM pairs WHERE l2 < 1.2 AND part EXCEPT ALL SELECT * FROM vector_duplicates('d_half', 1.2);
SELECT count(*) FROM vector_duplicates('d_half', 1.2) EXCEPT SELECT count(*) FROM pairs WHERE l2 < 1.2 AND part;
SELECT ctid1, ctid2, l2 FROM pairs WHERE l2 < 1.2 EXCEPT ALL SELECT * FROM vector_duplicates('d_ivf', 1.2);
DROP TABLE pairs;
-- equal vectors are found even where an insert has not found the first one's
-- node, as happens with inner products
CREATE TABLE twins (id int, v vector(2000));
INSERT INTO twins SELECT i, (SELECT array_agg(cos(i % 250 * j)) FROM generate_series(1, 2000) j)::vector FROM generate_series(1, 500) i;
CREATE INDEX twins_v ON twins USING hnsw (v vector_ip_ops);
SELECT count(*) FROM vector_duplicates('twins_v', -900) JOIN twins a ON a.ctid = ctid1 JOIN twins b ON b.ctid = ctid2 WHERE a.id % 250 = b.id % 250;
DROP TABLE twins;

-- ---------- levels and neighbours ----------

SELECT level, elements BETWEEN 1 AND 21 AS elements, avg_degree BETWEEN 0 AND 20 AS degree FROM hnsw_levels('d_v');
SELECT level, elements > 0 AS elements, avg_degree > 1 AS linked FROM hnsw_levels('t_l2');
-- of a line of points: those beside
CREATE TABLE line (x int, v vector(1));
INSERT INTO line SELECT i, ARRAY[i] FROM generate_series(1, 20) i;
CREATE INDEX line_v ON line USING hnsw (v vector_l2_ops) WITH (m = 2);
-- example
SELECT x FROM hnsw_neighbors('line_v', (SELECT ctid FROM line WHERE x = 1)) n JOIN line ON line.ctid = n ORDER BY abs(x - 1) LIMIT 1;
SELECT bool_and(x <> 10) AS not_itself, count(*) > 1 AS some FROM hnsw_neighbors('line_v', (SELECT ctid FROM line WHERE x = 10)) n JOIN line ON line.ctid = n;
-- nearest first
SELECT array_agg(abs(x - 10) ORDER BY n) = array_agg(abs(x - 10) ORDER BY abs(x - 10)) AS in_order
	FROM hnsw_neighbors('line_v', (SELECT ctid FROM line WHERE x = 10)) WITH ORDINALITY h (tid, n) JOIN line ON line.ctid = tid;
-- a row that has moved is found where it is, and so are its neighbours
UPDATE line SET x = x + 0;
SELECT count(*) > 1 AS some FROM hnsw_neighbors('line_v', (SELECT ctid FROM line WHERE x = 10)) n JOIN line ON line.ctid = n;
SELECT count(*) FROM hnsw_neighbors('line_v', '(0,1)');
SELECT count(*) FROM hnsw_neighbors('line_v', '(1000,1)');
SELECT count(*) FROM hnsw_neighbors('line_v', (SELECT ctid FROM line WHERE x = 10), 1);
SELECT hnsw_neighbors('line_v', '(0,1)', 2);
SELECT hnsw_neighbors('line_v', '(0,1)', -1);
SELECT * FROM hnsw_levels('line');

-- ---------- who may ----------

CREATE ROLE regress_vector_owner;
CREATE ROLE regress_vector_reader;
ALTER TABLE t OWNER TO regress_vector_owner;
SET ROLE regress_vector_reader;
SELECT * FROM hnsw_levels('t_l2');
SELECT * FROM hnsw_neighbors('t_l2', '(0,1)');
SELECT * FROM vector_duplicates('t_l2', 1);
SELECT * FROM vector_recall('t_l2');
RESET ROLE;
-- the columns of the index are needed, and enough but for what returns ctids
GRANT SELECT (v, id) ON t TO regress_vector_reader;
SET ROLE regress_vector_reader;
SELECT recall_avg FROM vector_recall('t_l2', ef_search => 1000);
SELECT ctid FROM t;
SELECT * FROM vector_duplicates('t_l2', 3);
SELECT * FROM hnsw_neighbors('t_l2', '(0,1)');
SELECT level FROM hnsw_levels('t_half');
SELECT recall_avg FROM vector_recall('t_partial', ef_search => 1000);
RESET ROLE;
GRANT SELECT ON t TO regress_vector_reader;
SET ROLE regress_vector_reader;
SELECT recall_avg FROM vector_recall('t_partial', ef_search => 1000);
SELECT count(*) > 0 AS found FROM vector_duplicates('t_l2', 3);
RESET ROLE;
-- expressions of an index run as the owner of the table
CREATE FUNCTION regress_who(v vector) RETURNS vector LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_user <> 'regress_vector_owner' AND current_user <> session_user THEN
		RAISE EXCEPTION 'evaluated by %', current_user;
	END IF;
	RETURN v;
END $$;
CREATE INDEX t_who ON t USING hnsw ((regress_who(v)::vector(4)) vector_l2_ops);
SET ROLE regress_vector_reader;
SELECT regress_who('[1]');
SELECT recall_avg FROM vector_recall('t_who', ef_search => 1000);
SELECT count(*) > 0 AS found FROM vector_duplicates('t_who', 3);
SELECT current_user;
RESET ROLE;
-- row security: whoever it applies to
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON t USING (id < 10);
SET ROLE regress_vector_reader;
SELECT * FROM hnsw_levels('t_l2');
SELECT * FROM hnsw_neighbors('t_l2', '(0,1)');
SELECT * FROM vector_duplicates('t_l2', 1);
SELECT * FROM vector_recall('t_l2');
SET ROLE regress_vector_owner;
SELECT recall_avg FROM vector_recall('t_l2', ef_search => 1000);
RESET ROLE;
SELECT recall_avg FROM vector_recall('t_l2', ef_search => 1000);
ALTER TABLE t FORCE ROW LEVEL SECURITY;
SELECT recall_avg FROM vector_recall('t_l2', ef_search => 1000);

SELECT * FROM hnsw_index_check('t_l2');
SELECT * FROM hnsw_index_check('d_v');
DROP TABLE t, d, line;
DROP FUNCTION regress_who;
DROP ROLE regress_vector_owner, regress_vector_reader;
