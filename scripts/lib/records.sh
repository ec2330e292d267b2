# shellcheck shell=sh disable=SC2034 # what is set here is for the others
# SPDX-License-Identifier: GPL-2.0
# What the commands have shown; sourced after common.sh by those who keep or show it.
#
# A record is one file: lines that begin with "# " say of what it is, an empty line ends
# them, and then comes what the command has said, without its lines of progress but for the
# last.  The newest run here is in build/results/linux-BASE/last/COMMAND; what `make results`
# has run on the committed series is in docs/results/linux-BASE/COMMAND.

# All that have a record, in the order in which `make results` runs them: what fails soonest first
commands="unit faults coverage alone verify bench no-xen selftests-bundle fuzz guests debug suite mutants matrix bisect modules deb soak"

# said FILE NAME: what its line NAME says
said()
{
	sed -n -e '/^$/q' -e "s/^# $2: //p" "$1"
}

# is_of_today BASE FILE: is that a record of the series as it is now?
is_of_today()
{
	[ -f "$2" ] && [ "$(said "$2" Series)" = "$(SERIES=$TOP/patches/linux-$1 && series_hash)" ]
}

# record BASE COMMAND: its record: that of the run here, unless only the committed one is of
# today's series
record()
{
	here=$BUILD/results/linux-$1/last/$2
	kept=$TOP/docs/results/linux-$1/$2
	if [ ! -f "$here" ] || { ! is_of_today "$1" "$here" && is_of_today "$1" "$kept"; }; then
		echo "$kept"
	else
		echo "$here"
	fi
}

# state BASE FILE: what the record says became of the command, in a word or two
state()
{
	if [ ! -f "$2" ]; then
		echo "not run"
	elif ! is_of_today "$1" "$2"; then
		echo outdated
	else
		case $(said "$2" Status) in
		0) echo pass ;;
		1) echo FAIL ;;
		4) echo skipped ;;
		*) echo "no result" ;;
		esac
	fi
}

# words FILE: what the command has said
words()
{
	sed '1,/^$/d' "$1"
}

# last_words FILE: its verdict in one line
last_words()
{
	words "$1" | grep -v '^ *$' | tail -n 1
}
