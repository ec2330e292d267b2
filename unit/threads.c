// SPDX-License-Identifier: GPL-2.0
/*
 * threads.c - real threads against each other: owners that activate and deactivate,
 * users that refresh and write, userspace that takes pages away and changes memslots
 *
 * For ThreadSanitizer, whose reports fail the test, and AddressSanitizer.  Each write
 * proves that the page is still the guest's: see mapping_holds() in kernel.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ops.h"
#include "test.h"

#define OPS_PER_THREAD	20000

struct thread {
	pthread_t id;
	unsigned int seed;
	void (*step)(unsigned int random);
};

#ifdef __SANITIZE_THREAD__
void __tsan_on_report(void *report);
void __tsan_on_report(void *report)
{
	(void)report;
	fail("ThreadSanitizer has found something, see its report");
}
#endif

static void do_op(struct op op, unsigned int random)
{
	int r;

	op.cache = random / 16 % NR_CACHES;
	r = op_run(&op);
	if (r && r != -EINVAL && r != -EFAULT && r != -EWOULDBLOCK)
		fail("an operation returned %d", r);
}

static void own(unsigned int random)
{
	static const struct op ops[] = {
		{ .type = ACTIVATE, .page = 0, .len = 64 },
		{ .type = ACTIVATE, .page = 0, .offset = PAGE_SIZE - MIN_LEN, .len = MIN_LEN },
		{ .type = ACTIVATE, .page = 1, .len = PAGE_SIZE },
		{ .type = ACTIVATE, .page = IO_PAGE, .len = 64 },
		{ .type = ACTIVATE, .page = 1, .offset = 1, .len = PAGE_SIZE },
		{ .type = DEACTIVATE },
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
		{ .type = ACTIVATE_HVA, .page = 3, .len = 64 },
		{ .type = ACTIVATE_HVA, .page = 0, .len = 64 },
#endif
	};

	do_op(ops[random % ARRAY_SIZE(ops)], random);
}

static void use(unsigned int random)
{
	static const struct op ops[] = {
		{ .type = UPDATE }, { .type = UPDATE_ATOMIC }, { .type = UPDATE },
		{ .type = REFRESH },
	};

	do_op(ops[random % ARRAY_SIZE(ops)], random);
}

static void take_pages(unsigned int random)
{
	unsigned int page = random % USER_PAGES;

	if (random / USER_PAGES % 8 == 0) {
		vm_zap(page, ZAP_GONE);
		vm_map(page);
	} else {
		vm_zap(page, random / USER_PAGES % 2 ? ZAP_NEW : ZAP_SAME);
	}
}

static void change_memslots(unsigned int random)
{
	vm_set_slot(random % NR_SLOTS);
}

static void *run_thread(void *arg)
{
	struct thread *thread = arg;
	unsigned int i;

	for (i = 0; i < OPS_PER_THREAD; i++)
		thread->step((unsigned int)rand_r(&thread->seed));
	return NULL;
}

static void run_threads(unsigned int with_memslots)
{
	struct thread threads[] = {
		{ .step = own }, { .step = use }, { .step = use },
		{ .step = take_pages }, { .step = take_pages }, { .step = change_memslots },
	};
	size_t nr = ARRAY_SIZE(threads) - !with_memslots, i;

	for (i = 0; i < NR_CACHES; i++)
		cache_init(&caches[i]);
	for (i = 0; i < nr; i++) {
		threads[i].seed = (unsigned int)i + 1;
		if (pthread_create(&threads[i].id, NULL, run_thread, &threads[i]))
			abort();
	}
	for (i = 0; i < nr; i++)
		pthread_join(threads[i].id, NULL);
	for (i = 0; i < NR_CACHES; i++)
		cache_deactivate(&caches[i]);
	if (!caches_are_gone())
		fail("a deactivated cache is still on the list");
}

int main(void)
{
	static const struct test tests[] = {
		{ "threads, pages go away", run_threads, 0 },
		{ "threads, pages go away and memslots change", run_threads, 1 },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
