/* SPDX-License-Identifier: GPL-2.0 */
/* ktap.h - the report of one boot, as PID 1 wrote it */
#ifndef LAB_KTAP_H
#define LAB_KTAP_H

#include "text.h"

enum verdict { MISSING, PASS, FAIL, TIMEOUT, SKIP };

struct result {
	char *name;
	enum verdict verdict;
	char *note;		/* what stood behind the '#' */
	size_t first, end;	/* lines of the report about this result */
};

struct test {
	struct result top;
	struct result *subs;
	size_t nr_subs;
	long plan;		/* subtests announced; -1: no plan */
};

struct report {
	struct text text;
	const char *kernel;	/* release and version; NULL: not said */
	const char *uptime;	/* at PID 1; NULL: not said */
	long plan;
	bool ended;
	struct test *tests;
	size_t nr_tests;
	struct text problems;	/* what is wrong with the report itself */
};

void add_problem(struct report *report, char *problem);
void parse_report(struct report *report);
struct test *find_test(struct report *report, const char *name);

#endif
