/* Removing and narrowing translations of user address spaces. */
#include "arch/riscv/mmu_internal.h"
#include "kernel/lib/panic.h"

/* What is to become of the leaves of a range. */
struct change {
    struct arch_aspace *aspace;
    struct tlb_batch *batch;
    vaddr_t end;
    bool remove;
    uint64_t perms; /* PTE_R, PTE_W, PTE_X that they shall have, if not removed */
};

/* Splits a large page that |va| lies inside of. Lock held. */
static zx_status_t split_edge_locked(struct arch_aspace *aspace, vaddr_t va,
                                     struct tlb_batch *batch)
{
    unsigned level;
    uint64_t *entry;

    if (is_aligned(va, LARGE_PAGE_BYTES))
        return ZX_OK;
    entry = mmu_find_entry(aspace, va, &level);
    if (level != 1 || (*entry & PTE_V) == 0)
        return ZX_OK;
    return mmu_split_large(aspace, entry, batch);
}

static zx_status_t split_edges(struct change *change, vaddr_t va)
{
    irq_state_t irq = spin_lock_irqsave(mmu_lock(change->aspace));
    zx_status_t status = split_edge_locked(change->aspace, va, change->batch);

    if (status == ZX_OK)
        status = split_edge_locked(change->aspace, change->end, change->batch);
    spin_unlock_irqrestore(mmu_lock(change->aspace), irq);
    return status;
}

/* Changes one valid leaf of |count_pages| pages. */
static void change_leaf(const struct change *change, uint64_t *entry, vaddr_t va,
                        uint64_t count_pages)
{
    uint64_t old = *entry, pte = 0;

    if (!change->remove) {
        uint64_t perms = change->perms;
        if ((old & PTE_W) == 0)
            perms &= ~PTE_W; /* perhaps shared: the next write decides */
        pte = (old & ~(PTE_RWX | PTE_D)) | perms | ((perms & PTE_W) != 0 ? PTE_D : 0);
    }
    if (pte == old)
        return;
    if ((old & ~pte & PTE_RWX) != 0)
        tlb_batch_add_range(change->batch, va, count_pages);
    mmu_entry_set(entry, pte);
}

/* Takes the table behind |entry| out of the tree if it has become empty. */
static void drop_if_empty(const struct change *change, uint64_t *entry)
{
    struct page *table = page_from_paddr(pte_paddr(*entry));

    if (table->count != 0)
        return;
    mmu_entry_set(entry, 0);
    change->aspace->count_tables--;
    table->flags |= PAGE_FLAG_ZEROED; /* invalid entries are 0 */
    tlb_batch_add_everything(change->batch);
    tlb_batch_add_page(change->batch, table);
}

/* Deals with what lies at |va| up to the end of its 2 MiB, or with the hole there. Returns where to
 * go on. Lock held. */
static vaddr_t change_block_locked(const struct change *change, vaddr_t va)
{
    uint64_t *root_entry = &change->aspace->root[pte_index(va, LEVEL_ROOT)];
    vaddr_t next = round_down(va, LEVEL_BYTES(LEVEL_ROOT)) + LEVEL_BYTES(LEVEL_ROOT);
    uint64_t *large, *entry;

    if ((*root_entry & PTE_V) == 0)
        return MIN(next, change->end);
    next = MIN(round_down(va, LARGE_PAGE_BYTES) + LARGE_PAGE_BYTES, change->end);
    large = &pte_table(*root_entry)[pte_index(va, 1)];
    if ((*large & PTE_V) == 0)
        return next;
    if (pte_is_leaf(*large)) {
        change_leaf(change, large, va, PTES_PER_TABLE);
    } else {
        uint32_t left = page_from_paddr(pte_paddr(*large))->count;
        entry = &pte_table(*large)[pte_index(va, 0)];
        for (; va < next && left > 0; va += PAGE_SIZE_BYTES, entry++) {
            if ((*entry & PTE_V) == 0)
                continue;
            change_leaf(change, entry, va, 1);
            left--;
        }
        drop_if_empty(change, large);
    }
    drop_if_empty(change, root_entry);
    return next;
}

static zx_status_t change_range(struct change *change, vaddr_t va)
{
    zx_status_t status = split_edges(change, va);

    if (status != ZX_OK)
        return status;
    while (va < change->end) {
        irq_state_t irq = spin_lock_irqsave(mmu_lock(change->aspace));
        va = change_block_locked(change, va);
        spin_unlock_irqrestore(mmu_lock(change->aspace), irq);
    }
    return ZX_OK;
}

zx_status_t mmu_unmap(struct arch_aspace *aspace, vaddr_t va, size_t len_bytes,
                      struct tlb_batch *batch)
{
    struct change change = {aspace, batch, va + len_bytes, true, 0};

    DEBUG_ASSERT(is_aligned(va | len_bytes, PAGE_SIZE_BYTES));
    ASSERT(user_range_is_valid(va, len_bytes));
    return change_range(&change, va);
}

zx_status_t mmu_protect(struct arch_aspace *aspace, vaddr_t va, size_t len_bytes, uint32_t flags,
                        struct tlb_batch *batch)
{
    bool remove = (flags & MMU_PERM_MASK) == 0;
    struct change change = {aspace, batch, va + len_bytes, remove, mmu_leaf_bits(flags) & PTE_RWX};

    DEBUG_ASSERT(is_aligned(va | len_bytes, PAGE_SIZE_BYTES));
    ASSERT(user_range_is_valid(va, len_bytes));
    return change_range(&change, va);
}
