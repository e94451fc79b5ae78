--
-- hnsw_options: options of an index, settings, and which of them counts
--

SET client_min_messages = warning;
SET enable_seqscan = off;
SET jit = off;

CREATE FUNCTION vec(i int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, 8) j
$$;
CREATE TABLE t (id int, v vector(8));
INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 2000) i;

-- Rows of t that a scan returns, if nobody stops it.
CREATE FUNCTION rows() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE 'SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> vec(0)) s' INTO n;
	RETURN n;
END $$;

-- ---------- options ----------

CREATE INDEX t_idx ON t USING hnsw (v vector_l2_ops)
	WITH (m = 8, ef_construction = 32, ef_search = 100, iterative_scan = relaxed_order, max_scan_tuples = 500);
SELECT pg_get_indexdef('t_idx'::regclass);
SELECT reloptions FROM pg_class WHERE relname = 't_idx';
DROP INDEX t_idx;

CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (m = 1);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (m = 101);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (ef_construction = 3);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (ef_construction = 1001);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (ef_search = 0);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (ef_search = 10001);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (max_scan_tuples = 0);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (iterative_scan = 'on');
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (probes = 1);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (m = 16, ef_construction = 31);

-- the pair of m and ef_construction is looked at by the build, not by ALTER
CREATE INDEX t_idx ON t USING hnsw (v vector_l2_ops);
ALTER INDEX t_idx SET (m = 100);
REINDEX INDEX t_idx;
ALTER INDEX t_idx RESET (m);
REINDEX INDEX t_idx;

-- search options take no more than a lock that lets rows in
CREATE FUNCTION lock_of(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN QUERY SELECT DISTINCT mode FROM pg_locks
		WHERE relation = 't_idx'::regclass AND mode <> 'AccessShareLock' ORDER BY 1;
END $$;
SELECT lock_of('ALTER INDEX t_idx SET (ef_search = 40)');
SELECT lock_of('ALTER INDEX t_idx SET (iterative_scan = auto)');
SELECT lock_of('ALTER INDEX t_idx SET (max_scan_tuples = 20000)');
SELECT lock_of('ALTER INDEX t_idx RESET (ef_search, iterative_scan, max_scan_tuples)');
SELECT lock_of('ALTER INDEX t_idx SET (m = 16)');
DROP FUNCTION lock_of;
ALTER INDEX t_idx RESET (m);

-- ---------- settings ----------

SELECT name, setting, vartype, min_val, max_val, enumvals, context FROM pg_settings
	WHERE name IN ('hnsw.ef_search', 'hnsw.iterative_scan', 'hnsw.max_scan_tuples', 'hnsw.scan_mem_multiplier')
	ORDER BY name;
SET hnsw.ef_search = 0;
SET hnsw.ef_search = 10001;
SET hnsw.iterative_scan = 'on';
SET hnsw.max_scan_tuples = 0;
SET hnsw.scan_mem_multiplier = 0.9;
SET hnsw.scan_mem_multiplier = 1000.1;
SELECT set_config('hnsw.iterative_scan', 'strict_order', false), current_setting('hnsw.iterative_scan', true);
RESET hnsw.iterative_scan;

-- ---------- which counts: setting, option, default ----------

-- nothing given: all rows
SELECT rows();

-- iterative_scan, ef_search: mode off gives ef_search rows
ALTER INDEX t_idx SET (iterative_scan = off);
SELECT rows();
ALTER INDEX t_idx SET (ef_search = 70);
SELECT rows();
SET hnsw.ef_search = 20;
SELECT rows();
-- a setting counts even if it says what the default is
SET hnsw.ef_search = 40;
SELECT rows();
BEGIN;
SET LOCAL hnsw.ef_search = 30;
SELECT rows();
ROLLBACK;
SELECT rows();
RESET hnsw.ef_search;
SELECT rows();
SET hnsw.iterative_scan = auto;
SELECT rows();
RESET hnsw.iterative_scan;
SELECT rows();
SET hnsw.ef_search TO DEFAULT;
SELECT rows();
ALTER INDEX t_idx RESET (ef_search);
SELECT rows();

-- max_scan_tuples: ends the mode auto if it was given
ALTER INDEX t_idx RESET (iterative_scan);
ALTER INDEX t_idx SET (max_scan_tuples = 500);
SELECT rows() BETWEEN 500 AND 600 AS limited;
SET hnsw.max_scan_tuples = 1000;
SELECT rows() BETWEEN 1000 AND 1300 AS limited;
SET hnsw.max_scan_tuples = 20000;
SELECT rows();
RESET hnsw.max_scan_tuples;
ALTER INDEX t_idx SET (iterative_scan = relaxed_order);
SELECT rows() BETWEEN 500 AND 600 AS limited;
ALTER INDEX t_idx RESET (max_scan_tuples);
SELECT rows();

-- a role's settings are as explicit as a session's
CREATE ROLE regress_vector_options LOGIN;
GRANT SELECT ON t TO regress_vector_options;
ALTER ROLE regress_vector_options SET hnsw.ef_search = 25;
ALTER INDEX t_idx SET (iterative_scan = off, ef_search = 70);
\set user :USER
\c - regress_vector_options
SET enable_seqscan = off;
-- before the library is loaded the name is taken as it is
SELECT current_setting('hnsw.ef_search', true);
SELECT rows();
SET hnsw.ef_search = 15;
SELECT rows();
RESET hnsw.ef_search;
SELECT rows();
\c - :user
SET client_min_messages = warning;
SET enable_seqscan = off;
-- set before the library is loaded
SET hnsw.ef_search = 33;
SELECT rows();
DROP OWNED BY regress_vector_options;
DROP ROLE regress_vector_options;

-- a prepared statement sees what is set when it is run
PREPARE p AS SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> vec(0)) s;
EXECUTE p;
SET hnsw.ef_search = 34;
EXECUTE p;
RESET hnsw.ef_search;
EXECUTE p;
ALTER INDEX t_idx SET (ef_search = 71);
EXECUTE p;
DEALLOCATE p;

SELECT * FROM hnsw_index_check('t_idx', true, true);
DROP TABLE t;
DROP FUNCTION vec, rows;
