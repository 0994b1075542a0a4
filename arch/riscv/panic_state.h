/* What a panic shows. */
#pragma once

#include "arch/riscv/trap_frame.h"
#include "kernel/lib/printf.h"

/* Panics about the trap that |frame| holds; its registers are printed. A panic inside a panic's
 * trap stops the hart silently. */
NORETURN void panic_in_trap(struct trap_frame *frame, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "load page fault" and so on. */
const char *trap_cause_name(uint64_t cause);

/* Another hart panics: leaves this hart's state for it to print and stops. |frame| is what was
 * interrupted, or NULL: the caller. */
NORETURN void panic_halt_this_hart(const struct trap_frame *frame);
