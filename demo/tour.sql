-- tour.sql: what a nearest-neighbour search looks like as SQL.  Needs load.sql,
-- index.sql and tools.sql.  Each query is put into :sql, for show.sql to print
-- and to run.

\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
\pset null ''
SET client_min_messages = warning;
SET extra_float_digits = -12;		-- distances with three digits

\echo '\n== 1. A question'
SELECT $$  SELECT name, section, left(summary, 44) AS summary,
         embedding <=> (SELECT embedding FROM questions
                        WHERE question = 'burn a DVD') AS distance
  FROM packages
  ORDER BY distance
  LIMIT 8$$ AS sql \gset
\ir show.sql

\echo '\n== 2. Only games'
SELECT $$  SELECT name, section, left(summary, 44) AS summary,
         embedding <=> (SELECT embedding FROM questions
                        WHERE question = 'teach children mathematics') AS distance
  FROM packages
  WHERE section = 'games'
  ORDER BY distance
  LIMIT 8$$ AS sql \gset
\ir show.sql

\echo '\n== 3. Only small ones'
SELECT $$  SELECT name, section, installed_kb, left(summary, 44) AS summary,
         embedding <=> (SELECT embedding FROM questions
                        WHERE question = 'read PDF files') AS distance
  FROM packages
  WHERE installed_kb < 500
  ORDER BY distance
  LIMIT 8$$ AS sql \gset
\ir show.sql

\echo '\n== 4. Only what runs in a terminal'
SELECT $$  SELECT name, section, left(summary, 44) AS summary,
         embedding <=> (SELECT embedding FROM questions
                        WHERE question = 'convert videos between formats') AS distance
  FROM packages
  WHERE tags @> '["interface::commandline"]'
  ORDER BY distance
  LIMIT 8$$ AS sql \gset
\ir show.sql

\echo '\n== 5. Few rows left, and none of them near: the answer is complete all the same'
SELECT $$  SELECT name, section, installed_kb, left(summary, 44) AS summary,
         embedding <=> (SELECT embedding FROM questions
                        WHERE question = 'collect metrics and draw graphs over time') AS distance
  FROM packages
  WHERE section = 'shells' AND installed_kb < 1000
  ORDER BY distance
  LIMIT 8$$ AS sql \gset
\ir show.sql

\echo '\n== 6. Packages like this one'
SELECT $$  SELECT name, section, left(summary, 44) AS summary,
         embedding <=> (SELECT embedding FROM packages
                        WHERE name = 'nethack-console') AS distance
  FROM packages
  WHERE name <> 'nethack-console'
  ORDER BY distance
  LIMIT 8$$ AS sql \gset
\ir show.sql

\echo '\n== 7. The ten largest sections, and the nearest package in each'
SELECT $$  SELECT section, packages, name, left(summary, 36) AS summary, distance
  FROM (SELECT section, count(*) AS packages
        FROM packages GROUP BY section ORDER BY packages DESC LIMIT 10) AS largest,
       questions AS q,
       LATERAL (SELECT name, summary, embedding <=> q.embedding AS distance
                FROM packages AS p
                WHERE p.section = largest.section
                ORDER BY distance
                LIMIT 1) AS nearest
  WHERE question = 'play music from the terminal'
  ORDER BY distance$$ AS sql \gset
\ir show.sql

\echo '\n== 8. A new row is found at once'
SELECT $$  INSERT INTO packages (name, section, summary, embedding)
  SELECT 'dvd-toaster', 'video', 'did not exist a moment ago', embedding
  FROM questions WHERE question = 'burn a DVD'$$ AS change \gset
SELECT $$  SELECT name, section, left(summary, 44) AS summary,
         embedding <=> (SELECT embedding FROM questions
                        WHERE question = 'burn a DVD') AS distance
  FROM packages
  ORDER BY distance
  LIMIT 3$$ AS sql \gset
\ir change.sql

\echo '\n== 9. And a deleted one is gone at once'
SELECT $$  DELETE FROM packages WHERE name = 'dvd-toaster'$$ AS change \gset
\ir change.sql
