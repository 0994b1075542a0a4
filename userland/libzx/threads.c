// <threads.h> on libzx's threads and locks.
#include <threads.h>
#include <zircon/threads.h>

#include <zircon/syscalls.h>

#include "userland/libzx/lock.h"
#include "userland/libzx/mutex.h"
#include "userland/libzx/thread.h"
#include "userland/libzx/time.h"

static int result_of(zx_status_t status)
{
    switch (status) {
    case ZX_OK:
        return thrd_success;
    case ZX_ERR_SHOULD_WAIT:
        return thrd_busy;
    case ZX_ERR_TIMED_OUT:
        return thrd_timedout;
    case ZX_ERR_NO_MEMORY:
        return thrd_nomem;
    default:
        return thrd_error;
    }
}

// ---- Threads ----

int thrd_create_with_name(thrd_t *thread, thrd_start_t fn, void *arg, const char *name)
{
    return result_of(thread_spawn(name, fn, arg, thread));
}

int thrd_create(thrd_t *thread, thrd_start_t fn, void *arg)
{
    return thrd_create_with_name(thread, fn, arg, "thrd_t");
}

thrd_t thrd_current(void)
{
    return thread_self();
}

int thrd_detach(thrd_t thread)
{
    if (thread_check_joinable(thread) == ZX_ERR_INVALID_ARGS) {
        return thrd_error;
    }
    thread_detach(thread);
    return thrd_success;
}

int thrd_equal(thrd_t a, thrd_t b)
{
    return a == b;
}

void thrd_exit(int result)
{
    thread_end((uintptr_t)(intptr_t)result);
}

int thrd_join(thrd_t thread, int *result)
{
    int value;

    if (thread_check_joinable(thread) != ZX_OK) {
        return thrd_error;
    }
    value = (int)thread_join(thread);
    if (result != NULL) {
        *result = value;
    }
    return thrd_success;
}

int thrd_sleep(const struct timespec *duration, struct timespec *remaining)
{
    if (!timespec_is_valid(duration) || duration->tv_sec < 0) {
        return -2;
    }
    zx_nanosleep(zx_deadline_after(time_from_timespec(duration)));
    if (remaining != NULL) {
        *remaining = (struct timespec){0};
    }
    return 0;
}

void thrd_yield(void)
{
    zx_thread_legacy_yield(0);
}

// ---- Mutexes ----

int mtx_init(mtx_t *mutex, int type)
{
    if ((type & ~(mtx_recursive | mtx_timed)) != 0) {
        return thrd_error;
    }
    *mutex = (mtx_t){.type = (type & mtx_recursive) != 0 ? MUTEX_RECURSIVE : MUTEX_NORMAL};
    return thrd_success;
}

void mtx_destroy(mtx_t *mutex)
{
    (void)mutex;
}

int mtx_lock(mtx_t *mutex)
{
    return result_of(mutex_lock(mutex, ZX_TIME_INFINITE));
}

int mtx_timedlock(mtx_t *__restrict mutex, const struct timespec *__restrict deadline)
{
    if (!timespec_is_valid(deadline)) {
        return thrd_error;
    }
    return result_of(mutex_lock(mutex, time_from_timespec(deadline)));
}

int mtx_trylock(mtx_t *mutex)
{
    return result_of(mutex_try_lock(mutex));
}

int mtx_unlock(mtx_t *mutex)
{
    return result_of(mutex_unlock(mutex));
}

// ---- Conditions ----

int cnd_init(cnd_t *condition)
{
    *condition = (cnd_t){0};
    return thrd_success;
}

void cnd_destroy(cnd_t *condition)
{
    (void)condition;
}

int cnd_signal(cnd_t *condition)
{
    condition_signal((struct condition *)condition);
    return thrd_success;
}

int cnd_broadcast(cnd_t *condition)
{
    condition_broadcast((struct condition *)condition);
    return thrd_success;
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return result_of(mutex_wait(condition, mutex, ZX_TIME_INFINITE));
}

int cnd_timedwait(cnd_t *__restrict condition, mtx_t *__restrict mutex,
                  const struct timespec *__restrict deadline)
{
    if (!timespec_is_valid(deadline)) {
        return thrd_error;
    }
    return result_of(mutex_wait(condition, mutex, time_from_timespec(deadline)));
}

// ---- Once ----

enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };

void call_once(once_flag *flag, void (*fn)(void))
{
    int state = ONCE_NEW;

    if (atomic_compare_exchange_strong(&flag->state, &state, ONCE_RUNNING)) {
        fn();
        atomic_store(&flag->state, ONCE_DONE);
        zx_futex_wake(&flag->state, UINT32_MAX);
        return;
    }
    while (atomic_load(&flag->state) != ONCE_DONE) {
        zx_futex_wait(&flag->state, ONCE_RUNNING, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
    }
}

// ---- Thread-specific storage ----

int tss_create(tss_t *key, tss_dtor_t destructor)
{
    return result_of(thread_key_create(destructor, key));
}

void tss_delete(tss_t key)
{
    thread_key_delete(key);
}

void *tss_get(tss_t key)
{
    return thread_key_get(key);
}

int tss_set(tss_t key, void *value)
{
    return result_of(thread_key_set(key, value));
}

// ---- Zircon ----

zx_handle_t thrd_get_zx_handle(thrd_t thread)
{
    return thread_handle(thread);
}
