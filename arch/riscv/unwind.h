/* Backtraces without frame pointers: what a function's first instructions do to the stack pointer
 * and to the return address is read from the instructions themselves. */
#pragma once

#include "kernel/lib/compiler.h"

/* Where a computation stands. */
struct unwind_state {
    uint64_t pc;
    uint64_t sp;
    uint64_t ra; /* 0: not known, |pc| is a return address */
};

/* Writes |state->pc| and the return addresses behind it to |pcs|, at most |max| (>= 1); returns how
 * many. Follows the current thread's kernel stack and this hart's emergency stack, through traps
 * taken in the kernel, and reads nothing outside of them. Any context. */
uint32_t unwind_collect(const struct unwind_state *state, uint64_t *pcs, uint32_t max);

/* The caller's own pc and stack pointer. */
#define UNWIND_HERE(state)                                                                         \
    __asm__ volatile("auipc %0, 0\n\tmv %1, sp" : "=r"((state).pc), "=r"((state).sp))
