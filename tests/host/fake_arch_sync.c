/* Mutexes and parking for host tests, on pthreads: kernel/sched is not linked there. */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "kernel/lib/panic.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/thread.h"
#include "tests/host/fake_arch.h"

/* One lock and one condition for everything that sleeps: simple, and ThreadSanitizer knows them. */
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_cond = PTHREAD_COND_INITIALIZER;

static _Thread_local struct thread fake_thread;

struct thread *arch_current_thread(void)
{
    return &fake_thread;
}

void arch_cpu_relax(void)
{
    sched_yield();
}

/* Spinlocks turn interrupts off, so this finds them too. */
static void assert_may_sleep(void)
{
    if (!arch_irq_is_enabled())
        panic("about to sleep with interrupts off");
}

void mutex_init(struct mutex *mutex, enum lock_rank rank)
{
    memset(mutex, 0, sizeof(*mutex));
    spinlock_init(&mutex->wait_lock, LOCK_RANK_MUTEX);
    list_init(&mutex->waiters);
#ifdef DEBUG
    mutex->rank = (uint8_t)rank;
#else
    (void)rank;
#endif
}

void mutex_lock_slow(struct mutex *mutex)
{
    uintptr_t self = (uintptr_t)thread_current();

    assert_may_sleep();
    pthread_mutex_lock(&sleep_lock);
    if (mutex->owner == self)
        panic("mutex %p: taken twice by its owner", (void *)mutex);
    while (mutex->owner != 0)
        pthread_cond_wait(&sleep_cond, &sleep_lock);
    atomic_store_relaxed(&mutex->owner, self);
    pthread_mutex_unlock(&sleep_lock);
}

void mutex_unlock_slow(struct mutex *mutex)
{
    pthread_mutex_lock(&sleep_lock);
    if (mutex->owner != (uintptr_t)thread_current())
        panic("mutex %p: released by a thread that does not own it", (void *)mutex);
    atomic_store_relaxed(&mutex->owner, 0);
    pthread_cond_broadcast(&sleep_cond);
    pthread_mutex_unlock(&sleep_lock);
}

bool mutex_is_held(const struct mutex *mutex)
{
    return atomic_load_relaxed(&mutex->owner) == (uintptr_t)thread_current();
}

/* ---- Scheduler --------------------------------------------------------------------------------
 */

zx_time_t clock_monotonic_ns(void)
{
    return (zx_time_t)arch_ticks();
}

zx_status_t thread_park(zx_time_t deadline_ns, bool interruptible)
{
    struct thread *self = thread_current();
    zx_status_t status = ZX_OK;

    assert_may_sleep();
    pthread_mutex_lock(&sleep_lock);
    while (!self->token) {
        if (interruptible && (atomic_load(&self->signals) & THREAD_SIGNAL_KILL) != 0) {
            status = ZX_ERR_INTERNAL_INTR_KILLED;
            break;
        }
        if (interruptible && (atomic_load(&self->signals) & THREAD_SIGNAL_SUSPEND) != 0) {
            status = ZX_ERR_INTERNAL_INTR_RETRY;
            break;
        }
        if (clock_monotonic_ns() >= deadline_ns) {
            status = ZX_ERR_TIMED_OUT;
            break;
        }
        if (deadline_ns == ZX_TIME_INFINITE) {
            pthread_cond_wait(&sleep_cond, &sleep_lock);
        } else {
            pthread_mutex_unlock(&sleep_lock);
            sched_yield();
            pthread_mutex_lock(&sleep_lock);
        }
    }
    if (status == ZX_OK)
        self->token = false;
    pthread_mutex_unlock(&sleep_lock);
    return status;
}

void thread_unpark(struct thread *thread)
{
    pthread_mutex_lock(&sleep_lock);
    thread->token = true;
    pthread_cond_broadcast(&sleep_cond);
    pthread_mutex_unlock(&sleep_lock);
}

zx_status_t thread_park_for(uint32_t reason, zx_time_t deadline_ns)
{
    (void)reason;
    return thread_park(deadline_ns, true);
}

void thread_unpark_hand_off(struct thread *thread)
{
    thread_unpark(thread);
}

void thread_signal(struct thread *thread, uint32_t signals)
{
    pthread_mutex_lock(&sleep_lock);
    atomic_fetch_or(&thread->signals, signals);
    pthread_cond_broadcast(&sleep_cond);
    pthread_mutex_unlock(&sleep_lock);
}

void thread_clear_signal(struct thread *thread, uint32_t signals)
{
    atomic_fetch_and(&thread->signals, ~signals);
}

void thread_yield(void)
{
    sched_yield();
}

#ifdef DEBUG
struct held_locks *thread_held_locks(void)
{
    return &fake_thread.held;
}
#endif
