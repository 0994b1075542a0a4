/* Threads as the scheduler sees them. What userland sees (handles, state, exceptions) is
 * kernel/object/thread.h, which embeds this. */
#pragma once

#include "kernel/lib/list.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/spinlock.h"

struct arch_aspace;
struct futex_hint;
struct handle_table;
struct object_releases;
struct run_queue;

enum thread_run_state {
    THREAD_INITIAL, /* created, never run */
    THREAD_READY,   /* in a run queue */
    THREAD_RUNNING,
    THREAD_BLOCKED, /* parked */
    THREAD_DEAD,    /* switched away for the last time */
};

/* Reasons to stop on the way to user mode, and to end an interruptible park. */
enum thread_signal {
    THREAD_SIGNAL_KILL = 1u << 0,
    THREAD_SIGNAL_SUSPEND = 1u << 1,
    THREAD_SIGNAL_EXCEPTION = 1u << 2, /* only on the way to user mode; ends no park */
};

#define PRIORITY_COUNT   32
#define PRIORITY_IDLE    0
#define PRIORITY_LOW     8
#define PRIORITY_DEFAULT 16
#define PRIORITY_HIGH    24

struct thread {
    struct arch_thread arch; /* first: arch code and assembly rely on it */

    /* Guarded by the lock of |queue|. */
    struct list_node run_node;
    enum thread_run_state run_state;
    bool token; /* an unpark that no park has consumed yet */
    bool park_interruptible;
    uint32_t park_reason; /* ZX_THREAD_STATE_BLOCKED_*, 0: none; written by the thread, atomic */
    uint8_t priority;
    uint32_t hart;           /* index of the hart it runs on, or last ran on or is queued on */
    struct run_queue *queue; /* of that hart; atomic: its lock is to be taken to rely on it */
    hart_mask_t affinity;    /* harts that it may run on */
    uint64_t slice_end;      /* arch_ticks when it has to share again */
    uint64_t runtime_ticks;  /* total time on harts, until it was last switched to */

    uint32_t signals; /* enum thread_signal, atomic */
    struct timer park_timer;
    bool park_timed_out; /* set by park_timer's callback, atomic */

    struct arch_aspace *aspace; /* borrowed; NULL for kernel threads; fixed once running */
    void *stack;                /* lowest address */
    void (*entry)(void *arg);
    void *entry_arg;
    void (*reap)(struct thread *thread); /* called from another thread when this one is dead */
    struct list_node reap_node;
    char name[32];

    /* Kept here for the object layer, which alone uses them: */
    struct handle_table *handles;     /* borrowed: of its process; NULL for kernel threads */
    struct futex_hint *futex_hint;    /* NULL for kernel threads */
    uint64_t koid;                    /* of the thread object; 0 for kernel threads */
    struct object_releases *releases; /* what it is destroying, innermost calls defer to it */

#ifdef DEBUG
    struct held_locks held;
#endif
};

static inline struct thread *thread_current(void)
{
    return arch_current_thread();
}

/* True once the current thread is to die: work for it that can take long should end early, with
 * ZX_ERR_INTERNAL_INTR_KILLED. */
static inline bool thread_is_killed(void)
{
    return (atomic_load_relaxed(&thread_current()->signals) & THREAD_SIGNAL_KILL) != 0;
}

/* Prepares |thread| (zeroed memory of the caller's) with its own kernel stack; it will run
 * entry(arg). |reap| is called on a kernel thread once the thread is dead and off its stack; it
 * frees the memory (thread_destroy first). |name| is copied, at most 31 characters.
 * ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t thread_init(struct thread *thread, const char *name, uint8_t priority,
                                 struct arch_aspace *aspace, void (*entry)(void *), void *arg,
                                 void (*reap)(struct thread *));

/* Gives back the stack of a thread that never ran or that is being reaped. */
void thread_destroy(struct thread *thread);

/* Puts a new thread into a run queue. */
void thread_start(struct thread *thread);

/* Ends the current thread; its reap function is called later. */
NORETURN void thread_exit(void);

/* Parking: the one way to sleep. A park returns ZX_OK after an unpark (also one that came before
 * it, and also spuriously, so callers loop on their own condition), ZX_ERR_TIMED_OUT once
 * |deadline_ns| (absolute, monotonic, ZX_TIME_INFINITE for none) is past, and, if |interruptible|,
 * ZX_ERR_INTERNAL_INTR_KILLED / _RETRY when the thread is being killed or suspended. Interrupts on,
 * no spinlock held. */
zx_status_t thread_park(zx_time_t deadline_ns, bool interruptible);

/* The same, interruptible, and says to those who look at the thread meanwhile what it waits for:
 * |reason| is one of ZX_THREAD_STATE_BLOCKED_*. */
zx_status_t thread_park_for(uint32_t reason, zx_time_t deadline_ns);

/* Wakes |thread| or leaves it a token. Any context; spinlocks of rank below SCHED may be held. The
 * caller makes sure that the thread object stays. */
void thread_unpark(struct thread *thread);

/* The same from a thread that is likely to park soon itself: |thread| is kept for this hart for a
 * moment, and idle harts sleep on. */
void thread_unpark_hand_off(struct thread *thread);

/* Sets signal bits and makes the thread notice: wakes an interruptible park, interrupts user code.
 * Clearing needs no notice. Any context. */
void thread_signal(struct thread *thread, uint32_t signals);
void thread_clear_signal(struct thread *thread, uint32_t signals);

/* Total time that |thread| has been on harts, up to now. Any context without a run queue's lock. */
uint64_t thread_runtime_ns(struct thread *thread);

/* Lets other threads of the same priority run. */
void thread_yield(void);

/* Internal statuses of interrupted parks; never shown to users. */
#define ZX_ERR_INTERNAL_INTR_KILLED (-5)
