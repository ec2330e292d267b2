#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Everything that must stand before a boot: packages, source, series, both
# kernels, the tests and the initramfs.  What stands already is not redone.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

"$TOP/scripts/packages.sh"
"$TOP/scripts/source.sh"
# Before any build, so that a reject is not found minutes later.
"$TOP/scripts/series.sh" apply
"$TOP/scripts/kernel.sh" stock
"$TOP/scripts/kernel.sh" patched
"$TOP/scripts/selftests.sh"
"$TOP/scripts/initramfs.sh"
"$TOP/scripts/accel.sh"
