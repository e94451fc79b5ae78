-- change.sql: print and run the change in :change, then the query in :sql.
\echo
\echo :change;
\timing on
:change;
\timing off
\echo
\echo :sql;
\echo
\timing on
SELECT row_number() OVER () AS "#", answer.* FROM (:sql) AS answer;
\timing off
