#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run the kernel's own pfncache.c on the host, stock and patched: each state of a
# cache, each schedule of two operations, and threads under the sanitizers; see unit/.
# Stock has to fail where unit/expect/linux-BASE says so and nowhere else, patched
# nowhere.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/host.sh
. "$TOP/scripts/lib/host.sh"

take_lock
host_packages
"$TOP/scripts/steps/source.sh"
"$TOP/scripts/steps/series.sh" apply
host_stock programs
host_patched programs

# must_run NAME PROGRAM...: host_run() for kernels that have to get to the end
must_run()
{
	host_run "$@" || {
		say "unit: $program of ${dir##*/} did not get to its end (status $ended):"
		tail -n 20 "$dir/$program.ktap" "$dir/$program.err"
		exit 2
	}
}

# On stock, what threads meet is a matter of chance.
must_run stock states races
must_run patched states races threads-tsan threads-asan

bad=0
expect=$TOP/unit/expect/linux-$BASE
sed -n 's/^FAIL //p' "$OUT/unit/stock/results" >"$OUT/unit/stock/failed"
sed 's/[[:space:]]*#.*//; /^$/d' "$expect" | diff "$OUT/unit/stock/failed" - >"$OUT/unit/diff" || {
	say "unit: stock fails elsewhere than in $(shown "$expect"):"
	cat "$OUT/unit/diff"
	bad=1
}
# A line a test: its name, stock verdict, patched verdict.
awk '{
	verdict = $1
	sub(/^[^ ]* /, "")
	if (FNR == NR)
		stock[$0] = verdict
	else
		printf "%-72s  %-4s -> %s\n", $0, stock[$0] ? stock[$0] : "-", verdict
}' "$OUT/unit/stock/results" "$OUT/unit/patched/results"
! grep '^FAIL' "$OUT/unit/patched/results" >"$OUT/unit/patched/failed" || {
	cat "$OUT"/unit/patched/*.ktap "$OUT"/unit/patched/*.err | grep -v '^ok'
	bad=1
}
say "unit: $(grep -c '^pass' "$OUT/unit/patched/results") of $(wc -l <"$OUT/unit/patched/results") pass on patched," \
	"$(wc -l <"$OUT/unit/stock/failed") fail on stock"
[ "$bad" -eq 0 ]
