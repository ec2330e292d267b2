/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks that really lock, in two kinds that a program is linked with: tasks.c for
 * deterministic schedules in one thread, pthreads.c for real threads.
 */
#ifndef UNIT_LOCK_H
#define UNIT_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct lock {
	_Atomic(void *) writer;		/* who holds it for write; NULL: nobody */
	atomic_int readers;
	pthread_rwlock_t rw;		/* pthreads.c alone */
};

enum lock_how {
	LOCK_READ = 0,
	LOCK_WRITE = 1,
	LOCK_SLEEPS = 2,	/* a mutex; otherwise it spins, and nobody may sleep inside */
};

void lock_init(struct lock *lock);
void lock_take(struct lock *lock, int how);
/* lock_try() - lock_take() of a lock that spins, for read: false instead of a wait */
bool lock_try(struct lock *lock);
void lock_drop(struct lock *lock, int how);

/* lock_assert() - fail unless @lock is held; for LOCK_WRITE, by the caller for write */
void lock_assert(struct lock *lock, int how);

/* might_sleep() - fail if the caller holds a lock that spins */
void might_sleep(void);

/* Those who wait for something to happen, as in include/linux/wait.h */
struct waiter {
	struct waiter *next;
	bool queued;
	bool sleeps;		/* or is about to */
};

struct wait_queue {
	struct waiter *first;
	atomic_int nr;		/* of waiters in the queue */
	pthread_mutex_t mutex;	/* pthreads.c alone, as is what follows */
	pthread_cond_t woken;
};

void wait_init(struct wait_queue *queue);

/* wait_prepare() - get into the queue, to sleep soon: false, and not, if the caller is killed */
bool wait_prepare(struct wait_queue *queue, struct waiter *waiter);

/* wait_sleep() - sleep, unless woken since wait_prepare(), until woken or killed */
void wait_sleep(struct wait_queue *queue, struct waiter *waiter);

/* wait_finish() - leave the queue, if nobody who woke the caller has seen to that */
void wait_finish(struct wait_queue *queue, struct waiter *waiter);

void wait_wake_all(struct wait_queue *queue);

/* For those who implement these: into the queue, to sleep, and out of it, if it is there */
static inline void join_queue(struct wait_queue *queue, struct waiter *waiter)
{
	if (!waiter->queued) {
		waiter->next = queue->first;
		queue->first = waiter;
		waiter->queued = true;
		queue->nr++;
	}
	waiter->sleeps = true;
}

static inline void leave_queue(struct wait_queue *queue, struct waiter *waiter)
{
	struct waiter **link = &queue->first;

	if (!waiter->queued)
		return;
	while (*link != waiter)
		link = &(*link)->next;
	*link = waiter->next;
	waiter->queued = false;
	queue->nr--;
}

/* point() - a place where another thread may come in between */
void point(void);

/* pause_here() - let the other threads on, for the caller waits for one of them */
void pause_here(void);

/* fail() - record that the running test has failed, and why */
__attribute__((format(printf, 1, 2)))
void fail(const char *fmt, ...);

#endif
