/* The one order in which locks may be nested; docs/locking.md explains each. A thread may take a
 * lock only if its rank is greater than that of every lock it holds. Checked in debug builds. */
#pragma once

#include "kernel/lib/compiler.h"

enum lock_rank {
    LOCK_RANK_NONE = 0, /* not checked */
    LOCK_RANK_PROCESS,  /* process and job membership */
    LOCK_RANK_PAIR,     /* what the two ends of a pair share, and queues of one object */
    LOCK_RANK_OBJECT,   /* an object's signals and observers */
    LOCK_RANK_PORT,     /* a port's packets: taken by observers, inside the object's lock */
    LOCK_RANK_ASPACE,   /* mutex: regions and mappings of one address space */
    LOCK_RANK_VMO,      /* mutex: pages and mapping list of a VMO family */
    LOCK_RANK_HANDLE,   /* a process's handle table: nothing is taken inside it */
    LOCK_RANK_FUTEX,
    LOCK_RANK_MUTEX, /* the wait list inside a sleeping mutex */
    LOCK_RANK_PAGE_TABLE,
    LOCK_RANK_KHEAP,
    LOCK_RANK_PMM,
    LOCK_RANK_KSPACE, /* kernel address ranges: stacks, devices */
    LOCK_RANK_SCHED,  /* a hart's run queue */
    LOCK_RANK_TIMER,
    LOCK_RANK_CONSOLE,
    LOCK_RANK_UART, /* the serial line: innermost, taken by the log's output too */
};

#ifdef DEBUG
/* The locks that a thread holds, outermost first. */
#define LOCK_RANK_MAX_HELD 12
struct held_locks {
    const void *locks[LOCK_RANK_MAX_HELD];
    uint8_t ranks[LOCK_RANK_MAX_HELD];
    uint8_t count;
    uint8_t base; /* those before it are the interrupted thread's: no order against them */
    uint8_t count_interrupts; /* handlers that run on top of the thread */
};

/* The current thread's; NULL before there are threads. Implemented by kernel/sched. */
struct held_locks *thread_held_locks(void);

/* Panics if the current thread holds a lock of this rank or an inner one; notes the lock. */
void lock_rank_acquire(const void *lock, enum lock_rank rank);
/* Panics if the current thread does not hold |lock|. */
void lock_rank_release(const void *lock);
/* Around an interrupt handler: what it takes has no order against the mutexes that the thread it
 * interrupted happens to hold. enter returns what exit is to be given. Interrupts off. */
unsigned lock_rank_enter_interrupt(void);
void lock_rank_exit_interrupt(unsigned base);

/* Panics if the current thread holds a lock of rank |limit| or an inner one. */
void lock_rank_assert_below(enum lock_rank limit);
#else
static inline void lock_rank_acquire(const void *lock, enum lock_rank rank)
{
    (void)lock;
    (void)rank;
}
static inline void lock_rank_release(const void *lock)
{
    (void)lock;
}
static inline unsigned lock_rank_enter_interrupt(void)
{
    return 0;
}
static inline void lock_rank_exit_interrupt(unsigned base)
{
    (void)base;
}
static inline void lock_rank_assert_below(enum lock_rank limit)
{
    (void)limit;
}
#endif
