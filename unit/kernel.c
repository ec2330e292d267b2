// SPDX-License-Identifier: GPL-2.0
/*
 * kernel.c - the kernel's own virt/kvm/pfncache.c and MMU notifier, and gpc.h on top
 *
 * scripts/unit.sh takes the parts from the tree: gpc_struct.h and gpc_api.h are cut
 * out of include/linux, notifier.c out of virt/kvm/kvm_main.c.
 */
#include <string.h>

#include "gpc.h"
#include "vm.h"
#include "gpc_api.h"
#include "virt/kvm/pfncache.c"

/* What the MMU notifier calls */
struct mmu_notifier_range {
	unsigned long start, end;
};

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define ON_LOCK_ARGS(kvm, range)	kvm
struct kvm_mmu_notifier_range {
	u64 start, end;
	void *handler;
	void (*on_lock)(struct kvm *kvm);
	bool flush_on_ret, may_block;
};

static void kvm_mmu_invalidate_start(struct kvm *kvm)
{
	kvm->mmu_invalidate_in_progress++;
	kvm->mmu_invalidate_range_start = 0;
}
#define kvm_mmu_invalidate_begin	kvm_mmu_invalidate_start
#else
#define ON_LOCK_ARGS(kvm, range)	kvm, (range)->start, (range)->end
#define __pte(x)			(x)
#define kvm_unmap_gfn_range		NULL
struct kvm_hva_range {
	unsigned long start, end;
	int pte;
	void *handler;
	void (*on_lock)(struct kvm *kvm, unsigned long start, unsigned long end);
	void (*on_unlock)(struct kvm *kvm);
	bool flush_on_ret, may_block;
};
#define kvm_mmu_notifier_range		kvm_hva_range

static void kvm_mmu_invalidate_begin(struct kvm *kvm, unsigned long start, unsigned long end)
{
	(void)start, (void)end;
	kvm->mmu_invalidate_in_progress++;
}
#endif

struct found {
	bool found_memslot;
};

#define mmu_notifier_to_kvm(mn)		container_of(mn, struct kvm, mmu_notifier)
#define mmu_notifier_range_blockable(r)	true
#define trace_kvm_unmap_hva_range(start, end)
#define kvm_arch_guest_memory_reclaimed reclaimed
#define rcuwait_wake_up(wait)		((void)0)
#define kvm_mmu_unmap_gfn_range		NULL
#define kvm_null_fn			NULL

static inline void reclaimed(struct kvm *kvm)
{
	(void)kvm;
}

/* Calls @on_lock if, and only if, the range overlaps a memslot, as KVM does. */
static struct found kvm_handle_hva_range(struct kvm *kvm,
					 const struct kvm_mmu_notifier_range *range)
{
	struct kvm_memory_slot *slot = &kvm_memslots(kvm)->slot;
	unsigned long end = slot->userspace_addr + slot->npages * PAGE_SIZE;
	bool overlaps = range->start < end && range->end > slot->userspace_addr;

	if (overlaps) {
		write_lock(&kvm->mmu_lock);
		range->on_lock(ON_LOCK_ARGS(kvm, range));
		write_unlock(&kvm->mmu_lock);
	}
	return (struct found){ overlaps };
}
#define __kvm_handle_hva_range		kvm_handle_hva_range

#include "notifier.c"

void invalidate_range_start(unsigned long start, unsigned long end)
{
	struct mmu_notifier_range range = { start, end };

	kvm_mmu_notifier_invalidate_range_start(&kvm.mmu_notifier, &range);
}

void invalidate_range_end(unsigned long start, unsigned long end)
{
	struct mmu_notifier_range range = { start, end };

	kvm_mmu_notifier_invalidate_range_end(&kvm.mmu_notifier, &range);
}

/* The differences between the kernels */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define IS_HVA(gpc)		kvm_is_error_gpa((gpc)->gpa)
#define init(gpc)		kvm_gpc_init(gpc, &kvm)
#else
#define IS_HVA(gpc)		false
#define kvm_gpc_activate_hva(gpc, hva, len) ((void)(gpc), (void)(hva), (void)(len), -ENOTTY)
static struct kvm_vcpu vcpu = { .vcpu_idx = 3 };
#ifdef PATCHED
#define init(gpc)		kvm_gpc_init(gpc, &kvm, &vcpu, KVM_GUEST_AND_HOST_USE_PFN)
#else
#define init(gpc)		kvm_gpc_init(gpc)
#define activate(gpc, gpa, len)	\
	kvm_gpc_activate(&kvm, gpc, &vcpu, KVM_GUEST_AND_HOST_USE_PFN, gpa, len)
#define deactivate(gpc)		kvm_gpc_deactivate(&kvm, gpc)
#define refresh(gpc, len)	refresh_at(gpc, len)
#define check(gpc, len)		kvm_gfn_to_pfn_cache_check(&kvm, gpc, (gpc)->gpa, len)

static int refresh_at(struct gfn_to_pfn_cache *gpc, unsigned long len)
{
	gpa_t gpa = gpc->gpa;

	/* The callers read the address with no lock held. */
	point();
	return kvm_gfn_to_pfn_cache_refresh(&kvm, gpc, gpa, len);
}
#endif
#endif

#ifndef activate
#define activate(gpc, gpa, len)	kvm_gpc_activate(gpc, gpa, len)
#define deactivate(gpc)		kvm_gpc_deactivate(gpc)
#ifdef PATCHED
#define refresh(gpc, len)	((void)(len), kvm_gpc_refresh(gpc))
#define check(gpc, len)		((void)(len), kvm_gpc_check(gpc))
#else
#define refresh(gpc, len)	kvm_gpc_refresh(gpc, len)
#define check(gpc, len)		kvm_gpc_check(gpc, len)
#endif
#endif

void cache_init(struct cache *cache)
{
	memset(cache, 0, sizeof(*cache));
	lock_init(&cache->owner);
	init(&cache->gpc);
}

int cache_activate(struct cache *cache, gpa_t gpa, unsigned long len)
{
	int r;

	lock_take(&cache->owner, LOCK_WRITE | LOCK_SLEEPS);
	lock_take(&srcu, LOCK_READ | LOCK_SLEEPS);
	r = activate(&cache->gpc, gpa, len);
	if (r != -EINVAL)
		cache->len = len;
	lock_drop(&srcu, LOCK_READ | LOCK_SLEEPS);
	lock_drop(&cache->owner, LOCK_WRITE | LOCK_SLEEPS);
	return r;
}

int cache_activate_hva(struct cache *cache, unsigned long hva, unsigned long len)
{
	int r;

	lock_take(&cache->owner, LOCK_WRITE | LOCK_SLEEPS);
	lock_take(&srcu, LOCK_READ | LOCK_SLEEPS);
	r = kvm_gpc_activate_hva(&cache->gpc, hva, len);
	if (r != -EINVAL)
		cache->len = len;
	lock_drop(&srcu, LOCK_READ | LOCK_SLEEPS);
	lock_drop(&cache->owner, LOCK_WRITE | LOCK_SLEEPS);
	return r;
}

int cache_refresh(struct cache *cache)
{
	int r;

	lock_take(&srcu, LOCK_READ | LOCK_SLEEPS);
	r = refresh(&cache->gpc, cache->len);
	lock_drop(&srcu, LOCK_READ | LOCK_SLEEPS);
	return r;
}

void cache_deactivate(struct cache *cache)
{
	lock_take(&cache->owner, LOCK_WRITE | LOCK_SLEEPS);
	deactivate(&cache->gpc);
	lock_drop(&cache->owner, LOCK_WRITE | LOCK_SLEEPS);
}

bool caches_are_gone(void)
{
#ifdef SCALING
	return !kvm.gpc_tree.first;
#else
	return kvm.gpc_list.next == &kvm.gpc_list;
#endif
}

bool cache_check(struct cache *cache)
{
	return check(&cache->gpc, cache->len);
}

u64 cache_address(struct cache *cache, bool *hva)
{
	*hva = IS_HVA(&cache->gpc);
	return *hva ? cache->gpc.uhva : cache->gpc.gpa;
}

/* What an access may touch: the cache knows it, or its owner had better. */
static unsigned long length(const struct cache *cache)
{
#ifdef PATCHED
	return cache->gpc.len;
#else
	return cache->len;
#endif
}

/* With the lock held and the cache valid: does @khva lead to what userspace has there? */
static bool mapping_holds(struct cache *cache, const char *khva, unsigned long len)
{
	struct gfn_to_pfn_cache *gpc = &cache->gpc;
	unsigned long offset = offset_in_page(IS_HVA(gpc) ? gpc->uhva : gpc->gpa);
	int page = user_page(gpc->uhva);
	struct kvm_memslots *slots = kvm_memslots(&kvm);
	struct kvm_memory_slot *slot;
	const char *frame;

	if (page < 0 || user_pfn(page) != gpc->pfn) {
		fail("valid for pfn %#llx, which userspace does not have there",
		     (unsigned long long)gpc->pfn);
		return false;
	}
	frame = khva_of(gpc->pfn);
	if (!frame || khva != frame + offset) {
		fail("valid with the address of something else");
		return false;
	}
	if (offset + len > PAGE_SIZE) {
		fail("valid across the end of the page");
		return false;
	}
	/* New memslots since the check are not seen before the next one. */
	if (IS_HVA(gpc) || slots->generation != gpc->generation)
		return true;
	slot = __gfn_to_memslot(slots, gpa_to_gfn(gpc->gpa));
	if (gfn_to_hva_memslot(slot, gpa_to_gfn(gpc->gpa)) != PAGE_ALIGN_DOWN(gpc->uhva)) {
		fail("valid for %#lx, which is not where the memslot has the gpa", gpc->uhva);
		return false;
	}
	return true;
}

/* Write @byte to all of the cache's range, which is mapped at @khva */
static void write_range(struct cache *cache, char *khva, u8 byte)
{
	unsigned long len = length(cache);

	/* The access takes its time, and the lock keeps the page there. */
	point();
	if (mapping_holds(cache, khva, len)) {
		/* Guest memory: others may write, too, but nobody who got the page anew. */
		while (len--)
			__atomic_store_n(khva++, byte, __ATOMIC_RELAXED);
	}
}

#ifdef PATCHED
static int update(struct cache *cache, u8 byte)
{
	/* Only with the lock held is the length known that goes with the address. */
	CLASS(kvm_gpc_map_local, map)(&cache->gpc, 0, MIN_LEN);
	if (!map.ret)
		write_range(cache, map.khva, byte);
	return map.ret;
}

static int try_update(struct cache *cache, u8 byte)
{
	CLASS(kvm_gpc_map_local_try, map)(&cache->gpc, 0, MIN_LEN);
	if (!map.ret)
		write_range(cache, map.khva, byte);
	return map.ret;
}
#else
/* The loop that each user of stock has, or is without if it may not sleep */
static int update_or_try(struct cache *cache, u8 byte, bool atomic)
{
	struct gfn_to_pfn_cache *gpc = &cache->gpc;
	unsigned long flags;
	int r;

	read_lock_irqsave(&gpc->lock, flags);
	while (!cache_check(cache)) {
		read_unlock_irqrestore(&gpc->lock, flags);
		r = atomic ? -EWOULDBLOCK : refresh(gpc, cache->len);
		if (r)
			return r;
		read_lock_irqsave(&gpc->lock, flags);
	}
	write_range(cache, gpc->khva, byte);
	read_unlock_irqrestore(&gpc->lock, flags);
	return 0;
}
#define update(cache, byte)	update_or_try(cache, byte, false)
#define try_update(cache, byte)	update_or_try(cache, byte, true)
#endif

int cache_update(struct cache *cache, u8 byte, bool atomic)
{
	int r;

	lock_take(&srcu, LOCK_READ | LOCK_SLEEPS);
	r = atomic ? try_update(cache, byte) : update(cache, byte);
	lock_drop(&srcu, LOCK_READ | LOCK_SLEEPS);
	return r;
}

#ifdef PATCHED
int cache_access(struct cache *cache, unsigned long offset, unsigned long size)
{
	int r;

	lock_take(&srcu, LOCK_READ | LOCK_SLEEPS);
	{
		CLASS(kvm_gpc_map_local_try, map)(&cache->gpc, offset, size);
		r = map.ret;
	}
	CLASS(kvm_gpc_map_local, map)(&cache->gpc, offset, size);
	if (map.ret != r)
		fail("one way refuses what the other one allows");
	lock_drop(&srcu, LOCK_READ | LOCK_SLEEPS);
	return r;
}
#endif

/*
 * Is the cache where invalidations find it?  In the tree, that is where its page is;
 * one that was not looked up yet need not be there.
 */
#ifdef SCALING
static bool is_listed(struct gfn_to_pfn_cache *gpc)
{
	return gpc->node.tree == &kvm.gpc_tree &&
	       (gpc->node.start == PAGE_ALIGN_DOWN(gpc->uhva) || !gpc->valid);
}

#define may_be_unlisted(gpc)	(!(gpc)->valid)
#define list_lock		mn_invalidate_lock
#else
static bool is_listed(struct gfn_to_pfn_cache *gpc)
{
	struct list_head *entry;

	for (entry = kvm.gpc_list.next; entry != &kvm.gpc_list; entry = entry->next) {
		if (entry == &gpc->list)
			return true;
	}
	return false;
}

#define may_be_unlisted(gpc)	false
#define list_lock		gpc_lock
#endif

void cache_invariants(struct cache *cache)
{
	struct gfn_to_pfn_cache *gpc = &cache->gpc;
	bool changing = gpc->refresh_lock.lock.writer || kvm.list_lock.writer;

	/* Whoever holds it for write is about to change what is looked at here. */
	if (gpc->lock.writer)
		return;

	gpc->lock.readers++;
	if (cache_check(cache)) {
		mapping_holds(cache, gpc->khva, length(cache));
		if (!gpc->active)
			fail("valid, but not active");
	}
	gpc->lock.readers--;

	if (!changing && !cache->owner.writer && gpc->active != is_listed(gpc) &&
	    !(gpc->active && may_be_unlisted(gpc)))
		fail(gpc->active ? "active, but not on the list" : "on the list, but not active");

#ifdef PATCHED
	/* What the series states next to the struct */
	if (gpc->valid && !gpc->active)
		fail("marked valid, but not active");
	if (gpc->valid && !kvm.list_lock.writer && !is_listed(gpc))
		fail("marked valid, but not on the list");
	if (!gpc->khva != !!is_error_noslot_pfn(gpc->pfn))
		fail("an address without a pfn, or a pfn without an address");
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	if (!gpc->active && gpc->khva)
		fail("mapped, but not active");
#endif
#endif
}
