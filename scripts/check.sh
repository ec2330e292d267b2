#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# All that CI runs: the files of scripts/checks/ in turn, each check counted.
# The last line is `N passed, M failed, K skipped`.
#
# With BASE=, or a kernel or series, given it is about that base alone, otherwise
# about all of them.  CHECK_SECONDS is for a machine that ends it after some time: a check
# that has not begun by then is skipped.

all_bases=
[ -n "${BASE:-}${KTREE:-}${KTARBALL:-}${SERIES:-}" ] || all_bases=yes
# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

take_lock
"$TOP/scripts/steps/packages.sh"

# What a check of wrong input may disturb comes first.
PARTS=${PARTS:-programs judge series verify unit handover history mutants guests input}

if [ -n "$all_bases" ]; then
	count=$BUILD/check/count
	sum="0 passed, 0 failed, 0 skipped"
	: >"$BUILD/check.failed"
	bases=$(cd "$TOP/bases" && echo linux-* | sed 's/linux-//g')
	# Those which are about the lab itself are made once, with the first base, and that
	# which a slow machine has to leave out with the last.
	once=yes
	for BASE in $bases; do
		parts=
		for part in $PARTS; do
			case $part in
			programs|judge|input) [ -n "$once" ] || continue ;;
			guests) [ "$BASE" = "${bases##* }" ] || continue ;;
			esac
			parts="$parts $part"
		done
		once=
		[ -n "$parts" ] || continue
		say "linux-$BASE"
		rm -f "$count"
		# Its own part of what common.sh has set is for the base to find.
		env -u SERIES BASE="$BASE" PARTS="$parts" "$0" | sed -u '$d' || :
		cat "$BUILD/check/failed" >>"$BUILD/check.failed" 2>/dev/null || :
		[ -f "$count" ] || die "the checks of linux-$BASE ended before their count, see above."
		sum=$(echo "$sum $(cat "$count")" | awk '{ gsub(",", "")
			print $1 + $7 " passed, " $3 + $9 " failed, " $5 + $11 " skipped" }')
	done
	# In a log this long they are far up.
	sed 's/^/again: /' "$BUILD/check.failed"
	echo "$sum" | tee "$count"
	case $sum in *" 0 failed"*) exit ;; esac
	exit 1
fi

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
# $STATUS is then how it ended.
check()
{
	what=$1
	shift
	if [ $(($(uptime) - LAB_START)) -ge "${CHECK_SECONDS:-999999}" ]; then
		STATUS=4
		skipped=$((skipped + 1))
		say "skipped: $what: CHECK_SECONDS=$CHECK_SECONDS are over"
		return
	fi
	STATUS=0
	# Not "|| status=$?": that would switch -e off inside.
	set +e
	(
		set -e
		"$@"
	) >"$WORK/log" 2>&1 </dev/null
	STATUS=$?
	set -e
	case $STATUS in
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
		say "FAILED: $what (status $STATUS)"
		{
			echo "linux-$BASE: FAILED: $what (status $STATUS)"
			tail -n 20 "$WORK/log" | sed 's/^/    /'
		} >>"$WORK/failed"
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

# identity NAME EMAIL COMMAND...: run it with that git identity
identity()
{
	name=$1
	email=$2
	shift 2
	env GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=user.name GIT_CONFIG_VALUE_0="$name" \
		GIT_CONFIG_KEY_1=user.email GIT_CONFIG_VALUE_1="$email" "$@"
}

no_source=
for part in $PARTS; do
	# shellcheck disable=SC1090 # each is checked by itself
	[ -n "$no_source" ] || . "$TOP/scripts/checks/$part.sh"
done

echo "$passed passed, $failed failed, $skipped skipped" | tee "$WORK/count"
[ "$failed" -eq 0 ]
