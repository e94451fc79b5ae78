# Everybody at once: inserts, updates, deletions, rollbacks, searches and VACUUM,
# for twenty seconds; then the index must be sound and hold every row.
#
# Each search checks its own answer and fails if a row comes twice, out of order
# or if there are too few.  First, alone: a cursor over VACUUM and reuse of space.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorLoad;
use VectorTest;

my $seconds = 20;
my $seed = 7;

my $node = vector_node(
	'load',
	conf => [
		'autovacuum = off', 'jit = off', 'fsync = off',
		'shared_buffers = 32MB', 'max_wal_size = 4GB',
		'lock_timeout = 60s'
	]);

my @tables = (
	{ name => 'low', dim => 4, class => 'vector_l2_ops', op => '<->', n => 3000 },
	{ name => 'high', dim => 200, class => 'vector_cosine_ops', op => '<=>', n => 1000 });

load_functions($node);
make_load_table($node, $_) for @tables;

# ---------------------------------------------------------------------------
# A cursor, and what happens meanwhile

for my $t (@tables)
{
	my ($table, $dim, $op, $n) = @$t{qw(name dim op n)};
	my $key = "(SELECT vec(0, $dim))";

	$node->safe_psql('postgres', "DELETE FROM $table WHERE id % 2 = 0");
	my $expected = $node->safe_psql('postgres', "SELECT string_agg(id::text, ' ' ORDER BY id) FROM $table");
	my $reader = $node->background_psql('postgres', on_error_stop => 1);
	my @found = split /\n/, $reader->query_safe(<<"SQL");
SET enable_seqscan = off;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM $table ORDER BY v $op $key;
FETCH 30 FROM c;
SQL
	$node->safe_psql('postgres', "VACUUM $table");
	push @found, split /\n/, $reader->query_safe('FETCH 30 FROM c;');

	# new rows, near to the key, in the slots that became free
	$node->safe_psql('postgres', "INSERT INTO $table SELECT i, 0, vec(i - 1000, $dim) FROM generate_series(10001, 10000 + $n / 2) i");
	push @found, split /\n/, $reader->query_safe('FETCH 30 FROM c;');
	$node->safe_psql('postgres', "DELETE FROM $table WHERE id % 5 = 1; INSERT INTO $table SELECT i, 0, vec(i, $dim) FROM generate_series(20001, 20100) i");
	$node->safe_psql('postgres', "VACUUM $table");
	push @found, split /\n/, $reader->query_safe('FETCH ALL FROM c;');
	is(join(' ', sort { $a <=> $b } @found), $expected,
		"$table: a cursor has the rows of its snapshot, whatever VACUUM and inserts do");
	$reader->query_safe('COMMIT;');
	ok($reader->quit, "$table: without an error");
	$node->safe_psql('postgres', "VACUUM $table");
	check_index($node, "${table}_v", "$table: sound after that");
}

# ---------------------------------------------------------------------------
# Load

note "pgbench --random-seed=$seed";
my $load = start_load($node, \@tables, clients => 6, seconds => $seconds, seed => $seed);

my $vacuums = 0;
my $broken = '';
while ($load->{run}->pumpable)
{
	for my $t (@tables)
	{
		$node->safe_psql('postgres', "VACUUM $t->{name}");
		$vacuums++;

		# Under load nodes may be cut off for a moment; nothing else may be wrong.
		$broken .= $node->safe_psql('postgres',
			"SELECT * FROM hnsw_index_check('$t->{name}_v') WHERE severity = 'error' AND rule <> 'V6'");
	}
	last if $load->{out} =~ /transaction type/;
	$load->{run}->pump_nb;
}
ok(finish_load($load)->{ok}, 'pgbench ends normally');
unlike($load->{err}, qr/error|aborted|FATAL|PANIC/i, 'no statement failed');
is($broken, '', 'sound in the midst of it');
cmp_ok($load->{transactions}, '>', 500, 'something was done');
cmp_ok($vacuums, '>', 4, 'VACUUM ran meanwhile');
note "$load->{transactions} transactions, $vacuums times VACUUM";

# ---------------------------------------------------------------------------
# Afterwards

for my $t (@tables)
{
	my ($table, $dim, $op) = @$t{qw(name dim op)};
	my $indexed = indexed_rows($t);
	my $rows = $node->safe_psql('postgres', "SELECT count(*) FROM $table WHERE $indexed");

	note "$table: $rows rows";
	is(all_found($node, $t), '', "$table: a full scan has exactly the rows of the table");
	is($node->safe_psql('postgres', "SELECT * FROM hnsw_index_check('${table}_v', true, true) WHERE rule <> 'V6'"),
		'', "$table: strictly sound, but for reachability");
	cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM hnsw_index_check('${table}_v', true, true) WHERE rule = 'V6'"),
		'<=', 1 + $rows / 1000, "$table: nearly all nodes are reachable");

	# VACUUM mends that, if it has anything to do
	$node->safe_psql('postgres', "DELETE FROM $table WHERE id = (SELECT max(id) FROM $table WHERE $indexed)");
	$node->safe_psql('postgres', "VACUUM $table");
	check_index($node, "${table}_v", "$table: sound after a last VACUUM");
	is(all_found($node, $t), '', "$table: and a full scan has all rows");

	# An index that is new is not much smaller, and finds not much more.  Of few
	# queries, two that find nothing near would decide.
	my $size = $node->safe_psql('postgres', "SELECT pg_relation_size('${table}_v')");
	my $recall = recall_at($node, $table, $op, vectors(200, $dim, 99), 10);
	$node->safe_psql('postgres', "REINDEX INDEX ${table}_v");
	my $fresh = recall_at($node, $table, $op, vectors(200, $dim, 99), 10);
	cmp_ok($recall, '>=', $fresh - 0.03, "$table: recall is that of a new index");
	note sprintf('%s: recall %.4f, of a new index %.4f; %d bytes, new %d', $table, $recall, $fresh,
		$size, $node->safe_psql('postgres', "SELECT pg_relation_size('${table}_v')"));
}

unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|WARNING|terminated by signal/, 'nothing wrong in the log');
$node->stop;
done_testing();
