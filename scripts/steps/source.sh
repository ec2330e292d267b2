#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Get the base kernel's pristine source into $OUT/src: from Debian's source
# package (fetched and unpacked, not installed), or from KTREE= or KTARBALL=.
# $OUT/origin then says in one line what it is.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=scripts/lib/apt.sh
. "$TOP/scripts/lib/apt.sh"

# is_kernel DIR: does it look like the top of a kernel tree?
is_kernel()
{
	[ -f "$1/Kconfig" ] && grep -qs '^VERSION = [0-9]' "$1/Makefile" &&
		grep -q '^PATCHLEVEL = [0-9]' "$1/Makefile"
}

# version DIR: the kernel version that a tree's Makefile states.
version()
{
	awk '/^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) = ?/ { v[++n] = $3 }
	     n == 4 { print v[1] "." v[2] "." v[3] v[4]; exit }' "$1/Makefile"
}

# fetch DIR: Debian's package into DIR.  The lists may be absent or older than
# the mirror, which only root can mend; a private configuration has its own.
# Status 4 if the package is of a suite that cannot be had.
fetch()
{
	cd "$1"
	if [ -n "$suite" ]; then
		{ private_apt "$suite" && [ -n "$(apt-cache madison "$package")" ]; } || return 4
		apt-get download "$package"
		return
	fi
	apt-get download "$package" && return
	[ "$(id -u)" -eq 0 ] || return
	apt-get update && apt-get download "$package"
}

# Called by name through step(), in a shell of its own.
if [ "${1:-}" = fetch ]; then
	fetch "$2"
	exit
fi

if [ -n "$KTREE" ]; then
	is_kernel "$KTREE" ||
		die "KTREE=$KTREE is no kernel tree (no Kconfig, or no VERSION in its Makefile); give the top of one."
	# Edited since it was copied: start over, a stale copy proves nothing.
	if [ -d "$OUT/src" ] && [ -n "$(find "$KTREE" -name .git -prune -o \
	     -type f -newer "$OUT/origin" -print -quit)" ]; then
		say "$KTREE has changed, copying it again"
		rm -rf "$OUT"
	fi
elif [ -n "$KTARBALL" ]; then
	[ -f "$KTARBALL" ] || die "KTARBALL=$KTARBALL is not there; give a kernel's .tar archive."
	[ -z "$(find "$KTARBALL" -newer "$OUT/origin" 2>/dev/null)" ] || rm -rf "$OUT"
fi

if [ -d "$OUT/src" ]; then
	say "source: $(cat "$OUT/origin")"
	exit 0
fi

# The source, the objects of three kernels, the branch.
need_space 5000
mkdir -p "$OUT"
rm -rf "$OUT/src.tmp"
mkdir "$OUT/src.tmp"
if [ -n "$KTREE" ]; then
	# shellcheck disable=SC2016 # the inner shell's own arguments
	step "copying $KTREE" "$LOGS/source" sh -c \
		'tar -C "$1" --exclude=./.git -cf - . | tar -C "$2" -xf -' \
		- "$KTREE" "$OUT/src.tmp"
	# Another build's objects and .config are not source.
	[ ! -e "$OUT/src.tmp/.config" ] ||
		step "cleaning the copy" "$LOGS/mrproper" make -C "$OUT/src.tmp" mrproper
	origin="KTREE=$KTREE"
elif [ -n "$KTARBALL" ]; then
	step "unpacking $KTARBALL" "$LOGS/source" \
		tar -C "$OUT/src.tmp" --strip-components=1 -xf "$KTARBALL"
	origin="KTARBALL=$KTARBALL"
	is_kernel "$OUT/src.tmp" ||
		die "KTARBALL=$KTARBALL holds no kernel tree (no Kconfig, or no VERSION in its Makefile)."
else
	dl=$BUILD/dl
	if ! ls "$dl/${package}"_*.deb >/dev/null 2>&1; then
		rm -rf "$dl.tmp"
		mkdir -p "$dl.tmp" "$dl"
		MAY_SKIP="no $package to be had from $suite (see $(shown "$LOGS/fetch")); give KTREE= or KTARBALL=." \
			step "fetching Debian's $package" "$LOGS/fetch" "$0" fetch "$dl.tmp"
		mv "$dl.tmp/$package"_*.deb "$dl/"
		rmdir "$dl.tmp"
	fi
	deb=$(find "$dl" -name "${package}_*.deb" | sort -V | tail -n 1)
	got=$(dpkg-deb -f "$deb" Version)
	# shellcheck disable=SC2016 # the inner shell's own arguments
	step "unpacking $package $got" "$LOGS/source" sh -c '
		set -e
		dpkg-deb --fsys-tarfile "$1" | tar -xO "./$2" >"$3.tar.xz"
		sha256sum "$3.tar.xz"
		tar -C "$3" --strip-components=1 -xJf "$3.tar.xz"
		rm "$3.tar.xz"' - "$deb" "$tarball" "$OUT/src.tmp"
	origin="Debian $package $got"
	grep -q "^$sha256 " "$LOGS/source" ||
		say "note: this is $package $got, the series was tested on $tested; going on with what is here"
fi
echo "$origin (Linux $(version "$OUT/src.tmp"))" >"$OUT/origin"
mv "$OUT/src.tmp" "$OUT/src"
say "source: $(cat "$OUT/origin")"
