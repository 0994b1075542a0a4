/* Exceptions: how a fault of a user thread reaches those who asked for it.
 *
 * A task has slots for exception channels. The kernel keeps one end of each; an exception is a
 * message in it (zx_exception_info and a handle to an exception object). The thread stays parked
 * until the exception object has no handles left, and then its state decides. */
#pragma once

#include <zircon/errors.h>
#include <zircon/types.h>

#include "kernel/lib/compiler.h"
#include "kernel/object/object.h"

struct handle;
struct user_thread;

enum exception_slot_index {
    EXCEPTION_SLOT_HANDLER,
    EXCEPTION_SLOT_DEBUGGER,
    EXCEPTION_SLOT_COUNT,
};

/* Guarded by the lock of the task it belongs to (of its process for a thread). */
struct exception_slot {
    struct handle *kernel_end; /* owned, or NULL */
    zx_rights_t task_rights;   /* of the handle that asked for the channel */
};

/* Makes an exception channel for a task (a job, process or thread object) and gives the user's end,
 * one reference. |task_rights|: of the handle to the task. ZX_ERR_WRONG_TYPE: no task.
 * ZX_ERR_ALREADY_BOUND: the slot has a channel whose other end is open. ZX_ERR_BAD_STATE: the task
 * is dead. ZX_ERR_INVALID_ARGS: a thread has no debugger slot. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t exception_channel_create(struct object *task, zx_rights_t task_rights,
                                              enum exception_slot_index index,
                                              struct object **out_user_end);

/* True if somebody listens at the other end. The lock that guards the slot is held. */
bool exception_slot_is_bound_locked(const struct exception_slot *slot);

/* Closes the kernel's ends of a dead task's channels. No lock held. |lock| guards |slots|. */
void exception_slots_close(struct exception_slot *slots, struct spinlock *lock);

struct exception {
    struct object object;
    struct user_thread *thread; /* one reference */
    uint32_t channel_type;      /* ZX_EXCEPTION_CHANNEL_TYPE_* that it was sent to */
    zx_rights_t task_rights;    /* of the handle that the channel was made with */
    uint32_t state;             /* ZX_EXCEPTION_STATE_*, atomic */
    uint32_t strategy;          /* ZX_EXCEPTION_STRATEGY_*, atomic */
    /* Under the lock of the thread's process: */
    bool is_closed;  /* the last handle is gone */
    bool is_waiting; /* the thread is parked for it */
};

static inline struct exception *exception_from_object(struct object *object)
{
    return container_of(object, struct exception, object);
}
