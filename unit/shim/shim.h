/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What virt/kvm/pfncache.c, the gpc's part of kvm_host.h and the MMU notifier of
 * kvm_main.c need of the kernel, for a program on the host: types, lists, locks
 * from lock.h, and a VM from vm.h.  Nothing here knows how a cache works.
 */
#ifndef SHIM_H
#define SHIM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lock.h"

#define KERNEL_VERSION(a, b, c)	(((a) << 16) + ((b) << 8) + (c))

#ifndef EWOULDBLOCK
#define EWOULDBLOCK EAGAIN
#endif

typedef uint64_t u64;
typedef uint8_t u8;
typedef u64 gpa_t;
typedef u64 gfn_t;
typedef u64 kvm_pfn_t;

#define CONFIG_HAVE_KVM_PFNCACHE
#define CONFIG_HAS_IOMEM
#define __user
#define EXPORT_SYMBOL_GPL(name)
#define ERESTARTSYS		512
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define ____cacheline_aligned __attribute__((__aligned__(64)))
#define noinline
#define IS_ENABLED(option)	0
#define likely(x)		(x)
#define unlikely(x)		(x)
#define BIT(n)			(1UL << (n))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/*
 * The programs run one thread at a time, or under a checker that does not know
 * barriers: what they order is atomic in struct kvm, and each is a place where
 * another thread may come in between.
 */
#define smp_rmb()		point()
#define smp_wmb()		point()
#define cond_resched()		pause_here()

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PAGE_ALIGN_DOWN(x)	((x) & PAGE_MASK)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define gpa_to_gfn(gpa)		((gfn_t)((gpa) >> PAGE_SHIFT))
#define pfn_to_hpa(pfn)		((pfn) << PAGE_SHIFT)

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

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-MAX_ERRNO;
}

static inline int PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? PTR_ERR(ptr) : 0;
}

/* A warning fails the test that sees it, unless that test counts it as wanted. */
__attribute__((format(printf, 1, 2)))
void warned(const char *fmt, ...);
#define WARN_ON_ONCE(cond)				\
({							\
	bool __cond = !!(cond);				\
							\
	if (__cond)					\
		warned("%s:%d: WARN_ON_ONCE(%s)", __FILE__, __LINE__, #cond); \
	__cond;						\
})
#define KVM_BUG_ON(cond, kvm)	WARN_ON_ONCE(cond)
#define BUG_ON(cond)		WARN_ON_ONCE(cond)

/* include/linux/list.h, the part that is used */
struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

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
 * include/linux/interval_tree.h, without the speed of a tree but strict: a node is in
 * one tree or in none, and does not change while it is in one.
 */
struct rb_root_cached {
	struct interval_tree_node *first;
};

struct interval_tree_node {
	unsigned long start, last;
	struct interval_tree_node *next;
	struct rb_root_cached *tree;
	unsigned long start_in_tree, last_in_tree;
};

static inline void interval_tree_insert(struct interval_tree_node *node,
					struct rb_root_cached *tree)
{
	if (node->tree)
		fail("put into a tree while it is in one");
	if (node->start > node->last)
		fail("an interval that ends ahead of its start");
	node->tree = tree;
	node->start_in_tree = node->start;
	node->last_in_tree = node->last;
	node->next = tree->first;
	tree->first = node;
}

static inline void interval_tree_unchanged(const struct interval_tree_node *node)
{
	if (node->start != node->start_in_tree || node->last != node->last_in_tree)
		fail("changed while it is in a tree");
}

static inline void interval_tree_remove(struct interval_tree_node *node,
					struct rb_root_cached *tree)
{
	struct interval_tree_node **link = &tree->first;

	while (*link && *link != node)
		link = &(*link)->next;
	if (!*link || node->tree != tree) {
		fail("taken from a tree that it is not in");
		return;
	}
	interval_tree_unchanged(node);
	*link = node->next;
	node->tree = NULL;
}

static inline struct interval_tree_node *
interval_tree_search(struct interval_tree_node *node, unsigned long start, unsigned long last)
{
	for (; node; node = node->next) {
		interval_tree_unchanged(node);
		if (node->start_in_tree <= last && node->last_in_tree >= start)
			return node;
	}
	return NULL;
}

#define interval_tree_iter_first(tree, start, last) \
	interval_tree_search((tree)->first, start, last)
#define interval_tree_iter_next(node, start, last) \
	interval_tree_search((node)->next, start, last)

/* Locks: those that spin forbid to sleep, see might_sleep() */
typedef struct lock rwlock_t;
typedef struct lock spinlock_t;

struct mutex {
	struct lock lock;
};

static inline void unlock_mutex(struct mutex **mutex)
{
	lock_drop(&(*mutex)->lock, LOCK_WRITE | LOCK_SLEEPS);
}

static inline struct mutex *lock_mutex(struct mutex *mutex)
{
	lock_take(&mutex->lock, LOCK_WRITE | LOCK_SLEEPS);
	return mutex;
}

#define rwlock_init(l)			lock_init(l)
#define mutex_init(m)			lock_init(&(m)->lock)
#define write_lock(l)			lock_take(l, LOCK_WRITE)
#define write_unlock(l)			lock_drop(l, LOCK_WRITE)
#define read_lock(l)			lock_take(l, LOCK_READ)
#define read_trylock(l)			lock_try(l)
#define read_unlock(l)			lock_drop(l, LOCK_READ)
#define write_lock_irq(l)		write_lock(l)
#define write_unlock_irq(l)		write_unlock(l)
#define read_lock_irq(l)		read_lock(l)
#define read_unlock_irq(l)		read_unlock(l)
#define local_irq_save(flags)		((void)((flags) = 0))
#define local_irq_restore(flags)	((void)(flags))
#define read_lock_irqsave(l, flags)	((flags) = 0, read_lock(l))
#define read_unlock_irqrestore(l, flags) ((void)(flags), read_unlock(l))
#define spin_lock(l)			write_lock(l)
#define spin_unlock(l)			write_unlock(l)
#define mutex_lock(m)			((void)lock_mutex(m))
#define mutex_unlock(m)			lock_drop(&(m)->lock, LOCK_WRITE | LOCK_SLEEPS)
/* As in <linux/cleanup.h>: guards for the classes that are used, and classes */
static inline void unlock_spinlock(spinlock_t **lock)
{
	lock_drop(*lock, LOCK_WRITE);
}

static inline spinlock_t *lock_spinlock(spinlock_t *lock)
{
	lock_take(lock, LOCK_WRITE);
	return lock;
}

#define guard(class)			guard_##class
#define guard_spinlock(l)						\
	spinlock_t *__spinlock __attribute__((cleanup(unlock_spinlock), unused)) = \
		lock_spinlock(l)
#define scoped_guard(class, l)		scoped_guard_##class(l)
#define scoped_guard_spinlock(l)					\
	for (spinlock_t *__spinlock __attribute__((cleanup(unlock_spinlock))) = \
		lock_spinlock(l), *__done = NULL; !__done; __done = __spinlock)
#define guard_mutex(m)							\
	struct mutex *__guard __attribute__((cleanup(unlock_mutex), unused)) = lock_mutex(m)
#define DEFINE_CLASS(name, type, exit, init, args...)			\
typedef type class_##name##_t;						\
static inline void class_##name##_destructor(type *p) { type _T = *p; exit; }	\
static inline type class_##name##_constructor(args) { return init; }
#define EXTEND_CLASS(name, ext, init, args...)				\
typedef class_##name##_t class_##name##ext##_t;				\
static inline void class_##name##ext##_destructor(class_##name##_t *p)	\
{ class_##name##_destructor(p); }					\
static inline class_##name##_t class_##name##ext##_constructor(args) { return init; }
#define CLASS(name, var)						\
	class_##name##_t var __attribute__((cleanup(class_##name##_destructor))) = \
	class_##name##_constructor
/* The lock is the first member of a mutex. */
#define WRITE_ONCE(x, v)		__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
/* For sparse alone */
#define __acquire(l)			((void)0)
#define __release(l)			((void)0)
#define __releases(l)
#define lockdep_assert_held(l)		lock_assert((struct lock *)(l), LOCK_READ)
#define lockdep_assert_held_write(l)	lock_assert((struct lock *)(l), LOCK_WRITE)

/* As in include/linux/wait.h: whether one was killed is asked ahead of the condition. */
typedef struct wait_queue wait_queue_head_t;
#define wait_event_killable(queue, condition)				\
({									\
	struct waiter __waiter = { 0 };					\
	int __ret = 0;							\
									\
	might_sleep();							\
	if (!(condition)) {						\
		for (;;) {						\
			bool __killed = !wait_prepare(&(queue), &__waiter); \
									\
			if (condition)					\
				break;					\
			if (__killed) {					\
				__ret = -ERESTARTSYS;			\
				break;					\
			}						\
			wait_sleep(&(queue), &__waiter);		\
		}							\
		wait_finish(&(queue), &__waiter);			\
	}								\
	__ret;								\
})
#define waitqueue_active(queue)		((queue)->nr > 0)
#define wake_up_all(queue)		wait_wake_all(queue)

/* The VM, as far as the kernel's code looks into it; vm.c has the rest */
struct kvm_memory_slot {
	gfn_t base_gfn;
	unsigned long npages;
	unsigned long userspace_addr;
	unsigned int flags;
};
#define KVM_MEMSLOT_INVALID	(1U << 16)

struct kvm_memslots {
	_Atomic u64 generation;
	struct kvm_memory_slot slot;
};

struct kvm_vcpu {
	int vcpu_idx;
};

struct mmu_notifier {
	int unused;
};

struct kvm {
	struct kvm_memslots *_Atomic memslots;
	spinlock_t gpc_lock;
	struct list_head gpc_list;
	struct rb_root_cached gpc_tree;
	unsigned long gpc_invalidate_range_start;
	unsigned long gpc_invalidate_range_end;
	wait_queue_head_t gpc_wait;
	struct mmu_notifier mmu_notifier;
	rwlock_t mmu_lock;
	spinlock_t mn_invalidate_lock;
	_Atomic unsigned long mn_active_invalidate_count;
	_Atomic unsigned long mmu_invalidate_seq;
	_Atomic unsigned long gpc_invalidate_seq;
	_Atomic long mmu_invalidate_in_progress;	/* linux-6.1 asserts it with no lock held */
	gfn_t mmu_invalidate_range_start;
};

#define kvm_memslots(kvm)	((kvm)->memslots)

static inline struct kvm_memory_slot *__gfn_to_memslot(struct kvm_memslots *slots, gfn_t gfn)
{
	struct kvm_memory_slot *slot = &slots->slot;

	return gfn - slot->base_gfn < slot->npages ? slot : NULL;
}

static inline unsigned long gfn_to_hva_memslot(struct kvm_memory_slot *slot, gfn_t gfn)
{
	if (!slot || slot->flags & KVM_MEMSLOT_INVALID)
		return KVM_HVA_ERR_BAD;
	return slot->userspace_addr + (gfn - slot->base_gfn) * PAGE_SIZE;
}

/* include/linux/overflow.h */
static inline size_t size_add(size_t addend1, size_t addend2)
{
	size_t bytes;

	return __builtin_add_overflow(addend1, addend2, &bytes) ? SIZE_MAX : bytes;
}

struct module;

/* Page frames; see vm.c, which counts what the caches hold of each */
struct page;

bool pfn_valid(kvm_pfn_t pfn);
struct page *pfn_to_page(kvm_pfn_t pfn);
void *kmap(struct page *page);
void kunmap(struct page *page);
void *memremap(u64 hpa, unsigned long size, int flags);
void memunmap(void *addr);
void put_page(struct page *page);
void put_pfn(kvm_pfn_t pfn);

#define MEMREMAP_WB			1
#define kvm_release_page_clean(page)	put_page(page)
#define kvm_release_page_unused(page)	put_page(page)
#define kvm_release_pfn_clean(pfn)	put_pfn(pfn)
#define FOLL_WRITE			1

/* linux-6.1 can have a vCPU use a cached page, and makes it stop */
#define KVM_MAX_VCPUS			64
#define KVM_REQUEST_WAIT		1
#define KVM_REQ_OUTSIDE_GUEST_MODE	(2 | KVM_REQUEST_WAIT)
#define DECLARE_BITMAP(name, bits)	unsigned long name[((bits) + 63) / 64]
#define bitmap_zero(map, bits)		((map)[0] = 0)
#define __set_bit(nr, map)		((map)[0] |= 1UL << (nr))
bool kvm_make_vcpus_request_mask(struct kvm *kvm, unsigned int req, unsigned long *mask);

#endif
