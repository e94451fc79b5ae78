# Everything that is done to an index reaches a standby, byte for byte, and
# nobody who reads there notices how.
#
# A primary and a streaming standby with wal_consistency_checking = generic:
# replay compares each page it changes with the one the primary had.  After every
# kind of change the pages of both are compared, and the answers.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

# Tables: name, dimensions, operator class, operator, and what is indexed if not
# the column.  Nodes of each form: several on a page, one on a page, one on
# several, values without codes, and values behind codes.
my @tables = (
	[ 'low', 6, 'vector_l2_ops', '<->' ],
	[ 'high', 320, 'vector_cosine_ops', '<=>' ],
	[ 'more', 2500, 'vector_ip_ops', '<#>' ],
	[ 'plain', 12, 'vector_l1_ops', '<+>' ],
	[ 'sparse', 48, 'sparsevec_ip_ops', '<#>', '%s::sparsevec(48)' ]);
my %rows = (low => 600, high => 120, more => 24, plain => 400, sparse => 200);

# what is indexed, of a vector
sub key
{
	my ($t, $vector) = @_;
	return defined $t->[4] ? sprintf($t->[4], $vector) : $vector;
}

my $primary = vector_node(
	'primary',
	allows_streaming => 1,
	conf => [
		'autovacuum = off',
		'jit = off',
		"wal_consistency_checking = 'generic'",

		# a page restored from an image is not compared
		'checkpoint_timeout = 1h',
		'max_wal_size = 4GB',
		'wal_compression = on'
	]);
$primary->safe_psql('postgres', 'CREATE EXTENSION pageinspect');

# A slow reader is waited for: the cursor below outlives a VACUUM.
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf',
	"max_standby_streaming_delay = -1\nhot_standby_feedback = off");
$standby->start;

# Do something to each table, which is %T; ROWS(n, d) is a query for the d-th part
# of as many rows as it has at first, the n-th of these parcels.
sub on_all
{
	my ($statement) = @_;

	for my $t (@tables)
	{
		my ($table, $dim) = @$t;
		my $sql = $statement;

		$sql =~ s/%T/$table/g;
		$sql =~ s{ROWS\((\d+), *(\d+)\)}{vectors($rows{$table} / $2, $dim, 11, first => 1 + $1 * $rows{$table})}ge;
		$primary->safe_psql('postgres', $sql);
	}
	return;
}

# What a table answers: all rows in the order of the index, and the nearest to
# some of its rows.
sub answers
{
	my ($node, $t) = @_;
	my ($table, undef, undef, $op) = @$t;
	my ($v, $q) = (key($t, 'v'), key($t, 'q.v'));

	return $node->safe_psql('postgres', <<"SQL");
SET enable_seqscan = off;
SELECT string_agg(id::text, ',') FROM (SELECT id FROM $table ORDER BY $v $op (SELECT $v FROM $table ORDER BY id LIMIT 1)) s;
SELECT q.id, array_agg(r.id) FROM (SELECT * FROM $table ORDER BY id LIMIT 5) q,
	LATERAL (SELECT id FROM $table ORDER BY $v $op $q LIMIT 10) r GROUP BY q.id ORDER BY q.id;
SQL
}

sub compare
{
	my ($what) = @_;

	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	for my $t (@tables)
	{
		my $table = $t->[0];

		is(join(' ', differing_pages($primary, $standby, "${table}_v")),
			'', "$what: pages of $table are the same");
		is(answers($standby, $t), answers($primary, $t),
			"$what: answers from $table are the same");
	}
	return;
}

on_all('CREATE TABLE %T (id int8, v vector)');
$primary->safe_psql('postgres', "ALTER TABLE $_->[0] ALTER v TYPE vector($_->[1])") for @tables;
$primary->safe_psql('postgres', "CREATE INDEX $_->[0]_v ON $_->[0] USING hnsw ((" . key($_, 'v') . ") $_->[2])") for @tables;
compare('empty');

# the comparison can tell
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$primary->safe_psql('postgres', 'INSERT INTO plain ' . vectors(1, 12, 12, first => 900001));
isnt(join(' ', differing_pages($primary, $standby, 'plain_v')), '', 'pages differ before replay');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
compare('one row');

on_all('INSERT INTO %T ROWS(0, 1)');
compare('inserts');

$primary->safe_psql('postgres', 'REINDEX TABLE low; REINDEX TABLE more; REINDEX TABLE plain; REINDEX TABLE high; REINDEX TABLE sparse');
compare('build');

# on pages, too: what does not fit into memory
$primary->safe_psql('postgres', "SET maintenance_work_mem = '1MB'; REINDEX TABLE low; REINDEX TABLE high");
compare('build on pages');

# some equal to rows that are there, some many times
on_all('INSERT INTO %T SELECT id + 1000000, v FROM %T WHERE id % 3 = 0;'
	  . ' INSERT INTO %T SELECT i + 2000000, v FROM %T, generate_series(1, 700) i WHERE id = 1');
compare('equal rows');

on_all('DELETE FROM %T WHERE id % 3 = 1');
on_all('VACUUM %T');
compare('deletion');

# A reader on the standby stands in the middle while its rows go.
my $reader = $standby->background_psql('postgres', on_error_stop => 1);
my @first = split /\n/, $reader->query_safe(<<'SQL');
SET enable_seqscan = off;
BEGIN;
SELECT string_agg(id::text, ',') FROM (SELECT id FROM low ORDER BY v <-> '[0,0,0,0,0,0]') s;
DECLARE c CURSOR FOR SELECT id FROM low ORDER BY v <-> '[0,0,0,0,0,0]';
FETCH 20 FROM c;
SQL
my @expected = split /,/, shift @first;
is(join(' ', @first), join(' ', @expected[ 0 .. 19 ]), 'a cursor on the standby begins');

# Nothing that it sees goes as yet: replay would have to wait, and so would we.
on_all('INSERT INTO %T ROWS(1, 4)');
compare('reuse of space');
push @first, split /\n/, $reader->query_safe('FETCH 300 FROM c;');

# Now its rows go.  Replay stops at the first record that would remove them, and
# the cursor still has them all.
on_all('DELETE FROM %T WHERE id % 2 = 0');
on_all('VACUUM %T');
on_all('INSERT INTO %T ROWS(2, 4)');
push @first, split /\n/, $reader->query_safe('FETCH ALL FROM c;');
is(join(' ', sort { $a <=> $b } @first), join(' ', sort { $a <=> $b } @expected),
	'it goes on over inserts and a VACUUM, and misses nothing');
$reader->query_safe('COMMIT;');
ok($reader->quit, 'no error in the reader');
compare('deletion and reuse');
on_all('UPDATE %T SET id = id + 3000000 WHERE id % 10 = 1');
compare('updates');

# aborted work, a truncated and a moved table
on_all("BEGIN; INSERT INTO %T ROWS(3, 4); ROLLBACK");
compare('rollback');
on_all('VACUUM %T');
compare('vacuum of rows that never were');
on_all('DELETE FROM %T');
on_all('VACUUM %T');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
for my $t (@tables)
{
	is(join(' ', differing_pages($primary, $standby, "$t->[0]_v")),
		'', "all deleted: pages of $t->[0] are the same");
}
on_all('INSERT INTO %T ROWS(4, 4)');
compare('filled again');

check_index($primary, "$_->[0]_v", "primary: $_->[0] is sound") for @tables;
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', "SELECT pg_get_wal_replay_pause_state() = 'paused'")
  or die 'replay does not pause';
check_index($standby, "$_->[0]_v", "standby: $_->[0] is sound") for @tables;
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');

# Replay is stopped hard and starts again from its last restart point.
$standby->stop('immediate');
on_all('DELETE FROM %T WHERE id % 5 = 0');
on_all('VACUUM %T');
$standby->start;
compare('after a crash of the standby');

# Promotion in the middle of a scan, and life as a primary.
$reader = $standby->background_psql('postgres', on_error_stop => 1);
my @before = split /\n/, $reader->query_safe(<<'SQL');
SET enable_seqscan = off;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM low ORDER BY v <-> '[0,0,0,0,0,0]';
FETCH 100 FROM c;
SQL
$primary->stop;
$standby->promote;
push @before, split /\n/, $reader->query_safe('FETCH ALL FROM c;');
is(join(' ', sort { $a <=> $b } @before),
	join(' ', split /\n/, $standby->safe_psql('postgres', 'SELECT id FROM low ORDER BY id')),
	'a scan goes on over promotion, and misses nothing');
$reader->query_safe('COMMIT;');
ok($reader->quit, 'no error in that reader');

$primary = $standby;
on_all('INSERT INTO %T ROWS(5, 4)');
on_all('DELETE FROM %T WHERE id % 7 = 0');
on_all('VACUUM %T');
on_all('INSERT INTO %T ROWS(6, 4)');
check_index($standby, "$_->[0]_v", "promoted: $_->[0] is sound") for @tables;

unlike(slurp_file($standby->logfile),
	qr/inconsistent page found|PANIC|TRAP:|invalid page|terminated by signal/,
	'nothing wrong in the log of the standby');

$standby->stop;
done_testing();
