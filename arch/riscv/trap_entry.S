/* The way into the kernel and back. In user mode sscratch holds the thread; in the kernel it is 0
 * and tp is the thread. */
#include "arch/riscv/csr.h"
#include "asm_offsets.h"

#define X(n) (8 * (n))  /* offset of register n in a frame; X(0) is the pc */

    .text

/* What C functions may change. */
.macro SAVE_CALLER
    sd      ra, X(1)(sp)
    sd      t0, X(5)(sp)
    sd      t1, X(6)(sp)
    sd      t2, X(7)(sp)
    sd      a0, X(10)(sp)
    sd      a1, X(11)(sp)
    sd      a2, X(12)(sp)
    sd      a3, X(13)(sp)
    sd      a4, X(14)(sp)
    sd      a5, X(15)(sp)
    sd      a6, X(16)(sp)
    sd      a7, X(17)(sp)
    sd      t3, X(28)(sp)
    sd      t4, X(29)(sp)
    sd      t5, X(30)(sp)
    sd      t6, X(31)(sp)
.endm

.macro LOAD_CALLER
    ld      ra, X(1)(sp)
    ld      t0, X(5)(sp)
    ld      t1, X(6)(sp)
    ld      t2, X(7)(sp)
    ld      a0, X(10)(sp)
    ld      a1, X(11)(sp)
    ld      a2, X(12)(sp)
    ld      a3, X(13)(sp)
    ld      a4, X(14)(sp)
    ld      a5, X(15)(sp)
    ld      a6, X(16)(sp)
    ld      a7, X(17)(sp)
    ld      t3, X(28)(sp)
    ld      t4, X(29)(sp)
    ld      t5, X(30)(sp)
    ld      t6, X(31)(sp)
.endm

/* What C functions keep. */
.macro SAVE_CALLEE
    sd      gp, X(3)(sp)
    sd      s0, X(8)(sp)
    sd      s1, X(9)(sp)
    sd      s2, X(18)(sp)
    sd      s3, X(19)(sp)
    sd      s4, X(20)(sp)
    sd      s5, X(21)(sp)
    sd      s6, X(22)(sp)
    sd      s7, X(23)(sp)
    sd      s8, X(24)(sp)
    sd      s9, X(25)(sp)
    sd      s10, X(26)(sp)
    sd      s11, X(27)(sp)
.endm

.macro LOAD_CALLEE
    ld      gp, X(3)(sp)
    ld      s0, X(8)(sp)
    ld      s1, X(9)(sp)
    ld      s2, X(18)(sp)
    ld      s3, X(19)(sp)
    ld      s4, X(20)(sp)
    ld      s5, X(21)(sp)
    ld      s6, X(22)(sp)
    ld      s7, X(23)(sp)
    ld      s8, X(24)(sp)
    ld      s9, X(25)(sp)
    ld      s10, X(26)(sp)
    ld      s11, X(27)(sp)
.endm

    .balign 4
    .global trap_entry
trap_entry:
    csrrw   tp, sscratch, tp
    beqz    tp, trap_from_kernel

    /* ---- From user mode ---- */
    sd      sp, THREAD_USER_SP(tp)
    csrr    sp, scause
    addi    sp, sp, -CAUSE_USER_ECALL
    bnez    sp, user_no_ecall

    /* A system call is a function call: t1-t6 and the arguments are the kernel's to destroy, the
     * callee-saved registers stay where they are, and so does gp, which the kernel does not use:
     * switch.S keeps it. The user's sp stays in the thread. */
    csrr    t2, sepc
    ld      t3, THREAD_SYSCALL_BASE(tp)
    ld      t4, THREAD_SYSCALL_BYTES(tp)
    sub     t3, t2, t3
    bgeu    t3, t4, user_full_save
    li      t3, SYSCALL_COUNT
    bgeu    t0, t3, user_full_save
    ld      sp, THREAD_USER_FRAME(tp)
    csrrw   t6, sscratch, zero
    addi    t2, t2, 4               /* behind the ecall */
    sd      t2, X(0)(sp)
    sd      ra, X(1)(sp)
    sd      t6, X(4)(sp)
    csrsi   sstatus, SSTATUS_SIE
    lla     t1, syscall_table
    slli    t0, t0, 3
    add     t1, t1, t0
    ld      t1, 0(t1)
    jalr    t1

    /* sstatus says SPP = 0 and SPIE = 1 as it did on entry: a trap in between put them back when it
     * returned, and a switch sets them (arch_context_switch). */
    csrci   sstatus, SSTATUS_SIE
    lw      t1, THREAD_WORK_PENDING(tp)
    bnez    t1, syscall_slow_exit
    ld      t2, X(0)(sp)
    csrw    sepc, t2
    csrw    sscratch, tp
    ld      ra, X(1)(sp)
    mv      t1, sp
    ld      sp, THREAD_USER_SP(tp)
    ld      tp, X(4)(t1)
    li      a1, 0                   /* nothing of the kernel's shows */
    li      a2, 0
    li      a3, 0
    li      a4, 0
    li      a5, 0
    li      a6, 0
    li      a7, 0
    li      t0, 0
    li      t1, 0
    li      t2, 0
    li      t3, 0
    li      t4, 0
    li      t5, 0
    li      t6, 0
    sret

/* Completes the frame, so that the thread can be inspected and changed, and goes out as after a
 * fault. */
syscall_slow_exit:
    ld      t2, THREAD_USER_SP(tp)
    sd      t2, X(2)(sp)
    sd      a0, X(10)(sp)
    SAVE_CALLEE
    mv      a0, sp
    call    trap_clear_caller_saved
    call    trap_user_work
    j       user_full_return

/* Page faults have causes 12 to 15. Most are resolved, and all that it takes is C code that keeps
 * the callee-saved registers; only a thread that does not go on at once needs a complete frame.
 */
    .balign 4
user_no_ecall:
    addi    sp, sp, CAUSE_USER_ECALL - CAUSE_FETCH_PAGE_FAULT
    sltiu   sp, sp, CAUSE_STORE_PAGE_FAULT - CAUSE_FETCH_PAGE_FAULT + 1
    beqz    sp, user_full_save
user_page_fault:
    ld      sp, THREAD_USER_FRAME(tp)
    SAVE_CALLER
    csrrw   t1, sscratch, zero
    csrr    t2, sepc
    csrr    a0, scause
    csrr    a1, stval
    sd      t1, X(4)(sp)
    sd      t2, X(0)(sp)
    sd      a0, FRAME_CAUSE(sp)
    sd      a1, FRAME_TVAL(sp)
    call    trap_user_page_fault
    bnez    a0, user_page_fault_slow

    /* SPP and SPIE: as after a system call. */
    ld      t0, X(0)(sp)
    sc.d    zero, t0, (sp)          /* ends a reservation of another context's lr, as below */
    ld      t1, THREAD_USER_SP(tp)
    csrw    sepc, t0
    csrw    sscratch, tp
    sd      t1, X(2)(sp)
    ld      ra, X(1)(sp)
    ld      tp, X(4)(sp)
    ld      t0, X(5)(sp)
    ld      t1, X(6)(sp)
    ld      t2, X(7)(sp)
    ld      a0, X(10)(sp)
    ld      a1, X(11)(sp)
    ld      a2, X(12)(sp)
    ld      a3, X(13)(sp)
    ld      a4, X(14)(sp)
    ld      a5, X(15)(sp)
    ld      a6, X(16)(sp)
    ld      a7, X(17)(sp)
    ld      t3, X(28)(sp)
    ld      t4, X(29)(sp)
    ld      t5, X(30)(sp)
    ld      t6, X(31)(sp)
    ld      sp, X(2)(sp)
    sret

user_page_fault_slow:
    ld      t2, THREAD_USER_SP(tp)
    sd      t2, X(2)(sp)
    SAVE_CALLEE
    mv      a1, a0
    mv      a0, sp
    call    trap_user_page_fault_end
    j       user_full_return

    .balign 4
user_full_save:
    ld      sp, THREAD_USER_FRAME(tp)
    SAVE_CALLER
    SAVE_CALLEE
    ld      t0, THREAD_USER_SP(tp)
    csrrw   t1, sscratch, zero
    csrr    t2, sepc
    csrr    t3, scause
    csrr    t4, stval
    sd      t0, X(2)(sp)
    sd      t1, X(4)(sp)
    sd      t2, X(0)(sp)
    sd      t3, FRAME_CAUSE(sp)
    sd      t4, FRAME_TVAL(sp)
    mv      a0, sp
    call    trap_from_user
    /* fall through */

/* Interrupts off, sp = the user frame. */
user_full_return:
    ld      t0, X(0)(sp)
    sc.d    zero, t0, (sp)          /* X(0): ends a reservation of another context's lr */
    csrw    sepc, t0
    csrw    sscratch, tp
    li      t0, SSTATUS_SPP
    csrc    sstatus, t0
    li      t0, SSTATUS_SPIE
    csrs    sstatus, t0
    ld      tp, X(4)(sp)
    LOAD_CALLER
    LOAD_CALLEE
    ld      sp, X(2)(sp)
    sret

/* void enter_user_registers(struct trap_frame *frame, pc, sp, arg0, arg1): the way to user mode for
 * the first time. |frame| is the thread's user frame; nothing on the stack is needed any more.
 * Interrupts off. */
    .balign 4
    .global enter_user_registers
enter_user_registers:
    mv      sp, a0
    addi    t0, a0, X(32)
1:  sd      zero, 0(a0)
    addi    a0, a0, 8
    bltu    a0, t0, 1b
    sd      a1, X(0)(sp)
    sd      a2, X(2)(sp)
    sd      a3, X(10)(sp)
    sd      a4, X(11)(sp)
    call    trap_user_work
    j       user_full_return

    /* ---- From kernel mode ---- */
    .balign 4
trap_from_kernel:
    csrrw   tp, sscratch, zero
    /* Is there room for a frame on this thread's stack? A stack that has run into its guard page
     * must not be written to. */
    sd      t0, THREAD_SCRATCH(tp)
    ld      t0, THREAD_STACK_TOP(tp)
    sub     t0, t0, sp
    addi    t0, t0, FRAME_BYTES
    srli    t0, t0, KERNEL_STACK_SHIFT
    bnez    t0, kernel_stack_overflow
    ld      t0, THREAD_SCRATCH(tp)
    addi    sp, sp, -FRAME_BYTES
    SAVE_CALLER
    SAVE_CALLEE
    sd      tp, X(4)(sp)
    addi    t0, sp, FRAME_BYTES
    csrr    t1, sstatus
    csrr    t2, sepc
    csrr    t3, scause
    csrr    t4, stval
    sd      t0, X(2)(sp)
    sd      t1, FRAME_STATUS(sp)
    sd      t2, X(0)(sp)
    sd      t3, FRAME_CAUSE(sp)
    sd      t4, FRAME_TVAL(sp)
    li      t0, SSTATUS_SUM
    csrc    sstatus, t0
    mv      a0, sp
    call    trap_from_kernel_c
    .global trap_from_kernel_return
trap_from_kernel_return:

    ld      t0, FRAME_STATUS(sp)
    csrw    sstatus, t0
    ld      t0, X(0)(sp)
    sc.d    zero, t0, (sp)          /* as above */
    csrw    sepc, t0
    LOAD_CALLER
    LOAD_CALLEE
    ld      sp, X(2)(sp)
    sret

/* tp is right, sp is not, t0 is in the thread's scratch. Goes on with the hart's emergency stack; a
 * trap on that one (or with a broken thread) comes here again and starts it from the top, and the
 * C code notices that it has been there. */
kernel_stack_overflow:
    csrw    sscratch, sp
    lwu     sp, THREAD_HART_INDEX(tp)
    li      t0, HART_BYTES
    mul     sp, sp, t0
    lla     t0, harts
    add     sp, sp, t0
    ld      sp, HART_EMERGENCY_TOP(sp)
    addi    sp, sp, -FRAME_BYTES
    ld      t0, THREAD_SCRATCH(tp)
    SAVE_CALLER
    SAVE_CALLEE
    sd      tp, X(4)(sp)
    csrrw   t0, sscratch, zero
    csrr    t1, sstatus
    csrr    t2, sepc
    csrr    t3, scause
    csrr    t4, stval
    sd      t0, X(2)(sp)
    sd      t1, FRAME_STATUS(sp)
    sd      t2, X(0)(sp)
    sd      t3, FRAME_CAUSE(sp)
    sd      t4, FRAME_TVAL(sp)
    li      t0, SSTATUS_SUM
    csrc    sstatus, t0
    mv      a0, sp
    call    trap_stack_overflow
    .global trap_stack_overflow_return
trap_stack_overflow_return:
    ebreak
