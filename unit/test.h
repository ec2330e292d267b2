/* SPDX-License-Identifier: GPL-2.0 */
/* test.h - a list of tests and their report in KTAP; needs vm.c */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include <stdbool.h>
#include <stddef.h>

#include "lock.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct test {
	const char *name;
	void (*fn)(unsigned int arg);
	unsigned int arg;
	unsigned int warnings;	/* that the test provokes, and must see */
};

/* failures() - how often the running test has failed so far, warnings included */
unsigned int failures(void);

/* Said with each failure, to tell the steps that led there; NULL: nothing */
extern const char *(*context)(void);

/* expect() - fail unless @cond */
#define expect(cond)							\
do {									\
	if (!(cond))							\
		fail("line %d: not so: %s", __LINE__, #cond);		\
} while (0)

/* run_tests() - a new VM for each, and its report: the exit status for main() */
int run_tests(const struct test *tests, size_t nr);

#endif
