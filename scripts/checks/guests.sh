# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# A kernel of Debian as a guest of QEMU; sourced by check.sh.

# Its table is shown, pass or not.  Where QEMU's source cannot be had it says so, and ends with 4.
guests()
{
	# It takes some time to build QEMU.
	[ -f "$BUILD/qemu/.lab-built" ] ||
		[ $(($(uptime) - LAB_START)) -lt $((${CHECK_SECONDS:-999999} - 1500)) ] ||
		skip "QEMU cannot be built in what is left of CHECK_SECONDS=$CHECK_SECONDS; make guests does both."
	{
		status=0
		GUEST=guest_amd64 MIGRATIONS=1 "$TOP/scripts/guests.sh" || status=$?
		echo "$status" >"$WORK/guests.status"
	} 2>&1 | tee "$WORK/guests" >&3
	status=$(cat "$WORK/guests.status")
	[ "$status" -ne 4 ] || skip "$(sed -n 's/^lab: skipped: //p' "$WORK/guests")"
	[ "$status" -eq 0 ]
	tail -n 1 "$WORK/guests" | grep -q '^PASS: '
}

check "a kernel of Debian runs as a Xen guest, and is migrated: make guests" guests
