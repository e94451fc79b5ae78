# ORACLE: are the answers of the index right?  Each type and metric, small and
# large, fresh and after many changes, each in one snapshot against the answers
# without an index; and a scan to the end has every row.
#
# build: test points

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Reliability;
use VectorLoad;
use VectorTest;

require_test_points();
begin_suite('oracle');

my $node = vector_node('oracle', conf => [ 'autovacuum = off', 'log_statement = none', 'jit = off', 'fsync = off' ]);
load_functions($node);

my @tables = (
	{ dim => 3, class => 'vector_l2_ops', op => '<->' },
	{ dim => 16, class => 'vector_l2_ops', op => '<->', with => 'm = 8' },
	{ dim => 16, class => 'vector_l2_ops', op => '<->', variety => 200 },
	{ dim => 128, class => 'vector_cosine_ops', op => '<=>' },
	{ dim => 384, class => 'vector_ip_ops', op => '<#>', n => 600 },
	{ dim => 2000, class => 'vector_l2_ops', op => '<->', n => 100 },
	{ dim => 24, class => 'vector_l1_ops', op => '<+>' },
	{ dim => 32, class => 'halfvec_l2_ops', op => '<->', type => 'halfvec' },
	{ dim => 300, class => 'halfvec_cosine_ops', op => '<=>', type => 'halfvec', n => 600 },
	{ dim => 20, class => 'sparsevec_l2_ops', op => '<->', type => 'sparsevec' },
	{ dim => 20, class => 'sparsevec_cosine_ops', op => '<=>', type => 'sparsevec' },
	{ dim => 64, class => 'bit_hamming_ops', op => '<~>', type => 'bit' },
	{ dim => 64, class => 'bit_jaccard_ops', op => '<%>', type => 'bit' },
	{ dim => 64, class => 'vector_l2_ops', op => '<->', with => 'm = 2, ef_construction = 8' },
);

sub judge
{
	my ($t, $what) = @_;
	my $answer = oracle($node, $t, 100, trial_seed());
	my $missing = all_found($node, $t);

	tried('answers', $answer->{nqueries});
	for my $rule (qw(O1 O2 O3 O4 few))
	{
		problem('answers', "$what: $rule $answer->{$rule} times") if $answer->{$rule} != 0;
	}
	tried('rows that look for themselves', $answer->{nown});
	problem('rows that look for themselves', "$what: $answer->{O6} of $answer->{nown} do not")
	  if $answer->{O6} > $answer->{nown} / 1000;
	tried('full scans');
	problem('full scans', "$what: $missing") if $missing ne '';
	return $answer->{recall};
}

while (next_trial())
{
	my $t = { name => 't', n => 1500, %{ $tables[ trial_seed() % @tables ] } };
	my $what = "$t->{class}, $t->{dim} dimensions";

	make_load_table($node, $t);
	judge($t, "$what, built");

	# by inserts and VACUUM, half of the rows anew
	for my $round (1 .. 3)
	{
		my $load = start_load($node, [$t], clients => 4, seconds => 2, seed => trial_seed());
		$node->safe_psql('postgres', "DELETE FROM t WHERE id % 6 = $round; VACUUM t");
		finish_load($load);
		problem('statements', $load->{err}) if $load->{err} =~ /ERROR|aborted/;
		tried('statements', $load->{transactions});
		$node->safe_psql('postgres', 'VACUUM t');
	}
	my $recall = judge($t, "$what, changed");
	$node->safe_psql('postgres', 'REINDEX INDEX t_v');
	my $fresh = judge($t, "$what, built again");

	tried('recall');
	problem('recall', "$what: $recall, of a new index $fresh") if $recall < $fresh - .01;
	note "$what: recall $recall, of a new index $fresh";
	$node->safe_psql('postgres', 'DROP TABLE t; DROP SEQUENCE t_id');
}
tried('servers');
my $wrong = log_problems($node);
problem('servers', $wrong) if $wrong ne '';
$node->stop;
end_suite();
