# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# The main job as a check, and what only its kernels' code shows; sourced by check.sh.

# Its table is shown, pass or not.
verify()
{
	"$TOP/scripts/steps/record.sh" verify 2>&1 | tee "$WORK/verify" >&3
	tail -n 1 "$WORK/verify" | grep -q '^PASS: '
}

# locked KERNEL: the locked operations where an event is marked for a vCPU whose operand is at
# most 64 bytes behind what a register points to, as it is in a vcpu_info.  Other operands are
# farther away: bits of shared_info, from 0x800 on, and what KVM keeps about a vCPU.  The mask
# of polling vCPUs, in which bits are cleared only, is pointed to.
locked()
{
	objdump -d --no-show-raw-insn "$OUT/$1/arch/x86/kvm/xen.o" |
		sed -n '/<kvm_xen_\(set_evtchn_fast\|inject_pending_events\)[.a-z0-9]*>:$/,/^$/p' |
		grep -E 'lock [a-z]+ .*,(0x[0-3]?[0-9a-f])?\(' | grep -vE 'lock (btr|orb) '
}

# A vcpu_info is aligned to 4 bytes, so 8 of it may be in two cache lines.  TCG does not mind.
operations()
{
	wide='lock ([a-z]+ +%r([a-z]+|[0-9]+),|[a-z]+q )'
	locked stock
	locked stock | grep -qE "$wide"
	locked patched
	[ "$(locked patched | grep -cE 'lock (bts|or) +%(e|r[0-9]+d)')" -ge 4 ]
	! locked patched | grep -E "$wide"
}

check "stock fails and patched passes: make verify" verify
check "stock marks events by locked operations on 8 bytes, patched on 4" operations
# Where stock does wrong without its Xen emulation, too
! grep -q '^pfncache_test kvmclock\.' "$TOP/lab/tables/expect/linux-$BASE" ||
	check "so it is without CONFIG_KVM_XEN: make no-xen" "$TOP/scripts/steps/record.sh" no-xen
