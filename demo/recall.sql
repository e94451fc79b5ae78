-- recall.sql: how good and how fast the index is, against reading every row:
-- all the questions, ten answers each.  A wider search finds more and costs more.

\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
\echo '\n== 10. How good and how fast: 100 questions, the ten nearest of each; a mean question\n'
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;

SET enable_indexscan = off;
TRUNCATE demo.tenth;
INSERT INTO demo.tenth SELECT question, max(distance) FROM demo.nearest GROUP BY question;
CREATE TEMP TABLE result AS
SELECT 'every row' AS search, demo.recall(), cost.* FROM demo.cost();
RESET enable_indexscan;

SET enable_seqscan = off;
SET hnsw.ef_search = 10;
INSERT INTO result SELECT 'hnsw.ef_search = 10', demo.recall(), cost.* FROM demo.cost();
SET hnsw.ef_search = 40;
INSERT INTO result SELECT 'hnsw.ef_search = 40 (default)', demo.recall(), cost.* FROM demo.cost();
SET hnsw.ef_search = 100;
INSERT INTO result SELECT 'hnsw.ef_search = 100', demo.recall(), cost.* FROM demo.cost();

SELECT search, scan, round(recall, 3) AS "recall@10", round(ms, 2) AS ms,
	   round(index_pages) AS "index pages", round(table_pages) AS "table pages"
FROM result
ORDER BY result.index_pages = 0, result.index_pages;
