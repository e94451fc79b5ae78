-- What bench/filters measures: one row a filter, k and plan in filters.result.

DROP TABLE IF EXISTS filters.result CASCADE;
CREATE TABLE filters.result (selectivity float8, correlation text, k int, filter bigint,
	plan text, wanted int, rows int, good int, ms float8, chosen text);

-- Settings that leave only one plan, or the planner's choice.
CREATE OR REPLACE PROCEDURE filters.force(plan text) LANGUAGE plpgsql AS $$
DECLARE
	free boolean := plan IN ('default', 'strict_order');
BEGIN
	PERFORM set_config('enable_seqscan', (free OR plan = 'sequential')::text, true),
		set_config('enable_bitmapscan', (free OR plan IN ('bitmap', 'adaptive'))::text, true),
		set_config('enable_indexscan', (free OR plan IN ('graph', 'adaptive'))::text, true),
		set_config('enable_sort', (free OR plan NOT IN ('graph', 'adaptive'))::text, true);
	IF plan = 'strict_order' THEN
		SET LOCAL hnsw.iterative_scan = strict_order;
	ELSIF vector_dims('[1]'::vector) = 1 AND current_setting('hnsw.adaptive_scan', true) IS NOT NULL THEN
		-- the library has been loaded, and it is ours
		PERFORM set_config('hnsw.adaptive_scan', (plan IN ('default', 'adaptive'))::text, true);
	END IF;
END $$;

-- The scan that a statement uses, and how it ended if it could choose.
CREATE OR REPLACE FUNCTION filters.chosen(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	scan text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
		scan := coalesce(scan, CASE
			WHEN line ~ 'AdaptiveVectorScan' THEN 'adaptive'
			WHEN line ~ 'Index Scan using package_v' THEN 'graph'
			WHEN line ~ 'Bitmap Heap Scan' THEN 'bitmap'
			WHEN line ~ 'Seq Scan' THEN 'sequential'
			WHEN line ~ 'Scan' THEN 'index and sort' END);
		IF line ~ 'Ended By' THEN
			RETURN scan || ': ' || substring(line FROM 'Ended By: (.*)');
		END IF;
	END LOOP;
	RETURN scan;
END $$;

-- CPU time of this process so far, in ms.  The kernel brings it up to date when a
-- process gives up the processor, hence the sleep.
CREATE OR REPLACE FUNCTION filters.cpu() RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_sleep(1e-4);
	RETURN split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e6;
END $$;

-- The ids that a query finds, and its time: repeated for at least 20 ms, and not
-- at all if it is slow.
CREATE OR REPLACE FUNCTION filters.timed(statement text, OUT ids int[], OUT ms float8) LANGUAGE plpgsql AS $$
DECLARE
	first float8;
	times int;
	started float8 := filters.cpu();
BEGIN
	EXECUTE 'SELECT ARRAY(' || statement || ')' INTO ids;
	first := filters.cpu() - started;
	ms := first;
	IF first > 300 THEN
		RETURN;
	END IF;
	times := least(30, ceil(20 / greatest(first, 0.01)));
	started := filters.cpu();
	FOR i IN 1..times LOOP
		EXECUTE 'SELECT ARRAY(' || statement || ')' INTO ids;
	END LOOP;
	ms := (filters.cpu() - started) / times;
	IF first > 20 THEN
		ms := least(ms, first);
	END IF;
END $$;

CREATE OR REPLACE PROCEDURE filters.measure(f filters.filter, k int, plan text) LANGUAGE plpgsql AS $$
DECLARE
	q vector := (SELECT v FROM filters.query WHERE id = f.query);
	statement text := format('SELECT id FROM filters.package WHERE %s ORDER BY embedding <=> %L LIMIT %s', f.condition, q::text, k);
	ids int[];
	ms float8;
	bound float8;
	right_ids int;
BEGIN
	CALL filters.force(plan);
	SELECT * INTO ids, ms FROM filters.timed(statement);
	INSERT INTO filters.result VALUES (f.selectivity, f.correlation, k, f.id, plan, least(k, f.matching),
		cardinality(ids), 0, ms, filters.chosen(statement));
	-- a row is good if no farther than the last of the exact ones: ties cost nothing
	CALL filters.force('sequential');
	SET LOCAL enable_indexscan = on;
	SELECT max(embedding <=> q) INTO bound FROM filters.package WHERE id = ANY (f.exact[1:k]);
	SELECT count(*) INTO right_ids FROM filters.package WHERE id = ANY (ids) AND embedding <=> q <= bound + 1e-6;
	IF plan = 'sequential' AND right_ids <> least(k, f.matching) THEN
		RAISE 'filter %: the exact plan finds % of % rows', f.id, right_ids, least(k, f.matching);
	END IF;
	UPDATE filters.result r SET good = right_ids
		WHERE r.filter = f.id AND r.k = measure.k AND r.plan = measure.plan;
END $$;

CREATE OR REPLACE PROCEDURE filters.run(plans text[], queries int) LANGUAGE plpgsql AS $$
DECLARE
	f filters.filter;
	k int;
	plan text;
BEGIN
	FOR f IN SELECT (t.x).* FROM (SELECT x, row_number() OVER (PARTITION BY x.selectivity, x.correlation ORDER BY x.id) n
			FROM filters.filter x) t WHERE n <= queries ORDER BY (t.x).id LOOP
		FOREACH k IN ARRAY ARRAY[10, 100] LOOP
			FOREACH plan IN ARRAY plans LOOP
				CALL filters.measure(f, k, plan);
			END LOOP;
		END LOOP;
	END LOOP;
END $$;

-- The cells: one row for each selectivity, correlation and k.
CREATE VIEW filters.median AS
	SELECT selectivity, correlation, k, plan, sum(rows)::float8 / sum(wanted) AS rows, sum(good)::float8 / sum(wanted) AS recall,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms,
		(SELECT string_agg(c || ' ' || n, ', ' ORDER BY n DESC) FROM (SELECT chosen c, count(*) n FROM filters.result x
			WHERE (x.selectivity, x.correlation, x.k, x.plan) = (r.selectivity, r.correlation, r.k, r.plan) GROUP BY 1) y) AS chosen
	FROM filters.result r GROUP BY 1, 2, 3, 4;
-- A forced plan that does not find what it should is no measure.  The ratio is
-- the median of the filters' own, for filters of a cell differ.
CREATE VIEW filters.cells AS
	SELECT d.k, d.selectivity, d.correlation, round(d.rows::numeric, 3) AS rows, round(d.recall::numeric, 3) AS recall,
		round(d.ms::numeric, 2) AS ms, b.plan AS best, round(b.ms::numeric, 2) AS best_ms,
		(SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY x.ms / nullif(y.ms, 0))::numeric, 2) FROM filters.result x JOIN filters.result y USING (filter, k)
			WHERE (x.plan, y.plan, x.selectivity, x.correlation, k) = ('default', b.plan, d.selectivity, d.correlation, d.k)) AS ratio,
		round(p.rows::numeric, 3) AS peer_rows, round(p.recall::numeric, 3) AS peer_recall, round(p.ms::numeric, 2) AS peer_ms, d.chosen
	FROM filters.median d
		CROSS JOIN LATERAL (SELECT * FROM filters.median m WHERE (m.selectivity, m.correlation, m.k) = (d.selectivity, d.correlation, d.k)
			AND m.plan IN ('graph', 'bitmap', 'sequential') AND m.recall >= 0.95 ORDER BY m.ms LIMIT 1) b
		LEFT JOIN filters.median p ON (p.selectivity, p.correlation, p.k, p.plan) = (d.selectivity, d.correlation, d.k, 'strict_order')
	WHERE d.plan = 'default' ORDER BY d.k, d.selectivity DESC, d.correlation;
CREATE VIEW filters.summary AS
	SELECT format('k = %s: all rows in %s of %s cells, recall >= .95 in %s; time <= 1.5x the best forced plan in %s, <= 2x in %s; slowest cell %s ms',
		k, count(*) FILTER (WHERE rows = 1), count(*), count(*) FILTER (WHERE recall >= 0.95),
		count(*) FILTER (WHERE ratio <= 1.5), count(*) FILTER (WHERE ratio <= 2), max(ms))
	FROM filters.cells GROUP BY k ORDER BY k;
