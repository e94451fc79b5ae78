--
-- catalog: what clients, dumps and dependent extensions find in the catalogs
--
-- The lists below state the contract; the script is not their source.  Each
-- comparison shows what only one side has: no rows.
--

CREATE FUNCTION members(class regclass) RETURNS SETOF oid LANGUAGE sql STABLE AS $$
	SELECT objid FROM pg_depend
	WHERE deptype = 'e' AND classid = class AND refclassid = 'pg_extension'::regclass
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vector')
$$;

-- ---------- types ----------

SELECT typname, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typalign, typstorage, typcollation,
	typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typarray::regtype
	FROM pg_type WHERE oid IN ('vector'::regtype, 'halfvec'::regtype, 'sparsevec'::regtype) ORDER BY oid \gx
SELECT to_regtype('vector'), to_regtype('_vector'), '_vector'::regtype = 'vector[]'::regtype AS same;
SELECT to_regtype('halfvec'), to_regtype('_halfvec'), '_halfvec'::regtype = 'halfvec[]'::regtype AS same;
SELECT to_regtype('sparsevec'), to_regtype('_sparsevec'), '_sparsevec'::regtype = 'sparsevec[]'::regtype AS same;
SELECT format_type('vector'::regtype, 3), format_type('vector'::regtype, -1), format_type('vector[]'::regtype, 3);
SELECT format_type('halfvec'::regtype, 3), format_type('halfvec'::regtype, -1), format_type('halfvec[]'::regtype, 3);
SELECT format_type('sparsevec'::regtype, 1000000000), format_type('sparsevec'::regtype, -1), format_type('sparsevec[]'::regtype, 3);

-- ---------- functions ----------

CREATE TABLE contract (name text, args text, result text, symbol text);
INSERT INTO contract (name, args, result) VALUES
	('vector_in', 'cstring, oid, integer', 'vector'),
	('vector_out', 'vector', 'cstring'),
	('vector_typmod_in', 'cstring[]', 'integer'),
	('vector_recv', 'internal, oid, integer', 'vector'),
	('vector_send', 'vector', 'bytea'),
	('l2_distance', 'vector, vector', 'double precision'),
	('inner_product', 'vector, vector', 'double precision'),
	('cosine_distance', 'vector, vector', 'double precision'),
	('l1_distance', 'vector, vector', 'double precision'),
	('vector_dims', 'vector', 'integer'),
	('vector_norm', 'vector', 'double precision'),
	('l2_normalize', 'vector', 'vector'),
	('binary_quantize', 'vector', 'bit'),
	('subvector', 'vector, integer, integer', 'vector'),
	('vector_add', 'vector, vector', 'vector'),
	('vector_sub', 'vector, vector', 'vector'),
	('vector_mul', 'vector, vector', 'vector'),
	('vector_concat', 'vector, vector', 'vector'),
	('vector_lt', 'vector, vector', 'boolean'),
	('vector_le', 'vector, vector', 'boolean'),
	('vector_eq', 'vector, vector', 'boolean'),
	('vector_ne', 'vector, vector', 'boolean'),
	('vector_ge', 'vector, vector', 'boolean'),
	('vector_gt', 'vector, vector', 'boolean'),
	('vector_cmp', 'vector, vector', 'integer'),
	('vector_hash', 'vector', 'integer'),
	('vector_hash_extended', 'vector, bigint', 'bigint'),
	('vector_l2_squared_distance', 'vector, vector', 'double precision'),
	('vector_negative_inner_product', 'vector, vector', 'double precision'),
	('vector_spherical_distance', 'vector, vector', 'double precision'),
	('vector_accum', 'double precision[], vector', 'double precision[]'),
	('vector_combine', 'double precision[], double precision[]', 'double precision[]'),
	('vector_avg', 'double precision[]', 'vector'),
	('vector', 'vector, integer, boolean', 'vector'),
	('array_to_vector', 'integer[], integer, boolean', 'vector'),
	('array_to_vector', 'real[], integer, boolean', 'vector'),
	('array_to_vector', 'double precision[], integer, boolean', 'vector'),
	('array_to_vector', 'numeric[], integer, boolean', 'vector'),
	('vector_to_float4', 'vector, integer, boolean', 'real[]'),
	('vector_to_halfvec', 'vector, integer, boolean', 'halfvec'),
	('vector_to_sparsevec', 'vector, integer, boolean', 'sparsevec');
-- the symbol is the name
UPDATE contract SET symbol = name;

INSERT INTO contract VALUES
	('halfvec_in', 'cstring, oid, integer', 'halfvec', 'halfvec_in'),
	('halfvec_out', 'halfvec', 'cstring', 'halfvec_out'),
	('halfvec_typmod_in', 'cstring[]', 'integer', 'halfvec_typmod_in'),
	('halfvec_recv', 'internal, oid, integer', 'halfvec', 'halfvec_recv'),
	('halfvec_send', 'halfvec', 'bytea', 'halfvec_send'),
	('l2_distance', 'halfvec, halfvec', 'double precision', 'halfvec_l2_distance'),
	('inner_product', 'halfvec, halfvec', 'double precision', 'halfvec_inner_product'),
	('cosine_distance', 'halfvec, halfvec', 'double precision', 'halfvec_cosine_distance'),
	('l1_distance', 'halfvec, halfvec', 'double precision', 'halfvec_l1_distance'),
	('vector_dims', 'halfvec', 'integer', 'halfvec_vector_dims'),
	('l2_norm', 'halfvec', 'double precision', 'halfvec_l2_norm'),
	('l2_normalize', 'halfvec', 'halfvec', 'halfvec_l2_normalize'),
	('binary_quantize', 'halfvec', 'bit', 'halfvec_binary_quantize'),
	('subvector', 'halfvec, integer, integer', 'halfvec', 'halfvec_subvector'),
	('halfvec_add', 'halfvec, halfvec', 'halfvec', 'halfvec_add'),
	('halfvec_sub', 'halfvec, halfvec', 'halfvec', 'halfvec_sub'),
	('halfvec_mul', 'halfvec, halfvec', 'halfvec', 'halfvec_mul'),
	('halfvec_concat', 'halfvec, halfvec', 'halfvec', 'halfvec_concat'),
	('halfvec_lt', 'halfvec, halfvec', 'boolean', 'halfvec_lt'),
	('halfvec_le', 'halfvec, halfvec', 'boolean', 'halfvec_le'),
	('halfvec_eq', 'halfvec, halfvec', 'boolean', 'halfvec_eq'),
	('halfvec_ne', 'halfvec, halfvec', 'boolean', 'halfvec_ne'),
	('halfvec_ge', 'halfvec, halfvec', 'boolean', 'halfvec_ge'),
	('halfvec_gt', 'halfvec, halfvec', 'boolean', 'halfvec_gt'),
	('halfvec_cmp', 'halfvec, halfvec', 'integer', 'halfvec_cmp'),
	('halfvec_hash', 'halfvec', 'integer', 'halfvec_hash'),
	('halfvec_hash_extended', 'halfvec, bigint', 'bigint', 'halfvec_hash_extended'),
	('halfvec_l2_squared_distance', 'halfvec, halfvec', 'double precision', 'halfvec_l2_squared_distance'),
	('halfvec_negative_inner_product', 'halfvec, halfvec', 'double precision', 'halfvec_negative_inner_product'),
	('halfvec_spherical_distance', 'halfvec, halfvec', 'double precision', 'halfvec_spherical_distance'),
	('halfvec_accum', 'double precision[], halfvec', 'double precision[]', 'halfvec_accum'),
	('halfvec_combine', 'double precision[], double precision[]', 'double precision[]', 'vector_combine'),
	('halfvec_avg', 'double precision[]', 'halfvec', 'halfvec_avg'),
	('halfvec', 'halfvec, integer, boolean', 'halfvec', 'halfvec'),
	('array_to_halfvec', 'integer[], integer, boolean', 'halfvec', 'array_to_halfvec'),
	('array_to_halfvec', 'real[], integer, boolean', 'halfvec', 'array_to_halfvec'),
	('array_to_halfvec', 'double precision[], integer, boolean', 'halfvec', 'array_to_halfvec'),
	('array_to_halfvec', 'numeric[], integer, boolean', 'halfvec', 'array_to_halfvec'),
	('halfvec_to_float4', 'halfvec, integer, boolean', 'real[]', 'halfvec_to_float4'),
	('halfvec_to_vector', 'halfvec, integer, boolean', 'vector', 'halfvec_to_vector'),
	('halfvec_to_sparsevec', 'halfvec, integer, boolean', 'sparsevec', 'halfvec_to_sparsevec'),
	('sparsevec_in', 'cstring, oid, integer', 'sparsevec', 'sparsevec_in'),
	('sparsevec_out', 'sparsevec', 'cstring', 'sparsevec_out'),
	('sparsevec_typmod_in', 'cstring[]', 'integer', 'sparsevec_typmod_in'),
	('sparsevec_recv', 'internal, oid, integer', 'sparsevec', 'sparsevec_recv'),
	('sparsevec_send', 'sparsevec', 'bytea', 'sparsevec_send'),
	('l2_distance', 'sparsevec, sparsevec', 'double precision', 'sparsevec_l2_distance'),
	('inner_product', 'sparsevec, sparsevec', 'double precision', 'sparsevec_inner_product'),
	('cosine_distance', 'sparsevec, sparsevec', 'double precision', 'sparsevec_cosine_distance'),
	('l1_distance', 'sparsevec, sparsevec', 'double precision', 'sparsevec_l1_distance'),
	('l2_norm', 'sparsevec', 'double precision', 'sparsevec_l2_norm'),
	('l2_normalize', 'sparsevec', 'sparsevec', 'sparsevec_l2_normalize'),
	('sparsevec_lt', 'sparsevec, sparsevec', 'boolean', 'sparsevec_lt'),
	('sparsevec_le', 'sparsevec, sparsevec', 'boolean', 'sparsevec_le'),
	('sparsevec_eq', 'sparsevec, sparsevec', 'boolean', 'sparsevec_eq'),
	('sparsevec_ne', 'sparsevec, sparsevec', 'boolean', 'sparsevec_ne'),
	('sparsevec_ge', 'sparsevec, sparsevec', 'boolean', 'sparsevec_ge'),
	('sparsevec_gt', 'sparsevec, sparsevec', 'boolean', 'sparsevec_gt'),
	('sparsevec_cmp', 'sparsevec, sparsevec', 'integer', 'sparsevec_cmp'),
	('sparsevec_hash', 'sparsevec', 'integer', 'sparsevec_hash'),
	('sparsevec_hash_extended', 'sparsevec, bigint', 'bigint', 'sparsevec_hash_extended'),
	('sparsevec_l2_squared_distance', 'sparsevec, sparsevec', 'double precision', 'sparsevec_l2_squared_distance'),
	('sparsevec_negative_inner_product', 'sparsevec, sparsevec', 'double precision', 'sparsevec_negative_inner_product'),
	('sparsevec', 'sparsevec, integer, boolean', 'sparsevec', 'sparsevec'),
	('array_to_sparsevec', 'integer[], integer, boolean', 'sparsevec', 'array_to_sparsevec'),
	('array_to_sparsevec', 'real[], integer, boolean', 'sparsevec', 'array_to_sparsevec'),
	('array_to_sparsevec', 'double precision[], integer, boolean', 'sparsevec', 'array_to_sparsevec'),
	('array_to_sparsevec', 'numeric[], integer, boolean', 'sparsevec', 'array_to_sparsevec'),
	('sparsevec_to_vector', 'sparsevec, integer, boolean', 'vector', 'sparsevec_to_vector'),
	('sparsevec_to_halfvec', 'sparsevec, integer, boolean', 'halfvec', 'sparsevec_to_halfvec'),
	('hamming_distance', 'bit, bit', 'double precision', 'hamming_distance'),
	('jaccard_distance', 'bit, bit', 'double precision', 'jaccard_distance');

CREATE TABLE found AS
	SELECT proname::text AS name, oidvectortypes(proargtypes) AS args, format_type(prorettype, NULL) AS result, prosrc AS symbol,
		provolatile, proisstrict, proparallel, prokind, proretset, procost
	FROM pg_proc WHERE oid IN (SELECT members('pg_proc'));
SELECT 'missing' AS what, c.* FROM (TABLE contract EXCEPT SELECT name, args, result, symbol FROM found) c;
SELECT DISTINCT provolatile, proisstrict, proparallel, prokind, proretset, procost
	FROM found JOIN contract USING (name, args);
-- of functions over the types, nothing else, except functions beyond pgvector
SELECT 'extra' AS what, name, args FROM found f
	WHERE prokind = 'f' AND name !~ '_bytea$|^mmr_' AND string_to_array(args || ', ' || result, ', ') && ARRAY['vector', 'halfvec', 'sparsevec', 'bit']
		AND NOT EXISTS (SELECT FROM contract c WHERE (c.name, c.args) = (f.name, f.args))
	ORDER BY name, args;
-- a bare literal finds these, for each has one overload
SELECT name, count(*) FROM found WHERE name IN ('vector_norm', 'hamming_distance', 'jaccard_distance', 'hnswhandler') GROUP BY name ORDER BY name;
SELECT vector_norm('[3,4]');

SELECT name, args, result, symbol, provolatile, proisstrict, proparallel FROM found
	WHERE name IN ('hnswhandler', 'hnsw_halfvec_support', 'hnsw_sparsevec_support', 'hnsw_bit_support') ORDER BY name;
DROP TABLE found, contract;

-- ---------- operators ----------

CREATE TABLE contract (type regtype, name text, proc text, result text, com text, neg text, rest text, join_ text, hashes boolean);
INSERT INTO contract VALUES
	('vector', '<->', 'l2_distance', 'double precision', '<->', '', '-', '-', false),
	('vector', '<#>', 'vector_negative_inner_product', 'double precision', '<#>', '', '-', '-', false),
	('vector', '<=>', 'cosine_distance', 'double precision', '<=>', '', '-', '-', false),
	('vector', '<+>', 'l1_distance', 'double precision', '<+>', '', '-', '-', false),
	('vector', '+', 'vector_add', 'vector', '+', '', '-', '-', false),
	('vector', '*', 'vector_mul', 'vector', '*', '', '-', '-', false),
	('vector', '-', 'vector_sub', 'vector', '', '', '-', '-', false),
	('vector', '||', 'vector_concat', 'vector', '', '', '-', '-', false),
	('vector', '<', 'vector_lt', 'boolean', '>', '>=', 'scalarltsel', 'scalarltjoinsel', false),
	('vector', '<=', 'vector_le', 'boolean', '>=', '>', 'scalarlesel', 'scalarlejoinsel', false),
	('vector', '=', 'vector_eq', 'boolean', '=', '<>', 'eqsel', 'eqjoinsel', true),
	('vector', '<>', 'vector_ne', 'boolean', '<>', '=', 'neqsel', 'neqjoinsel', false),
	('vector', '>=', 'vector_ge', 'boolean', '<=', '<', 'scalargesel', 'scalargejoinsel', false),
	('vector', '>', 'vector_gt', 'boolean', '<', '<=', 'scalargtsel', 'scalargtjoinsel', false),
	('halfvec', '<->', 'l2_distance', 'double precision', '<->', '', '-', '-', false),
	('halfvec', '<#>', 'halfvec_negative_inner_product', 'double precision', '<#>', '', '-', '-', false),
	('halfvec', '<=>', 'cosine_distance', 'double precision', '<=>', '', '-', '-', false),
	('halfvec', '<+>', 'l1_distance', 'double precision', '<+>', '', '-', '-', false),
	('halfvec', '+', 'halfvec_add', 'halfvec', '+', '', '-', '-', false),
	('halfvec', '*', 'halfvec_mul', 'halfvec', '*', '', '-', '-', false),
	('halfvec', '-', 'halfvec_sub', 'halfvec', '', '', '-', '-', false),
	('halfvec', '||', 'halfvec_concat', 'halfvec', '', '', '-', '-', false),
	('halfvec', '<', 'halfvec_lt', 'boolean', '>', '>=', 'scalarltsel', 'scalarltjoinsel', false),
	('halfvec', '<=', 'halfvec_le', 'boolean', '>=', '>', 'scalarlesel', 'scalarlejoinsel', false),
	('halfvec', '=', 'halfvec_eq', 'boolean', '=', '<>', 'eqsel', 'eqjoinsel', true),
	('halfvec', '<>', 'halfvec_ne', 'boolean', '<>', '=', 'neqsel', 'neqjoinsel', false),
	('halfvec', '>=', 'halfvec_ge', 'boolean', '<=', '<', 'scalargesel', 'scalargejoinsel', false),
	('halfvec', '>', 'halfvec_gt', 'boolean', '<', '<=', 'scalargtsel', 'scalargtjoinsel', false),
	('sparsevec', '<->', 'l2_distance', 'double precision', '<->', '', '-', '-', false),
	('sparsevec', '<#>', 'sparsevec_negative_inner_product', 'double precision', '<#>', '', '-', '-', false),
	('sparsevec', '<=>', 'cosine_distance', 'double precision', '<=>', '', '-', '-', false),
	('sparsevec', '<+>', 'l1_distance', 'double precision', '<+>', '', '-', '-', false),
	('sparsevec', '<', 'sparsevec_lt', 'boolean', '>', '>=', 'scalarltsel', 'scalarltjoinsel', false),
	('sparsevec', '<=', 'sparsevec_le', 'boolean', '>=', '>', 'scalarlesel', 'scalarlejoinsel', false),
	('sparsevec', '=', 'sparsevec_eq', 'boolean', '=', '<>', 'eqsel', 'eqjoinsel', true),
	('sparsevec', '<>', 'sparsevec_ne', 'boolean', '<>', '=', 'neqsel', 'neqjoinsel', false),
	('sparsevec', '>=', 'sparsevec_ge', 'boolean', '<=', '<', 'scalargesel', 'scalargejoinsel', false),
	('sparsevec', '>', 'sparsevec_gt', 'boolean', '<', '<=', 'scalargtsel', 'scalargtjoinsel', false),
	('bit', '<~>', 'hamming_distance', 'double precision', '<~>', '', '-', '-', false),
	('bit', '<%>', 'jaccard_distance', 'double precision', '<%>', '', '-', '-', false);
CREATE TABLE found AS
	SELECT o.oprleft::regtype AS type, o.oprname::text AS name, p.proname::text AS proc, format_type(o.oprresult, NULL) AS result, coalesce(c.oprname, '')::text AS com,
		coalesce(n.oprname, '')::text AS neg, o.oprrest::text AS rest, o.oprjoin::text AS join_, o.oprcanhash AS hashes
	FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
		LEFT JOIN pg_operator c ON c.oid = o.oprcom LEFT JOIN pg_operator n ON n.oid = o.oprnegate
	WHERE o.oid IN (SELECT members('pg_operator')) AND o.oprleft IN ('vector'::regtype, 'halfvec'::regtype, 'sparsevec'::regtype, 'bit'::regtype)
		AND o.oprleft = o.oprright AND o.oprcanhash = o.oprcanmerge;
SELECT 'missing' AS what, c.* FROM (TABLE contract EXCEPT TABLE found) c;
SELECT 'extra' AS what, f.* FROM (TABLE found EXCEPT TABLE contract) f;
-- none of mixed types
SELECT oid::regoperator AS mixed FROM pg_operator
	WHERE oid IN (SELECT members('pg_operator')) AND oprleft <> oprright;
DROP TABLE found, contract;

-- ---------- casts ----------

SELECT castsource::regtype::text COLLATE "C" AS source, casttarget::regtype::text COLLATE "C" AS target,
	castcontext, castmethod, castfunc::regprocedure
	FROM pg_cast WHERE oid IN (SELECT members('pg_cast')) ORDER BY 1, 2;

-- ---------- aggregates ----------

SELECT aggfnoid::regprocedure, aggtransfn, aggtranstype::regtype, aggfinalfn, aggcombinefn, agginitval,
	aggserialfn, aggmtransfn, aggkind, aggsortop, provolatile, proparallel
	FROM pg_aggregate JOIN pg_proc ON oid = aggfnoid
	WHERE oid IN (SELECT members('pg_proc')) AND proargtypes[0] IN ('vector'::regtype, 'halfvec'::regtype, 'sparsevec'::regtype)
	ORDER BY aggfnoid::regprocedure::text COLLATE "C";

-- ---------- access method and operator classes ----------

SELECT amname, amtype, amhandler FROM pg_am WHERE oid IN (SELECT members('pg_am')) AND amname = 'hnsw';
SELECT amname, opcname, opcintype::regtype, opckeytype::regtype, opcdefault
	FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod
	WHERE c.oid IN (SELECT members('pg_opclass')) AND opcintype IN ('vector'::regtype, 'halfvec'::regtype, 'sparsevec'::regtype, 'bit'::regtype) AND amname IN ('btree', 'hash', 'hnsw')
	ORDER BY amname, opcname;
SELECT amname, f.opfname, amopstrategy AS n, amopopr::regoperator, amoppurpose AS purpose, s.opfname AS sorts_by
	FROM pg_amop JOIN pg_am a ON a.oid = amopmethod
		JOIN pg_opfamily f ON f.oid = amopfamily
		LEFT JOIN pg_opfamily s ON s.oid = amopsortfamily
	WHERE f.oid IN (SELECT members('pg_opfamily')) AND amoplefttype IN ('vector'::regtype, 'halfvec'::regtype, 'sparsevec'::regtype, 'bit'::regtype) AND amname IN ('btree', 'hash', 'hnsw')
	ORDER BY amname, f.opfname, n;
SELECT amname, opfname, amprocnum AS n, amproc::regprocedure
	FROM pg_amproc JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am a ON a.oid = opfmethod
	WHERE f.oid IN (SELECT members('pg_opfamily')) AND amproclefttype IN ('vector'::regtype, 'halfvec'::regtype, 'sparsevec'::regtype, 'bit'::regtype) AND amname IN ('btree', 'hash', 'hnsw')
	ORDER BY amname, opfname, n;

DROP FUNCTION members;

-- ---------- the extension ----------

SELECT extversion, extrelocatable FROM pg_extension WHERE extname = 'vector';
SELECT version, superuser, trusted, relocatable, schema, requires FROM pg_available_extension_versions
	WHERE name = 'vector' AND version = '1.0';

-- any user with CREATE on the database can have it, and what it makes
CREATE DATABASE regression_vector_trusted;
CREATE ROLE regress_vector_user;
GRANT CREATE ON DATABASE regression_vector_trusted TO regress_vector_user;
\set here :DBNAME
\c regression_vector_trusted
SET ROLE regress_vector_user;
CREATE SCHEMA mine;
CREATE EXTENSION vector SCHEMA mine;
CREATE TEMP TABLE t AS SELECT '[1,2]'::mine.vector(2) AS v;
SELECT v OPERATOR(mine.<->) '[4,6]', mine.avg(v) OVER (), mine.vector_norm(v) = sqrt(5::float8) FROM t;
DROP EXTENSION vector CASCADE;
\c :here
DROP DATABASE regression_vector_trusted;
DROP ROLE regress_vector_user;
