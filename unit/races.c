// SPDX-License-Identifier: GPL-2.0
/*
 * Deterministic schedules of what can happen between the moment that a refresh of
 * a gfn_to_pfn_cache looks up the page and the moment that it publishes it, run
 * on the kernel's own virt/kvm/pfncache.c and MMU notifier.
 *
 * scripts/unit.sh takes the kernel's parts from the tree: gpc_struct.h and gpc_api.h
 * are cut out of include/linux, notifier.c out of virt/kvm/kvm_main.c.
 */
#include "shim.h"
#include "gpc_struct.h"
#include "gpc_api.h"
#include "virt/kvm/pfncache.c"

/* The part of kvm_main.c that pfncache.c depends on, and what it needs */
struct mmu_notifier_range {
	unsigned long start, end;
};

struct kvm_mmu_notifier_range {
	u64 start, end;
	void *handler;
	void (*on_lock)(struct kvm *kvm);
	bool flush_on_ret, may_block, lockless;
};

struct found {
	bool found_memslot;
};

#define mmu_notifier_to_kvm(mn)		container_of(mn, struct kvm, mmu_notifier)
#define mmu_notifier_range_blockable(r)	true
#define trace_kvm_unmap_hva_range(start, end)
#define kvm_arch_guest_memory_reclaimed(kvm)
#define rcuwait_wake_up(wait)
#define kvm_mmu_unmap_gfn_range		NULL
#define kvm_null_fn			NULL

static void kvm_mmu_invalidate_start(struct kvm *kvm)
{
	kvm->mmu_invalidate_in_progress++;
	kvm->mmu_invalidate_range_start = 0;
}
#define kvm_mmu_invalidate_begin	kvm_mmu_invalidate_start

/* Calls @on_lock if, and only if, the range overlaps a memslot, as KVM does. */
static struct found kvm_handle_hva_range(struct kvm *kvm,
					 const struct kvm_mmu_notifier_range *range)
{
	struct kvm_memory_slot *slot = &kvm->memslots.slot;
	unsigned long end = slot->userspace_addr + slot->npages * PAGE_SIZE;
	bool overlaps = range->start < end && range->end > slot->userspace_addr;

	if (overlaps) {
		write_lock(&kvm->mmu_lock);
		range->on_lock(kvm);
		write_unlock(&kvm->mmu_lock);
	}
	return (struct found){ overlaps };
}
#define __kvm_handle_hva_range		kvm_handle_hva_range

#include "notifier.c"

#ifdef GPC_LEN_IS_ARGUMENT
#define refresh(gpc)	kvm_gpc_refresh(gpc, SIZE)
#define check(gpc)	kvm_gpc_check(gpc, SIZE)
#else
#define refresh(gpc)	kvm_gpc_refresh(gpc)
#define check(gpc)	kvm_gpc_check(gpc)
#endif

unsigned int nr_warnings;
struct page pages[NR_PAGES];

#define SIZE		64
#define SLOT_HVA	0x10000000UL
#define SLOT_GPA	0x1000UL
#define OTHER_HVA	0x20000000UL	/* in no memslot */

static struct kvm kvm;
static struct gfn_to_pfn_cache gpc;

/* What is mapped at SLOT_HVA and at OTHER_HVA, in userspace's page table */
static kvm_pfn_t slot_pfn, other_pfn;

/* What happens right after a refresh has looked up the page; once. */
static void (*after_lookup)(void);

static kvm_pfn_t look_up(unsigned long hva)
{
	kvm_pfn_t pfn = PAGE_ALIGN_DOWN(hva) == SLOT_HVA ? slot_pfn : other_pfn;
	void (*hook)(void) = after_lookup;

	pages[pfn].refs++;
	after_lookup = NULL;
	if (hook)
		hook();
	return pfn;
}

#ifdef HVA_TO_PFN_TAKES_STRUCT
kvm_pfn_t hva_to_pfn(struct kvm_follow_pfn *kfp)
{
	kvm_pfn_t pfn = look_up(kfp->hva);

	*kfp->refcounted_page = &pages[pfn];
	return pfn;
}
#else
kvm_pfn_t hva_to_pfn(unsigned long addr, bool atomic, bool interruptible,
		     bool *async, bool write_fault, bool *writable)
{
	(void)atomic, (void)interruptible, (void)async, (void)write_fault, (void)writable;
	return look_up(addr);
}
#endif

static void invalidate(unsigned long hva, kvm_pfn_t *mapped)
{
	struct mmu_notifier_range range = { hva, hva + PAGE_SIZE };

	kvm_mmu_notifier_invalidate_range_start(&kvm.mmu_notifier, &range);
	/* Userspace gets another page; the old one is somebody else's now. */
	(*mapped)++;
	kvm_mmu_notifier_invalidate_range_end(&kvm.mmu_notifier, &range);
}

static void invalidate_slot(void)
{
	invalidate(SLOT_HVA, &slot_pfn);
}

static void invalidate_other(void)
{
	invalidate(OTHER_HVA, &other_pfn);
}

static void move_memslot(void)
{
	kvm.memslots.generation++;
	kvm.memslots.slot.base_gfn += 16;
}

static bool is_valid(void)
{
	bool valid;

	read_lock(&gpc.lock);
	valid = check(&gpc);
	read_unlock(&gpc.lock);
	return valid;
}

/* A valid cache maps the page that userspace has now. */
static bool maps(kvm_pfn_t pfn)
{
	return !is_valid() || (gpc.pfn == pfn && pages[pfn].maps == 1);
}

static bool invalidated_in_memslot(void)
{
	after_lookup = invalidate_slot;
	return !kvm_gpc_activate(&gpc, SLOT_GPA + 8, SIZE) && is_valid() && maps(slot_pfn);
}

static bool invalidated_in_no_memslot(void)
{
	after_lookup = invalidate_other;
	return !kvm_gpc_activate_hva(&gpc, OTHER_HVA + 8, SIZE) && is_valid() && maps(other_pfn);
}

static bool invalidated_in_no_memslot_at_refresh(void)
{
	if (kvm_gpc_activate_hva(&gpc, OTHER_HVA, SIZE))
		return false;
	invalidate_other();
	if (is_valid())
		return false;
	after_lookup = invalidate_other;
	return !refresh(&gpc) && is_valid() && maps(other_pfn);
}

static bool unrelated_invalidation(void)
{
	after_lookup = invalidate_slot;
	return !kvm_gpc_activate_hva(&gpc, OTHER_HVA, SIZE) && is_valid() && maps(other_pfn);
}

static bool memslot_moved(void)
{
	after_lookup = move_memslot;
	return !kvm_gpc_activate(&gpc, SLOT_GPA, SIZE) && !is_valid() &&
	       refresh(&gpc) == -EFAULT && !is_valid();
}

static bool never_activated(void)
{
	return refresh(&gpc) == -EINVAL && !is_valid();
}

static bool deactivated(void)
{
	if (kvm_gpc_activate(&gpc, SLOT_GPA, SIZE))
		return false;
	kvm_gpc_deactivate(&gpc);
	return refresh(&gpc) == -EINVAL && !is_valid();
}

static const struct {
	const char *name;
	bool (*fn)(void);
} tests[] = {
	{ "invalidation between lookup and publication", invalidated_in_memslot },
	{ "invalidation outside of all memslots, at activation", invalidated_in_no_memslot },
	{ "invalidation outside of all memslots, at refresh",
	  invalidated_in_no_memslot_at_refresh },
	{ "invalidation of an unrelated page", unrelated_invalidation },
	{ "memslot moved between lookup and publication", memslot_moved },
	{ "refresh of a cache that was never activated", never_activated },
	{ "refresh of a cache that was deactivated", deactivated },
};

#define NR_TESTS (sizeof(tests) / sizeof(tests[0]))

int main(void)
{
	unsigned int i, j, nr_failed = 0;
	bool ok;

	printf("KTAP version 1\n1..%zu\n", NR_TESTS);
	for (i = 0; i < NR_TESTS; i++) {
		kvm = (struct kvm){
			.memslots.slot = { SLOT_GPA >> PAGE_SHIFT, 1, SLOT_HVA },
			.gpc_list = { &kvm.gpc_list, &kvm.gpc_list },
		};
		for (j = 0; j < NR_PAGES; j++)
			pages[j] = (struct page){ 0 };
		slot_pfn = 0;
		other_pfn = 4;
		after_lookup = NULL;
		nr_warnings = 0;
		gpc = (struct gfn_to_pfn_cache){ 0 };
		kvm_gpc_init(&gpc, &kvm);

		ok = tests[i].fn() && !nr_warnings;

		/* Nothing is left behind. */
		kvm_gpc_deactivate(&gpc);
		ok = ok && kvm.gpc_list.next == &kvm.gpc_list;
		for (j = 0; j < NR_PAGES; j++)
			ok = ok && !pages[j].refs && !pages[j].maps;

		printf("%s %u %s\n", ok ? "ok" : "not ok", i + 1, tests[i].name);
		nr_failed += !ok;
	}
	return !!nr_failed;
}
