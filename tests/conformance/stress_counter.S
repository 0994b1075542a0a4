/* The code of a victim thread. a0: a word to count in, for ever, by lr/sc; a1: any number. Both are
 * kept in floating-point registers and compared every time: one that does not survive a switch ends
 * in a fault. */
    .text
    .balign 4
    .global stress_counter
    .hidden stress_counter
    .type   stress_counter, @function
stress_counter:
    fmv.d.x fs0, a1
    fmv.d.x ft3, a0
1:  lr.w    t0, (a0)
    addi    t0, t0, 1
    sc.w    t1, t0, (a0)
    fmv.x.d t2, fs0
    bne     t2, a1, 2f
    fmv.x.d t2, ft3
    bne     t2, a0, 2f
    j       1b
2:  sw      zero, 0(zero)
    .size stress_counter, . - stress_counter
