#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run every x86 KVM selftest of the patched tree on both kernels, with nested page tables
# and without them (kvm_amd.npt=0).
#
# A test's verdict has to be the same on both kernels, but for those that
# lab/tables/expect/linux-BASE wants to fail on stock.  What fails on both, or at times, under
# TCG is in lab/tables/suite/linux-BASE, with its reason; nothing else may fail.  With KVM nobody
# knows what the host's does, and a test may fail there if it fails on both.
#
# Tests that ask for trouble may have the kernel say so, but the patched one may say
# nothing of lab/tables/splats that stock does not.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/verdicts.sh
. "$TOP/scripts/lib/verdicts.sh"

take_lock
"$TOP/scripts/steps/prepare.sh"

tests=$OUT/suite

# named VARIABLE: the tests that the selftests' Makefile has in it
named()
{
	make -s -C "$OUT/patched/$selftests" CC="$CC" OUTPUT="$tests" \
		--eval "lab-list:;@printf '%s\n' \$(notdir \$($1))" lab-list | sort -u
}

key=$(cat "$OUT/patched/.lab-built")
if [ "$key" != "$(cat "$tests/.lab-built" 2>/dev/null)" ]; then
	rm -rf "$tests"
	mkdir -p "$tests/bin"
	# Those that cannot be built are looked for below.
	step "building all selftests" "$LOGS/suite" sh -c '"$@" || :' - env LDFLAGS=-static \
		make -C "$OUT/patched/$selftests" -k -j"$(nproc)" CC="$CC" OUTPUT="$tests" all
	find "$tests" -maxdepth 2 -type f -perm -u+x ! -name '*.*' ! -path "$tests/bin/*" \
		-exec cp -t "$tests/bin" {} +
	named TEST_GEN_PROGS >"$tests/all"
	[ -s "$tests/all" ] || die "the selftests' Makefile names no test."
	while read -r name; do
		[ -f "$tests/bin/$name" ] || grep -q "^$name broken #" "$TOP/lab/tables/suite/linux-$BASE" ||
			die "the selftest $name cannot be built, and nobody knows why; see $(shown "$LOGS/suite")."
	done <"$tests/all"
	echo "$key" >"$tests/.lab-built"
fi

# Those that are scripts want more than the VM has.
for name in $(named TEST_PROGS); do
	grep -q "^$name not-run #" "$TOP/lab/tables/suite/linux-$BASE" ||
		die "the selftest $name is a script, which is not run; say why not in lab/tables/suite/linux-$BASE."
done

export TABLE="$OUT/suite.tests" TESTS="$tests/bin"
for name in "$TESTS"/*; do
	# Those that are known to fail need not be waited for.
	limit=300
	! grep -q "^$(basename "$name") fail #" "$TOP/lab/tables/suite/linux-$BASE" || limit=60
	echo "$(basename "$name")	plain	$limit"
done >"$TABLE"
"$TOP/scripts/steps/initramfs.sh"
run=$RESULTS/suite
rm -rf "$run"
mkdir -p "$run"
tests | sort >"$run/names"

bad_splats=0
for npt in 1 0; do
	export WORDS="kvm_amd.npt=$npt"
	boot_both "$run/npt$npt"
	compare "$run/npt$npt" "$run/names"
	bad_splats=$((bad_splats + $(wc -l <"$run/npt$npt/new.splats")))
done

accel=$(head -n 1 "$BUILD/accel")

# known NAME WHAT NPT: does lab/tables/suite know that this test fails (fail), or at times
# (varies)?  Its reasons are about TCG and excuse nothing elsewhere.
known()
{
	[ "$accel" = tcg ] && grep -q "^$1 $2\( npt=$3\)\? #" "$TOP/lab/tables/suite/linux-$BASE"
}

# judge NAME STOCK PATCHED NPT: what is wrong with these two verdicts, if anything
judge()
{
	case $2-$3 in
	pass-pass|skip-skip)
		! known "$1" fail "$4" || echo "passes; take it out of lab/tables/suite/linux-$BASE"
		;;
	FAIL-FAIL)
		[ "$accel" != tcg ] || known "$1" fail "$4" || known "$1" varies "$4" ||
			echo "fails on both, and nobody knows why"
		;;
	*MISSING*) echo "no result" ;;
	FAIL-pass)
		grep -q "^$1 .* fail [^ ]* # " "$TOP/lab/tables/expect/linux-$BASE" || known "$1" varies "$4" || echo DIFFERS
		;;
	*) known "$1" varies "$4" || echo DIFFERS ;;
	esac
}

printf '%-40s  %-16s  %s\n' "test, stock -> patched" "npt=1" "npt=0"
bad=0
while read -r name stock1 patched1 stock0 patched0; do
	wrong=$(judge "$name" "$stock1" "$patched1" 1)$(judge "$name" "$stock0" "$patched0" 0)
	[ -z "$wrong" ] || bad=$((bad + 1))
	printf '%-40s  %-4s -> %-8s  %-4s -> %-8s%s\n' "$name" "$stock1" "$patched1" "$stock0" "$patched0" \
		"${wrong:+  <-- $wrong}"
done <<ROWS
$(join "$run/npt1/both" "$run/npt0/both")
ROWS
echo
for npt in 1 0; do
	sed "s/^/npt=$npt, a splat of patched alone: /" "$run/npt$npt/new.splats"
	comm -12 "$run/npt$npt/stock.splats" "$run/npt$npt/patched.splats" | sed "s/^/npt=$npt, a splat of both: /"
done
sed -n '/^#/!s/ \(fail\|varies\|broken\|not-run\)\( npt=[01]\)\? # /\2: /p' "$TOP/lab/tables/suite/linux-$BASE"
echo
echo "suite: $(wc -l <"$run/names") tests, with npt=1 and npt=0; $bad with a verdict that is not the same or not expected," \
	"$bad_splats kinds of splats on patched that stock has not got"
[ "$bad" -eq 0 ] && [ "$bad_splats" -eq 0 ]
