/* Exception channels and the journey of a fault through them. */
#include "kernel/object/exception.h"

#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/object.h>

#include "kernel/lib/string.h"
#include "kernel/object/channel.h"
#include "kernel/object/exception_internal.h"
#include "kernel/object/handle.h"
#include "kernel/object/job.h"
#include "kernel/object/kernel_message.h"
#include "kernel/object/process.h"
#include "kernel/object/thread.h"
#include "kernel/vm/kheap.h"

/* ---- Slots
 * --------------------------------------------------------------------------------------- */

struct exception_target {
    struct object *task;
    struct exception_slot *slots;
    struct spinlock *lock;
};

static bool find_target(struct object *task, struct exception_target *out)
{
    switch (task->ops->type) {
    case ZX_OBJ_TYPE_JOB: {
        struct job *job = job_from_object(task);
        *out = (struct exception_target){task, job->exceptions, &job->lock};
        return true;
    }
    case ZX_OBJ_TYPE_PROCESS: {
        struct process *process = process_from_object(task);
        *out = (struct exception_target){task, process->exceptions, &process->lock};
        return true;
    }
    case ZX_OBJ_TYPE_THREAD: {
        struct user_thread *thread = user_thread_from_object(task);
        *out = (struct exception_target){task, thread->exceptions, &thread->process->lock};
        return true;
    }
    default:
        return false;
    }
}

/* The slots of a task that ends are closed after it has come to look dead: what is put into one
 * before that, under the same lock, is closed too. */
static bool is_dead_locked(struct object *task)
{
    switch (task->ops->type) {
    case ZX_OBJ_TYPE_JOB:
        return job_from_object(task)->is_dead;
    case ZX_OBJ_TYPE_PROCESS:
        return process_get_state(process_from_object(task)) >= PROCESS_DYING;
    default:
        return user_thread_from_object(task)->state >= USER_THREAD_DYING;
    }
}

bool exception_slot_is_bound_locked(const struct exception_slot *slot)
{
    return slot->kernel_end != NULL &&
           !(object_poll_signals(slot->kernel_end->object) & ZX_CHANNEL_PEER_CLOSED);
}

/* Puts |end| into the slot; *out_old: what the caller has to close. */
static zx_status_t slot_fill(const struct exception_target *target, enum exception_slot_index index,
                             struct handle *end, zx_rights_t task_rights, struct handle **out_old)
{
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(target->lock);
    struct handle *old = target->slots[index].kernel_end;
    if (is_dead_locked(target->task)) {
        status = ZX_ERR_BAD_STATE;
    } else if (exception_slot_is_bound_locked(&target->slots[index])) {
        status = ZX_ERR_ALREADY_BOUND;
    } else {
        target->slots[index].kernel_end = end;
        target->slots[index].task_rights = task_rights;
        *out_old = old;
    }
    spin_unlock_irqrestore(target->lock, irq);
    return status;
}

zx_status_t exception_channel_create(struct object *task, zx_rights_t task_rights,
                                     enum exception_slot_index index, struct object **out_user_end)
{
    struct exception_target target;
    struct object *kernel_end, *user_end;
    struct handle *old = NULL;

    if (!find_target(task, &target))
        return ZX_ERR_WRONG_TYPE;
    if (index == EXCEPTION_SLOT_DEBUGGER && task->ops->type == ZX_OBJ_TYPE_THREAD)
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = channel_create(&kernel_end, &user_end);
    if (status != ZX_OK)
        return status;
    struct handle *handle = handle_create(kernel_end, ZX_DEFAULT_CHANNEL_RIGHTS);
    object_put(kernel_end);
    if (handle == NULL) {
        object_put(user_end);
        return ZX_ERR_NO_MEMORY;
    }
    status = slot_fill(&target, index, handle, task_rights, &old);
    if (status != ZX_OK) {
        handle_close(handle);
        object_put(user_end);
        return status;
    }
    handle_close(old);
    *out_user_end = user_end;
    return ZX_OK;
}

void exception_slots_close(struct exception_slot *slots, struct spinlock *lock)
{
    for (unsigned i = 0; i < EXCEPTION_SLOT_COUNT; i++) {
        irq_state_t irq = spin_lock_irqsave(lock);
        struct handle *end = slots[i].kernel_end;
        slots[i].kernel_end = NULL;
        spin_unlock_irqrestore(lock, irq);
        handle_close(end);
    }
}

/* Where an exception may go: the channel in a slot. */
struct listener {
    struct object *channel; /* one reference on the kernel's end; NULL: nobody listens */
    uint32_t channel_type;  /* ZX_EXCEPTION_CHANNEL_TYPE_* */
    zx_rights_t task_rights;
};

static struct listener slot_get_listener(const struct exception_slot *slot, struct spinlock *lock,
                                         uint32_t channel_type)
{
    struct listener listener = {.channel_type = channel_type};
    irq_state_t irq = spin_lock_irqsave(lock);
    if (slot->kernel_end != NULL) {
        listener.channel = slot->kernel_end->object;
        listener.task_rights = slot->task_rights;
        object_get(listener.channel);
    }
    spin_unlock_irqrestore(lock, irq);
    return listener;
}

/* ---- The exception object
 * -------------------------------------------------------------------------- */

static void exception_destroy(struct object *object)
{
    struct exception *exception = exception_from_object(object);
    object_put(&exception->thread->object);
    kfree(exception);
}

/* The answer is final: lets the thread go on. */
static void exception_on_zero_handles(struct object *object)
{
    struct exception *exception = exception_from_object(object);
    struct process *process = exception->thread->process;
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    exception->is_closed = true;
    if (exception->is_waiting)
        thread_unpark(&exception->thread->thread);
    spin_unlock_irqrestore(&process->lock, irq);
}

static zx_status_t exception_get_number(struct object *object, uint32_t property, uint64_t *out)
{
    struct exception *exception = exception_from_object(object);
    if (property == ZX_PROP_EXCEPTION_STATE)
        *out = atomic_load(&exception->state);
    else if (property == ZX_PROP_EXCEPTION_STRATEGY)
        *out = atomic_load(&exception->strategy);
    else
        return ZX_ERR_WRONG_TYPE;
    return ZX_OK;
}

static zx_status_t exception_set_number(struct object *object, zx_rights_t rights,
                                        uint32_t property, uint64_t value)
{
    struct exception *exception = exception_from_object(object);
    (void)rights;
    if (property == ZX_PROP_EXCEPTION_STATE) {
        if (value > ZX_EXCEPTION_STATE_THREAD_EXIT)
            return ZX_ERR_INVALID_ARGS;
        atomic_store(&exception->state, (uint32_t)value);
        return ZX_OK;
    }
    if (property != ZX_PROP_EXCEPTION_STRATEGY)
        return ZX_ERR_WRONG_TYPE;
    if (value > ZX_EXCEPTION_STRATEGY_SECOND_CHANCE)
        return ZX_ERR_INVALID_ARGS;
    /* Only a debugger is asked twice. */
    if (exception->channel_type != ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER)
        return ZX_ERR_BAD_STATE;
    atomic_store(&exception->strategy, (uint32_t)value);
    return ZX_OK;
}

static const struct object_ops exception_ops = {
    .type = ZX_OBJ_TYPE_EXCEPTION,
    .default_rights = ZX_DEFAULT_EXCEPTION_RIGHTS,
    .destroy = exception_destroy,
    .on_zero_handles = exception_on_zero_handles,
    .get_number = exception_get_number,
    .set_number = exception_set_number,
};

static struct exception *exception_create(struct user_thread *thread,
                                          const struct listener *listener)
{
    struct exception *exception = kzalloc(sizeof(*exception));
    if (exception == NULL)
        return NULL;
    object_init(&exception->object, &exception_ops, 0);
    object_get(&thread->object);
    exception->thread = thread;
    exception->channel_type = listener->channel_type;
    exception->task_rights = listener->task_rights;
    exception->state = ZX_EXCEPTION_STATE_TRY_NEXT;
    exception->is_waiting = true;
    return exception;
}

/* ---- Delivery
 * -------------------------------------------------------------------------------------- */

enum verdict { VERDICT_NEXT, VERDICT_HANDLED, VERDICT_EXIT, VERDICT_SECOND_CHANCE };

/* One look at whether the answer is there. */
static bool exception_is_answered(struct exception *exception)
{
    struct process *process = exception->thread->process;
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    /* Being suspended changes nothing for a thread that stands still already; upcall_user_return
     * looks at the counts again before user mode. */
    thread_clear_signal(&exception->thread->thread, THREAD_SIGNAL_SUSPEND);
    bool is_killed = atomic_load(&exception->thread->thread.signals) & THREAD_SIGNAL_KILL;
    bool is_over = exception->is_closed || is_killed;
    if (is_over) {
        exception->is_waiting = false;
        if (user_thread_is_wanted_suspended_locked(exception->thread))
            thread_signal(&exception->thread->thread, THREAD_SIGNAL_SUSPEND);
    }
    spin_unlock_irqrestore(&process->lock, irq);
    return is_over;
}

static enum verdict wait_for_answer(struct exception *exception)
{
    while (!exception_is_answered(exception))
        (void)thread_park_for(ZX_THREAD_STATE_BLOCKED_EXCEPTION, ZX_TIME_INFINITE);
    if (atomic_load(&exception->thread->thread.signals) & THREAD_SIGNAL_KILL)
        return VERDICT_EXIT;
    switch (atomic_load(&exception->state)) {
    case ZX_EXCEPTION_STATE_HANDLED:
        return VERDICT_HANDLED;
    case ZX_EXCEPTION_STATE_THREAD_EXIT:
        return VERDICT_EXIT;
    default:
        return atomic_load(&exception->strategy) == ZX_EXCEPTION_STRATEGY_SECOND_CHANCE
                   ? VERDICT_SECOND_CHANCE
                   : VERDICT_NEXT;
    }
}

/* Sends the exception to the listener and waits. Without one, or without memory for the message, it
 * is the next one's turn. */
static enum verdict deliver(struct user_thread *thread, const struct listener *listener,
                            const zx_exception_report_t *report)
{
    zx_exception_info_t info = {
        .pid = thread->process->object.koid,
        .tid = thread->object.koid,
        .type = report->header.type,
    };
    enum verdict verdict = VERDICT_NEXT;
    struct exception *exception = exception_create(thread, listener);
    if (exception == NULL)
        return VERDICT_NEXT;
    struct handle *handle = handle_create(&exception->object, ZX_DEFAULT_EXCEPTION_RIGHTS);
    if (handle != NULL) {
        arch_user_stop_begin();
        user_thread_set_exception(thread, report, listener->channel_type);
        if (channel_write_kernel(listener->channel, &info, sizeof(info), &handle, 1) == ZX_OK)
            verdict = wait_for_answer(exception);
        else
            handle_close(handle);
        user_thread_set_exception(thread, NULL, ZX_EXCEPTION_CHANNEL_TYPE_NONE);
        arch_user_stop_end();
    }
    object_put(&exception->object);
    return verdict;
}

static enum verdict deliver_to_slot(struct user_thread *thread, struct exception_slot *slot,
                                    struct spinlock *lock, uint32_t channel_type,
                                    const zx_exception_report_t *report)
{
    struct listener listener = slot_get_listener(slot, lock, channel_type);
    if (listener.channel == NULL)
        return VERDICT_NEXT;
    enum verdict verdict = deliver(thread, &listener, report);
    object_put(listener.channel);
    return verdict;
}

static enum verdict deliver_to_debugger(struct user_thread *thread,
                                        const zx_exception_report_t *report)
{
    struct process *process = thread->process;
    return deliver_to_slot(thread, &process->exceptions[EXCEPTION_SLOT_DEBUGGER], &process->lock,
                           ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER, report);
}

/* Tells the debuggers of all jobs upwards. Only the end of the thread stops that. */
static enum verdict deliver_to_job_debuggers(struct user_thread *thread,
                                             const zx_exception_report_t *report)
{
    enum verdict verdict = VERDICT_NEXT;
    for (struct job *job = thread->process->job; job != NULL && verdict != VERDICT_EXIT;
         job = job->parent)
        verdict = deliver_to_slot(thread, &job->exceptions[EXCEPTION_SLOT_DEBUGGER], &job->lock,
                                  ZX_EXCEPTION_CHANNEL_TYPE_JOB_DEBUGGER, report);
    return verdict;
}

/* Asks, in order: the process's debugger, the thread, the process, the debugger again if it wanted
 * that, and the jobs upwards. */
static enum verdict dispatch(struct user_thread *thread, const zx_exception_report_t *report)
{
    struct process *process = thread->process;

    enum verdict first = deliver_to_debugger(thread, report);
    if (first == VERDICT_HANDLED || first == VERDICT_EXIT)
        return first;
    enum verdict verdict =
        deliver_to_slot(thread, &thread->exceptions[EXCEPTION_SLOT_HANDLER], &process->lock,
                        ZX_EXCEPTION_CHANNEL_TYPE_THREAD, report);
    if (verdict == VERDICT_NEXT)
        verdict = deliver_to_slot(thread, &process->exceptions[EXCEPTION_SLOT_HANDLER],
                                  &process->lock, ZX_EXCEPTION_CHANNEL_TYPE_PROCESS, report);
    if (verdict == VERDICT_NEXT && first == VERDICT_SECOND_CHANCE)
        verdict = deliver_to_debugger(thread, report);
    for (struct job *job = process->job; job != NULL && verdict == VERDICT_NEXT; job = job->parent)
        verdict = deliver_to_slot(thread, &job->exceptions[EXCEPTION_SLOT_HANDLER], &job->lock,
                                  ZX_EXCEPTION_CHANNEL_TYPE_JOB, report);
    return verdict;
}

static zx_exception_report_t synthetic_report(uint32_t type)
{
    zx_exception_report_t report = {.header = {.size = sizeof(report), .type = type}};
    return report;
}

void upcall_user_exception(const struct arch_exception *exception)
{
    struct user_thread *thread = user_thread_current();
    zx_exception_report_t report = synthetic_report(exception->zx_type);
    report.context.arch.u.riscv_64.cause = exception->cause;
    report.context.arch.u.riscv_64.tval = exception->tval;
    report.context.synth_code = (uint32_t)exception->fault_status;

    switch (dispatch(thread, &report)) {
    case VERDICT_HANDLED:
        return;
    case VERDICT_EXIT:
        user_thread_exit();
    default:
        exception_print(thread, exception);
        process_kill(thread->process, ZX_TASK_RETCODE_EXCEPTION_KILL);
        user_thread_exit();
    }
}

/* ---- Synthetic exceptions -------------------------------------------------------------------- */

void exception_raise_pending(struct user_thread *thread)
{
    zx_exception_report_t report = synthetic_report(thread->pending_exception.type);
    enum verdict verdict;
    report.context.synth_code = thread->pending_exception.synth_code;
    report.context.synth_data = thread->pending_exception.synth_data;
    thread->pending_exception.type = 0;
    thread_clear_signal(&thread->thread, THREAD_SIGNAL_EXCEPTION);

    if (report.header.type == ZX_EXCP_USER)
        verdict = deliver_to_job_debuggers(thread, &report);
    else
        verdict = dispatch(thread, &report);
    if (verdict == VERDICT_EXIT)
        user_thread_exit();
    if (verdict == VERDICT_HANDLED || report.header.type == ZX_EXCP_USER)
        return;
    exception_print_synthetic(thread, &report);
    process_kill(thread->process, ZX_TASK_RETCODE_EXCEPTION_KILL);
    user_thread_exit();
}

void exception_announce_start(struct user_thread *thread)
{
    enum verdict verdict = VERDICT_NEXT;
    zx_exception_report_t report = synthetic_report(ZX_EXCP_PROCESS_STARTING);
    if (thread->is_first)
        verdict = deliver_to_job_debuggers(thread, &report);
    report = synthetic_report(ZX_EXCP_THREAD_STARTING);
    if (verdict != VERDICT_EXIT)
        verdict = deliver_to_debugger(thread, &report);
    if (verdict == VERDICT_EXIT)
        user_thread_exit();
}

void exception_announce_end(struct user_thread *thread)
{
    zx_exception_report_t report = synthetic_report(ZX_EXCP_THREAD_EXITING);
    (void)deliver_to_debugger(thread, &report);
}
