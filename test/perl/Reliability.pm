# Reliability -- what the suites in test/reliability share: seed, time, counts.
#
# A suite is a TAP file that runs for as long as it is told and counts what it
# has tried and what failed.  test/reliability/run sets RELIABILITY_SECONDS,
# RELIABILITY_SEED and RELIABILITY_COUNTS, the file to which counts are appended:
#
#	suite,seed,seconds,what,trials,failures,value
#
# Each trial draws its random numbers from a seed of its own, seed + number of
# the trial, so that with the seed that a failure names the run begins with it.

package Reliability;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = qw(
  begin_suite
  end_suite
  seconds_left
  next_trial
  trial_seed
  tried
  problem
  measured
  pick
  between
  log_problems
  wait_until_up
  timed
);

my ($suite, $seed, $seconds, $deadline, $started, $trial);
my %trials;
my %failures;
my %value;
my @order;

# begin_suite(name): first thing.
sub begin_suite
{
	($suite) = @_;
	$seconds = $ENV{RELIABILITY_SECONDS} || 60;
	$seed = $ENV{RELIABILITY_SEED} || time() % 1_000_000 * 1000;
	$started = time;
	$deadline = $started + $seconds;
	$trial = -1;
	srand($seed);
	note "suite $suite, seed $seed, $seconds s;"
	  . " RELIABILITY_SEED=$seed test/reliability/run with the same minutes repeats it";
	return;
}

sub seconds_left { return $deadline - time; }

# next_trial: whether there is time for one more; its random numbers follow from
# its number.
sub next_trial
{
	return 0 if $trial >= 0 && seconds_left() <= 0;
	return 0 if defined $ENV{RELIABILITY_TRIALS} && $trial + 1 >= $ENV{RELIABILITY_TRIALS};
	$trial++;
	srand($seed + $trial);
	return 1;
}

sub trial_seed { return $seed + ($trial < 0 ? 0 : $trial); }

# tried(what, n): n more trials.
sub tried
{
	my ($what, $n) = @_;

	push @order, $what unless exists $trials{$what};
	$trials{$what} += $n // 1;
	$failures{$what} //= 0;
	return;
}

# problem(what, text): one of them failed.  The text goes to the log with the
# seed of the trial.
sub problem
{
	my ($what, $text) = @_;

	tried($what, 0);
	diag "$what, seed " . trial_seed() . ": $text" if $failures{$what}++ < 20;
	return;
}

# measured(what, value, n): a figure that goes to the results, of n samples.
sub measured
{
	my ($what, $v, $n) = @_;

	tried($what, $n);
	$value{$what} = $v;
	note "$what: $v, of $n";
	return;
}

# end_suite: one assertion for each thing that was counted; the counts; done.
sub end_suite
{
	my $ran = sprintf '%.0f', time - $started;

	tried('runs of the suite');
	for my $what (@order)
	{
		is($failures{$what}, 0, "$what: none of $trials{$what} failed");
		append_to_file($ENV{RELIABILITY_COUNTS},
			join(',', $suite, $seed, $ran, $what, $trials{$what},
				$failures{$what}, $value{$what} // '') . "\n")
		  if $ENV{RELIABILITY_COUNTS};
	}
	$suite = undef;
	done_testing();
	return;
}

# A suite that dies counts as a run that failed.
my $death = '';
$SIG{__DIE__} = sub { $death = $_[0] unless $^S; };

END
{
	if (defined $suite)
	{
		my $status = $?;
		diag substr "suite $suite died, seed " . trial_seed() . ": $death", 0, 2000;
		append_to_file($ENV{RELIABILITY_COUNTS}, "$suite,$seed,0,runs of the suite,1,1,\n")
		  if $ENV{RELIABILITY_COUNTS};
		$? = $status || 1;
	}
}

# between(low, high), pick(list): by chance.
sub between
{
	my ($low, $high) = @_;
	return $low + rand($high - $low);
}

sub pick { return $_[ int rand @_ ]; }

# log_problems($node): what the server's log has that no log should have, since
# it was looked at last; a process that we killed is no surprise.
my %log_at;

sub log_problems
{
	my ($node) = @_;
	my $log = $node->logfile;
	my $from = $log_at{$log} // 0;
	my $text = slurp_file($log, $from);

	$log_at{$log} = $from + length $text;
	return join "\n", grep {
		/PANIC|TRAP:|terminated by signal (?!9\b)|invalid page|unexpected data beyond EOF|page verification failed|inconsistent page|leak|contains (unexpected|a |an )|write past chunk end|problem in alloc set/
	} split /\n/, $text;
}

# wait_until_up($node, seconds): the server answers again; seconds it took, or
# undef.
sub wait_until_up
{
	my ($node, $max) = @_;
	my $start = time;

	while (time - $start < $max)
	{
		my ($ret, $out) = eval { $node->psql('postgres', 'SELECT 1') };
		return time - $start if defined $ret && $ret == 0 && $out eq '1';
		sleep 0.05;
	}
	return undef;
}

# timed(sub): seconds, and what it returned.
sub timed
{
	my ($do) = @_;
	my $start = time;
	my @result = $do->();
	return (time - $start, @result);
}

1;
