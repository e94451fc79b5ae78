--
-- shapes_objects: what a database can be made of: vectors in domains, composites,
-- arrays, generated columns, keys, partitions, functions, triggers, views, rules
--
-- pgvector 0.8.0 answers every statement of this file the same, but for the check at the end.
--

-- ---------- domains, composites, arrays, generated columns ----------

CREATE DOMAIN embedding AS vector(3) CHECK (vector_norm(VALUE) > 0);
CREATE DOMAIN given AS vector NOT NULL;
CREATE TYPE pair AS (n int, v vector(2));
CREATE TABLE item (
	id int PRIMARY KEY,
	e embedding,
	p pair,
	vs vector(2)[],
	u vector(2) DEFAULT '[0,1]' CHECK (vector_dims(u) = 2),
	elements real[] GENERATED ALWAYS AS (e::vector::real[]) STORED,
	signs bit(3) GENERATED ALWAYS AS (binary_quantize(e::vector)) STORED,
	unit vector GENERATED ALWAYS AS (l2_normalize(e)) STORED);
INSERT INTO item (id, e, p, vs) VALUES
	(1, '[3,0,4]', '(1,"[1,2]")', '{"[1,2]","[3,4]",NULL}'),
	(2, '[-2,0,0]', ROW(2, '[3,4]'), ARRAY['[5,6]'::vector]),
	(3, ARRAY[0, 2.5, 0], NULL, '{}');
INSERT INTO item (id, e) VALUES (4, '[0,0,0]');
INSERT INTO item (id, e) VALUES (4, '[1,2]');
INSERT INTO item (id, p) VALUES (4, '(1,"[1,2,3]")');
INSERT INTO item (id, vs) VALUES (4, '{"[1,2,3]"}');
INSERT INTO item (id, u) VALUES (4, '[1,2,3]');
INSERT INTO item (id, vs) VALUES (4, ARRAY[ARRAY[1,2],ARRAY[3,4]]);
SELECT NULL::given;
SELECT * FROM item ORDER BY id;
SELECT id, (p).v, (p).v <-> '[1,2]' AS d, vs[1], array_position(vs, '[3,4]'), '[5,6]' = ANY (vs) AS is_in FROM item ORDER BY id;
SELECT id, e <-> unit AS d, e + unit AS sum, vector_dims(e), pg_typeof(e), pg_typeof(e + e) FROM item ORDER BY id;
SELECT avg(e), sum(e), array_agg(u ORDER BY id) FROM item;
-- the column's own type has no dimensions, its domain's type has
CREATE INDEX ON item USING hnsw (e vector_l2_ops);
CREATE INDEX ON item USING hnsw ((e::vector(3)) vector_l2_ops);
CREATE INDEX ON item USING hnsw ((unit::vector(3)) vector_cosine_ops);
CREATE INDEX ON item USING ivfflat (signs bit_hamming_ops) WITH (lists = 1);
SET enable_seqscan = off;
SELECT id FROM item ORDER BY e::vector(3) <-> '[-1,0,0]' LIMIT 2;
SELECT id FROM item ORDER BY unit::vector(3) <=> '[0,1,0.5]' LIMIT 2;
SELECT id FROM item ORDER BY signs <~> '101' LIMIT 1;
RESET enable_seqscan;

-- ---------- keys, partitions, inheritance ----------

CREATE TABLE word (v vector(2) PRIMARY KEY);
CREATE TABLE use (v vector(2) REFERENCES word ON UPDATE CASCADE);
INSERT INTO word VALUES ('[1,2]'), ('[0,1]');
INSERT INTO word VALUES ('[1,2]');
INSERT INTO use VALUES ('[1,2]'), ('[-0,1]');
INSERT INTO use VALUES ('[1,3]');
UPDATE word SET v = v + '[1,1]';
SELECT u.v FROM use u NATURAL JOIN word ORDER BY v;
CREATE TABLE by_value (v vector(2)) PARTITION BY RANGE (v);
CREATE TABLE by_value_1 PARTITION OF by_value FOR VALUES FROM ('[0,0]') TO ('[5,5]');
INSERT INTO by_value VALUES ('[5,4]');
INSERT INTO by_value VALUES ('[5,5]');
CREATE TABLE parent (id int, v vector(2));
CREATE TABLE child (more int) INHERITS (parent);
CREATE INDEX ON parent USING hnsw (v vector_l2_ops);
CREATE INDEX ON child USING hnsw (v vector_l2_ops);
INSERT INTO parent VALUES (1, '[1,1]');
INSERT INTO child VALUES (2, '[2,2]', 0);
SET enable_seqscan = off;
SELECT id FROM parent ORDER BY v <-> '[3,3]';
RESET enable_seqscan;

-- ---------- functions ----------

CREATE FUNCTION nearest(q vector(3), k int DEFAULT 1) RETURNS TABLE (id int, v vector, distance float8)
	LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT i.id, i.e::vector, i.e <-> q FROM item i ORDER BY i.e <-> q LIMIT k;
END $$;
SELECT * FROM nearest('[3,0,3]', 2);
SELECT * FROM nearest(q => '[0,1,0]');
SELECT * FROM nearest('[1,2]');
SELECT * FROM nearest(ARRAY[1,2,3]);
CREATE FUNCTION similar(q vector, threshold float8) RETURNS SETOF item LANGUAGE sql STABLE AS $$
	SELECT * FROM item WHERE 1 - (e <=> q) > threshold ORDER BY e <=> q
$$;
SELECT id FROM similar('[1,0,1]', 0.5);
CREATE FUNCTION changed(v vector) RETURNS vector LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
	sized vector(3);
	elements real[];
	ones vector := '[1,1,1]';
BEGIN
	sized := v;
	elements := sized;
	elements[1] := 42;
	sized := elements;
	RETURN sized + ones;
END $$;
SELECT changed('[1,2,3]'), changed(NULL);
SELECT changed('[1,2]');
CREATE FUNCTION any_order(q text) RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'SELECT id FROM item ORDER BY e <-> $1 LIMIT 1' USING q::vector;
	RETURN QUERY EXECUTE format('SELECT id FROM item ORDER BY e <-> %L LIMIT 1', q);
END $$;
SELECT any_order('[3,0,3]');
CREATE FUNCTION twice(anyelement) RETURNS anyarray LANGUAGE sql AS 'SELECT ARRAY[$1, $1]';
CREATE FUNCTION total(VARIADIC vector[]) RETURNS vector LANGUAGE sql AS 'SELECT sum(v) FROM unnest($1) v';
SELECT twice('[1,2]'::vector), total('[1,2]', '[3,4]');
CREATE AGGREGATE total_of(vector) (sfunc = vector_add, stype = vector, initcond = '[0,0,0]');
SELECT total_of(e) FROM item;
DO $$
BEGIN
	PERFORM '[1,2]'::vector <-> '[1]';
EXCEPTION WHEN data_exception THEN
	RAISE NOTICE '%: %', SQLSTATE, SQLERRM;
END $$;

-- ---------- triggers, rules, views ----------

CREATE TABLE log (op text, old vector, new vector);
CREATE TABLE logged (id int PRIMARY KEY, v vector(2));
CREATE INDEX ON logged USING hnsw (v vector_l2_ops);
CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO log VALUES (TG_OP,
		CASE WHEN TG_OP <> 'INSERT' THEN OLD.v END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.v END);
	IF TG_OP = 'DELETE' THEN
		RETURN OLD;
	END IF;
	NEW.v := NEW.v + NEW.v;
	RETURN NEW;
END $$;
CREATE TRIGGER before BEFORE INSERT OR UPDATE OR DELETE ON logged FOR EACH ROW EXECUTE FUNCTION log_it();
CREATE TRIGGER after AFTER UPDATE OF v ON logged FOR EACH ROW WHEN (OLD.v IS DISTINCT FROM NEW.v)
	EXECUTE FUNCTION log_it();
CREATE RULE no_zeros AS ON INSERT TO logged WHERE NEW.v = '[0,0]' DO INSTEAD NOTHING;
INSERT INTO logged VALUES (1, '[1,2]'), (2, '[3,4]'), (3, '[0,0]');
UPDATE logged SET v = '[1,2]' WHERE id = 1;
UPDATE logged SET v = v - v WHERE id = 2;
DELETE FROM logged WHERE id = 1;
SELECT * FROM log;
SELECT * FROM logged;

CREATE VIEW near AS SELECT id, e, e <-> '[1,1,1]' AS d, e::halfvec(3) AS h FROM item;
CREATE MATERIALIZED VIEW kept AS SELECT id, u, u + u AS uu FROM item;
CREATE INDEX ON kept USING hnsw (u vector_cosine_ops);
CREATE UNIQUE INDEX ON kept (id);
UPDATE item SET u = ARRAY[id, 1];
REFRESH MATERIALIZED VIEW kept;
REFRESH MATERIALIZED VIEW CONCURRENTLY kept;
SET enable_seqscan = off;
SELECT id, h FROM near ORDER BY d LIMIT 1;
SELECT id FROM near ORDER BY e <-> '[-1,0,0]' LIMIT 1;
SELECT id, uu FROM kept ORDER BY u <=> '[2,1]' LIMIT 1;
RESET enable_seqscan;

-- ---------- other types for a column ----------

CREATE TABLE typed (v vector(3));
INSERT INTO typed VALUES ('[1,2.5,0]'), (NULL);
ALTER TABLE typed ALTER v TYPE vector(4);
CREATE INDEX typed_v ON typed USING hnsw (v vector_l2_ops) WITH (m = 7);
ALTER TABLE typed ALTER v TYPE vector;
ALTER TABLE typed ALTER v TYPE halfvec(3);
ALTER TABLE typed ALTER v TYPE vector(4) USING v || '[4]';
SELECT pg_get_indexdef('typed_v'::regclass);
ALTER TABLE typed ALTER v TYPE vector(3) USING subvector(v, 1, 3);
DROP INDEX typed_v;
ALTER TABLE typed ALTER v TYPE halfvec(3);
ALTER TABLE typed ALTER v TYPE sparsevec(3);
SELECT * FROM typed;
ALTER TABLE typed ALTER v TYPE vector(3);
ALTER TABLE typed ALTER v TYPE real[];
ALTER TABLE typed ALTER v TYPE vector(3);
ALTER TABLE typed ALTER v TYPE text;
ALTER TABLE typed ALTER v TYPE vector(3);
ALTER TABLE typed ALTER v TYPE vector(3) USING v::vector;
ALTER TABLE typed ALTER v TYPE float8[];
ALTER TABLE typed ALTER v TYPE float8[] USING v::real[];
ALTER TABLE typed ALTER v TYPE vector(3);
ALTER TABLE typed ALTER v TYPE jsonb USING v::text::jsonb;
ALTER TABLE typed ALTER v TYPE vector(3) USING v::text::vector;
SELECT * FROM typed;

SELECT i.oid::regclass, c.* FROM pg_class i JOIN pg_am a ON a.oid = relam AND amname IN ('hnsw', 'ivfflat'),
	LATERAL hnsw_index_check(i.oid, true, true) c;

DROP MATERIALIZED VIEW kept;
DROP VIEW near;
DROP TABLE typed, log, logged, child, parent, by_value, use, word;
DROP AGGREGATE total_of(vector);
DROP FUNCTION nearest, similar, changed, any_order, twice, total, log_it;
DROP TABLE item;
DROP TYPE pair;
DROP DOMAIN embedding, given;
