#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Make $OUT/initramfs.cpio: our PID 1, busybox, the tests and their table, from
# $TABLE and $TESTS.  FILES are files that lie there, too, and are no tests.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

make -s -C "$TOP" programs

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
} >"$OUT/initramfs.list"
"$OUT/stock/usr/gen_init_cpio" "$OUT/initramfs.list" >"$OUT/initramfs.tmp"
mv "$OUT/initramfs.tmp" "$OUT/initramfs.cpio"
