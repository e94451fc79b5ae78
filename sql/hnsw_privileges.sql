--
-- hnsw_privileges: who may use an index, and who may look inside
--

SET client_min_messages = warning;

-- The error of a statement; a row of NULLs if there is none.
CREATE FUNCTION error_of(statement text, OUT code text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
CREATE ROLE regress_hnsw_owner;
CREATE ROLE regress_hnsw_other;
CREATE SCHEMA private AUTHORIZATION regress_hnsw_owner;
SET ROLE regress_hnsw_owner;
CREATE TABLE private.t (id int, v vector(3));
INSERT INTO private.t SELECT i, ARRAY[i, 0, 0] FROM generate_series(1, 50) i;
CREATE INDEX t_v ON private.t USING hnsw (v vector_l2_ops);
-- the owner can do without any further right
REINDEX INDEX private.t_v;
DELETE FROM private.t WHERE id > 40;
VACUUM private.t;
SET enable_seqscan = off;
SELECT id FROM private.t ORDER BY v <-> '[3,0,0]' LIMIT 1;
RESET enable_seqscan;

-- instruments are not for everybody, not even on one's own index
SELECT call, e.* FROM unnest(ARRAY['hnsw_index_check(''private.t_v'')', 'hnsw_index_check(''private.t_v'', true, true)', 'hnsw_metapage(''private.t_v'')',
	'hnsw_page_stats(''private.t_v'', 0)', 'hnsw_page_items(''private.t_v'', 1)', 'hnsw_node(''private.t_v'', 0)']) WITH ORDINALITY AS c (call, n),
	error_of('SELECT * FROM ' || call) e ORDER BY n;
RESET ROLE;
-- what reads pages is for superusers and whom they trust
SELECT p.oid::regprocedure AS function, has_function_privilege('regress_hnsw_other', p.oid, 'EXECUTE') AS everybody
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND extname = 'vector'
	WHERE proname IN ('hnsw_index_check', 'hnsw_metapage', 'hnsw_page_stats', 'hnsw_page_items', 'hnsw_node') ORDER BY proname COLLATE "C";
-- the right can be given
GRANT EXECUTE ON FUNCTION hnsw_index_check(regclass, boolean, boolean) TO regress_hnsw_owner;
SET ROLE regress_hnsw_owner;
SELECT * FROM hnsw_index_check('private.t_v', true, true);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION hnsw_index_check(regclass, boolean, boolean) FROM regress_hnsw_owner;

-- others see what they may see of the table
SET ROLE regress_hnsw_other;
SELECT e.* FROM error_of($$SELECT id FROM private.t ORDER BY v <-> '[3,0,0]' LIMIT 1$$) e;
SELECT e.* FROM error_of('REINDEX INDEX private.t_v') e;
RESET ROLE;
GRANT USAGE ON SCHEMA private TO regress_hnsw_other;
GRANT SELECT (id) ON private.t TO regress_hnsw_other;
SET ROLE regress_hnsw_other;
SELECT e.* FROM error_of($$SELECT id FROM private.t ORDER BY v <-> '[3,0,0]' LIMIT 1$$) e;
SELECT e.* FROM error_of('SELECT * FROM hnsw_levels(''private.t_v'')') e;
SELECT e.* FROM error_of('SELECT * FROM hnsw_neighbors(''private.t_v'', ''(0,1)'')') e;
SELECT e.* FROM error_of('ALTER INDEX private.t_v SET (m = 8)') e;
SELECT e.* FROM error_of('DROP INDEX private.t_v') e;
RESET ROLE;
GRANT SELECT ON private.t TO regress_hnsw_other;
SET ROLE regress_hnsw_other;
SET enable_seqscan = off;
SELECT id FROM private.t ORDER BY v <-> '[3,0,0]' LIMIT 1;
SELECT count(*) > 0 AS neighbors FROM hnsw_neighbors('private.t_v', '(0,1)') n WHERE n <> '(0,1)';
RESET enable_seqscan;
RESET ROLE;

SELECT * FROM hnsw_index_check('private.t_v', true, true);
DROP SCHEMA private CASCADE;
DROP ROLE regress_hnsw_owner;
DROP ROLE regress_hnsw_other;
DROP FUNCTION error_of;
