--
-- ivfflat_scan: answers, and what the settings of ivfflat do to them
--

SET client_min_messages = warning;
SET enable_seqscan = off;
SET jit = off;

-- Number i of a sequence of vectors: elements in [-1, 1) that follow from i.
CREATE FUNCTION vec(i int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, 8) j
$$;

-- Rows of t that a scan returns, if nobody stops it, and whether in order.
CREATE FUNCTION scan(OUT rows bigint, OUT in_order boolean) LANGUAGE plpgsql AS $$
DECLARE
	d float8;
	last float8 := '-infinity';
BEGIN
	rows := 0;
	in_order := true;
	FOR d IN EXECUTE 'SELECT v <-> vec(0) FROM t ORDER BY v <-> vec(0)' LOOP
		rows := rows + 1;
		in_order := in_order AND d >= last;
		last := d;
	END LOOP;
END $$;

-- Of the ten nearest rows to each of 20 vectors, the share that the index finds.
CREATE FUNCTION recall() RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	hits int := 0;
	found int[];
	exact int[];
BEGIN
	FOR q IN 1..20 LOOP
		SET LOCAL enable_indexscan = on;
		EXECUTE 'SELECT array_agg(id) FROM (SELECT id FROM t ORDER BY v <-> $1 LIMIT 10) s' INTO found USING vec(-q);
		SET LOCAL enable_indexscan = off;
		EXECUTE 'SELECT array_agg(id) FROM (SELECT id FROM t ORDER BY v <-> $1 LIMIT 10) s' INTO exact USING vec(-q);
		SELECT hits + count(*) INTO hits FROM unnest(found) f WHERE f = ANY (exact);
	END LOOP;
	SET LOCAL enable_indexscan = on;
	RETURN hits / 200.0;
END $$;

-- Blocks that a search for the ten nearest rows touches.
CREATE FUNCTION blocks() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT id FROM t ORDER BY v <-> $1 LIMIT 10' INTO plan USING vec(0);
	RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END $$;

-- ---------- an index from an empty table ----------

-- No NOTICE of little data: rows that come later are found as well as others.
CREATE TABLE t (id int, v vector(8));
SET client_min_messages = notice;
CREATE INDEX t_idx ON t USING ivfflat (v) WITH (lists = 20);
SET client_min_messages = warning;
SELECT * FROM scan();
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 2000) i;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <-> vec(0) LIMIT 10;
SELECT recall() >= 0.95 AS good;
SELECT rows FROM scan();
SELECT * FROM hnsw_index_check('t_idx', true, true);

-- few rows, then none
DELETE FROM t WHERE id > 10;
VACUUM t;
SELECT * FROM scan();
DELETE FROM t;
VACUUM t;
SELECT * FROM scan();
DROP TABLE t;

-- ---------- ivfflat.probes ----------

CREATE TABLE t (id int, v vector(8));
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 2000) i;
CREATE INDEX t_idx ON t USING ivfflat (v) WITH (lists = 20);
VACUUM ANALYZE t;

SHOW ivfflat.probes;
SELECT recall() >= 0.95 AS good;
SET ivfflat.probes = 19;
SELECT recall() >= 0.95 AS good;
SET ivfflat.probes = 20;
SELECT recall(), scan();
SET ivfflat.probes = 32768;
SELECT recall(), scan();

-- the width grows with it; 14 does not count buffers that are where they were last
CREATE TABLE width (probes int, blocks bigint);
DO $$
BEGIN
	FOR p IN 1..20 LOOP
		PERFORM set_config('ivfflat.probes', p::text, true);
		INSERT INTO width SELECT p, blocks();
	END LOOP;
END $$;
SELECT a.* FROM width a JOIN width b ON a.probes < b.probes AND a.blocks > b.blocks
	WHERE current_setting('server_version_num')::int >= 150000;
SELECT max(blocks) > 3 * min(blocks) AS grows FROM width;
DROP TABLE width;
RESET ivfflat.probes;

-- ---------- ivfflat.iterative_scan, ivfflat.max_probes ----------

-- auto: until all rows are out
SHOW ivfflat.iterative_scan;
SHOW ivfflat.max_probes;
SELECT rows FROM scan();

-- off: what so many lists would hold, but not less than the width
SET ivfflat.iterative_scan = off;
SELECT rows BETWEEN 100 AND 200 AS one_list FROM scan();
SET ivfflat.probes = 10;
SELECT rows BETWEEN 1000 AND 1200 AS half FROM scan();
SET ivfflat.probes = 20;
SELECT * FROM scan();
RESET ivfflat.probes;

-- a limit that is larger gets fewer rows
SELECT count(*) < 1000 AS short FROM (SELECT id FROM t ORDER BY v <-> vec(0) LIMIT 1000) s;

-- relaxed_order: goes on
SET ivfflat.iterative_scan = relaxed_order;
SELECT rows FROM scan();
SELECT count(*) FROM (SELECT id FROM t WHERE id % 100 = 0 ORDER BY v <-> vec(0) LIMIT 20) s;

-- max_probes ends a scan if it is set
SET ivfflat.max_probes = 5;
SELECT rows BETWEEN 500 AND 700 AS quarter FROM scan();
SET ivfflat.iterative_scan = auto;
SELECT rows BETWEEN 500 AND 700 AS quarter FROM scan();
-- less than probes is ignored
SET ivfflat.probes = 10;
SELECT rows BETWEEN 1000 AND 1200 AS half FROM scan();
SET ivfflat.max_probes = 20;
SELECT rows FROM scan();
RESET ivfflat.max_probes;
SELECT rows FROM scan();
RESET ivfflat.probes;
RESET ivfflat.iterative_scan;

-- ---------- an option of the index ----------

SET ivfflat.iterative_scan = off;
ALTER INDEX t_idx SET (probes = 10);
SELECT rows BETWEEN 1000 AND 1200 AS half FROM scan();
-- a setting goes before it, even the default value
SET ivfflat.probes = 1;
SELECT rows BETWEEN 100 AND 200 AS one_list FROM scan();
BEGIN;
SET LOCAL ivfflat.probes = 20;
SELECT rows FROM scan();
COMMIT;
SELECT rows BETWEEN 100 AND 200 AS one_list FROM scan();
RESET ivfflat.probes;
SELECT rows BETWEEN 1000 AND 1200 AS half FROM scan();
ALTER INDEX t_idx SET (probes = 20);
SELECT rows FROM scan();
ALTER INDEX t_idx RESET (probes);
SELECT rows BETWEEN 100 AND 200 AS one_list FROM scan();
RESET ivfflat.iterative_scan;

-- ---------- settings that are none of its business ----------

SET hnsw.iterative_scan = off;
SET hnsw.ef_search = 1;
SET hnsw.max_scan_tuples = 1;
SELECT rows FROM scan();
SELECT recall() >= 0.95 AS good;
RESET hnsw.iterative_scan;
RESET hnsw.ef_search;
RESET hnsw.max_scan_tuples;

DROP INDEX t_idx;
CREATE INDEX t_idx ON t USING hnsw (v vector_l2_ops);
SET ivfflat.iterative_scan = off;
SET ivfflat.probes = 20;
SET ivfflat.max_probes = 1;
SELECT rows FROM scan();
RESET ivfflat.iterative_scan;
RESET ivfflat.probes;
RESET ivfflat.max_probes;
DROP INDEX t_idx;

-- ---------- the settings themselves ----------

SELECT name, setting, vartype, min_val, max_val, enumvals, context FROM pg_settings WHERE name LIKE 'ivfflat.%' ORDER BY name;
SET ivfflat.probes = 0;
SET ivfflat.probes = 32769;
SET ivfflat.max_probes = 0;
SET ivfflat.iterative_scan = strict_order;
SET ivfflat.iterative_scan = 'on';

-- ---------- keys ----------

INSERT INTO t VALUES (0, NULL), (-1, '[0,0,0,0,0,0,0,0]');
CREATE INDEX t_idx ON t USING ivfflat (v vector_cosine_ops) WITH (lists = 20);
-- not indexed: NULL, zero under cosine
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <=> vec(0)) s;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <=> (SELECT NULL::vector)) s;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <=> '[0,0,0,0,0,0,0,0]') s;
SELECT id FROM t ORDER BY v <=> '[1,2]' LIMIT 1;
SELECT q.id, n.id AS nearest FROM t q, LATERAL (SELECT id FROM t ORDER BY v <=> q.v LIMIT 1) n
	WHERE q.id BETWEEN 1 AND 3 ORDER BY 1;
SELECT * FROM hnsw_index_check('t_idx', true, true);
DROP TABLE t;

-- inner product, known by its functions 1 and 2
CREATE TABLE t (id int, v vector(2));
INSERT INTO t SELECT i, ARRAY[i, -i] FROM generate_series(1, 100) i;
CREATE INDEX t_idx ON t USING ivfflat (v vector_ip_ops);
SELECT id, v <#> '[3,1]' AS d FROM t ORDER BY v <#> '[3,1]' LIMIT 3;
SELECT * FROM hnsw_index_check('t_idx', true, true);
DROP TABLE t;

-- the other types
CREATE TABLE t (id int, h halfvec(2), b bit(8));
INSERT INTO t SELECT i, ARRAY[i, -i], i::bit(8) FROM generate_series(1, 200) i;
CREATE INDEX ON t USING ivfflat (h halfvec_l2_ops);
CREATE INDEX ON t USING ivfflat (h halfvec_ip_ops);
CREATE INDEX ON t USING ivfflat (h halfvec_cosine_ops);
CREATE INDEX ON t USING ivfflat (b bit_hamming_ops);
SELECT id FROM t ORDER BY h <-> '[50.4,-50.4]' LIMIT 3;
SELECT id FROM t ORDER BY h <#> '[1,-1]' LIMIT 3;
SELECT h <=> '[1,1]' AS d FROM t ORDER BY h <=> '[1,1]' LIMIT 1;
SELECT id FROM t ORDER BY b <~> B'00000101' LIMIT 1;
SELECT r.* FROM pg_index i, hnsw_index_check(indexrelid, true, true) r WHERE indrelid = 't'::regclass;
DROP TABLE t;

DROP FUNCTION vec, scan, recall, blocks;
