// SPDX-License-Identifier: GPL-2.0
/* test.c - see test.h */
#include <stdarg.h>
#include <stdio.h>

#include "test.h"
#include "vm.h"

/* One failure is told; the next thousand of the same test are like it. */
#define MAX_TOLD	3

const char *(*context)(void);

/* of the running test */
static atomic_uint nr_failures, nr_warnings;

unsigned int failures(void)
{
	return nr_failures + nr_warnings;
}

static void tell(const char *fmt, va_list args)
{
	printf("# ");
	vprintf(fmt, args);
	if (context)
		printf(" (%s)", context());
	printf("\n");
	fflush(stdout);
}

void fail(const char *fmt, ...)
{
	va_list args;

	if (++nr_failures > MAX_TOLD)
		return;
	va_start(args, fmt);
	tell(fmt, args);
	va_end(args);
}

void warned(const char *fmt, ...)
{
	va_list args;

	if (++nr_warnings > MAX_TOLD)
		return;
	va_start(args, fmt);
	tell(fmt, args);
	va_end(args);
}

int run_tests(const struct test *tests, size_t nr)
{
	unsigned int nr_failed = 0;
	size_t i;
	bool ok;

	printf("KTAP version 1\n1..%zu\n", nr);
	for (i = 0; i < nr; i++) {
		nr_failures = 0;
		nr_warnings = 0;
		vm_reset();
		tests[i].fn(tests[i].arg);
		vm_balanced();
		ok = !nr_failures && nr_warnings == tests[i].warnings;
		printf("%s %zu %s\n", ok ? "ok" : "not ok", i + 1, tests[i].name);
		fflush(stdout);
		nr_failed += !ok;
	}
	return !!nr_failed;
}
