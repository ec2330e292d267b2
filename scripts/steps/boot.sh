#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Boot one kernel, let it run the table of tests, and keep all that a judge or a
# reader may ask for: boot.sh stock|patched DIR.  WORDS are for the kernel's command line.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=scripts/lib/qemu.sh
. "$TOP/scripts/lib/qemu.sh"

which=$1
dir=$2
accel=${ACCEL:-$(head -n 1 "$BUILD/accel")}
words=${WORDS:-}
case $accel in
tcg)
	not_tested="Intel VMX (TCG emulates AMD SVM only), real hardware"
	# The TSC is the host's, see lab/host/tsc.c, whatever a kernel thinks of it that gets too
	# little of a busy host.  A clock that counts instructions is another one.
	[ -n "${QEMU_CPUS:-}" ] || words="$words tsc_early_khz=$("$BUILD/bin/tsc") tsc=reliable"
	;;
kvm)
	not_tested="Intel VMX"
	! grep -qw vmx /proc/cpuinfo || not_tested="AMD SVM"
	;;
esac
# Each test has its own limit; this one is for a kernel that hangs.
limit=$(awk '!/^#/ && NF { s += $3 } END { print s + 60 }' "$TABLE")

mkdir -p "$dir"
cp "$TABLE" "$dir/tests"
cp "$OUT/$which/.config" "$dir/config"
: >"$dir/ktap"
qemu_command "$accel" "$which" "file:$dir/console" "file:$dir/ktap" "$words" >"$dir/cmdline"

# clock: seconds with two digits
clock()
{
	read -r up _ </proc/uptime
	echo "$up"
}

say "booting the ${which##*/} kernel, $limit s at most"
start=$(clock)
start_qemu "$limit" "$(cat "$dir/cmdline")" >"$dir/qemu" 2>&1
while [ ! -s "$dir/ktap" ] && kill -0 "$job" 2>/dev/null; do
	sleep 0.05
done
booted=$(clock)
status=0
wait_qemu || status=$?
end=$(clock)
[ ! -s "$dir/qemu" ] || cat "$dir/qemu" >&2

timed_out=no
[ "$status" -ne 124 ] || timed_out=yes
{
	echo "kernel=$(cat "$OUT/$which/include/config/kernel.release")"
	echo "accelerator=$(sed -n 2p "$BUILD/accel")"
	echo "not_tested=$not_tested"
	echo "qemu_status=$status"
	echo "timed_out=$timed_out"
	# From the start of QEMU to the first word of PID 1, and to the end.
	echo "$start $booted $end" | awk '{
		printf "boot_seconds=%.2f\n", $2 - $1
		printf "total_seconds=%.1f\n", $3 - $1
	}'
} >"$dir/meta"
