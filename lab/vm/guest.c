// SPDX-License-Identifier: GPL-2.0
/*
 * guest.c - a kernel of Debian as a Xen guest of KVM, with QEMU as its VMM
 *
 *	NAME MIGRATIONS
 *
 * Boots NAME.vmlinuz and NAME.cpio, which lie beside this program, has the guest stopped,
 * robbed of CPU time and migrated through a file, and reports in KTAP what it makes of that.
 * The guest's init is lab/guest/init.c; what it says on its second serial port comes in on a
 * pipe.  QEMU, its firmware and all that is written are in the folder of this program and in
 * /tmp.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CPUS		2
#define MAX_LINE	4096
#define MONITOR		"/tmp/monitor"
#define CONSOLE		"/tmp/console"
#define LOG		"/tmp/guest.log"
#define STATE		"/tmp/state"

/* Seconds, with TCG on a slow machine in mind */
#define BOOT_LIMIT	300
#define STEP_LIMIT	120
#define LOAD		10
#define WOKEN		20
#define STOPPED		3

/* How often a load wakes that does nothing: each one or two of that, in microseconds */
#define WAKE_US		2000

/* What goes over the console and has to come back */
#define CONSOLE_BYTES	16384

/*
 * By how much the guest's stolen time may differ from what its thread waited for a CPU, in
 * ms: both are read one after the other, and the guest counts in ticks.
 */
#define STEAL_SLACK	1000

/*
 * By how much the guest's clock may go on more than it was given time for, in ms: from its last
 * words to the stop
 */
#define STOP_SLACK	1000

/* How often the guest speaks, in ms, as it has that */
#define TICK_MS		250

/* A line "tick" of the guest, see there; times in ms */
struct tick {
	unsigned long long ms, uptime, steal[CPUS];
	unsigned long timer[CPUS], rounds, back, most_back, bad;
};

/* Lines that arrive on a descriptor */
struct lines {
	int fd;
	size_t len;
	char buf[MAX_LINE];
};

static const char *dir, *name;
static struct {
	pid_t pid;
	int talk;		/* to the guest's second serial port */
	struct lines said;	/* what comes from there */
	int order;		/* to QEMU's monitor */
	struct lines answer;	/* what comes from there */
} vmm;
static struct tick last;
/*
 * By how much the guest's clock may go back, in ms: when a guest that was stopped continues, it
 * has to go on where it was.  But the vDSO of any CPU reads the time info of vCPU 0, and
 * KVM updates that when vCPU 0 runs again: the other one may be first, and sees a time in which
 * nobody was stopped.  docs/findings.md has it.
 */
static unsigned long long excused;
static char facts[1024];	/* " NAME=VALUE NAME=VALUE ..." */

static int results, failures;
static char why[MAX_LINE];	/* what is wrong with the row at hand */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* wrong() - say why the row at hand fails; the first reason stays.  Return: false */
__attribute__((format(printf, 1, 2)))
static bool wrong(const char *fmt, ...)
{
	va_list args;

	if (*why)
		return false;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return false;
}

/* die() - what no row can be about: the lab itself is broken */
__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *fmt, ...)
{
	int error = errno;
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(": %s\n", strerror(error));
	exit(1);
}

/*
 * next_line() - the next line that arrives, without its newline
 * @deadline: by now()
 *
 * Return: the line, valid until the next call; NULL when none came, or the other end is gone.
 */
static char *next_line(struct lines *l, double deadline)
{
	static char line[MAX_LINE];

	for (;;) {
		char *end = memchr(l->buf, '\n', l->len);
		struct pollfd fd = { .fd = l->fd, .events = POLLIN };
		double left = deadline - now();
		ssize_t n;

		if (end) {
			n = end - l->buf;
			memcpy(line, l->buf, n);
			line[n] = '\0';
			l->len -= n + 1;
			memmove(l->buf, end + 1, l->len);
			return line;
		}
		if (l->len == sizeof(l->buf))
			l->len = 0;
		if (left <= 0 || poll(&fd, 1, left * 1000 + 1) <= 0)
			return NULL;
		n = read(l->fd, l->buf + l->len, sizeof(l->buf) - l->len);
		if (n <= 0)
			return NULL;
		l->len += n;
	}
}

/* hear() - take in a line of the guest, if one comes in time: is it a tick? */
static bool hear(double deadline, bool *ticked)
{
	char *line = next_line(&vmm.said, deadline);
	struct tick t;
	char fact[32], value[128];

	*ticked = false;
	if (!line)
		return false;
	if (sscanf(line, "fact %31s %127[^\r\n]", fact, value) == 2) {
		size_t len = strlen(facts);

		snprintf(facts + len, sizeof(facts) - len, " %s=%s", fact, value);
		printf("# the guest's %s: %s\n", fact, value);
	} else if (sscanf(line, "tick %llu %llu %llu %llu %lu %lu %lu %lu %lu %lu", &t.ms, &t.uptime,
			  &t.steal[0], &t.steal[1], &t.timer[0], &t.timer[1], &t.rounds,
			  &t.back, &t.most_back, &t.bad) == 10) {
		if (t.ms + excused < last.ms)
			wrong("the guest's clock goes back, from %llu to %llu ms", last.ms, t.ms);
		if (t.back > last.back && t.most_back / 1000000 <= excused)
			printf("# the guest's clock went back by %lu ns, as KVM sets that of vCPU 0 late\n",
			       t.most_back);
		else if (t.back > last.back)
			wrong("the guest's clock went back %lu times between its threads, by %lu ns at most",
			      t.back - last.back, t.most_back);
		if (t.bad > last.bad)
			wrong("%lu words of the guest's memory are not what was written",
			      t.bad - last.bad);
		last = t;
		*ticked = true;
	}
	return true;
}

/* await_ticks() - hear so many of the guest's ticks, each of them within STEP_LIMIT */
static bool await_ticks(int n)
{
	double deadline = now() + STEP_LIMIT;
	bool ticked;

	while (n) {
		if (!hear(deadline, &ticked))
			return wrong("the guest says nothing for %d s", STEP_LIMIT);
		if (ticked) {
			n--;
			deadline = now() + STEP_LIMIT;
		}
	}
	return true;
}

/* hear_for() - hear the guest for so many seconds, in which it need not say anything */
static void hear_for(double seconds)
{
	double deadline = now() + seconds;
	bool ticked;

	while (hear(deadline, &ticked))
		;
}

/* forget() - drop what the guest has said until now, but for the last tick */
static void forget(void)
{
	hear_for(0.01);
}

/* tell() - send the guest a letter */
static void tell(char letter)
{
	if (write(vmm.talk, &letter, 1) != 1)
		wrong("the guest cannot be told '%c': %s", letter, strerror(errno));
}

/* make_pipe() - the two named pipes of a character device of QEMU, opened for this side */
static void make_pipe(const char *path, int *to, int *from)
{
	char file[PATH_MAX];
	int *fds[] = { to, from };

	for (int i = 0; i < 2; i++) {
		snprintf(file, sizeof(file), "%s.%s", path, i ? "out" : "in");
		unlink(file);
		if (mkfifo(file, 0600))
			die("mkfifo %s", file);
		/* For both ways, so that it does not wait for the other side */
		*fds[i] = open(file, O_RDWR | O_CLOEXEC);
		if (*fds[i] < 0)
			die("open %s", file);
	}
}

/*
 * cpu() - the CPU that the guest gets
 *
 * That of TCG is an AMD of family 6, an Athlon, and Linux has a WARNING when there are two of
 * them: only some were made for it.
 */
static char *cpu(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	bool amd = false, athlon = false;
	char line[MAX_LINE];
	int family;

	if (!file)
		die("open /proc/cpuinfo");
	while (fgets(line, sizeof(line), file)) {
		if (strstr(line, "AuthenticAMD"))
			amd = true;
		if (sscanf(line, "cpu family : %d", &family) == 1)
			athlon = amd && family == 6;
	}
	fclose(file);
	/* Those of QEMU's own model qemu64 */
	return athlon ? "host,+xen-vapic,family=15,model=107,stepping=1" : "host,+xen-vapic";
}

/*
 * start_vmm() - start QEMU with the guest
 * @args: more arguments, ended by NULL
 */
static void start_vmm(char **args)
{
	char qemu[PATH_MAX], kernel[PATH_MAX], initrd[PATH_MAX];
	char *argv[64] = {
		qemu, "-L", (char *)dir, "-name", "guest,debug-threads=on",
		"-M", "q35", "-accel", "kvm,xen-version=0x40011,kernel-irqchip=split",
		"-cpu", cpu(), "-smp", "2", "-m", "192",
		"-nodefaults", "-display", "none", "-no-reboot", "-device", "xen-platform",
		"-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 panic=-1",
		"-chardev", "file,id=log,append=on,path=" LOG, "-serial", "chardev:log",
		"-chardev", "stdio,id=talk,signal=off", "-serial", "chardev:talk",
		"-chardev", "pipe,id=monitor,path=" MONITOR,
		"-mon", "chardev=monitor,mode=control",
	};
	int in[2], out[2], n = 0;

	while (argv[n])
		n++;
	while (*args)
		argv[n++] = *args++;
	snprintf(qemu, sizeof(qemu), "%s/qemu", dir);
	snprintf(kernel, sizeof(kernel), "%s/%s.vmlinuz", dir, name);
	snprintf(initrd, sizeof(initrd), "%s/%s.cpio", dir, name);
	make_pipe(MONITOR, &vmm.order, &vmm.answer.fd);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("pipe");
	vmm.pid = fork();
	if (vmm.pid < 0)
		die("fork");
	if (!vmm.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], STDIN_FILENO);
		/* What QEMU complains of on its standard error goes into the report. */
		dup2(STDOUT_FILENO, STDERR_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execv(qemu, argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	vmm.talk = in[1];
	vmm.said.fd = out[0];
	vmm.said.len = 0;
	vmm.answer.len = 0;
}

/* forget_vmm() - there is none any more */
static void forget_vmm(void)
{
	close(vmm.talk);
	close(vmm.said.fd);
	close(vmm.order);
	close(vmm.answer.fd);
	vmm.pid = 0;
}

static void kill_vmm(void)
{
	if (!vmm.pid)
		return;
	kill(vmm.pid, SIGKILL);
	waitpid(vmm.pid, NULL, 0);
	forget_vmm();
}

/* end_vmm() - wait for QEMU's end: is it one, in time? */
static bool end_vmm(void)
{
	double deadline = now() + STEP_LIMIT;
	int status;

	while (waitpid(vmm.pid, &status, WNOHANG) == 0) {
		if (now() > deadline) {
			kill_vmm();
			return wrong("QEMU does not end within %d s", STEP_LIMIT);
		}
		/* What the guest still says must not fill the pipe. */
		hear_for(0.1);
	}
	forget_vmm();
	if (WIFSIGNALED(status))
		return wrong("QEMU is killed by signal %d", WTERMSIG(status));
	return !WEXITSTATUS(status) || wrong("QEMU ends with %d", WEXITSTATUS(status));
}

/*
 * order() - have QEMU's monitor do something
 * @command: its name; @args: its arguments in JSON
 *
 * Return: its answer, valid until the next call; NULL when it refuses or says nothing.
 */
static char *order(const char *command, const char *args)
{
	double deadline = now() + STEP_LIMIT;
	char *line;

	dprintf(vmm.order, "{\"execute\":\"%s\",\"arguments\":{%s}}\n", command, args);
	while ((line = next_line(&vmm.answer, deadline))) {
		if (strstr(line, "\"return\""))
			return line;
		if (strstr(line, "\"error\"")) {
			wrong("QEMU refuses %s: %s", command, line);
			return NULL;
		}
	}
	wrong("QEMU's monitor does not answer %s within %d s", command, STEP_LIMIT);
	return NULL;
}

/* row() - report a row of the results, and begin the next one */
static void row(const char *subtest, bool good)
{
	bool ok = good && !*why;

	failures += !ok;
	printf("%s %d %s%s%s\n", ok ? "ok" : "not ok", ++results, subtest,
	       *why ? " # " : "", why);
	fflush(stdout);
	*why = '\0';
}

/* is_fact() - has the guest said that? */
static bool is_fact(const char *fact)
{
	const char *at = strstr(facts, fact);

	return (at && (at[strlen(fact)] == ' ' || !at[strlen(fact)])) ||
	       wrong("the guest's facts lack%s:%s", fact, facts);
}

/* boot() - start QEMU and see the guest's init */
static bool boot(char **args)
{
	double deadline = now() + BOOT_LIMIT;
	bool ticked = false;

	*facts = '\0';
	memset(&last, 0, sizeof(last));
	start_vmm(args);
	if (!order("qmp_capabilities", ""))
		return false;
	while (!ticked)
		if (!hear(deadline, &ticked))
			return wrong("no init of the guest within %d s", BOOT_LIMIT);
	return await_ticks(2);
}

/* is_xen() - does the guest's kernel use what Xen has to offer? */
static bool is_xen(void)
{
	unsigned long timer[CPUS];

	if (!is_fact(" cpus=2") || !is_fact(" hypervisor=xen") || !is_fact(" xen=4") ||
	    !is_fact(" clocksource=xen") || !is_fact(" timer0=xen") || !is_fact(" timer1=xen") ||
	    !is_fact(" spinlocks=xen"))
		return false;
	memcpy(timer, last.timer, sizeof(timer));
	if (!await_ticks(4))
		return false;
	for (int cpu = 0; cpu < CPUS; cpu++)
		if (last.timer[cpu] <= timer[cpu])
			return wrong("no interrupt of the Xen timer on CPU %d", cpu);
	return true;
}

/* is_echoed() - do bytes come back from the guest as they went in by its PV console? */
static bool is_echoed(int to, int from)
{
	static unsigned char sent[CONSOLE_BYTES], got[CONSOLE_BYTES];
	double deadline = now() + STEP_LIMIT;
	size_t out = 0, in = 0;

	for (size_t i = 0; i < CONSOLE_BYTES; i++)
		sent[i] = i * 2654435761u >> 24;
	tell('c');
	while (!strstr(facts, " console=")) {
		bool ticked;

		if (!hear(deadline, &ticked))
			return wrong("the guest does not open its console");
	}
	if (!is_fact(" console=open"))
		return false;
	while (in < CONSOLE_BYTES) {
		struct pollfd fd = { .fd = from, .events = POLLIN };
		ssize_t n;

		/* No more at once than both rings hold */
		if (out < CONSOLE_BYTES && out - in < 512) {
			n = write(to, sent + out, 128);
			if (n > 0)
				out += n;
		}
		/* What the guest says meanwhile must not fill the pipe. */
		forget();
		if (poll(&fd, 1, 20) > 0) {
			n = read(from, got + in, CONSOLE_BYTES - in);
			if (n > 0)
				in += n;
		}
		if (now() > deadline)
			return wrong("%zu of %zu bytes came back", in, out);
	}
	for (size_t i = 0; i < CONSOLE_BYTES; i++)
		if (got[i] != sent[i])
			return wrong("byte %zu of the console is 0x%02x, not 0x%02x", i, got[i],
				     sent[i]);
	return true;
}

/* is_stopped() - does the guest stand still when it is stopped, and go on after that? */
static bool is_stopped(void)
{
	struct tick before;
	bool ticked, good;
	double begin;

	begin = now();
	if (!order("stop", ""))
		return false;
	forget();
	before = last;
	if (hear(now() + STOPPED, &ticked))
		return wrong("the guest goes on while it is stopped");
	if (!order("cont", ""))
		return false;
	excused = (now() - begin) * 1000 + 1;
	/* Until it is past what any CPU may have seen */
	good = await_ticks(4 + 2 * excused / TICK_MS);
	excused = 0;
	if (!good)
		return false;
	printf("# stopped for %d s: the guest's clock went on by %llu ms in %.0f ms\n", STOPPED,
	       last.ms - before.ms, (now() - begin) * 1000);
	if (last.ms - before.ms > (now() - begin - STOPPED) * 1000 + STOP_SLACK)
		return wrong("the guest's clock did not stop with it");
	return last.rounds > before.rounds || wrong("the guest does not work any more");
}

/* waited() - how long the thread of a vCPU has waited for a CPU, in ms; -1 if it is not there */
static long long waited(int cpu)
{
	char path[PATH_MAX], comm[32], wanted[32];
	long long ns = -1;
	struct dirent *entry;
	FILE *file;
	DIR *tasks;

	snprintf(wanted, sizeof(wanted), "CPU %d/KVM", cpu);
	snprintf(path, sizeof(path), "/proc/%d/task", vmm.pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (!isdigit(*entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", vmm.pid, entry->d_name);
		file = fopen(path, "re");
		*comm = '\0';
		if (file && fgets(comm, sizeof(comm), file))
			comm[strcspn(comm, "\n")] = '\0';
		if (file)
			fclose(file);
		if (strcmp(comm, wanted))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", vmm.pid,
			 entry->d_name);
		file = fopen(path, "re");
		if (file && fscanf(file, "%*d %lld", &ns) != 1)
			ns = -1;
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return ns < 0 ? -1 : ns / 1000000;
}

/* take() - the life of a process that takes what it gets of its CPU */
static void take(void)
{
	for (;;)
		;
}

/* wake() - that of one which takes next to nothing, but preempts whoever is there as it wakes */
static void wake(void)
{
	struct sched_param param = { .sched_priority = 1 };

	sched_setscheduler(0, SCHED_FIFO, &param);
	for (;;)
		usleep(WAKE_US + rand() % WAKE_US);
}

/* load() - a process with that life on each CPU; NULL: none any more */
static void load(void (*life)(void))
{
	static pid_t pid[CPUS];

	for (int cpu = 0; cpu < CPUS; cpu++) {
		cpu_set_t set;

		if (!life) {
			kill(pid[cpu], SIGKILL);
			waitpid(pid[cpu], NULL, 0);
			continue;
		}
		pid[cpu] = fork();
		if (pid[cpu] < 0)
			die("fork");
		if (pid[cpu])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
		life();
	}
}

/* is_sane() - is no more stolen from a CPU than there was? */
static bool is_sane(void)
{
	for (int cpu = 0; cpu < CPUS; cpu++)
		if (last.steal[cpu] > last.uptime)
			return wrong("CPU %d: %llu ms stolen in %llu ms", cpu, last.steal[cpu],
				     last.uptime);
	return true;
}

/*
 * is_woken_on() - is the steal time sane while idle vCPUs are preempted now and then?
 *
 * That is when a vCPU is preempted at any place of KVM's accounting as it wakes, and not enough
 * is stolen to hide an error of some microseconds.
 */
static bool is_woken_on(void)
{
	double deadline = now() + WOKEN;
	bool good = true;

	load(wake);
	while (good && now() < deadline)
		good = await_ticks(1) && is_sane();
	load(NULL);
	return good;
}

/* is_robbed() - is the time that a load takes from the vCPUs what the guest says is stolen? */
static bool is_robbed(void)
{
	unsigned long long steal[CPUS];
	long long before[CPUS];

	forget();
	if (!await_ticks(1))
		return false;
	for (int cpu = 0; cpu < CPUS; cpu++) {
		before[cpu] = waited(cpu);
		steal[cpu] = last.steal[cpu];
		if (before[cpu] < 0)
			return wrong("no thread of vCPU %d", cpu);
	}
	/* From the boot on */
	is_sane();
	tell('b');
	load(take);
	hear_for(LOAD);
	load(NULL);
	tell('i');
	forget();
	if (!await_ticks(2))
		return false;
	for (int cpu = 0; cpu < CPUS; cpu++) {
		long long took = waited(cpu) - before[cpu];
		long long stolen = last.steal[cpu] - steal[cpu];

		printf("# vCPU %d: waited %lld ms for a CPU, the guest says %lld ms are stolen, %llu ms since boot\n",
		       cpu, took, stolen, last.steal[cpu]);
		if (took < LOAD * 1000 / 10)
			wrong("CPU %d: the load took no time from it, %lld ms", cpu, took);
		if (llabs(stolen - took) > STEAL_SLACK)
			wrong("CPU %d: %lld ms stolen, but its thread waited %lld ms", cpu, stolen,
			      took);
	}
	return is_sane();
}

/* migrate() - move the guest to another QEMU by way of a file */
static bool migrate(void)
{
	static char *incoming[] = { "-incoming", "file:" STATE, NULL };
	double begin = now();
	struct tick before;
	struct stat st;
	char *answer;

	unlink(STATE);
	if (!order("migrate", "\"uri\":\"file:" STATE "\""))
		return false;
	do {
		if (now() > begin + STEP_LIMIT)
			return wrong("the migration does not end within %d s", STEP_LIMIT);
		hear_for(0.1);
		answer = order("query-migrate", "");
		if (!answer)
			return false;
		if (strstr(answer, "\"failed\""))
			return wrong("the migration fails: %s", answer);
	} while (!strstr(answer, "\"completed\""));
	forget();
	before = last;
	if (!order("quit", "") || !end_vmm())
		return false;
	if (stat(STATE, &st))
		return wrong("no state in " STATE);
	start_vmm(incoming);
	if (!order("qmp_capabilities", "") || !await_ticks(4))
		return false;
	printf("# migrated with %lld KiB in %.1f s\n", (long long)st.st_size / 1024, now() - begin);
	return last.rounds > before.rounds || wrong("the guest does not work any more");
}

/* is_quiet() - has the guest's kernel complained of nothing? */
static bool is_quiet(void)
{
	static const char *const bad[] = {
		"WARNING:", "BUG:", "Oops", "Call Trace", "lockup", " stall", "Kernel panic",
		"general protection", "hung",
	};
	FILE *file = fopen(LOG, "re");
	char line[MAX_LINE];
	int shown = 0;

	if (!file)
		return wrong("no log of the guest");
	while (fgets(line, sizeof(line), file))
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
			if (strstr(line, bad[i]) && shown++ < 10) {
				line[strcspn(line, "\r\n")] = '\0';
				printf("# %s\n", line);
				wrong("%s", line);
			}
	fclose(file);
	return true;
}

/* show_log() - the end of what the guest's kernel has said, for who has to find out why */
static void show_log(void)
{
	FILE *file = fopen(LOG, "re");
	char line[MAX_LINE];

	if (!file)
		return;
	if (!fseek(file, -3000, SEEK_END))
		if (!fgets(line, sizeof(line), file))
			*line = '\0';
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\r\n")] = '\0';
		printf("# log: %s\n", line);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	static char *nothing[] = { NULL };
	static char *console[] = {
		"-chardev", "pipe,id=pv,path=" CONSOLE, "-device", "xen-console,chardev=pv", NULL
	};
	int migrations = argc == 2 ? atoi(argv[1]) : 0;
	int to, from, done = 0;
	bool alive;
	char *slash = strrchr(argv[0], '/');

	if (!slash || migrations < 1) {
		fprintf(stderr, "usage: DIR/NAME MIGRATIONS, with DIR/NAME.vmlinuz, DIR/NAME.cpio and DIR/qemu\n");
		return 2;
	}
	*slash = '\0';
	dir = argv[0];
	name = slash + 1;
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	unlink(LOG);
	printf("KTAP version 1\n1..8\n");

	/* A back end rules out a migration, so that the console has a guest of its own. */
	make_pipe(CONSOLE, &to, &from);
	alive = boot(console);
	row("console", alive && is_echoed(to, from));
	kill_vmm();

	alive = boot(nothing);
	row("boot", alive);
	row("xen", alive && is_xen());
	row("stop", alive && (alive = is_stopped()));
	row("steal", alive && is_robbed() && is_woken_on());
	while (alive && done < migrations && (alive = migrate()))
		done++;
	if (!alive)
		wrong("after %d migrations", done);
	row("migrate", alive);
	if (alive) {
		tell('o');
		alive = end_vmm();
	} else {
		show_log();
		kill_vmm();
		wrong("the guest was lost before");
	}
	row("off", alive);
	row("log", is_quiet());
	return !!failures;
}
