/* Sleeping locks. Only threads may take them, with interrupts on and no spinlock held. */
#pragma once

#include "kernel/lib/list.h"
#include "kernel/sync/spinlock.h"

struct thread;

struct mutex {
    /* The owning thread's address; bit 0 says that threads wait. 0: free. */
    uintptr_t owner;
    struct spinlock wait_lock; /* guards waiters */
    struct list_node waiters;  /* struct mutex_waiter.node, in order of arrival */
#ifdef DEBUG
    uint8_t rank;
#endif
};

/* For one of static storage. */
#ifdef DEBUG
#define MUTEX_INIT(name, rank_)                                                                    \
    {                                                                                              \
        0, SPINLOCK_INIT(LOCK_RANK_MUTEX), LIST_INIT((name).waiters), (rank_)                      \
    }
#else
#define MUTEX_INIT(name, rank_)                                                                    \
    {                                                                                              \
        0, SPINLOCK_INIT(LOCK_RANK_MUTEX), LIST_INIT((name).waiters)                               \
    }
#endif

void mutex_init(struct mutex *mutex, enum lock_rank rank);

/* The rest of mutex_lock and mutex_unlock when there is or may be another thread. */
void mutex_lock_slow(struct mutex *mutex);
void mutex_unlock_slow(struct mutex *mutex);

/* Sleeps until the mutex is the caller's. Not recursive. Not interrupted by kill or suspend. */
static inline void mutex_lock(struct mutex *mutex)
{
#ifdef DEBUG
    lock_rank_acquire(mutex, (enum lock_rank)mutex->rank);
#endif
    if (UNLIKELY(!arch_mutex_try(&mutex->owner)))
        mutex_lock_slow(mutex);
}

/* The caller must be the owner. Ownership passes to the longest waiter. */
static inline void mutex_unlock(struct mutex *mutex)
{
    lock_rank_release(mutex);
    if (UNLIKELY(!arch_mutex_release(&mutex->owner)))
        mutex_unlock_slow(mutex);
}

bool mutex_is_held(const struct mutex *mutex);
