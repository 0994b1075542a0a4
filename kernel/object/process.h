/* Processes: a handle table, an address space and threads. */
#pragma once

#include "kernel/object/exception.h"
#include "kernel/object/handle.h"
#include "kernel/object/object.h"

struct aspace;
struct job;
struct user_thread;
struct vmar_object;

enum process_state {
    PROCESS_INITIAL, /* never started */
    PROCESS_RUNNING,
    PROCESS_DYING, /* threads are on their way out */
    PROCESS_DEAD,  /* the handle table and the address space are empty */
};

/* Where the vDSO's text is mapped: the only place that may make system calls. */
struct code_window {
    vaddr_t base;
    size_t len_bytes;
};

struct process {
    struct object object;
    struct job *job;              /* one reference */
    struct aspace *aspace;        /* owned; freed with the process object */
    struct handle_table *handles; /* owned; freed with the process object */
    struct list_node job_node;    /* in job->processes, under the job's lock */

    struct spinlock lock; /* rank PROCESS; guards what follows */
    enum process_state state;
    struct list_node threads; /* struct user_thread.process_node: started ones, weak */
    uint32_t count_running;   /* started threads that may still touch user memory */
    uint32_t count_unreaped;  /* started threads that still have a kernel stack */
    uint32_t count_suspends;  /* suspend tokens on the whole process */
    int64_t return_code;
    zx_time_t start_time_ns;
    struct code_window window;
    vaddr_t vdso_base;
    uint64_t debug_addr; /* ZX_PROP_PROCESS_DEBUG_ADDR */
    uint64_t break_on_load;
    struct job *critical_to;  /* one reference: the job that ends with it; NULL: none */
    bool critical_if_nonzero; /* ends only if the return code is not 0 */
    uint64_t runtime_ns;      /* of threads that are gone */
    struct exception_slot exceptions[EXCEPTION_SLOT_COUNT];
    char name[32];
};

static inline struct process *process_from_object(struct object *object)
{
    return container_of(object, struct process, object);
}

/* The process of the running thread; NULL in kernel threads. Borrowed. */
struct process *process_current(void);

/* An empty process in |job|. Gives one reference on the process and one on its root VMAR's object.
 * ZX_ERR_BAD_STATE: the job was killed. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t process_create(struct job *job, const char *name, struct process **out,
                                    struct vmar_object **out_root);

struct process_entry {
    vaddr_t pc, sp;
    uint64_t arg0, arg1;
};

/* Starts the process with |thread|, a fresh one of this process. |arg_handle| (taken in any
 * case; may be NULL) is put into the process's table and its value becomes entry's arg0.
 * ZX_ERR_BAD_STATE: started before, dead, or the thread is not fresh. ZX_ERR_ACCESS_DENIED: a
 * thread of another process. ZX_ERR_NO_RESOURCES, ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t process_start(struct process *process, struct user_thread *thread,
                                   const struct process_entry *entry, struct handle *arg_handle);

/* Ends the current process and the calling thread. */
NORETURN void process_exit(int64_t return_code);

/* Asks every thread to die; returns before they have. The first cause decides the return code. Any
 * thread context without locks; the caller may be one of the threads. */
void process_kill(struct process *process, int64_t return_code);

/* When |process| ends, |job| is killed; |if_nonzero|: only if its return code is not 0.
 * ZX_ERR_INVALID_ARGS: |job| is not above the process. ZX_ERR_ALREADY_BOUND: it is critical to some
 * job. ZX_ERR_BAD_STATE: it is dead. */
MUST_USE zx_status_t process_set_critical(struct process *process, struct job *job,
                                          bool if_nonzero);

/* Records that |window| of the address space holds the vDSO's text and, with |vdso_base|, where the
 * image starts. ZX_ERR_ACCESS_DENIED: there is one already. */
MUST_USE zx_status_t process_set_window(struct process *process, const struct code_window *window,
                                        vaddr_t vdso_base);

/* As job_list_children, for started threads. */
size_t process_list_threads(struct process *process, zx_koid_t *koids, size_t capacity);
/* A reference on the started thread with that koid; NULL: none. */
struct user_thread *process_find_thread(struct process *process, zx_koid_t koid);

/* Time that its threads have been on harts, those that are gone included. */
uint64_t process_get_runtime_ns(struct process *process);

enum process_state process_get_state(struct process *process);

struct process_access {
    bool write;
    bool within_rights; /* only what the handles that made a mapping allowed */
};

/* Copies between another process's memory and the kernel's |buffer|, regardless of what its
 * mappings permit now, as far as the memory reaches. ZX_ERR_NOT_FOUND: nothing mapped at |addr|.
 * ZX_ERR_ACCESS_DENIED: as aspace_get_vmo. ZX_ERR_OUT_OF_RANGE: past the end of a VMO.
 * ZX_ERR_BAD_STATE: the process is dead. ZX_ERR_NO_MEMORY. *out_done counts bytes. */
MUST_USE zx_status_t process_copy_memory(struct process *process, vaddr_t addr, void *buffer,
                                         size_t len_bytes, const struct process_access *access,
                                         size_t *out_done);

/* ---- For threads ---------------------------------------------------------------------------- */

/* The running thread will not touch user memory again. The last one tears the process down. */
void process_thread_exiting(struct process *process, struct user_thread *thread);
/* A thread is off its stack. With the last one the process is dead: signals it. */
void process_thread_reaped(struct process *process);
