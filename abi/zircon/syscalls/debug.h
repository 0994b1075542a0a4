// Register sets of zx_thread_read_state and zx_thread_write_state.
#ifndef ZIRCON_SYSCALLS_DEBUG_H_
#define ZIRCON_SYSCALLS_DEBUG_H_

#include <stdint.h>
#include <zircon/compiler.h>

__BEGIN_CDECLS

typedef struct zx_riscv64_thread_state_general_regs {
    uint64_t pc; // in the place of x0; the others follow in the order x1..x31
    uint64_t ra, sp, gp, tp;
    uint64_t t0, t1, t2;
    uint64_t s0, s1;
    uint64_t a0, a1, a2, a3, a4, a5, a6, a7;
    uint64_t s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
    uint64_t t3, t4, t5, t6;
} zx_riscv64_thread_state_general_regs_t;

ZX_ASSERT_SIZE(zx_riscv64_thread_state_general_regs_t, 256);

// Each register is 128 bits wide; narrower values are NaN-boxed.
typedef struct zx_riscv64_thread_state_fp_regs {
    __ALIGNED(16) struct {
        uint64_t low;
        uint64_t high;
    } q[32];
    uint32_t fcsr;
    uint32_t reserved[3];
} zx_riscv64_thread_state_fp_regs_t;

ZX_ASSERT_SIZE(zx_riscv64_thread_state_fp_regs_t, 528);

typedef struct zx_riscv64_thread_state_vector_regs {
    struct {
        uint8_t contents[16];
    } v[32];
    uint64_t vcsr;
    uint64_t vstart;
    uint64_t vl;
    uint64_t vtype;
} zx_riscv64_thread_state_vector_regs_t;

typedef struct zx_riscv64_thread_state_debug_regs {
    uint32_t unused;
} zx_riscv64_thread_state_debug_regs_t;

typedef zx_riscv64_thread_state_general_regs_t zx_thread_state_general_regs_t;
typedef zx_riscv64_thread_state_fp_regs_t zx_thread_state_fp_regs_t;
typedef zx_riscv64_thread_state_vector_regs_t zx_thread_state_vector_regs_t;
typedef zx_riscv64_thread_state_debug_regs_t zx_thread_state_debug_regs_t;
typedef uint32_t zx_thread_state_single_step_t;

typedef uint32_t zx_thread_state_topic_t;
#define ZX_THREAD_STATE_GENERAL_REGS ((zx_thread_state_topic_t)0)
#define ZX_THREAD_STATE_FP_REGS      ((zx_thread_state_topic_t)1)
#define ZX_THREAD_STATE_VECTOR_REGS  ((zx_thread_state_topic_t)2)
#define ZX_THREAD_STATE_DEBUG_REGS   ((zx_thread_state_topic_t)4)
#define ZX_THREAD_STATE_SINGLE_STEP  ((zx_thread_state_topic_t)5)

__END_CDECLS

#endif // ZIRCON_SYSCALLS_DEBUG_H_
