#include "kernel/sched/mutex.h"

#include "kernel/lib/panic.h"
#include "kernel/sched/thread.h"

/* Bit 0 of the owner word: somebody is on the wait list, so unlock must look at it. */
#define MUTEX_HAS_WAITERS 1ul

struct mutex_waiter {
    struct list_node node;
    struct thread *thread;
    bool owns; /* ownership was handed over */
};

void mutex_init(struct mutex *mutex, enum lock_rank rank)
{
    mutex->owner = 0;
#ifdef DEBUG
    mutex->rank = (uint8_t)rank;
#else
    (void)rank;
#endif
    spinlock_init(&mutex->wait_lock, LOCK_RANK_MUTEX);
    list_init(&mutex->waiters);
}

/* With wait_lock held: either becomes the owner, or sets the waiters bit so that the owner's unlock
 * must come through wait_lock. True: it is ours. */
static bool acquire_or_mark_locked(struct mutex *mutex, uintptr_t self)
{
    uintptr_t owner = atomic_load_relaxed(&mutex->owner);

    for (;;) {
        uintptr_t desired = owner == 0 ? self : owner | MUTEX_HAS_WAITERS;
        if (atomic_cas(&mutex->owner, &owner, desired))
            return owner == 0;
    }
}

void mutex_lock_slow(struct mutex *mutex)
{
    struct mutex_waiter waiter = {.thread = thread_current()};

    ASSERT(!mutex_is_held(mutex));
    irq_state_t irq = spin_lock_irqsave(&mutex->wait_lock);

    if (acquire_or_mark_locked(mutex, (uintptr_t)waiter.thread)) {
        spin_unlock_irqrestore(&mutex->wait_lock, irq);
        return;
    }
    list_push_back(&mutex->waiters, &waiter.node);
    spin_unlock_irqrestore(&mutex->wait_lock, irq);

    /* A park may end for other reasons than the hand-over, so ask. */
    while (!atomic_load_acquire(&waiter.owns))
        (void)thread_park(ZX_TIME_INFINITE, false);

    /* The thread that handed over may still be inside unpark with our thread pointer: it does that
     * under wait_lock, so once through here it is done. */
    irq = spin_lock_irqsave(&mutex->wait_lock);
    spin_unlock_irqrestore(&mutex->wait_lock, irq);
}

void mutex_unlock_slow(struct mutex *mutex)
{
    ASSERT(atomic_load_relaxed(&mutex->owner) == ((uintptr_t)thread_current() | MUTEX_HAS_WAITERS));
    irq_state_t irq = spin_lock_irqsave(&mutex->wait_lock);
    struct mutex_waiter *next =
        list_entry(list_pop_front(&mutex->waiters), struct mutex_waiter, node);
    uintptr_t bit = list_is_empty(&mutex->waiters) ? 0 : MUTEX_HAS_WAITERS;
    struct thread *thread = next->thread;

    atomic_store(&mutex->owner, (uintptr_t)thread | bit);
    atomic_store_release(&next->owns, true);
    thread_unpark(thread);
    spin_unlock_irqrestore(&mutex->wait_lock, irq);
}

bool mutex_is_held(const struct mutex *mutex)
{
    return (atomic_load_relaxed(&mutex->owner) & ~MUTEX_HAS_WAITERS) == (uintptr_t)thread_current();
}
