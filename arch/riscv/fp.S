/* Floating-point registers of user threads. The kernel is assembled for harts without F and D, so
 * the instructions are spelled by format: Unprivileged spec, "RV32/64G Instruction Set Listings".
 * sstatus.FS must not be Off. */
#include "asm_offsets.h"

#define FSD(reg, offset) .insn s 0x27, 3, x##reg, offset(a0)    /* fsd f, offset(a0) */
#define FLD(reg, offset) .insn i 0x07, 3, x##reg, offset(a0)    /* fld f, offset(a0) */
#define FZERO(reg)       .insn r 0x53, 0, 0x79, x##reg, x0, x0  /* fmv.d.x f, x0 */

    .text

/* void fp_save(struct arch_fp_state *) */
    .balign 4
    .global fp_save
fp_save:
    FSD(0, 0)
    FSD(1, 8)
    FSD(2, 16)
    FSD(3, 24)
    FSD(4, 32)
    FSD(5, 40)
    FSD(6, 48)
    FSD(7, 56)
    FSD(8, 64)
    FSD(9, 72)
    FSD(10, 80)
    FSD(11, 88)
    FSD(12, 96)
    FSD(13, 104)
    FSD(14, 112)
    FSD(15, 120)
    FSD(16, 128)
    FSD(17, 136)
    FSD(18, 144)
    FSD(19, 152)
    FSD(20, 160)
    FSD(21, 168)
    FSD(22, 176)
    FSD(23, 184)
    FSD(24, 192)
    FSD(25, 200)
    FSD(26, 208)
    FSD(27, 216)
    FSD(28, 224)
    FSD(29, 232)
    FSD(30, 240)
    FSD(31, 248)
    csrr    t0, 3                   /* fcsr */
    sw      t0, FP_FCSR(a0)
    ret

/* void fp_load(const struct arch_fp_state *) */
    .balign 4
    .global fp_load
fp_load:
    FLD(0, 0)
    FLD(1, 8)
    FLD(2, 16)
    FLD(3, 24)
    FLD(4, 32)
    FLD(5, 40)
    FLD(6, 48)
    FLD(7, 56)
    FLD(8, 64)
    FLD(9, 72)
    FLD(10, 80)
    FLD(11, 88)
    FLD(12, 96)
    FLD(13, 104)
    FLD(14, 112)
    FLD(15, 120)
    FLD(16, 128)
    FLD(17, 136)
    FLD(18, 144)
    FLD(19, 152)
    FLD(20, 160)
    FLD(21, 168)
    FLD(22, 176)
    FLD(23, 184)
    FLD(24, 192)
    FLD(25, 200)
    FLD(26, 208)
    FLD(27, 216)
    FLD(28, 224)
    FLD(29, 232)
    FLD(30, 240)
    FLD(31, 248)
    lwu     t0, FP_FCSR(a0)
    csrw    3, t0
    ret

/* void fp_zero(void) */
    .balign 4
    .global fp_zero
fp_zero:
    FZERO(0)
    FZERO(1)
    FZERO(2)
    FZERO(3)
    FZERO(4)
    FZERO(5)
    FZERO(6)
    FZERO(7)
    FZERO(8)
    FZERO(9)
    FZERO(10)
    FZERO(11)
    FZERO(12)
    FZERO(13)
    FZERO(14)
    FZERO(15)
    FZERO(16)
    FZERO(17)
    FZERO(18)
    FZERO(19)
    FZERO(20)
    FZERO(21)
    FZERO(22)
    FZERO(23)
    FZERO(24)
    FZERO(25)
    FZERO(26)
    FZERO(27)
    FZERO(28)
    FZERO(29)
    FZERO(30)
    FZERO(31)
    csrw    3, zero
    ret
