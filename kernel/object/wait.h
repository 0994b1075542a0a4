/* Waiting for signals of objects: the sleep behind zx_object_wait_one and zx_object_wait_many. */
#pragma once

#include "kernel/object/handle.h"

/* One object waited for. The first fields are the caller's; the rest is wait_for_signals's. */
struct wait_entry {
    struct object *object; /* borrowed: the caller's reference */
    zx_handle_t value;     /* in the current process's table */
    const void *identity;  /* of that handle, as handle_table_get gave it */
    uint32_t signals;      /* which to wait for */

    uint32_t observed; /* on ZX_OK, ZX_ERR_TIMED_OUT and ZX_ERR_CANCELED: the object's state */
    bool is_notified;
    bool is_closed;
    struct observer observer;
    struct wait_sleeper *sleeper;
};

/* Sleeps until one of the objects has one of its signals (ZX_OK, even if the deadline is past),
 * a handle is closed or moved (ZX_ERR_CANCELED), or |deadline_ns| (absolute, monotonic) is past
 * (ZX_ERR_TIMED_OUT). ZX_ERR_INTERNAL_INTR_*: the thread is being killed or suspended; the caller
 * returns it and the way back to user mode does the rest. |reason|: a ZX_THREAD_STATE_BLOCKED_*. No
 * lock held. */
MUST_USE zx_status_t wait_for_signals(struct wait_entry *entries, size_t count, uint32_t reason,
                                      zx_time_t deadline_ns);

/* The same for one object, looked up here, with a sleeper that is cheaper; *out_observed is written
 * with the statuses named above. ZX_ERR_BAD_HANDLE, ZX_ERR_ACCESS_DENIED (no ZX_RIGHT_WAIT). */
MUST_USE zx_status_t wait_one(zx_handle_t value, uint32_t signals, zx_time_t deadline_ns,
                              uint32_t *out_observed);

/* Sleeps until |deadline_ns|. ZX_OK, or ZX_ERR_INTERNAL_INTR_*. */
MUST_USE zx_status_t wait_until(zx_time_t deadline_ns);
