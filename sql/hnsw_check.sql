-- hnsw_index_check() and the inspection functions on sound indexes, and what
-- they refuse.  Damaged indexes: test/t/040_corruption.pl.

CREATE TABLE t (id int, v vector(3));
INSERT INTO t SELECT i, ARRAY[i % 10, i / 10, i % 7] FROM generate_series(1, 200) i;
-- rows that share a node, more than fit into it; rows that are not indexed
INSERT INTO t SELECT 201, '[1,2,3]' FROM generate_series(1, 50);
INSERT INTO t VALUES (202, NULL), (203, '[0,0,0]');

CREATE INDEX t_l2 ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_ip ON t USING hnsw (v vector_ip_ops);
CREATE INDEX t_cosine ON t USING hnsw (v vector_cosine_ops);
CREATE INDEX t_l1 ON t USING hnsw (v vector_l1_ops);
CREATE INDEX t_part ON t USING hnsw (((v + v)::vector(3)) vector_l2_ops) WHERE id % 2 = 0;

-- after a build
CREATE VIEW violations AS
	SELECT i.indexrelid::regclass AS index, c.*
	FROM pg_index i, hnsw_index_check(i.indexrelid, true, true) c
	WHERE i.indrelid = 't'::regclass;
SELECT * FROM violations;

-- after inserts, deletes and two vacuums
INSERT INTO t SELECT 300 + i, ARRAY[i % 10 + 0.5, i, 1] FROM generate_series(1, 30) i;
INSERT INTO t SELECT 401, '[1,2,3]' FROM generate_series(1, 100);
SELECT * FROM violations;
DELETE FROM t WHERE id % 3 = 0 OR id = 201;
VACUUM t;
SELECT * FROM violations;
VACUUM t;
SELECT * FROM violations;
SELECT * FROM hnsw_index_check('t_l2');
SELECT * FROM hnsw_index_check('t_l2', heapallindexed => true);
SELECT * FROM hnsw_index_check('t_l2', strict => true);

-- rows of running and aborted transactions
BEGIN;
INSERT INTO t VALUES (500, '[9,9,9]');
SAVEPOINT s;
INSERT INTO t VALUES (501, '[9,9,8]');
ROLLBACK TO s;
SELECT * FROM violations;
ROLLBACK;
SELECT * FROM violations;

-- nothing left
DELETE FROM t;
VACUUM t;
SELECT * FROM violations;
INSERT INTO t VALUES (1, '[1,2,3]'), (2, '[4,5,6]');
SELECT * FROM violations;

-- built anew in the same file
BEGIN;
CREATE TABLE again (v vector(3));
CREATE INDEX again_idx ON again USING hnsw (v vector_cosine_ops);
INSERT INTO again SELECT ARRAY[i, 1, 2] FROM generate_series(1, 150) i;
TRUNCATE again;
SELECT * FROM hnsw_index_check('again_idx', true, true);
INSERT INTO again SELECT ARRAY[1, i, 2] FROM generate_series(1, 20) i;
SELECT * FROM hnsw_index_check('again_idx', true, true);
TRUNCATE again;
INSERT INTO again SELECT ARRAY[1, 2, i] FROM generate_series(1, 200) i;
REINDEX TABLE again;
SELECT * FROM hnsw_index_check('again_idx', true, true);
ROLLBACK;

-- other storage, other widths
CREATE UNLOGGED TABLE u (v vector(2));
INSERT INTO u SELECT ARRAY[i, i % 5] FROM generate_series(1, 50) i;
CREATE INDEX u_idx ON u USING hnsw (v vector_l2_ops);
SELECT * FROM hnsw_index_check('u_idx', true, true);
CREATE TEMP TABLE temporary (v vector(2));
CREATE INDEX temporary_idx ON temporary USING hnsw (v vector_l2_ops);
INSERT INTO temporary SELECT v FROM u;
SELECT * FROM hnsw_index_check('temporary_idx', true, true);
CREATE TABLE wide (v vector(7000));
INSERT INTO wide SELECT (SELECT array_agg((i * j) % 17 - 8) FROM generate_series(1, 7000) j)
	FROM generate_series(1, 5) i;
CREATE INDEX wide_idx ON wide USING hnsw (v vector_cosine_ops);
INSERT INTO wide SELECT (SELECT array_agg((i * j) % 19 - 8) FROM generate_series(1, 7000) j)
	FROM generate_series(1, 5) i;
SELECT * FROM hnsw_index_check('wide_idx', true, true);

-- inspection
SELECT name, value FROM hnsw_metapage('t_l2')
	WHERE name IN ('magic', 'format_version', 'dim', 'm', 'ef_construction', 'space', 'own_kind');
REINDEX INDEX t_l2;
SELECT blkno, kind, page_index, live, empty, overflow
	FROM generate_series(0, pg_relation_size('t_l2') / current_setting('block_size')::int - 1) b,
		hnsw_page_stats('t_l2', b);
SELECT i.nid, i.state, i.version, i.ntids, i.nedges, t.id
	FROM hnsw_page_items('t_l2', 3) i JOIN t ON i.first_tid = t.ctid ORDER BY t.id;
SELECT name, split_part(value, ',', 1) AS value FROM hnsw_node('t_l2', 0)
	WHERE name NOT IN ('tids', 'block');
SELECT vector_build_info() ~ '^vector \d+\.\d+, kernels \w+, PostgreSQL';

-- no such place
SELECT * FROM hnsw_page_stats('t_l2', -1);
SELECT * FROM hnsw_page_stats('t_l2', 1000000);
SELECT * FROM hnsw_page_items('t_l2', 4294967296);
SELECT * FROM hnsw_node('t_l2', -1);
SELECT * FROM hnsw_node('t_l2', 4294967295);

-- not an hnsw index
CREATE INDEX t_btree ON t (id);
CREATE TABLE parted (v vector(3)) PARTITION BY LIST (v);
CREATE INDEX parted_idx ON parted USING hnsw (v vector_l2_ops);
SELECT * FROM hnsw_index_check('t');
SELECT * FROM hnsw_index_check('t_btree');
SELECT * FROM hnsw_index_check('parted_idx');
SELECT * FROM hnsw_index_check('violations');
SELECT * FROM hnsw_index_check(0::oid);
SELECT * FROM hnsw_index_check(NULL);
SELECT * FROM hnsw_metapage('t_btree');

-- an index that is not valid is not compared with its table
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_l1'::regclass;
SELECT * FROM hnsw_index_check('t_l1', true);
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 't_l1'::regclass;

-- who may
CREATE ROLE regress_hnsw_check;
SET ROLE regress_hnsw_check;
SELECT * FROM hnsw_index_check('t_l2');
SELECT * FROM hnsw_metapage('t_l2');
RESET ROLE;
GRANT EXECUTE ON FUNCTION hnsw_index_check TO regress_hnsw_check;
SET ROLE regress_hnsw_check;
SELECT * FROM hnsw_index_check('t_l2');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION hnsw_index_check FROM regress_hnsw_check;
DROP ROLE regress_hnsw_check;

DROP VIEW violations;
DROP TABLE t, u, temporary, wide, parted;
