// SPDX-License-Identifier: GPL-2.0
/*
 * cost.c - what KVM's Xen interface costs, in instructions
 *
 * For a machine that counts its instructions with the TSC: QEMU's -icount shift=0,
 * with one CPU.  Each row is the most frequent of many counts, and has to be that of
 * more than half of them: an interrupt or a refilled list disturbs a few.  The same
 * kernel then gives the same figure at each boot, and scripts/bench.sh insists on that.
 *
 * What sleeps, and is preempted on purpose, is counted by the CPU time of the thread: a
 * nanosecond of that machine is an instruction, and what others do meanwhile is not in it.
 *
 * Reports in KTAP, with a line "# cost FIGURE WHAT" ahead of each result; a row that
 * this kernel refuses has the figure "-".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

/* Newer than the headers that this may be built with: Documentation/virt/kvm/api.rst */
#define ATTR_RUNSTATE_UPDATE_FLAG	5
#define ATTR_SHARED_INFO_HVA		6
#define VCPU_ATTR_VCPU_INFO_HVA		9
#define CONFIG_FLAG_UPDATE_FLAG		(1 << 6)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096UL
#define INVALID		(~0ULL)
#define RUNS		300
#define HEAVY_RUNS	30	/* of what takes a million */
#define MANY_VCPUS	256U
#define MAX_VCPUS	1024U	/* KVM_MAX_VCPUS */
#define AREAS		3U	/* of a vCPU, each with a cache */
#define MANY_SLOTS	(MEMORY / PAGE)
#define OTHER_SLOT	MANY_SLOTS

/* An invalidation that is held open, in nanoseconds: instructions */
#define REACHED		30000L	/* it has begun, and is by far not over */
#define HELD		100000L	/* what a row counts of it */
#define WALK		(128UL << 20)	/* bytes that it takes several times REACHED to walk */
#define TABLE		(2UL << 20)	/* bytes of a page table */

/* Where in the guest's memory things are, in bytes */
#define CODE		0x0000UL
#define VCPU_INFO	0x2000UL
#define TIME_INFO	0x2400UL
#define SHARED_INFO	0x4000UL
#define CLOCK		0x5000UL
#define VCPU_INFO_ELSEWHERE	0x6000UL
#define RUNSTATE	0x3000UL
#define ACROSS		0x7fe0UL	/* a runstate area in two pages */
#define MORE_AREAS	0x10000UL	/* 256 bytes a vCPU, for each of its areas */
#define MEMORY		(MORE_AREAS + AREAS * MAX_VCPUS * 256)

static int kvm, vm, vcpu, vcpus[MAX_VCPUS];
static unsigned int nr_vcpus, nr_slots;
static char *memory, *outside;
static unsigned int nr_rows;

__attribute__((noreturn))
static void give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(int ret, const char *what)
{
	if (ret)
		give_up(what);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t tsc(void)
{
	return __rdtsc();
}

static uint64_t cpu_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* How it is counted now */
static uint64_t (*now)(void);
static uint64_t nothing_costs;
static uint64_t at_most = UINT64_MAX;
static int nr_runs = RUNS;
static void (*after)(void);

/*
 * count() - what one call of @op costs, between uncounted ones of @before and after():
 * INVALID if it is refused; @often is how many of nr_runs calls cost that
 */
static uint64_t count(int (*op)(void), void (*before)(void), int *often)
{
	static uint64_t costs[RUNS];
	uint64_t start, most = 0;
	int i, first;

	for (i = 0; i < nr_runs; i++) {
		if (before)
			before();
		start = now();
		if (op() < 0)
			return INVALID;
		costs[i] = now() - start - nothing_costs;
		if (costs[i] > at_most)
			costs[i] = at_most;
		if (after)
			after();
	}
	qsort(costs, nr_runs, sizeof(costs[0]), compare);
	*often = 0;
	for (i = 0, first = 0; i < nr_runs; i++) {
		if (costs[i] != costs[first])
			first = i;
		if (i - first + 1 > *often) {
			*often = i - first + 1;
			most = costs[i];
		}
	}
	return most;
}

static int nothing(void)
{
	return 0;
}

/* row() - measure and report one */
__attribute__((format(printf, 3, 4)))
static void row(int (*op)(void), void (*before)(void), const char *what, ...)
{
	int often = nr_runs;
	uint64_t cost = count(op, before, &often);
	char name[128];
	va_list args;

	va_start(args, what);
	vsnprintf(name, sizeof(name), what, args);
	va_end(args);
	if (cost != INVALID)
		printf("# cost %llu %s\n", (unsigned long long)cost, name);
	else
		printf("# cost - %s\n", name);
	printf("%s %u %s\n", often > nr_runs / 2 ? "ok" : "not ok", ++nr_rows, name);
}

/* So many instructions, and two more around them */
static int thousand(void)
{
	unsigned int n = 500;

	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n));
	return 0;
}

/* count_by() - from now on, by this @clock, which has to count instructions */
static void count_by(uint64_t (*clock)(void))
{
	uint64_t cost;
	int often;

	now = clock;
	nothing_costs = 0;
	nothing_costs = count(nothing, NULL, &often);
	cost = count(thousand, NULL, &often);
	/* The call of an empty function and its constant are not the same; CPU time is rounded. */
	if (cost < 998 || cost > 1010) {
		printf("Bail out! %s says %llu for 1000 instructions; it has to count them\n",
		       clock == tsc ? "the TSC" : "the CPU time", (unsigned long long)cost);
		exit(1);
	}
}

static int vm_attr(uint16_t type, uint64_t value)
{
	struct kvm_xen_hvm_attr attr = { .type = type, .u.pad[0] = value };

	return ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

static int vcpu_attr(uint16_t type, uint64_t value)
{
	struct kvm_xen_vcpu_attr attr = { .type = type, .u.pad[0] = value };

	return ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &attr);
}

/* The operations; those that set a value set the same one each time. */
static int do_run(void)
{
	return ioctl(vcpu, KVM_RUN, 0);
}

static int send(void)
{
	struct kvm_irq_routing_xen_evtchn evtchn = {
		.port = 66, .priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL };

	return ioctl(vm, KVM_XEN_HVM_EVTCHN_SEND, &evtchn);
}

#define VM_ATTR(name, type, value)	static int name(void) { return vm_attr(type, value); }
#define VCPU_ATTR(name, type, value)	static int name(void) { return vcpu_attr(type, value); }

VM_ATTR(set_long_mode, KVM_XEN_ATTR_TYPE_LONG_MODE, 1)
VM_ATTR(set_upcall, KVM_XEN_ATTR_TYPE_UPCALL_VECTOR, 0x20)
VM_ATTR(set_version, KVM_XEN_ATTR_TYPE_XEN_VERSION, 0x40010)
VM_ATTR(set_flag, ATTR_RUNSTATE_UPDATE_FLAG, 0)
VM_ATTR(set_shared_info, KVM_XEN_ATTR_TYPE_SHARED_INFO, SHARED_INFO / PAGE)
VM_ATTR(set_shared_info_hva, ATTR_SHARED_INFO_HVA, (uintptr_t)memory + SHARED_INFO)
VM_ATTR(unset_shared_info, KVM_XEN_ATTR_TYPE_SHARED_INFO, INVALID)
VCPU_ATTR(set_vcpu_info, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, VCPU_INFO)
VCPU_ATTR(set_vcpu_info_hva, VCPU_ATTR_VCPU_INFO_HVA, (uintptr_t)memory + VCPU_INFO)
VCPU_ATTR(move_vcpu_info, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, VCPU_INFO_ELSEWHERE)
VCPU_ATTR(unset_vcpu_info, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, INVALID)
VCPU_ATTR(set_time_info, KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, TIME_INFO)
VCPU_ATTR(unset_time_info, KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, INVALID)
VCPU_ATTR(set_runstate, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, RUNSTATE)
VCPU_ATTR(set_across, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, ACROSS)
VCPU_ATTR(unset_runstate, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, INVALID)
VCPU_ATTR(set_vcpu_id, KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID, 0)
VCPU_ATTR(set_vcpu_vector, KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR, 0x20)
VCPU_ATTR(set_timer, KVM_XEN_VCPU_ATTR_TYPE_TIMER, 0)
VCPU_ATTR(set_current, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT, 0)

static int runstate(uint16_t type)
{
	struct kvm_xen_vcpu_attr attr = { .type = type };

	/* DATA has to add up, ADJUST adds nothing. */
	if (type == KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA) {
		attr.u.runstate.state_entry_time = 4000;
		attr.u.runstate.time_running = 1000;
		attr.u.runstate.time_runnable = 1000;
		attr.u.runstate.time_blocked = 1000;
		attr.u.runstate.time_offline = 1000;
	} else {
		attr.u.runstate.state = INVALID;
	}
	return ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &attr);
}

static int set_data(void) { return runstate(KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA); }
static int adjust(void) { return runstate(KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST); }

static int set_evtchn(void)
{
	static bool again;
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_EVTCHN, .u.evtchn.send_port = 1,
		.u.evtchn.type = 2 /* EVTCHNSTAT_interdomain */,
		.u.evtchn.flags = again ? KVM_XEN_EVTCHN_UPDATE : 0,
		.u.evtchn.deliver.port = { .port = 2, .vcpu = 0,
			.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL } };

	again = true;

	return ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

static int set_clock(void)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msrs = { .header.nmsrs = 1, .entry = { .index = 0x4b564d01, .data = CLOCK | 1 } };

	return ioctl(vcpu, KVM_SET_MSRS, &msrs) == 1 ? 0 : -1;
}

static int invalidate(void)
{
	return madvise(outside, PAGE, MADV_DONTNEED);
}

static int invalidate_runstate(void)
{
	return madvise(memory + RUNSTATE, PAGE, MADV_DONTNEED);
}

static int run_all(void)
{
	unsigned int i;

	for (i = 0; i < nr_vcpus; i++)
		if (ioctl(vcpus[i], KVM_RUN, 0))
			return -1;
	return 0;
}

static int set_memslot(uint32_t slot, uint64_t gpa, uint64_t size, void *at, uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)at,
	};

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static int other_memslot(uint32_t flags)
{
	return set_memslot(OTHER_SLOT, 0x10000000, PAGE, outside + PAGE, flags);
}

/* What has to be so before some of them */
static void touch_outside(void)
{
	*(volatile char *)outside = 1;
}

static void not_pending(void)
{
	/* in the shared_info, the vcpu_info and its selector: 64-bit layout */
	memset(memory + SHARED_INFO + 0x800, 0, 16);
	memset(memory + VCPU_INFO, 0, 16);
}

static void zap(unsigned long gpa)
{
	if (madvise(memory + gpa, PAGE, MADV_DONTNEED))
		give_up("madvise");
	*(volatile char *)(memory + gpa) = 0;
}

/* The page is another one, and the event is pending all the same. */
static void zap_shared_info(void)
{
	zap(SHARED_INFO);
	memory[SHARED_INFO + 0x800 + 8] = 1 << 2;
}

static void zap_runstate(void)
{
	zap(RUNSTATE);
}

/*
 * Another memslot's dirty log comes and goes: the generation of the memslots changes,
 * no page does, and the vCPU keeps its page tables, which a memslot that goes would
 * have taken along.
 */
static void change_memslots(void)
{
	must(other_memslot(KVM_MEM_LOG_DIRTY_PAGES), "another memslot");
	must(other_memslot(0), "another memslot");
	/* What the kernel puts off until a grace period has passed is done, then. */
	usleep(10000);
}

/* The vCPU has not run since, which would have refreshed its cache. */
static void vcpu_info_is_stale(void)
{
	zap(VCPU_INFO);
	not_pending();
}

/* So that an unset attribute is set each time before */
static void vcpu_info_is_set(void) { set_vcpu_info(); }
static void time_info_is_set(void) { set_time_info(); }
static void runstate_is_set(void) { set_runstate(); }
static void shared_info_is_set(void) { set_shared_info(); }

/* and the vCPU has page tables */
static void runstate_is_valid(void)
{
	memory[RUNSTATE] = 0;
	must(do_run(), "KVM_RUN");
}

/* add_vcpu() - a vCPU that exits with each KVM_RUN; the first one is that of most rows */
static void add_vcpu(void)
{
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };
	struct kvm_sregs sregs;
	int fd = ioctl(vm, KVM_CREATE_VCPU, nr_vcpus);

	if (fd < 0 || ioctl(fd, KVM_GET_SREGS, &sregs))
		give_up("a vCPU");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(fd, KVM_SET_SREGS, &sregs) || ioctl(fd, KVM_SET_REGS, &regs))
		give_up("the registers");
	vcpus[nr_vcpus++] = fd;
	vcpu = vcpus[0];
}

/* cut_memory() - the guest's memory as so many memslots */
static void cut_memory(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr_slots; i++)
		must(set_memslot(i, 0, 0, NULL, 0), "no memslot");
	for (i = 0; i < nr; i++)
		must(set_memslot(i, i * (MEMORY / nr), MEMORY / nr, memory + i * (MEMORY / nr), 0),
		     "a memslot");
	nr_slots = nr;
}

static char *map(size_t size)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		give_up("mmap");
	return at;
}

/* create_vm() - with one memslot and one vCPU, instead of the one that there was */
static void create_vm(void)
{
	static const char code[] = "\xe6\x10\xeb\xfc";	/* out %al, $0x10; and again */

	while (nr_vcpus)
		close(vcpus[--nr_vcpus]);
	if (memory)
		close(vm);
	else {
		/* What is walked while an invalidation is held open follows the guest's. */
		memory = map(MEMORY + WALK);
		outside = map(2 * PAGE);
	}
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		give_up("a VM");
	must(madvise(memory, MEMORY + WALK, MADV_NOHUGEPAGE), "MADV_NOHUGEPAGE");
	memset(memory, 0, MEMORY);
	memcpy(memory + CODE, code, sizeof(code));
	nr_slots = 0;
	cut_memory(1);
	add_vcpu();
}

static void configure(void)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND |
			 CONFIG_FLAG_UPDATE_FLAG,
		.msr = 0x40000000,
	};

	/* linux-6.1 does not know the flag of the runstate. */
	if (ioctl(vm, KVM_XEN_HVM_CONFIG, &config)) {
		config.flags &= ~CONFIG_FLAG_UPDATE_FLAG;
		must(ioctl(vm, KVM_XEN_HVM_CONFIG, &config), "KVM_XEN_HVM_CONFIG");
	}
	must(set_long_mode(), "LONG_MODE");
}

static void runs(void)
{
	create_vm();
	row(do_run, NULL, "KVM_RUN, no Xen");
	configure();
	row(do_run, NULL, "KVM_RUN, Xen without areas");
	must(set_vcpu_info(), "VCPU_INFO");
	row(do_run, NULL, "KVM_RUN, vcpu_info: a check that hits");
	must(set_time_info(), "VCPU_TIME_INFO");
	row(do_run, NULL, "KVM_RUN, vcpu_info and time_info");
	must(set_runstate(), "RUNSTATE_ADDR");
	row(do_run, NULL, "KVM_RUN, these and runstate");
	row(do_run, zap_runstate, "KVM_RUN, these, runstate page invalidated");
	row(do_run, change_memslots, "KVM_RUN, these, memslots changed");
	if (set_across())
		row(set_across, NULL, "KVM_RUN, these, runstate across pages");
	else
		row(do_run, NULL, "KVM_RUN, these, runstate across pages");
	must(set_runstate(), "RUNSTATE_ADDR");
	must(set_vcpu_info(), "VCPU_INFO");
}

static void events(void)
{
	must(set_shared_info(), "SHARED_INFO");
	row(send, not_pending, "event, delivered");
	row(send, vcpu_info_is_stale, "event, vcpu_info not valid: a check that misses");
	must(do_run(), "KVM_RUN");
	row(send, NULL, "event, pending already: a check that hits");
	row(send, change_memslots, "event, pending, memslots changed: refresh without a lookup");
	row(send, zap_shared_info, "event, pending, page invalidated: refresh with a lookup");
}

static void attributes(void)
{
	row(set_long_mode, NULL, "SET LONG_MODE");
	row(set_shared_info, NULL, "SET SHARED_INFO, as it is: refresh without change");
	row(set_shared_info_hva, NULL, "SET SHARED_INFO_HVA, as it is");
	row(unset_shared_info, shared_info_is_set, "unset SHARED_INFO");
	must(set_shared_info(), "SHARED_INFO");
	row(set_upcall, NULL, "SET UPCALL_VECTOR");
	row(set_version, NULL, "SET XEN_VERSION");
	row(set_flag, NULL, "SET RUNSTATE_UPDATE_FLAG");
	row(set_evtchn, NULL, "SET EVTCHN, update");
	row(set_vcpu_info, NULL, "SET VCPU_INFO, as it is: refresh without change");
	row(set_vcpu_info_hva, NULL, "SET VCPU_INFO_HVA, as it is");
	row(move_vcpu_info, vcpu_info_is_set, "SET VCPU_INFO, in another page");
	row(unset_vcpu_info, vcpu_info_is_set, "unset VCPU_INFO");
	must(set_vcpu_info(), "VCPU_INFO");
	row(set_time_info, NULL, "SET VCPU_TIME_INFO, as it is");
	row(unset_time_info, time_info_is_set, "unset VCPU_TIME_INFO");
	must(set_time_info(), "VCPU_TIME_INFO");
	row(set_current, NULL, "SET RUNSTATE_CURRENT");
	row(set_data, NULL, "SET RUNSTATE_DATA");
	row(adjust, NULL, "SET RUNSTATE_ADJUST");
	row(set_runstate, NULL, "SET RUNSTATE_ADDR, as it is");
	row(set_across, NULL, "SET RUNSTATE_ADDR, across pages, as it is");
	row(unset_runstate, runstate_is_set, "unset RUNSTATE_ADDR");
	row(set_vcpu_id, NULL, "SET VCPU_ID");
	row(set_timer, NULL, "SET TIMER, none");
	row(set_vcpu_vector, NULL, "SET UPCALL_VECTOR of a vCPU");
	row(set_clock, NULL, "SET MSR_KVM_SYSTEM_TIME_NEW, as it is");
}

/* set_areas() - those of vCPU @first up to, but not, @end; or take them away */
static void set_areas(unsigned int first, unsigned int end, bool set)
{
	static const uint16_t types[AREAS] = {
		KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO,
		KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR };
	/* Those of the first vCPU are where the operations have them. */
	static const uint64_t first_areas[AREAS] = { VCPU_INFO, TIME_INFO, RUNSTATE };
	unsigned int i, n;

	for (i = first; i < end; i++) {
		vcpu = vcpus[i];
		for (n = 0; n < AREAS; n++) {
			uint64_t gpa = i ? MORE_AREAS + (i * AREAS + n) * 256 : first_areas[n];

			must(vcpu_attr(types[n], set ? gpa : INVALID), "an area of many");
		}
	}
	vcpu = vcpus[0];
}

/* Rows of MANY_VCPUS, which have all their areas */
static void many_caches(void)
{
	row(set_vcpu_info, NULL, "SET VCPU_INFO, as it is, 768 caches");
	row(move_vcpu_info, vcpu_info_is_set, "SET VCPU_INFO, in another page, 768 caches");
	must(set_vcpu_info(), "VCPU_INFO");
	row(do_run, zap_runstate, "KVM_RUN, runstate page invalidated, 768 caches");
	must(set_shared_info(), "SHARED_INFO");
	row(send, zap_shared_info, "event, pending, page invalidated, 768 caches");
	must(unset_shared_info(), "no SHARED_INFO");

	set_areas(MANY_VCPUS / 2, MANY_VCPUS, false);
	row(invalidate, touch_outside, "invalidation of an unrelated page, 384 of 768 caches active");
	cut_memory(MANY_SLOTS);
	set_areas(0, MANY_VCPUS, true);
	row(invalidate, touch_outside, "invalidation of an unrelated page, 768 caches, %lu memslots",
	    MANY_SLOTS);
	row(invalidate_runstate, runstate_is_valid,
	    "invalidation of the page of one, 768 caches, %lu memslots", MANY_SLOTS);

	nr_runs = HEAVY_RUNS;
	row(run_all, NULL, "KVM_RUN of 256 vCPUs, 768 caches");
	row(run_all, change_memslots, "KVM_RUN of 256 vCPUs, 768 caches, a memslot of %lu changed",
	    MANY_SLOTS);
	nr_runs = RUNS;
	cut_memory(1);
	set_areas(0, MANY_VCPUS, true);
}

static void invalidations(void)
{
	static const unsigned int counts[] = { 0, 1, 16, 64, MANY_VCPUS, MAX_VCPUS };
	unsigned int i, n = 0;

	create_vm();
	configure();
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		while (nr_vcpus < counts[i])
			add_vcpu();
		set_areas(n, counts[i], true);
		n = counts[i];
		row(invalidate, touch_outside, "invalidation of an unrelated page, %u caches", AREAS * n);
		if (n == 1 || n == MANY_VCPUS) {
			row(invalidate_runstate, runstate_is_valid,
			    "invalidation of the page of one, %u caches", AREAS * n);
			runstate_is_valid();
		}
		if (n == MANY_VCPUS)
			many_caches();
	}
}

/*
 * An invalidation that is held open: a thread of low priority walks the page tables of
 * WALK bytes for MADV_FREE, which is all between the start and the end of the notifier,
 * and the measured thread, which is a real-time one, preempts it there.  A refresh that
 * spins would do so for ever; a third thread, of a higher priority, lets the first one go
 * on after more than HELD instructions, and no row counts more than HELD.  A refresh
 * that sleeps lets the first one go on by itself.
 */
static struct {
	char *from;
	void (*before)(void);
	pthread_t holder, timer;
	sem_t open, closed, start, over;
	volatile bool is_open;
} held;

static void set_priority(pthread_t thread, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	errno = pthread_setschedparam(thread, priority ? SCHED_FIFO : SCHED_OTHER, &param);
	must(errno, "a priority");
}

static void sleep_for(long ns)
{
	struct timespec time = { .tv_nsec = ns };

	nanosleep(&time, NULL);
}

static void *hold(void *unused)
{
	for (;;) {
		sem_wait(&held.open);
		held.is_open = true;
		if (madvise(held.from, (size_t)(memory + MEMORY + WALK - held.from), MADV_FREE))
			give_up("MADV_FREE");
		held.is_open = false;
		sem_post(&held.closed);
	}
	return unused;
}

static void *end_in_time(void *unused)
{
	for (;;) {
		sem_wait(&held.start);
		sleep_for(HELD + HELD / 10);
		set_priority(held.holder, 2);
		sem_post(&held.over);
	}
	return unused;
}

static void open_it(void)
{
	unsigned int tries;

	held.before();
	sem_post(&held.open);
	/* The kernel's own threads may have something to do first. */
	for (tries = 0; !held.is_open && tries < 100; tries++)
		sleep_for(REACHED);
	sleep_for(REACHED);
	errno = ETIME;
	must(!held.is_open, "the invalidation that was to be held open");
	sem_post(&held.start);
}

static void close_it(void)
{
	sem_wait(&held.over);
	sem_wait(&held.closed);
	set_priority(held.holder, 0);
}

static void row_held(int (*op)(void), void (*before)(void), unsigned long from, const char *what)
{
	held.before = before;
	held.from = memory + from;
	row(op, open_it, "%s open for %ld", what, HELD);
}

static void create_thread(pthread_t *thread, void *(*run)(void *), sem_t *go, sem_t *done)
{
	sem_init(go, 0, 0);
	sem_init(done, 0, 0);
	errno = pthread_create(thread, NULL, run, NULL);
	must(errno, "a thread");
	/* It has begun and waits, then. */
	usleep(10000);
}

static void held_open(void)
{
	unsigned long page;

	create_vm();
	configure();
	set_areas(0, 1, true);
	must(set_shared_info(), "SHARED_INFO");
	must(do_run(), "KVM_RUN");
	for (page = MEMORY; page < MEMORY + WALK; page += TABLE)
		(void)*(volatile char *)(memory + page);
	create_thread(&held.holder, hold, &held.open, &held.closed);
	create_thread(&held.timer, end_in_time, &held.start, &held.over);
	set_priority(held.timer, 3);
	set_priority(pthread_self(), 1);
	count_by(cpu_time);
	at_most = HELD;
	after = close_it;
	row_held(send, not_pending, MEMORY, "event, delivered, unrelated invalidation");
	row_held(send, zap_shared_info, MEMORY, "event, page invalidated, unrelated one");
	/* This one has to wait, which shows that it is open. */
	row_held(send, zap_shared_info, SHARED_INFO, "event, page invalidated, that one");
	row_held(do_run, zap_runstate, MEMORY, "KVM_RUN, runstate invalidated, unrelated one");
}

int main(void)
{
	/* One file a vCPU, and then some */
	struct rlimit files = { MAX_VCPUS + 64, MAX_VCPUS + 64 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
	count_by(tsc);
	if (setrlimit(RLIMIT_NOFILE, &files))
		give_up("setrlimit");
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		give_up("/dev/kvm");
	runs();
	events();
	attributes();
	invalidations();
	/* Last, as with more than one thread every file takes longer to find. */
	held_open();
	/* Nobody knows the number of rows better, and a plan may come last. */
	printf("1..%u\n", nr_rows);
	return 0;
}
