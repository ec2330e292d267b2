/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What virt/kvm/pfncache.c needs of the kernel, for a program on the host: types,
 * lists, locks that know who holds them, and a VM whose memory the test controls.
 *
 * The program has one thread.  What another one would do meanwhile, the test does
 * in a hook, at a place where the kernel holds no lock, see enum place.
 */
#ifndef SHIM_H
#define SHIM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef EWOULDBLOCK
#define EWOULDBLOCK EAGAIN
#endif

typedef uint64_t u64;
typedef u64 gpa_t;
typedef u64 gfn_t;
typedef u64 kvm_pfn_t;
typedef unsigned long hva_t;

#define CONFIG_HAVE_KVM_PFNCACHE
#define __user
#define EXPORT_SYMBOL_GPL(name)
#define ____cacheline_aligned __attribute__((__aligned__(64)))
#define likely(x)		(x)
#define unlikely(x)		(x)
#define smp_rmb()		((void)0)
#define smp_wmb()		((void)0)
#define cond_resched()		((void)0)
#define might_sleep()		((void)0)
#define BIT_ULL(n)		(1ULL << (n))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN_DOWN(x)	((x) & PAGE_MASK)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define gpa_to_gfn(gpa)		((gfn_t)((gpa) >> PAGE_SHIFT))

#define INVALID_GPA		(~(gpa_t)0)
#define KVM_HVA_ERR_BAD		(~0UL << 48)
#define KVM_PFN_ERR_MASK	(0x7ffULL << 52)
#define KVM_PFN_ERR_FAULT	KVM_PFN_ERR_MASK
#define kvm_is_error_gpa(gpa)	((gpa) == INVALID_GPA)
#define kvm_is_error_hva(hva)	((hva) >= KVM_HVA_ERR_BAD)
#define is_error_noslot_pfn(pfn) (!!((pfn) & KVM_PFN_ERR_MASK))
#define access_ok(ptr, len)	((unsigned long)(ptr) + (len) <= 1UL << 47)

#define MAX_ERRNO		4095
static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-MAX_ERRNO;
}

/* A warning fails the test that sees it. */
extern unsigned int nr_warnings;
#define WARN_ON_ONCE(cond)						\
({									\
	bool __cond = !!(cond);						\
									\
	if (__cond) {							\
		nr_warnings++;						\
		printf("# %s:%d: WARN_ON_ONCE(%s)\n", __FILE__, __LINE__, #cond); \
	}								\
	__cond;								\
})
#define KVM_BUG_ON(cond, kvm)	WARN_ON_ONCE(cond)

/* Lists: include/linux/list.h, the part that is used */
struct list_head {
	struct list_head *next, *prev;
};

static inline void list_add(struct list_head *new, struct list_head *head)
{
	new->next = head->next;
	new->prev = head;
	head->next->prev = new;
	head->next = new;
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
}

#define list_for_each_entry(pos, head, member)				\
	for (pos = container_of((head)->next, typeof(*pos), member);	\
	     &pos->member != (head);					\
	     pos = container_of(pos->member.next, typeof(*pos), member))

/*
 * Locks.  With one thread, a lock that is not free when it is taken would never
 * become free.
 */
typedef struct {
	int writers, readers;
} rwlock_t;

struct mutex {
	rwlock_t lock;
};

typedef rwlock_t spinlock_t;

static inline void must(bool cond, const char *what)
{
	if (cond)
		return;
	printf("Bail out! %s\n", what);
	exit(1);
}

static inline void write_lock(rwlock_t *lock)
{
	must(!lock->writers && !lock->readers, "deadlock");
	lock->writers++;
}

static inline void write_unlock(rwlock_t *lock)
{
	must(lock->writers == 1, "unlocked what was not locked");
	lock->writers--;
}

static inline void read_lock(rwlock_t *lock)
{
	must(!lock->writers, "deadlock");
	lock->readers++;
}

static inline void read_unlock(rwlock_t *lock)
{
	must(lock->readers > 0, "unlocked what was not locked");
	lock->readers--;
}

static inline void unlock_mutex(struct mutex **mutex)
{
	write_unlock(&(*mutex)->lock);
}

static inline struct mutex *lock_mutex(struct mutex *mutex)
{
	write_lock(&mutex->lock);
	return mutex;
}

#define rwlock_init(l)			(*(l) = (rwlock_t){ 0 })
#define mutex_init(m)			rwlock_init(&(m)->lock)
#define write_lock_irq(l)		write_lock(l)
#define write_unlock_irq(l)		write_unlock(l)
#define read_lock_irq(l)		read_lock(l)
#define read_unlock_irq(l)		read_unlock(l)
#define read_lock_irqsave(l, flags)	((flags) = 0, read_lock(l))
#define read_unlock_irqrestore(l, flags) ((void)(flags), read_unlock(l))
#define spin_lock(l)			write_lock(l)
#define spin_unlock(l)			write_unlock(l)
/* As in <linux/cleanup.h>, for the one class that is used */
#define guard(class)			guard_##class
#define guard_mutex(m)							\
	struct mutex *__guard __attribute__((cleanup(unlock_mutex), unused)) = lock_mutex(m)
#define lockdep_assert_held(l)		\
	must(((rwlock_t *)(l))->writers || ((rwlock_t *)(l))->readers, "a lock is not held")
#define lockdep_assert_held_write(l)	must((l)->writers, "a lock is not held for write")

/* The VM: one memslot, and memory of the process outside of it */
struct kvm_memory_slot {
	gfn_t base_gfn;
	unsigned long npages;
	unsigned long userspace_addr;
};

struct kvm_memslots {
	u64 generation;
	struct kvm_memory_slot slot;
};

struct mmu_notifier {
	int unused;
};

struct kvm {
	struct kvm_memslots memslots;
	spinlock_t gpc_lock;
	struct list_head gpc_list;
	struct mmu_notifier mmu_notifier;
	rwlock_t mmu_lock;
	spinlock_t mn_invalidate_lock;
	unsigned long mn_active_invalidate_count;
	unsigned long mmu_invalidate_seq;
	long mmu_invalidate_in_progress;
	gfn_t mmu_invalidate_range_start;
	unsigned long gpc_invalidate_seq;
};

#define kvm_memslots(kvm)		(&(kvm)->memslots)

static inline struct kvm_memory_slot *__gfn_to_memslot(struct kvm_memslots *slots, gfn_t gfn)
{
	struct kvm_memory_slot *slot = &slots->slot;

	return gfn - slot->base_gfn < slot->npages ? slot : NULL;
}

static inline unsigned long gfn_to_hva_memslot(struct kvm_memory_slot *slot, gfn_t gfn)
{
	if (!slot)
		return KVM_HVA_ERR_BAD;
	return slot->userspace_addr + (gfn - slot->base_gfn) * PAGE_SIZE;
}

/*
 * Pages, by their pfn.  @refs and @maps are what the cache holds of each, and
 * have to come back to zero.
 */
struct page {
	int refs, maps;
	char data[16];
};

#define NR_PAGES 8
extern struct page pages[NR_PAGES];

#define pfn_valid(pfn)			((pfn) < NR_PAGES)
#define pfn_to_page(pfn)		(&pages[pfn])

/* The kernel's address of a page is the pfn, for none of the code looks there. */
static inline void *kmap(struct page *page)
{
	page->maps++;
	return (void *)((page - pages + 1) * PAGE_SIZE);
}

static inline void kunmap(struct page *page)
{
	must(page->maps > 0, "unmapped what was not mapped");
	page->maps--;
}

static inline void put_ref(struct page *page)
{
	must(page->refs > 0, "put a reference that was not held");
	page->refs--;
}

#define kvm_release_page_clean(page)	put_ref(page)
#define kvm_release_page_unused(page)	put_ref(page)
#define kvm_release_pfn_clean(pfn)	put_ref(pfn_to_page(pfn))
#define FOLL_WRITE			1

struct module;

#endif
