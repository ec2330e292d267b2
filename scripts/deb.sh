#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Build installable kernel packages of the patched source with the distribution's own
# configuration: FLAVOUR=amd64, or cloud-amd64 for a third of the drivers and of the time.
# packaging/deb.config is what differs from it.  The packages are then in $OUT/deb.
#
# An interrupted build goes on where it was.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

flavour=${FLAVOUR:-amd64}
dl=$BUILD/dl
tree=$OUT/deb/linux

# fetch: Debian's configurations of this kernel
fetch()
{
	[ -z "$suite" ] || export APT_CONFIG="$BUILD/apt/$suite/apt.conf"
	cd "$dl"
	apt-get download "linux-config-$BASE"
}

# configure FILE: the distribution's, and what differs; each line has to be kept
configure()
{
	cd "$tree"
	xz -dc "$1" >.config
	scripts/kconfig/merge_config.sh -m .config "$TOP/packaging/deb.config"
	make olddefconfig
	lost=$(lost_options .config "$TOP/packaging/deb.config")
	[ -z "$lost" ] || {
		echo "Kconfig took away $lost"
		exit 1
	}
}

# Called by name through step(), in a shell of its own.
case ${1:-} in
fetch|configure)
	"$@"
	exit
	;;
esac

take_lock
"$TOP/scripts/steps/packages.sh"
"$TOP/scripts/steps/packages.sh" rsync kmod cpio dpkg-dev debhelper libssl-dev openssl python3
"$TOP/scripts/steps/source.sh"
"$TOP/scripts/steps/series.sh" apply
# What packaging/deb.config says; one that goes on has a part of it already.
[ -d "$tree" ] || need_space 6000

if ! ls "$dl/linux-config-${BASE}"_*.deb >/dev/null 2>&1; then
	step "fetching Debian's linux-config-$BASE" "$LOGS/deb-fetch" "$0" fetch
fi
rm -rf "$OUT/deb/config"
mkdir -p "$OUT/deb/config"
deb=$(find "$dl" -name "linux-config-${BASE}_*.deb" | sort -V | tail -n 1)
dpkg-deb -x "$deb" "$OUT/deb/config"
config=$(find "$OUT/deb/config" -name "config.amd64_none_$flavour.xz")
[ -n "$config" ] || die "there is no FLAVOUR=$flavour; Debian has $(find "$OUT/deb/config" \
	-name 'config.amd64_none_*.xz' | sed 's/.*none_/FLAVOUR=/; s/\.xz$//' | sort | paste -sd ' ')."

if [ ! -d "$tree" ]; then
	copy_tree "$OUT/src" "$tree.tmp"
	mv "$tree.tmp" "$tree"
fi
"$TOP/scripts/steps/series.sh" install deb/linux
key=$(sha256sum "$config" "$TOP/packaging/deb.config")
if [ "$key" != "$(cat "$tree/.lab-config" 2>/dev/null)" ]; then
	step "configuring it as $flavour" "$LOGS/deb-configure" "$0" configure "$config"
	echo "$key" >"$tree/.lab-config"
fi
# What is there afterwards is of this build.
rm -f "$OUT"/deb/*.deb "$OUT"/deb/*.buildinfo "$OUT"/deb/*.changes
# A version of its own, so that it is installed beside the distribution's kernel.
step "building the packages, which takes hours for amd64" "$LOGS/deb-build" \
	make -C "$tree" -j"$(nproc)" CC="$CC" LOCALVERSION="-gpc-$flavour" \
	KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab bindeb-pkg
find "$OUT/deb" -maxdepth 1 -name '*.deb' | sort |
	while read -r file; do
		say "$(shown "$file"): $(du -m "$file" | cut -f1) MiB"
	done | grep . || die "no package came out; see $(shown "$LOGS/deb-build")."
