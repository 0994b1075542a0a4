#include <zircon/syscalls/object.h>

#include "kernel/object/wait.h"

#include "kernel/sched/sched.h"

struct wait_sleeper {
    struct thread *thread;
    bool is_done; /* atomic */
};

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

zx_status_t wait_until(zx_time_t deadline_ns)
{
    zx_status_t status;
    do {
        status = thread_park_for(ZX_THREAD_STATE_BLOCKED_SLEEPING, deadline_ns);
    } while (status == ZX_OK);
    return status == ZX_ERR_TIMED_OUT ? ZX_OK : status;
}
