// SPDX-License-Identifier: GPL-2.0
/*
 * ktap.c - understand the report of one boot
 *
 * The format is Documentation/dev-tools/ktap.rst of the kernel, in the form
 * that init.c writes: one result a row of the table of tests, each preceded by
 * its test's output, which is indented by two spaces and starts with a
 * "# Subtest: name".
 */
#include "ktap.h"

#include <stdlib.h>
#include <string.h>

void add_problem(struct report *report, char *problem)
{
	struct text *list = &report->problems;

	list->lines = grown(list->lines, list->n, sizeof(char *));
	list->lines[list->n++] = problem;
}

/*
 * parse_plan() - "1..N", where kselftest.h may append "# SKIP reason"
 *
 * Return: N, or -1 when the line is no plan.
 */
static long parse_plan(const char *line)
{
	const char *s = after(line, "1..");
	char *end;
	long n;

	if (!s || *s < '0' || *s > '9')
		return -1;
	n = strtol(s, &end, 10);
	return *end && *end != ' ' ? -1 : n;
}

/*
 * parse_result() - "ok|not ok <number> [- ][<name>][ # [<directive>] <note>]"
 * @number: set to the number that the line states
 *
 * SKIP is believed after "ok" only.  TODO and XFAIL are treated like it: a test
 * that is not expected to pass has not passed.  Where there is no name, what
 * follows the directive is it: kselftest.h writes skipped subtests that way.
 *
 * Return: false when the line is no result.
 */
static bool parse_result(const char *line, struct result *result, long *number)
{
	static const char *const skips[] = { "SKIP", "TODO", "XFAIL" };
	bool good = after(line, "ok ");
	const char *s = good ? after(line, "ok ") : after(line, "not ok ");
	char *end, *mark;

	if (!s || *s < '0' || *s > '9')
		return false;
	*number = strtol(s, &end, 10);
	if (*end && *end != ' ')
		return false;
	result->name = trim(format("%s", end));
	mark = strchr(result->name, '#');
	result->note = mark ? trim(mark + 1) : "";
	if (mark)
		*mark = '\0';
	if (after(result->name, "- "))
		result->name += 2;
	result->name = trim(result->name);

	result->verdict = good ? PASS : FAIL;
	if (!good && after(result->note, "TIMEOUT"))
		result->verdict = TIMEOUT;
	for (size_t i = 0; good && i < ARRAY_SIZE(skips); i++)
		if (after(result->note, skips[i]))
			result->verdict = SKIP;
	if (result->verdict == SKIP && !*result->name) {
		result->name = result->note + strcspn(result->note, " ");
		result->name = trim(result->name);
		result->note = "SKIP no reason given";
	}
	return true;
}

/* parse_nested() - one line of the output of @test, without its indentation */
static void parse_nested(struct report *report, struct test *test, size_t at,
			 const char *line)
{
	struct result result = { .first = test->top.first, .end = at };
	long number = parse_plan(line);

	if (number >= 0) {
		if (test->plan >= 0)
			add_problem(report, format("%s has two plans",
						   test->top.name));
		test->plan = number;
		return;
	}
	if (!parse_result(line, &result, &number))
		return;
	if (number != (long)test->nr_subs + 1)
		add_problem(report, format("%s: result %ld comes as number %zu",
					   test->top.name, number,
					   test->nr_subs + 1));
	test->subs = grown(test->subs, test->nr_subs, sizeof(result));
	test->subs[test->nr_subs++] = result;
	test->top.first = at + 1;
}

/* open_test() - a test's output begins */
static struct test *open_test(struct report *report, size_t at, const char *name)
{
	struct test test = {
		.top = { .name = trim(format("%s", name)), .note = "",
			 .first = at + 1, .end = at + 1 },
		.plan = -1,
	};

	if (find_test(report, test.top.name))
		add_problem(report, format("%s is reported twice", test.top.name));
	report->tests = grown(report->tests, report->nr_tests, sizeof(test));
	report->tests[report->nr_tests] = test;
	return &report->tests[report->nr_tests++];
}

/* close_test() - a test's result is there, or the report ends before it */
static void close_test(struct report *report, struct test *test,
		       const struct result *result)
{
	if (!result) {
		add_problem(report, format("%s has no result", test->top.name));
		return;
	}
	if (strcmp(test->top.name, result->name))
		add_problem(report, format("the output of %s ends in a result of '%s'",
					   test->top.name, result->name));
	test->top.verdict = result->verdict;
	test->top.note = result->note;
}

/* parse_line() - one line that is not indented; returns the test still open */
static struct test *parse_line(struct report *report, struct test *test,
			       const char *line)
{
	struct result result = { 0 };
	long number = parse_plan(line);

	if (number >= 0) {
		report->plan = number;
	} else if (parse_result(line, &result, &number)) {
		if (!test)
			add_problem(report, format("a result of '%s' without its test's output",
						   result.name));
		else
			close_test(report, test, &result);
		return NULL;
	} else if (after(line, "# kernel: ")) {
		report->kernel = after(line, "# kernel: ");
	} else if (after(line, "# uptime at PID 1: ")) {
		report->uptime = after(line, "# uptime at PID 1: ");
	} else if (after(line, "Bail out!")) {
		add_problem(report, format("%s", line));
	} else if (!strcmp(line, "# lab: end")) {
		report->ended = true;
	}
	return test;
}

/*
 * parse_report() - parse report->text; what is wrong with it goes to
 * report->problems, and whatever can be understood is understood
 */
void parse_report(struct report *report)
{
	struct test *test = NULL;

	report->plan = -1;
	for (size_t i = 0; i < report->text.n; i++) {
		const char *line = report->text.lines[i];
		const char *nested = after(line, "  ");
		const char *name = nested ? after(nested, "# Subtest: ") : NULL;

		if (name) {
			if (test)
				close_test(report, test, NULL);
			test = open_test(report, i, name);
		} else if (nested && test) {
			test->top.end = i + 1;
			parse_nested(report, test, i, nested);
		} else if (!nested) {
			test = parse_line(report, test, line);
		}
	}
	if (test)
		close_test(report, test, NULL);
	if (!report->text.n)
		add_problem(report, "the report is empty");
	else if (report->plan < 0)
		add_problem(report, "no plan");
	else if ((size_t)report->plan != report->nr_tests)
		add_problem(report, format("%zu of %ld tests reported",
					   report->nr_tests, report->plan));
	if (report->text.n && !report->ended)
		add_problem(report, "no end mark");
}

/* find_test() - NULL when the report does not have it */
struct test *find_test(struct report *report, const char *name)
{
	for (size_t i = 0; i < report->nr_tests; i++)
		if (!strcmp(report->tests[i].top.name, name))
			return &report->tests[i];
	return NULL;
}
