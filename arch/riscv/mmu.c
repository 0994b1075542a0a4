/* Page tables of user address spaces. struct page.count of a table page is the number of its valid
 * entries (of the root: those of the user half); a table without any is taken out of the tree and
 * freed behind the batch's fence. */
#include "arch/riscv/mmu_internal.h"

#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/kspace.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

/* The spinlock inside struct arch_aspace, which is defined before struct spinlock can be. */
_Static_assert(sizeof(struct spinlock) <= sizeof(((struct arch_aspace *)0)->lock), "room for it");

/* ---- Tables ---- */

struct page *mmu_table_alloc(void)
{
    struct page *page = pmm_alloc_page(PAGE_TABLE, PMM_ZERO);
    if (page != NULL)
        page->count = 0;
    return page;
}

void mmu_table_link(struct arch_aspace *aspace, uint64_t *entry, struct page *table)
{
    mmu_entry_set(entry, pte_make(page_to_paddr(table), PTE_V));
    aspace->count_tables++;
}

zx_status_t mmu_make_entry(struct arch_aspace *aspace, vaddr_t va, unsigned want, uint64_t **out,
                           unsigned *out_level)
{
    struct page *tables[LEVEL_ROOT];
    unsigned level, count = 0;
    uint64_t *entry = mmu_find_entry(aspace, va, &level);

    if ((*entry & PTE_V) != 0 || level <= want) {
        *out = entry;
        *out_level = level;
        return ZX_OK;
    }
    /* All or nothing: a table that hangs in the tree could not be freed without a fence. */
    for (unsigned i = level; i > want; i--) {
        struct page *table = mmu_table_alloc();
        if (table == NULL) {
            while (count > 0)
                page_put(tables[--count]);
            return ZX_ERR_NO_MEMORY;
        }
        tables[count++] = table;
    }
    for (; level > want; level--) {
        struct page *table = tables[--count];
        mmu_table_link(aspace, entry, table);
        entry = &((uint64_t *)phys_to_virt(page_to_paddr(table)))[pte_index(va, level - 1)];
    }
    *out = entry;
    *out_level = want;
    return ZX_OK;
}

zx_status_t mmu_split_large(struct arch_aspace *aspace, uint64_t *entry, struct tlb_batch *batch)
{
    struct page *page = mmu_table_alloc();
    uint64_t *table, pte = *entry;

    if (page == NULL)
        return ZX_ERR_NO_MEMORY;
    table = phys_to_virt(page_to_paddr(page));
    for (unsigned i = 0; i < PTES_PER_TABLE; i++)
        table[i] = pte + ((uint64_t)i << PTE_PPN_SHIFT);
    page->count = PTES_PER_TABLE;
    mmu_table_link(aspace, entry, page);
    tlb_batch_add_everything(batch);
    return ZX_OK;
}

/* ---- Entries ---- */

uint32_t mmu_flags_of(uint64_t pte)
{
    return (uint32_t)(pte & PTE_RWX) >> 1 | (uint32_t)((pte & PTE_POLICY_MASK) >> PTE_POLICY_SHIFT)
                                                << MMU_CACHE_SHIFT;
}

bool mmu_has_small_table(struct arch_aspace *aspace, vaddr_t va)
{
    irq_state_t irq = spin_lock_irqsave(mmu_lock(aspace));
    unsigned level;

    (void)mmu_find_entry(aspace, va, &level);
    spin_unlock_irqrestore(mmu_lock(aspace), irq);
    return level == 0;
}

bool mmu_query(struct arch_aspace *aspace, vaddr_t va, paddr_t *out_pa, uint32_t *out_flags)
{
    irq_state_t irq = spin_lock_irqsave(mmu_lock(aspace));
    unsigned level;
    uint64_t pte = *mmu_find_entry(aspace, va, &level);

    spin_unlock_irqrestore(mmu_lock(aspace), irq);
    if ((pte & PTE_V) == 0)
        return false;
    if (out_pa != NULL)
        *out_pa = pte_paddr(pte) + round_down(va & (LEVEL_BYTES(level) - 1), PAGE_SIZE_BYTES);
    if (out_flags != NULL)
        *out_flags = mmu_flags_of(pte);
    return true;
}

/* ---- Address spaces ---- */

zx_status_t mmu_aspace_init(struct arch_aspace *aspace)
{
    struct page *root = mmu_table_alloc();

    if (root == NULL)
        return ZX_ERR_NO_MEMORY;
    memset(aspace, 0, sizeof(*aspace));
    spinlock_init(mmu_lock(aspace), LOCK_RANK_PAGE_TABLE);
    aspace->root = phys_to_virt(page_to_paddr(root));
    aspace->satp = (uint64_t)SATP_MODE_SV39 << SATP_MODE_SHIFT | page_to_paddr(root) >> PAGE_SHIFT;
    aspace->count_tables = 1;
    aspace->last_block = MMU_NO_BLOCK;
    memcpy(&aspace->root[PTES_OF_USER], &kernel_root[PTES_OF_USER],
           (PTES_PER_TABLE - PTES_OF_USER) * sizeof(uint64_t));
    return ZX_OK;
}

/* Frees a table and those below; no leaf may be left in them. */
static void free_tables(struct arch_aspace *aspace, uint64_t *table, unsigned level)
{
    unsigned count = level == LEVEL_ROOT ? PTES_OF_USER : PTES_PER_TABLE;

    for (unsigned i = 0; i < count && level > 0; i++) {
        if ((table[i] & PTE_V) == 0)
            continue;
        ASSERT(!pte_is_leaf(table[i]));
        free_tables(aspace, pte_table(table[i]), level - 1);
    }
    aspace->count_tables--;
    page_put(mmu_page_of_table(table));
}

void mmu_aspace_destroy(struct arch_aspace *aspace)
{
    ASSERT(atomic_load(&aspace->active) == 0);
    free_tables(aspace, aspace->root, LEVEL_ROOT);
    ASSERT(aspace->count_tables == 0);
    aspace->root = NULL;
}

size_t mmu_count_tables(const struct arch_aspace *aspace)
{
    return atomic_load_relaxed(&aspace->count_tables);
}
