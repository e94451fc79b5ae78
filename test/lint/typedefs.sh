#!/bin/sh
#
# typedefs.sh -- print the names of all types that our source defines, sorted.
#
# Usage: test/lint/typedefs.sh [TREE]
#
# Knows the forms that the source uses: "typedef struct X ...", a closing
# "} X;", "typedef old X;" and pointers to functions.
set -eu
export LC_ALL=C
cd "${1:-$(dirname "$0")/../..}"

find src test/unit -name '*.[ch]' | sort | xargs perl -0777 -ne '
	s{/\*.*?\*/}{ }gs;
	while (/\btypedef\b((?:[^;{}]|(\{(?:[^{}]|(?2))*\}))*);/g) {
		my $t = $1;
		$t =~ s/\{.*\}//s;
		if ($t =~ /\(\s*\*\s*(\w+)\s*\)\s*\(/ or $t =~ /(\w+)\s*(?:\[[^]]*\]\s*)?$/) {
			print "$1\n";
		}
	}' | sort -u
