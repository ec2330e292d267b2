/* SPDX-License-Identifier: GPL-2.0 */
/* tasks.h - two tasks that take turns where a schedule says so; for one thread */
#ifndef UNIT_TASKS_H
#define UNIT_TASKS_H

#include <stdbool.h>

struct schedule {
	void (*fn[2])(void *arg);
	void *arg[2];
	/*
	 * The first task runs until it has come to so many places, then the other one
	 * until it has come to so many, then the first one to its end.  A task that
	 * cannot go on gives way at once.
	 */
	unsigned int places[2];
	bool came_so_far[2];	/* out: did it come to that many places? */
};

/* run_tasks() - run both to their ends; fails the test at a deadlock, and gives up */
void run_tasks(struct schedule *schedule);

/* Of the task that has this number in the schedule, from the other one */
bool task_sleeps(unsigned int i);
bool task_is_done(unsigned int i);

/* task_kill() - it gets a signal that is fatal, and no longer sleeps where that counts */
void task_kill(unsigned int i);
void task_kill_other(void);

/* Called at each place, for invariants; NULL: nothing */
extern void (*at_each_place)(void);

#endif
