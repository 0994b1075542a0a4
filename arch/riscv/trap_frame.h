/* What trap_entry.S leaves on the kernel stack. */
#pragma once

#include "arch/arch.h"

struct trap_frame {
    /* x[0] is the pc, the others are x1..x31: the layout of
     * zx_riscv64_thread_state_general_regs. */
    uint64_t x[32];
    uint64_t status; /* sstatus; kernel traps only */
    uint64_t cause;
    uint64_t tval;
    uint64_t unused;
};
_Static_assert(sizeof(struct trap_frame) % 16 == 0, "stack alignment");

enum { REG_PC = 0, REG_RA = 1, REG_SP = 2, REG_A0 = 10, REG_A7 = 17 };

/* The frame of a thread's entry from user mode is always at the top of its kernel stack. */
static inline struct trap_frame *thread_user_frame(const struct arch_thread *thread)
{
    return (struct trap_frame *)thread->user_frame;
}
