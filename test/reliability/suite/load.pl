# LOAD: sixteen clients read and write one index for as long as there is time,
# autovacuum on.  No statement takes ten seconds or fails, memory stays flat; in
# the end the index is hardly larger than a new one, and hardly worse.

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

my $node = vector_node('load',
	conf => [ 'jit = off', 'log_statement = none', 'fsync = off', 'shared_buffers = 128MB', 'max_wal_size = 1GB',
		'autovacuum_naptime = 1s', 'autovacuum_vacuum_scale_factor = 0.02', 'autovacuum_vacuum_insert_scale_factor = 0.1',
		'autovacuum_vacuum_cost_delay = 0', 'log_min_duration_statement = 10s', 'log_autovacuum_min_duration = 0',
		'deadlock_timeout = 2s', 'log_lock_waits = on' ]);
my $t = { name => 't', dim => 64, class => 'vector_l2_ops', op => '<->', n => 10000 };

load_functions($node);
make_load_table($node, $t);
$node->safe_psql('postgres', 'VACUUM ANALYZE t');

my $from = -s $node->logfile;

# as many rows go as come
my $load = start_load($node, [$t], clients => 16, seconds => int(seconds_left() * .8) + 1, seed => trial_seed(),
	arguments => ['--max-tries=10'], weights => { delete => 72, search => 60, far => 2 });
my %first;
my $grown = 0;
my $nsamples = 0;
my $start = time;

while ($load->{run}->pumpable && $load->{out} !~ /transaction type/)
{
	sleep 1;
	$load->{run}->pump_nb;

	# caches have filled by then
	next if time - $start < seconds_left() / 4;
	for my $pid (split /\n/, $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"))
	{
		open my $in, '<', "/proc/$pid/status" or next;
		my ($anon) = (join '', <$in>) =~ /^RssAnon:\s+(\d+) kB/m;
		close $in;
		next unless defined $anon;
		$first{$pid} //= $anon;
		$nsamples++;
		$grown = ($anon - $first{$pid}) / 1024 if ($anon - $first{$pid}) / 1024 > $grown;
	}
}
finish_load($load);
tried('statements', $load->{transactions});
problem('statements', $load->{err}) if !$load->{ok} || $load->{err} =~ /ERROR|aborted|FATAL|PANIC/;
measured('growth of a backend in MB', sprintf('%.1f', $grown), $nsamples);
problem('growth of a backend in MB', 'nothing was measured') if $nsamples == 0;
problem('growth of a backend in MB', $grown) if $grown > 5;

my $log = slurp_file($node->logfile, $from);
my @slow = $log =~ /(duration: \d{5,}.*)/g;
problem('statements', "slower than 10 s: $slow[0]") if @slow;
my $wrong = log_problems($node);
problem('statements', $wrong) if $wrong ne '';

# autovacuum is still at it; what it has not come to is what it is allowed to leave
my ($live, $dead, $vacuums) = split /\|/, $node->safe_psql('postgres',
	"SELECT pg_sleep(1), n_live_tup, n_dead_tup, autovacuum_count FROM pg_stat_user_tables WHERE relname = 't'") =~ s/^\|//r;
note "$live live and $dead dead rows after $vacuums rounds of autovacuum";
tried('rounds of autovacuum', $vacuums);
problem('rounds of autovacuum', 'none') if $vacuums < 1;
problem('rounds of autovacuum', "$dead dead rows, $live live ones") if $dead > 50 + .2 * $live;

my $missing = all_found($node, $t);
tried('full scans');
problem('full scans', $missing) if $missing ne '';
my $before = oracle($node, $t, 200, trial_seed());
my $size = $node->safe_psql('postgres', "SELECT pg_relation_size('t_v')");
$node->safe_psql('postgres', 'REINDEX INDEX t_v');
my $fresh = oracle($node, $t, 200, trial_seed());
my $new = $node->safe_psql('postgres', "SELECT pg_relation_size('t_v')");
tried('recall');
note sprintf 'recall %.4f, of a new index %.4f; %d bytes, new %d, ratio %.3f', $before->{recall}, $fresh->{recall}, $size, $new, $size / $new;
problem('recall', "$before->{recall}, of a new index $fresh->{recall}") if $before->{recall} < $fresh->{recall} - .01;
measured('size of the index to a new one', sprintf('%.3f', $size / $new), 1);
problem('size of the index to a new one', $size / $new) if $size / $new > 1.1;
$node->stop;
end_suite();
