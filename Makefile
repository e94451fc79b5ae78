# Makefile of the extension "vector".  `make help` lists the targets.
#
# Variables a developer may set on the command line:
#	PG_CONFIG=...	the server to build for (default: the first in PATH)
#	WERROR=1	more warnings, each of them an error
#	ASSERTS=1	with assertions, also on a server without
#	TEST_POINTS=1	with the test points of src/hnsw (never for production)

MODULE_big = vector
EXTENSION  = vector
DATA       = vector--1.0.sql $(SCRIPTS)

# From and to pgvector; written from vector--1.0.sql by "make scripts".
PGVECTOR_VERSIONS = 0.5.0 0.5.1 0.6.0 0.6.1 0.6.2 \
	0.7.0 0.7.1 0.7.2 0.7.3 0.7.4 \
	0.8.0 0.8.1 0.8.2 0.8.3 0.8.4 0.8.5 0.8.6
SCRIPTS = \
	sql/update/vector--0.8.6.sql \
	sql/update/vector--1.0--0.8.6.sql \
	$(PGVECTOR_VERSIONS:%=sql/update/vector--%--1.0.sql)

# Where this file is: differs from the current directory in a VPATH build.
HERE := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))

# Plain C, no server needed: what the unit tests are linked with.
OBJS_PLAIN = \
	src/kernel/kernel.o \
	src/kernel/kernel_scalar.o \
	src/kernel/kernel_avx2.o \
	src/kernel/kernel_avx2_code.o \
	src/kernel/kernel_avx2_panel.o \
	src/kernel/kernel_avx2_rows.o \
	src/kernel/kernel_avx512.o \
	src/kernel/kernel_avx512_code.o \
	src/kernel/kernel_avx512_panel.o \
	src/kernel/kernel_avx512_rows.o \
	src/kernel/kernel_neon.o \
	src/kernel/kernel_neon_panel.o \
	src/quant/quant_rotate.o \
	src/quant/quant_own.o \
	src/quant/quant_edge.o \
	src/quant/quant_query.o \
	src/type/parse.o

OBJS = \
	$(OBJS_PLAIN) \
	src/type/check.o \
	src/type/listtext.o \
	src/type/vector.o \
	src/type/halfvec.o \
	src/type/arith.o \
	src/type/argument.o \
	src/type/distance.o \
	src/type/sparsecheck.o \
	src/type/sparsevec.o \
	src/type/sparsemath.o \
	src/type/bitvec.o \
	src/type/cast.o \
	src/type/aggregate.o \
	src/type/panel.o \
	src/type/metric.o \
	src/hnsw/hnswpage.o \
	src/hnsw/hnswspace.o \
	src/hnsw/hnswform.o \
	src/hnsw/hnswmeasure.o \
	src/hnsw/hnswestimate.o \
	src/hnsw/hnswlink.o \
	src/hnsw/hnswstore.o \
	src/hnsw/hnswmeta.o \
	src/hnsw/hnswappend.o \
	src/hnsw/hnswsearch.o \
	src/hnsw/hnswnear.o \
	src/hnsw/hnswselect.o \
	src/hnsw/hnswmemgraph.o \
	src/hnsw/hnswpanel.o \
	src/hnsw/hnswcells.o \
	src/hnsw/hnswpagecells.o \
	src/hnsw/hnswbulk.o \
	src/hnsw/hnswdiskgraph.o \
	src/hnsw/hnswdiskwrite.o \
	src/hnsw/hnswdiskprune.o \
	src/hnsw/hnswgrow.o \
	src/hnsw/hnswrepair.o \
	src/hnsw/hnswreach.o \
	src/hnsw/hnswwrite.o \
	src/hnsw/hnswparallel.o \
	src/hnsw/hnswbuild.o \
	src/hnsw/hnswinsert.o \
	src/hnsw/hnswscan.o \
	src/hnsw/hnswvacuum.o \
	src/hnsw/hnswcost.o \
	src/hnsw/hnswoptions.o \
	src/hnsw/hnswhandler.o \
	src/hnsw/ivfflat.o \
	src/hnsw/hnswinspect.o \
	src/hnsw/hnswcheck.o \
	src/hnsw/hnswcheckpage.o \
	src/hnsw/hnswcheckcode.o \
	src/hnsw/hnswchecknode.o \
	src/hnsw/hnswcheckreach.o \
	src/hnsw/hnswcheckheap.o \
	src/hnsw/hnswpoint.o \
	src/hnsw/hnswrows.o \
	src/hnsw/hnswsweep.o \
	src/hnsw/hnswrange.o \
	src/hnsw/hnswgaps.o \
	src/planner/adaptivepath.o \
	src/planner/adaptivescan.o \
	src/planner/rowsort.o \
	src/planner/rowtid.o \
	src/planner/adaptivestep.o \
	src/planner/adaptiveexact.o \
	src/planner/sortdistance.o \
	src/planner/tidmembers.o \
	src/planner/distancecost.o \
	src/planner/distanceexpr.o \
	src/planner/similarity.o \
	src/planner/rangepath.o \
	src/planner/rangescan.o \
	src/func/bytes.o \
	src/func/rankfusion.o \
	src/func/nearest.o \
	src/func/mmr.o \
	src/func/maxsim.o \
	src/func/indexread.o \
	src/func/levels.o \
	src/func/duplicates.o \
	src/func/recall.o \
	src/module.o

# For dependent extensions: $(includedir_server)/extension/vector/
HEADERS_vector = src/type/vector.h src/type/halfvec.h src/type/sparsevec.h

# Exactly the functions marked PGDLLEXPORT are visible.  Servers before 16
# leave that macro empty, hence its definition here.
PG_CPPFLAGS = -I$(srcdir)/src \
	-DPGDLLEXPORT='__attribute__((visibility("default")))'
PG_CFLAGS   = -fvisibility=hidden

WARNINGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	-Wdeclaration-after-statement
ifeq ($(WERROR),1)
PG_CFLAGS += $(WARNINGS) -Werror
endif
ifeq ($(ASSERTS),1)
PG_CPPFLAGS += -DUSE_ASSERT_CHECKING
endif
ifeq ($(TEST_POINTS),1)
PG_CPPFLAGS += -DHNSW_TEST_POINTS
export VECTOR_TEST_POINTS = 1
endif

# Specs that stop at a test point need a build that has them.
SPECS := $(sort $(wildcard $(HERE)/test/isolation/specs/*.spec))
ifneq ($(TEST_POINTS),1)
SPECS := $(if $(SPECS),$(shell grep -L 'hnsw\.test_point' $(SPECS)))
endif

REGRESS        = $(patsubst %.sql,%,$(notdir $(sort $(wildcard $(HERE)/sql/*.sql))))
REGRESS_OPTS   = --load-extension=vector
ISOLATION      = $(patsubst %.spec,%,$(notdir $(SPECS)))
ISOLATION_OPTS = --inputdir=$(HERE)/test/isolation --load-extension=vector
TAP_TESTS      = 1
PROVE_TESTS    = test/t/*.pl
PROVE_FLAGS    = -I test/perl

UNIT_TESTS := $(patsubst %.c,%,$(notdir $(sort $(wildcard $(HERE)/test/unit/*_test.c))))
UNIT_PROGS  = $(addprefix build/unit/,$(UNIT_TESTS))

DEPFILES    = $(OBJS:.o=.d) $(addsuffix .d,$(UNIT_PROGS)) \
	$(wildcard build/fuzz/*/*/*.d)
EXTRA_CLEAN = $(OBJS:.o=.d) build/unit build/fuzz build/bench build/flags

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Flags of the server's own compiler, gcc, that clang does not know; nor does it
# know the format attribute of the server's headers.
ifneq (,$(findstring clang,$(CC)))
override CFLAGS := $(filter-out -flto=% -ffat-lto-objects \
	-fexcess-precision=% -Wimplicit-fallthrough=% -Wshadow=compatible-local \
	-Wno-format-truncation -Wno-stringop-truncation,$(CFLAGS)) \
	-Wno-ignored-attributes
endif

# The scalar kernels and the codes are definitions: the same sums, rounded the
# same way, on every machine and in the bitcode.
src/kernel/kernel_scalar.o: override CFLAGS += -fno-tree-vectorize
src/kernel/kernel_scalar.bc: override BITCODE_CFLAGS += -fno-vectorize -fno-slp-vectorize
EXACT = src/kernel/kernel_scalar.o $(filter src/quant/%,$(OBJS))
$(EXACT): override CFLAGS += -ffp-contract=off
$(EXACT:.o=.bc): override BITCODE_CFLAGS += -ffp-contract=off

# Loops over elements without a kernel of their own: worth vector instructions.
src/type/check.o src/type/vector.o src/type/halfvec.o: override CFLAGS += -O3

# Each object depends on the headers it was compiled with, and on the choice of
# compiler and variables, so that a change of either rebuilds it.
%.o: %.c
	@$(MKDIR_P) $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -MT $@ -MT $(@:.o=.bc) -c -o $@ $<

FLAGS := $(CC) $(PG_CONFIG) $(WERROR)/$(ASSERTS)/$(TEST_POINTS)
ifneq (,$(filter-out clean lint help indent typedefs scripts shape,$(or $(MAKECMDGOALS),all)))
$(shell mkdir -p build $(sort $(dir $(OBJS))); \
	echo '$(FLAGS)' | cmp -s - build/flags || echo '$(FLAGS)' > build/flags)
endif
$(OBJS) $(OBJS:.o=.bc): build/flags

-include $(wildcard $(DEPFILES))

# Kernel and codec tests: plain C programs, linked with what the server gets.
build/unit/%_test: test/unit/%_test.c $(OBJS_PLAIN)
	@$(MKDIR_P) $(@D)
	$(CC) $(CFLAGS) -I$(srcdir)/src -I$(srcdir)/test/unit -MMD -MP -MT $@ \
		-MF $@.d -o $@ $< $(OBJS_PLAIN) -lm

# The types without a server, under sanitizers: one program for gcc, which runs
# the corpus, and one for clang with libFuzzer (test/fuzz/run).
FUZZED = $(filter-out src/kernel/kernel_neon.o src/quant/%,$(OBJS_PLAIN)) \
	$(filter-out src/type/parse.o src/type/metric.o,$(filter src/type/%,$(OBJS))) \
	src/func/bytes.o test/fuzz/backend.o test/fuzz/targets.o
FUZZ_LIBS = -L$(shell $(PG_CONFIG) --pkglibdir) -L$(shell $(PG_CONFIG) --libdir) \
	-lpgcommon -lpgport -lm
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
ifneq (,$(findstring clang,$(CC)))
SANITIZE += -fsanitize=fuzzer-no-link
# clang 14 crashes when it adds its checks to these kernels
build/fuzz/src/kernel/kernel_avx512_panel.o: SANITIZE = -fsanitize=fuzzer-no-link
endif

build/fuzz/%.o: %.c build/flags
	@$(MKDIR_P) $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -I$(srcdir)/test/fuzz $(CPPFLAGS) -MMD -MP \
		-c -o $@ $<

build/fuzz/replay: $(addprefix build/fuzz/,$(FUZZED) test/fuzz/replay.o)
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(FUZZ_LIBS)

build/fuzz/fuzzer: $(addprefix build/fuzz/,$(FUZZED) test/fuzz/fuzzer.o)
	$(CC) $(CFLAGS) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ $(FUZZ_LIBS)

# The same types as the server gets them, for their micro-benchmark.
build/bench/forms: bench/forms.c test/fuzz/backend.c \
		$(filter-out test/fuzz/%,$(FUZZED))
	@$(MKDIR_P) $(@D)
	$(CC) $(CFLAGS) -I$(srcdir)/test/fuzz $(CPPFLAGS) -o $@ $^ $(FUZZ_LIBS)

.PHONY: unit unit-programs lint scripts shape indent typedefs bench help

unit-programs: $(UNIT_PROGS)

unit: unit-programs
	@failed=; for t in $(UNIT_PROGS); do \
		echo "# $${t##*/}"; $$t || failed="$$failed $${t##*/}"; \
	done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

lint:
	@sh $(srcdir)/test/lint/layers.sh $(srcdir)

scripts:
	perl $(srcdir)/sql/update/generate $(srcdir)

shape:
	@sh $(srcdir)/test/lint/shape.sh $(srcdir)

typedefs:
	sh $(srcdir)/test/lint/typedefs.sh $(srcdir) > typedefs.tmp
	mv typedefs.tmp $(srcdir)/src/typedefs.list

indent:
	@command -v pg_bsd_indent >/dev/null || \
		{ echo "make indent needs pg_bsd_indent, which is not installed"; exit 1; }
	@find $(srcdir)/src $(srcdir)/test/unit -name '*.[ch]' | sort | while read f; do \
		pg_bsd_indent -bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 \
			-nfc1 -i4 -l79 -lp -lpl -nip -npro -sac -tpg -ts4 \
			-U$(srcdir)/src/typedefs.list "$$f" || exit 1; \
		rm -f "$${f##*/}.BAK"; \
	done

bench:
	$(srcdir)/bench/run

help:
	@echo 'make                build for the server of PG_CONFIG (default: the one in PATH)'
	@echo 'make install        install into that server'
	@echo 'make installcheck   regression, isolation and TAP tests against it; the first'
	@echo '                    two need it running.  test/run needs nothing: see test/README.md'
	@echo 'make unit           kernel and codec tests, no server'
	@echo 'make lint           layers, locks and WAL in their place; silent if all is well'
	@echo 'make scripts        write sql/update anew from vector--1.0.sql'
	@echo 'make shape          figures about the source; no verdict'
	@echo 'make indent         reformat with pg_bsd_indent'
	@echo 'make typedefs       write src/typedefs.list anew, for indent'
	@echo 'make bench          the benchmark (bench/README.md)'
	@echo 'make clean          remove what was built'
	@echo
	@echo 'Variables: PG_CONFIG=path CC=clang-14 WERROR=1 ASSERTS=1 TEST_POINTS=1'
