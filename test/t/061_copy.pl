# Mutated binary COPY: whatever bytes come for a vector, halfvec or sparsevec,
# the server answers with an error of the contract or with a sound value.
#
# A valid stream of rows of the three types is changed in a few bytes, some
# thousand times, by a fixed seed.  Each stream is read in a subtransaction.
# What is accepted must come back the same from text, binary form and a dump,
# and hnsw indexes are built over all of it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

use constant {
	SEED => 20240607,
	STREAMS => 4000,
	HEADER => 19,		# signature, flags, length of the extension
};

my $node = vector_node('copy', conf => [ 'log_min_messages = error', 'jit = off' ]);
my $dir = PostgreSQL::Test::Utils::tempdir();

# ---------------------------------------------------------------------------
# The streams

my $valid = "$dir/valid";
$node->safe_psql('postgres', qq{
	CREATE TABLE source (id int, v vector, h halfvec, s sparsevec);
	INSERT INTO source
		SELECT i, a::vector, a::halfvec, a::sparsevec
		FROM generate_series(1, 5) i,
		LATERAL (SELECT array_agg((hashint8extended(i * 100 + j, 1) % 5000 / 1000.0)::real ORDER BY j) AS a
			FROM generate_series(1, 8) j) t;
	INSERT INTO source VALUES (6, '[0,-0,1e-45]', '[65504,6e-8,-0]', '{}/3'), (7, NULL, '[1]', '{1000000000:1}/1000000000');
	COPY source TO '$valid' (FORMAT binary);
	CREATE TABLE copied (LIKE source);
	CREATE TABLE accepted (LIKE source);
});
my $stream = slurp_file($valid);

srand(SEED);

# Values that parsers of binary forms get wrong: lengths, limits, no numbers.
my @int16 = map { pack 'n', $_ & 0xffff } 0, 1, -1, 2, 3, 7, 9, 16000, 16001, 32767, -32768, 0x7c00, 0xfc01;
my @int32 = map { pack 'N', $_ & 0xffffffff } 0, 1, -1, 2, 5, 9, 16000, 16001, 999999999, 1000000000, 1000000001,
	0x7fffffff, -2147483648, 0x7f800000, 0xff800000, 0x7fc00000, 0x80000000, 0x00000001, 0x7f7fffff;

# One change somewhere behind the header.
sub change
{
	my ($bytes) = @_;
	my $at = HEADER + int(rand(length($bytes) - HEADER));
	my $kind = int(rand(10));

	if ($kind < 4)
	{
		substr($bytes, $at, 1) = chr(ord(substr($bytes, $at, 1)) ^ (1 << int(rand(8))));
	}
	elsif ($kind < 5)
	{
		substr($bytes, $at, 1) = chr(int(rand(256)));
	}
	elsif ($kind < 8)
	{
		my $list = rand() < 0.5 ? \@int16 : \@int32;
		my $new = $list->[ int(rand(@$list)) ];
		return $bytes if $at + length($new) > length($bytes);
		substr($bytes, $at, length($new)) = $new;
	}
	elsif ($kind < 9)
	{
		# part of another place, as long
		my $n = 1 + int(rand(12));
		my $from = HEADER + int(rand(length($bytes) - HEADER));
		my $part = substr($bytes, $from, $n);
		return $bytes if $at + length($part) > length($bytes);
		substr($bytes, $at, length($part)) = $part;
	}
	elsif (rand() < 0.2)
	{
		$bytes = substr($bytes, 0, $at);
	}
	else
	{
		substr($bytes, $at, 0) = substr($bytes, $at, 1 + int(rand(8)));
	}
	return $bytes;
}

for my $i (1 .. STREAMS)
{
	my $bytes = $stream;
	for (1 .. 1 + int(rand(3)))
	{
		$bytes = change($bytes) if length($bytes) > HEADER;
	}
	open my $fh, '>:raw', "$dir/$i" or die "$dir/$i: $!";
	print $fh $bytes;
	close $fh;
}

# ---------------------------------------------------------------------------
# Reading them

# Rows whose value, by text or by binary form, is not what it was.
my $changed = q{
	SELECT count(*) FROM %1$s WHERE
		vector_send(v::text::vector) IS DISTINCT FROM vector_send(v) OR
		halfvec_send(h::text::halfvec) IS DISTINCT FROM halfvec_send(h) OR
		sparsevec_send(s::text::sparsevec) IS DISTINCT FROM sparsevec_send(s) OR
		vector_dims(v) NOT BETWEEN 1 AND 16000 OR vector_dims(h) NOT BETWEEN 1 AND 16000 OR
		v <> v OR h <> h OR s <> s OR v::vector <> v OR h::halfvec <> h OR s::sparsevec <> s
};

$node->safe_psql('postgres', qq{
	CREATE TABLE outcome (stream int, code text, message text);
	CREATE PROCEDURE read_stream(i int) LANGUAGE plpgsql AS \$\$
	DECLARE
		bad bigint;
	BEGIN
		TRUNCATE copied;
		BEGIN
			EXECUTE format('COPY copied FROM %L (FORMAT binary)', '$dir/' || i);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO outcome VALUES (i, SQLSTATE, SQLERRM);
			RETURN;
		END;
		EXECUTE format(\$q\$$changed\$q\$, 'copied') INTO bad;
		INSERT INTO outcome VALUES (i, CASE WHEN bad = 0 THEN '00000' ELSE 'changed' END, bad || ' rows');
		INSERT INTO accepted SELECT * FROM copied;
	END \$\$;
});

# A connection for some hundred streams: if one brings down the server, the
# last that has an outcome is the one before.
my $died = 0;
for (my $first = 1; $first <= STREAMS && !$died; $first += 500)
{
	my $last = $first + 499;
	my ($r, $out, $err) = $node->psql('postgres',
		"DO \$\$ BEGIN FOR i IN $first .. $last LOOP CALL read_stream(i); COMMIT; END LOOP; END \$\$");
	$died = 1 if $r != 0;
	diag($err) if $r != 0;
}
is($died, 0, 'the server survived every stream');

# What an error may be: ours by the contract, core's of COPY itself.
my %allowed = (
	'22000' => 'our checks',
	'54000' => 'limits',
	'22P03' => 'incorrect binary data format',
	'22P04' => 'malformed COPY file',
	'08P01' => 'insufficient data left in message');
my %count =
	map { split /\|/ } split /\n/,
	$node->safe_psql('postgres', 'SELECT code, count(*) FROM outcome GROUP BY 1');
note(join(', ', map { "$_: $count{$_}" } sort keys %count));
is_deeply([ grep { !$allowed{$_} && $_ ne '00000' } sort keys %count ], [], 'only errors of the contract')
	or diag($node->safe_psql('postgres',
		"SELECT * FROM outcome WHERE code NOT IN ('00000', '22000', '54000', '22P03', '22P04', '08P01') LIMIT 10"));
is($node->safe_psql('postgres', 'SELECT count(*) FROM outcome'), STREAMS, 'every stream has an outcome');
for my $code ('00000', sort keys %allowed)
{
	cmp_ok($count{$code} // 0, '>=', 10, "streams with outcome $code");
}
is($node->safe_psql('postgres', sprintf($changed, 'accepted')), 0, 'accepted values come back the same');

# ---------------------------------------------------------------------------
# What was accepted: a dump, and indexes

my $sums = q{
	SELECT count(*), md5(string_agg(md5(vector_send(v)), '' ORDER BY id, vector_send(v), halfvec_send(h), sparsevec_send(s))),
		md5(string_agg(md5(halfvec_send(h)), '' ORDER BY id, vector_send(v), halfvec_send(h), sparsevec_send(s))),
		md5(string_agg(md5(sparsevec_send(s)), '' ORDER BY id, vector_send(v), halfvec_send(h), sparsevec_send(s)))
	FROM accepted
};
my $before = $node->safe_psql('postgres', $sums);
$node->safe_psql('postgres', 'CREATE DATABASE restored');
my $dump = "$dir/dump.sql";
$node->command_ok([ 'pg_dump', '-f', $dump, '-t', 'accepted', 'postgres' ], 'dump');
$node->safe_psql('restored', 'CREATE EXTENSION vector');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ],
	'restore');
is($node->safe_psql('restored', $sums), $before, 'a dump and restore changes no byte');

# For each type and number of dimensions that some rows have, every class; each
# index is sound, and a full scan of it gives every row that it should.
my %classes = (
	v => [ 'vector', 'l2_ops <->', 'ip_ops <#>', 'cosine_ops <=>', 'l1_ops <+>' ],
	h => [ 'halfvec', 'l2_ops <->', 'ip_ops <#>', 'cosine_ops <=>', 'l1_ops <+>' ],
	s => [ 'sparsevec', 'l2_ops <->', 'ip_ops <#>', 'cosine_ops <=>', 'l1_ops <+>' ]);
my $nindexes = 0;
my @wrong;
for my $column (sort keys %classes)
{
	my ($type, @ops) = @{ $classes{$column} };
	my $dim = $column eq 's' ? "split_part(s::text, '/', 2)::int" : "vector_dims($column)";
	my $norm = $column eq 'v' ? 'vector_norm' : 'l2_norm';
	my @dims = split /\n/,
		$node->safe_psql('postgres',
			"SELECT $dim FROM accepted WHERE $column IS NOT NULL GROUP BY 1 HAVING count(*) >= 20 ORDER BY 1");
	for my $n (@dims)
	{
		for my $class (@ops)
		{
			my ($ops, $op) = split / /, $class;
			my $indexable = $ops eq 'cosine_ops' ? "$norm($column) > 0" : 'true';
			my $out = $node->safe_psql('postgres', qq{
				SET client_min_messages = warning;
				CREATE TABLE one AS SELECT $column\::$type($n) AS v FROM accepted WHERE $dim = $n AND id <> 0;
				ALTER TABLE one ALTER v TYPE $type($n);
				CREATE INDEX one_v ON one USING hnsw (v ${type}_$ops);
				SET enable_seqscan = off;
				SELECT count(*) FROM hnsw_index_check('one_v', true, true) WHERE severity = 'error';
				SELECT count(*) - (SELECT count(*) FROM (SELECT v FROM one ORDER BY v $op (SELECT v FROM one LIMIT 1)) t)
					FROM accepted WHERE $dim = $n AND id <> 0 AND $indexable;
				DROP TABLE one;
			});
			push @wrong, "$type($n) ${type}_$ops: $out" if $out ne "0\n0";
			$nindexes++;
		}
	}
}
is_deeply(\@wrong, [], 'indexes over accepted values are sound and complete');
cmp_ok($nindexes, '>=', 16, 'indexes built');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing terrible in the log');

done_testing();
