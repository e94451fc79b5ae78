# PBUILD: parallel builds that run out of memory and go on in the pages: each has
# every row, and a search can reach each node.
#
# build: test points

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Reliability;
use Session;
use VectorLoad;
use VectorTest;

require_test_points();
begin_suite('pbuild');

my $node = vector_node('pbuild',
	conf => [ 'autovacuum = off', 'jit = off', 'log_statement = none', 'fsync = off', 'max_wal_size = 4GB',
		"shared_preload_libraries = 'vector'", 'max_worker_processes = 8', 'max_parallel_workers = 8',
		'min_parallel_table_scan_size = 0' ]);
load_functions($node);

my @kinds = (
	{ dim => 3, class => 'vector_l2_ops', op => '<->', n => 4000 },
	{ dim => 16, class => 'vector_l2_ops', op => '<->', n => 3000, with => 'm = 4' },
	{ dim => 100, class => 'vector_cosine_ops', op => '<=>', n => 1000 },
	{ dim => 700, class => 'vector_l2_ops', op => '<->', n => 300 },
	{ dim => 2600, class => 'vector_ip_ops', op => '<#>', n => 100 },
	{ dim => 12, class => 'vector_l1_ops', op => '<+>', n => 2000 },
	{ dim => 64, class => 'bit_hamming_ops', op => '<~>', type => 'bit', n => 3000 },
	{ dim => 40, class => 'sparsevec_l2_ops', op => '<->', type => 'sparsevec', n => 1500 },
	{ dim => 3, class => 'vector_l2_ops', op => '<->', n => 4000, variety => 300 },
	{ dim => 3, class => 'vector_l2_ops', op => '<->', n => 8000, variety => 1 },
	{ dim => 3, class => 'vector_l2_ops', op => '<->', n => 11 },
	{ dim => 3, class => 'vector_l2_ops', op => '<->', n => 1 },
	{ dim => 3, class => 'vector_l2_ops', op => '<->', n => 0 });

# a table of each kind, made when it is first wanted
my @tables;

while (next_trial())
{
	my $i = trial_seed() % @kinds;
	my $t = $tables[$i];
	my $workers = pick(2, 4);
	my $mem = pick('1MB', '1MB', '1MB', '2MB', '64MB');
	my $how = pick('', '', 'CONCURRENTLY');
	my $point = pick('', '-c hnsw.test_point=*:jitter:50', '-c hnsw.test_point=*:jitter:1000');

	if (!defined $t)
	{
		$t = $tables[$i] = { name => "t$i", no_index => 1, %{ $kinds[$i] } };
		make_load_table($node, $t);
	}
	my $name = $t->{name};
	my $what = "$t->{class}, $t->{dim} dimensions, $t->{n} rows, $workers workers, $mem $how";
	my $session = Session->new($node, options => $point);
	$session->safe_psql('postgres', "ALTER TABLE $name SET (parallel_workers = $workers);"
		  . "SET maintenance_work_mem = '$mem'; SET max_parallel_maintenance_workers = $workers;"
		  . " CREATE INDEX $how ${name}_v ON $name USING hnsw (v $t->{class})" . ($t->{with} ? " WITH ($t->{with})" : ''));
	$session->quit;

	$session = Session->new($node);
	my $rows = index_violations($session, "${name}_v");
	my $missing = all_found($session, $t);
	tried('parallel builds');
	problem('parallel builds', "$what: $rows") if $rows ne '';
	problem('parallel builds', "$what: $missing") if $missing ne '';

	# and what is inserted next finds its place
	$session->safe_psql('postgres', "INSERT INTO $name (n, v) SELECT 1, @{[ load_value($t, 'i') ]} FROM generate_series(100001, 100020) i");
	$rows = join "\n", grep { !/^V6/ } split /\n/, index_violations($session, "${name}_v");
	problem('parallel builds', "$what, inserts: $rows") if $rows ne '';

	$session->safe_psql('postgres', "DROP INDEX ${name}_v; DELETE FROM $name WHERE id >= 1000000; VACUUM $name");
	$session->quit;
}
my $wrong = log_problems($node);
problem('parallel builds', $wrong) if $wrong ne '';
$node->stop;
end_suite();
