#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The configurations, compilers and checkers that KVM's maintainers ask for
# (Documentation/process/maintainer-kvm-x86.rst).  The patched source has to build, and
# no tool may say of it what it does not say of stock, but for what lab/tables/matrix has
# with the reason.  Where KVM is modules, each symbol that one of them takes has to be
# exported.
#
# All of arch/x86/kvm and virt/kvm is built, on top of defconfig and lab/config/matrix/*.config.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

clang="clang-19"
work=$OUT/matrix
run=$RESULTS/matrix

# source_of KERNEL: its source; the patched one is links, but for the series' files
source_of()
{
	case $1 in
	stock) echo "$OUT/src" ;;
	patched) echo "$OUT/matrix.src" ;;
	esac
}

# in_source KERNEL ARGUMENT...: make there, with its objects apart
in_source()
{
	kernel=$1
	shift
	make -C "$(source_of "$kernel")" O="$work/$kernel" -j"$(nproc)" "$@"
}

# configure KERNEL ROW ARGUMENT...: 3 if this kernel has no such option
configure()
{
	kernel=$1
	row=$2
	shift 2
	src=$(source_of "$kernel")
	dir=$work/$kernel
	common=$TOP/lab/config/matrix/common.config
	fragment=$TOP/lab/config/matrix/$row.config
	sed -n 's/^\(# \)\?CONFIG_\([A-Z0-9_]*\)[= ].*/\2/p' "$fragment" | while read -r option; do
		grep -rqs --include='Kconfig*' "config $option\$" "$src/arch/x86" "$src/init" \
			"$src/kernel" "$src/lib" "$src/security" || exit 3
	done || return
	mkdir -p "$dir"
	in_source "$kernel" "$@" defconfig
	"$src/scripts/kconfig/merge_config.sh" -m -O "$dir" "$dir/.config" "$common" "$fragment"
	in_source "$kernel" "$@" olddefconfig
	lost=$(lost_options "$dir/.config" "$common" "$fragment")
	[ -z "$lost" ] || {
		echo "error: Kconfig took away $lost"
		exit 1
	}
}

# exports KERNEL: what KVM's modules take from each other and from the kernel has to be
# exported.  That is modpost's job, but it wants all of vmlinux for that.  What a macro
# exports under a name that it makes is not looked for.
exports()
{
	(
		cd "$work/$1/arch/x86/kvm"
		for module in kvm kvm-intel kvm-amd; do
			[ -f "$module.o" ] || {
				echo "error: no $module.o was built"
				exit 1
			}
			nm -u "$module.o" | sed 's/.* //' | sort -u >"$work/$module.takes"
		done
		nm -g --defined-only kvm.o | sed 's/.* //' | sort -u >"$work/kvm.has"
		# By older kernels and by those from 6.4 on
		nm kvm.o | sed -n 's/.* \(__ksymtab_\|__export_symbol_\)//p' | sort -u >"$work/kvm.gives"
		sort -u "$work/kvm-intel.takes" "$work/kvm-amd.takes" | comm -12 - "$work/kvm.has" |
			comm -23 - "$work/kvm.gives" | sed 's/.*/error: & of kvm.ko is used by another module and not exported/'
		grep -rhoE 'EXPORT[A-Z_0-9]*\([a-zA-Z0-9_]+' --include='*.[chS]' "$(source_of "$1")" | sed 's/.*(//' |
			sort -u >"$work/kernel.gives"
		sort -u "$work"/kvm*.takes | comm -23 - "$work/kvm.has" | comm -23 - "$work/kernel.gives" |
			grep -vE '^(__this_module|__SC[KT]__.*|__trace.*|__x86_.*|param_(get|set|ops)_.*)$' |
			sed 's/.*/error: & is used by a module of KVM, and nothing in the source exports it/'
	)
}

# One cell of the matrix, called by name through step(): what it prints is judged
cell_build()
{
	kernel=$1
	row=$2
	shift 2
	configure "$kernel" "$row" "$@" || return
	# Built anew, as a warning is given once only.
	rm -rf "$work/$kernel/arch/x86/kvm" "$work/$kernel/virt/kvm"
	in_source "$kernel" "$@" arch/x86/kvm/
	! grep -qx CONFIG_KVM=m "$work/$kernel/.config" || exports "$kernel"
}

# All that spatch prints is a message; what it is asked and does not answer is a failure.
cell_cocci()
{
	cd "$(source_of "$1")"
	failed=$work/cocci.failed
	rm -f "$failed"
	find scripts/coccinelle -name '*.cocci' | sort | while read -r rule; do
		grep -q '^virtual report' "$rule" || continue
		# Debian's spatch wants an OCaml compiler for these, and none is about KVM.
		! grep -q ':ocaml' "$rule" || continue
		grep '\.c$' "$OUT/series.touched" | grep -v ^tools | while read -r file; do
			[ -f "$file" ] || continue
			status=0
			timeout 300 spatch -D report --no-show-diff --very-quiet --no-includes \
				--cocci-file "$rule" "$file" 2>"$work/spatch" || status=$?
			[ "$status" -eq 0 ] || echo "spatch $rule $file: status $status: $(tail -n 1 "$work/spatch")" >>"$failed"
		done
	done
	[ ! -e "$failed" ] || {
		cat "$failed"
		return 1
	}
}

cell_kernel_doc()
{
	cd "$(source_of "$1")"
	grep '\.[ch]$' "$OUT/series.touched" | grep -v ^tools | while read -r file; do
		[ ! -f "$file" ] || scripts/kernel-doc -none "$file"
	done
}

cell_htmldocs()
{
	in_source "$1" SPHINXDIRS=virt/kvm htmldocs
}

case ${1:-} in
cell_*)
	"$@"
	exit
	;;
esac

# messages FILE CELL: what the tools have said, without the places, which patches move.
# Many a rule of coccicheck says neither warning nor error.
messages()
{
	anything='(^|[^a-z_])(warning|error): '
	[ "$2" != cocci ] || anything=.
	grep -iE "$anything" "$1" |
		sed -E -e "s,$OUT/[a-z./]*/(arch|virt|include|Documentation)/,\1/,g" -e 's/:[0-9]+(:[0-9]+)?(-[0-9]+)?:/:/g' \
			-e 's/(\.[a-zA-Z]+):[0-9]+ /\1: /g' -e 's/\b(line|lines|before|at|on) [0-9]+/\1 N/g' | sort
}

take_lock
"$TOP/scripts/steps/packages.sh"
"$TOP/scripts/steps/packages.sh" $clang sparse coccinelle python3-sphinx libssl-dev
"$TOP/scripts/steps/source.sh"
"$TOP/scripts/steps/series.sh" apply
need_space 3000
rm -rf "$run"
mkdir -p "$run" "$work"
if [ ! -d "$OUT/matrix.src" ]; then
	copy_tree "$OUT/src" "$OUT/matrix.src.tmp"
	mv "$OUT/matrix.src.tmp" "$OUT/matrix.src"
fi
"$TOP/scripts/steps/series.sh" install matrix.src

table=$run/table
: >"$table"
bad=0

# row NAME WHAT CELL ARGUMENT...: a line of the table; stock is asked only about messages
# that patched gives
row()
{
	name=$1
	what=$2
	cell=$3
	shift 3
	begin=$(uptime)
	verdict=clean
	say "$name: $what"
	: >"$run/$name.new"
	for kernel in patched stock; do
		log=$run/$name.$kernel
		status=0
		"$0" "cell_$cell" "$kernel" "$@" >"$log" 2>&1 </dev/null || status=$?
		messages "$log" "$cell" >"$log.messages" || :
		[ "$status" -ne 3 ] || {
			verdict="not in this kernel"
			break
		}
		if grep -q 'C=2 specified, but .* not up to date' "$log"; then
			verdict="not run: this kernel wants a newer one"
			break
		fi
		[ "$status" -eq 0 ] || {
			verdict="FAIL: $kernel ended with status $status, see $(shown "$log")"
			break
		}
		[ -s "$run/$name.patched.messages" ] || break
	done
	if [ "$verdict" = clean ] && [ -s "$run/$name.patched.messages" ]; then
		comm -13 "$run/$name.stock.messages" "$run/$name.patched.messages" >"$run/$name.new"
		verdict="as stock, $(wc -l <"$run/$name.patched.messages") messages"
		[ ! -s "$run/$name.new" ] || verdict="$verdict, $(wc -l <"$run/$name.new") of them in lab/tables/matrix"
	fi
	sed -n "s/^$BASE $name \(.*\) # .*/\1/p" "$TOP/lab/tables/matrix" | sort >"$run/$name.known"
	case $verdict in
	clean | as*)
		if ! diff "$run/$name.known" "$run/$name.new" >"$run/$name.diff"; then
			cat "$run/$name.diff"
			verdict="FAIL: not the messages of stock and of lab/tables/matrix"
		fi
		;;
	esac
	case $verdict in FAIL*) bad=$((bad + 1)) ;; esac
	printf '%-12s %-46s %5d s  %s\n' "$name" "$what" $(($(uptime) - begin)) "$verdict" | tee -a "$table"
}

row modules "gcc, KVM=m KVM_INTEL=m KVM_AMD=m KVM_WERROR=y" build modules CC="$CC"
row modules-clang "$clang, likewise" build modules CC="${CC%gcc}$clang"
row distribution "gcc, modules, FORTIFY_SOURCE=y UBSAN_BOUNDS=y" build distribution CC="$CC"
row no-xen "gcc, KVM_XEN=n" build no-xen CC="$CC"
row no-smm "gcc, KVM_SMM=n" build no-smm CC="$CC"
row lockdep "gcc, PROVE_LOCKING=y" build lockdep CC="$CC"
if has_rt; then
	row rt "gcc, PREEMPT_RT=y" build rt CC="$CC"
else
	printf '%-12s %-46s %7s  %s\n' rt "gcc, PREEMPT_RT=y" "" "not in this kernel" | tee -a "$table"
fi
row i386 "gcc, ARCH=i386" build i386 CC="$CC" ARCH=i386
row w1 "gcc, W=1" build warnings CC="$CC" W=1
row w1-clang "$clang, W=1" build warnings CC="${CC%gcc}$clang" W=1
row sparse "sparse $(sparse --version | sed 's, .*,,'), all of KVM" build modules CC="$CC" C=2
row coccinelle "coccicheck's rules, the series' files" cocci
row kernel-doc "kernel-doc, the series' files" kernel_doc
row htmldocs "Documentation/virt/kvm, with Sphinx" htmldocs
if command -v smatch >/dev/null; then
	row smatch "smatch, all of KVM" build modules CC="$CC" C=2 CHECK="smatch -p=kernel"
else
	printf '%-12s %-46s %7s  %s\n' smatch "smatch, all of KVM" "" "not run: Debian has no package of it" | tee -a "$table"
fi

echo
cat "$table"
echo "matrix: $bad of $(wc -l <"$table") rows are worse than stock"
[ "$bad" -eq 0 ]
