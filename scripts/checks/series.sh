# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Checks of the series as mails and as files; sourced by check.sh.

# checkpatch PATCH: a sign-off is given by the person who sends.  Three questions
# are not for here: FILE_PATH_CHANGES asks whether MAINTAINERS knows a new file,
# and its patterns for the KVM selftests do; UNKNOWN_COMMIT_ID and MISSING_FIXES_TAG
# are about commits of a history that the source has not got.
checkpatch()
{
	cd "$OUT/src" || exit
	scripts/checkpatch.pl --strict --no-signoff --show-types \
		--ignore FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID,MISSING_FIXES_TAG "$SERIES/$1"
}

applies()
{
	"$TOP/scripts/steps/series.sh" apply
}

# The series file and the folders name the same patches, numbered from 0001 in each topic;
# each topic has its cover letter, and nobody signed.
complete()
{
	patches >"$WORK/named"
	(cd "$SERIES" && find . -name '[0-9]*.patch' ! -name '0000-*' -printf '%P\n') |
		sort >"$WORK/there"
	sort "$WORK/named" | diff -u - "$WORK/there"
	awk -F/ '{ n[$1]++; printf "%s/%04d\n", $1, n[$1] }' "$WORK/named" >"$WORK/numbers"
	sed 's|/\([0-9]*\)-.*|/\1|' "$WORK/named" | diff -u "$WORK/numbers" -
	if grep -rn --include='*.patch' '^Signed-off-by:' "$SERIES"; then
		exit 1
	fi
	for topic in $(topics); do
		grep -q '^Subject: \[PATCH[^]]*\] .' "$SERIES/$topic/0000-cover-letter.patch"
	done
}

# Each row of lab/tables/expect is mended by a patch that there is.
expected()
{
	sed -n -e '/^#/d' -e 's/.* fail \([^ ]*\) # .*/\1/p' -e 's/^splat \([^ ]*\) .*/\1/p' \
		"$TOP/lab/tables/expect/linux-$BASE" | sort -u >"$WORK/menders"
	patches | sed 's|/\([0-9]*\)-.*|/\1|' | sort | comm -23 "$WORK/menders" - >"$WORK/gone"
	[ ! -s "$WORK/gone" ] || {
		echo "lab/tables/expect/linux-$BASE names what is no patch: $(paste -sd ' ' "$WORK/gone")"
		exit 1
	}
}

# Each fix says what mainline has of it: `Upstream: commit HASH ("SUBJECT")`, over lines or not, or
# `Upstream: none.`
upstream()
{
	bad=0
	for name in $(patches | sed -n '/^fixes\//p'); do
		sed '/^---$/,$d' "$SERIES/$name" | perl -0777 -ne '
			my $lines = () = /^Upstream:/gm;
			my $good = () = /^Upstream:\s+(?:none\.(?=\s)|commit\s+[0-9a-f]{12,40}\s+\("[^"].*?"\))/gms;
			exit !($good && $lines == $good);' || {
			echo "$name has no line Upstream: commit HASH (\"SUBJECT\"), or Upstream: none."
			bad=1
		}
	done
	[ "$bad" -eq 0 ]
}

# Out to a branch and back: not a byte may change.  On copies, as what a user
# edits in the real branch is not this check's to replace, and of those files
# alone that git looks at: what the series touches, and how to head its hunks.
round_trip()
{
	round=$WORK/round/${OUT##*/}
	cp -r "$SERIES" "$WORK/copy"
	mkdir -p "$round/src"
	cp "$OUT/origin" "$round/"
	cp "$OUT/src/.gitattributes" "$round/src/"
	while read -r file; do
		[ ! -e "$OUT/src/$file" ] ||
			(cd "$OUT/src" && cp --parents "$file" "$round/src")
	done <"$OUT/series.touched"
	for script in tree export; do
		env BUILD="$WORK/round" SERIES="$WORK/copy" "$TOP/scripts/$script.sh"
	done
	diff -r "$SERIES" "$WORK/copy"
}

# An edit on either side alone goes through; where one would be lost, the command
# refuses.
drift()
{
	tree=$WORK/round/${OUT##*/}/tree
	last=$(patches | tail -n 1)
	export BUILD="$WORK/round" SERIES="$WORK/copy"
	echo edit >>"$tree/virt/kvm/pfncache.c"
	refuses "not committed" "$TOP/scripts/export.sh"
	git -C "$tree" -c user.name=lab -c user.email=lab@localhost commit -qam edit
	sed -i 's/^Subject: .*/&!/' "$SERIES/$last"
	refuses "was changed since 'make tree'" "$TOP/scripts/export.sh"
	refuses "were changed since they were the same" "$TOP/scripts/tree.sh"
	sed -i 's/^\(Subject: .*\)!$/\1/' "$SERIES/$last"
	"$TOP/scripts/export.sh"
	tail -n 1 "$SERIES/series" | grep -q -- "^${last%%/*}/[0-9]*-edit.patch\$"
	"$TOP/scripts/tree.sh"
}

# A rebase moves the topics' ends along, a new topic stands on all others, and what is not
# stacked is refused and changes nothing.
stacked()
{
	tree=$WORK/round/${OUT##*/}/tree
	first=$(patches | head -n 1)
	topic=topic/${first%%/*}
	export BUILD="$WORK/round" SERIES="$WORK/copy"
	export GIT_COMMITTER_NAME=lab GIT_COMMITTER_EMAIL=lab@localhost
	rm -rf "$WORK/before"
	cp -r "$SERIES" "$WORK/before"
	GIT_SEQUENCE_EDITOR="sed -i 1s/^pick/reword/" GIT_EDITOR="sed -i '2a One more line.'" \
		git -C "$tree" rebase -q -i base
	"$TOP/scripts/export.sh"
	! diff -rq "$WORK/before" "$SERIES" >"$WORK/changed"
	cat "$WORK/changed"
	[ "$(wc -l <"$WORK/changed")" -eq 1 ]
	grep -qF "$first" "$WORK/changed"

	rm -rf "$WORK/before"
	cp -r "$SERIES" "$WORK/before"
	end=$(git -C "$tree" rev-parse "$topic")
	git -C "$tree" update-ref "refs/heads/$topic" \
		"$(git -C "$tree" -c user.name=lab -c user.email=lab@localhost commit-tree -p base -m stray "$topic^{tree}")"
	refuses "the topics in .* are not stacked, .*$topic" "$TOP/scripts/export.sh"
	git -C "$tree" update-ref -d "refs/heads/$topic"
	refuses "has no branch $topic for" "$TOP/scripts/export.sh"
	diff -r "$WORK/before" "$SERIES"
	git -C "$tree" update-ref "refs/heads/$topic" "$end"

	echo edit >>"$tree/virt/kvm/pfncache.c"
	git -C "$tree" -c user.name=lab -c user.email=lab@localhost commit -qam "another topic"
	git -C "$tree" branch topic/another
	"$TOP/scripts/export.sh"
	[ "$(tail -n 1 "$SERIES/series")" = another/0001-another-topic.patch ]
	"$TOP/scripts/tree.sh"
}

check "the source is there" "$TOP/scripts/steps/source.sh"
# Nothing else about this base can be checked without.
# shellcheck disable=SC2034 # check.sh asks for it
if [ "$STATUS" -eq 4 ]; then
	no_source=yes
	return
fi

check "the series applies with fuzz 0" applies
check "the series file names every patch, nobody signed off" complete
check "each expectation names a patch of the series" expected
check "each fix applies alone, or with those that it names" "$TOP/scripts/alone.sh" apply
check "each fix says where it stands upstream" upstream
for name in $(patches); do
	check "checkpatch --strict: $name" checkpatch "$name"
done
check "tree and export change not a byte" round_trip
check "branch and patches that differ: nothing is lost" drift
check "the topics in the branch: moved, refused, added" stacked
