// SPDX-License-Identifier: GPL-2.0
/*
 * stress.c - random use of KVM's Xen interface from many threads at once
 *
 *	stress SEED SECONDS[@ROUND] PHASE...
 *
 * A round is the life of one VM: vCPUs that run, threads that set, get and unset
 * attributes, send events, change memslots and take the backing memory away.  What a
 * thread does next depends on SEED, the round and the thread alone, so @ROUND does
 * one round again; how the threads meet is up to the machine, so again and again until a
 * problem shows.  That is reported with the command line of the lab for its round.
 *
 * Phases, one KTAP result each:
 *   plain      rounds until SECONDS are over
 *   timers     plain, with Xen timers
 *   ports      plain, but all that goes on is about a few event channels
 *   many       some hundred caches of vCPUs that never run, in memory that storms of
 *              invalidations go over
 *   failing    plain, while allocations fail at random
 *   each       each allocation of each operation fails once, in turn
 *   leaks      kmemleak has nothing to say about all that
 *   watched    KCSAN was awake: it has watched accesses
 *   locks      lockdep is awake: it switches itself off at its first report
 *
 * An operation may fail, but with an errno that makes sense, and KVM must write only
 * where an area was set: page 0 and a range of guard pages stay as they are.  Nor does a
 * guest get an interrupt that nobody sends, or a vCPU times that no clock can have.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* Older C libraries have it by this name only. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id	_sigev_un._tid
#endif

/* Newer than the headers that this may be built with: Documentation/virt/kvm/api.rst */
#define CONFIG_FLAG_UPDATE_FLAG		(1 << 6)
#define CONFIG_FLAG_TSC_UNSTABLE	(1 << 7)
#define ATTR_RUNSTATE_UPDATE_FLAG	5
#define ATTR_SHARED_INFO_HVA		6
#define VCPU_ATTR_VCPU_INFO_HVA		9

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define STRING_OF(a)	#a
#define STRING(a)	STRING_OF(a)
#define PAGE		4096UL
#define INVALID		(~0ULL)

/*
 * The guest's memory: slot 0 never moves.  Areas are in pages 1 to 15; KVM has no
 * business in page 0 and the guard.
 *
 * Each vCPU has pages of its own for its areas, and so has the VM: two owners that write
 * to the same page would race on guest memory, and nobody could tell that from a race on
 * what KVM keeps about it.  An area may begin in all of an owner's pages but the last.
 */
#define MEMORY_PAGES	64
#define FIRST_AREA	1
#define NR_AREAS	15
#define AREAS_EACH	(NR_AREAS / (NR_VCPUS + 1))
#define FIRST_GUARD	16
#define NR_GUARDS	16
#define CODE_PAGE	48	/* and one for each other vCPU: a mailbox, code, a stack */
#define CODE_OFFSET	64
#define STACK		0xff0
#define IVT_PAGE	56
/* Slot 1 comes and goes, here or there; the last owner's areas may reach behind its end. */
#define SLOT1_PAGES	8
#define SLOT1_EACH	3
#define SLOT1_GFN	0x100
#define SLOT1_GFN_MOVED	0x200
/* Memory of the process for areas by userspace address */
#define OTHER_PAGES	9
#define OTHER_EACH	(OTHER_PAGES / (NR_VCPUS + 1))

/* Slot 2, in the phase many: a page for each vCPU that never runs, and one to reach into */
#define NR_STILL	62
#define STILL_PAGES	(NR_STILL + 1)
#define STILL_GFN	0x300

#define NR_VCPUS	2
#define VM_OWNS		NR_VCPUS	/* an owner next to the vCPUs */
#define OPS_PER_ROUND	120	/* of each thread */
#define OPS_OF_MANY	2400	/* of each in the phase many, where a VM takes longer to create */
#define NR_PORTS	2	/* in the phase ports */
#define MSR_HYPERCALL	0x40000000
/* What KVM has injected for an upcall that is gone: nobody sends it. */
#define NO_VECTOR	0xff
/* How long a vCPU sleeps at most, if nothing else wakes it, in ns */
#define TICK		5000000

/* Registers of a local APIC, as offsets in its page */
#define APIC_TPR	0x80
#define APIC_SPIV	0xf0
#define APIC_LVTT	0x320
#define APIC_TMICT	0x380

/* Numbers of hypercalls and of their commands, from Xen's public headers */
#define HYPERVISOR_set_timer_op		15
#define HYPERVISOR_vcpu_op		24
#define HYPERVISOR_sched_op		29
#define HYPERVISOR_event_channel_op	32
#define HYPERVISOR_none			63	/* userspace gets it */
#define EVTCHNOP_send			4
#define SCHEDOP_poll			3
#define VCPUOP_stop_singleshot_timer	9
#define EVTCHNSTAT_interdomain		2

enum kind {
	RUN_VCPU, SET_ATTRS, SEND_EVENTS, CHANGE_MEMORY, CHANGE_PORTS, SET_STILL, SEND_STILL, STORM,
};

#define NR_THREADS	6
static const enum kind kinds[NR_THREADS] = {
	RUN_VCPU, RUN_VCPU, SET_ATTRS, SET_ATTRS, SEND_EVENTS, CHANGE_MEMORY,
};

static const enum kind kinds_of_many[NR_THREADS] = {
	RUN_VCPU, RUN_VCPU, SET_STILL, SEND_STILL, STORM, STORM,
};

struct vm {
	int fd;
	int vcpu[NR_VCPUS];
	struct kvm_run *run[NR_VCPUS];
	uint32_t hypercall_msr;
	int still[NR_STILL];
	uint8_t *memory, *slot1, *other, *slot2;
	int event;		/* an eventfd, for events that the guest sends */
};

struct thread {
	pthread_t id;
	unsigned int nr;
	uint64_t random;
	struct vm *vm;
};

static int kvm;
static size_t run_size;
static uint64_t seed;
static long round_nr;
static bool in_round;
static double seconds;		/* of a phase */
static long only = -1;		/* the round that was asked for */
static char **phases;
static int phase;		/* that of the moment */
static bool timers, ports, many, failing;
static atomic_uint nr_problems;
static atomic_ulong nr_ops, nr_enomem;
static unsigned int nr_result;

/*
 * print_again() - the command that does it again, for the lab's kernels say which they are:
 * the round, or else all phases up to here
 */
static void print_again(void)
{
	char kernel[16], kind[16] = "plain";
	int major, minor, i = in_round ? phase : 0;
	struct utsname uts;

	uname(&uts);
	if (sscanf(uts.release, "%d.%d.%*d-%15[a-z]-%15[a-z]", &major, &minor, kernel, kind) < 3 ||
	    (strcmp(kernel, "stock") && strcmp(kernel, "patched")))
		printf("stress %llu", (unsigned long long)seed);
	else
		printf("make debug BASE=%d.%d KERNEL=%s KIND=%s SEED=%llu", major, minor, kernel,
		       kind, (unsigned long long)seed);
	if (in_round || only >= 0)
		printf(" ROUND=%ld", in_round ? round_nr : only);
	else
		printf(" SECONDS=%.0f", seconds);
	for (printf(" PHASES=\""); i <= phase; i++)
		printf("%s%s", phases[i], i < phase ? " " : "\"\n");
}

/* problem() - a line of the report that fails the phase; three of a kind are enough to read */
__attribute__((format(printf, 1, 2)))
static void problem(const char *fmt, ...)
{
	static struct {
		const char *fmt;
		unsigned int nr;
	} kinds_of_problem[32];
	unsigned int i = 0;
	va_list args;

	nr_problems++;
	flockfile(stdout);
	while (kinds_of_problem[i].fmt && kinds_of_problem[i].fmt != fmt)
		i++;
	kinds_of_problem[i].fmt = fmt;
	if (kinds_of_problem[i].nr++ < 3) {
		printf("# ");
		va_start(args, fmt);
		vprintf(fmt, args);
		va_end(args);
		printf("; again with: ");
		print_again();
		fflush(stdout);
	}
	funlockfile(stdout);
}

/* give_up() - something that is not under test does not work */
__attribute__((noreturn))
static void give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* next() - splitmix64, good enough and one word of state */
static uint64_t next(struct thread *t)
{
	uint64_t z = t->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static uint64_t pick(struct thread *t, uint64_t n)
{
	return next(t) % n;
}

/* check_errno() - count an operation; its failure has to have one of these reasons */
static int check_errno(int ret, const char *what)
{
	static const int good[] = {
		EINVAL, EFAULT, ENOENT, EEXIST, EOPNOTSUPP, ENOTTY, EAGAIN, EINTR, ENXIO,
		E2BIG, EBADF, EBUSY, EPERM, ENOTCONN,
	};
	size_t i;

	nr_ops++;
	if (ret >= 0)
		return ret;
	if (errno == ENOMEM && failing) {
		nr_enomem++;
		return ret;
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		if (errno == good[i])
			return ret;
	}
	problem("%s: %s", what, strerror(errno));
	return ret;
}

/* Within a page: anywhere, but more often around its end */
static uint64_t pick_offset(struct thread *t)
{
	return pick(t, 2) ? pick(t, PAGE) : PAGE - 1 - pick(t, 80);
}

/* pick_page() - one of @owner's pages, but the last, where each owner has @each of them */
static uint64_t pick_page(struct thread *t, unsigned int owner, unsigned int each)
{
	return owner * each + pick(t, each - 1);
}

/* pick_gpa() - where an area is good, or crosses a page, or is in no memory at all */
static uint64_t pick_gpa(struct thread *t, unsigned int owner)
{
	uint64_t gpa;

	switch (pick(t, 8)) {
	case 0:
		return INVALID;
	case 1:
		return (SLOT1_GFN + pick_page(t, owner, SLOT1_EACH)) * PAGE + pick_offset(t);
	case 2:
		return (SLOT1_GFN_MOVED + pick_page(t, owner, SLOT1_EACH)) * PAGE + pick_offset(t);
	case 3:
		gpa = next(t) >> pick(t, 40);
		/* Never by chance where KVM has no business, or in another's pages */
		return gpa < (SLOT1_GFN_MOVED + SLOT1_PAGES) * PAGE ? INVALID - 1 : gpa;
	default:
		return (FIRST_AREA + pick_page(t, owner, AREAS_EACH)) * PAGE +
		       (pick(t, 2) ? pick(t, 512) * 8 : pick_offset(t));
	}
}

static uint64_t pick_hva(struct thread *t, unsigned int owner)
{
	switch (pick(t, 6)) {
	case 0:
		return 0;
	case 1:
		return next(t) | 1ULL << 47;
	case 2:
		/* A page of areas, behind the memslots' back */
		return (uintptr_t)t->vm->memory + (FIRST_AREA + owner * AREAS_EACH) * PAGE +
		       pick_offset(t);
	default:
		return (uintptr_t)t->vm->other + pick_page(t, owner, OTHER_EACH) * PAGE +
		       (pick(t, 2) ? 0 : pick_offset(t));
	}
}

static void set_vm_attr(struct thread *t)
{
	struct kvm_xen_hvm_attr attr = { .type = pick(t, ATTR_SHARED_INFO_HVA + 2) };
	bool get = !pick(t, 3);

	switch (attr.type) {
	case KVM_XEN_ATTR_TYPE_LONG_MODE:
		attr.u.long_mode = pick(t, 2);
		break;
	case KVM_XEN_ATTR_TYPE_SHARED_INFO:
		attr.u.shared_info.gfn = pick(t, 4) ?
			FIRST_AREA + pick_page(t, VM_OWNS, AREAS_EACH) :
			pick_gpa(t, VM_OWNS) / PAGE;
		if (!pick(t, 4))
			attr.u.shared_info.gfn = INVALID;
		break;
	case KVM_XEN_ATTR_TYPE_UPCALL_VECTOR:
		attr.u.vector = pick(t, 2) ? pick(t, NO_VECTOR) : 0;
		break;
	case KVM_XEN_ATTR_TYPE_EVTCHN:
		attr.u.evtchn.send_port = pick(t, 8);
		attr.u.evtchn.type = pick(t, 3);
		attr.u.evtchn.flags = pick(t, 2) ? 0 : 1 << pick(t, 4);
		if (pick(t, 2)) {
			attr.u.evtchn.deliver.eventfd.fd = t->vm->event;
		} else {
			attr.u.evtchn.deliver.port.port = pick(t, 8);
			attr.u.evtchn.deliver.port.vcpu = pick(t, NR_VCPUS + 1);
			attr.u.evtchn.deliver.port.priority = pick(t, 2) - 1;
		}
		break;
	case ATTR_SHARED_INFO_HVA:
		attr.u.shared_info.gfn = pick_hva(t, VM_OWNS) & ~(PAGE - 1);
		break;
	default:
		attr.u.xen_version = next(t);
		break;
	}
	if (get)
		check_errno(ioctl(t->vm->fd, KVM_XEN_HVM_GET_ATTR, &attr), "KVM_XEN_HVM_GET_ATTR");
	else
		check_errno(ioctl(t->vm->fd, KVM_XEN_HVM_SET_ATTR, &attr), "KVM_XEN_HVM_SET_ATTR");
}

/* change_port() - so that each change but the last one is about an event channel that is there */
static void change_port(struct thread *t)
{
	static const uint32_t flags[] = {
		0, KVM_XEN_EVTCHN_UPDATE, KVM_XEN_EVTCHN_UPDATE, KVM_XEN_EVTCHN_DEASSIGN,
	};
	struct kvm_xen_hvm_attr attr = { .type = KVM_XEN_ATTR_TYPE_EVTCHN };

	attr.u.evtchn.send_port = 1 + pick(t, NR_PORTS);
	attr.u.evtchn.type = EVTCHNSTAT_interdomain;
	attr.u.evtchn.flags = flags[pick(t, ARRAY_SIZE(flags))];
	attr.u.evtchn.deliver.port.port = 1;
	attr.u.evtchn.deliver.port.vcpu = pick(t, NR_VCPUS + 1);
	attr.u.evtchn.deliver.port.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
	check_errno(ioctl(t->vm->fd, KVM_XEN_HVM_SET_ATTR, &attr), "KVM_XEN_HVM_SET_ATTR");
}

/*
 * has_own_times() - does userspace keep to times that a clock can have in this round?  Then
 * KVM has to, too, whatever becomes of the clock.
 */
static bool has_own_times(void)
{
	return round_nr % 2;
}

/* Times that add up, or do not */
static void pick_runstate(struct thread *t, struct kvm_xen_vcpu_attr *attr)
{
	__u64 *time = &attr->u.runstate.time_running;
	bool own = has_own_times();
	unsigned int i;

	attr->u.runstate.state = pick(t, own ? 4 : 6);
	if (!pick(t, 8))
		attr->u.runstate.state = INVALID;
	for (i = 0; i < 4; i++)
		time[i] = own || pick(t, 4) ? pick(t, 1000000) : next(t);
	if (own && attr->type == KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST)
		memset(time, 0, 4 * sizeof(*time));
	attr->u.runstate.state_entry_time = own || pick(t, 2) ?
		time[0] + time[1] + time[2] + time[3] : next(t);
}

/* check_runstate() - no state has lasted longer than all of them, which add up */
static void check_runstate(const struct kvm_xen_vcpu_attr *attr)
{
	const __u64 *time = &attr->u.runstate.time_running;
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (time[i] > attr->u.runstate.state_entry_time)
			problem("time %u of a runstate is %lld of %lld ns", i, (long long)time[i],
				(long long)attr->u.runstate.state_entry_time);
		sum += time[i];
	}
	if (sum != attr->u.runstate.state_entry_time)
		problem("the times of a runstate are %lld ns, and not %lld ns", (long long)sum,
			(long long)attr->u.runstate.state_entry_time);
}

static void set_vcpu_attr(struct thread *t)
{
	struct kvm_xen_vcpu_attr attr = { .type = pick(t, VCPU_ATTR_VCPU_INFO_HVA + 2) };
	unsigned int vcpu = pick(t, NR_VCPUS);
	int fd = t->vm->vcpu[vcpu];
	bool get = !pick(t, 4);

	switch (attr.type) {
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO:
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO:
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR:
		attr.u.gpa = pick_gpa(t, vcpu);
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT:
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA:
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST:
		pick_runstate(t, &attr);
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_TIMER:
		attr.u.timer.port = pick(t, 3) ? pick(t, 64) : 0;
		attr.u.timer.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
		attr.u.timer.expires_ns = pick(t, 2) ? pick(t, 1000000000) : 0;
		if (!timers)
			return;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR:
		attr.u.vector = pick(t, NO_VECTOR);
		break;
	case VCPU_ATTR_VCPU_INFO_HVA:
		attr.u.gpa = pick_hva(t, vcpu);
		break;
	default:
		attr.u.vcpu_id = pick(t, 4) ? pick(t, NR_VCPUS) : next(t);
		break;
	}
	if (!get)
		check_errno(ioctl(fd, KVM_XEN_VCPU_SET_ATTR, &attr), "KVM_XEN_VCPU_SET_ATTR");
	else if (!check_errno(ioctl(fd, KVM_XEN_VCPU_GET_ATTR, &attr), "KVM_XEN_VCPU_GET_ATTR") &&
		 attr.type == KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA && has_own_times())
		check_runstate(&attr);
}

/* An address for the guest clock: enabled or not, good or bad, and aligned or not */
static uint64_t pick_clock(struct thread *t, unsigned int vcpu)
{
	uint64_t gpa = pick_gpa(t, vcpu);

	if (gpa == INVALID)
		return 0;
	return pick(t, 4) ? (gpa & ~3ULL) | 1 : gpa;
}

/* pick_msr() - one of those that make KVM write to guest memory, or set the guest's clock */
static uint32_t pick_msr(struct thread *t, unsigned int vcpu, uint64_t *value)
{
	const uint32_t msrs[] = {
		0x10,				/* TSC */
		0x11, 0x4b564d00,		/* wall clock */
		0x12, 0x4b564d01,		/* system time */
		0x12, 0x4b564d01,
		t->vm->hypercall_msr,
	};
	uint32_t msr = msrs[pick(t, ARRAY_SIZE(msrs))];

	*value = pick_clock(t, vcpu);
	/* These two write at once and wherever the address is: not behind an area's page. */
	if (msr == 0x11 || msr == 0x4b564d00 || msr == t->vm->hypercall_msr)
		*value = (FIRST_AREA + pick_page(t, vcpu, AREAS_EACH)) * PAGE;
	return msr;
}

static void set_msr(struct thread *t)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} msrs = { .header.nmsrs = 1 };
	unsigned int vcpu = pick(t, NR_VCPUS);
	uint64_t value;

	msrs.entry.index = pick_msr(t, vcpu, &value);
	/* The hypercall page is the guest's wish alone. */
	if (msrs.entry.index == t->vm->hypercall_msr)
		value = FIRST_GUARD * PAGE;
	msrs.entry.data = value;
	check_errno(ioctl(t->vm->vcpu[vcpu], KVM_SET_MSRS, &msrs), "KVM_SET_MSRS");
}

/* set_lapic() - as a VMM restores it: on or off, with another priority or timer */
static void set_lapic(struct thread *t)
{
	int fd = t->vm->vcpu[pick(t, NR_VCPUS)];
	struct kvm_lapic_state lapic;
	uint32_t value, offset;

	if (check_errno(ioctl(fd, KVM_GET_LAPIC, &lapic), "KVM_GET_LAPIC"))
		return;
	switch (pick(t, 4)) {
	case 0:
		offset = APIC_TPR;
		value = pick(t, 256);
		break;
	case 1:
		offset = APIC_LVTT;
		value = 16 + pick(t, NO_VECTOR - 16);
		break;
	case 2:
		offset = APIC_TMICT;
		value = pick(t, 1000000);
		break;
	default:
		offset = APIC_SPIV;
		value = NO_VECTOR - 1 + (pick(t, 4) ? 1 << 8 : 0);
		break;
	}
	memcpy(lapic.regs + offset, &value, sizeof(value));
	check_errno(ioctl(fd, KVM_SET_LAPIC, &lapic), "KVM_SET_LAPIC");
}

static void configure(struct thread *t)
{
	static const uint32_t flags[] = {
		KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND,
		KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND,
		KVM_XEN_HVM_CONFIG_EVTCHN_SEND,
		CONFIG_FLAG_UPDATE_FLAG, CONFIG_FLAG_TSC_UNSTABLE, ~0U, 0,
	};
	static uint8_t blob[PAGE];
	struct kvm_xen_hvm_config config = {
		.flags = flags[pick(t, ARRAY_SIZE(flags))],
		.msr = t->vm->hypercall_msr,
	};

	/* The page as a blob of userspace's */
	if (pick(t, 2)) {
		config.flags = 0;
		config.blob_addr_32 = config.blob_addr_64 = (uintptr_t)blob;
		config.blob_size_32 = config.blob_size_64 = 1;
	}
	check_errno(ioctl(t->vm->fd, KVM_XEN_HVM_CONFIG, &config), "KVM_XEN_HVM_CONFIG");
}

static void change_attrs(struct thread *t)
{
	struct kvm_clock_data clock = { 0 };

	switch (pick(t, 18)) {
	case 0:
		configure(t);
		break;
	case 1:
		check_errno(ioctl(t->vm->fd, KVM_GET_CLOCK, &clock), "KVM_GET_CLOCK");
		clock.flags = 0;
		/* On, or back */
		if (pick(t, 2))
			clock.clock = pick(t, clock.clock + 1);
		check_errno(ioctl(t->vm->fd, KVM_SET_CLOCK, &clock), "KVM_SET_CLOCK");
		break;
	case 2:
	case 3:
	case 4:
		set_msr(t);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		set_vm_attr(t);
		break;
	case 9:
	case 10:
		set_lapic(t);
		break;
	default:
		set_vcpu_attr(t);
		break;
	}
}

static void send_event(struct thread *t)
{
	struct kvm_irq_routing_xen_evtchn event = {
		.port = pick(t, 8) ? pick(t, 64) : next(t),
		.vcpu = pick(t, NR_VCPUS + 1),
		.priority = pick(t, 16) ? KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL : 0,
	};

	check_errno(ioctl(t->vm->fd, KVM_XEN_HVM_EVTCHN_SEND, &event), "KVM_XEN_HVM_EVTCHN_SEND");
}

static int set_slot1(struct vm *vm, uint64_t gfn, uint32_t flags, bool delete)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1,
		.flags = flags,
		.guest_phys_addr = gfn * PAGE,
		.memory_size = delete ? 0 : SLOT1_PAGES * PAGE,
		.userspace_addr = (uintptr_t)vm->slot1,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

/* Pages that areas may be in, and what userspace may do to them */
static void change_backing(struct thread *t)
{
	uint8_t *page;
	void *addr;
	int ret;

	switch (pick(t, 3)) {
	case 0:
		page = t->vm->slot1 + pick(t, SLOT1_PAGES) * PAGE;
		break;
	case 1:
		page = t->vm->other + pick(t, OTHER_PAGES) * PAGE;
		break;
	default:
		page = t->vm->memory + (FIRST_AREA + pick(t, NR_AREAS)) * PAGE;
		break;
	}
	switch (pick(t, 4)) {
	case 0:
		ret = munmap(page, PAGE);
		break;
	case 1:
		ret = mprotect(page, PAGE, pick(t, 2) ? PROT_READ : PROT_READ | PROT_WRITE);
		break;
	case 2:
		ret = madvise(page, PAGE, MADV_DONTNEED);
		break;
	default:
		addr = mmap(page, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ret = addr == MAP_FAILED ? -1 : 0;
		break;
	}
	/* madvise() and mprotect() of a hole give ENOMEM. */
	if (ret && errno == ENOMEM)
		nr_ops++;
	else
		check_errno(ret, "a change of the backing memory");
}

/* set_still() - an area of a vCPU that never runs: a new place, or none */
static void set_still(struct thread *t)
{
	static const uint16_t types[] = {
		KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO,
		KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR,
	};
	struct kvm_xen_vcpu_attr attr = { .type = types[pick(t, ARRAY_SIZE(types))] };
	int fd = t->vm->still[pick(t, NR_STILL)];

	attr.u.gpa = (STILL_GFN + pick(t, NR_STILL)) * PAGE + (pick_offset(t) & ~7ULL);
	if (!pick(t, 8))
		attr.u.gpa = INVALID;
	check_errno(ioctl(fd, KVM_XEN_VCPU_SET_ATTR, &attr), "KVM_XEN_VCPU_SET_ATTR");
}

static void send_still(struct thread *t)
{
	struct kvm_irq_routing_xen_evtchn event = {
		.port = 1 + pick(t, 31),
		.vcpu = NR_VCPUS + pick(t, NR_STILL),
		.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
	};

	check_errno(ioctl(t->vm->fd, KVM_XEN_HVM_EVTCHN_SEND, &event), "KVM_XEN_HVM_EVTCHN_SEND");
}

/* storm() - invalidations, of some of the pages where the caches are, or of none */
static void storm(struct thread *t)
{
	uint64_t first = pick(t, STILL_PAGES), nr = 1 + pick(t, STILL_PAGES - first);
	uint8_t *page = t->vm->slot2 + first * PAGE;
	void *addr;
	int ret;

	switch (pick(t, 4)) {
	case 0:
		ret = madvise(t->vm->other, OTHER_PAGES * PAGE, MADV_DONTNEED);
		break;
	case 1:
		ret = madvise(page, nr * PAGE, MADV_DONTNEED);
		break;
	case 2:
		ret = mprotect(page, nr * PAGE, pick(t, 2) ? PROT_READ : PROT_READ | PROT_WRITE);
		break;
	default:
		addr = mmap(page, nr * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ret = addr == MAP_FAILED ? -1 : 0;
		break;
	}
	check_errno(ret, "a change of the backing memory");
}

/* set_all_still() - begin with an area of each kind for each of these vCPUs, and shared_info */
static void set_all_still(struct vm *vm)
{
	struct kvm_xen_hvm_attr shared_info = {
		.type = KVM_XEN_ATTR_TYPE_SHARED_INFO, .u.shared_info.gfn = FIRST_AREA,
	};
	unsigned int i;

	if (ioctl(vm->fd, KVM_XEN_HVM_SET_ATTR, &shared_info))
		give_up("KVM_XEN_HVM_SET_ATTR");
	for (i = 0; i < NR_STILL; i++) {
		struct kvm_xen_vcpu_attr attr = { .type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO };
		uint64_t page = (STILL_GFN + i) * PAGE;

		attr.u.gpa = page;
		if (ioctl(vm->still[i], KVM_XEN_VCPU_SET_ATTR, &attr))
			give_up("KVM_XEN_VCPU_SET_ATTR");
		attr.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO;
		attr.u.gpa = page + 64;
		if (ioctl(vm->still[i], KVM_XEN_VCPU_SET_ATTR, &attr))
			give_up("KVM_XEN_VCPU_SET_ATTR");
		/* In two pages, where KVM accepts that */
		attr.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR;
		attr.u.gpa = page + PAGE - 24;
		check_errno(ioctl(vm->still[i], KVM_XEN_VCPU_SET_ATTR, &attr), "KVM_XEN_VCPU_SET_ATTR");
	}
}

static void change_memory(struct thread *t)
{
	static const uint32_t flags[] = { 0, 0, KVM_MEM_LOG_DIRTY_PAGES };
	uint64_t gfn = pick(t, 2) ? SLOT1_GFN : SLOT1_GFN_MOVED;
	uint32_t flag = flags[pick(t, ARRAY_SIZE(flags))];

	if (pick(t, 3))
		change_backing(t);
	else
		check_errno(set_slot1(t->vm, gfn, flag, !pick(t, 3)),
			    "KVM_SET_USER_MEMORY_REGION");
}

/*
 * The guest, in real mode: does what it finds at the beginning of its page, which is a write
 * to an MSR, tells the host, makes a hypercall, and may halt.  Any fault or interrupt tells
 * the host, too, and begins anew.  (A guest that shuts down instead was seen not to start
 * again under TCG, stock or patched.)
 */
struct mailbox {
	uint32_t msr, low, high;
	uint32_t nr, args[3];		/* of the hypercall */
	uint32_t halt;
	uint32_t port;			/* struct evtchn_send, and the port of the next one */
	uint32_t ports, nr_ports;	/* struct compat_sched_poll */
	uint64_t timeout;
};

static_assert(offsetof(struct mailbox, nr) == 12, "the guest's code knows its mailbox");
static_assert(offsetof(struct mailbox, args) == 16, "the guest's code knows its mailbox");
static_assert(offsetof(struct mailbox, halt) == 28, "the guest's code knows its mailbox");

extern const uint8_t code[], code_handler[], code_no_vector[], code_end[];

asm(".pushsection .rodata\n"
    ".code16\n"
    "code:\n"
    "	sti\n"
    "	movl	%cs:0, %ecx\n"
    "	movl	%cs:4, %eax\n"
    "	movl	%cs:8, %edx\n"
    "	wrmsr\n"
    "	outb	%al, $0x10\n"
    "	movl	%cs:12, %eax\n"
    "	movl	%cs:16, %ebx\n"
    "	movl	%cs:20, %ecx\n"
    "	movl	%cs:24, %edx\n"
    "	vmmcall\n"
    "	cmpl	$0, %cs:28\n"
    "	je	code\n"
    "	hlt\n"
    "	jmp	code\n"
    "code_no_vector:\n"
    "	outb	%al, $0x12\n"
    "code_handler:\n"
    "	outb	%al, $0x11\n"
    "	movw	$" STRING(STACK) ", %sp\n"
    "	jmp	code\n"
    "code_end:\n"
    ".code64\n"
    ".popsection\n");

/* The ports by which the guest tells the host */
#define PORT_NO_VECTOR	0x12

/* write_code() - the code, and a table that has a handler for every vector */
static void write_code(struct vm *vm, unsigned int i)
{
	uint16_t *vector = (void *)(vm->memory + IVT_PAGE * PAGE + i * 1024);
	unsigned int n;

	memcpy(vm->memory + (CODE_PAGE + i) * PAGE + CODE_OFFSET, code, code_end - code);
	for (n = 0; n < 256; n++) {
		*vector++ = CODE_OFFSET + ((n == NO_VECTOR ? code_no_vector : code_handler) - code);
		*vector++ = (CODE_PAGE + i) * PAGE >> 4;
	}
}

static void reset_vcpu(struct vm *vm, unsigned int i)
{
	struct kvm_regs regs = { .rip = CODE_OFFSET, .rflags = 2, .rsp = STACK };
	struct kvm_vcpu_events events = { 0 };
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu[i], KVM_GET_SREGS, &sregs))
		give_up("KVM_GET_SREGS");
	sregs.cs.base = (CODE_PAGE + i) * PAGE;
	sregs.cs.selector = sregs.cs.base >> 4;
	sregs.ss.base = sregs.cs.base;
	sregs.ss.selector = sregs.cs.selector;
	sregs.idt.base = IVT_PAGE * PAGE + i * 1024;
	sregs.idt.limit = 1023;
	if (ioctl(vm->vcpu[i], KVM_SET_SREGS, &sregs) ||
	    ioctl(vm->vcpu[i], KVM_SET_REGS, &regs) ||
	    ioctl(vm->vcpu[i], KVM_SET_VCPU_EVENTS, &events))
		give_up("the registers of a vCPU");
	/* Without an interrupt controller in KVM there is no such state. */
	ioctl(vm->vcpu[i], KVM_SET_MP_STATE, &state);
}

/* pick_hypercall() - one that KVM answers itself, or that userspace gets */
static void pick_hypercall(struct thread *t, struct mailbox *mailbox)
{
	uint32_t gpa = (CODE_PAGE + t->nr) * PAGE;

	memset(mailbox->args, 0, sizeof(mailbox->args));
	switch (ports ? 0 : pick(t, 5)) {
	case 0:
		mailbox->nr = HYPERVISOR_event_channel_op;
		mailbox->args[0] = EVTCHNOP_send;
		mailbox->args[1] = gpa + offsetof(struct mailbox, port);
		mailbox->port = ports ? 1 + pick(t, NR_PORTS) : pick(t, 8);
		break;
	case 1:
		mailbox->nr = HYPERVISOR_sched_op;
		mailbox->args[0] = SCHEDOP_poll;
		mailbox->args[1] = gpa + offsetof(struct mailbox, ports);
		mailbox->ports = gpa + offsetof(struct mailbox, port);
		mailbox->nr_ports = pick(t, 3);
		mailbox->timeout = pick(t, 2) ? pick(t, TICK) : 0;
		mailbox->port = pick(t, 64);
		break;
	case 2:
		mailbox->nr = timers ? HYPERVISOR_set_timer_op : HYPERVISOR_none;
		mailbox->args[0] = next(t);
		break;
	case 3:
		mailbox->nr = HYPERVISOR_vcpu_op;
		mailbox->args[0] = VCPUOP_stop_singleshot_timer;
		mailbox->args[1] = pick(t, 4) ? t->nr : next(t);
		break;
	default:
		mailbox->nr = HYPERVISOR_none;
		break;
	}
}

static void run_vcpu(struct thread *t)
{
	struct vm *vm = t->vm;
	struct kvm_run *run = vm->run[t->nr];
	struct mailbox *mailbox = (void *)(vm->memory + (CODE_PAGE + t->nr) * PAGE);
	uint64_t value;

	mailbox->msr = pick_msr(t, t->nr, &value);
	mailbox->low = value;
	mailbox->high = value >> 32;
	mailbox->halt = !ports && !pick(t, 4);
	pick_hypercall(t, mailbox);
	run->immediate_exit = !pick(t, 8);
	if (check_errno(ioctl(vm->vcpu[t->nr], KVM_RUN, 0), "KVM_RUN"))
		return;
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		if (run->io.port == PORT_NO_VECTOR)
			problem("the guest got interrupt %#x, which nobody sent", NO_VECTOR);
		break;
	case KVM_EXIT_HLT:
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	case KVM_EXIT_XEN:
		run->xen.u.hcall.result = 0;
		break;
	default:
		reset_vcpu(vm, t->nr);
		break;
	}
}

/*
 * fault_injection() - open the file that lets this thread's allocations fail; opening
 * it could itself fail, later
 */
static int fault_injection(void)
{
	int fd;

	if (!failing)
		return -1;
	fd = open("/proc/thread-self/make-it-fail", O_WRONLY);
	if (fd < 0)
		give_up("/proc/thread-self/make-it-fail");
	return fd;
}

static void inject_faults(int fd, const char *whether)
{
	if (fd >= 0 && write(fd, whether, 1) != 1)
		give_up("/proc/thread-self/make-it-fail");
}

static void ignore(int sig)
{
	(void)sig;
}

/* start_ticks() - from now on, a signal ends each sleep of this thread in KVM_RUN */
static timer_t start_ticks(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec ticks = { .it_value.tv_nsec = TICK, .it_interval.tv_nsec = TICK };
	timer_t timer;

	event.sigev_notify_thread_id = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &ticks, NULL))
		give_up("a timer");
	return timer;
}

static void *run_thread(void *arg)
{
	struct thread *t = arg;
	enum kind kind = many ? kinds_of_many[t->nr] : kinds[t->nr];
	bool runs = kind == RUN_VCPU;
	timer_t timer = runs ? start_ticks() : NULL;
	int fd = fault_injection();
	unsigned int i;

	inject_faults(fd, "1");
	for (i = 0; i < (many ? OPS_OF_MANY : OPS_PER_ROUND); i++) {
		switch (ports && !runs ? CHANGE_PORTS : kind) {
		case RUN_VCPU:
			run_vcpu(t);
			break;
		case SET_ATTRS:
			change_attrs(t);
			break;
		case SEND_EVENTS:
			send_event(t);
			break;
		case CHANGE_MEMORY:
			change_memory(t);
			break;
		case CHANGE_PORTS:
			change_port(t);
			break;
		case SET_STILL:
			set_still(t);
			break;
		case SEND_STILL:
			send_still(t);
			break;
		case STORM:
			storm(t);
			break;
		}
	}
	inject_faults(fd, "0");
	if (fd >= 0)
		close(fd);
	if (runs)
		timer_delete(timer);
	return NULL;
}

static uint8_t *map_pages(size_t nr)
{
	void *addr = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (addr == MAP_FAILED)
		give_up("mmap");
	return addr;
}

/* create_still() - what the phase many has more */
static bool create_still(struct vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.slot = 2,
		.guest_phys_addr = STILL_GFN * PAGE,
		.memory_size = STILL_PAGES * PAGE,
		.userspace_addr = (uintptr_t)vm->slot2,
	};
	unsigned int i;

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return false;
	for (i = 0; i < NR_STILL; i++) {
		vm->still[i] = ioctl(vm->fd, KVM_CREATE_VCPU, NR_VCPUS + i);
		if (vm->still[i] < 0)
			return false;
	}
	return true;
}

/*
 * create_vm() - of memory that is mapped; what there is if it fails is for destroy_vm().
 * If KVM refuses @msr for the hypercall page, it gets the usual one.
 */
static bool create_vm(struct vm *vm, bool irqchip, uint32_t msr)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY_PAGES * PAGE };
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND,
		.msr = msr,
	};
	unsigned int i;

	vm->fd = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		return false;
	region.userspace_addr = (uintptr_t)vm->memory;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) ||
	    (irqchip && ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0)))
		return false;
	if (ioctl(vm->fd, KVM_XEN_HVM_CONFIG, &config)) {
		config.msr = MSR_HYPERCALL;
		if (ioctl(vm->fd, KVM_XEN_HVM_CONFIG, &config))
			return false;
	}
	vm->hypercall_msr = config.msr;
	for (i = 0; i < NR_VCPUS; i++) {
		vm->vcpu[i] = ioctl(vm->fd, KVM_CREATE_VCPU, i);
		if (vm->vcpu[i] < 0)
			return false;
		vm->run[i] = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				  vm->vcpu[i], 0);
		if (vm->run[i] == MAP_FAILED)
			return false;
	}
	return !many || create_still(vm);
}

static void map_memory(struct vm *vm)
{
	unsigned int i;

	*vm = (struct vm){ .fd = -1, .vcpu = { -1, -1 }, .event = eventfd(0, 0),
			   .run = { MAP_FAILED, MAP_FAILED } };
	if (vm->event < 0)
		give_up("eventfd");
	vm->memory = map_pages(MEMORY_PAGES);
	vm->slot1 = map_pages(SLOT1_PAGES);
	vm->other = map_pages(OTHER_PAGES);
	vm->slot2 = map_pages(STILL_PAGES);
	for (i = 0; i < NR_STILL; i++)
		vm->still[i] = -1;
	for (i = 0; i < NR_VCPUS; i++)
		write_code(vm, i);
	memset(vm->memory + FIRST_GUARD * PAGE, 0xa5, NR_GUARDS * PAGE);
}

static void destroy_vm(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		if (vm->run[i] != MAP_FAILED)
			munmap(vm->run[i], run_size);
		if (vm->vcpu[i] >= 0)
			close(vm->vcpu[i]);
	}
	for (i = 0; i < NR_STILL; i++)
		if (vm->still[i] >= 0)
			close(vm->still[i]);
	if (vm->fd >= 0)
		close(vm->fd);
	close(vm->event);
	munmap(vm->memory, MEMORY_PAGES * PAGE);
	munmap(vm->slot1, SLOT1_PAGES * PAGE);
	munmap(vm->other, OTHER_PAGES * PAGE);
	munmap(vm->slot2, STILL_PAGES * PAGE);
}

/* check_guards() - where no area was ever set, nothing may have been written */
static void check_guards(struct vm *vm)
{
	size_t i;

	for (i = 0; i < PAGE; i++) {
		if (vm->memory[i]) {
			problem("KVM has written to guest page 0, at %#zx", i);
			break;
		}
	}
	for (i = FIRST_GUARD * PAGE; i < (FIRST_GUARD + NR_GUARDS) * PAGE; i++) {
		if (vm->memory[i] != 0xa5) {
			problem("KVM has written to %#zx, where no area was set", i);
			break;
		}
	}
}

static void run_round(void)
{
	/* Two that no CPU has, and two that KVM writes itself when it creates a vCPU */
	static const uint32_t msrs[] = { MSR_HYPERCALL, 0x4fffffff, 0x10, 0xda0 };
	struct thread threads[NR_THREADS];
	struct vm vm;
	unsigned int i;

	map_memory(&vm);
	/* Real interrupts, and so local APICs, in two of three rounds */
	if (!create_vm(&vm, round_nr % 3, msrs[round_nr % ARRAY_SIZE(msrs)]))
		give_up("a VM");
	for (i = 0; i < NR_VCPUS; i++)
		reset_vcpu(&vm, i);
	if (many)
		set_all_still(&vm);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		threads[i] = (struct thread){
			.nr = i,
			.random = seed * 0x100000001b3ULL + (uint64_t)round_nr * 64 + i,
			.vm = &vm,
		};
		if (pthread_create(&threads[i].id, NULL, run_thread, &threads[i]))
			give_up("a thread");
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i].id, NULL);
	check_guards(&vm);
	destroy_vm(&vm);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* result() - close a phase */
static void result(const char *fmt, ...)
{
	va_list args;

	printf("%s %u ", nr_problems ? "not ok" : "ok", ++nr_result);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

/*
 * run_rounds() - one after the other until the time is over, or always the one that was
 * asked for, and then until it shows a problem; no result yet
 */
static void run_rounds(void)
{
	double end = now() + seconds;
	unsigned long nr_rounds = 0;

	nr_problems = 0;
	nr_ops = 0;
	do {
		round_nr = only < 0 ? (long)nr_rounds : only;
		nr_rounds++;
		in_round = true;
		run_round();
		in_round = false;
	} while (now() < end && !(only >= 0 && nr_problems));
	printf("# seed %llu, %lu rounds%s, %lu operations\n", (unsigned long long)seed,
	       nr_rounds, only < 0 ? "" : ", the same each time", (unsigned long)nr_ops);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		give_up(path);
	close(fd);
}

/* read_number() - that of the last line of a file that begins with @name */
static long read_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	char line[256], *number;
	long value = 0;

	if (!file)
		give_up(path);
	while (fgets(line, sizeof(line), file)) {
		number = line + strspn(line, " ");
		if (!strncmp(number, name, strlen(name)))
			value = atol(number + strlen(name));
	}
	fclose(file);
	return value;
}

/* More failures than any phase makes; the kernel counts down from there. */
#define MAX_FAILURES	1000000000

static const char * const kinds_of_failure[] = { "failslab", "fail_page_alloc" };

/* inject() - all allocations of threads that ask for it, so many in a hundred */
static void inject(const char *probability)
{
	char times[16];
	const char * const settings[][2] = {
		{ "task-filter", "Y" }, { "interval", "1" }, { "times", times },
		{ "space", "0" }, { "verbose", "0" }, { "ignore-gfp-wait", "N" },
	};
	char path[128];
	size_t i, j;

	snprintf(times, sizeof(times), "%d", MAX_FAILURES);
	for (i = 0; i < ARRAY_SIZE(kinds_of_failure); i++) {
		for (j = 0; j < ARRAY_SIZE(settings); j++) {
			snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s",
				 kinds_of_failure[i], settings[j][0]);
			write_file(path, settings[j][1]);
		}
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/probability",
			 kinds_of_failure[i]);
		write_file(path, probability);
	}
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
}

/* phase_failing() - it has to be seen that allocations failed, and of either kind */
static void phase_failing(void)
{
	char path[128];
	size_t i;
	long left;

	inject("3");
	failing = true;
	nr_enomem = 0;
	run_rounds();
	failing = false;
	for (i = 0; i < ARRAY_SIZE(kinds_of_failure); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/times", kinds_of_failure[i]);
		left = read_number(path, "");
		printf("# %s: %ld failures\n", kinds_of_failure[i], MAX_FAILURES - left);
		if (left == MAX_FAILURES)
			problem("%s has let no allocation fail: nothing was tested",
				kinds_of_failure[i]);
	}
	printf("# %lu operations ended with '%s'\n", (unsigned long)nr_enomem, strerror(ENOMEM));
	if (!nr_enomem)
		problem("no operation was short of memory: nothing was tested");
	inject("0");
	result("stress, failing");
}

/* The operations whose allocations fail one by one */
static bool set_one(struct vm *vm, uint16_t type, uint64_t gpa)
{
	struct kvm_xen_vcpu_attr attr = { .type = type, .u.gpa = gpa };

	return !ioctl(vm->vcpu[0], KVM_XEN_VCPU_SET_ATTR, &attr);
}

static bool op_vcpu_info(struct vm *vm)
{
	return set_one(vm, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, FIRST_AREA * PAGE);
}

static bool op_time_info(struct vm *vm)
{
	return set_one(vm, KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, (FIRST_AREA + 1) * PAGE);
}

static bool op_runstate(struct vm *vm)
{
	return set_one(vm, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, (FIRST_AREA + 2) * PAGE);
}

static bool op_shared_info(struct vm *vm)
{
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_SHARED_INFO, .u.shared_info.gfn = FIRST_AREA + 3 };

	return !ioctl(vm->fd, KVM_XEN_HVM_SET_ATTR, &attr);
}

static bool op_evtchn(struct vm *vm)
{
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_EVTCHN, .u.evtchn.send_port = 1,
		.u.evtchn.type = EVTCHNSTAT_interdomain,
		.u.evtchn.deliver.eventfd.fd = vm->event };

	return !ioctl(vm->fd, KVM_XEN_HVM_SET_ATTR, &attr);
}

static bool op_send(struct vm *vm)
{
	struct kvm_irq_routing_xen_evtchn event = {
		.port = 5, .priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL };

	/* The pages are looked up anew. */
	if (madvise(vm->memory + FIRST_AREA * PAGE, NR_AREAS * PAGE, MADV_DONTNEED))
		give_up("madvise");
	return ioctl(vm->fd, KVM_XEN_HVM_EVTCHN_SEND, &event) >= 0;
}

static bool op_memslot(struct vm *vm)
{
	return !set_slot1(vm, SLOT1_GFN, KVM_MEM_LOG_DIRTY_PAGES, false);
}

static bool op_run(struct vm *vm)
{
	((struct mailbox *)(vm->memory + CODE_PAGE * PAGE))->msr = 0x12;
	return !ioctl(vm->vcpu[0], KVM_RUN, 0) && vm->run[0]->exit_reason == KVM_EXIT_IO;
}

static const struct {
	const char *name;
	bool (*op)(struct vm *vm);
} each[] = {
	{ "VCPU_INFO", op_vcpu_info },
	{ "VCPU_TIME_INFO", op_time_info },
	{ "RUNSTATE_ADDR", op_runstate },
	{ "SHARED_INFO", op_shared_info },
	{ "EVTCHN", op_evtchn },
	{ "an event", op_send },
	{ "a memslot", op_memslot },
	{ "KVM_RUN", op_run },
};

/*
 * fail_nth() - do @op with its @nth allocation failing: 1 if it went well all the same,
 * 0 if it failed, -1 if there were fewer allocations
 */
static int fail_nth(struct vm *vm, size_t op, unsigned int nth)
{
	char text[32];
	bool good;
	int fd = open("/proc/thread-self/fail-nth", O_RDWR);
	int error;

	if (fd < 0)
		give_up("/proc/thread-self/fail-nth");
	snprintf(text, sizeof(text), "%u", nth);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		give_up("/proc/thread-self/fail-nth");
	good = each[op].op(vm);
	error = errno;
	memset(text, 0, sizeof(text));
	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		give_up("/proc/thread-self/fail-nth");
	if (write(fd, "0", 1) != 1)
		give_up("/proc/thread-self/fail-nth");
	close(fd);
	if (atoi(text))
		return -1;
	if (!good && error != ENOMEM && error != EFAULT && error != EAGAIN && error != EINTR)
		problem("%s fails with '%s' at allocation %u", each[op].name, strerror(error), nth);
	return good;
}

static void phase_each(void)
{
	unsigned int nth, nr_failed;
	struct vm vm;
	size_t op, before;
	int r;

	nr_problems = 0;
	round_nr = 0;
	inject("0");
	for (op = 0; op < ARRAY_SIZE(each); op++) {
		nr_failed = 0;
		for (nth = 1; ; nth++) {
			map_memory(&vm);
			if (!create_vm(&vm, true, MSR_HYPERCALL))
				give_up("a VM");
			reset_vcpu(&vm, 0);
			for (before = 0; before < op; before++) {
				if (!each[before].op(&vm))
					give_up(each[before].name);
			}
			r = fail_nth(&vm, op, nth);
			nr_failed += !r;
			/* What failed once works when it is asked for again. */
			if (!r && !each[op].op(&vm))
				problem("%s does not work after allocation %u has failed: %s",
					each[op].name, nth, strerror(errno));
			check_guards(&vm);
			destroy_vm(&vm);
			if (r < 0)
				break;
		}
		printf("# %s: %u allocations, %u failures\n", each[op].name, nth - 1, nr_failed);
		if (nth == 1)
			problem("%s without an allocation: nothing was tested", each[op].name);
	}
	result("stress, each");
}

/* phase_leaks() - kmemleak takes what is younger than 5 s for being in use */
static void phase_leaks(void)
{
	const char *path = "/sys/kernel/debug/kmemleak";
	char line[256];
	FILE *file;
	int i;

	nr_problems = 0;
	for (i = 0; i < 3; i++) {
		sleep(6);
		write_file(path, "scan");
	}
	file = fopen(path, "r");
	if (!file)
		give_up(path);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		if (nr_problems++ < 40)
			printf("# %s\n", line);
	}
	fclose(file);
	result("stress, leaks");
}

/* phase_watched() - what KCSAN finds is on the console; nothing, if it does not look */
static void phase_watched(void)
{
	long nr = read_number("/sys/kernel/debug/kcsan", "setup_watchpoints:");

	nr_problems = 0;
	printf("# KCSAN has watched %ld accesses\n", nr);
	if (nr < 1000)
		problem("KCSAN has watched %ld accesses only", nr);
	result("stress, watched");
}

/* phase_locks() - what lockdep finds is on the console; nothing, if it has stopped looking */
static void phase_locks(void)
{
	nr_problems = 0;
	if (read_number("/proc/lockdep_stats", "debug_locks:") != 1)
		problem("lockdep is off");
	result("stress, locks");
}

int main(int argc, char **argv)
{
	char *end;

	if (argc < 4) {
		fprintf(stderr, "usage: stress SEED SECONDS[@ROUND] plain|timers|ports|many|failing|each|leaks|watched|locks...\n");
		return 2;
	}
	seconds = strtod(argv[2], &end);
	if (*end == '@')
		only = atol(end + 1);
	phases = argv + 3;
	seed = strtoull(argv[1], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%d\n# seed %llu\n", argc - 3, (unsigned long long)seed);
	signal(SIGUSR1, ignore);
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		give_up("/dev/kvm");
	run_size = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	/* It may be there already, or not be wanted. */
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	for (phase = 0; phase < argc - 3; phase++) {
		const char *name = phases[phase];

		timers = !strcmp(name, "timers");
		ports = !strcmp(name, "ports");
		many = !strcmp(name, "many");
		if (!strcmp(name, "plain") || timers || ports || many) {
			run_rounds();
			result("stress, %s", name);
		} else if (!strcmp(name, "failing")) {
			phase_failing();
		} else if (!strcmp(name, "each")) {
			phase_each();
		} else if (!strcmp(name, "leaks")) {
			phase_leaks();
		} else if (!strcmp(name, "watched")) {
			phase_watched();
		} else if (!strcmp(name, "locks")) {
			phase_locks();
		} else {
			printf("Bail out! there is no phase %s\n", name);
			return 2;
		}
	}
	return 0;
}
