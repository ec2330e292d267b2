#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Write the branch that `make tree` made back as the series: the same commits
# give the same bytes everywhere.  The cover letter is left alone.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/git.sh
. "$TOP/scripts/lib/git.sh"

take_lock
[ -d "$tree" ] || die "there is no $(shown "$tree") to export; 'make tree' makes it."
is_clean || die "$(shown "$tree") has changes that are not committed; commit or stash them first."
[ "$(series_hash)" = "$(sed 's/ rejects//' "$tree/.git/lab-series")" ] ||
	die "$(shown "$SERIES") was changed since 'make tree', an export would lose that; run 'make tree' first."

# The topics that the series has, in its order, and then those that are new
known=$(topics)
list=$known
for topic in $(git -C "$tree" for-each-ref --format='%(refname:lstrip=3)' refs/heads/topic/ |
	while read -r name; do
		echo "$(git -C "$tree" rev-list --count "base..topic/$name") $name"
	done | sort -n | cut -d' ' -f2); do
	echo "$known" | grep -qxF -- "$topic" || list="$list $topic"
done
for final in $list; do :; done
# end_of TOPIC: its last commit; what is on top of all belongs to the last topic
end_of()
{
	if [ "$1" = "$final" ]; then
		echo HEAD
	else
		echo "topic/$1"
	fi
}

# Each topic stands on the one before it, else a commit would be lost or change its topic.
before=base
for topic in $list; do
	branch=topic/$topic
	mend="set each branch topic/NAME to its topic's last commit: git branch -f topic/NAME COMMIT."
	git -C "$tree" rev-parse -q --verify "refs/heads/$branch" >/dev/null ||
		die "$(shown "$tree") has no branch $branch for the series' topic $topic; $mend"
	git -C "$tree" merge-base --is-ancestor "$before" "$branch" ||
		die "the topics in $(shown "$tree") are not stacked, $branch is not on top of $before; $mend"
	git -C "$tree" merge-base --is-ancestor "$branch" HEAD ||
		die "the topics in $(shown "$tree") are not stacked, $branch is not below what is checked out; $mend"
	[ "$(git -C "$tree" rev-parse "$before")" != "$(git -C "$tree" rev-parse "$(end_of "$topic")")" ] ||
		die "the topic $topic in $(shown "$tree") has no commit; $mend"
	before=$branch
done

new=$OUT/export
rm -rf "$new"
mkdir -p "$new"
before=base
for topic in $list; do
	# No commit hash, no git version, no series number and no similarity guess: none
	# of them is the patch's own.
	git -C "$tree" format-patch -q --zero-commit --no-signature --full-index \
		--no-numbered --no-renames --diff-algorithm=myers -o "$new/$topic" "$before..$(end_of "$topic")"
	(cd "$new" && printf '%s\n' "$topic"/*) >>"$new/series"
	before=topic/$topic
done

# The series file's own first lines stay, they are for people.
{
	sed -n '/^#/p' "$SERIES/series"
	cat "$new/series"
} >"$OUT/export.series"
for file in $(cd "$SERIES" && find . -path './*/[0-9]*.patch' ! -name '0000-*' -printf '%P\n'); do
	[ -e "$new/$file" ] || rm "$SERIES/$file"
done
while read -r file; do
	cmp -s "$new/$file" "$SERIES/$file" || {
		mkdir -p "$SERIES/${file%/*}"
		cp "$new/$file" "$SERIES/$file"
		say "wrote $(shown "$SERIES")/$file"
	}
done <"$new/series"
cmp -s "$OUT/export.series" "$SERIES/series" || cp "$OUT/export.series" "$SERIES/series"
git -C "$tree" update-ref "refs/heads/$before" HEAD
remember
say "$(shown "$SERIES") is what the branch is"
