-- show.sql: print the query in :sql, its answer with ranks, and its plan.
\echo
\echo :sql;
\echo
-- Run once unseen, so that what is timed finds the server warm.
\o /dev/null
:sql;
\o
\timing on
SELECT row_number() OVER () AS "#", answer.* FROM (:sql) AS answer;
\timing off
\echo
SELECT * FROM demo.plan(:'sql');
