#include "kernel/sync/spinlock.h"

#include "kernel/lib/panic.h"

void spin_lock_contended(struct spinlock *lock)
{
    ASSERT(atomic_load_relaxed(&lock->holder) != arch_lock_holder());
    for (;;) {
        if (atomic_load_relaxed(&lock->holder) == 0 && arch_lock_try(&lock->holder))
            return;
        /* The holder may be waiting for nothing, but a third hart may wait for this one's fence. */
        arch_ipi_poll();
        arch_cpu_relax();
    }
}
