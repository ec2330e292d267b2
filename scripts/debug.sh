#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Boot the patched kernel (KERNEL=stock: the stock one) with KASAN, lockdep, kmemleak and
# fault injection, then with KCSAN and, where the base has that, with PREEMPT_RT; run the Xen
# selftests and lab/vm/stress on it, and demand that nothing fails and that the console tells
# of nothing.
#
# SEED=1 begins the stress, each of its phases takes SECONDS=60; lab/tables/debug.tests is the
# table.  KIND=kasan, kcsan or rt is about that kernel alone; KIND=plain, the one that
# `make fuzz` has, is none of them.  PHASES="..." runs these phases of the stress on it (by
# default the first kernel) and nothing else, and ROUND=n only that round of them, until it
# shows a problem again or SECONDS are over; the stress says which round it was.  What a
# run left is in $RESULTS/debug.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

kernel=${KERNEL:-patched}
seed=${SEED:-1}
seconds=${FUZZ_SECONDS:-60}
round=${ROUND:-}
kinds=${KIND:-}
case $kernel in
stock|patched) ;;
*) die "KERNEL=$kernel is neither stock nor patched." ;;
esac
case ${KIND:-} in
''|kasan|kcsan|rt|plain) ;;
*) die "KIND=$KIND is none of kasan, kcsan, rt and plain." ;;
esac
[ "$seconds" -gt 0 ] 2>/dev/null || die "SECONDS=$seconds is no time; give 1 or more."
[ "$seed" -ge 0 ] 2>/dev/null || die "SEED=$seed is no number."
if [ -n "$round" ]; then
	[ "$round" -ge 0 ] 2>/dev/null || die "ROUND=$round is no number."
	[ -n "${PHASES:-}" ] || die "ROUND=$round is a round of a phase; give PHASES=, too."
fi
if [ -n "${PHASES:-}" ]; then
	kinds=${KIND:-kasan}
	for phase in $PHASES; do
		case $kinds/$phase in
		*/plain|*/timers|*/ports) ;;
		kasan/many|rt/many|plain/many|kasan/failing|kasan/each|kasan/leaks|kasan/locks|rt/locks|kcsan/watched) ;;
		*/many) die "PHASES: in the phase many, vCPUs share pages; it is not for KIND=kcsan." ;;
		*/failing|*/each|*/leaks) die "PHASES: the phase $phase needs KIND=kasan." ;;
		*/locks) die "PHASES: the phase $phase needs KIND=kasan or KIND=rt." ;;
		*/watched) die "PHASES: the phase $phase needs KIND=kcsan." ;;
		*) die "PHASES: there is no phase $phase; lab/vm/stress.c has the list." ;;
		esac
	done
fi
take_lock
if [ "$kinds" = rt ]; then
	"$TOP/scripts/steps/packages.sh"
	"$TOP/scripts/steps/source.sh"
	has_rt || die "linux-$BASE has no PREEMPT_RT on x86; leave out KIND=rt."
fi
"$TOP/scripts/steps/prepare.sh"
if [ -z "$kinds" ]; then
	kinds="kasan kcsan"
	! has_rt || kinds="$kinds rt"
fi
# Each of the two trees.
need_space 3000

export TABLE="$OUT/debug.tests" TESTS="$OUT/debug.bin"
worst=0

# phases_of KIND: the phases that it runs by default; lockdep has to be awake at the end
phases_of()
{
	case $1 in
	kasan) echo plain ports many failing each timers leaks locks ;;
	kcsan) echo plain ports timers watched ;;
	rt) echo plain ports many timers locks ;;
	plain) echo plain ports timers ;;
	esac
}

# debug KIND PHASE...: one kernel
debug()
{
	kind=$1
	shift
	run=$RESULTS/debug/$kernel-$kind
	name=$kernel-$kind
	lists=$TOP/lab/tables/splats
	if [ "$kind" = plain ]; then
		name=$kernel
	else
		"$TOP/scripts/steps/kernel.sh" "$name"
		lists="$lists $TOP/lab/tables/splats.$kind"
	fi
	rm -rf "$TESTS" "$run"
	mkdir -p "$TESTS"
	cp "$OUT"/selftests/bin/* "$BUILD/bin/stress" "$TESTS"
	# A round takes a second or two, but one at a phase's end may take longer; what has
	# no time of its own (each, leaks) takes some minutes.
	limit=$((seconds * $# + 60 * $# + 900))
	sed -e "s/LIMIT\tSEED WHEN PHASES/$limit\t$seed $seconds${round:+@$round} $*/" \
		"$TOP/lab/tables/debug.tests" >"$TABLE"
	[ -z "${PHASES:-}" ] || sed -i '/^stress/!d' "$TABLE"
	# shellcheck disable=SC2086 # a list
	cat $lists >"$OUT/debug.splats"
	"$TOP/scripts/steps/initramfs.sh"
	"$TOP/scripts/steps/boot.sh" "$name" "$run"
	status=0
	"$BUILD/bin/judge" --one "$run" "$OUT/debug.splats" || status=$?
	[ "$status" -eq 0 ] || {
		say "$kernel-$kind did not pass; it is in $(shown "$run")"
		[ "$status" -le "$worst" ] || worst=$status
	}
}

for kind in $kinds; do
	# shellcheck disable=SC2046,SC2086 # lists
	debug "$kind" ${PHASES:-$(phases_of "$kind")}
done
say "debug: the $kernel kernels ($kinds) $([ "$worst" -eq 0 ] && echo passed || echo 'did not pass')" \
	"(SEED=$seed, ${round:+round $round, }$seconds s a phase)"
exit "$worst"
