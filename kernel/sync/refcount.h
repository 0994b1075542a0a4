/* Reference counts that saturate rather than wrap, and panic on use after the last put. */
#pragma once

#include "kernel/lib/panic.h"
#include "kernel/sync/atomic.h"

struct refcount {
    uint32_t count;
};

#define REFCOUNT_SATURATED 0x80000000u

static inline void refcount_init(struct refcount *ref)
{
    atomic_store_relaxed(&ref->count, 1);
}

/* The caller already owns a reference. */
static inline void refcount_get(struct refcount *ref)
{
    uint32_t old = atomic_fetch_add_relaxed(&ref->count, 1);
    ASSERT(old != 0);
    if (UNLIKELY(old >= REFCOUNT_SATURATED))
        atomic_store_relaxed(&ref->count, REFCOUNT_SATURATED);
}

/* Takes a reference only if one is still held by somebody: for lookups in weak tables. */
static inline bool refcount_get_unless_zero(struct refcount *ref)
{
    uint32_t old = atomic_load_relaxed(&ref->count);
    while (old != 0) {
        if (atomic_cas(&ref->count, &old, old + 1))
            return true;
    }
    return false;
}

/* True when this was the last reference: the caller then frees the object. */
static inline bool refcount_put(struct refcount *ref)
{
    uint32_t old = atomic_fetch_sub(&ref->count, 1);
    ASSERT(old != 0);
    if (UNLIKELY(old >= REFCOUNT_SATURATED)) {
        atomic_store_relaxed(&ref->count, REFCOUNT_SATURATED);
        return false;
    }
    return old == 1;
}
