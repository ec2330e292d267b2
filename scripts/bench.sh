#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What KVM's Xen interface costs on the stock and on the patched kernel: instructions,
# counted by QEMU (lab/vm/cost.c), and the size of the text.  Each kernel boots twice, and
# its figures have to be the same: no clock of the VM is the host's.
#
# The patched kernel may be slower in no row but those of lab/tables/costs/linux-BASE, each
# with its reason, and both kernels may refuse no other operation than those that it has.
# The table and two pictures are in $RESULTS/bench, and go to docs/costs/ if they are good and
# of this repository's own series and source.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

take_lock
"$TOP/scripts/steps/prepare.sh"
"$TOP/scripts/steps/packages.sh" python3 gnuplot-nox

# For those who quote the figures
series=$(series_hash)
run=$RESULTS/bench
rm -rf "$run"
export TABLE="$run/tests" TESTS="$BUILD/bin" QEMU_CPUS="-smp 1 -icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm" ACCEL=tcg
# An instruction is a nanosecond.
export WORDS="tsc_early_khz=1000000 tsc=reliable"
mkdir -p "$run"
echo "cost	ktap	300" >"$TABLE"
"$TOP/scripts/steps/initramfs.sh"
for boot in 1 2; do
	boot_both "$run/$boot"
	for kernel in stock patched; do
		dir=$run/$boot/$kernel
		"$BUILD/bin/judge" --one "$dir" "$TOP/lab/tables/splats" >"$dir/judged" || {
			cat "$dir/judged"
			die "the costs of $kernel could not be measured, see above."
		}
		sed -n 's/^ *# cost \([^ ]*\) \(.*\)/\1\t\2/p' "$dir/ktap" >"$run/$kernel.$boot"
	done
done
for kernel in stock patched; do
	diff "$run/$kernel.1" "$run/$kernel.2" ||
		die "two boots of the $kernel kernel gave other figures, see above; see $(shown "$run")."
done

# size KERNEL OBJECT: what the tree's own tool says of it, in bytes
size()
{
	"$OUT/src/scripts/bloat-o-meter" "$OUT/$1/$2" "$OUT/$1/$2" |
		sed -n 's/^Total: Before=\([0-9]*\),.*/\1/p'
}
for object in arch/x86/kvm/xen.o arch/x86/kvm/x86.o virt/kvm/pfncache.o; do
	for kernel in stock patched; do
		printf '%s\tsize of %s, bytes\n' "$(size "$kernel" "$object")" "$object" >>"$run/$kernel.1"
	done
done

# A line a row: stock, patched, ratio, and what it is; "-" for what a kernel refuses
paste "$run/stock.1" "$run/patched.1" | awk -F'\t' '{
	ratio = ($1 == "-" || $3 == "-") ? "-" : sprintf("%.4f", $3 / $1)
	print $1 "\t" $3 "\t" ratio "\t" $2
	if ($2 != $4)
		exit 1
}' >"$run/rows" || die "stock and patched were not measured alike; see $(shown "$run")."

status=0
awk -F'\t' -v base="$BASE" -f "$TOP/lab/host/costs.awk" "$TOP/lab/tables/costs/linux-$BASE" "$run/rows" >"$run/table" || status=1
cat "$run/table"
slower=$(awk '$1 != "-" && $2 > $1' "$run/rows" | wc -l)
[ "$status" -eq 0 ] || {
	say "bench: $(wc -l <"$run/rows") rows, $slower of them slower on patched, and not all as lab/tables/costs/linux-$BASE has it"
	exit "$status"
}
out=$run/linux-$BASE
{
	echo "# SPDX-License-Identifier: GPL-2.0"
	echo "# Made by make bench BASE=$BASE, on $(cat "$OUT/origin")"
	echo "# Series: $series"
	echo
	cat "$run/table"
} >"$out.txt"
# Caches, stock, patched
sed -n 's/^\(.*\)\t\(.*\)\t.*\tinvalidation of an unrelated page, \([0-9]*\) caches$/\3\t\1\t\2/p' \
	"$run/rows" >"$run/invalidation"
# picture SCRIPT ROWS FILE
picture()
{
	gnuplot -e "rows='$2'; out='$3'; base='$BASE'" "$TOP/lab/host/$1.gnuplot" ||
		die "gnuplot could not draw the picture of $1."
	sed -i -e '1a <!-- SPDX-License-Identifier: GPL-2.0 -->' -e "1a <!-- Series: $series -->" "$3"
}
picture costs "$run/rows" "$out.svg"
picture invalidation "$run/invalidation" "$out-invalidation.svg"
if is_own; then
	mkdir -p "$TOP/docs/costs"
	cp "$out.txt" "$out.svg" "$out-invalidation.svg" "$TOP/docs/costs/"
	out=$TOP/docs/costs/linux-$BASE
fi
say "bench: $(wc -l <"$run/rows") rows, $slower of them slower on patched; $(shown "$out").txt, .svg and -invalidation.svg"
