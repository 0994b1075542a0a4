/* Jobs: the tree that groups processes and lets them be killed together. */
#pragma once

#include "kernel/object/exception.h"
#include "kernel/object/object.h"
#include "kernel/object/policy.h"

struct process;

#define JOB_MAX_DEPTH 32 /* levels below the root */

struct job {
    struct object object;
    struct job *parent; /* one reference; NULL for the root; fixed */
    uint32_t depth;     /* of the root: 0; fixed */

    uint64_t dead_runtime_ns; /* of dead processes here and below; atomic */

    struct spinlock lock;     /* rank PROCESS; guards what follows */
    struct job_policy policy; /* changes only without children, so theirs may look without it */
    bool is_dead;             /* killed: takes no new children */
    bool kill_on_oom;         /* ZX_PROP_JOB_KILL_ON_OOM */
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

/* Sets policies of a job without children. ZX_ERR_BAD_STATE: it has some, or was killed. Others as
 * policy_add. */
MUST_USE zx_status_t job_set_policy(struct job *job, bool absolute,
                                    const zx_policy_basic_v2_t *entries, size_t count);
/* Raises the least slack of timers. ZX_ERR_BAD_STATE as above. */
MUST_USE zx_status_t job_set_min_slack(struct job *job, zx_duration_t slack_ns);

/* Adds what a dead process used to the job and all above it. */
void job_add_runtime(struct job *job, uint64_t runtime_ns);
/* Time on harts of all processes here and below, dead or alive. ZX_ERR_NO_MEMORY. Sleeps. */
MUST_USE zx_status_t job_get_runtime_ns(struct job *job, uint64_t *out_ns);

/* True if |job| is |other| or above it. */
bool job_is_or_contains(const struct job *job, const struct job *other);

/* Used by processes: a new one joins (ZX_ERR_BAD_STATE: the job was killed), a dead one leaves.
 * Leaving twice is harmless. */
MUST_USE zx_status_t job_add_process(struct job *job, struct process *process);
void job_remove_process(struct job *job, struct process *process);

/* Writes up to |capacity| koids of live child jobs or processes and returns how many there are. */
size_t job_list_children(struct job *job, zx_koid_t *koids, size_t capacity);
size_t job_list_processes(struct job *job, zx_koid_t *koids, size_t capacity);

/* A reference on the child job or process with that koid; NULL: none. */
struct object *job_find_child(struct job *job, zx_koid_t koid);
