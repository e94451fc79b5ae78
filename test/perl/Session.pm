# Session -- psql in the background, quietly: many small scripts, each with its
# output, its errors and the time it took; and signals to its backend meanwhile.
#
#	my $s = Session->new($node, options => 'PGOPTIONS');
#	my $r = $s->run($script, $seconds);
#
# $r->{out}, $r->{err}; $r->{alive}: the session is still there; $r->{late}: it
# did not end in time.  begin() and end() are its two halves; $s->{pid} is the
# backend's.

package Session;

use strict;
use warnings;

use IPC::Run;
use Time::HiRes qw(time);

sub new
{
	my ($class, $node, %opt) = @_;

	# replay on a standby may end a session before it has done anything
	for my $i (1 .. 20)
	{
		my ($self, $error) = _connect($class, $node, %opt);

		return $self if $self->{pid};
		die "no connection: $error" if $error !~ /conflict with recovery/;
	}
	die "no connection in 20 attempts, each ended by a conflict with recovery";
}

# The session, and what is wrong if it has no backend.
sub _connect
{
	my ($class, $node, %opt) = @_;
	my $self = bless { in => '', out => '', err => '', n => 0 }, $class;

	local $ENV{PGOPTIONS} = $opt{options} // '';
	$self->{run} = IPC::Run::start(
		[
			'psql', '-X', '-A', '-t', '-q', '-v', 'VERBOSITY=verbose',
			'-h', $node->host, '-p', $node->port, '-d', $opt{database} // 'postgres'
		],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err});
	my $r = $self->run('SELECT pg_backend_pid()', 60);
	($self->{pid}) = $r->{out} =~ /(\d+)/ if $r->{alive};
	return ($self, $r->{err});
}

sub begin
{
	my ($self, $script) = @_;
	my $mark = ++$self->{n};

	$self->{started} = time;
	$self->{out} = $self->{err} = '';
	$self->{in} .= "$script\n;\n\\echo =end $mark=\n\\warn =end $mark=\n";
	$self->{run}->pump_nb;
	return;
}

# Has it ended?  Waits a little while for output.
sub ended
{
	my ($self) = @_;
	my $mark = "=end $self->{n}=\n";

	return 1 if index($self->{out}, $mark) >= 0 && index($self->{err}, $mark) >= 0;
	return 1 unless $self->{run}->pumpable;
	eval { $self->{run}->pump_nb; };
	return index($self->{out}, $mark) >= 0 && index($self->{err}, $mark) >= 0;
}

sub end
{
	my ($self, $seconds) = @_;
	my $mark = "=end $self->{n}=\n";
	my $until = time + $seconds;
	my %result;

	until ($self->ended || time > $until)
	{
		select undef, undef, undef, 0.0005;
	}
	$result{seconds} = time - $self->{started};
	$result{alive} = index($self->{out}, $mark) >= 0;
	$result{late} = !$result{alive} && $self->{run}->pumpable;
	($result{out} = $self->{out}) =~ s/\n?\Q$mark\E//;
	($result{err} = $self->{err}) =~ s/\Q$mark\E//;
	return \%result;
}

sub run
{
	my ($self, $script, $seconds) = @_;

	$self->begin($script);
	return $self->end($seconds);
}

# safe_psql(database, script): as a server's own, so that functions that want a
# server take a session instead, which saves starting psql; its settings are
# those it began with.
sub safe_psql
{
	my ($self, $database, $script) = @_;
	my $r = $self->run("RESET ALL;\n$script", 300);

	die "error running SQL: $r->{err}\nwhile running $script\n"
	  if !$r->{alive} || $r->{err} =~ /ERROR|FATAL|PANIC/;
	$r->{out} =~ s/\n\z//;
	return $r->{out};
}

# The memory of its own that its backend has, in megabytes.
sub memory
{
	my ($self) = @_;

	open my $in, '<', "/proc/$self->{pid}/status" or return 0;
	my ($anon) = (join '', <$in>) =~ /^RssAnon:\s+(\d+) kB/m;
	close $in;
	return ($anon // 0) / 1024;
}

sub quit
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	eval { $self->{run}->pump_nb; $self->{run}->finish; };
	return;
}

sub kill
{
	my ($self) = @_;
	$self->{run}->kill_kill(grace => 1);
	return;
}

1;
