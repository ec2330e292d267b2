#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One archive for people who want to run the Xen selftests on a host of theirs: static
# test programs, and a runner (lab/vm/bundle.c) that needs nothing installed.
#
# The archive is proved in the VM: on the patched kernel it has to pass, on the stock one
# to fail and to know why.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

take_lock
"$TOP/scripts/steps/prepare.sh"

name=kvm-xen-selftests-$BASE
dir=$OUT/bundle/$name
rm -rf "$OUT/bundle"
mkdir -p "$dir"
cp "$OUT"/selftests/bin/* "$dir"
cp "$BUILD/bin/bundle" "$dir/run"
cp "$TOP/lab/tables/tests" "$TOP/COPYING" "$dir"
cp "$TOP/lab/tables/expect/linux-$BASE" "$dir/meaning"
cp "$TOP/docs/host.md" "$dir/README.md"
{
	echo "the tests of the series for linux-$BASE, built from $(cat "$OUT/origin")"
	series_sums
} >"$dir/VERSION"
archive=$BUILD/$name.tar.gz
tar -C "$OUT/bundle" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - "$name" |
	gzip -9n >"$archive"

# From the archive, as a new user has it
rm -rf "$OUT/bundle"
mkdir "$OUT/bundle"
tar -C "$OUT/bundle" -xf "$archive"
run=$RESULTS/bundle
rm -rf "$run"
mkdir -p "$run"
echo "run	plain	400" >"$run/tests"
export TABLE="$run/tests" TESTS="$dir"
FILES=$(cd "$dir" && find . -type f ! -name run | sed 's|^\./||' | tr '\n' ' ')
export FILES
"$TOP/scripts/steps/initramfs.sh"
boot_both "$run"
for kernel in stock patched; do
	say "$kernel: $(sed -n 's/^  # # \([0-9]* of .*\)/\1/p' "$run/$kernel/ktap")"
done
grep -qx 'ok 1 run' "$run/patched/ktap" || die "the bundle does not pass on the patched kernel; see $(shown "$run")/patched/ktap."
grep -q '^not ok 1 run # exit status 1$' "$run/stock/ktap" || die "the bundle does not fail on the stock kernel; see $(shown "$run")/stock/ktap."
! grep 'not known of any kernel' "$run/stock/ktap" || die "the bundle does not know why stock fails, see above."
say "$(shown "$archive"): $(du -k "$archive" | cut -f1) KiB; unpack it anywhere on an x86 host and start $name/run"
