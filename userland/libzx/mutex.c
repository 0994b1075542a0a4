#include "userland/libzx/mutex.h"

#include "userland/libzx/lock.h"
#include "userland/libzx/thread.h"

static struct lock *lock_of(mtx_t *mutex)
{
    return (struct lock *)&mutex->state;
}

// Identifies the calling thread: threads made by zx_thread_create share one struct thread, but no
// two threads share thread-local storage.
static uintptr_t caller(void)
{
    static _Thread_local char mark;

    return (uintptr_t)&mark;
}

static bool is_owner(mtx_t *mutex)
{
    return __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED) == caller();
}

static void set_owner(mtx_t *mutex, uintptr_t owner)
{
    __atomic_store_n(&mutex->owner, owner, __ATOMIC_RELAXED);
}

zx_status_t mutex_lock(mtx_t *mutex, zx_time_t deadline)
{
    if (mutex->type != MUTEX_NORMAL && is_owner(mutex)) {
        if (mutex->type == MUTEX_ERRORCHECK) {
            return ZX_ERR_BAD_STATE;
        }
        if (mutex->recursion == UINT32_MAX) {
            return ZX_ERR_OUT_OF_RANGE;
        }
        mutex->recursion++;
        return ZX_OK;
    }
    if (!lock_acquire_until(lock_of(mutex), deadline)) {
        return ZX_ERR_TIMED_OUT;
    }
    set_owner(mutex, caller());
    return ZX_OK;
}

zx_status_t mutex_try_lock(mtx_t *mutex)
{
    if (mutex->type == MUTEX_RECURSIVE && is_owner(mutex)) {
        return mutex_lock(mutex, 0);
    }
    if (!lock_try_acquire(lock_of(mutex))) {
        return ZX_ERR_SHOULD_WAIT;
    }
    set_owner(mutex, caller());
    return ZX_OK;
}

zx_status_t mutex_unlock(mtx_t *mutex)
{
    if (mutex->type != MUTEX_NORMAL && !is_owner(mutex)) {
        return ZX_ERR_ACCESS_DENIED;
    }
    if (mutex->recursion > 0) {
        mutex->recursion--;
        return ZX_OK;
    }
    set_owner(mutex, 0);
    lock_release(lock_of(mutex));
    return ZX_OK;
}

zx_status_t mutex_wait(cnd_t *condition, mtx_t *mutex, zx_time_t deadline)
{
    uint32_t recursion;
    bool in_time;

    if (mutex->type != MUTEX_NORMAL && !is_owner(mutex)) {
        return ZX_ERR_ACCESS_DENIED;
    }
    recursion = mutex->recursion;
    mutex->recursion = 0;
    set_owner(mutex, 0);
    in_time = condition_wait((struct condition *)condition, lock_of(mutex), deadline);
    set_owner(mutex, caller());
    mutex->recursion = recursion;
    return in_time ? ZX_OK : ZX_ERR_TIMED_OUT;
}
