#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Write one topic of the series, TOPIC=, as mails for `git send-email` to $OUT/mail/TOPIC/vV;
# sends nothing.
#
# Each patch is signed off by the sender's own git identity, there is no default for it.
# The cover letter gets the diffstat, the topics below this one, what was measured, and from
# V=2 on a range-diff against the version that was sent before: the tag
# sent/linux-BASE/TOPIC/vN of this repository says what that was.  Recipients are those of the
# tree's get_maintainer.pl.
#
# If KTREE is a git clone, the mails are made on top of its HEAD, which they name, and history.sh
# looks up what the patches say of other commits.
#
# What was written is then taken by `git am` on top of the topics below, and has to give the
# same tree as the series up to there.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

topic=${TOPIC:-}
version=${V:-1}
known=$(topics)
echo "$known" | grep -qxF -- "$topic" ||
	die "mails are of one topic of the series${topic:+, and $topic is none}; give" \
		"$(echo "$known" | sed 's/^/TOPIC=/' | paste -sd ' ' | sed 's/ / or /g')."
[ "$version" -ge 1 ] 2>/dev/null || die "V=$version is no version; give V=1 or more."
# Before git.sh hides the user's settings.
name=$(git -C "$TOP" config user.name || :)
email=$(git -C "$TOP" config user.email || :)
[ -n "$name" ] || email=
[ -n "$email" ] ||
	die "a sign-off needs your git identity: git config --global user.name NAME, and user.email likewise."

take_lock
list=$(patches_of "$topic")
cover=$SERIES/$topic/0000-cover-letter.patch
run=$RESULTS/latest
for file in $known; do
	file=$SERIES/$file/0000-cover-letter.patch
	[ -f "$file" ] || die "there is no $(shown "$file"); write one."
done
[ -f "$run/series.sha256" ] || die "there are no results to quote; run 'make verify BASE=$BASE' first."
series_sums | cmp -s - "$run/series.sha256" ||
	die "the last results are of another series; run 'make verify BASE=$BASE' again."
# A fix costs what it costs, and a test costs nothing.
costs=
case $topic in
fixes|tests) ;;
*)
	costs=$(costs)
	[ -n "$costs" ] || die "there are no costs of this series to quote; run 'make bench BASE=$BASE' first."
	;;
esac
"$TOP/scripts/steps/source.sh"
"$TOP/scripts/steps/series.sh" apply
objects=
if [ -n "$KTREE" ] && [ -e "$KTREE/.git" ]; then
	"$TOP/scripts/steps/history.sh" "$topic"
	objects=$(git -C "$KTREE" rev-parse --path-format=absolute --git-path objects)
	head=$(git -C "$KTREE" rev-parse HEAD)
fi

# shellcheck source=scripts/lib/git.sh
. "$TOP/scripts/lib/git.sh"
if [ -n "$objects" ]; then
	# A repository of our own, which takes the clone's objects where they are.
	tree=$OUT/mail/history
	rm -rf "$tree"
	git init -q "$tree"
	echo "$objects" >"$tree/.git/objects/info/alternates"
	git -C "$tree" tag base "$head"
else
	[ -d "$tree" ] || "$TOP/scripts/tree.sh"
fi

work=$OUT/mail/$topic/work
out=$OUT/mail/$topic/v$version
rm -rf "$work" "$out"
mkdir -p "$work" "$out"

# subject FILE: that of a cover letter, without what is in brackets
subject()
{
	awk '/^$/ { exit }
	     /^Subject: / { subject = $0; ours = 1; next }
	     /^ / && ours { subject = subject $0; next }
	     { ours = 0 }
	     END { print subject }' "$1" | sed 's/^Subject: \[[^]]*\] //'
}

# commit_series DIR BRANCH: the patches of DIR, up to those of the topic, as commits on top of the
# source, by the sender; no file is checked out.  BRANCH-below is where the topic begins.
commit_series()
{
	export GIT_INDEX_FILE="$work/index"
	git -C "$tree" read-tree base
	head=$(git -C "$tree" rev-parse base)
	below=$head
	sed 's/#.*//; /^$/d' "$1/series" |
		awk -F/ -v topic="$topic" '$1 != topic && begun { exit }
			$1 == topic { begun = 1 }
			{ print }' >"$work/list"
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
		[ "${patch%%/*}" = "$topic" ] || below=$head
	done <"$work/list"
	unset GIT_INDEX_FILE
	git -C "$tree" update-ref "refs/heads/$2" "$head"
	git -C "$tree" update-ref "refs/heads/$2-below" "$below"
}

sent=sent/linux-$BASE/$topic
range=
reroll=
if [ "$version" -gt 1 ]; then
	before=$sent/v$((version - 1))
	git -C "$TOP" rev-parse -q --verify "refs/tags/$before" >/dev/null ||
		die "V=$version needs to know what v$((version - 1)) was: git tag $before COMMIT, the one it was sent from."
	mkdir "$work/before"
	git -C "$TOP" archive "$before" "patches/linux-$BASE" | tar -C "$work/before" --strip-components=2 -xf -
	grep -q "^$topic/" "$work/before/series" || die "the tag $before names a commit whose series has no topic $topic."
	commit_series "$work/before" mail-before
	reroll="-v $version"
	range="--range-diff=mail-before-below..mail-before --creation-factor=95"
fi
commit_series "$SERIES" mail

# depends: the topics below this one, by the subjects of their cover letters
depends()
{
	echo "$known" | sed "/^$topic\$/,\$d" | while read -r other; do
		echo "$other (\"$(subject "$SERIES/$other/0000-cover-letter.patch")\")"
	done | sed -e "1s/^/Depends on: linux-$BASE topic /" -e '2,$s/^/  /' -e '$!s/$/,/'
}

# rows: those of the table that this topic mends, below the test that they are of
rows()
{
	awk -v mark=" [*]  $topic/[0-9]+\$" '/^[^ ].*FAIL    -> pass [*]$/ { test = $0 }
		$0 ~ mark {
			if (/^ / && test)
				print test
			test = ""
			print
		}' "$work/judged" | sed 's/  *FAIL    -> pass \*\(  .*\)\?$/\1/; s/^/  /'
}

# Measured: what stock must fail, and each cost that is another one
"$BUILD/bin/judge" "$run" "$TOP/lab/tables/expect/linux-$BASE" "$TOP/lab/tables/splats" >"$work/judged" || {
	cat "$work/judged"
	die "the last results are no pass; mend that first."
}
rows >"$work/rows"
{
	sed '1,/^$/d' "$cover"
	depends | sed '1s/^/\n/'
	printf '\nMeasured\n========\n\n'
	[ ! -s "$work/rows" ] || {
		printf 'What stock fails and this topic mends, and the patch that does:\n\n'
		cat "$work/rows"
		echo
	}
	printf 'All topics together (%s):\n\n' "$(echo "$known" | paste -sd ' ' | sed 's/ /, /g')"
	sed -n '/^splat/,$p' "$work/judged"
	[ -z "$costs" ] || {
		printf '\nCosts, where they are not the same, on %s:\n\n' "$(sed -n 's/^# Made by .*, on //p' "$costs")"
		# Blank lines part its head, the rows, and the reasons for the slower ones.
		sed '1,/^$/d; /^$/,$d' "$costs" | awk 'NR == 1 || $1 != $2'
		echo
		sed '1,/^$/d' "$costs" | sed '1,/^$/d; /^$/,$d'
	}
} | sed 's/[[:space:]]*$//' >"$work/text"
{
	subject "$cover"
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
[ -z "$objects" ] || set -- "$@" --base=base
# shellcheck disable=SC2086 # options or none
git -C "$tree" -c user.name="$name" -c user.email="$email" \
	-c branch.mail.description="$(cat "$work/description")" \
	format-patch -q --cover-letter --cover-from-description=subject $reroll \
	--subject-prefix="$prefix" --no-signature --full-index --no-renames \
	--diff-algorithm=myers $range "$@" -o "$out" mail-below..mail
# In place of git's base-commit, which nobody else has: the source is a package's, and the
# commit is the lab's own.
[ -n "$objects" ] || printf 'base: %s\n' "$(cat "$OUT/origin")" >>"$(find "$out" -name '*0000-cover-letter.patch')"

say "checking the mails"
mkdir "$work/mails"
cp "$out"/*.patch "$work/mails"
rm "$work"/mails/*0000-cover-letter.patch
(cd "$OUT/src" && scripts/checkpatch.pl --strict --quiet \
	--ignore FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID,MISSING_FIXES_TAG "$work"/mails/*) || die "checkpatch has something to say about the mails, see above."
git -C "$tree" worktree prune
git -C "$tree" worktree add -q -f --detach --no-checkout "$work/tree" mail-below
git -C "$work/tree" sparse-checkout set --no-cone --stdin <"$OUT/series.touched"
git -C "$work/tree" checkout -q
git -C "$work/tree" -c user.name="$name" -c user.email="$email" am -q "$work"/mails/* ||
	die "git am does not take the mails, see above."
git -C "$work/tree" diff --stat --exit-code mail HEAD || die "the mails give other files than the series, see above."
git -C "$tree" worktree remove --force "$work/tree"
rm -rf "$work/mails" "$work/before"

say "$(find "$out" -name '*.patch' | wc -l) mails are in $(shown "$out"); git am of them gives the files of the series up to topic $topic"
sed 's/^/  to /' "$work/to"
sed 's/^/  cc /' "$work/cc"
send="git send-email $(shown "$out")/*.patch"
if ! is_own || [ ! -e "$TOP/.git" ]; then
	echo "read them, then: $send; no tag of this repository can tell the next version what was sent"
elif [ -n "$(git -C "$TOP" status --porcelain -- "patches/linux-$BASE")" ]; then
	echo "read them, commit patches/linux-$BASE, which is not what HEAD has, then: $send && git tag $sent/v$version"
else
	echo "read them, then: $send && git tag $sent/v$version"
fi
