# Index files of another maker, of another version, cut short or empty: refused
# with a hint, never misread; VACUUM passes them by; REINDEX makes them ours.
#
# The files are changed while the server is stopped.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorTest;

my $node = vector_node(
	'foreign',
	conf => [ 'autovacuum = off', 'jit = off', 'fsync = off' ]);
my $page_size = $node->safe_psql('postgres', 'SHOW block_size');
my $rows = vectors(300, 3, 1);

$node->safe_psql('postgres', <<"SQL");
CREATE TABLE t (id int8, v vector(3));
INSERT INTO t $rows;
CREATE INDEX t_v ON t USING hnsw (v vector_l2_ops);
CREATE UNLOGGED TABLE u (id int8, v vector(3));
CREATE INDEX u_v ON u USING hnsw (v vector_l2_ops);
SQL

# A page as pgvector writes it: header, contents, and its mark at the end.
sub pgvector_page
{
	my ($contents) = @_;
	my $special = $page_size - 8;
	my $page = pack('Q S S S S S S L', 0, 0, 0, 24 + length $contents, $special, $special, $page_size | 4, 0) . $contents;

	return $page . "\0" x ($special - length $page) . pack('L S S', 0xFFFFFFFF, 0, 0xFF90);
}

# its metapage: magic number, version, dimensions, m, ef_construction, ...
my $pgvector = pgvector_page(pack('L L L S S L S s L', 0xA953A953, 1, 3, 16, 64, 1, 1, 0, 1))
  . pgvector_page("\1" x 800);

sub file_of
{
	my ($relation) = @_;
	return $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$relation')");
}

# Replace the files while the server is down: path => what it shall contain.
sub replace
{
	my ($how, %files) = @_;

	$node->stop($how);
	for my $path (keys %files)
	{
		open my $f, '>:raw', $path or die "$path: $!";
		print $f $files{$path};
		close $f or die "$path: $!";
	}
	$node->start;
	return;
}

# The report of a statement, verbose.
sub report
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');

	$node->psql('postgres', "\\set VERBOSITY verbose\nSET enable_seqscan = off;\n$sql",
		stdout => \$out, stderr => \$err, on_error_stop => 0);
	$err =~ s/^LOCATION:.*\n//mg;
	return $err;
}

my $search = "SELECT id FROM %s ORDER BY v <-> '[0,0,0]' LIMIT 1";
my $insert = "INSERT INTO %s VALUES (1000, '[1,2,3]')";

# Refused by scan and insert, passed over by VACUUM, no trouble to the planner, all
# right after REINDEX.
sub refused
{
	my ($what, $table, $sqlstate, $message, $rest) = @_;
	my $index = "${table}_v";
	my $refusal = qr/^psql:.*ERROR:  $sqlstate: $message\n$rest/m;

	like(report(sprintf $search, $table), $refusal, "$what: a search is refused");
	like(report(sprintf $insert, $table), $refusal, "$what: an insert is refused");
	is(report('EXPLAIN ' . sprintf $search, $table), '', "$what: it can be planned");
	is(report("SELECT count(*) FROM $table"), '', "$what: the table can be read");

	$node->safe_psql('postgres', "DELETE FROM $table WHERE id % 10 = 1");
	my $vacuum = report("VACUUM $table");
	like($vacuum, qr/^psql:.*WARNING:  $sqlstate: $message\n$rest/m, "$what: VACUUM warns");
	unlike($vacuum, qr/ERROR/, "$what: and goes on");
	is(report("SELECT * FROM hnsw_index_check('$index', true, true)"), '', "$what: the verifier does not fail");
	like($node->safe_psql('postgres', "SELECT rule FROM hnsw_index_check('$index')"), qr/^V1$/m, "$what: and has found it");

	$node->safe_psql('postgres', "REINDEX INDEX $index");
	is(report(sprintf($search, $table) . ';' . sprintf($insert, $table) . ";VACUUM $table"), '', "$what: all right after REINDEX");
	check_index($node, $index, "$what: sound after REINDEX");
	return;
}

my $hint = qr/HINT:  Please REINDEX it\./;

replace('fast', file_of('t_v') => $pgvector);
refused('pgvector', 't', 'XX002', 'index "t_v" was built by pgvector and cannot be read',
	qr/DETAIL:  Block 0 has magic number 0xA953A953\.\n$hint/);

# an unlogged one, after a crash: from its init fork
my $u = file_of('u_v');
replace('immediate', "${u}_init" => $pgvector);
refused('pgvector, init fork', 'u', 'XX002', 'index "u_v" was built by pgvector and cannot be read',
	qr/DETAIL:  Block 0 has magic number 0xA953A953\.\n$hint/);

# TRUNCATE makes it ours, too
replace('fast', file_of('t_v') => $pgvector);
$node->safe_psql('postgres', "TRUNCATE t; INSERT INTO t $rows");
is(report(sprintf $search, 't'), '', 'pgvector: all right after TRUNCATE');
check_index($node, 't_v', 'pgvector: sound after TRUNCATE');

# a version that we do not know
my $path = file_of('t_v');
$node->safe_psql('postgres', 'CHECKPOINT');
my $ours = slurp_file($path);
my ($magic, $version) = unpack('x24 L L', $ours);
my $newer = $ours;
substr($newer, 28, 4) = pack('L', $version + 1);
replace('fast', $path => $newer);
refused('another version', 't', '0A000', 'index "t_v" has format version ' . ($version + 1),
	qr/DETAIL:  This build supports version $version\./);

# no file worth the name
my $damaged = 'index "t_v" contains unexpected page at block 0';
for my $case ([ 'empty file' => '' ], [ 'zeros' => "\0" x $page_size ],
	[ 'metapage of another index' => pgvector_page('x' x 400) ])
{
	my ($what, $bytes) = @$case;

	replace('fast', file_of('t_v') => $bytes);
	refused($what, 't', 'XX00[12]', $damaged, qr/(DETAIL:.*\n)?$hint/);
}

# The end of the file is missing: what is there is searched, no statement but a
# search or an insert may fail, and those only with a hint.
$node->safe_psql('postgres', "TRUNCATE t; INSERT INTO t $rows; REINDEX TABLE t; CHECKPOINT");
$path = file_of('t_v');
$ours = slurp_file($path);
replace('fast', $path => substr($ours, 0, 3 * $page_size));
for my $sql (sprintf($search, 't'), sprintf($insert, 't'))
{
	my $said = report($sql);
	ok($said eq '' || $said =~ /ERROR:  XX00[12]: .*\n(DETAIL:.*\n)?$hint/, 'cut short: an answer, or a hint') or diag($said);
}
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 10 = 1');
unlike(report('VACUUM t'), qr/ERROR/, 'cut short: VACUUM goes on');
isnt($node->safe_psql('postgres', "SELECT count(*) FROM hnsw_index_check('t_v')"), '0', 'cut short: the verifier says so');
$node->safe_psql('postgres', 'REINDEX INDEX t_v');
check_index($node, 't_v', 'cut short: sound after REINDEX');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|terminated by signal/, 'no process was lost');
$node->stop;
done_testing();
