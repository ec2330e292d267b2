/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gpc.h - one way to use the caches of all kernels
 *
 * Before the series, the caller of a check or refresh names the length, on
 * linux-6.1 the address, too: what it activated the cache with, or should have.
 */
#ifndef UNIT_GPC_H
#define UNIT_GPC_H

#include "shim.h"
#include "gpc_struct.h"

/* No activation in the tests that may succeed is for fewer bytes. */
#define MIN_LEN		8

/* A cache and what its owner knows of it */
struct cache {
	struct gfn_to_pfn_cache gpc;
	_Atomic unsigned long len;	/* bytes, of the last activation that was not refused */
	struct lock owner;		/* the kernel's xen_lock, or the vCPU's mutex */
};

/* Readers of the memslots hold it for read. */
extern struct lock srcu;

void cache_init(struct cache *cache);

/*
 * All of these return 0, or the kernel's negative errno.  They take the locks that
 * KVM's own callers take.
 */
int cache_activate(struct cache *cache, gpa_t gpa, unsigned long len);
int cache_activate_hva(struct cache *cache, unsigned long hva, unsigned long len);
int cache_refresh(struct cache *cache);
void cache_deactivate(struct cache *cache);

/* cache_update() - write @byte to the whole range, as KVM does: -EWOULDBLOCK alone if @atomic */
int cache_update(struct cache *cache, u8 byte, bool atomic);

#ifdef PATCHED
/*
 * cache_access() - get at @size bytes from @offset on, with the cache valid: 0, or
 * -EINVAL if both ways there refuse it, with a warning each
 */
int cache_access(struct cache *cache, unsigned long offset, unsigned long size);
#endif

/* cache_check() - is the cache valid?  The caller holds the lock, or is alone. */
bool cache_check(struct cache *cache);

/* cache_address() - the gpa, or the userspace address for a cache that has one; @hva says which */
u64 cache_address(struct cache *cache, bool *hva);

/*
 * cache_invariants() - fail if what holds at all times does not: between two steps
 * of the kernel, whatever locks are held
 */
void cache_invariants(struct cache *cache);

/* caches_are_gone() - is no cache left where invalidations find it? */
bool caches_are_gone(void);

/* The kernel's MMU notifier */
void invalidate_range_start(unsigned long start, unsigned long end);
void invalidate_range_end(unsigned long start, unsigned long end);

#endif
