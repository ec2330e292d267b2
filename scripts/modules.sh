#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# KVM's modules alone, patched, for the kernel that Debian built from the base's source:
# a DKMS package, and the proof that it works.
#
# Debian's packages of the kernel, its headers and dkms are unpacked below $OUT/modules
# and laid over this machine's own files in a mount namespace, so that nothing is
# installed and yet dpkg and DKMS do what they do on a machine with that kernel: install
# the package, build, sign, find the modules, remove them.  (DKMS with its trees put
# elsewhere is no proof: it then sees none of Debian's modules to compare with.)  The
# kernel then boots in the lab with its own modules (stock) and with ours (patched), and
# both run the same tests.  Where Debian left KVM_XEN out there is little to compare, so
# there stock is the unpatched source, built like the package.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

work=$OUT/modules
root=$work/root
run=$RESULTS/modules
kvm="kvm.ko kvm-intel.ko kvm-amd.ko"

# depends PACKAGE VERSION REGEX: the packages that it depends on and whose names match
depends()
{
	apt-cache show "$1=$2" 2>/dev/null | sed -n 's/^Depends: //p' | head -n 1 |
		tr -s ',|' '\n' | sed 's|^ *||; s| .*||' | grep -E "$3" || :
}

# fetch DIR VERSION: Debian's kernel of that version, all that a module's build needs
# of it, and dkms
fetch()
{
	cd "$1"
	real=$(depends "$image" "$2" '^linux-image-')
	if [ -z "$real" ]; then
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

# unpack DIR: the packages of DIR, as a layer that can lie over /
unpack()
{
	for deb in "$1"/*.deb; do
		dpkg-deb -x "$deb" "$root"
	done
	mv "$root/lib/modules" "$root/usr/lib/"
	rmdir "$root/lib"
	ln -s usr/lib "$root/lib"
	# A database of its own for dpkg: it need not know what else there is.
	db=/var/lib/dpkg-lab
	mkdir -p "$root/var/lib/dkms" "$root$db/info" "$root$db/updates" "$root$db/triggers" \
		"$root/etc/dpkg/dpkg.cfg.d"
	: >"$root$db/status"
	printf '%s\n' "admindir $db" "log /dev/null" force-depends >"$root/etc/dpkg/dpkg.cfg.d/lab"
}

# overlaid COMMAND...: run it where the unpacked packages are installed
overlaid()
{
	mount -t overlay overlay "$work/merged" \
		-o "lowerdir=/,upperdir=$root,workdir=$work/overlay" || exit
	mount --rbind /proc "$work/merged/proc"
	mount --rbind /dev "$work/merged/dev"
	exec chroot "$work/merged" env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# Called by name, in a shell of its own.
case ${1:-} in
fetch)
	fetch "$2" "$3"
	exit
	;;
unpack)
	unpack "$2"
	exit
	;;
inside)
	shift
	exec unshare -m "$0" overlaid "$@"
	;;
overlaid)
	shift
	overlaid "$@"
	;;
esac

# inside COMMAND...: run it where the unpacked packages are installed
inside()
{
	"$0" inside "$@"
}

# carried FILE: is it one that the package has to carry?
carried()
{
	case $1 in
	arch/x86/kvm/* | virt/kvm/* | include/* | arch/x86/include/*) return 0 ;;
	Documentation/* | tools/testing/*) return 1 ;;
	esac
	die "the series changes $1, which is in none of KVM's modules; it takes a kernel of its own."
}

# assemble DIR: KVM's source and how to build it
assemble()
{
	mkdir -p "$1/arch/x86" "$1/virt"
	cp -a "$OUT/src/arch/x86/kvm" "$1/arch/x86/"
	cp -a "$OUT/src/virt/kvm" "$1/virt/"
	cp "$TOP/packaging/dkms/Kbuild" "$TOP/packaging/dkms/Makefile" "$1/"
	# The headers package has no virt/kvm.
	# shellcheck disable=SC2016 # make's own variables
	sed -i 's|$(srctree)|$(src)/../../..|' "$1/arch/x86/kvm/Makefile"
}

# apply DIR: the series on top, and a version
apply()
{
	while read -r file; do
		carried "$file" || continue
		rm -f "$1/$file"
		[ ! -f "$OUT/series/$file" ] || {
			mkdir -p "$1/${file%/*}"
			cp "$OUT/series/$file" "$1/$file"
		}
	done <"$OUT/series.touched"
	# Modules without a version are all the same to DKMS, and it would leave the kernel's
	# own where they are.  It is also how an administrator tells which ones are loaded.
	for file in virt/kvm/kvm_main.c arch/x86/kvm/vmx/vmx.c arch/x86/kvm/svm/svm.c; do
		echo "MODULE_VERSION(\"$name-$version\");" >>"$1/$file"
	done
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
	assemble "$source"
	apply "$source"
	filled_in dkms.conf >"$source/dkms.conf"
	filled_in control | sed '/^#/d' >"$pkg/DEBIAN/control"
	for script in postinst prerm; do
		filled_in "$script" >"$pkg/DEBIAN/$script"
		chmod 755 "$pkg/DEBIAN/$script"
	done
	dpkg-deb --root-owner-group -b "$pkg" "$deb" >"$LOGS/modules-deb"
}

# manifest: all files of the kernel and below /usr/src, with their content
manifest()
{
	(
		cd "$root"
		find "lib/modules/$kernel/" usr/src boot -printf '%y %m %p %l\n' | sort
		find "lib/modules/$kernel/" usr/src boot -type f -exec sha256sum {} + | sort -k 2
	)
}

# loaded: the files that modprobe loads for KVM, in their order
loaded()
{
	for vendor in kvm-intel kvm-amd; do
		inside modprobe -C /dev/null -S "$kernel" --show-depends "$vendor"
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++'
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
	while read -r path; do
		ko=$(basename "$path" .xz)
		case $path in
		*.xz) xz -dc "$root$path" >"$dir/modules/$ko" ;;
		*) cp "$root$path" "$dir/modules/$ko" ;;
		esac
		echo "$ko" >>"$dir/modules/list"
	done
	MODULES=$dir/modules INITRAMFS=$dir/initramfs.cpio "$TOP/scripts/steps/initramfs.sh"
}

# served: the symbols that the kernel and the patched modules offer, a line a symbol: its
# checksum, its name
served()
{
	awk -F'\t' '$3 !~ "^arch/x86/kvm/" { print $1 "\t" $2 }' "$headers/Module.symvers"
	modprobe --show-exports "$work/patched/modules/kvm.ko"
}

# unserved FILE: how many of the symbols that a module takes are not offered like that
unserved()
{
	modprobe --dump-modversions "$1" | sort >"$work/wanted"
	served | sort | comm -23 "$work/wanted" - | wc -l
}

# users: the modules of this kernel that use kvm.ko and are not of KVM
users()
{
	sed -n 's|^\(kernel/[^:]*\):.*/kvm\.ko.*|\1|p' "$root/lib/modules/$kernel/modules.dep" |
		grep -v '^kernel/arch/x86/kvm/' | sed "s|^|$root/lib/modules/$kernel/|"
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

# fact WHAT TEXT: a line of the summary
fact()
{
	printf '%-12s %s\n' "$1" "$2"
}

[ -z "$KTREE$KTARBALL" ] || die "modules are for a kernel that Debian built; run it without KTREE and KTARBALL."
[ -n "$image" ] || die "bases/linux-$BASE names no kernel that Debian built; give BASE=6.1 or BASE=6.12."
[ "$(id -u)" -eq 0 ] || die "dpkg and DKMS want to be root, in a mount namespace of their own; run this as root."

take_lock
patches >/dev/null
"$TOP/scripts/steps/packages.sh"
# What dkms depends on, and what is looked into modules with.
"$TOP/scripts/steps/packages.sh" kmod dpkg-dev lsb-release openssl binutils
"$TOP/scripts/steps/source.sh"
"$TOP/scripts/steps/series.sh" apply
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
mkdir -p "$root" "$work/overlay" "$work/merged" "$run"
step "unpacking it" "$LOGS/modules-unpack" "$0" unpack "$debs"
kernel=$(basename "$root"/boot/vmlinuz-*)
kernel=${kernel#vmlinuz-}
headers=$root/usr/src/linux-headers-$kernel
"$TOP/scripts/steps/packages.sh" "$(sed -n 's/^CC = .*\(gcc-[0-9]*\)$/\1/p' "$headers/.kernelvariables")"
inside true || die "no overlay of file systems can be mounted here, see above; run this where root may, with BUILD= on a disk."

# The tests are built from the patched tree; a copy that was never compiled will do.
tree=patched
if [ ! -d "$OUT/patched" ]; then
	tree=tests
	export TESTS="$OUT/selftests.$tree/bin"
	[ -d "$OUT/tests" ] || {
		copy_tree "$OUT/src" "$OUT/tests.tmp"
		mv "$OUT/tests.tmp" "$OUT/tests"
	}
fi
"$TOP/scripts/steps/series.sh" install "$tree"
"$TOP/scripts/steps/selftests.sh" "$tree"

# Stock.  Its own modules are there already.
unpatched=
if ! grep -qx CONFIG_KVM_XEN=y "$root/boot/config-$kernel"; then
	unpatched=/usr/src/kvm-unpatched
	assemble "$root$unpatched"
	step "building the unpatched modules" "$LOGS/modules-unpatched" "$0" inside \
		make -C $unpatched -j"$(nproc)" KDIR="/lib/modules/$kernel/build" modules
	inside sh -c "strip -g $unpatched/arch/x86/kvm/*.ko"
fi
inside depmod -a "$kernel"
own=$(loaded)
manifest >"$work/before"

# The package, from its file to the modules that modprobe finds.
name=kvm-gpc-$BASE
deb=$work/$name-dkms_${version}_all.deb
package
# Without the kernel's headers it must not look as if all had gone well.
log=$LOGS/modules-headless
mv "$root/lib/modules/$kernel/build" "$work/build"
status=0
inside dpkg -i "$deb" >"$log" 2>&1 || status=$?
mv "$work/build" "$root/lib/modules/$kernel/build"
if [ "$status" -eq 0 ] || ! grep -q "nothing was built, as the headers of $kernel are not there" "$log"; then
	die "without the headers the installation does not fail, or does not say why; see $(shown "$log")."
fi
inside dpkg -r "$name-dkms" >>"$log" 2>&1
start=$(uptime)
step "installing the package, which builds the modules" "$LOGS/modules-install" \
	"$0" inside dpkg -i "$deb"
seconds=$(($(uptime) - start))
ours=$(loaded)
[ "$(echo "$ours" | grep -c '/updates/dkms/kvm.*\.ko')" -eq 3 ] ||
	die "modprobe does not find the three modules, see $(shown "$LOGS/modules-install"), but:" "$ours"
size=$(du -sk "$root/lib/modules/$kernel/updates" | cut -f1)
echo "$ours" | kernel_of patched
takes=0
for ko in $kvm; do
	file=$work/patched/modules/$ko
	[ "$(modinfo -F version "$file")" = "$name-$version" ] ||
		die "the $ko that was built is not of version $name-$version."
	[ "$(modinfo -F vermagic "$file")" = "$(modinfo -F vermagic "$root/lib/modules/$kernel/kernel/arch/x86/kvm/$ko"*)" ] ||
		die "the $ko that was built has another vermagic than Debian's."
	[ "$(unserved "$file")" -eq 0 ] ||
		die "the kernel does not offer all symbols that the $ko that was built takes, which are in $(shown "$work/wanted")."
	takes=$((takes + $(wc -l <"$work/wanted")))
done

# Another kernel: one more digit is enough.  A build for it is refused, and the hook that
# its package runs is not disturbed.
log=$LOGS/modules-other
inside dkms build -m "$name" -v "$version" -k "${kernel}1" >"$log" 2>&1 || :
grep -q 'BUILD_EXCLUSIVE directive' "$log" ||
	die "dkms did not refuse to build for another kernel; see $(shown "$log")."
inside dkms autoinstall -k "${kernel}1" >>"$log" 2>&1 ||
	die "another kernel cannot be installed beside the package; see $(shown "$log")."

# Away again: not a byte may be left or missing.
step "removing the package" "$LOGS/modules-remove" "$0" inside dpkg -r "$name-dkms"
manifest >"$work/after"
diff "$work/before" "$work/after" >"$work/left" || {
	head -n 20 "$work/left" >&2
	die "after the removal the kernel's files are not what they were, see above."
}
[ "$(loaded)" = "$own" ] || die "after the removal modprobe does not find Debian's own modules."
[ -z "$(inside dkms status 2>/dev/null)" ] || die "after the removal dkms still knows the modules."

stock="Debian's own modules"
if [ -z "$unpatched" ]; then
	echo "$own" | kernel_of stock
else
	stock="the unpatched source's modules with KVM_XEN, which Debian leaves out"
	echo "$own" | kernel_of own
	echo "$own" | sed "s|.*/\(kvm[^/]*\.ko\)$|$unpatched/arch/x86/kvm/\1|" | kernel_of stock
fi

# Debian's kernels preempt themselves as often as they were told to at boot.  What the
# series mends in the accounting of a preempted vCPU shows where that is often, as in the
# lab's own kernels.
export WORDS=preempt=full
"$TOP/scripts/steps/accel.sh" modules/stock
if [ -n "$unpatched" ]; then
	"$TOP/scripts/steps/boot.sh" modules/own "$run/own"
	# The tests of kvmclock's MSRs run there, too, and all others are skipped: where these fail
	# on stock, none passes.
	grep -E '^(#|pfncache_test kvmclock\.)' "$TOP/lab/tables/expect/linux-$BASE" >"$run/own/expect"
	"$BUILD/bin/judge" --one "$run/own" "$TOP/lab/tables/splats" "$run/own/expect" >"$run/own/judged" || :
	tail -n 1 "$run/own/judged" | grep -qE '^(PASS|SKIPPED): |; 0 failed on kernel, 0 splat lines$' || {
		cat "$run/own/judged"
		die "with Debian's own modules, which have no KVM_XEN, no test but those of kvmclock may run and fail; see above."
	}
	ran own
fi
boot_both "$run" modules

echo
fact kernel "$kernel, Debian's $version, booted with $WORDS"
fact stock "$stock"
[ -z "$unpatched" ] || fact "" "(with Debian's own modules: $(tail -n 1 "$run/own/judged"))"
fact patched "$(shown "$deb"), $(($(wc -c <"$deb") / 1024)) KiB"
fact installed "by dpkg and DKMS in $seconds s on $(nproc) CPUs, the modules have $size KiB"
fact symbols "$takes taken, each offered by this kernel or these modules with the same checksum"
fact fence "refused for a kernel ${kernel}1, whose own installation goes on"
fact headless "without the kernel's headers the installation fails and says what to install"
fact removed "each file is what it was before, modprobe finds Debian's own modules again"
for file in $(users); do
	count=$(unserved "$file")
	[ "$count" -eq 0 ] || fact "not beside" \
		"${file##*/}: $count of KVM's symbols have other checksums now, so the kernel refuses to load it"
done
echo
status=0
RUN=$run "$TOP/scripts/judge.sh" || status=$?
[ "$status" -eq 2 ] || {
	ran stock
	ran patched
}
exit "$status"
