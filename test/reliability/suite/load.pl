# LOAD: sixteen clients read and write one index for as long as there is time,
# autovacuum on.  No statement takes ten seconds or fails, memory stays flat; in
# the end the index is hardly larger than a new one, and hardly worse.
#
# Twice, each with a table of its own:
#
# at a rate: the clients send what an application does that keeps the processors
# busy for less than half of the time, namely a third of the transactions that
# the same clients manage when nothing holds them back, measured first.  All
# marks hold, and autovacuum must keep up.
#
# saturated: the clients wait for nothing, sixteen on whatever processors there
# are, and autovacuum is one process among seventeen.  It falls behind then for a
# table without any index on vectors, too: after 40 seconds of the same writes, but
# no searches, on two processors there were 3,000 dead rows beside 10,000, and the
# table was 1.33 times as large as a new one.  All marks hold but two: how far it
# falls behind is printed, not judged, and the tenth by which the index may be larger
# comes on top of what the table has grown by.
#
# Autovacuum is configured as the manual says for tables that change much.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use Reliability;
use VectorLoad;
use VectorTest;

begin_suite('load');
next_trial();

my $nclients = 16;
my $whole = seconds_left();

# Seconds that the processors have been at work, and idle, since the machine began.
sub processors
{
	my ($user, $nice, $system, $idle, $iowait) = slurp_file('/proc/stat') =~ /^cpu\s+(\d+) (\d+) (\d+) (\d+) (\d+)/;
	return ($user + $nice + $system, $idle + $iowait);
}

# As many rows go as come.
sub begin_load
{
	my ($node, $t, $seconds, @arguments) = @_;
	return start_load($node, [$t], clients => $nclients, seconds => $seconds, seed => trial_seed(),
		arguments => [ '--max-tries=10', @arguments ], weights => { delete => 72, search => 60, far => 2 });
}

# Transactions a second when nothing holds the clients back.
sub capacity
{
	my ($node, $t, $seconds) = @_;
	my $load = finish_load(begin_load($node, $t, $seconds));

	die $load->{err} unless $load->{ok} && $load->{transactions} > 0;
	return $load->{transactions} / $seconds;
}

# Private memory of the clients' backends in MB, by pid.
sub backends
{
	my ($node) = @_;
	my %memory;

	for my $pid (split /\n/, $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"))
	{
		open my $in, '<', "/proc/$pid/status" or next;
		my ($anon) = (join '', <$in>) =~ /^RssAnon:\s+(\d+) kB/m;
		close $in;
		$memory{$pid} = $anon / 1024 if defined $anon;
	}
	return \%memory;
}

# The load itself, for so many seconds; what it counts has the form's name behind it.
sub run_load
{
	my ($node, $t, $form, $seconds, @arguments) = @_;
	my $from = -s $node->logfile;
	my $start = time;
	my ($busy, $idle) = processors();
	my $load = begin_load($node, $t, $seconds, @arguments);
	my %first;
	my $grown = 0;
	my $nsamples = 0;

	while ($load->{run}->pumpable && $load->{out} !~ /transaction type/)
	{
		sleep 1;
		$load->{run}->pump_nb;

		# caches have filled by then
		next if time - $start < $seconds / 4;
		my $memory = backends($node);
		for my $pid (keys %$memory)
		{
			$first{$pid} //= $memory->{$pid};
			$nsamples++;
			$grown = $memory->{$pid} - $first{$pid} if $memory->{$pid} - $first{$pid} > $grown;
		}
	}
	finish_load($load);
	my ($busy_now, $idle_now) = processors();
	note sprintf '%.0f transactions a second%s, %.0f %% of the processors busy, others at work included',
	  $load->{transactions} / $seconds, $form, 100 * ($busy_now - $busy) / ($busy_now - $busy + $idle_now - $idle);
	tried("statements$form", $load->{transactions});
	problem("statements$form", $load->{err}) if !$load->{ok} || $load->{err} =~ /ERROR|aborted|FATAL|PANIC/;
	measured("growth of a backend in MB$form", sprintf('%.1f', $grown), $nsamples);
	problem("growth of a backend in MB$form", 'nothing was measured') if $nsamples == 0;
	problem("growth of a backend in MB$form", $grown) if $grown > 5;

	my $log = slurp_file($node->logfile, $from);
	my @slow = $log =~ /(duration: \d{5,}.*)/g;
	problem("statements$form", "slower than 10 s: $slow[0]") if @slow;
	my $wrong = log_problems($node);
	problem("statements$form", $wrong) if $wrong ne '';
	return;
}

# Autovacuum is still at it; what it has not come to is what it is allowed to leave.
sub judge_autovacuum
{
	my ($node, $t, $form, $judged) = @_;
	my ($live, $dead, $vacuums) = split /\|/, $node->safe_psql('postgres',
		"SELECT pg_sleep(1), n_live_tup, n_dead_tup, autovacuum_count FROM pg_stat_user_tables WHERE relname = '$t->{name}'") =~ s/^\|//r;

	note "$live live and $dead dead rows after $vacuums rounds of autovacuum$form";
	tried("rounds of autovacuum$form", $vacuums);
	problem("rounds of autovacuum$form", 'none') if $vacuums < 1;
	problem("rounds of autovacuum$form", "$dead dead rows, $live live ones") if $judged && $dead > 50 + .2 * $live;
	return;
}

# How much larger the table and its key are than new ones.
sub table_ratios
{
	my ($node, $name) = @_;
	return split /\|/, $node->safe_psql('postgres', <<"SQL");
CREATE TABLE fresh (LIKE $name) WITH (fillfactor = 80);
INSERT INTO fresh SELECT * FROM $name;
CREATE UNIQUE INDEX fresh_pkey ON fresh (id);
SELECT pg_relation_size('$name')::float8 / pg_relation_size('fresh'), pg_relation_size('${name}_pkey')::float8 / pg_relation_size('fresh_pkey');
DROP TABLE fresh;
SQL
}

# Is the index as large as a new one, and as good?
sub judge_index
{
	my ($node, $t, $form, $judged) = @_;
	my $name = $t->{name};
	my $missing = all_found($node, $t);

	tried("full scans$form");
	problem("full scans$form", $missing) if $missing ne '';

	my $size = $node->safe_psql('postgres', "SELECT pg_relation_size('${name}_v')");
	my ($table, $key) = table_ratios($node, $name);
	my $before = oracle($node, $t, 200, trial_seed());
	$node->safe_psql('postgres', "REINDEX INDEX ${name}_v");
	my $fresh = oracle($node, $t, 200, trial_seed());
	my $ratio = $size / $node->safe_psql('postgres', "SELECT pg_relation_size('${name}_v')");
	my $limit = 1.1 * ($judged || $table < 1 ? 1 : $table);

	note sprintf 'recall%s %.4f, of a new index %.4f; size to a new one: index %.3f, table %.3f, primary key %.3f',
	  $form, $before->{recall}, $fresh->{recall}, $ratio, $table, $key;
	tried("recall$form");
	problem("recall$form", "$before->{recall}, of a new index $fresh->{recall}") if $before->{recall} < $fresh->{recall} - .01;
	measured("size of the index to a new one$form", sprintf('%.3f', $ratio), 1);
	problem("size of the index to a new one$form", "$ratio, limit $limit") if $ratio > $limit;
	measured("size of the table to a new one$form", sprintf('%.3f', $table), 1);
	measured("size of the primary key to a new one$form", sprintf('%.3f', $key), 1);
	return;
}

my $node = vector_node('load',
	conf => [ 'jit = off', 'log_statement = none', 'fsync = off', 'shared_buffers = 128MB', 'max_wal_size = 1GB',
		'autovacuum_naptime = 1s', 'autovacuum_vacuum_scale_factor = 0.02', 'autovacuum_vacuum_insert_scale_factor = 0.1',
		'autovacuum_vacuum_cost_delay = 0', 'log_min_duration_statement = 10s', 'log_autovacuum_min_duration = 0',
		'deadlock_timeout = 2s', 'log_lock_waits = on' ]);

sub make_table
{
	my ($name) = @_;
	my $t = { name => $name, dim => 64, class => 'vector_l2_ops', op => '<->', n => 10000 };

	make_load_table($node, $t);
	$node->safe_psql('postgres', "VACUUM ANALYZE $name");
	return $t;
}

load_functions($node);
my $t = make_table('t');
my $rate = int(capacity($node, $t, 5 + int($whole / 30)) / 3);

$node->safe_psql('postgres', 'DROP TABLE t; DROP SEQUENCE t_id');
$t = make_table('t');
note "the rate is $rate transactions a second";
run_load($node, $t, '', int($whole * .5), "--rate=$rate");
judge_autovacuum($node, $t, '', 1);
judge_index($node, $t, '', 1);

my $u = make_table('u');
run_load($node, $u, ' (saturated)', int($whole * .35));
judge_autovacuum($node, $u, ' (saturated)', 0);
judge_index($node, $u, ' (saturated)', 0);
$node->stop;
end_suite();
