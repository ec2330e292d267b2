# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Checks of the judge with recorded runs, lab/host/fixtures; sourced by check.sh.

# judged DIR: the judge's exit status and its verdict line, as in `verdict`
judged()
{
	status=0
	ASAN_OPTIONS=detect_leaks=0 "$WORK/sanitized/bin/judge" "$1" "$1/expect" \
		"${2:-$TOP/lab/tables/splats}" >"$1/out" 2>&1 || status=$?
	echo "$status"
	tail -n 1 "$1/out"
}

# lay_out CASE: the recorded run as a folder of its own in $WORK
lay_out()
{
	rm -rf "$WORK/run"
	cp -r "$TOP/lab/host/fixtures/good" "$WORK/run"
	cp -r "$TOP/lab/host/fixtures/$1/." "$WORK/run"
}

fixture()
{
	lay_out "$1"
	judged "$WORK/run" >"$WORK/judged"
	diff -u "$WORK/run/verdict" "$WORK/judged" || {
		cat "$WORK/run/out"
		exit 1
	}
}

# No cut report may pass, wherever the cut is, and none may crash the judge.
any_cut()
{
	lay_out good
	size=$(wc -c <"$WORK/run/patched/ktap")
	cut=0
	while [ "$cut" -lt $((size - 1)) ]; do
		head -c "$cut" "$TOP/lab/host/fixtures/good/patched/ktap" >"$WORK/run/patched/ktap"
		got=$(judged "$WORK/run")
		case $got in
		2*INCOMPLETE:*) ;;
		*)
			echo "cut after $cut of $size bytes: $got"
			exit 1
			;;
		esac
		cut=$((cut + 7))
	done
}

# A program's bytes are as good as any noise, and the same on each run.
noise()
{
	for file in ktap meta tests; do
		lay_out good
		cp "$WORK/sanitized/bin/judge" "$WORK/run/patched/$file"
		got=$(judged "$WORK/run")
		case $got in
		2*INCOMPLETE:*) ;;
		*)
			echo "noise as $file: $got"
			exit 1
			;;
		esac
	done
}

# one LAST-LINE ARGUMENT...: how the judge ends on one boot alone
one()
{
	last=$1
	shift
	ASAN_OPTIONS=detect_leaks=0 "$WORK/sanitized/bin/judge" --one "$@" >"$WORK/one" || :
	cat "$WORK/one"
	tail -n 1 "$WORK/one" | grep -qx "$last"
}

one_boot()
{
	good=$TOP/lab/host/fixtures/good
	one 'PASS: 4 results; all pass on kernel, no splat' "$good/patched" "$TOP/lab/tables/splats"
	one 'FAIL: 4 results; 2 failed on kernel, 0 splat lines' "$good/stock" "$TOP/lab/tables/splats"
}

# In the midst of a series a row fails as long as the patch that mends it is not there, and
# no longer; likewise a splat.
one_boot_of_some()
{
	good=$TOP/lab/host/fixtures/good
	splat=$TOP/lab/host/fixtures/splat-expected-on-stock
	one 'PASS: 4 results; 2 fail as expected, all others pass on kernel, no splat' \
		"$good/stock" "$TOP/lab/tables/splats" "$good/expect"
	grep -q '^  vcpu_info: page 0 is intact .*FAIL \*  fixes/0002$' "$WORK/one"
	one 'FAIL: 4 results; 3 failed on kernel, 0 splat lines' \
		"$good/patched" "$TOP/lab/tables/splats" "$good/expect"
	grep -v fixes/0001 "$good/expect" >"$WORK/expect"
	one 'FAIL: 4 results; 1 failed on kernel, 0 splat lines' \
		"$good/stock" "$TOP/lab/tables/splats" "$WORK/expect"
	lay_out splat-expected-on-stock
	one 'PASS: 4 results; 2 fail as expected, .*, no splat' \
		"$WORK/run/stock" "$TOP/lab/tables/splats" "$splat/expect"
	grep -v fixes/0003 "$splat/expect" >"$WORK/expect"
	one 'FAIL: 4 results; 0 failed on kernel, [1-9].* splat lines' \
		"$WORK/run/stock" "$TOP/lab/tables/splats" "$WORK/expect"
}

# A row of the expectations says which patch mends it, and why it fails.
broken_expectation()
{
	lay_out good
	for row in 'pfncache_test row fail # why' 'pfncache_test row fail 0001 # why' \
		   'pfncache_test row fail fixes/1 # why' 'pfncache_test row fail /0001 # why' \
		   'pfncache_test row fail fixes/0001 #' 'pfncache_test row fixes/0001 # why' \
		   'pfncache_test fail fixes/0001 # why' 'fixes/0001 # why' 'splat ^WARNING: # why' \
		   'splat fixes/0001 # why' 'splat fixes/0001 ^WARNING: (# why' \
		   'splat fixes/0001 ^WARNING: ( # why'; do
		echo "$row" >"$WORK/run/expect"
		judged "$WORK/run" >"$WORK/judged"
		{ [ "$(head -n 1 "$WORK/judged")" = 2 ] && grep -q '^judge: ' "$WORK/run/out"; } || {
			echo "accepted: $row"
			exit 1
		}
	done
}

# The splats of a console by themselves, for those who compare consoles
splats_alone()
{
	for case in splat good; do
		ASAN_OPTIONS=detect_leaks=0 "$WORK/sanitized/bin/judge" --splats \
			"$TOP/lab/host/fixtures/$case/patched/console" "$TOP/lab/tables/splats" >"$WORK/$case.splats"
	done
	grep -q '^WARNING: CPU: 1 PID: 61 at ' "$WORK/splat.splats"
	[ ! -s "$WORK/good.splats" ]
}

# A scan for splats that cannot be made is no clean console.
broken_scan()
{
	lay_out good
	for rule in 'deny ^BUG: (' 'deny ^BUG: (# unbalanced' 'deny ^BUG: # ' \
		    'allow ^BUG: # nothing is denied' 'dney ^BUG: # oops'; do
		echo "$rule" >"$WORK/rules"
		[ "$(judged "$WORK/run" "$WORK/rules" | head -n 1)" = 2 ] || {
			echo "accepted: $rule"
			exit 1
		}
	done
}

# cost STATUS MARK STOCK PATCHED [LIST]: the status and the mark of a row with these figures,
# where lab/tables/costs has LIST of it
cost()
{
	printf '%s\n' "${5:-}" >"$WORK/list"
	printf '%s\t%s\t-\trow\n' "$3" "$4" >"$WORK/rows"
	status=0
	awk -F'\t' -v base=0 -f "$TOP/lab/host/costs.awk" "$WORK/list" "$WORK/rows" >"$WORK/table" || status=$?
	cat "$WORK/table"
	[ "$status" -eq "$1" ]
	sed -n 2p "$WORK/table" | grep -q " row$2"
}

costs()
{
	tab=$(printf '\t')
	cost 0 '$' 10 10
	cost 0 '$' 10 9
	cost 1 '  <-- slower' 10 11
	cost 0 ' \*$' 10 11 "row${tab}why"
	cost 1 '  <-- no longer slower' 10 9 "row${tab}why"
	cost 1 '  <-- one kernel' 10 -
	cost 1 '  <-- one kernel' - 10
	cost 1 '  <-- one kernel' 10 - "row${tab}-${tab}why"
	cost 1 '  <-- both refuse it' - -
	cost 0 '$' - - "row${tab}-${tab}why"
	cost 1 '  <-- no longer refused' 10 10 "row${tab}-${tab}why"
	cost 1 '$' 10 10 "another${tab}-${tab}why"
}

for dir in "$TOP"/lab/host/fixtures/*/; do
	name=$(basename "$dir")
	check "the judge on a recorded run: $name" fixture "$name"
done
check "the judge on a report cut anywhere" any_cut
check "the judge on noise" noise
check "the judge on one boot alone" one_boot
check "the judge on one boot in the midst of a series" one_boot_of_some
check "the judge refuses an expectation that names no patch" broken_expectation
check "the judge names the splats of a console" splats_alone
check "the judge of costs" costs
check "the judge refuses a splat list that it cannot use" broken_scan
