#!/bin/sh
#
# selftest.sh -- prove that every rule of layers.sh can fail.
#
# Usage: test/lint/selftest.sh [TREE]
#
# Plants one violation at a time in a copy of the tree and expects layers.sh to
# name that rule and to fail, and to call the rule "ok" without it.  A rule for
# which nothing is planted counts as failed.  Last line: "N passed, N failed".
set -eu
export LC_ALL=C
cd "${1:-$(dirname "$0")/../..}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0
failed=0

mkdir "$work/tree"
cp -R --parents src test/lint test/unit Makefile vector--1.0.sql sql/update "$work/tree"
sh test/lint/layers.sh -v "$work/tree" > "$work/before" || true
: > "$work/planted"

# verdict WHAT STATUS: count it.
verdict() {
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok - $1"
	fi
}

# judge RULE WHAT: layers.sh fails and names the rule, which was sound before.
judge() {
	echo "$1" >> "$work/planted"
	r=0
	if sh test/lint/layers.sh -v "$work/tree" > "$work/after"; then r=1; fi
	grep -qxF "not ok - $1" "$work/after" || r=1
	grep -qxF "ok - $1" "$work/before" || r=1
	verdict "$1: $2" $r
}

# plant RULE FILE LINE: append the line to the file of the copy, judge, restore.
plant() {
	f=$work/tree/$2
	[ ! -f "$f" ] || cp "$f" "$work/saved"
	printf '%s\n' "$3" >> "$f"
	judge "$1" "$2: $3"
	if [ -f "$work/saved" ]; then mv "$work/saved" "$f"; else rm "$f"; fi
}

# innocent FILE LINE: the line changes no verdict.
innocent() {
	f=$work/tree/$1
	cp "$f" "$work/saved"
	printf '%s\n' "$2" >> "$f"
	sh test/lint/layers.sh -v "$work/tree" > "$work/after" || true
	r=0
	cmp -s "$work/before" "$work/after" || r=1
	verdict "wrongly refused: $1: $2" $r
	mv "$work/saved" "$f"
}

h=src/hnsw/hnsw
plant 'kernel/ is plain C' src/kernel/kernel.c '#include "postgres.h"'
plant 'kernel/ is plain C' src/kernel/kernel.c '#include "quant/quant_own.h"'
plant 'quant/ is plain C over kernel/' src/quant/quant_own.h '#include "postgres.h"'
plant 'quant/ is plain C over kernel/' src/quant/quant_own.c '#include "type/metric.h"'
plant 'type/ sees kernel/ only' src/type/metric.h '#include "hnsw/hnsw.h"'
plant 'type/ sees kernel/ only' src/type/metric.h '#  include "quant/quant_own.h"'
plant 'type/parse is plain C' src/type/parse.c '#include "postgres.h"'
plant 'compat.h sees nothing of ours' src/compat.h '#include "type/vector.h"'
plant 'hnswpage knows bytes, no buffers, no codes' ${h}page.c '#include "storage/bufmgr.h"'
plant 'hnswpage knows bytes, no buffers, no codes' ${h}page.h '#include "quant/quant_own.h"'
plant 'hnswspace joins page, codes and metric' ${h}space.c '#include "hnsw/hnswstore.h"'
plant 'hnswspace joins page, codes and metric' ${h}estimate.c '#include "hnsw/hnswgraph.h"'
plant 'hnswspace knows no buffers, no relations' ${h}measure.c '#include "storage/bufmgr.h"'
plant 'hnswspace knows no buffers, no relations' ${h}space.h '#include "storage/bufmgr.h"'
plant 'hnswgraph.h is an idea' ${h}graph.h '#include "hnsw/hnswstore.h"'
plant 'hnswgraph.h knows no storage' ${h}graph.h '#include "storage/bufpage.h"'
plant 'hnswlink sees page, space and graph' ${h}link.h '#include "hnsw/hnswmeta.h"'
plant 'hnswlink knows no buffers' ${h}link.c '#include "storage/bufmgr.h"'
plant 'hnswstore sees hnswpage' ${h}store.c '#include "hnsw/hnswgraph.h"'
plant 'hnswmeta sees store, space, page and quant/' ${h}meta.c '#include "hnsw/hnswsearch.h"'
plant 'hnswsearch sees hnswgraph and hnswlink' ${h}search.c '#include "hnsw/hnswpage.h"'
plant 'hnswselect sees hnswgraph and hnswlink' ${h}select.c '#include "hnsw/hnswstore.h"'
plant 'the algorithm knows no storage' ${h}search.c '#include "access/relscan.h"'
plant 'hnswmemgraph knows neither disk nor layer 5' ${h}memgraph.c '#include "hnsw/hnswdiskgraph.h"'
plant 'hnswmemgraph knows neither disk nor layer 5' ${h}memgraph.c '#include "hnsw/hnswparallel.h"'
plant 'hnswpanel sees hnswspace' ${h}panel.c '#include "hnsw/hnswgraph.h"'
plant 'hnswcells and hnswbulk see both graphs and panel' ${h}cells.c '#include "hnsw/hnswparallel.h"'
plant 'hnswcells and hnswbulk know no buffers' ${h}bulk.c '#include "storage/bufmgr.h"'
plant 'hnswdiskgraph knows neither memory nor layer 5' ${h}diskgraph.c '#include "hnsw/hnswmemgraph.h"'
plant 'hnswnodeset sees hnswpage' ${h}nodeset.h '#include "hnsw/hnswgraph.h"'
plant 'hnswnodeset knows no storage' ${h}nodeset.h '#include "storage/bufmgr.h"'
plant 'hnswgrow, hnswrepair, hnswreach see the graph on pages, not memory' ${h}repair.c '#include "hnsw/hnswmemgraph.h"'
plant 'hnswwrite sees memory and store, not the graph on pages' ${h}write.c '#include "hnsw/hnswdiskgraph.h"'
plant 'build and its workers see what is below' ${h}build.c '#include "hnsw/hnswcheck.h"'
plant 'hnswsweep sees the graph on pages and rows' ${h}sweep.h '#include "hnsw/hnswmemgraph.h"'
plant 'insert, scan, vacuum, cost see what is below' ${h}scan.c '#include "hnsw/hnswparallel.h"'
plant 'hnswnear sees hnswgraph and hnswlink' ${h}near.c '#include "hnsw/hnswstore.h"'
plant 'hnswrows sees hnswgraph and hnsw.h' ${h}rows.c '#include "hnsw/hnswstore.h"'
plant 'planner/ sees hnsw.h, no pages, no graphs' src/planner/adaptivescan.c '#include "hnsw/hnswpage.h"'
plant 'options see what is below, and ivfflat' ${h}options.c '#include "hnsw/hnswparallel.h"'
plant 'ivfflat sees hnsw.h' src/hnsw/ivfflat.c '#include "hnsw/hnswmeta.h"'
plant 'func/ over values sees types' src/func/mmr.c '#include "hnsw/hnsw.h"'
plant 'func/ over indexes sees what is below 5' src/func/recall.c '#include "hnsw/hnswinspect.h"'
plant 'func/ over indexes sees what is below 5' src/func/indexread.h '#include "planner/adaptive.h"'
plant 'func/ changes nothing' src/func/levels.c 'x = hnsw_edit_change(edit, 0);'
plant 'inspect and check see what is below 5' ${h}check.c '#include "hnsw/hnswparallel.h"'
plant 'inspect and check change nothing' ${h}checknode.c 'x = hnsw_edit_change(edit, 0);'
plant 'hnsw.h sees nothing of ours' ${h}.h '#include "hnsw/hnswpage.h"'
plant 'hnswpoint sees hnsw.h' ${h}point.c '#include "hnsw/hnswstore.h"'
plant 'one file takes locks and writes WAL' ${h}scan.c 'LockBuffer(buf, BUFFER_LOCK_SHARE);'
plant 'one file takes locks and writes WAL' ${h}scan.c 'buf = ReadBufferExtended(index, MAIN_FORKNUM, 0, RBM_NORMAL, NULL);'
plant 'one file takes locks and writes WAL' src/module.c 'state = GenericXLogStart(index);'
plant 'one file takes locks and writes WAL' ${h}build.c 'log_newpage_range(index, MAIN_FORKNUM, 0, n, true);'
plant 'one file takes locks and writes WAL' ${h}vacuum.c 'if (ConditionalLockPage(index, 0, ExclusiveLock))'
plant 'one file takes locks and writes WAL' ${h}meta.c 'MarkBufferDirty(buf);'
plant 'bytes of a page have one home' ${h}scan.c 'p = PageGetContents(page);'
plant 'server versions have one home' ${h}build.c '#if PG_VERSION_NUM >= 160000'
plant 'the CPU is asked in one place' src/type/distance.c 'if (__builtin_cpu_supports("avx2"))'
plant 'includes are written from src/' ${h}scan.c '#include "hnswpage.h"'
plant 'includes are written from src/' src/type/cast.c '#include "../type/vector.h"'
plant 'every file of src has a layer' ${h}utils.h 'extern int x;'
plant 'every .c of src is in OBJS' src/type/drawer.c 'int x;'
plant 'scripts from and to pgvector follow from vector--1.0.sql' vector--1.0.sql \
	"COMMENT ON TYPE vector IS 'planted';"
plant 'src/typedefs.list names every type' src/type/metric.h 'typedef struct Planted { int a; } Planted;'

# A row whose file is gone.
mv "$work/tree/${h}handler.c" "$work/saved"
judge 'handler and module.c may see everything' "${h}handler.c is missing"
mv "$work/saved" "$work/tree/${h}handler.c"

# Comments and names that merely contain a word are no violations.
innocent ${h}scan.c '/* LockBuffer() is for hnswstore.c */'
innocent ${h}scan.c '	hnsw_LockBuffers_later();'
innocent ${h}store.c '	LockBuffer(buf, BUFFER_LOCK_SHARE);'
innocent ${h}build.c '#include "hnsw/hnswparallel.h"'

# No rule without a planted violation.
sed -n 's/^\(not \)\{0,1\}ok - //p' "$work/before" | sort -u > "$work/rules"
[ -s "$work/rules" ] || { echo "layers.sh -v names no rule"; failed=$((failed + 1)); }
sort -u "$work/planted" | comm -23 "$work/rules" - > "$work/unproven"
while read -r rule; do
	failed=$((failed + 1))
	echo "not ok - nothing is planted for: $rule"
done < "$work/unproven"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
