-- size.sql: what there is to search.
\pset footer off
SELECT count(*) AS packages, max(vector_dims(embedding)) AS dimensions,
	   pg_size_pretty(pg_table_size('packages')) AS "table",
	   pg_size_pretty(pg_relation_size('packages_embedding')) AS "hnsw index",
	   pg_size_pretty(pg_indexes_size('packages')
					  - pg_relation_size('packages_embedding')) AS "other indexes"
FROM packages;
