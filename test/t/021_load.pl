# Everybody at once: inserts, updates, deletions, rollbacks, searches and VACUUM,
# for twenty seconds; then the index must be sound and hold every row.
#
# Each search checks its own answer and fails if a row comes twice, out of order
# or if there are too few.  First, alone: a cursor over VACUUM and reuse of space.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

my $seconds = 20;
my $seed = 7;

my $node = vector_node(
	'load',
	conf => [
		'autovacuum = off', 'jit = off', 'fsync = off',
		'shared_buffers = 32MB', 'max_wal_size = 4GB',
		'lock_timeout = 60s'
	]);

# Tables: name, dimensions, operator class, operator, rows
my @tables = (
	[ 'low', 4, 'vector_l2_ops', '<->', 3000 ],
	[ 'high', 200, 'vector_cosine_ops', '<=>', 1000 ]);

# number i of the vectors of a table, and a search that complains
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, dim) j
$$;
CREATE FUNCTION search(relation text, op text, dim int, i bigint, k int) RETURNS int LANGUAGE plpgsql
SET enable_seqscan = off SET enable_sort = off AS $$
DECLARE
	r record;
BEGIN
	EXECUTE format('SELECT count(*) AS n, count(DISTINCT tid) AS ids, count(*) FILTER (WHERE d < before) AS back FROM ('
		'SELECT tid, d, lag(d) OVER () AS before FROM ('
		'SELECT ctid AS tid, v %s $1 AS d FROM %I ORDER BY v %1$s $1 LIMIT $2) s) s', op, relation)
		INTO r USING vec(i, dim), k;
	IF r.n <> k OR r.ids <> k OR r.back <> 0 THEN
		RAISE 'search for % in %: % rows, % of them different, % out of order', i, relation, r.n, r.ids, r.back;
	END IF;
	RETURN r.n;
END $$;
SQL

for my $t (@tables)
{
	my ($table, $dim, $class, undef, $n) = @$t;

	$node->safe_psql('postgres', <<"SQL");
CREATE SEQUENCE ${table}_id START 1000000;
CREATE TABLE $table (id bigint PRIMARY KEY DEFAULT nextval('${table}_id'), n int, v vector($dim)) WITH (fillfactor = 80);
INSERT INTO $table SELECT i, 0, vec(i, $dim) FROM generate_series(1, $n) i;
CREATE INDEX ${table}_v ON $table USING hnsw (v $class);
SQL
}

# ---------------------------------------------------------------------------
# A cursor, and what happens meanwhile

for my $t (@tables)
{
	my ($table, $dim, undef, $op, $n) = @$t;
	my $key = "(SELECT vec(0, $dim))";

	$node->safe_psql('postgres', "DELETE FROM $table WHERE id % 2 = 0");
	my $expected = $node->safe_psql('postgres', "SELECT string_agg(id::text, ' ' ORDER BY id) FROM $table");
	my $reader = $node->background_psql('postgres', on_error_stop => 1);
	my @found = split /\n/, $reader->query_safe(<<"SQL");
SET enable_seqscan = off;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM $table ORDER BY v $op $key;
FETCH 30 FROM c;
SQL
	$node->safe_psql('postgres', "VACUUM $table");
	push @found, split /\n/, $reader->query_safe('FETCH 30 FROM c;');

	# new rows, near to the key, in the slots that became free
	$node->safe_psql('postgres', "INSERT INTO $table SELECT i, 0, vec(i - 1000, $dim) FROM generate_series(10001, 10000 + $n / 2) i");
	push @found, split /\n/, $reader->query_safe('FETCH 30 FROM c;');
	$node->safe_psql('postgres', "DELETE FROM $table WHERE id % 5 = 1; INSERT INTO $table SELECT i, 0, vec(i, $dim) FROM generate_series(20001, 20100) i");
	$node->safe_psql('postgres', "VACUUM $table");
	push @found, split /\n/, $reader->query_safe('FETCH ALL FROM c;');
	is(join(' ', sort { $a <=> $b } @found), $expected,
		"$table: a cursor has the rows of its snapshot, whatever VACUUM and inserts do");
	$reader->query_safe('COMMIT;');
	ok($reader->quit, "$table: without an error");
	$node->safe_psql('postgres', "VACUUM $table");
	check_index($node, "${table}_v", "$table: sound after that");
}

# ---------------------------------------------------------------------------
# Load

my %script;
for my $t (@tables)
{
	my ($table, $dim, undef, $op) = @$t;
	my $id = '\set i random(1, 1000000)';
	my $old = "(SELECT id FROM $table WHERE id >= :i LIMIT 1)";

	# new rows, equal rows, several rows
	$script{"insert_$table\@30"} = "$id\nINSERT INTO $table (n, v) VALUES (0, vec(:i, $dim));\n";
	$script{"equal_$table\@10"} = "$id\nINSERT INTO $table (n, v) SELECT 0, v FROM $table WHERE id >= :i LIMIT 1;\n";
	$script{"several_$table\@3"} = "$id\nINSERT INTO $table (n, v) SELECT 0, vec(:i + j, $dim) FROM generate_series(1, 8) j;\n";
	$script{"nothing_$table\@3"} = "INSERT INTO $table (n, v) VALUES (0, NULL), (0, array_fill(0, ARRAY[$dim])::vector);\n";

	# what comes to nothing
	$script{"rollback_$table\@4"} = "$id\nBEGIN;\nINSERT INTO $table (n, v) VALUES (0, vec(:i, $dim));\nSAVEPOINT s;\n"
	  . "INSERT INTO $table (n, v) VALUES (0, vec(:i + 1, $dim));\nROLLBACK TO s;\n"
	  . "INSERT INTO $table (n, v) VALUES (0, vec(:i + 2, $dim));\nROLLBACK;\n";

	# changes: of another column, of the vector
	$script{"hot_$table\@8"} = "$id\nUPDATE $table SET n = n + 1 WHERE id = $old;\n";
	$script{"update_$table\@8"} = "$id\nUPDATE $table SET v = vec(:i, $dim) WHERE id = $old;\n";
	$script{"delete_$table\@38"} = "$id\nDELETE FROM $table WHERE id = $old;\n";

	$script{"search_$table\@20"} = "$id\nSELECT search('$table', '$op', $dim, :i, 10);\n";
	$script{"far_$table\@2"} = "$id\nSELECT search('$table', '$op', $dim, :i, 300);\n";
}

my @files;
for my $name (sort keys %script)
{
	my ($file, $weight) = split /@/, $name;
	my $path = $node->basedir . "/$file.sql";

	append_to_file($path, $script{$name});
	push @files, '-f', "$path\@$weight";
}
note "pgbench --random-seed=$seed";
my ($out, $err) = ('', '');
my $bench = IPC::Run::start(
	[
		'pgbench', '-n', '-c', '6', '-j', '2', '-T', $seconds,
		'--random-seed', $seed, '-h', $node->host, '-p', $node->port,
		@files, 'postgres'
	],
	'>', \$out, '2>', \$err);

my $vacuums = 0;
my $broken = '';
while ($bench->pumpable)
{
	for my $t (@tables)
	{
		$node->safe_psql('postgres', "VACUUM $t->[0]");
		$vacuums++;

		# Under load nodes may be cut off for a moment; nothing else may be wrong.
		$broken .= $node->safe_psql('postgres',
			"SELECT * FROM hnsw_index_check('$t->[0]_v') WHERE severity = 'error' AND rule <> 'V6'");
	}
	last if $out =~ /transaction type/;
	$bench->pump_nb;
}
ok($bench->finish, 'pgbench ends normally');
unlike($err, qr/error|aborted|FATAL|PANIC/i, 'no statement failed');
is($broken, '', 'sound in the midst of it');
my ($transactions) = $out =~ /number of transactions actually processed: (\d+)/;
cmp_ok($transactions // 0, '>', 500, 'something was done');
cmp_ok($vacuums, '>', 4, 'VACUUM ran meanwhile');
note "$transactions transactions, $vacuums times VACUUM";

# ---------------------------------------------------------------------------
# Afterwards

for my $t (@tables)
{
	my ($table, $dim, $class, $op) = @$t;
	my $indexed = $op eq '<=>' ? "v <> array_fill(0, ARRAY[$dim])::vector" : 'v IS NOT NULL';
	my $rows = $node->safe_psql('postgres', "SELECT count(*) FROM $table WHERE $indexed");
	my $whole = <<"SQL";
SET enable_seqscan = off;
SELECT (SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM $table ORDER BY v $op (SELECT vec(1, $dim))) s)
	= (SELECT array_agg(id ORDER BY id) FROM $table WHERE $indexed)
SQL

	note "$table: $rows rows";
	is($node->safe_psql('postgres', $whole), 't', "$table: a full scan has exactly the rows of the table");
	is($node->safe_psql('postgres', "SELECT * FROM hnsw_index_check('${table}_v', true, true) WHERE rule <> 'V6'"),
		'', "$table: strictly sound, but for reachability");
	cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM hnsw_index_check('${table}_v', true, true) WHERE rule = 'V6'"),
		'<=', 1 + $rows / 1000, "$table: nearly all nodes are reachable");

	# VACUUM mends that, if it has anything to do
	$node->safe_psql('postgres', "DELETE FROM $table WHERE id = (SELECT max(id) FROM $table WHERE $indexed)");
	$node->safe_psql('postgres', "VACUUM $table");
	check_index($node, "${table}_v", "$table: sound after a last VACUUM");
	is($node->safe_psql('postgres', $whole), 't', "$table: and a full scan has all rows");

	# an index that is new is not much smaller, and finds not much more
	my $size = $node->safe_psql('postgres', "SELECT pg_relation_size('${table}_v')");
	my $recall = recall_at($node, $table, $op, vectors(40, $dim, 99), 10);
	$node->safe_psql('postgres', "REINDEX INDEX ${table}_v");
	my $fresh = recall_at($node, $table, $op, vectors(40, $dim, 99), 10);
	cmp_ok($recall, '>=', $fresh - 0.03, "$table: recall is that of a new index");
	note sprintf('%s: recall %.4f, of a new index %.4f; %d bytes, new %d', $table, $recall, $fresh,
		$size, $node->safe_psql('postgres', "SELECT pg_relation_size('${table}_v')"));
}

unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|WARNING|terminated by signal/, 'nothing wrong in the log');
$node->stop;
done_testing();
