// SPDX-License-Identifier: GPL-2.0
/*
 * judge.c - judge a stored run: the table, the splats and one verdict
 *
 *	judge RUN EXPECT SPLATS		RUN/stock beside RUN/patched
 *	judge --one DIR SPLATS [EXPECT]	one boot, on which all must pass but for what
 *					EXPECT names, which must fail
 *	judge --splats CONSOLE SPLATS	no verdict, just the splats of a console
 *
 * A boot's folder holds tests (the table that it was to run), ktap, console and
 * meta.  Silence is failure: a boot has passed when its report says so for each
 * row of its table, from the plan to the end mark, and its console was read.
 *
 * Exit status: 0 pass; 1 a test or a splat failed; 2 results are missing or
 * could not be read; 4 everything was skipped.
 */
#include "ktap.h"
#include "splat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIAG	10	/* diagnostic lines shown for a failure */
#define MAX_SPLATS	10	/* splat lines shown for a console */
#define TAIL		20	/* console lines shown when a boot went wrong */
#define NAME_WIDTH	68	/* leaves room for the verdicts in 100 columns */

#define LOWER		"abcdefghijklmnopqrstuvwxyz"
#define DIGITS		"0123456789"

/* One row of the expectation file. */
struct expectation {
	const char *test;
	const char *sub;	/* "-" is the test itself */
	const char *patch;	/* the one that mends it, "TOPIC/NNNN" */
	bool seen;
};

/* One boot. */
struct boot {
	const char *name;
	struct report report;
	struct text console, meta;
	struct splat_rules rules;
	size_t nr_splats;
	size_t missing;
	size_t failed;		/* results that are not what they must be */
};

static struct expectation *expectations;
static size_t nr_expectations;

/* What the verdict line counts. */
static size_t nr_results, nr_expected, nr_passed, nr_skipped;
static bool all_skipped = true;

/* meta() - the value of @key in a boot's meta file, "?" when it is not there */
static const char *meta(const struct boot *boot, const char *key)
{
	for (size_t i = 0; i < boot->meta.n; i++) {
		const char *value = after(boot->meta.lines[i], key);

		if (value && *value == '=')
			return value + 1;
	}
	return "?";
}

/* is_patch() - is it a patch of the series as the lists name it, "TOPIC/NNNN"? */
static bool is_patch(const char *s)
{
	const char *number = strchr(s, '/');

	return number && number > s && strspn(s, LOWER "-") == (size_t)(number - s) &&
	       strlen(number + 1) == 4 && strspn(number + 1, DIGITS) == 4;
}

/* cut_word() - cut the last word off @line, in place; NULL when it has but one */
static char *cut_word(char *line)
{
	char *end = strrchr(trim(line), ' ');

	if (!end)
		return NULL;
	*end = '\0';
	trim(line);
	return end + 1;
}

/*
 * read_expectations() - read "<test> <subtest or -> fail <patch> # reason" and
 * "splat <patch> <regex> # reason"; a subtest's name may have blanks
 * @boot: whose splat rules get the splats to allow
 */
static void read_expectations(const char *path, struct boot *boot)
{
	struct text text;

	if (!read_text(&text, path))
		die("cannot read the expectations %s", path);
	for (size_t i = 0; i < text.n; i++) {
		char *line = text.lines[i], *splat, *sub, *patch, *fail;
		struct expectation row = { 0 };

		if (!*line || *line == '#')
			continue;
		if (!cut_reason(line))
			die("%s:%zu: no '# reason'", path, i + 1);
		splat = (char *)after(line, "splat ");
		if (splat) {
			char *regex = strchr(splat, ' ');

			if (regex)
				*regex++ = '\0';
			if (!regex || !is_patch(splat))
				die("%s:%zu: not 'splat <patch> <regex> # reason'",
				    path, i + 1);
			add_rule(&boot->rules, false, regex, path);
			continue;
		}
		patch = cut_word(line);
		fail = patch ? cut_word(line) : NULL;
		sub = fail ? strchr(line, ' ') : NULL;
		if (!sub || strcmp(fail, "fail") || !is_patch(patch))
			die("%s:%zu: not '<test> <subtest or -> fail <patch> # reason'",
			    path, i + 1);
		*sub = '\0';
		row.test = line;
		row.sub = trim(sub + 1);
		row.patch = patch;
		expectations = grown(expectations, nr_expectations, sizeof(row));
		expectations[nr_expectations++] = row;
	}
}

/*
 * expect_failure() - must the first boot fail here?
 * @sub: subtest, or NULL for the test itself, which also has to fail when one
 *	of its subtests has to
 *
 * Return: the patch that mends it, "" if that is for the subtests to say, or
 * NULL: it must pass.
 */
static const char *expect_failure(const char *test, const char *sub)
{
	const char *patch = NULL;

	for (size_t i = 0; i < nr_expectations; i++) {
		struct expectation *row = &expectations[i];

		if (strcmp(row->test, test))
			continue;
		if (strcmp(row->sub, sub ?: "-")) {
			if (!sub && !patch)
				patch = "";
			continue;
		}
		row->seen = true;
		patch = row->patch;
	}
	return patch;
}

/*
 * read_boot() - read a boot's folder; what cannot be read is a problem
 * @table: gets the folder's table of tests
 */
static void read_boot(struct boot *boot, const char *dir, struct text *table)
{
	struct {
		const char *name;
		struct text *text;
	} files[] = {
		{ "tests", table },
		{ "ktap", &boot->report.text },
		{ "console", &boot->console },
		{ "meta", &boot->meta },
	};
	struct report *report = &boot->report;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *path = format("%s/%s", dir, files[i].name);

		if (!read_text(files[i].text, path))
			add_problem(report, format("cannot read %s: %s", path,
						   strerror(errno)));
		free(path);
	}
	if (!strcmp(meta(boot, "timed_out"), "yes"))
		add_problem(report, format("the machine hung and was stopped after %s s",
					   meta(boot, "total_seconds")));
	if (!boot->console.n)
		add_problem(report, "the console is empty");
	parse_report(report);
	if (report->kernel) {
		const char *rest = after(report->kernel, meta(boot, "kernel"));

		if (!rest || *rest != ' ')
			add_problem(report, format("kernel %s was booted, but %s answered",
						   meta(boot, "kernel"),
						   report->kernel));
	}
	for (size_t i = 0; i < boot->console.n; i++)
		boot->nr_splats += is_splat(&boot->rules, boot->console.lines[i]);
}

static const char *verdict_name(const struct result *result)
{
	static const char *const names[] = {
		[MISSING] = "missing", [PASS] = "pass", [FAIL] = "FAIL",
		[TIMEOUT] = "TIMEOUT", [SKIP] = "skip",
	};

	return names[result ? result->verdict : MISSING];
}

/* print_diag() - what a boot said about a result that is not as it must be */
static void print_diag(const struct boot *boot, const struct result *result)
{
	size_t shown = 0;

	if (!result)
		return;
	if (*result->note)
		printf("      %s: %s\n", boot->name, result->note);
	for (size_t i = result->first; i < result->end; i++) {
		const char *line = after(boot->report.text.lines[i], "  #");
		const char *text = line ? line + strspn(line, " ") : "RUN ";

		/* What kselftest_harness.h says of each test, the row says, too. */
		if (after(text, "RUN ") || after(text, "FAIL ") || after(text, "OK "))
			continue;
		if (shown++ == MAX_DIAG) {
			printf("      %s: ...\n", boot->name);
			break;
		}
		printf("      %s:%s\n", boot->name, line);
	}
}

/* The results of one row: its test or subtest on each boot, NULL if missing. */
struct row {
	const char *test;
	const char *sub;	/* NULL: the test itself */
	const struct result *results[2];
	bool counts;		/* the row of a test with subtests does not */
};

/*
 * judge_row() - print one row and count it
 * @boots: stock and patched, or the one
 * @excused: a test's own row: its subtests have already counted the failure
 */
static void judge_row(struct boot *boots, int nr_boots, const struct row *row,
		      const bool *excused)
{
	const char *expected = expect_failure(row->test, row->sub);
	bool bad[2] = { false, false };
	char pair[64] = "";
	int skips = 0;

	for (int i = 0; i < nr_boots; i++) {
		const struct result *result = row->results[i];
		enum verdict verdict = result ? result->verdict : MISSING;

		if (verdict == MISSING)
			boots[i].missing++;
		else if (expected && !i)
			bad[i] = verdict != FAIL;
		else
			bad[i] = verdict != PASS && verdict != SKIP;
		if (verdict == SKIP)
			skips++;
		else
			all_skipped = false;
		boots[i].failed += bad[i] && !(excused[i] && verdict != PASS);
		strcat(pair, i ? " -> " : "");
		snprintf(pair + strlen(pair), sizeof(pair) - strlen(pair),
			 i + 1 < nr_boots ? "%-7s" : "%s", verdict_name(result));
	}
	if (row->counts) {
		nr_results++;
		nr_skipped += skips > 0;
		nr_passed += row->results[nr_boots - 1] &&
			     row->results[nr_boots - 1]->verdict == PASS;
		nr_expected += expected && !bad[0];
	}
	printf("%s%-*.*s %s", row->sub ? "  " : "",
	       NAME_WIDTH - (row->sub ? 2 : 0), NAME_WIDTH - (row->sub ? 2 : 0),
	       row->sub ? row->sub : row->test, pair);
	if (bad[0] || bad[1])
		printf("  <--");
	else if (expected)
		printf(" *%s%s", *expected ? "  " : "", expected);
	putchar('\n');
	if (expected && bad[0])
		printf("      %s: must fail here, %s\n", boots[0].name,
		       nr_boots == 2 ? "or the test proves nothing" :
		       "as the patch that mends it comes later");
	for (int i = 0; i < nr_boots; i++)
		if (bad[i])
			print_diag(&boots[i], row->results[i]);
		else if (row->results[i] && row->results[i]->verdict == SKIP)
			printf("      %s: %s\n", boots[i].name,
			       row->results[i]->note);
}

/*
 * check_plan() - a test that says how many results it will give must give them,
 * and a ktap test must say so; one that was skipped or that did not end need not
 */
static void check_plan(struct boot *boot, const struct test *test, bool ktap)
{
	if (!test || test->top.verdict == SKIP || test->top.verdict == MISSING)
		return;
	if (test->plan < 0) {
		if (ktap)
			add_problem(&boot->report,
				    format("%s gave no plan", test->top.name));
	} else if ((size_t)test->plan != test->nr_subs) {
		add_problem(&boot->report, format("%s gave %zu of %ld results",
						  test->top.name, test->nr_subs,
						  test->plan));
	}
}

/*
 * judge_test() - print and count one row of the table of tests with all its
 * subtests
 *
 * The results of two boots belong together by their number, as the same program
 * ran on both; kselftest.h of 6.1 gives a skipped one no name.
 */
static void judge_test(struct boot *boots, int nr_boots, const char *name,
		       bool ktap)
{
	const bool none[2] = { false, false };
	struct test *tests[2] = { NULL, NULL };
	struct row row = { .test = name, .counts = true };
	bool excused[2] = { false, false };
	size_t nr_subs = 0;

	for (int i = 0; i < nr_boots; i++) {
		struct test *test = find_test(&boots[i].report, name);

		tests[i] = test;
		check_plan(&boots[i], test, ktap);
		if (!test)
			continue;
		row.results[i] = &test->top;
		if (test->nr_subs > nr_subs)
			nr_subs = test->nr_subs;
		for (size_t n = 0; n < test->nr_subs; n++)
			if (test->subs[n].verdict != PASS &&
			    test->subs[n].verdict != SKIP)
				excused[i] = true;
	}
	row.counts = !nr_subs;
	judge_row(boots, nr_boots, &row, excused);

	row.counts = true;
	for (size_t n = 0; n < nr_subs; n++) {
		row.sub = "";
		for (int i = 0; i < nr_boots; i++) {
			bool has = tests[i] && n < tests[i]->nr_subs;

			row.results[i] = has ? &tests[i]->subs[n] : NULL;
			if (has && *tests[i]->subs[n].name)
				row.sub = tests[i]->subs[n].name;
		}
		judge_row(boots, nr_boots, &row, none);
	}
}

/* judge_table() - every row of the table that the boots were to run */
static void judge_table(struct boot *boots, int nr_boots, struct text *table)
{
	size_t rows = 0;

	printf("%-*s %s\n", NAME_WIDTH, "test",
	       nr_boots == 2 ? "stock   -> patched" : "verdict");
	for (size_t i = 0; i < table->n; i++) {
		char *name = strtok(table->lines[i], " ");
		char *kind = strtok(NULL, " ");

		if (!name || *name == '#')
			continue;
		judge_test(boots, nr_boots, name, kind && !strcmp(kind, "ktap"));
		rows++;
	}
	for (int i = 0; i < nr_boots; i++)
		if (boots[i].report.nr_tests > rows)
			add_problem(&boots[i].report,
				    "the report has tests that are not in its table");
	if (nr_expected)
		printf(nr_boots == 2 ?
		       "* stock must fail here: this is what the series mends\n" :
		       "* it must fail here: a later patch mends it\n");
	for (size_t i = 0; i < nr_expectations && !all_skipped; i++)
		if (!expectations[i].seen)
			add_problem(&boots[0].report,
				    format("no result of '%s %s', which must fail",
					   expectations[i].test,
					   expectations[i].sub));
}

/* print_facts() - splats, kernels, accelerator, seconds, what was not tested */
static void print_facts(struct boot *boots, int nr_boots)
{
	putchar('\n');
	for (int i = 0; i < nr_boots; i++) {
		struct text *console = &boots[i].console;
		size_t shown = 0;

		printf("%-12s %-8s %zu\n", i ? "" : "splat lines", boots[i].name,
		       boots[i].nr_splats);
		for (size_t n = 0; n < console->n && shown < MAX_SPLATS; n++) {
			if (!is_splat(&boots[i].rules, console->lines[n]))
				continue;
			printf("      line %zu: %s\n", n + 1, console->lines[n]);
			shown++;
		}
	}
	for (int i = 0; i < nr_boots; i++)
		printf("%-12s %-8s %s\n", i ? "" : "kernels", boots[i].name,
		       boots[i].report.kernel ?: "?");
	for (int i = 0; i < nr_boots; i++)
		printf("%-12s %-8s %s to PID 1, %s s in all\n",
		       i ? "" : "seconds", boots[i].name,
		       boots[i].report.uptime ?: "?",
		       meta(&boots[i], "total_seconds"));
	printf("%-12s %s\n", "accelerator", meta(&boots[0], "accelerator"));
	printf("%-12s %s\n\n", "not tested", meta(&boots[0], "not_tested"));
}

/* print_trouble() - for a boot that went wrong, what and its last words */
static void print_trouble(const struct boot *boot)
{
	const struct text *console = &boot->console;
	size_t n = console->n > TAIL ? console->n - TAIL : 0;

	for (size_t i = 0; i < boot->report.problems.n; i++)
		printf("%s: %s\n", boot->name, boot->report.problems.lines[i]);
	printf("%s: the end of the console:\n", boot->name);
	for (; n < console->n; n++)
		printf("    %s\n", console->lines[n]);
	putchar('\n');
}

/* conclude() - print the verdict line; returns the exit status */
static int conclude(struct boot *boots, int nr_boots)
{
	const struct boot *last = &boots[nr_boots - 1];
	size_t problems = 0, missing = 0, splats = 0, failed = 0;

	for (int i = 0; i < nr_boots; i++) {
		if (boots[i].report.problems.n || boots[i].missing)
			print_trouble(&boots[i]);
		problems += boots[i].report.problems.n;
		missing += boots[i].missing;
		splats += boots[i].nr_splats;
		failed += boots[i].failed;
	}
	if (problems || missing || !(nr_passed + nr_skipped + failed)) {
		printf("INCOMPLETE: %zu results missing, %zu faults of the run, %zu failed, %zu splat lines\n",
		       missing, problems, failed, splats);
		return 2;
	}
	if (all_skipped && !splats) {
		printf("SKIPPED: %zu results; all skipped\n", nr_results);
		return 4;
	}
	if (failed || splats || !nr_passed) {
		printf("FAIL: %zu results; ", nr_results);
		if (nr_boots == 2)
			printf("%zu on stock are not as expected, ",
			       boots[0].failed);
		printf("%zu failed on %s, %zu splat lines\n", last->failed,
		       last->name, splats);
		return 1;
	}
	printf("PASS: %zu results; ", nr_results);
	if (nr_boots == 2)
		printf("%zu fail on stock as expected, ", nr_expected);
	else if (nr_expected)
		printf("%zu fail as expected, ", nr_expected);
	if (nr_skipped)
		printf("%zu skipped, ", nr_skipped);
	printf(nr_skipped || (nr_boots == 1 && nr_expected) ?
	       "all others pass" : "all pass");
	printf(" on %s, no splat\n", last->name);
	return 0;
}

/* print_splats() - those of the console at @path, without their time stamps */
static int print_splats(const char *path, const char *list)
{
	struct splat_rules rules = { 0 };
	struct text console;

	read_rules(&rules, list);
	if (!read_text(&console, path))
		die("cannot read the console %s", path);
	for (size_t i = 0; i < console.n; i++) {
		if (is_splat(&rules, console.lines[i]))
			puts(without_stamp(console.lines[i]));
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool one = argc >= 4 && !strcmp(argv[1], "--one");
	static struct boot boots[2] = { { .name = "stock" }, { .name = "patched" } };
	int nr_boots = one ? 1 : 2;
	struct text table;

	if (argc != 4 && !(one && argc == 5)) {
		fprintf(stderr, "usage: judge RUN EXPECT SPLATS | judge --one DIR SPLATS [EXPECT] | judge --splats CONSOLE SPLATS\n");
		return 2;
	}
	if (!strcmp(argv[1], "--splats"))
		return print_splats(argv[2], argv[3]);
	for (int i = 0; i < nr_boots; i++)
		read_rules(&boots[i].rules, argv[3]);
	if (one) {
		boots[0].name = "kernel";
		if (argc == 5)
			read_expectations(argv[4], &boots[0]);
		read_boot(&boots[0], argv[2], &table);
	} else {
		read_expectations(argv[2], &boots[0]);
		for (int i = 0; i < nr_boots; i++)
			read_boot(&boots[i],
				  format("%s/%s", argv[1], boots[i].name), &table);
	}
	judge_table(boots, nr_boots, &table);
	print_facts(boots, nr_boots);
	return conclude(boots, nr_boots);
}
