#include "userland/libzx/lock.h"

#include <zircon/syscalls.h>

bool lock_try_acquire(struct lock *lock)
{
    int expected = 0;

    return atomic_compare_exchange_strong_explicit(&lock->state, &expected, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

void lock_acquire(struct lock *lock)
{
    if (lock_try_acquire(lock)) {
        return;
    }
    while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0) {
        zx_futex_wait(&lock->state, 2, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
    }
}

void lock_release(struct lock *lock)
{
    if (atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2) {
        zx_futex_wake(&lock->state, 1);
    }
}
