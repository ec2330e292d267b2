#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The series for a Debian kernel source package: patches with DEP-3 headers and a quilt
# series, in $OUT/quilt.  Proved by quilt itself on Debian's source, which has all of
# Debian's patches applied.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

take_lock
"$TOP/scripts/steps/packages.sh"
"$TOP/scripts/steps/packages.sh" quilt
list=$(patches)
"$TOP/scripts/steps/source.sh"
"$TOP/scripts/steps/series.sh" apply

out=$OUT/quilt
rm -rf "$out"
mkdir -p "$out/patches" "$out/linux/debian/patches/gpc"
# The header of a mail is one of DEP-3, but for its first line and its date.  The lab
# sends nothing: whoever does says so in Forwarded.
for name in $list; do
	mkdir -p "$out/patches/$(dirname "$name")"
	date=$(date -u -d "$(sed -n '1,/^$/s/^Date: //p' "$SERIES/$name")" +%Y-%m-%d)
	sed -e '1{/^From [0-9a-f]* /d}' -e '1,/^$/{
		/^Date: /d
		/^$/i Origin: other, a series of its own\nForwarded: no\nLast-Update: '"$date"'
	}' "$SERIES/$name" >"$out/patches/$name"
done
echo "$list" | sed 's|^|gpc/|' >"$out/series"

# As in the source package, with the files that the series touches
tree=$out/linux
cp -r "$out/patches/." "$tree/debian/patches/gpc"
cp "$out/series" "$tree/debian/patches"
while read -r file; do
	[ ! -e "$OUT/src/$file" ] || (cd "$OUT/src" && cp --parents -p "$file" "$tree")
done <"$OUT/series.touched"
# The user's own ~/.quiltrc may want anything.
(cd "$tree" && QUILT_PATCHES=debian/patches quilt --quiltrc - push -a --fuzz=0) >"$LOGS/quilt" 2>&1 || {
	tail -n 5 "$LOGS/quilt"
	die "quilt does not apply the series to $(cat "$OUT/origin"); see $(shown "$LOGS/quilt")."
}
while read -r file; do
	[ ! -e "$OUT/series/$file" ] || cmp "$OUT/series/$file" "$tree/$file" ||
		die "quilt gives another $file than the series."
done <"$OUT/series.touched"
rm -rf "$tree"
say "$(echo "$list" | wc -l) patches apply to $(cat "$OUT/origin") with quilt, fuzz 0: copy $(shown "$out")/patches to" \
	"debian/patches/gpc and append $(shown "$out")/series to debian/patches/series"
