// Locks and condition variables of user programs, made of futexes.
#ifndef USERLAND_LIBZX_LOCK_H_
#define USERLAND_LIBZX_LOCK_H_

#include <stdbool.h>
#include <zircon/types.h>

// The state is 0 when free, 1 when held, 2 when held and somebody may be waiting.
struct lock {
    zx_futex_t state;
};

#define LOCK_INIT                                                                                  \
    {                                                                                              \
        0                                                                                          \
    }

// Not recursive.
void lock_acquire(struct lock *lock);
bool lock_try_acquire(struct lock *lock);
// False: the deadline passed first.
bool lock_acquire_until(struct lock *lock, zx_time_t deadline);
void lock_release(struct lock *lock);

// The state counts signals, so that one that comes between unlocking and sleeping is not lost.
struct condition {
    zx_futex_t state;
};

// Releases lock (held), sleeps until a signal or, perhaps, for no reason, and takes lock again.
// False: the deadline passed first.
bool condition_wait(struct condition *condition, struct lock *lock, zx_time_t deadline);
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);

#endif // USERLAND_LIBZX_LOCK_H_
