/* The syscall fuzzer: processes whose threads make random and half-sane calls, and a supervisor
 * that starts them, ends those that hang themselves, and checks the kernel's books in between. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/syscalls.h>
#include <zircon/types.h>

#define PAGE ((size_t)ZX_PAGE_SIZE)

#define FUZZ_WORKERS_MAX 8
#define FUZZ_THREADS_MAX 8
#define FUZZ_CALLS_MAX   160 /* rows of the table of system calls */
#define FUZZ_ARGS_MAX    8

/* ---- Numbers -------------------------------------------------------------------------------- */

/* A sequence that a seed repeats (splitmix64). */
struct fuzz_random {
    uint64_t state;
    bool is_calm; /* nothing odd at present: fuzz_odd says no */
};
uint64_t fuzz_next(struct fuzz_random *random);
/* A number below |limit|, which is not 0. */
static inline uint32_t fuzz_below(struct fuzz_random *random, uint32_t limit)
{
    return (uint32_t)((fuzz_next(random) >> 32) * limit >> 32);
}
/* True once in |n| times. */
static inline bool fuzz_once_in(struct fuzz_random *random, uint32_t n)
{
    return fuzz_below(random, n) == 0;
}

/* The same for what spoils a call as a rule: never while calm. */
static inline bool fuzz_odd(struct fuzz_random *random, uint32_t n)
{
    return !random->is_calm && fuzz_once_in(random, n);
}

/* ---- The table of calls ------------------------------------------------------------------------
 */

enum fuzz_kind {
    FUZZ_U32, /* a number that nothing more is known of */
    FUZZ_U64,
    FUZZ_HANDLE,
    FUZZ_VM_OPTIONS,
    FUZZ_REGION_OPTIONS,
    FUZZ_OPTIONS,
    FUZZ_RIGHTS,
    FUZZ_SIGNALS,
    FUZZ_DEADLINE,
    FUZZ_ADDRESS,
    FUZZ_ENTRY,
    FUZZ_STACK,
    FUZZ_OFFSET,
    FUZZ_PLACE, /* an offset in a region */
    FUZZ_SIZE,
    FUZZ_VMO_SIZE,
    FUZZ_COUNT,
    FUZZ_TOPIC,
    FUZZ_PROPERTY,
    FUZZ_OP,
    FUZZ_KOID,
    FUZZ_ELEMENT,
    /* Pointers from here on. */
    FUZZ_IN, /* bytes that the kernel reads */
    FUZZ_OUT,
    FUZZ_OUT_HANDLES,
    FUZZ_OUT_HANDLE_INFOS,
    FUZZ_IN_HANDLES,
    FUZZ_WAIT_ITEMS,
    FUZZ_DISPOSITIONS,
    FUZZ_CALL_ARGS,
    FUZZ_CALL_ETC_ARGS,
    FUZZ_IOVECS,
    FUZZ_REGIONS,
    FUZZ_POLICY,
    FUZZ_FUTEX,
};

struct fuzz_param {
    const char *type, *name;
};

struct fuzz_call {
    const char *name; /* without zx_; NULL: no such row */
    void (*entry)(void);
    uint8_t count_args;
    uint8_t count_options;
    const uint64_t *options; /* that the call knows, or NULL */
    struct fuzz_param params[FUZZ_ARGS_MAX];
    uint8_t kinds[FUZZ_ARGS_MAX]; /* enum fuzz_kind */
    uint8_t wants[FUZZ_ARGS_MAX]; /* object type of a handle, ZX_OBJ_TYPE_NONE for any */
    bool is_deadly;               /* ends the caller as a rule */
    bool is_greedy;               /* takes away what other calls need */
    bool is_creator;              /* gives handles or memory */
    bool is_loud;                 /* prints what it is given */
};

extern struct fuzz_call fuzz_calls[FUZZ_CALLS_MAX];
extern const unsigned fuzz_count_calls;
/* Finds out kinds from types and names. Once. */
void fuzz_calls_classify(void);

/* ---- What supervisor and workers share ----------------------------------------------------------
 */

struct fuzz_progress {
    _Atomic uint64_t count_calls[FUZZ_THREADS_MAX + 1]; /* the last one: the flickering page's */
    _Atomic uint32_t last_call[FUZZ_THREADS_MAX + 1];
};

struct fuzz_shared {
    struct fuzz_progress workers[FUZZ_WORKERS_MAX];
    _Atomic uint64_t count_by_call[FUZZ_CALLS_MAX];
    _Atomic uint64_t count_ok[FUZZ_CALLS_MAX];
};
#define FUZZ_SHARED_BYTES ((sizeof(struct fuzz_shared) + PAGE - 1) & ~(PAGE - 1))

/* Handles that a worker gets: PA_HND(PA_USER0, n). */
enum {
    FUZZ_HANDLE_SHARED,     /* VMO with struct fuzz_shared */
    FUZZ_HANDLE_CHANNEL,    /* to another worker */
    FUZZ_HANDLE_NEIGHBOUR,  /* process of another worker */
    FUZZ_HANDLE_CONTIGUOUS, /* VMO */
    FUZZ_HANDLE_IOB,        /* endpoint, the other one is another worker's */
    FUZZ_HANDLE_COUNT,
};

struct fuzz_worker_args {
    uint64_t seed;
    unsigned slot; /* in struct fuzz_shared */
    unsigned count_threads;
    uint64_t count_calls; /* a thread */
};

/* The worker's main: returns its exit code. */
int fuzz_worker(const struct fuzz_worker_args *args);

/* ---- Inside a worker ----------------------------------------------------------------------------
 */

/* Argument buffers of one thread, one for each argument of a call. */
#define FUZZ_BUFFER_BYTES (16384u)

struct fuzz_thread {
    struct fuzz_random random;
    struct fuzz_progress *progress;
    struct fuzz_shared *shared;
    unsigned index;
    uint64_t count_calls;
    uint8_t (*buffers)[FUZZ_BUFFER_BYTES]; /* FUZZ_ARGS_MAX of them */
    bool is_sane[FUZZ_ARGS_MAX];           /* the pointer argument is its buffer */
};

/* Places that pointers point to. */
struct fuzz_places {
    zx_handle_t around; /* region that has the arena at its start */
    zx_handle_t arena;  /* region that calls may do anything to; the handle may be stale */
    zx_vaddr_t arena_base;
    size_t arena_bytes;
    zx_vaddr_t read_only;   /* a page */
    zx_vaddr_t before_hole; /* a page before one that is not there */
    zx_vaddr_t execute_only;
    zx_vaddr_t flicker; /* two pages that another thread maps and unmaps */
    zx_vaddr_t vdso;
    zx_vaddr_t stacks; /* for threads that calls start */
    size_t stacks_bytes;
};
extern struct fuzz_places fuzz_places;

/* Handles, by type of object, shared by the threads of a worker. */
void fuzz_handles_add(struct fuzz_thread *thread, zx_handle_t handle);
/* A handle that is likely to be one of |type| (ZX_OBJ_TYPE_NONE: of any), and may be anything. */
zx_handle_t fuzz_handles_pick(struct fuzz_thread *thread, zx_obj_type_t type);

/* Forgets the handles among |args| that are not valid. */
void fuzz_handles_check(const struct fuzz_call *call, const uint64_t args[FUZZ_ARGS_MAX]);

/* A place where something was mapped, or else one in the arena; remembering one. */
zx_vaddr_t fuzz_mapped_pick(struct fuzz_random *random);
void fuzz_mapped_add(struct fuzz_random *random, zx_vaddr_t addr);

/* The stagehand's: builds something and adds its handles. */
void fuzz_stage(struct fuzz_thread *thread);
/* ... and sends back what has come over the last channel that it built. */
void fuzz_answer(void);

/* Arguments for |call|. Fills the thread's buffers. */
void fuzz_args_make(struct fuzz_thread *thread, const struct fuzz_call *call,
                    uint64_t args[FUZZ_ARGS_MAX]);
