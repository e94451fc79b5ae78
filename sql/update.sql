--
-- update: ALTER EXTENSION vector UPDATE from every version of pgvector
--
-- Each old version is made from our install script for 0.8.6 by taking away or
-- changing what that version did not have or had differently; the list was
-- written from the history of pgvector, and is not the one that the scripts are
-- made of.  After the update the catalogs equal those of a fresh installation.
--

SET client_min_messages = warning;

-- All that the catalogs say of the extension's objects, without OIDs.
CREATE FUNCTION snapshot() RETURNS SETOF text LANGUAGE sql STABLE AS $$
	WITH member AS (
		SELECT classid, objid, pg_describe_object(classid, objid, 0) AS name FROM pg_depend
		WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
			AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vector'))
	SELECT format('%s: %s', name, obj_description(objid, classid::regclass::name)) FROM member
	UNION ALL SELECT format('type %s %s', oid::regtype,
			(typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typalign, typstorage, typcollation, typinput, typoutput,
			typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript, typarray::regtype, typacl))
		FROM pg_type WHERE oid IN (SELECT objid FROM member)
	UNION ALL SELECT format('%s %s', oid::regprocedure,
			(prorettype::regtype, proretset, prosrc, probin, prokind, provolatile, proisstrict, proparallel, procost, prorows, prosupport,
			proleakproof, prosecdef, proconfig, proallargtypes::regtype[], proargmodes, proargnames, pg_get_expr(proargdefaults, 0), proacl))
		FROM pg_proc WHERE oid IN (SELECT objid FROM member)
	UNION ALL SELECT format('aggregate %s %s', aggfnoid::regprocedure,
			(aggkind, aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn, aggtranstype::regtype, agginitval,
			aggfinalextra, aggfinalmodify, aggsortop))
		FROM pg_aggregate WHERE aggfnoid IN (SELECT objid FROM member)
	UNION ALL SELECT format('operator %s %s', oid::regoperator,
			(oprresult::regtype, oprcode, oprcom::regoperator, oprnegate::regoperator, oprrest, oprjoin, oprcanhash, oprcanmerge))
		FROM pg_operator WHERE oid IN (SELECT objid FROM member)
	UNION ALL SELECT format('cast %s %s', castsource::regtype, (casttarget::regtype, castfunc::regprocedure, castcontext, castmethod))
		FROM pg_cast WHERE oid IN (SELECT objid FROM member)
	UNION ALL SELECT format('class %s %s %s', amname, opcname, (opcfamily = f.oid, opfname, opcintype::regtype, opcdefault, opckeytype::regtype))
		FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod JOIN pg_opfamily f ON f.oid = opcfamily
		WHERE c.oid IN (SELECT objid FROM member)
	UNION ALL SELECT format('member %s %s %s', amname, f.opfname,
			(amoplefttype::regtype, amoprighttype::regtype, amopstrategy, amoppurpose, amopopr::regoperator, s.opfname))
		FROM pg_amop JOIN pg_am a ON a.oid = amopmethod JOIN pg_opfamily f ON f.oid = amopfamily
			LEFT JOIN pg_opfamily s ON s.oid = amopsortfamily
		WHERE f.oid IN (SELECT objid FROM member)
	UNION ALL SELECT format('member %s %s %s', amname, opfname,
			(amproclefttype::regtype, amprocrighttype::regtype, amprocnum, amproc::regprocedure))
		FROM pg_amproc JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am a ON a.oid = opfmethod
		WHERE f.oid IN (SELECT objid FROM member)
	UNION ALL SELECT format('access method %s %s', amname, (amtype, amhandler)) FROM pg_am WHERE oid IN (SELECT objid FROM member)
$$;

-- Undo what came after 'version'.
CREATE FUNCTION degrade(version text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	n int[] := string_to_array(version, '.');
	a text;
	name text;
BEGIN
	IF n < '{0,8,0}' THEN
		FOREACH a IN ARRAY '{integer,real,double precision,numeric}'::text[] LOOP
			EXECUTE format('ALTER EXTENSION vector DROP CAST (%s[] AS sparsevec)', a);
			EXECUTE format('DROP CAST (%s[] AS sparsevec)', a);
			EXECUTE format('ALTER EXTENSION vector DROP FUNCTION array_to_sparsevec(%s[], integer, boolean)', a);
			EXECUTE format('DROP FUNCTION array_to_sparsevec(%s[], integer, boolean)', a);
		END LOOP;
	END IF;
	IF n < '{0,7,0}' THEN
		-- dependent objects first: classes, operators, then functions and types
		FOR name IN
			SELECT format('operator family %I using %I', opfname, amname) FROM pg_opfamily f JOIN pg_am m ON m.oid = opfmethod
			WHERE opfname ~ '^(halfvec|sparsevec|bit)_' AND NOT opfname IN ('bit_ops', 'bit_minmax_ops') OR opfname = 'vector_l1_ops'
		LOOP
			EXECUTE 'ALTER EXTENSION vector DROP ' || name;
			EXECUTE 'ALTER EXTENSION vector DROP ' || replace(name, 'family', 'class');
			EXECUTE 'DROP ' || name;
		END LOOP;
		FOREACH name IN ARRAY '{"operator <+> (vector, vector)", "operator || (vector, vector)",
			"operator <~> (bit, bit)", "operator <%> (bit, bit)",
			"function hamming_distance(bit, bit)", "function jaccard_distance(bit, bit)",
			"function l2_normalize(vector)", "function binary_quantize(vector)", "function subvector(vector, integer, integer)",
			"function vector_concat(vector, vector)",
			"function hnsw_halfvec_support(internal)", "function hnsw_sparsevec_support(internal)", "function hnsw_bit_support(internal)",
			"function ivfflat_halfvec_support(internal)", "function ivfflat_bit_support(internal)"}'::text[]
		LOOP
			EXECUTE 'ALTER EXTENSION vector DROP ' || name;
			EXECUTE 'DROP ' || name;
		END LOOP;
		-- a member can only go with the extension, or when it is none any more
		FOR name IN
			SELECT i.type || ' ' || i.identity FROM pg_depend d, pg_identify_object(classid, objid, 0) i
			WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
				AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vector')
				AND identity ~ 'halfvec|sparsevec' AND type <> 'cast' AND identity !~ '\[\]$'
		LOOP
			EXECUTE 'ALTER EXTENSION vector DROP ' || name;
		END LOOP;
		FOR name IN
			SELECT format('(%s as %s)', castsource::regtype, casttarget::regtype) FROM pg_cast
			WHERE format('%s %s', castsource::regtype, casttarget::regtype) ~ '\m(halfvec|sparsevec)\M'
		LOOP
			EXECUTE 'ALTER EXTENSION vector DROP CAST ' || name;
		END LOOP;
		DROP TYPE halfvec, sparsevec CASCADE;
		DROP FUNCTION halfvec_combine, halfvec_typmod_in, sparsevec_typmod_in;
	END IF;
	IF n < '{0,6,1}' THEN
		UPDATE pg_operator SET oprcom = oid WHERE oid = '-(vector,vector)'::regoperator;
		ALTER OPERATOR <= (vector, vector) SET (RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
		ALTER OPERATOR >= (vector, vector) SET (RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
	END IF;
	IF n < '{0,6,0}' THEN
		ALTER TYPE vector SET (STORAGE = extended);
	END IF;
	-- comments came with 0.8.7
	DELETE FROM pg_description d USING pg_depend e
		WHERE (e.classid, e.objid) = (d.classoid, d.objoid) AND deptype = 'e'
			AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vector');
	UPDATE pg_extension SET extversion = version WHERE extname = 'vector';
END $$;

CREATE TABLE kept (version text, object text);

-- Both ways: what only one of two snapshots has.
CREATE FUNCTION compare(wanted text) RETURNS TABLE (side text, line text) LANGUAGE sql AS $$
	SELECT 'missing', m.* FROM (SELECT object FROM kept WHERE version = wanted EXCEPT SELECT snapshot()) m
	UNION ALL SELECT 'extra', e.* FROM (SELECT snapshot() EXCEPT SELECT object FROM kept WHERE version = wanted) e
$$;

-- pg_regress has installed 1.0
INSERT INTO kept SELECT '1.0', snapshot();
DROP EXTENSION vector;
CREATE EXTENSION vector VERSION '0.8.6';
INSERT INTO kept SELECT '0.8.6', snapshot();

-- ---------- 0.8.6: pgvector's surface ----------

SELECT classid::regclass AS catalog, count(*) FROM pg_depend
	WHERE deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vector')
		AND NOT (classid = 'pg_type'::regclass AND objid IN (SELECT typarray FROM pg_type WHERE typarray <> 0))
	GROUP BY 1 ORDER BY 1::text;
SELECT count(*) AS functions, count(DISTINCT prosrc) AS symbols FROM pg_proc
	WHERE prokind = 'f' AND probin = '$libdir/vector';
SELECT object FROM kept WHERE version = '0.8.6' AND object ~ '^operator (=|<>)\S+ ' ORDER BY object COLLATE "C";

-- ---------- there and back ----------

CREATE TABLE t (id int, v vector(3));
INSERT INTO t SELECT i, ARRAY[i % 7, i % 11, i % 13] FROM generate_series(1, 100) i;
CREATE INDEX ON t USING hnsw (v vector_l2_ops);
CREATE INDEX ON t USING ivfflat (v);
CREATE INDEX ON t (v);
CREATE VIEW uses AS SELECT v - v AS minus, v = v AS eq, v <> v AS ne, v <= v AS le FROM t;
ALTER EXTENSION vector UPDATE;
SELECT * FROM compare('1.0');
SELECT extversion FROM pg_extension WHERE extname = 'vector';
-- hashing and merging work at once
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM t a JOIN t b ON a.v = b.v;
SELECT count(*) FROM t a JOIN t b ON a.v = b.v;
SET enable_hashjoin = off;
SELECT count(*) FROM t a JOIN t b ON a.v = b.v;
RESET enable_nestloop;
RESET enable_hashjoin;
ALTER EXTENSION vector UPDATE TO '0.8.6';
SELECT * FROM compare('0.8.6');
SELECT count(*) FROM t a JOIN t b ON a.v = b.v;
ALTER EXTENSION vector UPDATE TO '1.0';
SELECT * FROM compare('1.0');
SELECT c.* FROM unnest(ARRAY['t_v_idx', 't_v_idx1']::regclass[]) i, hnsw_index_check(i, true, true) c;
DROP TABLE t CASCADE;
DROP EXTENSION vector;

-- ---------- from every version ----------

DO $$
DECLARE
	version text;
	problem record;
BEGIN
	FOREACH version IN ARRAY '{0.5.0,0.5.1,0.6.0,0.6.1,0.6.2,0.7.0,0.7.1,0.7.2,0.7.3,0.7.4,0.8.0,0.8.1,0.8.2,0.8.3,0.8.4,0.8.5,0.8.6}'::text[]
	LOOP
		EXECUTE 'CREATE EXTENSION vector VERSION ''0.8.6''';
		PERFORM degrade(version);
		RAISE WARNING '%: % objects', version, (SELECT count(*) FROM pg_depend WHERE deptype = 'e'
			AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vector')
			-- in 17 and later array types are members, too
			AND NOT (classid = 'pg_type'::regclass AND objid IN (SELECT typarray FROM pg_type)));
		EXECUTE 'ALTER EXTENSION vector UPDATE';
		FOR problem IN SELECT * FROM compare('1.0') LOOP
			RAISE WARNING '%: % %', version, problem.side, problem.line;
		END LOOP;
		EXECUTE 'DROP EXTENSION vector';
	END LOOP;
END $$;

-- a site whose control file says 0.8.6: from an old version through 1.0
CREATE EXTENSION vector VERSION '0.8.6';
SELECT degrade('0.6.2');
ALTER EXTENSION vector UPDATE TO '0.8.6';
SELECT * FROM compare('0.8.6');
DROP EXTENSION vector;

-- ---------- elsewhere than in public ----------

CREATE SCHEMA elsewhere;
CREATE EXTENSION vector SCHEMA elsewhere VERSION '0.8.6';
SET search_path = '';
ALTER EXTENSION vector UPDATE;
SELECT oprcanhash, oprcanmerge FROM pg_catalog.pg_operator
	WHERE oid OPERATOR(pg_catalog.=) 'elsewhere.=(elsewhere.vector,elsewhere.vector)'::pg_catalog.regoperator;
ALTER EXTENSION vector UPDATE TO '0.8.6';
DROP EXTENSION vector;
RESET search_path;
DROP SCHEMA elsewhere;

CREATE EXTENSION vector;
SELECT * FROM compare('1.0');
DROP TABLE kept;
DROP FUNCTION snapshot, degrade, compare;
