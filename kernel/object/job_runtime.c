/* The time that a job's processes have used. */
#include "kernel/object/job.h"
#include "kernel/object/process.h"
#include "kernel/vm/kheap.h"

void job_add_runtime(struct job *job, uint64_t runtime_ns)
{
    for (; job != NULL; job = job->parent)
        atomic_fetch_add(&job->dead_runtime_ns, runtime_ns);
}

typedef size_t (*list_fn)(struct job *job, zx_koid_t *koids, size_t capacity);

/* Adds the time of the living ones that |list| gives; a child job's own dead are in |job|'s
 * already. ZX_ERR_NO_MEMORY. */
static zx_status_t add_living(struct job *job, list_fn list, uint64_t *total);

static zx_status_t add_all_living(struct job *job, uint64_t *total)
{
    zx_status_t status = add_living(job, job_list_processes, total);
    return status != ZX_OK ? status : add_living(job, job_list_children, total);
}

static zx_status_t add_child(struct object *child, uint64_t *total)
{
    if (child->ops->type != ZX_OBJ_TYPE_PROCESS)
        return add_all_living(job_from_object(child), total);
    struct process *process = process_from_object(child);
    if (process_get_state(process) != PROCESS_DEAD)
        *total += process_get_runtime_ns(process);
    return ZX_OK;
}

/* Recursion is bounded by JOB_MAX_DEPTH. */
static zx_status_t add_living(struct job *job, list_fn list, uint64_t *total)
{
    zx_status_t status = ZX_OK;
    size_t capacity = list(job, NULL, 0);
    if (capacity == 0)
        return ZX_OK;
    zx_koid_t *koids = kmalloc(capacity * sizeof(*koids));
    if (koids == NULL)
        return ZX_ERR_NO_MEMORY;
    size_t count = MIN(list(job, koids, capacity), capacity);
    for (size_t i = 0; i < count && status == ZX_OK; i++) {
        struct object *child = job_find_child(job, koids[i]);
        if (child == NULL)
            continue;
        status = add_child(child, total);
        object_put(child);
    }
    kfree(koids);
    return status;
}

zx_status_t job_get_runtime_ns(struct job *job, uint64_t *out_ns)
{
    uint64_t total = atomic_load(&job->dead_runtime_ns);
    zx_status_t status = add_all_living(job, &total);
    if (status == ZX_OK)
        *out_ns = total;
    return status;
}
