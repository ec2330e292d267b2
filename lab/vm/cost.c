// SPDX-License-Identifier: GPL-2.0
/*
 * cost.c - what KVM's Xen interface costs, in instructions
 *
 * For a machine that counts its instructions with the TSC: QEMU's -icount shift=0,
 * with one CPU.  Each row is the most frequent of many counts, and has to be that of
 * more than half of them: an interrupt or a refilled list disturbs a few.  The same
 * kernel then gives the same figure at each boot, and scripts/bench.sh insists on that.
 *
 * Reports in KTAP, with a line "# cost FIGURE WHAT" ahead of each result; a row that
 * this kernel refuses has the figure "-".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
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
#define MAX_VCPUS	256

/* Where in the guest's memory things are, in bytes */
#define CODE		0x0000UL
#define VCPU_INFO	0x2000UL
#define TIME_INFO	0x2400UL
#define SHARED_INFO	0x4000UL
#define CLOCK		0x5000UL
#define RUNSTATE	0x3000UL
#define ACROSS		0x7fe0UL	/* a runstate area in two pages */
#define MORE_AREAS	0x10000UL	/* 256 bytes a vCPU, for each of three areas */
#define MEMORY		(MORE_AREAS + 3 * MAX_VCPUS * 256)

static int kvm, vm, vcpu;
static struct kvm_run *run;
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

/*
 * count() - what one call of @op costs, after an uncounted one of @before: 0 if it is
 * refused; @often is how many of RUNS calls cost that
 */
static uint64_t count(int (*op)(void), void (*before)(void), int *often)
{
	static uint64_t costs[RUNS];
	uint64_t start, most = 0;
	int i, first;

	for (i = 0; i < RUNS; i++) {
		if (before)
			before();
		start = __rdtsc();
		if (op() < 0)
			return 0;
		costs[i] = __rdtsc() - start;
	}
	qsort(costs, RUNS, sizeof(costs[0]), compare);
	*often = 0;
	for (i = 0, first = 0; i < RUNS; i++) {
		if (costs[i] != costs[first])
			first = i;
		if (i - first + 1 > *often) {
			*often = i - first + 1;
			most = costs[i];
		}
	}
	return most;
}

static uint64_t nothing_costs;

static int nothing(void)
{
	return 0;
}

/* row() - measure and report one */
static void row(const char *what, int (*op)(void), void (*before)(void))
{
	int often = RUNS;
	uint64_t cost = count(op, before, &often);

	if (cost)
		printf("# cost %llu %s\n", (unsigned long long)(cost - nothing_costs), what);
	else
		printf("# cost - %s\n", what);
	printf("%s %u %s\n", often > RUNS / 2 ? "ok" : "not ok", ++nr_rows, what);
}

/* So many instructions, and two more around them */
static int thousand(void)
{
	unsigned int n = 500;

	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n));
	return 0;
}

static void check_clock(void)
{
	uint64_t cost;
	int often;

	nothing_costs = count(nothing, NULL, &often);
	cost = count(thousand, NULL, &often) - nothing_costs;
	/* The call of an empty function and its constant are not the same. */
	if (cost < 1000 || cost > 1010) {
		printf("Bail out! the TSC says %llu for 1000 instructions; it has to count them\n",
		       (unsigned long long)cost);
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
	struct kvm_userspace_memory_region region = {
		.slot = 1,
		.guest_phys_addr = 0x10000000,
		.memory_size = PAGE,
		.userspace_addr = (uintptr_t)outside + PAGE,
	};
	static const uint32_t flags[] = { KVM_MEM_LOG_DIRTY_PAGES, 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		region.flags = flags[i];
		if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
			give_up("another memslot");
	}
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

static void create_vm(void)
{
	static const char code[] = "\xe6\x10\xeb\xfc";	/* out %al, $0x10; and again */
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };
	struct kvm_regs regs = { .rip = CODE, .rflags = 2 };
	struct kvm_sregs sregs;
	int size;

	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	outside = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm < 0 || memory == MAP_FAILED || outside == MAP_FAILED)
		give_up("a VM");
	memset(memory, 0, MEMORY);
	memcpy(memory + CODE, code, sizeof(code));
	region.userspace_addr = (uintptr_t)memory;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
		give_up("KVM_SET_USER_MEMORY_REGION");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (vcpu < 0 || size < 0 || run == MAP_FAILED)
		give_up("a vCPU");
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		give_up("KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
		give_up("the registers");
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
	row("KVM_RUN, no Xen", do_run, NULL);
	configure();
	row("KVM_RUN, Xen without areas", do_run, NULL);
	must(set_vcpu_info(), "VCPU_INFO");
	row("KVM_RUN, vcpu_info: a check that hits", do_run, NULL);
	must(set_time_info(), "VCPU_TIME_INFO");
	row("KVM_RUN, vcpu_info and time_info", do_run, NULL);
	must(set_runstate(), "RUNSTATE_ADDR");
	row("KVM_RUN, these and runstate", do_run, NULL);
	row("KVM_RUN, these, runstate page invalidated", do_run, zap_runstate);
	row("KVM_RUN, these, memslots changed", do_run, change_memslots);
	if (set_across())
		row("KVM_RUN, these, runstate across pages", set_across, NULL);
	else
		row("KVM_RUN, these, runstate across pages", do_run, NULL);
	must(set_runstate(), "RUNSTATE_ADDR");
	must(set_vcpu_info(), "VCPU_INFO");
}

static void events(void)
{
	must(set_shared_info(), "SHARED_INFO");
	row("event, delivered", send, not_pending);
	row("event, vcpu_info not valid: a check that misses", send, vcpu_info_is_stale);
	must(do_run(), "KVM_RUN");
	row("event, pending already: a check that hits", send, NULL);
	row("event, pending, memslots changed: refresh without a lookup", send, change_memslots);
	row("event, pending, page invalidated: refresh with a lookup", send, zap_shared_info);
}

static void attributes(void)
{
	row("SET LONG_MODE", set_long_mode, NULL);
	row("SET SHARED_INFO, as it is: refresh without change", set_shared_info, NULL);
	row("SET SHARED_INFO_HVA, as it is", set_shared_info_hva, NULL);
	row("unset SHARED_INFO", unset_shared_info, shared_info_is_set);
	must(set_shared_info(), "SHARED_INFO");
	row("SET UPCALL_VECTOR", set_upcall, NULL);
	row("SET XEN_VERSION", set_version, NULL);
	row("SET RUNSTATE_UPDATE_FLAG", set_flag, NULL);
	row("SET EVTCHN, update", set_evtchn, NULL);
	row("SET VCPU_INFO, as it is: refresh without change", set_vcpu_info, NULL);
	row("SET VCPU_INFO_HVA, as it is", set_vcpu_info_hva, NULL);
	row("unset VCPU_INFO", unset_vcpu_info, vcpu_info_is_set);
	must(set_vcpu_info(), "VCPU_INFO");
	row("SET VCPU_TIME_INFO, as it is", set_time_info, NULL);
	row("unset VCPU_TIME_INFO", unset_time_info, time_info_is_set);
	must(set_time_info(), "VCPU_TIME_INFO");
	row("SET RUNSTATE_CURRENT", set_current, NULL);
	row("SET RUNSTATE_DATA", set_data, NULL);
	row("SET RUNSTATE_ADJUST", adjust, NULL);
	row("SET RUNSTATE_ADDR, as it is", set_runstate, NULL);
	row("SET RUNSTATE_ADDR, across pages, as it is", set_across, NULL);
	row("unset RUNSTATE_ADDR", unset_runstate, runstate_is_set);
	row("SET VCPU_ID", set_vcpu_id, NULL);
	row("SET TIMER, none", set_timer, NULL);
	row("SET UPCALL_VECTOR of a vCPU", set_vcpu_vector, NULL);
	row("SET MSR_KVM_SYSTEM_TIME_NEW, as it is", set_clock, NULL);
}

/* The three areas of vCPU number @i */
static void add_areas(unsigned int i)
{
	const uint16_t types[] = {
		KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO,
		KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR };
	size_t n;

	for (n = 0; n < ARRAY_SIZE(types); n++)
		must(vcpu_attr(types[n], MORE_AREAS + (i * ARRAY_SIZE(types) + n) * 256),
		     "an area of many");
}

static void invalidations(void)
{
	static const unsigned int nr_vcpus[] = { 0, 1, 16, 64, MAX_VCPUS };
	unsigned int i, n = 0;
	char what[64];

	create_vm();
	configure();
	for (i = 0; i < ARRAY_SIZE(nr_vcpus); i++) {
		for (; n < nr_vcpus[i]; n++) {
			if (n)
				vcpu = ioctl(vm, KVM_CREATE_VCPU, n);
			if (vcpu < 0)
				give_up("one vCPU of many");
			add_areas(n);
		}
		snprintf(what, sizeof(what), "invalidation of an unrelated page, %u caches", 3 * n);
		row(what, invalidate, touch_outside);
	}
}

int main(void)
{
	/* One file a vCPU, and then some */
	struct rlimit files = { 2 * MAX_VCPUS, 2 * MAX_VCPUS };

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
	check_clock();
	if (setrlimit(RLIMIT_NOFILE, &files))
		give_up("setrlimit");
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		give_up("/dev/kvm");
	create_vm();
	runs();
	events();
	attributes();
	invalidations();
	/* Nobody knows the number of rows better, and a plan may come last. */
	printf("1..%u\n", nr_rows);
	return 0;
}
