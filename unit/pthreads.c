// SPDX-License-Identifier: GPL-2.0
/* pthreads.c - the locks of lock.h for real threads */
#include <sched.h>
#include <stdlib.h>

#include "lock.h"

static __thread int self;	/* its address is the thread's identity */
static __thread int spinning;	/* locks held that one may not sleep with */

void lock_init(struct lock *lock)
{
	pthread_rwlockattr_t attr;

	lock->writer = NULL;
	lock->readers = 0;
	/* A cache that is read without a pause must be invalidated all the same. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	if (pthread_rwlock_init(&lock->rw, &attr))
		abort();
	pthread_rwlockattr_destroy(&attr);
}

void lock_take(struct lock *lock, int how)
{
	if (how & LOCK_SLEEPS)
		might_sleep();
	point();
	if (how & LOCK_WRITE) {
		if (pthread_rwlock_wrlock(&lock->rw))
			abort();
		lock->writer = &self;
	} else {
		if (pthread_rwlock_rdlock(&lock->rw))
			abort();
		lock->readers++;
	}
	if (!(how & LOCK_SLEEPS))
		spinning++;
}

bool lock_try(struct lock *lock)
{
	point();
	if (pthread_rwlock_tryrdlock(&lock->rw))
		return false;
	lock->readers++;
	spinning++;
	return true;
}

void lock_drop(struct lock *lock, int how)
{
	if (!(how & LOCK_SLEEPS))
		spinning--;
	if (!(how & LOCK_WRITE)) {
		lock->readers--;
	} else {
		if (lock->writer != &self)
			fail("unlocked what it had not locked");
		lock->writer = NULL;
	}
	if (pthread_rwlock_unlock(&lock->rw))
		fail("unlocked what nobody had locked");
	point();
}

void lock_assert(struct lock *lock, int how)
{
	if (how & LOCK_WRITE ? lock->writer != &self : !lock->writer && !lock->readers)
		fail("a lock is not held");
}

void might_sleep(void)
{
	if (spinning)
		fail("sleeps with a lock held that spins");
}

void point(void)
{
	static __thread unsigned int places;

	/* Now and then, so that others come in between at other places each time. */
	if (!(++places % 61))
		sched_yield();
}

void pause_here(void)
{
	sched_yield();
}

void wait_init(struct wait_queue *queue)
{
	queue->first = NULL;
	queue->nr = 0;
	if (pthread_mutex_init(&queue->mutex, NULL) || pthread_cond_init(&queue->woken, NULL))
		abort();
}

/* Nobody is killed here. */
bool wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	pthread_mutex_lock(&queue->mutex);
	join_queue(queue, waiter);
	pthread_mutex_unlock(&queue->mutex);
	point();
	return true;
}

void wait_sleep(struct wait_queue *queue, struct waiter *waiter)
{
	might_sleep();
	point();
	pthread_mutex_lock(&queue->mutex);
	while (waiter->sleeps)
		pthread_cond_wait(&queue->woken, &queue->mutex);
	pthread_mutex_unlock(&queue->mutex);
}

void wait_finish(struct wait_queue *queue, struct waiter *waiter)
{
	pthread_mutex_lock(&queue->mutex);
	leave_queue(queue, waiter);
	pthread_mutex_unlock(&queue->mutex);
}

void wait_wake_all(struct wait_queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	while (queue->first) {
		queue->first->sleeps = false;
		leave_queue(queue, queue->first);
	}
	pthread_cond_broadcast(&queue->woken);
	pthread_mutex_unlock(&queue->mutex);
}
