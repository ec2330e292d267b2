// SPDX-License-Identifier: GPL-2.0
/*
 * run.c - run a table of tests, report the results in KTAP
 *
 * Each test has a session and a time limit; what it prints becomes part of the
 * report, in which no byte of it can pass for a line of ours.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

#define MAX_TESTS	256
#define MAX_ARGS	16
#define KSFT_SKIP	4	/* tools/testing/selftests/kselftest.h */

/* How long a killed test gets to die before it is left behind. */
#define KILL_GRACE	5.0

int report_fd = -1;

/* say() - print one line (or a part of one) */
void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vdprintf(report_fd, fmt, args);
	va_end(args);
}

/* now() - seconds since the kernel started */
double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* One row of the table of tests; lab/tables/tests describes the format. */
struct test {
	char *name;
	bool ktap;
	long limit;
	char *argv[MAX_ARGS + 2];
};

/*
 * read_table() - read the table of tests
 * @tests: where to put the rows, MAX_TESTS of them
 * @table: its path
 * @dir: where the programs are
 *
 * Return: the number of rows.  A table that cannot be understood ends the run:
 * a test left out in silence would look like a pass.
 */
static int read_table(struct test *tests, const char *table, const char *dir)
{
	FILE *file = fopen(table, "re");
	char line[MAX_LINE];
	int n = 0;

	if (!file)
		die("open %s", table);
	while (fgets(line, sizeof(line), file)) {
		struct test *t = &tests[n];
		char path[PATH_MAX + MAX_LINE];
		char *kind, *limit, *word;
		int argc = 1;

		word = strtok(line, " \t\n");
		if (!word || *word == '#')
			continue;
		kind = strtok(NULL, " \t\n");
		limit = strtok(NULL, " \t\n");
		errno = EINVAL;
		if (n == MAX_TESTS || !limit)
			die("%s: row %s", table, word);
		t->name = strdup(word);
		t->ktap = !strcmp(kind, "ktap");
		t->limit = atol(limit);
		if (t->limit <= 0 || (!t->ktap && strcmp(kind, "plain")))
			die("%s: row %s", table, word);
		snprintf(path, sizeof(path), "%s/%s", dir, word);
		t->argv[0] = strdup(path);
		while (argc <= MAX_ARGS && (word = strtok(NULL, " \t\n")))
			t->argv[argc++] = strdup(word);
		n++;
	}
	fclose(file);
	if (!n)
		die("%s: no test", table);
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

pid_t fork_with_pipe(int *end)
{
	pid_t pid, self = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	*end = ends[!pid];
	close(ends[!!pid]);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* It may be gone already. */
		if (getppid() != self)
			_exit(1);
	}
	return pid;
}

/* session_of() - the session of the process with the folder @name in /proc, or 0 */
static pid_t session_of(const char *name)
{
	char path[64];
	pid_t session = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %d", &session) != 1)
		session = 0;
	fclose(file);
	return session;
}

/*
 * kill_session() - kill a test and all that it has started
 *
 * kselftest_harness.h has each of a test's cases in a process group of its own; they
 * stay in the session.
 */
static void kill_session(pid_t session)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	kill(-session, SIGKILL);
	while (proc && (entry = readdir(proc)))
		if (atoi(entry->d_name) > 0 && session_of(entry->d_name) == session)
			kill(atoi(entry->d_name), SIGKILL);
	if (proc)
		closedir(proc);
}

/*
 * start_test() - start a test in a session of its own, which Ctrl-C does not reach
 * @fd: where the read end of its output goes
 *
 * Return: its process id, which is also the session's.
 */
static pid_t start_test(struct test *t, int *fd)
{
	pid_t pid = fork_with_pipe(fd);

	if (!pid) {
		int null = open("/dev/null", O_RDONLY);

		setsid();
		dup2(null, STDIN_FILENO);
		close(null);
		dup2(*fd, STDOUT_FILENO);
		dup2(*fd, STDERR_FILENO);
		execv(t->argv[0], t->argv);
		dprintf(STDERR_FILENO, "cannot run %s: %s\n", t->argv[0],
			strerror(errno));
		_exit(127);
	}
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
			kill_session(pid);
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
		kill_session(pid);
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

void run_tests(const char *table, const char *dir)
{
	static struct test tests[MAX_TESTS];
	int n = read_table(tests, table, dir);
	struct utsname uts;

	uname(&uts);
	say("# kernel: %s %s\n", uts.release, uts.version);
	say("1..%d\n", n);
	for (int i = 0; i < n; i++)
		run_test(&tests[i], i + 1);
	say("# lab: end\n");
}
