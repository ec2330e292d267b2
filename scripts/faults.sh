#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Show that the unit tests have teeth: take one protection at a time out of the
# patched pfncache.c, and demand that the test which the fault names fails.
#
# The faults are unit/faults/linux-BASE/*.patch, with two lines ahead of the diff:
#
#   Breaks: what is wrong in this kernel
#   Caught-by: PROGRAM: TEST

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/host.sh
. "$TOP/scripts/host.sh"

take_lock
host_packages
"$TOP/scripts/source.sh"
"$TOP/scripts/series.sh" apply
host_patched programs

faulty=$OUT/unit/faulty
n=0
survived=0
for fault in "$TOP/unit/faults/linux-$BASE"/*.patch; do
	[ -f "$fault" ] || die "there is no unit/faults/linux-$BASE/*.patch."
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
	program=$(echo "${caught_by%%:*}" | sed 's/^[at]san$/threads-&/')
	host_build fault -DPATCHED "$OUT/unit/fault/$program" \
		"$faulty" "$OUT/series" "$OUT/src" >"$OUT/unit/fault.out"
	rm -f "$OUT/unit/fault/$program".*
	what=survived
	# One that does not get to its end had to get past the tests before.
	if host_run fault "$program"; then
		! grep -qxF "FAIL $caught_by" "$OUT/unit/fault/results" || what=caught
	else
		grep -qxF "pass $caught_by" "$OUT/unit/fault/results" || what="caught (no end)"
	fi
	n=$((n + 1))
	[ "$what" != survived ] || survived=$((survived + 1))
	printf '%-16s  %-28s  %s\n' "$what" "$(basename "$fault" .patch)" "$(sed -n 's/^Breaks: //p' "$fault")"
done
say "faults: $((n - survived)) of $n faults caught"
[ "$survived" -eq 0 ]
