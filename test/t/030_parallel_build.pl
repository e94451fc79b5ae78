# Builds by several processes: in memory, on pages when there is no memory, and
# from one to the other.  Every row is in, every node can be reached.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

my $node = vector_node(
	'parallel',
	conf => [
		'autovacuum = off', 'jit = off', 'fsync = off',
		'max_worker_processes = 8', 'max_parallel_workers = 8',
		'min_parallel_table_scan_size = 0', 'max_wal_size = 4GB',

		# tells of each worker that starts
		'log_min_messages = debug1'
	]);

# Build the index of table t and look at it.  Options: class, op, workers, mem,
# concurrently.
sub build
{
	my ($what, %opt) = @_;
	my $workers = $opt{workers} // 2;
	my $mem = $opt{mem} // '1MB';
	my $op = $opt{op} // '<->';
	my $class = $opt{class} // 'vector_l2_ops';
	my $how = ($opt{concurrently} ? 'CONCURRENTLY' : '');
	my $name = "$what, $workers workers, $mem";
	my $log = -s $node->logfile;
	my $zero = $op eq '<=>' ? 'v <> v - v' : 'v IS NOT NULL';

	$node->safe_psql('postgres', "ALTER TABLE t SET (parallel_workers = $workers)");
	$node->safe_psql('postgres', <<"SQL");
SET maintenance_work_mem = '$mem';
SET max_parallel_maintenance_workers = $workers;
CREATE INDEX $how t_v ON t USING hnsw (v $class);
SQL
	my $started = () = slurp_file($node->logfile, $log) =~ /starting background worker process "parallel worker/g;
	is($started, $workers, "$name: that many were started");
	check_index($node, 't_v', "$name: sound");
	is($node->safe_psql('postgres', <<"SQL"), 't', "$name: complete");
SET enable_seqscan = off;
SELECT (SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM t ORDER BY v $op (SELECT v FROM t WHERE $zero ORDER BY id LIMIT 1)) s)
	IS NOT DISTINCT FROM (SELECT array_agg(id ORDER BY id) FROM t WHERE $zero)
SQL
	is($node->safe_psql('postgres', "SELECT reltuples FROM pg_class WHERE relname = 't_v'"),
		$node->safe_psql('postgres', "SELECT count(*) FROM t WHERE $zero"), "$name: counted right");

	# each of some rows finds itself, or one equal to it
	is($node->safe_psql('postgres', <<"SQL"), 't', "$name: rows find themselves");
SET enable_seqscan = off;
SELECT count(*) FILTER (WHERE q.v = r.v) >= .99 * count(*) FROM
	(SELECT * FROM t WHERE $zero ORDER BY hashint8(id) LIMIT 200) q, LATERAL (SELECT v FROM t ORDER BY t.v $op q.v LIMIT 1) r
SQL

	# and the index goes on from there
	$node->safe_psql('postgres', "INSERT INTO t SELECT id + 1000000, v FROM t WHERE id % 50 = 0");
	check_index($node, 't_v', "$name: sound after inserts");
	$node->safe_psql('postgres', "DROP INDEX t_v; DELETE FROM t WHERE id > 1000000");
	return;
}

sub table
{
	my ($n, $dim, $seed) = @_;
	$node->safe_psql('postgres', "DROP TABLE IF EXISTS t; CREATE TABLE t AS " . vectors($n, $dim, $seed));
	return;
}

# many nodes on a page
table(6000, 3, 1);
build('3 dimensions', workers => $_) for 1, 2, 4;
build('3 dimensions', workers => 2, mem => '64MB');
build('3 dimensions, CONCURRENTLY', concurrently => 1);
build('3 dimensions, L1', class => 'vector_l1_ops', op => '<+>');

# equal rows among others, NULLs, zeros
$node->safe_psql('postgres', <<'SQL');
INSERT INTO t SELECT i + 100000, v FROM t, generate_series(1, 800) i WHERE id = 1;
INSERT INTO t SELECT id + 200000, v FROM t WHERE id <= 500;
INSERT INTO t SELECT i + 300000, NULL FROM generate_series(1, 100) i;
INSERT INTO t SELECT i + 400000, '[0,0,0]' FROM generate_series(1, 100) i;
SQL
build('equal rows and none');
build('equal rows and none, cosine', class => 'vector_cosine_ops', op => '<=>', workers => 4);

# few nodes on a page, one on several
table(1500, 100, 2);
build('100 dimensions', workers => $_) for 2, 4;
table(400, 700, 3);
build('700 dimensions, cosine', class => 'vector_cosine_ops', op => '<=>');
build('700 dimensions', workers => 4);
table(60, 6000, 4);
build('6000 dimensions');

# hardly any rows, or all the same
for my $n (0, 1, 11)
{
	table($n, 3, 5);
	build("$n rows");
}
$node->safe_psql('postgres', "DROP TABLE t; CREATE TABLE t AS SELECT i::int8 AS id, '[1,2,3]'::vector(3) AS v FROM generate_series(1, 8000) i");
build('all equal', workers => $_) for 2, 4;

# no worker to be had: the leader does it all
$node->append_conf('postgresql.conf', 'max_parallel_workers = 0');
$node->reload;
table(1000, 8, 6);
$node->safe_psql('postgres', "SET maintenance_work_mem = '1MB'; SET max_parallel_maintenance_workers = 4;"
	  . " CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops)");
check_index($node, 't_v', 'nobody to help: sound');

# an error in the middle of a build, wherever it happens, leaves nothing behind
$node->append_conf('postgresql.conf', 'max_parallel_workers = 8');
$node->reload;
$node->safe_psql('postgres', <<'SQL');
DROP TABLE t;
CREATE TABLE t (id int8, v vector) WITH (parallel_workers = 2);
INSERT INTO t SELECT i, CASE WHEN i = 2900 THEN '[1,2]'::vector ELSE ARRAY[i, 0, 1]::vector END FROM generate_series(1, 3000) i;
SQL
for my $mem ('1MB', '64MB')
{
	my ($r, undef, $stderr) = $node->psql('postgres', "SET maintenance_work_mem = '$mem';"
		  . ' CREATE INDEX t_v ON t USING hnsw ((v::vector(3)) vector_l2_ops)');

	isnt($r, 0, "$mem: a bad row stops the build");
	like($stderr, qr/expected 3 dimensions, not 2/, "$mem: and is named");
}
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_class WHERE relname = 't_v'"), 0, 'no index is left');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'"), 0, 'no worker either');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|terminated by signal|leak/, 'nothing wrong in the log');

$node->stop;
done_testing();
