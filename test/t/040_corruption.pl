# Damaged indexes: the verifier finds each damage under the name of its rule;
# searches, inserts, deletes and VACUUM on it end normally or with XX001 or
# XX002, and never with a crash; REINDEX heals.
#
# Each case is one change to the bytes of one index, made in the buffer so that
# checksums are no help, with the rule that it breaks.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use VectorPages;
use VectorTest;

use constant KEPT_VALUE => 100;	# in the own form of a KEPT node of 80 dimensions

# ---------------------------------------------------------------------------
# A server with the library that overwrites pages

my $node = vector_node('main', conf => [ 'autovacuum = off' ], init => ['-k']);

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

corrupt_functions($node);

my %dims = (f32 => 8, s8 => 320, more => 7000, kept => 500, exact => 64);

# Values are kept behind codes where they have more dimensions than a code; the
# first 80 of them are not zero.
my %elements = (%dims, kept => 80);

# SQL for a value of a table's column, whose element j is given
sub made
{
	my ($table, $element) = @_;
	my $vector = "(SELECT array_agg($element)::vector"
	  . " FROM generate_series(1, $elements{$table}) j)";

	return converted($table, $vector);
}

# SQL for the value that a table's column makes of a vector
sub converted
{
	my ($table, $vector) = @_;
	my $zeros = $dims{$table} - $elements{$table};

	return
		$table eq 'exact' ? "binary_quantize($vector)"
	  : $zeros > 0 ? "($vector || array_fill(0::real, ARRAY[$zeros])::vector)::sparsevec"
	  : $vector;
}

# f32: short vectors, rows with equal vectors; s8: long vectors; more: a node on
# several pages; kept: values behind the codes; exact: no codes.
sub make_table
{
	my ($name, $n, $class, $nequal) = @_;
	my $dim = $dims{$name};
	my $type = $class =~ /^(bit|sparsevec)/ ? $1 : 'vector';

	sql("CREATE TABLE $name (id int8, v $type($dim));"
		  . "INSERT INTO $name SELECT id, " . converted($name, 'v') . ' FROM ('
		  . vectors($n, $elements{$name}, 11) . ') t;'
		  . "INSERT INTO $name SELECT $n + i, v FROM $name,"
		  . " generate_series(1, $nequal) i WHERE id = 7;"
		  . "CREATE INDEX ${name}_idx ON $name USING hnsw (v $class)");
}

make_table('f32', 300, 'vector_l2_ops', 40);
make_table('s8', 60, 'vector_l2_ops', 10);
make_table('more', 12, 'vector_cosine_ops', 0);
make_table('kept', 60, 'sparsevec_ip_ops', 10);
make_table('exact', 60, 'bit_hamming_ops', 10);

# ---------------------------------------------------------------------------
# Where things are

my $index;		# the index at hand
my %geometry;	# its metapage

sub look_at
{
	my ($table) = @_;

	$index = "${table}_idx";
	%geometry = map { split /\|/ }
	  split /\n/, sql("SELECT * FROM hnsw_metapage('$index')");
	$geometry{own_off} = 56 + 4 * int(($geometry{max_edges} + 31) / 32);
	$geometry{edge_bytes} = $geometry{own_kind} eq 'exact' ? 8 :
	  8 + $geometry{nbits} / 8 + ($geometry{own_kind} eq 'kept' ? 4 : 0);
	$geometry{edges_off} = $geometry{pages_per_node} > 1 ?
	  PAGE_BYTES - 40 - $geometry{max_edges} * $geometry{edge_bytes} :
	  $geometry{own_off} + $geometry{own_bytes};
	return;
}

# place(block, base, field): where a field is, for get() and put()
sub place
{
	my ($block, $base, $field) = @_;
	return [ $block, $base + $field->[0], $field->[1] ];
}

sub in_meta { return place(0, CONTENTS, $meta{ $_[0] }); }

# a field of the last extent
sub in_last_extent
{
	my ($name) = @_;
	my $i = get(in_meta('nextents')) - 1;
	return place(0, CONTENTS + $meta{first_extent}[0] + $i * EXTENT_BYTES, $extent{$name});
}

sub in_frame
{
	my ($block, $name) = @_;
	return place($block, 0, $header{$name} // $special{$name});
}

sub slot_place
{
	my ($nid) = @_;
	my %node = map { split /\|/ }
	  split /\n/, sql("SELECT * FROM hnsw_node('$index', $nid) LIMIT 2");
	return ($node{block}, CONTENTS + $node{slot} * $geometry{node_bytes});
}

sub in_slot
{
	my ($nid, $name) = @_;
	return place(slot_place($nid), $slot{$name});
}

sub in_own
{
	my ($nid, $offset, $template) = @_;
	return place(slot_place($nid), [ $geometry{own_off} + $offset, $template ]);
}

sub in_edge
{
	my ($nid, $i, $offset, $template) = @_;
	return place(
		slot_place($nid),
		[ $geometry{edges_off} + $i * $geometry{edge_bytes} + $offset,
			$template ]);
}

sub block_of_kind
{
	my ($kind, $n) = @_;
	$n //= 0;
	return sql("SELECT blkno FROM pages('$index') WHERE kind = '$kind'"
		  . " ORDER BY blkno OFFSET $n LIMIT 1");
}

sub in_flat
{
	my ($nid, $name) = @_;
	my $per_page = int((PAGE_BYTES - 40) / $geometry{flat_bytes});

	return place(block_of_kind('flat', int($nid / $per_page)),
		CONTENTS + $nid % $per_page * $geometry{flat_bytes}, $flat{$name});
}

sub in_entry
{
	my ($i, $offset, $template) = @_;
	return place(block_of_kind('entry'), CONTENTS,
		[ $i * ($geometry{flat_bytes} - 4) + $offset, $template ]);
}

# nth slot of a state, by the number of heap TIDs if given
sub find_slot
{
	my ($state, $n, $ntids) = @_;
	my $where = defined $ntids ? "AND ntids $ntids" : '';
	my $nid = sql("SELECT nid FROM slots('$index') WHERE state = '$state' $where"
		  . " ORDER BY nid OFFSET $n LIMIT 1");

	die "index $index has no such $state slot" if $nid eq '';
	return $nid;
}

sub live { return find_slot('live', $_[0], '= 1'); }
sub free_slot { return find_slot('free', 0); }
sub tids_slot { return find_slot('tids', $_[0] // 0); }

# the node with TIDS slots
sub owner { return find_slot('live', 0, '> 6'); }

sub get_bytes
{
	my ($block, $offset, $length) = @_;
	return pack('H*', sql("SELECT encode(page_bytes('$index', $block, $offset,"
			  . " $length), 'hex')"));
}

sub put_bytes
{
	my ($block, $offset, $bytes) = @_;
	sql("SELECT corrupt_page('$index', $block, $offset, '\\x"
		  . unpack('H*', $bytes) . "')");
	return;
}

sub get
{
	my ($place) = @_;
	my ($block, $offset, $template) = @$place;
	return unpack($template,
		get_bytes($block, $offset, length pack($template, 0, 0, 0)));
}

sub put
{
	my ($place, @values) = @_;
	put_bytes($place->[0], $place->[1], pack($place->[2], @values));
	return;
}

# Make every edge to a node name something else.
sub cut_off
{
	my ($victim) = @_;
	my @blocks = split /\n/,
	  sql("SELECT blkno FROM pages('$index') WHERE kind = 'node'");

	for my $block (@blocks)
	{
		my $page = get_bytes($block, 0, PAGE_BYTES);

		for my $i (0 .. $geometry{nodes_per_page} - 1)
		{
			my $at = CONTENTS + $i * $geometry{node_bytes};
			my $n = unpack('S', substr($page, $at + $slot{nedges}[0], 2));
			my @edges = map { $at + $geometry{edges_off} + $_ * $geometry{edge_bytes} }
			  0 .. $n - 1;

			next if unpack('C', substr($page, $at + $slot{state}[0], 1)) != LIVE;
			for my $e (0 .. $#edges)
			{
				my $other = substr($page, $edges[ $e == 0 ? 1 : 0 ], 4);

				substr($page, $edges[$e], 4) = $other
				  if unpack('L', substr($page, $edges[$e], 4)) == $victim;
			}
		}
		put_bytes($block, 0, $page);
	}
	return;
}

sub clear_entries
{
	my ($keep) = @_;
	my $n = get(in_meta('nentries'));

	for my $i ($keep .. $n - 1)
	{
		put(in_entry($i, 0, 'L'), INVALID);
	}
	return;
}

sub swap_bytes
{
	my ($a, $b, $length) = @_;
	my $bytes = get_bytes(@$a[ 0, 1 ], $length);

	put_bytes(@$a[ 0, 1 ], get_bytes(@$b[ 0, 1 ], $length));
	put_bytes(@$b[ 0, 1 ], $bytes);
	return;
}

# ---------------------------------------------------------------------------
# The cases: rule, table, what is done, how

my @cases = (
	# V1: the metapage
	[ V1 => f32 => 'magic number', sub { put(in_meta('magic'), 0x12345678) } ],
	[ V1 => f32 => 'format version', sub { put(in_meta('format_version'), 9) } ],
	[ V1 => f32 => 'dimensions', sub { put(in_meta('dim'), 7) } ],
	[ V1 => s8 => 'dimensions within the same geometry',
		sub { put(in_meta('dim'), 319) } ],
	[ V1 => f32 => 'm out of range', sub { put(in_meta('m'), 30000) } ],
	[ V1 => f32 => 'slot size', sub { put(in_meta('node_bytes'), 65535) } ],
	[ V1 => kept => 'room for values', sub { put(in_meta('kept_bytes'), 640) } ],
	[ V1 => f32 => 'more node pages than blocks',
		sub { put(in_meta('node_pages'), 0x7FFFFFFF) } ],
	[ V1 => f32 => 'extents that overlap',
		sub { put(in_meta('first_extent'), 0) } ],

	# An INSERT extended the file up to there, until the disk was full.
	[ V1 => exact => 'extent far behind the file',
		sub { put(in_last_extent('start'), get(in_last_extent('start')) + (1 << 28)) } ],
	[ V1 => exact => 'extent far beyond the file',
		sub { put(in_last_extent('npages'), get(in_last_extent('npages')) + (1 << 28)) } ],
	[ V1 => f32 => 'number of extents', sub { put(in_meta('nextents'), 0xFFFF) } ],
	[ V1 => f32 => 'flags of gaps', sub { put(in_meta('gaps'), 8) } ],
	[ V1 => f32 => 'entry of a node past the end',
		sub { put(in_entry(0, 0, 'L'), 0x7FFFFFFF) } ],

	# V2: frames
	[ V2 => f32 => 'node page of zeros',
		sub { put_bytes(block_of_kind('node', 1), 0, "\0" x PAGE_BYTES) } ],
	[ V2 => f32 => 'page of noise',
		sub {
			put_bytes(block_of_kind('node', 1), 0,
				join('', map { chr($_ * 37 % 251) } 1 .. PAGE_BYTES));
		} ],
	[ V2 => f32 => 'page kind',
		sub { put(in_frame(block_of_kind('node', 2), 'kind'), 4) } ],
	[ V2 => f32 => 'two pages swapped',
		sub {
			swap_bytes([ block_of_kind('node', 0), 0 ],
				[ block_of_kind('node', 1), 0 ], PAGE_BYTES);
		} ],
	[ V2 => f32 => 'pd_lower too small',
		sub { put(in_frame(block_of_kind('node'), 'pd_lower'), 100) } ],
	[ V2 => f32 => 'epoch of a flat page',
		sub { put(in_frame(block_of_kind('flat'), 'epoch'), 1) } ],
	[ V2 => f32 => 'page id', sub { put(in_frame(block_of_kind('flat'), 'page_id'), 0) } ],
	[ V2 => f32 => 'mean that is not a number',
		sub { put_bytes(block_of_kind('mean'), CONTENTS, pack('L', 0x7FC00000)) } ],

	# Of these the verifier knew nothing: it looked at records only, took the mean
	# that the process had kept for the one on the page, and passed over what
	# follows the bits of an edge or flat code.  And a build left in the bytes
	# behind the last edge what had lain there in memory.
	[ V2 => f32 => 'unused bytes of a page header',
		sub { put_bytes(block_of_kind('node'), 20, pack('L', 7)) } ],
	[ V2 => f32 => 'bytes behind the mean',
		sub { put_bytes(block_of_kind('mean'), CONTENTS + 4 * $geometry{rdim}, pack('f', 1)) } ],
	[ V2 => s8 => 'flat record of a node that is still to come',
		sub { put_bytes(block_of_kind('flat'), CONTENTS + 100 * $geometry{flat_bytes}, pack('L', 1)) } ],
	[ V2 => more => 'bytes behind an own form that goes on',
		sub { put_bytes(block_of_kind('more'), 8160, "\1") } ],
	[ V1 => s8 => 'bytes of an entry behind the last',
		sub { put(in_entry(get(in_meta('nentries')), 4, 'L'), 3) } ],
	[ V1 => exact => 'two entries of one node',
		sub { put(in_entry(0, 0, 'L'), get(in_entry(1, 0, 'L'))) } ],
	[ V4 => f32 => 'bits of edges that a node has not',
		sub {
			my ($block, $slot) = slot_place(live(5));
			put_bytes($block, $slot + $geometry{own_off} - 4, pack('L', 0xFFFFFFFF));
		} ],
	[ V4 => f32 => 'bytes behind the room for edges',
		sub {
			my ($block, $slot) = slot_place(live(5));
			my $end = $geometry{edges_off} + $geometry{max_edges} * $geometry{edge_bytes};

			die 'edges end with the slot' if $end >= $geometry{node_bytes};
			put_bytes($block, $slot + $end, "\1");
		} ],
	[ V10 => f32 => 'the mean',
		sub { put_bytes(block_of_kind('mean'), CONTENTS, pack('f', 99)) } ],
	[ V10 => s8 => 'block of a heap TID that a flat record has not',
		sub { put(in_flat(tids_slot(), 'tid'), 7, 0, 0) } ],
	[ V10 => s8 => 'code of an entry without a node',
		sub { put(in_entry(0, 0, 'L'), INVALID) } ],
	[ V10 => kept => 'size behind a flat code',
		sub {
			my $place = in_flat(live(5), 'version');
			put_bytes($place->[0], $place->[1] + $geometry{flat_bytes} - 4, pack('f', 1e6));
		} ],
	[ V5 => kept => 'size behind the code of an edge',
		sub { put(in_edge(live(5), 1, 8 + $geometry{nbits} / 8, 'f'), 1e6) } ],

	# V3: what belongs to a node
	[ V3 => f32 => 'TIDS slot of another owner',
		sub { put(in_slot(tids_slot(), 'owner'), live(0)) } ],
	[ V3 => f32 => 'TIDS slot of another version',
		sub { put(in_slot(tids_slot(), 'owner_version'), 77) } ],
	[ V3 => f32 => 'chain cut off', sub { put(in_slot(owner(), 'next'), INVALID) } ],
	[ V3 => f32 => 'chain that runs in a circle',
		sub { put(in_slot(tids_slot(), 'next'), tids_slot()) } ],
	[ V3 => f32 => 'chain into a node', sub { put(in_slot(owner(), 'next'), live(3)) } ],
	[ V3 => more => 'continuation of another version',
		sub { put_bytes(block_of_kind('more'), CONTENTS + 4, pack('L', 5)) } ],

	# V4: nodes
	[ V4 => f32 => 'unknown state', sub { put(in_slot(live(5), 'state'), 9) } ],
	[ V4 => f32 => 'live node made empty',
		sub { put(in_slot(live(5), 'state'), EMPTY) } ],
	[ V4 => f32 => 'live node without heap TIDs',
		sub { put(in_slot(live(5), 'ntids'), 0) } ],
	[ V4 => f32 => 'more heap TIDs than fit',
		sub { put(in_slot(live(5), 'nhere'), 7) } ],
	[ V4 => f32 => 'heap TID of zeros', sub { put(in_slot(live(5), 'tid'), 0, 0, 0) } ],
	[ V4 => f32 => 'heap TID of another node',
		sub { put(in_slot(live(5), 'tid'), get(in_slot(live(6), 'tid'))) } ],
	[ V4 => f32 => 'wrong count of heap TIDs',
		sub { put(in_slot(owner(), 'ntids'), 1000) } ],
	[ V4 => f32 => 'element that is not a number',
		sub { put(in_own(live(5), 8, 'L'), 0x7FC00000) } ],
	[ V4 => s8 => 'scale that is infinite',
		sub { put(in_own(live(5), 0, 'L'), 0x7F800000) } ],
	[ V4 => more => 'vector not of unit length',
		sub { put(in_own(live(2), 0, 'f'), 3 * get(in_own(live(2), 0, 'f'))) } ],
	[ V4 => kept => 'size that is not a number',
		sub { put(in_own(live(5), 0, 'L'), 0x7FC00000) } ],
	[ V4 => kept => 'code without end',
		sub { put(in_own(live(5), 8, 'L'), 0x7F800000) } ],
	[ V4 => kept => 'value of more elements than there are',
		sub { put(in_own(live(5), KEPT_VALUE + 8, 'L'), 999) } ],
	[ V4 => exact => 'value of another length',
		sub { put(in_own(live(5), 4, 'S'), 9) } ],

	# V5: edges
	[ V5 => f32 => 'edge to the node itself',
		sub { put(in_edge(live(8), 0, 0, 'L'), live(8)) } ],
	[ V5 => f32 => 'edge past the end',
		sub { put(in_edge(live(8), 2, 0, 'L'), 0x00FFFFFF) } ],
	[ V5 => f32 => 'edges to no node',
		sub { put(in_edge(live(8), $_, 0, 'L'), INVALID) for 0 .. 5 } ],
	[ V5 => exact => 'edges to no node',
		sub { put(in_edge(live(8), $_, 0, 'L'), INVALID) for 0 .. 5 } ],
	[ V5 => f32 => 'two edges to one node',
		sub { put(in_edge(live(8), 1, 0, 'L'), get(in_edge(live(8), 0, 0, 'L'))) } ],
	[ V5 => f32 => 'edge to a free slot',
		sub { put(in_edge(live(8), 1, 0, 'L'), free_slot()) } ],
	[ V5 => f32 => 'more edges than fit',
		sub { put(in_slot(live(8), 'nedges'), 0xFFFF) } ],
	[ V5 => f32 => 'forgotten edges', sub { put(in_slot(live(8), 'nedges'), 3) } ],
	[ V5 => f32 => 'edge code of another node',
		sub {
			swap_bytes(in_edge(live(8), 0, 0, 'L'), in_edge(live(8), 1, 0, 'L'), 4);
		} ],
	[ V5 => s8 => 'bits of an edge code',
		sub { put_bytes(@{ in_edge(live(8), 3, 8, 'L') }[ 0, 1 ], "\xAA" x 16) } ],

	# V6: reachability
	[ V6 => f32 => 'no entries', sub { clear_entries(0) } ],
	[ V6 => f32 => 'no entries counted', sub { put(in_meta('nentries'), 0) } ],
	[ V6 => f32 => 'node that nobody names',
		sub {
			my $entries = join(',', map { scalar get(in_entry($_, 0, 'L')) }
				  0 .. get(in_meta('nentries')) - 1);
			cut_off(sql("SELECT nid FROM slots('$index') WHERE state = 'live'"
				  . " AND nid NOT IN ($entries) LIMIT 1"));
		} ],
	[ V6 => f32 => 'one entry without edges',
		sub {
			clear_entries(1);
			put(in_slot(get(in_entry(0, 0, 'L')), 'nedges'), 0);
		} ],
	[ V6 => exact => 'no entries', sub { clear_entries(0) } ],

	# V7: rows
	[ V7 => f32 => 'heap TID past the end of the table',
		sub { put(in_slot(live(9), 'tid'), 0, 9999, 1) } ],

	# core has no word for a block behind a segment that is not full (XX000)
	[ V7 => f32 => 'heap TID in a segment of the table that there is not',
		sub { put(in_slot(live(9), 'tid'), 160, 0, 1) } ],
	[ V7 => f32 => 'heap TID of a line pointer that is not there',
		sub { put(in_slot(live(9), 'tid'), 0, 0, 290) } ],
	[ V7 => f32 => 'row that is not indexed',
		sub {
			my ($block, $offset) = slot_place(live(9));
			put_bytes($block, $offset, "\0" x $geometry{node_bytes});
		} ],
	[ V7 => s8 => 'forgotten heap TID',
		sub {
			put(in_slot(owner(), 'nhere'), 5);
			put(in_slot(owner(), 'ntids'), get(in_slot(owner(), 'ntids')) - 1);
		} ],

	# V8: own forms
	[ V8 => f32 => 'own form of another node',
		sub {
			swap_bytes(in_own(live(9), 0, 'L'), in_own(live(10), 0, 'L'),
				$geometry{own_bytes});
		} ],
	[ V8 => f32 => 'two elements swapped',
		sub { swap_bytes(in_own(live(9), 4, 'L'), in_own(live(9), 8, 'L'), 4) } ],
	[ V8 => s8 => 'element of a code',
		sub { put(in_own(live(9), 20, 'c'), -get(in_own(live(9), 20, 'c')) || 50) } ],
	[ V8 => s8 => 'error bound of zero', sub { put(in_own(live(9), 8, 'f'), 0) } ],
	[ V8 => kept => 'rest of a value that was not cut',
		sub { put(in_own(live(9), 4, 'f'), 1) } ],
	[ V8 => kept => 'element of a value',
		sub { put(in_own(live(9), KEPT_VALUE + 16 + 4 * 80, 'f'), 0.5) } ],
	[ V8 => exact => 'bit of a value',
		sub { put(in_own(live(9), 10, 'C'), get(in_own(live(9), 10, 'C')) ^ 1) } ],

	# V9: free slots
	[ V9 => f32 => 'degree of a free slot',
		sub { put(in_slot(free_slot(), 'nedges'), 1) } ],
	[ V9 => f32 => 'heap TID of a free slot',
		sub { put(in_slot(free_slot(), 'tid'), 0, 1, 1) } ],
	[ V9 => f32 => 'edge of a free slot',
		sub { put(in_edge(free_slot(), 0, 0, 'L'), 1) } ],
	[ V9 => s8 => 'code of a free slot', sub { put(in_own(free_slot(), 12, 'C'), 1) } ],

	# V10: flat records
	[ V10 => f32 => 'version', sub { put(in_flat(live(12), 'version'), 99) } ],
	[ V10 => f32 => 'state', sub { put(in_flat(live(12), 'state'), FREE) } ],
	[ V10 => f32 => 'heap TID', sub { put(in_flat(live(12), 'tid'), 0, 1, 1) } ],
	[ V10 => f32 => 'more', sub { put(in_flat(owner(), 'more'), 0) } ],
	[ V10 => s8 => 'code', sub { put(in_flat(live(12), 'code'), 1234) } ],
	[ V10 => f32 => 'code of an entry', sub { put(in_entry(0, 8, 'f'), 77) } ],
);

# ---------------------------------------------------------------------------
# What is done to a damaged index

# Free slots, in an index that REINDEX has just written.
sub make_free_slots
{
	my ($table) = @_;
	sql("INSERT INTO $table SELECT 9000 + i, "
		  . made($table, 'sin(i * 100 + j)')
		  . " FROM generate_series(1, 4) i;"
		  . "DELETE FROM $table WHERE id > 9000");
	sql("VACUUM $table");
	return;
}

# Statements as users send them; errors are expected, of two kinds.
sub use_index
{
	my ($table, $op) = @_;
	my $search = "SELECT count(*) FROM (SELECT id FROM $table ORDER BY v $op"
	  . " (SELECT v FROM $table WHERE id = %d) LIMIT %d) s";
	my @statements = (
		(map { sprintf($search, $_, 10) } 1, 7, 11),
		sprintf($search, 5, 1000),
		"INSERT INTO $table SELECT 9100, v FROM $table WHERE id = 3",
		"INSERT INTO $table SELECT 9101, v FROM $table WHERE id = 7 LIMIT 1",
		"INSERT INTO $table SELECT 9102, " . made($table, 'cos(j)'),
		"UPDATE $table SET v = v WHERE id IN (2, 7)",
		"DELETE FROM $table WHERE id >= 9100 OR id = 4",
		"VACUUM $table",
		"SELECT count(*) FROM hnsw_index_check('${table}_idx')",
		"VACUUM $table",
		"SELECT count(*) FROM hnsw_index_check('${table}_idx', true, true)");
	my $script = "\\set VERBOSITY verbose\nSET statement_timeout = '30s';\n"
	  . "SET enable_seqscan = off;\n"
	  . join('', map { "$_;\n" } @statements) . "SELECT 'alive';\n";
	my ($stdout, $stderr) = ('', '');

	$node->psql('postgres', $script, stdout => \$stdout, stderr => \$stderr,
		on_error_stop => 0);
	return ($stdout, $stderr);
}

my %operator = (f32 => '<->', s8 => '<->', more => '<=>', kept => '<#>',
	exact => '<~>');

for my $case (@cases)
{
	my ($rule, $table, $what, $damage) = @$case;
	my $name = "$rule, $table: $what";

	make_free_slots($table);
	look_at($table);
	is(index_violations($node, $index), '', "$name: sound before");
	$damage->();

	my $rows = index_violations($node, $index);
	like($rows, qr/^$rule\|/m, "$name: found under its rule");

	my ($stdout, $stderr) = use_index($table, $operator{$table});
	like($stdout, qr/^alive$/m, "$name: the server lives");

	# the executor's word for a bound that is none, which follows from an own
	# form that is not that of its rows
	$stderr =~ s/ERROR:  XX000: index returned tuples in wrong order//g
	  if $rule =~ /^V[48]$/;

	my @states = $stderr =~ /ERROR:  (\w{5}):/g;
	my $allowed = $what eq 'format version' ? qr/^(XX00[12]|0A000)$/ : qr/^XX00[12]$/;
	is(join(' ', grep { !/$allowed/ } @states),
		'', "$name: no other error than damage")
	  or diag($stderr);
	unlike($stderr, qr/VACUUM.*(\n.*)*ERROR/, "$name: VACUUM ends normally");

	sql("REINDEX INDEX $index");
	check_index($node, $index, "$name: REINDEX heals");
}

# A node can become an entry twice: as the successor of one that VACUUM frees, and
# by its own insert.  The next VACUUM gives the second record to another node.
make_free_slots('exact');
look_at('exact');
put(in_entry(1, 0, 'L'), get(in_entry(0, 0, 'L')));
put(in_entry(1, 4, 'L'), get(in_entry(0, 4, 'L')));
like(index_violations($node, $index), qr/^V1\|/m, 'two entries of one node');
sql('DELETE FROM exact WHERE id = 9');
sql('VACUUM exact');
is(index_violations($node, $index), '', 'one of them is given to another node');

unlike(slurp_file($node->logfile), qr/terminated by signal|TRAP:/,
	'no process was lost');

$node->stop;
done_testing();
