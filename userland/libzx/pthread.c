// <pthread.h>: threads, mutexes, conditions, keys.
#include <pthread.h>

#include <errno.h>
#include <zircon/syscalls.h>

#include "userland/libzx/mutex.h"
#include "userland/libzx/thread.h"
#include "userland/libzx/time.h"

static int error_of(zx_status_t status)
{
    switch (status) {
    case ZX_OK:
        return 0;
    case ZX_ERR_SHOULD_WAIT:
        return EBUSY;
    case ZX_ERR_TIMED_OUT:
        return ETIMEDOUT;
    case ZX_ERR_BAD_STATE:
        return EDEADLK;
    case ZX_ERR_ACCESS_DENIED:
        return EPERM;
    case ZX_ERR_INVALID_ARGS:
        return EINVAL;
    default:
        return EAGAIN;
    }
}

// ---- Threads ----

int pthread_attr_init(pthread_attr_t *attr)
{
    *attr = (pthread_attr_t){.stack_bytes = THREAD_STACK_BYTES};
    return 0;
}

int pthread_attr_destroy(pthread_attr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *attr, size_t stack_bytes)
{
    if (stack_bytes < PTHREAD_STACK_MIN) {
        return EINVAL;
    }
    attr->stack_bytes = stack_bytes;
    return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *attr, size_t *stack_bytes)
{
    *stack_bytes = attr->stack_bytes;
    return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *attr, int state)
{
    if (state != PTHREAD_CREATE_JOINABLE && state != PTHREAD_CREATE_DETACHED) {
        return EINVAL;
    }
    attr->detached = state;
    return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state)
{
    *state = attr->detached;
    return 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    struct thread_options options = {"pthread_t", attr != NULL ? attr->stack_bytes : 0};
    zx_status_t status = thread_spawn_pointer(&options, fn, arg, thread);

    if (status != ZX_OK) {
        return error_of(status);
    }
    if (attr != NULL && attr->detached == PTHREAD_CREATE_DETACHED) {
        thread_detach(*thread);
    }
    return 0;
}

int pthread_join(pthread_t thread, void **result)
{
    zx_status_t status = thread_check_joinable(thread);
    void *value;

    if (status != ZX_OK) {
        return error_of(status);
    }
    value = (void *)thread_join(thread);
    if (result != NULL) {
        *result = value;
    }
    return 0;
}

int pthread_detach(pthread_t thread)
{
    if (thread_check_joinable(thread) == ZX_ERR_INVALID_ARGS) {
        return EINVAL;
    }
    thread_detach(thread);
    return 0;
}

pthread_t pthread_self(void)
{
    return thread_self();
}

int pthread_equal(pthread_t a, pthread_t b)
{
    return a == b;
}

void pthread_exit(void *result)
{
    thread_end((uintptr_t)result);
}

int pthread_once(pthread_once_t *once, void (*fn)(void))
{
    call_once(once, fn);
    return 0;
}

// ---- Mutexes ----

int pthread_mutexattr_init(pthread_mutexattr_t *attr)
{
    *attr = (pthread_mutexattr_t){PTHREAD_MUTEX_DEFAULT};
    return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type)
{
    if (type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK) {
        return EINVAL;
    }
    attr->type = type;
    return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *attr, int *type)
{
    *type = attr->type;
    return 0;
}

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
    *mutex = (pthread_mutex_t){.type = attr != NULL ? (uint32_t)attr->type : MUTEX_NORMAL};
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return error_of(mutex_lock(mutex, ZX_TIME_INFINITE));
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    return error_of(mutex_try_lock(mutex));
}

int pthread_mutex_timedlock(pthread_mutex_t *__restrict mutex,
                            const struct timespec *__restrict deadline)
{
    if (!timespec_is_valid(deadline)) {
        return EINVAL;
    }
    return error_of(mutex_lock(mutex, time_from_timespec(deadline)));
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    return error_of(mutex_unlock(mutex));
}

// ---- Conditions ----

int pthread_condattr_init(pthread_condattr_t *attr)
{
    *attr = (pthread_condattr_t){CLOCK_REALTIME};
    return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        return EINVAL;
    }
    attr->clock = (int)clock; // both count alike
    return 0;
}

int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attr)
{
    (void)attr;
    return cnd_init(condition);
}

int pthread_cond_destroy(pthread_cond_t *condition)
{
    (void)condition;
    return 0;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    return error_of(mutex_wait(condition, mutex, ZX_TIME_INFINITE));
}

int pthread_cond_timedwait(pthread_cond_t *__restrict condition, pthread_mutex_t *__restrict mutex,
                           const struct timespec *__restrict deadline)
{
    if (!timespec_is_valid(deadline)) {
        return EINVAL;
    }
    return error_of(mutex_wait(condition, mutex, time_from_timespec(deadline)));
}

int pthread_cond_signal(pthread_cond_t *condition)
{
    return cnd_signal(condition);
}

int pthread_cond_broadcast(pthread_cond_t *condition)
{
    return cnd_broadcast(condition);
}

// ---- Keys ----

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    return error_of(thread_key_create(destructor, key));
}

int pthread_key_delete(pthread_key_t key)
{
    thread_key_delete(key);
    return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
    return thread_key_get(key);
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    return error_of(thread_key_set(key, (void *)(uintptr_t)value));
}
