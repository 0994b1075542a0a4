// The useful part of POSIX threads, on the same threads and locks as <threads.h>. Functions return
// 0 or an error number. Cancellation, signals, scheduling attributes and process-shared objects are
// absent; deadlines are on the clock of clock_gettime (docs/userland.md).
#ifndef BERYL_PTHREAD_H_
#define BERYL_PTHREAD_H_

#include <sched.h>
#include <stddef.h>
#include <threads.h>
#include <time.h>

__BEGIN_CDECLS

typedef thrd_t pthread_t;
typedef mtx_t pthread_mutex_t;
typedef cnd_t pthread_cond_t;
typedef once_flag pthread_once_t;
typedef tss_t pthread_key_t;

typedef struct {
    size_t stack_bytes;
    int detached;
} pthread_attr_t;
typedef struct {
    int type;
} pthread_mutexattr_t;
typedef struct {
    int clock;
} pthread_condattr_t;
typedef struct {
    mtx_t mutex;
    cnd_t changed;
    int readers; // -1: a writer
    unsigned writers_waiting;
} pthread_rwlock_t;
typedef struct {
    mtx_t mutex;
    cnd_t full;
    unsigned wanted, arrived, round;
    unsigned inside; // threads of full rounds that have not left
} pthread_barrier_t;
typedef int pthread_rwlockattr_t;
typedef int pthread_barrierattr_t;

#define PTHREAD_MUTEX_INITIALIZER MTX_INIT
#define PTHREAD_COND_INITIALIZER  CND_INIT
#define PTHREAD_ONCE_INIT         ONCE_FLAG_INIT
#define PTHREAD_RWLOCK_INITIALIZER                                                                 \
    {                                                                                              \
        MTX_INIT, CND_INIT, 0, 0                                                                   \
    }

#define PTHREAD_CREATE_JOINABLE       0
#define PTHREAD_CREATE_DETACHED       1
#define PTHREAD_MUTEX_NORMAL          0
#define PTHREAD_MUTEX_RECURSIVE       1
#define PTHREAD_MUTEX_ERRORCHECK      2
#define PTHREAD_MUTEX_DEFAULT         PTHREAD_MUTEX_NORMAL
#define PTHREAD_BARRIER_SERIAL_THREAD (-1)
#define PTHREAD_KEYS_MAX              64
#define PTHREAD_STACK_MIN             16384

int pthread_attr_init(pthread_attr_t *attr);
int pthread_attr_destroy(pthread_attr_t *attr);
int pthread_attr_setstacksize(pthread_attr_t *attr, size_t stack_bytes);
int pthread_attr_getstacksize(const pthread_attr_t *attr, size_t *stack_bytes);
int pthread_attr_setdetachstate(pthread_attr_t *attr, int state);
int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state);

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int pthread_join(pthread_t thread, void **result);
int pthread_detach(pthread_t thread);
pthread_t pthread_self(void);
int pthread_equal(pthread_t a, pthread_t b);
__NO_RETURN void pthread_exit(void *result);
int pthread_once(pthread_once_t *once, void (*fn)(void));

int pthread_mutexattr_init(pthread_mutexattr_t *attr);
int pthread_mutexattr_destroy(pthread_mutexattr_t *attr);
int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type);
int pthread_mutexattr_gettype(const pthread_mutexattr_t *attr, int *type);
int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);
int pthread_mutex_destroy(pthread_mutex_t *mutex);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex);
int pthread_mutex_timedlock(pthread_mutex_t *__restrict mutex,
                            const struct timespec *__restrict deadline);
int pthread_mutex_unlock(pthread_mutex_t *mutex);

int pthread_condattr_init(pthread_condattr_t *attr);
int pthread_condattr_destroy(pthread_condattr_t *attr);
int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock);
int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attr);
int pthread_cond_destroy(pthread_cond_t *condition);
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int pthread_cond_timedwait(pthread_cond_t *__restrict condition, pthread_mutex_t *__restrict mutex,
                           const struct timespec *__restrict deadline);
int pthread_cond_signal(pthread_cond_t *condition);
int pthread_cond_broadcast(pthread_cond_t *condition);

int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr);
int pthread_rwlock_destroy(pthread_rwlock_t *lock);
int pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock);
int pthread_rwlock_wrlock(pthread_rwlock_t *lock);
int pthread_rwlock_trywrlock(pthread_rwlock_t *lock);
int pthread_rwlock_unlock(pthread_rwlock_t *lock);

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr,
                         unsigned count);
int pthread_barrier_destroy(pthread_barrier_t *barrier);
int pthread_barrier_wait(pthread_barrier_t *barrier);

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int pthread_key_delete(pthread_key_t key);
void *pthread_getspecific(pthread_key_t key);
int pthread_setspecific(pthread_key_t key, const void *value);

__END_CDECLS

#endif // BERYL_PTHREAD_H_
