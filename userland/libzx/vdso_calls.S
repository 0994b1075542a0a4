// The zx_* functions that programs link against. Each jumps to the vDSO through its slot in
// vdso_link_slots (vdso_link.c), with every argument register as it came.

    .set vdso_index, 0

    .macro vdso_call name
    .balign 2
    .globl zx_\name
    .weak _zx_\name
    .type zx_\name, @function
    .type _zx_\name, @function
zx_\name:
_zx_\name:
    .cfi_startproc
    ld t1, vdso_link_slots + 8 * vdso_index
    beqz t1, .Lempty_\name
    jr t1
.Lempty_\name:
    li t0, vdso_index
    j vdso_bind
    .cfi_endproc
    .size zx_\name, . - zx_\name
    .size _zx_\name, . - _zx_\name
    .set vdso_index, vdso_index + 1
    .endm

    .text
#define SYSCALL(number, name, ...)          vdso_call name
#define SYSCALL_VOID(number, name, ...)     vdso_call name
#define SYSCALL_NORETURN(number, name, ...) vdso_call name
#define VDSOCALL(name, ...)                 vdso_call name
#define VDSOCALL_NORETURN(name, ...)        vdso_call name
#include <zircon/syscalls.def>

// t0 = index in the table; finds the function and goes on into it.
    .type vdso_bind, @function
vdso_bind:
    .cfi_startproc
    addi sp, sp, -80
    .cfi_def_cfa_offset 80
    sd ra, 72(sp)
    .cfi_offset ra, -8
    sd a0, 0(sp)
    sd a1, 8(sp)
    sd a2, 16(sp)
    sd a3, 24(sp)
    sd a4, 32(sp)
    sd a5, 40(sp)
    sd a6, 48(sp)
    sd a7, 56(sp)
    mv a0, t0
    call vdso_link_resolve
    mv t1, a0
    ld a0, 0(sp)
    ld a1, 8(sp)
    ld a2, 16(sp)
    ld a3, 24(sp)
    ld a4, 32(sp)
    ld a5, 40(sp)
    ld a6, 48(sp)
    ld a7, 56(sp)
    ld ra, 72(sp)
    addi sp, sp, 80
    jr t1
    .cfi_endproc
    .size vdso_bind, . - vdso_bind

    .section .note.GNU-stack, "", @progbits
