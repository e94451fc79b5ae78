-- load.sql: the two tables, their data, and the ordinary indexes.
-- Run it from this directory: the paths below are relative.

CREATE EXTENSION vector;

-- A row with its embedding has about 2 kB, which is where PostgreSQL begins to
-- move long values out of it.  The larger toast_tuple_target keeps it together,
-- so that reading a row is reading one page.
CREATE TABLE packages (
	name			text,
	version			text,
	section			text,
	priority		text,
	architecture	text,
	installed_kb	integer,
	maintainer		text,
	tags			jsonb,
	summary			text,
	description		text,
	embedding		vector(384)
) WITH (toast_tuple_target = 8160);

CREATE TABLE questions (
	question		text PRIMARY KEY,
	embedding		vector(384)
);

\copy packages FROM PROGRAM 'gzip -dc data/packages.copy.gz'
\copy questions FROM PROGRAM 'gzip -dc data/questions.copy.gz'

ALTER TABLE packages ADD PRIMARY KEY (name);
CREATE INDEX ON packages (section);
CREATE INDEX ON packages (installed_kb);
CREATE INDEX ON packages USING gin (tags jsonb_path_ops);
VACUUM ANALYZE;
