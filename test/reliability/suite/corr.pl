# CORR: mutations of index pages: fields, bits, pages of zeros, pages in each
# other's place, pages as they were before.  Searches, inserts, deletes and VACUUM
# then end normally or with XX001 or XX002, soon, and VACUUM always; the verifier
# ends normally and finds nearly all changes of fields; REINDEX heals.
#
# build: test points

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Reliability;
use Session;
use VectorLoad;
use VectorPages;
use VectorTest;

require_test_points();
begin_suite('corr');

my $node = vector_node('corr',
	conf => [ 'autovacuum = off', 'jit = off', 'log_statement = none', 'fsync = off',
		'max_wal_size = 2GB', 'wal_level = minimal', 'max_wal_senders = 0', 'full_page_writes = off',
		'log_min_messages = error', 'log_min_error_statement = panic',
		'restart_after_crash = on' ],
	init => ['-k']);
load_functions($node);
corrupt_functions($node);

my @tables = (
	{ name => 'f32', dim => 8, class => 'vector_l2_ops', op => '<->', n => 120 },
	{ name => 's8', dim => 320, class => 'vector_cosine_ops', op => '<=>', n => 40 },
	{ name => 'more', dim => 7000, class => 'vector_ip_ops', op => '<#>', n => 8 },
	{ name => 'exact', dim => 8, class => 'vector_l1_ops', op => '<+>', n => 50 },
	{ name => 'sparse', dim => 40, class => 'sparsevec_l2_ops', op => '<->', type => 'sparsevec', n => 50 },
	{ name => 'bits', dim => 64, class => 'bit_hamming_ops', op => '<~>', type => 'bit', n => 80 });

# Rows as at first; and vectors that come later, made once: computing them would
# take longer than all the rest.
for my $t (@tables)
{
	my $name = $t->{name};
	my $vectors = join ' UNION ALL ',
	  map { "SELECT i AS id, @{[ load_value($t, 'i') ]} AS v FROM generate_series($_->[0], $_->[1]) i" }
	  [ 1, 7 ], [ 3000, 3000 ], [ 60001, 60006 ], [ 70001, 70020 ], [ 80000, 80008 ];

	make_load_table($node, $t);
	$node->safe_psql('postgres', "INSERT INTO $name SELECT 5000 + i, 0, v FROM $name, generate_series(1, 30) i WHERE id = 7;"
		  . "CREATE TABLE ${name}_rows AS SELECT * FROM $name;"
		  . "CREATE TABLE ${name}_more AS $vectors; CREATE INDEX ON ${name}_more (id)");
	$t->{geometry} = { index_geometry($node, "${name}_v") };
}

# Statements one by one, each in a subtransaction, and what is wrong with them;
# all of them in one call.
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION attempt(statements text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	statement text;
	began timestamptz;
BEGIN
	FOREACH statement IN ARRAY statements LOOP
		began := clock_timestamp();
		BEGIN
			EXECUTE statement;
		EXCEPTION WHEN OTHERS THEN
			RETURN NEXT 'ERROR:  ' || SQLSTATE || ': ' || SQLERRM || ', ' || statement;
		END;
		IF clock_timestamp() - began > '5s' THEN
			RETURN NEXT 'ERROR:  LATE!: ' || statement;
		END IF;
	END LOOP;
END $$;
CREATE FUNCTION digest(index regclass) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(page_bytes(index, b, 0, 8192), NULL ORDER BY b))
	FROM generate_series(0, pg_relation_size(index) / 8192 - 1) b
$$;
SQL

# ---------------------------------------------------------------------------
# Mutations.  Each is SQL text that makes it, and a name for its kind.

sub bytes_sql
{
	my ($bytes) = @_;
	return "'\\x" . unpack('H*', $bytes) . "'";
}

# What a field becomes, from its length; undef: the same field of another record.
sub new_value
{
	my ($length) = @_;
	my $kind = int rand 7;

	return "\0" x $length if $kind == 0;
	return "\1" . "\0" x ($length - 1) if $kind == 1;
	return "\xFF" x ($length - 1) . "\x7F" if $kind == 2;
	return "\xFF" x $length if $kind == 3;
	return join '', map { chr int rand 256 } 1 .. $length if $kind == 4;
	return pack('v', int rand 300) . "\0" x ($length - 2) if $kind == 5 && $length >= 2;
	return undef;
}

# Fields that nobody reads, so that the verifier need not find a change: pages on
# which the own form of a node has gone on that VACUUM has freed, or whose slot has
# heap TIDs of another node.  Whoever takes the slot writes them first.
# What is as good as before is missed, too: without codes, an edge to another
# node at the same distance, and another node as an entry.
use constant DEAD => 'more of no node';

# An offset and a length on a page of a kind, another offset for the same field,
# and its name.
sub pick_field
{
	my ($t, $kind) = @_;
	my $g = $t->{geometry};

	if (rand() < .15)
	{
		my ($name, $f) = pick([ lower => $header{pd_lower} ], [ upper => $header{pd_upper} ],
			map { [ $_ => $special{$_} ] } sort keys %special)->@*;
		return ($f->[0], length pack($f->[1], 0), undef, "frame $name");
	}
	if ($kind eq 'meta')
	{
		# any word of it: extents, counts, parameters
		my $at = rand() < .6 ? 4 * int rand 40 : 4 * int rand 400;
		return (CONTENTS + $at, 4, undef, "meta $at");
	}
	if ($kind eq 'node')
	{
		my ($a, $b) = map { CONTENTS + int(rand $g->{nodes_per_page}) * $g->{node_bytes} } 1, 2;

		if (rand() < .4)
		{
			my $e = $g->{edges_off} + int(rand $g->{max_edges}) * $g->{edge_bytes};
			my ($off, $len) = rand() < .6 ? (0, 4) : (4, 4);
			return ($a + $e + $off, $len, $b + $e + $off, $off ? 'edge code' : 'edge node');
		}
		if (rand() < .2)
		{
			my $at = $g->{own_off} + 4 * int rand 6;
			return ($a + $at, 4, $b + $at, 'own form');
		}
		my $name = pick(sort keys %slot);
		my $f = $slot{$name};
		return ($a + $f->[0], length pack($f->[1], 0, 0, 0), $b + $f->[0], "slot $name");
	}
	if ($kind eq 'flat')
	{
		my ($a, $b) = map { CONTENTS + int(rand 60) * $g->{flat_bytes} } 1, 2;
		my $name = pick(sort keys %flat);
		my $f = $flat{$name};
		return ($a + $f->[0], length pack($f->[1], 0, 0, 0), $b + $f->[0], "flat $name");
	}
	if ($kind eq 'entry')
	{
		my ($a, $b) = map { CONTENTS + int(rand 30) * ($g->{flat_bytes} - 4) } 1, 2;
		my $off = 4 * int rand 3;
		return ($a + $off, 4, $b + $off, "entry $off");
	}

	# mean, more, and what is written anew before anybody reads it: DEAD
	return (CONTENTS + 4 * int(rand 4), 4, undef, $kind);
}

sub mutate_field
{
	my ($t, $pages) = @_;
	my $index = "$t->{name}_v";
	my $page = pick(@$pages);
	my ($at, $length, $other, $name) = pick_field($t, $page->{kind});
	my $value;

	return mutate_field($t, $pages) if $at + $length > PAGE_BYTES || defined $other && $other + $length > PAGE_BYTES;
	$value = new_value($length);

	# no heap TID has two forms
	return mutate_field($t, $pages) if $name eq 'flat tid' && (!defined $value || $value =~ /\0\0$/);
	if (!defined $value)
	{
		my $from = pick(grep { $_->{kind} eq $page->{kind} } @$pages);
		my $offset = $other // $at;
		return ("field, $name", "SELECT corrupt_page('$index', $page->{block}, $at, page_bytes('$index', $from->{block}, $offset, $length))");
	}
	return ("field, $name", "SELECT corrupt_page('$index', $page->{block}, $at, @{[ bytes_sql($value) ]})");
}

# Bits anywhere but in the LSN, which is the server's own.
sub mutate_bits
{
	my ($t, $pages) = @_;
	my $index = "$t->{name}_v";

	return ('bits', join ';', map {
		my $block = pick(@$pages)->{block};
		my $at = 8 + int rand(PAGE_BYTES - 8);
		my $bit = int rand 8;
		"SELECT corrupt_page('$index', $block, $at, set_bit(b, $bit, 1 - get_bit(b, $bit))) FROM page_bytes('$index', $block, $at, 1) b"
	} 1 .. pick(1, 1, 2, 20));
}

sub mutate_zero
{
	my ($t, $pages) = @_;
	my $page = pick(@$pages);
	return ("zero, $page->{kind}", "SELECT corrupt_page('$t->{name}_v', $page->{block}, 0, @{[ bytes_sql(qq(\0) x PAGE_BYTES) ]})");
}

sub mutate_swap
{
	my ($t, $pages) = @_;
	my $index = "$t->{name}_v";
	my ($a, $b) = (pick(@$pages), pick(@$pages));
	my $n = PAGE_BYTES;
	return ("swap, $a->{kind} and $b->{kind}",
		"WITH a AS MATERIALIZED (SELECT page_bytes('$index', $a->{block}, 0, $n) AS p), b AS MATERIALIZED (SELECT page_bytes('$index', $b->{block}, 0, $n) AS p)"
		  . " SELECT corrupt_page('$index', $a->{block}, 0, b.p), corrupt_page('$index', $b->{block}, 0, a.p) FROM a, b");
}

# The page as it was before the last changes.
sub mutate_older
{
	my ($t, $pages) = @_;
	my $index = "$t->{name}_v";
	my $page = pick(@$pages);
	my $name = $t->{name};
	my $n = PAGE_BYTES;
	return ("older, $page->{kind}",
		"SELECT length(set_config('corr.page', encode(page_bytes('$index', $page->{block}, 0, $n), 'hex'), false));"
		  . " INSERT INTO $name SELECT id - 61000, 0, v FROM ${name}_more WHERE id BETWEEN 70001 AND 70020;"
		  . " DELETE FROM $name WHERE id % 7 = 3; VACUUM (INDEX_CLEANUP ON) $name;"
		  . " SELECT corrupt_page('$index', $page->{block}, 0, decode(current_setting('corr.page'), 'hex'))");
}

my @mutations = ((\&mutate_field) x 5, (\&mutate_bits) x 2, \&mutate_zero, \&mutate_swap, \&mutate_older);

# ---------------------------------------------------------------------------
# What is done to a damaged index

sub use_script
{
	my ($t) = @_;
	my ($name, $op) = @$t{qw(name op)};
	my $more = "FROM ${name}_more WHERE id";
	my $search = "SELECT count(*) FROM (SELECT id FROM $name ORDER BY v $op (SELECT v $more = %d) LIMIT %d) s";
	my $attempt = sub { return 'SELECT * FROM attempt(ARRAY[' . join(",\n", map { "\$q\$$_\$q\$" } @_) . "]);\n"; };
	my $vacuum = "\\warn =vacuum=\nVACUUM (INDEX_CLEANUP ON) $name;\n\\warn =done=\n";

	return "SET statement_timeout = '30s';\n"
	  . $attempt->(
		(map { sprintf $search, $_, 10 } 1, 7, 3000),
		sprintf($search, 5, 1000),
		"INSERT INTO $name SELECT 9100, 0, v FROM $name WHERE id = 3",
		"INSERT INTO $name SELECT 9101, 0, v FROM $name WHERE id = 7 LIMIT 1",
		"INSERT INTO $name SELECT id - 70898, 0, v $more BETWEEN 80000 AND 80008",
		"UPDATE $name SET v = (SELECT v $more = 5) WHERE id IN (2, 7)",
		"DELETE FROM $name WHERE id >= 9103 OR id IN (4, 7)")
	  . "SET statement_timeout = '5s';\n"
	  . $vacuum
	  . $attempt->("SELECT count(*) FROM hnsw_index_check('${name}_v')", sprintf $search, 5, 20)
	  . $vacuum
	  . "SELECT '=checked ' || count(*) FROM hnsw_index_check('${name}_v', true, true);\n"
	  . "SET statement_timeout = 0;\n";
}

my $session;

sub connect_again
{
	$session->quit if $session;
	$session = Session->new($node, options => '-c enable_seqscan=off -c enable_sort=off -c client_min_messages=error');
	return;
}

# The table as at first, some of its rows by a build and some by inserts, or all of
# them by inserts, with free slots and chains; pages by kind.
sub prepare
{
	my ($t) = @_;
	my $name = $t->{name};
	my $create = "CREATE INDEX ${name}_v ON $name USING hnsw (v $t->{class});\n";
	my ($before, $after) = rand() < .2 ? ($create, '') : ('', $create);
	my $r = $session->run(<<"SQL", 60);
BEGIN;
DROP INDEX ${name}_v;
TRUNCATE $name;
${before}INSERT INTO $name SELECT * FROM ${name}_rows WHERE id < 5010;
${after}INSERT INTO $name SELECT * FROM ${name}_rows WHERE id >= 5010;
INSERT INTO $name SELECT id - 50800, 0, v FROM ${name}_more WHERE id BETWEEN 60001 AND 60006;
DELETE FROM $name WHERE id > 9200 OR id BETWEEN 5003 AND 5009;
COMMIT;
VACUUM (INDEX_CLEANUP ON) $name;
SELECT 'bad ' || c.* FROM hnsw_index_check('${name}_v', true, true) c;
SELECT blkno, CASE WHEN kind = 'more' AND state NOT IN ('live', 'empty') THEN '@{[ DEAD ]}' ELSE kind END
	FROM pages('${name}_v') LEFT JOIN slots('${name}_v') ON kind = 'more' AND nid = page_index / $t->{geometry}{pages_per_node}
	WHERE kind IS NOT NULL ORDER BY blkno;
SQL
	my @pages = map { my ($b, $k) = split /\|/; { block => $b, kind => $k } } grep { /^\d+\|/ } split /\n/, $r->{out};
	problem('mutations', "$name is damaged before: $r->{out}$r->{err}") if $r->{err} ne '' || $r->{out} =~ /bad/ || !@pages;
	return \@pages;
}

my %missed;
my $peak = 0;

connect_again();
while (next_trial())
{
	my $t = pick(@tables);
	my $name = $t->{name};
	my $pages = prepare($t);
	my $digest = "SELECT '=bytes ' || digest('${name}_v');\n";
	my $script = $digest;
	my @kinds;

	# one, or several on top of one another
	for my $n (1 .. (rand() < .9 ? 1 : 5))
	{
		my ($kind, $sql) = pick(@mutations)->($t, $pages);

		$script .= "$sql;\n";
		push @kinds, $kind;
	}
	my $is_field = @kinds == 1 && $kinds[0] =~ /^field/ && $kinds[0] ne 'field, ' . DEAD;
	my $what = "$name: " . join('; ', @kinds);

	$script .= $digest;
	$script .= "SELECT '=found ' || count(*) FROM hnsw_index_check('${name}_v', true, true);\n" if $is_field;
	my $r = $session->run("$script\\warn =made=\n" . use_script($t), 90);
	my ($made, $err) = split /=made=\n/, $r->{err}, 2;
	my ($before, $after) = $r->{out} =~ /^=bytes (\w+)/mg;
	my ($found) = $r->{out} =~ /^=found (\d+)/m;

	if (!$r->{alive})
	{
		tried('mutations');
		problem('mutations', "$what: " . ($r->{late} ? 'no end' : 'a process was lost') . ": $r->{err}");
		$session->kill;
		undef $session;
		wait_until_up($node, 60);
		connect_again();
		$session->run("REINDEX INDEX ${name}_v", 60);
		next;
	}
	if ($is_field && ($made =~ /ERROR/ || !defined $found))
	{
		problem('mutations', "$what: cannot be made or looked at: $made");
	}

	# what has changed nothing is no mutation
	if (defined $before && defined $after && $before ne $after)
	{
		my $wrong = $r->{out} . $err;

		tried('mutations');
		if ($is_field)
		{
			tried('changed fields');
			$missed{"$kinds[0] in $name"}++ if defined $found && $found == 0;
		}

		# the executor's word for a bound that is none: what a wrong own form leads to
		$wrong =~ s/ERROR:  XX000: index returned tuples in wrong order//g;

		# a version that there is not yet
		$wrong =~ s/ERROR:  0A000: index "\w+" has format version//g;
		my @wrong = grep { !/^XX00[12]$/ } $wrong =~ /ERROR:  (.{5}):/g;
		problem('mutations', "$what: @wrong: $wrong") if @wrong;
		problem('mutations', "$what: VACUUM fails: $err") if $err =~ /=vacuum=\n(?!=done=)/;
		problem('mutations', "$what: the verifier fails: $err") if $r->{out} !~ /^=checked /m;
	}
	my $healed = $session->run("REINDEX INDEX ${name}_v;\nSELECT count(*) FROM hnsw_index_check('${name}_v', true, true);", 60);
	problem('mutations', "$what: REINDEX does not heal: $healed->{out} $healed->{err}") if $healed->{out} ne '0' || $healed->{err} ne '';
	$peak = $session->memory if $session->memory > $peak;
	next if trial_seed() % 500 != 499;
	connect_again();
	$session->run('VACUUM', 60);
}
$session->quit;
problem('mutations', "a backend had $peak MB") if $peak > 256;
measured('memory of a backend in MB', sprintf('%.0f', $peak), 1);

my $nmissed = 0;
for (sort keys %missed)
{
	note "missed by the verifier: $_, $missed{$_} times";
	$nmissed += $missed{$_};
}
note "$nmissed changes of fields missed";
my $wrong = join "\n", grep { !/contains unexpected/ } split /\n/, log_problems($node);
problem('mutations', $wrong) if $wrong ne '';
$node->stop;
end_suite();
