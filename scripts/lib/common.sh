# shellcheck shell=sh disable=SC2034 # what is set here is for the others
# SPDX-License-Identifier: GPL-2.0
# What the scripts share: the places of things, how to speak and how to stop,
# the lock, and long steps with a log.  Sourced first by each of them.

set -eu
export LC_ALL=C
umask 022
# A kernel build must not inherit the front door's variables and job slots.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

# Whatever sources this is somewhere below scripts/.
TOP=$(realpath "$0")
TOP=${TOP%/scripts/*}
BASE=${BASE:-6.1}
KTREE=${KTREE:-}
KTARBALL=${KTARBALL:-}
BUILD=$(realpath -m "${BUILD:-$TOP/build}")
SERIES=$(realpath -m "${SERIES:-$TOP/patches/linux-$BASE}")
export BASE KTREE KTARBALL BUILD SERIES

# uptime(): whole seconds, from a clock that nobody sets.
uptime()
{
	read -r up _ </proc/uptime
	echo "${up%.*}"
}

LAB_START=${LAB_START:-$(uptime)}
export LAB_START

# say TEXT: one line of progress with the seconds since the command began.
say()
{
	printf '[%4d s] %s\n' $(($(uptime) - LAB_START)) "$*"
}

# die TEXT: what is wrong and the way out, in one sentence; exit 2.
die()
{
	printf 'lab: %s\n' "$*" >&2
	exit 2
}

# make splits its words at blanks and its rules at colons, QEMU its options at commas.
for dir in "$TOP" "$BUILD"; do
	case $dir in
	*[[:space:]:,\;\&\|\#\$\'\"\\\*\?]*)
		die "nothing can be built in '$dir', as its path has a blank, colon or the like; move the" \
			"repository or give BUILD=dir."
		;;
	esac
done
[ -f "$TOP/bases/linux-$BASE" ] ||
	die "there is no base '$BASE'; this repository has BASE=$(cd "$TOP/bases" &&
		echo linux-* | sed 's/linux-//g; s/ / or BASE=/g')."
[ -z "$KTREE" ] || [ -z "$KTARBALL" ] ||
	die "KTREE and KTARBALL both name a kernel; give one of them."
suite=
image=
# shellcheck source=bases/linux-7.3
. "$TOP/bases/linux-$BASE"

# All that is built for one base from one source.  A source of the user's own
# gets a folder of its own, so that it never mixes with the package's.
OUT=$BUILD/linux-$BASE
[ -z "$KTREE$KTARBALL" ] ||
	OUT=$OUT-$(realpath -m "$KTREE$KTARBALL" | cksum | cut -d' ' -f1)
RESULTS=$BUILD/results/${OUT##*/}
LOGS=$OUT/log
# The table of tests that a boot runs, and where their programs are.
TABLE=${TABLE:-$TOP/lab/tables/tests}
TESTS=${TESTS:-$OUT/selftests/bin}

CC=gcc
[ -z "$(command -v ccache)" ] || CC="ccache gcc"

# The process groups to end with this script.
job=
end_job()
{
	for pid in $job; do
		kill -- "-$pid" 2>/dev/null || :
	done
}
trap end_job EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# take_lock: one command at a time works on $BUILD; its sub-commands inherit
# the lock.
take_lock()
{
	[ "${LAB_LOCK:-}" != "$BUILD" ] || return 0
	mkdir -p "$BUILD" 2>/dev/null || die "cannot write to $BUILD; give BUILD=dir."
	exec 9>"$BUILD/lock"
	flock -n 9 || die "another command is at work in $BUILD; wait for its end or give BUILD=dir."
	export LAB_LOCK="$BUILD"
}

# shown FILE: a path as the user sees it, from the top of the repository.
shown()
{
	echo "${1#"$TOP"/}"
}

# free_space: MiB left on the disk of $BUILD
free_space()
{
	df -Pm "$BUILD" | awk 'NR == 2 { print $4 }'
}

# step TEXT LOG COMMAND...: run a long command with its output in LOG and say
# every minute that it still runs.  It has a process group of its own, for
# end_job() to end with everything it started.  Dies with the log's last lines,
# or if the command ends with 4, exits so and says $MAY_SKIP.
step()
{
	text=$1
	log=$2
	shift 2
	mkdir -p "${log%/*}"
	say "$text (log: $(shown "$log"))"
	setsid "$@" >"$log" 2>&1 </dev/null &
	job=$!
	(
		n=0
		while sleep 1 && kill -0 "$job" 2>/dev/null; do
			n=$((n + 1))
			[ $((n % 60)) -ne 0 ] || say "... still $text, $n s"
		done
	) 9>&- &
	ticker=$!
	status=0
	wait "$job" || status=$?
	job=
	kill "$ticker" 2>/dev/null || :
	[ "$status" -ne 0 ] || return 0
	if [ "$status" -eq 4 ]; then
		echo "lab: skipped: ${MAY_SKIP:-$text}" >&2
		exit 4
	fi
	# A log on a full disk may lack the words.
	if grep -q 'No space left on device' "$log" || [ "$(free_space)" -lt 1 ]; then
		die "the disk of $BUILD is full (while $text); free some room and run again."
	fi
	tail -n 15 "$log" >&2
	die "$text failed (status $status), see above; the whole log is $(shown "$log")."
}

# last_options FILE...: the lines of Kconfig fragments; of those about the same option the
# last one, which is what counts
last_options()
{
	cat "$@" | awk '/^(# )?CONFIG_/ {
		option = $0
		sub(/^# /, "", option)
		sub(/[= ].*/, "", option)
		last[option] = $0
	} END { for (option in last) print last[option] }'
}

# lost_options CONFIG FILE...: those of them that CONFIG, a .config, has otherwise; it has no
# line of an option that something else rules out
lost_options()
{
	dotconfig=$1
	shift
	last_options "$@" | while read -r line; do
		case $line in
		"# "*)
			option=${line#"# "}
			! grep -q "^${option%% *}=" "$dotconfig" || echo "$line"
			;;
		*) grep -qxF "$line" "$dotconfig" || echo "$line" ;;
		esac
	done
}

# has_rt: can the base have PREEMPT_RT?  The option is in each source, but not for x86.
has_rt()
{
	grep -q 'select ARCH_SUPPORTS_RT$' "$OUT/src/arch/x86/Kconfig"
}

# boot_both DIR [FOLDER]: boot the stock and the patched kernel of $OUT, or of a FOLDER there,
# side by side, for neither takes more than a CPU under TCG; what they leave is in DIR/stock
# and DIR/patched.
boot_both()
{
	setsid "$TOP/scripts/steps/boot.sh" "${2:+$2/}stock" "$1/stock" &
	job=$!
	setsid "$TOP/scripts/steps/boot.sh" "${2:+$2/}patched" "$1/patched" &
	job="$job $!"
	status=0
	for pid in $job; do
		wait "$pid" || status=$?
	done
	job=
	return "$status"
}

# need_space MIB: die unless the disk of $BUILD has that much left.
need_space()
{
	mkdir -p "$BUILD"
	free=$(free_space)
	[ "$free" -ge "$1" ] ||
		die "the disk of $BUILD has $free MiB left and $1 MiB are needed; free some room or give BUILD=dir."
}

# copy_tree FROM TO: a copy of $OUT/src, or of a tree that began as one.  What is the same
# as in $OUT/src is a link to it, which saves 1.8 GB a tree and is safe: a build writes no
# source, and series.sh and patch(1) replace a file instead of writing into it.
copy_tree()
{
	rm -rf "$2"
	name=${2##*/}
	# shellcheck disable=SC2016 # the inner shell's own arguments
	step "copying the ${1##*/} tree to ${name%.tmp}" "$LOGS/copy" sh -c '
		set -e
		cp -al "$1" "$3"
		[ "$2" = "$1" ] || cp -au --remove-destination "$2/." "$3"' - "$OUT/src" "$1" "$2"
}

# patches: the series' patches in their order, one file name a line.
patches()
{
	[ -f "$SERIES/series" ] || die "$(shown "$SERIES") has no file 'series'."
	list=$(sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$SERIES/series")
	[ -n "$list" ] || die "$(shown "$SERIES")/series names no patch."
	for name in $list; do
		[ -f "$SERIES/$name" ] ||
			die "$(shown "$SERIES")/series names $name, which is not there."
		echo "$name"
	done
}

# topics: the topics of the series in their order, the folders of its patches, one a line.
topics()
{
	names=$(patches)
	wrong=$(echo "$names" | grep -vE '^[a-z][a-z-]*/[^/]+$' | head -n 1)
	[ -z "$wrong" ] ||
		die "$(shown "$SERIES")/series names $wrong, which is in no topic's folder; put it into one."
	names=$(echo "$names" | cut -d/ -f1 | uniq)
	wrong=$(echo "$names" | sort | uniq -d | head -n 1)
	[ -z "$wrong" ] ||
		die "$(shown "$SERIES")/series has the topic $wrong in two places; its patches have to stand together."
	echo "$names"
}

# patches_of TOPIC: its patches in their order
patches_of()
{
	patches | grep "^$1/"
}

# touched: the files that the patches, whose names it reads, change, add, remove or rename
touched()
{
	while read -r name; do
		sed -n -e 's|^--- a/\(.*\)|\1|p' -e 's|^+++ b/\(.*\)|\1|p' \
			-e 's/^rename \(from\|to\) //p' "$SERIES/$name"
	done | sed 's/\t.*//' | sort -u
}

# series_sums: the files of the series, with their hashes
series_sums()
{
	{ echo series; patches; } | (cd "$SERIES" && xargs sha256sum --)
}

# series_hash: one word for the content of the series
series_hash()
{
	patches | (cd "$SERIES" && xargs sha256sum) | sha256sum | cut -d' ' -f1
}

# costs: the table of costs of this very series, if there is one
costs()
{
	for file in "$TOP/docs/costs/linux-$BASE.txt" "$RESULTS/bench/linux-$BASE.txt"; do
		! grep -qsxF "# Series: $(series_hash)" "$file" || {
			echo "$file"
			return
		}
	done
}

# is_own: is it this repository's series on the base's own source?
is_own()
{
	[ -z "$KTREE$KTARBALL" ] && [ "$SERIES" = "$(realpath -m "$TOP/patches/linux-$BASE")" ]
}

# tests: the names in the table of tests.
tests()
{
	awk '!/^#/ && NF { print $1 }' "$TABLE"
}
