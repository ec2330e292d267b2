#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the history of the kernel says of a topic's patches, for KTREE=git-clone, which is only
# read: history.sh TOPIC
#
# Each commit that a changelog names has to be there, with that subject.  The commits on the
# topic's files since the base's version are listed, for the sender to look at.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

topic=$1

# clone ARGUMENT...: git there
clone()
{
	git --no-optional-locks -C "$KTREE" "$@"
}

# known HASH: is it a commit of that history?  One of another branch is, as a backport names them,
# and a leftover of somebody's own work is not.
known()
{
	clone cat-file -e "$1^{commit}" 2>/dev/null || return
	clone merge-base --is-ancestor "$1" HEAD || [ -n "$(clone for-each-ref --count=1 --contains "$1")" ]
}

# named PATCH: hash and subject of each commit that its changelog names as `Fixes: HASH ("SUBJECT")`,
# `commit HASH ("SUBJECT")` or `commit HASH`, over lines or not
named()
{
	sed -e '1,/^$/d' -e '/^---$/,$d' "$SERIES/$1" | perl -0777 -ne 's/\s+/ /g;
		while (/\b(commit |Fixes: )?([0-9a-f]{12,40})\b( \("(.*?)"\))?/gi) {
			print "$2\t", $4 // "", "\n" if $1 || $3;
		}'
}

clone rev-parse -q --verify HEAD >/dev/null || die "git cannot read KTREE=$KTREE, or it has no commit, see above."
[ "$(clone rev-parse --is-shallow-repository)" = false ] ||
	die "KTREE=$KTREE is a shallow clone, where no commit can be looked up; git fetch --unshallow gets the rest."
# The mails are made on top of HEAD, and all else is about the files.
while read -r file; do
	if [ -e "$OUT/src/$file" ]; then
		clone cat-file blob "HEAD:$file" 2>/dev/null | cmp -s - "$OUT/src/$file"
	else
		! clone cat-file -e "HEAD:$file" 2>/dev/null
	fi || die "KTREE=$KTREE has another $file than its HEAD; commit the change or take it back."
done <"$OUT/series.touched"

list=$(patches_of "$topic")
for name in $list; do
	wrong=$(grep '^Fixes:' "$SERIES/$name" | grep -vE '^Fixes: [0-9a-f]{12,40} \(".+"\)$' | head -n 1)
	[ -z "$wrong" ] || die "$name has '$wrong', which is not Fixes: HASH (\"SUBJECT\")."
	tab=$(printf '\t')
	named "$name" | while IFS=$tab read -r hash subject; do
		known "$hash" || die "$name names commit $hash, which the history of KTREE=$KTREE has not got; look it up."
		is=$(clone rev-list -n 1 --no-commit-header --format=%s "$hash")
		[ -z "$subject" ] || [ "$subject" = "$is" ] ||
			die "$name names commit $hash (\"$subject\"), whose subject is \"$is\"; mend the one or the other."
		echo "$hash"
	done
done >"$OUT/history.named"
say "$(wc -l <"$OUT/history.named") times a commit is named by topic $topic: each is in the history, with that subject"

if ! clone rev-parse -q --verify "refs/tags/v$BASE^{commit}" >/dev/null; then
	say "the clone has no tag v$BASE: what was done to the topic's files since is not listed"
	exit
fi
echo "$list" | touched >"$OUT/history.files"
xargs git --no-optional-locks -C "$KTREE" rev-list --no-commit-header --format='  %h %s' "v$BASE..HEAD" -- \
	<"$OUT/history.files" >"$OUT/history.commits"
say "$(wc -l <"$OUT/history.commits") commits on the topic's files since v$BASE"
cat "$OUT/history.commits"
