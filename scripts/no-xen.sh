#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Boot the stock and the patched kernel without CONFIG_KVM_XEN and run pfncache_test: the
# caches of kvmclock are there, the tests of its MSRs have to run, and those which fail on
# stock have to fail here, too.  All others skip.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

take_lock
"$TOP/scripts/prepare.sh"
need_space 1000
"$TOP/scripts/kernel.sh" stock-no-xen
"$TOP/scripts/kernel.sh" patched-no-xen

run=$RESULTS/no-xen
rm -rf "$run"
mkdir -p "$run"
export TABLE="$run/tests"
grep '^pfncache_test' "$TOP/lab/tests" >"$TABLE"
"$TOP/scripts/initramfs.sh"
for kernel in stock patched; do
	"$TOP/scripts/boot.sh" $kernel-no-xen "$run/$kernel"
done
grep -E '^(#|pfncache_test kvmclock\.)' "$TOP/lab/expect/linux-$BASE" >"$run/expect"
echo
"$BUILD/bin/judge" "$run" "$run/expect" "$TOP/lab/splats"
