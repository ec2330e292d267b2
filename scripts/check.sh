#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# All that CI runs: every file of scripts/checks/ in turn, each check counted.
# The last line is `N passed, M failed, K skipped`.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

take_lock
"$TOP/scripts/packages.sh"
WORK=$BUILD/check
# What a check shows whether it passes or not goes there.
exec 3>&1
# A small disk that an interrupted check left mounted; see checks/input.sh.
umount "$WORK/full" 2>/dev/null || :
rm -rf "$WORK"
mkdir -p "$WORK"
passed=0
failed=0
skipped=0

# check WHAT COMMAND...: count one check; show what it said only if it failed.
# It runs in a shell of its own with -e, so its first failing command decides.
check()
{
	what=$1
	shift
	status=0
	# Not "|| status=$?": that would switch -e off inside.
	set +e
	(
		set -e
		"$@"
	) >"$WORK/log" 2>&1 </dev/null
	status=$?
	set -e
	case $status in
	0)
		passed=$((passed + 1))
		say "ok: $what"
		;;
	4)
		skipped=$((skipped + 1))
		say "skipped: $what: $(tail -n 1 "$WORK/log")"
		;;
	*)
		failed=$((failed + 1))
		sed 's/^/    /' "$WORK/log"
		say "FAILED: $what (status $status)"
		;;
	esac
}

# skip WHY: leave a check that cannot run here
skip()
{
	echo "$*"
	exit 4
}

# refuses REGEX COMMAND...: the command must end with 2 and, as its last line of
# errors, the sentence
refuses()
{
	regex=$1
	shift
	status=0
	"$@" >"$WORK/out" 2>"$WORK/err" || status=$?
	cat "$WORK/out" "$WORK/err"
	[ "$status" -eq 2 ] && tail -n 1 "$WORK/err" | grep -Eq "^lab: .*$regex"
}

# What a check of wrong input may disturb comes first.
for part in programs judge series verify mutants input; do
	# shellcheck disable=SC1090 # each is checked by itself
	. "$TOP/scripts/checks/$part.sh"
done

echo "$passed passed, $failed failed, $skipped skipped" | tee "$WORK/count"
[ "$failed" -eq 0 ]
