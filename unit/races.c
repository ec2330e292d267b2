// SPDX-License-Identifier: GPL-2.0
/*
 * races.c - each operation against each other one, from each state that a cache
 * can be in, in every schedule in which they take turns up to three times
 *
 * A race that one of these schedules is enough for is won by it every time.
 */
#include <stdio.h>

#include "pair.h"
#include "tasks.h"
#include "test.h"

#define LEN	64

static const struct op ops[] = {
	{ .type = ACTIVATE, .page = 0, .len = LEN },
	{ .type = ACTIVATE, .page = 0, .offset = PAGE_SIZE - 8, .len = 8 },
	{ .type = ACTIVATE, .page = 1, .len = LEN },
	{ .type = ACTIVATE, .page = IO_PAGE, .len = LEN },
	{ .type = ACTIVATE, .page = 0, .offset = PAGE_SIZE - 8, .len = 9 },
	{ .type = ACTIVATE, .page = SLOT_PAGES, .len = LEN },
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	{ .type = ACTIVATE_HVA, .page = 3, .len = LEN },
	{ .type = ACTIVATE_HVA, .page = KERNEL_PAGE, .len = LEN },
#endif
	{ .type = REFRESH },
	{ .type = UPDATE },
	{ .type = UPDATE_ATOMIC },
	{ .type = DEACTIVATE },
	{ .type = ZAP, .page = 0, .how = ZAP_NEW },
	{ .type = ZAP, .page = 0, .how = ZAP_SAME },
	{ .type = ZAP, .page = 0, .how = ZAP_GONE },
#ifdef SCALING
	{ .type = ZAP, .page = 0, .how = ZAP_AND },	/* the other one is killed */
#endif
	{ .type = ZAP, .page = IO_PAGE, .how = ZAP_NEW },
	{ .type = ZAP, .page = 3, .how = ZAP_NEW },
	{ .type = SET_SLOT, .how = SLOT_HOME },
	{ .type = SET_SLOT, .how = SLOT_NONE },
	{ .type = SET_SLOT, .how = SLOT_SHIFTED },
};

/* What led to the state that a pair starts from, besides the other cache */
static const struct {
	const char *name;
	struct op ops[3];
	unsigned int nr_ops;
} states[] = {
	{ "never activated", { { 0 } }, 0 },
	{ "valid", { { .type = ACTIVATE, .page = 0, .len = LEN } }, 1 },
	{ "invalidated", { { .type = ACTIVATE, .page = 0, .len = LEN },
			   { .type = ZAP, .page = 0, .how = ZAP_NEW } }, 2 },
	{ "without memory", { { .type = ACTIVATE, .page = 0, .len = LEN },
			      { .type = SET_SLOT, .how = SLOT_NONE },
			      { .type = REFRESH } }, 3 },
	{ "device memory", { { .type = ACTIVATE, .page = IO_PAGE, .len = LEN } }, 1 },
	{ "deactivated", { { .type = ACTIVATE, .page = 0, .len = LEN },
			   { .type = DEACTIVATE } }, 2 },
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	{ "userspace address", { { .type = ACTIVATE_HVA, .page = 3, .len = LEN } }, 1 },
#endif
};

static struct pair pair;
static unsigned int state, nr_schedules;

static const char *schedule_text(void)
{
	static char text[320], op[2][96];

	snprintf(text, sizeof(text), "%s %s to place %u, %s to place %u",
		 states[state].name, op_text(&pair.op[0], op[0], sizeof(op[0])), pair.places[0],
		 op_text(&pair.op[1], op[1], sizeof(op[1])), pair.places[1]);
	return text;
}

static void run_schedule(void)
{
	static const struct op other = { .type = ACTIVATE, .cache = 1, .page = 1, .len = LEN };
	struct model model;
	unsigned int i;

	ops_reset(&model);
	op_model(&model, &other);
	op_run(&other);
	for (i = 0; i < states[state].nr_ops; i++) {
		op_model(&model, &states[state].ops[i]);
		op_run(&states[state].ops[i]);
	}
	all_invariants();
	at_each_place = all_invariants;
	while_zapped = task_kill_other;
	pair_run(&pair, &model);
	while_zapped = NULL;
	at_each_place = NULL;
	for (i = 0; i < NR_CACHES; i++)
		cache_deactivate(&caches[i]);
	all_invariants();
	vm_balanced();
	nr_schedules++;
}

/* Each pair of which at least one is about a cache, from one state */
static void every_two(unsigned int from)
{
	unsigned int a, b;

	state = from;
	nr_schedules = 0;
	context = schedule_text;
	for (a = 0; a < ARRAY_SIZE(ops); a++) {
		for (b = 0; b < ARRAY_SIZE(ops); b++) {
			if (!is_cache_op(&ops[a]) && !is_cache_op(&ops[b]))
				continue;
			pair.op[0] = ops[a];
			pair.op[1] = ops[b];
			pair.places[0] = 0;
			do {
				pair.places[0]++;
				pair.places[1] = 0;
				do {
					pair.places[1]++;
					run_schedule();
				} while (pair.came_so_far[0] && pair.came_so_far[1]);
			} while (pair.came_so_far[0]);
		}
	}
	context = NULL;
	printf("# %u schedules\n", nr_schedules);
}

int main(void)
{
	static char names[ARRAY_SIZE(states)][80];
	struct test tests[ARRAY_SIZE(states)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		snprintf(names[i], sizeof(names[i]), "every two operations on a cache: %s",
			 states[i].name);
		tests[i] = (struct test){ names[i], every_two, i, 0 };
	}
	return run_tests(tests, ARRAY_SIZE(tests));
}
