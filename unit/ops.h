/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ops.h - the operations that tests are made of, on the kernel's code and on a
 * simple model of what they have to do
 */
#ifndef UNIT_OPS_H
#define UNIT_OPS_H

#include "gpc.h"
#include "vm.h"

#define NR_CACHES	2

enum op_type {
	ACTIVATE,	/* @page: of the gfns from SLOT_GFN on; @offset, @len in bytes */
	ACTIVATE_HVA,	/* @page: of userspace; KERNEL_PAGE: an address of the kernel */
	REFRESH,
	UPDATE,
	UPDATE_ATOMIC,
	DEACTIVATE,
	ZAP,		/* @page: of userspace; @how: enum zap */
	MAP,		/* @page: of userspace */
	SET_SLOT,	/* @how: enum slot */
	FAIL_LOOKUPS,	/* @how: whether */
	NR_OP_TYPES
};

#define KERNEL_PAGE	(USER_PAGES + 1)

struct op {
	enum op_type type;
	unsigned int cache;
	unsigned int page;
	unsigned int how;
	unsigned long offset, len;
};

struct model_cache {
	bool active;
	bool hva;		/* @address is one of userspace */
	u64 address;
	unsigned long len;
	unsigned long uhva;	/* of the page that is mapped, or an error hva */
	bool mapped;		/* and no invalidation since */
	unsigned int generation;
};

struct model {
	struct model_cache cache[NR_CACHES];
	enum slot slot;
	unsigned int generation;
	bool gone[USER_PAGES];
	bool lookups_fail;
};

/* A whole state: the kernel's caches and the model of them */
extern struct cache caches[NR_CACHES];

/* ops_reset() - a new VM, its caches initialised, and the model of that */
void ops_reset(struct model *model);

/* op_run() - do it with the kernel's code: 0 or a negative errno */
int op_run(const struct op *op);

/* op_model() - what the kernel's code has to make of it, and to return */
int op_model(struct model *model, const struct op *op);

/* model_valid() - has the cache to be valid? */
bool model_valid(const struct model *model, unsigned int cache);

/* same_state() - are the caches what the model says, but for valid ones? */
bool same_state(const struct model *model);

/* same_valid() - is exactly that valid which the model says? */
bool same_valid(const struct model *model);

/* is_cache_op() - does it work on one cache, and not on the VM? */
bool is_cache_op(const struct op *op);

/* op_text() - the operation in words; @size bytes of @text */
const char *op_text(const struct op *op, char *text, size_t size);

#endif
