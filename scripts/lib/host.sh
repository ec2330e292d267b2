# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# How unit/ is built against a kernel; sourced after common.sh by those who run its
# programs.  Neither root nor a kernel build is needed, just the source and the series.

# host_packages: what it takes; the sanitizers come with the compiler
host_packages()
{
	"$TOP/scripts/steps/packages.sh" gcc make libc6-dev patch xz-utils
}

# first_of FILE DIR...: FILE in the first DIR that has it
first_of()
{
	file=$1
	shift
	for dir in "$@"; do
		[ ! -f "$dir/$file" ] || {
			echo "$dir/$file"
			return
		}
	done
	die "the kernel has no $file."
}

# cut_out FROM TO FILE: the lines of FILE from one regex to the other
cut_out()
{
	sed -n "/$1/,/$2/p" "$3"
}

# put FILE: standard input as FILE, which stays as it is if it is the same
put()
{
	cat >"$1.tmp"
	if cmp -s "$1.tmp" "$1"; then
		rm "$1.tmp"
	else
		mv "$1.tmp" "$1"
	fi
}

# host_build NAME FLAGS TARGET DIR...: build TARGET of unit/Makefile in $OUT/unit/NAME,
# against the kernel whose files are in the first of the DIRs that has them
host_build()
{
	work=$OUT/unit/$1
	flags=$2
	target=$3
	shift 3
	mkdir -p "$work"
	types=$(first_of include/linux/kvm_types.h "$@")
	host=$(first_of include/linux/kvm_host.h "$@")
	main=$(first_of virt/kvm/kvm_main.c "$@")
	{
		cut_out '^enum pfn_cache_usage {' '^}' "$types"
		cut_out '^struct gfn_to_pfn_cache {' '^}' "$types"
	} | put "$work/gpc_struct.h"
	cut_out ' \* kvm_gpc_init - ' 'kvm_sigset_activate' "$host" |
		sed -e '1s|^|/**\n|' -e '/kvm_sigset_activate/d' | put "$work/gpc_api.h"
	{
		cut_out '^static int kvm_mmu_notifier_invalidate_range_start' '^}' "$main"
		cut_out '^void kvm_mmu_invalidate_end' '^}' "$main"
		cut_out '^static void kvm_mmu_notifier_invalidate_range_end' '^}' "$main"
	} | put "$work/notifier.c"
	# The topic scaling has the caches in a tree.
	! grep -q interval_tree_node "$work/gpc_struct.h" || flags="$flags -DSCALING"
	version=$(awk '/^(VERSION|PATCHLEVEL|SUBLEVEL) = / { v[++n] = $3 }
		n == 3 { print "KERNEL_VERSION(" v[1] "," v[2] "," v[3] ")"; exit }' "$OUT/src/Makefile")
	step "building the $target against ${work##*/}" "$LOGS/unit-${work##*/}" \
		make -C "$TOP/unit" -j"$(nproc)" OUT="$work" \
		PFNCACHE="$(first_of virt/kvm/pfncache.c "$@")" \
		KERNEL="'-DLINUX_VERSION_CODE=$version' $flags" \
		DIRS="$* $OUT/src/virt/kvm" "$target"
}

# host_stock TARGET, host_patched TARGET: the same for the two kernels of the lab
host_stock()
{
	host_build stock "" "$1" "$OUT/src"
}

host_patched()
{
	host_build patched -DPATCHED "$1" "$OUT/series" "$OUT/src"
}

# host_run NAME PROGRAM...: run programs of $OUT/unit/NAME for the verdict of each test, in
# NAME/results.  Fails if one, $program, does not get to its end: with a result of each
# test, and the exit status $ended that goes with them.
#
# ThreadSanitizer's reports fail a test, and are not to change the status as well; those
# that end a program have one that no test has.
host_run()
{
	dir=$OUT/unit/$1
	shift
	: >"$dir/results"
	for program in "$@"; do
		ended=0
		TSAN_OPTIONS=exitcode=0 ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99 \
			timeout 120 "$dir/$program" >"$dir/$program.ktap" 2>"$dir/$program.err" </dev/null || ended=$?
		planned=$(sed -n 's/^1\.\.//p' "$dir/$program.ktap")
		sed -n -e "s/^ok [0-9]* \(.*\)/pass ${program#threads-}: \1/p" \
			-e "s/^not ok [0-9]* \(.*\)/FAIL ${program#threads-}: \1/p" \
			"$dir/$program.ktap" >"$dir/$program.results"
		cat "$dir/$program.results" >>"$dir/results"
		[ "$(wc -l <"$dir/$program.results")" = "$planned" ] || return 1
		wanted=0
		! grep -q '^FAIL' "$dir/$program.results" || wanted=1
		[ "$ended" -eq "$wanted" ] || return 1
	done
}
