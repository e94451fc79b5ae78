# CANC: whatever runs can be stopped, soon, and leaves nothing behind: cancelled,
# terminated, by a timeout, or with a worker of it killed off.
#
# build: test points

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use Reliability;
use Session;
use VectorLoad;
use VectorTest;

require_test_points();
begin_suite('canc');

my $node = vector_node('canc',
	conf => [ 'autovacuum = off', 'jit = off', 'log_statement = none', 'fsync = off', 'max_wal_size = 4GB',
		"shared_preload_libraries = 'vector'", 'max_worker_processes = 8', 'max_parallel_workers = 8',
		'min_parallel_table_scan_size = 0', 'shared_buffers = 64MB', 'restart_after_crash = on',
		'log_min_messages = warning' ]);
load_functions($node);

my $t = { name => 't', dim => 32, class => 'vector_l2_ops', op => '<->', n => 6000 };
my $wide = { name => 'w', dim => 1536, class => 'vector_cosine_ops', op => '<=>', n => 400 };
my $dup = { name => 'd', dim => 3, class => 'vector_l2_ops', op => '<->', n => 3000, variety => 20 };
my @tables = ($t, $wide, $dup);
make_load_table($node, $_) for @tables;
$node->safe_psql('postgres', "ALTER TABLE $_->{name} SET (parallel_workers = 2)") for @tables;

# Long statements of all kinds.
sub statement
{
	my $u = pick(@tables);
	my ($name, $op) = @$u{qw(name op)};
	my $n = $u == $wide ? 400 : 4000;
	my $mem = pick('1MB', '64MB');
	my $workers = pick(0, 2);
	my $set = "SET maintenance_work_mem = '$mem'; SET max_parallel_maintenance_workers = $workers;";

	return pick(
		"INSERT INTO $name (n, v) SELECT 0, @{[ load_value($u, 'i + ' . int rand 1e6) ]} FROM generate_series(1, $n) i",
		"INSERT INTO $name (n, v) SELECT 0, v FROM $name LIMIT $n",
		"UPDATE $name SET v = @{[ load_value($u, 'id + 1') ]}",
		"SELECT count(*) FROM (SELECT id FROM $name ORDER BY v $op @{[ load_value($u, '1') ]}) s, pg_sleep(0)",
		"SELECT count(*) FROM (SELECT * FROM $name LIMIT 500) q, LATERAL (SELECT id FROM $name ORDER BY v $op q.v LIMIT 50) s",
		"SELECT count(*) FROM (SELECT * FROM $name LIMIT 100) q, LATERAL (SELECT id FROM $name WHERE n = 77 ORDER BY v $op q.v LIMIT 50) s",
		"DELETE FROM $name WHERE id % 2 = 0;\nVACUUM (INDEX_CLEANUP ON) $name",
		"DELETE FROM $name WHERE id % 3 = 0;\nVACUUM (INDEX_CLEANUP ON) $name",
		"DROP INDEX IF EXISTS again; $set CREATE INDEX again ON $name USING hnsw (v $u->{class})",
		"$set REINDEX INDEX ${name}_v",
		"DROP INDEX IF EXISTS again;\n$set\nCREATE INDEX CONCURRENTLY again ON $name USING hnsw (v $u->{class})",
		"$set\nREINDEX INDEX CONCURRENTLY ${name}_v",
		"SELECT count(*) FROM hnsw_index_check('${name}_v', true, true)",
		"SELECT count(*) FROM generate_series(1, 50), LATERAL (SELECT count(*) FROM hnsw_index_check('${name}_v', false, false)) s");
}

# Nothing is left of it, and what there is is sound.
sub judge
{
	my ($what) = @_;
	my $left;

	# parts of a build that failed
	my $invalid = $node->safe_psql('postgres', 'SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid');
	$node->safe_psql('postgres', "DROP INDEX $_") for split /\n/, $invalid;
	$node->safe_psql('postgres', 'DROP INDEX IF EXISTS again');

	for my $try (1 .. 50)
	{
		$left = $node->safe_psql('postgres', q(SELECT 'worker' FROM pg_stat_activity WHERE backend_type = 'parallel worker'
			UNION ALL SELECT 'lock' FROM pg_locks WHERE locktype = 'page'));
		last if $left eq '';
		sleep .1;
	}
	problem('statements stopped', "$what: left behind: $left") if $left ne '';

	for my $u (@tables)
	{
		my $name = $u->{name};
		my $errors = $node->safe_psql('postgres', "SELECT * FROM hnsw_index_check('${name}_v', true, false) WHERE severity = 'error' LIMIT 5");
		my $missing = all_found($node, $u);
		tried('indexes verified');
		problem('indexes verified', "$what, $name: $errors") if $errors ne '';
		problem('indexes verified', "$what, $name: $missing") if $missing ne '';

		# back to the size that it had
		$node->safe_psql('postgres', "DELETE FROM $name WHERE id > 1000000");
		$node->safe_psql('postgres', "INSERT INTO $name SELECT i, 0, @{[ load_value($u, 'i') ]} FROM generate_series(1, $u->{n}) i ON CONFLICT DO NOTHING");
		$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $name");
		my $rows = index_violations($node, "${name}_v");
		problem('indexes verified', "$what, $name, after VACUUM: $rows") if $rows ne '';
	}

	# files that no relation has
	$node->safe_psql('postgres', 'CHECKPOINT');
	my $orphans = $node->safe_psql('postgres', q(
		SELECT f FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = 'postgres')) f
		WHERE f ~ '^\d+' AND substring(f from '^\d+')::oid NOT IN
			(SELECT pg_relation_filenode(oid) FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL)));
	problem('statements stopped', "$what: files left behind: $orphans") if $orphans ne '';
	my $wrong = log_problems($node);
	problem('statements stopped', "$what: $wrong") if $wrong ne '';
	return;
}

my $session;

sub connect_again
{
	my $point = rand() < .2 ? ' -c hnsw.test_point=*:jitter:50' : '';

	$session->kill if $session;
	$session = Session->new($node, options => "-c enable_seqscan=off -c enable_sort=off -c client_min_messages=error$point");
	return;
}

my (@cancel, @terminate, @worker);

connect_again();
while (next_trial())
{
	my $sql = statement();
	my $how = pick(qw(cancel cancel cancel cancel cancel timeout terminate gone worker));
	my $after = pick(between(.001, .05), between(.05, .5), between(.05, .5));

	if ($how eq 'timeout')
	{
		my $ms = 1 + int($after * 1000);
		my $r = $session->run("SET statement_timeout = $ms;\n$sql;\nSET statement_timeout = 0;\n", 60);
		next if $r->{err} !~ /57014/ && $r->{alive};
		tried('statements stopped');
		problem('statements stopped', "timeout, $sql: $r->{err}") if !$r->{alive} || $r->{err} =~ /ERROR:  (?!57014)/;
	}
	elsif ($how eq 'cancel')
	{
		$session->begin($sql);
		sleep $after;
		next if $session->ended;
		my $sent = time;
		kill 'INT', $session->{pid};
		my $r = $session->end(60);
		my $took = time - $sent;
		if ($r->{err} =~ /57014/)
		{
			push @cancel, $took;
			note sprintf "%.3f s: %s", $took, $sql if $took > .5;
			tried('statements stopped');
			problem('statements stopped', sprintf 'cancelled after %.1f s: %s', $took, $sql) if $took > 2;
		}
		problem('statements stopped', "cancel, $sql: $r->{err}") if !$r->{alive} || $r->{err} =~ /ERROR:  (?!57014)/;
	}
	elsif ($how eq 'worker')
	{
		# one of the workers of a build
		$session->begin("SET max_parallel_maintenance_workers = 2; SET maintenance_work_mem = '" . pick('1MB', '64MB') . "';\nREINDEX INDEX " . pick('t_v', 'w_v'));
		sleep between(0, .3);
		my $pid = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'parallel worker' ORDER BY random() LIMIT 1");
		next if $pid eq '' || $session->ended;
		my $sent = time;
		kill 'TERM', $pid;
		my $r = $session->end(60);
		push @worker, time - $sent;
		tried('workers killed off');
		problem('workers killed off', "$r->{err}, after @{[ time - $sent ]} s") if !$r->{alive} || $worker[-1] > 5;
	}
	else
	{
		$session->begin($sql);
		sleep $after;
		next if $session->ended;
		my $pid = $session->{pid};
		my $sent = time;
		if ($how eq 'gone') { $session->kill; kill 'TERM', $pid; }
		else { kill 'TERM', $pid; }
		sleep .002 while kill(0, $pid) && time - $sent < 30;
		push @terminate, time - $sent;
		note sprintf "%.3f s to %s: %s", $terminate[-1], $how, $sql if $terminate[-1] > .5;
		tried('statements stopped');
		problem('statements stopped', "$how after $terminate[-1] s: $sql") if $terminate[-1] > 2;
		connect_again();
	}
	judge($sql) if trial_seed() % 40 == 39;
}
judge('last');

for ([ 'time to cancel (p99.9 in ms)', \@cancel ], [ 'time to terminate (p99.9 in ms)', \@terminate ])
{
	my ($what, $list) = @$_;
	my @sorted = sort { $a <=> $b } @$list;
	next unless @sorted;
	my $p = $sorted[ int(.999 * $#sorted + .5) ];

	note sprintf 'median %.1f ms, max %.1f ms', 1000 * $sorted[ @sorted / 2 ], 1000 * $sorted[-1];
	measured($what, sprintf('%.0f', 1000 * $p), scalar @sorted);
	problem($what, "$p s") if $p >= 1;
}
$session->quit;
$node->stop;
end_suite();
