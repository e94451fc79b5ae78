# Crashes: at every test point, and behind every WAL record of a short load.
# After recovery the verifier accepts the index and every committed row is found;
# the next VACUUM mends what was left half done.
#
# The same table goes through all crashes, so that damage would add up.
#
# build: test points

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

require_test_points();

my $node = vector_node('crash',
	conf => [
		'restart_after_crash = off',
		'autovacuum = off',
		'shared_buffers = 8MB',
		'max_wal_size = 64MB',
		'wal_consistency_checking = generic',
		'min_parallel_table_scan_size = 0',
		'max_parallel_maintenance_workers = 2',
	],
	init => ['--data-checksums']);

my $ops = 'v vector_l2_ops';
my $with = 'WITH (m = 4, ef_construction = 8)';

# A table with vectors that many rows share, so that chains of heap TIDs grow.
$node->safe_psql('postgres', q(
	CREATE TABLE t (id int8 PRIMARY KEY, v vector(8));
	ALTER TABLE t SET (parallel_workers = 2);
	CREATE SEQUENCE ids;
	CREATE FUNCTION vec(i int8) RETURNS vector LANGUAGE sql AS $$
		SELECT array_agg(((hashint8extended(i * 64 + j, 1) & 255) / 256.0)::float4)::vector
		FROM generate_series(1, 8) j $$;
	CREATE PROCEDURE fill(n int, variety int) LANGUAGE sql AS $$
		INSERT INTO t SELECT i, vec(i % variety) FROM
			(SELECT nextval('ids') AS i FROM generate_series(1, n)) q $$;
	CALL fill(300, 1000);));
$node->safe_psql('postgres', "CREATE INDEX ti ON t USING hnsw ($ops) $with");

# run($script, 'point:action'): what psql said on standard error.
sub run
{
	my ($script, $point) = @_;
	my ($ret, $out, $err) = $node->psql('postgres',
		"LOAD 'vector'; SET hnsw.test_point = '$point';\n$script");
	return $err;
}

# crash_at($script, point, n): run until the n-th hit of the point kills the
# session, and with it the server.  True if it did, with the server up again.
sub crash_at
{
	my ($script, $point, $n) = @_;
	my $err = run($script, "$point:crash:$n");

	return 0
	  unless $err =~ /closed the connection unexpectedly|connection to server was lost|terminated abnormally/;
	$node->stop('immediate', fail_ok => 1);
	$node->start;
	return 1;
}

# What the verifier finds wrong, whatever an unfinished change may leave.
sub errors
{
	my ($strict) = @_;
	return $node->safe_psql('postgres',
		"SELECT * FROM hnsw_index_check('ti', true, $strict) WHERE severity = 'error'");
}

# Rows that the index does not return though they are there.
sub missing
{
	return $node->safe_psql('postgres', q(
		SET enable_seqscan = off; SET enable_sort = off;
		SELECT count(*) FROM t WHERE id NOT IN
			(SELECT id FROM t ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 100000)));
}

sub sound_after
{
	my ($what) = @_;

	is(errors('false'), '', "index is sound after $what");
	is(missing(), '0', "no row is missing after $what");
}

sub mended
{
	my ($what) = @_;

	# without a dead row VACUUM has no business in an index
	$node->safe_psql('postgres', 'DELETE FROM t WHERE id = (SELECT min(id) FROM t)');
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) t');
	is(index_violations($node, 'ti'), '', "VACUUM mends what is left by $what");
}

# ---------------------------------------------------------------------------
# Every point.  Each script reaches its point often enough for both hits.

my $insert = 'CALL fill(60, 100000);';
my $same = 'CALL fill(60, 3);';
my $vacuum = 'DELETE FROM t WHERE id % 4 = 0 OR id % 1000 < 3;'
  . 'DELETE FROM t WHERE id < (SELECT max(id) FROM t) - 600;'
  . 'CALL fill(200, 100000); CALL fill(100, 5);'
  . 'DELETE FROM t WHERE id % 3 = 0;'
  . "\nVACUUM (INDEX_CLEANUP ON) t;";
my $grow = 'CALL fill(400, 100000);';
my $build = "BEGIN; DROP INDEX ti; CREATE INDEX ti ON t USING hnsw ($ops) $with; COMMIT;";
my $scan = q(SET enable_seqscan = off;
	SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> '[1,1,1,1,1,1,1,1]' LIMIT 500) q;);

my @points = (
	[ 'insert-after-lock', $insert, 1, 40 ],
	[ 'insert-after-search', $insert, 1, 40 ],
	[ 'insert-after-node', $insert, 1, 40 ],
	[ 'insert-between-backlinks', $insert, 1, 2, 100 ],
	[ 'insert-before-backlink', $insert, 1, 50 ],
	[ 'insert-dup-before-append', $same, 1, 50 ],
	[ 'extend-before-init', $grow, 1, 2 ],
	[ 'extend-after-init', $grow, 1, 2 ],
	[ 'vacuum-after-pass1-page', $vacuum, 1, 10 ],
	[ 'vacuum-before-barrier', $vacuum, 1 ],
	[ 'vacuum-before-entry-replace', $vacuum, 1, 2 ],
	[ 'vacuum-after-entry-replace', $vacuum, 1, 2 ],
	[ 'vacuum-repair-before-write', $vacuum, 1, 5 ],
	[ 'vacuum-repair-after-write', $vacuum, 1, 5 ],
	[ 'vacuum-before-attach', $vacuum, 1 ],
	[ 'vacuum-before-free-page', $vacuum, 1, 5 ],
	[ 'vacuum-after-free-page', $vacuum, 1, 5 ],
	[ 'vacuum-before-fsm', $vacuum, 1 ],
	[ 'scan-before-load', $scan, 1 ],
	[ 'scan-between-batches', $scan, 1, 20 ],
	[ 'build-after-metapage', $build, 1 ],
	[ 'build-before-flush', $build, 1 ],
	[ 'build-during-flush', $build, 1 ],
	[ 'build-before-log', $build, 1 ],
	[ 'worker-start', $build, 1 ],
);

for (@points)
{
	my ($point, $script, @hits) = @$_;

	for my $n (@hits)
	{
		ok(crash_at($script, $point, $n), "hit $n of $point crashes the server");
		sound_after("a crash at hit $n of $point");
	}
	mended("crashes at $point");
}

# The first row of an index becomes an entry.
for my $point ('insert-before-entry', 'insert-after-entry')
{
	for my $n (1, 5)
	{
		$node->safe_psql('postgres', "TRUNCATE t");
		ok(crash_at($insert, $point, $n), "hit $n of $point crashes the server");
		sound_after("a crash at hit $n of $point");
		$node->safe_psql('postgres', 'CALL fill(30, 100000)');
		is(missing(), '0', "rows inserted then are found");
	}
	mended("crashes at $point");
}

# W11: that a row without a vector came is noted before the row is there.  A
# crash in between leaves a note of nothing; but never a row without its note,
# which an order that such rows begin would then lack.
my $first_is_null = q(
	SET enable_seqscan = off; SET enable_sort = off;
	SELECT v IS NULL FROM t ORDER BY (v <-> '[0,0,0,0,0,0,0,0]') * -1 DESC LIMIT 1);
my $insert_null = "INSERT INTO t VALUES (nextval('ids'), NULL)";

$node->safe_psql('postgres', "TRUNCATE t; CALL fill(30, 100000)");
ok(crash_at($insert_null, 'edit-after-finish', 1), 'the note of a row without a vector crashes the server');
sound_after('a crash behind W11');
is($node->safe_psql('postgres', 'SELECT count(*) FROM t WHERE v IS NULL'), '0', 'the row of this note is not there');
is($node->safe_psql('postgres', $first_is_null), 'f', 'a descending order is right without it');
$node->safe_psql('postgres', $insert_null);
ok(crash_at($insert, 'insert-after-node', 1), 'the server crashes when such a row is there');
is(errors('false'), '', 'index is sound after that');
is($node->safe_psql('postgres', $first_is_null), 't', 'the row without a vector comes first');
$node->safe_psql('postgres', 'DELETE FROM t WHERE v IS NULL');
mended('crashes behind W11');

# ---------------------------------------------------------------------------
# Behind every record of a load that makes each kind of change, as far as the
# figures of the time allow: a stride that spreads them over the load.

my $load = q(
	CALL fill(40, 100000);
	INSERT INTO t SELECT nextval('ids'), vec(7) FROM generate_series(1, 12);
	DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id LIMIT 20) OR v = vec(7);
	VACUUM (INDEX_CLEANUP ON) t;
	CALL fill(15, 100000););
my $reset = 'TRUNCATE t; CALL fill(60, 100000)';

$node->safe_psql('postgres', $reset);
my $count = $node->safe_psql('postgres',
	"LOAD 'vector'; SET hnsw.test_point = 'edit-after-finish:count'; $load SHOW hnsw.test_point");
my ($nrecords) = $count =~ /hit (\d+) times/;
cmp_ok($nrecords, '>', 100, 'the load writes records');

my $ncrashes = 0;
my @bad;
for (my $n = 1; $n <= $nrecords; $n += int($nrecords / 60) + 1)
{
	$node->safe_psql('postgres', $reset) if $ncrashes % 10 == 0;
	next unless crash_at($load, 'edit-after-finish', $n);
	$ncrashes++;
	push @bad, "record $n: " . errors('false') if errors('false') ne '';
	push @bad, "record $n: " . missing() . ' rows are missing' if missing() ne '0';
	next unless $ncrashes % 5 == 0;
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) t');
	push @bad, "record $n, after VACUUM: " . index_violations($node, 'ti')
	  if index_violations($node, 'ti') ne '';
}
cmp_ok($ncrashes, '>=', 40, 'the server crashed behind many records');
is(join("\n", @bad), '', 'the index is sound after each of these crashes');
mended('the last of them');

# ---------------------------------------------------------------------------
# Errors in place of crashes: a subtransaction that ends in the middle of an
# insert leaves a dead row, and no lock.

for my $point ('insert-after-lock', 'insert-after-search', 'insert-after-node',
	'insert-between-backlinks')
{
	my $err = run(q(BEGIN;
		CALL fill(3, 100000);
		SAVEPOINT s;
		CALL fill(10, 100000);
		ROLLBACK TO s;
		SELECT count(*) AS page_locks FROM pg_locks WHERE locktype = 'page' \gset
		CALL fill(3, 100000);
		COMMIT;
		SELECT 1 / (:page_locks = 0)::int;), "$point:error:5");

	like($err, qr/test point "$point" was reached/, "$point fails");
	unlike($err, qr/division by zero|deadlock/, "no lock is left by $point");
	sound_after("an error at $point");
}
mended('errors');

# A cancelled VACUUM is picked up by the next one.
for my $point ('vacuum-after-pass1-page', 'vacuum-before-barrier',
	'vacuum-repair-before-write', 'vacuum-after-entry-replace',
	'vacuum-before-free-page', 'vacuum-after-free-page', 'vacuum-before-fsm')
{
	like(run($vacuum, "$point:error"), qr/test point "$point" was reached/,
		"VACUUM fails at $point");
	sound_after("a VACUUM that failed at $point");
	mended("a VACUUM that failed at $point");
}

# Nothing of all this was a surprise to the server.
my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|TRAP|inconsistent page|invalid page|unexpected data beyond EOF|page verification failed|leak/,
	'the log is clean');

$node->stop;
done_testing();
