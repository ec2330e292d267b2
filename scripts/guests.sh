#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Boot the stock and the patched kernel, and on each of them QEMU with Debian's own kernels
# as Xen guests, of 64 and of 32 bits: lab/vm/guest.c has them stopped, robbed of CPU time
# and migrated, MIGRATIONS=4 times.  GUEST=name is about that one alone.  What QEMU does not
# carry over is for lab/vm/restore.c.  lab/tables/guests/linux-BASE names what stock does wrong.
#
# With KUT=dir, a checkout of kvm-unit-tests, these are run there, too; each has to have the same
# verdict on both.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/apt.sh
. "$TOP/scripts/lib/apt.sh"
# shellcheck source=scripts/lib/verdicts.sh
. "$TOP/scripts/lib/verdicts.sh"

suite=bookworm
kernels=$BUILD/guests

# fetch_guest DIR NAME PACKAGE ARCHITECTURE: the kernel that Debian's metapackage stands for,
# as DIR/NAME.vmlinuz
fetch_guest()
{
	private_apt "$suite" || return 4
	cd "$1"
	package=$(apt-cache show "$3:$4" | sed -n 's/^Depends: \([^ ,]*\).*/\1/p' | head -n 1)
	apt-get download "$package:$4"
	dpkg-deb --fsys-tarfile "$package"_*.deb |
		tar -xO --wildcards './boot/vmlinuz-*' >"$2.vmlinuz.tmp"
	dpkg-deb -f "$package"_*.deb Package Version Architecture
	rm "$package"_*.deb
	mv "$2.vmlinuz.tmp" "$2.vmlinuz"
}

# Called by name through step(), in a shell of its own.
if [ "${1:-}" = fetch_guest ]; then
	"$@"
	exit
fi

# guest NAME: its kernel, its initramfs, and the program that drives it
guest()
{
	case $1 in
	*_amd64) set -- "$1" linux-image-cloud-amd64 amd64 64 ;;
	*_i386) set -- "$1" linux-image-686-pae i386 32 ;;
	esac
	mkdir -p "$kernels"
	[ -f "$kernels/$1.vmlinuz" ] ||
		MAY_SKIP="no $2 to be had from $suite (see $(shown "$LOGS/$1"))." \
			step "fetching Debian's $2" "$LOGS/$1" "$0" fetch_guest "$kernels" "$1" "$2" "$3"
	make -s -C "$TOP" "$BUILD/bin/guest-init-$4"
	cat >"$kernels/$1.list" <<-LIST
		dir /dev 0755 0 0
		nod /dev/console 0600 0 0 c 5 1
		dir /proc 0755 0 0
		dir /sys 0755 0 0
		file /init $BUILD/bin/guest-init-$4 0755 0 0
	LIST
	"$OUT/gen_init_cpio" "$kernels/$1.list" >"$kernels/$1.cpio"
	ln "$kernels/$1.vmlinuz" "$kernels/$1.cpio" "$run/bin/"
	cp "$BUILD/bin/guest" "$run/bin/$1"
}

# unit_tests: run kvm-unit-tests on both kernels; fails if one has not the same verdict on both, or
# the patched kernel has a splat of its own
unit_tests()
{
	mkdir -p "$run/kut/bin"
	ln "$BUILD"/kut/bin/* "$BUILD"/qemu/bin/* "$BUILD/bin/kut" "$run/kut/bin/"
	limit=$(awk -F'\t' '{ sum += $2 + 1 } END { print sum }' "$run/kut/bin/kut.list")
	echo "kut	ktap	$limit" >"$run/kut/tests"
	TABLE=$run/kut/tests
	TESTS=$run/kut/bin
	FILES=$(cd "$TESTS" && ls -I kut)
	"$TOP/scripts/steps/initramfs.sh"
	boot_both "$run/kut"
	cut -f 1 "$TESTS/kut.list" | sort >"$run/kut/names"
	compare "$run/kut" "$run/kut/names" "  "
	echo
	sed 's/^/a splat of patched alone: /' "$run/kut/new.splats"
	awk '{
		differs = $2 != $3 || $2 == "MISSING"
		bad += differs
		n[$3]++
		printf "%-44s  %-4s -> %s%s\n", $1, $2, $3, differs ? "  <-- DIFFERS" : ""
	} END {
		printf "\nkvm-unit-tests: %d tests on both, %d pass on patched, %d fail, %d are skipped; %d differ\n",
			NR, n["pass"], n["FAIL"], n["skip"], bad
		exit !NR || bad
	}' "$run/kut/both"
	[ ! -s "$run/kut/new.splats" ]
}

migrations=${MIGRATIONS:-4}
[ "$migrations" -gt 0 ] 2>/dev/null || die "MIGRATIONS=$migrations is no number of them; give 1 or more."
guests="guest_amd64 guest_i386"
case ${GUEST:-guest_amd64} in
guest_amd64|guest_i386) guests=${GUEST:-$guests} ;;
*) die "GUEST=$GUEST is none of $guests." ;;
esac
[ -z "${KUT:-}" ] || [ -f "$KUT/x86/unittests.cfg" ] ||
	die "KUT=$KUT has no x86/unittests.cfg; give a checkout of kvm-unit-tests."
take_lock
# Two machines of 3 GiB
available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
[ "$available" -ge 7000 ] ||
	die "there are $available MiB of free memory and 7000 MiB are needed; end what uses it."
"$TOP/scripts/steps/prepare.sh"
"$TOP/scripts/steps/packages.sh" gcc-multilib
"$TOP/scripts/steps/vmm.sh"
[ -z "${KUT:-}" ] || "$TOP/scripts/steps/kut.sh"

run=$RESULTS/guests
rm -rf "$run"
mkdir -p "$run/bin"
export TABLE="$run/tests" TESTS="$run/bin"
ln "$BUILD"/qemu/bin/* "$run/bin/"
cp "$BUILD/bin/restore" "$run/bin/"
for name in $guests; do
	guest "$name"
done
only="restore|$(echo "$guests" | tr ' ' '|')"
grep -E "^($only)	" "$TOP/lab/tables/guests.tests" |
	sed "s/LIMIT/$((1200 + 120 * migrations))/; s/MIGRATIONS/$migrations/" >"$TABLE"
grep -E "^(#|splat|$only) " "$TOP/lab/tables/guests/linux-$BASE" >"$run/expect"
FILES=$(cd "$run/bin" && echo qemu *.bin *.vmlinuz *.cpio)
export FILES QEMU="$BUILD/qemu/bin/qemu -L $BUILD/qemu/bin" QEMU_MEMORY=3G
"$TOP/scripts/steps/initramfs.sh"
boot_both "$run"
if [ -n "${KUT:-}" ]; then
	unit_tests
else
	say "kvm-unit-tests are not run; KUT=dir gives a checkout of them"
fi
echo
"$BUILD/bin/judge" "$run" "$run/expect" "$TOP/lab/tables/splats"
