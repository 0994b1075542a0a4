/* What each hart has for itself. */
#pragma once

#include "arch/mmu.h"
#include "arch/riscv/trap_frame.h"

#define TLB_INBOX_SLOTS       8
#define PANIC_BACKTRACE_MAX   24
#define EMERGENCY_STACK_BYTES 8192

struct tlb_request;

/* A hart's last words, for the hart that panics. */
struct hart_state {
    uint32_t is_recorded; /* atomic: the rest is complete */
    uint32_t count_pcs;
    uint64_t pc;
    uint64_t cause;
    uint64_t status;
    const struct thread *thread;
    uint64_t pcs[PANIC_BACKTRACE_MAX];
};

struct hart {
    uint64_t id;          /* mhartid */
    uint32_t ipi_pending; /* atomic: enum ipi_kind bits */
    uint32_t awaits_acks; /* atomic: sleeps until the last hart it asked has answered; tlb.c */

    /* Used by this hart with interrupts off. */
    struct arch_aspace *aspace;     /* in satp; NULL: the kernel's root */
    uint64_t asid_generation;       /* of asids handed out; see asid.c */
    uint32_t asid_next, asid_max;   /* asid_max 0: this hart has none */
    uint64_t kernel_map_generation; /* see kspace.c */
    struct arch_thread *fp_owner;   /* whose state the FP registers may hold; see thread.c */
    uint64_t stale_fault_pc, stale_fault_va; /* see trap.c */
    uint64_t resolved_fault;        /* address | access of the last one: see mmu_fence_local */
    struct trap_frame *panic_frame; /* the trap that this hart panics about */
    uint32_t count_panics;
    struct hart_state last_words;

    uint64_t emergency_top; /* stack for a hart whose thread has overflowed its own */

    struct tlb_request *inbox[TLB_INBOX_SLOTS]; /* atomic; see tlb.c */
    struct mmu_tlb_stats stats;                 /* relaxed atomics */
} __attribute__((aligned(64)));

extern struct hart harts[MAX_HARTS];

/* The thread must not migrate while the result is used: interrupts off. */
static inline struct hart *this_hart(void)
{
    return &harts[arch_hart_index()];
}

/* Harts that have been started; bit 0 is the boot hart. */
hart_mask_t harts_started(void);

#define HARTS_COUNT(field, n) atomic_fetch_add_relaxed(&harts[arch_hart_index()].stats.field, (n))

/* What secondary_start needs before it has page tables; reached by physical address. */
enum hart_start_state { HART_STARTING, HART_UP, HART_CANCELLED };
struct hart_start {
    uint64_t satp;
    struct thread *thread;
    void *stack_top;
    uint32_t state; /* enum hart_start_state, atomic: decides between time-out and start */
};

/* Sets up the registers that every hart has alike: counters, FP off. */
void hart_init_csrs(void);

/* Handles a software interrupt. */
void ipi_receive(struct trap_frame *frame);

/* The same for a hart that waits with interrupts off: takes what is pending without a trap. No
 * spinlock held. A wish to reschedule comes true when interrupts are on again. */
void ipi_receive_while_waiting(void);
