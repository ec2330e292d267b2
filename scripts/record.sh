#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run one command of the Makefile and keep what it shows, how it ended and of which
# series that is, in $RESULTS/last, for `make report`: record.sh COMMAND

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

command=$TOP/scripts/$1.sh
last=$RESULTS/last
# If there is no room for it, the command has the words for that.
mkdir -p "$last" 2>/dev/null || exec "$command"
rm -f "$last/$1".*
# The command's own status, through a pipe of its own
exec 4>&1
status=$({
	{
		"$command" 3>&- 4>&- && echo 0 >&3 || echo $? >&3
	} | tee "$last/$1.tmp" >&4
} 3>&1)
{
	date -u +'%Y-%m-%d %H:%M UTC' >"$last/$1.date"
	(series_sums) >"$last/$1.series"
	echo "$status" >"$last/$1.status"
	mv "$last/$1.tmp" "$last/$1.out"
} 2>/dev/null || :
exit "$status"
