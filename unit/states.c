// SPDX-License-Identifier: GPL-2.0
/*
 * states.c - the states of a cache and the ways between them, one test each, the
 * calls that can fail, and the known races by name
 *
 * The invariants hold at each place in between, references and mappings are
 * balanced at each end.
 */
#include <stdio.h>

#include "gpc.h"
#include "tasks.h"
#include "test.h"
#include "vm.h"

#define LEN		64
#define GPA		((gpa_t)SLOT_GFN << PAGE_SHIFT)
#define LAST		(PAGE_SIZE - LEN)	/* where a range still fits */
#define NO_MEMORY	(GPA + SLOT_PAGES * PAGE_SIZE)
#define IO_GPA		(GPA + IO_PAGE * PAGE_SIZE)

static struct cache cache;

static void invariants(void)
{
	cache_invariants(&cache);
}

static bool is_valid(void)
{
	bool valid;

	lock_take(&cache.gpc.lock, LOCK_READ);
	valid = cache_check(&cache);
	lock_drop(&cache.gpc.lock, LOCK_READ);
	return valid;
}

/* It works at @gpa, before and after a loss of the page. */
static void expect_works(gpa_t gpa)
{
	bool hva;

	expect(is_valid());
	expect(cache_address(&cache, &hva) == gpa && !hva);
	expect(!cache_update(&cache, 1, true));
	vm_zap((gpa - GPA) >> PAGE_SHIFT, ZAP_NEW);
	expect(!is_valid());
	expect(cache_update(&cache, 2, true) == -EWOULDBLOCK);
	expect(!cache_update(&cache, 3, false));
	expect(is_valid());
}

static void expect_inactive(void)
{
	expect(!is_valid());
	expect(cache_refresh(&cache) == -EINVAL);
	expect(!is_valid());
	expect(cache_update(&cache, 1, false) == -EINVAL);
}

static void never_activated(void)
{
	expect_inactive();
	cache_deactivate(&cache);
	expect_inactive();
}

static void activated(void)
{
	expect(!cache_activate(&cache, GPA + 8, LEN));
	expect_works(GPA + 8);
}

static void last_byte(void)
{
	expect(!cache_activate(&cache, GPA + LAST, LEN));
	expect_works(GPA + LAST);
	expect(!cache_activate(&cache, GPA, PAGE_SIZE));
	expect_works(GPA);
}

static void refused(void)
{
	unsigned long offset;

	for (offset = LAST + 1; offset < PAGE_SIZE; offset++)
		expect(cache_activate(&cache, GPA + offset, LEN) == -EINVAL);
	expect(cache_activate(&cache, GPA, PAGE_SIZE + 1) == -EINVAL);
	/* Above all, gpa 0 was not meant. */
	expect_inactive();
}

static void refused_while_active(void)
{
	expect(!cache_activate(&cache, GPA + 8, LEN));
	expect(cache_activate(&cache, GPA + PAGE_SIZE + LAST + 1, LEN) == -EINVAL);
	expect_works(GPA + 8);
}

static void no_memory(void)
{
	expect(cache_activate(&cache, NO_MEMORY, LEN) == -EFAULT);
	expect(!is_valid());
	expect(cache_refresh(&cache) == -EFAULT);
	expect(cache_update(&cache, 1, false) == -EFAULT);
	expect(!cache_activate(&cache, GPA, LEN));
	expect_works(GPA);
	expect(cache_activate(&cache, NO_MEMORY, LEN) == -EFAULT);
	expect(!is_valid());
}

static void page_gone(void)
{
	expect(!cache_activate(&cache, GPA, LEN));
	vm_zap(0, ZAP_GONE);
	expect(!is_valid());
	expect(cache_refresh(&cache) == -EFAULT);
	expect(cache_update(&cache, 1, false) == -EFAULT);
	vm_map(0);
	expect(!cache_refresh(&cache));
	expect_works(GPA);
}

static void same_page_returns(void)
{
	expect(!cache_activate(&cache, GPA, LEN));
	vm_zap(0, ZAP_SAME);
	expect(!is_valid());
	expect(!cache_refresh(&cache));
	expect(is_valid());
	expect_works(GPA);
}

static void refresh_of_valid(void)
{
	unsigned int calls;

	expect(!cache_activate(&cache, GPA + 8, LEN));
	calls = vm_calls();
	expect(!cache_refresh(&cache));
	expect(vm_calls() == calls);	/* Nothing was looked up. */
	expect_works(GPA + 8);
}

static void other_pages(void)
{
	expect(!cache_activate(&cache, GPA, LEN));
	vm_zap(1, ZAP_NEW);
	vm_zap(3, ZAP_NEW);
	expect(is_valid());
}

static void other_address(void)
{
	expect(!cache_activate(&cache, GPA + 8, LEN));
	/* within the page, which stays mapped */
	expect(!cache_activate(&cache, GPA + 512, LEN));
	expect_works(GPA + 512);
	expect(!cache_activate(&cache, GPA + PAGE_SIZE + 16, LEN));
	expect_works(GPA + PAGE_SIZE + 16);
	expect(!cache_activate(&cache, IO_GPA, LEN));
	expect_works(IO_GPA);
}

static void other_length(void)
{
	expect(!cache_activate(&cache, GPA + LAST, LEN));
	expect(!cache_activate(&cache, GPA + PAGE_SIZE - MIN_LEN, MIN_LEN));
	expect_works(GPA + PAGE_SIZE - MIN_LEN);
	expect(!cache_activate(&cache, GPA, PAGE_SIZE));
	expect_works(GPA);
	expect(cache_activate(&cache, GPA + 1, PAGE_SIZE) == -EINVAL);
	expect_works(GPA);
}

static void memslot_moved(void)
{
	expect(!cache_activate(&cache, GPA + 8, LEN));
	vm_set_slot(SLOT_HOME);
	expect(!is_valid());	/* for it could be another one */
	expect(!cache_refresh(&cache));
	expect_works(GPA + 8);
	vm_set_slot(SLOT_MOVED);
	expect(!is_valid());
	expect(cache_update(&cache, 1, false) == -EFAULT);
	vm_set_slot(SLOT_NONE);
	expect(cache_update(&cache, 1, false) == -EFAULT);
	vm_set_slot(SLOT_SHIFTED);
	expect(!cache_update(&cache, 1, false));
	expect(is_valid());
	vm_set_slot(SLOT_HOME);
	expect(!cache_update(&cache, 1, false));
	expect_works(GPA + 8);
}

static void deactivated(void)
{
	expect(!cache_activate(&cache, GPA, LEN));
	cache_deactivate(&cache);
	expect_inactive();
	cache_deactivate(&cache);
	expect_inactive();
	expect(!cache_activate(&cache, GPA, LEN));
	expect_works(GPA);
	vm_zap(0, ZAP_NEW);
	cache_deactivate(&cache);
	expect_inactive();
	expect(cache_activate(&cache, NO_MEMORY, LEN) == -EFAULT);
	cache_deactivate(&cache);
	expect_inactive();
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
static void expect_works_at_hva(unsigned long address, unsigned int page)
{
	bool hva;

	expect(is_valid());
	expect(cache_address(&cache, &hva) == address && hva);
	expect(!cache_update(&cache, 1, true));
	vm_zap(page, ZAP_NEW);
	expect(!is_valid());
	expect(!cache_update(&cache, 2, false));
	/* The memslots are nothing to it. */
	vm_set_slot(SLOT_NONE);
	expect(is_valid());
	vm_set_slot(SLOT_HOME);
}

static void userspace_address(void)
{
	expect(!cache_activate_hva(&cache, OTHER_HVA + 8, LEN));
	expect_works_at_hva(OTHER_HVA + 8, 3);
	expect(cache_activate_hva(&cache, OTHER_HVA + LAST + 1, LEN) == -EINVAL);
	expect_works_at_hva(OTHER_HVA + 8, 3);
	/* from one kind of address to the other, at the same page, too */
	expect(!cache_activate(&cache, GPA + 8, LEN));
	expect_works(GPA + 8);
	expect(!cache_activate_hva(&cache, SLOT_HVA + 16, LEN));
	expect_works_at_hva(SLOT_HVA + 16, 0);
	expect(!cache_activate(&cache, GPA + 24, LEN));
	expect_works(GPA + 24);
}

static void wild_userspace_address(void)
{
	expect(!cache_activate(&cache, GPA, LEN));
	expect(cache_activate_hva(&cache, 1UL << 47, LEN) == -EINVAL);
	expect(cache_activate_hva(&cache, ~0UL << 47, LEN) == -EINVAL);
	expect_works(GPA);
	expect(cache_activate_hva(&cache, 0x1000, LEN) == -EFAULT);
	expect(!is_valid());
	expect(cache_refresh(&cache) == -EFAULT);
}

static void invalid_gpa(void)
{
	expect(!cache_activate(&cache, GPA, LEN));
	expect(cache_activate(&cache, INVALID_GPA, 0) == -EINVAL);
	expect_works(GPA);
}
#else
static void vcpu_leaves_guest(void)
{
	expect(!cache_activate(&cache, GPA, LEN));
	vm_zap(1, ZAP_NEW);
	expect(!vcpus_kicked);
	vm_zap(0, ZAP_NEW);
	expect(vcpus_kicked == 1 << 3);
}
#endif

#ifdef PATCHED
/* An access beyond the length is refused, and a bug of the caller that is warned of. */
static void beyond_the_length(void)
{
	expect(!cache_activate(&cache, GPA, LEN));
	expect(!cache_access(&cache, LEN - 1, 1));
	expect(cache_access(&cache, LEN, 1) == -EINVAL);
	expect(cache_access(&cache, LEN - 1, 2) == -EINVAL);
	expect(cache_access(&cache, -1UL, 2) == -EINVAL);
	expect_works(GPA);
}
#endif

/* What happens to a lookup, and what has to come of it */
static void zap_0(void)
{
	vm_zap(0, ZAP_NEW);
}

static void zap_0_twice(void)
{
	vm_zap(0, ZAP_NEW);
	after_lookup = zap_0;
}

static void zap_0_same(void)
{
	vm_zap(0, ZAP_SAME);
}

static void zap_3(void)
{
	vm_zap(3, ZAP_NEW);
}

static void invalidated_meanwhile(void)
{
	after_lookup = zap_0;
	expect(!cache_activate(&cache, GPA, LEN));
	expect_works(GPA);
	vm_zap(0, ZAP_NEW);
	after_lookup = zap_0_twice;
	expect(!cache_refresh(&cache));
	expect_works(GPA);
	before_lookup = zap_0;
	expect(!cache_activate(&cache, GPA + 8, LEN));
	expect_works(GPA + 8);
	/* The mapping is used again, in both rounds. */
	vm_zap(0, ZAP_SAME);
	after_lookup = zap_0_same;
	expect(!cache_refresh(&cache));
	expect_works(GPA + 8);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
static void outside_meanwhile(void)
{
	after_lookup = zap_3;
	expect(!cache_activate_hva(&cache, OTHER_HVA, LEN));
	expect_works_at_hva(OTHER_HVA, 3);
	vm_zap(3, ZAP_NEW);
	after_lookup = zap_3;
	expect(!cache_refresh(&cache));
	expect_works_at_hva(OTHER_HVA, 3);
}
#endif

/*
 * The memslot goes, and then its page, while a refresh is at work that has found both.
 * Once the memslot is back, the cache may well think that nothing happened.
 */
static struct kvm_memslots *found;

static void zap_0_without_memslot(void)
{
	while (kvm.memslots == found)
		pause_here();
	vm_zap(0, ZAP_NEW);
}

static void refresh(void *arg)
{
	(void)arg;
	found = kvm.memslots;
	after_lookup = zap_0_without_memslot;
	expect(!cache_refresh(&cache));
}

static void delete_memslot(void *arg)
{
	(void)arg;
	vm_set_slot(SLOT_NONE);
}

static void memslot_goes_meanwhile(void)
{
	struct schedule schedule = { .fn = { refresh, delete_memslot } };

	expect(!cache_activate(&cache, GPA, LEN));
	vm_zap(0, ZAP_NEW);
	run_tasks(&schedule);
	vm_set_slot(SLOT_HOME);
	expect(!cache_update(&cache, 1, false));
	expect_works(GPA);
}

static void unrelated_meanwhile(void)
{
	after_lookup = zap_3;
	expect(!cache_activate(&cache, GPA, LEN));
#ifdef SCALING
	expect(vm_calls() == 2);	/* The page was looked up and mapped, once each. */
#endif
	expect_works(GPA);
}

#ifdef SCALING
static void start(unsigned int page)
{
	invalidate_range_start(user_hva(page), user_hva(page) + PAGE_SIZE);
}

static void end(unsigned int page)
{
	invalidate_range_end(user_hva(page), user_hva(page) + PAGE_SIZE);
}

/* Nobody is there to wake what sleeps here. */
static void unrelated_held_open(void)
{
	expect(!cache_activate(&cache, GPA, LEN));
	vm_zap(0, ZAP_NEW);
	start(1);
	vm_fail_call(0);
	expect(!cache_refresh(&cache));
	expect(vm_calls() == 2);
	expect(is_valid());
	end(1);

	vm_zap(0, ZAP_NEW);
	start(3);
	expect(!cache_activate_hva(&cache, OTHER_HVA + PAGE_SIZE, LEN));
	expect(!cache_activate(&cache, GPA + 8, LEN));
	end(3);
	expect_works(GPA + 8);
}

/* Whoever takes a lock that is held has no way out here. */
static void unrelated_takes_no_lock(void)
{
	expect(!cache_activate(&cache, GPA, LEN));
	lock_take(&cache.gpc.lock, LOCK_WRITE);
	vm_zap(1, ZAP_NEW);
	vm_zap(3, ZAP_NEW);
	lock_drop(&cache.gpc.lock, LOCK_WRITE);
	expect_works(GPA);

	/* Where it was, it is not found either. */
	expect(!cache_activate(&cache, GPA + PAGE_SIZE, LEN));
	lock_take(&cache.gpc.lock, LOCK_WRITE);
	vm_zap(0, ZAP_NEW);
	lock_drop(&cache.gpc.lock, LOCK_WRITE);
	expect_works(GPA + PAGE_SIZE);
}

static void refresh_without_lookup(void)
{
	static int somebody;

	expect(!cache_activate(&cache, GPA, LEN));
	vm_set_slot(SLOT_HOME);
	kvm.mn_invalidate_lock.writer = &somebody;
	expect(!cache_refresh(&cache));
	expect(!cache_refresh(&cache));
	kvm.mn_invalidate_lock.writer = NULL;
	expect_works(GPA);
}

/* The second task of what follows, and what it got */
static int ret;

static void do_refresh(void *arg)
{
	(void)arg;
	ret = cache_refresh(&cache);
}

static void do_activate(void *arg)
{
	(void)arg;
	ret = cache_activate(&cache, GPA + PAGE_SIZE + 8, LEN);
}

static void start_0(void)
{
	start(0);
}

static void do_refresh_disturbed(void *arg)
{
	after_lookup = start_0;
	do_refresh(arg);
}

static void until_it_sleeps(void)
{
	while (!task_sleeps(1))
		pause_here();
}

/* It takes no turn, whatever comes. */
static void expect_sleeps(void)
{
	unsigned int calls = vm_calls(), i;

	for (i = 0; i < 100; i++) {
		expect(task_sleeps(1));
		pause_here();
	}
	expect(vm_calls() == calls);
	expect(!is_valid());
}

static void hold_open(void *arg)
{
	(void)arg;
	start(0);
	until_it_sleeps();
	expect_sleeps();
	end(0);
}

static void hold_two_open(void *arg)
{
	(void)arg;
	start(3);
	start(0);
	end(3);
	until_it_sleeps();
	expect_sleeps();
	end(0);
}

/* The first one's end leaves a range that is too large, but not for ever. */
static void hold_another_open(void *arg)
{
	(void)arg;
	start(0);
	start(3);
	until_it_sleeps();
	end(0);
	expect(!is_valid());
	end(3);
}

static void waits(void)
{
	static void (* const holders[])(void *arg) = {
		hold_open, hold_two_open, hold_another_open,
	};
	struct schedule schedule = { .fn = { NULL, do_refresh } };
	unsigned int i;

	expect(!cache_activate(&cache, GPA, LEN));
	for (i = 0; i < ARRAY_SIZE(holders); i++) {
		vm_zap(0, ZAP_NEW);
		schedule.fn[0] = holders[i];
		run_tasks(&schedule);
		expect(!ret);
		expect(is_valid());
		expect(!kvm.gpc_wait.nr);
	}
	expect_works(GPA);
}

/*
 * A refresh waits for an invalidation, with the memslots' lock for readers held; an
 * update of the memslots waits for that invalidation, and then for that reader.  The
 * end comes from a third one, which has to wait for neither.
 */
static unsigned int until_the_end;

static void end_in_time(void)
{
	invariants();
	if (until_the_end && !kvm.mn_invalidate_lock.writer && !--until_the_end) {
		expect(task_sleeps(1));
		end(0);
	}
}

static void change_memslots(void *arg)
{
	(void)arg;
	start(0);
	until_it_sleeps();
	until_the_end = 50;
	vm_set_slot(SLOT_NONE);
	expect(!until_the_end);
	expect(task_is_done(1));
}

static void waits_with_memslots(void)
{
	struct schedule schedule = { .fn = { change_memslots, do_refresh } };

	expect(!cache_activate(&cache, GPA, LEN));
	vm_zap(0, ZAP_NEW);
	at_each_place = end_in_time;
	run_tasks(&schedule);
	at_each_place = invariants;
	expect(!ret);
	expect(cache_update(&cache, 1, false) == -EFAULT);
	vm_set_slot(SLOT_HOME);
	expect(!cache_refresh(&cache));
	expect_works(GPA);
}

static unsigned int kill_page;

static void kill_it(void *arg)
{
	if (!arg)
		start(kill_page);
	until_it_sleeps();
	task_kill(1);
	while (!task_is_done(1))
		pause_here();
	expect(ret == -EINTR);
	expect(!is_valid());
	expect(!kvm.gpc_wait.nr);
	vm_balanced();
	end(kill_page);
}

static void killed(void)
{
	struct schedule one = { .fn = { kill_it, do_refresh } };
	struct schedule again = { .fn = { kill_it, do_refresh_disturbed }, .arg = { &ret } };
	struct schedule elsewhere = { .fn = { kill_it, do_activate } };
	bool hva;

	expect(!cache_activate(&cache, GPA, LEN));
	kill_page = 0;
	run_tasks(&one);
	expect(!cache_refresh(&cache));
	expect_works(GPA);

	vm_zap(0, ZAP_NEW);
	run_tasks(&again);
	expect(!cache_refresh(&cache));
	expect_works(GPA);

	kill_page = 1;
	run_tasks(&elsewhere);
	expect(cache_address(&cache, &hva) == GPA + PAGE_SIZE + 8 && !hva);
	expect(!cache_refresh(&cache));
	expect_works(GPA + PAGE_SIZE + 8);
}

static void kill_other(void *arg)
{
	(void)arg;
	task_kill_other();
}

static void do_refresh_killed(void *arg)
{
	(void)arg;
	pause_here();
	ret = cache_refresh(&cache);
}

/* Who need not wait is not stopped. */
static void killed_without_a_wait(void)
{
	struct schedule schedule = { .fn = { kill_other, do_refresh_killed } };

	expect(!cache_activate(&cache, GPA, LEN));
	vm_zap(0, ZAP_NEW);
	run_tasks(&schedule);
	expect(!ret);
	expect_works(GPA);
}
#endif

/*
 * Fail each call that can fail, one after the other, until none is left to fail:
 * the cache then is not valid, holds nothing, and works again afterwards.
 */
static void fail_each_call(gpa_t gpa, bool refresh)
{
	unsigned int nth;
	int r;

	for (nth = 1; ; nth++) {
		cache_deactivate(&cache);
		if (refresh) {
			expect(!cache_activate(&cache, gpa, LEN));
			vm_zap((gpa - GPA) >> PAGE_SHIFT, ZAP_NEW);
		}
		vm_fail_call(nth);
		r = refresh ? cache_refresh(&cache) : cache_activate(&cache, gpa, LEN);
		if (vm_calls() < nth)
			break;
		vm_fail_call(0);
		expect(r == -EFAULT);
		expect(!is_valid());
		vm_balanced();
		expect(!cache_refresh(&cache));
		expect_works(gpa);
	}
	expect(!r);
	expect(nth > 1);
	vm_fail_call(0);
	expect_works(gpa);
}

static void failing_calls(void)
{
	fail_each_call(GPA + 8, false);
	fail_each_call(GPA + 8, true);
	fail_each_call(IO_GPA, false);
	fail_each_call(IO_GPA, true);
}

/* Each call of a refresh that is disturbed by an invalidation, the second round, too */
static void failing_calls_meanwhile(void)
{
	unsigned int nth;
	int r;

	for (nth = 1; ; nth++) {
		cache_deactivate(&cache);
		vm_fail_call(nth);
		after_lookup = zap_0_twice;
		r = cache_activate(&cache, GPA, LEN);
		if (vm_calls() < nth)
			break;
		after_lookup = NULL;
		vm_fail_call(0);
		expect(r == -EFAULT);
		vm_balanced();
		expect(!cache_refresh(&cache));
		expect_works(GPA);
	}
	expect(!r && nth == 7);	/* three lookups, each of another page to be mapped */
	vm_fail_call(0);
	expect_works(GPA);
}

static const struct {
	const char *name;
	void (*fn)(void);
	unsigned int warnings;	/* that it provokes */
} list[] = {
	{ "never activated", never_activated },
	{ "activated, invalidated, refreshed", activated },
	{ "a range that ends with its page", last_byte },
	{ "refused, as the range crosses the page's end", refused },
	{ "refused while active", refused_while_active },
	{ "an address without memory", no_memory },
	{ "a page that goes away and comes back", page_gone },
	{ "a page that is swapped out and in", same_page_returns },
	{ "refresh of a valid cache", refresh_of_valid },
	{ "invalidation of other pages", other_pages },
	{ "activated again with another address", other_address },
	{ "activated again with another length", other_length },
	{ "memslot touched, moved, deleted and replaced", memslot_moved },
	{ "deactivated and activated again", deactivated },
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	{ "userspace addresses", userspace_address },
	{ "wild userspace addresses", wild_userspace_address },
	{ "INVALID_GPA", invalid_gpa, 1 },
#else
	{ "a vCPU that uses the page leaves the guest", vcpu_leaves_guest },
#endif
#ifdef PATCHED
	{ "access beyond the length", beyond_the_length, 6 },
#endif
	{ "invalidation between lookup and publication", invalidated_meanwhile },
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	{ "invalidation outside of all memslots meanwhile", outside_meanwhile },
#endif
	{ "invalidation with the memslot gone meanwhile", memslot_goes_meanwhile },
	{ "invalidation of an unrelated page meanwhile", unrelated_meanwhile },
#ifdef SCALING
	{ "invalidation of an unrelated page that is held open", unrelated_held_open },
	{ "invalidation of an unrelated page takes no lock", unrelated_takes_no_lock },
	{ "refresh without a lookup takes no lock that all share", refresh_without_lookup },
	{ "refresh sleeps while its page is invalidated", waits },
	{ "refresh sleeps while an update of the memslots waits, too", waits_with_memslots },
	{ "refresh that is killed", killed },
	{ "refresh that is killed and has not to wait", killed_without_a_wait },
#endif
	{ "calls that fail", failing_calls },
	{ "calls that fail while invalidations come in", failing_calls_meanwhile },
};

static void run(unsigned int i)
{
	cache_init(&cache);
	at_each_place = invariants;
	list[i].fn();
	cache_deactivate(&cache);
	invariants();
	at_each_place = NULL;
}

int main(void)
{
	struct test tests[ARRAY_SIZE(list)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(list); i++)
		tests[i] = (struct test){ list[i].name, run, i, list[i].warnings };
	return run_tests(tests, ARRAY_SIZE(tests));
}
