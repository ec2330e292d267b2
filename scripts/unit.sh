#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run the kernel's own pfncache.c on the host, stock and patched, against
# deterministic schedules of its races: unit/races.c.  Stock has to fail where
# unit/expect/linux-BASE says so and nowhere else, patched nowhere.
#
# Neither root nor a kernel build is needed, just the source and the series.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

take_lock
[ "$BASE" != 6.1 ] || {
	say "unit: linux-6.1 has no caches outside of memslots; nothing to run yet"
	exit 4
}
"$TOP/scripts/source.sh"
"$TOP/scripts/series.sh" apply

# cut_out FROM TO FILE: the lines of FILE from one regex to the other
cut_out()
{
	sed -n "/$1/,/$2/p" "$3"
}

# build KERNEL DIR...: the program of one kernel, whose files are looked for in the
# DIRs in turn
build()
{
	kernel=$1
	shift
	work=$OUT/unit/$kernel
	rm -rf "$work"
	mkdir -p "$work"
	include=
	for file in include/linux/kvm_types.h include/linux/kvm_host.h virt/kvm/kvm_main.c; do
		for dir in "$@"; do
			if [ -f "$dir/$file" ]; then
				cp "$dir/$file" "$work/"
				break
			fi
		done
	done
	for dir in "$@"; do
		include="$include -I$dir"
	done
	cut_out '^struct gfn_to_pfn_cache {' '^}' "$work/kvm_types.h" >"$work/gpc_struct.h"
	cut_out ' \* kvm_gpc_init - ' 'kvm_sigset_activate' "$work/kvm_host.h" |
		sed -e '1s|^|/**\n|' -e '/kvm_sigset_activate/d' >"$work/gpc_api.h"
	{
		cut_out '^static int kvm_mmu_notifier_invalidate_range_start' '^}' "$work/kvm_main.c"
		cut_out '^void kvm_mmu_invalidate_end' '^}' "$work/kvm_main.c"
		cut_out '^static void kvm_mmu_notifier_invalidate_range_end' '^}' "$work/kvm_main.c"
	} >"$work/notifier.c"
	flags=
	! grep -q 'kvm_gpc_refresh(.*len)' "$work/gpc_api.h" || flags="$flags -DGPC_LEN_IS_ARGUMENT"
	! grep -q 'hva_to_pfn(struct kvm_follow_pfn' "$OUT/src/virt/kvm/kvm_mm.h" ||
		flags="$flags -DHVA_TO_PFN_TAKES_STRUCT"
	# The kernel's own code is not ours to warn about.
	# shellcheck disable=SC2086 # lists of words
	# Neither is its way to end a loop over a list, at the head and not at an entry.
	gcc -std=gnu11 -O1 -g -Wall -fsanitize=address,undefined -fno-sanitize=alignment \
		-fno-sanitize-recover=all $flags -I"$TOP/unit/shim" -I"$work" $include -I"$OUT/src/virt/kvm" \
		-o "$work/races" "$TOP/unit/races.c" >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		die "unit/races.c does not build with the $kernel pfncache.c of $(cat "$OUT/origin"), see above."
	}
}

build stock "$OUT/src"
build patched "$OUT/series" "$OUT/src"

bad=0
for kernel in stock patched; do
	"$OUT/unit/$kernel/races" >"$OUT/unit/$kernel/ktap" || :
	sed -n "s/^not ok [0-9]* //p" "$OUT/unit/$kernel/ktap" >"$OUT/unit/$kernel/failed"
	planned=$(sed -n 's/^1\.\.//p' "$OUT/unit/$kernel/ktap")
	[ "$(grep -c '^\(not \)\?ok ' "$OUT/unit/$kernel/ktap")" = "$planned" ] || {
		say "unit: the $kernel program did not get to its end:"
		cat "$OUT/unit/$kernel/ktap"
		exit 2
	}
done
expect=$TOP/unit/expect/linux-$BASE
sed 's/[[:space:]]*#.*//; /^$/d' "$expect" | diff "$OUT/unit/stock/failed" - >"$OUT/unit/diff" || {
	say "unit: stock fails elsewhere than in $(shown "$expect"):"
	cat "$OUT/unit/diff"
	bad=1
}
# A line a test: its name, stock verdict, patched verdict.
awk '/^(not )?ok / {
	verdict = /^ok/ ? "pass" : "FAIL"
	sub(/^(not )?ok [0-9]* /, "")
	if (FNR == NR)
		stock[$0] = verdict
	else
		printf "%-60s  %s -> %s\n", $0, stock[$0], verdict
}' "$OUT/unit/stock/ktap" "$OUT/unit/patched/ktap"
[ ! -s "$OUT/unit/patched/failed" ] || bad=1
say "unit: $(grep -c '^ok ' "$OUT/unit/patched/ktap") of $planned pass on patched, $(wc -l <"$OUT/unit/stock/failed") fail on stock"
exit "$bad"
