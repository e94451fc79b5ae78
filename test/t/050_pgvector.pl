# A database made by pgvector under our library: values are read in place, its
# indexes are refused with a hint and pass VACUUM with a warning, REINDEX makes
# them ours, ALTER EXTENSION UPDATE gives the catalog of a fresh installation,
# and dumps go both ways.
#
# With PGVECTOR_INSTALL, the directory of a server of the same major version that
# has pgvector (test/pgvector sets it up), the database is really pgvector's.
# Without, it is made by our script for 0.8.6, which creates pgvector's objects,
# and the files of its indexes are written to look like pgvector's.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $theirs = $ENV{PGVECTOR_INSTALL};
my $create = 'CREATE EXTENSION vector' . ($theirs ? '' : " VERSION '0.8.6'");
my $update_sql = slurp_file("$FindBin::Bin/../../sql/update.sql");
my ($snapshot) = $update_sql =~ /(CREATE FUNCTION snapshot\(\).*?^\$\$;)/ms
  or die 'sql/update.sql has no function snapshot()';

# What an index of each access method begins and ends with, by pgvector.
my %mark = (
	hnsw => { magic => 0xA953A953, name => '0xA953A953', page_id => 0xFF90 },
	ivfflat => { magic => 0x14FF1A7, name => '0x14FF1A7', page_id => 0xFF84 });

# table column => [ operator, query, access methods of the class ], by class
my %class = (
	vector_l2_ops => [ 'v', '<->', '[3,1,2,5]', 'hnsw', 'ivfflat' ],
	vector_ip_ops => [ 'v', '<#>', '[3,1,2,5]', 'hnsw', 'ivfflat' ],
	vector_cosine_ops => [ 'v', '<=>', '[3,1,2,5]', 'hnsw', 'ivfflat' ],
	vector_l1_ops => [ 'v', '<+>', '[3,1,2,5]', 'hnsw' ],
	halfvec_l2_ops => [ 'h', '<->', '[3,1,2,5]', 'hnsw', 'ivfflat' ],
	halfvec_ip_ops => [ 'h', '<#>', '[3,1,2,5]', 'hnsw', 'ivfflat' ],
	halfvec_cosine_ops => [ 'h', '<=>', '[3,1,2,5]', 'hnsw', 'ivfflat' ],
	halfvec_l1_ops => [ 'h', '<+>', '[3,1,2,5]', 'hnsw' ],
	sparsevec_l2_ops => [ 's', '<->', '{1:3,3:2}/4', 'hnsw' ],
	sparsevec_ip_ops => [ 's', '<#>', '{1:3,3:2}/4', 'hnsw' ],
	sparsevec_cosine_ops => [ 's', '<=>', '{1:3,3:2}/4', 'hnsw' ],
	sparsevec_l1_ops => [ 's', '<+>', '{1:3,3:2}/4', 'hnsw' ],
	bit_hamming_ops => [ 'b', '<~>', '0110', 'hnsw', 'ivfflat' ],
	bit_jaccard_ops => [ 'b', '<%>', '0110', 'hnsw' ]);

# Each index: name, table, access method and a search that only it can serve, for
# each table has one index on an expression of its own.
my @indexes;
for my $c (sort keys %class)
{
	my ($column, $op, $query, @ams) = @{ $class{$c} };

	push @indexes,
	  { name => "${c}_$_", table => "t_${c}_$_", am => $_, class => $c,
		column => $column, search => "$column $op '$query'" }
	  for @ams;
}
push @indexes,
  { name => "unlogged_$_", table => "t_unlogged_$_", am => $_, class => 'vector_l2_ops',
	column => 'v', search => "v <-> '[3,1,2,5]'", unlogged => 1 }
  for 'hnsw', 'ivfflat';

# ---------------------------------------------------------------------------
# pgvector's database

my $node = PostgreSQL::Test::Cluster->new('main',
	$theirs ? (install_path => $theirs) : ());

$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off");
$node->start;

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# 300 rows without equal distances to worry about in the order of ties; extremes
# of each type; a vector that is stored out of line.
my $tables = <<'SQL';
CREATE TABLE items AS
	SELECT i AS id, ARRAY[i, i * i % 101, i % 7, -i % 5]::vector(4) AS v,
		ARRAY[i, i * i % 101, i % 7, -i % 5]::vector::halfvec(4) AS h,
		ARRAY[i, 0, i % 7, -i % 5]::vector::sparsevec(4) AS s,
		(i % 15 + 1)::bit(4) AS b
	FROM generate_series(1, 300) i;
INSERT INTO items VALUES (-1, NULL, NULL, NULL, NULL),
	(-2, '[3e38,-1e-45,0,-0]', '[65504,-6e-8,0,-0]', '{1:3e38,4:-1e-45}/4', '0000');
CREATE TABLE wide (id int, v vector(3000), h halfvec(4000), s sparsevec, a vector(2)[], u vector);
INSERT INTO wide SELECT i, (SELECT array_agg(i + j) FROM generate_series(1, 3000) j)::vector,
	(SELECT array_agg(i * 0.5 + j) FROM generate_series(1, 4000) j)::vector::halfvec,
	format('{%s:1,900000000:%s}/1000000000', i, i)::sparsevec, ARRAY['[1,2]', '[3,4]']::vector(2)[],
	array_fill(i, ARRAY[i])::vector
	FROM generate_series(1, 5) i;
CREATE VIEW uses AS SELECT avg(v) AS mean, sum(h) AS total, array_agg(v - v = v ORDER BY id) AS zeros
	FROM items WHERE id BETWEEN 1 AND 100;
SQL

# Everything of the user's, as text and as clients get it in binary.
my $fingerprint = <<'SQL';
SELECT md5(string_agg(format('%s %s %s %s', t, encode(vector_send(v), 'hex'),
	encode(halfvec_send(h), 'hex'), encode(sparsevec_send(s), 'hex')), E'\n' ORDER BY id)) FROM items t
UNION ALL SELECT md5(string_agg(format('%s %s', t, encode(vector_send(u), 'hex')), E'\n' ORDER BY id)) FROM wide t
UNION ALL SELECT u::text FROM uses u
UNION ALL SELECT string_agg(format('%s %s %s %s', v <-> '[3,1,2,5]', h <#> '[3,1,2,5]', s <+> '{1:3,3:2}/4', b <~> '0110'),
	',' ORDER BY id) FROM items WHERE id BETWEEN 1 AND 50
UNION ALL SELECT string_agg(id::text, ',' ORDER BY v, h DESC, s) FROM items
SQL

sql($create);
sql($tables);
for my $i (@indexes)
{
	my $unlogged = $i->{unlogged} ? 'UNLOGGED' : '';

	sql("CREATE $unlogged TABLE $i->{table} AS SELECT * FROM items WHERE id > 0;"
		  . "CREATE INDEX $i->{name} ON $i->{table} USING $i->{am} ($i->{column} $i->{class});"
		  . "DELETE FROM $i->{table} WHERE id <= 20");
}
my $indexdefs = sql("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1");
my $values = sql($fingerprint);
my $version = sql("SELECT extversion FROM pg_extension WHERE extname = 'vector'");
note("the extension is $version, the indexes are ", $theirs ? "pgvector's" : 'imitated');

my $dump = $node->data_dir . '/../dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, 'postgres' ], 'dump by pgvector');
my %path = map { split /\|/ }
  split /\n/, sql("SELECT relname, pg_relation_filepath(oid) FROM pg_class WHERE relkind = 'i'");
$node->stop;

# ---------------------------------------------------------------------------
# Our library instead

# A page as pgvector's are: its own mark in the last two bytes, and contents.
sub page
{
	my ($page_id, $contents) = @_;
	my $header = pack('L2 S6 L', 0, 0, 0, 0, 24 + length $contents, 8184, 8184, 8192 | 4, 0);

	return $header . $contents . "\0" x (8184 - 24 - length $contents)
	  . pack('L S S', 0xFFFFFFFF, 0, $page_id);
}

sub imitate
{
	my ($i) = @_;
	my $mark = $mark{ $i->{am} };
	my $file = $node->data_dir . "/$path{$i->{name}}";

	for my $f ($file, $i->{unlogged} ? "${file}_init" : ())
	{
		open my $out, '>:raw', $f or die "$f: $!";
		print $out page($mark->{page_id}, pack('L L L x48', $mark->{magic}, 1, 4)),
		  page($mark->{page_id}, "\x01" x 400);
		close $out or die "$f: $!";
	}
	return;
}

if ($theirs)
{
	$node->{_install_path} = undef;
}
else
{
	imitate($_) for @indexes;
}
$node->start;
# unlogged relations begin anew from their init forks
$node->stop('immediate');
$node->start;
sql("INSERT INTO t_unlogged_$_ SELECT * FROM items WHERE false") for 'hnsw', 'ivfflat';

is(sql("SELECT extversion FROM pg_extension WHERE extname = 'vector'"), $version,
	'the catalog is still that of pgvector');
is(sql($fingerprint), $values, 'all values, distances and orders are the same');
is(sql("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"), $indexdefs,
	'index definitions are the same');

# what psql says, standard error included
sub says
{
	my ($statement) = @_;
	my ($out, $err);
	my $status = $node->psql('postgres', $statement, stdout => \$out, stderr => \$err,
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);

	return ($status, $err);
}

sub search
{
	my ($i) = @_;
	return "SELECT id, $i->{search} AS d FROM $i->{table} ORDER BY $i->{search} LIMIT 10";
}

my $only_index = 'SET enable_seqscan = off; SET enable_sort = off;';

for my $i (@indexes)
{
	my $refused = qr/XX002: index "$i->{name}" was built by pgvector and cannot be read
DETAIL:  Block 0 has magic number $mark{$i->{am}}{name}\.
HINT:  Please REINDEX it\./;
	my ($status, $err);

	like(sql("$only_index EXPLAIN " . search($i)), qr/Index Scan using $i->{name}/,
		"$i->{name}: the planner takes it");
	($status, $err) = says($only_index . search($i));
	like($err, $refused, "$i->{name}: a search is refused, with a hint");
	($status, $err) = says("SELECT id FROM $i->{table} WHERE $i->{search} < 1;"
		  . "SELECT id FROM $i->{table} ORDER BY 1 - ($i->{search}) DESC LIMIT 1");
	is($status, 0, "$i->{name}: what pgvector does without the index works");
	($status, $err) = says("INSERT INTO $i->{table} SELECT * FROM items WHERE id = 1");
	like($err, $refused, "$i->{name}: an insert is refused, with a hint");

	# rows have to be there to be dead, but a crash has emptied unlogged tables
	next if $i->{unlogged};
	($status, $err) = says("VACUUM $i->{table}");
	is($status, 0, "$i->{name}: VACUUM passes");
	like($err, qr/WARNING:  XX002: index "$i->{name}" was built by pgvector/,
		"$i->{name}: VACUUM warns");
}

# TRUNCATE and REINDEX write our format.  Searches wide enough to be exact:
my $exact = 'SET hnsw.ef_search = 1000; SET ivfflat.probes = 100;';

sql('TRUNCATE t_unlogged_hnsw, t_unlogged_ivfflat');
for my $i (@indexes)
{
	sql("REINDEX INDEX $i->{name}") unless $i->{unlogged};
	sql("INSERT INTO $i->{table} SELECT * FROM items WHERE id BETWEEN 1 AND 20");
	is( sql("$exact $only_index SELECT string_agg(d::text, ',') FROM (" . search($i) . ') s'),
		sql('SET enable_indexscan = off; SELECT string_agg(d::text, \',\') FROM ('
			  . search($i) . ') s'),
		"$i->{name}: the rebuilt index answers");
	my ($status, $err) = says("DELETE FROM $i->{table} WHERE id % 3 = 0; VACUUM $i->{table}");
	is($err, '', "$i->{name}: VACUUM says nothing any more");
}

# ---------------------------------------------------------------------------
# The update

my $n = @indexes;
my ($status, $err) = says('ALTER EXTENSION vector UPDATE');

is($status, 0, 'ALTER EXTENSION vector UPDATE');
like($err, qr/WARNING: .*indexes in this database that need REINDEX.*: $n$/m,
	'it warns, and counts the indexes');

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION vector');
$node->safe_psql($_, $snapshot) for 'postgres', 'fresh';
my $sorted = 'SELECT s FROM snapshot() s ORDER BY s COLLATE "C"';
is($node->safe_psql('postgres', $sorted), $node->safe_psql('fresh', $sorted),
	'the catalog equals that of a fresh installation');
sql('DROP FUNCTION snapshot');

is(sql($fingerprint), $values, 'values are the same after the update');
is(sql("SELECT * FROM hnsw_index_check('$_->{name}', true, true)"), '', "$_->{name} is sound")
  for @indexes;

# ---------------------------------------------------------------------------
# Dumps, both ways

$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'restored', '-f', $dump ],
	"restore of pgvector's dump");
is($node->safe_psql('restored', $fingerprint), $values, 'restored values are the same');
is($node->safe_psql('restored', "SELECT * FROM hnsw_index_check('$_->{name}', true, true)"), '',
	"$_->{name} is sound after restore")
  for @indexes;
is( $node->safe_psql('restored',
		"SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"),
	$indexdefs,
	'restored index definitions are the same');

$node->command_ok([ 'pg_dump', '-f', $dump, 'restored' ], 'dump by us');
my $back = PostgreSQL::Test::Cluster->new('back', $theirs ? (install_path => $theirs) : ());
$back->init;
$back->append_conf('postgresql.conf', "autovacuum = off\njit = off");
$back->start;
$back->safe_psql('postgres', $create);
$back->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', '-f', $dump ],
	'restore of our dump under pgvector');
is($back->safe_psql('postgres', $fingerprint), $values, 'values are the same there');
is( $back->safe_psql('postgres',
		"SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"),
	$indexdefs,
	'index definitions are the same there');

$back->stop;
$node->stop;
done_testing();
