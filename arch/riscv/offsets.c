/* Offsets of C structures for assembly: the build turns these lines into asm_offsets.h. */
#include <zircon/errors.h>

#include "arch/mmu.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/trap_frame.h"
#include "arch/syscall_count.h"

#define EMIT(name, value) __asm__ volatile("\n.ascii \"->" #name " %0\"" : : "i"(value))

void emit_offsets(void);

void emit_offsets(void)
{
    EMIT(THREAD_KERNEL_SP, offsetof(struct arch_thread, kernel_sp));
    EMIT(THREAD_STACK_TOP, offsetof(struct arch_thread, kernel_stack_top));
    EMIT(THREAD_USER_FRAME, offsetof(struct arch_thread, user_frame));
    EMIT(THREAD_USER_SP, offsetof(struct arch_thread, user_sp));
    EMIT(THREAD_SCRATCH, offsetof(struct arch_thread, scratch));
    EMIT(THREAD_SYSCALL_BASE, offsetof(struct arch_thread, syscall_base));
    EMIT(THREAD_SYSCALL_BYTES, offsetof(struct arch_thread, syscall_bytes));
    EMIT(THREAD_WORK_PENDING, offsetof(struct arch_thread, work_pending));
    EMIT(THREAD_HART_INDEX, offsetof(struct arch_thread, hart_index));

    EMIT(SYSCALL_COUNT, SYSCALL_COUNT);
    EMIT(STATUS_INVALID_ARGS, ZX_ERR_INVALID_ARGS);
    EMIT(USER_TOP, USER_TOP);
    EMIT(USER_TOP_SHIFT, __builtin_ctzl(USER_TOP));

    EMIT(FP_FCSR, offsetof(struct arch_fp_state, fcsr));

    EMIT(FRAME_BYTES, sizeof(struct trap_frame));
    EMIT(FRAME_STATUS, offsetof(struct trap_frame, status));
    EMIT(FRAME_CAUSE, offsetof(struct trap_frame, cause));
    EMIT(FRAME_TVAL, offsetof(struct trap_frame, tval));

    EMIT(KERNEL_STACK_SIZE, KERNEL_STACK_BYTES);
    EMIT(KERNEL_STACK_SHIFT, __builtin_ctzl(KERNEL_STACK_BYTES));

    EMIT(HART_BYTES, sizeof(struct hart));
    EMIT(HART_EMERGENCY_TOP, offsetof(struct hart, emergency_top));

    EMIT(START_SATP, offsetof(struct hart_start, satp));
    EMIT(START_THREAD, offsetof(struct hart_start, thread));
    EMIT(START_STACK_TOP, offsetof(struct hart_start, stack_top));
    EMIT(START_STATE, offsetof(struct hart_start, state));
}
