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

run=$RESULTS/mutants

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

# lane N OF: every OFth fault from the Nth on, in a tree of their own.  A build has a core for
# itself at times, and a boot at most one, so that lanes side by side take half the time.
lane()
{
	which=mutant$1
	export TABLE="$OUT/$which.tests" INITRAMFS="$OUT/$which/initramfs.cpio"
	for file in $(faults lab/mutants | awk -v n="$1" -v of="$2" 'NR % of == n % of'); do
		name=$(basename "$file" .patch)
		caught_by=$(fault "$file" Caught-by)
		subtest=${caught_by#* }

		"$TOP/scripts/steps/kernel.sh" "$which" "$file"
		# The tests' harness runs the one that -r names, FIXTURE.VARIANT.TEST.
		echo "${caught_by%% *} ktap 60 -r $subtest" >"$TABLE"
		"$TOP/scripts/steps/initramfs.sh"
		"$TOP/scripts/steps/boot.sh" "$which" "$run/$name"
		printf '%-18s  %-28s  %s\n' "$(verdict "$run/$name" "$subtest")" "$name" "$(fault "$file" Breaks)" |
			tee -a "$run/table"
	done
}

case ${1:-} in
lane)
	"$@"
	exit
	;;
esac

take_lock
"$TOP/scripts/steps/prepare.sh"
rm -rf "$run"
mkdir -p "$run"
lanes=$(nproc)
[ "$lanes" -le 4 ] || lanes=4
n=0
while [ "$n" -lt "$lanes" ]; do
	n=$((n + 1))
	setsid "$0" lane "$n" "$lanes" &
	job="$job $!"
done
status=0
for pid in $job; do
	wait "$pid" || status=$?
done
job=
[ "$status" -eq 0 ] || exit "$status"

echo
sort -k 1.21 "$run/table"
n=$(wc -l <"$run/table")
caught=$(grep -c '^caught' "$run/table") || :
echo
echo "mutants: $caught of $n faults caught"
[ "$caught" -eq "$n" ] && [ "$n" -eq "$(faults lab/mutants | wc -l)" ]
