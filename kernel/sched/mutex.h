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
    uint8_t rank;
};

/* For one of static storage. */
#define MUTEX_INIT(name, rank_)                                                                    \
    {                                                                                              \
        0, SPINLOCK_INIT(LOCK_RANK_MUTEX), LIST_INIT((name).waiters), (rank_)                      \
    }

void mutex_init(struct mutex *mutex, enum lock_rank rank);

/* Sleeps until the mutex is the caller's. Not recursive. Not interrupted by kill or suspend. */
void mutex_lock(struct mutex *mutex);

/* The caller must be the owner. Ownership passes to the longest waiter. */
void mutex_unlock(struct mutex *mutex);

bool mutex_is_held(const struct mutex *mutex);
