// SPDX-License-Identifier: GPL-2.0
/* ops.c - see ops.h */
#include <stdio.h>
#include <string.h>

#include "ops.h"

struct cache caches[NR_CACHES];

void ops_reset(struct model *model)
{
	unsigned int i;

	vm_reset();
	*model = (struct model){ .slot = SLOT_HOME };
	for (i = 0; i < NR_CACHES; i++) {
		cache_init(&caches[i]);
		model->cache[i].uhva = KVM_HVA_ERR_BAD;
	}
}

static gpa_t op_gpa(const struct op *op)
{
	return ((u64)(SLOT_GFN + op->page) << PAGE_SHIFT) + op->offset;
}

static unsigned long op_hva(const struct op *op)
{
	return (op->page == KERNEL_PAGE ? 1UL << 47 : user_hva(op->page)) + op->offset;
}

int op_run(const struct op *op)
{
	struct cache *cache = &caches[op->cache];

	switch (op->type) {
	case ACTIVATE:
		return cache_activate(cache, op_gpa(op), op->len);
	case ACTIVATE_HVA:
		return cache_activate_hva(cache, op_hva(op), op->len);
	case REFRESH:
		return cache_refresh(cache);
	case UPDATE:
	case UPDATE_ATOMIC:
		return cache_update(cache, 0x5a, op->type == UPDATE_ATOMIC);
	case DEACTIVATE:
		cache_deactivate(cache);
		break;
	case ZAP:
		vm_zap(op->page, op->how);
		break;
	case MAP:
		vm_map(op->page);
		break;
	case SET_SLOT:
		vm_set_slot(op->how);
		break;
	case FAIL_LOOKUPS:
		vm_fail_lookups(op->how);
		break;
	default:
		break;
	}
	return 0;
}

/* What an activation does once it is not refused, and a refresh */
static int model_refresh(struct model *model, struct model_cache *cache)
{
	unsigned long uhva = cache->hva ? PAGE_ALIGN_DOWN(cache->address) :
					  slot_hva(model->slot, cache->address);
	bool moved = uhva != cache->uhva;
	int page = user_page(uhva);

	cache->generation = model->generation;
	cache->uhva = uhva;
	if (cache->mapped && !moved)
		return 0;
	cache->mapped = !kvm_is_error_hva(uhva) && page >= 0 && !model->gone[page] &&
			!model->lookups_fail;
	return cache->mapped ? 0 : -EFAULT;
}

static int model_activate(struct model *model, const struct op *op, bool hva, u64 address)
{
	struct model_cache *cache = &model->cache[op->cache];

	if (op->offset + op->len > PAGE_SIZE || (hva && op->page == KERNEL_PAGE))
		return -EINVAL;
	cache->active = true;
	cache->hva = hva;
	cache->address = address;
	cache->len = op->len;
	return model_refresh(model, cache);
}

bool model_valid(const struct model *model, unsigned int i)
{
	const struct model_cache *cache = &model->cache[i];

	return cache->mapped && (cache->hva || cache->generation == model->generation);
}

int op_model(struct model *model, const struct op *op)
{
	struct model_cache *cache = &model->cache[op->cache];
	unsigned int i;

	switch (op->type) {
	case ACTIVATE:
		return model_activate(model, op, false, op_gpa(op));
	case ACTIVATE_HVA:
		return model_activate(model, op, true, op_hva(op));
	case REFRESH:
		return cache->active ? model_refresh(model, cache) : -EINVAL;
	case UPDATE:
		if (!cache->active)
			return -EINVAL;
		return model_valid(model, op->cache) ? 0 : model_refresh(model, cache);
	case UPDATE_ATOMIC:
		return model_valid(model, op->cache) ? 0 : -EWOULDBLOCK;
	case DEACTIVATE:
		cache->active = false;
		cache->mapped = false;
		break;
	case ZAP:
		for (i = 0; i < NR_CACHES; i++) {
			if (model->cache[i].uhva == user_hva(op->page))
				model->cache[i].mapped = false;
		}
		model->gone[op->page] = model->gone[op->page] || op->how == ZAP_GONE;
		break;
	case MAP:
		model->gone[op->page] = false;
		break;
	case SET_SLOT:
		model->slot = op->how;
		model->generation++;
		break;
	case FAIL_LOOKUPS:
		model->lookups_fail = op->how;
		break;
	default:
		break;
	}
	return 0;
}

bool same_state(const struct model *model)
{
	const struct model_cache *cache;
	unsigned int i;
	u64 address;
	bool hva;

	for (i = 0; i < NR_CACHES; i++) {
		cache = &model->cache[i];
		if (caches[i].gpc.active != cache->active)
			return false;
		if (!cache->active)
			continue;
		address = cache_address(&caches[i], &hva);
		if (hva != cache->hva || address != cache->address)
			return false;
#ifdef PATCHED
		if (caches[i].gpc.len != cache->len)
			return false;
#endif
	}
	return true;
}

bool same_valid(const struct model *model)
{
	unsigned int i;
	bool valid;

	for (i = 0; i < NR_CACHES; i++) {
		lock_take(&caches[i].gpc.lock, LOCK_READ);
		valid = cache_check(&caches[i]);
		lock_drop(&caches[i].gpc.lock, LOCK_READ);
		if (valid != model_valid(model, i))
			return false;
	}
	return true;
}

bool is_cache_op(const struct op *op)
{
	return op->type <= DEACTIVATE;
}

const char *op_text(const struct op *op, char *text, size_t size)
{
	static const char * const names[NR_OP_TYPES] = {
		[ACTIVATE] = "activate", [ACTIVATE_HVA] = "activate_hva", [REFRESH] = "refresh",
		[UPDATE] = "update", [UPDATE_ATOMIC] = "update_atomic",
		[DEACTIVATE] = "deactivate", [ZAP] = "zap", [MAP] = "map",
		[SET_SLOT] = "set_slot", [FAIL_LOOKUPS] = "fail_lookups",
	};

	if (op->type <= ACTIVATE_HVA)
		snprintf(text, size, "%s(%u, page %u + %lu, %lu bytes)", names[op->type],
			 op->cache, op->page, op->offset, op->len);
	else if (is_cache_op(op))
		snprintf(text, size, "%s(%u)", names[op->type], op->cache);
	else
		snprintf(text, size, "%s(page %u, %u)", names[op->type], op->page, op->how);
	return text;
}
