#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Boot stock and patched again and again (BOOTS=20) and demand the same passing
# table each time: a result that flakes is no evidence.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

BOOTS=${BOOTS:-20}
[ "$BOOTS" -gt 0 ] 2>/dev/null || die "BOOTS=$BOOTS is no number of boots; give 1 or more."
take_lock
"$TOP/scripts/steps/prepare.sh"

soak=$RESULTS/soak
rm -rf "$soak"
n=0
while [ "$n" -lt "$BOOTS" ]; do
	n=$((n + 1))
	say "round $n of $BOOTS"
	boot_both "$soak/$n"
	status=0
	RUN=$soak/$n "$TOP/scripts/judge.sh" >"$soak/$n/table" || status=$?
	# The seconds may differ, nothing else.
	sed -i '/ s to PID 1, /d' "$soak/$n/table"
	if [ "$status" -ne 0 ]; then
		cat "$soak/$n/table"
		say "round $n did not pass; it is in $(shown "$soak/$n")"
		exit "$status"
	fi
	if ! diff -u "$soak/1/table" "$soak/$n/table"; then
		say "round $n gave another table than round 1; they are in $(shown "$soak")"
		exit 1
	fi
done
tail -n 1 "$soak/1/table"
say "$BOOTS boots of each kernel gave $BOOTS times the same table"
