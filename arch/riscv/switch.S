/* Changing stacks. */
#include "asm_offsets.h"

    .text

/* void switch_stacks(struct thread *prev, struct thread *next): what a function call preserves goes
 * on prev's stack, and gp, which is the user's. Returns in next's context. Interrupts off. */
    .balign 4
    .global switch_stacks
switch_stacks:
    addi    sp, sp, -112
    sd      ra, 0(sp)
    sd      s0, 8(sp)
    sd      s1, 16(sp)
    sd      s2, 24(sp)
    sd      s3, 32(sp)
    sd      s4, 40(sp)
    sd      s5, 48(sp)
    sd      s6, 56(sp)
    sd      s7, 64(sp)
    sd      s8, 72(sp)
    sd      s9, 80(sp)
    sd      s10, 88(sp)
    sd      s11, 96(sp)
    sd      gp, 104(sp)
    sd      sp, THREAD_KERNEL_SP(a0)
    mv      tp, a1
    ld      sp, THREAD_KERNEL_SP(a1)
    ld      ra, 0(sp)
    ld      s0, 8(sp)
    ld      s1, 16(sp)
    ld      s2, 24(sp)
    ld      s3, 32(sp)
    ld      s4, 40(sp)
    ld      s5, 48(sp)
    ld      s6, 56(sp)
    ld      s7, 64(sp)
    ld      s8, 72(sp)
    ld      s9, 80(sp)
    ld      s10, 88(sp)
    ld      s11, 96(sp)
    ld      gp, 104(sp)
    addi    sp, sp, 112
    ret

/* Where the first switch to a thread goes: s1 = entry, s2 = its argument, s0 = 0. */
    .balign 4
    .global thread_start_entry
thread_start_entry:
    mv      a0, s2
    jalr    s1
    ebreak                          /* entry must not return */
