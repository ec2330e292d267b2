# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# What became of each test on both kernels, and what the kernels said, for commands that want
# the one like the other; sourced after common.sh.

# verdicts DIR INDENT: a line a test, its name and what became of it
verdicts()
{
	sed -n -e "s/^$2ok [0-9]* \([^ ]*\) # SKIP.*/\1 skip/p" -e "s/^$2ok [0-9]* \([^ ]*\).*/\1 pass/p" \
		-e "s/^$2not ok [0-9]* \([^ ]*\).*/\1 FAIL/p" "$1/ktap" | sort
}

# splats CONSOLE: the lines of it that lab/tables/splats denies, a line a kind: without the numbers
# that another boot or another place in the source changes
splats()
{
	[ -s "$1" ] || die "a boot left no console; see $(shown "$1")."
	"$BUILD/bin/judge" --splats "$1" "$TOP/lab/tables/splats" >"$1.splats"
	sed -E 's/0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\b[0-9]+/N/g' "$1.splats" | sort -u
}

# compare DIR NAMES [INDENT]: DIR/both, a line a test of the sorted file NAMES: its name and its
# verdicts on stock and on patched, of what boot_both has left in DIR; and DIR/new.splats, what
# the patched kernel alone has said.  The verdicts are in lines of KTAP that begin with INDENT.
compare()
{
	for kernel in stock patched; do
		verdicts "$1/$kernel" "${3:-}" >"$1/$kernel.verdicts"
		splats "$1/$kernel/console" >"$1/$kernel.splats"
	done
	comm -13 "$1/stock.splats" "$1/patched.splats" >"$1/new.splats"
	# A test that a kernel did not get to is not the same verdict.
	join -a 1 -e MISSING -o 0,2.2 "$2" "$1/stock.verdicts" |
		join -a 1 -e MISSING -o 0,1.2,2.2 - "$1/patched.verdicts" >"$1/both"
}
