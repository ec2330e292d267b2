// SPDX-License-Identifier: GPL-2.0
/*
 * init.c - PID 1 of the lab's virtual machine
 *
 * Runs the table of tests and reports the results in KTAP on the second serial
 * port, where no kernel message can get in between; then powers off.  The word
 * lab=probe on the kernel's command line asks instead whether KVM really works
 * in here, and lab=shell gives a prompt.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "run.h"

#define TABLE		"/lab/tests"
#define TEST_DIR	"/lab/bin"
#define MODULES		"/lab/modules/"

/* In an ELF note, behind its header and the name "GNU". */
#define BUILD_ID_OFFSET	16

/* power_off() - let the last bytes leave both ports, then end the machine */
__attribute__((noreturn))
static void power_off(void)
{
	tcdrain(report_fd);
	tcdrain(STDOUT_FILENO);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* die() - say on both ports why the lab cannot go on, and power off */
void die(const char *fmt, ...)
{
	char text[MAX_LINE];
	int error = errno;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("lab: init: %s: %s\n", text, strerror(error));
	fflush(stdout);
	say("Bail out! lab: init: %s: %s\n", text, strerror(error));
	power_off();
}

static void mount_at(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, 0, NULL))
		die("mount %s", dir);
}

/*
 * open_report_port() - ttyS1, raw: the terminal layer must neither echo nor
 * turn a newline into two bytes
 */
static void open_report_port(void)
{
	struct termios tio;

	report_fd = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (report_fd < 0)
		die("open /dev/ttyS1");
	if (tcgetattr(report_fd, &tio))
		die("tcgetattr /dev/ttyS1");
	cfmakeraw(&tio);
	tcsetattr(report_fd, TCSANOW, &tio);
}

/*
 * probe() - prove that KVM serves: a machine of one page runs one instruction
 *
 * Dies, and says so on both ports, at the first step that does not work.
 */
static void probe(void)
{
	struct kvm_userspace_memory_region slot = { .memory_size = 4096 };
	int kvm, vm, vcpu, size;
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_run *run;
	unsigned char *page;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		die("probe: open /dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		die("probe: KVM_CREATE_VM");
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		die("probe: mmap");
	page[0] = 0xf4;		/* hlt */
	slot.userspace_addr = (unsigned long)page;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot))
		die("probe: KVM_SET_USER_MEMORY_REGION");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		die("probe: KVM_CREATE_VCPU");
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		die("probe: mmap of the vCPU");
	/* Real mode, first byte of the first page. */
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		die("probe: KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) ||
	    ioctl(vcpu, KVM_SET_REGS, &regs))
		die("probe: setting registers");
	if (ioctl(vcpu, KVM_RUN, 0))
		die("probe: KVM_RUN");
	errno = 0;
	if (run->exit_reason != KVM_EXIT_HLT)
		die("probe: KVM_RUN ended with exit reason %u",
		    run->exit_reason);
	say("lab: kvm works\n");
}

/* prompt() - a shell on the console, until it ends */
static void prompt(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		setsid();
		ioctl(STDIN_FILENO, TIOCSCTTY, 0);
		/* The KVM selftests open their own file by the name they got. */
		if (chdir(TEST_DIR))
			die("chdir " TEST_DIR);
		setenv("PATH", TEST_DIR ":/bin", 1);
		setenv("PS1", "lab# ", 1);
		execl("/bin/busybox", "sh", NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

/* asked_for() - is this word on the kernel's command line? */
static bool asked_for(const char *wanted)
{
	FILE *file = fopen("/proc/cmdline", "re");
	char word[MAX_LINE];
	bool found = false;

	if (!file)
		die("open /proc/cmdline");
	while (!found && fscanf(file, "%1023s", word) == 1)
		found = !strcmp(word, wanted);
	fclose(file);
	return found;
}

/*
 * print_build_id() - report the build ID of a loaded module: the proof of which
 * file's code it is that runs
 * @file: the module's file name; sysfs has '_' for each '-', and no ".ko"
 */
static void print_build_id(const char *file)
{
	unsigned char note[256];	/* header, "GNU", then the ID */
	char path[MAX_LINE];
	int fd, name;
	ssize_t n;

	name = snprintf(path, sizeof(path), "/sys/module/");
	snprintf(path + name, sizeof(path) - name, "%.*s/notes/.note.gnu.build-id",
		 (int)strcspn(file, "."), file);
	for (char *c = path + name; *c != '/'; c++)
		if (*c == '-')
			*c = '_';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("open %s", path);
	n = read(fd, note, sizeof(note));
	close(fd);
	errno = EINVAL;
	if (n <= BUILD_ID_OFFSET)
		die("no build ID in %s", path);
	say("# module %s: ", file);
	for (ssize_t i = BUILD_ID_OFFSET; i < n; i++)
		say("%02x", note[i]);
	say("\n");
}

/*
 * load_modules() - load the modules of the initramfs in the order of their list
 *
 * KVM's modules for the CPUs of both vendors are in there: each has to be a module
 * that this kernel takes, but for one of them there is no hardware.
 */
static void load_modules(void)
{
	FILE *list = fopen(MODULES "list", "re");
	char file[NAME_MAX + 1];

	if (!list)
		return;		/* KVM is built in */
	while (fscanf(list, "%255s", file) == 1) {
		char path[NAME_MAX + sizeof(MODULES)];
		int fd;

		snprintf(path, sizeof(path), MODULES "%s", file);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			die("open %s", path);
		if (!syscall(SYS_finit_module, fd, "", 0))
			print_build_id(file);
		else if (errno == EOPNOTSUPP || errno == EEXIST)
			say("# module %s: no hardware\n", file);
		else
			die("load %s", path);
		close(fd);
	}
	fclose(list);
	if (access("/dev/kvm", F_OK))
		die("no module of KVM serves: /dev/kvm");
}

int main(void)
{
	double start = now();

	if (getpid() != 1) {
		fprintf(stderr, "init: runs as PID 1 of the lab's virtual machine only\n");
		return 2;
	}
	mount_at("devtmpfs", "/dev");
	open_report_port();
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mount_at("tmpfs", "/tmp");
	if (asked_for("lab=probe")) {
		load_modules();
		probe();
	} else if (asked_for("lab=shell")) {
		prompt();
	} else {
		say("KTAP version 1\n");
		say("# uptime at PID 1: %.2f s\n", start);
		load_modules();
		run_tests(TABLE, TEST_DIR);
	}
	power_off();
}
