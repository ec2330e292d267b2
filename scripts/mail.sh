#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Write the series as mails for `git send-email` to $OUT/mail/vV; sends nothing.
#
# Each patch is signed off by the sender's own git identity, there is no default for it.
# The cover letter gets the diffstat, what was measured, and from V=2 on a range-diff
# against the version that was sent before: the tag sent/linux-BASE/vN of this
# repository says what that was.  Recipients are those of the tree's get_maintainer.pl.
#
# What was written is then taken by `git am` onto the pristine source, and has to give
# the same files as the series.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

version=${V:-1}
[ "$version" -ge 1 ] 2>/dev/null || die "V=$version is no version; give V=1 or more."
# Before git.sh hides the user's settings.
name=$(git -C "$TOP" config user.name || :)
email=$(git -C "$TOP" config user.email || :)
[ -n "$name" ] || email=
[ -n "$email" ] ||
	die "a sign-off needs your git identity: git config --global user.name NAME, and user.email likewise."
# shellcheck source=scripts/git.sh
. "$TOP/scripts/git.sh"

take_lock
list=$(patches)
cover=$SERIES/0000-cover-letter.patch
[ -f "$cover" ] || die "$(shown "$SERIES") has no 0000-cover-letter.patch; write one."
run=$RESULTS/latest
[ -f "$run/series.sha256" ] || die "there are no results to quote; run 'make verify BASE=$BASE' first."
series_sums | cmp -s - "$run/series.sha256" ||
	die "the last results are of another series; run 'make verify BASE=$BASE' again."
costs=$(costs)
[ -n "$costs" ] || die "there are no costs of this series to quote; run 'make bench BASE=$BASE' first."
"$TOP/scripts/source.sh"
"$TOP/scripts/series.sh" apply
[ -d "$tree" ] || "$TOP/scripts/tree.sh"

work=$OUT/mail/work
out=$OUT/mail/v$version
rm -rf "$work" "$out"
mkdir -p "$work" "$out"

# commit_series DIR BRANCH: the patches of DIR as commits on top of the source, by the
# sender; no file is checked out
commit_series()
{
	export GIT_INDEX_FILE="$work/index"
	git -C "$tree" read-tree base
	head=$(git -C "$tree" rev-parse base)
	sed 's/#.*//; /^$/d' "$1/series" >"$work/list"
	while read -r patch; do
		git mailinfo "$work/body" "$work/diff" <"$1/$patch" >"$work/info"
		git -C "$tree" apply --cached "$work/diff" ||
			die "$patch of $(shown "$1") does not apply to $(cat "$OUT/origin"), see above."
		{
			sed -n 's/^Subject: //p' "$work/info"
			echo
			cat "$work/body"
		} | git interpret-trailers --if-exists addIfDifferent \
			--trailer "Signed-off-by: $name <$email>" >"$work/message"
		head=$(git -C "$tree" -c user.name="$name" -c user.email="$email" commit-tree \
			-p "$head" -F "$work/message" "$(git -C "$tree" write-tree)")
	done <"$work/list"
	unset GIT_INDEX_FILE
	git -C "$tree" update-ref "refs/heads/$2" "$head"
}

range=
reroll=
if [ "$version" -gt 1 ]; then
	before=sent/linux-$BASE/v$((version - 1))
	git -C "$TOP" rev-parse -q --verify "refs/tags/$before" >/dev/null ||
		die "V=$version needs to know what v$((version - 1)) was: git tag $before COMMIT, the one it was sent from."
	mkdir "$work/before"
	git -C "$TOP" archive "$before" "patches/linux-$BASE" | tar -C "$work/before" --strip-components=2 -xf -
	commit_series "$work/before" mail-before
	reroll="-v $version"
	range="--range-diff=mail-before --creation-factor=95"
fi
commit_series "$SERIES" mail

# Measured: what stock must fail, and each cost that is another one
{
	sed '1,/^$/d' "$cover"
	printf '\nMeasured\n========\n\nWhat stock fails and the series mends:\n\n'
	"$BUILD/bin/judge" "$run" "$TOP/lab/expect/linux-$BASE" "$TOP/lab/splats" >"$work/judged" || {
		cat "$work/judged"
		die "the last results are no pass; mend that first."
	}
	sed -n 's/^\( *\)\(.*[^ ]\)  *FAIL    -> pass \*$/  \1\2/p' "$work/judged"
	printf '\n'
	sed -n '/^splat/,$p' "$work/judged"
	printf '\nCosts, where they are not the same, on %s:\n\n' "$(sed -n 's/^# Made by .*, on //p' "$costs")"
	# Blank lines part its head, the rows, and the reasons for the slower ones.
	sed '1,/^$/d; /^$/,$d' "$costs" | awk 'NR == 1 || $1 != $2'
	echo
	sed '1,/^$/d' "$costs" | sed '1,/^$/d; /^$/,$d'
} | sed 's/[[:space:]]*$//' >"$work/text"
{
	sed -n 's/^Subject: \[[^]]*\] //p' "$cover"
	echo
	cat "$work/text"
} >"$work/description"
prefix=$(sed -n 's/^Subject: \[\([^]]*\)\].*/\1/p' "$cover")

# Maintainers and reviewers are written to, lists get a copy.
for patch in $list; do
	(cd "$OUT/src" && scripts/get_maintainer.pl --no-git --no-git-fallback --no-rolestats "$SERIES/$patch") ||
		die "get_maintainer.pl fails on $patch, see above."
done >"$work/found"
sort -u "$work/found" >"$work/all"
grep '<' "$work/all" >"$work/to" || die "get_maintainer.pl found no maintainer."
grep -v '<' "$work/all" >"$work/cc" || die "get_maintainer.pl found no list."

set --
while read -r who; do
	set -- "$@" --to="$who"
done <"$work/to"
while read -r who; do
	set -- "$@" --cc="$who"
done <"$work/cc"
# shellcheck disable=SC2086 # options or none
git -C "$tree" -c user.name="$name" -c user.email="$email" \
	-c branch.mail.description="$(cat "$work/description")" \
	format-patch -q --cover-letter --cover-from-description=subject $reroll \
	--subject-prefix="$prefix" --no-signature --full-index --no-renames \
	--diff-algorithm=myers $range "$@" -o "$out" base..mail
# In place of git's base-commit, which nobody else has: the source is a package's, and the
# commit is the lab's own.
printf 'base: %s\n' "$(cat "$OUT/origin")" >>"$(find "$out" -name '*0000-cover-letter.patch')"

say "checking the mails"
mkdir "$work/mails"
cp "$out"/*.patch "$work/mails"
rm "$work"/mails/*0000-cover-letter.patch
(cd "$OUT/src" && scripts/checkpatch.pl --strict --quiet \
	--ignore FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID,MISSING_FIXES_TAG "$work"/mails/*) || die "checkpatch has something to say about the mails, see above."
git -C "$tree" worktree prune
git -C "$tree" worktree add -q -f --detach --no-checkout "$work/tree" base
git -C "$work/tree" sparse-checkout set --no-cone --stdin <"$OUT/series.touched"
git -C "$work/tree" checkout -q
git -C "$work/tree" -c user.name="$name" -c user.email="$email" am -q "$work"/mails/* ||
	die "git am does not take the mails, see above."
while read -r file; do
	if [ -e "$OUT/series/$file" ] || [ -e "$work/tree/$file" ]; then
		cmp "$OUT/series/$file" "$work/tree/$file" || die "the mails give another $file than the series."
	fi
done <"$OUT/series.touched"
git -C "$tree" worktree remove --force "$work/tree"
rm -rf "$work/mails" "$work/before"

say "$(find "$out" -name '*.patch' | wc -l) mails are in $(shown "$out"); git am of them gives the files of the series"
sed 's/^/  to /' "$work/to"
sed 's/^/  cc /' "$work/cc"
send="git send-email $(shown "$out")/*.patch"
if ! is_own || [ ! -e "$TOP/.git" ]; then
	echo "read them, then: $send; no tag of this repository can tell the next version what was sent"
elif [ -n "$(git -C "$TOP" status --porcelain -- "patches/linux-$BASE")" ]; then
	echo "read them, commit patches/linux-$BASE, which is not what HEAD has, then: $send && git tag sent/linux-$BASE/v$version"
else
	echo "read them, then: $send && git tag sent/linux-$BASE/v$version"
fi
