# RES: resources that fail: the n-th write of an index, the n-th read, the n-th
# allocation; no shared memory; no workers; hardly any buffers.  Statements end
# with the error that says so, nobody crashes, and the index is sound and takes
# the next row.
#
# build: test points

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use Reliability;
use Session;
use VectorLoad;
use VectorTest;

require_test_points();
begin_suite('res');

my $dir = PostgreSQL::Test::Utils::tempdir();
my $control = "$dir/control";
my %op = (write => 1, read => 2, shm => 4, malloc => 8);

system("gcc -O1 -shared -fPIC -o $dir/fault.so $FindBin::Bin/../../modules/fault/fault.c -ldl") == 0
  or die 'cannot build the library that fails';

# Say what fails: FaultControl of test/modules/fault.
sub arm
{
	my ($op, $pid, $after, $all, $path) = @_;

	open my $out, '+<', $control or die "$control: $!";
	binmode $out;
	print $out pack('l5 Z108', $op eq '' ? 0 : $op{$op}, $pid, $after, $all, 0, $path);
	close $out;
	return;
}

# Nothing fails from now on; how many calls did?
sub disarm
{
	open my $in, '<', $control or die "$control: $!";
	binmode $in;
	read $in, my $bytes, 20;
	close $in;
	arm('', 0, 0, 0, '');
	return (unpack 'l5', $bytes)[4];
}

append_to_file($control, "\0" x 128);
chmod 0666, $control;

# The library is loaded by the server alone.
sub start_with_faults
{
	my ($node) = @_;
	local $ENV{FAULT_CONTROL} = $control;
	local $ENV{LD_PRELOAD} = "$dir/fault.so";

	$node->start;
	return;
}

my $node = vector_node('res',
	conf => [ 'autovacuum = off', 'jit = off', 'log_statement = none', 'fsync = off', 'max_wal_size = 4GB',
		'shared_buffers = 512kB', 'restart_after_crash = on', 'bgwriter_lru_maxpages = 0',
		'checkpoint_timeout = 1h', 'min_parallel_table_scan_size = 0', 'max_parallel_maintenance_workers = 2' ]);
load_functions($node);
my @tables = (
	{ name => 'low', dim => 8, class => 'vector_l2_ops', op => '<->', n => 1500 },
	{ name => 'more', dim => 2600, class => 'vector_cosine_ops', op => '<=>', n => 60 },
	{ name => 'plain', dim => 64, class => 'bit_hamming_ops', op => '<~>', type => 'bit', n => 600 });
make_load_table($node, $_) for @tables;
$node->safe_psql('postgres', "ALTER TABLE $_->{name} SET (parallel_workers = 2)") for @tables;
$node->stop;
start_with_faults($node);

my $session;

sub connect_again
{
	$session->kill if $session;
	$session = Session->new($node, options => '-c enable_seqscan=off -c enable_sort=off -c client_min_messages=error');
	return;
}

sub judge
{
	my ($what, $t) = @_;
	my $name = $t->{name};

	$node->safe_psql('postgres', "INSERT INTO $name (n, v) SELECT 7, @{[ load_value($t, 'i') ]} FROM generate_series(4000001, 4000003) i");
	my $errors = $node->safe_psql('postgres', "SELECT * FROM hnsw_index_check('${name}_v', true, false) WHERE severity = 'error' LIMIT 5");
	my $missing = all_found($node, $t);
	tried('indexes verified');
	problem('indexes verified', "$what: $errors") if $errors ne '';
	problem('indexes verified', "$what: $missing") if $missing ne '';
	my $wrong = log_problems($node);
	problem('indexes verified', "$what: $wrong") if $wrong ne '';
	return;
}

# Back to as many rows as at first, and nothing left of what failed.
sub reset_table
{
	my ($what, $t) = @_;
	my $name = $t->{name};

	$node->safe_psql('postgres', "DELETE FROM $name WHERE id > 1000000");
	$node->safe_psql('postgres', "INSERT INTO $name SELECT i, 0, @{[ load_value($t, 'i') ]} FROM generate_series(1, $t->{n}) i ON CONFLICT DO NOTHING");
	$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $name");
	my $rows = index_violations($node, "${name}_v");
	problem('indexes verified', "$what, after VACUUM: $rows") if $rows ne '';
	return;
}

# One statement while the n-th call fails; its error, if any, is one of those
# expected.
sub attempt
{
	my ($kind, $t, $sql, $op, $n, $all, $path, $states) = @_;
	my $what = "$kind at call $n" . ($all ? ' and on' : '') . ", $t->{name}: $sql";

	arm($op, $op eq 'shm' ? 0 : $session->{pid}, $n - 1, $all, $path);
	my $r = $session->run($sql, 120);
	my $failed = disarm();
	return 0 if $failed == 0;

	tried($kind);
	my @wrong = grep { !/^($states)$/ } $r->{err} =~ /(?:ERROR|FATAL|PANIC):  (\w{5}):/g;
	problem($kind, "$what: $r->{err}") if @wrong;
	if (!$r->{alive})
	{
		problem($kind, "$what: " . ($r->{late} ? 'no end' : 'connection lost') . " $r->{err}");
		wait_until_up($node, 60);
		connect_again();
	}
	return 1;
}

sub statements
{
	my ($t) = @_;
	my $name = $t->{name};
	my $some = $t->{n} / 3;
	my $mem = pick('1MB', '64MB');
	my $workers = pick(0, 2);

	return (
		"INSERT INTO $name (n, v) SELECT 0, @{[ load_value($t, 'i + ' . int rand 1e6) ]} FROM generate_series(1, $some) i",
		"INSERT INTO $name (n, v) SELECT 0, v FROM $name LIMIT $some",
		"DELETE FROM $name WHERE id % 3 = @{[ int rand 3 ]};\nVACUUM (INDEX_CLEANUP ON) $name",
		"SET maintenance_work_mem = '$mem'; SET max_parallel_maintenance_workers = $workers;\nREINDEX INDEX ${name}_v",
		"SELECT count(*) FROM (SELECT id FROM $name ORDER BY v $t->{op} @{[ load_value($t, '1') ]} LIMIT @{[ pick(10, 10000) ]}) s",
		"SELECT count(*) FROM (SELECT id FROM $name WHERE n = 7 ORDER BY v $t->{op} @{[ load_value($t, '1') ]} LIMIT 10) s",
		"SELECT count(*) FROM hnsw_index_check('${name}_v', true, true)");
}

connect_again();

# Each n of 1 to 300 is to be the write that fails, of some statement that writes so
# often.
my @writes = map { { n => $_, tries => 0 } } 1 .. 300;

while (next_trial())
{
	my $t = pick(@tables);
	my $sql = pick(statements($t));
	my $kind = pick(qw(write write write read malloc malloc malloc shm));
	my $node_path = $node->safe_psql('postgres', "SELECT pg_relation_filepath('$t->{name}_v')");
	my $what = "$kind, $t->{name}: $sql";

	my $n = 1 + int(300 * rand() ** 2);
	if ($kind eq 'write')
	{
		my $next = @writes ? shift @writes : { n => $n, tries => 9 };

		# of a build the file is not known; any of the database's will do
		$node_path = '/base/5/' if $sql =~ /REINDEX/;
		if (!attempt('disk full', $t, $sql, 'write', $next->{n}, rand() < .7, $node_path, '53100')
			&& ++$next->{tries} < 9)
		{
			unshift @writes, $next;
		}
		elsif ($next->{tries} < 9)
		{
			tried('disk full (each n of 1 to 300)');
		}
	}
	elsif ($kind eq 'read')
	{
		attempt('unreadable', $t, $sql, 'read', $n, rand() < .5, $node_path, '58030|XX001|XX002');
	}
	elsif ($kind eq 'malloc')
	{
		attempt('no memory', $t, $sql, 'malloc', $n, 0, '', '53200');
	}
	else
	{
		my $name = $t->{name};
		attempt('no shared memory', $t,
			"SET maintenance_work_mem = '" . pick('1MB', '64MB') . "'; SET max_parallel_maintenance_workers = 2;\nREINDEX INDEX ${name}_v",
			'shm', pick(1, 1, 2, 3, 4, 6, 10), 1, '/dev/shm/', '53100|53200|58030');
	}
	judge($what, $t) if rand() < .3;
	reset_table($what, $t) if rand() < .1;
}
judge('last', $_), reset_table('last', $_) for @tables;
my $segments = $node->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'));
problem('no shared memory', 'workers are left') if $segments != 0;
$session->quit;
$node->stop;

# ---------------------------------------------------------------------------
# No worker at all; twenty clients and 64 buffers

$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->start;
for my $t (@tables)
{
	$node->safe_psql('postgres', "SET max_parallel_maintenance_workers = 4; SET maintenance_work_mem = '1MB'; REINDEX INDEX $t->{name}_v");
	my $rows = index_violations($node, "$t->{name}_v");
	tried('builds without workers');
	problem('builds without workers', $rows) if $rows ne '';
}
my $load = start_load($node, \@tables, clients => 20, seconds => 20, seed => trial_seed(), weights => { search => 40, far => 0 });
finish_load($load);
tried('statements with few buffers', $load->{transactions});
problem('statements with few buffers', $load->{err}) if !$load->{ok} || $load->{err} =~ /ERROR/;
judge('few buffers', $_), reset_table('few buffers', $_) for @tables;
$node->stop;
end_suite();
