/* Reference counts that saturate rather than wrap, and panic on use after the last put. */
#pragma once

#include "arch/arch.h"
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

/* The counts that need a second look: 0 and those that do not fit an int32_t. */
void refcount_get_unusual(struct refcount *ref, uint32_t old);
bool refcount_put_unusual(struct refcount *ref, uint32_t old);

/* The caller already owns a reference. */
static inline void refcount_get(struct refcount *ref)
{
    uint32_t old = atomic_fetch_add_relaxed(&ref->count, 1);
    if (UNLIKELY((int32_t)old <= 0))
        refcount_get_unusual(ref, old);
}

/* refcount_get for code that calls nothing. False: no reference was taken, refcount_get has to. */
static inline bool refcount_try_get(struct refcount *ref)
{
    uint32_t old = atomic_fetch_add_relaxed(&ref->count, 1);
    if (LIKELY((int32_t)old > 0))
        return true;
    atomic_fetch_add_relaxed(&ref->count, UINT32_MAX);
    return false;
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

/* The two halves of refcount_put: begin gives the count that was there, and only if that is not
 * above 1 as an int32_t need is_last be asked, which tells what refcount_put tells. */
static inline uint32_t refcount_put_begin(struct refcount *ref)
{
    return arch_fetch_add_u32(&ref->count, UINT32_MAX);
}

static inline bool refcount_put_is_last(struct refcount *ref, uint32_t old)
{
    return old == 1 || refcount_put_unusual(ref, old);
}

/* True when this was the last reference: the caller then frees the object. */
static inline bool refcount_put(struct refcount *ref)
{
    uint32_t old = refcount_put_begin(ref);
    return UNLIKELY((int32_t)old <= 1) && refcount_put_is_last(ref, old);
}
