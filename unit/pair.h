/* SPDX-License-Identifier: GPL-2.0 */
/* pair.h - two operations at the same time, and whether their outcome is right */
#ifndef UNIT_PAIR_H
#define UNIT_PAIR_H

#include "ops.h"

struct pair {
	struct op op[2];
	unsigned int places[2];		/* as in struct schedule */
	bool came_so_far[2];		/* out */
};

/*
 * pair_run() - run both by the schedule, from the state that @model describes
 *
 * Fails the test unless the outcome, i.e. what both return and what the caches are
 * then, is that of one after the other in some order, and the invariants hold at each
 * place.  @model is then what it has to be after a refresh of each cache, which is
 * part of it.
 */
void pair_run(struct pair *pair, struct model *model);

/* all_invariants() - those of each cache; for at_each_place */
void all_invariants(void);

#endif
