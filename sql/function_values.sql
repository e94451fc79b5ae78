--
-- function_values: every function of the extension with every odd value
--
-- Each function that SQL can call by name is called with all combinations of
-- the values below of its argument types.  What it returns must be sound, and
-- what it raises must be in the contract: no XX000 but the texts named there.
--

SET jit = off;
SET client_min_messages = warning;

-- values as expressions; not called with internal or polymorphic arguments
CREATE TABLE odd (type text, value text);
INSERT INTO odd
	SELECT t, format('%s::%s', v, t) FROM unnest(ARRAY['vector', 'halfvec']) t,
		unnest(ARRAY['NULL', '''[0]''', '''[-0]''', '''[1]''', '''[1,2,3]''', '''[-1,0,6e-8]''', 'array_fill(1, ARRAY[16000])',
			'array_fill(60000, ARRAY[16000])']) v
	UNION ALL SELECT 'vector', '''[3e38,-3e38,1e-45]''::vector'
	UNION ALL SELECT 'halfvec', '''[65504,-65504,6e-8]''::halfvec'
	UNION ALL SELECT 'sparsevec', format('%s::sparsevec', v) FROM unnest(ARRAY['NULL', '''{}/1''', '''{}/3''', '''{1:1}/1''', '''{1:1,3:-2}/3''',
		'''{1:3e38,2:-3e38,3:1e-45}/3''', '''{16000:1}/16001''', '''{1:1,1000000000:1}/1000000000''', 'array_fill(1, ARRAY[16000])']) v
	UNION ALL SELECT 'integer', v || '::integer' FROM unnest(ARRAY['NULL', '0', '1', '3', '(-1)', '16000', '16001', '2147483647', '(-2147483648)']) v
	UNION ALL SELECT 'bigint', v || '::bigint' FROM unnest(ARRAY['NULL', '0', '1', '(-1)', '9223372036854775807', '(-9223372036854775808)']) v
	UNION ALL SELECT 'boolean', v || '::boolean' FROM unnest(ARRAY['NULL', 'true']) v
	UNION ALL SELECT 'oid', v || '::oid' FROM unnest(ARRAY['NULL', '0']) v
	UNION ALL SELECT 'double precision', quote_nullable(v) || '::float8' FROM unnest(ARRAY[NULL, '0', '1', '-1', '1e308', 'NaN', 'Infinity', '-Infinity']) v
	UNION ALL SELECT 'bit', quote_nullable(v) || '::varbit' FROM unnest(ARRAY[NULL, '', '0', '1', '101', repeat('1', 16000)]) v
	UNION ALL SELECT 'bytea', v || '::bytea' FROM unnest(ARRAY['NULL', '''''', '''\x00''', '''\x0000803f''', '''\x7fc00000''', '''\x0000c07f''',
		'''\x007c''', '''\x7c00''', 'decode(repeat(''00'', 64000), ''hex'')', 'decode(repeat(''00'', 64004), ''hex'')']) v
	UNION ALL SELECT 'text', quote_nullable(v) || '::text' FROM unnest(ARRAY[NULL, 'little', 'big', '', 'x']) v
	UNION ALL SELECT 'cstring', quote_nullable(v) || '::cstring' FROM unnest(ARRAY[NULL, '', '[', '[1,2,3]', '[]', '[NaN]', '[1e39]', '[65520]',
		'{}/3', '{1:1}/3', '{1:1}/0', '{4:1}/3', '{1:NaN}/3', '{', '{}/1000000001']) v
	UNION ALL SELECT 'cstring[]', quote_nullable(v) || '::cstring[]' FROM unnest(ARRAY[NULL, '{}', '{1}', '{0}', '{-1}', '{16001}', '{1000000001}',
		'{2147483648}', '{a}', '{1,2}', '{NULL}', '{{1}}']) v
	UNION ALL SELECT t, format('%L::%s', v, t) FROM unnest(ARRAY['integer[]', 'real[]', 'double precision[]', 'numeric[]']) t,
		unnest(ARRAY[NULL, '{}', '{0}', '{1}', '{1,2,3}', '[5:7]={1,2,3}', '{{1,2},{3,4}}', '{1,NULL}', '{NULL}']) v
	UNION ALL SELECT t, format('%L::%s', v, t) FROM unnest(ARRAY['real[]', 'double precision[]', 'numeric[]']) t,
		unnest(ARRAY['{NaN}', '{Infinity}', '{1,-Infinity}', '{1e38,1}', '{1e-40}']) v WHERE t <> 'numeric[]' OR v !~ 'Inf'
	UNION ALL SELECT t, format('%L::%s', v, t) FROM unnest(ARRAY['double precision[]', 'numeric[]']) t, unnest(ARRAY['{1e39}', '{1e-300}', '{2,1,NaN}']) v
	UNION ALL SELECT t, format('array_fill(%s, ARRAY[%s])::%s', v, n, t) FROM unnest(ARRAY['integer[]', 'real[]', 'double precision[]', 'numeric[]']) t,
		unnest(ARRAY[0, 2]) v, unnest(ARRAY[16000, 16001, 16002]) n
	UNION ALL SELECT t, format('%s::%s', v, t) FROM unnest(ARRAY['vector[]', 'halfvec[]']) t,
		unnest(ARRAY['NULL', '''{}''', '''{"[1,2]"}''', '''{"[1,2]","[0,-3]"}''', '''{"[1]","[1,2]"}''', '''{NULL}''', '''{{"[1,2]"}}''',
			'''[3:3]={"[1,2]"}''']) v;

ALTER TABLE odd ALTER type TYPE regtype USING type::regtype;

-- the functions that have values for all their arguments
CREATE TABLE called AS
	SELECT p.oid::regprocedure AS function, n.nspname, p.proname, ARRAY(SELECT unnest(p.proargtypes)) AS args, p.prorettype::regtype AS returns
	FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND extname = 'vector'
		JOIN pg_proc p ON p.oid = d.objid JOIN pg_namespace n ON n.oid = pronamespace
	WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND prokind = 'f' AND pronargs > 0
		AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) a WHERE a NOT IN (SELECT type::oid FROM odd));

-- One function with all combinations.  'states': what its calls ended with, in
-- the order of the codes.  'unsound': results of our types that their text does
-- not give again.  'others': XX000 and anything that is not of our making.
CREATE FUNCTION try(f called) RETURNS TABLE (calls int, states text, unsound int, others text[]) LANGUAGE plpgsql AS $$
DECLARE
	query text := '';
	call record;
	ok boolean;
	state text;
	message text;
	ended text[] := '{}';
BEGIN
	calls := 0;
	unsound := 0;
	others := '{}';
	query := 'SELECT '''' AS args';
	FOR i IN 1 .. cardinality(f.args) LOOP
		query := format('SELECT q.args || %L || o.value AS args FROM (%s) q, odd o WHERE o.type = %s::oid',
			CASE WHEN i > 1 THEN ', ' ELSE '' END, query, f.args[i]);
	END LOOP;
	FOR call IN EXECUTE query LOOP
		calls := calls + 1;
		state := '00000';
		BEGIN
			EXECUTE format(CASE WHEN f.returns::text ~ '^(vector|halfvec|sparsevec)$'
				THEN 'SELECT r IS NULL OR r = r::text::%s FROM (SELECT %I.%I(%s) AS r OFFSET 0) t'
				ELSE 'SELECT coalesce(length(r), 0) >= 0 FROM (SELECT %2$I.%3$I(%4$s)::text AS r OFFSET 0) t' END,
				f.returns, f.nspname, f.proname, call.args) INTO ok;
			unsound := unsound + (NOT ok)::int;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
			IF state NOT IN ('22000', '22003', '22004', '22023', '22P02', '22P03', '54000', '2202E') AND NOT message = ANY (others) THEN
				others := others || message;
			END IF;
		END;
		IF NOT state = ANY (ended) THEN
			ended := ended || state;
		END IF;
	END LOOP;
	SELECT string_agg(s, ' ' ORDER BY s) INTO states FROM unnest(ended) s;
	RETURN NEXT;
END $$;

CREATE TABLE result AS SELECT c.function, r.* FROM called c, try(c) r;
SELECT count(*) >= 118 AS functions, sum(calls) >= 13000 AS calls, sum(unsound) AS unsound FROM result;
SELECT function, others FROM result WHERE others <> '{}' ORDER BY function::text COLLATE "C";
-- what never raises, and what does where dimensions differ
SELECT function, states FROM result WHERE function::text ~ '_(lt|le|eq|ne|ge|gt|cmp|hash|hash_extended|send|out|dims|norm)\(' AND states <> '00000';
SELECT states, count(*) >= 22 AS functions FROM result WHERE function::text ~ 'distance\(|product\(' GROUP BY 1;

-- an index of every class over the values that columns can have
CREATE TABLE accepted (id int, v vector(3), h halfvec(3), s sparsevec(3), b bit(3));
INSERT INTO accepted SELECT i, a::real[]::vector, a::real[]::vector::halfvec, a::real[]::sparsevec, (i % 8)::bit(3)
	FROM unnest(ARRAY['{0,0,0}', '{-0,0,-0}', '{1,2,3}', '{65504,-65504,6e-8}', '{1e-40,0,0}', '{1e-45,1e-45,0}', '{1,1,1}', '{-1,-1,-1}']) WITH ORDINALITY t (a, n),
		generate_series(1, 40) i;
INSERT INTO accepted SELECT i, '[3e38,-3e38,3e38]', NULL, '{1:3e38,3:-3e38}/3', NULL FROM generate_series(41, 60) i;
DO $$
DECLARE
	class record;
	n bigint;
BEGIN
	FOR class IN SELECT opcname, a.attname, amname, oprname FROM pg_opclass c JOIN pg_am m ON m.oid = opcmethod AND amname IN ('hnsw', 'ivfflat')
			JOIN pg_attribute a ON a.attrelid = 'accepted'::regclass AND a.atttypid = opcintype
			JOIN pg_amop ON amopfamily = opcfamily JOIN pg_operator o ON o.oid = amopopr
			ORDER BY amname, opcintype::regtype::text, opcname LOOP
		EXECUTE format('CREATE INDEX made ON accepted USING %I (%I %I)', class.amname, class.attname, class.opcname);
		IF EXISTS (SELECT FROM hnsw_index_check('made', true, true) WHERE severity <> 'notice') THEN
			RAISE WARNING '% of % is not sound', class.opcname, class.amname;
		END IF;
		SET LOCAL enable_seqscan = off;
		EXECUTE format('SELECT count(*) FROM (SELECT id FROM accepted k, LATERAL (SELECT FROM accepted ORDER BY %1$I %2$s k.%1$I LIMIT 30) r WHERE k.id %% 20 = 1) t',
			class.attname, class.oprname) INTO n;
		RAISE WARNING '% % %: % rows', class.amname, class.opcname, class.oprname, n;
		SET LOCAL enable_seqscan = on;
		DROP INDEX made;
	END LOOP;
END $$;

DROP TABLE accepted, odd, result;
DROP FUNCTION try(called);
DROP TABLE called;
