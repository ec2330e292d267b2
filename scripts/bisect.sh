#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# After each patch of the series: the kernel builds without a warning, and the tests pass.
#
# They are those of the whole series, so that each row of lab/tables/expect/linux-BASE is seen to turn at
# the patch that it names: before, it has to fail, and from there on to pass.  At a patch of
# topic tests they are those of lab/tables/tests that exist at that point.  A patch that changes
# neither KVM's objects nor the tests nor what they have to say is not booted again.
#
# What has passed once is kept in $OUT/bisect.passed, by all that it depends on, so that an
# interrupted run goes on where it was, and an edit costs the patches from there on.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

take_lock
"$TOP/scripts/steps/prepare.sh"
list=$(patches)
total=$(echo "$list" | wc -l)
whole=$SERIES
run=$RESULTS/bisect
rm -rf "$run"
mkdir -p "$run"
export TABLE TESTS

# objects: one word for the code of KVM
objects()
{
	find "$OUT/bisect/arch/x86/kvm" "$OUT/bisect/virt/kvm" -name '*.o' | sort | while read -r object; do
		objcopy -O binary --only-section='.text*' --only-section='.rodata*' \
			--only-section='.data*' --only-section='.init*' "$object" "$run/code"
		sha256sum <"$run/code"
	done | sha256sum
}

# expectations N: the rows of lab/tables/expect whose patch comes after the first N of the series
expectations()
{
	echo "$list" | sed "1,$1d; s|/\([0-9]*\)-.*|/\1|" | while read -r patch; do
		sed -n -e "\|^[^#].* fail $patch # |p" -e "\|^splat $patch |p" "$TOP/lab/tables/expect/linux-$BASE"
	done
}

# key N: one word for the first N patches, the tests, and what they have to say
key()
{
	{
		echo "$list" | head -n "$1" | (cd "$whole" && xargs cat)
		cat "$OUT/stock/.lab-built" "$OUT/selftests/.lab-built" "$TOP/lab/tables/tests" "$TOP/lab/tables/splats" "$run/$1.expect"
	} | sha256sum | cut -d' ' -f1
}

# row N NAME SECONDS VERDICT: a line of the table
row()
{
	printf '%2d of %d  %4d s  %-60.60s  %s\n' "$1" "$total" "$3" "$2" "$4" >>"$run/table"
	tail -n 1 "$run/table"
}

passed=$OUT/bisect.passed
mkdir -p "$passed"
n=0
before=
bad=0
for name in $list; do
	n=$((n + 1))
	begin=$(uptime)
	expectations "$n" >"$run/$n.expect"
	key=$(key "$n")
	if [ -f "$passed/$key" ]; then
		read -r seconds verdict <"$passed/$key"
		row "$n" "$name" "$seconds" "$verdict"
		before=
		continue
	fi
	SERIES=$OUT/bisect.series
	rm -rf "$SERIES"
	mkdir "$SERIES"
	echo "$list" | head -n "$n" | tee "$SERIES/series" | while read -r patch; do
		mkdir -p "$SERIES/${patch%/*}"
		cp "$whole/$patch" "$SERIES/$patch"
	done
	"$TOP/scripts/steps/series.sh" apply
	rm -f "$LOGS/build-bisect"
	"$TOP/scripts/steps/kernel.sh" bisect
	selftests=$OUT/selftests
	TABLE=$TOP/lab/tables/tests
	if [ "${name%%/*}" = tests ]; then
		selftests=$OUT/selftests.bisect
		"$TOP/scripts/steps/selftests.sh" bisect
		# The rows whose program is there
		while read -r row; do
			[ ! -f "$selftests/bin/${row%%	*}" ] || echo "$row"
		done <"$TABLE" >"$run/tests"
		TABLE=$run/tests
	fi
	TESTS=$selftests/bin
	verdict=
	if grep -q 'warning: ' "$LOGS/build-bisect" 2>/dev/null; then
		grep 'warning: ' "$LOGS/build-bisect"
		verdict="FAIL: builds with a warning"
	fi
	now=$({ objects; cat "$selftests/.lab-built" "$run/$n.expect"; } | sha256sum)
	if [ -z "$verdict" ] && [ "$now" = "$before" ]; then
		verdict="builds; the same code as before"
	elif [ -z "$verdict" ]; then
		"$TOP/scripts/steps/initramfs.sh"
		"$TOP/scripts/steps/boot.sh" bisect "$run/$n"
		status=0
		"$BUILD/bin/judge" --one "$run/$n" "$TOP/lab/tables/splats" "$run/$n.expect" >"$run/$n.judged" || status=$?
		verdict="builds; $(tail -n 1 "$run/$n.judged")"
		if [ "$status" -ne 0 ]; then
			cat "$run/$n.judged"
			before=
		else
			before=$now
		fi
	fi
	seconds=$(($(uptime) - begin))
	case $verdict in
	"builds; PASS"*|*"as before") echo "$seconds $verdict" >"$passed/$key" ;;
	*) bad=$((bad + 1)) ;;
	esac
	row "$n" "$name" "$seconds" "$verdict"
done
SERIES=$whole "$TOP/scripts/steps/series.sh" apply >/dev/null

echo
cat "$run/table"
echo "bisect: $((total - bad)) of $total patches build without a warning and pass"
[ "$bad" -eq 0 ]
