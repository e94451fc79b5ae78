--
-- sort_distance: the distance that ORDER BY puts into each row is not computed
-- again where nobody reads it; whoever reads it gets it
--

SET enable_seqscan = off;
SET client_min_messages = warning;

CREATE TABLE points (id int, v vector(2), h halfvec(2));
INSERT INTO points SELECT i, format('[%s,%s]', i % 10, i / 10)::vector, format('[%s,%s]', i % 10, i / 10)::halfvec
	FROM generate_series(0, 99) i;
CREATE INDEX points_v ON points USING hnsw (v vector_l2_ops);
CREATE INDEX points_h ON points USING ivfflat (h halfvec_l2_ops) WITH (lists = 1);
ANALYZE points;

-- What the scan returns, and whether it is in order without a Sort.
CREATE FUNCTION output(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
		IF line ~ 'Output|Scan|Sort|Limit' THEN
			RETURN NEXT line;
		END IF;
	END LOOP;
END $$;

-- nobody reads it
SELECT output($$SELECT id FROM points ORDER BY v <-> '[3,4]' LIMIT 3$$);
SELECT output($$SELECT id FROM points ORDER BY h <-> '[3,4]' LIMIT 3$$);
SELECT id FROM points ORDER BY v <-> '[3.1,4.2]' LIMIT 3;
SELECT output($$SELECT id FROM points ORDER BY v <-> '[3,4]' LIMIT 3 FOR UPDATE$$);
SELECT id FROM points ORDER BY v <-> '[3.1,4.2]' LIMIT 3 FOR UPDATE;
SELECT output($$SELECT sum(id) FROM (SELECT id FROM points ORDER BY v <-> '[3,4]' LIMIT 3) x$$);
SELECT array(SELECT id FROM points ORDER BY v <-> '[3.1,4.2]' LIMIT 3);
INSERT INTO points SELECT id + 100, v FROM points ORDER BY v <-> '[3.1,4.2]' LIMIT 3;
SELECT id FROM points WHERE id >= 100 ORDER BY id;
DELETE FROM points WHERE id >= 100;

-- a generic plan, whose vector is a parameter
PREPARE nearest(vector) AS SELECT id FROM points ORDER BY v <-> $1 LIMIT 3;
SET plan_cache_mode = force_generic_plan;
SELECT output($$EXECUTE nearest('[3,4]')$$);
EXECUTE nearest('[3.1,4.2]');
EXECUTE nearest('[8.1,1.2]');
RESET plan_cache_mode;

-- the query reads it
SELECT output($$SELECT id, v <-> '[3,4]' FROM points ORDER BY v <-> '[3,4]' LIMIT 3$$);
SELECT id, v <-> '[3,4]' AS distance FROM points ORDER BY v <-> '[3,4]' LIMIT 1;
SELECT output($$SELECT id FROM points ORDER BY v <-> '[3,4]' FETCH FIRST 2 ROWS WITH TIES$$);
SELECT id FROM points ORDER BY v <-> '[3,4]', id FETCH FIRST 2 ROWS WITH TIES;
SELECT count(*) FROM (SELECT id FROM points ORDER BY v <-> '[3,4]' FETCH FIRST 2 ROWS WITH TIES) x;

-- a Sort reads it: a second key, other rows, another index
SELECT output($$SELECT id FROM points ORDER BY v <-> '[3,4]', id LIMIT 3$$);
SELECT id FROM points ORDER BY v <-> '[3,4]', id LIMIT 3;
SELECT id FROM (SELECT DISTINCT ON (v <-> '[3,4]') id, v FROM points ORDER BY v <-> '[3,4]', id) x LIMIT 3;
SELECT a.id, n.id FROM points a, LATERAL (SELECT id FROM points b ORDER BY b.v <-> a.v LIMIT 1) n WHERE a.id IN (3, 33) ORDER BY a.v <-> '[3,4]';

-- partitions: MergeAppend reads it
CREATE TABLE parted (id int, v vector(2)) PARTITION BY RANGE (id);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (50);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (50) TO (100);
INSERT INTO parted SELECT id, v FROM points;
CREATE INDEX ON parted USING hnsw (v vector_l2_ops);
SELECT output($$SELECT id FROM parted ORDER BY v <-> '[3,4]' LIMIT 3$$);
SELECT id FROM parted ORDER BY v <-> '[3.1,4.7]' LIMIT 3;

DROP TABLE points, parted;
DROP FUNCTION output(text);
