#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Show that the unit tests have teeth: take one protection at a time out of the
# patched pfncache.c, and demand that the test which the fault names fails.
#
# The faults are unit/faults/*.patch, see scripts/lib/faults.sh; each names the PROGRAM: TEST.
#
# All tests have to pass without a fault.  One that kills the program is caught if it does
# so in that test: with the result of the test ahead of it, and none after that.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/faults.sh
. "$TOP/scripts/lib/faults.sh"
# shellcheck source=scripts/lib/host.sh
. "$TOP/scripts/lib/host.sh"

take_lock
host_packages
"$TOP/scripts/steps/source.sh"
"$TOP/scripts/steps/series.sh" apply
host_patched programs

# program_of PROGRAM: its file
program_of()
{
	echo "$1" | sed 's/^[at]san$/threads-&/'
}

list=$(faults unit/faults)
say "the tests without a fault"
# shellcheck disable=SC2046 # a list
host_run patched $(for file in $list; do fault "$file" Caught-by; done | sed 's/:.*//' | sort -u |
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
for file in $list; do
	rm -rf "$OUT/unit/fault" "$faulty"
	cp -a "$OUT/unit/patched" "$OUT/unit/fault"
	mkdir "$faulty"
	fault "$file" diff | sed -n 's|^+++ b/||p' | while read -r path; do
		mkdir -p "$faulty/${path%/*}"
		cp "$(first_of "$path" "$OUT/series" "$OUT/src")" "$faulty/$path"
	done
	put_fault "$file" "$faulty"
	caught_by=$(fault "$file" Caught-by)
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
	printf '%-16s  %-28s  %s\n' "$what" "$(basename "$file" .patch)" "$(fault "$file" Breaks)"
done
say "faults: $((n - survived)) of $n faults caught"
[ "$survived" -eq 0 ]
