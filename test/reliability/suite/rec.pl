# REC: recovery that ends behind each WAL record of a load with every kind of
# change.  A server that restores from the archive stops there and is looked at,
# is killed, and goes on to the next record; each tenth time a copy of it is
# promoted, changed, vacuumed and looked at again.
#
# Variants: records with full pages, right after a checkpoint; records of changes
# only, all pages touched before; full_page_writes off.  Replay compares each page
# with that of the primary (wal_consistency_checking).
#
# build: test points

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;
use Reliability;
use VectorLoad;
use VectorTest;

require_test_points();
begin_suite('rec');

my @conf = ('autovacuum = off', 'jit = off', 'shared_buffers = 4MB', 'log_statement = none',
	'max_wal_size = 1GB', 'checkpoint_timeout = 1h', "wal_consistency_checking = 'generic'");

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

# What is wrong with the indexes, whatever an unfinished change may leave; also on
# a paused standby.  One session, for there are many records.
sub judge
{
	my ($node, $name, $what) = @_;
	my $wrong = $node->safe_psql('postgres', join "\n", map {;
		"SELECT '$_->{name}', c.* FROM hnsw_index_check('$_->{name}_v', true, false) c WHERE severity = 'error' LIMIT 5;",
		"SELECT '$_->{name}';", full_scan_query($_)
	} @tables);
	my $nothing = join "\n", map { $_->{name} } @tables;

	problem($what, "$name: $wrong") if $wrong ne $nothing;
	return;
}

my $nvariants = 0;

sub variant
{
	my ($name, $seconds) = @_;
	my $id = $name . ++$nvariants;
	my $primary = vector_node("primary_$id", has_archiving => 1, allows_streaming => 1,
		conf => [ @conf, $name eq 'off' ? 'full_page_writes = off' : () ]);

	load_functions($primary);
	make_load_table($primary, $_) for @tables;
	$primary->stop;
	$primary->backup_fs_cold('base');
	$primary->start;
	if ($name eq 'deltas')
	{
		change($primary, $_, 10000, $_->{n}) for @tables;
	}
	my $start = $primary->lsn('insert');
	change($primary, $_, 20000, $_->{n}) for @tables;
	my $end = $primary->lsn('insert');
	my $file = $primary->safe_psql('postgres', "SELECT pg_walfile_name('$end')");
	my $first = $primary->safe_psql('postgres', "SELECT pg_walfile_name('$start')");
	$primary->safe_psql('postgres', 'SELECT txid_current(); SELECT pg_switch_wal()');
	$primary->poll_query_until('postgres', "SELECT last_archived_wal >= '$file' FROM pg_stat_archiver")
	  or die 'WAL is not archived';
	my @records = map { /\blsn: (\S+),/ ? $1 : () }
	  split /\n/, (run_command([ 'pg_waldump', '-s', $start, '-e', $end, $primary->archive_dir . "/$first", $primary->archive_dir . "/$file" ]))[0];
	$primary->stop;
	note "$name: " . @records . " records from $start to $end";

	my $walker = PostgreSQL::Test::Cluster->new("walker_$id");
	$walker->init_from_backup($primary, 'base', has_restoring => 1, standby => 0);
	$walker->append_conf('postgresql.conf', "hot_standby = on\nrecovery_target_action = pause");

	# as many of them as there is time for, spread evenly
	my $what = 'WAL records';
	my $until = seconds_left() - $seconds;
	my $i = 0;
	my $n = 0;
	while ($i < @records)
	{
		my $before = seconds_left();
		$walker->append_conf('postgresql.conf', "recovery_target_lsn = '$records[$i]'");
		tried($what);
		if (!$walker->start(fail_ok => 1))
		{
			problem($what, "$name: recovery fails at $records[$i]");
			last;
		}
		$walker->poll_query_until('postgres', "SELECT pg_get_wal_replay_pause_state() = 'paused'")
		  or problem($what, "$name: no pause at $records[$i]");
		judge($walker, "$name, $records[$i]", $what);
		my $wrong = log_problems($walker);
		problem($what, "$name, $records[$i]: $wrong") if $wrong ne '';
		$walker->stop($n % 2 ? 'fast' : 'immediate');
		promote_copy($walker, $name, $records[$i], $id . "_$n") if $n % 10 == 9;
		$n++;

		my $took = $before - seconds_left();
		my $possible = (seconds_left() - $until) / ($took || .01);
		last if $possible < 1;
		my $left = @records - $i - 1;
		$i += $possible >= $left ? 1 : int($left / $possible) + 1;
	}
	note "$name: $n of " . @records . ' records';
	return;
}

# A copy of the stopped server lives on from here.
sub promote_copy
{
	my ($walker, $name, $lsn, $id) = @_;
	my $what = 'promoted copies';
	my $copy = PostgreSQL::Test::Cluster->new("copy_$id");

	# a configuration of its own, but for where it listens
	PostgreSQL::Test::RecursiveCopy::copypath($walker->data_dir, $copy->data_dir,
		filterfn => sub { return $_[0] !~ /^(log|postmaster\.(pid|opts))$/; });
	chmod 0700, $copy->data_dir;
	$copy->append_conf('postgresql.conf',
		"port = @{[ $copy->port ]}\nrecovery_target_action = promote\narchive_mode = off\nunix_socket_directories = '@{[ $copy->host ]}'");
	tried($what);
	if (!$copy->start(fail_ok => 1) || !$copy->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()'))
	{
		problem($what, "$name: no promotion at $lsn");
		return;
	}
	for my $t (@tables)
	{
		my $table = $t->{name};

		$copy->safe_psql('postgres', "INSERT INTO $table SELECT i, 0, @{[ load_value($t, 'i') ]} FROM generate_series(50001, 50010) i");
		$copy->safe_psql('postgres', "DELETE FROM $table WHERE id = (SELECT min(id) FROM $table)");
		$copy->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $table");
		my $rows = index_violations($copy, "${table}_v");
		problem($what, "$name, $lsn, $table: $rows") if $rows ne '';
	}
	judge($copy, "$name, $lsn, promoted", $what);
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
