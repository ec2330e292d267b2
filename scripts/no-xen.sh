#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Boot the stock and the patched kernel without CONFIG_KVM_XEN and run pfncache_test: the
# caches of kvmclock are there, the tests of its MSRs have to run, and those which fail on
# stock have to fail here, too.  All others skip.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

take_lock
"$TOP/scripts/steps/prepare.sh"
need_space 1000
"$TOP/scripts/steps/kernel.sh" stock-no-xen
"$TOP/scripts/steps/kernel.sh" patched-no-xen

run=$RESULTS/no-xen
rm -rf "$run"
mkdir -p "$run"
export TABLE="$run/tests"
grep '^pfncache_test' "$TOP/lab/tables/tests" >"$TABLE"
"$TOP/scripts/steps/initramfs.sh"
for kernel in stock patched; do
	"$TOP/scripts/steps/boot.sh" $kernel-no-xen "$run/$kernel"
done
grep -E '^(#|pfncache_test kvmclock\.)' "$TOP/lab/tables/expect/linux-$BASE" >"$run/expect"
echo
"$BUILD/bin/judge" "$run" "$run/expect" "$TOP/lab/tables/splats"
