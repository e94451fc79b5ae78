--
-- sanity: what holds for every object of the extension; no query returns a row
--

-- every object of the extension
CREATE VIEW member AS
	SELECT classid, objid FROM pg_depend
	WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vector');

-- without a comment (array types are made by core, and have none)
SELECT pg_describe_object(classid, objid, 0) AS without_comment FROM member m
	WHERE obj_description(objid, classid::regclass::name) IS NULL
		AND NOT EXISTS (SELECT FROM pg_type t WHERE m.classid = 'pg_type'::regclass AND t.oid = m.objid AND t.typcategory = 'A')
	ORDER BY 1;

-- of a kind that the script should not make
SELECT pg_describe_object(classid, objid, 0) AS unexpected_kind FROM member
	WHERE classid NOT IN ('pg_type'::regclass, 'pg_proc'::regclass, 'pg_cast'::regclass, 'pg_operator'::regclass,
		'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_am'::regclass)
	ORDER BY 1;

CREATE VIEW function AS
	SELECT p.*, p.oid::regprocedure AS signature, l.lanname,
		p.proretset AS instrument,
		p.prorettype IN ('index_am_handler'::regtype, 'internal'::regtype) AS support
	FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.oid IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass);

-- in another language than C, or from another library
SELECT signature AS not_c FROM function
	WHERE prokind = 'f' AND (lanname <> 'c' OR probin IS DISTINCT FROM '$libdir/vector') ORDER BY 1;
-- not strict, except what the system calls with its own arguments, and rank
-- fusion, in which a NULL is a list without the row
SELECT signature AS not_strict FROM function
	WHERE prokind = 'f' AND NOT proisstrict AND NOT support
		AND proargtypes[0] IS DISTINCT FROM 'internal'::regtype AND proname NOT IN ('rrf_score', 'rrf_accum') ORDER BY 1;
-- neither a pure function nor one that reads an index
SELECT signature AS wrong_volatility, provolatile, proparallel FROM function
	WHERE NOT support
		AND (provolatile, proparallel) IS DISTINCT FROM
			CASE WHEN proname IN ('vector_build_info', 'nearest_json_final') THEN ('s'::"char", 's'::"char")
				WHEN instrument THEN ('v'::"char", 'r'::"char")
				ELSE ('i'::"char", 's'::"char") END
	ORDER BY 1;
-- readers of pages that everybody may call, except those that ask for SELECT
SELECT signature AS open_to_all FROM function
	WHERE instrument AND has_function_privilege('pg_monitor', oid, 'EXECUTE')
		AND proname NOT IN ('vector_recall', 'vector_duplicates', 'hnsw_levels', 'hnsw_neighbors') ORDER BY 1;
-- closed to all without reason
SELECT signature AS closed FROM function
	WHERE NOT instrument AND NOT has_function_privilege('pg_monitor', oid, 'EXECUTE') ORDER BY 1;
-- leakproof, security definer, with settings or costs of their own
SELECT signature AS odd FROM function
	WHERE proleakproof OR prosecdef OR proconfig IS NOT NULL
		OR procost <> 1 OR (NOT proretset AND prorows <> 0)
	ORDER BY 1;
-- a distance of two values of a type without that type's planner support, or
-- anything else with support
SELECT signature AS wrong_support, prosupport FROM function
	WHERE prosupport::text IS DISTINCT FROM
		CASE WHEN proname ~ '_distance$|inner_product$' AND NOT instrument
			THEN format_type(proargtypes[0], NULL) || '_distance_support' ELSE '-' END
	ORDER BY 1;
-- sharing a C function, except those made for it
SELECT a.signature AS shared, b.signature FROM function a JOIN function b
	ON a.prosrc = b.prosrc AND a.oid < b.oid AND a.prokind = 'f' AND b.prokind = 'f'
	WHERE a.prosrc NOT LIKE 'array\_to\_%' AND a.prosrc <> 'vector_combine'
	ORDER BY 1;

-- types with other attributes than all ours have
SELECT oid::regtype AS odd_type FROM pg_type
	WHERE oid IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass) AND typcategory <> 'A'
		AND (typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typalign, typstorage, typcollation,
			typmodout, typanalyze, typsubscript) IS DISTINCT FROM
			(-1::int2, false, 'b'::"char", 'U'::"char", false, ','::"char", 'i'::"char", 'e'::"char", 0::oid,
			0::regproc, 0::regproc, 0::regproc)
	ORDER BY 1;
-- a composite type or table under a type's name would confuse drivers
SELECT typname AS not_unique, count(*) FROM pg_type
	WHERE typname IN ('vector', 'halfvec', 'sparsevec') GROUP BY 1 HAVING count(*) > 1;
-- without send and receive, by their names
SELECT oid::regtype AS no_binary_form FROM pg_type
	WHERE oid IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass) AND typcategory <> 'A'
		AND (typreceive::text, typsend::text) IS DISTINCT FROM (typname || '_recv', typname || '_send');

CREATE VIEW operator AS
	SELECT o.*, o.oid::regoperator AS signature FROM pg_operator o
	WHERE o.oid IN (SELECT objid FROM member WHERE classid = 'pg_operator'::regclass);

-- comparisons without selectivity, or anything else with it
SELECT signature AS wrong_estimators FROM operator
	WHERE (oprresult = 'bool'::regtype) IS DISTINCT FROM (oprrest <> 0)
		OR (oprresult = 'bool'::regtype) IS DISTINCT FROM (oprjoin <> 0)
		OR (oprresult = 'bool'::regtype) IS DISTINCT FROM (oprnegate <> 0)
	ORDER BY 1;
-- commutators and negators that do not answer
SELECT a.signature AS one_sided FROM operator a LEFT JOIN operator c ON c.oid = a.oprcom LEFT JOIN operator n ON n.oid = a.oprnegate
	WHERE (a.oprcom <> 0 AND (c.oprcom IS DISTINCT FROM a.oid OR c.oprleft <> a.oprright OR c.oprright <> a.oprleft))
		OR (a.oprnegate <> 0 AND (n.oprnegate IS DISTINCT FROM a.oid OR n.oprleft <> a.oprleft OR n.oprright <> a.oprright))
	ORDER BY 1;
-- behind an operator, yet without a comment
SELECT signature AS no_function_comment FROM operator
	WHERE obj_description(oprcode, 'pg_proc') IS NULL ORDER BY 1;
-- operators that can be hashed or merged without a class that does it
SELECT signature AS no_class FROM operator o
	WHERE (oprcanhash AND NOT EXISTS (SELECT FROM pg_amop WHERE amopopr = o.oid AND amopmethod = (SELECT oid FROM pg_am WHERE amname = 'hash')))
		OR (oprcanmerge AND NOT EXISTS (SELECT FROM pg_amop WHERE amopopr = o.oid AND amopmethod = (SELECT oid FROM pg_am WHERE amname = 'btree')))
	ORDER BY 1;

-- operator classes that their access method does not find valid
SELECT opcname, amname AS invalid FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
	WHERE c.oid IN (SELECT objid FROM member WHERE classid = 'pg_opclass'::regclass)
		AND NOT amvalidate(c.oid)
	ORDER BY 1, 2;
-- defaults where none may be, and none where one must be
SELECT opcname, amname AS wrong_default FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
	WHERE c.oid IN (SELECT objid FROM member WHERE classid = 'pg_opclass'::regclass)
		AND opcdefault <> (amname IN ('btree', 'hash') OR (amname = 'ivfflat' AND opcname = 'vector_l2_ops'))
	ORDER BY 1, 2;
-- families of another name than their class, or with members of other families
SELECT opcname, opfname AS other_family FROM pg_opclass c JOIN pg_opfamily f ON f.oid = c.opcfamily
	WHERE c.oid IN (SELECT objid FROM member WHERE classid = 'pg_opclass'::regclass) AND opcname <> opfname
	ORDER BY 1, 2;

-- casts whose function does not convert between their types
SELECT castsource::regtype, casttarget::regtype AS wrong_function FROM pg_cast c JOIN pg_proc p ON p.oid = c.castfunc
	WHERE c.oid IN (SELECT objid FROM member WHERE classid = 'pg_cast'::regclass)
		AND (pronargs, proargtypes[0], proargtypes[1], proargtypes[2], prorettype) IS DISTINCT FROM
			(3::int2, castsource, 'int4'::regtype::oid, 'bool'::regtype::oid, casttarget)
	ORDER BY 1, 2;

-- the extension itself
SELECT extname AS not_relocatable FROM pg_extension WHERE extname = 'vector' AND NOT extrelocatable;
SELECT 'vector' AS not_trusted
	WHERE NOT EXISTS (SELECT FROM pg_available_extension_versions
		WHERE name = 'vector' AND version = '1.0' AND trusted AND relocatable AND schema IS NULL AND requires IS NULL);

DROP VIEW operator;
DROP VIEW function;
DROP VIEW member;
