-- Distances of values that are out of line or have a short length word: the same
-- as of plain ones, also where one value comes call after call and is kept.

CREATE TABLE v (id int PRIMARY KEY, x vector(600), h halfvec(1100), b bit(200));
ALTER TABLE v ALTER x SET STORAGE EXTERNAL, ALTER h SET STORAGE EXTERNAL;
INSERT INTO v SELECT i,
	array(SELECT (i * j) % 101 FROM generate_series(1, 600) j)::vector,
	array(SELECT (i * j) % 97 FROM generate_series(1, 1100) j)::halfvec,
	(SELECT string_agg(((i * j) % 7 / 4)::text, '') FROM generate_series(1, 200) j)::bit(200)
	FROM generate_series(1, 40) i;
SELECT count(*) FROM v WHERE pg_column_size(x) > 2400 AND pg_column_size(b) < 31;

-- 'plain' computes each value anew, so it is in memory
CREATE VIEW plain AS SELECT id, x::real[]::vector AS x, h::real[]::halfvec AS h,
	b | repeat('0', 200)::bit(200) AS b FROM v;

-- one query for all rows, on either side
SELECT count(*) FROM v JOIN plain p USING (id)
	WHERE v.x <-> (SELECT x FROM v WHERE id = 7) <> p.x <-> (SELECT x FROM plain WHERE id = 7)
	OR (SELECT x FROM v WHERE id = 7) <=> v.x <> (SELECT x FROM plain WHERE id = 7) <=> p.x
	OR (SELECT x FROM v WHERE id = 7) <#> v.x <> (SELECT x FROM plain WHERE id = 7) <#> p.x
	OR inner_product((SELECT x FROM v WHERE id = 7), v.x) <> inner_product((SELECT x FROM plain WHERE id = 7), p.x)
	OR v.h <+> (SELECT h FROM v WHERE id = 7) <> p.h <+> (SELECT h FROM plain WHERE id = 7);

-- every pair, so that a query stays for some rows and changes then; bits both ways
SELECT count(*), sum((d1 <> d2)::int) AS vectors, sum((h1 <> h2)::int) AS halfvecs,
	sum((b1 <> b2)::int) AS bits, sum((j1 <> j2)::int) AS jaccard FROM
	(SELECT q.id, v.id AS id2, v.x <-> q.x AS d1, q.h <-> v.h AS h1, v.b <~> q.b AS b1,
		q.b <%> v.b AS j1 FROM v q, v ORDER BY 1, 2) a JOIN
	(SELECT q.id, v.id AS id2, v.x <-> q.x AS d2, q.h <-> v.h AS h2, v.b <~> q.b AS b2,
		q.b <%> v.b AS j2 FROM plain q, plain v) b USING (id, id2);

-- the kept value is that of the call before, not of an earlier one
SELECT (SELECT count(*) FROM v WHERE v.x <-> q.x = 0) FROM v q WHERE id <= 3;

-- within one statement of a function, a new value under the same name
CREATE FUNCTION changed() RETURNS SETOF float8 LANGUAGE plpgsql AS $$
DECLARE
	one v;
BEGIN
	FOR i IN 1..6 LOOP
		SELECT * INTO one FROM v WHERE id = i % 2 + 1;
		RETURN NEXT (SELECT max(v.x <-> one.x) FROM v WHERE id <= 2);
	END LOOP;
	UPDATE v SET x = (SELECT x FROM plain WHERE plain.id = 1) WHERE id = 2;
	SELECT * INTO one FROM v WHERE id = 2;
	RETURN NEXT (SELECT max(v.x <-> one.x) FROM v WHERE id <= 2);
END $$;
SELECT count(*), count(DISTINCT d), min(d) FROM changed() d;

SELECT x <-> '[1,2,3]' FROM v WHERE id = 1;
SELECT b <~> '101' FROM v WHERE id = 1;

DROP VIEW plain;
DROP TABLE v CASCADE;
DROP FUNCTION IF EXISTS changed();
