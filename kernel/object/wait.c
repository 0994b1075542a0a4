#include <zircon/syscalls/object.h>

#include "kernel/object/wait.h"

#include "kernel/sched/sched.h"

struct wait_sleeper {
    struct thread *thread;
    bool is_done; /* atomic */
};

/* ---- Any number of objects ------------------------------------------------------------------- */

/* The sleeper cannot go away meanwhile: it takes each object's lock, held here, before it leaves.
 */
static bool wait_notify(struct observer *observer, enum observer_event event, uint32_t observed)
{
    struct wait_entry *entry = container_of(observer, struct wait_entry, observer);
    entry->observed = observed;
    entry->is_notified = true;
    entry->is_closed = event == OBSERVER_HANDLE_CLOSED;
    atomic_store(&entry->sleeper->is_done, true);
    thread_unpark_hand_off(entry->sleeper->thread);
    return false;
}

static const struct observer_ops wait_observer_ops = {.notify = wait_notify};

/* Adds the observers up to the first that is satisfied; returns how many there are. */
static size_t wait_add_observers(struct wait_entry *entries, size_t count,
                                 struct wait_sleeper *sleeper)
{
    struct handle_table *table = handle_table_current();
    size_t added = 0;
    while (added < count && !atomic_load(&sleeper->is_done)) {
        struct wait_entry *entry = &entries[added++];
        entry->sleeper = sleeper;
        entry->observer.ops = &wait_observer_ops;
        entry->observer.trigger = entry->signals;
        entry->observer.handle = entry->identity;
        object_add_observer(entry->object, &entry->observer, false);
        /* A handle that was closed before the observer was there did not cancel it. */
        if (UNLIKELY(!handle_table_has(table, entry->value, entry->identity)) &&
            object_remove_observer(entry->object, &entry->observer)) {
            entry->observed = object_poll_signals(entry->object) | ZX_SIGNAL_HANDLE_CLOSED;
            entry->is_notified = true;
            entry->is_closed = true;
            atomic_store(&sleeper->is_done, true);
        }
    }
    return added;
}

zx_status_t wait_for_signals(struct wait_entry *entries, size_t count, uint32_t reason,
                             zx_time_t deadline_ns)
{
    struct wait_sleeper sleeper = {.thread = thread_current(), .is_done = false};
    for (size_t i = 0; i < count; i++) {
        entries[i].is_notified = false;
        entries[i].is_closed = false;
    }
    zx_status_t status = ZX_OK;
    size_t added = wait_add_observers(entries, count, &sleeper);
    while (!atomic_load(&sleeper.is_done) && status == ZX_OK)
        status = thread_park_for(reason, deadline_ns);
    for (size_t i = 0; i < added; i++)
        object_remove_observer(entries[i].object, &entries[i].observer);

    bool is_satisfied = false;
    bool is_closed = false;
    for (size_t i = 0; i < count; i++) {
        if (!entries[i].is_notified)
            entries[i].observed = object_poll_signals(entries[i].object);
        is_closed |= entries[i].is_closed;
        is_satisfied |= (entries[i].observed & entries[i].signals) != 0;
    }
    if (is_closed)
        return ZX_ERR_CANCELED;
    return is_satisfied ? ZX_OK : status;
}

/* ---- One object ------------------------------------------------------------------------------ */

/* A thread that waits for one object, on its stack. Whoever finds it among the observers, with the
 * object's lock, may touch it and its thread until it sets is_done: it leaves when it sees that, or
 * after it had the lock. */
struct lone_sleeper {
    struct observer observer;
    struct thread *thread;
    uint32_t observed; /* once is_done, and the next */
    bool is_closed;
    bool is_done; /* atomic; the last that is written, under the object's lock */
};

static bool lone_notify(struct observer *observer, enum observer_event event, uint32_t observed)
{
    struct lone_sleeper *sleeper = container_of(observer, struct lone_sleeper, observer);
    sleeper->observed = observed;
    sleeper->is_closed = event == OBSERVER_HANDLE_CLOSED;
    thread_unpark_hand_off(sleeper->thread);
    atomic_store_release(&sleeper->is_done, true);
    return false;
}

static const struct observer_ops lone_observer_ops = {.notify = lone_notify};

/* After a park that nobody has ended, as far as can be seen: waits for a notifier that is not done
 * yet, and takes the observer off the list if |leave| and there is none. True: it was notified. */
static bool lone_settle(struct lone_sleeper *sleeper, struct object *object, bool leave)
{
    irq_state_t irq = spin_lock_irqsave(&object->lock);
    bool was_notified = sleeper->is_done;
    if (!was_notified && leave) {
        list_remove(&sleeper->observer.object_node);
        object->count_observers--;
        sleeper->observed = object->signals;
    }
    spin_unlock_irqrestore(&object->lock, irq);
    return was_notified;
}

static zx_status_t lone_park(struct lone_sleeper *sleeper, struct object *object,
                             zx_time_t deadline_ns)
{
    for (;;) {
        zx_status_t status = thread_park_for(ZX_THREAD_STATE_BLOCKED_WAIT_ONE, deadline_ns);
        if (LIKELY(atomic_load_acquire(&sleeper->is_done)) ||
            lone_settle(sleeper, object, status != ZX_OK))
            break;
        if (status != ZX_OK)
            return (sleeper->observed & sleeper->observer.trigger) != 0 ? ZX_OK : status;
    }
    return sleeper->is_closed ? ZX_ERR_CANCELED : ZX_OK;
}

/* The handle was closed before the observer was there, as it seems. */
NOINLINE static bool lone_is_canceled(struct lone_sleeper *sleeper, struct object *object,
                                      zx_handle_t value)
{
    if (handle_table_has(handle_table_current(), value, sleeper->observer.handle) ||
        lone_settle(sleeper, object, true))
        return false;
    sleeper->observed |= ZX_SIGNAL_HANDLE_CLOSED;
    return true;
}

zx_status_t wait_one(zx_handle_t value, uint32_t signals, zx_time_t deadline_ns,
                     uint32_t *out_observed)
{
    uint32_t count_removals = handle_table_count_removals(handle_table_current());
    struct object *object;
    struct lone_sleeper sleeper;
    zx_status_t status =
        handle_get_identity(value, ZX_RIGHT_WAIT, &object, &sleeper.observer.handle);
    if (status != ZX_OK)
        return status;
    irq_state_t irq = spin_lock_irqsave(&object->lock);
    sleeper.observed = object->signals;
    bool must_wait = (sleeper.observed & signals) == 0;
    if (must_wait) {
        sleeper.observer.ops = &lone_observer_ops;
        sleeper.observer.trigger = signals;
        sleeper.thread = thread_current();
        sleeper.is_done = false;
        list_push_back(&object->observers, &sleeper.observer.object_node);
        object->count_observers++;
    }
    spin_unlock_irqrestore(&object->lock, irq);
    if (must_wait) {
        if (UNLIKELY(handle_table_count_removals(handle_table_current()) != count_removals) &&
            lone_is_canceled(&sleeper, object, value))
            status = ZX_ERR_CANCELED;
        else
            status = lone_park(&sleeper, object, deadline_ns);
    }
    object_put(object);
    *out_observed = sleeper.observed;
    return status;
}

zx_status_t wait_until(zx_time_t deadline_ns)
{
    zx_status_t status;
    do {
        status = thread_park_for(ZX_THREAD_STATE_BLOCKED_SLEEPING, deadline_ns);
    } while (status == ZX_OK);
    return status == ZX_ERR_TIMED_OUT ? ZX_OK : status;
}
