/* Processes. A process goes through its states under its lock:
 *
 *   INITIAL --start--> RUNNING --last thread, exit or kill--> DYING --all threads reaped--> DEAD
 *
 * The last thread to leave user mode empties the handle table and the address space in its own
 * context, so that nobody else waits for it; the process is announced as TERMINATED when that
 * thread's stack has been given back too. */
#include "kernel/object/process.h"

#include <zircon/syscalls/object.h>

#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/lib/string_copy.h"
#include "kernel/object/job.h"
#include "kernel/object/thread.h"
#include "kernel/object/vm_obj.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"

static struct user_thread *thread_from_node(struct list_node *node)
{
    return list_entry(node, struct user_thread, process_node);
}

struct process *process_current(void)
{
    struct user_thread *thread = user_thread_current();
    return thread != NULL ? thread->process : NULL;
}

enum process_state process_get_state(struct process *process)
{
    return atomic_load_relaxed(&process->state);
}

/* ---- Creation and destruction --------------------------------------------------------------- */

static void process_destroy(struct object *object)
{
    struct process *process = process_from_object(object);

    job_remove_process(process->job, process);
    exception_slots_close(process->exceptions, &process->lock);
    if (process->handles != NULL)
        handle_table_destroy(process->handles);
    if (process->aspace != NULL) {
        aspace_clear(process->aspace);
        aspace_destroy(process->aspace);
    }
    if (process->critical_to != NULL)
        object_put(&process->critical_to->object);
    object_put(&process->job->object);
    kfree(process);
}

static void process_kill_until(struct process *process, enum process_state last,
                               int64_t return_code);

/* No thread of the process can touch user memory: empties it. */
static void process_tear_down(struct process *process)
{
    handle_table_clear(process->handles);
    aspace_clear(process->aspace);
    exception_slots_close(process->exceptions, &process->lock);
}

static void process_finish(struct process *process)
{
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    atomic_store_relaxed(&process->state, PROCESS_DEAD);
    struct job *critical_to = process->critical_to;
    process->critical_to = NULL;
    uint64_t runtime_ns = process->runtime_ns;
    bool ends_job = process->return_code != 0 || !process->critical_if_nonzero;
    spin_unlock_irqrestore(&process->lock, irq);
    if (critical_to != NULL) {
        if (ends_job)
            job_kill(critical_to, ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
        object_put(&critical_to->object);
    }
    job_remove_process(process->job, process);
    job_add_runtime(process->job, runtime_ns);
    object_update_signals(&process->object, 0, ZX_PROCESS_TERMINATED);
}

/* A process that was never started has nobody left who could start it. */
static void process_on_zero_handles(struct object *object)
{
    struct process *process = process_from_object(object);
    process_kill_until(process, PROCESS_INITIAL, ZX_TASK_RETCODE_SYSCALL_KILL);
}

static zx_koid_t process_related_koid(struct object *object)
{
    return process_from_object(object)->job->object.koid;
}

static zx_status_t process_get_name(struct object *object, char out[32])
{
    struct process *process = process_from_object(object);
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    memcpy(out, process->name, sizeof(process->name));
    spin_unlock_irqrestore(&process->lock, irq);
    return ZX_OK;
}

static zx_status_t process_set_name(struct object *object, const char *name)
{
    struct process *process = process_from_object(object);
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    memset(process->name, 0, sizeof(process->name));
    string_copy(process->name, name, sizeof(process->name));
    spin_unlock_irqrestore(&process->lock, irq);
    return ZX_OK;
}

static zx_status_t process_get_number(struct object *object, uint32_t property, uint64_t *out)
{
    struct process *process = process_from_object(object);
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    switch (property) {
    case ZX_PROP_PROCESS_DEBUG_ADDR:
        *out = process->debug_addr;
        break;
    case ZX_PROP_PROCESS_BREAK_ON_LOAD:
        *out = process->break_on_load;
        break;
    case ZX_PROP_PROCESS_VDSO_BASE_ADDRESS:
        *out = process->vdso_base;
        break;
    default:
        status = ZX_ERR_WRONG_TYPE;
    }
    spin_unlock_irqrestore(&process->lock, irq);
    return status;
}

static zx_status_t process_set_number(struct object *object, zx_rights_t rights, uint32_t property,
                                      uint64_t value)
{
    struct process *process = process_from_object(object);
    zx_status_t status = ZX_OK;
    (void)rights;
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    switch (property) {
    case ZX_PROP_PROCESS_DEBUG_ADDR:
        process->debug_addr = value;
        break;
    case ZX_PROP_PROCESS_BREAK_ON_LOAD:
        process->break_on_load = value;
        break;
    case ZX_PROP_PROCESS_VDSO_BASE_ADDRESS:
        status = ZX_ERR_ACCESS_DENIED; /* the kernel's to know */
        break;
    default:
        status = ZX_ERR_WRONG_TYPE;
    }
    spin_unlock_irqrestore(&process->lock, irq);
    return status;
}

static const struct object_ops process_ops = {
    .type = ZX_OBJ_TYPE_PROCESS,
    .default_rights = ZX_DEFAULT_PROCESS_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = process_destroy,
    .on_zero_handles = process_on_zero_handles,
    .related_koid = process_related_koid,
    .get_name = process_get_name,
    .set_name = process_set_name,
    .get_number = process_get_number,
    .set_number = process_set_number,
};

static zx_status_t process_create_parts(struct process *process, struct vmar_object **out_root)
{
    process->handles = handle_table_create(random_u32());
    if (process->handles == NULL)
        return ZX_ERR_NO_MEMORY;
    zx_status_t status = aspace_create(&process->aspace);
    if (status != ZX_OK)
        return status;
    struct vmar *root = process->aspace->root;
    vmar_get(root);
    status = vmar_object_create(root, process, out_root);
    if (status != ZX_OK)
        vmar_put(root);
    return status;
}

zx_status_t process_create(struct job *job, const char *name, struct process **out,
                           struct vmar_object **out_root)
{
    struct vmar_object *root;
    struct process *process = kzalloc(sizeof(*process));
    if (process == NULL)
        return ZX_ERR_NO_MEMORY;
    object_init(&process->object, &process_ops, 0);
    spinlock_init(&process->lock, LOCK_RANK_PROCESS);
    list_init(&process->job_node);
    list_init(&process->threads);
    string_copy(process->name, name, sizeof(process->name));
    object_get(&job->object);
    process->job = job;

    zx_status_t status = process_create_parts(process, &root);
    if (status != ZX_OK)
        goto fail;
    status = job_add_process(job, process);
    if (status != ZX_OK) {
        object_put(&root->object);
        goto fail;
    }
    *out = process;
    *out_root = root;
    return ZX_OK;

fail:
    object_put(&process->object);
    return status;
}

/* ---- Life
 * ---------------------------------------------------------------------------------------- */

/* The process's lock is held. */
static zx_status_t check_start_locked(const struct process *process,
                                      const struct user_thread *thread)
{
    if (process->state != PROCESS_INITIAL || thread->state != USER_THREAD_NEW)
        return ZX_ERR_BAD_STATE;
    return ZX_OK;
}

zx_status_t process_start(struct process *process, struct user_thread *thread,
                          const struct process_entry *entry, struct handle *arg_handle)
{
    zx_handle_t value = ZX_HANDLE_INVALID;
    if (thread->process != process || !user_pc_is_valid(entry->pc)) {
        handle_close(arg_handle);
        return thread->process != process ? ZX_ERR_ACCESS_DENIED : ZX_ERR_INVALID_ARGS;
    }
    if (arg_handle != NULL) {
        zx_status_t status = handle_table_add(process->handles, arg_handle, &value);
        if (status != ZX_OK) {
            handle_close(arg_handle);
            return process_get_state(process) == PROCESS_INITIAL ? status : ZX_ERR_BAD_STATE;
        }
    }
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    zx_status_t status = check_start_locked(process, thread);
    if (status == ZX_OK) {
        atomic_store_relaxed(&process->state, PROCESS_RUNNING);
        process->start_time_ns = clock_monotonic_ns();
        thread->is_first = true;
        user_thread_start_locked(thread, entry->pc, entry->sp,
                                 arg_handle != NULL ? value : entry->arg0, entry->arg1);
    }
    spin_unlock_irqrestore(&process->lock, irq);
    if (status != ZX_OK && arg_handle != NULL)
        handle_close(handle_table_remove(process->handles, value));
    return status;
}

/* Sets the process's fate, unless it has one. The lock is held. */
static void process_begin_dying_locked(struct process *process, int64_t return_code)
{
    if (process->state >= PROCESS_DYING)
        return;
    process->return_code = return_code;
    atomic_store_relaxed(&process->state, PROCESS_DYING);
    list_for_each (node, &process->threads)
        thread_signal(&thread_from_node(node)->thread, THREAD_SIGNAL_KILL);
}

/* Kills the process unless its state is past |last|. */
static void process_kill_until(struct process *process, enum process_state last,
                               int64_t return_code)
{
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    bool was_initial = process->state == PROCESS_INITIAL;
    if (process->state <= last)
        process_begin_dying_locked(process, return_code);
    spin_unlock_irqrestore(&process->lock, irq);
    if (was_initial) {
        process_tear_down(process);
        process_finish(process);
    }
}

zx_status_t process_set_critical(struct process *process, struct job *job, bool if_nonzero)
{
    zx_status_t status = ZX_OK;
    if (!job_is_or_contains(job, process->job))
        return ZX_ERR_INVALID_ARGS;
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    if (process->state == PROCESS_DEAD) {
        status = ZX_ERR_BAD_STATE;
    } else if (process->critical_to != NULL) {
        status = ZX_ERR_ALREADY_BOUND;
    } else {
        object_get(&job->object);
        process->critical_to = job;
        process->critical_if_nonzero = if_nonzero;
    }
    spin_unlock_irqrestore(&process->lock, irq);
    return status;
}

void process_kill(struct process *process, int64_t return_code)
{
    process_kill_until(process, PROCESS_RUNNING, return_code);
}

void process_exit(int64_t return_code)
{
    process_kill(process_current(), return_code);
    user_thread_exit();
}

void process_thread_exiting(struct process *process, struct user_thread *thread)
{
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    list_remove(&thread->process_node);
    process->runtime_ns += thread_runtime_ns(&thread->thread);
    bool is_last = --process->count_running == 0;
    if (is_last)
        process_begin_dying_locked(process, 0);
    spin_unlock_irqrestore(&process->lock, irq);
    if (is_last)
        process_tear_down(process);
}

void process_thread_reaped(struct process *process)
{
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    bool is_last = --process->count_unreaped == 0 && process->state == PROCESS_DYING;
    spin_unlock_irqrestore(&process->lock, irq);
    if (is_last)
        process_finish(process);
}

/* ---- The vDSO's window
 * --------------------------------------------------------------------------- */

zx_status_t process_set_window(struct process *process, const struct code_window *window,
                               vaddr_t vdso_base)
{
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    bool is_free = process->window.len_bytes == 0;
    if (is_free) {
        process->window = *window;
        process->vdso_base = vdso_base;
        list_for_each (node, &process->threads)
            arch_thread_set_syscall_window(&thread_from_node(node)->thread.arch, window->base,
                                           window->len_bytes);
    }
    spin_unlock_irqrestore(&process->lock, irq);
    return is_free ? ZX_OK : ZX_ERR_ACCESS_DENIED;
}

/* ---- Threads
 * ------------------------------------------------------------------------------------- */

size_t process_list_threads(struct process *process, zx_koid_t *koids, size_t capacity)
{
    size_t count = 0;
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    list_for_each (node, &process->threads) {
        if (count < capacity)
            koids[count] = thread_from_node(node)->object.koid;
        count++;
    }
    spin_unlock_irqrestore(&process->lock, irq);
    return count;
}

uint64_t process_get_runtime_ns(struct process *process)
{
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    uint64_t total = process->runtime_ns;
    list_for_each (node, &process->threads)
        total += thread_runtime_ns(&thread_from_node(node)->thread);
    spin_unlock_irqrestore(&process->lock, irq);
    return total;
}

struct user_thread *process_find_thread(struct process *process, zx_koid_t koid)
{
    struct user_thread *found = NULL;
    irq_state_t irq = spin_lock_irqsave(&process->lock);
    list_for_each (node, &process->threads) {
        if (thread_from_node(node)->object.koid == koid)
            found = thread_from_node(node);
    }
    if (found != NULL)
        object_get(&found->object);
    spin_unlock_irqrestore(&process->lock, irq);
    return found;
}
