/* Adding translations to user address spaces. */
#include "arch/riscv/mmu_internal.h"
#include "kernel/lib/panic.h"

/* Must harts forget |old| once |pte| is there? Not if |pte| only allows more: a stale narrower
 * translation faults and is then fenced. */
static bool is_narrowed(uint64_t old, uint64_t pte)
{
    return (old & PTE_V) != 0 &&
           (((old ^ pte) & ~(PTE_RWX | PTE_D)) != 0 || (old & ~pte & PTE_RWX) != 0);
}

static zx_status_t map_page_locked(struct arch_aspace *aspace, vaddr_t va, uint64_t pte,
                                   struct tlb_batch *batch)
{
    uint64_t *entry;
    unsigned level;
    zx_status_t status = mmu_make_entry(aspace, va, 0, &entry, &level);

    if (status != ZX_OK)
        return status;
    if (level != 0) {
        uint64_t distance = va & (LARGE_PAGE_BYTES - 1);
        if (*entry + (distance >> PAGE_SHIFT << PTE_PPN_SHIFT) == pte)
            return ZX_OK; /* a large page says so already */
        status = mmu_split_large(aspace, entry, batch);
        if (status != ZX_OK)
            return status;
        entry = mmu_find_entry(aspace, va, &level);
    }
    if (is_narrowed(*entry, pte))
        tlb_batch_add_range(batch, va, 1);
    mmu_entry_set(entry, pte);
    mmu_note_last(aspace, va, entry);
    return ZX_OK;
}

zx_status_t mmu_map_page(struct arch_aspace *aspace, vaddr_t va, paddr_t pa, uint32_t flags,
                         struct tlb_batch *batch)
{
    irq_state_t irq;
    zx_status_t status;

    if ((flags & MMU_PERM_MASK) == 0)
        return mmu_unmap(aspace, va, PAGE_SIZE_BYTES, true, batch);
    DEBUG_ASSERT(is_aligned(va | pa, PAGE_SIZE_BYTES) && va < USER_TOP);
    irq = spin_lock_irqsave(mmu_lock(aspace));
    status = map_page_locked(aspace, va, pte_make(pa, mmu_leaf_bits(flags)), batch);
    spin_unlock_irqrestore(mmu_lock(aspace), irq);
    return status;
}

/* Stores |pte| in the table of aspace->last_block if it has nothing at |va|, and releases the lock.
 */
static inline bool fill_and_unlock(struct arch_aspace *aspace, vaddr_t va, uint64_t pte,
                                   irq_state_t irq)
{
    uint64_t *entry = &aspace->last_table[pte_index(va, 0)];
    bool is_free = (*entry & PTE_V) == 0;

    if (is_free) {
        aspace->last_page->count++;
        pte_store(entry, pte);
    }
    spin_unlock_irqrestore(mmu_lock(aspace), irq);
    return is_free;
}

/* The same when the table of |va| may be another one. */
static NOINLINE bool find_fill_and_unlock(struct arch_aspace *aspace, vaddr_t va, uint64_t pte,
                                          irq_state_t irq)
{
    unsigned level;
    uint64_t *entry = mmu_find_entry(aspace, va, &level);

    if (level != 0) {
        spin_unlock_irqrestore(mmu_lock(aspace), irq);
        return false;
    }
    mmu_note_last(aspace, va, entry);
    return fill_and_unlock(aspace, va, pte, irq);
}

bool mmu_try_map_page(struct arch_aspace *aspace, vaddr_t va, paddr_t pa, uint32_t flags)
{
    uint64_t pte = pte_make(pa, mmu_leaf_bits(flags));
    irq_state_t irq = arch_irq_save();

    if (UNLIKELY(!spin_trylock(mmu_lock(aspace)))) {
        arch_irq_restore(irq);
        return false;
    }
    if (UNLIKELY(aspace->last_block != va / LARGE_PAGE_BYTES))
        return find_fill_and_unlock(aspace, va, pte, irq);
    return fill_and_unlock(aspace, va, pte, irq);
}

/* Fills entries of one table, at most |count|; returns how many it passed, 0 without memory. */
static size_t map_run_locked(struct arch_aspace *aspace, vaddr_t va, const paddr_t *pa,
                             size_t count, uint64_t bits)
{
    uint64_t *entry;
    unsigned level;
    size_t run = MIN(count, PTES_PER_TABLE - pte_index(va, 0));
    uint32_t count_new = 0;

    if (mmu_make_entry(aspace, va, 0, &entry, &level) != ZX_OK)
        return 0;
    if (level != 0)
        return run;
    /* The pages are complete before the entries are there. */
    atomic_fence();
    for (size_t i = 0; i < run; i++) {
        if ((entry[i] & PTE_V) != 0)
            continue;
        pte_store_relaxed(&entry[i], pte_make(pa[i], bits));
        count_new++;
    }
    mmu_page_of_table(entry)->count += count_new;
    return run;
}

size_t mmu_map_pages(struct arch_aspace *aspace, vaddr_t va, const paddr_t *pa, size_t count_pages,
                     uint32_t flags)
{
    uint64_t bits = mmu_leaf_bits(flags);
    size_t passed = 0;

    if ((flags & MMU_PERM_MASK) == 0)
        return count_pages;
    DEBUG_ASSERT(is_aligned(va, PAGE_SIZE_BYTES) && va < USER_TOP);
    while (passed < count_pages) {
        irq_state_t irq = spin_lock_irqsave(mmu_lock(aspace));
        size_t run = map_run_locked(aspace, va + passed * PAGE_SIZE_BYTES, &pa[passed],
                                    count_pages - passed, bits);
        spin_unlock_irqrestore(mmu_lock(aspace), irq);
        if (run == 0)
            break;
        passed += run;
    }
    return passed;
}

zx_status_t mmu_map_large(struct arch_aspace *aspace, vaddr_t va, paddr_t pa, uint32_t flags)
{
    uint64_t *entry, pte = pte_make(pa, mmu_leaf_bits(flags));
    unsigned level;
    irq_state_t irq;
    zx_status_t status;

    DEBUG_ASSERT(is_aligned(va | pa, LARGE_PAGE_BYTES) && va < USER_TOP);
    DEBUG_ASSERT((flags & MMU_PERM_MASK) != 0);
    irq = spin_lock_irqsave(mmu_lock(aspace));
    status = mmu_make_entry(aspace, va, 1, &entry, &level);
    if (status == ZX_OK && (level != 1 || pte_is_table(*entry) || is_narrowed(*entry, pte)))
        status = ZX_ERR_ALREADY_EXISTS;
    if (status == ZX_OK)
        mmu_entry_set(entry, pte);
    spin_unlock_irqrestore(mmu_lock(aspace), irq);
    return status;
}
