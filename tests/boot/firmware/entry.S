/* Entry, trap vector and hand-over of the test firmware; what it is: firmware.c. */
#define STACK_BYTES 0x1000
#define FRAME_BYTES 256                 /* x0..x31 */
#define HARTS       8

    .section .text.entry, "ax"
    .global _start
/* From QEMU's reset vector: a0 = hart id, a1 = device tree. */
_start:
    li      t0, HARTS
    bgeu    a0, t0, park
    lla     t0, stacks
    li      t1, STACK_BYTES
    addi    t2, a0, 1
    mul     t1, t1, t2
    add     sp, t0, t1
    csrw    mscratch, sp
    lla     t0, trap
    csrw    mtvec, t0
    call    firmware_main
    .global park
park:
    csrw    mie, zero
1:  wfi
    j       1b

/* Hart state management: to the waiting room of a hart, from wherever it is. */
    .global firmware_stop
firmware_stop:
    csrr    t0, mhartid
    addi    t0, t0, 1
    lla     sp, stacks
    li      t1, STACK_BYTES
    mul     t1, t1, t0
    add     sp, sp, t1
    csrw    mscratch, sp
    call    firmware_wait
    j       park

/* Saves all registers on the hart's stack, calls firmware_trap(frame), restores them. */
    .balign 4
trap:
    csrrw   sp, mscratch, sp
    addi    sp, sp, -FRAME_BYTES
    sd      x1, 8(sp)
    .irp    n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd      x\n, \n*8(sp)
    .endr
    csrr    t0, mscratch
    sd      t0, 16(sp)
    addi    t0, sp, FRAME_BYTES
    csrw    mscratch, t0
    mv      a0, sp
    call    firmware_trap
    ld      x1, 8(sp)
    .irp    n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld      x\n, \n*8(sp)
    .endr
    ld      sp, 16(sp)
    mret

/* firmware_enter_kernel(hart, tree, garbage): mret with nothing but garbage in the other
 * registers. */
    .global firmware_enter_kernel
firmware_enter_kernel:
    mv      x31, a2
    .irp    n, 1,2,3,4,5,6,7,8,9,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    slli    x\n, x31, 7
    addi    x31, x31, \n*37
    xor     x\n, x\n, x31
    .endr
    mret

    .bss
    .balign 16
stacks:
    .zero   STACK_BYTES * HARTS
