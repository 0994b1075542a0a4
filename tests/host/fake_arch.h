/* Controls of the fake machine that host tests run the kernel's portable code on.
 *
 * A host thread plays the hart that it chose with fake_set_hart. User memory is touched only
 * through fake_user_read/write/exec, which go through that hart's TLB: an entry stays until a fence
 * removes it, so code that forgets to fence is caught when the test uses the stale translation. */
#pragma once

#include "arch/arch.h"
#include "arch/mmu.h"

/* Exit status of a process that panicked. */
#define FAKE_PANIC_STATUS 86

/* Makes |len_bytes| of physical memory at FAKE_PHYS_BASE, filled with garbage. Once a process. */
void fake_arena_create(uint64_t len_bytes);
extern uint64_t fake_arena_bytes;

/* fake_arena_create, one bank over all of it, pmm_init and kheap_init. */
void fake_boot(uint64_t len_bytes);

/* The calling host thread plays this hart from now on. */
void fake_set_hart(unsigned hart_index);
/* What arch_hart_count answers; 4 at the start. */
void fake_set_hart_count(unsigned count);

/* Runs fn(arg) in a child process. True if it panicked (not: crashed, exited, or returned). */
bool fake_panics(void (*fn)(void *arg), void *arg);
/* Runs fn(arg) in a child process. True if it returned and nothing was reported. */
bool fake_runs(void (*fn)(void *arg), void *arg);

/* ---- Memory failure -------------------------------------------------------------------------- */

/* Makes the nth allocation from now on fail, once (1: the next one); 0: none. */
void fake_fail_after(uint64_t nth);
/* Stops injecting. True if the failure has happened: a test raises n until it no longer does. */
bool fake_fail_stop(void);

/* ---- User memory ------------------------------------------------------------------------------
 */

/* One access to |va| by the hart that this thread plays. The address space is made current on the
 * hart if it is not. False: page fault (the caller resolves it and tries again). Panics if the
 * translation used leads to memory that was given back. */
bool fake_user_read(struct arch_aspace *aspace, vaddr_t va, uint8_t *out);
bool fake_user_write(struct arch_aspace *aspace, vaddr_t va, uint8_t value);
bool fake_user_exec(struct arch_aspace *aspace, vaddr_t va);

/* True if no TLB of a hart on which |aspace| is live holds a translation that its tables would not
 * give any more. Call when no change is under way. */
bool fake_tlb_is_consistent(const struct arch_aspace *aspace);

/* Makes every hart leave the address space that it is in: before mmu_aspace_destroy. */
void fake_leave_aspaces(void);

/* The address space that the user copies of this thread work in (arch_copy_from_user ...). NULL, as
 * at the start: user pointers are host pointers, and only NULL is bad. */
void fake_set_user_aspace(struct arch_aspace *aspace);

/* Called by user copies on a fault; NULL: upcall_page_fault. */
typedef zx_status_t (*fake_fault_fn)(vaddr_t addr, uint32_t access);
void fake_set_fault_handler(fake_fault_fn fn);

/* Called after each arch_page_copy, with whatever locks its caller holds; NULL, as at the start:
 * nothing. Set while no other host thread copies. */
void fake_set_page_copy_hook(void (*fn)(void));

struct fake_counters {
    uint64_t fences;       /* tlb_batch_finish calls that had something to do */
    uint64_t harts_fenced; /* sum over them of the harts that they reached */
    uint64_t ranges;       /* sum over them of the ranges fenced */
    uint64_t full_fences;  /* those that had become "everything" */
    uint64_t local_fences; /* mmu_fence_local */
    uint64_t icache_syncs;
    uint64_t ipis; /* arch_ipi_send, by kind not told apart */
};
void fake_get_counters(struct fake_counters *out);
extern struct fake_counters fake_counters; /* updated atomically */
