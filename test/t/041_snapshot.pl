# A heap TID of the index may name another row by now, and only an MVCC snapshot
# tells (H40): any other is refused, by the scan itself (pgvector #256
# returned rows under one).

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorPages;
use VectorTest;

my $node = vector_node('main', conf => [ 'autovacuum = off' ]);

$node->safe_psql('postgres', 'CREATE EXTENSION IF NOT EXISTS vector');
corrupt_functions($node);
$node->safe_psql('postgres',
	'CREATE TABLE t (id int8, v vector(3));'
	  . 'INSERT INTO t SELECT id, v FROM (' . vectors(50, 3, 7) . ') s;'
	  . 'CREATE INDEX t_idx ON t USING hnsw (v vector_l2_ops)');

my (undef, undef, $refused) = $node->psql('postgres',
	"SELECT dirty_scan('t', 't_idx', v) FROM t WHERE id = 1");
like($refused, qr/non-MVCC snapshots are not supported with hnsw/, 'a dirty snapshot is refused');
is($node->safe_psql('postgres', 'SET enable_seqscan = off; SELECT count(*) FROM'
		  . " (SELECT id FROM t ORDER BY v <-> '[1,2,3]' LIMIT 5) s"), '5', 'the index still answers');

$node->stop;
done_testing();
