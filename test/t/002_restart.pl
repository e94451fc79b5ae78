# What is left after the server stopped without warning: of logged, unlogged and
# not yet logged indexes.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

my $dim = 16;

# Every row is found through the index, once.
sub all_found
{
	my ($node, $table, $name) = @_;
	my $zero = '[' . join(',', (0.5) x $dim) . ']';

	is( $node->safe_psql('postgres', <<"SQL"), 't', $name);
SET enable_seqscan = off;
SET enable_sort = off;
SELECT (SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM $table ORDER BY v <-> '$zero') s)
	IS NOT DISTINCT FROM (SELECT array_agg(id ORDER BY id) FROM $table WHERE v IS NOT NULL)
SQL
	return;
}

sub crash
{
	my ($node) = @_;
	$node->stop('immediate');
	$node->start;
	return;
}

# ---------------------------------------------------------------------------
# logged and unlogged

my $node = vector_node(
	'restart',
	init => ['--data-checksums'],
	conf => [ 'autovacuum = off', 'jit = off', 'fsync = off' ]);

$node->safe_psql('postgres', <<"SQL");
CREATE TABLE logged (id int8, v vector($dim));
CREATE UNLOGGED TABLE unlogged (id int8, v vector($dim));
CREATE UNLOGGED TABLE built (id int8, v vector($dim));
CREATE UNLOGGED TABLE back (id int8, v vector($dim));
CREATE INDEX logged_v ON logged USING hnsw (v vector_l2_ops);
CREATE INDEX unlogged_v ON unlogged USING hnsw (v vector_l2_ops);
SQL
$node->safe_psql('postgres', "INSERT INTO $_ " . vectors(700, $dim, 1))
  for qw(logged unlogged built back);
$node->safe_psql('postgres', <<"SQL");
CREATE INDEX built_v ON built USING hnsw (v vector_l2_ops);
CREATE INDEX back_v ON back USING hnsw (v vector_l2_ops);
ALTER TABLE back SET LOGGED;
DELETE FROM logged WHERE id % 4 = 0;
VACUUM logged;
SQL
crash($node);

all_found($node, 'logged', 'a logged index has its rows after a crash');
is($node->safe_psql('postgres', 'SELECT count(*) FROM logged'), 525, '... which are all');
check_index($node, 'logged_v');
all_found($node, 'back', 'a table made logged has its rows');
is($node->safe_psql('postgres', 'SELECT count(*) FROM back'), 700, '... which are all');
check_index($node, 'back_v');

for my $table (qw(unlogged built))
{
	is($node->safe_psql('postgres', "SELECT count(*) FROM $table"), 0, "table $table is empty");
	all_found($node, $table, "index of $table, too");
	check_index($node, "${table}_v");
	$node->safe_psql('postgres', "INSERT INTO $table " . vectors(400, $dim, 2));
	$node->safe_psql('postgres', "DELETE FROM $table WHERE id % 2 = 0");
	$node->safe_psql('postgres', "VACUUM $table");
	$node->safe_psql('postgres', "INSERT INTO $table " . vectors(100, $dim, 3, first => 1001));
	all_found($node, $table, "$table serves again");
	check_index($node, "${table}_v", "${table}_v is sound again");
}

# a clean stop keeps what is unlogged
$node->restart;
is($node->safe_psql('postgres', 'SELECT count(*) FROM unlogged'), 300, 'rows survive a clean stop');
all_found($node, 'unlogged', 'and are in the index');
check_index($node, 'unlogged_v', 'which is sound');

# Crashes in a row, with work between that no checkpoint has seen.
for my $round (1 .. 4)
{
	my $first = 10000 * $round;

	$node->safe_psql('postgres', "INSERT INTO logged " . vectors(150, $dim, 4, first => $first));
	$node->safe_psql('postgres', "INSERT INTO logged SELECT id + 500000, v FROM logged WHERE id % 9 = $round");
	$node->safe_psql('postgres', "DELETE FROM logged WHERE id % 11 = $round");
	$node->safe_psql('postgres', 'VACUUM logged') if $round % 2;
	my $session = $node->background_psql('postgres');
	$session->query_safe("BEGIN; INSERT INTO logged " . vectors(50, $dim, 5, first => $first + 5000) . ';');
	$node->safe_psql('postgres', 'CHECKPOINT') if $round == 2;
	$node->stop('immediate');
	$session->{run}->finish;
	$node->start;
	is($node->safe_psql('postgres', "SELECT count(*) FROM logged WHERE id BETWEEN $first + 5000 AND $first + 5050"),
		0, "crash $round: what was not committed is gone");
	all_found($node, 'logged', "crash $round: what was committed is found");
	check_index($node, 'logged_v', "crash $round: the index is sound");
}
$node->safe_psql('postgres', 'VACUUM logged');
all_found($node, 'logged', 'all found after a VACUUM');
check_index($node, 'logged_v', 'sound after a VACUUM');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|invalid page|page verification failed/,
	'nothing wrong in the log');
$node->stop;

# ---------------------------------------------------------------------------
# wal_level = minimal: what is made in the transaction that made its table is not
# logged at all, but written to disk at commit

for my $threshold ('0', '1GB')
{
	my $minimal = vector_node(
		'minimal_' . lc $threshold,
		conf => [
			'wal_level = minimal', 'max_wal_senders = 0',
			'autovacuum = off', 'jit = off',
			"wal_skip_threshold = $threshold"
		]);
	my $source = vectors(600, $dim, 6);
	my $more = vectors(200, $dim, 7, first => 2001);

	$minimal->safe_psql('postgres', <<"SQL");
BEGIN;
CREATE TABLE one (id int8, v vector($dim));
INSERT INTO one $source;
CREATE INDEX one_v ON one USING hnsw (v vector_l2_ops);
INSERT INTO one $more;
COMMIT;
CREATE TABLE two (id int8, v vector($dim));
CREATE INDEX two_v ON two USING hnsw (v vector_l2_ops);
INSERT INTO two $source;
BEGIN;
TRUNCATE two;
INSERT INTO two $more;
REINDEX INDEX two_v;
DELETE FROM two WHERE id % 2 = 0;
COMMIT;
CREATE TABLE three (id int8, v vector($dim));
BEGIN;
CREATE INDEX three_v ON three USING hnsw (v vector_l2_ops);
INSERT INTO three $source;
SAVEPOINT s;
INSERT INTO three $more;
ROLLBACK TO s;
COMMIT;
SQL
	crash($minimal);
	for ([ one => 800 ], [ two => 100 ], [ three => 600 ])
	{
		my ($table, $rows) = @$_;

		is($minimal->safe_psql('postgres', "SELECT count(*) FROM $table"),
			$rows, "minimal, $threshold: rows of $table");
		all_found($minimal, $table, "minimal, $threshold: all rows of $table are found");
		check_index($minimal, "${table}_v", "minimal, $threshold: ${table}_v is sound");
	}
	$minimal->safe_psql('postgres', 'VACUUM two; INSERT INTO two ' . vectors(150, $dim, 8, first => 5001));
	crash($minimal);
	all_found($minimal, 'two', "minimal, $threshold: logged changes on top are there");
	check_index($minimal, 'two_v', "minimal, $threshold: two_v is sound again");
	$minimal->stop;
}

done_testing();
