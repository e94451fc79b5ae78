-- What bench/families does in each server.  Times are CPU times of the server
-- process: seconds, or microseconds of a query.

DROP SCHEMA IF EXISTS families CASCADE;
CREATE SCHEMA families;

CREATE TABLE families.result (way text, kind text, k int, ef int, recall float8, us float8, pages float8, worst float8);

CREATE FUNCTION families.cpu() RETURNS float8 VOLATILE LANGUAGE sql AS
	$$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e9 $$;

CREATE PROCEDURE families.create(type text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE families.data (kind text, id int, place int, x %s)', type);
	EXECUTE format('CREATE TABLE families.t (id int, place int, x %s) WITH (autovacuum_enabled = off)', type);
	EXECUTE format('CREATE TABLE families.q (kind text, id int, x %s, bound10 float8, bound100 float8)', type);
END $$;

-- The k-th least distance of each query, as the server itself computes it.
CREATE PROCEDURE families.begin(operator text) LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE families.result, families.q, families.t;
	EXECUTE format($f$INSERT INTO families.q
		SELECT d.kind, d.id, d.x, n.a[10], n.a[100]
		FROM families.data d, LATERAL (SELECT array_agg(y) AS a FROM
			(SELECT b.x %1$s d.x AS y FROM families.data b WHERE kind = 'base' ORDER BY 1 LIMIT 100) s) n
		WHERE d.kind <> 'base'$f$, operator);
	EXECUTE format($f$CREATE OR REPLACE PROCEDURE families.pass(which text, k int, INOUT good bigint, INOUT seconds float8, INOUT worst int)
		LANGUAGE plpgsql AS $p$
		DECLARE
			query record;
			distances float8[];
			started float8;
			found int;
		BEGIN
			good := 0;
			seconds := 0;
			worst := k;
			FOR query IN SELECT x, CASE k WHEN 10 THEN bound10 ELSE bound100 END AS bound
					FROM families.q WHERE kind = which LOOP
				started := families.cpu();
				distances := ARRAY(SELECT x %1$s query.x FROM families.t ORDER BY x %1$s query.x LIMIT k);
				seconds := seconds + families.cpu() - started;
				found := (SELECT count(*) FROM unnest(distances) d WHERE d <= query.bound + 1e-6 * abs(query.bound)
					OR query.bound = 'NaN');
				good := good + found;
				worst := LEAST(worst, found);
			END LOOP;
		END $p$ SET plan_cache_mode = force_generic_plan$f$, operator);
END $$;

-- The index comes about in some way.
CREATE PROCEDURE families.make(way text, opclass text) LANGUAGE plpgsql AS $$
DECLARE
	started float8;
	stopped float8;
	new record;
BEGIN
	IF way <> 'churn' THEN
		DROP INDEX IF EXISTS families.t_x;
		TRUNCATE families.t;
	END IF;
	IF way = 'build' THEN
		INSERT INTO families.t SELECT id, place, x FROM families.data WHERE kind = 'base' ORDER BY id;
		COMMIT;
	END IF;
	started := families.cpu();
	IF way <> 'churn' THEN
		EXECUTE format('CREATE INDEX t_x ON families.t USING hnsw (x %s)', opclass);
	END IF;
	IF way = 'insert' THEN
		FOR new IN SELECT id, place, x FROM families.data WHERE kind = 'base' ORDER BY id LOOP
			INSERT INTO families.t VALUES (new.id, new.place, new.x);
		END LOOP;
	ELSIF way = 'sorted' THEN
		FOR new IN SELECT id, place, x FROM families.data WHERE kind = 'base' ORDER BY place LOOP
			INSERT INTO families.t VALUES (new.id, new.place, new.x);
		END LOOP;
	ELSIF way = 'churn' THEN
		FOR new IN SELECT id, place, x FROM families.data WHERE kind = 'base' AND id % 10 < 3 ORDER BY id LOOP
			INSERT INTO families.t VALUES (new.id, new.place, new.x);
		END LOOP;
	END IF;
	stopped := families.cpu();
	INSERT INTO families.result VALUES (way, 'make', NULL, NULL, NULL, (stopped - started) * 1e6,
		pg_relation_size('families.t_x') / 8192);
	COMMIT;
	ANALYZE families.t;
END $$;

-- Pages that a query reads, of index and table, in the mean of some queries.
CREATE FUNCTION families.pages(which text, k int, operator text) RETURNS float8 VOLATILE LANGUAGE plpgsql AS $$
DECLARE
	query record;
	plan jsonb;
	sum float8 := 0;
	n int := 0;
BEGIN
	FOR query IN SELECT x FROM families.q WHERE kind = which ORDER BY id LIMIT 20 LOOP
		EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT JSON) SELECT id FROM families.t ORDER BY x %s %L LIMIT %s',
			operator, query.x, k) INTO plan;
		plan := plan -> 0 -> 'Plan';
		sum := sum + (plan ->> 'Shared Hit Blocks')::float8 + (plan ->> 'Shared Read Blocks')::float8;
		n := n + 1;
	END LOOP;
	RETURN sum / n;
END $$;

CREATE PROCEDURE families.search(way text, operator text, kinds text[], ks int[], efs int[]) LANGUAGE plpgsql AS $$
DECLARE
	good bigint;
	seconds float8;
	worst int;
	queries int;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	FOR a IN 1..cardinality(kinds) LOOP
		SELECT count(*) INTO queries FROM families.q WHERE kind = kinds[a];
		CALL families.pass(kinds[a], 10, good, seconds, worst);
		FOR b IN 1..cardinality(ks) LOOP
			FOR c IN 1..cardinality(efs) LOOP
				PERFORM set_config('hnsw.ef_search', efs[c]::text, true);
				CALL families.pass(kinds[a], ks[b], good, seconds, worst);
				INSERT INTO families.result VALUES (way, kinds[a], ks[b], efs[c], good::float8 / ks[b] / queries,
					seconds / queries * 1e6, families.pages(kinds[a], ks[b], operator), worst::float8 / ks[b]);
			END LOOP;
		END LOOP;
	END LOOP;
END $$;
