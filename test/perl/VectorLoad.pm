# VectorLoad -- tables under load, and the oracle that tells whether the answers
# of their indexes are right.
#
# A table is a hash: name, dim, class, op, n (rows at first), and optionally type
# (vector, halfvec, sparsevec, bit), variety (so many different vectors), with
# (storage parameters of the index), kind ('UNLOGGED'), tablespace.  It has the
# columns (id int8, n int4, v), its index is called <name>_v.

package VectorLoad;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  load_functions
  make_load_table
  load_value
  indexed_rows
  start_load
  finish_load
  all_found
  full_scan_query
  full_scan_text
  oracle
);

# ---------------------------------------------------------------------------
# Tables

# load_functions($node): vec(), number i of the vectors of a dimension, and
# search(), which fails if a row comes twice or out of order, or if there are
# fewer than asked for although the table has more.
sub load_functions
{
	my ($node) = @_;

	$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION vec(i bigint, dim int) RETURNS vector LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8extended(i * 65536 + j, 7) & 65535) / 32768.0 - 1)::float4 ORDER BY j)::vector
	FROM generate_series(1, dim) j
$$;
CREATE FUNCTION search(relation text, op text, q text, k int) RETURNS int LANGUAGE plpgsql
SET enable_seqscan = off SET enable_sort = off AS $$
DECLARE
	r record;
BEGIN
	EXECUTE format('SELECT count(*) AS n, count(DISTINCT tid) AS ids, count(*) FILTER (WHERE d < before) AS back,'
		' (SELECT count(*) FROM (SELECT FROM %3$I WHERE v %1$s %2$s <> ''NaN'' LIMIT $1) a) AS there FROM ('
		'SELECT tid, d, lag(d) OVER () AS before FROM ('
		'SELECT ctid AS tid, v %1$s %2$s AS d FROM %3$I ORDER BY v %1$s %2$s LIMIT $1) s) s', op, q, relation)
		INTO r USING k;
	IF r.n <> r.there OR r.ids <> r.n OR r.back <> 0 THEN
		RAISE 'search for % in %: % rows of %, % of them different, % out of order', q, relation, r.n, r.there, r.ids, r.back;
	END IF;
	RETURN r.n;
END $$;
SQL
	return;
}

# load_value($table, i): the text of an expression, vector number i of a table.
sub load_value
{
	my ($t, $i) = @_;
	my $type = $t->{type} // 'vector';
	my $number = $t->{variety} ? "(($i) % $t->{variety})" : "($i)";
	my $vec = "vec($number\::int8, $t->{dim})";

	return $vec if $type eq 'vector';
	return "binary_quantize($vec)::bit($t->{dim})" if $type eq 'bit';
	return "$vec\::$type($t->{dim})";
}

# A vector of zeros, which has no direction.
sub _zero
{
	my ($t) = @_;
	my $type = $t->{type} // 'vector';

	return "repeat('0', $t->{dim})::bit($t->{dim})" if $type eq 'bit';
	return "array_fill(0, ARRAY[$t->{dim}])::vector" . ($type eq 'vector' ? '' : "::$type");
}

# indexed_rows($table): the condition for rows that the index has.
sub indexed_rows
{
	my ($t) = @_;
	return $t->{op} eq '<=>' ? 'v <> ' . _zero($t) : 'v IS NOT NULL';
}

# make_load_table($node, $table): with its index, unless it is to have none yet
# (no_index), rows 1 to n, and later rows from 1000000 on.
sub make_load_table
{
	my ($node, $t) = @_;
	my $name = $t->{name};
	my $type = $t->{type} // 'vector';
	my $kind = $t->{kind} // '';
	my $with = $t->{with} ? "WITH ($t->{with})" : '';
	my $space = $t->{tablespace} ? "TABLESPACE $t->{tablespace}" : '';
	my $index = $t->{no_index} ? '' : "CREATE INDEX ${name}_v ON $name USING hnsw (v $t->{class}) $with $space;";

	$node->safe_psql('postgres', <<"SQL");
CREATE SEQUENCE ${name}_id START 1000000;
CREATE $kind TABLE $name (id bigint PRIMARY KEY DEFAULT nextval('${name}_id'), n int, v $type($t->{dim}))
	WITH (fillfactor = 80) $space;
INSERT INTO $name SELECT i, 0, @{[ load_value($t, 'i') ]} FROM generate_series(1, $t->{n}) i;
$index
SQL
	return;
}

# ---------------------------------------------------------------------------
# Load

# The scripts of pgbench for one table, by name, each with its weight.
sub _scripts
{
	my ($t, $opt) = @_;
	my $table = $t->{name};
	my $id = '\set i random(1, 1000000)';
	my $old = "(SELECT id FROM $table WHERE id >= :i LIMIT 1)";
	my %value = map { $_ => load_value($t, $_) } ':i', ':i + 1', ':i + 2', ':i + j';
	my %script;

	# new rows, equal rows, several rows, rows that are not indexed
	$script{insert} = [ 30, "$id\nINSERT INTO $table (n, v) VALUES (0, $value{':i'});\n" ];
	$script{equal} = [ 10, "$id\nINSERT INTO $table (n, v) SELECT 0, v FROM $table WHERE id >= :i LIMIT 1;\n" ];
	$script{several} = [ 3, "$id\nINSERT INTO $table (n, v) SELECT 0, $value{':i + j'} FROM generate_series(1, 8) j;\n" ];
	$script{nothing} = [ 3, "INSERT INTO $table (n, v) VALUES (0, NULL)"
		  . ($t->{op} eq '<=>' ? ", (0, @{[ _zero($t) ]})" : '') . ";\n" ];

	# what comes to nothing
	$script{rollback} = [ 4, "$id\nBEGIN;\nINSERT INTO $table (n, v) VALUES (0, $value{':i'});\nSAVEPOINT s;\n"
		  . "INSERT INTO $table (n, v) VALUES (0, $value{':i + 1'});\nROLLBACK TO s;\n"
		  . "INSERT INTO $table (n, v) VALUES (0, $value{':i + 2'});\nROLLBACK;\n" ];

	# changes: of another column, of the vector
	$script{hot} = [ 8, "$id\nUPDATE $table SET n = n + 1 WHERE id = $old;\n" ];
	$script{update} = [ 8, "$id\nUPDATE $table SET v = $value{':i'} WHERE id = $old;\n" ];
	$script{delete} = [ 38, "$id\nDELETE FROM $table WHERE id = $old;\n" ];

	$script{search} = [ 20, "$id\nSELECT search('$table', '$t->{op}', \$\$$value{':i'}\$\$, 10);\n" ];
	# a table that could shrink below that is not asked for so many rows
	$script{far} = [ $t->{n} >= 1000 ? 2 : 0, "$id\nSELECT search('$table', '$t->{op}', \$\$$value{':i'}\$\$, 300);\n" ];

	# two phases; pgbench replaces variables within quotes, too
	my $gid = "'$table.:i.:client_id'";
	$script{prepare} = [ 0, "$id\nBEGIN;\nINSERT INTO $table (n, v) VALUES (0, $value{':i'});\n"
		  . "DELETE FROM $table WHERE id = $old;\nPREPARE TRANSACTION $gid;\n"
		  . "SELECT search('$table', '$t->{op}', \$\$$value{':i'}\$\$, 10);\nCOMMIT PREPARED $gid;\n" ];

	$script{$_}[0] = $opt->{$_} for grep { exists $script{$_} } keys %$opt;
	return \%script;
}

# start_load($node, [tables], clients =>, seconds =>, seed =>, options => 'PGOPTIONS',
#	weights => { script => weight })
#
# pgbench in the background; to be given to finish_load.
sub start_load
{
	my ($node, $tables, %opt) = @_;
	my $load = { out => '', err => '' };
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my @files;

	for my $t (@$tables)
	{
		my $scripts = _scripts($t, $opt{weights} // {});

		for my $name (sort keys %$scripts)
		{
			my ($weight, $text) = @{ $scripts->{$name} };
			my $path = "$dir/${name}_$t->{name}.sql";

			next if $weight == 0;
			append_to_file($path, $text);
			push @files, '-f', "$path\@$weight";
		}
	}
	local $ENV{PGOPTIONS} = $opt{options} // '';
	$load->{run} = IPC::Run::start(
		[
			'pgbench', '-n', '-c', $opt{clients}, '-j', '2', '-T', $opt{seconds},
			'--random-seed', $opt{seed}, @{ $opt{arguments} // [] },
			'-h', $node->host, '-p', $node->port, @files, 'postgres'
		],
		'>', \$load->{out}, '2>', \$load->{err});
	return $load;
}

# finish_load($load, stop => 1): wait for its end, or end it; what it has done.
sub finish_load
{
	my ($load, %opt) = @_;

	if ($opt{stop})
	{
		$load->{run}->kill_kill(grace => 2);
	}
	else
	{
		$load->{ok} = $load->{run}->finish;
	}
	($load->{transactions}) = $load->{out} =~ /number of transactions actually processed: (\d+)/;
	$load->{transactions} //= 0;
	return $load;
}

# ---------------------------------------------------------------------------
# Answers

# all_found($node, $table): rows that a full scan of the index misses or has too
# often: nothing, or a text.  This is O7.
sub all_found
{
	my ($node, $t) = @_;
	return $node->safe_psql('postgres', full_scan_query($t));
}

# The text of that query; it writes nothing, so that it runs on a standby.
sub full_scan_query
{
	my ($t) = @_;
	return "SET enable_seqscan = off;\nSET enable_sort = off;\n" . full_scan_text($t) . ";\n";
}

# The same for a place where these settings are made already.
sub full_scan_text
{
	my ($t) = @_;
	my $rows = indexed_rows($t);
	my $key = load_value($t, '1');

	return <<"SQL";
WITH found AS MATERIALIZED (SELECT id FROM $t->{name} ORDER BY v $t->{op} $key)
SELECT 'row ' || coalesce(t.id, f.id) || ' is there ' || coalesce(t.n, 0) || ' times, found ' || coalesce(f.n, 0)
	FROM (SELECT id, count(*) AS n FROM found GROUP BY id) f
	FULL JOIN (SELECT id, count(*) AS n FROM $t->{name} WHERE $rows GROUP BY id) t USING (id)
	WHERE t.n IS DISTINCT FROM f.n LIMIT 5
SQL
}

# oracle($node, $table, nqueries, seed): a hash
#
#	O1		rows that an answer has twice
#	O2		answers with a row before a nearer one
#	O3		rows that cannot be seen, or for which the filter does not hold
#	O4		distances that are not those of the row
#	O6		rows that do not find themselves, or one equal to them
#	recall	of 10 at ef_search 200
#
# All of it in one snapshot.  Queries are vectors of the same kind, and rows.
sub oracle
{
	my ($node, $t, $nqueries, $seed) = @_;
	my ($table, $op) = @$t{qw(name op)};
	my $rows = indexed_rows($t);
	my $value = load_value({ %$t, variety => undef }, "$seed\::int8 * 1000 + i");
	my $knn = sub {
		my ($from, $where, $k) = @_;
		return "SELECT q.id AS q, s.id, s.d, s.tid, row_number() OVER (PARTITION BY q.id ORDER BY s.nth) AS nth FROM $from q,"
		  . ' LATERAL (SELECT r.*, row_number() OVER () AS nth FROM ('
		  . "SELECT t.id, t.ctid AS tid, t.v $op q.v AS d FROM $table t WHERE $where ORDER BY t.v $op q.v LIMIT $k) r) s";
	};
	my @exact = ('SET LOCAL enable_indexscan = off; SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on;');
	my $nrows = $nqueries * 5;
	my $filter = "$rows AND id % 3 = 1";
	my $result = $node->safe_psql('postgres', <<"SQL");
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL jit = off;
SET LOCAL hnsw.ef_search = 200;
CREATE TEMP TABLE q ON COMMIT DROP AS SELECT i AS id, $value AS v FROM generate_series(1, $nqueries) i;
CREATE TEMP TABLE own ON COMMIT DROP AS SELECT id, v FROM $table WHERE $rows ORDER BY hashint8extended(id, $seed) LIMIT $nrows;
SET LOCAL enable_indexscan = off;
CREATE TEMP TABLE e ON COMMIT DROP AS @{[ $knn->('q', $rows, 10) ]};
CREATE TEMP TABLE ef ON COMMIT DROP AS @{[ $knn->('q', $filter, 10) ]};
SET LOCAL enable_indexscan = on;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
CREATE TEMP TABLE a ON COMMIT DROP AS @{[ $knn->('q', 'true', 10) ]};
CREATE TEMP TABLE af ON COMMIT DROP AS @{[ $knn->('q', 'id % 3 = 1', 10) ]};
CREATE TEMP TABLE o ON COMMIT DROP AS @{[ $knn->('own', 'true', 1) ]};
SET LOCAL enable_indexscan = off;
SET LOCAL enable_seqscan = on;
SET LOCAL enable_sort = on;
SELECT
	(SELECT count(*) FROM (SELECT 1 FROM a GROUP BY q, id HAVING count(*) > 1 UNION ALL SELECT 1 FROM af GROUP BY q, id HAVING count(*) > 1) s),
	(SELECT count(*) FROM (SELECT d < lag(d) OVER (PARTITION BY q ORDER BY nth) AS back FROM a) s WHERE back)
		+ (SELECT count(*) FROM (SELECT d < lag(d) OVER (PARTITION BY q ORDER BY nth) AS back FROM af) s WHERE back),
	(SELECT count(*) FROM a WHERE NOT EXISTS (SELECT FROM $table t WHERE t.id = a.id AND t.ctid = a.tid))
		+ (SELECT count(*) FROM af WHERE NOT EXISTS (SELECT FROM $table t WHERE t.id = af.id AND t.ctid = af.tid AND t.id % 3 = 1)),
	(SELECT count(*) FROM a JOIN q ON q.id = a.q JOIN $table t ON t.id = a.id WHERE a.d <> t.v $op q.v),
	(SELECT count(*) FROM own LEFT JOIN o ON o.q = own.id WHERE o.d IS NULL OR o.d > own.v $op own.v),
	(SELECT count(*) FROM own),
	(SELECT count(*) FROM e),
	(SELECT count(*) FROM a JOIN (SELECT q, max(d) AS d FROM e GROUP BY q) m USING (q) WHERE a.d <= m.d),
	(SELECT count(*) FROM ef) - (SELECT count(*) FROM af) + (SELECT count(*) FROM e) - (SELECT count(*) FROM a);
COMMIT;
SQL
	my @n = split /\|/, $result;
	my %answer = (O1 => $n[0], O2 => $n[1], O3 => $n[2], O4 => $n[3], few => $n[8]);

	# the nearest by inner product is the longest, not the same
	($answer{O6}, $answer{nown}) = $op eq '<#>' ? (0, 0) : @n[ 4, 5 ];
	$answer{nqueries} = 2 * $nqueries;
	$answer{recall} = $n[6] > 0 ? $n[7] / $n[6] : 1;
	return \%answer;
}

1;
