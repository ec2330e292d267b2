#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One page of all results of all bases: build/report.html for a browser, with nothing
# outside of it, and build/report.txt for a mail.  `report.sh docs` prints the page for
# docs/results/README.md, of the committed records alone and the same bytes everywhere.
#
# It shows what the commands have left (scripts/lib/records.sh) and runs nothing.  What was
# not run, or was run on another series than that of today, is said to be so.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=scripts/lib/records.sh
. "$TOP/scripts/lib/records.sh"

bases=$(cd "$TOP/bases" && echo linux-* | sed 's/linux-//g')
# The links below are those of a run of make for this base.
unset SERIES

# has_words STATE: is there a verdict to show?
has_words()
{
	case $1 in
	pass|FAIL) ;;
	*) return 1 ;;
	esac
}

escape()
{
	sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
}

# mended BASE: the rows of verify that stock fails, each with its patch
mended()
{
	words "$(record "$1" verify)" | sed -n 's/^\( *\)\(.*[^ ]\)  *FAIL    -> pass \*/  \1\2/p'
}

# source_of BASE: the source of its records
source_of()
{
	for command in $commands; do
		file=$(record "$1" "$command")
		[ ! -f "$file" ] || said "$file" Source
	done | sort | uniq -c | sort -rn | sed -n '1s/^ *[0-9]* //p' | grep . || echo "nothing was run"
}

# untested: what no machine here could do, from the runs themselves
untested()
{
	for base in $bases; do
		file=$(record "$base" verify)
		[ ! -f "$file" ] || words "$file" | sed -n 's/^not tested *//p'
	done | sort -u | paste -sd ';' | sed 's/;/; /g' | grep . || echo "that is for make verify to say"
}

text()
{
	echo "A fixed length for KVM's gfn_to_pfn_cache: results, $(date -u +%Y-%m-%d)"
	for base in $bases; do
		printf '\nlinux-%s: %s\n\n' "$base" "$(source_of "$base")"
		for command in $commands; do
			file=$(record "$base" "$command")
			state=$(state "$base" "$file")
			what=
			! has_words "$state" || what=$(last_words "$file")
			printf '  %-16s  %-9s  %s\n' "$command" "$state" "$what"
		done
	done
	for base in $bases; do
		[ "$(state "$base" "$(record "$base" verify)")" = pass ] || continue
		printf '\nlinux-%s, what stock fails and the series mends\n\n' "$base"
		mended "$base"
	done
	for base in $bases; do
		file=$(record "$base" bench)
		[ "$(state "$base" "$file")" = pass ] || continue
		printf '\nlinux-%s, costs that are not the same\n\n' "$base"
		words "$file" | awk '/^$/ { exit } NR == 1 || $1 != $2'
	done
	printf '\nNot tested: %s\n' "$(untested)"
}

# has_picture BASE: is the picture of its costs of this series?
has_picture()
{
	grep -qsxF "<!-- Series: $(SERIES=$TOP/patches/linux-$1 && series_hash) -->" "$TOP/docs/costs/linux-$1.svg"
}

picture()
{
	if has_picture "$1"; then
		sed '1,/^<!--/d' "$TOP/docs/costs/linux-$1.svg"
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
		echo "<th>linux-$base<small style=\"font-weight:normal\"> $(source_of "$base" | escape)</small></th>"
	done
	echo "</tr>"
	for command in $commands; do
		echo "<tr><th>$command</th>"
		for base in $bases; do
			file=$(record "$base" "$command")
			state=$(state "$base" "$file")
			echo "<td class=\"$state\"><b>$state</b>"
			! has_words "$state" ||
				echo "<small><a href=\"#$command-$base\">$(last_words "$file" | escape)</a></small>"
			echo "</td>"
		done
		echo "</tr>"
	done
	echo "</table><p><b>Not tested:</b> $(untested | escape).</p>"
	for base in $bases; do
		echo "<h2>linux-$base</h2>"
		for command in $commands; do
			file=$(record "$base" "$command")
			has_words "$(state "$base" "$file")" || continue
			open=
			[ "$command" != verify ] || open=open
			echo "<details $open id=\"$command-$base\"><summary>$(said "$file" Command), $(said "$file" Ended)</summary>"
			[ "$command" != bench ] || picture "$base"
			echo "<pre>"
			words "$file" | escape
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

# committed: the page of the committed records, for whoever reads the repository on the web
committed()
{
	cat <<-'MD'
	<!-- SPDX-License-Identifier: GPL-2.0 -->
	<!-- Made by make results; make report brings it up to date with the series. -->
	# Results

	What each command of the lab has shown of the series, base by base; a link leads to all that it has said.
	*Outdated* is a run on an earlier state of the series. `make results BASE=...` runs what is missing.
	MD
	for base in $bases; do
		printf '\n## linux-%s\n\n' "$base"
		printf 'Source: %s; series: %s\n\n' "$(source_of "$base")" \
			"$(SERIES=$TOP/patches/linux-$base && series_hash)"
		echo "| command | | what it has shown | ended |"
		echo "|---|---|---|---|"
		for command in $commands; do
			file=$(record "$base" "$command")
			state=$(state "$base" "$file")
			if [ -f "$file" ]; then
				printf '| [%s](linux-%s/%s) | %s | %s | %s |\n' "$command" "$base" "$command" "$state" \
					"$(last_words "$file" | sed 's/|/\\|/g')" "$(said "$file" Ended)"
			else
				printf '| %s | %s | | |\n' "$command" "$state"
			fi
		done
		! has_picture "$base" || printf '\n![instructions, stock beside patched](../costs/linux-%s.svg)\n' "$base"
	done
	printf '\nNot tested: %s.\n' "$(untested)"
}

if [ "${1:-}" = docs ]; then
	# Without what was run here
	record()
	{
		echo "$TOP/docs/results/linux-$1/$2"
	}
	committed
	exit
fi
take_lock
text >"$BUILD/report.txt"
page >"$BUILD/report.html"
"$0" docs >"$BUILD/README.md"
mv "$BUILD/README.md" "$TOP/docs/results/README.md"
sed '/^linux-[^:]*, /,$d' "$BUILD/report.txt"
say "$(shown "$BUILD/report.html") for a browser, $(shown "$BUILD/report.txt") for a mail"
