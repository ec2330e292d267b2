#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Run every command that has a result, on this repository's own series, and keep what each
# has shown in docs/results, with the page that shows them all.  It ends with the first
# one that does not pass.
#
# What has passed on the series as it is now is not run again, so that this goes on where it
# was interrupted, on another machine as well.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/records.sh
. "$TOP/scripts/lib/records.sh"

is_own || die "docs/results is about this repository's own series on the base's own source; run this without KTREE, KTARBALL and SERIES."
take_lock
kept=$TOP/docs/results/linux-$BASE
mkdir -p "$kept"
for command in $commands; do
	case $command in
	modules) [ -n "$image" ] || continue ;;
	# A whole kernel with all of Debian's options, and the same for each base
	deb) [ "$BASE" = 6.12 ] || continue ;;
	esac
	if [ "$(state "$BASE" "$kept/$command")" = pass ]; then
		say "$command has passed on this series: $(said "$kept/$command" Ended)"
		continue
	fi
	say "make $command"
	[ "$command" != deb ] || export FLAVOUR=cloud-amd64
	"$TOP/scripts/steps/record.sh" "$command"
	cp "$RESULTS/last/$command" "$kept/$command"
	unset FLAVOUR
	"$TOP/scripts/report.sh" >/dev/null
done
say "all that linux-$BASE has a result of has passed on this series; see $(shown "$TOP/docs/results/README.md")"
