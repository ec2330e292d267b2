#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Bring the series onto the pristine source:
#
#   series.sh apply	prove that each patch applies with fuzz 0; the files of the
#			series, patched, are then in $OUT/series
#   series.sh install TREE
#			bring $OUT/TREE to that state, touching only files whose
#			content differs, so that make rebuilds little

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

# put FILE FROM: make $OUT/$tree/FILE what FROM is; FROM may not exist.  The
# tree then has to be built again.
put()
{
	to=$OUT/$tree/$1
	if [ ! -e "$2" ]; then
		[ ! -e "$to" ] || rm -f "$to" "$OUT/$tree/.lab-built"
	elif ! cmp -s "$2" "$to"; then
		rm -f "$OUT/$tree/.lab-built"
		mkdir -p "${to%/*}"
		cp "$2" "$to.lab"
		mv "$to.lab" "$to"
	fi
}

# why_not: file and hunk of each reject from the words of patch(1), or its last
# words if it never came to a hunk
why_not()
{
	awk '/^patching file/ { file = $3 }
	     /^Hunk .* FAILED/ { sub(/ -- .*|\.$/, ""); print file ": " $0 }
	     /find file to patch/ { print "a file that it changes is not there" }
	     { last = $0 }
	     /^Hunk .* FAILED|find file to patch/ { found = 1 }
	     END { if (!found) print last }' | paste -sd ',' | sed 's/,/, /g'
}

# rejecting PATCH: whose topic that is, and which ones are good
rejecting()
{
	before=$(patches | sed "\|^$1\$|,\$d" | cut -d/ -f1 | uniq | grep -vxF "${1%%/*}" | paste -sd ' ')
	echo " the topic ${1%%/*} rejects${before:+, $(echo "$before" | sed 's/ / and /g') applied before it}"
}

apply()
{
	list=$(patches)
	rm -rf "$OUT/series"
	mkdir -p "$OUT/series"
	echo "$list" | touched >"$OUT/series.touched"
	while read -r file; do
		[ ! -e "$OUT/src/$file" ] ||
			(cd "$OUT/src" && cp --parents -p "$file" "$OUT/series")
	done <"$OUT/series.touched"
	n=0
	for name in $list; do
		patch -d "$OUT/series" -p1 --fuzz=0 --force --no-backup-if-mismatch \
			--reject-file=- <"$SERIES/$name" >"$OUT/series.out" 2>&1 ||
			die "$name does not apply to $(cat "$OUT/origin"):" \
				"$(why_not <"$OUT/series.out");" \
				"give another kernel or mend the patch;$(rejecting "$name")."
		n=$((n + 1))
	done
	(cd "$OUT/series" && find . -type f -exec sha256sum {} +) |
		sort >"$OUT/series.key"
	say "the series applies: $n patches, fuzz 0"
}

install_files()
{
	# What an earlier series touched goes back to pristine.  The list of all
	# that may differ is written first: an interrupted run is repeated whole.
	touch "$OUT/$tree/.lab-touched"
	sort -u "$OUT/series.touched" "$OUT/$tree/.lab-touched" \
		>"$OUT/$tree/.lab-touched.tmp"
	mv "$OUT/$tree/.lab-touched.tmp" "$OUT/$tree/.lab-touched"
	while read -r file; do
		if grep -qxF "$file" "$OUT/series.touched"; then
			put "$file" "$OUT/series/$file"
		else
			put "$file" "$OUT/src/$file"
		fi
	done <"$OUT/$tree/.lab-touched"
	cp "$OUT/series.touched" "$OUT/$tree/.lab-touched"
}

case $1 in
apply) apply ;;
install)
	tree=$2
	install_files
	;;
esac
