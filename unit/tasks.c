// SPDX-License-Identifier: GPL-2.0
/*
 * tasks.c - deterministic schedules of two tasks in one thread, and their locks
 *
 * Each task has a stack of its own, and gives way at a lock that is not free or at
 * one of the places where lock.h lets another thread in.  Outside of run_tasks()
 * there is one task alone, and a lock that is not free never becomes free.
 */
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include <sanitizer/common_interface_defs.h>

#include "lock.h"
#include "tasks.h"

#define STACK_SIZE	(256 * 1024)
/* A task that gives way more often than this gets nowhere. */
#define MAX_TURNS	10000

enum state { RUNNABLE, PAUSED, BLOCKED, ASLEEP, DONE };

struct task {
	ucontext_t context;
	void (*fn)(void *arg);
	void *arg;
	enum state state;
	struct lock *lock;	/* BLOCKED for it */
	int how;
	struct waiter *waiter;	/* ASLEEP as this */
	bool killed;
	unsigned int places;	/* to come to before it gives way; 0: does not */
	int spinning;		/* locks that it holds and may not sleep with */
	void *stack;
	void *fake_stack;	/* AddressSanitizer's */
};

void (*at_each_place)(void);

static struct task tasks[2], alone;
static struct task *current = &alone;
static ucontext_t scheduler;
static const void *scheduler_stack;
static size_t scheduler_stack_size;
static void *scheduler_fake_stack;

/* The task gives way, and goes on here when its turn comes. */
static void give_way(enum state state)
{
	struct task *task = current;

	task->state = state;
	__sanitizer_start_switch_fiber(state == DONE ? NULL : &task->fake_stack,
				       scheduler_stack, scheduler_stack_size);
	swapcontext(&task->context, &scheduler);
	__sanitizer_finish_switch_fiber(task->fake_stack, NULL, NULL);
}

static void task_main(void)
{
	__sanitizer_finish_switch_fiber(NULL, &scheduler_stack, &scheduler_stack_size);
	current->fn(current->arg);
	give_way(DONE);
	abort();
}

static void resume(struct task *task)
{
	current = task;
	task->state = RUNNABLE;
	__sanitizer_start_switch_fiber(&scheduler_fake_stack, task->stack, STACK_SIZE);
	swapcontext(&scheduler, &task->context);
	__sanitizer_finish_switch_fiber(scheduler_fake_stack, NULL, NULL);
	current = &alone;
}

static bool is_free(struct lock *lock, int how)
{
	return !lock->writer && (!(how & LOCK_WRITE) || !lock->readers);
}

static bool can_run(const struct task *task)
{
	switch (task->state) {
	case BLOCKED:
		return is_free(task->lock, task->how);
	case ASLEEP:
		return !task->waiter->sleeps || task->killed;
	default:
		return task->state != DONE;
	}
}

void run_tasks(struct schedule *schedule)
{
	struct task *task;
	volatile unsigned int i, turns;	/* getcontext() is to the compiler like setjmp() */

	for (i = 0; i < 2; i++) {
		task = &tasks[i];
		if (!task->stack)
			task->stack = malloc(STACK_SIZE);
		if (!task->stack)
			abort();
		task->fn = schedule->fn[i];
		task->arg = schedule->arg[i];
		task->places = schedule->places[i];
		task->state = RUNNABLE;
		task->killed = false;
		task->spinning = 0;
		task->fake_stack = NULL;
		getcontext(&task->context);
		task->context.uc_stack.ss_sp = task->stack;
		task->context.uc_stack.ss_size = STACK_SIZE;
		task->context.uc_link = NULL;
		makecontext(&task->context, task_main, 0);
	}

	for (i = 0, turns = 0; turns < MAX_TURNS; i = !i, turns++) {
		if (!can_run(&tasks[i]))
			i = !i;
		if (!can_run(&tasks[i]))
			break;
		resume(&tasks[i]);
	}
	for (i = 0; i < 2; i++) {
		if (tasks[i].state == BLOCKED)
			fail("deadlock");
		else if (tasks[i].state == ASLEEP)
			fail("a task sleeps, and nobody is left to wake it");
		else if (tasks[i].state != DONE)
			fail("a task does not come to its end");
		schedule->came_so_far[i] = !tasks[i].places;
	}
}

void point(void)
{
	if (at_each_place)
		at_each_place();
	if (current->places && !--current->places)
		give_way(RUNNABLE);
}

void pause_here(void)
{
	if (current == &alone) {
		/* Whom it waits for is not there. */
		static unsigned int pauses;

		if (++pauses % MAX_TURNS == 0) {
			fail("waits for nobody");
			exit(1);
		}
		return;
	}
	point();
	give_way(PAUSED);
}

bool task_sleeps(unsigned int i)
{
	return tasks[i].state == ASLEEP;
}

bool task_is_done(unsigned int i)
{
	return tasks[i].state == DONE;
}

void task_kill(unsigned int i)
{
	tasks[i].killed = true;
}

void task_kill_other(void)
{
	task_kill(current == &tasks[0] ? 1 : 0);
}

void lock_init(struct lock *lock)
{
	lock->writer = NULL;
	lock->readers = 0;
}

void lock_take(struct lock *lock, int how)
{
	if (how & LOCK_SLEEPS)
		might_sleep();
	point();
	while (!is_free(lock, how)) {
		if (current == &alone) {
			fail("deadlock");
			exit(1);
		}
		current->lock = lock;
		current->how = how;
		give_way(BLOCKED);
	}
	if (how & LOCK_WRITE)
		lock->writer = current;
	else
		lock->readers++;
	if (!(how & LOCK_SLEEPS))
		current->spinning++;
}

bool lock_try(struct lock *lock)
{
	point();
	if (!is_free(lock, LOCK_READ))
		return false;
	lock->readers++;
	current->spinning++;
	return true;
}

void lock_drop(struct lock *lock, int how)
{
	if (how & LOCK_WRITE) {
		if (lock->writer != current)
			fail("unlocked what it had not locked");
		lock->writer = NULL;
	} else if (lock->readers-- <= 0) {
		fail("unlocked what nobody had locked");
	}
	if (!(how & LOCK_SLEEPS))
		current->spinning--;
	point();
}

void lock_assert(struct lock *lock, int how)
{
	if (how & LOCK_WRITE ? lock->writer != current : !lock->writer && !lock->readers)
		fail("a lock is not held");
}

void might_sleep(void)
{
	if (current->spinning)
		fail("sleeps with a lock held that spins");
}

void wait_init(struct wait_queue *queue)
{
	queue->first = NULL;
	queue->nr = 0;
}

bool wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	point();
	if (current->killed) {
		leave_queue(queue, waiter);
		return false;
	}
	join_queue(queue, waiter);
	point();
	return true;
}

void wait_sleep(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue;
	might_sleep();
	point();
	while (waiter->sleeps && !current->killed) {
		if (current == &alone) {
			fail("sleeps, and nobody is there to wake it");
			exit(1);
		}
		current->waiter = waiter;
		give_way(ASLEEP);
	}
	point();
}

void wait_finish(struct wait_queue *queue, struct waiter *waiter)
{
	leave_queue(queue, waiter);
	point();
}

void wait_wake_all(struct wait_queue *queue)
{
	point();
	while (queue->first) {
		queue->first->sleeps = false;
		leave_queue(queue, queue->first);
	}
	point();
}
