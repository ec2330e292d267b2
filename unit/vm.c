// SPDX-License-Identifier: GPL-2.0
/*
 * vm.c - see vm.h; what is simple here is what the kernel does around the caches:
 * page tables, page frames, memslots and calls of the MMU notifier.
 */
#include <string.h>

#include "gpc.h"
#include "kvm_mm.h"
#include "vm.h"

/* Page frames; those from FIRST_IO on have no struct page. */
#define NR_FRAMES	24
#define FIRST_IO	16
#define NO_FRAME	-1

struct page {
	atomic_int refs, maps;
	char pad[56];
};

/* What userspace has at one page */
struct user_page {
	atomic_int frame;	/* in use or, not @present, to be used at the next touch */
	atomic_bool present;
	atomic_bool gone;
};

struct kvm kvm;
void (*before_lookup)(void);
void (*after_lookup)(void);
void (*while_zapped)(void);
atomic_ulong vcpus_kicked;

static struct page frames[NR_FRAMES];
static char memory[NR_FRAMES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct user_page user[USER_PAGES];
static struct lock page_table_lock;

static struct kvm_memslots slots[2];
static struct lock slots_lock;
struct lock srcu;

static atomic_uint nr_calls;
static unsigned int failing_call;
static bool lookups_fail;

unsigned long user_hva(unsigned int page)
{
	if (page < SLOT_PAGES)
		return SLOT_HVA + page * PAGE_SIZE;
	return OTHER_HVA + (page - SLOT_PAGES) * PAGE_SIZE;
}

int user_page(unsigned long hva)
{
	unsigned int page;

	for (page = 0; page < USER_PAGES; page++) {
		if (PAGE_ALIGN_DOWN(hva) == user_hva(page))
			return page;
	}
	return -1;
}

/* Another frame of the same sort, which nobody else in userspace has */
static int new_frame(unsigned int page)
{
	int first = page == IO_PAGE ? FIRST_IO : 0;
	int end = page == IO_PAGE ? NR_FRAMES : FIRST_IO;
	int frame = user[page].frame;
	unsigned int other;

	do {
		frame = frame >= first && frame + 1 < end ? frame + 1 : first;
		for (other = 0; other < USER_PAGES && user[other].frame != frame; other++)
			;
	} while (other < USER_PAGES);
	return frame;
}

static struct kvm_memory_slot make_slot(enum slot slot)
{
	switch (slot) {
	case SLOT_HOME:
		return (struct kvm_memory_slot){ SLOT_GFN, SLOT_PAGES, SLOT_HVA };
	case SLOT_MOVED:
		return (struct kvm_memory_slot){ SLOT_GFN + 16, SLOT_PAGES, SLOT_HVA };
	case SLOT_SHIFTED:
		return (struct kvm_memory_slot){
			SLOT_GFN, SLOT_PAGES - 1, SLOT_HVA + PAGE_SIZE };
	default:
		return (struct kvm_memory_slot){ 0 };
	}
}

unsigned long slot_hva(enum slot slot, gpa_t gpa)
{
	struct kvm_memslots all = { .slot = make_slot(slot) };

	return gfn_to_hva_memslot(__gfn_to_memslot(&all, gpa_to_gfn(gpa)), gpa_to_gfn(gpa));
}

void vm_reset(void)
{
	unsigned int page;

	memset(&kvm, 0, sizeof(kvm));
	lock_init(&kvm.gpc_lock);
	lock_init(&kvm.mmu_lock);
	lock_init(&kvm.mn_invalidate_lock);
	lock_init(&page_table_lock);
	lock_init(&slots_lock);
	lock_init(&srcu);
	INIT_LIST_HEAD(&kvm.gpc_list);
	wait_init(&kvm.gpc_wait);
	slots[0].generation = 0;
	slots[0].slot = make_slot(SLOT_HOME);
	kvm.memslots = &slots[0];

	memset(frames, 0, sizeof(frames));
	memset(memory, 0, sizeof(memory));
	for (page = 0; page < USER_PAGES; page++)
		user[page].frame = NO_FRAME;
	for (page = 0; page < USER_PAGES; page++) {
		user[page].frame = new_frame(page);
		user[page].present = true;
		user[page].gone = false;
	}

	vm_fail_call(0);
	lookups_fail = false;
	before_lookup = NULL;
	after_lookup = NULL;
	while_zapped = NULL;
	vcpus_kicked = 0;
}

void vm_fail_call(unsigned int nth)
{
	failing_call = nth;
	nr_calls = 0;
}

unsigned int vm_calls(void)
{
	return nr_calls;
}

void vm_fail_lookups(bool fail)
{
	lookups_fail = fail;
}

/* Is this the call that is to fail? */
static bool call_fails(void)
{
	return ++nr_calls == failing_call;
}

kvm_pfn_t user_pfn(unsigned int page)
{
	return user[page].present ? (kvm_pfn_t)user[page].frame : KVM_PFN_ERR_FAULT;
}

void *khva_of(kvm_pfn_t pfn)
{
	return pfn < NR_FRAMES && frames[pfn].maps ? memory[pfn] : NULL;
}

void vm_balanced(void)
{
	int frame;

	for (frame = 0; frame < NR_FRAMES; frame++) {
		if (frames[frame].refs)
			fail("page frame %d has %d references left", frame, frames[frame].refs);
		if (frames[frame].maps)
			fail("page frame %d is mapped %d times still", frame, frames[frame].maps);
	}
}

/* What pfncache.c does with page frames */
bool pfn_valid(kvm_pfn_t pfn)
{
	return pfn < FIRST_IO;
}

struct page *pfn_to_page(kvm_pfn_t pfn)
{
	return &frames[pfn];
}

static void unmap(int frame)
{
	might_sleep();
	point();
	if (frames[frame].maps-- <= 0)
		fail("unmapped page frame %d, which is not mapped", frame);
}

/* On x86 it does not fail, but its caller has a way to go on if it does. */
void *kmap(struct page *page)
{
	might_sleep();
	if (call_fails())
		return NULL;
	page->maps++;
	point();
	return memory[page - frames];
}

void kunmap(struct page *page)
{
	unmap(page - frames);
}

void *memremap(u64 hpa, unsigned long size, int flags)
{
	u64 pfn = hpa >> PAGE_SHIFT;

	might_sleep();
	if (size != PAGE_SIZE || flags != MEMREMAP_WB || pfn < FIRST_IO || pfn >= NR_FRAMES)
		fail("mapped what is no device memory");
	if (call_fails())
		return NULL;
	frames[pfn].maps++;
	point();
	return memory[pfn];
}

void memunmap(void *addr)
{
	unmap((int)(((char *)addr - memory[0]) / (long)PAGE_SIZE));
}

void put_page(struct page *page)
{
	/* Device memory has no page to be put. */
	if (page && page->refs-- <= 0)
		fail("put a reference to page frame %d that was not held", (int)(page - frames));
}

void put_pfn(kvm_pfn_t pfn)
{
	put_page(pfn_valid(pfn) ? pfn_to_page(pfn) : NULL);
}

/* Find the page and take a reference to it, as get_user_pages() does. */
static kvm_pfn_t look_up(unsigned long hva)
{
	void (*before)(void) = before_lookup;
	void (*after)(void) = after_lookup;
	kvm_pfn_t pfn = KVM_PFN_ERR_FAULT;
	int page = user_page(hva);

	might_sleep();
	if (before) {
		before_lookup = NULL;
		before();
	}
	point();
	lock_take(&page_table_lock, LOCK_WRITE);
	if (!call_fails() && !lookups_fail && page >= 0 && !user[page].gone) {
		user[page].present = true;
		pfn = user[page].frame;
		if (pfn_valid(pfn))
			frames[pfn].refs++;
	}
	lock_drop(&page_table_lock, LOCK_WRITE);
	point();
	if (after) {
		after_lookup = NULL;
		after();
	}
	return pfn;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
kvm_pfn_t hva_to_pfn(struct kvm_follow_pfn *kfp)
{
	kvm_pfn_t pfn = look_up(kfp->hva);

	if (kfp->flags != FOLL_WRITE)
		fail("the page was not asked for to be written");
	*kfp->refcounted_page = pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;
	return pfn;
}
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
kvm_pfn_t hva_to_pfn(unsigned long addr, bool atomic, bool interruptible,
		     bool *async, bool write_fault, bool *writable)
{
	if (atomic || interruptible || async || !write_fault || writable)
		fail("the page was not asked for to be written");
	return look_up(addr);
}
#else
kvm_pfn_t hva_to_pfn(unsigned long addr, bool atomic, bool *async,
		     bool write_fault, bool *writable)
{
	if (atomic || async || !write_fault || writable)
		fail("the page was not asked for to be written");
	return look_up(addr);
}
#endif

bool kvm_make_vcpus_request_mask(struct kvm *vm, unsigned int req, unsigned long *mask)
{
	if (vm != &kvm)
		fail("made a request in no VM");
	might_sleep();
	vcpus_kicked |= mask[0];
	/* Says whether a vCPU had to be interrupted, when nobody waits for it. */
	return req & KVM_REQUEST_WAIT;
}

/* What userspace does */
void vm_zap(unsigned int page, enum zap how)
{
	unsigned long hva = user_hva(page);
	struct user_page *pte = &user[page];

	invalidate_range_start(hva, hva + PAGE_SIZE);
	lock_take(&page_table_lock, LOCK_WRITE);
	/* From here on the frame is somebody else's, who writes to it. */
	if (pte->present && how != ZAP_SAME)
		memset(memory[pte->frame], 0xff, PAGE_SIZE);
	pte->present = false;
	if (how == ZAP_GONE)
		pte->gone = true;
	else if (how != ZAP_SAME)
		pte->frame = new_frame(page);
	lock_drop(&page_table_lock, LOCK_WRITE);
	point();
	if (how == ZAP_AND && while_zapped)
		while_zapped();
	invalidate_range_end(hva, hva + PAGE_SIZE);
}

void vm_map(unsigned int page)
{
	lock_take(&page_table_lock, LOCK_WRITE);
	if (user[page].gone) {
		user[page].gone = false;
		user[page].frame = new_frame(page);
	}
	lock_drop(&page_table_lock, LOCK_WRITE);
}

/*
 * kvm_swap_active_memslots(): published between invalidations alone, with a
 * generation that says so until all readers of the old ones are gone.
 */
static void swap_memslots(struct kvm_memory_slot slot)
{
	const u64 in_progress = 1ULL << 63;
	struct kvm_memslots *old = kvm.memslots;
	struct kvm_memslots *new = old == &slots[0] ? &slots[1] : &slots[0];

	new->slot = slot;
	new->generation = old->generation | in_progress;

	for (;;) {
		lock_take(&kvm.mn_invalidate_lock, LOCK_WRITE);
		if (!kvm.mn_active_invalidate_count)
			break;
		lock_drop(&kvm.mn_invalidate_lock, LOCK_WRITE);
		pause_here();
	}
	kvm.memslots = new;
	lock_drop(&kvm.mn_invalidate_lock, LOCK_WRITE);

	/* synchronize_srcu() */
	lock_take(&srcu, LOCK_WRITE | LOCK_SLEEPS);
	lock_drop(&srcu, LOCK_WRITE | LOCK_SLEEPS);

	new->generation = (new->generation & ~in_progress) + 1;
}

/*
 * kvm_set_memslot(): one that goes or moves is marked first, until nobody uses it, and
 * overlaps with invalidations meanwhile.
 */
void vm_set_slot(enum slot slot)
{
	struct kvm_memory_slot old, new = make_slot(slot);

	lock_take(&slots_lock, LOCK_WRITE | LOCK_SLEEPS);
	old = kvm_memslots(&kvm)->slot;
	if (old.npages && (old.base_gfn != new.base_gfn || old.npages != new.npages)) {
		old.flags = KVM_MEMSLOT_INVALID;
		swap_memslots(old);
	}
	swap_memslots(new);
	lock_drop(&slots_lock, LOCK_WRITE | LOCK_SLEEPS);
}
