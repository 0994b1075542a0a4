#include "kernel/sync/lock_rank.h"

#include "arch/arch.h"
#include "kernel/lib/panic.h"

#ifdef DEBUG

/* Mutexes are taken with interrupts on, and what an interrupt takes goes into the same list. */

static void add_to(struct held_locks *held, const void *lock, enum lock_rank rank)
{
    for (unsigned i = held->base; rank != LOCK_RANK_NONE && i < held->count; i++) {
        if (held->ranks[i] >= rank)
            panic("lock order: %p of rank %u taken while %p of rank %u is held", lock, rank,
                  held->locks[i], held->ranks[i]);
    }
    ASSERT(held->count < LOCK_RANK_MAX_HELD);
    held->locks[held->count] = lock;
    held->ranks[held->count] = (uint8_t)rank;
    held->count++;
}

void lock_rank_acquire(const void *lock, enum lock_rank rank)
{
    struct held_locks *held = thread_held_locks();

    if (held != NULL) {
        irq_state_t irqs = arch_irq_save();
        add_to(held, lock, rank);
        arch_irq_restore(irqs);
    }
}

static void remove_from(struct held_locks *held, const void *lock)
{
    for (unsigned i = held->count; i-- > 0;) {
        if (held->locks[i] != lock)
            continue;
        for (held->count--; i < held->count; i++) {
            held->locks[i] = held->locks[i + 1];
            held->ranks[i] = held->ranks[i + 1];
        }
        return;
    }
    panic("lock order: %p released but not held", lock);
}

void lock_rank_release(const void *lock)
{
    struct held_locks *held = thread_held_locks();

    if (held != NULL) {
        irq_state_t irqs = arch_irq_save();
        remove_from(held, lock);
        arch_irq_restore(irqs);
    }
}

unsigned lock_rank_enter_interrupt(void)
{
    struct held_locks *held = thread_held_locks();
    unsigned base = 0;

    if (held != NULL) {
        base = held->base;
        held->base = held->count;
        held->count_interrupts++;
    }
    return base;
}

void lock_rank_exit_interrupt(unsigned base)
{
    struct held_locks *held = thread_held_locks();

    if (held != NULL) {
        held->base = (uint8_t)base;
        held->count_interrupts--;
    }
}

void lock_rank_assert_below(enum lock_rank limit)
{
    struct held_locks *held = thread_held_locks();

    for (unsigned i = 0; held != NULL && i < held->count; i++) {
        if (held->ranks[i] >= limit)
            panic("lock order: %p of rank %u held where only ranks below %u may be", held->locks[i],
                  held->ranks[i], limit);
    }
}

#endif
