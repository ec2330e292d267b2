/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vm.h - the virtual machine that a cache under test maps pages of
 *
 * Userspace has USER_PAGES pages: the first SLOT_PAGES of them are the memslot's,
 * the others are in no memslot.  Page IO_PAGE is device memory, which has no
 * struct page.
 */
#ifndef UNIT_VM_H
#define UNIT_VM_H

#include "shim.h"

#define USER_PAGES	5
#define SLOT_PAGES	3
#define IO_PAGE		2
#define SLOT_HVA	0x10000000UL	/* pages 0 to 2 */
#define OTHER_HVA	0x20000000UL	/* pages 3 and 4 */
#define SLOT_GFN	1

/* What becomes of a page of userspace that is taken away */
enum zap {
	ZAP_NEW,	/* a touch brings another page frame */
	ZAP_SAME,	/* a touch brings the same one, as after swapping */
	ZAP_GONE,	/* nothing is there until vm_map() */
	ZAP_AND,	/* as ZAP_NEW, and while_zapped() is called ahead of the end */
};

/* What the memslot can be */
enum slot {
	SLOT_HOME,	/* at SLOT_GFN, all SLOT_PAGES pages */
	SLOT_NONE,
	SLOT_MOVED,	/* at another gfn */
	SLOT_SHIFTED,	/* at SLOT_GFN, without the first page of userspace */
	NR_SLOTS
};

extern struct kvm kvm;

/* vm_reset() - a new VM with every page present and the memslot at home */
void vm_reset(void);

/* user_hva() - the address of a page of userspace; past the last, one that is not mapped */
unsigned long user_hva(unsigned int page);

/* user_page() - the page at an address of userspace, or -1 */
int user_page(unsigned long hva);

/* vm_zap() - take a page from userspace, between the calls of the MMU notifier */
void vm_zap(unsigned int page, enum zap how);

/* vm_map() - map a page after ZAP_GONE */
void vm_map(unsigned int page);

/* vm_set_slot() - an update of the memslots, which waits for its readers */
void vm_set_slot(enum slot slot);

/* slot_hva() - the address of userspace for @gpa with such a memslot, or an error hva */
unsigned long slot_hva(enum slot slot, gpa_t gpa);

/* vm_fail_call() - the @nth call from now on that can fail does so; 0: none */
void vm_fail_call(unsigned int nth);

/* vm_calls() - how many calls that can fail were made since vm_fail_call() */
unsigned int vm_calls(void);

/* vm_fail_lookups() - from now on no page is found, or found again */
void vm_fail_lookups(bool fail);

/* khva_of() - the kernel's address of a page frame that is mapped; else NULL */
void *khva_of(kvm_pfn_t pfn);

/* user_pfn() - what userspace has at a page at the moment; an error pfn for nothing */
kvm_pfn_t user_pfn(unsigned int page);

/* vm_balanced() - fail unless no reference and no mapping of any page frame is left */
void vm_balanced(void);

/* What the next lookup of a page does on its way, once each; NULL: nothing */
extern void (*before_lookup)(void);
extern void (*after_lookup)(void);

/* What ZAP_AND does while the page is gone; NULL: nothing */
extern void (*while_zapped)(void);

/* The vCPUs that had to leave the guest, a bit each */
extern atomic_ulong vcpus_kicked;

#endif
