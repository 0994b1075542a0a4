/* Registers before and after: see registers.h. */

    .text
    .macro save_callee
    addi sp, sp, -224
    sd ra, 0(sp)
    sd s0, 8(sp)
    sd s1, 16(sp)
    sd s2, 24(sp)
    sd s3, 32(sp)
    sd s4, 40(sp)
    sd s5, 48(sp)
    sd s6, 56(sp)
    sd s7, 64(sp)
    sd s8, 72(sp)
    sd s9, 80(sp)
    sd s10, 88(sp)
    sd s11, 96(sp)
    fsd fs0, 104(sp)
    fsd fs1, 112(sp)
    fsd fs2, 120(sp)
    fsd fs3, 128(sp)
    fsd fs4, 136(sp)
    fsd fs5, 144(sp)
    fsd fs6, 152(sp)
    fsd fs7, 160(sp)
    fsd fs8, 168(sp)
    fsd fs9, 176(sp)
    fsd fs10, 184(sp)
    fsd fs11, 192(sp)
    .endm
    .macro restore_callee
    ld ra, 0(sp)
    ld s0, 8(sp)
    ld s1, 16(sp)
    ld s2, 24(sp)
    ld s3, 32(sp)
    ld s4, 40(sp)
    ld s5, 48(sp)
    ld s6, 56(sp)
    ld s7, 64(sp)
    ld s8, 72(sp)
    ld s9, 80(sp)
    ld s10, 88(sp)
    ld s11, 96(sp)
    fld fs0, 104(sp)
    fld fs1, 112(sp)
    fld fs2, 120(sp)
    fld fs3, 128(sp)
    fld fs4, 136(sp)
    fld fs5, 144(sp)
    fld fs6, 152(sp)
    fld fs7, 160(sp)
    fld fs8, 168(sp)
    fld fs9, 176(sp)
    fld fs10, 184(sp)
    fld fs11, 192(sp)
    addi sp, sp, 224
    .endm

/* a0 = seed, a1 = iterations. Register number n holds seed + n; a1 counts; a0 holds the seed. */
    .globl registers_survive
    .type registers_survive, @function
registers_survive:
    save_callee
    addi t0, a0, 100
    fmv.d.x f0, t0
    addi t0, a0, 101
    fmv.d.x f1, t0
    addi t0, a0, 102
    fmv.d.x f2, t0
    addi t0, a0, 103
    fmv.d.x f3, t0
    addi t0, a0, 104
    fmv.d.x f4, t0
    addi t0, a0, 105
    fmv.d.x f5, t0
    addi t0, a0, 106
    fmv.d.x f6, t0
    addi t0, a0, 107
    fmv.d.x f7, t0
    addi t0, a0, 108
    fmv.d.x f8, t0
    addi t0, a0, 109
    fmv.d.x f9, t0
    addi t0, a0, 110
    fmv.d.x f10, t0
    addi t0, a0, 111
    fmv.d.x f11, t0
    addi t0, a0, 112
    fmv.d.x f12, t0
    addi t0, a0, 113
    fmv.d.x f13, t0
    addi t0, a0, 114
    fmv.d.x f14, t0
    addi t0, a0, 115
    fmv.d.x f15, t0
    addi t0, a0, 116
    fmv.d.x f16, t0
    addi t0, a0, 117
    fmv.d.x f17, t0
    addi t0, a0, 118
    fmv.d.x f18, t0
    addi t0, a0, 119
    fmv.d.x f19, t0
    addi t0, a0, 120
    fmv.d.x f20, t0
    addi t0, a0, 121
    fmv.d.x f21, t0
    addi t0, a0, 122
    fmv.d.x f22, t0
    addi t0, a0, 123
    fmv.d.x f23, t0
    addi t0, a0, 124
    fmv.d.x f24, t0
    addi t0, a0, 125
    fmv.d.x f25, t0
    addi t0, a0, 126
    fmv.d.x f26, t0
    addi t0, a0, 127
    fmv.d.x f27, t0
    addi t0, a0, 128
    fmv.d.x f28, t0
    addi t0, a0, 129
    fmv.d.x f29, t0
    addi t0, a0, 130
    fmv.d.x f30, t0
    addi t0, a0, 131
    fmv.d.x f31, t0
    addi ra, a0, 1
    addi t0, a0, 2
    addi t1, a0, 3
    addi t2, a0, 4
    addi s0, a0, 5
    addi s1, a0, 6
    addi a2, a0, 7
    addi a3, a0, 8
    addi a4, a0, 9
    addi a5, a0, 10
    addi a6, a0, 11
    addi a7, a0, 12
    addi s2, a0, 13
    addi s3, a0, 14
    addi s4, a0, 15
    addi s5, a0, 16
    addi s6, a0, 17
    addi s7, a0, 18
    addi s8, a0, 19
    addi s9, a0, 20
    addi s10, a0, 21
    addi s11, a0, 22
    addi t3, a0, 23
    addi t4, a0, 24
    addi t5, a0, 25
    addi t6, a0, 26
1:
    addi a1, a1, -1
    bnez a1, 1b
    sub ra, ra, a0
    addi ra, ra, -1
    snez ra, ra
    add a1, a1, ra
    sub t0, t0, a0
    addi t0, t0, -2
    snez t0, t0
    add a1, a1, t0
    sub t1, t1, a0
    addi t1, t1, -3
    snez t1, t1
    add a1, a1, t1
    sub t2, t2, a0
    addi t2, t2, -4
    snez t2, t2
    add a1, a1, t2
    sub s0, s0, a0
    addi s0, s0, -5
    snez s0, s0
    add a1, a1, s0
    sub s1, s1, a0
    addi s1, s1, -6
    snez s1, s1
    add a1, a1, s1
    sub a2, a2, a0
    addi a2, a2, -7
    snez a2, a2
    add a1, a1, a2
    sub a3, a3, a0
    addi a3, a3, -8
    snez a3, a3
    add a1, a1, a3
    sub a4, a4, a0
    addi a4, a4, -9
    snez a4, a4
    add a1, a1, a4
    sub a5, a5, a0
    addi a5, a5, -10
    snez a5, a5
    add a1, a1, a5
    sub a6, a6, a0
    addi a6, a6, -11
    snez a6, a6
    add a1, a1, a6
    sub a7, a7, a0
    addi a7, a7, -12
    snez a7, a7
    add a1, a1, a7
    sub s2, s2, a0
    addi s2, s2, -13
    snez s2, s2
    add a1, a1, s2
    sub s3, s3, a0
    addi s3, s3, -14
    snez s3, s3
    add a1, a1, s3
    sub s4, s4, a0
    addi s4, s4, -15
    snez s4, s4
    add a1, a1, s4
    sub s5, s5, a0
    addi s5, s5, -16
    snez s5, s5
    add a1, a1, s5
    sub s6, s6, a0
    addi s6, s6, -17
    snez s6, s6
    add a1, a1, s6
    sub s7, s7, a0
    addi s7, s7, -18
    snez s7, s7
    add a1, a1, s7
    sub s8, s8, a0
    addi s8, s8, -19
    snez s8, s8
    add a1, a1, s8
    sub s9, s9, a0
    addi s9, s9, -20
    snez s9, s9
    add a1, a1, s9
    sub s10, s10, a0
    addi s10, s10, -21
    snez s10, s10
    add a1, a1, s10
    sub s11, s11, a0
    addi s11, s11, -22
    snez s11, s11
    add a1, a1, s11
    sub t3, t3, a0
    addi t3, t3, -23
    snez t3, t3
    add a1, a1, t3
    sub t4, t4, a0
    addi t4, t4, -24
    snez t4, t4
    add a1, a1, t4
    sub t5, t5, a0
    addi t5, t5, -25
    snez t5, t5
    add a1, a1, t5
    sub t6, t6, a0
    addi t6, t6, -26
    snez t6, t6
    add a1, a1, t6
    fmv.x.d t0, f0
    sub t0, t0, a0
    addi t0, t0, -100
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f1
    sub t0, t0, a0
    addi t0, t0, -101
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f2
    sub t0, t0, a0
    addi t0, t0, -102
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f3
    sub t0, t0, a0
    addi t0, t0, -103
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f4
    sub t0, t0, a0
    addi t0, t0, -104
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f5
    sub t0, t0, a0
    addi t0, t0, -105
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f6
    sub t0, t0, a0
    addi t0, t0, -106
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f7
    sub t0, t0, a0
    addi t0, t0, -107
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f8
    sub t0, t0, a0
    addi t0, t0, -108
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f9
    sub t0, t0, a0
    addi t0, t0, -109
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f10
    sub t0, t0, a0
    addi t0, t0, -110
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f11
    sub t0, t0, a0
    addi t0, t0, -111
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f12
    sub t0, t0, a0
    addi t0, t0, -112
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f13
    sub t0, t0, a0
    addi t0, t0, -113
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f14
    sub t0, t0, a0
    addi t0, t0, -114
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f15
    sub t0, t0, a0
    addi t0, t0, -115
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f16
    sub t0, t0, a0
    addi t0, t0, -116
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f17
    sub t0, t0, a0
    addi t0, t0, -117
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f18
    sub t0, t0, a0
    addi t0, t0, -118
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f19
    sub t0, t0, a0
    addi t0, t0, -119
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f20
    sub t0, t0, a0
    addi t0, t0, -120
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f21
    sub t0, t0, a0
    addi t0, t0, -121
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f22
    sub t0, t0, a0
    addi t0, t0, -122
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f23
    sub t0, t0, a0
    addi t0, t0, -123
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f24
    sub t0, t0, a0
    addi t0, t0, -124
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f25
    sub t0, t0, a0
    addi t0, t0, -125
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f26
    sub t0, t0, a0
    addi t0, t0, -126
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f27
    sub t0, t0, a0
    addi t0, t0, -127
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f28
    sub t0, t0, a0
    addi t0, t0, -128
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f29
    sub t0, t0, a0
    addi t0, t0, -129
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f30
    sub t0, t0, a0
    addi t0, t0, -130
    snez t0, t0
    add a1, a1, t0
    fmv.x.d t0, f31
    sub t0, t0, a0
    addi t0, t0, -131
    snez t0, t0
    add a1, a1, t0
    mv a0, a1
    restore_callee
    ret
    .size registers_survive, . - registers_survive

/* a0 = result, a1 = address of the ecall, a2 = number, a3 = arguments */
    .globl raw_syscall
    .type raw_syscall, @function
raw_syscall:
    save_callee
    addi sp, sp, -32
    sd a0, 0(sp)
    sd gp, 8(sp)
    sd tp, 16(sp)
    sd sp, 24(sp)
    mv t1, a1
    mv t0, a2
    mv t2, a3
    li s0, 4352
    li s1, 4353
    li s2, 4354
    li s3, 4355
    li s4, 4356
    li s5, 4357
    li s6, 4358
    li s7, 4359
    li s8, 4360
    li s9, 4361
    li s10, 4362
    li s11, 4363
    li t3, 0x3333
    li t4, 0x4444
    li t5, 0x5555
    li t6, 0x6666
    ld a0, 0(t2)
    ld a1, 8(t2)
    ld a2, 16(t2)
    ld a3, 24(t2)
    ld a4, 32(t2)
    ld a5, 40(t2)
    ld a6, 48(t2)
    ld a7, 56(t2)
    jalr ra, t1
2:
    addi sp, sp, -16
    sd t0, 0(sp)
    ld t0, 16(sp)
    sd a0, 0(t0)
    sd a1, 8(t0)
    sd a2, 16(t0)
    sd a3, 24(t0)
    sd a4, 32(t0)
    sd a5, 40(t0)
    sd a6, 48(t0)
    sd a7, 56(t0)
    ld a0, 0(sp)
    addi sp, sp, 16
    sd a0, 64(t0)
    sd t1, 72(t0)
    sd t2, 80(t0)
    sd t3, 88(t0)
    sd t4, 96(t0)
    sd t5, 104(t0)
    sd t6, 112(t0)
    lla a1, 2b
    sub a1, a1, ra
    seqz a1, a1
    sd a1, 120(t0)
    li a1, 0
    li a2, 4352
    sub a2, a2, s0
    snez a2, a2
    add a1, a1, a2
    li a2, 4353
    sub a2, a2, s1
    snez a2, a2
    add a1, a1, a2
    li a2, 4354
    sub a2, a2, s2
    snez a2, a2
    add a1, a1, a2
    li a2, 4355
    sub a2, a2, s3
    snez a2, a2
    add a1, a1, a2
    li a2, 4356
    sub a2, a2, s4
    snez a2, a2
    add a1, a1, a2
    li a2, 4357
    sub a2, a2, s5
    snez a2, a2
    add a1, a1, a2
    li a2, 4358
    sub a2, a2, s6
    snez a2, a2
    add a1, a1, a2
    li a2, 4359
    sub a2, a2, s7
    snez a2, a2
    add a1, a1, a2
    li a2, 4360
    sub a2, a2, s8
    snez a2, a2
    add a1, a1, a2
    li a2, 4361
    sub a2, a2, s9
    snez a2, a2
    add a1, a1, a2
    li a2, 4362
    sub a2, a2, s10
    snez a2, a2
    add a1, a1, a2
    li a2, 4363
    sub a2, a2, s11
    snez a2, a2
    add a1, a1, a2
    ld a2, 8(sp)
    sub a2, a2, gp
    snez a2, a2
    add a1, a1, a2
    ld a2, 16(sp)
    sub a2, a2, tp
    snez a2, a2
    add a1, a1, a2
    ld a2, 24(sp)
    sub a2, a2, sp
    snez a2, a2
    add a1, a1, a2
    sd a1, 128(t0)
    addi sp, sp, 32
    restore_callee
    ret
    .size raw_syscall, . - raw_syscall

    .globl own_ecall
    .balign 4
own_ecall:
    ecall
    ret

    .section .note.GNU-stack, "", @progbits
