#!/bin/sh
#
# layers.sh -- the layer table of src/README.md as data, and a few rules like it.
#
# Usage: test/lint/layers.sh [-v] [TREE]
#
# Prints each violation as file:line: text, and fails if there is one; silent
# otherwise.  With -v prints one line per rule besides, "ok" or "not ok".
# test/lint/selftest.sh proves that each rule can fail.
set -eu

export LC_ALL=C

verbose=
[ "${1-}" = -v ] && { verbose=1; shift; }
cd "${1:-$(dirname "$0")/../..}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
bad=0

# ---------------------------------------------------------------------------
# Facts: every include as "file:line:header", every line of code without its
# comments as "file:line:code", the names of all source files.

find src -name '*.[ch]' | sort > "$work/files"
[ -s "$work/files" ] || { echo "no source files under $(pwd)/src"; exit 1; }
xargs grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]' < "$work/files" |
	sed -E 's/^([^:]*:[0-9]+):[[:space:]]*#[[:space:]]*include[[:space:]]*(.*[">]).*/\1:\2/' \
	> "$work/includes"
xargs perl -e '
	for my $f (@ARGV) {
		open my $fh, "<", $f or die "$f: $!";
		local $/;
		my $s = <$fh>;
		$s =~ s{(/\*.*?\*/)|("(?:\\.|[^"\\\n])*")}{
			defined $2 ? $2 : ($1 =~ tr/\n//cdr) || " "}gse;
		my $n = 0;
		print "$f:", ++$n, ":$_\n" for split /\n/, $s;
	}' < "$work/files" > "$work/code"
: > "$work/placed"

# rule NAME: report what stands in $work/hits under that name.
rule() {
	if [ -s "$work/hits" ]; then
		bad=1
		RULE=$1 awk '{ print $0 "\t[" ENVIRON["RULE"] "]" }' "$work/hits"
		[ -z "$verbose" ] || echo "not ok - $1"
	else
		[ -z "$verbose" ] || echo "ok - $1"
	fi
}

# of FILES...: those lines of standard input that begin with one of the files.
# Each pattern must name a file that exists: a row without files says nothing.
of() {
	: > "$work/names"
	for pattern in "$@"; do
		found=
		for f in $pattern; do
			[ -f "$f" ] && { echo "$f:" >> "$work/names"; found=1; }
		done
		[ -n "$found" ] ||
			echo "test/lint/layers.sh:1: no file is named $pattern" >> "$work/hits"
	done
	awk -v names="$work/names" '
		BEGIN { while ((getline n < names) > 0) is[n] = 1 }
		{ i = index($0, ":"); if (substr($0, 1, i) in is) print }'
}

# own NAME FILES HEADERS: of our own headers (a folder of src in front, or
# compat.h) these files include only those that match.
own() {
	: > "$work/hits"
	of $2 < "$work/includes" > "$work/lines"
	sed 's/:$//' "$work/names" >> "$work/placed"
	grep -E ':[0-9]+:"((kernel|quant|type|func|hnsw|planner)/|compat\.h)' "$work/lines" |
		grep -vE ":\"($3)\"\$" >> "$work/hits" || true
	rule "$1"
}

# only NAME FILES HEADERS: these files include nothing else at all.
only() {
	: > "$work/hits"
	of $2 < "$work/includes" > "$work/lines"
	sed 's/:$//' "$work/names" >> "$work/placed"
	grep -vE ":[\"<]($3)[\">]\$" "$work/lines" >> "$work/hits" || true
	rule "$1"
}

# never NAME FILES HEADERS: no include in these files begins like that.
never() {
	: > "$work/hits"
	of $2 < "$work/includes" > "$work/lines"
	grep -E ":[0-9]+:[\"<]($3)" "$work/lines" >> "$work/hits" || true
	rule "$1"
}

# alone NAME FILES WORDS: these words occur in the code of these files only.
alone() {
	: > "$work/hits"
	of $2 < "$work/code" > "$work/lines"
	grep -E ":[0-9]+:.*\b($3)\b" "$work/code" | grep -vxFf "$work/lines" >> "$work/hits" || true
	rule "$1"
}

# without NAME FILES WORDS: these words do not occur in the code of these files.
without() {
	: > "$work/hits"
	of $2 < "$work/code" > "$work/lines"
	grep -E ":[0-9]+:.*\b($3)\b" "$work/lines" >> "$work/hits" || true
	rule "$1"
}

# ---------------------------------------------------------------------------
# The table.  Layers from bottom to top; each row has a name, its files, and what
# they may see of ours (own, only) or not of the server's (never).

std='assert|ctype|errno|float|limits|math|stdbool|stddef|stdint|stdio|stdlib|string'
isa='cpuid|immintrin|arm_neon|sys/auxv|asm/hwcap'
h=src/hnsw/hnsw

# 0: plain C
only  'kernel/ is plain C' 'src/kernel/*.[ch]' "($std|$isa)\.h|kernel/kernel[a-z0-9_]*\.h"
only  'quant/ is plain C over kernel/' 'src/quant/*.[ch]' \
	"($std)\.h|kernel/kernel\.h|quant/.*"

# 1: types
own   'type/ sees kernel/ only' 'src/type/*.[ch]' 'kernel/kernel\.h|type/.*|compat\.h'
only  'type/parse is plain C' 'src/type/parse.[ch]' "($std)\.h|type/parse\.h"
own   'compat.h sees nothing of ours' 'src/compat.h' 'none'

# What is below a layer, as names of hnsw headers.
below3='page|nodeset|space|graph|link'
below4="$below3|store|meta|search|near|select|rows"
below5="$below4|memgraph|bulk|diskgraph|diskwrite|grow|repair|write|sweep"
low='type/metric\.h|quant/.*|kernel/kernel\.h|compat\.h'

# 2: bytes of a page; a set of node numbers; the code space of an index; the
# abstract graph; decisions on the bytes of a node's edges
only  'hnswpage knows bytes, no buffers, no codes' "${h}page.[ch]" \
	"($std)\.h|postgres\.h|storage/(bufpage|itemptr|block)\.h|hnsw/hnswpage\.h|compat\.h"
own   'hnswnodeset sees hnswpage' "${h}nodeset.h" 'hnsw/hnswpage\.h'
never 'hnswnodeset knows no storage' "${h}nodeset.h" 'storage/|access/|utils/rel'
code="${h}space.[ch] ${h}code.h ${h}form.c ${h}measure.c ${h}estimate.c"
own   'hnswspace joins page, codes and metric' "$code" "hnsw/hnsw(page|space|code)\.h|$low"
never 'hnswspace knows no buffers, no relations' "$code" \
	'storage/(buf|lock|lmgr|lwlock)|access/|utils/rel|catalog/'
own   'hnswgraph.h is an idea' "${h}graph.h" 'hnsw/hnsw(space|nodeset)\.h'
never 'hnswgraph.h knows no storage' "${h}graph.h" 'storage/|access/|utils/rel'
own   'hnswlink sees page, space and graph' "${h}link.[ch]" \
	"hnsw/hnsw($below3)\.h|compat\.h"
never 'hnswlink knows no buffers' "${h}link.[ch]" \
	'storage/(buf|lock|lmgr|lwlock)|access/|utils/rel'

# 3: store and metapage; search and selection
own   'hnswstore sees hnswpage' "${h}store.[ch]" 'hnsw/hnsw(store|page)?\.h|compat\.h'
own   'hnswmeta sees store, space, page and quant/' "${h}meta.[ch] ${h}append.c" \
	"hnsw/hnsw(meta|store|space|page)?\.h|$low"
own   'hnswsearch sees hnswgraph and hnswlink' "${h}search.[ch]" \
	'hnsw/hnsw(graph|search|link|nodeset)\.h|compat\.h'
own   'hnswnear sees hnswgraph and hnswlink' "${h}near.[ch]" \
	'hnsw/hnsw(graph|near|link)\.h|compat\.h'
own   'hnswselect sees hnswgraph and hnswlink' "${h}select.[ch]" \
	'hnsw/hnsw(graph|select|link)\.h|compat\.h'
own   'hnswrows sees hnswgraph and hnsw.h' "${h}rows.[ch]" 'hnsw/hnsw(graph|rows)?\.h'
never 'the algorithm knows no storage' "${h}search.[ch] ${h}near.[ch] ${h}select.[ch] ${h}rows.[ch]" \
	'storage/|access/|utils/rel'

# 4: the two graphs, which do not know each other; over the one on pages, what
# insert and vacuum do to it; over the one in memory, the pages of a build; over
# both, the linking of a batch
own   'hnswmemgraph knows neither disk nor layer 5' "${h}memgraph.[ch]" \
	"hnsw/hnsw(memgraph|$below3|near|select)?\.h|$low"
own   'hnswpanel sees hnswspace' "${h}panel.[ch]" "hnsw/hnsw(panel|space)\.h|$low"
own   'hnswcells and hnswbulk see both graphs and panel' \
	"${h}cells.[ch] ${h}cellset.h ${h}pagecells.c ${h}bulk.[ch]" \
	"hnsw/hnsw(memgraph|diskgraph|panel|cells|cellset|bulk|grow|$below3|select)?\.h|$low"
never 'hnswcells and hnswbulk know no buffers' \
	"${h}panel.[ch] ${h}cells.[ch] ${h}cellset.h ${h}pagecells.c ${h}bulk.[ch]" 'storage/(buf|lmgr)|access/|utils/rel'
own   'hnswdiskgraph knows neither memory nor layer 5' \
	"${h}diskgraph.[ch] ${h}diskwrite.[ch] ${h}diskedit.h ${h}diskprune.c" \
	"hnsw/hnsw(diskgraph|diskwrite|diskedit|$below4)?\.h|$low"
own   'hnswgrow, hnswrepair, hnswreach see the graph on pages, not memory' \
	"${h}grow.[ch] ${h}repair.[ch] ${h}reach.c" \
	"hnsw/hnsw(grow|repair|diskgraph|diskwrite|$below4)?\.h|compat\.h"
own   'hnswwrite sees memory and store, not the graph on pages' "${h}write.[ch]" \
	"hnsw/hnsw(write|memgraph|$below4)?\.h|$low"

# 5: what the server calls; only the build knows of its workers
below="hnsw/hnsw($below5)?\.h|type/.*|$low"
own   'build and its workers see what is below' "${h}build.c ${h}parallel.[ch]" \
	"hnsw/hnswparallel\.h|$below"
own   'hnswsweep sees the graph on pages and rows' "${h}sweep.[ch]" \
	"hnsw/hnsw(sweep|diskgraph|$below4)?\.h|compat\.h"
own   'insert, scan, vacuum, cost see what is below' \
	"${h}insert.c ${h}scan.c ${h}range.c ${h}gaps.c ${h}vacuum.c ${h}cost.c" "$below"
own   'options see what is below, and ivfflat' "${h}options.c" "hnsw/ivfflat\.h|$below"

# ivfflat is made of what hnsw.h declares
own   'ivfflat sees hnsw.h' 'src/hnsw/ivfflat.[ch]' 'hnsw/(hnsw|ivfflat)\.h|type/sqlfunction\.h|compat\.h'

own   'planner/ sees hnsw.h, no pages, no graphs' 'src/planner/*.[ch]' \
	'planner/.*|type/.*|hnsw/hnsw\.h|compat\.h'

# SQL functions: over values, and over an index and its rows
own   'func/ over values sees types' \
	'src/func/bytes.c src/func/rankfusion.c src/func/nearest.c src/func/mmr.c src/func/maxsim.c' \
	'type/.*|kernel/kernel\.h|compat\.h'
own   'func/ over indexes sees what is below 5' \
	'src/func/indexread.[ch] src/func/levels.c src/func/duplicates.c src/func/recall.c' \
	"func/indexread\.h|$below"
without 'func/ changes nothing' 'src/func/*.[ch]' \
	'hnsw_edit_[a-z_]*|hnsw_store_(write|log|extend|record_free|get_free|vacuum_free)|hnsw_index_(append|add_entry|note_gaps)'

# beside: inspection and check, which change nothing and are included by nobody
own   'inspect and check see what is below 5' "${h}inspect.[ch] ${h}check.[ch] ${h}check*.c" \
	"hnsw/hnsw(check|inspect)\.h|$below"
without 'inspect and check change nothing' "${h}inspect.[ch] ${h}check.[ch] ${h}check*.c" \
	'hnsw_edit_[a-z_]*|hnsw_store_(write|log|extend|record_free|get_free|vacuum_free)|hnsw_index_(append|add_entry|note_gaps)'

# the names, limits and settings, which all of 3 to 6 may see; test points
own   'hnsw.h sees nothing of ours' 'src/hnsw/hnsw.h' 'none'
own   'hnswpoint sees hnsw.h' "${h}point.[ch]" 'hnsw/hnsw(point)?\.h|compat\.h'

# 6: the top
own   'handler and module.c may see everything' "${h}handler.c src/module.c" '.*'

# ---------------------------------------------------------------------------
# Rules over the whole source.

alone 'one file takes locks and writes WAL' "${h}store.c src/compat.h" \
	'Read(Recent)?Buffer[A-Za-z]*|compat_read_recent_buffer|(Unlock)?ReleaseBuffer|(Conditional)?LockBuffer[A-Za-z]*|MarkBufferDirty[A-Za-z]*|GenericXLog(Start|RegisterBuffer|Finish|Abort)|XLogInsert[A-Za-z]*|log_newpage[a-z_]*|ExtendBufferedRel[A-Za-z]*|smgr(extend|write|zeroextend)|(Conditional)?LockPage|UnlockPage'
alone 'bytes of a page have one home' "${h}page.[ch] ${h}store.c" \
	'PageGetContents|PageGetSpecialPointer|PageInit'
alone 'server versions have one home' 'src/compat.h' 'PG_VERSION_NUM'
alone 'the CPU is asked in one place' 'src/kernel/kernel.c' \
	'__builtin_cpu_supports|__builtin_cpu_init|__get_cpuid(_count)?|_xgetbv|getauxval'

# Includes are written from src/.
: > "$work/hits"
sed -E 's|.*/||' "$work/files" | grep '\.h$' | grep -vx 'compat\.h' | sed 's/\./\\./' |
	paste -sd '|' > "$work/basenames"
grep -E ":[0-9]+:\"(\.|($(cat "$work/basenames"))\")" "$work/includes" >> "$work/hits" || true
rule 'includes are written from src/'

: > "$work/hits"
sort -u "$work/placed" | comm -23 "$work/files" - | sed 's/$/:1: has no row in the table/' >> "$work/hits"
rule 'every file of src has a layer'

: > "$work/hits"
grep '\.c$' "$work/files" | while read -r f; do
	grep -qE "^[[:space:]]*${f%.c}\.o( |\$)" Makefile || echo "$f:1: is not in OBJS"
done >> "$work/hits"
rule 'every .c of src is in OBJS'

: > "$work/hits"
sh test/lint/typedefs.sh . | comm -23 - src/typedefs.list |
	sed 's|^|src/typedefs.list:1: lacks |; s|$| (make typedefs)|' >> "$work/hits"
rule 'src/typedefs.list names every type'

: > "$work/hits"
perl sql/update/generate --check . >> "$work/hits" 2>&1 || true
rule 'scripts from and to pgvector follow from vector--1.0.sql'

exit $bad
