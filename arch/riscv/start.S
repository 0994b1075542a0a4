/* The first instructions: image header, boot hart, secondary harts. Runs untranslated at whatever
 * address it was loaded to until it says otherwise, so every address is relative to the pc. */
#include "arch/riscv/csr.h"
#include "asm_offsets.h"

/* RISC-V Linux boot image header: Documentation/arch/riscv/boot-image-header.rst. */
    .section .text.start, "ax"
    .global _start
_start:
    j       boot_hart
    .balign 8
    .dword  0x200000                /* text_offset from the start of RAM */
    .dword  image_end - image_start /* image_size with .bss */
    .dword  0                       /* flags: little endian */
    .word   2                       /* version 0.2 */
    .word   0
    .dword  0
    .dword  0x5643534952            /* "RISCV" */
    .word   0x05435352              /* "RSC\x05" */
    .word   0

/* From OpenSBI or U-Boot: a0 = hart id, a1 = physical address of the device tree, no translation.
 * U-Boot leaves its own stvec, and sie may be set. */
boot_hart:
    lla     t0, early_trap
    csrw    stvec, t0
    csrw    sie, zero
    csrci   sstatus, SSTATUS_SIE
    lla     t0, boot_hart_taken
    li      t1, 1
    amoswap.w.aqrl t1, t1, (t0)
    bnez    t1, secondary_astray
    mv      s0, a0
    mv      s1, a1
    /* Firmware may keep the counters to itself: then the read traps, to right behind it. */
    li      s3, 0
    lla     t0, 1f
    csrw    stvec, t0
    csrr    s3, instret
    .balign 4
1:  lla     t0, early_trap
    csrw    stvec, t0

    lla     t0, bss_start
    lla     t1, bss_end
1:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t1, 1b

    lla     sp, boot_stack_top
    li      tp, 0
    mv      s2, sp
    lla     a0, _start
    call    boot_tables_build       /* returns the value for satp */
    lla     t1, boot_high_address
    ld      t1, 0(t1)
    j       translate

    .balign 4
boot_high:                          /* pc is a link address from here on */
    sfence.vma
    lla     sp, boot_stack_top
    lla     tp, boot_thread
    lla     t0, trap_entry
    csrw    stvec, t0
    csrw    sscratch, zero
    mv      a0, s0
    mv      a1, s1
    mv      a2, s3
    li      s0, 0
    call    boot_main

/* Loads satp (a0) and goes on at the virtual address t1: once translation is on, the next fetch
 * faults, because nothing is mapped at a physical address, and the trap goes to stvec. */
    .balign 4
translate:
    csrw    stvec, t1
    sfence.vma
    csrw    satp, a0
    nop
    nop
    lla     t0, early_trap          /* satp did not take Sv39 */
    csrw    stvec, t0
    ebreak

/* From SBI HSM: a0 = hart id, a1 = physical address of a struct hart_start, no translation. */
    .global secondary_start
    .balign 4
secondary_start:
    lla     t0, early_trap
    csrw    stvec, t0
    csrw    sie, zero
    csrci   sstatus, SSTATUS_SIE
    /* The boot hart may have given up on this one: then the stack and thread are not for it. */
    addi    t0, a1, START_STATE
    lr.w.aq t1, (t0)                /* HART_STARTING is 0 */
    bnez    t1, secondary_cancelled
    li      t2, 1                   /* HART_UP */
    sc.w.aqrl t3, t2, (t0)
    bnez    t3, secondary_start
    ld      s1, START_THREAD(a1)
    ld      s2, START_STACK_TOP(a1)
    ld      a0, START_SATP(a1)
    lla     t1, secondary_high_address
    ld      t1, 0(t1)
    j       translate

    .balign 4
secondary_high:
    sfence.vma
    mv      tp, s1
    mv      sp, s2
    lla     t0, trap_entry
    csrw    stvec, t0
    csrw    sscratch, zero
    li      s0, 0
    call    secondary_main

/* Firmware may announce a hart as started before it has stored where to (OpenSBI up to 1.2): the
 * hart then comes here, with a1 not to be trusted, while the boot hart waits for it. */
secondary_astray:
    lla     t0, start_being_used
    ld      a1, 0(t0)
    fence   r, r                    /* smp.c writes them in the other order */
    lla     t0, hart_being_started
    ld      t1, 0(t0)
    beqz    a1, secondary_cancelled
    beq     t1, a0, secondary_start

secondary_cancelled:
    li      a7, 0x48534d            /* SBI HSM hart_stop: SBI spec, "Hart State Management" */
    li      a6, 1
    ecall
1:  wfi
    j       1b

/* A trap before the kernel can handle any: says so through the firmware's console and stops. */
    .balign 4
early_trap:
    lla     s3, early_text
1:  lbu     a0, 0(s3)
    beqz    a0, 2f
    jal     s7, early_putchar
    addi    s3, s3, 1
    j       1b
2:  csrr    s4, scause
    jal     s6, early_hex
    csrr    s4, sepc
    jal     s6, early_hex
    csrr    s4, stval
    jal     s6, early_hex
    li      a0, '\n'
    jal     s7, early_putchar
3:  wfi
    j       3b

/* Prints a0: "Legacy Extensions", console putchar, or without that "Debug Console Extension",
 * console_write_byte (SBI spec). Returns to s7. */
early_putchar:
    mv      s8, a0
    li      a7, 1
    ecall
    beqz    a0, 1f
    mv      a0, s8
    li      a7, 0x4442434e
    li      a6, 2
    ecall
1:  jr      s7

early_hex:                          /* prints " " and s4 */
    li      a0, ' '
    li      s5, 64
1:  jal     s7, early_putchar
    beqz    s5, 2f
    addi    s5, s5, -4
    srl     a0, s4, s5
    andi    a0, a0, 15
    addi    a0, a0, '0'
    li      t0, '9'
    ble     a0, t0, 1b
    addi    a0, a0, 'a' - '0' - 10
    j       1b
2:  jr      s6

    .balign 8
boot_high_address:
    .dword  boot_high
secondary_high_address:
    .dword  secondary_high
early_text:
    .asciz  "\nBeryl: trap before the kernel runs (scause sepc stval):"

/* bool riscv_probe_stimecmp(void): can stimecmp be written? A device tree may say Sstc where the
 * firmware has not switched it on (menvcfg.STCE). Puts the deadline as far away as it goes.
 * Interrupts off. */
    .text
    .global riscv_probe_stimecmp
riscv_probe_stimecmp:
    csrr    t0, stvec
    lla     t1, 1f
    csrw    stvec, t1
    li      t2, -1
    li      a0, 0
    csrw    CSR_STIMECMP, t2
    li      a0, 1
    .balign 4
1:  csrw    stvec, t0
    ret

/* Set by the first hart that comes to _start; not in .bss, which that hart clears. */
    .data
    .balign 4
boot_hart_taken:
    .word   0

/* What tp points to until the scheduler brings the first struct thread: all zero. */
    .bss
    .balign 64
    .global boot_thread
boot_thread:
    .zero   2048
