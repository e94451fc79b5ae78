# An ordinary user installs and updates the extension, which the system does with
# a superuser's rights, in a schema full of operators that fit the arguments of
# its scripts better than core's do; then a superuser works with that schema
# first in the search path.  None of it may run but for the user.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE mallory LOGIN;
CREATE DATABASE victim;
GRANT CREATE ON DATABASE victim TO mallory;
SQL

sub sql
{
	my ($user, $text) = @_;
	my $out;

	$node->psql(
		'victim', $text,
		stdout => \$out,
		extra_params => [ '-U', $user ],
		on_error_die => 1);
	return $out;
}

# What has run as somebody else than the one who set it, since the last call.
sub caught
{
	my $what = $node->safe_psql('victim',
		"SELECT string_agg(DISTINCT format('%s as %s', what, who), ', ') FROM evil.caught WHERE who <> 'mallory'");

	$node->safe_psql('victim', 'DELETE FROM evil.caught');
	return $what;
}

# ---- the traps ----

# For each pair of these types, operators that core does not have for exactly
# that pair: core's would take them after a conversion, and these without.
my @types = qw(oid regoperator regclass regtype regprocedure name text "char"
  integer bigint boolean float8 tid);

sub traps
{
	my $types = join(',', map { "'$_'" } @types);
	my $sql = '';

	foreach my $result ([ 'boolean', 'true', qw(= <> < <= > >= ~ ~~) ], [ 'text', 'current_user', '||' ])
	{
		my ($type, $value, @names) = @$result;
		my $names = join(',', map { "'$_'" } @names);

		$sql .= <<"SQL";
DO \$\$
DECLARE
	f record;
	name text;
BEGIN
	FOR f IN SELECT l::regtype AS l, r::regtype AS r FROM unnest(ARRAY[$types]) l, unnest(ARRAY[$types]) r LOOP
		EXECUTE format('CREATE FUNCTION evil.trap_$type(%1\$s, %2\$s) RETURNS $type LANGUAGE plpgsql AS '
			'''BEGIN INSERT INTO evil.caught VALUES (current_user, ''''operator(%1\$s, %2\$s)''''); RETURN $value; END''', f.l, f.r);
		FOREACH name IN ARRAY ARRAY[$names] LOOP
			IF to_regoperator(format('pg_catalog.%s(%s,%s)', name, f.l, f.r)) IS NULL THEN
				EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.trap_$type, LEFTARG = %s, RIGHTARG = %s)', name, f.l, f.r);
			END IF;
		END LOOP;
	END LOOP;
END \$\$;
SQL
	}
	return $sql;
}

sql('mallory', <<'SQL' . traps());
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE TABLE evil.caught (who name, what text);
GRANT ALL ON evil.caught TO PUBLIC;
CREATE FUNCTION evil.hashtidextended(tid, integer) RETURNS bigint LANGUAGE sql AS
	$$ INSERT INTO evil.caught VALUES (current_user, 'hashtidextended'); SELECT 1::bigint $$;
SQL
cmp_ok(sql('postgres', "SELECT count(*) FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace"),
	'>', 1000, 'traps are set');

# they work
sql('postgres', <<'SQL');
SET search_path = evil;
SELECT count(*) FROM pg_class WHERE oid = 'pg_class'::regclass AND evil.hashtidextended(ctid, 0) = 1;
SQL
is(caught(), 'hashtidextended as postgres, operator(oid, regclass) as postgres', 'and sprung by the unwary');

# ---- the scripts ----

foreach my $statement (
	"CREATE EXTENSION vector SCHEMA evil",
	"ALTER EXTENSION vector UPDATE TO '0.8.6'",
	"ALTER EXTENSION vector UPDATE TO '1.0'",
	"DROP EXTENSION vector",
	"CREATE EXTENSION vector SCHEMA evil VERSION '0.8.6'",
	"ALTER EXTENSION vector UPDATE")
{
	sql('mallory', $statement);
	is(caught(), '', $statement);
}

# The scripts from older versions run only where these are installed; what they
# may do beyond creating and dropping is this.
my $unsafe = '';
foreach my $file (glob "$FindBin::Bin/../../vector--1.0.sql $FindBin::Bin/../../sql/update/*.sql")
{
	my $text = slurp_file($file);

	$text =~ s/^--.*//mg;
	$unsafe .= "$file: $&\n" while $text =~ /OR REPLACE|IF NOT EXISTS|SECURITY DEFINER|WHERE oid (?!OPERATOR\(pg_catalog\.=\) '[^']*'::pg_catalog\.regoperator::pg_catalog\.oid)[^\n]*/g;
}
is($unsafe, '', 'no statement of a script depends on the search path');

# ---- use ----

sql('postgres', <<'SQL');
SET search_path = evil, public;
CREATE TABLE public.t (id int, v vector(3), h halfvec(3), s sparsevec(3), b bit(3));
INSERT INTO t SELECT i, a, a::halfvec, a::sparsevec, binary_quantize(a)::bit(3)
	FROM generate_series(1, 300) i, LATERAL (SELECT ARRAY[i, -i, i % 17]::real[]::vector(3)) x (a);
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
CREATE INDEX t_f ON t USING hnsw ((h::vector(3)) vector_cosine_ops) WHERE h IS NOT NULL;
CREATE INDEX t_s ON t USING hnsw (s sparsevec_ip_ops);
CREATE INDEX t_b ON t USING hnsw (b bit_hamming_ops);
CREATE INDEX t_i ON t USING ivfflat (v) WITH (lists = 3);
CREATE INDEX ON t (v);
CREATE INDEX ON t USING hash (s);
SET enable_seqscan = off;
SELECT id FROM t ORDER BY v <-> '[1,2,3]' LIMIT 3;
SELECT nearest_agg(id, v <-> '[1,2,3]', 3), nearest_agg_json(id, v <=> '[1,2,3]', 3),
	mmr(id, v, '[1,2,3]', 3, 0.5), rrf(id, 60, 1), avg(v), sum(h) FROM t;
SELECT count(DISTINCT v), count(DISTINCT s) FROM t WHERE v > '[1,2,3]' OR h <> '[1,2,3]';
SELECT * FROM vector_recall('t_v', 5, 10, 40) a, vector_recall('t_f', 5, 10, 40) b;
SELECT count(*) FROM vector_duplicates('t_v', 2), hnsw_neighbors('t_s', '(0,1)'), hnsw_levels('t_b');
SELECT * FROM hnsw_index_check('t_v', true, true);
SELECT count(*) FROM hnsw_metapage('t_v'), hnsw_page_stats('t_v', 1), hnsw_page_items('t_v', 1), hnsw_node('t_v', 1);
UPDATE t SET v = v + '[1,0,0]' WHERE id % 3 = 0;
DELETE FROM t WHERE id % 5 = 0;
VACUUM ANALYZE t;
REINDEX TABLE t;
CREATE TABLE c AS SELECT v::real[] AS r, v::halfvec AS h, h::sparsevec AS s, s::vector AS v, vector_to_bytea(v) FROM t;
SQL
is(caught(), '', 'use with a hostile search path');

$node->stop;
done_testing();
