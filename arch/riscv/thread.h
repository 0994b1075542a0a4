/* Between thread.c, trap.c and assembly. */
#pragma once

#include "arch/arch.h"

struct trap_frame;

extern struct arch_features riscv_features;

/* switch.S */
void switch_stacks(struct thread *prev, struct thread *next);
void thread_start_entry(void);

/* trap_entry.S: goes to user mode with these registers and zeros in all others. |frame| is the
 * current thread's user frame. Interrupts off. */
NORETURN void enter_user_registers(struct trap_frame *frame, vaddr_t pc, vaddr_t sp, uint64_t arg0,
                                   uint64_t arg1);

/* The current thread executed a floating-point instruction with FS off: gives it zeroed registers.
 * False if it has them already, so that the instruction is illegal for another reason. Interrupts
 * off. */
bool thread_enable_fp(void);
