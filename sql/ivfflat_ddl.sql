--
-- ivfflat_ddl: what can be said about an ivfflat index, and what is printed
--

SET client_min_messages = warning;
CREATE TABLE t (id int, v vector(3), u vector, n int);
INSERT INTO t SELECT i, ARRAY[i % 7, i % 11, i % 13], NULL, i FROM generate_series(1, 300) i;

-- ---------- the default class, and the others ----------

CREATE INDEX t_default ON t USING ivfflat (v);
CREATE INDEX t_l2 ON t USING ivfflat (v vector_l2_ops) WITH (lists = 5);
CREATE INDEX t_ip ON t USING ivfflat (v vector_ip_ops) WITH (lists = 1);
CREATE INDEX t_cosine ON t USING ivfflat (v vector_cosine_ops) WITH (lists = 32768, probes = 10);
CREATE INDEX t_expression ON t USING ivfflat ((u::vector(2)) vector_l2_ops);
CREATE INDEX t_partial ON t USING ivfflat (v vector_cosine_ops) WHERE n > 100;
CREATE INDEX CONCURRENTLY IF NOT EXISTS t_concurrently ON t USING ivfflat (v) WITH (lists = 10);
SELECT indexdef FROM pg_indexes WHERE tablename = 't' ORDER BY indexname;
SELECT relname, reloptions FROM pg_class WHERE relname LIKE 't\_%' AND reloptions IS NOT NULL ORDER BY 1;

ALTER INDEX t_l2 SET (lists = 7);
ALTER INDEX t_l2 SET (probes = 3);
SELECT indexdef FROM pg_indexes WHERE indexname = 't_l2';
ALTER INDEX t_l2 RESET (lists, probes);
SELECT indexdef FROM pg_indexes WHERE indexname = 't_l2';
REINDEX INDEX t_l2;
REINDEX INDEX CONCURRENTLY t_l2;

-- one dimension, which pgvector refuses for these two
CREATE TABLE one (v vector(1));
INSERT INTO one VALUES ('[1]'), ('[2]');
CREATE INDEX ON one USING ivfflat (v vector_ip_ops);
CREATE INDEX ON one USING ivfflat (v vector_cosine_ops);
DROP TABLE one;

-- the other types
CREATE TABLE others (h halfvec(3), b bit(8), u bit varying);
INSERT INTO others SELECT ARRAY[i % 7, i % 11, i % 13], i::bit(8), i::bit(8) FROM generate_series(1, 300) i;
CREATE INDEX others_l2 ON others USING ivfflat (h halfvec_l2_ops);
CREATE INDEX others_ip ON others USING ivfflat (h halfvec_ip_ops);
CREATE INDEX others_cosine ON others USING ivfflat (h halfvec_cosine_ops) WITH (lists = 3);
CREATE INDEX others_bit ON others USING ivfflat (b bit_hamming_ops);
CREATE INDEX others_varbit ON others USING ivfflat ((u::bit(8)) bit_hamming_ops);
CREATE INDEX ON others USING ivfflat (u bit_hamming_ops);
CREATE INDEX ON others USING ivfflat (h);
CREATE INDEX ON others USING ivfflat (b);
CREATE INDEX ON others USING ivfflat (b bit_jaccard_ops);
CREATE INDEX ON others USING ivfflat (h halfvec_l1_ops);
SELECT indexdef FROM pg_indexes WHERE tablename = 'others' ORDER BY indexname;

-- other kinds of table
CREATE UNLOGGED TABLE unlogged (v vector(3));
CREATE INDEX unlogged_idx ON unlogged USING ivfflat (v);
INSERT INTO unlogged VALUES ('[1,2,3]');
CREATE TEMP TABLE temporary (v vector(3));
CREATE INDEX temporary_idx ON temporary USING ivfflat (v);
INSERT INTO temporary VALUES ('[1,2,3]');
CREATE TABLE parent (k int, v vector(3)) PARTITION BY LIST (k);
CREATE TABLE child PARTITION OF parent FOR VALUES IN (1);
CREATE INDEX ON parent USING ivfflat (v vector_l2_ops) WITH (lists = 3);
SELECT indexdef FROM pg_indexes WHERE tablename = 'child';

-- ---------- what is refused ----------

CREATE TABLE wide (v vector(16000), w vector, b bit varying);
CREATE INDEX wide_idx ON wide USING ivfflat (v);
CREATE INDEX ON wide USING ivfflat (w);
CREATE INDEX ON t USING ivfflat (n);
CREATE INDEX ON t USING ivfflat (n vector_l2_ops);
CREATE INDEX ON t USING ivfflat (v vector_l1_ops);
CREATE INDEX ON t USING ivfflat (v, v);
CREATE UNIQUE INDEX ON t USING ivfflat (v);
CREATE INDEX ON t USING ivfflat (v) INCLUDE (n);
CREATE INDEX ON t USING ivfflat (v DESC);
CREATE INDEX ON t USING ivfflat (v) WITH (lists = 0);
CREATE INDEX ON t USING ivfflat (v) WITH (lists = 32769);
CREATE INDEX ON t USING ivfflat (v) WITH (probes = 0);
CREATE INDEX ON t USING ivfflat (v) WITH (probes = 32769);
CREATE INDEX ON t USING ivfflat (v) WITH (m = 16);
CREATE INDEX ON t USING ivfflat (v) WITH (ef_search = 16);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (lists = 16);
INSERT INTO t VALUES (0, '[1,2]');

-- a class of another access method's making whose distance is not ours
CREATE OPERATOR CLASS bit_count_ops FOR TYPE bit USING ivfflat AS FUNCTION 1 bitcat(bit varying, bit varying);
CREATE INDEX ON wide USING ivfflat ((b::bit(3)) bit_count_ops);
DROP OPERATOR FAMILY bit_count_ops USING ivfflat;
DROP TABLE wide;

-- ---------- the access method ----------

SELECT p, pg_indexam_has_property(a.oid, p) FROM pg_am a,
	unnest(ARRAY['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include']) p
	WHERE amname = 'ivfflat';
SELECT p, pg_index_has_property('t_l2', p)
	FROM unnest(ARRAY['clusterable', 'index_scan', 'bitmap_scan', 'backward_scan']) p;
SELECT p, pg_index_column_has_property('t_l2', 1, p)
	FROM unnest(ARRAY['asc', 'distance_orderable', 'returnable', 'search_array', 'search_nulls']) p;
SELECT amvalidate(c.oid), opcname FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
	WHERE amname = 'ivfflat' ORDER BY 2;

-- its classes, as the contract has them: what only one side has, no rows
SELECT amtype, amhandler, prosrc, provolatile, proisstrict, proparallel
	FROM pg_am JOIN pg_proc p ON p.oid = amhandler WHERE amname = 'ivfflat';
CREATE TABLE contract (class text, is_default boolean, operator text, f1 text, f2 text, f3 text, f4 text, f5 text);
INSERT INTO contract VALUES
	('vector_l2_ops', true, '<->(vector,vector)', 'vector_l2_squared_distance(vector,vector)', NULL, 'l2_distance(vector,vector)', NULL, NULL),
	('vector_ip_ops', false, '<#>(vector,vector)', 'vector_negative_inner_product(vector,vector)', NULL,
		'vector_spherical_distance(vector,vector)', 'vector_norm(vector)', NULL),
	('vector_cosine_ops', false, '<=>(vector,vector)', 'vector_negative_inner_product(vector,vector)', 'vector_norm(vector)',
		'vector_spherical_distance(vector,vector)', 'vector_norm(vector)', NULL),
	('halfvec_l2_ops', false, '<->(halfvec,halfvec)', 'halfvec_l2_squared_distance(halfvec,halfvec)', NULL,
		'l2_distance(halfvec,halfvec)', NULL, 'ivfflat_halfvec_support(internal)'),
	('halfvec_ip_ops', false, '<#>(halfvec,halfvec)', 'halfvec_negative_inner_product(halfvec,halfvec)', NULL,
		'halfvec_spherical_distance(halfvec,halfvec)', 'l2_norm(halfvec)', 'ivfflat_halfvec_support(internal)'),
	('halfvec_cosine_ops', false, '<=>(halfvec,halfvec)', 'halfvec_negative_inner_product(halfvec,halfvec)', 'l2_norm(halfvec)',
		'halfvec_spherical_distance(halfvec,halfvec)', 'l2_norm(halfvec)', 'ivfflat_halfvec_support(internal)'),
	('bit_hamming_ops', false, '<~>(bit,bit)', 'hamming_distance(bit,bit)', NULL,
		'hamming_distance(bit,bit)', NULL, 'ivfflat_bit_support(internal)');
CREATE TABLE found (LIKE contract);
INSERT INTO found
	SELECT opcname::text, opcdefault, o.amopopr::regoperator::text, f[1], f[2], f[3], f[4], f[5]
	FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
		JOIN pg_amop o ON o.amopfamily = opcfamily AND amopstrategy = 1 AND amoppurpose = 'o'
			AND amopsortfamily = (SELECT oid FROM pg_opfamily WHERE opfname = 'float_ops' AND opfmethod = (SELECT oid FROM pg_am WHERE amname = 'btree')),
		LATERAL (SELECT array_agg(replace(p.amproc::regprocedure::text, '"', '') ORDER BY n) AS f
			FROM generate_series(1, 5) n LEFT JOIN pg_amproc p ON p.amprocfamily = opcfamily AND amprocnum = n) q
	WHERE amname = 'ivfflat';
UPDATE found SET operator = replace(operator, '"', '');
TABLE contract EXCEPT TABLE found;
TABLE found EXCEPT TABLE contract;
DROP TABLE contract, found;

-- ---------- sound, all of them ----------

SELECT c.relname, r.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam, hnsw_index_check(c.oid, true, true) r
	WHERE amname = 'ivfflat' AND relkind = 'i';

DROP TABLE t, others, unlogged, temporary, parent;
