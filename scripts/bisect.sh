#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# After each patch of the series alone: the kernel builds without a warning, and the
# tests of lab/tests that exist at that point pass.  A patch that changes neither KVM's
# objects nor the tests is not booted again.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

take_lock
"$TOP/scripts/prepare.sh"
list=$(patches)
total=$(echo "$list" | wc -l)
whole=$SERIES
run=$RESULTS/bisect
rm -rf "$run"
mkdir -p "$run"
export TABLE="$run/tests" TESTS="$OUT/selftests.bisect/bin"

# objects: one word for the code of KVM and the tests
objects()
{
	find "$OUT/bisect/arch/x86/kvm" "$OUT/bisect/virt/kvm" -name '*.o' | sort | while read -r object; do
		objcopy -O binary --only-section='.text*' --only-section='.rodata*' \
			--only-section='.data*' --only-section='.init*' "$object" "$run/code"
		sha256sum <"$run/code"
	done | cat - "$OUT/selftests.bisect/.lab-built" | sha256sum
}

n=0
before=
bad=0
for name in $list; do
	n=$((n + 1))
	begin=$(uptime)
	SERIES=$OUT/bisect.series
	rm -rf "$SERIES"
	mkdir "$SERIES"
	echo "$list" | head -n "$n" | tee "$SERIES/series" | while read -r patch; do
		cp "$whole/$patch" "$SERIES/"
	done
	"$TOP/scripts/series.sh" apply
	rm -f "$LOGS/build-bisect"
	"$TOP/scripts/kernel.sh" bisect
	TABLE=$TOP/lab/tests "$TOP/scripts/selftests.sh" bisect
	verdict=
	if grep -q 'warning: ' "$LOGS/build-bisect" 2>/dev/null; then
		grep 'warning: ' "$LOGS/build-bisect"
		verdict="FAIL: builds with a warning"
	fi
	now=$(objects)
	if [ -z "$verdict" ] && [ "$now" = "$before" ]; then
		verdict="builds; the same code as before"
	elif [ -z "$verdict" ]; then
		# The rows whose program is there
		while read -r row; do
			[ ! -f "$TESTS/${row%%	*}" ] || echo "$row"
		done <"$TOP/lab/tests" >"$TABLE"
		"$TOP/scripts/initramfs.sh"
		"$TOP/scripts/boot.sh" bisect "$run/$n"
		status=0
		"$BUILD/bin/judge" --one "$run/$n" "$TOP/lab/splats" >"$run/$n.judged" || status=$?
		verdict="builds; $(tail -n 1 "$run/$n.judged")"
		if [ "$status" -ne 0 ]; then
			cat "$run/$n.judged"
			before=
		else
			before=$now
		fi
	fi
	case $verdict in
	"builds; PASS"*|*"as before") ;;
	*) bad=$((bad + 1)) ;;
	esac
	printf '%2d of %d  %4d s  %-52.52s  %s\n' "$n" "$total" $(($(uptime) - begin)) "${name#*-}" "$verdict" |
		tee -a "$run/table"
done
SERIES=$whole "$TOP/scripts/series.sh" apply >/dev/null

echo
cat "$run/table"
echo "bisect: $((total - bad)) of $total patches build without a warning and pass, in $(($(uptime) - LAB_START)) s"
[ "$bad" -eq 0 ]
