/* Software timers, one ordered queue a hart. */
#pragma once

#include <zircon/types.h>

#include "kernel/lib/compiler.h"

struct timer;
/* Runs in interrupt context, interrupts off, without the queue's lock. */
typedef void (*timer_callback)(struct timer *timer, void *ctx);

struct timer {
    struct timer *child, *sibling, *prev; /* pairing heap, guarded by the queue's lock */
    zx_time_t deadline_ns;
    timer_callback callback;
    void *ctx;
    int32_t hart; /* whose queue it is in; -1: none */
    bool running; /* the callback is being run */
};

void timer_init(struct timer *timer, timer_callback callback, void *ctx);

/* Queues |timer| (not queued now) on this hart. Any context. */
void timer_set(struct timer *timer, zx_time_t deadline_ns);

/* Takes |timer| out of its queue. On return the callback is not running and will not run, unless
 * this is called from the callback itself. True if it had not fired. Must not be called with a lock
 * held that the callback takes. */
bool timer_cancel(struct timer *timer);
