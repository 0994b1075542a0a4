/* Removing and narrowing translations of user address spaces. */
#include "arch/riscv/mmu_internal.h"
#include "kernel/lib/panic.h"

/* What is to become of the leaves of a range. */
struct change {
    struct arch_aspace *aspace;
    struct tlb_batch *batch;
    vaddr_t end;
    bool remove;
    bool keep_tables;
    uint64_t perms; /* PTE_R, PTE_W, PTE_X that they shall have, if not removed */
};

/* Splits a large page that |va| lies inside of. Lock held. */
static zx_status_t split_edge_locked(struct arch_aspace *aspace, vaddr_t va,
                                     struct tlb_batch *batch)
{
    unsigned level;
    uint64_t *entry;

    entry = mmu_find_entry(aspace, va, &level);
    if (level != 1 || (*entry & PTE_V) == 0)
        return ZX_OK;
    return mmu_split_large(aspace, entry, batch);
}

/* What is left of |old|; 0: nothing. No permission is added, also because others may be taking some
 * away at the same time. */
static uint64_t narrowed(const struct change *change, uint64_t old)
{
    uint64_t perms = change->perms & old;

    if (perms == 0)
        return 0; /* without any permission an entry would lead to a table */
    return (old & ~(PTE_RWX | PTE_D)) | perms | ((perms & PTE_W) != 0 ? PTE_D : 0);
}

static void change_large(const struct change *change, uint64_t *entry, vaddr_t va)
{
    uint64_t old = *entry, pte = change->remove ? 0 : narrowed(change, old);

    if (pte != old)
        tlb_batch_add_range(change->batch, round_down(va, LARGE_PAGE_BYTES), PTES_PER_TABLE);
    mmu_entry_set(entry, pte);
}

/* Clears the leaves of one table from |va| to |end|. */
static void remove_leaves(const struct change *change, uint64_t *table, vaddr_t va, vaddr_t end)
{
    struct page *page = mmu_page_of_table(table);
    uint64_t *entry = &table[pte_index(va, 0)];
    uint32_t left = page->count;

    while (va < end && left > 0) {
        const uint64_t *first = entry;
        for (; va < end && (*entry & PTE_V) != 0; va += PAGE_SIZE_BYTES)
            pte_store_relaxed(entry++, 0);
        if (entry != first) {
            uint32_t count = (uint32_t)(entry - first);
            tlb_batch_add_range(change->batch, va - count * PAGE_SIZE_BYTES, count);
            left -= count;
        }
        for (; va < end && left > 0 && (*entry & PTE_V) == 0; va += PAGE_SIZE_BYTES)
            entry++;
    }
    page->count = left;
}

/* Narrows the leaves of one table from |va| to |end|. */
static void narrow_leaves(const struct change *change, uint64_t *table, vaddr_t va, vaddr_t end)
{
    struct page *page = mmu_page_of_table(table);
    uint64_t *entry = &table[pte_index(va, 0)];
    uint32_t left = page->count;

    for (; va < end && left > 0; va += PAGE_SIZE_BYTES, entry++) {
        uint64_t old = *entry, pte;
        if ((old & PTE_V) == 0)
            continue;
        left--;
        pte = narrowed(change, old);
        if (pte == old)
            continue;
        if (!change->batch->everything)
            tlb_batch_add_range(change->batch, va, 1);
        page->count -= pte == 0;
        pte_store_relaxed(entry, pte);
    }
}

/* Takes the table behind |entry| out of the tree if it is empty. */
static void drop_if_empty(const struct change *change, uint64_t *entry)
{
    struct page *table = page_from_paddr(pte_paddr(*entry));

    if (table->count != 0)
        return;
    mmu_entry_set(entry, 0);
    change->aspace->count_tables--;
    change->aspace->last_block = MMU_NO_BLOCK;
    table->flags |= PAGE_FLAG_ZEROED; /* invalid entries are 0 */
    tlb_batch_add_everything(change->batch);
    tlb_batch_add_page(change->batch, table);
}

/* Deals with what lies at |va| up to the end of its 2 MiB, or with the hole there. Returns where to
 * go on. Lock held. */
static vaddr_t change_block_locked(const struct change *change, vaddr_t va)
{
    uint64_t *root_entry = &change->aspace->root[pte_index(va, LEVEL_ROOT)], *large;
    vaddr_t next;

    if ((*root_entry & PTE_V) == 0)
        return MIN(round_down(va, LEVEL_BYTES(LEVEL_ROOT)) + LEVEL_BYTES(LEVEL_ROOT), change->end);
    next = MIN(round_down(va, LARGE_PAGE_BYTES) + LARGE_PAGE_BYTES, change->end);
    large = &pte_table(*root_entry)[pte_index(va, 1)];
    if ((*large & PTE_V) == 0)
        return next;
    if (pte_is_leaf(*large)) {
        change_large(change, large, va);
    } else {
        mmu_note_last(change->aspace, va, &pte_table(*large)[pte_index(va, 0)]);
        if (change->remove)
            remove_leaves(change, pte_table(*large), va, next);
        else
            narrow_leaves(change, pte_table(*large), va, next);
        if (!change->keep_tables)
            drop_if_empty(change, large);
    }
    if (!change->keep_tables)
        drop_if_empty(change, root_entry);
    return next;
}

/* Large pages across the edges come first, so that nothing has changed if there is no memory for
 * their tables. They stay split: nobody makes large pages meanwhile, as that takes the locks which
 * the callers of mmu_unmap and mmu_protect have. */
static NOINLINE zx_status_t change_range(struct change *change, vaddr_t va)
{
    irq_state_t irq = spin_lock_irqsave(mmu_lock(change->aspace));
    zx_status_t status = ZX_OK;

    if (!is_aligned(va, LARGE_PAGE_BYTES))
        status = split_edge_locked(change->aspace, va, change->batch);
    /* The end may lie in the same large page, which is none any more then. */
    if (status == ZX_OK && !is_aligned(change->end, LARGE_PAGE_BYTES) &&
        (is_aligned(va, LARGE_PAGE_BYTES) || (va ^ change->end) >= LARGE_PAGE_BYTES))
        status = split_edge_locked(change->aspace, change->end, change->batch);
    while (status == ZX_OK) {
        va = change_block_locked(change, va);
        if (va >= change->end)
            break;
        /* Others get a chance at the lock between blocks. */
        spin_unlock_irqrestore(mmu_lock(change->aspace), irq);
        irq = spin_lock_irqsave(mmu_lock(change->aspace));
    }
    spin_unlock_irqrestore(mmu_lock(change->aspace), irq);
    return status;
}

/* One page in the table that was used last, as is common, if that table stays. False: ask
 * change_range. */
static inline bool change_page(struct change *change, vaddr_t va)
{
    struct arch_aspace *aspace = change->aspace;
    irq_state_t irq = spin_lock_irqsave(mmu_lock(aspace));
    bool is_done = aspace->last_block == va / LARGE_PAGE_BYTES &&
                   (change->keep_tables || aspace->last_page->count > 1);

    if (is_done) {
        uint64_t *entry = &aspace->last_table[pte_index(va, 0)], old = *entry;
        uint64_t pte = change->remove ? 0 : narrowed(change, old);
        if ((old & PTE_V) != 0 && pte != old) {
            pte_store_relaxed(entry, pte);
            aspace->last_page->count -= pte == 0;
            tlb_batch_add_range(change->batch, va, 1);
        }
    }
    spin_unlock_irqrestore(mmu_lock(aspace), irq);
    return is_done;
}

static zx_status_t change_any(struct change *change, vaddr_t va)
{
    if (change->end - va == PAGE_SIZE_BYTES && change_page(change, va))
        return ZX_OK;
    return change_range(change, va);
}

zx_status_t mmu_unmap(struct arch_aspace *aspace, vaddr_t va, size_t len_bytes, bool keep_tables,
                      struct tlb_batch *batch)
{
    struct change change = {aspace, batch, va + len_bytes, true, keep_tables, 0};

    DEBUG_ASSERT(is_aligned(va | len_bytes, PAGE_SIZE_BYTES));
    ASSERT(user_range_is_valid(va, len_bytes));
    return change_any(&change, va);
}

zx_status_t mmu_protect(struct arch_aspace *aspace, vaddr_t va, size_t len_bytes, uint32_t flags,
                        struct tlb_batch *batch)
{
    bool remove = (flags & MMU_PERM_MASK) == 0;
    struct change change = {aspace, batch, va + len_bytes,
                            remove, true,  mmu_leaf_bits(flags) & PTE_RWX};

    DEBUG_ASSERT(is_aligned(va | len_bytes, PAGE_SIZE_BYTES));
    ASSERT(user_range_is_valid(va, len_bytes));
    return change_any(&change, va);
}
