/* Jobs: the tree that groups processes and lets them be killed together. */
#pragma once

#include "kernel/object/exception.h"
#include "kernel/object/object.h"

struct process;

#define JOB_MAX_DEPTH 32 /* levels below the root */

struct job {
    struct object object;
    struct job *parent; /* one reference; NULL for the root; fixed */
    uint32_t depth;     /* of the root: 0; fixed */

    struct spinlock lock; /* rank PROCESS; guards what follows */
    bool is_dead;         /* killed: takes no new children */
    int64_t return_code;
    struct list_node children;  /* struct job.node: weak */
    struct list_node processes; /* struct process.job_node: weak, those that are not dead */
    struct list_node node;      /* in parent->children, under the parent's lock */
    struct exception_slot exceptions[EXCEPTION_SLOT_COUNT];
    char name[32];
};

static inline struct job *job_from_object(struct object *object)
{
    return container_of(object, struct job, object);
}

/* A child of |parent|, or a root job for NULL. Returns one reference in *out.
 * ZX_ERR_BAD_STATE: the parent was killed. ZX_ERR_OUT_OF_RANGE: too deep. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t job_create(struct job *parent, struct job **out);

/* Kills every process and job below and lets nothing new in. */
void job_kill(struct job *job, int64_t return_code);

/* Used by processes: a new one joins (ZX_ERR_BAD_STATE: the job was killed), a dead one leaves.
 * Leaving twice is harmless. */
MUST_USE zx_status_t job_add_process(struct job *job, struct process *process);
void job_remove_process(struct job *job, struct process *process);

/* Writes up to |capacity| koids of live child jobs or processes and returns how many there are. */
size_t job_list_children(struct job *job, zx_koid_t *koids, size_t capacity);
size_t job_list_processes(struct job *job, zx_koid_t *koids, size_t capacity);

/* A reference on the child job or process with that koid; NULL: none. */
struct object *job_find_child(struct job *job, zx_koid_t koid);
