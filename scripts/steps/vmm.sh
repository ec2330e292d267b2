#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Build the QEMU that has the Xen emulation of KVM, $BUILD/qemu/bin, from Debian's source
# package and with the patches of patches/qemu: one static program, with its firmware beside
# it, for the host and for the inside of the virtual machine.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=scripts/lib/apt.sh
. "$TOP/scripts/lib/apt.sh"

suite=trixie
tested=1:10.0.13+ds-0+deb13u1
top=$BUILD/qemu
firmware="seabios/bios-256k.bin qemu/linuxboot_dma.bin qemu/multiboot_dma.bin qemu/kvmvapic.bin"
SERIES=$TOP/patches/qemu
options="--target-list=x86_64-softmmu --static --python=/usr/bin/python3
	--without-default-features --enable-system --enable-kvm --enable-tcg --disable-docs
	--disable-werror --disable-install-blobs"

# fetch DIR: QEMU's source package and the meson that it is built with, into DIR
fetch()
{
	cd "$1"
	private_apt "$suite" || return 4
	apt-get source --download-only qemu
	apt-get download meson
}

# unpack DIR: the sources with the series applied, and meson, from what is in $top/dl
unpack()
{
	dpkg-source --no-copy -x "$top"/dl/qemu_*.dsc "$1"
	dpkg-deb -x "$top"/dl/meson_*.deb "$1/debian/meson"
	for name in $(patches); do
		patch -d "$1" -p1 --fuzz=0 <"$SERIES/$name"
	done
}

# build DIR: configure it and make the program
build()
{
	export PATH="$1/debian/meson/usr/bin:$PATH"
	export PYTHONPATH="$1/debian/meson/usr/lib/python3/dist-packages"
	mkdir "$1/build"
	cd "$1/build"
	# shellcheck disable=SC2086 # a list of words
	../configure $options --cc="$CC"
	make "-j$(nproc)" qemu-system-x86_64
	strip qemu-system-x86_64
}

# Called by name through step(), in a shell of its own.
case ${1:-} in
fetch|unpack|build)
	"$@"
	exit
	;;
esac

list=$(patches)
key="$(series_hash) $tested $(echo "$options $firmware" | cksum)"
if [ "$(cat "$top/.lab-built" 2>/dev/null)" = "$key" ]; then
	say "QEMU: $(cat "$top/version")"
	exit 0
fi
"$TOP/scripts/steps/packages.sh"
"$TOP/scripts/steps/packages.sh" dpkg-dev libglib2.0-dev libfdt-dev zlib1g-dev ninja-build \
	pkg-config python3 python3-venv seabios qemu-system-data
need_space 2000
mkdir -p "$top"
rm -rf "$top/src" "$top/dl.tmp" "$top/.lab-built"
if [ ! -d "$top/dl" ]; then
	mkdir "$top/dl.tmp"
	MAY_SKIP="no source package of QEMU to be had from $suite (see $(shown "$BUILD/log/qemu-fetch"))." \
		step "fetching Debian's source of QEMU" "$BUILD/log/qemu-fetch" "$0" fetch "$top/dl.tmp"
	mv "$top/dl.tmp" "$top/dl"
fi
step "unpacking it, and applying $(echo "$list" | wc -l) patches" "$BUILD/log/qemu-unpack" \
	"$0" unpack "$top/src"
begin=$(uptime)
step "building QEMU, once" "$BUILD/log/qemu-build" "$0" build "$top/src"
mkdir -p "$top/bin"
cp "$top/src/build/qemu-system-x86_64" "$top/bin/qemu"
# shellcheck disable=SC2086 # a list of words
(cd /usr/share && cp $firmware "$top/bin/")
version=$(sed -n 's/^Version: //p' "$top"/dl/qemu_*.dsc | head -n 1)
[ "$version" = "$tested" ] ||
	say "note: this is QEMU $version, the patches were made on $tested; going on with what is here"
echo "Debian's $version with $(echo "$list" | wc -l) patches, built in $(($(uptime) - begin)) s" >"$top/version"
rm -rf "$top/src"
echo "$key" >"$top/.lab-built"
say "QEMU: $(cat "$top/version")"
