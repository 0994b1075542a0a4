/* Jobs. Lists of children are weak: a child takes itself out, under the job's lock, before its
 * memory goes, and whoever follows a list takes references with refcount_get_unless_zero. */
#include "kernel/object/job.h"

#include <zircon/syscalls/object.h>

#include "kernel/lib/string.h"
#include "kernel/lib/string_copy.h"
#include "kernel/object/process.h"
#include "kernel/vm/kheap.h"

#define JOB_SIGNALS_EMPTY (ZX_JOB_NO_JOBS | ZX_JOB_NO_PROCESSES)

static struct job *job_from_node(struct list_node *node)
{
    return list_entry(node, struct job, node);
}

static struct process *process_from_node(struct list_node *node)
{
    return list_entry(node, struct process, job_node);
}

/* The job's lock is held. */
static void remove_child_locked(struct job *job, struct list_node *node, struct list_node *list,
                                uint32_t signal_empty)
{
    if (list_is_empty(node))
        return;
    list_remove(node);
    if (list_is_empty(list))
        object_update_signals(&job->object, 0, signal_empty);
}

/* Walks up from |job|: a killed job without children is over and leaves its parent, which may then
 * be over too. The caller's reference on |job| keeps the whole chain. */
static void job_finish_if_over(struct job *job)
{
    while (job != NULL) {
        irq_state_t irq = spin_lock_irqsave(&job->lock);
        bool is_over = job->is_dead && list_is_empty(&job->children) &&
                       list_is_empty(&job->processes) &&
                       !(object_poll_signals(&job->object) & ZX_JOB_TERMINATED);
        if (is_over)
            object_update_signals(&job->object, 0, ZX_JOB_TERMINATED);
        spin_unlock_irqrestore(&job->lock, irq);
        if (!is_over)
            return;
        exception_slots_close(job->exceptions, &job->lock);
        struct job *parent = job->parent;
        if (parent != NULL) {
            irq = spin_lock_irqsave(&parent->lock);
            remove_child_locked(parent, &job->node, &parent->children, ZX_JOB_NO_JOBS);
            spin_unlock_irqrestore(&parent->lock, irq);
        }
        job = parent;
    }
}

static void job_destroy(struct object *object)
{
    struct job *job = job_from_object(object);
    struct job *parent = job->parent;

    exception_slots_close(job->exceptions, &job->lock);
    if (parent != NULL) {
        irq_state_t irq = spin_lock_irqsave(&parent->lock);
        remove_child_locked(parent, &job->node, &parent->children, ZX_JOB_NO_JOBS);
        spin_unlock_irqrestore(&parent->lock, irq);
        job_finish_if_over(parent);
        object_put(&parent->object);
    }
    kfree(job);
}

static zx_koid_t job_related_koid(struct object *object)
{
    struct job *parent = job_from_object(object)->parent;
    return parent != NULL ? parent->object.koid : ZX_KOID_INVALID;
}

static zx_status_t job_get_name(struct object *object, char out[32])
{
    struct job *job = job_from_object(object);
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    memcpy(out, job->name, sizeof(job->name));
    spin_unlock_irqrestore(&job->lock, irq);
    return ZX_OK;
}

static zx_status_t job_set_name(struct object *object, const char *name)
{
    struct job *job = job_from_object(object);
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    memset(job->name, 0, sizeof(job->name));
    string_copy(job->name, name, sizeof(job->name));
    spin_unlock_irqrestore(&job->lock, irq);
    return ZX_OK;
}

static zx_status_t job_get_number(struct object *object, uint32_t property, uint64_t *out)
{
    if (property != ZX_PROP_JOB_KILL_ON_OOM)
        return ZX_ERR_WRONG_TYPE;
    *out = atomic_load_relaxed(&job_from_object(object)->kill_on_oom);
    return ZX_OK;
}

static zx_status_t job_set_number(struct object *object, zx_rights_t rights, uint32_t property,
                                  uint64_t value)
{
    (void)rights;
    if (property != ZX_PROP_JOB_KILL_ON_OOM)
        return ZX_ERR_WRONG_TYPE;
    if (value > 1)
        return ZX_ERR_INVALID_ARGS;
    atomic_store_relaxed(&job_from_object(object)->kill_on_oom, value != 0);
    return ZX_OK;
}

static const struct object_ops job_ops = {
    .type = ZX_OBJ_TYPE_JOB,
    .default_rights = ZX_DEFAULT_JOB_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = job_destroy,
    .related_koid = job_related_koid,
    .get_name = job_get_name,
    .set_name = job_set_name,
    .get_number = job_get_number,
    .set_number = job_set_number,
};

/* Joins the parent, which must be alive. */
static zx_status_t job_join(struct job *job, struct job *parent)
{
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&parent->lock);
    if (parent->is_dead) {
        status = ZX_ERR_BAD_STATE;
    } else {
        job->policy = parent->policy;
        list_push_back(&parent->children, &job->node);
        object_update_signals(&parent->object, ZX_JOB_NO_JOBS, 0);
    }
    spin_unlock_irqrestore(&parent->lock, irq);
    return status;
}

zx_status_t job_create(struct job *parent, struct job **out)
{
    if (parent != NULL && parent->depth >= JOB_MAX_DEPTH)
        return ZX_ERR_OUT_OF_RANGE;
    struct job *job = kzalloc(sizeof(*job));
    if (job == NULL)
        return ZX_ERR_NO_MEMORY;
    object_init(&job->object, &job_ops, JOB_SIGNALS_EMPTY);
    spinlock_init(&job->lock, LOCK_RANK_PROCESS);
    list_init(&job->children);
    list_init(&job->processes);
    list_init(&job->node);
    if (parent != NULL) {
        object_get(&parent->object);
        job->parent = parent;
        job->depth = parent->depth + 1;
        zx_status_t status = job_join(job, parent);
        if (status != ZX_OK) {
            object_put(&job->object);
            return status;
        }
    }
    *out = job;
    return ZX_OK;
}

/* The job's lock is held. */
static bool policy_is_fixed_locked(const struct job *job)
{
    return job->is_dead || !list_is_empty(&job->children) || !list_is_empty(&job->processes);
}

zx_status_t job_set_policy(struct job *job, bool absolute, const zx_policy_basic_v2_t *entries,
                           size_t count)
{
    zx_status_t status = ZX_ERR_BAD_STATE;
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    if (!policy_is_fixed_locked(job))
        status = policy_add(&job->policy, absolute, entries, count);
    spin_unlock_irqrestore(&job->lock, irq);
    return status;
}

zx_status_t job_set_min_slack(struct job *job, zx_duration_t slack_ns)
{
    zx_status_t status = ZX_ERR_BAD_STATE;
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    if (!policy_is_fixed_locked(job)) {
        job->policy.min_slack_ns = MAX(job->policy.min_slack_ns, slack_ns);
        status = ZX_OK;
    }
    spin_unlock_irqrestore(&job->lock, irq);
    return status;
}

bool job_is_or_contains(const struct job *job, const struct job *other)
{
    while (other != NULL && other != job)
        other = other->parent;
    return other != NULL;
}

/* A reference on some process of the job that nobody has asked to die; NULL: none. */
static struct process *take_living_process(struct job *job)
{
    struct process *found = NULL;
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    list_for_each (node, &job->processes) {
        struct process *process = process_from_node(node);
        if (atomic_load_relaxed(&process->state) < PROCESS_DYING &&
            refcount_get_unless_zero(&process->object.refs)) {
            found = process;
            break;
        }
    }
    if (found != NULL) { /* the next search starts behind it */
        list_remove(&found->job_node);
        list_push_back(&job->processes, &found->job_node);
    }
    spin_unlock_irqrestore(&job->lock, irq);
    return found;
}

static struct job *take_living_child(struct job *job)
{
    struct job *found = NULL;
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    list_for_each (node, &job->children) {
        struct job *child = job_from_node(node);
        if (!atomic_load_relaxed(&child->is_dead) &&
            refcount_get_unless_zero(&child->object.refs)) {
            found = child;
            break;
        }
    }
    spin_unlock_irqrestore(&job->lock, irq);
    return found;
}

/* Recursion is bounded by JOB_MAX_DEPTH. */
void job_kill(struct job *job, int64_t return_code)
{
    struct job *child;
    struct process *process;
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    if (!job->is_dead) {
        job->return_code = return_code;
        atomic_store_relaxed(&job->is_dead, true);
    }
    spin_unlock_irqrestore(&job->lock, irq);

    while ((child = take_living_child(job)) != NULL) {
        job_kill(child, return_code);
        object_put(&child->object);
    }
    while ((process = take_living_process(job)) != NULL) {
        process_kill(process, return_code);
        object_put(&process->object);
    }
    job_finish_if_over(job);
}

zx_status_t job_add_process(struct job *job, struct process *process)
{
    zx_status_t status = ZX_OK;
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    if (job->is_dead) {
        status = ZX_ERR_BAD_STATE;
    } else {
        list_push_back(&job->processes, &process->job_node);
        object_update_signals(&job->object, ZX_JOB_NO_PROCESSES, 0);
    }
    spin_unlock_irqrestore(&job->lock, irq);
    return status;
}

void job_remove_process(struct job *job, struct process *process)
{
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    remove_child_locked(job, &process->job_node, &job->processes, ZX_JOB_NO_PROCESSES);
    spin_unlock_irqrestore(&job->lock, irq);
    job_finish_if_over(job);
}

size_t job_list_children(struct job *job, zx_koid_t *koids, size_t capacity)
{
    size_t count = 0;
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    list_for_each (node, &job->children) {
        if (count < capacity)
            koids[count] = job_from_node(node)->object.koid;
        count++;
    }
    spin_unlock_irqrestore(&job->lock, irq);
    return count;
}

size_t job_list_processes(struct job *job, zx_koid_t *koids, size_t capacity)
{
    size_t count = 0;
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    list_for_each (node, &job->processes) {
        if (count < capacity)
            koids[count] = process_from_node(node)->object.koid;
        count++;
    }
    spin_unlock_irqrestore(&job->lock, irq);
    return count;
}

struct object *job_find_child(struct job *job, zx_koid_t koid)
{
    struct object *found = NULL;
    irq_state_t irq = spin_lock_irqsave(&job->lock);
    list_for_each (node, &job->children) {
        if (job_from_node(node)->object.koid == koid)
            found = &job_from_node(node)->object;
    }
    list_for_each (node, &job->processes) {
        if (process_from_node(node)->object.koid == koid)
            found = &process_from_node(node)->object;
    }
    if (found != NULL && !refcount_get_unless_zero(&found->refs))
        found = NULL;
    spin_unlock_irqrestore(&job->lock, irq);
    return found;
}
