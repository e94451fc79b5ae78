#!/bin/sh
#
# shape.sh -- figures about the source; prints, judges nothing.
#
# Usage: test/lint/shape.sh [TREE]
#
# Per file: lines, share of comment lines, functions, the longest function and
# how many are longer than a screen of 60 lines, asserts.  Then the sums.
set -eu
export LC_ALL=C
cd "${1:-$(dirname "$0")/../..}"

find src -name '*.[ch]' | sort | xargs perl -e '
	my (%all, @long);
	printf "%-32s %6s %8s %6s %8s %6s %8s\n",
		qw(file lines comment funcs longest >60 asserts);
	for my $f (@ARGV) {
		open my $fh, "<", $f or die "$f: $!";
		my ($in, $comment, $asserts, $start, $name, @len) = (0, 0, 0, 0, "");
		my $last = "";
		while (<$fh>) {
			my $is = $in || m{^\s*/\*};
			$comment++ if $is;
			$in = 1 if m{/\*(?!.*\*/)};
			$in = 0 if m{\*/};
			next if $is;
			$asserts++ if /\b(Assert|StaticAssert\w*|assert)\s*\(/;
			$last = $1 if /^(\w+)\(/;
			$start = $. if /^\{/;
			if (/^\}\s*$/ && $start) {
				push @len, $. - $start + 1;
				push @long, sprintf("%s:%d %s, %d lines", $f, $start, $last, $len[-1])
					if $len[-1] > 60;
				$start = 0;
			}
		}
		my ($max, $over) = (0, 0);
		for (@len) { $max = $_ if $_ > $max; $over++ if $_ > 60; }
		my $pct = $. ? 100 * $comment / $. : 0;
		printf "%-32s %6d %7.0f%% %6d %8d %6d %8d\n",
			$f, $., $pct, scalar @len, $max, $over, $asserts;
		$all{lines} += $.; $all{comment} += $comment; $all{funcs} += @len;
		$all{over} += $over; $all{asserts} += $asserts;
		$all{max} = $max if $max > ($all{max} // 0);
		close $fh;
	}
	printf "%-32s %6d %7.0f%% %6d %8d %6d %8d\n", "all", $all{lines},
		100 * $all{comment} / ($all{lines} || 1),
		@all{qw(funcs max over asserts)};
	print "\n", map { "$_\n" } @long;'
