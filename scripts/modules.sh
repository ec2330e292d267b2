#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# KVM's modules alone, patched, for the kernel that Debian built from the base's source:
# a DKMS package, and the proof that it works.
#
# Debian's packages (kernel, headers, dkms) are unpacked below $OUT/modules, nothing is
# installed.  DKMS builds the package's modules there, installs and removes them; the
# kernel then boots in the lab with its own modules (stock) and with ours (patched), and
# both run the same tests.  Where Debian left KVM_XEN out there is little to compare, so
# there stock is the unpatched source, built like the package.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

work=$OUT/modules
root=$work/root
run=$RESULTS/modules
kvm="kvm.ko kvm-intel.ko kvm-amd.ko"

# fetch DIR VERSION: Debian's kernel of that version, all that a module's build needs
# of it, and dkms
fetch()
{
	cd "$1"
	real=$(depends "$image" "$2" '^linux-image-')
	if [ -z "$real" ] && [ "$(id -u)" -eq 0 ]; then
		apt-get update
		real=$(depends "$image" "$2" '^linux-image-')
	fi
	[ -n "$real" ] || {
		echo "apt has no $image of version $2; 'make clean' makes way for the newest source, which has one."
		exit 1
	}
	headers=linux-headers-${real#linux-image-}
	apt-get download dkms
	for name in $real $headers $(depends "$headers" "$2" '^linux-(headers|kbuild)-'); do
		apt-get download "$name=$2"
	done
}

# depends PACKAGE VERSION REGEX: the packages that it depends on and whose names match
depends()
{
	apt-cache show "$1=$2" 2>/dev/null | sed -n 's/^Depends: //p' | head -n 1 |
		tr -s ',|' '\n' | sed 's|^ *||; s| .*||' | grep -E "$3" || :
}

# unpack DIR: the packages of DIR; what was meant for / finds its way below $root
unpack()
{
	for deb in "$1"/*.deb; do
		case ${deb##*/} in
		dkms_*) dpkg-deb -x "$deb" "$work/dkms" ;;
		*) dpkg-deb -x "$deb" "$root" ;;
		esac
	done
	sed -i "s|^include /usr/|include $root/usr/|" "$root"/usr/src/linux-headers-*-amd64/Makefile
}

# Called by name through step(), in a shell of its own.
if [ "${1:-}" = fetch ]; then
	fetch "$2" "$3"
	exit
fi
if [ "${1:-}" = unpack ]; then
	unpack "$2"
	exit
fi

# carried FILE: is it one that the package has to carry?
carried()
{
	case $1 in
	arch/x86/kvm/* | virt/kvm/* | include/* | arch/x86/include/*) return 0 ;;
	Documentation/* | tools/testing/*) return 1 ;;
	esac
	die "the series changes $1, which is in none of KVM's modules; it takes a kernel of its own."
}

# assemble DIR [patched]: KVM's source and how to build it, unpatched or with the series
assemble()
{
	mkdir -p "$1/arch/x86" "$1/virt"
	cp -a "$OUT/src/arch/x86/kvm" "$1/arch/x86/"
	cp -a "$OUT/src/virt/kvm" "$1/virt/"
	cp "$TOP/packaging/dkms/Kbuild" "$TOP/packaging/dkms/Makefile" "$1/"
	# The headers package has no virt/kvm.
	# shellcheck disable=SC2016 # make's own variables
	sed -i 's|$(srctree)|$(src)/../../..|' "$1/arch/x86/kvm/Makefile"
	[ $# -eq 2 ] || return 0
	while read -r file; do
		carried "$file" || continue
		rm -f "$1/$file"
		[ ! -f "$OUT/series/$file" ] || {
			mkdir -p "$1/${file%/*}"
			cp "$OUT/series/$file" "$1/$file"
		}
	done <"$OUT/series.touched"
}

# filled_in FILE: a template of the package without its @WORDS@
filled_in()
{
	sed -e "s|@NAME@|$name|g" -e "s|@VERSION@|$version|g" -e "s|@KERNEL@|$kernel|g" \
		-e "s|@FENCE@|^$(echo "$kernel" | sed 's/[.+]/\\\\&/g')\$|" \
		-e "s|@MAINTAINER@|${DEBFULLNAME:-$(id -un)} <${DEBEMAIL:-$(id -un)@localhost}>|" \
		"$TOP/packaging/dkms/$1.in"
}

# package: the DKMS package, $deb
package()
{
	pkg=$work/deb
	source=$pkg/usr/src/$name-$version
	mkdir -p "$source" "$pkg/DEBIAN"
	assemble "$source" patched
	filled_in dkms.conf >"$source/dkms.conf"
	filled_in control | sed '/^#/d' >"$pkg/DEBIAN/control"
	for script in postinst prerm; do
		filled_in "$script" >"$pkg/DEBIAN/$script"
		chmod 755 "$pkg/DEBIAN/$script"
	done
	dpkg-deb --root-owner-group -b "$pkg" "$deb" >"$LOGS/modules-deb"
}

# dkms ACTION [KERNEL]: what DKMS does on a machine with Debian's kernel, or with another, but
# below $work
dkms()
{
	action=$1
	log=$LOGS/dkms-$action${2:+-other}
	set -- -m "$name" -v "$version" -k "${2:-$kernel}" -a x86_64 --no-depmod \
		--dkmstree "$work/tree" --sourcetree "$work/source/usr/src" \
		--installtree "$root/lib/modules" --kernelsourcedir "$headers"
	# No key of this machine signs anything here.
	# shellcheck disable=SC2086 # a list of words
	step "dkms $action" "$log" $as_root env sign_file=none \
		"$work/dkms/usr/sbin/dkms" "$action" "$@"
}

# index: let modprobe find what is there now
index()
{
	depmod -C /dev/null -b "$root" -F "$root/boot/System.map-$kernel" "$kernel"
}

# manifest: all that there is below $root, with its content
manifest()
{
	(
		cd "$root"
		find . -printf '%y %m %p %l\n' | sort
		find . -type f -exec sha256sum {} + | sort -k 2
	)
}

# loaded: the files that modprobe loads for KVM, in their order
loaded()
{
	for vendor in kvm-intel kvm-amd; do
		modprobe -C /dev/null -d "$root" -S "$kernel" --show-depends "$vendor"
	done | sed -n 's/^insmod \(.*[^ ]\) *$/\1/p' | awk '!seen[$0]++'
}

# kernel_of NAME: Debian's kernel as boot.sh wants it, with the modules that are named
# on standard input
kernel_of()
{
	dir=$work/$1
	mkdir -p "$dir/arch/x86/boot" "$dir/include/config" "$dir/modules"
	cp "$root/boot/vmlinuz-$kernel" "$dir/arch/x86/boot/bzImage"
	cp "$root/boot/config-$kernel" "$dir/.config"
	echo "$kernel" >"$dir/include/config/kernel.release"
	while read -r file; do
		ko=$(basename "$file" .xz)
		case $file in
		*.xz) xz -dc "$file" >"$dir/modules/$ko" ;;
		*) cp "$file" "$dir/modules/$ko" ;;
		esac
		echo "$ko" >>"$dir/modules/list"
	done
	MODULES=$dir/modules INITRAMFS=$dir/initramfs.cpio "$TOP/scripts/initramfs.sh"
}

# symbols FILE: what a module takes from others, a line a symbol: its checksum, its name
symbols()
{
	modprobe --dump-modversions "$1"
}

# served: the same, of all that the kernel and the patched modules offer
served()
{
	awk -F'\t' '$3 !~ "^arch/x86/kvm/" { print $1 "\t" $2 }' "$headers/Module.symvers"
	modprobe --show-exports "$work/patched/modules/kvm.ko"
}

# unserved FILE: how many of the symbols that it takes are not offered, or otherwise
unserved()
{
	symbols "$1" | sort >"$work/wanted"
	served | sort | comm -23 "$work/wanted" - | wc -l
}

# ran NAME: did the boot of that kernel run the code of these files?
ran()
{
	while read -r ko; do
		id=$(readelf -n "$work/$1/modules/$ko" | sed -n 's/.*Build ID: //p')
		grep -qx -e "# module $ko: $id" -e "# module $ko: no hardware" "$run/$1/ktap" ||
			die "the boot of $1 did not run the $ko that it was given; see $(shown "$run/$1")/ktap."
	done <"$work/$1/modules/list"
}

# users: the modules of this kernel that use kvm.ko and are not of KVM
users()
{
	sed -n 's|^\(kernel/[^:]*\):.*/kvm\.ko.*|\1|p' "$root/lib/modules/$kernel/modules.dep" |
		grep -v '^kernel/arch/x86/kvm/' | sed "s|^|$root/lib/modules/$kernel/|"
}

# fact WHAT TEXT: a line of the summary
fact()
{
	printf '%-12s %s\n' "$1" "$2"
}

[ -z "$KTREE$KTARBALL" ] || die "modules are for a kernel that Debian built; run it without KTREE and KTARBALL."
[ -n "$image" ] || die "bases/linux-$BASE names no kernel that Debian built; give BASE=6.1 or BASE=6.12."
as_root=
[ "$(id -u)" -eq 0 ] || {
	as_root="unshare -r"
	$as_root true 2>/dev/null ||
		die "dkms wants to be root, and 'unshare -r' does not work here; run this as root."
}

take_lock
patches >/dev/null
"$TOP/scripts/packages.sh"
"$TOP/scripts/packages.sh" kmod binutils
"$TOP/scripts/source.sh"
"$TOP/scripts/series.sh" apply
need_space 4000

# The kernel, of the source's very version.
version=$(sed 's/^Debian [^ ]* \([^ ]*\) .*/\1/' "$OUT/origin")
debs=$BUILD/dl/kernel-$version
if [ ! -d "$debs" ]; then
	rm -rf "$debs.tmp"
	mkdir -p "$debs.tmp"
	step "fetching Debian's kernel $version" "$LOGS/modules-fetch" "$0" fetch "$debs.tmp" "$version"
	mv "$debs.tmp" "$debs"
fi
rm -rf "$work" "$run"
mkdir -p "$root" "$work/dkms" "$work/tree" "$work/source"
step "unpacking it" "$LOGS/modules-unpack" "$0" unpack "$debs"
kernel=$(basename "$root"/boot/vmlinuz-*)
kernel=${kernel#vmlinuz-}
headers=$root/usr/src/linux-headers-$kernel
"$TOP/scripts/packages.sh" "$(sed -n 's/^CC = .*\(gcc-[0-9]*\)$/\1/p' "$headers/.kernelvariables")"
index
own=$(loaded)

# The tests are built from the patched tree; a copy that was never compiled will do.
tree=patched
if [ ! -d "$OUT/patched" ]; then
	tree=tests
	[ -d "$OUT/tests" ] || {
		rm -rf "$OUT/tests.tmp"
		cp -al "$OUT/src" "$OUT/tests.tmp"
		mv "$OUT/tests.tmp" "$OUT/tests"
	}
fi
"$TOP/scripts/series.sh" install "$tree"
"$TOP/scripts/selftests.sh" "$tree"

# The package, from its file to the files that modprobe finds.
name=kvm-gpc-$BASE
deb=$work/$name-dkms_${version}_all.deb
package
dpkg-deb -x "$deb" "$work/source"
manifest >"$work/before"
dkms add
# One more digit is enough to be another kernel.
(dkms build "${kernel}1") 2>/dev/null || :
grep -q 'BUILD_EXCLUSIVE directive' "$LOGS/dkms-build-other" ||
	die "dkms did not refuse to build for another kernel; see $(shown "$LOGS/dkms-build-other")."
start=$(uptime)
dkms build
seconds=$(($(uptime) - start))
dkms install
index
ours=$(loaded)
[ "$(echo "$ours" | grep -c '/updates/dkms/kvm.*\.ko$')" -eq 3 ] ||
	die "modprobe does not find the three modules that dkms installed, but:" "$ours"
echo "$ours" | kernel_of patched
size=$(du -sk "$root/lib/modules/$kernel/updates" | cut -f1)
takes=$(for ko in $kvm; do symbols "$work/patched/modules/$ko"; done | wc -l)
for ko in $kvm; do
	[ "$(modinfo -F vermagic "$work/patched/modules/$ko")" = "$(modinfo -F vermagic "$(echo "$own" | grep "/$ko")")" ] ||
		die "the $ko that was built has another vermagic than Debian's."
	[ "$(unserved "$work/patched/modules/$ko")" -eq 0 ] ||
		die "the kernel does not offer all symbols that the $ko that was built takes; see $(shown "$work/wanted")."
done

# Away again: not a byte may be left or missing.
dkms remove
index
manifest >"$work/after"
diff "$work/before" "$work/after" >"$work/left" || {
	head -n 20 "$work/left" >&2
	die "after 'dkms remove' the kernel's files are not what they were, see above."
}
[ "$(loaded)" = "$own" ] || die "after 'dkms remove' modprobe does not find Debian's own modules."
[ -z "$(ls "$work/tree/$name" 2>/dev/null)" ] || die "'dkms remove' left something in $(shown "$work/tree")."

# What is stock?
echo "$own" | kernel_of own
stock="Debian's own modules"
if grep -qx CONFIG_KVM_XEN=y "$root/boot/config-$kernel"; then
	mv "$work/own" "$work/stock"
else
	stock="the unpatched source's modules with KVM_XEN, which Debian leaves out"
	assemble "$work/unpatched"
	step "building the unpatched modules" "$LOGS/modules-unpatched" \
		make -C "$work/unpatched" -j"$(nproc)" KDIR="$headers" modules
	strip -g "$work"/unpatched/arch/x86/kvm/*.ko
	echo "$own" | sed "s|.*/\(kvm[^/]*\.ko\)$|$work/unpatched/arch/x86/kvm/\1|" | kernel_of stock
fi

# Debian's kernels preempt themselves as seldom as they were told at boot.  What the series
# mends in the accounting of a preempted vCPU shows in one that was told to, like the lab's.
export WORDS=preempt=full
"$TOP/scripts/accel.sh" modules/stock
mkdir -p "$run"
if [ -d "$work/own" ]; then
	"$TOP/scripts/boot.sh" modules/own "$run/own"
	status=0
	"$BUILD/bin/judge" --one "$run/own" "$TOP/lab/splats" >"$run/own/judged" || status=$?
	[ "$status" -eq 4 ] || {
		cat "$run/own/judged"
		die "with Debian's own modules, which have no KVM_XEN, each test has to be skipped; see above."
	}
	ran own
fi
boot_both "$run" modules

echo
fact kernel "$kernel, Debian's $version, unchanged"
fact "" "booted with $WORDS, as some of the tests are about preemption"
fact stock "$stock"
[ ! -d "$work/own" ] || fact "" "(Debian's own: $(tail -n 1 "$run/own/judged"))"
fact patched "$(shown "$deb"), $(($(wc -c <"$deb") / 1024)) KiB"
fact build "$seconds s on $(nproc) CPUs, by DKMS; $size KiB installed"
fact fence "refused for the kernel ${kernel}1"
fact symbols "$takes taken, each offered by this kernel or these modules with the same checksum"
fact removal "each file is what it was before, modprobe finds Debian's own modules again"
for file in $(users); do
	count=$(unserved "$file")
	[ "$count" -eq 0 ] ||
		fact "not beside" "${file##*/}: $count symbols of KVM have other checksums, so the kernel refuses to load it"
done
echo
status=0
RUN=$run "$TOP/scripts/judge.sh" || status=$?
[ "$status" -eq 2 ] || {
	ran stock
	ran patched
}
exit "$status"
