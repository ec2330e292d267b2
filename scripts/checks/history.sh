# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Checks of make mail with a git clone as KTREE; sourced by check.sh, after verify and with the
# results of that.
#
# The clone is made here: the files that the series touches and the tree's own tools, in three
# commits, of which one is on another branch.

clone=$WORK/kernel.git
good=$WORK/history.series

# as_known PATCH: name the clone's commits in its changelog wherever it names one: in the Fixes:
# tags the first, elsewhere that of the other branch
as_known()
{
	first=$first aside=$aside perl -0777 -pi -e '
		my ($log, $rest) = /^(.*?\n)(---\n.*)/s;
		$log =~ s/^Fixes: .*/Fixes: $ENV{first} ("first")/gm;
		$log =~ s/(?<!Fixes: )\b(?:commit\s+[0-9a-f]{12,40}(?:\s+\(".*?"\))?|[0-9a-f]{12,40}\s+\(".*?"\))/commit $ENV{aside} ("on another\nbranch")/gs;
		$_ = $log . $rest;' "$1"
}

# The clone, and a copy of the series whose first topic names its commits
made()
{
	rm -rf "$clone" "$good"
	mkdir "$clone"
	(
		cd "$OUT/src" || exit
		for file in MAINTAINERS Makefile Kconfig Kbuild COPYING CREDITS README scripts/get_maintainer.pl \
			scripts/checkpatch.pl scripts/spelling.txt scripts/const_structs.checkpatch; do
			cp --parents "$file" "$clone"
		done
		for dir in Documentation arch include drivers fs init ipc kernel lib; do
			mkdir -p "$clone/$dir"
		done
		while read -r file; do
			[ ! -e "$file" ] || cp --parents "$file" "$clone"
		done <"$OUT/series.touched"
	)
	first_patch=$(patches | head -n 1)
	file=$(echo "$first_patch" | touched | head -n 1)
	cp "$clone/$file" "$WORK/file"
	echo >>"$clone/$file"
	git -C "$clone" init -q -b main
	git -C "$clone" add -A -f
	identity lab lab@localhost git -C "$clone" commit -q -m first
	git -C "$clone" tag "v$BASE"
	first=$(git -C "$clone" rev-parse --short=12 HEAD)
	git -C "$clone" checkout -q -b other
	identity lab lab@localhost git -C "$clone" commit -q --allow-empty -m "on another branch"
	aside=$(git -C "$clone" rev-parse --short=12 HEAD)
	git -C "$clone" checkout -q main
	cp "$WORK/file" "$clone/$file"
	identity lab lab@localhost git -C "$clone" commit -q -a -m "a change of $file"

	cp -r "$SERIES" "$good"
	sed -i '0,/^$/s/^$/\nAfter commit 0123456789ab and fedcba987654 ("wrapped") this is again so.\n/' "$good/$first_patch"
	for name in $(patches_of "${first_patch%%/*}"); do
		as_known "$good/$name"
	done
}

# mail_of SERIES: that series' first topic on top of the clone, with the results that there are
mail_of()
{
	run=$WORK/history/results/linux-$BASE-$(echo "$clone" | cksum | cut -d' ' -f1)/latest
	rm -rf "$run"
	mkdir -p "$run" "$WORK/history/bin"
	cp -r "$RESULTS/latest/." "$run"
	(SERIES=$1 && series_sums) >"$run/series.sha256"
	cp "$BUILD/bin/judge" "$WORK/history/bin"
	identity lab lab@localhost env TOPIC="$(topics | head -n 1)" SERIES="$1" KTREE="$clone" KTARBALL= \
		BUILD="$WORK/history" "$TOP/scripts/mail.sh"
}

known_commits()
{
	made
	(cd "$clone" && find . -type f -exec sha256sum {} + | sort) >"$WORK/clone.before"
	mail_of "$good" >"$WORK/mailed"
	cat "$WORK/mailed"
	grep -q "s on the topic's files since v$BASE\$" "$WORK/mailed"
	grep -q "^  [0-9a-f]* a change of " "$WORK/mailed"
	find "$WORK/history" -path '*/v1/0000-cover-letter.patch' -exec cat {} + |
		grep -qx "base-commit: $(git -C "$clone" rev-parse HEAD)"
	(cd "$clone" && find . -type f -exec sha256sum {} + | sort) | diff -u "$WORK/clone.before" -
}

# refused_with REGEX SED-SCRIPT: the series' first patch with that done to its changelog
refused_with()
{
	rm -rf "$WORK/history.wrong"
	cp -r "$good" "$WORK/history.wrong"
	sed -i "1,/^---\$/{$2}" "$WORK/history.wrong/$(patches | head -n 1)"
	refuses "$(patches | head -n 1) $1" mail_of "$WORK/history.wrong"
}

unknown_commits()
{
	first=$(git -C "$clone" rev-parse --short=12 "v$BASE")
	refused_with "names commit $first \(\"last\"\), whose subject is \"first\"" 's/^\(Fixes: .*\)("first")/\1("last")/'
	refused_with "names commit [0-9a-f]{12} \(\"on another bench\"\), whose" 's/^branch")/bench")/'
	refused_with "names commit 0123456789ab, which the history .* has not got" 's/^Fixes: [0-9a-f]*/Fixes: 0123456789ab/'
	refused_with "has 'Fixes: first'" 's/^Fixes: .*/Fixes: first/'
	# What is left over of a rebase is in the repository, and in no branch
	left=$(identity lab lab@localhost git -C "$clone" commit-tree -m "left over" 'HEAD^{tree}')
	refused_with "names commit $left, which the history .* has not got" "s/^Fixes: .*/Fixes: $left (\"left over\")/"
	file=$(patches | head -n 1 | touched | head -n 1)
	# In a line that no hunk has
	sed -i '1s/$/ /' "$clone/$file"
	refuses "has another $file than its HEAD" mail_of "$good"
}

check "mails on top of a clone look its history up: make mail KTREE=" known_commits
check "a commit that the history has not got, or calls otherwise, is refused" unknown_commits
