# Programs that know nothing of the types carry them from one database to another:
# pg_dump and pg_restore, COPY, logical replication as text and in binary, and
# postgres_fdw, which sends to the other server whatever it may.
#
# What arrives must be what left: each table is compared as text and in the
# binary form, and indexes that came along answer as the table does.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

my $source = vector_node('source', allows_streaming => 'logical', conf => ['jit = off']);
my $target = PostgreSQL::Test::Cluster->new('target');
$target->init(allows_streaming => 'logical');
$target->append_conf('postgresql.conf', 'jit = off');
$target->start;
my $dir = PostgreSQL::Test::Utils::tempdir();

# The elements are such that a digit less in the text would be another number.
my $rows = q{
	SELECT i,
		ARRAY[i / 7.0, -i, 1e-45 * i]::float8[]::vector(3),
		ARRAY[i / 7.0, -i, 6e-8]::float8[]::halfvec(3),
		format('{1:%s,5:-2e-7}/5', i)::sparsevec(5),
		(i % 8)::bit(3),
		ARRAY[ARRAY[i]::vector, NULL, ARRAY[i, 3.4e38]::float8[]::vector]
	FROM generate_series(1, 200) i};
my $columns = 'id int PRIMARY KEY, v vector(3), h halfvec(3), s sparsevec(5), b bit(3), vs vector[]';

# All that is in a table, as text and in binary.
my $sums = q{
	SELECT count(*), md5(string_agg(t::text, E'\n' ORDER BY id)),
		md5(string_agg(concat(x.vector_send(v), x.halfvec_send(h), x.sparsevec_send(s)), E'\n' ORDER BY id)) FROM t};

sub sums
{
	my ($node, $db, $schema) = @_;
	return $node->safe_psql($db, $sums =~ s/x\./$schema./gr);
}

# ---------------------------------------------------------------------------
# pg_dump and pg_restore, with the extension in a schema of its own

$source->safe_psql('postgres', 'CREATE DATABASE dumped');
$source->safe_psql('dumped', qq{
	CREATE SCHEMA ext;
	CREATE EXTENSION vector SCHEMA ext;
	SET search_path = public, ext;
	CREATE DOMAIN embedding AS vector(3) CHECK (vector_norm(VALUE) >= 0);
	CREATE TYPE pair AS (n int, v vector(2));
	CREATE TABLE t ($columns);
	INSERT INTO t $rows;
	INSERT INTO t VALUES (0);
	CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops) WITH (m = 8);
	CREATE INDEX ON t USING hnsw (h halfvec_cosine_ops) WITH (ef_construction = 32);
	CREATE INDEX ON t USING hnsw (s sparsevec_ip_ops);
	CREATE INDEX ON t USING hnsw (b bit_jaccard_ops);
	CREATE INDEX ON t USING ivfflat (v) WITH (lists = 3);
	CREATE INDEX ON t USING ivfflat (v vector_cosine_ops) WHERE id > 5;
	CREATE INDEX ON t USING hnsw ((v::halfvec(3)) halfvec_l1_ops);
	CREATE INDEX ON t USING hnsw ((binary_quantize(v)::bit(3)) bit_hamming_ops);
	CREATE INDEX ON t USING btree (v);
	CREATE TABLE more (e embedding DEFAULT '[1,2,3]', p pair, n vector(3) GENERATED ALWAYS AS (l2_normalize(e)) STORED);
	INSERT INTO more VALUES ('[3,0,4]', ROW(1, '[1,2]'));
	CREATE TABLE parted (id int, v vector(3)) PARTITION BY RANGE (id);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
	CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (1000);
	CREATE INDEX ON parted USING hnsw (v vector_cosine_ops);
	INSERT INTO parted SELECT id, v FROM t;
	CREATE VIEW near AS SELECT id, v <-> '[1,2,3]' AS d, avg(v) OVER () FROM t ORDER BY v <=> '[1,1,1]';
	CREATE MATERIALIZED VIEW kept AS SELECT id, v::halfvec(3) AS h FROM t;
	CREATE INDEX ON kept USING hnsw (h halfvec_l2_ops);
	CREATE FUNCTION nearest(q vector, k int DEFAULT 3) RETURNS SETOF t LANGUAGE sql SET search_path = public, ext
		AS 'SELECT * FROM t ORDER BY v <-> q LIMIT k';
	CREATE AGGREGATE total(vector) (sfunc = vector_add, stype = vector);
	CREATE TABLE word (v vector(2) PRIMARY KEY);
	ALTER DATABASE dumped SET hnsw.ef_search = 99;
});

sub dump_of
{
	my ($node, $db, $name) = @_;
	my $file = "$dir/$name.sql";

	$node->command_ok([ 'pg_dump', '-f', $file, $db ], "dump of $db");

	# of what pg_dump writes, all but its random key
	return join '', grep { !/^\\(un)?restrict/ } split /^/, slurp_file($file);
}

my $before = dump_of($source, 'dumped', 'before');
$source->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/dump", 'dumped' ], 'dump in the custom format');
$target->safe_psql('postgres', 'CREATE DATABASE dumped');
$target->command_ok([ 'pg_restore', '-j', '2', '-e', '-d', 'dumped', "$dir/dump" ], 'restore');
is(dump_of($target, 'dumped', 'after'), $before, 'what was restored gives the same dump');
is(sums($target, 'dumped', 'ext'), sums($source, 'dumped', 'ext'), 'no byte is another');
is( $target->safe_psql('dumped', q{
		SELECT count(*) FROM pg_class i JOIN pg_am a ON a.oid = relam AND amname IN ('hnsw', 'ivfflat'),
			LATERAL ext.hnsw_index_check(i.oid, true, true) WHERE relkind = 'i'}),
	'0', 'and all indexes are sound');
is( $target->safe_psql('dumped', q{
		SET enable_seqscan = off;
		SELECT id FROM nearest('[10,-70,0]')}),
	"70\n69\n71", 'a function that was restored finds its operators');

# ---------------------------------------------------------------------------
# Logical replication

for my $binary ('false', 'true')
{
	my $db = "replicated_$binary";

	for my $node ($source, $target)
	{
		$node->safe_psql('postgres', "CREATE DATABASE $db");
		$node->safe_psql($db, qq{
			CREATE EXTENSION vector;
			CREATE TABLE t ($columns);
			CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
			CREATE TABLE keyless (v vector(2), n int);
			ALTER TABLE keyless REPLICA IDENTITY FULL});
	}
	$source->safe_psql($db, qq{
		INSERT INTO t $rows;
		INSERT INTO keyless VALUES ('[1,2]', 1), ('[1,2]', 2), ('[3,4]', 3), (NULL, 4);
		CREATE PUBLICATION pub FOR TABLE t, keyless});

	my $sub = "sub_$binary";
	my $connstr = $source->connstr . " dbname=$db";
	$target->safe_psql($db, "CREATE SUBSCRIPTION $sub CONNECTION '$connstr' PUBLICATION pub WITH (binary = $binary)");
	$target->poll_query_until($db,
		q{SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's')})
	  or die 'the tables were not copied';
	is(sums($target, $db, 'public'), sums($source, $db, 'public'), "binary = $binary: the copy is the same");

	$source->safe_psql($db, q{
		UPDATE t SET v = v + v, h = '[0,-0,65504]' WHERE id % 3 = 0;
		DELETE FROM t WHERE id % 10 = 1;
		INSERT INTO t (id, v, s) VALUES (1000, '[1e-45,3e38,-0]', '{}/5');
		UPDATE keyless SET n = n + 10 WHERE n = 2;
		UPDATE keyless SET v = '[9,9]' WHERE n = 4;
		DELETE FROM keyless WHERE v = '[3,4]'});
	$source->wait_for_catchup($sub);
	is(sums($target, $db, 'public'), sums($source, $db, 'public'), "binary = $binary: changes arrive");
	is($target->safe_psql($db, 'SELECT * FROM keyless ORDER BY n'),
		"[1,2]|1\n[9,9]|4\n[1,2]|12", "binary = $binary: rows are found by their vectors");
	is( $target->safe_psql($db, q{
			SET enable_seqscan = off;
			SELECT id FROM t ORDER BY v <-> '[2,-14,0]' LIMIT 2;
			SELECT * FROM hnsw_index_check('t_v', true, true)}),
		"14\n13", "binary = $binary: the subscriber's index follows");
	$target->safe_psql($db, "DROP SUBSCRIPTION $sub");
}

# ---------------------------------------------------------------------------
# postgres_fdw

my ($host, $port) = ($source->host, $source->port);
my $user = $source->safe_psql('postgres', 'SELECT current_user');
$target->safe_psql('postgres', qq{
	CREATE EXTENSION vector;
	CREATE EXTENSION postgres_fdw;
	CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
		OPTIONS (host '$host', port '$port', dbname 'replicated_true', extensions 'vector');
	CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user '$user');
	IMPORT FOREIGN SCHEMA public LIMIT TO (t) FROM SERVER far INTO public});
is( $target->safe_psql('postgres', q{
		SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = 't'::regclass AND attnum > 0}),
	'integer vector(3) halfvec(3) sparsevec(5) bit(3) vector[]', 'types and dimensions are imported');
is(sums($target, 'postgres', 'public'), sums($source, 'replicated_true', 'public'), 'all rows come over');

# The text that the other server must get, and the same answer from both.
sub shipped
{
	my ($what, $query, $part) = @_;

	like($target->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF) $query"), qr/Remote SQL: .*\Q$part\E/, "$what is sent");
	is($target->safe_psql('postgres', $query), $source->safe_psql('replicated_true', $query), "$what: same answer");
}

shipped('an order', q{SELECT id FROM t ORDER BY v <-> '[2,-14,0]' LIMIT 2},
	q{ORDER BY (v OPERATOR(public.<->) '[2,-14,0]') ASC NULLS LAST});
shipped('a threshold', q{SELECT id FROM t WHERE h <=> '[1,2,3]' < 0.9 ORDER BY id},
	q{WHERE (((h OPERATOR(public.<=>) '[1,2,3]') < 0.9});
shipped('an aggregate', 'SELECT avg(v), sum(h), count(*) FROM t WHERE id < 6', 'public.avg(v), public.sum(h), count(*)');
shipped('functions and casts', q{SELECT count(*) FROM t WHERE vector_dims(v) = 3 AND h::vector(3) <-> '[1,1,1]' < 40},
	'h::public.vector(3) OPERATOR(public.<->)');

# Shapes that this server would rewrite for an index of its own.
for my $query (
	q{SELECT id, 1 - (v <=> '[1,-7,0]') AS s FROM t WHERE v IS NOT NULL ORDER BY s DESC, id LIMIT 3},
	q{SELECT id FROM t ORDER BY cosine_distance(v, '[1,-7,0]'::vector), id LIMIT 3},
	q{SELECT id FROM t WHERE 1 - (v <=> '[1,-7,1]') > 0.9 AND id < 50 ORDER BY v <=> '[1,-7,1]', id LIMIT 3})
{
	is($target->safe_psql('postgres', $query), $source->safe_psql('replicated_true', $query), $query);
}

is( $target->safe_psql('postgres', q{
		INSERT INTO t (id, v, s, vs) VALUES (2000, ARRAY[1, 2.5, 3], '{5:1}/5', ARRAY['[1]'::vector, NULL]);
		UPDATE t SET v = v + '[1e-45,1,0]', h = v::halfvec WHERE id = 2000;
		SELECT v, h, s, vs FROM t WHERE v <-> '[1,3.5,3]' < 0.1;
		DELETE FROM t WHERE v = '[1,3.5,3]'}),
	'[1,3.5,3]|[1,2.5,3]|{5:1}/5|{[1],NULL}', 'rows are inserted, changed and deleted there');
my ($code, $out, $err) = $target->psql('postgres', q{INSERT INTO t (id, v) VALUES (2001, '[1,2]')});
like($err, qr/expected 3 dimensions, not 2/, 'dimensions are checked');

done_testing();
