#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Make an initramfs, $INITRAMFS: our PID 1, busybox, the tests and their table, from
# $TABLE and $TESTS.  FILES are files that lie there, too, and are no tests.  If MODULES is a
# folder of modules with their order in `list`, PID 1 loads them first.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

INITRAMFS=${INITRAMFS:-$OUT/initramfs.cpio}
MODULES=${MODULES:-}

make -s -C "$TOP" programs
# The source's own tool; a kernel need not have been built.
[ -x "$OUT/gen_init_cpio" ] || gcc -O2 -o "$OUT/gen_init_cpio" "$OUT/src/usr/gen_init_cpio.c"

list=${INITRAMFS%.cpio}.list
{
	cat <<-LIST
		dir /dev 0755 0 0
		nod /dev/console 0600 0 0 c 5 1
		dir /proc 0755 0 0
		dir /sys 0755 0 0
		dir /tmp 1777 0 0
		dir /bin 0755 0 0
		file /bin/busybox $(command -v busybox) 0755 0 0
		file /init $BUILD/bin/init 0755 0 0
		dir /lab 0755 0 0
		file /lab/tests $TABLE 0644 0 0
		dir /lab/bin 0755 0 0
	LIST
	for name in $(tests) ${FILES:-}; do
		echo "file /lab/bin/$name $TESTS/$name 0755 0 0"
	done
	[ -z "$MODULES" ] || {
		echo "dir /lab/modules 0755 0 0"
		for file in "$MODULES"/*; do
			echo "file /lab/modules/${file##*/} $file 0644 0 0"
		done
	}
} >"$list"
"$OUT/gen_init_cpio" "$list" >"$INITRAMFS.tmp"
mv "$INITRAMFS.tmp" "$INITRAMFS"
