// Entry of every program: a0 = bootstrap channel or 0, a1 = base of the vDSO, sp = top of stack.
// The image is not relocated yet; everything here is PC-relative.

    .section .text._start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    .cfi_startproc
    .cfi_undefined ra
    .option push
    .option norelax
    lla gp, __global_pointer$
    .option pop
    lla a2, _DYNAMIC
    lla a3, __ehdr_start
    andi sp, sp, -16
    mv ra, zero
    mv s0, zero
    call start_image
    unimp
    .cfi_endproc
    .size _start, . - _start

    .section .note.GNU-stack, "", @progbits
