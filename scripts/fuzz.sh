#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Fuzz pfncache.c on the host, for FUZZ_SECONDS (60): sequences of operations against
# the model in unit/ops.c, guided by coverage.  Then, for as long, the whole of KVM's Xen
# interface in the VM (lab/vm/stress.c), from SEED on.
#
# The patched kernel has to stand both.  The stock one goes first and must not: a fuzzer
# that finds nothing there is broken.
#
# What the first found interesting stays in $OUT/unit/corpus, for the next time.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/host.sh
. "$TOP/scripts/lib/host.sh"

seconds=${FUZZ_SECONDS:-60}
[ "$seconds" -gt 0 ] 2>/dev/null || die "SECONDS=$seconds is no time; give 1 or more."
seed=${SEED:-1}
[ "$seed" -ge 0 ] 2>/dev/null || die "SEED=$seed is no number."
take_lock
"$TOP/scripts/steps/packages.sh" clang
"$TOP/scripts/steps/packages.sh" "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
"$TOP/scripts/steps/prepare.sh"
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

run=$RESULTS/fuzz
rm -rf "$run"
mkdir -p "$run/bin"
cp "$BUILD/bin/stress" "$run/bin"
export TABLE="$run/tests" TESTS="$run/bin"

# stress KERNEL SECONDS: the judge's status; its words are in $log
stress()
{
	log=$run/$1.judged
	echo "stress	ktap	$(($2 * 2 + 120))	$seed $2 plain timers" >"$TABLE"
	"$TOP/scripts/steps/initramfs.sh"
	"$TOP/scripts/steps/boot.sh" "$1" "$run/$1"
	status=0
	"$BUILD/bin/judge" --one "$run/$1" "$TOP/lab/tables/splats" >"$log" || status=$?
	return "$status"
}

say "stress in the VM: stock for 10 s, it has to fail"
status=0
stress stock 10 || status=$?
[ "$status" -eq 1 ] || die "the stress finds nothing on stock; see $(shown "$log")."
sed -n '/<--/p; /^ *line [0-9]*:/p' "$log"
say "stress in the VM: patched for twice $seconds s"
stress patched "$seconds" || {
	cat "$log"
	say "fuzz: patched fails in the VM; SEED=$seed is where it began"
	exit 1
}
say "fuzz: patched stands $done on the host and" \
	"$(sed -n 's/^ *# seed .*, \([0-9]*\) operations/\1/p' "$run/patched/ktap" | awk '{ n += $1 } END { print n }')" \
	"operations in the VM (SEED=$seed), stock neither"
