/* Spinlocks. Taking one turns interrupts off on this hart until it is released, so the same lock
 * may be used by threads and by interrupt handlers, and the holder is never preempted. */
#pragma once

#include "arch/arch.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/lock_rank.h"

struct spinlock {
    uintptr_t holder; /* arch_lock_holder of who has it; 0: free */
#ifdef DEBUG
    uint8_t rank; /* enum lock_rank */
#endif
};

#ifdef DEBUG
#define SPINLOCK_INIT(rank_)                                                                       \
    {                                                                                              \
        0, (rank_)                                                                                 \
    }
#else
#define SPINLOCK_INIT(rank_)                                                                       \
    {                                                                                              \
        0                                                                                          \
    }
#endif

static inline void spinlock_init(struct spinlock *lock, enum lock_rank rank)
{
    lock->holder = 0;
#ifdef DEBUG
    lock->rank = (uint8_t)rank;
#else
    (void)rank;
#endif
}

/* Waits until the lock is free; serves this hart's shootdown inbox meanwhile. Out of line. */
void spin_lock_contended(struct spinlock *lock);

/* Interrupts must be off already. */
static inline void spin_lock(struct spinlock *lock)
{
#ifdef DEBUG
    lock_rank_acquire(lock, (enum lock_rank)lock->rank);
#endif
    if (UNLIKELY(!arch_lock_try(&lock->holder)))
        spin_lock_contended(lock);
}

/* Interrupts must be off already. True: it is held. */
static inline bool spin_trylock(struct spinlock *lock)
{
    if (UNLIKELY(!arch_lock_try(&lock->holder)))
        return false;
#ifdef DEBUG
    lock_rank_acquire(lock, (enum lock_rank)lock->rank);
#endif
    return true;
}

static inline void spin_unlock(struct spinlock *lock)
{
    lock_rank_release(lock);
    arch_lock_release(&lock->holder);
}

/* Returns the interrupt state to hand to spin_unlock_irqrestore. */
static inline MUST_USE irq_state_t spin_lock_irqsave(struct spinlock *lock)
{
    irq_state_t state = arch_irq_save();
    spin_lock(lock);
    return state;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, irq_state_t state)
{
    spin_unlock(lock);
    arch_irq_restore(state);
}

static inline bool spin_is_held(const struct spinlock *lock)
{
    return atomic_load_relaxed(&lock->holder) == arch_lock_holder();
}
