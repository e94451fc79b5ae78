-- tools.sql: what the tour shows beside the answers.

CREATE SCHEMA demo;

-- The plan of a query as it ran, one line a node: rows, milliseconds and pages
-- of 8 kB, each with all that is below the node.
CREATE FUNCTION demo.plan(query text)
RETURNS TABLE (plan text, rows numeric, ms numeric, pages bigint)
LANGUAGE plpgsql AS $$
DECLARE
	explained jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ' || query INTO explained;
	RETURN QUERY
	WITH RECURSIVE node (path, j) AS (
		SELECT ARRAY[1::bigint], explained -> 0 -> 'Plan'
		UNION ALL
		SELECT node.path || child.n, child.j
		FROM node, jsonb_array_elements(node.j -> 'Plans')
			 WITH ORDINALITY AS child (j, n)
	), line (path, n, text, j) AS (
		SELECT path, 0, concat(j ->> 'Subplan Name' || ': ', j ->> 'Node Type',
							   ' using ' || (j ->> 'Index Name'),
							   ' on ' || (j ->> 'Relation Name')), j
		FROM node
		UNION ALL
		SELECT path, detail.n, '  ' || label || ': ' || (j ->> label)
			   || CASE WHEN label = 'Filter' THEN
				  format(' (%s rows removed)',
						 (j ->> 'Rows Removed by Filter')::numeric
						 * (j ->> 'Actual Loops')::numeric)
				  ELSE '' END, NULL
		FROM node, unnest(ARRAY['Index Cond', 'Order By', 'Filter'])
			 WITH ORDINALITY AS detail (label, n)
		WHERE j ? label AND NOT j ? 'Subplan Name'
	)
	SELECT repeat('  ', cardinality(path) - 1) || line.text,
		   (j ->> 'Actual Rows')::numeric * (j ->> 'Actual Loops')::numeric,
		   round((j ->> 'Actual Total Time')::numeric
				 * (j ->> 'Actual Loops')::numeric, 2),
		   (j ->> 'Shared Hit Blocks')::bigint
		   + (j ->> 'Shared Read Blocks')::bigint
	FROM line
	ORDER BY path, n;
END $$;

-- The ten nearest packages to each of the questions.
CREATE VIEW demo.nearest AS
SELECT question, name, distance
FROM questions q CROSS JOIN LATERAL (
	SELECT name, embedding <=> q.embedding AS distance
	FROM packages
	ORDER BY embedding <=> q.embedding
	LIMIT 10) AS n;

-- What answering one question costs by the plan now in force, on average over
-- all of them: one process, no client, the best of three runs.
CREATE FUNCTION demo.cost(OUT scan text, OUT ms numeric, OUT index_pages numeric,
						  OUT table_pages numeric)
LANGUAGE plpgsql AS $$
DECLARE
	explained jsonb;
	access jsonb;
	questions numeric = (SELECT count(*) FROM questions);
	before bigint;
BEGIN
	FOR run IN 1 .. 3 LOOP
		before = pg_stat_get_xact_blocks_fetched('packages'::regclass);
		EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT json)
				 SELECT * FROM demo.nearest' INTO explained;
		ms = least(ms, (explained -> 0 ->> 'Execution Time')::numeric / questions);
	END LOOP;
	access = jsonb_path_query_first(explained,
									'$.** ? (@."Relation Name" == "packages")');
	scan = access ->> 'Node Type';

	-- The scan's pages are those of index and table; the table's are counted apart.
	table_pages = (pg_stat_get_xact_blocks_fetched('packages'::regclass) - before)
				  / questions;
	index_pages = ((access ->> 'Shared Hit Blocks')::numeric
				   + (access ->> 'Shared Read Blocks')::numeric) / questions
				  - table_pages;
END $$;

-- The distance of each question's tenth answer, found without the index.
CREATE TABLE demo.tenth (question text PRIMARY KEY, distance float8);

-- The share of the exact answers that the plan now in force finds.  A package no
-- farther than the exact tenth counts as found: equal distances are common here.
CREATE FUNCTION demo.recall() RETURNS numeric
LANGUAGE sql VOLATILE AS $$
	SELECT sum((n.distance <= t.distance)::int) / (SELECT 10.0 * count(*) FROM questions)
	FROM demo.nearest n JOIN demo.tenth t USING (question)
$$;
