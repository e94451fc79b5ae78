# Another extension, compiled with the headers that we install and nothing else
# of ours, takes, makes and returns values of each type.

use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

my $from = "$FindBin::Bin/../modules/vector_dependent";
my $to = PostgreSQL::Test::Utils::tempdir();

copy("$from/$_", "$to/$_") or die "$_: $!" for 'Makefile', 'vector_dependent.c';
is(system("make -C $to with_llvm=no COPT=-Werror >$to/log 2>&1"), 0, 'it compiles')
  or diag(slurp_file("$to/log"));

my $node = vector_node('main');
my $library = "$to/vector_dependent";

# Its calls of ours are resolved when it is loaded: ours has to be there before.
$node->safe_psql('postgres', <<"SQL");
LOAD 'vector';
CREATE FUNCTION total(vector) RETURNS float8 AS '$library', 'total_vector' LANGUAGE C STRICT;
CREATE FUNCTION iota(int) RETURNS vector AS '$library', 'iota_vector' LANGUAGE C STRICT;
CREATE FUNCTION bits(halfvec, int) RETURNS int AS '$library', 'bits_halfvec' LANGUAGE C STRICT;
CREATE FUNCTION fill(int, int) RETURNS halfvec AS '$library', 'fill_halfvec' LANGUAGE C STRICT;
CREATE FUNCTION total(sparsevec) RETURNS float8 AS '$library', 'total_sparsevec' LANGUAGE C STRICT;
CREATE FUNCTION unit(int, int) RETURNS sparsevec AS '$library', 'unit_sparsevec' LANGUAGE C STRICT;
CREATE TABLE t AS SELECT array_agg(i)::vector AS v, array_agg(i)::vector::halfvec AS h,
	array_agg(i)::vector::sparsevec AS s FROM generate_series(1, 4000) i;
SQL

sub answer
{
	return $node->safe_psql('postgres', "LOAD 'vector'; SELECT $_[0]");
}

is(answer("iota(4), total('[1,2.5,-1]'::vector)"), '[1,2,3,4]|2.5', 'vector');
is(answer('iota(4000) = v, total(v) FROM t'), 't|8002000', 'vector out of line');
is(answer("fill(3, 15360), bits('[1,-2,0.5]', 1)"), '[1,1,1]|49152', 'halfvec');
is(answer('bits(h, 2047) FROM t'), '26624', 'halfvec out of line');
is(answer("unit(5, 2), total('{1:1.5,3:2}/5'::sparsevec)"), '{2:1}/5|3.5', 'sparsevec');
is(answer('total(s) FROM t'), '8002000', 'sparsevec out of line');
is(answer("unit(1000000000, 1000000000) <-> unit(1000000000, 1) = sqrt(2::float8)"), 't',
	'its values serve our functions');

$node->stop;
done_testing();
