# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# How the lab's virtual machine is started; sourced after common.sh by those who
# start one.

# qemu_command ACCELERATOR KERNEL CONSOLE REPORT WORDS: print the command that
# boots KERNEL with the two serial ports on the QEMU devices CONSOLE and REPORT
# and WORDS on the kernel's command line.  QEMU_CPUS says so if it is not to have two
# CPUs, QEMU_MEMORY if not 2 GiB, and QEMU if it is not Debian's.
qemu_command()
{
	case $1 in
	kvm) cpu="-accel kvm -cpu host" ;;
	# With a thread a CPU, QEMU 7.2 now and then gets stuck right behind a
	# VMRUN or shuts a nested guest down, stock kernel or patched; with one
	# thread for all it was never seen to.
	tcg) cpu="-accel tcg,thread=single -cpu max" ;;
	esac
	initrd=$OUT/$2/initramfs.cpio
	[ -f "$initrd" ] || initrd=$OUT/initramfs.cpio
	echo "${QEMU:-qemu-system-x86_64} -M q35 $cpu ${QEMU_CPUS:--smp 2} -m ${QEMU_MEMORY:-2G}" \
		"-nodefaults -display none -no-reboot" \
		"-kernel '$OUT/$2/arch/x86/boot/bzImage'" \
		"-initrd '$initrd'" \
		"-serial '$3' -serial '$4'" \
		"-append 'console=ttyS0 panic=-1 $5'"
}

# start_qemu SECONDS COMMAND: start what qemu_command printed, for so long at
# most, as the job of end_job().
start_qemu()
{
	eval "exec setsid timeout --foreground -k 5 $1 $2" </dev/null &
	job=$!
}

# wait_qemu: its exit status; 124 says that the time was over.
wait_qemu()
{
	status=0
	wait "$job" || status=$?
	job=
	return "$status"
}
