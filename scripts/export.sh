#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Write the branch that `make tree` made back as the series: the same commits
# give the same bytes everywhere.  The cover letter is left alone.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/git.sh
. "$TOP/scripts/git.sh"

take_lock
[ -d "$tree" ] || die "there is no $(shown "$tree") to export; 'make tree' makes it."
is_clean || die "$(shown "$tree") has changes that are not committed; commit or stash them first."
[ "$(series_hash)" = "$(sed 's/ rejects//' "$tree/.git/lab-series")" ] ||
	die "$(shown "$SERIES") was changed since 'make tree', an export would lose that; run 'make tree' first."

new=$OUT/export
rm -rf "$new"
mkdir -p "$new"
# No commit hash, no git version, no series number and no similarity guess: none
# of them is the patch's own.
git -C "$tree" format-patch -q --zero-commit --no-signature --full-index \
	--no-numbered --no-renames --diff-algorithm=myers -o "$new" base..HEAD
[ -n "$(ls "$new")" ] || die "the branch in $(shown "$tree") has no commit to export."

# The series file's own first lines stay, they are for people.
{
	sed -n '/^#/p' "$SERIES/series"
	(cd "$new" && ls)
} >"$OUT/export.series"
for file in "$SERIES"/[0-9]*.patch; do
	case ${file##*/} in
	0000-*) ;;
	*) [ -e "$new/${file##*/}" ] || rm "$file" ;;
	esac
done
for file in "$new"/*.patch; do
	cmp -s "$file" "$SERIES/${file##*/}" || {
		cp "$file" "$SERIES/"
		say "wrote $(shown "$SERIES")/${file##*/}"
	}
done
cmp -s "$OUT/export.series" "$SERIES/series" || cp "$OUT/export.series" "$SERIES/series"
remember
say "$(shown "$SERIES") is what the branch is"
