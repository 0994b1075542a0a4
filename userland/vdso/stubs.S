// The way into the kernel: one stub for each row of the table. The call's number goes in t0, since
// all of a0..a7 may carry arguments; the result comes back in a0. The kernel preserves sp, gp, tp,
// ra and s0..s11 and returns every other integer register as zero.

#include <zircon/errors.h>

#include "abi/vdso_constants.h"

    .macro vdso_begin name
    .balign 2
    .globl \name
    .type \name, @function
\name:
    .cfi_startproc
    .endm

    .macro vdso_end name
    .cfi_endproc
    .size \name, . - \name
    .endm

    .macro vdso_stub name, number
    vdso_begin \name
    .ifdef sleeps_\name
    vdso_restarting_call \number
    .else
    .ifdef answers_\name
    vdso_finishing_call \number
    .else
    li t0, \number
    ecall
    ret
    .endif
    .endif
    vdso_end \name
    .endm

// A suspension ends the sleep of a call inside the kernel. The kernel then answers
// ZX_ERR_INTERNAL_INTR_RETRY, once the thread goes on, and the call is made again: deadlines are
// absolute, so nothing is lost by that.
    .macro vdso_restarting_call number
    addi sp, sp, -32
    .cfi_def_cfa_offset 32
    sd a0, 0(sp)
    sd a1, 8(sp)
    sd a2, 16(sp)
    sd a3, 24(sp)
1:  li t0, \number
    ecall
    li t1, ZX_ERR_INTERNAL_INTR_RETRY
    bne a0, t1, 2f
    ld a0, 0(sp)
    ld a1, 8(sp)
    ld a2, 16(sp)
    ld a3, 24(sp)
    j 1b
2:  addi sp, sp, 32
    .cfi_def_cfa_offset 0
    ret
    .endm

// The same for a call that has sent something by then: it is told to finish, by its second
// argument. The first is not needed for that.
    .macro vdso_finishing_call number
    addi sp, sp, -32
    .cfi_def_cfa_offset 32
    sd a2, 0(sp)
    sd a3, 8(sp)
    sd a4, 16(sp)
    sd a5, 24(sp)
1:  li t0, \number
    ecall
    li t1, ZX_ERR_INTERNAL_INTR_RETRY
    bne a0, t1, 2f
    li a1, CHANNEL_CALL_FINISH
    ld a2, 0(sp)
    ld a3, 8(sp)
    ld a4, 16(sp)
    ld a5, 24(sp)
    j 1b
2:  addi sp, sp, 32
    .cfi_def_cfa_offset 0
    ret
    .endm

    .equ answers_zx_channel_call, 1
    .equ answers_zx_channel_call_etc, 1

// The calls that sleep, each with at most four arguments.
    .equ sleeps_zx_object_wait_one, 1
    .equ sleeps_zx_object_wait_many, 1
    .equ sleeps_zx_port_wait, 1
    .equ sleeps_zx_futex_wait, 1
    .equ sleeps_zx_nanosleep, 1
    .equ sleeps_zx_debug_read, 1
    .equ sleeps_zx_interrupt_wait, 1

#define SYSCALL(number, name, ...)          .equ SYS_##name, number
#define SYSCALL_VOID(number, name, ...)     .equ SYS_##name, number
#define SYSCALL_NORETURN(number, name, ...) .equ SYS_##name, number
#include <zircon/syscalls.def>

    .text
#define SYSCALL(number, name, ...)          vdso_stub zx_##name, number
#define SYSCALL_VOID(number, name, ...)     vdso_stub zx_##name, number
#define SYSCALL_NORETURN(number, name, ...) vdso_stub zx_##name, number
#include <zircon/syscalls.def>

// The last acts of a thread whose stack or whose own bookkeeping goes away: no stack is touched
// after the first step has succeeded.

// a0 futex, a1 count, a2 new value, a3 handle to close or 0
    vdso_begin zx_futex_wake_handle_close_thread_exit
    mv s0, a3
    fence rw, w
    sw a2, 0(a0)
    li t0, SYS_futex_wake
    ecall
    j vdso_close_exit
    vdso_end zx_futex_wake_handle_close_thread_exit

// a0 region, a1 address, a2 size, a3 handle to close or 0; returns only when unmapping failed
    vdso_begin zx_vmar_unmap_handle_close_thread_exit
    addi sp, sp, -16
    sd s0, 0(sp)
    mv s0, a3
    li t0, SYS_vmar_unmap
    ecall
    beqz a0, vdso_close_exit
    ld s0, 0(sp)
    addi sp, sp, 16
    ret
    vdso_end zx_vmar_unmap_handle_close_thread_exit

    .type vdso_close_exit, @function
vdso_close_exit:
    mv a0, s0
    li t0, SYS_handle_close
    ecall
    li t0, SYS_thread_exit
    ecall
    unimp
    .size vdso_close_exit, . - vdso_close_exit

    .section .note.GNU-stack, "", @progbits
