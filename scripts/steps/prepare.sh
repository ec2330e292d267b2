#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Everything that must stand before a boot: packages, source, series, both
# kernels, the tests and the initramfs.  What stands already is not redone.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

"$TOP/scripts/steps/packages.sh"
"$TOP/scripts/steps/source.sh"
# Before any build, so that a reject is not found minutes later.
"$TOP/scripts/steps/series.sh" apply
"$TOP/scripts/steps/kernel.sh" stock
"$TOP/scripts/steps/kernel.sh" patched
"$TOP/scripts/steps/selftests.sh"
"$TOP/scripts/steps/initramfs.sh"
"$TOP/scripts/steps/accel.sh"
