# STBY: a standby under load is the primary, byte for byte, and whoever reads
# there never fails because of an index.
#
# Load runs on the primary, and readers with cursors on the standby; then the
# load stops, the pages of all indexes are compared, and what both answer.  Every
# few rounds the standby is stopped hard in the middle of replay.  At the end it
# is promoted while a scan is under way.
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
begin_suite('stby');

my @tables = (
	{ name => 'low', dim => 6, class => 'vector_l2_ops', op => '<->', n => 1000 },
	{ name => 'equal', dim => 3, class => 'vector_l2_ops', op => '<->', n => 500, variety => 60 },
	{ name => 'high', dim => 320, class => 'vector_cosine_ops', op => '<=>', n => 200, with => 'm = 8' },
	{ name => 'more', dim => 2600, class => 'vector_ip_ops', op => '<#>', n => 24 },
	{ name => 'plain', dim => 64, class => 'bit_hamming_ops', op => '<~>', type => 'bit', n => 400 });

my ($primary, $standby, $full);
my $nclusters = 0;

sub start_both
{
	$full = rand() < .5 ? 'on' : 'off';
	my $delay = pick('-1', '0');
	my $feedback = pick('on', 'off');
	my $id = ++$nclusters;

	$primary = vector_node("primary$id", allows_streaming => 1,
		conf => [ 'jit = off', 'log_statement = none', "shared_preload_libraries = 'vector'",
			"wal_consistency_checking = 'all'", "full_page_writes = $full",

			# a page restored from an image is not compared
			'checkpoint_timeout = 30min', 'max_wal_size = 8GB', 'shared_buffers = 16MB',
			# nobody writes while pages are compared
			'autovacuum = off', 'max_prepared_transactions = 20',
			'wal_keep_size = 4GB' ]);
	$primary->safe_psql('postgres', 'CREATE EXTENSION pageinspect');
	load_functions($primary);
	make_load_table($primary, $_) for @tables;
	$primary->backup('base');
	$standby = PostgreSQL::Test::Cluster->new("standby$id");
	$standby->init_from_backup($primary, 'base', has_streaming => 1);
	$standby->append_conf('postgresql.conf',
		"max_standby_streaming_delay = $delay\nhot_standby_feedback = $feedback\nshared_buffers = 2MB");
	$standby->start;
	note "full_page_writes $full, max_standby_streaming_delay $delay, hot_standby_feedback $feedback";
	return;
}

# What a reader does: nearest rows, each once and in order; a cursor over time.
sub reader_script
{
	my $t = pick(@tables);
	my $key = load_value($t, int rand 100000);
	my $k = pick(1, 10, 100, 10000);

	return "SELECT search_any('$t->{name}', '$t->{op}', \$\$$key\$\$, $k);" if rand() < .7;
	return "BEGIN; DECLARE c CURSOR FOR SELECT id FROM $t->{name} ORDER BY v $t->{op} $key;"
	  . ' FETCH 10 FROM c; SELECT pg_sleep(' . rand(.5) . '); FETCH 100 FROM c; SELECT pg_sleep(' . rand(.5) . '); FETCH ALL FROM c; COMMIT;';
}

# The state is one that readers on a standby may be told: recovery is in their way.
sub is_conflict
{
	my ($err) = @_;
	my @states = $err =~ /(?:ERROR|FATAL):  (\w{5}):/g;
	return @states && !grep { !/^(40001|40P01|57014|25P02|57P01|57P02|57P03)$/ } @states;
}

my @readers;

sub start_readers
{
	@readers = map { Session->new($standby, options => '-c enable_seqscan=off -c enable_sort=off') } 1 .. 4;
	$_->begin(reader_script()) for @readers;
	return;
}

# Look at the readers and give them more to do.
sub tend_readers
{
	my ($broken) = @_;

	for my $i (0 .. $#readers)
	{
		next unless $readers[$i]->ended;
		my $r = $readers[$i]->end(0);

		tried(is_conflict($r->{err}) ? 'reads that recovery ended' : 'reads on the standby');
		if ($r->{err} =~ /ERROR|FATAL/ && !is_conflict($r->{err}) || !$r->{alive} && !$broken && $r->{err} !~ /conflict/)
		{
			problem('reads on the standby', $r->{err} || 'connection lost');
		}
		if (!$r->{alive})
		{
			return if $broken;
			$readers[$i]->kill;
			$readers[$i] = Session->new($standby, options => '-c enable_seqscan=off -c enable_sort=off');
		}
		else
		{
			$readers[$i]->run('ROLLBACK', 10);
		}
		$readers[$i]->begin(reader_script());
	}
	return;
}

sub compare
{
	my ($what) = @_;

	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	for my $t (@tables)
	{
		my $index = "$t->{name}_v";
		my @differing = differing_pages($primary, $standby, $index);
		my $npages = $primary->safe_psql('postgres', "SELECT pg_relation_size('$index') / 8192");
		my $query = "SET enable_seqscan = off; SET enable_sort = off;\n"
		  . join "\n", map { "SELECT array_agg(id) FROM (SELECT id FROM $t->{name} ORDER BY v $t->{op} @{[ load_value($t, $_) ]} LIMIT 20) s;" }
		  map { trial_seed() * 10 + $_ } 1 .. 5;

		tried('pages compared', $npages);
		problem('pages compared', "$what, $index: blocks @differing") if @differing;
		tried('answers compared', 5);
		problem('answers compared', "$what, $t->{name}")
		  if $primary->safe_psql('postgres', $query) ne $standby->safe_psql('postgres', $query);
		my $missing = all_found($standby, $t);
		tried('full scans on the standby');
		problem('full scans on the standby', "$what, $t->{name}: $missing") if $missing ne '';
	}
	return;
}

sub check_logs
{
	my ($what) = @_;

	for my $n ($primary, $standby)
	{
		my $wrong = log_problems($n);
		problem('pages compared', "$what: $wrong") if $wrong ne '';
	}
	return;
}

# Strict, with replay paused.
sub verify
{
	my ($what) = @_;

	$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
	$standby->poll_query_until('postgres', "SELECT pg_get_wal_replay_pause_state() = 'paused'")
	  or die 'replay does not pause';
	for my $t (@tables)
	{
		my $rows = join "\n", grep { !/^V6/ } split /\n/, index_violations($standby, "$t->{name}_v");
		tried('verifications on the standby');
		problem('verifications on the standby', "$what, $t->{name}: $rows") if $rows ne '';
	}
	$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
	return;
}

sub promote
{
	my $reader = Session->new($standby, options => '-c enable_seqscan=off -c enable_sort=off');
	my $t = $tables[0];
	my $key = load_value($t, 1);

	my $before = $reader->run("BEGIN; SELECT count(*) FROM low; DECLARE c CURSOR FOR SELECT id FROM low ORDER BY v <-> $key; FETCH 50 FROM c;", 20);
	$primary->stop;
	$standby->promote;
	my $after = $reader->run('FETCH ALL FROM c; COMMIT;', 60);
	my ($count, @ids) = split /\n/, $before->{out};
	push @ids, split /\n/, $after->{out};
	my %ids = map { $_ => 1 } @ids;
	tried('promotions in mid-scan');
	problem('promotions in mid-scan', "$before->{err}$after->{err}") if "$before->{err}$after->{err}" =~ /ERROR|FATAL/;

	# rows without a vector are not in the index
	my $indexed = $standby->safe_psql('postgres', 'SELECT count(*) FROM low WHERE v IS NOT NULL');
	problem('promotions in mid-scan', scalar(@ids) . " rows, @{[ scalar keys %ids ]} different, $indexed expected")
	  if @ids != $indexed || keys %ids != $indexed;
	$reader->quit;

	my $load = start_load($standby, \@tables, clients => 4, seconds => 3, seed => trial_seed(), weights => { far => 0 });
	finish_load($load);
	problem('promotions in mid-scan', $load->{err}) if !$load->{ok} || $load->{err} =~ /ERROR/;
	for my $u (@tables)
	{
		$standby->safe_psql('postgres', "DELETE FROM $u->{name} WHERE id = (SELECT max(id) FROM $u->{name} WHERE @{[ indexed_rows($u) ]})");
		$standby->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $u->{name}");
		my $rows = index_violations($standby, "$u->{name}_v");
		my $missing = all_found($standby, $u);
		problem('promotions in mid-scan', "$u->{name}: $rows") if $rows ne '';
		problem('promotions in mid-scan', "$u->{name}: $missing") if $missing ne '';
	}
	return;
}

# search() of the load fails if a table has fewer rows.  What the scan found too
# late for its place comes last, in an order of its own.
my $search_any = <<'SQL';
CREATE FUNCTION search_any(relation text, op text, q text, k int) RETURNS int LANGUAGE plpgsql STABLE AS $$
DECLARE
	r record;
BEGIN
	EXECUTE format('SELECT count(*) AS n, count(DISTINCT tid) AS ids, count(*) FILTER (WHERE d < before) AS back FROM ('
		'SELECT tid, d, lag(d) OVER () AS before FROM ('
		'SELECT ctid AS tid, v %s %s AS d FROM %I ORDER BY v %1$s %2$s LIMIT $1) s) s', op, q, relation)
		INTO r USING k;
	IF r.n = 0 OR r.ids <> r.n OR r.back > (k >= 100)::int THEN
		RAISE 'search for % in %: % rows, % of them different, % out of order', q, relation, r.n, r.ids, r.back;
	END IF;
	RETURN r.n;
END $$;
SQL

while (next_trial())
{
	start_both();
	$primary->safe_psql('postgres', $search_any);
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	my $rounds = int between(4, 8);

	start_readers();
	for my $round (1 .. $rounds)
	{
		my $what = "round $round";
		my $seconds = int between(4, 10);
		my $stop_at = rand() < .5 ? time + between(1, $seconds) : undef;
		my $load = start_load($primary, \@tables, clients => 4, seconds => $seconds, seed => trial_seed() + $round,
			options => pick('', '-c hnsw.test_point=*:jitter:300'), weights => { prepare => 1, search => 4, far => 0 });
		my $vacuum = Session->new($primary, options => '-c client_min_messages=error');

		$vacuum->begin('SELECT 1');
		while ($load->{run}->pumpable && $load->{out} !~ /transaction type/)
		{
			$load->{run}->pump_nb;
			tend_readers(0);

			# Without full pages, replay from before a REINDEX makes the first pages
			# of the dropped file anew as zeros, which wal_consistency_checking
			# does not expect.
			if ($vacuum->ended)
			{
				my $t = pick(@tables);
				$vacuum->begin(pick("VACUUM (INDEX_CLEANUP ON) $t->{name}", "VACUUM $t->{name}",
						"SELECT pg_sleep(.3)", $full eq 'on' && rand() < .1 ? "REINDEX INDEX $t->{name}_v" : 'SELECT 1'));
			}
			if (defined $stop_at && time > $stop_at)
			{
				$standby->stop('immediate');
				$_->kill for @readers;
				$standby->start;
				start_readers();
				tried('stops in mid-replay');
				undef $stop_at;
			}
			sleep 0.005;
		}
		finish_load($load);
		problem('statements', "$what: $load->{err}") if !$load->{ok} || $load->{err} =~ /ERROR|aborted/;
		tried('statements', $load->{transactions});
		my $r = $vacuum->end(60);
		problem('statements', "$what: $r->{err}") if $r->{err} =~ /ERROR/ || !$r->{alive};
		$vacuum->quit;

		# a reader that replay has to wait for ends first
		for my $reader (@readers)
		{
			my $rest = $reader->end(60);
			problem('reads on the standby', $rest->{err})
			  if $rest->{err} =~ /ERROR|FATAL/ && !is_conflict($rest->{err});
			$reader->kill;
		}
		compare($what);
		verify($what) if $round % 2 == 0;
		check_logs($what);
		start_readers();
		last if seconds_left() < 0;
	}
	$_->kill for @readers;
	compare('last');
	promote();
	check_logs('promoted');
	$standby->stop;
	$_->clean_node for $standby, $primary;
}
end_suite();
