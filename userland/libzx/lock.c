#include "userland/libzx/lock.h"

#include <zircon/syscalls.h>

bool lock_try_acquire(struct lock *lock)
{
    int expected = 0;

    return atomic_compare_exchange_strong_explicit(&lock->state, &expected, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

bool lock_acquire_until(struct lock *lock, zx_time_t deadline)
{
    if (lock_try_acquire(lock)) {
        return true;
    }
    while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0) {
        if (zx_futex_wait(&lock->state, 2, ZX_HANDLE_INVALID, deadline) == ZX_ERR_TIMED_OUT) {
            return false;
        }
    }
    return true;
}

void lock_acquire(struct lock *lock)
{
    (void)lock_acquire_until(lock, ZX_TIME_INFINITE);
}

void lock_release(struct lock *lock)
{
    if (atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2) {
        zx_futex_wake(&lock->state, 1);
    }
}

bool condition_wait(struct condition *condition, struct lock *lock, zx_time_t deadline)
{
    int seen = atomic_load_explicit(&condition->state, memory_order_relaxed);
    zx_status_t status;

    lock_release(lock);
    status = zx_futex_wait(&condition->state, seen, ZX_HANDLE_INVALID, deadline);
    lock_acquire(lock);
    return status != ZX_ERR_TIMED_OUT;
}

void condition_signal(struct condition *condition)
{
    atomic_fetch_add_explicit(&condition->state, 1, memory_order_relaxed);
    zx_futex_wake(&condition->state, 1);
}

void condition_broadcast(struct condition *condition)
{
    atomic_fetch_add_explicit(&condition->state, 1, memory_order_relaxed);
    zx_futex_wake(&condition->state, UINT32_MAX);
}
