#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run one command of the Makefile and keep what it shows, how it ended and of which
# series that is, in $RESULTS/last, for `make report`: record.sh COMMAND
#
# The last result stays until there is another: a run that was refused before it began,
# or ended from outside, is none.  Nor is one with settings of the user's own, which
# shows less than the command stands for, or something else.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

command=$TOP/scripts/$1.sh
last=$RESULTS/last
if ! is_own || [ "${FUZZ_SECONDS:-60}/${SEED:-1}/${KERNEL:-patched}/${KIND:-}/${PHASES:-}/${BOOTS:-20}" != 60/1/patched///20 ]; then
	say "with other settings than the default ones: make report will not show this run"
	exec "$command"
fi
take_lock
# If there is no room for it, the command has the words for that.
mkdir -p "$last" 2>/dev/null || exec "$command"
new=$last/$1.new
rm -rf "$new"
mkdir "$new" 2>/dev/null || exec "$command"
# Of the series that it begins with, which may be edited meanwhile
(series_sums) >"$new/series" 2>/dev/null || :
# The command's own status, through a pipe of its own
exec 4>&1
status=$({
	{
		"$command" 3>&- 4>&- && echo 0 >&3 || echo $? >&3
	} | tee "$new/out" >&4
} 3>&1)
# What is refused has said nothing but why, on the standard error.
kept=yes
case $status in
2) [ -s "$new/out" ] || kept=no ;;
129|130|143) kept=no ;;
esac
[ "$kept" = no ] || {
	date -u +'%Y-%m-%d %H:%M UTC' >"$new/date" && echo "$status" >"$new/status" &&
		for file in out series date status; do
			mv "$new/$file" "$last/$1.$file"
		done
} 2>/dev/null || :
rm -rf "$new"
exit "$status"
