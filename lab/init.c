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
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TABLE		"/lab/tests"
#define TEST_DIR	"/lab/bin/"
#define MODULES		"/lab/modules/"
#define MAX_TESTS	256
#define MAX_ARGS	16
#define MAX_LINE	1024
#define KSFT_SKIP	4	/* tools/testing/selftests/kselftest.h */

/* In an ELF note, behind its header and the name "GNU". */
#define BUILD_ID_OFFSET	16

/* How long a killed test gets to die before it is left behind. */
#define KILL_GRACE	5.0

static int report_fd = -1;	/* ttyS1; -1 until it is open */

/* say() - print one line (or a part of one) on the report port */
__attribute__((format(printf, 1, 2)))
static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vdprintf(report_fd, fmt, args);
	va_end(args);
}

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
__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *fmt, ...)
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

/* now() - seconds since the kernel started */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
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

/* One row of the table of tests; lab/tests describes the format. */
struct test {
	char *name;
	bool ktap;
	long limit;
	char *argv[MAX_ARGS + 2];
};

/*
 * read_table() - read the table of tests
 * @tests: where to put the rows, MAX_TESTS of them
 *
 * Return: the number of rows.  A table that cannot be understood ends the run:
 * a test left out in silence would look like a pass.
 */
static int read_table(struct test *tests)
{
	FILE *file = fopen(TABLE, "re");
	char line[MAX_LINE];
	int n = 0;

	if (!file)
		die("open " TABLE);
	while (fgets(line, sizeof(line), file)) {
		struct test *t = &tests[n];
		char path[MAX_LINE + sizeof(TEST_DIR)];
		char *kind, *limit, *word;
		int argc = 1;

		word = strtok(line, " \t\n");
		if (!word || *word == '#')
			continue;
		kind = strtok(NULL, " \t\n");
		limit = strtok(NULL, " \t\n");
		errno = EINVAL;
		if (n == MAX_TESTS || !limit)
			die(TABLE ": row %s", word);
		t->name = strdup(word);
		t->ktap = !strcmp(kind, "ktap");
		t->limit = atol(limit);
		if (t->limit <= 0 || (!t->ktap && strcmp(kind, "plain")))
			die(TABLE ": row %s", word);
		snprintf(path, sizeof(path), TEST_DIR "%s", word);
		t->argv[0] = strdup(path);
		while (argc <= MAX_ARGS && (word = strtok(NULL, " \t\n")))
			t->argv[argc++] = strdup(word);
		n++;
	}
	fclose(file);
	if (!n)
		die(TABLE ": no test");
	return n;
}

/* What is known of a test while its output arrives. */
struct progress {
	bool ktap;
	long plan;		/* results announced; -1: no plan yet */
	long results;
	char line[MAX_LINE];	/* the line that is arriving */
	size_t len;
	char last[MAX_LINE];	/* the last complete line with text */
};

/*
 * is_ktap() - is this one of the four kinds of line of
 * Documentation/dev-tools/ktap.rst?  Counts plan and results on the way.
 */
static bool is_ktap(struct progress *p, const char *line)
{
	long number;

	if (sscanf(line, "1..%ld", &number) == 1) {
		p->plan = number;
		return true;
	}
	if (sscanf(line, "ok %ld", &number) == 1 ||
	    sscanf(line, "not ok %ld", &number) == 1) {
		p->results++;
		return true;
	}
	return *line == '#' || !strncmp(line, "KTAP version ", 13) ||
	       !strncmp(line, "TAP version ", 12);
}

/* end_line() - pass on one complete line of a test's output, nested */
static void end_line(struct progress *p)
{
	p->line[p->len] = '\0';
	p->len = 0;
	if (!p->line[0])
		return;
	if (p->ktap && is_ktap(p, p->line))
		say("  %s\n", p->line);
	else
		say("  # %s\n", p->line);
	memcpy(p->last, p->line, sizeof(p->last));
}

/*
 * take_output() - pass on what a test has written
 * @fd: read end of the pipe that is the test's stdout and stderr
 *
 * Return: as read(): 0 is the end, negative means that nothing is there yet.
 */
static ssize_t take_output(struct progress *p, int fd)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	for (ssize_t i = 0; i < n; i++) {
		unsigned char c = buf[i];

		if (c == '\n' || p->len == MAX_LINE - 1)
			end_line(p);
		if (c != '\n')
			p->line[p->len++] = c < ' ' || c == 0x7f ? ' ' : c;
	}
	return n;
}

/*
 * start_test() - start a test in a process group of its own
 * @fd: where the read end of its output goes
 *
 * Return: its process id, which is also the group's.
 */
static pid_t start_test(struct test *t, int *fd)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		int null = open("/dev/null", O_RDONLY);

		setpgid(0, 0);
		dup2(null, STDIN_FILENO);
		close(null);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execv(t->argv[0], t->argv);
		dprintf(STDERR_FILENO, "cannot run %s: %s\n", t->argv[0],
			strerror(errno));
		_exit(127);
	}
	setpgid(pid, pid);	/* whoever is first, so that kill() finds it */
	close(ends[1]);
	*fd = ends[0];
	return pid;
}

/*
 * watch_test() - pass a test's output on until it ends or its time is over
 * @timed_out: set when it was killed because of its limit
 *
 * Return: the status as waitpid() gives it; -1 when not even SIGKILL ended the
 * test, which then hangs in the kernel.
 */
static int watch_test(struct test *t, struct progress *p, bool *timed_out)
{
	double deadline = now() + t->limit;
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	bool dead = false;
	int status = -1;
	pid_t pid;
	int out;

	pid = start_test(t, &out);
	fcntl(out, F_SETFL, O_NONBLOCK);
	fds[0].fd = out;
	fds[1].fd = pidfd_open(pid, 0);
	if (fds[1].fd < 0)
		die("pidfd_open");
	while (!dead) {
		double left = deadline - now();

		if (left <= 0 && *timed_out)
			break;
		if (left <= 0) {
			*timed_out = true;
			deadline = now() + KILL_GRACE;
			kill(-pid, SIGKILL);
			continue;
		}
		poll(fds, 2, left * 1000 + 1);
		if (fds[0].revents && take_output(p, out) == 0)
			fds[0].fd = -1;		/* poll() skips it from here */
		dead = fds[1].revents;
	}
	close(fds[1].fd);
	if (dead) {
		/* Its children may not outlive it into the next test. */
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		while (take_output(p, out) > 0)
			;
	}
	close(out);
	if (p->len)
		end_line(p);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return status;
}

/*
 * skip_reason() - the reason in a skipped test's last line of output, which
 * ksft_exit_skip() writes as "1..0 # SKIP reason"
 */
static const char *skip_reason(const char *last)
{
	const char *mark = strstr(last, "# SKIP");

	if (mark)
		last = mark + 6;
	last += strspn(last, " -");
	return *last ? last : "no reason given";
}

/* run_test() - run row @number of the table and report its result */
static void run_test(struct test *t, int number)
{
	struct progress p = { .ktap = t->ktap, .plan = -1 };
	bool timed_out = false;
	double start = now();
	int status;

	say("  # Subtest: %s\n", t->name);
	status = watch_test(t, &p, &timed_out);
	say("  # lab: %.2f s\n", now() - start);

	if (timed_out)
		say("not ok %d %s # TIMEOUT timed out after %ld s%s\n", number,
		    t->name, t->limit, status < 0 ? ", cannot be killed" : "");
	else if (WIFSIGNALED(status))
		say("not ok %d %s # killed by signal %d (%s)\n", number, t->name,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == KSFT_SKIP)
		say("ok %d %s # SKIP %s\n", number, t->name, skip_reason(p.last));
	else if (WEXITSTATUS(status))
		say("not ok %d %s # exit status %d\n", number, t->name,
		    WEXITSTATUS(status));
	else if (t->ktap && p.plan < 0)
		say("not ok %d %s # exit status 0 without a plan\n", number,
		    t->name);
	else if (t->ktap && p.results != p.plan)
		say("not ok %d %s # exit status 0 with %ld of %ld results\n",
		    number, t->name, p.results, p.plan);
	else
		say("ok %d %s\n", number, t->name);
}

/* run_tests() - the whole table, with the frame that makes it one report */
static void run_tests(void)
{
	static struct test tests[MAX_TESTS];
	int n = read_table(tests);
	struct utsname uts;

	uname(&uts);
	say("# kernel: %s %s\n", uts.release, uts.version);
	say("1..%d\n", n);
	for (int i = 0; i < n; i++)
		run_test(&tests[i], i + 1);
	say("# lab: end\n");
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
		run_tests();
	}
	power_off();
}
