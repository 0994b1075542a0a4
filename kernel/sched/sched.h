/* The scheduler: a run queue a hart, 32 priorities, round robin inside one, preemptive. */
#pragma once

#include "kernel/sched/thread.h"

/* Nanoseconds since boot, and the timebase conversions behind them. */
zx_time_t clock_monotonic_ns(void);
zx_time_t clock_ticks_to_ns(uint64_t ticks);
uint64_t clock_ns_to_ticks_ceil(zx_time_t ns);
/* |timebase_hz| > 0, from the device tree; time starts now. */
void clock_init(uint64_t timebase_hz);
/* ns = (ticks * mult) >> 64-bit shift as the vDSO computes it; see abi/vdso_constants.h. */
void clock_get_conversion(uint64_t *out_mult, uint32_t *out_shift, uint64_t *out_base_ticks);

/* Makes the running boot context the idle thread of hart 0. Once, before any lock is contended. */
void sched_init_boot_hart(void);

/* The idle thread of a secondary hart, allocated on the boot hart. ZX_ERR_NO_MEMORY as NULL. */
struct thread *sched_create_idle(unsigned hart_index);

/* Announces the hart as able to run threads; called on it. */
void sched_hart_online(void);

/* The idle loop: the last call of each hart's start-up. */
NORETURN void sched_idle(void);

hart_mask_t sched_online_harts(void);

/* Starts the thread that reaps the dead. After kheap, before the first user thread. */
void sched_start_reaper(void);

/* Total time that |hart_index| has been idle. */
uint64_t sched_idle_ns(unsigned hart_index);
