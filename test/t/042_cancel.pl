# Everything long can be cancelled soon.  With a sleep at each test point the work
# on any page takes long, so that a loop without a look for interrupts shows.
#
# What a cancelled VACUUM has left, the next one mends.  It did not if all was
# freed and only the search for unreachable nodes was cut short.
#
# build: test points

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use Session;
use VectorLoad;
use VectorTest;

require_test_points();

my $node = vector_node('cancel',
	conf => [ 'autovacuum = off', 'jit = off', 'fsync = off', "shared_preload_libraries = 'vector'" ]);
load_functions($node);
make_load_table($node, { name => 't', dim => 128, class => 'vector_l2_ops', op => '<->', n => 12000,
		with => 'm = 4, ef_construction = 8' });
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 2 = 0');

my @statements = (
	[ 'insert', 'INSERT INTO t (n, v) SELECT 0, vec(i, 128) FROM generate_series(100001, 110000) i', '*', 1 ],
	[ 'vacuum, heap TIDs', 'VACUUM t', 'vacuum-after-pass1-page', .2 ],
	[ 'vacuum, edges', 'VACUUM t', 'vacuum-repair-before-write', .5 ],
	[ 'vacuum, freeing', 'VACUUM t', 'vacuum-before-free-page', .5 ],
	[ 'scan', 'SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> vec(1, 128)) s', '*', 1 ],
	[ 'build, writing', 'CREATE INDEX again ON t USING hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 8)', 'build-during-flush', .5 ]);

for (@statements)
{
	my ($name, $sql, $point, $after) = @$_;

	# the sleeps of one process alone take longer than that
	my $s = Session->new($node, options => "-c enable_seqscan=off -c enable_sort=off -c max_parallel_maintenance_workers=0 -c hnsw.test_point=$point:jitter:1");
	$s->begin($sql);
	my $r = $s->end($after);
	if ($r->{late})
	{
		kill 'INT', $s->{pid};
		my $start = time;
		$r = $s->end(60);
		my $took = time - $start;

		like($r->{err}, qr/57014/, "$name: cancelled");
		cmp_ok($took, '<', 1, "$name: within a second");
	}
	else
	{
		fail("$name: has ended before it could be cancelled: $r->{err}");
	}
	$s->quit;
}
$node->safe_psql('postgres', 'VACUUM t');
check_index($node, 't_v');

# Cut short when the last page has been freed: tables that are alike tell when.
for my $name ('one', 'two')
{
	make_load_table($node, { name => $name, dim => 8, class => 'vector_l2_ops', op => '<->', n => 900,
			with => 'm = 2, ef_construction = 4' });
	$node->safe_psql('postgres', "DELETE FROM $name WHERE id % 3 <> 0");
}
my $shown = $node->safe_psql('postgres',
	"SET hnsw.test_point = 'vacuum-after-free-page:count'; VACUUM one; SHOW hnsw.test_point");
my ($n) = $shown =~ /hit (\d+) times/;
my (undef, undef, $err) = $node->psql('postgres', "SET hnsw.test_point = 'vacuum-after-free-page:error:$n'; VACUUM two");
like($err, qr/was reached/, "VACUUM fails after page $n");
my $unreached = () = index_violations($node, 'two_v') =~ /^V6/mg;
cmp_ok($unreached, '>', 0, 'nodes cannot be reached then');
$node->safe_psql('postgres', 'VACUUM two');
check_index($node, 'two_v', 'the next VACUUM mends that');
$node->stop;
done_testing();
