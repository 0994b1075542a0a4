/* The scheduler: a run queue a hart, 32 priorities, round robin inside one, preemptive. */
#pragma once

#include "kernel/sched/thread.h"

/* Nanoseconds since clock_init, exactly as the vDSO computes them for zx_clock_get_monotonic. Any
 * context. */
zx_time_t clock_monotonic_ns(void);

/* The same at a value of the counter, for one that is not before clock_init. */
zx_time_t clock_monotonic_ns_at(uint64_t ticks);

/* The first value of the counter at which clock_monotonic_ns is at least |ns|, or one or two later;
 * below UINT64_MAX. */
uint64_t clock_ns_to_ticks_ceil(zx_time_t ns);

/* The monotonic time |ns| in ticks of zx_ticks_get, up to two too many; 0 for times before 0. */
zx_ticks_t clock_ns_to_user_ticks(zx_time_t ns);
uint64_t clock_ticks_per_second(void);

/* A number of ticks as nanoseconds, rounded down. */
uint64_t clock_ticks_to_ns(uint64_t count_ticks);

/* Time starts now. |timebase_hz|: 1 .. 2^62, from the device tree. Before any other clock function.
 */
void clock_init(uint64_t timebase_hz);

/* Sets the fields of |out| that describe the clock. */
struct vdso_constants;
void clock_fill_vdso(struct vdso_constants *out);

/* Makes the running boot context the idle thread of hart 0. Once, before any lock is contended. */
void sched_init_boot_hart(void);

/* Prepares the run queue of a secondary hart with |idle| (zeroed memory of the caller's, kept for
 * ever), the thread that the hart's start-up code runs as. On the boot hart. */
void sched_init_idle(unsigned hart_index, struct thread *idle);

/* Announces the hart as able to run threads; called on it. */
void sched_hart_online(void);

/* The idle loop: the last call of each hart's start-up. */
NORETURN void sched_idle(void);

hart_mask_t sched_online_harts(void);

/* Starts the thread that reaps the dead. After kheap, before the first user thread. */
void sched_start_reaper(void);

/* Returns once every thread that was dead at the call has been reaped, so that counts of free
 * memory and of objects include nothing that only waits to be freed. Sleeps; not from a reap
 * function. */
void sched_drain_reaper(void);

/* What a hart has done since it came up. */
struct sched_stats {
    uint64_t count_kept;      /* choices of who runs next that fell on who ran already */
    uint64_t count_switches;  /* from one thread to another */
    uint64_t count_hand_offs; /* of these, those straight to a thread that the other had woken */
    uint64_t count_timer_interrupts;
    uint64_t count_reschedule_ipis;
};
void sched_get_stats(unsigned hart_index, struct sched_stats *out);

/* Total time that |hart_index| has been idle. */
uint64_t sched_idle_ns(unsigned hart_index);
