#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Which lines of the patched pfncache.c the tests of unit/ and its fuzzer reach; fails
# if they are fewer than 90 in 100.  The lines themselves are in $OUT/unit/coverage.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/host.sh
. "$TOP/scripts/lib/host.sh"

take_lock
host_packages
"$TOP/scripts/steps/packages.sh" clang llvm
"$TOP/scripts/steps/packages.sh" "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
"$TOP/scripts/steps/source.sh"
"$TOP/scripts/steps/series.sh" apply
host_patched coverage

dir=$OUT/unit/patched
rm -f "$dir"/*.profraw
for program in states races; do
	LLVM_PROFILE_FILE=$dir/$program.profraw "$dir/$program-cov" >"$dir/$program-cov.out" 2>&1 ||
		die "$program fails; see make unit."
done
# So many inputs, always the same ones.
LLVM_PROFILE_FILE=$dir/fuzz.profraw "$dir/fuzz-cov" -seed=1 -runs=20000 -max_len=240 \
	-artifact_prefix="$dir/" >"$dir/fuzz-cov.out" 2>&1 || die "the fuzzer fails; see make fuzz."
llvm-profdata merge -o "$dir/all.profdata" "$dir"/*.profraw

# llvm TOOL...: a tool's view of pfncache.c in all programs
llvm()
{
	llvm-cov "$@" "$dir/states-cov" -object "$dir/races-cov" -object "$dir/fuzz-cov" \
		-instr-profile="$dir/all.profdata" "$(first_of virt/kvm/pfncache.c "$OUT/series" "$OUT/src")"
}
llvm show >"$OUT/unit/coverage"
llvm export -summary-only >"$OUT/unit/coverage.json"
percent=$(sed -n 's/.*"totals":.*"lines":{"count":[0-9]*,"covered":[0-9]*,"percent":\([0-9.]*\).*/\1/p' \
	"$OUT/unit/coverage.json")
percent=$(echo "$percent" | awk 'NF { printf "%.2f", $1 }')
[ -n "$percent" ] || die "llvm-cov reports nothing; see $(shown "$OUT")/unit/coverage.json."
awk -F'|' '$2 ~ /^ *0$/ { print "not reached:" $0 }' "$OUT/unit/coverage"
say "coverage: $percent % of the lines of pfncache.c (linux-$BASE), at least 90 are wanted; see $(shown "$OUT")/unit/coverage"
[ "$(echo "$percent" | awk '{ print ($1 >= 90) }')" = 1 ]
