/* The only code that runs with SUM, the permission to touch user pages. These are leaf functions
 * without a frame: a fault anywhere between the marks that cannot be resolved goes on at
 * user_access_failed, which returns ZX_ERR_INVALID_ARGS to the caller (trap.c). */
#include "arch/riscv/csr.h"
#include "asm_offsets.h"

    .text
    .global user_access_begin, user_access_end
    .global user_nofault_begin, user_nofault_end
    .global user_access_failed

    .balign 4
user_access_begin:

/* zx_status_t arch_copy_from_user(void *dst, uintptr_t src_user, size_t len_bytes) */
    .global arch_copy_from_user
arch_copy_from_user:
    mv      t0, a1
    j       1f

/* zx_status_t arch_copy_to_user(uintptr_t dst_user, const void *src, size_t len_bytes) */
    .global arch_copy_to_user
arch_copy_to_user:
    mv      t0, a0
1:  beqz    a2, user_nothing_to_do
    add     t1, t0, a2              /* user_range_is_valid */
    li      t2, USER_TOP
    bltu    t1, t0, user_range_bad
    bltu    t2, t1, user_range_bad
    li      t6, SSTATUS_SUM
    csrs    sstatus, t6
    add     t5, a0, a2              /* end of dst */
    or      t0, a0, a1
    or      t0, t0, a2
    andi    t0, t0, 7
    bnez    t0, 4f                  /* not in whole words */
    li      t4, 64
    bgeu    a2, t4, 2f
1:  ld      t1, 0(a1)
    addi    a1, a1, 8
    sd      t1, 0(a0)
    addi    a0, a0, 8
    bltu    a0, t5, 1b
    csrc    sstatus, t6
    li      a0, 0
    ret

4:  xor     t0, a0, a1
    andi    t0, t0, 7
    bnez    t0, 4f                  /* can never both be aligned */

1:  andi    t0, a0, 7               /* bytes up to alignment */
    beqz    t0, 2f
    bgeu    a0, t5, 6f
    lbu     t1, 0(a1)
    sb      t1, 0(a0)
    addi    a0, a0, 1
    addi    a1, a1, 1
    j       1b

2:  sub     t0, t5, a0              /* 64 bytes a turn */
    li      t4, 64
    bltu    t0, t4, 3f
    ld      t0, 0(a1)
    ld      t1, 8(a1)
    ld      t2, 16(a1)
    ld      t3, 24(a1)
    ld      a3, 32(a1)
    ld      a4, 40(a1)
    ld      a5, 48(a1)
    ld      a6, 56(a1)
    sd      t0, 0(a0)
    sd      t1, 8(a0)
    sd      t2, 16(a0)
    sd      t3, 24(a0)
    sd      a3, 32(a0)
    sd      a4, 40(a0)
    sd      a5, 48(a0)
    sd      a6, 56(a0)
    addi    a0, a0, 64
    addi    a1, a1, 64
    j       2b

3:  sub     t0, t5, a0              /* 8 bytes a turn */
    li      t4, 8
    bltu    t0, t4, 5f
    ld      t0, 0(a1)
    sd      t0, 0(a0)
    addi    a0, a0, 8
    addi    a1, a1, 8
    j       3b

4:  sub     t0, t5, a0              /* misaligned to each other: 4 bytes in flight a turn */
    li      t4, 4
    bltu    t0, t4, 5f
    lbu     t0, 0(a1)
    lbu     t1, 1(a1)
    lbu     t2, 2(a1)
    lbu     t3, 3(a1)
    sb      t0, 0(a0)
    sb      t1, 1(a0)
    sb      t2, 2(a0)
    sb      t3, 3(a0)
    addi    a0, a0, 4
    addi    a1, a1, 4
    j       4b

5:  bgeu    a0, t5, 6f              /* the rest */
    lbu     t1, 0(a1)
    sb      t1, 0(a0)
    addi    a0, a0, 1
    addi    a1, a1, 1
    j       5b

6:  csrc    sstatus, t6
    li      a0, 0
    ret

/* zx_status_t arch_store_user_u32(uintptr_t dst_user, uint32_t value); an address that is not
 * aligned goes the long way. */
    .global arch_store_user_u32
arch_store_user_u32:
    andi    t0, a0, 3
    bnez    t0, user_store_u32_unaligned
    srli    t0, a0, USER_TOP_SHIFT
    bnez    t0, user_range_bad
    li      t6, SSTATUS_SUM
    csrs    sstatus, t6
    sw      a1, 0(a0)
    csrc    sstatus, t6
    li      a0, 0
    ret

/* long user_load_u32(const uint32_t *src_user, uint32_t *out) */
    .global user_load_u32
user_load_u32:
    li      t6, SSTATUS_SUM
    csrs    sstatus, t6
    lw      t0, 0(a0)
    csrc    sstatus, t6
    sw      t0, 0(a1)
    li      a0, 0
    ret

/* long user_probe_write(uint32_t *dst_user): a store that changes nothing, whoever else stores. */
    .global user_probe_write
user_probe_write:
    li      t6, SSTATUS_SUM
    csrs    sstatus, t6
    amoor.w zero, zero, (a0)
    csrc    sstatus, t6
    li      a0, 0
    ret
user_access_end:

/* long user_load_u32_nofault(const uint32_t *src_user, uint32_t *out): faults are not resolved. */
user_nofault_begin:
    .global user_load_u32_nofault
user_load_u32_nofault:
    li      t6, SSTATUS_SUM
    csrs    sstatus, t6
    lw      t0, 0(a0)
    csrc    sstatus, t6
    sw      t0, 0(a1)
    li      a0, 0
    ret
user_nofault_end:

user_access_failed:
    li      t6, SSTATUS_SUM
    csrc    sstatus, t6
user_range_bad:
    li      a0, STATUS_INVALID_ARGS
    ret
user_nothing_to_do:
    li      a0, 0
    ret
