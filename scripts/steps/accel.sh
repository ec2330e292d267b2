#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Choose the accelerator and write $BUILD/accel: its name, then why.
#
# A /dev/kvm that opens proves nothing: its machines may hang, or have no
# virtualisation of their own to test.  So a machine is booted whose PID 1 runs
# an instruction under its own KVM, by default with the stock kernel (accel.sh [KERNEL]).
# The answer holds until the host reboots.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=scripts/lib/qemu.sh
. "$TOP/scripts/lib/qemu.sh"

limit=10
boot_id=$(cat /proc/sys/kernel/random/boot_id)

choose()
{
	printf '%s\n%s\n%s\n' "$1" "$2" "$boot_id" >"$BUILD/accel.tmp"
	mv "$BUILD/accel.tmp" "$BUILD/accel"
}

# Opening what is not there would create a file.
if [ ! -c /dev/kvm ] || ! (: <>/dev/kvm) 2>/dev/null; then
	choose tcg "TCG with emulated AMD SVM, as there is no /dev/kvm to open"
elif [ "$(sed -n 3p "$BUILD/accel" 2>/dev/null)" != "$boot_id" ]; then
	say "proving /dev/kvm, $limit s at most"
	rm -f "$BUILD/accel.report"
	start_qemu "$limit" "$(qemu_command kvm "${1:-stock}" "file:$LOGS/probe-console" \
		"file:$BUILD/accel.report" lab=probe)" >"$LOGS/probe" 2>&1
	# The shell would say "Aborted", and the line below tells it better.
	wait_qemu 2>/dev/null || :
	if grep -qsx 'lab: kvm works' "$BUILD/accel.report"; then
		choose kvm "KVM, nested virtualisation proved by a boot"
	else
		choose tcg "TCG with emulated AMD SVM, as /dev/kvm opens but a machine's own KVM did not work in it"
	fi
fi
say "accelerator: $(sed -n 2p "$BUILD/accel")"
