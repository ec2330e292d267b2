// SPDX-License-Identifier: GPL-2.0
/*
 * bundle.c - run the selftests of a bundle on this host and say what a failure means
 *
 * The report is KTAP on stdout.  The bundle's `meaning` is lab/tables/expect/linux-BASE: what
 * stock kernels are known to do wrong, and why.
 *
 * Exit status: 0 all passed but for what was skipped, 1 something failed, 2 the bundle is
 * not complete, 4 this host cannot run them, or everything was skipped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

#define MAX_MEANINGS	256

static struct meaning {
	char *result;		/* "TEST SUBTEST", or "TEST -" for the test as a whole */
	char *reason;
} meanings[MAX_MEANINGS];

static int nr_meanings, nr_results, nr_failed, nr_known, nr_skipped;

void die(const char *fmt, ...)
{
	int error = errno;
	va_list args;

	printf("Bail out! ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(": %s\n", strerror(error));
	fflush(stdout);
	_exit(2);
}

/* read_meanings() - the rows "TEST SUBTEST fail PATCH # REASON" of the bundle's file */
static void read_meanings(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[MAX_LINE];

	if (!file)
		die("open %s", path);
	while (nr_meanings < MAX_MEANINGS && fgets(line, sizeof(line), file)) {
		char *fail = strstr(line, " fail ");
		char *reason = fail ? strstr(fail, " # ") : NULL;

		line[strcspn(line, "\n")] = '\0';
		if (*line == '#' || !reason)
			continue;
		*fail = '\0';
		meanings[nr_meanings].result = strdup(line);
		meanings[nr_meanings++].reason = strdup(reason + strlen(" # "));
	}
	fclose(file);
}

/* explain() - what it means that this result is a failure */
static void explain(const char *test, const char *what)
{
	char result[2 * MAX_LINE];
	int i;

	snprintf(result, sizeof(result), "%s %s", test, what);
	for (i = 0; i < nr_meanings; i++) {
		if (!strcmp(meanings[i].result, result)) {
			nr_known++;
			printf("  # known of kernels without the series: %s\n", meanings[i].reason);
			return;
		}
	}
	printf("  # not known of any kernel: please report it, with all of this output\n");
}

/* read_report() - pass the report on, and explain its failures; false if it has no end */
static bool read_report(FILE *file)
{
	char line[2 * MAX_LINE], test[MAX_LINE] = "", what[MAX_LINE];
	int subs = 0, failed_subs = 0, skipped_subs = 0;
	bool ended = false;

	while (fgets(line, sizeof(line), file)) {
		bool skipped;

		fputs(line, stdout);
		sscanf(line, "  # Subtest: %1023s", test);
		ended |= !strcmp(line, "# lab: end\n");
		skipped = strstr(line, "# SKIP");
		line[strcspn(line, "\n#")] = '\0';
		if (!strncmp(line, "  ok ", 5)) {
			subs++;
			skipped_subs += skipped;
		} else if (!strncmp(line, "  not ok ", 9) &&
			   (sscanf(line + 9, "%*d - %1023[^\n]", what) == 1 ||
			    sscanf(line + 9, "%*d %1023[^\n]", what) == 1)) {
			subs++;
			failed_subs++;
			explain(test, what);
		} else if (sscanf(line, "ok %*d %1023s", what) == 1 ||
			   sscanf(line, "not ok %*d %1023s", what) == 1) {
			/* A test with subtests is no result of its own, unless they do not explain it. */
			if (*line == 'n' && !failed_subs) {
				failed_subs = 1;
				subs++;
				explain(what, "-");
			}
			nr_results += subs ? subs : 1;
			nr_failed += failed_subs;
			nr_skipped += subs ? skipped_subs : skipped;
			subs = 0;
			failed_subs = 0;
			skipped_subs = 0;
		}
		fflush(stdout);
	}
	return ended;
}

/* why_not() - why this host cannot run the tests; NULL: it can */
static const char *why_not(void)
{
	static char text[256];
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0) {
		snprintf(text, sizeof(text), "/dev/kvm: %s%s", strerror(errno),
			 errno == EACCES ? "; run as root or as a member of the group kvm" : "");
		return text;
	}
	close(kvm);
	return NULL;
}

int main(void)
{
	char dir[PATH_MAX - 16], table[PATH_MAX], meaning[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	const char *reason;
	int end, status;
	FILE *report;
	pid_t pid;

	printf("KTAP version 1\n");
	if (len < 0)
		die("/proc/self/exe");
	dir[len] = '\0';
	*strrchr(dir, '/') = '\0';
	snprintf(table, sizeof(table), "%s/tests", dir);
	snprintf(meaning, sizeof(meaning), "%s/meaning", dir);
	read_meanings(meaning);
	reason = why_not();
	if (reason) {
		printf("1..0 # SKIP %s\n", reason);
		return 4;
	}
	fflush(stdout);
	pid = fork_with_pipe(&end);
	if (!pid) {
		report_fd = end;
		run_tests(table, dir);
		_exit(0);
	}
	report = fdopen(end, "re");
	if (!report)
		die("fdopen");
	if (!read_report(report) || waitpid(pid, &status, 0) != pid || status) {
		printf("Bail out! the tests did not get to their end\n");
		return 2;
	}
	printf("# %d of %d results failed, %d of them as kernels without the series do; %d skipped\n",
	       nr_failed, nr_results, nr_known, nr_skipped);
	if (nr_failed)
		return 1;
	/* Nothing was tested, and so nothing has passed. */
	return nr_skipped == nr_results ? 4 : 0;
}
