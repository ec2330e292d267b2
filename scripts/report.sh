#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One page of all results of all bases: build/report.html for a browser, with nothing
# outside of it, and build/report.txt for a mail.
#
# It shows what the commands have left (scripts/record.sh) and runs nothing.  What was not
# run, or was run on another series than that of today, is said to be so.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

commands="verify suite bisect alone matrix mutants unit faults coverage fuzz debug bench modules selftests-bundle soak"
bases=$(cd "$TOP/bases" && echo linux-* | sed 's/linux-//g')
take_lock
work=$BUILD/report
rm -rf "$work"
mkdir -p "$work"
# The links below are those of a run of make for this base.
unset SERIES

# state BASE COMMAND: what became of it, in one word
state()
{
	last=$BUILD/results/linux-$1/last/$2
	if [ ! -f "$last.status" ]; then
		echo "not run"
	elif ! (SERIES=$TOP/patches/linux-$1 && series_sums) | cmp -s - "$last.series"; then
		echo outdated
	else
		case $(cat "$last.status") in
		0) echo pass ;;
		1) echo FAIL ;;
		4) echo skipped ;;
		*) echo "no result" ;;
		esac
	fi
}

# words BASE COMMAND: what it has shown, without the lines of progress but for the last
words()
{
	awk '{ line[NR] = $0 }
	     END {
		for (i = 1; i <= NR; i++) {
			progress = sub(/^\[ *[0-9]+ s\] /, "", line[i])
			if (!progress || i == NR)
				print line[i]
		}
	     }' "$BUILD/results/linux-$1/last/$2.out"
}

# last_words BASE COMMAND: its verdict in one line
last_words()
{
	words "$1" "$2" | grep -v '^ *$' | tail -n 1
}

escape()
{
	sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
}

text()
{
	echo "A fixed length for KVM's gfn_to_pfn_cache: results, $(date -u +%Y-%m-%d)"
	for base in $bases; do
		printf '\nlinux-%s: %s\n\n' "$base" "$(cat "$BUILD/linux-$base/origin" 2>/dev/null || echo "no source here")"
		for command in $commands; do
			state=$(state "$base" "$command")
			case $state in
			pass|FAIL) what=$(last_words "$base" "$command") ;;
			*) what= ;;
			esac
			printf '  %-16s  %-9s  %s\n' "$command" "$state" "$what"
		done
	done
	for base in $bases; do
		[ "$(state "$base" verify)" = pass ] || continue
		printf '\nlinux-%s, what stock fails and the series mends\n\n' "$base"
		words "$base" verify | sed -n 's/^\( *\)\(.*[^ ]\)  *FAIL    -> pass \*/  \1\2/p'
	done
	for base in $bases; do
		[ "$(state "$base" bench)" = pass ] || continue
		printf '\nlinux-%s, costs that are not the same\n\n' "$base"
		words "$base" bench | awk '/^$/ { exit } NR == 1 || $1 != $2'
	done
	printf '\nNot tested: %s\n' "$(untested)"
}

# untested: what no machine here could do, from the runs themselves
untested()
{
	for base in $bases; do
		[ ! -f "$BUILD/results/linux-$base/last/verify.out" ] ||
			sed -n 's/^not tested *//p' "$BUILD/results/linux-$base/last/verify.out"
	done | sort -u | paste -sd ';' | sed 's/;/; /g' | grep . || echo "that is for make verify to say"
}

# picture BASE: that of its costs, if it is of this series
picture()
{
	svg=$TOP/docs/costs/linux-$1.svg
	if grep -qsxF "<!-- Series: $(SERIES=$TOP/patches/linux-$1 && series_hash) -->" "$svg"; then
		sed '1,/^<!--/d' "$svg"
	else
		echo "<p>The picture in docs/costs is of another series; make bench BASE=$1 draws it anew.</p>"
	fi
}

page()
{
	cat <<-HTML
	<!DOCTYPE html>
	<!-- SPDX-License-Identifier: GPL-2.0 -->
	<html lang="en"><head><meta charset="utf-8">
	<meta name="viewport" content="width=device-width">
	<title>gfn_to_pfn_cache: results</title>
	<style>
	body { font: 16px/1.5 sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; color: #222 }
	table { border-collapse: collapse; width: 100% }
	th, td { border-bottom: 1px solid #ccc; padding: .35em .6em; text-align: left; vertical-align: top }
	td small { display: block; color: #555 }
	pre { background: #f6f6f6; padding: 1em; overflow-x: auto; font-size: 13px; line-height: 1.35 }
	.pass b { color: #17693a } .FAIL b, .no b { color: #b00020 } .not b, .outdated b, .skipped b { color: #8a5a00 }
	summary { cursor: pointer; padding: .3em 0 } svg { max-width: 100%; height: auto }
	</style></head><body>
	<h1>A fixed length for KVM's gfn_to_pfn_cache</h1>
	<p>Results of $(date -u +%Y-%m-%d). Each cell is a command of the lab on one base kernel; its whole output is below.
	<i>outdated</i>: run on an earlier state of the series.</p>
	<table><tr><th></th>
	HTML
	for base in $bases; do
		echo "<th>linux-$base<small style=\"font-weight:normal\"> $(escape <"$BUILD/linux-$base/origin")</small></th>"
	done 2>/dev/null
	echo "</tr>"
	for command in $commands; do
		echo "<tr><th>$command</th>"
		for base in $bases; do
			state=$(state "$base" "$command")
			echo "<td class=\"$state\"><b>$state</b>"
			case $state in
			pass|FAIL) echo "<small><a href=\"#$command-$base\">$(last_words "$base" "$command" | escape)</a></small>" ;;
			esac
			echo "</td>"
		done
		echo "</tr>"
	done
	echo "</table><p><b>Not tested:</b> $(untested | escape).</p>"
	for base in $bases; do
		echo "<h2>linux-$base</h2>"
		for command in $commands; do
			case $(state "$base" "$command") in
			pass|FAIL) ;;
			*) continue ;;
			esac
			open=
			[ "$command" != verify ] || open=open
			echo "<details $open id=\"$command-$base\"><summary>make $command BASE=$base, $(cat "$BUILD/results/linux-$base/last/$command.date")</summary>"
			[ "$command" != bench ] || picture "$base"
			echo "<pre>"
			words "$base" "$command" | escape
			echo "</pre></details>"
		done
	done
	# A link into a closed part opens it.
	cat <<-'HTML'
	<script>
	function show() { const e = document.getElementById(location.hash.slice(1)); if (e) e.open = true; }
	addEventListener("hashchange", show); show();
	</script></body></html>
	HTML
}

text >"$work/report.txt"
page >"$work/report.html"
mv "$work/report.txt" "$work/report.html" "$BUILD"
rmdir "$work"
sed '/^linux-[^:]*, /,$d' "$BUILD/report.txt"
say "$(shown "$BUILD/report.html") for a browser, $(shown "$BUILD/report.txt") for a mail"
