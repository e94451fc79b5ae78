# Recall on kinds of data that once did badly.
#
# Each row of the table names what broke.  The data follow from hashes and are the
# same on every machine; thresholds lie under what was measured, and may be raised,
# never lowered.  k is 10, ef_search 40.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

my $rows = 3000;
my $k = 10;

# name, class, operator, dimensions, clusters, what the elements become => least
# recall after a build, after inserts into an index on an empty table, and after
# deletion, VACUUM and inserts
my @table = (
	# codes of edges were asked about the whole query, whose rounding was larger
	# than the clusters
	[ 'two far clusters', 'l2', '<->', 4, 0,
		'(SELECT array_agg(CASE WHEN o = 1 THEN e + 1000 * (id % 2) ELSE e END ORDER BY o) FROM unnest(v::real[]) WITH ORDINALITY u(e, o))',
		[ 0.97, 0.97, 0.97 ] ],
	[ 'near duplicates', 'l2', '<->', 64, 50,
		'(SELECT array_agg(e * 1e-3 + 10 * sin(o * (id % 50 + 1)) ORDER BY o) FROM unnest(v::real[]) WITH ORDINALITY u(e, o))',
		[ 0.94, 0.94, 0.94 ] ],
	# the graph had links by distance only, and the margin was no measure
	[ 'norms that vary', 'ip', '<#>', 64, 50,
		'(SELECT array_agg(e * exp(sin(id)) ORDER BY o) FROM unnest(v::real[]) WITH ORDINALITY u(e, o))',
		[ 0.94, 0.94, 0.94 ] ],
	[ 'a large common mean', 'ip', '<#>', 32, 0,
		'(SELECT array_agg(e + 5 ORDER BY o) FROM unnest(v::real[]) WITH ORDINALITY u(e, o))',
		[ 0.90, 0.90, 0.90 ] ]);

my $node = vector_node(
	'families',
	conf => [
		'autovacuum = off', 'jit = off', 'fsync = off',
		'shared_buffers = 256MB', 'max_wal_size = 4GB',
		'max_parallel_maintenance_workers = 0'
	]);

for my $row (@table)
{
	my ($name, $class, $op, $dim, $clusters, $expression, $least) = @$row;
	my @clusters = $clusters ? (clusters => $clusters) : ();
	my $index = "CREATE INDEX t_v ON t USING hnsw (v vector_${class}_ops)";
	my $step = 0;

	my $measure = sub {
		my $recall = recall_at($node, 't', $op, 'SELECT * FROM q', $k,
			exact => exact_knn($node, 't', $op, 'SELECT * FROM q', $k));

		note sprintf('%s, %s: %.4f', $name, $_[0], $recall);
		cmp_ok($recall, '>=', $least->[$step++], "$name, $_[0]: recall");
		check_index($node, 't_v', "$name, $_[0]: sound");
	};

	for my $part ([ 'all_rows', $rows, 42 ], [ 'q', 40, 43 ])
	{
		$node->safe_psql('postgres', "CREATE TABLE $part->[0] AS SELECT id, ($expression)::vector($dim) AS v FROM ("
			. vectors($part->[1], $dim, $part->[2], @clusters) . ') s');
	}
	$node->safe_psql('postgres', "CREATE TABLE t (id int8, v vector($dim)); INSERT INTO t SELECT * FROM all_rows; $index");
	$measure->('build');

	$node->safe_psql('postgres', 'TRUNCATE t; INSERT INTO t SELECT * FROM all_rows');
	$measure->('inserts');

	$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 10 < 3');
	$node->safe_psql('postgres', 'VACUUM t');
	$node->safe_psql('postgres', 'INSERT INTO t SELECT * FROM all_rows WHERE id % 10 < 3');
	$measure->('refill');

	$node->safe_psql('postgres', 'DROP TABLE t, all_rows, q');
}

# A query far from everything had everything within its margin, and read the
# whole index.
$node->safe_psql('postgres', "CREATE TABLE t AS " . vectors($rows, 64, 42));
$node->safe_psql('postgres', 'CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops)');
my $hit = $node->safe_psql('postgres', <<'SQL');
SET enable_seqscan = off;
EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off)
SELECT id FROM t ORDER BY v <-> (SELECT array_agg(100 * sin(i))::vector(64) FROM generate_series(1, 64) i) LIMIT 10;
SQL
my ($pages) = $hit =~ /hit=(\d+)/;
note "a far query: $pages pages";
cmp_ok($pages, '<', 1200, 'a far query does not read everything');

$node->stop;
done_testing();
