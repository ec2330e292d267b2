#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run one command of the Makefile and keep what it shows, how it ended and of which
# series that is, as scripts/lib/records.sh says: record.sh COMMAND
#
# The last record stays until there is another: a run that was refused before it began,
# or ended from outside, is none.  Nor is one with settings of the user's own, which
# shows less than the command stands for, or something else.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

command=$TOP/scripts/$1.sh
begin=$(uptime)
last=$RESULTS/last
if ! is_own || [ "${FUZZ_SECONDS:-60}/${SEED:-1}/${KERNEL:-patched}/${KIND:-}/${PHASES:-}/${BOOTS:-20}/${GUEST:-}/${MIGRATIONS:-4}" != 60/1/patched///20//4 ]; then
	say "with other settings than the default ones: make report will not show this run"
	exec "$command"
fi
take_lock
# If there is no room for it, the command has the words for that.
mkdir -p "$last" 2>/dev/null || exec "$command"
out=$last/$1.out
: 2>/dev/null >"$out" || exec "$command"
# Of the series that it begins with, which may be edited meanwhile
hash=$( (series_hash) 2>/dev/null) || :
# The command's own status, through a pipe of its own
exec 4>&1
status=$({
	{
		"$command" 3>&- 4>&- && echo 0 >&3 || echo $? >&3
	} | tee "$out" >&4
} 3>&1)
# What is refused has said nothing but why, on the standard error.
kept=yes
case $status in
2) [ -s "$out" ] || kept=no ;;
129|130|143) kept=no ;;
esac
[ "$kept" = no ] || {
	{
		echo "# SPDX-License-Identifier: GPL-2.0"
		echo "# Command: make $1${FLAVOUR:+ FLAVOUR=$FLAVOUR} BASE=$BASE"
		echo "# Source: $(cat "$OUT/origin" 2>/dev/null || echo none)"
		echo "# Series: $hash"
		echo "# Ended: $(date -u +'%Y-%m-%d %H:%M UTC'), after $(($(uptime) - begin)) s"
		echo "# Status: $status"
		echo
		awk '{ line[NR] = $0 }
		     END {
			for (i = 1; i <= NR; i++) {
				progress = sub(/^\[ *[0-9]+ s\] /, "", line[i])
				if (!progress || i == NR)
					print line[i]
			}
		     }' "$out"
	} >"$last/$1.new" && mv "$last/$1.new" "$last/$1"
} 2>/dev/null || :
rm -f "$out"
exit "$status"
