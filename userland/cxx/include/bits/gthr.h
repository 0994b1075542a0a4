// What the headers of libstdc++ lock with.
#ifndef BERYL_GTHR_H_
#define BERYL_GTHR_H_

#include <pthread.h>

#define __GTHREADS                1
#define __GTHREAD_HAS_COND        1
#define __GTHREAD_MUTEX_INIT      PTHREAD_MUTEX_INITIALIZER
#define _GLIBCXX_GTHREAD_USE_WEAK 0

#define __GTHREAD_COND_INIT                     PTHREAD_COND_INITIALIZER
#define __GTHREAD_ONCE_INIT                     PTHREAD_ONCE_INIT
#define __GTHREAD_RECURSIVE_MUTEX_INIT_FUNCTION __gthread_recursive_mutex_init_function

typedef pthread_mutex_t __gthread_mutex_t;
typedef pthread_mutex_t __gthread_recursive_mutex_t;
typedef pthread_cond_t __gthread_cond_t;
typedef pthread_once_t __gthread_once_t;

static inline int __gthread_active_p(void)
{
    return 1;
}
static inline int __gthread_mutex_lock(__gthread_mutex_t *mutex)
{
    return pthread_mutex_lock(mutex);
}
static inline int __gthread_mutex_trylock(__gthread_mutex_t *mutex)
{
    return pthread_mutex_trylock(mutex);
}
static inline int __gthread_mutex_unlock(__gthread_mutex_t *mutex)
{
    return pthread_mutex_unlock(mutex);
}

static inline void __gthread_recursive_mutex_init_function(__gthread_recursive_mutex_t *mutex)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(mutex, &attr);
    pthread_mutexattr_destroy(&attr);
}
static inline int __gthread_recursive_mutex_destroy(__gthread_recursive_mutex_t *mutex)
{
    return pthread_mutex_destroy(mutex);
}
static inline int __gthread_recursive_mutex_lock(__gthread_recursive_mutex_t *mutex)
{
    return pthread_mutex_lock(mutex);
}
static inline int __gthread_recursive_mutex_unlock(__gthread_recursive_mutex_t *mutex)
{
    return pthread_mutex_unlock(mutex);
}
static inline int __gthread_cond_wait(__gthread_cond_t *cond, __gthread_mutex_t *mutex)
{
    return pthread_cond_wait(cond, mutex);
}
static inline int __gthread_cond_wait_recursive(__gthread_cond_t *cond,
                                                __gthread_recursive_mutex_t *mutex)
{
    return pthread_cond_wait(cond, mutex);
}
static inline int __gthread_cond_broadcast(__gthread_cond_t *cond)
{
    return pthread_cond_broadcast(cond);
}
static inline int __gthread_once(__gthread_once_t *once, void (*fn)(void))
{
    return pthread_once(once, fn);
}

#endif // BERYL_GTHR_H_
