/* See fresh_thread.h. a0: struct first_registers, whose x has no place for x0. */

    .text
    .globl fresh_thread
    .type fresh_thread, @function
fresh_thread:
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, 8 * (\n - 1)(a0)
    .endr
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\n, 248 + 8 * \n(a0)
    .endr
    frcsr t0
    sd t0, 504(a0)
    fence rw, rw
    li t0, 1
    sw t0, 512(a0)
    call zx_thread_exit
    .size fresh_thread, . - fresh_thread
