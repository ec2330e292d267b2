#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Boot the patched kernel (KERNEL=stock: the stock one) with KASAN, lockdep, kmemleak and
# fault injection, then with KCSAN, run the Xen selftests and lab/stress on it, and
# demand that nothing fails and that the console tells of nothing.
#
# SEED=1 begins the stress, each of its phases takes SECONDS=60; lab/debug.tests is the
# table.  PHASES="..." runs these phases of the stress on the first kernel and nothing
# else.  What a run left is in $RESULTS/debug.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

kernel=${KERNEL:-patched}
seed=${SEED:-1}
seconds=${FUZZ_SECONDS:-60}
case $kernel in
stock|patched) ;;
*) die "KERNEL=$kernel is neither stock nor patched." ;;
esac
[ "$seconds" -gt 0 ] 2>/dev/null || die "SECONDS=$seconds is no time; give 1 or more."
[ "$seed" -ge 0 ] 2>/dev/null || die "SEED=$seed is no number."
for phase in ${PHASES:-}; do
	case $phase in
	plain|timers|vectors|blobs|failing|each|leaks) ;;
	*) die "PHASES: there is no phase $phase; lab/stress.c has the list." ;;
	esac
done
take_lock
"$TOP/scripts/prepare.sh"
# Each of the two trees.
need_space 3000

export TABLE="$OUT/debug.tests" TESTS="$OUT/debug.bin"
worst=0

# debug KIND PHASE...: one kernel
debug()
{
	kind=$1
	shift
	run=$RESULTS/debug/$kernel-$kind
	"$TOP/scripts/kernel.sh" "$kernel-$kind"
	rm -rf "$TESTS" "$run"
	mkdir -p "$TESTS"
	cp "$OUT"/selftests/bin/* "$BUILD/bin/stress" "$TESTS"
	sed -e "s/SEED SECONDS PHASES/$seed $seconds $*/" "$TOP/lab/debug.tests" >"$TABLE"
	[ -z "${PHASES:-}" ] || sed -i '/^stress/!d' "$TABLE"
	cat "$TOP/lab/splats" "$TOP/lab/splats.$kind" >"$OUT/debug.splats"
	"$TOP/scripts/initramfs.sh"
	"$TOP/scripts/boot.sh" "$kernel-$kind" "$run"
	status=0
	"$BUILD/bin/judge" --one "$run" "$OUT/debug.splats" || status=$?
	[ "$status" -eq 0 ] || {
		say "$kernel-$kind did not pass; it is in $(shown "$run")"
		[ "$status" -le "$worst" ] || worst=$status
	}
}

if [ -n "${PHASES:-}" ]; then
	# shellcheck disable=SC2086 # a list
	debug kasan $PHASES
else
	debug kasan plain failing each timers leaks
	debug kcsan plain timers watched
fi
say "debug: the $kernel kernels $([ "$worst" -eq 0 ] && echo passed || echo 'did not pass') (SEED=$seed, $seconds s a phase)"
exit "$worst"
