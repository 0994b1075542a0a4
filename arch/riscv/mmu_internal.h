/* Shared by mmu.c, mmu_map.c and mmu_unmap.c: page tables of user address spaces. The functions
 * need the page-table lock of the address space unless they say otherwise. */
#pragma once

#include "arch/riscv/sv39.h"
#include "arch/riscv/thread.h"
#include "arch/riscv/tlb.h"
#include "kernel/vm/pmm.h"

/* Bits of an entry that hardware ignores hold the ZX_CACHE_POLICY_* it was made with. */
#define PTE_POLICY_SHIFT 8
#define PTE_POLICY_MASK  (3ul << PTE_POLICY_SHIFT)

static inline struct spinlock *mmu_lock(struct arch_aspace *aspace)
{
    return (struct spinlock *)aspace->lock;
}

/* An empty table with one reference, in no tree; NULL: no memory. Needs no lock. */
struct page *mmu_table_alloc(void);

/* Makes |entry| (invalid, or a leaf that |table| replaces exactly) lead to |table|. */
void mmu_table_link(struct arch_aspace *aspace, uint64_t *entry, struct page *table);

#define MMU_NO_BLOCK (~0ul)

/* The struct page of the table that |entry| lies in. */
static inline struct page *mmu_page_of_table(const uint64_t *entry)
{
    return page_from_paddr(virt_to_phys(entry));
}

/* Makes the table of |va|, which |entry| of the lowest level lies in, the one used last. */
static inline void mmu_note_last(struct arch_aspace *aspace, vaddr_t va, uint64_t *entry)
{
    aspace->last_block = va / LARGE_PAGE_BYTES;
    aspace->last_table = entry - pte_index(va, 0);
    aspace->last_page = mmu_page_of_table(entry);
}

/* Stores an entry and keeps its table's count. */
static inline void mmu_entry_set(uint64_t *entry, uint64_t pte)
{
    bool was_valid = (*entry & PTE_V) != 0, is_valid = (pte & PTE_V) != 0;

    if (was_valid != is_valid)
        mmu_page_of_table(entry)->count += is_valid ? 1 : -1u;
    pte_store(entry, pte);
}

/* An entry that leads to a table. */
static inline bool pte_is_table(uint64_t pte)
{
    return (pte & (PTE_V | PTE_RWX)) == PTE_V;
}

/* The entry that decides about |va|: a leaf, an invalid one, or one of the lowest level. */
static inline uint64_t *mmu_find_entry(const struct arch_aspace *aspace, vaddr_t va,
                                       unsigned *out_level)
{
    uint64_t *entry = &aspace->root[pte_index(va, LEVEL_ROOT)];
    unsigned level = LEVEL_ROOT;

    if (pte_is_table(*entry)) {
        entry = &pte_table(*entry)[pte_index(va, 1)];
        level = 1;
        if (pte_is_table(*entry)) {
            entry = &pte_table(*entry)[pte_index(va, 0)];
            level = 0;
        }
    }
    *out_level = level;
    return entry;
}

/* As mmu_find_entry, but makes the tables needed to reach an entry of level |want|; stops above it
 * at a leaf. ZX_ERR_NO_MEMORY: nothing changed. */
MUST_USE zx_status_t mmu_make_entry(struct arch_aspace *aspace, vaddr_t va, unsigned want,
                                    uint64_t **out, unsigned *out_level);

/* Replaces a 2 MiB leaf by a table of 4 KiB leaves that say the same. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t mmu_split_large(struct arch_aspace *aspace, uint64_t *entry,
                                     struct tlb_batch *batch);

/* MMU_* flags to the bits of a user leaf and back. No lock needed. */
static inline uint64_t mmu_leaf_bits(uint32_t flags)
{
    /* Read, write and execute have the same order in both, one bit apart. */
    _Static_assert(MMU_PERM_READ << 1 == PTE_R && MMU_PERM_WRITE << 1 == PTE_W &&
                       MMU_PERM_EXEC << 1 == PTE_X,
                   "permission bits");
    uint32_t policy = (flags & MMU_CACHE_MASK) >> MMU_CACHE_SHIFT;
    uint64_t bits = (uint64_t)(flags & MMU_PERM_MASK) << 1 | PTE_V | PTE_U | PTE_A;

    if ((bits & PTE_W) != 0)
        bits |= PTE_R | PTE_D; /* W without R is reserved */
    bits |= (uint64_t)policy << PTE_POLICY_SHIFT;
    if (riscv_features.svpbmt && policy != 0)
        bits |= policy == 2 ? PTE_PBMT_IO : PTE_PBMT_NC; /* ZX_CACHE_POLICY_UNCACHED_DEVICE */
    return bits;
}
uint32_t mmu_flags_of(uint64_t pte);
