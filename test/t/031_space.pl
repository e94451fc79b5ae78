# Space: an index under changes stays as small as it was, an insert reads as few
# pages as before, and a build keeps to maintenance_work_mem.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;
use VectorLoad;
use VectorTest;

my $node = vector_node('space',
	conf => [ 'autovacuum = off', 'jit = off', 'fsync = off', 'max_wal_size = 4GB', 'shared_buffers = 128MB' ]);
load_functions($node);
my $t = { name => 't', dim => 16, class => 'vector_l2_ops', op => '<->', n => 3000, with => 'm = 8, ef_construction = 16' };
make_load_table($node, $t);

sub size { return $node->safe_psql('postgres', "SELECT pg_relation_size('t_v')"); }

# Buffers that the insertion of 200 rows looks at.
sub buffers
{
	my ($first) = @_;
	my $plan = $node->safe_psql('postgres', 'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF)'
		  . " INSERT INTO t (id, n, v) SELECT i, 0, vec(i, 16) FROM generate_series($first, $first + 199) i");
	my $n = 0;

	$plan =~ /Buffers: shared (.*)/ or die "no buffers:\n$plan";
	$n += $_ for $1 =~ /(?:hit|read)=(\d+)/g;
	return $n / 200;
}

my $fresh_size = size();
my $fresh = buffers(2_000_001);
$node->safe_psql('postgres', 'DELETE FROM t WHERE id > 2000000');
$node->safe_psql('postgres', 'VACUUM t');

for my $round (1 .. 8)
{
	$node->safe_psql('postgres', "DELETE FROM t WHERE id % 5 = $round % 5");
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) t');
	$node->safe_psql('postgres', "INSERT INTO t (n, v) SELECT 0, vec(i + 10000 * $round, 16)"
		  . " FROM generate_series(1, 3000 - (SELECT count(*) FROM t)) i");
}
cmp_ok(size(), '<=', 1.1 * $fresh_size, 'space of deleted rows is used again');
my $now = buffers(3_000_001);
cmp_ok($now, '<=', 1.3 * $fresh, 'an insert reads as few pages as before');
note "index $fresh_size bytes, later @{[ size() ]}; $fresh buffers an insert, later $now";
$node->safe_psql('postgres', 'DELETE FROM t WHERE id > 3000000');
$node->safe_psql('postgres', 'VACUUM t');
check_index($node, 't_v');

# Pages of the index that a statement looks at, each as often as it does.  Counts
# come to the statistics when the session ends.
sub looks
{
	my ($sql) = @_;
	my $count = "SELECT idx_blks_hit + idx_blks_read FROM pg_statio_user_indexes WHERE indexrelname = 't_v'";
	my $before = $node->safe_psql('postgres', $count);

	$node->safe_psql('postgres', $sql);
	$node->poll_query_until('postgres', "SELECT ($count) > $before") or die 'no counts';
	return $node->safe_psql('postgres', $count) - $before;
}

# VACUUM reads the pages a few times, however many of their slots are free.
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 10 <> 0');
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) t');
$node->safe_psql('postgres', 'DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 5)');
my $looks = looks('VACUUM (INDEX_CLEANUP ON) t');
my $npages = size() / 8192;
cmp_ok($looks, '<=', 20 * $npages, 'VACUUM reads free slots once');
note "$looks looks at $npages pages";
check_index($node, 't_v');

# A build with little memory: what it takes for itself beyond what it had.
$node->safe_psql('postgres', "CREATE TABLE big AS SELECT i AS id, vec(i, 64)::vector(64) AS v FROM generate_series(1, 12000) i");
my $session = Session->new($node);
$session->run("SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '1MB'; SELECT vec(1, 64) <-> vec(2, 64);", 60);
my $before = $session->memory;
my $most = 0;
$session->begin("CREATE INDEX big_v ON big USING hnsw (v vector_l2_ops) WITH (m = 8, ef_construction = 16)");
until ($session->ended)
{
	$most = $session->memory if $session->memory > $most;
	select undef, undef, undef, 0.01;
}
is($session->end(60)->{err}, "", 'a build with little memory');
cmp_ok($most - $before, '<', 4, 'a build keeps to maintenance_work_mem');
note sprintf '%.1f MB more, index %d bytes', $most - $before, $node->safe_psql('postgres', "SELECT pg_relation_size('big_v')");
$session->quit;
check_index($node, 'big_v');

$node->stop;
done_testing();
