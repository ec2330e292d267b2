// SPDX-License-Identifier: GPL-2.0
/*
 * restore.c - a small VMM that saves a Xen guest, ends its VM, and restores it in another one
 *
 *	restore ROUNDS
 *
 * What QEMU does not carry over: each attribute that userspace can get is read from a VM whose
 * guest is stopped anywhere, set in the next VM, and read there again.  The guest has a timer
 * that it arms again by a hypercall at each of its events, gets other events while it runs and
 * while it is stopped, and counts all of them.  None may be lost or come twice, and the times of
 * its runstate have to add up and go on, with the area in its memory as KVM says.
 *
 * One result in KTAP for each layout, and, where KVM has that, with vcpu_info by userspace address.
 * The guest is in real mode whatever the layout: that goes by KVM_XEN_ATTR_TYPE_LONG_MODE alone.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Newer than the headers that this may be built with: Documentation/virt/kvm/api.rst */
#define CONFIG_RUNSTATE_UPDATE_FLAG	(1 << 6)
#define CONFIG_SHARED_INFO_HVA		(1 << 8)
#define ATTR_RUNSTATE_UPDATE_FLAG	5
#define VCPU_ATTR_VCPU_INFO_HVA		9

#define PAGE		4096UL
#define NR_VCPUS	2
#define NR_PORTS	8	/* of each vCPU; 0 is none, 1 its timer */
#define TIMER_PORT	1
#define PERIOD		2000000	/* of the timer, in ns */
#define RUN_US		150000	/* how long the guest runs in a VM */
#define PATIENCE	10	/* how long an event may take, in s */
#define UPCALL_VECTOR	0x40
#define XEN_VERSION	0x40011

/* The guest's memory; all of it is in reach of real mode. */
#define MEMORY_PAGES	16
#define IVT		(1 * PAGE)	/* of each vCPU: 1024 bytes */
#define CODE		(2 * PAGE)	/* a page each: struct mailbox, code, stack */
#define SHARED_INFO	(4 * PAGE)
#define VCPU_INFO	(5 * PAGE)	/* 64 bytes each */
#define TIME_INFO	(6 * PAGE)	/* 32 bytes each */
#define RUNSTATE	(7 * PAGE)	/* at the end of a page each */
#define CODE_OFFSET	0x100
#define STACK		0xff0

/* From Xen's public headers: where the bits are in shared_info and vcpu_info */
#define EVTCHN_PENDING	0x800
#define SEL_32		4
#define SEL_64		8
#define RUNSTATE_SIZE	48	/* that of 64 bits, which linux-6.1 wants in both modes */

/* What the guest's code knows and counts, at the beginning of its page */
struct mailbox {
	uint32_t loops;
	uint32_t upcalls;
	uint64_t next;			/* when its timer expires, in ns of the guest's clock */
	uint32_t vcpu_info, pending;	/* addresses: of its vcpu_info, and of its ports' bits */
	uint32_t sel;			/* evtchn_pending_sel in vcpu_info */
	uint32_t counts[NR_PORTS];
};

static_assert(offsetof(struct mailbox, next) == 8, "the guest's code knows its mailbox");
static_assert(offsetof(struct mailbox, vcpu_info) == 16, "the guest's code knows its mailbox");
static_assert(offsetof(struct mailbox, pending) == 20, "the guest's code knows its mailbox");
static_assert(offsetof(struct mailbox, sel) == 24, "the guest's code knows its mailbox");
static_assert(offsetof(struct mailbox, counts) == 28, "the guest's code knows its mailbox");

extern const uint8_t code[], code_upcall[], code_fault[], code_end[];

#define STRING_OF(a)	#a
#define STRING(a)	STRING_OF(a)

/* 15 is HYPERVISOR_set_timer_op, with the time in two words. */
asm(".pushsection .rodata\n"
    ".code16\n"
    "code:\n"
    "	sti\n"
    "1:	incl	%cs:0\n"
    "	testl	$0x3ff, %cs:0\n"
    "	jnz	1b\n"
    "	hlt\n"
    "	jmp	1b\n"
    "code_upcall:\n"
    "	pushal\n"
    "	incl	%cs:4\n"
    "	movl	%cs:16, %ebx\n"
    "	movb	$0, (%bx)\n"
    "	movl	%cs:24, %esi\n"
    "	xorl	%eax, %eax\n"
    "	xchgl	%eax, (%bx,%si)\n"
    "	movl	%cs:20, %edi\n"
    "	xorl	%eax, %eax\n"
    "	xchgb	%al, (%di)\n"
    "	xorl	%ecx, %ecx\n"
    "2:	btl	%ecx, %eax\n"
    "	jnc	3f\n"
    "	addr32 incl %cs:28(,%ecx,4)\n"
    "3:	incl	%ecx\n"
    "	cmpl	$" STRING(NR_PORTS) ", %ecx\n"
    "	jb	2b\n"
    "	btl	$" STRING(TIMER_PORT) ", %eax\n"
    "	jnc	4f\n"
    "	addl	$" STRING(PERIOD) ", %cs:8\n"
    "	adcl	$0, %cs:12\n"
    "	movl	$15, %eax\n"
    "	movl	%cs:8, %ebx\n"
    "	movl	%cs:12, %ecx\n"
    "	vmmcall\n"
    "4:	popal\n"
    "	iret\n"
    "code_fault:\n"
    "	outb	%al, $0x10\n"
    "code_end:\n"
    ".code64\n"
    ".popsection\n");

/* All of a guest that is outside its memory */
struct state {
	struct kvm_xen_hvm_attr vm_attr[5];
	struct kvm_clock_data clock;
	struct {
		struct kvm_regs regs;
		struct kvm_sregs sregs;
		struct kvm_vcpu_events events;
		struct kvm_mp_state mp_state;
		struct kvm_lapic_state lapic;
		struct kvm_xen_vcpu_attr attr[7];
	} vcpu[NR_VCPUS];
};

struct vcpu {
	int fd;
	struct kvm_run *run;
	pthread_t thread;
};

static int kvm;
static size_t run_size;
static unsigned int xen_flags;	/* of KVM_CAP_XEN_HVM */
static bool long_mode, by_hva;
static uint8_t *memory;
static int vm;
static struct vcpu vcpus[NR_VCPUS];
static volatile bool stopping;
static uint32_t sent[NR_VCPUS][NR_PORTS];
static int problems;

__attribute__((format(printf, 1, 2)))
static void problem(const char *fmt, ...)
{
	va_list args;

	/* The first of them tell enough. */
	if (__atomic_fetch_add(&problems, 1, __ATOMIC_RELAXED) >= 10)
		return;
	flockfile(stdout);
	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	funlockfile(stdout);
}

/* give_up() - something that is not under test does not work */
__attribute__((noreturn))
static void give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static void do_ioctl(int fd, unsigned long request, const void *arg, const char *what)
{
	if (ioctl(fd, request, arg))
		give_up(what);
}
#define DO(fd, request, arg)	do_ioctl(fd, request, (void *)(uintptr_t)(arg), #request)

static struct mailbox *mailbox(int i)
{
	return (void *)(memory + CODE + i * PAGE);
}

static uint32_t count(int i, int port)
{
	return __atomic_load_n(&mailbox(i)->counts[port], __ATOMIC_SEQ_CST);
}

/*
 * The attributes in the order in which they are set.  Userspace chooses a runstate's area before
 * its times, as the former makes KVM begin to count, and a timer when all else is there.
 */
static int list_vm_attrs(struct kvm_xen_hvm_attr *attr)
{
	int n = 0;

	attr[n++].type = KVM_XEN_ATTR_TYPE_XEN_VERSION;
	attr[n++].type = KVM_XEN_ATTR_TYPE_LONG_MODE;
	attr[n++].type = KVM_XEN_ATTR_TYPE_SHARED_INFO;
	attr[n++].type = KVM_XEN_ATTR_TYPE_UPCALL_VECTOR;
	if (xen_flags & CONFIG_RUNSTATE_UPDATE_FLAG)
		attr[n++].type = ATTR_RUNSTATE_UPDATE_FLAG;
	return n;
}

static int list_vcpu_attrs(struct kvm_xen_vcpu_attr *attr)
{
	int n = 0;

	attr[n++].type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID;
	attr[n++].type = by_hva ? VCPU_ATTR_VCPU_INFO_HVA : KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO;
	attr[n++].type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO;
	attr[n++].type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR;
	attr[n++].type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA;
	attr[n++].type = KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR;
	attr[n++].type = KVM_XEN_VCPU_ATTR_TYPE_TIMER;
	return n;
}

static uint64_t vcpu_info(int i)
{
	return VCPU_INFO + i * 64;
}

/* As far behind in a page as it may be */
static uint64_t runstate(int i)
{
	return RUNSTATE + (i + 1) * PAGE - RUNSTATE_SIZE;
}

/* first_vm_attr(), first_vcpu_attr() - what a guest begins with */
static void first_vm_attr(struct kvm_xen_hvm_attr *attr)
{
	switch (attr->type) {
	case KVM_XEN_ATTR_TYPE_XEN_VERSION:
		attr->u.xen_version = XEN_VERSION;
		break;
	case KVM_XEN_ATTR_TYPE_LONG_MODE:
		attr->u.long_mode = long_mode;
		break;
	case KVM_XEN_ATTR_TYPE_SHARED_INFO:
		attr->u.shared_info.gfn = SHARED_INFO / PAGE;
		break;
	case KVM_XEN_ATTR_TYPE_UPCALL_VECTOR:
		attr->u.vector = UPCALL_VECTOR;
		break;
	case ATTR_RUNSTATE_UPDATE_FLAG:
		*(uint8_t *)&attr->u = 1;
		break;
	}
}

static void first_vcpu_attr(struct kvm_xen_vcpu_attr *attr, int i, uint64_t now)
{
	switch (attr->type) {
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID:
		attr->u.vcpu_id = i + 3;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO:
		attr->u.gpa = vcpu_info(i);
		break;
	case VCPU_ATTR_VCPU_INFO_HVA:
		attr->u.gpa = (uintptr_t)memory + vcpu_info(i);
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO:
		attr->u.gpa = TIME_INFO + i * 32;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR:
		attr->u.gpa = runstate(i);
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA:
		/* 1, 2, 3 and 4 ns, so that each state has had its time */
		attr->u.runstate.state = 1;
		attr->u.runstate.state_entry_time = 10;
		for (int state = 0; state < 4; state++)
			(&attr->u.runstate.time_running)[state] = state + 1;
		break;
	case KVM_XEN_VCPU_ATTR_TYPE_TIMER:
		attr->u.timer.port = i * NR_PORTS + TIMER_PORT;
		attr->u.timer.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
		attr->u.timer.expires_ns = now + PERIOD;
		mailbox(i)->next = now + PERIOD;
		break;
	}
}

static void create_vm(void)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = MEMORY_PAGES * PAGE,
		.userspace_addr = (uintptr_t)memory,
	};
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND,
		.msr = 0x40000000,
	};

	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		give_up("KVM_CREATE_VM");
	DO(vm, KVM_SET_USER_MEMORY_REGION, &region);
	DO(vm, KVM_CREATE_IRQCHIP, NULL);
	DO(vm, KVM_XEN_HVM_CONFIG, &config);
	for (int i = 0; i < NR_VCPUS; i++) {
		vcpus[i].fd = ioctl(vm, KVM_CREATE_VCPU, i);
		if (vcpus[i].fd < 0)
			give_up("KVM_CREATE_VCPU");
		vcpus[i].run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpus[i].fd, 0);
		if (vcpus[i].run == MAP_FAILED)
			give_up("mmap");
	}
}

static void destroy_vm(void)
{
	for (int i = 0; i < NR_VCPUS; i++) {
		munmap(vcpus[i].run, run_size);
		close(vcpus[i].fd);
	}
	close(vm);
}

/* begin() - the state of a guest that has not run yet, from a VM as KVM creates it */
static void begin(struct state *s)
{
	memset(s, 0, sizeof(*s));
	memset(memory, 0, MEMORY_PAGES * PAGE);
	memset(sent, 0, sizeof(sent));
	create_vm();
	DO(vm, KVM_GET_CLOCK, &s->clock);
	for (int i = list_vm_attrs(s->vm_attr) - 1; i >= 0; i--)
		first_vm_attr(&s->vm_attr[i]);
	for (int i = 0; i < NR_VCPUS; i++) {
		uint16_t *vector = (void *)(memory + IVT + i * 1024);
		struct kvm_sregs *sregs = &s->vcpu[i].sregs;
		struct kvm_segment *data[] = { &sregs->ds, &sregs->es };

		memcpy(memory + CODE + i * PAGE + CODE_OFFSET, code, code_end - code);
		for (int n = 0; n < 256; n++) {
			*vector++ = CODE_OFFSET + ((n == UPCALL_VECTOR ? code_upcall : code_fault) - code);
			*vector++ = (CODE + i * PAGE) >> 4;
		}
		mailbox(i)->vcpu_info = vcpu_info(i);
		mailbox(i)->pending = SHARED_INFO + EVTCHN_PENDING + i * NR_PORTS / 8;
		mailbox(i)->sel = long_mode ? SEL_64 : SEL_32;
		DO(vcpus[i].fd, KVM_GET_SREGS, sregs);
		DO(vcpus[i].fd, KVM_GET_LAPIC, &s->vcpu[i].lapic);
		sregs->cs.base = CODE + i * PAGE;
		sregs->cs.selector = sregs->cs.base >> 4;
		sregs->ss.base = sregs->cs.base;
		sregs->ss.selector = sregs->cs.selector;
		for (int n = 0; n < 2; n++) {
			data[n]->base = 0;
			data[n]->selector = 0;
		}
		sregs->idt.base = IVT + i * 1024;
		sregs->idt.limit = 1023;
		s->vcpu[i].regs = (struct kvm_regs){ .rip = CODE_OFFSET, .rflags = 2, .rsp = STACK };
		s->vcpu[i].mp_state.mp_state = KVM_MP_STATE_RUNNABLE;
		for (int n = list_vcpu_attrs(s->vcpu[i].attr) - 1; n >= 0; n--)
			first_vcpu_attr(&s->vcpu[i].attr[n], i, s->clock.clock);
	}
	destroy_vm();
}

/* restore() - a VM with that state */
static void restore(struct state *s)
{
	int n;

	create_vm();
	s->clock.flags = 0;
	DO(vm, KVM_SET_CLOCK, &s->clock);
	n = list_vm_attrs(s->vm_attr);
	for (int i = 0; i < n; i++)
		if (ioctl(vm, KVM_XEN_HVM_SET_ATTR, &s->vm_attr[i]))
			problem("attribute %d of the VM cannot be set: %s", s->vm_attr[i].type, strerror(errno));
	for (int i = 0; i < NR_VCPUS; i++) {
		int fd = vcpus[i].fd;

		DO(fd, KVM_SET_SREGS, &s->vcpu[i].sregs);
		DO(fd, KVM_SET_REGS, &s->vcpu[i].regs);
		DO(fd, KVM_SET_LAPIC, &s->vcpu[i].lapic);
		DO(fd, KVM_SET_VCPU_EVENTS, &s->vcpu[i].events);
		DO(fd, KVM_SET_MP_STATE, &s->vcpu[i].mp_state);
		n = list_vcpu_attrs(s->vcpu[i].attr);
		for (int j = 0; j < n; j++)
			if (ioctl(fd, KVM_XEN_VCPU_SET_ATTR, &s->vcpu[i].attr[j]))
				problem("attribute %d of vCPU %d cannot be set: %s",
					s->vcpu[i].attr[j].type, i, strerror(errno));
	}
}

/* get_attrs() - all that can be got */
static void get_attrs(struct state *s)
{
	int n = list_vm_attrs(s->vm_attr);

	for (int i = 0; i < n; i++)
		if (ioctl(vm, KVM_XEN_HVM_GET_ATTR, &s->vm_attr[i]))
			problem("attribute %d of the VM cannot be got: %s", s->vm_attr[i].type, strerror(errno));
	for (int i = 0; i < NR_VCPUS; i++) {
		n = list_vcpu_attrs(s->vcpu[i].attr);
		for (int j = 0; j < n; j++)
			if (ioctl(vcpus[i].fd, KVM_XEN_VCPU_GET_ATTR, &s->vcpu[i].attr[j]))
				problem("attribute %d of vCPU %d cannot be got: %s",
					s->vcpu[i].attr[j].type, i, strerror(errno));
	}
}

/* save() - the state of a VM whose vCPUs do not run */
static void save(struct state *s)
{
	memset(s, 0, sizeof(*s));
	get_attrs(s);
	DO(vm, KVM_GET_CLOCK, &s->clock);
	for (int i = 0; i < NR_VCPUS; i++) {
		DO(vcpus[i].fd, KVM_GET_REGS, &s->vcpu[i].regs);
		DO(vcpus[i].fd, KVM_GET_SREGS, &s->vcpu[i].sregs);
		DO(vcpus[i].fd, KVM_GET_LAPIC, &s->vcpu[i].lapic);
		DO(vcpus[i].fd, KVM_GET_VCPU_EVENTS, &s->vcpu[i].events);
		DO(vcpus[i].fd, KVM_GET_MP_STATE, &s->vcpu[i].mp_state);
	}
}

/* check_restored() - do the attributes say what was set? */
static void check_restored(const struct state *s)
{
	struct state is = { 0 };
	int n;

	get_attrs(&is);
	n = list_vm_attrs(is.vm_attr);
	for (int i = 0; i < n; i++)
		if (memcmp(&is.vm_attr[i], &s->vm_attr[i], sizeof(is.vm_attr[i])))
			problem("attribute %d of the VM is not what was set", is.vm_attr[i].type);
	for (int i = 0; i < NR_VCPUS; i++) {
		n = list_vcpu_attrs(is.vcpu[i].attr);
		for (int j = 0; j < n; j++) {
			const struct kvm_xen_vcpu_attr *attr = &is.vcpu[i].attr[j];

			/* It may have expired meanwhile. */
			if (attr->type == KVM_XEN_VCPU_ATTR_TYPE_TIMER && !attr->u.timer.expires_ns &&
			    attr->u.timer.port == s->vcpu[i].attr[j].u.timer.port)
				continue;
			if (memcmp(attr, &s->vcpu[i].attr[j], sizeof(*attr)))
				problem("attribute %d of vCPU %d is not what was set", attr->type, i);
		}
	}
}

static const struct kvm_xen_vcpu_attr *runstate_of(const struct state *s, int i)
{
	const struct kvm_xen_vcpu_attr *attr = s->vcpu[i].attr;

	while (attr->type != KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA)
		attr++;
	return attr;
}

/* check_runstates() - do the times add up and go on, and is that what the guest sees? */
static void check_runstates(const struct state *before, const struct state *s)
{
	for (int i = 0; i < NR_VCPUS; i++) {
		const struct kvm_xen_vcpu_attr *attr = runstate_of(s, i);
		const __u64 *time = &attr->u.runstate.time_running;
		const __u64 *past = &runstate_of(before, i)->u.runstate.time_running;
		const uint8_t *area = memory + runstate(i);
		uint64_t sum = 0, entry, times[4];
		uint32_t state;

		for (int n = 0; n < 4; n++) {
			sum += time[n];
			if (time[n] < past[n])
				problem("vCPU %d: time %d goes back, from %llu to %llu ns", i, n, past[n], time[n]);
		}
		if (sum != attr->u.runstate.state_entry_time)
			problem("vCPU %d: the times are %llu ns, and not %llu", i, (unsigned long long)sum,
				attr->u.runstate.state_entry_time);
		if (time[0] == past[0])
			problem("vCPU %d has not run", i);
		memcpy(&state, area, sizeof(state));
		memcpy(&entry, area + (long_mode ? 8 : 4), sizeof(entry));
		memcpy(times, area + (long_mode ? 16 : 12), sizeof(times));
		if (state != attr->u.runstate.state || entry != attr->u.runstate.state_entry_time ||
		    memcmp(times, time, sizeof(times)))
			problem("vCPU %d: the guest sees another runstate than userspace", i);
	}
}

/* run_vcpu() - the life of a vCPU's thread */
static void *run_vcpu(void *arg)
{
	struct vcpu *v = arg;
	int i = v - vcpus;

	while (!stopping) {
		if (!ioctl(v->fd, KVM_RUN, 0)) {
			problem("vCPU %d: the guest ends with exit %u", i, v->run->exit_reason);
			break;
		}
		if (errno != EINTR && errno != EAGAIN) {
			problem("vCPU %d: KVM_RUN: %s", i, strerror(errno));
			break;
		}
	}
	return NULL;
}

/*
 * start(), stop() - let the vCPUs run, or no longer
 *
 * Nothing preempts them: what stock does wrong then is another test's subject, see
 * is_woken_on() of guest.c.
 */
static void start(void)
{
	struct sched_param param = { .sched_priority = 1 };

	stopping = false;
	for (int i = 0; i < NR_VCPUS; i++) {
		pthread_attr_t attr;
		cpu_set_t cpu;

		CPU_ZERO(&cpu);
		CPU_SET(i % sysconf(_SC_NPROCESSORS_ONLN), &cpu);
		pthread_attr_init(&attr);
		pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
		pthread_attr_setschedparam(&attr, &param);
		pthread_attr_setaffinity_np(&attr, sizeof(cpu), &cpu);
		vcpus[i].run->immediate_exit = 0;
		errno = pthread_create(&vcpus[i].thread, &attr, run_vcpu, &vcpus[i]);
		if (errno)
			give_up("pthread_create");
		pthread_attr_destroy(&attr);
	}
}

static void stop(void)
{
	stopping = true;
	for (int i = 0; i < NR_VCPUS; i++) {
		vcpus[i].run->immediate_exit = 1;
		pthread_kill(vcpus[i].thread, SIGUSR1);
		pthread_join(vcpus[i].thread, NULL);
	}
}

/* send_events() - one on each port on which none is pending, so that each is one upcall more */
static void send_events(void)
{
	for (int i = 0; i < NR_VCPUS; i++)
		for (int port = TIMER_PORT + 1; port < NR_PORTS; port++) {
			struct kvm_irq_routing_xen_evtchn event = {
				.port = i * NR_PORTS + port,
				.vcpu = i,
				.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
			};

			if (count(i, port) != sent[i][port])
				continue;
			if (ioctl(vm, KVM_XEN_HVM_EVTCHN_SEND, &event))
				problem("event %u cannot be sent: %s", event.port, strerror(errno));
			sent[i][port]++;
		}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* await_events() - have all that were sent come, and no more? */
static void await_events(void)
{
	double deadline = now() + PATIENCE;
	bool all;

	do {
		usleep(1000);
		all = true;
		for (int i = 0; i < NR_VCPUS; i++)
			for (int port = TIMER_PORT + 1; port < NR_PORTS; port++)
				all = all && count(i, port) >= sent[i][port];
	} while (!all && now() < deadline);
	for (int i = 0; i < NR_VCPUS; i++)
		for (int port = TIMER_PORT + 1; port < NR_PORTS; port++)
			if (count(i, port) != sent[i][port])
				problem("vCPU %d: %u events were sent on port %d, and %u came", i,
					sent[i][port], port, count(i, port));
}

/*
 * await_timers() - is each timer as far as the guest's clock?
 *
 * The guest arms it for a time after the last one, so that it catches up with what it was
 * stopped for.  A VMM may make it expire twice, if KVM says that one is armed that has just
 * expired: @twice, how often that may have been.
 */
static void await_timers(unsigned int twice)
{
	double deadline = now() + PATIENCE;

	for (int i = 0; i < NR_VCPUS; i++) {
		struct kvm_clock_data clock;
		uint64_t next;

		do {
			usleep(1000);
			next = __atomic_load_n(&mailbox(i)->next, __ATOMIC_SEQ_CST);
			DO(vm, KVM_GET_CLOCK, &clock);
		} while (next + 5 * PERIOD < clock.clock && now() < deadline);
		if (next + 5 * PERIOD < clock.clock)
			problem("vCPU %d: its timer is late by %llu ns", i, clock.clock - next);
		if (next > clock.clock + (1 + twice) * PERIOD)
			problem("vCPU %d: its timer is ahead by %llu ns", i, next - clock.clock);
	}
}

/* keep() - a guest's life in as many VMs.  Return: was nothing lost? */
static bool keep(int rounds)
{
	static struct state before, state;
	uint64_t begun;

	problems = 0;
	begin(&state);
	begun = state.clock.clock;
	for (int round = 0; round < rounds && !problems; round++) {
		before = state;
		restore(&before);
		check_restored(&before);
		start();
		for (int us = 0; us < RUN_US; us += 5000) {
			send_events();
			usleep(5000);
		}
		stop();
		/* While nobody is there to take them */
		send_events();
		save(&state);
		check_runstates(&before, &state);
		if (round == rounds - 1) {
			start();
			await_events();
			await_timers(rounds);
			stop();
			save(&state);
			printf("# %s%s: %d VMs, %llu ms, %u and %u upcalls, %u and %u of the timer, %u times %u other events\n",
			       long_mode ? "64-bit" : "32-bit", by_hva ? ", by userspace address" : "",
			       rounds, (state.clock.clock - begun) / 1000000, mailbox(0)->upcalls,
			       mailbox(1)->upcalls, count(0, TIMER_PORT), count(1, TIMER_PORT),
			       NR_PORTS - TIMER_PORT - 1, sent[0][TIMER_PORT + 1]);
		}
		destroy_vm();
	}
	return !problems;
}

static void ignore(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	int rounds = argc == 2 ? atoi(argv[1]) : 0, results = 0, failures = 0;

	if (rounds < 1) {
		fprintf(stderr, "usage: restore ROUNDS\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Without SA_RESTART, so that it ends KVM_RUN */
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = ignore }, NULL);
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		give_up("/dev/kvm");
	run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	xen_flags = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);
	memory = mmap(NULL, MEMORY_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		give_up("mmap");
	printf("KTAP version 1\n1..%d\n", xen_flags & CONFIG_SHARED_INFO_HVA ? 4 : 2);
	for (int hva = 0; hva <= !!(xen_flags & CONFIG_SHARED_INFO_HVA); hva++)
		for (int mode = 0; mode < 2; mode++) {
			bool good;

			by_hva = hva;
			long_mode = mode;
			good = keep(rounds);
			failures += !good;
			printf("%s %d vcpu_info_by_%s_%s\n", good ? "ok" : "not ok", ++results, hva ? "hva" : "gpa",
			       mode ? "64" : "32");
		}
	return !!failures;
}
