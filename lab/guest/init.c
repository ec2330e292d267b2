// SPDX-License-Identifier: GPL-2.0
/*
 * init.c - PID 1 of a guest in the lab's virtual machine
 *
 * A thread on each CPU reads the clock, writes memory and reads back what it wrote; four times
 * a second a line about that goes out on the second serial port, where lab/vm/guest.c reads
 * it.  What comes in there is one letter:
 *
 *	b	be busy: the threads no longer sleep
 *	i	be idle: they sleep most of the time, as in the beginning
 *	c	copy what comes in on the Xen console, back to it
 *	o	power off
 *
 * The lines:
 *
 *	fact NAME VALUE		how this kernel sees the machine, once
 *	tick MS UPTIME STEAL0 STEAL1 TIMER0 TIMER1 ROUNDS BACK NS BAD
 *
 * MS is CLOCK_MONOTONIC and UPTIME that of /proc, both in ms; STEAL the stolen time of a CPU, in
 * ms; TIMER the interrupts of its Xen timer; ROUNDS the pages written; BACK how often the clock
 * went back, on one CPU or from one to another, and NS by how much at most; BAD the pages that had not what was written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define CPUS		2
#define PAGES		2048	/* of each thread */
#define PAGE_WORDS	(4096 / sizeof(uint32_t))
#define TICK_MS		250
#define MAX_LINE	512

static int port;
static volatile bool busy;
/* The clock as any thread has read it last, in ns */
static uint64_t last_ns;
static unsigned long rounds, back, most_back, bad;

/* say() - write a line on the port */
__attribute__((format(printf, 1, 2)))
static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vdprintf(port, fmt, args);
	va_end(args);
}

__attribute__((noreturn))
static void power_off(void)
{
	tcdrain(port);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* die() - say why there is nothing to go on with, and power off */
__attribute__((noreturn))
static void die(const char *what)
{
	say("fact died %s: %s\n", what, strerror(errno));
	power_off();
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* open_raw() - open a terminal, so that bytes go through it as they are; -1 if there is none */
static int open_raw(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY);
	struct termios tio;

	if (fd < 0 || tcgetattr(fd, &tio))
		return -1;
	cfmakeraw(&tio);
	tcsetattr(fd, TCSANOW, &tio);
	return fd;
}

/* check_clock() - does it go on from what any CPU has seen? */
static void check_clock(void)
{
	/* Read before the clock: what another thread stores meanwhile may be later than that. */
	uint64_t seen = __atomic_load_n(&last_ns, __ATOMIC_SEQ_CST);
	uint64_t ns = now_ns();

	if (ns < seen) {
		__atomic_add_fetch(&back, 1, __ATOMIC_RELAXED);
		if (seen - ns > most_back)
			most_back = seen - ns;
	}
	while (ns > seen &&
	       !__atomic_compare_exchange_n(&last_ns, &seen, ns, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/* work() - the life of a thread: read the clock, check a page and write it again */
static void *work(void *arg)
{
	uint32_t cpu = (uintptr_t)arg, round = 0;
	uint32_t *memory;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
	memory = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	for (;; round++) {
		uint32_t *page = memory + round % PAGES * PAGE_WORDS;
		/* Of the round before, or zero: nothing is there yet */
		uint32_t old = round < PAGES ? 0 : (round - PAGES) * CPUS + cpu + 1;

		for (size_t i = 0; i < PAGE_WORDS; i += 64) {
			if (page[i] != old)
				__atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
			page[i] = round * CPUS + cpu + 1;
		}
		__atomic_add_fetch(&rounds, 1, __ATOMIC_RELAXED);
		check_clock();
		/* Even if busy it halts now and then: each time KVM accounts for the vCPU. */
		if (!busy || round % 64 == 0)
			usleep(busy ? 100 : 10000);
	}
	return NULL;
}

/* first_line() - the first line of a file without its newline, "none" if it is not there */
static const char *first_line(const char *path)
{
	static char line[MAX_LINE];
	FILE *file = fopen(path, "re");

	if (!file || !fgets(line, sizeof(line), file))
		strcpy(line, "none");
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/*
 * interrupts() - the counts of a line of /proc/interrupts, on each CPU
 * @name: how the line ends
 *
 * Return: is there such a line?
 */
static bool interrupts(const char *name, unsigned long *counts)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char line[MAX_LINE];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *end = strrchr(line, ' ');

		if (!end || strncmp(end + 1, name, strlen(name)) || end[1 + strlen(name)] != '\n')
			continue;
		found = sscanf(line, "%*s %lu %lu", &counts[0], &counts[1]) == 2;
	}
	if (file)
		fclose(file);
	return found;
}

/* steal() - the stolen time of a CPU in ms */
static unsigned long long steal(int cpu)
{
	unsigned long long ticks = 0;
	char line[MAX_LINE], name[16];
	FILE *file = fopen("/proc/stat", "re");

	snprintf(name, sizeof(name), "cpu%d ", cpu);
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			sscanf(line, "%*s %*u %*u %*u %*u %*u %*u %*u %llu", &ticks);
	if (file)
		fclose(file);
	return ticks * 1000 / sysconf(_SC_CLK_TCK);
}

static void say_facts(void)
{
	unsigned long counts[CPUS];

	say("fact machine %s\n", sizeof(long) == 8 ? "64-bit" : "32-bit");
	say("fact kernel %s\n", first_line("/proc/sys/kernel/osrelease"));
	say("fact cpus %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	say("fact hypervisor %s\n", first_line("/sys/hypervisor/type"));
	say("fact xen %s\n", first_line("/sys/hypervisor/version/major"));
	say("fact clocksource %s\n",
	    first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
	say("fact timer0 %s\n",
	    first_line("/sys/devices/system/clockevents/clockevent0/current_device"));
	say("fact timer1 %s\n",
	    first_line("/sys/devices/system/clockevents/clockevent1/current_device"));
	say("fact spinlocks %s\n", interrupts("spinlock0", counts) && interrupts("spinlock1", counts) ?
	    "xen" : "none");
	say("fact ready yes\n");
}

static void say_tick(void)
{
	unsigned long timer0[CPUS] = { 0 }, timer1[CPUS] = { 0 };
	double up = atof(first_line("/proc/uptime"));

	interrupts("timer0", timer0);
	interrupts("timer1", timer1);
	say("tick %llu %.0f %llu %llu %lu %lu %lu %lu %lu %lu\n",
	    (unsigned long long)now_ns() / 1000000, up * 1000, steal(0), steal(1),
	    timer0[0], timer1[1], __atomic_load_n(&rounds, __ATOMIC_RELAXED),
	    __atomic_load_n(&back, __ATOMIC_RELAXED), most_back,
	    __atomic_load_n(&bad, __ATOMIC_RELAXED));
}

/* echo() - the life of another thread: what the Xen console says goes back there */
static void *echo(void *arg)
{
	int console = open_raw("/dev/hvc0");
	char buf[512];
	ssize_t n;

	say("fact console %s\n", console < 0 ? "none" : "open");
	while ((n = read(console, buf, sizeof(buf))) > 0)
		for (ssize_t done = 0, m; done < n; done += m) {
			m = write(console, buf + done, n - done);
			if (m < 0)
				m = 0;
		}
	return arg;
}

static void start(void *(*life)(void *), uintptr_t arg)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, life, (void *)arg);
	if (errno)
		die("pthread_create");
}

/* obey() - do what the letter says */
static void obey(char letter)
{
	switch (letter) {
	case 'b':
	case 'i':
		busy = letter == 'b';
		break;
	case 'c':
		start(echo, 0);
		break;
	case 'o':
		power_off();
	}
}

static void mount_at(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, 0, NULL) && errno != EBUSY)
		die(dir);
}

int main(void)
{
	uint64_t next;

	if (getpid() != 1) {
		fprintf(stderr, "init: runs as PID 1 of a guest in the lab's virtual machine only\n");
		return 2;
	}
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	port = open_raw("/dev/ttyS1");
	if (port < 0)
		power_off();
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	for (uintptr_t cpu = 0; cpu < CPUS; cpu++)
		start(work, cpu);
	say_facts();
	next = now_ns();
	for (;;) {
		struct pollfd fd = { .fd = port, .events = POLLIN };
		uint64_t ns = now_ns();
		char letter;

		if (ns >= next) {
			say_tick();
			next = ns + TICK_MS * 1000000ull;
		}
		if (poll(&fd, 1, TICK_MS / 5) > 0 && read(port, &letter, 1) == 1)
			obey(letter);
	}
}
