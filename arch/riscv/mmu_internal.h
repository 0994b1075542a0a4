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

/* Stores an entry and keeps its table's count. */
void mmu_entry_set(uint64_t *entry, uint64_t pte);

/* The entry that decides about |va|: a leaf, an invalid one, or one of the lowest level. */
uint64_t *mmu_find_entry(const struct arch_aspace *aspace, vaddr_t va, unsigned *out_level);

/* As mmu_find_entry, but makes the tables needed to reach an entry of level |want|; stops above it
 * at a leaf. ZX_ERR_NO_MEMORY: nothing changed. */
MUST_USE zx_status_t mmu_make_entry(struct arch_aspace *aspace, vaddr_t va, unsigned want,
                                    uint64_t **out, unsigned *out_level);

/* Replaces a 2 MiB leaf by a table of 4 KiB leaves that say the same. ZX_ERR_NO_MEMORY. */
MUST_USE zx_status_t mmu_split_large(struct arch_aspace *aspace, uint64_t *entry,
                                     struct tlb_batch *batch);

/* MMU_* flags to the bits of a user leaf and back. No lock needed. */
uint64_t mmu_leaf_bits(uint32_t flags);
uint32_t mmu_flags_of(uint64_t pte);
