-- progress.sql: how far the build of an index is; no line while there is none.
SELECT format('%-40s [%s] %s of %s', phase, rpad(repeat('#', (20 * done / total)::int), 20, '.'),
			  to_char(done, 'FM999,999,999'), to_char(total, 'FM999,999,999'))
FROM pg_stat_progress_create_index,
	 LATERAL (SELECT CASE WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END,
					 greatest(tuples_total, blocks_total)) AS n (done, total)
WHERE total > 0;
