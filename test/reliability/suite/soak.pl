# SOAK: everybody at once, for long, in rotations of storage, dimensions and
# settings, with sleeps at the test points: inserts, updates, deletions,
# rollbacks, two-phase commits, searches, cursors, VACUUM of all kinds, REINDEX
# CONCURRENTLY.  Meanwhile answers are compared and the verifier looks; when the
# writers stop, the index must be whole, and VACUUM must leave nothing.
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
begin_suite('soak');

my $rotation_seconds = 90;

# A rotation: three tables for 12 clients.
my @rotations = (
	[ 'many nodes a page', { shared_buffers => '1MB' },
		{ name => 'ta', dim => 3, class => 'vector_l2_ops', op => '<->', n => 3000 },
		{ name => 'tb', dim => 3, class => 'vector_l2_ops', op => '<->', n => 2000, variety => 100 },
		{ name => 'tc', dim => 8, class => 'vector_l1_ops', op => '<+>', n => 500 } ],
	[ 'one node a page', { shared_buffers => '64MB' },
		{ name => 'ta', dim => 128, class => 'vector_cosine_ops', op => '<=>', n => 1000 },
		{ name => 'tb', dim => 1536, class => 'vector_l2_ops', op => '<->', n => 100 },
		{ name => 'tc', dim => 2600, class => 'vector_ip_ops', op => '<#>', n => 30 } ],
	[ 'other types', { shared_buffers => '8MB' },
		{ name => 'ta', dim => 100, class => 'halfvec_cosine_ops', op => '<=>', type => 'halfvec', n => 1000 },
		{ name => 'tb', dim => 30, class => 'sparsevec_l2_ops', op => '<->', type => 'sparsevec', n => 500 },
		{ name => 'tc', dim => 64, class => 'bit_hamming_ops', op => '<~>', type => 'bit', n => 1000 } ],
	[ 'few edges, empty at first', { shared_buffers => '1MB' },
		{ name => 'ta', dim => 16, class => 'vector_l2_ops', op => '<->', n => 0, with => 'm = 2, ef_construction = 8' },
		{ name => 'tb', dim => 4, class => 'vector_l2_ops', op => '<->', n => 0, with => 'm = 2, ef_construction = 4', variety => 30 },
		{ name => 'tc', dim => 300, class => 'halfvec_l2_ops', op => '<->', type => 'halfvec', n => 0, with => 'm = 4' } ],
	[ 'emptied again and again', { shared_buffers => '16MB', empty => 1 },
		{ name => 'ta', dim => 6, class => 'vector_l2_ops', op => '<->', n => 1000 },
		{ name => 'tb', dim => 200, class => 'vector_l2_ops', op => '<->', n => 200, with => 'm = 8' },
		{ name => 'tc', dim => 10, class => 'vector_cosine_ops', op => '<=>', n => 1000, variety => 500 } ]);

# Pages of each index that no search could reach are counted by themselves.
sub verify
{
	my ($node, $t, $strict, $what) = @_;
	my $name = $t->{name};
	my $rows = $node->safe_psql('postgres', "SELECT * FROM hnsw_index_check('${name}_v', $strict, $strict)"
		  . ($strict eq 'true' ? '' : " WHERE severity = 'error'"));
	my @unreached = grep { /^V6/ } split /\n/, $rows;
	my @others = grep { !/^V6/ } split /\n/, $rows;

	tried('verifications');
	problem('verifications', "$what, $name: " . join("\n", @others[ 0 .. ($#others > 4 ? 4 : $#others) ])) if @others;
	return scalar @unreached;
}

sub judge
{
	my ($node, $t, $nqueries, $what) = @_;

	# one statement compares hundreds of answers: it may take long
	local $ENV{PGOPTIONS} = '-c log_min_duration_statement=-1';
	my $answer = oracle($node, $t, $nqueries, trial_seed());
	my $missing = all_found($node, $t);

	tried('answers', $answer->{nqueries});
	for my $rule (qw(O1 O2 O3 O4 few))
	{
		problem('answers', "$what, $t->{name}: $rule $answer->{$rule} times") if $answer->{$rule} != 0;
	}
	tried('rows that look for themselves', $answer->{nown});
	problem('rows that look for themselves', "$what, $t->{name}: $answer->{O6} of $answer->{nown} do not")
	  if $answer->{O6} > 1 + $answer->{nown} / ($what =~ /few edges/ ? 50 : 1000);
	tried('full scans');
	problem('full scans', "$what, $t->{name}: $missing") if $missing ne '';
	return $answer->{recall};
}

# Largest private memory of the load's backends, in MB.
sub backend_memory
{
	my ($node) = @_;
	my $max = 0;

	for my $pid (split /\n/, $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE query ~ '^(INSERT|UPDATE|DELETE|SELECT search)'"))
	{
		open my $in, '<', "/proc/$pid/status" or next;
		my ($anon) = (join '', <$in>) =~ /^RssAnon:\s+(\d+) kB/m;
		close $in;
		$max = $anon / 1024 if defined $anon && $anon / 1024 > $max;
	}
	return $max;
}

my $nwrites = 0;

sub rotate
{
	my ($what, $set, @tables) = @_;
	my $node = vector_node('soak' . trial_seed(),
		conf => [ 'jit = off', 'log_statement = none', 'fsync = off', 'max_wal_size = 1GB',
			"shared_buffers = $set->{shared_buffers}", "shared_preload_libraries = 'vector'",
			'autovacuum = ' . pick('on', 'off'), 'autovacuum_naptime = 1s',
			'max_prepared_transactions = 50', 'min_parallel_index_scan_size = 0',
			'log_min_duration_statement = 10s', 'log_lock_waits = on', 'deadlock_timeout = 2s',
			'max_connections = 60', 'lock_timeout = 60s' ]);
	my $end = time + (seconds_left() < $rotation_seconds ? seconds_left() : $rotation_seconds);

	load_functions($node);
	make_load_table($node, $_) for @tables;

	# a second index on one table, so that VACUUM has something to share out
	$node->safe_psql('postgres', 'CREATE INDEX ta_again ON ta USING hnsw (v ' . $tables[0]{class} . ') WITH (m = 5)');

	my $load = start_load($node, \@tables, clients => 10, seconds => int($end - time) + 1, seed => trial_seed(),
		arguments => [ '--max-tries=3' ],
		options => pick('', '-c hnsw.test_point=*:jitter:100', '-c hnsw.test_point=*:jitter:1000'),
		weights => { prepare => 2, $tables[0]{n} == 0 || $set->{empty} ? (search => 0, far => 0) : () });
	my $vacuum = Session->new($node, options => '-c client_min_messages=error -c log_min_duration_statement=-1');
	my $ddl = Session->new($node, options => '-c client_min_messages=error -c log_min_duration_statement=-1');
	my $cursor = Session->new($node, options => '-c enable_seqscan=off -c enable_sort=off');
	my ($next_check, $next_ddl, $next_empty, $memory) = (time + 5, time + 15, time + 20, undef);

	# the first of each does nothing yet, and does not count
	my %begun = (vacuum => 0, ddl => 0, cursor => 0);
	$vacuum->begin('SELECT 1');
	$ddl->begin('SELECT 1');
	$cursor->begin('SELECT 1');
	while (time < $end - 2 && $load->{run}->pumpable)
	{
		if ($vacuum->ended)
		{
			my $r = $vacuum->end(0);
			problem('VACUUM', "$what: $r->{err}") if $r->{err} =~ /ERROR/ || !$r->{alive};
			tried('VACUUM') if $begun{vacuum}++;
			my $t = pick(@tables);
			$vacuum->begin("SELECT pg_sleep(" . between(0, 1.5) . ");\n"
				  . pick("VACUUM $t->{name}", "VACUUM (FREEZE) $t->{name}", "VACUUM (PARALLEL 2, INDEX_CLEANUP ON) ta",
					"VACUUM (INDEX_CLEANUP ON) $t->{name}", "SET maintenance_work_mem = '1MB'; VACUUM $t->{name}"));
		}
		if ($ddl->ended && time > $next_ddl)
		{
			my $r = $ddl->end(0);
			problem('DDL', "$what: $r->{err}") if $r->{err} =~ /ERROR/ && $r->{err} !~ /deadlock|lock timeout/ || !$r->{alive};
			tried('DDL') if $begun{ddl}++;
			$ddl->begin(pick('REINDEX INDEX CONCURRENTLY ta_again', 'REINDEX INDEX CONCURRENTLY ' . pick(@tables)->{name} . '_v',
					'DROP INDEX CONCURRENTLY ta_again; CREATE INDEX CONCURRENTLY ta_again ON ta USING hnsw (v ' . $tables[0]{class} . ') WITH (m = 5)'));
			$next_ddl = time + 20;
		}
		if ($set->{empty} && time > $next_empty)
		{
			$node->safe_psql('postgres', "DELETE FROM $_->{name}") for @tables;
			$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $_->{name}") for @tables;
			$next_empty = time + 25;
		}
		if ($cursor->ended)
		{
			my $r = $cursor->end(0);
			my $t = pick(@tables);
			problem('cursors', "$what: $r->{err}") if $r->{err} =~ /ERROR/ || !$r->{alive};
			problem('cursors', "$what: $r->{out}") if $r->{out} =~ /wrong/;
			tried('cursors') if $begun{cursor}++;

			# rows of a cursor over time are those of its snapshot, each once
			$cursor->begin(<<"SQL");
BEGIN ISOLATION LEVEL REPEATABLE READ;
CREATE TEMP TABLE expected ON COMMIT DROP AS SELECT ctid AS tid, id FROM $t->{name} WHERE @{[ indexed_rows($t) ]};
CREATE TEMP TABLE got (tid tid, id int8) ON COMMIT DROP;
DO \$\$
DECLARE
	c refcursor;
	r record;
	n int := 0;
BEGIN
	OPEN c FOR SELECT ctid AS tid, id FROM $t->{name} ORDER BY v $t->{op} @{[ load_value($t, int rand 1000) ]};
	LOOP
		FETCH c INTO r;
		EXIT WHEN NOT FOUND;
		INSERT INTO got VALUES (r.tid, r.id);
		n := n + 1;
		IF n IN (1, 30, 200, 1000) THEN PERFORM pg_sleep(random()); END IF;
	END LOOP;
END \$\$;
SELECT 'wrong: ' || coalesce(g.id, e.id) FROM (SELECT id, count(*) AS n FROM got GROUP BY id) g
	FULL JOIN expected e USING (id) WHERE g.n IS DISTINCT FROM 1 OR e.id IS NULL LIMIT 3;
COMMIT;
SQL
		}
		if (time > $next_check)
		{
			my $t = pick(@tables);
			verify($node, $t, 'false', "$what, under load");
			judge($node, $t, 10, "$what, under load") if $node->safe_psql('postgres', "SELECT count(*) > 50 FROM $t->{name}") eq 't';
			$next_check = time + 8;
			my $now = backend_memory($node);
			next if $now == 0;	# none of them was at work
			$memory //= $now;
			note sprintf "$what: largest backend %.1f MB", $now;
			problem('memory of backends', "$what: from $memory to $now MB") if $now > $memory + 16;
			tried('memory of backends');
		}
		sleep 0.02;
	}
	finish_load($load);
	tried('statements', $load->{transactions});
	problem('statements', "$what: $load->{err}") if !$load->{ok} || $load->{err} =~ /ERROR|aborted|FATAL|PANIC/;
	for my $s ($vacuum, $ddl, $cursor)
	{
		my $r = $s->end(60);
		problem('statements', "$what: $r->{err}") if $r->{err} =~ /ERROR/ || !$r->{alive};
		$s->quit;
	}

	my ($ntup) = $node->safe_psql('postgres', q(SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables WHERE relname IN ('ta', 'tb', 'tc')));
	$nwrites += $ntup;
	tried('index writes', $ntup);

	# quiet now: nobody waits for these statements, however long they take
	local $ENV{PGOPTIONS} = '-c log_min_duration_statement=-1';
	for my $t (@tables)
	{
		my $name = $t->{name};
		my $rows = $node->safe_psql('postgres', "SELECT count(*) FROM $name WHERE @{[ indexed_rows($t) ]}");
		my $unreached = verify($node, $t, 'true', "$what, quiet");

		tried('rows looked at for unreachable nodes under load', $rows);
		problem('rows looked at for unreachable nodes under load', "$what, $name: $unreached of $rows") if $unreached > 1 + $rows / 10000;
		next if $rows < 30;
		judge($node, $t, 60, "$what, quiet");
		$node->safe_psql('postgres', "DELETE FROM $name WHERE id = (SELECT max(id) FROM $name WHERE @{[ indexed_rows($t) ]})");
		$node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP ON) $name");
		$unreached = verify($node, $t, 'true', "$what, after VACUUM");
		tried('rows looked at for unreachable nodes after VACUUM', $rows);
		problem('rows looked at for unreachable nodes after VACUUM', "$what, $name: $unreached of $rows") if $unreached > 0;

		my $recall = judge($node, $t, 200, "$what, after VACUUM");
		my $size = $node->safe_psql('postgres', "SELECT pg_relation_size('${name}_v')");
		$node->safe_psql('postgres', "REINDEX INDEX ${name}_v");
		my $fresh = judge($node, $t, 200, "$what, new index");
		tried('recall');
		problem('recall', "$what, $name: $recall, of a new index $fresh") if $recall < $fresh - ($fresh < .97 ? .02 : .01);
		note sprintf "$what, $name: %d rows, recall %.4f, of a new index %.4f, %d bytes, new %d", $rows, $recall, $fresh, $size,
		  $node->safe_psql('postgres', "SELECT pg_relation_size('${name}_v')");
	}
	my $log = slurp_file($node->logfile);
	my @slow = $log =~ /(duration: \d{5,}.*)/g;
	problem('statements', "$what: slower than 10 s: @slow[0 .. ($#slow > 2 ? 2 : $#slow)]") if @slow;
	my $wrong = log_problems($node);
	problem('statements', "$what: $wrong") if $wrong ne '';
	$node->stop;
	$node->clean_node;
	return;
}

while (next_trial())
{
	last if seconds_left() < 20;
	my $r = $rotations[ trial_seed() % @rotations ];
	note "trial " . trial_seed() . ": $r->[0]";
	rotate(@$r);
}
note "$nwrites index writes";
end_suite();
