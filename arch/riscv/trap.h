/* Called from trap_entry.S with interrupts off. */
#pragma once

#include "arch/riscv/trap_frame.h"

/* Exceptions and interrupts from user mode, and system calls that the fast path refused. */
void trap_from_user(struct trap_frame *frame);

/* A page fault from user mode with a frame of which only the caller-saved registers, pc and tp are
 * set. 0: the thread goes on where it was; otherwise trap_user_page_fault_end wants to be called
 * with the answer and a complete frame. */
int64_t trap_user_page_fault(uint64_t cause, vaddr_t addr);
void trap_user_page_fault_end(struct trap_frame *frame, int64_t answer);

/* Traps from kernel mode. */
void trap_from_kernel_c(struct trap_frame *frame);

/* A kernel trap with no room on the thread's stack; on the hart's emergency stack. */
NORETURN void trap_stack_overflow(struct trap_frame *frame);

/* After a system call whose thread has work to do before it leaves: the frame's caller-saved
 * registers but a0 become 0. */
void trap_clear_caller_saved(struct trap_frame *frame);

/* Calls upcall_user_return until the current thread has no work left. */
void trap_user_work(void);
