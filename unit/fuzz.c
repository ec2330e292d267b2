// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz.c - libFuzzer's target: a sequence of operations, alone or two at a time,
 * each compared with the model
 *
 * An operation is three bytes: its type and whether another one comes in between,
 * the page or what becomes of it, and where the range begins and ends.  A pair is
 * followed by the two places of its schedule.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pair.h"
#include "tasks.h"
#include "test.h"

#define MAX_OPS		40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static u8 next_byte(struct input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->data++;
}

/* Where a range begins and how long it is, around the edges of a page */
static void decode_range(struct op *op, u8 byte)
{
	static const unsigned long offsets[] = { 0, 8, 1024, PAGE_SIZE - 64, PAGE_SIZE - 63,
						 PAGE_SIZE - 8, PAGE_SIZE - 7, PAGE_SIZE - 1 };
	static const unsigned long lens[] = { MIN_LEN, 63, 64, 65, 1024, PAGE_SIZE - 8,
					      PAGE_SIZE, PAGE_SIZE + 1 };

	op->offset = offsets[byte % ARRAY_SIZE(offsets)];
	op->len = lens[byte / ARRAY_SIZE(offsets) % ARRAY_SIZE(lens)];
}

static struct op decode_op(u8 type, struct input *input)
{
	struct op op = { .type = type % NR_OP_TYPES };
	u8 where = next_byte(input);

	op.cache = where % NR_CACHES;
	where /= NR_CACHES;
	switch (op.type) {
	case ACTIVATE:
		op.page = where % (SLOT_PAGES + 1);
		decode_range(&op, next_byte(input));
		break;
	case ACTIVATE_HVA:
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
		op.page = where % (KERNEL_PAGE + 1);
		decode_range(&op, next_byte(input));
#else
		op.type = REFRESH;
#endif
		break;
	case ZAP:
		op.page = where % USER_PAGES;
		op.how = where / USER_PAGES % (ZAP_GONE + 1);
		break;
	case MAP:
		op.page = where % USER_PAGES;
		break;
	case SET_SLOT:
		op.how = where % NR_SLOTS;
		break;
	case FAIL_LOOKUPS:
		op.how = where % 2;
		break;
	default:
		break;
	}
	return op;
}

static void tell(const struct op *op, const char *end)
{
	char text[96];

	printf("#   %s%s\n", op_text(op, text, sizeof(text)), end);
}

static struct pair steps[MAX_OPS];
static bool is_pair[MAX_OPS];
static unsigned int nr_steps;

/* Say how it came to that, and have libFuzzer keep the input. */
static void give_up(void)
{
	unsigned int i;

	printf("# after these operations:\n");
	for (i = 0; i < nr_steps; i++) {
		tell(&steps[i].op[0], "");
		if (is_pair[i]) {
			printf("#     to place %u, meanwhile to place %u\n",
			       steps[i].places[0], steps[i].places[1]);
			tell(&steps[i].op[1], "");
		}
	}
	fflush(stdout);
	abort();
}

static void run_one(struct pair *step, struct model *model)
{
	int want = op_model(model, &step->op[0]), ret = op_run(&step->op[0]);

	if (ret != want)
		fail("returned %d in place of %d", ret, want);
	else if (!same_state(model) || !same_valid(model))
		fail("the caches are not what they have to be");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct model model;
	struct pair *step;
	unsigned int i;
	u8 type;

	ops_reset(&model);
	at_each_place = all_invariants;
	for (nr_steps = 0; nr_steps < MAX_OPS && input.size && !failures(); nr_steps++) {
		step = &steps[nr_steps];
		type = next_byte(&input);
		step->op[0] = decode_op(type & 0x7f, &input);
		is_pair[nr_steps] = type & 0x80;
		if (is_pair[nr_steps]) {
			step->op[1] = decode_op(next_byte(&input), &input);
			/* Of two that are not about a cache, none shows the order. */
			is_pair[nr_steps] = (is_cache_op(&step->op[0]) || is_cache_op(&step->op[1])) &&
					    step->op[0].type != FAIL_LOOKUPS &&
					    step->op[1].type != FAIL_LOOKUPS;
		}
		if (is_pair[nr_steps]) {
			step->places[0] = next_byte(&input) % 64;
			step->places[1] = next_byte(&input) % 64;
			pair_run(step, &model);
		} else {
			run_one(step, &model);
		}
	}
	for (i = 0; i < NR_CACHES; i++)
		cache_deactivate(&caches[i]);
	all_invariants();
	at_each_place = NULL;
	vm_balanced();
	if (failures())
		give_up();
	return 0;
}
