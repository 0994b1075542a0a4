#include "kernel/sync/spinlock.h"

#include "kernel/lib/panic.h"

void spin_lock_contended(struct spinlock *lock)
{
    uint32_t self = arch_hart_index() + 1;

    ASSERT(atomic_load_relaxed(&lock->value) != self);
    for (;;) {
        uint32_t free = 0;
        if (atomic_load_relaxed(&lock->value) == 0 && atomic_cas_acquire(&lock->value, &free, self))
            return;
        /* The holder may be waiting for nothing, but a third hart may wait for this one's fence. */
        arch_ipi_poll();
        arch_cpu_relax();
    }
}
