// The locks that picolibc calls around its shared state (malloc, atexit, environment ...).
#include <stdint.h>
#include <stdlib.h>
#include <sys/lock.h>

#include "userland/libzx/lock.h"

struct __lock {
    struct lock lock;
    uintptr_t owner; // thread pointer of the holder of a recursive lock, or 0
    unsigned depth;
};

struct __lock __lock___libc_recursive_mutex;

static uintptr_t self(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

void __retarget_lock_init(_LOCK_T *lock)
{
    *lock = calloc(1, sizeof(**lock));
    if (*lock == NULL) {
        abort();
    }
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    __retarget_lock_init(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
    free(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    free(lock);
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    lock_acquire(&lock->lock);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    return lock_try_acquire(&lock->lock);
}

void __retarget_lock_release(_LOCK_T lock)
{
    lock_release(&lock->lock);
}

// Only the holder ever finds its own thread pointer in owner.
void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) != self()) {
        lock_acquire(&lock->lock);
        __atomic_store_n(&lock->owner, self(), __ATOMIC_RELAXED);
    }
    lock->depth++;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) != self()) {
        if (!lock_try_acquire(&lock->lock)) {
            return 0;
        }
        __atomic_store_n(&lock->owner, self(), __ATOMIC_RELAXED);
    }
    lock->depth++;
    return 1;
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    if (--lock->depth == 0) {
        __atomic_store_n(&lock->owner, (uintptr_t)0, __ATOMIC_RELAXED);
        lock_release(&lock->lock);
    }
}
