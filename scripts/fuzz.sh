#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Fuzz pfncache.c on the host, for FUZZ_SECONDS (60): sequences of operations against
# the model in unit/ops.c, guided by coverage.  The patched kernel has to stand it.
# The stock one goes first and must not: a fuzzer that finds nothing there is broken.
#
# What was found interesting stays in $OUT/unit/corpus, for the next time.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/host.sh
. "$TOP/scripts/host.sh"

seconds=${FUZZ_SECONDS:-60}
[ "$seconds" -gt 0 ] 2>/dev/null || die "SECONDS=$seconds is no time; give 1 or more."
take_lock
"$TOP/scripts/packages.sh" clang
"$TOP/scripts/packages.sh" "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
"$TOP/scripts/source.sh"
"$TOP/scripts/series.sh" apply
host_stock fuzz
host_patched fuzz

# fuzz KERNEL SECONDS: the status of libFuzzer; its words are in $log
fuzz()
{
	dir=$OUT/unit/$1
	log=$LOGS/fuzz-$1
	mkdir -p "$OUT/unit/corpus"
	timeout $(($2 + 60)) "$dir/fuzz" -max_total_time="$2" -max_len=240 -timeout=10 \
		-artifact_prefix="$dir/" "$OUT/unit/corpus" >"$log" 2>&1 </dev/null
}

say "fuzzing stock for 20 s at most, it has to fail"
! fuzz stock 20 || die "the fuzzer finds nothing on stock; see $(shown "$log")."
sed -n '/^# /p' "$log"
say "fuzzing patched for $seconds s"
if ! fuzz patched "$seconds"; then
	sed -n '/^# /p; /^SUMMARY/p; /Test unit written/p' "$log"
	say "fuzz: patched fails; $(shown "$dir")/fuzz FILE runs that input again"
	exit 1
fi
done=$(sed -n 's/^Done \([0-9]* runs\) in .*/\1/p' "$log")
[ -n "$done" ] || die "the fuzzer did not get to its end; see $(shown "$log")."
say "fuzz: $done, patched stands it"
