/* User threads: the objects around the scheduler's struct thread. */
#pragma once

#include <zircon/syscalls/exception.h>

#include "kernel/object/channel.h"
#include "kernel/object/exception.h"
#include "kernel/object/object.h"
#include "kernel/sched/thread.h"
#include "kernel/vm/futex_key.h"

struct process;
struct zx_riscv64_thread_state_general_regs;
struct zx_riscv64_thread_state_fp_regs;

enum user_thread_state {
    USER_THREAD_NEW,
    USER_THREAD_RUNNING, /* started */
    USER_THREAD_DYING,
    USER_THREAD_DEAD,
};

struct user_thread {
    struct object object;
    struct thread thread;
    struct process *process;       /* one reference, until the object is freed */
    struct list_node process_node; /* in process->threads, under its lock */
    struct futex_hint futex_hint;  /* the thread's own */

    /* Guarded by the process's lock: */
    enum user_thread_state state; /* DYING is stored atomically */
    uint32_t count_suspends;      /* suspend tokens on this thread */
    bool is_suspended;            /* parked because of tokens: registers can be read and written */
    bool in_exception;            /* parked in an exception: likewise */
    bool is_before_entry;         /* not yet in user mode: its registers are the entry_ fields */
    bool is_first;                /* its process started with it */
    bool is_futex_owner;          /* it was named as one */
    bool has_stack;
    uint32_t exception_channel_type; /* whose turn it is: ZX_EXCEPTION_CHANNEL_TYPE_* */
    zx_exception_report_t report;    /* with in_exception */
    struct exception_slot exceptions[EXCEPTION_SLOT_COUNT];

    /* What it raises on its way back to user mode; type 0: nothing. The thread's own. */
    struct {
        uint32_t type, synth_code, synth_data;
    } pending_exception;

    /* A zx_channel_call that a suspension has interrupted. The thread's own. */
    struct channel_call call;

    /* Where it enters user mode; written before it starts. */
    vaddr_t entry_pc, entry_sp;
    uint64_t entry_args[2];
};

static inline struct user_thread *user_thread_from_object(struct object *object)
{
    return container_of(object, struct user_thread, object);
}

/* The running thread's object; NULL in kernel threads. Borrowed. */
struct user_thread *user_thread_current(void);

/* A thread of |process| that has not started. Returns one reference in *out. ZX_ERR_BAD_STATE: the
 * process is dying. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t user_thread_create(struct process *process, const char *name,
                                        struct user_thread **out);

/* Whether a thread may begin at |pc|: nothing says that there is code. */
static inline bool user_pc_is_valid(vaddr_t pc)
{
    return user_range_is_valid(pc, 1);
}

/* Starts a fresh thread of a running process. ZX_ERR_BAD_STATE: otherwise. ZX_ERR_INVALID_ARGS:
 * |pc| is not a user address. */
MUST_USE zx_status_t user_thread_start(struct user_thread *thread, vaddr_t pc, vaddr_t sp,
                                       uint64_t arg0, uint64_t arg1);
/* The part of it that is done with the process's lock held and the states checked. */
void user_thread_start_locked(struct user_thread *thread, vaddr_t pc, vaddr_t sp, uint64_t arg0,
                              uint64_t arg1);

/* Ends the calling user thread. */
NORETURN void user_thread_exit(void);

/* Asks the thread to die; returns before it has. */
void user_thread_kill(struct user_thread *thread);

/* ---- Suspending ----------------------------------------------------------------------------- */

/* A token that keeps the thread, or every thread that |process| has now, suspended until its last
 * handle closes. Returns one reference in *out. ZX_ERR_BAD_STATE: dead or dying.
 * ZX_ERR_NOT_SUPPORTED: the calling thread would suspend itself. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t suspend_token_create_thread(struct user_thread *thread, struct object **out);
MUST_USE zx_status_t suspend_token_create_process(struct process *process, struct object **out);

/* Registers of a thread that is suspended or in an exception. ZX_ERR_BAD_STATE: it is neither. */
MUST_USE zx_status_t user_thread_read_regs(struct user_thread *thread,
                                           struct zx_riscv64_thread_state_general_regs *out);
MUST_USE zx_status_t user_thread_write_regs(struct user_thread *thread,
                                            const struct zx_riscv64_thread_state_general_regs *in);

MUST_USE zx_status_t user_thread_read_fp(struct user_thread *thread,
                                         struct zx_riscv64_thread_state_fp_regs *out);
MUST_USE zx_status_t user_thread_write_fp(struct user_thread *thread,
                                          const struct zx_riscv64_thread_state_fp_regs *in);

/* Marks the calling thread as parked in an exception with |report|, or, for NULL, as out of it.
 * |channel_type|: ZX_EXCEPTION_CHANNEL_TYPE_* of the handler whose turn it is. */
void user_thread_set_exception(struct user_thread *thread, const zx_exception_report_t *report,
                               uint32_t channel_type);
/* The report of a thread in an exception. ZX_ERR_BAD_STATE: it is in none. */
MUST_USE zx_status_t user_thread_get_exception(struct user_thread *thread,
                                               zx_exception_report_t *out);

/* Makes the calling user thread raise a synthetic exception once its system call is over: |type| is
 * ZX_EXCP_POLICY_ERROR or ZX_EXCP_USER. The first one of a call counts. */
void user_thread_raise_later(uint32_t type, uint32_t synth_code, uint32_t synth_data);

/* Notes that a futex is to be owned by |thread|, for its end. *out_koid: its koid, or 0 when it is
 * over. ZX_ERR_INVALID_ARGS: it was not started. */
MUST_USE zx_status_t user_thread_become_futex_owner(struct user_thread *thread,
                                                    zx_koid_t *out_koid);

/* The thread will not return to user mode, or has ended. No lock needed. */
static inline bool user_thread_is_over(const struct user_thread *thread)
{
    return atomic_load_relaxed(&thread->state) >= USER_THREAD_DYING;
}

/* True if tokens want |thread| suspended. The process's lock is held. */
bool user_thread_is_wanted_suspended_locked(const struct user_thread *thread);

/* ZX_THREAD_STATE_* as ZX_INFO_THREAD reports it. */
uint32_t user_thread_get_state(struct user_thread *thread);
