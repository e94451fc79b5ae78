--
-- hnsw_insert: an index that grows by INSERT, COPY and UPDATE
--

-- Plans forced by enable_seqscan = off look expensive; none is worth compiling.
SET jit = off;
SET client_min_messages = warning;
-- what is tested here is the index scan itself
SET hnsw.adaptive_scan = off;

-- Number i of a sequence of vectors: elements in [-1, 1) that follow from i.
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, dim) j
$$;
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
-- The error of a statement; a row of NULLs if there is none.
CREATE FUNCTION error_of(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
-- What the verifier finds in any hnsw index.
CREATE VIEW violations AS
	SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
		hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';
-- from nothing, in each class
CREATE TABLE t (id int, v vector(10));
CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_ip ON t USING hnsw (v vector_ip_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops);
INSERT INTO t VALUES (1, vec(1, 10));
SELECT * FROM violations;
INSERT INTO t VALUES (2, vec(2, 10));
SELECT * FROM violations;
INSERT INTO t SELECT i, vec(i, 10) FROM generate_series(3, 800) i;
SELECT o, c.* FROM unnest(ARRAY['<->', '<#>', '<=>', '<+>']) o,
	compare(format('SELECT v %s (SELECT vec(0, 10)) FROM t ORDER BY v %1$s (SELECT vec(0, 10))', o)) c;
SELECT * FROM violations;
-- each finds itself
SET enable_seqscan = off;
SELECT count(*) FROM t q, LATERAL (SELECT id FROM t ORDER BY v <-> q.v LIMIT 1) r WHERE q.id = r.id;
SELECT count(*) FROM t q, LATERAL (SELECT id FROM t ORDER BY v <=> q.v LIMIT 1) r WHERE q.id = r.id;
RESET enable_seqscan;
-- nothing but the rows there, once each
SELECT i, sum(ntids) AS tids, count(*) AS nodes FROM unnest(ARRAY['t_l2', 't_cosine', 't_l1']) i,
	generate_series(0, pg_relation_size(i::regclass) / current_setting('block_size')::int - 1) b,
	hnsw_page_items(i::regclass, b) WHERE state = 'live' AND ntids > 0 GROUP BY i ORDER BY i;

-- into an index that was built: same place for equal vectors
INSERT INTO t SELECT id + 1000, v FROM t WHERE id <= 100;
INSERT INTO t SELECT id + 2000, v FROM t WHERE id <= 100;
INSERT INTO t SELECT 3000 + i, vec(5, 10) FROM generate_series(1, 500) i;
SELECT i, sum(ntids) AS tids, count(*) AS nodes FROM unnest(ARRAY['t_l2', 't_cosine', 't_l1']) i,
	generate_series(0, pg_relation_size(i::regclass) / current_setting('block_size')::int - 1) b,
	hnsw_page_items(i::regclass, b) WHERE state = 'live' AND ntids > 0 GROUP BY i ORDER BY i;
SELECT o, c.* FROM unnest(ARRAY['<->', '<#>', '<=>', '<+>']) o,
	compare(format('SELECT v %s (SELECT vec(5, 10)) FROM t ORDER BY v %1$s (SELECT vec(5, 10))', o)) c;
SELECT * FROM violations;
REINDEX TABLE t;
INSERT INTO t SELECT 4000 + i, vec(i % 150, 10) FROM generate_series(1, 600) i;
SELECT o, c.* FROM unnest(ARRAY['<->', '<#>', '<=>', '<+>']) o,
	compare(format('SELECT v %s (SELECT vec(5, 10)) FROM t ORDER BY v %1$s (SELECT vec(5, 10))', o)) c;
SELECT * FROM violations;

-- NULL and zero
INSERT INTO t VALUES (9001, NULL), (9002, array_fill(0, ARRAY[10])), (9003, array_fill(0, ARRAY[10])), (9004, NULL);
UPDATE t SET v = NULL WHERE id = 1;
UPDATE t SET v = vec(9001, 10) WHERE id = 9001;
UPDATE t SET v = vec(9003, 10) WHERE id = 9003;
SET enable_seqscan = off;
SELECT id FROM t ORDER BY v <-> (SELECT vec(9001, 10)) LIMIT 1;
SELECT id FROM t ORDER BY v <=> (SELECT vec(9003, 10)) LIMIT 1;
SELECT id FROM t ORDER BY v <-> array_fill(0, ARRAY[10])::vector LIMIT 1;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <=> (SELECT vec(1, 10))) s WHERE id = 9002;
SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> (SELECT vec(1, 10))) s WHERE id IN (1, 9004);
RESET enable_seqscan;
SELECT * FROM violations;

-- seen by its own transaction, and gone with it
BEGIN;
INSERT INTO t VALUES (9100, vec(9100, 10));
SET LOCAL enable_seqscan = off;
SELECT id FROM t ORDER BY v <-> (SELECT vec(9100, 10)) LIMIT 1;
SAVEPOINT s;
INSERT INTO t VALUES (9101, vec(9101, 10));
SELECT id FROM t ORDER BY v <-> (SELECT vec(9101, 10)) LIMIT 1;
ROLLBACK TO s;
SELECT id = 9101 AS there FROM t ORDER BY v <-> (SELECT vec(9101, 10)) LIMIT 1;
SELECT id FROM t ORDER BY v <-> (SELECT vec(9100, 10)) LIMIT 1;
ROLLBACK;
SET enable_seqscan = off;
SELECT id = 9100 AS there FROM t ORDER BY v <-> (SELECT vec(9100, 10)) LIMIT 1;
RESET enable_seqscan;
-- many half-done transactions
DO $$
BEGIN
	FOR i IN 1 .. 200 LOOP
		BEGIN
			INSERT INTO t VALUES (20000 + i, vec(20000 + i, 10));
			IF i % 3 = 0 THEN
				RAISE 'no';
			END IF;
		EXCEPTION WHEN raise_exception THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT count(*) FROM t WHERE id > 20000;
SELECT c.* FROM compare($$SELECT v <-> (SELECT vec(20001, 10)) FROM t WHERE v IS NOT NULL ORDER BY v <-> (SELECT vec(20001, 10))$$) c;
SELECT * FROM violations;
VACUUM t;
SELECT * FROM violations;

-- what cannot be a vector of this column stops the statement, not the index
SELECT e.* FROM error_of($$INSERT INTO t VALUES (1, '[1,2]')$$) e;
SELECT e.* FROM error_of($$INSERT INTO t VALUES (1, ARRAY[1,2,3,4,5,6,7,8,9,'NaN']::real[])$$) e;
SELECT e.* FROM error_of($$INSERT INTO t SELECT i, CASE WHEN i < 5 THEN vec(i, 10) ELSE vec(i, 9) END FROM generate_series(1, 9) i$$) e;
SELECT * FROM violations;
DROP TABLE t;

-- COPY, several rows a statement, ON CONFLICT
CREATE TABLE t (id int PRIMARY KEY, v vector(2));
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
COPY t FROM stdin;
1	[1,0]
2	[2,0]
3	[3,0]
4	\N
\.
INSERT INTO t VALUES (5, '[5,0]'), (6, '[6,0]'), (3, '[30,0]') ON CONFLICT (id) DO UPDATE SET v = excluded.v;
INSERT INTO t VALUES (1, '[100,0]'), (7, '[7,0]') ON CONFLICT DO NOTHING;
SET enable_seqscan = off;
SELECT id, v FROM t ORDER BY v <-> '[0,0]';
RESET enable_seqscan;
SELECT * FROM violations;
-- in order of distance, backwards, and there and back
INSERT INTO t SELECT i, ARRAY[i, 0] FROM generate_series(101, 700) i;
INSERT INTO t SELECT 2000 - i, ARRAY[-i, 0] FROM generate_series(1, 600) i;
INSERT INTO t SELECT 3000 + i, ARRAY[(i * 379) % 1000, 1] FROM generate_series(1, 1000) i;
SELECT c.* FROM compare($$SELECT v <-> '[0,1]' FROM t WHERE v IS NOT NULL ORDER BY v <-> '[0,1]'$$) c;
SELECT c.* FROM compare($$SELECT v <-> '[-700,1]' FROM t WHERE v IS NOT NULL ORDER BY v <-> '[-700,1]'$$) c;
SELECT * FROM violations;

-- UPDATE: to another place, to the same, in another column
UPDATE t SET v = v + '[0,5]' WHERE id < 500;
UPDATE t SET v = v WHERE id < 800;
UPDATE t SET id = id + 10000;
SELECT c.* FROM compare($$SELECT v <-> '[0,1]' FROM t WHERE v IS NOT NULL ORDER BY v <-> '[0,1]'$$) c;
SELECT * FROM violations;
DROP TABLE t;

-- two clusters far apart and nothing between
CREATE TABLE t (id int, v vector(4));
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
INSERT INTO t SELECT i, vec(i, 4) FROM generate_series(1, 400) i;
INSERT INTO t SELECT i, vec(i, 4) + '[1000,1000,1000,1000]' FROM generate_series(401, 800) i;
SELECT c.* FROM compare($$SELECT v <-> '[1000,1000,1000,1000]' FROM t ORDER BY v <-> '[1000,1000,1000,1000]'$$) c;
SELECT c.* FROM compare($$SELECT v <-> '[1,0,0,0]' FROM t ORDER BY v <-> '[1,0,0,0]'$$) c;
SELECT * FROM violations;
DROP TABLE t;

-- one row a statement: what the session keeps of earlier ones fits no more when
-- the index has another file, and is in use when a trigger inserts as well
CREATE TABLE t (id int, v vector(3));
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
CREATE FUNCTION echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id < 1000 THEN
		INSERT INTO t VALUES (NEW.id + 1000, NEW.v + '[0,1,0]');
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER echo AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION echo();
INSERT INTO t VALUES (1, '[1,0,0]');
INSERT INTO t VALUES (2, '[2,0,0]');
TRUNCATE t;
INSERT INTO t VALUES (3, '[3,0,0]');
REINDEX INDEX t_v;
INSERT INTO t VALUES (4, '[4,0,0]'), (5, '[5,0,0]');
DROP INDEX t_v;
CREATE INDEX t_v ON t USING hnsw (v vector_cosine_ops) WITH (m = 4);
INSERT INTO t VALUES (6, '[6,0,0]');
DROP INDEX t_v;
-- more indexes than states are kept, in transactions that fail and in others
CREATE INDEX t_1 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_2 ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_3 ON t USING hnsw (v vector_ip_ops);
CREATE INDEX t_4 ON t USING hnsw (v vector_l1_ops);
CREATE INDEX t_5 ON t USING hnsw (v vector_l2_ops) WITH (m = 4);
CREATE INDEX t_6 ON t USING hnsw ((v::halfvec(3)) halfvec_l2_ops);
DO $$
BEGIN
	FOR i IN 7..99 LOOP
		BEGIN
			INSERT INTO t VALUES (i, ARRAY[i, 0, 0]);
			IF i % 5 = 0 THEN
				RAISE division_by_zero;
			END IF;
		EXCEPTION WHEN division_by_zero THEN
			INSERT INTO t VALUES (i, ARRAY[-i, 0, 0]);
		END;
	END LOOP;
END
$$;
SELECT count(*), count(DISTINCT id) FROM t;
SELECT c.* FROM compare($$SELECT v <-> '[50,1,0]' FROM t ORDER BY v <-> '[50,1,0]'$$) c;
SELECT c.* FROM compare($$SELECT v <+> '[50,1,0]' FROM t ORDER BY v <+> '[50,1,0]'$$) c;
SELECT c.* FROM compare($$SELECT v::halfvec(3) <-> '[50,1,0]' FROM t ORDER BY v::halfvec(3) <-> '[50,1,0]'$$) c;
SELECT * FROM violations;
-- no more of them are kept
SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'hnsw inserts';
DROP TABLE t;
DROP FUNCTION echo;

-- Random values of many dimensions are no neighbours' neighbours: nothing occludes
-- them, and lists of those in the middle are full.  What left such a list was not
-- linked elsewhere, and 359 of 2,000 could not be reached.
CREATE TABLE crowd (id int, v vector(64));
CREATE INDEX crowd_v ON crowd USING hnsw (v vector_l2_ops) WITH (m = 4);
INSERT INTO crowd SELECT i, vec(i, 64) FROM generate_series(1, 600) i;
SELECT * FROM hnsw_index_check('crowd_v', true, true);
DROP TABLE crowd;

DROP VIEW violations;
DROP FUNCTION error_of;
DROP FUNCTION compare;
DROP FUNCTION vec;
