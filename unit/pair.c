// SPDX-License-Identifier: GPL-2.0
/* pair.c - see pair.h */
#include "pair.h"
#include "tasks.h"

struct half {
	const struct op *op;
	int ret;
};

static void run_half(void *arg)
{
	struct half *half = arg;

	half->ret = op_run(half->op);
}

void all_invariants(void)
{
	unsigned int i;

	for (i = 0; i < NR_CACHES; i++)
		cache_invariants(&caches[i]);
}

/*
 * An access that may not wait may always find the cache in the midst of a change.  One
 * that is killed while it waits is undone like one that finds no page.
 */
static bool ret_is(const struct half *half, int ret, const struct half *other,
		   struct model *model)
{
	if (half->ret == -EINTR && other->op->type == ZAP && other->op->how == ZAP_AND &&
	    (!ret || ret == -EFAULT)) {
		model->cache[half->op->cache].mapped = false;
		return true;
	}
	return half->ret == ret ||
	       (half->op->type == UPDATE_ATOMIC && half->ret == -EWOULDBLOCK);
}

/* Is the outcome that of the @first half before the other one? */
static bool is_order(const struct half *halves, unsigned int first, struct model *model)
{
	const struct half *one = &halves[first], *two = &halves[!first];
	int ret = op_model(model, one->op);

	if (!ret_is(one, ret, two, model))
		return false;
	ret = op_model(model, two->op);
	if (!ret_is(two, ret, one, model) || !same_state(model))
		return false;
	/*
	 * The memslots have a generation of their own while they are updated, and a
	 * cache that was refreshed meanwhile has to be refreshed again.
	 */
	return one->op->type == SET_SLOT || two->op->type == SET_SLOT || same_valid(model);
}

/* Is it that of the other half while the memslot that the @first one replaces is gone? */
static bool is_between(const struct half *halves, unsigned int first, struct model *model)
{
	static const struct op gone = { .type = SET_SLOT, .how = SLOT_NONE };
	const struct half *one = &halves[first], *two = &halves[!first];

	if (one->op->type != SET_SLOT || one->op->how == model->slot)
		return false;
	op_model(model, &gone);
	if (!ret_is(two, op_model(model, two->op), one, model))
		return false;
	op_model(model, one->op);
	return same_state(model);
}

/* Does one of these explain the outcome?  The @model is then what it leads to. */
static bool is_explained(const struct half *halves, struct model *model)
{
	const struct model before = *model;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		*model = before;
		if (i < 2 ? is_order(halves, i, model) : is_between(halves, i - 2, model))
			return true;
	}
	return false;
}

void pair_run(struct pair *pair, struct model *model)
{
	struct half halves[2] = { { &pair->op[0], 0 }, { &pair->op[1], 0 } };
	struct schedule schedule = {
		.fn = { run_half, run_half },
		.arg = { &halves[0], &halves[1] },
		.places = { pair->places[0], pair->places[1] },
	};
	const struct op refresh[NR_CACHES] = {
		{ .type = REFRESH, .cache = 0 }, { .type = REFRESH, .cache = 1 } };
	unsigned int i;
	int ret;

	run_tasks(&schedule);
	pair->came_so_far[0] = schedule.came_so_far[0];
	pair->came_so_far[1] = schedule.came_so_far[1];

	if (!is_explained(halves, model))
		fail("returned %d and %d, which no order explains together with the caches",
		     halves[0].ret, halves[1].ret);
	for (i = 0; i < NR_CACHES; i++) {
		if (!model->cache[i].active)
			continue;
		ret = op_run(&refresh[i]);
		if (ret != op_model(model, &refresh[i]))
			fail("a refresh of cache %u returned %d afterwards", i, ret);
	}
	if (!same_valid(model))
		fail("not valid after a refresh, or valid without one");
}
