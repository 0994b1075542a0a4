/* What Clang's thread-safety analysis has to know about locks: `make check` includes this before
 * each file of the kernel and refuses a function that takes a lock and does not release it on every
 * way out, or releases what it has not taken (tools/check_locks.py). No build includes it.
 * Attributes of a first declaration hold for those that follow, so the code itself needs none. */
#pragma once

#include <zircon/types.h>

#include "arch/arch.h"
#include "kernel/sync/lock_rank.h"

#define ACQUIRES(lock) __attribute__((acquire_capability(lock)))
#define RELEASES(lock) __attribute__((release_capability(lock)))

struct __attribute__((capability("spinlock"))) spinlock;
struct __attribute__((capability("mutex"))) mutex;

static inline void spin_lock(struct spinlock *lock) ACQUIRES(lock);
static inline bool spin_trylock(struct spinlock *lock)
    __attribute__((try_acquire_capability(true, lock)));
static inline void spin_unlock(struct spinlock *lock) RELEASES(lock);
static inline irq_state_t spin_lock_irqsave(struct spinlock *lock) ACQUIRES(lock);
static inline void spin_unlock_irqrestore(struct spinlock *lock, irq_state_t state) RELEASES(lock);
static inline void mutex_lock(struct mutex *mutex) ACQUIRES(mutex);
static inline void mutex_unlock(struct mutex *mutex) RELEASES(mutex);
