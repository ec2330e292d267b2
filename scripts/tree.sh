#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The series as a git branch to edit, in $OUT/tree: the pristine source is the
# first commit (tag `base`), each patch one more.  A branch topic/NAME a topic tells
# where that ends; `git rebase -i base` moves them along.  The patches stay the source
# of truth; `make export` brings the branch back to them.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/git.sh
. "$TOP/scripts/lib/git.sh"

# create_base: the repository with the pristine source; 80000 files
create_base()
{
	mkdir "$tree.tmp"
	cp -a "$OUT/src/." "$tree.tmp"
	cd "$tree.tmp"
	git init -q -b series
	# It is a working copy, made again when it is lost.
	git config core.compression 1
	git config gc.auto 0
	# Forced: the kernel ignores some files that its archive has.  All of them
	# "big": then they go into one pack, a fifth of their size as loose objects.
	git -c core.bigFileThreshold=1 add -A -f
	as_lab git commit -q -m "$(cat "$OUT/origin")"
	git tag base
}

# Called by name through step(), in a shell of its own.
if [ "${1:-}" = create_base ]; then
	create_base
	exit
fi

# drop_topics: remove the branches of the topics, which are then for the patches to make anew
drop_topics()
{
	git -C "$tree" for-each-ref --format='delete %(refname)' refs/heads/topic/ |
		git -C "$tree" update-ref --stdin
}

take_lock
list=$(patches)
topics >/dev/null
"$TOP/scripts/steps/packages.sh"
"$TOP/scripts/steps/source.sh"

if [ ! -d "$tree" ]; then
	need_space 2500
	rm -rf "$tree.tmp"
	step "making a git repository of the source" "$LOGS/tree" "$0" create_base
	mv "$tree.tmp" "$tree"
	heads >"$tree/.git/lab-head"
	: >"$tree/.git/lab-series"
fi
git -C "$tree" config rebase.updateRefs true
if [ "$(series_hash)" = "$(cat "$tree/.git/lab-series")" ]; then
	say "the branch in $(shown "$tree") has the series already"
	exit 0
fi
# The patches are others than those that the branch was made from.
if [ "$(heads)" != "$(cat "$tree/.git/lab-head")" ] || ! is_clean; then
	die "both $(shown "$tree") and $(shown "$SERIES") were changed since they were the same;" \
		"'git -C $(shown "$tree") format-patch base' saves the branch's side, then remove that folder and run this again."
fi
git -C "$tree" reset -q --hard base
drop_topics
for name in $list; do
	as_lab git -C "$tree" am -q --keep-non-patch --committer-date-is-author-date \
		"$SERIES/$name" >"$LOGS/am" 2>&1 || {
		as_lab git -C "$tree" am --abort
		git -C "$tree" reset -q --hard base
		drop_topics
		heads >"$tree/.git/lab-head"
		# Whoever brings the branch here in another way may export it.
		echo "$(series_hash) rejects" >"$tree/.git/lab-series"
		cat "$LOGS/am" >&2
		die "$name does not apply, see above; mend the patch or rebase the branch (docs/series.md), nothing was lost."
	}
	git -C "$tree" update-ref "refs/heads/topic/${name%%/*}" HEAD
done
remember
say "the series is the branch 'series' in $(shown "$tree"), on top of the tag 'base'; the topics end at" \
	"$(topics | sed 's|^|topic/|' | paste -sd ' ')"
