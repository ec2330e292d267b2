#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Show that the tests have teeth: build the patched kernel with one deliberate
# fault at a time and demand that the test which the fault names catches it.
#
# The faults are lab/mutants/*.patch, see scripts/lib/faults.sh; each names the TEST SUBTEST.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/faults.sh
. "$TOP/scripts/lib/faults.sh"

take_lock
"$TOP/scripts/steps/prepare.sh"

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
for file in $(faults lab/mutants); do
	name=$(basename "$file" .patch)
	caught_by=$(fault "$file" Caught-by)
	subtest=${caught_by#* }

	"$TOP/scripts/steps/kernel.sh" mutant "$file"
	# The tests' harness runs the one that -r names, FIXTURE.VARIANT.TEST.
	echo "${caught_by%% *} ktap 60 -r $subtest" >"$TABLE"
	"$TOP/scripts/steps/initramfs.sh"
	"$TOP/scripts/steps/boot.sh" mutant "$run/$name"

	what=$(verdict "$run/$name" "$subtest")
	n=$((n + 1))
	case $what in
	caught*) ;;
	*) bad=$((bad + 1)) ;;
	esac
	printf '%-18s  %-28s  %s\n' "$what" "$name" "$(fault "$file" Breaks)" |
		tee -a "$run/table"
done

echo
cat "$run/table"
echo
echo "mutants: $((n - bad)) of $n faults caught"
[ "$bad" -eq 0 ]
