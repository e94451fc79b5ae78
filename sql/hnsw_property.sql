--
-- hnsw_property: what the catalogs, and functions that read them, say about the
-- access method
--

SET client_min_messages = info;

-- The error of a statement; a row of NULLs if there is none.
CREATE FUNCTION error_of(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
CREATE TABLE t (id int, v vector(3), a real[]);
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_options ON t USING hnsw (v vector_cosine_ops) WITH (m = 16, ef_construction = 64);
CREATE INDEX t_expression ON t USING hnsw ((a::vector(3)) vector_ip_ops) WHERE id > 5;

-- access method
SELECT amname, amhandler, amtype FROM pg_am WHERE amname = 'hnsw';
SELECT p, pg_indexam_has_property(am.oid, p) FROM pg_am am,
	unnest(ARRAY['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include', 'nonsense']) WITH ORDINALITY AS p (p, n)
	WHERE amname = 'hnsw' ORDER BY n;
-- index
SELECT p, pg_index_has_property('t_v'::regclass, p) FROM unnest(ARRAY['clusterable', 'index_scan', 'bitmap_scan', 'backward_scan', 'nonsense'])
	WITH ORDINALITY AS p (p, n) ORDER BY n;
-- column
SELECT p, pg_index_column_has_property('t_v'::regclass, 1, p) AS t_v, pg_index_column_has_property('t_expression'::regclass, 1, p) AS t_expression
	FROM unnest(ARRAY['asc', 'desc', 'nulls_first', 'nulls_last', 'orderable', 'distance_orderable', 'returnable', 'search_array', 'search_nulls', 'nonsense'])
	WITH ORDINALITY AS p (p, n) ORDER BY n;
SELECT pg_index_column_has_property('t_v'::regclass, 2, 'distance_orderable') AS no_column;

-- definitions
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 't' ORDER BY 1;
SELECT pg_get_indexdef('t_expression'::regclass, 1, true), pg_get_indexdef('t_options'::regclass, 1, false);
SELECT relname, reloptions, relam = (SELECT oid FROM pg_am WHERE amname = 'hnsw') AS hnsw FROM pg_class WHERE relname LIKE 't\_%' ORDER BY 1;
-- ... from which the index can be made again
SELECT pg_get_indexdef('t_expression'::regclass) AS definition \gset
DROP INDEX t_expression;
:definition;
SELECT pg_get_indexdef('t_expression'::regclass) = :'definition' AS same;

-- operator classes of type vector
SELECT opcname, opcintype::regtype, opcdefault, opckeytype, amopopr::regoperator, amoppurpose, amopstrategy, opfname AS sorts_by
	FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod AND amname = 'hnsw' JOIN pg_amop ON amopfamily = opcfamily
	LEFT JOIN pg_opfamily ON pg_opfamily.oid = amopsortfamily
	WHERE opcintype = 'vector'::regtype ORDER BY 1;
SELECT opcname, amprocnum, amproc::regprocedure FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod AND amname = 'hnsw'
	JOIN pg_amproc ON amprocfamily = opcfamily WHERE opcintype = 'vector'::regtype ORDER BY 1, 2;
-- all classes of the access method are valid
SELECT opcname, amvalidate(pg_opclass.oid) FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod AND amname = 'hnsw'
	WHERE NOT amvalidate(pg_opclass.oid);
SELECT count(*) >= 4 AS classes FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod AND amname = 'hnsw';
-- and what is none is found out
CREATE OPERATOR CLASS bad_function FOR TYPE vector USING hnsw AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_spherical_distance(vector, vector);
CREATE OPERATOR CLASS bad_signature FOR TYPE vector USING hnsw AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_norm(vector);
CREATE OPERATOR CLASS bad_norm FOR TYPE vector USING hnsw AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 2 l2_distance(vector, vector);
CREATE OPERATOR CLASS bad_operator FOR TYPE vector USING hnsw AS
	OPERATOR 2 = (vector, vector),
	FUNCTION 1 vector_l2_squared_distance(vector, vector);
CREATE OPERATOR CLASS no_function FOR TYPE vector USING hnsw AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops;
-- Broke: only functions 1 and 2 were looked at, so a class with any function
-- as 3, or as 3 to 5 of ivfflat, was called valid.
CREATE OPERATOR CLASS bad_type FOR TYPE halfvec USING hnsw AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_l2_squared_distance(halfvec, halfvec),
	FUNCTION 3 l2_norm(halfvec);
CREATE OPERATOR CLASS bad_two_types FOR TYPE vector USING hnsw AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l2_squared_distance(vector, vector),
	FUNCTION 1 (vector, halfvec) vector_l2_squared_distance(vector, vector);
CREATE OPERATOR CLASS bad_kmeans FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l2_squared_distance(vector, vector),
	FUNCTION 3 vector_norm(vector),
	FUNCTION 4 l2_distance(vector, vector),
	FUNCTION 5 vector_dims(vector);
SELECT amname, opcname, amvalidate(pg_opclass.oid) FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod AND amname IN ('hnsw', 'ivfflat')
	WHERE opcname ~ '^(bad|no)_' ORDER BY opcname;
-- such a class cannot make an index
SELECT e.* FROM error_of('CREATE INDEX ON t USING hnsw (v bad_function)') e;
SELECT e.code FROM error_of('CREATE INDEX ON t USING hnsw (v no_function)') e;
DROP OPERATOR FAMILY bad_function USING hnsw;
DROP OPERATOR FAMILY bad_signature USING hnsw;
DROP OPERATOR FAMILY bad_norm USING hnsw;
DROP OPERATOR FAMILY bad_operator USING hnsw;
DROP OPERATOR FAMILY no_function USING hnsw;
DROP OPERATOR FAMILY bad_type USING hnsw;
DROP OPERATOR FAMILY bad_two_types USING hnsw;
DROP OPERATOR FAMILY bad_kmeans USING ivfflat;
-- a class of somebody else's, of parts that we know, can
CREATE OPERATOR CLASS own_l2_ops DEFAULT FOR TYPE vector USING hnsw AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l2_squared_distance(vector, vector);
CREATE INDEX t_own ON t USING hnsw (v);
SELECT pg_get_indexdef('t_own'::regclass);
INSERT INTO t SELECT i, ARRAY[i, i, i], ARRAY[i, i, i] FROM generate_series(1, 20) i;
DROP INDEX t_v;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <-> '[3,3,3]' LIMIT 1;
SELECT id FROM t ORDER BY v <-> '[3,3,3]' LIMIT 1;
RESET enable_seqscan;

-- names of build phases, as the progress view shows them
SELECT n, pg_indexam_progress_phasename(oid, n) FROM pg_am, generate_series(0, 7) n WHERE amname = 'hnsw' ORDER BY n;

SELECT c.relname, k.* FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND amname = 'hnsw',
	hnsw_index_check(c.oid, true, true) k WHERE relkind = 'i';
DROP TABLE t;
DROP OPERATOR FAMILY own_l2_ops USING hnsw;
DROP FUNCTION error_of;
