/* Debug builds: the kernel looks over its books while everything goes on. */
#include "kernel/object/self_check.h"

#include "kernel/lib/log.h"
#include "kernel/object/job.h"
#include "kernel/object/process.h"
#include "kernel/vm/aspace.h"
#include "kernel/vm/kheap.h"
#include "kernel/vm/pmm.h"

#ifdef DEBUG

#define LIST_MAX 256u

typedef size_t (*list_fn)(struct job *job, zx_koid_t *koids, size_t capacity);

/* Recursion is bounded by JOB_MAX_DEPTH. */
static void check_members(struct job *job, list_fn list)
{
    zx_koid_t *koids = kmalloc(LIST_MAX * sizeof(*koids));
    if (koids == NULL)
        return;
    size_t count = MIN(list(job, koids, LIST_MAX), (size_t)LIST_MAX);
    for (size_t i = 0; i < count; i++) {
        struct object *member = job_find_child(job, koids[i]);
        if (member == NULL)
            continue;
        if (member->ops->type == ZX_OBJ_TYPE_PROCESS) {
            aspace_check(process_from_object(member)->aspace);
        } else {
            check_members(job_from_object(member), job_list_processes);
            check_members(job_from_object(member), job_list_children);
        }
        object_put(member);
    }
    kfree(koids);
}

void self_check(void)
{
    struct job *top = process_current()->job;

    while (top->parent != NULL)
        top = top->parent;
    check_members(top, job_list_processes);
    check_members(top, job_list_children);
    pmm_check();
}

/* ---- Heap objects by kind -------------------------------------------------------------------- */

#define KINDS_MAX 128u

static uint64_t marked[KINDS_MAX];

struct comparison {
    size_t index;
    bool is_mark, has_grown;
};

static void visit_cache(void *ctx, const char *name, size_t object_bytes, uint64_t count_objects,
                        uint64_t count_pages)
{
    struct comparison *comparison = ctx;
    size_t index = comparison->index++;

    (void)object_bytes;
    (void)count_pages;
    if (index >= KINDS_MAX)
        return;
    if (comparison->is_mark) {
        marked[index] = count_objects;
    } else if (count_objects > marked[index]) {
        kprintf("heap: %lu objects of %s, %lu at the mark", count_objects, name, marked[index]);
        comparison->has_grown = true;
    }
}

void self_check_mark(void)
{
    struct comparison comparison = {.is_mark = true};

    (void)kheap_drain();
    kheap_for_each_cache(visit_cache, &comparison);
}

bool self_check_compare(void)
{
    struct comparison comparison = {.is_mark = false};

    (void)kheap_drain();
    kheap_for_each_cache(visit_cache, &comparison);
    return !comparison.has_grown;
}

#endif
