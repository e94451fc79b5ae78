-- check.sql: does the index keep its own rules, and is every row in it?
\pset footer off
\echo '\n== 11. The index against its rules and against the table\n'
SELECT count(*) FILTER (WHERE severity <> 'notice') AS violations
FROM hnsw_index_check('packages_embedding', heapallindexed => true, strict => true);
