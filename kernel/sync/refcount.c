#include "kernel/sync/refcount.h"

void refcount_get_unusual(struct refcount *ref, uint32_t old)
{
    ASSERT(old != 0);
    atomic_store_relaxed(&ref->count, REFCOUNT_SATURATED);
}

bool refcount_put_unusual(struct refcount *ref, uint32_t old)
{
    ASSERT(old != 0);
    atomic_store_relaxed(&ref->count, REFCOUNT_SATURATED);
    return false;
}
