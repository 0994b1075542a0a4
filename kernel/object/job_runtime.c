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

/* Time of the living ones that |list| gives; a child job's own dead are in |job|'s already. */
static uint64_t sum_living(struct job *job, list_fn list);

static uint64_t living_runtime_ns(struct object *child)
{
    if (child->ops->type == ZX_OBJ_TYPE_PROCESS) {
        struct process *process = process_from_object(child);
        return process_get_state(process) == PROCESS_DEAD ? 0 : process_get_runtime_ns(process);
    }
    struct job *job = job_from_object(child);
    return sum_living(job, job_list_processes) + sum_living(job, job_list_children);
}

/* Recursion is bounded by JOB_MAX_DEPTH. */
static uint64_t sum_living(struct job *job, list_fn list)
{
    uint64_t total = 0;
    size_t capacity = list(job, NULL, 0);
    zx_koid_t *koids = capacity > 0 ? kmalloc(capacity * sizeof(*koids)) : NULL;
    if (koids == NULL)
        return 0;
    size_t count = MIN(list(job, koids, capacity), capacity);
    for (size_t i = 0; i < count; i++) {
        struct object *child = job_find_child(job, koids[i]);
        if (child == NULL)
            continue;
        total += living_runtime_ns(child);
        object_put(child);
    }
    kfree(koids);
    return total;
}

uint64_t job_get_runtime_ns(struct job *job)
{
    return atomic_load(&job->dead_runtime_ns) + sum_living(job, job_list_processes) +
           sum_living(job, job_list_children);
}
