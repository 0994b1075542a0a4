/* Debug builds: looking at page tables as a hart would. */
#include "arch/riscv/mmu_internal.h"
#include "kernel/lib/panic.h"

#ifdef DEBUG

/* What must hold of every user leaf, whatever it maps. */
static void check_leaf(vaddr_t va, uint64_t pte, unsigned level)
{
    if ((pte & (PTE_U | PTE_A)) != (PTE_U | PTE_A) || (pte & PTE_G) != 0 ||
        (pte & (PTE_R | PTE_W)) == PTE_W || ((pte & PTE_W) != 0 && (pte & PTE_D) == 0))
        panic("page tables: entry %#lx of level %u at %#lx", pte, level, va);
    if (!is_aligned(pte_paddr(pte), LEVEL_BYTES(level)))
        panic("page tables: the large page at %#lx is not aligned: %#lx", va, pte);
}

bool mmu_next_leaf(struct arch_aspace *aspace, vaddr_t va, struct mmu_leaf *out)
{
    irq_state_t irq = spin_lock_irqsave(mmu_lock(aspace));
    bool is_found = false;

    while (va < USER_TOP && !is_found) {
        unsigned level;
        uint64_t pte = *mmu_find_entry(aspace, va, &level);
        va = round_down(va, LEVEL_BYTES(level));
        if ((pte & PTE_V) != 0) {
            check_leaf(va, pte, level);
            *out = (struct mmu_leaf){va, pte_paddr(pte), LEVEL_BYTES(level), mmu_flags_of(pte)};
            is_found = true;
        }
        va += LEVEL_BYTES(level);
    }
    spin_unlock_irqrestore(mmu_lock(aspace), irq);
    return is_found;
}

/* Counts the tables below |table|, itself included; each knows how many valid entries it has. */
static size_t check_table(const uint64_t *table, unsigned level)
{
    const struct page *page = page_from_paddr(virt_to_phys(table));
    unsigned count = level == LEVEL_ROOT ? PTES_OF_USER : PTES_PER_TABLE, count_valid = 0;
    size_t count_tables = 1;

    if (page->kind != PAGE_TABLE)
        panic("page tables: the table at %p is a page of kind %u", (const void *)table, page->kind);
    for (unsigned i = 0; i < count; i++) {
        count_valid += (table[i] & PTE_V) != 0;
        if ((table[i] & PTE_V) != 0 && !pte_is_leaf(table[i]))
            count_tables += check_table(pte_table(table[i]), level - 1);
    }
    if (level != LEVEL_ROOT && (count_valid == 0 || count_valid != page->count))
        panic("page tables: the table at %p has %u valid entries, and counts %u",
              (const void *)table, count_valid, page->count);
    return count_tables;
}

void mmu_check_tables(struct arch_aspace *aspace)
{
    irq_state_t irq = spin_lock_irqsave(mmu_lock(aspace));
    size_t count = check_table(aspace->root, LEVEL_ROOT);

    if (count != aspace->count_tables)
        panic("page tables: %lu tables, of which %lu are known", count, aspace->count_tables);
    spin_unlock_irqrestore(mmu_lock(aspace), irq);
}

#endif
