# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# The main job as a check; sourced by check.sh.  Its table is shown, pass or not.

verify()
{
	"$TOP/scripts/record.sh" verify 2>&1 | tee "$WORK/verify" >&3
	tail -n 1 "$WORK/verify" | grep -q '^PASS: '
}

check "stock fails and patched passes: make verify" verify
