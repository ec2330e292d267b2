#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Measure what a user waits for, against its limits: a cold `make verify`, one
# after an edit of virt/kvm/pfncache.c, and the boot.  No compiler cache: it
# would measure an earlier run.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

take_lock
bench=$BUILD/bench
rm -rf "$bench"
mkdir -p "$bench"
export CCACHE_DISABLE=1
worst=0

# timed LOG: seconds that a `make verify` takes; dies unless its verdict is PASS
timed()
{
	start=$(uptime)
	BUILD=$bench/build "$TOP/scripts/verify.sh" >"$1" 2>&1 || {
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

say "a cold verify, its log is $(shown "$bench")/cold"
timed "$bench/cold"
cold=$seconds

# The edit is one more patch on a copy of the series.
mkdir "$bench/series"
cp "$SERIES"/* "$bench/series/"
file=virt/kvm/pfncache.c
built=$(echo "$bench"/build/linux-*)
{
	echo "/* an edit */"
	cat "$built/patched/$file"
} >"$bench/edited"
diff -u --label "a/$file" --label "b/$file" "$built/patched/$file" "$bench/edited" \
	>"$bench/series/edit.patch" || :
echo edit.patch >>"$bench/series/series"
say "a verify after an edit, its log is $(shown "$bench")/warm"
SERIES=$bench/series
timed "$bench/warm"
warm=$seconds

boot=$(sed -n 's/^boot_seconds=//p' "$bench"/build/results/*/2*/*/meta | sort -n | tail -n 1)
say "on $(nproc) CPUs, $(head -n 1 "$bench/build/accel"):"
printf '%-48s %10s %10s\n' "what" "measured" "limit"
row "verify, cold, no compiler cache" "$cold" 480
row "verify, after an edit of $file" "$warm" 60
row "start of QEMU to PID 1, the slowest boot" "$boot" 2.5
rm -rf "$bench/build"
exit "$worst"
