# REC: the state behind each WAL record of a load with every kind of change.
#
# A standby is fed one record at a time: in its pg_wal, whatever comes behind the
# record is zeros, as behind a crash.  When it has replayed that record and no
# other, it is looked at.  Each tenth time it is killed, and a copy of it lives on
# from there, promoted or by crash recovery in turn, is changed, vacuumed and
# looked at again.
#
# Variants: records with full pages, right after a checkpoint; records of changes
# only, all pages touched before; full_page_writes off.  Replay compares each page
# with that of the primary (wal_consistency_checking).
#
# build: test points

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use Reliability;
use Session;
use VectorLoad;
use VectorTest;

require_test_points();
begin_suite('rec');

my $segment_bytes = 1024 * 1024;
my @conf = ('autovacuum = off', 'jit = off', 'shared_buffers = 4MB', 'log_statement = none',
	'max_wal_size = 1GB', 'wal_keep_size = 1GB', 'checkpoint_timeout = 1h', 'fsync = off', "wal_consistency_checking = 'generic'");

# several nodes on a page, with chains of heap TIDs; nodes on several pages; no
# codes
my @tables = (
	{ name => 'low', dim => 16, class => 'vector_l2_ops', op => '<->', n => 30, with => 'm = 4, ef_construction = 8' },
	{ name => 'more', dim => 2600, class => 'vector_cosine_ops', op => '<=>', n => 6, with => 'm = 4, ef_construction = 8' },
	{ name => 'plain', dim => 48, class => 'bit_hamming_ops', op => '<~>', type => 'bit', n => 30, with => 'm = 4, ef_construction = 8' });

sub change
{
	my ($node, $t, $from, $n) = @_;
	my $name = $t->{name};

	$node->safe_psql('postgres', <<"SQL");
INSERT INTO $name SELECT i, 0, @{[ load_value($t, 'i') ]} FROM generate_series($from, $from + $n - 1) i;
INSERT INTO $name SELECT $from + 1000 + i, 0, @{[ load_value($t, 5) ]} FROM generate_series(1, 10) i;
DELETE FROM $name WHERE id % 5 = 0 AND id < $from + 20 OR id BETWEEN $from + 1002 AND $from + 1008;
SQL
	$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $name");
	$node->safe_psql('postgres', <<"SQL");
INSERT INTO $name SELECT i, 0, @{[ load_value($t, 'i') ]} FROM generate_series($from + 2000, $from + 2000 + $n / 2 - 1) i;
BEGIN;
INSERT INTO $name SELECT i, 0, @{[ load_value($t, 'i') ]} FROM generate_series($from + 3000, $from + 3003) i;
ROLLBACK;
SQL
	return;
}

# ---------------------------------------------------------------------------
# Looking

# look_functions($node): look(lsn) waits until the record that begins there is
# replayed; rows: up to where replay is, then what is wrong with the indexes,
# whatever an unfinished change may leave.  One call, for there are many records.
sub look_functions
{
	my ($node) = @_;
	my $queries = join "\n", map {
		my $name = $_->{name};
		<<"SQL" } @tables;
	RETURN QUERY SELECT '$name ' || c FROM hnsw_index_check('${name}_v', true, false) c WHERE c.severity = 'error' LIMIT 5;
	RETURN QUERY @{[ full_scan_text($_) ]};
SQL

	$node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION look(behind pg_lsn) RETURNS SETOF text LANGUAGE plpgsql
SET enable_seqscan = off SET enable_sort = off AS \$\$
BEGIN
	FOR try IN 1 .. 15000 LOOP
		EXIT WHEN behind IS NULL OR pg_last_wal_replay_lsn() > behind;
		PERFORM pg_sleep(.002);
	END LOOP;
	RETURN NEXT coalesce(pg_last_wal_replay_lsn()::text, 'running');
$queries
END \$\$;
SQL
	return;
}

# judge($session, name, what, start, end): behind the record that begins at
# 'start'; or a server that is not in recovery.
sub judge
{
	my ($session, $name, $what, $start, $end) = @_;
	my $call = defined $start ? "SELECT * FROM look('$start')" : 'SELECT * FROM look(NULL)';
	my $r = $session->run($call, 120);

	# who waits for a record that removes rows is in its way
	$r = $session->run($call, 120) if defined $start && $r->{err} =~ /40001/;
	my ($at, @wrong) = split /\n/, $r->{out};

	problem($what, "$name: @wrong$r->{err}") if @wrong || $r->{err} ne '' || !$r->{alive};
	return 1 unless defined $start;

	my $n = ($at // '') =~ /^\w+\/\w+$/ ? lsn_number($at) : 0;
	return 1 if $n > lsn_number($start) && $n <= $end;
	problem($what, "$name: the record is not replayed, or not alone: replay is at " . ($at // 'none'));
	return 0;
}

# ---------------------------------------------------------------------------
# WAL, by the record

sub lsn_number
{
	my ($high, $low) = map { hex } split /\//, $_[0];
	return $high * 2**32 + $low;
}

sub segment_path
{
	my ($node, $at) = @_;
	my $n = int($at / $segment_bytes);
	my $per_id = int(2**32 / $segment_bytes);

	return $node->data_dir . sprintf '/pg_wal/%08X%08X%08X', 1, int($n / $per_id), $n % $per_id;
}

# copy_wal($from, $to, low, high): these bytes; in a new segment zeros follow.
sub copy_wal
{
	my ($from, $to, $low, $high) = @_;

	while ($low < $high)
	{
		my $offset = $low % $segment_bytes;
		my $length = $segment_bytes - $offset;
		my $path = segment_path($to, $low);

		$length = $high - $low if $low + $length > $high;
		open my $in, '<:raw', segment_path($from, $low) or die "WAL is gone: $!";
		seek $in, $offset, 0;
		read($in, my $bytes, $length) == $length or die "WAL is short: $!";
		close $in;

		if (!-e $path)
		{
			# under its name only when it is whole
			open my $new, '>:raw', "$path.new" or die "$path.new: $!";
			print $new "\0" x $segment_bytes;
			close $new or die "$path.new: $!";
			rename "$path.new", $path or die "$path: $!";
		}
		open my $out, '+<:raw', $path or die "$path: $!";
		seek $out, $offset, 0;
		print $out $bytes;
		close $out or die "$path: $!";
		$low += $length;
	}
	return;
}

# ---------------------------------------------------------------------------
# A variant

my $nvariants = 0;

sub variant
{
	my ($name, $seconds) = @_;
	my $id = $name . ++$nvariants;
	my $what = 'WAL records' . ($name eq 'off' ? ' (full_page_writes off)' : '');
	my $primary = vector_node("primary_$id", allows_streaming => 1, init => ['--wal-segsize=1'],
		conf => [ @conf, $name eq 'off' ? 'full_page_writes = off' : () ]);

	load_functions($primary);
	make_load_table($primary, $_) for @tables;
	look_functions($primary);

	# copies are the dearest part, and two thirds of one would be these
	$primary->safe_psql('postgres', $_)
	  for "UPDATE pg_database SET datistemplate = false WHERE datname ~ '^template'",
	  'DROP DATABASE template0', 'DROP DATABASE template1';
	$primary->stop;
	$primary->backup_fs_cold('base');
	my ($control) = run_command([ 'pg_controldata', $primary->data_dir ]);
	my ($redo) = $control =~ /checkpoint's REDO location: +(\S+)/;
	$primary->start;
	if ($name eq 'deltas')
	{
		change($primary, $_, 10000, $_->{n}) for @tables;
	}
	my $start = $primary->lsn('insert');
	change($primary, $_, 20000, $_->{n}) for @tables;
	my $end = $primary->lsn('insert');
	$primary->safe_psql('postgres', 'SELECT txid_current()');
	$primary->stop;
	my @records = map { /\blsn: (\S+),/ ? $1 : () }
	  split /\n/, (run_command([ 'pg_waldump', '-p', $primary->data_dir . '/pg_wal', '-s', $start, '-e', $end ]))[0];
	my @at = map { lsn_number($_) } @records, $end;
	note "$name: " . @records . " records from $start to $end";

	my $walker = PostgreSQL::Test::Cluster->new("walker_$id");
	$walker->init_from_backup($primary, 'base');
	$walker->set_standby_mode;
	$walker->append_conf('postgresql.conf',
		"hot_standby = on\nprimary_conninfo = ''\nrestore_command = ''\nwal_retrieve_retry_interval = 5ms\n"
		  . 'max_standby_archive_delay = 0');
	unlink glob $walker->data_dir . '/pg_wal/0*';
	my $fed = $at[0];
	copy_wal($primary, $walker, int(lsn_number($redo) / $segment_bytes) * $segment_bytes, $fed);
	$walker->start;
	my $session = Session->new($walker);

	# as many of them as there is time for, spread evenly
	my $until = seconds_left() - $seconds;
	my $began = time;
	my $i = 0;
	my $n = 0;
	while ($i < @records)
	{
		copy_wal($primary, $walker, $fed, $at[ $i + 1 ]);
		$fed = $at[ $i + 1 ];
		tried($what);
		judge($session, "$name, $records[$i]", $what, $records[$i], $fed) or last;
		if ($n % 10 == 9)
		{
			$session->quit;
			my $wrong = log_problems($walker);
			problem($what, "$name, before $records[$i]: $wrong") if $wrong ne '';
			$walker->stop('immediate');
			live_on($walker, $name, $records[$i], $id . "_$n", $n % 20 == 9);
			$walker->start;
			$session = Session->new($walker);
		}
		$n++;

		my $possible = (seconds_left() - $until) / ((time - $began) / $n);
		my $left = @records - $i - 1;
		last if $possible < 1 && $left > 0;
		$i += $possible >= $left ? 1 : int($left / $possible) + 1;
	}
	$session->quit;
	my $wrong = log_problems($walker);
	problem($what, "$name: $wrong") if $wrong ne '';
	note "$name: $n of " . @records . ' records';
	$walker->stop;
	$_->clean_node for $walker, $primary;
	return;
}

# A copy of the stopped server lives on from here.
sub live_on
{
	my ($walker, $name, $lsn, $id, $promoted) = @_;
	my $what = $promoted ? 'promoted copies' : 'copies after crash recovery';
	my $copy = PostgreSQL::Test::Cluster->new("copy_$id");

	# a configuration of its own, but for where it listens
	system_or_bail('cp', '-a', $walker->data_dir, $copy->data_dir);
	unlink $copy->data_dir . '/postmaster.pid', $copy->data_dir . '/postmaster.opts';
	unlink $copy->data_dir . '/standby.signal' unless $promoted;
	$copy->append_conf('postgresql.conf',
		"port = @{[ $copy->port ]}\nunix_socket_directories = '@{[ $copy->host ]}'");
	tried($what);
	if (!$copy->start(fail_ok => 1))
	{
		problem($what, "$name: no recovery at $lsn");
		return;
	}
	$copy->promote if $promoted;
	if (!$copy->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()'))
	{
		problem($what, "$name: no promotion at $lsn");
		return;
	}
	my $session = Session->new($copy);
	my $r = $session->run(join("\n", map {;
		"INSERT INTO $_->{name} SELECT i, 0, @{[ load_value($_, 'i') ]} FROM generate_series(50001, 50010) i;",
		"DELETE FROM $_->{name} WHERE id = (SELECT min(id) FROM $_->{name});",
		"VACUUM (INDEX_CLEANUP ON) $_->{name};",
		"SELECT '$_->{name}', c.* FROM hnsw_index_check('$_->{name}_v', true, true) c;"
	} @tables), 120);
	problem($what, "$name, $lsn: $r->{out}$r->{err}") if $r->{out} ne '' || $r->{err} ne '' || !$r->{alive};
	judge($session, "$name, $lsn", $what);
	$session->quit;
	my $wrong = log_problems($copy);
	problem($what, "$name, $lsn: $wrong") if $wrong ne '';
	$copy->stop('immediate');
	$copy->clean_node;
	return;
}

my @variants = qw(deltas images off);
next_trial();
for my $n (reverse 1 .. @variants)
{
	variant($variants[ @variants - $n ], seconds_left() / $n) if seconds_left() > 0;
}
end_suite();
