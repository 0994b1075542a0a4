/* User threads. */
#include "kernel/object/thread.h"

#include <zircon/syscalls/debug.h>
#include <zircon/syscalls/object.h>

#include "kernel/lib/string.h"
#include "kernel/lib/string_copy.h"
#include "kernel/object/exception_internal.h"
#include "kernel/object/futex.h"
#include "kernel/object/process.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"

static void user_thread_reap(struct thread *thread);

static struct user_thread *user_thread_from_thread(struct thread *thread)
{
    return container_of(thread, struct user_thread, thread);
}

struct user_thread *user_thread_current(void)
{
    struct thread *thread = thread_current();
    /* The reap function tells user threads from the kernel's own. */
    if (thread == NULL || thread->reap != user_thread_reap)
        return NULL;
    return user_thread_from_thread(thread);
}

/* ---- Creation and destruction --------------------------------------------------------------- */

static void user_thread_destroy(struct object *object)
{
    struct user_thread *thread = user_thread_from_object(object);
    exception_slots_close(thread->exceptions, &thread->process->lock);
    if (thread->has_stack)
        thread_destroy(&thread->thread);
    object_put(&thread->process->object);
    kfree(thread);
}

static zx_koid_t user_thread_related_koid(struct object *object)
{
    return user_thread_from_object(object)->process->object.koid;
}

static zx_status_t user_thread_get_name(struct object *object, char out[32])
{
    struct user_thread *thread = user_thread_from_object(object);
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    memcpy(out, thread->thread.name, sizeof(thread->thread.name));
    spin_unlock_irqrestore(&thread->process->lock, irq);
    return ZX_OK;
}

static zx_status_t user_thread_set_name(struct object *object, const char *name)
{
    struct user_thread *thread = user_thread_from_object(object);
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    memset(thread->thread.name, 0, sizeof(thread->thread.name));
    string_copy(thread->thread.name, name, sizeof(thread->thread.name));
    spin_unlock_irqrestore(&thread->process->lock, irq);
    return ZX_OK;
}

static const struct object_ops user_thread_ops = {
    .type = ZX_OBJ_TYPE_THREAD,
    .default_rights = ZX_DEFAULT_THREAD_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = user_thread_destroy,
    .related_koid = user_thread_related_koid,
    .get_name = user_thread_get_name,
    .set_name = user_thread_set_name,
};

/* First function of every user thread. */
static void user_thread_main(void *arg)
{
    struct user_thread *thread = arg;

    exception_announce_start(thread);
    upcall_user_return(); /* it may have been killed or suspended before it ran */
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    thread->is_before_entry = false;
    spin_unlock_irqrestore(&thread->process->lock, irq);
    arch_enter_user(thread->entry_pc, thread->entry_sp, thread->entry_args[0],
                    thread->entry_args[1]);
}

zx_status_t user_thread_create(struct process *process, const char *name, struct user_thread **out)
{
    if (process_get_state(process) >= PROCESS_DYING)
        return ZX_ERR_BAD_STATE;
    struct user_thread *thread = kzalloc(sizeof(*thread));
    if (thread == NULL)
        return ZX_ERR_NO_MEMORY;
    object_init(&thread->object, &user_thread_ops, 0);
    list_init(&thread->process_node);
    object_get(&process->object);
    thread->process = process;
    thread->is_before_entry = true;
    zx_status_t status =
        thread_init(&thread->thread, name, PRIORITY_DEFAULT, &process->aspace->arch,
                    user_thread_main, thread, user_thread_reap);
    if (status != ZX_OK) {
        object_put(&thread->object);
        return status;
    }
    thread->has_stack = true;
    thread->thread.handles = process->handles;
    thread->thread.futex_hint = &thread->futex_hint;
    thread->thread.koid = thread->object.koid;
    *out = thread;
    return ZX_OK;
}

/* ---- Life
 * ---------------------------------------------------------------------------------------- */

void user_thread_start_locked(struct user_thread *thread, vaddr_t pc, vaddr_t sp, uint64_t arg0,
                              uint64_t arg1)
{
    struct process *process = thread->process;

    thread->entry_pc = pc;
    thread->entry_sp = sp;
    thread->entry_args[0] = arg0;
    thread->entry_args[1] = arg1;
    thread->state = USER_THREAD_RUNNING;
    if (process->window.len_bytes != 0)
        arch_thread_set_syscall_window(&thread->thread.arch, process->window.base,
                                       process->window.len_bytes);
    list_push_back(&process->threads, &thread->process_node);
    process->count_running++;
    process->count_unreaped++;
    object_get(&thread->object); /* a running thread keeps itself; put when it is reaped */
    object_update_signals(&thread->object, 0, ZX_THREAD_RUNNING);
    if (user_thread_is_wanted_suspended_locked(thread))
        thread_signal(&thread->thread, THREAD_SIGNAL_SUSPEND);
    thread_start(&thread->thread);
}

zx_status_t user_thread_start(struct user_thread *thread, vaddr_t pc, vaddr_t sp, uint64_t arg0,
                              uint64_t arg1)
{
    struct process *process = thread->process;
    zx_status_t status = ZX_OK;
    if (!user_pc_is_valid(pc))
        return ZX_ERR_INVALID_ARGS;
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    if (process->state != PROCESS_RUNNING || thread->state != USER_THREAD_NEW)
        status = ZX_ERR_BAD_STATE;
    else
        user_thread_start_locked(thread, pc, sp, arg0, arg1);
    spin_unlock_irqrestore(&process->lock, irq);
    return status;
}

void user_thread_exit(void)
{
    struct user_thread *thread = user_thread_current();
    struct process *process = thread->process;

    exception_announce_end(thread);
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    atomic_store_relaxed(&thread->state, USER_THREAD_DYING);
    bool is_owner = thread->is_futex_owner;
    spin_unlock_irqrestore(&process->lock, irq);
    if (is_owner)
        futex_forget_owner(thread->object.koid);
    channel_call_abandon(&thread->call);
    exception_slots_close(thread->exceptions, &process->lock);
    process_thread_exiting(process, thread);
    thread_exit();
}

/* Runs on a kernel thread when |thread| is off its stack for ever. */
static void user_thread_reap(struct thread *thread)
{
    struct user_thread *dead = user_thread_from_thread(thread);
    struct process *process = dead->process;

    thread_destroy(thread);
    object_get(&process->object);
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    dead->has_stack = false;
    dead->state = USER_THREAD_DEAD;
    spin_unlock_irqrestore(&process->lock, irq);
    object_update_signals(&dead->object, ZX_THREAD_RUNNING | ZX_THREAD_SUSPENDED,
                          ZX_THREAD_TERMINATED);
    object_put(&dead->object);
    process_thread_reaped(process);
    object_put(&process->object);
}

void user_thread_raise_later(uint32_t type, uint32_t synth_code, uint32_t synth_data)
{
    struct user_thread *thread = user_thread_current();
    if (thread->pending_exception.type != 0)
        return;
    thread->pending_exception.type = type;
    thread->pending_exception.synth_code = synth_code;
    thread->pending_exception.synth_data = synth_data;
    thread_signal(&thread->thread, THREAD_SIGNAL_EXCEPTION);
}

zx_status_t user_thread_become_futex_owner(struct user_thread *thread, zx_koid_t *out_koid)
{
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    if (thread->state == USER_THREAD_NEW)
        status = ZX_ERR_INVALID_ARGS;
    else
        *out_koid = thread->state == USER_THREAD_RUNNING ? thread->object.koid : ZX_KOID_INVALID;
    thread->is_futex_owner |= thread->state == USER_THREAD_RUNNING;
    spin_unlock_irqrestore(&thread->process->lock, irq);
    return status;
}

void user_thread_kill(struct user_thread *thread)
{
    struct process *process = thread->process;
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    bool was_new = thread->state == USER_THREAD_NEW;
    if (was_new)
        thread->state = USER_THREAD_DEAD;
    else if (thread->state == USER_THREAD_RUNNING)
        thread_signal(&thread->thread, THREAD_SIGNAL_KILL);
    spin_unlock_irqrestore(&process->lock, irq);
    if (was_new) {
        exception_slots_close(thread->exceptions, &process->lock);
        object_update_signals(&thread->object, 0, ZX_THREAD_TERMINATED);
    }
}

/* ---- What others see
 * ----------------------------------------------------------------------------- */

uint32_t user_thread_get_state(struct user_thread *thread)
{
    static const uint32_t basic[] = {
        [USER_THREAD_NEW] = ZX_THREAD_STATE_NEW,
        [USER_THREAD_RUNNING] = ZX_THREAD_STATE_RUNNING,
        [USER_THREAD_DYING] = ZX_THREAD_STATE_DYING,
        [USER_THREAD_DEAD] = ZX_THREAD_STATE_DEAD,
    };
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    uint32_t state = basic[thread->state];
    uint32_t blocked = atomic_load_relaxed(&thread->thread.park_reason);
    if (thread->state == USER_THREAD_RUNNING) {
        if (thread->in_exception)
            state = ZX_THREAD_STATE_BLOCKED_EXCEPTION;
        else if (thread->is_suspended)
            state = ZX_THREAD_STATE_SUSPENDED;
        else if (blocked != 0)
            state = blocked;
    }
    spin_unlock_irqrestore(&thread->process->lock, irq);
    return state;
}

void user_thread_set_exception(struct user_thread *thread, const zx_exception_report_t *report,
                               uint32_t channel_type)
{
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    thread->in_exception = report != NULL;
    thread->exception_channel_type = channel_type;
    if (report != NULL)
        thread->report = *report;
    spin_unlock_irqrestore(&thread->process->lock, irq);
}

zx_status_t user_thread_get_exception(struct user_thread *thread, zx_exception_report_t *out)
{
    zx_status_t status = ZX_ERR_BAD_STATE;
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    if (thread->in_exception) {
        *out = thread->report;
        status = ZX_OK;
    }
    spin_unlock_irqrestore(&thread->process->lock, irq);
    return status;
}

/* The thread cannot go back to user mode while the process's lock is held. */
static bool is_stopped_locked(const struct user_thread *thread)
{
    return thread->state == USER_THREAD_RUNNING && (thread->is_suspended || thread->in_exception);
}

zx_status_t user_thread_read_regs(struct user_thread *thread,
                                  struct zx_riscv64_thread_state_general_regs *out)
{
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    if (!is_stopped_locked(thread)) {
        status = ZX_ERR_BAD_STATE;
    } else if (thread->is_before_entry) {
        memset(out, 0, sizeof(*out));
        out->pc = thread->entry_pc;
        out->sp = thread->entry_sp;
        out->a0 = thread->entry_args[0];
        out->a1 = thread->entry_args[1];
    } else {
        arch_get_user_regs(&thread->thread.arch, out);
    }
    spin_unlock_irqrestore(&thread->process->lock, irq);
    return status;
}

zx_status_t user_thread_write_regs(struct user_thread *thread,
                                   const struct zx_riscv64_thread_state_general_regs *in)
{
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    if (!is_stopped_locked(thread)) {
        status = ZX_ERR_BAD_STATE;
    } else if (thread->is_before_entry) {
        thread->entry_pc = in->pc;
        thread->entry_sp = in->sp;
        thread->entry_args[0] = in->a0;
        thread->entry_args[1] = in->a1;
    } else {
        arch_set_user_regs(&thread->thread.arch, in);
    }
    spin_unlock_irqrestore(&thread->process->lock, irq);
    return status;
}

zx_status_t user_thread_read_fp(struct user_thread *thread,
                                struct zx_riscv64_thread_state_fp_regs *out)
{
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    bool is_stopped = is_stopped_locked(thread);
    if (is_stopped)
        arch_get_user_fp(&thread->thread.arch, out);
    spin_unlock_irqrestore(&thread->process->lock, irq);
    return is_stopped ? ZX_OK : ZX_ERR_BAD_STATE;
}

zx_status_t user_thread_write_fp(struct user_thread *thread,
                                 const struct zx_riscv64_thread_state_fp_regs *in)
{
    irq_state_t irq = spin_lock_irqsave(&thread->process->lock);
    bool is_stopped = is_stopped_locked(thread);
    if (is_stopped)
        arch_set_user_fp(&thread->thread.arch, in);
    spin_unlock_irqrestore(&thread->process->lock, irq);
    return is_stopped ? ZX_OK : ZX_ERR_BAD_STATE;
}
