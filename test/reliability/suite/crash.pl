# CRASH: processes are killed at random under load, and in the middle of DDL.
# Each time the server comes back, no index has an error, no row is missing or
# answered twice, and the log is clean.  The same data directory goes on, so that
# damage would add up; each tenth time VACUUM must mend everything.
#
# build: test points

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use Reliability;
use Session;
use VectorLoad;
use VectorTest;

require_test_points();
begin_suite('crash');

my @conf = (
	'jit = off', 'log_statement = none', 'shared_buffers = 8MB', 'max_wal_size = 32MB', 'min_wal_size = 32MB',
	"shared_preload_libraries = 'vector'",
	'autovacuum_naptime = 1s', 'autovacuum_vacuum_threshold = 200', 'autovacuum_vacuum_cost_delay = 0',
	'restart_after_crash = on', 'max_prepared_transactions = 20',
	'min_parallel_table_scan_size = 0', 'max_parallel_maintenance_workers = 2',
	'wal_sender_timeout = 0', 'deadlock_timeout = 10s');

# ---------------------------------------------------------------------------
# One server under load, and one that does not log what it can do without

my $node = vector_node('crash', conf => \@conf, init => ['--data-checksums']);
my $space = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', "CREATE TABLESPACE elsewhere LOCATION '$space'");
load_functions($node);

my $with = 'm = 8, ef_construction = 40';
my @tables = (
	{ name => 'logged', dim => 16, class => 'vector_l2_ops', op => '<->', n => 2000, with => $with },
	{ name => 'equal', dim => 3, class => 'vector_cosine_ops', op => '<=>', n => 500, variety => 40, with => $with },
	{ name => 'wide', dim => 2600, class => 'vector_ip_ops', op => '<#>', n => 20, with => $with },
	{ name => 'plain', dim => 40, class => 'bit_hamming_ops', op => '<~>', type => 'bit', n => 500, with => $with },
	{ name => 'moved', dim => 100, class => 'vector_l2_ops', op => '<->', n => 300, with => $with, tablespace => 'elsewhere' });
my $unlogged = { name => 'unlogged', dim => 16, class => 'vector_l2_ops', op => '<->', n => 300, with => $with, kind => 'UNLOGGED' };
make_load_table($node, $_) for @tables, $unlogged;

# tells whether there was a crash: it is empty then
$node->safe_psql('postgres', 'CREATE UNLOGGED TABLE canary (a int)');

my $minimal = vector_node('minimal',
	conf => [ @conf, 'wal_level = minimal', 'max_wal_senders = 0' ],
	init => ['--data-checksums']);
load_functions($minimal);

# ---------------------------------------------------------------------------
# Killing

# A process that does what is asked for, or none.
sub find_victim
{
	my ($where) = @_;
	my $pids = eval { $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND $where") };
	return pick(split /\n/, $pids // '');
}

my %victims = (
	insert => "query ~ '^INSERT'",
	change => "query ~ '^(UPDATE|DELETE|COMMIT|PREPARE|ROLLBACK)'",
	search => "query ~ '^SELECT search'",
	vacuum => "query ~* 'VACUUM'",
	build => "query ~ 'INDEX'",
	worker => "backend_type = 'parallel worker'",
	checkpointer => "backend_type = 'checkpointer'",
	writer => "backend_type IN ('background writer', 'walwriter')");

# Kill one, waiting for it if it is not there yet.
sub kill_one
{
	my ($kind) = @_;

	for my $try (1 .. 40)
	{
		my $pid = find_victim($victims{$kind});
		return kill 'KILL', $pid if $pid;
		sleep 0.05;
	}
	return 0;
}

sub has_crashed
{
	my ($out) = eval { ($node->psql('postgres', 'SELECT count(*) FROM canary'))[1] };
	return defined $out && $out eq '0';
}

# Bring the server up; false if it does not come within a minute, or if there
# was no crash: a victim that ended by itself, a point that was not reached.
sub recover
{
	my ($what) = @_;

	if ($what eq 'postmaster' || $what eq 'immediate')
	{
		# what a dead postmaster has left behind goes when it notices
		my ($pid) = eval { slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/ };
		for my $try (1 .. 600)
		{
			last unless $pid && kill 0, $pid;
			sleep 0.05;
		}
		for my $try (1 .. 60)
		{
			last if $node->start(fail_ok => 1);
			sleep 1;
		}
	}
	for my $try (1 .. 20)
	{
		if (!defined wait_until_up($node, 60))
		{
			tried('crashes');
			problem('crashes', "$what: the server does not come up");
			return 0;
		}
		return 1 if has_crashed();
		sleep 0.1;
	}
	note "trial @{[ trial_seed() ]}: nobody was killed";
	return 0;
}

# ---------------------------------------------------------------------------
# Looking

sub judge
{
	my ($n, $t, $what, $thorough) = @_;
	my $errors = $n->safe_psql('postgres',
		"SELECT * FROM hnsw_index_check('$t->{name}_v', true, false) WHERE severity = 'error' LIMIT 5");
	my $missing = all_found($n, $t);

	tried('indexes verified after a crash');
	problem('indexes verified after a crash', "$what, $t->{name}: $errors") if $errors ne '';
	tried('full scans after a crash');
	problem('full scans after a crash', "$what, $t->{name}: $missing") if $missing ne '';
	return unless $thorough;

	my $answer = oracle($n, $t, 20, trial_seed());
	tried('answers after a crash', $answer->{nqueries});
	for my $rule (qw(O1 O2 O3 O4 few))
	{
		problem('answers after a crash', "$what, $t->{name}: $rule $answer->{$rule} times")
		  if $answer->{$rule} != 0;
	}
	return;
}

# VACUUM mends whatever crashes have left, and a new index is hardly better.
sub mend
{
	my ($what) = @_;
	my $session = Session->new($node);

	for my $t (@tables)
	{
		my $name = $t->{name};

		# answers of 200 queries have a standard error of .005 at recall .95
		my $nqueries = $t->{dim} > 1000 ? 40 : 1000;

		$session->safe_psql('postgres', "DELETE FROM $name WHERE id = (SELECT max(id) FROM $name WHERE @{[ indexed_rows($t) ]})");
		$session->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $name");
		my $rows = index_violations($session, "${name}_v");
		tried('indexes mended by VACUUM');
		problem('indexes mended by VACUUM', "$what, $name: $rows") if $rows ne '';

		my $recall = oracle($session, $t, $nqueries, trial_seed())->{recall};
		my $size = $session->safe_psql('postgres', "SELECT pg_relation_size('${name}_v')");
		$session->safe_psql('postgres', "REINDEX INDEX ${name}_v");
		my $fresh = oracle($session, $t, $nqueries, trial_seed())->{recall};
		tried('recall after crashes');
		problem('recall after crashes', "$what, $name: $recall, of a new index $fresh") if $recall < $fresh - .01;
		note "$name: recall $recall, of a new index $fresh, $size bytes, new "
		  . $session->safe_psql('postgres', "SELECT pg_relation_size('${name}_v')");
	}
	$session->quit;
	return;
}

# ---------------------------------------------------------------------------
# Iterations

my $ncrashes = 0;

# A victim under load.
sub under_load
{
	my ($kind) = @_;

	$node->safe_psql('postgres', 'INSERT INTO canary VALUES (1)');
	my @some = (pick(@tables), pick(@tables, $unlogged));
	my $seconds = 3;	# it ends with the crash
	my $jitter = rand() < .3 ? "-c hnsw.test_point=*:jitter:200" : '';
	my $load = start_load($node, [ $some[0], $some[0] == $some[1] ? () : $some[1] ], clients => 4,
		seconds => $seconds, seed => trial_seed(), options => $jitter, weights => { prepare => 2 });
	my $at_point;
	my $builder;

	if ($kind eq 'point')
	{
		# the n-th hit of any test point
		my $n = int exp between(0, 8);
		$at_point = start_load($node, [ $some[0] ], clients => 1, seconds => $seconds, seed => trial_seed() + 1,
			options => "-c hnsw.test_point=*:crash:$n", weights => { search => 5 });
	}
	if ($kind eq 'build' || $kind eq 'worker')
	{
		my $t = pick(@tables[ 0, 1, 4 ]);
		my $mem = pick('1MB', '64MB');
		my $script = pick("REINDEX INDEX $t->{name}_v", "REINDEX INDEX CONCURRENTLY $t->{name}_v",
			"CREATE INDEX CONCURRENTLY another ON $t->{name} USING hnsw (v $t->{class})");

		$builder = IPC::Run::start(
			[ 'psql', '-X', '-h', $node->host, '-p', $node->port, '-d', 'postgres',
				'-c', "SET maintenance_work_mem = '$mem'", '-c', $script ],
			'>', \my $out, '2>', \my $err);
	}
	my $vacuum;
	if ($kind eq 'vacuum')
	{
		$vacuum = IPC::Run::start(
			[ 'psql', '-X', '-h', $node->host, '-p', $node->port, '-d', 'postgres',
				(map { ('-c', "VACUUM (INDEX_CLEANUP ON) $_->{name}") } @some, @some, @some) ],
			'>', \my $out, '2>', \my $err);
	}
	sleep between(0, .8) unless $vacuum || $builder;
	sleep between(0.05, .35);
	if ($kind eq 'point') { finish_load($at_point); }
	elsif ($kind eq 'immediate') { $node->stop('immediate'); }
	elsif ($kind eq 'postmaster') { $node->kill9; }
	else { kill_one($kind); }
	finish_load($load, stop => 1);
	finish_load($at_point, stop => 1) if $at_point;
	$_->kill_kill(grace => 1) for grep { defined } $vacuum, $builder;

	return 0 unless recover($kind);
	my $session = Session->new($node);
	my @judged = $ncrashes % 5 == 4 ? @tables : (@some, pick(@tables));
	judge($session, $_, $kind, rand() < .3) for grep { $_ != $unlogged } @judged;

	# what was prepared is there after a crash, and ends
	my $ends = $session->safe_psql('postgres',
		q(SELECT CASE WHEN random() < .5 THEN 'COMMIT' ELSE 'ROLLBACK' END || ' PREPARED ' || quote_literal(gid) FROM pg_prepared_xacts));
	if ($ends ne '')
	{
		$session->safe_psql('postgres', $_) for split /\n/, $ends;
		judge($session, $_, "$kind, prepared transactions", 0) for @some;
	}

	# an unlogged table is empty, its index too
	my $left = $session->safe_psql('postgres', 'SELECT count(*) FROM unlogged');
	problem('indexes verified after a crash', "$kind: $left rows in an unlogged table") if $left != 0;
	judge($session, $unlogged, $kind, 0);
	$session->safe_psql('postgres', "INSERT INTO unlogged SELECT i, 0, vec(i, 16) FROM generate_series(1, 200) i;"
		  . ' DELETE FROM unlogged WHERE id % 4 = 0');
	$session->safe_psql('postgres', 'VACUUM unlogged');
	judge($session, $unlogged, "$kind, filled again", 0);

	# a build that came to nothing leaves an index that nothing stumbles over
	my $rest = $session->safe_psql('postgres',
		q(SELECT indexrelid::regclass || ' ' || indrelid::regclass FROM pg_index WHERE NOT indisvalid));
	for (split /\n/, $rest)
	{
		my ($index, $table) = split / /;

		$session->safe_psql('postgres', "INSERT INTO $table (n, v) SELECT 0, v FROM $table WHERE v IS NOT NULL LIMIT 1; DELETE FROM $table WHERE id = (SELECT max(id) FROM $table)")
		  if rand() < .5;
		$session->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $table");
		$session->safe_psql('postgres', "DROP INDEX $index");
		tried('invalid indexes dropped');
	}
	$session->safe_psql('postgres', 'DROP INDEX IF EXISTS another');
	$session->quit;
	return 1;
}

# Tables and indexes that are not logged until they are committed.
sub without_wal
{
	my $t = { name => 'm' . trial_seed(), dim => 16, class => 'vector_l2_ops', op => '<->', with => $with };
	my $more = { %$t, name => "n" . trial_seed() };
	my $n = int between(1, 1500);

	$minimal->append_conf('postgresql.conf', 'wal_skip_threshold = ' . pick('0', '1GB', '64kB'));
	$minimal->reload;
	my ($name, $other) = ($t->{name}, $more->{name});
	my ($r) = $minimal->psql('postgres', <<"SQL");
BEGIN;
CREATE TABLE $name (id int8, v vector(16));
INSERT INTO $name SELECT i, vec(i, 16) FROM generate_series(1, $n) i;
CREATE INDEX ${name}_v ON $name USING hnsw (v vector_l2_ops) WITH ($with);
INSERT INTO $name SELECT i, vec(i, 16) FROM generate_series(10001, 10100) i;
SAVEPOINT s;
INSERT INTO $name SELECT i, vec(i, 16) FROM generate_series(20001, 20010) i;
@{[ pick('ROLLBACK TO s', 'RELEASE s') ]};
COMMIT;
CREATE TABLE $other (id int8, v vector(16));
CREATE INDEX ${other}_v ON $other USING hnsw (v vector_l2_ops) WITH ($with);
INSERT INTO $other SELECT * FROM $name;
BEGIN;
TRUNCATE $other;
INSERT INTO $other SELECT * FROM $name WHERE id % 2 = 0;
@{[ pick('', "REINDEX INDEX ${other}_v;") ]}
DELETE FROM $other WHERE id % 3 = 0;
COMMIT;
@{[ pick('CHECKPOINT;', '', "INSERT INTO $name SELECT i, vec(i, 16) FROM generate_series(30001, 30050) i;") ]}
SQL
	problem('crashes', 'wal_level = minimal: the load fails') if $r != 0;
	my @expected = map { $minimal->safe_psql('postgres', "SELECT count(*), sum(id) FROM $_") } $name, $other;
	$minimal->stop('immediate');
	$minimal->start;
	my @found = map { $minimal->safe_psql('postgres', "SELECT count(*), sum(id) FROM $_") } $name, $other;
	problem('full scans after a crash', "wal_level = minimal: @found in place of @expected") if "@found" ne "@expected";
	judge($minimal, $_, 'wal_level = minimal', 1) for $t, $more;
	$minimal->safe_psql('postgres', "DROP TABLE $name, $other");
	return 1;
}

my @modes = (sort keys %victims, qw(point point point insert insert vacuum vacuum postmaster immediate minimal));
while (next_trial())
{
	my $mode = pick(@modes);

	note "trial " . trial_seed() . ": $mode";
	next unless $mode eq 'minimal' ? without_wal() : under_load($mode);
	tried('crashes');
	$ncrashes++;

	for my $n ($node, $minimal)
	{
		my $wrong = log_problems($n);
		problem('crashes', "$mode: $wrong") if $wrong ne '';
	}
	mend($mode) if $ncrashes % 10 == 0;
}
mend('last');
$_->stop for $node, $minimal;
end_suite();
