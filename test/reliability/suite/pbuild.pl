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

while (next_trial())
{
	my $t = { name => 't', %{ $kinds[ trial_seed() % @kinds ] } };
	my $workers = pick(2, 4);
	my $mem = pick('1MB', '1MB', '1MB', '2MB', '64MB');
	my $how = pick('', '', 'CONCURRENTLY');
	my $point = pick('', '-c hnsw.test_point=*:jitter:50', '-c hnsw.test_point=*:jitter:1000');
	my $what = "$t->{class}, $t->{dim} dimensions, $t->{n} rows, $workers workers, $mem $how";

	$node->safe_psql('postgres', 'DROP TABLE IF EXISTS t; DROP SEQUENCE IF EXISTS t_id');
	make_load_table($node, $t);
	$node->safe_psql('postgres', "DROP INDEX t_v; ALTER TABLE t SET (parallel_workers = $workers)");
	{
		local $ENV{PGOPTIONS} = $point;
		$node->safe_psql('postgres', "SET maintenance_work_mem = '$mem'; SET max_parallel_maintenance_workers = $workers;"
			  . " CREATE INDEX $how t_v ON t USING hnsw (v $t->{class})" . ($t->{with} ? " WITH ($t->{with})" : ''));
	}
	my $rows = index_violations($node, 't_v');
	my $missing = all_found($node, $t);
	tried('parallel builds');
	problem('parallel builds', "$what: $rows") if $rows ne '';
	problem('parallel builds', "$what: $missing") if $missing ne '';

	# and what is inserted next finds its place
	$node->safe_psql('postgres', "INSERT INTO t (n, v) SELECT 1, @{[ load_value($t, 'i') ]} FROM generate_series(100001, 100020) i");
	$rows = join "\n", grep { !/^V6/ } split /\n/, index_violations($node, 't_v');
	problem('parallel builds', "$what, inserts: $rows") if $rows ne '';
}
my $wrong = log_problems($node);
problem('parallel builds', $wrong) if $wrong ne '';
$node->stop;
end_suite();
