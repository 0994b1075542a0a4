/* Suspending: tokens, and where a thread waits while there are any. */
#include <zircon/syscalls/object.h>

#include "kernel/object/exception_internal.h"
#include "kernel/object/process.h"
#include "kernel/object/thread.h"
#include "kernel/vm/kheap.h"

struct suspend_token {
    struct object object;
    /* One of them, a reference; the token counts in its count_suspends until |is_released|. */
    struct user_thread *thread;
    struct process *process;
    bool is_released; /* under the process's lock */
};

static struct suspend_token *token_from_object(struct object *object)
{
    return container_of(object, struct suspend_token, object);
}

static struct process *token_process(struct suspend_token *token)
{
    return token->thread != NULL ? token->thread->process : token->process;
}

bool user_thread_is_wanted_suspended_locked(const struct user_thread *thread)
{
    return thread->count_suspends + thread->process->count_suspends != 0;
}

/* Tells the thread that its counts changed. The process's lock is held. */
static void notify_locked(struct user_thread *thread)
{
    if (thread->state != USER_THREAD_RUNNING)
        return;
    if (user_thread_is_wanted_suspended_locked(thread))
        thread_signal(&thread->thread, THREAD_SIGNAL_SUSPEND);
    else
        thread_unpark(&thread->thread);
}

/* Adds |change| to the counts of what the token is for. The process's lock is held. */
static void change_count_locked(struct suspend_token *token, int change)
{
    if (token->thread != NULL) {
        token->thread->count_suspends += (uint32_t)change;
        notify_locked(token->thread);
        return;
    }
    token->process->count_suspends += (uint32_t)change;
    list_for_each (node, &token->process->threads)
        notify_locked(list_entry(node, struct user_thread, process_node));
}

static void token_release(struct object *object)
{
    struct suspend_token *token = token_from_object(object);
    struct process *process = token_process(token);
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    if (!token->is_released) {
        token->is_released = true;
        change_count_locked(token, -1);
    }
    spin_unlock_irqrestore(&process->lock, irq);
}

static void token_destroy(struct object *object)
{
    struct suspend_token *token = token_from_object(object);
    token_release(object); /* for a token that never got a handle */
    if (token->thread != NULL)
        object_put(&token->thread->object);
    else
        object_put(&token->process->object);
    kfree(token);
}

static const struct object_ops token_ops = {
    .type = ZX_OBJ_TYPE_SUSPEND_TOKEN,
    .default_rights = ZX_DEFAULT_SUSPEND_TOKEN_RIGHTS,
    .destroy = token_destroy,
    .on_zero_handles = token_release,
};

/* Activates a prepared token or frees it. */
static zx_status_t token_activate(struct suspend_token *token, struct object **out)
{
    struct process *process = token_process(token);
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    bool is_alive = process->state < PROCESS_DYING &&
                    (token->thread == NULL || token->thread->state < USER_THREAD_DYING);
    if (is_alive)
        change_count_locked(token, 1);
    else
        token->is_released = true;
    spin_unlock_irqrestore(&process->lock, irq);
    if (!is_alive) {
        object_put(&token->object);
        return ZX_ERR_BAD_STATE;
    }
    *out = &token->object;
    return ZX_OK;
}

zx_status_t suspend_token_create_thread(struct user_thread *thread, struct object **out)
{
    if (thread == user_thread_current())
        return ZX_ERR_NOT_SUPPORTED;
    struct suspend_token *token = kzalloc(sizeof(*token));
    if (token == NULL)
        return ZX_ERR_NO_MEMORY;
    object_init(&token->object, &token_ops, 0);
    object_get(&thread->object);
    token->thread = thread;
    return token_activate(token, out);
}

zx_status_t suspend_token_create_process(struct process *process, struct object **out)
{
    if (process == process_current())
        return ZX_ERR_NOT_SUPPORTED;
    struct suspend_token *token = kzalloc(sizeof(*token));
    if (token == NULL)
        return ZX_ERR_NO_MEMORY;
    object_init(&token->object, &token_ops, 0);
    object_get(&process->object);
    token->process = process;
    return token_activate(token, out);
}

/* Enters (true) or leaves (false) the suspended state, if the counts still say so. */
static bool change_suspended(struct user_thread *thread, bool suspended)
{
    struct process *process = thread->process;
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    /* Under the lock, so that the signal of a token that comes later is not lost. */
    thread_clear_signal(&thread->thread, THREAD_SIGNAL_SUSPEND);
    bool is_wanted = user_thread_is_wanted_suspended_locked(thread);
    bool is_killed = atomic_load(&thread->thread.signals) & THREAD_SIGNAL_KILL;
    bool changes = suspended ? is_wanted && !is_killed : !is_wanted || is_killed;
    if (changes) {
        thread->is_suspended = suspended;
        object_update_signals(&thread->object, suspended ? ZX_THREAD_RUNNING : ZX_THREAD_SUSPENDED,
                              suspended ? ZX_THREAD_SUSPENDED : ZX_THREAD_RUNNING);
    }
    spin_unlock_irqrestore(&process->lock, irq);
    return changes;
}

static void wait_while_suspended(struct user_thread *thread)
{
    arch_user_stop_begin();
    if (change_suspended(thread, true)) {
        while (!change_suspended(thread, false))
            (void)thread_park(ZX_TIME_INFINITE, true);
    }
    arch_user_stop_end();
}

void upcall_user_return(void)
{
    struct user_thread *thread = user_thread_current();
    uint32_t signals;

    while ((signals = atomic_load(&thread->thread.signals)) != 0) {
        if (signals & THREAD_SIGNAL_KILL)
            user_thread_exit();
        if (signals & THREAD_SIGNAL_EXCEPTION)
            exception_raise_pending(thread);
        if (signals & THREAD_SIGNAL_SUSPEND)
            wait_while_suspended(thread);
    }
}
