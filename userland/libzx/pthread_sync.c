// <pthread.h>: reader-writer locks (writers first) and barriers, on mutexes and conditions.
#include <pthread.h>

#include <errno.h>

// ---- Reader-writer locks ----

int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr)
{
    (void)attr;
    *lock = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
    return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    (void)lock;
    return 0;
}

static int lock_for_reading(pthread_rwlock_t *lock, int may_wait)
{
    int error = 0;

    mtx_lock(&lock->mutex);
    while (lock->readers < 0 || lock->writers_waiting > 0) {
        if (!may_wait) {
            error = EBUSY;
            break;
        }
        cnd_wait(&lock->changed, &lock->mutex);
    }
    lock->readers += error == 0;
    mtx_unlock(&lock->mutex);
    return error;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    return lock_for_reading(lock, 1);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    return lock_for_reading(lock, 0);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    mtx_lock(&lock->mutex);
    lock->writers_waiting++;
    while (lock->readers != 0) {
        cnd_wait(&lock->changed, &lock->mutex);
    }
    lock->writers_waiting--;
    lock->readers = -1;
    mtx_unlock(&lock->mutex);
    return 0;
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    int error = EBUSY;

    mtx_lock(&lock->mutex);
    if (lock->readers == 0) {
        lock->readers = -1;
        error = 0;
    }
    mtx_unlock(&lock->mutex);
    return error;
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    mtx_lock(&lock->mutex);
    lock->readers = lock->readers < 0 ? 0 : lock->readers - 1;
    if (lock->readers == 0) {
        cnd_broadcast(&lock->changed);
    }
    mtx_unlock(&lock->mutex);
    return 0;
}

// ---- Barriers ----

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr,
                         unsigned count)
{
    (void)attr;
    if (count == 0) {
        return EINVAL;
    }
    *barrier = (pthread_barrier_t){MTX_INIT, CND_INIT, count, 0, 0, 0};
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    // Who has come first from the last round may be here while others are still leaving it.
    mtx_lock(&barrier->mutex);
    while (barrier->inside > 0) {
        cnd_wait(&barrier->full, &barrier->mutex);
    }
    mtx_unlock(&barrier->mutex);
    return 0;
}

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    int result = 0;

    mtx_lock(&barrier->mutex);
    unsigned round = barrier->round;
    if (++barrier->arrived == barrier->wanted) {
        barrier->arrived = 0;
        barrier->round++;
        barrier->inside += barrier->wanted;
        cnd_broadcast(&barrier->full);
        result = PTHREAD_BARRIER_SERIAL_THREAD;
    }
    while (result == 0 && barrier->round == round) {
        cnd_wait(&barrier->full, &barrier->mutex);
    }
    if (--barrier->inside == 0) {
        cnd_broadcast(&barrier->full);
    }
    mtx_unlock(&barrier->mutex);
    return result;
}
