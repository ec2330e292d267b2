# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Checks of what a user can get wrong: one clear sentence, exit 2, nothing lost;
# sourced by check.sh.

# verify_with VAR=VALUE...: make verify as a user would, with other settings,
# in a build folder that is not the one this check has locked
verify_with()
{
	env BUILD="$WORK/build" "$@" "$TOP/scripts/verify.sh"
}

wrong_base()
{
	refuses "no base '9.9'.*BASE=6.1" verify_with BASE=9.9
}

# The front door's rules, too, have the path in them.
wrong_path()
{
	for path in "$WORK/a build" "$WORK/a:b" "$WORK/a,b"; do
		refuses "nothing can be built in '$path'" env BUILD="$path" "$TOP/scripts/verify.sh"
		! make -C "$TOP" verify BUILD="$path" >"$WORK/out" 2>&1
		head -n 2 "$WORK/out" | grep "^lab: nothing can be built in '$path'"
		[ ! -e "$path" ]
	done
	mkdir -p "$WORK/my lab"
	cp -r "$TOP/scripts" "$TOP/bases" "$WORK/my lab"
	refuses "nothing can be built in '$WORK/my lab'" env BUILD="$WORK/build" "$WORK/my lab/scripts/verify.sh"
}

no_kernel()
{
	mkdir -p "$WORK/empty"
	refuses "KTREE=.*is no kernel tree" verify_with KTREE="$WORK/empty"
	refuses "KTREE=.*is no kernel tree" verify_with KTREE="$WORK/nowhere"
	refuses "KTARBALL=.*is not there" verify_with KTARBALL="$WORK/nowhere.tar"
	tar -C "$TOP" -cf "$WORK/lab.tar" lab
	refuses "KTARBALL=.*holds no kernel tree" verify_with KTARBALL="$WORK/lab.tar"
	refuses "give one of them" verify_with KTREE=a KTARBALL=b
}

# Something like a kernel, in which the series' files read otherwise.
other_version()
{
	mkdir -p "$WORK/other"
	touch "$WORK/other/Kconfig"
	printf 'VERSION = 6\nPATCHLEVEL = 0\nSUBLEVEL = 1\nEXTRAVERSION =\n' \
		>"$WORK/other/Makefile"
	first=$(patches | head -n 1)
	file=$(sed -n 's|^--- a/||p' "$SERIES/$first" | head -n 1)
	mkdir -p "$WORK/other/${file%/*}"
	seq 2000 >"$WORK/other/$file"
	refuses "$first does not apply to .*Linux 6.0.1.*$file: Hunk #1 FAILED" \
		verify_with KTREE="$WORK/other"
}

two_at_once()
{
	refuses "another command is at work" env -u LAB_LOCK "$TOP/scripts/verify.sh"
}

# Tools that answer like those of a machine without packages, root and sudo.
no_packages()
{
	mkdir -p "$WORK/poor"
	printf '#!/bin/sh\nexit 1\n' >"$WORK/poor/dpkg-query"
	printf '#!/bin/sh\necho 1000\n' >"$WORK/poor/id"
	cp "$WORK/poor/dpkg-query" "$WORK/poor/sudo"
	chmod +x "$WORK"/poor/*
	refuses "sudo apt-get install -y --no-install-recommends gcc make .*qemu-system-x86" \
		verify_with PATH="$WORK/poor:$PATH"
}

wrong_series()
{
	mkdir -p "$WORK/series"
	refuses "has no file 'series'" verify_with SERIES="$WORK/series"
	echo "# nothing yet" >"$WORK/series/series"
	refuses "series names no patch" verify_with SERIES="$WORK/series"
	echo 0001-gone.patch >"$WORK/series/series"
	refuses "names 0001-gone.patch, which is not there" \
		verify_with SERIES="$WORK/series"
	printf -- '--- a/MAINTAINERS\n+++ b/MAINTAINERS\n@@ -1,1 +1,9 @@\n x\n' \
		>"$WORK/series/0001-gone.patch"
	refuses "0001-gone.patch does not apply.*patch: \*\*\*\* " \
		env SERIES="$WORK/series" "$TOP/scripts/steps/series.sh" apply
}

# An apt that knows no mirror of Debian.
no_suite()
{
	mkdir -p "$WORK/nosuite"
	printf '#!/bin/sh\n' >"$WORK/nosuite/apt-get"
	chmod +x "$WORK/nosuite/apt-get"
	status=0
	env -u SERIES BASE=7.3 BUILD="$WORK/build" PATH="$WORK/nosuite:$PATH" \
		"$TOP/scripts/steps/source.sh" >"$WORK/out" 2>&1 || status=$?
	cat "$WORK/out"
	[ "$status" -eq 4 ] &&
		tail -n 1 "$WORK/out" | grep -q "^lab: skipped: no linux-source-7.3 to be had from trixie-backports"
}

# A disk of 20 MiB: too small when looked at first, and full in the midst.
full_disk()
{
	mkdir "$WORK/full"
	mount -t tmpfs -o size=20m lab "$WORK/full" 2>/dev/null ||
		skip "needs root, to mount a small disk"
	# Whatever comes, the disk goes.
	good=yes
	refuses "20 MiB left and 5000 MiB are needed" \
		env BUILD="$WORK/full" "$TOP/scripts/steps/source.sh" || good=no
	mkdir -p "$WORK/full/linux-$BASE/src/tools/objtool"
	echo "a source" >"$WORK/full/linux-$BASE/origin"
	cat /dev/zero >"$WORK/full/file" 2>/dev/null || :
	refuses "the disk of .* is full" \
		env BUILD="$WORK/full" "$TOP/scripts/steps/kernel.sh" stock || good=no
	umount "$WORK/full"
	[ "$good" = yes ]
}

# ended SIGNAL STATUS REGEX SCRIPT ARG...: end a script in its midst, as its status has
# to tell; no process that REGEX finds may go on
ended()
{
	signal=$1
	wanted=$2
	regex=$3
	shift 3
	# Whoever runs the checks with nohup has it ignored, and then no shell can trap it.
	env --default-signal=HUP "$TOP/scripts/steps/$1" "$2" "$3" &
	pid=$!
	sleep 2
	pgrep -f -- "$regex"
	kill -"$signal" "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq "$wanted" ]
	sleep 1
	if pgrep -f -- "$regex"; then
		exit 1
	fi
}

# The next run builds again what was not finished.
ended_build()
{
	mark=$OUT/stock/.lab-built
	echo unfinished >"$mark"
	ended TERM 143 "-C $OUT/stock" kernel.sh stock ""
	[ ! -e "$mark" ]
	"$TOP/scripts/steps/kernel.sh" stock
	[ -e "$mark" ]
}

ended_boot()
{
	ended TERM 143 "file:$WORK/ended/ktap" boot.sh stock "$WORK/ended"
}

# A terminal that is closed
hung_up_boot()
{
	ended HUP 129 "file:$WORK/ended/ktap" boot.sh stock "$WORK/ended"
}

wrong_words()
{
	refuses "SECONDS=0 is no time" env FUZZ_SECONDS=0 "$TOP/scripts/fuzz.sh"
	refuses "SEED=x is no number" env SEED=x "$TOP/scripts/fuzz.sh"
	refuses "SECONDS=soon is no time" env FUZZ_SECONDS=soon "$TOP/scripts/debug.sh"
	refuses "KERNEL=mine is neither" env KERNEL=mine "$TOP/scripts/debug.sh"
	refuses "there is no phase calm" env PHASES="plain calm" "$TOP/scripts/debug.sh"
	refuses "KIND=good is none of" env KIND=good "$TOP/scripts/debug.sh"
	refuses "the phase each needs KIND=kasan" env KIND=kcsan PHASES="plain each" "$TOP/scripts/debug.sh"
	refuses "the phase locks needs KIND=kasan or KIND=rt" env KIND=kcsan PHASES=locks "$TOP/scripts/debug.sh"
	refuses "in the phase many, vCPUs share pages" env KIND=kcsan PHASES=many "$TOP/scripts/debug.sh"
	refuses "the phase watched needs KIND=kcsan" env PHASES=watched "$TOP/scripts/debug.sh"
	refuses "ROUND=last is no number" env ROUND=last PHASES=plain "$TOP/scripts/debug.sh"
	refuses "ROUND=3 is a round of a phase" env ROUND=3 "$TOP/scripts/debug.sh"
	refuses "MIGRATIONS=some is no number" env MIGRATIONS=some "$TOP/scripts/guests.sh"
	refuses "GUEST=mine is none of" env GUEST=mine "$TOP/scripts/guests.sh"
	refuses "KUT=$WORK has no x86/unittests.cfg" env KUT="$WORK" "$TOP/scripts/guests.sh"
}

# In a mount namespace of its own
little_memory()
{
	echo "MemAvailable: 1000000 kB" >"$WORK/meminfo"
	# shellcheck disable=SC2016 # the inner shell's own arguments
	set -- unshare -m sh -c 'mount --bind "$1" /proc/meminfo && exec "$2"' - "$WORK/meminfo"
	"$@" true 2>/dev/null || skip "needs root, to show another /proc/meminfo"
	refuses "976 MiB of free memory and 7000 MiB are needed" "$@" "$TOP/scripts/guests.sh"
}

# record STATUS WORDS COMMAND VAR=VALUE...: that shell command as one of the lab's, with these
# settings; its status, and what is then kept as its last result
record()
{
	wanted=$1
	words=$2
	command=$3
	shift 3
	status=0
	env -u SERIES -u KTREE -u KTARBALL -u LAB_LOCK BUILD="$WORK/recorded" DO="$command" "$@" \
		"$WORK/lab/scripts/steps/record.sh" stub || status=$?
	[ "$status" -eq "$wanted" ]
	[ "$(sed '1,/^$/d' "$WORK/recorded/results/linux-$BASE/last/stub")" = "$words" ]
}

last_result()
{
	mkdir -p "$WORK/lab" "$WORK/recorded"
	cp -r "$TOP/scripts" "$TOP/bases" "$TOP/patches" "$WORK/lab"
	# shellcheck disable=SC2016 # the stub's own variables
	printf '#!/bin/sh\n. "$(dirname "$0")/lib/common.sh"\neval "$DO"\n' >"$WORK/lab/scripts/stub.sh"
	chmod +x "$WORK/lab/scripts/stub.sh"
	record 0 good "echo good"
	record 2 good 'die "refused"'
	record 143 good 'echo begun; kill $$'
	record 0 good "echo stock" KERNEL=stock
	record 0 good "echo kcsan" KIND=kcsan
	record 0 good "echo short" FUZZ_SECONDS=1
	record 0 good "echo other" SERIES="$WORK/lab/patches"
	record 0 good "echo other" KTREE="$WORK/lab"
	exec 8>"$WORK/recorded/lock"
	flock 8
	record 2 good "echo second"
	exec 8>&-
	record 2 begun 'echo begun; die "broken"'
	record 1 failed "echo failed; exit 1" FUZZ_SECONDS=60 SEED=1
	grep -qx "# Status: 1" "$WORK/recorded/results/linux-$BASE/last/stub"
}

check "an unknown BASE is refused" wrong_base
check "a path that make or QEMU would split is refused" wrong_path
check "settings of fuzz, debug and guests that mean nothing are refused" wrong_words
check "guests without the memory for two machines are refused" little_memory
check "a KTREE or KTARBALL that is no kernel is refused" no_kernel
check "a kernel on which a patch rejects is refused, naming patch, file and hunk" other_version
check "two commands at once: the second is refused" two_at_once
check "no packages and no root: the line to run is printed" no_packages
check "a base whose package cannot be had is a skip that says why" no_suite
check "a command that is refused leaves the last result as it is" last_result
check "a series that cannot be applied is refused" wrong_series
check "a full disk is named" full_disk
check "an ended build leaves nothing running and is built again" ended_build
check "an ended boot leaves nothing running" ended_boot
check "nor does a boot whose terminal is closed" hung_up_boot
