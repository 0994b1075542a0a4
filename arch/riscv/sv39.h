/* Sv39 page tables and the fences that go with them. RISC-V Privileged specification, "Sv39:
 * Page-Based 39-bit Virtual-Memory System", "Supervisor Memory-Management Fence Instruction";
 * memory types: "Svpbmt". */
#pragma once

#include "arch/mmu.h"
#include "kernel/lib/panic.h"

#define PTE_V   (1ul << 0)
#define PTE_R   (1ul << 1)
#define PTE_W   (1ul << 2)
#define PTE_X   (1ul << 3)
#define PTE_U   (1ul << 4)
#define PTE_G   (1ul << 5)
#define PTE_A   (1ul << 6)
#define PTE_D   (1ul << 7)
#define PTE_RWX (PTE_R | PTE_W | PTE_X)

#define PTE_PBMT_NC   (1ul << 61) /* non-cacheable, idempotent, weakly ordered */
#define PTE_PBMT_IO   (2ul << 61) /* non-cacheable, non-idempotent, strongly ordered */
#define PTE_PBMT_MASK (3ul << 61)

#define PTE_PPN_SHIFT 10
#define PTE_PPN_MASK  (((1ul << 44) - 1) << PTE_PPN_SHIFT)

/* Kernel mappings are global, and A and D are always set: some harts fault instead of setting
 * them ("the A and D bits", scheme 1). */
#define PTE_KERNEL_RO (PTE_V | PTE_R | PTE_A | PTE_G)
#define PTE_KERNEL_RX (PTE_V | PTE_R | PTE_X | PTE_A | PTE_G)
#define PTE_KERNEL_RW (PTE_V | PTE_R | PTE_W | PTE_A | PTE_D | PTE_G)

#define PTES_PER_TABLE   512
#define PTES_OF_USER     256 /* in the root: the lower half */
#define LEVEL_ROOT       2   /* entries of 1 GiB; level 1: 2 MiB; level 0: 4 KiB */
#define LEVEL_SHIFT(lvl) (PAGE_SHIFT + 9 * (lvl))
#define LEVEL_BYTES(lvl) (1ul << LEVEL_SHIFT(lvl))

_Static_assert(LARGE_PAGE_BYTES == LEVEL_BYTES(1), "mmu.h and Sv39 agree");

static inline unsigned pte_index(vaddr_t va, unsigned level)
{
    return (va >> LEVEL_SHIFT(level)) & (PTES_PER_TABLE - 1);
}

static inline paddr_t pte_paddr(uint64_t pte)
{
    return (pte & PTE_PPN_MASK) >> PTE_PPN_SHIFT << PAGE_SHIFT;
}

/* True for bits that no hart ever has to change: a leaf has A, a writable one D and R as well. */
static inline bool pte_bits_are_preset(uint64_t bits)
{
    return ((bits & PTE_RWX) == 0 || (bits & PTE_A) != 0) &&
           ((bits & PTE_W) == 0 || (bits & (PTE_D | PTE_R)) == (PTE_D | PTE_R));
}

_Static_assert(((PTE_KERNEL_RO & PTE_KERNEL_RX & PTE_KERNEL_RW) & PTE_A) != 0, "A is preset");
_Static_assert((PTE_KERNEL_RW & PTE_D) != 0, "D is preset");

static inline uint64_t pte_make(paddr_t pa, uint64_t bits)
{
    DEBUG_ASSERT(pte_bits_are_preset(bits));
    return pa >> PAGE_SHIFT << PTE_PPN_SHIFT | bits;
}

static inline bool pte_is_leaf(uint64_t pte)
{
    return (pte & PTE_RWX) != 0;
}

static inline uint64_t *pte_table(uint64_t pte)
{
    return phys_to_virt(pte_paddr(pte));
}

/* Stores an entry, whole, with no order to anything else: the compiler's atomic stores are AMOs. */
static inline void pte_store_relaxed(uint64_t *entry, uint64_t pte)
{
    *(volatile uint64_t *)entry = pte;
}

/* Stores an entry after everything written before: the table or page it leads to is complete. */
static inline void pte_store(uint64_t *entry, uint64_t pte)
{
    DEBUG_ASSERT((pte & PTE_V) == 0 || pte_bits_are_preset(pte));
    __atomic_thread_fence(__ATOMIC_RELEASE);
    pte_store_relaxed(entry, pte);
}

static inline void sfence_all(void)
{
    __asm__ volatile("sfence.vma x0, x0" : : : "memory");
}

/* Fences of single addresses do not work on this machine (errata.c). */
extern bool riscv_full_fences;

static inline void sfence_page(vaddr_t va)
{
    if (UNLIKELY(riscv_full_fences))
        sfence_all();
    else
        __asm__ volatile("sfence.vma %0, x0" : : "r"(va) : "memory");
}

static inline void sfence_asid(uint64_t asid)
{
    __asm__ volatile("sfence.vma x0, %0" : : "r"(asid) : "memory");
}

static inline void sfence_page_asid(vaddr_t va, uint64_t asid)
{
    if (UNLIKELY(riscv_full_fences))
        sfence_all();
    else
        __asm__ volatile("sfence.vma %0, %1" : : "r"(va), "r"(asid) : "memory");
}

static inline void fence_i(void)
{
    __asm__ volatile("fence.i" : : : "memory");
}
