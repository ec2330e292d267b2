#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A prompt inside the patched kernel's virtual machine, with the tests in the
# PATH; `exit` powers it off.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/qemu.sh
. "$TOP/scripts/lib/qemu.sh"

take_lock
"$TOP/scripts/steps/prepare.sh"
say "the tests are in the PATH; 'exit' or C-a x ends the machine"
eval "$(qemu_command "$(head -n 1 "$BUILD/accel")" patched mon:stdio null \
	"quiet lab=shell")"
