/* RISC-V: the types and inline functions that arch/arch.h and arch/mmu.h promise. */
#pragma once

#include "kernel/lib/compiler.h"

/* ---- Kernel half of Sv39 (docs: arch/riscv/sv39.h explains the table indexes) ---- */
#define LINEAR_BASE          0xffffffc000000000ul /* RAM, up to 192 GiB of it */
#define LINEAR_BYTES         (192ul << 30)
#define PAGE_ARRAY_BASE      0xfffffff000000000ul /* struct page */
#define PAGE_ARRAY_MAX_BYTES (32ul << 30)
#define KERNEL_STACKS_BASE   0xfffffff800000000ul /* kernel stacks and their guard pages */
#define KERNEL_STACKS_BYTES  (4ul << 30)
#define KERNEL_MMIO_BASE     0xfffffff900000000ul /* device registers */
#define KERNEL_MMIO_BYTES    (4ul << 30)
#define KERNEL_IMAGE_BASE    0xffffffff80000000ul /* the image is linked in here: kernel.ld */

/* ---- Threads ---- */

/* Registers f0..f31 and fcsr of a thread that is not running. */
struct arch_fp_state {
    uint64_t f[32];
    uint32_t fcsr;
};

/* Does the thread own floating-point state? Not before its first FP instruction, which traps
 * because sstatus.FS is Off until then. */
enum arch_fp_mode { ARCH_FP_UNUSED, ARCH_FP_LIVE };

/* Assembly knows the fields through offsets.c. All but work_pending belong to the running thread
 * and to whoever switches it, with interrupts off. */
struct arch_thread {
    uint64_t kernel_sp;        /* while not running: where switch.S left the registers */
    uint64_t kernel_stack_top; /* the stack is KERNEL_STACK_BYTES below */
    uint64_t user_frame;       /* where the registers go on entry from user mode: below the top */
    uint64_t user_sp;          /* of a thread in a system call */
    uint64_t scratch;          /* scratch of the trap entry from kernel mode */
    uint64_t syscall_base;     /* ecall is accepted at pc in [base, base + bytes) */
    uint64_t syscall_bytes;
    uint32_t work_pending; /* atomic; see upcall_user_return */
    uint32_t hart_index;   /* where it runs, or ran last */
    uint32_t fp_mode;      /* enum arch_fp_mode */
    int32_t fp_hart;       /* the hart whose FP registers may still hold |fp|; -1 none */
    struct arch_fp_state fp;
};

/* ---- Address spaces ---- */

struct page;

/* A root table and where it is live. tlb.c explains the masks. */
struct arch_aspace {
    uint64_t lock[2]; /* struct spinlock, rank PAGE_TABLE: guards the tables, count_tables and
                         last_* */
    uint64_t *root;
    uint64_t satp; /* for the root, without an ASID */
    uint64_t count_tables;
    uint64_t last_block; /* the 2 MiB, by number, that the table last written to is for; -1: none */
    uint64_t *last_table;
    struct page *last_page;    /* of that table */
    hart_mask_t active;        /* atomic: harts that have it in satp */
    hart_mask_t tlb_stale;     /* atomic: harts that must fence before they use it again */
    hart_mask_t icache_stale;  /* atomic: harts that must fence.i before they use it again */
    uint64_t asids[MAX_HARTS]; /* each hart's own: generation << 16 | ASID */
};

/* ---- Registers of this hart ---- */

/* In the kernel tp always points to the running thread. */
register struct thread *riscv_tp __asm__("tp");

static inline struct thread *arch_current_thread(void)
{
    return riscv_tp;
}

static inline struct arch_thread *riscv_this_thread(void)
{
    return (struct arch_thread *)riscv_tp;
}

static inline unsigned arch_hart_index(void)
{
    return *(volatile uint32_t *)&riscv_this_thread()->hart_index;
}

#define RISCV_SSTATUS_SIE 0x2ul /* Privileged spec, "Supervisor Status Register" */

typedef unsigned long irq_state_t;

static inline irq_state_t arch_irq_save(void)
{
    irq_state_t state;
    __asm__ volatile("csrrci %0, sstatus, 2" : "=r"(state) : : "memory");
    return state & RISCV_SSTATUS_SIE;
}

static inline void arch_irq_restore(irq_state_t state)
{
    __asm__ volatile("csrs sstatus, %0" : : "r"(state) : "memory");
}

static inline bool arch_irq_state_is_enabled(irq_state_t state)
{
    return state != 0;
}

static inline void arch_irq_enable(void)
{
    __asm__ volatile("csrsi sstatus, 2" : : : "memory");
}

static inline void arch_irq_disable(void)
{
    __asm__ volatile("csrci sstatus, 2" : : : "memory");
}

static inline bool arch_irq_is_enabled(void)
{
    unsigned long status;
    __asm__ volatile("csrr %0, sstatus" : "=r"(status) : : "memory");
    return (status & RISCV_SSTATUS_SIE) != 0;
}

/* ---- Atomics ---- */

/* Adds; returns what was there. Ordered after everything before it and before everything after. */
static inline uint32_t arch_fetch_add_u32(uint32_t *word, uint32_t value)
{
    uint32_t old;
    __asm__ volatile("amoadd.w.aqrl %0, %2, (%1)" : "=r"(old) : "r"(word), "r"(value) : "memory");
    return old;
}

/* ---- Lock words: 0, or the address of the thread that holds the lock ---- */

/* Makes the running thread the holder if there is none. True: it is, and what the last holder wrote
 * is seen. */
static inline bool arch_lock_try(uintptr_t *word)
{
    __asm__ goto("1:\tlr.d.aq t0, (%0)\n\t"
                 "bnez t0, %l1\n\t"
                 "sc.d t0, tp, (%0)\n\t"
                 "bnez t0, 1b"
                 :
                 : "r"(word)
                 : "t0", "memory"
                 : busy);
    return true;
busy:
    return false;
}

/* Frees a lock word whatever it says. */
static inline void arch_lock_release(uintptr_t *word)
{
    __asm__ volatile("amoswap.d.rl zero, zero, (%0)" : : "r"(word) : "memory");
}

/* Frees a lock word that says nothing but the running thread. False: it says more; see mutex.h. */
static inline bool arch_lock_release_if_own(uintptr_t *word)
{
    __asm__ goto("1:\tlr.d t0, (%0)\n\t"
                 "bne t0, tp, %l1\n\t"
                 "sc.d.rl t0, zero, (%0)\n\t"
                 "bnez t0, 1b"
                 :
                 : "r"(word)
                 : "t0", "memory"
                 : other);
    return true;
other:
    return false;
}

/* What arch_lock_try writes. */
static inline uintptr_t arch_lock_holder(void)
{
    return (uintptr_t)riscv_tp;
}

/* Mutexes have lock words too. */
static inline bool arch_mutex_try(uintptr_t *word)
{
    return arch_lock_try(word);
}

static inline bool arch_mutex_release(uintptr_t *word)
{
    return arch_lock_release_if_own(word);
}

static inline void arch_cpu_relax(void)
{
    /* PAUSE of Zihintpause: a FENCE hint, so harmless where it is unknown. */
    __asm__ volatile(".word 0x0100000f" : : : "memory");
}

static inline uint64_t arch_ticks(void)
{
    uint64_t ticks;
    __asm__ volatile("rdtime %0" : "=r"(ticks) : : "memory");
    return ticks;
}

/* ---- The linear map ---- */

/* Virtual minus physical address of RAM; chosen at boot, a multiple of 1 GiB. */
extern uint64_t riscv_linear_offset;

static inline void *phys_to_virt(paddr_t pa)
{
    return (void *)(pa + riscv_linear_offset);
}

static inline paddr_t virt_to_phys(const void *va)
{
    return (paddr_t)va - riscv_linear_offset;
}

/* ---- Device registers ---- */
/* Ordered against other device accesses, against memory accesses before a write (a DMA descriptor)
 * and after a read, and against the release of a lock after a write (fence o,w: unlocking is a
 * store to memory). Unprivileged spec, "FENCE". */
#define RISCV_MMIO_READ(bits, insn)                                                                \
    static inline uint32_t arch_mmio_read##bits(const volatile void *reg)                          \
    {                                                                                              \
        uint32_t value;                                                                            \
        __asm__ volatile(insn " %0, 0(%1)\n\tfence i, iorw" : "=r"(value) : "r"(reg) : "memory");  \
        return value;                                                                              \
    }
#define RISCV_MMIO_WRITE(bits, insn)                                                               \
    static inline void arch_mmio_write##bits(volatile void *reg, uint32_t value)                   \
    {                                                                                              \
        __asm__ volatile("fence iorw, o\n\t" insn " %0, 0(%1)\n\tfence o, w"                       \
                         :                                                                         \
                         : "r"(value), "r"(reg)                                                    \
                         : "memory");                                                              \
    }
RISCV_MMIO_READ(8, "lbu")
RISCV_MMIO_READ(16, "lhu")
RISCV_MMIO_READ(32, "lw")
RISCV_MMIO_WRITE(8, "sb")
RISCV_MMIO_WRITE(16, "sh")
RISCV_MMIO_WRITE(32, "sw")

/* ---- Hooks of the host tests and of debug builds ---- */

#ifdef DEBUG
bool inject_allocation(void); /* kernel/sched/inject.h */

static inline bool arch_inject_failure(void)
{
    return inject_allocation();
}
#else
static inline bool arch_inject_failure(void)
{
    return false;
}
#endif

static inline void arch_memory_poison(const void *mem, size_t len_bytes)
{
    (void)mem;
    (void)len_bytes;
}

static inline void arch_memory_unpoison(const void *mem, size_t len_bytes)
{
    (void)mem;
    (void)len_bytes;
}
