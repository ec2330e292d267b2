#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each patch of topic fixes by itself on the pristine source: it applies with fuzz 0 and builds
# without a warning.  One that cannot names those that it needs, a line each in its changelog:
#
#   Depends-on: fixes/0001
#
# alone.sh apply: no build, just whether they apply

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

take_lock
"$TOP/scripts/steps/packages.sh"
"$TOP/scripts/steps/source.sh"
list=$(patches | sed -n '/^fixes\//p')
[ -n "$list" ] || {
	say "the series has no topic fixes"
	exit
}
[ "${1:-}" = apply ] || "$TOP/scripts/steps/kernel.sh" stock
whole=$SERIES

# needs PATCH: the patches that its changelog names
needs()
{
	sed -n -e '/^---$/q' -e 's/^Depends-on: *//p' "$whole/$1"
}

# number PATCH: as it is named in short, TOPIC/NNNN
number()
{
	echo "$1" | sed 's|/\([0-9]*\).*|/\1|'
}

# together PATCH: it and those before it that it needs, and that these need, in their order
together()
{
	wanted=" $(number "$1") "
	echo "$list" | tac | while read -r other; do
		case $wanted in *" $(number "$other") "*)
			echo "$other"
			wanted="$wanted$(needs "$other" | tr '\n' ' ')"
			;;
		esac
	done | tac
}

for name in $list; do
	for other in $(needs "$name"); do
		echo "$list" | sed "\\|^$name\$|,\$d" | grep -q "^$other-" ||
			die "$name depends on $other, which is no patch of topic fixes before it; name another as Depends-on: fixes/NNNN."
	done
done

n=0
bad=0
rm -f "$OUT/alone.table"
for name in $list; do
	SERIES=$OUT/alone.series
	rm -rf "$SERIES"
	mkdir -p "$SERIES/fixes"
	together "$name" >"$SERIES/series"
	while read -r patch; do
		cp "$whole/$patch" "$SERIES/$patch"
	done <"$SERIES/series"
	what="alone"
	[ "$(wc -l <"$SERIES/series")" -eq 1 ] ||
		what="with $(sed '$d' "$SERIES/series" | while read -r patch; do number "$patch"; done | paste -sd ' ')"
	verdict="applies $what"
	if ! "$TOP/scripts/steps/series.sh" apply; then
		verdict="FAIL: does not apply $what"
	elif [ "${1:-}" != apply ]; then
		rm -f "$LOGS/build-alone"
		verdict="builds $what"
		if ! "$TOP/scripts/steps/kernel.sh" alone; then
			verdict="FAIL: does not build $what"
		elif grep 'warning: ' "$LOGS/build-alone" 2>/dev/null; then
			verdict="FAIL: builds $what with a warning"
		fi
	fi
	n=$((n + 1))
	case $verdict in FAIL*) bad=$((bad + 1)) ;; esac
	printf '%-60.60s  %s\n' "$name" "$verdict" >>"$OUT/alone.table"
done
SERIES=$whole "$TOP/scripts/steps/series.sh" apply >/dev/null

cat "$OUT/alone.table"
echo "alone: $((n - bad)) of $n fixes stand by themselves or with those that they name"
[ "$bad" -eq 0 ]
