// SPDX-License-Identifier: GPL-2.0
/*
 * kut.c - the tests of kvm-unit-tests, one after the other
 *
 * Beside this program are QEMU with its firmware, the tests and the list of them, kut.list.
 * A line is a test:
 *
 *	NAME LIMIT CONDITION ARGUMENT...
 *
 * with tabs between: its name, the seconds that it has, PATH=VALUE of a file that has to have that
 * first line or it is skipped ("-": of none; with spaces between several), and the arguments for
 * QEMU, where @now@ is the time.  scripts/steps/kut.sh makes it from x86/unittests.cfg.
 *
 * Reports in KTAP.  A test tells its verdict by QEMU's isa-debug-exit, which ends QEMU with
 * 2 * code + 1: of 0 for a pass, of 38 for one that was skipped.  QEMU itself ends with 1, too,
 * if it cannot do what is asked for, and has then complained on its standard error: not run, as
 * there; see scripts/runtime.bash and scripts/vmm.bash of kvm-unit-tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINE	4096
#define MAX_ARGS	64

#define PASS		1
#define SKIP		77

/* is_met() - has each file of these the wanted first line?  If not, @why says which has not. */
static bool is_met(char *conditions, char *why, size_t size)
{
	char *rest, *condition;

	if (!strcmp(conditions, "-"))
		return true;
	for (condition = strtok_r(conditions, " ", &rest); condition;
	     condition = strtok_r(NULL, " ", &rest)) {
		char *wanted = strchr(condition, '='), is[MAX_LINE] = "";
		FILE *file;

		if (!wanted)
			continue;
		*wanted++ = '\0';
		file = fopen(condition, "re");
		if (file) {
			if (fgets(is, sizeof(is), file))
				is[strcspn(is, "\n")] = '\0';
			fclose(file);
		}
		if (strcmp(is, wanted)) {
			snprintf(why, size, "%s is not %s", condition, wanted);
			return false;
		}
	}
	return true;
}

/* is_refused() - does QEMU's standard error have anything but warnings?  @why is the first of it. */
static bool is_refused(int fd, char *why, size_t size)
{
	bool refused = false;
	char line[MAX_LINE];
	FILE *file;

	lseek(fd, 0, SEEK_SET);
	file = fdopen(fd, "r");
	if (!file) {
		perror("kut: fdopen");
		exit(1);
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		printf("# %s\n", line);
		if (!refused && *line && !strcasestr(line, "warning")) {
			snprintf(why, size, "%s", line);
			refused = true;
		}
	}
	fclose(file);
	return refused;
}

/*
 * run() - run QEMU
 * @limit: the seconds that it has
 *
 * Return: its exit status, SKIP if it refuses, -1 if it was killed, by us for being late or by a
 * signal of its own.
 */
static int run(char **argv, int limit, char *why, size_t size)
{
	struct pollfd end = { .events = POLLIN };
	char refusal[MAX_LINE] = "";
	int status, errors = memfd_create("errors", MFD_CLOEXEC);
	pid_t pid;

	fflush(stdout);
	pid = errors < 0 ? -1 : fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(errors, STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	end.fd = pid < 0 ? -1 : pidfd_open(pid, 0);
	if (end.fd < 0) {
		perror("kut: cannot run QEMU");
		exit(1);
	}
	if (!poll(&end, 1, limit * 1000)) {
		snprintf(why, size, "not done after %d s", limit);
		kill(pid, SIGKILL);
	}
	close(end.fd);
	waitpid(pid, &status, 0);
	/* What it has printed last may be no whole line. */
	printf("\n");
	if (is_refused(errors, refusal, sizeof(refusal)) && WIFEXITED(status) &&
	    WEXITSTATUS(status) == PASS) {
		snprintf(why, size, "QEMU: %s", refusal);
		return SKIP;
	}
	if (WIFEXITED(status)) {
		snprintf(why, size, "QEMU ends with %d", WEXITSTATUS(status));
		return WEXITSTATUS(status);
	}
	if (!*why)
		snprintf(why, size, "QEMU is killed by signal %d", WTERMSIG(status));
	return -1;
}

/* fill_in() - @word with the seconds since 1970 for @now@ */
static char *fill_in(char *word)
{
	char *at = word ? strstr(word, "@now@") : NULL, *filled;

	if (!at)
		return word;
	if (asprintf(&filled, "%.*s%lld%s", (int)(at - word), word, (long long)time(NULL),
		     at + strlen("@now@")) < 0)
		exit(1);
	return filled;
}

/* report() - run the test of that line and report it as number @n.  Return: did it not fail? */
static bool report(int n, char *line)
{
	char *argv[MAX_ARGS + 1] = { "./qemu", "-L", "." }, *rest, why[MAX_LINE] = "";
	char *name = strtok_r(line, "\t\n", &rest);
	char *limit = strtok_r(NULL, "\t\n", &rest);
	char *conditions = strtok_r(NULL, "\t\n", &rest);
	int argc = 3, status = SKIP;

	while (argc < MAX_ARGS && (argv[argc] = fill_in(strtok_r(NULL, "\t\n", &rest))))
		argc++;
	if (!conditions || argc == MAX_ARGS) {
		fprintf(stderr, "kut: line %d of kut.list is none\n", n);
		exit(1);
	}
	if (is_met(conditions, why, sizeof(why)))
		status = run(argv, atoi(limit), why, sizeof(why));
	printf("%s %d %s # %s%s\n", status == PASS || status == SKIP ? "ok" : "not ok", n,
	       name, status == SKIP ? "SKIP " : "", why);
	return status == PASS || status == SKIP;
}

int main(int argc, char **argv)
{
	char *slash = strrchr(argv[0], '/'), line[MAX_LINE];
	int tests = 0, failures = 0;
	FILE *list;

	if (argc != 1 || !slash) {
		fprintf(stderr, "usage: DIR/kut, with DIR/kut.list and DIR/qemu\n");
		return 2;
	}
	*slash = '\0';
	list = chdir(argv[0]) ? NULL : fopen("kut.list", "re");
	if (!list) {
		fprintf(stderr, "kut: no kut.list: %s\n", strerror(errno));
		return 1;
	}
	while (fgets(line, sizeof(line), list))
		tests++;
	rewind(list);
	printf("KTAP version 1\n1..%d\n", tests);
	for (int n = 1; fgets(line, sizeof(line), list); n++)
		failures += !report(n, line);
	return !!failures;
}
