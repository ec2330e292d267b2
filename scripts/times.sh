#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Measure what a user waits for, against its limits: a cold `make verify`, one
# after an edit of virt/kvm/pfncache.c, and the boot.  No compiler cache: it
# would measure an earlier run.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

take_lock
dir=$BUILD/times
rm -rf "$dir"
mkdir -p "$dir"
export CCACHE_DISABLE=1
worst=0

# timed LOG: seconds that a `make verify` takes; dies unless its verdict is PASS
timed()
{
	start=$(uptime)
	BUILD=$dir/build "$TOP/scripts/verify.sh" >"$1" 2>&1 || {
		tail -n 20 "$1" >&2
		die "the verify to be measured did not pass, see above and $(shown "$1")."
	}
	seconds=$(($(uptime) - start))
}

# row WHAT SECONDS LIMIT: print one row and keep in mind whether it holds
row()
{
	mark=ok
	[ "$(echo "$2 $3" | awk '{ print ($1 <= $2) }')" = 1 ] || {
		mark=EXCEEDED
		worst=1
	}
	printf '%-48s %8s s %8s s  %s\n' "$1" "$2" "$3" "$mark"
}

say "a cold verify, its log is $(shown "$dir")/cold"
timed "$dir/cold"
cold=$seconds

# The edit is one more patch on a copy of the series.
mkdir "$dir/series"
cp -r "$SERIES/." "$dir/series"
file=virt/kvm/pfncache.c
built=$(echo "$dir"/build/linux-*)
{
	echo "/* an edit */"
	cat "$built/patched/$file"
} >"$dir/edited"
diff -u --label "a/$file" --label "b/$file" "$built/patched/$file" "$dir/edited" \
	>"$dir/series/edit.patch" || :
echo edit.patch >>"$dir/series/series"
say "a verify after an edit, its log is $(shown "$dir")/warm"
SERIES=$dir/series
timed "$dir/warm"
warm=$seconds

boot=$(sed -n 's/^boot_seconds=//p' "$dir"/build/results/*/2*/*/meta | sort -n | tail -n 1)
say "on $(nproc) CPUs, $(head -n 1 "$dir/build/accel"):"
printf '%-48s %10s %10s\n' "what" "measured" "limit"
row "verify, cold, no compiler cache" "$cold" 480
row "verify, after an edit of $file" "$warm" 60
row "start of QEMU to PID 1, the slowest boot" "$boot" 2.5
rm -rf "$dir/build"
exit "$worst"
