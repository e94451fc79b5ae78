-- What bench/types does in each server.  Every time is CPU time of the server
-- process that works: seconds, or microseconds of a query.

DROP SCHEMA IF EXISTS types CASCADE;
CREATE SCHEMA types;

CREATE TABLE types.result (case_name text, what text, ef int, value float8, recall float8);

CREATE FUNCTION types.cpu() RETURNS float8 VOLATILE LANGUAGE sql AS
	$$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e9 $$;

-- Base and query table of one kind of values.
CREATE PROCEDURE types.create(kind text, type text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE types.%I (id int, x %s)', kind, type);
	EXECUTE format('CREATE TABLE types.%I (id int, x %s)', kind || '_query', type);
END $$;

-- A case begins: a table of all rows but the last 'inserted', an index, and two
-- procedures whose statements are prepared once.
CREATE PROCEDURE types.build(case_name text, kind text, type text, opclass text, operator text, inserted int)
LANGUAGE plpgsql AS $$
DECLARE
	total int;
	started float8;
BEGIN
	EXECUTE format('SELECT count(*) FROM types.%I', kind) INTO total;
	EXECUTE format('CREATE TABLE types.t (id int, x %s) WITH (autovacuum_enabled = off)', type);
	EXECUTE format('INSERT INTO types.t SELECT id, x::%s FROM types.%I WHERE id < %s ORDER BY id', type, kind, total - inserted);
	EXECUTE format('CREATE TABLE types.rest AS SELECT id, x::%s AS x FROM types.%I WHERE id >= %s ORDER BY id', type, kind, total - inserted);
	EXECUTE format('CREATE TABLE types.q AS SELECT id, x::%s AS x, NULL::float8 AS bound FROM types.%I', type, kind || '_query');
	EXECUTE format($f$CREATE PROCEDURE types.pass(OUT rows bigint, OUT good bigint, OUT seconds float8) LANGUAGE plpgsql AS $p$
		DECLARE
			query record;
			distances float8[];
			started float8;
		BEGIN
			rows := 0;
			good := 0;
			seconds := 0;
			started := types.cpu();
			FOR query IN SELECT x, bound FROM types.q LOOP
				distances := ARRAY(SELECT x %1$s query.x FROM types.t ORDER BY x %1$s query.x LIMIT 10);
				rows := rows + cardinality(distances);
				good := good + (SELECT count(*) FROM unnest(distances) d WHERE d <= query.bound + 1e-6 * abs(query.bound));
			END LOOP;
			seconds := types.cpu() - started;
		END $p$ SET plan_cache_mode = force_generic_plan$f$, operator);
	EXECUTE format($f$CREATE PROCEDURE types.bounds() LANGUAGE sql AS
		'UPDATE types.q SET bound = (SELECT max(d) FROM (SELECT x %1$s q.x AS d FROM types.t ORDER BY 1 LIMIT 10) s)'$f$, operator);
	ANALYZE types.t;
	COMMIT;
	started := types.cpu();
	EXECUTE format('CREATE INDEX t_x ON types.t USING hnsw (x %s)', opclass);
	INSERT INTO types.result VALUES (case_name, 'build', NULL, types.cpu() - started),
		(case_name, 'size', NULL, pg_relation_size('types.t_x') / 1e6);
	COMMIT;
END $$;

CREATE PROCEDURE types.insert(case_name text) LANGUAGE plpgsql AS $$
DECLARE
	started float8 := types.cpu();
	new record;
BEGIN
	FOR new IN SELECT id, x FROM types.rest LOOP
		INSERT INTO types.t VALUES (new.id, new.x);
	END LOOP;
	INSERT INTO types.result VALUES (case_name, 'insert', NULL, types.cpu() - started);
END $$;

CREATE PROCEDURE types.search(case_name text, efs int[]) LANGUAGE plpgsql AS $$
DECLARE
	found bigint;
	good bigint;
	seconds float8;
	queries int := (SELECT count(*) FROM types.q);
BEGIN
	SET LOCAL enable_indexscan = off;
	CALL types.bounds();
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_seqscan = off;
	FOR i IN 1..cardinality(efs) LOOP
		PERFORM set_config('hnsw.ef_search', efs[i]::text, true);
		IF i = 1 THEN
			CALL types.pass(found, good, seconds);
		END IF;
		CALL types.pass(found, good, seconds);
		INSERT INTO types.result VALUES (case_name, 'query', efs[i], seconds / queries * 1e6, good / 10.0 / queries);
		EXIT WHEN good >= 0.9985 * 10 * queries;
	END LOOP;
END $$;

CREATE PROCEDURE types.finish() LANGUAGE sql AS $$
	DROP TABLE types.t, types.rest, types.q;
	DROP PROCEDURE types.pass, types.bounds;
$$;
