// Locks of user programs: three-state futexes. The state is 0 when free, 1 when held, 2 when held
// and somebody may be waiting.
#ifndef USERLAND_LIBZX_LOCK_H_
#define USERLAND_LIBZX_LOCK_H_

#include <stdbool.h>
#include <zircon/types.h>

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
void lock_release(struct lock *lock);

#endif // USERLAND_LIBZX_LOCK_H_
