#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Build the tests that lab/tests names, static, from $OUT/patched or the patched tree
# that is given (selftests.sh [TREE]), into
# $OUT/selftests: the same programs run on both kernels.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

tree=$OUT/${1:-patched}
from=$tree/$selftests
targets=
for name in $(tests); do
	if [ -f "$from/$selftests_x86/$name.c" ]; then
		targets="$targets $OUT/selftests/$selftests_x86/$name"
	elif [ -f "$from/$name.c" ]; then
		targets="$targets $OUT/selftests/$name"
	else
		die "lab/tests names $name, but the patched tree has no $selftests/$selftests_x86/$name.c; add it to the series or take the row out."
	fi
done

# The headers that they see are of the source, no option of a kernel changes them.
key=$({ echo "$targets"; gcc --version; cat "$OUT/origin" "$OUT/series.key"; } | sha256sum)
if [ "$key" = "$(cat "$OUT/selftests/.lab-built" 2>/dev/null)" ]; then
	say "the selftests are built"
	exit 0
fi
# From scratch each time: the selftests' Makefile knows nothing of headers.
rm -rf "$OUT/selftests"
mkdir -p "$OUT/selftests/bin"
step "preparing the headers" "$LOGS/headers" make -C "$tree" -j"$(nproc)" CC="$CC" headers
# shellcheck disable=SC2086 # a list of words
step "building the selftests" "$LOGS/selftests" env LDFLAGS=-static \
	make -C "$from" -j"$(nproc)" CC="$CC" OUTPUT="$OUT/selftests" $targets
# shellcheck disable=SC2086
cp $targets "$OUT/selftests/bin/"
echo "$key" >"$OUT/selftests/.lab-built"
