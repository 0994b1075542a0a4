/* double hold_in_fs5(double value, int *is_ready, int *stop): see hold_register.h. */

    .text
    .globl hold_in_fs5
    .type hold_in_fs5, @function
hold_in_fs5:
    addi sp, sp, -16
    fsd fs5, 0(sp)
    fmv.d fs5, fa0
    li t0, 1
    fence rw, rw
    sw t0, 0(a0)
1:
    lw t0, 0(a1)
    beqz t0, 1b
    fmv.d fa0, fs5
    fld fs5, 0(sp)
    addi sp, sp, 16
    ret
    .size hold_in_fs5, . - hold_in_fs5
