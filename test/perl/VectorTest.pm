# VectorTest -- what the TAP tests share.
#
# A thin layer over PostgreSQL::Test::Cluster: a server with the extension,
# vectors that are the same on every machine, exact answers, recall, and the
# verifier.  Tables that the functions below work on have the columns
# (id int8, v vector).

package VectorTest;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  vector_node
  require_test_points
  vectors
  exact_knn
  index_knn
  recall_at
  check_index
  index_violations
  differing_pages
);

# vector_node(name, conf => [...], allows_streaming => 1, has_archiving => 1,
#	init => [...])
#
# A new server, started, with the extension in database postgres.  'conf' are
# lines for postgresql.conf, 'init' options for initdb.
sub vector_node
{
	my ($name, %opt) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(
		allows_streaming => $opt{allows_streaming} // 0,
		has_archiving => $opt{has_archiving} // 0,
		extra => $opt{init} // []);
	$node->append_conf('postgresql.conf', join("\n", @{ $opt{conf} // [] }));
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION vector');
	return $node;
}

# require_test_points: first thing in a file that stops, fails or crashes the
# server at test points.  Such a file also has the line "# build: test points",
# from which test/run knows which build to take.  Without one the file is
# skipped, but dies where the build claims to have them.
sub require_test_points
{
	return if $ENV{VECTOR_TEST_POINTS};
	plan skip_all => 'needs a build with TEST_POINTS=1';
}

# vectors(n, dim, seed, clusters => c, first => i)
#
# A query, as text, with n rows (id, v): ids from 'first' (default 1) on, and
# vectors that follow from id, dim and seed alone, so that a table can be filled
# in pieces.  Without 'clusters' each element is uniform in [-1, 1).  With it,
# each vector lies near one of c centres, which are the same for every seed, at a
# fifth of their spread: nearer to what embeddings and questions look like.
#
# hashint8extended is what hash partitioning stands on: the same on every
# machine and in every version.
sub vectors
{
	my ($n, $dim, $seed, %opt) = @_;
	my $first = $opt{first} // 1;
	my $last = $first + $n - 1;
	my $element = _uniform('i', $seed);

	if (my $c = $opt{clusters})
	{
		my $centre = "abs(hashint8extended(i, $seed) % $c)";
		$element = _uniform($centre, 0) . " + 0.2 * $element";
	}
	return "SELECT i AS id, ("
	  . "SELECT array_agg(($element)::float4 ORDER BY j)"
	  . " FROM generate_series(1, $dim) j)::vector($dim) AS v"
	  . " FROM generate_series($first\::int8, $last) i";
}

# A number in [-1, 1) from row number, element j and seed.
sub _uniform
{
	my ($row, $seed) = @_;

	return "((hashint8extended($row * 65536 + j, $seed) & 65535) / 32768.0 - 1)";
}

# exact_knn($node, table, operator, queries, k, where => 'condition')
#
# The k nearest rows for each row (id, v) of the query text 'queries', without
# an index: a hash from query id to [[id, distance], ...], nearest first.
sub exact_knn
{
	my ($node, $table, $op, $queries, $k, %opt) = @_;
	return _knn($node, $table, $op, $queries, $k, 'SET enable_indexscan = off',
		$opt{where});
}

# index_knn($node, table, operator, queries, k, ef => 40, set => [...])
#
# The same through the index.  Dies if the plan does not use one: a recall of
# 1.0 from a sequential scan would prove nothing.
sub index_knn
{
	my ($node, $table, $op, $queries, $k, %opt) = @_;
	my $set = join('; ',
		'SET enable_seqscan = off',
		'SET enable_sort = off',
		'SET hnsw.ef_search = ' . ($opt{ef} // 40),
		@{ $opt{set} // [] });
	my $plan = $node->safe_psql('postgres',
		"$set; EXPLAIN " . _knn_query($table, $op, $queries, $k, $opt{where}));

	die "no index is used:\n$plan"
	  unless $plan =~ /Index Scan using \S+ on \S+.*\n\s+Order By:/;
	return _knn($node, $table, $op, $queries, $k, $set, $opt{where});
}

sub _knn_query
{
	my ($table, $op, $queries, $k, $where) = @_;
	$where = defined $where ? "WHERE $where" : '';
	return "SELECT q.id, r.id, r.d FROM ($queries) q, LATERAL"
	  . " (SELECT t.id, t.v $op q.v AS d FROM $table t $where"
	  . " ORDER BY t.v $op q.v LIMIT $k) r";
}

sub _knn
{
	my ($node, $table, $op, $queries, $k, $set, $where) = @_;
	my %answer;
	my $rows = $node->safe_psql('postgres',
		"SET extra_float_digits = 1; $set; "
		  . _knn_query($table, $op, $queries, $k, $where));

	for my $row (split /\n/, $rows)
	{
		my ($q, $id, $d) = split /\|/, $row;
		push @{ $answer{$q} }, [ $id, $d ];
	}
	return \%answer;
}

# recall_at($node, table, operator, queries, k, ef => 40, set => [...],
#	where => 'condition', exact => answer of exact_knn)
#
# Mean share of the k exact neighbours that the index finds.  A row as near as
# the k-th neighbour counts as found, so that ties cost nothing; a row twice, or
# a distance that is not the exact one, dies.  'exact' saves computing the truth
# again when only the settings change.
sub recall_at
{
	my ($node, $table, $op, $queries, $k, %opt) = @_;
	my $exact = $opt{exact}
	  // exact_knn($node, $table, $op, $queries, $k, where => $opt{where});
	my $found = index_knn($node, $table, $op, $queries, $k, %opt);
	my ($hits, $all) = (0, 0);

	for my $q (keys %$exact)
	{
		my @truth = @{ $exact->{$q} };
		my $limit = $truth[-1][1];
		my %distance = map { $_->[0] => $_->[1] } @truth;
		my %seen;

		$all += @truth;
		for my $row (@{ $found->{$q} // [] })
		{
			my ($id, $d) = @$row;

			die "query $q returned row $id twice" if $seen{$id}++;
			die "query $q, row $id: distance $d, exact $distance{$id}"
			  if defined $distance{$id} && $distance{$id} != $d;
			$hits++ if $d <= $limit;
		}
	}
	die "no query has an answer" if $all == 0;
	return $hits / $all;
}

# index_violations($node, index): what the strict verifier finds, one line each.
sub index_violations
{
	my ($node, $index) = @_;
	return $node->safe_psql('postgres',
		"SELECT * FROM hnsw_index_check('$index', true, true)");
}

# check_index($node, index, name of the test): one assertion, that the strict
# verifier finds nothing.
sub check_index
{
	my ($node, $index, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(index_violations($node, $index), '', $name // "$index is sound");
}

# differing_pages($one, $other, index): numbers of the blocks that are not byte
# for byte the same on two servers, checksums apart.  A block that one of them
# lacks counts unless it is all zeros.  Needs pageinspect on the primary.
sub differing_pages
{
	my ($one, $other, $index) = @_;
	my $query = <<"SQL";
SELECT b, md5(overlay(p PLACING '\\x0000'::bytea FROM 9 FOR 2))
FROM generate_series(0, pg_relation_size('$index') / current_setting('block_size')::int - 1) b,
     LATERAL (SELECT get_raw_page('$index', 'main', b) AS p) raw
WHERE p <> decode(repeat('00', length(p)), 'hex')
SQL
	my %a = map { split /\|/ } split /\n/, $one->safe_psql('postgres', $query);
	my %b = map { split /\|/ } split /\n/, $other->safe_psql('postgres', $query);
	my %all = (%a, %b);

	die "index $index has no pages" unless %all;
	return grep { ($a{$_} // '') ne ($b{$_} // '') } sort { $a <=> $b } keys %all;
}

1;
