# VectorPages -- the bytes of an index, for tests that damage them.
#
# Offsets are those of src/hnsw/hnswpage.h; a field is [offset, pack template].
# The functions that read and write bytes are those of test/modules/hnsw_corrupt:
# they change the buffer, so that checksums are no help.

package VectorPages;

use strict;
use warnings;

use Exporter 'import';
use File::Copy qw(copy);
use FindBin;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(
  PAGE_BYTES
  CONTENTS
  EXTENT_BYTES
  INVALID
  FREE
  LIVE
  EMPTY
  TIDS
  %header
  %special
  %meta
  %extent
  %slot
  %flat
  corrupt_functions
  index_geometry
);

use constant {
	PAGE_BYTES => 8192,
	CONTENTS => 24,
	EXTENT_BYTES => 12,
	INVALID => 0xFFFFFFFF,
	FREE => 0,
	LIVE => 1,
	EMPTY => 2,
	TIDS => 3,
};

our %header = (pd_lower => [ 12, 'S' ], pd_upper => [ 14, 'S' ]);
our %special = (
	index => [ 8176, 'L' ],
	epoch => [ 8180, 'L' ],
	unused => [ 8184, 'S' ],
	kind => [ 8187, 'C' ],
	page_id => [ 8190, 'S' ]);
our %meta = (
	magic => [ 0, 'L' ],
	format_version => [ 4, 'L' ],
	dim => [ 12, 'L' ],
	m => [ 16, 'S' ],
	own_kind => [ 20, 'C' ],
	kept_bytes => [ 40, 'L' ],
	node_bytes => [ 48, 'L' ],
	nentries => [ 64, 'L' ],
	node_pages => [ 88, 'L' ],
	nextents => [ 92, 'S' ],
	gaps => [ 94, 'S' ],
	first_extent => [ 656, 'L' ]);
our %extent = (start => [ 0, 'L' ], first => [ 4, 'L' ], npages => [ 8, 'L' ]);
our %slot = (
	version => [ 0, 'L' ],
	state => [ 4, 'C' ],
	unused => [ 5, 'C' ],
	nedges => [ 6, 'S' ],
	ntids => [ 8, 'L' ],
	next => [ 12, 'L' ],
	tid => [ 16, 'SSS' ],
	nhere => [ 52, 'S' ],
	owner => [ 16, 'L' ],
	owner_version => [ 20, 'L' ]);
our %flat = (
	version => [ 0, 'L' ],
	tid => [ 4, 'SSS' ],
	state => [ 10, 'C' ],
	more => [ 11, 'C' ],
	code => [ 12, 'f' ]);

# ---------------------------------------------------------------------------
# The library

# The directory of the tests, from that of whoever runs.
sub _test_directory
{
	return "$FindBin::Bin/.." if -d "$FindBin::Bin/../modules";
	return "$FindBin::Bin/../..";
}

sub _build_library
{
	my $from = _test_directory() . '/modules/hnsw_corrupt';
	my $to = PostgreSQL::Test::Utils::tempdir();

	copy("$from/$_", "$to/$_") or die "$_: $!"
	  for 'Makefile', 'hnsw_corrupt.c';
	system("make -C $to with_llvm=no >$to/log 2>&1") == 0
	  or die "cannot build the library: " . slurp_file("$to/log");
	return "$to/hnsw_corrupt";
}

# corrupt_functions($node): corrupt_page(), page_bytes(), dirty_scan(), pages() and
# slots().
sub corrupt_functions
{
	my ($node) = @_;
	my $library = _build_library();

	$node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION corrupt_page(regclass, int8, int4, bytea) RETURNS void
	AS '$library' LANGUAGE C STRICT;
CREATE FUNCTION page_bytes(regclass, int8, int4, int4) RETURNS bytea
	AS '$library' LANGUAGE C STRICT;
CREATE FUNCTION dirty_scan(regclass, regclass, anyelement) RETURNS boolean
	AS '$library' LANGUAGE C STRICT;
CREATE FUNCTION pages(index regclass)
	RETURNS TABLE (blkno int8, kind text, page_index int8) AS \$\$
	SELECT s.blkno, s.kind, s.page_index
	FROM generate_series(0, pg_relation_size(index) / @{[ PAGE_BYTES ]} - 1) b,
		hnsw_page_stats(index, b) s\$\$ LANGUAGE sql;
CREATE FUNCTION slots(index regclass)
	RETURNS TABLE (nid int8, state text, ntids int4) AS \$\$
	SELECT i.nid, i.state, i.ntids
	FROM pages(index) p, hnsw_page_items(index, p.blkno) i
	WHERE p.kind = 'node' ORDER BY i.nid\$\$ LANGUAGE sql;
SQL
	return;
}

# index_geometry($node, index): its metapage, and offsets that follow from it.
sub index_geometry
{
	my ($node, $index) = @_;
	my %geometry = map { split /\|/ }
	  split /\n/, $node->safe_psql('postgres', "SELECT * FROM hnsw_metapage('$index')");
	$geometry{own_off} = 56 + 4 * int(($geometry{max_edges} + 31) / 32);
	$geometry{edge_bytes} = $geometry{own_kind} eq 'exact' ? 8 :
	  8 + $geometry{nbits} / 8;
	$geometry{edges_off} = $geometry{pages_per_node} > 1 ?
	  PAGE_BYTES - 40 - $geometry{max_edges} * $geometry{edge_bytes} :
	  $geometry{own_off} + $geometry{own_bytes};
	return %geometry;
}

1;
