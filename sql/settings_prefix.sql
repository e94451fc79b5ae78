--
-- settings_prefix: names under our prefixes that are not ours
--
-- From 15 on they are refused, before there is a warning.
--

-- set before the library is loaded, it comes out when it is
\c -
SET hnsw.no_such_setting = 1;
SET ivfflat.lists = 1;
SELECT '[1]'::vector;
SELECT current_setting('hnsw.no_such_setting', true) AS no_such_setting, current_setting('ivfflat.lists', true) AS lists;
-- and afterwards
\c -
SELECT '[1]'::vector;
SET hnsw.no_such_setting = 1;
SET ivfflat.lists = 1;
