#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Show that the unit tests have teeth: take one protection at a time out of the
# patched pfncache.c, and demand that the test which the fault names fails.
#
# The faults are unit/faults/linux-BASE/*.patch, with two lines ahead of the diff:
#
#   Breaks: what is wrong in this kernel
#   Caught-by: PROGRAM: TEST
#
# All tests have to pass without a fault.  One that kills the program is caught if it does
# so in that test: with the result of the test ahead of it, and none after that.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/host.sh
. "$TOP/scripts/host.sh"

take_lock
host_packages
"$TOP/scripts/source.sh"
"$TOP/scripts/series.sh" apply
host_patched programs

# program_of PROGRAM: its file
program_of()
{
	echo "$1" | sed 's/^[at]san$/threads-&/'
}

set -- "$TOP/unit/faults/linux-$BASE"/*.patch
[ -f "$1" ] || die "there is no unit/faults/linux-$BASE/*.patch."
say "the tests without a fault"
# shellcheck disable=SC2046 # a list
host_run patched $(sed -n 's/^Caught-by: \([^:]*\):.*/\1/p' "$@" | sort -u |
	while read -r name; do program_of "$name"; done) ||
	die "$program does not get to its end without a fault (status $ended); see make unit."
! grep '^FAIL' "$OUT/unit/patched/results" || die "these tests fail without a fault; see make unit."
cp "$OUT/unit/patched/results" "$OUT/unit/unfaulted"

# died_in PROGRAM TEST: were the results of it those of all the tests ahead of this one?
died_in()
{
	sed -n "s/^pass \(${2%%:*}: \)/\1/p" "$OUT/unit/unfaulted" >"$OUT/unit/order"
	sed 's/^[a-zA-Z]* //' "$OUT/unit/fault/$1.results" >"$OUT/unit/got"
	# One that had no result at all has at least begun.
	grep -q '^1\.\.' "$OUT/unit/fault/$1.ktap" && grep -qxF "$2" "$OUT/unit/order" &&
		awk -v named="$2" '$0 == named { exit } { print }' "$OUT/unit/order" | cmp -s - "$OUT/unit/got"
}

faulty=$OUT/unit/faulty
n=0
survived=0
for fault in "$@"; do
	rm -rf "$OUT/unit/fault" "$faulty"
	cp -a "$OUT/unit/patched" "$OUT/unit/fault"
	mkdir "$faulty"
	sed -n 's|^+++ b/||p' "$fault" | while read -r path; do
		mkdir -p "$faulty/${path%/*}"
		cp "$(first_of "$path" "$OUT/series" "$OUT/src")" "$faulty/$path"
	done
	patch -d "$faulty" -p1 --fuzz=0 --force --no-backup-if-mismatch --reject-file=- \
		<"$fault" >"$faulty.out" 2>&1 ||
		die "$(shown "$fault") does not apply to the patched tree; make it anew: $(tail -n 1 "$faulty.out")"
	caught_by=$(sed -n 's/^Caught-by: //p' "$fault")
	program=$(program_of "${caught_by%%:*}")
	host_build fault -DPATCHED "$OUT/unit/fault/$program" \
		"$faulty" "$OUT/series" "$OUT/src" >"$OUT/unit/fault.out"
	rm -f "$OUT/unit/fault/$program".*
	what=survived
	end=yes
	host_run fault "$program" || end=no
	if grep -qxF "FAIL $caught_by" "$OUT/unit/fault/results"; then
		what=caught
	elif [ "$end" = no ] && died_in "$program" "$caught_by"; then
		what="caught (no end)"
	fi
	n=$((n + 1))
	[ "$what" != survived ] || survived=$((survived + 1))
	printf '%-16s  %-28s  %s\n' "$what" "$(basename "$fault" .patch)" "$(sed -n 's/^Breaks: //p' "$fault")"
done
say "faults: $((n - survived)) of $n faults caught"
[ "$survived" -eq 0 ]
