#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Build the tests that lab/tables/tests names, static, from the patched tree into
# $OUT/selftests: the same programs run on both kernels.  For `selftests.sh bisect` those
# that the tree bisect has, into $OUT/selftests.bisect.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

tree=${1:-patched}
out=$OUT/selftests
[ "$tree" = patched ] || out=$out.$tree
from=$OUT/$tree/$selftests
targets=
for name in $(tests); do
	if [ -f "$from/$selftests_x86/$name.c" ]; then
		targets="$targets $out/$selftests_x86/$name"
	elif [ -f "$from/$name.c" ]; then
		targets="$targets $out/$name"
	elif [ "$tree" = patched ]; then
		die "lab/tables/tests names $name, but the patched tree has no $selftests/$selftests_x86/$name.c; add it to the series or take the row out."
	fi
done

# What the tests are made of is below these; no other change of the series is theirs.
key=$({
	echo "$targets"
	cat "$OUT/origin"
	gcc --version
	grep -e ' ./tools/' -e '/include/uapi/' "$OUT/series.key" || :
} | sha256sum)
if [ "$key" = "$(cat "$out/.lab-built" 2>/dev/null)" ]; then
	say "the selftests are built"
	exit 0
fi
# From scratch each time: the selftests' Makefile knows nothing of headers.
rm -rf "$out"
mkdir -p "$out/bin"
step "preparing the headers" "$LOGS/headers" make -C "$OUT/$tree" -j"$(nproc)" CC="$CC" headers
# shellcheck disable=SC2086 # a list of words
step "building the selftests" "$LOGS/selftests" env LDFLAGS=-static \
	make -C "$from" -j"$(nproc)" CC="$CC" OUTPUT="$out" $targets
# shellcheck disable=SC2086
cp $targets "$out/bin/"
echo "$key" >"$out/.lab-built"
