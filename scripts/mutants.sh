#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Show that the tests have teeth: build the patched kernel with one deliberate
# fault at a time and demand that the test which the fault names catches it.
#
# The faults are lab/mutants/linux-BASE/*.patch, with two lines ahead of the diff:
#
#   Breaks: what is wrong in this kernel
#   Caught-by: TEST SUBTEST

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

take_lock
"$TOP/scripts/prepare.sh"

export TABLE="$OUT/mutant.tests"
run=$RESULTS/mutants
rm -rf "$run"
mkdir -p "$run"

# verdict DIR SUBTEST: what became of the fault.  A result that is missing counts
# as a catch if the subtest had begun, as it does when the fault kills the kernel.
verdict()
{
	name=$(echo "$2" | sed 's/\./\\./g')
	result=$(sed -n "s/^  \(ok\|not ok\) 1 \(- \)\?$name\( .*\)\?\$/\1/p" "$1/ktap")
	case $result in
	ok) echo survived ;;
	"not ok") echo caught ;;
	*)
		if grep -qx '  1\.\.1' "$1/ktap"; then
			echo "caught (no result)"
		else
			echo "not run"
		fi
		;;
	esac
}

n=0
bad=0
for fault in "$TOP/lab/mutants/linux-$BASE"/*.patch; do
	[ -f "$fault" ] || die "there is no lab/mutants/linux-$BASE/*.patch."
	name=$(basename "$fault" .patch)
	caught_by=$(sed -n 's/^Caught-by: //p' "$fault")
	subtest=${caught_by#* }

	"$TOP/scripts/kernel.sh" mutant "$fault"
	# The tests' harness runs the one that -r names, FIXTURE.VARIANT.TEST.
	echo "${caught_by%% *} ktap 60 -r $subtest" >"$TABLE"
	"$TOP/scripts/initramfs.sh"
	"$TOP/scripts/boot.sh" mutant "$run/$name"

	what=$(verdict "$run/$name" "$subtest")
	n=$((n + 1))
	case $what in
	caught*) ;;
	*) bad=$((bad + 1)) ;;
	esac
	printf '%-18s  %-28s  %s\n' "$what" "$name" "$(sed -n 's/^Breaks: //p' "$fault")" |
		tee -a "$run/table"
done

echo
cat "$run/table"
echo
echo "mutants: $((n - bad)) of $n faults caught"
[ "$bad" -eq 0 ]
