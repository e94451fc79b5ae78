-- Tables of bench/filters, empty, and the step after loading them.

CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA filters;
CREATE UNLOGGED TABLE filters.base (id int, v vector);
CREATE UNLOGGED TABLE filters.query (id int PRIMARY KEY, v vector);
CREATE UNLOGGED TABLE filters.raw (j jsonb);
CREATE UNLOGGED TABLE filters.raw_filter (j jsonb);

CREATE PROCEDURE filters.finish() LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL maintenance_work_mem = '1GB';
	CREATE TABLE filters.package AS
		SELECT (j->>'id')::int AS id, j->>'name' AS name, j->>'section' AS section,
			j->>'priority' AS priority, (j->>'installed_kb')::int AS installed_kb,
			j->'tags' AS tags, j->>'summary' AS summary, (j->>'bucket')::int AS bucket,
			(j->>'topic')::int AS topic, b.v::vector(384) AS embedding
		FROM filters.raw JOIN filters.base b ON b.id = (j->>'id')::int ORDER BY 1;
	ALTER TABLE filters.package ADD PRIMARY KEY (id);
	CREATE INDEX package_bucket ON filters.package (bucket);
	CREATE INDEX package_topic ON filters.package (topic);
	CREATE INDEX package_v ON filters.package USING hnsw (embedding vector_cosine_ops);
	CREATE TABLE filters.filter AS
		SELECT row_number() OVER () AS id, (j->>'query')::int AS query,
			(j->>'selectivity')::float8 AS selectivity, j->>'correlation' AS correlation,
			j->>'where' AS condition, (j->>'matching')::int AS matching,
			ARRAY(SELECT x::int FROM jsonb_array_elements_text(j->'exact') x) AS exact
		FROM filters.raw_filter;
	DROP TABLE filters.raw, filters.raw_filter, filters.base;
END $$;
