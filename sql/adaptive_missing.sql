--
-- adaptive_missing: rows that are not in the index, NULLs and under cosine zero
-- vectors, are in no answer of it, however an adaptive scan ends.
--
-- Broke: where the exact plan took over, zero vectors came with distance NaN,
-- and NULLs too in a search for NULL; the walk and the sweep left them out.
--

SET jit = off;

-- Number i of a sequence of vectors; every tenth is zero, the one before NULL.
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE i % 10 WHEN 9 THEN NULL WHEN 0 THEN array_fill(0, ARRAY[dim])::vector ELSE
		(SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
			FROM generate_series(1, dim) j) END
$$;
-- The rows of a query by the plan that settings leave, and what ended the scan.
CREATE FUNCTION ends(query text, OUT ids int[], OUT ended text) LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	EXECUTE 'SELECT array_agg(id ORDER BY id) FROM (' || query || ') t' INTO ids;
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		ended := coalesce(ended, substring(line FROM 'Ended By: (.*)'), substring(line FROM 'Index Scan using .*_v'));
	END LOOP;
END $$;
-- The same rows by the adaptive scan as by the plain index scan?  And are they
-- those that pass the filter and are in the index?
CREATE FUNCTION compare(tab text, filter text, key text, OUT changed boolean, OUT rows int, OUT as_plain boolean, OUT "right" boolean)
LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT id FROM %s WHERE %s ORDER BY v <=> %s LIMIT 3000', tab, filter, key);
	adaptive record;
	plain record;
	indexed int[];
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	SELECT * INTO adaptive FROM ends(query);
	SET LOCAL hnsw.adaptive_scan = off;
	-- core's Index Scan under this filter is not to be missed for a bitmap
	SET LOCAL enable_bitmapscan = off;
	SELECT * INTO plain FROM ends(query);
	IF plain.ended !~ 'Index Scan' THEN
		RAISE 'no index scan';
	END IF;
	SET LOCAL hnsw.adaptive_scan = on;
	SET LOCAL enable_bitmapscan = on;
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %s WHERE (%s) AND id %% 10 NOT IN (0, 9)', tab, filter) INTO indexed;
	changed := adaptive.ended <> 'graph';
	rows := cardinality(adaptive.ids);
	as_plain := adaptive.ids = plain.ids;
	"right" := adaptive.ids = indexed;
END $$;

CREATE TABLE dense AS SELECT i AS id, vec(i, 24) AS v FROM generate_series(1, 2000) i;
CREATE TABLE half AS SELECT id, v::halfvec(24) AS v FROM dense;
CREATE TABLE sparse AS SELECT id, v::sparsevec(24) AS v FROM dense;
CREATE TABLE coded AS SELECT i AS id, vec(i, 300) AS v FROM generate_series(1, 500) i;
ALTER TABLE dense ALTER v TYPE vector(24);
ALTER TABLE coded ALTER v TYPE vector(300);
CREATE INDEX dense_id ON dense (id);
CREATE INDEX half_id ON half (id);
CREATE INDEX sparse_id ON sparse (id);
CREATE INDEX coded_id ON coded (id);
CREATE INDEX dense_v ON dense USING hnsw (v vector_cosine_ops);
CREATE INDEX half_v ON half USING hnsw (v halfvec_cosine_ops);
CREATE INDEX sparse_v ON sparse USING hnsw (v sparsevec_cosine_ops);
CREATE INDEX coded_v ON coded USING hnsw (v vector_cosine_ops);
VACUUM ANALYZE dense, half, sparse, coded;

-- most rows pass; few do, and there is a bitmap of them; few, and there is none
SELECT tab, f, c.* FROM unnest(ARRAY['dense', 'half', 'sparse', 'coded']) WITH ORDINALITY t (tab, n),
	unnest(ARRAY['id > 20', 'id < 60', 'id % 9999 < 60']) WITH ORDINALITY u (f, m),
	compare(tab, f, format('(SELECT v FROM %s WHERE id = 1)', tab)) c ORDER BY n, m;
-- a search for the zero vector or for nothing: all of the index, in any order
SELECT tab, f, key, c.* FROM unnest(ARRAY['dense', 'half', 'sparse', 'coded']) WITH ORDINALITY t (tab, n),
	unnest(ARRAY['id > 20', 'id < 60', 'id % 9999 < 60']) WITH ORDINALITY u (f, m),
	unnest(ARRAY[10, 9]) key,
	compare(tab, f, format('(SELECT v FROM %s WHERE id = %s)', tab, key)) c ORDER BY n, m, key DESC;
-- without the index they are there, at the end: that is the exact answer
SET enable_indexscan = off;
SELECT id, v <=> (SELECT v FROM dense WHERE id = 1) = 'NaN' AS zero FROM dense WHERE id <= 10 AND v IS NOT NULL
	ORDER BY v <=> (SELECT v FROM dense WHERE id = 1), id OFFSET 6;
RESET enable_indexscan;

-- NaN by overflow is another matter: such rows are in the index, and come last
UPDATE dense SET v = array_fill(3e38::real, ARRAY[24])::vector WHERE id IN (3, 33);
SELECT count(*) FILTER (WHERE v <=> vec(1, 24) = 'NaN' AND id % 10 <> 0) AS overflow FROM dense WHERE id < 60;
SELECT * FROM compare('dense', 'id % 9999 < 60', 'vec(1, 24)');

SELECT c.relname, r.* FROM pg_class c JOIN pg_am a ON a.oid = relam AND amname = 'hnsw', hnsw_index_check(c.oid, true, true) r;

DROP TABLE dense, half, sparse, coded;
DROP FUNCTION compare(text, text, text), ends(text), vec(bigint, int);
