# SPDX-License-Identifier: GPL-2.0
# The table of costs from lab/tables/costs/linux-BASE and the rows of `make bench` (stock, patched,
# ratio, what it is), split at tabs; base= is for the messages.  Exit status 1 if a row is
# not as that file has it.
FNR == NR {
	if ($0 !~ /^#/ && NF) {
		if ($2 == "-")
			refused[$1] = $3
		else
			reason[$1] = $2
	}
	next
}
FNR == 1 {
	printf "%10s %10s %7s  %s\n", "stock", "patched", "ratio", "instructions"
}
{
	mark = ""
	both = $1 == "-" && $2 == "-"
	one = !both && ($1 == "-" || $2 == "-")
	slower = !both && !one && $2 > $1
	if (slower && $4 in reason) {
		mark = " *"
		why = why "  " $4 ": " reason[$4] "\n"
	} else if (slower) {
		mark = "  <-- slower"
		bad = 1
	}
	if (!slower && $4 in reason) {
		mark = "  <-- no longer slower: take it out of lab/tables/costs/linux-" base
		bad = 1
	}
	if (one)
		mark = "  <-- one kernel alone refuses it"
	else if (both && !($4 in refused))
		mark = "  <-- both refuse it, which lab/tables/costs/linux-" base " does not know"
	else if (both)
		whynot = whynot "  " $4 ": " refused[$4] "\n"
	else if ($4 in refused)
		mark = "  <-- no longer refused: take it out of lab/tables/costs/linux-" base
	if (one || both != ($4 in refused))
		bad = 1
	seen[$4] = 1
	printf "%10s %10s %7s  %s%s\n", $1, $2, $3, $4, mark
}
END {
	printf "\n* slower, because\n%s", why
	if (whynot)
		printf "\n- refused by both, because\n%s", whynot
	for (row in refused)
		reason[row] = 1
	for (row in reason) {
		if (!(row in seen)) {
			print "no row is called " row "  <--"
			bad = 1
		}
	}
	exit bad
}
